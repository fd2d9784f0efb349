"""Who clicks twice has clicked once: a button of a dialog does its work one time."""

import frappe
import pytest
from playwright.sync_api import Locator, Page, expect

from lead_quality.demo.factories import make_agreement, make_lead, make_user
from tests.browser.helpers import bant

PASSWORD = "twice-is-once-2026"


@pytest.fixture
def manager(database):
	name = make_user(
		"doris.double@example.com",
		"Sales User",
		"Lead Quality Manager",
		first_name="Doris",
		password=PASSWORD,
	).name
	database.commit()
	return name


def asked_of(page: Page, words: str) -> list[str]:
	"""What the page asks of the server from now on, as far as these words are in it."""
	asked: list[str] = []
	page.on(
		"request",
		lambda request: (
			asked.append(request.url) if words in f"{request.url} {request.post_data or ''}" else None
		),
	)
	return asked


def click_twice(button: Locator):
	"""Faster than anything could cover the button."""
	button.evaluate("button => { button.click(); button.click(); }")


def test_a_touch_is_logged_once(manager, page, desk, database):
	lead = make_lead(lead_owner=manager)
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open(f"lead/{lead.name}")
	page.locator(".lead-quality-panel").get_by_role("button", name="Other…").click()
	dialog = page.locator(".modal.show", has_text="Log a Touch")
	dialog.locator("[data-fieldname=outcome] select").select_option("Connected")
	asked = asked_of(page, "lead_quality.api.log_touch")
	desk.await_dialog()
	click_twice(dialog.get_by_role("button", name="Log", exact=True))
	expect(page.locator(".modal.show")).to_have_count(0)
	desk.settle()
	database.rollback()
	assert len(asked) == 1
	assert frappe.db.count("Lead Touch", {"lead": lead.name, "status": "Done"}) == 1


def test_an_agreement_is_signed_once(manager, page, desk, database):
	agreement = make_agreement(checklist=bant(), segment="Outbound")
	agreement.ask_for_signatures()
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open(f"sales-ready-agreement/{agreement.name}")
	page.get_by_role("button", name="Sign for Marketing").locator("visible=true").click()
	asked = asked_of(page, "method=sign")
	question = page.locator(".modal.show", has_text="with your name and the present time?")
	desk.await_dialog()
	click_twice(question.get_by_role("button", name="Yes", exact=True))
	expect(page.locator(".form-message").locator("visible=true")).to_contain_text(
		"Waiting for the signature of sales"
	)
	desk.settle()
	assert len(asked) == 1
