"""The app's scheduled jobs: when each has run, when it should, and how it went."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import frappe
from frappe import _

from lead_quality.base import query
from lead_quality.base.routes import form_route

# jobs whose runs are not kept under the name of their function
RUNS = {"lead_quality.follow_up.replan.replan_changed": "replan"}
# a run that has not ended by then has been killed
LONGEST_RUN = timedelta(hours=2)


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
			{"method": query.among(list(scheduled))},
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
	rows = query.run(
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
	rows = query.run(
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
		"lead_quality.qualification.jobs.learn_priorities": _("Learns from past leads which of them buy"),
		"lead_quality.qualification.jobs.refresh_priorities": _("Brings the priority of leads up to date"),
		"lead_quality.qualification.jobs.sort_leads": _("Assigns leads to segments"),
		"lead_quality.handover.jobs.pull_back": _("Takes back handovers that sales did not answer"),
		"lead_quality.handover.jobs.resume_transfers": _("Resumes interrupted lead transfers"),
		"lead_quality.funnel.jobs.reconcile_stages": _("Completes the stage log"),
		"lead_quality.funnel.jobs.keep_journeys": _(
			"Keeps what is known of leads at the end of the day, for reports as of that day"
		),
		"lead_quality.funnel.jobs.reconcile_all_stages": _("Checks the whole stage log"),
		"lead_quality.funnel.jobs.check_targets": _(
			"Notifies the owners of steps that are below their target"
		),
		"lead_quality.follow_up.jobs.read_history": _("Imports what happened before the installation"),
		"lead_quality.nurture.jobs.repair_contacts": _("Records contacts and opt-outs that were missed"),
		"lead_quality.overrides.deletion.forget_missing_leads": _("Deletes the records of deleted leads"),
		"lead_quality.follow_up.jobs.end_leads": _("Ends cadences and deadlines of closed leads"),
		"lead_quality.follow_up.jobs.finish_merges": _(
			"Completes merges of leads that an error has interrupted"
		),
		"lead_quality.follow_up.jobs.mend_enrollments": _("Plans missing touches of enrollments"),
	}
