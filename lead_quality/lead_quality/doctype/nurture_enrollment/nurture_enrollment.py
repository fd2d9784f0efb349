from frappe.model.document import Document

from lead_quality.nurture import service
from lead_quality.records import keep


class NurtureEnrollment(Document):
	def before_insert(self):
		service.check_can_enroll(self)

	def validate(self):
		if not self.is_new():
			keep(self, *(field.fieldname for field in self.meta.fields))

	def after_insert(self):
		service.plan_first_touch(self)
