"""Funnel Targets: which leads a step of the funnel is judged by, and whether its rate is below the target."""

from datetime import date, timedelta
from decimal import Decimal

# days of entries that a step's rate is computed from
PERIOD = 90

BELOW, MET, UNKNOWN = ("Below", "Met", "Too Few Leads")


def cohort(day: date, within_days: int) -> tuple[date, date]:
	"""The first and the last day of entry of the leads that a step is judged by on `day`: the latest 90 days whose leads
	have all had their time to reach the step.

	:param within_days: days from its entry that a lead has to reach the step; 0 if the target names none, then 90.
	:returns: calendar days in the site's zone, both included.
	"""
	last = day - timedelta(days=(within_days or PERIOD) + 1)
	return last - timedelta(days=PERIOD - 1), last


def judge(reached: int, leads: int, rate: float, minimum: int) -> str:
	"""Whether a step is below its target: `BELOW`, `MET`, or `UNKNOWN` for too few leads.

	:param reached: how many of the `leads` have reached the step in time.
	:param rate: the target, in percent of the leads.
	:param minimum: the number of leads below which a rate says nothing; at least 1.
	"""
	if leads < max(minimum, 1):
		return UNKNOWN
	# the rate as it was entered: a binary fraction would miss a target that is met exactly
	return BELOW if reached * 100 < Decimal(str(rate)) * leads else MET


def is_to_be_told(state: str, was_told: bool) -> tuple[bool, bool]:
	"""Whether to tell the owner of a step now, and whether the owner counts as told from now on.

	An owner is told once that a step is below its target, and again only after the step has met it. Too few leads change
	nothing.

	:param state: what `judge` has returned; `was_told` the second value of the previous call.
	"""
	if state == UNKNOWN:
		return False, was_told
	return state == BELOW and not was_told, state == BELOW
