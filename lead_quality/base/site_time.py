"""Conversion between database and engine: instants in the site's zone become aware, calendars become engine objects.

The database stores naive instants in the site's zone; the engine takes and returns aware instants.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import flt, format_datetime, get_datetime, get_system_timezone, now_datetime

from lead_quality.base.calendar_states import calendar_of, eras_in, state_of
from lead_quality.engine.clock import due_at
from lead_quality.engine.working_time import WorkingCalendar

# a longer time is a typing error
LONGEST_SPAN = timedelta(days=3660)


def aware(site_instant: datetime | str) -> datetime:
	"""An aware instant from a naive one in the site's zone, cut to the whole second."""
	return get_datetime(site_instant).replace(microsecond=0, tzinfo=ZoneInfo(get_system_timezone()))


def naive(instant: datetime) -> datetime:
	"""An aware instant as stored in the database: naive, in the site's zone."""
	return instant.astimezone(ZoneInfo(get_system_timezone())).replace(tzinfo=None)


def format_for_user(instant: datetime, user: str) -> str:
	"""A naive instant of the site's zone in words, in the user's zone, which is named if it differs from the site's."""
	zone = frappe.get_cached_value("User", user, "time_zone")
	if not zone or zone == get_system_timezone():
		return format_datetime(instant)
	local = aware(instant).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
	return f"{format_datetime(local)} ({zone})"


def seconds_between(
	start: datetime | str, end: datetime | str, calendar: WorkingCalendar | None = None
) -> int:
	"""Whole seconds between two naive instants in the site's zone: working seconds with a calendar, else real seconds.

	0 if `end` lies before `start`.
	"""
	begin, finish = aware(start), aware(end)
	# computed in UTC: within one zone Python counts wall-clock time
	seconds = int(finish.timestamp() - begin.timestamp())
	if seconds <= 0:
		return 0
	return calendar.elapsed(begin, finish) if calendar else seconds


def can_count(span: float, unit: str, calendar: str) -> bool:
	"""Whether a span that begins now ends within ten years.

	:param calendar: a Working Calendar. With one that is never open, no span ends.
	:param unit: if empty, the result is true: Frappe reports the mandatory field.
	"""
	if not unit:
		return True
	now = aware(now_datetime())
	try:
		return due_at(now, flt(span), unit, get_calendar(calendar)) <= now + LONGEST_SPAN
	except (OverflowError, ValueError):
		return False


def get_calendar(name: str) -> WorkingCalendar:
	"""The engine's object for a Working Calendar.

	Built once per process for each saved state of the calendar, its history and its Holiday List.

	:raises NoWorkingTime: if the calendar has no opening hours.
	"""
	doc = frappe.get_cached_doc("Working Calendar", name)
	holidays_modified = (
		frappe.get_cached_value("Holiday List", doc.holiday_list, "modified") if doc.holiday_list else None
	)
	return _build_calendar(
		frappe.local.site, name, str(doc.modified), doc.holiday_list, str(holidays_modified), doc.history
	)


@lru_cache(maxsize=64)
def _build_calendar(
	site: str,
	name: str,
	modified: str,
	holiday_list: str | None,
	holidays_modified: str,
	history: str | None,
) -> WorkingCalendar:
	return build_calendar(frappe.get_cached_doc("Working Calendar", name))


def build_calendar(doc) -> WorkingCalendar:
	"""The engine's object for a Working Calendar document, saved or not.

	:raises ValueError: if its hours overlap, are turned around, or are missing, or its zone is unknown.
	"""
	return calendar_of(state_of(doc), eras_in(doc.get("history")))
