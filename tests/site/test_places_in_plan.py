"""A step that waits once more, after an undo, an acceptance or a repair, is planned once, and the plan is walked to its end."""

from datetime import timedelta

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_agreement, make_lead, make_sales_ready
from lead_quality.follow_up.jobs import mend_enrollments
from lead_quality.patches import free_plan_keys
from tests.site.oracle import wrong_clocks, wrong_enrollments

MONDAY = "2026-03-02 10:00:00"
TEN_PAST = "2026-03-02 10:10:00"
STEPS = (
	("Call", "Phone", "Enrollment"),
	("Letter", "Letter", "Previous Touch"),
	("Second call", "Phone", "Previous Touch"),
	("Visit", "Visit", "Handover Accepted"),
	("News", "Email", "Previous Touch"),
)


@pytest.fixture
def at(freeze):
	with freeze(MONDAY) as time:
		yield time


@pytest.fixture
def lead(at):
	cadence = frappe.get_doc(
		{
			"doctype": "Nurture Cadence",
			"title": "Places in Plan",
			"status": "Active",
			"working_calendar": "Office Hours",
			"steps": [
				{"step": step, "channel": channel, "anchor": anchor, "delay": 1, "delay_unit": "Working Days"}
				for step, channel, anchor in STEPS
			],
		}
	).insert()
	lead = make_lead(lead_owner="Administrator")
	api.stop(lead.name, "Stop Early: Company closed")
	api.enroll(lead.name, cadence.name)
	at.move_to(TEN_PAST)
	return lead


@pytest.fixture
def accept(make_user, as_user):
	"""Accepts a handover of a lead. The agreement is signed today, before time stands still."""
	marketing = make_user("mary@places.example", "Lead Quality Manager")
	sales = make_user("sam@places.example", "Sales User", "Sales Manager")
	make_agreement(marketing, sales, first_touch_within=4)

	def accept(lead):
		with as_user(marketing):
			make_sales_ready(lead.name)
			handover = api.send_handover(lead.name, sales)
		with as_user(sales):
			api.accept_handover(handover.name)

	return accept


def open_enrollment(lead) -> str | None:
	return frappe.db.get_value(
		"Nurture Enrollment", {"lead": lead.name, "status": ["in", ["Active", "Snoozed"]]}
	)


def planned(lead) -> list[str]:
	return frappe.get_all("Lead Touch", {"lead": lead.name, "status": "Planned"}, pluck="step")


def touch_of(lead, step: str, status: str):
	return frappe.get_last_doc("Lead Touch", {"lead": lead.name, "step": step, "status": status})


def log_planned(lead, **values):
	return api.log_touch(
		lead.name, dict((s, c) for s, c, _a in STEPS)[planned(lead)[0]], "No Answer", **values
	)


def walk_to_the_end(lead, at) -> list[str]:
	"""Make each touch that is planned; returns the steps."""
	made = []
	while planned(lead):
		at.tick(timedelta(days=1))
		made.append(log_planned(lead).step)
		assert len(planned(lead)) == (1 if open_enrollment(lead) else 0)
		assert len(made) <= len(STEPS)
	return made


# what has happened between a touch and its undo


def nothing(lead, at):
	pass


def stopped_in_the_same_instant(lead, at):
	api.stop(lead.name, "Stop Early: Company closed")


def put_off(lead, at):
	touch = touch_of(lead, "Letter", "Planned")
	touch.due_at = "2026-03-09 10:00:00"
	touch.save()


def closed(lead, at):
	api.opt_out(lead.name, "Letter")


def closed_to_the_end(lead, at):
	for channel in ("Letter", "Phone", "Visit", "Email"):
		api.opt_out(lead.name, channel)
	frappe.db.delete("Contact Opt Out")


def undone_and_made_again(lead, at):
	api.undo_touch(touch_of(lead, "Call", "Done").name)
	log_planned(lead)


def corrected_to_a_no_and_back(lead, at):
	for outcome in ("Negative", "No Answer"):
		touch = touch_of(lead, "Call", "Done")
		touch.outcome = outcome
		touch.save()


def walked_on_and_back(lead, at):
	at.move_to("2026-03-02 10:15:00")
	log_planned(lead)
	api.undo_touch(touch_of(lead, "Letter", "Done").name)


BETWEEN = [
	nothing,
	stopped_in_the_same_instant,
	put_off,
	closed,
	closed_to_the_end,
	undone_and_made_again,
	corrected_to_a_no_and_back,
	walked_on_and_back,
]


@pytest.mark.parametrize("between", BETWEEN, ids=lambda between: between.__name__)
@pytest.mark.parametrize("done_at", [TEN_PAST, "2026-03-02 09:30:00"], ids=["now", "before the enrollment"])
def test_what_was_undone_is_planned_once_and_the_plan_goes_on_to_its_end(lead, at, between, done_at):
	log_planned(lead, done_at=done_at)
	between(lead, at)
	api.undo_touch(touch_of(lead, "Call", "Done").name)
	assert not [wrong for wrong in (*wrong_enrollments(), *wrong_clocks()) if lead.name in wrong]
	if not open_enrollment(lead):
		return
	assert planned(lead) == ["Call"]
	steps = [step for step, channel, _anchor in STEPS if between is not closed or channel != "Letter"]
	assert walk_to_the_end(lead, at) == steps


def test_an_undo_leaves_what_the_plan_had_passed_over_before_the_touch(lead, at):
	log_planned(lead)
	api.opt_out(lead.name, "Letter")
	api.undo_touch(log_planned(lead).name)
	assert touch_of(lead, "Letter", "Skipped").status_reason
	assert planned(lead) == ["Second call"]
	assert walk_to_the_end(lead, at) == ["Second call", "Visit", "News"]


def test_an_undo_after_the_acceptance_leaves_the_lead_with_sales(accept, lead, at):
	touch = log_planned(lead)
	at.move_to("2026-03-02 11:00:00")
	accept(lead)
	assert planned(lead) == ["Visit"]
	api.undo_touch(touch.name)
	assert planned(lead) == ["Visit"]
	assert walk_to_the_end(lead, at) == ["Visit", "News"]


def test_an_acceptance_that_finds_the_step_of_sales_planned_plans_it_once(accept, lead, at):
	for _step in range(3):
		log_planned(lead)
	assert planned(lead) == ["Visit"]
	at.move_to("2026-03-02 11:00:00")
	accept(lead)
	assert planned(lead) == ["Visit"]
	assert walk_to_the_end(lead, at) == ["Visit", "News"]


def test_a_touch_too_many_that_the_job_cancels_keeps_no_place(lead, at):
	enrollment = open_enrollment(lead)
	touch = touch_of(lead, "Call", "Planned")
	for place in (2, 3):
		extra = frappe.copy_doc(touch)
		step = STEPS[place - 1][0]
		extra.update({"name": f"extra-{place}", "step": step, "plan_key": f"{enrollment}:{step}:1"})
		extra.db_insert()
	assert mend_enrollments()["done"] == 1
	assert planned(lead) == ["Call"]
	assert walk_to_the_end(lead, at) == [step for step, _channel, _anchor in STEPS]


def test_the_job_plans_anew_rather_than_bring_back_what_a_person_has_undone(lead, at):
	undone = api.undo_touch(log_planned(lead).name)
	frappe.db.delete("Lead Touch", {"name": touch_of(lead, "Call", "Planned").name})
	assert mend_enrollments()["done"] == 1
	assert frappe.db.get_value("Lead Touch", undone.name, "status") == "Cancelled"
	assert planned(lead) == ["Call"]
	assert walk_to_the_end(lead, at) == [step for step, _channel, _anchor in STEPS]


def test_the_patch_frees_the_places_of_what_was_cancelled_before(lead, at):
	cancelled = api.undo_touch(log_planned(lead).name)
	letter = frappe.copy_doc(cancelled)
	place = f"{open_enrollment(lead)}:Letter:1"
	letter.update({"name": "cancelled before", "step": "Letter", "plan_key": place})
	letter.db_insert()
	free_plan_keys.execute()
	free_plan_keys.execute()
	assert frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Planned"}, "plan_key")
	assert walk_to_the_end(lead, at) == [step for step, _channel, _anchor in STEPS]
