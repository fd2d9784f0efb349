"""The qualification rule: is a lead sales ready by its definition? And the rule that assigns leads to segments."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from math import isfinite
from typing import Any

ONE_DAY = timedelta(days=1)
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
	"=": operator.eq,
	"!=": operator.ne,
	">": operator.gt,
	">=": operator.ge,
	"<": operator.lt,
	"<=": operator.le,
}


@dataclass(frozen=True)
class Criterion:
	"""One question of a definition. `expires_after_days` 0 means that answers never expire."""

	key: str
	answer_type: str = "Check"
	pass_operator: str = ""
	pass_value: str = ""
	mandatory: bool = False
	knock_out: bool = False
	weight: float = 1.0
	expires_after_days: int = 0


@dataclass(frozen=True)
class VerdictRule:
	"""Sets a verdict (Nurture, Disqualified) from one answer alone: the answer to the criterion `key`."""

	key: str
	operator: str
	value: str
	verdict: str


@dataclass(frozen=True)
class Definition:
	"""What makes a lead sales ready. `pass_rule` is All, At Least or Score; `rules` are tried in order."""

	criteria: tuple[Criterion, ...]
	pass_rule: str = "All"
	at_least: int = 0
	pass_score: float = 0.0
	rules: tuple[VerdictRule, ...] = ()


@dataclass(frozen=True)
class Answer:
	"""An answer as typed, and when it was given (in the zone of the `now` of the judgement).

	`rate` converts a Number to the unit of the criterion, such as an exchange rate; 0 means unknown.
	"""

	value: str
	answered_on: datetime | None = None
	rate: float = 1.0


@dataclass(frozen=True)
class Judgement:
	"""The verdict, and the state of each criterion: `states` maps its key to Met, Not Met, Open, Stale or Unvalued.

	`rule` is the index of the rule that set the verdict, if any. Until `valid_until` (in the zone of `now`), time
	alone does not change the judgement; None means never.
	"""

	verdict: str
	met_count: int
	criteria_count: int
	score: float
	states: dict[str, str]
	knocked_out: tuple[str, ...]
	rule: int | None = None
	valid_until: datetime | None = None


def judge(
	definition: Definition,
	answers: Mapping[str, Sequence[Answer]],
	decision: str | None,
	now: datetime,
	decided_until: date | None = None,
) -> Judgement:
	"""Judge one lead. Every input has a verdict; the order of the answers does not matter.

	:param answers: criterion key to its answers (more than one where each contact is asked); keys that the
	    definition does not know are ignored.
	:param decision: a person's decision, Nurture or Disqualified, which takes precedence over the answers.
	:param now: the instant of the judgement, in the zone of the answers' instants.
	:param decided_until: the day on which the decision ends.
	"""
	states = {c.key: criterion_state(c, answers.get(c.key, ()), now) for c in definition.criteria}
	met = [c for c in definition.criteria if states[c.key] == "Met"]
	# rounded, so that 0.1 and 0.7 reach a pass score of 0.8
	score = round(sum(c.weight for c in met), 9)
	knocked_out = tuple(c.key for c in definition.criteria if c.knock_out and states[c.key] == "Not Met")
	rule = None
	if decision in {"Disqualified", "Nurture"} and (decided_until is None or now.date() < decided_until):
		verdict = decision
	elif knocked_out:
		verdict = "Disqualified"
	elif (rule := first_rule(definition, answers, now)) is not None:
		verdict = definition.rules[rule].verdict
	elif _passes(definition, states, len(met), score):
		verdict = "Sales Ready"
	else:
		verdict = "Open"
	return Judgement(
		verdict,
		len(met),
		len(definition.criteria),
		score,
		states,
		knocked_out,
		rule,
		valid_until(definition, answers, now, decided_until if decision else None),
	)


def criterion_state(criterion: Criterion, answers: Sequence[Answer], now: datetime) -> str:
	"""The state of a criterion from all its answers: one answer that meets it is enough. Valid answers take precedence
	over stale ones and those without a value."""
	states = {answer_state(criterion, answer, now) for answer in answers}
	return next((state for state in ("Met", "Not Met", "Unvalued", "Stale") if state in states), "Open")


def answer_state(criterion: Criterion, answer: Answer | None, now: datetime) -> str:
	"""Met, Not Met, Open (no answer), Stale (the answer has expired), or Unvalued (unknown rate).

	The last two count as open.

	:param now: in the zone of the answer's instant.
	"""
	if answer is None or not answer.value.strip():
		return "Open"
	if criterion.expires_after_days and answer.answered_on is not None:
		if (now - answer.answered_on) / ONE_DAY > criterion.expires_after_days:
			return "Stale"
	if criterion.answer_type == "Number" and not answer.rate:
		return "Unvalued"
	return "Met" if meets(criterion, answer.value.strip(), now.date(), answer.rate) else "Not Met"


def first_rule(definition: Definition, answers: Mapping[str, Sequence[Answer]], now: datetime) -> int | None:
	"""The index of the first rule that holds for a valid answer, or None."""
	criteria = {c.key: c for c in definition.criteria}
	for index, rule in enumerate(definition.rules):
		criterion = criteria.get(rule.key)
		if criterion is None:
			continue
		wanted = replace(criterion, pass_operator=rule.operator, pass_value=rule.value)
		if criterion_state(wanted, answers.get(rule.key, ()), now) == "Met":
			return index
	return None


def valid_until(
	definition: Definition,
	answers: Mapping[str, Sequence[Answer]],
	now: datetime,
	decided_until: date | None = None,
) -> datetime | None:
	"""An instant, `now` or later, until which time alone does not change a judgement; None means never.

	Answers expire, dates are compared with today, and decisions end. The instant is never too late; it may be too
	early, if the event does not affect the verdict.
	"""
	instants: list[datetime] = []
	for criterion in definition.criteria:
		for answer in answers.get(criterion.key, ()):
			if criterion.expires_after_days and answer.answered_on is not None:
				try:
					instants.append(answer.answered_on + criterion.expires_after_days * ONE_DAY)
				except OverflowError:
					pass  # beyond the end of the calendar
			if criterion.answer_type == "Date" and (day := parse("Date", answer.value.strip())):
				instants += [*_end_of_day_before(day), datetime.combine(day, time.max)]
	if decided_until is not None:
		instants += _end_of_day_before(decided_until)
	return min((instant for instant in instants if instant >= now), default=None)


def _end_of_day_before(day: date) -> list[datetime]:
	return [datetime.combine(day - ONE_DAY, time.max)] if day > date.min else []


def meets(criterion: Criterion, value: str, today: date, rate: float = 1.0) -> bool:
	"""Whether an answer meets the criterion. A value that is not of the answer's type does not.

	Without an operator: yes, a number above zero, a date that has not passed, any text, or any choice but "Unknown".

	:param today: the day of the judgement, with which dates are compared.
	:param rate: converts a Number to the unit of the pass value.
	"""
	typed = parse(criterion.answer_type, value)
	if typed is None:
		return False
	if criterion.answer_type == "Text" and not any(character.isalnum() for character in value):
		return False  # punctuation alone is no answer
	if criterion.answer_type == "Number" and rate != 1:
		# rounded, so that 3 × 1.1 is 3.3
		typed = round(typed * rate, 9)
	if criterion.pass_operator in {"in", "not in"}:
		listed = typed in [parse(criterion.answer_type, item) for item in split_list(criterion.pass_value)]
		return listed == (criterion.pass_operator == "in")
	if criterion.pass_operator:
		if is_today(criterion):
			wanted: Any = today
		else:
			wanted = parse(criterion.answer_type, criterion.pass_value.strip())
		return wanted is not None and COMPARISONS[criterion.pass_operator](typed, wanted)
	if criterion.answer_type == "Check":
		return bool(typed)
	if criterion.answer_type == "Number":
		return bool(typed > 0)
	if criterion.answer_type == "Date":
		return bool(typed >= today)
	return criterion.answer_type == "Text" or bool(typed != "unknown")


def is_today(criterion: Criterion) -> bool:
	"""Whether the criterion compares a date with the day of the judgement."""
	return (
		criterion.answer_type == "Date"
		and criterion.pass_operator in COMPARISONS
		and criterion.pass_value.strip().casefold() in {"", "today"}
	)


def contradict(criteria: Sequence[Criterion], choices: Sequence[str] = ()) -> bool:
	"""Whether no answer can meet all these criteria, which ask for the same field and have the same type.

	Tries one answer of each kind that the pass values distinguish: each value, and one between, below and above them.

	:param choices: the options of the type Select.
	"""
	answer_type = criteria[0].answer_type
	named = [
		item
		for c in criteria
		for item in (
			split_list(c.pass_value) if c.pass_operator in {"in", "not in"} else [c.pass_value.strip()]
		)
	]
	today = date(2000, 1, 1)
	if answer_type == "Check":
		tried = ["yes", "no"]
	elif answer_type == "Select":
		tried = [choice for choice in choices if choice.strip()]
	elif answer_type == "Text":
		tried = [*named, "any other words"]
	elif answer_type == "Number":
		points = sorted({0.0, *(n for n in (parse("Number", item) for item in named) if n is not None)})
		between = [(low + high) / 2 for low, high in pairwise(points)]
		tried = [repr(point) for point in (points[0] - 1, *points, *between, points[-1] + 1)]
	else:
		days = {today, *(d for d in (parse("Date", item) for item in named) if d is not None)}
		near = {day + shift * ONE_DAY for day in days for shift in (-1, 0, 1) if date.min < day < date.max}
		if any(c.pass_operator == "" or is_today(c) for c in criteria):
			return False  # depends on the day
		tried = [day.isoformat() for day in near]
	return not any(all(meets(c, value, today) for c in criteria) for value in tried)


def parse(answer_type: str, value: str) -> Any:
	"""The typed value of an answer, or None if `value` is not of that type. Dates are ISO 8601."""
	if answer_type == "Check":
		return value.casefold() in TRUE_WORDS
	try:
		if answer_type == "Number":
			# Python reads 1_000 too, which no person writes
			number = float(value.replace("_", "?"))
			return number if isfinite(number) else None
		if answer_type == "Date":
			return datetime.fromisoformat(value).date() if ISO_DATE.match(value) else None
	except ValueError:
		return None
	return value.casefold()


def split_list(value: str) -> list[str]:
	"""The items of a typed list, separated by commas or lines."""
	return [item.strip() for item in value.replace("\n", ",").split(",") if item.strip()]


def _passes(definition: Definition, states: Mapping[str, str], met_count: int, score: float) -> bool:
	if not met_count:
		return False
	if any(c.mandatory and states[c.key] != "Met" for c in definition.criteria):
		return False
	if definition.pass_rule == "At Least":
		return met_count >= definition.at_least
	if definition.pass_rule == "Score":
		return score >= definition.pass_score
	return met_count == len(definition.criteria)


@dataclass(frozen=True)
class Rule:
	"""One condition on a field of the lead."""

	field: str
	operator: str
	value: str = ""
	# whether the field counts as empty if a visitor filled it in
	not_from_visitors: bool = False


@dataclass(frozen=True)
class Segment:
	"""A group of leads; one without rules takes every lead."""

	name: str
	rules: tuple[Rule, ...] = ()


def pick_segment(
	segments: Sequence[Segment], values: Mapping[str, Any], from_visitor: bool = False
) -> str | None:
	"""The name of the first segment, in the order given, whose rules all hold, or None.

	:param from_visitor: whether a visitor entered the values, which not every rule trusts.
	"""
	for segment in segments:
		if all(
			rule_holds(rule, None if from_visitor and rule.not_from_visitors else values.get(rule.field))
			for rule in segment.rules
		):
			return segment.name
	return None


def rule_holds(rule: Rule, value: Any) -> bool:
	"""Whether a field's value satisfies the rule. Text is compared without regard to case; `like` takes %.

	The number 0 counts as not set, because Frappe stores it for an empty number and an unticked checkbox.
	"""
	text = "" if value is None else str(value).strip()
	wanted = rule.value.strip()
	if rule.operator in {"is set", "is not set"}:
		filled = bool(text) and value != 0
		return filled == (rule.operator == "is set")
	if rule.operator in {"in", "not in"}:
		listed = any(_same(text, item) for item in split_list(wanted))
		return listed == (rule.operator == "in")
	if rule.operator in {"like", "not like"}:
		return _like(text.casefold(), wanted.casefold()) == (rule.operator == "like")
	if rule.operator in {"=", "!="}:
		return _same(text, wanted) == (rule.operator == "=")
	left, right = _comparable(text, wanted)
	return left is not None and COMPARISONS[rule.operator](left, right)


def _like(text: str, pattern: str) -> bool:
	"""SQL's LIKE with % as the only wildcard, in time linear in the pattern's parts."""
	first, *middle = pattern.split("%")
	if not middle:
		return text == pattern
	last = middle.pop()
	if not text.startswith(first):
		return False
	at = len(first)
	for part in middle:
		found = text.find(part, at)
		if found < 0:
			return False
		at = found + len(part)
	return len(text) - len(last) >= at and text.endswith(last)


def _same(left: str, right: str) -> bool:
	"""Whether both are the same text but for case, or the same number."""
	if left.casefold() == right.casefold():
		return True
	try:
		return float(left) == float(right)
	except ValueError:
		return False


def _comparable(text: str, wanted: str) -> tuple[Any, Any]:
	"""Both as numbers, or else both as text (also for ISO dates), or (None, None) if one is empty."""
	if not text or not wanted:
		return None, None
	try:
		return float(text), float(wanted)
	except ValueError:
		return text.casefold(), wanted.casefold()
