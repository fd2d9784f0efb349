"""Corrections of the stage log after a conversation was corrected, moved, deleted or taken back, and after the document
that a stage was entered by was cancelled, deleted or given away.

The log is never edited: a row that `corrects` another one stands in its place, and reports leave the other one out.
"""

from datetime import datetime, timedelta

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.base import query
from lead_quality.base.rows import insert_rows
from lead_quality.engine.conversion import STAGES, TWO_WAY, current_stage
from lead_quality.funnel import credit, journey, service, summary
from lead_quality.funnel.conditions import HISTORY_READ, STANDS
from lead_quality.funnel.credit import LEAD_OF_OPPORTUNITY

COPIED = (
	"source",
	"campaign",
	"segment",
	"territory",
	"owner_user",
	"value",
	"currency",
	"reference_doctype",
	"reference_name",
)

# what a row says that no document stands for
NO_PROOF = {"value": 0, **dict.fromkeys(("currency", "reference_doctype", "reference_name"))}


def review_conversation(lead: str) -> bool:
	"""Let the log name the lead's first conversation of those that stand now, or none.

	:returns: whether anything was logged.
	"""
	if not frappe.db.get_value("Lead", lead, "name", for_update=True):
		return False
	current = service.stage_of(lead)
	row = _entry(lead, "log.stage = 'prospect' and log.reference_doctype = 'Lead Touch'")
	if not row or not current:
		return False
	conversations = conversations_of(lead)
	if (row.reference_name, row.entered_at) in [(touch.name, touch.done_at) for touch in conversations]:
		return False
	if conversations:
		first = conversations[0]
		_log(row, {"entered_at": first.done_at, "reference_name": first.name}, corrects=row.name)
		if current != "prospect":
			_repeat_later_stages(lead, current)
	else:
		proven = current_stage(service.evidence_of(lead))
		stage = proven if STAGES.index(proven) < STAGES.index(current) else current
		if stage == "prospect":
			return False
		_log(
			row,
			{**NO_PROOF, "stage": stage, "left_stage": current, "entered_at": now_datetime()},
			corrects=row.name,
		)
		if stage != current:
			summary.write(lead, lq_stage=stage)
	return True


def review_documents(lead: str, now: datetime | None = None) -> bool:
	"""Let the log say what the documents of a lead prove now. Without any that proves the present stage, the lead steps
	back; where the one that it was entered by is gone and another stands, that one proves it, since its creation.

	:param now: naive instant in the site's zone.
	:returns: whether anything was logged.
	"""
	if service.review_stage(lead, now):
		return True
	current = service.stage_of(lead)
	if not current:
		return False
	return sum(_review_entry(lead, stage, current) for stage in STAGES[2 : STAGES.index(current) + 1]) > 0


def _review_entry(lead: str, stage: str, current: str) -> bool:
	"""As `review_documents`, of one stage that a document proves, and that the lead has not fallen behind."""
	row = _entry(lead, "log.stage = %(stage)s and log.reference_name != ''", stage=stage)
	if not row or _proves(row, lead):
		return False
	proof = service.proofs_of([lead])[stage].get(lead)
	if not proof:  # it is further by now, and has never been here
		_log(
			row, {**NO_PROOF, "stage": current, "left_stage": current, "entered_at": now_datetime()}, row.name
		)
		return True
	entry = query.run("select min(entered_at) from `tabLead Stage Log` where `lead` = %s", (lead,))[0][0]
	values = {"reference_name": proof.name, "value": proof.value or 0, "currency": proof.currency}
	_log(row, {**values, "entered_at": max(get_datetime(proof.creation), get_datetime(entry))}, row.name)
	if stage != current:
		_repeat_later_stages(lead, current)
	return True


def _proves(row, lead: str) -> bool:
	"""Whether the document that a row of the log names is there, and is still credited to the lead."""
	if row.reference_doctype == "Opportunity":
		return row.reference_name in credit.opportunities_of([lead])
	is_there = frappe.db.get_value("Sales Order", row.reference_name, "docstatus") == 1
	return is_there and lead in credit.leads_of_orders([row.reference_name]).get(row.reference_name, [])


def unproved(since: datetime | None) -> list[str]:
	"""Leads whose log names an Opportunity or an order by which they entered a stage, and that does not prove it any more:
	it was cancelled, deleted or given away without a document event, or the listener has failed.

	:param since: naive instant in the site's zone; orders of customers that have changed since are looked at too, as
	    they may be credited to somebody else.
	"""
	return query.run(
		f"""
		select distinct `tabLead`.name from `tabLead`
		join `tabLead Stage Log` log on log.lead = `tabLead`.name
		left join `tabOpportunity` o on log.stage = 'opportunity' and o.name = log.reference_name
		left join `tabSales Order` so on log.stage = 'sale' and so.name = log.reference_name
		left join `tabCustomer` c on c.name = so.customer and c.modified >= %(since)s
		where `tabLead`.lq_stage in ('opportunity', 'sale') and {HISTORY_READ}
			and log.stage in ('opportunity', 'sale') and log.stage in ('opportunity', `tabLead`.lq_stage)
			and log.reference_name != ''
			and if(
				log.stage = 'sale',
				ifnull(so.docstatus, 0) != 1 or c.name is not null,
				not ({LEAD_OF_OPPORTUNITY} <=> `tabLead`.name)
			)
			and {STANDS}
			and not exists (
				select 1 from `tabLead Stage Log` later
				where later.lead = log.lead and later.stage = log.stage and later.reference_name != ''
					and later.creation > log.creation
			)
		order by `tabLead`.name
		""",
		{"since": since or now_datetime()},
		pluck=True,
	)


def conversations_of(lead: str) -> list:
	"""Name and `done_at` of the touches in which the lead answered, the first one first."""
	return query.run(
		"""
		select name, done_at from `tabLead Touch`
		where lead = %s and status = 'Done' and is_automatic = 0 and outcome in %s order by done_at, creation
		""",
		(lead, TWO_WAY),
		as_dict=True,
	)


def _repeat_later_stages(lead: str, stage: str):
	"""The present stage is that of the row written last, so the rows after the corrected one are written again."""
	row = _entry(lead, "log.stage = %(stage)s", stage=stage)
	if row:
		_log(row, {}, corrects=row.name)


def _entry(lead: str, condition: str, **values):
	"""The row written last that meets a condition and that nothing has corrected."""
	rows = query.run(
		f"""
		select log.name, log.lead, log.stage, log.left_stage, log.entered_at, log.is_derived,
			{", ".join(f"log.{column}" for column in COPIED)}
		from `tabLead Stage Log` log
		where log.lead = %(lead)s and {condition} and {STANDS}
		order by log.creation desc, log.entered_at desc limit 1
		""",
		{"lead": lead, **values},
		as_dict=True,
	)
	return rows[0] if rows else None


def _log(row, values: dict, corrects: str):
	copied = {
		column: row[column] for column in ("lead", "stage", "left_stage", "entered_at", "is_derived", *COPIED)
	}
	# the row written last says where the lead is, also if the one before it is of the same instant
	last = query.run("select max(creation) from `tabLead Stage Log` where lead = %s", (row.lead,))[0][0]
	at = max(now_datetime(), get_datetime(last) + timedelta(microseconds=1))
	journey.mark(row.lead)
	insert_rows("Lead Stage Log", [{**copied, **values, "corrects": corrects}], at)
