"""Cohorts with leads still under way: against lifelines, against a count by hand, and where there is nothing to count."""

from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.engine.conversion import (
	EXITED,
	OPEN,
	REACHED,
	STAGES,
	Point,
	Rate,
	Spell,
	days_until,
	incidence,
	rate,
	rate_within,
	reached_at,
	spell_between,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 2, 9)

SPELLS = st.lists(
	st.builds(
		Spell, st.integers(0, 12).map(float), st.sampled_from([REACHED, EXITED, OPEN]), st.integers(1, 3)
	),
	max_size=14,
)


def one_by_one(spells: list[Spell]) -> list[tuple[float, str]]:
	return [(days, end) for days, end, leads in spells for _lead in range(leads)]


def by_redistribution(spells: list[Spell], day: float) -> Fraction:
	"""The definition in other words (Efron's): a lead that is seen no longer hands its weight on, in equal parts, to those
	that are seen longer; what the leads weigh that have got there is the share. No product of survivals is formed."""
	leads = sorted(one_by_one(spells), key=lambda lead: (lead[0], lead[1] == OPEN))
	weights = [Fraction(1, len(leads))] * len(leads)
	for place, (_days, end) in enumerate(leads):
		later = len(leads) - place - 1
		if end == OPEN and later:
			for other in range(place + 1, len(leads)):
				weights[other] += weights[place] / later
			weights[place] = Fraction(0)
	return sum(
		(w for w, (d, end) in zip(weights, leads, strict=True) if end == REACHED and d <= day), Fraction(0)
	)


# Against lifelines 0.30.3, whose figures these are

# AalenJohansenFitter(calculate_variance=False).fit(days, ends, event_of_interest=1); 0: seen last, 2: the other event
COMPETING = [
	*((122, 2), (69, 2), (169, 0), (136, 2), (171, 1), (90, 1), (37, 1), (98, 0), (3, 1), (96, 0), (124, 2)),
	*(
		(71, 2),
		(165, 2),
		(118, 2),
		(177, 2),
		(154, 0),
		(59, 0),
		(143, 1),
		(1, 1),
		(170, 1),
		(160, 1),
		(38, 2),
	),
	*((113, 1), (95, 0), (42, 1), (87, 1), (54, 1), (16, 1), (148, 1), (52, 1), (20, 0), (132, 2), (174, 2)),
	*((104, 0), (23, 0), (5, 1), (172, 2), (131, 0), (58, 2), (24, 1)),
]
# KaplanMeierFitter().fit(days, seen)
TIED_DAYS = [1, 1, 2, 2, 2, 3, 4, 4, 5, 6, 6, 6, 7, 8, 9, 9, 10, 12, 12, 15]
TIED_SEEN = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(
	("day", "share"),
	[
		(10, 0.075),
		(30, 0.1264705882352941),
		(60, 0.23235294117647054),
		(90, 0.2873303167420814),
		(120, 0.3209276018099547),
	],
)
def test_the_share_that_gets_there_is_that_of_aalen_and_johansen(day: int, share: float) -> None:
	curve = incidence(Spell(days, (OPEN, REACHED, EXITED)[end]) for days, end in COMPETING)
	assert curve.by(day) == pytest.approx(share, abs=1e-12)


def test_the_share_that_gets_there_at_all_is_that_of_aalen_and_johansen() -> None:
	curve = incidence(Spell(days, (OPEN, REACHED, EXITED)[end]) for days, end in COMPETING)
	assert curve.by() == pytest.approx(0.5316859554472677, abs=1e-12)
	assert curve.by(180) == curve.by()  # the last of them has left on day 177: nobody is under way any more


@pytest.mark.parametrize(
	("day", "share"),
	[
		(1, 0.050000000000000044),
		(2, 0.15555555555555556),
		(4, 0.276190476190476),
		(6, 0.45714285714285696),
		(9, 0.6122448979591835),
		(12, 0.8061224489795917),
	],
)
def test_without_exits_it_is_one_less_the_estimate_of_kaplan_and_meier(day: int, share: float) -> None:
	curve = incidence(
		Spell(days, REACHED if seen else OPEN) for days, seen in zip(TIED_DAYS, TIED_SEEN, strict=True)
	)
	assert curve.by(day) == pytest.approx(share, abs=1e-12)


def test_the_median_and_the_ninetieth_percentile_are_those_of_kaplan_and_meier() -> None:
	spells = [Spell(days, REACHED if seen else OPEN) for days, seen in zip(TIED_DAYS, TIED_SEEN, strict=True)]
	assert (days_until(spells, 0.5), days_until(spells, 0.8)) == (8.0, 12.0)
	assert days_until(spells, 0.9) is None  # a fifth is still under way


# Cohorts of none, one, all open, all exited


def test_a_cohort_of_nobody_has_no_share_and_no_days() -> None:
	curve = incidence([])
	assert (curve.by(), curve.by(30), curve.points, curve.is_too_young(30)) == (None, None, (), False)
	assert days_until([], 0.5) is None
	assert rate_within(curve, 30, 10) == Rate(None, 0, True)
	assert rate(0, 0, 10) == Rate(None, 0, True)


def test_one_lead_that_got_there_is_all_of_them_and_too_few_to_judge_by() -> None:
	curve = incidence([Spell(3, REACHED)])
	assert (curve.by(2), curve.by(3), curve.by()) == (0.0, 1.0, 1.0)
	assert rate_within(curve, 30, 10) == Rate(1.0, 1, True)


def test_a_cohort_that_is_all_under_way_says_what_it_was_seen_for_and_no_more() -> None:
	curve = incidence([Spell(3, OPEN), Spell(8, OPEN)])
	assert (curve.by(), curve.by(8), curve.open) == (0.0, 0.0, 2)
	assert rate_within(curve, 9, 1) == Rate(None, 2, False, is_too_young=True)


def test_a_cohort_that_has_all_left_is_never_too_young() -> None:
	curve = incidence([Spell(1, EXITED), Spell(2, EXITED)])
	assert (curve.by(), curve.by(365)) == (0.0, 0.0)
	assert rate_within(curve, 365, 1) == Rate(0.0, 2, False)


def test_a_cohort_is_too_young_as_long_as_no_lead_was_seen_for_so_many_days() -> None:
	young = [Spell(5, REACHED), Spell(10, OPEN), Spell(20, OPEN)]
	assert rate_within(incidence(young), 30, 1).is_too_young
	assert not rate_within(incidence(young), 20, 1).is_too_young
	assert rate_within(incidence([*young, Spell(30, OPEN)]), 30, 1).share == 0.25


def test_a_lead_still_under_way_counts_as_long_as_it_was_seen() -> None:
	# of three, one leaves the count on day 2; of the two that are left one gets there on day 5
	curve = incidence([Spell(2, OPEN), Spell(5, REACHED), Spell(9, OPEN)])
	assert curve.points == (Point(5, 2, 1, 0, 0.5, 0.0),)


def test_who_is_seen_last_on_the_day_that_another_gets_there_was_at_risk_on_it() -> None:
	assert incidence([Spell(5, OPEN), Spell(5, REACHED)]).by(5) == 0.5


def test_who_left_is_not_on_the_way_any_more_and_stays_in_the_share() -> None:
	curve = incidence([Spell(1, EXITED), Spell(4, REACHED)])
	assert (curve.by(), curve.points[-1].share_exited) == (0.5, 0.5)
	# of those who were not kept from it, all got there
	assert days_until([Spell(1, EXITED), Spell(4, REACHED)], 1.0) == 4


def test_a_rate_of_fewer_leads_than_the_minimum_is_marked() -> None:
	assert rate(4, 9, 10).is_small
	assert not rate(4, 10, 10).is_small


# From instants


def at(days: float) -> datetime:
	return NOW + timedelta(days=days)


def test_a_later_stage_is_an_earlier_one_reached() -> None:
	entered = {"target": at(0), "opportunity": at(4), "prospect": at(6), "sale": None}
	assert reached_at(entered) == {"target": at(0), "prospect": at(4), "opportunity": at(4), "sale": None}
	assert reached_at({}) == dict.fromkeys(STAGES)


@pytest.mark.parametrize(
	("goal", "exited", "expected"),
	[
		(None, None, Spell(10, OPEN)),
		(3, None, Spell(3, REACHED)),
		(None, 4, Spell(4, EXITED)),
		(6, 4, Spell(6, REACHED)),  # the exit has not held
		(3, 4, Spell(3, REACHED)),
		(11, 4, Spell(4, EXITED)),  # as it stood then, nobody knew of what came later
		(11, 12, Spell(10, OPEN)),
		(-1, None, Spell(0, REACHED)),  # proved by what lies before the lead came in
		(10, None, Spell(10, REACHED)),
	],
)
def test_a_lead_is_counted_as_it_stood_at_an_instant(
	goal: float | None, exited: float | None, expected: Spell
) -> None:
	found = spell_between(
		at(0), None if goal is None else at(goal), None if exited is None else at(exited), at(10)
	)
	assert found == expected


def test_who_had_not_come_to_the_first_stage_is_not_in_the_cohort() -> None:
	assert spell_between(None, at(3), None, at(10)) is None
	assert spell_between(at(11), at(12), None, at(10)) is None


# What stays true


@settings(max_examples=150, deadline=None)
@given(SPELLS, st.integers(0, 12))
def test_the_share_agrees_with_weights_handed_on_lead_by_lead(spells: list[Spell], day: int) -> None:
	curve = incidence(spells)
	known = [point.share_reached for point in curve.points if point.day <= day]
	expected = by_redistribution(spells, day) if spells else Fraction(0)
	assert (known[-1] if known else 0.0) == pytest.approx(float(expected), abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(SPELLS.filter(lambda spells: not any(spell.end == OPEN for spell in spells)), st.integers(0, 12))
def test_once_nobody_is_under_way_it_is_the_plain_share(spells: list[Spell], day: int) -> None:
	leads = one_by_one(spells)
	there = sum(end == REACHED and days <= day for days, end in leads)
	found = incidence(spells).by(day)
	assert found == (pytest.approx(there / len(leads)) if leads else None)


@settings(max_examples=100, deadline=None)
@given(SPELLS)
def test_shares_grow_and_never_pass_one_and_no_lead_is_lost(spells: list[Spell]) -> None:
	curve = incidence(spells)
	for point, following in pairwise(curve.points):
		assert point.share_reached <= following.share_reached
		assert point.share_exited <= following.share_exited
		assert following.at_risk <= point.at_risk - point.reached - point.exited
	for point in curve.points:
		assert -1e-12 <= point.share_reached + point.share_exited <= 1 + 1e-12
	ended = sum(point.reached + point.exited for point in curve.points)
	assert ended + curve.open == curve.leads == len(one_by_one(spells))


@settings(max_examples=100, deadline=None)
@given(SPELLS, st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_grouping_of_leads_changes_a_figure(
	spells: list[Spell], random: object
) -> None:
	single = [Spell(days, end) for days, end in one_by_one(spells)]
	random.shuffle(single)  # type: ignore[attr-defined]
	assert incidence(single) == incidence(spells)
	assert days_until(single, 0.5) == days_until(spells, 0.5)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=20), st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_of_leads_that_all_got_there_it_is_the_smallest_day_by_which_the_share_had(
	days: list[int], share: float
) -> None:
	expected = next(
		day for day in sorted(days) if sum(other <= day for other in days) >= share * len(days) - 1e-9
	)
	assert days_until([Spell(day, REACHED) for day in days], share) == expected
