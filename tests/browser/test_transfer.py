"""A sales manager gives away the leads of somebody who has left."""

import re

import frappe
import pytest
from playwright.sync_api import Page, expect

from lead_quality.demo.factories import make_lead, make_user
from lead_quality.handover import transfer
from tests.browser.helpers import choose_link

PASSWORD = "give-them-away-2026"


@pytest.fixture
def people(database):
	"""The leaver, who owns three leads in work, the receiver, and the manager."""
	sam = make_user("sam.sales@example.com", "Sales User", first_name="Sam", last_name="Sales")
	bea = make_user("bea.best@example.com", "Sales User", first_name="Bea", last_name="Best")
	chief = make_user(
		"carla.chief@example.com", "Sales Manager", first_name="Carla", last_name="Chief", password=PASSWORD
	)
	# what an earlier run has left
	frappe.db.sql("update `tabLead` set lead_owner = null where lead_owner in %s", ((sam.name, bea.name),))
	for company_name in ("Adler Pumpen", "Brunnen & Co", "Cascade Works"):
		make_lead(company_name=company_name, lead_owner=sam.name)
	database.commit()
	return sam.name, bea.name, chief.name


def work(database) -> str:
	"""Do what a worker would do, if there is none; returns the name of the transfer."""
	database.rollback()
	name = frappe.get_all("Lead Transfer", pluck="name", order_by="creation desc", limit=1)[0]
	transfer.run(name)
	return name


def choose(page: Page, fieldname: str, value: str):
	box = page.locator(f"[data-fieldname={fieldname}] input").locator("visible=true").first
	choose_link(box, value)
	page.wait_for_function("([field, value]) => cur_frm.doc[field] === value", arg=[fieldname, value])


def test_the_leads_of_who_has_left_are_given_away_from_the_list(people, page, desk, database, shoot):
	sam, bea, chief = people
	frappe.db.set_value("User", sam, "enabled", 0)
	database.commit()
	desk.login(chief, PASSWORD)
	desk.open("lead/view/list")
	page.locator(".menu-btn-group:visible button").first.click()
	page.get_by_text("Give Leads Away").locator("visible=true").click()
	page.wait_for_function("() => cur_frm?.doctype === 'Lead Transfer'")
	desk.settle()

	choose(page, "from_user", sam)
	box = page.locator(".lq-transfer").locator("visible=true")
	expect(box).to_contain_text("Sam Sales owns 3 leads in work.")
	page.locator('.frappe-control[data-fieldname="give_to"] select').select_option("User")
	choose(page, "to_user", bea)
	page.locator('.frappe-control[data-fieldname="note"] textarea').fill("Sam has left the company")
	shoot(page, "lead-transfer")

	page.get_by_role("button", name="Give Leads Away").locator("visible=true").click()
	dialog = page.locator(".modal.show")
	expect(dialog).to_contain_text("They go to Bea Best.")
	dialog.get_by_role("button", name="Yes").click()
	page.wait_for_function("() => !cur_frm.is_new()")
	expect(box).to_be_visible()
	work(database)
	expect(box).to_contain_text("3 leads of Sam Sales have been transferred.")
	receiver = box.get_by_role("link", name="Bea Best")
	expect(receiver).to_have_attribute("href", re.compile(r"lead\?lead_owner=bea\.best%40example\.com$"))
	# it says for some seconds that the form was saved
	expect(page.locator(".desk-alert")).to_have_count(0)
	shoot(page, "lead-transfer-done")
	database.rollback()
	assert frappe.db.count("Lead", {"lead_owner": bea}) == 3

	receiver.click()
	for company_name in ("Adler Pumpen", "Brunnen & Co", "Cascade Works"):
		expect(page.get_by_text(company_name).locator("visible=true").first).to_be_visible()
	page.go_back()
	page.get_by_role("button", name="Leads Given Away").locator("visible=true").click()
	expect(page.locator(".list-row:visible")).to_have_count(3)


def test_a_transfer_under_way_shows_how_far_it_is(people, page, desk, database):
	sam, bea, chief = people
	doc = frappe.get_doc({"doctype": "Lead Transfer", "from_user": sam, "give_to": "User", "to_user": bea})
	frappe.set_user(chief)
	doc.insert()
	frappe.set_user("Administrator")
	doc.db_set({"status": "Running", "found": 4, "moved": 1})
	frappe.db.after_commit.reset()  # no worker does it
	database.commit()
	desk.login(chief, PASSWORD)
	desk.open(f"lead-transfer/{doc.name}")
	box = page.locator(".lq-transfer").locator("visible=true")
	expect(box).to_contain_text("Transferring leads: 1 of 4.")
	# no event reaches this page, it asks
	page.evaluate("frappe.realtime.off('lead_quality_transfer')")
	transfer.run(doc.name)
	expect(box).to_contain_text("leads of Sam Sales have been transferred.")
