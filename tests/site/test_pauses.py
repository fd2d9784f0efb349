"""Pauses and changed calendars: a deadline moves by the time that did not count, what is past stays."""

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready
from lead_quality.follow_up import clocks, pauses
from lead_quality.follow_up.jobs import sweep_clocks
from lead_quality.follow_up.replan import replan_changed
from lead_quality.nurture.jobs import wake_snoozed
from lead_quality.patches import clocks_stand_by_themselves

MONDAY = "2026-03-02 10:00:00"
REASON = "Snooze: On holiday"


@pytest.fixture
def lead(freeze, make_user):
	with freeze(MONDAY):
		return make_lead(lead_owner=make_user("rep@pauses.example", "Sales User"))


def clock_of(lead, clock: str = "First Response"):
	return frappe.get_last_doc("Follow Up Clock", {"lead": lead.name, "clock": clock})


def ends_of(lead, clock: str = "First Response") -> tuple[str, str, str]:
	doc = clock_of(lead, clock)
	return doc.status, str(doc.warn_at), str(doc.due_at)


def test_a_snooze_with_a_reason_moves_the_deadline_by_the_working_time_it_took(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	# an hour had gone by; half an hour to the warning and one to the deadline are left
	assert ends_of(lead) == ("Paused", "2026-03-04 10:30:00", "2026-03-04 11:00:00")
	assert clock_of(lead).pause_reason == REASON


def test_a_snooze_without_a_reason_pauses_nothing(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00")
	assert ends_of(lead) == ("Running", "2026-03-02 11:30:00", "2026-03-02 12:00:00")


def test_what_is_ours_to_decide_does_not_pause(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	assert clock_of(lead, "Triage").status == "Running"
	# the next touch is due when the lead wakes
	assert str(clock_of(lead, "Next Touch").started_at) == "2026-03-04 10:00:00"


def test_a_paused_clock_is_told_of_by_nobody_and_runs_again_by_itself(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	with freeze("2026-03-03 16:00"):
		(row,) = [row for row in clocks.open_clocks(lead.name) if row.clock == "First Response"]
		assert row.state == "Paused"
		sweep_clocks()
		assert not frappe.db.exists("Follow Up Alert", {"lead": lead.name, "clock": "First Response"})
	with freeze("2026-03-04 10:40"):  # no job has woken the lead
		(row,) = [row for row in clocks.open_clocks(lead.name) if row.clock == "First Response"]
		assert row.state == "Warning"
	with freeze("2026-03-04 11:05"):
		sweep_clocks()
	clock = clock_of(lead)
	assert (clock.status, clock.paused_seconds, clock.paused_until) == ("Missed", 15 * 3600, None)


def test_the_job_that_wakes_a_lead_lets_its_clocks_run_whenever_it_comes(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	with freeze("2026-03-04 10:20"):
		wake_snoozed()
	assert ends_of(lead) == ("Running", "2026-03-04 10:30:00", "2026-03-04 11:00:00")
	assert clock_of(lead).paused_seconds == 15 * 3600


def test_a_pause_that_is_cut_short_gives_the_rest_back(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	with freeze("2026-03-02 15:00"):
		pauses.resume(lead.name, frappe.utils.now_datetime())
	assert ends_of(lead) == ("Running", "2026-03-02 15:30:00", "2026-03-02 16:00:00")
	assert clock_of(lead).paused_seconds == 4 * 3600


def test_snoozing_again_counts_no_time_twice(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	with freeze("2026-03-03 11:00"):
		api.snooze(lead.name, "2026-03-09 10:00", REASON)
	assert ends_of(lead) == ("Paused", "2026-03-09 10:30:00", "2026-03-09 11:00:00")


def test_a_pause_longer_than_the_deadline_misses_nothing(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-05-04 10:00", REASON)
	with freeze("2026-05-04 10:10"):
		api.log_touch(lead.name, "Phone", "No Answer")
	clock = clock_of(lead)
	assert (clock.status, clock.elapsed_seconds) == ("Met", 70 * 60)


def test_a_clock_that_is_overdue_does_not_pause(lead, freeze):
	with freeze("2026-03-02 12:30"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	assert ends_of(lead) == ("Running", "2026-03-02 11:30:00", "2026-03-02 12:00:00")


def test_a_snooze_after_the_warning_time_lasts_although_nobody_has_been_warned_yet(lead, freeze):
	with freeze("2026-03-02 11:32"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	with freeze("2026-03-02 11:35"):
		sweep_clocks()
	assert clock_of(lead).status == "Paused"
	with freeze("2026-03-04 10:20"):
		api.log_touch(lead.name, "Phone", "No Answer")
	clock = clock_of(lead)
	assert (clock.status, clock.elapsed_seconds) == ("Met", 112 * 60)


def test_a_reason_given_later_pauses_from_then_on(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00")
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	assert ends_of(lead) == ("Paused", "2026-03-04 10:30:00", "2026-03-04 11:00:00")


def test_a_lead_that_is_accepted_while_it_is_snoozed_waits_with_its_first_touch(freeze, make_user, as_user):
	marketer = make_user("marketer@pauses.example", "Lead Quality Manager")
	rep = make_user("sales@pauses.example", "Sales User")
	with freeze(MONDAY), as_user(marketer):
		lead = make_lead(lead_owner=marketer)
		make_sales_ready(lead.name)
		handover = api.send_handover(lead.name, rep)
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
	with freeze("2026-03-02 11:00"), as_user(rep):
		api.accept_handover(handover.name)
	assert ends_of(lead, "First Touch After Acceptance")[::2] == ("Paused", "2026-03-05 10:00:00")


def test_a_lead_enrolled_by_hand_has_a_clock_for_its_first_touch(lead, freeze):
	with freeze("2026-03-02 10:10"):
		api.stop(lead.name, "Stop Early: Already in talks with sales")
		api.enroll(lead.name)
	assert clock_of(lead, "Next Touch").status == "Running"


# calendars that change


def shut_on(day: str):
	holidays = frappe.get_doc(
		{
			"doctype": "Holiday List",
			"holiday_list_name": "Company Outing",
			"from_date": "2026-01-01",
			"to_date": "2026-12-31",
			"holidays": [{"holiday_date": day, "description": "Outing"}],
		}
	).insert()
	frappe.get_doc("Working Calendar", "Office Hours").update({"holiday_list": holidays.name}).save()
	return holidays


def test_a_new_holiday_moves_the_deadlines_that_lie_ahead(lead, freeze):
	with freeze("2026-03-02 11:00"):
		shut_on("2026-03-03")
		frappe.db.commit()
	assert str(clock_of(lead, "Triage").due_at) == "2026-03-04 10:00:00"
	assert ends_of(lead) == ("Running", "2026-03-02 11:30:00", "2026-03-02 12:00:00")


def test_a_change_of_the_holiday_list_itself_moves_them_too(lead, freeze):
	with freeze("2026-03-02 11:00"):
		holidays = shut_on("2026-12-24").reload()
		holidays.append("holidays", {"holiday_date": "2026-03-03", "description": "Strike"})
		holidays.save()
		frappe.db.commit()
	assert str(clock_of(lead, "Triage").due_at) == "2026-03-04 10:00:00"


def test_what_is_past_does_not_change_with_the_calendar(lead, freeze):
	with freeze("2026-03-02 12:30"):
		sweep_clocks()
		shut_on("2026-03-02")
		frappe.db.commit()
	assert ends_of(lead) == ("Missed", "2026-03-02 11:30:00", "2026-03-02 12:00:00")


def test_a_calendar_change_keeps_what_a_pause_has_added(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.snooze(lead.name, "2026-03-04 10:00", REASON)
		shut_on("2026-03-20")
		frappe.db.commit()
	assert ends_of(lead) == ("Paused", "2026-03-04 10:30:00", "2026-03-04 11:00:00")


def test_longer_hours_miss_no_deadline_that_was_still_ahead(freeze, make_user):
	with freeze("2026-03-02 18:00"):
		lead = make_lead(lead_owner=make_user("late@pauses.example", "Sales User"))
	with freeze("2026-03-03 08:00"):
		calendar = frappe.get_doc("Working Calendar", "Office Hours")
		for row in calendar.hours:
			row.update({"opens": "00:00:00", "closes": "23:59:59"})
		calendar.save()
		frappe.db.commit()
	assert str(clock_of(lead).due_at) == "2026-03-03 11:00:00"


def test_one_clock_that_cannot_be_planned_does_not_keep_the_others_from_it(lead, freeze, make_user):
	with freeze(MONDAY):
		bad = make_lead(lead_owner=make_user("bad@pauses.example", "Sales User"))
	frappe.db.set_value("Follow Up Clock", clock_of(bad, "Triage").name, "unit", "Weeks")
	with freeze("2026-03-02 11:00"):
		shut_on("2026-03-03")
		frappe.db.commit()
	assert str(clock_of(lead, "Triage").due_at) == "2026-03-04 10:00:00"
	assert frappe.get_last_doc("Follow Up Run", {"job": "replan"}).failed == 1


def test_a_plan_that_was_interrupted_is_taken_up_again(lead, freeze, monkeypatch):
	with freeze("2026-03-02 11:00"):
		with monkeypatch.context() as patch:
			patch.setattr("frappe.enqueue", lambda *args, **options: None)
			shut_on("2026-03-03")
		assert replan_changed()["done"] >= 1
		assert replan_changed() == {"found": 0, "done": 0, "failed": 0}
	assert str(clock_of(lead, "Triage").due_at) == "2026-03-04 10:00:00"


def test_a_calendar_that_clocks_run_by_stays(lead):
	with pytest.raises(frappe.LinkExistsError):
		frappe.delete_doc("Working Calendar", "Office Hours")


# policies


def test_leads_of_one_company_can_follow_a_policy_of_their_own(freeze):
	company = frappe.get_all("Company", pluck="name", order_by="name asc")[0]
	policy = frappe.copy_doc(frappe.get_doc("Follow Up Policy", "Standard Follow Up"))
	policy.title = "Quick Follow Up"
	policy.targets = [row for row in policy.targets if row.clock == "First Response"]
	policy.targets[0].within = 0.5
	policy.insert()
	segment = frappe.get_doc("Lead Segment", "Inbound")
	segment.append("company_policies", {"company": company, "follow_up_policy": policy.name})
	segment.save()
	with freeze(MONDAY):
		own = make_lead(company=company)
	assert ends_of(own)[2] == "2026-03-02 10:30:00"
	assert not frappe.db.exists("Follow Up Clock", {"lead": own.name, "clock": "Triage"})


# sites from before


def test_clocks_from_before_this_version_get_what_they_keep_now(lead, freeze):
	with freeze("2026-03-02 11:00"):
		api.log_touch(lead.name, "Phone", "Connected")
	before = {
		row.name: dict(row)
		for row in frappe.get_all("Follow Up Clock", {"lead": lead.name}, ["*"], order_by="name asc")
	}
	frappe.db.sql(
		"""
		update `tabFollow Up Clock` set within = 0, unit = null, working_calendar = null, acted_at = null,
			elapsed_seconds = 0, next_alert_at = null
		where lead = %s
		""",
		(lead.name,),
	)
	frappe.db.set_value("Lead", lead.name, "lq_last_touch_at", None)
	clocks_stand_by_themselves.execute()
	for row in frappe.get_all("Follow Up Clock", {"lead": lead.name}, ["*"], order_by="name asc"):
		assert dict(row) == before[row.name]
	assert str(frappe.db.get_value("Lead", lead.name, "lq_last_touch_at")) == "2026-03-02 11:00:00"
