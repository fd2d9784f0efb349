"""What the scheduler runs for the stage log and what is made of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import frappe

from lead_quality.base import query
from lead_quality.base.runs import JobRun
from lead_quality.funnel import corrections, deriving, journey, kept, targets

JOB, JOB_OF_ALL = "reconcile_stages", "reconcile_all_stages"
CHUNK = 1_000
TARGETS_AT_ONCE = 5_000
# what a run finds changed may have been committed a while after it was changed
LONGEST_TRANSACTION = timedelta(hours=1)


def reconcile_stages(now: datetime | None = None) -> dict:
	"""Bring the log up to date with leads and documents that were written without document events (bulk inserts, SQL), or
	were cancelled, deleted or given away so; and then the journeys.

	Looks at what has changed since the last run that came to its end; the first looks at everything.

	:param now: naive instant in the site's zone.
	:returns: counts found (chunks of leads), done (stages logged, and journeys made again), failed.
	"""
	run = JobRun(JOB, now)
	return _reconcile(run, _since(run.name))


def reconcile_all_stages(now: datetime | None = None) -> dict:
	"""As `reconcile_stages`, of everything: what was written without document events may not say when it was changed.

	:param now: naive instant in the site's zone.
	:returns: counts found (chunks of leads), done (stages logged, and journeys made again), failed.
	"""
	run = JobRun(JOB_OF_ALL, now)
	deriving.complete_segments()
	journey.remove_orphans()
	journey.keep_remnants()
	return _reconcile(run, None)


def check_targets(now: datetime | None = None) -> dict:
	"""Tell the owners of steps that have fallen under their target, each once until it has recovered.

	:param now: naive instant in the site's zone.
	:returns: counts found (targets whose step has an owner), done (owners told), failed.
	"""
	return JobRun("check_targets", now).each(targets.owned(), targets.check, commit_every=1).finish()


def keep_journeys(now: datetime | None = None) -> dict:
	"""Keep what is known of each lead at the end of the last day, for reports as of that day; see `kept`.

	A day is kept once, however often this runs. If something fails, it is not: the next run keeps it with its own.

	:param now: naive instant in the site's zone.
	:returns: counts found (chunks of leads with changes), done (leads that were known otherwise the day before), failed.
	"""
	run = JobRun("keep_journeys", now)
	day = run.now.date() - timedelta(days=1)
	if not kept.is_known(day):
		kept_from = kept.next_day(day)
		run.each(_changed(), lambda leads, now: kept.keep(leads, kept_from), commit_every=1)
		if not run.failed:
			kept.end(day)
	return run.finish()


def _changed() -> Iterator[list[str]]:
	"""The leads of which something is to be kept."""
	for chunk in kept.chunks():
		leads = kept.changed(chunk)
		frappe.db.commit()  # nosemgrep (what decides is read by a transaction that begins with its locks)
		if leads:
			yield leads


def _reconcile(run: JobRun, since: datetime | None) -> dict:
	for chunk in _targets():
		run.each([chunk], _derive, commit_every=1)
	leads = deriving.changed_leads(since)
	chunks = [leads[start : start + CHUNK] for start in range(0, len(leads), CHUNK)]
	run.each(chunks, _derive, commit_every=1)
	run.each(corrections.unproved(since), corrections.review_documents)
	changed = None if since is None else journey.changed_leads(since)
	return run.each(journey.chunks(changed), journey.rebuild_some, commit_every=1).finish()


def _targets() -> Iterator[list[str]]:
	"""Leads that have no stage; a chunk that could not be done is not given again."""
	last: list[str] = []
	while (leads := deriving.leads_without_stage(TARGETS_AT_ONCE)) and leads != last:
		yield leads
		last = leads


def _derive(leads: list[str], now: datetime) -> int:
	return deriving.derive(deriving.with_history_read(leads), now, is_derived=1)


def _since(run: str) -> datetime | None:
	"""From when on what has changed may not have been seen; None before the first run."""
	last = query.run(
		"""
		select max(started_at) from `tabFollow Up Run`
		where job in (%s, %s) and status = 'Completed' and name != %s
		""",
		(JOB, JOB_OF_ALL, run),
	)[0][0]
	return last and last - LONGEST_TRANSACTION
