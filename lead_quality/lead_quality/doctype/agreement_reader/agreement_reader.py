from frappe.model.document import Document


class AgreementReader(Document):
	pass
