"""How the share of wasted leads goes on, by the month in which they came in, as the report Wasted Leads counts them."""

import frappe
from frappe import _

from lead_quality.base.report import bars
from lead_quality.lead_quality.report.wasted_leads.wasted_leads import WastedLeads


@frappe.whitelist()
def get(**kwargs) -> dict:
	"""Of the leads that the user may see, in percent.

	:param kwargs: what Frappe sends to every chart; this one has no filters.
	"""
	frappe.has_permission("Lead", "read", throw=True)
	report = WastedLeads()
	chart = report.chart(report.rows())
	return chart["data"] if chart else bars([], {_("Wasted %"): []}, [])["data"]
