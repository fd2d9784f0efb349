"""Queries over lists of values: an empty list is the empty set. `in` then matches nothing, `not in` everything.

The database driver would generate `in ()`, which MariaDB refuses; Frappe's filters generate `in ('')`, which matches empty
values. No query of the app binds a list directly: a test checks its SQL and its filters.
"""

import re
from collections.abc import Collection, Iterable, Mapping

import frappe

_PLACE = re.compile(r"%%|%\((\w+)\)s|%s")
_EMPTY_SET = "(select null from dual where 1 = 0)"
# a name that no document has
_NOBODY = "lead_quality: none"


def run(query: str, values: Mapping | Collection = (), **options) -> list:
	"""`frappe.db.sql` with lists among the values, which may be empty.

	:param values: by name or by position.
	:param options: those of `frappe.db.sql`, such as `as_dict` and `pluck`.
	"""
	names = iter(range(len(values)))
	given = dict(values) if isinstance(values, Mapping) else dict(enumerate(values))
	bound: dict[str, object] = {"bound": 1}  # never without values: %% is only read as % if there are some

	def place(match: re.Match) -> str:
		if match[0] == "%%":
			return match[0]
		name = match[1] or next(names)
		value = given[name]
		if is_list(value):
			if not value:
				return _EMPTY_SET
			value = tuple(value)
		bound[f"value_{name}"] = value
		return f"%(value_{name})s"

	text = _PLACE.sub(place, query)
	return frappe.db.sql(text, bound, **options)  # nosemgrep


def among(values: Iterable[str]) -> list:
	"""A filter for `frappe.get_all` and similar functions: one of these names. Without names, nothing matches."""
	return ["in", list(values) or [_NOBODY]]


def is_list(value) -> bool:
	return isinstance(value, Collection) and not isinstance(value, str | bytes)
