"""A click on a number card shows as many rows as the card says, wherever the user's clock is."""

import re

import frappe
import pytest
from frappe.utils import add_days, now_datetime

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready, make_user

PASSWORD = "count-them-all-2026"
CARDS = [
	"Leads Overdue",
	"Touches Due by Tonight",
	"Ready to Hand Over",
	"Handovers Waiting",
	"Leads Without Owner",
	"Leads Without Next Step",
	"Stale Leads",
]


def make_crowd(owner: str):
	"""Leads with some of everything, of an owner or entered by him."""
	long_ago = add_days(now_datetime(), -200)
	leads = [make_lead(lead_owner=owner, company_name=f"Cards {number}, Inc.") for number in range(6)]
	for lead in leads[:3]:
		make_sales_ready(lead.name)
	api.send_handover(leads[0].name, "sela.cards@example.com")
	api.stop(leads[3].name, "Stop Early: Asked us to stop")
	frappe.db.set_value("Lead", leads[4].name, {"lead_owner": None, "owner": owner})
	for lead in leads[3:]:
		frappe.db.set_value("Lead", lead.name, "creation", long_ago, update_modified=False)
	for number, lead in enumerate(leads[1:5]):
		# one has just fallen due, the last falls due within the hour
		due_at = frappe.utils.add_to_date(now_datetime(), minutes=(-90, -3, -60 * 24, 50)[number])
		frappe.db.set_value("Lead", lead.name, "lq_due_at", due_at)
		frappe.db.set_value("Lead Touch", {"lead": lead.name, "status": "Planned"}, "due_at", due_at)


@pytest.mark.parametrize(
	("user", "roles", "zone"),
	[
		("quinn.cards@example.com", ["Lead Qualifier"], "Asia/Tokyo"),
		("mona.cards@example.com", ["Sales Manager", "Lead Quality Manager"], "Europe/Berlin"),
	],
	ids=["qualifier in Tokyo", "manager"],
)
def test_a_card_opens_as_many_rows_as_it_says(user, roles, zone, page, desk, database):
	make_user("sela.cards@example.com", "Sales User")
	make_user(user, *roles, password=PASSWORD, time_zone=zone)
	make_crowd(user)
	database.commit()
	desk.login(user, PASSWORD)
	for card in CARDS:
		desk.open("lead-quality")
		box = page.locator(f"[number_card_name='{card}'], .number-widget-box").filter(has_text=card).first
		number = box.locator(".number")
		number.wait_for()
		shown = int(number.inner_text())
		number.click()
		page.wait_for_function("() => !location.pathname.endsWith('/lead-quality')")
		desk.settle()
		if page.evaluate("frappe.get_route()[0]") == "query-report":
			page.wait_for_function("() => frappe.query_report?.data !== undefined")
			rows = page.evaluate("frappe.query_report.data.length")
		else:
			page.wait_for_function("() => cur_list?.total_count !== undefined")
			rows = page.evaluate(
				"frappe.db.count(cur_list.doctype, { filters: cur_list.get_filters_for_args() })"
			)
		assert (card, rows) == (card, shown)
		assert shown > 0


def test_a_share_on_the_managers_dashboard_opens_the_leads_that_it_counts(page, desk, database):
	user = "mira.cards@example.com"
	make_user("sela.cards@example.com", "Sales User")
	make_user(user, "Sales Manager", "Lead Quality Manager", password=PASSWORD)
	make_crowd(user)
	database.commit()
	desk.login(user, PASSWORD)
	for card in ("Qualified leads, %", "Qualified leads pursued, %", "Wasted leads, %"):
		desk.open("dashboard-view/Lead Quality")
		title = page.get_by_text(card, exact=True)
		number = page.locator(".number-widget-box").filter(has=title).locator(".number")
		number.wait_for()
		shown = number.inner_text()
		number.click()
		page.wait_for_function("() => location.pathname.includes('/query-report/')")
		page.wait_for_function("() => frappe.query_report?.data !== undefined")
		desk.settle()
		rows = page.evaluate("frappe.query_report.data.length")
		# as the site writes numbers
		share, whole = re.fullmatch(r"([\d.,]+)(?: %)? of ([\d.,]+)", shown.strip()).groups()
		whole = int(re.sub(r"\D", "", whole))
		counted = float(share.replace(",", ".")) * whole / 100 if "%" in shown else int(share)
		assert (card, rows) == (card, round(counted))
	desk.open("dashboard-view/Lead Quality")
	for label in ("Target", "Prospect", "Opportunity", "Sale"):
		page.locator(".dashboard-graph").get_by_text(label, exact=True).first.wait_for()
