"""Marketing spend: the part of it that falls into a period, in one currency.

A spend counts in equal parts for each of its days. Days are calendar days, of no time zone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Spend:
	"""An amount in its own currency, spent from `from_date` to `to_date`, both included."""

	amount: float
	currency: str | None
	from_date: date
	to_date: date

	@property
	def days(self) -> int:
		return (self.to_date - self.from_date).days + 1


@dataclass(frozen=True)
class Spent:
	"""A sum in one currency. `unrated` are the currencies without an exchange rate on some day: the sum lacks these days."""

	amount: float = 0
	unrated: frozenset[str] = frozenset()

	@property
	def known(self) -> float | None:
		"""The sum; None if an exchange rate is missing, as the rest would pass for the whole."""
		return None if self.unrated else self.amount


def spent_within(
	spends: Iterable[Spend],
	first: date | None,
	last: date | None,
	currency: str | None,
	rate_on: Callable[[str | None, date], float | None],
) -> Spent:
	"""The sum of what was spent from `first` to `last`, both included; None leaves that end open.

	A spend of 31 days counts 10/31 for ten of them; one in another currency is converted day by day.

	:param currency: the currency of the sum.
	:param rate_on: the exchange rate of a currency into that of the sum on a day; None if there is none. It is called once
	    for each day of each spend.
	"""
	amount, unrated = 0.0, set()
	for spend in spends:
		start = max(spend.from_date, first or spend.from_date)
		days = (min(spend.to_date, last or spend.to_date) - start).days + 1
		if days <= 0:
			continue
		if spend.currency and spend.currency == currency:
			amount += spend.amount * days / spend.days
			continue
		rates = [rate_on(spend.currency, start + timedelta(days=day)) for day in range(days)]
		if None in rates:
			unrated.add(spend.currency or "")
		amount += sum(spend.amount / spend.days * rate for rate in rates if rate is not None)
	return Spent(amount, frozenset(unrated))


def months_between(first: date, last: date) -> list[tuple[date, date]]:
	"""The months from `first` to `last`, each as its first and last day; the first and the last month are cut to these."""
	months = []
	while first <= last:
		following = (first.replace(day=1) + timedelta(days=31)).replace(day=1)
		months.append((first, min(following - timedelta(days=1), last)))
		first = following
	return months
