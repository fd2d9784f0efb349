"""`engine.waste` as conditions on rows of Lead Journey, which a query names `j`, with their `tabLead` as `l`."""

from datetime import datetime

import frappe

from lead_quality.base import query
from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.engine import waste as engine

# the latest start of a lead whose segment has no calendar; see `latest_starts`
_LATEST = "coalesce(waste_of.latest, %(waste_latest)s)"
_START = "coalesce(j.accepted_at, j.entered_at)"
# since acceptance, what was done counts from then on; before it, whenever it was done
_FROM = "coalesce(j.accepted_at, '1000-01-01')"


def wasted_since(next_touch_at: str = "l.lq_next_touch_at") -> str:
	"""SQL: since when a lead is wasted, by the words of `engine.waste`, or null. The query binds `now`.

	:param next_touch_at: when its next step is due.
	"""
	return f"""if(
		{_START} <= {_LATEST}
		and not ifnull(j.last_touch_at >= {_FROM}, 0)
		and not ifnull(j.decided_at >= {_FROM}, 0)
		and not ifnull({next_touch_at} > %(now)s, 0)
		and j.opportunity_at is null and j.sale_at is null,
		if(j.accepted_at is null, '{engine.ENTRY}', '{engine.ACCEPTANCE}'), null
	)"""


WASTED_SINCE = wasted_since()
IS_YOUNG = f"{_START} > {_LATEST}"


def working_days() -> int:
	"""After how many working days a lead can be wasted."""
	return frappe.get_cached_doc("Lead Quality Settings").wasted_after_days or 5


def latest_starts(now: datetime) -> tuple[str, dict]:
	"""A join that gives `waste_of.latest` to each lead whose segment, and company first, has a calendar, and the values
	that it binds. What came in or was accepted by then is old enough to be wasted.

	:param now: naive instant in the site's zone.
	"""
	days = working_days()
	rows = query.run(
		"""
		select s.name, '', p.working_calendar
		from `tabLead Segment` s join `tabFollow Up Policy` p on p.name = s.follow_up_policy
		union all
		select own.parent, own.company, p.working_calendar
		from `tabLead Segment Policy` own join `tabFollow Up Policy` p on p.name = own.follow_up_policy
		"""
	)
	latest = {
		name: naive(engine.latest_start(aware(now), days, get_calendar(name)))
		for name in sorted({name for *_scope, name in rows if name})
	}
	values: dict[str, object] = {
		"now": now,
		"waste_latest": naive(engine.latest_start(aware(now), days, None)),
	}
	scopes = []
	for number, (segment, company, calendar) in enumerate(rows):
		values.update(
			{
				f"waste_segment_{number}": segment,
				f"waste_company_{number}": company,
				f"waste_latest_{number}": latest.get(calendar, values["waste_latest"]),
			}
		)
		scopes.append(
			f"select %(waste_segment_{number})s as segment, %(waste_company_{number})s as company, "
			f"cast(%(waste_latest_{number})s as datetime(6)) as latest"
		)
	if not scopes:
		scopes.append("select null as segment, null as company, null as latest")
	table = f"({' union all '.join(scopes)})"
	# of the company itself, else of every company
	join = f"""
		left join {table} waste_of on waste_of.segment = j.present_segment and waste_of.company = (
			select max(scope.company) from {table} scope
			where scope.segment = j.present_segment and scope.company in ('', ifnull(j.company, ''))
		)
	"""
	return join, values
