import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now

from lead_quality.base.links import OutlivesLinks


class FollowUpAlert(OutlivesLinks, Document):
	"""One level of one clock, or one thing wrong with a lead, raised for one user or carried out as an action."""

	@staticmethod
	def clear_old_logs(days=180):
		"""Called by Log Settings."""
		table = frappe.qb.DocType("Follow Up Alert")
		frappe.db.delete(table, filters=(table.creation < (Now() - Interval(days=days))))


def on_doctype_update():
	frappe.db.add_index("Follow Up Alert", ["status", "for_user"])
