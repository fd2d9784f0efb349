"""What each role may do through REST: real HTTP, real tokens."""

import frappe
import pytest
import requests

from lead_quality import api
from lead_quality.demo.factories import make_agreement, make_checklist, make_lead, make_sales_ready, make_user
from tests.browser.helpers import bant

AGENCY, OTHER_AGENCY = "quinn.rest@agency.example", "otto.rest@agency.example"
SELLER, MANAGER, MARKETER = "sue.rest@example.com", "mona.rest@example.com", "mark.rest@example.com"


@pytest.fixture
def clients(database, client_of):
	for user, *roles in (
		(AGENCY, "Lead Qualifier"),
		(OTHER_AGENCY, "Lead Qualifier"),
		(SELLER, "Sales User"),
		(MANAGER, "Sales Manager", "Sales User"),
		(MARKETER, "Lead Quality Manager"),
	):
		if not frappe.db.exists("User", user):  # each save of a user has a job of its own in the background
			make_user(user, *roles)
	made = {user: client_of(user) for user in (AGENCY, SELLER, MANAGER, MARKETER)}
	database.commit()
	return made


@pytest.fixture
def leads(database, clients):
	"""A lead of the agency, and one of another agency; both are sales ready."""
	own = make_lead(company_name="Own Works", lead_owner=AGENCY)
	others = make_lead(company_name="Others Works", lead_owner=OTHER_AGENCY)
	for lead in (own, others):
		make_sales_ready(lead.name)
		api.log_touch(lead.name, "Phone", outcome="Connected")
	api.send_handover(others.name, SELLER)
	make_agreement(company=frappe.db.get_value("Company", {}), checklist=bant())
	database.commit()
	return own.name, others.name


HANGING = (
	"Lead Qualification",
	"Lead Touch",
	"Lead Handover",
	"Nurture Enrollment",
	"Follow Up Clock",
	"Lead Stage Log",
)


def test_an_outside_qualifier_sees_own_leads_only(clients, leads):
	own, others = leads
	agency = clients[AGENCY]
	seen = agency.names("Lead")
	assert own in seen
	assert others not in seen
	assert agency.get(f"resource/Lead/{own}").status_code == 200
	assert agency.is_refused("GET", f"resource/Lead/{others}")
	for doctype in HANGING:
		for name in frappe.get_all(doctype, {"lead": others}, pluck="name", order_by="name"):
			assert name not in agency.names(doctype)
			assert agency.is_refused("GET", f"resource/{doctype}/{name}")


def test_an_outside_qualifier_reaches_nothing_of_others_through_the_apps_own_api(clients, leads):
	own, others = leads
	agency = clients[AGENCY]
	for function in ("get_panel", "get_checklist", "check_gate"):
		assert agency.is_refused("GET", f"method/lead_quality.api.{function}?lead={others}")
		assert agency.get(f"method/lead_quality.api.{function}?lead={own}").status_code == 200
	for function, arguments in (
		("qualify", {"answers": "[]"}),
		("log_touch", {"channel": "Phone", "outcome": "Connected"}),
		("enroll", {}),
		("opt_out", {}),
		("send_handover", {"to_user": SELLER}),
		("override_gate", {"reason": "Override: Strategic account"}),
	):
		assert agency.is_refused("POST", f"method/lead_quality.api.{function}", lead=others, **arguments)


def test_an_outside_qualifier_cannot_export(clients, leads):
	for doctype in ("Lead", "Lead Qualification", "Lead Touch"):
		body = {
			"doctype": doctype,
			"fields": frappe.as_json([f"`tab{doctype}`.`name`"]),
			"file_format_type": "CSV",
			"view": "Report",
		}
		assert clients[AGENCY].is_refused("POST", "method/frappe.desk.reportview.export_query", **body)
	for report in (
		"Source Effectiveness",
		"Criterion Effectiveness",
		"Attributes Held",
		"Gate Overrides",
		"Definition Use",
	):
		assert clients[AGENCY].is_refused(
			"POST", "method/frappe.desk.query_report.run", report_name=report, filters="{}"
		)


def test_an_outside_qualifier_cannot_raise_own_rights(clients, leads, database):
	own, others = leads
	agency = clients[AGENCY]
	agency.call(
		"PUT", f"resource/User/{AGENCY}", roles=[{"role": "System Manager"}, {"role": "Sales Manager"}]
	)
	for verb, path, body in (
		("POST", "resource/Has Role", {"parent": AGENCY, "parenttype": "User", "role": "System Manager"}),
		("POST", "resource/Custom DocPerm", {"parent": "Lead", "role": "Lead Qualifier", "export": 1}),
		("POST", "resource/User Permission", {"user": AGENCY, "allow": "Lead", "for_value": others}),
		("POST", "method/frappe.share.add", {"doctype": "Lead", "name": others, "user": AGENCY, "write": 1}),
		("PUT", f"resource/Lead/{others}", {"lead_owner": AGENCY}),
		("PUT", "resource/Lead Quality Settings/Lead Quality Settings", {"opportunity_gate": "Off"}),
		("PUT", f"resource/Qualification Checklist/{bant()}", {"pass_rule": "At Least", "at_least": 1}),
		("POST", "resource/Lead Segment", {"title": "Mine"}),
		("POST", "resource/Gate Override", {"lead": own, "reason": "Override: Strategic account"}),
		("POST", "method/lead_quality.api.judge_all_again", {}),
	):
		assert agency.is_refused(verb, path, **body), path
	database.rollback()
	assert set(frappe.get_roles(AGENCY)) & {"System Manager", "Sales Manager", "Sales User"} == set()
	assert frappe.db.get_value("Lead", others, "lead_owner") == OTHER_AGENCY


def test_nobody_writes_a_verdict_or_signs_for_somebody_else(clients, leads, database):
	own, _others = leads
	name = frappe.db.get_value("Lead Qualification", {"lead": own})
	agency = clients[AGENCY]
	agency.call(
		"POST", "method/lead_quality.api.qualify", lead=own, answers='[{"criterion": "need", "value": ""}]'
	)
	agency.call(
		"PUT",
		f"resource/Lead/{own}",
		lq_verdict="Sales Ready",
		lq_met_count=4,
		qualification_status="Qualified",
	)
	agency.call(
		"PUT",
		f"resource/Lead Qualification/{name}",
		verdict="Sales Ready",
		decided_by=MANAGER,
		met_count=4,
		answers=[{"criterion": "budget", "value": "9", "met": 1, "answered_by": MANAGER}],
	)
	database.rollback()
	lead = frappe.db.get_value("Lead", own, ["lq_verdict", "lq_met_count", "qualification_status"])
	assert lead == ("Open", 3, "In Process")
	judged = frappe.get_doc("Lead Qualification", name)
	budget = next(row for row in judged.answers if row.criterion == "budget")
	assert (judged.verdict, budget.answered_by) == ("Open", AGENCY)
	assert len(judged.answers) == 4


def test_an_easier_checklist_cannot_be_chosen_for_a_lead(clients, database):
	lead = make_lead(company_name="Easy Works", lead_owner=AGENCY).name
	database.commit()
	answer = clients[AGENCY].call(
		"POST", "resource/Lead Qualification", lead=lead, checklist="Trade Show Survey v1"
	)
	assert answer.status_code == 417
	assert bant() in answer.text


@pytest.mark.parametrize(
	("user", "overrides", "defines", "signs_sales"),
	[(SELLER, False, False, False), (MANAGER, True, False, True), (MARKETER, True, True, False)],
)
def test_each_role_does_what_is_its_own(clients, leads, database, user, overrides, defines, signs_sales):
	own, _others = leads
	client = clients[user]
	agreement = frappe.get_last_doc("Sales Ready Agreement")
	frappe.db.set_value("Sales Ready Agreement", agreement.name, "status", "Awaiting Signature")
	database.commit()
	assert client.call("POST", "method/lead_quality.api.qualify", lead=own, answers="[]").status_code == 200
	refused = client.is_refused(
		"POST", "method/lead_quality.api.override_gate", lead=own, reason="Override: Strategic account"
	)
	assert refused is not overrides
	title = f"Of {user.split('.')[0]} {frappe.generate_hash(length=4)}"
	assert client.is_refused("POST", "resource/Lead Segment", title=title, enabled=0) is not defines
	for field, value in (("status", "Active"), ("sales_signed_by", user)):
		client.call("PUT", f"resource/Sales Ready Agreement/{agreement.name}", **{field: value})
	database.rollback()
	stored = frappe.db.get_value("Sales Ready Agreement", agreement.name, ["status", "sales_signed_by"])
	assert stored == ("Awaiting Signature", None)
	signed = client.call(
		"POST",
		"method/run_doc_method",
		dt="Sales Ready Agreement",
		dn=agreement.name,
		method="sign",
		args=frappe.as_json({"side": "Sales"}),
	)
	assert (signed.status_code == 200) is signs_sales, signed.text


def test_a_guest_reaches_nothing(base_url, leads):
	for path in (
		"resource/Lead",
		"resource/Lead Qualification",
		f"method/lead_quality.api.get_panel?lead={leads[0]}",
	):
		answer = requests.get(f"{base_url}/api/{path}", headers={"Host": frappe.local.site}, timeout=60)
		assert answer.status_code in {401, 403}


@pytest.mark.parametrize("place", ["resource", "v2/document"])
def test_who_may_not_read_confidential_answers_is_not_sent_them_by_a_save(clients, database, place):
	checklist = make_checklist(
		f"Secret {frappe.generate_hash(length=6)}",
		[{"criterion": "margin", "answer_type": "Number", "confidential": 1}],
	)
	lead = make_lead(company_name="Secret Works", lead_owner=AGENCY)
	judged = frappe.get_doc({"doctype": "Lead Qualification", "lead": lead.name})
	judged.name, judged.checklist = frappe.generate_hash(length=10), checklist.name
	judged.db_insert()
	judged.append("answers", {"criterion": "margin", "confidential_value": "73415926"}).db_insert()
	database.commit()
	for verb, body in (("GET", {}), ("PUT", {"horizon": "Near Term"})):
		answer = clients[AGENCY].call(verb, f"{place}/Lead Qualification/{judged.name}", **body)
		assert answer.status_code == 200, answer.text
		assert "73415926" not in answer.text


@pytest.mark.parametrize("path", ["resource/{0}?run_method={1}", "v2/document/{0}/method/{1}"])
def test_a_method_that_changes_a_document_answers_to_no_get(clients, path):
	address = path.format(f"Qualification Checklist/{bant()}", "make_new_version")
	assert clients[MARKETER].is_refused("GET", address)
