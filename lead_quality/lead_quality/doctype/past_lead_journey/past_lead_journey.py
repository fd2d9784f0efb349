import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import OutlivesLinks


class PastLeadJourney(OutlivesLinks, OwnDocument):
	"""A Lead Journey as it was known at the end of some days; see `funnel.kept`."""

	def validate(self):
		frappe.throw(
			_("A Past Lead Journey is written automatically and cannot be changed."), frappe.PermissionError
		)

	def on_trash(self):
		if not frappe.flags.in_uninstall:
			frappe.throw(
				_("A Past Lead Journey cannot be deleted, because reports as of past days count it."),
				frappe.PermissionError,
			)


def on_doctype_update():
	# the newest version of a lead, and what came in within a period
	frappe.db.add_index("Past Lead Journey", ["lead", "kept_until"])
	frappe.db.add_index("Past Lead Journey", ["entered_at", "kept_until"])
