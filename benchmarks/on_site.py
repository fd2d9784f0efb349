"""What the site benchmarks share: a site with 100,000 leads, requests on it, background workers, and what they cost.

The rows are made by the database itself (`insert … select` from its sequence engine), each time the same ones,
past every hook. Leads 50,001 and up have no document made from them, as most leads never have one.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import frappe
from erpnext.crm.doctype.lead import lead as lead_module
from frappe.contacts.doctype.contact import contact as contact_module
from frappe.utils import background_jobs
from rq import Worker

SITE = os.environ.get("LEAD_QUALITY_SITE", "lead-quality-bench.localhost")

LEADS = OPPORTUNITIES = 100_000
CUSTOMERS = QUOTATIONS = 30_000
ORDERS = 10_000
CLOCKS_PER_LEAD = 10
REPS = 50

REP = f"concat('rep', (seq - 1) % {REPS} + 1, '@bench.example')"
LEAD = "concat('BENCH-LEAD-', lpad((seq - 1) % {} + 1, 6, '0'))"
ANY_LEAD, LEAD_WITH_DOCUMENTS = LEAD.format(LEADS), LEAD.format(LEADS // 2)
LONG_AGO, FAR_AWAY = "timestamp('2024-01-01')", "timestamp('2090-01-01')"
TRANSACTION_CONTROL = ("COMMIT", "ROLLBACK", "START TRANSACTION", "SAVEPOINT", "RELEASE")

APP = "lead_quality."
SITES = Path.cwd()
FRAPPE = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe"]
COMPILED = f"{tempfile.gettempdir()}/lead-quality-compiled-{os.getuid()}"
LONGEST_WAIT = 1800


class Cost(NamedTuple):
	ms: float
	queries: float

	def __sub__(self, other: "Cost") -> "Cost":
		return Cost(self.ms - other.ms, self.queries - other.queries)

	def __str__(self) -> str:
		return f"{self.ms:7.2f} ms {self.queries:4.0f} q"


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


@contextmanager
def queue_of_its_own(with_cache: bool = False) -> Iterator[str]:
	"""Background jobs go to a Redis of their own, whose URL it gives: the bench's other sites and workers have no
	part in them.

	:param with_cache: workers that are started meanwhile have their cache there too.
	"""
	with socket.socket() as free:
		free.bind(("127.0.0.1", 0))
		port = free.getsockname()[1]
	server = subprocess.Popen(
		["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
		stdout=subprocess.DEVNULL,
	)
	url = f"redis://127.0.0.1:{port}"
	keys = ("FRAPPE_REDIS_QUEUE", "FRAPPE_REDIS_CACHE") if with_cache else ("FRAPPE_REDIS_QUEUE",)
	outside = {key: os.environ.get(key) for key in keys}
	os.environ.update(dict.fromkeys(keys, url))
	background_jobs._redis_queue_conn = None  # Frappe keeps the one that it has made
	try:
		await_that(lambda: _answers(port))
		yield url
	finally:
		background_jobs._redis_queue_conn = None
		for key, value in outside.items():
			if value is None:
				del os.environ[key]
			else:
				os.environ[key] = value
		end([server])


class Workers:
	"""The bench's own background workers, as processes of their own."""

	def __init__(self, processes: list[subprocess.Popen]):
		self.processes = processes
		self.memory = 0  # the highest resident set so far of a worker or its children, in MB

	def work_until(self, is_done: Callable[[], bool]) -> float:
		"""Wait for it; returns the seconds that it took.

		:raises RuntimeError: if a worker has ended: nobody would do its jobs.
		:raises TimeoutError: if it is not so in time.
		"""
		begin = time.perf_counter()
		self._look_at_memory()
		while not is_done():
			if any(process.poll() is not None for process in self.processes):
				raise RuntimeError("A worker has ended.")
			if time.perf_counter() - begin > LONGEST_WAIT:
				raise TimeoutError
			time.sleep(0.05)
			self._look_at_memory()
		return time.perf_counter() - begin

	def _look_at_memory(self) -> None:
		for process in self.processes:
			children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
			pids = [process.pid, *children.read_text().split()] if children.exists() else []
			for pid in pids:
				try:
					status = Path(f"/proc/{pid}/status").read_text()
				except OSError:
					continue
				if "VmHWM" in status:
					self.memory = max(self.memory, int(status.split("VmHWM:")[1].split()[0]) // 1024)


@contextmanager
def workers(count: int, *queues: str) -> Iterator[Workers]:
	"""So many workers that wait for jobs in these queues, within `queue_of_its_own`."""
	processes = [start_worker(*queues) for _number in range(count)]
	try:
		with request():
			redis = background_jobs.get_redis_conn()
			await_that(lambda: Worker.count(connection=redis) == count)
		yield Workers(processes)
	finally:
		end(processes)


def _answers(port: int) -> bool:
	with socket.socket() as probe:
		return probe.connect_ex(("127.0.0.1", port)) == 0


def start_worker(*queues: str) -> subprocess.Popen:
	"""One of the bench's own background workers as a process of its own; who starts it ends it.

	It forks for each job. As in production, the jobs find the app's modules compiled, though not in this checkout.
	"""
	environment = {**os.environ, "PYTHONPYCACHEPREFIX": COMPILED}
	environment.pop("PYTHONDONTWRITEBYTECODE", None)
	return subprocess.Popen(
		[*FRAPPE, "worker", "--queue", ",".join(queues), "--quiet"],
		cwd=SITES,
		env=environment,
		stdout=subprocess.DEVNULL,
		stderr=subprocess.DEVNULL,
	)


def await_that(is_so: Callable[[], object], seconds: float = 60) -> None:
	""":raises TimeoutError: if it is not so in time."""
	end = time.monotonic() + seconds
	while not is_so():
		if time.monotonic() > end:
			raise TimeoutError
		time.sleep(0.05)


def end(processes: list[subprocess.Popen]) -> None:
	"""End what was started here: a worker finishes its job first."""
	for process in processes:
		process.send_signal(signal.SIGTERM)
	for process in processes:
		try:
			process.wait(60)
		except subprocess.TimeoutExpired:
			process.kill()


def app_is_installed() -> bool:
	return "lead_quality" in frappe.get_installed_apps()


def switch_off(*modules: str) -> None:
	"""No document event of these modules is called in this request."""
	frappe.local.doc_events_hooks = {
		doctype: {
			event: [handler for handler in handlers if not handler.startswith(modules)]
			for event, handlers in events.items()
		}
		for doctype, events in frappe.get_doc_hooks().items()
	}


def ask_no_gravatar() -> None:
	"""ERPNext asks gravatar.com at each insert of a lead, while the user waits: that costs what the network costs."""
	lead_module.has_gravatar = contact_module.has_gravatar = lambda email: ""


def values_of_new_lead() -> dict[str, str]:
	"""Of no other person than the leads that are there."""
	number = frappe.generate_hash(length=10)
	return {
		"first_name": "Anna",
		"last_name": f"Keller {number}",  # a Contact of a taken name is numbered, by a search among its namesakes
		"company_name": "Kellerbrunn Works",
		"email_id": f"anna.{number}@bench.example",
		"mobile_no": f"+49 171 {int(number, 16) % 10**8:08}",
	}


def describe(*doctypes: str) -> str:
	counts = ", ".join(f"{doctype} {frappe.db.count(doctype):,}" for doctype in doctypes)
	return f"Frappe {frappe.__version__}, MariaDB {frappe.db.sql('select version()')[0][0]}, rows: {counts}"


def fill() -> None:
	"""Fill ERPNext's tables, and the app's own where it is installed, once."""
	company = frappe.db.get_value("Company", {})
	fill_reps()
	person = {
		"customer_name": "concat('Kellerbrunn Works ', seq)",
		"territory": "'All Territories'",
	}
	amounts = {"company": repr(company), "currency": "'EUR'", "transaction_date": "'2024-01-01'"}
	fill_table(
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
		lead_owner=REP,
	)
	fill_table(
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
	fill_table(
		"Customer",
		CUSTOMERS,
		"concat('BENCH-CUSTOMER-', lpad(seq, 6, '0'))",
		lead_name=LEAD_WITH_DOCUMENTS,
		customer_group="'All Customer Groups'",
		customer_type="'Company'",
		**person,
	)
	fill_table(
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
	fill_table("Sales Order", ORDERS, order, docstatus="1", customer=customer, **amounts)
	fill_table(
		"Sales Order Item",
		ORDERS,
		"concat('bench', seq)",
		docstatus="1",
		parent=order,
		prevdoc_docname="concat('BENCH-QTN-', lpad(seq, 6, '0'))",
	)
	if app_is_installed():
		_fill_app()


def fill_reps() -> None:
	"""Users who own the leads, and are told by bell and mail."""
	fill_table(
		"User",
		REPS,
		REP,
		email=REP,
		first_name="'Rep'",
		last_name="seq",
		full_name="concat('Rep ', seq)",
		user_type="'System User'",
		enabled="1",
	)
	fill_table(
		"Has Role", REPS, REP, parent=REP, parenttype="'User'", parentfield="'roles'", role="'Sales User'"
	)
	settings = dict.fromkeys(("enabled", "enable_email_notifications", "enable_email_assignment"), "1")
	fill_table("Notification Settings", REPS, REP, user=REP, **settings)


def _fill_app() -> None:
	policy = frappe.get_doc("Follow Up Policy", frappe.db.get_value("Follow Up Policy", {}))
	due = f"{FAR_AWAY} + interval seq second"
	name = "concat('bench', seq)"
	fill_table("Lead Stage Log", LEADS, name, lead=ANY_LEAD, stage="'target'", entered_at=LONG_AGO)
	fill_table(
		"Nurture Enrollment",
		LEADS,
		name,
		lead=ANY_LEAD,
		cadence=repr(frappe.db.get_value("Nurture Cadence", {})),
		status="'Active'",
		next_due_at=FAR_AWAY,
	)
	fill_table(
		"Lead Touch",
		2 * LEADS,
		name,
		lead=ANY_LEAD,
		enrollment=f"if(seq <= {LEADS}, {name}, null)",
		status=f"if(seq <= {LEADS}, 'Planned', 'Done')",
		channel="'Phone'",
		due_at=FAR_AWAY,
	)
	fill_table(
		"Follow Up Clock",
		CLOCKS_PER_LEAD * LEADS,
		name,
		lead=ANY_LEAD,
		clock="elt(seq % 3 + 1, 'Triage', 'First Response', 'Next Touch')",
		status="'Running'",
		lead_name=f"concat('Kellerbrunn Works ', (seq - 1) % {LEADS} + 1)",
		policy=repr(policy.name),
		working_calendar=repr(policy.working_calendar),
		within="8",
		unit="'Working Hours'",
		warn_at_percent="75",
		started_at=LONG_AGO,
		warn_at=f"{due} - interval 2 hour",
		due_at=due,
		next_alert_at=f"{due} - interval 2 hour",
	)


def fill_table(doctype: str, count: int, name: str, **columns: str) -> None:
	"""Insert `count` rows whose columns are SQL expressions of the row's number `seq`, unless they are there."""
	last = frappe.db.sql(f"select {name} from seq_{count}_to_{count}")[0][0]
	if frappe.db.exists(doctype, last):
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
