import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import OutlivesLinks


class LeadRemnant(OutlivesLinks, OwnDocument):
	"""Record of a deleted lead; see `funnel.remnants`."""

	def validate(self):
		frappe.throw(
			_("The record of a deleted lead is written automatically and cannot be changed."),
			frappe.PermissionError,
		)

	def on_trash(self):
		if not frappe.flags.in_uninstall:
			frappe.throw(
				_("The record of a deleted lead cannot be deleted, because reports on past months count it."),
				frappe.PermissionError,
			)


def on_doctype_update():
	frappe.db.add_index("Lead Remnant", ["creation"])
