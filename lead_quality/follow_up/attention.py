"""Leads that nobody attends to: found, told to who can act, and taken off the shelf when their time is over.

What is wrong with a lead is asked of what is stored, at the moment of reading: it is right whether or not any job has
run. The conditions are SQL, each written once here, for a form, the report and the job alike. Their queries name
`tabLead` without an alias and join its segment as `segment`; they bind the values of `values_at`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import frappe
from frappe import _
from frappe.utils import format_date, now_datetime

from lead_quality.base.queries import Where
from lead_quality.base.runs import JobRun
from lead_quality.follow_up import backlog, endings, escalation
from lead_quality.follow_up.alerts import raise_alerts
from lead_quality.funnel.conditions import HAS_OWNER, IN_WORK, IS_CLAIMED, RESPONSIBLE, open_clock
from lead_quality.nurture import history
from lead_quality.nurture.jobs import read_history
from lead_quality.people.recipients import People
from lead_quality.qualification.service import answer, log_on_lead, policy_of

JOB = "raise_unattended"

FAULTS = NO_OWNER, NO_NEXT_STEP, STALE, SHELF_LIFE = ("No Owner", "No Next Step", "Stale", "Shelf Life")
OVERDUE, HIDDEN = "Clock Overdue", "Hidden"

MOST_DECISIONS = 10_000
LEADS_AT_ONCE = 1_000

# a limit keeps MariaDB from computing the columns of a subquery again wherever they are named
ALL = "limit 18446744073709551615"


# what is wrong with a lead


class Step(NamedTuple):
	"""Where a next step of leads is kept: a table, its columns with the lead and the date, and when it counts."""

	table: str
	lead: str
	date: str
	condition: str

	def of(self, lead: str, what: str) -> str:
		"""The subquery of `what` over the steps of a lead. Looked up lead by lead: few leads cost little then."""
		return f"""(
			select {what} from {self.table}
			where {self.lead} = {lead} and {self.condition} and {self.date} is not null
			limit 1
		)"""


_EVENTS = "`tabEvent Participants` p join `tabEvent` e on e.name = p.parent"

# A touch or an answer that is overdue is still the next step: clocks see to that. Events and to-dos that have passed are
# none; Frappe dates every assignment, by the day on which it is made.
STEPS = {
	"Touch": (
		Step("`tabNurture Enrollment` e", "e.lead", "e.next_due_at", "e.status in ('Active', 'Snoozed')"),
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
			_EVENTS,
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
	f"{step.of('`tabLead`.name', '1')} is not null" for steps in STEPS.values() for step in steps
)
HAS_NEXT_STEP = f"({HAS_NEXT_STEP})"


def next_step_at(kind: str) -> str:
	"""The earliest date of the next steps of this kind, of a lead that a query has found as `found`."""
	dates = [step.of("found.`lead`", f"min(timestamp({step.date}))") for step in STEPS[kind]]
	# the least of several is null if one of them is
	return (
		dates[0]
		if len(dates) == 1
		else f"least({', '.join(f'coalesce({date}, {dates[0]}, {dates[-1]})' for date in dates)})"
	)


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
_TAKEN_UP_AT = """ifnull(
	(select max(b.taken_up_at) from `tabLead Backlog` b where b.lead = `tabLead`.name), timestamp'1000-01-01 00:00:00'
)"""
LEFT_ALONE_SINCE = f"greatest({UNTOUCHED_SINCE}, {_TAKEN_UP_AT})"


def _left_alone_on(days: str) -> str:
	"""The day on which a lead has been left alone for so many days (0: never); one that rests, when it is back."""
	return f"""if(
		{days} > 0,
		greatest(date({LEFT_ALONE_SINCE}) + interval {days} day, ifnull(rest.until, date'1000-01-01')),
		null
	)"""


HAS_OVERDUE_CLOCK = f"""(
	(
		select 1 from `tabFollow Up Clock` c
		where
			c.lead = `tabLead`.name and {open_clock("c")} and c.due_at < %(now)s
			and (c.status != 'Paused' or c.paused_until <= %(now)s)
		limit 1
	) is not null
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
			where e.lead = `tabLead`.name and e.status in ('Active', 'Snoozed') limit 1
		) is not null
	)
)"""

# what decides about a lead, by the names of the columns under which a query may ask for it
FACTS = {
	# in work, and nobody is still to decide what is to become of it
	"in_work": IN_WORK,
	"waits": "(`tabLead`.lq_waits = 1)",
	"has_owner": HAS_OWNER,
	"has_next_step": HAS_NEXT_STEP,
	"stale_on": _left_alone_on("%(stale_after)s"),
	"shelf_life_ends_on": _left_alone_on("segment.shelf_life_days"),
	"has_overdue_clock": HAS_OVERDUE_CLOCK,
	"is_hidden": IS_HIDDEN,
}
ALL_FACTS = ", ".join(f"{fact} as {name}" for name, fact in FACTS.items())

_RULES = {
	NO_OWNER: "{in_work} and not {waits} and not {has_owner}",
	NO_NEXT_STEP: "{in_work} and not {waits} and not {has_next_step}",
	STALE: "{in_work} and not {waits} and ifnull({stale_on} <= %(today)s, 0)",
	SHELF_LIFE: "{in_work} and not {waits} and ifnull({shelf_life_ends_on} <= %(today)s, 0)",
	OVERDUE: "{has_overdue_clock}",
	HIDDEN: "{is_hidden}",
}
RISKS = tuple(_RULES)
IS = {risk: f"({rule.format(**FACTS)})" for risk, rule in _RULES.items()}
# the same of leads for which a query has asked `ALL_FACTS`, as `found`
IS_FOUND = {
	risk: f"({rule.format(**{name: f'found.{name}' for name in FACTS})})" for risk, rule in _RULES.items()
}


def values_at(now: datetime) -> dict:
	"""What the conditions bind.

	:param now: naive instant in the site's zone, by which a lead is judged.
	"""
	return {"now": now, "today": now.date(), "stale_after": _settings().stale_after_days or 0}


def _settings():
	return frappe.get_cached_doc("Lead Quality Settings")


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


# who is told, and when


class Level(NamedTuple):
	"""One level at which a fault is told: of leads with `condition`, once `due_at` has come. All in SQL.

	`since` is when the fault began, which tells its episodes apart; `due_at` is computed of it.
	"""

	fault: str
	level: int
	condition: str
	since: str
	due_at: str

	@property
	def key(self) -> str:
		"""What the alert of this level and episode is known by. A name may be as long as the whole key."""
		name = "if(char_length(found.`lead`) <= 70, found.`lead`, sha1(found.`lead`))"
		return f"concat_ws(':', {name}, '{self.fault}', date(found.since), {self.level})"


# The lead has belonged to nobody since its owner was taken from it, or, where the owner can no longer log in, since
# that user was last there.
_OWNERLESS_SINCE = f"""
	greatest(
		{_TAKEN_UP_AT},
		ifnull(
			(select max(g.held_until) from `tabLead Holding` g where g.lead = `tabLead`.name),
			`tabLead`.creation
		),
		ifnull(
			(select u.last_active from `tabUser` u where u.name = `tabLead`.lead_owner and u.enabled = 0),
			`tabLead`.creation
		)
	)
"""

# The last thing that was, or led to, a next step: since then there has been none.
_STEPLESS_SINCE = f"""
	greatest(
		{LEFT_ALONE_SINCE},
		ifnull((
			select max(e.finished_at) from `tabNurture Enrollment` e where e.lead = `tabLead`.name
		), `tabLead`.creation),
		ifnull((
			select max(h.decided_at) from `tabLead Handover` h where h.lead = `tabLead`.name
		), `tabLead`.creation),
		ifnull((
			select max(q.decided_on) from `tabLead Qualification` q where q.lead = `tabLead`.name
		), `tabLead`.creation),
		ifnull((
			select max(d.modified) from `tabToDo` d
			where d.reference_type = 'Lead' and d.reference_name = `tabLead`.name and d.status != 'Open'
		), `tabLead`.creation),
		ifnull((
			select max(d.date) + interval 1 day from `tabToDo` d
			where
				d.reference_type = 'Lead' and d.reference_name = `tabLead`.name
				and d.status = 'Open' and d.date < %(today)s
		), `tabLead`.creation),
		ifnull((
			select max(e.starts_on) from {_EVENTS}
			where
				p.reference_docname = `tabLead`.name and p.reference_doctype = 'Lead'
				and e.starts_on <= %(now)s
		), `tabLead`.creation)
	)
"""
_DECIDES = "ifnull(segment.on_expiry, '') in ('Nurture', 'Disqualify')"


def levels() -> list[Level]:
	"""The levels at which faults are told, by the days of the settings and of the segments."""
	settings = _settings()
	owned = f"({HAS_OWNER} and {{}})"
	found = [Level(NO_OWNER, 1, IS[NO_OWNER], _OWNERLESS_SINCE, "found.since")]
	if settings.next_step_after_days:
		days = int(settings.next_step_after_days)
		once, twice = (f"found.since + interval {days * times} day" for times in (1, 2))
		no_step = owned.format(IS[NO_NEXT_STEP])
		found += [
			Level(NO_OWNER, 2, IS[NO_OWNER], _OWNERLESS_SINCE, twice),
			Level(NO_NEXT_STEP, 1, no_step, _STEPLESS_SINCE, once),
			Level(NO_NEXT_STEP, 2, no_step, _STEPLESS_SINCE, twice),
		]
	if settings.stale_after_days:
		stale = owned.format(IS[STALE])
		on = "date(found.since) + interval %(stale_after)s day"
		found += [Level(STALE, level, stale, LEFT_ALONE_SINCE, on) for level in (1, 2)]
	expired = owned.format(IS[SHELF_LIFE])
	twice = "date(found.since) + interval 2 * found.shelf_life_days day"
	return [
		*found,
		Level(SHELF_LIFE, 1, f"({expired} and not {_DECIDES})", LEFT_ALONE_SINCE, _SHELF_LIFE_OVER),
		Level(SHELF_LIFE, 2, expired, LEFT_ALONE_SINCE, twice),
	]


_SHELF_LIFE_OVER = "date(found.since) + interval found.shelf_life_days day"

# What is decided about a lead whose shelf life is over. One that sales is to answer for waits for that.
DECISION = Level(
	SHELF_LIFE,
	1,
	f"""(
		{IS[SHELF_LIFE]} and {_DECIDES}
		and `tabLead`.name not in (select h.lead from `tabLead Handover` h where h.status = 'Sent')
	)""",
	LEFT_ALONE_SINCE,
	_SHELF_LIFE_OVER,
)


def due(level: Level, now: datetime, lead: str | None = None, limit: int | None = None) -> list:
	"""The leads about which a level is due and has not been told in this episode, the longest due first.

	:param now: naive instant in the site's zone, as are `since` and `due_at` of the rows.
	:param lead: only this one.
	"""
	where = Where()
	where.equal("`tabLead`.name", lead)
	where.add(level.condition)
	return where.select(
		f"""
		select found.*, timestamp({level.due_at}) as due_at, {level.key} as alert_key
		from (
			select
				`tabLead`.name as `lead`,
				`tabLead`.title as lead_name,
				{RESPONSIBLE} as responsible,
				`tabLead`.lq_segment,
				`tabLead`.company,
				segment.on_expiry,
				segment.expiry_reason,
				segment.shelf_life_days,
				{level.since} as since
			from {LEADS}
			where {{where}}
			{ALL}
		) found
		where
			timestamp({level.due_at}) <= %(now)s
			and not exists (select 1 from `tabFollow Up Alert` a where a.alert_key = {level.key})
		order by due_at, found.`lead`
		{f"limit {limit}" if limit else ""}
		""",
		**values_at(now),
	)


# the job


def raise_unattended(now: datetime | None = None) -> dict:
	"""Decide about the leads whose shelf life is over, and tell of those that nobody attends to.

	Each level of a fault is told once for each time that a lead gets it; when the job runs does not matter. Nobody is told
	before the site's history was read in, nor of a lead that is over.

	:param now: naive instant in the site's zone.
	:returns: counts found (decisions, and chunks of a thousand leads), done (decisions and alerts), failed.
	"""
	if not history.is_read() and read_history(now)["failed"]:
		return JobRun(JOB, now).finish()  # the next run tries again
	endings.end_unmarked(JobRun("end_leads", now)).finish()
	run = JobRun(JOB, now)
	expired = [row.lead for row in due(DECISION, run.now, limit=MOST_DECISIONS)]
	run.each(expired, decide, on_failure=tell_instead)
	run.each(_alerts_due(run.now), _raise, commit_every=1)
	backlog.tell_of_waiting(run.now)
	return run.finish()


def _alerts_due(now: datetime) -> Iterator[list[dict]]:
	"""The alerts that are due, a thousand leads of one level at a time."""
	for level in levels():
		rows = due(level, now)
		for start in range(0, len(rows), LEADS_AT_ONCE):
			yield alerts_of(level, rows[start : start + LEADS_AT_ONCE], now)


def _raise(alerts: list[dict], now: datetime) -> int:
	raise_alerts(alerts, now)
	return sum(bool(alert["for_user"]) for alert in alerts)


def decide(lead: str, now: datetime) -> bool:
	"""Nurture or disqualify a lead whose shelf life is over, as its segment says, and tell its owner.

	The lead is locked, and judged as it is by then: somebody may just have touched it.

	:param now: naive instant in the site's zone.
	:returns: whether it was still to be done.
	"""
	touched_at = frappe.db.get_value("Lead", lead, "lq_last_touch_at", for_update=True)
	row = next(iter(due(DECISION, now, lead)), None)
	if not row or (touched_at and touched_at > row.since):
		return False
	if row.on_expiry == "Disqualify":
		answer(lead, [], decision="Disqualified", outcome_reason=row.expiry_reason)
		words = _("disqualified the lead because its shelf life of {0} days ended on {1}: {2}")
	else:
		escalation.recycle(lead, row.expiry_reason, now)
		words = _("returned the lead to nurturing because its shelf life of {0} days ended on {1}: {2}")
	reason = frappe.get_cached_value("Lead Outcome Reason", row.expiry_reason, "reason")
	log_on_lead(lead, words.format(row.shelf_life_days, format_date(row.due_at), _(reason)))
	_raise(alerts_of(DECISION, [row], now, row.on_expiry), now)
	return True


def tell_instead(lead: str, now: datetime):
	"""What the segment says could not be decided: the owner is told, so that the lead is not forgotten.

	:param now: naive instant in the site's zone.
	"""
	_raise(alerts_of(DECISION, due(DECISION, now, lead), now), now)


def alerts_of(level: Level, rows: list, now: datetime, action: str | None = None) -> list[dict]:
	"""The values of the alerts of a level.

	:param rows: leads, as `due` finds them.
	:param now: naive instant in the site's zone.
	:param action: what has been done about them.
	"""
	people = People((row.lead for row in rows), now.date())
	return [
		{
			"lead": row.lead,
			"lead_name": row.lead_name,
			"kind": "Unattended",
			"clock": level.fault,
			"level": level.level,
			"for_user": user,
			"due_at": row.due_at,
			"action": action,
			# whether the level was told is asked of the first
			"alert_key": f"{row.alert_key}:{number}" if number else row.alert_key,
		}
		for row in rows
		for number, user in enumerate(_told_by(level, row, people) or [None])
	]


def _told_by(level: Level, row, people: People) -> list[str]:
	"""The first level is the owner's, the second one the manager's; where there is nobody, the last resort's."""
	resorts = people.last_resorts(policy_of(row), row.lq_segment)
	if level.level == 1:
		own = [] if level.fault == NO_OWNER else [people.there(row.responsible)]
		return people.first_of([own, *resorts], row.lead)
	manager = [people.manager(row.responsible)]
	if level.fault == NO_OWNER:
		# the last resort has been told; the manager of whose it was may know who is to have the lead now
		return people.first_of([manager], row.lead)
	others = ([user for user in users if user != row.responsible] for users in (manager, *resorts))
	return people.first_of(others, row.lead)
