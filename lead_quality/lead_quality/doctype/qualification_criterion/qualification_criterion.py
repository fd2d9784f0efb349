from lead_quality.base.child_rows import ChildRow


class QualificationCriterion(ChildRow):
	pass
