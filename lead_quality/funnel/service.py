"""The stage log: the one record of which stage each lead entered, and when."""

from collections.abc import Collection
from datetime import datetime

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.base import query
from lead_quality.base.links import DELETED
from lead_quality.base.rows import insert_rows
from lead_quality.base.versions import lead_field, lead_source
from lead_quality.engine.conversion import STAGES, TWO_WAY, Evidence, current_stage, new_entries
from lead_quality.funnel import credit, journey, summary
from lead_quality.funnel.lead_save import AT_ONCE, LeadSave, LeadWriter

ROWS_AT_ONCE = 2_000

# Of several rows the one that was written last tells the stage, not the one that was entered last: a touch of the day
# before yesterday may be logged today. Rows of one moment are in the order of the stages.
WRITTEN_LAST = (
	f"creation desc, entered_at desc, field(stage, {', '.join(repr(stage) for stage in STAGES)}) desc"
)


def enter_target(save: LeadSave):
	"""Log a new lead as a target, at its creation."""
	_append(save.lead, "target", None, get_datetime(save.lead.creation), writer=save)
	save.summarise(save.lead, lq_stage="target")


def enter_stage(lead: str, stage: str, at: datetime, reference=None) -> bool:
	"""Log that a lead has entered a stage, unless it is already that far.

	:param at: naive instant in the site's zone; of one before the lead came in, its entry counts.
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
	"""The stage that the row written last names. Locks the lead and then the row, so that two documents cannot both log
	a stage."""
	frappe.db.get_value("Lead", lead, "name", for_update=True)
	rows = frappe.db.sql_list(
		f"select stage from `tabLead Stage Log` where `lead` = %s order by {WRITTEN_LAST} limit 1 for update",
		(lead,),
	)
	return rows[0] if rows else None


def evidence_of(lead: str) -> Evidence:
	"""Which documents exist now that prove a stage of this lead."""
	proofs = proofs_of([lead])
	return Evidence(
		two_way_contact=bool(proofs["prospect"]),
		opportunity=bool(proofs["opportunity"]),
		sales_order=bool(proofs["sale"]),
	)


def proofs_of(leads: Collection[str]) -> dict[str, dict[str, frappe._dict]]:
	"""Stage to, by lead, the first document that proves it: `doctype`, `name`, `creation`, `currency`, `value`."""
	found = {
		"prospect": ("Lead Touch", credit.first_conversations(leads, TWO_WAY)),
		"opportunity": ("Opportunity", credit.first_opportunities(leads)),
		"sale": ("Sales Order", credit.first_orders(leads)),
	}
	return {
		stage: {lead: frappe._dict(row, doctype=doctype) for lead, row in rows.items()}
		for stage, (doctype, rows) in found.items()
	}


# whose an opportunity is


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
	"""An Opportunity was given to another party: its new lead enters the stage, its old one may leave it."""
	if opportunity.lq_lead:
		enter_stage(opportunity.lq_lead, "opportunity", now_datetime(), opportunity)
	if before.lq_lead:
		review_stage(before.lq_lead)


def leads_of_order(order) -> list[str]:
	"""The leads that a stored Sales Order document is credited to; see `credit`."""
	return credit.leads_of_orders([order.name]).get(order.name, [])


def credit_opportunities() -> list[str]:
	"""Credit the Opportunities that came in without document events to their leads, in two statements; returns those
	leads."""
	leads = frappe.db.sql_list(
		"""
		select distinct l.name from `tabOpportunity` o join `tabLead` l on l.name = o.party_name
		where o.lq_lead is null and o.opportunity_from = 'Lead'
		"""
	)
	if leads:
		frappe.db.sql(
			"""
			update `tabOpportunity` o join `tabLead` l on l.name = o.party_name set o.lq_lead = l.name
			where o.lq_lead is null and o.opportunity_from = 'Lead'
			"""
		)
	prospects = frappe.db.sql_list(
		"select distinct party_name from `tabOpportunity` where lq_lead is null and opportunity_from = 'Prospect'"
	)
	for prospect, lead in credit.leads_of_prospects(prospects).items():
		frappe.db.sql(
			"""
			update `tabOpportunity` set lq_lead = %s
			where lq_lead is null and opportunity_from = 'Prospect' and party_name = %s
			""",
			(lead, prospect),
		)
		leads.append(lead)
	return leads


# leads that are deleted or merged


def forget_lead(lead: str, remnant: str):
	"""A deleted lead keeps its rows in the log, so that past months keep their totals, but no name and no person.

	Not even its number, which Frappe gives to the next lead when the last one is deleted.

	:param remnant: what stands for the lead from now on.
	"""
	frappe.db.set_value(
		"Lead Stage Log",
		{"lead": lead},
		{"lead": remnant, "owner_user": None},
		update_modified=False,
	)


def has_orphaned_rows(lead: str) -> bool:
	"""Whether rows still name a lead that no longer exists: it was deleted without document events, and its name is
	used again."""
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
	"""Names of leads that were deleted without document events, as a Transaction Deletion Record does, and that rows of
	ours still name. Reads an index of each table from end to end."""
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
			"parent": query.among(
				frappe.get_all("DocType", {"module": "Lead Quality", "istable": 0}, pluck="name")
			),
		},
		["parent", "fieldname"],
		order_by="parent asc, idx asc",
	)


# leads that came in without document events, and documents of which no event has told


def leads_without_stage(limit: int) -> list[str]:
	"""Leads that came in without document events, such as those from before the install, the oldest first."""
	return frappe.db.sql_list(
		"""
		select name from `tabLead` where lq_stage is null or lq_stage = '' order by creation limit %s
		""",
		(limit,),
	)


def changed_leads(since: datetime | None) -> list[str]:
	"""Leads that an Opportunity, an order or a customer goes back to that has changed since an instant (naive, the
	site's zone); all, where there is none. What was made without document events may have no date of a change."""
	values = {"since": since}
	changed = (
		"(t.modified >= %(since)s or t.creation >= %(since)s or t.modified is null)" if since else "1 = 1"
	)
	opportunities = frappe.db.sql_list(
		f"select distinct t.lq_lead from `tabOpportunity` t where t.lq_lead is not null and {changed}", values
	)
	orders = frappe.db.sql_list(
		f"""
		select t.name from `tabSales Order` t where t.docstatus in (1, 2) and {changed}
		union
		select so.name from `tabCustomer` t join `tabSales Order` so on so.customer = t.name and so.docstatus = 1
		where {changed}
		""",
		values,
	)
	leads = {lead for some in credit.leads_of_orders(orders).values() for lead in some}
	return sorted({*opportunities, *leads, *credit_opportunities()})


def derive_stages(lead: str, now: datetime | None = None) -> bool:
	"""Log what the documents of one lead prove, at their creation; see `derive`."""
	return bool(derive([lead], now))


def derive(
	leads: Collection[str], now: datetime | None = None, is_derived: int = 0, again: bool = False
) -> int:
	"""Log the stages that the documents of some leads prove and the log does not know of, at their creation, and show
	them on the leads. A stage that lies before the lead's entry is entered with it.

	:param now: naive instant in the site's zone.
	:param is_derived: 1 if the documents were made without document events, and are found only now.
	:param again: what has been derived of leads of which nothing else is known is derived anew, as more is known now.
	:returns: how many rows were logged that were not there before.
	"""
	now = now or now_datetime()
	rows = query.run(
		f"""
		select name, creation, lq_stage, {", ".join(f"`{column}`" for column in _at_entry())}
		from `tabLead` where name in %(leads)s order by name for update
		""",
		{"leads": leads},
		as_dict=True,
	)
	names = [row.name for row in rows]
	known = _known(names)
	dropped = _drop_derived(known) if again else 0
	proofs = proofs_of(names)
	made = []
	for row in rows:
		log = known.get(row.name)
		entry = log.entry if log else get_datetime(row.creation)
		found = {stage: rows[row.name] for stage, rows in proofs.items() if row.name in rows}
		instants = {
			"target": entry,
			**{stage: get_datetime(proof.creation) for stage, proof in found.items()},
		}
		row.stage = log and log.stage
		for stage, left, at in new_entries(row.stage, instants, entry):
			made.append(_log_row(row, stage, left, at, found.get(stage), is_derived))
			row.stage = stage
	for start in range(0, len(made), ROWS_AT_ONCE):
		insert_rows("Lead Stage Log", made[start : start + ROWS_AT_ONCE], now)
	_show([row for row in rows if row.stage != row.lq_stage], is_derived)
	journey.mark(*(row["lead"] for row in made), *(row.name for row in rows if row.stage != row.lq_stage))
	return max(len(made) - dropped, 0)


def _known(leads: list[str]) -> dict[str, frappe._dict]:
	"""Lead to its `stage`, its `entry` (when it came in), and whether all of its log `is_derived`."""
	known: dict[str, frappe._dict] = {}
	for lead, stage, entered_at, is_derived in query.run(
		f"""
		select `lead`, stage, entered_at, is_derived from `tabLead Stage Log`
		where `lead` in %(leads)s order by {WRITTEN_LAST} lock in share mode
		""",
		{"leads": leads},
	):
		log = known.setdefault(lead, frappe._dict(stage=stage, entry=entered_at, is_derived=1))
		log.entry = min(log.entry, entered_at)
		log.is_derived = log.is_derived and is_derived
	return known


def _drop_derived(known: dict[str, frappe._dict]) -> int:
	"""Forget the log of leads of which all is derived. Returns how many rows that were."""
	leads = [lead for lead, log in known.items() if log.is_derived]
	journey.mark(*leads)
	dropped = query.run(
		"select count(*) from `tabLead Stage Log` where `lead` in %(leads)s", {"leads": leads}
	)
	query.run("delete from `tabLead Stage Log` where `lead` in %(leads)s", {"leads": leads})
	for lead in leads:
		del known[lead]
	return dropped[0][0]


def _show(rows: list, is_derived: int):
	"""Write the stage of some leads to their summary: of many at once, nobody's open form hears of it."""
	if not is_derived:
		for row in rows:
			summary.write(row.name, lq_stage=row.stage)
		return
	for stage in STAGES:
		query.run(
			"update `tabLead` set lq_stage = %(stage)s where name in %(leads)s",
			{"stage": stage, "leads": [row.name for row in rows if row.stage == stage]},
		)


def complete_segments():
	"""Derived rows of leads that had no segment yet, as the hourly sorting had not come to them, take the present
	one."""
	frappe.db.sql(
		"""
		update `tabLead Stage Log` log join `tabLead` l on l.name = log.lead
		set log.segment = l.lq_segment
		where log.is_derived = 1 and log.segment is null and l.lq_segment is not null
		"""
	)


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


def _change_stage(lead: str, stage: str, left: str | None, at: datetime, reference):
	doc = frappe.db.get_value("Lead", lead, ["name", "creation", *_at_entry()], as_dict=True)
	if not doc:
		return
	_append(doc, stage, left, max(get_datetime(at), get_datetime(doc.creation)), reference)
	summary.write(lead, lq_stage=stage)


def _at_entry() -> tuple[str | None, ...]:
	"""The columns of a lead that a row of the log keeps as they were."""
	return "lq_segment", "lead_owner", "territory", lead_field("source"), lead_field("campaign_name")


def _append(
	lead,
	stage: str,
	left: str | None,
	at: datetime,
	reference=None,
	writer: LeadWriter = AT_ONCE,
):
	writer.insert_rows("Lead Stage Log", [_log_row(lead, stage, left, at, reference)], now_datetime())


def _log_row(lead, stage: str, left: str | None, at: datetime, reference, is_derived: int = 0) -> dict:
	""":param reference: the document, or a row of `proofs_of`, that proves the stage; None of a target."""
	proof = reference or frappe._dict()
	return {
		"lead": lead.name,
		"stage": stage,
		"left_stage": left,
		"entered_at": at,
		"is_derived": is_derived,
		"source": lead_source(lead),
		"campaign": lead.get(lead_field("campaign_name")),
		"segment": lead.get("lq_segment"),
		"territory": lead.get("territory"),
		"owner_user": lead.get("lead_owner"),
		"reference_doctype": proof.get("doctype"),
		"reference_name": proof.get("name"),
		"currency": proof.get("currency"),
		"value": proof.get("grand_total") or proof.get("opportunity_amount") or proof.get("value") or 0,
	}
