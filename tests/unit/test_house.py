"""Rooms import one way, so that each can be read without those to its right."""

import ast
import re
from pathlib import Path

import pytest

import lead_quality
from lead_quality import hooks

PACKAGE = Path(lead_quality.__file__).parent
# from left to right; what stands beside each other may not import each other, except through what is to the left
ROOMS = [
	"engine",
	"base",
	"people",
	"funnel",
	"qualification",
	"nurture",
	"handover",
	"follow_up",
	"desk",
	"api",
	"overrides",
]
# what belongs to no room: the list of fields, and who may see which lead, on which `base` builds its queries
SHARED = {"custom_fields", "permissions"}


def room_of(path: Path) -> str:
	return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if room_of(path) in ROOMS)


def imported_rooms(path: Path) -> set[str]:
	return {name.split(".")[1] for name in imported_names(path) if name.startswith("lead_quality.")}


def imported_names(path: Path) -> set[str]:
	found = set()
	for node in ast.walk(ast.parse(path.read_text())):
		names = []
		if isinstance(node, ast.Import):
			names = [alias.name for alias in node.names]
		elif isinstance(node, ast.ImportFrom) and node.module == "lead_quality":
			names = [f"lead_quality.{alias.name}" for alias in node.names]
		elif isinstance(node, ast.ImportFrom):
			names = [node.module or ""]
		found |= set(names)
	return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_stands_to_its_left(path):
	room = room_of(path)
	allowed = {room, *ROOMS[: ROOMS.index(room)], *SHARED}

	assert imported_rooms(path) - {"lead_quality"} <= allowed


AUDIT = sorted((PACKAGE / "audit").glob("*.py"))


@pytest.mark.parametrize("path", AUDIT, ids=lambda path: path.name)
def test_the_audit_imports_the_engine_only_and_no_frappe(path):
	roots = {name.split(".")[0] for name in imported_names(path)}

	assert imported_rooms(path) <= {"audit", "engine"}
	assert not roots & {"frappe", "erpnext"}


def test_nothing_but_the_audit_imports_it():
	importing = {room_of(path) for path in PACKAGE.rglob("*.py") if "audit" in imported_rooms(path)}

	assert importing == {"audit"}


def test_every_module_at_the_root_belongs_there():
	named = {"hooks", "api", "install", "uninstall", "custom_fields", "seed", "permissions", "__init__"}

	assert {path.stem for path in PACKAGE.glob("*.py")} == named


def test_every_file_of_a_room_is_named_in_the_architecture():
	page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
	by_file = page[page.index("## The rooms, file by file") : page.index("## How it works")]
	parts = {part.split("/")[0]: part for part in by_file.split("\n**")[1:]}
	rooms = {room for room in ROOMS if (PACKAGE / room).is_dir()} | {"demo", "audit"}
	missing = [
		f"{room}/{path.name}"
		for room in sorted(rooms)
		for path in sorted((PACKAGE / room).glob("*.py"))
		if path.stem != "__init__" and f"`{path.name}`" not in parts[room]
	]
	gone = [
		f"{room}/{name}"
		for room in sorted(rooms)
		for name in re.findall(r"`(\w+\.py)`", parts[room])
		if not (PACKAGE / room / name).exists()
	]

	assert not missing + gone


def scheduled() -> list[str]:
	groups = []
	for events in hooks.scheduler_events.values():
		groups += events.values() if isinstance(events, dict) else [events]
	return [method for group in groups for method in group]


def test_the_architecture_names_no_job_that_does_not_run():
	page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
	named = re.findall(r"^\| `([\w.]+)` \| (?:every|hourly|daily|after)", page, re.MULTILINE)
	assert named
	assert not [job for job in named if f"lead_quality.{job}" not in scheduled()]


@pytest.mark.parametrize("method", scheduled())
def test_every_scheduled_job_has_words_on_the_health_page_and_in_the_architecture(method):
	page = (PACKAGE.parent / "docs" / "architecture.md").read_text()

	assert f'"{method}": _(' in (PACKAGE / "desk" / "scheduled_jobs.py").read_text()
	assert f"| `{method.removeprefix('lead_quality.')}` |" in page
