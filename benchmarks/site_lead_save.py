"""What the app costs a Lead, and what its two indexes give back, on a site with 100,000 leads.

`./dev bench` runs it twice on a site of its own: before the app is installed, which is kept as `stock`, and after.
To run it again on that site, in the bench's folder `sites`:

    LEAD_QUALITY_SITE=lead-quality-bench.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_lead_save.py

A lead is inserted, saved as it is, and saved with another job title: each in a request of its own, with empty
request caches, by Administrator, commit included. Medians of wall-clock time on this machine; nothing is enforced.

- `app / stock` compares two runs, minutes apart.
- `own share` is measured in one run: with the app installed, leads are saved alternately with its document events
  and without, and the median of the differences is taken, so that what else the machine does cancels out.
- ERPNext's own Service Level Agreement on Lead is measured likewise, for comparison, with the app's events off.

Left out is `has_gravatar`, which asks gravatar.com at each insert, and at each save of a lead that has no image,
while the user waits: it costs what the network costs, with and without the app.
"""

import json
from collections import defaultdict
from functools import partial

import frappe
from erpnext.crm.doctype.lead import lead as lead_module
from frappe.contacts.doctype.contact import contact as contact_module
from on_site import LEADS, Cost, app_is_installed, cost_of, describe, fill, median, request

PAIRS = 100
WARM_UP = 5
APP = "lead_quality."
AGREEMENT = "erpnext.support.doctype.service_level_agreement."
STEPS = ("insert", "save, nothing changed", "save, job title changed")
LOOK_UPS = {"has_opportunity": "Opportunity.party_name", "has_customer": "Customer.lead_name"}

Costs = dict[str, list[Cost]]


def switch_off(*modules: str) -> None:
	"""No document event of these modules is called in this request."""
	frappe.local.doc_events_hooks = {
		doctype: {
			event: [handler for handler in handlers if not handler.startswith(modules)]
			for event, handlers in events.items()
		}
		for doctype, events in frappe.get_doc_hooks().items()
	}


def new_lead():
	number = frappe.generate_hash(length=10)
	return frappe.get_doc(
		doctype="Lead",
		first_name="Anna",
		last_name="Keller",
		company_name="Kellerbrunn Works",
		email_id=f"anna.{number}@bench.example",
		mobile_no=f"+49 171 {int(number, 16) % 10**8:08}",
	)


def live(off: tuple[str, ...]) -> dict[str, Cost]:
	"""One lead is inserted and saved twice, with the document events of some modules off."""
	costs, name = {}, None
	for step in STEPS:
		with request():
			switch_off(*off)
			doc = frappe.get_doc("Lead", name) if name else new_lead()
			if "changed" in step and "nothing" not in step:
				doc.job_title = "Head of Purchasing"
			act = doc.save if name else doc.insert
			costs[step] = cost_of(lambda act=act: (act(), frappe.db.commit()))
			name = doc.name
	return costs


def compare(off: tuple[str, ...], on: tuple[str, ...]) -> tuple[Costs, Costs, Costs]:
	"""Costs with more events off, with fewer off, and the differences of each pair."""
	without, with_, difference = defaultdict(list), defaultdict(list), defaultdict(list)
	for number in range(-WARM_UP, PAIRS):
		first = number % 2
		pair = {switched: live(switched) for switched in ((off, on) if first else (on, off))}
		for step in STEPS if number >= 0 else ():
			without[step].append(pair[off][step])
			with_[step].append(pair[on][step])
			difference[step].append(pair[on][step] - pair[off][step])
	return without, with_, difference


def look_ups() -> Costs:
	"""The two look-ups that ERPNext makes at each save of a lead from which nothing was made."""
	costs = defaultdict(list)
	with request():
		doc = frappe.get_doc("Lead", f"BENCH-LEAD-{LEADS}")
		for look_up in LOOK_UPS:
			costs[look_up] = [cost_of(partial(doc.run_method, look_up)) for _ in range(PAIRS)]
	return costs


def make_agreement() -> None:
	"""ERPNext's own clock on Lead: a Service Level Agreement for every lead, around the clock."""
	if frappe.db.exists("Service Level Agreement", {"document_type": "Lead"}):
		return
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
	frappe.db.commit()


def print_rows(title: str, header: str, rows: dict[str, list]) -> None:
	print(f"\n{title:26}{header}")
	for name, cells in rows.items():
		print(f"{name:26}" + " ".join(f"{cell!s:>17}" for cell in cells))


def columns(*names: str) -> str:
	return " ".join(f"{name:>17}" for name in names)


def main() -> None:
	lead_module.has_gravatar = contact_module.has_gravatar = lambda email: ""
	with request():
		fill()
		print(describe("Lead", "Opportunity", "Customer"))
		installed, kept = app_is_installed(), frappe.get_site_path("benchmark_stock.json")
	if not installed:
		measure_stock(kept)
	else:
		measure_app(kept)


def measure_stock(kept: str) -> None:
	costs, looked_up = compare_nothing(), look_ups()
	stock = {name: median(values) for name, values in {**costs, **looked_up}.items()}
	with open(kept, "w") as file:
		json.dump(stock, file)
	print_rows("", columns("stock"), {LOOK_UPS.get(name, name): [cost] for name, cost in stock.items()})


def compare_nothing() -> Costs:
	costs = defaultdict(list)
	for number in range(-WARM_UP, PAIRS):
		for step, cost in live(()).items():
			if number >= 0:
				costs[step].append(cost)
	return costs


def measure_app(kept: str) -> None:
	with open(kept) as file:
		stock = {name: Cost(*cost) for name, cost in json.load(file).items()}
	without, with_, own = compare((APP, AGREEMENT), (AGREEMENT,))
	print_rows(
		"",
		columns("stock", "app", "app / stock", "app, events off", "own share"),
		{
			step: [
				stock[step],
				median(with_[step]),
				f"{median(with_[step]).ms / stock[step].ms:.2f}",
				median(without[step]),
				median(own[step]),
			]
			for step in STEPS
		},
	)
	found = {name: median(costs) for name, costs in look_ups().items()}
	print_rows(
		"look-up",
		columns("without index", "with index", "without / with"),
		{
			column: [stock[name], found[name], f"{stock[name].ms / found[name].ms:.0f}"]
			for name, column in LOOK_UPS.items()
		},
	)
	with request():
		make_agreement()
	_, _, agreement = compare((APP, AGREEMENT), (APP,))
	print_rows(
		"own share",
		columns("app", "ERPNext's SLA", "app / SLA"),
		{
			step: [
				median(own[step]),
				median(agreement[step]),
				f"{median(own[step]).ms / median(agreement[step]).ms:.2f}",
			]
			for step in STEPS
		},
	)


if __name__ == "__main__":
	main()
