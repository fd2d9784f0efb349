"""What the scheduler runs for handovers."""

from datetime import datetime

from frappe.utils import now_datetime

from lead_quality.base.runs import JobRun
from lead_quality.handover import pulling_back, transfer


def pull_back(now: datetime | None = None) -> dict:
	"""Give leads back to marketing that sales has not answered by the time that both sides have agreed on.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	now = now or now_datetime()
	return (
		JobRun("pull_back", now)
		.each(pulling_back.unanswered(now), pulling_back.pull_back, commit_every=1)
		.finish()
	)


def resume_transfers(now: datetime | None = None) -> dict:
	"""Go on with the transfers of leads that were interrupted.

	:param now: naive instant in the site's zone.
	:returns: counts found, done (with the workers again), failed.
	"""
	return transfer.resume(now)
