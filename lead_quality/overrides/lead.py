"""Document events of Lead."""

import frappe
from erpnext.crm.doctype.lead import lead as erpnext_lead
from frappe import _
from frappe.utils import get_datetime, now_datetime

from lead_quality.base.listeners import attempt, listener
from lead_quality.follow_up import backlog, endings, hiding, merges
from lead_quality.follow_up import service as follow_up
from lead_quality.funnel import deriving, journey, kept, ownership, past, person, remnants, summary
from lead_quality.funnel import service as funnel
from lead_quality.funnel.endings import DISQUALIFIED, NO_CONTACT, STATUSES
from lead_quality.funnel.lead_save import LeadSave
from lead_quality.handover import service as handover
from lead_quality.nurture import opt_out
from lead_quality.nurture import service as nurture
from lead_quality.nurture.channels import closed_to_plan, known_of_new, wants_nothing
from lead_quality.people import holding
from lead_quality.permissions import check_lead
from lead_quality.qualification import gate, priority, segments
from lead_quality.qualification import service as qualification

# statuses of a lead to which nothing has been done yet
UNTOUCHED = ("Lead", "Open")


def is_saved_again(lead) -> bool:
	"""Whether another app saves a new lead again before our `after_insert`, so that its rows are written with that."""
	save = lead.flags.lead_quality_save
	return bool(save) and save.waits and not lead.is_new()


@listener(writes=is_saved_again)
def validate(lead, method=None):
	ownership.remove_placeholder(lead)
	summary.protect(lead)
	person.keep_keys(lead)
	save = present_save(lead)
	save.begin()
	hiding.check(save)
	segments.sort_lead(save)
	save.judged = qualification.judge_lead(lead)
	lead.update({"lq_priority": priority.priority_of(lead, now_datetime())})


@listener(concerns=lambda lead: lead.is_new(), writes=lambda lead: False)
def before_save(lead, method=None):
	opt_outs, has_namesake = known_of_new(lead)
	if has_namesake:
		attempt(forget_namesake, lead)
	enter_new_lead(present_save(lead), closed_to_plan(lead, opt_outs))


@listener
def after_insert(lead, method=None):
	save = present_save(lead)
	if not save.has_entered:  # it was saved without being validated, which leaves out `before_save` too
		enter_new_lead(save, closed_to_plan(lead))


def has_consequences(lead) -> bool:
	"""Whether a save of a lead leads to anything beyond the lead itself: most do not."""
	save, before = lead.flags.lead_quality_save, lead.get_doc_before_save()
	if not save or save.judged or save.remarks or save.waits:
		return True
	return bool(before) and (before.status != lead.status or journey.is_changed_by(lead))


@listener(concerns=has_consequences)
def on_update(lead, method=None):
	save = present_save(lead)
	save.write_remarks()
	qualification.keep_judgement(save, is_new_lead=bool(lead.flags.in_insert))
	journey.follow(lead)
	before = lead.get_doc_before_save()
	if not before:
		return
	if (before.lead_owner or None) != (lead.lead_owner or None):
		holding.record_holding(lead, before.lead_owner, now_datetime())
	if before.status in UNTOUCHED and lead.status not in (*UNTOUCHED, "Do Not Contact"):
		follow_up.take_status_as_answer(lead.name, now_datetime())


def is_changed(lead) -> bool:
	"""Whether a lead that was there before has become another person's, or another status."""
	if lead.flags.in_insert or lead.flags.in_delete:
		return False
	return any(lead.has_value_changed(field) for field in ("status", "unsubscribed")) or person.is_changed(
		lead
	)


@listener(concerns=is_changed)
def on_change(lead, method=None):
	"""ERPNext changes a lead's status without `on_update` when a selling document is made from it."""
	if lead.unsubscribed and lead.has_value_changed("unsubscribed"):
		opt_out.respect_opt_outs(lead.name)
	is_another_person = person.follow_change(lead)
	if is_another_person:
		opt_out.respect_opt_outs(lead.name)
	if not lead.has_value_changed("status"):
		if is_another_person:
			endings.end_if_over([lead.name])
		return
	deriving.derive_stages(lead.name)
	endings.end_if_over([lead.name], lost_anew=lead.status == "Lost Quotation")


@listener
def before_rename(lead, method=None, old=None, new=None, merge=False):
	if merge:
		past.keep_apart(old)
		kept.keep_apart(old, new)


@listener
def after_rename(lead, method=None, old=None, new=None, merge=False):
	journey.rename(old, new)
	merges.rename(old, new)
	if merge:
		merges.merge_into(lead, old)


@listener
def on_trash(lead, method=None):
	forget(lead.name)


def present_save(lead) -> LeadSave:
	"""The present save of a Lead document. Another app may save a new lead again before our `after_insert`: then what
	waits for the insert is written here."""
	save = lead.flags.lead_quality_save
	if not save:
		save = lead.flags.lead_quality_save = LeadSave(lead)
	elif not lead.is_new():
		save.write()
	return save


def forget(lead: str):
	"""Delete what belongs to a deleted lead; what is kept for the totals names nobody."""
	remnant = remnants.keep(lead)
	journey.forget_lead(lead, remnant)
	kept.forget_lead(lead, remnant)
	funnel.forget_lead(lead, remnant)
	qualification.forget_lead(lead)
	gate.forget_lead(lead, remnant)
	nurture.forget_lead(lead)
	follow_up.forget_lead(lead, remnant)
	backlog.forget_lead(lead)
	remnants.keep_handovers(lead, remnant)
	handover.forget_lead(lead)


def forget_namesake(lead, method=None):
	"""Delete what a lead has left that was deleted without document events, and whose name a new one gets."""
	forget(lead.name)


def enter_new_lead(save: LeadSave, closed: dict[str, str]):
	"""Create what belongs to a new lead: its stage, its enrollment, its clocks.

	:param closed: as `channels.closed_to_plan` says of it.
	"""
	lead = save.lead
	save.has_entered = True
	funnel.enter_target(save)
	ending = ending_of_new(lead, closed)
	if ending:
		save.summarise(lead, lq_over=ending, lq_over_at=get_datetime(lead.creation))
		return
	nurture.enroll_new_lead(save, closed)
	follow_up.start_entry_clocks(save)
	if frappe.flags.in_import:
		backlog.receive_import(save)


def ending_of_new(lead, closed: dict[str, str]) -> str | None:
	"""Why a new lead is over already, or None: no document can have been made from it yet.

	:param closed: as `channels.closed_channels` says of it.
	"""
	if wants_nothing(closed):
		return NO_CONTACT
	return DISQUALIFIED if lead.lq_verdict == "Disqualified" else STATUSES.get(lead.status)


@frappe.whitelist()
def get_lead_details(
	lead: str | None = None,
	posting_date: str | None = None,
	company: str | None = None,
	doctype: str | None = None,
) -> dict:
	"""ERPNext's function, which tells anybody the name, mail and phone of any lead: told to who may read that one."""
	if not lead:
		return {}
	check_lead(lead)
	return erpnext_lead.get_lead_details(lead, posting_date, company, doctype)


def dashboard(data: dict) -> dict:
	"""The Connections of a Lead, with the app's documents."""
	data["transactions"].append(
		{
			"label": _("Lead Quality"),
			"items": [
				"Lead Touch",
				"Lead Qualification",
				"Nurture Enrollment",
				"Lead Handover",
				"Follow Up Clock",
			],
		}
	)
	return data
