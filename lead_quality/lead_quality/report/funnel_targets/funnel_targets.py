"""Funnel targets: what each step is to reach, what it reaches, and the leads that it is judged by."""

from functools import cached_property

from frappe import _
from frappe.utils import getdate

from lead_quality.base import query
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

	@cached_property
	def judged(self) -> list[tuple[int, int]]:
		"""How many leads each of the targets is judged by, and how many of these have reached its step in time."""
		return targets.counts(self.targets, self.day, self.user)

	@cached_property
	def words(self) -> dict[str, str]:
		"""What each target is of."""
		names_company = targets.has_companies()
		return {target.name: targets.step_in_words(target, names_company) for target in self.targets}

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
		for target, (leads, reached) in zip(self.targets, self.judged, strict=True):
			first, last = cohort(self.day, target.within_days or 0)
			state = judge(reached, leads, target.rate, target.minimum_leads or 0)
			rows.append(
				{
					"label": self.words[target.name],
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
		text, where = targets.judged(self.targets, self.day, self.user)
		condition = {"missed": "not found.in_time", "reached": "found.in_time"}.get(
			self.filters.count, "1 = 1"
		)
		# a lead has one row for each step that it counts for, each with a place of its own
		return Select(
			f"select found.* from ({text}) found where {condition} order by found.entered_at, found.`lead`, found.place",
			where,
		)

	def count_listing(self, listing: Select) -> int:
		leads, reached = (sum(column) for column in zip(*self.judged, strict=True))
		return {"missed": leads - reached, "reached": reached}.get(self.filters.count, leads)

	def listed(self, found: list) -> list[dict]:
		titles = dict(
			query.run(
				"select name, title from `tabLead` where name in %(leads)s",
				{"leads": [row.lead for row in found]},
			)
		)
		for row in found:
			row.title, row.step = titles.get(row.lead), self.words[self.targets[row.pop("place")].name]
		return found


execute = FunnelTargets.execute
