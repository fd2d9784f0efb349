"""Follow Up Clocks as rows: found and locked, measured in their own time, written."""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.base.rows import update_rows
from lead_quality.base.site_time import aware, get_calendar, naive, seconds_between
from lead_quality.engine import clock as engine  # nosemgrep (a variable has the name of the module)
from lead_quality.funnel import summary
from lead_quality.funnel.conditions import open_clock
from lead_quality.qualification.agreement import Span

# the fields needed to stop, pause or report a clock
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


def run_of_target(target, begins: datetime) -> dict | None:
	"""What a clock keeps of its target: it goes on as it was started, whatever becomes of the policy. None, and an
	error in the log, where none can be counted, as its calendar has no working time any more: no lead stays out for it."""
	try:
		ends = deadlines(target, begins, target.calendar)
	except (OverflowError, ValueError) as error:
		frappe.log_error(
			_("No deadline can be calculated with the calendar {0}").format(target.calendar), str(error)
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


def targets_of(policy, agreed: dict[str, Span | None]) -> dict[str, frappe._dict]:
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


def has_open(lead: str, clock: str) -> bool:
	"""Whether a clock of this kind is open on a lead."""
	return bool(lock_open(lead, (clock,)))


def time_spent(clock, start: datetime, end: datetime) -> int:
	"""Whole seconds of a clock's own time between two naive instants of the site's zone."""
	calendar = get_calendar(clock.working_calendar) if clock.working_calendar else None
	if not calendar:
		return seconds_between(start, end)
	return engine.spent(aware(start), aware(end), clock.unit, calendar)


def later(clock, start: datetime, seconds: int) -> datetime:
	return naive(engine.later(aware(start), seconds, clock.unit, get_calendar(clock.working_calendar)))


def paused_before(clock, at: datetime) -> int:
	"""The seconds of a clock's own time that its pauses have taken until `at` (naive, the site's zone)."""
	present = time_spent(clock, clock.paused_at, min(at, clock.paused_until)) if clock.paused_at else 0
	return (clock.paused_seconds or 0) + present


def close_clock(row, values: dict):
	"""Write how a clock has ended, and withdraw its pending alerts."""
	update_rows("Follow Up Clock", [{"name": row.name, **values}], now_datetime())
	if row.alert_level:
		frappe.db.set_value(
			"Follow Up Alert",
			{"follow_up_clock": row.name, "status": "Pending"},
			"status",
			"Withdrawn",
			update_modified=False,
		)


def with_next_alert(row, values: dict) -> dict:
	"""`values` with the next alert of a clock that has not been missed yet."""
	due, warn = values.get("due_at", row.due_at), values.get("warn_at", row.warn_at)
	values["next_alert_at"] = due if row.alert_level >= engine.WARNING else min(warn, due)
	if values["status"] == "Paused":
		values["next_alert_at"] = max(values["next_alert_at"], values["paused_until"])
	return values


def lock_open(lead: str, clocks: tuple[str, ...]) -> list:
	return lock(lead, clocks, open_clock("c"))


def lock(lead: str, clocks: tuple[str, ...], condition: str, **values) -> list:
	# one at a time for each lead, or two events at once would write two earliest deadlines; first the lead, then its
	# clocks, as at a save of the lead
	frappe.db.get_value("Lead", lead, "name", for_update=True)
	return query.run(
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
	due = query.run(
		f"""
		select min(due_at) from `tabFollow Up Clock` c where lead = %s and {open_clock("c")}
		lock in share mode
		""",
		(lead,),
	)[0][0]
	summary.write(lead, lq_due_at=due)


def open_clocks(lead: str, now: datetime | None = None) -> list[dict]:
	"""The lead's clocks that nobody has stopped yet, the earliest deadline first.

	:param now: naive instant in the site's zone; `state` says what each clock is at that moment, whether or
	    not any job has run since.
	"""
	clocks = query.run(
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
