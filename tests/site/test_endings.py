"""What is converted, lost, disqualified, or wants no contact is over: nothing goes on, and nobody is told of it."""

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import make_customer
from frappe.utils import add_to_date, now_datetime

from lead_quality import api
from lead_quality.demo.factories import (
	make_item,
	make_lead,
	make_opportunity,
	make_prospect,
	make_quotation,
	make_sales_order,
	make_sales_ready,
)
from lead_quality.follow_up import jobs
from lead_quality.follow_up.attention import raise_unattended
from lead_quality.funnel import endings
from lead_quality.handover.jobs import pull_back
from lead_quality.nurture import channels


@pytest.fixture
def lead(make_user):
	"""A lead with all that may go on: a cadence, a planned touch, clocks, and a handover that waits."""
	lead = make_lead()
	make_sales_ready(lead.name)
	api.send_handover(lead.name, make_user("seller@end.example", "Sales User"))
	goes_on = what_goes_on(lead.name)
	assert goes_on["enrollments"] and goes_on["touches"] and goes_on["clocks"] and goes_on["handovers"]
	return lead


def what_goes_on(lead: str) -> dict[str, list[str]]:
	return {
		"enrollments": frappe.get_all(
			"Nurture Enrollment", {"lead": lead, "status": ["in", ["Active", "Snoozed"]]}, pluck="name"
		),
		"touches": frappe.get_all("Lead Touch", {"lead": lead, "status": "Planned"}, pluck="name"),
		"clocks": frappe.get_all(
			"Follow Up Clock", {"lead": lead, "stopped_at": ["is", "not set"]}, pluck="clock"
		),
		"handovers": frappe.get_all("Lead Handover", {"lead": lead, "status": "Sent"}, pluck="name"),
		"alerts": frappe.get_all("Follow Up Alert", {"lead": lead, "status": "Pending"}, pluck="name"),
	}


NOTHING = {"enrollments": [], "touches": [], "clocks": [], "handovers": [], "alerts": []}


def quotation_of_prospect(prospect):
	return frappe.get_doc(
		{
			"doctype": "Quotation",
			"quotation_to": "Prospect",
			"party_name": prospect.name,
			"company": prospect.company,
			"items": [{"item_code": make_item(), "qty": 1, "rate": 100}],
		}
	).insert()


# how it comes to its end


def by_customer(lead):
	make_customer(lead.name).insert()


def by_order_of_quotation(lead):
	make_sales_order(make_quotation(lead=lead.name).name)


def by_order_of_opportunity(lead):
	make_sales_order(make_quotation(opportunity=make_opportunity(lead.name).name).name)


def by_order_of_prospect(lead):
	make_sales_order(quotation_of_prospect(make_prospect(lead.name)).submit().name)


def by_customer_of_prospect(lead):
	prospect = make_prospect(lead.name)
	frappe.get_doc(
		{"doctype": "Customer", "customer_name": "Prospect Works", "prospect_name": prospect.name}
	).insert()


def by_customer_of_opportunity(lead):
	opportunity = make_opportunity(lead.name)
	frappe.get_doc(
		{"doctype": "Customer", "customer_name": "Of Opportunity", "opportunity_name": opportunity.name}
	).insert()


def by_lost_quotation(lead):
	make_quotation(lead=lead.name).declare_enquiry_lost([], [])


def by_lost_quotation_of_opportunity(lead):
	quotation = make_quotation(opportunity=make_opportunity(lead.name).name)
	quotation.declare_enquiry_lost([], [])


def by_lost_opportunity(lead):
	make_opportunity(lead.name).declare_enquiry_lost([], [])


def by_disqualification(lead):
	reason = frappe.db.get_value("Lead Outcome Reason", {"applies_to": "Disqualify", "enabled": 1})
	api.qualify(lead.name, decision="Disqualified", outcome_reason=reason)


def by_do_not_contact(lead):
	doc = frappe.get_doc("Lead", lead.name)
	doc.status = "Do Not Contact"
	doc.save()


def by_opt_out(lead):
	api.opt_out(lead.name)


EVENTS = [
	by_customer,
	by_order_of_quotation,
	by_order_of_opportunity,
	by_order_of_prospect,
	by_customer_of_prospect,
	by_customer_of_opportunity,
	by_lost_quotation,
	by_lost_quotation_of_opportunity,
	by_lost_opportunity,
	by_disqualification,
	by_do_not_contact,
	by_opt_out,
]


@pytest.mark.parametrize("ends", EVENTS, ids=lambda ends: ends.__name__)
def test_a_lead_that_is_over_is_left_alone_at_once_and_nobody_is_told_of_it_later(lead, ends):
	ends(lead)
	assert what_goes_on(lead.name) == NOTHING
	assert frappe.db.get_value("Lead", lead.name, "lq_due_at") is None
	assert frappe.db.get_value("Lead", lead.name, "lq_next_touch_at") is None
	told = frappe.db.count("Follow Up Alert", {"lead": lead.name})
	run_everything(add_to_date(now_datetime(), days=40))
	assert frappe.db.count("Follow Up Alert", {"lead": lead.name}) == told
	assert what_goes_on(lead.name) == NOTHING


def run_everything(now):
	for job in (jobs.end_leads, jobs.sweep_clocks, jobs.deliver_alerts, pull_back, raise_unattended):
		assert job(now=now)["failed"] == 0


# past every hook


def silently_converted(lead):
	frappe.db.set_value("Lead", lead.name, "status", "Converted", update_modified=False)


def silently_not_to_be_contacted(lead):
	frappe.db.set_value("Lead", lead.name, "status", "Do Not Contact", update_modified=False)


def silently_lost(lead):
	frappe.db.set_value("Lead", lead.name, "status", "Lost Quotation", update_modified=False)


def silently_disqualified(lead):
	frappe.db.set_value("Lead", lead.name, "lq_verdict", "Disqualified", update_modified=False)


def opportunity_silently_lost(lead):
	opportunity = make_opportunity(lead.name)
	frappe.db.set_value("Opportunity", opportunity.name, "status", "Lost", update_modified=False)


def silently_sold(lead):
	customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Silent Works"}).insert()
	frappe.db.set_value("Customer", customer.name, "lead_name", lead.name, update_modified=False)


SILENT = [
	silently_converted,
	silently_not_to_be_contacted,
	silently_lost,
	silently_disqualified,
	opportunity_silently_lost,
	silently_sold,
]


@pytest.mark.parametrize("ends", SILENT, ids=lambda ends: ends.__name__)
def test_what_was_written_past_every_hook_is_ended_by_the_next_run(lead, ends):
	ends(lead)
	assert jobs.end_leads()["failed"] == 0
	assert what_goes_on(lead.name) == NOTHING
	assert jobs.end_leads()["done"] == 0


@pytest.mark.parametrize("ends", SILENT, ids=lambda ends: ends.__name__)
def test_the_sweep_tells_nobody_of_a_lead_that_is_over_even_if_no_job_has_ended_it(lead, ends):
	ends(lead)
	told = frappe.db.count("Follow Up Alert", {"lead": lead.name})
	now = add_to_date(now_datetime(), days=40)
	for job in (jobs.sweep_clocks, jobs.deliver_alerts, pull_back, raise_unattended):
		assert job(now=now)["failed"] == 0
	assert frappe.db.count("Follow Up Alert", {"lead": lead.name}) == told


# what is not over


def test_a_lead_with_an_opportunity_that_is_still_open_is_not_over(lead):
	make_opportunity(lead.name).declare_enquiry_lost([], [])
	other = make_lead(first_name="Berta")
	make_sales_ready(other.name)
	first, _second = make_opportunity(other.name), make_opportunity(other.name)
	first.reload()
	first.declare_enquiry_lost([], [])
	assert endings.endings_of([lead.name, other.name]) == {lead.name: "Lost"}


def test_a_lost_lead_may_be_taken_up_again_and_no_job_ends_it_again(lead):
	by_lost_quotation(lead)
	api.enroll(lead.name)
	now = add_to_date(now_datetime(), minutes=5)
	assert jobs.end_leads(now=now)["done"] == 0
	assert what_goes_on(lead.name)["enrollments"]
	assert what_goes_on(lead.name)["touches"]


def test_a_lead_that_was_taken_up_again_and_is_lost_again_is_over_again(lead):
	by_lost_quotation(lead)
	api.enroll(lead.name)
	by_lost_quotation(lead)
	assert what_goes_on(lead.name) == NOTHING


# what a request may do to begin something with a lead


def by_api(lead: str):
	api.enroll(lead)


def by_form(lead: str):
	frappe.client.insert({"doctype": "Nurture Enrollment", "lead": lead, "status": "Active"})


def by_bulk(lead: str):
	frappe.client.insert_many([{"doctype": "Nurture Enrollment", "lead": lead, "cadence": None}])


def by_handover(lead: str):
	api.send_handover(lead, "seller@end.example")


def past_every_event(lead):
	frappe.db.set_value("Lead", lead.name, "status", "Do Not Contact", update_modified=False)
	frappe.db.set_value("Nurture Enrollment", {"lead": lead.name}, "status", "Stopped")


def channel_by_channel(lead):
	for channel in channels.CHANNELS:
		api.opt_out(lead.name, channel)


WHAT_TO_DO = {
	by_customer: "make a new lead",
	by_order_of_quotation: "make a new lead",
	by_disqualification: "take the decision back",
	by_do_not_contact: "another status",
	by_opt_out: "delete its Contact Opt Out",
	past_every_event: "another status",
	channel_by_channel: "delete its Contact Opt Outs",
}


@pytest.mark.parametrize("begin", [by_api, by_form, by_bulk, by_handover], ids=lambda begin: begin.__name__)
@pytest.mark.parametrize("ends", WHAT_TO_DO, ids=lambda ends: ends.__name__)
def test_nothing_is_begun_with_who_is_over_and_the_refusal_says_what_to_do(lead, ends, begin):
	ends(lead)
	frappe.db.set_value("Lead Handover", {"lead": lead.name}, "status", "Pulled Back")
	frappe.clear_messages()
	with pytest.raises(frappe.ValidationError) as refused:
		begin(lead.name)
	assert WHAT_TO_DO[ends] in str(refused.value)
	assert lead.title in str(refused.value)
	assert not what_goes_on(lead.name)["enrollments"]
	assert not what_goes_on(lead.name)["handovers"]


@pytest.mark.parametrize("begin", [by_api, by_form, by_bulk, by_handover], ids=lambda begin: begin.__name__)
@pytest.mark.parametrize("name", ["merged", "absent", "none"])
def test_nothing_is_begun_with_a_lead_that_there_is_not(lead, begin, name):
	gone = {"merged": make_lead(first_name="Double").name, "absent": "CRM-LEAD-1999-00001", "none": None}[
		name
	]
	if name == "merged":
		frappe.rename_doc("Lead", gone, lead.name, merge=True)
	with pytest.raises((frappe.ValidationError, frappe.PermissionError)) as refused:
		begin(gone)
	assert (gone or "lead").lower() in str(refused.value).lower()
	assert not frappe.db.exists("Nurture Enrollment", {"lead": gone or ""})


def test_a_disqualification_that_is_taken_back_leaves_the_lead_open_again(lead):
	by_disqualification(lead)
	api.qualify(lead.name, decision="")
	assert endings.endings_of([lead.name]) == {}
	assert not frappe.db.get_value("Lead", lead.name, "lq_over")
	api.enroll(lead.name)


def opt_out_withdrawn(lead):
	by_opt_out(lead)
	for name in frappe.get_all("Contact Opt Out", {"email_id": lead.email_id}, pluck="name"):
		frappe.delete_doc("Contact Opt Out", name)


def another_address(lead):
	by_opt_out(lead)
	save(lead, email_id="somebody.else@end.example")


def status_set_back(lead):
	by_do_not_contact(lead)
	save(lead, status="Open")


def customer_deleted(lead):
	by_customer_of_prospect(lead)
	frappe.delete_doc("Customer", frappe.get_last_doc("Customer", {"prospect_name": ["is", "set"]}).name)


def customer_of_another(lead):
	by_customer_of_opportunity(lead)
	customer = frappe.get_last_doc("Customer", {"opportunity_name": ["is", "set"]})
	customer.opportunity_name = make_opportunity(ready_lead()).name
	customer.save()


def opportunity_reopened(lead):
	by_lost_opportunity(lead)
	opportunity = frappe.get_last_doc("Opportunity", {"party_name": lead.name})
	opportunity.status = "Open"
	opportunity.save()


def lost_opportunity_of_another(lead):
	by_lost_opportunity(lead)
	opportunity = frappe.get_last_doc("Opportunity", {"party_name": lead.name})
	opportunity.party_name = ready_lead()
	opportunity.save()


def ready_lead() -> str:
	lead = make_lead(first_name="Berta")
	make_sales_ready(lead.name)
	return lead.name


def save(lead, **values):
	doc = frappe.get_doc("Lead", lead.name)
	doc.update(values)
	doc.save()


@pytest.mark.parametrize(
	"goes_on",
	[
		opt_out_withdrawn,
		another_address,
		status_set_back,
		customer_deleted,
		customer_of_another,
		opportunity_reopened,
		lost_opportunity_of_another,
	],
	ids=lambda goes_on: goes_on.__name__,
)
def test_what_is_over_no_more_may_be_worked_on_at_once(lead, goes_on):
	goes_on(lead)
	assert not frappe.db.get_value("Lead", lead.name, "lq_over")
	assert jobs.end_leads()["done"] == 0
	api.enroll(lead.name)


def test_who_turns_out_to_be_somebody_who_wants_no_contact_is_left_alone_at_once(lead):
	api.opt_out(make_lead(first_name="Berta", mobile_no="+41 44 555 01 99").name)
	save(lead, mobile_no="0041 44 5550199")
	assert frappe.db.get_value("Lead", lead.name, "lq_over") == "No Contact"
	assert what_goes_on(lead.name) == NOTHING


def test_an_opportunity_that_is_given_to_a_lead_does_to_it_what_one_made_from_it_does(lead):
	opportunity = make_opportunity(ready_lead())
	opportunity.party_name = lead.name
	opportunity.save()
	assert not what_goes_on(lead.name)["enrollments"]
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "opportunity"


def test_the_timeline_says_why_it_has_ended(lead):
	by_lost_opportunity(lead)
	enrollment = frappe.get_last_doc("Nurture Enrollment", {"lead": lead.name})
	assert enrollment.status == "Stopped"
	handover = frappe.get_last_doc("Lead Handover", {"lead": lead.name})
	assert handover.status == "Pulled Back"
	comments = frappe.get_all(
		"Comment", {"reference_doctype": "Lead", "reference_name": lead.name}, pluck="content"
	)
	assert any("lost" in comment.lower() for comment in comments)


def test_leads_that_are_marked_rightly_are_not_looked_at_again(lead):
	"""Each hour would lock them all, and those that are not marked yet might never have their turn."""
	for gate in ("opportunity_gate", "customer_gate"):
		frappe.db.set_single_value("Lead Quality Settings", gate, "Off")
	half_lost, by_customer, beside = make_lead(), make_lead(), make_lead()
	make_opportunity(half_lost.name)
	make_opportunity(half_lost.name).declare_enquiry_lost([], [])
	customer = make_customer(by_customer.name)
	customer.update({"customer_group": "Commercial", "territory": "All Territories"})
	customer.insert()
	prospect = make_prospect(lead.name, beside.name)
	of_prospect = frappe.get_doc(
		{"doctype": "Customer", "customer_name": "Beside Ltd", "prospect_name": prospect.name}
	).insert()
	jobs.end_leads()
	assert endings.endings_of([by_customer.name]) and of_prospect.name

	left = endings.unmarked(limit=10_000)

	assert not {half_lost.name, by_customer.name, lead.name, beside.name} & set(left)


def test_a_lead_that_was_inserted_in_bulk_of_somebody_who_wants_no_contact_is_marked_within_the_hour(lead):
	api.opt_out(lead.name, "All", "Manual")
	columns = ["name", "title", "email_id", "status", "creation"]
	values = ("END-BULK-1", "Again", lead.email_id, "Lead", now_datetime())
	frappe.db.bulk_insert("Lead", columns, [values])
	jobs.end_leads()
	assert frappe.db.get_value("Lead", "END-BULK-1", "lq_over") == "No Contact"
