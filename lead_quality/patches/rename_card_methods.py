"""Number cards that users have made of ours name the functions by where they stood before."""

import frappe


def execute():
	frappe.db.sql(
		"""
		update `tabNumber Card` set method = replace(method, 'lead_quality.cards.', 'lead_quality.desk.cards.')
		where method like 'lead_quality.cards.%'
		"""
	)
