from frappe.model.document import Document


class LeadOutcomeReason(Document):
	pass
