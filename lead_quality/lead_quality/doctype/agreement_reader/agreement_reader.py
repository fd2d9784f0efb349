from lead_quality.base.child_rows import ChildRow


class AgreementReader(ChildRow):
	pass
