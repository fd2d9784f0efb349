"""Records that cannot be deleted while others link to them, and records that stay when their links are deleted."""

import frappe
from frappe import _

# the lead of rows that are kept for the totals of past months after the lead was deleted
DELETED = "deleted-"


def refuse_deletion_in_use(doc, uses: tuple[tuple[str, str], ...], instead: str):
	"""Refuse to delete a document that others link to.

	Frappe does so itself, except for DocTypes in `ignore_links_on_delete`, which includes those that are deleted with
	their lead.

	:param uses: DocTypes and their link fields.
	:param instead: a sentence that says what to do instead.
	:raises frappe.LinkExistsError: if one links to it.
	"""
	for doctype, fieldname in uses:
		meta = frappe.get_meta(doctype)
		row = meta.istable
		if meta.issingle:
			user = frappe.db.get_single_value(doctype, fieldname) == doc.name and doctype
		else:
			user = frappe.db.get_value(doctype, {fieldname: doc.name}, "parenttype" if row else "name")
		if user:
			frappe.throw(
				_("{0} is used by a {1}, so it cannot be deleted. {2}").format(
					frappe.bold(doc.name), _(user if row else doctype), instead
				),
				frappe.LinkExistsError,
				title=_("In Use"),
			)


class OutlivesLinks:
	"""A document that stays when a linked document is deleted (see `ignore_links_on_delete`) and can still be saved with
	the links that it already had. List it before Document in the bases."""

	def get_invalid_links(self, is_submittable: bool = False) -> tuple[list, list]:
		invalid, cancelled = super().get_invalid_links(is_submittable)  # type: ignore[misc]
		known = [link for link in invalid if self._names_already(*link[:2])]
		for fieldname, name, *_words in known:
			self.set(fieldname, name)  # type: ignore[attr-defined]  # Frappe has emptied it
		return [link for link in invalid if link not in known], cancelled

	def _names_already(self, fieldname: str, name: str) -> bool:
		return frappe.db.get_value(self.doctype, self.name, fieldname) == name  # type: ignore[attr-defined]
