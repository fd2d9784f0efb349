"""What more than one browser test does to a page, or asks of its site."""

import re
from urllib.parse import parse_qs

import frappe
from playwright.sync_api import Locator, Response


def bant() -> str:
	"""The version of the seeded checklist that is active: other tests may have made a new one."""
	return frappe.db.get_value("Qualification Checklist", {"title": "BANT", "status": "Active"})


def choose_link(box: Locator, value: str):
	"""Types into a Link field, and chooses what is called so, by its title or its name. The list of what was typed is
	waited for: Frappe empties a field whose choice came from the list before it."""
	page = box.page
	box.click()
	with page.expect_response(lambda answer: _searched(answer) == value):
		box.press_sequentially(value, delay=20)
	page.wait_for_load_state("networkidle")
	ends_so = re.compile(rf"(^|\W){re.escape(value)}$")
	option = page.locator("[role=option]").locator("strong, .small").filter(has_text=ends_so)
	option.locator("visible=true").first.click()
	page.wait_for_load_state("networkidle")


def _searched(answer: Response) -> str | None:
	"""What a Link field has asked for."""
	body = answer.request.post_data
	if not answer.url.endswith("search_link") or not body:
		return None
	return parse_qs(body).get("txt", [None])[0]


def choose_reason(dialog: Locator, fieldname: str, reason: str):
	dialog.locator(f"[data-fieldname={fieldname}] select").select_option(label=reason)
