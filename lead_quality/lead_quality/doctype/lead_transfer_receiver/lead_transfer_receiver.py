from lead_quality.base.child_rows import ChildRow


class LeadTransferReceiver(ChildRow):
	"""How many leads of a Lead Transfer one user (or nobody) received."""
