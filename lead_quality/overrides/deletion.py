"""Leads that are deleted without document events, as a Transaction Deletion Record does."""

from datetime import datetime

import frappe

from lead_quality.base.listeners import listener
from lead_quality.base.runs import JobRun
from lead_quality.funnel import service as funnel
from lead_quality.overrides import lead

MOST_LEADS = 20_000


@listener
def transaction_deletion_on_change(record, method=None):
	"""ERPNext has deleted the leads of a company in bulk, and tells by the status that it is done."""
	if record.status == "Completed":
		frappe.enqueue(
			f"{__name__}.forget_missing_leads",
			queue="long",
			job_id="lead_quality_forget_missing_leads",
			deduplicate=True,
			enqueue_after_commit=True,
		)


def forget_missing_leads(now: datetime | None = None) -> dict:
	"""Take away what belongs to leads that were deleted without document events. Until then, jobs pass it by.

	Takes at most 20,000 leads a run; what is left, the next run takes.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	run = JobRun("forget_missing_leads", now)
	return run.each(funnel.missing_leads(MOST_LEADS), _forget).finish()


def _forget(name: str, now: datetime) -> bool:
	lead.forget(name)
	return True
