import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument


class LeadJourney(OwnDocument):
	"""Everything that reports count about one lead; see `funnel.journey`."""

	def validate(self):
		frappe.throw(
			_("A Lead Journey is written automatically and cannot be changed."), frappe.PermissionError
		)

	def on_trash(self):
		if not frappe.flags.in_uninstall:
			frappe.throw(
				_("A Lead Journey cannot be deleted by itself. It is deleted with its lead."),
				frappe.PermissionError,
			)


def on_doctype_update():
	frappe.db.add_index("Lead Journey", ["entered_at"])
	frappe.db.add_index("Lead Journey", ["present_owner", "entered_at"])
