from frappe.utils import now_datetime

from lead_quality.base.documents import OwnDocument
from lead_quality.follow_up import reactions
from lead_quality.funnel import lead_lock
from lead_quality.nurture import opt_out
from lead_quality.qualification import requalify


class ContactOptOut(OwnDocument):
	def validate(self):
		opt_out.check(self)
		if self.is_new():
			# lock all leads of the person at once, in a fixed order
			lead_lock.lock(self.lead, *opt_out.leads_of_opt_out(self))
		self.opted_out_at = self.opted_out_at or now_datetime()

	def after_insert(self):
		opt_out.act_on(self)
		if self.reason == "Bounced" and self.email_id:
			requalify.judge_unreachable(self.email_id)
		reactions.contact_refused(self)

	def after_delete(self):
		reactions.contact_allowed(self)
