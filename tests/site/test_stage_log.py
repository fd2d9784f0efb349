"""The stage log is complete, whatever way a document takes, and nobody rewrites it."""

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import make_customer
from frappe.utils import add_to_date, get_datetime, now_datetime

from lead_quality import api
from lead_quality.demo.factories import (
	make_item,
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_order,
	make_sales_ready,
)
from lead_quality.funnel import summary
from lead_quality.funnel.jobs import reconcile_stages
from lead_quality.lead_quality.report.stage_conversion import stage_conversion
from tests.site.helpers import stage


@pytest.fixture
def lead():
	lead = make_lead()
	make_sales_ready(lead.name)
	return lead


def stages(lead) -> list[str]:
	return frappe.get_all(
		"Lead Stage Log", {"lead": lead.name}, pluck="stage", order_by="entered_at asc, creation asc"
	)


def order_for(customer: str):
	order = frappe.get_doc(
		{
			"doctype": "Sales Order",
			"customer": customer,
			"delivery_date": frappe.utils.add_days(frappe.utils.today(), 10),
			"items": [{"item_code": make_item(), "qty": 1, "rate": 100}],
		}
	)
	return order.insert().submit()


def test_the_order_for_a_leads_quotation_is_its_sale(lead):
	order = make_sales_order(make_quotation(lead=lead.name).name)
	assert stages(lead) == ["target", "sale"]
	row = frappe.get_last_doc("Lead Stage Log", {"lead": lead.name, "stage": "sale"})
	assert (row.reference_name, row.value, row.currency) == (order.name, order.grand_total, order.currency)


def test_the_order_for_the_quotation_of_a_leads_opportunity_is_its_sale(lead):
	opportunity = make_opportunity(lead.name)
	make_sales_order(make_quotation(opportunity=opportunity.name).name)
	assert stages(lead) == ["target", "opportunity", "sale"]


def test_an_order_without_quotation_counts_for_the_lead_that_the_customer_was(lead):
	customer = make_customer(lead.name).insert()
	order_for(customer.name)
	assert stages(lead) == ["target", "sale"]


def test_a_customer_that_names_its_lead_later_brings_its_orders_along(lead):
	customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Came First"}).insert()
	order = order_for(customer.name)
	customer.reload()
	customer.lead_name = lead.name
	customer.save()
	assert stages(lead) == ["target", "sale"]
	entered = frappe.db.get_value("Lead Stage Log", {"lead": lead.name, "stage": "sale"}, "entered_at")
	assert get_datetime(entered) == get_datetime(order.creation)


def test_a_customer_alone_is_no_sale(lead):
	make_customer(lead.name).insert()
	assert frappe.db.get_value("Lead", lead.name, "status") == "Converted"
	assert stage(lead) == "target"


def test_a_draft_order_is_no_sale(lead):
	make_sales_order(make_quotation(lead=lead.name).name, submit=False)
	assert stage(lead) == "target"


def test_a_second_order_is_not_a_second_sale(lead):
	customer = make_customer(lead.name).insert()
	order_for(customer.name)
	order_for(customer.name)
	assert stages(lead) == ["target", "sale"]


def test_a_cancelled_order_takes_the_sale_back_and_says_so(lead):
	opportunity = make_opportunity(lead.name)
	order = make_sales_order(make_quotation(opportunity=opportunity.name).name)
	order.reload()
	order.cancel()
	assert stages(lead) == ["target", "opportunity", "sale", "opportunity"]
	assert stage(lead) == "opportunity"
	left = frappe.get_all("Lead Stage Log", {"lead": lead.name, "left_stage": "sale"}, pluck="stage")
	assert left == ["opportunity"]


def test_one_of_two_orders_cancelled_leaves_the_sale(lead):
	customer = make_customer(lead.name).insert()
	order_for(customer.name)
	order_for(customer.name).reload().cancel()
	assert stage(lead) == "sale"


def test_a_deleted_opportunity_takes_its_stage_back(lead):
	api.log_touch(lead.name, "Phone", "Connected")
	opportunity = make_opportunity(lead.name)
	frappe.delete_doc("Opportunity", opportunity.name)
	assert stages(lead) == ["target", "prospect", "opportunity", "prospect"]


def test_a_lost_opportunity_has_been_one_all_the_same(lead):
	opportunity = make_opportunity(lead.name)
	opportunity.db_set("status", "Lost")
	assert stage(lead) == "opportunity"


def test_a_conversation_after_the_opportunity_is_no_step_back(lead):
	make_opportunity(lead.name)
	api.log_touch(lead.name, "Phone", "Connected")
	assert stages(lead) == ["target", "opportunity"]


def test_an_opportunity_of_a_prospect_counts_for_its_sales_ready_lead(lead):
	other = make_lead(first_name="Berta")
	prospect = frappe.get_doc(
		{
			"doctype": "Prospect",
			"company_name": "Prospect Works",
			"company": frappe.defaults.get_global_default("company"),
			"leads": [{"lead": other.name}, {"lead": lead.name}],
		}
	).insert()
	opportunity = frappe.get_doc(
		{
			"doctype": "Opportunity",
			"opportunity_from": "Prospect",
			"party_name": prospect.name,
			"company": prospect.company,
		}
	).insert()
	assert opportunity.lq_lead == lead.name
	assert (stage(lead), stage(other)) == ("opportunity", "target")
	assert not frappe.db.exists("Nurture Enrollment", {"lead": lead.name, "status": "Active"})


def test_touches_that_are_logged_late_do_not_repeat_a_stage(lead):
	api.log_touch(lead.name, "Phone", "Connected")
	api.log_touch(lead.name, "Phone", "Connected", done_at=add_to_date(now_datetime(), days=-2))
	api.log_touch(lead.name, "Phone", "Connected")
	assert stages(lead).count("prospect") == 1


def test_a_touch_from_before_the_lead_came_in_makes_it_a_prospect_at_its_entry(lead):
	api.log_touch(lead.name, "Phone", "Connected", done_at=add_to_date(now_datetime(), days=-2))
	assert stages(lead) == ["target", "prospect"]
	entered = frappe.get_all("Lead Stage Log", {"lead": lead.name}, pluck="entered_at")
	assert entered == [get_datetime(lead.creation)] * 2


def test_an_opportunity_that_is_older_than_its_lead_counts_from_the_leads_entry(lead):
	opportunity = frappe.get_doc(
		{"doctype": "Opportunity", "opportunity_from": "Lead", "party_name": lead.name, "status": "Open"}
	)
	opportunity.name, opportunity.creation = "OPP-OLDER", add_to_date(now_datetime(), days=-30)
	opportunity.db_insert()
	reconcile_stages()
	row = frappe.get_last_doc("Lead Stage Log", {"lead": lead.name, "stage": "opportunity"})
	assert row.entered_at == get_datetime(lead.creation)


def test_stages_that_lie_before_the_entry_are_put_right_by_the_upgrade(lead):
	from lead_quality.patches import stages_after_entry

	api.log_touch(lead.name, "Phone", "Connected")
	row = frappe.get_last_doc("Lead Stage Log", {"lead": lead.name, "stage": "prospect"})
	frappe.db.set_value("Lead Stage Log", row.name, "entered_at", add_to_date(lead.creation, days=-3))
	stages_after_entry.execute()
	stages_after_entry.execute()
	entered = frappe.db.get_value("Lead Stage Log", row.name, "entered_at")
	assert entered == get_datetime(lead.creation)


def test_a_touch_in_the_future_has_not_been_made(lead):
	with pytest.raises(frappe.ValidationError, match="lies in the future"):
		api.log_touch(lead.name, "Phone", "Connected", done_at=add_to_date(now_datetime(), days=2))


def test_the_summary_can_be_computed_again_at_any_time(lead, make_user):
	api.log_touch(lead.name, "Phone", "Connected")
	api.send_handover(lead.name, make_user("sales@summary.example", "Sales User"))
	fields = ["lq_stage", "lq_verdict", "lq_met_count", "lq_next_touch_at", "lq_due_at", "lq_handover_status"]
	before = frappe.db.get_value("Lead", lead.name, fields)
	assert None not in before
	frappe.db.set_value("Lead", lead.name, {**dict.fromkeys(fields), "lq_met_count": 0})
	summary.rebuild()
	assert frappe.db.get_value("Lead", lead.name, fields) == before


def test_leads_written_past_every_hook_are_logged_since_their_creation():
	lead = frappe.get_doc({"doctype": "Lead", "lead_name": "Old One", "title": "Old One", "status": "Lead"})
	lead.name, lead.creation = "LEAD-OLD", add_to_date(now_datetime(), years=-1)
	lead.db_insert()
	assert reconcile_stages()["done"] >= 1
	row = frappe.get_last_doc("Lead Stage Log", {"lead": "LEAD-OLD"})
	assert (row.stage, row.is_derived, row.entered_at) == ("target", 1, lead.creation)
	assert frappe.db.get_value("Lead", "LEAD-OLD", "lq_stage") == "target"
	assert reconcile_stages()["done"] == 0


def test_opportunities_written_past_every_hook_are_logged_since_their_creation(lead):
	opportunity = frappe.get_doc(
		{"doctype": "Opportunity", "opportunity_from": "Lead", "party_name": lead.name, "status": "Open"}
	)
	opportunity.name, opportunity.creation = "OPP-OLD", add_to_date(now_datetime(), days=1)
	opportunity.db_insert()
	assert reconcile_stages()["done"] == 1
	row = frappe.get_last_doc("Lead Stage Log", {"lead": lead.name, "stage": "opportunity"})
	assert (row.is_derived, row.entered_at, row.reference_name) == (1, opportunity.creation, "OPP-OLD")
	assert reconcile_stages()["done"] == 0


def test_a_status_that_erpnext_sets_without_a_save_is_seen(lead):
	opportunity = frappe.get_doc(
		{"doctype": "Opportunity", "opportunity_from": "Lead", "party_name": lead.name, "status": "Open"}
	)
	opportunity.name, opportunity.creation = "OPP-SILENT", now_datetime()
	opportunity.db_insert()
	frappe.get_doc("Lead", lead.name).set_status(update=True)
	assert stages(lead) == ["target", "opportunity"]


def test_nobody_writes_the_log_by_hand(lead):
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc(
			{
				"doctype": "Lead Stage Log",
				"lead": lead.name,
				"stage": "sale",
				"entered_at": now_datetime(),
			}
		).insert()
	row = frappe.get_last_doc("Lead Stage Log", {"lead": lead.name})
	with pytest.raises(frappe.PermissionError):
		row.save()
	with pytest.raises(frappe.PermissionError):
		row.delete()


# the report


def run(**filters) -> list[dict]:
	frappe.db.commit()  # a report is asked for by a request of its own
	return stage_conversion.execute(filters)[1]


def test_the_report_counts_a_cohort_and_never_more_than_all_of_it(freeze):
	with freeze("2025-02-03 10:00:00"):
		leads = [make_lead(company_name=f"Cohort {number}") for number in range(4)]
		api.log_touch(leads[0].name, "Phone", "Connected")
		for lead in leads[1:3]:
			make_sales_ready(lead.name)
	with freeze("2025-02-10 10:00:00"):
		for lead in leads[1:3]:
			make_opportunity(lead.name)
		make_lead(company_name="Another week")
	rows = run(from_date="2025-02-03", to_date="2025-02-03")
	assert [row["reached"] for row in rows] == [4, 3, 2, 0]
	assert [row["from_previous"] for row in rows[1:]] == [75, pytest.approx(66.67, abs=0.01), 0]
	assert [row["skipped"] for row in rows] == [0, 2, 0, 0]
	# who has not come further yet is not lost
	assert [(row["lost"], row["open"]) for row in rows] == [(0, 1), (0, 1), (0, 2), (None, None)]
	assert rows[2]["median_days"] == 7


def test_the_report_lists_each_lead_with_the_instant_of_every_stage(freeze):
	with freeze("2025-02-03 10:00:00") as time:
		lead = make_lead()
		time.move_to("2025-02-04 11:00:00")
		api.log_touch(lead.name, "Phone", "Connected")
	row = run(from_date="2025-02-03", to_date="2025-02-03", show="Leads")[0]
	assert (row["lead"], str(row["target"]), str(row["prospect"])) == (
		lead.name,
		"2025-02-03 10:00:00",
		"2025-02-04 11:00:00",
	)


def test_the_report_of_a_period_without_leads_has_dashes_and_no_error():
	rows = run(from_date="1999-01-01", to_date="1999-01-31")
	assert [(row["reached"], row["from_previous"]) for row in rows] == [(0, None)] * 4


def test_the_report_can_be_narrowed_to_a_source(freeze):
	with freeze("2025-02-03 10:00:00"):
		make_lead(source="Campaign")
		make_lead(source="Exhibition")
	period = {"from_date": "2025-02-03", "to_date": "2025-02-03"}
	assert run(**period, source="Exhibition")[0]["reached"] == 1
	assert run(**period, segment="Inbound")[0]["reached"] == 1


def test_the_report_counts_only_leads_that_the_reader_may_see(freeze, make_user, as_user):
	reader = make_user("reader@report.example", "Sales User")
	with freeze("2025-02-03 10:00:00"):
		mine, _other = make_lead(), make_lead()
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Lead", "for_value": mine.name}
	).insert()
	with as_user(reader):
		assert run(from_date="2025-02-03", to_date="2025-02-03")[0]["reached"] == 1


def test_the_report_runs_without_any_filter(lead):
	assert run()[0]["reached"] >= 1
