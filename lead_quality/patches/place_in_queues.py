"""Touches know the day they are due on, and what waits in a queue knows the priority of its lead."""

from lead_quality.base import query
from lead_quality.qualification.priority import QUEUES


def execute():
	query.run("update `tabLead Touch` set due_on = date(due_at) where due_at is not null and due_on is null")
	for doctype, waits in QUEUES.items():
		query.run(
			f"""
			update `tab{doctype}` q join `tabLead` l on l.name = q.lead set q.lead_priority = l.lq_priority
			where {waits} and q.lead_priority != l.lq_priority
			"""
		)
