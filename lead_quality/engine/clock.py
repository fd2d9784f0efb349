"""Deadlines: when a clock is due and when it warns, its state, and what stops it."""

from datetime import datetime, timedelta, timezone

from lead_quality.engine.conversion import is_two_way
from lead_quality.engine.working_time import WorkingCalendar

CLOCKS = ("Triage", "First Response", "Next Touch", "Handover Acceptance", "First Touch After Acceptance")

# Outcomes of attempts that did not reach the lead, and channels on which a conversation started by the lead counts as
# a response.
UNREACHED = ("Bounced", "Wrong Data")
TALKS = ("Phone", "Visit", "Meeting")

# The alert levels of a clock; those of its escalation ladder go on from there.
WARNING, MISSED = 1, 2

# A snooze pauses the clocks that wait for a contact with the lead. The next touch moves with the cadence; triage and
# acceptance are internal decisions and do not pause.
PAUSED_BY_SNOOZE = ("First Response", "First Touch After Acceptance")

# Events, and the clocks that each of them stops.
STOPPED_BY: dict[str, tuple[str, ...]] = {
	"human touch": ("First Response", "First Touch After Acceptance"),
	# only if enabled in the settings
	"status moved": ("First Response",),
	"planned touch": ("Next Touch",),
	"triage decision": ("Triage",),
	"handover decision": ("Handover Acceptance",),
}


def due_at(start: datetime, within: float, unit: str, calendar: WorkingCalendar) -> datetime:
	"""The deadline of a clock that starts at `start`.

	:param start: aware.
	:param within: how long the clock runs, in `unit`.
	:param unit: Minutes and Hours are real time; Days keep the time of day; Working Hours count the
	    calendar's open time; Working Days keep the time of day (a fraction of a working day counts as one).
	:returns: aware, in the calendar's zone.
	:raises ValueError: for an unknown unit or a negative time.
	"""
	if within < 0:
		raise ValueError("a deadline cannot lie before its start")
	if unit == "Working Hours":
		return calendar.deadline(start, round(within * 3600))
	if unit == "Working Days":
		return calendar.add_working_days(start, int(-(-within // 1)))
	if unit == "Minutes":
		return real_time_later(start, timedelta(minutes=within), calendar)
	if unit == "Hours":
		return real_time_later(start, timedelta(hours=within), calendar)
	if unit == "Days":
		return start.astimezone(calendar.zone) + timedelta(days=within)
	raise ValueError(f"unknown unit {unit!r}")


def real_time_later(start: datetime, span: timedelta, calendar: WorkingCalendar) -> datetime:
	"""`start` (aware) moved on by real time, in the calendar's zone.

	Computed in UTC: within one zone Python counts wall-clock time, which is an hour off at daylight-saving changes.
	"""
	return (start.astimezone(timezone.utc) + span).astimezone(calendar.zone)


def warn_at(start: datetime, due: datetime, percent: float, unit: str, calendar: WorkingCalendar) -> datetime:
	"""The instant at which `percent` of the clock's time has passed: of its working time for working units.

	:param start: aware, as is `due`.
	"""
	share = min(max(percent, 0.0), 100.0) / 100
	if unit.startswith("Working"):
		return calendar.deadline(start, int(calendar.elapsed(start, due) * share))
	span = due.astimezone(timezone.utc) - start.astimezone(timezone.utc)
	return real_time_later(start, span * share, calendar)


def later(start: datetime, seconds: int, unit: str, calendar: WorkingCalendar) -> datetime:
	"""`start` (aware) plus seconds of a clock's unit, in the calendar's zone: working seconds for working units."""
	if unit.startswith("Working"):
		return calendar.deadline(start, seconds)
	return real_time_later(start, timedelta(seconds=seconds), calendar)


def spent(start: datetime, end: datetime, unit: str, calendar: WorkingCalendar) -> int:
	"""Whole seconds of a clock's unit between two aware instants; 0 if `end` lies before `start`."""
	seconds = int(end.timestamp()) - int(start.timestamp())
	if seconds <= 0:
		return 0
	return calendar.elapsed(start, end) if unit.startswith("Working") else seconds


def state(
	status: str,
	warn: datetime | None,
	due: datetime,
	now: datetime,
	paused_until: datetime | None = None,
) -> str:
	"""What to show for a clock: Running, Paused, Warning, Overdue, or its final status.

	A clock is overdue once its deadline has passed, and running again once its pause has ended, even if no job has
	run since.

	:param now: in the zone of `warn`, `due` and `paused_until` (all aware, or all naive in one zone).
	"""
	if status == "Paused" and paused_until is not None and now < paused_until:
		return status
	if status not in {"Running", "Paused"}:
		return status
	if now > due:
		return "Overdue"
	if warn is not None and now >= warn:
		return "Warning"
	return "Running"


def final_status(due: datetime, stopped: datetime) -> str:
	"""Met if the clock was stopped at its deadline or before, else Missed. Both in one zone."""
	return "Met" if stopped <= due else "Missed"


def is_human_touch(
	status: str, is_automatic: bool, direction: str, channel: str, outcome: str | None
) -> bool:
	"""Whether a contact attempt is a person's response to the lead.

	An unanswered call is one, and so is a conversation that the lead began. An automatic mail, incoming mail alone, a
	bounce and a wrong number are not.
	"""
	if status != "Done" or is_automatic or outcome in UNREACHED:
		return False
	return direction == "Outbound" or (channel in TALKS and is_two_way(outcome))
