"""The funnel's four stages, and how many leads of a cohort get from one to the next, also while some are under way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import NamedTuple

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


# leads that are still under way


class Spell(NamedTuple):
	"""How long some leads that had reached a stage were seen on their way to the next: for how many days (not
	negative), and what ended that: they have `reached` it, have `exited`, or are still `open`. `leads` is how many did
	so alike."""

	days: float
	end: str
	leads: int = 1


REACHED, EXITED, OPEN = ("reached", "exited", "open")


@dataclass(frozen=True)
class Point:
	"""A day on which somebody reached the stage or left: how many were under way until then, how many did either on it,
	and the shares (0 to 1) of all leads that had done so by its end."""

	day: float
	at_risk: int
	reached: int
	exited: int
	share_reached: float
	share_exited: float


@dataclass(frozen=True)
class Curve:
	"""The share of a cohort that has reached a stage by each day; see `incidence`.

	`leads` are all, `open` those still under way, `seen_for` the days that the longest under way of them was seen.
	"""

	points: tuple[Point, ...]
	leads: int
	open: int
	seen_for: float

	def by(self, days: float | None = None) -> float | None:
		"""The share that reaches the stage within so many days, or at all as far as that is known; None, if there is no
		lead, or no lead was seen for so long and some are still under way (`is_too_young`)."""
		if not self.leads or (days is not None and self.is_too_young(days)):
			return None
		known = self.points if days is None else [point for point in self.points if point.day <= days]
		return known[-1].share_reached if known else 0.0

	def is_too_young(self, days: float) -> bool:
		"""Whether nobody can say yet how many get there within so many days: leads are still under way, and none that
		was seen for so long tells how those go on."""
		return bool(self.open) and self.seen_for < days and not self._is_over

	@property
	def _is_over(self) -> bool:
		return bool(self.points) and 1 - self.points[-1].share_reached - self.points[-1].share_exited < 1e-12


@dataclass(frozen=True)
class Rate:
	"""A share between 0 and 1 (None of nothing, or of a cohort `is_too_young` to say), and of how many leads.

	`is_small` marks a share of fewer leads than it takes to judge by it.
	"""

	share: float | None
	leads: int
	is_small: bool
	is_too_young: bool = False


def rate(part: int, whole: int, minimum: int) -> Rate:
	"""The plain share of `part` in `whole`."""
	return Rate(_share(part, whole), whole, whole < minimum)


def rate_within(curve: Curve, days: float | None, minimum: int) -> Rate:
	"""The share of a cohort that reaches a stage within so many days, or at all as far as is known."""
	is_too_young = days is not None and curve.is_too_young(days)
	return Rate(curve.by(days), curve.leads, curve.leads < minimum, is_too_young)


def incidence(spells: Iterable[Spell]) -> Curve:
	"""The cumulative incidence of reaching a stage, with exits as the competing event and open leads at risk until the
	day on which they were seen last.

	The estimator of Aalen and Johansen: O. O. Aalen, S. Johansen, An Empirical Transition Matrix for Non-homogeneous
	Markov Chains Based on Censored Observations, Scandinavian Journal of Statistics 5 (1978), 141-150. Of those under
	way before a day, the share that reaches the stage on it is that of those at risk; who exits is at risk no more. Who
	was seen last on a day is at risk on it. Without open leads it is the plain share; without exits it is one less the
	estimate of Kaplan and Meier.
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
	"""The day by which so large a share (0 to 1) gets there, of those who are not kept from it by an exit; None, if it
	is not known yet.

	By the estimate of Kaplan and Meier (E. L. Kaplan, P. Meier, Nonparametric Estimation from Incomplete Observations,
	Journal of the American Statistical Association 53 (1958), 457-481), to which who exits is one seen no longer: of
	leads that have all got there it is the smallest day by which the share has, for 0.5 the lower median.
	"""
	without_exits = (Spell(days, OPEN if end == EXITED else end, leads) for days, end, leads in spells)
	curve = incidence(without_exits)
	# a share of whole leads may come to a hair less than itself
	return next((point.day for point in curve.points if point.share_reached >= share - 1e-12), None)


def reached_at(
	entered: Mapping[str, datetime | None], stages: Sequence[str] = STAGES
) -> dict[str, datetime | None]:
	"""When a lead had come to each stage: when it entered that or a later one first; None, if it has not."""
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
	"""How a lead that came to a stage at `start` was seen on its way to the next, up to `until`; None, if it had not
	come so far by then. All instants in one zone.

	Whoever reaches the goal has reached it, also after an exit that has not held. What lies before the start counts as at
	it.
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
