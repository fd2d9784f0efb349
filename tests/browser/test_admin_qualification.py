"""An admin defines when a lead is sales ready, tries it out on the leads that there are, and lets visitors answer."""

import re

import frappe
import pytest
from playwright.sync_api import Page, expect

from lead_quality import api
from lead_quality.base.parts import PartedJob, open_parts
from lead_quality.demo.factories import make_lead, make_source, make_user
from lead_quality.qualification import requalify
from tests.browser.helpers import choose_link

PASSWORD = "define-it-well-2026"


@pytest.fixture
def admin(database):
	user = make_user(
		"alma.admin@example.com",
		"Lead Quality Manager",
		"Website Manager",
		first_name="Alma",
		password=PASSWORD,
	)
	database.commit()
	return user.name


def own(doctype: str, title: str) -> str:
	"""A title that no record has yet; on a new site, it is `title` itself."""
	while frappe.db.exists(doctype, {"title": title}):
		title = f"{title.split(' #')[0]} #{frappe.generate_hash(length=4)}"
	return title


@pytest.fixture
def under_way(database, monkeypatch):
	"""A run that judges all leads again, of which the first part is done and no worker does the rest."""
	monkeypatch.setattr(PartedJob, "enqueue_parts", lambda job, run: None)
	finish_runs(database)
	for _lead in range(3):
		make_lead()
	monkeypatch.setattr(requalify, "PART", 2)
	run = requalify.start()
	database.commit()
	requalify.do_part(open_parts(run)[0])
	return run


def finish_runs(database):
	"""Do what a worker would do, if there is none."""
	database.rollback()
	frappe.local.cache.clear()  # what the web process has changed since
	run = requalify.job().open_run()
	for part in open_parts(run) if run else []:
		requalify.do_part(part)


# segments


def test_a_new_segment_shows_what_it_would_take_and_is_applied_to_the_leads_that_there_are(
	admin, page, desk, database, shoot
):
	title, city = own("Lead Segment", "Pump Towns"), f"Pumpstadt {frappe.generate_hash(length=2)}"
	leads = [
		make_lead(company_name=name, city=city).name
		for name in ("Adler Pumpen", "Brunnen & Co", "Cascade Works")
	]
	database.commit()
	finish_runs(database)
	desk.login(admin, PASSWORD)
	desk.open("lead-segment/new")
	fill(page, "title", title)
	fill(page, "priority", "1")
	page.evaluate(
		"""async city => {
			const row = cur_frm.doc.rules?.[0] || cur_frm.add_child("rules");
			await frappe.model.set_value(row.doctype, row.name, {field: "city", operator: "=", value: city});
			cur_frm.refresh_field("rules");
		}""",
		city,
	)

	button(page, "Try Out").click()
	dialog = page.locator(".modal.show")
	expect(dialog).to_contain_text("Would match 3 leads; 3 change segment.")
	expect(dialog).to_contain_text(title)
	expect(dialog.get_by_role("link", name="Adler Pumpen")).to_have_attribute("href", re.compile(leads[0]))
	expect(dialog.get_by_role("button", name="Apply to Existing Leads")).to_have_count(0)
	page.wait_for_timeout(500)  # the dialog slides in
	shoot(page, "segment-try-out")
	dialog.locator(".btn-modal-close").click()
	expect(page.locator(".modal.show")).to_have_count(0)
	database.rollback()
	assert not frappe.db.exists("Lead Segment", title)

	button(page, "Save").click()
	offer = page.locator(".lq-offer").locator("visible=true")
	expect(offer).to_contain_text("leads belong in another segment")
	desk.settle()
	shoot(page, "segment-saved")
	offer.get_by_role("button", name="Apply to Existing Leads").click()
	page.locator(".modal.show").get_by_role("button", name="Yes").click()
	bar = page.locator(".lq-run").locator("visible=true")
	expect(bar).to_be_visible()
	expect(offer).to_have_count(0)
	finish_runs(database)
	expect(bar).to_contain_text(re.compile(r"[\d.]+ leads requalified, [\d.]+ changed\."))
	shoot(page, "segment-applied")
	database.rollback()
	segments = frappe.get_all("Lead", {"name": ["in", leads]}, pluck="lq_segment", order_by="name asc")
	assert segments == [title] * 3


def test_progress_is_seen_in_form_and_list_and_after_the_page_was_loaded_again(
	admin, page, desk, database, shoot, under_way
):
	desk.login(admin, PASSWORD)
	desk.open("lead-segment/Inbound")
	bar = page.locator(".lq-run").locator("visible=true")
	expect(bar).to_contain_text("Requalifying leads: 2 of")
	expect(bar.locator(".progress-bar")).to_be_visible()
	shoot(page, "segment-progress")
	page.reload()
	expect(bar).to_contain_text("Requalifying leads: 2 of")
	desk.open("lead-segment")
	expect(bar).to_contain_text("Requalifying leads: 2 of")
	shoot(page, "segment-list")
	# no event reaches this page, it asks
	page.evaluate("frappe.realtime.off('lead_quality_requalify')")
	finish_runs(database)
	expect(bar).to_contain_text("leads requalified")


def test_a_segment_whose_rule_asks_for_a_missing_field_says_so(admin, page, desk, database, shoot):
	segment = frappe.get_doc(
		{
			"doctype": "Lead Segment",
			"title": own("Lead Segment", "Fair Guests"),
			"priority": 90,
			"rules": [{"field": "city", "operator": "is set"}, {"field": "fax", "operator": "is set"}],
		}
	).insert()
	# as when somebody has deleted the field since
	frappe.db.set_value("Lead Segment Rule", segment.rules[1].name, "field", "fair_hall")
	database.commit()
	desk.login(admin, PASSWORD)
	desk.open(f"lead-segment/{segment.name}")
	message = page.locator(".form-message.red").locator("visible=true")
	expect(message).to_contain_text("Rule 2 asks for a field that Lead no longer has: fair_hall.")
	expect(message).to_contain_text("this segment takes no leads")
	shoot(page, "segment-broken-rule")
	desk.open("lead-segment")
	row = page.locator(".list-row-container").filter(has_text=segment.name)
	expect(row).to_contain_text("Rule asks for a missing field")
	frappe.delete_doc("Lead Segment", segment.name)
	database.commit()


# the checklist


def test_a_checklist_says_in_words_what_it_asks_and_offers_its_criteria_and_facts(admin, page, desk, shoot):
	desk.login(admin, PASSWORD)
	desk.open("qualification-checklist/Trade Show Survey v1")
	words = page.locator(".lq-in-words").locator("visible=true")
	expect(words).to_contain_text("Sales ready when all 4 are met.")
	expect(words).to_contain_text("Authority: one of Decision Maker, Influencer, User")
	expect(words).to_contain_text("Disqualified when Authority: one of Student, Consultant")
	shoot(page, "checklist-in-words")
	options = page.evaluate("cur_frm.fields_dict.rules.grid.get_docfield('criterion').options")
	assert [option["value"] for option in options] == ["role", "interest", "decision_by", "follow_up_agreed"]
	options = page.evaluate("cur_frm.fields_dict.criteria.grid.get_docfield('lead_field').options")
	assert {"reachable", "city", "source"} <= {option["value"] for option in options}
	page.locator("[data-fieldname=criteria] .grid-row[data-idx='1'] .btn-open-row").click()
	page.wait_for_timeout(500)  # the row unfolds
	row = page.locator(".form-in-grid").locator("visible=true")
	expect(row).to_contain_text("Who Answers, and for How Long")
	row.scroll_into_view_if_needed()
	shoot(page, "criterion")


def test_leads_under_way_are_moved_to_the_new_version_with_their_answers(admin, page, desk, database, shoot):
	first = make_checklist(
		own("Qualification Checklist", "Needs"), [{"criterion": "need", "answer_type": "Text"}]
	)
	lead = make_lead().name
	answered = api.qualify(lead, [])
	frappe.db.set_value("Lead Qualification", answered.name, "checklist", first.name)
	api.qualify(lead, [{"criterion": "need", "value": "Leaks"}])
	second = first.make_new_version()
	second.append("criteria", {"criterion": "more", "label": "More?", "answer_type": "Check"})
	second.status = "Active"
	second.save()
	database.commit()
	finish_runs(database)
	desk.login(admin, PASSWORD)
	desk.open(f"qualification-checklist/{second.name}")
	button(page, "Move Leads Under Way Here").click()
	dialog = page.locator(".modal.show")
	expect(dialog).to_contain_text(f"{first.name}, leads under way: 1")
	page.wait_for_timeout(500)  # the dialog slides in
	shoot(page, "checklist-move-leads")
	dialog.get_by_role("button", name="Move", exact=True).click()
	bar = page.locator(".lq-run").locator("visible=true")
	expect(bar).to_be_visible()
	finish_runs(database)
	expect(bar).to_contain_text("leads requalified")
	expect(button(page, "Move Leads Under Way Here")).to_have_count(0)
	database.rollback()
	moved = frappe.get_doc("Lead Qualification", answered.name)
	assert (moved.checklist, moved.verdict) == (second.name, "Open")
	assert [row.value for row in moved.answers] == ["Leaks", None]


# the web form


def test_a_visitor_answers_a_checklist_by_a_web_form_that_the_admin_has_made_of_it(
	admin, page, desk, database, shoot, browser, base_url
):
	checklist = make_checklist(
		own("Qualification Checklist", "Fair Survey"),
		[
			{
				"criterion": "fair_role",
				"label": "Who decides?",
				"topic": "Authority",
				"answer_type": "Select",
				"options": "Decision Maker\nUser\nStudent",
				"pass_operator": "in",
				"pass_value": "Decision Maker, User",
				"guidance_web_form": "What is your part in the decision?",
			},
			{
				"criterion": "fair_budget",
				"label": "What is the budget?",
				"topic": "Budget",
				"answer_type": "Number",
				"amount_currency": "EUR",
				"guidance_web_form": "What budget have you planned?",
			},
			{
				"criterion": "fair_call",
				"label": "May we call you?",
				"topic": "Next Step",
				"answer_type": "Check",
			},
			{"criterion": "fair_margin", "label": "Our margin?", "answer_type": "Number", "confidential": 1},
		],
		status="Draft",
		pass_rule="At Least",
		at_least=3,
	)
	segment, title = own("Lead Segment", "Fair Visitors"), own("Web Form", "Visit us at the Fair")
	source, email = make_source(segment), f"vera.{frappe.generate_hash(length=4)}@visitor.example"
	database.commit()
	desk.login(admin, PASSWORD)

	desk.open(f"qualification-checklist/{checklist.name}")
	choose(page, "Fields for Web Form and Import")
	dialog = page.locator(".modal.show")
	expect(dialog.get_by_label("What budget have you planned?")).to_be_checked()
	expect(dialog.get_by_label("Our margin? (confidential)")).not_to_be_checked()
	page.wait_for_timeout(500)  # the dialog slides in
	shoot(page, "checklist-make-fields")
	dialog.get_by_role("button", name="Make Fields").click()
	expect(page.locator(".modal.show")).to_contain_text(
		"3 fields of the Lead answer criteria now", timeout=60_000
	)
	desk.close_message()
	page.wait_for_timeout(1500)  # Frappe loads a form that has changed elsewhere again after a second
	button(page, "Activate").click()
	page.locator(".modal.show").get_by_role("button", name="Activate", exact=True).click()
	expect(page.locator(".page-head").locator("visible=true")).to_contain_text("Active")
	desk.settle()
	page.wait_for_timeout(1500)  # Frappe loads a form that has changed elsewhere again after a second

	choose(page, "Make a Web Form")
	dialog = page.locator(".modal.show")
	dialog.locator("[data-fieldname=title] input").fill(title)
	link = dialog.locator("[data-fieldname=source] input")
	choose_link(link, source)
	shoot(page, "checklist-make-web-form")
	dialog.get_by_role("button", name="Make", exact=True).click()
	expect(page).to_have_url(re.compile("web-form/visit-us"))
	message = page.locator(".modal.show").filter(has_text="It is not published yet")
	expect(message.get_by_role("listitem")).to_have_text(["Our margin?"])
	page.wait_for_timeout(500)  # the message slides in
	shoot(page, "web-form-made")
	database.rollback()
	form = frappe.db.get_value("Web Form", {"title": title}, ["route", "published"], as_dict=True)
	assert not form.published
	desk.close_message()
	page.evaluate("cur_frm.set_value('published', 1)")
	button(page, "Save").click()
	page.wait_for_function("() => !cur_frm.is_dirty()")
	desk.settle()
	frappe.get_doc(
		{
			"doctype": "Lead Segment",
			"title": segment,
			"priority": 1,
			"rules": [{"field": "source", "operator": "=", "value": source}],
			"checklist": checklist.name,
		}
	).insert()
	database.commit()

	context = browser.new_context(base_url=base_url, viewport={"width": 1400, "height": 900})
	visitor = context.new_page()
	visitor.goto(f"/{form.route}")
	visitor.wait_for_load_state("networkidle")
	fill(visitor, "first_name", "Vera")
	fill(visitor, "email_id", email)
	field(visitor, "lqa_fair_role").locator("select").select_option("Decision Maker")
	fill(visitor, "lqa_fair_budget", "25000")
	field(visitor, "lqa_fair_call").locator("select").select_option("Yes")
	shoot(visitor, "web-form", full_page=True)
	visitor.get_by_role("button", name="Send").locator("visible=true").first.click()
	expect(visitor.get_by_text("We will get back to you.").locator("visible=true").first).to_be_visible()
	shoot(visitor, "web-form-sent")
	context.close()

	database.rollback()
	lead = frappe.get_doc("Lead", {"email_id": email})
	assert (lead.lq_segment, lead.lq_verdict) == (segment, "Sales Ready")
	desk.open(f"lead/{lead.name}")
	expect(page.locator(".lead-quality-panel")).to_contain_text("Sales Ready")
	page.evaluate("cur_frm.scroll_to_field('lqa_fair_budget')")
	page.wait_for_timeout(1000)  # the form scrolls
	shoot(page, "lead-answers")


def make_checklist(title: str, criteria: list[dict], status: str = "Active", **values):
	return frappe.get_doc(
		{
			"doctype": "Qualification Checklist",
			"title": title,
			"status": status,
			"criteria": [{"label": row["criterion"], **row} for row in criteria],
			**values,
		}
	).insert()


def button(page: Page, name: str):
	return page.get_by_role("button", name=name, exact=True).locator("visible=true")


def choose(page: Page, what: str):
	"""An entry of the checklist's menu."""
	button(page, "Web Form and Import").click()
	page.locator(".dropdown-menu.show").get_by_text(what, exact=True).click()


def field(scope, fieldname: str):
	return scope.locator(f"[data-fieldname={fieldname}]").locator("visible=true").first


def fill(scope, fieldname: str, value: str):
	box = field(scope, fieldname).locator("input, textarea").first
	box.fill(value)
	box.press("Tab")
