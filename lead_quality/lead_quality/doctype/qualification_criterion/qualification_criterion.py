from frappe.model.document import Document


class QualificationCriterion(Document):
	pass
