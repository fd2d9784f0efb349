"""Lead Source Quality has become Source Effectiveness: what leads to it, mails it or allows it follows, and keeps its
filters, which the new report understands."""

import frappe
from frappe.model.rename_doc import rename_doc

OLD, NEW = "Lead Source Quality", "Source Effectiveness"
# these keep the name of a report as a text
AS_TEXT = {"Report": "reference_report", "Prepared Report": "report_name"}


def execute():
	if frappe.db.exists("Report", OLD):
		# a site on which the new report is there already has both
		is_there = bool(frappe.db.exists("Report", NEW))
		rename_doc("Report", OLD, NEW, merge=is_there, force=True, ignore_permissions=True, show_alert=False)
	for doctype, field in AS_TEXT.items():
		frappe.db.set_value(doctype, {field: OLD}, field, NEW, update_modified=False)
