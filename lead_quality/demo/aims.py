"""What the company of the demo spends on its sources, which share of leads is to reach each step, and how many new customers
each rep is to win."""

from collections.abc import Iterator
from datetime import date, timedelta

import frappe

# source: what is spent on it a month, in the company's currency. Advertisements bring the cheapest leads that are paid for,
# and the dearest customers.
MONTHLY = {
	"Website": 1_900,
	"Advertisement": 950,
	"Cold Calling": 700,
	"Campaign": 800,
	"Mass Mailing": 240,
	"Reference": 300,
}
# the day of the story on which a fair begins, and what its stand costs
FAIRS = ((33, 6_800), (117, 7_400))
FAIR_DAYS = 4

# step, its rate in percent, within how many days, of which source
TARGETS = (
	("Prospect", 60, 30, None),
	("Sales Ready", 40, 45, None),
	("Accepted", 35, 45, None),
	("Accepted", 30, 45, "Advertisement"),
	("Opportunity", 25, 60, None),
	("Quoted", 18, 75, None),
	("Sale", 10, 90, None),
)
# what marketing owns; the other steps are those of sales
OF_MARKETING = ("Prospect", "Sales Ready")


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
	"""The first and last day of each month from that of one day to that of another, the first one from that day on."""
	while first <= last:
		following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
		yield first, following - timedelta(days=1)
		first = following


def quarters(first: date, last: date) -> Iterator[tuple[date, date]]:
	"""The first and last day of each quarter from that of one day to that of another."""
	first = date(first.year, (first.month - 1) // 3 * 3 + 1, 1)
	while first <= last:
		*_two, (_begins, ends) = months(first, first + timedelta(days=70))
		yield first, ends
		first = ends + timedelta(days=1)


def spend(source: str, first: date, last: date, amount: float):
	"""Enter what was spent on a source, as the session's user."""
	frappe.get_doc(
		{
			"doctype": "Marketing Spend",
			"source": source,
			"company": frappe.defaults.get_global_default("company"),
			"from_date": first,
			"to_date": last,
			"amount": amount,
		}
	).insert()


def spend_in_month(first: date, last: date):
	"""What is spent in a month; of a month that has begun before, as much as its days cost that are left."""
	whole = date(last.year, last.month, 1)
	share = ((last - first).days + 1) / ((last - whole).days + 1)
	for source, amount in MONTHLY.items():
		spend(source, first, last, round(amount * share, 2))


def set_targets(marketing: str, sales: str):
	"""The target of each step, with its owner."""
	for step, rate, within_days, source in TARGETS:
		frappe.get_doc(
			{
				"doctype": "Funnel Target",
				"step": step,
				"rate": rate,
				"within_days": within_days,
				"source": source,
				"owner_user": marketing if step in OF_MARKETING else sales,
			}
		).insert()


def set_goal(user: str, first: date, last: date, new_customers: int):
	frappe.get_doc(
		{
			"doctype": "New Customer Goal",
			"user": user,
			"from_date": first,
			"to_date": last,
			"new_customers": new_customers,
		}
	).insert()
