import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class FollowUpRun(Document):
	@staticmethod
	def clear_old_logs(days=30):
		"""Called by Log Settings."""
		table = frappe.qb.DocType("Follow Up Run")
		frappe.db.delete(table, filters=(table.creation < (Now() - Interval(days=days))))


def on_doctype_update():
	frappe.db.add_index("Follow Up Run", ["job", "started_at"])
