from frappe.model.document import Document


class AgreementReason(Document):
	pass
