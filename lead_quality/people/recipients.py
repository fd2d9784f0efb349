"""Who can be notified about a lead: the user, the substitute, the managers above, and the last resort."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

import frappe
from frappe.utils.user import get_users_with_role

from lead_quality.base.notices import is_reachable
from lead_quality.people.absence import Absences
from lead_quality.people.managers import manager_of
from lead_quality.permissions import LAST_RESORTS, Sight


class People:
	"""Who can be told of some leads on a day. Each user, manager, role and last resort is looked up once."""

	def __init__(self, leads: Iterable[str], day: date, first_day: date | None = None):
		"""Days are those of the site's zone.

		:param day: the present one; in place of who is away then, somebody else is told.
		:param first_day: the first one of which it is asked who answers for something, by default `day`.
		"""
		self._sight = Sight(leads)
		self._day = day
		self._absences = Absences(min(day, first_day or day))
		self._known: dict[tuple, object] = {}

	def _ask(self, look_up: Callable, *about):
		key = (look_up, *about)
		if key not in self._known:
			self._known[key] = look_up(*about)
		return self._known[key]

	def can_be_told(self, user: str | None, lead: str) -> bool:
		"""Whether a user can be told anything, and may be told of this lead."""
		return (
			user is not None and user != "" and self._ask(is_reachable, user) and self._sight.of(user, lead)
		)

	def first_of(self, groups: Iterable[list], lead: str) -> list[str]:
		"""Of groups of users the first in which anybody can be told of the lead, and those in it who can."""
		for users in groups:
			told = [user for user in users if self.can_be_told(user, lead)]
			if told:
				return told
		return []

	def above(self, user: str | None) -> str | None:
		"""The manager of a user; see `manager_of`."""
		return self._ask(manager_of, user) if user else None

	def there(self, user: str | None) -> str | None:
		"""Who is told in a user's place: the user or a substitute who is there, else the next manager who is."""
		return self._ask(self._look_who_is_there, user)

	def _look_who_is_there(self, user: str | None) -> str | None:
		return self._absences.reachable(user, self._day, self.above)

	def manager(self, user: str | None) -> str | None:
		"""Who is told in the place of a user's manager: the next one above who is there or has a substitute, but
		neither the user nor who acts for the user."""
		own, passed = {user, self.there(user)}, set()
		above = self.above(user)
		while above and above not in passed:
			acting = self._absences.acting(above, self._day)
			if acting and acting not in own:
				return acting
			passed.add(above)
			above = self.above(above)
		return None

	def answerable(self, user: str | None, at: datetime, may_act: Callable[[str], bool]) -> str | None:
		"""See `Absences.answerable`."""
		return self._absences.answerable(user, at, may_act)

	def last_resorts(self, policy, segment: str | None) -> Iterator[list]:
		"""Who is told when nobody else is there: the policy's last resort, the fallback user, the segment's owner,
		every Lead Quality Manager, every System Manager. The first group in which anybody can be told counts."""
		yield [self.there(policy.escalate_to)] if policy else []
		yield [self.there(frappe.get_cached_doc("Lead Quality Settings").fallback_user)]
		yield (
			[self.there(frappe.get_cached_value("Lead Segment", segment, "segment_owner"))] if segment else []
		)
		for role in LAST_RESORTS:
			yield self.with_role(role)

	def with_role(self, role: str) -> list[str]:
		"""The users who have a role and are there; all who have it, if nobody is."""
		users = sorted(self._ask(get_users_with_role, role))
		return [user for user in users if not self._absences.is_away(user, self._day)] or users

	def told_by(
		self, step, user: str | None, acting: str | None, lead: str, policy, segment: str | None
	) -> list[str]:
		"""Who is told by a step of the ladder that tells somebody.

		:param user: who is responsible, or None.
		:param acting: who is told in the user's place today, or None.
		:returns: at least one user, as long as any is left who may know.
		"""
		users: list[str | None]
		if step.action == "Notify Owner":
			users = [acting]
		elif step.action == "Notify Manager":
			users = [self.manager(user)]
		else:
			users = [*self.with_role(step.role)]
		return self.first_of([users, *self.last_resorts(policy, segment)], lead)
