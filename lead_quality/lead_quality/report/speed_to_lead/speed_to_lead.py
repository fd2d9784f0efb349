"""How long a lead waits for the first person to get in touch: a distribution, and what became of the leads."""

from collections import Counter
from functools import cached_property

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base import query
from lead_quality.base.queries import Where, sources
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

LEADS_AT_ONCE = 1_000


class SpeedToLead(Report):
	"""The leads that came in within the period by the time to their first touch; disabled ones and no buyers left out.

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
	def leads(self) -> list:
		"""The leads with the time to their first touch and its bucket.

		- entered at: the lead's creation, at which its clock First Response starts.
		- touched at: the first touch that stops that clock (`engine.clock.is_human_touch`): one made by a person, with an
		  answer or without; also a conversation that the lead began. None if there is none yet.
		- seconds: between the two; 0 if the touch was made before the lead was entered. With `time` Raw every second
		  counts; else working time by the calendar of the follow-up policy of the lead's segment of today, of its company
		  first. Where there is no such calendar (`is_working` 0), real time.
		- routing, rep: the seconds of these in which nobody held the lead, and in which somebody did; they add up to
		  seconds.
		- sales ready: is so now, or was handed over.
		"""
		tables, parts = lead_tables(self.user), []
		query = f"""
			select
				`tabLead`.name as `lead`,
				`tabLead`.title,
				source_of.spelling as source,
				nullif(`tabLead`.lq_segment, '') as segment,
				{self.groups[self.filters.group_by]} as grouped,
				`tabLead`.company,
				`tabLead`.lead_owner,
				`tabLead`.creation as entered_at,
				moved.lead is not null as is_moved,
				{{touched_at}} as touched_at,
				case when {{sales_ready}} then 1 else 0 end as sales_ready
			from {{leads}}
			{sources(of_deleted=len(tables) > 1)}
			left join (select distinct lead from `tabLead Holding`) moved on moved.lead = `tabLead`.name
			where {{where}}
		"""
		for table, facts in zip(tables, (OF_LEADS, OF_DELETED), strict=False):
			part = query.replace("{leads}", table)
			for name, expression in facts.items():
				part = part.replace(f"{{{name}}}", expression)
			parts.append(part)
		leads = self.where().select(f"{' union all '.join(parts)} order by entered_at, `lead`")
		held = get_holdings([lead.lead for lead in leads if lead.is_moved])
		for lead in leads:
			lead.held = held.get(lead.lead, ())
			lead.is_working = int(self.calendar_of(lead) is not None and self.is_working)
			lead.update(waits(lead, self.calendar_of(lead) if lead.is_working else None))
			lead.bucket = bucket_of(lead.seconds)
		return leads

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
		groups: dict[str | None, list] = {}
		for lead in self.leads:
			groups.setdefault(lead.grouped, []).append(lead)
		labels = self.bucket_labels()
		rows = []
		for group, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0] or "")):
			in_bucket = Counter(lead.bucket for lead in members)
			ready = Counter(lead.bucket for lead in members if lead.sales_ready)
			rows.append(
				{
					**self._row(group, None, len(members), len(members), ready.total(), len(members)),
					"label": self._group_label(group),
					"indent": 0,
					"touched": sum(lead.seconds is not None for lead in members),
					"median_hours": hours(_percentile(members, 50)),
					"percentile_hours": hours(_percentile(members, 90)),
					"routing_hours": hours(_percentile(members, 50, "routing")),
					"rep_hours": hours(_percentile(members, 50, "rep")),
				}
			)
			reached = 0
			for bucket in BUCKETS:
				reached += in_bucket[bucket]
				rows.append(
					{
						**self._row(group, bucket, in_bucket[bucket], len(members), ready[bucket], reached),
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
		uncounted = sum(bool(lead.touched_at) and not lead.is_working for lead in self.leads)
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
		in_bucket = Counter(lead.bucket for lead in self.leads)
		ready = Counter(lead.bucket for lead in self.leads if lead.sales_ready)
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
		never = sum(lead.bucket == "never" for lead in self.leads)
		median, percentile = hours(_percentile(self.leads, 50)), hours(_percentile(self.leads, 90))
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

	def all_listed(self) -> list:
		"""The leads behind a count; which bucket a lead is in, no query can tell."""
		bucket, ready_only = self.filters.bucket, cint(self.filters.sales_ready)
		return [
			lead
			for lead in self.leads
			if (bucket not in BUCKETS or bucket == lead.bucket) and (lead.sales_ready or not ready_only)
		]

	def listed(self, found: list) -> list[dict]:
		"""The leads with their times in either measure; None where there is no calendar to tell working time by."""
		labels = self.bucket_labels()
		rows = []
		for lead in found:
			calendar = self.calendar_of(lead)
			raw = waits(lead, None)
			working = waits(lead, calendar) if calendar else dict.fromkeys(raw)
			rows.append(
				{
					**{key: value for key, value in lead.items() if key != "held"},
					**{f"working_{part}_hours": hours(seconds) for part, seconds in working.items()},
					**{f"raw_{part}_hours": hours(seconds) for part, seconds in raw.items()},
					"label": labels[lead.bucket],
					"hours": hours(lead.seconds),
				}
			)
		return rows


# what is known of a lead, and what was kept of a deleted one
OF_LEADS = {
	"touched_at": f"""(
		select min(t.done_at) from `tabLead Touch` t where t.lead = `tabLead`.name and {human_touch("t")}
	)""",
	"sales_ready": """(
		`tabLead`.lq_verdict = 'Sales Ready'
		or `tabLead`.name in (select h.lead from `tabLead Handover` h where h.status != 'Draft')
	)""",
}
OF_DELETED = {
	"touched_at": "`tabLead`.touched_at",
	"sales_ready": "(`tabLead`.lq_verdict = 'Sales Ready' or `tabLead`.handed_over = 1)",
}


def get_holdings(leads: list[str]) -> dict[str, list]:
	"""Lead to its Lead Holdings, the first that ended first."""
	held: dict[str, list] = {}
	for start in range(0, len(leads), LEADS_AT_ONCE):
		for row in query.run(
			"""
			select lead, user, held_until from `tabLead Holding` where lead in %s order by held_until
			""",
			(leads[start : start + LEADS_AT_ONCE],),
			as_dict=True,
		):
			held.setdefault(row.lead, []).append(row)
	return held


def waits(lead, calendar) -> dict[str, int | None]:
	"""How long a lead waited for its first touch, in whole seconds: `seconds` in all, `routing` of them while nobody
	held it, `rep` while somebody did. None where nobody has touched it yet.

	:param lead: with `held`, its Lead Holdings; see `holdings_between`.
	:param calendar: working time of it; without one, real time.
	"""
	if not lead.touched_at:
		return {"seconds": None, "routing": None, "rep": None}
	start, end = in_utc(lead.entered_at), in_utc(lead.touched_at)
	held = holdings_between(start, end, lead.held, lead.lead_owner)
	seconds = time_held(start, end, held, measure_by(calendar))
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
	return next((name for name, longest in BUCKETS.items() if longest and seconds <= longest), "later")


def _percentile(leads: list, percentile: float, part: str = "seconds") -> float | None:
	"""Of the seconds to the first touch, or of a part of them (see `waits`), over the leads that have one."""
	return nearest_rank([lead[part] for lead in leads if lead[part] is not None], percentile)


execute = SpeedToLead.execute
