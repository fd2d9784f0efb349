from frappe.model.document import Document


class FollowUpTarget(Document):
	pass
