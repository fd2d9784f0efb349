"""Answers to a lead's criteria: by contact, in currencies, merged, stale, confidential."""

import re
import subprocess
import sys

import frappe
import pytest
from frappe.utils import add_days, now_datetime, today

from lead_quality import api
from lead_quality.base.rows import insert_rows
from lead_quality.demo.factories import answers, make_checklist, make_lead, make_sales_ready, use_checklist
from lead_quality.qualification import requalify

AUTHORITY = {
	"criterion": "authority",
	"answer_type": "Select",
	"options": "Decision Maker\nGatekeeper",
	"pass_operator": "=",
	"pass_value": "Decision Maker",
	"per_contact": 1,
}
BUDGET = {
	"criterion": "budget",
	"answer_type": "Number",
	"pass_operator": ">=",
	"pass_value": "10000",
	"amount_currency": "EUR",
}


def held_against(*criteria: dict, **values):
	"""A new lead whose checklist has these criteria."""
	use_checklist(make_checklist(frappe.generate_hash(length=8), list(criteria), **values))
	return make_lead()


def rows_of(lead: str, criterion: str) -> list:
	return frappe.get_all(
		"Lead Qualification Answer",
		{"parent": frappe.db.get_value("Lead Qualification", {"lead": lead}), "criterion": criterion},
		["value", "contact", "met", "answered_by", "answered_on", "exchange_rate", "currency", "note"],
		order_by="idx asc",
	)


def make_contact(lead: str, first_name: str) -> str:
	contact = frappe.get_doc({"doctype": "Contact", "first_name": first_name})
	contact.append("links", {"link_doctype": "Lead", "link_name": lead})
	return contact.insert().name


def test_each_contact_is_asked_and_one_decision_maker_is_enough():
	lead = held_against(AUTHORITY)
	gate, boss = make_contact(lead.name, "Gerd"), make_contact(lead.name, "Berta")
	judged = api.qualify(lead.name, [{"criterion": "authority", "contact": gate, "value": "Gatekeeper"}])
	assert (judged.verdict, judged.met_count) == ("Open", 0)
	judged = api.qualify(lead.name, [{"criterion": "authority", "contact": boss, "value": "Decision Maker"}])
	assert (judged.verdict, judged.met_count) == ("Sales Ready", 1)
	assert [(row.contact, row.met) for row in rows_of(lead.name, "authority")] == [(gate, 0), (boss, 1)]
	sheet = api.get_checklist(lead.name)
	assert {contact["full_name"] for contact in sheet["contacts"]} >= {"Gerd", "Berta"}


def test_a_contacts_answer_that_is_emptied_is_gone():
	lead = held_against(AUTHORITY)
	boss = make_contact(lead.name, "Berta")
	api.qualify(lead.name, [{"criterion": "authority", "contact": boss, "value": "Decision Maker"}])
	judged = api.qualify(lead.name, [{"criterion": "authority", "contact": boss, "value": ""}])
	assert judged.verdict == "Open"
	assert [row.contact for row in rows_of(lead.name, "authority")] == [None]


def test_the_latest_of_the_contacts_answers_stays_where_they_are_no_longer_asked_one_by_one(freeze):
	"""Beside it there is one of nobody in particular, from before each contact was asked."""
	with freeze("2026-03-02 10:00:00"):
		lead = held_against(AUTHORITY)
		old = frappe.db.get_value("Lead Segment", "Inbound", "checklist")
		boss = make_contact(lead.name, "Berta")
		name = api.qualify(
			lead.name, [{"criterion": "authority", "contact": boss, "value": "Gatekeeper"}]
		).name
		parent = {"parent": name, "parenttype": "Lead Qualification", "parentfield": "answers"}
		answer = {"idx": 2, "criterion": "authority", "value": "Gatekeeper", "label": "authority"}
		earlier = frappe.utils.get_datetime("2026-03-01 10:00:00")
		insert_rows("Lead Qualification Answer", [{**parent, **answer, "answered_on": earlier}], earlier)
	with freeze("2026-03-03 10:00:00"):
		new = make_checklist("Once", [{**AUTHORITY, "per_contact": 0}])
		use_checklist(new)
		for _again in range(2):
			requalify.judge_chunk([lead.name], now_datetime(), old, new.name)
			(row,) = rows_of(lead.name, "authority")
			assert (row.contact, row.value, str(row.answered_on)) == (
				None,
				"Gatekeeper",
				"2026-03-02 10:00:00",
			)


def test_a_question_for_each_contact_can_be_no_knock_out():
	with pytest.raises(frappe.ValidationError, match="Row 1"):
		make_checklist("Hard", [{**AUTHORITY, "knock_out": 1}])


def test_a_budget_in_another_currency_is_held_against_the_minimum_at_the_days_rate():
	for day, rate in (("2026-03-01", 0.9), ("2026-04-01", 1.1)):
		frappe.get_doc(
			{
				"doctype": "Currency Exchange",
				"date": day,
				"from_currency": "USD",
				"to_currency": "EUR",
				"exchange_rate": rate,
				"for_buying": 1,
				"for_selling": 1,
			}
		).insert()
	lead = held_against(BUDGET)
	judged = api.qualify(lead.name, [{"criterion": "budget", "value": "9500", "currency": "USD"}])
	assert (judged.verdict, rows_of(lead.name, "budget")[0].exchange_rate) == ("Sales Ready", 1.1)
	frappe.db.delete("Currency Exchange")
	judged.reload()
	judged.save()
	assert (judged.verdict, judged.answers[0].exchange_rate) == ("Sales Ready", 1.1)


def test_a_budget_without_an_exchange_rate_counts_as_open_and_says_so():
	frappe.db.set_single_value("Currency Exchange Settings", "disabled", 1)
	frappe.clear_document_cache("Currency Exchange Settings")
	lead = held_against(BUDGET)
	judged = api.qualify(lead.name, [{"criterion": "budget", "value": "1000000", "currency": "CHF"}])
	assert judged.verdict == "Open"
	assert "no exchange rate to EUR" in judged.reason


def test_an_affordable_budget_is_told_from_one_that_is_not():
	lead = held_against(BUDGET)
	judged = api.qualify(lead.name, [{"criterion": "budget", "value": "9999.99"}])
	assert (judged.verdict, rows_of(lead.name, "budget")[0].currency) == ("Open", "EUR")
	assert "needs at least" in judged.reason
	assert "€" in judged.reason
	assert api.qualify(lead.name, [{"criterion": "budget", "value": "10000"}]).verdict == "Sales Ready"


def test_two_people_who_answer_different_criteria_keep_both_answers(lead, make_user, as_user):
	for user, rows in (
		(make_user("one@answers.example", "Sales User"), answers()[:2]),
		(make_user("two@answers.example", "Sales User"), answers()[2:]),
	):
		with as_user(user):
			# both opened the sheet while nothing was answered
			api.qualify(lead.name, [{**row, "seen": ""} for row in rows])
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Sales Ready"
	assert [rows_of(lead.name, key)[0].answered_by for key in ("budget", "need")] == [
		"one@answers.example",
		"two@answers.example",
	]
	assert not any("in the meantime" in str(message) for message in frappe.message_log)


def test_an_answer_that_replaces_an_unseen_one_does_so_aloud(lead, make_user, as_user):
	with as_user(make_user("first@answers.example", "Sales User", first_name="Frieda")):
		api.qualify(lead.name, [{"criterion": "budget", "value": "5000", "seen": ""}])
	api.qualify(lead.name, [{"criterion": "budget", "value": "7000", "seen": ""}])
	assert rows_of(lead.name, "budget")[0].value == "7000"
	message = next(str(message) for message in frappe.message_log if "in the meantime" in str(message))
	assert "5000" in message


def test_replacing_an_answer_that_the_user_has_seen_says_nothing(lead):
	api.qualify(lead.name, [{"criterion": "budget", "value": "5000"}])
	seen = rows_of(lead.name, "budget")[0].answered_on
	frappe.clear_messages()
	api.qualify(lead.name, [{"criterion": "budget", "value": "7000", "seen": str(seen)}])
	assert not any("in the meantime" in str(message) for message in frappe.message_log)


def test_the_same_answer_given_twice_says_nothing_though_it_is_sent_as_a_number(lead):
	for value in ("0", 0):
		api.qualify(lead.name, [{"criterion": "budget", "value": value, "seen": ""}])
	assert rows_of(lead.name, "budget")[0].value == "0"
	assert not any("in the meantime" in str(message) for message in frappe.message_log)


def test_whoever_sends_only_some_answers_takes_none_away(lead):
	doc = make_sales_ready(lead.name)
	doc.reload()
	doc.set("answers", [row.as_dict() for row in doc.answers if row.criterion == "need"])
	doc.answers[0].value = "Another need"
	doc.save()
	assert doc.verdict == "Sales Ready"
	assert len(doc.answers) == 4
	assert rows_of(lead.name, "budget")[0].value


def test_a_stale_answer_counts_as_open_says_so_and_is_refreshed_by_giving_it_again(freeze):
	lead = held_against({"criterion": "need", "answer_type": "Text", "expires_after_days": 90})
	with freeze("2026-03-02 10:00:00") as clock:
		assert api.qualify(lead.name, [{"criterion": "need", "value": "Space"}]).verdict == "Sales Ready"
		clock.move_to("2026-06-02 10:00:00")
		sheet = api.get_checklist(lead.name)
		assert (sheet["verdict"], sheet["criteria"][0]["state"]) == ("Open", "Stale")
		assert "out of date" in sheet["reason"]
		assert api.qualify(lead.name, [{"criterion": "need", "value": "Space"}]).verdict == "Sales Ready"


def test_an_answer_names_the_communication_that_it_came_from(lead):
	mail = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_medium": "Email",
			"subject": "Our needs",
			"reference_doctype": "Lead",
			"reference_name": lead.name,
		}
	).insert()
	source = next(s for s in api.get_checklist(lead.name)["sources"] if s["name"] == mail.name)
	row = {"criterion": "need", "value": "Space", "evidence_grade": "Stated"}
	row.update({"reference_doctype": source["doctype"], "reference_name": source["name"]})
	doc = api.qualify(lead.name, [row])
	answer = next(row for row in doc.answers if row.criterion == "need")
	assert (answer.reference_doctype, answer.reference_name) == ("Communication", mail.name)


def test_a_confidential_answer_is_read_and_written_by_permission_level_one_only(make_user, as_user):
	lead = held_against({**BUDGET, "confidential": 1}, {"criterion": "need", "answer_type": "Text"})
	qualifier = make_user("outside@answers.example", "Lead Qualifier")
	frappe.db.set_value("Lead", lead.name, "lead_owner", qualifier)
	with as_user(make_user("inside@answers.example", "Sales User")):
		api.qualify(lead.name, [{"criterion": "budget", "value": "12000"}])
		assert api.get_checklist(lead.name)["criteria"][0]["answers"][0]["value"] == "12000"
	with as_user(qualifier):
		asked = api.get_checklist(lead.name)["criteria"][0]
		assert (asked["hidden"], asked["answers"][0]["value"], asked["state"]) == (True, "", "Met")
		with pytest.raises(frappe.PermissionError):
			api.qualify(lead.name, [{"criterion": "budget", "value": "1"}])
		judged = api.qualify(lead.name, [{"criterion": "need", "value": "Space"}])
		judged.apply_fieldlevel_read_permissions()
		assert "12000" not in frappe.as_json(judged.as_dict())
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Sales Ready"


def test_a_refused_answer_changes_nothing(lead):
	make_sales_ready(lead.name)
	with pytest.raises(frappe.ValidationError, match="plenty"):
		api.qualify(
			lead.name,
			[{"criterion": "need", "value": "New"}, {"criterion": "budget", "value": "plenty"}],
		)
	frappe.db.rollback()


def test_a_new_leads_own_data_answer_at_once():
	use_checklist(make_checklist("Own", [{"criterion": "city", "answer_type": "Text", "lead_field": "city"}]))
	lead = make_lead(city="Hamburg")
	own = ["lq_verdict", "lq_met_count", "qualification_status", "qualified_by"]
	assert frappe.db.get_value("Lead", lead.name, own) == ("Sales Ready", 1, "Qualified", None)
	assert frappe.db.count("Lead Qualification", {"lead": make_lead(city=None).name}) == 0


@pytest.mark.parametrize(
	("values", "verdict"),
	[
		({"mobile_no": "+49 40 123456"}, "Sales Ready"),
		({}, "Sales Ready"),
		({"email_id": "bounced@reach.example"}, "Open"),
	],
)
def test_whether_a_lead_can_be_reached_is_told_from_its_data(values, verdict):
	frappe.get_doc(
		{
			"doctype": "Contact Opt Out",
			"channel": "Email",
			"reason": "Bounced",
			"email_id": "bounced@reach.example",
		}
	).insert()
	use_checklist(make_checklist("Reach", [{"criterion": "reachable", "lead_field": "reachable"}]))
	assert frappe.db.get_value("Lead", make_lead(**values).name, "lq_verdict") == verdict


def test_a_save_that_changes_an_answering_field_costs_three_queries_more_and_others_none(count_queries):
	lead = held_against({"criterion": "city", "answer_type": "Text", "lead_field": "city"})
	lead.city = "Hamburg"
	lead.save()

	def queries_to_change(fieldname: str, value: str) -> list:
		doc = frappe.get_doc("Lead", lead.name)
		doc.set(fieldname, value)
		with count_queries() as queries:
			doc.save()
		return [query for query in queries if "Lead Qualification" in query]

	assert queries_to_change("job_title", "Buyer") == []
	assert len(queries_to_change("city", "Bremen")) == 3


def test_the_sheet_says_what_an_answer_needs():
	lead = held_against(
		BUDGET, {"criterion": "need", "answer_type": "Text", "guidance_phone": "Why now?"}, AUTHORITY
	)
	sheet = api.get_checklist(lead.name)
	assert re.fullmatch(r"at least .*10.000.*", sheet["criteria"][0]["needs"])
	assert sheet["criteria"][1]["guidance"] == {"guidance_phone": "Why now?"}
	assert [row["state"] for row in sheet["criteria"]] == ["Open"] * 3
	assert sheet["definition"] == "Sales ready when all 3 are met."


def test_the_answers_of_a_date_are_judged_by_the_day(freeze):
	lead = held_against({"criterion": "timescale", "answer_type": "Date"})
	with freeze("2026-03-02 10:00:00") as clock:
		judged = api.qualify(lead.name, [{"criterion": "timescale", "value": add_days(today(), 1)}])
		assert judged.verdict == "Sales Ready"
		clock.move_to("2026-03-04 00:00:01")
		assert api.get_panel(lead.name)["qualification"]["verdict"] == "Open"
		assert now_datetime().day == 4


@pytest.mark.parametrize(
	("rows", "words"),
	[
		([{"criterion": "colour", "value": "red"}], "Row 1.*colour"),
		([{"criterion": "budget", "value": "1"}, {"criterion": "budget", "value": "2"}], "Row 2.*twice"),
	],
)
def test_rows_that_cannot_be_meant_are_refused_with_their_number(lead, rows, words):
	doc = make_sales_ready(lead.name)
	doc.set("answers", rows)
	with pytest.raises(frappe.ValidationError, match=words):
		doc.save()


def test_a_row_that_brings_only_a_note_takes_no_answer_away(lead):
	doc = make_sales_ready(lead.name)
	doc.reload()
	doc.set("answers", [{"criterion": "budget", "note": "From the annual report"}])
	doc.save()
	row = rows_of(lead.name, "budget")[0]
	assert (row.value, row.note, doc.verdict) == ("25000", "From the annual report", "Sales Ready")


def test_a_program_may_send_numbers(lead):
	judged = api.qualify(lead.name, [{"criterion": "budget", "value": 50000}])
	assert (rows_of(lead.name, "budget")[0].value, judged.met_count) == ("50000", 1)
	assert api.qualify(lead.name, [{"criterion": "budget", "value": 0}]).met_count == 0
	assert rows_of(lead.name, "budget")[0].value == "0"
	with pytest.raises(frappe.ValidationError, match="list of rows"):
		api.qualify(lead.name, '["budget"]')


def test_nobody_answers_in_the_name_of_the_leads_own_data(lead):
	row = {"criterion": "budget", "value": "lots", "reference_doctype": "Lead", "reference_name": lead.name}
	with pytest.raises(frappe.ValidationError, match="lots"):
		api.qualify(lead.name, [row])
	api.qualify(lead.name, [{**row, "value": "500"}])
	assert rows_of(lead.name, "budget")[0].answered_by == "Administrator"


def test_only_the_leads_own_contacts_answer_for_it(lead):
	stranger = frappe.get_doc({"doctype": "Contact", "first_name": "Stranger"}).insert()
	row = {"criterion": "authority", "contact": stranger.name, "value": "Decision Maker"}
	with pytest.raises(frappe.ValidationError, match="not a contact of this lead"):
		api.qualify(lead.name, [row])


def test_a_lead_with_two_contacts_that_have_answered_can_be_handed_over(make_user):
	lead = make_lead()
	make_sales_ready(lead.name)
	for name, part in (("Gerd", "Gatekeeper"), ("Berta", "Decision Maker")):
		row = {"criterion": "authority", "contact": make_contact(lead.name, name), "value": part}
		api.qualify(lead.name, [row])
	handover = api.send_handover(lead.name, make_user("taker@answers.example", "Sales User"))
	assert "Gatekeeper" in handover.dossier
	assert "Berta" in handover.dossier


def test_a_confidential_answer_is_in_no_version_and_no_dossier(make_user):
	lead = held_against({**BUDGET, "confidential": 1})
	api.qualify(lead.name, [{"criterion": "budget", "value": "12345", "note": "heard at lunch"}])
	api.qualify(lead.name, [{"criterion": "budget", "value": "54321"}])
	versions = frappe.get_all("Version", {"ref_doctype": "Lead Qualification"}, pluck="data", order_by="name")
	handover = api.send_handover(lead.name, make_user("taker@answers.example", "Sales User"))
	for text in (*versions, handover.dossier):
		assert not re.search("12345|54321|12.345|54.321|lunch", text)
	assert api.get_checklist(lead.name)["criteria"][0]["answers"][0]["note"] == "heard at lunch"


def test_an_outside_qualifier_does_not_erase_a_confidential_answer(make_user, as_user):
	lead = held_against({**BUDGET, "confidential": 1}, {"criterion": "need", "answer_type": "Text"})
	qualifier = make_user("outside@answers.example", "Lead Qualifier")
	frappe.db.set_value("Lead", lead.name, "lead_owner", qualifier)
	name = api.qualify(lead.name, [{"criterion": "budget", "value": "12000"}]).name
	with as_user(qualifier):
		doc = frappe.get_doc("Lead Qualification", name)
		doc.set("answers", [{"criterion": "budget"}, {"criterion": "need", "value": "Space"}])
		doc.save()
	assert frappe.db.get_value("Lead", lead.name, ["lq_verdict", "lq_met_count"]) == ("Sales Ready", 2)


def test_a_bounce_makes_a_lead_unreachable_at_once():
	use_checklist(make_checklist("Reach", [{"criterion": "reachable", "lead_field": "reachable"}]))
	lead = make_lead(email_id="soon@reach.example")
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Sales Ready"
	api.opt_out(lead.name, "Email", "Bounced")
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Open"


QUALIFY = """
import sys, time, pathlib, frappe
site, lead, key, value, go = sys.argv[1:]
frappe.init(site); frappe.connect()
from lead_quality import api
frappe.get_doc("Lead", lead)  # what this transaction has seen
print("ready", flush=True)
while not pathlib.Path(go).exists(): time.sleep(0.01)
api.qualify(lead, [{"criterion": key, "value": value, "seen": ""}])
time.sleep(0.3)
frappe.db.commit()
"""


@pytest.mark.parametrize("asked_before", [False, True])
def test_two_processes_that_answer_at_the_same_time_keep_both_answers(
	site, real_commits, tmp_path, asked_before
):
	lead = make_lead()
	if asked_before:
		api.qualify(lead.name, [{"criterion": "authority", "value": "Influencer"}])
	frappe.db.commit()
	go = tmp_path / "go"
	try:
		processes = [
			subprocess.Popen(
				[sys.executable, "-W", "ignore", "-c", QUALIFY, site, lead.name, key, value, str(go)],
				stdout=subprocess.PIPE,
				text=True,
			)
			for key, value in (("budget", "5000"), ("need", "Space"))
		]
		for process in processes:
			assert process.stdout.readline() == "ready\n"
		go.touch()
		assert [process.wait(60) for process in processes] == [0, 0]
		frappe.db.rollback()
		assert frappe.db.count("Lead Qualification", {"lead": lead.name}) == 1
		assert [rows_of(lead.name, key)[0].value for key in ("budget", "need")] == ["5000", "Space"]
		assert frappe.db.get_value("Lead", lead.name, "lq_met_count") == 2 + asked_before
	finally:
		frappe.delete_doc("Lead", lead.name, force=True)
		frappe.db.commit()
