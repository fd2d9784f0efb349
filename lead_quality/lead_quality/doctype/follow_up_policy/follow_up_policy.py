import frappe
from frappe import _
from frappe.model.document import Document


class FollowUpPolicy(Document):
	def validate(self):
		seen = set()
		for row in self.targets:
			if row.clock in seen:
				frappe.throw(
					_("Row {0}: the clock {1} is there twice.").format(row.idx, frappe.bold(_(row.clock)))
				)
			if not row.within or row.within <= 0:
				frappe.throw(_("Row {0}: say within how long.").format(row.idx))
			seen.add(row.clock)
