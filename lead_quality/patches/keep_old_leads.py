import frappe
from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.follow_up.backlog import keep_old_leads
from lead_quality.funnel.conditions import human_touch
from lead_quality.install import make_custom_fields


def execute():
	"""Leads from before the install that nobody has worked on since wait for a decision, instead of being told one by
	one."""
	is_set = query.run(
		"select 1 from `tabSingles` where doctype = 'Lead Quality Settings' and field = 'imported_leads_wait'"
	)
	if not is_set:  # a new setting of settings that were saved before has no default
		frappe.db.set_single_value("Lead Quality Settings", "imported_leads_wait", 1)
	if frappe.db.count("Lead Backlog"):
		return
	make_custom_fields()
	installed_at = frappe.db.get_value("Module Def", "Lead Quality", "creation")
	keep_old_leads(
		now_datetime(),
		f"""
			`tabLead`.creation < {frappe.db.escape(str(installed_at))}
			and not exists (select 1 from `tabLead Touch` t where t.lead = `tabLead`.name and {human_touch("t")})
			and not exists (select 1 from `tabNurture Enrollment` e where e.lead = `tabLead`.name)
			and not exists (select 1 from `tabLead Handover` h where h.lead = `tabLead`.name)
			and not exists (
				select 1 from `tabLead Qualification` q where q.lead = `tabLead`.name and ifnull(q.decision, '') != ''
			)
		""",
	)
