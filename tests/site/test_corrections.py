"""A touch that turns out to be wrong takes back what came from it, visibly."""

import frappe
import pytest
from frappe.core.doctype.communication.email import make as send_mail
from frappe.email import relink as relink_past_every_event
from frappe.utils import get_datetime

from lead_quality import api
from lead_quality.demo.factories import make_agreement, make_lead, make_opportunity, make_sales_ready
from lead_quality.funnel.summary import rebuild
from lead_quality.lead_quality.report.stage_conversion.stage_conversion import execute as stage_conversion
from lead_quality.overrides.communication import relink_by_hand
from tests.site.helpers import repair, stage

MONDAY = "2026-03-02 10:00:00"
TEN_PAST = "2026-03-02 10:10:00"
TWENTY_PAST = "2026-03-02 10:20:00"
NOON = "2026-03-02 12:00:00"


@pytest.fixture
def lead(freeze):
	with freeze(MONDAY):
		return make_lead()


@pytest.fixture
def at(freeze, lead):
	with freeze(TEN_PAST) as time:
		yield time


def log(lead) -> list[tuple]:
	rows = frappe.get_all(
		"Lead Stage Log",
		{"lead": lead.name},
		["stage", "left_stage", "entered_at", "corrects"],
		order_by="creation asc",
	)
	return [(row.stage, row.left_stage or None, str(row.entered_at), bool(row.corrects)) for row in rows]


def clock(lead, kind: str = "First Response"):
	return frappe.db.get_value(
		"Follow Up Clock",
		{"lead": lead.name, "clock": kind},
		["status", "started_at", "due_at", "stopped_at", "elapsed_seconds"],
		order_by="creation desc",
		as_dict=True,
	)


def planned(lead):
	return frappe.db.get_value(
		"Lead Touch", {"lead": lead.name, "status": "Planned"}, ["step", "channel", "due_at"], as_dict=True
	)


def enrollment(lead):
	return frappe.db.get_value(
		"Nurture Enrollment",
		{"lead": lead.name},
		["status", "stop_reason", "current_step", "next_due_at"],
		order_by="creation desc",
		as_dict=True,
	)


def prospects() -> int:
	"""How many leads the report says have become prospects."""
	frappe.db.commit()  # a report is asked for by a request of its own
	rows = stage_conversion({"from_date": "2026-03-01", "to_date": "2026-03-03", "show": "Steps"})[1]
	return next(row["reached"] for row in rows if row["stage"] == "Prospect")


def facts(lead) -> tuple:
	"""All that a touch may move."""
	summary = frappe.db.get_value(
		"Lead", lead.name, ["lq_stage", "lq_next_touch_at", "lq_last_touch_at", "lq_due_at"]
	)
	clocks = frappe.get_all(
		"Follow Up Clock",
		{"lead": lead.name, "status": ["!=", "Cancelled"]},
		["clock", "status", "started_at", "due_at", "stopped_at"],
		order_by="clock asc",
		as_list=True,
	)
	return summary, clocks, planned(lead), enrollment(lead)


# undo


@pytest.mark.parametrize(
	("channel", "outcome"),
	[
		("Phone", "No Answer"),
		("Phone", "Connected"),
		("Phone", "Positive"),
		("Phone", "Negative"),
		("Voicemail", "Left Message"),
		("LinkedIn", "Replied"),
		("Visit", None),
	],
)
def test_after_an_undo_all_is_as_it_was(lead, at, channel, outcome):
	before = facts(lead)
	touch = api.log_touch(lead.name, channel, outcome)
	assert facts(lead) != before
	undone = api.undo_touch(touch.name)
	assert (undone.status, "Administrator" in undone.status_reason) == ("Cancelled", True)
	assert facts(lead) == before
	rebuild()
	assert facts(lead) == before


def test_what_was_undone_can_be_logged_again(lead, at):
	for second in range(3):
		at.move_to(f"2026-03-02 10:10:{second:02}")
		touch = api.log_touch(lead.name, "Phone", "Connected")
		assert (touch.step, stage(lead)) == ("First call", "prospect")
		api.undo_touch(touch.name)
	assert (stage(lead), planned(lead).step) == ("target", "First call")


def test_an_undo_is_a_row_of_the_log_and_counts_in_no_report(lead, at):
	touch = api.log_touch(lead.name, "Phone", "Connected")
	assert prospects() == 1
	at.move_to(TWENTY_PAST)
	api.undo_touch(touch.name)
	assert log(lead) == [
		("target", None, MONDAY, False),
		("prospect", "target", TEN_PAST, False),
		("target", "prospect", TWENTY_PAST, True),
	]
	assert prospects() == 0


def test_of_two_conversations_the_other_one_counts(lead, at):
	first = api.log_touch(lead.name, "Phone", "Connected")
	at.move_to(TWENTY_PAST)
	api.log_touch(lead.name, "Visit", "Connected")
	api.undo_touch(first.name)
	assert stage(lead) == "prospect"
	assert log(lead)[-1] == ("prospect", "target", TWENTY_PAST, True)
	assert (clock(lead).status, str(clock(lead).stopped_at)) == ("Met", TWENTY_PAST)


def test_a_later_stage_stands_though_the_conversation_before_it_does_not(lead, at):
	touch = api.log_touch(lead.name, "Phone", "Connected")
	at.move_to("2026-03-02 10:15:00")
	make_sales_ready(lead.name)
	make_opportunity(lead.name)
	at.move_to(TWENTY_PAST)
	api.undo_touch(touch.name)
	assert stage(lead) == "opportunity"
	rebuild()
	assert stage(lead) == "opportunity"


def test_a_cadence_that_people_have_walked_on_is_not_turned_back(lead, at):
	first = api.log_touch(lead.name, "Phone", "No Answer")
	api.log_touch(lead.name, "Email")
	step = planned(lead).step
	api.undo_touch(first.name)
	assert planned(lead).step == step


def test_an_undo_after_the_deadline_leaves_the_miss(lead, at, freeze):
	touch = api.log_touch(lead.name, "Phone", "No Answer")
	due = clock(lead).due_at
	at.move_to("2026-03-03 10:00:00")
	api.undo_touch(touch.name)
	assert (clock(lead).status, clock(lead).stopped_at) == ("Running", None)
	assert clock(lead).due_at == due
	from lead_quality.follow_up.jobs import sweep_clocks

	sweep_clocks()
	assert clock(lead).status == "Missed"


def test_an_undo_starts_no_clock_of_a_lead_that_is_over(lead, at):
	touch = api.log_touch(lead.name, "Phone", "No Answer")
	api.opt_out(lead.name)
	api.undo_touch(touch.name)
	assert not frappe.db.exists("Follow Up Clock", {"lead": lead.name, "stopped_at": ["is", "not set"]})
	assert (enrollment(lead).status, planned(lead)) == ("Stopped", None)


@pytest.mark.parametrize("status", ["Planned", "Skipped", "Cancelled"])
def test_only_what_was_done_is_undone(lead, at, status):
	touch = frappe.get_doc("Lead Touch", {"lead": lead.name, "status": "Planned"})
	frappe.db.set_value("Lead Touch", touch.name, "status", status)
	with pytest.raises(frappe.ValidationError, match="done"):
		api.undo_touch(touch.name)


def test_who_logged_it_or_a_manager_takes_it_back(lead, at, make_user, as_user):
	anna, ben = make_user("anna@undo.example", "Sales User"), make_user("ben@undo.example", "Sales User")
	boss = make_user("boss@undo.example", "Sales Manager")
	for user in (anna, boss):
		with as_user(anna):
			touch = api.log_touch(lead.name, "Phone", "No Answer")
		with as_user(ben), pytest.raises(frappe.PermissionError):
			api.undo_touch(touch.name)
		with as_user(user):
			assert api.undo_touch(touch.name).status == "Cancelled"


def test_nobody_undoes_on_a_lead_that_he_may_not_see(lead, at, make_user, as_user):
	touch = api.log_touch(lead.name, "Phone", "No Answer")
	with as_user(make_user("agency@undo.example", "Lead Qualifier")), pytest.raises(frappe.PermissionError):
		api.undo_touch(touch.name)


# correcting by hand


def correct(touch, **values):
	touch.reload()
	return touch.update(values).save()


def test_a_mis_clicked_outcome_is_corrected(lead, at):
	touch = api.log_touch(lead.name, "Phone", "Connected")
	at.move_to(TWENTY_PAST)
	correct(touch, outcome="No Answer")
	assert (stage(lead), prospects()) == ("target", 0)
	assert (clock(lead).status, str(clock(lead).stopped_at)) == ("Met", TEN_PAST)
	at.move_to("2026-03-02 10:21:00")
	correct(touch, outcome="Connected")
	assert (stage(lead), prospects()) == ("prospect", 1)


def test_a_call_to_a_wrong_number_has_answered_nobody(lead, at):
	touch = api.log_touch(lead.name, "Phone", "Connected")
	correct(touch, outcome="Wrong Data")
	assert (stage(lead), clock(lead).status) == ("target", "Running")


def test_a_corrected_instant_moves_stage_and_clock(lead, at):
	at.move_to("2026-03-03 09:00:00")
	touch = api.log_touch(lead.name, "Phone", "Connected")
	assert clock(lead).status == "Missed"
	correct(touch, done_at=TEN_PAST)
	assert (clock(lead).status, str(clock(lead).stopped_at)) == ("Met", TEN_PAST)
	assert log(lead)[-1] == ("prospect", "target", TEN_PAST, True)
	assert str(frappe.db.get_value("Lead", lead.name, "lq_last_touch_at")) == TEN_PAST
	correct(touch, done_at="2026-03-03 08:00:00")
	assert clock(lead).status == "Missed"


def test_a_no_that_was_none_lets_the_cadence_go_on(lead, at):
	touch = api.log_touch(lead.name, "Phone", "Negative")
	assert enrollment(lead).status == "Stopped"
	correct(touch, outcome="No Answer")
	assert (enrollment(lead).status, planned(lead).step) == ("Active", "Introduction by e-mail")
	correct(touch, outcome="Negative")
	assert (enrollment(lead).status, planned(lead)) == ("Stopped", None)


def test_a_touch_is_taken_back_by_its_status_too(lead, at):
	before = facts(lead)
	touch = api.log_touch(lead.name, "Phone", "Connected")
	correct(touch, status="Cancelled")
	assert facts(lead) == before
	with pytest.raises(frappe.ValidationError):
		correct(touch, status="Done")


@pytest.mark.parametrize("outcome", ["No Answer", "Connected", "Negative"])
def test_a_deleted_touch_leaves_nothing_behind(lead, at, outcome):
	before = facts(lead)
	touch = api.log_touch(lead.name, "Phone", outcome)
	frappe.delete_doc("Lead Touch", touch.name)
	assert facts(lead) == before


# what documents have proved


def call(lead):
	return frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Phone",
			"sent_or_received": "Sent",
			"subject": "Talked about pumps",
			"communication_date": TEN_PAST,
			"reference_doctype": "Lead",
			"reference_name": lead.name,
		}
	).insert()


def call_log(lead):
	return frappe.get_doc(
		{
			"doctype": "Call Log",
			"id": frappe.generate_hash(length=10),
			"type": "Outgoing",
			"status": "Completed",
			"from": "+41 44 555 00 00",
			"to": "+41 44 555 99 99",
			"start_time": TEN_PAST,
			"end_time": TEN_PAST,
			"links": [{"link_doctype": "Lead", "link_name": lead.name}],
		}
	).insert()


def meeting(lead):
	return frappe.get_doc(
		{
			"doctype": "Event",
			"subject": "Look at the pumps",
			"event_category": "Meeting",
			"status": "Completed",
			"starts_on": TEN_PAST,
			"event_participants": [{"reference_doctype": "Lead", "reference_docname": lead.name}],
		}
	).insert()


EVIDENCE = pytest.mark.parametrize("make", [call, call_log, meeting])


@EVIDENCE
def test_a_deleted_call_or_meeting_has_proved_nothing(lead, at, make):
	before = facts(lead)
	document = make(lead)
	assert stage(lead) == "prospect"
	frappe.delete_doc(document.doctype, document.name)
	assert facts(lead) == before
	touch = frappe.get_doc(
		"Lead Touch", {"lead": lead.name, "status": "Cancelled", "channel": ["!=", "Email"]}
	)
	assert "deleted" in touch.status_reason
	touch.save()


def point_to(document, lead):
	document.reload()
	if document.doctype == "Communication":
		document.reference_name = lead.name
	elif document.doctype == "Call Log":
		document.links[0].link_name = lead.name
	else:
		document.event_participants[0].reference_docname = lead.name
	document.save()


@EVIDENCE
def test_what_was_on_the_wrong_lead_moves_to_the_right_one(lead, at, make):
	other = make_lead()
	before = facts(lead)
	document = make(lead)
	at.move_to(TWENTY_PAST)
	point_to(document, other)
	assert facts(lead) == before
	assert (stage(other), clock(other).status) == ("prospect", "Met")
	point_to(document, lead)
	assert stage(other) == "target"


@pytest.mark.parametrize(
	"relink", [relink_by_hand, relink_past_every_event], ids=["at the desk", "past every event"]
)
def test_a_mail_that_is_relinked_is_of_the_new_lead_alone(lead, at, relink):
	other = make_lead()
	mail = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Sent",
			"subject": "Pumps",
			"recipients": lead.email_id,
			"sender": "rep@corrections.example",
			"communication_date": TEN_PAST,
			"reference_doctype": "Lead",
			"reference_name": lead.name,
		}
	).insert()
	assert clock(lead).status == "Met"
	relink(mail.name, "Lead", other.name)
	repair()
	assert (clock(lead).status, clock(other).status) == ("Running", "Met")
	assert frappe.db.get_value("Lead Touch", {"communication": mail.name, "lead": lead.name}, "status") == (
		"Cancelled"
	)
	assert repair()["done"] == 0
	assert clock(lead).status == "Running"


@pytest.mark.parametrize("roles", [(), ("Support Team",), ("Lead Qualifier",)], ids=str)
@pytest.mark.parametrize("direction", ["from", "to"])
def test_nobody_relinks_a_mail_from_or_to_a_lead_that_he_may_not_change(
	lead, make_user, as_user, roles, direction
):
	"""Frappe's own function asks nobody's permission."""
	mail = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Received",
			"subject": "Pumps",
			"sender": "somebody@corrections.example",
			"reference_doctype": "Lead" if direction == "from" else None,
			"reference_name": lead.name if direction == "from" else None,
		}
	).insert()
	touches = frappe.db.count("Lead Touch", {"lead": lead.name})
	with as_user(make_user("relinker@corrections.example", *roles)):
		own = make_lead() if "Lead Qualifier" in roles else None
		with pytest.raises(frappe.PermissionError):
			if direction == "to":
				relink_by_hand(mail.name, "Lead", lead.name)
			else:
				relink_by_hand(mail.name, *(("Lead", own.name) if own else (None, None)))
	assert frappe.db.get_value("Communication", mail.name, "reference_name") == mail.reference_name
	assert frappe.db.count("Lead Touch", {"lead": lead.name}) == touches


def test_a_mail_of_no_lead_is_relinked_by_whom_frappe_lets(lead, make_user, as_user):
	mail = frappe.get_doc(
		{"doctype": "Communication", "communication_type": "Communication", "subject": "Pumps"}
	).insert()
	user = make_user("relinker@corrections.example", "Support Team")
	with as_user(user):
		relink_by_hand(mail.name, "User", user)
	assert frappe.db.get_value("Communication", mail.name, "reference_name") == user


def test_a_mail_that_is_deleted_has_answered_nobody(lead, at, smtp):
	before = facts(lead)
	send_mail(
		doctype="Lead",
		name=lead.name,
		recipients=lead.email_id,
		subject="Pumps",
		content="…",
		send_email=True,
	)
	mail = frappe.get_last_doc("Communication")
	assert clock(lead).status == "Met"
	frappe.delete_doc("Communication", mail.name, force=True)
	assert facts(lead) == before


def test_what_was_deleted_past_every_event_is_found_within_the_hour(lead, at):
	before = facts(lead)
	document = call(lead)
	frappe.db.delete("Communication", {"name": document.name})
	repair()
	assert facts(lead) == before


def test_a_meeting_that_was_not_held_after_all_is_no_touch(lead, at):
	before = facts(lead)
	event = meeting(lead)
	event.reload()
	event.status = "Cancelled"
	event.save()
	assert facts(lead) == before


# a lead that sales has accepted


@pytest.fixture
def accepted(lead, make_user, as_user):
	"""Accepts a handover of the lead and returns it. The agreement is signed today, before time stands still."""
	marketing = make_user("mary@corrections.example", "Lead Quality Manager")
	sales = make_user("sam@corrections.example", "Sales User", "Sales Manager")
	make_agreement(marketing, sales, first_touch_within=4)

	def accept():
		with as_user(marketing):
			make_sales_ready(lead.name)
			handover = api.send_handover(lead.name, sales)
		with as_user(sales):
			return api.accept_handover(handover.name)

	return accept


def test_acceptance_ends_the_plan_that_made_the_lead_ready(lead, accepted, at):
	accepted()
	assert (enrollment(lead).status, planned(lead)) == ("Finished", None)
	assert "accepted" in enrollment(lead).stop_reason
	assert not frappe.db.exists(
		"Follow Up Clock", {"lead": lead.name, "clock": "Next Touch", "stopped_at": ["is", "not set"]}
	)


def test_acceptance_starts_the_plan_for_after_it_and_nothing_is_overdue(lead, accepted, at):
	segment = frappe.get_doc("Lead Segment", frappe.db.get_value("Lead", lead.name, "lq_segment"))
	cadence = segment.cadence
	segment.cadence_after_handover = cadence
	segment.save()
	at.move_to(NOON)
	accepted()
	assert enrollment(lead).status == "Active"
	assert frappe.db.count("Nurture Enrollment", {"lead": lead.name}) == 2
	assert get_datetime(planned(lead).due_at) >= get_datetime(NOON)
	overdue = {"lead": lead.name, "stopped_at": ["is", "not set"], "due_at": ["<", NOON]}
	assert not frappe.db.exists("Follow Up Clock", overdue)
