import frappe

from lead_quality.base.documents import OwnDocument
from lead_quality.lead_quality.doctype.lead_remnant.lead_remnant import LeadRemnant


class HandoverRemnant(LeadRemnant, OwnDocument):
	"""Record of a handover whose lead was deleted; see `funnel.remnants`."""


def on_doctype_update():
	frappe.db.add_index("Handover Remnant", ["sent_at"])
	frappe.db.add_index("Handover Remnant", ["lead"])
