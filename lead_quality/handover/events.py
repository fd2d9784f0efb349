"""What ERPNext tells the handover room."""

from frappe.utils import get_datetime

from lead_quality.handover import service, transfer


def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)


def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


def alert_after_insert(doc, method=None):
	"""A step of the escalation ladder that takes the lead away from who has not acted on it."""
	if doc.action in {"Pull Back", "Recycle"}:
		service.take_back(doc, get_datetime(doc.raised_at))


def user_on_update(doc, method=None):
	"""A user who was disabled works on no leads any more."""
	before = doc.get_doc_before_save()
	if before and before.enabled and not doc.enabled:
		transfer.hand_back(doc.name)
