"""Segments, the judgement of a lead by its checklist, and the gate before Opportunities."""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import comma_and, get_datetime, get_link_to_form, now_datetime

from lead_quality import summary
from lead_quality.engine import qualification as engine
from lead_quality.qualification.agreement import (
	AGREEMENTS_CACHE,
	agreed_reasons,
	agreement_for,
	checklist_of,
)
from lead_quality.versions import lead_field

SEGMENTS_CACHE = "lead_quality_segments"
LEAD_FIELDS_CACHE = "lead_quality_answering_fields"


class NotSalesReadyError(frappe.ValidationError):
	"""An Opportunity was refused because its lead does not meet the agreed definition."""


def clear_caches():
	"""Forget the segments, the answering fields and the agreements, once more after the commit: others may read until then."""

	def clear():
		frappe.cache.delete_value([SEGMENTS_CACHE, LEAD_FIELDS_CACHE, AGREEMENTS_CACHE])

	clear()
	frappe.db.after_commit.add(clear)


# segments


def pick_segment(lead) -> str | None:
	"""The segment of a lead document, by the first enabled segment whose rules all hold."""
	segments = get_segments()
	values = {rule.field: lead.get(rule.field) for segment in segments for rule in segment.rules}
	return engine.pick_segment(segments, values)


def get_segments() -> list[engine.Segment]:
	"""The enabled segments in their order, with field names as this site's Lead has them."""
	rows = frappe.cache.get_value(SEGMENTS_CACHE, _load_segments)
	return [
		engine.Segment(name, tuple(engine.Rule(lead_field(field) or field, *rest) for field, *rest in rules))
		for name, rules in rows
	]


def _load_segments() -> list[tuple[str, list[tuple[str, str, str]]]]:
	names = frappe.get_all(
		"Lead Segment", {"enabled": 1}, pluck="name", order_by="priority asc, creation asc, name asc"
	)
	rules: dict[str, list[tuple[str, str, str]]] = {name: [] for name in names}
	for row in frappe.get_all(
		"Lead Segment Rule",
		{"parent": ["in", names]},
		["parent", "field", "operator", "value"],
		order_by="idx asc",
	):
		rules[row.parent].append((row.field, row.operator, row.value or ""))
	return list(rules.items())


def plan_of(segment: str | None, what: str) -> str | None:
	"""What a segment says of `checklist`, `cadence` or `follow_up_policy`."""
	return frappe.get_cached_value("Lead Segment", segment, what) if segment else None


def segment_of(lead: str) -> str | None:
	"""The lead's segment; of a lead that was never sorted, the one it belongs to now."""
	return frappe.db.get_value("Lead", lead, "lq_segment") or pick_segment(frappe.get_doc("Lead", lead))


def unsorted_leads(limit: int) -> list[str]:
	"""Names of the leads that came in past every hook, such as those from before the install."""
	return frappe.db.sql_list(
		"select name from `tabLead` where ifnull(lq_verdict, '') = '' order by creation limit %s", (limit,)
	)


def sort_leads(leads: list[str]) -> int:
	"""Give leads that were never sorted their segment and an open verdict. Returns how many."""
	segments = get_segments()
	fields = sorted({rule.field for segment in segments for rule in segment.rules})
	rows = frappe.get_all("Lead", {"name": ["in", leads]}, ["name", *fields], order_by="name asc")
	for row in rows:
		summary.write(row.name, lq_segment=engine.pick_segment(segments, row), lq_verdict="Open")
	return len(rows)


# judgement


def qualification_of(lead: str) -> str | None:
	"""The name of the lead's newest Lead Qualification, or None."""
	return frappe.db.get_value("Lead Qualification", {"lead": lead}, order_by="creation desc")


def get_qualification(lead: str):
	"""The lead's qualification; a new, unsaved one with the checklist of its segment if there is none yet.

	:raises frappe.ValidationError: if the segment has no checklist.
	"""
	name = qualification_of(lead)
	if name:
		return frappe.get_doc("Lead Qualification", name)
	doc = frappe.new_doc("Lead Qualification")
	doc.lead = lead
	doc.checklist = checklist_for(lead)
	return doc


def checklist_for(lead: str) -> str:
	"""The checklist of the agreement that is in force for the lead, else that of its segment.

	:raises frappe.ValidationError: if there is none, saying where to choose one.
	"""
	segment = segment_of(lead)
	checklist = checklist_of(agreement_of(lead)) or plan_of(segment, "checklist")
	if not checklist and segment:
		frappe.throw(
			_("There is no checklist for this lead: choose one on its segment {0}.").format(
				get_link_to_form("Lead Segment", segment)
			)
		)
	elif not checklist:
		frappe.throw(
			_(
				"There is no checklist for this lead: make a Lead Segment without rules, which takes every lead."
			)
		)
	return checklist


def agreement_of(lead: str) -> str | None:
	"""The name of the Sales Ready Agreement that is in force for a lead, or None."""
	return agreement_for(frappe.db.get_value("Lead", lead, "company"), segment_of(lead))


def get_definition(checklist) -> engine.Definition:
	"""The engine's definition of a Qualification Checklist document."""
	return engine.Definition(
		tuple(
			engine.Criterion(
				key=row.criterion,
				answer_type=row.answer_type,
				pass_operator=row.pass_operator or "",
				pass_value=row.pass_value or "",
				mandatory=bool(row.mandatory),
				knock_out=bool(row.knock_out),
				weight=row.weight or 0.0,
				expires_after_days=row.expires_after_days or 0,
			)
			for row in checklist.criteria
		),
		pass_rule=checklist.pass_rule,
		at_least=checklist.at_least or 0,
		pass_score=checklist.pass_score or 0.0,
	)


def judge(doc, now: datetime | None = None):
	"""Judge a Lead Qualification document by its answers and set its verdict, counts and reason.

	:param now: naive instant in the site's zone.
	"""
	now = now or now_datetime()
	checklist = frappe.get_cached_doc("Qualification Checklist", doc.checklist)
	answers = {
		row.criterion: engine.Answer(row.value or "", row.answered_on and get_datetime(row.answered_on))
		for row in doc.answers
	}
	judgement = engine.judge(get_definition(checklist), answers, doc.decision or None, now)
	for row in doc.answers:
		row.met = judgement.states.get(row.criterion) == "Met"
	doc.update(
		{
			"verdict": judgement.verdict,
			"met_count": judgement.met_count,
			"criteria_count": judgement.criteria_count,
			"score": judgement.score,
			"reason": reason_in_words(checklist, judgement, doc),
		}
	)


def reason_in_words(checklist, judgement: engine.Judgement, doc) -> str:
	"""Why the verdict is what it is, such as "3 of 4 met. Missing: Timescale (not asked yet)." """
	if doc.decision:
		why = doc.outcome_reason and frappe.get_cached_value(
			"Lead Outcome Reason", doc.outcome_reason, "reason"
		)
		return f"{_(doc.decision)}: {why}" if why else _(doc.decision)
	words = _("{0} of {1} met.").format(judgement.met_count, judgement.criteria_count)
	details = {
		"Open": _("not asked yet"),
		"Stale": _("answer is out of date"),
		"Not Met": _("not met"),
	}
	missing = [
		f"{_(row.topic or row.label)} ({details[judgement.states[row.criterion]]})"
		for row in checklist.criteria
		if judgement.states[row.criterion] != "Met"
	]
	return " ".join([words, _("Missing: {0}.").format(", ".join(missing))]) if missing else words


def judge_now(lead: str, now: datetime | None = None):
	"""The lead's qualification as it stands at this moment, or None: an answer may have expired since it was saved.

	:param now: naive instant in the site's zone.
	"""
	name = qualification_of(lead)
	if not name:
		return None
	doc = frappe.get_doc("Lead Qualification", name)
	judge(doc, now)
	return doc


def is_reason_for(reason: str | None, purpose: str, lead: str | None = None) -> bool:
	"""Whether a Lead Outcome Reason is enabled and meant for this purpose, such as Disqualify.

	:param lead: where the agreement in force for it lists reasons for the purpose, only those count.
	"""
	agreed = agreed_reasons(agreement_of(lead), purpose) if lead and reason else []
	if agreed:
		return reason in agreed
	return bool(
		reason
		and frappe.db.exists("Lead Outcome Reason", {"name": reason, "applies_to": purpose, "enabled": 1})
	)


def publish(doc, now: datetime | None = None):
	"""Carry the verdict of a saved Lead Qualification to its lead, ERPNext's own three fields included."""
	status = {"Sales Ready": "Qualified", "Open": "In Process"}.get(doc.verdict, "Unqualified")
	qualified = doc.verdict == "Sales Ready"
	summary.write(
		doc.lead,
		lq_verdict=doc.verdict,
		lq_met_count=doc.met_count,
		lq_criteria_count=doc.criteria_count,
		qualification_status=status,
		qualified_by=doc.decided_by if qualified else None,
		qualified_on=get_datetime(doc.decided_on or now or now_datetime()).date() if qualified else None,
	)


def answer(
	lead: str,
	answers: list[dict],
	horizon: str | None = None,
	decision: str | None = None,
	outcome_reason: str | None = None,
):
	"""Record answers to a lead's criteria and judge it again. Answers are merged by criterion.

	:param answers: rows of `criterion`, `value`, and if known `evidence_grade`, `note`, `reference_doctype`,
	    `reference_name`.
	:returns: the saved Lead Qualification.
	:raises frappe.ValidationError: for a criterion that the checklist does not have.
	"""
	frappe.db.get_value("Lead", lead, "name", for_update=True)
	doc = get_qualification(lead)
	doc.fill_rows()
	rows = {row.criterion: row for row in doc.answers}
	for given in answers:
		row = rows.get(given.get("criterion"))
		if not row:
			frappe.throw(
				_("{0} has no criterion {1}. It has: {2}.").format(
					doc.checklist, frappe.bold(given.get("criterion")), ", ".join(rows)
				)
			)
		for fieldname in ("value", "evidence_grade", "note", "reference_doctype", "reference_name"):
			if fieldname in given:
				row.set(fieldname, given[fieldname])
	if horizon:
		doc.horizon = horizon
	if decision is not None:
		doc.decision = decision
		doc.outcome_reason = outcome_reason
	return doc.save()


def answering_fields() -> frozenset[str]:
	"""The Lead fields that answer a criterion of an active checklist by themselves."""
	return frappe.cache.get_value(
		LEAD_FIELDS_CACHE,
		lambda: frozenset(
			lead_field(fieldname) or fieldname
			for fieldname in frappe.db.sql_list(
				"""
				select distinct c.lead_field from `tabQualification Criterion` c
				join `tabQualification Checklist` l on l.name = c.parent
				where l.status != 'Draft' and ifnull(c.lead_field, '') != ''
				"""
			)
		),
	)


def judge_again(lead: str):
	"""Judge a lead again because a field that answers a criterion has changed. No qualification: nothing to do."""
	name = qualification_of(lead)
	if name:
		frappe.get_doc("Lead Qualification", name).save(ignore_permissions=True)


# gate


def gate_opportunity(opportunity):
	"""Refuse, or mark, an Opportunity whose lead is not sales ready, as the settings say.

	:raises NotSalesReadyError: with the missing criteria named, if the gate is on Enforce.
	"""
	leads = leads_behind(opportunity)
	mode = frappe.get_cached_doc("Lead Quality Settings").opportunity_gate
	if not leads:
		return
	candidates = [(lead, judge_now(lead)) for lead in leads]
	lead, judged = next(
		((lead, judged) for lead, judged in candidates if judged and judged.verdict == "Sales Ready"),
		candidates[0],
	)
	opportunity.lq_verdict = judged.verdict if judged else "Open"
	opportunity.lq_segment = segment_of(lead)
	if opportunity.lq_verdict == "Sales Ready" or mode not in {"Enforce", "Warn"}:
		return
	opportunity.flags.gate_override = open_override(leads)
	if opportunity.flags.gate_override:
		return
	message = not_ready_in_words(lead, judged)
	if mode == "Enforce":
		frappe.throw(
			message
			+ "<br>"
			+ _("Open the lead and choose Qualify to answer what is missing, or ask a manager to override."),
			NotSalesReadyError,
			title=_("Not Sales Ready"),
		)
	frappe.msgprint(message, title=_("Not Sales Ready"), indicator="orange")


def override_gate(lead: str, reason: str, note: str | None = None):
	"""Give leave for one Opportunity from a lead that is not sales ready. It is kept, and counted per user.

	:param reason: a Lead Outcome Reason for overrides.
	:returns: the Gate Override.
	:raises frappe.PermissionError: if the user may not create a Gate Override.
	"""
	return frappe.get_doc({"doctype": "Gate Override", "lead": lead, "reason": reason, "note": note}).insert()


def open_override(leads: list[str], lock: bool = True) -> str | None:
	"""The oldest leave given for one of these leads that no Opportunity has used, by default locked for its use."""
	return frappe.db.get_value(
		"Gate Override",
		{"lead": ["in", leads], "reference_name": ["is", "not set"]},
		order_by="creation asc",
		for_update=lock,
	)


def leads_behind(opportunity) -> list[str]:
	"""The lead of an Opportunity, or all leads of its Prospect; none if it comes from a Customer."""
	if opportunity.opportunity_from == "Lead":
		return [opportunity.party_name] if opportunity.party_name else []
	if opportunity.opportunity_from == "Prospect":
		return frappe.get_all(
			"Prospect Lead", {"parent": opportunity.party_name}, pluck="lead", order_by="idx asc"
		)
	return []


def not_ready_in_words(lead: str, judged) -> str:
	"""That a lead is not sales ready, and what it misses.

	:param judged: its Lead Qualification, judged now, or None.
	"""
	if judged:
		why = judged.reason
	else:
		checklist = plan_of(segment_of(lead), "checklist")
		criteria = frappe.get_cached_doc("Qualification Checklist", checklist).criteria if checklist else []
		why = (
			_("Nobody has asked about {0} yet.").format(
				comma_and([_(row.topic or row.label) for row in criteria], add_quotes=False)
			)
			if criteria
			else _("There is no checklist for it yet.")
		)
	return _("{0} is not sales ready. {1}").format(
		get_link_to_form("Lead", lead, frappe.db.get_value("Lead", lead, "title")), why
	)


def merge_into(lead: str):
	"""Two leads have become one: the judgement that was worked on last stays."""
	names = frappe.get_all("Lead Qualification", {"lead": lead}, pluck="name", order_by="modified desc")
	for name in names[1:]:
		# merged, so that handovers that name it name the one that stays
		frappe.rename_doc("Lead Qualification", name, names[0], merge=True, force=True)
	if names:
		publish(frappe.get_doc("Lead Qualification", names[0]))


def forget_lead(lead: str):
	"""Delete the judgement of a deleted lead, and the leave that was given for it."""
	frappe.db.delete("Gate Override", {"lead": lead})
	for name in frappe.get_all("Lead Qualification", {"lead": lead}, pluck="name", order_by="name asc"):
		frappe.delete_doc("Lead Qualification", name, ignore_permissions=True, force=True)
