"""Who follows up in time: clocks met and missed by rep, team, segment or clock, whose the misses are, how long it took."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import cint, now_datetime

from lead_quality.base.reporting import (
	Where,
	column,
	count_column,
	figure,
	full_names,
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
from lead_quality.engine.clock import CLOCKS
from lead_quality.engine.holding import shares
from lead_quality.follow_up.service import SWEEP, is_outage, last_sweep
from lead_quality.people.holding import holdings_between, in_utc, measure_by, owner_sql, person

REPORT = "Follow-up Compliance"

# the states of a clock in this report
MET, MISSED, BY_SYSTEM = "Met", "Missed", "Missed by the System"
OPEN, PAUSED, CANCELLED = "Open", "Paused", "Cancelled"

# count to the states of the clocks that it counts; `counts_of` says more
COUNTS = {
	"clocks": (MET, MISSED),
	"met": (MET,),
	"missed": (MISSED,),
	"never_touched": (MISSED,),
	"touched_late": (MISSED,),
	"missed_by_system": (BY_SYSTEM,),
	"open": (OPEN,),
	"paused": (PAUSED,),
	"cancelled": (CANCELLED,),
}

# A clock past its deadline is missed, and a pause whose time is up is over, whether or not a job has said so. Nobody
# answers for a deadline that passes while the scheduler is off, as the sweep that comes will say.
STATE = f"""
	case
		when c.status = 'Missed' then if(c.missed_by_system, '{BY_SYSTEM}', '{MISSED}')
		when c.status in ('{MET}', '{CANCELLED}') then c.status
		when c.status = 'Paused' and c.paused_until > %(now)s then '{PAUSED}'
		when c.due_at >= %(now)s then '{OPEN}'
		when c.due_at > %(unwatched_since)s or (c.due_at > %(outage_from)s and c.due_at <= %(outage_until)s)
			then '{BY_SYSTEM}'
		else '{MISSED}'
	end
"""

# Who was responsible at the deadline of a miss, when somebody acted in time, or is now; see `holding.person`.
DECIDED_AT = "coalesce(c.acted_at, c.stopped_at, c.due_at)"
REP = f"""
	case
		when c.status = 'Missed' then c.owner_at_breach
		when c.clock = 'Handover Acceptance' and h.name is not null then h.to_user
		when moved.until > {DECIDED_AT} then {owner_sql("c.lead", DECIDED_AT, "`tabLead`.lead_owner")}
		else `tabLead`.lead_owner
	end
"""

SEGMENT = "nullif(`tabLead`.lq_segment, '')"
IS_WORKING = "ifnull(c.unit, '') like 'Working%%'"

# Joined in this order, as MariaDB would look up the clocks of each lead, of any period, one lead at a time. `moved`
# spares most clocks a look at the holdings; numbers are found several times faster than names, and two leads with the
# same number only cost a look too many.
SOURCE = """
	`tabFollow Up Clock` c
	{moved} (
		select crc32(lead) as number, max(held_until) as until from `tabLead Holding` group by 1
	) moved on moved.number = crc32(c.lead)
	straight_join `tabLead` on `tabLead`.name = c.lead
	left join `tabLead Handover` h on h.name = c.reference_name and c.reference_doctype = 'Lead Handover'
"""
ALL_CLOCKS = SOURCE.format(moved="left join")
CLOCKS_OF_MOVED_LEADS = SOURCE.format(moved="straight_join")

# the times of a group come as one text, which the database would cut after so many bytes
LONGEST_TEXT = 2**30


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	filters.group_by = filters.group_by if filters.group_by in GROUPS else "Rep"
	now = now_datetime()
	if filters.show == "Clocks":
		return clock_columns(filters), clock_rows(filters, now)
	groups = get_groups(filters, now)
	rows = get_rows(groups, filters)
	return get_columns(filters), rows, message(rows), chart(rows, filters), summary(groups)


def clocks_where(filters) -> Where:
	"""The clocks of visible leads that started within the filters' period; not yet those of one rep.

	:param filters: `from_date`, `to_date`, `clock`, `company`, `segment` (of the lead today).
	"""
	where = leads_where(filters, created=False)
	where.within("c.started_at", filters.from_date, filters.to_date)
	where.equal("c.clock", filters.clock)
	return where


def instants(now: datetime) -> dict[str, datetime | None]:
	"""What STATE compares with: `now`; `unwatched_since`, when the last sweep was if that is too long ago; and of the
	latest outage that a sweep has put an end to, of which it may still have clocks to declare, when it began and ended.

	:param now: naive instant in the site's zone, as are those returned.
	"""
	last = last_sweep()
	outages = frappe.db.sql(
		"""
		select outage_from, max(started_at) from `tabFollow Up Run` where job = %s and outage_from is not null
		group by outage_from order by outage_from desc limit 1
		""",
		(SWEEP,),
	)
	outage_from, outage_until = outages[0] if outages else (None, None)
	return {
		"now": now,
		"unwatched_since": last if is_outage(last, now) else None,
		"outage_from": outage_from,
		"outage_until": outage_until,
	}


# whose the misses are


def get_charges(where: Where, at: dict) -> dict[str, frappe._dict]:
	"""The missed clocks during which the lead changed its owner, by name, with who is charged with what share.

	`shares` maps holders, None being nobody, to their shares of the time from the clock's start to its deadline, in the
	clock's own measure. Pauses are in it: when they were is not kept. A handover is its receiver's alone.

	:param where: of `clocks_where`.
	:param at: of `instants`.
	"""
	rows = where.select(
		f"""
		select
			c.name, c.clock, c.started_at, c.due_at, {IS_WORKING} as is_working, c.working_calendar,
			{SEGMENT} as segment,
			{REP} as rep,
			`tabLead`.lead_owner,
			held.user,
			held.held_until
		from {CLOCKS_OF_MOVED_LEADS}
		straight_join `tabLead Holding` held on held.lead = c.lead and held.held_until > c.started_at
		where
			{{where}} and c.clock != 'Handover Acceptance' and {STATE} = '{MISSED}' and moved.until > c.started_at
		order by c.name, held.held_until
		""",
		**at,
	)
	held = defaultdict(list)
	for row in rows:
		row.rep = person(row.rep)
		held[row.name].append(row)
	measures = {
		name: measure_by(get_calendar(name))
		for name in sorted({row.working_calendar for row in rows if row.is_working and row.working_calendar})
	}
	real = measure_by(None)
	charges = {}
	for name, (clock, *_others) in held.items():
		start, end = in_utc(clock.started_at), in_utc(clock.due_at)
		spent = measures.get(clock.working_calendar, real) if clock.is_working else real
		clock.shares = shares(start, end, holdings_between(start, end, held[name], clock.lead_owner), spent)
		charges[name] = clock
	return charges


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


# by group


GROUPS = {
	"Rep": "rep",
	"Team": "team",
	"Segment": "segment",
	"Clock": "clock",
}


@dataclass
class Group:
	"""What is counted of the clocks of one kind in one group; see `get_rows`.

	`charged` and `routing` are sums of shares of misses: those that the group's reps are charged with, and those of the
	group's own clocks in which nobody held the lead.
	"""

	counts: Counter = field(default_factory=Counter)
	seconds: list[int] = field(default_factory=list)
	measures: set[bool] = field(default_factory=set)
	charged: float = 0
	routing: float = 0

	@property
	def misses(self) -> int:
		return self.counts["missed"] + self.counts["missed_by_system"]

	@property
	def of_system(self) -> float:
		return self.counts["missed_by_system"] + self.routing


def get_groups(filters, now: datetime) -> dict[tuple[str | None, str], Group]:
	"""Group (None for none) and clock to what is counted of them.

	:param filters: those of `clocks_where`, `group_by`, and `user`: only what that rep was responsible for, or is
	    charged with.
	:param now: naive instant in the site's zone.
	"""
	at = instants(now)
	where = clocks_where(filters)
	charges = get_charges(where, at)
	where.equal(REP, filters.user)
	by_person = filters.group_by in ("Rep", "Team")
	rows = where.select(
		f"""
		set statement group_concat_max_len = {LONGEST_TEXT} for
		select
			c.clock,
			{STATE} as state,
			c.acted_at is not null as is_acted,
			{IS_WORKING} as is_working,
			{REP if by_person else f"if(c.status = '{MET}', null, {REP})"} as rep,
			{SEGMENT if filters.group_by == "Segment" else "null"} as segment,
			count(*) as clocks,
			cast(sum(c.elapsed_seconds) as signed) as total_seconds,
			group_concat(c.elapsed_seconds) as seconds
		from {ALL_CLOCKS}
		where {{where}}
		group by 1, 2, 3, 4, 5, 6
		""",
		**at,
	)
	groups = _Groups(filters)
	for row in rows:
		groups.count(row)
	for clock in charges.values():
		groups.share_out(clock)
	return groups.found


class _Groups:
	"""Puts what the queries have found into groups."""

	def __init__(self, filters):
		self.field = GROUPS[filters.group_by]
		self.user = filters.user
		self.teams = get_teams() if self.field == "team" else {}
		self.found: dict[tuple[str | None, str], Group] = defaultdict(Group)

	def name_of(self, clock, rep: str | None) -> str | None:
		"""The group of a clock for which, or for a share of which, `rep` answers; None for no group."""
		return (
			self.teams.get(rep) if self.field == "team" else rep if self.field == "rep" else clock[self.field]
		)

	def charges(self, holder: str | None) -> bool:
		"""Whether what somebody, None being nobody, is charged with belongs to any group."""
		return holder == self.user if self.user else bool(holder) or self.field == "rep"

	def count(self, row):
		"""Clocks that have all in common that the groups look at, as if no lead had changed its owner meanwhile."""
		rep = person(row.rep)
		group = self.found[self.name_of(row, rep), row.clock]
		for count in counts_of(row):
			group.counts[count] += row.clocks
		if is_timed(row):
			group.seconds += _numbers(row.seconds, row.clocks, row.total_seconds)
			group.measures.add(bool(row.is_working))
		if row.state == MISSED:
			group.routing += 0 if rep else row.clocks
			group.charged += row.clocks if rep or self.field == "rep" else 0

	def share_out(self, clock):
		"""A missed clock of `get_charges` is taken from its rep, and charged to those who held the lead."""
		for holder, share in ((clock.rep, -1), *clock.shares.items()):
			if self.charges(holder):
				self.found[self.name_of(clock, holder), clock.clock].charged += share
		if not self.user or self.user == clock.rep:
			of_nobody = clock.shares.get(None, 0) - (clock.rep is None)
			self.found[self.name_of(clock, clock.rep), clock.clock].routing += of_nobody


def counts_of(clock) -> tuple[str, ...]:
	"""The names of the counts that a clock is in, by its `state` and `is_acted`."""
	if clock.state == MET:
		return ("clocks", "met")
	if clock.state == MISSED:
		return ("clocks", "missed", "touched_late" if clock.is_acted else "never_touched")
	return ({BY_SYSTEM: "missed_by_system"}.get(clock.state) or clock.state.lower(),)


def is_timed(clock) -> bool:
	"""Whether a clock has a time: a person has acted on it, and none of the system's failures is in it."""
	return bool(clock.is_acted) and clock.state in (MET, MISSED)


def _numbers(text: str, count: int, total: int) -> list[int]:
	"""The numbers of a group, which the database has put into one text.

	:raises frappe.ValidationError: if they were too many for that.
	"""
	numbers = [int(number) for number in text.split(",") if number]
	if (len(numbers), sum(numbers)) != (count, total):
		frappe.throw(
			_("These are too many clocks for one report. Choose a shorter period, or one clock only.")
		)
	return numbers


def no_group(group_by: str) -> str:
	return {"Rep": _("Waiting for Routing"), "Team": _("No Team"), "Segment": _("No Segment")}.get(
		group_by, ""
	)


def get_columns(filters) -> list[dict]:
	group = [] if filters.group_by == "Clock" else [column("group", _(filters.group_by), width=160)]
	user = [user_column("user", _("User"))] if filters.group_by == "Rep" else []
	return [
		*group,
		column("clock_label", _("Clock"), width=230),
		count_column("clocks", _("Clocks"), 80),
		count_column("met", _("Met"), 70),
		count_column("missed", _("Missed"), 85),
		column("charged", _("Charged"), "Float", 95, precision=2),
		count_column("missed_by_system", _("Missed by the System"), 175),
		percent_column("met_percent", _("Met %"), 85),
		percent_column("system_percent", _("System %"), 100),
		count_column("never_touched", _("Never Touched"), 130),
		count_column("touched_late", _("Touched Late"), 115),
		hours_column("median_hours", _("Median Hours"), 120),
		hours_column("percentile_hours", _("90th Percentile Hours"), 170),
		column("measure", _("Hours Are"), width=120),
		count_column("open", _("Open in Time"), 115),
		count_column("paused", _("Paused"), 85),
		count_column("cancelled", _("Cancelled"), 95),
		*user,
	]


def get_rows(groups: dict[tuple[str | None, str], Group], filters) -> list[dict]:
	"""One row per group and clock: the group with most clocks first, that of no name last, the clocks in their order.

	- clocks: those that are decided by people, met or missed; met in percent of them. What the system has missed stands
	  apart, as do open, paused and cancelled ones. Each is counted with who was responsible, see REP.
	- charged: the sum of the shares of missed clocks with which the group's reps are charged, see `get_charges`; in the
	  row of no rep, the share in which nobody held the lead.
	- system: of all misses of the row in percent: missed by the system, and the time in which nobody held the lead.
	- never touched, touched late: why clocks were missed; nobody has done what the clock was waiting for, or somebody
	  did after the deadline. They add up to missed.
	- hours: as stored, from the start until somebody acted, without pauses, over the clocks that were met or touched
	  late. Percentiles by nearest rank, see `reporting.nearest_rank`.
	- measure: whether these hours are working or real time; both, if the same clock was counted differently.

	`links` maps each count to the clocks that it counts.
	"""
	is_rep, is_clock = filters.group_by == "Rep", filters.group_by == "Clock"
	names = full_names(name for name, _clock in groups) if is_rep else {}
	rows = []
	for (name, clock), group in groups.items():
		counts, seconds = group.counts, sorted(group.seconds)
		rows.append(
			{
				"group": names.get(name, name) or no_group(filters.group_by),
				"group_name": name,
				"user": name if is_rep else None,
				"clock": clock,
				"clock_label": _(clock),
				**{count: counts[count] for count in COUNTS},
				# sums of thirds are not quite what they should be
				"charged": round(group.charged, 6),
				"misses": group.misses,
				"timed": len(seconds),
				"met_percent": percent(counts["met"], counts["clocks"]),
				"system_percent": percent(group.of_system, group.misses),
				"median_hours": _hours(nearest_rank(seconds, 50)),
				"percentile_hours": _hours(nearest_rank(seconds, 90)),
				"measure": _measure(group.measures),
				"links": _links(name, clock, filters),
			}
		)
	size = Counter()
	for row in rows:
		size[row["group_name"]] += row["clocks"]
	return sorted(
		rows,
		key=lambda row: (
			(
				()
				if is_clock
				else (row["group_name"] is None, -size[row["group_name"]], row["group_name"] or "")
			),
			_place(row["clock"]),
		),
	)


def message(rows: list[dict]) -> str:
	if not rows:
		return _("No clock started within this period.")
	return _(
		"Charged shares each miss out by how long each owner held the lead. System % is what the system has missed, "
		"and the time in which nobody owned the lead, of all misses."
	)


def chart(rows: list[dict], filters) -> dict | None:
	"""Met and missed clocks of the fifteen groups with most of them."""
	# a legend is cut off after some fifteen letters
	kinds = {"met": _("Met"), "missed": _("Missed"), "missed_by_system": _("By the System")}
	totals: dict[str, Counter] = {}
	for row in rows:
		label = row["clock_label"] if filters.group_by == "Clock" else row["group"]
		totals.setdefault(label, Counter()).update({kind: row[kind] for kind in kinds})
	totals = {label: total for label, total in totals.items() if total.total()}
	if not totals:
		return None
	labels = list(totals)[:15]
	return {
		"data": {
			"labels": labels,
			"datasets": [
				{"name": name, "values": [totals[label][kind] for label in labels]}
				for kind, name in kinds.items()
			],
		},
		"type": "bar",
		"barOptions": {"stacked": 1},
		"colors": ["#1a7f37", "#d1242f", "#8b949e"],
	}


def summary(groups: dict[tuple[str | None, str], Group]) -> list[dict]:
	"""How many of the clocks decided by people were met, and whose all misses are: the system's, or the reps'."""
	counts = sum((group.counts for group in groups.values()), Counter())
	misses = sum(group.misses for group in groups.values())
	met = percent(counts["met"], counts["clocks"])
	figures = [] if met is None else [(_("Met"), met, "Blue")]
	if misses:
		of_system = round(percent(sum(group.of_system for group in groups.values()), misses), 1)
		figures += [
			(_("Reps' Share of All Misses"), 100 - of_system, "Red"),
			(_("The System's Share of All Misses"), of_system, "Grey"),
		]
	return [
		{"label": label, "value": f"{figure(value, 1)} %", "datatype": "Data", "indicator": indicator}
		for label, value, indicator in figures
	]


# the clocks behind a count


def clock_columns(filters) -> list[dict]:
	charged = (
		[column("charged", _("Charged"), "Float", 95, precision=2)] if filters.count == "charged" else []
	)
	return [
		*lead_and_title(),
		column("clock_label", _("Clock"), width=230),
		user_column("rep", _("Rep")),
		column("team", _("Team"), width=140),
		column("segment", _("Segment"), "Link", 140, options="Lead Segment"),
		column("state_label", _("Status"), width=160),
		column("cause", _("Cause"), width=130),
		*charged,
		column("charged_to", _("Charged To"), width=240),
		column("started_at", _("Started At"), "Datetime", 165),
		column("due_at", _("Due At"), "Datetime", 165),
		column("acted_at", _("Acted At"), "Datetime", 165),
		hours_column("hours", _("Hours"), 90),
		column("measure", _("Hours Are"), width=120),
		hours_column("paused_hours", _("Paused Hours"), 120),
		column("follow_up_clock", _("Follow Up Clock"), "Link", 170, options="Follow Up Clock"),
	]


def clock_rows(filters, now: datetime) -> list[dict]:
	"""The clocks behind a count, or all, with who was responsible and who is charged.

	:param filters: those of `get_groups`; `count`, the fieldname of a count; `group`, whose it is, or `without_group`.
	:param now: naive instant in the site's zone.
	"""
	at = instants(now)
	where = clocks_where(filters)
	of_charge = filters.count == "charged"
	states = (MISSED,) if of_charge else COUNTS.get(filters.count)
	if states:
		where.add(f"{STATE} in %(states)s", states=states)
	if filters.group_by == "Segment":
		where.equal(SEGMENT, filters.group)
	charges = get_charges(where, at) if not states or MISSED in states else {}
	if not of_charge:
		where.equal(REP, filters.user)
		where.equal(REP, filters.group if filters.group_by == "Rep" else None)
	clocks = where.select(
		f"""
		select
			c.name as follow_up_clock,
			c.lead,
			`tabLead`.title,
			c.clock,
			{SEGMENT} as segment,
			c.started_at,
			c.due_at,
			c.acted_at,
			c.acted_at is not null as is_acted,
			{STATE} as state,
			{REP} as rep,
			c.elapsed_seconds as seconds,
			{IS_WORKING} as is_working,
			c.paused_seconds
		from {ALL_CLOCKS}
		where {{where}}
		order by c.started_at, c.name
		""",
		**at,
	)
	groups, teams = _Groups(filters), get_teams()

	def is_wanted(name: str | None) -> bool:
		return not name if cint(filters.without_group) else not filters.group or name == filters.group

	rows = []
	for clock in clocks:
		clock.rep = person(clock.rep)
		clock.team = teams.get(clock.rep)
		clock.shares = {}
		if clock.state == MISSED:
			moved = charges.get(clock.follow_up_clock)
			clock.shares = moved.shares if moved else {clock.rep: 1.0}
		if of_charge:
			clock.charged = sum(
				share
				for holder, share in clock.shares.items()
				if groups.charges(holder) and is_wanted(groups.name_of(clock, holder))
			)
			if not clock.charged:
				continue
		elif filters.count in COUNTS and filters.count not in counts_of(clock):
			continue
		elif not is_wanted(groups.name_of(clock, clock.rep)):
			continue
		rows.append(clock)
	return _in_words(rows)


def _in_words(clocks: list) -> list[dict]:
	"""The clocks of `clock_rows` as the list shows them."""
	names = full_names({holder for clock in clocks for holder in clock.shares})
	causes = {"never_touched": _("Never Touched"), "touched_late": _("Touched Late")}
	return [
		{
			**clock,
			"clock_label": _(clock.clock),
			"state_label": _(clock.state),
			"cause": causes.get(counts_of(clock)[-1]),
			"charged_to": _shares_in_words(clock.shares, names),
			"hours": _hours(clock.seconds) if is_timed(clock) else None,
			"measure": _measure({bool(clock.is_working)} if is_timed(clock) else set()),
			"paused_hours": _hours(clock.paused_seconds or None),
		}
		for clock in clocks
	]


def _shares_in_words(shares_of: dict[str | None, float], names: dict[str, str]) -> str | None:
	"""Who is charged with a miss, the greatest share first; in percent where there are several."""
	words = [
		(names.get(holder, holder) or no_group("Rep"), "" if share == 1 else f" {share:.0%}")
		for holder, share in sorted(shares_of.items(), key=lambda item: (-item[1], item[0] or ""))
	]
	return ", ".join(name + part for name, part in words) or None


def _links(group: str | None, clock: str, filters) -> dict[str, str]:
	own = {
		key: filters[key]
		for key in ("from_date", "to_date", "company", "segment", "user", "group_by")
		if key in filters
	}
	own.update({"show": "Clocks", "clock": clock, "group": group, "without_group": int(not group)})
	return {name: report_route(REPORT, **own, count=name) for name in (*COUNTS, "charged")}


def _measure(kinds: set[bool]) -> str | None:
	if not kinds:
		return None
	if len(kinds) == 2:
		return _("Both")
	return _("Working Time") if True in kinds else _("Real Time")


def _hours(seconds: int | None) -> float | None:
	return None if seconds is None else seconds / 3600


def _place(clock: str) -> int:
	return CLOCKS.index(clock) if clock in CLOCKS else len(CLOCKS)
