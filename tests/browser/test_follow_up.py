"""Deadlines on the screen: they count down, change colour, rest, and go away when somebody has acted, without a reload."""

import re
from datetime import datetime, timedelta, timezone

import frappe
import pytest
from frappe.utils import add_days, get_datetime, now_datetime, today
from playwright.sync_api import Page, expect

from lead_quality import api
from lead_quality.base.site_time import aware
from lead_quality.demo.factories import make_lead, make_sales_ready, make_user
from lead_quality.follow_up import clocks
from lead_quality.follow_up.jobs import sweep_clocks
from tests.browser.helpers import choose_link, choose_reason

PASSWORD = "follow-them-up-2026"
PHONE = {"width": 390, "height": 844}
MILLISECOND = timedelta(milliseconds=1)
LATER = "Snooze: Asked for a later call"


@pytest.fixture
def people(database):
	users = {
		"rep": make_user(
			"rosa.follow@example.com", "Sales User", first_name="Rosa", last_name="Lind", password=PASSWORD
		),
		"colleague": make_user(
			"cleo.follow@example.com", "Sales User", first_name="Cleo", last_name="Voss", password=PASSWORD
		),
		"manager": make_user(
			"anna.follow@example.com",
			"Sales Manager",
			"Sales User",
			"Lead Quality Manager",
			first_name="Anna",
			last_name="Berg",
			password=PASSWORD,
		),
	}
	database.commit()
	return {part: user.name for part, user in users.items()}


@pytest.fixture
def lead(people, database):
	lead = make_lead("Clara", "Hafen", company_name="Hafen Pumpen", lead_owner=people["rep"])
	database.commit()
	return lead


@pytest.fixture
def set_clock(database):
	"""`set_clock(lead, "Triage", due_in=5, …)`: minutes from now, for any instant of the clock that runs on the lead."""

	def change(lead, clock: str, now: datetime | None = None, **minutes):
		now = (now or now_datetime()).replace(microsecond=0)
		values = {
			f"{part.removesuffix('_in')}_at": now + timedelta(minutes=value)
			for part, value in minutes.items()
			if part.endswith("_in")
		}
		values |= {part: value for part, value in minutes.items() if not part.endswith("_in")}
		frappe.db.set_value("Follow Up Clock", {"lead": lead.name, "clock": clock}, values)
		clocks.refresh_due(lead.name)
		database.commit()

	return change


@pytest.fixture
def stand_still(page):
	"""`stand_still(instant)`: the browser's clock stands at this naive instant of the site's zone, to be moved on by
	`page.clock.run_for`."""

	def stop_clock(instant: datetime):
		at = aware(instant).astimezone(timezone.utc)
		page.clock.install(time=at - timedelta(seconds=5))
		return at

	return stop_clock


def clock_of(page: Page, name: str):
	return page.locator(f'.lead-quality-panel [data-clock="{name}"] [data-deadline]')


def due_of(page: Page, lead):
	return page.locator(f'[data-due-of="{lead.name}"]').locator("visible=true")


# the form


def test_a_deadline_counts_down_and_changes_colour_at_the_very_moment(
	lead, people, page, desk, set_clock, stand_still
):
	now = now_datetime().replace(microsecond=0)
	set_clock(lead, "First Response", now, warn_in=30, due_in=90)
	at = stand_still(now)
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	clock = clock_of(page, "First Response")
	page.clock.pause_at(at + timedelta(minutes=29, seconds=58))
	page.clock.run_for(1000)
	expect(clock).to_have_class(re.compile("green"))
	expect(clock).to_have_text("in 1h 0m")
	page.clock.run_for(2000)
	expect(clock).to_have_class(re.compile("orange"))
	expect(clock).to_have_text("in 59m")
	page.clock.run_for(timedelta(minutes=59, seconds=30) // MILLISECOND)
	expect(clock).to_have_text(re.compile("in (29|28)s"))
	page.clock.run_for(27_000)
	expect(clock).to_have_class(re.compile("orange"))
	page.clock.run_for(3000)
	expect(clock).to_have_class(re.compile("red"))
	expect(clock).to_have_text(re.compile("[012]s overdue"))


def test_a_paused_clock_says_until_when_and_runs_again_by_itself(
	lead, people, page, desk, set_clock, stand_still
):
	now = now_datetime().replace(microsecond=0)
	set_clock(lead, "First Response", now, paused_in=-5, warn_in=100, due_in=120, status="Paused")
	frappe.db.set_value(
		"Follow Up Clock",
		{"lead": lead.name, "clock": "First Response"},
		"paused_until",
		now + timedelta(minutes=60),
	)
	frappe.db.commit()
	at = stand_still(now)
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	clock = clock_of(page, "First Response")
	expect(clock).to_have_class(re.compile("gray"))
	expect(clock).to_contain_text("paused until")
	page.clock.pause_at(at + timedelta(minutes=60))
	page.clock.run_for(1000)
	expect(clock).to_have_class(re.compile("green"))
	expect(clock).to_have_text("in 59m")


def test_a_clock_that_the_system_has_missed_says_so(lead, people, page, desk, set_clock):
	set_clock(lead, "Triage", warn_in=-80, due_in=-60, status="Missed", missed_by_system=1)
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	expect(clock_of(page, "Triage")).to_have_text(re.compile("overdue"))
	expect(page.locator('[data-clock="Triage"]')).to_contain_text("it counts against nobody")
	expect(page.locator("[data-by-system]")).to_have_count(1)


def test_a_deadline_is_shown_in_the_users_own_zone(lead, people, page, desk, set_clock, database):
	now = now_datetime().replace(microsecond=0)
	set_clock(lead, "First Response", now, warn_in=30, due_in=90)
	frappe.db.set_value("User", people["rep"], "time_zone", "Asia/Tokyo")
	database.commit()
	try:
		desk.login(people["rep"], PASSWORD)
		desk.open(f"lead/{lead.name}")
		clock = clock_of(page, "First Response")
		expect(clock).to_have_text(re.compile(r"in 1h (29|28)m"))
		tokyo = aware(now + timedelta(minutes=90)).astimezone(timezone(timedelta(hours=9)))
		expect(clock).to_have_attribute("title", re.compile(tokyo.strftime("%H:%M")))
	finally:
		frappe.db.set_value("User", people["rep"], "time_zone", None)
		database.commit()


def test_a_lead_is_snoozed_with_a_reason_and_says_so(lead, people, page, desk, set_clock, database, shoot):
	set_clock(lead, "Triage", warn_in=200, due_in=300)
	set_clock(lead, "First Response", warn_in=40, due_in=90)
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	panel.get_by_role("button", name="Snooze…").click()
	dialog = page.locator(".modal.show")
	expect(dialog.locator("[data-effect]")).to_contain_text("Paused until then: First Response.")
	expect(dialog.locator("[data-effect]")).to_contain_text("Still running: Triage.")
	expect(dialog.locator("[data-effect]")).to_contain_text("First call is due then")

	# no reason, no snooze
	dialog.get_by_role("button", name="Next month").click()
	dialog.get_by_role("button", name="Snooze", exact=True).click()
	missing = page.locator(".modal.show").filter(has_text="Missing Values Required")
	expect(missing).to_be_visible()
	desk.close_message()
	desk.close_message()
	database.rollback()
	assert not frappe.db.exists("Nurture Enrollment", {"lead": lead.name, "status": "Snoozed"})

	panel.get_by_role("button", name="Snooze…").click()
	dialog.get_by_role("button", name="Next month").click()
	choose_reason(dialog, "reason", "Asked for a later call")
	shoot(page, "snooze")
	dialog.get_by_role("button", name="Snooze", exact=True).click()
	expect(dialog).to_have_count(0)
	resting = panel.locator("[data-resting]")
	expect(resting).to_contain_text("rests until")
	expect(resting).to_contain_text("Asked for a later call")
	expect(clock_of(page, "First Response")).to_contain_text("paused until")
	expect(clock_of(page, "Triage")).to_have_class(re.compile("green"))
	shoot(page, "snoozed")

	database.rollback()
	enrollment = frappe.get_last_doc("Nurture Enrollment", {"lead": lead.name})
	assert (enrollment.status, enrollment.snooze_reason) == ("Snoozed", LATER)
	until = get_datetime(enrollment.snoozed_until)
	assert (until.hour, until.minute) == (9, 0)
	assert 27 <= (until.date() - now_datetime().date()).days <= 31
	statuses = dict(frappe.get_all("Follow Up Clock", {"lead": lead.name}, ["clock", "status"], as_list=True))
	assert (statuses["First Response"], statuses["Triage"]) == ("Paused", "Running")


def test_a_touch_takes_a_snoozed_lead_up_again(lead, people, page, desk, database):
	api.snooze(lead.name, add_days(now_datetime(), 10), LATER)
	database.commit()
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	expect(panel.locator("[data-resting]")).to_be_visible()
	panel.get_by_role("button", name="Left Message").click()
	expect(panel.locator("[data-resting]")).to_have_count(0)
	expect(panel.locator('[data-clock="First Response"]')).to_have_count(0)
	expect(panel).to_contain_text("Introduction by e-mail")


def test_the_snooze_dialog_fits_a_phone(lead, people, page, desk):
	page.set_viewport_size(PHONE)
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	page.locator(".lead-quality-panel").get_by_role("button", name="Snooze…").click()
	dialog = page.locator(".modal.show")
	expect(dialog.get_by_role("button", name="Snooze", exact=True)).to_be_in_viewport()
	assert fits(page)


def test_a_colleagues_call_takes_the_clock_off_the_open_form(lead, people, page, desk, second_desk):
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	expect(clock_of(page, "First Response")).to_be_visible()
	page.evaluate("window.not_reloaded = true")

	second_desk.login(people["colleague"], PASSWORD)
	elsewhere = second_desk.open(f"lead/{lead.name}")
	elsewhere.locator(".lead-quality-panel").get_by_role("button", name="Connected").click()

	expect(clock_of(page, "First Response")).to_have_count(0)
	expect(page.locator(".lead-quality-panel [data-stage=prospect]")).to_have_class(re.compile("blue"))
	assert page.evaluate("window.not_reloaded")


# the list


def open_list(desk, people, **filters) -> Page:
	desk.login(people["rep"], PASSWORD)
	query = "&".join(f"{key}={value}" for key, value in {"lead_owner": people["rep"], **filters}.items())
	page = desk.open(f"lead?{query}")
	expect(page.locator(".list-row-container .list-row-checkbox").first).to_be_attached()
	return page


def test_the_list_counts_down_and_its_colours_follow(lead, people, page, desk, set_clock, stand_still):
	now = now_datetime().replace(microsecond=0)
	set_clock(lead, "Triage", now, warn_in=200, due_in=300)
	set_clock(lead, "First Response", now, warn_in=30, due_in=60)
	at = stand_still(now)
	open_list(desk, people)
	due = due_of(page, lead)
	pill = due.locator("[data-deadline]")
	page.clock.pause_at(at + timedelta(minutes=29, seconds=58))
	page.clock.run_for(1000)
	expect(due).to_contain_text("First Response")
	expect(pill).to_have_text("30m")
	expect(pill).to_have_class(re.compile("green"))
	page.clock.run_for(2000)
	expect(pill).to_have_text("29m")
	expect(pill).to_have_class(re.compile("orange"))
	page.clock.run_for(30 * 60_000)
	expect(pill).to_have_class(re.compile("red"))
	expect(pill).to_have_text(re.compile(r"^\d+s late$"))


def test_a_colleagues_call_changes_the_list_at_once(lead, people, page, desk, second_desk, set_clock):
	set_clock(lead, "Triage", warn_in=200, due_in=300)
	set_clock(lead, "First Response", warn_in=-30, due_in=-10)
	open_list(desk, people)
	expect(due_of(page, lead)).to_contain_text("First Response")
	page.evaluate("window.not_reloaded = true")

	second_desk.login(people["colleague"], PASSWORD)
	elsewhere = second_desk.open(f"lead/{lead.name}")
	elsewhere.locator(".lead-quality-panel").get_by_role("button", name="Connected").click()

	expect(due_of(page, lead)).to_contain_text("Triage")
	expect(due_of(page, lead).locator("[data-deadline]")).to_have_class(re.compile("green"))
	assert page.evaluate("window.not_reloaded")


def test_the_list_finds_out_within_a_minute_where_nothing_is_pushed(
	lead, people, page, desk, set_clock, stand_still, database
):
	now = now_datetime().replace(microsecond=0)
	set_clock(lead, "Triage", now, warn_in=200, due_in=300)
	set_clock(lead, "First Response", now, warn_in=-30, due_in=-10)
	at = stand_still(now)
	page.route("**/socket.io/**", lambda route: route.abort())
	open_list(desk, people)
	expect(due_of(page, lead)).to_contain_text("First Response")
	frappe.db.set_value(
		"Follow Up Clock",
		{"lead": lead.name, "clock": "First Response"},
		{"status": "Met", "stopped_at": now},
	)
	database.commit()
	page.clock.pause_at(at + timedelta(minutes=2))
	page.clock.run_for(61_000)
	expect(due_of(page, lead)).to_contain_text("Triage")


@pytest.fixture
def busy_list(people, database, set_clock):
	"""What a rep finds in the morning: leads in every state, the names in the order of their deadlines."""
	frappe.db.set_value("Lead", {"lead_owner": people["rep"]}, "lead_owner", None)
	leads = {}
	for company in (
		"Alster Klima",
		"Deich Energie",
		"Nordlicht Solar",
		"Ostsee Logistik",
		"Rhein Guss",
		"Luna Textil",
	):
		leads[company] = make_lead(company_name=company, lead_owner=people["rep"])
		for clock in ("Triage", "First Response", "Next Touch"):
			set_clock(leads[company], clock, warn_in=9000, due_in=9999)
	set_clock(leads["Alster Klima"], "First Response", warn_in=-400, due_in=-300, status="Missed")
	set_clock(leads["Deich Energie"], "Triage", warn_in=-70, due_in=-12)
	set_clock(leads["Nordlicht Solar"], "First Response", warn_in=-10, due_in=25)
	set_clock(leads["Ostsee Logistik"], "First Response", warn_in=120, due_in=180)
	for clock in ("Triage", "First Response", "Next Touch"):
		set_clock(leads["Rhein Guss"], clock, status="Met", stopped_at=now_datetime())
		set_clock(leads["Luna Textil"], clock, status="Met", stopped_at=now_datetime())
	set_clock(
		leads["Rhein Guss"],
		"First Response",
		warn_in=2500,
		due_in=3000,
		status="Paused",
		stopped_at=None,
		paused_until=now_datetime() + timedelta(days=1, minutes=5),
	)
	return leads


def test_a_rep_sees_at_a_glance_what_burns(busy_list, people, page, desk, shoot):
	open_list(desk, people)
	page.locator(".sort-selector-button, .sort-selector .dropdown-text").locator("visible=true").first.click()
	page.locator(".dropdown-menu.show [data-value=lq_due_at]").click()
	expect(page.locator(".dropdown-menu.show")).to_have_count(0)
	desk.settle()
	states = {
		company: due_of(page, lead).locator("[data-deadline]").get_attribute("data-state")
		for company, lead in busy_list.items()
		if company != "Luna Textil"
	}
	assert states == {
		"Alster Klima": "Overdue",
		"Deich Energie": "Overdue",
		"Nordlicht Solar": "Warning",
		"Ostsee Logistik": "Running",
		"Rhein Guss": "Paused",
	}
	# what is due first comes first, and what is not due at all stays away
	titles = page.locator(".list-subject a[data-doctype=Lead]").locator("visible=true")
	expect(titles).to_have_text([company for company in busy_list if company != "Luna Textil"])
	expect(page.locator(".list-count").locator("visible=true").first).to_contain_text("5 of 5")
	edge = page.locator(".list-row-container", has_text="Alster Klima").last
	assert edge.evaluate("row => getComputedStyle(row).boxShadow") != "none"
	shoot(page, "lead-list-due")


def test_a_laptop_has_room_for_what_is_due(busy_list, people, page, desk):
	page.set_viewport_size({"width": 1280, "height": 800})
	open_list(desk, people)
	due = due_of(page, busy_list["Alster Klima"]).locator("[data-deadline]")
	expect(due).to_be_in_viewport()
	expect(due).to_have_text("5h late")


def test_a_phone_shows_what_is_due_and_does_not_scroll_sideways(busy_list, people, page, desk, shoot):
	page.set_viewport_size(PHONE)
	open_list(desk, people)
	due = due_of(page, busy_list["Alster Klima"]).locator("[data-deadline]")
	due.scroll_into_view_if_needed()
	expect(due).to_have_text("5h late")
	assert due.bounding_box()["x"] + due.bounding_box()["width"] <= PHONE["width"]
	assert fits(page)
	shoot(page, "lead-list-phone")


# what a lead lacks, and how long it keeps


def test_a_lead_says_how_long_it_keeps(lead, people, page, desk, database):
	segment = frappe.get_doc(
		{
			"doctype": "Lead Segment",
			"title": f"Perishable {frappe.generate_hash(length=6)}",
			"priority": 9999,
			"enabled": 0,
			"shelf_life_days": 75,
			"on_expiry": "Tell the Owner",
		}
	).insert(ignore_permissions=True)
	frappe.db.set_value(
		"Lead", lead.name, {"lq_segment": segment.name, "lq_last_touch_at": add_days(now_datetime(), -78)}
	)
	database.commit()
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	expect(page.locator("[data-ageing=stale]")).to_have_text(re.compile("Goes stale "))
	expect(page.locator("[data-ageing=stale]")).to_have_class(re.compile("orange"))
	expect(page.locator("[data-ageing=shelf_life]")).to_have_text(re.compile("Shelf life ended "))
	expect(page.locator("[data-ageing=shelf_life]")).to_have_class(re.compile("red"))


def test_a_lead_without_owner_is_taken_by_one_button(lead, people, page, desk, database, shoot):
	frappe.db.set_value("Lead", lead.name, "lead_owner", None)
	database.commit()
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	hint = page.locator('[data-fault="No Owner"]')
	expect(hint).to_contain_text("This lead has no owner")
	shoot(page, "lead-no-owner")
	hint.get_by_role("button", name="Assign to me").click()
	expect(hint).to_have_count(0)
	database.rollback()
	assert frappe.db.get_value("Lead", lead.name, "lead_owner") == people["rep"]


def test_a_lead_without_next_step_is_given_one_by_one_button(lead, people, page, desk, database):
	api.stop(lead.name, "Stop Early: Company closed")
	database.commit()
	desk.login(people["rep"], PASSWORD)
	desk.open(f"lead/{lead.name}")
	hint = page.locator('[data-fault="No Next Step"]')
	expect(hint).to_contain_text("needs a next step with a date")
	page.locator(".lead-quality-panel").get_by_role("button", name="Start a cadence").click()
	expect(page.locator(".lead-quality-panel")).to_contain_text("First call")
	expect(hint).to_have_count(0)


# the policy


def test_a_policy_says_in_words_what_will_happen(people, page, desk, database, shoot):
	title = f"Policy {frappe.generate_hash(length=6)}"
	frappe.get_doc(
		{
			"doctype": "Follow Up Policy",
			"title": title,
			"working_calendar": "Office Hours",
			"targets": [
				{"clock": "First Response", "within": 2, "unit": "Working Hours"},
				{"clock": "Handover Acceptance", "within": 1, "unit": "Working Days", "warn_at_percent": 100},
			],
			"escalations": [
				{"clock": "First Response", "after": 1, "unit": "Working Days", "action": "Pull Back"},
				{"clock": "First Response", "after": 4, "unit": "Working Hours", "action": "Notify Manager"},
			],
			"escalate_to": people["manager"],
		}
	).insert(ignore_permissions=True)
	database.commit()
	desk.login(people["manager"], PASSWORD)
	desk.open(f"follow-up-policy/{title}")
	words = page.locator(".lq-in-words")
	expect(words).to_contain_text("First Response: 2 working hours, with a warning after 1h 30m.")
	expect(words).to_contain_text("Handover Acceptance: 1 working day, without a warning.")
	expect(words.locator("li")).to_have_text(
		[
			"When it is missed, the lead's owner is notified.",
			"4 working hours after the deadline the manager of the lead's owner is notified.",
			"1 working day after the deadline the lead is pulled back to its sender, or else to the pool.",
			"When it is missed, the receiver is notified.",
		]
	)
	expect(words).to_contain_text("If nobody can be notified, for example without a manager: Anna Berg.")
	words.scroll_into_view_if_needed()
	shoot(page, "follow-up-policy")

	# the words follow what is typed, before it is saved
	page.evaluate(
		"""() => {
			const [row] = cur_frm.doc.targets;
			return frappe.model.set_value(row.doctype, row.name, "within", 3);
		}"""
	)
	expect(words).to_contain_text("First Response: 3 working hours, with a warning after 2h 15m.")


def test_an_action_that_needs_more_asks_for_it_and_for_nothing_else(people, page, desk):
	desk.login(people["manager"], PASSWORD)
	desk.open("follow-up-policy/Standard Follow Up")
	page.evaluate(
		"""async () => {
			const row = cur_frm.add_child("escalations", {after: 1, unit: "Hours"});
			cur_frm.refresh_field("escalations");
			await frappe.model.set_value(row.doctype, row.name, "action", "Recycle");
		}"""
	)
	form = page.locator(".grid-row-open")
	expect(form.locator("[data-fieldname=outcome_reason]").locator("visible=true").first).to_be_visible()
	for other in ("role", "assignment_rule"):
		expect(form.locator(f".form-in-grid [data-fieldname={other}]").locator("visible=true")).to_have_count(
			0
		)
	# the row's form is drawn again when its action changes, and a list that is open by then closes
	page.wait_for_timeout(1000)
	box = form.locator("[data-fieldname=outcome_reason] input").locator("visible=true").first
	box.click()
	box.press_sequentially("n", delay=20)
	offered = page.locator("[role=option]").locator("visible=true")
	expect(offered.filter(has_text="Not this year")).to_have_count(1)
	expect(offered.filter(has_text="No need for what we sell")).to_have_count(0)


# what the app has told


def test_an_alert_leads_to_its_lead(lead, people, page, desk, set_clock, database, shoot):
	for clock in ("Triage", "Next Touch"):
		set_clock(lead, clock, warn_in=9000, due_in=9999, next_alert_in=9000)
	set_clock(lead, "First Response", warn_in=-60, due_in=-30, next_alert_in=-60)
	sweep_clocks()
	database.commit()
	desk.login(people["rep"], PASSWORD)
	desk.open(f"follow-up-alert?lead={lead.name}")
	row = page.locator(".list-row-container").filter(has_text="First Response")
	expect(row.locator(".indicator-pill", has_text="Missed").locator("visible=true")).to_have_class(
		re.compile("red")
	)
	row.get_by_role("button", name="Open Lead").click()
	expect(page).to_have_url(re.compile(f"/lead/{lead.name}"))

	desk.open(f"follow-up-alert?lead={lead.name}")
	shoot(page, "follow-up-alerts")
	row.locator("a[data-doctype]").first.click()
	expect(page).to_have_url(re.compile("/follow-up-alert/."))
	head = page.locator(".page-head").locator("visible=true")
	head.get_by_role("button", name="Open Lead").click()
	expect(page).to_have_url(re.compile(f"/lead/{lead.name}"))


def test_the_list_of_clocks_says_what_each_is_now(lead, people, page, desk, set_clock):
	set_clock(lead, "Triage", warn_in=-90, due_in=-30)
	set_clock(
		lead,
		"First Response",
		warn_in=100,
		due_in=120,
		status="Paused",
		paused_until=now_datetime() + timedelta(hours=1),
	)
	set_clock(lead, "Next Touch", due_in=-30, status="Missed", missed_by_system=1, stopped_at=now_datetime())
	desk.login(people["rep"], PASSWORD)
	desk.open(f"follow-up-clock?lead={lead.name}")
	for clock, words in (
		("Triage", "Overdue"),
		("First Response", "Paused"),
		("Next Touch", "Missed by the System"),
	):
		row = page.locator(".list-row-container").filter(has_text=clock)
		expect(row.locator(".indicator-pill", has_text=words).locator("visible=true").first).to_be_visible()


def test_a_clock_that_was_stopped_says_how_long_it_took(lead, people, page, desk, database):
	api.log_touch(lead.name, "Phone", outcome="Connected")
	name = frappe.db.get_value("Follow Up Clock", {"lead": lead.name, "clock": "First Response"})
	frappe.db.set_value("Follow Up Clock", name, "elapsed_seconds", 5400)
	database.commit()
	desk.login(people["rep"], PASSWORD)
	desk.open(f"follow-up-clock/{name}")
	expect(page.locator("[data-fieldname=elapsed_seconds]")).to_contain_text("1h 30m")
	expect(page.locator(".page-head").locator("visible=true")).to_contain_text("Met")


def test_a_sales_user_chooses_what_to_be_told_of(people, page, desk, database, shoot):
	desk.login(people["rep"], PASSWORD)
	desk.open(f"notification-settings/{people['rep']}")
	field = page.locator("[data-fieldname=lq_notify_warning] select")
	field.scroll_into_view_if_needed()
	expect(page.locator("[data-fieldname=lq_section]")).to_contain_text("Lead Quality")
	shoot(page, "notification-settings")
	field.select_option("Off")
	page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
	page.wait_for_function("() => !cur_frm.is_dirty()")
	desk.settle()
	database.rollback()
	assert frappe.db.get_value("Notification Settings", people["rep"], "lq_notify_warning") == "Off"


def test_a_rep_goes_on_leave_and_the_substitute_answers_the_handover(
	people, page, desk, second_desk, database, shoot
):
	lead = make_lead("Olga", "Weiss", company_name="Weiss Werkzeug", lead_owner=people["manager"])
	make_sales_ready(lead.name)
	api.send_handover(lead.name, people["rep"])
	database.commit()

	desk.login(people["rep"], PASSWORD).open("follow-up-absence/new")
	choose(page, "substitute", people["colleague"])
	for fieldname, day in (("from_date", today()), ("to_date", add_days(today(), 10))):
		box = page.locator(f"[data-fieldname={fieldname}] input").locator("visible=true").first
		box.fill(page.evaluate("date => frappe.datetime.str_to_user(date)", str(day)))
		box.press("Tab")
		page.keyboard.press("Escape")
	shoot(page, "absence")
	page.get_by_role("button", name="Save", exact=True).locator("visible=true").first.click()
	page.wait_for_function("() => !cur_frm.is_new() && !cur_frm.is_dirty()")
	database.rollback()
	stored = frappe.get_last_doc("Follow Up Absence", {"user": people["rep"]})
	assert (stored.substitute, str(stored.from_date), str(stored.to_date)) == (
		people["colleague"],
		today(),
		str(add_days(today(), 10)),
	)

	other = second_desk.login(people["colleague"], PASSWORD).open(f"lead/{lead.name}")
	other.get_by_role("button", name="Accept or reject").click()
	expect(other.get_by_text("Rosa Lind is away until").locator("visible=true")).to_be_visible()
	other.get_by_role("button", name="Accept", exact=True).click()
	second_desk.settle()
	database.rollback()
	assert frappe.db.get_value("Lead", lead.name, "lead_owner") == people["rep"]

	other = second_desk.open(f"lead/{lead.name}")
	expect(other.locator("[data-away]")).to_contain_text("Cleo Voss is covering.")
	shoot(other, "lead-owner-away")
	frappe.delete_doc("Follow Up Absence", stored.name)
	database.commit()


def choose(scope, fieldname: str, value: str):
	choose_link(scope.locator(f"[data-fieldname={fieldname}] input").locator("visible=true").first, value)


def fits(page: Page) -> bool:
	width = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
	return width[0] <= width[1]
