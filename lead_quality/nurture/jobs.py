"""What the scheduler runs for enrollments."""

from datetime import datetime, timedelta

import frappe
from frappe.utils import create_batch, now_datetime

from lead_quality.base.runs import JobRun
from lead_quality.funnel import person
from lead_quality.nurture import corrections, delivery, evidence, incoming, ledger, opt_out, service
from lead_quality.nurture.mail import leads_naming

# what is looked at again, however often the job runs
LOOK_BACK = timedelta(days=30)
FRESH = timedelta(days=2)
MOST = 5_000
# how many leads are locked at once: a rep who saves one waits for them
LOCKED = 100


def repair_contacts(now: datetime | None = None) -> dict:
	"""Do what came without document events, or what an event has left undone: numbers and addresses that cannot be
	looked for, wishes that only Frappe was told, mail that did not arrive, that belongs to another lead or is gone, and
	mail of leads that no touch tells of.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	run = JobRun("repair_contacts", now)
	since = run.now - LOOK_BACK
	_correct_keys(run, person.without_keys(MOST))
	_correct_keys(run, person.with_stale_keys(run.now - FRESH))
	run.each(opt_out.unheard(MOST), lambda address, now: opt_out.close_address(address) or 1)
	run.each(opt_out.unheard_leads(MOST), lambda lead, now: opt_out.unsubscribe_lead(lead) or 1)
	run.each(opt_out.still_planned(MOST), lambda lead, now: opt_out.respect_opt_outs(lead) or 1)
	run.each(delivery.undelivered(since, MOST), _follow_delivery)
	run.each(corrections.misplaced(since, MOST), _settle)
	# Frappe may ask gravatar.com for a picture of each sender: no lead is locked meanwhile
	run.each(
		incoming.nameless(run.now - FRESH, MOST),
		lambda name, now: incoming.link_stored(name),
		commit_every=1,
	)
	run.each(
		[1], lambda _item, now: len(ledger.catch_up(evidence.untold(now - FRESH, MOST), now - FRESH, now))
	)
	return run.finish()


def _correct_keys(run: JobRun, leads: list[str]):
	run.each(create_batch(leads, LOCKED), lambda batch, now: person.correct_keys(batch), commit_every=1)


def _follow_delivery(name: str, now: datetime) -> int:
	delivery.follow_delivery(frappe.get_doc("Communication", name))
	return 1


def _settle(row, now: datetime) -> int:
	doctype, name = row
	if not frappe.db.exists(doctype, name):
		corrections.forget_document(doctype, name)
		return 1
	document = frappe.get_doc(doctype, name)
	if doctype == "Communication" and document.reference_doctype == "Lead":
		corrections.follow_reference(document)
		return 1
	return len(corrections.settle(doctype, name, leads_naming(document)))


def wake_snoozed(now: datetime | None = None) -> dict:
	"""Make enrollments active again whose snooze is over.

	:param now: naive instant in the site's zone.
	:returns: counts found, done, failed.
	"""
	now = now or now_datetime()
	return JobRun("wake_snoozed", now).each(service.snoozed_until(now), service.wake, commit_every=1).finish()
