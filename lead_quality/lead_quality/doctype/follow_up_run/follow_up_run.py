import frappe
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now

from lead_quality.base.documents import OwnDocument
from lead_quality.follow_up.outages import SWEEP


class FollowUpRun(OwnDocument):
	@staticmethod
	def clear_old_logs(days=30):
		"""Called by Log Settings. Runs that show when the clocks were not checked stay."""
		newest = frappe.db.get_value("Follow Up Run", {"job": SWEEP}, order_by="started_at desc") or ""
		table = frappe.qb.DocType("Follow Up Run")
		is_old = table.creation < (Now() - Interval(days=days))
		frappe.db.delete(table, filters=is_old & table.outage_from.isnull() & (table.name != newest))


def on_doctype_update():
	frappe.db.add_index("Follow Up Run", ["job", "started_at"])
