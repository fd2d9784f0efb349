"""Versioned documents: an active version is not changed, but replaced by a new one."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cast

from lead_quality.base import query
from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import refuse_deletion_in_use
from lead_quality.base.queries import Where


class VersionedDocument(OwnDocument):
	"""A document with `title`, `version`, `status` (Draft, Active, Superseded) and `supersedes`.

	Subclasses set the DocType and field that count as use (`used_in`), and the link on Lead Segment that moves on to a
	new active version (`segment_field`). Leads under way stay on their version: those whose record of use has one of
	the values in `under_way` (a field and its values).

	Subclasses return in `content_in_words` a sentence for each part of their content by its key, and in
	`warnings_in_words` probable mistakes.
	"""

	used_in: tuple[str, str]
	segment_field: str
	under_way: tuple[str, tuple[str, ...]]

	def content_in_words(self) -> dict[str, str]:
		raise NotImplementedError

	def warnings_in_words(self) -> list[str]:
		return []

	def autoname(self):
		self.title = (self.title or "").strip()
		latest = frappe.db.get_value(self.doctype, {"title": self.title}, "version", order_by="version desc")
		self.version = (latest or 0) + 1
		self.name = f"{self.title} v{self.version}"

	def refuse_change_in_use(self, *fieldnames: str):
		"""Refuse to change a version that leads use or that was agreed on."""
		before = self.get_doc_before_save()
		if (
			not before
			or all(content_of(self, f) == content_of(before, f) for f in fieldnames)
			or not self.is_used()
		):
			return
		frappe.throw(
			_(
				"{0} is in use and cannot be changed. Choose New Version, change the copy and activate it."
			).format(frappe.bold(self.name)),
			title=_("In Use"),
		)

	def refuse_deletion(self, *uses: tuple[str, str]):
		"""Refuse to delete a version that one of these DocTypes links to in the given field."""
		refuse_deletion_in_use(
			self,
			uses,
			_(
				"Choose New Version and activate the copy: this version is then superseded and kept as a record."
			),
		)

	def is_used(self) -> bool:
		doctype, fieldname = self.used_in
		return bool(frappe.db.exists(doctype, {fieldname: self.name}))

	def supersede_older(self) -> list[str]:
		"""Once active, supersede the previous version, also in the segments that use it.

		:returns: the names of the versions that were superseded just now.
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
	def preview_activation(self) -> dict:
		"""What activating this version, as stored, would do.

		:returns: the active version that it `replaces`, if any; the names of the `segments` that would use it; how many
		    `leads` under way (that the user may see) keep the present version; the `changes` as sentences, or the whole
		    content without a previous version; and `warnings` of probable mistakes.
		"""
		doc = frappe.get_doc(self.doctype, self.name)
		doc.check_permission("write")
		present = frappe.db.get_value(
			self.doctype,
			{"title": doc.title, "status": "Active", "name": ["!=", doc.name]},
			order_by="version desc",
		)
		segments = frappe.get_all(
			"Lead Segment",
			{self.segment_field: query.among([present or doc.name, doc.name])},
			pluck="name",
			order_by="priority asc, name asc",
		)
		used_in, fieldname = self.used_in
		state, open_states = self.under_way
		under_way = Where()
		under_way.visible(used_in)
		under_way.add(f"`tab{used_in}`.{fieldname} = %(present)s", present=present)
		under_way.among(f"`tab{used_in}`.{state}", open_states)
		before = frappe.get_doc(self.doctype, present).content_in_words() if present else {}
		return {
			"replaces": present,
			"segments": segments,
			"leads": under_way.count(used_in) if present else 0,
			"changes": changes_in_words(before, doc.content_in_words()),
			"warnings": doc.warnings_in_words(),
		}

	@frappe.whitelist(methods=["POST"])
	def activate(self):
		"""Activate this version, as stored; it may be a superseded one."""
		doc = frappe.get_doc(self.doctype, self.name, for_update=True)
		doc.check_permission("write")
		if doc.status != "Active":
			doc.status = "Active"
			doc.save()
		self.reload()

	@frappe.whitelist(methods=["POST"])
	def make_new_version(self) -> Document:
		"""A draft copy with the next version number."""
		self.check_permission("write")
		copy = frappe.copy_doc(self)
		copy.status = "Draft"
		copy.supersedes = self.name
		return copy.insert()


def check_active(doc: Document, fieldname: str):
	"""Refuse a link to a version that is not active."""
	name = doc.get(fieldname)
	if not name or not doc.has_value_changed(fieldname):
		return
	status = frappe.db.get_value(doc.meta.get_field(fieldname).options, name, "status")
	if status != "Active":
		frappe.throw(
			_("{0} is {1}: only an active one can be used. Activate it first.").format(
				frappe.bold(name), _(status)
			)
		)


def content_of(doc: Document, fieldname: str):
	"""A field's value for comparison: for a table, the content of its rows without names and timestamps."""
	value = doc.get(fieldname)
	if not isinstance(value, list):
		# requests may send numbers as text
		return cast(doc.meta.get_field(fieldname).fieldtype, value) or None if value else None
	return [{field.fieldname: content_of(row, field.fieldname) for field in row.meta.fields} for row in value]


def changes_in_words(before: dict[str, str], after: dict[str, str]) -> list[str]:
	"""The differences between the sentences of two versions, by their keys, as sentences.

	In the order of `after`, with removed parts at the end. Without `before`, all sentences are returned.
	"""
	if not before:
		return list(after.values())
	found = []
	for key, sentence in after.items():
		if key not in before:
			found.append(_("New: {0}").format(sentence))
		elif sentence != before[key]:
			found.append(_("Changed: {0} (before: {1})").format(sentence, before[key]))
	found += [_("Removed: {0}").format(before[key]) for key in before if key not in after]
	if not found and list(before) != list(after):
		found.append(_("The order has changed."))
	return found
