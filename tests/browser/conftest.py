"""The house that browser tests live in: a real desk in a real Chromium, served by `./dev test browser`.

The web process has its own connection to the database, so what these tests write is committed for real. The site
is made anew for every run. A test takes names of its own, and does not count what others made.
"""

import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import frappe
import pytest
import requests
from frappe.utils.password import set_encrypted_password
from playwright.sync_api import Page, expect

# how long a page may take where other suites run beside it; what shows sooner is seen sooner
PATIENCE = 30_000  # milliseconds
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def base_url() -> str:
	return os.environ["LEAD_QUALITY_URL"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, base_url):
	"""The system's Chromium if there is one, else Playwright's own; it speaks to this machine only."""
	names = ("chromium", "chromium-browser", "google-chrome")
	return {
		**browser_type_launch_args,
		"executable_path": next(filter(None, map(shutil.which, names)), None),
		"args": [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			"--disable-sync",
			"--disable-component-update",
			"--disable-background-networking",
			"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
		],
	}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
	return {**browser_context_args, "viewport": {"width": 1400, "height": 900}, "locale": "en-GB"}


@pytest.fixture(autouse=True)
def database(site):
	"""The test's own connection: `database.commit()` shows the web process what was written here,
	`database.rollback()` shows here what the web process wrote."""
	frappe.db.rollback()
	frappe.set_user("Administrator")
	yield frappe.local.db
	frappe.db.rollback()
	frappe.set_user("Administrator")


class Client:
	"""One user's REST client; without a user, a guest's."""

	def __init__(self, url: str, user: str | None):
		self.url, self.user = url, user
		self.headers = {"Host": frappe.local.site}
		if user:
			key, secret = frappe.generate_hash(length=15), frappe.generate_hash(length=15)
			# past the save: a job of the user's first save may be changing the same document
			frappe.db.set_value("User", user, "api_key", key)
			set_encrypted_password("User", user, secret, "api_secret")
			self.headers["Authorization"] = f"token {key}:{secret}"

	def call(self, verb: str, path: str, **body):
		return requests.request(
			verb, f"{self.url}/api/{path}", json=body or None, headers=self.headers, timeout=60
		)

	def get(self, path: str, **query):
		return requests.get(f"{self.url}/api/{path}", params=query, headers=self.headers, timeout=60)

	def page(self, path: str, **query):
		"""A page of the website."""
		return requests.get(f"{self.url}/{path}", params=query, headers=self.headers, timeout=60)

	def names(self, doctype: str) -> set[str]:
		answer = self.get(f"resource/{doctype}?limit_page_length=0")
		assert answer.status_code == 200, answer.text
		return {row["name"] for row in answer.json()["data"]}

	def is_refused(self, verb: str, path: str, **body) -> bool:
		answer = self.call(verb, path, **body)
		assert answer.status_code < 500, answer.text
		return answer.status_code in {401, 403, 404}


@pytest.fixture(scope="session")
def client_of(site, base_url):
	"""`client_of("a@example.com")`, to be committed before its first call: that user's REST client. Real HTTP, real
	tokens."""
	return lambda user: Client(base_url, user)


@contextmanager
def watched(page: Page):
	"""A page that fails its test when a script of it throws."""
	errors: list[str] = []
	page.on("pageerror", lambda error: errors.append(f"{page.url}: {error.message}\n{error.stack}"))
	page.set_default_timeout(PATIENCE)
	yield page
	assert not errors, "scripts failed:\n" + "\n".join(errors)


@pytest.fixture
def page(page: Page):
	with watched(page):
		yield page


@pytest.fixture(scope="session")
def desk_path() -> str:
	"""Where the desk is: /app on v15, /desk on v16."""
	return "/app" if int(frappe.__version__.split(".")[0]) < 16 else "/desk"


class Desk:
	"""The desk of one user."""

	def __init__(self, page: Page, path: str):
		self.page = page
		self.path = path

	def login(self, user: str = "Administrator", password: str = "admin") -> "Desk":
		# each answer of Frappe sets the session's cookie: one that is still under way for the user before would undo the login
		self.page.goto("about:blank")
		answer = self.page.request.post("/api/method/login", form={"usr": user, "pwd": password})
		assert answer.ok, f"{user} cannot log in: {answer.status} {answer.text()}"
		return self

	def open(self, route: str = "") -> Page:
		"""Open a route such as `lead/CRM-LEAD-2025-00001` or `query-report/Funnel`, and wait until it stands."""
		self.page.goto(f"{self.path}/{route}".rstrip("/"))
		self.page.wait_for_function("() => window.frappe && frappe.boot && !frappe.request?.ajax_count")
		self.settle()
		return self.page

	def settle(self):
		"""Wait until no request of the desk is under way."""
		self.page.wait_for_load_state("networkidle")
		expect(self.page.locator("body")).not_to_have_attribute("data-ajax-state", "triggered")
		expect(self.page.locator("#freeze.in")).to_have_count(0)

	def await_dialog(self):
		"""Wait until the topmost dialog has come in. Bootstrap pays no heed to who closes one that is still on its way."""
		self.page.wait_for_function(
			"() => $('.modal.show').length && !$('.modal.show').last().data('bs.modal')._isTransitioning"
		)

	def close_message(self):
		"""Close the topmost message or dialog."""
		shown = self.page.locator(".modal.show")
		count = shown.count()
		self.await_dialog()
		shown.last.locator(".btn-modal-close").click()
		expect(shown).to_have_count(count - 1)

	def url(self, route: str = "") -> re.Pattern:
		"""For `expect(page).to_have_url(desk.url("lead"))`."""
		return re.compile(re.escape(f"{self.path}/{route}".rstrip("/")))


@pytest.fixture
def desk(page: Page, desk_path: str) -> Desk:
	"""`desk.login(user, password)`, then `desk.open(route)`."""
	return Desk(page, desk_path)


@pytest.fixture
def second_desk(new_context, desk_path: str):
	"""As `desk`, for another user at the same time: a browser of its own."""
	with watched(new_context().new_page()) as page:
		yield Desk(page, desk_path)


@pytest.fixture
def shoot():
	"""`shoot(page, "handover")` keeps a picture for the documentation; `./dev test --screenshots` takes it over."""
	folder = Path(os.environ["LEAD_QUALITY_SCREENSHOTS"])

	def take(page: Page, name: str, **options) -> Path:
		picture = folder / f"{name}.png"
		page.screenshot(path=picture, animations="disabled", caret="hide", **options)
		return picture

	return take
