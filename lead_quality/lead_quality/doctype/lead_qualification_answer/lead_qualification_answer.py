from frappe.model.document import Document


class LeadQualificationAnswer(Document):
	pass
