"""A lead's judgement: its answers, what the lead's own fields add to them, and the verdict that follows.

`AnswerSheet` is what a Lead Qualification document and a `StoredJudgement` have in common. The latter is made of
rows that were read in bulk, and is judged and written past Frappe's documents, which cost more than the judging.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import frappe
from erpnext.setup.utils import get_exchange_rate
from frappe import _
from frappe.model.document import Document
from frappe.utils import flt, format_date, get_datetime, getdate, now_datetime

from lead_quality.base.rows import insert_rows, update_rows
from lead_quality.engine import qualification as engine
from lead_quality.people.visitors import is_visitor
from lead_quality.qualification import facts
from lead_quality.qualification.definitions import generation_here, in_force
from lead_quality.qualification.words import state_in_words

# what tells whose judgement it is, what a person decides, and what judging changes of a Lead Qualification
IDENTITY = ("lead", "lead_name", "agreement", "horizon")
DECISION = ("decision", "outcome_reason", "nurture_until")
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
ANSWER = (
	"idx",
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
	"confidential_note",
	"reference_doctype",
	"reference_name",
	"answered_by",
	"answered_on",
)
# whose a stored one is; where there are several of a lead, the last in this order counts
KEY = ("lead", "creation", "name")
INSTANTS = ("decided_on", "valid_until", "answered_on")


class Checklist(NamedTuple):
	"""A Qualification Checklist as judging needs it. Shared by all that this process does: nobody changes it."""

	doc: Document
	rows: dict  # the rows of its criteria by their keys, in its order
	definition: engine.Definition
	criteria: dict[str, engine.Criterion]


# site to the token at which its checklists were built, and these by name
_built: dict[str, tuple[str, dict[str, Checklist]]] = {}


def get_checklist(name: str) -> Checklist:
	"""A checklist, built once a process for as long as none has changed: reading it costs more than judging by it."""
	token = in_force()["token"]
	known, checklists = _built.get(frappe.local.site, ("", {}))
	if known != token:
		checklists = {}
		_built[frappe.local.site] = (token, checklists)
	if name in checklists:
		return checklists[name]
	checklist = build_checklist(frappe.get_doc("Qualification Checklist", name))
	if generation_here() == token:
		checklists[name] = checklist
	return checklist


def build_checklist(doc) -> Checklist:
	"""What judging needs of a Qualification Checklist document."""
	definition = get_definition(doc)
	return Checklist(
		doc,
		{row.criterion: row for row in doc.criteria},
		definition,
		{criterion.key: criterion for criterion in definition.criteria},
	)


class AnswerSheet:
	"""The answers to a checklist and their verdict. Whoever inherits this has the fields of a Lead Qualification,
	`answers`, `append`, `stored` (what the database has of it, with its answers by `key_of`) and `answered_now`
	(the keys of the answers that somebody gives at this moment)."""

	if TYPE_CHECKING:
		lead: str
		checklist: str
		verdict: str
		decision: str | None
		answers: list
		append: Any
		stored: Any
		answered_now: Any

	# whether a rate that nobody knew is asked for again: it may take a call over the network
	asks_again = True
	# whether some of the stored answers may not be among the rows
	may_be_partial = True

	def get_criteria(self) -> dict:
		"""The rows of the checklist by their keys, in its order."""
		return get_checklist(self.checklist).rows

	def fill_rows(self, criteria: dict):
		"""At least one row for every criterion of the checklist, in its order; rows of other keys are dropped.

		An answer that is stored and not mentioned stays: whoever sends only some answers takes none away.
		"""
		stored = self.stored().answers if self.may_be_partial else {}
		given = {key_of(row): row for row in self.answers}
		self.answers = []
		for criterion in criteria.values():
			unasked = (criterion.criterion, None)
			keys = [unasked]
			if criterion.per_contact:
				keys = [key for key in {**stored, **given} if key[0] == criterion.criterion]
			rows = [given.get(key) or stored.get(key) for key in keys]
			rows = [row for row in rows if row and (value_of(row) or not criterion.per_contact)]
			blank = given.get(unasked) or stored.get(unasked) or {"criterion": criterion.criterion}
			for row in rows or [blank]:
				row = self.append("answers", row)
				row.update({"label": criterion.label, "idx": len(self.answers)})

	def answer_from_lead(self, criteria: dict, lead=None):
		"""A mapped Lead field answers its criterion for as long as no person has; the answer refers to the lead.

		:param criteria: as `get_criteria` gives them, here and below.
		:param lead: document or row with these fields, if at hand.
		"""
		mapped = {key: row.lead_field for key, row in criteria.items() if row.lead_field}
		for row in self.answers:
			if row.reference_doctype == "Lead" and (row.criterion not in mapped or row.contact):
				# nobody but this method says that the lead's own data have answered
				row.reference_doctype = row.reference_name = None
		if not mapped:
			return
		if lead is None:
			fields = {field for source in mapped.values() for field in facts.fields_of(source)}
			lead = frappe.db.get_value("Lead", self.lead, [*sorted(fields), "company", "owner"], as_dict=True)
		stored = self.stored().answers
		for row in self.answers:
			if row.criterion not in mapped or row.contact:
				continue
			criterion, old = criteria[row.criterion], stored.get(key_of(row))
			is_typed = value_of(row) and not (
				old and value_of(old) == value_of(row) and old.reference_doctype == "Lead"
			)
			value = None if is_typed else facts.value_of(mapped[row.criterion], lead)
			if value:
				self._take_from_lead(row, criterion, value, lead)
			elif row.reference_doctype == "Lead":
				row.reference_doctype = row.reference_name = None
				if not is_typed:
					row.value = row.confidential_value = row.evidence_grade = None

	def _take_from_lead(self, row, criterion, value: str, lead):
		set_value(row, criterion, value)
		row.update({"reference_doctype": "Lead", "reference_name": self.lead})
		# what a visitor fills in about himself nobody has observed
		row.evidence_grade = "Stated" if is_visitor(lead.get("owner")) else "Observed"
		if criterion.amount_currency:
			row.currency = company_currency(lead.get("company")) or criterion.amount_currency

	def stamp_answers(self, criteria: dict, now: datetime):
		"""Who said what and when; only an answer that was given anew gets a new stamp."""
		before = self.stored()
		stored, rows = before.answers, before.get("rows") or {}
		answered = self.answered_now()
		for row in self.answers:
			# one that has been moved has the stamp that it had, not that of the answer whose place it takes
			criterion, old = criteria[row.criterion], rows.get(row.name) or stored.get(key_of(row))
			if not value_of(row):
				row.answered_by = row.answered_on = row.currency = None
				row.exchange_rate = 0
				continue
			if criterion.amount_currency:
				row.currency = row.currency or criterion.amount_currency
			changed = not old or (value_of(old), old.currency or None) != (
				value_of(row),
				row.currency or None,
			)
			if changed or key_of(row) in answered:
				row.answered_by = None if row.reference_doctype == "Lead" else frappe.session.user
				row.answered_on = now
				row.evidence_grade = row.evidence_grade or "Stated"
			else:
				row.answered_by, row.answered_on = old.answered_by, old.answered_on
			row.exchange_rate = row.exchange_rate or 0
			if not criterion.amount_currency:
				row.currency = None
			else:
				# asked once and kept, so that the same answers give the same verdict every time
				row.exchange_rate = old.exchange_rate if old and not changed else 0
				if not row.exchange_rate and (changed or self.asks_again):
					row.exchange_rate = exchange_rate(
						row.currency, criterion.amount_currency, getdate(row.answered_on)
					)

	def stamp_verdict(self, now: datetime):
		"""A verdict is that of the person who decided, or who gave the latest answer; a rule has none."""
		stored = self.stored()
		if stored.verdict == self.verdict and stored.decided_on:
			self.decided_by, self.decided_on = stored.decided_by, stored.decided_on
			return
		stamps = [(get_datetime(row.answered_on), row.answered_by) for row in self.answers if row.answered_by]
		self.decided_by = max(stamps)[1] if stamps else None
		if self.verdict == self.decision:
			self.decided_by = frappe.session.user
		self.decided_on = now


class StoredJudgement(AnswerSheet, frappe._dict):
	"""A Lead Qualification as plain rows. `before` is what the database has of it, None for a new one; its `rows` are
	the answers by name, as an answer that is moved gets another key.

	Nobody answers it: only the lead's own fields have changed, or the definition.
	"""

	asks_again = may_be_partial = False

	def answered_now(self) -> set:
		return set()

	def append(self, _table: str, row):
		self.answers.append(frappe._dict(row))
		return self.answers[-1]

	def stored(self) -> frappe._dict:
		return self.before or frappe._dict(answers={})

	def move_to(self, checklist: str) -> list[str]:
		"""Hold the lead against another checklist. Answers go along by the key of their criterion.

		:returns: what the new checklist has no place for, in words.
		"""
		self.checklist = checklist
		criteria, kept, dropped = self.get_criteria(), {}, []
		# the newest last: it stays where contacts are no longer asked one by one
		for row in sorted(self.answers, key=lambda row: str(row.answered_on or "")):
			criterion = criteria.get(row.criterion)
			if not value_of(row):
				continue
			if not criterion or not is_readable(value_of(row), criterion):
				dropped.append(f"{_(row.label)}: {'…' if row.confidential_value else row.value}")
				continue
			if not criterion.per_contact:
				row.contact = None
			place(row, criterion)
			kept[key_of(row)] = row
		self.answers = list(kept.values())
		return dropped

	def judge_from_lead(self, lead, now: datetime):
		"""Take up what the lead's own fields say, and judge.

		:param lead: document or row with the fields that answer criteria.
		:param now: naive instant in the site's zone, here and above.
		"""
		criteria = self.get_criteria()
		self.judged_at = now
		self.fill_rows(criteria)
		self.answer_from_lead(criteria, lead)
		self.stamp_answers(criteria, now)
		judge(self, now)
		self.stamp_verdict(now)


def key_of(row) -> tuple[str, str | None]:
	"""What tells an answer from the others: its criterion, and its contact where each is asked."""
	return row.criterion, row.contact or None


def value_of(row) -> str:
	"""The answer of a row, wherever it is kept."""
	return row.value or row.confidential_value or ""


def as_text(value) -> str | None:
	"""An answer as it is kept: an API call may send a number or a truth value."""
	return value if value is None or isinstance(value, str) else str(value)


def set_value(row, criterion, value: str | None):
	"""Write the answer of a row where it belongs."""
	row.update({"confidential_value" if criterion.confidential else "value": value})


def place(row, criterion):
	"""Keep the answer and the note of a row where its criterion, confidential or not, has them."""
	for plain, confidential in (("value", "confidential_value"), ("note", "confidential_note")):
		text = row.get(plain) or row.get(confidential)
		row.update(
			{
				plain: None if criterion.confidential else text,
				confidential: text if criterion.confidential else None,
			}
		)


def is_readable(value: str, criterion) -> bool:
	"""Whether a value is of the type that a criterion (its row of the checklist) asks for, and one of its choices."""
	if criterion.answer_type == "Select":
		return value.strip() in choices_of(criterion)
	return engine.parse(criterion.answer_type, value.strip()) is not None


def choices_of(criterion) -> list[str]:
	"""What can be chosen where a criterion (its row of the checklist) is a Select."""
	return [choice.strip() for choice in (criterion.options or "").splitlines() if choice.strip()]


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
		value_of(row),
		row.answered_on and get_datetime(row.answered_on),
		(row.exchange_rate or 0.0) if criterion.amount_currency else 1.0,
	)


def judge(doc, now: datetime | None = None) -> engine.Judgement:
	"""Judge a Lead Qualification document by its answers and set its verdict, counts and reason.

	:param now: naive instant in the site's zone.
	"""
	now = now or now_datetime()
	checklist = get_checklist(doc.checklist)
	answers: dict[str, list[engine.Answer]] = {}
	for row in doc.answers:
		if row.criterion not in checklist.rows:
			continue
		answer = as_answer(row, checklist.rows[row.criterion])
		answers.setdefault(row.criterion, []).append(answer)
		row.met = int(engine.answer_state(checklist.criteria[row.criterion], answer, now) == "Met")
	until = doc.nurture_until and getdate(doc.nurture_until)
	judgement = engine.judge(checklist.definition, answers, doc.decision or None, now, until)
	rule = checklist.doc.rules[judgement.rule] if judgement.rule is not None else None
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
	doc.reason = decision_in_words(doc) if decided else reason_in_words(checklist.rows, judgement, rule)
	return judgement


def decision_in_words(doc) -> str:
	"""A person's decision, such as "Nurture until 15-01-2027: Not this year"."""
	words = _(doc.decision)
	if doc.decision == "Nurture" and doc.nurture_until:
		words = _("Nurture until {0}").format(format_date(doc.nurture_until))
	return f"{words}: {why}" if (why := _reason_text(doc.outcome_reason)) else words


def reason_in_words(rows: dict, judgement: engine.Judgement, rule=None) -> str:
	"""Why the verdict is what it is, such as "3 of 4 met. Missing: Timescale (not asked yet)."

	:param rows: those of the checklist by their keys.
	:param rule: the row of the checklist's rules that gave the verdict, if one did.
	"""

	def name_of(key: str) -> str:
		return _(rows[key].topic or rows[key].label)

	sentences = []
	if judgement.knocked_out:
		sentences.append(
			_("Knocked out by {0}.").format(
				", ".join(name_of(criterion) for criterion in judgement.knocked_out)
			)
		)
	elif rule:
		sentences.append(_("{0}: {1}.").format(name_of(rule.criterion), _reason_text(rule.outcome_reason)))
	sentences.append(_("{0} of {1} met.").format(judgement.met_count, judgement.criteria_count))
	missing = [
		f"{name_of(key)} ({state_in_words(rows[key], state)})"
		for key, state in judgement.states.items()
		if state != "Met"
	]
	if missing:
		sentences.append(_("Missing: {0}.").format(", ".join(missing)))
	return " ".join(sentences)


def _reason_text(reason: str | None) -> str:
	text = reason and frappe.get_cached_value("Lead Outcome Reason", reason, "reason")
	return _(text) if text else ""


def company_currency(company: str | None) -> str | None:
	"""The currency of a company, by default of the site's."""
	company = company or frappe.defaults.get_global_default("company")
	return frappe.get_cached_value("Company", company, "default_currency") if company else None


def exchange_rate(from_currency: str, to_currency: str, day: date) -> float:
	"""ERPNext's rate between two currencies on a day; 0 if it knows none."""
	return flt(get_exchange_rate(from_currency, to_currency, str(day)))


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


def load(leads: list[str]) -> list[StoredJudgement]:
	"""The judgements of some leads, locked, in one query.

	Their values come as JSON: a driver in pure Python takes longer to read forty columns than the database to find
	them.
	"""
	held, given = (*KEY, *DECISION, *JUDGED), ("name", *ANSWER)
	rows = frappe.db.sql(
		f"""
		select json_array({", ".join(f"q.`{field}`" for field in held)}),
			json_array({", ".join(f"a.`{field}`" for field in given)})
		from `tabLead Qualification` q
		left join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
		where q.lead in %s for update
		""",
		(leads,),
	)
	answers: dict[str, list] = {}
	for judged, answer in rows:
		answers.setdefault(judged, []).append(_as_row(given, answer))
	# sorted here: the database would make a table on disk for it
	docs = sorted(
		(StoredJudgement(_as_row(held, judged), answers=rows) for judged, rows in answers.items()),
		key=itemgetter(*KEY),
	)
	for doc in docs:
		doc.answers = sorted((row for row in doc.answers if row.name), key=attrgetter("idx"))
		rows = {row.name: frappe._dict(row) for row in doc.answers}
		doc.before = frappe._dict(doc, rows=rows, answers={key_of(row): row for row in rows.values()})
	# a merge may have left a second one for a moment
	return list({doc.lead: doc for doc in docs}.values())


def _as_row(fields: tuple[str, ...], values: str) -> frappe._dict:
	row = frappe._dict(zip(fields, json.loads(values), strict=True))
	for field in INSTANTS:
		if row.get(field):
			row[field] = datetime.fromisoformat(row[field])
	return row


def write(judgements: Sequence[StoredJudgement], now: datetime):
	"""Write new and changed judgements and their answers, each kind in one statement, past their hooks.

	:param judgements: those that are in the database are locked, as `load` does it.
	:param now: naive instant in the site's zone, kept as modified.
	"""
	new, known = [doc for doc in judgements if not doc.name], [doc for doc in judgements if doc.name]
	rows = [(doc, row) for doc in known for row in doc.answers]
	changed = [
		(row, doc.before.rows[row.name])
		for doc, row in rows
		if row.name and _is_changed(row, doc.before.rows)
	]
	update_rows("Lead Qualification", _changes([(doc, doc.before) for doc in known], JUDGED), now)
	update_rows("Lead Qualification Answer", _changes(changed, ANSWER), now)
	made = insert_rows("Lead Qualification", [_pick(doc, (*IDENTITY, *JUDGED)) for doc in new], now)
	for doc, row in zip(new, made, strict=True):
		doc.name = row.name
	parent = {"parenttype": "Lead Qualification", "parentfield": "answers"}
	insert_rows(
		"Lead Qualification Answer",
		[
			{"parent": doc.name, **parent, **_pick(row, ANSWER)}
			for doc in judgements
			for row in doc.answers
			if not row.name
		],
		now,
	)
	kept = {row.name for _doc, row in rows}
	gone = [old.name for doc in known for old in doc.before.rows.values() if old.name not in kept]
	if gone:
		frappe.db.delete("Lead Qualification Answer", {"name": ["in", gone]})


def _changes(pairs: list[tuple], fields: tuple[str, ...]) -> list[dict]:
	"""What to write of rows, each paired with what is stored of it: the columns in which one of them has changed."""
	columns = [field for field in fields if any(_differs(row, old, field) for row, old in pairs)]
	return [_pick(row, ("name", *columns)) for row, _old in pairs]


def _differs(row, old, field: str) -> bool:
	return (row[field] or None) != (old[field] or None)


def is_changed(doc: StoredJudgement) -> bool:
	"""Whether judging has changed anything of a judgement that was loaded."""
	return (
		any(_differs(doc, doc.before, field) for field in JUDGED)
		or len(doc.answers) != len(doc.before.rows)
		or any(not row.name or _is_changed(row, doc.before.rows) for row in doc.answers)
	)


def _pick(row, fields: tuple[str, ...]) -> dict:
	return {field: row.get(field) for field in fields}


def _is_changed(row, stored: dict) -> bool:
	old = stored[row.name]
	return row != old and any(_differs(row, old, field) for field in ANSWER)


def take_over(kept: str, other: str):
	"""Give a Lead Qualification the answers of another one that are newer or that it lacks, and the decision if it
	has none. Nothing is judged."""
	into, source = frappe.get_doc("Lead Qualification", kept), frappe.get_doc("Lead Qualification", other)
	criteria, rows = into.get_criteria(), {key_of(row): row for row in into.answers}
	for row in source.answers:
		criterion, present = criteria.get(row.criterion), rows.get(key_of(row))
		if not value_of(row) or not criterion or not is_readable(value_of(row), criterion):
			continue
		if present and value_of(present) and str(present.answered_on) >= str(row.answered_on):
			continue
		values = _pick(row, tuple(field for field in ANSWER if field != "idx"))
		if present:
			frappe.db.set_value("Lead Qualification Answer", present.name, values)
		else:
			parent = {"parent": kept, "parenttype": "Lead Qualification", "parentfield": "answers"}
			insert_rows("Lead Qualification Answer", [{**parent, **values}], now_datetime())
	if source.decision and not into.decision:
		frappe.db.set_value("Lead Qualification", kept, _pick(source, DECISION))
