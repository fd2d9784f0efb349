"""The read-only summary on the Lead (fields `lq_…`), which lists and filters use.

The truth is in the app's own DocTypes. The summary is written outside the Lead's own save, so that nobody's open
form is made stale; in return, a form must not write back the summary it was opened with.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps

import frappe

from lead_quality.base import query
from lead_quality.custom_fields import LEAD_SUMMARY
from lead_quality.funnel import journey
from lead_quality.funnel.conditions import human_touch, open_clock, open_enrollment

GATHERED = "lead_quality_summaries"  # of frappe.local
# which of a lead's handovers its summary shows
HANDOVER_SHOWN = "order by status = 'Sent' desc, sent_at desc limit 1"
# ERPNext's own fields that follow the verdict, once somebody has judged the lead.
VERDICT_FIELDS = ("qualification_status", "qualified_by", "qualified_on")


def protect(doc):
	"""Whatever a form or an API call sent, the summary stays what the app made it."""
	before = doc.get_doc_before_save()
	for fieldname in LEAD_SUMMARY:
		doc.set(fieldname, before.get(fieldname) if before else None)
	if before and before.get("lq_criteria_count"):
		for fieldname in VERDICT_FIELDS:
			doc.set(fieldname, before.get(fieldname))


def write(lead, **values):
	"""Write summary values of one lead: a name, or the document at hand, which is updated too. See `gather`."""
	name = lead
	if not isinstance(lead, str):
		lead.update(values)
		name = lead.name
	journey.mark(name)
	gathered = getattr(frappe.local, GATHERED, None)
	if gathered is None:
		_store(name, values)
	else:
		gathered.setdefault(name, {}).update(values)


@contextmanager
def gather() -> Iterator[None]:
	"""What is written to the summaries of leads within is written at the end, each lead once.

	One logged call moves a stage, a plan and several clocks, and each has something to say on the lead. Who reads the
	summary within reads what stood there before.
	"""
	if getattr(frappe.local, GATHERED, None) is not None:
		yield  # who has begun it ends it
		return
	gathered: dict[str, dict] = {}
	setattr(frappe.local, GATHERED, gathered)
	try:
		yield
	finally:
		setattr(frappe.local, GATHERED, None)
	for name in sorted(gathered):
		_store(name, gathered[name])


def gathers(function: Callable) -> Callable:
	"""Decorate a function with `gather`."""

	@wraps(function)
	def gathering(*args, **kwargs):
		with gather():
			return function(*args, **kwargs)

	return gathering


def _store(name: str, values: dict):
	frappe.db.set_value("Lead", name, values, update_modified=False)
	# an open form shows it without being reloaded; one room per document, only its readers are in it
	frappe.publish_realtime(
		"lead_quality_changed", {"lead": name}, doctype="Lead", docname=name, after_commit=True
	)
	if getattr(frappe.local, "request", None):
		# as Frappe itself does at a save: lists of leads that are on somebody's screen follow; a job, which may write
		# thousands, leaves them to look for themselves every minute
		frappe.publish_realtime(  # nosemgrep (Frappe picks the room of an event of this name)
			"list_update", {"doctype": "Lead", "name": name, "user": frappe.session.user}, after_commit=True
		)


_STAGE = """(
	select stage from `tabLead Stage Log` log where log.lead = l.name
	order by creation desc, entered_at desc, field(stage, 'target', 'prospect', 'opportunity', 'sale') desc limit 1
)"""


def rebuild_stages(leads: Collection[str]):
	"""Compute the stage of some leads again from their log."""
	query.run(f"update `tabLead` l set lq_stage = {_STAGE} where l.name in %(leads)s", {"leads": leads})


def rebuild():
	"""Compute the summary of every lead again from the app's own DocTypes: `bench execute
	lead_quality.funnel.summary.rebuild`.

	Six statements over the whole table; it may run at any time, and changes nothing that is right.
	"""
	query.run(f"update `tabLead` l set lq_stage = {_STAGE}")
	query.run(
		"""
		update `tabLead` l join `tabLead Qualification` q on q.lead = l.name
		left join `tabLead Outcome Reason` r on r.name = q.verdict_reason
		set l.lq_verdict = q.verdict, l.lq_met_count = q.met_count, l.lq_criteria_count = q.criteria_count,
			l.lq_non_buyer = q.verdict = 'Disqualified' and ifnull(r.non_buyer, 0)
		"""
	)
	query.run(
		f"""
		update `tabLead` l set lq_next_touch_at = (
			select min(next_due_at) from `tabNurture Enrollment` e
			where e.lead = l.name and {open_enrollment("e")}
		)
		"""
	)
	query.run(
		f"""
		update `tabLead` l set lq_due_at = (
			select min(due_at) from `tabFollow Up Clock` c
			where c.lead = l.name and {open_clock("c")}
		)
		"""
	)
	query.run(
		f"""
		update `tabLead` l set lq_last_touch_at = (
			select max(t.done_at) from `tabLead Touch` t where t.lead = l.name and {human_touch("t")}
		)
		"""
	)
	query.run(
		"""
		update `tabLead` l set lq_waits = l.name in (
			select b.lead from `tabLead Backlog` b where b.taken_up_at is null
		)
		"""
	)
	query.run(
		f"""
		update `tabLead` l set lq_handover_status = (
			select status from `tabLead Handover` h where h.lead = l.name {HANDOVER_SHOWN}
		)
		"""
	)
