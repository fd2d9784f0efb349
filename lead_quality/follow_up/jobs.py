"""What the scheduler runs for the clocks."""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe.utils import now_datetime

from lead_quality.follow_up import alerts
from lead_quality.follow_up.service import SWEEP
from lead_quality.job_run import JobRun

CHUNK = 500
MOST_CLOCKS = 100_000
USERS_AT_ONCE = 50


def sweep_clocks(now: datetime | None = None) -> dict:
	"""Find the clocks that have something to be told of, raise it, each level once, and have it delivered.

	More than one chunk is shared out to the background workers. With nothing due it costs three queries.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed of the chunk done here, and `queued`.
	"""
	run = JobRun(SWEEP, now)
	names = alerts.due_clocks(run.now, MOST_CLOCKS)
	if not names:
		return {**run.finish(), "queued": 0}
	run.outage_from = alerts.outage_before(run.name, run.started_at)
	queued = _share_out("sweep_chunk", names[CHUNK:], CHUNK, at=run.now, outage_from=run.outage_from)
	return {**_raise(run, names[:CHUNK]), "queued": queued}


def sweep_chunk(items: list[str], at: datetime, outage_from: datetime | None = None) -> dict:
	"""Do one chunk of `sweep_clocks`: names of Follow Up Clocks.

	:param at: the sweep's present, a naive instant in the site's zone, as is `outage_from`, since when no sweep had
	    run. (Not `now`, which `frappe.enqueue` keeps for itself.)
	:returns: counts found, done, failed.
	"""
	run = JobRun(SWEEP, at)
	run.outage_from = outage_from
	return _raise(run, items)


def _raise(run: JobRun, names: list[str]) -> dict:
	sweep = alerts.Sweep(run.outage_from)
	run.batch(names, sweep.raise_many)
	left = alerts.still_due(names, run.now)
	counts = run.each(left, sweep.raise_one, on_failure=alerts.postpone).finish()
	# the last chunk to end has everything told, so that each user hears of it once
	if not alerts.due_clocks(run.now, 1):
		frappe.enqueue(
			f"{__name__}.deliver_alerts",
			queue="long",
			job_id="lead_quality_deliver_alerts",
			deduplicate=True,
		)
	return counts


def deliver_alerts(now: datetime | None = None) -> dict:
	"""Tell each user, in one message, of all alerts that are pending.

	The sweep starts it; the scheduler runs it too, for what an interrupted run has left behind.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed of the users told here, and `queued`.
	"""
	users = alerts.users_to_tell()
	now = now or now_datetime()
	queued = _share_out("deliver_chunk", users[USERS_AT_ONCE:], USERS_AT_ONCE, at=now)
	return {**deliver_chunk(users[:USERS_AT_ONCE], now), "queued": queued}


def deliver_chunk(items: list[str], at: datetime) -> dict:
	"""Tell some users of `deliver_alerts`, each committed by itself.

	:param at: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	return JobRun("deliver_alerts", at).each(items, alerts.deliver, commit_every=1).finish()


def _share_out(job: str, items: Sequence[str], size: int, **values) -> int:
	"""Give items to the background workers in chunks; returns how many items."""
	for start in range(0, len(items), size):
		chunk = list(items[start : start + size])
		frappe.enqueue(
			f"{__name__}.{job}",
			queue="long",
			job_id=f"lead_quality_{job}:{chunk[0]}",
			deduplicate=True,
			items=chunk,
			**values,
		)
	return len(items)
