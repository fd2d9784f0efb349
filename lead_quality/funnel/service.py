"""The stage log: the one record of which stage each lead entered, and when."""

from datetime import datetime

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.base.rows import insert_rows
from lead_quality.base.versions import lead_field, lead_source
from lead_quality.engine.conversion import STAGES, Evidence, current_stage
from lead_quality.funnel import summary
from lead_quality.funnel.lead_save import AT_ONCE, LeadSave, LeadWriter

# what a row names that is kept for the totals of past months, in place of a deleted lead
DELETED = "deleted-"


def enter_target(save: LeadSave):
	"""Log a new lead as a target, at its creation."""
	_append(save.lead, "target", None, get_datetime(save.lead.creation), writer=save)
	save.summarise(save.lead, lq_stage="target")


def enter_stage(lead: str, stage: str, at: datetime, reference=None) -> bool:
	"""Log that a lead has entered a stage, unless it is already that far.

	:param at: naive instant in the site's zone.
	:param reference: the document that proves it; its amount is kept with the row.
	:returns: whether anything was logged.
	"""
	current = stage_of(lead)
	if current and STAGES.index(current) >= STAGES.index(stage):
		return False
	_change_stage(lead, stage, current, at, reference)
	return True


def review_stage(lead: str, now: datetime | None = None) -> bool:
	"""Log a step back when the document that proved the present stage is gone (deleted or cancelled).

	:param now: naive instant in the site's zone.
	:returns: whether anything was logged.
	"""
	current = stage_of(lead)
	proven = current_stage(evidence_of(lead))
	if not current or STAGES.index(proven) >= STAGES.index(current):
		return False
	_change_stage(lead, proven, current, now or now_datetime(), None)
	return True


def stage_of(lead: str) -> str | None:
	"""The stage that the row written last names. Locks it, so that two documents cannot both log a stage.

	Written last, not entered last: a touch of the day before yesterday may be logged today.
	"""
	return frappe.db.get_value(
		"Lead Stage Log", {"lead": lead}, "stage", order_by="creation desc, entered_at desc", for_update=True
	)


def evidence_of(lead: str) -> Evidence:
	"""Which documents exist now that prove a stage of this lead."""
	return Evidence(
		two_way_contact=bool(
			frappe.db.exists(
				"Lead Touch",
				{
					"lead": lead,
					"status": "Done",
					"outcome": ["in", ["Connected", "Replied", "Positive", "Negative", "Meeting Booked"]],
				},
			)
		),
		opportunity=bool(opportunities_of(lead)),
		sales_order=bool(first_order_of(lead)),
	)


def opportunities_of(lead: str) -> list[str]:
	"""Names of the Opportunities that are credited to a lead, the oldest first."""
	rows = frappe.db.sql(
		"""
		select name, creation from `tabOpportunity` where lq_lead = %(lead)s
		union
		select name, creation from `tabOpportunity` where opportunity_from = 'Lead' and party_name = %(lead)s
		order by creation
		""",
		{"lead": lead},
	)
	return [row[0] for row in rows]


def credited_lead(opportunity) -> str | None:
	"""The lead that an Opportunity document goes back to: its party; of a Prospect, the first lead that is sales
	ready, else the first."""
	if opportunity.opportunity_from == "Lead":
		return opportunity.party_name
	if opportunity.opportunity_from != "Prospect":
		return None
	leads = frappe.db.sql_list(
		"""
		select l.name from `tabProspect Lead` row join `tabLead` l on l.name = row.lead
		where row.parent = %s order by l.lq_verdict = 'Sales Ready' desc, l.creation limit 1
		""",
		(opportunity.party_name,),
	)
	return leads[0] if leads else None


def keep_credit(opportunity):
	"""A stored Opportunity document stays credited to the same lead, unless it has been given to another party."""
	moved = opportunity.has_value_changed("opportunity_from") or opportunity.has_value_changed("party_name")
	before = opportunity.get_doc_before_save()
	opportunity.lq_lead = credited_lead(opportunity) if moved or not before else before.lq_lead


def first_order_of(lead: str) -> str | None:
	"""The first submitted Sales Order that goes back to the lead, by its quotation, opportunity or customer."""
	orders = frappe.db.sql(
		"""
		select so.name, so.creation from `tabSales Order` so
		join `tabCustomer` c on c.name = so.customer
		where so.docstatus = 1 and (c.lead_name = %(lead)s or c.opportunity_name in %(opportunities)s)
		union
		select so.name, so.creation from `tabQuotation` q
		join `tabSales Order Item` item on item.prevdoc_docname = q.name
		join `tabSales Order` so on so.name = item.parent
		where so.docstatus = 1
			and ((q.quotation_to = 'Lead' and q.party_name = %(lead)s) or q.opportunity in %(opportunities)s)
		order by creation limit 1
		""",
		{"lead": lead, "opportunities": opportunities_of(lead) or [""]},
	)
	return orders[0][0] if orders else None


def leads_of_order(order) -> list[str]:
	"""The leads that a Sales Order goes back to: by its quotations, else by its customer.

	:param order: a Sales Order document.
	"""
	leads: set[str] = set()
	quotations = {item.prevdoc_docname for item in order.items if item.get("prevdoc_docname")}
	for name in quotations:
		quotation = frappe.db.get_value(
			"Quotation", name, ["quotation_to", "party_name", "opportunity"], as_dict=True
		)
		if quotation and quotation.quotation_to == "Lead":
			leads.add(quotation.party_name)
		elif quotation and quotation.opportunity:
			leads.add(lead_of_opportunity(quotation.opportunity))
	leads.discard(None)
	return sorted(leads) or leads_of_customer(order.customer)


def leads_of_customer(customer: str) -> list[str]:
	"""The lead that a Customer was made from, directly or by way of an Opportunity."""
	row = frappe.db.get_value("Customer", customer, ["lead_name", "opportunity_name"], as_dict=True)
	if not row:
		return []
	lead = row.lead_name or (row.opportunity_name and lead_of_opportunity(row.opportunity_name))
	return [lead] if lead else []


def lead_of_opportunity(opportunity: str) -> str | None:
	"""The lead that an Opportunity is credited to, or None if it came from a Customer."""
	row = frappe.db.get_value(
		"Opportunity", opportunity, ["lq_lead", "opportunity_from", "party_name"], as_dict=True
	)
	return row and (row.lq_lead or (row.party_name if row.opportunity_from == "Lead" else None))


def move_opportunity(opportunity, before):
	"""An Opportunity was given to another party: its new lead enters the stage, its old one may leave it."""
	if opportunity.lq_lead:
		enter_stage(opportunity.lq_lead, "opportunity", now_datetime(), opportunity)
	if before.lq_lead:
		review_stage(before.lq_lead)


def forget_lead(lead: str):
	"""A deleted lead keeps its rows in the log, so that past months keep their totals, but no name and no person.

	Not even its number, which Frappe gives to the next lead when the last one is deleted.
	"""
	frappe.db.set_value(
		"Lead Stage Log",
		{"lead": lead},
		{"lead": f"{DELETED}{frappe.generate_hash(length=12)}", "owner_user": None},
		update_modified=False,
	)


def has_past_of_nobody(lead: str) -> bool:
	"""Whether rows still name a lead that there is not: it was deleted past every event, and its name comes again."""
	return bool(
		frappe.db.sql(
			"""
			select 1 from `tabLead Stage Log`
			where lead = %(lead)s and not exists (select 1 from `tabLead` where name = %(lead)s) limit 1
			""",
			{"lead": lead},
		)
	)


def missing_leads(limit: int) -> list[str]:
	"""Names of leads that were deleted past every event, as a Transaction Deletion Record does, and that rows of ours
	still name. Reads an index of each table from end to end."""
	belonging = " union ".join(
		f"select `{link.fieldname}` as lead from `tab{link.parent}`" for link in _links_to_leads()
	)
	return frappe.db.sql_list(
		f"""
		select belongs.lead from ({belonging}) belongs
		left join `tabLead` l on l.name = belongs.lead
		where l.name is null and belongs.lead is not null and belongs.lead not like %s
		order by belongs.lead limit %s
		""",
		(f"{DELETED}%", limit),
	)


def _links_to_leads() -> list:
	return frappe.get_all(
		"DocField",
		{
			"fieldtype": "Link",
			"options": "Lead",
			"parent": [
				"in",
				frappe.get_all("DocType", {"module": "Lead Quality", "istable": 0}, pluck="name"),
			],
		},
		["parent", "fieldname"],
		order_by="parent asc, idx asc",
	)


def leads_without_stage(limit: int) -> list:
	"""Leads that came in past every hook, such as those from before the install, the oldest first."""
	source = lead_field("source")
	return frappe.db.sql(
		f"""
		select l.name, l.creation, l.`{source}` as source, l.lq_segment, l.lead_owner from `tabLead` l
		left join `tabLead Stage Log` log on log.lead = l.name
		where log.name is null order by l.creation limit %s
		""",
		(limit,),
		as_dict=True,
	)


def leads_behind_documents(limit: int) -> list[str]:
	"""Leads with an Opportunity or an order that the log does not know of."""
	return frappe.db.sql_list(
		"""
		select distinct o.party_name from `tabOpportunity` o
		join `tabLead` l on l.name = o.party_name
		where o.opportunity_from = 'Lead' and l.lq_stage in ('target', 'prospect')
		union
		select distinct c.lead_name from `tabCustomer` c
		join `tabSales Order` so on so.customer = c.name and so.docstatus = 1
		join `tabLead` l on l.name = c.lead_name
		where l.lq_stage in ('target', 'prospect', 'opportunity')
		limit %s
		""",
		(limit,),
	)


def derive_targets(leads: list) -> int:
	"""Log leads that came in past every hook as targets since their creation.

	:returns: how many were logged; a lead that another run has logged meanwhile is left out.
	"""
	missing = set(
		frappe.db.sql_list(
			"""
			select l.name from `tabLead` l where l.name in %s
			and not exists (select 1 from `tabLead Stage Log` log where log.lead = l.name) for update
			""",
			([lead.name for lead in leads],),
		)
	)
	if not missing:
		return 0
	insert_rows(
		"Lead Stage Log",
		[
			{
				"lead": lead.name,
				"stage": "target",
				"entered_at": lead.creation,
				"is_derived": 1,
				"source": lead.source,
				"segment": lead.lq_segment,
				"owner_user": lead.lead_owner,
			}
			for lead in leads
			if lead.name in missing
		],
		now_datetime(),
	)
	frappe.db.sql("update `tabLead` set lq_stage = 'target' where name in %s", (list(missing),))
	return len(missing)


def derive_stages(lead: str, now: datetime | None = None, is_derived: int = 0) -> bool:
	"""Log the opportunity and the sale of a lead for the documents that it has, at their creation.

	:param is_derived: 1 if the documents were made past every hook, and are found only now.
	:returns: whether anything was logged.
	"""
	logged = False
	for stage, doctype, name in (
		("opportunity", "Opportunity", next(iter(opportunities_of(lead)), None)),
		("sale", "Sales Order", first_order_of(lead)),
	):
		current = stage_of(lead)
		if name and STAGES.index(stage) > STAGES.index(current or "target"):
			reference = frappe.get_doc(doctype, name)
			_change_stage(lead, stage, current, reference.creation, reference, is_derived)
			logged = True
	refresh_stage(lead)
	return logged


def merge_into(lead: str):
	"""Two leads have become one: it is as far as the further of them was."""
	proven = current_stage(evidence_of(lead))
	if not enter_stage(lead, proven, now_datetime()):
		refresh_stage(lead)


def refresh_stage(lead: str):
	"""Write the log's present stage to the lead's summary, if that says something else."""
	stage = stage_of(lead)
	if stage and frappe.db.get_value("Lead", lead, "lq_stage") != stage:
		summary.write(lead, lq_stage=stage)


def _change_stage(lead: str, stage: str, left: str | None, at, reference, is_derived: int = 0):
	doc = frappe.db.get_value(
		"Lead", lead, ["name", "lq_segment", "lead_owner", lead_field("source")], as_dict=True
	)
	if not doc:
		return
	_append(doc, stage, left, at, reference, is_derived)
	summary.write(lead, lq_stage=stage)


def _append(
	lead,
	stage: str,
	left: str | None,
	at: datetime,
	reference=None,
	is_derived: int = 0,
	writer: LeadWriter = AT_ONCE,
):
	row = {
		"lead": lead.name,
		"stage": stage,
		"left_stage": left,
		"entered_at": at,
		"is_derived": is_derived,
		"source": lead_source(lead),
		"segment": lead.get("lq_segment"),
		"owner_user": lead.get("lead_owner"),
	}
	if reference is not None:
		row["reference_doctype"] = reference.doctype
		row["reference_name"] = reference.name
		row["currency"] = reference.get("currency")
		row["value"] = reference.get("grand_total") or reference.get("opportunity_amount") or 0
	writer.insert_rows("Lead Stage Log", [row], now_datetime())
