"""Wasted leads: those without a touch, a decision or a planned step in time, and why."""

from functools import cached_property

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.queries import Select, Where
from lead_quality.base.report import (
	SMALL_SAMPLE,
	Report,
	bars,
	column,
	count_column,
	full_names,
	lead_and_title,
	no_source,
	on_top,
	percent,
	percent_column,
	share_in_words,
)
from lead_quality.engine.waste import ACCEPTANCE, ENTRY
from lead_quality.funnel import waste
from lead_quality.funnel.remnants import lead_tables

# `group_by` to its column; the age is in whole months until today
GROUPS = {
	"Month": "date_format(j.entered_at, '%%Y-%%m')",
	"Source": "j.source",
	"Owner": "j.present_owner",
	"Age": "least(timestampdiff(month, j.entered_at, %(now)s), 24)",
}


class WastedLeads(Report):
	"""One row per group of leads that came in within the period: how many of them are wasted now.

	:param filters: `from_date`, `to_date` (of the lead's entry), `company`, `segment` and `source` (as they were when it
	    came in), `owner` (present owner), `group_by`; `show`, and for the list `count` and `group` or `without_group`.
	"""

	name = "Wasted Leads"
	months = 6
	list_name = "Leads"
	groups = GROUPS
	counts = {
		"leads": "1 = 1",
		"wasted": "fact.since is not null",
		"since_entry": f"fact.since = '{ENTRY}'",
		"since_acceptance": f"fact.since = '{ACCEPTANCE}'",
		"young": "fact.is_young",
	}
	kept = ("from_date", "to_date", "company", "segment", "source", "owner", "group_by")

	def entries(self) -> Where:
		where = Where(self.user)
		where.within("j.entered_at", self.filters.from_date, self.filters.to_date)
		where.equal("j.company", self.filters.company)
		where.equal("j.segment", self.filters.segment)
		where.equal("j.source", self.filters.source)
		where.equal("j.present_owner", self.filters.owner)
		if self.is_list and (self.filters.group or cint(self.filters.without_group)):
			group = self.groups[self.filters.group_by]
			if cint(self.filters.without_group):
				where.blank(group)
			else:
				where.equal(group, str(self.filters.group))
		return where

	def where(self, created: bool = True) -> Where:
		where = self.entries()
		seen = [
			f"j.name in (select `tabLead`.name from {leads} where {{0}})" for leads in lead_tables(self.user)
		]
		where.visible("Lead", " or ".join(seen))
		return where

	def held_back(self) -> Select:
		query = (
			"select j.name from `tabLead Journey` j join `tabLead` on `tabLead`.name = j.name where {where}"
		)
		return Select(query, self.entries(), {"now": self.now})

	@cached_property
	def within(self) -> int:
		return waste.working_days()

	@cached_property
	def values(self) -> dict:
		return {"now": self.now}

	@cached_property
	def facts(self) -> str:
		"""One row per lead: `since` (Entry, Acceptance) if it is wasted, else null; `is_young` if it is too young to tell."""
		starts, values = waste.latest_starts(self.now)
		self.values.update(values)
		return f"""
			select j.name as `lead`, l.title, j.source, j.present_owner, j.stage, j.entered_at, j.accepted_at,
				{self.groups[self.filters.group_by]} as grouped,
				{waste.WASTED_SINCE} as since, {waste.IS_YOUNG} as is_young
			from `tabLead Journey` j
			left join `tabLead` l on l.name = j.name
			{starts}
			where {{where}}
		"""

	def columns(self) -> list[dict]:
		return [
			column("group", _(self.filters.group_by), width=200),
			count_column("leads", _("Leads")),
			count_column("wasted", _("Wasted")),
			percent_column("wasted_percent", _("Wasted %")),
			count_column("since_entry", _("Since They Came In"), 170),
			count_column("since_acceptance", _("Since Sales Accepted"), 180),
			count_column("young", _("Too Young to Tell"), 160),
		]

	@cached_property
	def found(self) -> list[dict]:
		# build the facts first, because they bind values
		facts = self.facts
		return Select(
			f"select fact.grouped, {self.count_columns()} from ({facts}) fact group by fact.grouped order by fact.grouped",
			self.where(),
			self.values,
		).rows()

	def rows(self) -> list[dict]:
		names = full_names(row["grouped"] for row in self.found) if self.filters.group_by == "Owner" else {}
		rows = []
		for row in self.found:
			counts = {name: cint(row[name]) for name in self.counts}
			group = row["grouped"]
			rows.append(
				{
					"group": self.group_in_words(group, names),
					**counts,
					"wasted_percent": percent(counts["wasted"], counts["leads"]),
					"links": self.links(group=group, without_group=int(group is None)),
				}
			)
		return rows

	def group_in_words(self, group, names: dict) -> str:
		if self.filters.group_by == "Age":
			return _("24 months and more") if group == 24 else _("{0} months").format(group)
		if group is None:
			return no_source() if self.filters.group_by == "Source" else _("No Owner")
		return names.get(group, group)

	def message(self, rows: list[dict]) -> str:
		return _(
			"A lead is wasted if, {0} working days after it came in or sales accepted it, it has no touch by a person, no decision with a reason, and no planned cadence step. Leads with an opportunity or an order are not wasted."
		).format(frappe.bold(self.within))

	def chart(self, rows: list[dict]) -> dict | None:
		if not rows:
			return None
		rows = rows[-24:] if self.filters.group_by == "Month" else rows[:24]
		return bars(
			[row["group"] for row in rows],
			{_("Wasted %"): [round(row["wasted_percent"], 1) for row in rows]},
			["#d1242f"],
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		leads, wasted = (sum(row[name] for row in rows) for name in ("leads", "wasted"))
		share = share_in_words(percent(wasted, leads))
		if leads < SMALL_SAMPLE:
			share = _("{0} of {1} leads").format(wasted, leads)
		return [
			on_top(_("Wasted"), wasted, "Red" if wasted else "Green", "Int"),
			on_top(_("Wasted %"), share, "Red" if wasted else "Green"),
		]

	# the leads

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			column("why", _("Why"), width=330),
			column("source", _("Source"), width=150),
			column("present_owner", _("Owner"), "Link", 220, options="User"),
			column("stage", _("Stage"), width=110),
			column("entered_at", _("Came In"), "Datetime", 165),
			column("accepted_at", _("Accepted by Sales"), "Datetime", 165),
		]

	def listing(self) -> Select:
		facts = self.facts
		return Select(
			f"select fact.* from ({facts}) fact where {self.counted()} order by fact.entered_at, fact.`lead`",
			self.where(),
			self.values,
		)

	def listed(self, found: list) -> list[dict]:
		return [{**row, "stage": _(row["stage"]).capitalize(), "why": self.why(row)} for row in found]

	def why(self, row) -> str | None:
		if not row["since"]:
			return _("Too young to tell") if row["is_young"] else None
		start = row["accepted_at"] if row["since"] == ACCEPTANCE else row["entered_at"]
		days = (self.now - start).days
		if row["since"] == ACCEPTANCE:
			return _("Nothing was done in {0} days since sales accepted it").format(days)
		return _("Nothing was done in {0} days since it came in").format(days)


execute = WastedLeads.execute
