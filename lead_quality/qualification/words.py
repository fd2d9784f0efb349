"""Definitions and verdicts in plain words: when a lead is sales ready, what a criterion needs, why a verdict is so."""

import frappe
from frappe import _
from frappe.utils import fmt_money, format_date

from lead_quality.engine.qualification import Judgement, parse


def pass_rule_in_words(checklist) -> str:
	"""When a lead is sales ready by a checklist document."""
	if checklist.pass_rule == "At Least":
		rule = _("A lead is sales ready when at least {0} of these {1} criteria are met.").format(
			checklist.at_least, len(checklist.criteria)
		)
	elif checklist.pass_rule == "Score":
		rule = _("A lead is sales ready when the weights of the criteria that are met add up to {0}.").format(
			number(checklist.pass_score)
		)
	else:
		return _("A lead is sales ready when all of these {0} criteria are met.").format(
			len(checklist.criteria)
		)
	if any(row.mandatory for row in checklist.criteria):
		rule = f"{rule} {_('Mandatory criteria must be met in any case.')}"
	return rule


def definition_in_words(checklist) -> str:
	"""When a lead is sales ready by a checklist, such as "Sales ready when at least 3 of 4 are met"."""
	count = len(checklist.criteria)
	words = {
		"All": _("Sales ready when all {0} are met.").format(count),
		"At Least": _("Sales ready when at least {0} of {1} are met.").format(checklist.at_least, count),
		"Score": _("Sales ready when the weights of the criteria that are met add up to {0}.").format(
			checklist.pass_score
		),
	}[checklist.pass_rule]
	mandatory = [_(row.topic or row.label) for row in checklist.criteria if row.mandatory]
	if mandatory and checklist.pass_rule != "All":
		words = f"{words} {_('Mandatory: {0}.').format(', '.join(mandatory))}"
	return words


def needs_in_words(criterion) -> str:
	"""What an answer to a criterion (its row of the checklist) has to be, such as "at least 10,000 EUR"."""
	if not criterion.pass_operator:
		return {
			"Check": _("the answer Yes"),
			"Number": _("a number above 0"),
			"Date": _("a date that has not passed"),
			"Select": _("a choice other than Unknown"),
			"Text": _("any answer"),
		}[criterion.answer_type]
	return compare_in_words(criterion, criterion.pass_operator, criterion.pass_value)


def compare_in_words(criterion, operator: str, value: str | None) -> str:
	"""What a comparison of an answer asks for, such as "at least 10,000 EUR".

	:param criterion: the row of the checklist whose answer is compared.
	"""
	value = (value or "").strip()
	kind = criterion.answer_type
	if kind == "Date" and value.lower() in {"", "today"}:
		value = _("today")
	elif kind == "Check":
		value = _("Yes") if parse(kind, value) else _("No")
	elif operator not in {"in", "not in"} and kind in {"Number", "Date"}:
		if kind == "Number" and criterion.amount_currency:
			value = fmt_money(value, currency=criterion.amount_currency)
		else:
			value = number(value) if kind == "Number" else frappe.format(value, {"fieldtype": "Date"})
	return {
		"=": "{0}",
		"!=": _("anything but {0}"),
		">": _("after {0}") if kind == "Date" else _("more than {0}"),
		">=": _("{0} or later") if kind == "Date" else _("at least {0}"),
		"<": _("before {0}") if kind == "Date" else _("less than {0}"),
		"<=": _("{0} or earlier") if kind == "Date" else _("at most {0}"),
		"in": _("one of {0}"),
		"not in": _("none of {0}"),
	}[operator].format(value)


def state_in_words(criterion, state: str) -> str:
	"""The state of a criterion (its row of the checklist), such as "not met: needs at least 10,000 EUR"."""
	if state == "Not Met":
		return _("not met: needs {0}").format(needs_in_words(criterion))
	if state == "Unvalued":
		return _("no exchange rate to {0}").format(criterion.amount_currency)
	if state == "Stale":
		return _("answer is out of date, ask again")
	if state == "Open":
		return _("asked of nobody yet") if criterion.per_contact else _("not asked yet")
	return _("met")


def number(value) -> str:
	"""A number as the user writes it, without zeros after the point."""
	value = float(value or 0)
	return frappe.format(int(value), {"fieldtype": "Int"}) if value.is_integer() else f"{value:g}"


def decision_in_words(doc) -> str:
	"""A person's decision, such as "Nurture until 15-01-2027: Not this year"."""
	words = _(doc.decision)
	if doc.decision == "Nurture" and doc.nurture_until:
		words = _("Nurture until {0}").format(format_date(doc.nurture_until))
	return f"{words}: {why}" if (why := _reason_text(doc.outcome_reason)) else words


def reason_in_words(rows: dict, judgement: Judgement, rule=None) -> str:
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
