"""Findings of the health page: how severe, what to do, and a link to where it is fixed."""

from collections.abc import Iterable, Iterator, Sequence

import frappe
from frappe import _

from lead_quality.base.routes import form_route, list_route

# something does not work, somebody is not told, it could be better
RED, ORANGE, BLUE = SEVERITIES = ("red", "orange", "blue")

MOST_NAMES = 5


def finding(
	severity: str,
	title: str,
	words: str,
	doctype: str | None = None,
	name: str | None = None,
	**filters: object,
) -> dict:
	"""One thing that is wrong.

	:param severity: one of `SEVERITIES`.
	:param words: what to do about it.
	:param doctype: what a link opens, if the user may read it: the form of `name`, else the list with `filters`.
	:returns: `severity`, `title`, `words`, and `link` with `label` and `route`, or None.
	"""
	link = None
	if doctype and frappe.has_permission(doctype, "read"):
		if name or frappe.get_meta(doctype).issingle:
			link = {"label": _(doctype), "route": form_route(doctype, name)}
		else:
			link = {"label": _("{0} List").format(_(doctype)), "route": list_route(doctype, **filters)}
	return {"severity": severity, "title": title, "words": words, "link": link}


def counted(
	severity: str, title: str, count: int, words: str, doctype: str, **filters: object
) -> Iterator[dict]:
	"""A finding on some records, if there are any; its link opens their list.

	:param title: with a place for the count; the other parameters are those of `finding`.
	"""
	if count:
		yield finding(severity, title.format(count), words, doctype, None, **filters)


def about(severity: str, title: str, names: Sequence[str], words: str, doctype: str) -> Iterator[dict]:
	"""A finding on some records, if there are any; its link opens the first of them.

	:param words: with a place for their names; the other parameters are those of `finding`.
	"""
	if names:
		yield finding(severity, title, words.format(named(names)), doctype, names[0])


def named(names: Iterable[str]) -> str:
	"""The first names of several, in words."""
	names = list(names)
	shown, more = ", ".join(names[:MOST_NAMES]), len(names) - MOST_NAMES
	return _("{0} and {1} more").format(shown, more) if more > 0 else shown
