"""Leads that nobody attends to: found at the moment of reading, told once, and taken off the shelf in time."""

from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import frappe
import pytest
from frappe.desk import query_report
from frappe.utils import format_date, getdate, now_datetime

from lead_quality import api
from lead_quality.base.queries import Where
from lead_quality.demo.factories import make_employee, make_lead, make_opportunity, make_sales_ready
from lead_quality.follow_up import attention, risks
from lead_quality.follow_up.delivery import deliver
from lead_quality.follow_up.risks import NO_NEXT_STEP, NO_OWNER, SHELF_LIFE, STALE, countdown
from tests.site.helpers import settings

MONDAY = "2026-03-02 10:00:00"
REPORT = "Leads at Risk"


@pytest.fixture(autouse=True)
def time(freeze):
	with freeze(MONDAY) as clock:
		yield clock


@pytest.fixture
def rep(make_user):
	return make_user("rep@attention.example", "Sales User")


@pytest.fixture
def manager(make_user, rep):
	"""The manager of the rep, by Employee.reports_to."""
	user = make_user("chief@attention.example", "Sales Manager")
	make_employee(rep, reports_to=make_employee(user))
	return user


@pytest.fixture
def fallback(make_user):
	user = make_user("fallback@attention.example", "Sales Manager")
	frappe.get_doc("Lead Quality Settings").update({"fallback_user": user}).save()
	return user


@pytest.fixture
def lead(rep):
	"""A lead that is attended to: the rep's, on the cadence of its segment."""
	return make_lead(lead_owner=rep)


@pytest.fixture
def stepless(lead):
	api.stop(lead.name, "Stop Early: Asked us to stop")
	return lead


def faults(lead) -> list[str]:
	return countdown(lead.name, now_datetime())["faults"]


def run(now: str | None = None) -> dict:
	return attention.raise_unattended(now and frappe.utils.get_datetime(now))


def told(lead) -> list[tuple]:
	"""What was told of a lead: fault, level and user."""
	return sorted(
		frappe.get_all(
			"Follow Up Alert",
			{"lead": lead.name, "kind": "Unattended", "status": ["!=", "Untold"]},
			["clock", "level", "for_user"],
			as_list=True,
			order_by="creation",
		)
	)


def shelf_life(days: int, on_expiry: str, reason: str | None = None, segment: str = "Inbound"):
	frappe.get_doc("Lead Segment", segment).update(
		{"shelf_life_days": days, "on_expiry": on_expiry, "expiry_reason": reason}
	).save()


# what is wrong with a lead


def test_a_lead_that_is_attended_to_has_no_fault(lead):
	assert countdown(lead.name, now_datetime()) == {
		"stale_on": getdate("2026-05-31"),
		"shelf_life_ends_on": None,
		"faults": [],
	}


@pytest.mark.parametrize("owner", [None, "", "Guest", "Administrator", "gone@attention.example"])
def test_a_lead_belongs_to_a_person_who_is_there(lead, owner):
	frappe.db.set_value("Lead", lead.name, "lead_owner", owner)
	assert faults(lead) == [NO_OWNER]


def test_the_leads_of_a_disabled_user_have_no_owner(lead, rep):
	frappe.db.set_value("User", rep, "enabled", 0)
	assert faults(lead) == [NO_OWNER]


def found_by(query: str) -> set[str]:
	"""The leads of which one of the queries over very many leads says that they have no owner."""
	where = Where()
	where.add(risks.IS_OF_MANY[NO_OWNER])
	rows = where.select(
		f"select `tabLead`.name from {query} where {{where}}", **risks.values_of_many(now_datetime())
	)
	return {row.name for row in rows}


@pytest.mark.parametrize("assigned", [False, True])
@pytest.mark.parametrize(
	"owner", [None, "", "Guest", "Administrator", "gone@attention.example", "REP", "rep"]
)
def test_a_form_a_card_and_the_report_agree_on_who_has_no_owner(lead, rep, owner, assigned):
	owner = {"REP": rep.upper(), "rep": rep}.get(owner, owner)
	frappe.db.set_value("Lead", lead.name, "lead_owner", owner)
	if assigned:
		make_todo(lead, allocated_to=rep)
	has_none = NO_OWNER in faults(lead)
	assert has_none == (lead.name in found_by(risks.MANY_LEADS_BY[NO_OWNER]))
	assert has_none == (lead.name in found_by(risks.MANY_LEADS))


def test_without_a_planned_touch_a_lead_has_no_next_step(stepless):
	assert faults(stepless) == [NO_NEXT_STEP]


def make_todo(lead, **values):
	return frappe.get_doc(
		{
			"doctype": "ToDo",
			"description": "Call them",
			"reference_type": "Lead",
			"reference_name": lead.name,
			**values,
		}
	).insert(ignore_permissions=True)


def make_event(lead, starts_on: str, **values):
	return frappe.get_doc(
		{
			"doctype": "Event",
			"subject": "Visit",
			"starts_on": starts_on,
			"event_participants": [{"reference_doctype": "Lead", "reference_docname": lead.name}],
			**values,
		}
	).insert(ignore_permissions=True)


def plan_touch(lead):
	return frappe.get_doc(
		{
			"doctype": "Lead Touch",
			"lead": lead.name,
			"channel": "Phone",
			"direction": "Outbound",
			"status": "Planned",
			"due_at": "2026-03-05 10:00:00",
		}
	).insert(ignore_permissions=True)


def nurture_until(lead, day: str):
	api.qualify(lead.name, decision="Nurture", outcome_reason="Disqualify: Not this year", nurture_until=day)


def hand_over(lead):
	make_sales_ready(lead.name)
	user = frappe.get_doc(
		{
			"doctype": "User",
			"email": "receiver@attention.example",
			"first_name": "Receiver",
			"send_welcome_email": 0,
			"roles": [{"role": "Sales User"}],
		}
	).insert(ignore_permissions=True)
	return api.send_handover(lead.name, user.name)


@pytest.mark.parametrize(
	"step",
	[
		plan_touch,
		hand_over,
		lambda lead: make_todo(lead, date="2026-03-05"),
		lambda lead: make_event(lead, "2026-03-05 10:00:00"),
		lambda lead: make_event(
			lead, "2026-02-02 10:00:00", repeat_this_event=1, repeat_on="Weekly", monday=1
		),
		lambda lead: api.enroll(lead.name),
		lambda lead: nurture_until(lead, "2026-06-01"),
	],
	ids=["touch", "handover", "to do", "event", "weekly event", "cadence", "day to come back"],
)
def test_a_next_step_has_a_date(stepless, step):
	step(stepless)
	assert faults(stepless) == []


@pytest.mark.parametrize(
	"step",
	[
		lambda lead: make_todo(lead).db_set("date", None),
		lambda lead: make_todo(lead, date="2026-03-01"),
		lambda lead: make_todo(lead, date="2026-03-05", status="Closed"),
		lambda lead: make_event(lead, "2026-02-27 10:00:00"),
		lambda lead: make_event(lead, "2026-03-05 10:00:00", status="Closed"),
		lambda lead: make_event(
			lead,
			"2026-02-02 10:00:00",
			repeat_this_event=1,
			repeat_on="Weekly",
			monday=1,
			repeat_till="2026-02-20",
		),
		lambda lead: api.log_touch(lead.name, "Phone", "No Answer"),
	],
	ids=[
		"to do without date",
		"past to do",
		"closed to do",
		"past event",
		"closed event",
		"series that is over",
		"done touch",
	],
)
def test_what_has_no_date_or_is_over_is_no_next_step(stepless, step):
	step(stepless)
	assert faults(stepless) == [NO_NEXT_STEP]


def test_a_lead_is_stale_on_the_day_on_which_nobody_has_touched_it_for_ninety_days(lead, time):
	time.move_to("2026-05-30 23:59:00")
	assert faults(lead) == []
	time.move_to("2026-05-31 00:00:00")
	assert faults(lead) == [STALE]


def test_a_persons_touch_puts_off_when_a_lead_is_stale(lead, time):
	time.move_to("2026-05-31 09:00:00")
	api.log_touch(lead.name, "Phone", "No Answer")
	assert faults(lead) == []
	assert countdown(lead.name, now_datetime())["stale_on"] == getdate("2026-08-29")


def test_when_a_lead_is_stale_is_a_setting(lead, time):
	settings(stale_after_days=10)
	assert countdown(lead.name, now_datetime())["stale_on"] == getdate("2026-03-12")
	settings(stale_after_days=0)
	time.move_to("2028-03-02")
	assert countdown(lead.name, now_datetime()) == {
		"stale_on": None,
		"shelf_life_ends_on": None,
		"faults": [],
	}


def test_shelf_life_is_that_of_the_segment(lead, time):
	shelf_life(30, "Tell the Owner")
	assert countdown(lead.name, now_datetime())["shelf_life_ends_on"] == getdate("2026-04-01")
	time.move_to("2026-03-31 23:00:00")
	assert faults(lead) == []
	time.move_to("2026-04-01 00:00:00")
	assert faults(lead) == [SHELF_LIFE]


@pytest.mark.parametrize(
	"rest",
	[
		lambda lead: api.snooze(lead.name, "2026-09-01 09:00:00", "Snooze: On holiday"),
		lambda lead: nurture_until(lead, "2026-09-01"),
	],
	ids=["snoozed", "to be nurtured until a day"],
)
def test_a_lead_that_rests_is_left_alone_until_it_is_back_whether_or_not_a_job_runs(lead, time, rest):
	shelf_life(30, "Tell the Owner")
	rest(lead)
	time.move_to("2026-08-31 12:00:00")
	back = getdate("2026-09-01")
	assert countdown(lead.name, now_datetime()) == {
		"stale_on": back,
		"shelf_life_ends_on": back,
		"faults": [],
	}
	time.move_to("2026-09-01 00:00:00")
	assert {STALE, SHELF_LIFE} <= set(faults(lead))


def set_on_lead(**values):
	return lambda lead: frappe.db.set_value("Lead", lead.name, values)


@pytest.mark.parametrize(
	"end",
	[
		set_on_lead(disabled=1),
		set_on_lead(status="Converted"),
		set_on_lead(status="Lost Quotation"),
		set_on_lead(lq_stage="sale"),
		lambda lead: lead.reload().update({"status": "Do Not Contact"}).save(),
		lambda lead: api.opt_out(lead.name),
		lambda lead: api.qualify(
			lead.name, decision="Disqualified", outcome_reason="Disqualify: Too small for us"
		),
		lambda lead: (make_sales_ready(lead.name), make_opportunity(lead.name)),
	],
	ids=[
		"disabled",
		"converted",
		"lost quotation",
		"sale",
		"do not contact",
		"opt-out",
		"disqualified",
		"opportunity",
	],
)
def test_a_lead_that_is_not_in_work_needs_no_attention(stepless, rep, time, end):
	frappe.db.set_value("User", rep, "enabled", 0)
	time.move_to("2026-09-01")
	assert faults(stepless) == [NO_OWNER, NO_NEXT_STEP, STALE]
	end(stepless)
	assert countdown(stepless.name, now_datetime()) == {
		"stale_on": None,
		"shelf_life_ends_on": None,
		"faults": [],
	}
	assert run()["done"] == 0


def test_a_phone_number_that_wants_no_contact_holds_for_every_lead_with_it(stepless):
	frappe.get_doc(
		{"doctype": "Contact Opt Out", "channel": "All", "reason": "Manual", "phone": "+49 170 1"}
	).insert()
	frappe.get_doc("Lead", stepless.name).update({"phone": "+49 (170) 1"}).save()
	assert faults(stepless) == []


def test_an_opt_out_of_one_channel_leaves_the_lead_in_work(stepless):
	api.opt_out(stepless.name, "Phone")
	assert faults(stepless) == [NO_NEXT_STEP]


def test_a_lead_that_came_past_every_hook_is_in_work():
	unseen = frappe.get_doc({"doctype": "Lead", "lead_name": "Unseen", "title": "Unseen", "status": "Lead"})
	unseen.name = "LEAD-UNSEEN"
	unseen.db_insert()
	assert faults(unseen) == [NO_OWNER, NO_NEXT_STEP]


# who is told, and when


def test_who_cannot_be_found_is_told_by_the_last_resort(lead, rep, fallback):
	frappe.db.set_value("Lead", lead.name, "lead_owner", None)
	assert run()["done"] == 1
	assert told(lead) == [(NO_OWNER, 1, fallback)]
	assert run()["done"] == 0


def test_of_a_disabled_users_leads_the_users_manager_hears_next(lead, rep, manager, fallback, time):
	frappe.db.set_value("User", rep, "enabled", 0)
	run()
	assert told(lead) == [(NO_OWNER, 1, fallback)]
	time.move_to("2026-03-04 10:00:00")
	run()
	assert told(lead) == [(NO_OWNER, 1, fallback), (NO_OWNER, 2, manager)]


def test_a_lead_that_loses_its_owner_again_is_told_again(lead, rep, fallback, time):
	for day in (3, 4):
		time.move_to(f"2026-03-0{day} 10:00:00")
		lead.reload().update({"lead_owner": rep}).save()
		lead.reload().update({"lead_owner": None}).save()
		run()
		run()
	assert len(told(lead)) == 2


def test_a_missing_next_step_is_told_to_the_owner_after_a_day_and_to_the_manager_after_two(
	stepless, rep, manager, time
):
	time.move_to("2026-03-03 09:59:00")
	assert run()["done"] == 0
	time.move_to("2026-03-03 10:00:00")
	assert run()["done"] == 1
	assert told(stepless) == [(NO_NEXT_STEP, 1, rep)]
	time.move_to("2026-03-04 10:00:00")
	run()
	assert told(stepless) == [(NO_NEXT_STEP, 1, rep), (NO_NEXT_STEP, 2, manager)]
	time.move_to("2026-03-20 10:00:00")
	assert run()["done"] == 0


def test_a_touch_gives_another_day_to_plan_the_next_step(stepless, rep, manager, time):
	time.move_to("2026-03-03 09:00:00")
	api.log_touch(stepless.name, "Phone", "No Answer")
	time.move_to("2026-03-04 08:00:00")
	assert run()["done"] == 0
	time.move_to("2026-03-04 09:00:00")
	run()
	assert told(stepless) == [(NO_NEXT_STEP, 1, rep)]


@pytest.mark.parametrize(
	("step", "since"),
	[
		(lambda lead: make_todo(lead, date="2026-03-06"), "2026-03-07 00:00"),
		(lambda lead: make_event(lead, "2026-03-06 10:00:00"), "2026-03-06 10:00"),
	],
	ids=["to do", "event"],
)
def test_a_next_step_that_has_passed_gives_a_day_to_plan_another(stepless, rep, time, step, since):
	step(stepless)
	time.move_to(since)
	time.tick(timedelta(hours=23))
	assert run()["done"] == 0
	time.tick(timedelta(hours=1))
	run()
	assert told(stepless) == [(NO_NEXT_STEP, 1, rep)]


def test_a_to_do_that_is_done_gives_a_day_to_plan_another(stepless, rep, time):
	todo = make_todo(stepless, date="2026-03-20")
	time.move_to("2026-03-06 12:00:00")
	todo.reload().update({"status": "Closed"}).save(ignore_permissions=True)
	time.move_to("2026-03-07 11:59:00")
	assert run()["done"] == 0
	time.move_to("2026-03-07 12:00:00")
	run()
	assert told(stepless) == [(NO_NEXT_STEP, 1, rep)]


def test_without_days_nobody_is_told_of_a_missing_next_step_but_the_list_shows_it(stepless, time):
	settings(next_step_after_days=0)
	time.move_to("2026-03-20 10:00:00")
	assert run()["done"] == 0
	assert faults(stepless) == [NO_NEXT_STEP]


def test_a_stale_lead_is_told_to_owner_and_manager_at_once(lead, rep, manager, time):
	time.move_to("2026-05-31 00:00:05")
	assert run()["done"] == 2
	assert told(lead) == [(STALE, 1, rep), (STALE, 2, manager)]
	assert run()["done"] == 0
	time.move_to("2026-07-31 00:00:05")
	assert run()["done"] == 0


def test_a_lead_that_gets_stale_again_is_told_again(lead, rep, manager, time):
	time.move_to("2026-06-10 00:00:05")
	run()
	api.log_touch(lead.name, "Phone", "No Answer", done_at="2026-06-05 10:00:00")
	time.move_to("2026-09-02 00:00:05")
	assert run()["done"] == 0
	time.move_to("2026-09-03 00:00:05")
	assert run()["done"] == 2


def test_without_a_manager_the_last_resort_is_told(lead, rep, fallback, time):
	time.move_to("2026-05-31")
	run()
	assert told(lead) == [(STALE, 1, rep), (STALE, 2, fallback)]


def test_nobody_is_told_twice_of_the_same(lead, rep, time):
	settings(fallback_user=rep)
	time.move_to("2026-05-31")
	run()
	assert told(lead) == [(STALE, 1, rep)]


def test_a_run_that_comes_weeks_late_tells_all_that_an_early_one_would_have(stepless, rep, manager, time):
	time.move_to("2026-08-01")
	assert run()["done"] == 4
	assert told(stepless) == [
		(NO_NEXT_STEP, 1, rep),
		(NO_NEXT_STEP, 2, manager),
		(STALE, 1, rep),
		(STALE, 2, manager),
	]


def test_who_may_not_see_a_lead_is_not_told_of_it(lead, rep, manager, fallback, time):
	company = frappe.copy_doc(
		frappe.get_doc("Company", frappe.get_all("Company", pluck="name", order_by="name", limit=1)[0])
	)
	company.update({"company_name": "Elsewhere", "abbr": "ELS", "name": "Elsewhere"})
	company.db_insert()
	for user in (rep, manager):
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Company", "for_value": "Elsewhere"}
		).insert()
	time.move_to("2026-05-31")
	run()
	assert {user for _fault, _level, user in told(lead)} == {fallback}


def test_many_leads_are_told_in_one_message(rep, manager, time):
	leads = [make_lead(lead_owner=rep) for _number in range(12)]
	time.move_to("2026-05-31")
	assert run()["done"] == 24
	deliver(rep, now_datetime())
	notices = frappe.get_all("Notification Log", {"for_user": rep}, pluck="subject", order_by="creation")
	assert notices == ["12 leads are waiting for you: 12 unattended."]
	assert {told(lead)[0] for lead in leads} == {(STALE, 1, rep)}


def test_the_job_asks_no_more_for_many_leads_than_for_few(rep, manager, time, count_queries):
	counts = []
	for number in (1, 1, 20):  # the first run also fills caches
		for _lead in range(number):
			make_lead(lead_owner=rep)
		time.tick(timedelta(days=200))
		with count_queries() as queries:
			assert run()["done"] == 2 * number
		counts.append(queries.count)
	assert counts[1] == counts[2] <= 33


def test_each_run_leaves_its_counts(lead, rep, manager, time):
	time.move_to("2026-05-31")
	run()
	found = frappe.get_last_doc("Follow Up Run", {"job": "raise_unattended"})
	assert (found.status, found.done, found.failed) == ("Completed", 2, 0)


def test_a_lead_with_a_very_long_name_is_told_like_any_other(lead, rep, manager, time):
	name = frappe.rename_doc("Lead", lead.name, "L" * 140, force=True)
	time.move_to("2026-05-31")
	run()
	run()
	assert told(frappe._dict(name=name)) == [(STALE, 1, rep), (STALE, 2, manager)]


# shelf life


@pytest.fixture
def expired(lead, time):
	"""A lead whose shelf life of thirty days is over, with what its segment does then."""

	def make(on_expiry: str, reason: str | None = None):
		shelf_life(30, on_expiry, reason)
		time.move_to("2026-04-01 00:00:05")
		return lead

	return make


def verdict(lead) -> tuple:
	return frappe.db.get_value(
		"Lead Qualification", {"lead": lead.name}, ["verdict", "outcome_reason", "nurture_until"]
	)


def timeline(lead) -> str:
	return " ".join(
		frappe.get_all(
			"Comment",
			{"reference_name": lead.name, "comment_type": "Info"},
			pluck="content",
			order_by="creation",
		)
	)


def test_the_owner_is_told_when_a_shelf_life_is_over_and_later_the_manager(expired, rep, manager, time):
	lead = expired("Tell the Owner")
	assert run()["done"] == 1
	assert told(lead) == [(SHELF_LIFE, 1, rep)]
	time.move_to("2026-05-01 00:00:05")
	run()
	assert told(lead) == [(SHELF_LIFE, 1, rep), (SHELF_LIFE, 2, manager)]


def test_an_expired_lead_is_disqualified(expired, rep, manager):
	lead = expired("Disqualify", "Disqualify: Too small for us")
	assert run()["done"] == 1
	assert verdict(lead) == ("Disqualified", "Disqualify: Too small for us", None)
	assert f"its shelf life of 30 days ended on {format_date('2026-04-01')}: Too small for us" in timeline(
		lead
	)
	assert told(lead) == [(SHELF_LIFE, 1, rep)]
	assert run()["done"] == 0


def test_an_expired_lead_is_put_back_to_nurturing_once(expired, rep, manager, time):
	lead = expired("Nurture", "Disqualify: Not this year")
	assert run()["done"] == 1
	assert verdict(lead) == ("Nurture", "Disqualify: Not this year", getdate("2026-07-01"))
	assert "returned the lead to nurturing" in timeline(lead)
	assert faults(lead) == []
	assert run()["done"] == 0
	time.move_to("2026-07-01 00:00:05")
	run()
	assert told(lead) == [
		(SHELF_LIFE, 1, rep),
		(SHELF_LIFE, 2, manager),
		(STALE, 1, rep),
		(STALE, 2, manager),
	]


def test_a_lead_that_was_touched_just_now_is_not_decided_about(expired):
	lead = expired("Disqualify", "Disqualify: Too small for us")
	api.log_touch(lead.name, "Phone", "No Answer")
	assert attention.decide(lead.name, now_datetime()) is False
	assert verdict(lead) in [None, ("Open", None, None)]


def test_a_lead_that_waits_for_the_answer_of_sales_is_not_decided_about(expired, time):
	lead = expired("Disqualify", "Disqualify: Too small for us")
	hand_over(lead)
	run()
	assert verdict(lead)[0] == "Sales Ready"
	assert faults(lead) == [SHELF_LIFE]


def test_what_cannot_be_decided_is_told_instead_and_stops_nothing(expired, lead, rep, time):
	other = make_lead(lead_owner=rep)
	lead = expired("Disqualify", "Disqualify: Too small for us")
	frappe.db.set_value("Lead Outcome Reason", "Disqualify: Too small for us", "enabled", 0)
	counts = run()
	assert (counts["failed"], counts["done"]) == (2, 0)
	assert told(lead) == told(other) == [(SHELF_LIFE, 1, rep)]
	assert frappe.get_last_doc("Follow Up Run", {"job": "raise_unattended"}).status == "Failed"
	assert run()["failed"] == 0


# what a segment may say


@pytest.mark.parametrize(
	("on_expiry", "reason"),
	[
		("Disqualify", None),
		("Nurture", None),
		("Disqualify", "Snooze: On holiday"),
		("Nurture", "Disqualify: Too small for us"),
	],
	ids=["disqualify for no reason", "nurture for no reason", "not a reason to disqualify", "not 'later'"],
)
def test_a_decision_at_the_end_of_a_shelf_life_needs_a_reason_that_people_could_choose(on_expiry, reason):
	if reason and not frappe.db.exists("Lead Outcome Reason", reason):
		applies_to, words = reason.split(": ")
		frappe.get_doc({"doctype": "Lead Outcome Reason", "applies_to": applies_to, "reason": words}).insert()
	with pytest.raises(frappe.ValidationError):
		shelf_life(30, on_expiry, reason)
	assert frappe.db.get_value("Lead Segment", "Inbound", "shelf_life_days") == 0


def test_a_reason_retired_since_keeps_nobody_from_changing_the_rest_of_a_segment():
	shelf_life(30, "Nurture", "Disqualify: Not this year")
	frappe.db.set_value("Lead Outcome Reason", "Disqualify: Not this year", "enabled", 0)
	shelf_life(60, "Nurture", "Disqualify: Not this year")
	with pytest.raises(frappe.ValidationError, match="not a reason to disqualify"):
		shelf_life(60, "Disqualify", "Disqualify: Not this year")


def test_a_segment_that_decides_nothing_keeps_no_reason():
	shelf_life(30, "Tell the Owner", "Disqualify: Too small for us")
	assert frappe.db.get_value("Lead Segment", "Inbound", "expiry_reason") is None


def test_a_shelf_life_is_not_negative():
	with pytest.raises(frappe.ValidationError):
		shelf_life(-1, "Tell the Owner")


def test_a_company_follows_one_policy():
	policy = frappe.get_all("Follow Up Policy", pluck="name", order_by="name", limit=1)[0]
	company = frappe.get_all("Company", pluck="name", order_by="name", limit=1)[0]
	row = {"company": company, "follow_up_policy": policy}
	segment = frappe.get_doc("Lead Segment", "Inbound")
	segment.update({"company_policies": [row]}).save()
	segment.reload().append("company_policies", row)
	with pytest.raises(frappe.ValidationError, match="Row 2"):
		segment.save()


# the report


def report(**filters) -> list[dict]:
	result = query_report.run(REPORT, filters=filters)
	for row in result["result"]:
		assert {column["fieldname"] for column in result["columns"]} <= {*row}
	return result["result"]


def follow(link: str) -> list[str]:
	parts = urlsplit(link)
	assert unquote(parts.path) == f"/app/query-report/{REPORT}"
	return leads_of(report(**{key: value[0] for key, value in parse_qs(parts.query).items()}))


def leads_of(rows: list[dict]) -> list[str]:
	return sorted(row["lead"] for row in rows)


@pytest.fixture
def crowd(rep, make_user, time):
	"""One lead of each kind."""
	other = make_user("other@attention.example", "Sales User")
	fine = make_lead(lead_owner=rep)
	stale = make_lead(lead_owner=other)
	no_owner = make_lead()
	frappe.db.set_value("Lead", no_owner.name, "lead_owner", None)
	no_step = make_lead(lead_owner=rep)
	api.stop(no_step.name, "Stop Early: Asked us to stop")
	both = make_lead(lead_owner=rep)
	api.stop(both.name, "Stop Early: Asked us to stop")
	time.move_to("2026-05-20 10:00:00")
	for lead in (fine, no_owner, no_step):
		api.log_touch(lead.name, "Visit", "No Answer")
		frappe.db.set_value(
			"Follow Up Clock", {"lead": lead.name}, {"status": "Cancelled", "stopped_at": "2026-05-20"}
		)
	frappe.db.set_value(
		"Follow Up Clock", {"lead": both.name}, {"status": "Cancelled", "stopped_at": "2026-05-20"}
	)
	time.move_to("2026-05-31 10:00:00")
	return frappe._dict(fine=fine, stale=stale, no_owner=no_owner, no_step=no_step, both=both, other=other)


def test_the_report_lists_each_lead_once_with_its_faults(crowd):
	rows = {row["lead"]: row for row in report()}
	assert {name: row["risks"] for name, row in rows.items()} == {
		crowd.stale.name: [STALE, "Clock Overdue"],
		crowd.no_owner.name: [NO_OWNER],
		crowd.no_step.name: [NO_NEXT_STEP],
		crowd.both.name: [NO_NEXT_STEP, STALE],
	}
	assert rows[crowd.both.name]["faults"] == "No Next Step, Stale"


def test_the_report_finds_what_the_form_shows(crowd):
	rows = report()
	for row in rows:
		own = countdown(row["lead"], now_datetime())
		assert [risk for risk in row["risks"] if risk in risks.FAULTS] == own["faults"]
		assert row["stale_in"] == (own["stale_on"] - getdate()).days
	for fault in risks.FAULTS:
		assert leads_of(report(fault=fault)) == sorted(row["lead"] for row in rows if fault in row["risks"])


def test_the_job_tells_of_what_the_report_lists(crowd, fallback):
	run()
	for fault in (NO_OWNER, NO_NEXT_STEP, STALE):
		alerts = frappe.get_all(
			"Follow Up Alert", {"clock": fault, "level": 1}, pluck="lead", order_by="lead"
		)
		assert alerts == leads_of(report(fault=fault))


def test_the_report_counts_down(crowd):
	shelf_life(100, "Tell the Owner")
	rows = {row["lead"]: row for row in report()}
	stale, touched = rows[crowd.stale.name], rows[crowd.no_owner.name]
	assert (stale["days_untouched"], stale["stale_in"], stale["shelf_life_in"]) == (90, 0, 10)
	assert (touched["days_untouched"], touched["stale_in"], touched["shelf_life_in"]) == (11, 79, 89)
	assert (stale["next_step"], rows[crowd.both.name]["next_step"]) == ("Touch", None)
	assert stale["next_step_at"] == frappe.db.get_value(
		"Nurture Enrollment", {"lead": crowd.stale.name}, "next_due_at"
	)


def test_the_next_step_is_the_earliest(crowd):
	make_todo(crowd.stale, date="2026-06-03")
	make_event(crowd.stale, "2026-06-02 10:00:00")
	touch = frappe.get_doc("Nurture Enrollment", {"lead": crowd.stale.name})
	touch.db_set("next_due_at", "2026-06-04 10:00:00")
	frappe.db.set_value("Lead Touch", {"lead": crowd.stale.name}, "due_at", "2026-06-04 10:00:00")
	row = next(row for row in report() if row["lead"] == crowd.stale.name)
	assert (row["next_step"], str(row["next_step_at"])) == ("Event", "2026-06-02 10:00:00")


def test_who_may_not_see_a_lead_finds_it_in_no_row_and_no_count(crowd, rep, as_user, make_user):
	company = frappe.copy_doc(frappe.get_doc("Company", crowd.stale.company))
	company.update({"company_name": "Elsewhere", "abbr": "ELS", "name": "Elsewhere"})
	company.db_insert()
	frappe.db.set_value("Lead", crowd.both.name, "company", "Elsewhere")
	reader = make_user("reader@attention.example", "Sales Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Company", "for_value": "Elsewhere"}
	).insert()
	with as_user(reader):
		assert leads_of(report()) == [crowd.both.name]
		counts = {row["fault"]: row["leads"] for row in report(show="Summary")}
		assert counts == {
			NO_OWNER: 0,
			NO_NEXT_STEP: 1,
			STALE: 1,
			SHELF_LIFE: 0,
			"Clock Overdue": 0,
			"Hidden": 0,
			"": 1,
		}
		(group,) = report(show="Summary", group_by="Owner")
		assert (group["group"], group["in_work"], group["at_risk"]) == (rep, 1, 1)


def test_a_qualifier_from_outside_may_not_run_the_report(make_user, as_user):
	with as_user(make_user("agency@attention.example", "Lead Qualifier")):
		with pytest.raises(frappe.PermissionError):
			report()


def test_each_count_leads_to_as_many_leads(crowd):
	for row in report(show="Summary"):
		assert len(follow(row["links"]["leads"])) == row["leads"]
	for group_by in ("Owner", "Segment"):
		rows = report(show="Summary", group_by=group_by)
		assert sum(row["at_risk"] for row in rows) == 4
		for row in rows:
			for name, link in row["links"].items():
				assert len(follow(link)) == row[name]


def test_counts_are_of_the_leads_in_work(crowd):
	rows = {row["fault"]: row for row in report(show="Summary")}
	assert (rows[STALE]["leads"], rows[STALE]["share"]) == (2, 40)
	assert (rows["Clock Overdue"]["leads"], rows["Clock Overdue"]["share"]) == (1, None)


def test_filters_narrow_the_report(crowd, rep):
	assert leads_of(report(lead_owner=rep)) == sorted([crowd.no_step.name, crowd.both.name])
	assert leads_of(report(without_owner=1)) == [crowd.no_owner.name]
	assert report(segment="Event") == []
	assert leads_of(report(company=crowd.stale.company)) == leads_of(report())


def test_a_site_without_leads_at_risk_says_so():
	result = query_report.run(REPORT, filters={})
	assert (result["result"], result["message"]) == ([], "None of your visible leads is at risk.")
	assert report(show="Summary") == []
