"""Documents that are agreed upon and then kept: changing an active one makes a new version."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cast

from lead_quality.base.links import refuse_deletion_in_use


class VersionedDocument(Document):
	"""A document with `title`, `version`, `status` (Draft, Active, Superseded) and `supersedes`.

	Subclasses name the DocType and field that count as use (`used_in`), and the link on Lead Segment that
	moves on to a new active version (`segment_field`). Leads under way stay on the version they began with.
	"""

	used_in: tuple[str, str]
	segment_field: str

	def autoname(self):
		self.title = (self.title or "").strip()
		latest = frappe.db.get_value(self.doctype, {"title": self.title}, "version", order_by="version desc")
		self.version = (latest or 0) + 1
		self.name = f"{self.title} v{self.version}"

	def refuse_change_in_use(self, *fieldnames: str):
		"""Refuse to change what leads under way are held against, or what was agreed on."""
		before = self.get_doc_before_save()
		if (
			not before
			or all(content_of(self, f) == content_of(before, f) for f in fieldnames)
			or not self.is_used()
		):
			return
		frappe.throw(
			_(
				"{0} is in use, so it stays as it is. Choose New Version, change the copy and activate it."
			).format(frappe.bold(self.name)),
			title=_("In Use"),
		)

	def refuse_deletion(self, *uses: tuple[str, str]):
		"""Refuse to delete what is named by one of these DocTypes in that field."""
		refuse_deletion_in_use(
			self,
			uses,
			_(
				"Choose New Version and activate the copy: this one is superseded then, and stays as the record."
			),
		)

	def is_used(self) -> bool:
		doctype, fieldname = self.used_in
		return bool(frappe.db.exists(doctype, {fieldname: self.name}))

	def supersede_older(self) -> list[str]:
		"""Once active, take the place of the version before, also in the segments that use it.

		:returns: the names of the versions whose place it has taken just now.
		"""
		if self.status != "Active" or not self.has_value_changed("status"):
			return []
		names = frappe.get_all(
			self.doctype,
			{"title": self.title, "status": "Active", "name": ["!=", self.name]},
			pluck="name",
			order_by="version asc",
		)
		for older in names:
			frappe.db.set_value(self.doctype, older, "status", "Superseded")
			for segment in frappe.get_all(
				"Lead Segment", {self.segment_field: older}, pluck="name", order_by="name asc"
			):
				doc = frappe.get_doc("Lead Segment", segment)
				doc.set(self.segment_field, self.name)
				doc.save(ignore_permissions=True)
		return names

	@frappe.whitelist(methods=["POST"])
	def make_new_version(self) -> Document:
		"""A draft copy with the next version number."""
		self.check_permission("write")
		copy = frappe.copy_doc(self)
		copy.status = "Draft"
		copy.supersedes = self.name
		return copy.insert()


def content_of(doc: Document, fieldname: str):
	"""A field's value to compare: of a table, what its rows say, without their names and stamps."""
	value = doc.get(fieldname)
	if not isinstance(value, list):
		# a request may send a number as text
		return cast(doc.meta.get_field(fieldname).fieldtype, value) or None if value else None
	return [{field.fieldname: content_of(row, field.fieldname) for field in row.meta.fields} for row in value]
