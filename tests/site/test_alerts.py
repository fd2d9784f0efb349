"""Alerts: a warning, a miss and each step of the ladder once, one message a user, nobody blamed for an outage."""

import contextvars
import threading
import time
from datetime import timedelta

import frappe
import pytest
from frappe.utils import now_datetime

from lead_quality import api
from lead_quality.base.rows import insert_rows
from lead_quality.base.runs import JobRun
from lead_quality.demo.factories import make_employee, make_lead, make_sales_ready
from lead_quality.follow_up import delivery, escalation, jobs, sweep
from lead_quality.follow_up.jobs import deliver_alerts, sweep_clocks
from lead_quality.lead_quality.doctype.follow_up_run.follow_up_run import FollowUpRun
from lead_quality.people.managers import manager_of
from tests.site.helpers import messages_to, sweep_at

MONDAY = "2026-03-02 10:00:00"
POLICY = "Standard Follow Up"


@pytest.fixture
def rep(make_user):
	return make_user("rep@alerts.example", "Sales User")


@pytest.fixture
def boss(make_user):
	return make_user("boss@alerts.example", "Sales Manager")


@pytest.fixture
def last(make_user):
	return make_user("last@alerts.example", "Sales Manager")


@pytest.fixture
def lead(freeze, rep):
	with freeze(MONDAY):
		return make_lead(lead_owner=rep)


def use_ladder(last_resort: str | None, *steps: dict, clocks=("First Response",)):
	"""Only some clocks run, and these steps follow a miss."""
	policy = frappe.get_doc("Follow Up Policy", POLICY)
	policy.targets = [row for row in policy.targets if row.clock in clocks]
	policy.set("escalations", [{"unit": "Working Hours", **step} for step in steps])
	policy.escalate_to = last_resort
	policy.save()


def make_sales_person(name: str, user: str, parent: str | None = None, is_group: int = 1) -> str:
	parent = parent or frappe.db.get_value("Sales Person", {"parent_sales_person": ("in", ("", None))})
	employee = frappe.db.get_value("Employee", {"user_id": user}) or make_employee(user)
	return (
		frappe.get_doc(
			{
				"doctype": "Sales Person",
				"sales_person_name": name,
				"parent_sales_person": parent,
				"is_group": is_group,
				"employee": employee,
				"enabled": 1,
			}
		)
		.insert(ignore_permissions=True)
		.name
	)


def levels_of(lead) -> list[tuple]:
	return frappe.get_all(
		"Follow Up Alert",
		{"lead": lead.name},
		["level", "kind", "for_user", "action"],
		order_by="level asc, for_user asc, action asc",
		as_list=True,
	)


# levels


def test_the_owner_is_warned_before_the_deadline_and_told_of_the_miss_each_once(lead, rep, last, freeze):
	use_ladder(last)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 11:31", "2026-03-02 11:36", "2026-03-02 12:01", "2026-03-02 12:06")
	assert [row[:3] for row in levels_of(lead)] == [(1, "Warning", rep), (2, "Missed", rep)]


def test_who_acts_after_the_warning_hears_nothing_more(rep, last, boss, freeze):
	use_ladder(last, {"after": 1, "action": "Notify Role", "role": "Sales Manager"})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 11:31")
	with freeze("2026-03-02 11:50"):
		api.log_touch(lead.name, "Phone", "No Answer")
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-03 12:01")
	assert [row[1] for row in levels_of(lead)] == ["Warning"]


def test_the_ladder_stops_once_somebody_has_acted(rep, boss, last, freeze):
	make_employee(rep, make_employee(boss))
	use_ladder(last, {"after": 4, "action": "Notify Manager"})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01")
	with freeze("2026-03-02 13:00"):
		api.log_touch(lead.name, "Phone", "No Answer")
	sweep_at(freeze, "2026-03-03 12:01")
	assert messages_to(boss) == []


def test_each_step_of_the_ladder_is_climbed_once_in_its_order(rep, boss, last, freeze):
	make_employee(rep, make_employee(boss))
	use_ladder(
		last,
		{"after": 1, "unit": "Working Days", "action": "Notify Role", "role": "Lead Quality Manager"},
		{"after": 2, "action": "Notify Manager"},
		{"after": 1, "action": "Notify Owner"},
	)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(
		freeze,
		"2026-03-02 12:01",
		"2026-03-02 13:01",
		"2026-03-02 13:06",
		"2026-03-02 14:01",
		"2026-03-03 12:01",
		"2026-03-03 12:06",
	)
	told = [(level, user, action) for level, _kind, user, action in levels_of(lead)]
	# nobody has the role, so that the last step ends at the last resort
	assert told == [
		(2, rep, None),
		(3, rep, "Notify Owner"),
		(4, boss, "Notify Manager"),
		(5, last, "Notify Role"),
	]


def test_a_manager_reads_who_has_not_acted(rep, boss, last, freeze):
	make_employee(rep, make_employee(boss))
	use_ladder(last, {"after": 0, "action": "Notify Manager"})
	with freeze(MONDAY):
		make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01")
	(message,) = messages_to(boss)
	assert "First Response of Kellerbrunn Works was due" in message
	assert "Rep has not acted." in message


# who is above


def test_the_manager_is_the_nearest_in_the_tree_of_sales_persons(rep, boss, last):
	team = make_sales_person("Team Alerts", boss)
	make_sales_person("Rep Alerts", rep, team, is_group=0)
	employee = frappe.db.get_value("Employee", {"user_id": rep})
	frappe.db.set_value("Employee", employee, "reports_to", make_employee(last))
	assert manager_of(rep) == boss


def test_a_disabled_manager_is_passed_by_for_the_one_above(rep, boss, last):
	make_employee(rep, make_employee(boss, make_employee(last)))
	frappe.db.set_value("User", boss, "enabled", 0)
	assert manager_of(rep) == last


def test_nobody_is_the_own_manager(rep):
	employee = make_employee(rep)
	frappe.db.set_value("Employee", employee, "reports_to", employee)
	assert manager_of(rep) is None


@pytest.mark.parametrize("manager", ["missing", "disabled", "same person"])
def test_the_ladder_ends_at_the_named_user(rep, boss, last, freeze, manager):
	own = make_employee(rep, make_employee(boss) if manager == "disabled" else None)
	if manager == "disabled":
		frappe.db.set_value("User", boss, "enabled", 0)
	elif manager == "same person":
		frappe.db.set_value("Employee", own, "reports_to", own)
	use_ladder(last, {"after": 1, "action": "Notify Manager"})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01")
	assert levels_of(lead)[-1] == (3, "Escalation", last, "Notify Manager")


def test_a_named_user_who_has_left_is_followed_by_the_fallback_user(rep, last, freeze, make_user):
	fallback = make_user("fallback@alerts.example", "Sales Manager")
	use_ladder(last, {"after": 1, "action": "Notify Manager"})
	frappe.get_doc("Lead Quality Settings").update({"fallback_user": fallback}).save()
	frappe.db.set_value("User", last, "enabled", 0)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 13:01")
	assert levels_of(lead)[-1][2] == fallback


def test_nobody_is_told_of_a_lead_that_they_may_not_see(rep, boss, last, freeze, make_user):
	outsider = make_user("outside@alerts.example", "Lead Qualifier")
	make_employee(rep, make_employee(outsider))
	use_ladder(last, {"after": 1, "action": "Notify Manager"})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 13:01")
	assert messages_to(outsider) == []
	assert levels_of(lead)[-1][2] == last


# actions


def make_rule(title: str, *users: str, rule: str = "Round Robin") -> str:
	return (
		frappe.get_doc(
			{
				"doctype": "Assignment Rule",
				"name": title,
				"document_type": "Lead",
				"description": "Next",
				"assign_condition": "0",
				"rule": rule,
				"users": [{"user": user} for user in users],
				"assignment_days": [{"day": "Monday"}],
			}
		)
		.insert()
		.name
	)


def test_a_step_can_give_the_lead_to_the_next_rep_of_an_assignment_rule(rep, boss, last, freeze, make_user):
	gone = make_user("gone@alerts.example", "Sales User")
	colleague = make_user("colleague@alerts.example", "Sales User")
	frappe.db.set_value("User", gone, "enabled", 0)
	rule = make_rule("Next Rep", rep, gone, colleague)
	use_ladder(last, {"after": 1, "action": "Reassign", "assignment_rule": rule})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01", "2026-03-02 14:01")
	assert frappe.db.get_value("Lead", lead.name, "lead_owner") == colleague
	assert [row[3] for row in levels_of(lead)].count("Reassign") == 2  # the action, and who has lost the lead
	assert "given to somebody else" in messages_to(rep)[-1]
	assert len(messages_to(colleague)) == 1  # by the assignment itself
	clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name})
	assert (clock.status, clock.owner_at_breach, str(clock.due_at)) == ("Missed", rep, "2026-03-02 12:00:00")


def test_reassigned_leads_are_shared_out_by_load(rep, make_user):
	users = [make_user(f"rep{number}@alerts.example", "Sales User") for number in range(3)]
	rule = make_rule("By Load", *users, rule="Load Balancing")
	leads = [make_lead(lead_owner=rep) for _number in range(6)]
	assert sorted(escalation.reassign(lead.name, rule) for lead in leads) == sorted(users * 2)


def test_nobody_is_given_a_lead_that_they_may_not_see(rep, make_user):
	colleague = make_user("colleague@alerts.example", "Sales User")
	own, other = (
		frappe.get_doc(
			{"doctype": "Territory", "territory_name": name, "parent_territory": "All Territories"}
		).insert()
		for name in ("North Alerts", "South Alerts")
	)
	frappe.get_doc(
		{"doctype": "User Permission", "user": colleague, "allow": "Territory", "for_value": own.name}
	).insert()
	lead = make_lead(lead_owner=rep, territory=other.name)
	with pytest.raises(frappe.ValidationError, match="has no other available user"):
		escalation.reassign(lead.name, make_rule("South Only", rep, colleague))


def test_a_step_can_take_a_lead_back_to_the_pool(rep, last, freeze):
	use_ladder(last, {"after": 1, "action": "Pull Back"})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01")
	assert not frappe.db.get_value("Lead", lead.name, "lead_owner")
	assert "no longer has an owner" in messages_to(rep)[-1]


@pytest.mark.parametrize("is_accepted", [False, True])
def test_a_step_can_take_a_handed_over_lead_back_to_its_sender(
	rep, last, freeze, make_user, as_user, is_accepted
):
	marketer = make_user("marketer@alerts.example", "Lead Quality Manager")
	clock = "First Touch After Acceptance" if is_accepted else "Handover Acceptance"
	use_ladder(last, {"after": 1, "action": "Pull Back"}, clocks=(clock,))
	with freeze(MONDAY), as_user(marketer):
		lead = make_lead(lead_owner=marketer)
		make_sales_ready(lead.name)
		handover = api.send_handover(lead.name, rep)
	if is_accepted:
		with freeze("2026-03-02 10:30"), as_user(rep):
			api.accept_handover(handover.name)
	sweep_at(freeze, "2026-03-03 12:01", "2026-03-03 13:01")
	handover.reload()
	assert handover.status == "Pulled Back"
	assert frappe.db.get_value("Lead", lead.name, "lead_owner") == marketer
	miss = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name, "clock": clock})
	assert (miss.status, miss.owner_at_breach, miss.acted_at) == ("Missed", rep, None)


def test_a_step_can_put_a_lead_back_to_nurturing(rep, last, freeze):
	use_ladder(last, {"after": 1, "action": "Recycle", "outcome_reason": "Disqualify: Not this year"})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01", "2026-03-02 14:01")
	lead.reload()
	assert lead.lq_verdict == "Nurture"
	assert not frappe.db.exists(
		"Follow Up Clock", {"lead": lead.name, "clock": "First Response", "stopped_at": ("is", "not set")}
	)
	enrollment = frappe.get_last_doc("Nurture Enrollment", {"lead": lead.name})
	assert (enrollment.status, str(enrollment.snoozed_until)) == ("Snoozed", "2026-06-02 09:00:00")


def test_a_step_that_cannot_be_done_is_told_to_the_last_resort_and_holds_up_nobody(rep, boss, last, freeze):
	use_ladder(
		last,
		{"after": 1, "action": "Reassign", "assignment_rule": make_rule("Only Me", rep)},
		{"after": 2, "action": "Notify Role", "role": "Lead Quality Manager"},
	)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01", "2026-03-02 13:06")
	clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name})
	assert (clock.status, clock.owner_at_breach, clock.failures) == ("Missed", rep, 0)
	assert str(clock.next_alert_at) == "2026-03-02 14:00:00"
	assert len(messages_to(last)) == 1
	assert (
		"Reassign, could not be carried out: The Assignment Rule Only Me has no other available user."
		in messages_to(last)[0]
	)
	sweep_at(freeze, "2026-03-02 14:01")
	assert levels_of(lead)[-1][:1] == (4,)


def test_a_miss_of_the_owner_leaves_a_handover_alone_that_is_still_in_time(
	rep, last, freeze, make_user, as_user
):
	marketer = make_user("marketer@alerts.example", "Lead Quality Manager")
	use_ladder(last, {"after": 1, "action": "Pull Back"}, clocks=("Next Touch", "Handover Acceptance"))
	with freeze(MONDAY), as_user(marketer):
		lead = make_lead(lead_owner=marketer)
		make_sales_ready(lead.name)
	due = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name, "clock": "Next Touch"}).due_at
	with freeze(str(due + timedelta(minutes=30))), as_user(marketer):
		handover = api.send_handover(lead.name, rep)
	sweep_at(freeze, str(due + timedelta(minutes=31)), str(due + timedelta(hours=1, minutes=1)))
	assert handover.reload().status == "Sent"
	assert not frappe.db.get_value("Lead", lead.name, "lead_owner")


def test_a_pull_back_after_the_acceptance_keeps_when_that_was(rep, last, freeze, make_user, as_user):
	marketer = make_user("marketer@alerts.example", "Lead Quality Manager")
	use_ladder(last, {"after": 1, "action": "Pull Back"}, clocks=("First Touch After Acceptance",))
	with freeze(MONDAY), as_user(marketer):
		lead = make_lead(lead_owner=marketer)
		make_sales_ready(lead.name)
		handover = api.send_handover(lead.name, rep)
	with freeze("2026-03-02 10:30"), as_user(rep):
		api.accept_handover(handover.name)
	sweep_at(freeze, "2026-03-03 10:31", "2026-03-03 11:31")
	handover.reload()
	assert (str(handover.decided_at), str(handover.pulled_back_at)) == (
		"2026-03-02 10:30:00",
		"2026-03-03 11:31:00",
	)


def test_a_recycled_lead_stays_with_its_owner_who_is_told_and_nobody_has_triaged_it(rep, last, freeze):
	use_ladder(
		last,
		{"after": 1, "action": "Recycle", "outcome_reason": "Disqualify: Not this year"},
		clocks=("Triage",),
	)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-03 10:01", "2026-03-03 11:01")
	assert frappe.db.get_value("Lead", lead.name, "lead_owner") == rep
	assert "returned to nurturing" in messages_to(rep)[-1]
	clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name, "clock": "Triage"})
	assert (clock.status, clock.acted_at) == ("Missed", None)


# telling


@pytest.mark.parametrize(
	("wish", "notices", "mails", "status"),
	[("", 1, 1, "Sent"), ("Bell Only", 1, 0, "Sent"), ("Off", 0, 0, "Muted")],
)
def test_a_user_chooses_how_to_hear_of_each_kind(rep, last, freeze, smtp, wish, notices, mails, status):
	frappe.db.set_value("Notification Settings", rep, "lq_notify_missed", wish)
	use_ladder(last)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	with freeze("2026-03-02 12:01"):
		sweep_clocks()
		smtp.flush()
	assert (len(messages_to(rep)), len(smtp.to(rep))) == (notices, mails)
	assert frappe.get_all("Follow Up Alert", {"lead": lead.name}, pluck="status", order_by="level") == [
		status
	]


def test_an_alert_is_told_in_the_users_own_language(rep, last, freeze):
	frappe.db.set_value("User", rep, "language", "de")
	frappe.get_doc(
		{
			"doctype": "Translation",
			"language": "de",
			"source_text": "{0} of {1} was due {2}",
			"translated_text": "{0} von {1} war fällig {2}",
		}
	).insert()
	use_ladder(last)
	with freeze(MONDAY):
		make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01")
	assert "von Kellerbrunn Works war fällig" in messages_to(rep)[0]


def test_a_user_reads_a_deadline_in_the_own_zone(rep, last, freeze):
	frappe.db.set_value("User", rep, "time_zone", "Asia/Tokyo")
	use_ladder(last)
	with freeze(MONDAY):
		make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01")
	assert "20:00" in messages_to(rep)[0]
	assert messages_to(rep)[0].endswith("(Asia/Tokyo)")


def test_a_handovers_alert_opens_the_handover(rep, last, freeze, make_user):
	use_ladder(last, clocks=("Handover Acceptance",))
	with freeze(MONDAY):
		lead = make_lead()
		make_sales_ready(lead.name)
		handover = api.send_handover(lead.name, rep)
		frappe.db.delete("Notification Log", {"for_user": rep})
	sweep_at(freeze, "2026-03-03 12:01")
	notice = frappe.get_last_doc("Notification Log", {"for_user": rep})
	assert (notice.document_type, notice.document_name) == ("Lead Handover", handover.name)


def test_what_an_interrupted_run_has_raised_is_delivered_by_the_next(rep, last, freeze, monkeypatch):
	use_ladder(last)
	with freeze(MONDAY):
		make_lead(lead_owner=rep)
	with freeze("2026-03-02 12:01"):
		with monkeypatch.context() as patch:
			patch.setattr("frappe.enqueue", lambda *args, **options: None)
			sweep_clocks()
		assert messages_to(rep) == []
		assert deliver_alerts()["done"] == 1
		assert deliver_alerts()["done"] == 0
	assert len(messages_to(rep)) == 1


def test_many_chunks_still_make_one_message(rep, last, freeze, monkeypatch):
	use_ladder(last)
	with freeze(MONDAY):
		for _number in range(5):
			make_lead(lead_owner=rep)
	monkeypatch.setattr(jobs, "CHUNK", 2)
	queued = []
	with freeze("2026-03-02 12:05"):
		with monkeypatch.context() as patch:
			patch.setattr("frappe.enqueue", lambda method, **options: queued.append((method, options)))
			sweep_clocks()
			deliver_alerts()  # the scheduler's own, while the chunks wait
		assert messages_to(rep) == []
		for method, options in queued:
			assert method == "lead_quality.follow_up.jobs.sweep_chunk"
			jobs.sweep_chunk(options["items"], options["at"])
	assert messages_to(rep) == ["5 leads are waiting for you: 5 overdue."]


def test_a_queue_that_is_full_stops_nobody_from_being_told(rep, last, freeze, monkeypatch):
	use_ladder(last)
	with freeze(MONDAY):
		for _number in range(3):
			make_lead(lead_owner=rep)
	monkeypatch.setattr(jobs, "CHUNK", 1)

	def refuse(*args, **options):
		raise frappe.QueueOverloaded("full")

	with freeze("2026-03-02 12:05"), monkeypatch.context() as patch:
		patch.setattr("frappe.enqueue", refuse)
		sweep_clocks()
	assert frappe.db.count("Follow Up Alert", {"for_user": rep}) == 1
	assert "QueueOverloaded" in frappe.get_last_doc("Follow Up Run", {"job": "sweep_clocks"}).errors


def test_who_was_disabled_before_the_message_went_out_gets_none_and_the_last_resort_does(
	rep, last, freeze, monkeypatch, smtp
):
	use_ladder(last)
	with freeze(MONDAY):
		make_lead(lead_owner=rep)
	with freeze("2026-03-02 12:01"):
		with monkeypatch.context() as patch:
			patch.setattr("frappe.enqueue", lambda *args, **options: None)
			sweep_clocks()
		frappe.db.set_value("User", rep, "enabled", 0)
		deliver_alerts()
		deliver_alerts()
		smtp.flush()
	assert smtp.to(rep) == []
	assert len(messages_to(last)) == 1


def test_what_a_visitor_wrote_as_company_is_no_html_in_a_message(rep, last, freeze, smtp):
	use_ladder(last)
	with freeze(MONDAY):
		make_lead(lead_owner=rep, company_name='Acme <img src="https://evil.example/t.png"> <Berlin> & Co')
	with freeze("2026-03-02 12:01"):
		sweep_clocks()
		smtp.flush()
	(mail,) = smtp.to(rep)
	assert '<img src="https://evil' not in mail.get_body(("html",)).get_content()


def test_who_is_told_of_a_handover_reads_it_in_the_own_language(rep, last, freeze, make_user, as_user):
	marketer = make_user("marketer@alerts.example", "Lead Quality Manager")
	use_ladder(last, clocks=("Handover Acceptance",))
	frappe.db.set_value("User", rep, "language", "de")
	frappe.get_doc(
		{
			"doctype": "Translation",
			"language": "de",
			"source_text": "{0} handed the lead {1} over to you. Accept or reject it by {2}.",
			"translated_text": "{0} gibt Ihnen {1}, bis {2}.",
		}
	).insert()
	with freeze(MONDAY), as_user(marketer):
		lead = make_lead(lead_owner=marketer)
		make_sales_ready(lead.name)
		api.send_handover(lead.name, rep)
	assert "gibt Ihnen Kellerbrunn Works" in messages_to(rep)[0]


# when the system was not there


def test_what_fell_due_while_the_scheduler_was_off_counts_against_nobody(rep, last, boss, freeze):
	make_employee(rep, make_employee(boss))
	use_ladder(last, {"after": 1, "action": "Notify Manager"})
	sweep_at(freeze, "2026-03-02 09:55")
	with freeze(MONDAY):
		leads = [make_lead(lead_owner=rep) for _number in range(3)]
	sweep_at(freeze, "2026-03-07 10:00")  # off for five days
	clocks = frappe.get_all(
		"Follow Up Clock", {"lead": ("in", [lead.name for lead in leads])}, ["status", "missed_by_system"]
	)
	assert [(row.status, row.missed_by_system) for row in clocks] == [("Missed", 1)] * 3
	(message,) = messages_to(rep)
	assert "3 leads are waiting for you: 3 overdue." in message
	assert "The system was late" in message
	assert messages_to(boss) == []  # the rep has only now been told
	run = frappe.get_last_doc("Follow Up Run", {"job": "sweep_clocks"})
	assert str(run.outage_from) == "2026-03-02 09:55:00"
	sweep_at(freeze, "2026-03-09 09:01", "2026-03-09 10:01")  # Monday: an hour of work later
	assert len(messages_to(boss)) == 1


def test_a_touch_made_while_the_scheduler_was_off_is_no_miss_of_the_reps(rep, last, freeze):
	use_ladder(last)
	sweep_at(freeze, "2026-03-02 09:55")
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	with freeze("2026-03-04 10:00"):
		api.log_touch(lead.name, "Phone", "No Answer")
	clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name})
	assert (clock.status, clock.missed_by_system) == ("Missed", 1)


def test_a_miss_is_the_reps_where_the_sweep_ran_all_the_time(rep, last, freeze):
	use_ladder(last)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 11:45", "2026-03-02 12:10")
	with freeze("2026-03-02 12:20"):
		api.log_touch(lead.name, "Phone", "No Answer")
	clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name})
	assert (clock.status, clock.missed_by_system, clock.owner_at_breach) == ("Missed", 0, rep)
	assert (clock.elapsed_seconds, str(clock.acted_at)) == (8400, "2026-03-02 12:20:00")


def test_an_outage_counts_for_every_sweep_after_it(rep, last, freeze, monkeypatch):
	use_ladder(last)
	sweep_at(freeze, "2026-03-02 09:55")
	with freeze(MONDAY):
		leads = [make_lead(lead_owner=rep) for _number in range(3)]
	monkeypatch.setattr(jobs, "CHUNK", 1)
	with monkeypatch.context() as patch:
		patch.setattr("frappe.enqueue", lambda *args, **options: None)  # the queue was emptied
		sweep_at(freeze, "2026-03-07 10:00", "2026-03-07 10:05", "2026-03-07 10:10")
	clocks = frappe.get_all("Follow Up Clock", {"lead": ("in", [lead.name for lead in leads])}, ["*"])
	assert [(row.status, row.missed_by_system) for row in clocks] == [("Missed", 1)] * 3


def test_an_outage_counts_although_the_first_sweep_after_it_was_killed(rep, last, freeze, monkeypatch):
	use_ladder(last)
	sweep_at(freeze, "2026-03-02 09:55")
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)

	def be_killed(self, names, now):
		raise SystemExit

	with monkeypatch.context() as patch, pytest.raises(SystemExit):
		patch.setattr(sweep.Sweep, "raise_many", be_killed)
		sweep_at(freeze, "2026-03-07 10:00")
	frappe.db.rollback()
	sweep_at(freeze, "2026-03-07 10:05")
	assert frappe.get_last_doc("Follow Up Clock", {"lead": lead.name}).missed_by_system == 1


def test_nobody_escalates_in_the_minute_in_which_the_rep_is_told_after_an_outage(rep, last, boss, freeze):
	make_employee(rep, make_employee(boss))
	use_ladder(last, {"after": 0, "action": "Notify Manager"})
	sweep_at(freeze, "2026-03-02 09:55")
	with freeze(MONDAY):
		make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-04 10:00")
	assert (len(messages_to(rep)), len(messages_to(boss))) == (1, 0)
	sweep_at(freeze, "2026-03-04 10:06")
	assert len(messages_to(boss)) == 1


def test_clearing_old_runs_keeps_what_tells_of_outages(freeze):
	with freeze(MONDAY):
		sweep_clocks()
	frappe.db.sql("update `tabFollow Up Run` set creation = '2020-01-01'")
	runs = frappe.get_all("Follow Up Run", {"job": "sweep_clocks"}, pluck="name")
	FollowUpRun.clear_old_logs(days=30)
	assert frappe.get_all("Follow Up Run", pluck="name") == runs


# who held the lead


def test_other_changes_of_a_lead_are_no_change_of_who_holds_it(rep, boss, freeze):
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	with freeze("2026-03-02 11:00"):
		lead.reload().update({"lead_owner": boss}).save()
	with freeze("2026-03-02 11:30"):
		lead.db_set("job_title", "Buyer")
	assert frappe.db.count("Lead Holding", {"lead": lead.name}) == 1


def test_a_miss_belongs_to_who_held_the_lead_at_the_deadline(rep, last, freeze, make_user):
	heir = make_user("heir@alerts.example", "Sales User")
	use_ladder(last)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	with freeze("2026-03-02 12:03"):
		lead.reload()
		lead.lead_owner = heir
		lead.save()
	sweep_at(freeze, "2026-03-02 12:06")
	clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name})
	assert clock.owner_at_breach == rep
	assert len(messages_to(heir)) == 1  # who can act now
	holding = frappe.get_last_doc("Lead Holding", {"lead": lead.name})
	assert (holding.user, str(holding.held_from), str(holding.held_until)) == (
		rep,
		"2026-03-02 10:00:00",
		"2026-03-02 12:03:00",
	)


# touches in any order


def test_of_two_touches_the_earliest_counts_in_whatever_order_they_are_logged(rep, last, freeze):
	use_ladder(last)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	with freeze("2026-03-02 16:00"):
		api.log_touch(lead.name, "Phone", "No Answer")
		assert frappe.get_last_doc("Follow Up Clock", {"lead": lead.name}).status == "Missed"
		api.log_touch(lead.name, "Phone", "Connected", done_at="2026-03-02 11:00:00")
	clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name})
	assert (clock.status, str(clock.acted_at), clock.owner_at_breach) == ("Met", "2026-03-02 11:00:00", None)


def test_a_touch_in_time_counts_also_where_the_miss_was_over_without_one(rep, last, freeze):
	use_ladder(last)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01")
	with freeze("2026-03-02 12:30"):
		lead.reload().update({"status": "Do Not Contact"}).save()
	with freeze("2026-03-02 13:00"):
		api.log_touch(lead.name, "Phone", "Connected", done_at="2026-03-02 11:00:00")
	assert frappe.get_last_doc("Follow Up Clock", {"lead": lead.name}).status == "Met"


# leads that become one


def test_two_leads_that_become_one_wait_for_one_answer(rep, last, freeze):
	use_ladder(last)
	with freeze(MONDAY):
		first = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01")
	with freeze("2026-03-02 12:30"):
		second = make_lead(lead_owner=rep)
		frappe.rename_doc("Lead", first.name, second.name, merge=True, force=True)
	waiting = frappe.get_all(
		"Follow Up Clock", {"lead": second.name, "stopped_at": ("is", "not set")}, pluck="status"
	)
	assert waiting == ["Missed"]


def test_who_was_in_touch_with_one_of_two_leads_was_in_touch_with_both(rep, last, freeze):
	use_ladder(last)
	with freeze(MONDAY):
		first, second = make_lead(lead_owner=rep), make_lead(lead_owner=rep)
	with freeze("2026-03-02 11:00"):
		api.log_touch(first.name, "Phone", "Connected")
		frappe.rename_doc("Lead", first.name, second.name, merge=True, force=True)
	assert not frappe.db.exists("Follow Up Clock", {"lead": second.name, "status": "Running"})
	assert str(frappe.db.get_value("Lead", second.name, "lq_last_touch_at")) == "2026-03-02 11:00:00"


# faults of the database


def connect_again():
	"""Another connection to the site's database, as another process has it."""
	return frappe.database.get_db(
		host=frappe.conf.db_host,
		port=frappe.conf.db_port,
		user=frappe.conf.db_user or frappe.conf.db_name,
		password=frappe.conf.db_password,
		cur_db_name=frappe.conf.db_name,
	)


def test_what_one_run_is_telling_a_user_no_other_tells_a_part_of(site, real_commits):
	user = "nobody@alerts.example"
	pending = [
		{"for_user": user, "status": "Pending", "alert_key": f"shared:{number}", "kind": "Missed"}
		for number in range(3)
	]
	now = now_datetime()
	rows = insert_rows("Follow Up Alert", pending, now)
	frappe.db.commit()
	other = connect_again()
	try:
		for row in rows:
			other.sql("select name from `tabFollow Up Alert` where name = %s for update", (row.name,))
			assert not delivery.deliver(user, now)
			assert frappe.db.count("Follow Up Alert", {"for_user": user, "status": "Pending"}) == len(rows)
			frappe.db.commit()
			other.rollback()
		assert delivery.deliver(user, now)
	finally:
		frappe.db.rollback()
		other.close()
		frappe.db.delete("Follow Up Alert", {"for_user": user})
		frappe.db.commit()


def test_a_deadlock_costs_a_run_no_more_than_the_items_that_it_undid(site, real_commits):
	frappe.db.sql_ddl("create table if not exists `lq_deadlock` (k int primary key, v int)")
	frappe.db.sql("insert into `lq_deadlock` select seq, 0 from seq_1_to_500")
	frappe.db.commit()
	other = connect_again()
	# the one who has changed more stays
	other.sql("update `lq_deadlock` set v = 1 where k between 100 and 400")
	other.sql("update `lq_deadlock` set v = 1 where k = 2")

	def cross():
		time.sleep(0.3)
		other.sql("update `lq_deadlock` set v = 1 where k = 1")
		other.rollback()

	def do(item, now):
		if item == "b":
			frappe.db.sql("update `lq_deadlock` set v = 5 where k = 1")
			thread.start()
			time.sleep(0.6)
			frappe.db.sql("update `lq_deadlock` set v = 5 where k = 2")
		return 1

	# the connection asks for the site that the thread is at
	thread = threading.Thread(target=contextvars.copy_context().run, args=(cross,))
	try:
		counts = JobRun("deadlock").each("abcd", do, commit_every=1).finish()
		thread.join()
		assert counts == {"found": 4, "done": 3, "failed": 1}
	finally:
		frappe.db.rollback()
		other.close()
		frappe.db.sql_ddl("drop table `lq_deadlock`")
		frappe.db.delete("Follow Up Run", {"job": "deadlock"})
		frappe.db.commit()
