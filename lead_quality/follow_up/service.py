"""Follow-up clocks: started by what happens to a lead, stopped by what people do, due in working time."""

from datetime import datetime, timedelta

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.base import query
from lead_quality.base.rows import update_rows
from lead_quality.engine import clock as engine  # nosemgrep (a variable has the name of the module)
from lead_quality.follow_up.clocks import (
	close_clock,
	lock,
	lock_open,
	paused_before,
	refresh_due,
	run_of_target,
	targets_of,
	time_spent,
	with_next_alert,
)
from lead_quality.follow_up.last_touch import human_touches, keep_last_touch
from lead_quality.follow_up.outages import was_unwatched
from lead_quality.follow_up.responsible import JOINS, at_deadline, responsible_for_clock
from lead_quality.funnel import endings
from lead_quality.funnel.conditions import human_touch
from lead_quality.funnel.lead_save import AT_ONCE, LeadSave, LeadWriter
from lead_quality.nurture.channels import FIELDS, closed_channels, wants_nothing
from lead_quality.people.absence import Absences
from lead_quality.qualification.agreement import Span
from lead_quality.qualification.segments import policy_of

# a message that is older than this needs no answer any more
ANSWERED_BY_NOW = timedelta(days=14)


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
	targets = targets_of(policy, agreed or {})
	planned = {
		clock: run_of_target(targets[clock], begins) for clock, begins in starts.items() if clock in targets
	}
	runs = {clock: run for clock, run in planned.items() if run}
	rows = [
		{
			"lead": lead.name,
			"lead_name": lead.title,
			"lead_priority": lead.lq_priority or 0,
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
		close_clock(row, _stopped(row, at, entered_at))
	refresh_due(lead)


def _stopped(row, at: datetime, entered_at: datetime | None) -> dict:
	"""The values of a clock that is stopped by what was done at `at` and entered at `entered_at`; see `stop`."""
	values = {
		"status": engine.final_status(row.due_at, at),
		"stopped_at": at,
		"acted_at": at,
		"elapsed_seconds": max(time_spent(row, row.started_at, at) - paused_before(row, at), 0),
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
	stopped = lock(lead, clocks, "status in ('Met', 'Missed') and acted_at = %(at)s", at=at)
	if not stopped:
		return
	touches = human_touches(lead)
	for row in stopped:
		by_touch = row.clock != "Next Touch"
		# a touch from before the acceptance is not the receiver's
		since = row.started_at if row.clock == "First Touch After Acceptance" else datetime.min
		first = next((touch for touch in touches if by_touch and touch[0] >= since), None)
		if first:
			close_clock(row, _stopped(row, *first))
		else:
			_run_on(row)
	refresh_due(lead)


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
		values = with_next_alert(row, values)
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


def start_first_response(lead: str, at: datetime):
	"""Start First Response for a lead that has written, from when it wrote, unless it has run before or a user has been in
	touch.

	A policy without a target for it leaves it to the settings.

	:param at: naive instant in the site's zone.
	"""
	now = now_datetime()
	if now - at > ANSWERED_BY_NOW or frappe.db.exists(
		"Follow Up Clock", {"lead": lead, "clock": "First Response"}
	):
		return
	doc = frappe.get_doc("Lead", lead)
	first = query.run(
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


def take_status_as_answer(lead: str, at: datetime):
	"""A lead has left its first status, which counts as a response where the settings say so.

	:param at: naive instant in the site's zone.
	"""
	if frappe.get_cached_doc("Lead Quality Settings").status_stops_first_response:
		stop(lead, "status moved", at)


def _lock_stoppable(lead: str, event: str, at: datetime) -> list:
	"""The open clocks that an event stops; of touches, which may be logged in any order, also clocks that a later one
	has stopped."""
	open_clocks = lock_open(lead, engine.STOPPED_BY[event])
	if event != "human touch":
		return open_clocks
	return open_clocks + lock(
		lead,
		engine.STOPPED_BY[event],
		"(status in ('Met', 'Missed') and (acted_at > %(at)s or entered_late = 1 and due_at >= %(at)s)"
		" or status = 'Missed' and acted_at is null and stopped_at > %(at)s)",
		at=at,
	)


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
	rows = [row for row in lock_open(lead, clocks) if reference in (None, row.reference_name)]
	for row in rows:
		_end(row, now)
	refresh_due(lead)
	return bool(rows)


def _end(row, now: datetime):
	values = {"status": "Cancelled", "stopped_at": now, "next_alert_at": None}
	if row.due_at < now:
		values.update({"status": "Missed", **_breach(row)})
	close_clock(row, values)


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
		is_there = frappe.db.exists("Lead", row.lead)
		return bool(
			not is_own and is_there and frappe.has_permission("Lead", "read", doc=row.lead, user=user)
		)

	return Absences(row.due_at.date()).answerable(at_deadline([row.name]).get(row.name), row.due_at, may_act)


# leads that are deleted or merged


def forget_lead(lead: str, remnant: str):
	"""Of a deleted lead only the clocks that were met or missed stay, so that past months keep their totals: with who
	was responsible, and without the lead's name. So does who has held it, as misses are shared by that. Its alerts go.

	:param remnant: what stands for the lead from now on.
	"""
	cancel(lead)
	acted_at = "coalesce(c.acted_at, c.stopped_at, c.due_at)"
	rows = query.run(
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
	for row in sorted(lock_open(lead, engine.CLOCKS), key=lambda row: row.due_at):
		if row.clock == "Handover Acceptance" and row.reference_name:
			is_over = frappe.db.get_value("Lead Handover", row.reference_name, "status") != "Sent"
		else:
			is_over = row.clock in seen
		if is_over:
			_end(row, now)
		seen.add(row.clock)
	touches = human_touches(lead)
	for at, entered_at in touches:
		stop(lead, "human touch", at, entered_at)
	if touches:
		keep_last_touch(lead, touches[-1][0])
	refresh_due(lead)
