"""Deadlines against examples a person can check, and the whole tables of what stops and what counts."""

from datetime import datetime, time, timedelta, timezone, tzinfo
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.engine.clock import (
	CLOCKS,
	STOPPED_BY,
	due_at,
	final_status,
	is_human_touch,
	later,
	real_time_later,
	spent,
	state,
	warn_at,
)
from lead_quality.engine.working_time import WorkingCalendar

pytestmark = pytest.mark.unit

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
TOKYO = ZoneInfo("Asia/Tokyo")
HOURS = [(time(9), time(17))]
OFFICE = WorkingCalendar(dict.fromkeys(range(5), HOURS), (), BERLIN)
UNITS = ["Minutes", "Hours", "Working Hours", "Days", "Working Days"]
STARTS = st.integers(0, 400 * 86400).map(
	lambda seconds: datetime(2025, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
)


def at(text: str, zone: tzinfo = BERLIN) -> datetime:
	return datetime.fromisoformat(text).replace(tzinfo=zone)


def utc(moment: datetime) -> datetime:
	"""In UTC, where two datetimes compare as instants; within one zone Python compares their wall clocks."""
	return moment.astimezone(timezone.utc)


# When a clock is due


@pytest.mark.parametrize(
	("start", "within", "unit", "due"),
	[
		("2025-06-14 15:00", 2, "Working Hours", "2025-06-16 11:00"),
		("2025-06-14 15:00", 2, "Hours", "2025-06-14 17:00"),
		("2025-06-14 15:00", 5, "Minutes", "2025-06-14 15:05"),
		("2025-06-14 15:00", 2, "Days", "2025-06-16 15:00"),
		("2025-06-14 15:00", 1, "Working Days", "2025-06-17 09:00"),
		("2025-06-13 10:30", 1, "Working Days", "2025-06-16 10:30"),
		("2025-06-13 16:30", 1, "Working Hours", "2025-06-16 09:30"),
		("2025-06-13 10:30", 0.5, "Minutes", "2025-06-13 10:30:30"),
		("2025-06-13 10:30", 0.5, "Hours", "2025-06-13 11:00"),
		("2025-06-13 10:30", 0.5, "Days", "2025-06-13 22:30"),
		("2025-06-13 10:30", 0.25, "Working Hours", "2025-06-13 10:45"),
		("2025-06-13 10:30", 0.1, "Working Hours", "2025-06-13 10:36"),
		("2025-06-13 10:30", 0.5, "Working Days", "2025-06-16 10:30"),
		("2025-06-13 10:30", 1.5, "Working Days", "2025-06-17 10:30"),
	],
)
def test_a_clock_is_due_by_its_unit(start: str, within: float, unit: str, due: str) -> None:
	assert due_at(at(start), within, unit, OFFICE) == at(due)


@pytest.mark.parametrize(
	("unit", "due"),
	[
		("Minutes", "2025-06-14 15:00"),
		("Hours", "2025-06-14 15:00"),
		("Days", "2025-06-14 15:00"),
		("Working Hours", "2025-06-14 15:00"),
		("Working Days", "2025-06-16 09:00"),
	],
)
def test_a_clock_without_time_is_due_at_once(unit: str, due: str) -> None:
	assert due_at(at("2025-06-14 15:00"), 0, unit, OFFICE) == at(due)


def test_working_hours_that_floats_cannot_hold_are_whole_seconds() -> None:
	# 1.1 hours are 3960.0000000000005 seconds
	assert due_at(at("2025-06-11 10:00"), 1.1, "Working Hours", OFFICE) == at("2025-06-11 11:06")
	# 0.29 hours are 1043.9999999999998 seconds
	assert due_at(at("2025-06-11 10:00"), 0.29, "Working Hours", OFFICE) == at("2025-06-11 10:17:24")


@pytest.mark.parametrize(("unit", "within"), [("Minutes", 120), ("Hours", 2)])
def test_minutes_and_hours_are_real_time_when_the_clocks_change(unit: str, within: int) -> None:
	due = due_at(at("2025-03-30 01:30"), within, unit, OFFICE)
	assert due.isoformat() == "2025-03-30T04:30:00+02:00"
	due = due_at(at("2025-10-26 01:30"), within, unit, OFFICE)
	assert due.isoformat() == "2025-10-26T02:30:00+01:00"


def test_days_keep_the_time_of_day_when_the_clocks_change() -> None:
	assert due_at(at("2025-03-29 10:00"), 1, "Days", OFFICE).isoformat() == "2025-03-30T10:00:00+02:00"
	assert due_at(at("2025-10-25 10:00"), 1, "Days", OFFICE).isoformat() == "2025-10-26T10:00:00+01:00"


def test_days_keep_the_time_of_day_of_the_calendar_not_of_the_writer() -> None:
	# India does not change its clocks, the office does
	due = due_at(at("2025-03-29 13:30", KOLKATA), 1, "Days", OFFICE)
	assert due.isoformat() == "2025-03-30T09:00:00+02:00"


@pytest.mark.parametrize("unit", UNITS)
def test_a_deadline_is_told_in_the_zone_of_the_calendar(unit: str) -> None:
	assert due_at(at("2025-06-11 18:00", TOKYO), 1, unit, OFFICE).tzinfo is BERLIN


@pytest.mark.parametrize("unit", UNITS)
def test_a_deadline_before_its_start_is_refused(unit: str) -> None:
	with pytest.raises(ValueError, match="before its start"):
		due_at(at("2025-06-11 10:00"), -0.001, unit, OFFICE)


@pytest.mark.parametrize("unit", ["Weeks", "working hours", ""])
def test_an_unknown_unit_is_refused(unit: str) -> None:
	with pytest.raises(ValueError, match="unknown unit"):
		due_at(at("2025-06-11 10:00"), 1, unit, OFFICE)


def test_real_time_goes_on_over_a_change_of_the_clocks() -> None:
	end = real_time_later(at("2025-10-26 00:00"), timedelta(hours=24), OFFICE)
	assert end.isoformat() == "2025-10-26T23:00:00+01:00"
	assert end.tzinfo is BERLIN


# When it warns


@pytest.mark.parametrize(
	("start", "due", "percent", "unit", "warns"),
	[
		("2025-06-11 10:00", "2025-06-11 14:00", 75, "Hours", "2025-06-11 13:00"),
		("2025-06-11 10:00", "2025-06-11 14:00", 75, "Working Hours", "2025-06-11 13:00"),
		# three working hours, two of them on Friday
		("2025-06-13 15:00", "2025-06-16 10:00", 50, "Working Hours", "2025-06-13 16:30"),
		("2025-06-13 15:00", "2025-06-17 15:00", 75, "Working Days", "2025-06-17 11:00"),
		("2025-06-13 15:00", "2025-06-17 15:00", 75, "Days", "2025-06-16 15:00"),
		("2025-06-11 10:00", "2025-06-11 10:30", 50, "Minutes", "2025-06-11 10:15"),
		# a real day of 25 hours
		("2025-10-25 12:00", "2025-10-26 12:00", 80, "Days", "2025-10-26 07:00"),
	],
)
def test_a_clock_warns_when_a_share_of_its_time_has_passed(
	start: str, due: str, percent: float, unit: str, warns: str
) -> None:
	assert warn_at(at(start), at(due), percent, unit, OFFICE) == at(warns)


@pytest.mark.parametrize("unit", UNITS)
def test_a_share_outside_nought_to_a_hundred_is_the_nearer_of_the_two(unit: str) -> None:
	start, due = at("2025-06-11 10:00"), at("2025-06-12 10:00")
	assert warn_at(start, due, -20, unit, OFFICE) == start
	assert warn_at(start, due, 0, unit, OFFICE) == start
	assert warn_at(start, due, 100, unit, OFFICE) == due
	assert warn_at(start, due, 250, unit, OFFICE) == due


@pytest.mark.parametrize("unit", UNITS)
def test_a_warning_is_told_in_the_zone_of_the_calendar(unit: str) -> None:
	start, due = at("2025-06-11 18:00", TOKYO), at("2025-06-12 18:00", TOKYO)
	assert warn_at(start, due, 50, unit, OFFICE).tzinfo is BERLIN


@settings(max_examples=100, deadline=None)
@given(STARTS, st.sampled_from(UNITS), st.integers(0, 40), st.integers(0, 99), st.integers(0, 100))
def test_a_clock_warns_between_its_start_and_its_deadline_and_later_for_a_larger_share(
	start: datetime, unit: str, within: int, percent: int, more: int
) -> None:
	due = due_at(start, within, unit, OFFICE)
	warns = warn_at(start, due, percent, unit, OFFICE)
	warns_later = warn_at(start, due, percent + more, unit, OFFICE)
	assert start <= utc(warns) <= utc(warns_later) <= utc(due)


@settings(max_examples=100, deadline=None)
@given(STARTS, st.sampled_from(["Working Hours", "Working Days"]), st.integers(0, 40), st.integers(0, 100))
def test_a_working_clock_warns_when_that_share_of_its_working_time_is_over(
	start: datetime, unit: str, within: int, percent: int
) -> None:
	due = due_at(start, within, unit, OFFICE)
	passed = OFFICE.elapsed(start, warn_at(start, due, percent, unit, OFFICE))
	assert passed == pytest.approx(OFFICE.elapsed(start, due) * percent / 100, abs=1)


# How its own time passes


@settings(max_examples=100, deadline=None)
@given(STARTS, st.sampled_from(UNITS), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_clocks_own_time_adds_up_over_any_cut(start: datetime, unit: str, first: int, second: int) -> None:
	middle = later(start, first, unit, OFFICE)
	end = later(middle, second, unit, OFFICE)
	assert spent(start, middle, unit, OFFICE) == first
	assert spent(start, end, unit, OFFICE) == first + second


@settings(max_examples=100, deadline=None)
@given(STARTS, st.sampled_from(UNITS), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_pause_moves_a_deadline_by_what_it_takes_of_the_clocks_own_time(
	start: datetime, unit: str, left: int, pause: int
) -> None:
	due = later(start, left, unit, OFFICE)
	ends = start + timedelta(seconds=pause)
	moved = later(due, spent(start, ends, unit, OFFICE), unit, OFFICE)
	assert spent(ends, moved, unit, OFFICE) == left


@pytest.mark.parametrize("unit", UNITS)
def test_no_time_passes_backwards(unit: str) -> None:
	assert spent(at("2025-06-11 12:00"), at("2025-06-11 11:00"), unit, OFFICE) == 0


# What state it is in


DUE = at("2025-06-11 12:00")
WARN = at("2025-06-11 11:00")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
	("now", "shown"),
	[
		(WARN - SECOND, "Running"),
		(WARN, "Warning"),
		(DUE - SECOND, "Warning"),
		(DUE, "Warning"),
		(DUE + SECOND, "Overdue"),
		(DUE + timedelta(days=5), "Overdue"),
	],
)
def test_a_running_clock_shows_what_time_has_made_of_it(now: datetime, shown: str) -> None:
	assert state("Running", WARN, DUE, now) == shown
	naive = [moment.replace(tzinfo=None) for moment in (WARN, DUE, now)]
	assert state("Running", *naive) == shown


@pytest.mark.parametrize(("now", "shown"), [(WARN, "Running"), (DUE, "Running"), (DUE + SECOND, "Overdue")])
def test_a_clock_that_does_not_warn_runs_until_it_is_overdue(now: datetime, shown: str) -> None:
	assert state("Running", None, DUE, now) == shown


@pytest.mark.parametrize(
	("now", "shown"),
	[
		(WARN - 2 * SECOND, "Paused"),
		(WARN - SECOND, "Running"),
		(WARN, "Warning"),
		(DUE + SECOND, "Overdue"),
	],
)
def test_a_paused_clock_runs_again_when_its_pause_is_over_though_no_job_has_run(
	now: datetime, shown: str
) -> None:
	assert state("Paused", WARN, DUE, now, paused_until=WARN - SECOND) == shown


@pytest.mark.parametrize("status", ["Met", "Missed", "Cancelled"])
def test_a_clock_that_does_not_run_keeps_its_status_whatever_the_time(status: str) -> None:
	for now in (WARN - SECOND, WARN, DUE, DUE + SECOND):
		assert state(status, WARN, DUE, now) == status


def test_a_clock_stopped_at_its_deadline_is_met_and_a_second_later_missed() -> None:
	assert final_status(DUE, DUE - SECOND) == "Met"
	assert final_status(DUE, DUE) == "Met"
	assert final_status(DUE, DUE + SECOND) == "Missed"


@settings(max_examples=50, deadline=None)
@given(st.integers(-7200, 7200))
def test_a_clock_is_missed_when_stopped_at_an_instant_at_which_it_is_overdue(seconds: int) -> None:
	now = DUE + timedelta(seconds=seconds)
	assert (final_status(DUE, now) == "Missed") == (state("Running", WARN, DUE, now) == "Overdue")


# What stops it


@pytest.mark.parametrize(
	("event", "clocks"),
	[
		("human touch", {"First Response", "First Touch After Acceptance"}),
		("triage decision", {"Triage"}),
		("handover decision", {"Handover Acceptance"}),
		("status moved", {"First Response"}),
	],
)
def test_what_happens_stops_the_clocks_that_waited_for_it(event: str, clocks: set[str]) -> None:
	assert set(STOPPED_BY[event]) == clocks


def test_no_clock_waits_for_two_different_things_unless_the_settings_say_so() -> None:
	always = {event: clocks for event, clocks in STOPPED_BY.items() if event != "status moved"}
	stopped = [clock for clocks in always.values() for clock in clocks]
	assert len(stopped) == len(set(stopped))
	assert set(stopped) == set(CLOCKS)


OUTCOMES = {
	None: True,
	"": True,
	"No Answer": True,
	"Left Message": True,
	"Connected": True,
	"Replied": True,
	"Positive": True,
	"Negative": True,
	"Meeting Booked": True,
	"Bounced": False,
	"Wrong Data": False,
}


@pytest.mark.parametrize(("outcome", "counts"), OUTCOMES.items())
def test_only_what_a_person_did_towards_the_lead_is_a_human_touch(outcome: str | None, counts: bool) -> None:
	statuses = ("Planned", "Done", "Skipped", "Missed", "Cancelled")
	human = {
		case
		for case in product(statuses, (False, True), ("Outbound",), ("Phone", "Email"))
		if is_human_touch(*case, outcome)
	}
	assert human == (
		{("Done", False, "Outbound", "Phone"), ("Done", False, "Outbound", "Email")} if counts else set()
	)


@pytest.mark.parametrize(
	("channel", "outcome", "counts"),
	[
		("Phone", "Connected", True),
		("Visit", "Positive", True),
		("Meeting", "Negative", True),
		("Phone", "Left Message", False),
		("Email", "Replied", False),
		("Phone", "Wrong Data", False),
	],
)
def test_a_conversation_that_the_lead_began_is_a_human_touch_and_its_mail_is_not(
	channel: str, outcome: str, counts: bool
) -> None:
	assert is_human_touch("Done", False, "Inbound", channel, outcome) is counts
	assert not is_human_touch("Done", True, "Inbound", channel, outcome)
