from frappe.model.document import Document


class QualificationRule(Document):
	pass
