"""What ERPNext and the rooms to the left tell the clocks."""

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.engine.clock import is_human_touch
from lead_quality.follow_up import service


def lead_after_insert(doc, method=None):
	service.start_entry_clocks(doc)


def lead_on_change(doc, method=None):
	if doc.status == "Do Not Contact" and doc.has_value_changed("status") and not doc.flags.in_insert:
		service.cancel(doc.name)


def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)


def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


def touch_on_update(doc, method=None):
	if not doc.has_value_changed("status"):
		if doc.status == "Planned" and doc.has_value_changed("due_at"):
			service.restart_next_touch(doc.lead, get_datetime(doc.due_at))
		return
	at = get_datetime(doc.done_at or now_datetime())
	if is_human_touch(doc.status, bool(doc.is_automatic), doc.direction, doc.outcome):
		service.stop(doc.lead, "human touch", at)
	if doc.enrollment and doc.status in {"Done", "Skipped", "Missed"}:
		service.stop_next_touch(doc.lead, at)
		service.start_next_touch(doc.enrollment, at)
	elif doc.enrollment and doc.status == "Cancelled":
		service.cancel(doc.lead, ("Next Touch",))


def qualification_on_update(doc, method=None):
	"""A verdict or a horizon is the triage decision: the lead has potential now, later, or none."""
	if doc.verdict != "Open" or doc.horizon != "Unknown":
		service.stop(doc.lead, "triage decision", now_datetime())
	if doc.verdict == "Disqualified":
		service.cancel(doc.lead)


def opt_out_after_insert(doc, method=None):
	if doc.channel == "All" and doc.lead and frappe.db.exists("Lead", doc.lead):
		service.cancel(doc.lead)
