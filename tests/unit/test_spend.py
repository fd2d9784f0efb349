"""Spend is split by days, at the rate of each day; what has no rate is not known, and never nothing."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lead_quality.engine.spend import Spend, Spent, months_between, spent_within

DAYS = some.dates(date(2024, 1, 1), date(2026, 12, 31))
AMOUNTS = some.integers(1, 10**7).map(lambda cents: cents / 100)


@some.composite
def spends(draw, currencies=("CHF", "EUR")) -> Spend:
	start = draw(DAYS)
	end = start + timedelta(days=draw(some.integers(0, 400)))
	return Spend(draw(AMOUNTS), draw(some.sampled_from(currencies)), start, end)


def rate_on(currency, day: date) -> float | None:
	"""One that changes every day, and is missing on some."""
	return None if day.day == 13 else 1 + day.toordinal() % 7 / 10


def by_the_day(spend: Spend, first: date | None, last: date | None) -> tuple[float, bool]:
	"""The oracle: each day for itself."""
	amount, is_known, day = 0.0, True, spend.from_date
	while day <= spend.to_date:
		if (first is None or day >= first) and (last is None or day <= last):
			rate = 1.0 if spend.currency == "CHF" else rate_on(spend.currency, day)
			is_known = is_known and rate is not None
			amount += (rate or 0) * spend.amount / ((spend.to_date - spend.from_date).days + 1)
		day += timedelta(days=1)
	return amount, is_known


@given(some.lists(spends(), max_size=4), some.none() | DAYS, some.none() | DAYS)
def test_each_day_has_its_share_at_its_own_rate(found, first, last):
	expected = [by_the_day(spend, first, last) for spend in found]
	result = spent_within(found, first, last, "CHF", rate_on)
	assert result.amount == pytest.approx(sum(amount for amount, _known in expected))
	assert (result.known is None) == (not all(known for _amount, known in expected))


@given(spends(("CHF",)), DAYS, some.integers(0, 900))
def test_the_months_of_a_period_add_up_to_it(spend, first, length):
	last = first + timedelta(days=length)
	whole = spent_within([spend], first, last, "CHF", rate_on).amount
	months = months_between(first, last)
	parts = [spent_within([spend], *month, "CHF", rate_on).amount for month in months]
	assert sum(parts) == pytest.approx(whole)
	assert (months[0][0], months[-1][1]) == (first, last)
	for (start, end), (following, _end) in pairwise(months):
		assert following == end + timedelta(days=1) and following.day == 1
		assert (start.year, start.month) == (end.year, end.month)


@given(spends(("CHF",)))
def test_a_period_that_covers_all_days_has_the_whole_amount(spend):
	assert spent_within([spend], None, None, "CHF", rate_on).known == pytest.approx(spend.amount)
	day = spend.from_date - timedelta(days=1)
	assert spent_within([spend], None, day, "CHF", rate_on) == Spent()


def test_what_has_no_rate_is_missing_and_what_has_no_currency_too():
	day = date(2026, 3, 13)
	euros, unknown = Spend(90, "EUR", day, day), Spend(90, None, day, day)
	assert spent_within([euros], None, None, "CHF", rate_on).unrated == {"EUR"}
	assert spent_within([unknown], None, None, "CHF", rate_on).unrated == {""}
	assert spent_within([Spend(90, "CHF", day, day), euros], None, None, "CHF", rate_on).known is None


def test_no_month_lies_between_a_day_and_an_earlier_one():
	assert months_between(date(2026, 3, 2), date(2026, 3, 1)) == []
