from lead_quality.base.child_rows import ChildRow


class LeadSegmentRule(ChildRow):
	pass
