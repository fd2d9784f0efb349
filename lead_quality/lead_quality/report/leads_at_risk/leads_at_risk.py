"""Leads that need attention: without owner or next step, untouched for too long, or with an overdue clock."""

from datetime import date
from functools import cached_property

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.queries import ALL, Select, Where, number_of
from lead_quality.base.report import (
	Report,
	bars,
	column,
	count_column,
	lead_and_title,
	on_top,
	percent,
	percent_column,
	user_column,
)
from lead_quality.follow_up import risks
from lead_quality.follow_up.risks import ALL_FACTS_OF_MANY, IS_FOUND, IS_OF_MANY, MANY_LEADS, OVERDUE, RISKS

ANY = " or ".join(IS_FOUND.values())


class LeadsAtRisk(Report):
	"""The leads at risk now, or their counts by fault, owner or segment. Does not depend on jobs.

	:param filters: `show` (Leads, Summary), `group_by` of the summary, `fault` (one of `risks.RISKS`), `company`,
	    `segment` or `without_segment`, `lead_owner` or `without_owner`.
	"""

	name = "Leads at Risk"
	list_name = "Leads"
	groups = {"Fault": "", "Owner": "`tabLead`.lead_owner", "Segment": "`tabLead`.lq_segment"}
	kept = ("company", "segment", "lead_owner")

	def set_filters(self):
		super().set_filters()
		self.filters.show = self.filters.show if self.filters.show == "Summary" else self.list_name

	def where(self, created: bool = False) -> Where:
		where = super().where(created)
		where.add(f"`tabLead`.disabled = 0 or {risks.IS_HIDDEN}")
		where.equal("`tabLead`.lead_owner", self.filters.lead_owner)
		for check, fieldname in (("without_owner", "lead_owner"), ("without_segment", "lq_segment")):
			if cint(self.filters.get(check)):
				where.blank(f"`tabLead`.{fieldname}")
		return where

	@property
	def fault(self) -> str | None:
		return self.filters.fault if self.filters.fault in RISKS else None

	# the leads

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			count_column("priority", _("Priority"), 90),
			column("faults", _("At Risk By"), width=230),
			user_column("lead_owner", _("Owner")),
			count_column("days_untouched", _("Days Untouched"), 140),
			count_column("stale_in", _("Stale in Days"), 115),
			count_column("shelf_life_in", _("Shelf Life in Days"), 140),
			column("next_step", _("Next Step"), width=110),
			column("next_step_at", _("Next Step At"), "Datetime", 150),
			column("last_touch_at", _("Last Touch"), "Datetime", 150),
			column("segment", _("Segment"), "Link", 130, options="Lead Segment"),
			# no link: v15 refuses a report to users who may not read the linked DocType
			column("company", _("Company"), width=150),
		]

	def listing(self) -> Select:
		"""The leads with the fault in the filters, or any fault: those with an overdue clock first, then the likeliest to
		buy, then the longest untouched."""
		where = self.where()
		if self.fault:
			where.add(IS_OF_MANY[self.fault])
		return Select(
			f"""
			select
				`tabLead`.name as `lead`,
				`tabLead`.title,
				`tabLead`.lq_priority as priority,
				nullif(`tabLead`.lead_owner, '') as lead_owner,
				nullif(`tabLead`.lq_segment, '') as segment,
				nullif(`tabLead`.company, '') as company,
				`tabLead`.lq_last_touch_at as last_touch_at,
				found.untouched_since, found.in_work, found.stale_on, found.shelf_life_ends_on,
				{", ".join(f"{condition} as `{risk}`" for risk, condition in IS_FOUND.items())}
			from (
				select `tabLead`.name as `lead`, {risks.UNTOUCHED_SINCE} as untouched_since, {ALL_FACTS_OF_MANY}
				from {MANY_LEADS}
				where {{where}}
				{ALL}
			) found
			straight_join `tabLead` on `tabLead`.name = found.`lead`
			where {ANY}
			order by {IS_FOUND[OVERDUE]} desc, `tabLead`.lq_priority desc, found.untouched_since, found.`lead`
			""",
			where,
			risks.values_of_many(self.now),
		)

	def listed(self, found: list) -> list[dict]:
		"""The leads with their faults in words.

		- faults: see `follow_up.risks`.
		- days untouched: since the last touch by a person, else since the lead came in.
		- stale in, shelf life ends in: days from today; 0 or less once reached. For a lead that is snoozed or nurtured
		  until a day, not before that day. None without a limit, and for leads that are no longer in work.
		- next step: the earliest one with a date, including past ones.
		"""
		labels = {risk: _(risk) for risk in RISKS}
		today = self.now.date()
		steps = risks.next_steps([lead.lead for lead in found], self.now)
		for lead in found:
			lead.risks = [risk for risk in RISKS if lead.pop(risk)]
			lead.faults = ", ".join(labels[risk] for risk in lead.risks)
			lead.days_untouched = (today - lead.untouched_since.date()).days
			lead.stale_in = _days_until(lead.stale_on, lead, today)
			lead.shelf_life_in = _days_until(lead.shelf_life_ends_on, lead, today)
			kind, lead.next_step_at = steps.get(lead.lead, (None, None))
			lead.next_step = kind and _(kind)
		return found

	def list_message(self, rows: list[dict]) -> str | None:
		if rows:
			return None
		if self.fault:
			return _("None of your visible leads is at risk for this reason: {0}.").format(_(self.fault))
		return _("None of your visible leads is at risk.")

	def list_summary(self, rows: list[dict], total: int) -> list[dict]:
		"""How many leads have each fault; a lead may have several."""
		if not rows or self.fault:
			return []
		counts: dict = self.all_counts if total > len(rows) else {}
		if not counts:
			counts = {risk: sum(risk in row["risks"] for row in rows) for risk in RISKS}
		return [
			on_top(_(risk), cint(counts[risk]), "Red" if counts[risk] else "Green", "Int") for risk in RISKS
		]

	def count_listing(self, listing: Select) -> int:
		return cint(self.all_counts[self.fault or "at_risk"])

	def held_back(self) -> Select:
		"""The leads at risk that this reader would see."""
		where = Where(self.user)
		where.equal("`tabLead`.company", self.filters.company)
		where.equal("`tabLead`.lq_segment", self.filters.segment)
		where.add(f"`tabLead`.disabled = 0 or {risks.IS_HIDDEN}")
		return Select(
			f"""
			select found.`lead` from (select `tabLead`.name as `lead`, {ALL_FACTS_OF_MANY} from {MANY_LEADS} where {{where}} {ALL}) found
			where {ANY}
			""",
			where,
			risks.values_of_many(self.now),
		)

	# counts

	@cached_property
	def all_counts(self) -> frappe._dict:
		return next(iter(self.counts_by()), frappe._dict())

	def counts_by(self, column: str = "") -> list:
		"""Leads in work, leads at risk, and leads with each fault, by a column of the lead; without one, of all."""
		sums = ", ".join(f"sum({condition}) as `{risk}`" for risk, condition in IS_FOUND.items())
		# a table of a hundred thousand numbers stays in memory, one of names does not
		number = _number_of_group(column) if column else "null"
		# of what any lead has: an index has few of them
		named = (
			f"select {column} as value from `tabLead` group by {column} {ALL}"
			if column
			else "select null as value"
		)
		return self.where().select(
			f"""
			select groups.value as grouped, counted.*
			from (
				select found.number, sum(found.in_work) as in_work, sum({ANY}) as at_risk, {sums}
				from (select {number} as number, {ALL_FACTS_OF_MANY} from {MANY_LEADS} where {{where}} {ALL}) found
				group by found.number
			) counted
			left join (select {_number_of_group("named.value")} as number, named.value from ({named}) named) groups
				on groups.number = counted.number
			order by counted.at_risk desc, groups.value
			""",
			**risks.values_of_many(self.now),
		)

	def columns(self) -> list[dict]:
		if self.filters.group_by == "Fault":
			return [
				column("label", _("At Risk By"), width=240),
				count_column("leads", _("Leads")),
				percent_column("share", _("% of Leads in Work"), 160),
			]
		options = {"Owner": "User", "Segment": "Lead Segment"}[self.filters.group_by]
		return [
			column("group", _(self.filters.group_by), "Link", 220, options=options),
			count_column("in_work", _("Leads in Work"), 120),
			count_column("at_risk", _("At Risk"), 100),
			*(count_column(frappe.scrub(risk), _(risk), 130) for risk in RISKS),
		]

	def rows(self) -> list[dict]:
		return self.fault_rows() if self.filters.group_by == "Fault" else self.group_rows()

	def fault_rows(self) -> list[dict]:
		"""How many leads have each fault, and how many have any, with the percentage of the leads in work.

		Clocks can also be overdue on leads that are no longer in work (opportunities): this count has no percentage.
		`links` opens the leads of each count.
		"""
		counts = self.all_counts
		rows = [
			{
				"fault": fault,
				"label": label,
				"leads": cint(counts.get(fault or "at_risk")),
				"share": percent(cint(counts.get(fault)), cint(counts.in_work))
				if fault in risks.FAULTS
				else None,
				"links": self.links(["leads"], fault=fault),
			}
			for fault, label in [*((risk, _(risk)) for risk in RISKS), ("", _("Any of These"))]
		]
		return rows if counts.in_work or counts.at_risk else []

	def group_rows(self) -> list[dict]:
		"""The same counts by owner or segment, most leads at risk first; each count links to its leads."""
		named, without = {
			"Owner": ("lead_owner", "without_owner"),
			"Segment": ("segment", "without_segment"),
		}[self.filters.group_by]
		rows = []
		for counts in self.counts_by(self.groups[self.filters.group_by]):
			of_group = {named: counts.grouped} if counts.grouped else {without: 1}
			links = self.links(["at_risk"], **of_group)
			for risk in RISKS:
				links.update(self.links([frappe.scrub(risk)], **of_group, fault=risk))
			rows.append(
				{
					"group": counts.grouped,
					"in_work": cint(counts.in_work),
					"at_risk": cint(counts.at_risk),
					**{frappe.scrub(risk): cint(counts[risk]) for risk in RISKS},
					"links": links,
				}
			)
		return rows

	def chart(self, rows: list[dict]) -> dict | None:
		faults = [row for row in rows if row.get("fault")]
		if not any(row["leads"] for row in faults):
			return None
		return bars(
			[row["label"] for row in faults], {_("Leads"): [row["leads"] for row in faults]}, ["#d1242f"]
		)


def _number_of_group(name: str) -> str:
	"""SQL: one number for all spellings of a name that the database takes for the same; null for no name."""
	return number_of(f"weight_string(rtrim(nullif({name}, '')))")


def _days_until(day: date | None, lead, today: date) -> int | None:
	return (day - today).days if day and lead.in_work else None


execute = LeadsAtRisk.execute
