"""How long a lead waits for the first person to get in touch: a distribution, and what became of the leads."""

from collections import Counter

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.reporting import (
	column,
	count_column,
	figure,
	hours_column,
	lead_and_title,
	leads_where,
	nearest_rank,
	percent,
	percent_column,
	report_route,
	user_column,
)
from lead_quality.base.site_time import get_calendar
from lead_quality.base.versions import lead_field
from lead_quality.engine.holding import time_held
from lead_quality.funnel.conditions import human_touch
from lead_quality.people.holding import holdings_between, in_utc, measure_by

REPORT = "Speed to Lead"

# bucket to its longest time in seconds, which is in it
BUCKETS = {
	"5m": 5 * 60,
	"1h": 3600,
	"4h": 4 * 3600,
	"24h": 24 * 3600,
	"72h": 72 * 3600,
	"later": None,
	"never": None,
}

MOST_LEADS = 1_000

GROUPS = {"Source": "source", "Segment": "segment"}


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	leads = get_leads(filters)
	if filters.show == "Leads":
		return lead_columns(), lead_rows(leads, filters)
	return (
		get_columns(),
		get_rows(leads, filters),
		message(leads, filters),
		chart(leads, filters),
		summary(leads),
	)


def get_leads(filters) -> list:
	"""The visible leads that came in within the filters' period, with the time to their first touch and its bucket.

	Disabled leads and those found to be no buyers are left out.

	- entered at: the lead's creation, at which its clock First Response starts.
	- touched at: the first touch that stops that clock (`engine.clock.is_human_touch`): one made by a person, with an
	  answer or without; also a conversation that the lead began. None if there is none yet.
	- seconds: between the two; 0 if the touch was made before the lead was entered. With `time` Raw every second counts;
	  else working time by the calendar of the follow-up policy of the lead's segment of today, of its company first.
	  Where there is no such calendar (`is_working` 0), real time.
	- routing, rep: the seconds of these in which nobody held the lead, and in which somebody did; they add up to
	  seconds.
	- in the list of leads, `working_` and `raw_` before these three: the same in either measure, None where there is no
	  calendar to tell working time by.
	- sales ready: is so now, or was handed over.

	:param filters: `from_date`, `to_date`, `company`, `segment`, `source`, `time` (Working, Raw).
	"""
	source = f"`tabLead`.{lead_field('source')}"
	where = leads_where(filters)
	where.add("`tabLead`.disabled = 0 and `tabLead`.lq_non_buyer = 0")
	where.equal(source, filters.source)
	leads = where.select(
		f"""
		select
			`tabLead`.name as lead,
			`tabLead`.title,
			nullif({source}, '') as source,
			nullif(`tabLead`.lq_segment, '') as segment,
			`tabLead`.company,
			`tabLead`.lead_owner,
			`tabLead`.creation as entered_at,
			moved.lead is not null as is_moved,
			(
				select min(t.done_at) from `tabLead Touch` t
				where t.lead = `tabLead`.name and {human_touch("t")}
			) as touched_at,
			case when `tabLead`.lq_verdict = 'Sales Ready' or `tabLead`.name in (
				select h.lead from `tabLead Handover` h where h.status != 'Draft'
			) then 1 else 0 end as sales_ready
		from `tabLead`
		left join (select distinct lead from `tabLead Holding`) moved on moved.lead = `tabLead`.name
		where {{where}}
		order by `tabLead`.creation, `tabLead`.name
		"""
	)
	calendars = get_calendars()
	held = get_holdings([lead.lead for lead in leads if lead.is_moved])
	for lead in leads:
		calendar = calendars.get((lead.segment, lead.company), calendars.get((lead.segment, None)))
		lead.is_working = int(calendar is not None and is_working(filters))
		holdings = held.get(lead.lead, ())
		lead.update(waits(lead, holdings, calendar if lead.is_working else None))
		lead.bucket = bucket_of(lead.seconds)
		if filters.show == "Leads":
			raw = waits(lead, holdings, None)
			working = waits(lead, holdings, calendar) if calendar else dict.fromkeys(raw)
			lead.update({f"raw_{name}": seconds for name, seconds in raw.items()})
			lead.update({f"working_{name}": seconds for name, seconds in working.items()})
	return leads


def get_holdings(leads: list[str]) -> dict[str, list]:
	"""Lead to its Lead Holdings, the first that ended first."""
	held: dict[str, list] = {}
	for start in range(0, len(leads), MOST_LEADS):
		for row in frappe.db.sql(
			"""
			select lead, user, held_until from `tabLead Holding` where lead in %s order by held_until
			""",
			(leads[start : start + MOST_LEADS],),
			as_dict=True,
		):
			held.setdefault(row.lead, []).append(row)
	return held


def waits(lead, held, calendar) -> dict[str, int | None]:
	"""How long a lead waited for its first touch, in whole seconds: `seconds` in all, `routing` of them while nobody
	held it, `rep` while somebody did. None where nobody has touched it yet.

	:param held: its Lead Holdings; see `holding.holdings_between`.
	:param calendar: working time of it; without one, real time.
	"""
	if not lead.touched_at:
		return {"seconds": None, "routing": None, "rep": None}
	start, end = in_utc(lead.entered_at), in_utc(lead.touched_at)
	seconds = time_held(start, end, holdings_between(start, end, held, lead.lead_owner), measure_by(calendar))
	routing = seconds.pop(None, 0)
	rep = sum(seconds.values())
	return {"seconds": routing + rep, "routing": routing, "rep": rep}


def is_working(filters) -> bool:
	return filters.time != "Raw"


def get_calendars() -> dict:
	"""Segment and company (None: of every other company) to the engine's calendar of their follow-up policy, or None if
	that has no calendar."""
	rows = frappe.db.sql(
		"""
		select s.name, null, p.working_calendar
		from `tabLead Segment` s join `tabFollow Up Policy` p on p.name = s.follow_up_policy
		union all
		select own.parent, own.company, p.working_calendar
		from `tabLead Segment Policy` own join `tabFollow Up Policy` p on p.name = own.follow_up_policy
		"""
	)
	built = {name: get_calendar(name) for name in sorted({name for *_scope, name in rows if name})}
	return {(segment, company): built.get(name) for segment, company, name in rows}


def bucket_of(seconds: int | None) -> str:
	if seconds is None:
		return "never"
	return next((name for name, longest in BUCKETS.items() if longest and seconds <= longest), "later")


def bucket_labels(filters) -> dict[str, str]:
	"""What the buckets are called; 72 hours are three days only where nights count."""
	return {
		"5m": _("Up to 5 Minutes"),
		"1h": _("Up to 1 Hour"),
		"4h": _("Up to 4 Hours"),
		"24h": _("Up to 24 Hours"),
		"72h": _("Up to 72 Hours") if is_working(filters) else _("Up to 3 Days"),
		"later": _("Later"),
		"never": _("Never"),
	}


def get_columns() -> list[dict]:
	return [
		column("label", _("First Touch After"), width=240),
		count_column("leads", _("Leads"), 90),
		percent_column("share", _("Share"), 100),
		percent_column("cumulative_share", _("Cumulative Share"), 150),
		count_column("sales_ready", _("Sales Ready"), 110),
		percent_column("sales_ready_percent", _("Sales Ready %"), 130),
		hours_column("median_hours", _("Median Hours"), 130),
		hours_column("percentile_hours", _("90th Percentile Hours"), 170),
		hours_column("routing_hours", _("Median Waiting for Routing"), 205),
		hours_column("rep_hours", _("Median Waiting for the Rep"), 205),
	]


def get_rows(leads: list, filters) -> list[dict]:
	"""A row for each group, that of most leads first, or for all leads; below each, a row per bucket.

	- leads: each in one bucket, the first whose time it does not exceed. Share and cumulative share in percent of the
	  group's leads; the latter adds up to 100 with the leads that nobody has touched yet.
	- sales ready: in percent of the leads of the row; see `get_leads`.
	- hours: over the group's leads that have been touched, in the measure of the buckets; percentiles by nearest rank,
	  see `reporting.nearest_rank`.

	`links` maps each count to the leads that it counts. No leads, no rows.
	"""
	field = GROUPS.get(filters.group_by)
	groups: dict[str | None, list] = {}
	for lead in leads:
		groups.setdefault(lead[field] if field else None, []).append(lead)
	labels = bucket_labels(filters)
	rows = []
	for group, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0] or "")):
		in_bucket = Counter(lead.bucket for lead in members)
		ready = Counter(lead.bucket for lead in members if lead.sales_ready)
		rows.append(
			{
				**_row(group, None, len(members), len(members), ready.total(), len(members), filters),
				"label": (group or _("Unknown")) if field else _("All Leads"),
				"indent": 0,
				"touched": sum(lead.seconds is not None for lead in members),
				"median_hours": _hours(leads_percentile(members, 50)),
				"percentile_hours": _hours(leads_percentile(members, 90)),
				"routing_hours": _hours(leads_percentile(members, 50, "routing")),
				"rep_hours": _hours(leads_percentile(members, 50, "rep")),
			}
		)
		reached = 0
		for bucket in BUCKETS:
			reached += in_bucket[bucket]
			rows.append(
				{
					**_row(group, bucket, in_bucket[bucket], len(members), ready[bucket], reached, filters),
					"label": labels[bucket],
					"indent": 1,
					"median_hours": None,
					"percentile_hours": None,
					"routing_hours": None,
					"rep_hours": None,
				}
			)
	return rows


def leads_percentile(leads: list, percentile: float, figure: str = "seconds") -> float | None:
	"""Of the seconds to the first touch, or of a part of them (see `waits`), over the leads that have one."""
	return nearest_rank([lead[figure] for lead in leads if lead[figure] is not None], percentile)


def _row(group, bucket: str | None, leads: int, total: int, ready: int, reached: int, filters) -> dict:
	return {
		"group": group,
		"bucket": bucket,
		"leads": leads,
		"total": total,
		"share": percent(leads, total),
		"cumulative_share": percent(reached, total),
		"sales_ready": ready,
		"sales_ready_percent": percent(ready, leads),
		"links": _links(group, bucket, filters),
	}


def message(leads: list, filters) -> str:
	if not leads:
		return _("No lead came in within this period.")
	words = [
		_("Each lead is in the first row whose time it does not exceed. Hours are over touched leads only."),
		_("Times are working time of the calendar of the segment's follow-up policy.")
		if is_working(filters)
		else _("Times are real time, nights and weekends included."),
	]
	uncounted = sum(bool(lead.touched_at) and not lead.is_working for lead in leads)
	if is_working(filters) and uncounted:
		words.append(
			_(
				"For {0} of the touched leads real time is shown: give their segment a follow-up policy with a working calendar."
			).format(uncounted)
		)
	return " ".join(words)


def chart(leads: list, filters) -> dict | None:
	"""Leads by bucket."""
	if not leads:
		return None
	in_bucket = Counter(lead.bucket for lead in leads)
	ready = Counter(lead.bucket for lead in leads if lead.sales_ready)
	return {
		"data": {
			"labels": [*bucket_labels(filters).values()],
			"datasets": [
				{"name": _("Leads"), "values": [in_bucket[bucket] for bucket in BUCKETS]},
				{"name": _("Sales Ready"), "values": [ready[bucket] for bucket in BUCKETS]},
			],
		},
		"type": "bar",
		"colors": ["#1f6feb", "#1a7f37"],
	}


def summary(leads: list) -> list[dict]:
	if not leads:
		return []
	never = sum(lead.bucket == "never" for lead in leads)
	figures = [
		(_("Median Hours of Touched Leads"), _hours(leads_percentile(leads, 50)), "Blue"),
		(_("90th Percentile Hours of Touched Leads"), _hours(leads_percentile(leads, 90)), "Blue"),
	]
	return [
		{
			"label": label,
			"value": figure(value, 2),
			"datatype": "Data",
			"indicator": indicator,
		}
		for label, value, indicator in figures
	] + [
		{
			"label": _("Never Touched"),
			"value": f"{percent(never, len(leads)):.0f} %",
			"datatype": "Data",
			"indicator": "Red" if never else "Green",
		}
	]


# the leads behind a count


def lead_columns() -> list[dict]:
	return [
		*lead_and_title(),
		column("source", _("Source"), width=150),
		column("segment", _("Segment"), "Link", 150, options="Lead Segment"),
		user_column("lead_owner", _("Owner")),
		column("entered_at", _("Came In At"), "Datetime", 165),
		column("touched_at", _("First Touch At"), "Datetime", 165),
		column("label", _("First Touch After"), width=180),
		hours_column("hours", _("Hours"), 100),
		column("is_working", _("In Working Time"), "Check", 140),
		hours_column("working_routing_hours", _("Waiting for Routing (Working)"), 220),
		hours_column("working_rep_hours", _("Waiting for the Rep (Working)"), 220),
		hours_column("working_seconds_hours", _("Total (Working)"), 140),
		hours_column("raw_routing_hours", _("Waiting for Routing (Raw)"), 200),
		hours_column("raw_rep_hours", _("Waiting for the Rep (Raw)"), 200),
		hours_column("raw_seconds_hours", _("Total (Raw)"), 120),
		column("sales_ready", _("Sales Ready"), "Check", 110),
	]


def lead_rows(leads: list, filters) -> list[dict]:
	"""The leads behind a count: of `filters.bucket`, of `filters.group` or `without_group`, only `sales_ready`."""
	field = GROUPS.get(filters.group_by)
	labels = bucket_labels(filters)
	rows = []
	for lead in leads:
		if filters.bucket in BUCKETS and filters.bucket != lead.bucket:
			continue
		if cint(filters.sales_ready) and not lead.sales_ready:
			continue
		if field and cint(filters.without_group) and lead[field]:
			continue
		if field and not cint(filters.without_group) and filters.group and filters.group != lead[field]:
			continue
		parts = {
			f"{measure}_{part}_hours": _hours(lead[f"{measure}_{part}"])
			for measure in ("working", "raw")
			for part in ("routing", "rep", "seconds")
		}
		rows.append({**lead, **parts, "label": labels[lead.bucket], "hours": _hours(lead.seconds)})
	return rows


def _links(group: str | None, bucket: str | None, filters) -> dict[str, str]:
	own = {
		key: filters[key]
		for key in ("from_date", "to_date", "company", "segment", "source", "time", "group_by")
		if key in filters
	}
	own.update(
		{
			"show": "Leads",
			"bucket": bucket or "all",
			"group": group,
			"without_group": int(bool(GROUPS.get(filters.group_by)) and not group),
		}
	)
	return {
		"leads": report_route(REPORT, **own, sales_ready=0),
		"sales_ready": report_route(REPORT, **own, sales_ready=1),
	}


def _hours(seconds: float | None) -> float | None:
	return None if seconds is None else seconds / 3600
