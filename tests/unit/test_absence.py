"""Who acts for whom on which day, against a walk from substitute to substitute and from day to day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_quality.engine.absence import Absence, is_away, last_day, present

pytestmark = pytest.mark.unit

START = date(2026, 12, 1)
DAYS = st.integers(0, 12)
USERS = st.sampled_from("abcd")


def day(number: int) -> date:
	return START + timedelta(days=number)


def absence(user: str, first: int, length: int, substitute: str | None = None) -> Absence:
	return Absence(user, day(first), day(first + length), substitute)


# as they are kept: those of one user do not overlap
@st.composite
def plans(draw) -> list[Absence]:
	found: list[Absence] = []
	for user, first, length, substitute in draw(
		st.lists(st.tuples(USERS, DAYS, st.integers(0, 4), st.none() | USERS), max_size=12)
	):
		new = absence(user, first, length, substitute if substitute != user else None)
		if not any(
			a.user == user and a.from_date <= new.to_date and a.to_date >= new.from_date for a in found
		):
			found.append(new)
	return found


def substitutes_on(some_day: date, absences: list[Absence]) -> dict[str, str | None]:
	"""The oracle: user to substitute, of all who are away on a day."""
	return {
		user: substitute
		for user, first, last, substitute in absences
		if some_day in {first + timedelta(days=n) for n in range((last - first).days + 1)}
	}


@given(USERS, DAYS, plans())
def test_who_acts_is_the_first_who_is_there_on_the_way_from_substitute_to_substitute(user, number, absences):
	away = substitutes_on(day(number), absences)
	acting, steps = user, 0
	while acting in away and steps <= len(away):
		acting, steps = away[acting], steps + 1
	expected = None if acting in away else acting
	assert present(user, day(number), absences) == expected
	assert is_away(user, day(number), absences) == (user in away)


@given(USERS, DAYS, plans(), st.randoms())
def test_the_order_in_which_absences_are_read_does_not_matter(user, number, absences, random):
	shuffled = random.sample(absences, len(absences))
	assert present(user, day(number), shuffled) == present(user, day(number), absences)
	assert last_day(user, day(number), shuffled) == last_day(user, day(number), absences)


@given(USERS, DAYS, plans())
def test_the_last_day_away_is_the_one_before_the_first_day_back(user, number, absences):
	expected, walked = None, day(number)
	while user in substitutes_on(walked, absences):
		expected, walked = walked, walked + timedelta(days=1)
	assert last_day(user, day(number), absences) == expected


def test_of_overlapping_absences_the_one_that_began_last_counts():
	absences = [absence("a", 0, 9, "b"), absence("a", 3, 1, "c")]
	assert [present("a", day(n), absences) for n in (2, 3, 5)] == ["b", "c", "b"]


def test_who_is_away_until_the_end_of_the_calendar_is_so():
	assert last_day("a", START, [Absence("a", START, date.max)]) == date.max
