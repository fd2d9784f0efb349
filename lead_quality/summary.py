"""The read-only summary on the Lead (fields `lq_…`), which lists and filters use.

The truth is in the app's own DocTypes. The summary is written past the Lead's own save, so that nobody's open
form is made stale; in return, a form must not write back the summary it was opened with.
"""

import frappe

from lead_quality.custom_fields import LEAD_SUMMARY

# ERPNext's own fields that follow the verdict, once somebody has judged the lead.
VERDICT_FIELDS = ("qualification_status", "qualified_by", "qualified_on")


def protect(doc, method=None):
	"""Lead `validate`: whatever a form or an API call sent, the summary stays what the app made it."""
	before = doc.get_doc_before_save()
	for fieldname in LEAD_SUMMARY:
		doc.set(fieldname, before.get(fieldname) if before else None)
	if before and before.get("lq_criteria_count"):
		for fieldname in VERDICT_FIELDS:
			doc.set(fieldname, before.get(fieldname))


def write(lead, **values):
	"""Write summary values of one lead: a name, or the document at hand, which is updated too."""
	name = lead if isinstance(lead, str) else lead.name
	frappe.db.set_value("Lead", name, values, update_modified=False)
	if not isinstance(lead, str):
		lead.update(values)
	# an open form shows it without being reloaded; one room per document, only its readers are in it
	frappe.publish_realtime(
		"lead_quality_changed", {"lead": name}, doctype="Lead", docname=name, after_commit=True
	)
