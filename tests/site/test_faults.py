"""Fault drills: whatever happens to the machines, each alert is raised once, each user told once, no clock lost.

Two of the bench's own workers do the sweeps, as processes of their own that are started and ended here, with a Redis
of their own: one for the queue of the sweeps, one for that of what they share out. What a drill has in the database
is there for good, so that the workers see it, and goes away with the drill.
"""

import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import frappe
import psutil
import pytest
import redis
from frappe.utils import now_datetime
from frappe.utils.background_jobs import enqueue, generate_qname
from rq import Queue

from benchmarks.on_site import await_that, end, queue_of_its_own, start_worker
from lead_quality.base.rows import insert_rows
from lead_quality.demo.factories import make_lead
from lead_quality.follow_up import jobs, sweep

POLICY = "Fault Drill"
LEADS = "FAULT-LEAD-"
USERS = [f"rep{number}@faults.example" for number in range(3)]
# one chunk that the sweep does itself, and one that it shares out
CLOCKS = jobs.CHUNK + 40
IN_FIRST_CHUNK, IN_SECOND_CHUNK = 100, jobs.CHUNK + 20
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LONGEST_WAIT = 60
SWEEPS, SHARES = "default", "long"


class Crew:
	"""The workers: one does the sweeps, one what they share out."""

	def __init__(self, url: str):
		self.url, self.redis = url, redis.Redis.from_url(url)
		self.workers: dict[str, subprocess.Popen] = {}

	def start(self):
		"""Start those that are not there."""
		for queue in {SWEEPS, SHARES} - set(self.workers):
			self.workers[queue] = start_worker(queue)

	def halt(self, queue: str):
		self.workers[queue].send_signal(signal.SIGSTOP)

	def go_on(self, queue: str):
		self.workers[queue].send_signal(signal.SIGCONT)

	def kill(self, queue: str):
		"""A worker, and its child that does the job."""
		worker = self.workers.pop(queue)
		children = psutil.Process(worker.pid).children(recursive=True)
		worker.kill()
		for child in children:
			child.kill()
		worker.wait(LONGEST_WAIT)

	def finish(self, *queues: str):
		"""Wait until they have done what there is to do: a last job behind all others is done, and none came after."""
		queues = [Queue(generate_qname(queue), connection=self.redis) for queue in queues or (SWEEPS, SHARES)]
		is_done = False
		while not is_done:
			for queue in queues:
				last = queue.enqueue("time.time")
				try:
					await_that(lambda last=last: last.is_finished, LONGEST_WAIT)
				except TimeoutError as error:
					raise TimeoutError(what_hangs(queue, last)) from error
			is_done = not any(queue.count for queue in queues)

	def forget_jobs(self):
		"""What killed workers have left behind."""
		for key in self.redis.scan_iter("rq:*"):
			if not key.startswith(b"rq:worker"):
				self.redis.delete(key)

	def dismiss(self):
		for queue in self.workers:
			self.go_on(queue)
		end(list(self.workers.values()))


def what_hangs(queue: Queue, last) -> str:
	"""What a worker is at that does not come to an end."""
	jobs = ", ".join((*queue.started_job_registry.get_job_ids(), "then", *queue.get_job_ids()))
	statements = frappe.db.sql_list(
		"select concat_ws(' ', time, state, info) from information_schema.processlist where db = database()"
	)
	return "\n".join((f"{queue.name}: {jobs}", f"{last.get_status()} {last.exc_info or ''}", *statements))


class Drill:
	"""Leads of three users, whose clocks have been warned of and are due, and what happens to them."""

	# in the names of the clocks. The database keeps a deleted key for a while, and locks what follows it while the
	# same key is inserted again: one drill would hold up what it does not mean to, by what is left of the one before
	mark = ""

	def __init__(self, crew: Crew):
		Drill.mark = frappe.generate_hash(length=6)
		self.crew = crew
		self.now = now_datetime()
		self.held = ""

	# what is there

	def make_clocks(self, *numbers: int, due: Callable[[int], datetime] | None = None):
		"""Running clocks, each of a lead of its own; without `due` all have just fallen due, in their order."""
		due = due or (lambda number: self.now - timedelta(seconds=CLOCKS - number))
		leads = [(lead_of(number), lead_of(number), owner_of(number), "Lead") for number in numbers]
		frappe.db.bulk_insert("Lead", ["name", "title", "lead_owner", "status"], leads)
		clocks = {
			"name": clock_of,
			"lead": lead_of,
			"lead_name": lead_of,
			"owner_at_breach": lambda number: None,
			"clock": lambda number: "Triage",
			"status": lambda number: "Running",
			"policy": lambda number: POLICY,
			"unit": lambda number: "Hours",
			"alert_level": lambda number: 1,
			"started_at": lambda number: due(number) - 2 * HOUR,
			"warn_at": lambda number: due(number) - HOUR,
			"due_at": due,
			"next_alert_at": due,
		}
		rows = [tuple(value(number) for value in clocks.values()) for number in numbers]
		frappe.db.bulk_insert("Follow Up Clock", list(clocks), rows)
		frappe.db.commit()

	def make_sweeps(self, *times: datetime):
		"""Sweeps have run then, and found nothing."""
		rows = [{"job": "sweep_clocks", "status": "Completed", "started_at": time} for time in times]
		insert_rows("Follow Up Run", rows, self.now)
		frappe.db.commit()

	# what happens

	def sweep(self, queue: str = SWEEPS):
		"""As the scheduler does it every five minutes: two jobs for the workers."""
		self.crew.start()
		for job in ("sweep_clocks", "deliver_alerts"):
			enqueue(f"lead_quality.follow_up.jobs.{job}", queue=queue)

	def hold_up(self, number: int):
		"""Whoever raises the alert of this clock waits in mid-transaction until `let_go`: its key is being taken."""
		self.held = f"{clock_of(number)}:2:{owner_of(number)}"
		frappe.db.sql(
			"insert into `tabFollow Up Alert` (name, alert_key) values (%s, %s)", (self.held, self.held)
		)

	def wait_until_held_up(self) -> int:
		"""Returns the id of the connection that waits."""
		await_that(self.connections_held_up, LONGEST_WAIT)
		return self.connections_held_up()[0]

	def let_go(self):
		"""If who waited has gone meanwhile, the database finds out now."""
		frappe.db.rollback()
		await_that(lambda: not self.connections_held_up(), LONGEST_WAIT)

	def connections_held_up(self) -> list[int]:
		return frappe.db.sql_list(
			"""
			select id from information_schema.processlist
			where db = database() and id != connection_id() and info like %s
			""",
			(f"insert into `tabFollow Up Alert`%{self.held}%",),
		)

	# what has become of it

	def assert_told_once(self, count: int = CLOCKS, by_system: int = 0, messages: int = 1):
		"""Each clock missed and on its ladder, one alert each, so many messages a user, every sweep that was not
		killed completed."""
		frappe.db.rollback()
		clocks = frappe.get_all(
			"Follow Up Clock",
			{"policy": POLICY},
			["name", "status", "alert_level", "missed_by_system", "next_alert_at"],
			order_by="name asc",
		)
		assert [clock.name for clock in clocks] == [clock_of(number) for number in range(count)]
		states = {(clock.status, clock.alert_level, clock.missed_by_system) for clock in clocks}
		assert states == {("Missed", 2, by_system)}
		assert min(clock.next_alert_at for clock in clocks) > self.now + 30 * 24 * HOUR
		assert self.alerts(level=2) == [
			(clock_of(number), owner_of(number), "Sent") for number in range(count)
		]
		assert self.told() == sorted(USERS * messages)

	def alerts(self, level: int) -> list[tuple]:
		frappe.db.rollback()
		rows = frappe.get_all(
			"Follow Up Alert",
			{"lead": ("like", f"{LEADS}%"), "level": level},
			["follow_up_clock", "for_user", "status"],
			order_by="follow_up_clock asc",
			as_list=True,
		)
		return [tuple(row) for row in rows]

	def told(self) -> list[str]:
		return frappe.get_all(
			"Notification Log", {"for_user": ("in", USERS)}, pluck="for_user", order_by="for_user asc"
		)

	def runs(self) -> list[str]:
		"""How the sweeps and their chunks have ended."""
		frappe.db.rollback()
		return frappe.get_all(
			"Follow Up Run", {"job": "sweep_clocks"}, pluck="status", order_by="started_at asc, creation asc"
		)

	def clean_up(self):
		frappe.db.rollback()
		for doctype in ("Follow Up Clock", "Follow Up Alert"):
			frappe.db.delete(doctype, {"lead": ("like", f"{LEADS}%")})
		frappe.db.delete("Lead", {"name": ("like", f"{LEADS}%")})
		frappe.db.delete("Notification Log", {"for_user": ("in", USERS)})
		frappe.db.delete("Follow Up Run", {"job": ("in", ("sweep_clocks", "deliver_alerts"))})
		frappe.db.delete("Error Log", {"creation": (">=", self.now)})
		frappe.db.delete("Follow Up Escalation", {"parent": POLICY})
		frappe.db.delete("Follow Up Policy", {"name": POLICY})
		for doctype in ("Has Role", "Notification Settings", "User"):
			frappe.db.delete(doctype, {"name": ("in", USERS)})
		frappe.db.commit()


def clock_of(number: int) -> str:
	return f"fault-{Drill.mark}-{number:04}"


def lead_of(number: int) -> str:
	return f"{LEADS}{number:04}"


def clocks_of(alerts: list[tuple]) -> list[str]:
	return [clock for clock, _user, _status in alerts]


def owner_of(number: int) -> str:
	return USERS[number % len(USERS)]


@pytest.fixture(scope="module")
def crew(site) -> Iterator[Crew]:
	with queue_of_its_own(with_cache=True) as url:
		crew = Crew(url)
		try:
			yield crew
		finally:
			crew.dismiss()


@pytest.fixture
def drill(crew, real_commits, monkeypatch) -> Iterator[Drill]:
	monkeypatch.setitem(frappe.local.conf, "redis_queue", crew.url)
	drill = Drill(crew)
	drill.clean_up()
	make_users()
	make_policy()
	frappe.db.commit()
	try:
		yield drill
	finally:
		frappe.db.rollback()
		crew.start()
		crew.finish()
		crew.forget_jobs()
		drill.clean_up()


def make_users():
	for user in USERS:
		role = {"parent": user, "parenttype": "User", "parentfield": "roles", "role": "Sales User"}
		for doctype, values in {
			"User": {"email": user, "first_name": user, "enabled": 1, "user_type": "System User"},
			"Has Role": role,
			"Notification Settings": {"user": user, "enabled": 1},
		}.items():
			frappe.get_doc({"doctype": doctype, "name": user, **values}).db_insert()


def make_policy():
	"""With a ladder that goes on long after the drill."""
	calendar = frappe.get_all("Working Calendar", pluck="name", order_by="name asc")[0]
	policy = frappe.get_doc(
		{
			"doctype": "Follow Up Policy",
			"name": POLICY,
			"title": POLICY,
			"working_calendar": calendar,
			"escalations": [{"idx": 1, "after": 90, "unit": "Days", "action": "Notify Owner"}],
		}
	)
	policy.db_insert()
	policy.escalations[0].update({"parent": POLICY}).db_insert()


# a process dies


def test_a_worker_that_is_killed_with_its_chunk_loses_and_doubles_nothing(drill, crew):
	drill.make_clocks(*range(CLOCKS))
	crew.start()
	crew.halt(SHARES)
	drill.sweep()
	crew.finish(SWEEPS)
	drill.hold_up(IN_SECOND_CHUNK)
	crew.go_on(SHARES)
	drill.wait_until_held_up()
	crew.kill(SHARES)
	drill.let_go()
	assert drill.runs() == ["Completed", "Running"]
	drill.sweep()
	crew.finish()
	drill.assert_told_once()


def test_a_sweep_that_is_killed_before_it_has_done_anything_loses_and_doubles_nothing(drill, crew):
	drill.make_clocks(*range(CLOCKS))
	crew.start()
	crew.halt(SHARES)
	drill.hold_up(IN_FIRST_CHUNK)
	drill.sweep()
	drill.wait_until_held_up()
	crew.kill(SWEEPS)
	drill.let_go()
	assert drill.alerts(level=2) == []
	crew.go_on(SHARES)
	drill.sweep()
	crew.finish()
	drill.assert_told_once()


# two at once


def test_of_two_sweeps_at_once_each_does_what_the_other_does_not(drill, crew):
	drill.make_clocks(*range(CLOCKS))
	drill.hold_up(IN_FIRST_CHUNK)
	drill.sweep()
	drill.wait_until_held_up()
	drill.sweep(queue=SHARES)
	crew.finish(SHARES)
	drill.let_go()
	crew.finish()
	drill.assert_told_once()
	assert set(drill.runs()) == {"Completed"}


def test_a_chunk_that_the_database_undoes_in_a_deadlock_is_done_clock_by_clock(drill, crew):
	drill.make_clocks(*range(CLOCKS))
	crew.start()
	crew.halt(SHARES)
	drill.sweep()
	crew.finish(SWEEPS)
	# the database undoes whoever has changed less
	frappe.db.sql("insert into `tabFollow Up Alert` (name) select concat('fault-', seq) from seq_1_to_1000")
	drill.hold_up(IN_SECOND_CHUNK)
	crew.go_on(SHARES)
	drill.wait_until_held_up()
	frappe.db.sql("select name from `tabFollow Up Clock` where name = %s for update", clock_of(jobs.CHUNK))
	drill.let_go()
	crew.finish()
	assert set(drill.runs()) == {"Completed"}
	drill.sweep()
	crew.finish()
	drill.assert_told_once()


# a server fails


def test_what_was_in_a_redis_that_is_emptied_is_found_again(drill, crew):
	drill.make_clocks(*range(CLOCKS))
	crew.start()
	crew.halt(SHARES)
	drill.sweep()
	crew.finish(SWEEPS)
	crew.redis.flushall()
	crew.go_on(SHARES)
	crew.finish()
	assert len(drill.alerts(level=2)) == jobs.CHUNK
	drill.sweep()
	crew.finish()
	drill.assert_told_once()


def test_a_database_connection_that_is_dropped_loses_and_doubles_nothing(drill, crew):
	drill.make_clocks(*range(CLOCKS))
	drill.hold_up(IN_FIRST_CHUNK)
	drill.sweep()
	frappe.db.sql(f"kill {drill.wait_until_held_up()}")
	drill.let_go()
	crew.finish()
	assert len(drill.alerts(level=2)) == CLOCKS - jobs.CHUNK
	drill.sweep()
	crew.finish()
	drill.assert_told_once()


def test_a_sweep_that_can_share_out_nothing_does_its_own_chunk(make_user, freeze, monkeypatch):
	rep = make_user("rep@faults.example", "Sales User")
	with freeze("2026-03-02 10:00:00"):
		for _number in range(2):
			make_lead(lead_owner=rep)
	monkeypatch.setattr("frappe.enqueue", refuse)
	monkeypatch.setattr(jobs, "CHUNK", 1)
	with freeze("2026-03-09 10:00:00"):
		due = sweep.due_clocks(now_datetime(), 100)
		for number in range(len(due)):
			assert jobs.sweep_clocks() == {"found": 1, "done": 1, "failed": 0, "queued": 0}
			assert len(sweep.due_clocks(now_datetime(), 100)) == len(due) - number - 1
			assert "ConnectionError" in frappe.get_last_doc("Follow Up Run", {"job": "sweep_clocks"}).errors
		assert jobs.deliver_alerts()["done"] == 1


def refuse(*args, **options):
	"""What `frappe.enqueue` does where no Redis answers."""
	raise redis.exceptions.ConnectionError


# time


def test_an_hour_that_comes_twice_tells_nobody_twice(drill, crew, freeze):
	"""The server's clock was an hour ahead and is set back."""
	ahead = drill.now + HOUR
	drill.make_sweeps(*(ahead - number * 5 * MINUTE for number in range(1, 25)))
	told, warned, later = range(0, 6), range(6, 9), range(9, 12)
	drill.make_clocks(*told, due=lambda number: drill.now + number * 10 * MINUTE)
	drill.make_clocks(*warned, due=lambda number: ahead + 3 * MINUTE)
	frappe.db.sql(
		"update `tabFollow Up Clock` set alert_level = 0, next_alert_at = warn_at where name in %s",
		([clock_of(number) for number in warned],),
	)
	frappe.db.commit()
	with freeze(ahead):
		jobs.sweep_clocks()
	drill.make_clocks(*later, due=lambda number: drill.now - MINUTE)
	drill.sweep()
	crew.finish()
	assert clocks_of(drill.alerts(level=2)) == [clock_of(number) for number in (*told, *later)]
	with freeze(ahead + 5 * MINUTE):
		jobs.sweep_clocks()
	assert clocks_of(drill.alerts(level=1)) == [clock_of(number) for number in warned]
	drill.assert_told_once(count=12, messages=3)


def test_five_days_without_a_scheduler_are_told_in_one_message_and_charged_to_nobody(drill, crew):
	off = timedelta(days=5)
	drill.make_sweeps(drill.now - off)
	drill.make_clocks(*range(CLOCKS), due=lambda number: drill.now - off + (number + 1) * off / (CLOCKS + 1))
	crew.start()
	crew.halt(SHARES)
	drill.sweep()
	drill.sweep()  # while what the first has shared out still waits
	crew.finish(SWEEPS)
	crew.go_on(SHARES)
	crew.finish()
	drill.assert_told_once(by_system=1)
