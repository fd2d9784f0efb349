"""Up the ladder: who is told next when nobody has acted on a clock, and what is done about the lead."""

import frappe
from frappe import _
from frappe.utils import add_months, getdate
from frappe.utils.user import get_users_with_role

from lead_quality.notices import is_reachable
from lead_quality.qualification.service import answer

# the actions that change the lead; the others tell somebody
ACTIONS = frozenset({"Reassign", "Pull Back", "Recycle"})
# how many people above each other are tried before the last resort is told
HIGHEST = 20


def steps_of(policy, clock: str) -> list:
	"""The rows of a Follow Up Policy's ladder that count for a clock, in their order."""
	return [row for row in policy.escalations if row.clock in (None, "", clock)] if policy else []


def told_by(step, user: str | None, policy, segment: str | None, may_see) -> list[str]:
	"""Who is told by a step of the ladder that tells somebody.

	:param user: who is responsible, or None.
	:param may_see: whether a user may be told of this lead.
	:returns: at least one user, as long as any is left who may know.
	"""
	if step.action == "Notify Owner":
		users = [user]
	elif step.action == "Notify Manager":
		users = [manager_of(user)] if user else []
	else:
		users = get_users_with_role(step.role)
	return first_of([users], may_see) or first_of(last_resorts(policy, segment), may_see)


def first_of(groups: list[list[str]], may_see) -> list[str]:
	"""Of groups of users the first in which anybody can be told, and those in it who can."""
	for users in groups:
		told = [user for user in users if user and is_reachable(user) and may_see(user)]
		if told:
			return told
	return []


def last_resorts(policy, segment: str | None) -> list[list[str]]:
	"""Who is told when nobody else is there: the policy's last resort, the fallback user, the segment's owner, every
	Lead Quality Manager. The first group in which anybody can be told counts."""
	settings = frappe.get_cached_doc("Lead Quality Settings")
	owner = frappe.get_cached_value("Lead Segment", segment, "segment_owner") if segment else None
	return [
		[policy.escalate_to] if policy else [],
		[settings.fallback_user],
		[owner],
		sorted(get_users_with_role("Lead Quality Manager")),
	]


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
	employee = frappe.db.get_value("Employee", {"user_id": user, "status": "Active"}, "reports_to")
	while employee and len(users) < HIGHEST:
		above = frappe.db.get_value("Employee", employee, ["user_id", "reports_to"], as_dict=True)
		users.append(above.user_id)
		employee = above.reports_to
	return users


# what is done about the lead


def reassign(lead: str, assignment_rule: str) -> str:
	"""Give a lead to the user whom an Assignment Rule chooses. Returns that user.

	Whom the rule names but nobody can reach, and whose the lead is already, is passed by; the rule itself remembers
	who was last.

	:raises frappe.ValidationError: if the rule names nobody else.
	"""
	doc = frappe.get_doc("Lead", lead)
	rule = frappe.get_doc("Assignment Rule", assignment_rule)
	for _user in range(max(len(rule.users), 1)):
		user = rule.get_user(doc)
		if user and user != doc.lead_owner and is_reachable(user):
			rule.db_set("last_user", user)
			doc.lead_owner = user
			doc.save(ignore_permissions=True)
			return user
		if rule.rule == "Load Balancing":
			rule.users = [row for row in rule.users if row.user != user]
		rule.last_user = user
		if not rule.users:
			break
	frappe.throw(_("The Assignment Rule {0} names nobody else.").format(frappe.bold(assignment_rule)))


def recycle(lead: str, outcome_reason: str, now):
	"""Put a lead back to nurturing: it rests for three months and then comes back by itself.

	:param now: naive instant in the site's zone.
	"""
	answer(
		lead,
		[],
		decision="Nurture",
		outcome_reason=outcome_reason,
		nurture_until=add_months(getdate(now), 3),
	)
