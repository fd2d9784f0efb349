"""Outages: a deadline that passed while no sweep ran counts as the system's miss, and as nobody else's."""

from datetime import datetime

import frappe
from frappe.utils import cint, now_datetime

from lead_quality.base import query

SWEEP = "sweep_clocks"


def outages() -> list[tuple[datetime, datetime]]:
	"""The spans of time (naive, the site's zone) in which no sweep ran, the present one included."""
	now = now_datetime()
	spans = query.run(
		"""
		select outage_from, started_at from `tabFollow Up Run` where job = %s and outage_from is not null
		""",
		(SWEEP,),
	)
	last = last_sweep()
	return [*spans, (last, now)] if last and is_outage(last, now) else list(spans)


def last_sweep() -> datetime | None:
	"""When the last sweep that came to its end had begun (naive, the site's zone)."""
	return query.run(
		"select max(started_at) from `tabFollow Up Run` where job = %s and status != 'Running'", (SWEEP,)
	)[0][0]


def is_within(spans: list[tuple[datetime, datetime]], instant: datetime) -> bool:
	"""Whether a deadline passed in one of these spans of time."""
	return any(begins < instant <= ends for begins, ends in spans)


def was_unwatched(instant: datetime) -> bool:
	"""Whether no sweep ran when a deadline passed; `instant` is naive, in the site's zone, and past."""
	return is_within(outages(), instant)


def is_outage(last: datetime | None, this: datetime) -> bool:
	"""Whether so much time between two sweeps (naive, the site's zone) means that the system was not running.

	Before the very first sweep there was nothing to be late.
	"""
	minutes = cint(frappe.get_cached_doc("Lead Quality Settings").outage_after_minutes)
	return last is not None and minutes > 0 and (this - last).total_seconds() > minutes * 60
