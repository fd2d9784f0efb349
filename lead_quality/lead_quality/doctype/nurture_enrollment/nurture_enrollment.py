import frappe
from frappe import _

from lead_quality.base.links import OutlivesLinks
from lead_quality.base.protected import restore_protected_fields
from lead_quality.follow_up import reactions
from lead_quality.funnel.conditions import OPEN_ENROLLMENTS
from lead_quality.funnel.lead_lock import LeadFirst
from lead_quality.nurture import planning, service
from lead_quality.nurture.channels import closed_to_plan


class NurtureEnrollment(OutlivesLinks, LeadFirst):
	def before_insert(self):
		service.check_can_enroll(self)

	def validate(self):
		if not self.is_new():
			restore_protected_fields(self, *(field.fieldname for field in self.meta.fields))

	def after_insert(self):
		planning.plan_first_touch(self, closed_to_plan(self.lead))
		reactions.enrollment_started(self)

	def on_update(self):
		reactions.enrollment_changed(self)

	def on_trash(self):
		if self.status in OPEN_ENROLLMENTS and frappe.db.exists("Lead", self.lead):
			frappe.throw(
				_(
					"{0} is on this cadence, and a touch is planned. Choose Stop the cadence on the lead first."
				).format(frappe.bold(frappe.utils.escape_html(self.lead_name or self.lead)))
			)
