"""The desk does not surprise: what a click means is said before it, can be undone after it, and no name is run."""

import re
from contextlib import contextmanager

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime
from playwright.sync_api import Page, expect

from lead_quality import api
from lead_quality.demo.factories import make_agreement, make_lead, make_user

PASSWORD = "no-surprises-2026"


@pytest.fixture
def rep(database):
	user = make_user("rena.desk@example.com", "Sales User", first_name="Rena", password=PASSWORD)
	database.commit()
	return user.name


@pytest.fixture
def manager(database):
	user = make_user(
		"mona.desk@example.com",
		"Lead Quality Manager",
		"Sales Manager",
		first_name="Mona",
		password=PASSWORD,
	)
	database.commit()
	return user.name


@pytest.fixture
def lead(rep, database):
	lead = make_lead("Clara", "Hafen", company_name="Hafen Pumpen", lead_owner=rep)
	database.commit()
	return lead


@pytest.fixture
def slow(page):
	"""`with slow():` every answer of the server takes its time, as on a busy machine."""
	network = page.context.new_cdp_session(page)

	@contextmanager
	def slow_down(milliseconds: int = 700):
		network.send("Network.enable")
		conditions = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
		network.send("Network.emulateNetworkConditions", {**conditions, "latency": milliseconds})
		yield
		network.send("Network.emulateNetworkConditions", {**conditions, "latency": 0})

	return slow_down


def button(scope, name: str):
	return scope.get_by_role("button", name=name, exact=True).locator("visible=true")


def intro_of(page: Page):
	return page.locator(".form-message").locator("visible=true")


# the way in


def test_the_tile_of_the_app_opens_its_workspace_in_the_same_tab(rep, page, desk, desk_path):
	if desk_path == "/app":
		pytest.skip("v15 has no tiles")
	desk.login(rep, PASSWORD)
	desk.open()
	page.locator(".desktop-icon[data-id='Lead Quality']").locator("visible=true").click()
	expect(page).to_have_url(re.compile(r"/desk/lead-quality"))
	expect(page.locator(".widget.shortcut-widget-box", has_text="My Leads")).to_be_visible()
	assert len(page.context.pages) == 1


# quick users


def test_a_quick_user_signs_on_a_slow_machine(manager, page, desk, slow, database):
	draft = make_agreement(accept_within=4, working_calendar="Office Hours")
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open(f"sales-ready-agreement/{draft.name}")
	with slow():
		# the form is being loaded again, and has no document to work with
		page.evaluate("void cur_frm.reload_doc()")
		button(page, "Send for Signature").click()
		expect(intro_of(page)).to_contain_text("Waiting for the signatures")
		page.evaluate("void cur_frm.reload_doc()")
		button(page, "Sign for Marketing").click()
		page.locator(".modal.show").get_by_role("button", name="Yes").click()
		expect(intro_of(page)).to_contain_text("Waiting for the signature of sales")
	expect(page.locator(".msgprint").locator("visible=true")).to_have_count(0)
	database.rollback()
	assert frappe.db.get_value(draft.doctype, draft.name, "marketing_signed_by") == manager


@pytest.mark.parametrize(
	"route, name, shown",
	[
		("lead-segment/Inbound", "Try Out", "Would match"),
		("nurture-cadence/Inbound in Seven Touches v1", "New Version", None),
	],
)
def test_a_button_waits_for_a_form_that_is_loading(manager, page, desk, slow, route, name, shown):
	desk.login(manager, PASSWORD)
	desk.open(route)
	with slow():
		page.evaluate("void cur_frm.reload_doc()")
		button(page, name).click()
		if shown:
			expect(page.locator(".modal.show")).to_contain_text(shown)
		else:
			expect(page).not_to_have_url(re.compile(route.split("/")[1].replace(" ", "%20") + "$"))
	expect(page.locator(".msgprint").locator("visible=true")).to_have_count(0)


# names


def test_a_name_is_shown_and_never_run(rep, lead, page, desk, database):
	name = frappe.rename_doc(
		"Lead", lead.name, f'x" onmouseover="window.run=1" {frappe.generate_hash(length=4)}'
	)
	database.commit()
	desk.login(rep, PASSWORD)
	desk.open(f"lead?name={frappe.utils.quoted(name)}")
	cell = page.locator("[data-due-of]").locator("visible=true").first
	expect(cell).to_be_visible()
	assert cell.get_attribute("data-due-of") == name
	cell.hover()
	assert not page.evaluate("window.run")
	assert page.locator("[data-due-of][onmouseover]").count() == 0


def test_no_text_of_a_lead_is_run_in_its_panel(rep, lead, page, desk, database):
	nasty = '<img src=x onerror="window.run=1">'
	touch = api.log_touch(lead.name, "Phone", outcome="Connected")
	frappe.db.set_value("Lead Touch", touch.name, "note", nasty, update_modified=False)
	frappe.db.set_value("Lead Qualification", {"lead": lead.name}, "reason", nasty, update_modified=False)
	database.commit()
	desk.login(rep, PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	expect(panel).to_contain_text("onerror")
	assert panel.locator("img").count() == 0
	assert not page.evaluate("window.run")


# the panel


def test_the_next_touch_has_one_deadline_with_weekday_and_hour(rep, lead, page, desk, database, shoot):
	now = now_datetime().replace(microsecond=0)
	frappe.db.set_value(
		"Lead Touch", {"lead": lead.name, "status": "Planned"}, "due_at", add_to_date(now, hours=-3)
	)
	frappe.db.set_value(
		"Follow Up Clock",
		{"lead": lead.name, "clock": "Next Touch"},
		{"due_at": add_to_date(now, hours=30), "warn_at": add_to_date(now, hours=28)},
	)
	database.commit()
	desk.login(rep, PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	due = panel.locator('[data-clock="Next Touch"]')
	expect(due).to_have_count(1)
	expect(due.locator("[data-deadline]")).to_have_count(1)
	expect(due.locator("[data-deadline]")).to_have_class(re.compile("green"))
	expect(due).to_contain_text(re.compile(r"planned for \w{3} \d\d:\d\d"))
	expect(due).to_contain_text(re.compile(r"at the latest \w{3} \d\d:\d\d"))
	expect(panel).not_to_contain_text("overdue")
	shoot(page, "lead-next-touch")


def test_that_no_mail_can_be_sent_is_said_before_anything_is_typed(rep, lead, page, desk, database):
	api.log_touch(lead.name, "Phone", outcome="Connected")
	frappe.db.set_value("Email Account", {"enable_outgoing": 1}, "enable_outgoing", 0)
	database.commit()
	desk.login(rep, PASSWORD)
	desk.open(f"lead/{lead.name}")
	button(page.locator(".lead-quality-panel"), "Write e-mail").click()
	told = page.locator(".modal.show")
	expect(told).to_contain_text("This site has no account to send e-mails with.")
	expect(page.locator(".modal.show", has_text="Subject")).to_have_count(0)


@pytest.fixture
def mail_account(database):
	account = frappe.get_doc(
		{
			"doctype": "Email Account",
			"email_account_name": f"Desk {frappe.generate_hash(length=6)}",
			"email_id": f"desk.{frappe.generate_hash(length=6)}@example.com",
			"enable_outgoing": 1,
			"default_outgoing": 1,
			"enable_incoming": 0,
			"smtp_server": "127.0.0.1",
			"no_smtp_authentication": 1,
			"awaiting_password": 1,
		}
	)
	account.flags.ignore_validate = account.flags.ignore_mandatory = True
	account.insert(ignore_permissions=True)
	database.commit()
	yield account
	database.rollback()
	frappe.delete_doc("Email Account", account.name, force=True)
	database.commit()


def test_a_sales_user_writes_an_email_without_a_permission_error(
	rep, lead, page, desk, database, mail_account
):
	api.log_touch(lead.name, "Phone", outcome="Connected")
	database.commit()
	desk.login(rep, PASSWORD)
	desk.open(f"lead/{lead.name}")
	button(page.locator(".lead-quality-panel"), "Write e-mail").click()
	composer = page.locator(".modal.show", has_text="Subject")
	expect(composer).to_be_visible()
	desk.settle()
	expect(page.locator(".modal.show")).to_have_count(1)
	expect(page.locator(".modal.show", has_text="Insufficient Permission")).to_have_count(0)


# definitions


def test_a_new_policy_says_in_words_what_is_not_entered_yet(manager, page, desk):
	desk.login(manager, PASSWORD)
	desk.open("follow-up-policy/new")
	page.evaluate(
		"""async () => {
			const row = cur_frm.doc.targets?.[0] || cur_frm.add_child("targets");
			cur_frm.refresh_field("targets");
			await frappe.model.set_value(row.doctype, row.name, "clock", "Triage");
		}"""
	)
	words = page.locator(".lq-in-words")
	expect(words).to_contain_text("Triage: no time is entered yet.")
	page.evaluate(
		"() => frappe.model.set_value(cur_frm.doc.targets[0].doctype, cur_frm.doc.targets[0].name, 'within', 8)"
	)
	expect(words).to_contain_text("Triage: 8 working hours, with a warning after 6h.")


def test_activating_asks_first_and_can_be_taken_back(manager, page, desk, database, shoot):
	title = f"Two Calls {frappe.generate_hash(length=4)}"
	steps = [
		{"step": "Call", "channel": "Phone", "anchor": "Enrollment"},
		{"step": "Mail", "channel": "Email", "delay": 2, "delay_unit": "Working Days"},
	]
	first = frappe.get_doc(
		{
			"doctype": "Nurture Cadence",
			"title": title,
			"status": "Active",
			"min_touches": 1,
			"working_calendar": "Office Hours",
			"steps": steps,
		}
	).insert()
	second = first.make_new_version()
	second.append("steps", {"step": "Visit offer", "channel": "Visit"})
	second.save()
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open(f"nurture-cadence/{second.name}")
	expect(page.locator("[data-warning]")).to_contain_text("Visit offer, has no delay")
	expect(page.locator(".lq-in-words")).to_contain_text("Mail: Email, 2 working days after the step before")
	button(page, "Activate").click()
	dialog = page.locator(".modal.show")
	expect(dialog).to_contain_text(f"{second.name} takes the place of {first.name}.")
	expect(dialog).to_contain_text("New: Visit offer: Visit, as soon as the step before is done")
	expect(dialog.locator("[data-warnings]")).to_contain_text("has no delay")
	page.wait_for_timeout(400)  # the dialog slides in
	shoot(page, "activate")
	button(dialog, "Activate").click()
	head = page.locator(".page-head").locator("visible=true")
	expect(head).to_contain_text("Active")
	desk.settle()

	desk.open(f"nurture-cadence/{first.name}")
	expect(head).to_contain_text("Superseded")
	button(page, "Back to This Version").click()
	dialog = page.locator(".modal.show")
	expect(dialog).to_contain_text("Removed: Visit offer")
	button(dialog, "Back to This Version").click()
	expect(head).to_contain_text("Active")
	desk.settle()
	database.rollback()
	assert frappe.db.get_value(first.doctype, first.name, "status") == "Active"
	assert frappe.db.get_value(first.doctype, second.name, "status") == "Superseded"


def test_a_rules_value_is_picked_from_what_its_field_may_hold(manager, page, desk, database, shoot):
	desk.login(manager, PASSWORD)
	desk.open("lead-segment/new")
	page.evaluate(
		"""async () => {
			const row = cur_frm.doc.rules?.[0] || cur_frm.add_child("rules");
			await frappe.model.set_value(row.doctype, row.name, {field: "source", operator: "="});
			cur_frm.refresh_field("rules");
		}"""
	)
	cell = page.locator("[data-fieldname=rules] .grid-row[data-idx='1'] [data-fieldname=value]").first
	cell.evaluate("cell => cell.scrollIntoView({block: 'center'})")
	cell.click()
	box = cell.locator("input").first
	box.press_sequentially("Exhib", delay=30)
	offered = page.get_by_text("Exhibition", exact=True).locator("visible=true")
	expect(offered).to_be_visible()
	shoot(page, "segment-rule-value")
	offered.click()
	page.wait_for_function("() => cur_frm.doc.rules[0].value === 'Exhibition'")


def test_a_rules_value_that_does_not_exist_is_warned_of(manager, page, desk, database):
	title = f"Typo {frappe.generate_hash(length=4)}"
	frappe.get_doc(
		{
			"doctype": "Lead Segment",
			"title": title,
			"priority": 99,
			"enabled": 0,
			"rules": [{"field": "source", "operator": "=", "value": "Exhibiton"}],
		}
	).insert(ignore_permissions=True)
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open(f"lead-segment/{title}")
	expect(page.locator("[data-odd-value]")).to_contain_text("Did you mean Exhibition?")


def test_a_touch_that_was_logged_by_mistake_is_undone_right_after(rep, lead, page, desk, database, shoot):
	desk.login(rep, PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	button(panel, "Connected").click()
	toast = page.locator(".desk-alert", has_text="Logged: Phone · Connected.")
	expect(toast).to_be_visible()
	expect(panel.locator("[data-stage=prospect]")).to_have_class(re.compile("blue"))
	shoot(page, "lead-undo")
	toast.get_by_text("Undo").click()
	expect(page.locator(".desk-alert", has_text="Undone")).to_be_visible()
	expect(panel.locator("[data-stage=target]")).to_have_class(re.compile("blue"))
	expect(panel).to_contain_text("First Response")
	desk.settle()
	database.rollback()
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"


def test_what_a_person_does_not_want_is_recorded_by_a_button_and_shown(
	rep, lead, page, desk, database, shoot
):
	desk.login(rep, PASSWORD)
	desk.open(f"lead/{lead.name}")
	panel = page.locator(".lead-quality-panel")
	button(panel, "Wants no…").click()
	dialog = page.locator(".modal.show")
	dialog.locator("[data-fieldname=channel] select").select_option("Email")
	dialog.locator("[data-fieldname=reason] select").select_option("Complaint")
	page.wait_for_timeout(400)  # the dialog slides in
	shoot(page, "opt-out")
	button(dialog, "Record").click()
	expect(panel.locator("[data-opt-outs]")).to_contain_text("Wants no Email")
	desk.settle()
	database.rollback()
	channels = frappe.get_all("Contact Opt Out", {"lead": lead.name}, ["channel", "reason"])
	assert {(row.channel, row.reason) for row in channels} == {("Email", "Complaint")}
