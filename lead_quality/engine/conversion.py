"""The funnel's four stages, and the conversion of a cohort between them, including leads that are still open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import NamedTuple

STAGES = ("target", "prospect", "opportunity", "sale")

# outcomes of contact attempts in which the lead answered, even negatively
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

	`reached` counts the leads that entered this stage or a later one; `skipped` counts those that reached a later
	stage without entering this one. `from_previous` and `from_first` are shares between 0 and 1, None if the
	previous stage (or the cohort) is empty. `median_days` is counted from the cohort's first stage, for the
	leads that entered this one; a negative time counts as 0.
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
	"""The rows that are missing from a log whose last stage is `current` (None: empty log): stage, stage left, instant.

	A stage is entered at its first proof, but not before the lead's entry. A lead does not enter a stage before the
	one it has reached.

	:param proofs: each stage to the first instant that proves it; all instants in one zone.
	"""
	rank = STAGES.index(current) if current else -1
	rows = []
	for at, index in sorted((max(at, entry), STAGES.index(stage)) for stage, at in proofs.items()):
		if index > rank:
			rows.append((STAGES[index], current, at))
			rank, current = index, STAGES[index]
	return rows


def is_two_way(outcome: str | None) -> bool:
	"""Whether a contact attempt with this outcome was a conversation: the lead answered, even negatively."""
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

	A lead that skipped a stage counts as having reached it, so that a share never exceeds 1. A lead that
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


# leads that are still open


class Spell(NamedTuple):
	"""How many `days` (not negative) leads were observed between a stage and the next, and how that ended: they have
	`reached` the next stage, have `exited`, or are still `open`. `leads` is the number of leads with the same values."""

	days: float
	end: str
	leads: int = 1


REACHED, EXITED, OPEN = ("reached", "exited", "open")


@dataclass(frozen=True)
class Point:
	"""A day on which leads reached the stage or exited: how many were open before it, how many did either on it, and the
	shares (0 to 1) of all leads that had done so by the end of the day."""

	day: float
	at_risk: int
	reached: int
	exited: int
	share_reached: float
	share_exited: float


@dataclass(frozen=True)
class Curve:
	"""The share of a cohort that has reached a stage by each day; see `incidence`.

	`leads` is the number of all leads, `open` of those still open; `seen_for` is the longest observation in days.
	"""

	points: tuple[Point, ...]
	leads: int
	open: int
	seen_for: float

	def by(self, days: float | None = None) -> float | None:
		"""The share that reaches the stage within that number of days, or so far if none is given. None if there are no
		leads, or if the cohort is too young for an answer (`is_too_young`)."""
		if not self.leads or (days is not None and self.is_too_young(days)):
			return None
		known = self.points if days is None else [point for point in self.points if point.day <= days]
		return known[-1].share_reached if known else 0.0

	def is_too_young(self, days: float) -> bool:
		"""Whether the share within that number of days is not known yet: leads are still open, and none has been observed
		for that long."""
		return bool(self.open) and self.seen_for < days and not self._is_over

	@property
	def _is_over(self) -> bool:
		return bool(self.points) and 1 - self.points[-1].share_reached - self.points[-1].share_exited < 1e-12


@dataclass(frozen=True)
class Rate:
	"""A share between 0 and 1, and the number of leads. The share is None without leads, or if `is_too_young`.

	`is_small` marks a share of too few leads to judge by.
	"""

	share: float | None
	leads: int
	is_small: bool
	is_too_young: bool = False


def rate(part: int, whole: int, minimum: int) -> Rate:
	"""The plain share of `part` in `whole`."""
	return Rate(_share(part, whole), whole, whole < minimum)


def rate_within(curve: Curve, days: float | None, minimum: int) -> Rate:
	"""The share of a cohort that reaches a stage within that number of days, or so far if none is given."""
	is_too_young = days is not None and curve.is_too_young(days)
	return Rate(curve.by(days), curve.leads, curve.leads < minimum, is_too_young)


def incidence(spells: Iterable[Spell]) -> Curve:
	"""The cumulative incidence of reaching a stage, with exits as the competing event and open leads at risk until the
	day on which they were seen last.

	The estimator of Aalen and Johansen: O. O. Aalen, S. Johansen, An Empirical Transition Matrix for Non-homogeneous
	Markov Chains Based on Censored Observations, Scandinavian Journal of Statistics 5 (1978), 141-150. The
	open share before a day is multiplied by the day's events among the leads at risk. Leads that exit are no longer at
	risk; leads last observed on a day are at risk on that day. Without open leads the result is the plain share;
	without exits it is one minus the estimate of Kaplan and Meier.
	"""
	ended: dict[float, dict[str, int]] = {}
	for spell in spells:
		on_day = ended.setdefault(spell.days, dict.fromkeys((REACHED, EXITED, OPEN), 0))
		on_day[spell.end] += spell.leads
	at_risk = leads = sum(sum(ends.values()) for ends in ended.values())
	under_way, reached, exited = 1.0, 0.0, 0.0
	points = []
	for day in sorted(ended):
		ends = ended[day]
		if ends[REACHED] or ends[EXITED]:
			reached += under_way * ends[REACHED] / at_risk
			exited += under_way * ends[EXITED] / at_risk
			under_way *= (at_risk - ends[REACHED] - ends[EXITED]) / at_risk
			points.append(Point(day, at_risk, ends[REACHED], ends[EXITED], reached, exited))
		at_risk -= sum(ends.values())
	return Curve(
		tuple(points), leads, sum(ends[OPEN] for ends in ended.values()), max(ended) if ended else 0.0
	)


def days_until(spells: Iterable[Spell], share: float) -> float | None:
	"""The day by which this share (0 to 1) reaches the stage, among leads that do not exit; None if it is not known
	yet.

	By the estimate of Kaplan and Meier (E. L. Kaplan, P. Meier, Nonparametric Estimation from Incomplete Observations,
	Journal of the American Statistical Association 53 (1958), 457-481), in which exits are censored. If
	all leads have reached the stage, it is the smallest day by which the share has; for 0.5, the lower median.
	"""
	without_exits = (Spell(days, OPEN if end == EXITED else end, leads) for days, end, leads in spells)
	curve = incidence(without_exits)
	# floating-point shares may fall slightly short
	return next((point.day for point in curve.points if point.share_reached >= share - 1e-12), None)


def reached_at(
	entered: Mapping[str, datetime | None], stages: Sequence[str] = STAGES
) -> dict[str, datetime | None]:
	"""When a lead reached each stage: the first entry into it or a later one; None if it has not."""
	reached: dict[str, datetime | None] = {}
	first: datetime | None = None
	for stage in reversed(stages):
		at = entered.get(stage)
		first = min((day for day in (first, at) if day), default=None)
		reached[stage] = first
	return reached


def spell_between(
	start: datetime | None, goal: datetime | None, exited_at: datetime | None, until: datetime
) -> Spell | None:
	"""The spell of a lead that reached a stage at `start` and is observed until `until`; None if it had not reached the
	stage by then. All instants in one zone.

	A lead that reaches the goal counts as reached, even after an exit that was reverted. Instants before the start count
	as the start.
	"""
	if start is None or start > until:
		return None
	if goal is not None and goal <= until:
		end, kind = goal, REACHED
	elif exited_at is not None and exited_at <= until:
		end, kind = exited_at, EXITED
	else:
		end, kind = until, OPEN
	return Spell(max((end - start).total_seconds() / 86400, 0), kind)


def _days_since_entry(entered: dict[str, datetime], stage: str, stages: Sequence[str]) -> float:
	entry = entered.get(stages[0]) or min(entered.values())
	return max((entered[stage] - entry).total_seconds() / 86400, 0)


def _share(part: int, whole: int) -> float | None:
	return part / whole if whole else None
