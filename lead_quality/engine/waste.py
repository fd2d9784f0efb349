"""When a lead is wasted: a number of working days after it came in or sales accepted it, it has no touch by a person, no
decision with a reason, and no planned cadence step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lead_quality.engine.working_time import WorkingCalendar

# what the time without action is counted from
ENTRY, ACCEPTANCE = "Entry", "Acceptance"


@dataclass(frozen=True)
class LeadFacts:
	"""What is known of one lead; all instants in one zone.

	`last_touch_at`: the last touch by a person. `decided_at`: when the lead was last disqualified or postponed with a
	reason, its handover was declined with a reason, it was lost, or it opted out. `next_step_at`: the next step of its
	cadence, which may be snoozed. `is_pursued`: it has an opportunity or an order.
	"""

	entered_at: datetime
	accepted_at: datetime | None = None
	last_touch_at: datetime | None = None
	decided_at: datetime | None = None
	next_step_at: datetime | None = None
	is_pursued: bool = False


def wasted_since(facts: LeadFacts, latest_start: datetime, now: datetime) -> str | None:
	"""Whether a lead is wasted at `now`: since its Entry, since its Acceptance, or None if it is not.

	Touches and decisions before the entry count for the entry; those before the acceptance do not count for the
	acceptance.

	:param latest_start: see `latest_start`, with the lead's calendar.
	"""
	start, kind = (facts.accepted_at, ACCEPTANCE) if facts.accepted_at else (facts.entered_at, ENTRY)
	done = [at for at in (facts.last_touch_at, facts.decided_at) if at is not None]
	is_done = any(at >= start for at in done) if kind == ACCEPTANCE else bool(done)
	has_plan = facts.next_step_at is not None and facts.next_step_at > now
	if start > latest_start or is_done or has_plan or facts.is_pursued:
		return None
	return kind


def latest_start(now: datetime, days: int, calendar: WorkingCalendar | None) -> datetime:
	"""The latest instant, in whole seconds, since which that number of working days (without a calendar: days) has passed
	at `now`. A whole table can then be compared with one instant.

	:param now: aware.
	:returns: aware, in the zone of `now`.
	"""
	now = now.replace(microsecond=0)
	if calendar is None:
		return now - timedelta(days=days)
	# a later start is due later, so the limit is found by bisection
	span = timedelta(days=days + 1)
	while calendar.add_working_days(now - span, days) > now:
		span *= 2
	old_enough, too_young = now - span, now + timedelta(seconds=1)
	while too_young - old_enough > timedelta(seconds=1):
		middle = old_enough + timedelta(seconds=(too_young - old_enough) // timedelta(seconds=2))
		if calendar.add_working_days(middle, days) <= now:
			old_enough = middle
		else:
			too_young = middle
	return old_enough
