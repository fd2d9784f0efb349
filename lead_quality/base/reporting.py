"""What the reports share: which leads they count, shares and their columns, and links from a count to its rows."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from urllib.parse import quote, urlencode

import frappe
from frappe import _
from frappe.model.db_query import DatabaseQuery
from frappe.utils import add_days, cint, flt, getdate

from lead_quality.permissions import bindable, lead_condition

# below this many cases a share says little; shown, but marked
SMALL_SAMPLE = 10

# what sales answered; a handover that still waits, or that was pulled back, has no answer
DECLINED = ("Rejected", "Returned")
DECIDED = ("Accepted", *DECLINED)


class Where:
	"""The conditions of one query and their values. Columns are written by the code; what users give is bound."""

	def __init__(self):
		self.conditions: list[str] = []
		self.values: dict = {}

	def add(self, condition: str, **values):
		self.conditions.append(condition)
		self.values.update(values)

	def equal(self, column: str, value):
		"""The column has this value; an empty value asks for nothing."""
		if value:
			self.add(f"{column} = {self._bind(value)}")

	def within(self, instant: str, from_date=None, to_date=None):
		"""An instant lies between two days of the site's zone, both included; an empty one leaves that end open."""
		if from_date:
			self.add(f"{instant} >= {self._bind(getdate(from_date))}")
		if to_date:
			self.add(f"{instant} < {self._bind(add_days(getdate(to_date), 1))}")

	def visible(self, doctype: str, template: str = "{}"):
		"""Only what the user's list of this DocType would show. The query names the table without an alias.

		:param template: what the condition is put into, such as a subquery.
		"""
		condition = lead_condition() if doctype == "Lead" else DatabaseQuery(doctype).build_match_conditions()
		if condition:
			self.add(template.format(bindable(condition)))

	def select(self, query: str, **values) -> list:
		"""The rows of a query that has `{where}` where the conditions go."""
		# never without any value: %% is read as % only where there are some
		values = {"bound": 1, **self.values, **values}
		return frappe.db.sql(query.replace("{where}", str(self)), values, as_dict=True)

	def _bind(self, value) -> str:
		key = f"value_{len(self.values)}"
		self.values[key] = value
		return f"%({key})s"

	def __str__(self) -> str:
		return " and ".join(f"({condition})" for condition in self.conditions) or "1 = 1"


def leads_where(filters, created: bool = True) -> Where:
	"""The leads that the user may see, of the filters' company and segment, and by default of their period.

	:param filters: `company`, `segment`, `from_date`, `to_date`.
	:param created: the period is that of the lead's creation; False if the caller means another instant.
	"""
	where = Where()
	where.visible("Lead")
	where.equal("`tabLead`.company", filters.company)
	where.equal("`tabLead`.lq_segment", filters.segment)
	if created:
		where.within("`tabLead`.creation", filters.from_date, filters.to_date)
	return where


def pick_checklist(filters) -> str | None:
	"""The checklist that the filters name, else the active one that judges most leads, else None."""
	if filters.checklist:
		return filters.checklist
	rows = frappe.db.sql_list(
		"""
		select c.name
		from `tabQualification Checklist` c
		left join `tabLead Qualification` q on q.checklist = c.name
		where c.status = 'Active'
		group by c.name, c.creation
		order by count(q.name) desc, c.creation desc, c.name
		limit 1
		"""
	)
	return rows[0] if rows else None


def no_checklist() -> str:
	return _("There is no active checklist yet: make a Qualification Checklist, or choose an older one.")


def percent(part: float, whole: float) -> float | None:
	"""`part` of `whole` in percent; None, which is shown empty, where there is nothing to take a share of."""
	return part / whole * 100 if whole else None


def nearest_rank(values: Sequence[float], percentile: float) -> float | None:
	"""The percentile by nearest rank: the smallest value that at least so many percent of the values do not exceed.

	It is one of the values, never between two; the 50th is the median (of an even number the lower middle). None
	without values.
	"""
	if not values:
		return None
	# -(-x // y) rounds up; in whole numbers, as 0.9 * 10 is not 9
	rank = max(-(-int(percentile * len(values)) // 100), 1)
	return sorted(values)[rank - 1]


def full_names(users: Iterable[str | None]) -> dict[str, str]:
	"""User to full name."""
	users = [user for user in users if user]
	if not users:
		return {}
	rows = frappe.get_all(
		"User", {"name": ["in", users]}, ["name", "full_name"], order_by="name asc", as_list=True
	)
	return {name: full_name or name for name, full_name in rows}


def rates_into(currency: str | None) -> Callable[[str | None, date], float | None]:
	"""The rates into a currency: a function of another currency and a day, which gives None where none is known.

	As ERPNext's `get_exchange_rate` picks them: the latest Currency Exchange of that day or before, and not older than
	the Accounts Settings allow. Its web service is not asked: a report would wait for it once a currency and day.
	"""
	settings = frappe.get_cached_doc("Accounts Settings")
	oldest = None if cint(settings.allow_stale) else cint(settings.stale_days)
	days, rates = defaultdict(list), defaultdict(list)
	for other, day, rate in frappe.db.sql(
		"""
		select from_currency, `date`, exchange_rate from `tabCurrency Exchange` where to_currency = %s
		order by `date`, creation, name
		""",
		(currency,),
	):
		days[other].append(day)
		rates[other].append(flt(rate))

	def rate_on(other: str | None, day: date) -> float | None:
		place = bisect_right(days[other], day) - 1 if other in days else -1
		if place < 0 or (oldest is not None and (day - days[other][place]).days >= oldest):
			return None
		return rates[other][place] or None

	return rate_on


# columns


def column(fieldname: str, label: str, fieldtype: str = "Data", width: int = 130, **more) -> dict:
	# Frappe's table takes words for numbers where the first row has none
	align = {"align": "left"} if fieldtype in ("Data", "Link", "Datetime") else {}
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **align, **more}


def count_column(fieldname: str, label: str, width: int = 110) -> dict:
	return column(fieldname, label, "Int", width)


def percent_column(fieldname: str, label: str, width: int = 130) -> dict:
	return column(fieldname, label, "Percent", width, precision=1)


def hours_column(fieldname: str, label: str, width: int = 130) -> dict:
	return column(fieldname, label, "Float", width, precision=2)


def lead_and_title() -> list[dict]:
	return [column("lead", _("Lead"), "Link", 200, options="Lead"), column("title", _("Title"), width=250)]


def user_column(fieldname: str, label: str) -> dict:
	return column(fieldname, label, "Link", 240, options="User")


def figure(value: float | None, precision: int) -> str:
	"""A number of a report's summary as the user writes it; a dash for None.

	A summary has no precision of its own: Frappe would show 1.46 as 1.460, which reads as more than a thousand
	where the comma is the decimal separator.
	"""
	return "–" if value is None else frappe.format(value, {"fieldtype": "Float", "precision": precision})


# links


def list_route(doctype: str, **filters) -> str:
	"""The address of a list with filters: a value, or an operator and a value. Empty ones are left out."""
	return _route(doctype.lower().replace(" ", "-"), filters)


def form_route(doctype: str, name: str | None = None) -> str:
	"""The address of a form; of a single one, no name is given."""
	path = doctype.lower().replace(" ", "-")
	return _route(f"{path}/{quote(name, safe='')}" if name else path, {})


def report_route(report: str, **filters) -> str:
	"""The address of a report with its filters. Empty ones are left out."""
	return _route(f"query-report/{quote(report)}", filters)


def days_filter(from_date=None, to_date=None) -> list | None:
	"""A list's filter for an instant between two days, both included; None if both are open."""
	first, last = (day and str(getdate(day)) for day in (from_date, to_date))
	if first and last:
		return ["between", [first, last]]
	if first:
		return [">=", first]
	return ["<", str(add_days(getdate(last), 1))] if last else None


def _route(path: str, filters: dict) -> str:
	query = {
		key: json.dumps(value) if isinstance(value, list) else str(value)
		for key, value in filters.items()
		if value is not None and value != ""
	}
	return f"/app/{path}?{urlencode(query, quote_via=quote)}" if query else f"/app/{path}"
