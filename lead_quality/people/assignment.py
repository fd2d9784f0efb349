"""The user that an Assignment Rule chooses, among those who are available and may work on the lead."""

import frappe
from frappe import _

from lead_quality.base.notices import is_reachable
from lead_quality.people.absence import Absences, today
from lead_quality.permissions import may_be_given


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
	frappe.throw(_("The Assignment Rule {0} has no other available user.").format(frappe.bold(rule.name)))
