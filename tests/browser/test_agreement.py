"""Marketing and sales agree in the desk on what sales ready means."""

import re

import frappe
import pytest
from playwright.sync_api import expect

from lead_quality.demo.factories import make_agreement, make_user

PASSWORD = "we-both-sign-2026"


@pytest.fixture
def marketing(database):
	return make_user(
		"maria.market@example.com",
		"Lead Quality Manager",
		first_name="Maria",
		last_name="Market",
		password=PASSWORD,
	).name


@pytest.fixture
def sales(database):
	return make_user(
		"saul.sales@example.com", "Sales Manager", first_name="Saul", last_name="Sales", password=PASSWORD
	).name


@pytest.fixture
def draft(marketing, sales, database):
	agreement = make_agreement(
		segment="Referrals",
		accept_within=4,
		first_touch_within=8,
		pull_back_after=16,
		reasons=[
			{"reason": "Reject: No budget yet"},
			{"reason": "Reject: Not a decision maker"},
			{"reason": "Return: Cannot be reached"},
		],
		notes="<p>Whoever hears of a tender tells the other side the same day.</p>",
	)
	database.commit()
	return agreement


def click(page, name: str):
	# a form that is being loaded again has no document to work with
	page.wait_for_load_state("networkidle")
	page.wait_for_function("() => !frappe.request.ajax_count")
	page.get_by_role("button", name=name, exact=True).locator("visible=true").click()


def test_both_sides_sign_an_agreement_and_a_change_asks_them_again(
	draft, marketing, sales, page, desk, database, shoot
):
	intro = page.locator(".form-message").locator("visible=true")
	desk.login(marketing, PASSWORD)
	desk.open(f"sales-ready-agreement/{draft.name}")
	expect(intro).to_contain_text("send it for signature")
	click(page, "Send for Signature")
	expect(intro).to_contain_text("marketing: Lead Quality Manager, and of sales: Sales Manager")
	expect(page.get_by_role("button", name="Sign for Sales")).to_have_count(0)
	click(page, "Sign for Marketing")
	click(page, "Yes")
	expect(intro).to_contain_text("Waiting for the signature of sales: Sales Manager")
	expect(page.get_by_role("button", name="Sign for Marketing").locator("visible=true")).to_have_count(0)

	desk.login(sales, PASSWORD)
	desk.open(f"sales-ready-agreement/{draft.name}")
	click(page, "I Have Read It")
	row = page.locator("[data-fieldname=who_has_read] tr", has_text="Saul Sales")
	expect(row).to_contain_text(re.compile(r"^Saul Sales\s*Sales\s*read "))
	shoot(page, "agreement")
	click(page, "Sign for Sales")
	click(page, "Yes")
	expect(intro).to_contain_text("In force since")
	database.rollback()
	assert frappe.db.get_value("Sales Ready Agreement", draft.name, "status") == "Active"

	page.goto(f"/printview?doctype=Sales%20Ready%20Agreement&name={draft.name}")
	expect(page.locator(".signatures")).to_contain_text("Saul Sales")
	shoot(page, "agreement-print", full_page=True)

	desk.login(marketing, PASSWORD)
	desk.open(f"sales-ready-agreement/{draft.name}")
	page.evaluate("cur_frm.set_value('accept_within', 2).then(() => cur_frm.save())")
	expect(page.locator(".msgprint").locator("visible=true")).to_contain_text("choose New Version")
	expect(intro).to_contain_text("Waiting for the signatures of")
