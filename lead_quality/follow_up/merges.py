"""Two leads become one: each room merges what it has.

A part that fails is rolled back and logged, as in any listener, and the other parts are done. What is left is kept in a
Follow Up Run, and done by an hourly job.
"""

import json
from collections.abc import Iterable
from datetime import datetime

import frappe
from frappe.utils import now_datetime

from lead_quality.base.listeners import attempt
from lead_quality.base.rows import insert_rows
from lead_quality.follow_up import backlog, endings
from lead_quality.follow_up import service as follow_up
from lead_quality.funnel import service as funnel
from lead_quality.handover import service as handover
from lead_quality.nurture import service as nurture
from lead_quality.qualification import merging as qualification

JOB = "merge_leads"  # of the Follow Up Runs that keep what is left: `options` are its parts

# in the order in which they are done: each may rely on those before it
PARTS = {
	"stages": funnel.merge_into,
	"qualifications": qualification.merge_into,
	"handovers": handover.merge_into,
	"enrollments": nurture.merge_into,
	"clocks": follow_up.merge_into,
	"backlog": backlog.merge_into,
	"end": lambda lead: endings.end_if_over([lead]),
}


def merge_into(lead, old: str):
	"""Merge what belonged to two leads.

	:param lead: the Lead document that stays.
	:param old: the name of the lead that has been merged into it.
	"""
	left = _do(lead, PARTS)
	if left:
		now = now_datetime()
		row = {"job": JOB, "status": "Queued", "started_at": now, "from_lead": old, "to_lead": lead.name}
		insert_rows("Follow Up Run", [{**row, "options": json.dumps(left)}], now)


def rename(old: str, new: str):
	"""A lead has got another name: what is left of its merges is found by that."""
	frappe.db.set_value(
		"Follow Up Run",
		{"job": JOB, "status": "Queued", "to_lead": old},
		"to_lead",
		new,
		update_modified=False,
	)


def unfinished() -> list[str]:
	"""The Follow Up Runs of merges of which a part is left."""
	return frappe.get_all(
		"Follow Up Run", {"job": JOB, "status": "Queued"}, pluck="name", order_by="creation asc"
	)


def finish(name: str, now: datetime) -> bool:
	"""Do what is left of a merge: the first part that failed, and those after it.

	:param name: of its Follow Up Run.
	:param now: naive instant in the site's zone.
	:returns: whether nothing is left any more.
	"""
	run = frappe.db.get_value("Follow Up Run", name, ["to_lead", "options"], as_dict=True)
	parts, left = list(PARTS), []
	if frappe.db.get_value("Lead", run.to_lead, "name", for_update=True):
		first = min(parts.index(part) for part in json.loads(run.options))
		left = _do(frappe.get_doc("Lead", run.to_lead), parts[first:])
	values = {"options": json.dumps(left)} if left else {"status": "Completed", "finished_at": now}
	frappe.db.set_value("Follow Up Run", name, values)
	return not left


def _do(lead, parts: Iterable[str]) -> list[str]:
	"""Do some parts. Returns those that have failed."""

	def merge(lead, method=None, part=None):
		PARTS[part](lead.name)

	return [part for part in parts if not attempt(merge, lead, part=part)]
