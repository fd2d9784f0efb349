"""Checklists: which one a lead is held against, and what judging needs of it."""

from typing import NamedTuple

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_link_to_form

from lead_quality.engine import qualification as engine
from lead_quality.qualification.agreement import agreement_for, checklist_of
from lead_quality.qualification.definitions import generation_here, in_force
from lead_quality.qualification.segments import plan_of, scope_of

# which one


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


# what judging needs of it


class Checklist(NamedTuple):
	"""A Qualification Checklist as judging needs it. Shared by all that this process does: nobody changes it."""

	doc: Document
	rows: dict  # the rows of its criteria by their keys, in its order
	definition: engine.Definition
	criteria: dict[str, engine.Criterion]
	mapped: dict[str, str]  # criteria that a field of the lead or a fact answers, with that field or fact


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
		{row.criterion: row.lead_field for row in doc.criteria if row.lead_field},
	)


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


def choices_of(criterion) -> list[str]:
	"""What can be chosen where a criterion (its row of the checklist) is a Select."""
	return [choice.strip() for choice in (criterion.options or "").splitlines() if choice.strip()]


def is_readable(value: str, criterion) -> bool:
	"""Whether a value is of the type that a criterion (its row of the checklist) asks for, and one of its choices."""
	if criterion.answer_type == "Select":
		return value.strip() in choices_of(criterion)
	return engine.parse(criterion.answer_type, value.strip()) is not None
