import frappe

from lead_quality.base import query
from lead_quality.install import make_custom_fields

# what says that a site's history was read in, or is read lead by lead
READ = "lead_quality_history_read"


def execute():
	"""For sites that had the app before each lead said whether its history is read: where it was not read to its end, it
	is read of the leads from before the install. What came later has been heard of."""
	make_custom_fields()
	if frappe.db.get_global(READ):
		return
	installed_at = frappe.db.get_value("Module Def", "Lead Quality", "creation")
	query.run(
		"update `tabLead` set lq_history_unread = 1 where creation < %s and lq_history_unread = 0",
		(installed_at,),
	)
	frappe.db.set_global(READ, "1")
