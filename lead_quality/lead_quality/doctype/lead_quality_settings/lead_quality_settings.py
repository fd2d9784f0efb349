from frappe.model.document import Document


class LeadQualitySettings(Document):
	pass
