"""Judging all leads again, after segments or a checklist have changed: in parts, on the background workers.

The run and its parts are Follow Up Runs. A part may be done twice, or be taken up again after its worker was
killed: what is right already is not written.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_link_to_form, now_datetime

from lead_quality.base import query
from lead_quality.base.parts import open_parts, progress
from lead_quality.base.rows import insert_rows, update_rows
from lead_quality.base.runs import MAX_ERROR_LENGTH
from lead_quality.engine import qualification as engine
from lead_quality.funnel.timeline import log_in_bulk
from lead_quality.people.visitors import is_visitor
from lead_quality.qualification import facts, segments, service, stored
from lead_quality.qualification.judgement import Judgement, judge, verdict_values

JOB = "requalify"
PART = 5_000  # leads of a background job
CHUNK = 500  # leads that are locked, judged and committed together
PROGRESS = "lead_quality_requalify"


def start(move_from: str | None = None, move_to: str | None = None) -> str:
	"""Put every lead into its segment again and judge it again, on the background workers.

	:param move_from: leads under way on this Qualification Checklist go over to `move_to`; by default every lead
	    stays on the one that it began with. Answers to criteria of the same key go along.
	:returns: the name of the Follow Up Run.
	:raises frappe.ValidationError: if such a run is under way.
	"""
	# of two who start at once, one waits for the other
	query.run("select value from `tabSingles` where doctype = 'Lead Quality Settings' for update")
	running = open_run(lock=True)
	if running:
		frappe.throw(
			_("All leads are already being requalified, see {0}. Wait until that is done.").format(
				get_link_to_form("Follow Up Run", running)
			)
		)
	now = now_datetime()
	total = frappe.db.count("Lead")
	options = json.dumps({"move_from": move_from, "move_to": move_to})
	common = {"job": JOB, "started_at": now, "options": options}
	run = insert_rows("Follow Up Run", [{**common, "status": "Running", "total": total}], now)[0].name
	insert_rows(
		"Follow Up Run",
		[
			{**common, "status": "Queued", "part_of": run, "from_lead": first, "to_lead": last, "total": size}
			for first, last, size in ranges()
		],
		now,
	)
	enqueue_parts(run)
	if not total:
		finish_if_done(run)
	return run


def ranges() -> list[tuple[str, str, int]]:
	"""First name, last name and size of every part, over all leads in the order of their names."""
	return query.run(
		"""
		select min(name), max(name), count(*) from (
			select name, floor((row_number() over (order by name) - 1) / %s) as part from `tabLead`
		) numbered group by part order by part
		""",
		(PART,),
	)


def open_run(lock: bool = False) -> str | None:
	"""The run that is under way, or None.

	:param lock: also one that somebody has started since this transaction began.
	"""
	return frappe.db.get_value(
		"Follow Up Run",
		{"job": JOB, "status": "Running", "part_of": ["is", "not set"]},
		order_by="creation desc",
		for_update=lock,
	)


def find_run(name: str) -> str | None:
	"""The run of this name, done or not; None if it is another job's or has been cleared."""
	return frappe.db.get_value("Follow Up Run", {"name": name, "job": JOB, "part_of": ["is", "not set"]})


def enqueue_parts(run: str):
	"""Give the parts of a run that are not done to the workers; one that waits or is being done is left alone."""
	for part in open_parts(run):
		frappe.enqueue(
			"lead_quality.qualification.requalify.do_part",
			queue="long",
			job_id=f"lead_quality_{JOB}:{part}",
			deduplicate=True,
			enqueue_after_commit=True,
			part=part,
		)


def resume() -> dict:
	"""Take up again what a killed worker or an emptied Redis has left undone.

	:returns: counts found and done, of parts that were not done and are with the workers again, and failed (none).
	"""
	run = open_run()
	parts = open_parts(run) if run else []
	if run and not parts:
		finish_if_done(run)
	elif run:
		enqueue_parts(run)
		frappe.db.commit()  # nosemgrep (workers find the parts)
	return {"found": len(parts), "done": len(parts), "failed": 0}


def do_part(part: str):
	"""Do one part of a run, a chunk at a time, each of them committed."""
	doc = frappe.get_doc("Follow Up Run", part)
	if doc.status == "Completed":
		return
	options = json.loads(doc.options or "{}")
	frappe.db.set_value("Follow Up Run", part, {"status": "Running", "found": 0, "done": 0, "failed": 0})
	frappe.db.commit()  # nosemgrep (who looks sees a part that is at work)
	last, counts = "", Counter[str]()
	errors: list[str] = []
	while names := chunk_after(last, doc.from_lead, doc.to_lead):
		last = names[-1]
		counts["found"] += len(names)
		try:
			counts["done"] += retried(names, **options)
		except Exception:
			frappe.db.rollback()
			for name in names:
				counts["done"] += judge_alone(name, errors, **options)
		frappe.db.set_value(
			"Follow Up Run",
			part,
			{**counts, "failed": len(errors), "errors": "\n".join(errors)[:MAX_ERROR_LENGTH]},
		)
		frappe.db.commit()  # nosemgrep (a job keeps what it has done, a part at a time)
		tell_progress(doc.part_of)
	frappe.db.set_value("Follow Up Run", part, {"status": "Completed", "finished_at": now_datetime()})
	frappe.db.commit()  # nosemgrep (the end of a job)
	finish_if_done(doc.part_of)


def retried(names: list[str], **options) -> int:
	"""Judge some leads; if somebody else's lock makes the database abort it, it is tried again."""
	for attempts_left in (2, 1, 0):
		try:
			return judge_chunk(names, now_datetime(), **options)
		except frappe.QueryDeadlockError:
			frappe.db.rollback()
			if not attempts_left:
				raise
	return 0


def judge_alone(name: str, errors: list[str], **options) -> int:
	"""Judge one lead of a chunk that has failed: one bad lead never stops the rest. Returns how many changed."""
	try:
		changed = retried([name], **options)
		frappe.db.commit()
		return changed
	except Exception:
		frappe.db.rollback()
		errors.append(f"{name}\n{frappe.get_traceback()}")
		return 0


def chunk_after(last: str, first: str, end: str) -> list[str]:
	return query.run(
		"select name from `tabLead` where name > %s and name >= %s and name <= %s order by name limit %s",
		(last, first, end, CHUNK),
		pluck=True,
	)


def finish_if_done(run: str):
	"""Close a run whose parts are all done. Asked by each part at its end; the last one does it."""
	frappe.db.get_value("Follow Up Run", run, "status", for_update=True)
	if not open_parts(run):
		counts = progress(run)
		frappe.db.set_value(
			"Follow Up Run",
			run,
			{
				"status": "Failed" if counts["failed"] else "Completed",
				"finished_at": now_datetime(),
				"found": counts["done"],
				"done": counts["changed"],
				"failed": counts["failed"],
			},
		)
	frappe.db.commit()  # nosemgrep (the end of a job)
	tell_progress(run)


def tell_progress(run: str):
	"""Who has started a run sees how far it is, in whatever form is open."""
	frappe.publish_realtime(PROGRESS, progress(run), user=frappe.db.get_value("Follow Up Run", run, "owner"))


def judge_chunk(
	names: list[str], now: datetime, move_from: str | None = None, move_to: str | None = None
) -> int:
	"""Sort and judge some leads again. Returns how many of them changed.

	The leads and their judgements are locked until the caller commits.

	:param now: naive instant in the site's zone.
	"""
	sorting = segments.get_segments()
	fields = sorted({*segments.fields_of_rules(sorting), *facts.answering_fields(), *LEAD_COLUMNS})
	leads = query.run(
		f"select {', '.join(f'`{field}`' for field in fields)} from `tabLead` where name in %s order by name "
		"for update",
		(names,),
		as_dict=True,
	)
	known = {judged.lead: judged for judged in stored.load(names)}
	outcomes = []
	for lead in leads:
		outcome = _sort(lead, sorting)
		outcome.judged = known.get(lead.name) or service.new_judgement(lead)
		if outcome.judged:
			outcome.comments += _move(outcome.judged, move_from, move_to)
		outcomes.append(outcome)
	judge(
		[outcome.judged for outcome in outcomes if outcome.judged], now, {lead.name: lead for lead in leads}
	)
	for outcome in outcomes:
		outcome.compare()
	stored.write([outcome.judged for outcome in outcomes if outcome.judged], now)
	update_rows("Lead", [outcome.row for outcome in outcomes if outcome.row])
	log_in_bulk([(outcome.lead.name, words) for outcome in outcomes for words in outcome.comments], now)
	for outcome in outcomes:
		if outcome.judged and outcome.has_new_verdict:
			service.tell_verdict(outcome.judged.name)
	return sum(bool(outcome.row or outcome.judged) for outcome in outcomes)


@dataclass
class Outcome:
	"""What comes of judging a lead again: what is to be written of it, and said on its timeline."""

	lead: frappe._dict  # a row with `LEAD_COLUMNS` and the fields that segments and criteria ask for
	values: dict  # what the lead is to show
	judged: Judgement | None = None
	comments: list[str] = field(default_factory=list)
	row: dict | None = None
	has_new_verdict: bool = False

	def compare(self):
		"""Keep of the judgement and of the lead's summary what differs from what is stored."""
		judged = self.judged
		if judged and not judged.name and not any(row.answered_on for row in judged.answers):
			judged = self.judged = None  # nobody has answered anything
		if judged:
			self.values.update(verdict_values(judged))
			before = judged.before.verdict if judged.before else "Open"
			self.has_new_verdict = before != judged.verdict != "Open"
			if judged.name and not stored.is_changed(judged):
				self.judged = None
		row = {fieldname: self.values.get(fieldname, self.lead.get(fieldname)) for fieldname in SUMMARY}
		if any((row[fieldname] or None) != (self.lead.get(fieldname) or None) for fieldname in SUMMARY):
			self.row = {"name": self.lead.name, **row}


def _sort(lead, sorting: list) -> Outcome:
	"""Put a lead into its segment."""
	segment = engine.pick_segment(sorting, lead, is_visitor(lead.owner))
	outcome = Outcome(frappe._dict(lead), {"lq_segment": segment, "lq_verdict": lead.lq_verdict or "Open"})
	if segment != lead.lq_segment and lead.lq_verdict:
		outcome.comments.append(segments.segment_change_in_words(lead.lq_segment, segment))
	lead.update(outcome.values)
	return outcome


def _move(judged: Judgement, move_from: str | None, move_to: str | None) -> list[str]:
	"""Hold a lead that is under way on one checklist against another. Returns what its timeline says of that."""
	if not (move_to and judged.name and judged.checklist == move_from):
		return []
	words = _("is held against {0} now").format(move_to)
	if dropped := judged.move_to(move_to):
		words += ". " + _("It has no place for: {0}").format(frappe.utils.escape_html(", ".join(dropped)))
	return [words]


def judge_unreachable(email_id: str):
	"""Judge the leads with an address again from which mail comes back: it no longer makes them reachable."""
	if "reachable" not in facts.answering_sources():
		return
	leads = frappe.get_all("Lead", {"email_id": email_id}, pluck="name", order_by="name asc")
	if leads:
		judge_chunk(leads, now_datetime())


# what a Lead shows of its segment and its judgement
SUMMARY = (
	"lq_segment",
	"lq_verdict",
	"lq_met_count",
	"lq_criteria_count",
	"lq_non_buyer",
	"qualification_status",
	"qualified_by",
	"qualified_on",
)
LEAD_COLUMNS = ("name", "owner", "company", "lead_name", "title", *SUMMARY)
