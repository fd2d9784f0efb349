"""What the scheduler runs for segments."""

from datetime import datetime

from lead_quality.job_run import JobRun
from lead_quality.qualification import service

MOST_LEADS = 20_000
CHUNK = 500


def sort_leads(now: datetime | None = None) -> dict:
	"""Give leads that came in past every hook (bulk inserts, old data) their segment.

	Takes at most 20,000 leads a run; what is left, the next run takes.

	:param now: naive instant in the site's zone.
	:returns: counts found (in chunks of five hundred), done (in leads), failed.
	"""
	leads = service.unsorted_leads(MOST_LEADS)
	chunks = [leads[start : start + CHUNK] for start in range(0, len(leads), CHUNK)]
	run = JobRun("sort_leads", now)
	return run.each(chunks, lambda chunk, now: service.sort_leads(chunk), commit_every=1).finish()
