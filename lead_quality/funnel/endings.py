"""When a lead is closed, for whatever reason: the one place that decides it. What follows is done by the rooms to the
right (`follow_up.endings`), each called by name.

A lead is over once it

- is converted: ERPNext says so, a Customer was made from it, or it has ordered;
- is lost: ERPNext says that its quotation was lost, or all of its Opportunities are lost and no quotation is out;
- is disqualified: its verdict says so;
- wants no contact: ERPNext's status or an opt-out of all channels says so.

Whoever is lost may be taken up again: what begins after the end stands, until the lead is lost once more. Of the others
nothing goes on as long as they are over.
"""

from collections.abc import Collection, Mapping

import frappe
from frappe import _

from lead_quality.base import query
from lead_quality.base.texts import link_to
from lead_quality.funnel import credit
from lead_quality.funnel.conditions import HISTORY_READ, NUMBER_KEYS, WANTS_NO_CONTACT, open_enrollment
from lead_quality.permissions import name_for

CONVERTED, LOST, DISQUALIFIED, NO_CONTACT = ("Converted", "Lost", "Disqualified", "No Contact")
# that nobody can be worked on while it lasts
FINAL = (CONVERTED, DISQUALIFIED, NO_CONTACT)

# what ERPNext's own status says by itself
STATUSES = {"Converted": CONVERTED, "Lost Quotation": LOST, "Do Not Contact": NO_CONTACT}


def endings_of(leads: Collection[str], stages: Mapping[str, str] | None = None) -> dict[str, str]:
	"""Lead to why it is over, as it is stored now; a lead that is not over is left out.

	:param stages: lead to its stage, where the summary does not show it yet.
	"""
	stages = stages or {}
	rows = query.run(
		f"""
		select `tabLead`.name, `tabLead`.status, `tabLead`.lq_stage, `tabLead`.lq_verdict,
			{WANTS_NO_CONTACT} as wants_no_contact
		from `tabLead` where `tabLead`.name in %(leads)s
		""",
		{"leads": leads},
		as_dict=True,
	)
	opportunities = credit.opportunities_of(leads)
	customers, lost = credit.customers_of(leads, opportunities), _lost_leads(opportunities)
	endings = {}
	for row in rows:
		stage = stages.get(row.name, row.lq_stage)
		if row.status == "Converted" or stage == "sale" or row.name in customers:
			endings[row.name] = CONVERTED
		elif row.wants_no_contact:
			endings[row.name] = NO_CONTACT
		elif row.lq_verdict == DISQUALIFIED:
			endings[row.name] = DISQUALIFIED
		elif row.status == "Lost Quotation" or (row.name in lost and row.status != "Quotation"):
			endings[row.name] = LOST
	return endings


def _lost_leads(opportunities: Collection[str]) -> set[str]:
	"""The leads of all whose Opportunities each is lost."""
	return set(
		query.run(
			f"""
			select {credit.LEAD_OF_OPPORTUNITY} as `lead` from `tabOpportunity` o
			where o.name in %(opportunities)s
			group by 1 having sum(o.status != 'Lost') = 0
			""",
			{"opportunities": opportunities},
			pluck=True,
		)
	)


# unmarked leads of somebody who wants no contact at all, as those that were inserted in bulk
_OPTED_OUT = " union ".join(
	f"""
	select l.name from `tabContact Opt Out` o join `tabLead` l on l.{of_lead} = o.{of_opt_out}
	where o.channel = 'All' and o.{of_opt_out} != '' and l.lq_over is null
	"""
	for of_opt_out, of_lead in (("email_id", "email_id"), *(("phone_key", key) for key in NUMBER_KEYS))
)
# Leads that may be over without being marked so, or are marked without being over any more: what is looked for where no
# event has told of it. Each part starts at an index. Some find leads that are marked rightly, such as those of a prospect
# that became a customer by another lead: `unmarked` leaves them out.
_CANDIDATES = f"""
	select name from `tabLead` where lq_over is null and status in %(statuses)s
	union
	select name from `tabLead` where lq_over is null and lq_stage = 'sale'
	union
	select name from `tabLead` where lq_over is null and lq_verdict = 'Disqualified'
	union
	select name from `tabLead` where lq_over = 'No Contact' and not {WANTS_NO_CONTACT}
	union
	{_OPTED_OUT}
	union
	select o.lq_lead from `tabOpportunity` o join `tabLead` l on l.name = o.lq_lead
	where o.status != 'Lost' and l.lq_over = 'Lost' and l.status != 'Lost Quotation'
	union
	select name from `tabLead` where lq_over = 'Disqualified' and ifnull(lq_verdict, '') != 'Disqualified'
	union
	select name from `tabLead`
	where lq_over = 'Converted' and status != 'Converted' and ifnull(lq_stage, '') != 'sale'
	union
	select l.name from `tabCustomer` c join `tabLead` l on l.name = c.lead_name where l.lq_over is null
	union
	select l.name from `tabCustomer` c join `tabOpportunity` o on o.name = c.opportunity_name
	join `tabLead` l on l.name = {credit.LEAD_OF_OPPORTUNITY} where l.lq_over is null
	union
	select l.name from `tabCustomer` c join `tabProspect Lead` row on row.parent = c.prospect_name
	join `tabLead` l on l.name = row.lead where c.prospect_name != '' and l.lq_over is null
	union
	select l.name from `tabOpportunity` o join `tabLead` l on l.name = {credit.LEAD_OF_OPPORTUNITY}
	where o.status = 'Lost' and l.lq_over is null and l.status != 'Quotation' and not exists (
		select 1 from `tabOpportunity` other where other.lq_lead = l.name and other.status != 'Lost'
	)
"""
# what goes on with a lead that is over
_GOING_ON = f"""
	select l.name from `tabNurture Enrollment` e join `tabLead` l on l.name = e.lead
	where {open_enrollment("e")} and l.lq_over in %(final)s
	union
	select l.name from `tabLead Handover` h join `tabLead` l on l.name = h.lead
	where h.status = 'Sent' and l.lq_over in %(final)s
"""


def unmarked(limit: int) -> list[str]:
	"""Leads whose end, or whose end's end, no event has told of; those whose history is unread are marked with that."""
	candidates = dict(
		query.run(
			f"""
			select `tabLead`.name, `tabLead`.lq_over
			from ({_CANDIDATES}) found join `tabLead` on `tabLead`.name = found.name
			where {HISTORY_READ} limit %(limit)s
			""",
			{"statuses": list(STATUSES), "limit": limit},
		)
	)
	over = endings_of(list(candidates)) if candidates else {}
	wrong = {lead for lead, marked in candidates.items() if over.get(lead) != marked}
	return sorted(
		wrong.union(query.run(_GOING_ON + " limit %(limit)s", {"final": FINAL, "limit": limit}, pluck=True))
	)


def refuse_if_final(lead: str):
	"""Refuse to begin anything with a lead of which nothing may go on, as it is stored now.

	:raises frappe.ValidationError: naming the lead, and saying what to do.
	"""
	ending = endings_of([lead]).get(lead)
	if ending not in FINAL:
		return
	what = {
		CONVERTED: _("{0} is converted. Work with its customer, or make a new lead for other business."),
		DISQUALIFIED: _("{0} is disqualified. If that was wrong, take the decision back on the lead first."),
		NO_CONTACT: _(
			"{0} has asked not to be contacted. If that has changed, delete its Contact Opt Out, and give the lead "
			"another status than Do Not Contact first."
		),
	}[ending]
	frappe.throw(
		what.format(link_to("Lead", lead, name_for(frappe.session.user, lead))),
		title=_("Lead Is Over"),
	)


def is_final(lead) -> bool:
	"""Whether nothing may be begun with a lead (a document, a row, or a name) as long as it is over."""
	if isinstance(lead, str):
		return frappe.db.get_value("Lead", lead, "lq_over") in FINAL
	return lead.get("lq_over") in FINAL
