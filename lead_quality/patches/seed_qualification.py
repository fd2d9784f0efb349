"""For sites that had the app before it knew agreements: the reasons and checklists that came with them."""

import frappe

from lead_quality import seed
from lead_quality.base import query


def execute():
	seed.make_reasons()
	seed.make_checklists()
	frappe.db.set_value("Lead Outcome Reason", seed.NOT_A_BUYER, "non_buyer", 1)
	if frappe.db.has_column("Gate Override", "opportunity"):
		query.run(
			"""
			update `tabGate Override` set reference_doctype = 'Opportunity', reference_name = opportunity
			where ifnull(opportunity, '') != '' and ifnull(reference_name, '') = ''
			"""
		)
