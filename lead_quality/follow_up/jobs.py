"""What the scheduler runs for the clocks."""

from datetime import datetime

import frappe
from frappe.utils import now_datetime

from lead_quality.follow_up import service
from lead_quality.job_run import JobRun

CHUNK = 500
MOST_CLOCKS = 20_000


def sweep_clocks(now: datetime | None = None) -> dict:
	"""Find the clocks that have run out, mark them missed and tell who is to act, each once.

	More than one chunk is shared out to the background workers.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed of the chunk done here, and `queued`.
	"""
	now = now or now_datetime()
	names = service.overdue_clocks(now, MOST_CLOCKS)
	chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
	for chunk in chunks[1:]:
		frappe.enqueue(
			"lead_quality.follow_up.jobs.sweep_chunk",
			queue="long",
			job_id=f"lead_quality_sweep:{chunk[0]}",
			deduplicate=True,
			names=chunk,
			now=now,
		)
	return {
		**sweep_chunk(chunks[0] if chunks else [], now),
		"queued": len(names) - len(chunks[0] if chunks else []),
	}


def sweep_chunk(names: list[str], now: datetime) -> dict:
	"""Do one chunk of `sweep_clocks`.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	return JobRun("sweep_clocks", now).each(names, service.declare_missed).finish()
