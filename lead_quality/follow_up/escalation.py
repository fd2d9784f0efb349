"""Up the ladder: who is told next when nobody has acted on a clock, and what is done about the lead."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

import frappe
from frappe import _
from frappe.utils import add_months, getdate
from frappe.utils.user import get_users_with_role

from lead_quality.absence import Absences, today
from lead_quality.engine.clock import PAUSED_BY_SNOOZE
from lead_quality.follow_up.service import cancel
from lead_quality.notices import is_reachable
from lead_quality.permissions import Sight, may_be_given
from lead_quality.qualification.service import answer

# the actions that change the lead; the others tell somebody
ACTIONS = frozenset({"Reassign", "Pull Back", "Recycle"})
# how many people above each other are tried before the last resort is told
HIGHEST = 20


def steps_of(policy, clock: str) -> list:
	"""The rows of a Follow Up Policy's ladder that count for a clock, in their order."""
	return [row for row in policy.escalations if row.clock in (None, "", clock)] if policy else []


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
		return bool(user) and self._ask(is_reachable, user) and self._sight.of(user, lead)

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
		"""Who is told in the place of a user's manager: the next one above who is there or has a substitute, but neither the
		user nor who acts for the user."""
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
		"""Who is told when nobody else is there: the policy's last resort, the fallback user, the segment's owner, every
		Lead Quality Manager, every System Manager. The first group in which anybody can be told counts."""
		yield [self.there(policy.escalate_to)] if policy else []
		yield [self.there(frappe.get_cached_doc("Lead Quality Settings").fallback_user)]
		yield (
			[self.there(frappe.get_cached_value("Lead Segment", segment, "segment_owner"))] if segment else []
		)
		for role in ("Lead Quality Manager", "System Manager"):
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
		if step.action == "Notify Owner":
			users = [acting]
		elif step.action == "Notify Manager":
			users = [self.manager(user)]
		else:
			users = self.with_role(step.role)
		return self.first_of([users, *self.last_resorts(policy, segment)], lead)


def manager_of(user: str) -> str | None:
	"""The nearest person above a user who can be told, by the tree of Sales Persons, else by Employee.reports_to.

	None if there is nobody above, or nobody but the user.
	"""
	return _nearest(_above_in_sales(user), user) or _nearest(_above_in_company(user), user)


def _nearest(users: list[str], user: str) -> str | None:
	return next((above for above in users if above and above != user and is_reachable(above)), None)


def _above_in_sales(user: str) -> list[str]:
	return frappe.db.sql_list(
		"""
		select e.user_id
		from `tabSales Person` own
		join `tabEmployee` self on self.name = own.employee
		join `tabSales Person` above on above.lft < own.lft and above.rgt > own.rgt
		join `tabEmployee` e on e.name = above.employee
		where self.user_id = %s and own.enabled = 1 and above.enabled = 1
		order by above.lft desc, own.name
		""",
		(user,),
	)


def _above_in_company(user: str) -> list[str]:
	users: list[str] = []
	# of somebody who has left, the last one counts
	employee = frappe.db.get_value("Employee", {"user_id": user}, "reports_to", order_by="status asc")
	while employee and len(users) < HIGHEST:
		above = frappe.db.get_value("Employee", employee, ["user_id", "reports_to"], as_dict=True)
		users.append(above.user_id)
		employee = above.reports_to
	return users


# what is done about the lead


def reassign(lead: str, assignment_rule: str) -> str:
	"""Give a lead to the user whom an Assignment Rule chooses, as its assignment and as its owner. Returns that user.

	Who cannot be reached, is away today or may not work on the lead, and whose the lead is already, is passed by; the
	rule itself remembers who was last.

	:raises frappe.ValidationError: if the rule is disabled, or names nobody else.
	"""
	doc = frappe.get_doc("Lead", lead)
	rule = frappe.get_doc("Assignment Rule", assignment_rule)
	user = choose(doc, rule)
	rule.users = [row for row in rule.users if row.user == user]
	rule.do_assignment(doc.as_dict())
	doc.reload()
	doc.lead_owner = user
	doc.save(ignore_permissions=True)
	return user


def choose(lead, rule) -> str:
	"""The user whom an Assignment Rule document chooses for a lead document; who was passed by is taken off `rule`,
	which is not saved.

	:raises frappe.ValidationError: if the rule is disabled, or names nobody else.
	"""
	day = today()
	absences = Absences(day)
	for _user in range(max(len(rule.users), 1) if not rule.disabled else 0):
		user = rule.get_user(lead)
		if (
			user
			and user != lead.lead_owner
			and is_reachable(user)
			and not absences.is_away(user, day)
			and may_be_given(lead, user)
		):
			return user
		if rule.rule == "Load Balancing":
			rule.users = [row for row in rule.users if row.user != user]
		rule.last_user = user
		if not rule.users:
			break
	frappe.throw(_("The Assignment Rule {0} names nobody else.").format(frappe.bold(rule.name)))


def recycle(lead: str, outcome_reason: str, now: datetime):
	"""Put a lead back to nurturing: it rests for three months and then comes back by itself.

	Nobody has triaged it or been in touch by that: its clocks are over without anybody having acted.

	:param now: naive instant in the site's zone.
	"""
	cancel(lead, ("Triage", *PAUSED_BY_SNOOZE), now)
	answer(
		lead,
		[],
		decision="Nurture",
		outcome_reason=outcome_reason,
		nurture_until=add_months(getdate(now), 3),
	)
