"""A lead with running clocks or cadences is not hidden without a reason: not by disabling it, and not by a status that
no document proves. Who gives one is shown with it in Leads at Risk, until somebody ends what goes on, or proves it.

The settings say whether a lead without a reason is refused (Enforce), passes with a note (Warn), or passes (Off)."""

import frappe
from frappe import _

from lead_quality.base import query
from lead_quality.base.listeners import Refusal
from lead_quality.funnel.conditions import STATUS_PROVED_BY, open_clock, open_enrollment
from lead_quality.funnel.lead_save import LeadSave


class HiddenLeadError(Refusal):
	"""A lead with running clocks or cadences was to be hidden without a reason."""


def check(save: LeadSave):
	"""Ask for a reason where a Lead document that is saved is about to drop out of the lists.

	:raises HiddenLeadError: if there is none.
	"""
	lead = save.lead
	before = lead.get_doc_before_save()
	if not before:
		return
	if before.disabled and not lead.disabled:
		lead.lq_hidden_reason = None  # the next time, there will be another
		return
	is_disabled = lead.disabled and not before.disabled
	is_claimed = lead.status != before.status and not is_proved(lead)
	if not (is_disabled or is_claimed) or not has_running_work(lead.name):
		return
	mode = frappe.get_cached_doc("Lead Quality Settings").hiding_gate or "Enforce"
	if mode == "Off":
		return
	what = _("disabling it") if is_disabled else _("the status {0}").format(_(lead.status))
	reason = (lead.lq_hidden_reason or "").strip()
	if not reason and mode == "Enforce":
		raise_for(lead, what)
	if not reason:
		save.remark(_("hid the lead by {0}, without a reason").format(what))
		return
	save.remark(_("hid the lead by {0}: {1}").format(what, frappe.utils.escape_html(reason)))


def raise_for(lead, what: str):
	frappe.throw(
		_(
			"{0} has running deadlines, and {1} removes it from all lists. Disqualify it, or snooze or stop its cadence; otherwise enter a reason in {2}."
		).format(
			frappe.bold(frappe.utils.escape_html(lead.title or lead.name)),
			what,
			frappe.bold(_("Reason for Hiding")),
		),
		HiddenLeadError,
		title=_("Somebody Is Waiting for This Lead"),
	)


def is_proved(lead) -> bool:
	"""Whether a document proves the status of a lead, or the status claims nothing that a document could prove."""
	proof = STATUS_PROVED_BY.get(lead.status)
	return not proof or bool(
		query.run(f"select 1 from {proof.replace('`tabLead`.name', '%(lead)s')} limit 1", {"lead": lead.name})
	)


def has_running_work(lead: str) -> bool:
	"""Whether a lead has an open clock or an open enrollment."""
	return bool(
		query.run(
			f"""
			select 1 from `tabFollow Up Clock` c where c.lead = %(lead)s and {open_clock("c")}
			union
			select 1 from `tabNurture Enrollment` e where e.lead = %(lead)s and {open_enrollment("e")}
			limit 1
			""",
			{"lead": lead},
		)
	)
