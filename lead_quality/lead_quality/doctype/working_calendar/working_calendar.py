from datetime import date, time, timedelta

import frappe
from frappe import _
from frappe.utils import cint, format_date, format_time, getdate, now_datetime

from lead_quality.base.calendar_states import WEEKDAYS, clock_time, keep_history, state_of
from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import refuse_deletion_in_use
from lead_quality.base.site_time import aware, build_calendar
from lead_quality.follow_up.replan import replan_later
from lead_quality.people.absence import today
from lead_quality.qualification.definitions import clear_caches

USES = (
	("Follow Up Policy", "working_calendar"),
	("Nurture Cadence", "working_calendar"),
	("Sales Ready Agreement", "working_calendar"),
	("Follow Up Clock", "working_calendar"),
	("Lead Quality Settings", "alert_hours"),
)
DAYS_SHOWN = 14


class WorkingCalendar(OwnDocument):
	def onload(self):
		if not self.is_new():
			self.set_onload("preview", next_days(self, today()))

	def validate(self):
		self.protect_history()
		self.check_hours()
		self.warn_of_hours_that_never_count()
		self.warn_of_dates_that_have_passed()

	def on_update(self):
		keep_history(self.name, aware(now_datetime()))
		if self.get_doc_before_save():
			replan_later(self.name)

	def protect_history(self):
		before = self.get_doc_before_save()
		self.history = before.history if before else None

	def check_hours(self):
		rows = [*self.hours, *(row for row in self.special_hours if not cint(row.closed))]
		if any(
			row.get(field) in (None, "") for row in rows for field in (_day_field(row), "opens", "closes")
		):
			self.check_special_rows_are_complete()
			return  # Frappe reports the missing value next
		self.check_rows(rows)
		self.check_closed_dates()
		try:
			build_calendar(self)
		except (ValueError, KeyError) as error:
			frappe.throw(_("These opening hours cannot be used: {0}").format(error))

	def check_special_rows_are_complete(self):
		for row in self.special_hours:
			if row.date and not cint(row.closed) and "" in (row.opens or "", row.closes or ""):
				frappe.throw(
					_("{0}: say when it opens and closes on {1}, or tick Closed All Day.").format(
						_place(row), frappe.bold(_day(row))
					),
					frappe.MandatoryError,
				)

	def check_rows(self, rows: list):
		"""Checks of the engine, repeated here to name the row."""
		seen: list[tuple] = []
		for row in rows:
			opens, closes = clock_time(row.opens), clock_time(row.closes, is_end=True)
			if opens >= closes:
				frappe.throw(_how_to_write_it(row))
			for other, other_opens, other_closes in seen:
				if _day_key(other) == _day_key(row) and opens < other_closes and other_opens < closes:
					frappe.throw(
						_("{0}: the hours of {1} overlap those of row {2}.").format(
							_place(row), frappe.bold(_day(row)), other.idx
						)
					)
			seen.append((row, opens, closes))

	def check_closed_dates(self):
		open_dates = {getdate(row.date) for row in self.special_hours if not cint(row.closed)}
		for row in self.special_hours:
			if cint(row.closed) and getdate(row.date) in open_dates:
				frappe.throw(
					_("{0}: {1} is closed all day, and another row has hours for it.").format(
						_place(row), frappe.bold(_day(row))
					)
				)

	def warn_of_hours_that_never_count(self):
		"""Warn of hours on a weekday that the Holiday List closes, for example as weekly off."""
		if not self.holiday_list:
			return
		holiday_list = frappe.get_cached_doc("Holiday List", self.holiday_list)
		closed = [date.fromisoformat(day).weekday() for day in state_of(self)["holidays"]]
		for number in sorted({WEEKDAYS.index(row.weekday) for row in self.hours}):
			all_of_them = _count_of(number, getdate(holiday_list.from_date), getdate(holiday_list.to_date))
			if closed.count(number) * 2 > all_of_them > 0:
				frappe.msgprint(
					_(
						"{0}: the Holiday List {1} closes {2} of {3} such days, and it overrides the weekday. These hours do not count on those days. Take the weekday out of the list, or enter the days on which you open under Hours of Single Dates."
					).format(
						frappe.bold(_(WEEKDAYS[number])),
						frappe.bold(self.holiday_list),
						closed.count(number),
						all_of_them,
					),
					title=_("Hours That Do Not Count"),
					indicator="orange",
				)

	def warn_of_dates_that_have_passed(self):
		before = self.get_doc_before_save()
		known = {_values(row) for row in before.special_hours} if before else set()
		passed = [
			row
			for row in self.special_hours
			if row.date and getdate(row.date) < today() and _values(row) not in known
		]
		if passed and before:
			frappe.msgprint(
				_("{0} has passed. Past time stays as it was counted: no deadline moves.").format(
					", ".join(frappe.bold(_day(row)) for row in passed)
				),
				title=_("Hours of a Day That Has Passed"),
				indicator="orange",
			)

	def after_rename(self, old, new, merge=False):
		clear_caches()

	def on_trash(self):
		refuse_deletion_in_use(self, USES, _("Choose another calendar there first."))


def next_days(calendar, first: date) -> list[dict]:
	"""The next two weeks of a Working Calendar document: `day`, and its `hours` in words."""
	state = state_of(calendar)
	days = []
	for day in (first + timedelta(days=number) for number in range(DAYS_SHOWN)):
		key = str(day)
		if key in state["special"]:
			hours, why = state["special"][key], _("a date of its own")
		elif key in state["holidays"]:
			hours, why = [], _("a holiday")
		else:
			hours, why = state["hours"].get(str(day.weekday()), []), ""
		words = ", ".join(f"{_hour(opens)} – {_hour(closes)}" for opens, closes in hours) or _("closed")
		days.append(
			{
				"day": f"{_(WEEKDAYS[day.weekday()])}, {format_date(day)}",
				"hours": f"{words} ({why})" if why else words,
				"is_open": bool(hours),
			}
		)
	return days


def _hour(clock: str) -> str:
	moment = time.fromisoformat(clock)
	return _("midnight") if moment == time.max else format_time(moment, "HH:mm")


def _count_of(weekday: int, first: date, last: date) -> int:
	"""How often a weekday (0 is Monday) occurs between two days, both included."""
	begin = first + timedelta(days=(weekday - first.weekday()) % 7)
	return max((last - begin).days // 7 + 1, 0)


def _values(row) -> tuple:
	closed = cint(row.closed)
	return (getdate(row.date), closed, *(() if closed else (clock_time(row.opens), clock_time(row.closes))))


def _day_field(row) -> str:
	return "weekday" if row.parentfield == "hours" else "date"


def _day_key(row) -> str | date:
	return row.weekday if row.parentfield == "hours" else getdate(row.date)


def _day(row) -> str:
	return _(row.weekday) if row.parentfield == "hours" else format_date(row.date)


def _place(row) -> str:
	"""The table and row in words."""
	if row.parentfield == "hours":
		return _("Row {0}").format(row.idx)
	return _("Hours of Single Dates, row {0}").format(row.idx)


def _how_to_write_it(row) -> str:
	"""Why hours that end before they begin are refused, and how to enter a shift over midnight."""
	opens, closes = (format_time(clock_time(value), "HH:mm") for value in (row.opens, row.closes))
	if opens == closes:
		return _("{0}: on {1} it opens and closes at {2}. Say when it closes, or delete the row.").format(
			_place(row), frappe.bold(_day(row)), opens
		)
	if row.parentfield == "hours":
		following = _(WEEKDAYS[(WEEKDAYS.index(row.weekday) + 1) % 7])
	else:
		following = format_date(getdate(row.date) + timedelta(days=1))
	return _(
		"{0}: on {1} it closes before it opens. Write a shift over midnight as two rows: {1} from {2} to 00:00, and {3} from 00:00 to {4}."
	).format(_place(row), frappe.bold(_day(row)), opens, frappe.bold(following), closes)
