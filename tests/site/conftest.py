"""The house that site tests live in: each one sees a fresh site, and leaves nothing behind.

A test may commit, roll back, enqueue, send mail and turn the clock. Nothing reaches the database for good, except
in a test that asks for `real_commits`.
"""

import contextvars
import email
import email.policy
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from functools import partial
from zoneinfo import ZoneInfo

import frappe
import freezegun
import pytest
from frappe.utils import get_datetime, get_system_timezone
from frappe.utils.redis_wrapper import RedisWrapper

from lead_quality.demo.factories import make_lead
from lead_quality.qualification import definitions
from lead_quality.qualification.definitions import CHANGED_HERE

# these measure how long tests take
freezegun.configure(extend_ignore_list=["hypothesis", "_pytest.timing"])

# --- isolation ---------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def isolation(site, request, monkeypatch, clean_cache):
	"""Everything that the test does to the database, the caches and Frappe's globals is undone after it."""
	flags = frappe.local.flags.copy()
	frappe.db.delete("Error Log", {"method": LISTENER_FAILED})  # the table knows no rollback
	frappe.db.rollback()
	if "real_commits" not in request.fixturenames:
		simulate_transactions(monkeypatch)
	monkeypatch.setattr("frappe.utils.background_jobs.enqueue", enqueue_in_foreground)
	monkeypatch.setattr("frappe.enqueue", enqueue_in_foreground)

	yield

	failed = listener_failures()
	monkeypatch.undo()
	frappe.db.rollback()
	frappe.set_user("Administrator")
	setattr(frappe.local, CHANGED_HERE, None)  # a test may throw away the callbacks that forget it
	frappe.local.flags = frappe._dict(flags)
	if hasattr(frappe.local, "request_cache"):  # v15 makes it at its first use
		frappe.local.request_cache = type(frappe.local.request_cache)(dict)
	frappe.clear_messages()
	frappe.local.error_log = []
	if not request.node.get_closest_marker("allow_listener_errors"):
		assert not failed, "a document event of ours has failed:\n" + "\n".join(failed)


LISTENER_FAILED = ("like", "Lead Quality: % failed on %")


def listener_failures() -> list[str]:
	"""What our document events have hidden from the test, as they hide it from whoever saves a document."""
	return frappe.get_all("Error Log", {"method": LISTENER_FAILED}, pluck="error")


@pytest.fixture
def real_commits():
	"""For a test whose writes other connections must see: commits are real, and the test itself cleans up."""


@pytest.fixture
def elsewhere(site, real_commits) -> Callable:
	"""`elsewhere(do)` gives what `do` returns in another process, which commits."""

	def run(do: Callable):
		results: list = []

		def work():
			frappe.init(site)
			frappe.connect()
			try:
				results.append(do())
				frappe.db.commit()
			finally:
				frappe.destroy()

		thread = threading.Thread(target=contextvars.Context().run, args=(work,))
		thread.start()
		thread.join()
		return results[0]

	return run


def simulate_transactions(monkeypatch):
	"""A commit runs its callbacks and sets a savepoint instead; a rollback goes back to that savepoint."""
	db = frappe.local.db
	real_rollback = db.rollback

	def commit(*, chain=False):
		db.before_rollback.reset()
		db.after_rollback.reset()
		db.before_commit.run()
		db.sql("savepoint last_commit")
		db.value_cache.clear()
		db.after_commit.run()

	def rollback(*, save_point=None, chain=False):
		if save_point:
			return real_rollback(save_point=save_point)
		db.before_commit.reset()
		db.after_commit.reset()
		db.before_rollback.run()
		db.sql("rollback to savepoint last_commit")
		db.value_cache.clear()
		db.after_rollback.run()

	db.sql("savepoint last_commit")
	monkeypatch.setattr(db, "commit", commit)
	monkeypatch.setattr(db, "rollback", rollback)


JOB_OPTIONS = (
	"queue timeout event is_async job_name on_success on_failure at_front at_front_when_starved job_id "
	"deduplicate now track_job"
).split()


def enqueue_in_foreground(method, *args, enqueue_after_commit=False, now=False, **kwargs):
	"""`frappe.enqueue` for tests: the job runs here, at the commit if it was to wait for that, else at once."""
	for option in JOB_OPTIONS:
		kwargs.pop(option, None)
	if enqueue_after_commit and not now:
		frappe.db.after_commit.add(lambda: frappe.call(method, **kwargs))
		return None
	return frappe.call(method, **kwargs)


# What a test writes into Redis may show rows that are rolled back. Metadata is dear to build again, and stays
# unless the test itself had it thrown away, as a change of the metadata does.
METADATA = re.compile(
	rb"\|(doctype_meta|doctype_form_meta|table_columns|db_tables|app_hooks|all_apps|app_modules|module_app"
	rb"|installed_app_modules|module_installed_app|merged_translations|lang_full_dict)(::|$)"
)


@pytest.fixture
def clean_cache(site, monkeypatch):
	"""After the test, what it wrote into Frappe's cache is gone."""
	written: set[tuple] = set()  # (key, None) or (hash, field)
	deleted: set[tuple] = set()
	execute_command = RedisWrapper.execute_command

	def record(self, command, *args, **options):
		if command in {"SET", "SETEX", "SADD", "LPUSH", "RPUSH"}:
			written.add((args[0], None))
		elif command == "HSET":
			written.add((args[0], args[1]))
		elif command == "HDEL":
			deleted.update((args[0], field) for field in args[1:])
		elif command in {"DEL", "UNLINK"}:
			deleted.update((key, None) for key in args)
		return execute_command(self, command, *args, **options)

	monkeypatch.setattr(RedisWrapper, "execute_command", record)
	monkeypatch.setattr(definitions, "_documents", {})
	yield
	client_cache = getattr(frappe, "client_cache", None)  # v16 only
	for key, field in written:
		name = key if isinstance(key, bytes) else str(key).encode()
		if METADATA.search(name) and not {(key, field), (key, None)} & deleted:
			continue
		if field is None:
			frappe.cache.delete_value(key, make_keys=False)
			if client_cache:
				client_cache.cache.pop(key, None)
		else:
			frappe.cache.hdel(key, field, shared=True)
	frappe.local.cache = {}


# --- users -------------------------------------------------------------------------------------------------


@pytest.fixture
def as_user():
	"""`with as_user("a@example.com"):` runs what follows as that user."""

	@contextmanager
	def become(user: str) -> Iterator[None]:
		before = frappe.session.user
		frappe.set_user(user)
		try:
			yield
		finally:
			frappe.set_user(before)

	return become


@pytest.fixture
def make_user() -> Callable[..., str]:
	"""`make_user("a@example.com", "Sales User", …)` returns the name of a new user with these roles."""

	def make(email: str, *roles: str, **fields) -> str:
		values = {"email": email, "first_name": email.split("@")[0].title(), **fields}
		user = frappe.new_doc("User", **values)
		user.append_roles(*roles)
		user.flags.no_welcome_mail = True
		if not fields:
			# nearly every test makes some, and most of the time went into a Contact, a share and defaults
			user.on_update = partial(frappe.clear_cache, user=email)
		return user.insert(ignore_permissions=True).name

	return make


# --- leads -------------------------------------------------------------------------------------------------


@pytest.fixture
def lead():
	return make_lead()


# --- time --------------------------------------------------------------------------------------------------


class FrozenTime:
	"""The site's clock, standing still."""

	def __init__(self, clock):
		self._clock = clock

	def move_to(self, site_time: datetime | str):
		self._clock.move_to(site_to_utc(site_time))

	def tick(self, delta: timedelta):
		self._clock.tick(delta)


def site_to_utc(site_time: datetime | str) -> datetime:
	"""Freezegun counts in UTC; what a test says is in the site's zone, without one of its own."""
	zone = ZoneInfo(get_system_timezone())
	return get_datetime(site_time).replace(tzinfo=zone).astimezone(timezone.utc).replace(tzinfo=None)


@pytest.fixture
def freeze(site):
	"""`with freeze("2025-03-03 09:00") as clock:` the site's time stands still; `clock.move_to("…")` moves it."""

	@contextmanager
	def frozen(site_time: datetime | str) -> Iterator[FrozenTime]:
		with freezegun.freeze_time(site_to_utc(site_time)) as clock:
			yield FrozenTime(clock)

	return frozen


# --- queries -----------------------------------------------------------------------------------------------


class Queries(list):
	"""The SQL statements that ran, without those that only steer the transaction."""

	@property
	def count(self) -> int:
		return len(self)

	def writing(self) -> list[str]:
		return [
			query for query in self if re.match(r"(insert|update|delete|replace)\b", query, re.IGNORECASE)
		]


@pytest.fixture
def count_queries():
	"""`with count_queries() as queries:` then `queries.count`; `queries` is the list of the statements."""

	@contextmanager
	def counting() -> Iterator[Queries]:
		queries = Queries()
		db = frappe.local.db
		run = db.sql

		def sql(query, *args, **kwargs):
			text = str(query).strip()
			if not re.match(r"(savepoint|release|rollback|commit|start|begin)\b", text, re.IGNORECASE):
				queries.append(text)
			return run(query, *args, **kwargs)

		db.sql = sql
		try:
			yield queries
		finally:
			db.sql = run

	return counting


# --- mail --------------------------------------------------------------------------------------------------


class Mailbox:
	"""What a real SMTP server received."""

	def __init__(self):
		self.messages: list[EmailMessage] = []
		self.refuse: str | None = None  # such as "550 no such mailbox": the answer to every mail

	async def handle_DATA(self, server, session, envelope):
		if self.refuse:
			return self.refuse
		message = email.message_from_bytes(envelope.content, policy=email.policy.default)
		message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
		self.messages.append(message)
		return "250 OK"

	def flush(self) -> list[EmailMessage]:
		"""Send what waits in the Email Queue; returns the mails that arrived by it."""
		before = len(self.messages)
		for name in frappe.get_all(
			"Email Queue",
			filters={"status": ("in", ("Not Sent", "Partially Sent"))},
			order_by="creation",
			pluck="name",
		):
			frappe.get_doc("Email Queue", name).send()
		return self.messages[before:]

	def to(self, address: str) -> list[EmailMessage]:
		return [message for message in self.messages if address in message["X-Envelope-To"]]


@pytest.fixture
def smtp(isolation) -> Iterator[Mailbox]:
	"""A real SMTP server, and the site's default outgoing Email Account that sends through it.

	Mail is queued as always; `smtp.flush()` sends it, `smtp.messages` and `smtp.to(address)` show what came.
	"""
	from aiosmtpd.controller import Controller

	with socket.socket() as free:
		free.bind(("127.0.0.1", 0))
		port = free.getsockname()[1]
	mailbox = Mailbox()
	server = Controller(mailbox, hostname="127.0.0.1", port=port)
	server.start()
	frappe.db.set_value("Email Account", {"default_outgoing": 1}, "default_outgoing", 0)
	frappe.get_doc(
		doctype="Email Account",
		email_account_name="Test Outgoing",
		email_id="crm@example.com",
		enable_outgoing=1,
		default_outgoing=1,
		smtp_server="127.0.0.1",
		smtp_port=port,
		no_smtp_authentication=1,
	).insert(ignore_permissions=True)
	frappe.local.outgoing_email_account = {}
	frappe.flags.testing_email = True  # else Frappe in test mode only pretends to send
	try:
		yield mailbox
	finally:
		server.stop()
		frappe.local.outgoing_email_account = {}
