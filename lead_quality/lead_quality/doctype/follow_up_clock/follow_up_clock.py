import frappe
from frappe.model.document import Document

from lead_quality.base.links import OutlivesLinks


class FollowUpClock(OutlivesLinks, Document):
	pass


def on_doctype_update():
	frappe.db.add_index("Follow Up Clock", ["status", "due_at"])
	frappe.db.add_index("Follow Up Clock", ["working_calendar", "status", "due_at"])
	frappe.db.add_index("Follow Up Clock", ["started_at"])
