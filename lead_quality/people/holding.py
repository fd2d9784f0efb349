"""Who held a lead, and when: Lead Holding and the owner of today, as the reports' queries and the engine want them.

A holding ends when the lead gets another owner, and the next one begins then. So whoever held a lead at an instant is
the user of its first holding that ends after that, else its owner of today. A lead that never changed its owner has no
holdings. While its owner is nobody, or no person, a lead waits for routing.
"""

from collections.abc import Iterable
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_datetime

from lead_quality.base.persons import NO_PERSONS, person, person_sql
from lead_quality.base.rows import insert_rows
from lead_quality.base.site_time import aware
from lead_quality.engine.holding import Holding, Measure
from lead_quality.engine.working_time import WorkingCalendar


def owner_sql(lead: str, instant: str, owner: str) -> str:
	"""Who owned a lead at an instant, be it a person or not; all are SQL expressions, `owner` that of today's."""
	return f"""coalesce(
		(
			select ifnull(held.user, '') from `tabLead Holding` held
			where held.lead = {lead} and held.held_until > {instant}
			order by held.held_until limit 1
		),
		{owner}
	)"""


def person_owner_sql(lead: str, instant: str, owner: str) -> str:
	"""As `owner_sql`, or null if that is no person. The holding is looked up no more often than it must be."""
	return f"""nullif(
		coalesce(
			(
				select if(ifnull(held.user, '') in {NO_PERSONS}, '', held.user) from `tabLead Holding` held
				where held.lead = {lead} and held.held_until > {instant}
				order by held.held_until limit 1
			),
			{person_sql(owner)},
			''
		),
		''
	)"""


def holdings_between(
	start: datetime, end: datetime, rows: Iterable, owner: str | None, zone: ZoneInfo | None = None
) -> list[Holding]:
	"""A lead's holdings by persons from `start` until `end` (both aware); what they do not cover waits for routing.

	:param rows: `user` and `held_until` (naive, the site's zone) of its Lead Holdings, the first that ended first;
	    those that ended before `start` may be left out.
	:param owner: who owns the lead today.
	:param zone: see `in_utc`.
	"""
	found = []
	begin = start
	for row in rows:
		until = in_utc(row.held_until, zone)
		if until > begin:
			if user := person(row.user):
				found.append(Holding(begin, until, user))
			begin = until
	if begin < end and (user := person(owner)):
		found.append(Holding(begin, end, user))
	return found


def record_holding(lead, before: str | None, now: datetime):
	"""A lead document has another owner: keep how long the one before has held it.

	:param before: the user who owned it, or None.
	:param now: naive instant in the site's zone.
	"""
	last = frappe.db.get_value("Lead Holding", {"lead": lead.name}, "held_until", order_by="held_until desc")
	row = {
		"lead": lead.name,
		"user": before or None,
		"held_from": last or get_datetime(lead.creation),
		"held_until": now,
		"transfer": lead.flags.lead_transfer,
	}
	insert_rows("Lead Holding", [row], now)


def in_utc(site_instant: datetime, zone: ZoneInfo | None = None) -> datetime:
	"""A naive instant of the site's zone, to the whole second; in UTC, as instants of one zone compare as clocks
	show.

	:param zone: the site's, from a caller who has very many instants.
	"""
	at = site_instant.replace(microsecond=0, tzinfo=zone) if zone else aware(site_instant)
	return at.astimezone(timezone.utc)


def measure_by(calendar: WorkingCalendar | None) -> Measure:
	"""Working seconds of a calendar; without one, real seconds."""
	return calendar.elapsed if calendar else _real_seconds


def _real_seconds(start: datetime, end: datetime) -> int:
	return int(end.timestamp()) - int(start.timestamp())
