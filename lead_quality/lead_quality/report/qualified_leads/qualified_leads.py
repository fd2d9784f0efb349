"""Qualified leads: how many of the leads that come in are, how many of these somebody pursues, and what the others are worth."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import frappe
from frappe import _
from frappe.utils import cint, flt, fmt_money

from lead_quality.base.currency import Total, company_currency, rates_into
from lead_quality.base.queries import ALL, Select, Where
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
from lead_quality.funnel.pursuit import PURSUE_BY, PURSUED_AT
from lead_quality.lead_quality.report.journeys import (
	COHORTS,
	JourneyReport,
	Money,
	percentiles,
	step_in_words,
)

QUALIFIED = "fact.ready_at is not null"
_IN_TIME = "ifnull(fact.pursued_at <= ifnull(fact.pursue_by, fact.pursued_at), 0)"


def _left_alone(ready_at: str, pursued_at: str) -> str:
	"""SQL: qualified, and nobody has pursued it. As those below, of columns of `facts` or what they are made of."""
	return f"{ready_at} is not null and {pursued_at} is null"


def _has_time(pursue_by: str) -> str:
	"""SQL: the agreed time still runs, so that nobody can say yet whether the lead is pursued in time."""
	return f"ifnull({pursue_by} > %(until)s, 0)"


def _not_pursued(ready_at: str, exited_at: str, pursued_at: str, pursue_by: str) -> str:
	"""SQL: left alone in the funnel, though the agreed time is over. What the lead's own row says comes first, so that of most
	leads no touch and no clock is looked up."""
	return f"({exited_at} is null and {_left_alone(ready_at, pursued_at)} and not {_has_time(pursue_by)})"


_LEFT_ALONE = _left_alone("fact.ready_at", "fact.pursued_at")
_IS_OPEN = f"({_LEFT_ALONE} and fact.exited_at is null and {_has_time('fact.pursue_by')})"


class QualifiedLeads(JourneyReport):
	"""One row per group of the leads that came in within the period, non-buyers left out: how many of them are qualified
	by now, and how many of these are pursued within the agreed time.

	:param filters: as of `JourneyReport`; `owner` is that of today.
	"""

	name = "Qualified Leads"
	can_look_back = True
	told_by = ("target", "sales ready", "handed over", "opportunity", "sale", "left the funnel")
	months = 3
	groups = {name: name for name in ("Month", "Source", "Segment", "Owner")}
	counts = {
		"leads": "1 = 1",
		"qualified": QUALIFIED,
		"pursued": f"{QUALIFIED} and {_IN_TIME}",
		"late": f"{QUALIFIED} and fact.pursued_at is not null and not {_IN_TIME}",
		"open": _IS_OPEN,
		"judged": f"{QUALIFIED} and not {_IS_OPEN}",
		"not_pursued": _not_pursued("fact.ready_at", "fact.exited_at", "fact.pursued_at", "fact.pursue_by"),
		"closed": f"{_LEFT_ALONE} and fact.exited_at is not null",
		"answered": "fact.response is not null",
	}
	shown_counts = ("leads", "qualified", "pursued", "late", "open", "not_pursued", "closed")

	def facet(self, name: str) -> str:
		return "j.present_owner" if name == "Owner" else super().facet(name)

	def entries(self, came_in: bool = True) -> Where:
		where = super().entries(came_in)
		where.values["until"] = self.until
		return where

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
			count_column("late", _("Pursued Too Late"), 140),
			count_column("open", _("Still Open"), 110),
			count_column("not_pursued", _("Not Pursued"), 120),
			column("value", _("Worth by Handover"), "Currency", 150, options="currency"),
			column("estimate", _("Worth by Won Median"), "Currency", 170, options="currency"),
			count_column("estimated", _("Leads by Median"), 135),
			count_column("won", _("Won With a Value"), 140),
			count_column("without_value", _("Without a Value"), 140),
			count_column("closed", _("Closed Without"), 130),
		]

	@property
	def pursuit(self) -> tuple[str, str]:
		"""SQL: since when a qualified lead is pursued, and until when that was agreed; as of a past day as it was kept."""
		return ("j.pursued_at", "j.pursue_by") if self.as_of else (PURSUED_AT, PURSUE_BY)

	@cached_property
	def facts(self) -> str:
		"""One row a lead."""
		pursued_at, pursue_by = self.pursuit
		return f"""
			select j.name as `lead`, l.title, {self.group_column} as grouped, j.source, j.present_owner, j.stage,
				j.entered_at, j.ready_at, j.exited_at, j.last_touch_at, j.first_touch_working_seconds as response,
				if(j.ready_at is null, null, {pursued_at}) as pursued_at,
				if(j.ready_at is null, null, {pursue_by}) as pursue_by
			from {self.journeys()} left join `tabLead` l on l.name = j.name
			where {{where}}
		"""

	@cached_property
	def counted_facts(self) -> str:
		"""What `counts` ask of `facts`, worked out once a lead however many of them ask for it."""
		pursued_at, pursue_by = self.pursuit
		return f"""
			select {self.group_column} as grouped, j.ready_at, j.exited_at, j.first_touch_working_seconds as response,
				if(j.ready_at is null, null, {pursued_at}) as pursued_at,
				if(j.ready_at is null, null, {pursue_by}) as pursue_by
			from {self.journeys()} where {{where}} {ALL}
		"""

	@cached_property
	def found(self) -> list:
		return Select(
			f"""
			select convert(min(binary fact.grouped) using utf8mb4) as grouped, {self.count_columns()}
			from ({self.counted_facts}) fact group by fact.grouped order by 1
			""",
			self.where(),
		).rows()

	def totals(self) -> dict[str, int]:
		"""Each count over all the leads."""
		query = f"select {self.count_columns()} from ({self.counted_facts}) fact"
		(row,) = Select(query, self.where()).rows()
		return {name: cint(row[name]) for name in self.counts}

	@cached_property
	def not_pursued(self) -> str:
		"""The leads that `counts` has as not pursued, with what they are grouped by. Who has an opportunity or an order is
		pursued, which is cheaper to see than by their touches."""
		pursued_at, pursue_by = self.pursuit
		expected = ", j.expected_value, j.expected_currency, j.expected_on" if self.as_of else ""
		return f"""
			select j.name as `lead`, {self.group_column} as grouped,
				{self.facet("Source")} as of_source, {self.facet("Segment")} as of_segment{expected}
			from {self.journeys()}
			where {{where}} and j.opportunity_at is null and j.sale_at is null
				and {_not_pursued("j.ready_at", "j.exited_at", pursued_at, pursue_by)}
			{ALL}
		"""

	@cached_property
	def worth(self) -> dict[str | None, Total]:
		"""For each group (as `key_of` writes it): the value of its unpursued leads, by the expected value of the
		last handover that states one."""
		rate_on = rates_into(self.currency)
		found: dict[str | None, Total] = defaultdict(lambda: Total(self.currency, rate_on))
		for row in self.expected():
			found[key_of(row.grouped)].add(row.expected_value, row.currency, row.sent_at)
		return found

	def expected(self) -> Iterable:
		"""Of the unpursued leads that a handover has valued, what the last one says."""
		if self.as_of:
			return Select(
				f"""
				select fact.grouped, fact.expected_value, fact.expected_currency as currency, fact.expected_on as sent_at
				from ({self.not_pursued}) fact where fact.expected_value != 0
				order by fact.expected_on, fact.`lead`
				""",
				self.where(),
			).rows()
		rows = Select(
			f"""
			select fact.`lead` as name, fact.grouped, h.expected_value, h.currency, h.sent_at
			from ({self.not_pursued}) fact
			straight_join `tabLead Handover` h
				on h.lead = fact.`lead` and h.expected_value != 0 and h.status != 'Draft'
			order by h.sent_at, h.creation, h.name
			""",
			self.where(),
		).rows()
		return {row.name: row for row in rows}.values()

	@cached_property
	def won(self) -> dict[tuple[str, str], tuple[int, float]]:
		"""Source or Segment, and its name as `key_of` has it, to how many leads of it were won with a value, whenever they
		came in, and the median of that."""
		where = self.seen(self.entries(came_in=False))
		where.add("j.sale_at is not null")
		money, found = Money(self.filters.company), {}
		for facet in ("Source", "Segment"):
			valued = f"""
				select valued.name, valued.amount as seconds from (
					select {self.facet(facet)} as name, {money.amount} as amount
					from {self.journeys(came_in=False)} {money.join} where {{where}}
				) valued where valued.amount > 0 and valued.name is not null
			"""
			ranked = percentiles(valued, {"median": 50}, ("name",))
			for row in Select(ranked, where, money.values).rows():
				found[facet, key_of(row.name)] = cint(row.cases), flt(row.median)
		return found

	@cached_property
	def estimates(self) -> dict[str | None, "Estimate"]:
		"""For each group (as `key_of` writes it): the value of its unpursued leads that no handover has valued.
		Each counts with the median won value of its source, else of its segment; without either it counts
		nothing."""
		is_not_valued = (
			"fact.expected_value = 0"
			if self.as_of
			else """(
				select 1 from `tabLead Handover` h
				where h.lead = fact.`lead` and h.expected_value != 0 and h.status != 'Draft' limit 1
			) is null"""
		)
		rows = Select(
			f"""
			select fact.grouped, fact.of_source, fact.of_segment, count(*) as leads from ({self.not_pursued}) fact
			where {is_not_valued}
			group by fact.grouped, fact.of_source, fact.of_segment
			""",
			self.where(),
		).rows()
		found: dict[str | None, Estimate] = defaultdict(Estimate)
		for row in rows:
			keys = [("Source", key_of(row.of_source)), ("Segment", key_of(row.of_segment))]
			key = next((key for key in keys if key in self.won), None)
			if key:
				found[key_of(row.grouped)].add(row.leads, key, self.won[key])
		return found

	def rows(self) -> list[dict]:
		names = self.names_of(row.grouped for row in self.found)
		rows = []
		for row in self.found:
			counts = {name: cint(row[name]) for name in self.counts}
			worth, estimate = self.worth[key_of(row.grouped)], self.estimates[key_of(row.grouped)]
			rows.append(
				{
					"group": row.grouped,
					"group_name": names[row.grouped],
					**counts,
					"qualified_percent": percent(counts["qualified"], counts["leads"]),
					"pursued_percent": percent(counts["pursued"], counts["judged"]),
					"value": worth.amount,
					"estimate": estimate.amount if estimate.leads else None,
					"estimated": estimate.leads,
					"won": estimate.won,
					"without_value": counts["not_pursued"]
					- worth.cases
					- worth.without_rate
					- estimate.leads,
					"without_rate": worth.without_rate,
					"currency": self.currency,
					"links": self.group_links(row.grouped, self.shown_counts),
				}
			)
		return rows

	def message(self, rows: list[dict]) -> str:
		words = [
			self.looks_back_in_words(),
			_(
				"Qualified: met its definition or was handed over. Pursued: a person was in touch with it after that, or an opportunity came of it, within the agreed time."
			),
			_(
				"Still Open have time left and are in no share yet; Not Pursued have none left, and are worth what their handover says, else the median of what was won like them."
			),
		]
		without_rate = sum(row["without_rate"] for row in rows)
		if without_rate:
			words.append(
				_(
					"Of {0} leads the worth is left out, as there is no exchange rate into {1} of the day of the handover."
				).format(frappe.bold(without_rate), self.currency)
			)
		return " ".join(word for word in words if word)

	def not_as_of_then(self) -> str:
		return _("Exchange rates are those of today.")

	def chart(self, rows: list[dict]) -> dict | None:
		if not rows:
			return None
		rows = rows[-24:] if self.filters.group_by in COHORTS else rows[:24]
		return bars(
			[row["group_name"] for row in rows],
			{
				_("Pursued"): [row["pursued"] for row in rows],
				_("Pursued Too Late"): [row["late"] for row in rows],
				_("Still Open"): [row["open"] for row in rows],
				_("Not Pursued"): [row["not_pursued"] + row["closed"] for row in rows],
			},
			["#1a7f37", "#bf8700", "#8c959f", "#d1242f"],
			barOptions={"stacked": 1},
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		def total(count: str) -> int:
			return sum(row[count] for row in rows)

		value = sum(row["value"] + (row["estimate"] or 0) for row in rows)
		return [
			on_top(_("Qualified %"), share_of(total("qualified"), total("leads")), "Blue"),
			on_top(_("Pursued %"), share_of(total("pursued"), total("judged")), "Blue"),
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
			column("pursue_by", _("Agreed Until"), "Datetime", 165),
			column("pursued_at", _("Pursued Since"), "Datetime", 165),
			column("last_touch_at", _("Last Touch"), "Datetime", 165),
			hours_column("response_hours", _("First Response (Working Hours)"), 230),
		]

	def listing(self) -> Select:
		states = " ".join(
			f"when {self.counts[name]} then '{name}'"
			for name in ("pursued", "late", "open", "not_pursued", "closed")
		)
		return Select(
			f"""
			select fact.*, case {states} end as state from ({self.facts}) fact
			where {self.counted()} order by fact.entered_at, fact.`lead`
			""",
			self.where(),
		)

	def listed(self, found: list) -> list[dict]:
		states = {
			"pursued": _("Pursued"),
			"late": _("Pursued too late"),
			"open": _("Still open"),
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
		where.add("j.first_touch_working_seconds is not null")
		return median_of(where, "j.first_touch_working_seconds")


@dataclass
class Estimate:
	"""What some `leads` are worth by medians of what was won: `amount`, and of which sources and segments."""

	amount: float = 0.0
	leads: int = 0
	of: dict[tuple[str, str], int] = field(default_factory=dict)

	def add(self, leads: int, key: tuple[str, str], won: tuple[int, float]):
		""":param won: how many leads of the source or segment were won with a value, and the median of that."""
		cases, median = won
		self.amount += leads * median
		self.leads += leads
		self.of[key] = cases

	@property
	def won(self) -> int:
		"""Of how many won leads the medians are taken."""
		return sum(self.of.values())


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
