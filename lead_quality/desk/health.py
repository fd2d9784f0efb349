"""The health page: whether everything runs, what is wrong if not, and where to fix it.

Nothing of this needs a job to have run. A check that fails is a finding like any other: the page comes up on a new
site and without Redis.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone

import frappe
import redis
from frappe import _
from frappe.email.doctype.email_account.email_account import EmailAccount
from frappe.utils import add_days, cint, format_datetime, now_datetime
from frappe.utils.background_jobs import generate_qname, get_redis_conn
from frappe.utils.scheduler import is_dormant, is_scheduler_disabled
from rq import Queue, Worker
from rq.job import Job

from lead_quality.base import query
from lead_quality.base.site_time import aware
from lead_quality.desk import set_up
from lead_quality.desk.findings import ORANGE, RED, SEVERITIES, counted, finding, named
from lead_quality.desk.scheduled_jobs import get_jobs, tolerance
from lead_quality.funnel.conditions import OPEN_ENROLLMENTS
from lead_quality.nurture import mending
from lead_quality.permissions import is_manager

QUEUES = ("default", "long")
LONG_QUEUE = 500
DAYS_OF_OUTAGES = 30
DAYS_OF_MAIL = 7


@frappe.whitelist()
def get_health() -> dict:
	"""The state of everything that the app relies on.

	:returns: `state` (red, orange, green), `checked_at`, `findings` (see `findings.finding`; the worst first), `jobs`
	    (see `get_jobs`) and `outages` (`since` and `until`). Instants are naive, in the site's zone.
	:raises frappe.PermissionError: for whoever is no manager.
	"""
	if not is_manager():
		frappe.throw(_("Only managers see this."), frappe.PermissionError)
	now = now_datetime()
	jobs, found = _run_check(_("The scheduled jobs"), lambda: get_jobs(now))
	for name, check in checks(now, jobs):
		results, failures = _run_check(name, check)
		found += results + failures
	seen, failures = _run_check(_("Outages"), lambda: outages(now))
	found = sorted(found + failures, key=lambda row: SEVERITIES.index(row["severity"]))
	worst = found[0]["severity"] if found else None
	return {
		"state": worst if worst in {RED, ORANGE} else "green",
		"checked_at": now,
		"findings": found,
		"jobs": jobs,
		"outages": seen,
	}


@frappe.whitelist()
def get_alarm() -> list[str]:
	"""What does not work, a line each, for a banner; empty if everything does, and for who may not know."""
	if not is_manager():
		return []
	return [row["title"] for row in get_health()["findings"] if row["severity"] == RED]


def checks(now: datetime, jobs: list[dict]) -> list[tuple[str, Callable[[], Iterable[dict]]]]:
	"""What is looked at, and a function that yields what is wrong with it."""
	return [
		(_("The scheduler"), lambda: scheduler_findings(now, jobs)),
		(_("The queues"), lambda: queue_findings(now)),
		(_("Outgoing mail"), lambda: mail_findings(now)),
		(_("Leads without owner"), lambda: set_up.owner_findings(now)),
		(_("Old leads"), set_up.backlog_findings),
		(_("Segments"), set_up.segment_findings),
		(_("Cadences"), cadence_findings),
		(_("Escalations"), set_up.escalation_findings),
		(_("Users"), set_up.user_findings),
		(_("Calendars"), lambda: set_up.calendar_findings(now)),
	]


def _run_check(name: str, look: Callable[[], Iterable]) -> tuple[list, list[dict]]:
	"""What a check gives, and, if it fails, that as a finding."""
	try:
		return list(look()), []
	except Exception as error:
		words = f"{type(error).__name__}: {error}"
		return [], [finding(ORANGE, _("{0} could not be checked").format(name), words)]


def outages(now: datetime) -> list[dict]:
	"""When nothing had looked at the clocks, in the last month, the latest first."""
	return query.run(
		"""
		select outage_from as since, min(started_at) as until
		from `tabFollow Up Run`
		where outage_from is not null and started_at > %s
		group by outage_from
		order by outage_from desc
		limit 10
		""",
		(add_days(now, -DAYS_OF_OUTAGES),),
		as_dict=True,
	)


def cadence_findings() -> Iterator[dict]:
	yield from counted(
		ORANGE,
		_("Active enrollments without exactly one planned touch at their time: {0}"),
		mending.count_broken(),
		_(
			"They were changed outside the app. A job corrects them within the hour; if this happens again, find out what writes to Lead Touch."
		),
		"Nurture Enrollment",
		status=["in", OPEN_ENROLLMENTS],
	)
	yield from counted(
		ORANGE,
		_("Planned touches of cadences that have ended: {0}"),
		mending.count_stray(),
		_(
			"They were changed outside the app. A job cancels them within the hour; if this happens again, find out what writes to Nurture Enrollment."
		),
		"Lead Touch",
		status="Planned",
	)


# what keeps jobs from running


def scheduler_findings(now: datetime, jobs: list[dict]) -> Iterator[dict]:
	switched_off = list(_switches())
	yield from switched_off
	late = [job for job in jobs if job["state"] == "late"]
	if late and not switched_off:
		yield _late_finding(late, now)
	stopped = [job["label"] for job in jobs if job["state"] == "stopped"]
	if stopped:
		yield finding(
			RED,
			_("Jobs were stopped by hand"),
			_("{0}. Clear Stopped on their Scheduled Job Types.").format(named(stopped)),
			"Scheduled Job Type",
			method=["like", "lead_quality.%"],
			stopped=1,
		)
	missing = [job["label"] for job in jobs if not job["frequency"]]
	if missing:
		yield finding(
			RED,
			_("Jobs are not registered"),
			_("{0}. Run bench migrate on this site.").format(named(missing)),
		)
	for job in jobs:
		if job["state"] == "failed":
			yield finding(
				ORANGE,
				_("A job has failed: {0}").format(job["label"]),
				_("The next run tries again. If it keeps failing, the errors of the run show why."),
				*(("Follow Up Run", job["run"]["name"]) if job["run"] else ("Scheduled Job Log",)),
			)


def _switches() -> Iterator[dict]:
	"""Everything that may be set so that no job is started."""
	site = frappe.local.site
	if cint(frappe.conf.maintenance_mode):
		yield finding(
			RED,
			_("The site is in maintenance mode: no job runs"),
			_("Run: bench --site {0} set-maintenance-mode off").format(site),
		)
	if cint(frappe.conf.pause_scheduler):
		yield finding(
			RED,
			_("The scheduler is paused: no job runs"),
			_(
				"pause_scheduler is set in the site's configuration. Run: bench --site {0} scheduler resume"
			).format(site),
		)
	if is_scheduler_disabled(verbose=False):
		yield finding(
			RED,
			_("The scheduler is switched off: no job runs"),
			_("Run: bench --site {0} scheduler enable, or tick Enable Scheduled Jobs.").format(site),
			"System Settings",
		)
	elif is_dormant():
		yield finding(
			RED,
			_("The site is dormant: jobs run only once a day"),
			_(
				"Frappe marks a site as dormant when nobody has logged in for some days. It becomes active within an hour of a login; set Dormant Days to 0 to keep it active."
			),
			"System Settings",
		)


def _late_finding(late: list[dict], now: datetime) -> dict:
	last = query.run("select max(last_execution) from `tabScheduled Job Type` where stopped = 0")[0][0]
	if not last or last + tolerance() < now:
		since = format_datetime(last) if last else _("the install")
		return finding(
			RED,
			_("No job of any app has been started since {0}").format(since),
			_(
				"The scheduler process, or every background worker, is not running. Make sure that supervisor (or the Procfile) starts both: bench doctor shows which is missing."
			),
			"RQ Worker",
		)
	return finding(
		RED,
		_("Jobs are late"),
		_("{0}. Other jobs run: check whether these are waiting in a queue.").format(
			named(job["label"] for job in late)
		),
		"RQ Job",
	)


# queues


def queue_findings(now: datetime) -> Iterator[dict]:
	# without Frappe's own retries, which keep a page waiting for seconds
	connect = getattr(get_redis_conn, "__wrapped__", get_redis_conn)
	try:
		connection = connect()
		workers = Worker.all(connection=connection)
		queues = {name: Queue(generate_qname(name), connection=connection) for name in QUEUES}
		listening = {queue for worker in workers for queue in worker.queue_names()}
		deaf = [name for name, queue in queues.items() if queue.name not in listening]
		waiting = {name: (queue.count, _waited(queue, connection, now)) for name, queue in queues.items()}
	except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
		yield finding(
			RED,
			_("Redis cannot be reached: no job can be queued"),
			_(
				"Start the Redis server that redis_queue in common_site_config.json names. It says: {0}"
			).format(error),
		)
		return
	if deaf:
		yield finding(
			RED,
			_("No background worker serves the queue: {0}").format(", ".join(deaf)),
			_("Jobs are queued, but no worker runs them. Start one: bench worker --queue {0}").format(
				",".join(deaf)
			),
			"RQ Worker",
		)
	for name, (count, waited) in waiting.items():
		if name not in deaf and waited > tolerance():
			yield finding(
				RED,
				_("The queue {0} is stuck").format(name),
				_(
					"Its first job has been waiting for {0} minutes; {1} jobs are waiting. Start more workers."
				).format(int(waited.total_seconds() // 60), count),
				"RQ Job",
				queue=name,
			)
		elif count > LONG_QUEUE:
			yield finding(
				ORANGE,
				_("The queue {0} is long").format(name),
				_("{0} jobs are waiting. Start more workers if this continues.").format(count),
				"RQ Job",
				queue=name,
			)


def _waited(queue: Queue, connection, now: datetime) -> timedelta:
	"""How long the job has waited that is next in a queue."""
	first = next(iter(queue.get_job_ids(0, 1)), None)
	if not first or not Job.exists(first, connection=connection):
		return timedelta()
	since = Job.fetch(first, connection=connection).enqueued_at
	if not since:
		return timedelta()
	return aware(now) - (since if since.tzinfo else since.replace(tzinfo=timezone.utc))


# mail


def mail_findings(now: datetime) -> Iterator[dict]:
	bell = _("Users are notified in the desk only.")
	if frappe.are_emails_muted():
		yield finding(
			ORANGE,
			_("Mails are muted"),
			_("mute_emails is set in the site's configuration. {0}").format(bell),
		)
		return
	if cint(frappe.db.get_default("suspend_email_queue")):
		yield finding(
			ORANGE,
			_("Sending of e-mails is suspended"),
			_("E-mails are queued but not sent: choose Resume Sending above the list. {0}").format(bell),
			"Email Queue",
		)
	if not EmailAccount.find_outgoing():
		yield finding(
			ORANGE,
			_("There is no default account for outgoing mail"),
			_("Make an Email Account with Enable Outgoing and Default Outgoing. {0}").format(bell),
			"Email Account",
		)
	since = add_days(now, -DAYS_OF_MAIL)
	yield from counted(
		ORANGE,
		_("E-mails that could not be sent in the last {0} days: {1}").format(DAYS_OF_MAIL, "{0}"),
		frappe.db.count("Email Queue", {"status": "Error", "modified": [">", since]}),
		_("Each e-mail in the queue shows why."),
		"Email Queue",
		status="Error",
	)
	an_hour_ago = now - timedelta(hours=1)
	waiting = query.run(
		"""
		select count(*) from `tabEmail Queue`
		where status = 'Not Sent' and creation between %s and %s and ifnull(send_after, creation) < %s
		""",
		(since, an_hour_ago, an_hour_ago),
	)[0][0]
	yield from counted(
		ORANGE,
		_("E-mails that have been waiting for more than an hour: {0}"),
		waiting,
		_("A scheduled job of Frappe sends them."),
		"Email Queue",
		status="Not Sent",
	)
