"""What a site with two years of leads gets when the app is installed on it, and in the week after.

`./dev bench first-week [LEADS]` makes a site, the history, and runs both parts; 100,000 leads if no number is said. By
hand, in the bench's folder `sites`, before and after `bench install-app lead_quality`:

    LEAD_QUALITY_SITE=… ../env/bin/python ../apps/lead_quality/benchmarks/first_week.py make 100000
    LEAD_QUALITY_SITE=… ../env/bin/python ../apps/lead_quality/benchmarks/first_week.py week

Of each hundred leads 3 have an order, 9 more an Opportunity and no order, 20 more have answered a mail, 20 more were only
written to, and 48 have nothing; every fifth has no owner. Each day all jobs run, those that tell before those that read,
in a process of their own, beside two workers of the bench on a Redis of their own. Shown is for each job what a week of it
took until its workers had nothing left to do (seconds, statements and memory of its own process), how fast the history
was read, how many leads stand in each stage beside how many should, and what each user was told. Exit status 1 says that
a stage differs, that a lead with an Opportunity waits for a decision, or that a job has failed.
"""

import json
import os
import resource
import sys
import time
import traceback
from collections import defaultdict
from datetime import datetime, timedelta

import frappe
from frappe.utils import background_jobs, now_datetime
from on_site import (
	REP,
	Workers,
	cost_of,
	fill_reps,
	fill_table,
	queue_of_its_own,
	request,
	workers,
)

# the youngest lead came in four days ago
DAYS, ENTRY = 730, "timestampadd(minute, -5760 - floor(seq * {step}), now())"
# of each hundred leads, those who have come at least so far; and those who were written to
SALES, OPPORTUNITIES, PROSPECTS, WRITTEN_TO = 3, 12, 32, 52
LEAD = "concat('OLD-LEAD-', lpad(seq, 6, '0'))"
STAGES = ("target", "prospect", "opportunity", "sale")
WORKERS = 2
LONG = 5  # seconds of a job that is shown as soon as it has ended
UNDONE = {"queued", "started"}


def reached(percent: int, then: str, otherwise: str = "null") -> str:
	return f"if(seq % 100 < {percent}, {then}, {otherwise})"


def make(leads: int) -> None:
	"""The history: leads, mails, Opportunities, customers and orders, past every hook."""
	company = repr(frappe.db.get_value("Company", {}))
	at = ENTRY.format(step=DAYS * 24 * 60 / leads)
	dated = {"creation": at, "modified": at}
	fill_reps()
	fill_manager()
	status = reached(SALES, "'Converted'", reached(OPPORTUNITIES, "'Opportunity'", "'Lead'"))
	fill_table(
		"Lead",
		leads,
		LEAD,
		first_name="'Olga'",
		lead_name="concat('Olga Alt ', seq)",
		title="concat('Old Works ', seq)",
		company_name="concat('Old Works ', seq)",
		email_id="concat('olga.', seq, '@old.example')",
		status=status,
		company=company,
		lead_owner=f"if(seq % 5 = 0, null, {REP})",
		**dated,
	)
	fill_of("Communication", leads, WRITTEN_TO, "concat('oldsent', seq)", **dated, **mail(at, 1, sent=True))
	fill_of("Communication", leads, PROSPECTS, "concat('old', seq)", **dated, **mail(at, 2, sent=False))
	fill_of(
		"Opportunity",
		leads,
		OPPORTUNITIES,
		"concat('OLD-OPP-', seq)",
		opportunity_from="'Lead'",
		party_name=LEAD,
		status="'Open'",
		company=company,
		transaction_date=f"date({at})",
		**dated,
	)
	fill_of("Customer", leads, SALES, "concat('OLD-CUST-', seq)", lead_name=LEAD, customer_name=LEAD, **dated)
	fill_of(
		"Sales Order",
		leads,
		SALES,
		"concat('OLD-SO-', seq)",
		docstatus="1",
		customer="concat('OLD-CUST-', seq)",
		company=company,
		currency="'EUR'",
		transaction_date=f"date({at})",
		base_grand_total="1000",
		**dated,
	)


def fill_manager() -> None:
	"""Who is told how many old leads wait for a decision."""
	user, role = "'manager@bench.example'", "'System Manager'"
	fill_table("User", 1, user, email=user, first_name="'Manager'", user_type="'System User'", enabled="1")
	fill_table("Has Role", 1, user, parent=user, parenttype="'User'", parentfield="'roles'", role=role)
	fill_table("Notification Settings", 1, user, user=user, enabled="1", enable_email_notifications="1")


def mail(at: str, days: int, sent: bool) -> dict[str, str]:
	address = "concat('olga.', seq, '@old.example')"
	return {
		"communication_type": "'Communication'",
		"communication_medium": "'Email'",
		"sent_or_received": "'Sent'" if sent else "'Received'",
		"reference_doctype": "'Lead'",
		"reference_name": LEAD,
		"sender": REP if sent else address,
		"recipients": address if sent else REP,
		"subject": "'Your offer'",
		"content": "'Please call me.'",
		"communication_date": f"{at} + interval {days} day",
	}


def fill_of(doctype: str, leads: int, percent: int, name: str, **columns: str) -> None:
	"""Rows of the leads that have come so far: the others are made and taken away again."""
	fill_table(doctype, leads, name, **columns)
	prefix = frappe.db.sql(f"select {name.replace('seq', repr(''))}")[0][0]
	frappe.db.sql(
		f"delete from `tab{doctype}` where name like %s and substr(name, %s) %% 100 >= {percent}",
		(f"{prefix}%", len(prefix) + 1),
	)
	frappe.db.commit()


def truth(leads: int) -> dict[str, int]:
	"""How many leads stand in each stage, as `make` has made them."""
	parts = (100, PROSPECTS, OPPORTUNITIES, SALES, 0)
	at_least = [sum(seq % 100 < part for seq in range(1, leads + 1)) for part in parts]
	return {stage: at_least[place] - at_least[place + 1] for place, stage in enumerate(STAGES)}


class Spent:
	"""What the runs of one job took."""

	def __init__(self) -> None:
		self.seconds: list[float] = []
		self.statements = self.memory = 0

	def add(self, seconds: float, statements: int, memory: int) -> None:
		self.seconds.append(seconds)
		self.statements += statements
		self.memory = max(self.memory, memory)


def week() -> bool:
	"""Run the jobs of a week; returns whether everything is right then."""
	with request():
		started = now_datetime()
		paths = jobs()
	spent: dict[str, Spent] = defaultdict(Spent)
	with queue_of_its_own(), workers(WORKERS, "long", "default", "short") as crew:
		begin = time.perf_counter()
		for day in range(7):
			print(f"day {day + 1} of 7, from {time.perf_counter() - begin:.0f} s on", flush=True)
			for path in paths:
				took = run(path, started + timedelta(days=day), crew)
				spent[path].add(*took)
				if took[0] > LONG:
					print(f"  {short(path)} took {took[0]:.1f} s", flush=True)
		failed = failed_jobs()
	with request():
		report_jobs(spent)
		print(f"a worker took at most {crew.memory} MB")
		report_reading()
		report_told(started)
		return report_stages() & report_waiting() & report_failed(started, failed)


def run(path: str, now: datetime, crew: Workers) -> tuple[float, int, int]:
	"""Run a job, and what it gives to the workers. Returns the seconds, and its own statements and memory in MB."""
	begin = time.perf_counter()
	statements, memory = run_apart(path, now)
	wait_for_workers(crew)
	return time.perf_counter() - begin, statements, memory


def run_apart(path: str, now: datetime) -> tuple[int, int]:
	"""Run a job in a process of its own. Returns its statements, and its highest resident set in MB."""
	reading, writing = os.pipe()
	child = os.fork()
	if not child:
		try:  # whatever comes, what the parent has begun is the parent's to end
			with request():
				cost = cost_of(lambda: (frappe.get_attr(path)(now=now), frappe.db.commit()))
			memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
			os.write(writing, json.dumps([cost.queries, memory]).encode())
		except BaseException:
			traceback.print_exc()
		finally:
			os._exit(0)
	os.close(writing)
	with os.fdopen(reading) as answer:
		told = answer.read()
	os.waitpid(child, 0)
	if not told:
		raise RuntimeError(f"{path} has failed.")
	return tuple(json.loads(told))


def wait_for_workers(crew: Workers) -> None:
	with request():
		crew.work_until(lambda: all(state not in UNDONE for state in states_of_jobs()))


def states_of_jobs() -> list[str]:
	"""Of every job on the Redis, at one instant: a job that a worker has just taken is in no queue, and not begun yet."""
	redis = background_jobs.get_redis_conn()
	known: set[bytes] = set()
	states: list[bytes | None] = []
	while known != (found := set(redis.scan_iter("rq:job:*"))):
		known = found
		with redis.pipeline() as pipeline:
			for key in sorted(known):
				pipeline.hget(key, "status")
			states = pipeline.execute()
	return [state.decode() for state in states if state]


def failed_jobs() -> int:
	with request():
		return states_of_jobs().count("failed")


def jobs() -> list[str]:
	"""The app's scheduled functions: what tells first, what reads last, as no order may matter."""
	events = frappe.get_hooks("scheduler_events", app_name="lead_quality")
	paths = [path for kind in ("daily_long", "hourly", "hourly_long") for path in events.get(kind, [])]
	return list(
		dict.fromkeys([*paths, *(path for some in events["cron"].values() for path in reversed(some))])
	)


def short(path: str) -> str:
	return path.removeprefix("lead_quality.")


def report_jobs(spent: dict[str, Spent]) -> None:
	for path, job in spent.items():
		print(
			f"{short(path):42} {sum(job.seconds):8.1f} s, longest {max(job.seconds):7.1f} s,"
			f" {job.statements:9,} statements, {job.memory:4} MB"
		)


def report_reading() -> None:
	"""From when the first part of the leads was begun until the last one was read in."""
	leads, seconds = frappe.db.sql(
		"""
		select sum(total), sum(timestampdiff(microsecond, started_at, finished_at)) / 1e6
		from `tabFollow Up Run` where job = 'read_history' and ifnull(part_of, '') = '' and total > 0
		"""
	)[0]
	print(
		f"history read: {int(leads):,} leads in {seconds:.1f} s, {leads / seconds:,.0f} leads/s by {WORKERS} workers"
	)


def report_failed(since: datetime, jobs: int) -> bool:
	runs = frappe.db.count("Follow Up Run", {"failed": [">", 0]})
	logged = frappe.db.count("Error Log", {"creation": [">=", since]})
	print(f"failed: {jobs} jobs, {runs} runs; errors logged: {logged}")
	return not (jobs or runs or logged)


def report_told(since: datetime) -> None:
	print(f"alerts raised: {frappe.db.count('Follow Up Alert'):,}")
	told = frappe.db.sql(
		"""
		select for_user, count(*), max(length(ifnull(email_content, '')) + length(subject)), min(subject)
		from `tabNotification Log` where creation >= %s group by for_user order by 2 desc
		""",
		(since,),
	)
	for user, count, longest, subject in told:
		print(f"told: {user} {count} messages, the longest of {int(longest or 0):,} bytes: {subject}")
	print(f"users told: {len(told)} of {frappe.db.count('User', {'enabled': 1}):,}")


def report_waiting() -> bool:
	waiting, wrong = frappe.db.sql(
		"select count(*), sum(lq_stage in ('opportunity', 'sale')) from `tabLead` where lq_waits = 1"
	)[0]
	print(
		f"leads that wait for a decision: {waiting:,}, of which with an Opportunity or an order: {wrong or 0}"
	)
	return not wrong


def report_stages() -> bool:
	found = dict(
		frappe.db.sql(
			"select lq_stage, count(*) from `tabLead` where name like 'OLD-LEAD-%' group by lq_stage"
		)
	)
	wanted = truth(sum(found.values()))
	for stage in STAGES:
		print(f"{stage:12} {found.get(stage, 0):8,} of {wanted[stage]:8,}")
	return found == wanted


if __name__ == "__main__":
	if sys.argv[1] == "make":
		with request():
			make(int(sys.argv[2]))
	else:
		sys.exit(0 if week() else 1)
