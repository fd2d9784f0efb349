"""Checklists, judgements and the gate before Opportunities."""

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import (
	answers,
	make_checklist,
	make_item,
	make_lead,
	make_opportunity,
	make_sales_ready,
	use_checklist,
)
from lead_quality.qualification.definitions import clear_caches
from lead_quality.qualification.gate import NotSalesReadyError
from lead_quality.qualification.jobs import sort_leads


def set_gate(mode: str):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.opportunity_gate = mode
	settings.save()


def test_an_opportunity_from_a_lead_that_nobody_asked_is_refused_with_all_criteria_named(lead):
	with pytest.raises(NotSalesReadyError, match=r"Budget, Authority, Need,? and Timescale"):
		make_opportunity(lead.name)


def test_an_opportunity_is_refused_even_where_permissions_and_validation_are_bypassed(lead):
	opportunity = frappe.get_doc(
		{"doctype": "Opportunity", "opportunity_from": "Lead", "party_name": lead.name, "company": company()}
	)
	opportunity.flags.ignore_validate = True
	with pytest.raises(NotSalesReadyError):
		opportunity.insert(ignore_permissions=True, ignore_mandatory=True)


def test_an_override_opens_the_gate_for_one_opportunity_and_is_kept(lead, make_user, as_user):
	manager = make_user("manager@gate.example", "Sales Manager", "Sales User")
	make_item()
	with as_user(manager):
		override = api.override_gate(lead.name, "Override: Strategic account", note="The board wants it")
		assert api.get_panel(lead.name)["overridden"] == ["Opportunity"]
		assert "Opportunity" not in api.get_panel(lead.name)["may_override"]
		opportunity = make_opportunity(lead.name)
		assert opportunity.lq_verdict == "Open"
		with pytest.raises(NotSalesReadyError):
			make_opportunity(lead.name)
	override.reload()
	assert (override.overridden_by, override.reference_name) == (manager, opportunity.name)


def test_the_panel_offers_leave_for_each_document_that_is_held_at_the_gate(lead, make_user, as_user):
	for setting in ("quotation_gate", "customer_gate"):
		frappe.db.set_single_value("Lead Quality Settings", setting, "Warn")
	manager = make_user("manager@gate.example", "Sales Manager", "Sales User")
	with as_user(manager):
		assert api.get_panel(lead.name)["may_override"] == ["Opportunity"]
	for setting in ("quotation_gate", "customer_gate"):
		frappe.db.set_single_value("Lead Quality Settings", setting, "Enforce")
	with as_user(manager):
		assert api.get_panel(lead.name)["may_override"] == ["Opportunity", "Quotation", "Customer"]
		api.override_gate(lead.name, "Override: Strategic account", doctype="Customer")
		assert api.get_panel(lead.name)["may_override"] == ["Opportunity", "Quotation"]
		assert api.get_panel(lead.name)["overridden"] == ["Customer"]


def test_a_sales_user_does_not_override_the_gate(lead, make_user, as_user):
	with as_user(make_user("seller@gate.example", "Sales User")):
		assert not api.get_panel(lead.name)["may_override"]
		with pytest.raises(frappe.PermissionError):
			api.override_gate(lead.name, "Override: Strategic account")


def test_an_override_needs_one_of_the_reasons_for_it(lead):
	with pytest.raises((frappe.MandatoryError, frappe.LinkValidationError)):
		api.override_gate(lead.name, "Reject: No budget yet")


def test_a_sales_ready_lead_passes_the_gate_and_the_opportunity_says_so(lead):
	make_sales_ready(lead.name)
	opportunity = make_opportunity(lead.name)
	assert (opportunity.lq_verdict, opportunity.lq_segment) == ("Sales Ready", "Inbound")


def test_on_warn_the_opportunity_is_made_and_marked(lead):
	set_gate("Warn")
	assert make_opportunity(lead.name).lq_verdict == "Open"
	assert any("not sales ready" in str(message) for message in frappe.message_log)


def test_with_the_gate_off_nothing_is_said(lead):
	set_gate("Off")
	frappe.clear_messages()
	make_opportunity(lead.name)
	assert not any("sales ready" in str(message) for message in frappe.message_log)


def test_an_opportunity_of_a_customer_needs_no_lead():
	customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Known One"}).insert()
	frappe.get_doc(
		{
			"doctype": "Opportunity",
			"opportunity_from": "Customer",
			"party_name": customer.name,
			"company": company(),
		}
	).insert()


def test_an_opportunity_of_a_prospect_passes_when_one_of_its_leads_is_sales_ready(lead):
	other = make_lead(first_name="Berta")
	prospect = frappe.get_doc(
		{
			"doctype": "Prospect",
			"company_name": "Prospect Works",
			"company": company(),
			"leads": [{"lead": lead.name}, {"lead": other.name}],
		}
	).insert()
	opportunity = {"doctype": "Opportunity", "opportunity_from": "Prospect", "party_name": prospect.name}
	with pytest.raises(NotSalesReadyError):
		frappe.get_doc({**opportunity, "company": company()}).insert()
	make_sales_ready(other.name)
	assert frappe.get_doc({**opportunity, "company": company()}).insert().lq_verdict == "Sales Ready"


def test_an_opportunity_cannot_be_given_to_a_lead_that_is_not_sales_ready(lead):
	make_sales_ready(lead.name)
	opportunity = make_opportunity(lead.name)
	other = make_lead(first_name="Berta")
	opportunity.party_name = other.name
	with pytest.raises(NotSalesReadyError):
		opportunity.save()


def test_an_opportunity_that_is_given_to_another_lead_takes_its_stage_along(lead):
	other = make_lead(first_name="Berta")
	for ready in (lead, other):
		make_sales_ready(ready.name)
	opportunity = make_opportunity(lead.name)
	opportunity.party_name = other.name
	opportunity.save()
	assert frappe.db.get_value("Lead", other.name, "lq_stage") == "opportunity"
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"


def test_the_mark_on_an_opportunity_is_nobodys_to_write(lead):
	set_gate("Warn")
	opportunity = make_opportunity(lead.name)
	opportunity.lq_verdict = "Sales Ready"
	opportunity.save()
	assert frappe.db.get_value("Opportunity", opportunity.name, "lq_verdict") == "Open"


def test_a_verdict_that_has_expired_opens_no_gate(lead, freeze, make_user):
	with freeze("2026-03-02 10:00:00"):
		api.qualify(lead.name, answers(timescale_in=30))
		assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Sales Ready"
	with freeze("2026-05-02 10:00:00"):
		assert api.get_panel(lead.name)["qualification"]["verdict"] == "Open"
		with pytest.raises(NotSalesReadyError, match="Timescale"):
			make_opportunity(lead.name)
		with pytest.raises(NotSalesReadyError, match="Timescale"):
			api.send_handover(lead.name, make_user("sales@gate.example", "Sales User"))


def before_the_install(name: str) -> str:
	lead = frappe.get_doc({"doctype": "Lead", "lead_name": name, "title": name, "status": "Lead"})
	lead.name = name
	lead.db_insert()
	return name


def test_a_lead_from_before_the_install_can_be_qualified_at_once():
	name = before_the_install("LEAD-OLD")
	with pytest.raises(NotSalesReadyError, match="not asked yet"):
		make_opportunity(name)
	make_sales_ready(name)
	assert make_opportunity(name).lq_segment == "Other Leads"


def test_leads_from_before_the_install_are_sorted_by_the_job():
	name = before_the_install("LEAD-OLD")
	assert sort_leads()["done"] == 1
	assert frappe.db.get_value("Lead", name, ["lq_segment", "lq_verdict"]) == ("Other Leads", "Open")
	assert sort_leads()["done"] == 0


@pytest.mark.parametrize("mode", ["Warn", "Off"])
def test_where_no_segment_has_a_checklist_a_gate_that_does_not_enforce_lets_pass(lead, mode):
	frappe.db.set_value("Lead Segment", "Inbound", "checklist", None)
	clear_caches()
	set_gate(mode)
	assert make_opportunity(lead.name).lq_verdict == "Open"


def test_the_verdict_says_what_is_missing_and_why(lead):
	judged = api.qualify(lead.name, answers(need="  ", timescale_in=-1))
	assert judged.verdict == "Open"
	assert (
		judged.reason
		== "2 of 4 met. Missing: Need (not asked yet), Timescale (not met: needs a date that has not passed)."
	)


def test_erpnexts_own_qualification_fields_follow_the_verdict(lead):
	api.qualify(lead.name, answers(need=None))
	assert own_fields(lead)[0] == "In Process"
	make_sales_ready(lead.name)
	status, by, on = own_fields(lead)
	assert (status, by, str(on)) == ("Qualified", "Administrator", frappe.utils.today())
	api.qualify(lead.name, decision="Disqualified", outcome_reason="Disqualify: Too small for us")
	assert own_fields(lead) == ("Unqualified", None, None)


def test_a_lead_saved_from_a_stale_form_keeps_erpnexts_qualification_fields(lead):
	opened = frappe.get_doc("Lead", lead.name)
	make_sales_ready(lead.name)
	opened.save()
	assert own_fields(lead)[0] == "Qualified"


@pytest.mark.parametrize("reason", [None, "Reject: No budget yet", "Disqualify: Made up"])
def test_disqualifying_needs_one_of_the_reasons_for_it(lead, reason):
	with pytest.raises((frappe.MandatoryError, frappe.LinkValidationError)):
		api.qualify(lead.name, decision="Disqualified", outcome_reason=reason)


def test_who_decided_and_when_is_nobodys_to_write(lead, make_user):
	judged = make_sales_ready(lead.name)
	judged.reload()
	judged.decided_by = make_user("other@qualify.example", "Sales User")
	judged.save()
	assert frappe.db.get_value("Lead Qualification", judged.name, "decided_by") == "Administrator"


def test_a_disqualified_lead_has_no_clock_left_running(lead):
	api.qualify(lead.name, decision="Disqualified", outcome_reason="Disqualify: Too small for us")
	assert not frappe.db.exists("Follow Up Clock", {"lead": lead.name, "status": "Running"})


def test_answers_of_two_people_are_merged_by_criterion(lead, make_user, as_user):
	other = make_user("second@qualify.example", "Sales User")
	api.qualify(lead.name, [{"criterion": "budget", "value": "100"}])
	with as_user(other):
		judged = api.qualify(lead.name, [{"criterion": "need", "value": "It leaks"}])
	given = {row.criterion: (row.value, row.answered_by) for row in judged.answers if row.value}
	assert given == {"budget": ("100", "Administrator"), "need": ("It leaks", other)}


def test_saving_again_changes_neither_verdict_nor_stamps(lead):
	first = make_sales_ready(lead.name)
	before = [(row.answered_by, row.answered_on, row.met) for row in first.answers]
	again = frappe.get_doc("Lead Qualification", first.name).save()
	assert again.verdict == first.verdict
	assert [(row.answered_by, row.answered_on, row.met) for row in again.answers] == before


def test_an_unknown_criterion_is_refused_and_the_known_ones_are_named(lead):
	with pytest.raises(frappe.ValidationError, match="budget, authority, need, timescale"):
		api.qualify(lead.name, [{"criterion": "colour", "value": "red"}])


@pytest.mark.parametrize(
	("criterion", "value"), [("budget", "50,000"), ("timescale", "next spring"), ("authority", "The boss")]
)
def test_an_answer_that_cannot_be_read_is_refused_and_not_judged(lead, criterion, value):
	with pytest.raises(frappe.ValidationError, match=value):
		api.qualify(lead.name, [{"criterion": criterion, "value": value}])


def test_a_second_qualification_of_a_lead_is_refused(lead):
	make_sales_ready(lead.name)
	with pytest.raises(frappe.DuplicateEntryError):
		frappe.get_doc({"doctype": "Lead Qualification", "lead": lead.name, "checklist": "BANT v1"}).insert()


def test_a_lead_field_answers_its_criterion_until_a_person_does():
	use_checklist(
		make_checklist("Firm", [{"criterion": "city", "answer_type": "Text", "lead_field": "city"}])
	)
	lead = make_lead(city="Hamburg")
	judged = api.qualify(lead.name, horizon="Near Term")
	assert (judged.verdict, judged.answers[0].evidence_grade) == ("Sales Ready", "Observed")
	lead.reload()
	lead.city = ""
	lead.save()
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Open"
	api.qualify(lead.name, [{"criterion": "city", "value": "Bremen"}])
	lead.reload()
	lead.city = "Lübeck"
	lead.save()
	row = frappe.get_doc("Lead Qualification", judged.name).answers[0]
	assert (row.value, row.answered_by) == ("Bremen", "Administrator")


def test_a_checklist_in_use_is_changed_by_a_new_version_and_leads_under_way_stay_on_theirs():
	first = make_checklist("Rules", [{"criterion": "a"}])
	use_checklist(first)
	lead = make_lead()
	api.qualify(lead.name, [{"criterion": "a", "value": "yes"}])
	first.reload()
	first.append("criteria", {"criterion": "b", "label": "b", "answer_type": "Check"})
	with pytest.raises(frappe.ValidationError, match="New Version"):
		first.save()
	first.reload()
	second = first.make_new_version()
	second.append("criteria", {"criterion": "b", "label": "b", "answer_type": "Check"})
	second.status = "Active"
	second.save()
	assert (second.name, frappe.db.get_value(first.doctype, first.name, "status")) == (
		"Rules v2",
		"Superseded",
	)
	assert frappe.db.get_value("Lead Segment", "Inbound", "checklist") == "Rules v2"
	assert api.qualify(lead.name).checklist == "Rules v1"
	assert api.get_checklist(make_lead().name)["name"] == "Rules v2"


def test_a_checklist_in_use_can_still_be_described_and_retired():
	checklist = make_checklist("Kept", [{"criterion": "a"}])
	use_checklist(checklist)
	api.qualify(make_lead().name, [{"criterion": "a", "value": "yes"}])
	checklist.reload()
	checklist.description = "Agreed in spring"
	checklist.save()
	checklist.reload()
	checklist.status = "Draft"
	checklist.criteria[0].mandatory = 1
	with pytest.raises(frappe.ValidationError, match="New Version"):
		checklist.save()


@pytest.mark.parametrize(
	("values", "words"),
	[
		({"criteria": [{"criterion": "a"}, {"criterion": "A"}]}, "Row 2"),
		({"criteria": [{"criterion": "a", "lead_field": "no_such_field"}]}, "no_such_field"),
		*(
			({"criteria": [{"criterion": "a", "answer_type": "Text", "lead_field": name}]}, f"Row 1.*{name}")
			for name in ("notes", "doctype", "creation", "lq_verdict", "qualification_status", "qualified_by")
		),
		(
			{"criteria": [{"criterion": "a", "answer_type": "Number", "lead_field": "no_of_employees"}]},
			"no_of_employees",
		),
		(
			{
				"criteria": [
					{"criterion": "a", "answer_type": "Number", "pass_operator": ">", "pass_value": "x"}
				]
			},
			"Row 1",
		),
		({"criteria": [{"criterion": "a"}], "pass_rule": "At Least", "at_least": 2}, "At Least"),
		({"criteria": [{"criterion": "a"}], "pass_rule": "Score", "pass_score": 5}, "Pass Score"),
		({"criteria": []}, "criteria"),
	],
)
def test_a_checklist_that_cannot_work_is_refused_with_the_row_named(values, words):
	with pytest.raises(frappe.ValidationError, match=words):
		make_checklist("Broken", **values)


@pytest.mark.parametrize(
	("rule", "words"),
	[
		({"field": "no_such_field", "operator": "=", "value": "x"}, "no_such_field"),
		({"field": "notes", "operator": "is set", "value": ""}, "notes"),
		({"field": "doctype", "operator": "=", "value": "Lead"}, "doctype"),
		({"field": "lq_section", "operator": "is not set", "value": ""}, "lq_section"),
		({"field": "city", "operator": "in", "value": ""}, "needs a value"),
		({"field": "city", "operator": "resembles", "value": "x"}, "resembles"),
	],
)
def test_a_segment_rule_that_cannot_work_is_refused(rule, words):
	with pytest.raises(frappe.ValidationError, match=words):
		frappe.get_doc({"doctype": "Lead Segment", "title": "Broken", "rules": [rule]}).insert()


@pytest.mark.parametrize("fieldname", ["notes", "doctype", "qualification_status", "lq_verdict"])
def test_a_stored_criterion_on_a_field_that_cannot_answer_it_stays_open_and_stops_nobody(fieldname):
	checklist = make_checklist("Old", [{"criterion": "a", "answer_type": "Text", "lead_field": "city"}])
	frappe.db.set_value("Qualification Criterion", {"parent": checklist.name}, "lead_field", fieldname)
	frappe.clear_document_cache(checklist.doctype, checklist.name)
	clear_caches()
	use_checklist(checklist)
	lead = make_lead(city="Bremen")
	assert api.qualify(lead.name).verdict == "Open"
	lead.reload()
	lead.city = "Hamburg"
	lead.save()
	assert api.get_panel(lead.name)["qualification"]["verdict"] == "Open"


# what is in use


def test_a_checklist_that_leads_are_held_against_is_not_deleted():
	checklist = make_checklist("Held", [{"criterion": "a"}])
	use_checklist(checklist)
	api.qualify(make_lead().name)
	use_checklist(frappe.get_doc("Qualification Checklist", "BANT v1"))
	with pytest.raises(frappe.LinkExistsError, match=r"Lead Qualification.*New Version"):
		frappe.delete_doc(checklist.doctype, checklist.name)


def test_a_checklist_of_a_segment_is_not_deleted_and_does_not_become_a_draft_again():
	checklist = make_checklist("Chosen", [{"criterion": "a"}])
	use_checklist(checklist)
	with pytest.raises(frappe.LinkExistsError, match=r"Lead Segment.*New Version"):
		frappe.delete_doc(checklist.doctype, checklist.name)
	checklist.reload()
	checklist.status = "Draft"
	with pytest.raises(frappe.ValidationError, match="New Version"):
		checklist.save()


def test_a_checklist_that_leads_are_held_against_does_not_become_a_draft_again():
	checklist = make_checklist("Held", [{"criterion": "a"}])
	use_checklist(checklist)
	api.qualify(make_lead().name)
	use_checklist(frappe.get_doc("Qualification Checklist", "BANT v1"))
	for status in ("Active", "Superseded"):
		frappe.db.set_value(checklist.doctype, checklist.name, "status", status)
		checklist.reload()
		checklist.status = "Draft"
		with pytest.raises(frappe.ValidationError, match="New Version"):
			checklist.save()


def test_a_checklist_that_nobody_uses_can_be_a_draft_again_and_be_deleted():
	checklist = make_checklist("Unused", [{"criterion": "a"}])
	checklist.status = "Draft"
	checklist.save()
	frappe.delete_doc(checklist.doctype, checklist.name)
	assert not frappe.db.exists(checklist.doctype, checklist.name)


@pytest.mark.parametrize(
	("user", "fieldname"),
	[
		("Lead Qualification", "outcome_reason"),
		("Lead Qualification", "verdict_reason"),
		("Lead Handover", "reason"),
		("Gate Override", "reason"),
		("Qualification Rule", "outcome_reason"),
		("Agreement Reason", "reason"),
	],
)
def test_a_reason_in_use_is_disabled_and_not_deleted(user, fieldname):
	reason = frappe.get_doc(
		{"doctype": "Lead Outcome Reason", "applies_to": "Reject", "reason": "Moved"}
	).insert()
	# as stored: which of them takes which reasons is tested elsewhere
	frappe.get_doc(
		{"doctype": user, "parenttype": "Qualification Checklist", fieldname: reason.name}
	).db_insert()
	with pytest.raises(frappe.LinkExistsError, match=r"is used by a.*Enabled"):
		frappe.delete_doc(reason.doctype, reason.name)


def test_a_reason_that_nobody_uses_can_be_deleted():
	reason = frappe.get_doc(
		{"doctype": "Lead Outcome Reason", "applies_to": "Reject", "reason": "Moved"}
	).insert()
	frappe.delete_doc(reason.doctype, reason.name)
	assert not frappe.db.exists(reason.doctype, reason.name)


def test_a_cadence_and_a_policy_in_use_are_not_deleted(lead):
	cadence = frappe.db.get_value("Nurture Enrollment", {"lead": lead.name}, "cadence")
	policy = frappe.db.get_value("Follow Up Clock", {"lead": lead.name}, "policy")
	frappe.db.set_value("Lead Segment", {}, {"cadence": None, "follow_up_policy": None})
	for doctype, name, user, instead in (
		("Nurture Cadence", cadence, "Nurture Enrollment", "New Version"),
		("Follow Up Policy", policy, "Follow Up Clock", "another policy"),
	):
		assert name
		with pytest.raises(frappe.LinkExistsError, match=f"{user}.*{instead}"):
			frappe.delete_doc(doctype, name)


def own_fields(lead) -> tuple:
	return frappe.db.get_value("Lead", lead.name, ["qualification_status", "qualified_by", "qualified_on"])


def company() -> str:
	return frappe.defaults.get_global_default("company")
