"""What is entered late is counted apart; a plan stays watched; a step by e-mail needs an address."""

import frappe
import pytest
from frappe.desk import query_report

from lead_quality import api
from lead_quality.demo.factories import make_lead
from lead_quality.follow_up.jobs import sweep_clocks

MONDAY = "2026-03-02 10:00:00"


@pytest.fixture
def rep(make_user):
	return make_user("rep@late.example", "Sales User")


@pytest.fixture
def colleague(make_user):
	return make_user("colleague@late.example", "Sales User")


@pytest.fixture
def lead(freeze, rep):
	with freeze(MONDAY):
		return make_lead(lead_owner=rep)


def call(lead, **values):
	return frappe.get_doc(
		{
			"doctype": "Lead Touch",
			"lead": lead.name,
			"channel": "Phone",
			"direction": "Outbound",
			"status": "Done",
			"outcome": "Connected",
			**values,
		}
	).insert()


def response_of(lead):
	return frappe.get_doc("Follow Up Clock", {"lead": lead.name, "clock": "First Response"})


def test_a_call_that_is_entered_after_the_deadline_is_counted_apart_and_credited_to_who_enters_it(
	lead, rep, colleague, freeze, as_user
):
	with freeze("2026-03-02 12:05"):
		sweep_clocks()
	with freeze("2026-03-04 10:00"), as_user(rep):
		touch = call(lead, done_by=colleague, done_at="2026-03-02 11:59:00")
	assert touch.done_by == rep
	assert (str(touch.done_at), str(touch.logged_at)) == ("2026-03-02 11:59:00", "2026-03-04 10:00:00")
	clock = response_of(lead)
	assert (clock.status, clock.entered_late) == ("Met", 1)
	rows = query_report.run(
		"Follow-up Compliance",
		{"group_by": "Clock", "from_date": "2026-03-01", "to_date": "2026-03-31"},
		ignore_prepared_report=True,
	)["result"]
	(row,) = [row for row in rows if row.get("clock") == "First Response"]
	assert (row["clocks"], row["met"], row["missed"], row["entered_late"]) == (0, 0, 0, 1)


def test_a_call_that_is_entered_in_time_is_met_like_any_other(lead, rep, freeze, as_user):
	with freeze("2026-03-02 11:59"), as_user(rep):
		call(lead, done_at="2026-03-02 11:30:00")
	assert (response_of(lead).status, response_of(lead).entered_late) == ("Met", 0)


def test_a_mail_that_proves_itself_is_no_late_entry(lead, rep, freeze):
	with freeze("2026-03-02 11:30"):
		mail = frappe.get_doc(
			{
				"doctype": "Communication",
				"communication_type": "Communication",
				"communication_medium": "Email",
				"sent_or_received": "Sent",
				"subject": "Hello",
				"sender": rep,
				"recipients": lead.email_id,
			}
		).insert(ignore_permissions=True)
	with freeze("2026-03-03 10:00"):
		frappe.db.set_value(
			"Communication", mail.name, {"reference_doctype": "Lead", "reference_name": lead.name}
		)
		sweep_clocks()
	assert (response_of(lead).status, response_of(lead).entered_late) == ("Met", 0)


def test_a_manager_enters_what_a_colleague_has_done(lead, colleague, make_user, freeze, as_user):
	boss = make_user("boss@late.example", "Sales Manager")
	with freeze("2026-03-02 11:00"), as_user(boss):
		assert call(lead, done_by=colleague).done_by == colleague


def test_a_late_entry_that_is_corrected_stays_one(lead, rep, freeze):
	with freeze("2026-03-04 10:00"):
		touch = call(lead, done_at="2026-03-02 11:59:00", outcome="Connected")
	with freeze("2026-03-04 10:05"):
		touch.reload().update({"outcome": "No Answer"}).save()
	assert (response_of(lead).status, response_of(lead).entered_late) == ("Met", 1)


# a plan stays watched


def test_a_plan_keeps_its_deadlines_when_the_segment_has_none_any_more(lead, freeze):
	policy = frappe.copy_doc(frappe.get_doc("Follow Up Policy", "Standard Follow Up"))
	policy.title = "Without Next Touch"
	policy.targets = [row for row in policy.targets if row.clock != "Next Touch"]
	policy.insert()
	segment = frappe.copy_doc(frappe.get_doc("Lead Segment", "Inbound"))
	segment.update({"title": "Unwatched", "follow_up_policy": policy.name, "rules": [], "priority": 999})
	segment.insert()
	frappe.db.set_value("Lead", lead.name, "lq_segment", segment.name)
	with freeze("2026-03-02 10:30"):
		api.log_touch(lead.name, "Phone", "No Answer")
	clock = frappe.get_last_doc(
		"Follow Up Clock", {"lead": lead.name, "clock": "Next Touch", "status": "Running"}
	)
	due = frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Planned"}, "due_at")
	assert clock.started_at == due
	assert (clock.within, clock.unit) == (1, "Working Days")


# a step by e-mail needs an address


@pytest.fixture
def mail_first():
	cadence = frappe.get_doc(
		{
			"doctype": "Nurture Cadence",
			"title": "Mail First",
			"status": "Active",
			"working_calendar": "Office Hours",
			"steps": [
				{
					"step": "Mail",
					"channel": "Email",
					"anchor": "Enrollment",
					"delay": 1,
					"delay_unit": "Hours",
				},
				{"step": "Call", "channel": "Phone", "delay": 1, "delay_unit": "Hours"},
			],
		}
	).insert()
	segment = frappe.get_doc("Lead Segment", "Inbound")
	segment.cadence = cadence.name
	segment.save()
	return cadence


def make_lead_without_address():
	lead = frappe.new_doc("Lead")
	lead.update({"first_name": "Anna", "last_name": "Silent", "company_name": "Silent Works"})
	return lead.insert(ignore_permissions=True)


def touches_of(lead) -> list[tuple]:
	return frappe.get_all(
		"Lead Touch",
		{"lead": lead.name},
		["step", "status", "status_reason"],
		as_list=True,
		order_by="due_at, idx",
	)


def test_a_step_by_mail_is_skipped_with_the_reason_where_there_is_no_address(mail_first, freeze):
	with freeze(MONDAY):
		lead = make_lead_without_address()
		frappe.db.set_value("Lead", lead.name, "lq_segment", "Inbound")
		frappe.db.delete("Nurture Enrollment", {"lead": lead.name})
		frappe.db.delete("Lead Touch", {"lead": lead.name})
		api.enroll(lead.name, mail_first.name)
	assert {row[:2] for row in touches_of(lead)} == {("Mail", "Skipped"), ("Call", "Planned")}
	assert dict((row[0], row[2]) for row in touches_of(lead))["Mail"] == "The lead has no e-mail address."
	assert not frappe.db.exists(
		"Follow Up Clock", {"lead": lead.name, "clock": "Next Touch", "status": "Missed"}
	)


def test_a_contact_who_has_an_address_is_proposed(mail_first, freeze):
	with freeze(MONDAY):
		lead = make_lead_without_address()
		contact = frappe.get_doc(
			{
				"doctype": "Contact",
				"first_name": "Bea",
				"email_ids": [{"email_id": "bea@silent.example", "is_primary": 1}],
				"links": [{"link_doctype": "Lead", "link_name": lead.name}],
			}
		).insert(ignore_permissions=True)
		frappe.db.delete("Nurture Enrollment", {"lead": lead.name})
		frappe.db.delete("Lead Touch", {"lead": lead.name})
		api.enroll(lead.name, mail_first.name)
	planned = frappe.get_doc("Lead Touch", {"lead": lead.name, "status": "Planned"})
	assert (planned.step, planned.contact) == ("Mail", contact.name)


def test_tonight_is_the_readers_tonight():
	card = frappe.get_doc("Number Card", "Touches Due by Tonight")
	(rule,) = frappe.parse_json(card.dynamic_filters_json)
	assert rule[-1] == "frappe.datetime.convert_to_system_tz(frappe.datetime.get_today() + ' 23:59:59')"
