"""Stage Conversion: each figure is that of a count by hand, and equals the rows behind it, for whoever reads it.

The leads are made up, with whatever instants; that their journeys tell the truth is for `test_journey` to show.
"""

import random
from datetime import timedelta
from statistics import median
from urllib.parse import parse_qsl, urlsplit

import frappe
import pytest
from frappe.utils import get_datetime

from lead_quality.demo.factories import make_source, make_user
from lead_quality.engine.conversion import Spell, incidence
from lead_quality.lead_quality.report.journeys import COHORTS, FACETS, FILTERS, STEPS
from lead_quality.lead_quality.report.stage_conversion.stage_conversion import StageConversion
from tests.site.helpers import company

NOW = get_datetime("2025-07-01 12:00:00")
PERIOD = {"from_date": "2025-02-15", "to_date": "2025-06-30"}
COLUMN = {step: column.removeprefix("j.") for step, column in STEPS.items()}
READER = "south@conversion.example"


@pytest.fixture(autouse=True)
def clock(freeze):
	with freeze(NOW):
		yield


@pytest.fixture
def crowd() -> list[dict]:
	"""240 leads of every fate. Each is a row of Lead Journey, and stands in the territory of its present one."""
	make_source("Google")
	make_user(READER, "Sales Manager")
	make_user("anna@conversion.example", "Sales User")
	for name in ("North", "South"):
		if not frappe.db.exists("Territory", name):
			frappe.get_doc({"doctype": "Territory", "territory_name": name}).insert()
	frappe.get_doc(
		{"doctype": "User Permission", "user": READER, "allow": "Territory", "for_value": "South"}
	).insert()
	segments = frappe.get_all("Lead Segment", pluck="name", order_by="name asc", limit=2)
	chance = random.Random(12)
	leads = [a_lead(chance, number, segments) for number in range(240)]
	for lead in leads:
		values = {"name": lead["lead"], "title": lead["lead"], "territory": lead["present_territory"]}
		insert("Lead", values)
		insert("Lead Journey", {"name": lead["lead"], **lead})
	return leads


def a_lead(chance, number: int, segments: list[str]) -> dict:
	entered = NOW - timedelta(seconds=chance.randrange(160 * 86_400))
	later = [entered + timedelta(days=chance.choice((0, 1, 5, 30, 30.00001, 45.5, 90, -2))) for _ in range(7)]
	instants = {
		COLUMN[step]: at if at <= NOW and chance.random() < odds else None
		for (step, odds), at in zip(
			(("prospect", 0.6), ("sales ready", 0.4), ("accepted", 0.3), ("opportunity", 0.4), ("quoted", 0.2), ("sale", 0.2)),
			later, strict=False,
		)
	}  # fmt: skip
	facets = {
		"source": ("Google", "google", "Fair", None),
		"segment": (*segments, None),
		"campaign": ("Spring", None),
		"territory": ("North", "South"),
		"owner": ("anna@conversion.example", "Administrator", None),
	}
	values = {}
	for facet, choices in facets.items():
		values["owner_at_entry" if facet == "owner" else facet] = chance.choice(choices)
		values[f"present_{facet}"] = chance.choice(choices)
	return {
		"lead": f"CONV-{number:03}",
		"stage": "target",
		"entered_at": entered,
		**instants,
		"exited_at": later[6] if later[6] <= NOW and chance.random() < 0.4 else None,
		**values,
		"company": chance.choice((company(), None)),
		"is_non_buyer": int(chance.random() < 0.1),
		"is_derived": int(chance.random() < 0.1),
	}


def insert(doctype: str, values: dict):
	names = ", ".join(f"`{name}`" for name in values)
	frappe.db.sql(
		f"insert into `tab{doctype}` ({names}) values ({', '.join(['%s'] * len(values))})",
		list(values.values()),
	)


# the count by hand


class ByHand:
	"""What the report should say of some leads."""

	def __init__(self, leads: list[dict], filters: dict, reader: str):
		self.steps = (
			list(STEPS) if filters.get("all_steps") else ["target", "prospect", "opportunity", "sale"]
		)
		self.within = filters.get("within_days", 0)
		self.everybody = [
			lead
			for lead in leads
			if not lead["is_non_buyer"]
			and (reader == "Administrator" or lead["present_territory"] == "South")
			and all(
				same(facet_of(lead, facet, filters), filters.get(name)) for facet, name in FILTERS.items()
			)
		]
		self.leads = [lead for lead in self.everybody if in_days(lead["entered_at"])]

	def entered(self, lead: dict, step: str) -> bool:
		at = lead[COLUMN[step]]
		return bool(at) and (not self.within or at <= lead["entered_at"] + timedelta(days=self.within))

	def furthest(self, lead: dict) -> int:
		return max(place for place, step in enumerate(self.steps) if self.entered(lead, step))

	def has_stopped(self, lead: dict) -> bool:
		is_late = self.within and lead["entered_at"] + timedelta(days=self.within) < NOW
		return bool(lead["exited_at"] or is_late)

	def counts(self, place: int, leads: list[dict] | None = None) -> dict[str, list[dict]]:
		step, leads = self.steps[place], self.leads if leads is None else leads
		here = [lead for lead in leads if self.furthest(lead) == place]
		reached = [lead for lead in leads if self.furthest(lead) >= place]
		return {
			"reached": reached,
			"lost": [lead for lead in here if self.has_stopped(lead)],
			"open": [lead for lead in here if not self.has_stopped(lead)],
			"skipped": [lead for lead in reached if not self.entered(lead, step)],
			"in_period": [lead for lead in self.everybody if in_days(lead[COLUMN[step]])],
		}

	def median_days(self, place: int) -> float | None:
		step = self.steps[place]
		days = [
			max((lead[COLUMN[step]] - lead["entered_at"]).total_seconds() / 86_400, 0)
			for lead in self.leads
			if self.entered(lead, step)
		]
		return median(days) if days else None

	def expected(self, place: int, leads: list[dict] | None = None) -> float | None:
		"""Of the spells of single leads, looked at by whole days."""
		spells = []
		for lead in self.leads if leads is None else leads:
			age = (NOW - lead["entered_at"]) // timedelta(days=1)
			came = [lead[COLUMN[step]] for step in self.steps[place:] if lead[COLUMN[step]]]
			reached, exited = (
				day_of(lead, min(came, default=None)),
				day_of(lead, lead["exited_at"]),
			)
			if reached is not None and reached <= age:
				spells.append(Spell(reached, "reached"))
			elif exited is not None and exited <= age:
				spells.append(Spell(exited, "exited"))
			else:
				spells.append(Spell(age, "open"))
		share = incidence(spells).by(self.within or None)
		return None if share is None else share * 100


def day_of(lead: dict, at) -> int | None:
	return None if at is None else max(-((lead["entered_at"] - at) // timedelta(days=1)), 0)


def in_days(at) -> bool:
	return bool(at) and get_datetime(PERIOD["from_date"]) <= at < get_datetime("2025-07-01")


def facet_of(lead: dict, facet: str, filters: dict):
	return lead.get(FACETS[facet][filters.get("as_at") == "Today"].removeprefix("j."))


def same(value, wanted) -> bool:
	return not wanted or (value or "").casefold() == wanted.casefold()


def report(reader: str, **filters) -> StageConversion:
	frappe.set_user(reader)
	return StageConversion({**PERIOD, **filters})


def behind(row: dict, count: str, reader: str) -> list[str]:
	"""The leads that a click on a count opens."""
	filters = dict(parse_qsl(urlsplit(row["links"][count]).query))
	assert "Leads" == filters["show"]
	return [found["lead"] for found in report(reader, **filters).page()[0]]


def names(leads: list[dict]) -> list[str]:
	return sorted(lead["lead"] for lead in leads)


def near(value: float | None):
	return None if value is None else pytest.approx(value, abs=1e-6)


CASES = [
	{},
	{"within_days": 30},
	{"all_steps": 1},
	{"all_steps": 1, "within_days": 30, "as_at": "Today"},
	{"source": "google"},
	{"source": "Google", "as_at": "Today", "within_days": 45},
	{"territory": "South", "owner": "anna@conversion.example"},
	{"within_days": 5_000},
]
# also the rows behind each figure are looked at
WITH_ROWS = [CASES[0], CASES[3]]


@pytest.mark.parametrize("reader", ["Administrator", READER])
def test_each_figure_of_a_step_is_that_of_a_count_by_hand_and_of_the_rows_behind_it(crowd, reader):
	for filters in CASES:
		by_hand = ByHand(crowd, filters, reader)
		rows = [row for row in report(reader, **filters).rows() if row["stage"] != "No Lead"]
		assert len(rows) == len(by_hand.steps)
		for place, row in enumerate(rows):
			where = (filters, row["stage"])
			expected = by_hand.counts(place)
			for count, leads in expected.items():
				if place == len(rows) - 1 and count in {"lost", "open"}:
					assert row[count] is None, where
					continue
				assert row[count] == len(leads), (*where, count)
				if leads and filters in WITH_ROWS:
					assert sorted(behind(row, count, reader)) == names(leads), (*where, count)
			before = by_hand.counts(place - 1)["reached"] if place else None
			of_all, reached = by_hand.counts(0)["reached"], expected["reached"]
			assert row["from_first"] == near(len(reached) / len(of_all) * 100), where
			if place:
				assert row["from_previous"] == near(len(reached) / len(before) * 100 if before else None), (
					where
				)
				assert row["expected"] == near(by_hand.expected(place)), where
				assert row["median_days"] == near(by_hand.median_days(place)), where


@pytest.mark.parametrize("reader", ["Administrator", READER])
@pytest.mark.parametrize("as_at", ["At Entry", "Today"])
def test_each_figure_of_a_group_is_that_of_a_count_by_hand_and_of_the_rows_behind_it(crowd, reader, as_at):
	for group_by in (*FACETS, *COHORTS):
		filters = {"group_by": group_by, "within_days": 30, "as_at": as_at}
		by_hand = ByHand(crowd, filters, reader)
		rows = report(reader, **filters).rows()
		groups: dict[str, list[dict]] = {}
		for lead in by_hand.leads:
			groups.setdefault(group_of(lead, group_by, filters), []).append(lead)
		found = {key_of(row["links"]["leads"]): row for row in rows}
		assert len(found) == len(rows) and set(found) == set(groups), (group_by, found, groups)
		for group, leads in groups.items():
			row, where = found[group], (group_by, group)
			counts = [by_hand.counts(place, leads) for place in range(4)]
			expected = {
				"leads": leads,
				"lost": [lead for count in counts[:-1] for lead in count["lost"]],
				"open": [lead for count in counts[:-1] for lead in count["open"]],
				**{step: counts[place]["reached"] for place, step in enumerate(by_hand.steps) if place},
			}
			for count, some in expected.items():
				assert row[count] == len(some), (*where, count)
				if group_by in {"Source", "Owner", "Quarter"}:
					assert sorted(behind(row, count, reader)) == names(some), (*where, count)
			assert row["expected"] == near(by_hand.expected(3, leads)), where


def group_of(lead: dict, group_by: str, filters: dict) -> str:
	at = lead["entered_at"]
	if group_by in COHORTS:
		year, week, _day = at.isocalendar()
		quarter = f"{at.year}-Q{(at.month + 2) // 3}"
		return {"Month": f"{at:%Y-%m}", "Week": f"{year}-W{week:02}", "Quarter": quarter}[group_by].casefold()
	return (facet_of(lead, group_by, filters) or "").casefold()


def key_of(link: str) -> str:
	return dict(parse_qsl(urlsplit(link).query)).get("group", "").casefold()


def test_the_cohort_of_leads_that_are_too_young_says_so(crowd):
	filters = {"from_date": "2025-06-20", "to_date": "2025-06-30", "within_days": 30}
	shown = report("Administrator", **filters)
	rows = shown.rows()
	assert [row["expected"] for row in rows] == [None] * 4
	assert "too young to say how many come within 30 days to: Prospect, Opportunity, Sale" in shown.message(
		rows
	)
	rows = report("Administrator", **filters, group_by="Quarter").rows()
	assert "Too young" in rows[0]["note"]


def test_the_curve_ends_at_what_is_expected_and_is_not_drawn_beyond_what_was_seen(crowd):
	shown = report("Administrator", chart="Days", within_days=30)
	rows = shown.rows()
	data = shown.chart(rows)["data"]
	assert data["labels"][-1] == "30"
	for row, drawn in zip(rows[1:], data["datasets"], strict=True):
		assert drawn["values"][-1] == round(row["expected"], 1)
		assert drawn["values"] == sorted(drawn["values"])


def test_nothing_is_divided_by_nobody(crowd):
	for filters in ({}, {"within_days": 7, "all_steps": 1}, {"group_by": "Source"}, {"chart": "Days"}):
		shown = report("Administrator", **filters, source="Nobody")
		rows = shown.rows()
		assert shown.summary(rows) == []
		shown.chart(rows)
		assert "No lead came in" in shown.message(rows)


def test_the_number_of_queries_does_not_depend_on_the_number_of_leads(crowd, count_queries):
	def queries(**filters) -> int:
		with count_queries() as found:
			StageConversion({**PERIOD, **filters}).shown()
		return found.count

	for filters in ({}, {"group_by": "Source"}):
		queries(**filters)
		many = queries(**filters)
		assert many == queries(**filters, from_date="2025-06-25") <= 12


# what no lead stands behind


def test_orders_that_no_lead_stands_behind_are_a_row_with_the_orders_behind_it(make_user):
	customer = frappe.get_doc(
		{"doctype": "Customer", "customer_name": "Known for long", "customer_type": "Company"}
	).insert()
	values = {"customer": customer.name, "company": company(), "creation": NOW, "customer_name": "Known"}
	insert("Sales Order", {"name": "SO-NONE", "docstatus": 1, **values})
	insert("Sales Order", {"name": "SO-DRAFT", "docstatus": 0, **values})
	period = {"from_date": "2025-07-01", "to_date": "2025-07-01"}
	row = StageConversion(period).rows()[-1]
	assert (row["stage"], row["reached"]) == ("No Lead, Sales", 1)
	filters = dict(parse_qsl(urlsplit(row["links"]["reached"]).query))
	assert [found["sales_order"] for found in StageConversion(filters).page()[0]] == ["SO-NONE"]
	row = StageConversion({**period, "group_by": "Source"}).rows()[-1]
	assert (row["group"], row["sale"]) == ("No Lead", 1)
	# whoever may not list orders counts none
	frappe.set_user(make_user("qualifier@conversion.example", "Lead Qualifier"))
	assert all(row["stage"] != "No Lead, Sales" for row in StageConversion(period).rows())
