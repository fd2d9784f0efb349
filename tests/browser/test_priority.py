"""Which lead first: a rep sorts by priority and reads why; a manager reads what it was learned from."""

import frappe
import pytest
from frappe.utils import now_datetime
from playwright.sync_api import expect

from lead_quality.demo.factories import make_lead, make_source, make_user
from lead_quality.qualification import definitions, priority
from lead_quality.qualification.learning import learn_company
from tests.site.past_sales import NOW, make_past

PASSWORD = "the-likeliest-first-2026"
LEADS = (
	("Elbe Kran", "Fair", ""),
	("Marsch Beton", "Referral", "Steel"),
	("Geest Textil", "Fair", ""),
	("Priel Yachten", "Referral", "Steel"),
)


@pytest.fixture
def company(database):
	"""Past leads of a company, and what was learned from them; all gone after the test."""
	name = f"Learners {frappe.generate_hash(length=6)}"
	past = make_past(company=name, odds=(("Referral", 0.5), ("Fair", 0.05)))
	assert learn_company(name, NOW)
	database.commit()
	yield name
	database.rollback()
	database.delete("Lead Journey", {"name": ["in", past]})
	database.delete("Lead Stage Log", {"lead": ["in", past]})
	database.delete("Lead Priority Model", {"company": name})
	definitions.clear_caches()
	database.commit()


@pytest.fixture
def leads(company, database):
	"""Leads that have just come in to that company, the least likely last."""
	made = []
	for name, source, industry in LEADS:
		lead = make_lead(
			name.split()[0],
			company_name=name,
			city=company,
			phone="+49 30 5550 100",
			**{priority.lead_field("source"): make_source(source)},
		)
		values = {"company": company, "industry": industry}
		frappe.db.set_value("Lead", lead.name, values, update_modified=False)
		made.append(lead.name)
	priority.score_some(made, now_datetime())
	database.commit()
	return made


def test_a_rep_calls_the_likeliest_first_and_reads_why(leads, company, page, desk, database, shoot):
	rep = make_user("pia.priority@example.com", "Sales User", first_name="Pia", password=PASSWORD).name
	database.commit()
	desk.login(rep, PASSWORD)
	desk.open(f"lead?city={company}")
	page.wait_for_function("() => cur_list?.data?.length === 4")
	page.locator(".sort-selector-button, .sort-selector .dropdown-text").locator("visible=true").first.click()
	with page.expect_response(lambda answer: "lq_priority" in (answer.request.post_data or "")):
		page.locator(".sort-selector .dropdown-menu.show a.option[data-value=lq_priority]").click()
	desk.settle()

	expect(page.locator(".list-row [data-priority]")).to_have_count(4)
	shown = [int(text) for text in page.locator(".list-row [data-priority]").all_text_contents()]
	assert shown == sorted(shown, reverse=True) and shown[0] > shown[-1]
	# of the same priority, who has waited longest comes first
	assert page.evaluate("cur_list.data.map(row => row.name)") == [leads[at] for at in (1, 3, 0, 2)]
	shoot(page, "lead-list-priority")

	page.locator(".list-row a[data-doctype=Lead]").first.click()
	line = page.locator(".lead-quality-panel [data-priority]")
	expect(line).to_contain_text(f"Priority {shown[0]}")
	expect(line.locator("[data-reason]").first).to_contain_text("Source: Referral (")
	expect(line).to_contain_text("% likely to buy within")
	shoot(page, "lead-priority")


def test_a_manager_reads_what_was_learned_and_how_good_it_is(company, page, desk, database, shoot):
	manager = make_user(
		"mona.priority@example.com", "Lead Quality Manager", first_name="Mona", password=PASSWORD
	).name
	database.commit()
	desk.login(manager, PASSWORD)
	model = frappe.get_last_doc("Lead Priority Model", {"company": company})
	desk.open(f"lead-priority-model?name={model.name}")
	row = page.locator(".list-row", has_text=company)
	# a share is a number to read, and no bar
	expect(row).to_contain_text("%")
	expect(row.locator(".progress")).to_have_count(0)
	row.locator("a[data-doctype='Lead Priority Model']").first.click()
	table = page.locator("[data-table]")
	expect(table.locator("tbody tr")).to_have_count(len(priority.table_in_words(priority.model_of(company))))
	# what tells leads apart most stands first
	expect(table.locator("tbody tr").first).to_contain_text("Source: Referral")
	expect(page.locator("[data-calibration] svg .bar")).to_have_count(20)
	expect(page.locator(".form-layout").locator("visible=true")).to_contain_text(f"{model.judged_won}")
	page.locator("[data-calibration]").scroll_into_view_if_needed()
	shoot(page, "priority-model")


@pytest.fixture
def touches(database):
	"""Calls of one company that are due: on the day before, and on one day for leads of different priority."""
	company = f"Queue {frappe.generate_hash(length=6)}"
	wanted = []
	for day, hour, value in ((2, "16", 5), (3, "09", 20), (3, "10", 90), (3, "11", 90)):
		lead = make_lead(company_name=company)
		frappe.db.delete("Lead Touch", {"lead": lead.name})
		frappe.db.set_value("Lead", lead.name, "lq_priority", value, update_modified=False)
		touch = frappe.get_doc(
			{
				"doctype": "Lead Touch",
				"lead": lead.name,
				"channel": "Phone",
				"status": "Planned",
				"due_at": f"2025-03-0{day} {hour}:00:00",
			}
		).insert()
		wanted.append((day, -value, hour, touch.name))
	database.commit()
	yield company, [name for *_, name in sorted(wanted)]
	database.rollback()
	database.delete("Lead Touch", {"name": ["in", [name for *_, name in wanted]]})
	database.commit()


@pytest.mark.parametrize("way", ["shortcut", "card"])
def test_the_calls_of_a_day_are_a_queue_the_likeliest_first_and_what_is_overdue_before_them(
	way, touches, page, desk, shoot
):
	company, wanted = touches
	desk.login()
	desk.open("lead-touch")
	desk.open("lead-quality")
	if way == "shortcut":
		page.locator(".shortcut-widget-box", has_text="Touches").first.click()
	else:
		page.locator(".number-widget-box", has_text="Touches Due by Tonight").first.locator(".number").click()
	page.wait_for_function("() => cur_list?.doctype === 'Lead Touch' && cur_list.data?.length")
	desk.settle()
	page.wait_for_function(
		"() => cur_list.sort_selector.sort_by === 'due_on' && cur_list.sort_selector.sort_order === 'asc'"
	)
	page.evaluate("(name) => cur_list.filter_area.add([['Lead Touch', 'lead_name', '=', name]])", company)
	page.wait_for_function("() => cur_list.data.length === 4")
	assert page.evaluate("cur_list.data.map((row) => row.name)") == wanted
	assert page.evaluate("cur_list.data.map((row) => row.lead_priority)") == [5, 90, 90, 20]
	assert page.locator(".list-row a[data-doctype='Lead Touch']").all_text_contents() == [
		f"{value} · {company}" for value in (5, 90, 90, 20)
	]
	expect(page.locator(".list-row-head .list-row-col", has_text="Due At")).to_be_visible()
	shoot(page, "touch-queue")


def test_my_leads_are_a_queue_the_likeliest_first(leads, company, page, desk, database):
	rep = make_user("pia.priority@example.com", "Sales User", first_name="Pia", password=PASSWORD).name
	frappe.db.set_value("Lead", {"name": ["in", leads]}, "lead_owner", rep, update_modified=False)
	database.commit()
	desk.login(rep, PASSWORD)
	desk.open("lead")
	desk.open("lead-quality")
	page.locator(".shortcut-widget-box", has_text="My Leads").click()
	page.wait_for_function(
		"() => cur_list?.doctype === 'Lead' && cur_list.sort_selector?.sort_by === 'lq_priority'"
	)
	page.evaluate("(city) => cur_list.filter_area.add([['Lead', 'city', '=', city]])", company)
	page.wait_for_function("() => cur_list.data.length === 4")
	assert page.evaluate("cur_list.data.map(row => row.name)") == [leads[at] for at in (1, 3, 0, 2)]


@pytest.mark.parametrize("slug", ["lead-touch", "lead-handover", "follow-up-clock", "nurture-enrollment"])
def test_every_list_of_what_waits_can_be_sorted_by_priority(slug, page, desk):
	desk.login()
	desk.open(slug)
	page.wait_for_function("() => cur_list?.sort_selector")
	# a desk remembers by what its user has sorted
	page.evaluate("() => { cur_list.sort_selector.set_value('creation', 'asc'); return cur_list.refresh(); }")
	page.locator(".sort-selector-button, .sort-selector .dropdown-text").locator("visible=true").first.click()
	with page.expect_response(lambda answer: "lead_priority" in (answer.request.post_data or "")) as read:
		page.locator(".sort-selector .dropdown-menu.show a.option[data-value=lead_priority]").click()
	assert read.value.ok
	assert page.evaluate("cur_list.sort_selector.sort_order") == "desc"
