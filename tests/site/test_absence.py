"""Who is away: the substitute is told, answers handovers, and answers for what falls due meanwhile."""

import frappe
import pytest
from frappe.utils import format_date

from lead_quality import api
from lead_quality.demo.factories import make_employee, make_lead, make_sales_ready
from lead_quality.desk.search import receivers
from lead_quality.follow_up import attention, escalation
from lead_quality.follow_up.jobs import deliver_alerts
from tests.site.helpers import sweep_at

MONDAY = "2026-03-02 10:00:00"
POLICY = "Standard Follow Up"


@pytest.fixture
def sam(make_user):
	return make_user("sam@away.example", "Sales User")


@pytest.fixture
def kim(make_user):
	return make_user("kim@away.example", "Sales User")


@pytest.fixture
def boss(make_user):
	return make_user("boss@away.example", "Sales Manager")


@pytest.fixture
def last(make_user):
	return make_user("last@away.example", "Sales Manager")


@pytest.fixture
def lead(freeze, sam):
	with freeze(MONDAY):
		return make_lead(lead_owner=sam)


def away(
	user: str, substitute: str | None = None, first="2026-03-02", until="2026-03-06", entered="2026-02-27"
):
	absence = frappe.get_doc(
		{
			"doctype": "Follow Up Absence",
			"user": user,
			"substitute": substitute,
			"from_date": first,
			"to_date": until,
		}
	).insert()
	absence.db_set("creation", f"{entered} 09:00:00", update_modified=False)
	return absence


def use_ladder(last_resort: str, *steps: dict):
	"""Only First Response runs, and these steps follow a miss."""
	policy = frappe.get_doc("Follow Up Policy", POLICY)
	policy.targets = [row for row in policy.targets if row.clock == "First Response"]
	policy.set("escalations", [{"unit": "Working Hours", **step} for step in steps])
	policy.escalate_to = last_resort
	policy.save()


def report_to(user: str, manager: str):
	make_employee(user, make_employee(manager))


def told_of(lead) -> list[tuple]:
	return frappe.get_all(
		"Follow Up Alert",
		{"lead": lead.name},
		["kind", "for_user"],
		order_by="level asc, for_user asc",
		as_list=True,
	)


def sam_is_away() -> str:
	return f"Sam is away until {format_date('2026-03-06')}. Kim is covering."


# what falls due


def test_the_substitute_is_told_and_answers_for_what_falls_due_meanwhile(lead, sam, kim, last, freeze):
	use_ladder(last)
	away(sam, kim)
	sweep_at(freeze, "2026-03-02 13:59:00", "2026-03-03 10:00:00")
	assert {user for _kind, user in told_of(lead)} == {kim}
	missed = {"lead": lead.name, "status": "Missed"}
	assert frappe.get_all("Follow Up Clock", missed, pluck="owner_at_breach") == [kim]
	with freeze("2026-03-03 10:01:00"):
		deliver_alerts()
	assert frappe.db.count(
		"Notification Log", {"for_user": kim, "document_type": ["!=", "Follow Up Absence"]}
	)
	assert not frappe.db.count("Notification Log", {"for_user": sam})


def test_who_is_back_is_told_again(lead, sam, kim, last, freeze):
	use_ladder(last)
	away(sam, kim, until="2026-03-02")
	sweep_at(freeze, "2026-03-03 10:00:00")
	assert {user for _kind, user in told_of(lead)} == {sam}


def test_a_miss_that_was_due_while_somebody_was_away_is_the_substitutes_also_if_it_is_found_later(
	lead, sam, kim, last, freeze
):
	use_ladder(last)
	away(sam, kim, until="2026-03-02")
	with freeze("2026-03-02 16:00:00"):
		api.log_touch(lead.name, "Phone", "Connected")
	missed = {"lead": lead.name, "clock": "First Response"}
	assert frappe.db.get_value("Follow Up Clock", missed, ["status", "owner_at_breach"]) == ("Missed", kim)


def test_without_a_substitute_the_manager_is_told_and_nobody_is_charged_in_the_managers_place(
	lead, sam, boss, last, freeze
):
	use_ladder(last)
	report_to(sam, boss)
	away(sam)
	sweep_at(freeze, "2026-03-03 10:00:00")
	assert {user for _kind, user in told_of(lead)} == {boss}
	assert (
		frappe.db.get_value("Follow Up Clock", {"lead": lead.name, "status": "Missed"}, "owner_at_breach")
		== sam
	)


def test_where_nobody_is_there_the_last_resort_is_told(lead, sam, kim, last, freeze):
	use_ladder(last)
	away(sam, kim)
	away(kim)
	sweep_at(freeze, "2026-03-03 10:00:00")
	assert {user for _kind, user in told_of(lead)} == {last}


def test_a_substitute_who_may_not_see_the_lead_or_has_left_is_passed_by(
	lead, sam, kim, last, make_user, freeze
):
	use_ladder(last)
	outside = make_user("agency@away.example", "Lead Qualifier")
	away(sam, outside, until="2026-03-02")
	away(sam, kim, first="2026-03-03")
	frappe.db.set_value("User", kim, "enabled", 0)
	sweep_at(freeze, "2026-03-02 13:59:00", "2026-03-03 10:00:00")
	assert {user for _kind, user in told_of(lead)} == {last}
	assert (
		frappe.db.get_value("Follow Up Clock", {"lead": lead.name, "status": "Missed"}, "owner_at_breach")
		== sam
	)


def test_the_ladder_climbs_above_the_substitute_of_a_manager_who_is_away_too(
	lead, sam, kim, boss, last, freeze
):
	use_ladder(last, {"after": 1, "action": "Notify Manager"})
	report_to(sam, boss)
	away(boss, kim)
	sweep_at(freeze, "2026-03-02 15:00:00", "2026-03-02 17:00:00")
	assert ("Escalation", kim) in told_of(lead)
	assert boss not in {user for _kind, user in told_of(lead)}


def test_a_rep_who_stands_in_for_the_manager_is_not_told_of_himself_as_the_manager(
	lead, sam, boss, last, freeze
):
	use_ladder(last, {"after": 1, "action": "Notify Manager"})
	report_to(sam, boss)
	away(boss, sam)
	sweep_at(freeze, "2026-03-02 15:00:00", "2026-03-02 17:00:00")
	assert [user for kind, user in told_of(lead) if kind == "Escalation"] == [last]


def test_what_a_manager_is_told_of_unattended_leads_is_told_to_the_last_resort_if_the_owner_stands_in(
	lead, sam, boss, last, freeze
):
	frappe.db.set_single_value(
		"Lead Quality Settings", {"stale_after_days": 30, "fallback_user": last}, update_modified=False
	)
	frappe.db.set_value("Lead", lead.name, "creation", "2025-11-01 10:00:00", update_modified=False)
	report_to(sam, boss)
	away(boss, sam)
	with freeze(MONDAY):
		attention.raise_unattended()
	stale = {"lead": lead.name, "clock": "Stale", "level": 2}
	assert frappe.get_all("Follow Up Alert", stale, pluck="for_user") == [last]


def test_an_absence_that_is_entered_after_the_deadline_puts_nothing_on_the_substitute(
	lead, sam, kim, last, freeze
):
	use_ladder(last)
	away(sam, kim, entered="2026-03-03")
	sweep_at(freeze, "2026-03-03 10:00:00")
	assert (
		frappe.db.get_value("Follow Up Clock", {"lead": lead.name, "status": "Missed"}, "owner_at_breach")
		== sam
	)


def test_an_absence_that_is_moved_to_the_day_of_a_miss_and_deleted_puts_nothing_on_the_substitute(
	lead, sam, kim, last, freeze
):
	use_ladder(last)
	absence = away(sam, kim, first="2031-03-02", until="2031-03-06")
	with freeze("2026-03-02 12:30:00"):
		absence.reload().update({"from_date": "2026-03-02", "to_date": "2026-03-06"}).save()
	sweep_at(freeze, "2026-03-02 12:35:00")
	with freeze("2026-03-02 12:40:00"):
		absence.delete()
	missed = {"lead": lead.name, "status": "Missed"}
	assert frappe.db.get_value("Follow Up Clock", missed, "owner_at_breach") == sam


@pytest.mark.parametrize("change", ["deleted", "moved away", "given to another"])
def test_who_stood_in_when_the_deadline_passed_answers_for_it_whatever_becomes_of_the_absence(
	lead, sam, kim, boss, last, freeze, change
):
	use_ladder(last)
	absence = away(sam, kim)
	with freeze("2026-03-02 12:30:00"):
		if change == "deleted":
			absence.delete()
		elif change == "moved away":
			absence.reload().update({"from_date": "2026-05-01", "to_date": "2026-05-02"}).save()
		else:
			absence.reload().update({"substitute": boss}).save()
	sweep_at(freeze, "2026-03-03 10:00:00")
	missed = {"lead": lead.name, "status": "Missed"}
	assert frappe.db.get_value("Follow Up Clock", missed, "owner_at_breach") == kim


def test_an_absence_that_is_saved_unchanged_says_nothing_new(sam, kim):
	absence = away(sam, kim)
	absence.reload().save()
	assert frappe.db.count("Follow Up Absence Log", {"absence": absence.name}) == 0


def test_a_role_is_told_without_those_who_are_away(lead, sam, kim, boss, last, freeze):
	use_ladder(last, {"after": 1, "action": "Notify Role", "role": "Sales Manager"})
	away(boss)
	sweep_at(freeze, "2026-03-02 15:00:00", "2026-03-02 17:00:00")
	escalated = {user for kind, user in told_of(lead) if kind == "Escalation"}
	assert last in escalated
	assert boss not in escalated


def test_a_lead_that_nobody_attends_to_is_told_to_the_substitute(lead, sam, kim, freeze):
	frappe.db.set_single_value("Lead Quality Settings", "stale_after_days", 90)
	frappe.db.set_value("Lead", lead.name, "creation", "2025-11-01 10:00:00", update_modified=False)
	away(sam, kim)
	with freeze(MONDAY):
		attention.raise_unattended()
	stale = {"lead": lead.name, "clock": "Stale", "level": 1}
	assert frappe.get_all("Follow Up Alert", stale, pluck="for_user") == [kim]


def test_no_lead_is_given_to_somebody_who_is_away(lead, sam, kim, boss, freeze):
	rule = frappe.get_doc(
		{
			"doctype": "Assignment Rule",
			"name": "Reps",
			"document_type": "Lead",
			"assign_condition": "1",
			"rule": "Round Robin",
			"priority": 1,
			"description": "Follow up now",
			"assignment_days": [{"day": "Monday"}],
			"users": [{"user": sam}, {"user": kim}, {"user": boss}],
		}
	).insert()
	away(kim)
	with freeze(MONDAY):
		assert escalation.reassign(lead.name, rule.name) == boss


# handovers


@pytest.fixture
def sent(boss, kim, sam, as_user, freeze):
	lead = make_lead(lead_owner=boss)
	make_sales_ready(lead.name)
	away(sam, kim)
	with freeze(MONDAY), as_user(boss):
		return api.send_handover(lead.name, sam)


def test_a_handover_to_somebody_who_is_away_is_told_to_the_substitute_who_answers_it(
	sent, sam, kim, as_user, freeze
):
	told = {"document_type": "Lead Handover"}
	assert frappe.db.count("Notification Log", {"for_user": sam, **told}) == 1
	words = frappe.get_all("Notification Log", {"for_user": kim, **told}, pluck="subject")
	assert "whom you are covering for" in words[0]
	with freeze("2026-03-02 11:00:00"), as_user(kim):
		assert api.get_panel(sent.lead)["handover"].is_mine
		api.accept_handover(sent.name)
	assert frappe.db.get_value("Lead", sent.lead, "lead_owner") == sam


def test_the_sender_is_told_that_the_receiver_is_away(sent, freeze):
	messages = [message["message"] for message in map(frappe.parse_json, frappe.get_message_log())]
	assert any(sam_is_away() in words for words in messages)


def test_who_no_longer_stands_in_cannot_answer(sent, kim, as_user, freeze):
	with freeze("2026-03-09 09:00:00"), as_user(kim), pytest.raises(frappe.PermissionError):
		api.accept_handover(sent.name)


def test_nobody_answers_a_handover_of_their_own_as_a_substitute(sam, kim, as_user, freeze):
	lead = make_lead(lead_owner=kim)
	away(sam, kim)
	with freeze(MONDAY), as_user(kim):
		make_sales_ready(lead.name)
		handover = api.send_handover(lead.name, sam)
		with pytest.raises(frappe.PermissionError):
			api.accept_handover(handover.name)
	assert not frappe.db.exists("Notification Log", {"for_user": kim, "document_type": "Lead Handover"})


def test_a_handover_to_the_one_for_whom_its_sender_stands_in_is_told_to_the_manager(
	sam, kim, boss, as_user, freeze
):
	report_to(sam, boss)
	away(sam, kim)
	with freeze(MONDAY):
		lead = make_lead(lead_owner=kim)
		with as_user(kim):
			make_sales_ready(lead.name)
			api.send_handover(lead.name, sam)
	sweep_at(freeze, "2026-03-05 10:00:00")
	acceptance = {"lead": lead.name, "clock": "Handover Acceptance"}
	assert set(frappe.get_all("Follow Up Alert", acceptance, pluck="for_user")) == {boss}
	assert frappe.db.get_value("Follow Up Clock", acceptance, "owner_at_breach") == sam


def test_who_has_qualified_a_lead_does_not_accept_it_as_a_substitute_where_the_two_are_kept_apart(
	sam, kim, boss, as_user, freeze
):
	frappe.db.set_single_value("Lead Quality Settings", "separate_qualifier_and_receiver", 1)
	lead = make_lead(lead_owner=kim)
	away(sam, kim)
	with freeze(MONDAY):
		with as_user(kim):
			make_sales_ready(lead.name)
		with as_user(boss):
			handover = api.send_handover(lead.name, sam)
		with as_user(kim), pytest.raises(frappe.PermissionError):
			api.accept_handover(handover.name)
		with as_user(kim):
			assert not api.get_panel(lead.name)["handover"].is_mine


def test_a_substitute_who_may_not_work_on_the_lead_hears_nothing_of_its_handover(
	sam, boss, make_user, as_user, freeze
):
	outside = make_user("agency@away.example", "Lead Qualifier")
	lead = make_lead(lead_owner=boss)
	make_sales_ready(lead.name)
	away(sam, outside)
	with freeze(MONDAY), as_user(boss):
		api.send_handover(lead.name, sam)
	assert not frappe.db.exists("Notification Log", {"for_user": outside, "document_type": "Lead Handover"})


def test_who_chooses_a_receiver_sees_who_is_away(sam, kim, freeze):
	away(sam, kim)
	with freeze(MONDAY):
		found = {row[0]: row[2] for row in receivers("User", "away.example", "name", 0, 20)}
	assert found == {sam: sam_is_away(), kim: ""}


def test_the_lead_says_that_its_owner_is_away(lead, sam, kim, freeze):
	away(sam, kim)
	with freeze(MONDAY):
		assert api.get_panel(lead.name)["away"] == sam_is_away()
	with freeze("2026-03-09 10:00:00"):
		assert api.get_panel(lead.name)["away"] is None


# what is refused


def test_the_substitute_hears_of_it_in_one_message(sam, kim):
	absence = away(sam, kim)
	absence.reload()
	absence.save()
	told = {"for_user": kim, "document_type": "Follow Up Absence"}
	assert frappe.get_all("Notification Log", told, pluck="subject") == [
		f"You are covering for Sam from {format_date('2026-03-02')} to {format_date('2026-03-06')}: "
		"you are notified of what falls due on their leads."
	]


def test_a_rep_enters_own_absences_only_and_a_manager_those_of_all(sam, kim, boss, as_user):
	with as_user(sam):
		mine = away(sam)
		with pytest.raises(frappe.PermissionError, match="only enter your own"):
			away(kim)
	with as_user(boss):
		other = away(kim)
	with as_user(sam):
		with pytest.raises(frappe.PermissionError):
			frappe.get_doc("Follow Up Absence", other.name).update({"substitute": sam}).save()
		with pytest.raises(frappe.PermissionError):
			frappe.delete_doc("Follow Up Absence", other.name)
		frappe.delete_doc("Follow Up Absence", mine.name)
	assert not frappe.db.exists("Follow Up Absence", mine.name)


def test_an_outside_qualifier_sees_no_absences_of_others(sam, make_user, as_user):
	away(sam)
	with as_user(make_user("agency@away.example", "Lead Qualifier")):
		assert frappe.get_list("Follow Up Absence") == []


@pytest.mark.parametrize(
	("values", "words"),
	[
		({"to_date": "2026-03-01"}, "is before the first day away"),
		({"substitute": "sam@away.example"}, "A user cannot be their own substitute"),
		({"substitute": "Administrator"}, "cannot be a substitute"),
		({"substitute": "clerk@away.example"}, "give the user the role Sales User"),
		(
			{"from_date": "2026-02-20", "to_date": "2026-04-01"},
			"is away from .* to .* already: change",
		),
	],
)
def test_an_absence_that_cannot_be_is_refused_with_what_to_do(sam, make_user, values, words):
	make_user("clerk@away.example")
	away(sam, first="2026-03-10", until="2026-03-12")
	absence = frappe.get_doc(
		{
			"doctype": "Follow Up Absence",
			"user": sam,
			"from_date": "2026-03-02",
			"to_date": "2026-03-06",
			**values,
		}
	)
	with pytest.raises(frappe.ValidationError, match=words):
		absence.insert()


def test_a_substitute_who_is_away_too_is_named_but_not_refused(sam, kim):
	away(kim, first="2026-03-05", until="2026-03-20")
	away(sam, kim)
	messages = [message["message"] for message in map(frappe.parse_json, frappe.get_message_log())]
	assert any(
		f"is away too, from {format_date('2026-03-05')} to {format_date('2026-03-20')}" in words
		for words in messages
	)
