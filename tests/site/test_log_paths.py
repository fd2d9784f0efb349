"""The stage log is complete by whatever way something comes to ERPNext: a test for each.

What came past every document event is in the log within the hour, and so is what a listener has left undone.
"""

import json

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import make_customer
from frappe.client import insert, set_value
from frappe.core.doctype.data_import.importer import Importer
from frappe.desk.form.save import savedocs
from frappe.utils import add_days, add_to_date, get_datetime, now_datetime, today

from lead_quality import api
from lead_quality.demo.factories import (
	make_item,
	make_lead,
	make_opportunity,
	make_prospect,
	make_quotation,
	make_sales_order,
	make_sales_ready,
)
from lead_quality.funnel import corrections
from lead_quality.funnel.jobs import reconcile_all_stages, reconcile_stages
from lead_quality.lead_quality.report.goals import goals
from lead_quality.lead_quality.report.stage_conversion import stage_conversion
from tests.site import oracle
from tests.site.helpers import company, lead_by_mail


@pytest.fixture
def lead():
	lead = make_lead()
	make_sales_ready(lead.name)
	return lead


def order_for(customer: str, **values):
	values = {"customer": customer, "delivery_date": add_days(today(), 10), **values}
	items = [{"item_code": make_item(), "qty": 1, "rate": 100}]
	return frappe.get_doc({"doctype": "Sales Order", **values, "items": items}).insert().submit()


def opportunity_of(kind: str, party: str):
	values = {"opportunity_from": kind, "party_name": party, "company": company()}
	return frappe.get_doc({"doctype": "Opportunity", **values}).insert()


def customer_with(**values):
	return frappe.get_doc({"doctype": "Customer", "customer_name": "Log Works", **values}).insert()


def imported(lead: str | None, columns: str, values: str):
	"""As Data Import does it with a file: a new lead, or, with the name of one, another value."""
	kind, head, row = (
		("Update Existing Records", f"ID,{columns}", f"{lead},{values}")
		if lead
		else ("Insert New Records", columns, values)
	)
	file = frappe.get_doc({"doctype": "File", "file_name": "log.csv", "content": f"{head}\n{row}\n"}).insert()
	doc = frappe.new_doc("Data Import", reference_doctype="Lead", import_type=kind, import_file=file.file_url)
	doc.insert()
	frappe.db.delete("Data Import Log", {"data_import": doc.name})
	Importer("Lead", data_import=doc).import_data()
	assert frappe.get_all("Data Import Log", {"data_import": doc.name}, pluck="success") == [1]


def written(lead: str) -> list[tuple]:
	"""What the log says of a lead, in the order in which it was written: stage, the stage it left, and which document
	proves it. What stands in the place of a row is marked."""
	return [
		(row.stage, row.left_stage, row.reference_name, *(("corrected",) if row.corrects else ()))
		for row in frappe.get_all(
			"Lead Stage Log",
			{"lead": lead},
			["stage", "left_stage", "reference_name", "corrects"],
			order_by="creation asc, entered_at asc",
		)
	]


TARGET = ("target", None, None)


def in_the_log(lead: str, *rows: tuple):
	"""What is written after the lead has come in, that its summary says so, and that all else agrees."""
	assert written(lead) == [TARGET, *rows]
	assert frappe.db.get_value("Lead", lead, "lq_stage") == (rows or [TARGET])[-1][0]
	frappe.db.commit()
	assert [wrong for wrong in oracle.wrong_stages() if wrong.startswith(f"{lead} ")] == []
	assert wrong_journey(lead) == []


def wrong_journey(lead: str) -> list[str]:
	return [wrong for wrong in oracle.wrong_journeys() if wrong.startswith(f"{lead}: ")]


# A lead comes in


def by_form() -> str:
	doc = {"doctype": "Lead", "name": "new-lead-1", "__islocal": 1, "first_name": "Formed", "status": "Lead"}
	savedocs(json.dumps(doc), "Save")
	return frappe.db.get_value("Lead", {"first_name": "Formed"})


def by_api() -> str:
	return insert({"doctype": "Lead", "first_name": "Called"}).name


def by_import() -> str:
	imported(None, "First Name", "Filed")
	return frappe.db.get_value("Lead", {"first_name": "Filed"})


@pytest.mark.parametrize("way", [by_form, by_api, by_import, lead_by_mail], ids=lambda way: way.__name__)
def test_a_lead_is_in_the_log_as_soon_as_it_has_come_in(way):
	in_the_log(way())


def test_a_lead_that_was_inserted_in_bulk_is_in_the_log_within_the_hour():
	reconcile_stages()
	doc = frappe.get_doc({"doctype": "Lead", "lead_name": "In Bulk", "title": "In Bulk", "status": "Lead"})
	doc.name, doc.creation = "LEAD-BULK", add_to_date(now_datetime(), days=-3)
	frappe.db.bulk_insert(
		"Lead",
		["name", "creation", "modified", "lead_name", "title", "status"],
		[[doc.name, doc.creation, doc.creation, doc.lead_name, doc.title, doc.status]],
	)
	reconcile_stages()
	in_the_log(doc.name)
	row = frappe.get_last_doc("Lead Stage Log", {"lead": doc.name})
	assert (row.entered_at, row.is_derived) == (doc.creation, 1)


# Its status is changed, and nothing has happened


def status_by_form(lead):
	doc = frappe.get_doc("Lead", lead.name)
	doc.status = "Interested"
	doc.save()


def status_by_api(lead):
	set_value("Lead", lead.name, "status", "Interested")


def status_by_import(lead):
	imported(lead.name, "Status", "Interested")


def status_by_db_set(lead):
	frappe.get_doc("Lead", lead.name).db_set("status", "Converted")


def status_by_db_set_value(lead):
	frappe.db.set_value("Lead", lead.name, "status", "Converted")


def status_reopened(lead):
	for status in ("Do Not Contact", "Open"):
		doc = frappe.get_doc("Lead", lead.name)
		doc.status = status
		doc.save()


@pytest.mark.parametrize(
	"way",
	[
		status_by_form,
		status_by_api,
		status_by_import,
		status_by_db_set,
		status_by_db_set_value,
		status_reopened,
	],
	ids=lambda way: way.__name__,
)
def test_a_status_that_no_document_proves_is_no_stage(lead, way):
	way(lead)
	reconcile_stages()
	in_the_log(lead.name)


# Documents are made from it


def test_an_answer_by_mail_is_in_the_log(freeze):
	with freeze("2026-03-02 10:00:00") as clock:
		lead = make_lead()
		clock.move_to("2026-03-02 10:10:00")
		api.log_touch(lead.name, "Phone", "No Answer")
		clock.move_to("2026-03-02 12:00:00")
		values = {"sent_or_received": "Received", "communication_medium": "Email", "sender": lead.email_id}
		reference = {"reference_doctype": "Lead", "reference_name": lead.name}
		frappe.get_doc(
			{"doctype": "Communication", "subject": "Yes", "content": "Call me.", **values, **reference}
		).insert()
	touch = frappe.db.get_value("Lead Touch", {"lead": lead.name, "direction": "Inbound"})
	in_the_log(lead.name, ("prospect", "target", touch))


def test_an_opportunity_from_a_prospect_is_in_the_log(lead):
	opportunity = opportunity_of("Prospect", make_prospect(lead.name, name="Prospect of the Log").name)
	in_the_log(lead.name, ("opportunity", "target", opportunity.name))


def test_an_opportunity_without_a_lead_is_in_no_leads_log_until_it_is_given_to_one(lead):
	opportunity = opportunity_of("Customer", customer_with().name)
	reconcile_stages()
	in_the_log(lead.name)
	opportunity.reload()
	opportunity.update({"opportunity_from": "Lead", "party_name": lead.name})
	opportunity.save()
	in_the_log(lead.name, ("opportunity", "target", opportunity.name))


def test_an_order_without_a_quotation_is_in_the_log(lead):
	order = order_for(make_customer(lead.name).insert().name)
	in_the_log(lead.name, ("sale", "target", order.name))


def test_a_cancelled_and_amended_order_leaves_the_stage_and_enters_it_again(lead):
	opportunity = make_opportunity(lead.name)
	order = make_sales_order(make_quotation(opportunity=opportunity.name).name)
	order.reload().cancel()
	amended = frappe.copy_doc(order)
	amended.amended_from, amended.docstatus, amended.status = order.name, 0, "Draft"
	amended.insert().submit()
	in_the_log(
		lead.name,
		("opportunity", "target", opportunity.name),
		("sale", "opportunity", order.name),
		("opportunity", "sale", None),
		("sale", "opportunity", amended.name),
	)


def test_a_second_opportunity_stands_for_one_that_was_deleted(lead):
	first = make_opportunity(lead.name)
	second = make_opportunity(lead.name)
	frappe.delete_doc("Opportunity", first.name)
	in_the_log(
		lead.name, ("opportunity", "target", first.name), ("opportunity", "target", second.name, "corrected")
	)
	journey = frappe.get_doc("Lead Journey", lead.name)
	assert journey.opportunity_at == get_datetime(second.creation)


def test_a_lead_that_has_bought_has_never_had_the_opportunity_that_was_deleted(lead):
	opportunity = make_opportunity(lead.name)
	order = order_for(make_customer(lead.name).insert().name)
	frappe.delete_doc("Opportunity", opportunity.name)
	in_the_log(
		lead.name,
		("opportunity", "target", opportunity.name),
		("sale", "opportunity", order.name),
		("sale", "sale", None, "corrected"),
	)
	journey = frappe.get_doc("Lead Journey", lead.name)
	assert (journey.opportunity_at, bool(journey.sale_at), journey.stage) == (None, True, "sale")


def test_an_order_stands_for_the_one_before_it_that_was_cancelled(lead):
	customer = make_customer(lead.name).insert().name
	first, second = order_for(customer), order_for(customer)
	first.reload().cancel()
	in_the_log(lead.name, ("sale", "target", first.name), ("sale", "target", second.name, "corrected"))
	journey = frappe.get_doc("Lead Journey", lead.name)
	assert journey.sale_at == get_datetime(second.creation)
	assert journey.company_value == second.base_grand_total
	(customers,) = [
		row
		for row in goals.execute({"from_date": today(), "to_date": today(), "show": "Customers"})[1]
		if row["lead"] == lead.name
	]
	assert customers["sales_order"] == second.name


# The lead itself goes on


def test_the_log_goes_with_a_renamed_lead(lead):
	api.log_touch(lead.name, "Phone", "Connected")
	before = written(lead.name)
	frappe.rename_doc("Lead", lead.name, "LEAD-LOGGED")
	in_the_log("LEAD-LOGGED", *before[1:])
	assert written(lead.name) == []


def test_the_log_names_a_renamed_opportunity(lead):
	opportunity = make_opportunity(lead.name)
	frappe.rename_doc("Opportunity", opportunity.name, "OPP-LOGGED", force=True)
	reconcile_all_stages()
	in_the_log(lead.name, ("opportunity", "target", "OPP-LOGGED"))


def test_the_logs_of_two_merged_leads_are_one(lead):
	other = make_lead(first_name="Double")
	make_sales_ready(other.name)
	opportunity = make_opportunity(other.name)
	frappe.db.commit()
	frappe.rename_doc("Lead", other.name, lead.name, merge=True)
	assert sorted(written(lead.name), key=str) == sorted(
		[TARGET, TARGET, ("opportunity", "target", opportunity.name)], key=str
	)
	reconcile_all_stages()
	assert len(written(lead.name)) == 3
	assert wrong_journey(lead.name) == []


def test_the_log_of_a_deleted_lead_stays_without_its_name(lead):
	api.log_touch(lead.name, "Phone", "Connected")
	names = frappe.get_all("Lead Stage Log", {"lead": lead.name}, pluck="name")
	frappe.delete_doc("Lead", lead.name)
	(remnant,) = set(frappe.get_all("Lead Stage Log", {"name": ["in", names]}, pluck="lead"))
	assert [row[:2] for row in written(remnant)] == [("target", None), ("prospect", "target")]
	assert remnant.startswith("deleted-")


def test_a_lead_that_is_worked_on_again_enters_no_stage_twice(lead):
	api.log_touch(lead.name, "Phone", "Connected")
	touch = frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Done"})
	status_reopened(lead)
	api.log_touch(lead.name, "Phone", "Connected")
	reconcile_stages()
	in_the_log(lead.name, ("prospect", "target", touch))


# Past every document event


def test_a_customer_that_is_given_its_lead_past_its_events_brings_its_order(lead):
	customer = customer_with()
	order = order_for(customer.name)
	reconcile_stages()
	frappe.db.set_value("Customer", customer.name, "lead_name", lead.name)
	reconcile_stages()
	in_the_log(lead.name, ("sale", "target", order.name))


def cancelled(doc):
	frappe.db.set_value(doc.doctype, doc.name, "docstatus", 2)


def deleted(doc):
	frappe.db.delete(doc.doctype, {"name": doc.name})


@pytest.mark.parametrize("goes", [cancelled, deleted], ids=lambda goes: goes.__name__)
def test_an_order_that_goes_past_its_events_is_no_sale_within_the_hour(lead, goes):
	order = order_for(make_customer(lead.name).insert().name)
	reconcile_stages()
	goes(order)
	reconcile_stages()
	in_the_log(lead.name, ("sale", "target", order.name), ("target", "sale", None))
	assert reconcile_stages()["done"] == 0


def test_an_order_whose_customer_is_taken_from_the_lead_past_its_events_is_no_sale_within_the_hour(lead):
	customer = make_customer(lead.name).insert()
	order = order_for(customer.name)
	reconcile_stages()
	frappe.db.set_value("Customer", customer.name, "lead_name", None)
	reconcile_stages()
	in_the_log(lead.name, ("sale", "target", order.name), ("target", "sale", None))


def test_an_opportunity_that_was_deleted_past_its_events_is_none_within_the_hour(lead):
	opportunity = make_opportunity(lead.name)
	reconcile_stages()
	deleted(opportunity)
	reconcile_stages()
	in_the_log(lead.name, ("opportunity", "target", opportunity.name), ("target", "opportunity", None))
	assert reconcile_stages()["done"] == 0


def test_what_is_right_is_not_looked_at_every_hour(lead):
	"""A lead that has bought again after a cancelled order, and one that stepped back."""
	customer = make_customer(lead.name).insert().name
	order_for(customer).reload().cancel()
	order_for(customer)
	other = make_lead(first_name="Back")
	make_sales_ready(other.name)
	make_opportunity(other.name)
	order_for(make_customer(other.name).insert().name).reload().cancel()
	assert {lead.name, other.name}.isdisjoint(corrections.unproved(add_days(now_datetime(), 1)))


@pytest.mark.allow_listener_errors
@pytest.mark.parametrize("moment", ["cancelled", "deleted"])
def test_what_a_failed_listener_has_left_in_the_log_is_put_right_within_the_hour(lead, moment, monkeypatch):
	document = (
		order_for(make_customer(lead.name).insert().name)
		if moment == "cancelled"
		else make_opportunity(lead.name)
	)
	with monkeypatch.context() as broken:
		broken.setattr(corrections, "review_documents", lambda lead, now=None: 1 / 0)
		if moment == "cancelled":
			document.reload().cancel()
		else:
			frappe.delete_doc("Opportunity", document.name)
	stage = "sale" if moment == "cancelled" else "opportunity"
	in_the_log(lead.name, (stage, "target", document.name))
	reconcile_stages()
	in_the_log(lead.name, (stage, "target", document.name), ("target", stage, None))


# As of then


def test_an_order_that_took_another_ones_place_counts_as_of_then_as_it_did_then(freeze):
	with freeze("2025-03-03 09:00") as clock:
		lead = make_lead(first_name="Then")
		make_sales_ready(lead.name)
		clock.move_to("2025-03-05 09:00:00.000001")
		customer = make_customer(lead.name).insert().name
		first = order_for(customer)
		clock.move_to("2025-03-20 09:00:00.000001")
		order_for(customer)
		clock.move_to("2025-03-25 09:00:00.000001")
		first.reload().cancel()
		frappe.db.commit()
		period = {"from_date": "2025-03-03", "to_date": "2025-03-03", "within_days": 5}
		now = stage_conversion.execute(period)[1]
		then = stage_conversion.execute({**period, "as_of": "2025-03-12"})[1]
	assert (now[-1]["reached"], then[-1]["reached"]) == (0, 1)
