from frappe.model.document import Document


class LeadTransferReceiver(Document):
	"""How many leads of a Lead Transfer one user has got, or nobody."""
