import frappe
from frappe.model.document import Document


class FollowUpAlert(Document):
	"""One level of one clock, or one thing wrong with a lead, raised for one user or carried out as an action."""


def on_doctype_update():
	frappe.db.add_index("Follow Up Alert", ["status", "for_user"])
