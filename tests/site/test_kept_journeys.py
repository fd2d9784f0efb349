"""What is known of leads at the end of a day is kept by a job after it, and stays as it was."""

from datetime import date, datetime, timedelta

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready, make_user
from lead_quality.funnel import kept
from lead_quality.funnel.jobs import keep_journeys, reconcile_all_stages

DAY = datetime(2019, 3, 4)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2019, 3, day) for day in range(4, 9))


@pytest.fixture
def days(freeze):
	"""The clock, on a site of no other leads of which no day is kept yet."""
	frappe.db.delete("Past Lead Journey")
	frappe.db.delete("Lead Journey")
	for key in (kept.SINCE, kept.LAST):
		frappe.db.set_global(key, "")
	with freeze(DAY) as clock:
		clock.move_to(DAY + timedelta(hours=10, microseconds=1))
		yield clock
	for key in (kept.SINCE, kept.LAST):
		frappe.db.set_global(key, "")  # what is cached of it, too


def end_day(clock, days: int = 1) -> dict:
	"""Some midnights pass, the job runs, and it is morning."""
	today = (frappe.utils.now_datetime() + timedelta(days=days)).replace(hour=0, minute=4)
	clock.move_to(today)
	frappe.db.commit()
	counts = keep_journeys()
	clock.move_to(today.replace(hour=10))
	return counts


def versions(**filters) -> list:
	return frappe.get_all("Past Lead Journey", filters, ["*"], order_by="kept_from asc, name asc")


def spans(lead: str) -> list[tuple[date, date]]:
	return [(row.kept_from, row.kept_until) for row in versions(lead=lead)]


def as_of(day: date) -> list:
	return frappe.db.sql(
		f"select * from {kept.journeys()} j order by j.`lead`, j.entered_at",
		{"as_of": f"{day} 23:59:59.999999"},
		as_dict=True,
	)


def new_lead(**values) -> str:
	"""A lead that no cadence is to touch."""
	lead = make_lead(**values).name
	frappe.db.delete("Nurture Enrollment", {"lead": lead})
	frappe.db.delete("Lead Touch", {"lead": lead})
	frappe.db.set_value("Lead", lead, "lq_next_touch_at", None)
	frappe.db.commit()
	return lead


def test_a_lead_is_kept_when_something_of_it_has_changed_and_not_otherwise(days):
	lead = new_lead()
	assert end_day(days)["done"] == 1  # Monday
	assert end_day(days)["done"] == 0  # Tuesday
	api.log_touch(lead, "Phone", "Connected")
	assert end_day(days)["done"] == 1  # Wednesday
	assert spans(lead) == [(MONDAY, WEDNESDAY), (WEDNESDAY, kept.FOREVER)]
	first, second = versions(lead=lead)
	assert (first.prospect_at, first.last_touch_at) == (None, None)
	assert second.prospect_at and second.last_touch_at
	assert (kept.first_day(), kept.last_day()) == (MONDAY, WEDNESDAY)


def test_the_job_run_twice_a_day_changes_nothing(days):
	lead = new_lead()
	end_day(days)
	before = versions()
	api.log_touch(lead, "Phone", "Connected")
	frappe.db.commit()
	assert keep_journeys() == {"found": 0, "done": 0, "failed": 0}
	assert versions() == before


def test_a_run_that_comes_late_keeps_the_days_between_as_it_finds_them(days):
	lead = new_lead()
	end_day(days)  # Monday is kept
	api.log_touch(lead, "Phone", "Connected")
	end_day(days, 3)  # it is Friday
	assert spans(lead) == [(MONDAY, TUESDAY), (TUESDAY, kept.FOREVER)]
	assert kept.last_day() == THURSDAY
	assert not as_of(MONDAY)[0].prospect_at and as_of(TUESDAY)[0].prospect_at


def test_what_came_in_after_a_day_is_not_known_as_of_it(days):
	new_lead()
	end_day(days)
	late = new_lead()
	end_day(days)
	end_day(days)
	assert late in [row.lead for row in as_of(TUESDAY)]
	assert late not in [row.lead for row in as_of(MONDAY)]


def test_a_run_that_fails_leaves_the_day_unknown_and_the_next_one_keeps_it(days, monkeypatch):
	one, two = new_lead(), new_lead()
	end_day(days)
	for lead in (one, two):
		api.log_touch(lead, "Phone", "Connected")
	frappe.db.commit()
	with monkeypatch.context() as patch:
		patch.setattr(kept, "LEADS_AT_ONCE", 1)
		real = kept.keep

		def failing(leads, kept_from):
			if leads == [max(one, two)]:
				raise ValueError("broken")
			return real(leads, kept_from)

		patch.setattr(kept, "keep", failing)
		assert end_day(days)["failed"] == 1  # Tuesday
	assert kept.last_day() == MONDAY
	api.log_touch(min(one, two), "Phone", "Connected")
	assert end_day(days)["failed"] == 0  # Wednesday
	assert kept.last_day() == WEDNESDAY
	for lead in (one, two):
		assert spans(lead) == [(MONDAY, TUESDAY), (TUESDAY, kept.FOREVER)]


def test_a_renamed_lead_takes_what_is_kept_of_it_with_it(days):
	lead = new_lead()
	end_day(days)
	frappe.rename_doc("Lead", lead, "RENAMED-KEPT", show_alert=False)
	end_day(days)
	assert spans("RENAMED-KEPT") == [(MONDAY, kept.FOREVER)]
	assert not versions(lead=lead)


def test_merged_leads_are_two_until_then_and_both_open_the_one_that_is_left(days):
	old, new = new_lead(lead_name="Old"), new_lead(lead_name="New")
	api.log_touch(old, "Phone", "Connected")
	end_day(days)
	frappe.rename_doc("Lead", old, new, merge=True, show_alert=False)
	end_day(days)
	assert [row.lead for row in as_of(MONDAY)] == [new, new]
	assert sorted(bool(row.prospect_at) for row in as_of(MONDAY)) == [False, True]
	assert [(row.lead, bool(row.prospect_at)) for row in as_of(TUESDAY)] == [(new, True)]


def test_what_is_kept_of_a_deleted_lead_counts_on_and_names_nobody(days):
	owner = make_user("owner@kept.example", "Sales User").name
	lead = new_lead(lead_owner=owner)
	end_day(days)
	frappe.delete_doc("Lead", lead, force=True)
	end_day(days)
	assert not versions(lead=lead)
	(then,), (now,) = as_of(MONDAY), as_of(TUESDAY)
	assert then.name == now.name and then.name.startswith("deleted-")
	assert (then.is_deleted, now.is_deleted) == (0, 1)
	assert not then.exited_at and now.exited_at
	assert not any(named in str(versions()) for named in (lead, owner))


def test_what_has_no_journey_any_more_is_not_known_any_longer(days):
	lead = new_lead()
	end_day(days)
	for doctype in ("Lead Journey", "Lead Stage Log"):
		frappe.db.delete(doctype, {"lead": lead})
	frappe.db.delete("Lead", {"name": lead})
	end_day(days)
	assert [row.lead for row in as_of(MONDAY)] == [lead]
	assert as_of(TUESDAY) == []


def test_what_the_reports_look_up_beside_a_journey_is_kept(days):
	seller = make_user("seller@kept.example", "Sales User").name
	lead = new_lead()
	make_sales_ready(lead)
	handover = api.send_handover(lead, seller, expected_value=500)
	planned = frappe.db.get_value("Lead", lead, "lq_next_touch_at")
	end_day(days)
	(row,) = versions(lead=lead)
	assert (row.expected_value, row.expected_on) == (500, handover.sent_at)
	assert (row.next_touch_at, row.is_bad_data) == (planned, 0)
	assert row.pursue_by and not row.pursued_at
	api.accept_handover(handover.name)
	api.log_touch(lead, "Phone", "Connected")
	end_day(days)
	assert versions(lead=lead)[-1].pursued_at


def test_the_kept_days_survive_the_repair_of_all_journeys(days):
	lead = new_lead()
	end_day(days)
	before = versions(lead=lead)
	reconcile_all_stages()
	end_day(days)
	assert versions(lead=lead) == before
