"""What the stage log is still to say, by what proves the stages."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lead_quality.engine.conversion import STAGES, cohort_steps, new_entries

ENTRY = datetime(2025, 3, 3, 9)
INSTANTS = st.integers(-48, 48).map(lambda hours: ENTRY + timedelta(hours=hours))
PROOFS = st.dictionaries(st.sampled_from(STAGES), INSTANTS)
CURRENT = st.sampled_from([None, *STAGES])


def by_hour(current, proofs, entry):
	"""The oracle: an observer who looks every hour, and writes down each stage that is further than the last one."""
	rows = []
	hour = entry
	while hour <= ENTRY + timedelta(hours=48):
		for stage in STAGES:
			is_proved = stage in proofs and max(proofs[stage], entry) == hour
			if is_proved and (current is None or STAGES.index(stage) > STAGES.index(current)):
				rows.append((stage, current, hour))
				current = stage
		hour += timedelta(hours=1)
	return rows


@given(CURRENT, PROOFS)
def test_the_log_says_what_an_observer_would_have_written_down(current, proofs):
	assert new_entries(current, proofs, ENTRY) == by_hour(current, proofs, ENTRY)


@given(CURRENT, PROOFS)
def test_once_it_is_written_there_is_nothing_left_to_say(current, proofs):
	rows = new_entries(current, proofs, ENTRY)
	if rows:
		assert new_entries(rows[-1][0], proofs, ENTRY) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(STAGES), INSTANTS)))
def test_no_stage_lies_before_the_entry_and_the_entry_lies_at_nought(log):
	log = [(lead, "target", ENTRY) for lead in "abc"] + [row for row in log if row[1] != "target"]
	steps = cohort_steps(log)
	assert steps[0].median_days == 0
	assert all(step.median_days is None or step.median_days >= 0 for step in steps)
