"""For sites that had the app before it knew every way to an order, and when a lead is over.

Custom Fields are made here, as Frappe makes them only after the patches.
"""

import frappe
from frappe.utils import add_days, now_datetime

from lead_quality import install
from lead_quality.base import query
from lead_quality.funnel import opportunities

SETTINGS = "Lead Quality Settings"


def execute():
	install.make_custom_fields()
	install.add_indexes()
	stored = frappe.db.get_singles_dict(SETTINGS)
	# where nothing is stored yet, the DocType's own default counts
	if stored and "override_valid_days" not in stored:
		frappe.db.set_single_value(SETTINGS, "override_valid_days", 30, update_modified=False)
	# leave is for an Opportunity, as its DocType said, unless another document has used it; it was used when it was
	# written last, and what nobody has used by now expires
	query.run(
		"""
		update `tabGate Override` set for_doctype = if(
			ifnull(reference_doctype, '') in ('Opportunity', 'Quotation', 'Customer'), reference_doctype, 'Opportunity'
		)
		where used_at is null and expires_at is null
		"""
	)
	query.run(
		"""
		update `tabGate Override` set used_at = modified
		where used_at is null and ifnull(reference_name, '') != ''
		"""
	)
	query.run(
		"""
		update `tabGate Override` set expires_at = %s
		where expires_at is null and ifnull(reference_name, '') = ''
		""",
		(add_days(now_datetime(), 30),),
	)
	opportunities.credit_opportunities()
