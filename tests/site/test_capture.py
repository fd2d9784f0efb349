"""Answers that come in without anybody asking: a checklist's own Lead fields, filled in by visitors and by imports."""

import csv
import io
import json

import frappe
import pytest
from frappe.core.doctype.data_import.data_import import start_import
from frappe.utils import today
from frappe.website.doctype.web_form.web_form import accept

from lead_quality import api, uninstall
from lead_quality.base.versions import lead_field
from lead_quality.custom_fields import CUSTOM_FIELDS
from lead_quality.demo.factories import make_lead, make_source
from lead_quality.qualification import capture

NOT_A_BUYER = "Disqualify: Not a buyer (student, competitor, consultant)"
NOT_NOW = "Disqualify: Not this year"
SOURCE = "Stand Survey"
FORM = "stand-survey-form"

CRITERIA = [
	{
		"criterion": "survey_role",
		"label": "Who decides?",
		"topic": "Authority",
		"answer_type": "Select",
		"options": "Decision Maker\nUser\nStudent",
		"pass_operator": "in",
		"pass_value": "Decision Maker, User",
		"guidance_web_form": "What part do you have in buying?",
	},
	{
		"criterion": "survey_budget",
		"label": "What is the budget?",
		"answer_type": "Number",
		"amount_currency": "EUR",
		"guidance_web_form": "What budget is there for it?",
	},
	{"criterion": "survey_sites", "label": "How many sites do you have?", "answer_type": "Number"},
	{
		"criterion": "survey_by",
		"label": "When do they need it by?",
		"answer_type": "Date",
		"guidance_web_form": "By when do you need it?",
	},
	{"criterion": "survey_call", "label": "May we call after the fair?", "answer_type": "Check"},
	{"criterion": "survey_need", "label": "What brought you to the stand?", "answer_type": "Text"},
	{
		"criterion": "survey_when",
		"label": "When do you decide?",
		"answer_type": "Select",
		"options": "This year\nLater",
	},
]
RULES = [
	{
		"criterion": "survey_role",
		"operator": "=",
		"value": "Student",
		"verdict": "Disqualified",
		"outcome_reason": NOT_A_BUYER,
	},
	{
		"criterion": "survey_when",
		"operator": "=",
		"value": "Later",
		"verdict": "Nurture",
		"outcome_reason": NOT_NOW,
	},
]
ANSWERS = {
	"lqa_survey_role": "Decision Maker",
	"lqa_survey_budget": 25000,
	"lqa_survey_sites": 3,
	"lqa_survey_by": "2099-12-31",
	"lqa_survey_call": "Yes",
	"lqa_survey_need": "The pumps fail twice a month",
	"lqa_survey_when": "This year",
}
OURS = {"lqa_section", *ANSWERS}


@pytest.fixture(scope="module")
def survey(site):
	"""A checklist whose criteria have Lead fields of their own, a segment that uses it, and its published web form.

	Changing a table cannot be rolled back: all this is made for real, and taken away again.
	"""
	checklist = make_survey("Stand Survey")
	checklist.make_fields([row["criterion"] for row in CRITERIA])
	checklist.reload()
	checklist.status = "Active"
	checklist.save()
	make_source(SOURCE)
	frappe.get_doc(
		{
			"doctype": "Lead Segment",
			"title": "Stand Visitors",
			"priority": 1,
			"enabled": 1,
			"rules": [{"field": "source", "operator": "=", "value": SOURCE}],
			"checklist": checklist.name,
			"cadence": frappe.db.get_value("Lead Segment", "Inbound", "cadence"),
			"follow_up_policy": frappe.db.get_value("Lead Segment", "Inbound", "follow_up_policy"),
		}
	).insert()
	form = checklist.make_web_form("Stand Survey Form", SOURCE)["name"]
	web_form = frappe.get_doc("Web Form", form)
	web_form.published = 1
	web_form.save()
	frappe.db.commit()
	yield checklist.name
	frappe.db.rollback()
	frappe.set_user("Administrator")
	frappe.delete_doc("Web Form", form, force=True)
	frappe.delete_doc("Lead Segment", "Stand Visitors", force=True)
	frappe.delete_doc("Qualification Checklist", checklist.name, force=True)
	# the site may have fields of other tests
	others = set(capture.answer_fields()) - OURS
	uninstall.drop_fields("Lead", list(ANSWERS) if others else list(OURS))
	frappe.db.commit()


def make_survey(title: str, criteria=CRITERIA, rules=RULES):
	return frappe.get_doc(
		{"doctype": "Qualification Checklist", "title": title, "criteria": criteria, "rules": rules}
	).insert()


def send_in(**values) -> str:
	"""Fill in the public web form as a visitor. Returns the name of the lead."""
	visitor = {"first_name": "Vera", "email_id": f"vera.{frappe.generate_hash(length=8)}@visitor.example"}
	data = {**visitor, lead_field("source"): SOURCE, **ANSWERS, **values}
	frappe.set_user("Guest")
	try:
		return accept(web_form=FORM, data=json.dumps(data)).name
	finally:
		frappe.set_user("Administrator")


def judged(lead: str):
	return frappe.get_doc("Lead Qualification", {"lead": lead})


def said(qualification) -> dict:
	return {row.criterion: row.value for row in qualification.answers}


# the fields


def test_each_criterion_gets_a_field_of_a_fitting_type_that_asks_its_question(survey):
	fields = {df.fieldname: df for df in frappe.get_meta("Lead").fields if df.fieldname in OURS}
	assert {name: df.fieldtype for name, df in fields.items()} == {
		"lqa_section": "Section Break",
		"lqa_survey_role": "Select",
		"lqa_survey_budget": "Currency",
		"lqa_survey_sites": "Float",
		"lqa_survey_by": "Date",
		"lqa_survey_call": "Select",
		"lqa_survey_need": "Small Text",
		"lqa_survey_when": "Select",
	}
	assert fields["lqa_survey_call"].options == "\nYes\nNo"
	assert fields["lqa_survey_role"].label == "What part do you have in buying?"
	assert fields["lqa_survey_sites"].label == "How many sites do you have?"
	assert fields["lqa_section"].collapsible
	assert not any(df.in_list_view for df in fields.values())


def test_the_fields_stand_together_after_the_section_of_the_app(survey):
	order = [df.fieldname for df in frappe.get_meta("Lead").fields]
	first = order.index("lqa_section")
	assert order[first - 1] == CUSTOM_FIELDS["Lead"][-1]["fieldname"]
	first = order.index(next(iter(ANSWERS)))
	assert order[first : first + len(ANSWERS)] == list(ANSWERS)


def test_a_criterion_with_a_field_keeps_it_and_one_of_another_checklist_is_used_again(survey):
	draft = frappe.get_doc("Qualification Checklist", survey).make_new_version()
	assert draft.make_fields(["survey_role"]) == []
	other = make_survey("Other Survey", rules=[])
	assert other.make_fields(["survey_role", "survey_budget"]) == ["lqa_survey_role", "lqa_survey_budget"]


def test_a_new_choice_of_a_criterion_is_offered_by_its_field_and_the_old_ones_stay(survey):
	criteria = [{**CRITERIA[0], "options": "Decision Maker\nUser\nPartner"}]
	make_survey("Other Survey", criteria, []).make_fields(["survey_role"])
	options = frappe.db.get_value("Custom Field", "Lead-lqa_survey_role", "options")
	assert options.split("\n") == ["", "Decision Maker", "User", "Student", "Partner"]


def test_names_are_numbered_where_the_type_differs_and_are_never_too_long(survey):
	row = frappe._dict(criterion="survey_role", answer_type="Text")
	assert capture.find_name(row, set()) == ("lqa_survey_role_2", True)
	row = frappe._dict(criterion="x" * 100, answer_type="Text")
	name, is_new = capture.find_name(row, set())
	assert is_new and len(name) == 60
	other, _is_new = capture.find_name(row, {name})
	assert other != name and len(other) == 60


def test_only_a_draft_is_given_fields(survey):
	with pytest.raises(frappe.ValidationError, match="New Version"):
		frappe.get_doc("Qualification Checklist", survey).make_fields(["survey_role"])


def test_who_may_not_write_the_checklist_makes_neither_fields_nor_web_form(survey, make_user, as_user):
	draft = frappe.get_doc("Qualification Checklist", survey).make_new_version()
	with as_user(make_user("reader@capture.example", "Sales User")):
		with pytest.raises(frappe.PermissionError):
			draft.make_fields(["survey_role"])
		with pytest.raises(frappe.PermissionError):
			draft.make_web_form("Not Mine")


# the web form


def test_a_manager_without_rights_on_web_forms_makes_one_that_nobody_sees_yet(survey, make_user, as_user):
	checklist = frappe.get_doc("Qualification Checklist", survey)
	with as_user(make_user("manager@capture.example", "Lead Quality Manager")):
		assert not frappe.has_permission("Web Form", "create")
		made = checklist.make_web_form("Second Form", SOURCE)
	form = frappe.get_doc("Web Form", made["name"])
	assert (form.published, form.login_required, form.doc_type, made["left_out"]) == (0, 0, "Lead", [])
	asked = {row.fieldname: row for row in form.web_form_fields}
	assert [name for name, row in asked.items() if row.reqd] == ["first_name", "email_id"]
	assert list(asked)[:5] == ["first_name", "last_name", "company_name", "email_id", "mobile_no"]
	assert set(ANSWERS) < set(asked)
	assert asked["lqa_survey_role"].label == "What part do you have in buying?"
	assert asked[lead_field("source")].hidden


def test_a_second_web_form_of_the_same_title_is_refused(survey):
	with pytest.raises(frappe.DuplicateEntryError, match="another title"):
		frappe.get_doc("Qualification Checklist", survey).make_web_form("Stand Survey Form")


def test_a_web_form_shows_no_lists_to_visitors_and_says_what_it_leaves_out(survey):
	criteria = [
		{
			"criterion": "industry",
			"label": "Which industry?",
			"answer_type": "Text",
			"lead_field": "industry",
		},
		{
			"criterion": "employees",
			"label": "How many?",
			"answer_type": "Text",
			"lead_field": "no_of_employees",
		},
		{"criterion": "asked", "label": "Asked by a person?", "answer_type": "Check"},
	]
	made = make_survey("Mixed", criteria, []).make_web_form("Mixed")
	assert made["left_out"] == ["Which industry?", "Asked by a person?"]
	asked = {row.fieldname: row for row in frappe.get_doc("Web Form", made["name"]).web_form_fields}
	assert "industry" not in asked
	assert "1000+" in asked["no_of_employees"].options
	with pytest.raises(frappe.ValidationError, match="Fields for Web Form"):
		make_survey("Nothing", criteria[2:], []).make_web_form("Nothing")


def test_a_visitor_who_fills_in_the_web_form_becomes_a_judged_lead(survey):
	lead = send_in()
	qualification = judged(lead)
	assert qualification.verdict == "Sales Ready"
	for row in qualification.answers:
		assert (row.evidence_grade, row.reference_doctype, row.reference_name) == ("Stated", "Lead", lead)
		assert row.met
	doc = frappe.get_doc("Lead", lead)
	assert (doc.lq_segment, doc.lq_verdict, doc.qualification_status) == (
		"Stand Visitors",
		"Sales Ready",
		"Qualified",
	)


def test_a_rule_disqualifies_a_student_at_once(survey):
	lead = send_in(lqa_survey_role="Student")
	doc = frappe.get_doc("Lead", lead)
	assert (doc.lq_verdict, doc.qualification_status, doc.qualified_by, doc.qualified_on) == (
		"Disqualified",
		"Unqualified",
		None,
		None,
	)
	assert doc.lq_non_buyer
	assert not frappe.db.exists("Nurture Enrollment", {"lead": lead})
	assert not frappe.db.exists("Follow Up Clock", {"lead": lead})
	assert judged(lead).verdict_reason == NOT_A_BUYER


def test_a_rule_routes_a_late_decider_to_nurture(survey):
	lead = send_in(lqa_survey_when="Later")
	assert frappe.db.get_value("Lead", lead, ["lq_verdict", "lq_non_buyer"]) == ("Nurture", 0)
	assert judged(lead).verdict_reason == NOT_NOW
	assert frappe.db.exists("Nurture Enrollment", {"lead": lead, "status": "Active"})


def test_a_no_is_an_answer_and_an_empty_field_is_none(survey):
	lead = send_in(lqa_survey_call="No", lqa_survey_need="", lqa_survey_sites="")
	qualification = judged(lead)
	assert qualification.verdict == "Open"
	states = {row["criterion"]: row["state"] for row in api.get_checklist(lead)["criteria"]}
	assert states["survey_call"] == "Not Met"
	assert (states["survey_need"], states["survey_sites"]) == ("Open", "Open")


def test_saving_again_changes_nothing_of_what_a_visitor_has_said(survey, freeze):
	with freeze(f"{today()} 09:00:00"):
		lead = send_in()
	before = judged(lead).as_dict()
	with freeze(f"{today()} 15:00:00"):
		doc = frappe.get_doc("Lead", lead)
		doc.city = "Kiel"
		doc.save()
		judged(lead).save()
	after = judged(lead).as_dict()
	for kept in ("verdict", "decided_on", "decided_by", "met_count"):
		assert after[kept] == before[kept], kept
	told = ("criterion", "value", "answered_on", "answered_by", "evidence_grade", "exchange_rate")
	assert [[row[field] for field in told] for row in after.answers] == [
		[row[field] for field in told] for row in before.answers
	]


def test_answers_survive_a_later_new_version(survey):
	lead = send_in()
	before = said(judged(lead))
	second = frappe.get_doc("Qualification Checklist", survey).make_new_version()
	second.criteria[1].pass_operator, second.criteria[1].pass_value = ">=", "1000"
	second.status = "Active"
	second.save()
	api.judge_all_again(move_from=survey, move_to=second.name)
	frappe.db.commit()  # the work is done in the background, once the request has ended
	qualification = judged(lead)
	assert (qualification.checklist, qualification.verdict) == (second.name, "Sales Ready")
	assert said(qualification) == before


# import


def test_a_survey_that_is_imported_with_the_questions_as_titles_is_judged(survey, tmp_path):
	columns = {
		"First Name": ["Ida", "Stu"],
		"Email": ["ida@import.example", "stu@import.example"],
		lead_field("source"): [SOURCE, SOURCE],
		"What part do you have in buying?": ["User", "Student"],
		"What budget is there for it?": ["25000", ""],
		"How many sites do you have?": ["3", ""],
		"By when do you need it?": [ANSWERS["lqa_survey_by"], ""],
		"May we call after the fair?": ["Yes", "No"],
		"What brought you to the stand?": ["Leaks", ""],
		"When do you decide?": ["This year", ""],
	}
	text = io.StringIO()
	csv.writer(text).writerows([columns, *zip(*columns.values(), strict=True)])
	data_import = import_leads(text.getvalue())
	assert data_import.status == "Success", frappe.get_all(
		"Data Import Log", {"data_import": data_import.name}, ["messages", "exception"], order_by="log_index"
	)
	ida, stu = (
		frappe.db.get_value("Lead", {"email_id": f"{name}@import.example"}) for name in ("ida", "stu")
	)
	assert said(judged(ida)) == {
		"survey_role": "User",
		"survey_budget": "25000.0",
		"survey_sites": "3.0",
		"survey_by": ANSWERS["lqa_survey_by"],
		"survey_call": "Yes",
		"survey_need": "Leaks",
		"survey_when": "This year",
	}
	assert frappe.db.get_value("Lead", ida, "lq_verdict") == "Sales Ready"
	assert frappe.db.get_value("Lead", stu, ["lq_verdict", "lq_non_buyer"]) == ("Disqualified", 1)


def import_leads(text: str):
	"""Import a file of leads as the desk does it. Returns the Data Import."""
	data_import = frappe.get_doc(
		{"doctype": "Data Import", "reference_doctype": "Lead", "import_type": "Insert New Records"}
	).insert()
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"survey-{data_import.name}.csv",
			"content": text,
			"is_private": 1,
			"attached_to_doctype": "Data Import",
			"attached_to_name": data_import.name,
		}
	).insert()
	try:
		data_import.import_file = file.file_url
		data_import.save()
		start_import(data_import.name)
	finally:
		file.delete_file_from_filesystem()
	data_import.reload()
	return data_import


# leaving


def test_uninstalling_takes_the_fields_away_and_leaves_the_web_form_without_them(survey, monkeypatch):
	# the table is left alone here; test_install.py looks at that
	dropped = []
	monkeypatch.setattr(frappe.db, "sql_ddl", dropped.append)
	assert set(capture.answer_fields()) >= OURS
	uninstall.remove_answer_fields()
	assert capture.answer_fields() == []
	assert len(dropped) == 1 and all(f"drop column `{field}`" in dropped[0] for field in ANSWERS)
	asked = [row.fieldname for row in frappe.get_doc("Web Form", FORM).web_form_fields]
	assert "email_id" in asked and not set(asked) & set(ANSWERS)
	# a form without these can be saved and sent in as before
	frappe.get_doc("Web Form", FORM).save()


def test_a_lead_made_at_the_desk_has_the_fields_too(survey):
	lead = make_lead(source=SOURCE, lqa_survey_role="Student")
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Disqualified"
