"""Segments, the judgement of a lead by its checklist, and the gate before Opportunities."""

from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

import frappe
from erpnext.setup.utils import get_exchange_rate
from frappe import _
from frappe.utils import flt, format_date, get_datetime, get_link_to_form, getdate, now_datetime

from lead_quality import summary
from lead_quality.engine import qualification as engine
from lead_quality.qualification import facts
from lead_quality.records import insert_rows, update_rows
from lead_quality.versions import lead_field

SEGMENTS_CACHE = "lead_quality_segments"
LEAD_FIELDS_CACHE = "lead_quality_answering_fields"
# what judging changes of a Lead Qualification, and what tells whose judgement it is
JUDGED = (
	"checklist",
	"verdict",
	"met_count",
	"criteria_count",
	"score",
	"reason",
	"verdict_reason",
	"decided_by",
	"decided_on",
	"valid_until",
)
IDENTITY = ("lead", "lead_name", "horizon")
ANSWER = (
	"criterion",
	"label",
	"contact",
	"value",
	"confidential_value",
	"currency",
	"exchange_rate",
	"met",
	"evidence_grade",
	"note",
	"reference_doctype",
	"reference_name",
	"answered_by",
	"answered_on",
)


def clear_caches():
	"""Forget the segments and the answering fields, once more after the commit: others may read until then."""

	def clear():
		frappe.cache.delete_value([SEGMENTS_CACHE, LEAD_FIELDS_CACHE])

	clear()
	frappe.db.after_commit.add(clear)


# segments


def pick_segment(lead) -> str | None:
	"""The segment of a lead document, by the first enabled segment whose rules all hold."""
	segments = get_segments()
	values = {rule.field: lead.get(rule.field) for segment in segments for rule in segment.rules}
	return engine.pick_segment(segments, values)


def get_segments() -> list[engine.Segment]:
	"""The enabled segments in their order, with field names as this site's Lead has them.

	A segment with a rule on a field that no longer exists takes no lead until the rule is mended.
	"""
	return as_segments(all_rules())


def all_rules() -> list[tuple[str, list[tuple[str, str, str]]]]:
	"""Names of the enabled segments in their order, with their rules: field, operator, value."""
	return frappe.cache.get_value(SEGMENTS_CACHE, _load_segments)


def as_segments(rules: list[tuple[str, list[tuple[str, str, str]]]]) -> list[engine.Segment]:
	"""The engine's segments; one with a rule on a field that this site's Lead does not have is left out."""
	return [as_segment(name, rows) for name, rows in rules if all(lead_field(row[0]) for row in rows)]


def as_segment(name: str, rules: list[tuple[str, str, str]]) -> engine.Segment:
	"""The engine's segment of rules (field, operator, value) whose fields this site's Lead has."""
	return engine.Segment(name, tuple(engine.Rule(lead_field(field), *rest) for field, *rest in rules))


def fields_of_rules(segments: list[engine.Segment]) -> list[str]:
	"""The fields of the Lead that these segments ask for."""
	return sorted({rule.field for segment in segments for rule in segment.rules})


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
	fields = fields_of_rules(segments)
	rows = frappe.get_all("Lead", {"name": ["in", leads]}, ["name", *fields], order_by="name asc")
	for row in rows:
		summary.write(row.name, lq_segment=engine.pick_segment(segments, row), lq_verdict="Open")
	return len(rows)


def segment_change_in_words(old: str | None, new: str | None) -> str:
	"""For the timeline of a lead that has changed segment."""
	return _("moved from segment {0} to {1}").format(
		old or _("none"), get_link_to_form("Lead Segment", new) if new else _("none")
	)


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
	"""The checklist that a lead is held against: that of its segment.

	:raises frappe.ValidationError: if there is none, saying where to choose one.
	"""
	segment = segment_of(lead)
	checklist = plan_of(segment, "checklist")
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


def get_definition(checklist) -> engine.Definition:
	"""The engine's definition of a Qualification Checklist document."""
	return engine.Definition(
		tuple(as_criterion(row) for row in checklist.criteria),
		pass_rule=checklist.pass_rule,
		at_least=checklist.at_least or 0,
		pass_score=checklist.pass_score or 0.0,
		rules=tuple(
			engine.VerdictRule(row.criterion, row.operator, row.value or "", row.verdict)
			for row in checklist.rules
		),
	)


def as_criterion(row) -> engine.Criterion:
	"""The engine's criterion of a row of a checklist."""
	return engine.Criterion(
		key=row.criterion,
		answer_type=row.answer_type,
		pass_operator=row.pass_operator or "",
		pass_value=row.pass_value or "",
		mandatory=bool(row.mandatory),
		knock_out=bool(row.knock_out),
		weight=row.weight or 0.0,
		expires_after_days=row.expires_after_days or 0,
	)


def as_answer(row, criterion) -> engine.Answer:
	"""The engine's answer of a row of a qualification.

	:param criterion: its row of the checklist.
	"""
	return engine.Answer(
		row.value or row.confidential_value or "",
		row.answered_on and get_datetime(row.answered_on),
		(row.exchange_rate or 0.0) if criterion.currency else 1.0,
	)


def judge(doc, now: datetime | None = None) -> engine.Judgement:
	"""Judge a Lead Qualification document by its answers and set its verdict, counts and reason.

	:param now: naive instant in the site's zone.
	"""
	now = now or now_datetime()
	checklist = frappe.get_cached_doc("Qualification Checklist", doc.checklist)
	criteria = {row.criterion: row for row in checklist.criteria}
	definition = get_definition(checklist)
	answers: dict[str, list[engine.Answer]] = {}
	keys = {criterion.key: criterion for criterion in definition.criteria}
	for row in doc.answers:
		if row.criterion not in keys:
			continue
		answer = as_answer(row, criteria[row.criterion])
		answers.setdefault(row.criterion, []).append(answer)
		row.met = int(engine.answer_state(keys[row.criterion], answer, now) == "Met")
	until = doc.nurture_until and getdate(doc.nurture_until)
	judgement = engine.judge(definition, answers, doc.decision or None, now, until)
	rule = checklist.rules[judgement.rule] if judgement.rule is not None else None
	decided = bool(doc.decision) and not (until and until <= now.date())
	doc.update(
		{
			"verdict": judgement.verdict,
			"met_count": judgement.met_count,
			"criteria_count": judgement.criteria_count,
			"score": judgement.score,
			"verdict_reason": doc.outcome_reason if decided else rule and rule.outcome_reason,
			"valid_until": judgement.valid_until,
		}
	)
	doc.reason = decision_in_words(doc) if decided else reason_in_words(checklist, judgement, rule)
	return judgement


def decision_in_words(doc) -> str:
	"""A person's decision, such as "Nurture until 15-01-2027: Not this year"."""
	words = _(doc.decision)
	if doc.decision == "Nurture" and doc.nurture_until:
		words = _("Nurture until {0}").format(format_date(doc.nurture_until))
	return f"{words}: {why}" if (why := _reason_text(doc.outcome_reason)) else words


def reason_in_words(checklist, judgement: engine.Judgement, rule=None) -> str:
	"""Why the verdict is what it is, such as "3 of 4 met. Missing: Timescale (not asked yet)."

	:param rule: the row of the checklist's rules that gave the verdict, if one did.
	"""
	rows = {row.criterion: row for row in checklist.criteria}
	name = {key: _(row.topic or row.label) for key, row in rows.items()}
	sentences = []
	if judgement.knocked_out:
		sentences.append(_("Knocked out by {0}.").format(", ".join(name[k] for k in judgement.knocked_out)))
	elif rule:
		sentences.append(_("{0}: {1}.").format(name[rule.criterion], _reason_text(rule.outcome_reason)))
	sentences.append(_("{0} of {1} met.").format(judgement.met_count, judgement.criteria_count))
	missing = [
		f"{name[key]} ({state_in_words(rows[key], state)})"
		for key, state in judgement.states.items()
		if state != "Met"
	]
	if missing:
		sentences.append(_("Missing: {0}.").format(", ".join(missing)))
	return " ".join(sentences)


def state_in_words(criterion, state: str) -> str:
	"""The state of a criterion (its row of the checklist), such as "not met: needs at least 10,000 EUR"."""
	if state == "Not Met":
		return _("not met: needs {0}").format(needs_in_words(criterion))
	return {
		"Met": _("met"),
		"Open": _("asked of nobody yet") if criterion.per_contact else _("not asked yet"),
		"Stale": _("answer is out of date, ask again"),
		"Unvalued": _("no exchange rate to {0}").format(criterion.currency),
	}[state]


def needs_in_words(criterion) -> str:
	"""What an answer to a criterion (its row of the checklist) has to be, such as "at least 10,000 EUR"."""
	if not criterion.pass_operator:
		return {
			"Check": _("a yes"),
			"Number": _("a number above 0"),
			"Date": _("a date that has not passed"),
			"Select": _("a choice other than Unknown"),
			"Text": _("words"),
		}[criterion.answer_type]
	value = (criterion.pass_value or "").strip()
	if engine.is_today(as_criterion(criterion)):
		value = _("today")
	elif criterion.pass_operator not in {"in", "not in"} and criterion.answer_type in {"Number", "Date"}:
		value = frappe.format(value, {"fieldtype": {"Number": "Float"}.get(criterion.answer_type, "Date")})
	if criterion.currency and criterion.answer_type == "Number":
		value = f"{value} {criterion.currency}"
	return {
		"=": "{0}",
		"!=": _("anything but {0}"),
		">": _("more than {0}"),
		">=": _("at least {0}"),
		"<": _("less than {0}"),
		"<=": _("at most {0}"),
		"in": _("one of {0}"),
		"not in": _("none of {0}"),
	}[criterion.pass_operator].format(value)


def _reason_text(reason: str | None) -> str:
	text = reason and frappe.get_cached_value("Lead Outcome Reason", reason, "reason")
	return _(text) if text else ""


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
	"""Whether a Lead Outcome Reason is enabled and meant for this purpose, such as Disqualify."""
	return bool(
		reason
		and frappe.db.exists("Lead Outcome Reason", {"name": reason, "applies_to": purpose, "enabled": 1})
	)


def company_currency(company: str | None) -> str | None:
	"""The currency of a company, by default of the site's."""
	company = company or frappe.defaults.get_global_default("company")
	return frappe.get_cached_value("Company", company, "default_currency") if company else None


def exchange_rate(from_currency: str, to_currency: str, day: date) -> float:
	"""ERPNext's rate between two currencies on a day; 0 if it knows none."""
	return flt(get_exchange_rate(from_currency, to_currency, str(day)))


def publish(doc):
	"""Carry the verdict of a saved Lead Qualification to its lead, ERPNext's own three fields included."""
	summary.write(doc.lead, **verdict_values(doc))


def verdict_values(doc) -> dict:
	"""What a Lead shows of its Lead Qualification document."""
	qualified = doc.verdict == "Sales Ready"
	is_non_buyer = doc.verdict == "Disqualified" and doc.verdict_reason
	return {
		"lq_verdict": doc.verdict,
		"lq_met_count": doc.met_count,
		"lq_criteria_count": doc.criteria_count,
		"lq_non_buyer": int(
			bool(is_non_buyer)
			and frappe.get_cached_value("Lead Outcome Reason", doc.verdict_reason, "non_buyer")
		),
		"qualification_status": {"Sales Ready": "Qualified", "Open": "In Process"}.get(
			doc.verdict, "Unqualified"
		),
		"qualified_by": doc.decided_by if qualified else None,
		"qualified_on": get_datetime(doc.decided_on).date() if qualified else None,
	}


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
	frappe.db.get_value("Lead", lead, "name", for_update=True)
	doc = get_qualification(lead)
	doc.fill_rows()
	doc.flags.answered = set()
	replaced = [words for given in answers if (words := _take_answer(doc, given))]
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


def _take_answer(doc, given: dict) -> str | None:
	"""Put one answer into a qualification. Returns what it has replaced unseen, in words."""
	criterion = doc.criteria.get(given.get("criterion"))
	if not criterion:
		frappe.throw(
			_("{0} has no criterion {1}. It has: {2}.").format(
				doc.checklist, frappe.bold(given.get("criterion")), ", ".join(doc.criteria)
			)
		)
	contact = (criterion.per_contact and given.get("contact")) or None
	key = (criterion.criterion, contact)
	rows = {(row.criterion, row.contact or None): row for row in doc.answers}
	row = rows.get(key) or doc.append("answers", {"criterion": criterion.criterion, "contact": contact})
	present = row.value or row.confidential_value or ""
	words = None
	if "value" in given:
		is_unseen = "seen" in given and str(given["seen"] or "") != str(row.answered_on or "")
		if is_unseen and present and present != str(given["value"] or ""):
			words = _("{0} had answered {1} with {2} meanwhile. Your answer has replaced it.").format(
				frappe.utils.get_fullname(row.answered_by) if row.answered_by else _("The lead's own data"),
				frappe.bold(_(row.label)),
				frappe.bold(_("a confidential answer") if criterion.confidential else present),
			)
		row.value, row.confidential_value = given["value"], None
		doc.flags.answered.add(key)
		if row.reference_doctype == "Lead":
			# a person says it now
			row.reference_doctype = row.reference_name = None
	for fieldname in ("currency", "evidence_grade", "note", "reference_doctype", "reference_name"):
		if fieldname in given:
			row.set(fieldname, given[fieldname])
	return words


def expired(now: datetime, limit: int) -> list[str]:
	"""Names of the Lead Qualifications that time may have changed by `now` (naive, the site's zone)."""
	return frappe.db.sql_list(
		"select name from `tabLead Qualification` where valid_until < %s order by valid_until limit %s",
		(now, limit),
	)


def judge_again(name: str, now: datetime) -> bool:
	"""Save a Lead Qualification again, and with it the verdict that it has by now. Returns whether it has changed.

	:param now: naive instant in the site's zone.
	"""
	doc = frappe.get_doc("Lead Qualification", name, for_update=True)
	if not doc.valid_until or get_datetime(doc.valid_until) >= now:
		return False
	before = doc.verdict
	doc.flags.now = now
	doc.save(ignore_permissions=True)
	return doc.verdict != before


# fields of the lead that answer criteria


def answering_fields() -> frozenset[str]:
	"""The Lead fields that answer a criterion of an active checklist by themselves."""
	return frappe.cache.get_value(
		LEAD_FIELDS_CACHE,
		lambda: frozenset(
			fieldname
			for source in frappe.db.sql_list(
				"""
				select distinct c.lead_field from `tabQualification Criterion` c
				join `tabQualification Checklist` l on l.name = c.parent
				where l.status != 'Draft' and ifnull(c.lead_field, '') != ''
				"""
			)
			for fieldname in facts.fields_of(source)
		),
	)


def judge_lead(lead):
	"""Judge a Lead document that is being validated by its own fields; `keep_judgement` writes what came of it.

	A lead that nobody has answered for is judged once a field of it answers something.
	"""
	doc = None if lead.is_new() else load_qualification(lead.name)
	if not doc:
		checklist = find_checklist(lead)
		if not checklist:
			return
		doc = frappe.new_doc("Lead Qualification")
		doc.update({"lead": lead.name, "lead_name": lead.title or lead.lead_name, "checklist": checklist})
	doc.judge_from_lead(lead)
	if doc.name or any(row.answered_on for row in doc.answers):
		lead.update(verdict_values(doc))
		lead.flags.judged = doc


def find_checklist(lead) -> str | None:
	"""The checklist that a Lead document without a judgement would be held against, or None."""
	return plan_of(lead.lq_segment, "checklist")


def keep_judgement(doc):
	"""Write a qualification that `judge_lead` has judged, past its hooks: two statements, if one answer changed.

	If the verdict of one that was there before has changed, the other rooms hear of it as at every save.
	"""
	before = doc.flags.stored.verdict if doc.name else None
	write_judgements([doc], now_datetime())
	if before and before != doc.verdict:
		doc.run_method("on_update")


def load_qualification(lead: str):
	"""The lead's Lead Qualification with its answers, locked, in one query; or None."""
	return next(iter(load_qualifications([lead])), None)


def load_qualifications(leads: list[str]) -> list:
	"""The Lead Qualifications of some leads with their answers, locked, in one query."""
	rows = frappe.db.sql(
		f"""
		select q.*, a.name as answer_name, a.idx as answer_idx, {", ".join(f"a.`{f}` as `answer_{f}`" for f in ANSWER)}
		from `tabLead Qualification` q
		left join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
		where q.lead in %s order by q.lead, q.creation desc, q.name, a.idx
		for update
		""",
		(leads,),
		as_dict=True,
	)
	found = []
	for _lead, of_lead in groupby(rows, key=attrgetter("lead")):
		# a merge may have left a second one for a moment: the newest counts
		_name, of_newest = next(groupby(of_lead, key=attrgetter("name")))
		of_newest = list(of_newest)
		found.append(as_qualification(of_newest[0], of_newest))
	return found


def as_qualification(values: dict, answers: list[dict]):
	"""A Lead Qualification document of rows that were read in bulk.

	:param answers: rows with the columns `ANSWER`, `name` and `idx`, each with the prefix `answer_`.
	"""
	columns = frappe.get_meta("Lead Qualification").get_valid_columns()
	rows = [
		{field: row[f"answer_{field}"] for field in ("name", "idx", *ANSWER)}
		for row in answers
		if row["answer_name"]
	]
	return frappe.get_doc(
		{"doctype": "Lead Qualification", **{column: values[column] for column in columns}, "answers": rows}
	)


def write_judgements(docs: list, now: datetime):
	"""Write new and changed qualifications and their answers, each kind in one statement, past their hooks.

	What is there already must be locked by the caller.

	:param now: naive instant in the site's zone, kept as modified.
	"""
	new, known = [doc for doc in docs if not doc.name], [doc for doc in docs if doc.name]
	update_rows("Lead Qualification", [_pick(doc, ("name", *JUDGED)) for doc in known], now)
	rows = [(doc, row) for doc in known for row in doc.answers]
	changed = [row for doc, row in rows if row.name and _is_changed(row, doc.flags.stored.answers)]
	update_rows("Lead Qualification Answer", [_pick(row, ("name", "idx", *ANSWER)) for row in changed], now)
	names = insert_rows("Lead Qualification", [_pick(doc, (*IDENTITY, *JUDGED)) for doc in new], now)
	for doc, row in zip(new, names, strict=True):
		doc.name = row.name
	insert_rows(
		"Lead Qualification Answer",
		[
			{
				"parent": doc.name,
				"parenttype": "Lead Qualification",
				"parentfield": "answers",
				**_pick(row, ("idx", *ANSWER)),
			}
			for doc in docs
			for row in doc.answers
			if not row.name
		],
		now,
	)
	# rows of criteria that the checklist does not have
	gone = [
		old.name
		for doc in known
		for old in doc.flags.stored.answers.values()
		if old.name not in {row.name for row in doc.answers}
	]
	if gone:
		frappe.db.delete("Lead Qualification Answer", {"name": ["in", gone]})


def is_changed(doc) -> bool:
	"""Whether judging a Lead Qualification that was loaded in bulk has changed anything of it."""
	stored = doc.flags.stored
	return (
		any((doc.get(field) or None) != (stored.get(field) or None) for field in JUDGED)
		or len(doc.answers) != len(stored.answers)
		or any(not row.name or _is_changed(row, stored.answers) for row in doc.answers)
	)


def _pick(doc, fields: tuple[str, ...]) -> dict:
	return {field: doc.get(field) for field in fields}


def _is_changed(row, stored: dict) -> bool:
	old = next((old for old in stored.values() if old.name == row.name), None)
	return not old or any((row.get(field) or None) != (old.get(field) or None) for field in ("idx", *ANSWER))


# leads that go


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
