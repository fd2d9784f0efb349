"""Old and imported leads waiting for a decision, taken up by segment from the form of the segment."""

import frappe
from frappe import _

from lead_quality.follow_up import backlog
from lead_quality.qualification.reasons import is_reason_for


@frappe.whitelist()
def waiting(segment: str) -> int:
	"""How many leads of a segment wait for a decision, as far as the user may see them."""
	frappe.has_permission("Lead Segment", "read", throw=True)
	return len(backlog.waiting_leads(segment))


@frappe.whitelist(methods=["POST"])
def take_up(segment: str, decision: str = "Watch", reason: str | None = None) -> dict:
	"""Decide about the leads of a segment that wait, in the background.

	:param decision: Watch (they are told of like any other from now on), Enroll (they also go on the segment's cadence),
	    or Disqualify, with a Lead Outcome Reason for that.
	:returns: how many `leads` wait.
	"""
	frappe.has_permission("Lead Segment", "write", throw=True)
	frappe.has_permission("Lead", "write", throw=True)
	if decision not in backlog.DECISIONS:
		frappe.throw(_("Choose what to do with the leads: Watch, Enroll or Disqualify."))
	if decision == backlog.DISQUALIFY and not (reason and is_reason_for(reason, "Disqualify", None)):
		frappe.throw(_("Choose one of the reasons to disqualify."), frappe.MandatoryError)
	count = waiting(segment)
	frappe.enqueue(
		"lead_quality.follow_up.backlog.take_up_segment",
		queue="long",
		timeout=backlog.LONGEST,
		job_id=f"lead_quality_take_up:{segment}",
		deduplicate=True,
		enqueue_after_commit=True,
		segment=segment,
		decision=decision,
		reason=reason,
		user=frappe.session.user,
	)
	return {"leads": count}
