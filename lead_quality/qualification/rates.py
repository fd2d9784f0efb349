"""Exchange rates of answers that are amounts of money in another currency.

Judging uses the rates stored on the site, because it may run while a lead is locked. ERPNext's web service, which may
take minutes to answer, is asked by a background job before it locks anything (`jobs.judge_expired`).
"""

import time
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta

import frappe
from erpnext.setup.utils import get_exchange_rate
from frappe.utils import flt, get_datetime
from redis.exceptions import RedisError

from lead_quality.base import query
from lead_quality.base.currency import stored_rate

# a missing rate is asked for at once, and then hourly for so long after the answer
RETRY_AFTER = timedelta(hours=1)
RETRY_FOR = timedelta(days=1)
LONGEST_WAIT = 60  # seconds in which one run asks for rates

# from one currency, to another, on a day
Wanted = tuple[str, str, date]


class Rates:
	"""Looks up exchange rates, each once.

	:param fetched: rates of the web service, if it has been asked for those that are missing.
	"""

	def __init__(self, fetched: Mapping[Wanted, float] | None = None):
		self.is_fetched = fetched is not None
		self._known = dict(fetched or {})

	def find(self, from_currency: str, to_currency: str, day: date) -> float:
		"""The rate on a day, without a request over the network; 0 if it is not known."""
		wanted = (from_currency, to_currency, day)
		if wanted not in self._known:
			self._known[wanted] = stored_rate(*wanted) or 0.0
		return self._known[wanted]

	def ask_later(self, leads: list[str]):
		"""Judge these leads again after the commit, with the rates of the web service. Should the queue not be there,
		the hourly job does it."""
		if self.is_fetched:
			return
		try:
			frappe.enqueue(
				"lead_quality.qualification.jobs.judge_expired",
				queue="long",
				enqueue_after_commit=True,
				leads=leads,
			)
		except (RedisError, frappe.QueueOverloaded):
			frappe.log_error(title="Lead Quality: exchange rates are not asked for before the next hour")


def is_awaited(answered_on: datetime | str, now: datetime) -> bool:
	"""Whether the missing rate of an answer is still asked for. Not if the site does not use the web service."""
	return now - get_datetime(answered_on) < RETRY_FOR and not frappe.get_cached_value(
		"Currency Exchange Settings", "Currency Exchange Settings", "disabled"
	)


def fetch(qualifications: Collection[str]) -> dict[Wanted, float]:
	"""Ask ERPNext for the rates that answers of some Lead Qualifications lack: the stored ones, then its web service.

	Call it before anything is locked. It stops after a minute; the next run asks for the rest.
	"""
	started, rates = time.monotonic(), {}
	for wanted in _missing(qualifications):
		if time.monotonic() - started > LONGEST_WAIT:
			break
		from_currency, to_currency, day = wanted
		if rate := flt(get_exchange_rate(from_currency, to_currency, str(day))):
			rates[wanted] = rate
	return rates


def _missing(qualifications: Collection[str]) -> list[Wanted]:
	if not qualifications:
		return []
	return query.run(
		"""
		select distinct a.currency, c.amount_currency, date(a.answered_on)
		from `tabLead Qualification` q
		join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
		join `tabQualification Criterion` c
			on c.parent = q.checklist and c.parenttype = 'Qualification Checklist' and c.criterion = a.criterion
		where q.name in %s and a.exchange_rate = 0 and a.currency > '' and c.amount_currency > ''
			and a.answered_on is not null
		order by 3 desc, 1, 2
		""",
		(qualifications,),
	)
