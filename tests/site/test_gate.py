"""What is held at the gate beside Opportunities, and what is hidden behind it."""

import frappe
import pytest
from frappe.utils import add_to_date

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
from lead_quality.qualification import gate
from lead_quality.qualification.gate import NotSalesReadyError


def set_gate(**modes: str):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.update(modes)
	settings.save()


def new_customer(**values):
	return frappe.get_doc({"doctype": "Customer", "customer_name": "New Works", **values})


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
	leave = api.override_gate(lead.name, "Override: Strategic account", doctype="Quotation")
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


# what follows from something else


@pytest.fixture
def passed():
	"""An Opportunity of another lead, which was sales ready when it was made."""
	other = make_lead(first_name="Berta")
	make_sales_ready(other.name)
	return make_opportunity(other.name)


def test_a_quotation_does_not_pass_by_naming_the_opportunity_of_somebody_else(lead, passed):
	set_gate(quotation_gate="Enforce")
	quotation = frappe.copy_doc(make_quotation(opportunity=passed.name, submit=False))
	assert quotation.opportunity == passed.name
	quotation.party_name = lead.name
	with pytest.raises(NotSalesReadyError, match="Budget"):
		quotation.insert()


def test_a_customer_does_not_pass_by_naming_the_opportunity_of_somebody_else(lead, passed):
	set_gate(customer_gate="Enforce")
	prospect = make_prospect(lead.name)
	for own in ({"lead_name": lead.name}, {"prospect_name": prospect.name}):
		with pytest.raises(NotSalesReadyError, match="Budget"):
			new_customer(opportunity_name=passed.name, **own).insert(ignore_permissions=True)


def test_a_customer_of_an_opportunity_that_has_passed_names_its_lead_and_passes(lead):
	set_gate(customer_gate="Enforce")
	api.override_gate(lead.name, "Override: Strategic account")
	opportunity = make_opportunity(lead.name)
	assert new_customer(opportunity_name=opportunity.name, lead_name=lead.name).insert().name


def test_an_opportunity_of_a_customer_is_marked_by_nobody():
	customer = new_customer().insert()
	company = frappe.defaults.get_global_default("company")
	values = {"doctype": "Opportunity", "opportunity_from": "Customer", "party_name": customer.name}
	forged = {"lq_verdict": "Sales Ready", "lq_segment": "Inbound"}
	opportunity = frappe.get_doc({**values, **forged, "company": company}).insert()
	assert not opportunity.lq_verdict
	assert not opportunity.lq_segment
	assert not gate.has_passed(opportunity.name)


def test_an_opportunity_that_is_given_to_a_customer_loses_its_mark(passed):
	customer = new_customer().insert()
	passed.update({"opportunity_from": "Customer", "party_name": customer.name, "lq_verdict": "Sales Ready"})
	passed.save()
	assert not frappe.db.get_value("Opportunity", passed.name, "lq_verdict")


def test_a_quotation_that_is_amended_passes_as_the_one_before_it_did(lead):
	set_gate(quotation_gate="Enforce")
	api.override_gate(lead.name, "Override: Strategic account", doctype="Quotation")
	quotation = make_quotation(lead=lead.name)
	quotation.cancel()
	amended, foreign = (frappe.copy_doc(quotation) for _copy in range(2))
	for copy in (amended, foreign):
		copy.amended_from = quotation.name
		for row in (copy, *copy.get_all_children()):
			row.docstatus = 0
	assert amended.insert().name
	foreign.party_name = make_lead(first_name="Berta").name
	with pytest.raises(NotSalesReadyError):
		foreign.insert()


def test_a_draft_that_slipped_through_opens_no_gate_for_another(lead):
	set_gate(quotation_gate="Warn")
	quotation = make_quotation(lead=lead.name, submit=False)
	set_gate(quotation_gate="Enforce")
	again = frappe.copy_doc(quotation)
	again.amended_from = quotation.name
	with pytest.raises(NotSalesReadyError):
		again.insert()


def test_an_order_from_a_quotation_that_is_out_makes_its_customer_past_the_gate(lead):
	set_gate(customer_gate="Enforce")
	quotation = make_quotation(lead=lead.name)
	order = make_sales_order(quotation.name)
	assert order.docstatus == 1
	assert frappe.db.get_value("Customer", order.customer, "lead_name") == lead.name


def test_a_quotation_that_is_a_draft_opens_no_gate_for_the_customer(lead):
	set_gate(customer_gate="Enforce")
	make_quotation(lead=lead.name, submit=False)
	make_quotation(lead=make_lead(first_name="Berta").name)
	with pytest.raises(NotSalesReadyError):
		new_customer(lead_name=lead.name).insert()


# who is told what


def test_a_refusal_says_nothing_of_a_lead_that_the_user_may_not_see(lead, make_user, as_user):
	set_gate(hide_unqualified_leads=1)
	company = frappe.defaults.get_global_default("company")
	values = {"doctype": "Opportunity", "opportunity_from": "Lead", "party_name": lead.name}
	with as_user(make_user("seller@hidden.example", "Sales User")):
		with pytest.raises(NotSalesReadyError) as refused:
			frappe.get_doc({**values, "company": company}).insert()
		asked = gate.check(lead.name, "Opportunity")
	assert not asked["passes"]
	for message in (str(refused.value), asked["message"]):
		assert lead.name in message
		assert "Ask a" in message
		assert "Sales Manager" in message
		for hidden in (lead.title, "Keller", "Budget"):
			assert hidden not in message


def test_a_warning_says_nothing_of_a_lead_that_the_user_may_not_see(lead, make_user, as_user):
	set_gate(hide_unqualified_leads=1, opportunity_gate="Warn")
	company = frappe.defaults.get_global_default("company")
	values = {"doctype": "Opportunity", "opportunity_from": "Lead", "party_name": lead.name}
	frappe.clear_messages()
	with as_user(make_user("seller@hidden.example", "Sales User")):
		frappe.get_doc({**values, "company": company}).insert()
	(warning,) = (str(message) for message in frappe.message_log if "not sales ready" in str(message))
	assert lead.name in warning
	assert "Budget" not in warning
	assert lead.title not in warning


# by which lead it passes


def opportunity_of(prospect):
	values = {"doctype": "Opportunity", "opportunity_from": "Prospect", "party_name": prospect.name}
	return frappe.get_doc({**values, "company": prospect.company})


def only_own(user: str, *leads: str):
	for lead in leads:
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Lead", "for_value": lead}
		).insert()


def test_a_ready_lead_of_somebody_else_opens_no_gate(lead, make_user, as_user):
	ready = make_lead(first_name="Ready")
	make_sales_ready(ready.name)
	prospect = make_prospect(lead.name, ready.name)
	seller = make_user("seller@gate.example", "Sales User")
	only_own(seller, lead.name)
	with as_user(seller), pytest.raises(NotSalesReadyError, match=lead.name):
		opportunity_of(prospect).insert()
	assert not frappe.db.exists("Opportunity", {"party_name": prospect.name})


def test_an_opportunity_names_the_lead_by_which_it_has_passed(lead, make_user, as_user):
	other, mine = make_lead(first_name="Other"), make_lead(first_name="Mine")
	for ready in (other, mine):
		make_sales_ready(ready.name)
	prospect = make_prospect(lead.name, other.name, mine.name)
	seller = make_user("seller@gate.example", "Sales User")
	only_own(seller, mine.name)
	with as_user(seller):
		opportunity = opportunity_of(prospect).insert()
	assert (opportunity.lq_lead, opportunity.lq_verdict) == (mine.name, "Sales Ready")
	assert frappe.db.get_value("Lead", mine.name, "lq_stage") == "opportunity"
	assert frappe.db.get_value("Lead", other.name, "lq_stage") == "target"


def test_of_a_prospect_that_passes_by_leave_the_lead_is_credited_that_the_leave_was_given_for(lead):
	other = make_lead(first_name="Other")
	prospect = make_prospect(lead.name, other.name)
	api.override_gate(other.name, "Override: Strategic account")
	opportunity = opportunity_of(prospect).insert()
	assert opportunity.lq_lead == other.name


def test_a_quotation_to_a_prospect_passes_by_an_own_lead_only(lead, make_user, as_user):
	set_gate(quotation_gate="Enforce")
	ready = make_lead(first_name="Ready")
	make_sales_ready(ready.name)
	prospect = make_prospect(lead.name, ready.name)
	seller = make_user("seller@gate.example", "Sales User")
	only_own(seller, lead.name)
	quotation = frappe.get_doc(
		{
			"doctype": "Quotation",
			"quotation_to": "Prospect",
			"party_name": prospect.name,
			"company": prospect.company,
			"items": [{"item_code": make_item(), "qty": 1, "rate": 100}],
		}
	)
	with as_user(seller), pytest.raises(NotSalesReadyError):
		quotation.insert()


# what leave is given for


def open_leave(lead) -> int:
	return frappe.db.count("Gate Override", {"lead": lead.name, "reference_name": ["is", "not set"]})


def test_leave_is_not_used_up_where_the_gate_only_warns(lead):
	set_gate(opportunity_gate="Warn")
	api.override_gate(lead.name, "Override: Strategic account")
	make_opportunity(lead.name)
	assert open_leave(lead) == 1


def test_leave_for_an_opportunity_is_not_used_up_by_a_quotation(lead):
	set_gate(quotation_gate="Enforce")
	api.override_gate(lead.name, "Override: Strategic account")
	with pytest.raises(NotSalesReadyError):
		make_quotation(lead=lead.name)
	assert open_leave(lead) == 1
	assert make_opportunity(lead.name).name
	assert open_leave(lead) == 0


def test_leave_is_given_for_what_passes_the_gate_only(lead):
	with pytest.raises(frappe.ValidationError, match="Sales Invoice"):
		api.override_gate(lead.name, "Override: Strategic account", doctype="Sales Invoice")


def test_leave_expires_and_the_refusal_says_so(lead, freeze):
	with freeze("2025-02-03 10:00:00") as time:
		leave = api.override_gate(lead.name, "Override: Strategic account")
		assert leave.expires_at
		assert api.check_gate(lead.name)["passes"]
		time.move_to(add_to_date(leave.expires_at, minutes=1))
		assert not api.check_gate(lead.name)["passes"]
		with pytest.raises(NotSalesReadyError):
			make_opportunity(lead.name)


def test_leave_of_an_opportunity_that_was_deleted_opens_no_gate_for_the_next_of_its_name(lead):
	set_gate(quotation_gate="Enforce")
	api.override_gate(lead.name, "Override: Strategic account")
	first = make_opportunity(lead.name)
	name = first.name
	frappe.delete_doc("Opportunity", name)
	set_gate(opportunity_gate="Warn")
	again = frappe.copy_doc(first)
	again.insert(set_name=name)
	assert again.name == name
	assert not gate.has_passed(again.name)
	with pytest.raises(NotSalesReadyError):
		make_quotation(opportunity=name)
	assert frappe.db.count("Gate Override", {"lead": lead.name}) == 1  # still counted


def test_leave_of_an_opportunity_that_sql_has_deleted_opens_no_gate_either(lead):
	set_gate(quotation_gate="Enforce")
	api.override_gate(lead.name, "Override: Strategic account")
	first = make_opportunity(lead.name)
	frappe.db.delete("Opportunity", {"name": first.name})
	set_gate(opportunity_gate="Warn")
	again = frappe.copy_doc(first)
	again.insert(set_name=first.name)
	assert not gate.has_passed(again.name)


def test_an_opportunity_that_is_given_to_another_lead_does_not_take_its_leave_along(lead):
	set_gate(quotation_gate="Enforce")
	api.override_gate(lead.name, "Override: Strategic account")
	opportunity = make_opportunity(lead.name)
	assert gate.has_passed(opportunity.name)
	set_gate(opportunity_gate="Warn")
	opportunity.reload()
	opportunity.party_name = make_lead(first_name="Berta").name
	opportunity.save()
	assert not gate.has_passed(opportunity.name)
	with pytest.raises(NotSalesReadyError):
		make_quotation(opportunity=opportunity.name)


def test_an_opportunity_that_is_renamed_keeps_its_leave(lead):
	api.override_gate(lead.name, "Override: Strategic account")
	opportunity = make_opportunity(lead.name)
	new = frappe.rename_doc("Opportunity", opportunity.name, "OPP-RENAMED", force=True)
	assert gate.has_passed(new)
