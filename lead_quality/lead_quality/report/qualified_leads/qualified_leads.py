"""Qualified leads: how many of the leads that come in are, how many of these somebody pursues, and what the others are worth."""

from collections import defaultdict
from functools import cached_property

import frappe
from frappe import _
from frappe.utils import cint, fmt_money

from lead_quality.base.currency import Total, company_currency, rates_into
from lead_quality.base.queries import Select
from lead_quality.base.report import (
	bars,
	column,
	count_column,
	hours,
	hours_column,
	lead_and_title,
	on_top,
	percent,
	percent_column,
	share_of,
	user_column,
)
from lead_quality.lead_quality.report.journeys import COHORTS, JourneyReport, step_in_words

QUALIFIED = "j.ready_at is not null"
# a person was in touch since, or it has become an opportunity, which somebody pursues
PURSUED = f"""({QUALIFIED} and (
	j.last_touch_at >= j.ready_at or j.opportunity_at is not null or j.sale_at is not null
))"""
_LEFT_ALONE = f"({QUALIFIED} and not ifnull({PURSUED}, 0))"


class QualifiedLeads(JourneyReport):
	"""One row per group of the leads that came in within the period, non-buyers left out: how many of them are qualified
	by now, and how many of these are pursued.

	:param filters: as of `JourneyReport`; `owner` is that of today.
	"""

	name = "Qualified Leads"
	months = 3
	groups = {name: name for name in ("Month", "Source", "Segment", "Owner")}
	counts = {
		"leads": "1 = 1",
		"qualified": QUALIFIED,
		"pursued": f"ifnull({PURSUED}, 0)",
		"not_pursued": f"{_LEFT_ALONE} and j.exited_at is null",
		"closed": f"{_LEFT_ALONE} and j.exited_at is not null",
		"answered": "j.first_touch_working_seconds is not null",
	}
	shown_counts = ("leads", "qualified", "pursued", "not_pursued", "closed")

	def facet(self, name: str) -> str:
		return "j.present_owner" if name == "Owner" else super().facet(name)

	@cached_property
	def currency(self) -> str | None:
		return company_currency(self.filters.company)

	def columns(self) -> list[dict]:
		return [
			column("group_name", _(self.filters.group_by), width=190),
			count_column("leads", _("Leads"), 90),
			count_column("qualified", _("Qualified")),
			percent_column("qualified_percent", _("Qualified %")),
			count_column("pursued", _("Pursued")),
			percent_column("pursued_percent", _("Pursued %"), 170),
			count_column("not_pursued", _("Not Pursued"), 120),
			column("value", _("Worth"), "Currency", 130, options="currency"),
			count_column("without_value", _("Without a Value"), 140),
			count_column("closed", _("Closed Without"), 130),
		]

	@cached_property
	def found(self) -> list:
		return Select(
			f"""
			select {self.grouped} as grouped, {self.count_columns()} from `tabLead Journey` j
			where {{where}} group by {self.group_column} order by 1
			""",
			self.where(),
		).rows()

	def totals(self) -> dict[str, int]:
		"""Each count over all the leads."""
		(row,) = Select(
			f"select {self.count_columns()} from `tabLead Journey` j where {{where}}", self.where()
		).rows()
		return {name: cint(row[name]) for name in self.counts}

	@cached_property
	def worth(self) -> dict[str | None, Total]:
		"""Group, as `key_of` has it, to what the leads in it are worth that are not pursued: the expected value of the last
		handover that says one."""
		where = self.where()
		where.add(self.counts["not_pursued"])
		rows = Select(
			f"""
			select j.name, {self.group_column} as grouped, h.expected_value, h.currency, h.sent_at
			from `tabLead Journey` j
			join `tabLead Handover` h on h.lead = j.name and h.expected_value != 0 and h.status != 'Draft'
			where {{where}} order by h.sent_at, h.creation, h.name
			""",
			where,
		).rows()
		rate_on = rates_into(self.currency)
		found: dict[str | None, Total] = defaultdict(lambda: Total(self.currency, rate_on))
		for row in {row.name: row for row in rows}.values():
			found[key_of(row.grouped)].add(row.expected_value, row.currency, row.sent_at)
		return found

	def rows(self) -> list[dict]:
		names = self.names_of(row.grouped for row in self.found)
		rows = []
		for row in self.found:
			counts = {name: cint(row[name]) for name in self.counts}
			worth = self.worth[key_of(row.grouped)]
			rows.append(
				{
					"group": row.grouped,
					"group_name": names[row.grouped],
					**counts,
					"qualified_percent": percent(counts["qualified"], counts["leads"]),
					"pursued_percent": percent(counts["pursued"], counts["qualified"]),
					"value": worth.amount,
					"without_value": counts["not_pursued"] - worth.cases - worth.without_rate,
					"without_rate": worth.without_rate,
					"currency": self.currency,
					"links": self.group_links(row.grouped, self.shown_counts),
				}
			)
		return rows

	def message(self, rows: list[dict]) -> str:
		words = [
			_(
				"A lead is qualified once it has met its definition or was handed over, and pursued if a person has been in touch with it since, or it has become an opportunity. Not pursued are those that are still open; what they are worth is what their last handover says."
			)
		]
		without_rate = sum(row["without_rate"] for row in rows)
		if without_rate:
			words.append(
				_(
					"Of {0} leads the worth is left out, as there is no exchange rate into {1} of the day of the handover."
				).format(frappe.bold(without_rate), self.currency)
			)
		return " ".join(words)

	def chart(self, rows: list[dict]) -> dict | None:
		if not rows:
			return None
		rows = rows[-24:] if self.filters.group_by in COHORTS else rows[:24]
		return bars(
			[row["group_name"] for row in rows],
			{
				_("Pursued"): [row["pursued"] for row in rows],
				_("Not Pursued"): [row["not_pursued"] + row["closed"] for row in rows],
			},
			["#1a7f37", "#d1242f"],
			barOptions={"stacked": 1},
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		def total(count: str) -> int:
			return sum(row[count] for row in rows)

		value = sum(row["value"] for row in rows)
		return [
			on_top(_("Qualified %"), share_of(total("qualified"), total("leads")), "Blue"),
			on_top(_("Pursued %"), share_of(total("pursued"), total("qualified")), "Blue"),
			on_top(
				_("Worth of Not Pursued"),
				fmt_money(value, 0, self.currency),
				"Red" if total("not_pursued") else "Green",
			),
		]

	# the leads

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			column("state", _("State"), width=150),
			column("source", _("Source"), width=140),
			user_column("present_owner", _("Owner")),
			column("stage", _("Stage"), width=110),
			column("entered_at", _("Came In"), "Datetime", 165),
			column("ready_at", _("Qualified At"), "Datetime", 165),
			column("last_touch_at", _("Last Touch"), "Datetime", 165),
			hours_column("response_hours", _("First Response (Working Hours)"), 230),
		]

	def listing(self) -> Select:
		where = self.where()
		where.add(self.counted())
		states = " ".join(
			f"when {self.counts[name]} then '{name}'" for name in ("pursued", "not_pursued", "closed")
		)
		return Select(
			f"""
			select j.name as `lead`, l.title, case {states} end as state, j.source, j.present_owner, j.stage,
				j.entered_at, j.ready_at, j.last_touch_at, j.first_touch_working_seconds as response
			from `tabLead Journey` j left join `tabLead` l on l.name = j.name
			where {{where}} order by j.entered_at, j.name
			""",
			where,
		)

	def listed(self, found: list) -> list[dict]:
		states = {
			"pursued": _("Pursued"),
			"not_pursued": _("Not pursued"),
			"closed": _("Closed without"),
			None: _("Not qualified"),
		}
		return [
			{
				**row,
				"state": states[row.state],
				"stage": step_in_words(row.stage),
				"response_hours": hours(row.response),
			}
			for row in found
		]

	def median_response(self) -> float | None:
		"""The seconds of working time after which half of the leads with a first touch had it, by nearest rank."""
		where = self.where()
		where.add(self.counts["answered"])
		return median_of(where, "j.first_touch_working_seconds")


def key_of(group):
	"""A group as the database tells it from others, whatever the case."""
	return group.casefold() if isinstance(group, str) else group


def median_of(where, seconds: str) -> float | None:
	"""SQL's own rows in their order, and the one in the middle: see `base.report.nearest_rank`."""
	count = where.select("select count(*) as leads from `tabLead Journey` j where {where}")[0].leads
	if not count:
		return None
	ranked = Select(f"select {seconds} as seconds from `tabLead Journey` j where {{where}} order by 1", where)
	return ranked.rows((count - 1) // 2, 1)[0].seconds


execute = QualifiedLeads.execute
