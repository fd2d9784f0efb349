"""What is held at the gate beside Opportunities, and what is hidden behind it."""

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_opportunity, make_quotation, make_sales_ready
from lead_quality.qualification.gate import NotSalesReadyError


@pytest.fixture
def lead():
	return make_lead()


def set_gate(**modes: str):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.update(modes)
	settings.save()


def new_customer(**values):
	return frappe.get_doc({"doctype": "Customer", "customer_name": "New Works", **values})


def make_prospect(*leads: str):
	company = frappe.defaults.get_global_default("company")
	rows = [{"lead": lead} for lead in leads]
	return frappe.get_doc(
		{"doctype": "Prospect", "company_name": "Prospect Works", "company": company, "leads": rows}
	).insert()


def test_quotations_and_customers_pass_as_long_as_the_settings_do_not_say_otherwise(lead):
	assert make_quotation(lead=lead.name).docstatus == 1
	assert new_customer(lead_name=lead.name).insert().name


def test_a_quotation_is_held_at_the_gate_where_the_settings_say_so(lead):
	set_gate(quotation_gate="Enforce")
	with pytest.raises(NotSalesReadyError, match="Budget"):
		make_quotation(lead=lead.name)
	make_sales_ready(lead.name)
	assert make_quotation(lead=lead.name).docstatus == 1


def test_a_customer_is_held_at_the_gate_where_the_settings_say_so(lead):
	set_gate(customer_gate="Enforce")
	prospect = make_prospect(lead.name)
	for made_from in ({"lead_name": lead.name}, {"prospect_name": prospect.name}):
		with pytest.raises(NotSalesReadyError, match="Budget"):
			new_customer(**made_from).insert(ignore_permissions=True)
	assert new_customer().insert().name
	make_sales_ready(lead.name)
	assert new_customer(customer_name="Ready Works", lead_name=lead.name).insert().name


def test_a_customer_that_is_given_to_a_lead_afterwards_is_held_too(lead):
	set_gate(customer_gate="Enforce")
	customer = new_customer().insert()
	customer.lead_name = lead.name
	with pytest.raises(NotSalesReadyError):
		customer.save()


def test_what_follows_from_an_opportunity_that_has_passed_is_not_held_again(lead):
	set_gate(quotation_gate="Enforce", customer_gate="Enforce")
	api.override_gate(lead.name, "Override: Strategic account")
	opportunity = make_opportunity(lead.name)
	assert make_quotation(opportunity=opportunity.name).docstatus == 1
	assert new_customer(opportunity_name=opportunity.name).insert().name


def test_an_opportunity_that_has_slipped_through_does_not_open_the_gate_for_what_follows(lead):
	set_gate(opportunity_gate="Warn", quotation_gate="Enforce")
	opportunity = make_opportunity(lead.name)
	with pytest.raises(NotSalesReadyError):
		make_quotation(opportunity=opportunity.name)


def test_an_override_is_used_up_by_the_document_that_it_was_used_for(lead):
	set_gate(quotation_gate="Enforce")
	leave = api.override_gate(lead.name, "Override: Strategic account")
	quotation = make_quotation(lead=lead.name)
	leave.reload()
	assert (leave.reference_doctype, leave.reference_name) == ("Quotation", quotation.name)
	with pytest.raises(NotSalesReadyError):
		make_quotation(lead=lead.name)


def test_on_warn_a_quotation_is_made_with_a_message(lead):
	set_gate(quotation_gate="Warn")
	assert make_quotation(lead=lead.name).docstatus == 1
	assert any("not sales ready" in str(message) for message in frappe.message_log)


def test_a_refusal_names_who_can_fill_in_what_is_missing_and_who_can_override(lead, make_user, as_user):
	owner = make_user("owner@gate.example", "Sales User", first_name="Olga")
	frappe.db.set_value("Lead", lead.name, "lead_owner", owner)
	with pytest.raises(NotSalesReadyError, match=r"ask its owner.*Olga.*Sales Manager.* can override"):
		make_opportunity(lead.name)


def test_the_gate_can_be_asked_before_anything_is_made(lead):
	asked = api.check_gate(lead.name)
	assert not asked["passes"]
	assert "Budget" in asked["message"]
	assert api.check_gate(lead.name, "Quotation") == {"passes": True, "message": None}
	make_sales_ready(lead.name)
	assert api.check_gate(lead.name) == {"passes": True, "message": None}
	assert frappe.db.count("Prospect") == 0


def test_new_leads_stay_out_of_sales_users_lists_where_the_settings_say_so(make_user, as_user):
	seller = make_user("seller@hidden.example", "Sales User")
	manager = make_user("manager@hidden.example", "Sales Manager", "Sales User")
	raw, ready, handed, own = (make_lead(first_name=name) for name in ("Raw", "Ready", "Handed", "Own"))
	for lead in (ready, handed):
		make_sales_ready(lead.name)
	api.send_handover(handed.name, seller)
	api.qualify(handed.name, decision="Nurture")
	frappe.db.set_value("Lead", own.name, "lead_owner", seller)
	for hide, hidden in ((0, set()), (1, {raw.name})):
		set_gate(hide_unqualified_leads=hide)
		for user, missing in ((seller, hidden), (manager, set())):
			with as_user(user):
				seen = set(frappe.get_list("Lead", pluck="name", limit=0))
				assert {raw.name, ready.name, handed.name, own.name} - seen == missing
				for lead in (raw, ready, handed, own):
					assert frappe.has_permission("Lead", "read", doc=lead.name) == (lead.name not in missing)


def test_what_hangs_on_a_hidden_lead_is_hidden_too(make_user, as_user):
	seller = make_user("seller@hidden.example", "Sales User")
	lead = make_lead()
	set_gate(hide_unqualified_leads=1)
	with as_user(seller):
		assert not frappe.get_list("Lead Touch", {"lead": lead.name})
		with pytest.raises(frappe.PermissionError):
			api.get_panel(lead.name)
