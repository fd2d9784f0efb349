"""Records that stay while others name them."""

import frappe
from frappe import _


def refuse_deletion_in_use(doc, uses: tuple[tuple[str, str], ...], instead: str):
	"""Refuse to delete a document that others name.

	Frappe does so by itself only where the naming DocType is not among `ignore_links_on_delete`, as those are that go
	with their lead.

	:param uses: DocTypes and their fields that may name it.
	:param instead: a sentence that says what to do instead.
	:raises frappe.LinkExistsError: if one does.
	"""
	for doctype, fieldname in uses:
		row = frappe.get_meta(doctype).istable
		user = frappe.db.get_value(doctype, {fieldname: doc.name}, "parenttype" if row else "name")
		if user:
			frappe.throw(
				_("{0} is used by a {1}, so it stays. {2}").format(
					frappe.bold(doc.name), _(user if row else doctype), instead
				),
				frappe.LinkExistsError,
				title=_("In Use"),
			)
