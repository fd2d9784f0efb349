"""What the scheduler runs for the clocks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import frappe
from frappe.utils import now_datetime

from lead_quality.base.runs import JobRun
from lead_quality.follow_up import delivery, endings, first_look, merges, service, sweep
from lead_quality.follow_up.outages import SWEEP
from lead_quality.nurture import mending

# with 1,000, MariaDB would look for the names of a chunk by a table that it makes of them, and lock other clocks too
CHUNK = 500
MOST_CLOCKS = 100_000
MOST_ENROLLMENTS = 10_000
USERS_AT_ONCE = 20
LEFT_BEHIND = timedelta(minutes=10)


def sweep_clocks(now: datetime | None = None) -> dict:
	"""Find the clocks with a due alert, raise each level once, and have the alerts delivered.

	More than one chunk is shared out to the background workers. With nothing due it costs three queries.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed of the chunk done here, and `queued`.
	"""
	run = JobRun(SWEEP, now)
	names = sweep.due_clocks(run.now, MOST_CLOCKS)
	if not names:
		return {**run.finish(), "queued": 0}
	outage_from = sweep.outage_before(run.name, run.started_at)
	if outage_from:
		# kept at once: it counts for all sweeps to come, also if this one does not get to its end
		frappe.db.set_value("Follow Up Run", run.name, "outage_from", outage_from)
		frappe.db.commit()  # nosemgrep (the outage counts for all sweeps to come)
	queued = _share_out(run, "sweep_chunk", names[CHUNK:], CHUNK, at=run.now)
	_raise(run, names[:CHUNK])
	return {**_finish(run), "queued": queued}


def sweep_chunk(items: list[str], at: datetime) -> dict:
	"""Do one chunk of `sweep_clocks`: names of Follow Up Clocks.

	:param at: the sweep's present, a naive instant in the site's zone. (Not `now`, which `frappe.enqueue` keeps for
	    itself.)
	:returns: counts found, done, failed.
	"""
	run = JobRun(SWEEP, at)
	_raise(run, items)
	return _finish(run)


def _raise(run: JobRun, names: list[str]):
	turn = sweep.Sweep()
	run.batch(names, turn.raise_many)
	# one by one, each committed: what changes a lead holds its locks no longer than it has to
	left = sweep.still_due(names, run.now)
	run.each(left, turn.raise_one, commit_every=1, on_failure=sweep.postpone)


def _finish(run: JobRun) -> dict:
	# the last chunk to end has everything told, so that each user hears of it once
	if not sweep.due_clocks(run.now, 1):
		run.enqueue(
			f"{__name__}.deliver_alerts",
			queue="long",
			job_id="lead_quality_deliver_alerts",
			deduplicate=True,
		)
	return run.finish()


def deliver_alerts(now: datetime | None = None) -> dict:
	"""Notify each user of all pending alerts in one message.

	The sweep starts it; the scheduler runs it too, for what an interrupted run has left behind.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed of the users told here, and `queued`.
	"""
	run = JobRun("deliver_alerts", now)
	# while a sweep is at it, only what an earlier one has left behind: the rest is told when the sweep is done
	users = delivery.users_to_tell(run.now - LEFT_BEHIND if sweep.due_clocks(run.now, 1) else None)
	queued = _share_out(run, "deliver_chunk", users[USERS_AT_ONCE:], USERS_AT_ONCE, at=run.now)
	run.each(users[:USERS_AT_ONCE], delivery.deliver, commit_every=1)
	return {**run.finish(), "queued": queued}


def deliver_chunk(items: list[str], at: datetime) -> dict:
	"""Tell some users of `deliver_alerts`, each committed by itself.

	:param at: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	return JobRun("deliver_alerts", at).each(items, delivery.deliver, commit_every=1).finish()


def _share_out(run: JobRun, job: str, items: Sequence[str], size: int, **values) -> int:
	"""Give items to the background workers in chunks; returns how many items they have taken."""
	for start in range(0, len(items), size):
		chunk = list(items[start : start + size])
		is_queued = run.enqueue(
			f"{__name__}.{job}",
			queue="long",
			job_id=f"lead_quality_{job}:{chunk[0]}",
			deduplicate=True,
			items=chunk,
			**values,
		)
		if not is_queued:
			return start
	return len(items)


def read_history(now: datetime | None = None) -> dict:
	"""Begin to read in what was done with leads before the app came, or go on with it; see `first_look`.

	:param now: naive instant in the site's zone.
	:returns: counts found and done, of parts that are with the background workers, and failed (none). With nothing to
	    read it costs one query, and leaves no Follow Up Run.
	"""
	return first_look.go_on(now or now_datetime())


def end_leads(now: datetime | None = None) -> dict:
	"""End what goes on at leads that are over, and of which no event has told.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	return endings.end_unmarked(JobRun("end_leads", now)).finish()


def finish_merges(now: datetime | None = None) -> dict:
	"""Do what an error has left undone when two leads became one.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	return JobRun("finish_merges", now).each(merges.unfinished(), merges.finish, commit_every=1).finish()


def mend_enrollments(now: datetime | None = None) -> dict:
	"""Restore the one planned touch, and its clock, of active enrollments; cancel those that no enrollment waits for.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	run = JobRun("mend_enrollments", now)
	run.each(mending.stray(MOST_ENROLLMENTS), _cancel_stray)
	return run.each(mending.broken(MOST_ENROLLMENTS), _mend).finish()


def _cancel_stray(touch: str, now: datetime) -> bool:
	found = mending.cancel_stray(touch)
	if not found:
		return False
	lead, enrollment = found
	if enrollment:
		service.restart_next_touch_of(enrollment, now)
	else:
		service.cancel(lead, ("Next Touch",), now)
	return True


def _mend(enrollment: str, now: datetime) -> bool:
	is_mended = mending.mend(enrollment, now)
	if is_mended:
		service.restart_next_touch_of(enrollment, now)
	return is_mended
