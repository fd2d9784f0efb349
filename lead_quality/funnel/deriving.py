"""Stages derived from documents: of leads without a stage, and of changes that no document event told of."""

from collections.abc import Collection
from datetime import datetime

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.base import query
from lead_quality.base.rows import insert_rows
from lead_quality.engine.conversion import STAGES, new_entries
from lead_quality.funnel import credit, journey, summary
from lead_quality.funnel.conditions import HISTORY_READ
from lead_quality.funnel.opportunities import credit_opportunities
from lead_quality.funnel.service import ROWS_AT_ONCE, WRITTEN_LAST, at_entry, log_row, proofs_of


def leads_without_stage(limit: int) -> list[str]:
	"""Leads that came in without document events, such as those from before the install, the oldest first."""
	# two queries in one, as MariaDB would look through all leads for both at once
	return query.run(
		f"""
		select found.name from (
			select name, creation from `tabLead` where lq_stage is null and {HISTORY_READ}
			union all
			select name, creation from `tabLead` where lq_stage = '' and {HISTORY_READ}
		) found
		order by found.creation limit %s
		""",
		(limit,),
		pluck=True,
	)


def with_history_read(leads: Collection[str]) -> list[str]:
	"""Of some leads, those whose history is read in, locked: of the others all stages are found with it."""
	return query.run(
		f"select name from `tabLead` where name in %(leads)s and {HISTORY_READ} order by name for update",
		{"leads": leads},
		pluck=True,
	)


def changed_leads(since: datetime | None) -> list[str]:
	"""Leads that an Opportunity, an order or a customer goes back to that has changed since an instant (naive, the
	site's zone); all, where there is none. What was made without document events may have no date of a change."""
	values = {"since": since}
	changed = (
		"(t.modified >= %(since)s or t.creation >= %(since)s or t.modified is null)" if since else "1 = 1"
	)
	opportunities = query.run(
		f"select distinct t.lq_lead from `tabOpportunity` t where t.lq_lead is not null and {changed}",
		values,
		pluck=True,
	)
	orders = query.run(
		f"""
		select t.name from `tabSales Order` t where t.docstatus in (1, 2) and {changed}
		union
		select so.name from `tabCustomer` t join `tabSales Order` so on so.customer = t.name and so.docstatus = 1
		where {changed}
		""",
		values,
		pluck=True,
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
	rows = lock(leads)
	made = log_proved(rows, now or now_datetime(), is_derived, again)
	changed = [row for row in rows if row.stage != row.lq_stage]
	_show(changed, is_derived)
	journey.mark(*(row.name for row in changed))
	return made


def lock(leads: Collection[str], condition: str = "1 = 1") -> list:
	"""Lock some leads, and read what `log_proved` asks for.

	:param condition: SQL on `tabLead`: only those.
	"""
	return query.run(
		f"""
		select name, title, creation, lq_stage, lq_last_touch_at, lq_over, lq_over_at,
			{", ".join(f"`{column}`" for column in at_entry())}
		from `tabLead` where name in %(leads)s and {condition} order by name for update
		""",
		{"leads": leads},
		as_dict=True,
	)


def log_proved(rows: list, now: datetime, is_derived: int = 0, again: bool = False) -> int:
	"""As `derive`, of leads that `lock` has read; each one's `stage` is set, and is the caller's to show."""
	names = [row.name for row in rows]
	known = _known(names, "" if is_derived else "lock in share mode")
	dropped = _drop_derived(known) if again and known else 0
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
			made.append(log_row(row, stage, left, at, found.get(stage), is_derived))
			row.stage = stage
	for start in range(0, len(made), ROWS_AT_ONCE):
		insert_rows("Lead Stage Log", made[start : start + ROWS_AT_ONCE], now)
	journey.mark(*(row["lead"] for row in made))
	return max(len(made) - dropped, 0)


def _known(leads: list[str], lock: str) -> dict[str, frappe._dict]:
	"""Lead to its `stage`, its `entry` (when it came in), and whether all of its log `is_derived`.

	:param lock: a job's transaction begins with the leads' locks, and needs none here: two would lock the same gap
	    where neither finds a row, and each would wait for the other to write into it.
	"""
	known: dict[str, frappe._dict] = {}
	for lead, stage, entered_at, is_derived in query.run(
		f"""
		select `lead`, stage, entered_at, is_derived from `tabLead Stage Log`
		where `lead` in %(leads)s order by {WRITTEN_LAST} {lock}
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
	if not leads:
		return 0
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
		leads = [row.name for row in rows if row.stage == stage]
		if leads:  # for none, MariaDB would look through all leads, and lock them
			query.run(
				"update `tabLead` set lq_stage = %(stage)s where name in %(leads)s",
				{"stage": stage, "leads": leads},
			)


def complete_segments():
	"""Derived rows of leads that had no segment yet, as the hourly sorting had not come to them, take the present
	one."""
	rows = query.run(
		"""
		select log.name from `tabLead Stage Log` log join `tabLead` l on l.name = log.lead
		where log.is_derived = 1 and log.segment is null and l.lq_segment is not null
		""",
		pluck=True,
	)
	# looked for first, as an update would lock all that it looks through
	for start in range(0, len(rows), ROWS_AT_ONCE):
		query.run(
			"""
			update `tabLead Stage Log` log join `tabLead` l on l.name = log.lead set log.segment = l.lq_segment
			where log.name in %(rows)s
			""",
			{"rows": rows[start : start + ROWS_AT_ONCE]},
		)
