"""Where leads are lost: how many fewer than agreed get to each step, what that costs, and what they leave for."""

from collections import Counter
from functools import cached_property

from frappe import _
from frappe.utils import cint, flt, fmt_money, getdate

from lead_quality.base.queries import Select, Where
from lead_quality.base.report import (
	bars,
	column,
	count_column,
	lead_and_title,
	on_top,
	percent,
	percent_column,
)
from lead_quality.funnel.targets import NARROWEST_FIRST, REACHED_AT, has_companies, scope_in_words
from lead_quality.lead_quality.report.journeys import (
	STEPS,
	JourneyReport,
	Money,
	percentiles,
	step_in_words,
)

# what a target may be of, the narrower ones first
SCOPE = {"source": "Source", "segment": "Segment", "company": "Company"}
COUNTS = ("leads", "reached", "lost", "open", "young")
# what has become of a lead at a step, as a number and as what it is counted as
OPEN, REACHED, LOST, YOUNG = range(4)
STATES = ("open", "reached", "lost", "young")


class Leaks(JourneyReport):
	"""One row per Funnel Target that holds within the period; and one per step that has none.

	A lead counts for the narrowest target of a step that is of its source, segment and company, and of the day on which it
	came in. Where a target gives days, a lead counts once they are over.

	:param filters: those of a `JourneyReport`; of the list `count`, `step` and `target`.
	"""

	name = "Leaks"
	can_look_back = True
	told_by = (*STEPS, "left the funnel")
	counts = {
		"leads": "not fact.is_young",
		"reached": "fact.is_reached and not fact.is_young",
		"lost": "fact.is_lost",
		"open": "fact.is_open",
		"young": "fact.is_young",
		"won": "fact.amount > 0",
	}

	@cached_property
	def money(self) -> Money:
		return Money(self.filters.company)

	@cached_property
	def values(self) -> dict:
		return {"now": self.until, **self.money.values}

	@cached_property
	def targets(self) -> list:
		"""The targets that the reader may see and that hold on a day of the period, the narrower ones first."""
		where = Where(self.user)
		where.visible("Funnel Target")
		if self.filters.to_date:
			where.add(
				"ifnull(`tabFunnel Target`.from_date, '1000-01-01') <= %(until)s",
				until=getdate(self.filters.to_date),
			)
		if self.filters.from_date:
			where.add(
				"ifnull(`tabFunnel Target`.to_date, '9999-12-31') >= %(since)s",
				since=getdate(self.filters.from_date),
			)
		return where.select(
			f"""
			select name, lower(step) as step, rate, within_days, source, segment, company, from_date, to_date
			from `tabFunnel Target` where {{where}}
			order by {NARROWEST_FIRST}
			"""
		)

	def targets_of(self, step: str) -> list:
		return [target for target in self.targets if target.step == step]

	def facts(self, step: str, dated: bool = True) -> tuple[str, dict]:
		"""SQL with its values, one row per lead: the `number` of its target for a step (0 for none); whether the
		lead has reached the step, was lost before it, is still open, or is too young to tell; and its `amount`, if
		it has ordered.

		:param dated: by the days on which the targets hold; False for the leads that a target would cover on any
		    day.
		"""
		values: dict = {}
		numbers, days = self.numbers(step, "numbered.number", values, dated)
		reached = REACHED_AT[step.title()]
		text = f"""
			select timed.*,
				timed.is_reached = 0 and not timed.is_young and (timed.days > 0 or timed.has_left) as is_lost,
				timed.is_reached = 0 and not timed.is_young and timed.days = 0 and not timed.has_left as is_open
			from (
				select numbered.*, {days} as days,
					{days} > 0 and numbered.entered_at + interval {days} day > %(now)s as is_young,
					ifnull(numbered.reached_at <= %(now)s
						and ({days} = 0 or numbered.reached_at <= numbered.entered_at + interval {days} day), 0) as is_reached,
					ifnull(numbered.exited_at <= %(now)s, 0) as has_left
				from (
					select j.name as `lead`, j.entered_at, {reached} as reached_at, j.exited_at, j.exit_stage,
						j.exit_reason, j.sale_at, {numbers} as number,
						if(j.sale_at is null, null, {self.money.amount}) as amount
					from {self.journeys()} {self.money.join} where {{where}}
				) numbered
			) timed
		"""
		return text, values

	def numbers(self, step: str, number: str, values: dict, dated: bool = True) -> tuple[str, str]:
		"""SQL: the number of a lead's target for a step (0 for none), and the days within which the lead must reach
		it (0 for any time). The days refer to the first as `number`. Adds the `values` that both bind; see
		`facts`."""
		numbers, within = [], []
		for place, target in enumerate(self.targets_of(step), 1):
			asked = [
				f"{self.facet(SCOPE[field])} = {_bound(values, target[field])}"
				for field in SCOPE
				if target[field]
			]
			if dated and target.from_date:
				asked.append(f"j.entered_at >= {_bound(values, target.from_date)}")
			if dated and target.to_date:
				asked.append(f"j.entered_at < {_bound(values, target.to_date)} + interval 1 day")
			numbers.append(f"when {' and '.join(asked) or '1 = 1'} then {place}")
			within.append(f"when {place} then {max(cint(target.within_days), 0)}")
		if not numbers:
			return "0", "0"
		return f"case {' '.join(numbers)} else 0 end", f"case {number} {' '.join(within)} else 0 end"

	# what is counted

	@cached_property
	def found(self) -> dict[str, dict[int, dict]]:
		"""For each step and target number: its counts, how many of the leads that reached the step have ordered,
		and why most of the lost ones left. One pass over the leads counts all steps."""
		steps, values = list(STEPS)[1:], dict(self.values)
		numbers, states = [], []
		for place, step in enumerate(steps):
			number, days = self.numbers(step, f"numbered.number_{place}", values)
			numbers.append(f"{number} as number_{place}, {REACHED_AT[step.title()]} as reached_{place}")
			until = f"numbered.entered_at + interval {days} day"
			# the same as in `facts`, as one number
			states.append(f"""case
				when {days} > 0 and {until} > %(now)s then {YOUNG}
				when numbered.reached_{place} <= %(now)s and ({days} = 0 or numbered.reached_{place} <= {until}) then {REACHED}
				when {days} > 0 or numbered.exited_at <= %(now)s then {LOST}
				else {OPEN}
			end as state_{place}""")
		keys = [f"number_{place}" for place in range(len(steps))]
		rows = Select(
			f"""
			select {", ".join(keys)}, {", ".join(states)}, numbered.exit_stage, numbered.exit_reason,
				numbered.sale_at is not null as has_sale, count(*) as leads
			from (
				select {", ".join(numbers)}, j.entered_at, j.exited_at, j.exit_stage, j.exit_reason, j.sale_at
				from {self.journeys()} where {{where}}
			) numbered
			group by {", ".join(keys)}, {", ".join(f"state_{place}" for place in range(len(steps)))}, exit_stage, exit_reason,
				has_sale
			order by exit_stage, exit_reason
			""",
			self.where(),
			values,
		).rows()
		return {step: self._counted_at(place, rows) for place, step in enumerate(steps)}

	def _counted_at(self, place: int, rows: list) -> dict[int, dict]:
		"""Of the rows of all steps, those of the step at a place."""
		found: dict[int, dict] = {}
		left: dict[int, Counter] = {}
		spelt: dict[tuple[str, str], tuple[str, str]] = {}
		for row in rows:
			number, state = cint(row[f"number_{place}"]), cint(row[f"state_{place}"])
			counts = found.setdefault(number, dict.fromkeys((*COUNTS, "sold"), 0) | {"reason": None})
			counts[STATES[state]] += row.leads
			if state != YOUNG:
				counts["leads"] += row.leads
			if state == REACHED and row.has_sale:
				counts["sold"] += row.leads
			if state == LOST and row.exit_reason:
				# as the database compares texts
				reason = row.exit_stage, row.exit_reason.casefold()
				spelt.setdefault(reason, (row.exit_stage, row.exit_reason))
				left.setdefault(number, Counter())[reason] += row.leads
		for number, reasons in left.items():
			found[number]["reason"] = spelt[reasons.most_common(1)[0][0]]
		return found

	def worth(self, step: str) -> dict[int, tuple[int, float]]:
		"""For each target number: how many leads of its source and segment were won with a value, whenever they
		came in, and their median value."""
		values = dict(self.values)
		number, _days = self.numbers(step, "", values, dated=False)
		key = (number, *values.values())
		if key not in self._worth:
			where = self.seen(self.entries(came_in=False))
			# what has not been ordered has no amount: most leads need not be looked at
			where.add("j.sale_at is not null")
			timed = f"""
				select valued.number, valued.amount as seconds from (
					select {number} as number, {self.money.amount} as amount
					from {self.journeys(came_in=False)} {self.money.join} where {{where}}
				) valued where valued.amount > 0
			"""
			rows = Select(percentiles(timed, {"median": 50}, ("number",)), where, values).rows()
			self._worth[key] = {row.number: (cint(row.cases), flt(row.median)) for row in rows}
		return self._worth[key]

	@cached_property
	def _worth(self) -> dict[tuple, dict[int, tuple[int, float]]]:
		"""Steps whose targets have the same sources and segments share one worth."""
		return {}

	def columns(self) -> list[dict]:
		currency = {"options": "currency"}
		return [
			column("step", _("Step"), width=130),
			column("of", _("Of"), width=200),
			count_column("leads", _("Leads")),
			count_column("reached", _("Reached It")),
			percent_column("reached_percent", _("Reached, of All"), 140),
			percent_column("target_percent", _("Target"), 100),
			column("missing", _("Leads Short"), "Float", 120, precision=1),
			# what it is about is in sight without scrolling
			column("missing_value", _("Money Short"), "Currency", 140, **currency),
			column("point_value", _("One Point Is Worth"), "Currency", 160, **currency),
			count_column("lost", _("Lost Before")),
			count_column("open", _("Still Open")),
			count_column("young", _("Too Young to Tell"), 150),
			column("reason", _("Most Leave"), width=230),
			percent_column("sale_percent", _("Then Order"), 120),
			column("median_value", _("Won Median"), "Currency", 130, **currency),
			count_column("won", _("Won With a Value"), 150),
		]

	def rows(self) -> list[dict]:
		"""The costliest leak first, then leaks without a value by the number of leads short, then steps without a
		target."""
		rows = []
		for step in list(STEPS)[1:]:
			found, worth = self.found[step], self.worth(step)
			targets = self.targets_of(step)
			for number, target in enumerate(targets, 1):
				if number in found:
					rows.append(
						self.row(step, target, found[number], worth.get(_first_like(target, targets)))
					)
			if 0 in found and not targets:
				rows.append(self.row(step, None, found[0], worth.get(0)))
		return sorted(rows, key=_dearest_first)

	def row(self, step: str, target, counts: dict, worth: tuple[int, float] | None) -> dict:
		leads, reached = counts["leads"], counts["reached"]
		won, median = worth or (0, None)
		sells = counts["sold"] / reached if reached else None
		value = median * sells if median is not None and sells is not None else None
		missing = max(leads * flt(target.rate) / 100 - reached, 0) if target else None
		name = target.name if target else None
		links = self.links(step=step, target=name)
		return {
			"step": step_in_words(step),
			"of": self.scope_in_words(target),
			**{count: counts[count] for count in COUNTS},
			"reached_percent": percent(reached, leads),
			"target_percent": flt(target.rate) if target else None,
			"missing": missing,
			"reason": _left_in_words(counts["reason"]),
			"sale_percent": percent(counts["sold"], reached),
			"median_value": median,
			"won": won,
			"missing_value": missing * value if missing is not None and value is not None else None,
			"point_value": leads / 100 * value if value is not None else None,
			"currency": self.money.currency,
			"links": links,
		}

	def scope_in_words(self, target) -> str:
		if not target:
			return _("No target")
		return scope_in_words(target, self.names_company) or _("All leads")

	@cached_property
	def names_company(self) -> bool:
		return has_companies()

	# words and pictures

	def message(self, rows: list[dict]) -> str:
		if not rows:
			return f"{self.looks_back_in_words()} {_('No lead came in within this period.')}".strip()
		words = _(
			"Money Short is how many leads are missing to the target, times the share of those who get to the step that then order, times the median value of what was won of the same source or segment. It is empty where nothing was won."
		)
		if not self.targets:
			words = f"{_('There is no Funnel Target for this period: set one, so that leaks can be told from what is normal.')} {words}"
		return f"{self.looks_back_in_words()} {words}".strip()

	def not_as_of_then(self) -> str:
		return _("Targets and exchange rates are those of today.")

	def chart(self, rows: list[dict]) -> dict | None:
		dear = [row for row in rows if row["missing_value"]][:12]
		if not dear:
			return None
		labels = [_called(row) for row in dear]
		return bars(labels, {_("Money Short"): [round(row["missing_value"], 2) for row in dear]}, ["#d1242f"])

	def summary(self, rows: list[dict]) -> list[dict]:
		leak = next((row for row in rows if row["missing"]), None)
		if not leak:
			return []
		money = leak["missing_value"]
		return [
			on_top(_("Biggest Leak"), _called(leak), "Red"),
			on_top(
				_("Money Short There"),
				"–" if money is None else fmt_money(money, 0, self.money.currency),
				"Red" if money else "Grey",
			),
		]

	# the leads

	@property
	def step(self) -> str:
		return self.filters.step if self.filters.step in list(STEPS)[1:] else "prospect"

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			column("entered_at", _("Came In"), "Datetime", 165),
			column("reached_at", _("Reached the Step"), "Datetime", 165),
			column("exited_at", _("Left the Funnel"), "Datetime", 165),
			column("exit_stage", _("Left At"), width=120),
			column("exit_reason", _("Why"), width=220),
			column("amount", _("Value of the Order"), "Currency", 150, options="currency"),
		]

	def listing(self) -> Select:
		is_of_won = self.filters.count == "won"
		facts, values = self.facts(self.step, dated=not is_of_won)
		where = self.seen(self.entries(came_in=False)) if is_of_won else self.where()
		if self.filters.target:
			targets = self.targets_of(self.step)
			numbers = {target.name: place for place, target in enumerate(targets, 1)}
			if is_of_won:
				numbers = {target.name: _first_like(target, targets) for target in targets}
			of_target = f"fact.number = {numbers.get(self.filters.target, -1)}"
		else:
			of_target = "1 = 1" if not self.filters.count else "fact.number = 0"
		return Select(
			f"""
			select fact.*, l.title from ({facts}) fact left join `tabLead` l on l.name = fact.`lead`
			where {of_target} and {self.counted()} order by fact.entered_at desc, fact.`lead` desc
			""",
			where,
			{**self.values, **values},
		)

	def listed(self, found: list) -> list[dict]:
		return [
			{
				**row,
				"exit_stage": row["exit_stage"] and step_in_words(row["exit_stage"]),
				"exit_reason": row["exit_reason"] and _(row["exit_reason"]),
				"currency": self.money.currency,
			}
			for row in found
		]


def _called(row: dict) -> str:
	"""A leak in a few words: its step, and the source, segment or company unless it covers all leads."""
	return row["step"] if row["of"] == _("All leads") else f"{row['step']}: {row['of']}"


def _first_like(target, targets: list) -> int:
	"""The number of the first target of the same source, segment and company, on whatever days it holds."""
	scopes = [[one[field] or "" for field in SCOPE] for one in targets]
	return scopes.index([target[field] or "" for field in SCOPE]) + 1


def _bound(values: dict, value) -> str:
	name = f"target_{len(values)}"
	values[name] = value
	return f"%({name})s"


def _left_in_words(left: tuple[str, str] | None) -> str | None:
	return _("{0}, as {1}").format(_(left[1]), step_in_words(left[0])) if left else None


def _dearest_first(row: dict) -> tuple:
	return (row["missing"] is None, -(row["missing_value"] or 0), -(row["missing"] or 0))


execute = Leaks.execute
