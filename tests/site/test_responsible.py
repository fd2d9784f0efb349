"""Who is responsible for a lead that a web form brings in, what is said of a ladder's steps, and when users are told."""

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_lead
from lead_quality.follow_up import risks
from lead_quality.follow_up.jobs import deliver_alerts, sweep_clocks

MONDAY = "2026-03-02 10:00:00"
POLICY = "Standard Follow Up"


@pytest.fixture
def rep(make_user):
	return make_user("rep@responsible.example", "Sales User")


@pytest.fixture
def last(make_user):
	return make_user("last@responsible.example", "Sales Manager")


def use_policy(last_resort: str, *steps: dict, within: float = 2, unit: str = "Working Hours"):
	policy = frappe.get_doc("Follow Up Policy", POLICY)
	policy.targets = [row for row in policy.targets if row.clock == "First Response"]
	policy.targets[0].update({"within": within, "unit": unit})
	policy.set("escalations", [{"unit": "Hours", **step} for step in steps])
	policy.escalate_to = last_resort
	policy.save()


def make_rule(title: str, *users: str) -> str:
	rule = {
		"doctype": "Assignment Rule",
		"name": title,
		"document_type": "Lead",
		"description": "Next",
		"assign_condition": "0",
		"rule": "Round Robin",
		"users": [{"user": user} for user in users],
		"assignment_days": [{"day": "Monday"}],
	}
	return frappe.get_doc(rule).insert().name


def assign(lead, user: str):
	return frappe.get_doc(
		{
			"doctype": "ToDo",
			"reference_type": "Lead",
			"reference_name": lead.name,
			"allocated_to": user,
			"description": "Yours",
		}
	).insert(ignore_permissions=True)


def sweep_at(freeze, *times: str):
	for when in times:
		with freeze(when):
			sweep_clocks()
			deliver_alerts()


def told(user: str) -> list[str]:
	kept = {"for_user": user, "document_type": ["!=", "ToDo"], "subject": ["not like", "%assigned%"]}
	return frappe.get_all("Notification Log", kept, pluck="subject", order_by="creation asc, name asc")


def breach_of(lead) -> str | None:
	return frappe.db.get_value("Follow Up Clock", {"lead": lead.name, "status": "Missed"}, "owner_at_breach")


# a lead that nobody owns who is a person


@pytest.mark.parametrize("owner", ["Guest", "Administrator", None])
def test_who_is_assigned_to_a_lead_without_an_owner_is_responsible_for_it(rep, last, freeze, owner):
	use_policy(last)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=owner)
		frappe.db.set_value("Lead", lead.name, "lead_owner", owner)
		assign(lead, rep)
	sweep_at(freeze, "2026-03-02 11:31", "2026-03-02 12:01")
	assert ["is due" in words or "was due" in words for words in told(rep)] == [True, True]
	assert told(last) == []
	assert breach_of(lead) == rep
	with freeze("2026-03-02 12:02"):
		assert risks.NO_OWNER not in risks.countdown(lead.name)["faults"]


def test_the_owner_goes_before_who_is_assigned(rep, last, freeze, make_user):
	use_policy(last)
	other = make_user("other@responsible.example", "Sales User")
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
		assign(lead, other)
	sweep_at(freeze, "2026-03-02 12:01")
	assert (breach_of(lead), told(other)) == (rep, [])


def test_a_miss_belongs_to_who_was_assigned_at_the_deadline(rep, last, freeze, make_user):
	use_policy(last)
	later = make_user("later@responsible.example", "Sales User")
	with freeze(MONDAY):
		lead = make_lead(lead_owner="Guest")
		todo = assign(lead, rep)
	with freeze("2026-03-02 12:30"):
		todo.reload().update({"status": "Closed"}).save(ignore_permissions=True)
		assign(lead, later)
	sweep_at(freeze, "2026-03-02 12:31")
	assert breach_of(lead) == rep
	assert len(told(later)) == 1


def test_an_assignment_that_was_taken_back_leaves_the_lead_to_nobody(rep, last, freeze):
	use_policy(last)
	with freeze(MONDAY):
		lead = make_lead(lead_owner="Guest")
		todo = assign(lead, rep)
	with freeze("2026-03-02 11:00"):
		todo.reload().update({"status": "Cancelled"}).save(ignore_permissions=True)
		assert risks.NO_OWNER in risks.countdown(lead.name)["faults"]
	sweep_at(freeze, "2026-03-02 12:01")
	assert breach_of(lead) is None
	assert (told(rep), len(told(last))) == ([], 1)


# what is said of a step of the ladder


def test_a_reassignment_that_nobody_could_take_is_not_told_as_done(rep, last, freeze, make_user):
	gone = make_user("gone@responsible.example", "Sales User")
	frappe.db.set_value("User", gone, "enabled", 0)
	rule = make_rule("Gone Reps", gone)
	use_policy(last, {"after": 1, "action": "Reassign", "assignment_rule": rule})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01")
	assert frappe.db.get_value("Lead", lead.name, "lead_owner") == rep
	for user in (rep, last):
		assert "Reassign, could not be carried out: The Assignment Rule" in told(user)[-1]
		assert "given to somebody else" not in " ".join(told(user))


def test_a_reassignment_says_who_has_the_lead(rep, last, freeze, make_user):
	heir = make_user("heir@responsible.example", "Sales User")
	use_policy(last, {"after": 1, "action": "Reassign", "assignment_rule": make_rule("Heirs", heir)})
	with freeze(MONDAY):
		make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 12:01", "2026-03-02 13:01")
	assert "given to somebody else: Heir" in told(rep)[-1]


def test_a_manager_is_told_who_had_not_acted_when_it_was_raised(rep, last, freeze, make_user):
	heir = make_user("heir@responsible.example", "Sales User")
	use_policy(last, {"after": 1, "action": "Notify Role", "role": "Sales Manager"})
	with freeze(MONDAY):
		lead = make_lead(lead_owner=rep)
	with freeze("2026-03-02 12:01"):
		sweep_clocks()
	with freeze("2026-03-02 13:01"):
		with pytest.MonkeyPatch.context() as patch:
			patch.setattr("frappe.enqueue", lambda *args, **options: None)
			sweep_clocks()
		frappe.get_doc("Lead", lead.name).update({"lead_owner": heir}).save()
		deliver_alerts()
	assert "Rep has not acted" in told(last)[-1]


# when users are told


@pytest.fixture
def quiet():
	frappe.db.set_single_value("Lead Quality Settings", "alert_hours", "Office Hours")


def test_without_alert_hours_a_deadline_in_hours_is_told_at_night(rep, last, freeze):
	use_policy(last, within=8, unit="Hours")
	with freeze("2026-03-06 19:00"):
		make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-07 03:05")
	assert len(told(rep)) == 1


def test_what_falls_due_at_night_and_at_weekends_is_told_when_the_hours_begin(rep, last, freeze, quiet):
	use_policy(last, {"after": 1, "action": "Notify Manager"}, within=8, unit="Hours")
	with freeze("2026-03-06 19:00"):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-07 03:05", "2026-03-07 12:00", "2026-03-09 08:55")
	# the miss is what it is, but nobody is woken for it, and nobody told of who was not
	assert breach_of(lead) == rep
	assert (told(rep), told(last)) == ([], [])
	sweep_at(freeze, "2026-03-09 09:01")
	assert (len(told(rep)), told(last)) == (1, [])
	sweep_at(freeze, "2026-03-09 10:01")
	assert len(told(last)) == 1


def test_alert_hours_are_by_the_clock_of_who_is_told(rep, last, freeze, quiet):
	frappe.db.set_value("User", rep, "time_zone", "America/New_York")
	frappe.clear_document_cache("User", rep)
	use_policy(last, within=1, unit="Hours")
	with freeze("2026-03-02 09:30"):
		make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-02 11:00", "2026-03-02 14:30")
	assert told(rep) == []
	sweep_at(freeze, "2026-03-02 15:05")  # nine o'clock in New York
	assert len(told(rep)) == 1


def test_who_acts_before_the_hours_begin_hears_nothing(rep, last, freeze, quiet):
	use_policy(last, within=8, unit="Hours")
	with freeze("2026-03-06 19:00"):
		lead = make_lead(lead_owner=rep)
	sweep_at(freeze, "2026-03-07 03:05")
	with freeze("2026-03-07 10:00"):
		api.log_touch(lead.name, "Phone", "Connected")
	sweep_at(freeze, "2026-03-09 09:01")
	assert told(rep) == []


def test_the_calendar_of_the_alert_hours_stays(quiet):
	frappe.db.delete("Follow Up Policy", {"name": ["!=", ""]})
	with pytest.raises(frappe.LinkExistsError):
		frappe.delete_doc("Working Calendar", "Office Hours")
