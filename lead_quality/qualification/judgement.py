"""Judging leads: their answers, what their own fields add to these, and the verdicts that follow.

A `Judgement` is a Lead Qualification as plain rows. It is loaded in bulk (`stored.load`) or taken from a document that
is being saved (`of_document`); `judge` judges any number of them, and they are written in bulk (`stored.write`) or given
back to the document (`put_into`), which Frappe then saves.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_datetime, getdate

from lead_quality.base.currency import company_currency
from lead_quality.base.query import among
from lead_quality.engine import qualification as engine
from lead_quality.people.visitors import is_visitor
from lead_quality.qualification import facts
from lead_quality.qualification.answers import ANSWER, as_answer, key_of, place, set_value, value_of
from lead_quality.qualification.checklists import Checklist, get_checklist, is_readable
from lead_quality.qualification.rates import RETRY_AFTER, Rates, is_awaited
from lead_quality.qualification.words import decision_in_words, reason_in_words

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
	"sales_ready_on",
	"valid_until",
)


class Judgement(frappe._dict):
	"""A Lead Qualification as plain rows: `IDENTITY`, `DECISION`, `JUDGED`, `name` and `answers`.

	`before` is what the database has of it, None for a new one: these fields, its `answers` by their keys and, where it
	was loaded, its `rows` by name, as an answer that is moved gets another key. `answered` are the keys of the answers
	that somebody gives at this moment. `awaits_rate` tells whether an exchange rate is missing that is still asked for.
	"""

	lead: str
	checklist: str
	answers: list

	def stored(self) -> frappe._dict:
		return self.before or frappe._dict(answers={})

	def fill_rows(self, checklist: Checklist):
		"""At least one row for every criterion of the checklist, in its order; rows of other keys are dropped."""
		given = {key_of(row): row for row in self.answers}
		self.answers = []
		for criterion in checklist.rows.values():
			unasked = given.get((criterion.criterion, None))
			rows = [unasked] if unasked else []
			if criterion.per_contact:
				rows = [
					row for row in given.values() if row.criterion == criterion.criterion and value_of(row)
				]
			for row in rows or [unasked or {"criterion": criterion.criterion}]:
				row = frappe._dict(row)
				row.update({"label": criterion.label, "idx": len(self.answers) + 1})
				place(row, criterion)
				self.answers.append(row)

	def answer_from_lead(self, checklist: Checklist, lead):
		"""A mapped Lead field answers its criterion for as long as no person has; the answer refers to the lead.

		:param lead: document or row with the fields that answer criteria; None if there is none.
		"""
		criteria, mapped = checklist.rows, checklist.mapped
		for row in self.answers:
			if row.reference_doctype == "Lead" and (row.criterion not in mapped or row.contact):
				# nobody but this method says that the lead's own data have answered
				row.reference_doctype = row.reference_name = None
		stored = self.stored().answers
		for row in self.answers:
			if row.criterion not in mapped or row.contact:
				continue
			criterion, old = criteria[row.criterion], stored.get(key_of(row))
			is_typed = value_of(row) and not (
				old and value_of(old) == value_of(row) and old.reference_doctype == "Lead"
			)
			value = None if is_typed or not lead else facts.value_of(mapped[row.criterion], lead)
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

	def stamp_answers(self, checklist: Checklist, now: datetime, rates: Rates):
		"""Who said what and when; only an answer that was given anew gets a new stamp."""
		criteria, before = checklist.rows, self.stored()
		self.awaits_rate = False
		stored, rows = before.answers, before.get("rows") or {}
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
			if changed or key_of(row) in (self.answered or ()):
				row.answered_by = None if row.reference_doctype == "Lead" else frappe.session.user
				row.answered_on = now
				row.evidence_grade = row.evidence_grade or "Stated"
			else:
				row.answered_by, row.answered_on = old.answered_by, old.answered_on
			row.exchange_rate = row.exchange_rate or 0
			if not criterion.amount_currency:
				row.currency = None
			else:
				# looked up once and kept, so that the same answers give the same verdict every time
				kept = old.exchange_rate if old and not changed else 0
				day = getdate(row.answered_on)
				row.exchange_rate = kept or rates.find(row.currency, criterion.amount_currency, day)
				if not row.exchange_rate and is_awaited(row.answered_on, now):
					self.awaits_rate = True

	def decide(self, checklist: Checklist, now: datetime) -> engine.Judgement:
		"""Set verdict, counts and reason by the answers that are there, at an instant."""
		answers: dict[str, list[engine.Answer]] = {}
		for row in self.answers:
			if row.criterion not in checklist.rows:
				continue
			answer = as_answer(row, checklist.rows[row.criterion])
			answers.setdefault(row.criterion, []).append(answer)
			row.met = int(engine.answer_state(checklist.criteria[row.criterion], answer, now) == "Met")
		until = self.nurture_until and getdate(self.nurture_until)
		judged = engine.judge(checklist.definition, answers, self.decision or None, now, until)
		rule = checklist.doc.rules[judged.rule] if judged.rule is not None else None
		decided = bool(self.decision) and not (until and until <= now.date())
		self.update(
			{
				"verdict": judged.verdict,
				"met_count": judged.met_count,
				"criteria_count": judged.criteria_count,
				"score": judged.score,
				"verdict_reason": self.outcome_reason if decided else rule and rule.outcome_reason,
				"valid_until": judged.valid_until,
			}
		)
		self.reason = decision_in_words(self) if decided else reason_in_words(checklist.rows, judged, rule)
		return judged

	def stamp_verdict(self, now: datetime):
		"""A verdict is that of the person who decided, or who gave the latest answer; a rule has none. When the lead was
		sales ready first stays."""
		stored = self.stored()
		self.sales_ready_on = stored.sales_ready_on or (now if self.verdict == "Sales Ready" else None)
		if stored.verdict == self.verdict and stored.decided_on:
			self.decided_by, self.decided_on = stored.decided_by, stored.decided_on
			return
		stamps = [(get_datetime(row.answered_on), row.answered_by) for row in self.answers if row.answered_by]
		self.decided_by = max(stamps)[1] if stamps else None
		if self.verdict == self.decision:
			self.decided_by = frappe.session.user
		self.decided_on = now

	def move_to(self, checklist: str) -> list[str]:
		"""Hold the lead against another checklist. Answers go along by the key of their criterion.

		:returns: what the new checklist has no place for, in words.
		"""
		self.checklist = checklist
		criteria, kept, dropped = get_checklist(checklist).rows, {}, []
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

	def put_into(self, doc):
		"""Give the judgement back to the document that it was taken from."""
		doc.update({field: self[field] for field in JUDGED})
		present = {key_of(row): row for row in doc.answers}
		doc.set("answers", [])
		for row in self.answers:
			child = doc.append("answers", present.get(key_of(row)) or dict(row))
			child.update({field: row[field] for field in ANSWER if field in row})


def of_document(doc, before=None, answered: set | frozenset = frozenset()) -> Judgement:
	"""The judgement of a Lead Qualification document, saved or not.

	An answer that is stored and not among its rows stays: whoever sends only some answers takes none away.

	:param before: what the database has of the document, as `Judgement.before` says; None if it is new.
	:param answered: the keys of the answers that somebody gives at this moment.
	"""
	rows = [
		frappe._dict({field: row.get(field) for field in row.meta.get_valid_columns()}) for row in doc.answers
	]
	given = {key_of(row): row for row in rows}
	return Judgement(
		{field: doc.get(field) for field in ("name", *IDENTITY, *DECISION, *JUDGED)},
		answers=list({**(before.answers if before else {}), **given}.values()),
		before=before,
		answered=answered,
	)


def judge(
	judgements: Sequence[Judgement],
	now: datetime,
	leads: Mapping | None = None,
	rates: Rates | None = None,
):
	"""Take up what the leads' own fields say, and judge them.

	A judgement that awaits an exchange rate is valid for an hour only.

	:param now: naive instant in the site's zone.
	:param leads: documents or rows by name, with the fields that answer criteria; by default they are read.
	:param rates: by default those stored on the site; others are asked for after the commit.
	"""
	rates = rates or Rates()
	if leads is None:
		leads = _read_leads(judgements)
	for judged in judgements:
		checklist = get_checklist(judged.checklist)
		judged.judged_at = now
		judged.fill_rows(checklist)
		judged.answer_from_lead(checklist, leads.get(judged.lead))
		judged.stamp_answers(checklist, now, rates)
		judged.decide(checklist, now)
		if judged.awaits_rate:
			again_at = now + RETRY_AFTER
			judged.valid_until = min(judged.valid_until or again_at, again_at)
		judged.stamp_verdict(now)
	waiting = [judged.lead for judged in judgements if judged.awaits_rate]
	if waiting:
		rates.ask_later(waiting)


def _read_leads(judgements: Sequence[Judgement]) -> dict:
	"""Rows by name of the leads that have judgements, with what their checklists ask of them, in one query."""
	checklists = [get_checklist(name) for name in {judged.checklist for judged in judgements}]
	sources = {source for checklist in checklists for source in checklist.mapped.values()}
	if not sources:
		return {}
	fields = {field for source in sources for field in facts.fields_of(source)}
	rows = frappe.get_all(
		"Lead",
		{"name": among({judged.lead for judged in judgements})},
		sorted({"name", "company", "owner", *fields}),
		order_by="name asc",
	)
	return {row.name: row for row in rows}


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
