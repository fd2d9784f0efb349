"""What the app's reports cost on a site of 100,000 leads with two years of history; see `history.py`.

`./dev bench` runs it on a site of its own. To run it on another site, in the bench's folder `sites`:

    LEAD_QUALITY_SITE=some.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_reports.py

Each report is run as a manager's over 24 months, in a process of its own, its counts and, where it has one, its list.
Shown are seconds (the median of RUNS, by default three), how many times as long as one plain count of the clocks takes right
before, seconds of CPU that the process and its connection's thread in the database took together, where that is on the
same machine (they say more than the others while other work is done on it), the queries, and the highest resident set of
the process in MB. LEADS in the environment says
how many leads there are, KEEP=1 leaves them there, and ONLY is a part of the names of the reports to run. After the reports come the
number cards, the health page, the panel of one lead, and what hourly jobs look for.
"""

import json
import os
import resource
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import frappe
from frappe.utils import add_months, add_to_date, getdate, now_datetime, nowdate
from history import MARK, Site
from on_site import app_is_installed, cost_of, request

LEADS = int(os.environ.get("LEADS", 100_000))
RUNS = int(os.environ.get("RUNS", 3))
# step to the share of leads that should reach it, in percent
TARGETS = {"Prospect": 45, "Sales Ready": 30, "Accepted": 20, "Opportunity": 15, "Sale": 6}
PLAIN = f"select count(*) from `tabFollow Up Clock` where name like '{MARK}%' and elapsed_seconds >= 0"


def cases() -> list[tuple[str, dict]]:
	"""Reports with filters: each one's counts, by whatever they may be grouped by, and its list."""
	from lead_quality.base.report import report_class

	today = nowdate()
	period = {"from_date": str(add_months(getdate(today), -24)), "to_date": today}
	found = []
	for name in frappe.get_all("Report", {"module": "Lead Quality"}, pluck="name", order_by="name"):
		report = report_class(name)
		for group in report.groups or ("",):
			found.append((name, {**period, "show": "Summary", **({"group_by": group} if group else {})}))
		if report.list_name:
			found.append((name, {**period, "show": report.list_name}))
	found.append(("Follow-up Compliance", {**period, "show": "Clocks", "count": "charged"}))
	found.append(("Follow-up Compliance", {**period, "show": "Clocks", "count": "missed"}))
	only = os.environ.get("ONLY", "")
	return [case for case in found if only.lower() in case[0].lower()]


def others() -> list[tuple[str, Callable]]:
	"""What else asks many leads at once: cards, the health page, the panel, what the hourly jobs look for."""
	from lead_quality.desk import health
	from lead_quality.desk.panel import get_panel
	from lead_quality.funnel import corrections, person
	from lead_quality.nurture.jobs import FRESH

	hour_ago = add_to_date(now_datetime(), hours=-2)
	found: list[tuple[str, Callable]] = [
		(f"card {card.name}", frappe.get_attr(card.method))
		for card in frappe.get_all(
			"Number Card",
			{"module": "Lead Quality", "type": "Custom"},
			["name", "method"],
			order_by="name",
		)
	]
	lead = frappe.db.get_value("Lead Handover", {"name": ["like", f"{MARK}%"]}, "lead")
	found += [
		("health page", health.get_health),
		("panel", lambda: get_panel(lead)),
		("hourly: entries without proof", lambda: corrections.unproved(hour_ago)),
		("hourly: keys of changed leads", lambda: len(person.with_stale_keys(now_datetime() - FRESH))),
	]
	only = os.environ.get("ONLY", "").lower()
	return [(label, do) for label, do in found if only in label.lower()]


def measured(do) -> dict:
	"""Run something in a process of its own: seconds, ratio to the plain count, queries and MB."""
	reading, writing = os.pipe()
	child = os.fork()
	if not child:
		try:
			with request():
				agree_on_what_to_reach()
				do()  # what the process loads and caches once
				plain, costs, cpu = [], [], []
				for _run in range(RUNS):
					plain.append(cost_of(lambda: frappe.db.sql(PLAIN)).ms)
					before = database_cpu() + time.process_time()
					costs.append(cost_of(do))
					cpu.append(database_cpu() + time.process_time() - before)
				memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
			seconds = statistics.median(cost.ms for cost in costs) / 1000
			told = {
				"seconds": seconds,
				"ratio": seconds * 1000 / statistics.median(plain),
				"queries": costs[-1].queries,
				"cpu": statistics.median(cpu),
				"memory": memory,
			}
			os.write(writing, json.dumps(told).encode())
		except BaseException:
			traceback.print_exc()
		finally:
			os._exit(0)
	os.close(writing)
	with os.fdopen(reading) as answer:
		said = answer.read()
	os.waitpid(child, 0)
	return json.loads(said) if said else {}


def agree_on_what_to_reach():
	"""Targets of five steps, each of all leads and of some sources, and a goal for each rep; none is committed."""
	sources = frappe.get_all(
		"Lead Journey", {"source": ["is", "set"]}, pluck="source", distinct=True, order_by="source"
	)
	for step, rate in TARGETS.items():
		for source in (None, *sources[:4]):
			target = {"step": step, "source": source, "rate": rate, "within_days": 90, "minimum_leads": 10}
			frappe.get_doc({"doctype": "Funnel Target", **target}).insert()
	year = {"from_date": add_months(nowdate(), -12), "to_date": nowdate()}
	for user in frappe.get_all(
		"User", {"name": ["like", "rep%@history.example"]}, pluck="name", order_by="name"
	):
		frappe.get_doc({"doctype": "New Customer Goal", "user": user, "new_customers": 5, **year}).insert()


def database_cpu() -> float:
	"""Seconds of CPU that this connection's thread has taken so far; 0 if the database is on another machine."""
	thread = frappe.db.sql("select tid from information_schema.processlist where id = connection_id()")[0][0]
	stat = next(Path("/proc").glob(f"[0-9]*/task/{thread}/stat"), None)
	if not stat:
		return 0
	ticks = stat.read_text().rsplit(")", 1)[1].split()[11:13]
	return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def run_report(name: str, filters: dict):
	from lead_quality.base.report import report_class

	report_class(name).execute(dict(filters))


def measure():
	with request():
		reports, pages = cases(), others()
	print(f"{'':58} seconds  ratio    CPU  queries  MB", flush=True)
	for name, filters in reports:
		what = f"{name}, " + ", ".join(
			str(filters[key]) for key in ("group_by", "show", "count") if key in filters
		)
		show(what, measured(lambda name=name, filters=filters: run_report(name, filters)))
	for label, do in pages:
		show(label, measured(do))


def show(what: str, told: dict):
	if not told:
		print(f"{what:58} failed", flush=True)
		return
	print(
		f"{what:58} {told['seconds']:7.2f} {told['ratio']:6.1f} {told['cpu']:6.2f} {told['queries']:8.0f} {told['memory']:4}",
		flush=True,
	)


def main():
	with request():
		if not app_is_installed():
			return
		site = Site(LEADS)
		there = frappe.db.sql(f"select count(*) from `tabLead` where name like '{MARK}%'")[0][0]
		if there != LEADS:
			site.clear()
			begin = time.perf_counter()
			site.fill()
			frappe.db.sql("analyze table `tabLead`, `tabFollow Up Clock`, `tabLead Touch`, `tabLead Holding`")
			print(f"{LEADS:,} leads of two years made in {time.perf_counter() - begin:.0f} s", flush=True)
		load = os.getloadavg()[0]
		clocks = frappe.db.count("Follow Up Clock")
		print(
			f"Frappe {frappe.__version__}, {frappe.db.count('Lead'):,} leads, {clocks:,} clocks, load {load:.1f}"
		)
	try:
		measure()
	finally:
		if not os.environ.get("KEEP"):
			with request():
				site.clear()


if __name__ == "__main__":
	sys.exit(main())
