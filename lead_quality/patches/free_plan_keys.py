"""Touches that were cancelled give up their place in the plan, so that their step can be planned once more."""

from lead_quality.base import query


def execute():
	query.run(
		"""
		update `tabLead Touch` set plan_key = null where status = 'Cancelled' and plan_key is not null
		"""
	)
