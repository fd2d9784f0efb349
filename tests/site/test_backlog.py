"""Old and imported leads: one line and one list, until somebody takes them up; each fault is told once."""

import frappe
import pytest
from frappe.utils import add_days, get_datetime, now_datetime

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_opportunity, make_sales_ready
from lead_quality.desk import set_up
from lead_quality.desk.backlog import take_up
from lead_quality.follow_up import attention, backlog, risks
from lead_quality.follow_up.attention import raise_unattended
from lead_quality.follow_up.jobs import deliver_alerts
from lead_quality.funnel import summary
from lead_quality.lead_quality.doctype.follow_up_alert.follow_up_alert import FollowUpAlert
from lead_quality.patches import add_reasons_to_disqualify, keep_old_leads

MONDAY = get_datetime("2026-03-02 10:00:00")


@pytest.fixture
def manager(make_user):
	return make_user("manager@backlog.example", "Lead Quality Manager")


@pytest.fixture
def rep(make_user):
	return make_user("rep@backlog.example", "Sales User")


@pytest.fixture
def old(rep, freeze):
	"""Three leads that nobody works, older than the install."""
	frappe.db.set_single_value("Lead Quality Settings", "enroll_new_leads", 0)
	with freeze("2025-03-03 10:00"):
		leads = [make_lead(lead_owner=rep) for _number in range(3)]
	frappe.db.delete("Follow Up Clock", {"lead": ["in", [lead.name for lead in leads]]})
	frappe.db.delete("Lead Backlog")
	backlog.keep_old_leads(MONDAY)
	return leads


def waiting() -> set[str]:
	return set(frappe.get_all("Lead", {"lq_waits": 1}, pluck="name"))


def told(user: str) -> list[str]:
	return frappe.get_all("Notification Log", {"for_user": user}, pluck="subject", order_by="creation asc")


def alerts_of(lead) -> list[str]:
	return frappe.get_all("Follow Up Alert", {"lead": lead.name}, pluck="clock")


def run_days(number: int):
	for day in range(number):
		raise_unattended(now=add_days(MONDAY, day))
		deliver_alerts(now=add_days(MONDAY, day))


def test_old_leads_are_one_line_a_week_to_the_manager_and_nothing_to_anybody_else(old, manager, rep):
	run_days(8)
	count = len(waiting())
	assert {lead.name for lead in old} <= waiting()
	assert told(manager) == [backlog.in_words(count)] * 2
	assert f"{count} old leads are waiting for a decision" in told(manager)[0]
	assert told(rep) == []
	assert [alerts_of(lead) for lead in old] == [[], [], []]
	link = frappe.get_last_doc("Notification Log", {"for_user": manager}).link
	assert link.endswith("?lq_waits=1")


def test_the_health_page_says_how_many_wait_and_what_nobody_could_be_told(old, forgotten):
	frappe.db.sql("update `tabUser` set enabled = 0 where name not in ('Administrator', 'Guest')")
	raise_unattended(now=MONDAY)
	titles = {row["title"]: row["link"]["route"] for row in set_up.backlog_findings()}
	assert list(titles) == [
		f"Old leads waiting for a decision: {len(waiting())}",
		f"Alerts without a recipient: {frappe.db.count('Follow Up Alert', {'status': 'Untold'})}",
	]
	assert [route.split("?")[1] for route in titles.values()] == ["lq_waits=1", "status=Untold"]


def test_without_a_manager_a_system_manager_is_told(old, make_user):
	admin = make_user("admin@backlog.example", "System Manager")
	raise_unattended(now=MONDAY)
	assert len(told(admin)) == 1


def test_nobody_is_told_of_old_leads_that_they_may_not_see(old, manager):
	other = frappe.get_doc(
		{"doctype": "Territory", "territory_name": "Backlog", "parent_territory": "All Territories"}
	).insert()
	frappe.get_doc(
		{"doctype": "User Permission", "user": manager, "allow": "Territory", "for_value": other.name}
	).insert()
	frappe.db.sql("update `tabLead` set territory = 'All Territories'")
	raise_unattended(now=MONDAY)
	assert told(manager) == []


def test_old_leads_have_no_faults_in_form_and_report(old):
	where = attention.Where()
	where.add(" or ".join(risks.IS[fault] for fault in risks.FAULTS))
	rows = where.select(
		f"select `tabLead`.name from {risks.LEADS} where {{where}}", **risks.values_at(MONDAY)
	)
	assert {lead.name for lead in old}.isdisjoint({row.name for row in rows})
	state = risks.countdown(old[0].name, MONDAY)
	assert state == {"stale_on": None, "shelf_life_ends_on": None, "faults": []}


@pytest.mark.parametrize(
	"work",
	[
		lambda lead: api.log_touch(lead.name, "Phone", "No Answer"),
		lambda lead: api.enroll(lead.name),
		lambda lead: api.qualify(lead.name, decision="Disqualified", outcome_reason="Disqualify: No show"),
	],
	ids=["a touch", "a cadence", "a decision"],
)
def test_who_works_on_an_old_lead_takes_it_up(old, work):
	work(old[0])
	assert old[0].name not in waiting()
	row = frappe.get_last_doc("Lead Backlog", {"lead": old[0].name})
	assert (row.taken_up_by, bool(row.taken_up_at)) == (frappe.session.user, True)
	assert {lead.name for lead in old[1:]} <= waiting()


def test_a_lead_that_becomes_an_opportunity_waits_no_more(old):
	make_sales_ready(old[0].name)
	frappe.db.set_value("Lead", old[0].name, "lq_waits", 1)
	make_opportunity(old[0].name)
	backlog.close_what_is_over(now_datetime())
	assert old[0].name not in waiting()


def test_a_segment_that_is_taken_up_is_told_of_like_any_other_from_then_on(old, manager, rep, freeze):
	segment = frappe.db.get_value("Lead", old[0].name, "lq_segment")
	with freeze("2026-03-02 10:00"):
		assert take_up(segment)["leads"] >= 3
		frappe.db.commit()
	assert {lead.name for lead in old}.isdisjoint(waiting())
	raise_unattended(now=add_days(MONDAY, 1))
	deliver_alerts(now=add_days(MONDAY, 1))
	# not stale for the year before somebody took them up
	assert {clock for lead in old for clock in alerts_of(lead)} == {"No Next Step"}
	assert len(told(rep)) == 1
	assert "3 leads are waiting for you: 3 unattended." in told(rep)[0]


@pytest.mark.parametrize(
	("decision", "reason", "state"),
	[
		(
			"Enroll",
			None,
			lambda lead: frappe.db.exists("Nurture Enrollment", {"lead": lead.name, "status": "Active"}),
		),
		(
			"Disqualify",
			"Disqualify: Unreachable",
			lambda lead: frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Disqualified",
		),
	],
)
def test_a_segment_can_be_put_on_its_cadence_or_disqualified(old, manager, decision, reason, state, as_user):
	segment = frappe.db.get_value("Lead", old[0].name, "lq_segment")
	with as_user(manager):
		take_up(segment, decision, reason)
		frappe.db.commit()
	assert all(state(lead) for lead in old)
	assert {lead.name for lead in old}.isdisjoint(waiting())


def test_only_who_may_change_segments_takes_them_up(old, rep, as_user):
	segment = frappe.db.get_value("Lead", old[0].name, "lq_segment")
	with as_user(rep), pytest.raises(frappe.PermissionError):
		take_up(segment)
	with pytest.raises(frappe.ValidationError, match="Choose one of the reasons"):
		take_up(segment, "Disqualify", "Snooze: On holiday")
	with pytest.raises(frappe.ValidationError, match="Watch, Enroll or Disqualify"):
		take_up(segment, "Delete")


def test_the_summary_can_be_rebuilt(old):
	before = waiting()
	frappe.db.sql("update `tabLead` set lq_waits = 1 - lq_waits")
	summary.rebuild()
	assert waiting() == before


@pytest.mark.parametrize("waits", ["the one that goes", "the one that stays", "both"])
def test_a_lead_that_has_become_one_with_another_waits_no_more(old, rep, waits):
	goes, stays = old[0].name, old[1].name
	worked_on = {"the one that goes": stays, "the one that stays": goes}.get(waits)
	if worked_on:
		api.log_touch(worked_on, "Phone", "No Answer")
		api.enroll(worked_on)
	frappe.rename_doc("Lead", goes, stays, merge=True, force=True)
	assert waiting() == {old[2].name}
	assert not frappe.db.exists("Lead Backlog", {"lead": stays, "taken_up_at": ["is", "not set"]})
	clocks = frappe.db.count(
		"Follow Up Clock", {"lead": stays, "clock": "Next Touch", "stopped_at": ["is", "not set"]}
	)
	assert clocks == frappe.db.count("Nurture Enrollment", {"lead": stays, "status": "Active"})


def test_a_deleted_lead_leaves_nothing_to_decide(old):
	frappe.delete_doc("Lead", old[0].name)
	assert not frappe.db.exists("Lead Backlog", {"lead": old[0].name})


# imports


@pytest.fixture(autouse=True)
def imported_leads_wait():
	frappe.db.set_single_value("Lead Quality Settings", "imported_leads_wait", 1)


def imported(rep: str, **values):
	frappe.flags.in_import = True
	try:
		return make_lead(lead_owner=rep, **values)
	finally:
		frappe.flags.in_import = False


def test_imported_leads_wait_and_are_not_told_one_by_one(rep, manager):
	leads = [imported(rep) for _number in range(3)]
	assert {lead.name for lead in leads} <= waiting()
	run_days_from_now(4)
	assert [alerts_of(lead) for lead in leads] == [[], [], []]
	assert told(rep) == []
	assert len(told(manager)) == 1


def run_days_from_now(number: int):
	for day in range(number):
		raise_unattended(now=add_days(now_datetime(), day))
		deliver_alerts(now=add_days(now_datetime(), day))


@pytest.mark.parametrize("setting", ["imported_leads_wait", "imported_leads_start_in_triage"])
def test_by_setting_imported_leads_do_not_wait(rep, setting):
	frappe.db.set_single_value("Lead Quality Settings", setting, int(setting != "imported_leads_wait"))
	assert imported(rep).name not in waiting()


def test_a_lead_that_a_person_enters_does_not_wait(rep):
	assert make_lead(lead_owner=rep).name not in waiting()


# sites that have the app


def test_leads_from_before_the_install_that_nobody_has_worked_wait_after_the_upgrade(old, freeze):
	with freeze("2025-03-04 10:00"):
		api.log_touch(old[0].name, "Phone", "Connected")
	new = make_lead()
	frappe.db.delete("Lead Backlog")
	frappe.db.sql("update `tabLead` set lq_waits = 0")
	frappe.db.set_value(
		"Module Def", "Lead Quality", "creation", "2025-06-01 00:00:00", update_modified=False
	)
	frappe.db.delete("Singles", {"doctype": "Lead Quality Settings", "field": "imported_leads_wait"})
	for _time in range(2):
		keep_old_leads.execute()
		assert frappe.db.get_single_value("Lead Quality Settings", "imported_leads_wait", cache=False) == 1
		assert {old[1].name, old[2].name} <= waiting()
		assert {old[0].name, new.name}.isdisjoint(waiting())
		assert frappe.db.count("Lead Backlog", {"lead": old[1].name}) == 1


def test_the_reasons_of_most_discards_are_there_and_two_leave_the_counts():
	names = ["Unreachable", "No show", "Duplicate or test", "Already a customer"]
	frappe.db.delete("Lead Outcome Reason", {"reason": ["in", names]})
	add_reasons_to_disqualify.execute()
	kept = {
		row.reason: row.non_buyer
		for row in frappe.get_all(
			"Lead Outcome Reason",
			{"applies_to": "Disqualify", "reason": ["in", names]},
			["reason", "non_buyer"],
		)
	}
	assert kept == {"Unreachable": 0, "No show": 0, "Duplicate or test": 1, "Already a customer": 1}


@pytest.mark.parametrize("reason", ["Duplicate or test", "Already a customer"])
def test_a_duplicate_and_a_customer_leave_the_counts(reason):
	lead = make_lead()
	api.qualify(lead.name, decision="Disqualified", outcome_reason=f"Disqualify: {reason}")
	assert frappe.db.get_value("Lead", lead.name, "lq_non_buyer") == 1


# told once


@pytest.fixture
def forgotten(rep, freeze):
	frappe.db.set_single_value("Lead Quality Settings", "enroll_new_leads", 0)
	with freeze("2026-02-23 10:00"):
		return make_lead(lead_owner=rep)


def test_a_fault_that_nobody_can_be_told_of_is_decided_once(forgotten, rep, count_queries):
	frappe.db.sql("update `tabUser` set enabled = 0 where name not in ('Administrator', 'Guest')")
	raise_unattended(now=MONDAY)
	kept = frappe.get_all(
		"Follow Up Alert", {"lead": forgotten.name}, ["clock", "for_user", "status"], order_by="clock"
	)
	assert kept and {(row.for_user, row.status) for row in kept} == {(None, "Untold")}
	assert raise_unattended(now=MONDAY)["done"] == 0


def test_a_fault_that_stays_is_not_told_again_when_alerts_are_cleared(forgotten, rep):
	def raised() -> list[tuple]:
		fields = ["kind", "clock", "level", "for_user"]
		return frappe.get_all(
			"Follow Up Alert", {"lead": forgotten.name}, fields, as_list=True, order_by="name"
		)

	for day in (0, 7, 14):  # all that there is to say has been said
		raise_unattended(now=add_days(MONDAY, day))
	before = raised()
	assert before and len(set(before)) == len(before)
	frappe.db.sql("update `tabFollow Up Alert` set creation = '2020-01-01'")
	FollowUpAlert.clear_old_logs(days=180)
	for day in (15, 16, 30):
		raise_unattended(now=add_days(MONDAY, day))
	assert sorted(raised(), key=str) == sorted(before, key=str)


def test_clearing_alerts_keeps_the_latest_of_each_fault_of_leads_in_work_only(forgotten):
	def keep(clock: str, creation: str, kind="Unattended", level=1) -> str:
		alert = frappe.get_doc(
			{
				"doctype": "Follow Up Alert",
				"lead": forgotten.name,
				"kind": kind,
				"clock": clock,
				"level": level,
				"status": "Sent",
				"alert_key": frappe.generate_hash(),
			}
		).insert(ignore_permissions=True)
		alert.db_set("creation", creation, update_modified=False)
		return alert.name

	first, second = keep("Stale", "2020-01-01"), keep("Stale", "2021-01-01")
	other_level, missed = keep("Stale", "2020-01-01", level=2), keep("Triage", "2020-01-01", kind="Missed")
	FollowUpAlert.clear_old_logs(days=180)
	left = set(frappe.get_all("Follow Up Alert", {"lead": forgotten.name}, pluck="name"))
	assert (first in left, second in left, other_level in left, missed in left) == (False, True, True, False)
	frappe.db.set_value("Lead", forgotten.name, "disabled", 1)
	FollowUpAlert.clear_old_logs(days=180)
	assert not frappe.db.exists("Follow Up Alert", {"lead": forgotten.name})
