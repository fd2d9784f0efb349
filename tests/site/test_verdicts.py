"""Verdicts: rules, decisions, what time does to them, and who is no buyer."""

import frappe
import pytest
from frappe.utils import add_days, format_date, get_datetime, getdate, now_datetime, today

from lead_quality import api
from lead_quality.demo.factories import answers, make_checklist, make_lead, make_sales_ready, use_checklist
from lead_quality.qualification import answering, judgement, requalify
from lead_quality.qualification.jobs import judge_expired

LATER = "Disqualify: Not this year"
NOT_A_BUYER = "Disqualify: Not a buyer (student, competitor, consultant)"
ROLE = {
	"criterion": "role",
	"answer_type": "Select",
	"options": "Buyer\nStudent\nBoss",
	"lead_field": "job_title",
}
RULES = [
	{
		"criterion": "role",
		"operator": "=",
		"value": "Student",
		"verdict": "Disqualified",
		"outcome_reason": NOT_A_BUYER,
	},
	{"criterion": "role", "operator": "=", "value": "Boss", "verdict": "Nurture", "outcome_reason": LATER},
]


@pytest.fixture
def survey():
	checklist = make_checklist("Survey", [ROLE], rules=RULES)
	use_checklist(checklist)
	return checklist


def test_a_rule_disqualifies_a_lead_from_its_form_alone(survey):
	lead = make_lead(job_title="Student")
	shown = ["lq_verdict", "lq_non_buyer", "qualification_status", "lq_next_touch_at", "lq_due_at"]
	assert frappe.db.get_value("Lead", lead.name, shown) == ("Disqualified", 1, "Unqualified", None, None)
	assert frappe.db.count("Nurture Enrollment", {"lead": lead.name}) == 0
	assert frappe.db.count("Follow Up Clock", {"lead": lead.name}) == 0
	judged = frappe.get_doc("Lead Qualification", {"lead": lead.name})
	assert judged.verdict_reason == NOT_A_BUYER
	assert judged.reason.startswith("role: Not a buyer")


def test_a_rule_routes_a_lead_to_nurture_from_its_form_alone(survey):
	lead = make_lead(job_title="Boss")
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Nurture"
	assert frappe.db.count("Nurture Enrollment", {"lead": lead.name, "status": "Active"}) == 1
	assert frappe.db.count("Follow Up Clock", {"lead": lead.name, "clock": "Triage"}) == 0


def test_a_field_that_changes_later_moves_the_verdict_and_ends_what_was_planned(survey):
	lead = make_lead(job_title="Buyer")
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Sales Ready"
	lead.reload()
	lead.job_title = "Student"
	lead.save()
	assert frappe.db.get_value("Lead", lead.name, ["lq_verdict", "lq_non_buyer"]) == ("Disqualified", 1)
	assert frappe.db.count("Nurture Enrollment", {"lead": lead.name, "status": "Active"}) == 0
	assert frappe.db.count("Follow Up Clock", {"lead": lead.name, "status": "Running"}) == 0


def test_a_field_that_is_emptied_leaves_no_figure_of_before_and_no_note_lost(survey):
	"""Judging by the lead's own fields stores what a save of the whole judgement would have stored."""
	size = {"criterion": "size", "answer_type": "Number", "lead_field": "annual_revenue", "weight": 3}
	town = {"criterion": "town", "answer_type": "Text", "lead_field": "city", "expires_after_days": 9}
	use_checklist(make_checklist("Firm", [ROLE, size, town], rules=RULES, pass_rule="Score", pass_score=3))
	lead = make_lead(job_title="Student", annual_revenue=5000, city="Hamburg")
	name = frappe.db.get_value("Lead Qualification", {"lead": lead.name})
	frappe.db.set_value(
		"Lead Qualification Answer", {"parent": name, "criterion": "town"}, "note", "by the river"
	)
	lead.reload()
	lead.update({"job_title": None, "annual_revenue": 0, "city": None})
	lead.save()
	kept = judgement.JUDGED
	stored = frappe.db.get_value("Lead Qualification", name, kept, as_dict=True)
	assert (stored.verdict, stored.met_count, stored.score, stored.verdict_reason) == ("Open", 0, 0, None)
	assert stored.valid_until is None
	notes = frappe.get_all("Lead Qualification Answer", {"parent": name, "note": ["is", "set"]}, pluck="note")
	assert notes == ["by the river"]
	frappe.get_doc("Lead Qualification", name).save()
	assert frappe.db.get_value("Lead Qualification", name, kept, as_dict=True) == stored


@pytest.mark.parametrize(
	"words",
	['"50" \\ {km}', "line\n\ttab", "Größe 大 🏭", "null", "%s", "x" * 20_000],
	ids=lambda words: words[:9],
)
def test_what_people_wrote_survives_a_judgement_by_the_leads_own_fields(words):
	other = {"criterion": "need", "answer_type": "Text"}
	use_checklist(make_checklist("Words", [ROLE, other]))
	lead = make_lead(job_title="Buyer")
	given = [{"criterion": "need", "value": words, "note": words}]
	judged = answering.answer(lead.name, given)
	stamp = {row.criterion: row.answered_on for row in judged.answers}["need"]
	lead.reload()
	lead.job_title = "Boss"
	lead.save()
	rows = {row.criterion: row for row in frappe.get_doc("Lead Qualification", {"lead": lead.name}).answers}
	assert (rows["need"].value, rows["need"].note) == (words.strip(), words.strip())
	assert get_datetime(rows["need"].answered_on) == get_datetime(stamp)
	assert rows["role"].value == "Boss"


def test_a_persons_decision_goes_before_a_rule(survey):
	lead = make_lead(job_title="Student")
	api.qualify(lead.name, decision="Nurture")
	assert frappe.db.get_value("Lead", lead.name, ["lq_verdict", "lq_non_buyer"]) == ("Nurture", 0)


@pytest.mark.parametrize(
	("rule", "words"),
	[
		({"criterion": "colour", "operator": "=", "value": "x"}, "colour"),
		({"criterion": "role", "operator": "=", "value": "Pupil"}, "Pupil"),
		({"criterion": "role", "operator": "~", "value": "Buyer"}, "Operator|operator"),
		(
			{
				"criterion": "role",
				"operator": "=",
				"value": "Buyer",
				"outcome_reason": "Reject: No budget yet",
			},
			"Rule 1",
		),
	],
)
def test_a_rule_that_cannot_work_is_refused_with_its_row(rule, words):
	rule = {"verdict": "Disqualified", "outcome_reason": NOT_A_BUYER, **rule}
	with pytest.raises(frappe.ValidationError, match=words):
		make_checklist("Broken", [ROLE], rules=[rule])


def test_criteria_that_contradict_each_other_are_refused_with_both_rows():
	size = {"answer_type": "Number", "lead_field": "annual_revenue"}
	criteria = [
		{"criterion": "large", "pass_operator": ">", "pass_value": "500", **size},
		{"criterion": "small", "pass_operator": "<", "pass_value": "50", **size},
	]
	with pytest.raises(frappe.ValidationError, match="Rows 1 and 2"):
		make_checklist("Torn", criteria)
	assert make_checklist("Either", criteria, pass_rule="At Least", at_least=1).name


def test_a_criterion_that_no_answer_meets_is_refused():
	criterion = {**ROLE, "pass_operator": "not in", "pass_value": "Buyer, Student, Boss"}
	with pytest.raises(frappe.ValidationError, match="Row 1"):
		make_checklist("Closed", [criterion])


def test_a_lead_for_later_rests_until_its_day_and_comes_back_by_itself(lead, freeze):
	with freeze("2026-03-02 10:00:00") as clock:
		api.qualify(lead.name, answers(timescale_in=400))
		judged = api.qualify(lead.name, decision="Nurture", outcome_reason=LATER, nurture_until="2026-09-01")
		assert (judged.verdict, judged.reason) == (
			"Nurture",
			f"Nurture until {format_date('2026-09-01')}: Not this year",
		)
		enrollment = frappe.get_doc("Nurture Enrollment", {"lead": lead.name})
		assert (enrollment.status, getdate(enrollment.snoozed_until)) == ("Snoozed", getdate("2026-09-01"))
		assert judge_expired() == {"found": 0, "done": 0, "failed": 0}
		clock.move_to("2026-09-01 00:30:00")
		assert api.get_panel(lead.name)["qualification"]["verdict"] == "Sales Ready"
		assert judge_expired()["done"] == 1
		assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Sales Ready"
		assert judge_expired()["done"] == 0


def test_a_day_in_the_past_is_no_day_to_come_back(lead):
	with pytest.raises(frappe.ValidationError, match="future"):
		api.qualify(lead.name, decision="Nurture", nurture_until=today())


def test_a_decision_can_be_taken_back(lead):
	make_sales_ready(lead.name)
	api.qualify(lead.name, decision="Disqualified", outcome_reason=NOT_A_BUYER)
	assert frappe.db.get_value("Lead", lead.name, "lq_non_buyer") == 1
	judged = api.qualify(lead.name, decision="")
	assert (judged.verdict, judged.outcome_reason) == ("Sales Ready", None)
	assert frappe.db.get_value("Lead", lead.name, "lq_non_buyer") == 0


def test_lists_hear_of_an_answer_that_has_expired(freeze):
	use_checklist(
		make_checklist("Fresh", [{"criterion": "need", "answer_type": "Text", "expires_after_days": 30}])
	)
	lead = make_lead()
	with freeze("2026-03-02 10:00:00") as clock:
		api.qualify(lead.name, [{"criterion": "need", "value": "Space"}])
		clock.move_to("2026-04-01 10:00:01")
		assert judge_expired()["done"] == 1
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Open"


def test_judging_again_changes_nothing(lead):
	doc = make_sales_ready(lead.name)
	before = frappe.db.get_value(
		"Lead Qualification", doc.name, ["verdict", "reason", "decided_by", "decided_on", "valid_until"]
	)
	for _round in range(2):
		doc.reload()
		doc.save()
	after = frappe.db.get_value(
		"Lead Qualification", doc.name, ["verdict", "reason", "decided_by", "decided_on", "valid_until"]
	)
	assert before == after


def test_judging_a_lead_again_of_which_no_contact_was_asked_makes_no_row_anew(lead):
	"""BANT asks each contact for the authority."""
	doc = api.qualify(lead.name, [{"criterion": "budget", "value": "20000"}])
	rows = frappe.get_all("Lead Qualification Answer", {"parent": doc.name}, pluck="name", order_by="idx asc")
	doc.reload()
	doc.save()
	assert requalify.judge_chunk([lead.name], now_datetime()) == 0
	again = frappe.get_all(
		"Lead Qualification Answer", {"parent": doc.name}, pluck="name", order_by="idx asc"
	)
	assert again == rows


def test_two_leads_with_the_same_answers_get_the_same_verdict():
	given = answers(authority="Gatekeeper")
	first, second = (api.qualify(make_lead(first_name=name).name, given) for name in ("Anna", "Berta"))
	assert (first.verdict, first.reason, first.score) == (second.verdict, second.reason, second.score)


def test_qualified_by_is_the_person_who_answered_last(lead, make_user, as_user):
	answering = make_user("last@verdicts.example", "Sales User")
	api.qualify(lead.name, answers()[:3])
	with as_user(answering):
		api.qualify(lead.name, answers()[3:])
	assert frappe.db.get_value("Lead", lead.name, "qualified_by") == answering


def test_a_change_of_horizon_is_on_the_leads_timeline(lead):
	api.qualify(lead.name, horizon="Long Term")
	api.qualify(lead.name, horizon="Near Term")
	lines = frappe.get_all(
		"Comment",
		{"reference_name": lead.name, "comment_type": "Info"},
		pluck="content",
		order_by="creation asc",
	)
	assert any("Long Term" in line and "Near Term" in line for line in lines)


def test_a_knock_out_names_its_criterion():
	use_checklist(
		make_checklist(
			"Firm",
			[
				{
					"criterion": "size",
					"answer_type": "Number",
					"pass_operator": ">",
					"pass_value": "10",
					"knock_out": 1,
				}
			],
		)
	)
	judged = api.qualify(make_lead().name, [{"criterion": "size", "value": "5"}])
	assert (judged.verdict, judged.reason.split(".")[0]) == ("Disqualified", "Knocked out by size")


def test_the_panel_hints_at_colleagues_and_competitors(make_user):
	make_user("colleague@own.example", "Sales User")
	assert "user of this site" in api.get_panel(make_lead(email_id="colleague@own.example").name)["hint"]
	frappe.get_doc({"doctype": "Competitor", "competitor_name": "Rival Works"}).insert()
	assert "competitor" in api.get_panel(make_lead(company_name="Rival Works").name)["hint"]
	assert api.get_panel(make_lead().name)["hint"] is None


def test_the_panel_tells_how_much_is_known_of_the_company():
	profile = api.get_panel(make_lead(city="Hamburg", website="https://a.example").name)["profile"]
	assert profile["filled"] >= 3
	assert "Industry" in profile["missing"]
	assert profile["total"] == profile["filled"] + len(profile["missing"])


def test_the_shipped_checklists_are_there_and_work():
	for name, criteria in (
		("BANT v1", 4),
		("Ten Attributes v1", 10),
		("Ideal Customer Profile v1", 5),
		("Trade Show Survey v1", 4),
	):
		doc = frappe.get_doc("Qualification Checklist", name)
		assert (doc.status, len(doc.criteria)) == ("Active", criteria)
	use_checklist(frappe.get_doc("Qualification Checklist", "Trade Show Survey v1"))
	judged = api.qualify(make_lead().name, [{"criterion": "role", "value": "Student"}])
	assert judged.verdict == "Disqualified"
	judged = api.qualify(make_lead().name, [{"criterion": "decision_by", "value": "Later"}])
	assert judged.verdict == "Nurture"


def test_a_date_to_come_back_puts_a_lead_without_cadence_on_one(lead):
	api.stop(lead.name, "Stop Early: Already in talks with sales")
	api.qualify(lead.name, decision="Nurture", outcome_reason=LATER, nurture_until=add_days(today(), 90))
	enrollment = frappe.get_last_doc("Nurture Enrollment", {"lead": lead.name, "status": "Snoozed"})
	assert getdate(enrollment.snoozed_until) >= getdate(add_days(today(), 90))


def test_a_disqualified_lead_can_be_answered_for_after_its_reason_was_retired(lead):
	api.qualify(lead.name, decision="Disqualified", outcome_reason=NOT_A_BUYER)
	frappe.db.set_value("Lead Outcome Reason", NOT_A_BUYER, "enabled", 0)
	judged = api.qualify(lead.name, answers())
	assert (judged.verdict, judged.met_count) == ("Disqualified", 4)


def test_leads_that_become_one_keep_what_either_knew(lead):
	other = make_lead(first_name="Berta")
	api.qualify(lead.name, answers()[:2])
	api.qualify(other.name, answers()[2:])
	frappe.rename_doc("Lead", other.name, lead.name, merge=True, force=True)
	assert frappe.db.get_value("Lead", lead.name, ["lq_verdict", "lq_met_count"]) == ("Sales Ready", 4)
	assert frappe.db.count("Lead Qualification", {"lead": lead.name}) == 1


def test_the_newer_of_two_answers_stays_when_leads_become_one(lead, freeze):
	other = make_lead(first_name="Berta")
	with freeze("2026-03-02 10:00:00") as clock:
		api.qualify(
			other.name, [{"criterion": "need", "value": "Old"}, {"criterion": "budget", "value": "1"}]
		)
		clock.move_to("2026-03-03 10:00:00")
		api.qualify(lead.name, [{"criterion": "need", "value": "New"}])
	frappe.rename_doc("Lead", other.name, lead.name, merge=True, force=True)
	kept = frappe.get_doc("Lead Qualification", {"lead": lead.name})
	assert {row.criterion: row.value for row in kept.answers if row.value} == {"need": "New", "budget": "1"}


def test_a_first_judgement_by_a_field_that_changes_ends_what_was_planned(survey):
	lead = make_lead()
	assert frappe.db.count("Nurture Enrollment", {"lead": lead.name, "status": "Active"}) == 1
	lead.reload()
	lead.job_title = "Student"
	lead.save()
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Disqualified"
	assert frappe.db.count("Nurture Enrollment", {"lead": lead.name, "status": "Active"}) == 0
	assert frappe.db.count("Follow Up Clock", {"lead": lead.name, "status": "Running"}) == 0


def test_a_lead_whose_judgement_is_deleted_is_open_again(lead):
	doc = make_sales_ready(lead.name)
	doc.delete()
	shown = ["lq_verdict", "lq_met_count", "lq_criteria_count", "qualification_status"]
	assert frappe.db.get_value("Lead", lead.name, shown) == ("Open", 0, 0, None)


def test_the_owner_hears_that_a_lead_is_back_even_if_others_have_judged_it_before(lead, make_user, freeze):
	owner = make_user("owner@verdicts.example", "Sales User")
	frappe.db.set_value("Lead", lead.name, {"lead_owner": owner, "title": "Kellerbrunn <b>Works"})
	with freeze("2026-03-02 10:00:00") as clock:
		api.qualify(lead.name, decision="Nurture", outcome_reason=LATER, nurture_until="2026-09-01")
		clock.move_to("2026-09-01 00:30:00")
		api.judge_all_again()
		frappe.db.commit()
		assert judge_expired()["done"] == 1
		assert frappe.db.get_value("Lead Qualification", {"lead": lead.name}, "decision") is None
		assert judge_expired()["done"] == 0
	told = frappe.get_all("Notification Log", {"for_user": owner}, pluck="subject", order_by="creation asc")
	assert [words for words in told if "on hold" in words] == [
		"Kellerbrunn ‹b›Works was on hold until today. Follow up now."
	]


def test_an_answer_to_what_a_checklist_asks_no_more_stands_in_nobodys_way():
	lead = make_lead().name
	answered = api.qualify(lead, [])
	other = frappe.copy_doc(frappe.get_doc("Qualification Checklist", answered.checklist))
	other.update(
		{"title": "Needs Only", "criteria": [{"criterion": "need", "label": "Need", "answer_type": "Text"}]}
	)
	other.insert()
	frappe.db.set_value("Lead Qualification", answered.name, "checklist", other.name)
	judged = api.qualify(lead, [{"criterion": "need", "value": "Leaks"}])
	assert [row.criterion for row in judged.answers] == ["need"]
