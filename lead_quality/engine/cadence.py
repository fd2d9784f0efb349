"""A nurture cadence: which step comes next, and when it is due."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

from lead_quality.engine.clock import real_time_later
from lead_quality.engine.working_time import WorkingCalendar

POSITIVE = frozenset({"Positive", "Meeting Booked"})
NEGATIVE = frozenset({"Negative"})


@dataclass(frozen=True)
class Step:
	"""One planned touch. `repeat_every` is in `delay_unit`; 0 means once."""

	step: str
	channel: str
	anchor: str = "Previous Touch"
	delay: int = 0
	delay_unit: str = "Working Days"
	repeat_every: int = 0
	on_positive: str = "Continue"
	on_negative: str = "Stop"
	date_field: str = ""


@dataclass(frozen=True)
class Move:
	"""What follows a touch. `kind` is Step, Repeat, Finish, Stop or Closed; `index` is the next step."""

	kind: str
	index: int | None = None


def next_move(steps: Sequence[Step], done: int, outcome: str | None) -> Move:
	"""What follows step number `done` (0 is the first) when its outcome is `outcome`."""
	step = steps[done]
	if outcome in NEGATIVE and step.on_negative == "Stop":
		return Move("Stop")
	if outcome in POSITIVE and step.on_positive == "Finish":
		return Move("Finish")
	if done + 1 < len(steps):
		return Move("Step", done + 1)
	if step.repeat_every:
		return Move("Repeat", done)
	return Move("Finish")


def skip_closed(steps: Sequence[Step], move: Move, closed: Collection[str]) -> tuple[Move, tuple[int, ...]]:
	"""The move, advanced to the next step on an open channel if necessary, and the indexes of the skipped steps.

	The move is Closed if no remaining step is on an open channel.

	:param closed: the channels that the person has opted out of.
	"""
	passed: list[int] = []
	while move.index is not None and steps[move.index].channel in closed:
		if move.kind == "Step":
			passed.append(move.index)
		last = move.index + 1 == len(steps)
		move = Move("Closed") if last else Move("Step", move.index + 1)
	return move, tuple(passed)


def due_at(
	step: Step,
	anchors: Mapping[str, datetime | None],
	calendar: WorkingCalendar,
	not_before: datetime,
	repeated: bool = False,
) -> datetime:
	"""When a touch of `step` is due: never in the past, never outside the calendar's hours.

	:param anchors: instants (aware) by anchor name; a missing one falls back to Enrollment, so that a lead
	    does not wait for an acceptance that has not happened yet.
	:param not_before: aware; the earliest result.
	:param repeated: the touch repeats its step, `repeat_every` after the previous touch.
	"""
	if repeated:
		start, amount = anchors.get("Previous Touch"), step.repeat_every
	else:
		start, amount = anchors.get(step.anchor), step.delay
	if start is None:
		start = anchors["Enrollment"]
	assert start is not None
	# compared in UTC: within one zone Python compares wall clocks
	due = max(shift(start, amount, step.delay_unit, calendar), not_before, key=lambda at: at.timestamp())
	return due if calendar.is_open(due) else calendar.next_opening(due)


def shift(start: datetime, amount: int, unit: str, calendar: WorkingCalendar) -> datetime:
	"""`start` (aware) moved on by `amount` of `unit`; 31 January plus one month is the last of February.

	Days, Weeks and Months keep the time of day in the calendar's zone.

	:raises ValueError: for an unknown unit.
	"""
	if unit == "Minutes":
		return real_time_later(start, timedelta(minutes=amount), calendar)
	if unit == "Hours":
		return real_time_later(start, timedelta(hours=amount), calendar)
	if unit == "Working Hours":
		return calendar.deadline(start, amount * 3600)
	if unit == "Working Days":
		return calendar.add_working_days(start, amount)
	local = start.astimezone(calendar.zone)
	if unit == "Days":
		return local + timedelta(days=amount)
	if unit == "Weeks":
		return local + timedelta(weeks=amount)
	if unit == "Months":
		return local + relativedelta(months=amount)
	raise ValueError(f"unknown unit {unit!r}")


@dataclass(frozen=True)
class Oddity:
	"""A probable mistake in a plan. `kind` is No Delay (due as soon as the previous step is done) or Same Time (due at
	the same time as step number `other`); `index` is the step concerned."""

	kind: str
	index: int
	other: int


def odd_steps(steps: Sequence[Step]) -> list[Oddity]:
	"""Probable mistakes in a plan, in the order of its steps. They are warnings only, because they may be intended."""
	found = []
	first_at: dict[tuple[str, str, int, str], int] = {}
	for index, step in enumerate(steps):
		if step.anchor == "Previous Touch":
			if index and not step.delay:
				found.append(Oddity("No Delay", index, index - 1))
			continue
		# a delay of 0 is the same in every unit
		at = (step.anchor, step.date_field, step.delay, step.delay_unit if step.delay else "")
		if at in first_at:
			found.append(Oddity("Same Time", index, first_at[at]))
		else:
			first_at[at] = index
	return found
