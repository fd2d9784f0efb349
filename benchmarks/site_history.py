"""What happened before the install, read in on a site with 100,000 old leads by two background workers: how fast, and
whether the stages are true; and what the jobs take that look through stages and leads, when there is nothing to do.

`./dev bench` runs it on a site of its own. To run it again on that site, in the bench's folder `sites`:

    LEAD_QUALITY_SITE=lead-quality-bench.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_history.py

The leads have no row of the app's. Every third has been written to and has answered; every tenth of those has an
Opportunity, and every third of these a Customer with a submitted order. LEADS in the environment says how many there are, WORKERS by how many they are read.
What the database is asked to count afterwards must be the generator's truth to the unit. The rows are taken away again.
"""

import os
import time

import frappe
from on_site import app_is_installed, queue_of_its_own, request, workers

LEADS = int(os.environ.get("LEADS", 100_000))
WORKERS = int(os.environ.get("WORKERS", 2))
AT = "timestamp('2024-01-01') + interval seq minute"
MARK = "HISTORY-"
LEAD = f"concat('{MARK}', lpad({{}}, 7, '0'))"

ANSWERED, OPPORTUNITIES = LEADS // 3, LEADS // 30
SALES = OPPORTUNITIES // 3
TABLES = ("Lead", "Communication", "Opportunity", "Customer", "Sales Order")
OURS = ("Lead Touch", "Lead Stage Log", "Lead Backlog", "Lead Journey")


def insert(doctype: str, count: int, later: str, **columns: str) -> None:
	"""Rows 1 to `count`, past every hook; the columns are SQL expressions of their number `seq`."""
	at = f"{AT} + interval {later}"
	columns = {
		"name": LEAD.format("seq"),
		"creation": at,
		"modified": at,
		"owner": "'Administrator'",
		"modified_by": "'Administrator'",
		**columns,
	}
	names = ", ".join(f"`{column}`" for column in columns)
	frappe.db.sql(
		f"insert into `tab{doctype}` ({names}) select {', '.join(columns.values())} from seq_1_to_{count}"
	)
	frappe.db.commit()


def fill() -> None:
	company = repr(frappe.db.get_value("Company", {}))
	third, thirtieth, ninetieth = (LEAD.format(f"seq * {step}") for step in (3, 30, 90))
	address = "concat('anna.', seq * 3, '@history.example')"
	insert(
		"Lead",
		LEADS,
		"0 day",
		lead_name="'Anna'",
		title="'Anna'",
		status="'Lead'",
		company=company,
		email_id="concat('anna.', seq, '@history.example')",
		lq_history_unread="1",
	)
	mail = {
		"communication_type": "'Communication'",
		"communication_medium": "'Email'",
		"reference_doctype": "'Lead'",
		"reference_name": third,
		"content": "'Text'",
	}
	for sent, later in (("'Sent'", "1 day"), ("'Received'", "2 day")):
		ours, theirs = ("'rep@company.example'", address)[:: 1 if sent == "'Sent'" else -1]
		insert(
			"Communication",
			ANSWERED,
			later,
			**{
				**mail,
				"name": f"concat('{MARK}', {sent}, seq)",
				"sent_or_received": sent,
				"sender": ours,
				"recipients": theirs,
				"subject": "'Our offer'",
				"communication_date": f"{AT} + interval {later}",
			},
		)
	insert(
		"Opportunity",
		OPPORTUNITIES,
		"3 day",
		opportunity_from="'Lead'",
		party_name=thirtieth,
		status="'Open'",
		company=company,
		currency="'EUR'",
		opportunity_amount="100",
	)
	insert("Customer", SALES, "4 day", customer_name="'Anna'", lead_name=ninetieth)
	insert(
		"Sales Order",
		SALES,
		"5 day",
		customer=LEAD.format("seq"),
		docstatus="1",
		company=company,
		currency="'EUR'",
		grand_total="200",
	)
	for doctype in TABLES:
		frappe.db.sql(f"analyze table `tab{doctype}`")


def clear() -> None:
	for doctype in TABLES:
		frappe.db.sql(f"delete from `tab{doctype}` where name like '{MARK}%%'", {"bound": 1})
	for doctype in OURS:
		frappe.db.sql(f"delete from `tab{doctype}` where `lead` like '{MARK}%%'", {"bound": 1})
	frappe.db.commit()


def counted() -> dict[str, int]:
	rows = frappe.db.sql(
		f"select stage, count(*) from `tabLead Stage Log` where `lead` like '{MARK}%%' group by stage",
		{"bound": 1},
	)
	return dict(rows)


def measure() -> None:
	from lead_quality.follow_up import first_look
	from lead_quality.funnel.jobs import reconcile_all_stages, reconcile_stages
	from lead_quality.nurture import history
	from lead_quality.overrides.deletion import forget_missing_leads

	def is_done() -> bool:
		frappe.db.rollback()
		return history.is_read() and not first_look.how_far()

	truth = {"target": LEADS, "prospect": ANSWERED, "opportunity": OPPORTUNITIES, "sale": SALES}
	with queue_of_its_own(), workers(WORKERS, "long") as crew, request():
		first_look.go_on(frappe.utils.now_datetime())
		seconds = crew.work_until(is_done)
	with request():
		assert counted() == truth, (counted(), truth)
		print(
			f"history of {LEADS:,} leads read by {WORKERS} workers in {seconds:6.1f} s  {LEADS / seconds:7,.0f} leads/s"
			f"  {crew.memory} MB a worker at most  {truth}"
		)
		for job in (reconcile_stages, reconcile_all_stages, forget_missing_leads):
			job()
			begin = time.perf_counter()
			counts = job()
			seconds = time.perf_counter() - begin
			print(f"{job.__name__:22} with nothing to do {seconds * 1000:9.1f} ms  {counts}", flush=True)
		print()


def main() -> None:
	with request():
		if not app_is_installed():
			return
		clear()
		fill()
	try:
		measure()
	finally:
		with request():
			clear()


if __name__ == "__main__":
	main()
