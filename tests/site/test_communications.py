"""What ERPNext keeps of contacts with a lead is logged by itself, once, and as of when it was held."""

import threading
from datetime import timedelta

import frappe
import pytest
from frappe.core.doctype.communication.email import make as send_mail
from frappe.desk.doctype.event.event import set_status_of_events
from frappe.utils import get_datetime

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_opportunity, make_sales_ready
from lead_quality.follow_up.jobs import sweep_clocks
from lead_quality.nurture import evidence, ledger

MONDAY = "2026-03-02 10:00:00"
TEN_PAST = "2026-03-02 10:10:00"
TWENTY_PAST = "2026-03-02 10:20:00"
NOON = "2026-03-02 12:00:00"


@pytest.fixture
def rep(make_user):
	return make_user("rep@communications.example", "Sales User")


@pytest.fixture
def lead(freeze, rep):
	with freeze(MONDAY):
		return make_lead(lead_owner=rep, mobile_no="+41445550177")


@pytest.fixture
def at_noon(freeze, lead):
	"""Two hours after the lead came in."""
	with freeze(NOON) as time:
		yield time


@pytest.fixture
def errors():
	"""How many errors were logged for a lead; the Error Log knows no rollback."""
	frappe.db.delete("Error Log", {"reference_doctype": "Lead"})
	yield lambda lead: frappe.db.count("Error Log", {"reference_name": lead.name})
	frappe.db.delete("Error Log", {"reference_doctype": "Lead"})


def touches(lead) -> list[tuple]:
	"""Channel, direction, outcome and instant of what has been done, in the order in which it was held."""
	rows = frappe.get_all(
		"Lead Touch",
		{"lead": lead.name, "status": "Done"},
		["channel", "direction", "outcome", "done_at"],
		order_by="done_at asc",
		as_list=True,
	)
	return [
		(channel, direction, outcome or None, str(done_at)) for channel, direction, outcome, done_at in rows
	]


def first_response(lead) -> tuple[str, str]:
	status, stopped_at = frappe.db.get_value(
		"Follow Up Clock", {"lead": lead.name, "clock": "First Response"}, ["status", "stopped_at"]
	)
	return status, str(stopped_at)


def communication(lead, medium: str = "Phone", **values):
	"""A Communication as the desk makes one, not inserted yet."""
	return frappe.new_doc(
		"Communication",
		**{
			"communication_medium": medium,
			"sent_or_received": "Sent",
			"subject": "Pumps",
			"communication_date": TEN_PAST,
			"reference_doctype": "Lead",
			"reference_name": lead.name,
			**({"recipients": lead.email_id} if medium == "Email" else {}),
			**values,
		},
	)


def received(lead, sender: str | None = None, **values):
	return communication(
		lead, "Email", sent_or_received="Received", sender=sender or lead.email_id, recipients=None, **values
	)


def call_log(lead, status: str = "Completed", **values):
	"""A Call Log as a telephone system makes one, not inserted yet."""
	return frappe.new_doc(
		"Call Log",
		**{
			"id": frappe.generate_hash(length=10),
			"type": "Outgoing",
			"status": status,
			"from": "+41 44 555 00 00",
			"to": "+41 44 555 99 99",
			"start_time": TEN_PAST,
			"end_time": TWENTY_PAST,
			"links": [{"link_doctype": "Lead", "link_name": lead.name}],
			**values,
		},
	)


def event(lead, status: str = "Completed", **values):
	"""An Event with the lead, not inserted yet."""
	return frappe.new_doc(
		"Event",
		**{
			"subject": "Look at the pumps",
			"event_type": "Private",
			"event_category": "Meeting",
			"starts_on": TEN_PAST,
			"status": status,
			"event_participants": [{"reference_doctype": "Lead", "reference_docname": lead.name}],
			**values,
		},
	)


def past_the_hooks(document):
	"""Insert a document and its rows as `bulk_insert`, imports and other people's SQL do it."""
	document.set_new_name()
	document.creation = document.modified = frappe.utils.now_datetime()
	document.owner = document.modified_by = document.owner or frappe.session.user
	document.db_insert()
	for row in document.get_all_children():
		row.parent = document.name
		row.set_new_name()
		row.db_insert()
	return document


def catch_up(*leads) -> set[str]:
	return ledger.catch_up([lead.name for lead in leads], get_datetime(MONDAY), get_datetime(NOON))


# logged at the desk


@pytest.mark.parametrize(
	("medium", "direction", "touch"),
	[
		("Phone", "Sent", ("Phone", "Outbound", "Connected")),
		("Phone", "Received", ("Phone", "Inbound", "Connected")),
		("Meeting", "Sent", ("Meeting", "Outbound", "Connected")),
		("Visit", "Sent", ("Visit", "Outbound", "Connected")),
		("SMS", "Sent", ("SMS", "Outbound", None)),
		("Chat", "Sent", ("SMS", "Outbound", None)),
		("Email", "Sent", ("Email", "Outbound", None)),
	],
)
def test_what_a_person_logs_at_the_desk_is_a_touch_and_answers_the_lead(
	lead, at_noon, medium, direction, touch
):
	communication(lead, medium, sent_or_received=direction).insert()
	assert touches(lead) == [(*touch, TEN_PAST)]
	assert first_response(lead) == ("Met", TEN_PAST)


def test_a_logged_call_completes_the_planned_call(lead, at_noon):
	communication(lead).insert()
	assert frappe.db.get_value("Lead Touch", {"lead": lead.name, "step": "First call"}, "status") == "Done"


@pytest.mark.parametrize(
	("subject", "content", "outcome"),
	[
		("Called, no answer", None, "No Answer"),
		("Call", "<p>She didn’t answer. Again on Friday.</p>", "No Answer"),
		("No answer, left a message", None, "Left Message"),
		("Wrong number", None, "Wrong Data"),
		(
			"Call",
			f"<p>Wants {24 * 'good '} pumps. The bank has given no answer yet.</p>",
			"Connected",
		),
	],
)
def test_the_outcome_of_a_call_is_what_was_written_down_about_it(lead, at_noon, subject, content, outcome):
	communication(lead, subject=subject, content=content).insert()
	assert touches(lead)[0][2] == outcome


def test_the_outcome_is_understood_in_the_users_language(lead, at_noon):
	frappe.local.lang = "de"
	frappe.get_doc(
		doctype="Translation", language="de", source_text="No Answer", translated_text="Niemand da"
	).insert()
	try:
		communication(lead, subject="Angerufen, niemand da").insert()
	finally:
		frappe.local.lang = "en"
	assert touches(lead)[0][2] == "No Answer"


def test_a_wrong_number_is_no_answer_to_the_lead(lead, at_noon):
	communication(lead, subject="Wrong number").insert()
	assert first_response(lead)[0] == "Running"


def test_a_call_that_is_logged_for_tomorrow_is_none_yet(lead, at_noon, errors):
	communication(lead, communication_date="2026-03-03 09:00:00").insert()
	assert touches(lead) == [] and errors(lead) == 0


def test_a_call_counts_from_now_though_the_clock_of_the_users_computer_is_ahead(lead, at_noon):
	communication(lead, communication_date="2026-03-02 12:02:00").insert()
	assert touches(lead) == [("Phone", "Outbound", "Connected", NOON)]


def test_a_mail_counts_from_now_though_its_senders_clock_is_hours_ahead(lead, at_noon):
	communication(lead, "Email", communication_date="2026-03-02 18:00:00").insert()
	assert touches(lead) == [("Email", "Outbound", None, NOON)]


def test_a_call_belongs_to_every_lead_it_names(lead, at_noon):
	other = make_lead()
	communication(lead, timeline_links=[{"link_doctype": "Lead", "link_name": other.name}]).insert()
	assert touches(lead) == touches(other) == [("Phone", "Outbound", "Connected", TEN_PAST)]


def test_a_touch_is_made_by_who_wrote_the_mail_not_by_who_fetched_it(lead, rep, at_noon):
	communication(lead, "Email", sender=f"Rep <{rep}>").insert()
	assert frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Done"}, "done_by") == rep


# what is nobody's touch


@pytest.mark.parametrize(
	"values",
	[
		{"communication_type": "Automated Message"},
		{"reference_doctype": "Email Campaign"},
		{"reference_doctype": "Newsletter"},
		{"delivery_status": "Bounced"},
		{"recipients": '"Meier, Hans" <hans@communications.example>'},
		{"recipients": None},
		{"owner": "Guest"},
		{"communication_medium": "Other"},
		{"communication_medium": "Chat", "owner": "Guest"},
	],
	ids=lambda values: "{}={}".format(*next(iter(values.items()))),
)
def test_automatic_and_undelivered_mail_and_mail_to_a_colleague_is_no_touch(lead, at_noon, make_user, values):
	make_user("hans@communications.example", "Sales User")
	mail = communication(lead, "Email", **values)
	if mail.reference_doctype != "Lead":
		mail.reference_name = "some campaign"
		mail.append("timeline_links", {"link_doctype": "Lead", "link_name": lead.name})
	past_the_hooks(mail).run_method("after_insert")
	assert touches(lead) == []
	assert catch_up(lead) == set()
	assert first_response(lead)[0] == "Running"


@pytest.mark.parametrize(
	"values",
	[
		{"sender": "MAILER-DAEMON@mx.example"},
		{"sender": "Mail System <postmaster@mx.example>"},
		{"subject": "Automatic reply: Pumps"},
		{"subject": "Undelivered Mail Returned to Sender"},
		{"sender": "hans@communications.example"},
		{"email_status": "Spam"},
	],
	ids=lambda values: next(iter(values.values())),
)
def test_a_bounce_an_automatic_answer_or_a_colleagues_mail_is_no_touch(lead, at_noon, make_user, values):
	make_user("hans@communications.example", "Sales User")
	api.log_touch(lead.name, "LinkedIn", done_at="2026-03-02 10:05:00")
	past_the_hooks(received(lead, **values)).run_method("after_insert")
	assert catch_up(lead) == set()
	assert [channel for channel, *_ in touches(lead)] == ["LinkedIn"]


def test_a_comment_is_no_touch(lead, at_noon):
	frappe.get_doc("Lead", lead.name).add_comment("Comment", "Called her, she is interested.")
	assert touches(lead) == [] and catch_up(lead) == set()


def test_a_mail_counts_from_when_it_goes_out_not_from_when_it_was_written(lead, at_noon):
	at_noon.move_to(TEN_PAST)
	communication(lead, "Email", send_after="2026-03-02 11:30:00").insert()
	assert touches(lead) == []
	at_noon.move_to(NOON)
	assert catch_up(lead) == {lead.name}
	assert touches(lead) == [("Email", "Outbound", None, "2026-03-02 11:30:00")]


def test_a_mail_that_was_to_be_sent_later_is_logged_when_it_is_sent(lead, rep, at_noon, smtp, as_user):
	at_noon.move_to(TEN_PAST)
	with as_user(rep):
		send_mail(
			doctype="Lead",
			name=lead.name,
			recipients=lead.email_id,
			subject="Pumps",
			content="…",
			send_email=True,
			send_after="2026-03-02 11:30:00",
		)
	assert touches(lead) == []
	at_noon.move_to("2026-03-02 11:31:00")
	smtp.flush()
	assert touches(lead) == [("Email", "Outbound", None, "2026-03-02 11:30:00")]
	assert frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Done"}, "done_by") == rep


def test_an_incoming_mail_that_answers_nobody_is_no_reply_also_after_somebody_has_called(lead, at_noon):
	received(lead).insert()
	api.log_touch(lead.name, "Phone", "No Answer", done_at=TWENTY_PAST)
	assert catch_up(lead) == set()
	assert touches(lead) == [
		("Email", "Inbound", None, TEN_PAST),
		("Phone", "Outbound", "No Answer", TWENTY_PAST),
	]
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"


def test_who_logs_a_call_hears_nothing_of_a_touch_that_could_not_be_made(lead, at_noon, errors, monkeypatch):
	monkeypatch.setattr(ledger, "log_touch", lambda **touch: frappe.throw("this lead is odd"))
	communication(lead).insert()
	assert errors(lead) == 1
	assert not [message for message in frappe.message_log if "odd" in str(message)]


def test_a_mail_that_cannot_be_logged_is_sent_all_the_same(lead, at_noon, smtp, monkeypatch, errors):
	def fail(**touch):
		raise ValueError("this lead is odd")

	with monkeypatch.context() as broken:
		broken.setattr(ledger, "log_touch", fail)
		send_mail(
			doctype="Lead",
			name=lead.name,
			recipients=lead.email_id,
			subject="Pumps",
			content="…",
			send_email=True,
		)
	assert [mail["Subject"] for mail in smtp.flush()] == ["Pumps"]
	assert errors(lead) == 1
	assert catch_up(lead) == {lead.name}


# the telephone system


@pytest.mark.parametrize(
	("status", "kind", "touch"),
	[
		("Completed", "Outgoing", ("Phone", "Outbound", "Connected", TEN_PAST)),
		("Completed", "Incoming", ("Phone", "Inbound", "Connected", TEN_PAST)),
		("No Answer", "Outgoing", ("Phone", "Outbound", "No Answer", TEN_PAST)),
		("Busy", "Outgoing", ("Phone", "Outbound", "No Answer", TEN_PAST)),
	],
)
def test_a_call_by_telephone_that_is_over_answers_the_lead(lead, at_noon, status, kind, touch):
	call_log(lead, status, type=kind).insert()
	assert touches(lead) == [touch]
	assert first_response(lead) == ("Met", TEN_PAST)


def test_a_call_of_the_lead_that_nobody_took_is_no_answer_to_it(lead, at_noon):
	call_log(lead, "No Answer", type="Incoming").insert()
	assert touches(lead) == [("Phone", "Inbound", "No Answer", TEN_PAST)]
	assert first_response(lead)[0] == "Running"


@pytest.mark.parametrize("status", ["Ringing", "In Progress", "Queued", "Failed"])
def test_a_call_that_is_not_over_or_came_to_nothing_is_no_touch(lead, at_noon, status):
	call_log(lead, status).insert()
	assert touches(lead) == [] and catch_up(lead) == set()


def test_a_call_log_that_is_updated_again_and_again_is_one_touch(lead, at_noon):
	call = call_log(lead, "Ringing", end_time=None).insert()
	for values in ({"status": "In Progress"}, {"status": "Completed"}, {"summary": "Likes the pumps"}):
		call.reload()
		call.update(values).save()
	assert touches(lead) == [("Phone", "Outbound", "Connected", TEN_PAST)]
	assert catch_up(lead) == set()


def test_a_call_is_found_by_the_leads_number_and_made_by_whose_telephone_it_was(lead, rep, at_noon):
	call_log(
		lead, links=[], to="+41445550177", employee_user_id=rep, start_time=None, end_time=TWENTY_PAST
	).insert()
	assert touches(lead) == [("Phone", "Outbound", "Connected", TWENTY_PAST)]
	assert frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Done"}, "done_by") == rep


# the calendar


def test_a_meeting_counts_once_it_was_held_as_of_when_it_began(lead, rep, at_noon, as_user):
	with as_user(rep):
		meeting = event(lead, "Open").insert()
		assert touches(lead) == []
		for status in ("Completed", "Closed"):
			meeting.reload()
			meeting.update({"status": status}).save()
	assert touches(lead) == [("Meeting", "Outbound", "Connected", TEN_PAST)]
	assert first_response(lead) == ("Met", TEN_PAST)
	assert frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Done"}, "done_by") == rep


def test_a_call_in_the_calendar_is_a_call(lead, at_noon):
	event(lead, "Closed", event_category="Call").insert()
	assert touches(lead) == [("Phone", "Outbound", "Connected", TEN_PAST)]


def test_a_meeting_names_its_lead_by_reference_too(lead, at_noon):
	event(lead, event_participants=[], reference_doctype="Lead", reference_docname=lead.name).insert()
	assert touches(lead) == [("Meeting", "Outbound", "Connected", TEN_PAST)]


@pytest.mark.parametrize(
	"values",
	[
		{"status": "Open"},
		{"status": "Cancelled"},
		{"status": "Closed", "starts_on": "2026-03-05 09:00:00"},
		{"event_category": "Event"},
		{"event_category": "Sent/Received Email"},
	],
	ids=lambda values: "{}={}".format(*next(iter(values.items()))),
)
def test_a_meeting_that_was_not_held_or_another_event_is_no_touch(lead, at_noon, errors, values):
	event(lead, **values).insert()
	assert touches(lead) == [] and catch_up(lead) == set()
	assert errors(lead) == 0


@pytest.mark.parametrize("made_by", ["rep", "Guest"])
def test_a_meeting_was_held_by_whose_it_is_or_by_who_closed_it(
	lead, rep, at_noon, as_user, make_user, made_by
):
	manager = make_user("manager@communications.example", "System Manager")
	with as_user(rep if made_by == "rep" else "Guest"):
		meeting = event(lead, "Open", event_type="Public").insert(ignore_permissions=True)
	with as_user(manager):
		meeting.reload()
		meeting.update({"status": "Closed"}).save()
	done_by = frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Done"}, "done_by")
	assert done_by == (rep if made_by == "rep" else manager)


def test_a_meeting_that_a_nightly_job_has_closed_was_not_held_for_that(lead, rep, freeze, as_user):
	with freeze(MONDAY) as time:
		with as_user(rep):
			meeting = event(lead, "Open", event_type="Public", ends_on=TWENTY_PAST).insert()
		time.move_to("2026-03-04 00:05:00")
		set_status_of_events()
		now = frappe.utils.now_datetime()
		assert frappe.db.get_value("Event", meeting.name, "status") == "Closed"
		assert ledger.catch_up([lead.name], get_datetime(MONDAY), now) == set()
		with as_user(rep):  # who says so has been there
			meeting.reload()
			meeting.update({"status": "Completed"}).save()
	assert touches(lead) == [("Meeting", "Outbound", "Connected", TEN_PAST)]


# what came past the hooks


@pytest.mark.parametrize(
	("make", "touch"),
	[
		(communication, ("Phone", "Outbound", "Connected", TEN_PAST)),
		(call_log, ("Phone", "Outbound", "Connected", TEN_PAST)),
		(event, ("Meeting", "Outbound", "Connected", TEN_PAST)),
	],
)
def test_what_came_past_the_hooks_is_found_before_a_breach_is_declared(lead, at_noon, make, touch):
	past_the_hooks(make(lead))
	assert touches(lead) == []
	assert catch_up(lead) == {lead.name}
	assert touches(lead) == [touch]
	assert first_response(lead) == ("Met", TEN_PAST)
	assert catch_up(lead) == set()


@pytest.mark.parametrize("make", [communication, call_log, event])
def test_a_sweep_declares_no_miss_of_what_was_done_in_time_past_the_hooks(lead, rep, freeze, make):
	due_at = frappe.db.get_value(
		"Follow Up Clock", {"lead": lead.name, "clock": "First Response"}, "due_at"
	)  # noon
	with freeze(due_at - timedelta(minutes=1)):
		just_now = frappe.utils.now()
		held = {
			communication: {"communication_date": just_now},
			call_log: {"start_time": just_now, "end_time": None},
			event: {"starts_on": just_now},
		}
		past_the_hooks(make(lead, **held[make]))
	with freeze(due_at + timedelta(minutes=1)):
		sweep_clocks()
	assert first_response(lead) == ("Met", str(due_at - timedelta(minutes=1)))
	assert not frappe.db.exists(
		"Follow Up Alert", {"lead": lead.name, "clock": "First Response", "kind": "Missed"}
	)


@pytest.fixture
def opportunity(lead, at_noon):
	"""An Opportunity that goes back to the lead."""
	make_sales_ready(lead.name)
	return make_opportunity(lead.name)


def of_opportunity(make, opportunity):
	"""The Communication, Call Log or Event as it is made on the form of an Opportunity."""
	links = {
		communication: {"reference_doctype": "Opportunity", "reference_name": opportunity.name},
		call_log: {"links": [{"link_doctype": "Opportunity", "link_name": opportunity.name}]},
		event: {
			"event_participants": [
				{"reference_doctype": "Opportunity", "reference_docname": opportunity.name}
			]
		},
	}
	return make(frappe._dict(), **links[make])


@pytest.mark.parametrize("make", [communication, call_log, event])
def test_what_is_logged_on_the_opportunity_of_a_lead_is_a_touch_of_the_lead(lead, opportunity, make):
	of_opportunity(make, opportunity).insert()
	assert [touch[3] for touch in touches(lead)] == [TEN_PAST]
	assert first_response(lead) == ("Met", TEN_PAST)


@pytest.mark.parametrize("make", [communication, call_log, event])
def test_what_came_past_the_hooks_to_the_opportunity_of_a_lead_is_found_too(lead, opportunity, make):
	past_the_hooks(of_opportunity(make, opportunity))
	assert catch_up(lead) == {lead.name}
	assert [touch[3] for touch in touches(lead)] == [TEN_PAST]


def test_a_call_that_names_a_lead_and_its_opportunity_is_one_touch(lead, opportunity):
	log = call_log(lead)
	log.append("links", {"link_doctype": "Opportunity", "link_name": opportunity.name})
	log.insert()
	assert len(touches(lead)) == 1


def test_an_event_that_names_an_opportunity_by_reference_is_a_touch_of_its_lead(lead, opportunity):
	reference = {"reference_doctype": "Opportunity", "reference_docname": opportunity.name}
	past_the_hooks(event(lead, event_participants=[], **reference))
	assert catch_up(lead) == {lead.name}


def test_a_mail_is_found_by_its_timeline_links(lead, at_noon):
	mail = communication(lead, "Email", reference_doctype="Contact", reference_name="Anna")
	mail.append("timeline_links", {"link_doctype": "Lead", "link_name": lead.name})
	past_the_hooks(mail)
	assert catch_up(lead) == {lead.name}
	assert touches(lead) == [("Email", "Outbound", None, TEN_PAST)]


def test_a_reference_of_an_event_is_found_past_the_hooks(lead, at_noon):
	past_the_hooks(event(lead, event_participants=[], reference_doctype="Lead", reference_docname=lead.name))
	assert catch_up(lead) == {lead.name}


def test_what_was_held_before_the_time_in_question_is_left_alone(lead, at_noon):
	past_the_hooks(communication(lead, communication_date="2026-03-02 09:00:00"))
	past_the_hooks(call_log(lead, start_time="2026-03-02 08:50:00", end_time="2026-03-02 09:00:00"))
	past_the_hooks(event(lead, starts_on="2026-03-02 09:00:00"))
	assert catch_up(lead) == set()


def test_the_earliest_of_two_calls_counts_in_whichever_order_they_come_in(lead, at_noon):
	past_the_hooks(call_log(lead, start_time=TWENTY_PAST, end_time="2026-03-02 10:25:00"))
	past_the_hooks(call_log(lead, "No Answer", start_time=TEN_PAST, end_time=TEN_PAST))
	assert catch_up(lead) == {lead.name}
	assert [(outcome, at) for _c, _d, outcome, at in touches(lead)] == [
		("No Answer", TEN_PAST),
		("Connected", TWENTY_PAST),
	]
	assert first_response(lead) == ("Met", TEN_PAST)


def test_a_reply_counts_though_it_was_stored_before_the_mail_that_it_answers(lead, at_noon):
	received(lead, communication_date=TWENTY_PAST).insert()
	assert touches(lead) == [("Email", "Inbound", None, TWENTY_PAST)]
	past_the_hooks(communication(lead, "Email"))
	assert catch_up(lead) == {lead.name}
	assert touches(lead) == [
		("Email", "Outbound", None, TEN_PAST),
		("Email", "Inbound", "Replied", TWENTY_PAST),
	]
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "prospect"


def test_a_call_that_comes_to_light_late_is_not_the_step_that_was_planned_after_it(lead, at_noon):
	for channel in ("Phone", "Email", "Voicemail", "LinkedIn"):
		api.log_touch(lead.name, channel, "Left Message", done_at=TWENTY_PAST)
	call_log(lead, "No Answer").insert()
	planned = frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Planned"}, "step")
	assert planned == "Second call"
	assert touches(lead)[0] == ("Phone", "Outbound", "No Answer", TEN_PAST)


def test_the_same_call_cannot_be_logged_by_two_workers_at_once(lead, at_noon):
	call = past_the_hooks(call_log(lead))
	found = evidence.calls_without_touch([lead.name], get_datetime(MONDAY))
	touch = evidence.read_call(found[0], lead.name, get_datetime(NOON))
	ledger.log_touch(**touch)
	with pytest.raises(frappe.UniqueValidationError):
		ledger.log_touch(**touch)
	assert frappe.db.count("Lead Touch", {"reference_name": call.name}) == 1


@pytest.mark.parametrize("make", [call_log, event], ids=["planned", "unplanned"])
def test_two_workers_that_find_the_same_at_the_same_time_log_it_once(site, real_commits, errors, make):
	lead = make_lead()
	now = frappe.utils.now_datetime()
	instants = {"starts_on": now} if make is event else {"start_time": now, "end_time": now}
	found = past_the_hooks(make(lead, **instants))
	frappe.db.commit()
	seen, failures = [], []
	together = threading.Barrier(2)

	def look():
		frappe.init(site)
		frappe.connect()
		frappe.set_user("Administrator")
		try:
			# each has seen what the other one is about to log
			seen.append(len(evidence.calls_without_touch([lead.name], now)))
			seen.append(len(evidence.events_without_touch([lead.name], now, now)))
			together.wait()
			ledger.catch_up([lead.name], now, now)
			frappe.db.commit()
		except Exception as error:
			failures.append(error)
		finally:
			frappe.destroy()

	threads = [threading.Thread(target=look) for _number in range(2)]
	try:
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
		frappe.db.rollback()
		assert (sum(seen), failures) == (2, [])
		assert frappe.db.count("Lead Touch", {"reference_name": found.name, "status": "Done"}) == 1
		assert errors(lead) == 0
	finally:
		frappe.delete_doc(found.doctype, found.name, force=True)
		frappe.db.delete("Lead Stage Log", {"lead": lead.name})
		frappe.delete_doc("Lead", lead.name, force=True)
		frappe.db.commit()


def test_a_call_of_a_lead_that_was_renamed_is_not_logged_again(lead, at_noon):
	call = call_log(lead).insert()
	frappe.rename_doc("Lead", lead.name, "Keller's lead", force=True)
	renamed = frappe.get_doc("Lead", "Keller's lead")
	call.reload()
	call.update({"summary": "Likes the pumps"}).save()
	assert catch_up(renamed) == set()
	assert touches(renamed) == [("Phone", "Outbound", "Connected", TEN_PAST)]


def test_looking_for_what_was_missed_costs_three_queries_for_any_number_of_leads(
	lead, at_noon, count_queries
):
	leads = [lead, *(make_lead() for _number in range(4))]
	catch_up(lead)  # reads the metadata
	with count_queries() as queries:
		assert catch_up(*leads) == set()
	assert queries.count == 3
	with count_queries() as queries:
		assert ledger.catch_up([], get_datetime(MONDAY), get_datetime(NOON)) == set()
	assert queries.count == 0


def test_mails_that_were_refused_do_not_cost_more_with_every_lead(lead, at_noon, count_queries):
	leads = [lead, *(make_lead() for _number in range(4))]
	for one in leads:
		past_the_hooks(received(one, "noreply@shop.example"))
		past_the_hooks(
			communication(one, "Email", reference_doctype="Email Campaign", reference_name="Spring")
		)
	catch_up(lead)
	with count_queries() as queries:
		assert catch_up(*leads) == set()
	assert queries.count == 5


def test_one_lead_that_fails_does_not_stop_the_others(lead, at_noon, monkeypatch, errors):
	other = make_lead()
	past_the_hooks(call_log(lead))
	past_the_hooks(call_log(other))
	log_touch = ledger.log_touch

	def fail_for_one(**touch):
		if touch["lead"] == lead.name:
			raise ValueError("this lead is odd")
		return log_touch(**touch)

	monkeypatch.setattr(ledger, "log_touch", fail_for_one)
	assert catch_up(lead, other) == {other.name}
	assert len(touches(other)) == errors(lead) == 1


def test_a_reference_cannot_be_forged(lead, at_noon):
	touch = frappe.get_doc(
		{
			"doctype": "Lead Touch",
			"lead": lead.name,
			"channel": "Phone",
			"outcome": "Connected",
			"reference_doctype": "Call Log",
			"reference_name": call_log(lead, "Failed").insert().name,
			"evidence_key": "forged",
		}
	).insert()
	assert (touch.reference_doctype, touch.reference_name, touch.evidence_key) == (None, None, None)
