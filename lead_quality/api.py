"""What other software calls, and the desk too. Every function is POST, checks permission on the lead first,
and returns the document it changed. Instants are naive, in the site's zone.
"""

import inspect
import json
import math
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps

import frappe
from frappe import _

from lead_quality.base import turns
from lead_quality.base.documents import read_value
from lead_quality.base.parts import progress
from lead_quality.base.site_time import naive
from lead_quality.desk import panel, sheet
from lead_quality.funnel import lead_lock
from lead_quality.handover import service as handover_service
from lead_quality.handover import transfer
from lead_quality.nurture import corrections, ledger
from lead_quality.nurture import opt_out as opt_outs
from lead_quality.nurture import service as nurture
from lead_quality.nurture.mail import leads_of
from lead_quality.permissions import check_lead
from lead_quality.qualification import answering, gate, requalify
from lead_quality.qualification.reasons import is_reason_for


def in_turn(function: Callable) -> Callable:
	"""Decorate a function about one lead: of two requests at once, the second sees what the first has done.

	A request that the database aborts is tried again. Who calls it from Python has a transaction of its own around
	it, which would be lost: then the error rises, as any other.
	"""
	signature = inspect.signature(function)

	@wraps(function)
	def take_turn(*args, **kwargs):
		if not turns.is_request_for(function):
			return function(*args, **kwargs)
		leads = _leads_of(**signature.bind(*args, **kwargs).arguments)

		def act():
			lead_lock.lock(*leads)
			return function(*args, **kwargs)

		return turns.begin_again(act)

	return take_turn


def _leads_of(
	lead: str | None = None,
	handover: str | None = None,
	touch: str | None = None,
	communication: str | None = None,
	**values,
) -> list[str]:
	"""The leads that a request is about."""
	if communication:
		return frappe.get_all(
			"Lead Touch", {"communication": communication}, pluck="lead", order_by="lead asc"
		)
	if handover or touch:
		lead = frappe.db.get_value("Lead Handover" if handover else "Lead Touch", handover or touch, "lead")
	return [lead] if lead else []


@frappe.whitelist(methods=["POST"])
@in_turn
def enroll(lead: str, cadence: str | None = None):
	"""Put a lead on a cadence, by default that of its segment. Returns the Nurture Enrollment."""
	_check(lead, "Nurture Enrollment", "create")
	return nurture.enroll(lead, cadence)


@frappe.whitelist(methods=["POST"])
@in_turn
def snooze(lead: str, until: str | datetime, reason: str | None = None):
	"""Let the lead's cadence rest until an instant (the site's zone). Returns the Nurture Enrollment.

	With a `reason`, a Lead Outcome Reason for that, the clocks that wait for a word to the lead pause until then. More than
	six weeks need one.
	"""
	_check(lead, "Nurture Enrollment", "write")
	if reason and not is_reason_for(reason, "Snooze", lead):
		frappe.throw(_("Choose one of the agreed reasons for snoozing."), frappe.MandatoryError)
	resumes_at = _instant(until, _("Until"))
	if not resumes_at:
		frappe.throw(_("Enter the date until which the lead is snoozed."), frappe.MandatoryError)
	nurture.check_rest(resumes_at, reason)
	return nurture.snooze(_enrollment(lead), resumes_at, reason)


@frappe.whitelist(methods=["POST"])
@in_turn
def stop(lead: str, reason: str):
	"""End the lead's cadence early, with a Lead Outcome Reason for that. Returns the Nurture Enrollment."""
	_check(lead, "Nurture Enrollment", "write")
	if not is_reason_for(reason, "Stop Early", lead):
		frappe.throw(_("Choose one of the agreed reasons for stopping early."), frappe.MandatoryError)
	return nurture.stop(_enrollment(lead), frappe.db.get_value("Lead Outcome Reason", reason, "reason"))


@frappe.whitelist(methods=["POST"])
@in_turn
def log_touch(
	lead: str,
	channel: str,
	outcome: str | None = None,
	direction: str = "Outbound",
	note: str | None = None,
	done_at: str | datetime | None = None,
	contact: str | None = None,
):
	"""Record a contact attempt, by default made now. Returns the Lead Touch."""
	_check(lead, "Lead Touch", "create")
	return ledger.log_touch(
		lead,
		channel,
		outcome=outcome,
		direction=direction,
		note=note,
		done_at=_instant(done_at, _("Done At")),
		contact=contact,
	)


@frappe.whitelist(methods=["POST"])
@in_turn
def undo_touch(touch: str):
	"""Take back a touch that was logged by mistake. Stage, cadence and clocks go back with it. Returns the Lead
	Touch."""
	frappe.has_permission("Lead Touch", "write", throw=True)
	doc = frappe.get_doc("Lead Touch", touch)
	_check(doc.lead, "Lead Touch", "write")
	corrections.check_may_undo(doc)
	return corrections.take_back(doc)


@frappe.whitelist(methods=["POST"])
@in_turn
def mark_as_reply(communication: str):
	"""A person has written this mail, which was taken for an automatic answer. Returns the Communication."""
	return corrections.mark(_check_mail(communication), "Person")


@frappe.whitelist(methods=["POST"])
@in_turn
def mark_as_automatic(communication: str):
	"""A machine has written this mail, which was taken for a reply: what came from it is undone. Returns the
	Communication."""
	return corrections.mark(_check_mail(communication), "Automatic")


@frappe.whitelist(methods=["POST"])
@in_turn
def qualify(
	lead: str,
	answers: str | list | None = None,
	horizon: str | None = None,
	decision: str | None = None,
	outcome_reason: str | None = None,
	nurture_until: str | date | None = None,
):
	"""Record answers (rows of criterion, value, and if known contact, currency, evidence_grade, note,
	reference_doctype, reference_name) and judge the lead again. They are merged by criterion and contact.

	With `horizon` (Unknown, Long Term, Near Term) or `decision` (Nurture, if wanted until a day, Disqualified, or
	empty to take it back) also the triage decision. Returns the Lead Qualification.
	"""
	_check(lead, "Lead Qualification", "create")
	rows = _rows(answers)
	until = _date(nurture_until, _("Nurture Until"))
	return answering.answer(lead, rows, horizon, decision, outcome_reason, until)


@frappe.whitelist(methods=["POST"])
@in_turn
def send_handover(
	lead: str,
	to_user: str,
	note: str | None = None,
	expected_value: float | None = None,
	currency: str | None = None,
):
	"""Hand a sales-ready lead to a sales user, who is told at once. Returns the Lead Handover."""
	_check(lead, "Lead Handover", "create")
	if expected_value and not math.isfinite(expected_value):
		frappe.throw(_("Write the expected value as a number."))
	return handover_service.send(lead, to_user, note, expected_value, currency)


@frappe.whitelist(methods=["POST"])
@in_turn
def accept_handover(handover: str):
	"""Take the lead over. Returns the Lead Handover."""
	_check_handover(handover)
	return handover_service.accept(handover)


@frappe.whitelist(methods=["POST"])
@in_turn
def reject_handover(handover: str, reason: str, feedback: str | None = None):
	"""Refuse the lead, with a Lead Outcome Reason for that. Returns the Lead Handover."""
	_check_handover(handover)
	return handover_service.decline(handover, "Rejected", reason, feedback)


@frappe.whitelist(methods=["POST"])
@in_turn
def return_handover(handover: str, reason: str, feedback: str | None = None):
	"""Give an accepted lead back, with a Lead Outcome Reason for that. Returns the Lead Handover."""
	_check_handover(handover)
	return handover_service.decline(handover, "Returned", reason, feedback)


@frappe.whitelist(methods=["POST"])
@in_turn
def override_gate(lead: str, reason: str, note: str | None = None, doctype: str = "Opportunity"):
	"""Give leave for one document from a lead that is not sales ready: an Opportunity, a Quotation or a Customer.

	It is used up by that document where the gate is on Enforce, and expires. Returns the Gate Override.
	"""
	_check(lead, "Gate Override", "create")
	return gate.override(lead, reason, note, doctype)


@frappe.whitelist(methods=["POST"])
@in_turn
def opt_out(lead: str, channel: str = "All", reason: str = "Manual"):
	"""Record that the lead's person wants no contact, on one channel or at all. Returns the Contact Opt Out."""
	_check(lead, "Contact Opt Out", "create")
	return opt_outs.opt_out(lead, channel, reason)


@frappe.whitelist()
def preview_transfer(from_user: str, to_user: str | None = None) -> dict:
	"""What a Lead Transfer from this user would find: `leads` in work that the user owns, and `handovers` that wait for
	the user's answer, as far as who asks may see them; with the full names of `giver` and `receiver`."""
	frappe.has_permission("Lead Transfer", "create", throw=True)
	return {
		**transfer.count(from_user),
		"giver": frappe.utils.get_fullname(from_user),
		"receiver": frappe.utils.get_fullname(to_user) if to_user else None,
	}


@frappe.whitelist(methods=["POST"])
def judge_all_again(move_from: str | None = None, move_to: str | None = None) -> dict:
	"""Put every lead into its segment again and judge it again, in the background, after definitions have changed.

	With `move_from` and `move_to`, leads under way on one Qualification Checklist go over to another. Returns the
	progress, as `get_progress` does.
	"""
	for doctype in ("Lead Segment", "Qualification Checklist"):
		frappe.has_permission(doctype, "write", throw=True)
	if move_to and frappe.db.get_value("Qualification Checklist", move_to, "status") != "Active":
		frappe.throw(_("{0} is not active. Activate it first.").format(frappe.bold(move_to)))
	return progress(requalify.start(move_from, move_to))


@frappe.whitelist()
def get_progress(run: str | None = None) -> dict | None:
	"""How far `judge_all_again` is: leads in `total`, `done` and `changed`, and the `status`; None if it does not run.

	With `run`, as `judge_all_again` has returned it, also after that run is done.
	"""
	frappe.has_permission("Lead Segment", "read", throw=True)
	run = requalify.find_run(run) if run else requalify.job().open_run()
	return progress(run) if run else None


@frappe.whitelist()
def get_panel(lead: str) -> dict:
	"""What the panel on the Lead form shows, as far as the user may read it. Instants are naive, in the site's zone."""
	return panel.get_panel(lead)


@frappe.whitelist()
def check_gate(lead: str, doctype: str = "Opportunity") -> dict:
	"""Whether a document of `doctype` could be made from the lead now: `passes`, and else a `message` that says why
	not."""
	check_lead(lead)
	if doctype not in gate.GATED:
		frappe.throw(_("The gate only checks {0}.").format(", ".join(_(doctype) for doctype in gate.GATED)))
	return gate.check(lead, doctype)


@frappe.whitelist()
def get_checklist(lead: str) -> dict:
	"""The sheet of a lead: what it is asked, what is known and how, as it stands now. Instants are naive, in the
	site's zone; confidential answers are left out for users without permission level 1 on Lead Qualification."""
	check_lead(lead)
	frappe.has_permission("Lead Qualification", "read", throw=True)
	return sheet.get_sheet(lead)


def _enrollment(lead: str):
	enrollment = nurture.open_enrollment(lead)
	if not enrollment:
		frappe.throw(_("This lead is not enrolled in a cadence. Enroll it first."))
	return enrollment


def _check(lead: str, doctype: str, ptype: str):
	check_lead(lead, "write")
	frappe.has_permission(doctype, ptype, throw=True)


def _check_mail(name: str):
	"""The Communication of that name, if the user may log touches on all leads that it is of."""
	frappe.has_permission("Lead Touch", "create", throw=True)
	mail = frappe.get_doc("Communication", name) if frappe.db.exists("Communication", name) else None
	leads = leads_of(mail) if mail and mail.sent_or_received == "Received" else []
	if not leads or not all(frappe.has_permission("Lead", "write", doc=lead) for lead in leads):
		frappe.throw(
			_("There is no incoming e-mail {0} from one of your leads.").format(name), frappe.PermissionError
		)
	return mail


def _check_handover(handover: str):
	if not frappe.db.exists("Lead Handover", handover or "") or not frappe.has_permission(
		"Lead Handover", "write", doc=handover
	):
		name = frappe.bold(frappe.utils.escape_html(handover or ""))
		frappe.throw(
			_("There is no handover {0}, or you may not answer it.").format(name), frappe.PermissionError
		)


def _rows(answers: str | list | None) -> list:
	try:
		rows = json.loads(answers) if isinstance(answers, str) and answers else answers or []
	except ValueError:
		rows = None
	if not isinstance(rows, list):
		frappe.throw(_("Send answers as a list of rows with criterion and value."))
	return rows


def _instant(value: str | datetime | None, place: str) -> datetime | None:
	"""An instant of the site's zone, as a request sends it.

	:param place: names it to the user.
	:raises frappe.ValidationError: if it is none.
	"""
	if isinstance(value, str):
		return read_value(value, "Datetime", place)
	return naive(value) if value and value.tzinfo else value


def _date(value: str | date | None, place: str) -> date | None:
	"""As `_instant`, a day."""
	return read_value(value, "Date", place) if isinstance(value, str) else value
