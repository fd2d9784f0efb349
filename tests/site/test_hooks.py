"""hooks.py and patches.txt name only what exists, and what the scheduler runs may run twice."""

import importlib
import re
from pathlib import Path

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime

import lead_quality
from lead_quality import api, hooks
from lead_quality.base.rows import insert_rows
from lead_quality.demo.factories import make_agreement, make_lead, make_sales_ready
from lead_quality.follow_up import merges
from lead_quality.follow_up.alerts import raise_alerts
from lead_quality.nurture import history
from lead_quality.qualification import requalify

PACKAGE = Path(lead_quality.__file__).parent
DOTTED_PATH = re.compile(r"(lead_quality|frappe|erpnext)(\.(?!(?:js|css)$)\w+)+")
ASSET = re.compile(r"(/assets/lead_quality/|public/).+\.(js|css|svg|png)")


def strings(value) -> set[str]:
	"""Every text in a hook's value, however it is nested; keys such as a DocType's name are none."""
	if isinstance(value, str):
		return {value}
	if isinstance(value, dict):
		return set().union(*map(strings, value.values()))
	if isinstance(value, list | tuple):
		return set().union(*map(strings, value))
	return set()


NAMED = strings([value for name, value in vars(hooks).items() if not name.startswith("_")])
PATCHES = [
	line.split("#")[0].split()[0]
	for line in (PACKAGE / "patches.txt").read_text().splitlines()
	if line.split("#")[0].strip() and not line.startswith(("[", "execute:"))
]


def scheduled_functions() -> list[str]:
	return sorted(path for path in strings(hooks.scheduler_events) if DOTTED_PATH.fullmatch(path))


@pytest.mark.parametrize("path", sorted(filter(DOTTED_PATH.fullmatch, NAMED)))
def test_function_named_in_hooks_exists(path):
	assert callable(frappe.get_attr(path))


@pytest.mark.parametrize("path", sorted(filter(ASSET.fullmatch, NAMED)))
def test_file_named_in_hooks_exists(path):
	assert (PACKAGE / path.replace("/assets/lead_quality/", "public/")).is_file()


@pytest.mark.parametrize("patch", PATCHES)
def test_patch_exists(patch):
	assert callable(importlib.import_module(patch).execute)


@pytest.mark.parametrize("path", scheduled_functions())
def test_scheduled_function_does_its_work_once_and_has_nothing_left_when_it_runs_again(path, make_user):
	make_agreement(
		make_user("marketing@hooks.example", "Lead Quality Manager"),
		make_user("manager@hooks.example", "Sales Manager"),
		pull_back_after=8,
	)
	unanswered = make_lead()
	make_sales_ready(unanswered.name)
	api.send_handover(unanswered.name, make_user("sales@hooks.example", "Sales User"))
	snoozed = make_lead()
	api.snooze(snoozed.name, add_to_date(now_datetime(), days=1))
	unseen = frappe.get_doc({"doctype": "Lead", "lead_name": "Unseen", "title": "Unseen", "status": "Lead"})
	unseen.update({"name": "LEAD-UNSEEN", "email_id": "unseen@hooks.example"})
	unseen.db_insert()
	make_sales_ready(make_lead(first_name="Expiring").name)
	frappe.db.delete("Lead", {"name": make_lead(first_name="Gone").name})
	requalify.start()
	leaver = make_user("leaver@hooks.example", "Sales User")
	make_lead(first_name="Left", lead_owner=leaver)
	frappe.get_doc({"doctype": "Lead Transfer", "from_user": leaver, "give_to": "Segment Owner"}).insert()
	frappe.db.after_commit.reset()  # their jobs are lost
	# no lead of today has bought yet
	step = {"step": "Sale", "rate": 50, "within_days": 30, "minimum_leads": 1}
	frappe.get_doc({"doctype": "Funnel Target", "owner_user": "manager@hooks.example", **step}).insert()
	raise_alerts(
		[
			{
				"lead": snoozed.name,
				"kind": "Missed",
				"clock": "Triage",
				"for_user": "sales@hooks.example",
				"alert_key": "of the test",
			}
		],
		now_datetime(),
	)
	# its calendar has changed, and the job that was to plan it anew is lost
	frappe.db.set_value("Working Calendar", "Office Hours", "planned_for", None)
	insert_rows(
		"Follow Up Clock",
		[
			{
				"lead": snoozed.name,
				"clock": "Triage",
				"status": "Running",
				"within": 200,
				"unit": "Days",
				"working_calendar": "Office Hours",
				"started_at": now_datetime(),
				"due_at": add_to_date(now_datetime(), days=150),
			}
		],
		now_datetime(),
	)
	merge = {"job": merges.JOB, "status": "Queued", "to_lead": unanswered.name, "options": '["stages"]'}
	insert_rows("Follow Up Run", [{**merge, "started_at": now_datetime()}], now_datetime())
	# past every hook: a lead was converted, a planned touch is gone, an old lead has been called
	converted = make_lead(first_name="Converted")
	frappe.db.set_value("Lead", converted.name, "status", "Converted")
	frappe.db.delete("Lead Touch", {"lead": make_lead(first_name="Unplanned").name, "status": "Planned"})
	if path.endswith("read_history"):
		history.forget()
	unheard = {
		"communication_type": "Communication",
		"communication_medium": "Phone",
		"sent_or_received": "Sent",
	}
	call = frappe.get_doc(
		{"doctype": "Communication", **unheard, "reference_doctype": "Lead", "reference_name": unseen.name}
	)
	call.name = "CALL-UNHEARD"
	call.db_insert()
	function = frappe.get_attr(path)
	now = add_to_date(now_datetime(), days=90)

	first = function(now=now)
	second = function(now=now)

	assert first["failed"] == second["failed"] == 0
	assert first["done"] > 0
	assert second["done"] == 0
