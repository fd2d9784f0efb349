"""A manager sees in the desk what does not work, and gets from there to where it is mended."""

import re

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime
from playwright.sync_api import expect

from lead_quality.demo.factories import make_lead, make_user

PASSWORD = "how-is-it-today-2026"
STOPPED = "lead_quality.nurture.jobs.wake_snoozed"


@pytest.fixture
def manager(database):
	user = make_user(
		"hanna.health@example.com",
		"Lead Quality Manager",
		"Sales Manager",
		"System Manager",
		first_name="Hanna",
		password=PASSWORD,
	)
	database.commit()
	return user.name


@pytest.fixture
def stopped_job(database):
	"""A job that somebody has stopped by hand, among others that have run, after an outage of the scheduler."""
	now = now_datetime()
	database.set_value("Scheduled Job Type", {"method": ["like", "%"]}, "last_execution", now)
	database.set_value("Scheduled Job Type", {"method": STOPPED}, "stopped", 1)
	for minutes, outage, failed in ((60 * 30, 60 * 44, 0), (12, 0, 1), (2, 0, 0)):
		frappe.get_doc(
			{
				"doctype": "Follow Up Run",
				"job": "sweep_clocks",
				"status": "Failed" if failed else "Completed",
				"started_at": add_to_date(now, minutes=-minutes),
				"finished_at": add_to_date(now, minutes=-minutes),
				"outage_from": add_to_date(now, minutes=-outage) if outage else None,
				"found": 42,
				"done": 42 - failed,
				"failed": failed,
			}
		).insert()
	database.commit()
	yield
	database.rollback()
	database.set_value("Scheduled Job Type", {"method": STOPPED}, "stopped", 0)
	database.delete("Follow Up Run", {"job": "sweep_clocks"})
	database.commit()


def test_the_health_page_says_what_is_wrong_and_leads_to_where_it_is_mended(
	manager, stopped_job, page, desk, shoot
):
	desk.login(manager, PASSWORD)
	desk.open("lead-quality-health")
	finding = page.locator(".lq-finding", has_text="Jobs were stopped by hand")
	expect(finding).to_have_attribute("data-severity", "red")
	expect(finding).to_contain_text("Resumes cadences whose snooze has ended")
	sweep = page.locator("tr", has_text="sweep_clocks")
	expect(sweep).to_contain_text("Every 5 minutes")
	# other tests sweep the same site
	expect(sweep).to_contain_text(re.compile(r"\d+ done"))
	expect(sweep).to_contain_text("Fine")
	expect(page.locator("tr", has_text=STOPPED)).to_contain_text("Stopped")
	expect(page.locator("section", has_text="Outages")).to_contain_text("14h")
	page.set_viewport_size({"width": 1400, "height": 1750})
	shoot(page, "health")
	page.set_viewport_size({"width": 1400, "height": 900})
	finding.get_by_role("link").click()
	expect(page).to_have_url(desk.url("scheduled-job-type"))
	desk.settle()
	expect(page.locator(".list-row-container", has_text="wake_snoozed").first).to_be_visible()


def test_what_does_not_work_is_said_above_the_settings_and_the_runs(manager, stopped_job, page, desk, shoot):
	desk.login(manager, PASSWORD)
	desk.open("lead-quality-settings")
	banner = page.locator(".form-message.red", has_text="Jobs were stopped by hand")
	expect(banner).to_be_visible()
	shoot(page, "health-banner")
	desk.open("follow-up-run")
	banner = page.locator(".lq-alarm", has_text="Jobs were stopped by hand")
	expect(banner).to_be_visible()
	banner.get_by_role("link").click()
	expect(page.locator(".lq-health-state")).to_be_visible()


def test_the_report_lists_leads_at_risk(manager, page, desk, database, shoot):
	long_ago = add_to_date(now_datetime(), days=-120)
	for number in range(4):
		lead = make_lead(company_name=f"Forgotten {number} Ltd", lead_owner=manager)
		frappe.db.set_value("Lead", lead.name, "creation", long_ago, update_modified=False)
	frappe.db.set_value("Lead", lead.name, "lead_owner", None)
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open("query-report/Leads at Risk")
	row = page.locator(".dt-row", has_text="Forgotten 3 Ltd")
	expect(row).to_contain_text("No Owner")
	expect(row).to_contain_text("Stale")
	expect(row).to_contain_text("-30")
	shoot(page, "leads-at-risk")
	desk.open("query-report/Leads at Risk?show=Summary")
	count = page.locator(".dt-row", has_text="No Owner").locator("a").first
	expect(count).to_be_visible()
	page.wait_for_timeout(1500)  # the bars of the chart grow
	shoot(page, "leads-at-risk-summary")
	count.click()
	expect(page.locator(".dt-row", has_text="Forgotten 3 Ltd")).to_be_visible()
	expect(page.locator(".dt-row", has_text="Forgotten 2 Ltd")).to_have_count(0)
