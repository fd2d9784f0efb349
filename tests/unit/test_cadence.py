"""Which touch comes next and when, against examples and against the calendar on the wall."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.engine.cadence import Move, Oddity, Step, due_at, next_move, odd_steps, shift, skip_closed
from lead_quality.engine.working_time import WorkingCalendar

pytestmark = pytest.mark.unit

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
TOKYO = ZoneInfo("Asia/Tokyo")
ZONES = [BERLIN, NEW_YORK, KOLKATA, TOKYO]
HOURS = [(time(9), time(17))]
WEEK = dict.fromkeys(range(5), HOURS)
OFFICES = {zone: WorkingCalendar(WEEK, (), zone) for zone in ZONES}
OFFICE = OFFICES[BERLIN]
ALL_DAY = [(time.min, time.max)]
ALWAYS = WorkingCalendar(dict.fromkeys(range(7), ALL_DAY), (), BERLIN)
UNITS = ["Minutes", "Hours", "Working Hours", "Days", "Working Days", "Weeks", "Months"]
OUTCOMES = [
	None,
	"",
	"No Answer",
	"Left Message",
	"Connected",
	"Replied",
	"Positive",
	"Negative",
	"Meeting Booked",
	"Bounced",
	"Wrong Data",
]


def at(text: str, zone: tzinfo = BERLIN) -> datetime:
	return datetime.fromisoformat(text).replace(tzinfo=zone)


def utc(moment: datetime) -> datetime:
	"""In UTC, where two datetimes compare as instants; within one zone Python compares their wall clocks."""
	return moment.astimezone(timezone.utc)


def step(
	unit: str = "Working Days", delay: int = 1, anchor: str = "Enrollment", repeat_every: int = 0
) -> Step:
	return Step("call", "Phone", anchor, delay, unit, repeat_every)


# Which step comes next


CALL, MAIL, VISIT = Step("call", "Phone"), Step("mail", "Email"), Step("visit", "Visit")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_steps_follow_each_other_until_the_lead_says_no(outcome: str | None) -> None:
	moves = [next_move([CALL, MAIL, VISIT], done, outcome) for done in range(3)]
	if outcome == "Negative":
		assert moves == [Move("Stop")] * 3
	else:
		assert moves == [Move("Step", 1), Move("Step", 2), Move("Finish")]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_step_that_finishes_on_a_yes_goes_on_after_anything_else(outcome: str | None) -> None:
	steps = [Step("call", "Phone", on_positive="Finish", on_negative="Continue"), MAIL]
	finished = outcome in ("Positive", "Meeting Booked")
	assert next_move(steps, 0, outcome) == (Move("Finish") if finished else Move("Step", 1))


def test_a_step_may_go_on_after_a_no() -> None:
	steps = [Step("call", "Phone", on_negative="Continue"), MAIL]
	assert next_move(steps, 0, "Negative") == Move("Step", 1)
	assert next_move(steps[:1], 0, "Negative") == Move("Finish")


def test_the_last_step_repeats_for_ever_if_it_says_so() -> None:
	steps = [CALL, step("Months", 1, repeat_every=1)]
	done = 1
	for _ in range(500):
		move = next_move(steps, done, "No Answer")
		assert move == Move("Repeat", 1)
		done = move.index or 0


def test_a_no_or_a_yes_ends_a_repeating_step() -> None:
	steps = [Step("call", "Phone", repeat_every=1, on_positive="Finish")]
	assert next_move(steps, 0, "Negative") == Move("Stop")
	assert next_move(steps, 0, "Positive") == Move("Finish")


def test_only_the_last_step_repeats() -> None:
	assert next_move([step(repeat_every=1), MAIL], 0, None) == Move("Step", 1)


@given(
	st.lists(st.sampled_from(["Phone", "Email", "Visit"]), min_size=1, max_size=6),
	st.sets(st.sampled_from(["Phone", "Email", "Visit"])),
	st.integers(0, 5),
	st.booleans(),
)
def test_the_next_open_step_is_the_first_one_left_that_the_person_has_not_closed(
	channels: list[str], closed: set[str], start: int, repeats: bool
) -> None:
	start = min(start, len(channels) - 1)
	steps = [Step(str(number), channel) for number, channel in enumerate(channels)]
	move, passed = skip_closed(steps, Move("Step", start), closed)
	open_steps = [index for index in range(start, len(channels)) if channels[index] not in closed]
	assert move == (Move("Step", open_steps[0]) if open_steps else Move("Closed"))
	assert list(passed) == list(range(start, open_steps[0] if open_steps else len(channels)))
	if repeats and channels[-1] in closed:
		assert skip_closed(steps, Move("Repeat", len(channels) - 1), closed) == (Move("Closed"), ())


@pytest.mark.parametrize("move", [Move("Finish"), Move("Stop"), Move("Step", 0), Move("Repeat", 2)])
def test_nothing_is_passed_over_where_no_channel_is_closed(move: Move) -> None:
	assert skip_closed([CALL, MAIL, VISIT], move, ()) == (move, ())


def test_every_plan_ends_or_goes_on_to_a_step_that_it_has() -> None:
	for count, repeat_every, on_positive, on_negative, outcome in product(
		(1, 2, 3), (0, 2), ("Continue", "Finish"), ("Stop", "Continue"), OUTCOMES
	):
		kinds = Step(
			"s", "Phone", repeat_every=repeat_every, on_positive=on_positive, on_negative=on_negative
		)
		for done in range(count):
			move = next_move([kinds] * count, done, outcome)
			if move.kind in {"Finish", "Stop"}:
				assert move.index is None
			else:
				assert move.index == {"Step": done + 1, "Repeat": count - 1}[move.kind]
				assert 0 <= move.index < count


# When a step is due


@pytest.mark.parametrize(
	("start", "amount", "unit", "end"),
	[
		("2025-01-31 10:00", 1, "Months", "2025-02-28 10:00"),
		("2024-01-31 10:00", 1, "Months", "2024-02-29 10:00"),
		("2024-02-29 10:00", 12, "Months", "2025-02-28 10:00"),
		("2024-02-29 10:00", 48, "Months", "2028-02-29 10:00"),
		("2025-01-31 10:00", 2, "Months", "2025-03-31 10:00"),
		("2025-12-31 10:00", 2, "Months", "2026-02-28 10:00"),
		("2024-02-28 10:00", 1, "Days", "2024-02-29 10:00"),
		("2025-02-28 10:00", 1, "Days", "2025-03-01 10:00"),
		("2025-06-11 10:00", 2, "Weeks", "2025-06-25 10:00"),
		("2025-06-13 10:00", 1, "Working Days", "2025-06-16 10:00"),
		("2025-06-14 10:00", 1, "Working Days", "2025-06-17 09:00"),
		("2025-06-13 16:00", 2, "Working Hours", "2025-06-16 10:00"),
		("2025-06-13 16:00", 2, "Hours", "2025-06-13 18:00"),
		("2025-06-13 16:00", 2, "Minutes", "2025-06-13 16:02"),
	],
)
def test_a_delay_is_counted_by_its_unit(start: str, amount: int, unit: str, end: str) -> None:
	assert shift(at(start), amount, unit, OFFICE) == at(end)


@pytest.mark.parametrize(("unit", "amount"), [("Minutes", 120), ("Hours", 2)])
def test_minutes_and_hours_are_real_time_when_the_clocks_change(unit: str, amount: int) -> None:
	end = shift(at("2025-03-30 01:30"), amount, unit, ALWAYS)
	assert end.isoformat() == "2025-03-30T04:30:00+02:00"
	end = shift(at("2025-10-26 01:30"), amount, unit, ALWAYS)
	assert end.isoformat() == "2025-10-26T02:30:00+01:00"


@pytest.mark.parametrize(
	("unit", "start", "end"),
	[
		("Days", "2025-03-29 10:00", "2025-03-30T10:00:00+02:00"),
		("Days", "2025-10-25 10:00", "2025-10-26T10:00:00+01:00"),
		("Weeks", "2025-03-26 10:00", "2025-04-02T10:00:00+02:00"),
		("Months", "2025-03-11 10:00", "2025-04-11T10:00:00+02:00"),
		("Working Days", "2025-03-29 10:00", "2025-03-30T10:00:00+02:00"),
	],
)
def test_days_weeks_and_months_keep_the_time_of_day_when_the_clocks_change(
	unit: str, start: str, end: str
) -> None:
	assert shift(at(start), 1, unit, ALWAYS).isoformat() == end


@pytest.mark.parametrize(
	("unit", "start", "end"),
	[
		# nine in the morning in Berlin on both days; India does not change its clocks
		("Days", "2025-03-28 13:30", "2025-03-29T09:00:00+01:00"),
		("Days", "2025-03-29 13:30", "2025-03-30T09:00:00+02:00"),
		("Weeks", "2025-03-27 13:30", "2025-04-03T09:00:00+02:00"),
		# 1 February in Kolkata is still 31 January in Berlin
		("Months", "2025-02-01 02:30", "2025-02-28T22:00:00+01:00"),
	],
)
def test_days_weeks_and_months_are_those_of_the_calendar_not_of_the_site(
	unit: str, start: str, end: str
) -> None:
	assert shift(at(start, KOLKATA), 1, unit, OFFICE).isoformat() == end


@pytest.mark.parametrize("unit", ["Years", "days", ""])
def test_an_unknown_unit_is_refused(unit: str) -> None:
	with pytest.raises(ValueError, match="unknown unit"):
		shift(at("2025-06-11 10:00"), 1, unit, OFFICE)


def test_a_touch_is_due_a_working_day_after_its_anchor() -> None:
	start = at("2025-06-13 10:30")
	assert due_at(step(), {"Enrollment": start}, OFFICE, start) == at("2025-06-16 10:30")


@pytest.mark.parametrize(
	"anchor", ["Enrollment", "Lead Created", "Handover Accepted", "Previous Touch", "Date Field"]
)
def test_a_touch_is_counted_from_the_anchor_of_its_step(anchor: str) -> None:
	names = ["Enrollment", "Lead Created", "Handover Accepted", "Previous Touch", "Date Field"]
	anchors = {name: at(f"2025-06-{9 + number:02} 10:00") for number, name in enumerate(names)}
	due = due_at(step("Minutes", 5, anchor), anchors, OFFICE, at("2025-06-01 10:00"))
	assert due == anchors[anchor] + timedelta(minutes=5)


def test_a_step_of_which_nothing_else_is_said_is_due_once_as_soon_as_the_office_is_open() -> None:
	anchors = {"Enrollment": at("2025-01-02 10:00"), "Previous Touch": at("2025-06-14 15:00")}
	assert due_at(CALL, anchors, OFFICE, at("2025-01-02 10:00")) == at("2025-06-16 09:00")
	assert next_move([CALL], 0, "Positive") == Move("Finish")


def test_not_even_a_fraction_of_a_second_lies_in_the_past() -> None:
	now = at("2025-06-11 10:00:00.500000")
	assert due_at(step("Days", 0), {"Enrollment": at("2025-06-11 09:00")}, OFFICE, now) == now


@pytest.mark.parametrize("anchors", [{}, {"Handover Accepted": None}])
def test_a_missing_anchor_falls_back_on_the_enrollment(anchors: dict[str, datetime | None]) -> None:
	start = at("2025-06-11 10:00")
	waiting = step("Hours", 1, "Handover Accepted")
	assert due_at(waiting, {"Enrollment": start, **anchors}, OFFICE, start) == at("2025-06-11 11:00")


def test_a_repeated_touch_is_counted_from_the_touch_before_by_its_own_interval() -> None:
	monthly = step("Months", 5, "Enrollment", repeat_every=1)
	anchors = {"Enrollment": at("2024-06-03 10:00"), "Previous Touch": at("2025-01-31 10:00")}
	due = due_at(monthly, anchors, OFFICE, at("2025-01-31 10:00"), repeated=True)
	assert due == at("2025-02-28 10:00")
	assert due_at(monthly, anchors, OFFICE, at("2024-06-03 10:00")) == at("2024-11-04 09:00")


@pytest.mark.parametrize("anchors", [{}, {"Previous Touch": None}])
def test_a_repeated_touch_without_one_before_falls_back_on_the_enrollment(
	anchors: dict[str, datetime | None],
) -> None:
	start = at("2025-06-11 10:00")
	weekly = step("Weeks", 1, repeat_every=2)
	due = due_at(weekly, {"Enrollment": start, **anchors}, OFFICE, start, repeated=True)
	assert due == at("2025-06-25 10:00")


def test_a_touch_whose_time_has_passed_is_due_now() -> None:
	now = at("2025-06-11 10:00")
	assert due_at(step("Days", 1), {"Enrollment": at("2025-01-02 10:00")}, OFFICE, now) == now
	saturday = at("2025-06-14 10:00")
	due = due_at(step("Days", 1), {"Enrollment": at("2025-01-02 10:00")}, OFFICE, saturday)
	assert due == at("2025-06-16 09:00")


@pytest.mark.parametrize(
	("start", "delay", "unit", "due"),
	[
		("2025-06-13 16:30", 1, "Hours", "2025-06-16 09:00"),
		("2025-06-13 07:00", 1, "Hours", "2025-06-13 09:00"),
		("2025-06-13 10:00", 1, "Days", "2025-06-16 09:00"),
		("2025-05-14 10:00", 1, "Months", "2025-06-16 09:00"),
		# closing time is not open any more
		("2025-06-11 09:00", 8, "Working Hours", "2025-06-12 09:00"),
		("2025-06-11 20:00", 1, "Working Days", "2025-06-13 09:00"),
	],
)
def test_a_touch_outside_the_hours_is_due_at_the_next_opening(
	start: str, delay: int, unit: str, due: str
) -> None:
	assert due_at(step(unit, delay), {"Enrollment": at(start)}, OFFICE, at(start)) == at(due)


def test_the_later_of_two_instants_in_the_doubled_hour_is_told_by_real_time() -> None:
	# both read 02:30 or so in Berlin; the first of the two comes an hour before the second
	first = at("2025-10-26 02:45")
	second = at("2025-10-26 02:15").replace(fold=1)
	assert utc(due_at(step("Minutes", 0), {"Enrollment": first}, ALWAYS, second)) == utc(second)
	assert utc(due_at(step("Minutes", 0), {"Enrollment": second}, ALWAYS, first)) == utc(second)


# What stays true


def months_later(day: date, months: int) -> date:
	year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
	return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def by_the_wall(start: datetime, amount: int, unit: str, zone: ZoneInfo) -> datetime:
	"""Where a delay in real time or in whole days ends, in UTC."""
	if unit in {"Minutes", "Hours"}:
		return utc(start) + timedelta(minutes=amount * {"Minutes": 1, "Hours": 60}[unit])
	wall = start.astimezone(zone)
	if unit == "Months":
		day = months_later(wall.date(), amount)
	else:
		day = date.fromordinal(wall.toordinal() + amount * {"Days": 1, "Weeks": 7}[unit])
	return utc(datetime.combine(day, wall.time().replace(fold=0), zone))


def opening_by_the_wall(moment: datetime, zone: ZoneInfo) -> datetime:
	"""The first instant of office hours at or after `moment`, in UTC."""
	wall = moment.astimezone(zone)
	day = wall.date()
	if wall.hour >= 17:
		day += timedelta(days=1)
	while day.weekday() > 4:
		day += timedelta(days=1)
	return max(utc(moment), utc(datetime.combine(day, time(9), zone)))


# Around a change of the clocks in Berlin and New York, a leap day, or anywhere in three years.
INSTANTS = st.builds(
	lambda day, seconds: datetime.combine(day, time(), timezone.utc) + timedelta(seconds=seconds),
	st.sampled_from(
		[date(2024, 2, 28), date(2025, 3, 8), date(2025, 3, 29), date(2025, 10, 25), date(2025, 11, 1)]
	)
	| st.dates(date(2024, 1, 1), date(2026, 12, 31)),
	st.integers(0, 2 * 86400),
)


@settings(max_examples=100, deadline=None)
@given(
	INSTANTS,
	INSTANTS,
	st.sampled_from(["Minutes", "Hours", "Days", "Weeks", "Months"]),
	st.integers(0, 60),
	st.sampled_from(ZONES),
	st.sampled_from(ZONES),
)
def test_a_due_time_agrees_with_the_calendar_on_the_wall(
	start: datetime, now: datetime, unit: str, delay: int, office: ZoneInfo, site: ZoneInfo
) -> None:
	anchors = {"Enrollment": start.astimezone(site)}
	due = due_at(step(unit, delay), anchors, OFFICES[office], now.astimezone(site))
	assert utc(due) == opening_by_the_wall(max(by_the_wall(start, delay, unit, office), now), office)


@settings(max_examples=100, deadline=None)
@given(INSTANTS, INSTANTS, st.sampled_from(UNITS), st.integers(0, 60), st.booleans(), st.sampled_from(ZONES))
def test_a_touch_is_never_due_in_the_past_nor_outside_the_hours(
	start: datetime, now: datetime, unit: str, amount: int, repeated: bool, office: ZoneInfo
) -> None:
	anchors = {"Enrollment": start, "Previous Touch": start}
	due = due_at(step(unit, amount, repeat_every=amount), anchors, OFFICES[office], now, repeated)
	wall = due.astimezone(office)
	assert utc(due) >= max(now, start)
	assert wall.weekday() < 5
	assert 9 <= wall.hour < 17


@settings(max_examples=100, deadline=None)
@given(INSTANTS, st.sampled_from(UNITS), st.integers(0, 30), st.integers(0, 30), st.sampled_from(ZONES))
def test_a_longer_delay_is_never_due_earlier(
	start: datetime, unit: str, delay: int, more: int, office: ZoneInfo
) -> None:
	anchors = {"Enrollment": start}
	due = due_at(step(unit, delay), anchors, OFFICES[office], start)
	assert utc(due_at(step(unit, delay + more), anchors, OFFICES[office], start)) >= utc(due)


# what looks like a mistake


def test_a_step_without_delay_after_another_is_odd_and_the_first_is_not():
	steps = [Step("a", "Phone"), Step("b", "Email", delay=2), Step("c", "Email"), Step("d", "Phone", delay=1)]
	assert odd_steps(steps) == [Oddity("No Delay", 2, 1)]


def test_two_steps_at_the_same_time_after_the_same_anchor_are_odd():
	steps = [
		Step("a", "Phone", anchor="Enrollment"),
		Step("b", "Email", anchor="Enrollment", delay_unit="Minutes"),
		Step("c", "Email", anchor="Enrollment", delay=2),
		Step("d", "Phone", anchor="Handover Accepted", delay=2),
		Step("e", "Phone", anchor="Enrollment", delay=2),
		Step("f", "Phone", anchor="Enrollment", delay=2, delay_unit="Days"),
		Step("g", "Phone", anchor="Date Field", date_field="x"),
		Step("h", "Phone", anchor="Date Field", date_field="y"),
	]
	assert odd_steps(steps) == [Oddity("Same Time", 1, 0), Oddity("Same Time", 4, 2)]


@given(
	st.lists(
		st.builds(
			Step,
			step=st.just("s"),
			channel=st.just("Phone"),
			anchor=st.sampled_from(["Enrollment", "Previous Touch", "Lead Created"]),
			delay=st.integers(0, 2),
			delay_unit=st.sampled_from(["Days", "Weeks"]),
		),
		max_size=6,
	)
)
def test_a_plan_is_odd_exactly_where_two_touches_fall_together(steps):
	anchored = {}
	expected = set()
	for index, step in enumerate(steps):
		if step.anchor == "Previous Touch":
			if index and step.delay == 0:
				expected.add(index)
			continue
		days = step.delay * (7 if step.delay_unit == "Weeks" else 1)
		if days in anchored.setdefault(step.anchor, set()):
			expected.add(index)
		anchored[step.anchor].add(days)
	assert {odd.index for odd in odd_steps(steps)} == expected
