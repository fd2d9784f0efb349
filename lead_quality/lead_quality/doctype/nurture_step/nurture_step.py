from frappe.model.document import Document


class NurtureStep(Document):
	pass
