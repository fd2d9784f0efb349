"""The Lead Journeys of a site with 100,000 leads: how long a rebuild takes, and what one costs a save.

`./dev bench` runs it on a site of its own. To run it on another site, in the bench's folder `sites`:

    LEAD_QUALITY_SITE=some.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_journey.py

Each lead has a log, three touches and a clock; every third a judgement, every tenth a handover. LEADS in the
environment says how many there are. The rows are taken away again.
"""

import os
import statistics
import time

import frappe
from on_site import SITE, app_is_installed

from lead_quality.funnel import journey

LEADS = int(os.environ.get("LEADS", 100_000))
MARK = "JOURNEY-"
LEAD = f"concat('{MARK}', lpad({{}}, 7, '0'))"
AT = "timestamp('2024-01-01') + interval seq minute"
TABLES = ("Lead Stage Log", "Lead Touch", "Lead Qualification", "Lead Handover", "Follow Up Clock", "Lead")


def insert(doctype: str, count: int, step: int, name: str, later: str, **columns: str) -> None:
	"""Rows of every `step`th lead, past every hook; the columns are SQL expressions of the row's number `seq`."""
	at = f"timestamp('2024-01-01') + interval seq * {step} minute + interval {later}"
	values = {"name": name, "creation": at, "modified": at, **columns}
	if doctype != "Lead":
		values["`lead`"] = LEAD.format(f"seq * {step}")
	names = ", ".join(values)
	frappe.db.sql(
		f"insert into `tab{doctype}` ({names}) select {', '.join(values.values())} from seq_1_to_{count // step}"
	)
	frappe.db.commit()


def fill() -> None:
	named = "concat('{0}', {1}, '-', seq)"
	insert(
		"Lead",
		LEADS,
		1,
		LEAD.format("seq"),
		"0 day",
		lead_name="'Anna'",
		title="'Anna'",
		status="'Lead'",
		lq_stage="'target'",
	)
	for stage, left, step in (
		("target", "null", 1),
		("prospect", "'target'", 2),
		("opportunity", "'prospect'", 10),
		("sale", "'opportunity'", 40),
	):
		at = f"timestamp('2024-01-01') + interval seq * {step} minute + interval {step} day"
		insert(
			"Lead Stage Log",
			LEADS,
			step,
			named.format(MARK, f"'{stage}'"),
			"0 day",
			stage=f"'{stage}'",
			left_stage=left,
			entered_at=at,
		)
	for nth, outcome in enumerate(("No Answer", "Left Message", "Connected")):
		at = f"timestamp('2024-01-01') + interval seq minute + interval {nth + 1} day"
		insert(
			"Lead Touch", LEADS, 1, named.format(MARK, nth), "0 day", channel="'Phone'", direction="'Outbound'",
			status="'Done'", outcome=f"'{outcome}'", done_at=at,
		)  # fmt: skip
	at = "timestamp('2024-01-01') + interval seq minute + interval 1 day"
	insert(
		"Follow Up Clock",
		LEADS,
		1,
		named.format(MARK, "'clock'"),
		"0 day",
		clock="'First Response'",
		status="'Met'",
		acted_at=at,
		started_at=AT,
		elapsed_seconds="3600",
		stopped_at=at,
	)
	insert(
		"Lead Qualification",
		LEADS,
		3,
		named.format(MARK, "'q'"),
		"1 day",
		verdict="'Sales Ready'",
		sales_ready_on=AT,
		decided_on=AT,
	)
	insert(
		"Lead Handover",
		LEADS,
		10,
		named.format(MARK, "'h'"),
		"1 day",
		status="'Accepted'",
		sent_at=AT,
		accepted_at=AT,
		decided_at=AT,
	)


def clear() -> None:
	for doctype in TABLES:
		frappe.db.sql(f"delete from `tab{doctype}` where name like '{MARK}%'")
	frappe.db.sql(f"delete from `tabLead Journey` where name like '{MARK}%'")
	frappe.db.commit()


def timed(do) -> float:
	start = time.perf_counter()
	do()
	return time.perf_counter() - start


def measure() -> None:
	names = [f"{MARK}{number:07d}" for number in range(1, LEADS + 1)]
	print(f"{LEADS:,} leads: made {timed(lambda: journey.rebuild(names)):.1f} s", flush=True)
	wrong = []
	print(
		f"rebuilt when all is right {timed(lambda: wrong.append(journey.rebuild(names))):.1f} s: {wrong[0]} were wrong"
	)
	some = names[:: max(len(names) // 500, 1)]
	for name in some[:50]:
		journey.write([name])
	costs = [timed(lambda name=name: journey.write([name])) * 1000 for name in some]
	print(f"one lead, read and written: {statistics.median(costs):.2f} ms", flush=True)
	frappe.db.commit()


if __name__ == "__main__":
	frappe.init(SITE)
	frappe.connect()
	if app_is_installed():
		clear()
		try:
			fill()
			measure()
		finally:
			frappe.db.rollback()
			clear()
