"""Working time against examples a person can check, and against a walk through every quarter of an hour."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.engine.working_time import HORIZON, Era, NoWorkingTime, WorkingCalendar, half_day

pytestmark = pytest.mark.unit

Interval = tuple[time, time]

HOUR = 3600
QUARTER = timedelta(minutes=15)
OFFICE = [(time(9), time(17))]
WEEK = dict.fromkeys(range(5), OFFICE)
ALL_DAY = [(time.min, time.max)]
ALWAYS = dict.fromkeys(range(7), ALL_DAY)
UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")

# Each zone with the days around which its clocks do something, or are at a year's end or a leap day.
TURNING_POINTS = {
	"UTC": ["2024-02-28", "2025-12-31"],
	"Europe/Berlin": ["2025-03-29", "2025-10-25", "2023-12-30"],
	"America/New_York": ["2025-03-08", "2025-11-01", "2024-02-28"],
	"Asia/Kolkata": ["2024-02-28", "2025-12-30"],
	"Australia/Lord_Howe": ["2025-04-05", "2025-10-04"],
	"America/Sao_Paulo": ["2018-02-17", "2018-11-03"],
	"Africa/Casablanca": ["2025-02-22", "2025-04-05"],
	"America/Havana": ["2025-03-08", "2025-11-01"],
	"Pacific/Apia": ["2011-12-28", "2011-09-23", "2012-03-31"],
}


@dataclass(frozen=True)
class Hours:
	"""A calendar as plain data, from which both the product and the oracle are made."""

	weekly: Mapping[int, Sequence[Interval]]
	holidays: frozenset[date]
	zone: ZoneInfo
	special: Mapping[date, Sequence[Interval]]
	eras: Sequence[tuple[datetime, datetime, "Hours"]] = ()

	def calendar(self) -> WorkingCalendar:
		eras = [Era(start, end, hours.calendar()) for start, end, hours in self.eras]
		return WorkingCalendar(self.weekly, self.holidays, self.zone, self.special, eras)

	def is_open(self, at: datetime) -> bool:
		"""The definition, read off the clock on the wall."""
		for start, end, hours in self.eras:
			if start <= at < end:
				return hours.is_open(at)
		wall = at.astimezone(self.zone)
		day = wall.date()
		if day in self.special:
			intervals = self.special[day]
		else:
			intervals = () if day in self.holidays else self.weekly.get(day.weekday(), ())
		clock = wall.time()
		return any(opens <= clock < closes or closes == time.max == clock for opens, closes in intervals)

	def open_quarters(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
		"""Open quarters of an hour from `start` on, in UTC, the first one cut at `start`.

		Exact where hours and changes of the zone's offset fall on quarters, as they do in this file.
		"""
		at = start.astimezone(timezone.utc)
		while True:
			quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
			if self.is_open(quarter):
				yield at, quarter + QUARTER
			at = quarter + QUARTER

	def deadline(self, start: datetime, working_seconds: int) -> datetime:
		for begin, end in self.open_quarters(start):
			length = (end - begin) // timedelta(seconds=1)
			if length >= working_seconds:
				return begin + timedelta(seconds=working_seconds)
			working_seconds -= length
		raise AssertionError("the walk has no end")

	def elapsed(self, start: datetime, end: datetime) -> int:
		total = timedelta()
		for begin, finish in self.open_quarters(start):
			if begin >= end:
				break
			total += min(finish, end) - begin
		return total // timedelta(seconds=1)


def quarters(number: int) -> time:
	return time.max if number == 96 else time(number // 4, number % 4 * 15)


@st.composite
def intervals_of_a_day(draw: st.DrawFn, least: int = 0) -> list[Interval]:
	count = draw(st.integers(least, 3))
	marks = draw(
		st.lists(st.integers(0, 96), min_size=2 * count, max_size=2 * count, unique=True).map(sorted)
	)
	return [
		(quarters(opens), quarters(closes)) for opens, closes in zip(marks[::2], marks[1::2], strict=True)
	]


@st.composite
def hours_and_start(draw: st.DrawFn) -> tuple[Hours, datetime]:
	name = draw(st.sampled_from(sorted(TURNING_POINTS)))
	around = date.fromisoformat(draw(st.sampled_from(TURNING_POINTS[name])))
	near = st.integers(-2, 9).map(lambda days: around + timedelta(days=days))
	weekly = draw(st.dictionaries(st.integers(0, 6), intervals_of_a_day(), max_size=7))
	# One day is open for sure, so that the oracle's walk ends.
	weekly[draw(st.integers(0, 6))] = draw(intervals_of_a_day(least=1))
	midnight = datetime.combine(around, time.min, timezone.utc)
	marks = sorted(draw(st.lists(st.integers(-192, 576), max_size=4, unique=True)))
	eras = [
		(
			midnight + start * QUARTER,
			midnight + end * QUARTER,
			Hours(
				{draw(st.integers(0, 6)): draw(intervals_of_a_day(least=1)), **weekly}
				if draw(st.booleans())
				else {draw(st.integers(0, 6)): draw(intervals_of_a_day(least=1))},
				draw(st.frozensets(near, max_size=3)),
				ZoneInfo(name),
				{},
			),
		)
		for start, end in zip(marks[::2], marks[1::2], strict=False)
	]
	hours = Hours(
		weekly,
		draw(st.frozensets(near, max_size=3)),
		ZoneInfo(name),
		draw(st.dictionaries(near, intervals_of_a_day(), max_size=2)),
		eras,
	)
	seconds = draw(st.integers(-86400, 4 * 86400) | st.integers(-96, 4 * 96).map(lambda count: count * 900))
	return hours, midnight + timedelta(seconds=seconds)


def at(text: str, zone: tzinfo = BERLIN) -> datetime:
	return datetime.fromisoformat(text).replace(tzinfo=zone)


def utc(moment: datetime) -> datetime:
	"""In UTC, where two datetimes compare as instants; within one zone Python compares their wall clocks."""
	return moment.astimezone(timezone.utc)


def week(zone: str | ZoneInfo = BERLIN, *holidays: str) -> WorkingCalendar:
	return WorkingCalendar(WEEK, {date.fromisoformat(day) for day in holidays}, zone)


# Time that has passed

CHRISTMAS_2026 = at("2026-12-28T09:00")


def test_a_holiday_that_has_passed_stays_one_when_the_calendar_gets_the_holidays_of_the_next_year() -> None:
	before = week(BERLIN, "2026-12-25")
	after = WorkingCalendar(
		WEEK, {date(2027, 1, 1)}, BERLIN, eras=[Era(at("2026-01-01"), CHRISTMAS_2026, before)]
	)
	start = at("2026-12-23T09:00")
	assert before.deadline(start, 40 * HOUR) == after.deadline(start, 40 * HOUR) == at("2026-12-30T17:00")
	assert after.elapsed(start, CHRISTMAS_2026) == 16 * HOUR
	assert week(BERLIN, "2027-01-01").deadline(start, 40 * HOUR) == at("2026-12-29T17:00")


def test_hours_that_change_at_noon_count_from_noon_on() -> None:
	noon = at("2025-03-03T12:00")
	before = WorkingCalendar({0: [(time(9), time(17))]}, (), BERLIN)
	after = WorkingCalendar(
		{0: [(time(8), time(14))]}, (), BERLIN, eras=[Era(at("2025-01-01"), noon, before)]
	)
	assert after.elapsed(at("2025-03-03T00:00"), at("2025-03-04T00:00")) == 5 * HOUR
	assert after.next_opening(at("2025-03-03T07:00")) == at("2025-03-03T09:00")
	assert after.next_opening(at("2025-03-10T07:00")) == at("2025-03-10T08:00")


def test_a_calendar_that_moves_to_another_zone_keeps_the_hours_that_have_passed() -> None:
	moved = at("2025-03-04T00:00", UTC)
	after = WorkingCalendar(WEEK, (), NEW_YORK, eras=[Era(at("2025-01-01"), moved, week(BERLIN))])
	assert after.elapsed(at("2025-03-03T00:00", UTC), moved) == 8 * HOUR
	assert after.next_opening(at("2025-03-03T00:00", UTC)) == at("2025-03-03T08:00", UTC)
	assert after.next_opening(moved) == at("2025-03-04T09:00", NEW_YORK)


@pytest.mark.parametrize(
	"spans",
	[
		[("2025-03-04", "2025-03-03")],
		[("2025-03-03", "2025-03-03")],
		[("2025-03-03", "2025-03-05"), ("2025-03-04", "2025-03-06")],
	],
)
def test_eras_that_make_no_sense_are_refused(spans: list[tuple[str, str]]) -> None:
	with pytest.raises(ValueError, match="eras"):
		WorkingCalendar(WEEK, (), BERLIN, eras=[Era(at(start), at(end), week()) for start, end in spans])


def test_calendars_differ_only_where_they_are_open_at_other_times() -> None:
	this, other = week(), week(BERLIN, "2025-03-05", "2025-03-08")
	assert not this.differs(other, at("2025-03-01"), at("2025-03-05"))
	assert this.differs(other, at("2025-03-01"), at("2025-03-05T09:01"))
	assert not this.differs(other, at("2025-03-06"), at("2025-03-31"))


# What a person can check


def test_a_lead_created_saturday_afternoon_is_due_monday_morning() -> None:
	assert week().deadline(at("2025-06-14 15:00"), 2 * HOUR) == at("2025-06-16 11:00")


def test_a_lead_created_saturday_evening_is_due_monday_morning_too() -> None:
	assert week().deadline(at("2025-06-14 18:00"), 2 * HOUR) == at("2025-06-16 11:00")


@pytest.mark.parametrize(
	("start", "due"),
	[
		("2025-06-11 08:59:59", "2025-06-11 11:00:00"),
		("2025-06-11 09:00:00", "2025-06-11 11:00:00"),
		("2025-06-11 09:00:01", "2025-06-11 11:00:01"),
		("2025-06-11 15:00:00", "2025-06-11 17:00:00"),
		("2025-06-11 15:00:01", "2025-06-12 09:00:01"),
		("2025-06-11 16:59:59", "2025-06-12 10:59:59"),
		("2025-06-11 17:00:00", "2025-06-12 11:00:00"),
		("2025-06-11 17:00:01", "2025-06-12 11:00:00"),
		("2025-06-13 17:00:00", "2025-06-16 11:00:00"),
	],
)
def test_two_hours_run_right_at_the_edges_of_the_day(start: str, due: str) -> None:
	assert week().deadline(at(start), 2 * HOUR) == at(due)


def test_a_target_that_uses_up_the_day_is_due_at_closing_time() -> None:
	assert week().deadline(at("2025-06-11 09:00"), 8 * HOUR) == at("2025-06-11 17:00")
	assert week().deadline(at("2025-06-13 17:00"), 40 * HOUR) == at("2025-06-20 17:00")


def test_a_target_of_nothing_is_due_at_the_start_even_when_closed() -> None:
	assert week().deadline(at("2025-06-14 15:00"), 0) == at("2025-06-14 15:00")


def test_a_lead_created_on_a_holiday_is_due_on_the_next_working_day() -> None:
	calendar = week(BERLIN, "2025-06-09")
	assert calendar.deadline(at("2025-06-09 10:00"), 2 * HOUR) == at("2025-06-10 11:00")
	assert calendar.deadline(at("2025-06-06 16:00"), 2 * HOUR) == at("2025-06-10 10:00")


def test_a_run_of_holidays_longer_than_a_month_is_passed() -> None:
	closed = {date(2025, 7, 1) + timedelta(days=days) for days in range(45)}
	calendar = WorkingCalendar(WEEK, closed, BERLIN)
	assert calendar.deadline(at("2025-06-30 16:00"), 2 * HOUR) == at("2025-08-15 10:00")
	assert calendar.add_working_days(at("2025-06-30 16:00"), 1) == at("2025-08-15 16:00")
	assert calendar.elapsed(at("2025-06-30 16:00"), at("2025-08-15 10:00")) == 2 * HOUR


def test_a_holiday_on_a_weekend_changes_nothing() -> None:
	assert week(BERLIN, "2025-06-14").deadline(at("2025-06-13 16:00"), 2 * HOUR) == at("2025-06-16 10:00")


def test_a_lunch_break_does_not_count() -> None:
	calendar = WorkingCalendar({2: [(time(13), time(17)), (time(8), time(12))]}, (), BERLIN)
	assert calendar.deadline(at("2025-06-11 11:00"), 2 * HOUR) == at("2025-06-11 14:00")
	assert calendar.deadline(at("2025-06-11 11:00"), HOUR) == at("2025-06-11 12:00")
	assert not calendar.is_open(at("2025-06-11 12:30"))


def test_a_night_shift_runs_on_over_midnight() -> None:
	calendar = WorkingCalendar({0: [(time(22), time.max)], 1: [(time.min, time(6))]}, (), BERLIN)
	assert calendar.elapsed(at("2025-06-09 00:00"), at("2025-06-16 00:00")) == 8 * HOUR
	assert calendar.deadline(at("2025-06-09 23:00"), 2 * HOUR) == at("2025-06-10 01:00")
	assert calendar.deadline(at("2025-06-09 23:00"), HOUR) == at("2025-06-10 00:00")
	assert calendar.is_open(at("2025-06-10 00:00"))


def test_the_last_second_before_midnight_is_open_only_until_time_max() -> None:
	until_midnight = WorkingCalendar({0: [(time(22), time.max)]}, (), BERLIN)
	assert until_midnight.is_open(at("2025-06-09 23:59:59"))
	assert not until_midnight.is_open(at("2025-06-10 00:00:00"))
	assert until_midnight.elapsed(at("2025-06-09 22:00"), at("2025-06-10 08:00")) == 2 * HOUR
	until_a_second_before = WorkingCalendar({0: [(time(22), time(23, 59, 59))]}, (), BERLIN)
	assert until_a_second_before.elapsed(at("2025-06-09 22:00"), at("2025-06-10 08:00")) == 2 * HOUR - 1


def test_special_hours_win_over_the_weekday_and_over_a_holiday() -> None:
	eve = date(2025, 12, 24)
	for holidays in ((), (eve,)):
		calendar = WorkingCalendar(WEEK, holidays, BERLIN, {eve: [(time(9), time(13))]})
		assert calendar.elapsed(at("2025-12-24 00:00"), at("2025-12-25 00:00")) == 4 * HOUR
	closed = WorkingCalendar(WEEK, (), BERLIN, {eve: []})
	assert closed.next_opening(at("2025-12-24 10:00")) == at("2025-12-25 09:00")
	saturday = WorkingCalendar(WEEK, (), BERLIN, {date(2025, 6, 14): [(time(10), time(12))]})
	assert saturday.deadline(at("2025-06-13 17:00"), HOUR) == at("2025-06-14 11:00")


def test_the_leap_day_is_a_working_day() -> None:
	assert week().deadline(at("2024-02-28 16:00"), 2 * HOUR) == at("2024-02-29 10:00")
	assert week().elapsed(at("2024-02-01 00:00"), at("2024-03-01 00:00")) == 21 * 8 * HOUR


def test_the_turn_of_the_year_counts_like_any_other_night() -> None:
	assert week().deadline(at("2025-12-31 16:00"), 2 * HOUR) == at("2026-01-01 10:00")


def test_a_whole_year_has_its_261_working_days() -> None:
	assert week().elapsed(at("2025-01-01 00:00"), at("2026-01-01 00:00")) == 261 * 8 * HOUR


def test_the_deadline_is_told_in_the_zone_of_the_calendar() -> None:
	start = at("2025-06-11 23:00", ZoneInfo("Asia/Tokyo"))
	due = week(ZoneInfo("Asia/Kolkata")).deadline(start, HOUR)
	assert due.isoformat() == "2025-06-12T10:00:00+05:30"
	assert due.tzinfo is ZoneInfo("Asia/Kolkata")


def test_a_calendar_tells_its_zone() -> None:
	assert week("Europe/Berlin").zone is BERLIN


def test_fractions_of_a_second_are_cut() -> None:
	start = at("2025-06-11 09:59:59.900000")
	assert week().deadline(start, 1) == at("2025-06-11 10:00:00")
	assert week().elapsed(start, at("2025-06-11 10:00:00.100000")) == 1


# Daylight saving


def test_the_hour_missing_in_spring_is_not_worked() -> None:
	calendar = WorkingCalendar(ALWAYS, (), BERLIN)
	assert calendar.elapsed(at("2025-03-30 00:00"), at("2025-03-31 00:00")) == 23 * HOUR
	assert calendar.deadline(at("2025-03-30 01:30"), HOUR) == at("2025-03-30 03:30")


def test_the_hour_doubled_in_autumn_is_worked_twice() -> None:
	calendar = WorkingCalendar(ALWAYS, (), BERLIN)
	assert calendar.elapsed(at("2025-10-26 00:00"), at("2025-10-27 00:00")) == 25 * HOUR
	due = calendar.deadline(at("2025-10-26 01:30"), 2 * HOUR)
	assert (due.time(), due.fold) == (time(2, 30), 1)


def test_hours_that_fall_into_the_missing_hour_are_lost_that_day() -> None:
	calendar = WorkingCalendar({6: [(time(2), time(3))], 0: OFFICE}, (), BERLIN)
	assert calendar.next_opening(at("2025-03-30 00:00")) == at("2025-03-31 09:00")
	assert calendar.add_working_days(at("2025-03-24 10:00"), 1) == at("2025-03-31 10:00")
	assert calendar.elapsed(at("2025-10-26 00:00"), at("2025-10-27 00:00")) == 2 * HOUR


def test_a_time_in_the_missing_hour_is_read_with_the_offset_before_the_gap() -> None:
	calendar = WorkingCalendar(ALWAYS, (), BERLIN)
	assert calendar.add_working_days(at("2025-03-29 02:30"), 1) == at("2025-03-30 03:30")


def test_a_time_in_the_doubled_hour_is_read_as_its_first_occurrence() -> None:
	result = WorkingCalendar(ALWAYS, (), BERLIN).add_working_days(at("2025-10-25 02:30"), 1)
	assert (result.replace(tzinfo=None), result.fold) == (datetime(2025, 10, 26, 2, 30), 0)


def test_a_date_that_the_zone_skipped_is_no_working_day() -> None:
	calendar = week(APIA)
	assert calendar.deadline(at("2011-12-29 16:00", APIA), 2 * HOUR) == at("2012-01-02 10:00", APIA)
	assert calendar.add_working_days(at("2011-12-29 16:00", APIA), 1) == at("2012-01-02 16:00", APIA)


def test_a_date_that_was_lived_twice_is_one_working_day() -> None:
	zone = ZoneInfo("Pacific/Kwajalein")
	calendar = WorkingCalendar(ALWAYS, (), zone)
	# The first of the two was 30 September 1969; the clock went back a day at its end.
	assert calendar.elapsed(at("1969-09-30 00:00", zone), at("1969-10-01 00:00", zone)) > 24 * HOUR
	assert calendar.add_working_days(at("1969-09-29 10:00", zone), 2) == at("1969-10-01 10:00", zone)


def test_a_clock_set_back_over_midnight_reopens_the_day_before() -> None:
	zone = ZoneInfo("America/St_Johns")
	calendar = WorkingCalendar({5: [(time(22), time.max)]}, (), zone)
	# At 00:01 on Sunday 7 November 2010 it was 23:01 on Saturday again.
	assert calendar.elapsed(at("2010-11-06 12:00", zone), at("2010-11-07 12:00", zone)) == 2 * HOUR + 59 * 60
	assert calendar.add_working_days(at("2010-11-06 22:30", zone), 1) == at("2010-11-13 22:30", zone)


# Working days


@pytest.mark.parametrize(
	("start", "days", "result"),
	[
		("2025-06-11 10:30", 0, "2025-06-11 10:30"),
		("2025-06-11 20:00", 0, "2025-06-12 09:00"),
		("2025-06-14 10:30", 0, "2025-06-16 09:00"),
		("2025-06-11 10:30", 1, "2025-06-12 10:30"),
		("2025-06-13 10:30", 1, "2025-06-16 10:30"),
		("2025-06-11 07:00", 1, "2025-06-12 09:00"),
		("2025-06-11 20:00", 1, "2025-06-12 17:00"),
		("2025-06-11 17:00", 1, "2025-06-12 17:00"),
		("2025-06-14 15:00", 1, "2025-06-17 09:00"),
		("2025-06-11 10:30", 261, "2026-06-11 10:30"),
		("2025-12-31 10:30", 1, "2026-01-01 10:30"),
	],
)
def test_working_days_keep_the_time_of_day_within_opening_hours(start: str, days: int, result: str) -> None:
	assert week().add_working_days(at(start), days) == at(result)


def test_a_time_in_the_lunch_break_of_the_day_reached_moves_to_its_end() -> None:
	calendar = WorkingCalendar({2: OFFICE, 3: [(time(9), time(12)), (time(13), time(17))]}, (), BERLIN)
	assert calendar.add_working_days(at("2025-06-11 12:30"), 1) == at("2025-06-12 13:00")


def test_a_time_after_a_half_day_moves_to_its_closing_time() -> None:
	calendar = WorkingCalendar(WEEK, (), BERLIN, {date(2025, 12, 24): half_day(OFFICE)})
	assert calendar.add_working_days(at("2025-12-23 15:00"), 1) == at("2025-12-24 13:00")


def test_the_day_of_the_start_is_the_calendars_not_the_writers() -> None:
	# Friday evening in New York is Saturday in Berlin, where counting therefore begins on Monday.
	assert week().add_working_days(at("2025-06-13 20:00", NEW_YORK), 1) == at("2025-06-17 09:00")


# Opening


def test_opening_time_is_open_and_closing_time_is_not() -> None:
	calendar = week()
	assert calendar.is_open(at("2025-06-11 09:00"))
	assert calendar.is_open(at("2025-06-11 16:59:59"))
	assert not calendar.is_open(at("2025-06-11 17:00"))
	assert not calendar.is_open(at("2025-06-14 10:00"))


def test_the_next_opening_of_an_open_instant_is_itself() -> None:
	assert week().next_opening(at("2025-06-11 10:00")) == at("2025-06-11 10:00")
	assert week().next_opening(at("2025-06-11 17:00")) == at("2025-06-12 09:00")


@pytest.mark.parametrize(
	("intervals", "half"),
	[
		([], ()),
		(OFFICE, ((time(9), time(13)),)),
		([(time(13), time(17)), (time(8), time(12))], ((time(8), time(12)),)),
		([(time(8), time(12)), (time(13), time(15))], ((time(8), time(11)),)),
		([(time(8), time(10)), (time(12), time(18))], ((time(8), time(10)), (time(12), time(14)))),
		(ALL_DAY, ((time(0), time(12)),)),
		([(time(9), time(9, 0, 3))], ((time(9), time(9, 0, 1)),)),
	],
)
def test_half_a_day_is_the_first_half_of_its_working_time(
	intervals: list[Interval], half: tuple[Interval, ...]
) -> None:
	assert half_day(intervals) == half


# What is refused


@pytest.mark.parametrize("hours", [{}, {0: []}])
def test_a_calendar_without_a_working_day_is_refused(hours: dict[int, list[Interval]]) -> None:
	with pytest.raises(NoWorkingTime, match="no working day"):
		WorkingCalendar(hours, (), BERLIN, {date(2025, 12, 24): OFFICE})


def test_a_calendar_whose_dates_are_all_holidays_is_refused_when_asked() -> None:
	start = at("2025-06-11 10:00")
	closed = [start.date() + timedelta(days=days) for days in range(HORIZON.days + 30)]
	calendar = WorkingCalendar(WEEK, closed, BERLIN)
	with pytest.raises(NoWorkingTime, match="closed for more than"):
		calendar.deadline(start, 1)
	with pytest.raises(NoWorkingTime, match="closed for more than"):
		calendar.next_opening(start)
	with pytest.raises(NoWorkingTime, match="closed for more than"):
		calendar.add_working_days(start, 0)
	with pytest.raises(NoWorkingTime, match="closed for more than"):
		calendar.add_working_days(start, 1)
	assert calendar.elapsed(start, start + HORIZON) == 0
	assert not calendar.is_open(start)


def test_nine_years_of_holidays_are_passed() -> None:
	start = at("2025-06-11 10:00")
	closed = [start.date() + timedelta(days=days) for days in range(9 * 365)]
	calendar = WorkingCalendar(WEEK, closed, BERLIN)
	assert calendar.deadline(start, HOUR) == at("2034-06-09 10:00")
	assert calendar.next_opening(start) == at("2034-06-09 09:00")
	assert calendar.add_working_days(start, 1) == at("2034-06-12 09:00")


def test_a_target_past_the_end_of_time_is_refused_at_once() -> None:
	with pytest.raises(NoWorkingTime, match="past the year"):
		week().deadline(at("2025-06-11 10:00"), 10**15)
	with pytest.raises(NoWorkingTime, match="past the year"):
		week().add_working_days(at("2025-06-11 10:00"), 10**9)
	with pytest.raises(NoWorkingTime, match="past the year"):
		week().deadline(at("9996-12-31 17:00"), 365 * 24 * HOUR)


def test_years_at_the_edge_of_the_calendar_are_counted_and_those_beyond_refused() -> None:
	assert week().deadline(at("9996-12-30 16:00"), 2 * HOUR) == at("9996-12-31 10:00")
	assert week().add_working_days(at("0003-01-01 16:00", UTC), 1).year == 3
	for beyond in ("0001-01-01 00:00", "9999-12-31 23:59"):
		with pytest.raises(ValueError, match="years 3 to 9996"):
			week().is_open(at(beyond, UTC))


@pytest.mark.parametrize(
	"ask",
	[
		lambda calendar, naive, aware: calendar.deadline(naive, 1),
		lambda calendar, naive, aware: calendar.elapsed(naive, aware),
		lambda calendar, naive, aware: calendar.elapsed(aware, naive),
		lambda calendar, naive, aware: calendar.add_working_days(naive, 1),
		lambda calendar, naive, aware: calendar.is_open(naive),
		lambda calendar, naive, aware: calendar.next_opening(naive),
	],
)
def test_a_naive_datetime_is_refused(ask: Callable[[WorkingCalendar, datetime, datetime], object]) -> None:
	with pytest.raises(ValueError, match="timezone-aware"):
		ask(week(), datetime(2025, 6, 11, 10), at("2025-06-11 10:00"))


@pytest.mark.parametrize("amount", [-1, 1.5])
def test_a_target_that_is_negative_or_no_whole_number_is_refused(amount: int) -> None:
	with pytest.raises(ValueError, match="whole number"):
		week().deadline(at("2025-06-11 10:00"), amount)
	with pytest.raises(ValueError, match="whole number"):
		week().add_working_days(at("2025-06-11 10:00"), amount)


def test_time_elapsed_backwards_is_refused() -> None:
	with pytest.raises(ValueError, match="before start"):
		week().elapsed(at("2025-06-11 10:00"), at("2025-06-11 09:59:59"))


@pytest.mark.parametrize(
	("intervals", "message"),
	[
		([(time(9), time(9))], "open before they close"),
		([(time(17), time(9))], "open before they close"),
		([(time(22), time(0))], "open before they close"),
		([(time(9), time(13)), (time(12), time(17))], "overlap"),
		([(time(9), time(17)), (time(9), time(17))], "overlap"),
		([(time(9, 0, 0, 1), time(17))], "whole seconds"),
		([(time(9, tzinfo=timezone.utc), time(17, tzinfo=timezone.utc))], "zone of their own"),
	],
)
def test_hours_that_make_no_sense_are_refused(intervals: list[Interval], message: str) -> None:
	with pytest.raises(ValueError, match=message):
		WorkingCalendar({0: intervals}, (), BERLIN)
	with pytest.raises(ValueError, match=message):
		WorkingCalendar(WEEK, (), BERLIN, {date(2025, 12, 24): intervals})
	with pytest.raises(ValueError, match=message):
		half_day(intervals)


@pytest.mark.parametrize("weekday", [-1, 7])
def test_a_weekday_that_does_not_exist_is_refused(weekday: int) -> None:
	with pytest.raises(ValueError, match="weekday"):
		WorkingCalendar({weekday: OFFICE}, (), BERLIN)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(name: str) -> None:
	with pytest.raises(ValueError, match="unknown time zone"):
		week(name)


# What stays true


def test_adjacent_intervals_count_as_one() -> None:
	calendar = WorkingCalendar({2: [(time(12), time(17)), (time(9), time(12))]}, (), BERLIN)
	assert calendar.deadline(at("2025-06-11 11:00"), 2 * HOUR) == at("2025-06-11 13:00")


def test_a_calendar_keeps_its_hours_when_the_callers_data_change() -> None:
	hours = {0: [(time(9), time(17))]}
	holidays: set[date] = set()
	calendar = WorkingCalendar(hours, holidays, BERLIN)
	hours[0].clear()
	holidays.add(date(2025, 6, 16))
	assert calendar.next_opening(at("2025-06-14 10:00")) == at("2025-06-16 09:00")


def test_threads_that_share_a_calendar_get_the_same_answers() -> None:
	start = at("1900-01-01 00:00", UTC)
	starts = [start + timedelta(days=900 * number) for number in range(90)]
	shared, alone = week(), week()
	with ThreadPoolExecutor(4) as pool:
		assert list(pool.map(lambda moment: shared.deadline(moment, 50 * HOUR), starts * 2)) == [
			alone.deadline(moment, 50 * HOUR) for moment in starts * 2
		]


def test_two_years_agree_with_the_walk() -> None:
	hours = Hours(WEEK, frozenset({date(2025, 12, 25), date(2026, 5, 1)}), NEW_YORK, {})
	start, end = at("2025-01-17 11:11:11", NEW_YORK), at("2027-01-17 15:15:15", NEW_YORK)
	elapsed = hours.calendar().elapsed(start, end)
	assert elapsed == hours.elapsed(start, end)
	assert hours.calendar().deadline(start, elapsed - 1) == hours.deadline(start, elapsed - 1)


def test_every_second_of_a_night_with_a_change_agrees_with_the_clock_on_the_wall() -> None:
	hours = Hours(
		{6: [(time(1, 59, 58), time(2, 0, 2)), (time(2, 59, 57), time(3, 0, 3))]}, frozenset(), BERLIN, {}
	)
	calendar = hours.calendar()
	for begin in (at("2025-03-30 00:30", timezone.utc), at("2025-10-25 23:30", timezone.utc)):
		counted = 0
		for second in range(3 * HOUR):
			moment = begin + timedelta(seconds=second)
			assert calendar.elapsed(begin, moment) == counted
			assert calendar.is_open(moment) == hours.is_open(moment)
			counted += hours.is_open(moment)


@settings(max_examples=50, deadline=None)
@given(hours_and_start(), st.integers(1, 8 * HOUR))
def test_the_deadline_agrees_with_the_walk(case: tuple[Hours, datetime], seconds: int) -> None:
	hours, start = case
	calendar = hours.calendar()
	due = calendar.deadline(start, seconds)
	assert utc(due) == hours.deadline(start, seconds)
	assert due.tzinfo is hours.zone


@settings(max_examples=50, deadline=None)
@given(hours_and_start(), st.integers(0, 6 * 86400))
def test_elapsed_time_agrees_with_the_walk(case: tuple[Hours, datetime], length: int) -> None:
	hours, start = case
	end = start + timedelta(seconds=length)
	assert hours.calendar().elapsed(start, end) == hours.elapsed(start, end)


@settings(max_examples=50, deadline=None)
@given(hours_and_start())
def test_opening_agrees_with_the_walk(case: tuple[Hours, datetime]) -> None:
	hours, start = case
	calendar = hours.calendar()
	assert calendar.is_open(start) == hours.is_open(start)
	assert utc(calendar.next_opening(start)) == next(hours.open_quarters(start))[0]


@settings(max_examples=50, deadline=None)
@given(hours_and_start(), st.integers(1, 5))
def test_working_days_agree_with_the_walk(case: tuple[Hours, datetime], days: int) -> None:
	hours, start = case
	wall = start.astimezone(hours.zone)
	# Begun early enough to meet the start's own date from its first quarter on.
	open_on: dict[date, list[tuple[datetime, datetime]]] = {}
	for begin, end in hours.open_quarters(start - timedelta(days=2)):
		day = begin.astimezone(hours.zone).date()
		if day >= wall.date():
			open_on.setdefault(day, []).append((begin, end))
		if len(open_on) == days + 2:
			break
	first, target = next(iter(open_on)), list(open_on)[days]
	clock = wall if first == wall.date() else open_on[first][0][0].astimezone(hours.zone)
	wanted = datetime.combine(target, clock.time().replace(fold=0), hours.zone).astimezone(timezone.utc)
	quarters_left = [max(begin, wanted) for begin, end in open_on[target] if wanted < end]
	expected = quarters_left[0] if quarters_left else open_on[target][-1][1]
	assert utc(hours.calendar().add_working_days(start, days)) == expected


@settings(max_examples=50, deadline=None)
@given(hours_and_start(), st.integers(0, 50 * HOUR))
def test_exactly_the_target_has_elapsed_at_the_deadline_and_less_before(
	case: tuple[Hours, datetime], seconds: int
) -> None:
	hours, start = case
	calendar = hours.calendar()
	due = utc(calendar.deadline(start, seconds))
	assert due >= start
	assert calendar.elapsed(start, due) == seconds
	if seconds:
		assert calendar.elapsed(start, due - timedelta(seconds=1)) == seconds - 1


@settings(max_examples=50, deadline=None)
@given(hours_and_start(), st.integers(1, 40 * HOUR), st.integers(0, 40 * HOUR), st.integers(0, 3 * 86400))
def test_a_later_start_or_a_longer_target_is_never_due_earlier(
	case: tuple[Hours, datetime], seconds: int, more: int, later: int
) -> None:
	hours, start = case
	calendar = hours.calendar()
	due = utc(calendar.deadline(start, seconds))
	assert utc(calendar.deadline(start, seconds + more)) >= due
	assert utc(calendar.deadline(start + timedelta(seconds=later), seconds)) >= due


@settings(max_examples=50, deadline=None)
@given(hours_and_start(), st.integers(0, 800 * 86400), st.integers(0, 800 * 86400))
def test_the_parts_of_a_span_add_up_to_the_whole(
	case: tuple[Hours, datetime], first: int, second: int
) -> None:
	hours, start = case
	calendar = hours.calendar()
	middle = start + timedelta(seconds=first)
	end = middle + timedelta(seconds=second)
	assert calendar.elapsed(start, middle) + calendar.elapsed(middle, end) == calendar.elapsed(start, end)
