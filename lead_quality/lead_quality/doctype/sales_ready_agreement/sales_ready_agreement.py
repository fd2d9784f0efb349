from frappe.model.document import Document


class SalesReadyAgreement(Document):
	pass
