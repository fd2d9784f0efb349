"""The health page says what does not work, in words, and never fails itself."""

from datetime import timedelta
from urllib.parse import urlsplit

import frappe
import pytest
import redis
from frappe.utils import add_to_date, now_datetime
from frappe.utils.redis_wrapper import RedisWrapper
from frappe.utils.scheduler import is_scheduler_disabled, toggle_scheduler
from rq import Queue

from benchmarks.on_site import await_that
from lead_quality import hooks
from lead_quality.demo.factories import make_lead
from lead_quality.desk import health
from lead_quality.desk.health import get_alarm, get_health
from lead_quality.follow_up.jobs import sweep_clocks
from tests.site.helpers import settings

SWEEP = "lead_quality.follow_up.jobs.sweep_clocks"
DAILY = "lead_quality.follow_up.attention.raise_unattended"


@pytest.fixture(autouse=True)
def all_is_well(monkeypatch, make_user, smtp):
	"""A site on which everything works: jobs have just run, workers listen, there is a mail account."""
	for switch in ("pause_scheduler", "maintenance_mode", "disable_scheduler", "mute_emails"):
		monkeypatch.setitem(frappe.local.conf, switch, 0)
	switch_scheduler(True)
	just_now = add_to_date(now_datetime(), minutes=-1)
	frappe.db.set_value("Scheduled Job Type", {"name": ["is", "set"]}, "last_execution", just_now)
	frappe.db.delete("Scheduled Job Log")
	frappe.db.delete("Email Queue")
	frappe.db.set_default("suspend_email_queue", 0)
	# all sites of a bench share the queues
	monkeypatch.setattr(health, "generate_qname", lambda queue: f"lead_quality_test:{queue}")
	monkeypatch.setattr(health.Worker, "all", lambda connection: [listening_worker("default", "long")])
	manager = make_user("manager@health.example", "Lead Quality Manager")
	make_user("sales@health.example", "Sales User")
	frappe.get_doc("Lead Quality Settings").update({"fallback_user": manager}).save()
	holidays = frappe.get_doc(
		{
			"doctype": "Holiday List",
			"holiday_list_name": "Health",
			"from_date": "2020-01-01",
			"to_date": add_to_date(now_datetime(), years=1).date(),
		}
	).insert()
	frappe.get_doc("Working Calendar", "Office Hours").update({"holiday_list": holidays.name}).save()


def switch_scheduler(on: bool):
	toggle_scheduler(on)

	def is_known() -> bool:
		frappe.clear_document_cache("System Settings", "System Settings")
		frappe.local.system_settings = None  # kept for the length of a request
		return is_scheduler_disabled(verbose=False) != on

	# v16 keeps documents in the process, too, and hears of changes a moment later
	await_that(is_known, seconds=10)


def listening_worker(*queues: str):
	return frappe._dict(queue_names=lambda: [health.generate_qname(queue) for queue in queues])


def titles(severity: str | None = None) -> list[str]:
	return [row["title"] for row in get_health()["findings"] if severity in (None, row["severity"])]


def job(method: str) -> dict:
	return next(row for row in get_health()["jobs"] if row["method"] == method)


def set_job(method: str, **values):
	frappe.db.set_value("Scheduled Job Type", {"method": method}, values)


def test_a_site_on_which_everything_works_has_nothing_to_say():
	report = get_health()
	assert (report["findings"], report["state"], get_alarm()) == ([], "green", [])
	assert {row["state"] for row in report["jobs"]} == {"fine"}


# jobs


def test_every_scheduled_function_of_the_app_is_shown_in_words():
	frequencies = hooks.scheduler_events.items()
	methods = {
		method
		for frequency, events in frequencies
		for group in (events.values() if frequency == "cron" else [events])
		for method in group
	}
	shown = {row["method"]: row["label"] for row in get_health()["jobs"]}
	assert shown.keys() == methods
	assert all(label and "_" not in label for label in shown.values())
	assert (job(SWEEP)["frequency"], job(DAILY)["frequency"]) == ("Every 5 minutes", "Daily")


def test_a_job_shows_when_it_ran_what_came_of_it_and_when_it_runs_next(freeze):
	make_lead()
	with freeze("2031-03-03 10:02:00"):
		sweep_clocks()
		set_job(SWEEP, last_execution=now_datetime())
		found = job(SWEEP)
		run = frappe.get_last_doc("Follow Up Run", {"job": "sweep_clocks"})
	assert str(found["last_run_at"]) == "2031-03-03 10:02:00"
	assert str(found["due_at"]) == "2031-03-03 10:05:00"
	assert found["run"] == {"name": run.name, "status": "Completed", "found": 3, "done": 3, "failed": 0}
	assert found["state"] == "fine"


def test_a_job_is_late_when_it_should_have_run_half_an_hour_ago(freeze):
	set_job(SWEEP, last_execution="2031-03-03 10:00:00")
	with freeze("2031-03-03 10:34:00"):
		assert job(SWEEP)["state"] == "fine"
	with freeze("2031-03-03 10:36:00"):
		assert job(SWEEP)["state"] == "late"
		assert "Jobs are late" not in titles()
		assert any(title.startswith("No job of any app has been started since") for title in titles("red"))


def test_how_late_a_job_may_be_is_a_setting(freeze):
	frappe.get_doc("Lead Quality Settings").update({"outage_after_minutes": 5}).save()
	set_job(SWEEP, last_execution="2031-03-03 10:00:00")
	with freeze("2031-03-03 10:11:00"):
		assert job(SWEEP)["state"] == "late"


def test_one_late_job_among_others_that_run_is_looked_for_in_the_queue():
	set_job(SWEEP, last_execution=add_to_date(now_datetime(), hours=-3))
	assert titles("red") == ["Jobs are late"]


def test_a_job_that_has_not_been_due_yet_is_no_problem():
	set_job(DAILY, last_execution=None, creation=now_datetime())
	assert (job(DAILY)["state"], titles()) == ("never", [])


def test_a_job_that_never_ran_though_it_should_have_is_late():
	set_job(DAILY, last_execution=None, creation=add_to_date(now_datetime(), days=-3))
	assert job(DAILY)["state"] == "late"


def test_a_job_stopped_by_hand_is_a_problem():
	set_job(SWEEP, stopped=1)
	assert job(SWEEP)["state"] == "stopped"
	assert titles("red") == ["Jobs were stopped by hand"]


def test_a_job_that_was_never_registered_is_a_problem():
	frappe.db.delete("Scheduled Job Type", {"method": SWEEP})
	assert (job(SWEEP)["state"], titles("red")) == ("never", ["Jobs are not registered"])


@pytest.mark.parametrize(
	("values", "state"),
	[
		({"status": "Completed"}, "fine"),
		({"status": "Failed", "failed": 1}, "failed"),
		({"status": "Running"}, "fine"),
		({"status": "Running", "hours": 3}, "failed"),
	],
	ids=["completed", "failed", "running", "killed"],
)
def test_the_last_run_decides_whether_a_job_has_failed(values, state):
	started_at = add_to_date(now_datetime(), hours=-values.pop("hours", 0), minutes=-1)
	frappe.get_doc(
		{"doctype": "Follow Up Run", "job": "sweep_clocks", "started_at": started_at, **values}
	).insert()
	assert job(SWEEP)["state"] == state
	assert len(titles("orange")) == (state == "failed")


def test_a_job_that_broke_before_it_could_keep_a_run_has_failed():
	name = frappe.db.get_value("Scheduled Job Type", {"method": SWEEP})
	frappe.get_doc({"doctype": "Scheduled Job Log", "scheduled_job_type": name, "status": "Failed"}).insert(
		ignore_permissions=True
	)
	assert job(SWEEP)["state"] == "failed"


def test_outages_are_listed_once_each():
	since, until = add_to_date(now_datetime(), days=-2), add_to_date(now_datetime(), days=-1)
	for _part in range(2):
		frappe.get_doc(
			{
				"doctype": "Follow Up Run",
				"job": "sweep_clocks",
				"status": "Completed",
				"started_at": until,
				"outage_from": since,
			}
		).insert()
	(outage,) = get_health()["outages"]
	assert (outage.since, outage.until) == (since, until)


# what keeps jobs from running


@pytest.mark.parametrize("switch", ["pause_scheduler", "maintenance_mode", "disable_scheduler"])
def test_a_switch_in_the_configuration_is_named(switch, monkeypatch):
	monkeypatch.setitem(frappe.local.conf, switch, 1)
	(found,) = [row for row in get_health()["findings"] if row["severity"] == "red"]
	assert "no job runs" in found["title"]
	assert get_alarm() == [found["title"]]


def test_a_scheduler_that_is_switched_off_is_the_only_reason_given_for_late_jobs():
	switch_scheduler(False)
	set_job(SWEEP, last_execution=add_to_date(now_datetime(), days=-5))
	assert titles("red") == ["The scheduler is switched off: no job runs"]


def test_a_site_that_sleeps_is_a_problem(monkeypatch):
	monkeypatch.setattr(health, "is_dormant", lambda: True)
	assert titles("red") == ["The site is dormant: jobs run only once a day"]


def test_a_queue_to_which_nobody_listens_is_named(monkeypatch):
	monkeypatch.setattr(health.Worker, "all", lambda connection: [listening_worker("default", "short")])
	assert titles("red") == ["No background worker serves the queue: long"]


def test_a_queue_whose_first_job_waits_is_stuck(monkeypatch):
	queue = Queue(health.generate_qname("long"), connection=health.get_redis_conn())
	waiting = queue.enqueue("frappe.ping", at_front=True)
	try:
		assert "The queue long is stuck" not in titles()
		tolerance = health.tolerance()
		monkeypatch.setattr(health, "tolerance", lambda: timedelta(seconds=-1))
		assert "The queue long is stuck" in titles("red")
		monkeypatch.setattr(health, "tolerance", lambda: tolerance)
		monkeypatch.setattr(health, "LONG_QUEUE", 0)
		assert "The queue long is long" in titles("orange")
	finally:
		queue.remove(waiting)
		waiting.delete()


def test_without_redis_the_page_says_so(monkeypatch):
	def refuse():
		raise redis.exceptions.ConnectionError("Connection refused.")

	monkeypatch.setattr(health, "get_redis_conn", refuse)
	assert titles() == ["Redis cannot be reached: no job can be queued"]


def test_without_any_redis_the_page_still_comes_up(monkeypatch):
	def refuse(*args, **kwargs):
		raise redis.exceptions.ConnectionError("Connection refused.")

	frappe.local.cache = {}
	monkeypatch.setattr(RedisWrapper, "execute_command", refuse)
	monkeypatch.setattr(redis.Redis, "execute_command", refuse)
	report = get_health()
	assert report["state"] == "red"
	assert len(report["jobs"]) > 5


def test_a_check_that_breaks_is_a_finding_and_stops_no_other(monkeypatch):
	def broken():
		raise RuntimeError("no such table")
		yield

	monkeypatch.setattr(health.set_up, "user_findings", broken)
	monkeypatch.setitem(frappe.local.conf, "pause_scheduler", 1)
	assert titles() == ["The scheduler is paused: no job runs", "Users could not be checked"]


# mail


def test_muted_mails_are_a_finding(monkeypatch):
	monkeypatch.setitem(frappe.local.conf, "mute_emails", 1)
	assert titles("orange") == ["Mails are muted"]


def test_a_suspended_queue_is_a_finding():
	frappe.db.set_default("suspend_email_queue", 1)
	assert titles("orange") == ["Sending of e-mails is suspended"]


def test_a_site_without_mail_account_is_told_what_that_means():
	frappe.db.set_value("Email Account", {"enable_outgoing": 1}, "enable_outgoing", 0)
	frappe.local.outgoing_email_account = {}
	(found,) = get_health()["findings"]
	assert found["title"] == "There is no default account for outgoing mail"
	assert "desk only" in found["words"]
	assert found["link"]["route"] == "/app/email-account"


@pytest.mark.parametrize(
	("status", "hours", "words"),
	[
		("Error", 1, "E-mails that could not be sent in the last 7 days: 1"),
		("Not Sent", 2, "E-mails that have been waiting for more than an hour: 1"),
		("Not Sent", 0, None),
		("Sent", 2, None),
	],
)
def test_mails_that_do_not_leave_are_counted(status, hours, words):
	mail = frappe.get_doc({"doctype": "Email Queue", "message": "x", "status": status})
	mail.insert(ignore_permissions=True)
	at = add_to_date(now_datetime(), hours=-hours)
	frappe.db.set_value("Email Queue", mail.name, {"creation": at, "modified": at}, update_modified=False)
	assert titles() == ([words] if words else [])


# set-up


def change_seeded(doctype: str, **values):
	frappe.db.set_value(doctype, {"name": ["is", "set"]}, values)
	frappe.clear_cache(doctype=doctype)
	for name in frappe.get_all(doctype, pluck="name", order_by="name"):
		frappe.clear_document_cache(doctype, name)


def retire_reason():
	frappe.get_doc("Lead Segment", "Inbound").update(
		{"shelf_life_days": 9, "on_expiry": "Nurture", "expiry_reason": "Disqualify: Not this year"}
	).save()
	frappe.db.set_value("Lead Outcome Reason", "Disqualify: Not this year", "enabled", 0)


def add_step(**values):
	policy = frappe.get_doc("Follow Up Policy", frappe.get_all("Follow Up Policy", pluck="name", limit=1)[0])
	policy.append("escalations", {"after": 1, "unit": "Hours", **values})
	policy.flags.ignore_links = policy.flags.ignore_validate = True
	policy.save()


def end_holidays(days: int):
	last = add_to_date(now_datetime(), days=days).date()
	frappe.db.set_value("Holiday List", "Health", "to_date", last)


def make_ownerless_lead():
	frappe.db.set_value("Lead", make_lead().name, "lead_owner", None)


SHORTCOMINGS = {
	"no manager": (
		lambda: frappe.db.delete("Has Role", {"role": "Lead Quality Manager", "parenttype": "User"}),
		"orange",
		"No user has the role Lead Quality Manager",
	),
	"one user": (
		lambda: frappe.db.set_value("User", "sales@health.example", "enabled", 0),
		"blue",
		"There is no second user",
	),
	"no fallback": (
		lambda: settings(fallback_user=None),
		"blue",
		"No user receives alerts for leads without an owner",
	),
	"disabled fallback": (
		lambda: (
			settings(fallback_user="sales@health.example"),
			frappe.db.set_value("User", "sales@health.example", "enabled", 0),
		),
		"orange",
		"sales@health.example is the last-resort recipient but cannot receive alerts",
	),
	"disabled segment owner": (
		lambda: change_seeded("Lead Segment", segment_owner="nobody@health.example"),
		"orange",
		"nobody@health.example is the last-resort recipient but cannot receive alerts",
	),
	"disabled last resort": (
		lambda: change_seeded("Follow Up Policy", escalate_to="nobody@health.example"),
		"orange",
		"nobody@health.example is the last-resort recipient but cannot receive alerts",
	),
	"no policy": (
		lambda: change_seeded("Lead Segment", follow_up_policy=None),
		"orange",
		"Segments without policy",
	),
	"no checklist": (
		lambda: change_seeded("Lead Segment", checklist=None),
		"orange",
		"Segments without a checklist",
	),
	"no cadence": (lambda: change_seeded("Lead Segment", cadence=None), "blue", "Segments without cadence"),
	"no segment": (lambda: change_seeded("Lead Segment", enabled=0), "orange", "There is no segment"),
	"broken rule": (
		lambda: frappe.db.set_value("Lead Segment Rule", {"idx": 1}, "field", "gone"),
		"red",
		"Segments take no leads",
	),
	"retired reason": (
		retire_reason,
		"orange",
		"The shelf life of Inbound uses a reason that is no longer valid",
	),
	"no holidays": (
		lambda: change_seeded("Working Calendar", holiday_list=None),
		"blue",
		"Calendars without a Holiday List",
	),
	"holidays that end": (lambda: end_holidays(20), "blue", "The holidays of Office Hours end on"),
	"holidays that have ended": (lambda: end_holidays(-1), "orange", "The holidays of Office Hours end on"),
	"role of nobody": (
		lambda: add_step(action="Notify Role", role="Quality Manager"),
		"orange",
		"An escalation step cannot be carried out",
	),
	"rule that is gone": (
		lambda: add_step(action="Reassign", assignment_rule="Gone"),
		"orange",
		"An escalation step cannot be carried out",
	),
	"reason of the ladder that is retired": (
		lambda: add_step(action="Recycle", outcome_reason="Gone"),
		"orange",
		"An escalation step cannot be carried out",
	),
	"ladder without end": (
		lambda: (add_step(action="Notify Manager"), settings(fallback_user=None)),
		"blue",
		"Escalations have no last-resort recipient",
	),
	"lead without owner": (make_ownerless_lead, "orange", "Leads without owner: 1"),
	"owner without manager": (
		lambda: make_lead(lead_owner="sales@health.example"),
		"blue",
		"Lead owners without a manager: 1",
	),
}


@pytest.mark.parametrize("shortcoming", SHORTCOMINGS)
def test_what_is_missing_in_the_set_up_is_said_with_where_to_mend_it(shortcoming):
	make, severity, title = SHORTCOMINGS[shortcoming]
	make()
	found = [row for row in get_health()["findings"] if row["title"].startswith(title)]
	assert [row["severity"] for row in found] == [severity] * len(found) != []
	assert all(row["words"] and urlsplit(row["link"]["route"]).path.startswith("/app/") for row in found)


def test_one_person_who_says_so_needs_no_second_user():
	frappe.db.set_value("User", "sales@health.example", "enabled", 0)
	settings(one_person_mode=1)
	assert titles() == []


# who may know


@pytest.mark.parametrize("role", ["Lead Quality Manager", "Sales Manager", "System Manager"])
def test_managers_see_the_page(role, make_user, as_user):
	with as_user(make_user("reader@health.example", role)):
		assert get_health()["state"] == "green"


@pytest.mark.parametrize("role", ["Sales User", "Lead Qualifier"])
def test_others_do_not(role, make_user, as_user, monkeypatch):
	monkeypatch.setitem(frappe.local.conf, "pause_scheduler", 1)
	with as_user(make_user("reader@health.example", role)):
		with pytest.raises(frappe.PermissionError):
			get_health()
		assert get_alarm() == []


def test_a_link_is_offered_only_to_who_may_open_it(make_user, as_user):
	switch_scheduler(False)
	links = {}
	for role in ("System Manager", "Sales Manager"):
		with as_user(make_user(f"{frappe.scrub(role)}@health.example", role)):
			links[role] = get_health()["findings"][0]["link"]
	assert links == {
		"System Manager": {"label": "System Settings", "route": "/app/system-settings"},
		"Sales Manager": None,
	}
