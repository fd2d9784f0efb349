from frappe.model.document import Document


class LeadSegmentRule(Document):
	pass
