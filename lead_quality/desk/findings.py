"""What is wrong with a site, in plain words: how bad it is, what to do, and where to mend it."""

from collections.abc import Iterable

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


def named(names: Iterable[str]) -> str:
	"""The first names of several, in words."""
	names = list(names)
	shown, more = ", ".join(names[:MOST_NAMES]), len(names) - MOST_NAMES
	return _("{0} and {1} more").format(shown, more) if more > 0 else shown
