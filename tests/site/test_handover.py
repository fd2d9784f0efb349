"""Marketing hands over, sales answers in time."""

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready
from lead_quality.funnel import journey
from lead_quality.qualification.gate import NotSalesReadyError

MONDAY = "2026-03-02 10:00:00"


@pytest.fixture
def marketing(make_user):
	return make_user("marketing@hand.example", "Sales User")


@pytest.fixture
def sales(make_user):
	return make_user("sales@hand.example", "Sales User")


@pytest.fixture
def lead(marketing, as_user):
	lead = make_lead(lead_owner=marketing)
	with as_user(marketing):
		make_sales_ready(lead.name)
	return lead


@pytest.fixture
def sent(lead, marketing, sales, as_user, freeze):
	with freeze(MONDAY), as_user(marketing):
		return api.send_handover(lead.name, sales, note="Expects your call")


def told(user: str) -> list[str]:
	return frappe.get_all(
		"Notification Log", {"for_user": user, "document_type": "Lead Handover"}, pluck="subject"
	)


def clock(lead, kind: str) -> str:
	return frappe.db.get_value("Follow Up Clock", {"lead": lead.name, "clock": kind}, "status")


def owner(lead) -> str:
	return frappe.db.get_value("Lead", lead.name, "lead_owner")


def test_a_lead_that_is_not_sales_ready_is_not_handed_over(sales):
	lead = make_lead()
	with pytest.raises(NotSalesReadyError, match="not asked yet"):
		api.send_handover(lead.name, sales)
	assert not frappe.db.exists("Lead Handover", {"lead": lead.name})


def test_the_receiver_is_told_at_once_and_has_a_deadline_in_working_time(sent, sales):
	assert len(told(sales)) == 1
	assert "Kellerbrunn Works" in told(sales)[0]
	assert str(sent.accept_by) == "2026-03-03 10:00:00"


def test_the_dossier_holds_the_answers_and_the_whole_contact_history(lead, marketing, sales, as_user):
	with as_user(marketing):
		api.log_touch(lead.name, "Phone", "Connected", note="Asks for <b>twelve</b> pumps")
		dossier = api.send_handover(lead.name, sales).dossier
	assert "Their heating bill has doubled." in dossier
	assert "Connected" in dossier
	assert "&lt;b&gt;twelve&lt;/b&gt;" in dossier


def test_accepting_makes_the_receiver_the_owner_and_starts_the_clock_of_the_first_touch(
	lead, sent, marketing, sales, as_user, freeze
):
	with freeze("2026-03-02 15:00:00"), as_user(sales):
		assert api.accept_handover(sent.name).status == "Accepted"
	assert owner(lead) == sales
	assert clock(lead, "Handover Acceptance") == "Met"
	assert clock(lead, "First Touch After Acceptance") == "Running"
	assert len(told(marketing)) == 1


def test_a_late_answer_is_a_missed_deadline(lead, sent, sales, as_user, freeze):
	with freeze("2026-03-05 10:00:00"), as_user(sales):
		api.accept_handover(sent.name)
	assert clock(lead, "Handover Acceptance") == "Missed"


def test_the_first_touch_stops_the_clock_that_acceptance_started(lead, sent, sales, as_user, freeze):
	with freeze("2026-03-02 15:00:00") as time, as_user(sales):
		api.accept_handover(sent.name)
		time.move_to("2026-03-02 15:30:00")
		api.log_touch(lead.name, "Phone", "No Answer")
	assert clock(lead, "First Touch After Acceptance") == "Met"


def test_a_late_answer_is_the_receivers_and_not_the_senders(lead, sent, sales, as_user, freeze):
	with freeze("2026-03-05 10:00:00"), as_user(sales):
		api.accept_handover(sent.name)
	breach = frappe.db.get_value(
		"Follow Up Clock", {"lead": lead.name, "clock": "Handover Acceptance"}, "owner_at_breach"
	)
	assert breach == sales


def test_a_touch_from_before_the_acceptance_is_not_the_receivers(lead, sent, sales, as_user, freeze):
	with freeze("2026-03-02 15:00:00"), as_user(sales):
		api.accept_handover(sent.name)
		api.log_touch(lead.name, "Phone", "No Answer", done_at="2026-03-02 12:00:00")
	assert clock(lead, "First Touch After Acceptance") == "Running"


def test_what_was_sent_cannot_be_rewritten(sent, sales, as_user):
	sent.reload()
	with as_user(sales):
		doc = frappe.get_doc("Lead Handover", sent.name)
		doc.update({"from_user": sales, "accept_by": "2040-01-01", "expected_value": 1})
		doc.save()
	after = frappe.get_doc("Lead Handover", sent.name)
	assert (after.from_user, after.accept_by, after.expected_value) == (
		sent.from_user,
		sent.accept_by,
		sent.expected_value,
	)


def test_a_handover_works_where_mail_is_muted(lead, sales):
	frappe.flags.mute_emails = True
	assert api.send_handover(lead.name, sales).status == "Sent"


def test_rejecting_needs_an_agreed_reason_and_leaves_the_lead_where_it_was(
	lead, sent, marketing, sales, as_user
):
	with as_user(sales):
		with pytest.raises(frappe.MandatoryError):
			api.reject_handover(sent.name, "Return: Bought elsewhere")
		api.reject_handover(sent.name, "Reject: No budget yet", feedback="Ask again in May")
	assert owner(lead) == marketing
	assert frappe.db.get_value("Lead", lead.name, "lq_handover_status") == "Rejected"
	assert frappe.db.get_value("Lead Handover", sent.name, "feedback") == "Ask again in May"


def test_returning_gives_the_lead_back_to_marketing(lead, sent, marketing, sales, as_user):
	with as_user(sales):
		api.accept_handover(sent.name)
		api.return_handover(sent.name, "Return: Cannot be reached")
	assert owner(lead) == marketing
	assert clock(lead, "First Touch After Acceptance") == "Cancelled"


@pytest.fixture
def agency(make_user):
	"""An outside qualifier, who sees only own leads."""
	return make_user("agency@hand.example", "Lead Qualifier")


@pytest.fixture
def sent_by_agency(agency, sales, as_user, freeze):
	lead = make_lead(lead_owner=agency)
	make_sales_ready(lead.name)
	with freeze(MONDAY), as_user(agency):
		return api.send_handover(lead.name, sales)


def test_a_sender_whose_lead_is_somebody_elses_by_now_reads_its_number_and_not_its_name(
	sent_by_agency, agency, sales, as_user
):
	with as_user(sales):
		api.accept_handover(sent_by_agency.name)
	assert not frappe.has_permission("Lead", "read", doc=sent_by_agency.lead, user=agency)
	(words,) = told(agency)
	assert sent_by_agency.lead in words
	assert "Kellerbrunn Works" not in words


def test_a_sender_who_has_the_lead_again_reads_its_name(sent_by_agency, agency, sales, as_user):
	with as_user(sales):
		api.reject_handover(sent_by_agency.name, "Reject: No budget yet")
	(words,) = told(agency)
	assert "Kellerbrunn Works" in words


def test_a_handover_is_answered_once(sent, sales, as_user):
	with as_user(sales):
		api.accept_handover(sent.name)
		with pytest.raises(frappe.ValidationError, match="was already decided: Accepted"):
			api.accept_handover(sent.name)
		with pytest.raises(frappe.ValidationError, match="was already decided: Accepted"):
			api.reject_handover(sent.name, "Reject: No budget yet")


def test_only_the_receiver_or_a_manager_answers(sent, make_user, as_user):
	with as_user(make_user("third@hand.example", "Sales User")):
		with pytest.raises(frappe.PermissionError):
			api.accept_handover(sent.name)
	with as_user(make_user("chief@hand.example", "Sales Manager")):
		assert api.accept_handover(sent.name).status == "Accepted"


def test_a_lead_waits_for_one_answer_at_a_time(lead, sent, sales):
	with pytest.raises(frappe.ValidationError, match="already waiting"):
		api.send_handover(lead.name, sales)


def test_a_lead_can_be_handed_over_again_after_a_rejection(lead, sent, sales, as_user):
	with as_user(sales):
		api.reject_handover(sent.name, "Reject: No budget yet")
	assert api.send_handover(lead.name, sales).status == "Sent"


def test_a_user_who_may_not_work_on_leads_receives_none(lead, make_user):
	clerk = make_user("clerk@hand.example", "Accounts User")
	with pytest.raises(frappe.ValidationError, match="has no sales role"):
		api.send_handover(lead.name, clerk)


def test_a_disabled_user_receives_no_lead(lead, sales):
	frappe.db.set_value("User", sales, "enabled", 0)
	with pytest.raises(frappe.ValidationError, match="not an enabled user"):
		api.send_handover(lead.name, sales)


def test_one_person_can_do_it_all_where_the_settings_say_so(lead, marketing, as_user):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.one_person_mode = 1
	settings.save()
	with as_user(marketing):
		handover = api.send_handover(lead.name, marketing)
		assert api.accept_handover(handover.name).status == "Accepted"


def test_where_the_settings_keep_them_apart_the_qualifier_receives_nothing(lead, marketing):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.separate_qualifier_and_receiver = 1
	settings.save()
	with pytest.raises(frappe.ValidationError, match="qualified this lead"):
		api.send_handover(lead.name, marketing)


@pytest.mark.parametrize("status", ["Accepted", "Rejected", "Returned", "Draft"])
def test_a_status_cannot_be_set_past_the_buttons(sent, sales, as_user, status):
	with as_user(sales):
		doc = frappe.get_doc("Lead Handover", sent.name)
		doc.status = status
		with pytest.raises((frappe.ValidationError, frappe.PermissionError)):
			doc.save()


def test_a_handover_cannot_be_inserted_past_the_gate(sales, as_user):
	lead = make_lead()
	with as_user(sales), pytest.raises(frappe.PermissionError):
		frappe.get_doc({"doctype": "Lead Handover", "lead": lead.name, "to_user": sales}).insert()


@pytest.mark.parametrize("is_accepted", [False, True], ids=["waits", "accepted"])
def test_a_handover_that_is_deleted_is_waited_for_by_nobody(lead, sent, sales, as_user, is_accepted, freeze):
	if is_accepted:
		with freeze("2026-03-02 10:05:00"), as_user(sales):
			api.accept_handover(sent.name)
	kind = "First Touch After Acceptance" if is_accepted else "Handover Acceptance"
	assert clock(lead, kind) == "Running"
	frappe.delete_doc("Lead Handover", sent.name)
	assert not frappe.db.exists(
		"Follow Up Clock", {"lead": lead.name, "clock": kind, "stopped_at": ["is", "not set"]}
	)
	assert not frappe.db.get_value("Lead", lead.name, "lq_handover_status")
	journey.write_marked()
	assert not frappe.db.get_value("Lead Journey", lead.name, "handed_over_at")


def test_a_lead_with_a_handover_that_waits_can_be_deleted(lead, sent):
	frappe.delete_doc("Lead", lead.name)
	assert not frappe.db.exists("Lead Handover", sent.name)
