"""Wasted leads: those without a touch, a decision or a planned step in time, and why."""

from collections.abc import Iterable
from functools import cached_property

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.queries import Select, Where
from lead_quality.base.report import (
	bars,
	column,
	count_column,
	lead_and_title,
	on_top,
	percent,
	percent_column,
	share_of,
)
from lead_quality.engine.waste import ACCEPTANCE, ENTRY
from lead_quality.funnel import waste
from lead_quality.lead_quality.report.journeys import COHORTS, JourneyReport, step_in_words

# a lead's age in whole months until today
AGE = "least(timestampdiff(month, j.entered_at, %(now)s), 24)"


class WastedLeads(JourneyReport):
	"""One row per group of leads that came in within the period: how many of them are wasted now.

	:param filters: as of `JourneyReport`; `owner` is the present one.
	"""

	name = "Wasted Leads"
	can_look_back = True
	told_by = ("target", "first touch", "accepted", "opportunity", "sale", "left the funnel")
	groups = {name: name for name in ("Month", "Source", "Owner", "Age")}
	counts = {
		"leads": "1 = 1",
		"wasted": "fact.since is not null",
		"since_entry": f"fact.since = '{ENTRY}'",
		"since_acceptance": f"fact.since = '{ACCEPTANCE}'",
		"young": "fact.is_young",
	}

	def set_filters(self):
		super().set_filters()
		self.filters.include_non_buyers = 1  # whom nobody has looked at, nobody can know to be none

	def facet(self, name: str) -> str:
		return "j.present_owner" if name == "Owner" else super().facet(name)

	@cached_property
	def group_column(self) -> str | None:
		return AGE if self.filters.group_by == "Age" else super().group_column

	def of_group(self, where: Where):
		super().of_group(where)
		if self.filters.group_by == "Age":
			where.values["now"] = self.until

	@cached_property
	def within(self) -> int:
		return waste.working_days()

	@cached_property
	def values(self) -> dict:
		return {"now": self.until}

	@cached_property
	def facts(self) -> str:
		"""One row per lead: `since` (Entry, Acceptance) if it is wasted, else null; `is_young` if it is too young to tell."""
		starts, values = waste.latest_starts(self.until)
		self.values.update(values)
		wasted_since = waste.wasted_since("j.next_touch_at") if self.as_of else waste.WASTED_SINCE
		return f"""
			select j.name as `lead`, l.title, l.lq_priority as priority, j.source, j.present_owner, j.stage,
				j.entered_at, j.accepted_at,
				{self.group_column} as grouped,
				{wasted_since} as since, {waste.IS_YOUNG} as is_young
			from {self.journeys()}
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
	def found(self) -> list:
		# build the facts first, because they bind values
		facts = self.facts
		return Select(
			f"""
			select convert(min(binary fact.grouped) using utf8mb4) as grouped, {self.count_columns()}
			from ({facts}) fact group by fact.grouped order by fact.grouped
			""",
			self.where(),
			self.values,
		).rows()

	def totals(self) -> dict[str, int]:
		"""Each count over all the leads."""
		facts = self.facts
		(row,) = Select(
			f"select {self.count_columns()} from ({facts}) fact", self.where(), self.values
		).rows()
		return {name: cint(row[name]) for name in self.counts}

	def rows(self) -> list[dict]:
		names = self.names_of(row.grouped for row in self.found)
		rows = []
		for row in self.found:
			counts = {name: cint(row[name]) for name in self.counts}
			rows.append(
				{
					"group": names[row.grouped],
					**counts,
					"wasted_percent": percent(counts["wasted"], counts["leads"]),
					"links": self.group_links(row.grouped, self.counts),
				}
			)
		return rows

	def names_of(self, groups: Iterable[str | None]) -> dict[str | None, str]:
		if self.filters.group_by != "Age":
			return super().names_of(groups)
		return {
			months: _("24 months and more") if months == "24" else _("{0} months").format(months)
			for months in groups
		}

	def message(self, rows: list[dict]) -> str:
		words = _(
			"A lead is wasted if, {0} working days after it came in or sales accepted it, it has no touch by a person, no decision with a reason, and no planned cadence step. Leads with an opportunity or an order are not wasted."
		).format(frappe.bold(self.within))
		return f"{self.looks_back_in_words()} {words}".strip()

	def not_as_of_then(self) -> str:
		return _("The number of days and the working calendars are those of today.")

	def chart(self, rows: list[dict]) -> dict | None:
		if not rows:
			return None
		rows = rows[-24:] if self.filters.group_by in COHORTS else rows[:24]
		return bars(
			[row["group"] for row in rows],
			{_("Wasted %"): [round(row["wasted_percent"], 1) for row in rows]},
			["#d1242f"],
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		leads, wasted = (sum(row[name] for row in rows) for name in ("leads", "wasted"))
		return [
			on_top(_("Wasted"), wasted, "Red" if wasted else "Green", "Int"),
			on_top(_("Wasted %"), share_of(wasted, leads), "Red" if wasted else "Green"),
		]

	# the leads

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			count_column("priority", _("Priority"), 90),
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
			f"select fact.* from ({facts}) fact where {self.counted()} "
			# those to call first, and of the same priority what has waited longest
			"order by fact.priority desc, fact.entered_at, fact.`lead`",
			self.where(),
			self.values,
		)

	def listed(self, found: list) -> list[dict]:
		return [{**row, "stage": step_in_words(row["stage"]), "why": self.why(row)} for row in found]

	def why(self, row) -> str | None:
		if not row["since"]:
			return _("Too young to tell") if row["is_young"] else None
		start = row["accepted_at"] if row["since"] == ACCEPTANCE else row["entered_at"]
		days = (self.until - start).days
		if row["since"] == ACCEPTANCE:
			return _("Nothing was done in {0} days since sales accepted it").format(days)
		return _("Nothing was done in {0} days since it came in").format(days)


execute = WastedLeads.execute
