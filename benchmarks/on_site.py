"""What the site benchmarks share: a site with 100,000 leads, requests on it, and what they cost.

The rows are made by the database itself (`insert … select` from its sequence engine), each time the same ones,
past every hook. Leads 50,001 and up have no document made from them, as most leads never have one.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import frappe

SITE = os.environ.get("LEAD_QUALITY_SITE", "lead-quality-bench.localhost")

LEADS = OPPORTUNITIES = 100_000
CUSTOMERS = QUOTATIONS = 30_000
ORDERS = 10_000
CLOCKS_PER_LEAD = 10

LEAD = "concat('BENCH-LEAD-', lpad((seq - 1) % {} + 1, 6, '0'))"
ANY_LEAD, LEAD_WITH_DOCUMENTS = LEAD.format(LEADS), LEAD.format(LEADS // 2)
LONG_AGO, FAR_AWAY = "timestamp('2024-01-01')", "timestamp('2090-01-01')"
TRANSACTION_CONTROL = ("COMMIT", "ROLLBACK", "START TRANSACTION", "SAVEPOINT", "RELEASE")


class Cost(NamedTuple):
	ms: float
	queries: float

	def __sub__(self, other: "Cost") -> "Cost":
		return Cost(self.ms - other.ms, self.queries - other.queries)

	def __str__(self) -> str:
		return f"{self.ms:7.1f} ms {self.queries:4.0f} q"


def median(costs: Iterable[Cost]) -> Cost:
	return Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))


@contextmanager
def request() -> Iterator[None]:
	"""A connection of its own and empty caches of the request, as each web request has them."""
	frappe.init(SITE)
	frappe.connect()
	frappe.db.sql("select 1")
	try:
		yield
	finally:
		frappe.destroy()


def cost_of(do: Callable[[], object]) -> Cost:
	"""Wall-clock time, and statements sent to the database: BEGIN, COMMIT and savepoints are not counted."""
	queries, send = 0, frappe.db.sql

	def count(query, *args, **kwargs):
		nonlocal queries
		queries += not str(query).strip().upper().startswith(TRANSACTION_CONTROL)
		return send(query, *args, **kwargs)

	frappe.db.sql = count
	begin = time.perf_counter()
	try:
		do()
		return Cost((time.perf_counter() - begin) * 1000, queries)
	finally:
		frappe.db.sql = send


def app_is_installed() -> bool:
	return "lead_quality" in frappe.get_installed_apps()


def describe(*doctypes: str) -> str:
	counts = ", ".join(f"{doctype} {frappe.db.count(doctype):,}" for doctype in doctypes)
	return f"Frappe {frappe.__version__}, MariaDB {frappe.db.sql('select version()')[0][0]}, rows: {counts}"


def fill() -> None:
	"""Fill ERPNext's tables, and the app's own where it is installed, once."""
	company = frappe.db.get_value("Company", {})
	person = {
		"customer_name": "concat('Kellerbrunn Works ', seq)",
		"territory": "'All Territories'",
	}
	amounts = {"company": repr(company), "currency": "'EUR'", "transaction_date": "'2024-01-01'"}
	_fill(
		"Lead",
		LEADS,
		ANY_LEAD,
		first_name="'Anna'",
		last_name="concat('Keller ', seq)",
		lead_name="concat('Anna Keller ', seq)",
		title="concat('Kellerbrunn Works ', seq)",
		company_name="concat('Kellerbrunn Works ', seq)",
		email_id="concat('anna.', seq, '@lead.example')",
		mobile_no="concat('+49 170 ', seq)",
		status="if(seq <= 50000, 'Opportunity', 'Lead')",
		company=repr(company),
	)
	_fill(
		"Opportunity",
		OPPORTUNITIES,
		"concat('BENCH-OPP-', lpad(seq, 6, '0'))",
		opportunity_from="'Lead'",
		party_name=LEAD_WITH_DOCUMENTS,
		status="elt(seq % 4 + 1, 'Open', 'Quotation', 'Converted', 'Lost')",
		title="concat('Kellerbrunn Works ', seq)",
		contact_email="concat('anna.', seq, '@lead.example')",
		**person,
		**amounts,
	)
	_fill(
		"Customer",
		CUSTOMERS,
		"concat('BENCH-CUSTOMER-', lpad(seq, 6, '0'))",
		lead_name=LEAD_WITH_DOCUMENTS,
		customer_group="'All Customer Groups'",
		customer_type="'Company'",
		**person,
	)
	_fill(
		"Quotation",
		QUOTATIONS,
		"concat('BENCH-QTN-', lpad(seq, 6, '0'))",
		docstatus="1",
		quotation_to="'Lead'",
		party_name=LEAD_WITH_DOCUMENTS,
		opportunity="concat('BENCH-OPP-', lpad(seq, 6, '0'))",
		status="'Open'",
		**amounts,
	)
	order = "concat('BENCH-ORDER-', lpad(seq, 6, '0'))"
	customer = "concat('BENCH-CUSTOMER-', lpad(seq, 6, '0'))"
	_fill("Sales Order", ORDERS, order, docstatus="1", customer=customer, **amounts)
	_fill(
		"Sales Order Item",
		ORDERS,
		"concat('bench', seq)",
		docstatus="1",
		parent=order,
		prevdoc_docname="concat('BENCH-QTN-', lpad(seq, 6, '0'))",
	)
	if app_is_installed():
		_fill_app()


def _fill_app() -> None:
	name = "concat('bench', seq)"
	_fill("Lead Stage Log", LEADS, name, lead=ANY_LEAD, stage="'target'", entered_at=LONG_AGO)
	_fill(
		"Nurture Enrollment",
		LEADS,
		name,
		lead=ANY_LEAD,
		cadence=repr(frappe.db.get_value("Nurture Cadence", {})),
		status="'Active'",
		next_due_at=FAR_AWAY,
	)
	_fill(
		"Lead Touch",
		2 * LEADS,
		name,
		lead=ANY_LEAD,
		enrollment=f"if(seq <= {LEADS}, {name}, null)",
		status=f"if(seq <= {LEADS}, 'Planned', 'Done')",
		channel="'Phone'",
		due_at=FAR_AWAY,
	)
	_fill(
		"Follow Up Clock",
		CLOCKS_PER_LEAD * LEADS,
		name,
		lead=ANY_LEAD,
		clock="elt(seq % 3 + 1, 'Triage', 'First Response', 'Next Touch')",
		status="'Running'",
		started_at=LONG_AGO,
		due_at=f"{FAR_AWAY} + interval seq second",
	)


def _fill(doctype: str, count: int, name: str, **columns: str) -> None:
	"""Insert `count` rows whose columns are SQL expressions of the row's number `seq`, unless they are there."""
	if frappe.db.count(doctype) >= count:
		return
	at = f"{LONG_AGO} + interval seq minute"
	columns = {
		"name": name,
		"creation": at,
		"modified": at,
		"owner": "'Administrator'",
		"modified_by": "'Administrator'",
		**columns,
	}
	names, values = ", ".join(f"`{column}`" for column in columns), ", ".join(columns.values())
	frappe.db.sql(f"insert into `tab{doctype}` ({names}) select {values} from seq_1_to_{count}")
	frappe.db.commit()
	frappe.db.sql(f"analyze table `tab{doctype}`")
