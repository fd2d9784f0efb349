from lead_quality.base.documents import OwnDocument


class FollowUpAbsenceLog(OwnDocument):
	"""What a Follow Up Absence said before it was changed or deleted. Written by `people.absence`, and by nobody
	else."""
