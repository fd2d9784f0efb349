"""New customers that each rep has won from leads, against New Customer Goal; the list behind it names each of them, for
whoever pays by it."""

from functools import cached_property

from frappe import _
from frappe.utils import add_days, cint, flt, getdate

from lead_quality.base.queries import Select, Where
from lead_quality.base.report import (
	bars,
	column,
	count_column,
	full_names,
	on_top,
	percent,
	percent_column,
	share_in_words,
	user_column,
)
from lead_quality.funnel.conditions import STANDS
from lead_quality.funnel.credit import ORDER_WITHOUT_LEAD
from lead_quality.lead_quality.report.journeys import JourneyReport, Money
from lead_quality.people.holding import owner_sql
from lead_quality.permissions import bindable, list_condition, sees_all_goals

# the order by which a lead became a sale
ORDER = f"""(
	select log.reference_name from `tabLead Stage Log` log
	where log.lead = j.name and log.stage = 'sale' and log.entered_at = j.sale_at and {STANDS}
	order by log.creation, log.name limit 1
)"""
# who has owned a lead last: of one that was deleted since, what is left of it says so
OWNER = "coalesce(j.present_owner, r.lead_owner)"
WITHOUT_LEAD = "without_lead"


def _is_first(order: str) -> str:
	"""SQL: whether an order is the first one of its customer: who has ordered before is no new customer."""
	return f"""not exists (
		select 1 from `tabSales Order` older
		where older.customer = {order}.customer and older.docstatus = 1 and older.name != {order}.name
			and (older.transaction_date < {order}.transaction_date
				or (older.transaction_date = {order}.transaction_date and older.creation < {order}.creation))
	)"""


class Goals(JourneyReport):
	"""One row per goal of which a day is within the period, and one per rep who has won customers in it without one.

	:param filters: `from_date`, `to_date`, `company`, `user`; `show`, and of the list `goal` or `without_goal`.
	"""

	name = "Goals"
	months = 3
	list_name = "Customers"
	counts = {"won": "1 = 1"}
	kept = ("from_date", "to_date", "company")

	def set_filters(self):
		super().set_filters()
		self.filters.include_non_buyers = 1

	@cached_property
	def money(self) -> Money:
		return Money(self.filters.company)

	@cached_property
	def period(self) -> tuple:
		"""The first and last day, either of which may be open."""
		return tuple(day and getdate(day) for day in (self.filters.from_date, self.filters.to_date))

	@cached_property
	def goals(self) -> list:
		where = Where(self.user)
		where.visible("New Customer Goal")
		where.equal("`tabNew Customer Goal`.user", self.filters.user)
		first, last = self.period
		if first:
			where.add("`tabNew Customer Goal`.to_date >= %(first)s", first=first)
		if last:
			where.add("`tabNew Customer Goal`.from_date <= %(last)s", last=last)
		return where.select(
			"""
			select name, user, from_date, to_date, new_customers from `tabNew Customer Goal`
			where {where} order by from_date desc, user, name
			"""
		)

	def customers(self) -> Where:
		"""The leads that may count: sales of the period and of the goals' own periods."""
		first, last = self.period
		where = self.entries(came_in=False)
		if first:
			first = min([first, *(goal.from_date for goal in self.goals)])
		if last:
			last = max([last, *(goal.to_date for goal in self.goals)])
		where.within("j.sale_at", first, last)
		return self.seen(where)

	@cached_property
	def values(self) -> dict:
		first, last = self.period
		return {
			**self.money.values,
			"goals": [goal.name for goal in self.goals],
			"period_first": first or "1000-01-01",
			"period_after": add_days(last, 1) if last else "9999-12-31",
			"rep": self.filters.user or None if sees_all_goals(self.user) else self.user,
			"reader": self.user,
		}

	def facts(self) -> str:
		"""SQL: one row a new customer, with the goal that it counts for, if there is one. Who may not list an order sees
		that there is one."""
		condition = list_condition("Sales Order", self.user)
		is_shown = (
			f"so.name in (select `tabSales Order`.name from `tabSales Order` where {bindable(condition)})"
			if condition
			else "1 = 1"
		)
		return f"""
			select fact.*, goal.name as goal from (
				select j.name as `lead`, l.title, j.source, j.sale_at, j.company_value, {self.money.amount} as value,
					ifnull(own.default_currency, %(money_currency)s) as currency,
					nullif({owner_sql("j.name", "j.sale_at", OWNER)}, '') as rep,
					if({is_shown}, so.customer, null) as customer,
					if({is_shown}, so.customer_name, null) as customer_name,
					if({is_shown}, so.name, null) as sales_order,
					if({is_shown}, so.transaction_date, null) as ordered_on
				from `tabLead Journey` j
				join `tabSales Order` so on so.name = {ORDER} and so.docstatus = 1
				left join `tabLead` l on l.name = j.name
				left join `tabLead Remnant` r on r.name = j.name
				{self.money.join}
				where {{where}} and j.sale_at is not null and {_is_first("so")}
			) fact
			left join `tabNew Customer Goal` goal on goal.name in %(goals)s and goal.user = fact.rep
				and fact.sale_at >= goal.from_date and fact.sale_at < date_add(goal.to_date, interval 1 day)
			where (goal.name is not null or (fact.sale_at >= %(period_first)s and fact.sale_at < %(period_after)s))
				and (%(rep)s is null or fact.rep = %(rep)s)
		"""

	# what has no lead

	def orders_without_lead(self) -> Where:
		"""The first orders of customers, made within the period, that no lead stands behind."""
		where = self.of_no_lead("Sales Order")
		where.add(ORDER_WITHOUT_LEAD)
		where.add(_is_first("`tabSales Order`"))
		return where

	def without_lead(self) -> list[dict]:
		"""The row of the new customers that came from no lead: part of no goal and no sum. Who sees the own row only, or asks
		for that of a rep, sees none."""
		if self.values["rep"]:
			return []
		won = self.orders_without_lead().count("Sales Order")
		if not won:
			return []
		nothing = dict.fromkeys((*(one["fieldname"] for one in self.columns()), "user", "currency"))
		links = {"won": self.links([WITHOUT_LEAD])[WITHOUT_LEAD]}
		label = _("No Lead")
		return [{**nothing, "rep": label, "group": label, "won": won, "links": links, "is_without_lead": 1}]

	def columns(self) -> list[dict]:
		return [
			column("rep", _("Rep"), width=200),
			column("from_date", _("From"), "Date", 110),
			column("to_date", _("Until"), "Date", 110),
			count_column("goal", _("Goal"), 90),
			count_column("won", _("New Customers"), 135),
			percent_column("reached_percent", _("Reached"), 110),
			count_column("missing", _("To Go"), 90),
			percent_column("gone_percent", _("Time Gone"), 115),
			column("value", _("Value"), "Currency", 130, options="currency", precision=0),
		]

	def rows(self) -> list[dict]:
		"""One row per goal, the newest period first; then the reps who have won without a goal.

		`won` counts the whole period of a goal, and without one that of the report. `value` is in `currency`; None if the
		rate of an order is missing.
		"""
		found = {
			(row.goal, row.rep): row
			for row in Select(
				f"""
				select fact.goal, fact.rep, count(*) as won, sum(fact.value) as value, sum(fact.value is null) as unvalued
				from ({self.facts()}) fact group by fact.goal, fact.rep
				""",
				self.customers(),
				self.values,
			).rows()
		}
		names = full_names({goal.user for goal in self.goals} | {rep for _goal, rep in found})
		rows = [self.row(found.get((goal.name, goal.user)), names[goal.user], goal) for goal in self.goals]
		alone = [(names.get(rep) or _("No Owner"), row) for (goal, rep), row in found.items() if not goal]
		rows += [self.row(row, name) for name, row in sorted(alone, key=lambda one: one[0])]
		return rows + self.without_lead()

	def row(self, found, name: str, goal=None) -> dict:
		won = cint(found.won) if found else 0
		rep = goal.user if goal else found.rep
		target = goal.new_customers if goal else None
		return {
			"rep": name,
			"group": name,
			"user": rep,
			"from_date": goal and goal.from_date,
			"to_date": goal and goal.to_date,
			"goal": target,
			"won": won,
			"reached_percent": percent(won, target or 0),
			"missing": None if target is None else max(target - won, 0),
			"gone_percent": self.gone(goal) if goal else None,
			"value": None if found and cint(found.unvalued) else flt(found.value) if found else 0.0,
			"currency": self.money.currency,
			"links": self.links(
				goal=goal and goal.name,
				without_goal=None if goal else 1,
				user=rep,
				without_user=None if rep else 1,
			),
		}

	def gone(self, goal) -> float | None:
		"""How much of the period of a goal has gone by, today with it, in percent."""
		days = (min(self.now.date(), goal.to_date) - goal.from_date).days + 1
		return percent(max(days, 0), (goal.to_date - goal.from_date).days + 1)

	def message(self, rows: list[dict]) -> str:
		return _(
			"A new customer is one whose first order ever came from a lead. It counts for who owned the lead when it was "
			"ordered."
		)

	def chart(self, rows: list[dict]) -> dict | None:
		rows = [row for row in rows if row["goal"]][:20]
		if not rows:
			return None
		return bars(
			[row["rep"] for row in rows],
			{_("Goal"): [row["goal"] for row in rows], _("New Customers"): [row["won"] for row in rows]},
			["#8c959f", "#1a7f37"],
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		of_leads = [row for row in rows if not row.get("is_without_lead")]
		with_goal = [row for row in of_leads if row["goal"]]
		goal, won = (sum(row[name] for row in with_goal) for name in ("goal", "won"))
		return [
			on_top(_("New Customers"), sum(row["won"] for row in of_leads), "Green", "Int"),
			on_top(_("Of the Goals"), share_in_words(percent(won, goal)), "Blue"),
		]

	# the customers

	def list_columns(self) -> list[dict]:
		return [
			user_column("rep", _("Rep")),
			column("customer", _("Customer"), "Link", 180, options="Customer"),
			column("customer_name", _("Customer Name"), width=180),
			column("lead", _("Lead"), "Link", 180, options="Lead"),
			column("title", _("Title"), width=180),
			column("sales_order", _("Sales Order"), "Link", 170, options="Sales Order"),
			column("ordered_on", _("Ordered On"), "Date", 120),
			column("sale_at", _("Won"), "Datetime", 165),
			column("value", _("Value"), "Currency", 130, options="currency"),
			column("source", _("Source"), width=150),
			column("goal", _("Goal"), "Link", 150, options="New Customer Goal"),
		]

	def listing(self) -> Select:
		"""The new customers of a goal, of a rep, or all that are counted, the first won first; or those of no lead."""
		if self.filters.count == WITHOUT_LEAD:
			return Select(
				"""
				select `tabSales Order`.customer, `tabSales Order`.customer_name, `tabSales Order`.name as sales_order,
					`tabSales Order`.transaction_date as ordered_on, `tabSales Order`.base_grand_total as value,
					own.default_currency as currency
				from `tabSales Order` left join `tabCompany` own on own.name = `tabSales Order`.company where {where}
				order by `tabSales Order`.creation, `tabSales Order`.name
				""",
				self.orders_without_lead(),
			)
		conditions = ["1 = 1"]
		if self.filters.goal:
			conditions.append("fact.goal = %(of_goal)s")
		if cint(self.filters.without_goal):
			conditions.append("fact.goal is null")
		if cint(self.filters.without_user):
			conditions.append("fact.rep is null")
		return Select(
			f"""
			select fact.`lead`, fact.title, fact.source, fact.sale_at, fact.rep, fact.customer, fact.customer_name,
				fact.sales_order, fact.ordered_on, fact.goal, fact.company_value as value, fact.currency
			from ({self.facts()}) fact where {" and ".join(conditions)} order by fact.sale_at, fact.`lead`
			""",
			self.customers(),
			{**self.values, "of_goal": self.filters.goal},
		)


execute = Goals.execute
