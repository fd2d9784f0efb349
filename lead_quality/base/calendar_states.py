"""How a Working Calendar counts working time now, and how it did in the past.

A state is the calendar as plain data: `zone`, the `hours` of each weekday, the `holidays`, and the `special` hours of
single dates. A calendar also keeps the eras in which it had another state: a past holiday stays a holiday when the
calendar gets next year's list, and past hours stay when hours change.
"""

import json
from datetime import date, datetime, time, timedelta, timezone

import frappe
from frappe.utils import cint, getdate

from lead_quality.base.versions import is_half_day
from lead_quality.engine.working_time import Era, WorkingCalendar, half_day

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ONE_DAY = timedelta(days=1)


def state_of(doc, holiday_list=None) -> dict:
	"""The state of a Working Calendar document, saved or not.

	:param holiday_list: its Holiday List, if that is being saved.

	The hours of a single date override its holiday, and a holiday overrides the weekday. A half day has the first half of
	its weekday's hours.

	:raises ValueError: if the hours of a half day are turned around or overlap.
	"""
	hours: dict[int, list[tuple[time, time]]] = {}
	for row in doc.hours:
		hours.setdefault(WEEKDAYS.index(row.weekday), []).append(_interval(row))
	holidays: set[date] = set()
	special: dict[date, list[tuple[time, time]]] = {}
	if doc.holiday_list:
		for row in (holiday_list or frappe.get_cached_doc("Holiday List", doc.holiday_list)).holidays:
			day = getdate(row.holiday_date)
			if is_half_day(row) and hours.get(day.weekday()):
				special[day] = list(half_day(hours[day.weekday()]))
			else:
				holidays.add(day)
	dated: dict[date, list[tuple[time, time]]] = {}
	for row in doc.get("special_hours") or []:
		intervals = dated.setdefault(getdate(row.date), [])
		if not cint(row.closed):
			intervals.append(_interval(row))
	special.update(dated)
	return {
		"zone": doc.time_zone,
		"hours": {str(day): _as_text(hours[day]) for day in sorted(hours)},
		"holidays": sorted(str(day) for day in holidays),
		"special": {str(day): _as_text(special[day]) for day in sorted(special)},
	}


def _interval(row) -> tuple[time, time]:
	return clock_time(row.opens), clock_time(row.closes, is_end=True)


def _as_text(intervals: list[tuple[time, time]]) -> list[list[str]]:
	return [[opens.isoformat(), closes.isoformat()] for opens, closes in sorted(intervals)]


def _as_times(intervals: list[list[str]]) -> list[tuple[time, time]]:
	return [(time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in intervals]


def clock_time(value: timedelta | time | str | None, is_end: bool = False) -> time:
	"""A Time field's value, which Frappe gives as a timedelta or as text, as a time of day; an empty one is midnight.

	:param is_end: midnight, and any time of the day's last minute, mean the end of the day.
	"""
	if isinstance(value, time):
		moment = value
	else:
		if not isinstance(value, timedelta):
			parts = [int(float(part)) for part in (value or "0").split(":")] + [0, 0]
			value = timedelta(hours=parts[0], minutes=parts[1], seconds=parts[2])
		seconds = int(value.total_seconds())
		moment = time.max if seconds >= 86400 else time(seconds // 3600, seconds % 3600 // 60, seconds % 60)
	if is_end and moment.replace(second=0, microsecond=0) in {time(0), time(23, 59)}:
		return time.max
	return moment


def calendar_of(state: dict, eras: list[dict] | None = None, zone: str | None = None) -> WorkingCalendar:
	"""The engine's object for a state.

	:param eras: `start`, `end` and `state` of each, as `record` keeps them.
	:param zone: read the hours in this zone instead of the calendar's own.
	:raises ValueError: if hours overlap, are turned around, or are missing, or a zone is unknown.
	"""
	return WorkingCalendar(
		{int(day): _as_times(intervals) for day, intervals in state["hours"].items()},
		[date.fromisoformat(day) for day in state["holidays"]],
		zone or state["zone"],
		{date.fromisoformat(day): _as_times(intervals) for day, intervals in state["special"].items()},
		[
			Era(
				datetime.fromisoformat(era["start"]),
				datetime.fromisoformat(era["end"]),
				calendar_of(era["state"], zone=zone),
			)
			for era in eras or []
		],
	)


def record(history: dict | None, state: dict, now: datetime) -> dict:
	"""The history of a calendar that counts by a state from now on.

	An era is only added if the new state would change past working time: next year's holidays do not.

	:param history: `since`, the `state` that has counted since then, and the `eras` before; None for a new calendar.
	:param now: aware.
	"""
	if not history:
		return {"since": _instant(now), "state": state, "eras": []}
	since, before = datetime.fromisoformat(history["since"]), history["state"]
	if state == before:
		return history
	if since >= now or not calendar_of(before).differs(calendar_of(state), since, now):
		return {**history, "state": state}
	era = {"start": history["since"], "end": _instant(now), "state": _within(before, since, now)}
	return {"since": _instant(now), "state": state, "eras": [*history["eras"], era]}


def _instant(at: datetime) -> str:
	return at.astimezone(timezone.utc).isoformat(timespec="seconds")


def _within(state: dict, start: datetime, end: datetime) -> dict:
	"""A state without the dates outside a span."""
	first, last = str((start - ONE_DAY).date()), str((end + ONE_DAY).date())
	return {
		**state,
		"holidays": [day for day in state["holidays"] if first <= day <= last],
		"special": {day: hours for day, hours in state["special"].items() if first <= day <= last},
	}


def eras_in(history: str | None) -> list[dict]:
	"""The eras in the text that a Working Calendar keeps of its history."""
	return json.loads(history)["eras"] if history else []


def keep_history(name: str, now: datetime, holiday_list=None) -> bool:
	"""Update the history of a Working Calendar, so that past working time stays as it was counted.

	:param now: aware.
	:param holiday_list: its Holiday List, if that is being saved.
	:returns: whether it now counts differently.
	"""
	text = frappe.db.get_value("Working Calendar", name, "history", for_update=True)
	before = json.loads(text) if text else None
	try:
		after = record(before, state_of(frappe.get_doc("Working Calendar", name), holiday_list), now)
	except ValueError:
		return False  # the hours were emptied without the form: nothing can be counted
	if after == before:
		return False
	frappe.db.set_value("Working Calendar", name, "history", json.dumps(after), update_modified=False)
	frappe.clear_document_cache("Working Calendar", name)
	return True
