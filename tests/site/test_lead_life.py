"""Leads are renamed, merged and deleted."""

import frappe
import pytest
from frappe.utils import now_datetime

from lead_quality import api
from lead_quality.base.rows import insert_rows
from lead_quality.demo.factories import make_lead, make_sales_ready
from lead_quality.follow_up import merges
from lead_quality.follow_up.jobs import finish_merges
from tests.site import oracle

OWN = ["Lead Touch", "Nurture Enrollment", "Follow Up Clock", "Lead Qualification", "Lead Handover"]


@pytest.fixture
def lead(make_user):
	lead = make_lead()
	api.log_touch(lead.name, "Phone", "Connected", note="private words")
	make_sales_ready(lead.name)
	api.send_handover(lead.name, make_user("sales@life.example", "Sales User"))
	return lead


def test_a_lead_can_be_deleted_and_takes_its_documents_along(lead):
	frappe.delete_doc("Lead", lead.name)
	for doctype in OWN:
		assert not frappe.db.exists(doctype, {"lead": lead.name})


def test_the_months_totals_stay_when_a_lead_is_deleted_but_no_person_does(lead):
	before = frappe.db.count("Lead Stage Log")
	names = frappe.get_all("Lead Stage Log", {"lead": lead.name}, pluck="name")
	frappe.delete_doc("Lead", lead.name)
	assert frappe.db.count("Lead Stage Log") == before
	rows = frappe.get_all("Lead Stage Log", {"name": ["in", names]}, ["lead", "owner_user"])
	assert len(rows) == 2
	assert len({row.lead for row in rows}) == 1
	assert {row.owner_user for row in rows} == {None}
	assert rows[0].lead != lead.name


def test_leave_that_was_given_for_a_deleted_lead_is_kept_and_names_nobody(lead):
	leave = api.override_gate(lead.name, "Override: Strategic account", note="Anna Keller is my friend")
	frappe.delete_doc("Lead", lead.name)
	leave.reload()
	assert (leave.reason, leave.overridden_by) == ("Override: Strategic account", "Administrator")
	assert leave.lead.startswith("deleted-")
	assert not any((leave.lead_name, leave.note, leave.missing))
	following = make_lead()
	assert following.name == lead.name
	assert not frappe.db.exists("Gate Override", {"lead": following.name})


def test_the_next_lead_does_not_inherit_the_past_of_a_deleted_one_whose_number_it_gets(lead):
	frappe.delete_doc("Lead", lead.name)
	following = make_lead()
	assert following.name == lead.name
	assert frappe.get_all("Lead Stage Log", {"lead": following.name}, pluck="stage") == ["target"]
	assert frappe.db.count("Lead Touch", {"lead": following.name}) == 1


def test_everything_follows_a_renamed_lead(lead):
	frappe.rename_doc("Lead", lead.name, "LEAD-RENAMED")
	for doctype in [*OWN, "Lead Stage Log"]:
		assert frappe.db.exists(doctype, {"lead": "LEAD-RENAMED"})
	api.log_touch("LEAD-RENAMED", "Email")
	assert frappe.db.count("Lead Touch", {"lead": "LEAD-RENAMED", "status": "Planned"}) == 1


def test_two_leads_that_become_one_have_one_cadence_and_one_clock_of_a_kind(lead):
	other = make_lead(first_name="Double")
	frappe.rename_doc("Lead", other.name, lead.name, merge=True)
	assert frappe.db.count("Nurture Enrollment", {"lead": lead.name, "status": "Active"}) == 1
	assert frappe.db.count("Lead Touch", {"lead": lead.name, "status": "Planned"}) == 1
	running = frappe.get_all("Follow Up Clock", {"lead": lead.name, "status": "Running"}, pluck="clock")
	assert len(running) == len(set(running))


def test_two_leads_that_become_one_have_one_judgement_one_open_handover_and_the_furthest_stage(
	lead, make_user
):
	other = make_lead(first_name="Double")
	make_sales_ready(other.name)
	api.send_handover(other.name, make_user("second@life.example", "Sales User"))
	api.qualify(lead.name, decision="Disqualified", outcome_reason="Disqualify: Too small for us")
	frappe.rename_doc("Lead", lead.name, other.name, merge=True)
	assert frappe.get_all("Lead Qualification", {"lead": other.name}, pluck="verdict") == ["Disqualified"]
	# one of the two was disqualified last: nobody is to answer for it any more
	assert frappe.db.count("Lead Handover", {"lead": other.name, "status": "Sent"}) == 0
	assert frappe.db.get_value("Lead", other.name, ["lq_stage", "lq_verdict", "lq_handover_status"]) == (
		"prospect",
		"Disqualified",
		"Pulled Back",
	)


def test_whoever_may_merge_leads_merges_all_that_belongs_to_them(lead, make_user, as_user):
	other = make_lead(first_name="Double")
	make_sales_ready(other.name)

	with as_user(make_user("merges@life.example", "Sales Manager")):
		frappe.rename_doc("Lead", lead.name, other.name, merge=True)

	assert frappe.db.count("Lead Qualification", {"lead": other.name}) == 1
	assert frappe.db.count("Nurture Enrollment", {"lead": other.name, "status": "Active"}) == 1


@pytest.fixture
def two_leads(make_user):
	"""Two leads with one of everything each, of which one waits for a decision; the second is the further one."""
	leads = [make_lead(first_name=name).name for name in ("Anna", "Double")]
	for number, lead in enumerate(leads):
		make_sales_ready(lead)
		api.send_handover(lead, make_user(f"receiver{number}@life.example", "Sales User"))
		at = now_datetime()
		insert_rows("Lead Backlog", [{"lead": lead, "came_by": "Import", "waits_since": at}], at)
	api.log_touch(leads[1], "Phone", "Connected")
	frappe.db.set_value("Lead", leads[0], "lq_waits", 1)
	first_response = {"lead": leads[1], "clock": "First Response"}
	frappe.db.set_value("Follow Up Clock", first_response, {"status": "Running", "stopped_at": None})
	return leads


def double_records(lead: str) -> set[str]:
	"""What a lead has twice that it may have once, and whether it is further and in work."""
	of_lead = {"lead": lead}
	clocks = frappe.get_all(
		"Follow Up Clock",
		{**of_lead, "status": ["in", ["Running", "Paused"]]},
		pluck="clock",
		order_by="name",
	)
	counts = {
		"qualifications": frappe.db.count("Lead Qualification", of_lead),
		"handovers": frappe.db.count("Lead Handover", {**of_lead, "status": "Sent"}),
		"enrollments": frappe.db.count("Nurture Enrollment", {**of_lead, "status": "Active"}),
		"clocks": len(clocks) - len(set(clocks)) + 1,
		"backlog": 1 + frappe.db.get_value("Lead", lead, "lq_waits"),
		"stages": 1 + (frappe.db.get_value("Lead", lead, "lq_stage") != "prospect"),
	}
	return {part for part, count in counts.items() if count != 1}


@pytest.mark.allow_listener_errors
@pytest.mark.parametrize("part", merges.PARTS)
def test_a_part_of_a_merge_that_fails_undoes_no_other_and_is_done_within_the_hour(
	part, two_leads, monkeypatch
):
	stays, goes = two_leads
	# two handovers wait for two answers; what ends a lead has nothing to do here
	without = {name: {name} for name in merges.PARTS} | {"handovers": {"handovers", "clocks"}, "end": set()}

	def fail(lead):
		frappe.db.set_value("Lead", lead, "lq_stage", "sale")  # is rolled back
		raise KeyError(part)

	with monkeypatch.context() as broken:
		broken.setitem(merges.PARTS, part, fail)
		frappe.rename_doc("Lead", goes, stays, merge=True)
		assert not frappe.db.exists("Lead", goes)
		assert double_records(stays) == without[part]
		assert frappe.db.exists(
			"Error Log", {"reference_name": stays, "error": ["like", f"%KeyError: '{part}'%"]}
		)
		assert finish_merges()["done"] == 0
		assert double_records(stays) == without[part]

	assert finish_merges() == {"found": 1, "done": 1, "failed": 0}
	assert not double_records(stays)
	assert oracle.wrongs() == []
	assert finish_merges()["found"] == 0


@pytest.mark.allow_listener_errors
def test_what_is_left_of_a_merge_is_done_at_the_lead_s_new_name_and_forgotten_with_the_lead(
	two_leads, monkeypatch
):
	stays, goes = two_leads
	with monkeypatch.context() as broken:
		broken.setitem(merges.PARTS, "enrollments", lambda lead: 1 / 0)
		frappe.rename_doc("Lead", goes, stays, merge=True)
	frappe.rename_doc("Lead", stays, "LEAD-RENAMED")
	assert "enrollments" in double_records("LEAD-RENAMED")
	assert finish_merges()["done"] == 1
	assert not double_records("LEAD-RENAMED")

	with monkeypatch.context() as broken:
		broken.setitem(merges.PARTS, "clocks", lambda lead: 1 / 0)
		frappe.rename_doc("Lead", make_lead().name, "LEAD-RENAMED", merge=True)
	frappe.delete_doc("Lead", "LEAD-RENAMED")
	assert finish_merges() == {"found": 1, "done": 1, "failed": 0}
