"""Reports of ours that are mailed already counted what Administrator sees; now what the user that they name sees."""

import frappe

from lead_quality.base import query
from lead_quality.base.report import keep_reader


def execute():
	ours = frappe.get_all("Report", {"module": "Lead Quality"}, pluck="name", order_by="name asc")
	for name in frappe.get_all(
		"Auto Email Report", {"report": query.among(ours)}, pluck="name", order_by="name asc"
	):
		doc = frappe.get_doc("Auto Email Report", name)
		keep_reader(doc)
		doc.db_set("filters", doc.filters, update_modified=False)
