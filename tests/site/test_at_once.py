"""Two at once: every writing function of the API against itself and each other, and against every scheduled job.

Each of the two is a request of its own as the web server handles it (or a job), in a thread with a connection of its
own. Both have read before either writes, as is the case with two requests of the same second; then each statement
waits a little at random. What comes of each is what was asked for, or a sentence that says why not: no server error,
no deadlock that a user sees, no lost call. Afterwards the books are right (`oracle`).

MariaDB 11.6 and later refuse to lock what has changed since a transaction's first read (`innodb_snapshot_isolation`),
earlier ones do not: each pair runs both ways where the server knows that setting.

	LEAD_QUALITY_AT_ONCE_REPEAT=20 ./dev test site tests/site/test_at_once.py
"""

import contextvars
import inspect
import json
import os
import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations_with_replacement, count

import frappe
import frappe.app
import pytest
from frappe.database.database import Database
from frappe.utils import now_datetime
from werkzeug.test import Client

from lead_quality import api
from lead_quality.demo import factories
from tests.site import oracle

REPEAT = int(os.environ.get("LEAD_QUALITY_AT_ONCE_REPEAT") or 1)
LONGEST_WAIT = 60
MARKETING, SALES = USERS = ["marketing@once.example", "sales@once.example"]
COMPANY = "At Once"
numbers = count(1)

# the states that a lead can be in: what has been done to it before
RESTING, ENROLLED, TOUCHED, READY, SENT, ACCEPTED = (
	"resting",
	"enrolled",
	"touched",
	"ready",
	"sent",
	"accepted",
)

# what is called, by whom, in which state it is done if nobody else is there, and with what
CALLS: dict[str, tuple[str, str, Callable]] = {
	"enroll": (MARKETING, RESTING, lambda case: {"lead": case.lead}),
	"snooze": (
		MARKETING,
		ENROLLED,
		lambda case: {"lead": case.lead, "until": case.in_days(3), "reason": case.reason("Snooze")},
	),
	"stop": (MARKETING, ENROLLED, lambda case: {"lead": case.lead, "reason": case.reason("Stop Early")}),
	"log_touch": (
		MARKETING,
		ENROLLED,
		lambda case: {"lead": case.lead, "channel": "Phone", "outcome": "Connected", "note": "words"},
	),
	"qualify": (
		MARKETING,
		ENROLLED,
		lambda case: {"lead": case.lead, "answers": factories.answers(), "horizon": "Near Term"},
	),
	"send_handover": (MARKETING, READY, lambda case: {"lead": case.lead, "to_user": SALES}),
	"accept_handover": (SALES, SENT, lambda case: {"handover": case.handover}),
	"reject_handover": (
		SALES,
		SENT,
		lambda case: {"handover": case.handover, "reason": case.reason("Reject")},
	),
	"return_handover": (
		SALES,
		ACCEPTED,
		lambda case: {"handover": case.handover, "reason": case.reason("Return")},
	),
	"override_gate": (
		MARKETING,
		ENROLLED,
		lambda case: {"lead": case.lead, "reason": case.reason("Override")},
	),
	"opt_out": (MARKETING, ENROLLED, lambda case: {"lead": case.lead}),
	"undo_touch": (MARKETING, TOUCHED, lambda case: {"touch": case.touch}),
	"mark_as_automatic": (MARKETING, TOUCHED, lambda case: {"communication": case.mail}),
	"mark_as_reply": (MARKETING, TOUCHED, lambda case: {"communication": case.mail}),
}
# done whatever else happens to the lead
NEVER_REFUSED = {"log_touch", "qualify", "override_gate", "opt_out", "mark_as_automatic", "mark_as_reply"}
# of two of the same, one is done
ONCE = {
	"enroll",
	"stop",
	"send_handover",
	"accept_handover",
	"reject_handover",
	"return_handover",
	"undo_touch",
}
# functions of the API that write and are about no single lead
ABOUT_NO_LEAD = {"judge_all_again"}

# no sentence that says what to do
UNCLEAR = {
	"TimestampMismatchError",
	"DuplicateEntryError",
	"UniqueValidationError",
	"QueryDeadlockError",
	"QueryTimeoutError",
}


class Case:
	"""A lead in some state, made and committed."""

	def __init__(self, state: str):
		self.number = next(numbers)
		self.lead = factories.make_lead(
			first_name=f"Anna {self.number}",
			company_name=COMPANY,
			email_id=f"anna{self.number}@once.example",
			mobile_no=f"+41445560{self.number:03}",
			lead_owner=MARKETING,
		).name
		self.handover = self.touch = self.mail = "-"
		if state == TOUCHED:
			# the reply is the touch that may be taken back
			self._as(MARKETING, lambda: api.log_touch(self.lead, "Phone", "No Answer"))
			self.mail = self._receive_mail()
			self.touch = frappe.db.get_value("Lead Touch", {"communication": self.mail})
		if state == RESTING:
			api.stop(self.lead, self.reason("Stop Early"))
		if state in {READY, SENT, ACCEPTED}:
			factories.make_sales_ready(self.lead)
		if state in {SENT, ACCEPTED}:
			self.handover = self._as(MARKETING, lambda: api.send_handover(self.lead, SALES)).name
		if state == ACCEPTED:
			self._as(SALES, lambda: api.accept_handover(self.handover))
		frappe.db.commit()

	def _receive_mail(self) -> str:
		mail = {
			"doctype": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Received",
			"subject": "Pumps",
			"content": "We want twelve pumps.",
			"communication_date": now_datetime(),
			"sender": frappe.db.get_value("Lead", self.lead, "email_id"),
			"reference_doctype": "Lead",
			"reference_name": self.lead,
		}
		return frappe.get_doc(mail).insert(ignore_permissions=True).name

	def _as(self, user: str, do: Callable):
		frappe.set_user(user)
		try:
			return do()
		finally:
			frappe.set_user("Administrator")

	def reason(self, purpose: str) -> str:
		return frappe.get_all(
			"Lead Outcome Reason", {"applies_to": purpose, "enabled": 1}, pluck="name", order_by="name asc"
		)[0]

	def in_days(self, days: int) -> str:
		return str(now_datetime().replace(microsecond=0) + timedelta(days=days))


class Racers:
	"""Two that start together."""

	def __init__(self, site: str, checks_snapshot: bool):
		self.site, self.checks_snapshot = site, checks_snapshot
		self.barrier = threading.Barrier(2)
		self.mine = threading.local()

	def run(self, *whats: Callable) -> list:
		"""What came of each: the exception, if it raised one."""
		results: list = [None, None]

		def race(index: int, what: Callable):
			try:
				results[index] = what()
			except BaseException as error:
				results[index] = error

		threads = [
			threading.Thread(target=contextvars.Context().run, args=(race, index, what), daemon=True)
			for index, what in enumerate(whats)
		]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(LONGEST_WAIT)
		assert not any(thread.is_alive() for thread in threads), "they wait for each other"
		return results

	def call(self, function: str, values: dict) -> Callable:
		"""A request. Gives its status and what it says."""

		def request():
			self.mine.user = CALLS[function][0]
			response = Client(frappe.app.application).post(
				f"/api/method/lead_quality.api.{function}",
				data=json.dumps(values),
				content_type="application/json",
				headers={"X-Frappe-Site-Name": self.site, "Accept": "application/json"},
			)
			return response.status_code, json.loads(response.get_data(as_text=True))

		return request

	def deletion(self, doctype: str, name: str) -> Callable:
		"""A request of somebody who may delete everything. Gives as `call` does."""

		def request():
			self.mine.user = "Administrator"
			response = Client(frappe.app.application).delete(
				f"/api/resource/{doctype}/{name}",
				headers={"X-Frappe-Site-Name": self.site, "Accept": "application/json"},
			)
			return response.status_code, json.loads(response.get_data(as_text=True))

		return request

	def job(self, method: str, now) -> Callable:
		"""A job, as a background worker does it. Gives its counts."""

		def work():
			frappe.init(self.site)
			frappe.connect()
			try:
				self.line_up()
				return frappe.get_attr(method)(now=now)
			finally:
				frappe.destroy()

		return work

	def authenticate(self):
		sent = frappe.local.form_dict  # which `set_user` throws away
		frappe.set_user(self.mine.user)
		frappe.local.form_dict = sent
		self.line_up()

	def line_up(self):
		"""Both have read before either goes on."""
		if self.checks_snapshot:
			frappe.db.sql("set session innodb_snapshot_isolation = on")
			frappe.db.rollback()
		frappe.db.sql("select count(*) from `tabLead`")
		self.barrier.wait(LONGEST_WAIT)
		self.mine.is_racing = True

	def dawdle(self):
		if getattr(self.mine, "is_racing", False) and random.random() < 0.3:
			time.sleep(random.random() / 300)


@pytest.fixture(params=[False, True], ids=["", "snapshot-isolation"])
def racers(request, site, real_commits, people, monkeypatch):
	if request.param and not frappe.db.sql("show variables like 'innodb_snapshot_isolation'"):
		pytest.skip("this server does not know the setting")
	racers = Racers(site, request.param)
	run = Database.sql

	def sql(self, *args, **kwargs):
		racers.dawdle()
		return run(self, *args, **kwargs)

	monkeypatch.setattr(Database, "sql", sql)
	monkeypatch.setattr(frappe.app, "validate_auth", racers.authenticate)
	monkeypatch.setattr("erpnext.crm.doctype.lead.lead.has_gravatar", lambda email: "")
	try:
		yield racers
	finally:
		monkeypatch.undo()
		clean_up()


@pytest.fixture(scope="module")
def people(site):
	clean_up()
	for user, roles in ((MARKETING, ("Lead Quality Manager", "Sales Manager")), (SALES, ("Sales User",))):
		factories.make_user(user, *roles)
	frappe.db.commit()
	yield
	frappe.db.rollback()
	for doctype in ("User", "Notification Settings"):
		frappe.db.delete(doctype, {"name": ("in", USERS)})
	frappe.db.delete("Has Role", {"parent": ("in", USERS)})
	frappe.db.commit()
	frappe.clear_cache()


def clean_up():
	frappe.db.rollback()
	leads = frappe.get_all("Lead", {"company_name": COMPANY}, pluck="name") or [""]
	with_lead = frappe.get_all(
		"DocField",
		{"fieldname": "lead", "options": "Lead", "parent": ("not in", ("Issue", "Prospect Lead"))},
		pluck="parent",
	)
	own = set(frappe.get_all("DocType", {"module": "Lead Quality", "issingle": 0}, pluck="name"))
	for doctype in own & set(with_lead):
		names = frappe.get_all(doctype, {"lead": ("in", leads)}, pluck="name") or [""]
		for field in frappe.get_meta(doctype).get_table_fields():
			frappe.db.delete(field.options, {"parent": ("in", names)})
		frappe.db.delete(doctype, {"name": ("in", names)})
	for doctype, filters in {
		"Contact Opt Out": {"email_id": ("like", "%@once.example")},
		"Contact": {"first_name": ("like", "Anna %")},
		"Contact Phone": {"phone": ("like", "+41445560%")},
		"Contact Email": {"email_id": ("like", "%@once.example")},
		"Dynamic Link": {"link_doctype": "Lead", "link_name": ("in", leads)},
		"Communication": {"reference_doctype": "Lead", "reference_name": ("in", leads)},
		"Communication Link": {"link_doctype": "Lead", "link_name": ("in", leads)},
		"Comment": {"reference_doctype": "Lead", "reference_name": ("in", leads)},
		"Notification Log": {"for_user": ("in", USERS)},
		"Lead": {"name": ("in", leads)},
		"Follow Up Run": {"name": ("is", "set")},
	}.items():
		frappe.db.delete(doctype, filters)
	frappe.db.commit()


def in_words(answer) -> str:
	"""What a request has answered, if that is what a user can do something with; else it fails."""
	assert not isinstance(answer, BaseException), repr(answer)
	status, said = answer
	kind = said.get("exc_type")
	trace = said.get("exc") or said.get("exception") or said
	assert status < 500 and kind not in UNCLEAR, f"{status} {kind}: {trace}"
	if status in {200, 202}:  # Frappe answers so to a deletion
		return "done"
	messages = said.get("_server_messages")
	assert messages and json.loads(json.loads(messages)[0])["message"], (
		f"{status} {kind} without a word: {trace}"
	)
	return "refused"


def check(case: Case, functions: tuple[str, ...], answers: list[str]):
	"""The books are right, and hold what was done."""
	frappe.db.rollback()
	done = [function for function, answer in zip(functions, answers, strict=True) if answer == "done"]
	assert oracle.wrongs() == []
	assert NEVER_REFUSED & set(functions) <= set(done), answers
	for function in ONCE:
		assert done.count(function) <= 1, f"{function} was done twice"
	assert not {"accept_handover", "reject_handover"} <= set(done)
	calls = {"lead": case.lead, "channel": "Phone", "note": "words", "status": "Done"}
	assert frappe.db.count("Lead Touch", calls) == done.count("log_touch")
	assert frappe.db.count("Gate Override", {"lead": case.lead}) == done.count("override_gate")
	assert frappe.db.count("Contact Opt Out", {"lead": case.lead}) >= ("opt_out" in done)
	assert frappe.db.count("Lead Qualification", {"lead": case.lead}) <= 1


def test_these_are_all_functions_that_write():
	writing = {
		name
		for name, function in inspect.getmembers(api, inspect.isfunction)
		if frappe.allowed_http_methods_for_whitelisted_func.get(function) == ["POST"]
	}
	assert writing == set(CALLS) | ABOUT_NO_LEAD


@pytest.mark.parametrize("functions", combinations_with_replacement(CALLS, 2), ids="-".join)
def test_of_two_requests_at_once_each_is_done_or_says_why_not(functions, racers):
	for state in dict.fromkeys(CALLS[function][1] for function in functions):
		for _time in range(REPEAT):
			case = Case(state)
			if any("-" in CALLS[function][2](case).values() for function in functions):
				continue  # in this state there is nothing that it could be called for
			requests = [racers.call(function, CALLS[function][2](case)) for function in functions]
			answers = [in_words(answer) for answer in racers.run(*requests)]
			check(case, functions, answers)
			if functions[0] == functions[1] and state == CALLS[functions[0]][1]:
				assert "done" in answers


# what is deleted of a lead in which state, while what is called
DELETED = {
	"a touch that was made": (
		"Lead Touch",
		TOUCHED,
		lambda case: case.touch,
		("log_touch", "undo_touch", "mark_as_automatic", "enroll", "snooze", "stop", "opt_out"),
	),
	"the planned touch": (
		"Lead Touch",
		ENROLLED,
		lambda case: frappe.db.get_value("Lead Touch", {"lead": case.lead, "status": "Planned"}),
		("log_touch", "snooze", "stop", "opt_out", "qualify"),
	),
	"a handover that waits": (
		"Lead Handover",
		SENT,
		lambda case: case.handover,
		("accept_handover", "reject_handover", "log_touch", "qualify", "opt_out"),
	),
	"a handover that was accepted": (
		"Lead Handover",
		ACCEPTED,
		lambda case: case.handover,
		("return_handover", "log_touch", "opt_out"),
	),
}


@pytest.mark.parametrize(
	("deleted", "function"),
	[(deleted, function) for deleted, (*_how, functions) in DELETED.items() for function in functions],
)
def test_of_a_deletion_and_a_request_at_once_each_is_done_or_says_why_not(deleted, function, racers):
	doctype, state, name_of, _functions = DELETED[deleted]
	for _time in range(REPEAT):
		case = Case(state)
		name = name_of(case)
		request = racers.call(function, CALLS[function][2](case))
		answers = [in_words(answer) for answer in racers.run(racers.deletion(doctype, name), request)]
		frappe.db.rollback()
		assert oracle.wrongs() == []
		assert function not in NEVER_REFUSED or answers[1] == "done"
		assert bool(frappe.db.exists(doctype, name)) == (answers[0] == "refused")


@pytest.mark.parametrize("function", CALLS)
def test_a_request_while_a_job_runs_is_done_or_says_why_not(function, racers):
	for job in jobs():
		for _time in range(REPEAT):
			_user, state, values = CALLS[function]
			case = Case(state)
			request = racers.call(function, values(case))
			answer, counts = racers.run(request, racers.job(job, now_datetime() + timedelta(days=40)))
			assert not isinstance(counts, BaseException), f"{job}: {counts!r}"
			assert not counts.get("failed"), f"{job}: {frappe.get_last_doc('Follow Up Run').errors}"
			check(case, (function,), [in_words(answer)])
			clean_up()


def jobs() -> list[str]:
	"""All that the scheduler runs for the app."""
	events = frappe.get_hooks("scheduler_events", app_name="lead_quality")
	groups = [value.values() if isinstance(value, dict) else [value] for value in events.values()]
	return list(dict.fromkeys(method for group in groups for methods in group for method in methods))
