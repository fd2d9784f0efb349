"""Leads of a known history, written past all rules: what the reports on the Lead Journey are held against.

They came in within 2021, so that no other lead is among them.
"""

import random
from datetime import datetime, timedelta

import frappe

from lead_quality.demo.factories import make_source, make_user
from tests.site.helpers import company

PERIOD = {"from_date": "2021-01-01", "to_date": "2021-12-31"}
NOW = datetime(2022, 3, 1, 12)
ABROAD = "Zweite of Journeys Ltd"
MANAGER, NORTH, REP = (f"{name}@journeys.example" for name in ("manager", "north", "rep"))
# as they came in; two of them are one source
SOURCES = (None, "Exhibition", "exhibition", "Website", "Never Recorded", "never recorded")
STEPS = ("prospect_at", "ready_at", "handed_over_at", "accepted_at", "opportunity_at", "quoted_at", "sale_at")


def make_readers():
	"""Who reads the reports: a manager, one who sees a territory only, and a rep who sees own or qualified leads."""
	for name in ("North", "South"):
		if not frappe.db.exists("Territory", name):
			frappe.get_doc({"doctype": "Territory", "territory_name": name}).insert()
	make_user(MANAGER, "Sales Manager")
	make_user(NORTH, "Sales Manager")
	make_user(REP, "Sales User")
	frappe.get_doc(
		{"doctype": "User Permission", "user": NORTH, "allow": "Territory", "for_value": "North"}
	).insert()
	frappe.get_doc("Lead Quality Settings").update({"hide_unqualified_leads": 1}).save()


# whether a reader sees a lead
SEES = {
	"Administrator": lambda lead: True,
	MANAGER: lambda lead: True,
	NORTH: lambda lead: lead.territory == "North",
	REP: lambda lead: lead.present_owner == REP or lead.stage in ("opportunity", "sale"),
}


def make_rates():
	"""A second company, in another currency, whose rate is not known before 10 March 2021. Returns rate by day."""
	there = frappe.get_cached_value("Company", company(), "default_currency")
	abroad = "EUR" if there != "EUR" else "USD"
	frappe.get_doc(
		{
			"doctype": "Company",
			"name": ABROAD,
			"company_name": ABROAD,
			"abbr": "ZOJ",
			"default_currency": abroad,
		}
	).db_insert()
	frappe.db.set_single_value("Accounts Settings", {"allow_stale": 1})
	frappe.db.delete("Currency Exchange", {"from_currency": abroad})
	rates = {"2021-03-10": 2.0, "2021-08-01": 4.0}
	for day, rate in rates.items():
		frappe.get_doc(
			{
				"doctype": "Currency Exchange",
				"from_currency": abroad,
				"to_currency": there,
				"date": day,
				"exchange_rate": rate,
				"for_buying": 1,
				"for_selling": 1,
			}
		).insert()

	def rate_on(day) -> float | None:
		known = [rate for since, rate in rates.items() if str(day)[:10] >= since]
		return known[-1] if known else None

	return abroad, rate_on


def write(number: int, seed: int, companies: tuple[str, ...] = ()) -> list[frappe._dict]:
	"""So many leads, and their journeys. Returns what was written of each."""
	for source in ("Exhibition", "Website"):
		make_source(source)
	chance = random.Random(seed)
	companies = companies or (company(),)
	leads = [_lead(chance, place, companies) for place in range(number)]
	_insert("Lead", leads, ("title", "territory", "company", "lead_owner", "email_id", "phone", "lq_next_touch_at", "lq_stage", "owner", "creation", "modified"))  # fmt: skip
	_insert(
		"Lead Journey",
		leads,
		(
			*("lead", "stage", "entered_at", *STEPS, "declined_at", "decided_at", "last_touch_at"),
			*("source", "campaign", "segment", "owner_at_entry", "present_owner", "company", "company_value"),
			*("is_non_buyer", "is_bad_data", "creation", "modified"),
		),
	)
	return leads


def _lead(chance: random.Random, place: int, companies: tuple[str, ...]) -> frappe._dict:
	entered_at = datetime(2021, 1, 1) + timedelta(seconds=chance.randrange(365 * 86_400))
	# many at the same instant, and steps in any order
	later = {
		step: entered_at + timedelta(hours=chance.choice((0, 1, 30, 31, chance.randrange(2_000))))
		for step in (*STEPS, "declined_at", "decided_at", "last_touch_at", "lq_next_touch_at")
		if chance.random() < 0.45
	}
	lead = frappe._dict(
		dict.fromkeys((*STEPS, "declined_at", "decided_at", "last_touch_at", "lq_next_touch_at"))
	)
	lead.update(later)
	if not lead.handed_over_at:
		lead.update(accepted_at=None, declined_at=None)
	lead.update(
		name=f"RANDOM-{place:04}",
		lead=f"RANDOM-{place:04}",
		title=f"Random {place}",
		entered_at=entered_at,
		creation=entered_at,
		modified=entered_at,
		owner="Administrator",
		stage="sale" if lead.sale_at else "opportunity" if lead.opportunity_at else "target",
		source=chance.choice(SOURCES),
		campaign=chance.choice((None, "Spring", "Autumn")),
		segment=chance.choice((None, "Inbound", "Referrals")),
		present_owner=chance.choice((None, REP, MANAGER)),
		owner_at_entry=chance.choice((None, REP, MANAGER)),
		company=chance.choice(companies),
		territory=chance.choice(("North", "South")),
		company_value=chance.choice((0, 100, 250.5, 4_000)),
		is_non_buyer=int(chance.random() < 0.2),
		is_bad_data=int(chance.random() < 0.1),
		email_id=chance.choice(("somebody@lead.example", None)),
		phone=chance.choice(("+41 44 000 00 00", None)),
	)
	lead.lead_owner, lead.lq_stage = lead.present_owner, lead.stage
	return lead


def write_calls(leads: list, seed: int) -> dict[str, list]:
	"""Calls and other touches of these leads, before, at and after their quotation. Returns those by lead."""
	chance = random.Random(seed)
	touches, of = [], {}
	for lead in leads:
		of[lead.name] = []
		for number in range(chance.randrange(4)):
			at = (lead.quoted_at or lead.entered_at) + timedelta(hours=chance.choice((-3, 0, 0, 5, 50)))
			touch = frappe._dict(
				name=f"{lead.name}-{number}",
				lead=lead.name,
				channel=chance.choice(("Phone", "Phone", "Phone", "Email")),
				direction=chance.choice(("Outbound", "Outbound", "Inbound")),
				status=chance.choice(("Done", "Done", "Planned")),
				is_automatic=int(chance.random() < 0.2),
				done_at=at,
				creation=at,
				modified=at,
			)
			touches.append(touch)
			of[lead.name].append(touch)
	_insert("Lead Touch", touches, ("lead", "channel", "direction", "status", "is_automatic", "done_at", "creation", "modified"))  # fmt: skip
	return of


def nearest_rank(values: list, percentile: int):
	"""The smallest of the values that at least so many percent of them do not exceed; None without values."""
	ordered = sorted(values)
	for place, value in enumerate(ordered, 1):
		if place * 100 >= percentile * len(ordered):
			return value
	return None


def _insert(doctype: str, rows: list, columns: tuple[str, ...]):
	fields = ("name", *columns)
	values = [tuple(row[field] for field in fields) for row in rows]
	frappe.db.bulk_insert(doctype, list(fields), values)


def same(value) -> str | None:
	"""What the database takes for one value."""
	return value.lower() if value else None
