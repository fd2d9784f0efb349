from lead_quality.base.documents import OwnDocument


class LeadQualitySettings(OwnDocument):
	pass
