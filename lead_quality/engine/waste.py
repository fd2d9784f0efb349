"""When a lead is wasted: so many working days after it came in, or after sales accepted it, nobody has been in touch with
it, nobody has decided about it with a reason, and no step of a plan lies before it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lead_quality.engine.working_time import WorkingCalendar

# since when nothing was done
ENTRY, ACCEPTANCE = "Entry", "Acceptance"


@dataclass(frozen=True)
class LeadFacts:
	"""What is known of one lead; all instants in one zone.

	`last_touch_at` is that of a person's touch; `decided_at` when somebody last disqualified it or put it off with a
	reason, declined its handover with one, or it was lost or asked for no contact; `next_step_at` when its plan, which may
	be snoozed, goes on. Of a lead that `is_pursued` an opportunity stands.
	"""

	entered_at: datetime
	accepted_at: datetime | None = None
	last_touch_at: datetime | None = None
	decided_at: datetime | None = None
	next_step_at: datetime | None = None
	is_pursued: bool = False


def wasted_since(facts: LeadFacts, latest_start: datetime, now: datetime) -> str | None:
	"""Since when a lead is wasted at `now`: its Entry, its Acceptance, or None if it is not.

	What was done before the lead came in counts for its entry, and nothing that was done before sales accepted it counts
	for that.

	:param latest_start: see `latest_start`, of the calendar that counts for the lead.
	"""
	start, kind = (facts.accepted_at, ACCEPTANCE) if facts.accepted_at else (facts.entered_at, ENTRY)
	done = [at for at in (facts.last_touch_at, facts.decided_at) if at is not None]
	is_done = any(at >= start for at in done) if kind == ACCEPTANCE else bool(done)
	has_plan = facts.next_step_at is not None and facts.next_step_at > now
	if start > latest_start or is_done or has_plan or facts.is_pursued:
		return None
	return kind


def latest_start(now: datetime, days: int, calendar: WorkingCalendar | None) -> datetime:
	"""The latest instant, in whole seconds, from which so many working days have passed by `now`; without a calendar, so
	many days. So whatever began by then is `days` old, and one comparison of instants tells of a whole table.

	:param now: aware.
	:returns: aware, in the zone of `now`.
	"""
	now = now.replace(microsecond=0)
	if calendar is None:
		return now - timedelta(days=days)
	# what begins later is due later: the border is found by halves, from a start that is old enough
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
