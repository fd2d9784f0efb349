"""Judging all leads again, after segments or a checklist have changed: in parts, on the background workers.

The parts are those of `base.parts`: one may be done twice, as what is right already is not written.
"""

from dataclasses import dataclass, field
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_link_to_form, now_datetime

from lead_quality.base import query
from lead_quality.base.parts import PartedJob, progress
from lead_quality.base.rows import update_rows
from lead_quality.engine import qualification as engine
from lead_quality.funnel import journey
from lead_quality.funnel.timeline import log_in_bulk
from lead_quality.people.visitors import is_visitor
from lead_quality.qualification import facts, segments, service, stored
from lead_quality.qualification.judgement import Judgement, judge, verdict_values

JOB = "requalify"
PART = 5_000  # leads of a background job
CHUNK = 500  # leads that are locked, judged and committed together
PROGRESS = "lead_quality_requalify"


def job() -> PartedJob:
	return PartedJob(
		job=JOB,
		doctype="Lead",
		method="lead_quality.qualification.requalify.do_part",
		do=judge_chunk,
		part=PART,
		chunk=CHUNK,
		tell_progress=tell_progress,
	)


def do_part(part: str):
	job().do_part(part)


def start(move_from: str | None = None, move_to: str | None = None) -> str:
	"""Put every lead into its segment again and judge it again, on the background workers.

	:param move_from: leads under way on this Qualification Checklist go over to `move_to`; by default every lead
	    stays on the one that it began with. Answers to criteria of the same key go along.
	:returns: the name of the Follow Up Run.
	:raises frappe.ValidationError: if such a run is under way.
	"""
	# of two who start at once, one waits for the other
	query.run("select value from `tabSingles` where doctype = 'Lead Quality Settings' for update")
	running = job().open_run(lock=True)
	if running:
		frappe.throw(
			_("All leads are already being requalified, see {0}. Wait until that is done.").format(
				get_link_to_form("Follow Up Run", running)
			)
		)
	return job().start(move_from=move_from, move_to=move_to)


def find_run(name: str) -> str | None:
	"""The run of this name, done or not; None if it is another job's or has been cleared."""
	return frappe.db.get_value("Follow Up Run", {"name": name, "job": JOB, "part_of": ["is", "not set"]})


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
	rows = [outcome.row for outcome in outcomes if outcome.row]
	update_rows("Lead", rows)
	journey.mark(*(row["name"] for row in rows))
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
