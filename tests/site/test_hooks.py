"""hooks.py and patches.txt name only what exists, and what the scheduler runs may run twice."""

import importlib
import re
from pathlib import Path

import frappe
import pytest
from frappe.utils import now_datetime

import lead_quality
from lead_quality import hooks

PACKAGE = Path(lead_quality.__file__).parent
DOTTED_PATH = re.compile(r"(lead_quality|frappe|erpnext)(\.\w+)+")
ASSET = re.compile(r"(/assets/lead_quality/|public/).+\.(js|css|svg|png)")


def strings(value) -> set[str]:
	"""Every text in a hook's value, however it is nested; keys such as a DocType's name are none."""
	if isinstance(value, str):
		return {value}
	if isinstance(value, dict):
		return set().union(*map(strings, value.values()))
	if isinstance(value, list | tuple):
		return set().union(*map(strings, value))
	return set()


NAMED = strings([value for name, value in vars(hooks).items() if not name.startswith("_")])
PATCHES = [
	line.split("#")[0].split()[0]
	for line in (PACKAGE / "patches.txt").read_text().splitlines()
	if line.split("#")[0].strip() and not line.startswith(("[", "execute:"))
]


def scheduled_functions() -> list[str]:
	return sorted(path for path in strings(hooks.scheduler_events) if DOTTED_PATH.fullmatch(path))


@pytest.mark.parametrize("path", sorted(filter(DOTTED_PATH.fullmatch, NAMED)))
def test_function_named_in_hooks_exists(path):
	assert callable(frappe.get_attr(path))


@pytest.mark.parametrize("path", sorted(filter(ASSET.fullmatch, NAMED)))
def test_file_named_in_hooks_exists(path):
	assert (PACKAGE / path.replace("/assets/lead_quality/", "public/")).is_file()


@pytest.mark.parametrize("patch", PATCHES)
def test_patch_exists(patch):
	assert callable(importlib.import_module(patch).execute)


@pytest.mark.parametrize("path", scheduled_functions())
def test_scheduled_function_has_nothing_left_to_do_when_it_runs_again(path):
	for number in range(3):
		frappe.get_doc(doctype="Lead", first_name=f"Scheduled {number}").insert()
	function = frappe.get_attr(path)
	now = now_datetime()

	first = function(now=now)
	second = function(now=now)

	assert first["failed"] == 0
	assert second["failed"] == 0
	assert second["done"] == 0
