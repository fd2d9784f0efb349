from frappe.model.document import Document

from lead_quality.nurture import service


class NurtureEnrollment(Document):
	def before_insert(self):
		service.check_can_enroll(self)

	def after_insert(self):
		service.plan_first_touch(self)
