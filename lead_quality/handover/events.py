"""What ERPNext tells the handover room."""

import frappe
from frappe.utils import get_datetime

from lead_quality.base.listeners import listener
from lead_quality.handover import service, transfer


@listener
def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)


@listener
def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


def alert_after_insert(doc, method=None):
	"""A step of the escalation ladder that takes the lead away from who has not acted on it."""
	if doc.action in {"Pull Back", "Recycle"}:
		service.take_back(doc, get_datetime(doc.raised_at))


@listener
def user_on_update(doc, method=None):
	"""A user who was disabled works on no leads any more."""
	before = doc.get_doc_before_save()
	if before and before.enabled and not doc.enabled:
		transfer.hand_back(doc.name)


@listener
def employee_on_update(doc, method=None):
	"""Who leaves the company is disabled by ERPNext, on v15 past the events of User."""
	before = doc.get_doc_before_save()
	if not (doc.user_id and before and before.status == "Active" and doc.status != "Active"):
		return
	if not frappe.db.get_value("User", doc.user_id, "enabled"):
		transfer.hand_back(doc.user_id)
