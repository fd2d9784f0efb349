"""What the app costs a Lead, and what its two indexes give back, on a site with 100,000 leads.

`./dev bench` runs it twice on a site of its own: before the app is installed, which is kept as `stock`, and after.
To run it again on that site, in the bench's folder `sites`:

    LEAD_QUALITY_SITE=lead-quality-bench.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_lead_save.py

A lead is inserted, saved as it is, with another job title, and with another owner: each in a request of its own, with
empty request caches, by Administrator, commit included. Medians of wall-clock time on this machine; nothing is enforced.

- `app / stock` compares two runs, minutes apart.
- `own share` is measured in one run: with the app installed, leads are saved alternately with its document events
  and without, and the median of the differences is taken, so that what else the machine does cancels out.
- ERPNext's own Service Level Agreement on Lead is measured likewise, for comparison, with the app's events off.
- `of that` is what is spent on the Lead Journey and on the priority, that by a model of made-up past leads. `PARTS=1`
  measures these alone, on any site with the app.

Left out is `has_gravatar`, which asks gravatar.com at each insert, and at each save of a lead that has no image,
while the user waits: it costs what the network costs, with and without the app.
"""

import json
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import frappe
from on_site import (
	APP,
	LEADS,
	Cost,
	app_is_installed,
	ask_no_gravatar,
	cost_of,
	describe,
	fill,
	fill_reps,
	median,
	request,
	switch_off,
	values_of_new_lead,
)

PAIRS = 100
WARM_UP = 5
AGREEMENT = "erpnext.support.doctype.service_level_agreement."
# step to what is changed before it
STEPS = {
	"insert": {},
	"save, nothing changed": {},
	"save, job title changed": {"job_title": "Head of Purchasing"},
	"save, owner changed": {"lead_owner": "rep1@bench.example"},
}
LOOK_UPS = {"has_opportunity": "Opportunity.party_name", "has_customer": "Customer.lead_name"}

Costs = dict[str, Cost]


def new_lead():
	return frappe.get_doc(doctype="Lead", **values_of_new_lead())


def live(off: tuple[str, ...]) -> Costs:
	"""One lead is inserted and saved, with the document events of some modules off."""
	costs, name = {}, None
	for step, changes in STEPS.items():
		with request():
			switch_off(*off)
			doc = frappe.get_doc("Lead", name) if name else new_lead()
			doc.update(changes)
			act = doc.save if name else doc.insert
			costs[step] = cost_of(lambda act=act: (act(), frappe.db.commit()))
			name = doc.name
	return costs


def compare(off: tuple[str, ...], on: tuple[str, ...]) -> tuple[Costs, Costs, Costs]:
	"""Costs with more events off and with fewer off, taken alternately, and the difference within each pair."""
	taken: list[dict[str, list[Cost]]] = [defaultdict(list), defaultdict(list), defaultdict(list)]
	for number in range(-WARM_UP, PAIRS):
		pair = {which: live(on if which else off) for which in (number % 2, (number + 1) % 2)}
		for step in STEPS if number >= 0 else ():
			for costs, cost in zip(
				taken, (pair[0][step], pair[1][step], pair[1][step] - pair[0][step]), strict=True
			):
				costs[step].append(cost)
	without, with_them, more = ({step: median(values) for step, values in costs.items()} for costs in taken)
	return without, with_them, more


@contextmanager
def spent_in(module: str, *functions: str) -> Iterator[list[Cost]]:
	"""What is spent within some functions of a module of the app meanwhile, call by call."""
	found = frappe.get_module(module)
	spent: list[Cost] = []

	def count(function):
		def counting(*args, **kwargs):
			answers = []
			spent.append(cost_of(lambda: answers.append(function(*args, **kwargs))))
			return answers[0]

		return counting

	with patch.multiple(found, **{name: count(getattr(found, name)) for name in functions}):
		yield spent


@contextmanager
def model_of_past_leads() -> Iterator[None]:
	"""A model of made-up leads is in use for each company, as learned in the night: a few hundred lines."""
	from frappe.utils import now_datetime

	from lead_quality.base.rows import insert_rows
	from lead_quality.engine.learning import Example, train
	from lead_quality.engine.priority import SAID
	from lead_quality.qualification import definitions

	chance = random.Random(1)
	names = (
		"source",
		"campaign",
		"territory",
		"segment",
		"stage",
		"touched",
		"mail",
		"has_phone",
		*SAID,
	)
	examples = []
	for at in range(3_000):
		facts = {name: f"{name} {chance.randrange(20)}" for name in names}
		numbers = {name: chance.randrange(15) for name in ("filled", "criteria_met", "days_known")}
		won = chance.random() < 0.02 + 0.01 * numbers["filled"]
		examples.append(Example(float(at), {**facts, **numbers}, won))
	model = json.dumps(train(examples).as_dict())
	with request():
		companies = frappe.get_all("Company", pluck="name", order_by="name asc")
		rows = [{"company": company, "status": "In Use", "model": model} for company in companies]
		made = insert_rows("Lead Priority Model", rows, now_datetime())
		definitions.clear_caches()
		frappe.db.commit()
	try:
		yield
	finally:
		with request():
			for row in made:
				frappe.db.delete("Lead Priority Model", {"name": row.name})
			definitions.clear_caches()
			frappe.db.commit()


def measure_parts() -> None:
	"""What is spent on the Lead Journey, and on the priority, of what the app costs a lead."""
	taken: dict[str, tuple[list, list]] = {step: ([], []) for step in STEPS}
	with model_of_past_leads():
		for number in range(-WARM_UP, PAIRS):
			name = None
			for step, changes in STEPS.items():
				with (
					request(),
					spent_in(
						"lead_quality.funnel.journey", "begin", "is_changed_by", "write_marked"
					) as journey,
					spent_in("lead_quality.qualification.priority", "priority_of") as priority,
				):
					doc = frappe.get_doc("Lead", name) if name else new_lead()
					doc.update(changes)
					_ = doc.save() if name else doc.insert()
					frappe.db.commit()
					name = doc.name
				for costs, spent in zip(taken[step], (journey, priority), strict=True):
					if number >= 0:
						costs.append(Cost(*map(sum, zip(*spent, strict=True))) if spent else Cost(0, 0))
	rows = {step: [median(costs) for costs in parts] for step, parts in taken.items()}
	print_rows("of that", ("Lead Journey", "priority"), rows)


def look_ups() -> Costs:
	"""The two look-ups that ERPNext makes at each save, for a lead from which nothing was made."""
	with request():
		doc = frappe.get_doc("Lead", f"BENCH-LEAD-{LEADS}")
		return {
			look_up: median(cost_of(partial(doc.run_method, look_up)) for _ in range(PAIRS))
			for look_up in LOOK_UPS
		}


def set_agreement(enabled: bool) -> None:
	"""ERPNext's own clock on Lead: a Service Level Agreement for every lead, around the clock."""
	with request():
		name = frappe.db.get_value("Service Level Agreement", {"document_type": "Lead"})
		if name:
			frappe.get_doc("Service Level Agreement", name).update({"enabled": int(enabled)}).save()
		elif enabled:
			make_agreement()
		frappe.db.commit()


def make_agreement() -> None:
	frappe.db.set_single_value("Support Settings", "track_service_level_agreement", 1)
	holidays = frappe.get_doc(
		doctype="Holiday List", holiday_list_name="Benchmark", from_date="2024-01-01", to_date="2034-12-31"
	).insert()
	frappe.get_doc(
		doctype="Service Level Agreement",
		document_type="Lead",
		service_level="Benchmark",
		default_service_level_agreement=1,
		enabled=1,
		holiday_list=holidays.name,
		default_priority="Medium",
		priorities=[
			{"priority": "Medium", "default_priority": 1, "response_time": 7200, "resolution_time": 28800}
		],
		sla_fulfilled_on=[{"status": "Converted"}],
		support_and_resolution=[
			{"workday": day, "start_time": "00:00:00", "end_time": "23:59:59"}
			for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
		],
	).insert()


def print_rows(title: str, columns: tuple[str, ...], rows: dict[str, list]) -> None:
	for name, cells in {title: columns, **rows}.items():
		print(f"{name:26}" + " ".join(f"{cell!s:>17}" for cell in cells))
	print()


def main() -> None:
	ask_no_gravatar()
	if os.environ.get("PARTS"):
		with request():
			fill_reps()
		measure_parts()
		return
	with request():
		fill()
		print(f"{describe('Lead', 'Opportunity', 'Customer')}; medians of {PAIRS}, in ms and queries\n")
		installed, kept = app_is_installed(), frappe.get_site_path("benchmark_stock.json")
	if installed:
		with open(kept) as file:
			measure_app({name: Cost(*cost) for name, cost in json.load(file).items()})
	else:
		with open(kept, "w") as file:
			json.dump(measure_stock(), file)


def measure_stock() -> Costs:
	_, costs, _ = compare((), ())
	stock = {**costs, **look_ups()}
	print_rows("", ("stock",), {LOOK_UPS.get(name, name): [cost] for name, cost in stock.items()})
	return stock


def measure_app(stock: Costs) -> None:
	set_agreement(False)
	off, app, own = compare((APP,), ())
	found = look_ups()
	set_agreement(True)
	_, _, agreement = compare((APP, AGREEMENT), (APP,))
	set_agreement(False)
	print_rows(
		"",
		("stock", "app", "app / stock", "app, events off"),
		{step: [stock[step], app[step], f"{app[step].ms / stock[step].ms:.2f}", off[step]] for step in STEPS},
	)
	print_rows(
		"own share, pairs",
		("app", "ERPNext's SLA", "app / SLA"),
		{step: [own[step], agreement[step], f"{own[step].ms / agreement[step].ms:.2f}"] for step in STEPS},
	)
	measure_parts()
	print_rows(
		"look-up",
		("without index", "with index", "without / with"),
		{
			column: [stock[name], found[name], f"{stock[name].ms / found[name].ms:.0f}"]
			for name, column in LOOK_UPS.items()
		},
	)


if __name__ == "__main__":
	main()
