import frappe

from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import OutlivesLinks


class LeadHolding(OutlivesLinks, OwnDocument):
	"""A past span of time in which one user, or nobody, owned a lead. The present owner is a field of the Lead."""


def on_doctype_update():
	frappe.db.add_index("Lead Holding", ["lead", "held_until"])
