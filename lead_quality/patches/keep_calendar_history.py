import json

import frappe

from lead_quality.base.calendar_states import record, state_of
from lead_quality.base.site_time import aware


def execute():
	"""Calendars keep how they have counted: what they count by today has counted since they were made."""
	for calendar in frappe.get_all("Working Calendar", ["name", "creation", "history"], order_by="name asc"):
		if calendar.history:
			continue
		try:
			state = state_of(frappe.get_doc("Working Calendar", calendar.name))
		except ValueError:
			continue  # its hours make no sense, and nothing counts by it
		history = json.dumps(record(None, state, aware(calendar.creation)))
		frappe.db.set_value("Working Calendar", calendar.name, "history", history, update_modified=False)
		frappe.clear_document_cache("Working Calendar", calendar.name)
