"""Which leads are wasted, and from which instant on a lead is old enough to be."""

from dataclasses import replace
from datetime import datetime, time, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.engine.waste import ACCEPTANCE, ENTRY, LeadFacts, latest_start, wasted_since
from lead_quality.engine.working_time import WorkingCalendar

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 13, 12, tzinfo=timezone.utc)  # a Friday
OFFICE = WorkingCalendar(
	{day: [(time(9), time(17))] for day in range(5)}, [NOW.date() - timedelta(days=3)], "UTC"
)


def days_ago(number: float) -> datetime:
	return NOW - timedelta(days=number)


OLD = LeadFacts(entered_at=days_ago(30))
BORDER = days_ago(5)


def wasted(**facts) -> str | None:
	return wasted_since(replace(OLD, **facts), BORDER, NOW)


def test_a_lead_that_nobody_did_anything_with_is_wasted_since_its_entry() -> None:
	assert wasted() == ENTRY


@pytest.mark.parametrize(
	"facts",
	[
		{"entered_at": days_ago(4)},
		{"last_touch_at": days_ago(1)},
		{"last_touch_at": days_ago(40)},
		{"decided_at": days_ago(2)},
		{"next_step_at": NOW + timedelta(hours=1)},
		{"is_pursued": True},
	],
	ids=str,
)
def test_a_lead_is_not_wasted_that_is_young_touched_decided_planned_or_pursued(facts: dict) -> None:
	assert wasted(**facts) is None


def test_a_step_that_was_due_is_no_step_before_it() -> None:
	assert wasted(next_step_at=NOW) == ENTRY


def test_what_was_done_before_sales_accepted_it_does_not_save_a_lead_afterwards() -> None:
	accepted = {"accepted_at": days_ago(10)}
	assert wasted(**accepted, last_touch_at=days_ago(11), decided_at=days_ago(12)) == ACCEPTANCE
	assert wasted(**accepted, last_touch_at=days_ago(10)) is None
	assert wasted(**accepted, decided_at=days_ago(9)) is None


def test_a_lead_that_sales_has_just_accepted_has_its_time_once_more() -> None:
	assert wasted(accepted_at=days_ago(1)) is None


def test_without_a_calendar_days_are_days() -> None:
	assert latest_start(NOW, 5, None) == days_ago(5)


def test_working_days_leave_out_nights_weekends_and_holidays() -> None:
	# Thursday, Wednesday and, as Tuesday is a holiday, Monday; the hour of the day is kept
	assert latest_start(NOW, 3, OFFICE) == datetime(2026, 3, 9, 12, tzinfo=timezone.utc)


@settings(max_examples=60, deadline=None)
@given(
	st.integers(0, 60 * 24 * 60),
	st.integers(0, 60 * 24 * 60),
	st.integers(1, 10),
	st.sampled_from([OFFICE, WorkingCalendar({2: [(time(10), time(11))]}, [], "Europe/Zurich")]),
)
def test_old_enough_is_whoever_began_by_the_border_and_nobody_else(
	start: int, now: int, days: int, calendar: WorkingCalendar
) -> None:
	at, until = NOW + timedelta(minutes=start), NOW + timedelta(days=20, minutes=now)
	is_due = calendar.add_working_days(at, days) <= until
	assert (at <= latest_start(until, days, calendar)) == is_due
