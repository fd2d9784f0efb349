"""Clocks: due in working time, overdue when read, declared missed once."""

import threading
from datetime import timedelta

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_opportunity, make_sales_ready
from lead_quality.follow_up import sweep
from lead_quality.follow_up.jobs import sweep_clocks
from tests.site.helpers import messages_to

MONDAY = "2026-03-02 10:00:00"
AFTER_ALL = "2026-03-09 10:00:00"


@pytest.fixture
def rep(make_user):
	return make_user("rep@follow.example", "Sales User")


@pytest.fixture
def lead(freeze, rep):
	with freeze(MONDAY):
		return make_lead(lead_owner=rep)


def status_of(lead) -> dict:
	return dict(
		frappe.get_all(
			"Follow Up Clock", {"lead": lead.name}, ["clock", "status"], as_list=True, order_by="clock"
		)
	)


def misses_told_to(user: str) -> int:
	return frappe.db.count("Follow Up Alert", {"for_user": user, "kind": "Missed", "status": "Sent"})


def test_the_owner_hears_of_all_missed_clocks_in_one_message_and_once(lead, rep, freeze):
	with freeze(AFTER_ALL):
		first, second = sweep_clocks(), sweep_clocks()
	assert (first["done"], second["done"]) == (3, 0)
	assert set(status_of(lead).values()) == {"Missed"}
	assert misses_told_to(rep) == 3
	assert messages_to(rep) == ["Kellerbrunn Works waits for you: 3 overdue."]


def test_a_late_sweep_finds_what_an_early_one_would_have(lead, rep, freeze):
	with freeze("2026-03-02 11:29:00"):
		assert sweep_clocks()["found"] == 0
	with freeze("2026-08-01 03:00:00"):
		assert sweep_clocks()["done"] == 3
	assert misses_told_to(rep) == 3


def test_one_missed_clock_is_told_in_words_and_opens_its_lead(lead, rep, freeze, smtp):
	with freeze("2026-03-02 12:06:00"):
		sweep_clocks()
		smtp.flush()
	(mail,) = smtp.to(rep)
	assert "First Response of Kellerbrunn Works was due" in mail["Subject"]
	assert f"/lead/{lead.name}" in mail.get_body(("html",)).get_content()


def test_many_at_once_make_one_mail_of_ten_lines_and_a_link_to_the_rest(lead, rep, freeze, smtp):
	with freeze(MONDAY):
		others = [make_lead(lead_owner=rep, company_name=f"Works {number}") for number in range(40)]
	with freeze(AFTER_ALL):
		sweep_clocks()
		smtp.flush()
	(mail,) = smtp.to(rep)
	assert mail["Subject"] == "41 leads are waiting for you: 123 overdue."
	text = mail.get_body(("html",)).get_content()
	assert "And 113 more." in text
	assert text.count("was due") == 10
	digest = frappe.db.get_value("Follow Up Alert", {"lead": others[0].name}, "digest")
	assert f"?digest={digest}" in text
	assert frappe.db.count("Follow Up Alert", {"digest": digest, "for_user": rep}) == 123


def test_each_sweep_leaves_a_run_with_its_counts(lead, freeze):
	with freeze(AFTER_ALL):
		sweep_clocks()
	run = frappe.get_last_doc("Follow Up Run", {"job": "sweep_clocks"})
	assert (run.status, run.found, run.done, run.failed) == ("Completed", 3, 3, 0)


def test_the_sweep_asks_three_times_when_nothing_is_due(count_queries):
	sweep_clocks()
	with count_queries() as queries:
		sweep_clocks()
	assert queries.count <= 3


def test_the_sweep_finds_what_is_due_by_an_index():
	plan = frappe.db.sql(
		"explain select name from `tabFollow Up Clock` where next_alert_at < now() order by next_alert_at limit 9",
		as_dict=True,
	)
	assert plan[0]["key"] in {"next_alert_at", "next_alert_at_index"}


def test_one_bad_lead_does_not_stop_the_rest_and_is_tried_again(lead, rep, freeze, monkeypatch):
	with freeze(MONDAY):
		bad = make_lead(lead_owner=rep, company_name="Bad")
	raise_alerts = sweep.raise_alerts

	def fail_for_bad(rows, now):
		if any(row["lead"] == bad.name for row in rows):
			raise RuntimeError("cannot raise")
		raise_alerts(rows, now)

	monkeypatch.setattr(sweep, "raise_alerts", fail_for_bad)
	with freeze(AFTER_ALL):
		counts = sweep_clocks()
	assert (counts["done"], counts["failed"]) == (3, 3)
	assert set(status_of(bad).values()) == {"Running"}
	assert misses_told_to(rep) == 3
	run = frappe.get_last_doc("Follow Up Run", {"job": "sweep_clocks"})
	assert (run.status, "cannot raise" in run.errors) == ("Failed", True)
	monkeypatch.setattr(sweep, "raise_alerts", raise_alerts)
	with freeze(AFTER_ALL) as clock:
		assert sweep_clocks()["found"] == 0
		clock.tick(timedelta(minutes=6))
		assert sweep_clocks()["done"] == 3
	assert misses_told_to(rep) == 6


def test_a_deadline_that_has_passed_is_overdue_before_any_job_ran(lead, freeze):
	with freeze(AFTER_ALL):
		clocks = api.get_panel(lead.name)["clocks"]
		assert {row.status for row in clocks} == {"Running"}
		assert {row.state for row in clocks} == {"Overdue"}


def test_a_touch_after_the_deadline_is_late_although_no_job_ran(lead, freeze):
	with freeze(AFTER_ALL):
		api.log_touch(lead.name, "Phone", "No Answer")
	assert status_of(lead)["First Response"] == "Missed"


def test_a_touch_that_was_made_in_time_and_logged_late_met_its_deadline(lead, freeze):
	with freeze("2026-03-02 16:00:00"):
		api.log_touch(lead.name, "Phone", "No Answer", done_at="2026-03-02 11:00:00")
	assert status_of(lead)["First Response"] == "Met"


def test_whether_a_deadline_was_met_does_not_depend_on_when_a_job_looked(lead, freeze):
	with freeze(AFTER_ALL):
		sweep_clocks()
		assert status_of(lead)["First Response"] == "Missed"
		api.log_touch(lead.name, "Phone", "No Answer", done_at="2026-03-02 11:00:00")
	row = frappe.db.get_value(
		"Follow Up Clock", {"lead": lead.name, "clock": "First Response"}, ["status", "owner_at_breach"]
	)
	assert row == ("Met", None)


def test_triage_is_decided_by_a_horizon(lead, freeze):
	with freeze("2026-03-02 11:00:00"):
		api.qualify(lead.name, [{"criterion": "budget", "value": "1"}])
		assert status_of(lead)["Triage"] == "Running"
		api.qualify(lead.name, horizon="Long Term")
	assert status_of(lead)["Triage"] == "Met"


def test_a_change_of_owner_does_not_reset_the_clock(lead, make_user, freeze):
	before = frappe.get_all("Follow Up Clock", {"lead": lead.name}, ["name", "due_at"], order_by="name")
	lead.reload()
	lead.lead_owner = make_user("next@follow.example", "Sales User")
	lead.save()
	assert (
		frappe.get_all("Follow Up Clock", {"lead": lead.name}, ["name", "due_at"], order_by="name") == before
	)


def test_the_lead_shows_the_earliest_deadline_that_is_open(lead, freeze):
	assert str(lead.lq_due_at) == "2026-03-02 12:00:00"
	with freeze("2026-03-02 10:20:00"):
		api.log_touch(lead.name, "Phone", "No Answer")
	assert str(frappe.db.get_value("Lead", lead.name, "lq_due_at")) == "2026-03-03 10:00:00"


def test_a_lead_without_owner_is_told_to_the_fallback_user(freeze, make_user):
	fallback = make_user("fallback@follow.example", "Sales Manager")
	settings = frappe.get_doc("Lead Quality Settings")
	settings.fallback_user = fallback
	settings.save()
	with freeze(MONDAY):
		lead = make_lead()
		frappe.db.set_value("Lead", lead.name, "lead_owner", None)
	with freeze(AFTER_ALL):
		sweep_clocks()
	assert misses_told_to(fallback) == 3


def test_a_disabled_owner_is_passed_by_for_the_segments_owner(lead, rep, freeze, make_user):
	chief = make_user("chief@follow.example", "Sales Manager")
	frappe.get_doc("Lead Segment", lead.lq_segment).update({"segment_owner": chief}).save()
	frappe.db.set_value("User", rep, "enabled", 0)
	with freeze(AFTER_ALL):
		sweep_clocks()
	assert (misses_told_to(rep), misses_told_to(chief)) == (0, 3)


def test_without_anybody_else_every_lead_quality_manager_is_told(freeze, make_user):
	manager = make_user("lqm@follow.example", "Lead Quality Manager")
	with freeze(MONDAY):
		lead = make_lead()
		frappe.db.set_value("Lead", lead.name, "lead_owner", None)
	with freeze(AFTER_ALL):
		sweep_clocks()
	assert misses_told_to(manager) == 3


def open_clocks(lead) -> list[str]:
	return frappe.get_all(
		"Follow Up Clock", {"lead": lead.name, "stopped_at": ("is", "not set")}, pluck="clock"
	)


@pytest.mark.parametrize(
	"end",
	[
		lambda lead: api.opt_out(lead.name),
		lambda lead: api.qualify(
			lead.name, decision="Disqualified", outcome_reason="Disqualify: Too small for us"
		),
		lambda lead: lead.reload().update({"status": "Do Not Contact"}).save(),
	],
	ids=["opt-out", "disqualified", "do not contact"],
)
def test_a_missed_clock_is_over_when_there_is_nothing_left_to_do(lead, freeze, end):
	with freeze(AFTER_ALL):
		sweep_clocks()
		end(lead)
	assert open_clocks(lead) == []
	assert set(status_of(lead).values()) == {"Missed"}
	assert frappe.db.get_value("Lead", lead.name, "lq_due_at") is None


def test_an_opportunity_leaves_no_missed_touch_behind(lead, freeze):
	make_sales_ready(lead.name)
	with freeze(AFTER_ALL):
		sweep_clocks()
		make_opportunity(lead.name)
	assert "Next Touch" not in open_clocks(lead)


def test_a_site_without_mail_account_keeps_its_error_log_clean(lead, rep, freeze):
	frappe.db.set_value("Email Account", {"enable_outgoing": 1}, "enable_outgoing", 0)
	frappe.local.outgoing_email_account = {}
	before = frappe.db.count("Error Log")
	with freeze(AFTER_ALL):
		sweep_clocks()
	assert misses_told_to(rep) == 3
	assert frappe.db.count("Error Log") == before


def test_holidays_push_the_deadline_on(freeze):
	holidays = frappe.get_doc(
		{
			"doctype": "Holiday List",
			"holiday_list_name": "Works Holiday",
			"from_date": "2026-01-01",
			"to_date": "2026-12-31",
			"holidays": [
				{"holiday_date": "2026-03-02", "description": "Works holiday"},
				{"holiday_date": "2026-03-03", "description": "Works holiday"},
			],
		}
	).insert()
	frappe.get_doc("Working Calendar", "Office Hours").update({"holiday_list": holidays.name}).save()
	with freeze(MONDAY):
		lead = make_lead()
	assert str(lead.lq_due_at) == "2026-03-04 11:00:00"


def test_deadlines_are_counted_in_the_zone_of_the_calendar(freeze):
	frappe.get_doc("Working Calendar", "Office Hours").update({"time_zone": "America/New_York"}).save()
	with freeze(MONDAY):
		lead = make_lead()
	# New York opens at 15:00 in Berlin; two hours of work later it is 17:00 in the site's zone
	assert frappe.utils.get_system_timezone() == "Europe/Berlin"
	due = frappe.db.get_value("Follow Up Clock", {"lead": lead.name, "clock": "First Response"}, "due_at")
	assert str(due) == "2026-03-02 17:00:00"


@pytest.mark.parametrize(
	"hours",
	[
		[],
		[{"weekday": "Monday", "opens": "17:00:00", "closes": "09:00:00"}],
		[
			{"weekday": "Monday", "opens": "09:00:00", "closes": "13:00:00"},
			{"weekday": "Monday", "opens": "12:00:00", "closes": "17:00:00"},
		],
	],
)
def test_opening_hours_that_cannot_work_are_refused(hours):
	with pytest.raises(frappe.ValidationError):
		frappe.get_doc(
			{"doctype": "Working Calendar", "title": "Broken", "time_zone": "Europe/Berlin", "hours": hours}
		).insert()


def test_an_unknown_zone_is_refused():
	with pytest.raises(frappe.ValidationError):
		frappe.get_doc(
			{
				"doctype": "Working Calendar",
				"title": "Broken",
				"time_zone": "Europe/Atlantis",
				"hours": [{"weekday": "Monday", "opens": "09:00:00", "closes": "17:00:00"}],
			}
		).insert()


def test_a_policy_with_one_clock_twice_is_refused():
	target = {"clock": "Triage", "within": 1, "unit": "Hours"}
	with pytest.raises(frappe.ValidationError, match="twice"):
		frappe.get_doc(
			{
				"doctype": "Follow Up Policy",
				"title": "Broken",
				"working_calendar": "Office Hours",
				"targets": [target, target],
			}
		).insert()


def test_two_sweeps_at_the_same_time_tell_the_owner_once(site, real_commits, make_user):
	user = make_user("twice@follow.example", "Sales User")
	lead = make_lead(lead_owner=user)
	frappe.db.commit()
	now = add_to_date(now_datetime(), days=30)
	before = frappe.db.count("Follow Up Clock", {"status": "Running", "due_at": ("<", now)})
	counts, failures = [], []
	together = threading.Barrier(2)

	def sweep():
		frappe.init(site)
		frappe.connect()
		frappe.set_user("Administrator")
		try:
			together.wait()
			counts.append(sweep_clocks(now)["done"])
		except Exception as error:
			failures.append(error)
		finally:
			frappe.destroy()

	threads = [threading.Thread(target=sweep) for _number in range(2)]
	try:
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
		frappe.db.rollback()
		assert not failures
		assert set(status_of(lead).values()) == {"Missed"}
		assert misses_told_to(user) == 3
		assert sum(counts) == before
	finally:
		frappe.db.delete("Lead Stage Log", {"lead": lead.name})
		frappe.delete_doc("Lead", lead.name, force=True)
		frappe.db.delete("Notification Log", {"for_user": user})
		frappe.db.delete("Follow Up Alert")
		frappe.db.delete("Follow Up Run")
		frappe.delete_doc("User", user, force=True)
		frappe.db.commit()


@pytest.mark.parametrize(("is_answer", "status"), [(0, "Running"), (1, "Met")])
def test_a_status_moved_by_hand_answers_a_lead_only_where_the_settings_say_so(freeze, is_answer, status):
	frappe.get_doc("Lead Quality Settings").update({"status_stops_first_response": is_answer}).save()
	with freeze("2026-03-02 10:00:00.123456") as time:
		lead = make_lead()
		time.move_to("2026-03-02 10:30:00.123456")
		lead.reload().update({"city": "Hamburg"}).save()
		clocks = {"lead": lead.name, "clock": "First Response"}
		assert frappe.db.get_value("Follow Up Clock", clocks, "status") == "Running"
		lead.update({"status": "Interested"}).save()
	assert frappe.db.get_value("Follow Up Clock", clocks, "status") == status
	assert frappe.db.count("Lead Touch", {"lead": lead.name, "status": "Done"}) == 0


def test_a_logged_call_writes_the_lead_once(lead, count_queries):
	with count_queries() as queries:
		api.log_touch(lead.name, "Phone", outcome="Connected")

	assert len([query for query in queries.writing() if query.lower().startswith("update `tablead` ")]) == 1
