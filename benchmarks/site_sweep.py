"""What the sweep of the clocks costs at 1,000,000 running clocks: with nothing due, and with 10,000 newly due.

`./dev bench` runs it, and does nothing with it before the app is installed. To run it again, in the bench's folder
`sites`:

    LEAD_QUALITY_SITE=lead-quality-bench.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_sweep.py

The scheduler queues the sweep every five minutes, mostly with nothing due: that cost is one request's, a median.

Then the deadlines of 10,000 leads, owned by 50 users, have passed since they were warned of. One sweep is queued as the
scheduler does it, and the bench's own workers, with a Redis of their own, do it and what it shares out. Seconds
from the moment at which the sweep is queued until

- found: each of the clocks stands in a chunk that a worker does, or waits in the queue;
- raised: none of them is due any more, each of the 10,000 alerts is in the database;
- told: no alert is pending any more, each of the 50 users has one Notification Log, and one mail in the queue where the
  site has an account to send it from.

Memory is the highest resident set of any worker process and its children. Nothing is enforced but that each alert
was raised once, and each user told once.
"""

import math

import frappe
from frappe.utils import background_jobs, now_datetime
from on_site import (
	REPS,
	app_is_installed,
	cost_of,
	describe,
	fill,
	median,
	queue_of_its_own,
	request,
	workers,
)

RUNS = 50
DUE = 10_000
# every 97th clock: each of another lead, the users in turn
DUE_CLOCKS = f"select concat('bench', seq * 97) name, seq from seq_1_to_{DUE}"
SWEEP = "lead_quality.follow_up.jobs.sweep_clocks"
ACCOUNT = "Benchmark"


def reset() -> None:
	"""The deadlines of 10,000 clocks have passed within the last five minutes, and nobody has been told of it."""
	for doctype in (
		"Follow Up Alert",
		"Notification Log",
		"Email Queue",
		"Email Queue Recipient",
		"Follow Up Run",
	):
		frappe.db.truncate(doctype)
	due = "%(now)s - interval 1 + seq mod 300 second"
	frappe.db.sql(
		f"""
		update `tabFollow Up Clock` c join ({DUE_CLOCKS}) d on d.name = c.name
		set c.status = 'Running', c.alert_level = 1, c.started_at = {due} - interval 2 day, c.ladder_from = null,
			c.warn_at = {due} - interval 2 hour, c.due_at = {due}, c.next_alert_at = {due}, c.owner_at_breach = null
		""",
		{"now": now_datetime()},
	)
	frappe.db.commit()


def set_far_away() -> None:
	"""None of the clocks is due."""
	frappe.db.sql(
		f"update `tabFollow Up Clock` c join ({DUE_CLOCKS}) d on d.name = c.name "
		"set c.status = 'Running', c.next_alert_at = timestamp('2090-01-01') + interval seq second"
	)
	frappe.db.commit()


def set_mail(is_on: bool) -> None:
	if frappe.db.exists("Email Account", ACCOUNT):
		frappe.db.set_value("Email Account", ACCOUNT, {"enable_outgoing": is_on, "default_outgoing": is_on})
	elif is_on:
		account = frappe.get_doc(
			doctype="Email Account",
			email_account_name=ACCOUNT,
			email_id="crm@bench.example",
			smtp_server="localhost",
			no_smtp_authentication=1,
			enable_outgoing=1,
			default_outgoing=1,
		)
		account.flags.ignore_validate = True  # it would ask the server
		account.insert()
	frappe.db.commit()
	frappe.clear_cache()


def measure(count: int, has_mail: bool) -> None:
	from lead_quality.follow_up import delivery, jobs, sweep

	chunks = math.ceil(DUE / jobs.CHUNK) - 1

	def are_found() -> bool:
		return len(redis.keys("rq:job:*sweep_chunk*")) >= chunks

	def are_raised() -> bool:
		frappe.db.rollback()
		return not sweep.due_clocks(now_datetime(), 1)

	def are_told() -> bool:
		frappe.db.rollback()
		return not delivery.users_to_tell() and frappe.db.count("Notification Log") >= REPS

	with queue_of_its_own(), workers(count, "default", "long") as crew, request():
		reset()
		redis = background_jobs.get_redis_conn()
		frappe.enqueue(SWEEP)
		found = crew.work_until(are_found)
		raised = found + crew.work_until(are_raised)
		told = raised + crew.work_until(are_told)
		check(has_mail)
	print(
		f"{count} worker{'s' if count > 1 else ' '} {'mail' if has_mail else 'bell only':9}"
		f"  found {found:5.1f} s  raised {raised:5.1f} s  told {told:5.1f} s"
		f"  {DUE / told:6,.0f} alerts/s  {crew.memory:4} MB a worker at most"
	)


def check(has_mail: bool) -> None:
	"""Every alert once, every user told once."""
	assert frappe.db.count("Follow Up Alert", {"status": "Sent", "level": 2}) == DUE
	assert frappe.db.count("Follow Up Alert") == DUE
	assert frappe.db.count("Notification Log") == REPS
	assert frappe.db.count("Email Queue") == (REPS if has_mail else 0)


def main() -> None:
	with request():
		if not app_is_installed():
			return
		fill()
		print(describe("Follow Up Clock", "Lead"))
		set_far_away()
	from lead_quality.follow_up import jobs

	costs = []
	for _ in range(RUNS):
		with request():
			costs.append(cost_of(jobs.sweep_clocks))
	print(f"nothing due: {median(costs)}\n")
	for has_mail, counts in ((False, (1, 2, 4)), (True, (2,))):
		with request():
			set_mail(has_mail)
		for count in counts:
			measure(count, has_mail)
	with request():
		set_mail(False)
		set_far_away()
	print()


if __name__ == "__main__":
	main()
