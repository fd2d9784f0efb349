"""The reports as a manager reads them: each count opens the rows that it counts."""

import frappe
import pytest
from frappe.utils import add_days, add_to_date, now_datetime, today
from playwright.sync_api import Locator, Page, expect

from lead_quality import api
from lead_quality.base.rows import insert_rows
from lead_quality.demo.factories import (
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_order,
	make_sales_ready,
	make_user,
)
from lead_quality.qualification.definitions import clear_caches
from tests.site import random_journeys

PASSWORD = "read-the-figures-2026"
# minutes from the start of a clock until somebody acted; None: nobody has
# step, percent, days and source of what the leads of 2021 are to reach
TARGETS = (
	("Prospect", 80, 14, None),
	("Sales Ready", 50, 45, None),
	("Opportunity", 45, 0, None),
	("Opportunity", 60, 0, "Exhibition"),
	("Sale", 25, 0, None),
)
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
	page.wait_for_function(
		"() => window.frappe?.query_report?.data?.length && !frappe.query_report.show_loading"
	)
	expect(page.locator(".dt-row").nth(1)).to_be_visible()


def counts(page: Page) -> list[dict]:
	"""The counts of the report that are more than nothing, with the link of each."""
	return page.evaluate(
		"""() => frappe.query_report.data.flatMap((row) =>
			Object.entries(row.links || {}).filter(([name]) => row[name])
				.map(([name, link]) => ({ row: row.group || row.label || row.rep || row.step, name, count: row[name], link })))"""
	)


def cell(page: Page, row: str, link: str) -> Locator:
	return page.locator(".dt-row", has_text=row).locator(f'a[href="{link}"]')


@pytest.mark.parametrize(
	("report", "picture", "row"),
	[
		("Follow-up Compliance", "follow-up-compliance", "Ida"),
		("Speed to Lead", "speed-to-lead", "All Leads"),
		("Definition Use", "definition-use", "Ida"),
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
		page.wait_for_function("(name) => window.frappe?.query_report?.report_name === name", arg=report)
		desk.settle()
		rows = page.evaluate("frappe.query_report.data")
		if count["name"] == "charged":
			assert sum(clock["charged"] for clock in rows) == pytest.approx(count["count"])
		else:
			assert len(rows) == count["count"], count


@pytest.fixture
def known(manager, database):
	"""Leads of 2021, and what was spent on them; all gone after the test."""
	leads = random_journeys.write(240, 5)
	for source, amount in (("Exhibition", 18_000), ("Website", 6_500)):
		frappe.get_doc(
			{
				"doctype": "Marketing Spend",
				"source": source,
				"company": leads[0].company,
				"amount": amount,
				"from_date": "2021-01-01",
				"to_date": "2021-12-31",
			}
		).insert()
	for step, rate, days, source in TARGETS:
		frappe.get_doc(
			{
				"doctype": "Funnel Target",
				"step": step,
				"rate": rate,
				"within_days": days,
				"source": source,
				"from_date": "2021-01-01",
				"to_date": "2021-12-31",
			}
		).insert()
	database.commit()
	yield leads
	database.rollback()
	for doctype in ("Lead", "Lead Journey"):
		database.delete(doctype, {"name": ["in", [lead.name for lead in leads]]})
	for doctype in ("Marketing Spend", "Funnel Target"):
		database.delete(doctype, {"from_date": "2021-01-01", "to_date": "2021-12-31"})
	database.commit()


@pytest.mark.parametrize(
	("report", "picture", "row", "count"),
	[
		("Source Effectiveness", "source-effectiveness", "Exhibition", "qualified"),
		("Lead to Proposal", "lead-to-proposal", "2021-03", "quoted"),
		("Stage Velocity", "stage-velocity", "All Leads", "leads"),
		("Leaks", "leaks", "Prospect", "lost"),
		("Qualified Leads", "qualified-leads", "2021-03", "qualified"),
	],
)
def test_a_count_of_a_journey_report_opens_its_leads(
	known, manager, page, desk, shoot, report, picture, row, count
):
	desk.login(manager, PASSWORD)
	desk.open(f"query-report/{report}?from_date=2021-01-01&to_date=2021-12-31")
	shown(page)
	page.wait_for_timeout(1500)  # the bars of the chart grow
	shoot(page, picture)
	found = next(one for one in counts(page) if one["row"].startswith(row) and one["name"] == count)
	assert found["count"] > 1
	page.goto(found["link"])
	page.wait_for_function("(name) => window.frappe?.query_report?.report_name === name", arg=report)
	desk.settle()
	shown(page)
	assert page.evaluate("frappe.query_report.data.length") == found["count"]
	assert page.evaluate("frappe.query_report.data.every((row) => row.lead.startsWith('RANDOM-'))")


def test_a_target_is_set_in_its_form_and_judged_in_the_report(known, manager, page, desk, shoot, database):
	desk.login(manager, PASSWORD)
	desk.open("funnel-target/new")
	page.locator("[data-fieldname=step] select").locator("visible=true").select_option("Quoted")
	days = {"from_date": "2021-01-01", "to_date": "2021-12-31"}
	page.evaluate("days => cur_frm.set_value(days)", days)
	for name, value in (("rate", "35"), ("within_days", "60")):
		box = page.locator(f"[data-fieldname={name}] input").locator("visible=true")
		box.fill(value)
		box.press("Tab")
	page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
	page.wait_for_function("() => !cur_frm.is_new()")
	target = page.evaluate("cur_frm.doc.name")

	# the list says how much, and what it is of
	desk.open(f"funnel-target?name={target}")
	row = page.locator(".list-row", has_text="Quoted").first
	expect(row).to_contain_text("%")
	expect(row.locator(".progress")).to_have_count(0)
	desk.open("query-report/Funnel Targets?as_of=2021-12-31")
	shown(page)
	page.wait_for_timeout(1500)  # the bars of the chart grow
	shoot(page, "funnel-targets")
	of_target = page.evaluate("(name) => frappe.query_report.data.find(row => row.target === name)", target)
	assert of_target["target_rate"] == 35 and of_target["missed"] > 1
	cell(page, of_target["label"], of_target["links"]["missed"]).first.click()
	page.wait_for_function("() => frappe.query_report?.data?.every((row) => row.lead)")
	shown(page)
	rows = page.evaluate("frappe.query_report.data")
	assert len(rows) == of_target["missed"] and not any(row["in_time"] for row in rows)


@pytest.fixture
def rep_with_a_goal(manager, database):
	"""A rep who is to win three new customers, and has won two."""
	rep = make_user("gina.reports@example.com", "Sales User", first_name="Gina", last_name="Gold").name
	for company in ("Priel Pumpen", "Siel Segel"):
		lead = make_lead("Gina", company_name=company, lead_owner=rep)
		make_sales_ready(lead.name)
		opportunity = make_opportunity(lead.name, qty=12)
		make_sales_order(make_quotation(opportunity.name).name)
	frappe.db.delete("New Customer Goal", {"user": rep})
	goal = {"from_date": add_days(today(), -40), "to_date": add_days(today(), 50), "new_customers": 3}
	frappe.get_doc({"doctype": "New Customer Goal", "user": rep, **goal}).insert()
	database.commit()
	return rep


def test_a_goal_opens_the_customers_that_count_for_it(rep_with_a_goal, manager, page, desk, shoot):
	desk.login(manager, PASSWORD)
	desk.open(f"query-report/Goals?user={rep_with_a_goal}")
	shown(page)
	page.wait_for_timeout(1500)  # the bars of the chart grow
	shoot(page, "goals")
	(won,) = [count for count in counts(page) if count["name"] == "won"]
	cell(page, "Gina Gold", won["link"]).first.click()
	page.wait_for_function("() => frappe.query_report?.data?.every((row) => row.lead)")
	shown(page)
	rows = page.evaluate("frappe.query_report.data")
	assert len(rows) == won["count"] >= 2
	assert {"Priel Pumpen", "Siel Segel"} <= {row["customer_name"] for row in rows}
	assert all(row["sales_order"] for row in rows)
	page.get_by_role("button", name="Export All Rows").locator("visible=true").click()
	expect(page.locator("#alert-container")).to_contain_text("You will be notified when it is ready")


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


@pytest.fixture
def handed_over(manager, segment, database):
	"""What two marketers handed to a rep over half a year, and what sales answered."""
	frappe.db.set_value("Lead Segment", segment, "checklist", "BANT v1")
	clear_caches()
	rep = make_user("ida.reports@example.com", "Sales User", first_name="Ida").name
	answers_of = {
		("Mona", "Weber"): ["Accepted"] * 9 + ["Rejected"] * 2 + ["Returned", "Sent"],
		("Nils", "Sommer"): ["Accepted"] * 3 + ["Rejected"] * 2 + ["Pulled Back"],
	}
	now = now_datetime().replace(microsecond=0)
	for (first_name, last_name), given in answers_of.items():
		marketer = make_user(
			f"{first_name.lower()}.reports@example.com",
			"Lead Quality Manager",
			first_name=first_name,
			last_name=last_name,
		).name
		for number, status in enumerate(given):
			lead = make_lead(first_name, company_name=segment)
			make_sales_ready(lead.name)
			handover = api.send_handover(lead.name, rep, expected_value=4_000 + 500 * number)
			sent_at = add_to_date(now, days=-30 * (number % 5))
			handover.db_set({"from_user": marketer, "status": status, "sent_at": sent_at})
			if number % 4 == 1:
				handover.db_set("met_criteria", "budget,authority,timescale")
			if status == "Accepted" and number % 3 == 0:
				entered = {"lead": lead.name, "stage": "opportunity", "left_stage": "prospect"}
				insert_rows("Lead Stage Log", [{**entered, "entered_at": now}], now)
	database.commit()


def test_each_count_of_handovers_opens_the_handovers_that_it_counts(
	handed_over, segment, manager, page, desk, shoot
):
	desk.login(manager, PASSWORD)
	desk.open(f"query-report/Handover Quality?segment={segment}")
	shown(page)
	page.wait_for_timeout(1500)  # the bars of the chart grow
	shoot(page, "handover-quality")
	found = counts(page)
	mona = {count["name"]: count for count in found if count["row"] == "Mona Weber"}
	assert (mona["handed_over"]["count"], mona["rejected"]["count"], mona["returned"]["count"]) == (13, 2, 1)
	cell(page, "Mona Weber", mona["rejected"]["link"]).first.click()
	page.wait_for_function("() => frappe.query_report?.data?.every((row) => row.handover)")
	shown(page)
	assert page.evaluate("frappe.query_report.data.length") == 2
	shoot(page, "handover-quality-rows")
	for count in found:
		page.goto(count["link"])
		page.wait_for_function("() => frappe.query_report?.report_name === 'Handover Quality'")
		desk.settle()
		assert page.evaluate("frappe.query_report.data.length") == count["count"], count


def test_the_criterion_is_chosen_from_those_of_the_checklists(handed_over, segment, manager, page, desk):
	desk.login(manager, PASSWORD)
	desk.open(f"query-report/Handover Quality?segment={segment}")
	shown(page)
	page.wait_for_timeout(1500)  # v15's chart must not be replaced while it is drawn
	page.locator(".page-form [data-fieldname=criterion] input").click()
	page.locator(".page-form [data-fieldname=criterion] li", has_text="authority").click()
	expect(page.locator(".dt-header")).to_contain_text("Without Authority")


@pytest.mark.parametrize("way", ["shortcut", "card"])
def test_what_waits_is_a_queue_the_first_due_first_and_of_these_what_is_worth_most(way, page, desk, database):
	rep = make_user(f"queue.{way}@example.com", "Sales User", first_name="Quirin", password=PASSWORD).name
	now = now_datetime().replace(microsecond=0)
	company = f"Queue {frappe.generate_hash(length=6)}"
	wanted = []
	for hours, value in ((9, 100), (2, 100), (2, 7_000), (2, 900)):
		lead = make_lead(company_name=company)
		make_sales_ready(lead.name)
		handover = api.send_handover(lead.name, rep, expected_value=value)
		handover.db_set("accept_by", add_to_date(now, hours=hours))
		wanted.append((hours, -value, handover.name))
	database.commit()
	desk.login(rep, PASSWORD)
	desk.open("lead-handover")
	desk.open("lead-quality")
	if way == "shortcut":
		page.locator(".shortcut-widget-box", has_text="Waiting for Me").click()
	else:
		page.locator(".number-widget-box", has_text="Handovers Waiting").first.locator(".number").click()
	page.wait_for_function("() => cur_list?.doctype === 'Lead Handover' && cur_list.data?.length")
	desk.settle()
	page.wait_for_function(
		"() => cur_list.sort_selector.sort_by === 'accept_by' && cur_list.sort_selector.sort_order === 'asc'"
	)
	# other tests have left handovers that wait, too
	page.evaluate("(name) => cur_list.filter_area.add([['Lead Handover', 'lead_name', '=', name]])", company)
	page.wait_for_function("() => cur_list.data.length === 4")
	listed = page.evaluate("cur_list.data.map((row) => row.name)")
	assert listed == [name for *_, name in sorted(wanted)]
	# who sorts in another way keeps that
	page.evaluate(
		"() => { cur_list.sort_selector.set_value('creation', 'desc'); return cur_list.refresh(); }"
	)
	desk.settle()
	assert page.evaluate("cur_list.sort_selector.sort_by") == "creation"
