from lead_quality.base.child_rows import ChildRow


class AgreementReason(ChildRow):
	pass
