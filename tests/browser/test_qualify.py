"""A qualifier answers during a call, at a desk or on a phone, alone or beside a colleague."""

import re

import frappe
import pytest
from frappe.utils import add_days, add_months, add_to_date, now_datetime, today
from playwright.sync_api import Page, expect

from lead_quality import api
from lead_quality.demo.factories import make_checklist, make_lead, make_sales_ready, make_user
from tests.browser.helpers import choose_link, choose_reason

PASSWORD = "ask-them-all-2026"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def people(database):
	users = {
		"qualifier": make_user(
			"quinn.qualify@example.com", "Sales User", first_name="Quinn", last_name="Berg", password=PASSWORD
		),
		"colleague": make_user(
			"cora.qualify@example.com", "Sales User", first_name="Cora", last_name="Lind", password=PASSWORD
		),
		"agency": make_user(
			"agnes.qualify@example.com", "Lead Qualifier", first_name="Agnes", password=PASSWORD
		),
		"manager": make_user(
			"mara.qualify@example.com", "Sales Manager", "Sales User", first_name="Mara", password=PASSWORD
		),
	}
	database.commit()
	return {part: user.name for part, user in users.items()}


@pytest.fixture
def lead(people, database):
	lead = make_lead("Clara", "Hafen", company_name="Hafen Pumpen", lead_owner=people["qualifier"])
	database.commit()
	return lead


@pytest.fixture
def sheet(lead, page, desk, people, database):
	"""`sheet()` opens the sheet of the lead as the qualifier; `sheet(page)` does so in another window."""
	name = api.qualify(lead.name, []).name
	database.commit()

	def open_sheet(user: str = "qualifier") -> Page:
		desk.login(people[user], PASSWORD)
		desk.open(f"lead-qualification/{name}")
		expect(page.locator("[data-head]")).to_be_visible()
		return page

	return open_sheet


def test_a_call_is_answered_on_a_phone_without_scrolling_sideways(sheet, lead, page, database, shoot):
	page.set_viewport_size(PHONE)
	sheet()
	expect(card(page, "budget")).to_contain_text("Have you put an amount aside for this")
	box(page, "budget").fill("25000")
	tap(page, "authority", "Decision Maker")
	expect(card(page, "authority")).to_contain_text("Not saved")
	box(page, "need").fill("The pumps fail twice a month")
	width = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
	assert width[0] <= width[1]
	heights = card(page, "authority").get_by_role("radio").locator("visible=true")
	assert min(button.bounding_box()["height"] for button in heights.all()) >= 36
	save(page)
	expect(page.locator("[data-head]")).to_contain_text("3 of 4 met")
	expect(page.locator("#alert-container .desk-alert")).to_have_count(0)
	page.evaluate("document.querySelector('[data-head]').scrollIntoView({block: 'center'})")
	shoot(page, "sheet-phone")
	width = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
	assert width[0] <= width[1]
	kept = known(database, lead)
	assert kept["need"].value == "The pumps fail twice a month"
	assert float(kept["budget"].value) == 25000


def test_the_words_to_ask_with_follow_the_channel_and_the_choice_is_remembered(sheet, page):
	sheet()
	page.get_by_role("radio", name="Trade show").click()
	expect(card(page, "need")).to_contain_text("What brought you to our stand?")
	page.reload()
	expect(card(page, "need")).to_contain_text("What brought you to our stand?")


def test_two_people_who_answer_at_once_keep_both_answers(sheet, lead, page, people, database):
	sheet()
	box(page, "need").fill("The pumps fail twice a month")
	answer_as(people["colleague"], lead, {"criterion": "budget", "value": "40000"}, database)
	save(page)
	kept = known(database, lead)
	assert (kept["need"].value, kept["need"].answered_by) == (
		"The pumps fail twice a month",
		people["qualifier"],
	)
	assert (kept["budget"].value, kept["budget"].answered_by) == ("40000", people["colleague"])
	expect(card(page, "budget")).to_contain_text("Cora Lind")


def test_who_replaces_an_answer_unseen_is_told(sheet, lead, page, people, database):
	sheet()
	box(page, "budget").fill("25000")
	answer_as(people["colleague"], lead, {"criterion": "budget", "value": "40000"}, database)
	press_save(page)
	told = page.locator(".modal.show")
	expect(told).to_contain_text("Cora Lind answered What is the budget? with 40000 in the meantime")
	assert float(known(database, lead)["budget"].value) == 25000


def test_an_answer_that_is_refused_stays_typed(sheet, lead, page, desk, database):
	sheet()
	box(page, "budget").fill("50.000x")
	box(page, "need").fill("The pumps fail twice a month")
	press_save(page)
	expect(page.locator(".modal.show")).to_contain_text("is not a Number")
	desk.close_message()
	expect(box(page, "budget")).to_have_value("50.000x")
	expect(box(page, "need")).to_have_value("The pumps fail twice a month")
	expect(card(page, "budget").locator("[data-error]")).to_contain_text("50.000x is not a Number")
	assert page.evaluate("cur_frm.is_dirty()")
	assert not known(database, lead)["need"].value

	box(page, "budget").fill("50.000,50")
	save(page)
	expect(card(page, "budget").locator("[data-error]")).to_have_text("")
	assert float(known(database, lead)["budget"].value) == 50000.5


def test_what_is_typed_outlives_a_reload_of_the_form_and_can_be_undone(sheet, page, desk):
	sheet()
	box(page, "need").fill("The pumps fail twice a month")
	page.evaluate("cur_frm.reload_doc()")
	desk.settle()
	expect(box(page, "need")).to_have_value("The pumps fail twice a month")
	assert page.evaluate("cur_frm.is_dirty()")
	card(page, "need").get_by_text("Undo").click()
	expect(box(page, "need")).to_have_value("")
	expect(card(page, "need")).to_contain_text("Open")
	assert not page.evaluate("cur_frm.is_dirty()")


def test_each_contact_of_the_lead_is_asked(sheet, lead, page, database, shoot):
	second = frappe.get_doc(
		{
			"doctype": "Contact",
			"first_name": "Peter",
			"last_name": "Plan",
			"designation": "Head of Planning",
			"links": [{"link_doctype": "Lead", "link_name": lead.name}],
		}
	).insert(ignore_permissions=True)
	database.commit()
	sheet()
	expect(card(page, "authority").locator("[data-contact]")).to_have_count(3)
	expect(card(page, "authority")).to_contain_text("Head of Planning")
	expect(card(page, "authority")).to_contain_text("The company as a whole")
	tap(page, "authority", "Gatekeeper")
	line = card(page, "authority").locator(f'[data-contact="{second.name}"]')
	line.get_by_role("radio", name="Decision Maker").click()
	line.get_by_role("radio", name="Observed").click()
	line.get_by_text("Add a note").click()
	line.locator("textarea.note").fill("Signed the last order")
	save(page)
	expect(card(page, "authority").locator("[data-state]")).to_contain_text("Met")
	expect(page.locator("#alert-container .desk-alert")).to_have_count(0)
	shoot(page, "sheet-contacts")
	rows = {row.contact: row for row in answers_of(database, lead) if row.criterion == "authority"}
	assert len(rows) == 2
	assert rows[second.name].evidence_grade == "Observed"
	assert rows[second.name].note == "Signed the last order"


def test_an_answer_says_what_it_came_from(sheet, lead, page, people, database):
	api.log_touch(lead.name, "Phone", outcome="Connected")
	database.commit()
	sheet()
	box(page, "need").fill("The pumps fail twice a month")
	card(page, "need").locator("[data-sources]").select_option(index=1)
	save(page)
	expect(card(page, "need").get_by_role("link", name=re.compile("Phone · Connected"))).to_be_visible()
	kept = known(database, lead)["need"]
	assert kept.reference_doctype == "Lead Touch"
	assert kept.evidence_grade == "Stated"


def test_an_answer_out_of_date_is_confirmed_by_one_button(people, page, desk, database, shoot):
	own = f"Expiring {frappe.generate_hash(length=6)}"
	checklist = make_checklist(
		own,
		[
			{
				"criterion": "amount",
				"label": "How much is set aside?",
				"topic": "Budget",
				"answer_type": "Number",
				"amount_currency": "EUR",
				"pass_operator": ">=",
				"pass_value": "10000",
				"mandatory": 1,
				"expires_after_days": 30,
			},
			{"criterion": "agreed", "label": "Did they agree to a call?", "answer_type": "Check"},
			{"criterion": "margin", "label": "Our margin?", "answer_type": "Number", "confidential": 1},
		],
	)
	lead = make_lead("Olga", "Alt", company_name="Alte Pumpen", lead_owner=people["agency"])
	doc = api.qualify(lead.name, [])
	frappe.db.set_value("Lead Qualification", doc.name, "checklist", checklist.name)
	frappe.clear_document_cache("Lead Qualification", doc.name)
	api.qualify(lead.name, [{"criterion": "amount", "value": "25000", "currency": "EUR"}])
	database.commit()
	row = known(database, lead)["amount"]
	frappe.db.set_value(
		"Lead Qualification Answer", row.name, "answered_on", add_to_date(now_datetime(), days=-40)
	)
	database.commit()
	desk.login(people["agency"], PASSWORD)
	desk.open(f"lead-qualification/{doc.name}")
	expect(card(page, "amount")).to_contain_text("Stale")
	expect(card(page, "amount")).to_contain_text("out of date, ask again")
	expect(card(page, "amount")).to_contain_text("Mandatory")
	expect(card(page, "margin")).to_contain_text("Confidential")
	expect(card(page, "margin").locator("input")).to_have_count(0)
	shoot(page, "sheet-stale")
	card(page, "amount").get_by_role("button", name="Still right").click()
	save(page)
	expect(card(page, "amount").locator("[data-state]")).to_have_text(re.compile(r"^\s*Met\s*$"))
	kept = known(database, lead)["amount"]
	assert kept.answered_by == people["agency"]
	assert kept.currency == "EUR"
	box(page, "amount").fill("5000")
	tap(page, "agreed", "Yes")
	save(page)
	expect(card(page, "amount").locator("[data-state]")).to_contain_text(
		re.compile("needs at least .*10.000")
	)


def test_ctrl_s_saves_and_the_tab_key_goes_from_answer_to_answer(sheet, lead, page, database):
	sheet()
	box(page, "need").click()
	page.keyboard.type("The pumps fail twice a month")
	page.keyboard.press("Alt+ArrowDown")
	page.keyboard.press("ArrowRight")
	page.keyboard.press("Enter")
	expect(card(page, "need").get_by_role("radio", name="Stated")).to_have_attribute("aria-checked", "true")
	box(page, "need").click()
	page.keyboard.press("Tab")
	assert (
		page.evaluate("document.activeElement.closest('[data-criterion]').dataset.criterion") == "timescale"
	)
	page.keyboard.press("Shift+Tab")
	assert page.evaluate("document.activeElement.closest('[data-criterion]').dataset.criterion") == "need"
	page.keyboard.press("Control+s")
	page.wait_for_function("() => !cur_frm.is_dirty()")
	rest(page)
	assert known(database, lead)["need"].value == "The pumps fail twice a month"


def test_horizon_and_decision_are_saved_with_the_answers(sheet, lead, page, database):
	sheet()
	page.get_by_role("radio", name="Near Term").click()
	page.evaluate(
		"date => cur_frm.set_value({decision: 'Nurture', nurture_until: date})", add_months(today(), 1)
	)
	box(page, "need").fill("Next year")
	save(page)
	doc = frappe.get_doc("Lead Qualification", {"lead": lead.name})
	assert (doc.horizon, doc.decision, doc.verdict) == ("Near Term", "Nurture", "Nurture")
	assert str(doc.nurture_until) == add_months(today(), 1)
	expect(page.locator(".page-head").locator("visible=true")).to_contain_text("Nurture")


def test_a_handover_that_is_refused_stays_typed_and_goes_once_it_is_mended(
	lead, people, page, desk, database
):
	make_sales_ready(lead.name)
	database.commit()
	desk.login(people["qualifier"], PASSWORD).open(f"lead/{lead.name}")
	page.locator(".lead-quality-panel").get_by_role("button", name="Hand Over", exact=True).click()
	dialog = page.locator(".modal-dialog", has_text="Who takes it over?").locator("visible=true")
	receiver = dialog.locator("[data-fieldname=to_user] input").first
	choose_link(receiver, people["colleague"])
	dialog.locator("[data-fieldname=note] textarea").fill("She expects the call on Friday")
	# a colleague takes an answer back meanwhile
	database.rollback()
	api.qualify(lead.name, [{"criterion": "need", "value": ""}])
	database.commit()
	dialog.get_by_role("button", name="Hand Over", exact=True).click()
	expect(page.locator(".modal.show", has_text="Not Sales Ready")).to_be_visible()
	make_sales_ready(lead.name)
	database.commit()
	desk.close_message()
	expect(dialog.locator("[data-fieldname=note] textarea")).to_have_value("She expects the call on Friday")
	dialog.get_by_role("button", name="Hand Over", exact=True).click()
	expect(page.locator(".lead-quality-panel")).to_contain_text("Waits for Cora Lind")
	database.rollback()
	assert (
		frappe.db.get_value("Lead Handover", {"lead": lead.name}, "note") == "She expects the call on Friday"
	)


def test_a_reason_that_says_later_proposes_a_day_to_come_back(lead, people, page, desk, database, shoot):
	later = reason("Budget only next year", proposes_nurture=1)
	proposed = api.get_panel(lead.name)["rest_until"]
	database.commit()
	desk.login(people["qualifier"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	panel.get_by_role("button", name="Disqualify").click()
	dialog = page.locator(".modal.show")
	expect(dialog.get_by_role("button", name="Disqualify", exact=True)).to_be_visible()
	expect(dialog.locator("[data-fieldname=nurture_until]")).to_be_hidden()
	choose_reason(dialog, "outcome_reason", "Budget only next year")
	expect(dialog.locator("[data-fieldname=nurture_until] input")).not_to_have_value("")
	expect(dialog.get_by_role("button", name="Disqualify anyway")).to_be_visible()
	page.wait_for_timeout(400)  # the dialog slides in
	shoot(page, "disqualify-later")
	dialog.get_by_role("button", name="Nurture until then").click()
	expect(panel).to_contain_text("Nurture until")
	database.rollback()
	doc = frappe.get_doc("Lead Qualification", {"lead": lead.name})
	assert (doc.decision, doc.outcome_reason) == ("Nurture", later)
	assert doc.nurture_until == proposed
	desk.settle()
	expect(page.locator("[data-verdict]")).to_have_text("Nurture")

	panel.get_by_role("button", name="Take back").click()
	expect(panel.get_by_role("button", name="Near Term")).to_be_visible()
	panel.get_by_role("button", name="Near Term").click()
	expect(panel.locator(".btn-primary-light")).to_have_text("Near Term")
	panel.get_by_role("button", name="Near Term").click()
	expect(panel.locator(".btn-primary-light")).to_have_count(0)


def test_a_lead_that_is_disqualified_offers_to_take_that_back_and_no_more(lead, people, page, desk, database):
	reason("Student", non_buyer=1)
	database.commit()
	desk.login(people["qualifier"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	panel.get_by_role("button", name="Disqualify").click()
	dialog = page.locator(".modal.show")
	choose_reason(dialog, "outcome_reason", "Student")
	dialog.get_by_role("button", name="Disqualify", exact=True).click()
	expect(panel.get_by_role("button", name="Take back")).to_be_visible()
	for name in ("Qualify", "Near Term", "Disqualify", "Hand Over", "Start a cadence"):
		expect(panel.get_by_role("button", name=name, exact=True)).to_have_count(0)
	desk.open(f"lead?name={lead.name}")
	expect(page.locator(".frappe-list")).to_contain_text("Not a buyer")


def test_a_late_answer_does_not_draw_the_panel_as_it_was_before(lead, people, page, desk, database):
	desk.login(people["qualifier"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	expect(panel.get_by_role("button", name="Disqualify")).to_be_visible()
	late = []

	def keep_the_first(route):
		if late:
			route.continue_()
		else:
			late.append((route, route.fetch()))

	page.route("**/lead_quality.api.get_panel*", keep_the_first)
	with page.expect_request("**/lead_quality.api.get_panel*"):
		page.evaluate("void cur_frm.lead_quality_panel.refresh()")
	while not late:
		page.wait_for_timeout(20)
	frappe.set_user(people["qualifier"])
	api.qualify(lead.name, decision="Disqualified", outcome_reason=reason("Student", non_buyer=1))
	database.commit()
	page.evaluate("void cur_frm.lead_quality_panel.refresh()")
	expect(panel.get_by_role("button", name="Take back")).to_be_visible()
	route, answer = late[0]
	with page.expect_response("**/lead_quality.api.get_panel*"):
		route.fulfill(response=answer)
	desk.settle()
	expect(panel.get_by_role("button", name="Take back")).to_be_visible()
	expect(panel.get_by_role("button", name="Disqualify")).to_have_count(0)


def test_a_hint_says_who_may_be_no_buyer(people, page, desk, database, shoot):
	if not frappe.db.exists("Supplier", "Rohr & Söhne"):
		frappe.get_doc({"doctype": "Supplier", "supplier_name": "Rohr & Söhne"}).insert(
			ignore_permissions=True
		)
	# only who may read the supplier is told
	frappe.get_doc("User", people["qualifier"]).add_roles("Purchase User")
	lead = make_lead("Ruth", "Rohr", company_name="Rohr & Söhne", lead_owner=people["qualifier"])
	database.commit()
	desk.login(people["qualifier"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	expect(panel.locator("[data-hint]")).to_contain_text("Rohr & Söhne is a supplier of ours.")
	expect(panel.get_by_role("button", name="Disqualify")).to_have_count(1)
	expect(panel.locator("[data-profile]")).to_contain_text("Company profile")
	page.set_viewport_size(PHONE)
	desk.open(f"lead/{lead.name}")
	expect(panel.locator("[data-hint]")).to_be_visible()
	width = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
	assert width[0] <= width[1]
	shoot(page, "lead-phone")


def test_the_gate_answers_before_erpnext_makes_anything(lead, people, page, desk, database):
	desk.login(people["manager"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	expect(page.locator(".lead-quality-panel")).to_be_visible()
	create(page, "Opportunity")
	dialog = page.locator(".modal.show")
	expect(dialog).to_contain_text("not asked yet")
	expect(dialog).not_to_contain_text("Create Prospect")
	expect(dialog.get_by_role("button", name="Qualify", exact=True)).to_be_visible()
	dialog.get_by_role("button", name="Override…").click()
	expect(page.locator(".modal.show")).to_contain_text("Why may it be made now?")
	expect(page.locator(".modal.show [data-fieldname=doctype] select")).to_have_value("Opportunity")
	database.rollback()
	assert not frappe.db.exists("Prospect Lead", {"lead": lead.name})


@pytest.mark.parametrize("doctype", ["Quotation", "Customer"])
def test_leave_is_given_for_every_document_at_the_gate(lead, people, page, desk, database, doctype):
	setting = f"{doctype.lower()}_gate"
	before = frappe.db.get_single_value("Lead Quality Settings", setting)
	frappe.db.set_single_value("Lead Quality Settings", setting, "Enforce")
	reason("Their framework contract", applies_to="Override")
	database.commit()
	try:
		desk.login(people["manager"], PASSWORD)
		desk.open(f"lead/{lead.name}")
		panel = page.locator(".lead-quality-panel")
		panel.get_by_role("button", name="Override…").click()
		dialog = page.locator(".modal.show")
		dialog.locator("[data-fieldname=doctype] select").select_option(doctype)
		choose_reason(dialog, "reason", "Their framework contract")
		dialog.get_by_role("button", name="Override", exact=True).click()
		expect(panel).to_contain_text(f"Gate overridden: {doctype}")
		database.rollback()
		assert frappe.db.get_value("Gate Override", {"lead": lead.name}, "for_doctype") == doctype
	finally:
		frappe.db.set_single_value("Lead Quality Settings", setting, before)
		database.commit()


def test_who_rejects_a_handover_and_may_not_see_its_lead_any_more_is_told_so_and_meets_no_error(
	lead, people, page, desk, database
):
	before = frappe.db.get_single_value("Lead Quality Settings", "hide_unqualified_leads")
	make_sales_ready(lead.name)
	handover = api.send_handover(lead.name, people["colleague"]).name
	# what was sales ready is not any more: it is seen only by who is to answer
	frappe.db.set_value("Lead", lead.name, "lq_verdict", "Nurture")
	frappe.db.set_single_value("Lead Quality Settings", "hide_unqualified_leads", 1)
	reason("No project there", applies_to="Reject")
	database.commit()
	try:
		desk.login(people["colleague"], PASSWORD)
		desk.open(f"lead-handover/{handover}")
		page.get_by_role("button", name="Reject", exact=True).locator("visible=true").click()
		dialog = page.locator(".modal.show")
		choose_reason(dialog, "reason", "No project there")
		refusals = []
		page.on(
			"response", lambda answer: refusals.append(answer.text()[-600:]) if answer.status >= 400 else None
		)
		dialog.get_by_role("button", name="Reject", exact=True).click()
		expect(page.get_by_text("The lead is given back.")).to_be_visible()
		expect(page).to_have_url(re.compile("lead-handover(/view/list)?([?].*)?$"))
		desk.settle()
		expect(page.locator(".modal.show")).to_have_count(0)
		assert not refusals
		database.rollback()
		assert frappe.db.get_value("Lead Handover", handover, "status") == "Rejected"
	finally:
		frappe.db.set_single_value("Lead Quality Settings", "hide_unqualified_leads", before)
		database.commit()


def test_a_lead_that_is_ready_meets_erpnexts_own_dialog(lead, people, page, desk, database):
	make_sales_ready(lead.name)
	database.commit()
	desk.login(people["qualifier"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	expect(page.locator(".lead-quality-panel")).to_contain_text("Sales Ready")
	create(page, "Opportunity")
	expect(page.locator(".modal.show")).to_contain_text("Create Prospect")


def test_a_lead_qualifier_is_offered_nothing_that_he_may_not_create(people, page, desk, database):
	lead = make_lead("Ida", "Extern", company_name="Extern Pumpen", lead_owner=people["agency"])
	database.commit()
	desk.login(people["agency"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	expect(page.locator(".lead-quality-panel")).to_be_visible()
	head = page.locator(".page-head").locator("visible=true")
	expect(head.get_by_role("button", name="Create", exact=True)).to_have_count(0)
	expect(page.locator("[data-label='Opportunity']")).to_have_count(0)
	expect(head).not_to_contain_text("Create > Opportunity")


def test_leads_are_sorted_by_criteria_met_and_among_equals_the_oldest_comes_first(
	people, page, desk, database
):
	qualifier, title = people["qualifier"], f"Buyer {frappe.generate_hash(length=6)}"
	old, young, better = (
		make_lead(first_name, "Sortiert", company_name=None, lead_owner=qualifier, job_title=title)
		for first_name in ("Alt", "Jung", "Besser")
	)
	frappe.db.set_value("Lead", old.name, "creation", add_days(now_datetime(), -9), update_modified=False)
	frappe.db.set_value("Lead", old.name, "modified", add_days(now_datetime(), -9), update_modified=False)
	for lead, count in ((old, 1), (young, 1), (better, 2)):
		api.qualify(
			lead.name,
			[{"criterion": "need", "value": "Pumps"}, {"criterion": "budget", "value": "100"}][:count],
		)
	database.commit()
	desk.login(qualifier, PASSWORD)
	desk.open(f"lead?job_title={title}")
	choices = page.locator(".sort-selector a.option").evaluate_all("all => all.map(a => a.dataset.value)")
	assert {"lq_verdict", "lq_met_count", "lq_due_at"} <= set(choices)
	page.locator(".sort-selector [data-toggle=dropdown]").locator("visible=true").last.click()
	page.locator(".sort-selector a.option[data-value=lq_met_count]").click()
	page.wait_for_function(
		"""names => {
			const shown = [...document.querySelectorAll(".list-row a[data-name]")].map(a => a.dataset.name);
			return String([...new Set(shown)]) === String(names);
		}""",
		arg=[better.name, old.name, young.name],
	)
	desk.settle()


def card(page: Page, criterion: str):
	return page.locator(f"[data-criterion={criterion}]")


def box(page: Page, criterion: str):
	return card(page, criterion).locator(".answer [data-focus]").first


def tap(page: Page, criterion: str, value: str):
	card(page, criterion).locator(".answer").first.get_by_role("radio", name=value).click()


def press_save(page: Page):
	page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()


def save(page: Page):
	press_save(page)
	page.wait_for_function("() => !cur_frm.is_dirty()")
	rest(page)


def rest(page: Page):
	"""Wait until the form and its sheet stand."""
	page.wait_for_load_state("networkidle")
	page.wait_for_function("() => !frappe.request.ajax_count")
	expect(page.locator("#freeze.in")).to_have_count(0)


def create(page: Page, what: str):
	page.get_by_role("button", name="Create", exact=True).locator("visible=true").click()
	page.locator(".dropdown-menu.show").get_by_text(what, exact=True).click()


def reason(text: str, applies_to: str = "Disqualify", **flags) -> str:
	name = frappe.db.get_value("Lead Outcome Reason", {"reason": text, "applies_to": applies_to})
	if name:
		return name
	doc = frappe.get_doc(
		{"doctype": "Lead Outcome Reason", "reason": text, "applies_to": applies_to, "enabled": 1, **flags}
	)
	return doc.insert(ignore_permissions=True).name


def answer_as(user: str, lead, answer: dict, database):
	frappe.set_user(user)
	api.qualify(lead.name, [answer])
	frappe.set_user("Administrator")
	database.commit()


def answers_of(database, lead) -> list:
	database.rollback()
	return frappe.get_doc("Lead Qualification", {"lead": lead.name}).answers


def known(database, lead) -> dict:
	return {row.criterion: row for row in answers_of(database, lead)}
