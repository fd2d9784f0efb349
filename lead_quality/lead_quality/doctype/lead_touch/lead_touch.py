import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now_datetime

from lead_quality.nurture import service


class LeadTouch(Document):
	def validate(self):
		self.refuse_change_when_closed()
		self.stamp_when_done()
		self.check_outcome()

	def on_update(self):
		if self.has_value_changed("outcome"):
			service.record_conversation(self)
		if self.has_value_changed("status") and self.status in {"Done", "Skipped", "Missed"}:
			service.advance(self)

	def refuse_change_when_closed(self):
		before = self.get_doc_before_save()
		if before and before.status not in {"Planned", self.status}:
			frappe.throw(
				_("This touch is {0} already. Log another one instead of changing it.").format(
					_(before.status)
				)
			)

	def stamp_when_done(self):
		if self.status == "Done":
			self.done_at = self.done_at or now_datetime()
			self.done_by = self.done_by or frappe.session.user

	def check_outcome(self):
		if self.status != "Done":
			self.outcome = None
		elif self.channel == "Phone" and not self.outcome:
			frappe.throw(_("What came of the call? Choose an outcome."), frappe.MandatoryError)


def on_doctype_update():
	frappe.db.add_index("Lead Touch", ["lead", "status"])
	frappe.db.add_index("Lead Touch", ["status", "due_at"])
