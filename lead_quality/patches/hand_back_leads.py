"""For sites that had the app before it handed leads back: the new setting is on, as on a new site."""

import frappe

SETTINGS = "Lead Quality Settings"


def execute():
	stored = frappe.db.get_singles_dict(SETTINGS)
	# where nothing is stored yet, the DocType's own default counts
	if stored and "hand_back_leads" not in stored:
		frappe.db.set_single_value(SETTINGS, "hand_back_leads", 1, update_modified=False)
