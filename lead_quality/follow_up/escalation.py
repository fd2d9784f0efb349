"""The escalation ladder: who is notified next when nobody has acted on a clock, and what is done with the lead."""

from datetime import datetime

import frappe
from frappe.utils import getdate

from lead_quality.engine.clock import PAUSED_BY_SNOOZE
from lead_quality.follow_up.service import cancel
from lead_quality.funnel.ownership import give_lead
from lead_quality.handover import pulling_back
from lead_quality.handover.service import AGREED_CLOCKS
from lead_quality.nurture.service import day_to_rest_until
from lead_quality.people.assignment import choose
from lead_quality.qualification.answering import answer

# the actions that change the lead; the others tell somebody
ACTIONS = frozenset({"Reassign", "Pull Back", "Recycle"})


def steps_of(policy, clock: str) -> list:
	"""The rows of a Follow Up Policy's ladder that count for a clock, in their order."""
	return [row for row in policy.escalations if row.clock in (None, "", clock)] if policy else []


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
	give_lead(doc, user)
	return user


def recycle(lead: str, outcome_reason: str, now: datetime):
	"""Return a lead to nurturing: it is snoozed until a working day in three months, and then comes back by itself.

	Nobody has triaged it or been in touch by that: its clocks are over without anybody having acted.

	:param now: naive instant in the site's zone.
	"""
	cancel(lead, ("Triage", *PAUSED_BY_SNOOZE), now)
	answer(
		lead,
		[],
		decision="Nurture",
		outcome_reason=outcome_reason,
		nurture_until=day_to_rest_until(frappe.get_doc("Lead", lead), getdate(now)),
	)


def carry_out(step, clock, now: datetime) -> str | None:
	"""Change a clock's lead as a step of the ladder says. Returns the user who has the lead by that, if it is another.

	Where the receiver of a handover has not acted, Pull Back and Recycle give the lead back to its sender. Else a lead
	that is pulled back goes to the pool, without an owner; one that is recycled stays with who owns it.

	:param now: naive instant in the site's zone.
	:raises frappe.ValidationError: if it cannot be done, with the reason.
	"""
	if step.action == "Reassign":
		return reassign(clock.lead, step.assignment_rule)
	if step.action == "Recycle":
		recycle(clock.lead, step.outcome_reason, now)
	if clock.clock in AGREED_CLOCKS:
		is_back = clock.reference_name and pulling_back.take_back(clock.reference_name, now)
		return frappe.db.get_value("Lead Handover", clock.reference_name, "from_user") if is_back else None
	if step.action == "Pull Back":
		lead = frappe.get_doc("Lead", clock.lead)
		if lead.lead_owner:
			give_lead(lead, None)
	return None
