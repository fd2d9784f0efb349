"""Absences: who is present on a day, and who substitutes for those who are away."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

ONE_DAY = timedelta(days=1)


class Absence(NamedTuple):
	"""A user is away from one day to another, both included; `substitute` is optional."""

	user: str
	from_date: date
	to_date: date
	substitute: str | None = None


def is_away(user: str, day: date, absences: Iterable[Absence]) -> bool:
	"""Whether a user is away on a day."""
	return _absence_of(user, day, absences) is not None


def present(user: str, day: date, absences: Iterable[Absence]) -> str | None:
	"""Who acts for a user on a day: the user, or else the substitute, or else the substitute's substitute, and so on.

	:returns: None if all of them are away, or if they substitute for each other in a circle.
	"""
	absences, passed = list(absences), set()
	acting: str | None = user
	while acting and acting not in passed:
		absence = _absence_of(acting, day, absences)
		if absence is None:
			return acting
		passed.add(acting)
		acting = absence.substitute
	return None


def last_day(user: str, day: date, absences: Iterable[Absence]) -> date | None:
	"""The last day of the absence that covers `day`, across adjoining absences; None if the user is present."""
	absences, last = list(absences), None
	while absence := _absence_of(user, day, absences):
		last = absence.to_date
		if last == date.max:
			break
		day = last + ONE_DAY
	return last


def _absence_of(user: str, day: date, absences: Iterable[Absence]) -> Absence | None:
	"""The absence that counts on a day. Of several, the one that began last; of those, the one that ends last."""
	on_that_day = [a for a in absences if a.user == user and a.from_date <= day <= a.to_date]
	return max(on_that_day, key=lambda a: (a.from_date, a.to_date, a.substitute or ""), default=None)
