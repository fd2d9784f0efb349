import frappe

from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import OutlivesLinks


class FollowUpClock(OutlivesLinks, OwnDocument):
	pass


def on_doctype_update():
	frappe.db.add_index("Follow Up Clock", ["status", "due_at"])
	frappe.db.add_index("Follow Up Clock", ["working_calendar", "status", "due_at"])
	frappe.db.add_index("Follow Up Clock", ["started_at"])
