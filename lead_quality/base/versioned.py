"""Versioned documents: an active one is not changed, but replaced by a new version."""

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

	Subclasses name the DocType and field that count as use (`used_in`), and the link on Lead Segment that
	moves on to a new active version (`segment_field`). Leads under way stay on the version they began with: those
	whose record of use has one of the values in `under_way`, a field and its values.

	Subclasses say in `content_in_words` what they hold, a sentence for each part by the part's key, and in
	`warnings_in_words` what looks like a mistake.
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
				"{0} is in use and cannot be changed. Choose New Version, change the copy and activate it."
			).format(frappe.bold(self.name)),
			title=_("In Use"),
		)

	def refuse_deletion(self, *uses: tuple[str, str]):
		"""Refuse to delete what is named by one of these DocTypes in that field."""
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
	def preview_activation(self) -> dict:
		"""What happens when this version, as it is stored, is put in force.

		:returns: the version in force now that it `replaces`, if there is one; the names of the `segments` that use it
		    from then on; how many `leads` under way, as far as the user may see them, keep the present version; as sentences the `changes` against it,
		    or all that it says, and `warnings` of what looks like a mistake.
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
		"""Put this version, as it is stored, in force; that may also be one that was superseded."""
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
	"""Refuse to choose a version that is not active, in a link of a document that is being saved."""
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
	"""A field's value to compare: of a table, what its rows say, without their names and stamps."""
	value = doc.get(fieldname)
	if not isinstance(value, list):
		# a request may send a number as text
		return cast(doc.meta.get_field(fieldname).fieldtype, value) or None if value else None
	return [{field.fieldname: content_of(row, field.fieldname) for field in row.meta.fields} for row in value]


def changes_in_words(before: dict[str, str], after: dict[str, str]) -> list[str]:
	"""How the sentences of one version, by the key of what they are about, differ from those of another.

	The order is that of `after`, with what is gone at the end. Where there is no `before`, everything is told.
	"""
	if not before:
		return list(after.values())
	found = []
	for key, sentence in after.items():
		if key not in before:
			found.append(_("New: {0}").format(sentence))
		elif sentence != before[key]:
			found.append(_("Changed: {0} (before: {1})").format(sentence, before[key]))
	found += [_("No longer there: {0}").format(before[key]) for key in before if key not in after]
	if not found and list(before) != list(after):
		found.append(_("The order has changed."))
	return found
