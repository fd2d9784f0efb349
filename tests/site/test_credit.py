"""Which lead an opportunity and an order go back to, by whatever way they were made."""

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import make_customer

from lead_quality.demo.factories import (
	make_item,
	make_lead,
	make_opportunity,
	make_prospect,
	make_quotation,
	make_sales_order,
	make_sales_ready,
)
from lead_quality.funnel import credit
from lead_quality.funnel.jobs import reconcile_all_stages, reconcile_stages
from lead_quality.lead_quality.report.goals.goals import Goals
from lead_quality.lead_quality.report.stage_conversion import stage_conversion


@pytest.fixture
def lead():
	lead = make_lead()
	make_sales_ready(lead.name)
	return lead


def opportunity_of(kind: str, party: str, **values):
	return frappe.get_doc(
		{
			"doctype": "Opportunity",
			"opportunity_from": kind,
			"party_name": party,
			"company": frappe.defaults.get_global_default("company"),
			"items": [{"item_code": make_item(), "qty": 1, "rate": 100, "uom": "Nos"}],
			**values,
		}
	).insert()


def quotation_to(kind: str, party: str, submit: bool = True, **values):
	doc = frappe.get_doc(
		{
			"doctype": "Quotation",
			"quotation_to": kind,
			"party_name": party,
			"company": frappe.defaults.get_global_default("company"),
			"items": [{"item_code": make_item(), "qty": 1, "rate": 100}],
			**values,
		}
	).insert()
	return doc.submit() if submit else doc


def order_for(customer: str):
	return (
		frappe.get_doc(
			{
				"doctype": "Sales Order",
				"customer": customer,
				"delivery_date": frappe.utils.add_days(frappe.utils.today(), 10),
				"items": [{"item_code": make_item(), "qty": 1, "rate": 100}],
			}
		)
		.insert()
		.submit()
	)


def customer_with(**values):
	return frappe.get_doc({"doctype": "Customer", "customer_name": "Credited Works", **values}).insert()


# the ways to an order; each returns it


def by_quotation(lead):
	return make_sales_order(make_quotation(lead=lead.name).name)


def by_opportunity(lead):
	return make_sales_order(make_quotation(opportunity=make_opportunity(lead.name).name).name)


def by_customer(lead):
	return order_for(make_customer(lead.name).insert().name)


def by_customer_of_opportunity(lead):
	return order_for(customer_with(opportunity_name=make_opportunity(lead.name).name).name)


def by_quotation_of_prospect(lead):
	return make_sales_order(quotation_to("Prospect", make_prospect(lead.name).name).name)


def by_customer_of_prospect(lead):
	return order_for(customer_with(prospect_name=make_prospect(lead.name).name).name)


def by_opportunity_of_prospect(lead):
	opportunity = opportunity_of("Prospect", make_prospect(lead.name).name)
	return make_sales_order(make_quotation(opportunity=opportunity.name).name)


def by_item_of_opportunity(lead):
	"""The quotation names the opportunity in its rows only."""
	quotation = make_quotation(opportunity=make_opportunity(lead.name).name)
	assert frappe.db.exists("Quotation Item", {"parent": quotation.name, "prevdoc_doctype": "Opportunity"})
	customer = customer_with()
	of_customer = {"quotation_to": "Customer", "party_name": customer.name, "contact_person": None}
	frappe.db.set_value("Quotation", quotation.name, {"opportunity": None, **of_customer})
	return make_sales_order(quotation.name)


WAYS = [
	by_quotation,
	by_opportunity,
	by_customer,
	by_customer_of_opportunity,
	by_quotation_of_prospect,
	by_customer_of_prospect,
	by_opportunity_of_prospect,
	by_item_of_opportunity,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_order_is_the_sale_of_the_lead_that_it_goes_back_to(lead, way):
	order = way(lead)
	row = frappe.get_last_doc("Lead Stage Log", {"lead": lead.name, "stage": "sale"})
	assert (row.reference_doctype, row.reference_name) == ("Sales Order", order.name)
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "sale"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_order_that_no_hook_has_seen_is_found_by_the_hourly_job_with_the_value_of_the_order(lead, way):
	order = way(lead)
	forget_stages(lead.name)
	reconcile_stages()
	row = frappe.get_last_doc("Lead Stage Log", {"lead": lead.name, "stage": "sale"})
	assert (row.reference_name, row.value, row.is_derived) == (order.name, order.grand_total, 1)
	assert frappe.db.count("Lead Stage Log", {"lead": lead.name, "stage": "sale"}) == 1
	assert reconcile_stages()["done"] == 0


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_cancelled_order_takes_the_sale_back_by_whatever_way_it_came(lead, way):
	order = way(lead)
	order.reload()
	order.cancel()
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") != "sale"


def forget_stages(lead: str):
	"""As if nothing after the lead's entry had been seen."""
	frappe.db.delete("Lead Stage Log", {"lead": lead, "stage": ["!=", "target"]})
	frappe.db.set_value("Lead", lead, "lq_stage", "target", update_modified=False)


def test_a_quotation_goes_before_the_customer(lead):
	other = make_lead(first_name="Berta")
	make_sales_ready(other.name)
	customer = make_customer(other.name).insert()
	order = make_sales_order(make_quotation(lead=lead.name).name, submit=False)
	order.update({"customer": customer.name, "contact_person": None})
	order.save()
	order.submit()
	assert credit.leads_of_orders([order.name]) == {order.name: [lead.name]}
	assert frappe.db.get_value("Lead", other.name, "lq_stage") == "target"
	reconcile_stages()
	assert frappe.db.get_value("Lead", other.name, "lq_stage") == "target"


def test_of_a_prospect_one_lead_is_credited_also_if_another_becomes_sales_ready_later(lead):
	raw = make_lead(first_name="Raw")
	by_quotation_of = quotation_to("Prospect", make_prospect(raw.name, lead.name).name)
	make_sales_order(by_quotation_of.name)
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "sale"
	frappe.db.set_value("Lead", raw.name, {"lq_verdict": "Sales Ready"})
	frappe.db.set_value("Lead", lead.name, {"lq_verdict": "Open"})
	reconcile_stages()
	assert frappe.db.get_value("Lead", raw.name, "lq_stage") == "target"
	assert frappe.db.count("Lead Stage Log", {"stage": "sale", "lead": ["in", [raw.name, lead.name]]}) == 1


# nothing is credited by nothing


EMPTY = ("", None)


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("field", ["lead_name", "opportunity_name", "prospect_name"])
def test_an_order_of_a_customer_that_names_nobody_is_no_leads_sale(lead, field, empty):
	customer = customer_with()
	frappe.db.set_value("Customer", customer.name, field, empty)
	order_for(customer.name)
	for status in ("Interested", "Open"):
		doc = frappe.get_doc("Lead", lead.name)
		doc.status = status
		doc.save()
		doc.db_set("status", "Replied")
	reconcile_stages()
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"
	assert not frappe.db.exists("Lead Stage Log", {"stage": "sale", "lead": lead.name})


@pytest.mark.parametrize("empty", EMPTY)
def test_a_quotation_that_names_no_opportunity_is_no_leads(lead, empty):
	quotation = quotation_to("Customer", customer_with().name)
	frappe.db.set_value("Quotation", quotation.name, "opportunity", empty)
	make_sales_order(quotation.name)
	frappe.get_doc("Lead", lead.name).db_set("status", "Replied")
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"


def test_a_sale_that_was_credited_by_an_empty_name_is_taken_back_by_the_upgrade(lead):
	from lead_quality.patches import wrong_sales

	customer = customer_with()
	frappe.db.set_value("Customer", customer.name, "opportunity_name", "")
	order = order_for(customer.name)
	right = make_lead(first_name="Right")
	make_sales_ready(right.name)
	by_quotation(right)
	log = frappe.get_last_doc("Lead Stage Log", {"lead": lead.name, "stage": "target"})
	wrong = frappe.copy_doc(log)
	wrong.update(
		{
			"name": "wrong-sale",
			"stage": "sale",
			"left_stage": "target",
			"reference_doctype": "Sales Order",
			"reference_name": order.name,
		}
	)
	wrong.db_insert()
	frappe.db.set_value("Lead", lead.name, "lq_stage", "sale")
	wrong_sales.execute()
	wrong_sales.execute()
	assert not frappe.db.exists("Lead Stage Log", "wrong-sale")
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"
	assert frappe.db.get_value("Lead", right.name, "lq_stage") == "sale"


# the report


def figures(**filters) -> dict:
	return {row["label"]: row["value"] for row in stage_conversion.execute(filters)[4]}


def test_a_quotation_of_a_prospects_opportunity_is_counted_for_its_lead(lead, freeze):
	with freeze("2025-02-03 10:00:00") as time:
		own = make_lead(first_name="Own")
		make_sales_ready(own.name)
		opportunity = opportunity_of("Prospect", make_prospect(own.name).name)
		time.move_to("2025-02-04 10:00:00")
		quotation = make_quotation(opportunity=opportunity.name, submit=False)
		quotation.reload().submit()
	frappe.db.commit()  # a report is asked for by a request of its own
	counts = stage_conversion.StageConversion(
		{"from_date": "2025-02-03", "to_date": "2025-02-03"}
	).follow_through()
	assert (counts["opportunities"], counts["quoted"]) == (1, 1)


def test_opportunities_without_a_lead_have_a_row_of_their_own(freeze):
	with freeze("2025-02-03 10:00:00"):
		lead = make_lead(first_name="Own")
		make_sales_ready(lead.name)
		make_opportunity(lead.name)
		customer = customer_with()
		for _number in range(2):
			opportunity_of("Customer", customer.name)
	frappe.db.commit()  # a report is asked for by a request of its own
	rows = stage_conversion.execute({"from_date": "2025-02-03", "to_date": "2025-02-03"})[1]
	assert [row["reached"] for row in rows[:4]] == [1, 1, 1, 0]
	assert (rows[4]["stage"], rows[4]["reached"]) == ("No Lead", 2)
	assert rows[4]["from_previous"] is None
	# leads of a segment are asked for
	rows = stage_conversion.execute(
		{"from_date": "2025-02-03", "to_date": "2025-02-03", "segment": "Inbound"}
	)[1]
	assert len(rows) == 4


def test_opportunities_without_a_lead_are_counted_only_for_who_may_see_them(freeze, make_user, as_user):
	with freeze("2025-02-03 10:00:00"):
		opportunity_of("Customer", customer_with().name)
	qualifier = make_user("qualifier@credit.example", "Lead Qualifier")
	with as_user(qualifier):
		rows = stage_conversion.execute({"from_date": "2025-02-03", "to_date": "2025-02-03"})[1]
	assert len(rows) == 4


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_a_lead_has_won_is_of_no_lead_neither_before_nor_after_it_is_deleted(lead, way):
	def of_no_lead() -> tuple[int, int, int]:
		today = {"from_date": frappe.utils.today(), "to_date": frappe.utils.today()}
		report = stage_conversion.StageConversion(today)
		goals = [row for row in Goals(today).rows() if row.get("is_without_lead")]
		return (
			report.opportunities_without_lead,
			report.sales_without_lead,
			sum(row["won"] for row in goals),
		)

	before = of_no_lead()
	way(lead)
	frappe.db.commit()
	assert of_no_lead() == before
	other = make_lead(last_name="Colleague").name
	for prospect in frappe.get_all("Prospect Lead", {"lead": lead.name}, pluck="parent", order_by="parent"):
		doc = frappe.get_doc("Prospect", prospect)
		doc.append("leads", {"lead": other})
		doc.save()
	# a contact that other documents name cannot be deleted, nor its lead
	frappe.db.delete("Dynamic Link", {"link_doctype": "Lead", "link_name": lead.name})
	frappe.delete_doc("Lead", lead.name, force=True)
	frappe.db.commit()
	reconcile_all_stages()
	assert of_no_lead() == before
	# nor has somebody else won it
	assert frappe.db.get_value("Lead", other, "lq_stage") != "sale"
	frappe.db.delete("Prospect Lead", {"lead": other})
	assert of_no_lead()[1:] == before[1:]


def test_an_order_that_a_deleted_lead_had_lost_to_nobody_is_of_no_lead(lead):
	"""The log of the lead names it, and a later row says that it is none of the lead any more."""
	today = {"from_date": frappe.utils.today(), "to_date": frappe.utils.today()}
	before = stage_conversion.StageConversion(today).sales_without_lead
	customer = customer_with(lead_name=lead.name)
	order_for(customer.name)
	customer.lead_name = None
	customer.save()
	reconcile_stages()
	assert stage_conversion.StageConversion(today).sales_without_lead == before + 1
	frappe.db.delete("Dynamic Link", {"link_doctype": "Lead", "link_name": lead.name})
	frappe.delete_doc("Lead", lead.name, force=True)
	frappe.db.commit()
	assert stage_conversion.StageConversion(today).sales_without_lead == before + 1
	(row,) = [row for row in Goals(today).rows() if row.get("is_without_lead")]
	assert row["won"] == before + 1
