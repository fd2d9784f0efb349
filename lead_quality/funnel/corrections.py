"""Corrections of the stage log after a conversation was corrected, moved, deleted or taken back.

The log is never edited: a row that `corrects` another one stands in its place, and reports leave the other one out.
"""

from datetime import timedelta

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.base import query
from lead_quality.base.rows import insert_rows
from lead_quality.engine.conversion import STAGES, TWO_WAY, current_stage
from lead_quality.funnel import journey, service, summary
from lead_quality.funnel.conditions import STANDS

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
		values = {"value": 0, **dict.fromkeys(("currency", "reference_doctype", "reference_name"))}
		_log(
			row,
			{**values, "stage": stage, "left_stage": current, "entered_at": now_datetime()},
			corrects=row.name,
		)
		if stage != current:
			summary.write(lead, lq_stage=stage)
	return True


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
