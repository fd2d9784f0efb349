"""Every DocType of the app stands on the base classes that guard it. Read from the files: no site is needed."""

import ast
import json
from pathlib import Path

import pytest

import lead_quality
from lead_quality import hooks

DOCTYPES = sorted((Path(lead_quality.__file__).parent / "lead_quality" / "doctype").glob("*/*.json"))
BASES = {True: {"ChildRow"}, False: {"OwnDocument", "VersionedDocument", "LeadFirst"}}


def definition(path: Path) -> dict:
	return json.loads(path.read_text())


def controller(path: Path) -> ast.ClassDef:
	classes = [
		node for node in ast.parse(path.with_suffix(".py").read_text()).body if isinstance(node, ast.ClassDef)
	]
	name = definition(path)["name"].replace(" ", "")
	return next(node for node in classes if node.name == name)


@pytest.mark.parametrize("path", DOCTYPES, ids=lambda path: path.stem)
def test_a_doctype_is_guarded_by_its_base_class(path):
	bases = {base.id for base in controller(path).bases if isinstance(base, ast.Name)}
	assert bases & BASES[bool(definition(path).get("istable"))]


@pytest.mark.parametrize("path", DOCTYPES, ids=lambda path: path.stem)
def test_what_a_base_class_does_is_not_left_out(path):
	"""A controller that has the method too calls that of its base."""
	for method in controller(path).body:
		if isinstance(method, ast.FunctionDef) and method.name in {
			"before_validate",
			"update",
			"set",
			"has_permission",
			"on_trash" if definition(path).get("istable") else "",
		}:
			assert "super()" in ast.unparse(method), method.name


@pytest.mark.parametrize(
	"path", [path for path in DOCTYPES if definition(path).get("istable")], ids=lambda path: path.stem
)
def test_the_rows_of_a_table_are_listed_with_their_parents(path):
	assert definition(path)["name"] in hooks.permission_query_conditions


# what every DocType has, besides its own fields
STANDARD = {"name", "owner", "creation", "modified", "idx"}


@pytest.mark.parametrize("path", DOCTYPES, ids=lambda path: path.stem)
def test_a_list_is_sorted_searched_and_titled_by_fields_that_there_are(path):
	told = definition(path)
	used = [told.get("sort_field"), told.get("title_field"), *(told.get("search_fields") or "").split(",")]
	missing = {field.strip() for field in used if field} - STANDARD
	assert not missing - {field["fieldname"] for field in told["fields"]}
