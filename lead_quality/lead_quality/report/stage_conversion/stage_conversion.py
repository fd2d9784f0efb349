"""Cohort conversion of leads: of those that came in within a period, how many reached each step of the funnel, how fast,
how many have stopped on the way, and how many are still on it."""

from functools import cached_property
from itertools import pairwise

import frappe
from frappe import _
from frappe.utils import add_days, cint, getdate

from lead_quality.base.queries import Select, Where
from lead_quality.base.report import (
	SMALL_SAMPLE,
	bars,
	column,
	count_column,
	lead_and_title,
	on_top,
	percent,
	percent_column,
)
from lead_quality.engine.conversion import (
	EXITED,
	OPEN,
	REACHED,
	STAGES,
	Curve,
	Rate,
	Spell,
	incidence,
	rate_within,
)
from lead_quality.funnel.credit import ORDER_WITHOUT_LEAD
from lead_quality.lead_quality.report.journeys import (
	COHORTS,
	FACETS,
	STEPS,
	JourneyReport,
	reached_at,
	step_in_words,
)

BY_STEP = "Stage"
# what a list shows that no lead stands behind
SALES_WITHOUT_LEAD = "sales_without_lead"
DAY = 86_400_000_000  # microseconds
NEVER = 2**62
# how a lead was seen last on its way
WAYS = (REACHED, EXITED, OPEN)
# a curve is drawn through so many days
MOST_POINTS = 60


class StageConversion(JourneyReport):
	"""One row per step of the leads that came in within the period, or one per group of them.

	:param filters: those of `JourneyReport`; `within_days`: what a lead does later than so many days after it came in does
	    not count, 0 for none; `all_steps`: also sales ready, accepted and quoted; `chart`: Steps, or Days; `show`; and of
	    the list `count` and `step`.

	As of a past day it counts by the stage log: the four stages, and not who had left the funnel.
	"""

	name = "Stage Conversion"
	can_look_back = True
	by_log = True
	groups = dict.fromkeys((BY_STEP, *COHORTS, *FACETS), "")
	kept = (*JourneyReport.kept, "within_days", "all_steps")

	def set_filters(self):
		super().set_filters()
		self.within = max(cint(self.filters.within_days), 0)
		self.steps = tuple(STEPS) if cint(self.filters.all_steps) and not self.as_of else STAGES
		self.place = self.steps.index(self.filters.step) if self.filters.step in self.steps else None

	# what is counted

	@cached_property
	def values(self) -> dict:
		first, last = self.filters.from_date, self.filters.to_date
		return {
			"until": self.until,
			"within": self.within,
			"period_from": first and getdate(first),
			"period_until": last and add_days(getdate(last), 1),
		}

	def has_entered(self, step: str) -> str:
		"""SQL: whether a lead has entered a step, and in time."""
		in_time = f" and {STEPS[step]} <= j.entered_at + interval %(within)s day" if self.within else ""
		return f"ifnull({STEPS[step]} <= %(until)s{in_time}, 0)"

	@cached_property
	def facts(self) -> str:
		"""SQL: how far a lead got (the place of its step), and whether it can get no further."""
		last = len(self.steps) - 1
		far = " ".join(
			f"when {self.has_entered(self.steps[place])} then {place}" for place in range(last, 0, -1)
		)
		over = " or j.entered_at + interval %(within)s day < %(until)s" if self.within else ""
		return f"case {far} else 0 end as furthest, ifnull(j.exited_at <= %(until)s, 0){over} as is_stopped"

	@cached_property
	def found(self) -> list:
		"""How many leads of each group got how far, and of these have stopped; `entered_…`: how many entered a step, and
		did not go past it."""
		entered = ", ".join(
			f"sum({self.has_entered(step)}) as entered_{place}" for place, step in enumerate(self.steps)
		)
		group = f", {self.group_column}" if self.group_column else ""
		return Select(
			f"""
			select {self.facts}, {self.grouped if group else "null"} as grouped, count(*) as leads,
				sum(j.is_derived) as derived, {entered}
			from {self.journeys()} where {{where}}
			group by furthest, is_stopped{group}
			""",
			self.where(),
			self.values,
		).rows()

	def counts_of(self, found: list) -> list[dict]:
		"""One for each step: how many leads have `reached` it, are `lost` or still `open` there, have `skipped` it."""
		counts = []
		for place in range(len(self.steps)):
			reached = _sum(found, lambda row, place=place: row.furthest >= place)
			here = [row for row in found if row.furthest == place]
			counts.append(
				{
					"reached": reached,
					"lost": _sum(here, lambda row: row.is_stopped),
					"open": _sum(here, lambda row: not row.is_stopped),
					"skipped": reached - sum(int(row[f"entered_{place}"]) for row in found) if place else 0,
				}
			)
		return counts

	@cached_property
	def counts_by_step(self) -> list[dict]:
		return self.counts_of(self.found)

	@property
	def leads(self) -> int:
		return self.counts_by_step[0]["reached"]

	@cached_property
	def leak(self) -> str | None:
		"""The step that the smallest share of the step before gets to, if the sample is worth a judgement."""
		judged = [
			(percent(after["reached"], before["reached"]), place)
			for place, (before, after) in enumerate(pairwise(self.counts_by_step), 1)
			if before["reached"] >= SMALL_SAMPLE
		]
		return self.steps[min(judged)[1]] if judged else None

	# leads that are still under way

	def curves(self, places: range, grouped: bool = False) -> dict[tuple, Curve]:
		"""For each group (None unless `grouped`) and place of a step: the share of leads that reach it by each day.

		Time is counted in whole days, the last one when it is over: a lead that reaches a step within five days
		does so on day five.
		"""
		number, join = "null", ""
		if grouped:
			number = "numbered.number"
			join = f"left join {self.numbered_groups} numbered on numbered.value = {self.group_column}"
		# as one number, which is faster to group by: three times the day, and what happened on it
		age = "greatest(timestampdiff(day, j.entered_at, %(until)s), 0)"
		exited = _day_of("j.exited_at")
		parts = []
		for place in places:
			reached = _day_of(reached_at(self.steps, place))
			parts.append(
				f"""
				select {place} as place, {number} as number, count(*) as leads,
					if({reached} <= {age}, 3 * ({reached}),
						least(ifnull(3 * ({exited}) + 1, {NEVER}), 3 * {age} + 2)) as `end`
				from {self.journeys()} {join} where {{where}}
				group by `end`, number
				"""
			)
		spells: dict[tuple, list[Spell]] = {}
		names = self.names_of_numbers if grouped else {}
		for row in Select(" union all ".join(parts), self.where(), self.values).rows():
			key = (names.get(row.number), row.place)
			days, way = divmod(int(row.end), 3)
			spells.setdefault(key, []).append(Spell(days, WAYS[way], row.leads))
		return {key: incidence(some) for key, some in spells.items()}

	@cached_property
	def names_of_numbers(self) -> dict[int, str]:
		query = f"select numbered.number, numbered.spelt from {self.numbered_groups} numbered"
		return {row.number: row.spelt for row in Select(query, self.where(), self.values).rows()}

	@cached_property
	def curve_of_step(self) -> dict[int, Curve]:
		curves = {} if self.as_of else self.curves(range(1, len(self.steps)))
		return {place: curves.get((None, place), incidence([])) for place in range(1, len(self.steps))}

	def expected(self, curve: Curve) -> Rate:
		return rate_within(curve, self.within or None, SMALL_SAMPLE)

	# one row a step

	@cached_property
	def medians(self) -> dict[int, float]:
		"""For each place of a step: the median of the days after which leads entered it."""
		parts = " union all ".join(
			f"""
			select {place} as place,
				greatest(timestampdiff(microsecond, j.entered_at, {STEPS[step]}), 0) / {DAY}e0 as days
			from {self.journeys()} where {{where}} and {self.has_entered(step)}
			"""
			for place, step in enumerate(self.steps)
			if place
		)
		rows = Select(
			f"""
			select place, avg(days) as days from (
				select place, days, row_number() over (partition by place order by days) as nth,
					count(*) over (partition by place) as leads
				from ({parts}) entered
			) ranked
			where nth in (floor((leads + 1) / 2), ceil((leads + 1) / 2))
			group by place
			""",
			self.where(),
			self.values,
		).rows()
		return {row.place: float(row.days) for row in rows}

	@cached_property
	def in_period(self) -> list[int]:
		"""How many leads entered each step within the period, whenever they came in."""
		counts = ", ".join(
			f"sum({self.within_period(STEPS[step])}) as at_{place}" for place, step in enumerate(self.steps)
		)
		where = self.seen(self.entries(came_in=False))
		query = f"select {counts} from {self.journeys(came_in=False)} where {{where}}"
		row = Select(query, where, self.values).rows()[0]
		return [cint(row[f"at_{place}"]) for place in range(len(self.steps))]

	def within_period(self, instant: str) -> str:
		"""SQL: whether an instant lies within the period."""
		words = [f"{instant} <= %(until)s"]
		if self.filters.from_date:
			words.append(f"{instant} >= %(period_from)s")
		if self.filters.to_date:
			words.append(f"{instant} < %(period_until)s")
		return f"ifnull({' and '.join(words)}, 0)"

	def columns(self) -> list[dict]:
		return self.columns_of_groups() if self.group_column else self.columns_of_steps()

	def rows(self) -> list[dict]:
		return self.rows_of_groups() if self.group_column else self.rows_of_steps()

	def columns_of_steps(self) -> list[dict]:
		return [
			column("stage", _("Stage"), width=140),
			count_column("reached", _("Leads Reached"), width=130),
			percent_column("from_previous", _("Of Stage Before"), width=140),
			percent_column("from_first", _("Of All Leads")),
			percent_column("expected", _("Expected, of All Leads"), width=180),
			count_column("lost", _("Lost Here")),
			count_column("open", _("Still Open Here"), width=140),
			count_column("skipped", _("Skipped")),
			column("median_days", _("Median Days Since Entry"), "Float", 210, precision=1),
			count_column("in_period", _("Reached in This Period"), width=190),
		]

	def rows_of_steps(self) -> list[dict]:
		"""One row per step, then the rows of documents without a lead, if there are any."""
		rows = []
		last = len(self.steps) - 1
		for place, (step, counts) in enumerate(zip(self.steps, self.counts_by_step, strict=True)):
			before = self.counts_by_step[place - 1]["reached"] if place else None
			share = self.expected(self.curve_of_step[place]).share if place else None
			counted = {**counts, "in_period": self.in_period[place]}
			if place == last or self.as_of:
				counted.update({"lost": None, "open": None})
			rows.append(
				{
					"stage": step_in_words(step),
					**counted,
					"from_previous": percent(counts["reached"], before) if before is not None else None,
					"from_first": percent(counts["reached"], self.leads),
					"expected": None if share is None else share * 100,
					"median_days": self.medians.get(place) if place else (0.0 if self.leads else None),
					"is_leak": step == self.leak,
					"links": self.links([name for name, value in counted.items() if value], step=step),
				}
			)
		return rows + self.without_lead()

	# what has no lead

	@cached_property
	def opportunities_without_lead(self) -> int:
		"""Opportunities without a lead: made from a Customer or a Prospect and credited to no lead. The period is
		that of their creation. Filters that narrow the leads exclude them."""
		return 0 if self.is_narrowed or self.as_of else self.opportunities_of_no_lead().count("Opportunity")

	@cached_property
	def sales_without_lead(self) -> int:
		"""As `opportunities_without_lead`: submitted orders that are credited to no lead."""
		return 0 if self.is_narrowed or self.as_of else self._orders_without_lead().count("Sales Order")

	def _orders_without_lead(self) -> Where:
		where = self.of_no_lead("Sales Order")
		where.add(ORDER_WITHOUT_LEAD)
		return where

	def links_without_lead(self) -> dict[str, str]:
		return {
			"opportunity": self.list_of_no_lead(),
			"sale": self.links([SALES_WITHOUT_LEAD])[SALES_WITHOUT_LEAD],
		}

	def without_lead(self) -> list[dict]:
		links = self.links_without_lead()
		counts = (
			(_("No Lead"), self.opportunities_without_lead, links["opportunity"]),
			(_("No Lead, Sales"), self.sales_without_lead, links["sale"]),
		)
		names = (
			"from_previous",
			"from_first",
			"expected",
			"lost",
			"open",
			"skipped",
			"median_days",
			"in_period",
		)
		nothing = dict.fromkeys(names)
		return [
			{"stage": label, "reached": number, **nothing, "is_leak": False, "links": {"reached": link}}
			for label, number, link in counts
			if number
		]

	# one row a group

	def columns_of_groups(self) -> list[dict]:
		steps = []
		for step in self.steps[1:]:
			words, name = step_in_words(step), frappe.scrub(step)
			steps += [
				count_column(name, words),
				percent_column(f"{name}_percent", _("{0}, of All").format(words)),
			]
		return [
			column("group", _(self.filters.group_by), width=200),
			count_column("leads", _("Leads")),
			*steps,
			percent_column("expected", _("Sale, Expected"), width=140),
			count_column("lost", _("Lost")),
			count_column("open", _("Still Open")),
			column("note", _("Note"), width=260),
		]

	def rows_of_groups(self) -> list[dict]:
		groups: dict[str | None, list] = {}
		for row in self.found:
			groups.setdefault(row.grouped, []).append(row)
		last = len(self.steps) - 1
		found = {} if self.as_of else self.curves(range(last, last + 1), True)
		curves = {group: curve for (group, _place), curve in found.items()}
		names = self.names_of(groups)
		rows = [
			self.row_of_group(group, names[group], groups[group], curves.get(group))
			for group in sorted(groups, key=lambda group: (group is None, group))
		]
		return rows + self.row_without_lead()

	def row_of_group(self, group: str | None, label: str, found: list, curve: Curve | None) -> dict:
		counts = self.counts_of(found)
		leads = counts[0]["reached"]
		row = {"group": label, "leads": leads, "links": self.group_links(group, ["leads", "lost", "open"])}
		for step, of_step in zip(self.steps[1:], counts[1:], strict=True):
			name, reached = frappe.scrub(step), of_step["reached"]
			row.update({name: reached, f"{name}_percent": percent(reached, leads)})
			row["links"][name] = self.group_links(group, ["reached"], step=step)["reached"]
		if curve is None:
			note = self.note(None, _sum_of(found, "derived"), leads)
			return {**row, "expected": None, "lost": None, "open": None, "note": note}
		expected = self.expected(curve)
		return {
			**row,
			"expected": None if expected.share is None else expected.share * 100,
			"lost": sum(of_step["lost"] for of_step in counts[:-1]),
			"open": sum(of_step["open"] for of_step in counts[:-1]),
			"note": self.note(expected, _sum_of(found, "derived"), leads),
		}

	def note(self, expected: Rate | None, derived: int, leads: int) -> str | None:
		words = []
		if expected and expected.is_too_young:
			words.append(_("Too young: none was seen for {0} days").format(self.within))
		elif leads < SMALL_SAMPLE:
			words.append(_("Few leads"))
		if derived:
			words.append(_("{0} of {1} from before the app").format(derived, leads))
		return ". ".join(words) or None

	def row_without_lead(self) -> list[dict]:
		if not (self.opportunities_without_lead or self.sales_without_lead):
			return []
		nothing = {column["fieldname"]: None for column in self.columns_of_groups()}
		return [
			{
				**nothing,
				"group": _("No Lead"),
				"opportunity": self.opportunities_without_lead,
				"sale": self.sales_without_lead,
				"links": self.links_without_lead(),
			}
		]

	# words and pictures

	def message(self, rows: list[dict]) -> str:
		words = [self.looks_back_in_words(), self._cohort_in_words()]
		derived = _sum_of(self.found, "derived")
		if derived:
			words.append(
				_(
					"{0} of these leads came in before the app was there: what happened to them was read from other documents, and may be late or incomplete."
				).format(frappe.bold(derived))
			)
		if self.leads and not self.group_column and not self.as_of:
			words.append(self._estimates_in_words())
		if self.opportunities_without_lead or self.sales_without_lead:
			words.append(
				_(
					"No Lead counts the opportunities and orders of this period that did not come from a lead: they are not part of any share."
				)
			)
		return " ".join(word for word in words if word)

	def looks_back_in_words(self) -> str:
		"""As of which day the report counts, and for how many leads more is known today."""
		if not self.as_of:
			return ""
		words = _(
			"What had left the funnel, sales ready, accepted and quoted, and what has no lead, is not known as of then."
		)
		return f"{super().looks_back_in_words()} {words} {self._corrections_in_words()}"

	@property
	def happened(self) -> dict[str, str]:
		return {step: self.has_entered(step) for step in self.steps}

	def state_in_words(self, state: str | None) -> str | None:
		"""The furthest step."""
		return state and step_in_words(self.steps[state.rindex("1")])

	def _cohort_in_words(self) -> str:
		if not self.leads:
			return _("No lead came in within this period.")
		if self.within:
			words = _(
				"Each step counts the leads of this period that reached it or a later one within {0} days after they came in."
			).format(frappe.bold(self.within))
		else:
			words = _(
				"Each step counts the leads of this period that ever reached it or a later one, whenever that was."
			)
		if not self.leak:
			return words
		leak = _("The biggest leak is on the way to {0}.").format(frappe.bold(step_in_words(self.leak)))
		return f"{words} {leak}"

	def _estimates_in_words(self) -> str:
		young = [
			step_in_words(step)
			for place, step in enumerate(self.steps)
			if place and self.expected(self.curve_of_step[place]).is_too_young
		]
		words = _(
			"Reached in This Period counts who came to the step in these days, whenever they came in: it says how much was done, and differs, as the leads of today are not the sales of today."
		)
		if young:
			too_young = _("These leads are too young to say how many come within {0} days to: {1}.").format(
				self.within, ", ".join(young)
			)
			return f"{too_young} {words}"
		return words

	def chart(self, rows: list[dict]) -> dict | None:
		if self.group_column:
			return self.chart_of_groups([row for row in rows if row["leads"]])
		if self.filters.chart == "Days" and not self.as_of:
			return self.chart_of_days()
		return bars(
			[step_in_words(step) for step in self.steps],
			{_("Leads"): [counts["reached"] for counts in self.counts_by_step]},
			["#1f6feb"],
		)

	def chart_of_groups(self, rows: list[dict]) -> dict | None:
		if not rows:
			return None
		rows = rows[-24:] if self.filters.group_by in COHORTS else rows[:24]
		shares = {
			_("{0}, of All").format(step_in_words(step)): [
				round(row[f"{frappe.scrub(step)}_percent"] or 0, 1) for row in rows
			]
			for step in self.steps[1:]
		}
		return bars([row["group"] for row in rows], shares, COLORS[: len(shares)])

	def chart_of_days(self) -> dict | None:
		"""The share of all leads that reaches each step by each day, adjusted for open leads."""
		seen_for = max((curve.seen_for for curve in self.curve_of_step.values()), default=0)
		end = int(min(seen_for, self.within) if self.within else seen_for)
		if not end:
			return None
		width = -(-end // MOST_POINTS)
		days = [*range(0, end, width), end]
		shares = {
			step_in_words(step): shares_by(self.curve_of_step[place], days)
			for place, step in enumerate(self.steps)
			if place
		}
		chart = bars([str(day) for day in days], shares, COLORS[: len(shares)])
		options = {"lineOptions": {"hideDots": 1}, "axisOptions": {"xIsSeries": 1}}
		return {**chart, "type": "line", **options}

	def summary(self, rows: list[dict]) -> list[dict]:
		counts = self.counts_by_step
		if not self.leads:
			return []
		ways = [
			_way(
				before,
				step,
				percent(counts[place]["reached"], counts[place - 1]["reached"]),
				"Red" if step == self.leak else "Blue",
			)
			for place, (before, step) in enumerate(pairwise(self.steps), 1)
		]
		first_to_last = _way(
			self.steps[0], self.steps[-1], percent(counts[-1]["reached"], self.leads), "Grey"
		)
		if self.as_of:
			return [*ways, first_to_last]
		followed = self.follow_through()
		quoted = percent(followed["quoted"], followed["opportunities"])
		called = percent(followed["called"], followed["quoted"])
		return [
			*ways,
			first_to_last,
			on_top(_("Opportunities with a Quotation"), _whole(quoted), "Grey"),
			on_top(_("Quotations Followed by a Call"), _whole(called), "Grey"),
		]

	def follow_through(self) -> dict[str, int]:
		"""What became of the opportunities of these leads, one a lead: `opportunities`; `quoted`, those with a
		submitted Quotation, to the lead or of an Opportunity that is credited to it; `called`, those of these whose lead
		a person has called after the first Quotation was made."""
		rows = self.where().select(
			"""
			select count(*) as opportunities, sum(j.quoted_at is not null) as quoted,
				sum(j.quoted_at is not null and exists(
					select 1 from `tabLead Touch` touch
					where
						touch.lead = j.name and touch.channel = 'Phone' and touch.direction = 'Outbound'
						and touch.status = 'Done' and touch.is_automatic = 0 and touch.done_at >= j.quoted_at
				)) as called
			from `tabLead Journey` j where {where} and j.opportunity_at is not null
			"""
		)
		return {name: int(count or 0) for name, count in rows[0].items()}

	# the leads

	@property
	def is_of_orders(self) -> bool:
		return self.filters.count == SALES_WITHOUT_LEAD

	def list_columns(self) -> list[dict]:
		if self.is_of_orders:
			return [
				column("sales_order", _("Sales Order"), "Link", 200, options="Sales Order"),
				column("customer_name", _("Customer"), width=250),
				column("creation", _("Made"), "Datetime", 165),
			]
		return [
			*lead_and_title(),
			*(column(frappe.scrub(step), step_in_words(step), "Datetime", 165) for step in self.steps),
			column("exited_at", _("Left the Funnel"), "Datetime", 165),
			column("exit_reason", _("Why"), width=200),
		]

	def counted(self) -> str:
		place, last = self.place, len(self.steps) - 1
		here = f"fact.furthest = {place}" if place is not None else f"fact.furthest < {last}"
		return {
			"reached": f"fact.furthest >= {place or 0}",
			"lost": f"{here} and fact.is_stopped",
			"open": f"{here} and not fact.is_stopped",
			"skipped": f"fact.furthest >= {place or 0} and not fact.has_entered",
		}.get(self.filters.count, "1 = 1")

	def listing(self) -> Select:
		"""Each lead with the first time that it entered each step, the newest first; or the orders without a lead."""
		if self.is_of_orders:
			return Select(
				"""
				select `tabSales Order`.name as sales_order, `tabSales Order`.customer_name, `tabSales Order`.creation
				from `tabSales Order` where {where}
				order by `tabSales Order`.creation desc, `tabSales Order`.name desc
				""",
				self._orders_without_lead(),
			)
		step = self.steps[self.place or 0]
		where = self.where()
		if self.filters.count == "in_period":
			where = self.seen(self.entries(came_in=False))
			where.add(self.within_period(STEPS[step]))
		instants = ", ".join(f"{STEPS[step]} as `{frappe.scrub(step)}`" for step in self.steps)
		return Select(
			f"""
			select fact.* from (
				select j.`lead`, l.title, {instants}, j.exited_at, j.exit_reason, {self.facts},
					{self.has_entered(step)} as has_entered
				from {self.journeys(came_in=self.filters.count != "in_period")}
				left join `tabLead` l on l.name = j.name
				where {{where}}
			) fact
			where {self.counted()}
			order by fact.target desc, fact.`lead` desc
			""",
			where,
			self.values,
		)

	def listed(self, found: list) -> list[dict]:
		return [{**row, "exit_reason": row.get("exit_reason") and _(row["exit_reason"])} for row in found]


COLORS = ["#1f6feb", "#8250df", "#1a7f37", "#bf8700", "#cf222e", "#57606a"]


def shares_by(curve: Curve, days: list[int]) -> list[float | None]:
	"""The share in percent by each of some days, ascending; None after the last day on which a lead was
	observed."""
	shares: list[float | None] = []
	points, place, share = curve.points, 0, 0.0
	for day in days:
		while place < len(points) and points[place].day <= day:
			share = points[place].share_reached
			place += 1
		shares.append(None if curve.is_too_young(day) else round(share * 100, 1))
	return shares


def _day_of(instant: str) -> str:
	"""SQL: the day after a lead's entry on which something happened. A day has 24 hours, the first is 1; 0 if it
	happened before the entry, null for null."""
	return f"(greatest(timestampdiff(microsecond, j.entered_at, {instant}), 0) + {DAY - 1}) div {DAY}"


def _sum(rows: list, condition) -> int:
	return sum(int(row["leads"]) for row in rows if condition(row))


def _sum_of(rows: list, name: str) -> int:
	return sum(cint(row[name]) for row in rows)


def _whole(value: float | None) -> str:
	return "–" if value is None else f"{value:.0f} %"


def _way(before: str, step: str, share: float | None, indicator: str) -> dict:
	label = _("{0} to {1}").format(step_in_words(before), step_in_words(step))
	return on_top(label, _whole(share), indicator)


execute = StageConversion.execute
