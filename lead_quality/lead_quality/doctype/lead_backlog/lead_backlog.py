from frappe.model.document import Document


class LeadBacklog(Document):
	"""A lead that waits, or has waited, for a decision. Written by `follow_up.backlog`, and by nobody else."""
