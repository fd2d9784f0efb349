"""What the scheduler runs for the stage log."""

from datetime import datetime

from lead_quality.base.runs import JobRun
from lead_quality.funnel import service

MOST_LEADS = 20_000
CHUNK = 1_000


def reconcile_stages(now: datetime | None = None) -> dict:
	"""Bring the log up to date with documents that were written past every hook (bulk inserts, SQL, old data).

	Takes at most 20,000 leads a run; what is left, the next run takes.

	:param now: naive instant in the site's zone.
	:returns: counts found (targets in chunks of a thousand), done (in leads), failed.
	"""
	run = JobRun("reconcile_stages", now)
	leads = service.leads_without_stage(MOST_LEADS)
	chunks = [leads[start : start + CHUNK] for start in range(0, len(leads), CHUNK)]
	run.each(chunks, lambda chunk, now: service.derive_targets(chunk), commit_every=1)
	run.each(
		service.leads_behind_documents(MOST_LEADS),
		lambda lead, now: service.derive_stages(lead, now, is_derived=1),
	)
	return run.finish()
