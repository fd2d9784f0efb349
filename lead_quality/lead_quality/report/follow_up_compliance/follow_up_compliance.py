"""Who follows up in time: clocks met and missed by rep, team, segment or clock, whose the misses are, how long it
took."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import cint, get_system_timezone

from lead_quality.base import query
from lead_quality.base.links import DELETED
from lead_quality.base.persons import NO_PERSONS, person
from lead_quality.base.queries import ALL, Select, Where, number_of
from lead_quality.base.report import (
	Report,
	bars,
	column,
	count_column,
	figure,
	full_names,
	hours,
	hours_column,
	lead_and_title,
	nearest_rank,
	on_top,
	percent,
	percent_column,
	user_column,
)
from lead_quality.base.site_time import get_calendar
from lead_quality.engine.clock import CLOCKS
from lead_quality.engine.holding import shares
from lead_quality.follow_up.outages import SWEEP, is_outage, last_sweep
from lead_quality.funnel.remnants import lead_tables
from lead_quality.people.holding import holdings_between, in_utc, measure_by
from lead_quality.people.responsible import responsible_now_sql, responsible_sql

# the states of a clock in this report
MET, MISSED, BY_SYSTEM = "Met", "Missed", "Missed by the System"
ENTERED_LATE = "Entered Late"
OPEN, PAUSED, CANCELLED = "Open", "Paused", "Cancelled"

# A clock past its deadline is missed, and a pause whose time is up is over, whether or not a job has said so. Nobody
# answers for a deadline that passes while the scheduler is off, as the sweep that comes will say.
STATES = (MET, MISSED, BY_SYSTEM, ENTERED_LATE, OPEN, PAUSED, CANCELLED)


def _state(number: bool = False) -> str:
	"""SQL: the state of a clock, or its place in STATES."""
	met, missed, by_system, late, still_open, paused, cancelled = (
		str(place) if number else f"'{state}'" for place, state in enumerate(STATES)
	)
	return f"""
		case
			when c.status = 'Missed' then if(c.missed_by_system, {by_system}, {missed})
			when c.status = '{MET}' then if(c.entered_late = 1, {late}, {met})
			when c.status = '{CANCELLED}' then {cancelled}
			when c.status = 'Paused' and c.paused_until > %(now)s then {paused}
			when c.due_at >= %(now)s then {still_open}
			when c.due_at > %(unwatched_since)s or (c.due_at > %(outage_from)s and c.due_at <= %(outage_until)s)
				then {by_system}
			else {missed}
		end
	"""


STATE = _state()
# rows are grouped faster by a number
STATE_NUMBER = _state(number=True)
CLOCK_NUMBER = f"field(c.clock, {', '.join(repr(clock) for clock in CLOCKS)}) - 1"

# Who was responsible at the deadline of a miss, when somebody acted in time, or is now; see `people.responsible`. What is
# left of a deleted lead keeps it with every clock.
DECIDED_AT = "coalesce(c.acted_at, c.stopped_at, c.due_at)"
IS_OF_HANDOVER = """(
	c.clock = 'Handover Acceptance' and c.reference_doctype = 'Lead Handover'
	and exists (select 1 from `tabLead Handover` h where h.name = c.reference_name)
)"""
REP = f"""
	case
		when c.status = 'Missed' or c.lead like '{DELETED}%%' then c.owner_at_breach
		when {IS_OF_HANDOVER} then (select h.to_user from `tabLead Handover` h where h.name = c.reference_name)
		when moved.until > {DECIDED_AT}
			then {responsible_sql("c.lead", DECIDED_AT, "`tabLead`.lead_owner", "moved.is_assigned")}
		else {responsible_now_sql("c.lead", DECIDED_AT, "`tabLead`.lead_owner", "moved.is_assigned")}
	end
"""

SEGMENT = "nullif(`tabLead`.lq_segment, '')"
IS_WORKING = "ifnull(c.unit, '') like 'Working%%'"

# Joined in this order, as MariaDB would look up the clocks of each lead, of any period, one lead at a time. `moved`
# spares most clocks a look at the holdings and the assignments; numbers are found several times faster than names, and
# two leads with the same number only cost a look too many.
SOURCE = """
	`tabFollow Up Clock` c
	{moved} (
		select told.number, max(told.until) as until, max(told.is_assigned) as is_assigned
		from (
			select crc32(held.lead) as number, max(held.held_until) as until, 0 as is_assigned
			from `tabLead Holding` held group by 1
			union all
			select distinct crc32(assigned.reference_name), null, 1
			from `tabToDo` assigned where assigned.reference_type = 'Lead'
		) told
		group by told.number
	) moved on moved.number = crc32(c.lead)
	straight_join {{leads}} on `tabLead`.name = c.lead
"""
ALL_CLOCKS = SOURCE.format(moved="left join")
CLOCKS_OF_MOVED_LEADS = SOURCE.format(moved="straight_join")

# what a clock is grouped by besides its rep or segment, as one number: rows are grouped faster by that than by four columns
KINDS = [
	(clock, state, acted, working)
	for clock in CLOCKS
	for state in STATES
	for acted in (0, 1)
	for working in (0, 1)
]
KIND_NUMBER = f"""(
	4 * ({len(STATES)} * ({CLOCK_NUMBER}) + {STATE_NUMBER}) + 2 * (c.acted_at is not null) + ({IS_WORKING})
)"""

# the times of a group come as one text, which the database would cut after so many bytes
LONGEST_TEXT = 2**30

IS_MOVED = """(
	c.clock != 'Handover Acceptance'
	and ifnull(moved.until > c.started_at, 0)
	and exists (select 1 from `tabLead Holding` held where held.lead = c.lead and held.held_until > c.started_at)
)"""


# Whoever held the lead when the clock started held it until the deadline, and is its rep.
IS_OF_REP_ALONE = f"""(
	c.due_at >= c.started_at + interval 1 second
	and ifnull(
		(
			select if(first.held_until >= c.due_at, ifnull(first.user, ''), null) from `tabLead Holding` first
			where first.lead = c.lead and first.held_until > c.started_at
			order by first.held_until limit 1
		) = ifnull({REP}, ''),
		0
	)
)"""


class FollowUpCompliance(Report):
	"""One row per group and clock, of the clocks that started within the period.

	:param filters: `group_by`, `from_date`, `to_date`, `clock`, `company`, `segment` (of the lead today), and `user`:
	    only what that rep was responsible for, or is charged with; `show`, and of the list `count`, the fieldname of a
	    count, and `group`, whose it is, or `without_group`.
	"""

	name = "Follow-up Compliance"
	months = 3
	list_name = "Clocks"
	# to the field of a clock that names its group
	groups = {"Rep": "rep", "Team": "team", "Segment": "segment", "Clock": "clock"}
	# to the state of the clocks that it counts, and what else is true of them; `counts_of` says the same of one clock
	counts = {
		"clocks": f"{STATE} in ('{MET}', '{MISSED}')",
		"met": f"{STATE} = '{MET}'",
		"missed": f"{STATE} = '{MISSED}'",
		"never_touched": f"{STATE} = '{MISSED}' and c.acted_at is null",
		"touched_late": f"{STATE} = '{MISSED}' and c.acted_at is not null",
		"entered_late": f"{STATE} = '{ENTERED_LATE}'",
		"missed_by_system": f"{STATE} = '{BY_SYSTEM}'",
		"open": f"{STATE} = '{OPEN}'",
		"paused": f"{STATE} = '{PAUSED}'",
		"cancelled": f"{STATE} = '{CANCELLED}'",
	}
	kept = ("from_date", "to_date", "company", "segment", "user", "group_by")

	def set_filters(self):
		super().set_filters()
		self.field = self.groups[self.filters.group_by]
		self.teams = get_teams() if self.is_list or self.field == "team" else {}

	def where(self, created: bool = False) -> Where:
		"""The clocks of visible leads that started within the period; not yet those of one rep."""
		where = super().where(created)
		self.started(where)
		return where

	def started(self, where: Where):
		where.within("c.started_at", self.filters.from_date, self.filters.to_date)
		where.equal("c.clock", self.filters.clock)

	def held_back(self) -> Select:
		where = Where(self.user)
		where.equal("`tabLead`.company", self.filters.company)
		where.equal("`tabLead`.lq_segment", self.filters.segment)
		self.started(where)
		query = """
			select distinct `tabLead`.name
			from `tabFollow Up Clock` c straight_join `tabLead` on `tabLead`.name = c.lead
			where {where}
		"""
		return Select(query, where)

	@cached_property
	def lead_tables(self) -> tuple[str, ...]:
		return lead_tables(self.user)

	@cached_property
	def at(self) -> dict[str, datetime | None]:
		return instants(self.now)

	# whose the misses are

	def charges(self, where: Where, but_own: bool = False) -> dict[str, frappe._dict]:
		"""The missed clocks during which the lead changed its owner, by name, with who is charged with what share.

		:param but_own: without those with which nobody but their rep is charged, which need no sharing out.

		`shares` maps holders, None being nobody, to their shares of the time from the clock's start to its deadline, in
		the clock's own measure. Pauses are in it: when they were is not kept. A handover is its receiver's alone.
		"""
		query = f"""
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
				{f"and not {IS_OF_REP_ALONE}" if but_own else ""}
			order by c.name, held.held_until
		"""
		rows = [
			row
			for leads in self.lead_tables
			for row in where.select(query.replace("{leads}", leads), **self.at)
		]
		held = defaultdict(list)
		for row in rows:
			row.rep = person(row.rep)
			held[row.name].append(row)
		measures = {
			name: measure_by(get_calendar(name))
			for name in sorted(
				{row.working_calendar for row in rows if row.is_working and row.working_calendar}
			)
		}
		real, zone = measure_by(None), ZoneInfo(get_system_timezone())
		charges = {}
		for name, (clock, *_others) in held.items():
			start, end = in_utc(clock.started_at, zone), in_utc(clock.due_at, zone)
			spent = measures.get(clock.working_calendar, real) if clock.is_working else real
			holdings = holdings_between(start, end, held[name], clock.lead_owner, zone)
			clock.shares = shares(start, end, holdings, spent)
			charges[name] = clock
		return charges

	def is_charged(self, holder: str | None) -> bool:
		"""Whether a group is charged with the share of a holder (None: nobody)."""
		user = self.filters.user
		return holder == user if user else bool(holder) or self.field == "rep"

	def group_of(self, clock, rep: str | None) -> str | None:
		"""The group of a clock for which, or for a share of which, `rep` answers; None for no group."""
		return (
			self.teams.get(rep or "")
			if self.field == "team"
			else rep
			if self.field == "rep"
			else clock[self.field]
		)

	# by group

	@cached_property
	def by_group(self) -> dict[tuple[str | None, str], "Group"]:
		"""Group (None for none) and clock to what is counted of them."""
		where = self.where()
		charges = self.charges(where, but_own=True)
		where.equal(REP, self.filters.user)
		rows, reps, segments = self._counted(where)
		groups: dict[tuple[str | None, str], Group] = defaultdict(Group)
		for row in rows:
			row.clock, row.state, row.is_acted, row.is_working = KINDS[row.kind]
			row.segment = segments.get(row.segment)
			rep = person(reps.get(row.rep))
			is_of_nobody = rep is None if self.by_person else bool(row.is_of_nobody)
			groups[self.group_of(row, rep), row.clock].count(row, is_of_nobody, self.field == "rep")
		for clock in charges.values():
			self._share_out(clock, groups)
		return groups

	@property
	def by_person(self) -> bool:
		return self.field in ("rep", "team")

	def _counted(self, where: Where) -> tuple[list, dict[int, str], dict[int, str]]:
		"""The clocks of each kind (a place in KINDS), rep and segment, and of which texts the numbers of these are."""
		# groups by other things only ask whether there was somebody, and only of what was missed
		nobody = f"{STATE_NUMBER} = {STATES.index(MISSED)} and {REP} is null"
		for number in (short_number_of, number_of):
			clocks = f"""
				select
					{KIND_NUMBER} as kind,
					{number(REP) if self.by_person else "null"} as rep,
					{0 if self.by_person else nobody} as is_of_nobody,
					{number(SEGMENT) if self.field == "segment" else "null"} as segment,
					c.elapsed_seconds
				from {ALL_CLOCKS}
				where {{where}}
			"""
			# each is worked out once, and then sorted by numbers
			rows = where.select(
				f"""
				set statement group_concat_max_len = {LONGEST_TEXT} for
				select
					c.kind, c.rep, c.is_of_nobody, c.segment,
					count(*) as clocks,
					cast(sum(c.elapsed_seconds) as signed) as total_seconds,
					if(c.kind & 2, group_concat(c.elapsed_seconds), null) as seconds
				from ({self._of_all_leads(clocks)} {ALL}) c
				group by c.kind, c.rep, c.is_of_nobody, c.segment
				""",
				**self.at,
			)
			reps = self._texts("User", REP, number, {row.rep for row in rows}, where)
			segments = self._texts("Lead Segment", SEGMENT, number, {row.segment for row in rows}, where)
			# else two of them have one short number
			if all(len(texts) == 1 for found in (reps, segments) for texts in found.values()):
				break
		return rows, _first_of(reps), _first_of(segments)

	def _texts(
		self,
		doctype: str,
		text: str,
		number: Callable[[str], str],
		numbers: set[int | None],
		where: Where,
	) -> dict[int, set[str]]:
		"""Of which texts some numbers are: nearly all of names of documents, the others of what the clocks have.

		:param text: SQL: the text of a clock; `number` makes SQL of its number.
		"""
		found = defaultdict(set)
		wanted = tuple(numbers - {None})
		if wanted:
			rows = query.run(
				f"select {number('name')}, name from `tab{doctype}` where {number('name')} in %(wanted)s",
				{"wanted": wanted},
			)
			for value, name in rows:
				found[value].add(name)
		unnamed = tuple(value for value in wanted if value not in found)
		if unnamed:
			clocks = f"""
				select distinct {number(text)} as number, {text} as text from {ALL_CLOCKS}
				where {{where}} and {number(text)} in %(unnamed)s
			"""
			for row in where.select(self._of_all_leads(clocks), **self.at, unnamed=unnamed):
				found[row.number].add(row.text)
		return found

	def _of_all_leads(self, text: str) -> str:
		"""A query without an order, of the clocks of leads and of deleted ones."""
		return " union all ".join(text.replace("{leads}", leads) for leads in self.lead_tables)

	def _share_out(self, clock, groups: dict[tuple[str | None, str], "Group"]):
		"""Take a missed clock of `charges` from its rep, and charge it to those who held the lead."""
		for holder, share in ((clock.rep, -1), *clock.shares.items()):
			if self.is_charged(holder):
				groups[self.group_of(clock, holder), clock.clock].charged += share
		if not self.filters.user or self.filters.user == clock.rep:
			of_nobody = clock.shares.get(None, 0) - (clock.rep is None)
			groups[self.group_of(clock, clock.rep), clock.clock].routing += of_nobody

	def no_group(self) -> str:
		return {"rep": _("Waiting for Routing"), "team": _("No Team"), "segment": _("No Segment")}.get(
			self.field, ""
		)

	def columns(self) -> list[dict]:
		group_by = self.filters.group_by
		group = [] if self.field == "clock" else [column("group", _(group_by), width=160)]
		user = [user_column("user", _("User"))] if self.field == "rep" else []
		return [
			*group,
			column("clock_label", _("Deadline"), width=230),
			count_column("clocks", _("Deadlines"), 80),
			count_column("met", _("Met"), 70),
			count_column("missed", _("Missed"), 85),
			column("charged", _("Share of Misses"), "Float", 95, precision=2),
			count_column("entered_late", _("Entered Late"), 110),
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

	def rows(self) -> list[dict]:
		"""One row per group and clock: the group with most clocks first, that of no name last, the clocks in their
		order.

		- clocks: those that are decided by people, met or missed; met in percent of them. What the system has missed
		  stands apart, as do open, paused and cancelled ones. Each is counted with who was responsible, see REP.
		- entered late: deadlines that were met by what somebody entered by hand after they had passed; apart, too.
		- charged: the sum of the shares of missed clocks with which the group's reps are charged, see `charges`; in the
		  row of no rep, the share in which nobody held the lead.
		- system: of all misses of the row in percent: missed by the system, and the time in which nobody held the lead.
		- never touched, touched late: why clocks were missed; nobody has done what the clock was waiting for, or somebody
		  did after the deadline. They add up to missed.
		- hours: as stored, from the start until somebody acted, without pauses, over the clocks that were met or touched
		  late. Percentiles by nearest rank, see `nearest_rank`.
		- measure: whether these hours are working or real time; both, if the same clock was counted differently.

		`links` maps each count to the clocks that it counts.
		"""
		is_rep = self.field == "rep"
		names = full_names(name for name, _clock in self.by_group) if is_rep else {}
		rows = []
		for (name, clock), group in self.by_group.items():
			counts, seconds = group.counts, sorted(group.seconds)
			rows.append(
				{
					"group": names.get(name, name) or self.no_group(),
					"group_name": name,
					"user": name if is_rep else None,
					"clock": clock,
					"clock_label": _(clock),
					**{count: counts[count] for count in self.counts},
					# sums of thirds are not quite what they should be
					"charged": round(group.charged, 6),
					"misses": group.misses,
					"timed": len(seconds),
					"met_percent": percent(counts["met"], counts["clocks"]),
					"system_percent": percent(group.of_system, group.misses),
					"median_hours": hours(nearest_rank(seconds, 50)),
					"percentile_hours": hours(nearest_rank(seconds, 90)),
					"measure": _measure(group.measures),
					"links": self.links(
						(*self.counts, "charged"), clock=clock, group=name, without_group=int(not name)
					),
				}
			)
		size: Counter[str | None] = Counter()
		for row in rows:
			size[row["group_name"]] += row["clocks"]

		def place(row: dict) -> tuple:
			name = row["group_name"]
			of_group = () if self.field == "clock" else (name is None, -size[name], name or "")
			return of_group, _place(row["clock"])

		return sorted(rows, key=place)

	def message(self, rows: list[dict]) -> str:
		if not rows:
			return _("No deadline started running within this period.")
		return _(
			"Share of Misses divides each miss among the owners of the lead by how long each held it. System % is the share of "
			"all misses that falls to the system, or to the time in which the lead had no owner."
		)

	def chart(self, rows: list[dict]) -> dict | None:
		"""Met and missed clocks of the fifteen groups with the most clocks."""
		# a legend is cut off after some fifteen letters
		kinds = {"met": _("Met"), "missed": _("Missed"), "missed_by_system": _("By the System")}
		# two reps may have one name
		totals: dict[str | None, Counter] = {}
		labels = {}
		for row in rows:
			name, label = ("clock", "clock_label") if self.field == "clock" else ("group_name", "group")
			labels[row[name]] = row[label]
			totals.setdefault(row[name], Counter()).update({kind: row[kind] for kind in kinds})
		shown = [name for name, total in totals.items() if total.total()][:15]
		if not shown:
			return None
		return bars(
			[labels[name] for name in shown],
			{label: [totals[name][kind] for name in shown] for kind, label in kinds.items()},
			["#1a7f37", "#d1242f", "#8b949e"],
			barOptions={"stacked": 1},
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		"""How many of the clocks decided by people were met, and whose all misses are: the system's, or the reps'."""
		groups = self.by_group.values()
		counts = sum((group.counts for group in groups), Counter())
		misses = sum(group.misses for group in groups)
		met = percent(counts["met"], counts["clocks"])
		figures = [] if met is None else [(_("Met"), met, "Blue")]
		if misses:
			of_system = round(100 * sum(group.of_system for group in groups) / misses, 1)
			figures += [
				(_("Reps' Share of All Misses"), 100 - of_system, "Red"),
				(_("The System's Share of All Misses"), of_system, "Grey"),
			]
		return [on_top(label, f"{figure(value, 1)} %", indicator) for label, value, indicator in figures]

	# the clocks behind a count

	def list_columns(self) -> list[dict]:
		charged = (
			[column("charged", _("Share of Misses"), "Float", 95, precision=2)] if self.lists_charged else []
		)
		return [
			*lead_and_title(),
			column("clock_label", _("Deadline"), width=230),
			user_column("rep", _("Rep")),
			column("team", _("Team"), width=140),
			column("segment", _("Segment"), "Link", 140, options="Lead Segment"),
			column("state_label", _("Status"), width=160),
			column("cause", _("Cause"), width=130),
			*charged,
			column("charged_to", _("Counts Against"), width=240),
			column("started_at", _("Started At"), "Datetime", 165),
			column("due_at", _("Due At"), "Datetime", 165),
			column("acted_at", _("Acted At"), "Datetime", 165),
			hours_column("hours", _("Hours"), 90),
			column("measure", _("Hours Are"), width=120),
			hours_column("paused_hours", _("Paused Hours"), 120),
			column("follow_up_clock", _("Follow Up Clock"), "Link", 170, options="Follow Up Clock"),
		]

	@property
	def lists_charged(self) -> bool:
		return self.filters.count == "charged"

	def listing(self) -> Select:
		"""The clocks behind a count, or all, the first that started first."""
		where = self.where()
		if self.lists_charged:
			self._charged_only(where)
		else:
			where.equal(REP, self.filters.user)
			where.add(self.counted())
			where.add(self._in_group())
		query = f"""
			select
				c.name as follow_up_clock,
				c.`lead`,
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
		"""
		return Select(
			f"{self._of_all_leads(query)} order by started_at, follow_up_clock",
			where,
			{**self.at, "no_persons": NO_PERSONS, "group": self.filters.group, "members": self._members()},
		)

	def _members(self) -> tuple[str, ...]:
		"""The users of the team whose clocks are listed; all who have a team, for those without."""
		group = None if cint(self.filters.without_group) else self.filters.group
		return tuple(user for user, team in self.teams.items() if not group or team == group)

	def _in_group(self) -> str:
		"""SQL: the clocks of the group whose they are, or of no group."""
		if cint(self.filters.without_group):
			return {
				"rep": f"ifnull({REP}, '') in %(no_persons)s",
				"team": f"ifnull({REP}, '') in %(no_persons)s or {REP} not in %(members)s",
				"segment": f"{SEGMENT} is null",
				"clock": "1 = 0",
			}[self.field]
		if not self.filters.group:
			return "1 = 1"
		return {
			"rep": f"{REP} = %(group)s",
			"team": f"{REP} in %(members)s",
			"segment": f"{SEGMENT} = %(group)s",
			"clock": "c.clock = %(group)s",
		}[self.field]

	def _charged_only(self, where: Where):
		"""Narrows clocks to those of which a share is charged to the group that is listed, or to the rep of the
		filters."""
		where.add(self.counts["missed"])
		moved = [
			name for name, clock in self.charges(where).items() if self._charged_share(clock, clock.shares)
		]
		if self.filters.user:
			is_charged = f"{REP} = %(user)s"
		else:
			is_charged = "1 = 1" if self.field == "rep" else f"ifnull({REP}, '') not in %(no_persons)s"
		where.add(
			f"(not {IS_MOVED} and ({is_charged}) and ({self._in_group()})) or c.name in %(moved)s",
			moved=moved,
			user=self.filters.user,
		)

	def _charged_share(self, clock, shares_of: dict[str | None, float]) -> float:
		"""What of a miss is charged to the group that is listed."""

		def is_listed(name: str | None) -> bool:
			if cint(self.filters.without_group):
				return not name
			return not self.filters.group or name == self.filters.group

		return sum(
			share
			for holder, share in shares_of.items()
			if self.is_charged(holder) and is_listed(self.group_of(clock, holder))
		)

	def listed(self, found: list) -> list[dict]:
		"""The clocks with who was responsible, and who is charged."""
		missed = [clock.follow_up_clock for clock in found if clock.state == MISSED]
		own = Where(self.user)
		own.among("c.name", missed)
		charges = self.charges(own) if missed else {}
		for clock in found:
			clock.rep = person(clock.rep)
			clock.team = self.teams.get(clock.rep)
			clock.shares = {}
			if clock.state == MISSED:
				moved = charges.get(clock.follow_up_clock)
				clock.shares = moved.shares if moved else {clock.rep: 1.0}
			if self.lists_charged:
				clock.charged = self._charged_share(clock, clock.shares)
		names = full_names({holder for clock in found for holder in clock.shares})
		causes = {"never_touched": _("Never Touched"), "touched_late": _("Touched Late")}
		return [
			{
				**{key: value for key, value in clock.items() if key != "shares"},
				"clock_label": _(clock.clock),
				"state_label": _(clock.state),
				"cause": causes.get(counts_of(clock)[-1]),
				"charged_to": self._shares_in_words(clock.shares, names),
				"hours": hours(clock.seconds) if is_timed(clock) else None,
				"measure": _measure({bool(clock.is_working)} if is_timed(clock) else set()),
				"paused_hours": hours(clock.paused_seconds or None),
			}
			for clock in found
		]

	def _shares_in_words(
		self, shares_of: dict[str | None, float], names: dict[str | None, str]
	) -> str | None:
		"""Who is charged with a miss, the greatest share first; in percent where there are several."""
		words = [
			(names.get(holder, holder) or _("Waiting for Routing"), "" if share == 1 else f" {share:.0%}")
			for holder, share in sorted(shares_of.items(), key=lambda item: (-item[1], item[0] or ""))
		]
		return ", ".join(name + part for name, part in words) or None


def _first_of(found: dict[int, set[str]]) -> dict[int, str]:
	return {number: min(texts) for number, texts in found.items()}


def short_number_of(text: str) -> str:
	"""SQL: a number for a text, worked out faster than that of `number_of`; among a thousand texts, two have the same one
	on one site of ten thousand."""
	return f"crc32({text})"


def instants(now: datetime) -> dict[str, datetime | None]:
	"""What STATE compares with: `now`; `unwatched_since`, when the last sweep was if that is too long ago; and of the
	latest outage that a sweep has put an end to, of which it may still have clocks to declare, when it began and ended.

	:param now: naive instant in the site's zone, as are those returned.
	"""
	last = last_sweep()
	outages = frappe.db.sql(  # nosemgrep
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


def get_teams() -> dict[str, str]:
	"""User to the name of the Sales Person above them. Of several an enabled one counts, and the first by name."""
	rows = frappe.db.sql(  # nosemgrep
		"""
		select e.user_id as user, s.parent_sales_person as team
		from `tabSales Person` s join `tabEmployee` e on e.name = s.employee
		where ifnull(e.user_id, '') != '' and ifnull(s.parent_sales_person, '') != ''
		order by s.enabled, s.name desc
		""",
		as_dict=True,
	)
	return {row.user: row.team for row in rows}


@dataclass
class Group:
	"""What is counted of the clocks of one kind in one group; see `FollowUpCompliance.rows`.

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

	def count(self, row, is_of_nobody: bool, by_rep: bool):
		"""Clocks that have all in common that the groups look at, as if no lead had changed its owner meanwhile."""
		for count in counts_of(row):
			self.counts[count] += row.clocks
		if is_timed(row):
			self.seconds += _numbers(row.seconds, row.clocks, row.total_seconds)
			self.measures.add(bool(row.is_working))
		if row.state == MISSED:
			self.routing += row.clocks if is_of_nobody else 0
			self.charged += 0 if is_of_nobody and not by_rep else row.clocks


def counts_of(clock) -> tuple[str, ...]:
	"""The names of the counts that a clock is in, by its `state` and `is_acted`."""
	if clock.state == MET:
		return ("clocks", "met")
	if clock.state == MISSED:
		return ("clocks", "missed", "touched_late" if clock.is_acted else "never_touched")
	names = {BY_SYSTEM: "missed_by_system", ENTERED_LATE: "entered_late"}
	return (names.get(clock.state) or clock.state.lower(),)


def is_timed(clock) -> bool:
	"""Whether a clock has a time: a person has acted on it, and none of the system's failures is in it."""
	return bool(clock.is_acted) and clock.state in (MET, MISSED)


def _numbers(text: str, count: int, total: int) -> list[int]:
	"""The numbers of a group, which the database returns as one text.

	:raises frappe.ValidationError: if the text was cut because there were too many.
	"""
	# a hundred thousand numbers are read several times faster so than one by one
	numbers = json.loads(f"[{text}]") if text[-1:].isdigit() else []
	if (len(numbers), sum(numbers)) != (count, total):
		frappe.throw(_("Too many deadlines for one report. Choose a shorter period, or a single deadline."))
	return numbers


def _measure(kinds: set[bool]) -> str | None:
	if not kinds:
		return None
	if len(kinds) == 2:
		return _("Both")
	return _("Working Time") if True in kinds else _("Real Time")


def _place(clock: str) -> int:
	return CLOCKS.index(clock) if clock in CLOCKS else len(CLOCKS)


execute = FollowUpCompliance.execute
