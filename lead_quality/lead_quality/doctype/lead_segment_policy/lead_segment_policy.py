from frappe.model.document import Document


class LeadSegmentPolicy(Document):
	pass
