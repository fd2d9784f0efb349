"""Replanning: when opening hours or holidays change, future deadlines move; the past stays."""

from datetime import datetime

import frappe
from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.base.calendar_states import keep_history
from lead_quality.base.rows import update_rows
from lead_quality.base.runs import JobRun
from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.engine import clock as engine
from lead_quality.follow_up.clocks import CLOCK_FIELDS
from lead_quality.funnel import lead_lock
from lead_quality.funnel.conditions import open_clock

CHUNK = 500


def replan_later(calendar: str):
	"""Replan the clocks of a Working Calendar in the background, after the change is committed."""
	frappe.enqueue(f"{__name__}.replan", queue="long", enqueue_after_commit=True, calendar=calendar)


def replan_changed(now: datetime | None = None) -> dict:
	"""Replan the clocks of changed calendars whose replanning was interrupted or never began.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	counts = {"found": 0, "done": 0, "failed": 0}
	for calendar in frappe.get_all("Working Calendar", pluck="name", order_by="name asc"):
		if _state_of(calendar) != frappe.db.get_value("Working Calendar", calendar, "planned_for"):
			for key, count in replan(calendar, now).items():
				counts[key] += count
	return counts


def _state_of(calendar: str) -> str:
	"""What tells one state of a calendar and its holidays from another."""
	hours, holiday_list = frappe.db.get_value("Working Calendar", calendar, ["modified", "holiday_list"])
	return f"{hours} {holiday_list and frappe.db.get_value('Holiday List', holiday_list, 'modified')}"


def replan(calendar: str, now: datetime | None = None) -> dict:
	"""Compute the deadlines of a Working Calendar's running clocks again that lie ahead.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	state = _state_of(calendar)
	run = JobRun("replan", now or now_datetime())
	# what came past the document events, such as a Data Import without them, has no history yet
	keep_history(calendar, aware(run.now))
	names = query.run(
		"""
		select name from `tabFollow Up Clock`
		where working_calendar = %s and status in ('Running', 'Paused') and due_at > %s
		""",
		(calendar, run.now),
		pluck=True,
	)
	for start in range(0, len(names), CHUNK):
		chunk = names[start : start + CHUNK]
		if not run.batch(chunk, replan_clocks):
			run.each(chunk, replan_clock)
	if not run.failed:
		frappe.db.set_value("Working Calendar", calendar, "planned_for", state, update_modified=False)
	return run.finish()


def replan_clock(name: str, now: datetime) -> int:
	return replan_clocks([name], now)


def replan_clocks(names: list[str], now: datetime) -> int:
	"""Compute the deadlines of some clocks again. Returns of how many they have changed.

	The leads are locked before their clocks, as whoever logs a touch locks them.

	:param now: naive instant in the site's zone.
	"""
	lead_lock.lock(
		*query.run("select `lead` from `tabFollow Up Clock` where name in %s", (names,), pluck=True)
	)
	clocks = query.run(
		f"""
		select within, warn_at_percent, {", ".join(CLOCK_FIELDS)} from `tabFollow Up Clock`
		where name in %s and status in ('Running', 'Paused') and due_at > %s
		order by name for update
		""",
		(names, now),
		as_dict=True,
	)
	moved = []
	for clock in clocks:
		values = {"name": clock.name, **deadlines_of(clock)}
		# nobody can keep a deadline that a change has put into the past
		is_ahead = values["due_at"] > now
		if is_ahead and (values["due_at"], values["warn_at"]) != (clock.due_at, clock.warn_at):
			due_next = values["due_at"] if clock.alert_level >= engine.WARNING else values["warn_at"]
			due_next = min(due_next, values["due_at"])
			moved.append({**values, "next_alert_at": max(due_next, clock.paused_until or due_next)})
	update_rows("Follow Up Clock", moved)
	if moved:
		query.run(
			"""
			update `tabLead Handover` h join `tabFollow Up Clock` c on c.reference_name = h.name
			set h.accept_by = c.due_at
			where c.name in %s and c.clock = 'Handover Acceptance' and h.status = 'Sent'
			""",
			([row["name"] for row in moved],),
		)
		query.run(
			f"""
			update `tabLead` l set lq_due_at = (
				select min(due_at) from `tabFollow Up Clock` c
				where c.lead = l.name and {open_clock("c")}
			)
			where l.name in (select lead from `tabFollow Up Clock` where name in %s)
			""",
			([row["name"] for row in moved],),
		)
	return len(moved)


def deadlines_of(clock) -> dict[str, datetime]:
	"""`due_at` and `warn_at` (naive, the site's zone) of a clock by its calendar as it is now, its pauses included."""
	calendar = get_calendar(clock.working_calendar)
	begins = aware(clock.started_at)
	due = engine.due_at(begins, clock.within, clock.unit, calendar)
	warn = engine.warn_at(begins, due, clock.warn_at_percent or 100, clock.unit, calendar)
	paused = clock.paused_seconds or 0
	if clock.paused_at:
		paused += engine.spent(aware(clock.paused_at), aware(clock.paused_until), clock.unit, calendar)
	return {
		"due_at": naive(engine.later(due, paused, clock.unit, calendar)),
		"warn_at": naive(engine.later(warn, paused, clock.unit, calendar)),
	}
