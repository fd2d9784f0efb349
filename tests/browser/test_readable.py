"""What is on the screen can be read, and what was kept of it leads back to it."""

import re

import frappe
import pytest
from playwright.sync_api import expect

from lead_quality.demo.factories import make_agreement, make_user
from tests.browser.helpers import bant

PASSWORD = "read-it-all-2026"
# the contrast of each figure with what Frappe's theme has it lie on, as WCAG 2.2 measures it
CONTRASTS = """() => {
	const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
	const luminance = (colour) => {
		const [red, green, blue] = rgb(colour).map((part) =>
			part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
		return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
	};
	const card = document.body.appendChild(document.createElement("div"));
	card.style.background = "var(--card-bg, var(--fg-color))";
	const ground = getComputedStyle(card).backgroundColor;
	card.remove();
	return [...document.querySelectorAll(".number-widget-box .number")].filter((box) => box.offsetParent).map((box) => {
		const [dark, light] = [luminance(getComputedStyle(box).color), luminance(ground)].sort((a, b) => a - b);
		return (light + 0.05) / (dark + 0.05);
	});
}"""


@pytest.fixture
def manager(database):
	user = make_user("rhea.read@example.com", "Sales Manager", "Lead Quality Manager", password=PASSWORD)
	database.commit()
	return user.name


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_each_figure_on_the_dashboard_can_be_read_in_both_themes(theme, manager, page, desk, database):
	frappe.db.set_value("User", manager, "desk_theme", theme)
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open("dashboard-view/Lead Quality")
	expect(page.locator(".number-widget-box .number")).to_have_count(7)
	expect(page.locator("html")).to_have_attribute("data-theme", theme.lower())
	page.wait_for_function(f"() => ({CONTRASTS})().every((contrast) => contrast >= 4.5)")
	assert len(page.evaluate(CONTRASTS)) == 7


@pytest.mark.parametrize("way", ["bookmark", "link in the desk"])
def test_an_address_of_lead_source_quality_opens_source_effectiveness_with_its_filters(
	way, manager, page, desk
):
	desk.login(manager, PASSWORD)
	old = "query-report/Lead Source Quality?source=Website"
	if way == "bookmark":
		page.goto(f"/app/{old}")
	else:
		desk.open("lead-quality")
		page.evaluate(
			"""() => {
				frappe.route_options = { source: "Website" };
				frappe.set_route("query-report", "Lead Source Quality");
			}"""
		)
	page.wait_for_function("() => window.frappe?.query_report?.report_name === 'Source Effectiveness'")
	desk.settle()
	expect(page).to_have_url(re.compile("/query-report/Source%20Effectiveness"))
	page.wait_for_function("() => frappe.query_report.get_filter_value('source') === 'Website'")


def test_a_deadline_of_an_agreement_says_of_what_it_is_and_is_no_thousands(manager, page, desk, database):
	agreement = make_agreement(
		checklist=bant(), working_calendar="Office Hours", accept_within=4, first_touch_within=8
	)
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open(f"sales-ready-agreement/{agreement.name}")
	field = page.locator(".form-layout [data-fieldname=first_touch_within]").first
	expect(field).to_contain_text("First Touch Within (Working Hours)")
	# as the site writes numbers
	assert page.evaluate("cur_frm.fields_dict.first_touch_within.format_for_input(8)") in {"8.00", "8,00"}
	database.rollback()
	frappe.delete_doc("Sales Ready Agreement", agreement.name, force=True)
	database.commit()
