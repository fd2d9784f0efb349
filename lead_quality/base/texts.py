"""User input as text, escaped exactly once in HTML."""

import html

import frappe
from frappe.utils import escape_html, get_link_to_form


def as_typed(text) -> str:
	"""A text as typed, for text fields and scripts that escape it themselves.

	Frappe stores `Max <max@example.com> & Co` with entities, because it takes the address for a tag.
	"""
	return html.unescape(str(text if text is not None else ""))


def as_html(text) -> str:
	"""A name, title or answer as HTML.

	Frappe escapes text that looks like HTML before storing it, so escaped text is not escaped again.
	"""
	return escape_html(as_typed(text))


def bold(text) -> str:
	return frappe.bold(as_html(text))


def link_to(doctype: str, name: str, title: str | None = None) -> str:
	"""A link to a document's form with its title."""
	return get_link_to_form(doctype, name, as_html(title or name))
