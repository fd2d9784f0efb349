"""The judging rule and the segment rules against examples, and against the definition spelled out."""

import operator
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.engine.qualification import (
	Answer,
	Criterion,
	Definition,
	Judgement,
	Rule,
	Segment,
	VerdictRule,
	answer_state,
	contradict,
	criterion_state,
	judge,
	meets,
	parse,
	pick_segment,
	rule_holds,
	split_list,
)

pytestmark = pytest.mark.unit

NOW = datetime(2025, 6, 11, 10, 30)
TODAY = NOW.date()
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
	">": operator.gt,
	">=": operator.ge,
	"<": operator.lt,
	"<=": operator.le,
}
OPERATORS = ["=", "!=", "in", "not in", *ORDERS]
RULE_OPERATORS = [*OPERATORS, "like", "not like", "is set", "is not set"]
ANSWER_TYPES = ["Check", "Select", "Number", "Date", "Text"]

# Each answer that a Check criterion of 90 days can have, with the state that it is in.
ANSWERS: dict[str, list[Answer | None]] = {
	"Met": [Answer("1"), Answer("yes", NOW), Answer(" On ", NOW - timedelta(days=90))],
	"Not Met": [Answer("0"), Answer("no", NOW), Answer("perhaps", NOW - timedelta(days=90))],
	"Open": [None, Answer(""), Answer(" \n", NOW)],
	"Stale": [Answer("1", NOW - timedelta(days=91)), Answer("0", NOW - timedelta(days=91))],
}
BANT = tuple(Criterion(key) for key in ("budget", "authority", "need", "timescale"))


def verdict(definition: Definition, decision: str | None = None, **answers: str) -> str:
	given_answers = {key: [Answer(value, NOW)] for key, value in answers.items()}
	return judge(definition, given_answers, decision, NOW).verdict


def expected_verdict(definition: Definition, states: list[str], decision: str | None) -> str:
	"""The agreement in words: decision first, then knock-outs, then mandatory criteria, then the pass rule."""
	if decision:
		return decision
	pairs = list(zip(definition.criteria, states, strict=True))
	for criterion, state in pairs:
		if criterion.knock_out and state == "Not Met":
			return "Disqualified"
	for criterion, state in pairs:
		if criterion.mandatory and state != "Met":
			return "Open"
	if "Met" not in states:
		return "Open"
	enough = {
		"All": set(states) == {"Met"},
		"At Least": states.count("Met") >= definition.at_least,
		# in tenths, as whole numbers: so are the weights of this file
		"Score": sum(round(c.weight * 10) for c, state in pairs if state == "Met")
		>= round(definition.pass_score * 10),
	}
	return "Sales Ready" if enough[definition.pass_rule] else "Open"


@st.composite
def judged(draw: st.DrawFn, knock_outs: bool = True) -> tuple[Definition, list[str], list[Answer | None]]:
	"""A definition, the state of each of its criteria, and an answer that is in this state."""
	count = draw(st.integers(0, 6))
	criteria = tuple(
		Criterion(
			key=f"criterion_{number}",
			mandatory=draw(st.booleans()),
			knock_out=knock_outs and draw(st.booleans()),
			weight=draw(st.integers(0, 30)) / 10,
			expires_after_days=90,
		)
		for number in range(count)
	)
	definition = Definition(
		criteria,
		pass_rule=draw(st.sampled_from(["All", "At Least", "Score"])),
		at_least=draw(st.integers(0, count + 1)),
		pass_score=draw(st.integers(0, 60)) / 10,
	)
	states = [draw(st.sampled_from(sorted(ANSWERS))) for _ in criteria]
	return definition, states, [draw(st.sampled_from(ANSWERS[state])) for state in states]


def by_key(definition: Definition, answers: list[Answer | None]) -> dict[str, list[Answer]]:
	pairs = zip(definition.criteria, answers, strict=True)
	return {criterion.key: [answer] for criterion, answer in pairs if answer is not None}


# What a person can check


def test_a_lead_that_meets_every_criterion_is_sales_ready() -> None:
	assert verdict(Definition(BANT), budget="1", authority="1", need="1", timescale="1") == "Sales Ready"


def test_a_lead_with_one_open_criterion_is_open_when_all_are_agreed() -> None:
	assert verdict(Definition(BANT), budget="1", authority="1", need="1") == "Open"


def test_three_of_four_are_enough_when_three_are_agreed() -> None:
	definition = Definition(BANT, "At Least", at_least=3)
	assert verdict(definition, budget="1", need="1", timescale="1", authority="0") == "Sales Ready"
	assert verdict(definition, budget="1", need="1", timescale="0", authority="0") == "Open"


def test_a_mandatory_criterion_cannot_be_made_up_for() -> None:
	definition = Definition((replace(BANT[0], mandatory=True), *BANT[1:]), "At Least", at_least=3)
	assert verdict(definition, authority="1", need="1", timescale="1") == "Open"
	assert verdict(definition, budget="1", need="1", timescale="1") == "Sales Ready"


def test_a_score_is_the_sum_of_the_weights_of_what_is_met() -> None:
	definition = Definition(
		(Criterion("need", weight=5), Criterion("budget", weight=2)), "Score", pass_score=5
	)
	assert verdict(definition, need="1") == "Sales Ready"
	assert verdict(definition, budget="1") == "Open"
	assert judge(definition, {"budget": [Answer("1")], "need": [Answer("1")]}, None, NOW).score == 7


def test_weights_in_tenths_add_up_to_their_pass_score() -> None:
	criteria = (Criterion("need", weight=0.1), Criterion("budget", weight=0.7))
	definition = Definition(criteria, "Score", pass_score=0.8)
	assert verdict(definition, need="1", budget="1") == "Sales Ready"
	assert verdict(definition, budget="1") == "Open"


def test_a_knock_out_disqualifies_whatever_else_is_met() -> None:
	definition = Definition((replace(BANT[0], knock_out=True), *BANT[1:]), "At Least", at_least=1)
	assert verdict(definition, budget="0", need="1", authority="1") == "Disqualified"


def test_a_knock_out_that_nobody_has_asked_about_disqualifies_nobody() -> None:
	definition = Definition((replace(BANT[0], knock_out=True), *BANT[1:]), "At Least", at_least=1)
	assert verdict(definition, need="1") == "Sales Ready"


def test_the_judgement_names_the_knock_outs_in_the_order_of_the_checklist() -> None:
	definition = Definition(tuple(replace(c, knock_out=c.key != "need") for c in BANT))
	answers = {key: [Answer("0")] for key in ("timescale", "need", "authority")}
	assert judge(definition, answers, None, NOW).knocked_out == ("authority", "timescale")


@pytest.mark.parametrize("decision", ["Nurture", "Disqualified"])
def test_a_persons_decision_goes_before_the_answers(decision: str) -> None:
	definition = Definition((Criterion("need", knock_out=True),))
	assert verdict(definition, decision, need="1") == decision
	assert verdict(definition, decision, need="0") == decision


@pytest.mark.parametrize("decision", [None, "", "Sales Ready", "Open"])
def test_nobody_can_decide_that_a_lead_is_ready_against_the_answers(decision: str | None) -> None:
	assert verdict(Definition(BANT), decision, need="1") == "Open"


@pytest.mark.parametrize("pass_rule", ["All", "At Least", "Score"])
def test_a_lead_of_whom_nothing_is_known_is_never_sales_ready(pass_rule: str) -> None:
	assert verdict(Definition((), pass_rule)) == "Open"
	assert verdict(Definition(BANT, pass_rule)) == "Open"


def test_an_answer_to_a_question_that_is_not_asked_is_ignored() -> None:
	judgement = judge(Definition(BANT[:1]), {"favourite_colour": [Answer("1")]}, None, NOW)
	assert judgement == Judgement("Open", 0, 1, 0, {"budget": "Open"}, ())


def test_a_judgement_says_why() -> None:
	definition = Definition(
		(Criterion("a", weight=2), Criterion("b"), Criterion("c", expires_after_days=1), Criterion("d"))
	)
	answers = {"a": [Answer("1")], "b": [Answer("0")], "c": [Answer("1", NOW - timedelta(days=2))]}
	assert judge(definition, answers, None, NOW) == Judgement(
		"Open", 1, 4, 2, {"a": "Met", "b": "Not Met", "c": "Stale", "d": "Open"}, ()
	)


def test_a_definition_of_which_nothing_else_is_said_wants_every_box_ticked() -> None:
	assert Definition(BANT) == Definition(BANT, "All", at_least=0, pass_score=0)
	assert Criterion("need") == Criterion("need", "Check", "", "", mandatory=False, knock_out=False, weight=1)


# Answers that get stale


def test_an_answer_is_stale_from_the_moment_its_days_have_passed() -> None:
	criterion = Criterion("need", expires_after_days=90)
	age = timedelta(days=90)
	assert answer_state(criterion, Answer("1", NOW - age), NOW) == "Met"
	assert answer_state(criterion, Answer("1", NOW - age - timedelta(microseconds=1)), NOW) == "Stale"


def test_a_stale_answer_counts_as_open() -> None:
	definition = Definition((Criterion("need", knock_out=True, expires_after_days=90),))
	old = NOW - timedelta(days=91)
	assert judge(definition, {"need": [Answer("1", old)]}, None, NOW).verdict == "Open"
	assert judge(definition, {"need": [Answer("0", old)]}, None, NOW).verdict == "Open"


def test_an_answer_never_gets_stale_without_an_expiry_or_a_date() -> None:
	assert answer_state(Criterion("need"), Answer("1", datetime(1999, 1, 1)), NOW) == "Met"
	assert answer_state(Criterion("need", expires_after_days=1), Answer("1"), NOW) == "Met"


def test_an_expiry_beyond_the_end_of_time_is_never_reached() -> None:
	# the largest number that the database takes
	criterion = Criterion("need", expires_after_days=2**31 - 1)
	assert answer_state(criterion, Answer("1", NOW), NOW) == "Met"


def test_an_empty_answer_is_open_however_old() -> None:
	assert (
		answer_state(Criterion("need", expires_after_days=1), Answer(" ", datetime(1999, 1, 1)), NOW)
		== "Open"
	)


# What meets a criterion without an operator


@pytest.mark.parametrize(
	("answer_type", "value", "met"),
	[
		("Check", "1", True),
		("Check", "TRUE", True),
		("Check", "Yes", True),
		("Check", "on", True),
		("Check", "0", False),
		("Check", "no", False),
		("Check", "2", False),
		("Number", "0.01", True),
		("Number", "1e3", True),
		("Number", "0", False),
		("Number", "-5", False),
		("Number", "nan", False),
		("Number", "inf", False),
		("Number", "1_000", False),
		("Number", "plenty", False),
		("Date", "2025-06-11", True),
		("Date", "2025-06-11 00:00:00", True),
		("Date", "2025-06-12", True),
		("Date", "2025-06-10", False),
		("Date", "2025-06-10 23:59:59", False),
		("Date", "2025-02-30", False),
		("Date", "soon", False),
		("Date", "2025-12-31garbage", False),
		("Date", "20251231", False),
		("Select", "Decision Maker", True),
		("Select", "Unknown", False),
		("Select", "unknown", False),
		("Text", "Needs a new roof", True),
		("Text", "屋根", True),
		("Text", "7", True),
		("Text", "unknown", True),
		("Text", "-", False),
		("Text", "...?", False),
	],
)
def test_an_answer_meets_its_criterion_by_its_type(answer_type: str, value: str, met: bool) -> None:
	assert meets(Criterion("c", answer_type), value, TODAY) is met


def test_a_need_without_words_is_not_met() -> None:
	assert answer_state(Criterion("need", "Text"), Answer(" - \n"), NOW) == "Not Met"


@pytest.mark.parametrize("pass_operator", ["!=", "not in"])
def test_a_text_without_words_is_not_even_something_else(pass_operator: str) -> None:
	assert not meets(Criterion("need", "Text", pass_operator, "none"), "-", TODAY)


def test_a_timescale_that_has_passed_is_not_met_any_more() -> None:
	criterion, answer = Criterion("timescale", "Date"), Answer("2025-06-11", NOW)
	assert answer_state(criterion, answer, datetime(2025, 6, 11, 23, 59)) == "Met"
	assert answer_state(criterion, answer, datetime(2025, 6, 12)) == "Not Met"


@pytest.mark.parametrize("answer_type", ANSWER_TYPES)
def test_space_around_an_answer_does_not_matter(answer_type: str) -> None:
	value = {"Number": "5", "Date": "2025-06-11", "Check": "1"}.get(answer_type, "words")
	assert answer_state(Criterion("c", answer_type), Answer(f" {value}\n"), NOW) == "Met"


# What meets a criterion with an operator

# The pass value, then answers below it, equal to it and above it.
AROUND = {
	"Number": ("9.5", ["9", "9.49"], ["9.5", "9.50", "95e-1"], ["9.51", "10", "100"]),
	"Date": ("2025-07-01", ["2025-06-30", "1999-12-31"], ["2025-07-01"], ["2025-07-02", "2026-01-01"]),
	"Select": ("Large", ["Huge", "ABLE"], ["Large", "LARGE"], ["Medium", "small"]),
	"Text": ("Large", ["Huge", "ABLE"], ["Large", "LARGE"], ["Medium", "small"]),
	"Check": ("yes", ["0", "no", "maybe"], ["1", "on"], []),
}
HOLDS = {
	"=": (False, True, False),
	"!=": (True, False, True),
	">": (False, False, True),
	">=": (False, True, True),
	"<": (True, False, False),
	"<=": (True, True, False),
	"in": (False, True, False),
	"not in": (True, False, True),
}


@pytest.mark.parametrize("pass_operator", HOLDS)
@pytest.mark.parametrize("answer_type", AROUND)
def test_an_answer_is_held_against_the_pass_value_by_its_type(answer_type: str, pass_operator: str) -> None:
	pass_value, *groups = AROUND[answer_type]
	criterion = Criterion("c", answer_type, pass_operator, f" {pass_value} ")
	for values, met in zip(groups, HOLDS[pass_operator], strict=True):
		for value in values:
			assert meets(criterion, value, TODAY) is met, value


@pytest.mark.parametrize("today", ["", "today", " Today "])
def test_a_date_can_be_held_against_today(today: str) -> None:
	for pass_operator, expected in HOLDS.items():
		if pass_operator in {"in", "not in"}:
			continue
		criterion = Criterion("timescale", "Date", pass_operator, today)
		met = tuple(meets(criterion, day, TODAY) for day in ("2025-06-10", "2025-06-11", "2025-06-12"))
		assert met == expected


def test_the_word_today_means_nothing_to_a_text() -> None:
	assert meets(Criterion("c", "Text", "=", "today"), "Today", TODAY)
	assert not meets(Criterion("c", "Text", "=", "today"), "2025-06-11", TODAY)


def test_an_answer_is_found_in_a_list_by_commas_or_lines() -> None:
	criterion = Criterion("role", "Select", "in", "Owner, Managing Director\nBuyer,,")
	assert all(meets(criterion, value, TODAY) for value in ("owner", "Managing Director", "BUYER"))
	assert not any(meets(criterion, value, TODAY) for value in ("Managing", "Owner, Managing Director", ","))


def test_a_number_is_found_in_a_list_however_it_is_written() -> None:
	assert meets(Criterion("seats", "Number", "in", "5, 10"), "10.0", TODAY)
	assert not meets(Criterion("seats", "Number", "not in", "5, 10"), "10.0", TODAY)
	assert not meets(Criterion("seats", "Number", "in", "5, ten"), "11", TODAY)


@pytest.mark.parametrize("pass_operator", OPERATORS)
@pytest.mark.parametrize(
	("answer_type", "value"), [("Number", "plenty"), ("Date", "soon"), ("Number", "nan")]
)
def test_an_answer_that_is_not_of_its_type_meets_nothing(
	answer_type: str, value: str, pass_operator: str
) -> None:
	pass_value = {"Number": "5", "Date": "2025-06-11"}[answer_type]
	assert not meets(Criterion("c", answer_type, pass_operator, pass_value), value, TODAY)


@pytest.mark.parametrize("pass_operator", ["=", "!=", *ORDERS])
def test_a_pass_value_that_is_not_of_the_type_is_met_by_nothing(pass_operator: str) -> None:
	assert not meets(Criterion("c", "Number", pass_operator, "many"), "5", TODAY)
	assert not meets(Criterion("c", "Date", pass_operator, "some day"), "2025-06-11", TODAY)


def test_a_list_has_no_empty_items() -> None:
	assert split_list(" a, b c\r\n\n,d ,") == ["a", "b c", "d"]
	assert split_list(" \n,") == []


def test_a_value_is_read_by_its_type() -> None:
	assert parse("Number", "1.5") == 1.5
	assert parse("Date", "2025-06-11 10:30:00") == date(2025, 6, 11)
	assert parse("Text", "Größe") == "grösse"
	assert parse("Number", "") is None
	assert parse("Date", "") is None


# What stays true of judgements


def test_every_checklist_of_two_criteria_agrees_with_the_agreement_in_words() -> None:
	flags = list(product([False, True], [False, True], [0.5, 2.0]))
	pass_rules = [("All", 0), *product(["At Least"], range(4)), *product(["Score"], [0, 0.5, 1, 2, 2.5, 3])]
	for first, second in product(flags, flags):
		criteria = tuple(
			Criterion(key, mandatory=mandatory, knock_out=knock_out, weight=weight, expires_after_days=90)
			for key, (mandatory, knock_out, weight) in (("a", first), ("b", second))
		)
		for (pass_rule, limit), states in product(pass_rules, product(ANSWERS, repeat=2)):
			definition = Definition(criteria, pass_rule, at_least=int(limit), pass_score=limit)
			answers = by_key(definition, [ANSWERS[state][0] for state in states])
			found = judge(definition, answers, None, NOW).verdict
			assert found == expected_verdict(definition, list(states), None), (definition, states)


@settings(max_examples=120, deadline=None)
@given(judged(), st.sampled_from([None, "Nurture", "Disqualified"]))
def test_a_judgement_agrees_with_the_agreement_in_words(
	case: tuple[Definition, list[str], list[Answer | None]], decision: str | None
) -> None:
	definition, states, answers = case
	judgement = judge(definition, by_key(definition, answers), decision, NOW)
	assert judgement.verdict == expected_verdict(definition, states, decision)
	assert list(judgement.states.values()) == states
	assert judgement.met_count == states.count("Met")
	assert judgement.criteria_count == len(states)


@settings(max_examples=100, deadline=None)
@given(judged(knock_outs=False), st.data())
def test_meeting_one_more_criterion_never_makes_a_lead_less_ready(
	case: tuple[Definition, list[str], list[Answer | None]], data: st.DataObject
) -> None:
	definition, _states, answers = case
	before = judge(definition, by_key(definition, answers), None, NOW)
	if not answers:
		assert before.verdict == "Open"
		return
	answers[data.draw(st.integers(0, len(answers) - 1))] = Answer("1", NOW)
	after = judge(definition, by_key(definition, answers), None, NOW)
	assert (before.verdict, after.verdict) != ("Sales Ready", "Open")
	assert after.score >= before.score
	assert after.met_count >= before.met_count


@settings(max_examples=100, deadline=None)
@given(judged(), st.randoms(use_true_random=False))
def test_the_order_of_the_answers_does_not_matter(
	case: tuple[Definition, list[str], list[Answer | None]], random: Any
) -> None:
	definition, _states, answers = case
	items = list(by_key(definition, answers).items())
	judgement = judge(definition, dict(items), None, NOW)
	random.shuffle(items)
	assert judge(definition, dict(items), None, NOW) == judgement


@settings(max_examples=100, deadline=None)
@given(judged(), st.randoms(use_true_random=False))
def test_the_order_of_the_criteria_does_not_matter_for_the_verdict(
	case: tuple[Definition, list[str], list[Answer | None]], random: Any
) -> None:
	definition, _states, answers = case
	given_answers = by_key(definition, answers)
	criteria = list(definition.criteria)
	random.shuffle(criteria)
	shuffled = judge(replace(definition, criteria=tuple(criteria)), given_answers, None, NOW)
	judgement = judge(definition, given_answers, None, NOW)
	assert (shuffled.verdict, shuffled.states) == (judgement.verdict, judgement.states)


STRINGS = st.text(max_size=12) | st.sampled_from(
	["nan", "-inf", "1_0", "2025-06-11", "9999-12-31", "today", "\ud800"]
)


@settings(max_examples=120, deadline=None)
@given(
	st.sampled_from(ANSWER_TYPES),
	st.sampled_from(["", *OPERATORS]),
	STRINGS,
	STRINGS,
	st.integers(0, 2**31 - 1),
	st.none() | st.datetimes(),
	STRINGS | st.none(),
)
def test_every_input_has_a_verdict(
	answer_type: str,
	pass_operator: str,
	pass_value: str,
	value: str,
	days: int,
	answered_on: datetime | None,
	decision: str | None,
) -> None:
	criterion = Criterion("c", answer_type, pass_operator, pass_value, expires_after_days=days)
	judgement = judge(Definition((criterion,)), {"c": [Answer(value, answered_on)]}, decision, NOW)
	if decision in {"Nurture", "Disqualified"}:
		assert judgement.verdict == decision
	else:
		assert judgement.verdict == ("Sales Ready" if judgement.states["c"] == "Met" else "Open")
	assert judgement.states["c"] in ANSWERS
	assert (judgement.states["c"] == "Open") == (not value.strip())


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(ANSWER_TYPES), STRINGS.filter(str.strip), STRINGS)
def test_not_in_is_the_opposite_of_in_for_every_answer_of_its_type(
	answer_type: str, value: str, pass_value: str
) -> None:
	listed = meets(Criterion("c", answer_type, "in", pass_value), value, TODAY)
	unlisted = meets(Criterion("c", answer_type, "not in", pass_value), value, TODAY)
	is_answer = parse(answer_type, value) is not None
	has_words = answer_type != "Text" or any(character.isalnum() for character in value)
	assert [listed, unlisted].count(True) == (is_answer and has_words)


# Several answers to one question


def test_one_contact_who_decides_is_enough() -> None:
	authority = Criterion("authority", "Select", "in", "Decision Maker")
	asked = [Answer("Gatekeeper", NOW), Answer("Decision Maker", NOW), Answer("User", NOW)]
	assert criterion_state(authority, asked, NOW) == "Met"
	assert criterion_state(authority, asked[::2], NOW) == "Not Met"
	assert criterion_state(authority, [], NOW) == "Open"


def test_an_answer_that_counts_goes_before_those_that_are_stale() -> None:
	criterion = Criterion("authority", expires_after_days=90)
	old = Answer("1", NOW - timedelta(days=91))
	assert criterion_state(criterion, [old, Answer("0", NOW)], NOW) == "Not Met"
	assert criterion_state(criterion, [old, Answer("1", NOW)], NOW) == "Met"
	assert criterion_state(criterion, [old, Answer("")], NOW) == "Stale"


@settings(max_examples=150, deadline=None)
@given(
	st.lists(st.sampled_from([a for group in ANSWERS.values() for a in group if a]), max_size=5), st.data()
)
def test_the_order_of_the_contacts_does_not_matter_and_one_more_that_meets_it_never_harms(
	asked: list[Answer], data: st.DataObject
) -> None:
	criterion = Criterion("c", expires_after_days=90)
	state = criterion_state(criterion, asked, NOW)
	single = [answer_state(criterion, answer, NOW) for answer in asked]
	assert (state == "Met") == ("Met" in single)
	assert (state == "Not Met") == ("Met" not in single and "Not Met" in single)
	assert criterion_state(criterion, data.draw(st.permutations(asked)), NOW) == state
	assert criterion_state(criterion, [*asked, Answer("1", NOW)], NOW) == "Met"


# Amounts in other currencies


def test_an_amount_is_held_against_the_pass_value_at_its_rate() -> None:
	budget = Criterion("budget", "Number", ">=", "10000")
	assert answer_state(budget, Answer("11000", NOW, rate=0.9), NOW) == "Not Met"
	assert answer_state(budget, Answer("11200", NOW, rate=0.9), NOW) == "Met"
	assert answer_state(Criterion("b", "Number", "=", "3.3"), Answer("3", NOW, rate=1.1), NOW) == "Met"


def test_an_amount_without_a_rate_counts_as_open_and_says_so() -> None:
	definition = Definition((Criterion("budget", "Number", ">=", "10000", knock_out=True),))
	judgement = judge(definition, {"budget": [Answer("1", NOW, rate=0)]}, None, NOW)
	assert (judgement.verdict, judgement.states) == ("Open", {"budget": "Unvalued"})


# Verdicts from one answer alone

STUDENT = VerdictRule("role", "=", "Student", "Disqualified")
NEXT_YEAR = VerdictRule("timescale", ">", "2026-01-01", "Nurture")
SURVEY = Definition(
	(Criterion("role", "Select"), Criterion("timescale", "Date")), "At Least", 1, rules=(STUDENT, NEXT_YEAR)
)


@pytest.mark.parametrize(
	("role", "timescale", "verdict_", "rule"),
	[
		("Student", "2027-01-01", "Disqualified", 0),
		("Buyer", "2027-01-01", "Nurture", 1),
		("Buyer", "2025-12-31", "Sales Ready", None),
		("", "", "Open", None),
	],
)
def test_the_first_rule_that_holds_gives_the_verdict(
	role: str, timescale: str, verdict_: str, rule: int | None
) -> None:
	answers = {"role": [Answer(role, NOW)], "timescale": [Answer(timescale, NOW)]}
	judgement = judge(SURVEY, answers, None, NOW)
	assert (judgement.verdict, judgement.rule) == (verdict_, rule)


def test_a_rule_does_not_overrule_a_person_or_a_knock_out_and_ignores_stale_answers() -> None:
	student = {"role": [Answer("Student", NOW)]}
	assert judge(SURVEY, student, "Nurture", NOW).verdict == "Nurture"
	rule = replace(STUDENT, verdict="Nurture")
	asked = replace(SURVEY.criteria[0], pass_operator="!=", pass_value="Student", knock_out=True)
	assert judge(Definition((asked,), rules=(rule,)), student, None, NOW).verdict == "Disqualified"
	short_lived = replace(SURVEY.criteria[0], expires_after_days=1)
	old = {"role": [Answer("Student", NOW - timedelta(days=2))]}
	assert judge(Definition((short_lived,), rules=(STUDENT,)), old, None, NOW).verdict == "Open"


def test_a_rule_about_a_question_that_is_not_asked_is_ignored() -> None:
	definition = Definition(BANT[:1], rules=(VerdictRule("colour", "=", "blue", "Disqualified"),))
	assert judge(definition, {"colour": [Answer("blue")]}, None, NOW).verdict == "Open"


# Decisions and judgements that end by themselves


def test_a_decision_for_later_holds_until_its_day_comes() -> None:
	definition, answers = Definition(BANT[:1]), {"budget": [Answer("1", NOW)]}
	until = date(2025, 9, 1)
	for now, expected in (
		(datetime(2025, 8, 31, 23, 59), "Nurture"),
		(datetime(2025, 9, 1), "Sales Ready"),
	):
		assert judge(definition, answers, "Nurture", now, until).verdict == expected


def test_a_judgement_knows_until_when_time_cannot_change_it() -> None:
	expiring = Definition((Criterion("need", expires_after_days=90),))
	assert judge(expiring, {"need": [Answer("1", NOW)]}, None, NOW).valid_until == NOW + timedelta(days=90)
	dated = Definition((Criterion("timescale", "Date"),))
	last = judge(dated, {"timescale": [Answer("2025-06-30")]}, None, NOW).valid_until
	assert last == datetime(2025, 6, 29, 23, 59, 59, 999999)
	assert judge(Definition(BANT), {"need": [Answer("1", NOW)]}, None, NOW).valid_until is None


DAYS = st.dates(date(2025, 6, 1), date(2025, 6, 25))


@settings(max_examples=250, deadline=None)
@given(
	st.sampled_from(["Check", "Date", "Number"]),
	st.sampled_from(["", "=", "!=", ">", ">=", "<", "<=", "in"]),
	st.sampled_from(["", "today", "2025-06-12", "5"]),
	DAYS.map(str) | st.sampled_from(["1", "0", "7", "9999-12-31", "0001-01-01"]),
	st.integers(0, 9),
	st.none() | st.tuples(st.sampled_from(["Nurture", "Disqualified"]), st.none() | DAYS),
	st.integers(0, 9 * 24),
	st.floats(0, 1),
)
def test_time_changes_nothing_of_a_judgement_before_its_valid_until(
	answer_type: str,
	pass_operator: str,
	pass_value: str,
	value: str,
	days: int,
	decision: tuple[str, date | None] | None,
	age: int,
	share: float,
) -> None:
	criterion = Criterion("c", answer_type, pass_operator, pass_value, expires_after_days=days)
	definition = Definition((criterion,), rules=(VerdictRule("c", ">=", pass_value, "Nurture"),))
	answers = {"c": [Answer(value, NOW - timedelta(hours=age))]}
	verdict_, until = decision or (None, None)
	judgement = judge(definition, answers, verdict_, NOW, until)
	end = judgement.valid_until or NOW + timedelta(days=30)
	assert end >= NOW
	later = NOW + (min(end, NOW + timedelta(days=30)) - NOW) * share
	again = judge(definition, answers, verdict_, later, until)
	assert (again.verdict, again.states, again.rule) == (
		judgement.verdict,
		judgement.states,
		judgement.rule,
	)


# Criteria that no answer can meet


@pytest.mark.parametrize(
	("answer_type", "pairs", "found"),
	[
		("Number", [(">", "500"), ("<", "50")], True),
		("Number", [(">", "500"), ("<", "501")], False),
		("Number", [(">=", "5"), ("<=", "5")], False),
		("Number", [(">", "5"), ("<=", "5")], True),
		("Number", [("", ""), ("<=", "0")], True),
		("Number", [("in", "1, 2"), ("not in", "2, 1")], True),
		("Date", [(">", "2026-01-01"), ("<", "2025-01-01")], True),
		("Date", [(">", "2026-01-01"), ("<", "2026-01-03")], False),
		("Date", [("", ""), ("<", "2000-01-01")], False),
		("Select", [("=", "Buyer"), ("=", "User")], True),
		("Select", [("!=", "Buyer")], False),
		("Select", [("not in", "Buyer, User, Unknown")], True),
		("Check", [("=", "yes"), ("!=", "yes")], True),
		("Text", [("=", "a"), ("!=", "b")], False),
		("Text", [("=", "a"), ("=", "b")], True),
	],
)
def test_criteria_that_contradict_each_other_are_found(
	answer_type: str, pairs: list[tuple[str, str]], found: bool
) -> None:
	criteria = [Criterion("c", answer_type, *pair) for pair in pairs]
	assert contradict(criteria, ["Buyer", "User", "Unknown"]) is found


@settings(max_examples=150, deadline=None)
@given(
	st.lists(
		st.tuples(st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "in"]), st.integers(-3, 3).map(str)),
		min_size=1,
		max_size=3,
	)
)
def test_a_contradiction_between_numbers_is_found_exactly(pairs: list[tuple[str, str]]) -> None:
	criteria = [Criterion("c", "Number", *pair) for pair in pairs]
	halves = [str(half / 2) for half in range(-10, 11)]
	possible = any(all(meets(c, value, TODAY) for c in criteria) for value in halves)
	assert contradict(criteria) is not possible


# Segments


def test_the_first_segment_whose_rules_hold_takes_the_lead() -> None:
	fair = Segment("Fairs", (Rule("source", "=", "Trade Fair"),))
	large = Segment("Large", (Rule("no_of_employees", ">", "500"),))
	rest = Segment("Rest")
	lead = {"source": "trade fair", "no_of_employees": 900}
	assert pick_segment([fair, large, rest], lead) == "Fairs"
	assert pick_segment([large, fair, rest], lead) == "Large"
	assert pick_segment([rest, fair, large], lead) == "Rest"


def test_a_segment_takes_a_lead_only_if_all_its_rules_hold() -> None:
	segment = Segment("Large from fairs", (Rule("source", "=", "Fair"), Rule("size", ">", "500")))
	assert pick_segment([segment], {"source": "Fair", "size": 501}) == "Large from fairs"
	assert pick_segment([segment], {"source": "Fair", "size": 500}) is None
	assert pick_segment([segment], {"source": "Web", "size": 501}) is None


def test_a_lead_that_fits_no_segment_has_none() -> None:
	assert pick_segment([], {"source": "Fair"}) is None
	assert pick_segment([Segment("Fairs", (Rule("source", "=", "Fair"),))], {}) is None


@pytest.mark.parametrize(
	("value", "is_set"),
	[
		(None, False),
		("", False),
		(" \n", False),
		("x", True),
		("0", True),
		(1, True),
		(date(2025, 6, 11), True),
	],
)
def test_a_field_is_set_when_there_is_something_in_it(value: object, is_set: bool) -> None:
	assert rule_holds(Rule("f", "is set"), value) is is_set
	assert rule_holds(Rule("f", "is not set"), value) is not is_set


@pytest.mark.parametrize("nothing", [0, 0.0, False])
def test_an_empty_number_and_an_unticked_box_are_not_set(nothing: object) -> None:
	# a new Lead has them in the database as 0, whether or not anybody typed it
	assert not rule_holds(Rule("annual_revenue", "is set"), nothing)
	assert rule_holds(Rule("annual_revenue", "is not set"), nothing)


@pytest.mark.parametrize(
	("operator_", "wanted", "value", "holds"),
	[
		("=", "Trade Fair", " TRADE fair ", True),
		("=", "straße", "STRASSE", True),
		("=", "Trade Fair", "Fair", False),
		("=", "", None, True),
		("=", "1000", 1000.0, True),
		("=", "1000", "1e3", True),
		("=", "1000", 1001, False),
		("=", "2025-06-11", date(2025, 6, 11), True),
		("in", "Web, trade fair\nReferral", "Trade Fair", True),
		("in", "Web, trade fair", "trade", False),
		("in", "Web", None, False),
		("in", "", "", False),
		("in", "500, 1000", 1000.0, True),
		("in", "500, 1000", 999, False),
		("like", "%fair%", "Trade Fair 2025", True),
		("like", "fair%", "Trade Fair", False),
		("like", "%.de", "someone@example.de", True),
		("like", "%.de", "someone@example-de", False),
		("like", "fair", "FAIR", True),
		("like", "fair", "fairs", False),
		("like", "_air", "fair", False),
		("like", "%", None, True),
		("like", "ab%bc", "abc", False),
		("like", "a%b%c", "a-b-c", True),
		("like", "a%b%c", "acb", False),
	],
)
def test_a_rule_and_its_negation(operator_: str, wanted: str, value: object, holds: bool) -> None:
	negation = {"=": "!="}.get(operator_, f"not {operator_}")
	assert rule_holds(Rule("f", operator_, f" {wanted} "), value) is holds
	assert rule_holds(Rule("f", negation, wanted), value) is not holds


@pytest.mark.parametrize(
	("value", "less"),
	[
		(9, "10"),
		("9", "10.0"),
		(-1, "0"),
		(0.5, "1"),
		(date(2025, 6, 9), "2025-06-10"),
		(date(2025, 9, 30), "2025-10-01"),
		("2025-06-09", "2025-06-10"),
		("apple", "BANANA"),
		("APPLE", "banana"),
		("100", "many"),
	],
)
def test_numbers_dates_and_words_have_their_order(value: object, less: str) -> None:
	for order, holds in {"<": True, "<=": True, ">": False, ">=": False}.items():
		assert rule_holds(Rule("f", order, less), value) is holds
		assert rule_holds(Rule("f", order, str(value)), less) is not holds
		assert rule_holds(Rule("f", order, str(value)), value) is ("=" in order)


@pytest.mark.parametrize("order", ORDERS)
def test_nothing_is_neither_more_nor_less_than_anything(order: str) -> None:
	assert not rule_holds(Rule("f", order, "10"), None)
	assert not rule_holds(Rule("f", order, "10"), " ")
	assert not rule_holds(Rule("f", order, ""), "10")
	assert not rule_holds(Rule("f", order, ""), "")


@settings(max_examples=250, deadline=None)
@given(st.text("abAB.%_*", max_size=7), st.text("abAB._*", max_size=7))
def test_like_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
	parts = [".*" if character == "%" else re.escape(character) for character in pattern.lower()]
	expected = re.fullmatch("".join(parts), text.lower()) is not None
	assert rule_holds(Rule("f", "like", pattern), text) is expected
	assert rule_holds(Rule("f", "not like", pattern), text) is not expected


VALUES = st.one_of(
	st.integers(-20, 20).map(str),
	st.integers(-40, 40).map(lambda halves: f"{halves / 2:.2f}"),
	st.dates(date(2024, 12, 1), date(2025, 2, 1)).map(str),
	st.text("abAB", max_size=3),
)


@settings(max_examples=120, deadline=None)
@given(VALUES, VALUES, st.sampled_from(["=", "!=", *ORDERS]))
def test_comparing_agrees_with_exact_numbers_or_else_with_words(
	value: str, wanted: str, operator_: str
) -> None:
	left: Any
	right: Any
	try:
		left, right = Fraction(value), Fraction(wanted)
	except ValueError:
		left, right = value.lower(), wanted.lower()
	if operator_ in ORDERS:
		expected = value != "" and wanted != "" and ORDERS[operator_](left, right)
	else:
		expected = (left == right) == (operator_ == "=")
	assert rule_holds(Rule("f", operator_, wanted), value) is expected


@settings(max_examples=100, deadline=None)
@given(VALUES.filter(bool), st.lists(VALUES, max_size=4), st.sampled_from([",", "\n", " , \n"]))
def test_in_a_list_means_equal_to_one_of_its_items(value: str, items: list[str], separator: str) -> None:
	expected = any(rule_holds(Rule("f", "=", item), value) for item in items if item)
	assert rule_holds(Rule("f", "in", separator.join(items)), value) is expected


@settings(max_examples=120, deadline=None)
@given(
	st.sampled_from(RULE_OPERATORS), STRINGS, STRINGS | st.integers() | st.floats() | st.none() | st.dates()
)
def test_every_rule_holds_or_does_not_for_every_value(operator_: str, wanted: str, value: object) -> None:
	opposite = {"=": "!=", "in": "not in", "like": "not like", "is set": "is not set"}.get(operator_)
	holds = rule_holds(Rule("f", operator_, wanted), value)
	assert holds in {True, False}
	if opposite:
		assert rule_holds(Rule("f", opposite, wanted), value) is not holds
