import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.notices import is_reachable
from lead_quality.base.protected import restore_protected_fields
from lead_quality.handover import transfer

# option of `give_to` to the field that it needs
NEEDS = {"User": "to_user", "Assignment Rule": "assignment_rule"}
CHOICE = {"from_user", "give_to", "to_user", "assignment_rule", "note"}


class LeadTransfer(OwnDocument):
	"""Transfers all open leads of one user to others, with the reason and the result."""

	def onload(self):
		users = {self.from_user, self.to_user, *(row.user for row in self.receivers)} - {None}
		self.set_onload("full_names", {user: frappe.utils.get_fullname(user) for user in users})

	def validate(self):
		self.restore_app_fields()
		if self.is_new():
			self.status, self.started_by = "Queued", frappe.session.user
			self.clear_unused_fields()
			self.check_choice()
			self.check_giver()

	def after_insert(self):
		transfer.enqueue(self.name)

	def restore_app_fields(self):
		"""Users choose once (`set_only_once`); all other fields are set by the app, although the form of a new document
		needs write permission."""
		restore_protected_fields(
			self, *(field.fieldname for field in self.meta.fields if field.fieldname not in CHOICE)
		)

	def clear_unused_fields(self):
		for give_to, fieldname in NEEDS.items():
			if self.give_to != give_to:
				self.set(fieldname, None)

	def check_choice(self):
		fieldname = NEEDS.get(self.give_to)
		if fieldname and not self.get(fieldname):
			frappe.throw(
				_("Choose who gets the leads: {0} is empty.").format(
					frappe.bold(_(self.meta.get_label(fieldname)))
				),
				frappe.MandatoryError,
			)
		if self.to_user:
			self.check_receiver()
		if self.assignment_rule:
			self.check_rule()

	def check_receiver(self):
		user = frappe.bold(self.to_user)
		if self.to_user == self.from_user:
			frappe.throw(_("{0} already owns these leads: choose another user.").format(user))
		if not is_reachable(self.to_user):
			frappe.throw(_("{0} is disabled, or is not a person: choose another user.").format(user))
		if not frappe.has_permission("Lead", "write", user=self.to_user):
			frappe.throw(
				_("{0} may not work on leads: give the user the role Sales User, or choose another.").format(
					user
				)
			)

	def check_rule(self):
		rule = frappe.db.get_value(
			"Assignment Rule", self.assignment_rule, ["document_type", "disabled"], as_dict=True
		)
		if rule and (rule.document_type != "Lead" or rule.disabled):
			frappe.throw(
				_("The Assignment Rule {0} is disabled, or is not for leads: choose another.").format(
					frappe.bold(self.assignment_rule)
				)
			)

	def check_giver(self):
		if self.from_user and not any(transfer.count(self.from_user, not self.is_automatic).values()):
			frappe.throw(
				_("{0} has no lead in work that you may see, and no handover to answer.").format(
					frappe.bold(self.from_user)
				)
			)
