"""No query of the app has a clause over a list that may be empty: `base.query` knows what an empty list means."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lead_quality

PACKAGE = Path(lead_quality.__file__).parent
HELPER = PACKAGE / "base" / "query.py"
IN_LIST = re.compile(r"\bin\s+%(\(\w+\))?s", re.IGNORECASE)
RAW = {"sql", "sql_list", "multisql"}
# what the audit command does without Frappe, and the demo with its own data
SOURCES = sorted(
	path
	for path in PACKAGE.rglob("*.py")
	if path != HELPER and not {"demo", "audit"} & set(path.relative_to(PACKAGE).parts)
)


def text_of(node: ast.AST) -> str:
	return "".join(
		part.value
		for part in ast.walk(node)
		if isinstance(part, ast.Constant) and isinstance(part.value, str)
	)


def raw_queries(tree: ast.AST) -> Iterator[tuple[int, str]]:
	"""Line and text of the queries that are given to the database past `base.query`."""
	for node in ast.walk(tree):
		if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
			continue
		if node.func.attr in RAW and ast.unparse(node.func.value).endswith("db"):
			yield node.lineno, text_of(node.args[0])


def may_be_empty(node: ast.AST) -> bool:
	"""Whether a filter's list is neither written out nor a constant of a module."""
	if isinstance(node, ast.List | ast.Tuple):
		return not any(isinstance(item, ast.Constant) for item in node.elts)
	if isinstance(node, ast.BoolOp) and isinstance(node.values[-1], ast.Constant):
		return not node.values[-1].value
	if isinstance(node, ast.Call) and ast.unparse(node.func) in {"list", "tuple"} and node.args:
		return may_be_empty(node.args[0])
	name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
	return not name.isupper()


def filters_by_list(tree: ast.AST) -> Iterator[tuple[int, str]]:
	"""Line and text of `["in", …]` and `["not in", …]` whose list may be empty."""
	for node in ast.walk(tree):
		if not (isinstance(node, ast.List | ast.Tuple) and len(node.elts) in (2, 3)):
			continue
		operator, values = node.elts[-2:]
		if isinstance(operator, ast.Constant) and operator.value in ("in", "not in") and may_be_empty(values):
			yield node.lineno, ast.unparse(node)


def stand_ins(tree: ast.AST) -> Iterator[tuple[int, str]]:
	"""Line and text of `names or [""]`: what has no name is found by it. The first of such a list is asked for nothing."""
	firsts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
	for node in ast.walk(tree):
		if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and node not in firsts:
			last = node.values[-1]
			items = last.elts if isinstance(last, ast.List | ast.Tuple) else []
			if [item.value for item in items if isinstance(item, ast.Constant)] == [""]:
				yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_list_is_filled_with_an_empty_name(path):
	assert not list(stand_ins(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_query_binds_a_list_that_may_be_empty(path):
	tree = ast.parse(path.read_text())
	found = [f"{line}: {text}" for line, text in raw_queries(tree) if IN_LIST.search(text)]
	found += [f"{line}: {text}" for line, text in filters_by_list(tree)]
	assert not found, "use base.query.run and base.query.among"


@pytest.mark.parametrize(
	("source", "is_found"),
	[
		("frappe.db.sql('select 1 from t where a in %s', (x,))", True),
		("frappe.db.sql(f'select {x} from t where a not in %(names)s', y)", True),
		("frappe.db.sql_list('''select 1 from t\n where a\n in %(n)s''', y)", True),
		("frappe.db.sql('select 1 from t where a = %s', x)", False),
		("query.run('select 1 from t where a in %s', (x,))", False),
		("frappe.get_all('X', {'a': ['in', names]})", True),
		("frappe.get_all('X', {'a': ('not in', names or [''])})", True),
		("frappe.get_all('X', filters=[['a', 'in', names]])", True),
		("frappe.get_all('X', {'a': ['in', ['Active', 'Snoozed']]})", False),
		("frappe.get_all('X', {'a': ['in', OPEN]})", False),
		("frappe.get_all('X', {'a': ['in', list(OPEN)]})", False),
		("frappe.get_all('X', {'a': query.among(names)})", False),
		("route(name=['in', ','.join(names) or '-'])", False),
	],
)
def test_the_walk_finds_what_it_looks_for(source, is_found):
	tree = ast.parse(source)
	found = any(IN_LIST.search(text) for _line, text in raw_queries(tree)) or any(filters_by_list(tree))
	assert found == is_found
