"""Amounts in another currency, by the rates that the site knows."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from datetime import date

import frappe
from frappe.utils import cint, flt

from lead_quality.base import query


def company_currency(company: str | None) -> str | None:
	"""The currency of a company, by default of the site's."""
	company = company or frappe.defaults.get_global_default("company")
	return frappe.get_cached_value("Company", company, "default_currency") if company else None


def rates_into(currency: str | None) -> Callable[[str | None, date], float | None]:
	"""The rates into a currency: a function of another currency and a day, which gives None where none is known.

	As ERPNext's `get_exchange_rate` picks them: the latest Currency Exchange of that day or before, and not older than
	the Accounts Settings allow. Its web service is not asked: a report would wait for it once a currency and day.
	"""
	settings = frappe.get_cached_doc("Accounts Settings")
	oldest = None if cint(settings.allow_stale) else cint(settings.stale_days)
	days, rates = defaultdict(list), defaultdict(list)
	for other, day, rate in query.run(
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
