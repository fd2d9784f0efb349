"""The same walk as in tests/site, through the desk: three people, real clicks."""

import re

import frappe
import pytest
from frappe.utils import add_days, today
from playwright.sync_api import Page, expect

from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import make_item, make_source, make_user
from tests.browser.helpers import choose_link

PASSWORD = "walk-the-lead-2026"


@pytest.fixture
def people(database):
	users = {
		"marketing": make_user(
			"mia.walk@example.com", "Sales User", "Lead Quality Manager", first_name="Mia", password=PASSWORD
		),
		"sales": make_user("sam.walk@example.com", "Sales User", first_name="Sam", password=PASSWORD),
		"manager": make_user(
			"max.walk@example.com", "Sales Manager", "Sales User", first_name="Max", password=PASSWORD
		),
	}
	make_source("Campaign")
	make_item("Pump Audit", rate=25_000)
	database.commit()
	return {part: user.name for part, user in users.items()}


def test_three_people_take_a_lead_from_entry_to_order(people, page, desk, database, shoot):
	desk.login(people["marketing"], PASSWORD)

	desk.open("lead/new")
	fill(page, "first_name", "Clara")
	fill(page, "company_name", "Hafen Pumpen")
	fill(page, "email_id", f"clara.{frappe.generate_hash(length=6)}@hafen.example")
	# v16 keeps the source in a section that is folded up
	page.evaluate(
		"fieldname => cur_frm.fields_dict[fieldname].section?.collapse?.(false)", lead_field("source")
	)
	link(page, lead_field("source"), "Campaign")
	save(page)
	panel = page.locator(".lead-quality-panel")
	expect(panel.locator("[data-stage=target]")).to_have_class(re.compile("blue"))
	expect(panel).to_contain_text("0 of 4 criteria")
	expect(panel).to_contain_text("First Response")
	lead = page.evaluate("cur_frm.doc.name")
	panel.scroll_into_view_if_needed()
	shoot(page, "lead-new")

	# one click logs the call that was planned
	panel.get_by_role("button", name="Connected").click()
	expect(panel.locator("[data-stage=prospect]")).to_have_class(re.compile("blue"))
	expect(panel).not_to_contain_text("First Response")
	expect(panel).to_contain_text("Introduction by e-mail")
	shoot(page, "lead-prospect")

	page.get_by_role("button", name="Create", exact=True).locator("visible=true").click()
	page.locator(".dropdown-menu.show").get_by_text("Opportunity", exact=True).click()
	refusal = page.locator(".modal.show")
	expect(refusal).to_contain_text("Budget, Authority, Need")
	shoot(page, "opportunity-refused")

	refusal.get_by_role("button", name="Qualify", exact=True).click()
	answer(page, "budget", "25000")
	choose(page, "authority", "Decision Maker")
	answer(page, "need", "The pumps fail twice a month")
	save(page)
	expect(head(page)).to_contain_text("Open")
	expect(card(page, "need")).to_contain_text("Met")
	expect(page.locator("[data-head]")).to_contain_text("3 of 4 met")
	expect(page.locator("[data-head]")).to_contain_text("Missing: Timescale")
	page.locator("[data-head]").scroll_into_view_if_needed()
	expect(page.locator("#alert-container .desk-alert")).to_have_count(0)
	shoot(page, "qualification-open")
	set_date(page, "timescale", add_days(today(), 90))
	page.wait_for_function("() => cur_frm.is_dirty()")
	save(page)
	expect(head(page)).to_contain_text("Sales Ready")
	page.locator("[data-head]").scroll_into_view_if_needed()
	expect(page.locator("#alert-container .desk-alert")).to_have_count(0)
	shoot(page, "qualification-sales-ready")

	page.get_by_role("button", name="Back to the Lead").click()
	panel.get_by_role("button", name="Hand Over").click()
	dialog = page.locator(".modal.show")
	link(dialog, "to_user", people["sales"])
	fill(dialog, "note", "Expects your call on Thursday")
	shoot(page, "hand-over")
	dialog.get_by_role("button", name="Hand Over").click()
	expect(panel).to_contain_text("Waits for Sam")

	database.rollback()
	handover = frappe.db.get_value("Lead Handover", {"lead": lead})

	desk.login(people["sales"], PASSWORD)
	desk.open(f"lead/{lead}")
	panel.get_by_role("button", name="Accept or reject").click()
	expect(page).to_have_url(re.compile(handover))
	expect(page.locator("[data-fieldname=dossier_html]")).to_contain_text("The pumps fail twice a month")
	shoot(page, "handover-received")
	page.get_by_role("button", name="Accept", exact=True).locator("visible=true").click()
	expect(head(page)).to_contain_text("Accepted")
	rest(page)
	page.get_by_role("button", name="Create Opportunity").click()
	page.wait_for_function("() => cur_frm.doctype === 'Opportunity'")
	rest(page)
	add_item(page)
	save(page)

	create(page, "Quotation")
	save(page)
	submit(page)
	create(page, "Sales Order")
	page.evaluate(
		"date => Promise.all([cur_frm.set_value('delivery_date', date), cur_frm.trigger('delivery_date')])",
		add_days(today(), 30),
	)
	save(page)
	submit(page)

	desk.open(f"lead/{lead}")
	expect(panel.locator("[data-stage=sale]")).to_have_class(re.compile("blue"))
	shoot(page, "lead-sale")

	desk.login(people["manager"], PASSWORD)
	desk.open("query-report/Stage Conversion?show=Leads")
	expect(page.locator(".report-wrapper, .layout-main-section").last).to_contain_text("Hafen Pumpen")
	desk.open("query-report/Stage Conversion?show=Steps")
	expect(page.locator(".report-summary")).to_contain_text("Opportunity to Sale")
	page.wait_for_timeout(1500)  # the bars of the chart grow
	shoot(page, "stage-conversion")
	desk.open("lead-quality")
	expect(page.locator(".number-widget-box")).to_have_count(7)
	shoot(page, "workspace")
	desk.open("lead")
	expect(page.locator(".frappe-list")).to_contain_text("Sales Ready")
	shoot(page, "lead-list")


def head(page: Page):
	return page.locator(".page-head").locator("visible=true")


def field(scope, fieldname: str):
	return scope.locator(f"[data-fieldname={fieldname}]").locator("visible=true").first


def fill(scope, fieldname: str, value: str):
	box = field(scope, fieldname).locator("input, textarea").first
	box.fill(value)
	box.press("Tab")


def link(scope, fieldname: str, value: str):
	choose_link(field(scope, fieldname).locator("input").first, value)


def card(page: Page, criterion: str):
	return page.locator(f"[data-criterion={criterion}]")


def answer(page: Page, criterion: str, value: str):
	box = card(page, criterion).locator(".answer [data-focus]").first
	box.fill(value)
	box.press("Tab")


def choose(page: Page, criterion: str, value: str):
	card(page, criterion).locator(".answer").first.get_by_role("radio", name=value).click()


def set_date(page: Page, criterion: str, iso_date: str):
	shown = page.evaluate("date => frappe.datetime.str_to_user(date)", str(iso_date))
	answer(page, criterion, shown)
	page.keyboard.press("Escape")


def save(page: Page):
	page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
	page.wait_for_function("() => !cur_frm.is_new() && !cur_frm.is_dirty()")
	rest(page)


def rest(page: Page):
	"""Wait until the form stands. Frappe reloads a form one second after its document was changed elsewhere, and
	throws errors of its own if it is led on to another form in that second."""
	page.wait_for_timeout(1500)
	page.wait_for_function("() => decodeURIComponent(location.pathname).endsWith(cur_frm.doc.name)")
	page.wait_for_load_state("networkidle")
	page.wait_for_function("() => !frappe.request.ajax_count")


def submit(page: Page):
	page.get_by_role("button", name="Submit", exact=True).locator("visible=true").click()
	page.locator(".modal.show").get_by_role("button", name="Yes").click()
	page.wait_for_function("() => cur_frm.doc.docstatus === 1")
	rest(page)


def create(page: Page, what: str):
	"""ERPNext's own button Create, and the entry of its menu."""
	before = page.url
	page.get_by_role("button", name="Create", exact=True).locator("visible=true").click()
	page.locator(".dropdown-menu.show").get_by_text(what, exact=True).click()
	# from a lead, ERPNext asks first whether to make a Prospect as well
	dialog = page.locator(".modal.show").filter(has_text="Create Prospect")
	arrived = "url => location.href !== url && cur_frm?.is_new()"
	if page.evaluate("cur_frm.doctype") == "Lead":
		dialog.get_by_text("Create Prospect").click()
		dialog.get_by_role("button", name="Create", exact=True).click()
	page.wait_for_function(arrived, arg=before)
	rest(page)


def add_item(page: Page):
	page.evaluate(
		"""async () => {
			const row = cur_frm.add_child("items");
			await frappe.model.set_value(row.doctype, row.name, {item_code: "Pump Audit", qty: 1, uom: "Nos"});
			await frappe.model.set_value(row.doctype, row.name, "rate", 25000);
			cur_frm.refresh_field("items");
		}"""
	)
	page.wait_for_function("() => !frappe.request.ajax_count")
