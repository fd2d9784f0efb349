"""The funnel's figures against examples, and against a count by hand of every lead."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.engine.conversion import (
	STAGES,
	Evidence,
	Step,
	cohort_steps,
	current_stage,
	first_entries,
	is_two_way,
)

pytestmark = pytest.mark.unit

Log = list[tuple[str, str, datetime]]

START = datetime(2025, 6, 2, 9)
LOGS = st.lists(
	st.tuples(
		st.sampled_from(["L1", "L2", "L3", "L4", "L5"]),
		st.sampled_from(STAGES),
		st.integers(0, 400).map(lambda hours: START + timedelta(hours=hours)),
	),
	max_size=20,
)


def day(number: float) -> datetime:
	return START + timedelta(days=number)


def walk(lead: str, **days: float) -> Log:
	return [(lead, stage, day(number)) for stage, number in days.items()]


def came_in(visits: list) -> datetime:
	"""When a lead came in: at its first visit to the first stage; at its first visit where the log has none of that."""
	return next((at for at, rank in visits if rank == 0), visits[0][0])


def by_hand(log: Log, stages: tuple[str, ...] = STAGES) -> list[Step]:
	"""The definition, lead by lead and with whole counts: no stage is worked out from the one before."""
	steps = []
	leads = {lead for lead, _stage, _at in log}
	for position, stage in enumerate(stages):
		this_or_later, entered, before, waits = 0, 0, 0, []
		for lead in leads:
			visits = sorted((at, stages.index(name)) for who, name, at in log if who == lead)
			this_or_later += any(rank >= position for _at, rank in visits)
			before += any(rank >= position - 1 for _at, rank in visits)
			here = [at for at, rank in visits if rank == position]
			if here:
				entered += 1
				waits.append(max((here[0] - came_in(visits)) / timedelta(days=1), 0))
		waits.sort()
		middle = waits[(len(waits) - 1) // 2 : len(waits) // 2 + 1]
		steps.append(
			Step(
				stage,
				this_or_later,
				this_or_later - entered,
				this_or_later / before if position and before else None,
				this_or_later / len(leads) if leads else None,
				sum(middle) / len(middle) if middle else None,
			)
		)
	return steps


# Where a lead stands


@pytest.mark.parametrize(
	("evidence", "stage"),
	[
		(Evidence(), "target"),
		(Evidence(two_way_contact=True), "prospect"),
		(Evidence(opportunity=True), "opportunity"),
		(Evidence(two_way_contact=True, opportunity=True), "opportunity"),
		(Evidence(sales_order=True), "sale"),
		(Evidence(two_way_contact=True, sales_order=True), "sale"),
		(Evidence(opportunity=True, sales_order=True), "sale"),
		(Evidence(two_way_contact=True, opportunity=True, sales_order=True), "sale"),
	],
)
def test_a_lead_stands_at_the_furthest_stage_that_is_proven(evidence: Evidence, stage: str) -> None:
	assert current_stage(evidence) == stage


@pytest.mark.parametrize("outcome", ["Connected", "Replied", "Positive", "Negative", "Meeting Booked"])
def test_a_conversation_is_two_way_even_with_a_no(outcome: str) -> None:
	assert is_two_way(outcome)


@pytest.mark.parametrize("outcome", [None, "", "No Answer", "Left Message", "Bounced", "Wrong Data"])
def test_an_attempt_that_reaches_nobody_is_not_two_way(outcome: str | None) -> None:
	assert not is_two_way(outcome)


# How many get how far


def test_a_cohort_is_counted_step_by_step() -> None:
	log = [
		*walk("L1", target=0, prospect=1, opportunity=3, sale=10),
		*walk("L2", target=0, prospect=2, opportunity=5),
		*walk("L3", target=1, prospect=4.5),
		*walk("L4", target=2),
	]
	assert cohort_steps(log) == [
		Step("target", 4, 0, None, 1.0, 0.0),
		Step("prospect", 3, 0, 3 / 4, 3 / 4, 2.0),
		Step("opportunity", 2, 0, 2 / 3, 2 / 4, 4.0),
		Step("sale", 1, 0, 1 / 2, 1 / 4, 10.0),
	]


def test_a_lead_that_skipped_a_stage_counts_as_reached_and_as_skipped() -> None:
	steps = cohort_steps([*walk("L1", target=0, sale=4), *walk("L2", target=0, prospect=1)])
	assert [(step.stage, step.reached, step.skipped) for step in steps] == [
		("target", 2, 0),
		("prospect", 2, 1),
		("opportunity", 1, 1),
		("sale", 1, 0),
	]
	# who never was there has no time to tell
	assert [step.median_days for step in steps] == [0.0, 1.0, None, 4.0]


def test_a_lead_that_goes_back_counts_once_with_its_first_entry() -> None:
	log = [
		*walk("L1", target=0, prospect=1, opportunity=5),
		*walk("L1", prospect=9),
		*walk("L1", opportunity=20),
	]
	for rows in (log, log[::-1]):
		steps = cohort_steps(rows)
		assert [step.reached for step in steps] == [1, 1, 1, 0]
		assert [step.median_days for step in steps] == [0.0, 1.0, 5.0, None]


def test_a_lead_whose_sale_was_cancelled_had_reached_it() -> None:
	assert cohort_steps([*walk("L1", target=0, sale=3), *walk("L1", opportunity=5)])[-1].reached == 1


def test_an_empty_cohort_has_no_shares_rather_than_an_error() -> None:
	assert cohort_steps([]) == [Step(stage, 0, 0, None, None, None) for stage in STAGES]


def test_a_stage_after_one_that_nobody_reached_has_no_share_of_it() -> None:
	steps = cohort_steps(walk("L1", target=0))
	assert [step.from_previous for step in steps] == [None, 0.0, None, None]
	assert [step.from_first for step in steps] == [1.0, 0.0, 0.0, 0.0]


def test_two_stages_in_one_second_are_both_entered() -> None:
	steps = cohort_steps(walk("L1", target=0, prospect=0, opportunity=0))
	assert [(step.reached, step.skipped) for step in steps] == [(1, 0), (1, 0), (1, 0), (0, 0)]


def test_days_are_counted_from_the_leads_own_first_stage() -> None:
	steps = cohort_steps([*walk("L1", prospect=10, sale=12), *walk("L2", target=100, sale=106)])
	assert steps[-1].median_days == 4.0


def test_the_log_may_be_read_only_once() -> None:
	log = walk("L1", target=0, prospect=1)
	assert cohort_steps(iter(log)) == cohort_steps(log)


def test_other_stages_can_be_counted_the_same_way() -> None:
	log = [("L1", "sent", day(0)), ("L1", "accepted", day(1)), ("L2", "sent", day(0))]
	assert cohort_steps(log, ("sent", "accepted")) == [
		Step("sent", 2, 0, None, 1.0, 0.0),
		Step("accepted", 1, 0, 0.5, 0.5, 1.0),
	]


def test_the_first_entry_is_the_earliest_in_whatever_order_rows_come() -> None:
	log = [
		("L1", "target", day(2)),
		("L1", "target", day(1)),
		("L1", "target", day(3)),
		("L2", "sale", day(0)),
	]
	assert first_entries(log) == {"L1": {"target": day(1)}, "L2": {"sale": day(0)}}
	assert first_entries([]) == {}


# What stays true


@settings(max_examples=120, deadline=None)
@given(LOGS)
def test_the_figures_agree_with_a_count_by_hand(log: Log) -> None:
	for found, expected in zip(cohort_steps(log), by_hand(log), strict=True):
		assert found.median_days == pytest.approx(expected.median_days)
		assert (found.stage, found.reached, found.skipped) == (
			expected.stage,
			expected.reached,
			expected.skipped,
		)
		assert (found.from_previous, found.from_first) == (expected.from_previous, expected.from_first)


@settings(max_examples=100, deadline=None)
@given(LOGS)
def test_no_share_is_above_one_and_no_stage_is_reached_by_more_than_the_one_before(log: Log) -> None:
	steps = cohort_steps(log)
	for step, following in pairwise(steps):
		assert following.reached <= step.reached
	for step in steps:
		assert 0 <= step.skipped <= step.reached
		assert all(share is None or 0 <= share <= 1 for share in (step.from_previous, step.from_first))
		assert step.median_days is None or step.median_days >= 0


@settings(max_examples=100, deadline=None)
@given(LOGS, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_rows_changes_a_figure(log: Log, random: object) -> None:
	shuffled = log + log[: len(log) // 2]
	random.shuffle(shuffled)  # type: ignore[attr-defined]
	assert cohort_steps(shuffled) == cohort_steps(log)
