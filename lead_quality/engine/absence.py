"""Who is there on a day, and who stands in for those who are not."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

ONE_DAY = timedelta(days=1)


class Absence(NamedTuple):
	"""A user is away from one day until another, both included; `substitute` stands in, if there is one."""

	user: str
	from_date: date
	to_date: date
	substitute: str | None = None


def is_away(user: str, day: date, absences: Iterable[Absence]) -> bool:
	"""Whether a user is away on a day."""
	return _absence_of(user, day, absences) is not None


def present(user: str, day: date, absences: Iterable[Absence]) -> str | None:
	"""Who acts for a user on a day: the user; else the substitute, or who stands in for that one, and so on.

	:returns: None if nobody of them is there, or if they stand in for each other in a circle.
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
	"""The last day on which a user is away who is so on `day`, over absences that adjoin; None for who is there."""
	absences, last = list(absences), None
	while absence := _absence_of(user, day, absences):
		last = absence.to_date
		if last == date.max:
			break
		day = last + ONE_DAY
	return last


def _absence_of(user: str, day: date, absences: Iterable[Absence]) -> Absence | None:
	"""The absence that counts on a day: of several, the one that began last, and of such the one that lasts longest."""
	on_that_day = [a for a in absences if a.user == user and a.from_date <= day <= a.to_date]
	return max(on_that_day, key=lambda a: (a.from_date, a.to_date, a.substitute or ""), default=None)
