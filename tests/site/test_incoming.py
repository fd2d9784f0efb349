"""Mail that comes in through Frappe's own door, with the headers that real mail systems send."""

import smtplib
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import format_datetime

import frappe
import pytest
from frappe.core.doctype.communication.email import make as send_mail
from frappe.email.receive import InboundMail
from frappe.utils import get_datetime, now_datetime

from lead_quality import api
from lead_quality.base.arriving import arriving_message
from lead_quality.demo.factories import make_lead
from lead_quality.nurture.incoming import month_names
from lead_quality.qualification.definitions import clear_caches
from tests.site.helpers import repair, stage

MONDAY = "2026-03-02 10:00:00"
TEN_PAST = "2026-03-02 10:10:00"
NOON = "2026-03-02 12:00:00"


@pytest.fixture
def account():
	return frappe.get_doc(
		{
			"doctype": "Email Account",
			"email_account_name": "Sales Inbox",
			"email_id": "sales@incoming.example",
			"login_id_is_different": 0,
			"enable_incoming": 0,
		}
	).insert(ignore_permissions=True)


@pytest.fixture
def lead(freeze):
	with freeze(MONDAY):
		return make_lead()


@pytest.fixture
def at_noon(freeze, lead):
	with freeze(NOON) as time:
		yield time


@pytest.fixture
def no_contacts():
	frappe.db.set_single_value("CRM Settings", "auto_creation_of_contact", 0)


@pytest.fixture
def receive(account):
	"""`receive(lead, subject, text, **headers)`: a mail arrives; returns the Communication."""

	def receive(lead, subject: str = "Pumps", text: str = "Yes, please.", sender: str = "", **headers):
		message = EmailMessage()
		message["From"] = sender or f"Anna Keller <{lead.email_id}>"
		message["To"] = account.email_id
		message["Subject"] = subject
		message["Date"] = format_datetime(now_datetime().astimezone())
		message["Message-ID"] = f"<{frappe.generate_hash()}@mx.lead.example>"
		for name, value in headers.items():
			message[name.replace("_", "-")] = value
		message.set_content(text)
		return InboundMail(message.as_bytes(), account, 1, 0).process()

	return receive


@pytest.fixture
def spoken(lead, at_noon):
	"""Somebody of ours has called the lead."""
	api.log_touch(lead.name, "Phone", "No Answer", done_at=TEN_PAST)


def inbound(lead) -> list[tuple]:
	rows = frappe.get_all(
		"Lead Touch",
		{"lead": lead.name, "direction": "Inbound", "status": "Done"},
		["channel", "outcome"],
		order_by="done_at asc",
	)
	return [(row.channel, row.outcome or None) for row in rows]


def clock(lead, kind: str = "First Response"):
	return frappe.db.get_value(
		"Follow Up Clock",
		{"lead": lead.name, "clock": kind},
		["status", "started_at", "due_at", "stopped_at"],
		order_by="creation desc",
		as_dict=True,
	)


# people and machines


def test_what_a_person_writes_is_a_reply(lead, spoken, receive):
	mail = receive(lead, "Re: Pumps")
	assert mail.lq_read_as == "Person"
	assert inbound(lead) == [("Email", "Replied")]
	assert stage(lead) == "prospect"


@pytest.mark.parametrize(
	"headers",
	[
		{"Auto-Submitted": "auto-replied"},
		{"X-Autoreply": "yes"},
		{"Precedence": "auto_reply"},
		{"Precedence": "bulk"},
		{"Return-Path": "<>"},
		{"sender": "donotreply@lead.example"},
		{"subject": "Réponse automatique : Vos pompes"},
		{"subject": "Respuesta automática: Sus bombas"},
		{"subject": "AW: Automatische Antwort: Ihre Pumpen"},
		{"subject": "Autosvar: Era pumpar"},
		{"subject": "自動応答: ポンプ"},
	],
	ids=str,
)
def test_an_automatic_answer_is_no_reply(lead, spoken, receive, headers):
	mail = receive(lead, **headers)
	assert mail.lq_read_as == "Automatic"
	assert (inbound(lead), stage(lead)) == ([], "target")


@pytest.mark.parametrize(
	"subject",
	[
		"Out of office furniture for 40 people",
		"Auto: Anfrage Probefahrt",
		"Returned mailers, order 200",
		"Undelivered goods, please call",
	],
)
def test_what_people_write_about_is_no_pattern_of_a_machine(lead, spoken, receive, subject):
	receive(lead, subject)
	assert inbound(lead) == [("Email", "Replied")]


def test_headers_that_say_that_a_person_wrote_it_are_believed(lead, spoken, receive):
	receive(lead, "Out of office: who drives?", **{"Auto-Submitted": "no"})
	assert inbound(lead) == [("Email", "Replied")]


def test_what_a_mail_was_read_as_is_nobodys_to_write(lead, spoken, receive):
	mail = receive(lead, **{"Auto-Submitted": "auto-replied"})
	mail.reload()
	mail.lq_read_as = "Person"
	mail.save()
	assert frappe.db.get_value("Communication", mail.name, "lq_read_as") == "Automatic"
	forged = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Received",
			"sender": "noreply@lead.example",
			"subject": "Pumps",
			"lq_read_as": "Person",
			"reference_doctype": "Lead",
			"reference_name": lead.name,
		}
	).insert()
	assert forged.lq_read_as == "Automatic"


def test_outside_of_the_receiving_there_is_no_message():
	assert arriving_message() is None


def test_a_wrong_guess_is_put_right_by_who_reads_the_mail(lead, spoken, receive):
	mail = receive(lead, "Out of office: who drives?")
	assert inbound(lead) == []
	api.mark_as_reply(mail.name)
	assert (inbound(lead), stage(lead)) == ([("Email", "Replied")], "prospect")
	api.mark_as_automatic(mail.name)
	assert (inbound(lead), stage(lead)) == ([], "target")
	api.mark_as_reply(mail.name)
	assert (inbound(lead), stage(lead)) == ([("Email", "Replied")], "prospect")


def test_only_who_may_write_the_lead_marks_its_mail(lead, spoken, receive, make_user, as_user):
	mail = receive(lead)
	with as_user(make_user("agency@incoming.example", "Lead Qualifier")):
		for mark in (api.mark_as_reply, api.mark_as_automatic):
			with pytest.raises(frappe.PermissionError):
				mark(mail.name)
			with pytest.raises(frappe.PermissionError):
				mark("no such mail")
	assert inbound(lead) == [("Email", "Replied")]


# whose mail it is


def test_an_answer_to_a_mail_from_scratch_is_found_by_the_leads_address(no_contacts, freeze, receive, smtp):
	with freeze(MONDAY):
		lead = make_lead()
	assert not frappe.db.exists("Dynamic Link", {"link_doctype": "Lead", "link_name": lead.name})
	with freeze(TEN_PAST):
		send_mail(recipients=lead.email_id, subject="Pumps", content="Shall we talk?", send_email=True)
		assert frappe.db.exists("Lead Touch", {"lead": lead.name, "direction": "Outbound", "status": "Done"})
	with freeze(NOON):
		receive(lead, "Re: Pumps", sender=lead.email_id.upper())
	assert (inbound(lead), stage(lead)) == ([("Email", "Replied")], "prospect")


def test_a_mail_of_a_converted_lead_is_a_customers(no_contacts, lead, at_noon, receive):
	frappe.db.set_value("Lead", lead.name, "status", "Converted")
	assert [row.link_name for row in receive(lead).timeline_links if row.link_doctype == "Lead"] == []


def test_what_was_stored_past_every_event_finds_its_lead_within_the_hour(no_contacts, freeze):
	with freeze(MONDAY):
		lead = make_lead()
	with freeze(NOON):
		mail = frappe.new_doc(
			"Communication",
			communication_type="Communication",
			communication_medium="Email",
			sent_or_received="Received",
			sender=lead.email_id,
			subject="Pumps",
			communication_date=NOON,
		)
		mail.set_new_name()
		mail.creation = mail.modified = now_datetime()
		mail.db_insert()
		repair()
		assert inbound(lead) == [("Email", None)]
		assert repair()["done"] == 0


# who writes first


def test_a_lead_that_writes_before_anybody_has_written_is_heard(lead, at_noon, receive):
	receive(lead)
	assert inbound(lead) == [("Email", None)]
	assert stage(lead) == "target"
	assert clock(lead).started_at == get_datetime(MONDAY)


def test_a_word_that_comes_to_light_late_makes_it_a_reply(lead, at_noon, receive):
	receive(lead)
	api.log_touch(lead.name, "LinkedIn", done_at=TEN_PAST)
	assert (inbound(lead), stage(lead)) == ([("Email", "Replied")], "prospect")


@pytest.mark.parametrize("has_target", [True, False])
def test_an_imported_lead_that_writes_in_is_to_be_answered_from_then_on(freeze, receive, has_target):
	with freeze(MONDAY):
		frappe.flags.in_import = True
		lead = make_lead()
		frappe.flags.in_import = False
		if not has_target:
			for name in frappe.get_all("Follow Up Policy", pluck="name"):
				frappe.db.delete("Follow Up Target", {"parent": name, "clock": "First Response"})
				clear_caches()
	assert clock(lead) is None
	with freeze(NOON):
		receive(lead)
	assert (clock(lead).status, clock(lead).started_at) == ("Running", get_datetime(NOON))
	if not has_target:
		assert clock(lead).due_at == get_datetime("2026-03-03 12:00:00")
	with freeze("2026-03-02 12:30:00"):
		api.log_touch(lead.name, "Phone", "No Answer")
	assert clock(lead).status == "Met"


def test_a_lead_that_answers_us_starts_no_second_first_response(lead, spoken, receive):
	receive(lead)
	assert frappe.db.count("Follow Up Clock", {"lead": lead.name, "clock": "First Response"}) == 1


def test_nobody_owes_an_answer_to_a_lead_that_is_over(freeze, receive):
	with freeze(MONDAY):
		frappe.flags.in_import = True
		lead = make_lead(status="Do Not Contact")
		frappe.flags.in_import = False
	with freeze(NOON):
		receive(lead)
	assert clock(lead) is None


# people who are away


def test_the_plan_waits_for_who_is_away_on_all_leads_of_the_person(lead, spoken, receive):
	frappe.db.set_single_value("CRM Settings", "allow_lead_duplication_based_on_emails", 1)
	double = make_lead(email_id=lead.email_id)
	mail = receive(
		lead,
		"Automatic reply: Pumps",
		"I am on holiday and back on 10 March. In urgent cases call 044 555 01 23.",
		**{"Auto-Submitted": "auto-replied"},
	)
	assert str(mail.lq_back_on) == "2026-03-10"
	for one in (lead, double):
		status, until = frappe.db.get_value(
			"Nurture Enrollment", {"lead": one.name}, ["status", "snoozed_until"]
		)
		assert (status, until.date().isoformat()) == ("Snoozed", "2026-03-10")
		(hint,) = api.get_panel(one.name)["absences"]
		assert "10" in hint["text"] and "Anna Keller" in hint["text"]
	assert inbound(lead) == []


def test_a_hint_is_gone_once_the_person_is_back(lead, spoken, receive, at_noon):
	receive(lead, "Automatic reply: Pumps", "Back on 10 March.", **{"Auto-Submitted": "auto-replied"})
	at_noon.move_to("2026-03-10 09:00:00")
	assert api.get_panel(lead.name)["absences"] == []


def test_a_plan_that_goes_on_later_than_that_is_left_alone(lead, spoken, receive):
	api.snooze(lead.name, "2026-04-01 09:00:00")
	receive(lead, "Automatic reply: Pumps", "Back on 10 March.", **{"Auto-Submitted": "auto-replied"})
	until = frappe.db.get_value("Nurture Enrollment", {"lead": lead.name}, "snoozed_until")
	assert str(until) == "2026-04-01 09:00:00"


def test_who_has_left_is_a_hint_and_no_reply(lead, spoken, receive):
	receive(lead, "Re: Pumps", "Anna Keller no longer works here.", **{"Auto-Submitted": "auto-replied"})
	(hint,) = api.get_panel(lead.name)["absences"]
	assert "no longer works there" in hint["text"]
	assert inbound(lead) == []


def test_months_are_known_in_all_languages():
	names = month_names()
	assert {names[name] for name in ("september", "septembre", "settembre", "września", "сентября")} == {9}
	assert "listopada" not in names  # October here, November there


# mail that comes back


def write(lead, **values):
	send_mail(
		doctype="Lead",
		name=lead.name,
		recipients=lead.email_id,
		subject="Your pumps",
		content="Shall we talk?",
		send_email=True,
		**values,
	)
	return frappe.get_last_doc("Communication")


def refuse_until_error(smtp, answer: str):
	smtp.refuse = answer
	for _attempt in range(5):
		for name in frappe.get_all(
			"Email Queue", {"status": ["in", ["Not Sent", "Partially Sent"]]}, pluck="name"
		):
			with suppress(smtplib.SMTPException):
				frappe.get_doc("Email Queue", name).send()


def touch_of(mail):
	return frappe.db.get_value(
		"Lead Touch", {"communication": mail.name}, ["status", "outcome"], as_dict=True
	)


def is_closed(lead) -> bool:
	return bool(
		frappe.db.exists(
			"Contact Opt Out", {"email_id": lead.email_id, "channel": "Email", "reason": "Bounced"}
		)
	)


@pytest.mark.parametrize(
	("answer", "is_for_good"), [("550 5.1.1 no such mailbox", True), ("554 message looks like spam", False)]
)
def test_a_mail_that_the_server_refuses_has_reached_nobody(lead, freeze, smtp, answer, is_for_good):
	with freeze(TEN_PAST):
		mail = write(lead)
		assert clock(lead).status == "Met"
	with freeze("2026-03-02 10:15:00"):
		refuse_until_error(smtp, answer)
	assert frappe.db.get_value("Communication", mail.name, "delivery_status") == "Error"
	assert touch_of(mail).outcome == "Bounced"
	assert (clock(lead).status, clock(lead).started_at, clock(lead).stopped_at) == (
		"Running",
		get_datetime(MONDAY),
		None,
	)
	assert frappe.db.get_value("Lead", lead.name, "lq_last_touch_at") is None
	assert is_closed(lead) == is_for_good


@pytest.mark.parametrize("status", ["Bounced", "Error", "Rejected", "Expired"])
def test_what_a_mail_service_says_later_counts_at_once(lead, freeze, smtp, status):
	with freeze(TEN_PAST):
		mail = write(lead)
	frappe.get_doc("Communication", mail.name).db_set("delivery_status", status)
	assert touch_of(mail).outcome == "Bounced"
	assert clock(lead).status == "Running"
	assert is_closed(lead) == (status in {"Bounced", "Rejected"})


def test_what_was_told_past_every_event_counts_within_the_hour(lead, freeze, smtp):
	with freeze(TEN_PAST):
		mail = write(lead)
	frappe.db.set_value("Communication", mail.name, "delivery_status", "Bounced")
	with freeze(NOON):
		repair()
		assert touch_of(mail).outcome == "Bounced"
		assert clock(lead).status == "Running"
		assert repair()["done"] == 0


def test_a_mail_that_is_sent_again_with_success_has_arrived(lead, freeze, smtp):
	with freeze(TEN_PAST):
		mail = write(lead)
		refuse_until_error(smtp, "451 try again")
		assert touch_of(mail).outcome == "Bounced"
		smtp.refuse = None
		frappe.db.set_value("Email Queue", {"communication": mail.name}, "status", "Not Sent")
		smtp.flush()
	assert not touch_of(mail).outcome
	assert clock(lead).status == "Met"


REPORT = """From: Mail Delivery System <MAILER-DAEMON@mx.lead.example>
To: sales@incoming.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <{id}@mx.lead.example>
Date: {date}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

I am sorry to have to inform you.
--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.lead.example

Final-Recipient: rfc822; {address}
Action: failed
Status: {status}
--part
Content-Type: text/rfc822-headers

Message-ID: <{returned}>
Subject: Your pumps

--part--
"""


@pytest.mark.parametrize("by_number", [True, False])
@pytest.mark.parametrize(("status", "is_for_good"), [("5.1.1", True), ("4.2.2", False)])
def test_a_report_of_a_mail_server_says_which_mail_did_not_arrive(
	lead, freeze, smtp, account, by_number, status, is_for_good
):
	with freeze(TEN_PAST):
		mail = write(lead)
		(sent,) = smtp.flush()
	with freeze("2026-03-02 10:15:00"):
		text = REPORT.format(
			id=frappe.generate_hash(),
			date=format_datetime(now_datetime().astimezone()),
			address=lead.email_id,
			status=status,
			returned=sent["Message-ID"].strip("<>") if by_number else "unknown@elsewhere.example",
		)
		report = InboundMail(text.encode(), account, 2, 0).process()
	assert message_from_bytes(text.encode()).get_content_type() == "multipart/report"
	assert report.lq_read_as == "Bounce"
	assert (touch_of(mail).outcome == "Bounced") == is_for_good
	assert clock(lead).status == ("Running" if is_for_good else "Met")
	assert is_closed(lead) == is_for_good
	assert inbound(lead) == []


def test_the_next_planned_mail_to_a_dead_address_is_skipped(lead, freeze, smtp):
	with freeze(TEN_PAST):
		api.log_touch(lead.name, "Phone", "No Answer")
		mail = write(lead)
		frappe.get_doc("Communication", mail.name).db_set("delivery_status", "Bounced")
		for _step in range(4):
			touch = frappe.db.get_value(
				"Lead Touch", {"lead": lead.name, "status": "Planned"}, ["channel", "step"], as_dict=True
			)
			if not touch:
				break
			assert touch.channel != "Email"
			api.log_touch(lead.name, touch.channel, "Left Message")
