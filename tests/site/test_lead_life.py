"""Leads are renamed, merged and deleted."""

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready

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
