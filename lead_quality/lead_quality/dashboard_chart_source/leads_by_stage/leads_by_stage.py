"""The chart of leads by the stage that they are in, the stages in their order.

Frappe's own chart of groups sorts them by size, and keeps what its first reader may see for every other one.
"""

import frappe
from frappe import _

from lead_quality.base.queries import Where
from lead_quality.base.report import bars
from lead_quality.engine.conversion import STAGES


@frappe.whitelist()
def get(**kwargs) -> dict:
	"""How many leads that the user may see are in each stage; one that no job has seen yet is a target.

	:param kwargs: what Frappe sends to every chart; this one has no filters.
	"""
	frappe.has_permission("Lead", "read", throw=True)
	where = Where()
	where.visible("Lead")
	rows = where.select(
		"select lq_stage as stage, count(*) as leads from `tabLead` where {where} group by lq_stage"
	)
	counts = dict.fromkeys(STAGES, 0)
	for row in rows:
		counts[row.stage or STAGES[0]] += row.leads
	labels = [_(stage).capitalize() for stage in STAGES]
	return bars(labels, {_("Leads"): [*counts.values()]}, ["#1f6feb"])["data"]
