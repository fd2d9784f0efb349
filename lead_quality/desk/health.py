"""Is everything running, and what is wrong if it is not: in plain words, with where to mend it.

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

from lead_quality.base.routes import form_route
from lead_quality.base.site_time import aware
from lead_quality.desk import set_up
from lead_quality.desk.findings import ORANGE, RED, SEVERITIES, finding, named
from lead_quality.nurture import mending

READERS = frozenset({"Lead Quality Manager", "Sales Manager", "System Manager"})

# jobs whose runs are not kept under the name of their function
RUNS = {"lead_quality.follow_up.replan.replan_changed": "replan"}

QUEUES = ("default", "long")
LONG_QUEUE = 500
# a run that has not ended by then has been killed
LONGEST_RUN = timedelta(hours=2)
DAYS_OF_OUTAGES = 30
DAYS_OF_MAIL = 7


@frappe.whitelist()
def get_health() -> dict:
	"""The state of everything that the app relies on.

	:returns: `state` (red, orange, green), `checked_at`, `findings` (see `findings.finding`; the worst first), `jobs`
	    (see `get_jobs`) and `outages` (`since` and `until`). Instants are naive, in the site's zone.
	:raises frappe.PermissionError: for whoever has none of the roles `READERS`.
	"""
	if not may_read():
		frappe.throw(_("Only managers see this."), frappe.PermissionError)
	now = now_datetime()
	jobs, found = _looked_at(_("The scheduled jobs"), lambda: get_jobs(now))
	for name, check in checks(now, jobs):
		results, failures = _looked_at(name, check)
		found += results + failures
	seen, failures = _looked_at(_("Outages"), lambda: outages(now))
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
	if not may_read():
		return []
	return [row["title"] for row in get_health()["findings"] if row["severity"] == RED]


def may_read() -> bool:
	return bool(READERS & set(frappe.get_roles()))


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


def _looked_at(name: str, look: Callable[[], Iterable]) -> tuple[list, list[dict]]:
	"""What a check gives, and, if it fails, that as a finding."""
	try:
		return list(look()), []
	except Exception as error:
		words = f"{type(error).__name__}: {error}"
		return [], [finding(ORANGE, _("{0} could not be checked").format(name), words)]


# jobs


def get_jobs(now: datetime) -> list[dict]:
	"""The scheduled jobs of the app.

	:param now: naive instant in the site's zone, as are the instants of the rows.
	:returns: rows of `method`, `label`, `frequency`, `last_run_at`, `due_at` (when it is, or was, to run next),
	    `state` (fine, late, never, failed, stopped), `run` (the last Follow Up Run: `name`, `status`, `found`,
	    `done`, `failed`) and `route`. A job that has never run is late once it should have.
	"""
	scheduled = scheduled_methods()
	types = {
		row.method: row
		for row in frappe.get_all(
			"Scheduled Job Type",
			{"method": ["in", list(scheduled)]},
			["name", "method", "frequency", "cron_format", "stopped", "last_execution", "creation"],
			order_by="name asc",
		)
	}
	runs = last_runs()
	failed = _failed_since(types.values())
	return [
		_job(method, types.get(method), runs.get(run_of(method)), method in failed, now)
		for method in scheduled
	]


def scheduled_methods() -> list[str]:
	"""The functions that the app wants to be run, as in its hooks."""
	methods = []
	for frequency, events in frappe.get_hooks("scheduler_events", app_name="lead_quality").items():
		groups = events.values() if frequency == "cron" else [events]
		methods += [method for group in groups for method in group]
	return list(dict.fromkeys(methods))


def run_of(method: str) -> str:
	"""The name under which the runs of a job are kept."""
	return RUNS.get(method) or method.rsplit(".", 1)[-1]


def last_runs() -> dict[str, frappe._dict]:
	"""The last Follow Up Run of every job, by its name."""
	rows = frappe.db.sql(
		"""
		select r.name, r.job, r.status, r.started_at, r.finished_at, r.found, r.done, r.failed
		from `tabFollow Up Run` r
		join (
			select job, max(started_at) as started_at from `tabFollow Up Run` group by job
		) latest on latest.job = r.job and latest.started_at = r.started_at
		order by r.creation
		""",
		as_dict=True,
	)
	return {row.job: row for row in rows}


def _failed_since(types: Iterable) -> set[str]:
	"""Of Scheduled Job Types the methods whose last run ended in an error of its own, which leaves no Follow Up Run."""
	types = {row.name: row.method for row in types}
	if not types:
		return set()
	rows = frappe.db.sql(
		"""
		select l.scheduled_job_type, l.status
		from `tabScheduled Job Log` l
		join (
			select scheduled_job_type, max(creation) as creation from `tabScheduled Job Log`
			where scheduled_job_type in %s group by scheduled_job_type
		) latest on latest.scheduled_job_type = l.scheduled_job_type and latest.creation = l.creation
		""",
		(list(types),),
		as_dict=True,
	)
	return {types[row.scheduled_job_type] for row in rows if row.status == "Failed"}


def _job(method: str, kind, run, has_failed: bool, now: datetime) -> dict:
	starts = [instant for instant in (kind and kind.last_execution, run and run.started_at) if instant]
	due_at = _next_execution(kind)
	return {
		"method": method,
		"label": job_words().get(method) or _(frappe.unscrub(method.rsplit(".", 1)[-1])),
		"frequency": _frequency(kind),
		"last_run_at": max(starts, default=None),
		"due_at": due_at,
		"state": _state(kind, run, has_failed, bool(starts), due_at, now),
		"run": run and {key: run[key] for key in ("name", "status", "found", "done", "failed")},
		"route": form_route("Follow Up Run", run.name)
		if run
		else (kind and form_route("Scheduled Job Type", kind.name)),
	}


def _state(kind, run, has_failed: bool, has_run: bool, due_at: datetime | None, now: datetime) -> str:
	if not kind:
		return "never"
	if kind.stopped:
		return "stopped"
	if due_at and due_at + tolerance() < now:
		return "late"
	if not has_run:
		return "never"
	was_killed = run and run.status == "Running" and run.started_at + LONGEST_RUN < now
	return "failed" if has_failed or was_killed or (run and run.status == "Failed") else "fine"


def tolerance() -> timedelta:
	"""How late a job may be before anybody worries."""
	minutes = frappe.get_cached_doc("Lead Quality Settings").outage_after_minutes
	return timedelta(minutes=minutes or 30)


def _next_execution(kind) -> datetime | None:
	if not kind:
		return None
	doc = frappe.get_doc({"doctype": "Scheduled Job Type", **kind})
	return doc.get_next_execution()


def _frequency(kind) -> str | None:
	if not kind:
		return None
	if kind.frequency != "Cron":
		return _(kind.frequency.split()[0])
	minutes = kind.cron_format.split()[0]
	if kind.cron_format == f"{minutes} * * * *" and minutes.startswith("*/"):
		return _("Every {0} minutes").format(minutes[2:])
	return kind.cron_format


def job_words() -> dict[str, str]:
	"""What the jobs do, in words; one that is not here goes by its name."""
	return {
		"lead_quality.nurture.jobs.wake_snoozed": _("Resumes cadences whose snooze has ended"),
		"lead_quality.follow_up.jobs.sweep_clocks": _("Finds deadlines that have passed, and escalates"),
		"lead_quality.follow_up.jobs.deliver_alerts": _("Notifies users of what is waiting for them"),
		"lead_quality.follow_up.attention.raise_unattended": _("Finds unattended leads"),
		"lead_quality.follow_up.replan.replan_changed": _("Moves deadlines when their calendars change"),
		"lead_quality.qualification.jobs.resume_requalification": _(
			"Resumes an interrupted requalification of all leads"
		),
		"lead_quality.qualification.jobs.judge_expired": _("Requalifies leads whose answers have expired"),
		"lead_quality.qualification.jobs.sort_leads": _("Assigns leads to segments"),
		"lead_quality.handover.jobs.pull_back": _("Takes back handovers that sales did not answer"),
		"lead_quality.handover.jobs.resume_transfers": _("Resumes interrupted lead transfers"),
		"lead_quality.funnel.jobs.reconcile_stages": _("Completes the stage log"),
		"lead_quality.funnel.jobs.reconcile_all_stages": _("Looks through the whole stage log"),
		"lead_quality.nurture.jobs.read_history": _("Reads in what happened before the install"),
		"lead_quality.follow_up.jobs.end_leads": _("Ends what goes on at leads that are over"),
		"lead_quality.follow_up.jobs.mend_enrollments": _("Plans touches that enrollments have lost"),
	}


def outages(now: datetime) -> list[dict]:
	"""When nothing had looked at the clocks, in the last month, the latest first."""
	return frappe.db.sql(
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
	count = mending.count_broken()
	if count:
		yield finding(
			ORANGE,
			_("Active enrollments without exactly one planned touch at their time: {0}").format(count),
			_(
				"Something has written past the app. A job puts them right within the hour; if they come again, look for what writes to Lead Touch."
			),
			"Nurture Enrollment",
			status=["in", ["Active", "Snoozed"]],
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
				_("What failed is tried again by the next run. If it goes on failing, its errors say why."),
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
	last = frappe.db.sql("select max(last_execution) from `tabScheduled Job Type` where stopped = 0")[0][0]
	if not last or last + tolerance() < now:
		since = format_datetime(last) if last else _("the install")
		return finding(
			RED,
			_("No job of any app has been started since {0}").format(since),
			_(
				"The scheduler process, or every background worker, is not running. See that supervisor (or Procfile) starts both: bench doctor says which is missing."
			),
			"RQ Worker",
		)
	return finding(
		RED,
		_("Jobs are late"),
		_("{0}. Other jobs are started: look whether these wait in a queue.").format(
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
			_("No background worker listens to: {0}").format(", ".join(deaf)),
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
				_("Its first job has waited for {0} minutes; {1} jobs wait. Start more workers.").format(
					int(waited.total_seconds() // 60), count
				),
				"RQ Job",
				queue=name,
			)
		elif count > LONG_QUEUE:
			yield finding(
				ORANGE,
				_("The queue {0} is long").format(name),
				_("{0} jobs wait. Start more workers if it stays so.").format(count),
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
	bell = _("Users are told by the desk's bell only.")
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
			_("Sending of mails is suspended"),
			_("Mails are kept and not sent: choose Resume Sending above the list. {0}").format(bell),
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
	errors = frappe.db.count("Email Queue", {"status": "Error", "modified": [">", since]})
	if errors:
		yield finding(
			ORANGE,
			_("Mails that could not be sent in the last {0} days: {1}").format(DAYS_OF_MAIL, errors),
			_("Each mail in the queue says why."),
			"Email Queue",
			status="Error",
		)
	an_hour_ago = now - timedelta(hours=1)
	waiting = frappe.db.sql(
		"""
		select count(*) from `tabEmail Queue`
		where status = 'Not Sent' and creation between %s and %s and ifnull(send_after, creation) < %s
		""",
		(since, an_hour_ago, an_hour_ago),
	)[0][0]
	if waiting:
		yield finding(
			ORANGE,
			_("Mails that have waited for more than an hour: {0}").format(waiting),
			_("A scheduled job of Frappe sends them."),
			"Email Queue",
			status="Not Sent",
		)
