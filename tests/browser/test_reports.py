"""The reports on follow-up as a manager reads them: each count opens the rows that it counts."""

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime
from playwright.sync_api import Locator, Page, expect

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_user
from lead_quality.qualification.definitions import clear_caches
from lead_quality.records import insert_rows

PASSWORD = "read-the-figures-2026"
# minutes from the start of a clock until somebody acted; None: nobody has
WAITS = {"Ida": (20, 45, 300, None), "Jon": (90, None, None)}


@pytest.fixture
def manager(database):
	user = make_user(
		"mara.reports@example.com",
		"Sales Manager",
		"Lead Quality Manager",
		first_name="Mara",
		last_name="Kern",
		password=PASSWORD,
	)
	database.commit()
	return user.name


@pytest.fixture
def segment(database):
	"""A segment of its own, so that nobody else's leads are counted. Its clocks are those that `contacted` writes."""
	title = f"Readers {frappe.generate_hash(length=6)}"
	rules = [{"field": "company_name", "operator": "=", "value": title}]
	frappe.get_doc(doctype="Lead Segment", title=title, priority=1, rules=rules).insert()
	database.commit()
	yield title
	database.rollback()
	frappe.db.set_value("Lead Segment", title, "enabled", 0)
	clear_caches()
	database.commit()


@pytest.fixture
def contacted(manager, segment, database):
	"""Leads of two reps, all due after two hours: four were answered, three not."""
	now = now_datetime().replace(microsecond=0)
	for name, waits in WAITS.items():
		rep = make_user(f"{name.lower()}.reports@example.com", "Sales User", first_name=name).name
		for wait in waits:
			lead = make_lead(name, company_name=segment, lead_owner=rep)
			began = add_to_date(now, hours=-9)
			frappe.db.set_value("Lead", lead.name, "creation", began, update_modified=False)
			frappe.db.delete("Follow Up Clock", {"lead": lead.name})
			due = add_to_date(began, hours=2)
			is_met = wait is not None and wait <= 120
			acted = wait is not None and add_to_date(began, minutes=wait)
			clock = {
				"lead": lead.name,
				"lead_name": lead.title,
				"clock": "First Response",
				"status": "Met" if is_met else "Missed",
				"unit": "Hours",
				"started_at": began,
				"due_at": due,
				"stopped_at": acted or None,
				"acted_at": acted or None,
				"elapsed_seconds": wait * 60 if acted else 0,
				"owner_at_breach": None if is_met else rep,
				"alert_level": 0 if is_met else 2,
			}
			insert_rows("Follow Up Clock", [clock], began)
			if acted:
				api.log_touch(lead.name, "Phone", "Connected", done_at=acted)
	database.commit()


def shown(page: Page) -> None:
	page.wait_for_function("() => frappe.query_report?.data?.length && !frappe.query_report.show_loading")
	expect(page.locator(".dt-row").nth(1)).to_be_visible()


def counts(page: Page) -> list[dict]:
	"""The counts of the report that are more than nothing, with the link of each."""
	return page.evaluate(
		"""() => frappe.query_report.data.flatMap((row) =>
			Object.entries(row.links || {}).filter(([name]) => row[name])
				.map(([name, link]) => ({ row: row.group || row.label, name, count: row[name], link })))"""
	)


def cell(page: Page, row: str, link: str) -> Locator:
	return page.locator(".dt-row", has_text=row).locator(f'a[href="{link}"]')


@pytest.mark.parametrize(
	("report", "picture", "row"),
	[
		("Follow-up Compliance", "follow-up-compliance", "Ida"),
		("Speed to Lead", "speed-to-lead", "All Leads"),
	],
)
def test_each_count_of_a_report_opens_the_rows_that_it_counts(
	contacted, segment, manager, page, desk, shoot, report, picture, row
):
	desk.login(manager, PASSWORD)
	start = f"query-report/{report}?segment={segment}"
	desk.open(start)
	shown(page)
	page.wait_for_timeout(1500)  # the bars of the chart grow
	shoot(page, picture)
	found = counts(page)
	assert {"clocks", "met", "missed", "leads", "sales_ready"} & {count["name"] for count in found}
	first = next(count for count in found if count["row"].startswith(row))
	# one of them is clicked; what the others open is asked of the same address
	cell(page, row, first["link"]).first.click()
	shown(page)
	assert page.evaluate("frappe.query_report.data.length") == first["count"]
	shoot(page, f"{picture}-rows")
	for count in found:
		page.goto(count["link"])
		page.wait_for_function("(name) => frappe.query_report?.report_name === name", arg=report)
		desk.settle()
		rows = page.evaluate("frappe.query_report.data")
		if count["name"] == "charged":
			assert sum(clock["charged"] for clock in rows) == pytest.approx(count["count"])
		else:
			assert len(rows) == count["count"], count


def test_compliance_tells_met_from_missed_and_late_from_forgotten(contacted, segment, manager, page, desk):
	desk.login(manager, PASSWORD)
	desk.open(f"query-report/Follow-up Compliance?segment={segment}")
	shown(page)
	rows = page.evaluate("frappe.query_report.data.filter((row) => row.clock === 'First Response')")
	told = {
		row["group"].split()[0]: tuple(
			row[name] for name in ("clocks", "met", "touched_late", "never_touched")
		)
		for row in rows
	}
	assert told == {"Ida": (4, 2, 1, 1), "Jon": (3, 1, 0, 2)}
