"""What was spent in a period, as much on each of its days, as far as it falls into other days, and in one currency."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Spend:
	"""An amount in its own currency that was spent on something from a day until another; both count."""

	amount: float
	currency: str | None
	from_date: date
	to_date: date

	@property
	def days(self) -> int:
		return (self.to_date - self.from_date).days + 1


@dataclass(frozen=True)
class Spent:
	"""A sum in one currency, and the currencies that had no rate on some day: then it is not the whole."""

	amount: float = 0
	unrated: frozenset[str] = frozenset()

	@property
	def known(self) -> float | None:
		"""The sum; None if a part of it is not known, as a part is no sum."""
		return None if self.unrated else self.amount


def spent_within(
	spends: Iterable[Spend],
	first: date | None,
	last: date | None,
	currency: str | None,
	rate_on: Callable[[str | None, date], float | None],
) -> Spent:
	"""What was spent from a day until another, both included; an end that is None is open.

	:param currency: that of the sum.
	:param rate_on: the rate into it from another currency on a day; None if there is none. A day is asked for once a
	    spend, as each day has its own rate.
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
	"""The first and last day of each month that has a day from `first` until `last`, cut to these."""
	months = []
	while first <= last:
		following = (first.replace(day=1) + timedelta(days=31)).replace(day=1)
		months.append((first, min(following - timedelta(days=1), last)))
		first = following
	return months
