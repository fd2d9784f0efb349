"""Amounts in another currency, at the exchange rates stored on the site."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import frappe
from frappe.utils import cint, flt

from lead_quality.base import query


def company_currency(company: str | None) -> str | None:
	"""The currency of a company, by default the site's company."""
	company = company or frappe.defaults.get_global_default("company")
	return frappe.get_cached_value("Company", company, "default_currency") if company else None


def rates_into(
	currency: str | None, only: tuple[str, date] | None = None
) -> Callable[[str | None, date], float | None]:
	"""A function of another currency and a day that returns the exchange rate into this currency, or None if unknown.

	Rates are chosen as in ERPNext's `get_exchange_rate`: the latest Currency Exchange on or before that day, not older
	than the Accounts Settings allow. Its web service is not called: a report would wait for it for each currency and
	day.

	:param only: the one currency and day that will be asked for: one row is read instead of all.
	"""
	oldest = _days_until_stale()
	days, rates = defaultdict(list), defaultdict(list)
	which = "and from_currency = %(other)s and `date` <= %(day)s" if only else ""
	other, day = only or (None, None)
	rows = query.run(
		f"""
		select from_currency, `date`, exchange_rate from `tabCurrency Exchange`
		where to_currency = %(currency)s {which}
		order by `date` desc, creation desc, name desc {"limit 1" if only else ""}
		""",
		{"currency": currency, "other": other, "day": day},
	)
	for other, day, rate in reversed(rows):
		days[other].append(day)
		rates[other].append(flt(rate))

	def rate_on(other: str | None, day: date) -> float | None:
		place = bisect_right(days[other], day) - 1 if other in days else -1
		if place < 0 or (oldest is not None and (day - days[other][place]).days >= oldest):
			return None
		return rates[other][place] or None

	return rate_on


def stored_rate(from_currency: str, to_currency: str, day: date) -> float | None:
	"""As `rates_into`, of one currency and day."""
	if from_currency == to_currency:
		return 1.0
	return rates_into(to_currency, (from_currency, day))(from_currency, day)


def _days_until_stale() -> int | None:
	"""After how many days a stored rate no longer counts; None for never."""
	settings = frappe.get_cached_doc("Accounts Settings")
	return None if cint(settings.allow_stale) else cint(settings.stale_days)


@dataclass
class Total:
	"""Amounts added up in one currency, each by the rate of its day. `cases` are those in it; one without a rate is left
	out and counted apart.

	:param rate_on: see `rates_into`, into that currency.
	"""

	currency: str | None
	rate_on: Callable[[str | None, date], float | None]
	amount: float = 0.0
	cases: int = 0
	without_rate: int = 0

	def add(self, amount: float, currency: str | None, at: datetime):
		""":param currency: of the amount; without one, that of the total."""
		rate = 1.0 if currency in {None, "", self.currency} else self.rate_on(currency, at.date())
		if rate is None:
			self.without_rate += 1
			return
		self.amount += flt(amount) * rate
		self.cases += 1
