"""What is deleted around the app: a company's transactions, and what its records name."""

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime

from lead_quality import api, hooks
from lead_quality.base.rows import update_rows
from lead_quality.demo.factories import make_agreement, make_lead, make_opportunity, make_sales_ready
from lead_quality.follow_up import jobs as follow_up_jobs
from lead_quality.follow_up.alerts import raise_alerts
from lead_quality.funnel.service import missing_leads
from lead_quality.handover import jobs as handover_jobs
from lead_quality.nurture import jobs as nurture_jobs
from lead_quality.overrides.deletion import forget_missing_leads
from lead_quality.qualification import jobs as qualification_jobs
from lead_quality.qualification.gate import NotSalesReadyError

BELONGING = (
	"Lead Touch",
	"Nurture Enrollment",
	"Follow Up Clock",
	"Follow Up Alert",
	"Lead Holding",
	"Lead Qualification",
	"Lead Handover",
)
KEPT = {"Follow Up Clock", "Lead Holding"}
# what people have written and agreed on, and leads are judged by
DEFINITIONS = (
	"Follow Up Policy",
	"Lead Outcome Reason",
	"Lead Segment",
	"Nurture Cadence",
	"Qualification Checklist",
	"Sales Ready Agreement",
	"Working Calendar",
)


@pytest.fixture
def lead(make_user):
	"""A lead with something in every DocType of ours that follows one."""
	lead = make_lead()
	api.log_touch(lead.name, "Phone", "Connected")
	make_sales_ready(lead.name)
	api.send_handover(lead.name, make_user("sales@deletion.example", "Sales User"))
	raise_alerts(
		[
			{
				"lead": lead.name,
				"kind": "Missed",
				"clock": "Triage",
				"for_user": "sales@deletion.example",
				"alert_key": "of the test",
			}
		],
		now_datetime(),
	)
	frappe.get_doc("Lead", lead.name).update({"lead_owner": "sales@deletion.example"}).save()
	assert all(frappe.db.exists(doctype, {"lead": lead.name}) for doctype in BELONGING)
	return lead


def delete_transactions(company: str):
	record = frappe.new_doc("Transaction Deletion Record", company=company, process_in_single_transaction=1)
	record.insert()
	if hasattr(record, "generate_to_delete_list"):  # v16
		record.generate_to_delete_list()
	record.submit()
	if record.reload().status == "Queued":  # v15
		record.start_deletion_tasks()
	assert (record.reload().status, record.error_log) == ("Completed", None)


def counts(doctypes) -> dict[str, int]:
	return {doctype: frappe.db.count(doctype) for doctype in doctypes}


def test_deleting_a_company_s_transactions_takes_what_belonged_to_its_leads_and_no_definition(
	lead, make_user
):
	make_agreement(
		make_user("marketing@deletion.example", "Lead Quality Manager"),
		make_user("manager@deletion.example", "Sales Manager"),
		company=lead.company,
	)
	before = counts(DEFINITIONS)
	stages = frappe.db.count("Lead Stage Log")
	frappe.db.commit()

	delete_transactions(lead.company)
	frappe.db.commit()

	assert not frappe.db.exists("Lead", lead.name)
	assert counts(DEFINITIONS) == before
	assert frappe.db.exists("Sales Ready Agreement", {"company": lead.company, "status": "Active"})
	# past months keep their totals, without a name
	for doctype in KEPT:
		left = set(frappe.get_all(doctype, pluck="lead"))
		assert left and all(name.startswith("deleted-") for name in left)
	assert frappe.db.count("Lead Stage Log") == stages
	assert not any(counts(set(BELONGING) - KEPT).values())
	assert not frappe.db.exists("Lead Stage Log", {"lead": lead.name})


def test_every_definition_that_names_a_company_is_left_when_its_transactions_are_deleted():
	naming = frappe.get_all(
		"DocField",
		{"parent": ["in", DEFINITIONS], "fieldtype": "Link", "options": "Company"},
		pluck="parent",
		distinct=True,
	)
	assert set(naming) <= set(hooks.company_data_to_be_ignored)


@pytest.mark.parametrize("is_cleaned", [True, False])
def test_a_lead_inherits_nothing_from_one_of_its_name_that_was_deleted_past_every_event(lead, is_cleaned):
	name = lead.name
	frappe.db.delete("Lead", {"name": name})
	if is_cleaned:
		forget_missing_leads()

	following = frappe.get_doc(
		{"doctype": "Lead", "first_name": "Next", "company_name": "Next Ltd", "company": lead.company}
	)
	following.insert(set_name=name)

	assert following.reload().name == name
	assert (following.lq_stage, following.lq_verdict, following.lq_handover_status) == (
		"target",
		"Open",
		None,
	)
	assert frappe.get_all("Lead Stage Log", {"lead": name}, pluck="stage") == ["target"]
	assert frappe.db.count("Nurture Enrollment", {"lead": name}) == 1
	assert frappe.db.count("Lead Touch", {"lead": name, "status": "Done"}) == 0
	assert not frappe.db.exists("Lead Handover", {"lead": name})
	assert not frappe.db.exists("Follow Up Alert", {"lead": name})
	frappe.db.set_single_value("Lead Quality Settings", "opportunity_gate", "Enforce")
	with pytest.raises(NotSalesReadyError):
		make_opportunity(name)


def test_a_name_that_is_taken_costs_the_lead_that_has_it_nothing(lead):
	before = {doctype: frappe.db.count(doctype, {"lead": lead.name}) for doctype in BELONGING}

	with pytest.raises(frappe.DuplicateEntryError):
		frappe.get_doc({"doctype": "Lead", "first_name": "Double", "company": lead.company}).insert(
			set_name=lead.name
		)

	assert {doctype: frappe.db.count(doctype, {"lead": lead.name}) for doctype in BELONGING} == before


JOBS = (
	follow_up_jobs.sweep_clocks,
	follow_up_jobs.deliver_alerts,
	nurture_jobs.wake_snoozed,
	handover_jobs.pull_back,
	qualification_jobs.judge_expired,
)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
def test_jobs_pass_by_what_belongs_to_a_lead_that_is_gone(lead, job, smtp):
	past, now = add_to_date(now_datetime(), days=-1), now_datetime()
	frappe.db.set_value("Follow Up Clock", {"lead": lead.name}, "next_alert_at", past)
	frappe.db.set_value(
		"Nurture Enrollment", {"lead": lead.name}, {"status": "Snoozed", "snoozed_until": past}
	)
	frappe.db.set_value("Lead Handover", {"lead": lead.name}, {"status": "Sent", "pull_back_at": past})
	frappe.db.set_value("Lead Qualification", {"lead": lead.name}, "valid_until", past)
	frappe.db.delete("Lead", {"name": lead.name})
	told = frappe.db.count("Notification Log")

	counted = job(now=now)

	assert (counted["found"], counted["failed"]) == (0, 0)
	assert frappe.db.count("Notification Log") == told
	assert not smtp.flush()


def test_what_belongs_to_leads_that_are_gone_is_found_and_taken_away_once(lead):
	other = make_lead(first_name="Stays")
	frappe.db.delete("Lead", {"name": lead.name})
	assert missing_leads(10) == [lead.name]

	assert forget_missing_leads()["done"] == 1

	assert missing_leads(10) == []
	assert forget_missing_leads()["found"] == 0
	assert frappe.db.exists("Nurture Enrollment", {"lead": other.name})


# --- what a record names -----------------------------------------------------------------------------------


def make_contact(lead: str) -> str:
	contact = frappe.get_doc(
		{"doctype": "Contact", "first_name": "Gerda", "last_name": frappe.generate_hash()}
	)
	contact.append("links", {"link_doctype": "Lead", "link_name": lead})
	return contact.insert().name


def test_a_touch_can_be_saved_after_its_contact_was_deleted_with_another_lead(lead):
	other = make_lead(first_name="Goes")
	contact = make_contact(other.name)
	touch = api.log_touch(lead.name, "Phone", "Connected", contact=contact)

	frappe.delete_doc("Lead", other.name)

	assert not frappe.db.exists("Contact", contact)
	touch.reload().update({"note": "She has left the company."}).save()
	assert touch.reload().note == "She has left the company."


def links_of(doctype: str) -> list[str]:
	return [
		field.fieldname
		for field in frappe.get_meta(doctype).fields
		if field.fieldtype == "Link" and field.options not in {"DocType", "Currency"}
	]


SAVED = ("Lead Touch", "Lead Qualification", "Lead Handover", "Nurture Enrollment")


@pytest.mark.parametrize("doctype", SAVED)
def test_a_record_can_be_saved_although_all_that_it_names_is_gone(lead, doctype):
	name = frappe.db.get_value(doctype, {"lead": lead.name}, "name")
	named = {
		fieldname: "Gone"
		for fieldname in links_of(doctype)
		if fieldname not in {"lead", "checklist", "cadence"}
	}
	update_rows(doctype, [{"name": name, **named}])
	doc = frappe.get_doc(doctype, name)

	doc._action = "save"
	doc._validate_links()

	assert {fieldname: doc.get(fieldname) for fieldname in named} == named


@pytest.mark.parametrize("doctype", SAVED)
def test_a_record_cannot_be_given_a_name_that_there_is_not(lead, doctype):
	doc = frappe.get_doc(doctype, {"lead": lead.name})
	doc.set(links_of(doctype)[-1], "Never There")
	doc._action = "save"

	with pytest.raises(frappe.LinkValidationError):
		doc._validate_links()


def test_every_record_that_stays_when_what_it_names_goes_can_be_saved():
	"""Frappe deletes what these name, whatever they say."""
	from frappe.model.base_document import get_controller

	from lead_quality.base.links import OutlivesLinks

	never_saved_again = {"Lead Stage Log", "Lead Journey", "Lead Transfer", "Lead Priority Model"}
	for doctype in set(hooks.ignore_links_on_delete) - never_saved_again:
		assert issubclass(get_controller(doctype), OutlivesLinks), doctype
		for table in frappe.get_meta(doctype).get_table_fields():
			assert issubclass(get_controller(table.options), OutlivesLinks), table.options
