"""Funnel targets: what each step is to reach, what it reaches, and the leads that it is judged by."""

from functools import cached_property

from frappe import _
from frappe.utils import getdate

from lead_quality.base.queries import Select, Where
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
from lead_quality.engine.targets import BELOW, MET, UNKNOWN, cohort, judge
from lead_quality.funnel import targets


class FunnelTargets(Report):
	"""One row per target that the reader may see, by the leads that the reader may see.

	:param filters: `as_of`, the day on which they are judged, by default today; `target`; `show`, and of the list
	    `count`.
	"""

	name = "Funnel Targets"
	list_name = "Leads"
	kept = ("as_of",)

	def set_filters(self):
		super().set_filters()
		self.day = getdate(self.filters.as_of or self.now)

	@cached_property
	def targets(self) -> list:
		where = Where(self.user)
		where.visible(targets.DOCTYPE)
		where.equal("`tabFunnel Target`.name", self.filters.target)
		where.among("`tabFunnel Target`.step", targets.REACHED_AT)
		return where.select(
			"""
			select name, step, rate, within_days, minimum_leads, owner_user, source, segment, company, from_date, to_date,
				below_since
			from `tabFunnel Target` where {where}
			order by field(step, 'Prospect', 'Sales Ready', 'Accepted', 'Opportunity', 'Quoted', 'Sale'), creation, name
			"""
		)

	def columns(self) -> list[dict]:
		return [
			column("label", _("Step"), width=220),
			column("first_day", _("Came in from"), "Date", 115),
			column("last_day", _("Came in until"), "Date", 115),
			count_column("leads", _("Leads"), 80),
			count_column("reached", _("Reached in Time"), 135),
			count_column("missed", _("Not in Time"), 110),
			percent_column("rate", _("Rate"), 80),
			percent_column("target_rate", _("Target"), 80),
			column("state", _("State"), width=120),
			column("below_since", _("Owner Told At"), "Datetime", 165),
			user_column("owner_user", _("Owner of the Step")),
			column("target", _("Target Record"), "Link", 130, options=targets.DOCTYPE),
		]

	def rows(self) -> list[dict]:
		states = {BELOW: _("Below"), MET: _("Met"), UNKNOWN: _("Too few leads")}
		rows = []
		for target in self.targets:
			leads, reached = targets.count(target, self.day, self.user)
			first, last = cohort(self.day, target.within_days or 0)
			state = judge(reached, leads, target.rate, target.minimum_leads or 0)
			rows.append(
				{
					"label": targets.step_in_words(target),
					"first_day": max(first, target.from_date or first),
					"last_day": min(last, target.to_date or last),
					"leads": leads,
					"reached": reached,
					"missed": leads - reached,
					"rate": percent(reached, leads),
					"target_rate": target.rate,
					"state": states[state],
					"is_below": state == BELOW,
					"below_since": target.below_since,
					"owner_user": target.owner_user,
					"target": target.name,
					"links": self.links(
						("leads", "reached", "missed"), target=target.name, as_of=str(self.day)
					),
				}
			)
		return rows

	def message(self, rows: list[dict]) -> str:
		if not rows:
			return _("There is no Funnel Target yet that you may see: make one for each step.")
		return _(
			"Each step is judged by the leads of 90 days of entries, the last of which have had their days in full. Non-buyers are left out."
		)

	def chart(self, rows: list[dict]) -> dict | None:
		rows = [row for row in rows if row["leads"]][:12]
		if not rows:
			return None
		return bars(
			[row["label"] for row in rows],
			{
				_("Target, %"): [row["target_rate"] for row in rows],
				_("Rate, %"): [round(row["rate"], 1) for row in rows],
			},
			["#8c959f", "#1a7f37"],
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		below = sum(row["is_below"] for row in rows)
		return [on_top(_("Below Target"), below, "Red" if below else "Green", "Int")] if rows else []

	# the leads

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			column("step", _("Step"), width=160),
			column("entered_at", _("Came In"), "Datetime", 165),
			column("reached_at", _("Reached At"), "Datetime", 165),
			column("in_time", _("In Time"), "Check", 90),
			column("source", _("Source"), width=150),
			user_column("present_owner", _("Owner")),
			column("exit_reason", _("Left Because"), width=180),
		]

	def listing(self) -> Select:
		parts, where = [], Where(self.user)
		for number, target in enumerate(self.targets):
			own = targets.leads_of(target, self.day, self.user)
			reached = targets.has_reached(target)
			condition = {"missed": f"not {reached}", "reached": reached}.get(self.filters.count)
			if condition:
				own.add(condition)
			conditions = str(own)
			# the values of each target under names of their own
			for key in sorted(own.values, key=len, reverse=True):
				conditions = conditions.replace(f"%({key})s", f"%(of_{number}_{key})s")
				where.values[f"of_{number}_{key}"] = own.values[key]
			where.values[f"step_{number}"] = targets.step_in_words(target)
			parts.append(
				f"""
				select j.name as `lead`, l.title, {number} as place, %(step_{number})s as step, j.entered_at,
					{targets.REACHED_AT[target.step]} as reached_at, {reached} as in_time, j.source, j.present_owner,
					j.exit_reason
				from `tabLead Journey` j left join `tabLead` l on l.name = j.name where {conditions}
				"""
			)
		if not parts:
			parts = [
				"select null as `lead`, null as entered_at, null as place from `tabLead Journey` where 1 = 0"
			]
		# a lead has one row for each step that it counts for, each with a place of its own
		return Select(f"{' union all '.join(parts)} order by entered_at, `lead`, place", where)


execute = FunnelTargets.execute
