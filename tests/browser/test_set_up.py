"""An admin changes the set-up in the desk."""

import frappe
import pytest
from playwright.sync_api import expect

from lead_quality.demo.factories import make_lead, make_sales_ready, make_user

PASSWORD = "set-it-all-up-2026"


@pytest.fixture
def admin(database):
	user = make_user("ada.setup@example.com", "Lead Quality Manager", first_name="Ada", password=PASSWORD)
	make_sales_ready(make_lead(company_name="In Use").name)
	database.commit()
	return user.name


def test_a_checklist_in_use_is_changed_by_a_new_version_that_is_activated(admin, page, desk, database, shoot):
	desk.login(admin, PASSWORD)
	desk.open("qualification-checklist/BANT v1")
	page.get_by_role("button", name="New Version").locator("visible=true").click()
	page.wait_for_function("() => cur_frm.doc.version === 2")
	expect(page.locator(".page-head").locator("visible=true")).to_contain_text("Draft")
	page.get_by_role("button", name="Activate").locator("visible=true").click()
	asked = page.locator(".modal.show").filter(has_text="takes the place of")
	expect(asked).to_contain_text("BANT v2 takes the place of BANT v1.")
	asked.get_by_role("button", name="Activate", exact=True).click()
	expect(page.locator(".page-head").locator("visible=true")).to_contain_text("Active")
	expect(asked).to_have_count(0)
	desk.settle()
	shoot(page, "checklist")
	database.rollback()
	assert frappe.db.get_value("Qualification Checklist", "BANT v1", "status") == "Superseded"
	assert frappe.db.get_value("Lead Segment", "Inbound", "checklist") == "BANT v2"


def test_a_segment_rule_offers_the_fields_of_a_lead(admin, page, desk, shoot):
	desk.login(admin, PASSWORD)
	desk.open("lead-segment/Inbound")
	cell = page.locator(".grid-body [data-fieldname=field]").first
	cell.click()
	box = page.locator(".grid-body [data-fieldname=field] input").first
	box.fill("indus")
	expect(page.locator(".awesomplete").get_by_text("Industry", exact=True).first).to_be_visible()
	shoot(page, "segment")


@pytest.mark.parametrize("shown", ["50.000,50", "1234,5", "7"])
def test_a_number_on_the_sheet_is_kept_as_it_was_typed(admin, page, desk, database, shown):
	qualification = frappe.get_last_doc("Lead Qualification")
	expected = {"50.000,50": 50000.5, "1234,5": 1234.5, "7": 7}[shown]
	desk.login(admin, PASSWORD)
	for criterion, place, value in (
		("budget", ".answer input", shown),
		("need", "textarea.note", f"as they said {shown}"),
	):
		# opened afresh each time: what was saved is shown, and must not be taken for something new
		desk.open(f"lead-qualification/{qualification.name}")
		assert page.evaluate("frappe.boot.sysdefaults.number_format") == "#.###,##"
		card = page.locator(f"[data-criterion={criterion}]")
		expect(card).to_be_visible()
		if place == "textarea.note" and card.get_by_text("Add a note").is_visible():
			card.get_by_text("Add a note").click()
		box = card.locator(place)
		box.fill(value)
		box.press("Tab")
		page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
		page.wait_for_function("() => !cur_frm.is_dirty()")
		desk.settle()
	database.rollback()
	kept = frappe.db.get_value(
		"Lead Qualification Answer", {"parent": qualification.name, "criterion": "budget"}, "value"
	)
	assert float(kept) == expected
