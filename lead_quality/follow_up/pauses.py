"""Pauses: clocks wait while their lead is snoozed."""

from datetime import datetime

import frappe

from lead_quality.engine import clock as engine  # nosemgrep (a variable has the name of the module)
from lead_quality.follow_up.clocks import (
	later,
	lock_open,
	paused_before,
	refresh_due,
	time_spent,
	with_next_alert,
)


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


def pause(lead: str, until: datetime, reason: str | None, now: datetime):
	"""Pause the lead's clocks that wait for a contact with it (see `engine.clock.PAUSED_BY_SNOOZE`).

	Their deadlines move by the time that they pause. A clock that is overdue does not pause.

	:param until: naive instant in the site's zone, as is `now`.
	"""
	resume(lead, now)
	for row in lock_open(lead, engine.PAUSED_BY_SNOOZE):
		if row.status != "Running" or row.due_at <= now:
			continue
		seconds = time_spent(row, now, until)
		values = {
			"status": "Paused",
			"paused_at": now,
			"paused_until": until,
			"pause_reason": reason,
			"due_at": later(row, row.due_at, seconds),
		}
		if row.warn_at > now:
			values["warn_at"] = later(row, row.warn_at, seconds)
		frappe.db.set_value("Follow Up Clock", row.name, with_next_alert(row, values))
	refresh_due(lead)


def resume(lead: str, now: datetime):
	"""Let the lead's paused clocks run again, from `now` or from when their pause was over.

	A pause that is cut short gives the rest of its time back.

	:param now: naive instant in the site's zone.
	"""
	for row in lock_open(lead, engine.PAUSED_BY_SNOOZE):
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
		"paused_seconds": paused_before(row, now),
	}
	if now < row.paused_until:
		for field in ("due_at", "warn_at"):
			if row[field] > row.paused_until:
				values[field] = later(row, now, time_spent(row, row.paused_until, row[field]))
	return with_next_alert(row, values)
