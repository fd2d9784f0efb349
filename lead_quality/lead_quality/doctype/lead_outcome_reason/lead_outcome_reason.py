from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import refuse_deletion_in_use

USES = (
	("Lead Qualification", "outcome_reason"),
	("Lead Qualification", "verdict_reason"),
	("Lead Handover", "reason"),
	("Gate Override", "reason"),
	("Qualification Rule", "outcome_reason"),
	("Agreement Reason", "reason"),
	("Nurture Enrollment", "snooze_reason"),
	("Follow Up Clock", "pause_reason"),
	("Follow Up Escalation", "outcome_reason"),
	("Lead Segment", "expiry_reason"),
)


class LeadOutcomeReason(OwnDocument):
	def on_trash(self):
		refuse_deletion_in_use(self, USES, _("Clear Enabled instead: nobody can choose it from then on."))
