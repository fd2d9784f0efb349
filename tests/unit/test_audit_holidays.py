"""Days on which nobody works: from a file, or from the Holiday List of a backup."""

from datetime import date, datetime

import pytest

from lead_quality.audit import audit, cli, holidays
from lead_quality.audit.readers import CannotRead
from tests.unit.audit_files import write
from tests.unit.test_audit_backup import dump, written

PRESENT = datetime(2026, 6, 1, 9)
EASTER = [date(2026, 4, 3), date(2026, 4, 6)]

ICS = """BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260403
DTEND;VALUE=DATE:20260404
SUMMARY:Good
  Friday
END:VEVENT
BEGIN:VEVENT
SUMMARY:Easter Monday
DTSTART:20260406T000000
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(
	("name", "text", "days"),
	[
		("days.ics", ICS, [*EASTER, *(date(2026, 12, day) for day in (24, 25, 26))]),
		("days.csv", "Day\n2026-04-03\n2026-04-06\n", EASTER),
		("days.csv", "Feiertag;Datum\nKarfreitag;03.04.2026\nOstermontag;06.04.2026\n", EASTER),
		# an export of a Holiday List, whose span is no holiday
		(
			"Holiday List.csv",
			"ID,From Date,To Date,Date (Holidays),Description (Holidays)\n"
			"Hamburg,2026-01-01,2026-12-31,2026-04-03,Good Friday\n"
			"Hamburg,2026-01-01,2026-12-31,2026-04-06,Easter Monday\n",
			EASTER,
		),
	],
)
def test_a_file_names_its_days(tmp_path, name, text, days):
	(tmp_path / name).write_text(text, encoding="utf-8")
	assert holidays.of_file(tmp_path / name) == set(days)


@pytest.mark.parametrize(
	("name", "text", "said"),
	[
		("none.csv", "Day\nsoon\n", "names no day"),
		("none.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "names no day"),
		("rule.ics", "BEGIN:VEVENT\nDTSTART:20260101\nRRULE:FREQ=YEARLY\nEND:VEVENT\n", "repeated by a rule"),
		("bad.ics", "BEGIN:VEVENT\nDTSTART:20261345\nEND:VEVENT\n", "expected a day such as 20261225"),
		("which.csv", "Day\n03/04/2026\n", "which.csv, line 2"),
	],
)
def test_a_file_that_names_none_or_is_not_understood_says_so(tmp_path, name, text, said):
	(tmp_path / name).write_text(text, encoding="utf-8")
	with pytest.raises(CannotRead, match=said):
		holidays.of_file(tmp_path / name)


def of_easter(**more) -> dict:
	"""A lead of Maundy Thursday at 16:00, answered on the Tuesday after Easter at 10:00."""
	return {
		"lead": [
			{"name": "L-1", "creation": "2026-04-02 16:00:00", "status": "Lead", "company": "Kran AG"},
			{"name": "L-2", "creation": "2026-05-29 16:00:00", "status": "Lead", "company": "Kran AG"},
		],
		"communication": [
			{
				"name": "C-1",
				"creation": "2026-04-07 10:00:00",
				"communication_date": "2026-04-07 10:00:00",
				"communication_type": "Communication",
				"communication_medium": "Email",
				"sent_or_received": "Sent",
				"sender": "rep@kran.example",
				"recipients": "a@b.example",
				"subject": "Your crane",
				"reference_doctype": "Lead",
				"reference_name": "L-1",
			}
		],
		**more,
	}


def backup_of(path, tables: dict[str, list[dict]]):
	"""A backup of some tables, by DocType."""
	dumps = [
		dump(f"tab{kind}", list(rows[0]), [list(row.values()) for row in rows])
		for kind, rows in tables.items()
		if rows
	]
	return written(path / "backup.sql.gz", "".join(dumps))


def hours_of_first(done) -> float:
	return next(one.hours for one in done.facts if one.journey.lead == "L-1")


def test_speed_to_lead_leaves_the_days_of_a_file_out_and_the_page_says_which(tmp_path):
	days = tmp_path / "days.csv"
	days.write_text("Day\n2026-04-03\n2026-04-06\n", encoding="utf-8")
	paths = [(None, path) for path in write(tmp_path, **of_easter())]

	without = audit.run(audit.Wish(paths), PRESENT)
	done = audit.run(audit.Wish(paths, holidays=days), PRESENT)

	# Thursday 16 to 17 and Tuesday 9 to 10, and, of who knows no holidays, two days more
	assert (hours_of_first(done), hours_of_first(without)) == (2, 18)
	assert done.report.settings["holidays"] == "without the 2 days of days.csv"
	assert without.report.settings["holidays"] == "public holidays not known"
	told = [sentence for sentence in without.report.cannot if "Public holidays" in sentence]
	assert told and "--holidays FILE" in told[0]
	assert not any("Public holidays" in sentence for sentence in done.report.cannot)


def test_years_of_which_no_holiday_is_known_are_named():
	said = holidays.lacking(EASTER, "days.csv", date(2024, 5, 1), date(2026, 5, 1))
	assert said == ["Public holidays of 2024, 2025: days.csv has none, so they count as working days."]


LISTS = [
	{"parent": "Hamburg", "holiday_date": "2026-04-03"},
	{"parent": "Hamburg", "holiday_date": "2026-04-06"},
	{"parent": "Dubai", "holiday_date": "2026-04-02"},
]


@pytest.mark.parametrize(
	("companies", "lists", "hours", "said"),
	[
		# that of the company whose leads they are
		(
			[
				{"name": "Dune LLC", "default_holiday_list": "Dubai"},
				{"name": "Kran AG", "default_holiday_list": "Hamburg"},
			],
			LISTS,
			2,
			"without the 2 days of Hamburg",
		),
		# no company names one, and there is one only
		([{"name": "Kran AG", "default_holiday_list": None}], LISTS[:2], 2, "without the 2 days of Hamburg"),
		# nobody says which of two
		([{"name": "Kran AG", "default_holiday_list": None}], LISTS, 18, "public holidays not known"),
		([], [], 18, "public holidays not known"),
	],
)
def test_a_backup_knows_the_holidays_of_the_company(tmp_path, companies, lists, hours, said):
	of = of_easter()
	tables = {
		"Company": companies,
		"Holiday": lists,
		"Lead": of["lead"],
		"Communication": of["communication"],
	}
	path = backup_of(tmp_path, tables)

	done = audit.run(audit.Wish([(None, path)]), PRESENT)

	assert hours_of_first(done) == hours
	assert done.report.settings["holidays"] == said


def test_a_shared_page_does_not_name_the_list(tmp_path):
	path = backup_of(tmp_path, {"Lead": of_easter()["lead"], "Holiday": LISTS[:2]})
	done = audit.run(audit.Wish([(None, path)], is_anonymous=True), PRESENT)
	assert done.report.settings["holidays"] == "without the 2 days of the Holiday List"


def test_the_command_takes_a_file_of_holidays(tmp_path, capsys):
	[lead, mail] = write(tmp_path, **of_easter())
	days = tmp_path / "days.ics"
	days.write_text(ICS, encoding="utf-8")
	assert (
		cli.main(["audit", str(lead), str(mail), "--holidays", str(days), "--out", str(tmp_path / "out")])
		== 0
	)
	assert "without the 2 days of days.ics" in (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")

	assert cli.main(["audit", str(lead), "--holidays", str(tmp_path / "gone.ics")]) == 2
	assert "there is no such file" in capsys.readouterr().err
