"""Touches, conversations and the cadence."""

from datetime import date

import frappe
import pytest
from frappe.core.doctype.communication.email import make as send_mail

from lead_quality import api
from lead_quality.demo.factories import make_agreement, make_lead, make_opportunity, make_sales_ready
from lead_quality.nurture import service
from lead_quality.nurture.jobs import wake_snoozed

MONDAY = "2026-03-02 10:00:00"


@pytest.fixture
def lead(freeze):
	with freeze(MONDAY):
		return make_lead()


def planned(lead) -> tuple:
	return frappe.db.get_value(
		"Lead Touch", {"lead": lead.name, "status": "Planned"}, ["step", "channel", "due_at"]
	)


def enrollment(lead) -> tuple:
	return frappe.db.get_value(
		"Nurture Enrollment", {"lead": lead.name}, ["status", "stop_reason"], order_by="creation desc"
	)


def clock(lead, kind: str) -> str:
	return frappe.db.get_value(
		"Follow Up Clock", {"lead": lead.name, "clock": kind}, "status", order_by="creation desc"
	)


def test_a_call_completes_the_planned_call_and_plans_the_next_step(lead, freeze):
	with freeze("2026-03-02 10:20:00"):
		touch = api.log_touch(lead.name, "Phone", "No Answer")
	assert (touch.step, touch.status) == ("First call", "Done")
	step, channel, due = planned(lead)
	assert (step, channel, str(due)) == ("Introduction by e-mail", "Email", "2026-03-02 12:20:00")
	assert str(frappe.db.get_value("Lead", lead.name, "lq_next_touch_at")) == "2026-03-02 12:20:00"


def test_a_touch_on_another_channel_stands_beside_the_plan(lead):
	touch = api.log_touch(lead.name, "LinkedIn", "Left Message")
	assert touch.enrollment is None
	assert planned(lead)[0] == "First call"


def test_a_call_that_ends_on_voicemail_is_the_planned_call(lead):
	assert api.log_touch(lead.name, "Voicemail", "Left Message").step == "First call"


def test_a_call_nobody_answers_stops_the_first_response_clock_but_is_no_conversation(lead, freeze):
	with freeze("2026-03-02 10:20:00"):
		api.log_touch(lead.name, "Phone", "No Answer")
	assert clock(lead, "First Response") == "Met"
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"


@pytest.mark.parametrize("outcome", ["Connected", "Replied", "Positive", "Negative", "Meeting Booked"])
def test_a_two_way_contact_makes_a_prospect(lead, outcome):
	api.log_touch(lead.name, "Visit", outcome)
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "prospect"


@pytest.mark.parametrize("outcome", ["No Answer", "Left Message", "Bounced", "Wrong Data"])
def test_a_one_way_contact_does_not(lead, outcome):
	api.log_touch(lead.name, "Visit", outcome)
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"


def test_an_outcome_that_is_corrected_to_a_conversation_makes_a_prospect(lead):
	touch = api.log_touch(lead.name, "Phone", "No Answer")
	touch.reload()
	touch.outcome = "Connected"
	touch.save()
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "prospect"
	assert planned(lead)[0] == "Introduction by e-mail"


def test_a_call_without_outcome_is_refused(lead):
	with pytest.raises(frappe.MandatoryError):
		api.log_touch(lead.name, "Phone")


def test_a_done_touch_does_not_become_planned_again(lead):
	touch = api.log_touch(lead.name, "Phone", "No Answer")
	touch.status = "Planned"
	with pytest.raises(frappe.ValidationError, match="Log another one"):
		touch.save()


def test_a_no_stops_the_cadence(lead):
	api.log_touch(lead.name, "Phone", "Negative")
	assert enrollment(lead) == ("Stopped", "The lead said no.")
	assert planned(lead) is None
	assert clock(lead, "Next Touch") in {"Met", "Missed"}


def test_the_cadence_ends_after_its_last_step(lead):
	for _number in range(7):
		api.log_touch(lead.name, planned(lead)[1], "Left Message")
	assert enrollment(lead) == ("Finished", "All steps done.")
	assert frappe.db.get_value("Lead", lead.name, "lq_next_touch_at") is None


def test_a_step_that_repeats_goes_on_every_month(freeze):
	cadence = frappe.get_doc(
		{
			"doctype": "Nurture Cadence",
			"title": "Monthly",
			"status": "Active",
			"working_calendar": "Office Hours",
			"steps": [
				{
					"step": "News",
					"channel": "Email",
					"anchor": "Enrollment",
					"delay": 1,
					"delay_unit": "Months",
					"repeat_every": 1,
				}
			],
		}
	).insert()
	with freeze("2026-01-30 10:00:00") as time:
		lead = make_lead()
		api.stop(lead.name, "Stop Early: Company closed")
		api.enroll(lead.name, cadence.name)
		# the last day of February is a Saturday: the next opening is on Monday
		assert str(planned(lead)[2]) == "2026-03-02 09:00:00"
		time.move_to("2026-03-02 09:30:00")
		api.log_touch(lead.name, "Email")
		assert str(planned(lead)[2]) == "2026-04-02 09:30:00"
	assert frappe.get_all(
		"Lead Touch", {"lead": lead.name, "step": "News"}, pluck="occurrence", order_by="occurrence"
	) == [1, 2]


def test_a_lead_is_on_one_cadence_at_a_time(lead):
	with pytest.raises(frappe.ValidationError, match="already"):
		api.enroll(lead.name)


def test_stopping_early_needs_an_agreed_reason(lead, freeze):
	with pytest.raises(frappe.MandatoryError):
		api.stop(lead.name, "Disqualify: Too small for us")
	with freeze("2026-03-02 10:10:00"):
		api.stop(lead.name, "Stop Early: Already in talks with sales")
	assert enrollment(lead) == ("Stopped", "Already in talks with sales")
	assert clock(lead, "Next Touch") == "Cancelled"


def test_a_snoozed_cadence_wakes_by_itself(lead, freeze):
	with freeze("2026-03-02 11:00:00") as time:
		api.snooze(lead.name, "2026-04-01 09:00:00")
		assert enrollment(lead)[0] == "Snoozed"
		assert str(planned(lead)[2]) == "2026-04-01 09:00:00"
		assert wake_snoozed()["done"] == 0
		time.move_to("2026-04-07 08:00:00")  # the scheduler was off for some days
		assert wake_snoozed()["done"] == 1
		assert wake_snoozed()["done"] == 0
	assert enrollment(lead)[0] == "Active"


def test_a_snoozed_touch_is_not_overdue_before_its_new_time(lead, freeze):
	with freeze("2026-03-02 11:00:00"):
		api.snooze(lead.name, "2026-04-01 09:00:00")
	running = frappe.get_all(
		"Follow Up Clock", {"lead": lead.name, "clock": "Next Touch", "status": "Running"}, pluck="due_at"
	)
	assert [str(due) for due in running] == ["2026-04-02 09:00:00"]


# snoozing for a reason

HOLIDAY = "Snooze: On holiday"


def snooze_of(lead) -> tuple:
	return frappe.db.get_value(
		"Nurture Enrollment", {"lead": lead.name}, ["status", "snooze_reason", "snoozed_until"]
	)


@pytest.fixture
def snoozed(lead, freeze):
	with freeze("2026-03-02 11:00:00"):
		return api.snooze(lead.name, "2026-04-01 09:00:00", HOLIDAY)


def test_a_snooze_keeps_the_reason_that_permits_it_until_it_wakes(lead, snoozed, freeze):
	assert snooze_of(lead)[:2] == ("Snoozed", HOLIDAY)
	with freeze("2026-04-01 09:00:00"):
		wake_snoozed()
	assert snooze_of(lead) == ("Active", None, None)


@pytest.mark.parametrize("reason", ["Stop Early: Company closed", "Somewhere else"])
def test_a_snooze_for_another_kind_of_reason_is_refused(lead, reason):
	with pytest.raises(frappe.MandatoryError):
		api.snooze(lead.name, "2099-04-01 09:00:00", reason)
	assert enrollment(lead)[0] == "Active"


def test_a_snooze_for_a_reason_that_is_switched_off_is_refused(lead):
	frappe.db.set_value("Lead Outcome Reason", HOLIDAY, "enabled", 0)
	with pytest.raises(frappe.MandatoryError):
		api.snooze(lead.name, "2099-04-01 09:00:00", HOLIDAY)


def test_a_snooze_for_a_reason_that_both_sides_have_not_agreed_is_refused(lead, make_user):
	make_agreement(
		make_user("marketing@nurture.example", "Lead Quality Manager"),
		make_user("sales@nurture.example", "Sales Manager"),
		reasons=[{"reason": "Snooze: Asked for a later call"}],
	)
	with pytest.raises(frappe.MandatoryError):
		api.snooze(lead.name, "2099-04-01 09:00:00", HOLIDAY)
	api.snooze(lead.name, "2099-04-01 09:00:00", "Snooze: Asked for a later call")
	assert snooze_of(lead)[1] == "Snooze: Asked for a later call"


def test_a_long_snooze_needs_a_reason(lead, freeze):
	with freeze("2026-03-02 11:00:00"):
		api.snooze(lead.name, "2026-04-13 11:00:00")
		for until in ("2026-04-13 11:00:01", "2099-01-01"):
			with pytest.raises(frappe.MandatoryError, match="6 weeks"):
				api.snooze(lead.name, until)
		assert str(snooze_of(lead)[2]) == "2026-04-13 11:00:00"
		api.snooze(lead.name, "2026-09-01 09:00:00", HOLIDAY)
	assert snooze_of(lead)[1] == HOLIDAY


def test_a_decision_to_nurture_for_long_needs_a_reason(lead, freeze):
	with freeze("2026-03-02 11:00:00"):
		api.qualify(lead.name, decision="Nurture", nurture_until="2026-04-13")
		for until in ("2026-04-14", "2099-01-01"):
			with pytest.raises(frappe.MandatoryError, match="6 weeks"):
				api.qualify(lead.name, decision="Nurture", nurture_until=until)
		doc = frappe.get_doc("Lead Qualification", {"lead": lead.name})
		doc.nurture_until = "2099-01-01"
		with pytest.raises(frappe.MandatoryError, match="6 weeks"):
			doc.save()
		later = api.qualify(
			lead.name,
			decision="Nurture",
			outcome_reason="Disqualify: Not this year",
			nurture_until="2026-09-01",
		)
	assert str(later.nurture_until) == "2026-09-01"


def test_a_snooze_without_a_reason_has_none_also_after_one_that_had(lead, snoozed, freeze):
	with freeze("2026-03-02 12:00:00"):
		api.snooze(lead.name, "2026-04-02 09:00:00")
	assert snooze_of(lead)[:2] == ("Snoozed", None)


def test_a_touch_wakes_a_snoozed_lead_and_ends_the_reason(lead, snoozed, freeze):
	with freeze("2026-03-05 09:00:00"):
		api.log_touch(lead.name, "Phone", "Connected")
	assert snooze_of(lead) == ("Active", None, None)


def test_a_call_that_was_made_before_the_snooze_and_is_logged_after_it_wakes_nobody(lead, snoozed, freeze):
	with freeze("2026-03-02 11:05:00"):
		touch = api.log_touch(lead.name, "Phone", "Connected", done_at="2026-03-02 10:55:00")
	assert touch.enrollment is None
	assert snooze_of(lead)[:2] == ("Snoozed", HOLIDAY)
	assert str(planned(lead)[2]) == "2026-04-01 09:00:00"


def test_a_cadence_that_is_stopped_keeps_no_reason_to_rest(lead, snoozed):
	api.stop(lead.name, "Stop Early: Company closed")
	assert snooze_of(lead) == ("Stopped", None, None)


def test_a_snooze_reason_cannot_be_written_past_the_app(lead):
	doc = frappe.get_doc("Nurture Enrollment", {"lead": lead.name})
	doc.snooze_reason = HOLIDAY
	doc.save()
	assert snooze_of(lead)[1] is None


def test_a_lead_decided_for_later_rests_for_no_reason_that_pauses_clocks(lead, freeze):
	with freeze("2026-03-02 11:00:00"):
		api.qualify(
			lead.name,
			decision="Nurture",
			outcome_reason="Disqualify: Not this year",
			nurture_until="2026-09-01",
		)
	status, reason, until = snooze_of(lead)
	assert (status, reason, str(until)) == ("Snoozed", None, "2026-09-01 09:00:00")


def test_snoozing_into_the_past_is_refused(lead):
	with pytest.raises(frappe.ValidationError, match="future"):
		api.snooze(lead.name, "2020-01-01 09:00:00")


def test_an_opportunity_ends_the_cadence(lead):
	make_sales_ready(lead.name)
	make_opportunity(lead.name)
	assert enrollment(lead) == ("Stopped", "An opportunity was made.")


def test_a_disqualified_lead_leaves_its_cadence(lead):
	api.qualify(lead.name, decision="Disqualified", outcome_reason="Disqualify: Too small for us")
	assert enrollment(lead) == ("Stopped", "The lead is disqualified.")
	assert planned(lead) is None


def test_a_lead_that_wants_no_contact_is_left_alone(lead):
	lead.reload()
	lead.status = "Do Not Contact"
	lead.save()
	assert enrollment(lead)[0] == "Stopped"
	assert not frappe.db.exists("Follow Up Clock", {"lead": lead.name, "status": "Running"})
	with pytest.raises(frappe.ValidationError, match="not to be contacted"):
		api.enroll(lead.name)


def test_an_opt_out_outlives_the_lead_and_holds_for_the_same_person(lead):
	api.opt_out(lead.name, reason="Complaint")
	assert enrollment(lead)[0] == "Stopped"
	assert frappe.db.get_value("Lead", lead.name, "unsubscribed") == 1
	address = lead.email_id
	frappe.delete_doc("Lead", lead.name)
	again = make_lead(email_id=address)
	assert planned(again) is None
	with pytest.raises(frappe.ValidationError, match="not to be contacted"):
		api.enroll(again.name)


def test_an_opt_out_holds_for_every_lead_of_the_same_person(lead, freeze):
	frappe.db.set_single_value("CRM Settings", "allow_lead_duplication_based_on_emails", 1)
	double = make_lead(email_id=lead.email_id)
	frappe.get_doc({"doctype": "Contact Opt Out", "channel": "All", "email_id": lead.email_id}).insert()
	for one in (lead, double):
		assert enrollment(one)[0] == "Stopped"
		assert not frappe.db.exists("Follow Up Clock", {"lead": one.name, "stopped_at": ("is", "not set")})


def test_nobody_is_asked_to_respond_to_a_person_who_wants_no_contact(lead):
	address = lead.email_id
	api.opt_out(lead.name)
	frappe.delete_doc("Lead", lead.name)
	for again in (make_lead(email_id=address), make_lead(status="Do Not Contact")):
		assert not frappe.db.exists("Follow Up Clock", {"lead": again.name})


def test_an_opt_out_of_one_channel_skips_its_planned_touch_only(lead):
	api.opt_out(lead.name, channel="Phone")
	assert enrollment(lead)[0] == "Active"
	assert planned(lead)[0] == "Introduction by e-mail"


# mail


def write(lead, to: str | None = None):
	send_mail(
		doctype="Lead",
		name=lead.name,
		recipients=to or lead.email_id,
		subject="Your pumps",
		content="Shall we talk?",
		send_email=True,
	)


def receive(lead, sender: str, subject: str = "Re: Your pumps"):
	frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Received",
			"sender": sender,
			"subject": subject,
			"content": "…",
			"reference_doctype": "Lead",
			"reference_name": lead.name,
		}
	).insert(ignore_permissions=True)


def test_a_mail_written_at_the_desk_logs_itself_and_completes_the_planned_mail(lead, smtp):
	api.log_touch(lead.name, "Phone", "No Answer")
	write(lead)
	touch = frappe.get_last_doc("Lead Touch", {"lead": lead.name, "status": "Done", "channel": "Email"})
	assert (touch.step, bool(touch.communication)) == ("Introduction by e-mail", True)
	assert planned(lead)[0] == "Voicemail"
	assert [mail["Subject"] for mail in smtp.flush()] == ["Your pumps"]


def test_a_mail_written_at_the_desk_stops_the_first_response_clock(lead, smtp):
	write(lead)
	assert clock(lead, "First Response") in {"Met", "Missed"}


def test_a_mail_to_a_colleague_about_the_lead_is_no_touch(lead, smtp, make_user):
	colleague = make_user("colleague@nurture.example", "Sales User")
	write(lead, to=colleague)
	assert not frappe.db.exists("Lead Touch", {"lead": lead.name, "status": "Done"})
	assert clock(lead, "First Response") == "Running"


def test_a_reply_makes_a_prospect(lead, smtp):
	write(lead)
	receive(lead, lead.email_id)
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "prospect"


def test_a_mail_of_an_email_campaign_is_no_persons_response(lead, smtp):
	template = frappe.get_doc(
		{"doctype": "Email Template", "name": "Spring", "subject": "News", "response": "…"}
	).insert()
	campaign = frappe.get_doc(
		{
			"doctype": "Campaign",
			"campaign_name": "Spring",
			"campaign_schedules": [{"email_template": template.name, "send_after_days": 1}],
		}
	).insert()
	email_campaign = frappe.get_doc(
		{
			"doctype": "Email Campaign",
			"campaign_name": campaign.name,
			"email_campaign_for": "Lead",
			"recipient": lead.name,
			"start_date": frappe.utils.today(),
		}
	).insert()
	frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Sent",
			"recipients": lead.email_id,
			"subject": "News",
			"content": "…",
			"reference_doctype": "Email Campaign",
			"reference_name": email_campaign.name,
			"timeline_links": [{"link_doctype": "Lead", "link_name": lead.name}],
		}
	).insert(ignore_permissions=True)
	assert clock(lead, "First Response") == "Running"


def test_a_colleagues_mail_about_the_lead_is_no_reply(lead, smtp, make_user):
	write(lead)
	receive(lead, make_user("colleague@nurture.example", "Sales User"))
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"


def test_a_call_from_the_lead_that_was_taken_stops_the_first_response_clock(lead):
	api.log_touch(lead.name, "Phone", "Connected", direction="Inbound")
	assert clock(lead, "First Response") in {"Met", "Missed"}


def test_a_touch_that_is_skipped_is_no_promise_kept(lead, freeze):
	touch = frappe.get_last_doc("Lead Touch", {"lead": lead.name, "status": "Planned"})
	touch.status = "Skipped"
	with freeze("2026-03-02 10:10:00"):
		touch.save()
	kept = frappe.get_all(
		"Follow Up Clock", {"lead": lead.name, "clock": "Next Touch"}, pluck="status", order_by="creation asc"
	)
	assert kept == ["Cancelled", "Running"]


@pytest.mark.parametrize(
	("sender", "subject"),
	[
		("MAILER-DAEMON@mx.example", "Undelivered Mail Returned to Sender"),
		("anna@lead.example", "Automatic reply: Your pumps"),
		("postmaster@mx.example", "Re: Your pumps"),
	],
)
def test_a_bounce_or_an_automatic_answer_is_no_reply(lead, smtp, sender, subject):
	write(lead)
	receive(lead, sender, subject)
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"


# cadences that cannot be walked


@pytest.mark.parametrize(
	("steps", "words"),
	[
		([{"step": "A", "channel": "Phone"}, {"step": "A", "channel": "Email"}], "twice"),
		(
			[{"step": "A", "channel": "Phone", "repeat_every": 1}, {"step": "B", "channel": "Email"}],
			"last step",
		),
		([{"step": "A", "channel": "Phone", "anchor": "Date Field", "date_field": "city"}], "date field"),
	],
)
def test_a_cadence_that_cannot_be_walked_is_refused(steps, words):
	with pytest.raises(frappe.ValidationError, match=words):
		frappe.get_doc(
			{
				"doctype": "Nurture Cadence",
				"title": "Broken",
				"working_calendar": "Office Hours",
				"steps": steps,
			}
		).insert()


def test_a_cadence_with_fewer_touches_than_wanted_warns_when_activated():
	frappe.get_doc(
		{
			"doctype": "Nurture Cadence",
			"title": "Short",
			"status": "Active",
			"working_calendar": "Office Hours",
			"min_touches": 7,
			"steps": [{"step": "A", "channel": "Phone"}],
		}
	).insert()
	assert any("minimum is 7" in str(message) for message in frappe.message_log)


def test_a_first_step_by_a_date_of_the_lead_is_planned_for_a_new_lead(freeze):
	cadence = frappe.get_doc(
		{
			"doctype": "Nurture Cadence",
			"title": "By the Day",
			"status": "Active",
			"working_calendar": "Office Hours",
			"steps": [
				{
					"step": "A",
					"channel": "Phone",
					"anchor": "Date Field",
					"date_field": "qualified_on",
					"delay": 1,
					"delay_unit": "Days",
				}
			],
		}
	).insert()
	frappe.get_doc("Lead Segment", "Inbound").update({"cadence": cadence.name}).save()
	with freeze(MONDAY):
		lead = make_lead(qualified_on="2026-03-10")
	assert str(planned(lead)[2])[:10] == "2026-03-11"
	assert frappe.db.get_value("Lead", lead.name, "lq_next_touch_at") == planned(lead)[2]


def test_a_lead_comes_in_also_while_its_calendar_is_never_open():
	"""All days were made holidays, or somebody emptied the opening hours past the form."""
	frappe.db.delete("Working Calendar Hours", {"parent": "Office Hours"})
	frappe.db.set_value("Working Calendar", "Office Hours", "modified", frappe.utils.now())
	frappe.clear_document_cache("Working Calendar", "Office Hours")
	lead = make_lead()
	assert frappe.db.exists("Lead", lead.name)
	assert not frappe.db.exists("Follow Up Clock", {"lead": lead.name})
	assert planned(lead) is None
	assert frappe.db.exists("Error Log", {"method": ["like", "No deadline can be calculated%"]})
	frappe.db.delete("Error Log", {"method": ["like", "No %"]})


def test_a_day_on_which_the_calendar_is_closed_is_not_offered_to_snooze_until():
	lead = make_lead().name
	cadence = frappe.db.get_value("Nurture Enrollment", {"lead": lead}, "cadence")
	friday = date(2026, 11, 27)
	assert service.closed_days(cadence, friday, 4) == [date(2026, 11, 28), date(2026, 11, 29)]
	assert api.get_panel(lead)["next_touch"]["closed_days"]


@pytest.mark.parametrize("by", ["the cadence it is on", "the cadence of its segment", "its policy"])
def test_a_lead_is_proposed_to_rest_until_a_working_day_in_three_months(by, freeze):
	if by == "its policy":
		frappe.get_doc("Lead Segment", "Inbound").update({"cadence": None}).save()
	with freeze("2026-05-08 11:00"):
		lead = make_lead()
		if by == "the cadence of its segment":
			api.stop(lead.name, "Stop Early: Asked us to stop")
		# 8 August is a Saturday
		assert api.get_panel(lead.name)["rest_until"] == date(2026, 8, 10)
	assert service.day_to_rest_until(lead, date(2026, 5, 5)) == date(2026, 8, 5)


def test_where_no_calendar_says_otherwise_a_lead_rests_three_months_to_the_day():
	lead = frappe.new_doc("Lead")
	assert service.day_to_rest_until(lead, date(2026, 5, 8)) == date(2026, 8, 8)
	frappe.db.delete("Working Calendar Hours", {"parent": "Office Hours"})
	frappe.db.set_value("Working Calendar", "Office Hours", "modified", frappe.utils.now())
	frappe.clear_document_cache("Working Calendar", "Office Hours")
	lead = make_lead()
	assert service.day_to_rest_until(lead, date(2026, 5, 8)) == date(2026, 8, 8)
	frappe.db.delete("Error Log", {"method": ["like", "No %"]})
