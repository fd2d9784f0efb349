"""Who is to act on a clock: the receiver of a handover for its answer, else whoever is responsible for the lead."""

import frappe

from lead_quality.base import query
from lead_quality.people.responsible import responsible_now_sql, responsible_sql
from lead_quality.qualification.segments import policy_of

# what a query that names the clocks `c` joins to ask `responsible_for_clock`
JOINS = """
	left join `tabLead` on `tabLead`.name = c.lead
	left join `tabLead Handover` h on h.name = c.reference_name and c.reference_doctype = 'Lead Handover'
"""


def responsible_for_clock(instant: str) -> str:
	"""Who was to act on a clock at an instant, or null, as SQL; the query has `JOINS`.

	:param instant: an SQL expression.
	"""
	return _or_receiver(responsible_sql("c.lead", instant, "`tabLead`.lead_owner"))


def responsible_for_clock_now() -> str:
	"""As `responsible_for_clock`, of the present; the query binds `now`."""
	return _or_receiver(responsible_now_sql("c.lead", "%(now)s", "`tabLead`.lead_owner"))


def _or_receiver(responsible: str) -> str:
	return f"if(c.clock = 'Handover Acceptance' and h.name is not null, h.to_user, {responsible})"


def at_deadline(clocks: list[str]) -> dict[str, str | None]:
	"""Names of Follow Up Clocks to who was to act on them when their deadlines passed."""
	if not clocks:
		return {}
	return dict(
		query.run(
			f"select c.name, {responsible_for_clock('c.due_at')} from `tabFollow Up Clock` c {JOINS} where c.name in %s",
			(clocks,),
		)
	)


class Responsible:
	"""Who is to act on some clocks, and what is known of their leads and handovers; read once for all of them."""

	def __init__(self, clocks: list, now):
		""":param now: naive instant in the site's zone."""
		self.leads = sorted({clock.lead for clock in clocks})
		self._known = {
			row.name: row
			for row in query.run(
				f"""
				select
					c.name, {responsible_for_clock_now()} as now, {responsible_for_clock("c.due_at")} as at_deadline,
					`tabLead`.lq_segment, `tabLead`.company,
					if(c.clock = 'Handover Acceptance', h.from_user, null) as sender
				from `tabFollow Up Clock` c {JOINS}
				where c.name in %(clocks)s
				""",
				{"clocks": [clock.name for clock in clocks], "now": now},
				as_dict=True,
			)
		}

	def now(self, clock) -> str | None:
		"""Who is to act on a clock."""
		return self._known[clock.name].now

	def at_deadline(self, clock) -> str | None:
		"""Who was to act on a clock when its deadline passed."""
		return self._known[clock.name].at_deadline

	def sender(self, clock) -> str | None:
		"""Who has sent the handover whose answer a clock waits for; None for every other clock."""
		return self._known[clock.name].sender

	def segment(self, clock) -> str | None:
		return self._known[clock.name].lq_segment

	def policy(self, clock):
		"""The policy that a clock was started by, else that of its lead, or None."""
		if clock.policy:
			return frappe.get_cached_doc("Follow Up Policy", clock.policy)
		return policy_of(self._known[clock.name])
