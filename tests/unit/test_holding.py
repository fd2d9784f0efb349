"""Spans split by who held them, against a walk through every minute of the span."""

from collections import Counter
from datetime import datetime, time, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_quality.engine.holding import Holding, Piece, shares, split, time_held
from lead_quality.engine.working_time import WorkingCalendar

pytestmark = pytest.mark.unit

MINUTE = timedelta(minutes=1)
# summer time begins in Berlin two and a half hours later, between the two night shifts
BASE = datetime(2025, 3, 29, 22, 30, tzinfo=timezone.utc)
WORKING_HOURS = [(time(9), time(17))]
NIGHT_SHIFTS = [(time(0, 10), time(1, 50)), (time(3), time(3, 20))]
OFFICE = WorkingCalendar(dict.fromkeys(range(5), WORKING_HOURS), (), "Europe/Berlin")
SHIFTS = WorkingCalendar(dict.fromkeys(range(7), NIGHT_SHIFTS), (), "Europe/Berlin")


def at(minutes: int) -> datetime:
	return BASE + minutes * MINUTE


def hold(start: int, end: int, holder: str) -> Holding:
	return Holding(at(start), at(end), holder)


def real(start: datetime, end: datetime) -> int:
	return int((end - start).total_seconds())


MINUTES = st.integers(0, 400)
HOLDINGS = st.lists(st.builds(hold, MINUTES, MINUTES, st.sampled_from("abc")), max_size=5)
MEASURES = st.sampled_from([real, SHIFTS.elapsed, OFFICE.elapsed])


def holder_at(minute: datetime, holdings: list[Holding]) -> str | None:
	"""The oracle: who held it in one minute."""
	found = None
	for holding in holdings:
		if holding.start <= minute < holding.end and (found is None or holding.end < found.end):
			found = holding
	return found.holder if found else None


@given(MINUTES, MINUTES, HOLDINGS)
def test_every_minute_of_a_span_falls_to_who_held_it_then(start, end, holdings):
	pieces = split(at(start), at(end), holdings)
	walked = {minute: holder_at(at(minute), holdings) for minute in range(start, end)}
	assert {
		minute: piece.holder
		for piece in pieces
		for minute in range(start, end)
		if piece.start <= at(minute) < piece.end
	} == walked
	assert sum(real(piece.start, piece.end) for piece in pieces) == 60 * len(walked)


@given(MINUTES, MINUTES, HOLDINGS)
def test_pieces_adjoin_and_neighbours_differ(start, end, holdings):
	pieces = split(at(start), at(end), holdings)
	assert all(piece.start < piece.end for piece in pieces)
	for before, after in pairwise(pieces):
		assert before.end == after.start
		assert before.holder != after.holder


@given(MINUTES, MINUTES, HOLDINGS, MEASURES)
def test_time_held_is_that_of_each_holders_minutes_and_adds_up_to_the_whole(start, end, holdings, spent):
	seconds = time_held(at(start), at(end), holdings, spent)
	walked = Counter()
	for minute in range(start, end):
		walked[holder_at(at(minute), holdings)] += spent(at(minute), at(minute + 1))
	assert seconds == {holder: walked[holder] for holder in walked}
	assert sum(seconds.values()) == (spent(at(start), at(end)) if start < end else 0)


@given(MINUTES, MINUTES, HOLDINGS, MEASURES)
def test_shares_add_up_to_one_and_are_in_proportion_to_the_time_held(start, end, holdings, spent):
	found = shares(at(start), at(end), holdings, spent)
	seconds = time_held(at(start), at(end), holdings, spent)
	assert sum(found.values()) == pytest.approx(1 if start < end else 0)
	if total := sum(seconds.values()):
		assert found == {holder: part / total for holder, part in seconds.items() if part}


def test_what_nobody_holds_before_between_and_after_falls_to_nobody():
	assert split(at(0), at(100), [hold(60, 80, "b"), hold(10, 40, "a")]) == [
		Piece(at(0), at(10), None),
		Piece(at(10), at(40), "a"),
		Piece(at(40), at(60), None),
		Piece(at(60), at(80), "b"),
		Piece(at(80), at(100), None),
	]


def test_a_span_that_nobody_held_is_one_piece():
	assert split(at(0), at(100), [hold(100, 200, "a"), hold(-10, 0, "b")]) == [Piece(at(0), at(100), None)]


def test_of_two_holders_at_once_the_one_that_ends_first_counts():
	assert split(at(0), at(90), [hold(0, 90, "a"), hold(30, 60, "b")]) == [
		Piece(at(0), at(30), "a"),
		Piece(at(30), at(60), "b"),
		Piece(at(60), at(90), "a"),
	]


@pytest.mark.parametrize("end", [10, 5])
def test_a_span_that_ends_at_its_start_or_before_has_no_pieces_and_no_shares(end):
	assert split(at(10), at(end), [hold(0, 90, "a")]) == []
	assert shares(at(10), at(end), [hold(0, 90, "a")], real) == {}


def test_half_of_the_working_time_is_half_of_the_charge_whatever_the_night_between():
	# Friday 15:00 to 17:00 in Berlin with a, the weekend with nobody, Monday 9:00 to 11:00 with b
	friday, monday = (
		datetime(2025, 3, 28, 14, tzinfo=timezone.utc),
		datetime(2025, 3, 31, 9, tzinfo=timezone.utc),
	)
	holdings = [
		Holding(friday, friday + 3 * timedelta(hours=1), "a"),
		Holding(monday - timedelta(hours=3), monday, "b"),
	]
	assert shares(friday, monday, holdings, OFFICE.elapsed) == {"a": 0.5, "b": 0.5}
	assert None in shares(friday, monday, holdings, real)


def test_a_span_without_working_time_is_charged_to_who_held_it_last():
	assert shares(at(0), at(60), [hold(0, 30, "a")], OFFICE.elapsed) == {None: 1.0}
	assert shares(at(0), at(60), [hold(0, 30, "a"), hold(30, 90, "b")], OFFICE.elapsed) == {"b": 1.0}
