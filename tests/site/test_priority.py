"""The priority of leads: learned from what was known at the moment, kept as a model, written with the lead, explained."""

import json
from datetime import datetime, timedelta

import frappe
import pytest
from frappe.utils import now_datetime

from lead_quality.api import get_panel
from lead_quality.base.rows import insert_rows
from lead_quality.demo.factories import make_lead
from lead_quality.engine.priority import NEVER, SAID, said_by
from lead_quality.funnel.known import FIELDS
from lead_quality.qualification import definitions, jobs, priority
from lead_quality.qualification.learning import cases, learn_company
from tests.site.past_sales import COMPANY, LEADS, NOW, make_past


@pytest.fixture
def past():
	return make_past()


def model_doc():
	return frappe.get_last_doc("Lead Priority Model", {"company": COMPANY})


# --- learning ---


def test_a_model_is_kept_with_its_figures_and_the_one_before_is_superseded(past):
	assert learn_company(COMPANY, NOW)
	first = model_doc()
	learn_company(COMPANY, NOW + timedelta(days=1))
	second = model_doc()

	assert (first.status, first.leads) == ("In Use", LEADS)
	assert first.won >= 50 and first.judged_won >= 10
	assert first.first_fifth > max(first.newest_fifth, first.criteria_fifth)
	assert first.auc > 0.6
	assert frappe.db.get_value("Lead Priority Model", first.name, "status") == "Superseded"
	assert second.status == "In Use"
	assert definitions.in_force()["priorities"][COMPANY] == json.loads(second.model)


def test_a_second_run_of_the_same_night_keeps_no_second_model(past):
	for minutes in (0, 5):
		assert learn_company(COMPANY, NOW + timedelta(minutes=minutes))
	assert frappe.db.count("Lead Priority Model", {"company": COMPANY}) == 1


def test_a_model_of_a_clock_that_was_set_back_does_not_make_a_night_two(past):
	for instant in (NOW + timedelta(days=40), NOW, NOW):
		learn_company(COMPANY, instant)
	assert frappe.db.count("Lead Priority Model", {"company": COMPANY, "learned_at": NOW}) == 1


def test_a_referral_comes_before_a_fair(past):
	learn_company(COMPANY, NOW)
	table = priority.model_of(COMPANY).table["source"]

	assert table["Referral"].weight > 0 > table["Fair"].weight


def test_with_too_few_sales_there_is_no_model_and_it_says_why():
	make_past(odds=(("Referral", 0.02), ("Fair", 0.02)))

	assert not learn_company(COMPANY, NOW)
	assert (model_doc().status, model_doc().why) == ("Not Used", "Too Few Sales")
	assert priority.model_of(COMPANY) is None


def test_what_chance_explains_is_not_used():
	make_past(odds=(("Referral", 0.15), ("Fair", 0.15)))

	assert not learn_company(COMPANY, NOW)
	assert model_doc().why == "No Better Than Chance"


def test_the_future_of_a_lead_changes_nothing_of_what_is_learned(past):
	"""Whatever is written of a lead after a moment, or of leads after the present, is not known then."""
	known = list(cases(COMPANY, NOW))
	later = NOW + timedelta(days=1)
	for name in past[:40]:
		entered = frappe.db.get_value("Lead Journey", name, "entered_at")
		frappe.db.set_value(
			"Lead Journey",
			name,
			{
				"first_touch_at": entered + timedelta(days=31),
				"prospect_at": entered + timedelta(days=31),
				"opportunity_at": entered + timedelta(days=60),
				"present_source": "Future",
				"present_segment": "Future",
				"present_territory": "Future",
				"company_value": 1_000_000,
				"exit_reason": "Future",
				"touches": 99,
			},
		)
		log = {"lead": name, "stage": "opportunity", "left_stage": "target", "source": "Future"}
		insert_rows("Lead Stage Log", [{**log, "entered_at": entered + timedelta(days=60)}], later)
	answer_later(past[0], later)
	insert_rows(
		"Lead Journey",
		[{"lead": "future", "entered_at": later, "company": COMPANY, "source": "Future", "sale_at": later}],
		later,
	)

	assert list(cases(COMPANY, NOW)) == known


def answer_later(lead: str, at: datetime):
	(judged,) = insert_rows("Lead Qualification", [{"lead": lead, "checklist": "BANT v1"}], at)
	insert_rows(
		"Lead Qualification Answer",
		[
			{
				"parent": judged.name,
				"parenttype": "Lead Qualification",
				"parentfield": "answers",
				"criterion": "budget",
				"met": 1,
				"answered_on": at,
			}
		],
		at,
	)


def test_what_was_done_before_a_moment_is_known_then(past):
	entered = frappe.db.get_value("Lead Journey", past[0], "entered_at")
	days = timedelta(days=1)
	frappe.db.set_value(
		"Lead Journey", past[0], {"first_touch_at": entered + days, "prospect_at": entered + days}
	)
	answer_later(past[0], entered + days)
	(case,) = [case for case in cases(COMPANY, NOW) if case.entered_at == entered]
	(_entry, at_entry), (_later, later) = case.moments

	assert (at_entry["touched"], at_entry["stage"], at_entry["criteria_met"]) == ("", "target", 0)
	assert (later["touched"], later["stage"], later["criteria_met"]) == ("Yes", "prospect", 1)


def test_nothing_is_known_of_who_somebody_is(past):
	lead = make_lead(email_id="someone@gmail.com", phone="+49 30 1234567", gender="Female", salutation="Ms")
	facts = priority.facts_of(lead, now_datetime())

	assert not NEVER & set(facts)
	assert not NEVER & {name for case in cases(COMPANY, NOW) for _days, said in case.moments for name in said}
	told = json.dumps(facts) + (frappe.db.get_value("Lead Stage Log", {"lead": lead.name}, "facts") or "")
	for secret in (lead.lead_name, lead.email_id, lead.phone, "Female", "Ms"):
		assert secret not in told
	assert facts["mail"] == "Free Mail"


def test_what_a_lead_said_as_it_came_in_stays_known():
	lead = make_lead(company_name="Acme", email_id="a@acme.example")
	said = said_by(lead)
	lead.update({"website": "https://acme.example", "phone": "+49 30 1234567"})
	lead.save()

	stored = json.loads(
		frappe.db.get_value("Lead Stage Log", {"lead": lead.name, "stage": "target"}, "facts")
	)

	assert stored == {name: value for name, value in said.items() if value != ""}
	assert said_by(lead) != said


def test_a_lead_is_learned_from_by_the_facts_by_which_it_is_scored(past):
	lead = make_lead()
	(case, *_more) = cases(COMPANY, NOW)

	assert set(priority.facts_of(lead, now_datetime())) == set(case.moments[0][1])
	assert set(priority.columns()) >= {field for field in FIELDS if frappe.get_meta("Lead").has_field(field)}


# --- a drop ---


@pytest.fixture
def manager():
	user = frappe.get_doc(
		{
			"doctype": "User",
			"email": "priority.manager@example.com",
			"first_name": "Manager",
			"send_welcome_email": 0,
			"roles": [{"role": "Lead Quality Manager"}],
		}
	).insert(ignore_permissions=True)
	return user.name


def notices(user: str) -> list[str]:
	return frappe.get_all(
		"Notification Log", {"for_user": user, "document_type": "Lead Priority Model"}, pluck="subject"
	)


def test_a_drop_is_told_once_until_it_has_recovered(past, manager):
	learn_company(COMPANY, NOW)
	usual = model_doc().first_fifth
	set_past(99)
	learn_company(COMPANY, NOW + timedelta(days=1))
	since = model_doc().dropped_since
	set_past(99)
	learn_company(COMPANY, NOW + timedelta(days=2))

	assert since and model_doc().dropped_since == since
	assert len(notices(manager)) == 1
	assert COMPANY in notices(manager)[0]

	set_past(usual)
	learn_company(COMPANY, NOW + timedelta(days=3))
	assert not model_doc().dropped_since
	assert len(notices(manager)) == 1


def set_past(first_fifth: float):
	frappe.db.set_value("Lead Priority Model", {"company": COMPANY}, "first_fifth", first_fifth)


# --- a lead's priority ---


@pytest.fixture
def company_of_leads(past):
	"""Leads without a company go by what was learned."""
	learn_company(COMPANY, NOW)
	model = model_doc().model
	frappe.db.set_value("Lead Priority Model", {"company": COMPANY}, "status", "Superseded")
	default = make_lead(lead_name="Which Company").company
	row = {"company": default, "status": "In Use", "model": model, "learned_at": NOW}
	insert_rows("Lead Priority Model", [row], NOW)
	definitions.clear_caches()
	return default


def stored(lead) -> int:
	return frappe.db.get_value("Lead", lead.name, "lq_priority")


def source(name: str) -> dict:
	field = priority.lead_field("source")
	doctype = frappe.get_meta("Lead").get_field(field).options
	if not frappe.db.exists(doctype, name):
		title = "source_name" if doctype == "Lead Source" else "name"
		frappe.get_doc({"doctype": doctype, title: name, "__newname": name}).insert(ignore_permissions=True)
	return {field: name}


def test_a_lead_has_its_priority_as_soon_as_it_is_saved(company_of_leads):
	referral, fair = make_lead(**source("Referral")), make_lead(**source("Fair"))

	assert stored(referral) > stored(fair)
	assert stored(referral) == priority.priority_of(referral, now_datetime())

	fair.update(source("Referral"))
	fair.save()
	assert stored(fair) == stored(referral)


def test_a_request_cannot_set_a_priority(company_of_leads):
	lead = make_lead(lq_priority=100, **source("Fair"))
	value = stored(lead)
	lead.lq_priority = 99
	lead.save()

	assert value < 99
	assert stored(lead) == value


def test_without_a_model_the_priority_is_the_share_of_criteria_met():
	lead = make_lead()
	lead.reload()
	lead.update({"lq_met_count": 3, "lq_criteria_count": 4})

	assert priority.priority_of(lead, now_datetime()) == 75


def test_the_nightly_job_learns_and_scores_all_leads(past):
	lead = make_lead()
	frappe.db.set_value("Lead", lead.name, "lq_priority", 77, update_modified=False)

	counts = jobs.learn_priorities(NOW)

	assert not counts["failed"], frappe.get_last_doc("Follow Up Run").errors
	assert model_doc().status == "In Use"
	assert stored(lead) == priority.priority_of(frappe.get_doc("Lead", lead.name), NOW)


def test_what_happens_to_a_lead_without_a_save_is_in_its_priority_within_the_hour(company_of_leads):
	lead = make_lead(**source("Fair"))
	frappe.db.set_value("Lead", lead.name, {"lq_priority": 1}, update_modified=False)
	frappe.db.set_value("Lead Journey", lead.name, "touches", 1)

	counts = jobs.refresh_priorities(now_datetime())

	assert not counts["failed"]
	assert stored(lead) == priority.priority_of(frappe.get_doc("Lead", lead.name), now_datetime()) != 1
	assert jobs.refresh_priorities(now_datetime())["done"] == 0


def test_all_leads_at_once_have_the_priority_that_each_has_by_itself(company_of_leads):
	now = now_datetime()
	leads = [
		make_lead(**source(name), **more)
		for name in ("Referral", "Fair")
		for more in ({}, {"phone": "123456"})
	]
	names = [lead.name for lead in leads]
	frappe.db.set_value("Lead", {"name": ["in", names]}, "lq_priority", -1, update_modified=False)

	assert priority.score_some(names, now) == len(names)
	assert [stored(lead) for lead in leads] == [
		priority.priority_of(frappe.get_doc("Lead", name), now) for name in names
	]


def test_a_save_asks_the_database_nothing_for_it(company_of_leads):
	lead = make_lead(**source("Fair"))
	priority.priority_of(lead, now_datetime())
	asked = []
	real, frappe.db.sql = frappe.db.sql, lambda *args, **options: asked.append(args) or real(*args, **options)
	try:
		priority.priority_of(lead, now_datetime())
	finally:
		frappe.db.sql = real

	assert not asked


# --- why ---


def test_the_panel_says_why(company_of_leads):
	lead = make_lead(**source("Referral"))
	shown = get_panel(lead=lead.name)["priority"]

	assert shown["priority"] == stored(lead)
	assert any("Referral" in reason["words"] and reason["raises"] for reason in shown["reasons"])
	assert len(shown["reasons"]) <= 3
	assert "%" in shown["summary"]


def test_without_a_model_the_panel_says_so():
	shown = get_panel(lead=make_lead().name)["priority"]

	assert shown["reasons"] == [] and "criteria" in shown["summary"]


def test_a_model_is_read_by_managers_and_written_by_nobody(past, manager):
	learn_company(COMPANY, NOW)

	frappe.set_user(manager)
	assert frappe.has_permission("Lead Priority Model", "read", doc=model_doc().name)
	frappe.set_user("Administrator")
	with pytest.raises(frappe.PermissionError):
		frappe.new_doc("Lead Priority Model").insert()


def test_the_page_of_a_model_shows_the_whole_table_and_what_came_of_each_tenth(past):
	learn_company(COMPANY, NOW)
	doc = model_doc()
	doc.run_method("onload")
	shown = doc.get("__onload")

	assert len(shown.table) == len(json.loads(doc.model)["lines"])
	assert {"words", "factor", "leads", "won"} == set(shown.table[0])
	assert len(shown.deciles) == 10
	assert sum(tenth["won"] for tenth in shown.deciles) == doc.judged_won


@pytest.mark.parametrize(
	("line", "words"),
	[
		(("source", "Referral"), "Source: Referral"),
		(("stage", "prospect"), "Stage: Prospect"),
		(("has_phone", ""), "Phone: not given"),
		(("has_phone", "Yes"), "Phone: given"),
		(("touched", ""), "Not contacted yet"),
		(("touched", "Yes"), "Contacted"),
		(("industry", ""), "Industry: not given"),
		(("industry", "?"), "Industry: not recorded"),
		(("source", "Other..."), "Source: Other..."),
		(("market_segment", "1..x"), "Market Segment: 1..x"),
		(("no_of_employees", ".."), "Employees: .."),
		(("criteria_met", "..1"), "Criteria met: 0"),
		(("criteria_met", "..3"), "Criteria met: up to 2"),
		(("criteria_met", "3..4"), "Criteria met: 3"),
		(("filled", "3..6"), "Fields filled in: 3 to 5"),
		(("filled", "6.."), "Fields filled in: 6 or more"),
	],
)
def test_a_line_of_the_table_in_words(line, words):
	assert priority.fact_in_words(*line) == words


@pytest.mark.parametrize("said", ["Other...", "A..B", "..", "3..6", "3.."])
def test_a_text_is_never_taken_for_a_range_of_numbers(said):
	of_texts = {"source", "campaign", "territory", "segment", *SAID}

	assert set(priority.labels()) >= of_texts
	for field in of_texts:
		assert priority.fact_in_words(field, said) == f"{priority.labels()[field]}: {said}"


def test_the_number_in_the_list_is_that_of_the_panel_whatever_was_entered(company_of_leads):
	lead = make_lead(
		**source("Referral"),
		first_name="Ann",
		website="not a url",
		phone="+49 30 123456",
		email_id=f"{frappe.generate_hash(length=8)}@gmail.com",
	)

	assert get_panel(lead=lead.name)["priority"]["priority"] == stored(lead)
