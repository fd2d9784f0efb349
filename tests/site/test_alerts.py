"""Alerts: a warning, a miss and each step of the ladder once, one message a user, nobody blamed for an outage."""

from datetime import timedelta

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready
from lead_quality.follow_up import escalation
from lead_quality.follow_up.jobs import deliver_alerts, sweep_clocks

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


def make_employee(user: str, reports_to: str | None = None) -> str:
	return (
		frappe.get_doc(
			{
				"doctype": "Employee",
				"first_name": user.split("@")[0],
				"user_id": user,
				"company": frappe.get_all("Company", pluck="name", order_by="name asc")[0],
				"gender": "Female",
				"date_of_birth": "1990-01-01",
				"date_of_joining": "2020-01-01",
				"status": "Active",
				"reports_to": reports_to,
			}
		)
		.insert(ignore_permissions=True)
		.name
	)


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


def messages_to(user: str) -> list[str]:
	return frappe.get_all(
		"Notification Log", {"for_user": user}, pluck="subject", order_by="creation asc, name asc"
	)


def levels_of(lead) -> list[tuple]:
	return frappe.get_all(
		"Follow Up Alert",
		{"lead": lead.name},
		["level", "kind", "for_user", "action"],
		order_by="level asc, for_user asc, action asc",
		as_list=True,
	)


def sweep_at(freeze, *times: str):
	for time in times:
		with freeze(time):
			sweep_clocks()


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
	assert escalation.manager_of(rep) == boss


def test_a_disabled_manager_is_passed_by_for_the_one_above(rep, boss, last):
	make_employee(rep, make_employee(boss, make_employee(last)))
	frappe.db.set_value("User", boss, "enabled", 0)
	assert escalation.manager_of(rep) == last


def test_nobody_is_the_own_manager(rep):
	employee = make_employee(rep)
	frappe.db.set_value("Employee", employee, "reports_to", employee)
	assert escalation.manager_of(rep) is None


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


def test_a_step_can_give_the_lead_to_the_next_rep_of_an_assignment_rule(rep, boss, last, freeze, make_user):
	gone = make_user("gone@alerts.example", "Sales User")
	colleague = make_user("colleague@alerts.example", "Sales User")
	frappe.db.set_value("User", gone, "enabled", 0)
	rule = frappe.get_doc(
		{
			"doctype": "Assignment Rule",
			"name": "Next Rep",
			"document_type": "Lead",
			"description": "Next",
			"assign_condition": "0",
			"rule": "Round Robin",
			"users": [{"user": rep}, {"user": gone}, {"user": colleague}],
			"assignment_days": [{"day": "Monday"}],
		}
	).insert()
	use_ladder(last, {"after": 1, "action": "Reassign", "assignment_rule": rule.name})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01", "2026-03-02 14:01")
	assert frappe.db.get_value("Lead", lead.name, "lead_owner") == colleague
	assert [row[3] for row in levels_of(lead)].count("Reassign") == 2  # the action, and who has lost the lead
	clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name})
	assert (clock.status, clock.owner_at_breach, str(clock.due_at)) == ("Missed", rep, "2026-03-02 12:00:00")


def test_a_step_can_take_a_lead_back_to_the_pool(rep, last, freeze):
	use_ladder(last, {"after": 1, "action": "Pull Back"})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01")
	assert not frappe.db.get_value("Lead", lead.name, "lead_owner")
	assert "taken back to the pool" in messages_to(rep)[-1]


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


def test_an_action_that_fails_is_tried_again_and_holds_up_nobody(rep, last, freeze):
	rule = frappe.get_doc(
		{
			"doctype": "Assignment Rule",
			"name": "Only Me",
			"document_type": "Lead",
			"description": "Me",
			"assign_condition": "0",
			"rule": "Round Robin",
			"users": [{"user": rep}],
			"assignment_days": [{"day": "Monday"}],
		}
	).insert()
	use_ladder(last, {"after": 1, "action": "Reassign", "assignment_rule": rule.name})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	with freeze("2026-03-02 13:01") as time:
		counts = sweep_clocks()
		assert (counts["done"], counts["failed"]) == (0, 1)
		clock = frappe.get_last_doc("Follow Up Clock", {"lead": lead.name})
		assert (clock.failures, str(clock.next_alert_at)) == (1, "2026-03-02 13:06:00")
		time.tick(timedelta(hours=1))
		assert sweep_clocks()["failed"] == 1
		assert (
			str(frappe.get_last_doc("Follow Up Clock", {"lead": lead.name}).next_alert_at)
			== "2026-03-02 14:11:00"
		)


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
	assert "3 leads wait for you: 3 overdue." in message
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


# who held the lead


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
