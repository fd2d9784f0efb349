from frappe.model.document import Document


class FollowUpEscalation(Document):
	pass
