"""User input: it stays text; in HTML it is escaped exactly once."""

import html

import frappe
from frappe.utils import escape_html, get_link_to_form


def as_typed(text) -> str:
	"""A text as it was typed, for a text box or a script that escapes it by itself.

	Frappe stores `Max <max@example.com> & Co` with entities, as it takes the address for a tag.
	"""
	return html.unescape(str(text if text is not None else ""))


def as_html(text) -> str:
	"""A name, title or answer as HTML shows it.

	Frappe escapes what looks like HTML before it stores it, so what is escaped already is not escaped again.
	"""
	return escape_html(as_typed(text))


def bold(text) -> str:
	return frappe.bold(as_html(text))


def link_to(doctype: str, name: str, title: str | None = None) -> str:
	"""A link to a document's form that says its title."""
	return get_link_to_form(doctype, name, as_html(title or name))
