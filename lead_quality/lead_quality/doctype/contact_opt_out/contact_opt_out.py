import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now_datetime

from lead_quality.follow_up import reactions
from lead_quality.nurture import service
from lead_quality.qualification import requalify


class ContactOptOut(Document):
	def validate(self):
		if not (self.email_id or self.phone):
			frappe.throw(_("Give the e-mail address or the phone number that is not to be used."))
		self.opted_out_at = self.opted_out_at or now_datetime()

	def after_insert(self):
		service.act_on_opt_out(self)
		if self.reason == "Bounced" and self.email_id:
			requalify.judge_unreachable(self.email_id)
		reactions.contact_refused(self)
