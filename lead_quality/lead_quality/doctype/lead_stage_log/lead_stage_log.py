import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument


class LeadStageLog(OwnDocument):
	def validate(self):
		frappe.throw(
			_("The stage log is written automatically and cannot be changed."), frappe.PermissionError
		)

	def on_trash(self):
		if not frappe.flags.in_uninstall:
			frappe.throw(_("The stage log cannot be deleted."), frappe.PermissionError)


def on_doctype_update():
	frappe.db.add_index("Lead Stage Log", ["lead", "entered_at"])
	frappe.db.add_index("Lead Stage Log", ["stage", "entered_at"])
	frappe.db.add_index("Lead Stage Log", ["source", "entered_at"])
