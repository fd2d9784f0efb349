"""When a step has fallen under its target."""

from datetime import date, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from lead_quality.engine.targets import BELOW, MET, PERIOD, UNKNOWN, cohort, is_to_be_told, judge

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(DAYS, st.integers(0, 400), st.integers(0, 90 * 86_400 - 1))
def test_every_lead_of_a_cohort_has_had_its_days_in_full_and_the_next_one_has_not(day, within, second):
	first, last = cohort(day, within)
	wait = timedelta(days=within or PERIOD)
	begins = datetime.combine(day, datetime.min.time())
	entered = datetime.combine(first, datetime.min.time()) + timedelta(seconds=second)

	assert entered + wait < begins
	assert datetime.combine(last + timedelta(days=2), datetime.min.time()) + wait > begins
	assert (last - first).days + 1 == PERIOD


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 10_000), st.integers(0, 60))
def test_a_step_is_below_if_fewer_leads_reached_it_than_the_rate_asks_for(part, more, rate, minimum):
	"""Rates in hundredths of a percent, as fractions: no rounding decides."""
	leads = part + more
	state = judge(part, leads, rate / 100, minimum)

	if leads == 0 or leads < minimum:
		assert state == UNKNOWN
	else:
		assert (state == BELOW) == (Fraction(part, leads) < Fraction(rate, 10_000))


@given(st.lists(st.sampled_from([BELOW, MET, UNKNOWN]), max_size=60))
def test_it_is_told_once_for_each_time_that_it_falls(states):
	stands, told = False, []
	for state in states:
		tells, stands = is_to_be_told(state, stands)
		told.append(tells)

	known = [(state, tells) for state, tells in zip(states, told, strict=True) if state != UNKNOWN]
	before = [MET, *(state for state, _tells in known)]
	assert [tells for _state, tells in known] == [
		state == BELOW and last == MET for last, (state, _tells) in zip(before, known, strict=False)
	]
	assert not any(tells for state, tells in zip(states, told, strict=True) if state == UNKNOWN)


@given(st.sampled_from([BELOW, MET, UNKNOWN]), st.booleans())
def test_asked_twice_it_is_told_once(state, stands):
	_tells, stands = is_to_be_told(state, stands)

	assert is_to_be_told(state, stands) == (False, stands)
