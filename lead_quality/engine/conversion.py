"""The funnel's four stages, and how many leads of a cohort get from one to the next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

STAGES = ("target", "prospect", "opportunity", "sale")

# outcomes of a contact attempt in which the lead answered, even with a no
TWO_WAY = ("Connected", "Replied", "Positive", "Negative", "Meeting Booked")


@dataclass(frozen=True)
class Evidence:
	"""Whether the documents that prove a stage exist for a lead."""

	two_way_contact: bool = False
	opportunity: bool = False
	sales_order: bool = False


@dataclass(frozen=True)
class Step:
	"""One stage of a cohort.

	`reached` counts the leads that entered this stage or a later one; `skipped` those among them that went
	past it without entering it. `from_previous` and `from_first` are shares between 0 and 1, None when the
	stage before (or the cohort) is empty. `median_days` is counted from the cohort's first stage, over the
	leads that did enter this one; what lies before that counts as entered with it.
	"""

	stage: str
	reached: int
	skipped: int
	from_previous: float | None
	from_first: float | None
	median_days: float | None


def current_stage(evidence: Evidence) -> str:
	"""The furthest stage that the evidence proves."""
	if evidence.sales_order:
		return "sale"
	if evidence.opportunity:
		return "opportunity"
	if evidence.two_way_contact:
		return "prospect"
	return "target"


def new_entries(
	current: str | None, proofs: Mapping[str, datetime], entry: datetime
) -> list[tuple[str, str | None, datetime]]:
	"""What a log that has come to `current` (None: it is empty) is still to say: stage, stage left, instant, in order.

	A stage is entered when it was proved first, and not before the lead's entry. Once a lead is further, it does not
	enter an earlier stage any more.

	:param proofs: stage to the first instant that proves it; all instants in one zone.
	"""
	rank = STAGES.index(current) if current else -1
	rows = []
	for at, index in sorted((max(at, entry), STAGES.index(stage)) for stage, at in proofs.items()):
		if index > rank:
			rows.append((STAGES[index], current, at))
			rank, current = index, STAGES[index]
	return rows


def is_two_way(outcome: str | None) -> bool:
	"""Whether a contact attempt with this outcome was a conversation: the lead answered, even with a no."""
	return outcome in TWO_WAY


def first_entries(log: Iterable[tuple[str, str, datetime]]) -> dict[str, dict[str, datetime]]:
	"""The first time each lead entered each stage.

	:param log: rows of (lead, stage, instant) in any order, all instants in one zone.
	"""
	entries: dict[str, dict[str, datetime]] = {}
	for lead, stage, entered_at in log:
		stages = entries.setdefault(lead, {})
		if stage not in stages or entered_at < stages[stage]:
			stages[stage] = entered_at
	return entries


def cohort_steps(log: Iterable[tuple[str, str, datetime]], stages: Sequence[str] = STAGES) -> list[Step]:
	"""Cohort conversion: of the leads in `log`, the share that ever reached each stage.

	A lead that went past a stage counts as having reached it, so that a share never exceeds 1. A lead that
	entered a stage twice counts once, with its first entry.

	:param log: rows of (lead, stage, instant) of the leads of one cohort, all instants in one zone.
	"""
	entries = first_entries(log)
	furthest = {lead: max(stages.index(stage) for stage in entered) for lead, entered in entries.items()}
	steps: list[Step] = []
	for index, stage in enumerate(stages):
		reached = [lead for lead, rank in furthest.items() if rank >= index]
		entered = [lead for lead in reached if stage in entries[lead]]
		days = [_days_since_entry(entries[lead], stage, stages) for lead in entered]
		steps.append(
			Step(
				stage=stage,
				reached=len(reached),
				skipped=len(reached) - len(entered),
				from_previous=_share(len(reached), steps[-1].reached) if steps else None,
				from_first=_share(len(reached), len(furthest)),
				median_days=median(days) if days else None,
			)
		)
	return steps


def _days_since_entry(entered: dict[str, datetime], stage: str, stages: Sequence[str]) -> float:
	entry = entered.get(stages[0]) or min(entered.values())
	return max((entered[stage] - entry).total_seconds() / 86400, 0)


def _share(part: int, whole: int) -> float | None:
	return part / whole if whole else None
