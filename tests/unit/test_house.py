"""Rooms import one way, so that each can be read without those to its right."""

import ast
from pathlib import Path

import pytest

import lead_quality

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
	found = set()
	for node in ast.walk(ast.parse(path.read_text())):
		names = []
		if isinstance(node, ast.Import):
			names = [alias.name for alias in node.names]
		elif isinstance(node, ast.ImportFrom) and node.module == "lead_quality":
			names = [f"lead_quality.{alias.name}" for alias in node.names]
		elif isinstance(node, ast.ImportFrom):
			names = [node.module or ""]
		found |= {name.split(".")[1] for name in names if name.startswith("lead_quality.")}
	return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_stands_to_its_left(path):
	room = room_of(path)
	allowed = {room, *ROOMS[: ROOMS.index(room)], *SHARED}

	assert imported_rooms(path) - {"lead_quality"} <= allowed


def test_every_module_at_the_root_belongs_there():
	named = {"hooks", "api", "install", "uninstall", "custom_fields", "seed", "permissions", "__init__"}

	assert {path.stem for path in PACKAGE.glob("*.py")} == named
