"""What ERPNext and the rooms to the left tell the clocks."""

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.base.listeners import listener
from lead_quality.engine.clock import PAUSED_BY_SNOOZE, is_human_touch
from lead_quality.follow_up import service
from lead_quality.follow_up.replan import replan_later
from lead_quality.nurture.service import leads_of_opt_out
from lead_quality.records import enters

# statuses of a lead to which nothing has been done yet
UNTOUCHED = ("Lead", "Open")


@listener
def lead_enters(doc, method=None):
	if enters(doc, method):
		service.start_entry_clocks(doc)


@listener
def lead_on_update(doc, method=None):
	before = doc.get_doc_before_save()
	if not before:
		return
	if (before.lead_owner or None) != (doc.lead_owner or None):
		service.record_holding(doc, before.lead_owner, now_datetime())
	if before.status in UNTOUCHED and doc.status not in (*UNTOUCHED, "Do Not Contact"):
		service.take_status_as_answer(doc.name, now_datetime())


@listener
def lead_on_change(doc, method=None):
	if doc.status == "Do Not Contact" and doc.has_value_changed("status") and not doc.flags.in_insert:
		service.cancel(doc.name)


@listener
def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)


@listener
def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


def touch_on_update(doc, method=None):
	if not doc.has_value_changed("status"):
		if doc.status == "Planned" and doc.has_value_changed("due_at"):
			service.restart_next_touch(doc.lead, get_datetime(doc.due_at))
		return
	at = get_datetime(doc.done_at or now_datetime())
	if is_human_touch(doc.status, bool(doc.is_automatic), doc.direction, doc.channel, doc.outcome):
		service.stop(doc.lead, "human touch", at)
		service.keep_last_touch(doc.lead, at)
	if not doc.enrollment or doc.status == "Planned":
		return
	if doc.status == "Done":
		service.stop(doc.lead, "planned touch", at)
	else:
		service.cancel(doc.lead, ("Next Touch",))
	if doc.status != "Cancelled":
		service.start_next_touch(doc.enrollment, at)


def enrollment_after_insert(doc, method=None):
	service.start_next_touch(doc.name, now_datetime())


def enrollment_on_update(doc, method=None):
	"""A snooze with a reason that both sides permit pauses clocks; whatever ends it lets them run again."""
	before = doc.get_doc_before_save()
	if doc.status == "Snoozed" and doc.snooze_reason:
		if doc.has_value_changed("snoozed_until") or doc.has_value_changed("snooze_reason"):
			service.pause(doc.lead, get_datetime(doc.snoozed_until), doc.snooze_reason, now_datetime())
	elif before and before.status == "Snoozed" and before.snooze_reason:
		service.resume(doc.lead, now_datetime())


def qualification_on_update(doc, method=None):
	"""A verdict or a horizon is the triage decision: the lead has potential now, later, or none."""
	if doc.verdict != "Open" or doc.horizon != "Unknown":
		service.stop(doc.lead, "triage decision", now_datetime())
	if doc.verdict == "Disqualified":
		service.cancel(doc.lead)
	elif doc.decision == "Nurture" and doc.has_value_changed("decision"):
		# decided with a reason: nobody waits for a word to the lead any more
		service.cancel(doc.lead, PAUSED_BY_SNOOZE)


@listener
def holiday_list_on_update(doc, method=None):
	for calendar in frappe.get_all(
		"Working Calendar", {"holiday_list": doc.name}, pluck="name", order_by="name asc"
	):
		replan_later(calendar)


def opt_out_after_insert(doc, method=None):
	if doc.channel == "All":
		for lead in leads_of_opt_out(doc):
			service.cancel(lead)
