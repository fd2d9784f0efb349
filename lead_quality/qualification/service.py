"""Segments, the definition that a lead is held against, and what people and the lead's own data answer to it."""

from datetime import date, datetime

import frappe
from frappe import _
from frappe.utils import get_datetime, get_link_to_form, getdate, now_datetime

from lead_quality.base.notices import is_reachable, tell
from lead_quality.base.texts import as_html, bold
from lead_quality.base.versions import lead_field
from lead_quality.engine import qualification as engine
from lead_quality.funnel import summary
from lead_quality.funnel.lead_save import LeadSave
from lead_quality.people.visitors import is_visitor
from lead_quality.qualification import facts, judgement
from lead_quality.qualification.agreement import (
	agreed_reasons,
	agreement_for,
	checklist_of,
)
from lead_quality.qualification.definitions import Rule, in_force

# segments


def pick_segment(lead) -> str | None:
	"""The segment of a lead document, by the first enabled segment whose rules all hold."""
	segments = get_segments()
	values = {rule.field: lead.get(rule.field) for segment in segments for rule in segment.rules}
	return engine.pick_segment(segments, values, is_visitor(lead.owner))


def get_segments() -> list[engine.Segment]:
	"""The enabled segments in their order, with field names as this site's Lead has them.

	A segment with a rule on a field that no longer exists takes no lead until the rule is mended.
	"""
	return as_segments(in_force()["segments"])


def as_segments(rules: list[tuple[str, list[Rule]]]) -> list[engine.Segment]:
	"""The engine's segments; one with a rule on a field that this site's Lead does not have is left out."""
	return [as_segment(name, rows) for name, rows in rules if all(lead_field(row[0]) for row in rows)]


def as_segment(name: str, rules: list[Rule]) -> engine.Segment:
	"""The engine's segment of rules whose fields this site's Lead has."""
	return engine.Segment(
		name, tuple(engine.Rule(str(lead_field(rule[0])), rule[1], rule[2], *rule[3:]) for rule in rules)
	)


def fields_of_rules(segments: list[engine.Segment]) -> list[str]:
	"""The fields of the Lead that these segments ask for."""
	return sorted({rule.field for segment in segments for rule in segment.rules})


def plan_of(segment: str | None, what: str) -> str | None:
	"""What a segment says of `checklist`, `cadence` or `follow_up_policy`."""
	return frappe.get_cached_value("Lead Segment", segment, what) if segment else None


def policy_of(lead):
	"""The Follow Up Policy document of a lead document's segment, of its company first, or None."""
	if not lead.get("lq_segment"):
		return None
	segment = frappe.get_cached_doc("Lead Segment", lead.lq_segment)
	own = (row.follow_up_policy for row in segment.company_policies if row.company == lead.get("company"))
	name = next(own, segment.follow_up_policy)
	return frappe.get_cached_doc("Follow Up Policy", name) if name else None


def segment_of(lead: str) -> str | None:
	"""The lead's segment; of a lead that was never sorted, the one it belongs to now."""
	return scope_of(lead)[1]


def scope_of(lead: str) -> tuple[str | None, str | None]:
	"""The company and the segment of a lead, which its checklist and its agreement depend on; see `segment_of`."""
	company, segment = frappe.db.get_value("Lead", lead, ["company", "lq_segment"]) or (None, None)
	return company, segment or pick_segment(frappe.get_doc("Lead", lead))


def unsorted_leads(limit: int) -> list[str]:
	"""Names of the leads that came in past every hook, such as those from before the install."""
	return frappe.db.sql_list(
		"select name from `tabLead` where ifnull(lq_verdict, '') = '' order by creation limit %s", (limit,)
	)


def sort_lead(lead):
	"""Give a Lead document that is being saved its segment: a new one; an old one, when a field that a rule asks for has
	changed."""
	segments = get_segments()
	if lead.is_new() or not lead.lq_segment:
		# an old one: from before the install, or from before there was a segment for it
		lead.lq_segment = pick_segment(lead)
		lead.lq_verdict = lead.lq_verdict or "Open"
	elif any(lead.has_value_changed(field) for field in fields_of_rules(segments)):
		segment = pick_segment(lead)
		if segment != lead.lq_segment:
			lead.add_comment("Info", segment_change_in_words(lead.lq_segment, segment))
			lead.lq_segment = segment


def segment_change_in_words(old: str | None, new: str | None) -> str:
	"""For the timeline of a lead that has changed segment."""
	return _("moved from segment {0} to {1}").format(
		old or _("none"), get_link_to_form("Lead Segment", new) if new else _("none")
	)


# judgement


def qualification_of(lead: str, lock: bool = False) -> str | None:
	"""The name of the lead's newest Lead Qualification, or None.

	:param lock: the lead is locked, and so is what is found, as others have committed it meanwhile. A lead that
	    shows no criteria has none: looking for it with a lock would keep others from making theirs.
	"""
	if lock and not frappe.db.get_value("Lead", lead, "lq_criteria_count", for_update=True):
		return None
	return frappe.db.get_value(
		"Lead Qualification", {"lead": lead}, order_by="creation desc", for_update=lock
	)


def get_qualification(lead: str, lock: bool = False):
	"""The lead's qualification; a new, unsaved one with the checklist of its segment if there is none yet.

	:param lock: as for `qualification_of`.
	:raises frappe.ValidationError: if the segment has no checklist.
	"""
	name = qualification_of(lead, lock)
	if name:
		return frappe.get_doc("Lead Qualification", name, for_update=lock)
	doc = frappe.new_doc("Lead Qualification")
	doc.lead = lead
	doc.checklist = checklist_for(lead)
	return doc


def checklist_for(lead: str) -> str:
	"""The checklist of the agreement that is in force for the lead, else that of its segment.

	:raises frappe.ValidationError: if there is none, saying where to choose one.
	"""
	company, segment = scope_of(lead)
	checklist = expected_checklist(company, segment)
	if checklist:
		return checklist
	if segment:
		frappe.throw(
			_("There is no checklist for this lead: choose one on its segment {0}.").format(
				get_link_to_form("Lead Segment", segment)
			)
		)
	frappe.throw(
		_("There is no checklist for this lead: make a Lead Segment without rules, which takes every lead.")
	)


def expected_checklist(company: str | None, segment: str | None) -> str | None:
	"""The checklist for new judgements of leads of a company and a segment: of the agreement, else of the segment."""
	return checklist_of(agreement_for(company, segment)) or plan_of(segment, "checklist")


def agreement_of(lead: str) -> str | None:
	"""The name of the Sales Ready Agreement that is in force for a lead, or None."""
	return agreement_for(*scope_of(lead))


def judge_now(lead: str, now: datetime | None = None):
	"""The lead's qualification as it stands at this moment, or None: an answer may have expired since it was saved.

	:param now: naive instant in the site's zone.
	"""
	name = qualification_of(lead)
	if not name:
		return None
	doc = frappe.get_doc("Lead Qualification", name)
	judgement.judge(doc, now)
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


def publish(doc):
	"""Carry the verdict of a saved Lead Qualification to its lead, ERPNext's own three fields included."""
	summary.write(doc.lead, **judgement.verdict_values(doc))


def publish_unjudged(lead: str):
	"""Show on a lead that nobody has answered for it, or no longer."""
	summary.write(
		lead,
		lq_verdict="Open",
		lq_met_count=0,
		lq_criteria_count=0,
		lq_non_buyer=0,
		qualification_status=None,
		qualified_by=None,
		qualified_on=None,
	)


def log_on_lead(lead: str, text: str):
	"""Add a line to the lead's timeline."""
	frappe.get_doc(
		{
			"doctype": "Comment",
			"comment_type": "Info",
			"reference_doctype": "Lead",
			"reference_name": lead,
			"content": text,
		}
	).insert(ignore_permissions=True)


def answer(
	lead: str,
	answers: list[dict],
	horizon: str | None = None,
	decision: str | None = None,
	outcome_reason: str | None = None,
	nurture_until: date | str | None = None,
):
	"""Record answers to a lead's criteria and judge it again. Answers are merged by criterion and contact.

	An answer that somebody else has given since the user last looked is replaced, but not in silence.

	:param answers: rows of `criterion` and `value`, and if known `contact`, `currency`, `evidence_grade`,
	    `note`, `reference_doctype`, `reference_name`, and `seen`: the `answered_on` of the answer that the user
	    saw, empty if there was none.
	:returns: the saved Lead Qualification.
	:raises frappe.ValidationError: for a criterion that the checklist does not have.
	"""
	if not all(isinstance(given, dict) for given in answers):
		frappe.throw(_("Send answers as a list of rows with criterion and value."))
	doc = get_qualification(lead, lock=True)
	criteria = doc.get_criteria()
	doc.fill_rows(criteria)
	doc.flags.answered = set()
	replaced = [words for given in answers if (words := _take_answer(doc, criteria, given))]
	if horizon:
		doc.horizon = horizon
	if decision is not None:
		doc.decision = decision
		doc.outcome_reason = outcome_reason if decision else None
		doc.nurture_until = nurture_until if decision else None
	doc.save()
	for words in replaced:
		frappe.msgprint(words, title=_("Answered Meanwhile"), indicator="orange")
	return doc


def _take_answer(doc, criteria: dict, given: dict) -> str | None:
	"""Put one answer into a qualification. Returns what it has replaced unseen, in words."""
	criterion = criteria.get(given.get("criterion"))
	if not criterion:
		frappe.throw(
			_("{0} has no criterion {1}. It has: {2}.").format(
				doc.checklist, bold(given.get("criterion")), ", ".join(criteria)
			)
		)
	contact = (criterion.per_contact and given.get("contact")) or None
	key = (criterion.criterion, contact)
	rows = {judgement.key_of(row): row for row in doc.answers}
	row = rows.get(key) or doc.append("answers", {"criterion": criterion.criterion, "contact": contact})
	present, words = judgement.value_of(row), None
	if "value" in given:
		value = judgement.as_text(given["value"]) or ""
		is_unseen = "seen" in given and str(given["seen"] or "") != str(row.answered_on or "")
		if is_unseen and present and present != value:
			words = _("{0} had answered {1} with {2} meanwhile. Your answer has replaced it.").format(
				as_html(frappe.utils.get_fullname(row.answered_by))
				if row.answered_by
				else _("The lead's own data"),
				bold(_(row.label)),
				bold(_("a confidential answer") if criterion.confidential else present),
			)
		row.value = value
		row.confidential_value = None
		doc.flags.answered.add(key)
		if row.reference_doctype == "Lead":
			# a person says it now
			row.reference_doctype = row.reference_name = None
	for fieldname in ("currency", "evidence_grade", "note", "reference_doctype", "reference_name"):
		if fieldname in given:
			row.set(fieldname, given[fieldname])
	if criterion.confidential and "note" in given:
		row.confidential_note = None
	return words


def expired(now: datetime, limit: int) -> list[str]:
	"""Names of the Lead Qualifications that time may have changed by `now` (naive, the site's zone)."""
	return frappe.db.sql_list(
		"""
		select q.name from `tabLead Qualification` q join `tabLead` l on l.name = q.lead
		where q.valid_until < %(now)s
		union
		select q.name from `tabLead Qualification` q join `tabLead` l on l.name = q.lead
		where q.decision = 'Nurture' and q.nurture_until <= %(today)s
		limit %(limit)s
		""",
		{"now": now, "today": now.date(), "limit": limit},
	)


def judge_again(name: str, now: datetime) -> bool:
	"""Save a Lead Qualification again, and with it the verdict that it has by now. Returns whether it has changed.

	:param now: naive instant in the site's zone.
	"""
	# the lead first, as everywhere else
	frappe.db.get_value(
		"Lead", frappe.db.get_value("Lead Qualification", name, "lead"), "name", for_update=True
	)
	doc = frappe.get_doc("Lead Qualification", name, for_update=True)
	is_back = doc.decision == "Nurture" and doc.nurture_until and getdate(doc.nurture_until) <= now.date()
	if not is_back and (not doc.valid_until or get_datetime(doc.valid_until) >= now):
		return False
	before = doc.verdict
	doc.flags.now = now
	# a contact or a mail that an answer names may be gone
	doc.flags.ignore_links = True
	doc.save(ignore_permissions=True)
	if is_back:
		_tell_owner_that_it_is_back(doc)
	return bool(is_back or doc.verdict != before)


def _tell_owner_that_it_is_back(doc):
	owner, title = frappe.db.get_value("Lead", doc.lead, ["lead_owner", "title"])
	if owner and is_reachable(owner):
		tell(
			owner,
			_("{0} was on hold until today. Follow up now.").format(title),
			"Lead",
			doc.lead,
			kind="Unattended",
		)


# fields of the lead that answer criteria


def answering_fields() -> frozenset[str]:
	"""The Lead fields that answer a criterion of an active checklist by themselves."""
	return frozenset(field for source in answering_sources() for field in facts.fields_of(source))


def answering_sources() -> frozenset[str]:
	"""The fields and facts that criteria of checklists in force name as `lead_field`."""
	return in_force()["sources"]


def judge_lead(lead) -> judgement.StoredJudgement | None:
	"""Judge a Lead document that is being saved, if one of its fields answers a criterion anew.

	:returns: the judgement, for `keep_judgement`. A lead that nobody has answered for has one once a field of it answers
	    something.
	"""
	fields = answering_fields()
	if not any((lead.get(field) if lead.is_new() else lead.has_value_changed(field)) for field in fields):
		return None
	before = lead.get_doc_before_save()
	# a lead that shows no criteria has no judgement: looking for it with a lock would stop others
	known = judgement.load([lead.name]) if before and before.lq_criteria_count else []
	doc = known[0] if known else new_judgement(lead)
	if not doc:
		return None
	doc.judge_from_lead(lead, now_datetime())
	if not doc.name and not any(row.answered_on for row in doc.answers):
		return None
	lead.update(judgement.verdict_values(doc))
	return doc


def new_judgement(lead) -> judgement.StoredJudgement | None:
	"""A judgement of a lead (document or row) that nobody has answered for, or None where there is no checklist."""
	checklist = expected_checklist(lead.get("company"), lead.get("lq_segment"))
	if not checklist:
		return None
	return judgement.StoredJudgement(
		lead=lead.name,
		lead_name=lead.get("title") or lead.get("lead_name"),
		agreement=agreement_for(lead.get("company"), lead.get("lq_segment")),
		checklist=checklist,
		horizon="Unknown",
		answers=[],
	)


def keep_judgement(save: LeadSave, is_new_lead: bool):
	"""Write what `judge_lead` has judged in a save, past Frappe's documents: two statements, if one answer changed.

	If the verdict has changed, the other rooms are told; of a new lead's, they ask by themselves.
	"""
	doc, save.judged = save.judged, None
	if not doc:
		return
	doc.lead = save.lead.name
	before = doc.before.verdict if doc.before else "Open"
	judgement.write([doc], doc.judged_at)
	if before != doc.verdict and not is_new_lead:
		tell_verdict(doc.name)


def tell_verdict(name: str):
	"""Tell the rooms to the right, which `hooks.py` names, of a verdict that was written past Frappe's documents."""
	qualification = frappe.get_doc("Lead Qualification", name)
	for path in frappe.get_hooks("lead_verdict_changed"):
		frappe.get_attr(path)(qualification, is_decision_new=True)


# leads that go


def merge_into(lead: str):
	"""Two leads have become one: the judgement that was worked on last stays, and takes over what only the other
	knows."""
	names = frappe.get_all("Lead Qualification", {"lead": lead}, pluck="name", order_by="modified desc")
	for name in names[1:]:
		judgement.take_over(names[0], name)
		# merged, so that handovers that name it name the one that stays
		frappe.rename_doc("Lead Qualification", name, names[0], merge=True, force=True)
	if names:
		doc = frappe.get_doc("Lead Qualification", names[0])
		doc.flags.ignore_links = True
		doc.save(ignore_permissions=True)


def forget_lead(lead: str):
	"""Delete the judgement of a deleted lead."""
	for name in frappe.get_all("Lead Qualification", {"lead": lead}, pluck="name", order_by="name asc"):
		frappe.delete_doc("Lead Qualification", name, ignore_permissions=True, force=True)
