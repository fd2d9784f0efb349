"""The stage log: the one record of which stage each lead entered, and when."""

from collections.abc import Collection
from datetime import datetime

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.base import query
from lead_quality.base.links import DELETED
from lead_quality.base.versions import lead_field, lead_source
from lead_quality.engine.conversion import STAGES, TWO_WAY, Evidence, current_stage
from lead_quality.funnel import credit, known, summary
from lead_quality.funnel.lead_save import AT_ONCE, LeadSave, LeadWriter

ROWS_AT_ONCE = 2_000

# SQL: whether rows still name a lead that does not exist: one was deleted without document events, and its name is used again
ORPHANED = """
	exists (select 1 from `tabLead Stage Log` where lead = %(lead)s)
	and not exists (select 1 from `tabLead` where name = %(lead)s)
"""

# Of several rows the one that was written last tells the stage, not the one that was entered last: a touch of the day
# before yesterday may be logged today. Rows of one moment are in the order of the stages.
WRITTEN_LAST = (
	f"creation desc, entered_at desc, field(stage, {', '.join(repr(stage) for stage in STAGES)}) desc"
)


def enter_target(save: LeadSave):
	"""Log a new lead as a target, at its creation."""
	lead = save.lead
	row = log_row(lead, STAGES[0], None, get_datetime(lead.creation), None)
	save.insert_rows("Lead Stage Log", [{**row, "facts": known.as_json(lead)}], now_datetime())
	save.summarise(lead, lq_stage="target")


def enter_stage(lead: str, stage: str, at: datetime, reference=None) -> bool:
	"""Log that a lead has entered a stage, unless it is already that far.

	:param at: naive instant in the site's zone; of one before the lead came in, its entry counts.
	:param reference: the document that proves it; its amount is kept with the row.
	:returns: whether anything was logged.
	"""
	current = stage_of(lead)
	if current and STAGES.index(current) >= STAGES.index(stage):
		return False
	if not current and stage != STAGES[0]:
		# it came in past every hook, and something happens to it before a job has come to it
		_enter_as_found(lead)
		current = STAGES[0]
	_change_stage(lead, stage, current, at, reference)
	return True


def _enter_as_found(lead: str):
	doc = frappe.db.get_value("Lead", lead, ["name", "creation", *at_entry()], as_dict=True)
	if doc:
		row = log_row(doc, STAGES[0], None, get_datetime(doc.creation), None, is_derived=1)
		AT_ONCE.insert_rows("Lead Stage Log", [row], now_datetime())


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
	rows = query.run(
		f"select stage from `tabLead Stage Log` where `lead` = %s order by {WRITTEN_LAST} limit 1 for update",
		(lead,),
		pluck=True,
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


def leads_of_order(order) -> list[str]:
	"""The leads that a stored Sales Order document is credited to; see `credit`."""
	return credit.leads_of_orders([order.name]).get(order.name, [])


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


def missing_leads(limit: int) -> list[str]:
	"""Names of leads that were deleted without document events, as a Transaction Deletion Record does, and that rows of
	ours still name. Reads an index of each table from end to end."""
	found: set[str] = set()
	for link in _links_to_leads():
		column = f"t.`{link.fieldname}`"
		found.update(
			query.run(
				f"""
				select distinct {column} from `tab{link.parent}` t left join `tabLead` l on l.name = {column}
				where l.name is null and {column} is not null and {column} not like %s order by {column} limit %s
				""",
				(f"{DELETED}%", limit),
				pluck=True,
			)
		)
	return sorted(found)[:limit]


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
	doc = frappe.db.get_value("Lead", lead, ["name", "creation", *at_entry()], as_dict=True)
	if not doc:
		return
	_append(doc, stage, left, max(get_datetime(at), get_datetime(doc.creation)), reference)
	summary.write(lead, lq_stage=stage)


def at_entry() -> tuple[str | None, ...]:
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
	writer.insert_rows("Lead Stage Log", [log_row(lead, stage, left, at, reference)], now_datetime())


def log_row(lead, stage: str, left: str | None, at: datetime, reference, is_derived: int = 0) -> dict:
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
