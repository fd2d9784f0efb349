"""Working calendars: what has passed stays as it was counted, and the form says what it means."""

import json
from datetime import timedelta

import frappe
import pytest
from frappe.utils import add_days, get_datetime, getdate, now_datetime

from lead_quality.base.site_time import aware, get_calendar
from lead_quality.demo.factories import make_lead
from lead_quality.follow_up.replan import replan_changed
from lead_quality.lead_quality.doctype.working_calendar.working_calendar import next_days
from lead_quality.patches import keep_calendar_history

OFFICE = "Office Hours"
# a Wednesday of next year's, so that the seeded calendar is older than it
START = "2027-12-22 09:00:00"
CHRISTMAS, NEXT_YEAR = "2027-12-24", "2028-01-06"


def make_holidays(name: str, year: int, *days: str):
	return frappe.get_doc(
		{
			"doctype": "Holiday List",
			"holiday_list_name": name,
			"from_date": f"{year}-01-01",
			"to_date": f"{year}-12-31",
			"holidays": [{"holiday_date": day, "description": "Closed"} for day in days],
		}
	).insert()


def change_calendar(**values):
	return frappe.get_doc("Working Calendar", OFFICE).update(values).save()


def use_holidays(holidays) -> None:
	change_calendar(holiday_list=holidays and holidays.name)
	frappe.db.commit()


def messages() -> str:
	return " ".join(message.get("message") for message in frappe.get_message_log())


@pytest.fixture
def forty_hours():
	"""First Response is due after 40 working hours, and nothing else runs."""
	policy = frappe.get_doc("Follow Up Policy", "Standard Follow Up")
	policy.targets = [row for row in policy.targets if row.clock == "First Response"]
	policy.targets[0].within = 40
	policy.save()


@pytest.fixture
def lead(forty_hours, freeze):
	"""A lead of 22 December that is to be answered within 40 working hours, over Christmas."""
	use_holidays(make_holidays("This Year", 2027, CHRISTMAS))
	with freeze(START):
		return make_lead()


def due_of(lead) -> str:
	return str(frappe.db.get_value("Follow Up Clock", {"lead": lead.name}, "due_at"))


def worked(start: str, end: str) -> float:
	return get_calendar(OFFICE).elapsed(aware(start), aware(end)) / 3600


# what has passed


def test_the_list_of_the_next_year_leaves_the_holidays_that_have_passed(lead, freeze):
	assert due_of(lead) == "2027-12-29 17:00:00"
	with freeze("2027-12-27 09:00"):
		use_holidays(make_holidays("Next Year", 2028, NEXT_YEAR))
	assert due_of(lead) == "2027-12-29 17:00:00"
	assert worked("2027-12-22 09:00", "2027-12-27 09:00") == 16
	# what lies ahead goes by the new list
	assert worked("2028-01-06 00:00", "2028-01-07 00:00") == 0


def take_out(holidays, _freeze):
	holidays.reload().update({"holidays": []})
	holidays.save()


def lose_the_list(_holidays, _freeze):
	use_holidays(None)


def work_longer(_holidays, _freeze):
	change_calendar(
		hours=[
			{"weekday": day, "opens": "06:00:00", "closes": "22:00:00"}
			for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
		]
	)


def move_away(_holidays, _freeze):
	change_calendar(time_zone="Asia/Tokyo")


def open_for_the_day(_holidays, _freeze):
	change_calendar(special_hours=[{"date": CHRISTMAS, "opens": "09:00:00", "closes": "17:00:00"}])


@pytest.mark.parametrize("change", [take_out, lose_the_list, work_longer, move_away, open_for_the_day])
def test_no_change_counts_before_it_was_made(lead, freeze, change):
	before = worked("2027-12-22 09:00", "2027-12-27 09:00")
	with freeze("2027-12-27 09:00"):
		change(frappe.get_doc("Holiday List", "This Year"), freeze)
		frappe.db.commit()
	assert worked("2027-12-22 09:00", "2027-12-27 09:00") == before == 16


def test_a_list_that_was_changed_past_the_document_events_is_found_by_the_job(lead, freeze):
	with freeze("2027-12-27 09:00"):
		frappe.db.delete("Holiday", {"parent": "This Year"})
		frappe.db.set_value("Holiday List", "This Year", "modified", now_datetime())
		frappe.clear_document_cache("Holiday List", "This Year")
		replan_changed()
	assert worked("2027-12-22 09:00", "2027-12-27 09:00") == 16
	assert due_of(lead) == "2027-12-29 17:00:00"


def test_holidays_that_lie_ahead_make_no_history(lead, freeze):
	with freeze("2027-12-23 09:00"):
		holidays = frappe.get_doc("Holiday List", "This Year")
		holidays.append("holidays", {"holiday_date": "2027-12-27", "description": "Closed"})
		holidays.save()
		frappe.db.commit()
	assert json.loads(frappe.db.get_value("Working Calendar", OFFICE, "history"))["eras"] == []
	assert due_of(lead) == "2027-12-30 17:00:00"


def test_two_changes_keep_two_pasts(lead, freeze):
	with freeze("2027-12-27 09:00"):
		use_holidays(None)
	with freeze("2027-12-28 12:00"):
		work_longer(None, freeze)
		frappe.db.commit()
	assert worked("2027-12-24 00:00", "2027-12-25 00:00") == 0
	assert worked("2027-12-28 00:00", "2027-12-29 00:00") == 3 + 10
	assert worked("2027-12-29 00:00", "2027-12-30 00:00") == 16


def test_nobody_writes_the_history_by_hand(lead):
	before = frappe.db.get_value("Working Calendar", OFFICE, "history")
	change_calendar(history="{}")
	assert frappe.db.get_value("Working Calendar", OFFICE, "history") == before


def test_calendars_from_before_this_version_keep_their_past_from_now_on(lead, freeze):
	frappe.db.set_value("Working Calendar", OFFICE, "history", None)
	keep_calendar_history.execute()
	history = json.loads(frappe.db.get_value("Working Calendar", OFFICE, "history"))
	created = frappe.db.get_value("Working Calendar", OFFICE, "creation")
	assert get_datetime(history["since"]) == aware(created)
	keep_calendar_history.execute()
	with freeze("2027-12-27 09:00"):
		use_holidays(make_holidays("Next Year", 2028))
	assert due_of(lead) == "2027-12-29 17:00:00"


# what the form says


def test_one_saturday_can_be_opened(freeze):
	saturday = "2027-06-05"
	use_holidays(make_holidays("Saturdays Off", 2027, saturday, "2027-06-12"))
	change_calendar(special_hours=[{"date": saturday, "opens": "10:00:00", "closes": "14:00:00"}])
	assert worked(f"{saturday} 00:00", "2027-06-06 00:00") == 4
	assert worked("2027-06-12 00:00", "2027-06-13 00:00") == 0


def test_one_day_can_be_shorter_or_closed(freeze):
	change_calendar(
		special_hours=[
			{"date": "2027-12-23", "opens": "09:00:00", "closes": "12:00:00"},
			{"date": "2027-12-27", "closed": 1},
		]
	)
	assert worked("2027-12-23 00:00", "2027-12-24 00:00") == 3
	assert worked("2027-12-27 00:00", "2027-12-28 00:00") == 0


@pytest.mark.parametrize("closes", ["00:00:00", "23:59:00", "23:59:59", "23:59:30"])
def test_the_last_minute_of_the_day_is_its_end(closes):
	change_calendar(hours=[{"weekday": "Monday", "opens": "22:00:00", "closes": closes}])
	assert worked("2027-06-07 00:00", "2027-06-08 00:00") == 2


def test_a_shift_over_midnight_is_refused_with_the_two_rows_to_write():
	with pytest.raises(frappe.ValidationError) as refusal:
		change_calendar(hours=[{"weekday": "Sunday", "opens": "22:00:00", "closes": "06:00:00"}])
	words = frappe.utils.strip_html(str(refusal.value))
	assert "Row 1" in words
	assert "Sunday from 22:00 to 00:00, and Monday from 00:00 to 06:00" in words


def test_a_single_date_over_midnight_is_refused_with_the_two_rows_to_write():
	row = {"date": "2027-06-05", "opens": "22:00:00", "closes": "06:00:00"}
	with pytest.raises(frappe.ValidationError, match="Hours of Single Dates, row 1") as refusal:
		change_calendar(special_hours=[row])
	assert "from 22:00 to 00:00, and" in frappe.utils.strip_html(str(refusal.value))


@pytest.mark.parametrize(
	("rows", "words"),
	[
		([{"date": "2027-06-05", "opens": "", "closes": ""}], "tick Closed All Day"),
		(
			[
				{"date": "2027-06-05", "closed": 1},
				{"date": "2027-06-05", "opens": "09:00:00", "closes": "10:00:00"},
			],
			"is closed all day, and another row has hours for it",
		),
		(
			[
				{"date": "2027-06-05", "opens": "09:00:00", "closes": "12:00:00"},
				{"date": "2027-06-05", "opens": "11:00:00", "closes": "13:00:00"},
			],
			"overlap those of row 1",
		),
	],
)
def test_single_dates_that_make_no_sense_are_refused(rows, words):
	with pytest.raises(frappe.ValidationError, match=words):
		change_calendar(special_hours=rows)


def test_hours_on_a_weekday_that_the_list_closes_are_pointed_out():
	saturdays = [str(add_days(getdate("2027-01-02"), 7 * week)) for week in range(52)]
	holidays = make_holidays("Five Days a Week", 2027, *saturdays)
	calendar = frappe.get_doc("Working Calendar", OFFICE)
	calendar.append("hours", {"weekday": "Saturday", "opens": "09:00:00", "closes": "13:00:00"})
	calendar.holiday_list = holidays.name
	calendar.save()
	assert "closes 52 of 52 such days" in messages()
	frappe.clear_messages()
	change_calendar(holiday_list=None)
	assert messages() == ""


def test_hours_of_a_day_that_has_passed_are_pointed_out_once(freeze):
	yesterday = {"date": add_days(getdate(), -1), "opens": "09:00:00", "closes": "10:00:00"}
	change_calendar(special_hours=[yesterday])
	assert "Past time stays as it was counted" in messages()
	frappe.clear_messages()
	frappe.get_doc("Working Calendar", OFFICE).save()
	assert messages() == ""


def test_the_form_shows_the_next_two_weeks_in_words():
	use_holidays(make_holidays("Shown", 2027, "2027-06-08"))
	calendar = change_calendar(
		special_hours=[
			{"date": "2027-06-12", "opens": "10:00:00", "closes": "00:00:00"},
			{"date": "2027-06-09", "closed": 1},
		]
	)
	days = next_days(calendar, getdate("2027-06-07"))
	assert len(days) == 14
	assert [day["hours"] for day in days[:6]] == [
		"09:00 – 17:00",
		"closed (a holiday)",
		"closed (a date of its own)",
		"09:00 – 17:00",
		"09:00 – 17:00",
		"10:00 – midnight (a date of its own)",
	]
	assert [day["is_open"] for day in days[:3]] == [True, False, False]


def test_a_half_day_of_the_list_has_the_first_half_of_its_hours():
	if not frappe.get_meta("Holiday").has_field("is_half_day"):
		pytest.skip("half days are of v16")
	holidays = make_holidays("Half Days", 2027)
	holidays.append("holidays", {"holiday_date": "2027-06-07", "description": "Half", "is_half_day": 1})
	holidays.save()
	use_holidays(holidays)
	days = next_days(frappe.get_doc("Working Calendar", OFFICE), getdate("2027-06-07"))
	assert days[0]["hours"] == "09:00 – 13:00 (a date of its own)"
	assert timedelta(hours=worked("2027-06-07 00:00", "2027-06-08 00:00")) == timedelta(hours=4)


def test_a_calendar_that_nothing_names_is_deleted():
	calendar = frappe.get_doc(
		{
			"doctype": "Working Calendar",
			"title": "Nobody's",
			"time_zone": "Europe/Berlin",
			"hours": [{"weekday": "Monday", "opens": "09:00:00", "closes": "17:00:00"}],
		}
	).insert()
	frappe.delete_doc("Working Calendar", calendar.name)
	assert not frappe.db.exists("Working Calendar", calendar.name)
