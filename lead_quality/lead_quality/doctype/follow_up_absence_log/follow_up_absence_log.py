from lead_quality.base.documents import OwnDocument


class FollowUpAbsenceLog(OwnDocument):
	"""An earlier version of a Follow Up Absence that was changed or deleted. Written by `people.absence` only."""
