"""Follow-up clocks: started by what happens to a lead, stopped by what people do, due in working time."""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import format_datetime, get_datetime, now_datetime

from lead_quality import summary
from lead_quality.engine import clock as engine
from lead_quality.notices import is_reachable, notify
from lead_quality.nurture.service import wants_no_contact
from lead_quality.qualification.agreement import Span
from lead_quality.qualification.service import plan_of
from lead_quality.records import insert_rows
from lead_quality.site_time import aware, get_calendar, naive


def start_entry_clocks(lead):
	"""Start the clocks of a new lead document: triage, first response, and its first planned touch.

	Nobody is asked to respond to a person who wants no contact, nor to one whom a rule has disqualified; where a
	rule has given the verdict, the triage is done.
	"""
	if wants_no_contact(lead) or lead.lq_verdict == "Disqualified":
		return
	at = get_datetime(lead.creation)
	starts = {"First Response": at} if lead.lq_verdict == "Nurture" else {"Triage": at, "First Response": at}
	if lead.get("lq_next_touch_at"):
		starts["Next Touch"] = get_datetime(lead.lq_next_touch_at)
	start(lead, starts, at)


def start(
	lead,
	starts: dict[str, datetime],
	at: datetime,
	reference=None,
	agreed: dict[str, Span | None] | None = None,
) -> list:
	"""Start clocks of a lead document as its segment's policy has them, or as both sides have agreed.

	:param starts: clock to the naive instant (the site's zone) from which its time runs.
	:param at: naive instant in the site's zone, kept as creation.
	:param agreed: clock to the span that goes before the policy's; None leaves it to the policy.
	:returns: the Follow Up Clocks started; a clock that has neither an agreed span nor a target is not.
	"""
	policy = policy_of(lead)
	targets = _targets(policy, agreed or {})
	rows = [
		{
			"lead": lead.name,
			"lead_name": lead.title,
			"clock": clock,
			"policy": policy.name if policy else None,
			"status": "Running",
			"started_at": begins,
			**deadlines(targets[clock], begins, targets[clock].calendar),
			"reference_doctype": reference.doctype if reference else None,
			"reference_name": reference.name if reference else None,
		}
		for clock, begins in starts.items()
		if clock in targets
	]
	clocks = insert_rows("Follow Up Clock", rows, at)
	if clocks:
		dues = [row["due_at"] for row in rows]
		if lead.get("lq_due_at"):
			dues.append(get_datetime(lead.lq_due_at))
		summary.write(lead, lq_due_at=min(dues))
	return clocks


def policy_of(lead):
	"""The Follow Up Policy document of a lead document's segment, or None."""
	name = plan_of(lead.get("lq_segment"), "follow_up_policy")
	return frappe.get_cached_doc("Follow Up Policy", name) if name else None


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
		if calendar:
			targets.setdefault(clock, frappe._dict()).update(
				within=span.within, unit=span.unit, calendar=calendar
			)
	return targets


def end_of_span(lead, span: Span | None, begins: datetime) -> datetime | None:
	"""When an agreed span is over that begins at `begins` (both naive, the site's zone); None without span or calendar."""
	target = _targets(policy_of(lead), {"agreed": span}).get("agreed")
	return deadlines(target, begins, target.calendar)["due_at"] if target else None


def deadlines(target, begins: datetime, calendar: str) -> dict[str, datetime]:
	"""`due_at` and `warn_at` (naive, the site's zone) of a policy's target for a clock that starts at `begins`."""
	working = get_calendar(calendar)
	begins = aware(begins)
	due = engine.due_at(begins, target.within, target.unit, working)
	warn = engine.warn_at(begins, due, target.warn_at_percent or 100, target.unit, working)
	return {"due_at": naive(due), "warn_at": naive(warn)}


def stop(lead: str, event: str, at: datetime):
	"""Stop the lead's clocks that an event stops (see `engine.clock.STOPPED_BY`).

	What counts is when it happened, not when it was logged or when a job looked: a touch that was made in time
	and logged after the miss was declared has met its deadline.

	:param at: naive instant in the site's zone.
	"""
	for row in _lock_open(lead, engine.STOPPED_BY[event]):
		if row.clock == "First Touch After Acceptance" and at < row.started_at:
			continue  # a touch from before the acceptance is not the receiver's
		status = engine.final_status(row.due_at, at)
		owner = (row.owner_at_breach or responsible(row)) if status == "Missed" else None
		frappe.db.set_value(
			"Follow Up Clock", row.name, {"status": status, "stopped_at": at, "owner_at_breach": owner}
		)
	refresh_due(lead)


def start_next_touch(enrollment: str, at: datetime):
	"""Start the clock of the touch that an enrollment waits for now, if it waits for one."""
	plan = frappe.db.get_value(
		"Nurture Enrollment", enrollment, ["lead", "status", "next_due_at"], as_dict=True
	)
	if plan and plan.status == "Active" and plan.next_due_at:
		start(frappe.get_doc("Lead", plan.lead), {"Next Touch": plan.next_due_at}, at)


def restart_next_touch(lead: str, due: datetime):
	"""The planned touch was put off: its clock runs from the new time (naive, the site's zone)."""
	cancel(lead, ("Next Touch",))
	start(frappe.get_doc("Lead", lead), {"Next Touch": due}, now_datetime())


def cancel(lead: str, clocks: tuple[str, ...] = engine.CLOCKS):
	"""End open clocks, all or some, because there is nothing left to do: a miss stays a miss, but is over."""
	now = now_datetime()
	for row in _lock_open(lead, clocks):
		status = "Missed" if row.status == "Missed" else "Cancelled"
		frappe.db.set_value("Follow Up Clock", row.name, {"status": status, "stopped_at": now})
	refresh_due(lead)


def _lock_open(lead: str, clocks: tuple[str, ...]) -> list:
	return frappe.db.sql(
		"""
		select name, lead, clock, status, started_at, due_at, owner_at_breach, reference_name
		from `tabFollow Up Clock`
		where lead = %s and clock in %s and stopped_at is null and status in ('Running', 'Paused', 'Missed')
		for update
		""",
		(lead, clocks),
		as_dict=True,
	)


def refresh_due(lead: str):
	"""Write the earliest deadline of the lead's open clocks to its summary."""
	due = frappe.db.sql(
		"""
		select min(due_at) from `tabFollow Up Clock`
		where lead = %s and stopped_at is null and status in ('Running', 'Missed')
		""",
		(lead,),
	)[0][0]
	summary.write(lead, lq_due_at=due)


def overdue_clocks(now: datetime, limit: int) -> list[str]:
	"""Names of the running clocks whose deadline has passed at `now` (naive, the site's zone)."""
	return frappe.db.sql_list(
		"""
		select name from `tabFollow Up Clock`
		where status = 'Running' and due_at < %s order by due_at limit %s
		""",
		(now, limit),
	)


def declare_missed(name: str, now: datetime) -> bool:
	"""Mark an overdue clock as missed and tell who is to act. Returns whether it was still to be done.

	The row is locked while it is judged: of two runs at the same time, one tells and the other passes it by.

	:param now: naive instant in the site's zone.
	"""
	row = frappe.db.get_value(
		"Follow Up Clock",
		{"name": name, "status": "Running", "due_at": ["<", now]},
		["name", "lead", "clock", "due_at", "reference_doctype", "reference_name"],
		as_dict=True,
		for_update=True,
		skip_locked=True,
	)
	if not row:
		return False
	frappe.db.set_value(
		"Follow Up Clock",
		name,
		{"status": "Missed", "owner_at_breach": responsible(row)},
		update_modified=False,
	)
	for user in recipients(row):
		notify(
			user,
			_("{0} of {1} was due {2}").format(
				_(row.clock), frappe.db.get_value("Lead", row.lead, "title"), format_datetime(row.due_at)
			),
			"Lead",
			row.lead,
		)
	return True


def responsible(clock) -> str | None:
	"""Who is to act on a clock: the receiver of its handover, else the lead's owner."""
	if clock.clock == "Handover Acceptance" and clock.reference_name:
		return frappe.db.get_value("Lead Handover", clock.reference_name, "to_user")
	return owner_of(clock.lead)


def recipients(clock) -> list[str]:
	"""Who is told of a breach: who is responsible, if able to act; else the fallback user, the segment's owner,
	or every Lead Quality Manager."""
	segment = frappe.db.get_value("Lead", clock.lead, "lq_segment")
	for user in (
		responsible(clock),
		frappe.get_cached_doc("Lead Quality Settings").fallback_user,
		plan_of(segment, "segment_owner"),
	):
		if user and is_reachable(user):
			return [user]
	return [
		user for user in frappe.utils.user.get_users_with_role("Lead Quality Manager") if is_reachable(user)
	]


def owner_of(lead: str) -> str | None:
	return frappe.db.get_value("Lead", lead, "lead_owner")


def forget_lead(lead: str):
	"""Delete the clocks of a deleted lead."""
	frappe.db.delete("Follow Up Clock", {"lead": lead})


def merge_into(lead: str):
	"""Two leads have become one: of each kind of clock, the one that is due first goes on."""
	seen = set()
	for row in frappe.get_all(
		"Follow Up Clock", {"lead": lead, "status": "Running"}, ["name", "clock"], order_by="due_at asc"
	):
		if row.clock in seen:
			frappe.db.set_value(
				"Follow Up Clock", row.name, {"status": "Cancelled", "stopped_at": now_datetime()}
			)
		seen.add(row.clock)
	refresh_due(lead)


def open_clocks(lead: str, now: datetime | None = None) -> list[dict]:
	"""The lead's clocks that nobody has stopped yet, the earliest deadline first.

	:param now: naive instant in the site's zone; `state` says what each clock is at that moment, whether or
	    not any job has run since.
	"""
	clocks = frappe.get_all(
		"Follow Up Clock",
		{"lead": lead, "stopped_at": ["is", "not set"], "status": ["in", ["Running", "Paused", "Missed"]]},
		["name", "clock", "status", "started_at", "warn_at", "due_at"],
		order_by="due_at asc",
	)
	for clock in clocks:
		clock.state = engine.state(clock.status, clock.warn_at, clock.due_at, now or now_datetime())
	return clocks
