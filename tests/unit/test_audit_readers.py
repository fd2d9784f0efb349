"""The audit reads what ERPNext exports, and says what it could not read."""

import csv
import io
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_quality.audit import columns, readers, values
from lead_quality.audit.readers import CannotRead
from tests.unit.audit_files import figure, run

REPORT_VIEW = """Sr,ID,Created On,Status,Full Name,Email,Source,Lead Owner
1,CRM-LEAD-2026-00001,2026-01-05 09:30:00.123456,Open,Ada Abel,ada@abel.example,Website,amelie@north.example
2,CRM-LEAD-2026-00002,2026-01-06 10:00:00,Replied,"Bilal, B.",bilal@b.example,,
"""


def table(folder: Path, text: str, name: str = "Lead.csv", encoding: str = "utf-8", **more) -> readers.Table:
	path = folder / name
	path.write_bytes(text.encode(encoding))
	return readers.open_table(path, **more)


def read(folder: Path, text: str, **more) -> tuple[readers.Table, list[dict]]:
	found = table(folder, text, **more)
	return found, list(found.rows())


def fields(found: readers.Table) -> dict[str, str]:
	return {column.header: column.field for column in found.columns}


def test_an_export_of_the_report_view_is_read(tmp_path):
	found, rows = read(tmp_path, REPORT_VIEW)

	assert found.kind == "Lead"
	assert fields(found)["Full Name"] == "lead_name"
	assert found.not_used == ["Sr"]
	assert rows[0]["creation"] == datetime(2026, 1, 5, 9, 30)
	assert (rows[1]["lead_name"], rows[1]["source"]) == ("Bilal, B.", None)
	assert (found.lines, found.counted, found.problem_count) == (2, 2, 0)


DATA_EXPORT = '''"Data Import Template"
"Table:","Lead"
""
""
"Notes:"
""
"DocType:","Lead","","","","~","UTM Parameters","",""
"Column Labels:","ID","Created On","Status","Source","","ID","Source",""
"Column Name:","name","creation","status","source","~","name","source","~"
"Mandatory:","Yes","No","Yes","No","","Yes","No",""
"Type:","Data","Datetime","Select","Link","","Data","Data",""
"Info:","","dd-mm-yyyy","One of: Lead, Open","","","","",""
"Start entering data below this line"
"","""CRM-LEAD-2026-00001""","05-01-2026 09:30:00","Open","Website","","x1","not the lead's",""
"","","","","","","x2","not the lead's",""
'''


def test_a_data_export_is_read_by_its_fieldnames_and_only_the_document_itself(tmp_path):
	found, rows = read(tmp_path, DATA_EXPORT)

	assert fields(found) == {"name": "name", "creation": "creation", "status": "status", "source": "source"}
	assert rows[0]["creation"] == datetime(2026, 1, 5, 9, 30)  # it says that the day comes first
	assert rows[0]["source"] == "Website"
	assert "a Data Export" in found.notes


@pytest.mark.parametrize(
	"headers",
	[
		"Kennung;Erstellt am;Status;Vollständiger Name;E-Mail;Quelle",
		"Identifiant;Créé le;Statut;Nom complet;Adresse e-mail;Source",
		"ID;Creado el;Estado;Nombre completo;Correo electrónico;Fuente",
		"name;creation;status;lead_name;email_id;source",
		"name;creation;status;lead_name;email_id;utm_source",
		"ID;Created On;Status;Full Name;Email;Source",
	],
)
def test_columns_are_known_by_fieldname_and_by_label_in_some_languages(tmp_path, headers):
	row = "CRM-LEAD-1;2026-01-05 09:30:00;Open;Ada Abel;ada@abel.example;Website"

	_found, rows = read(tmp_path, f"{headers}\n{row}\n", kind="Lead")

	renamed = {"utm_source": "source"}
	assert {renamed.get(field, field) for field in rows[0]} == {
		"name",
		"creation",
		"status",
		"lead_name",
		"email_id",
		"source",
	}


def test_columns_without_a_known_label_are_known_by_what_stands_in_them_and_that_is_said(tmp_path):
	text = "Nr,Wann,Wer,Post\n" + "".join(
		f"CRM-LEAD-{n},2026-01-0{n} 09:00:00,P {n},p{n}@x.example\n" for n in range(1, 6)
	)

	found, rows = read(tmp_path, text, kind="Lead", mapped={"Lead": {"lead_name": "Wer"}})

	by = {column.field: column.by for column in found.columns}
	assert by == {
		"name": columns.BY_CONTENT,
		"creation": columns.BY_CONTENT,
		"lead_name": columns.BY_MAP,
		"email_id": columns.BY_CONTENT,
	}
	assert rows[0]["email_id"] == "p1@x.example"


def test_of_two_columns_that_could_be_it_none_is_taken(tmp_path):
	text = "Full Name,Status,First,Second\n" + "".join(
		f"P {n},Open,2026-01-0{n} 09:00:00,2026-02-0{n} 09:00:00\n" for n in range(1, 6)
	)

	with pytest.raises(CannotRead, match=r"no column was recognised as creation.*--map Lead\.creation"):
		table(tmp_path, text)


def test_the_users_word_goes_before_the_label(tmp_path):
	text = "ID,Created On,Entered\nL1,2026-01-01,2025-05-05\n"

	_found, rows = read(tmp_path, text, mapped={"Lead": {"creation": "Entered"}})

	assert rows[0]["creation"] == datetime(2025, 5, 5)


def test_a_word_of_the_users_that_fits_nothing_is_refused_by_name(tmp_path):
	with pytest.raises(CannotRead, match="no column 'Nowhere'"):
		table(tmp_path, REPORT_VIEW, mapped={"Lead": {"source": "Nowhere"}})
	with pytest.raises(CannotRead, match="no field 'colour'"):
		table(tmp_path, REPORT_VIEW, mapped={"Lead": {"colour": "Status"}})


def test_of_a_broken_line_is_said_which_it_is_and_what_was_expected_and_the_rest_counts(tmp_path):
	text = REPORT_VIEW + (
		"3,CRM-LEAD-2026-00003,soon,Open,Chen,c@c.example,Website,\n"
		"4,CRM-LEAD-2026-00004,,Open,Dora,d@d.example,Website,\n"
		"5,CRM-LEAD-2026-00005,2026-01-09 10:00:00,Open,Emil,e@e.example,Website,,too,many\n"
		"6,CRM-LEAD-2026-00006,2026-02-30 10:00:00,Open,Fatou,f@f.example,Website,\n"
		"7,CRM-LEAD-2026-00007,2026-01-10 10:00:00,Open,Greta,g@g.example,Website,\n"
	)

	found, rows = read(tmp_path, text)

	assert [row["name"][-1] for row in rows] == ["1", "2", "7"]
	assert [(problem.line, problem.column, problem.found) for problem in found.problems] == [
		(4, "Created On", "soon"),
		(5, "Created On", "nothing"),
		(6, "", "10 cells"),
		(7, "Created On", "2026-02-30 10:00:00"),
	]
	assert found.problems[0].expected == "a date, such as 2026-03-31 14:05:00"
	assert (found.lines, found.counted) == (7, 3)


@pytest.mark.parametrize("stray", ['"Emil', 'Em"il" x"', '"Em"il'])
def test_a_stray_quotation_mark_costs_no_other_line(tmp_path, stray):
	lines = [f"CRM-LEAD-{n},2026-01-05 09:00:00,Name {n}\n" for n in range(1, 300)]
	lines[100] = f"CRM-LEAD-101,2026-01-05 09:00:00,{stray}\n"

	found, rows = read(tmp_path, "ID,Created On,Full Name\n" + "".join(lines))

	names = {row["name"] for row in rows}
	assert names >= {f"CRM-LEAD-{n}" for n in range(1, 300) if n != 101}
	assert [problem.line for problem in found.problems] in ([], [102])


def test_a_cell_of_several_lines_is_one_cell_and_lines_are_counted_as_an_editor_counts_them(tmp_path):
	text = 'ID,Created On,Full Name\nL1,2026-01-01,"one\ntwo"\nL2,never,x\n'

	found, rows = read(tmp_path, text)

	assert rows[0]["lead_name"] == "one two"
	assert found.problems[0].line == 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found_out(tmp_path, encoding, delimiter):
	text = delimiter.join(("ID", "Created On", "Full Name")) + "\n"
	text += delimiter.join(("L1", "2026-01-01", "Zoë Müller")) + "\n"

	_found, rows = read(tmp_path, text, encoding=encoding)

	assert rows[0]["lead_name"] == "Zoë Müller"


def test_a_workbook_is_read_like_a_csv(tmp_path):
	book = openpyxl.Workbook()
	for row in csv.reader(io.StringIO(REPORT_VIEW)):
		book.active.append(row)
	book.active.append(
		[3, "CRM-LEAD-2026-00003", datetime(2026, 1, 7, 8, 15), "Open", "=1+1", None, None, None]
	)
	book.save(tmp_path / "Lead.xlsx")

	rows = list(readers.open_table(tmp_path / "Lead.xlsx").rows())

	assert [row["name"][-1] for row in rows] == ["1", "2", "3"]
	assert rows[2]["creation"] == datetime(2026, 1, 7, 8, 15)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02\xff", b"hello", b"PK\x03\x04 no workbook"])
@pytest.mark.parametrize("name", ["Lead.csv", "x.xlsx"])
def test_what_is_no_table_is_refused_with_the_files_name(tmp_path, content, name):
	(tmp_path / name).write_bytes(content)

	with pytest.raises(CannotRead, match=name):
		readers.open_table(tmp_path / name)


def test_the_kind_of_a_file_is_known_by_its_columns_whatever_its_name(tmp_path):
	headers = {
		"Lead": "ID,Created On,Lead Owner,Email,Organization Name",
		"Opportunity": "ID,Created On,Opportunity From,Party",
		"Quotation": "ID,Created On,Quotation To,Party,Opportunity",
		"Sales Order": "ID,Created On,Customer,Grand Total (Company Currency)",
		"Customer": "ID,From Lead,From Opportunity",
		"Communication": "ID,Created On,Sent or Received,Reference Name,Subject",
	}
	for kind, row in headers.items():
		assert table(tmp_path, f"{row}\n", name="export.csv").kind == kind


# values


@given(st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)))
def test_a_date_is_read_in_each_order_it_may_be_written_in(at):
	at = at.replace(microsecond=0)
	for order, form in (
		("YMD", "%Y-%m-%d %H:%M:%S"),
		("DMY", "%d.%m.%Y %H:%M:%S"),
		("DMY", "%d/%m/%Y %H:%M:%S"),
		("MDY", "%m/%d/%Y %I:%M:%S %p"),
		("YMD", "%Y-%m-%dT%H:%M:%S.123456"),
	):
		assert values.moment(at.strftime(form), order) == at


@given(st.text(max_size=20))
def test_what_is_no_date_is_said_to_be_none(text):
	for order in (None, "DMY", "MDY", "YMD"):
		try:
			assert isinstance(values.moment(text, order), datetime)
		except values.Unreadable:
			pass


def test_day_and_month_that_cannot_be_told_apart_are_not_guessed(tmp_path):
	text = "ID,Created On\nL1,03/04/2026\nL2,05/06/2026\n"

	found, rows = read(tmp_path, text)
	assert rows == []
	assert "say --dates dmy or --dates mdy" in found.problems[0].expected

	assert read(tmp_path, text, dates="DMY")[1][0]["creation"] == datetime(2026, 4, 3)
	assert read(tmp_path, text + "L3,25/12/2025\n")[1][0]["creation"] == datetime(2026, 4, 3)
	assert read(tmp_path, text + "L3,12/25/2025\n")[1][0]["creation"] == datetime(2026, 3, 4)


@pytest.mark.parametrize(
	("texts", "amounts"),
	[
		(["1234.5", "1,234.50", "€ 1,234.50", "-12.00"], [1234.5, 1234.5, 1234.5, -12]),
		(["1234,5", "1.234,50", "1.234,50 €", "1.234.567,00"], [1234.5, 1234.5, 1234.5, 1234567]),
		(["1 234,50", "1'234'567"], [1234.5, 1234567]),
		(["12", "1234567"], [12, 1234567]),
	],
)
def test_amounts_are_read_by_the_mark_that_the_column_has(texts, amounts):
	mark = values.decimal_mark(texts)

	assert [values.amount(text, mark) for text in texts] == amounts


def test_an_amount_that_may_be_either_is_not_guessed():
	mark = values.decimal_mark(["1.234", "5.678"])

	with pytest.raises(values.Unreadable, match="may be either"):
		values.amount("1.234", mark)
	with pytest.raises(values.Unreadable, match="an amount"):
		values.amount("a lot", ".")


def test_amounts_in_two_notations_are_each_read_by_their_own_marks():
	texts = ["1,234.50", "1.234,50", "EUR 2.000.000", "12,5", "12.5", "(1,234.50)", "-3"]
	mark = values.decimal_mark(texts)

	assert [values.amount(text, mark) for text in texts] == [1234.5, 1234.5, 2e6, 12.5, 12.5, -1234.5, -3]
	with pytest.raises(values.Unreadable, match="may be either"):
		values.amount("1.234", mark)


@given(
	st.integers(0, 10**9),
	st.integers(0, 99),
	st.sampled_from([",.", ".,"]),
	st.sampled_from([".", ",", None]),
)
def test_an_amount_with_cents_is_that_amount_whatever_its_column_has(whole, cents, marks, mark):
	text = f"{whole:,}.{cents:02}".translate(str.maketrans(",.", marks))

	assert values.amount(text, mark) == pytest.approx(whole + cents / 100)


@pytest.mark.parametrize(
	("text", "zone", "at"),
	[
		("2026-06-15T10:00:00+02:00", "UTC", datetime(2026, 6, 15, 8)),
		("2026-06-15T10:00:00.000Z", "Europe/Berlin", datetime(2026, 6, 15, 12)),
		("2026-01-15T10:00:00.000+0000", "Europe/Berlin", datetime(2026, 1, 15, 11)),
		("2026-06-15 22:30:00-05", "UTC", datetime(2026, 6, 16, 3, 30)),
		("2026-06-15 10:00 UTC", "Asia/Kolkata", datetime(2026, 6, 15, 15, 30)),
		("2026-06-15 10:00:00", "Asia/Kolkata", datetime(2026, 6, 15, 10)),
	],
)
def test_an_instant_with_an_offset_is_that_instant_in_the_sites_zone(text, zone, at, tmp_path):
	found = table(tmp_path, f"ID,Created On\nL1,{text}\n")
	found.zone = zone

	assert [row["creation"] for row in found.rows()] == [at]
	assert any("offset" in note for note in found.notes) == (text != "2026-06-15 10:00:00")


def test_a_line_with_too_few_cells_is_told_and_counts_as_far_as_it_goes(tmp_path):
	text = "ID,Created On,Status,Source\nL1,2026-01-05,Open,Web\nL2,2026-01-05\nL3\nL4,2026-01-05,,\n"

	found, rows = read(tmp_path, text)

	assert [row["name"] for row in rows] == ["L1", "L2", "L4"]
	assert [(one.line, one.expected, one.found, one.is_row_lost) for one in found.problems] == [
		(3, "4 cells", "2 cells", False),
		(4, "4 cells", "1 cells", True),
	]


def test_a_workbook_is_known_by_what_is_in_it_whatever_it_is_called(tmp_path):
	book = openpyxl.Workbook()
	for row in (["ID", "Created On"], ["L1", datetime(2026, 1, 5)]):
		book.active.append(row)
	book.save(tmp_path / "x.xlsx")
	path = (tmp_path / "x.xlsx").rename(tmp_path / "Lead.csv")

	assert [row["name"] for row in readers.open_table(path).rows()] == ["L1"]


@pytest.mark.parametrize(
	("begin", "said"),
	[
		(b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
		(b"\x1f\x8b\x08", "packed"),
		(b"%PDF-1.7", "a PDF"),
		(b"\x7fELF\x01\x02\x00\x07", "no text with headers"),
	],
)
def test_what_is_no_table_is_told_in_words_and_not_in_its_bytes(begin, said, tmp_path):
	path = tmp_path / "Lead.csv"
	path.write_bytes(begin + bytes(range(256)))

	with pytest.raises(CannotRead, match=said) as told:
		readers.open_table(path)
	assert str(told.value).isprintable() and "\\x" not in str(told.value)


def test_an_empty_file_among_others_is_told_and_the_others_count(tmp_path):
	paths = [tmp_path / name for name in ("Lead.csv", "Sales Order.csv")]
	paths[0].write_text(REPORT_VIEW)
	paths[1].write_text("")

	done = run(paths)

	assert figure(done, "leads") == 2
	assert any("Sales Order.csv is empty" in sentence for sentence in done.report.cannot)
	with pytest.raises(CannotRead, match="is empty, as no export is"):
		run(paths[1:])


@pytest.mark.parametrize(
	("one", "other", "is_same"),
	[
		("+49 848 1302527", "+49 248 1302527", False),  # another area
		("+49 30 1234567", "+43 30 1234567", False),  # another country
		("+49 30 1234567", "030 1234567", True),
		("0049 30 1234567", "+49 (0)30/123 45-67", True),
		("+1 415 555 2671", "(415) 555-2671", True),
		("1-415-555-2671", "4155552671", True),
		("0848 1302527", "0248 1302527", False),
		("123456", "030 123456", False),  # of which the area is not known
		("123456", "12 34 56", True),
	],
)
def test_two_numbers_are_one_if_they_lead_to_one_telephone(one, other, is_same):
	assert values.is_same_number(one, other) == values.is_same_number(other, one) == is_same
	assert not is_same or values.digits_key(one) == values.digits_key(other)
