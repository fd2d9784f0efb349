"""What the scheduler runs for enrollments."""

from datetime import datetime

from frappe.utils import now_datetime

from lead_quality.base.runs import JobRun
from lead_quality.nurture import service


def wake_snoozed(now: datetime | None = None) -> dict:
	"""Make enrollments active again whose snooze is over.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	now = now or now_datetime()
	return JobRun("wake_snoozed", now).each(service.snoozed_until(now), service.wake).finish()
