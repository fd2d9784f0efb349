"""Who is responsible for a lead at an instant: the one implementation, in SQL, for one lead and for all of them.

It is the owner, if that is a person. A web form makes Guest the owner and a job Administrator; then it is who the lead
is assigned to, the latest assignment first. While there is neither, the lead waits for routing.
"""

from lead_quality.base.persons import NO_PERSONS, person_sql
from lead_quality.people.holding import person_owner_sql


def responsible_sql(lead: str, instant: str, owner: str, is_assigned: str = "1") -> str:
	"""Who was responsible for a lead at an instant, or null; all are SQL expressions, `owner` that of today's owner.

	:param is_assigned: 0 or null if it is known that the lead was never assigned to anybody, which spares a look.
	"""
	return f"coalesce({person_owner_sql(lead, instant, owner)}, if({is_assigned}, {assignee_sql(lead, instant)}, null))"


def responsible_now_sql(lead: str, now: str, owner: str, is_assigned: str = "1") -> str:
	"""As `responsible_sql`, of the present: the owner is today's."""
	return f"coalesce({person_sql(owner)}, if({is_assigned}, {assignee_sql(lead, now)}, null))"


def assignee_sql(lead: str, instant: str) -> str:
	"""Who a lead was assigned to at an instant, or null; both are SQL expressions."""
	return f"""(
		select assigned.allocated_to from `tabToDo` assigned
		where
			assigned.reference_type = 'Lead' and assigned.reference_name = {lead}
			and ifnull(assigned.allocated_to, '') not in {NO_PERSONS}
			and assigned.creation <= {instant} and (assigned.status = 'Open' or assigned.modified > {instant})
		order by assigned.creation desc, assigned.name desc limit 1
	)"""
