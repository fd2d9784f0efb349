from frappe.model.document import Document


class FollowUpAbsenceLog(Document):
	"""What a Follow Up Absence said before it was changed or deleted. Written by `people.absence`, and by nobody else."""
