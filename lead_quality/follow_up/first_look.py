"""Leads from before the install: their history is read in, and only then it is said which of them wait for a decision.

All leads that are there when the app is installed are marked as unread, in one statement. The scheduler starts a run
over them within minutes, in parts that the workers of the queue `long` share; a part that was killed is taken up again.
A lead that cannot be read stays unread, nobody is told of it, and the next run, an hour later at the earliest, tries it
again: see the errors of the Follow Up Run.
"""

from datetime import datetime, timedelta

import frappe

from lead_quality.base import query
from lead_quality.base.parts import PartedJob, progress, reading_committed
from lead_quality.base.rows import update_rows
from lead_quality.follow_up import backlog
from lead_quality.funnel import deriving, journey, opportunities
from lead_quality.funnel.conditions import STAGES_IN_WORK
from lead_quality.nurture import history

JOB = "read_history"
PART = 10_000  # leads of a background job
CHUNK = 1_000  # leads that are locked, read in and committed together
TRIED_AGAIN_AFTER = timedelta(hours=1)


def job() -> PartedJob:
	return PartedJob(
		job=JOB,
		doctype="Lead",
		method="lead_quality.follow_up.first_look.do_part",
		do=read,
		part=PART,
		chunk=CHUNK,
		condition="lq_history_unread = 1",
	)


def do_part(part: str):
	with reading_committed():
		job().do_part(part)


def go_on(now: datetime) -> dict:
	"""Begin to read in what is unread, or go on with what was interrupted.

	:param now: naive instant in the site's zone.
	:returns: counts found and done, of parts that are with the workers, and failed (none).
	"""
	if job().open_run():
		return job().resume()
	nothing = {"found": 0, "done": 0, "failed": 0}
	if history.is_read() or _has_failed_since(now - TRIED_AGAIN_AFTER):
		return nothing
	opportunities.credit_opportunities()
	run = job().start()
	frappe.db.commit()  # nosemgrep (workers find the parts)
	parts = frappe.db.count("Follow Up Run", {"part_of": run})
	return {"found": parts, "done": parts, "failed": 0}


def is_under_way() -> bool:
	"""Whether leads are still to be read in, other than those that could not be."""
	if history.is_read():
		return False
	last = _last_run()
	return not last or last.status != "Failed"


def how_far() -> dict | None:
	"""`total`, `done` and `failed` leads of the run that is under way, or None."""
	run = job().open_run()
	return progress(run) if run else None


def read(leads: list[str], now: datetime) -> int:
	"""Read in the history of some leads, and have those wait for a decision that are in work and that nobody works on.

	What is decided is read after the leads are locked.

	:param now: naive instant in the site's zone.
	:returns: how many leads were still to be read.
	"""
	unread = deriving.lock(leads, "lq_history_unread = 1")
	in_work = history.leads_in_work([row.name for row in unread])
	if in_work:
		history.read_leads_in_work(sorted(in_work), now)
		query.run("update `tabLead` set lq_history_unread = 0 where name in %(leads)s", {"leads": in_work})
	old = [row for row in unread if row.name not in in_work]
	if old:
		_read_old_leads(old, now)
	return len(unread)


def _read_old_leads(rows: list, now: datetime):
	summaries = history.read_old_leads(rows, now)
	waiting = backlog.keep(_may_wait(summaries), now)
	update_rows(
		"Lead",
		[{**row, "lq_waits": int(row["name"] in waiting), "lq_history_unread": 0} for row in summaries],
	)
	journey.write_in_bulk([row.name for row in rows])


def _may_wait(summaries: list[dict]) -> list[str]:
	"""Leads that are in work as far as their new summaries say; `backlog.keep` asks for what else is stored of them."""
	return [row["name"] for row in summaries if row["lq_stage"] in STAGES_IN_WORK and not row["lq_over"]]


def _has_failed_since(at: datetime) -> bool:
	last = _last_run()
	return bool(last and last.status == "Failed" and last.finished_at > at)


def _last_run():
	return frappe.db.get_value(
		"Follow Up Run",
		{"job": JOB, "part_of": ["is", "not set"]},
		["status", "finished_at"],
		as_dict=True,
		order_by="started_at desc",
	)
