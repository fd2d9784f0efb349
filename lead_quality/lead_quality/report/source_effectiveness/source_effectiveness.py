"""What each source, campaign or segment brings: buyers or not, leads that sales takes, orders, and at what cost."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cached_property

from frappe import _
from frappe.utils import cint, flt, fmt_money, get_last_day, getdate

from lead_quality.base.currency import rates_into
from lead_quality.base.queries import Select, Where
from lead_quality.base.report import (
	SMALL_SAMPLE,
	bars,
	column,
	count_column,
	figure,
	lead_and_title,
	on_top,
	percent,
	percent_column,
	share_in_words,
)
from lead_quality.base.routes import list_route
from lead_quality.engine.spend import Spend, Spent, months_between, spent_within
from lead_quality.funnel import waste
from lead_quality.funnel.conditions import cannot_be_reached
from lead_quality.lead_quality.report.journeys import FILTERS, JourneyReport, Money, days, percentiles
from lead_quality.permissions import sees_whole_companies

GROUPS = {"Source": "source", "Campaign": "campaign", "Segment": "segment", "Month": "month"}
# sales declines so many percent of what a source has handed over: it cries wolf, unless another share is chosen
CRIES_WOLF_FROM = 30
# filters that say of a lead what nobody says of spend
UNKNOWN_OF_SPEND = tuple(
	name for facet, name in FILTERS.items() if facet not in ("Source", "Campaign", "Company")
)
COSTS = {
	"cost_per_lead": "leads",
	"cost_per_qualified": "qualified",
	"cost_per_accepted": "accepted",
	"cost_per_won": "won",
}


class SourceEffectiveness(JourneyReport):
	"""One row per source of the leads that came in within the period; or per campaign, segment, or month.

	:param filters: those of a `JourneyReport`; `cries_wolf_from`, in percent; `minimum`, below which a figure says little.
	"""

	name = "Source Effectiveness"
	can_look_back = True
	told_by = ("target", "sales ready", "handed over", "accepted", "opportunity", "sale")
	months = 12
	groups = GROUPS
	# Conditions on the rows of `facts`. Who does not buy can be told apart only by asking, and is no lead that could have
	# been qualified: from Buyers on, the counts leave them out. A lead is wasted whoever it is.
	counts = {
		"leads": "1 = 1",
		"not_buyers": "fact.is_non_buyer = 1",
		"bad_data": "fact.is_bad_data = 1",
		"wasted": "fact.is_wasted = 1",
		"buyers": "fact.is_non_buyer = 0",
		"qualified": "fact.is_non_buyer = 0 and fact.ready_at is not null",
		"handed_over": "fact.is_non_buyer = 0 and fact.handed_over_at is not null",
		"declined": "fact.is_non_buyer = 0 and fact.declined_at is not null",
		"accepted": "fact.is_non_buyer = 0 and fact.accepted_at is not null",
		"opportunities": "fact.is_non_buyer = 0 and coalesce(fact.opportunity_at, fact.sale_at) is not null",
		"won": "fact.is_non_buyer = 0 and fact.sale_at is not null",
	}

	def set_filters(self):
		super().set_filters()
		self.filters.include_non_buyers = 1
		if not self.filters.cries_wolf_from:
			self.filters.cries_wolf_from = CRIES_WOLF_FROM
		if self.filters.minimum is None:
			self.filters.minimum = SMALL_SAMPLE

	@property
	def key(self) -> str:
		"""The fieldname of the column that says what a row is of."""
		return self.groups[self.filters.group_by]

	@cached_property
	def money(self) -> Money:
		return Money(self.filters.company)

	@cached_property
	def values(self) -> dict:
		return {"now": self.until, **self.money.values}

	@cached_property
	def facts(self) -> str:
		"""One row a lead."""
		starts, values = waste.latest_starts(self.until)
		self.values.update(values)
		wasted_since = waste.wasted_since("j.next_touch_at") if self.as_of else waste.WASTED_SINCE
		is_bad_data = (
			"j.is_bad_data"
			if self.as_of
			else f"if(l.name is null, coalesce(r.bad_data, j.is_bad_data), j.is_bad_data or {cannot_be_reached('l')})"
		)
		return f"""
			select j.name as `lead`, l.title, j.source, j.campaign, j.segment, j.entered_at, j.ready_at, j.handed_over_at,
				j.declined_at, j.accepted_at, j.opportunity_at, j.sale_at, j.is_non_buyer,
				{is_bad_data} as is_bad_data,
				({wasted_since}) is not null as is_wasted,
				{self.group_column} as grouped,
				if(j.sale_at is null, 0, {self.money.amount}) as value
			from {self.journeys()}
			left join `tabLead` l on l.name = j.name
			left join `tabLead Remnant` r on r.name = j.name
			{self.money.join}
			{starts}
			where {{where}}
		"""

	@cached_property
	def found(self) -> list[dict]:
		"""The groups by size, with the median of the seconds from the entry until the order; see `nearest_rank`."""
		facts = self.facts
		medians = percentiles(
			f"""
			select {self.group_column} as grouped, timestampdiff(second, j.entered_at, j.sale_at) as seconds
			from {self.journeys()} where {{where}} and j.sale_at is not null and j.is_non_buyer = 0
			""",
			{"seconds": 50},
		)
		return Select(
			f"""
			select groups.*, medians.seconds from (
				select fact.grouped as of_group, convert(min(binary fact.grouped) using utf8mb4) as grouped,
					{self.count_columns()},
					sum(if({self.counts["won"]}, fact.value, 0)) as value,
					sum(if({self.counts["won"]}, fact.value is null, 0)) as unvalued
				from ({facts}) fact group by fact.grouped
			) groups
			left join ({medians}) medians on medians.grouped <=> groups.of_group
			order by groups.leads desc, groups.grouped
			""",
			self.where(),
			self.values,
		).rows()

	# what was spent

	@cached_property
	def why_no_spend(self) -> str | None:
		"""Why what was spent cannot be held against what these rows count; None, if it can."""
		if self.as_of:
			return _("What was spent by then is not known: no costs are shown.")
		if self.key == "segment":
			return _("Spend is entered by source and campaign: what was spent on a segment is not known.")
		if any(self.filters.get(name) for name in UNKNOWN_OF_SPEND):
			return _("What was spent on some of the leads of a source is not known: no costs are shown.")
		if not sees_whole_companies(self.user):
			return _("You see some of the leads that the money was spent on: no costs are shown.")
		return None

	def spends_where(self) -> Where:
		where = Where(self.user)
		where.visible("Marketing Spend")
		where.equal("`tabMarketing Spend`.company", self.filters.company)
		where.equal("`tabMarketing Spend`.source", self.filters.source)
		where.equal("`tabMarketing Spend`.campaign", self.filters.campaign)
		if cint(self.filters.without_source):
			where.blank("`tabMarketing Spend`.source")
		if self.filters.from_date:
			where.add(
				"`tabMarketing Spend`.to_date >= %(spent_from)s", spent_from=getdate(self.filters.from_date)
			)
		if self.filters.to_date:
			where.add(
				"`tabMarketing Spend`.from_date <= %(spent_to)s", spent_to=getdate(self.filters.to_date)
			)
		return where

	@cached_property
	def spent(self) -> dict[str | None, Spent]:
		"""Group to what was spent on it within the period."""
		if self.why_no_spend:
			return {}
		rows = self.spends_where().select(
			"""
			select nullif(source, '') as source, nullif(campaign, '') as campaign, amount, currency, from_date, to_date
			from `tabMarketing Spend` where {where} order by from_date, name
			"""
		)
		rate_on = rates_into(self.money.currency)
		first, last = (day and getdate(day) for day in (self.filters.from_date, self.filters.to_date))
		of: dict[str | None, list[Spend]] = defaultdict(list)
		for row in rows:
			spend = Spend(flt(row.amount), row.currency, row.from_date, row.to_date)
			of[None if self.key == "month" else row[self.key]].append(spend)
		if self.key != "month":
			return {
				group: spent_within(spends, first, last, self.money.currency, rate_on)
				for group, spends in of.items()
			}
		return {
			f"{start:%Y-%m}": spent_within(of[None], start, end, self.money.currency, rate_on)
			for start, end in _months(of[None], first, last)
		}

	# the groups

	def columns(self) -> list[dict]:
		def money_column(fieldname: str, label: str, width: int = 140) -> dict:
			return column(fieldname, label, "Currency", width, options="currency", precision=0)

		return [
			column(self.key, _(self.filters.group_by), width=190),
			count_column("leads", _("Leads"), 90),
			count_column("not_buyers", _("Non-Buyers")),
			percent_column("not_buyers_percent", _("Non-Buyers %"), 120),
			count_column("bad_data", _("Bad Data"), 100),
			percent_column("bad_data_percent", _("Bad Data %"), 110),
			count_column("wasted", _("Wasted"), 95),
			percent_column("wasted_percent", _("Wasted %"), 105),
			count_column("buyers", _("Buyers"), 90),
			count_column("qualified", _("Qualified"), 100),
			percent_column("qualified_percent", _("Qualified, of Buyers"), 160),
			percent_column("declined_percent", _("Declined, of Handed Over"), 190),
			column("mark", _("Mark"), width=150),
			count_column("handed_over", _("Handed Over"), 120),
			count_column("declined", _("Declined"), 100),
			count_column("accepted", _("Accepted"), 100),
			percent_column("acceptance_percent", _("Accepted, of Decided"), 170),
			count_column("opportunities", _("Opportunities"), 125),
			count_column("won", _("Won"), 80),
			percent_column("won_percent", _("Won, of Buyers"), 130),
			money_column("value", _("Value Won"), 130),
			column("median_days", _("Median Days to Sale"), "Float", 165, precision=1),
			money_column("spend", _("Spend"), 120),
			money_column("cost_per_lead", _("Cost per Lead"), 125),
			money_column("cost_per_qualified", _("Cost per Qualified"), 150),
			money_column("cost_per_accepted", _("Cost per Accepted"), 150),
			money_column("cost_per_won", _("Cost per Won"), 125),
			percent_column("roi", _("ROI %"), 100),
		]

	@cached_property
	def groups_found(self) -> list[dict]:
		"""The rows of groups: those of the leads, the largest first; then what was spent on others; then what no lead
		stands behind."""
		names = self.names_of(row["grouped"] for row in self.found)
		spent = dict(self.spent)
		rows = []
		for row in self.found:
			group = row["grouped"]
			# what was spent without a source was spent on a campaign, whose leads have sources
			spend = (
				None
				if group is None and self.key == "source"
				else spent.pop(names[group] if group else None, None)
			)
			rows.append(self.row(names[group], row, spend, self.group_links(group, self.counts)))
		for group in sorted(spent, key=lambda name: (name is None, name or "")):
			label = group or (_("Campaigns Without Source") if self.key == "source" else _("No Campaign"))
			rows.append(self.row(label, dict.fromkeys(self.counts, 0), spent[group], {}))
		return sorted(rows, key=lambda row: row["group"]) if self.key == "month" else rows

	def rows(self) -> list[dict]:
		"""One row per group.

		- not buyers, bad data, wasted: in percent of the leads. Data is bad if there is neither a number nor an address,
		  if a touch found it wrong, or if mail to it has bounced. For wasted see `engine.waste`.
		- qualified: buyers that were sales ready once or handed over, in percent of the buyers.
		- declined, accepted: buyers that sales rejected or returned, or accepted, at least once; in percent of those
		  handed over, and of those that were answered.
		- value: of the orders, in `currency`; None if the rate of one is missing.
		- spend: in `currency`, as far as it falls into the period; None if nothing was entered, or a rate is missing.

		A share or cost is None where there is nothing to take it of. `links` maps each count to the leads that it counts.
		"""
		return self.groups_found + self.without_lead()

	def row(self, label: str, counted: dict, spent: Spent | None, links: dict[str, str]) -> dict:
		counts = {name: cint(counted[name]) for name in self.counts}
		decided = percent(counts["declined"], counts["handed_over"])
		spend = spent.known if spent else None
		value = None if cint(counted.get("unvalued")) else flt(counted.get("value"))
		cries_wolf = (
			counts["handed_over"] >= cint(self.filters.minimum)
			and decided is not None
			and decided >= flt(self.filters.cries_wolf_from)
		)
		if spent:
			links = {**links, "spend": self.spend_link(label)}
		return {
			self.key: label,
			"group": label,
			**counts,
			"not_buyers_percent": percent(counts["not_buyers"], counts["leads"]),
			"bad_data_percent": percent(counts["bad_data"], counts["leads"]),
			"wasted_percent": percent(counts["wasted"], counts["leads"]),
			"qualified_percent": percent(counts["qualified"], counts["buyers"]),
			"declined_percent": decided,
			"acceptance_percent": percent(counts["accepted"], cint(counted.get("answered"))),
			"won_percent": percent(counts["won"], counts["buyers"]),
			"value": value,
			"unvalued": cint(counted.get("unvalued")),
			"median_days": days(counted.get("seconds")),
			"spend": spend,
			"unrated": sorted(spent.unrated) if spent else [],
			**{name: _per(spend, counts[of]) for name, of in COSTS.items()},
			"roi": _return(value, spend),
			"currency": self.money.currency,
			"cries_wolf": int(cries_wolf),
			"mark": self.mark(counts, cries_wolf),
			"links": links,
		}

	def mark(self, counts: dict, cries_wolf: bool) -> str | None:
		if cries_wolf:
			return _("Cries wolf")
		return _("Few leads") if counts["leads"] < cint(self.filters.minimum) else None

	def spend_link(self, label: str) -> str:
		"""The list of what was spent on a group, the part outside of the period with it."""
		filters = {
			name: self.filters[name] for name in ("company", "source", "campaign") if self.filters.get(name)
		}
		if self.key in ("source", "campaign"):
			is_none = label not in self.spent
			filters[self.key] = ["is", "not set"] if is_none else label
		first, last = self.filters.from_date, self.filters.to_date
		if self.key == "month":
			first, last = f"{label}-01", get_last_day(f"{label}-01")
		return list_route(
			"Marketing Spend",
			**filters,
			from_date=last and ["<=", str(getdate(last))],
			to_date=first and [">=", str(getdate(first))],
		)

	def without_lead(self) -> list[dict]:
		"""The row of the opportunities of the period that came of no lead; see Stage Conversion. Filters that narrow the
		leads leave it out."""
		if self.is_narrowed or self.as_of:
			return []
		(found,) = self.opportunities_of_no_lead().select(
			"""
			select count(*) as opportunities, ifnull(sum(`tabOpportunity`.status = 'Converted'), 0) as won
			from `tabOpportunity` where {where}
			"""
		)
		if not found.opportunities:
			return []
		row = dict.fromkeys(self.row("", dict.fromkeys(self.counts, 0), None, {}))
		links = {
			"opportunities": self.list_of_no_lead(),
			"won": self.list_of_no_lead(status="Converted"),
		}
		label = _("No Lead")
		counts = {"opportunities": cint(found.opportunities), "won": cint(found.won)}
		return [{**row, **counts, self.key: label, "group": label, "unrated": [], "links": links}]

	def count_columns(self) -> str:
		handed = "fact.is_non_buyer = 0 and coalesce(fact.accepted_at, fact.declined_at) is not null"
		return f"{super().count_columns()}, sum(case when {handed} then 1 else 0 end) as answered"

	def message(self, rows: list[dict]) -> str | None:
		words = [self.looks_back_in_words(), self.why_no_spend]
		unrated = sorted(
			{currency or _("an unknown currency") for row in rows for currency in row["unrated"]}
		)
		if unrated:
			words.append(
				_(
					"Spend is missing where there is no exchange rate from {0} to {1} for some of its days: add a Currency "
					"Exchange."
				).format(", ".join(unrated), self.money.currency or _("an unknown currency"))
			)
		unvalued = sum(row["unvalued"] or 0 for row in rows)
		if unvalued:
			words.append(
				_(
					"Value is missing where there is no exchange rate to {0} for the day of an order, which is so for {1} "
					"orders: add a Currency Exchange."
				).format(self.money.currency or _("an unknown currency"), unvalued)
			)
		return " ".join(word for word in words if word) or None

	def not_as_of_then(self) -> str:
		return _(
			"What has no lead is not known as of then; exchange rates, the days after which a lead is wasted, and the working calendars are those of today."
		)

	def chart(self, rows: list[dict]) -> dict | None:
		"""Of the ten groups with most leads; months in their order."""
		rows = [row for row in self.groups_found if row["leads"]]
		if not rows:
			return None
		rows = rows[-12:] if self.key == "month" else rows[:10]
		return bars(
			[row["group"] for row in rows],
			{
				label: [round(row[fieldname] or 0, 1) for row in rows]
				for label, fieldname in (
					(_("Qualified, of Buyers"), "qualified_percent"),
					(_("Won, of Buyers"), "won_percent"),
					(_("Declined, of Handed Over"), "declined_percent"),
					(_("Wasted %"), "wasted_percent"),
				)
			},
			["#1f6feb", "#1a7f37", "#d1242f", "#8c959f"],
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		"""A cost per lead never stands without those per qualified, accepted and won beside it."""
		rows = self.groups_found
		total = {name: sum(row[name] for row in rows) for name in self.counts}
		spends = list(self.spent.values())
		spend = Spent(
			sum(one.amount for one in spends), frozenset().union(*(one.unrated for one in spends))
		).known if spends else None  # fmt: skip
		return [
			on_top(_("Leads"), total["leads"], "Grey", "Int"),
			on_top(
				_("Qualified, of Buyers"),
				share_in_words(percent(total["qualified"], total["buyers"])),
				"Blue",
			),
			on_top(_("Won, of Buyers"), share_in_words(percent(total["won"], total["buyers"])), "Green"),
			*(
				on_top(label, self.in_words(_per(spend, total[COSTS[name]])), "Grey")
				for name, label in (
					("cost_per_lead", _("Cost per Lead")),
					("cost_per_qualified", _("Cost per Qualified")),
					("cost_per_accepted", _("Cost per Accepted")),
					("cost_per_won", _("Cost per Won")),
				)
			),
		]

	def in_words(self, amount: float | None) -> str:
		return figure(None, 0) if amount is None else fmt_money(amount, 0, self.money.currency)

	# the leads behind a count

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			column("source", _("Source"), width=150),
			column("campaign", _("Campaign"), width=150),
			column("segment", _("Segment"), width=130),
			column("entered_at", _("Came In"), "Datetime", 165),
			column("is_non_buyer", _("Not a Buyer"), "Check", 110),
			column("is_bad_data", _("Bad Data"), "Check", 100),
			column("is_wasted", _("Wasted"), "Check", 95),
			column("ready_at", _("Sales Ready"), "Datetime", 165),
			column("handed_over_at", _("Handed Over"), "Datetime", 165),
			column("declined_at", _("Declined"), "Datetime", 165),
			column("accepted_at", _("Accepted"), "Datetime", 165),
			column("opportunity_at", _("Opportunity"), "Datetime", 165),
			column("sale_at", _("Sale"), "Datetime", 165),
			column("value", _("Value Won"), "Currency", 130, options="currency"),
		]

	def listing(self) -> Select:
		facts = self.facts
		return Select(
			f"select fact.* from ({facts}) fact where {self.counted()} order by fact.entered_at, fact.`lead`",
			self.where(),
			self.values,
		)

	def listed(self, found: list) -> list[dict]:
		return [{**row, "currency": self.money.currency} for row in found]


def _months(spends: Iterable[Spend], first: date | None, last: date | None) -> list[tuple[date, date]]:
	"""The months in which something was spent, cut to the period."""
	spends = list(spends)
	if not spends:
		return []
	start = min(spend.from_date for spend in spends)
	end = max(spend.to_date for spend in spends)
	return months_between(max(start, first or start), min(end, last or end))


def _per(spend: float | None, cases: int) -> float | None:
	return spend / cases if spend is not None and cases else None


def _return(value: float | None, spend: float | None) -> float | None:
	"""What was won for each amount spent, less that, in percent."""
	return None if value is None or not spend else (value - spend) / spend * 100


execute = SourceEffectiveness.execute
