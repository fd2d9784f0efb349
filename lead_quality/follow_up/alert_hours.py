"""Alert hours: users are notified within the hours of the settings, in their own time zone.

Deadlines do not depend on them: one in real time may pass at night, and is missed then. Its alert waits until the hours
begin, and so does the ladder. Without hours in the settings, users are notified at once.
"""

from datetime import datetime

import frappe
from frappe.utils import get_system_timezone

from lead_quality.base.calendar_states import calendar_of, state_of
from lead_quality.base.site_time import aware, naive
from lead_quality.engine.working_time import NoWorkingTime, WorkingCalendar


class AlertHours:
	"""The hours of the settings, read once."""

	def __init__(self):
		self._name = frappe.get_cached_doc("Lead Quality Settings").alert_hours
		self._by_zone: dict[str, WorkingCalendar] = {}

	def opens_at(self, user: str | None, at: datetime) -> datetime:
		"""When a user may first be notified of an alert raised at `at`: at once, or when the hours next begin.

		Both instants are naive, in the site's zone.
		"""
		if not self._name:
			return at
		try:
			opens = naive(self._hours_of(user).next_opening(aware(at)))
		except NoWorkingTime:
			return at  # hours that never begin would hold back every alert
		return max(at, opens)

	def _hours_of(self, user: str | None) -> WorkingCalendar:
		zone = (user and frappe.get_cached_value("User", user, "time_zone")) or get_system_timezone()
		if zone not in self._by_zone:
			state = state_of(frappe.get_cached_doc("Working Calendar", self._name))
			self._by_zone[zone] = calendar_of(state, zone=zone)
		return self._by_zone[zone]
