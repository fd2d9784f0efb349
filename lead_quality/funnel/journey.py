"""The Lead Journey: one narrow row a lead, of what reports count. It is derived: the truth is in the stage log, the
documents of ERPNext and those of the app, and `_truth` is the one rule by which a row is made of it.

Whoever changes what a row is made of says so (`mark`). Just before the transaction commits, the rows of all the leads
that were marked in it are made again: one read and one write a transaction, however much it has done. The row of a new
lead is written with it. Nothing is made of a lead that was not saved in the end, and what is rolled back takes its rows
with it.

`rebuild` compares the rows with the truth, and writes those that are wrong: hourly those of leads that have changed,
daily all.

The row of a deleted lead stays, under the name of its Lead Remnant and without a person, so that past totals stay.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import frappe
from frappe.utils import get_datetime, now_datetime
from redis.exceptions import RedisError

from lead_quality.base import query
from lead_quality.base.links import DELETED
from lead_quality.base.rows import as_sql
from lead_quality.base.versions import lead_field
from lead_quality.engine.clock import UNREACHED
from lead_quality.engine.conversion import STAGES, TWO_WAY
from lead_quality.funnel.conditions import STANDS, human_touch

DOCTYPE = "Lead Journey"
MARKED = "lead_quality_journeys"  # of frappe.local
LEADS_AT_ONCE = 2_000
REBUILD_TIMEOUT = 4 * 3_600  # seconds
STANDARD = ("name", "creation", "modified", "owner", "modified_by")
# why a deleted lead has left the funnel
HAS_GONE = "Deleted"

# what a lead can end with before it has bought
EXITS = ("Lost", "Disqualified", "No Contact")

# of a lead document, what its row shows of it
OF_LEAD = (
	"source",
	"campaign_name",
	"territory",
	"lead_owner",
	"company",
	"lq_segment",
	"lq_over",
	"lq_over_at",
	"lq_non_buyer",
)

# of these, what stands in a column of the row as it is, with that column
SHOWN = {
	"source": "present_source",
	"campaign_name": "present_campaign",
	"territory": "present_territory",
	"lead_owner": "present_owner",
	"lq_segment": "present_segment",
	"company": "company",
}

# the columns that the log alone knows, besides the stage and the entry, under the same name
OF_LOG = (
	"prospect_at",
	"opportunity_at",
	"sale_at",
	"source",
	"campaign",
	"segment",
	"territory",
	"is_derived",
)

_PLACE = f"field(log.stage, {', '.join(repr(stage) for stage in STAGES)})"


def _entered(place: int) -> str:
	"""When a lead entered a stage first, if it has not fallen behind it since."""
	return f"min(if(said.place = {place} and said.lowest = {place}, said.entered_at, null))"


def _at_entry(column: str) -> str:
	return f"max(if(said.nth = 1, nullif(said.{column}, ''), null))"


def stages_said(which: str, entry: str = "log.lead", stands: str = STANDS) -> str:
	"""SQL: what the log says of each lead. A row that nothing has corrected counts as long as no later one names an
	earlier stage.

	:param which: the rows of the log, which is named `log`.
	:param entry: whose row it is.
	:param stands: which of them nothing has corrected.
	"""
	last_first = f"partition by {entry} order by log.creation desc, log.entered_at desc, {_PLACE} desc"
	return f"""
		select min(said.lead) as `lead`,
			max(if(said.from_last = 1, said.stage, null)) as stage,
			min(said.entered_at) as entered_at,
			{_entered(2)} as prospect_at, {_entered(3)} as opportunity_at, {_entered(4)} as sale_at,
			max(if(said.place = 3 and said.lowest = 3, said.reference_name, null)) as opportunity,
			max(if(said.place = 4 and said.lowest = 4, said.reference_name, null)) as sales_order,
			{_at_entry("source")} as source, {_at_entry("campaign")} as campaign, {_at_entry("segment")} as segment,
			{_at_entry("territory")} as territory, {_at_entry("owner_user")} as owner_user,
			max(if(said.nth = 1, said.is_derived, 0)) as is_derived
		from (
			select log.lead, {entry} as entry, log.stage, log.entered_at, log.source, log.campaign, log.segment,
				log.territory, log.owner_user, log.is_derived, log.reference_name, {_PLACE} as place,
				min({_PLACE}) over ({last_first} rows unbounded preceding) as lowest,
				row_number() over ({last_first}) as from_last,
				row_number() over (partition by {entry} order by log.entered_at, {_PLACE}, log.creation) as nth
			from `tabLead Stage Log` log where {which} and {stands}
		) said
		group by said.entry
	"""


_STAGES = stages_said("log.lead in %(leads)s")

_TWO_WAY = f"t.status = 'Done' and t.is_automatic = 0 and t.outcome in ({', '.join(repr(outcome) for outcome in TWO_WAY)})"
_UNREACHED = ", ".join(repr(outcome) for outcome in UNREACHED)

_TOUCHES = f"""
	select held.lead,
		min(if(held.is_human, held.done_at, null)) as first_touch_at,
		max(if(held.is_human, held.done_at, null)) as last_touch_at,
		max(held.conversation_at) as conversation_at,
		sum(held.is_human) as touches,
		max(held.is_unreached) as is_bad_data,
		sum(held.is_human and held.direction = 'Outbound' and held.done_at < held.conversation_at) as before_conversation
	from (
		select t.lead, t.done_at, t.direction, {human_touch("t")} as is_human,
			t.status = 'Done' and ifnull(t.outcome, '') in ({_UNREACHED}) as is_unreached,
			min(if({_TWO_WAY}, t.done_at, null)) over (partition by t.lead) as conversation_at
		from `tabLead Touch` t where t.lead in %(leads)s and t.status = 'Done'
	) held
	group by held.lead
"""

_HANDOVERS = """
	select h.lead, min(h.sent_at) as sent_at, min(h.accepted_at) as accepted_at,
		max(if(h.status in ('Rejected', 'Returned') and h.reason != '', h.decided_at, null)) as declined_at
	from `tabLead Handover` h where h.lead in %(leads)s and h.status != 'Draft'
	group by h.lead
"""

_JUDGEMENTS = """
	select q.lead, q.checklist, q.sales_ready_on, q.decision, q.outcome_reason, q.verdict_reason, q.decided_on,
		row_number() over (partition by q.lead order by q.creation desc, q.name desc) as from_last
	from `tabLead Qualification` q where q.lead in %(leads)s
"""

_CLOCKS = """
	select c.lead, c.acted_at, min(c.elapsed_seconds) as elapsed_seconds
	from `tabFollow Up Clock` c
	where c.lead in %(leads)s and c.clock = 'First Response' and c.acted_at is not null
	group by c.lead, c.acted_at
"""

_QUOTES = """
	select made.lead, min(made.creation) as creation from (
		select q.party_name as `lead`, q.creation from `tabQuotation` q
		where q.quotation_to = 'Lead' and q.party_name in %(leads)s and q.docstatus = 1
		union all
		select o.lq_lead, q.creation from `tabOpportunity` o
		join `tabQuotation` q on q.opportunity = o.name and q.docstatus = 1
		where o.lq_lead in %(leads)s
	) made
	group by made.lead
"""

_ENTERED_AT = "coalesce(stages.entered_at, l.creation)"
_IS_OUT = f"l.lq_over in ({', '.join(repr(ending) for ending in EXITS)})"
_EXITED_AT = f"if({_IS_OUT}, greatest(l.lq_over_at, {_ENTERED_AT}), null)"
_JUDGED_AT = "if(judged.decision != '' and judged.outcome_reason != '', judged.decided_on, null)"
_NEVER = "cast('1000-01-01' as datetime(6))"
_READY_AT = "coalesce(least(judged.sales_ready_on, given.sent_at), judged.sales_ready_on, given.sent_at)"


def _columns() -> dict[str, str]:
	"""Each column of a row, and what it is made of."""
	source, campaign = f"l.`{lead_field('source')}`", f"l.`{lead_field('campaign_name')}`"
	return {
		"lead": "l.name",
		"stage": "coalesce(stages.stage, 'target')",
		"entered_at": _ENTERED_AT,
		"prospect_at": "stages.prospect_at",
		"opportunity_at": "stages.opportunity_at",
		"sale_at": "stages.sale_at",
		"ready_at": _READY_AT,
		"handed_over_at": "given.sent_at",
		"accepted_at": "given.accepted_at",
		"declined_at": "given.declined_at",
		"quoted_at": "quoted.creation",
		"first_touch_at": "held.first_touch_at",
		"last_touch_at": "held.last_touch_at",
		"first_touch_raw_seconds": f"greatest(timestampdiff(second, {_ENTERED_AT}, held.first_touch_at), 0)",
		"first_touch_working_seconds": "answered.elapsed_seconds",
		"conversation_at": "held.conversation_at",
		"touches_before_conversation": "if(held.conversation_at is null, 0, held.before_conversation)",
		"touches": "ifnull(held.touches, 0)",
		"is_bad_data": "ifnull(held.is_bad_data, 0)",
		"decided_at": f"nullif(greatest(ifnull({_JUDGED_AT}, {_NEVER}), ifnull(given.declined_at, {_NEVER}), ifnull({_EXITED_AT}, {_NEVER})), {_NEVER})",
		"exited_at": _EXITED_AT,
		"exit_stage": f"if({_IS_OUT}, coalesce(stages.stage, 'target'), null)",
		"exit_reason": f"if({_IS_OUT}, if(l.lq_over = 'Disqualified', coalesce(nullif(judged.verdict_reason, ''), l.lq_over), l.lq_over), null)",
		"source": "stages.source",
		"campaign": "stages.campaign",
		"segment": "stages.segment",
		"territory": "stages.territory",
		"owner_at_entry": "stages.owner_user",
		"present_source": f"nullif({source}, '')",
		"present_campaign": f"nullif({campaign}, '')",
		"present_segment": "nullif(l.lq_segment, '')",
		"present_territory": "nullif(l.territory, '')",
		"present_owner": "nullif(l.lead_owner, '')",
		"company": "nullif(l.company, '')",
		"checklist": "nullif(judged.checklist, '')",
		"company_value": "coalesce(nullif(ordered.base_grand_total, 0), nullif(offered.base_opportunity_amount, 0), 0)",
		"is_non_buyer": "ifnull(l.lq_non_buyer, 0)",
		"is_derived": "ifnull(stages.is_derived, 0)",
	}


_TABLES = f"""
	from `tabLead` l
	left join ({_STAGES}) stages on stages.lead = l.name
	left join ({_TOUCHES}) held on held.lead = l.name
	left join ({_HANDOVERS}) given on given.lead = l.name
	left join ({_JUDGEMENTS}) judged on judged.lead = l.name and judged.from_last = 1
	left join ({_CLOCKS}) answered on answered.lead = l.name and answered.acted_at = held.first_touch_at
	left join ({_QUOTES}) quoted on quoted.lead = l.name
	left join `tabSales Order` ordered on ordered.name = stages.sales_order
	left join `tabOpportunity` offered on offered.name = stages.opportunity
	left join `tabLead Journey` j on j.name = l.name
	where l.name in %(leads)s
"""


def _truth() -> str:
	"""Rows as they should be, of some leads, by name, and `seen`: when the stored row was written, as far as this
	transaction sees it."""
	made = ", ".join(f"{value} as `{column}`" for column, value in _columns().items())
	return f"select {made}, j.modified as seen {_TABLES} order by l.name"


# when rows are written


def mark(*leads: str | None):
	"""What the rows of these leads are made of has changed: they are made again before this transaction commits."""
	_mark(leads, as_a_whole=True)


def _mark(leads: Iterable[str | None], as_a_whole: bool):
	""":param as_a_whole: whether anything may have changed, or what the Lead document itself says, and no more."""
	marked = getattr(frappe.local, MARKED, None)
	if marked is None:
		marked = {}
		setattr(frappe.local, MARKED, marked)
	names = {lead for lead in leads if lead}
	if names and not marked:
		frappe.db.before_commit.add(write_marked)
		frappe.db.after_rollback.add(marked.clear)
	for name in names:
		marked[name] = as_a_whole or marked.get(name, False)


def begin(lead, is_judged: bool):
	"""A new Lead document has just been inserted, with its first row in the log. Nothing has happened to it yet, so that
	its row need not be read from the truth.

	:param is_judged: it has a Lead Qualification already.
	"""
	if is_judged or lead.lq_over:
		mark(lead.name)
		return
	entry = {
		"source": lead.get(lead_field("source")),
		"campaign": lead.get(lead_field("campaign_name")),
		"segment": lead.lq_segment,
		"territory": lead.territory,
	}
	row = {
		"lead": lead.name,
		"stage": "target",
		"entered_at": get_datetime(lead.creation),
		**entry,
		**{f"present_{column}": value for column, value in entry.items()},
		"owner_at_entry": lead.lead_owner,
		"present_owner": lead.lead_owner,
		"company": lead.company,
		"is_non_buyer": lead.lq_non_buyer,
	}
	with _failing_nobody([lead.name]):
		if not _insert({column: value for column, value in row.items() if value}):
			mark(lead.name)  # a lead that is gone has left one under its name


def _insert(row: dict) -> bool:
	"""Write the row of a new lead, without the columns that say nothing yet: less than half of what `_store` sends.
	Returns whether there was none."""
	now, user = now_datetime(), frappe.session.user
	standard = {"name": row["lead"], "creation": now, "modified": now, "owner": user, "modified_by": user}
	values = {**standard, **row}
	names = ", ".join(f"`{column}`" for column in values)
	frappe.db.sql(  # nosemgrep
		f"insert into `tabLead Journey` ({names}) values %s on duplicate key update name = values(name)",
		[tuple(as_sql(value) for value in values.values())],
	)
	return frappe.db._cursor.rowcount > 0


def follow(lead):
	"""A Lead document that was there before was saved: its row shows what it says now."""
	if is_changed_by(lead):
		_mark([lead.name], as_a_whole=is_changed_by(lead, [field for field in OF_LEAD if field not in SHOWN]))


def is_changed_by(lead, of_lead: Collection[str] = OF_LEAD) -> bool:
	"""Whether a save of a Lead document that was there before changes what its row shows of it, or some of that."""
	before = lead.get_doc_before_save()
	if not before:
		return False
	fields = [name for name in (_name_here(field) for field in of_lead) if name]
	return any((lead.get(field) or None) != (before.get(field) or None) for field in fields)


def _name_here(field: str) -> str | None:
	return lead_field(field) if field in {"source", "campaign_name"} else field


def write_marked():
	"""Make the rows again of what this transaction has marked. What goes wrong never fails whoever commits: the hourly
	job finds the rows that are wrong.

	:raises frappe.QueryDeadlockError: nothing is left of the transaction then; so with frappe.QueryTimeoutError.
	"""
	marked = getattr(frappe.local, MARKED, None)
	if not marked:
		return
	leads = sorted(marked)
	as_a_whole = any(marked.values())
	marked.clear()
	with _failing_nobody(leads):
		if as_a_whole or not _show(leads):
			write(leads)


def _show(leads: list[str]) -> bool:
	"""Write what rows show of the leads as they are, and no more, in one statement. Returns whether all rows were there."""
	columns = {column: value for column, value in _columns().items() if column in SHOWN.values()}
	changes = ", ".join(f"j.`{column}` = {value}" for column, value in columns.items())
	query.run(
		f"""
		update `tabLead Journey` j join `tabLead` l on l.name = j.name
		set {changes}, j.modified = %(now)s, j.modified_by = %(user)s where j.name in %(leads)s
		""",
		{"leads": leads, "now": now_datetime(), "user": frappe.session.user},
	)
	return frappe.db._cursor.rowcount >= len(leads)


@contextmanager
def _failing_nobody(leads: list[str]) -> Iterator[None]:
	"""What goes wrong within is kept in the Error Log. It needs no savepoint: rows are written by one statement, which the
	database undoes by itself if it fails.

	:raises frappe.QueryDeadlockError: nothing is left of the transaction then; so with frappe.QueryTimeoutError.
	"""
	try:
		yield
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		raise
	except Exception:
		names = ", ".join(leads[:3])
		title = f"Lead Quality: the journey failed on {names}"[:140]
		frappe.log_error(title=title, message=frappe.get_traceback())


def write(leads: Collection[str]):
	"""Make the rows of some leads of the truth that this transaction sees.

	A row that somebody else has written since is left as it is, and made once more after this transaction.
	"""
	names = sorted(leads)
	for start in range(0, len(names), LEADS_AT_ONCE):
		chunk = names[start : start + LEADS_AT_ONCE]
		rows = query.run(_truth(), {"leads": chunk}, as_dict=True)
		if rows:
			_store_or_again(rows)


def _store_or_again(rows: list):
	if not _store(rows):
		leads = [row.lead for row in rows]
		frappe.db.after_commit.add(lambda: _write_once_more(leads))


def _store(rows: list) -> bool:
	"""Write rows in one statement. Returns whether each was as this transaction has seen it."""
	columns = list(_columns())
	now = now_datetime()
	user = frappe.session.user
	# a tuple is bound as a row
	frappe.db.sql(  # nosemgrep
		f"insert into `tabLead Journey` ({_names()}) values {', '.join(['%s'] * len(rows))} "
		f"on duplicate key update {_changes()}",
		[
			(
				*(as_sql(row[column]) for column in columns),
				*(row.lead, str(now), str(now), user, user),
				as_sql(row.seen),
			)
			for row in rows
		],
	)
	# the database counts 1 for a row that is new, 2 for one that has changed, 0 for one that is as it was: as are those
	# that were written at this very instant, by a clock that stands still
	return frappe.db._cursor.rowcount >= sum(2 if row.seen else 1 for row in rows if row.seen != now)


def write_in_bulk(leads: Collection[str]):
	"""As `write_marked`, of many leads at once that the caller has locked: one statement that reads and writes.

	It is for a transaction that reads what is committed (`base.parts.reading_committed`): in any other, the statement
	would lock all that it reads, as ERPNext's orders.
	"""
	if not leads:
		return
	marked = getattr(frappe.local, MARKED, {})
	for lead in leads:
		marked.pop(lead, None)
	with _failing_nobody(sorted(leads)):
		there = query.run(
			"select name from `tabLead Journey` where name in %(leads)s for update", {"leads": leads}
		)
		query.run(
			f"""
			insert into `tabLead Journey` ({_names()})
			select {", ".join(_columns().values())}, l.name, %(now)s, %(now)s, %(user)s, %(user)s, j.modified {_TABLES}
			on duplicate key update {_changes()}
			""",
			{"leads": leads, "now": now_datetime(), "user": frappe.session.user},
		)
		if frappe.db._cursor.rowcount < len(leads) + len(there):
			frappe.db.after_commit.add(lambda: _write_once_more(list(leads)))


def _names() -> str:
	"""The columns of a row as it is written, in their order."""
	return ", ".join(f"`{column}`" for column in (*_columns(), *STANDARD, "seen"))


def _changes() -> str:
	"""What of a row is overwritten: all of it, if it is the one that was seen."""
	stored = "`tabLead Journey`"
	# `modified` comes last, as the others are set by what it was
	return ", ".join(
		f"{stored}.`{column}` = if({stored}.modified <=> values(seen), values(`{column}`), {stored}.`{column}`)"
		for column in (*_columns(), "modified_by", "seen", "modified")
	)


def _write_once_more(leads: list[str]):
	mark(*leads)
	frappe.db.commit()  # nosemgrep (what is marked is written with the commit)


# leads that go, or are named anew


def rename(old: str, new: str):
	"""A lead has got another name; or it was merged into another, and is not one of its own any more."""
	mark(new)
	if frappe.db.exists(DOCTYPE, new):
		frappe.db.delete(DOCTYPE, {"name": old})
	else:
		query.run(
			"update `tabLead Journey` set name = %(new)s, `lead` = %(new)s where name = %(old)s",
			{"old": old, "new": new},
		)


def forget_lead(lead: str, remnant: str):
	"""A deleted lead keeps its row for the totals of past months, but no name and no person; one that was merged into
	another, of which nothing is kept, has none any more.

	:param remnant: what stands for the lead from now on.
	"""
	write([lead])  # what this very transaction has changed of it
	if not frappe.db.exists("Lead Stage Log", {"lead": query.among([lead, remnant])}):
		frappe.db.delete(DOCTYPE, {"name": lead})
		return
	query.run(
		"""
		update `tabLead Journey` set name = %(remnant)s, `lead` = %(remnant)s, owner_at_entry = null,
			present_owner = null, owner = 'Administrator',
			exit_stage = if(exited_at is null, stage, exit_stage),
			exit_reason = if(exited_at is null, %(deleted)s, exit_reason),
			exited_at = coalesce(exited_at, %(now)s)
		where name = %(lead)s
		""",
		{"remnant": remnant, "lead": lead, "deleted": HAS_GONE, "now": now_datetime()},
	)


# bringing up to date


def rebuild(leads: Iterable[str] | None = None) -> int:
	"""Make every row that is wrong again, or those of some leads: `bench execute lead_quality.funnel.journey.rebuild`.

	It may run at any time, commits every 2,000 leads, and changes nothing that is right.

	:returns: how many rows were wrong.
	"""
	wrong = 0
	if leads is None:
		wrong += remove_orphans() + keep_remnants()
	for chunk in chunks(leads):
		wrong += rebuild_some(chunk)
		frappe.db.commit()  # nosemgrep (a job keeps what it has done, a part at a time)
	return wrong


def rebuild_some(leads: Collection[str], now: datetime | None = None) -> int:
	"""As `rebuild`, of some leads, without a commit: for whoever does leads in chunks of his own.

	:returns: how many rows were wrong.
	"""
	rows = _wrong(leads)
	if rows:
		_store_or_again(rows)
	return len(rows)


def wrong_of(leads: Collection[str]) -> list[str]:
	"""Of some leads, those whose row is not as it should be, or that have none."""
	return [row.lead for row in _wrong(leads)]


def _wrong(leads: Collection[str]) -> list:
	"""Of some leads the rows as they should be, of those that are not so."""
	differs = " or ".join(f"not (t.`{column}` <=> r.`{column}`)" for column in _columns())
	return query.run(
		f"""
		select t.* from ({_truth()}) t left join `tabLead Journey` r on r.name = t.lead
		where r.name is null or {differs} order by t.lead
		""",
		{"leads": leads},
		as_dict=True,
	)


def chunks(leads: Iterable[str] | None = None) -> Iterator[list[str]]:
	"""All leads, or some, by name, as many at a time as are rebuilt at once."""
	if leads is not None:
		names = sorted(set(leads))
		for start in range(0, len(names), LEADS_AT_ONCE):
			yield names[start : start + LEADS_AT_ONCE]
		return
	last = ""
	while some := query.run(
		"select name from `tabLead` where name > %s order by name limit %s", (last, LEADS_AT_ONCE), pluck=True
	):
		yield some
		last = some[-1]


def written_since(since: datetime) -> list[str]:
	"""Leads whose row was written since an instant (naive, the site's zone)."""
	return query.run(
		"select name from `tabLead Journey` where modified >= %(since)s", {"since": since}, pluck=True
	)


def remove_orphans() -> int:
	"""Delete the rows of leads that are neither there nor remembered. Returns how many."""
	orphans = query.run(
		"""
		select j.name from `tabLead Journey` j left join `tabLead` l on l.name = j.name
		where l.name is null and not exists (select 1 from `tabLead Stage Log` log where log.lead = j.name)
		""",
		pluck=True,
	)
	if orphans:
		frappe.db.delete(DOCTYPE, {"name": query.among(orphans)})
	return len(orphans)


def keep_remnants() -> int:
	"""Make a row of what is left of each deleted lead that has none: of the log, and of its Lead Remnant. Returns how
	many."""
	names = query.run(
		"""
		select distinct log.lead from `tabLead Stage Log` log
		left join `tabLead Journey` j on j.name = log.lead
		where log.lead like %s and j.name is null
		""",
		(f"{DELETED}%",),
		pluck=True,
	)
	of_remnant = {
		"present_source": "source",
		"present_segment": "lq_segment",
		"present_territory": "territory",
		"company": "company",
	}
	for chunk in chunks(names):
		query.run(
			f"""
			insert into `tabLead Journey` (
				name, `lead`, creation, modified, owner, modified_by, stage, exit_stage, entered_at, exited_at, exit_reason,
				{", ".join((*OF_LOG, *of_remnant))}, is_non_buyer, is_bad_data
			)
			select stages.lead, stages.lead, now(6), now(6), 'Administrator', 'Administrator', stages.stage, stages.stage,
				stages.entered_at, greatest(ifnull(r.modified, stages.entered_at), stages.entered_at), %(deleted)s,
				{", ".join(f"stages.{column}" for column in OF_LOG)},
				{", ".join(f"nullif(r.{column}, '')" for column in of_remnant.values())},
				ifnull(r.lq_non_buyer, 0), ifnull(r.bad_data, 0)
			from ({_STAGES}) stages left join `tabLead Remnant` r on r.name = stages.lead
			""",
			{"leads": chunk, "deleted": HAS_GONE},
		)
	return len(names)


# what a job has derived of a lead is written together with its journey: it has to be looked at only if that failed
_IS_IN_JOURNEY = """
	t.is_derived = 1
	and exists (select 1 from `tabLead Journey` j where j.name = t.lead and j.modified >= t.modified)
"""


def changed_leads(since: datetime) -> list[str]:
	"""Leads of which something that their rows are made of was written since an instant (naive, the site's zone), except
	by a job that has written the row too."""
	parts = " union ".join(
		f"select {lead} from `tab{doctype}` t where t.modified >= %(since)s and not ({but})"
		for doctype, lead, but in (
			("Lead", "t.name", "0"),
			("Lead Stage Log", "t.lead", _IS_IN_JOURNEY),
			("Lead Touch", "t.lead", _IS_IN_JOURNEY),
			("Lead Handover", "t.lead", "0"),
			("Lead Qualification", "t.lead", "0"),
			("Follow Up Clock", "t.lead", "0"),
			("Opportunity", "t.lq_lead", "0"),
			("Quotation", "if(t.quotation_to = 'Lead', t.party_name, (select o.lq_lead from `tabOpportunity` o where o.name = t.opportunity))", "0"),
			("Sales Order", "(select log.lead from `tabLead Stage Log` log where log.stage = 'sale' and log.reference_name = t.name limit 1)", "0"),
		)
	)  # fmt: skip
	found = query.run(f"select * from ({parts}) found", {"since": since}, pluck=True)
	return sorted(lead for lead in found if lead)


def enqueue_rebuild():
	"""Rebuild all rows in the background, as at an install and after an upgrade. Should the queue not be there, the
	daily job does it."""
	try:
		frappe.enqueue(
			f"{__name__}.rebuild",
			queue="long",
			timeout=REBUILD_TIMEOUT,
			job_id="lead_quality_rebuild_journeys",
			deduplicate=True,
			enqueue_after_commit=True,
		)
	except (RedisError, frappe.QueueOverloaded):
		frappe.log_error(title="Lead Quality: journeys are not rebuilt before tomorrow")
