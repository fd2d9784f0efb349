"""Follow-up clocks: started by what happens to a lead, stopped by what people do, due in working time."""

from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.utils import cint, get_datetime, now_datetime

from lead_quality.base.rows import insert_rows, update_rows
from lead_quality.base.site_time import aware, get_calendar, naive, seconds_between
from lead_quality.engine import clock as engine  # nosemgrep (a variable has the name of the module)
from lead_quality.follow_up.responsible import JOINS, at_deadline, responsible_for_clock
from lead_quality.funnel import endings, summary
from lead_quality.funnel.conditions import human_touch, open_clock
from lead_quality.funnel.lead_save import AT_ONCE, LeadSave, LeadWriter
from lead_quality.nurture.channels import FIELDS, closed_channels, wants_nothing
from lead_quality.people.absence import Absences
from lead_quality.qualification.agreement import Span
from lead_quality.qualification.service import policy_of

SWEEP = "sweep_clocks"
# what a lead wrote longer ago, and comes to light now, is history
ANSWERED_BY_NOW = timedelta(days=14)

# what is read of a clock to stop, pause or tell of it
CLOCK_FIELDS = (
	"name",
	"lead",
	"lead_name",
	"clock",
	"policy",
	"status",
	"unit",
	"working_calendar",
	"started_at",
	"warn_at",
	"due_at",
	"paused_at",
	"paused_until",
	"paused_seconds",
	"owner_at_breach",
	"missed_by_system",
	"reference_doctype",
	"reference_name",
	"next_alert_at",
	"alert_level",
	"ladder_from",
	"failures",
	"acted_at",
	"entered_late",
)


def start_entry_clocks(save: LeadSave):
	"""Start the clocks of a new lead: triage, first response, and its first planned touch.

	Nobody is asked to respond to one whom a rule has disqualified; where a rule has given the verdict, the triage is
	done. An imported lead has not just come in: whether anything is to be decided about it, the settings say.
	"""
	lead = save.lead
	at = get_datetime(lead.creation)
	starts = {} if lead.lq_verdict == "Nurture" else {"Triage": at}
	if not frappe.flags.in_import:
		starts["First Response"] = at
		if lead.get("lq_next_touch_at"):
			starts["Next Touch"] = get_datetime(lead.lq_next_touch_at)
	elif not frappe.get_cached_doc("Lead Quality Settings").imported_leads_start_in_triage:
		return
	start(lead, starts, at, writer=save)


def start(
	lead,
	starts: dict[str, datetime],
	at: datetime,
	reference=None,
	agreed: dict[str, Span | None] | None = None,
	writer: LeadWriter = AT_ONCE,
) -> list:
	"""Start clocks of a lead document as its segment's policy has them, or as both sides have agreed.

	:param starts: clock to the naive instant (the site's zone) from which its time runs.
	:param at: naive instant in the site's zone, kept as creation.
	:param agreed: clock to the span that goes before the policy's; None leaves it to the policy.
	:returns: the Follow Up Clocks started; a clock that has neither an agreed span nor a target is not, and none of a
	    lead that is over.
	"""
	if endings.is_final(lead):
		return []
	policy = policy_of(lead)
	targets = _targets(policy, agreed or {})
	planned = {clock: _run_of(targets[clock], begins) for clock, begins in starts.items() if clock in targets}
	runs = {clock: run for clock, run in planned.items() if run}
	rows = [
		{
			"lead": lead.name,
			"lead_name": lead.title,
			"clock": clock,
			"policy": policy.name if policy else None,
			"status": "Running",
			"started_at": begins,
			**runs[clock],
			"reference_doctype": reference.doctype if reference else None,
			"reference_name": reference.name if reference else None,
		}
		for clock, begins in starts.items()
		if clock in runs
	]
	clocks = writer.insert_rows("Follow Up Clock", rows, at) if rows else []
	if clocks and writer is AT_ONCE:
		refresh_due(lead.name)
	elif clocks:
		writer.summarise(lead, lq_due_at=min(row["due_at"] for row in rows))
	return clocks


def snooze_of(lead: str):
	"""The `snoozed_until` and `snooze_reason` of a lead that is snoozed with a reason, or None."""
	return frappe.db.get_value(
		"Nurture Enrollment",
		{"lead": lead, "status": "Snoozed", "snooze_reason": ["is", "set"]},
		["snoozed_until", "snooze_reason"],
		as_dict=True,
	)


def pause_by(lead: str, snooze, at: datetime):
	"""A clock that starts while the lead is snoozed with a reason waits, too.

	:param snooze: see `snooze_of`.
	"""
	if snooze and snooze.snoozed_until > at:
		pause(lead, snooze.snoozed_until, snooze.snooze_reason, at)


def _run_of(target, begins: datetime) -> dict | None:
	"""What a clock keeps of its target: it goes on as it was started, whatever becomes of the policy. None, and an
	error in the log, where none can be counted, as its calendar has no working time any more: no lead stays out for it."""
	try:
		ends = deadlines(target, begins, target.calendar)
	except (OverflowError, ValueError) as error:
		frappe.log_error(
			_("No deadline can be counted by the calendar {0}").format(target.calendar), str(error)
		)
		return None
	return {
		"within": target.within,
		"unit": target.unit,
		"warn_at_percent": target.warn_at_percent or 100,
		"working_calendar": target.calendar,
		**ends,
		"next_alert_at": min(ends["warn_at"], ends["due_at"]),
	}


def _targets(policy, agreed: dict[str, Span | None]) -> dict[str, frappe._dict]:
	"""Clock to `within`, `unit`, `warn_at_percent` and `calendar`. An agreed span without any calendar is none."""
	targets = {
		row.clock: frappe._dict(
			within=row.within,
			unit=row.unit,
			warn_at_percent=row.warn_at_percent,
			calendar=policy.working_calendar,
		)
		for row in (policy.targets if policy else [])
	}
	for clock, span in agreed.items():
		calendar = span and (span.calendar or (policy and policy.working_calendar))
		if span and calendar:
			targets.setdefault(clock, frappe._dict()).update(
				within=span.within, unit=span.unit, calendar=calendar
			)
	return targets


def deadlines(target, begins: datetime, calendar: str) -> dict[str, datetime]:
	"""`due_at` and `warn_at` (naive, the site's zone) of a policy's target for a clock that starts at `begins`."""
	working = get_calendar(calendar)
	begins = aware(begins)
	due = engine.due_at(begins, target.within, target.unit, working)
	warn = engine.warn_at(begins, due, target.warn_at_percent or 100, target.unit, working)
	return {"due_at": naive(due), "warn_at": naive(warn)}


def stop(lead: str, event: str, at: datetime, entered_at: datetime | None = None):
	"""Stop the lead's clocks that an event stops (see `engine.clock.STOPPED_BY`).

	What counts is when it happened, not when it was logged or when a job looked: a touch that was made in time
	and logged after the miss was declared has met its deadline, also after a later touch had stopped the clock. If it
	was entered by hand after the deadline, the clock says so, and is counted apart.

	:param at: naive instant in the site's zone, as is `entered_at`.
	:param entered_at: when somebody has entered it by hand; None for what is proven by a mail, a call or an event.
	"""
	for row in _lock_stoppable(lead, event, at):
		if row.clock == "First Touch After Acceptance" and at < row.started_at:
			continue  # a touch from before the acceptance is not the receiver's
		if row.entered_late and row.acted_at <= at and entered_at is not None:
			continue  # only what is proven is better than what was entered late
		_put_away(row, _stopped(row, at, entered_at))
	refresh_due(lead)


def _stopped(row, at: datetime, entered_at: datetime | None) -> dict:
	"""The values of a clock that is stopped by what was done at `at` and entered at `entered_at`; see `stop`."""
	values = {
		"status": engine.final_status(row.due_at, at),
		"stopped_at": at,
		"acted_at": at,
		"elapsed_seconds": max(time_spent(row, row.started_at, at) - _paused_before(row, at), 0),
		"next_alert_at": None,
		"owner_at_breach": None,
		"missed_by_system": 0,
	}
	is_late = values["status"] == "Met" and entered_at is not None and entered_at > row.due_at
	values["entered_late"] = int(is_late)
	if values["status"] == "Missed":
		values.update(_breach(row))
	return values


def review(lead: str, at: datetime, with_next_touch: bool = False):
	"""What was done at `at` (naive, the site's zone) was corrected or taken back: the clocks that it had stopped are
	stopped by the first touch that stands, or run on from their own start.

	:param with_next_touch: the planned touch waits again, too.
	"""
	clocks = engine.STOPPED_BY["human touch"] + (("Next Touch",) if with_next_touch else ())
	stopped = _lock(lead, clocks, "status in ('Met', 'Missed') and acted_at = %(at)s", at=at)
	if not stopped:
		return
	touches = _human_touches(lead)
	for row in stopped:
		by_touch = row.clock != "Next Touch"
		# a touch from before the acceptance is not the receiver's
		since = row.started_at if row.clock == "First Touch After Acceptance" else datetime.min
		first = next((touch for touch in touches if by_touch and touch[0] >= since), None)
		if first:
			_put_away(row, _stopped(row, *first))
		else:
			_run_on(row)
	refresh_due(lead)


def _human_touches(lead: str) -> list[tuple[datetime, datetime | None]]:
	"""When persons were in touch with a lead, and when that was entered by hand; the first touch first."""
	return list(
		frappe.db.sql(
			f"""
			select t.done_at, if(ifnull(t.communication, '') = '' and ifnull(t.reference_name, '') = '', t.logged_at, null)
			from `tabLead Touch` t where t.lead = %s and {human_touch("t")} order by t.done_at
			""",
			(lead,),
		)
	)


def _run_on(row):
	"""A clock runs on as if nothing had stopped it, unless the lead is over by now."""
	was_told = row.alert_level >= engine.MISSED
	values = {
		"status": "Missed" if was_told else "Running",
		"stopped_at": None,
		"acted_at": None,
		"entered_late": 0,
		"elapsed_seconds": 0,
		"owner_at_breach": row.owner_at_breach if was_told else None,
		"missed_by_system": row.missed_by_system if was_told else 0,
	}
	# what was told stays told; where the ladder is to go on, the next sweep finds out
	values["next_alert_at"] = now_datetime() if was_told else None
	if not was_told:
		values = _with_next_alert(row, values)
	update_rows("Follow Up Clock", [{"name": row.name, **values}], now_datetime())
	if is_over(row):
		_end(frappe._dict(row, **values), now_datetime())


def is_over(clock) -> bool:
	"""Whether nobody is to act on a clock's lead any more, or on its handover."""
	if clock.reference_name and clock.clock == "First Touch After Acceptance":
		if frappe.db.get_value("Lead Handover", clock.reference_name, "status") != "Accepted":
			return True
	lead = frappe.db.get_value("Lead", clock.lead, [*FIELDS, "lq_verdict"], as_dict=True)
	return (
		not lead
		or lead.status in {"Converted", "Lost Quotation", "Do Not Contact"}
		or lead.lq_verdict == "Disqualified"
		or wants_nothing(closed_channels(lead))
	)


def owe_answer(lead: str, at: datetime):
	"""A lead has written: somebody is to answer, from when it wrote. First Response starts, unless it has run before or
	somebody of ours has been in touch.

	A policy without a target for it leaves it to the settings.

	:param at: naive instant in the site's zone.
	"""
	now = now_datetime()
	if now - at > ANSWERED_BY_NOW or frappe.db.exists(
		"Follow Up Clock", {"lead": lead, "clock": "First Response"}
	):
		return
	doc = frappe.get_doc("Lead", lead)
	first = frappe.db.sql(
		f"select 1 from `tabLead Touch` t where t.lead = %s and {human_touch('t')} limit 1", (lead,)
	)
	if first or is_over(frappe._dict(lead=lead)):
		return
	policy = policy_of(doc)
	hours = frappe.get_cached_doc("Lead Quality Settings").answer_within_hours
	is_planned = policy and any(row.clock == "First Response" for row in policy.targets)
	span = None if is_planned or not hours else Span(hours, "Working Hours", _any_calendar(policy))
	start(doc, {"First Response": max(at, get_datetime(doc.creation))}, now, agreed={"First Response": span})


def _any_calendar(policy) -> str | None:
	"""The calendar of a policy, else the first of the site's."""
	if policy and policy.working_calendar:
		return policy.working_calendar
	return frappe.db.get_value("Working Calendar", {}, "name", order_by="creation asc")


def has_open(lead: str, clock: str) -> bool:
	"""Whether a clock of this kind is open on a lead."""
	return bool(_lock_open(lead, (clock,)))


def take_status_as_answer(lead: str, at: datetime):
	"""Somebody has moved a lead off its first status, which is an answer to it where the settings say so.

	:param at: naive instant in the site's zone.
	"""
	if frappe.get_cached_doc("Lead Quality Settings").status_stops_first_response:
		stop(lead, "status moved", at)


def _lock_stoppable(lead: str, event: str, at: datetime) -> list:
	"""The open clocks that an event stops; of touches, which may be logged in any order, also clocks that a later one
	has stopped."""
	open_clocks = _lock_open(lead, engine.STOPPED_BY[event])
	if event != "human touch":
		return open_clocks
	return open_clocks + _lock(
		lead,
		engine.STOPPED_BY[event],
		"(status in ('Met', 'Missed') and (acted_at > %(at)s or entered_late = 1 and due_at >= %(at)s)"
		" or status = 'Missed' and acted_at is null and stopped_at > %(at)s)",
		at=at,
	)


def time_spent(clock, start: datetime, end: datetime) -> int:
	"""Whole seconds of a clock's own time between two naive instants of the site's zone."""
	calendar = get_calendar(clock.working_calendar) if clock.working_calendar else None
	if not calendar:
		return seconds_between(start, end)
	return engine.spent(aware(start), aware(end), clock.unit, calendar)


def _later(clock, start: datetime, seconds: int) -> datetime:
	return naive(engine.later(aware(start), seconds, clock.unit, get_calendar(clock.working_calendar)))


def _paused_before(clock, at: datetime) -> int:
	"""The seconds of a clock's own time that its pauses have taken until `at` (naive, the site's zone)."""
	present = time_spent(clock, clock.paused_at, min(at, clock.paused_until)) if clock.paused_at else 0
	return (clock.paused_seconds or 0) + present


def _put_away(row, values: dict):
	"""Write what has become of a clock, and tell nobody any more of it."""
	update_rows("Follow Up Clock", [{"name": row.name, **values}], now_datetime())
	if row.alert_level:
		frappe.db.set_value(
			"Follow Up Alert",
			{"follow_up_clock": row.name, "status": "Pending"},
			"status",
			"Withdrawn",
			update_modified=False,
		)


def pause(lead: str, until: datetime, reason: str | None, now: datetime):
	"""Let the lead's clocks that wait for a word to it wait (see `engine.clock.PAUSED_BY_SNOOZE`).

	Their deadlines move by the time that they pause. A clock that is overdue does not pause.

	:param until: naive instant in the site's zone, as is `now`.
	"""
	resume(lead, now)
	for row in _lock_open(lead, engine.PAUSED_BY_SNOOZE):
		if row.status != "Running" or row.due_at <= now:
			continue
		seconds = time_spent(row, now, until)
		values = {
			"status": "Paused",
			"paused_at": now,
			"paused_until": until,
			"pause_reason": reason,
			"due_at": _later(row, row.due_at, seconds),
		}
		if row.warn_at > now:
			values["warn_at"] = _later(row, row.warn_at, seconds)
		frappe.db.set_value("Follow Up Clock", row.name, _with_next_alert(row, values))
	refresh_due(lead)


def resume(lead: str, now: datetime):
	"""Let the lead's paused clocks run again, from `now` or from when their pause was over.

	A pause that is cut short gives the rest of its time back.

	:param now: naive instant in the site's zone.
	"""
	for row in _lock_open(lead, engine.PAUSED_BY_SNOOZE):
		if row.status == "Paused":
			frappe.db.set_value("Follow Up Clock", row.name, resumed(row, now))
	refresh_due(lead)


def resumed(row, now: datetime) -> dict:
	"""The values of a paused clock that runs again at `now` (naive, the site's zone)."""
	values: dict = {
		"status": "Running",
		"paused_at": None,
		"paused_until": None,
		"pause_reason": None,
		"paused_seconds": _paused_before(row, now),
	}
	if now < row.paused_until:
		for field in ("due_at", "warn_at"):
			if row[field] > row.paused_until:
				values[field] = _later(row, now, time_spent(row, row.paused_until, row[field]))
	return _with_next_alert(row, values)


def _with_next_alert(row, values: dict) -> dict:
	"""`values` with when a clock that has not been missed yet is next told of."""
	due, warn = values.get("due_at", row.due_at), values.get("warn_at", row.warn_at)
	values["next_alert_at"] = due if row.alert_level >= engine.WARNING else min(warn, due)
	if values["status"] == "Paused":
		values["next_alert_at"] = max(values["next_alert_at"], values["paused_until"])
	return values


def start_next_touch(enrollment: str, at: datetime):
	"""Start the clock of the touch that an enrollment waits for now, if it waits for one."""
	plan = frappe.db.get_value(
		"Nurture Enrollment", enrollment, ["lead", "status", "next_due_at"], as_dict=True
	)
	if plan and plan.status == "Active" and plan.next_due_at:
		_start_next_touch(frappe.get_doc("Lead", plan.lead), plan.next_due_at, at)


def _start_next_touch(lead, due: datetime, at: datetime):
	"""A plan goes on as it was begun, and so do its deadlines: where the lead's segment has none for the next touch by
	now, the one by which its last touch was watched holds."""
	policy = policy_of(lead)
	agreed: dict[str, Span | None] = {}
	if not policy or not any(row.clock == "Next Touch" for row in policy.targets):
		last = frappe.db.get_value(
			"Follow Up Clock",
			{"lead": lead.name, "clock": "Next Touch", "working_calendar": ["is", "set"]},
			["within", "unit", "working_calendar"],
			order_by="creation desc, due_at desc",
			as_dict=True,
		)
		if last:
			agreed["Next Touch"] = Span(last.within, last.unit, last.working_calendar)
	start(lead, {"Next Touch": due}, at, agreed=agreed)


def restart_next_touch_of(enrollment: str, now: datetime):
	"""The planned touch of an enrollment was put right: one clock runs for it, and no other.

	:param now: naive instant in the site's zone.
	"""
	lead = frappe.db.get_value("Nurture Enrollment", enrollment, "lead")
	cancel(lead, ("Next Touch",), now)
	start_next_touch(enrollment, now)


def restart_next_touch(lead: str, due: datetime):
	"""The planned touch was put off: its clock runs from the new time (naive, the site's zone)."""
	cancel(lead, ("Next Touch",))
	_start_next_touch(frappe.get_doc("Lead", lead), due, now_datetime())


def cancel(
	lead: str,
	clocks: tuple[str, ...] = engine.CLOCKS,
	now: datetime | None = None,
	reference: str | None = None,
) -> bool:
	"""End open clocks, all or some, because there is nothing left to do: a miss stays a miss, but is over.

	:param now: naive instant in the site's zone.
	:param reference: the name of the document that they are about, where only its clocks are meant.
	:returns: whether there were any.
	"""
	now = now or now_datetime()
	rows = [row for row in _lock_open(lead, clocks) if reference in (None, row.reference_name)]
	for row in rows:
		_end(row, now)
	refresh_due(lead)
	return bool(rows)


def _end(row, now: datetime):
	values = {"status": "Cancelled", "stopped_at": now, "next_alert_at": None}
	if row.due_at < now:
		values.update({"status": "Missed", **_breach(row)})
	_put_away(row, values)


def _breach(row) -> dict:
	"""Who is to answer for a clock whose deadline has passed, be it declared yet or not."""
	return {
		"owner_at_breach": row.owner_at_breach or _answerable(row),
		"missed_by_system": int(bool(row.missed_by_system) or was_unwatched(row.due_at)),
	}


def _answerable(row) -> str | None:
	def may_act(user: str) -> bool:
		is_own = row.clock == "Handover Acceptance" and user == frappe.db.get_value(
			"Lead Handover", row.reference_name, "from_user"
		)
		return not is_own and bool(frappe.has_permission("Lead", "read", doc=row.lead, user=user))

	return Absences(row.due_at.date()).answerable(at_deadline([row.name]).get(row.name), row.due_at, may_act)


def _lock_open(lead: str, clocks: tuple[str, ...]) -> list:
	return _lock(lead, clocks, open_clock("c"))


def _lock(lead: str, clocks: tuple[str, ...], condition: str, **values) -> list:
	# one at a time for each lead, or two events at once would write two earliest deadlines; first the lead, then its
	# clocks, as at a save of the lead
	frappe.db.get_value("Lead", lead, "name", for_update=True)
	return frappe.db.sql(
		f"""
		select {", ".join(CLOCK_FIELDS)}
		from `tabFollow Up Clock` c
		where lead = %(lead)s and clock in %(clocks)s and {condition}
		for update
		""",
		{"lead": lead, "clocks": clocks, **values},
		as_dict=True,
	)


def refresh_due(lead: str):
	"""Write the earliest deadline of the lead's open clocks to its summary."""
	due = frappe.db.sql(
		f"""
		select min(due_at) from `tabFollow Up Clock` c where lead = %s and {open_clock("c")}
		lock in share mode
		""",
		(lead,),
	)[0][0]
	summary.write(lead, lq_due_at=due)


# who holds the lead, and who has been in touch


def keep_last_touch(lead: str, at: datetime):
	"""Show on a lead when a person was last in touch; `at` is naive, in the site's zone."""
	last = frappe.db.get_value("Lead", lead, "lq_last_touch_at")
	if not last or at > last:
		summary.write(lead, lq_last_touch_at=at)


def refresh_last_touch(lead: str):
	"""Show on a lead when a person was last in touch, of the touches that stand."""
	last = frappe.db.sql(
		f"select max(t.done_at) from `tabLead Touch` t where t.lead = %s and {human_touch('t')}", (lead,)
	)[0][0]
	if frappe.db.get_value("Lead", lead, "lq_last_touch_at") != last:
		summary.write(lead, lq_last_touch_at=last)


def record_holding(lead, before: str | None, now: datetime):
	"""A lead document has another owner: keep how long the one before has held it.

	:param before: the user who owned it, or None.
	:param now: naive instant in the site's zone.
	"""
	last = frappe.db.get_value("Lead Holding", {"lead": lead.name}, "held_until", order_by="held_until desc")
	row = {
		"lead": lead.name,
		"user": before or None,
		"held_from": last or get_datetime(lead.creation),
		"held_until": now,
		"transfer": lead.flags.lead_transfer,
	}
	insert_rows("Lead Holding", [row], now)


# whether the system was there


def outages() -> list[tuple[datetime, datetime]]:
	"""The spans of time (naive, the site's zone) in which no sweep was there, the present one included."""
	now = now_datetime()
	spans = frappe.db.sql(
		"""
		select outage_from, started_at from `tabFollow Up Run` where job = %s and outage_from is not null
		""",
		(SWEEP,),
	)
	last = last_sweep()
	return [*spans, (last, now)] if last and is_outage(last, now) else list(spans)


def last_sweep() -> datetime | None:
	"""When the last sweep that came to its end had begun (naive, the site's zone)."""
	return frappe.db.sql(
		"select max(started_at) from `tabFollow Up Run` where job = %s and status != 'Running'", (SWEEP,)
	)[0][0]


def is_within(spans: list[tuple[datetime, datetime]], instant: datetime) -> bool:
	"""Whether a deadline passed in one of these spans of time."""
	return any(begins < instant <= ends for begins, ends in spans)


def was_unwatched(instant: datetime) -> bool:
	"""Whether no sweep was there when a deadline passed; `instant` is naive, in the site's zone, and past."""
	return is_within(outages(), instant)


def is_outage(last: datetime | None, this: datetime) -> bool:
	"""Whether so much time between two sweeps (naive, the site's zone) means that the system was not running.

	Before the very first sweep there was nothing to be late.
	"""
	minutes = cint(frappe.get_cached_doc("Lead Quality Settings").outage_after_minutes)
	return last is not None and minutes > 0 and (this - last).total_seconds() > minutes * 60


# leads that go


def forget_lead(lead: str, remnant: str):
	"""Of a deleted lead only the clocks that were met or missed stay, so that past months keep their totals: with who was
	responsible, and without the lead's name. So does who has held it, as misses are shared by that. Its alerts go.

	:param remnant: what stands for the lead from now on.
	"""
	cancel(lead)
	acted_at = "coalesce(c.acted_at, c.stopped_at, c.due_at)"
	rows = frappe.db.sql(
		f"""
		select c.name, coalesce(c.owner_at_breach, {responsible_for_clock(acted_at)}) as owner_at_breach
		from `tabFollow Up Clock` c {JOINS}
		where c.lead = %s and c.status in ('Met', 'Missed')
		for update
		""",
		(lead,),
		as_dict=True,
	)
	nameless = {"lead": remnant, "lead_name": None, "pause_reason": None}
	update_rows("Follow Up Clock", [{**row, **nameless} for row in rows])
	frappe.db.set_value("Lead Holding", {"lead": lead}, "lead", remnant, update_modified=False)
	for doctype in ("Follow Up Clock", "Follow Up Alert"):
		frappe.db.delete(doctype, {"lead": lead})


def merge_into(lead: str):
	"""Two leads have become one: of each kind of clock, the one that is due first goes on; who has been in touch with
	either has been in touch. The answer to a handover is waited for as long as the handover is."""
	now, seen = now_datetime(), set()
	for row in sorted(_lock_open(lead, engine.CLOCKS), key=lambda row: row.due_at):
		if row.clock == "Handover Acceptance" and row.reference_name:
			is_over = frappe.db.get_value("Lead Handover", row.reference_name, "status") != "Sent"
		else:
			is_over = row.clock in seen
		if is_over:
			_end(row, now)
		seen.add(row.clock)
	touches = _human_touches(lead)
	for at, entered_at in touches:
		stop(lead, "human touch", at, entered_at)
	if touches:
		keep_last_touch(lead, touches[-1][0])
	refresh_due(lead)


def open_clocks(lead: str, now: datetime | None = None) -> list[dict]:
	"""The lead's clocks that nobody has stopped yet, the earliest deadline first.

	:param now: naive instant in the site's zone; `state` says what each clock is at that moment, whether or
	    not any job has run since.
	"""
	clocks = frappe.db.sql(
		f"""
		select name, clock, status, started_at, warn_at, due_at, paused_until, missed_by_system
		from `tabFollow Up Clock` c where lead = %s and {open_clock("c")} order by due_at
		""",
		(lead,),
		as_dict=True,
	)
	for clock in clocks:
		clock.state = engine.state(
			clock.status, clock.warn_at, clock.due_at, now or now_datetime(), clock.paused_until
		)
	return clocks
