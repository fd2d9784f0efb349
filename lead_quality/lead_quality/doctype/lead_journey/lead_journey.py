import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument


class LeadJourney(OwnDocument):
	"""What reports count of one lead; see `funnel.journey`."""

	def validate(self):
		frappe.throw(_("A lead's journey writes itself and is never changed."), frappe.PermissionError)

	def on_trash(self):
		if not frappe.flags.in_uninstall:
			frappe.throw(
				_("A lead's journey goes with the lead, and is never deleted by itself."),
				frappe.PermissionError,
			)


def on_doctype_update():
	frappe.db.add_index("Lead Journey", ["entered_at"])
	frappe.db.add_index("Lead Journey", ["present_owner", "entered_at"])
