"""The panel on the Lead form: where the lead stands, and what is to be done next."""

import frappe
from frappe import _
from frappe.email.doctype.email_account.email_account import EmailAccount
from frappe.utils import getdate, now_datetime

from lead_quality.base.texts import as_typed
from lead_quality.desk import sheet
from lead_quality.follow_up import clocks, risks
from lead_quality.funnel.conditions import OPEN_ENROLLMENTS
from lead_quality.funnel.person import likely_duplicates
from lead_quality.handover import deciders
from lead_quality.nurture import incoming, planning
from lead_quality.nurture import service as nurture
from lead_quality.nurture.channels import wishes_of
from lead_quality.people.absence import away_in_words
from lead_quality.permissions import check_lead
from lead_quality.qualification import gate, priority
from lead_quality.qualification import service as qualification
from lead_quality.qualification.checklists import expected_checklist

DAYS_TO_SNOOZE = 45


def get_panel(lead: str) -> dict:
	"""What the panel on the Lead form shows, as far as the user may read it. Instants are naive, in the site's zone."""
	check_lead(lead)
	doc = frappe.get_doc("Lead", lead)
	panel = {"stage": doc.lq_stage, "segment": doc.lq_segment, "qualification": _open_judgement(doc)}
	panel.update({"next_touch": None, "clocks": [], "handover": None, "touches": []})
	if frappe.has_permission("Lead Qualification", "read"):
		judged = qualification.judge_now(lead)
		fields = ("name", "verdict", "reason", "horizon", "decision", "met_count", "criteria_count")
		panel["qualification"] = {f: judged.get(f) for f in fields} if judged else panel["qualification"]
	# what may not be read is not there, which is not the same as "nothing"
	panel["may_read"] = {d: bool(frappe.has_permission(d, "read")) for d in ("Lead Touch", "Follow Up Clock")}
	if panel["may_read"]["Lead Touch"]:
		panel["next_touch"] = _next_touch(lead)
		panel["touches"] = frappe.get_all(
			"Lead Touch",
			{"lead": lead, "status": "Done"},
			["name", "channel", "direction", "outcome", "done_at", "done_by", "note"],
			order_by="done_at desc",
			limit=5,
		)
		for touch in panel["touches"]:
			touch.note = as_typed(touch.note)
	if frappe.has_permission("Nurture Enrollment", "read"):
		panel["enrollment"] = frappe.db.get_value(
			"Nurture Enrollment",
			{"lead": lead, "status": ["in", OPEN_ENROLLMENTS]},
			["status", "snoozed_until", "snooze_reason"],
			as_dict=True,
		)
	panel["attention"] = risks.countdown(lead)
	panel["away"] = away_in_words(doc.lead_owner) if doc.lead_owner else None
	if panel["may_read"]["Follow Up Clock"]:
		panel["clocks"] = clocks.open_clocks(lead)
	if frappe.has_permission("Lead Handover", "read"):
		panel["handover"] = _open_handover(lead)
	enforced = [doctype for doctype in gate.GATED if gate.mode_of(doctype) == "Enforce"]
	overridden = [doctype for doctype in enforced if gate.open_override([lead], doctype, lock=False)]
	panel["overridden"] = overridden
	# of which documents the user may give leave for one
	may_override = frappe.has_permission("Gate Override", "create")
	panel["may_override"] = [d for d in enforced if d not in overridden] if may_override else []
	panel["profile"] = sheet.company_profile(doc)
	panel["absences"] = incoming.hints_for(doc, getdate(now_datetime()))
	panel["opt_outs"] = wishes_of(doc)
	panel["likely_duplicates"] = likely_duplicates(doc)
	panel["rest_until"] = nurture.day_to_rest_until(doc, getdate(now_datetime()))
	panel["hint"] = sheet.non_buyer_hint(doc)
	panel["mail_problem"] = _mail_problem(doc)
	panel["priority"] = priority.explain(doc, now_datetime())
	return panel


def _open_judgement(lead) -> dict:
	checklist = expected_checklist(lead.company, lead.lq_segment)
	criteria = frappe.get_cached_doc("Qualification Checklist", checklist).criteria if checklist else []
	return {"verdict": lead.lq_verdict or "Open", "met_count": 0, "criteria_count": len(criteria)}


def _mail_problem(lead) -> str | None:
	"""What would stop an e-mail to the lead's person, and what to do about it; None if nothing would."""
	if not frappe.has_permission("Lead", "email", doc=lead):
		return _(
			"You may not send e-mails about leads. Ask your administrator for the right to e-mail Leads."
		)
	if not EmailAccount.find_outgoing(match_by_doctype="Lead"):
		return _(
			"This site has no account to send e-mails with. Ask your administrator to make an Email Account with Enable Outgoing and Default Outgoing."
		)
	return None


def _next_touch(lead: str) -> dict | None:
	enrollment = nurture.open_enrollment(lead)
	touch = enrollment and planning.planned_touch(enrollment.name)
	if not touch:
		return None
	script = frappe.db.get_value("Nurture Step", {"parent": enrollment.cadence, "step": touch.step}, "script")
	return {
		"step": touch.step,
		"channel": touch.channel,
		"due_at": touch.due_at,
		"script": as_typed(script),
		# a snooze is not offered until one of these
		"closed_days": nurture.closed_days(enrollment.cadence, getdate(now_datetime()), DAYS_TO_SNOOZE),
	}


def _open_handover(lead: str) -> dict | None:
	handover = frappe.db.get_value(
		"Lead Handover",
		{"lead": lead, "status": ["in", ["Sent", "Accepted"]]},
		["name", "lead", "status", "from_user", "to_user", "accept_by"],
		order_by="creation desc",
		as_dict=True,
	)
	if handover:
		handover.to_name = frappe.utils.get_fullname(handover.to_user)
		if handover.status == "Sent":
			handover.is_mine = deciders.is_receiver(handover, frappe.session.user)
			handover.away = away_in_words(handover.to_user)
	return handover
