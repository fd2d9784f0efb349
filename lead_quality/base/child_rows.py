"""Child rows of this app: saved, deleted and read only with their parent."""

import frappe
from frappe import _
from frappe.utils import get_link_to_form

from lead_quality.base.documents import OwnDocument


class ChildRow(OwnDocument):
	"""A row of a table. The parent's validation needs all of its rows, so a row cannot be saved or deleted alone, as
	Frappe's REST API would allow. Frappe checks permissions of a row on the DocType of its parent only; this class
	checks the parent document."""

	def insert(self, *args, **kwargs):
		self.refuse_alone()

	def _save(self, *args, **kwargs):
		self.refuse_alone()

	def on_trash(self):
		self.refuse_alone()

	def refuse_alone(self):
		"""
		:raises frappe.PermissionError: always, naming the parent to who may read it.
		"""
		if self.get("parent") and OwnDocument.has_permission(self) and self.may_parent("read"):
			place = get_link_to_form(self.parenttype, self.parent)
			frappe.throw(
				_("This row belongs to {0}. Change it there and save that document.").format(place),
				frappe.PermissionError,
			)
		frappe.throw(_("A row can only be saved and deleted with its document."), frappe.PermissionError)

	def has_permission(self, permtype="read", *, debug=False, user=None) -> bool:
		if self.flags.ignore_permissions:
			return True
		return (
			super().has_permission(permtype, debug=debug, user=user)
			and self.may_parent(permtype, user)
			and self.is_shown_to(user or frappe.session.user)
		)

	def may_parent(self, permtype: str, user: str | None = None) -> bool:
		"""Whether a user has a permission on the parent document."""
		parent = self.get("parent_doc") or (
			frappe.db.exists(self.parenttype, self.parent) and frappe.get_doc(self.parenttype, self.parent)
		)
		return bool(parent) and bool(frappe.has_permission(self.parenttype, permtype, doc=parent, user=user))

	def is_shown_to(self, user: str) -> bool:
		"""Whether a user who may read the parent may see this row."""
		return True
