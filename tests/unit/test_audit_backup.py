"""A backup gives the same figures as the exports of the same site, whatever stands in its texts."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.audit import backup, parts, readers, sample
from lead_quality.audit.readers import CannotRead
from tests.unit.audit_files import figure, run

LEAD = ["CRM-LEAD-1", "2026-01-05 09:30:00.123456", None, "Open"]
COLUMNS = ["name", "creation", "_user_tags", "status"]
ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1a": "\\Z"}


def quoted(value: object) -> str:
	if value is None:
		return "NULL"
	if isinstance(value, int | float):
		return str(value)
	return "'" + "".join(ESCAPES.get(letter, letter) for letter in str(value)) + "'"


def dump(table: str, columns: Sequence[str], rows: Sequence[Sequence[object]], is_new: bool = False) -> str:
	"""A table as mariadb-dump writes it: all rows in a line, or each in its own as newer ones do."""
	between, before = (",\n", "\n") if is_new else (",", " ")
	made = ",\n".join(f"  `{column}` varchar(140) DEFAULT 'a;(b' COMMENT 'x'" for column in columns)
	values = between.join(f"({','.join(quoted(value) for value in row)})" for row in rows)
	insert = f"INSERT INTO `{table}` VALUES{before}{values};\n" if rows else ""
	return (
		f"DROP TABLE IF EXISTS `{table}`;\n/*!40101 SET character_set_client = utf8mb4 */;\nCREATE TABLE `{table}` (\n{made},\n"
		f"  PRIMARY KEY (`name`)\n) ENGINE=InnoDB;\nLOCK TABLES `{table}` WRITE;\n{insert}UNLOCK TABLES;\n"
	)


def written(path: Path, text: str) -> Path:
	with gzip.open(path, "wt", encoding="utf-8", newline="\n") as file:
		file.write("-- MariaDB dump\n" + text + "-- Dump completed on 2026-06-30 18:00:00\n")
	return path


LEADS_ALONE = dump("tabLead", ["name", "creation", "status"], [["L1", "2026-01-05 09:00:00", "Open"]])


def read(path: Path) -> Iterator[tuple[str, list[dict]]]:
	for table in backup.tables(path):
		yield table.kind, list(table.rows())


@pytest.mark.parametrize("is_new", [False, True])
def test_a_backup_gives_the_figures_of_the_exports(tmp_path, is_new):
	paths = sample.write(tmp_path, leads=600)
	text = dump("tabDocType", ["name", "x"], [["Lead", "INSERT INTO `tabLead` VALUES (1);"]], is_new)
	for path in paths:
		found = readers.open_table(path)
		with path.open(newline="") as file:
			_headers, *rows = list(csv.reader(file))
		places = [column.place for column in found.columns]
		fields = [column.field for column in found.columns]
		some = [[row[place] or None for place in places] for row in rows]
		half = len(some) // 2
		text += dump(f"tab{found.kind}", fields, some[:half], is_new)
		values = ",".join(f"({','.join(quoted(value) for value in row)})" for row in some[half:])
		names = ", ".join(f"`{field}`" for field in fields)
		text += f"INSERT INTO `tab{found.kind}` ({names}) VALUES {values};\n"
	made = written(tmp_path / "20260630_180000-site-database.sql.gz", text)

	by_backup, by_exports = run([made]), run(paths)

	assert [table.problem_count for table in by_backup.tables] == [0] * 6
	assert by_backup.report.figures == by_exports.report.figures
	assert by_backup.report.sections == by_exports.report.sections


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), min_size=2, max_size=2), max_size=4), st.booleans())
def test_whatever_stands_in_a_text_it_stays_that_text(tmp_path_factory, texts, is_new):
	rows = [[*LEAD, *some] for some in texts]
	made = dump("tabLead", [*COLUMNS, "lead_name", "source"], rows, is_new)
	path = written(tmp_path_factory.mktemp("dump") / "x.sql.gz", made + dump("tabUser", ["name"], [["a"]]))

	found = dict(read(path)).get("Lead", [])

	expected = [
		[" ".join(text.replace("\0", "").replace("\x1a", "").split()) or None for text in some]
		for some in texts
	]
	assert [[row["lead_name"], row["source"]] for row in found] == expected
	assert all(row["creation"] == datetime(2026, 1, 5, 9, 30) for row in found)


@pytest.mark.parametrize(
	("columns", "sources"),
	[
		(["source"], ["Fair"]),
		(["utm_source"], ["Fair"]),
		(["source", "utm_source"], ["Old", "Fair"]),
		(["source", "utm_source"], ["Fair", None]),
	],
)
def test_the_source_is_found_in_each_version_and_on_a_site_that_has_been_upgraded(tmp_path, columns, sources):
	path = written(tmp_path / "x.sql.gz", dump("tabLead", [*COLUMNS, *columns], [[*LEAD, *sources]]))

	assert [one.source for one in run([path]).facts] == ["Fair"]


def test_orders_of_a_backup_are_credited_by_the_rows_that_name_their_quotation(tmp_path):
	text = dump("tabLead", COLUMNS, [LEAD])
	text += dump(
		"tabQuotation",
		["name", "creation", "docstatus", "quotation_to", "party_name"],
		[["Q1", LEAD[1], 1, "Lead", LEAD[0]]],
	)
	text += dump(
		"tabSales Order",
		["name", "creation", "docstatus", "status", "customer", "base_grand_total", "currency"],
		[["S1", LEAD[1], 1, "Completed", "C1", 900.5, "EUR"], ["S2", LEAD[1], 0, "Draft", "C1", 5, "EUR"]],
	)
	text += dump(
		"tabSales Order Item",
		["name", "parent", "prevdoc_docname"],
		[["a", "S1", "Q1"], ["b", "S1", None], ["c", "S2", "Q1"]],
	)

	done = run([written(tmp_path / "x.sql.gz", text)])

	assert [(one.is_sold, one.journey.value) for one in done.facts] == [(True, 900.5)]


def test_what_is_broken_in_a_backup_is_told_by_its_line_and_the_rest_counts(tmp_path):
	text = dump("tabLead", COLUMNS, [LEAD, [*LEAD[:1], "never", None, "Open"], LEAD], is_new=True)
	text = text.replace(
		"NULL,'Open');", "NULL,'Open'),\n('short','2026-01-01'),\n('torn,\n('x',NULL,NULL,NULL);"
	)

	tables = []
	for table in backup.tables(written(tmp_path / "x.sql.gz", text)):
		tables.append((list(table.rows()), table))

	rows, table = tables[0]
	assert len(rows) == 2
	first = text.split("\n").index("INSERT INTO `tabLead` VALUES") + 2
	assert [problem.line for problem in table.problems] == [first + 2, first + 4, first + 5, first + 6]


def test_a_broken_row_is_told_by_its_line_whatever_stands_between_the_statements(tmp_path):
	one = dump("tabLead", COLUMNS, [LEAD], is_new=True).replace("UNLOCK TABLES;\n", "")
	further = "/*!40000 x */;\n\n-- more\nINSERT INTO `tabLead` VALUES\n('short'),\n('L2','2026-01-05',NULL,'Open');\n"

	[(rows, table)] = [
		(list(table.rows()), table)
		for table in backup.tables(written(tmp_path / "x.sql.gz", one + further + "UNLOCK TABLES;\n"))
	]

	assert [row["name"] for row in rows] == [LEAD[0], "L2"]
	text = "-- MariaDB dump\n" + one + further
	assert [problem.line for problem in table.problems] == [text.split("\n").index("('short'),") + 1]


def test_the_text_of_a_backup_counts_where_it_tells_how_a_call_went(tmp_path):
	fields = ["name", "creation", "communication_medium", "content", "reference_doctype", "reference_name"]
	said = {"Phone": "<p>It's a wrong \n number</p>", "Email": "<p>Wrong \n number?</p>"}
	text = dump("tabLead", COLUMNS, [LEAD])
	text += dump(
		"tabCommunication",
		fields,
		[[medium, LEAD[1], medium, words, "Lead", LEAD[0]] for medium, words in said.items()],
	)

	[one] = run([written(tmp_path / "x.sql.gz", text)]).facts

	assert one.journey.touches == 1  # the mail


@pytest.mark.parametrize(
	"content",
	[
		b"",
		b"no gzip",
		gzip.compress(b"nothing of a database"),
		gzip.compress(b"CREATE TABLE `x` (\n" * 999)[:40],
	],
)
def test_what_is_no_backup_is_refused_by_name(tmp_path, content):
	path = tmp_path / "some.sql.gz"
	path.write_bytes(content)

	with pytest.raises(CannotRead, match=r"some\.sql\.gz"):
		list(read(path))


def test_a_backup_without_leads_is_refused(tmp_path):
	with pytest.raises(CannotRead, match="has no table tabLead"):
		run([written(tmp_path / "x.sql.gz", dump("tabUser", ["name"], [["a"]]))])


def test_a_large_table_read_by_several_processes_gives_what_one_gives(tmp_path, monkeypatch):
	paths = sample.write(tmp_path, leads=400)
	rows = [[f"LEAD-{number}", "2026-01-05 09:30:00", "it's (a); 'b'\n", "Open"] for number in range(400)]
	rows[123][1] = "never"
	leads = dump("tabLead", COLUMNS, rows, is_new=True)
	mails = dump("tabCommunication", *table_of(paths[-1]), is_new=True)
	path = written(tmp_path / "x.sql.gz", leads + mails)
	alone = run([path])
	monkeypatch.setattr(backup, "PART", 2_000)
	monkeypatch.setattr(parts, "FIRST_ALONE", 1)
	monkeypatch.setattr(parts.os, "cpu_count", lambda: 2)
	started = []
	monkeypatch.setattr(
		parts, "ProcessPoolExecutor", lambda *given: started.append(given) or ProcessPoolExecutor(*given)
	)

	together = run([path])

	assert len(started) == 1
	assert [(table.counted, table.lines, table.problems) for table in together.tables] == [
		(table.counted, table.lines, table.problems) for table in alone.tables
	]
	assert together.tables[0].problem_count == 1
	assert together.report.sections == alone.report.sections


def table_of(path: Path) -> tuple[list[str], list[list[str]]]:
	"""The fields and rows of an export."""
	found = readers.open_table(path)
	with path.open(newline="") as file:
		_headers, *rows = list(csv.reader(file))
	return [column.field for column in found.columns], [
		[row[column.place] for column in found.columns] for row in rows
	]


@pytest.mark.parametrize("value", ["_binary 'Open'", " 'Open' ", "  'Open'"])
def test_a_row_that_is_written_otherwise_is_read_alike(tmp_path, value):
	text = dump("tabLead", COLUMNS, [LEAD, LEAD], is_new=True).replace("'Open'),", f"{value}),", 1)
	assert [row["status"] for _kind, rows in read(written(tmp_path / "x.sql.gz", text)) for row in rows] == [
		"Open"
	] * 2


def test_a_backup_without_its_end_mark_is_refused_with_the_table_after_which_it_broke_off(tmp_path):
	text = "-- MariaDB dump\n" + LEADS_ALONE
	whole, broken, plain = (tmp_path / name for name in ("whole.sql", "broken.sql", "plain.sql"))
	whole.write_text(text + "-- Dump completed\n")
	broken.write_text(text)
	plain.write_text(text.removeprefix("-- MariaDB dump\n"))  # written without comments: nobody can tell

	assert [kind for kind, _rows in read(whole)] == [kind for kind, _rows in read(plain)] == ["Lead"]
	with pytest.raises(CannotRead, match="no end mark: the backup broke off, in or after the table tabLead"):
		list(read(broken))


def test_a_table_of_a_backup_that_is_empty_is_known_to_be_empty(tmp_path):
	columns = ["name", "creation", "reference_name"]
	path = written(tmp_path / "x.sql.gz", LEADS_ALONE + dump("tabCommunication", columns, []))

	done = run([path])

	assert [table.kind for table in done.tables] == ["Lead", "Communication"]
	assert not any("No Communications" in sentence for sentence in done.report.cannot)


def test_rows_of_a_later_statement_that_cannot_be_read_leave_the_others(tmp_path):
	columns = ["name", "creation", "modified", "status"]
	bad = f"INSERT INTO `tabLead` VALUES {','.join(['(' + ','.join(['NULL'] * 4) + ')'] * 2)};\n"
	between = dump("tabCustomer", ["name", "lead_name"], [["C1", "L1"]])
	good = dump("tabLead", columns, [["L1", "2026-01-05 09:00:00", None, "Open"]])

	done = run([written(tmp_path / "x.sql.gz", good + between + bad)])

	assert figure(done, "leads") == 1
