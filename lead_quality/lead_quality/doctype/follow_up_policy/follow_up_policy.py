import frappe
from frappe import _
from frappe.model.document import Document

from lead_quality.records import refuse_deletion_in_use


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

	def on_trash(self):
		refuse_deletion_in_use(
			self,
			(("Lead Segment", "follow_up_policy"), ("Follow Up Clock", "policy")),
			_("Choose another policy on the segments that use it: new leads then follow that one."),
		)
