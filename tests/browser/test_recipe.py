"""The settings that an audit proposes, chosen as a file and taken in by clicks."""

import frappe
import pytest
from playwright.sync_api import expect

from lead_quality.demo.factories import make_user
from lead_quality.engine.recipe import CALENDAR, POLICY, SEGMENT, Record, written
from lead_quality.qualification.definitions import clear_caches

PASSWORD = "as-the-audit-says-2026"


@pytest.fixture
def proposed(database):
	"""Titles of what an audit proposes, by DocType; all of it is gone after the test."""
	of = frappe.generate_hash(length=6)
	yield {CALENDAR: f"Office Hours {of}", POLICY: f"As the Audit Proposes {of}", SEGMENT: f"Exhibition {of}"}
	database.rollback()
	for doctype in (SEGMENT, POLICY, CALENDAR):
		database.delete(doctype, {"title": ["like", f"%{of}"]})
	clear_caches()
	database.commit()


def recipe_of(proposed: dict[str, str]) -> bytes:
	hours = [
		{"weekday": day, "opens": "08:00:00", "closes": "17:00:00"}
		for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
	]
	targets = [{"clock": "First Response", "within": 2.0, "unit": "Working Hours"}]
	rules = [{"field": "source", "operator": "=", "value": "Exhibition"}]
	records = [
		Record(
			CALENDAR,
			proposed[CALENDAR],
			{"time_zone": "Europe/Berlin", "hours": hours},
			"Nine of ten calls are made within these hours.",
		),
		Record(
			POLICY,
			proposed[POLICY],
			{"working_calendar": proposed[CALENDAR], "targets": targets},
			"Two working hours would have called out 412 leads.",
		),
		Record(
			SEGMENT,
			proposed[SEGMENT],
			{"follow_up_policy": proposed[POLICY], "rules": rules},
			"1,204 leads, of which 38 % were wasted.",
		),
	]
	return written(records, "Lead audit", "2026-06-30").encode()


def test_a_manager_takes_in_what_the_audit_proposes(proposed, page, desk, database, shoot):
	manager = make_user(
		"rita.recipe@example.com", "Lead Quality Manager", first_name="Rita", password=PASSWORD
	).name
	database.commit()
	desk.login(manager, PASSWORD)
	desk.open("lead-quality-settings")
	dialog = page.locator(".modal.show", has_text="Settings That the Audit Proposes")

	def choose(name: str, content: bytes):
		with page.expect_file_chooser() as chosen:
			page.get_by_role("button", name="Import Recipe").locator("visible=true").click()
		chosen.value.set_files({"name": name, "mimeType": "application/json", "buffer": content})

	choose("leads.json", b'{"leads": []}')
	expect(page.locator(".modal.show")).to_contain_text("Choose the file recipe.json")
	desk.close_message()

	choose("recipe.json", recipe_of(proposed))
	for title in proposed.values():
		expect(dialog.locator("tr", has_text=title)).to_contain_text("new")
	database.rollback()
	assert not frappe.db.exists(POLICY, proposed[POLICY])
	shoot(page, "recipe")
	dialog.get_by_role("button", name="Make 3 New Records").click()

	# then it is all there, with links to it, and there is nothing left to make
	for title in proposed.values():
		expect(dialog.locator("tr", has_text=title)).to_contain_text("is there")
	expect(dialog.get_by_role("button", name="New Records")).to_have_count(0)
	database.rollback()
	assert not frappe.db.get_value(SEGMENT, proposed[SEGMENT], "enabled")
	with page.expect_popup() as opened:
		dialog.get_by_role("link", name=proposed[POLICY]).click()
	opened.value.wait_for_function("title => window.cur_frm?.doc?.name === title", arg=proposed[POLICY])
