"""The priority of leads: 0 to 100, by what was learned from the company's past leads, or else by the criteria met.

What is known of a lead is on the Lead itself, so that a save of it asks the database nothing for its priority. The model
comes with the definitions in force.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_datetime

from lead_quality.base import query
from lead_quality.base.versions import lead_field, lead_source
from lead_quality.engine.conversion import STAGES
from lead_quality.engine.priority import (
	MISSING,
	NUMBERS,
	SAID,
	Model,
	Reason,
	facts_at,
	lines_of,
	priority,
	priority_by_rules,
	reasons,
	said_by,
	score,
	would_raise,
)
from lead_quality.funnel import known
from lead_quality.funnel.conditions import open_clock, open_enrollment
from lead_quality.qualification.definitions import in_force

# not known, because nobody wrote it down then: no lead says so today
UNKNOWN = "?"
# what people can find out or do, so that the priority rises
CHANGEABLE = (
	"industry",
	"market_segment",
	"no_of_employees",
	"request_type",
	"has_phone",
	"has_website",
	"filled",
	"stage",
	"touched",
	"criteria_met",
)

# what people work from, besides the list of leads: DocType to which of its rows (`q`) wait for somebody. A list is sorted by
# its own columns only, so each row keeps the priority of its lead
QUEUES = {
	"Lead Touch": "q.status = 'Planned'",
	"Lead Handover": "q.status = 'Sent'",
	"Follow Up Clock": open_clock("q"),
	"Nurture Enrollment": open_enrollment("q"),
}

# site to the token at which its models were built, and these by company
_built: dict[str, tuple[str, dict[str, Model]]] = {}


def columns() -> list[str]:
	"""What `facts_of` reads of a lead."""
	named = (lead_field("source"), lead_field("campaign_name"))
	return [
		*(field for field in (*known.FIELDS, *named) if field and lead_field(field)),
		*("name", "creation", "company", "territory", "lq_segment", "lq_stage", "lq_last_touch_at"),
		*("lq_met_count", "lq_criteria_count", "lq_priority"),
	]


def facts_of(lead, now: datetime) -> dict:
	"""What is known of a lead (document or row with `columns`) at an instant (naive, the site's zone)."""
	return facts_at(
		lead,
		lead_source(lead),
		lead.get(lead_field("campaign_name")),
		said_by(lead),
		lead.lq_stage or STAGES[0],
		bool(lead.lq_last_touch_at),
		lead.lq_met_count or 0,
		(now - get_datetime(lead.creation)).days if lead.creation else 0,
	)


def model_of(company: str | None) -> Model | None:
	"""The model in use for the leads of a company, built once a process for as long as none has changed."""
	definitions = in_force()
	token, models = _built.get(frappe.local.site, ("", {}))
	if token != definitions["token"]:
		# what a worker of an older version has put into Redis has none
		stored = definitions.get("priorities", {})
		models = {name: Model.from_dict(model) for name, model in stored.items()}
		_built[frappe.local.site] = (definitions["token"], models)
	return models.get(company or "")


def priority_of(lead, now: datetime) -> int:
	"""The priority of a lead, document or row with `columns`.

	:param now: naive instant in the site's zone.
	"""
	model = model_of(lead.company)
	if not model:
		return priority_by_rules(lead.lq_met_count or 0, lead.lq_criteria_count or 0)
	return priority(model, score(model, facts_of(lead, now)))


def score_some(leads: Collection[str], now: datetime) -> int:
	"""Bring the priority of some leads up to date. They are locked until the caller commits.

	:param now: naive instant in the site's zone.
	:returns: how many priorities have changed.
	"""
	rows = query.run(
		f"select {', '.join(f'`{column}`' for column in columns())} from `tabLead` where name in %(leads)s "
		"order by name for update",
		{"leads": leads},
		as_dict=True,
	)
	known_already: dict[tuple, int] = {}
	changed: dict[int, list[str]] = {}
	for row in rows:
		value = _priority_once(row, now, known_already)
		if value != row.lq_priority:
			changed.setdefault(value, []).append(row.name)
	for value, names in changed.items():
		query.run(
			"update `tabLead` set lq_priority = %(value)s where name in %(names)s",
			{"value": value, "names": names},
		)
	return sum(len(names) for names in changed.values())


def _priority_once(lead, now: datetime, known_already: dict[tuple, int]) -> int:
	"""As `priority_of`, each combination of facts scored once."""
	model = model_of(lead.company)
	if not model:
		return priority_by_rules(lead.lq_met_count or 0, lead.lq_criteria_count or 0)
	facts = facts_of(lead, now)
	key = (lead.company, *facts.values())
	if key not in known_already:
		known_already[key] = priority(model, score(model, facts))
	return known_already[key]


# the queues


def leads_behind() -> list[str]:
	"""Leads of which something waits in a queue by a priority that is not theirs any more."""
	behind = " union ".join(
		f"select q.lead from `tab{doctype}` q join `tabLead` l on l.name = q.lead "
		f"where {waits} and q.lead_priority != l.lq_priority"
		for doctype, waits in QUEUES.items()
	)
	return query.run(behind, pluck=True)


def place_some(leads: Collection[str], now: datetime) -> int:
	"""Give what waits of some leads their priority. They are locked until the caller commits.

	:returns: of how many leads.
	"""
	names = query.run(
		"select name from `tabLead` where name in %(leads)s order by name for update",
		{"leads": leads},
		pluck=True,
	)
	for doctype, waits in QUEUES.items() if names else ():
		query.run(
			f"""
			update `tab{doctype}` q set lead_priority = (select lq_priority from `tabLead` l where l.name = q.lead)
			where q.lead in %(leads)s and {waits}
			""",
			{"leads": names},
		)
	return len(names)


# in words


def explain(lead, now: datetime) -> dict:
	"""Why a lead (document) has its priority, in the user's language.

	:param now: naive instant in the site's zone.
	:returns: `priority`; `summary`, a sentence; `reasons` and `raises`, rows of `words` and whether each `raises` it.
	"""
	model = model_of(lead.company)
	value = priority_of(lead, now)
	if not model:
		words = _("By criteria met: too little has been learned from past leads so far.")
		return {"priority": value, "summary": words, "reasons": [], "raises": []}
	facts = facts_of(lead, now)
	horizon = model.horizons.get(lead.lq_segment or "", model.horizons[""])
	return {
		"priority": value,
		"summary": _("{0} % likely to buy within {1} days; the average is {2} %.").format(
			_number(100 * score(model, facts)), horizon, _number(100 * model.prior)
		),
		"reasons": [
			_as_row(reason, fact_in_words, _("{0} ({1} times the average)"))
			for reason in reasons(model, facts)
		],
		"raises": [
			_as_row(reason, _found_out_in_words, _("{0} ({1} times as likely)"))
			for reason in would_raise(model, facts, _open(facts))
		],
	}


def table_in_words(model: Model) -> list[dict]:
	"""The table of a model: rows of `words`, `factor`, `leads` and `won`, in the user's language."""
	return [
		{
			"words": fact_in_words(line.field, line.value),
			"factor": _number(line.factor),
			"leads": line.line.leads,
			"won": line.line.won,
		}
		for line in lines_of(model)
	]


def _open(facts: Mapping) -> list[str]:
	"""What can still be found out or done about a lead."""
	return [
		name
		for name in CHANGEABLE
		if facts.get(name) in (MISSING, 0, STAGES[0]) or name in ("filled", "criteria_met")
	]


def _as_row(reason: Reason, in_words: Callable[[str, str], str], words: str) -> dict:
	text = words.format(in_words(reason.field, reason.value), _number(reason.factor))
	return {"words": text, "raises": reason.raises}


def _number(value: float) -> str:
	return frappe.format(value, {"fieldtype": "Float", "precision": 1})


def fact_in_words(field: str, value: str) -> str:
	"""A line of the table, such as "Industry: Steel" or "Phone: not given", in the user's language."""
	if field == "touched":
		return _("Contacted") if value else _("Not contacted yet")
	label = labels().get(field) or _(frappe.unscrub(field))
	if value == UNKNOWN:
		return _("{0}: not recorded").format(label)
	if value == MISSING:
		return _("{0}: not given").format(label)
	if field in ("has_phone", "has_website"):
		return _("{0}: given").format(label)
	return f"{label}: {_value_in_words(field, value)}"


def _found_out_in_words(field: str, value: str) -> str:
	"""As `fact_in_words`, of what somebody may yet find out: a lead is not in steel because that would raise it."""
	if field in SAID:
		return _("{0}: if it is {1}").format(labels()[field], _value_in_words(field, value))
	return fact_in_words(field, value)


def _value_in_words(field: str, value: str) -> str:
	if field in NUMBERS:
		return range_in_words(value)
	return _(value).capitalize() if field == "stage" else _(value)


def range_in_words(value: str) -> str:
	"""A range of whole numbers from 0 on such as "3..6", of which the upper end is the next one's."""
	low, _dots, high = value.partition("..")
	if not high:
		return _("{0} or more").format(low) if low else _("any")
	top = float(high) - 1
	upto = f"{top:g}"
	if not low:
		return _("up to {0}").format(upto) if top > 0 else "0"
	return low if float(low) == top else _("{0} to {1}").format(low, upto)


def labels() -> dict[str, str]:
	"""What the facts are called, in the user's language."""
	return {
		"source": _("Source"),
		"campaign": _("Campaign"),
		"territory": _("Territory"),
		"segment": _("Segment"),
		"industry": _("Industry"),
		"market_segment": _("Market Segment"),
		"request_type": _("Request Type"),
		"type": _("Lead Type"),
		"no_of_employees": _("Employees"),
		"mail": _("E-mail"),
		"has_phone": _("Phone"),
		"has_website": _("Website"),
		"filled": _("Fields filled in"),
		"stage": _("Stage"),
		"criteria_met": _("Criteria met"),
		"days_known": _("Days since it came in"),
	}
