"""What the reports on the Lead Journey have in common: which leads they count, for whom, and by what they group them.

A query names the journeys `j`. All instants are naive, in the site's zone.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property

import frappe
from frappe import _
from frappe.utils import add_days, cint, format_date, getdate

from lead_quality.base import query
from lead_quality.base.currency import company_currency
from lead_quality.base.links import DELETED
from lead_quality.base.queries import Select, Where
from lead_quality.base.report import Report, column, full_names, lead_and_title, no_source
from lead_quality.base.routes import days_filter, list_route
from lead_quality.base.versions import campaign_doctype, source_doctype
from lead_quality.funnel import kept, past
from lead_quality.funnel.remnants import see

# each step of the funnel, in order, and when a lead entered it
STEPS = {
	"target": "j.entered_at",
	"prospect": "j.prospect_at",
	"sales ready": "j.ready_at",
	"accepted": "j.accepted_at",
	"opportunity": "j.opportunity_at",
	"quoted": "j.quoted_at",
	"sale": "j.sale_at",
}

# what else tells of a lead on a past day
MORE = {
	"first touch": "j.first_touch_at",
	"handed over": "j.handed_over_at",
	"left the funnel": "j.exited_at",
}

# what leads are grouped and narrowed by: as it was when they came in, and as it is today
AT_ENTRY, TODAY = ("At Entry", "Today")
FACETS = {
	"Source": ("j.source", "j.present_source"),
	"Segment": ("j.segment", "j.present_segment"),
	"Campaign": ("j.campaign", "j.present_campaign"),
	"Territory": ("j.territory", "j.present_territory"),
	"Owner": ("j.owner_at_entry", "j.present_owner"),
	"Company": ("j.company", "j.company"),
	"Definition": ("j.checklist", "j.checklist"),
}
# the filter of each
FILTERS = {facet: "checklist" if facet == "Definition" else frappe.scrub(facet) for facet in FACETS}

# cohorts by the day on which they came in; a week is that of ISO 8601
COHORTS = {
	"Month": "date_format(j.entered_at, '%%Y-%%m')",
	"Quarter": "concat(year(j.entered_at), '-Q', quarter(j.entered_at))",
	"Week": "date_format(j.entered_at, '%%x-W%%v')",
}

_NEVER = "cast('9999-12-31' as datetime(6))"
# the leads of which is known now what was not then, or the other way round
CORRECTED = "corrected"


def step_in_words(step: str) -> str:
	return _(step).capitalize()


def reached_at(steps: Sequence[str], place: int) -> str:
	"""SQL: when a lead had come to the step at a place, which is when it entered that or a later one first; null, if it
	has not. As `engine.conversion.reached_at`."""
	instants = [STEPS[step] for step in steps[place:]]
	if len(instants) == 1:
		return instants[0]
	return f"nullif(least({', '.join(f'ifnull({at}, {_NEVER})' for at in instants)}), {_NEVER})"


class JourneyReport(Report):
	"""A report that counts leads by their rows in Lead Journey.

	:param filters: `from_date`, `to_date` (of the lead's entry); `company`, `segment`, `source` or `without_source`,
	    `campaign`, `territory`, `owner`, `checklist`; `as_at`: these as they were At Entry, or Today;
	    `include_non_buyers`; `without_deleted`; `group_by`; and of a list `count` and `group` or `without_group`. Of a
	    report that `can_look_back` also `as_of`: a day, by what was known at the end of which is counted.
	"""

	months = 6
	list_name = "Leads"
	# whether it can say what it said on a past day: by what was kept of each lead then, or by the stage log, if that alone
	# says what it counts
	can_look_back = False
	by_log = False
	# of `STEPS` and `MORE`, what tells whether a lead is known otherwise now
	told_by: tuple[str, ...] = ()
	kept = (
		"from_date",
		"to_date",
		*FILTERS.values(),
		"without_source",
		"as_at",
		"include_non_buyers",
		"group_by",
		"as_of",
	)

	def set_filters(self):
		super().set_filters()
		as_of = getdate(self.filters.as_of) if self.can_look_back and self.filters.as_of else None
		# by what was known then; None for what is known now
		self.as_of = past.end_of(as_of) if as_of and as_of < self.now.date() else None
		if as_of and not self.by_log:
			self._refuse_unknown(as_of)
		# what happened later does not count
		self.until = self.as_of or self.now
		if self.filters.as_at not in (AT_ENTRY, TODAY):
			self.filters.as_at = AT_ENTRY

	def _refuse_unknown(self, day: date):
		""":raises frappe.ValidationError: if it is not known what the report said at the end of a day."""
		report, first, last = _(self.name), kept.first_day(), kept.last_day()
		if day >= self.now.date():
			words = _("{0} is not over yet. Leave As Of empty: {1} then says what is known now.")
			frappe.throw(words.format(frappe.bold(format_date(day)), frappe.bold(report)))
		if not first or not last:
			words = _(
				"What {0} says at the end of a day is kept in the night after it, and has not been kept yet. Leave As Of empty until tomorrow."
			)
			frappe.throw(words.format(frappe.bold(report)))
		if day < first:
			words = _("What {0} said is kept since {1}. Choose that day or a later one as As Of.")
			frappe.throw(words.format(frappe.bold(report), frappe.bold(format_date(first))))
		if day > last:
			words = _(
				"What {0} said on {1} has not been kept yet: that happens in the night after it. Choose {2} or an earlier day as As Of, or leave it empty."
			)
			days = (frappe.bold(format_date(each)) for each in (day, last))
			frappe.throw(words.format(frappe.bold(report), *days))

	# which leads

	def journeys(self, came_in: bool = True) -> str:
		"""SQL: what the report counts, named `j`, for a query of `entries`.

		:param came_in: as of `entries`.
		"""
		if not self.as_of:
			return "`tabLead Journey` j"
		if not self.by_log:
			return f"{kept.journeys()} j"
		first, last = (self.filters.from_date, self.filters.to_date) if came_in else (None, None)
		return f"{past.journeys(first and getdate(first), last and add_days(getdate(last), 1))} j"

	def entries(self, came_in: bool = True) -> Where:
		"""The leads that the filters ask for, whoever asks.

		:param came_in: of the period in which they came in; False if the caller means another instant.
		"""
		where = Where(self.user)
		if self.as_of:
			where.values["as_of"] = self.as_of
		if came_in:
			where.within("j.entered_at", self.filters.from_date, self.filters.to_date)
		for facet, name in FILTERS.items():
			where.equal(self.facet(facet), self.filters.get(name))
		if cint(self.filters.without_source):
			where.blank(self.facet("Source"))
		if not cint(self.filters.include_non_buyers):
			where.add("j.is_non_buyer = 0")
		if cint(self.filters.without_deleted):
			where.add(f"j.name not like '{DELETED}%%'")
		self.of_group(where)
		return where

	def facet(self, name: str) -> str:
		"""The column of one of `FACETS`."""
		return FACETS[name][self.filters.as_at == TODAY]

	def of_group(self, where: Where):
		"""In a list, the group whose count was clicked."""
		group = self.group_column
		if not self.is_list or not group:
			return
		if cint(self.filters.without_group):
			where.blank(group)
		elif self.filters.group:
			where.equal(group, str(self.filters.group))

	@cached_property
	def group_column(self) -> str | None:
		"""SQL: what the report groups by; None, if it is neither a cohort nor one of `FACETS`."""
		by = self.filters.group_by
		return self.facet(by) if by in FACETS else COHORTS.get(by)

	def where(self, created: bool = True) -> Where:
		"""Of `entries`, those that the reader may see."""
		return self.seen(self.entries(created))

	def seen(self, where: Where) -> Where:
		"""Only the leads that the reader may see, and what is left of those that he might have seen."""
		see(where)
		return where

	# what has no lead

	@property
	def is_narrowed(self) -> bool:
		"""Whether a filter selects some leads. A report that is narrowed leaves out what has no lead."""
		names = ("without_source", *(name for name in FILTERS.values() if name != "company"))
		return any(self.filters.get(name) for name in names)

	def of_no_lead(self, doctype: str) -> Where:
		"""The documents of the period that the reader may see; the caller adds that they have no lead."""
		where = Where(self.user)
		where.visible(doctype)
		where.equal(f"`tab{doctype}`.company", self.filters.company)
		where.within(f"`tab{doctype}`.creation", self.filters.from_date, self.filters.to_date)
		return where

	def opportunities_of_no_lead(self) -> Where:
		"""The Opportunities of the period that came of no lead: made of a Customer or a Prospect, and credited to none."""
		where = self.of_no_lead("Opportunity")
		where.blank("`tabOpportunity`.lq_lead")
		where.add("`tabOpportunity`.opportunity_from != 'Lead'")
		return where

	def list_of_no_lead(self, **more) -> str:
		"""The address of the list of `opportunities_of_no_lead`."""
		return list_route(
			"Opportunity",
			lq_lead=["is", "not set"],
			opportunity_from=["!=", "Lead"],
			company=self.filters.company,
			creation=days_filter(self.filters.from_date, self.filters.to_date),
			**more,
		)

	def held_back(self) -> Select:
		return Select(
			f"select j.name from {self.journeys()} join `tabLead` on `tabLead`.name = j.name where {{where}}",
			self.entries(),
		)

	# what was known then

	def differing(self, state: str) -> Select:
		"""The leads of which is known now what was not then, or the other way round: `lead`, and the `state` that it
		was in by the end of that day by what was known `then`, and is `known` now to have been in; the highest of them,
		where two leads have become one since.

		:param state: SQL on `j`.
		"""
		parts = " union all ".join(
			f"select j.name as `lead`, {state} as state, {sign} as sign from {table} where {{where}} and j.entered_at <= %(as_of)s"
			for table, sign in ((self.journeys(), 1), ("`tabLead Journey` j", -1))
		)
		return Select(
			f"""
			select differs.`lead`, max(if(differs.sign > 0, differs.state, null)) as `then`,
				max(if(differs.sign < 0, differs.state, null)) as known
			from (
				select found.`lead`, found.state, sum(found.sign) as sign from ({parts}) found
				group by found.`lead`, found.state having sum(found.sign) != 0
			) differs
			group by differs.`lead` order by differs.`lead`
			""",
			self.where(),
		)

	@cached_property
	def values(self) -> dict:
		"""What conditions of the report bind."""
		return {}

	@property
	def happened(self) -> dict[str, str]:
		"""Of each of `told_by`: SQL, whether it had happened to a lead by the end of that day."""
		told = {**STEPS, **MORE}
		return {name: f"ifnull({told[name]} <= %(as_of)s, 0)" for name in self.told_by}

	@cached_property
	def corrected(self) -> Select:
		"""The leads of which is known otherwise now what had happened by the end of that day; see `differing`. A state
		has one digit for each of `happened`: 1 if it had."""
		found = self.differing(f"concat({', '.join(self.happened.values())})")
		return Select(found.query, found.where, self.values)

	def _corrections_in_words(self) -> str:
		number = self.corrected.count()
		if not number:
			return _("No corrections since.")
		link = self.links([CORRECTED])[CORRECTED]
		words = _(
			"{0} corrections since: of so many of these leads something was entered late, corrected or taken back afterwards."
		)
		return words.format(f'<a href="{frappe.utils.escape_html(link)}">{number}</a>')

	def state_in_words(self, state: str | None) -> str | None:
		"""What a state of `corrected` says; None for a lead that was not there."""
		if state is None:
			return None
		words = {
			"first touch": _("First touch"),
			"handed over": _("Handed over"),
			"left the funnel": _("Left the funnel"),
		}
		told = zip(self.happened, state, strict=True)
		return ", ".join(words.get(name) or step_in_words(name) for name, digit in told if digit == "1")

	@property
	def behind(self):
		is_of_corrected = bool(self.as_of) and self.filters.count == CORRECTED
		return Corrections(self) if is_of_corrected else self

	def looks_back_in_words(self) -> str:
		"""As of which day the report counts, what is not known about that day, and for how many leads more is known
		today."""
		if not self.as_of:
			return ""
		day = frappe.bold(format_date(self.as_of.date()))
		if self.by_log:
			return _(
				"As of the end of {0}, in the site's time zone, by what had been entered by then. Company, definition, non-buyers and who may see a lead are as they are today."
			).format(day)
		words = _(
			"As of the end of {0}, in the site's time zone, by what was known when that day was kept, shortly after its end. Who may see a lead is as it is today."
		).format(day)
		return f"{words} {self.not_as_of_then()} {self._corrections_in_words()}"

	def not_as_of_then(self) -> str:
		"""What is as it is today, or not known, though the report is as of a past day."""
		return ""

	# groups

	@cached_property
	def grouped(self) -> str:
		"""SQL: one spelling for each value of `group_column`, as `base.queries.sources` does it, for a query that
		groups by that column among others."""
		first = f"min({self.group_column} collate utf8mb4_bin)"
		return f"min({first}) over (partition by {self.group_column})"

	@property
	def numbered_groups(self) -> str:
		"""SQL: a table of the groups: `value`, its one spelling `spelt`, and a `number`. Grouping many rows by a
		number is faster than by a text, because the database keeps them in memory."""
		return f"""(
			select value, spelt, row_number() over (order by value) as number from (
				select {self.group_column} as value, min({self.group_column} collate utf8mb4_bin) as spelt
				from {self.journeys()} where {{where}} group by {self.group_column}
			) named
			where value is not null
		)"""

	def names_of(self, groups: Iterable[str | None]) -> dict[str | None, str]:
		"""The name of each group, as users read it."""
		found = list(groups)
		by = self.filters.group_by
		if by == "Owner":
			names = full_names(found)
		elif by in {"Source", "Campaign"}:
			names = _spelt(found, source_doctype() if by == "Source" else campaign_doctype())
		else:
			names = {}
		return {group: names.get(group) or (without(by) if group is None else group) for group in found}

	def group_links(self, group: str | None, names: Iterable[str], **more) -> dict[str, str]:
		"""Count to the list of its leads in one group."""
		return self.links(names, group=group, without_group=int(group is None), **more)


class Corrections:
	"""The list behind the number of corrections: each lead, with what was known then, and what is known now of that day."""

	def __init__(self, report: JourneyReport):
		self.report = report

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			column("was", _("Stage, as Known Then"), width=200),
			column("is", _("Stage Then, as Known Now"), width=220),
		]

	def listing(self) -> Select:
		corrected = self.report.corrected
		return Select(
			f"""
			select found.*, l.title from ({corrected.query}) found
			left join `tabLead` l on l.name = found.`lead` order by found.`lead`
			""",
			corrected.where,
			corrected.values,
		)

	def listed(self, found: list) -> list[dict]:
		in_words = self.report.state_in_words
		return [{**row, "was": in_words(row["then"]), "is": in_words(row["known"])} for row in found]


def without(facet: str) -> str:
	"""What leads are called that have no value of a facet."""
	return {
		"Source": no_source(),
		"Segment": _("No Segment"),
		"Campaign": _("No Campaign"),
		"Territory": _("No Territory"),
		"Owner": _("No Owner"),
		"Company": _("No Company"),
		"Definition": _("Not Judged"),
	}.get(facet, "–")


def _spelt(values: list[str | None], doctype: str) -> dict[str | None, str]:
	"""Value to how its own record is spelt, whatever the case."""
	named = [value for value in values if value]
	records = frappe.get_all(doctype, {"name": query.among(named)}, pluck="name", order_by="name asc")
	spelling = {name.casefold(): name for name in records}
	return {value: spelling.get(value.casefold(), value) for value in named}


# money


class Money:
	"""The values of leads in one currency: that of a company, by default of the site's.

	:param company: as a report is narrowed to it.
	"""

	def __init__(self, company: str | None = None):
		self.currency = company_currency(company)
		accounts = frappe.get_cached_doc("Accounts Settings")
		# of a rate, when it is too old; None, if it never is
		self.stale_days = None if cint(accounts.allow_stale) else cint(accounts.stale_days)

	# goes after `tabLead Journey` j
	join = "left join `tabCompany` own on own.name = j.company"

	@property
	def values(self) -> dict:
		"""What `amount` binds."""
		return {"money_currency": self.currency, "money_stale": self.stale_days}

	@property
	def amount(self) -> str:
		"""SQL: the value of a lead; null where there is one, but no rate of its day, as `base.currency.rates_into` picks it.
		The day is that of the order, else of the opportunity."""
		day = "date(coalesce(j.sale_at, j.opportunity_at, j.entered_at))"
		fresh = (
			"" if self.stale_days is None else f"and x.date > date_sub({day}, interval %(money_stale)s day)"
		)
		return f"""(case
			when j.company_value = 0 then 0
			when coalesce(own.default_currency, %(money_currency)s) <=> %(money_currency)s then j.company_value
			else j.company_value * (
				select nullif(x.exchange_rate, 0) from `tabCurrency Exchange` x
				where x.from_currency = own.default_currency and x.to_currency = %(money_currency)s
					and x.date <= {day} {fresh}
				order by x.date desc, x.creation desc, x.name desc limit 1
			)
		end)"""


# time


def percentiles(timed: str, of: dict[str, int], keys: Sequence[str] = ("grouped",)) -> str:
	"""SQL: `cases` and percentiles by nearest rank of the `seconds` of each group, as `base.report.nearest_rank` has them.

	:param timed: a query of `seconds` and of `keys`, by which they are grouped.
	:param of: the column of each percentile, to the percent.
	"""
	by = ", ".join(f"ranked.{key}" for key in keys)
	within = ", ".join(f"timed.{key}" for key in keys)
	picked = ", ".join(
		f"max(if(ranked.nth = (ranked.size * {percent} + 99) div 100, ranked.seconds, null)) as {name}"
		for name, percent in of.items()
	)
	return f"""
		select {by}, count(*) as cases, {picked} from (
			select {within}, timed.seconds, row_number() over (partition by {within} order by timed.seconds) as nth,
				count(*) over (partition by {within}) as size
			from ({timed}) timed
		) ranked
		group by {by}
	"""


def days(seconds) -> float | None:
	return None if seconds is None else float(seconds) / 86_400
