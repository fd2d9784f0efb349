from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import OutlivesLinks


class LeadBacklog(OutlivesLinks, OwnDocument):
	"""A lead that waits or has waited for a decision. Written by `follow_up.backlog` only."""
