"""Which lead an Opportunity stays credited to, and what happens when it gets another one."""

from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.funnel import corrections, credit, journey
from lead_quality.funnel.service import enter_stage


def credited_lead(opportunity) -> str | None:
	"""The lead that an Opportunity document is credited to: its party; of a Prospect, see
	`credit.leads_of_prospects`."""
	if opportunity.opportunity_from == "Lead":
		return opportunity.party_name
	if opportunity.opportunity_from != "Prospect":
		return None
	return credit.leads_of_prospects([opportunity.party_name]).get(opportunity.party_name)


def keep_credit(opportunity):
	"""A stored Opportunity document stays credited to the same lead, unless it has been given to another party."""
	moved = opportunity.has_value_changed("opportunity_from") or opportunity.has_value_changed("party_name")
	before = opportunity.get_doc_before_save()
	opportunity.lq_lead = credited_lead(opportunity) if moved or not before else before.lq_lead


def move_opportunity(opportunity, before):
	"""An Opportunity was given to another party: its new lead enters the stage, its old one may leave it. Its quotations
	go with it, also where neither does."""
	journey.mark(opportunity.lq_lead, before.lq_lead)
	if opportunity.lq_lead:
		enter_stage(opportunity.lq_lead, "opportunity", now_datetime(), opportunity)
	if before.lq_lead:
		corrections.review_documents(before.lq_lead)


def credit_opportunities() -> list[str]:
	"""Credit the Opportunities that came in without document events to their leads, in two statements; returns those
	leads."""
	leads = query.run(
		"""
		select distinct l.name from `tabOpportunity` o join `tabLead` l on l.name = o.party_name
		where o.lq_lead is null and o.opportunity_from = 'Lead'
		""",
		pluck=True,
	)
	if leads:
		query.run(
			"""
			update `tabOpportunity` o join `tabLead` l on l.name = o.party_name set o.lq_lead = l.name
			where o.lq_lead is null and o.opportunity_from = 'Lead'
			"""
		)
	prospects = query.run(
		"select distinct party_name from `tabOpportunity` where lq_lead is null and opportunity_from = 'Prospect'",
		pluck=True,
	)
	for prospect, lead in credit.leads_of_prospects(prospects).items():
		query.run(
			"""
			update `tabOpportunity` set lq_lead = %s
			where lq_lead is null and opportunity_from = 'Prospect' and party_name = %s
			""",
			(lead, prospect),
		)
		leads.append(lead)
	return leads
