"""Unattended leads: alerts to those who can act, and the decision when the shelf life ends."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import frappe
from frappe import _
from frappe.utils import format_date

from lead_quality.base.queries import Where
from lead_quality.base.runs import JobRun
from lead_quality.follow_up import backlog, endings, escalation, first_look
from lead_quality.follow_up.alerts import raise_alerts
from lead_quality.follow_up.risks import (
	ALL,
	EVENTS,
	IS,
	LEADS,
	LEFT_ALONE_SINCE,
	NO_NEXT_STEP,
	NO_OWNER,
	SHELF_LIFE,
	STALE,
	TAKEN_UP_AT,
	values_at,
)
from lead_quality.funnel.conditions import (
	HAS_OWNER,
	RESPONSIBLE,
)
from lead_quality.funnel.timeline import log_on_lead
from lead_quality.people.recipients import People
from lead_quality.qualification.answering import answer
from lead_quality.qualification.segments import policy_of

JOB = "raise_unattended"

MOST_DECISIONS = 10_000

LEADS_AT_ONCE = 1_000


# whom to notify, and when


class Level(NamedTuple):
	"""One level at which a fault is reported: for leads with `condition`, once `due_at` has come. All in SQL.

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
		{TAKEN_UP_AT},
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
			select max(e.starts_on) from {EVENTS}
			where
				p.reference_docname = `tabLead`.name and p.reference_doctype = 'Lead'
				and e.starts_on <= %(now)s
		), `tabLead`.creation)
	)
"""

_DECIDES = "ifnull(segment.on_expiry, '') in ('Nurture', 'Disqualify')"


def levels() -> list[Level]:
	"""The levels at which faults are reported, by the days of the settings and of the segments."""
	settings = frappe.get_cached_doc("Lead Quality Settings")
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
	"""The leads for which a level is due and has not been reported in this episode, the longest due first.

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
	"""Decide about the leads whose shelf life has ended, and alert those who can act on unattended leads.

	Each level of a fault is told once for each time that a lead gets it; when the job runs does not matter. Nobody is told
	of a lead before its history was read in, nor of one that is over; nor that leads wait, before it is known how many.

	:param now: naive instant in the site's zone.
	:returns: counts found (decisions, and chunks of a thousand leads), done (decisions and alerts), failed.
	"""
	endings.end_unmarked(JobRun("end_leads", now)).finish()
	run = JobRun(JOB, now)
	expired = [row.lead for row in due(DECISION, run.now, limit=MOST_DECISIONS)]
	run.each(expired, decide, on_failure=notify_owner_instead)
	run.each(_alerts_due(run.now), _raise, commit_every=1)
	if not first_look.is_under_way():
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


def notify_owner_instead(lead: str, now: datetime):
	"""Notify the owner where the segment's decision could not be carried out, so that the lead is not forgotten.

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
