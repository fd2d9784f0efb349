"""The app can be taken off a site again: nothing of it stays, and it can be put back."""

import json
import os
import subprocess
import sys

import frappe
import pytest

# Prints what is on a site, as {kind: [names]}. It runs in a process of its own: one process, one site.
INVENTORY = """
import json, sys
import frappe

frappe.init(sys.argv[1])
frappe.connect()
KINDS = '''Client Script, Custom Field, Custom Role, Dashboard, Dashboard Chart, Dashboard Chart Source,
Desktop Icon, DocType, DocType Layout, Email Template, Form Tour, Module Def, Module Onboarding, Notification, Number Card,
Onboarding Step, Page, Print Format, Property Setter, Report, Role, Role Profile, Server Script, Web Form,
Web Template, Workflow, Workspace, Workspace Sidebar'''.replace("\\n", " ").split(", ")
found = {kind: frappe.get_all(kind, pluck="name") for kind in KINDS if frappe.db.exists("DocType", kind)}
# these two have names made by chance
found["Custom DocPerm"] = map(" ".join, frappe.get_all("Custom DocPerm", fields=["parent", "role"], as_list=True))
found["Scheduled Job Type"] = frappe.get_all("Scheduled Job Type", pluck="method")
found["Table"] = frappe.db.get_tables(cached=False)
found["Index"] = [
	" ".join(row)
	for row in frappe.db.sql(
		"select distinct table_name, index_name from information_schema.statistics where table_schema = database()"
	)
]
found["Column"] = [
	" ".join(row)
	for row in frappe.db.sql(
		"select table_name, column_name from information_schema.columns where table_schema = database()"
	)
]
found["Single"] = frappe.db.sql_list("select distinct doctype from tabSingles")
found["Installed App"] = frappe.get_installed_apps(_ensure_on_bench=False)
print(json.dumps({kind: list(names) for kind, names in found.items()}))
"""

# What an admin adds to the site by the app's means.
MAKE_FIELDS = """
import sys
import frappe

frappe.init(sys.argv[1])
frappe.connect()
draft = frappe.get_doc("Qualification Checklist", "BANT v1").make_new_version()
draft.make_fields(["budget", "need"])
frappe.db.commit()
"""


@pytest.fixture
def other_site() -> str:
	"""A site with ERPNext and without the app; what this module does to it is not rolled back."""
	return os.environ["LEAD_QUALITY_INSTALL_SITE"]


def bench(site: str, *command: str):
	process = subprocess.run(
		[sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", site, *command],
		text=True,
		stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT,
	)
	assert process.returncode == 0, process.stdout


def inventory(site: str) -> set[tuple[str, str]]:
	output = subprocess.run(
		[sys.executable, "-c", INVENTORY, site], check=True, capture_output=True, text=True
	)
	return {
		(kind, name)
		for kind, names in json.loads(output.stdout.splitlines()[-1]).items()
		for name in map(str, names)
	}


def test_uninstalled_app_leaves_nothing_behind_and_can_be_installed_again(other_site):
	before = inventory(other_site)

	bench(other_site, "install-app", "lead_quality")
	installed = inventory(other_site)
	subprocess.run([sys.executable, "-c", MAKE_FIELDS, other_site], check=True)
	with_fields = inventory(other_site)
	bench(other_site, "uninstall-app", "lead_quality", "--yes", "--no-backup")
	uninstalled = inventory(other_site)
	bench(other_site, "install-app", "lead_quality")
	installed_again = inventory(other_site)

	assert ("DocType", "Lead Handover") in installed
	assert {("Custom Field", "Lead-lqa_budget"), ("Column", "tabLead lqa_budget")} <= with_fields - installed
	assert uninstalled - before == set()
	assert before - uninstalled == set()
	assert installed_again == installed


def test_a_site_on_another_database_is_refused_before_anything_is_installed(site, monkeypatch, count_queries):
	with (
		monkeypatch.context() as patched,
		count_queries() as queries,
		pytest.raises(frappe.IncompatibleApp) as refusal,
	):
		patched.setattr(frappe.db, "db_type", "postgres")
		frappe.get_attr(frappe.get_hooks("before_install", app_name="lead_quality")[0])()

	assert str(refusal.value) == "Lead Quality runs on MariaDB only, and this site's database is postgres."
	assert not queries.writing()
