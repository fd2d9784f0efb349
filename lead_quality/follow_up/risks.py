"""What is wrong with a lead: no owner, no next step, left alone too long, overdue, hidden.

It is asked of what is stored, at the moment of reading: it is right whether or not any job has run. The conditions are
SQL, each written once here, for a form, the report and the job alike. Their queries name `tabLead` without an alias and
join its segment as `segment`; they bind the values of `values_at`.

A query over very many leads (`MANY_LEADS`, with `FACTS_OF_MANY` or `IS_OF_MANY`) finds out for all at once which of them
there is anything of: the conditions are the same.
"""

from datetime import datetime
from typing import NamedTuple

import frappe
from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.base.persons import ENABLED_PERSONS
from lead_quality.base.queries import ALL, Where, number_of
from lead_quality.funnel.conditions import (
	HAS_OWNER,
	HISTORY_READ,
	IN_WORK,
	IS_CLAIMED,
	has_owner,
	open_clock,
	open_enrollment,
)

FAULTS = NO_OWNER, NO_NEXT_STEP, STALE, SHELF_LIFE = ("No Owner", "No Next Step", "Stale", "Shelf Life")

OVERDUE, HIDDEN = "Clock Overdue", "Hidden"


class Step(NamedTuple):
	"""Where a next step of leads is kept: a table, its columns with the lead and the date, and when it counts."""

	table: str
	lead: str
	date: str
	condition: str

	def of(self, lead: str) -> str:
		"""The subquery of whether a lead has such a step. Looked up lead by lead: few leads cost little then."""
		return f"""(
			select 1 from {self.table}
			where {self.lead} = {lead} and {self.condition} and {self.date} is not null
			limit 1
		)"""

	def dates(self, kind: str) -> str:
		"""The query of the dates of all such steps of some leads."""
		return f"""
			select {self.lead} as `lead`, '{kind}' as kind, timestamp({self.date}) as at from {self.table}
			where {self.lead} in %(leads)s and {self.condition} and {self.date} is not null
		"""

	def marked(self, kind: int) -> str:
		"""The query of the numbers of all leads that have such a step; see `MANY_LEADS`."""
		return f"""
			select {number_of(self.lead)} as number, {kind} as kind from {self.table}
			where {self.condition} and {self.date} is not null
		"""


EVENTS = "`tabEvent Participants` p join `tabEvent` e on e.name = p.parent"

# A touch or an answer that is overdue is still the next step: clocks see to that. Events and to-dos that have passed are
# none; Frappe dates every assignment, by the day on which it is made.
STEPS = {
	"Touch": (
		Step("`tabNurture Enrollment` e", "e.lead", "e.next_due_at", open_enrollment("e")),
		Step("`tabLead Touch` t", "t.lead", "t.due_at", "t.status = 'Planned'"),
	),
	"Handover": (
		Step("`tabLead Handover` h", "h.lead", "ifnull(h.accept_by, h.sent_at)", "h.status = 'Sent'"),
	),
	"To Do": (
		Step(
			"`tabToDo` d",
			"d.reference_name",
			"d.date",
			"d.reference_type = 'Lead' and d.status = 'Open' and d.date >= %(today)s",
		),
	),
	"Event": (
		Step(
			EVENTS,
			"p.reference_docname",
			"e.starts_on",
			"""p.reference_doctype = 'Lead' and e.status = 'Open' and (
				e.starts_on > %(now)s
				or (e.repeat_this_event = 1 and ifnull(e.repeat_till, %(today)s) >= %(today)s)
			)""",
		),
	),
	"Return": (
		Step(
			"`tabLead Qualification` q",
			"q.lead",
			"q.nurture_until",
			"q.decision = 'Nurture' and q.nurture_until > %(today)s",
		),
	),
}

HAS_NEXT_STEP = " or ".join(
	f"{step.of('`tabLead`.name')} is not null" for steps in STEPS.values() for step in steps
)

HAS_NEXT_STEP = f"({HAS_NEXT_STEP})"


def next_steps(leads: list[str], now: datetime) -> dict[str, tuple[str, datetime]]:
	"""Of some leads those that have a next step, with the kind of the earliest one, and when it is.

	:param now: naive instant in the site's zone.
	"""
	if not leads:
		return {}
	steps = " union all ".join(step.dates(kind) for kind, steps in STEPS.items() for step in steps)
	# of several at one instant the kind that `STEPS` names first
	place = " ".join(f"when '{kind}' then {place}" for place, kind in enumerate(STEPS))
	rows = query.run(
		f"""
		select nearest.`lead`, nearest.kind, nearest.at
		from (
			select step.*, row_number() over (partition by step.`lead` order by step.at, case step.kind {place} end) as nth
			from ({steps}) step
		) nearest
		where nearest.nth = 1
		""",
		{**values_at(now), "leads": leads},
		as_dict=True,
	)
	return {row.lead: (row.kind, row.at) for row in rows}


# the days until which somebody has decided to leave leads alone
_RESTS = """
	select rest.`lead`, max(rest.until) as until
	from (
		select e.lead as `lead`, date(e.snoozed_until) as until from `tabNurture Enrollment` e
		where e.status = 'Snoozed' and date(e.snoozed_until) > %(today)s
		union all
		select q.lead, q.nurture_until from `tabLead Qualification` q
		where q.decision = 'Nurture' and q.nurture_until > %(today)s
	) rest
	group by rest.`lead`
"""

LEADS = f"""
	`tabLead`
	left join `tabLead Segment` segment on segment.name = `tabLead`.lq_segment
	left join ({_RESTS}) rest on rest.`lead` = `tabLead`.name
"""

UNTOUCHED_SINCE = "coalesce(`tabLead`.lq_last_touch_at, `tabLead`.creation)"

# a lead that had waited for a decision is new to whoever has taken it up
TAKEN_UP_AT = """ifnull(
	(select max(b.taken_up_at) from `tabLead Backlog` b where b.lead = `tabLead`.name), timestamp'1000-01-01 00:00:00'
)"""


LEFT_ALONE_SINCE = f"greatest({UNTOUCHED_SINCE}, {TAKEN_UP_AT})"


def _left_alone_on(days: str, since: str = LEFT_ALONE_SINCE) -> str:
	"""The day on which a lead has been left alone for so many days (0: never); one that rests, when it is back."""
	return f"""if(
		{days} > 0,
		greatest(date({since}) + interval {days} day, ifnull(rest.until, date'1000-01-01')),
		null
	)"""


_IS_OVERDUE = f"""(
	{open_clock("c")} and c.due_at < %(now)s and (c.status != 'Paused' or c.paused_until <= %(now)s)
)"""
HAS_OVERDUE_CLOCK = f"""(
	(select 1 from `tabFollow Up Clock` c where c.lead = `tabLead`.name and {_IS_OVERDUE} limit 1) is not null
)"""


# It is taken out of the lists, by hand, while something goes on or with a reason that says so: see `follow_up.hiding`.
IS_HIDDEN = f"""(
	(`tabLead`.disabled = 1 or {IS_CLAIMED})
	and (
		ifnull(`tabLead`.lq_hidden_reason, '') != ''
		or (
			select 1 from `tabFollow Up Clock` c where c.lead = `tabLead`.name and {open_clock("c")} limit 1
		) is not null
		or (
			select 1 from `tabNurture Enrollment` e
			where e.lead = `tabLead`.name and {open_enrollment("e")} limit 1
		) is not null
	)
)"""


# what decides about a lead, by the names of the columns under which a query may ask for it
FACTS = {
	# in work, and nobody is still to decide what is to become of it
	"in_work": IN_WORK,
	"waits": f"(`tabLead`.lq_waits = 1 or not {HISTORY_READ})",
	"has_owner": HAS_OWNER,
	"has_next_step": HAS_NEXT_STEP,
	"stale_on": _left_alone_on("%(stale_after)s"),
	"shelf_life_ends_on": _left_alone_on("segment.shelf_life_days"),
	"has_overdue_clock": HAS_OVERDUE_CLOCK,
	"is_hidden": IS_HIDDEN,
}

# of which leads there is anything, and the bit that says so
_STEPPED, _OVERDUE, _TAKEN_UP = 1, 2, 4
_MARKED = {
	_STEPPED: [step.marked(_STEPPED) for steps in STEPS.values() for step in steps],
	_OVERDUE: [
		f"select {number_of('c.`lead`')} as number, {_OVERDUE} as kind from `tabFollow Up Clock` c where {_IS_OVERDUE}"
	],
	_TAKEN_UP: [f"select {number_of('b.`lead`')} as number, {_TAKEN_UP} as kind from `tabLead Backlog` b"],
}


def _marks(*kinds: int) -> str:
	"""A join of what there is of each lead: all kinds in one table of numbers, which the database keeps in memory."""
	marked = " union all ".join(query for kind in kinds for query in _MARKED[kind])
	return f"""
		left join (
			select one.number, bit_or(one.kind) as kinds from ({marked}) one group by one.number {ALL}
		) marks on marks.number = {number_of("`tabLead`.name")}
	"""


# the leads of each owner who is nobody; owners are few, and an index has their leads
_OWNED_BY_NOBODY = f"""
	(
		select owned.lead_owner from (select distinct one.lead_owner from `tabLead` one {ALL}) owned
		where ifnull(owned.lead_owner, '') not in {ENABLED_PERSONS}
	) nobody
	straight_join `tabLead` on `tabLead`.lead_owner <=> nobody.lead_owner
"""
MANY_LEADS = f"{LEADS} {_marks(_STEPPED, _OVERDUE, _TAKEN_UP)}"
# the same with no more than is asked for one risk
MANY_LEADS_BY = {
	NO_OWNER: _OWNED_BY_NOBODY,
	NO_NEXT_STEP: f"`tabLead` {_marks(_STEPPED)}",
	STALE: f"{LEADS} {_marks(_TAKEN_UP)}",
	SHELF_LIFE: f"{LEADS} {_marks(_TAKEN_UP)}",
	OVERDUE: f"`tabLead` {_marks(_OVERDUE)}",
	HIDDEN: "`tabLead`",
}
_SINCE_OF_MANY = f"if(ifnull(marks.kinds & {_TAKEN_UP}, 0) = 0, {UNTOUCHED_SINCE}, {LEFT_ALONE_SINCE})"
FACTS_OF_MANY = {
	**FACTS,
	# the persons are bound: the database finds a name among values several times faster than in a table
	"has_owner": has_owner("%(persons)s"),
	"has_next_step": f"(ifnull(marks.kinds & {_STEPPED}, 0) != 0)",
	"stale_on": _left_alone_on("%(stale_after)s", _SINCE_OF_MANY),
	"shelf_life_ends_on": _left_alone_on("segment.shelf_life_days", _SINCE_OF_MANY),
	"has_overdue_clock": f"(ifnull(marks.kinds & {_OVERDUE}, 0) != 0)",
}

ALL_FACTS, ALL_FACTS_OF_MANY = (
	", ".join(f"{fact} as {name}" for name, fact in facts.items()) for facts in (FACTS, FACTS_OF_MANY)
)

_RULES = {
	NO_OWNER: "{in_work} and not {waits} and not {has_owner}",
	NO_NEXT_STEP: "{in_work} and not {waits} and not {has_next_step}",
	STALE: "{in_work} and not {waits} and ifnull({stale_on} <= %(today)s, 0)",
	SHELF_LIFE: "{in_work} and not {waits} and ifnull({shelf_life_ends_on} <= %(today)s, 0)",
	OVERDUE: "{has_overdue_clock}",
	HIDDEN: "{is_hidden}",
}

RISKS = tuple(_RULES)

IS, IS_OF_MANY = (
	{risk: f"({rule.format(**facts)})" for risk, rule in _RULES.items()} for facts in (FACTS, FACTS_OF_MANY)
)

# the same of leads for which a query has asked `ALL_FACTS`, as `found`
IS_FOUND = {
	risk: f"({rule.format(**{name: f'found.{name}' for name in FACTS})})" for risk, rule in _RULES.items()
}


def values_at(now: datetime) -> dict:
	"""What the conditions bind.

	:param now: naive instant in the site's zone, by which a lead is judged.
	"""
	settings = frappe.get_cached_doc("Lead Quality Settings")
	return {"now": now, "today": now.date(), "stale_after": settings.stale_after_days or 0}


def values_of_many(now: datetime) -> dict:
	"""What the conditions bind in a query over very many leads; see `values_at`."""
	persons = query.run(f"select enabled.name from {ENABLED_PERSONS} enabled", pluck=True)
	return {**values_at(now), "persons": persons}


def countdown(lead: str, now: datetime | None = None) -> dict:
	"""What is wrong with a lead, and when it will be stale and its shelf life over if nobody touches it.

	:param now: naive instant in the site's zone.
	:returns: `stale_on` and `shelf_life_ends_on`, days on which it is so (which may have passed), or None if that
	    never happens; `faults`, those of `FAULTS` that the lead has. Of a lead that is not in work, or still waits for
	    a decision, nothing.
	"""
	where = Where()
	where.equal("`tabLead`.name", lead)
	rows = where.select(
		f"""
		select found.*, {", ".join(f"{IS_FOUND[fault]} as `{fault}`" for fault in FAULTS)}
		from (select {ALL_FACTS} from {LEADS} where {{where}}) found
		""",
		**values_at(now or now_datetime()),
	)
	row = rows and rows[0]
	if not row or row.waits or not row.in_work:
		return {"stale_on": None, "shelf_life_ends_on": None, "faults": []}
	return {
		"stale_on": row.stale_on,
		"shelf_life_ends_on": row.shelf_life_ends_on,
		"faults": [fault for fault in FAULTS if row[fault]],
	}
