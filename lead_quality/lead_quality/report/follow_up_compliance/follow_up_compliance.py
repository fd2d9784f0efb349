"""Who follows up in time: clocks met and missed by rep, team, segment or clock, and how long it took."""

from collections import Counter
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import cint, now_datetime

from lead_quality.engine.clock import CLOCKS
from lead_quality.reporting import (
	DECIDED,
	column,
	count_column,
	hours_column,
	human_touch,
	lead_and_title,
	leads_where,
	nearest_rank,
	percent,
	percent_column,
	report_route,
	user_column,
)
from lead_quality.site_time import get_calendar, seconds_between

REPORT = "Follow-up Compliance"

COUNTS = ("clocks", "met", "missed", "never_touched", "touched_late", "open", "cancelled")

# clock to the field of a Sales Ready Agreement that goes before the policy
AGREED = {"Handover Acceptance": "accept_within", "First Touch After Acceptance": "first_touch_within"}

# A clock past its deadline is missed, whether or not a job has said so.
STATE = """
	case
		when c.status in ('Met', 'Missed', 'Cancelled') then c.status
		when c.status = 'Running' and c.due_at < %(now)s then 'Missed'
		else 'Open'
	end
"""

# As `follow_up.service.responsible` has it; of a declared miss, who was responsible then.
REP = """
	coalesce(
		case when c.status = 'Missed' then nullif(c.owner_at_breach, '') end,
		case when c.clock = 'Handover Acceptance' then nullif(h.to_user, '') end,
		nullif(`tabLead`.lead_owner, '')
	)
"""

# When somebody did what the clock was waiting for. A missed clock is also stopped when there is nothing left to do:
# by an opt-out, or a handover that was pulled back. Nobody has acted then.
ACTED_AT = f"""
	case
		when c.stopped_at is null or c.status not in ('Met', 'Missed') then null
		when c.status = 'Met' then c.stopped_at
		when c.clock in ('First Response', 'First Touch After Acceptance') then (
			select min(t.done_at) from `tabLead Touch` t
			where t.lead = c.lead and t.done_at > c.due_at and t.done_at <= c.stopped_at and {human_touch("t")}
		)
		when c.clock = 'Next Touch' then (
			select min(t.done_at) from `tabLead Touch` t
			where
				t.lead = c.lead and t.done_at > c.due_at and t.done_at <= c.stopped_at
				and t.status = 'Done' and ifnull(t.enrollment, '') != ''
		)
		when c.clock = 'Handover Acceptance' and h.status in %(decided)s then c.stopped_at
		when c.clock = 'Triage' and exists (
			select 1 from `tabLead Qualification` q
			where q.lead = c.lead and (q.verdict != 'Open' or q.horizon != 'Unknown')
		) then c.stopped_at
	end
"""


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	filters.group_by = filters.group_by if filters.group_by in GROUPS else "Rep"
	clocks = get_clocks(filters, now_datetime())
	if filters.show == "Clocks":
		return clock_columns(), clock_rows(clocks, filters)
	rows = get_rows(clocks, filters)
	return get_columns(filters), rows, None, chart(rows, filters)


def get_clocks(filters, now: datetime) -> list:
	"""The clocks of visible leads that started within the filters' period, with their rep, team, state and time.

	- state: Met, Missed (also a running clock past its deadline at `now`), Cancelled, else Open.
	- rep: who was responsible when the clock was declared missed; else of a handover its receiver, else the lead's
	  owner today. None if there is nobody.
	- team: the parent of the rep's Sales Person, found by Sales Person.employee and Employee.user_id; or None.
	- seconds: from the start to when somebody acted, late or not; 0 if that was before the start (a touch may be made
	  before the lead is entered). Working time of the clock's calendar where its span is in working units, else real
	  time. The span is that of the handover's agreement, else of the policy, as it is today. None if nobody acted.

	:param filters: `from_date`, `to_date`, `clock`, `company`, `segment` (of the lead today), `user` (the rep).
	:param now: naive instant in the site's zone.
	"""
	# straight_join: MariaDB would look up the clocks of each lead, of any period, one lead at a time
	where = leads_where(filters, created=False)
	where.within("c.started_at", filters.from_date, filters.to_date)
	where.equal("c.clock", filters.clock)
	where.equal(REP, filters.user)
	clocks = where.select(
		f"""
		select
			c.name as follow_up_clock,
			c.lead,
			`tabLead`.title,
			c.clock,
			c.policy,
			h.agreement,
			`tabLead`.lq_segment as segment,
			c.started_at,
			c.due_at,
			{STATE} as state,
			{REP} as rep,
			{ACTED_AT} as acted_at
		from `tabFollow Up Clock` c
		straight_join `tabLead` on `tabLead`.name = c.lead
		left join `tabLead Handover` h on h.name = c.reference_name and c.reference_doctype = 'Lead Handover'
		where {{where}}
		order by c.started_at, c.name
		""",
		now=now,
		decided=DECIDED,
	)
	teams = get_teams()
	calendars = _Calendars()
	for clock in clocks:
		clock.team = teams.get(clock.rep)
		clock.seconds = clock.is_working = None
		if clock.acted_at:
			clock.is_working, calendar = calendars.of(clock)
			clock.seconds = seconds_between(clock.started_at, clock.acted_at, calendar)
	return clocks


def get_teams() -> dict[str, str]:
	"""User to the name of the Sales Person above them. Of several an enabled one counts, and the first by name."""
	rows = frappe.db.sql(
		"""
		select e.user_id as user, s.parent_sales_person as team
		from `tabSales Person` s join `tabEmployee` e on e.name = s.employee
		where ifnull(e.user_id, '') != '' and ifnull(s.parent_sales_person, '') != ''
		order by s.enabled, s.name desc
		""",
		as_dict=True,
	)
	return {row.user: row.team for row in rows}


class _Calendars:
	"""By which calendar each clock's time is counted, read once for all clocks."""

	def __init__(self):
		self._units: dict[tuple, str] = {}
		self._calendars: dict[tuple, str | None] = {}
		self._built: dict[str, object] = {}
		for row in frappe.db.sql(
			"""
			select t.parent, t.clock, t.unit, p.working_calendar
			from `tabFollow Up Policy` p
			left join `tabFollow Up Target` t on t.parent = p.name and t.parenttype = 'Follow Up Policy'
			order by p.name, t.idx
			""",
			as_dict=True,
		):
			self._units["policy", row.parent, row.clock] = row.unit
			self._calendars["policy", row.parent] = row.working_calendar
		for row in frappe.get_all(
			"Sales Ready Agreement",
			fields=["name", "deadline_unit", "working_calendar", *AGREED.values()],
			order_by="name asc",
		):
			for clock, field in AGREED.items():
				if row[field]:
					self._units["agreement", row.name, clock] = row.deadline_unit
			self._calendars["agreement", row.name] = row.working_calendar

	def of(self, clock) -> tuple[bool, object]:
		"""Whether the clock's time is working time, and the engine's calendar that counts it, else None."""
		agreed = self._units.get(("agreement", clock.agreement, clock.clock))
		unit = agreed or self._units.get(("policy", clock.policy, clock.clock)) or ""
		name = self._calendars.get(("agreement", clock.agreement)) if agreed else None
		name = name or self._calendars.get(("policy", clock.policy))
		if not name or not unit.startswith("Working"):
			return False, None
		if name not in self._built:
			self._built[name] = get_calendar(name)
		return True, self._built[name]


# by group


GROUPS = {
	"Rep": "rep",
	"Team": "team",
	"Segment": "segment",
	"Clock": "clock",
}


def no_group(group_by: str) -> str:
	return {"Rep": _("No Rep"), "Team": _("No Team"), "Segment": _("No Segment")}.get(group_by, "")


def get_columns(filters) -> list[dict]:
	by_clock = filters.group_by == "Clock"
	group = [] if by_clock else [column("group", _(filters.group_by), width=190)]
	if filters.group_by == "Rep":
		group.append(user_column("user", _("User")))
	return [
		*group,
		column("clock_label", _("Clock"), width=230),
		count_column("clocks", _("Clocks"), 90),
		count_column("met", _("Met"), 80),
		count_column("missed", _("Missed"), 90),
		percent_column("met_percent", _("Met %"), 90),
		count_column("never_touched", _("Never Touched"), 130),
		count_column("touched_late", _("Touched Late"), 120),
		hours_column("median_hours", _("Median Hours"), 120),
		hours_column("percentile_hours", _("90th Percentile Hours"), 170),
		column("measure", _("Hours Are"), width=120),
		count_column("open", _("Open in Time"), 120),
		count_column("cancelled", _("Cancelled"), 100),
	]


def get_rows(clocks: list, filters) -> list[dict]:
	"""One row per group and clock, the group with most clocks first, the clocks in their usual order.

	- clocks: those that are decided, met or missed; met in percent of them. Open and cancelled ones are none of them.
	- never touched, touched late: why clocks were missed; nobody has done what the clock was waiting for, or somebody
	  did after the deadline. They add up to missed.
	- hours: how long it took from the start, over the clocks in which somebody acted (met, and touched late); see
	  `get_clocks`. Percentiles by nearest rank, see `reporting.nearest_rank`.
	- measure: whether these hours are working or real time; both, if policies count the same clock differently.

	`links` maps each count to the clocks that it counts.
	"""
	field = GROUPS[filters.group_by]
	groups: dict[tuple, list] = {}
	for clock in clocks:
		groups.setdefault((clock[field] or None, clock.clock), []).append(clock)
	names = _full_names(group for group, _clock in groups) if filters.group_by == "Rep" else {}
	rows = []
	for (group, clock_name), members in groups.items():
		counts = Counter(name for clock in members for name in counts_of(clock))
		seconds = [clock.seconds for clock in members if clock.seconds is not None]
		rows.append(
			{
				"group": names.get(group, group) or no_group(filters.group_by),
				"group_name": group,
				"user": group if filters.group_by == "Rep" else None,
				"clock": clock_name,
				"clock_label": _(clock_name),
				**{name: counts[name] for name in COUNTS},
				"timed": len(seconds),
				"met_percent": percent(counts["met"], counts["clocks"]),
				"median_hours": _hours(nearest_rank(seconds, 50)),
				"percentile_hours": _hours(nearest_rank(seconds, 90)),
				"measure": _measure({clock.is_working for clock in members} - {None}),
				"links": _links(group, clock_name, filters),
			}
		)
	of_group = Counter()
	for row in rows:
		of_group[row["group_name"]] += row["clocks"]
	return sorted(
		rows,
		key=lambda row: (
			0 if filters.group_by == "Clock" else -of_group[row["group_name"]],
			"" if filters.group_by == "Clock" else row["group_name"] or "",
			_place(row["clock"]),
		),
	)


def counts_of(clock) -> tuple[str, ...]:
	"""The names of the counts that a clock is in."""
	if clock.state == "Met":
		return ("clocks", "met")
	if clock.state == "Missed":
		return ("clocks", "missed", "touched_late" if clock.acted_at else "never_touched")
	return (clock.state.lower(),)


def chart(rows: list[dict], filters) -> dict | None:
	"""Met and missed clocks of the fifteen groups with most of them."""
	totals: dict[str, Counter] = {}
	for row in rows:
		label = row["clock_label"] if filters.group_by == "Clock" else row["group"]
		totals.setdefault(label, Counter()).update({"met": row["met"], "missed": row["missed"]})
	totals = {label: total for label, total in totals.items() if total.total()}
	if not totals:
		return None
	labels = list(totals)[:15]
	return {
		"data": {
			"labels": labels,
			"datasets": [
				{"name": _("Met"), "values": [totals[label]["met"] for label in labels]},
				{"name": _("Missed"), "values": [totals[label]["missed"] for label in labels]},
			],
		},
		"type": "bar",
		"barOptions": {"stacked": 1},
		"colors": ["#1a7f37", "#d1242f"],
	}


# the clocks behind a count


def clock_columns() -> list[dict]:
	return [
		*lead_and_title(),
		column("clock_label", _("Clock"), width=230),
		user_column("rep", _("Rep")),
		column("team", _("Team"), width=140),
		column("segment", _("Segment"), "Link", 140, options="Lead Segment"),
		column("state_label", _("Status"), width=100),
		column("cause", _("Cause"), width=130),
		column("started_at", _("Started At"), "Datetime", 165),
		column("due_at", _("Due At"), "Datetime", 165),
		column("acted_at", _("Acted At"), "Datetime", 165),
		hours_column("hours", _("Hours"), 90),
		column("measure", _("Hours Are"), width=120),
		column("follow_up_clock", _("Follow Up Clock"), "Link", 170, options="Follow Up Clock"),
	]


def clock_rows(clocks: list, filters) -> list[dict]:
	"""The clocks behind a count: `filters.count` is its fieldname, `filters.group` whose it is, or
	`filters.without_group`; without them, all clocks."""
	field = GROUPS[filters.group_by]
	causes = {"never_touched": _("Never Touched"), "touched_late": _("Touched Late")}
	rows = []
	for clock in clocks:
		counts = counts_of(clock)
		if filters.count and filters.count not in counts:
			continue
		if cint(filters.without_group) and clock[field]:
			continue
		if not cint(filters.without_group) and filters.group and filters.group != clock[field]:
			continue
		rows.append(
			{
				**clock,
				"clock_label": _(clock.clock),
				"state_label": _(clock.state),
				"cause": causes.get(counts[-1]),
				"hours": _hours(clock.seconds),
				"measure": _measure({clock.is_working} - {None}),
			}
		)
	return rows


def _links(group: str | None, clock: str, filters) -> dict[str, str]:
	own = {
		key: filters[key]
		for key in ("from_date", "to_date", "company", "segment", "user", "group_by")
		if key in filters
	}
	own.update({"show": "Clocks", "clock": clock, "group": group, "without_group": int(not group)})
	return {name: report_route(REPORT, **own, count=name) for name in COUNTS}


def _full_names(users) -> dict[str, str]:
	users = [user for user in users if user]
	if not users:
		return {}
	rows = frappe.get_all(
		"User", {"name": ["in", users]}, ["name", "full_name"], order_by="name asc", as_list=True
	)
	return {name: full_name or name for name, full_name in rows}


def _measure(kinds: set[bool]) -> str | None:
	if not kinds:
		return None
	if len(kinds) == 2:
		return _("Both")
	return _("Working Time") if kinds.pop() else _("Real Time")


def _hours(seconds: int | None) -> float | None:
	return None if seconds is None else seconds / 3600


def _place(clock: str) -> int:
	return CLOCKS.index(clock) if clock in CLOCKS else len(CLOCKS)
