"""What is learned from past leads, how it is judged, and how a score is made and explained: beside plain counting."""

import json
import math
import random
from datetime import datetime, timedelta
from itertools import combinations, pairwise, permutations
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.engine import learning
from lead_quality.engine.learning import (
	BY_CHANCE,
	TOO_FEW,
	TOO_SHORT,
	Case,
	Example,
	learn,
	train,
	train_naive,
)
from lead_quality.engine.priority import (
	MISSING,
	NEVER,
	Model,
	Weight,
	completeness,
	key_of,
	kind_of_mail,
	lines_of,
	priority,
	priority_by_rules,
	reasons,
	said_by,
	score,
	would_raise,
)

START = datetime(2024, 1, 1)
VALUES = st.one_of(st.none(), st.sampled_from(["Referral", "Website", "Fair"]))
FACTS = st.fixed_dictionaries(
	{"source": VALUES, "size": st.one_of(st.none(), st.integers(0, 50)), "other": VALUES}
)
RANKED = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6)


def examples(draws: int = 2_000, seed: int = 1) -> list[Example]:
	"""Leads of which those by referral buy often, those of a fair seldom, and large companies oftener than small ones."""
	chance = random.Random(seed)
	made = []
	for at in range(draws):
		source = chance.choice(["Referral", "Website", "Fair", None])
		size = chance.choice([None, *range(1, 200)])
		odds = {"Referral": 0.4, "Website": 0.2, "Fair": 0.05, None: 0.15}[source] * (
			1.5 if (size or 0) > 100 else 0.8
		)
		made.append(Example(float(at), {"source": source, "size": size}, chance.random() < odds))
	return made


@pytest.fixture(scope="module")
def model() -> Model:
	return train(examples())


# --- a score ---


@given(FACTS)
def test_a_score_is_the_sum_of_the_lines_that_hold(model, facts):
	total = model.intercept
	for line in model.lines:
		if line.field not in model.cuts:
			total += line.weight * (line.value == (facts[line.field] or ""))
			continue
		low, _dots, high = line.value.partition("..")
		value = facts[line.field]
		if line.value == MISSING:
			holds = value is None
		else:
			holds = value is not None and float(low or "-inf") <= value < float(high or "inf")
		total += line.weight * holds

	assert score(model, facts) == pytest.approx(1 / (1 + math.exp(-total)))


@given(FACTS, st.text(min_size=1))
def test_what_the_table_does_not_know_weighs_nothing(model, facts, text):
	unheard = {**facts, "source": f"unheard of {text}", "a new field": text}
	without = [line for line in model.lines if line.field != "source"]
	rest = Model(model.intercept, tuple(without), model.cuts, (), model.leads, model.won, model.horizons)

	assert score(model, unheard) == pytest.approx(score(rest, facts))


def test_nothing_entered_is_a_value_of_its_own(model):
	line = model.table["source"][MISSING]

	assert line.leads == sum(not example.facts["source"] for example in examples())
	assert score(model, {"source": None}) == score(model, {"source": ""}) == score(model, {})


@given(FACTS)
def test_a_model_that_was_stored_scores_as_before(model, facts):
	stored = Model.from_dict(json.loads(json.dumps(model.as_dict())))

	assert stored == model
	assert score(stored, facts) == score(model, facts)


@given(st.lists(FACTS, min_size=2, max_size=20))
def test_the_likelier_a_sale_the_higher_the_priority(model, several):
	likely = sorted(score(model, facts) for facts in several)
	places = [priority(model, each) for each in likely]

	assert places == sorted(places)
	assert all(0 <= place <= 100 for place in places)


def test_a_priority_is_the_place_among_the_past_leads(model):
	past = sorted(score(model, example.facts) for example in examples())
	for place, likely in enumerate(past):
		below = sum(other < likely for other in past)
		upto = sum(other <= likely for other in past)
		assert 100 * below / len(past) - 1 <= priority(model, likely) <= 100 * upto / len(past) + 1, place
	assert priority(model, 0.999) == 100
	assert priority(model, 0) == 0


@given(st.integers(-3, 20), st.integers(0, 15))
def test_without_a_model_leads_go_by_the_share_of_criteria_that_they_meet(met, criteria):
	place = priority_by_rules(met, criteria)

	assert 0 <= place <= 100
	if criteria and 0 <= met <= criteria:
		assert abs(place - 100 * met / criteria) <= 0.5


# --- why ---


@given(FACTS)
def test_the_reasons_are_the_strongest_lines_and_say_in_which_direction(model, facts):
	found = reasons(model, facts, 2)
	weights = [abs(reason.line.weight) for reason in found]

	assert weights == sorted(weights, reverse=True)
	for reason in found:
		assert reason.raises == (reason.line.weight > 0)
		assert 0 < reason.factor <= 1 / model.prior
		assert f"{reason.factor:.1f}" != "1.0"  # which says nothing


def test_a_factor_is_what_was_seen_of_a_value_where_nothing_else_differs():
	made = [
		Example(float(at), {"source": "Referral" if at % 4 else "Fair"}, at % 8 in (1, 2, 3))
		for at in range(8_000)
	]
	model = train(made)
	referral = model.table["source"]["Referral"]

	(reason,) = reasons(model, {"source": "Referral"})

	assert reason.factor == pytest.approx((referral.won / referral.leads) / model.prior, rel=0.05)


@given(FACTS)
def test_what_would_raise_a_score_does_raise_it(model, facts):
	for reason in would_raise(model, facts, ["source", "size", "unknown"]):
		assert reason.value != MISSING
		low = reason.value.partition("..")[0]
		value = (float(low) if low else -1.0) if reason.field == "size" else reason.value
		assert score(model, {**facts, reason.field: value}) == pytest.approx(
			reason.factor * score(model, facts)
		)
		assert reason.factor > 1


@given(FACTS)
def test_nobody_is_told_to_take_something_back_for_a_better_place(model, facts):
	for reason in would_raise(model, facts, ["size"]):
		assert facts["size"] is None or float(reason.value.partition("..")[0]) > facts["size"]


def test_the_table_begins_with_the_field_that_tells_leads_apart_most(model):
	spans = {
		name: max(line.weight for line in lines.values()) - min(line.weight for line in lines.values())
		for name, lines in model.table.items()
	}
	fields = list(dict.fromkeys(reason.field for reason in lines_of(model)))
	assert fields == sorted(spans, key=lambda name: -spans[name])


# --- learning ---


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=200), st.integers(1, 12))
def test_every_number_lies_in_one_range_and_the_ranges_are_in_order(numbers, ranges):
	cuts = learning.cut(numbers, ranges)
	assert list(cuts) == sorted(set(cuts))
	for low, high in pairwise(sorted(set(numbers))):
		keys = key_of(low, cuts), key_of(high, cuts)
		assert (keys[0] != keys[1]) == any(low < cut <= high for cut in cuts)
	for number in set(numbers):
		if numbers.count(number) >= 2 * len(numbers) / ranges:
			assert {other for other in numbers if key_of(other, cuts) == key_of(number, cuts)} == {number}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(FACTS, st.booleans()), min_size=30, max_size=120))
def test_no_weight_could_be_moved_and_explain_the_leads_better(drawn):
	"""Against the penalised likelihood, computed lead by lead."""
	coded = learning._Coded([Example(0.0, facts, won) for facts, won in drawn])
	weights, intercept = learning._fit(coded)

	def explains(at=None, code=None, by=0.0):
		total = -sum(
			learning.STRENGTH / 2 * (weight + by * ((field, place) == (at, code))) ** 2
			for field, line in enumerate(weights)
			for place, weight in enumerate(line)
		)
		for row, (n, won) in enumerate(zip(coded.n, coded.wins, strict=True)):
			logit = intercept + sum(
				weights[field][column[row]] + by * ((field, column[row]) == (at, code))
				for field, column in enumerate(coded.columns)
			)
			total += won * logit - n * math.log1p(math.exp(logit))
		return total

	best = explains()
	for at, line in enumerate(weights):
		for code in range(len(line)):
			assert max(explains(at, code, 0.1), explains(at, code, -0.1)) < best


@pytest.mark.parametrize("refused", sorted(NEVER))
def test_nothing_is_learned_from_who_somebody_is(refused):
	made = [Example(0.0, {"source": "Fair", refused: "x"}, bool(at % 2)) for at in range(20)]

	for learner in (train, train_naive):
		with pytest.raises(ValueError, match=refused):
			learner(made)


def test_leads_that_all_say_the_same_are_explained_by_their_share_alone():
	model = train([Example(0.0, {"source": "Fair"}, at % 10 == 0) for at in range(500)])

	assert not model.lines
	assert score(model, {"source": "Fair"}) == pytest.approx(0.1, abs=0.01)


def test_the_average_of_all_expectations_is_what_came(model):
	assert mean(score(model, example.facts) for example in examples()) == pytest.approx(
		model.prior, abs=0.005
	)


# --- judging ---


@given(RANKED)
def test_auc_counts_pairs(ranked):
	scores, won = zip(*ranked, strict=True)
	pairs = [(a, b) for a, is_won in ranked if is_won for b, was_won in ranked if not was_won]
	expected = mean([(a > b) + (a == b) / 2 for a, b in pairs]) if pairs else 0.5

	assert learning.auc(scores, won) == pytest.approx(expected)


@settings(deadline=None)
@given(RANKED, st.data())
def test_leads_of_one_score_stand_in_any_order(ranked, data):
	first = data.draw(st.integers(0, len(ranked)))
	scores, won = zip(*ranked, strict=True)
	sums = [
		sum(is_won for _score, is_won in order[:first])
		for order in permutations(ranked)
		if all(a >= b for (a, _won), (b, _other) in pairwise(order))
	]
	expected = mean(sums) / sum(won) if any(won) else 0

	assert learning.share_of_sales(scores, won, first) == pytest.approx(expected)


@given(st.integers(0, 8), st.data())
def test_chance_is_the_share_of_all_draws_that_are_as_good(leads, data):
	won, drawn = data.draw(st.integers(0, leads)), data.draw(st.integers(0, leads))
	found = data.draw(st.integers(0, leads))
	draws = list(combinations(range(leads), drawn))
	expected = mean(sum(lead < won for lead in draw) >= found for draw in draws)

	assert learning.chance_of(found, drawn, won, leads) == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_the_tenths_hold_each_lead_once_the_likeliest_first(ranked):
	scores, won = zip(*ranked, strict=True)
	tenths = learning.deciles(scores, won)

	assert sum(tenth.leads for tenth in tenths) == len(ranked)
	assert sum(tenth.won for tenth in tenths) == sum(won)
	assert all(a.expected >= b.expected - 1e-9 for a, b in pairwise(tenths))


def test_a_drop_is_one_that_chance_does_not_explain():
	backtest = learning.judge(examples(1_400), examples(600, seed=2))
	share = backtest.orders["model"].first_fifth

	assert not learning.has_dropped(backtest, [])
	assert not learning.has_dropped(backtest, [share + 0.01] * 5)
	assert learning.has_dropped(backtest, [min(share + 0.3, 1)] * 5)
	assert not learning.has_dropped(backtest, [1.0, *[share] * 5])


# --- from leads to a model ---


def cases(leads: int = 1_500, seed: int = 3, **more) -> list[Case]:
	"""Leads of two years, one every half day; who buys does so within 40 days."""
	chance = random.Random(seed)
	return [
		Case(
			START + timedelta(hours=12 * at),
			"Trade",
			((0, example.facts), (7, {**example.facts, "touches": chance.randrange(4)})),
			chance.uniform(1, 40) if example.won else None,
			**more,
		)
		for at, example in enumerate(examples(leads, seed))
	]


LATER = START + timedelta(days=800)


def test_a_model_puts_the_newer_leads_in_a_better_order_than_those_that_know_less():
	learned = learn(cases(), LATER)
	orders = learned.backtest.orders

	assert learned.model and not learned.why
	assert orders["model"].auc > 0.6 > orders["newest"].auc
	assert orders["model"].first_fifth > 0.3
	assert learned.backtest.chance < learning.CHANCE


def test_what_happens_after_the_moment_changes_nothing():
	"""The present, moved into the middle of what is known: whatever is told of the time after it is not used."""
	now = START + timedelta(days=500)
	days = learning.horizons(cases())
	known = learn(cases(), now)
	changed = []
	for case in cases():
		horizon = days["Trade"]
		moments = tuple(
			(
				after,
				facts if case.entered_at + timedelta(days=after + horizon) <= now else {"source": "Future"},
			)
			for after, facts in case.moments
		)
		changed.append(Case(case.entered_at, case.segment, moments, case.sold_after))

	assert learn(changed, now) == known
	assert "Future" not in {line.value for line in known.model.lines}


def test_the_newer_leads_are_judged_by_what_was_settled_before_them():
	"""An older lead whose horizon had not passed when the first of the newer ones came in is not learned from."""
	learned = learn(cases(), LATER)
	horizon = learned.model.horizons["Trade"]
	newer = START + timedelta(hours=12 * int(1_500 * learning.OLDER))
	before = [
		example
		for case in cases()
		for example, settled, _first in learning.examples_of(case, learned.model.horizons)
		if settled <= newer
	]

	assert learned.backtest.learned_from == len(before)
	assert all(example.at + timedelta(days=horizon) <= newer for example in before)
	assert learned.backtest.leads == 450


def test_a_lead_that_has_bought_or_is_over_is_not_to_be_won_any_more():
	won = Case(START, "", ((0, {}), (7, {}), (30, {})), sold_after=8)
	over = Case(START, "", ((0, {}), (7, {}), (30, {})), over_after=5)

	assert [made.won for made, _settled, _first in learning.examples_of(won, {"": 14})] == [True, True]
	assert [made.won for made, _settled, _first in learning.examples_of(over, {"": 14})] == [False]


@pytest.mark.parametrize(
	("sold", "days"),
	[([], learning.LONGEST), ([1.0] * 30, learning.SHORTEST), ([float(day) for day in range(1, 101)], 90)],
)
def test_a_sale_counts_within_the_time_in_which_nine_of_ten_came(sold, days):
	made = [Case(START, "Trade", ((0, {}),), after) for after in sold]

	assert learning.horizons(made).get("Trade", learning.LONGEST) == days


def test_of_few_sales_nothing_is_learned():
	few = [case for case in cases() if case.sold_after is None]
	few += [case for case in cases() if (case.sold_after or 99) < 10][:49]

	learned = learn(few, LATER)

	assert (learned.model, learned.backtest, learned.won, learned.why) == (None, None, 49, TOO_FEW)


def test_of_a_past_that_is_too_short_to_be_judged_by_nothing_is_used():
	at_once = [Case(START, "", case.moments, case.sold_after) for case in cases()]

	assert learn(at_once, LATER).why == TOO_SHORT


def test_an_order_that_chance_explains_is_not_used():
	chance = random.Random(5)
	blind = [
		Case(
			case.entered_at,
			"",
			((0, {"source": chance.choice("abcd")}),),
			10.0 if chance.random() < 0.1 else None,
		)
		for case in cases()
	]
	learned = learn(blind, LATER)

	assert (learned.model, learned.why) == (None, BY_CHANCE)
	assert learned.backtest.chance >= learning.CHANCE


# --- facts ---


@pytest.mark.parametrize(
	("address", "kind"),
	[
		(None, ""),
		("", ""),
		("nobody", ""),
		("a@gmail.com", "Free Mail"),
		(" B@GMAIL.com ", "Free Mail"),
		("a@acme.example", "Own Domain"),
	],
)
def test_kind_of_mail(address, kind):
	assert kind_of_mail(address) == kind


def test_completeness_counts_what_is_filled_in():
	assert completeness(["a", "", None, 0, 5]) == 2


def test_a_table_is_read_without_learning_anything():
	line = Weight("source", "Fair", 1.0, 10, 5)
	model = Model(0.0, (line,), {}, (), 20, 10, {"": 90})

	assert reasons(model, {"source": "Fair"})[0].line is line
	assert would_raise(model, {"source": None}, ["source"])[0].value == "Fair"


def test_a_number_that_stands_in_two_fields_is_filled_in_once():
	given = {"phone": "+49 30 123456", "city": "Berlin"}

	assert said_by({**given, "mobile_no": "+49 30 123456"}) == said_by(given)
	assert said_by({**given, "mobile_no": "+49 171 1"})["filled"] == 3
