"""When a step of the funnel has fallen under its target, and by which leads that is told."""

from datetime import date, timedelta
from decimal import Decimal

# so many days of entries tell the rate of a step
PERIOD = 90

BELOW, MET, UNKNOWN = ("Below", "Met", "Too Few Leads")


def cohort(day: date, within_days: int) -> tuple[date, date]:
	"""The days on which the leads came in by which a step is judged on a day, first and last: the last 90 of which every
	lead has had its days in full.

	:param within_days: of its entry; 0, if the target names none: then a lead has its say after 90 days.
	"""
	last = day - timedelta(days=(within_days or PERIOD) + 1)
	return last - timedelta(days=PERIOD - 1), last


def judge(reached: int, leads: int, rate: float, minimum: int) -> str:
	"""Whether so many of so many leads are what a target asks for.

	:param rate: in percent.
	:param minimum: of fewer leads nothing is said, and of none either.
	"""
	if leads < max(minimum, 1):
		return UNKNOWN
	# as it was entered: 0.1 + 0.2 is not 0.3
	return BELOW if reached * 100 < Decimal(str(rate)) * leads else MET


def is_to_be_told(state: str, was_told: bool) -> tuple[bool, bool]:
	"""Whether the owner of a step is to be told now, and whether it stands as told from now on.

	Once it was told that a step is below its target, it is not told again until it has recovered. Too few leads change
	nothing.
	"""
	if state == UNKNOWN:
		return False, was_told
	return state == BELOW and not was_told, state == BELOW
