"""How long a lead waits for the first person to get in touch: a distribution, and what became of the leads."""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import cint, date_diff, get_system_timezone, nowdate

from lead_quality.base import query
from lead_quality.base.persons import person
from lead_quality.base.queries import Where, number_of, sources
from lead_quality.base.report import (
	Report,
	bars,
	column,
	count_column,
	figure,
	hours,
	hours_column,
	lead_and_title,
	nearest_rank,
	no_source,
	on_top,
	percent,
	percent_column,
	user_column,
)
from lead_quality.base.site_time import get_calendar
from lead_quality.engine.holding import time_held
from lead_quality.funnel.conditions import human_touch
from lead_quality.funnel.remnants import lead_tables
from lead_quality.people.holding import holdings_between, in_utc, measure_by

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

_NAMES = list(BUCKETS)
_LONGEST = [longest for longest in BUCKETS.values() if longest]

LEADS_AT_ONCE = 20_000

# in days: the first touches of the leads of a longer period are found in one pass over all touches
LONG_PERIOD = 183


class Lead(NamedTuple):
	"""A lead as the query finds it; see `SpeedToLead.leads`."""

	lead: str
	title: str | None
	source: str | None
	segment: str | None
	grouped: str | None
	company: str | None
	lead_owner: str | None
	entered_at: datetime
	is_moved: (
		int  # it has Lead Holdings, or its name has the number of one that has: numbers are found faster
	)
	touched_at: datetime | None
	sales_ready: int


@dataclass
class Group:
	"""What is counted of the leads of a group: how many there are in each bucket, how many of these are sales ready, and
	the times of those that were touched, in seconds; see `waits`."""

	leads: Counter = field(default_factory=Counter)
	ready: Counter = field(default_factory=Counter)
	times: dict[str, array] = field(
		default_factory=lambda: {part: array("q") for part in ("seconds", "routing", "rep")}
	)
	in_real_time: int = 0

	def add(self, other: "Group"):
		self.leads.update(other.leads)
		self.ready.update(other.ready)
		for part, times in other.times.items():
			self.times[part].extend(times)
		self.in_real_time += other.in_real_time

	def hours(self, percentile: float, part: str = "seconds") -> float | None:
		# sorted once: to sort again what is sorted costs next to nothing
		self.times[part] = array("q", sorted(self.times[part]))
		return hours(nearest_rank(self.times[part], percentile))


class SpeedToLead(Report):
	"""The leads that came in within the period by the time to their first touch; disabled ones and non-buyers left out.

	:param filters: `from_date`, `to_date`, `company`, `segment`, `source` or `without_source`, `time` (Working, Raw),
	    `group_by` (empty for all leads), `show`; and of the list `bucket`, `group` or `without_group`, `sales_ready`.
	"""

	name = "Speed to Lead"
	months = 3
	list_name = "Leads"
	groups = {"": "null", "Source": "source_of.spelling", "Segment": "nullif(`tabLead`.lq_segment, '')"}
	kept = (
		"from_date",
		"to_date",
		"company",
		"segment",
		"source",
		"without_source",
		"time",
		"group_by",
	)

	def set_filters(self):
		super().set_filters()
		self.is_working = self.filters.time != "Raw"

	def where(self, created: bool = True) -> Where:
		where = super().where(created)
		where.add("`tabLead`.disabled = 0 and `tabLead`.lq_non_buyer = 0")
		self.of_source(where)
		group = self.groups[self.filters.group_by]
		if self.is_list and self.filters.group_by:
			if cint(self.filters.without_group):
				where.blank(group)
			else:
				where.equal(group, self.filters.group)
		return where

	@cached_property
	def leads(self) -> list[Lead]:
		"""The leads with their first touch.

		- entered at: the lead's creation, at which its clock First Response starts.
		- touched at: the first touch that stops that clock (`engine.clock.is_human_touch`): one made by a person, with an
		  answer or without; also a conversation that the lead began. None if there is none yet.
		- sales ready: is so now, or was handed over.
		"""
		tables, parts = lead_tables(self.user), []
		with_source = self.is_list or self.filters.group_by == "Source"
		text = f"""
			select
				`tabLead`.name as `lead`,
				{"`tabLead`.title" if self.is_list else "null"} as title,
				{"source_of.spelling" if with_source else "null"} as source,
				nullif(`tabLead`.lq_segment, '') as segment,
				{self.groups[self.filters.group_by]} as grouped,
				`tabLead`.company,
				`tabLead`.lead_owner,
				`tabLead`.creation as entered_at,
				moved.number is not null as is_moved,
				{{touched_at}} as touched_at,
				case when {{sales_ready}} then 1 else 0 end as sales_ready
			from {{leads}}
			{sources(of_deleted=len(tables) > 1) if with_source else ""}
			{{touches}}
			left join (
				select distinct crc32(lead) as number from `tabLead Holding`
			) moved on moved.number = crc32(`tabLead`.name)
			where {{where}}
		"""
		for table, facts in zip(tables, (self._facts_of_leads(), OF_DELETED), strict=False):
			part = text.replace("{leads}", table)
			for name, expression in facts.items():
				part = part.replace(f"{{{name}}}", expression)
			parts.append(part)
		where = self.where()
		union = " union all ".join(parts).replace("{where}", str(where))
		order = "order by entered_at, `lead`" if self.is_list else ""
		found = query.run(f"{union} {order}", where.values)
		return [Lead._make(row) for row in found]

	def _facts_of_leads(self) -> dict[str, str]:
		"""What is known of a lead. Of few leads the touches are looked up lead by lead."""
		days = date_diff(self.filters.to_date or nowdate(), self.filters.from_date or "2000-01-01")
		return OF_MANY_LEADS if days > LONG_PERIOD else OF_LEADS

	@cached_property
	def held(self) -> dict[str, list]:
		return get_holdings([lead.lead for lead in self.leads if lead.is_moved and lead.touched_at])

	@cached_property
	def zone(self) -> ZoneInfo:
		return ZoneInfo(get_system_timezone())

	def waits(self, lead: Lead, calendar) -> dict[str, int | None]:
		"""See `waits`."""
		if not lead.touched_at:
			return waits(lead, (), calendar)
		start, end = lead.entered_at.replace(microsecond=0), lead.touched_at.replace(microsecond=0)
		held = self.held.get(lead.lead, ()) if lead.is_moved else ()
		# what was over when the lead came in does not matter
		first = next((row for row in held if row.held_until.replace(microsecond=0) > start), None)
		if first and first.held_until.replace(microsecond=0) < end:
			return waits(lead, held, calendar, self.zone)
		# most leads have had one owner only meanwhile: as `waits`, without a look at who held it when
		holder = first.user if first else lead.lead_owner
		begin, finish = (int(instant.replace(tzinfo=self.zone).timestamp()) for instant in (start, end))
		if begin >= finish:
			seconds = 0
		else:
			seconds = calendar.elapsed_between(begin, finish) if calendar else finish - begin
		routing = 0 if person(holder) else seconds
		return {"seconds": seconds, "routing": routing, "rep": seconds - routing}

	def measure_of(self, lead: Lead):
		"""The calendar that the lead's time is counted by; None for real time."""
		return self.calendar_of(lead) if self.is_working else None

	@cached_property
	def by_group(self) -> dict[str | None, Group]:
		"""- seconds: between a lead's entry and its first touch; 0 if the touch was made before the lead was entered. With
		  `time` Raw every second counts; else working time by the calendar of the follow-up policy of the lead's segment of
		  today, of its company first. Where there is no such calendar, real time.
		- routing, rep: the seconds of these in which nobody held the lead, and in which somebody did; they add up to
		  seconds.
		"""
		groups: dict[str | None, Group] = defaultdict(Group)
		for lead in self.leads:
			group, calendar = groups[lead.grouped], self.measure_of(lead)
			wait = self.waits(lead, calendar)
			bucket = bucket_of(wait["seconds"])
			group.leads[bucket] += 1
			group.ready[bucket] += lead.sales_ready
			if wait["seconds"] is not None:
				group.in_real_time += calendar is None
				for part, times in group.times.items():
					times.append(wait[part])
		return groups

	@cached_property
	def of_all(self) -> Group:
		everything = Group()
		for group in self.by_group.values():
			everything.add(group)
		return everything

	@cached_property
	def calendars(self) -> dict:
		return get_calendars()

	def calendar_of(self, lead):
		"""The calendar of the follow-up policy of a lead's segment, or None."""
		return self.calendars.get((lead.segment, lead.company), self.calendars.get((lead.segment, None)))

	def bucket_labels(self) -> dict[str, str]:
		"""What the buckets are called; 72 hours are three days only where nights count."""
		return {
			"5m": _("Up to 5 Minutes"),
			"1h": _("Up to 1 Hour"),
			"4h": _("Up to 4 Hours"),
			"24h": _("Up to 24 Hours"),
			"72h": _("Up to 72 Hours") if self.is_working else _("Up to 3 Days"),
			"later": _("Later"),
			"never": _("Never"),
		}

	def columns(self) -> list[dict]:
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

	def rows(self) -> list[dict]:
		"""A row for each group, that of most leads first, or for all leads; below each, a row per bucket.

		- leads: each in one bucket, the first whose time it does not exceed. Share and cumulative share in percent of the
		  group's leads; the latter adds up to 100 with the leads that nobody has touched yet.
		- sales ready: in percent of the leads of the row; see `leads`.
		- hours: over the group's leads that have been touched, in the measure of the buckets; percentiles by nearest
		  rank, see `nearest_rank`.

		`links` maps each count to the leads that it counts. No leads, no rows.
		"""
		labels = self.bucket_labels()
		rows = []
		by_size = sorted(self.by_group.items(), key=lambda item: (-item[1].leads.total(), item[0] or ""))
		for name, group in by_size:
			leads = group.leads.total()
			rows.append(
				{
					**self._row(name, None, leads, leads, group.ready.total(), leads),
					"label": self._group_label(name),
					"indent": 0,
					"touched": len(group.times["seconds"]),
					"median_hours": group.hours(50),
					"percentile_hours": group.hours(90),
					"routing_hours": group.hours(50, "routing"),
					"rep_hours": group.hours(50, "rep"),
				}
			)
			reached = 0
			for bucket in BUCKETS:
				in_bucket = group.leads[bucket]
				reached += in_bucket
				rows.append(
					{
						**self._row(name, bucket, in_bucket, leads, group.ready[bucket], reached),
						"label": labels[bucket],
						"indent": 1,
						**dict.fromkeys(("median_hours", "percentile_hours", "routing_hours", "rep_hours")),
					}
				)
		return rows

	def _group_label(self, group: str | None) -> str:
		nothing = {"": _("All Leads"), "Source": no_source(), "Segment": _("No Segment")}
		return group or nothing[self.filters.group_by]

	def _row(self, group, bucket: str | None, leads: int, total: int, ready: int, reached: int) -> dict:
		is_without = int(bool(self.filters.group_by) and not group)
		of_row = {"bucket": bucket or "all", "group": group, "without_group": is_without}
		return {
			"group": group,
			"bucket": bucket,
			"leads": leads,
			"total": total,
			"share": percent(leads, total),
			"cumulative_share": percent(reached, total),
			"sales_ready": ready,
			"sales_ready_percent": percent(ready, leads),
			"links": {
				**self.links(["leads"], **of_row, sales_ready=0),
				**self.links(["sales_ready"], **of_row, sales_ready=1),
			},
		}

	def message(self, rows: list[dict]) -> str:
		if not self.leads:
			return _("No lead came in within this period.")
		words = [
			_(
				"Each lead counts in the first row whose time it does not exceed. Hours include touched leads only."
			),
			_("Times are working time of the calendar of the segment's follow-up policy.")
			if self.is_working
			else _("Times are real time, nights and weekends included."),
		]
		uncounted = self.of_all.in_real_time
		if self.is_working and uncounted:
			words.append(
				_(
					"For {0} of the touched leads real time is shown: give their segment a follow-up policy with a working calendar."
				).format(uncounted)
			)
		return " ".join(words)

	def chart(self, rows: list[dict]) -> dict | None:
		"""Leads by bucket."""
		if not self.leads:
			return None
		in_bucket, ready = self.of_all.leads, self.of_all.ready
		return bars(
			[*self.bucket_labels().values()],
			{
				_("Leads"): [in_bucket[bucket] for bucket in BUCKETS],
				_("Sales Ready"): [ready[bucket] for bucket in BUCKETS],
			},
			["#1f6feb", "#1a7f37"],
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		if not self.leads:
			return []
		never = self.of_all.leads["never"]
		median, percentile = self.of_all.hours(50), self.of_all.hours(90)
		return [
			on_top(_("Median Hours of Touched Leads"), figure(median, 2), "Blue"),
			on_top(_("90th Percentile Hours of Touched Leads"), figure(percentile, 2), "Blue"),
			on_top(
				_("Never Touched"), f"{percent(never, len(self.leads)):.0f} %", "Red" if never else "Green"
			),
		]

	# the leads behind a count

	def list_columns(self) -> list[dict]:
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

	def all_listed(self) -> list[Lead]:
		"""The leads behind a count; which bucket a lead is in, no query can tell."""
		bucket, ready_only = self.filters.bucket, cint(self.filters.sales_ready)
		return [
			lead
			for lead in self.leads
			if (lead.sales_ready or not ready_only) and (bucket not in BUCKETS or bucket == self.bucket(lead))
		]

	def bucket(self, lead: Lead) -> str:
		return bucket_of(self.waits(lead, self.measure_of(lead))["seconds"])

	def listed(self, found: list) -> list[dict]:
		"""The leads with their times in either measure; None where there is no calendar to tell working time by."""
		labels = self.bucket_labels()
		rows = []
		for lead in found:
			calendar = self.calendar_of(lead)
			raw = self.waits(lead, None)
			working = self.waits(lead, calendar) if calendar else dict.fromkeys(raw)
			shown = working if calendar and self.is_working else raw
			bucket = bucket_of(shown["seconds"])
			rows.append(
				{
					**lead._asdict(),
					**shown,
					**{f"working_{part}_hours": hours(seconds) for part, seconds in working.items()},
					**{f"raw_{part}_hours": hours(seconds) for part, seconds in raw.items()},
					"is_working": int(calendar is not None and self.is_working),
					"bucket": bucket,
					"label": labels[bucket],
					"hours": hours(shown["seconds"]),
				}
			)
		return rows


# what is known of a lead, and what was kept of a deleted one
OF_LEADS = {
	"touches": "",
	"touched_at": f"""(
		select min(t.done_at) from `tabLead Touch` t where t.lead = `tabLead`.name and {human_touch("t")}
	)""",
	"sales_ready": """(
		`tabLead`.lq_verdict = 'Sales Ready'
		or `tabLead`.name in (select h.lead from `tabLead Handover` h where h.status != 'Draft')
	)""",
}
OF_MANY_LEADS = {
	**OF_LEADS,
	"touches": f"""left join (
		select {number_of("t.lead")} as number, min(t.done_at) as at
		from `tabLead Touch` t where {human_touch("t")} group by 1
	) touched on touched.number = {number_of("`tabLead`.name")}""",
	"touched_at": "touched.at",
}
OF_DELETED = {
	"touches": "",
	"touched_at": "`tabLead`.touched_at",
	"sales_ready": "(`tabLead`.lq_verdict = 'Sales Ready' or `tabLead`.handed_over = 1)",
}


def get_holdings(leads: list[str]) -> dict[str, list]:
	"""Lead to its Lead Holdings, the first that ended first."""
	held: dict[str, list] = {}
	for start in range(0, len(leads), LEADS_AT_ONCE):
		for row in query.run(
			"""
			select lead, user, held_until from `tabLead Holding`
			where lead in %s and held_until is not null order by held_until
			""",
			(leads[start : start + LEADS_AT_ONCE],),
			as_dict=True,
		):
			held.setdefault(row.lead, []).append(row)
	return held


def waits(lead, held, calendar, zone: ZoneInfo | None = None) -> dict[str, int | None]:
	"""How long a lead waited for its first touch, in whole seconds: `seconds` in all, `routing` of them while nobody
	held it, `rep` while somebody did. None where nobody has touched it yet.

	:param held: its Lead Holdings; see `holdings_between`.
	:param calendar: working time of it; without one, real time.
	:param zone: see `in_utc`.
	"""
	if not lead.touched_at:
		return {"seconds": None, "routing": None, "rep": None}
	start, end = in_utc(lead.entered_at, zone), in_utc(lead.touched_at, zone)
	holdings = holdings_between(start, end, held, lead.lead_owner, zone)
	seconds = time_held(start, end, holdings, measure_by(calendar))
	routing = seconds.pop(None, 0)
	rep = sum(seconds.values())
	return {"seconds": routing + rep, "routing": routing, "rep": rep}


def get_calendars() -> dict:
	"""Segment and company (None: of every other company) to the engine's calendar of their follow-up policy, or None if
	that has no calendar."""
	rows = frappe.db.sql(  # nosemgrep
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
	return _NAMES[bisect_left(_LONGEST, seconds)]


execute = SpeedToLead.execute
