"""What site and browser tests share. Unit tests run without Frappe, so it is imported only where it is used."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# a rule is right or wrong however busy the machine is
settings.register_profile("lead_quality", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lead_quality")

SUITES = ("unit", "site", "browser")


def pytest_collection_modifyitems(items):
	"""The folder of a test is its marker."""
	here = Path(__file__).parent
	for item in items:
		folder = item.path.relative_to(here).parts[0]
		if folder in SUITES:
			item.add_marker(folder)


@pytest.fixture(scope="session")
def site():
	"""The name of the test site, connected to as Administrator. `./dev test` makes the site."""
	import frappe

	name = os.environ["LEAD_QUALITY_SITE"]
	frappe.init(name)
	frappe.connect()
	set_test_mode(True)
	frappe.set_user("Administrator")
	yield name
	set_test_mode(False)
	frappe.destroy()


def set_test_mode(enabled: bool):
	"""v15 asks `frappe.flags.in_test`, v16 `frappe.in_test`; `frappe.init` resets the flag."""
	import frappe

	frappe.flags.in_test = enabled
	if hasattr(frappe, "in_test"):
		frappe.in_test = enabled
