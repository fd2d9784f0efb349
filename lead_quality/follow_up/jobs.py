"""What the scheduler runs for the clocks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import frappe
from redis.exceptions import RedisError

from lead_quality.follow_up import alerts
from lead_quality.follow_up.service import SWEEP
from lead_quality.job_run import JobRun

DELIVERY = "deliver_alerts"
CHUNK = 500
MOST_CLOCKS = 100_000
USERS_AT_ONCE = 50
PATIENCE = timedelta(minutes=15)


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
	run.outage_from = alerts.outage_before(run.started_at)
	queued = _share_out(run, "sweep_chunk", names[CHUNK:], CHUNK)
	return {**_raise(run, names[:CHUNK]), "queued": queued}


def sweep_chunk(items: list[str], at: datetime) -> dict:
	"""Do one chunk of `sweep_clocks`: names of Follow Up Clocks.

	:param at: the sweep's present, a naive instant in the site's zone. (Not `now`, which `frappe.enqueue` keeps for
	    itself.)
	:returns: counts found, done, failed.
	"""
	return _raise(JobRun(SWEEP, at), items)


def _raise(run: JobRun, names: list[str]) -> dict:
	sweep = alerts.Sweep()
	run.batch(names, sweep.raise_many)
	left = alerts.still_due(names, run.now)
	run.each(left, sweep.raise_one, on_failure=alerts.postpone)
	# the last chunk to end has everything told, so that each user hears of it once
	if not alerts.due_clocks(run.now, 1):
		_enqueue(run, DELIVERY)
	return run.finish()


def deliver_alerts(now: datetime | None = None) -> dict:
	"""Tell each user, in one message, of all alerts that are pending.

	The sweep starts it; the scheduler runs it too, for what an interrupted run has left behind. While a sweep still has
	clocks to do, nobody is told, so that nobody is told twice; but no alert waits for longer than `PATIENCE`.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed of the users told here, and `queued`.
	"""
	run = JobRun(DELIVERY, now)
	is_early = alerts.due_clocks(run.now, 1) and not alerts.has_waited(run.now - PATIENCE)
	users = [] if is_early else alerts.users_to_tell()
	queued = _share_out(run, "deliver_chunk", users[USERS_AT_ONCE:], USERS_AT_ONCE)
	return {**_tell(run, users[:USERS_AT_ONCE]), "queued": queued}


def deliver_chunk(items: list[str], at: datetime) -> dict:
	"""Tell some users of `deliver_alerts`, each committed by itself.

	:param at: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	return _tell(JobRun(DELIVERY, at), items)


def _tell(run: JobRun, users: list[str]) -> dict:
	return run.each(users, alerts.deliver, commit_every=1).finish()


def _share_out(run: JobRun, job: str, items: Sequence[str], size: int) -> int:
	"""Give items to the background workers in chunks; returns how many items."""
	for start in range(0, len(items), size):
		chunk = list(items[start : start + size])
		if not _enqueue(run, job, chunk[0], items=chunk, at=run.now):
			return start
	return len(items)


def _enqueue(run: JobRun, job: str, item: str = "", **values) -> bool:
	"""Queue a job of this module, once for its first item. Returns whether that can be done.

	If not, the run says so; what was to be done stays where it was found, and is found again.
	"""
	try:
		frappe.enqueue(
			f"{__name__}.{job}",
			queue="long",
			job_id=f"lead_quality_{job}:{item}",
			deduplicate=True,
			**values,
		)
	except (RedisError, frappe.QueueOverloaded):
		run.errors.append(frappe.get_traceback())
		return False
	return True
