"""No lead drops out of every list: what hides one is refused, said, or repaired."""

import frappe
import pytest
from frappe.utils import add_to_date, get_datetime, now_datetime

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_opportunity, make_sales_ready
from lead_quality.desk import health
from lead_quality.follow_up import risks
from lead_quality.follow_up.jobs import mend_enrollments
from lead_quality.lead_quality.report.leads_at_risk import leads_at_risk


def planned(lead):
	return frappe.get_doc("Lead Touch", {"lead": lead.name, "status": "Planned"})


def enrollment(lead):
	return frappe.get_doc("Nurture Enrollment", {"lead": lead.name})


# by hand


@pytest.fixture
def manager(make_user, as_user):
	with as_user(make_user("manager@invariant.example", "Lead Quality Manager", "Sales Manager")):
		yield


def test_a_planned_touch_is_not_cancelled_by_hand(lead, manager):
	touch = planned(lead)
	touch.status = "Cancelled"
	with pytest.raises(frappe.ValidationError, match="Stop the cadence"):
		touch.save()


def test_a_planned_touch_is_not_put_off_by_hand_for_ever(lead, manager):
	touch = planned(lead)
	touch.due_at = "2099-01-01 09:00:00"
	with pytest.raises(frappe.ValidationError, match="Snooze"):
		touch.save()
	touch.reload()
	touch.due_at = later = add_to_date(now_datetime().replace(microsecond=0), days=20)
	touch.save()
	assert get_datetime(enrollment(lead).next_due_at) == later


def test_the_enrollment_and_the_lead_follow_a_touch_that_is_put_off(lead, manager):
	touch = planned(lead)
	touch.due_at = later = add_to_date(now_datetime().replace(microsecond=0), days=3)
	touch.save()
	assert get_datetime(enrollment(lead).next_due_at) == later
	assert frappe.db.get_value("Lead", lead.name, "lq_next_touch_at") == later


def test_a_planned_touch_is_not_deleted(lead):
	with pytest.raises(frappe.ValidationError, match="Stop the cadence"):
		frappe.delete_doc("Lead Touch", planned(lead).name)


def test_a_cadence_that_goes_on_is_stopped_and_not_deleted(lead, manager):
	for status in ("Snoozed", "Active"):
		frappe.db.set_value("Nurture Enrollment", {"lead": lead.name}, "status", status)
		with pytest.raises(frappe.ValidationError, match="Stop the cadence"):
			frappe.delete_doc("Nurture Enrollment", enrollment(lead).name)
	api.stop(lead.name, "Stop Early: Company closed")
	frappe.delete_doc("Nurture Enrollment", enrollment(lead).name)
	assert not frappe.db.exists("Lead Touch", {"lead": lead.name, "status": "Planned"})


# past every hook


def cancelled(touch):
	frappe.db.set_value("Lead Touch", touch.name, "status", "Cancelled", update_modified=False)


def deleted(touch):
	frappe.db.delete("Lead Touch", {"name": touch.name})


def put_off(touch):
	frappe.db.set_value("Lead Touch", touch.name, "due_at", "2099-01-01 09:00:00", update_modified=False)


def doubled(touch):
	again = frappe.copy_doc(touch)
	again.update({"name": "doubled", "plan_key": None})
	again.db_insert()


@pytest.mark.parametrize("harm", [cancelled, deleted, put_off, doubled], ids=lambda harm: harm.__name__)
def test_health_sees_an_enrollment_without_its_touch_and_the_job_mends_it(lead, harm):
	touch, due = planned(lead), enrollment(lead).next_due_at
	harm(touch)
	assert titles(health.get_health()["findings"], "planned touch")
	assert mend_enrollments()["done"] == 1
	assert not titles(health.get_health()["findings"], "planned touch")
	touches = frappe.get_all("Lead Touch", {"lead": lead.name, "status": "Planned"}, ["step", "due_at"])
	assert [(row.step, row.due_at) for row in touches] == [(touch.step, due)]
	assert frappe.db.get_value("Lead", lead.name, "lq_next_touch_at") == due
	assert frappe.db.exists(
		"Follow Up Clock", {"lead": lead.name, "clock": "Next Touch", "status": "Running"}
	)
	assert mend_enrollments()["done"] == 0


def enrollment_deleted(lead):
	frappe.db.delete("Nurture Enrollment", {"lead": lead.name})


def enrollment_ended(lead):
	frappe.db.set_value("Nurture Enrollment", {"lead": lead.name}, "status", "Stopped")


def begun_again(lead):
	enrollment_ended(lead)
	api.enroll(lead.name)


@pytest.mark.parametrize(
	"harm", [enrollment_deleted, enrollment_ended, begun_again], ids=lambda harm: harm.__name__
)
def test_a_touch_that_no_cadence_waits_for_is_seen_and_cancelled_by_the_job(lead, harm):
	touch = planned(lead)
	harm(lead)
	assert titles(health.get_health()["findings"], "cadences that have ended")
	assert mend_enrollments()["done"] == 1
	assert not titles(health.get_health()["findings"], "cadences that have ended")
	assert frappe.db.get_value("Lead Touch", touch.name, ["status", "plan_key"]) == ("Cancelled", None)
	goes_on = int(harm is begun_again)
	assert frappe.db.count("Lead Touch", {"lead": lead.name, "status": "Planned"}) == goes_on
	assert bool(frappe.db.get_value("Lead", lead.name, "lq_next_touch_at")) == bool(goes_on)
	next_touch = {"lead": lead.name, "clock": "Next Touch", "stopped_at": ["is", "not set"]}
	assert frappe.db.count("Follow Up Clock", next_touch) == goes_on
	assert mend_enrollments()["done"] == 0


def titles(findings, words: str) -> list[str]:
	return [row["title"] for row in findings if words in row["title"]]


# leads that are hidden


def test_a_lead_with_open_clocks_is_hidden_only_with_a_reason(lead):
	lead.reload()
	lead.disabled = 1
	with pytest.raises(frappe.ValidationError, match="Reason for Hiding"):
		lead.save()
	lead.reload()
	lead.update({"disabled": 1, "lq_hidden_reason": "Duplicate of Keller AG"})
	lead.save()
	assert frappe.db.get_value("Lead", lead.name, "disabled") == 1
	comments = frappe.get_all("Comment", {"reference_name": lead.name}, pluck="content")
	assert any("Duplicate of Keller AG" in comment for comment in comments)


@pytest.mark.parametrize("status", ["Converted", "Lost Quotation", "Opportunity", "Quotation"])
def test_a_status_that_hides_a_lead_is_not_typed_without_a_reason(lead, status):
	lead.reload()
	lead.status = status
	with pytest.raises(frappe.ValidationError, match="Reason for Hiding"):
		lead.save()
	lead.reload()
	lead.update({"status": status, "lq_hidden_reason": "Sold in another system"})
	lead.save()


@pytest.mark.parametrize(("mode", "notes"), [("Warn", 1), ("Off", 0)])
def test_where_hiding_is_not_refused_a_lead_is_hidden_without_a_reason(lead, mode, notes):
	frappe.db.set_single_value("Lead Quality Settings", "hiding_gate", mode)
	lead.reload()
	lead.disabled = 1
	lead.save()
	comments = frappe.get_all("Comment", {"reference_name": lead.name}, pluck="content")
	assert sum("without a reason" in comment for comment in comments) == notes


def test_a_status_that_documents_prove_needs_no_reason(lead):
	make_sales_ready(lead.name)
	make_opportunity(lead.name)
	doc = frappe.get_doc("Lead", lead.name)
	assert doc.status == "Opportunity"
	doc.city = "Bern"
	doc.save()
	other = make_lead(first_name="Berta")
	other.reload()
	other.status = "Do Not Contact"
	other.save()


def test_a_lead_with_nothing_open_is_hidden_without_a_word():
	lead = make_lead()
	api.opt_out(lead.name)
	lead = frappe.get_doc("Lead", lead.name)
	lead.disabled = 1
	lead.save()


def rows_of(lead) -> list:
	return [row for row in leads_at_risk.execute({})[1] if row["lead"] == lead.name]


def test_a_hidden_lead_with_open_clocks_is_at_risk(lead):
	frappe.db.set_value("Lead", lead.name, "disabled", 1)
	(row,) = rows_of(lead)
	assert "Hidden" in row["faults"]
	assert leads_at_risk.execute({"fault": "Hidden"})[1]


@pytest.mark.parametrize("status", ["Opportunity", "Quotation"])
def test_a_lead_whose_status_says_what_no_document_does_stays_in_work(lead, status):
	frappe.db.set_value("Lead", lead.name, "status", status)
	frappe.db.set_value("Lead", lead.name, "lead_owner", None)
	assert risks.NO_OWNER in risks.countdown(lead.name)["faults"]
