"""The engine decides without a site: it imports no Frappe, and never asks what time it is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lead_quality

ENGINE = Path(lead_quality.__file__).parent / "engine"
MODULES = sorted(ENGINE.glob("*.py"))

IMPORT_WITHOUT_FRAPPE = """
import importlib, sys
for name in ("frappe", "erpnext"):
	sys.modules[name] = None  # an import of it raises ImportError
for module in sys.argv[1:]:
	importlib.import_module(module)
"""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_names_no_frappe_and_no_other_room(path):
	allowed = {"lead_quality.engine"}
	for name in imported_modules(path):
		assert name.split(".")[0] not in {"frappe", "erpnext"}, f"{path.name} imports {name}"
		if name.split(".")[0] == "lead_quality":
			assert ".".join(name.split(".")[:2]) in allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_never_reads_the_clock(path):
	clocks = {"now", "utcnow", "today", "time_ns", "monotonic", "now_datetime", "nowdate"}
	for node in ast.walk(ast.parse(path.read_text())):
		if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
			assert node.func.attr not in clocks, f"{path.name}:{node.lineno} calls {ast.unparse(node.func)}()"


def test_engine_is_imported_where_there_is_no_frappe():
	modules = [f"lead_quality.engine.{path.stem}" for path in MODULES if path.stem != "__init__"]
	subprocess.run(
		[sys.executable, "-c", IMPORT_WITHOUT_FRAPPE, *modules], check=True, cwd=ENGINE.parent.parent
	)


def imported_modules(path: Path) -> set[str]:
	names = set()
	for node in ast.walk(ast.parse(path.read_text())):
		if isinstance(node, ast.Import):
			names.update(alias.name for alias in node.names)
		elif isinstance(node, ast.ImportFrom):
			assert node.level == 0, f"{path.name}:{node.lineno} imports relatively"
			names.update(f"{node.module}.{alias.name}" for alias in node.names)
	return names
