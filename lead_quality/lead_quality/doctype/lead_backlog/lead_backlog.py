from lead_quality.base.documents import OwnDocument


class LeadBacklog(OwnDocument):
	"""A lead that waits, or has waited, for a decision. Written by `follow_up.backlog`, and by nobody else."""
