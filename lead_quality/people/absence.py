"""Who is away and who substitutes: alerts go to somebody who is there."""

from collections.abc import Callable
from datetime import date, datetime

from frappe import _
from frappe.utils import format_date, get_fullname, getdate, nowdate

from lead_quality.base import query
from lead_quality.base.rows import insert_rows
from lead_quality.engine import absence as engine

# since when an absence (`a`) says what it says now: since it was changed, else since it was entered
STANDS_SINCE = """coalesce(
	(select max(past.stood_until) from `tabFollow Up Absence Log` past where past.absence = a.name), a.creation
)"""


class Absences:
	"""The absences that end on a day or later, read once. Days are those of the site's zone."""

	def __init__(self, first_day: date):
		rows = query.run(
			f"""
			select a.`user`, a.from_date, a.to_date, u.name, {STANDS_SINCE}, null
			from `tabFollow Up Absence` a left join `tabUser` u on u.name = a.substitute and u.enabled = 1
			where a.to_date >= %(first_day)s
			union all
			select a.`user`, a.from_date, a.to_date, u.name, a.stood_from, a.stood_until
			from `tabFollow Up Absence Log` a left join `tabUser` u on u.name = a.substitute and u.enabled = 1
			where a.to_date >= %(first_day)s
			""",
			{"first_day": first_day},
		)
		self._log = [(engine.Absence(*row[:4]), *row[4:]) for row in rows]
		self._rows = [absence for absence, _since, until in self._log if not until]

	def is_away(self, user: str, day: date) -> bool:
		"""Whether a user is away on a day."""
		return engine.is_away(user, day, self._rows)

	def acting(self, user: str | None, day: date) -> str | None:
		"""Who acts for a user on a day: the user or a substitute who is there; None if there is none."""
		return engine.present(user, day, self._rows) if user else None

	def answerable(self, user: str | None, at: datetime, may_act: Callable[[str], bool]) -> str | None:
		"""Who is responsible for what was to be done by `at` (naive, the site's zone): who stood in for the user by what stood
		then of absences, whatever has become of them since; else the user.

		:param may_act: whether a substitute could have done it.
		"""
		known = [
			absence
			for absence, stood_from, stood_until in self._log
			if stood_from <= at and (not stood_until or at < stood_until)
		]
		acting = engine.present(user, at.date(), known) if user else None
		return acting if acting and acting != user and may_act(acting) else user

	def reachable(self, user: str | None, day: date, above: Callable[[str], str | None]) -> str | None:
		"""Who is told on a day in a user's place: who acts for the user; else for the next manager who is there.

		:param above: gives a user's manager, or None.
		"""
		passed = set()
		while user and user not in passed:
			if acting := self.acting(user, day):
				return acting
			passed.add(user)
			user = above(user)
		return None

	def in_words(self, user: str, day: date) -> str | None:
		"""That a user is away, until when, and who stands in; None if the user is there."""
		last = engine.last_day(user, day, self._rows)
		if not last:
			return None
		words = _("{0} is away until {1}.").format(get_fullname(user), format_date(last))
		acting = self.acting(user, day)
		return f"{words} {_('{0} is covering.').format(get_fullname(acting))}" if acting else words


def log_previous_version(absence: str, now: datetime):
	"""Keep what an absence says, and since when, before it is changed or deleted.

	:param now: naive instant in the site's zone.
	"""
	row = query.run(
		f"""
		select name as absence, `user`, substitute, from_date, to_date, {STANDS_SINCE} as stood_from
		from `tabFollow Up Absence` a where name = %s
		""",
		(absence,),
		as_dict=True,
	)[0]
	insert_rows("Follow Up Absence Log", [{**row, "stood_until": now}], now)


def today() -> date:
	"""The present day in the site's zone."""
	return getdate(nowdate())


def substitute_of(user: str) -> str | None:
	"""Who stands in today for a user who is away; None for who is there, and if nobody does."""
	day = today()
	acting = Absences(day).acting(user, day)
	return acting if acting != user else None


def away_in_words(user: str) -> str | None:
	"""That a user is away today, until when, and who stands in; None if the user is there."""
	day = today()
	return Absences(day).in_words(user, day)
