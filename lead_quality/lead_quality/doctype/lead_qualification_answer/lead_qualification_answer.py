from lead_quality.base.child_rows import ChildRow
from lead_quality.base.links import OutlivesLinks
from lead_quality.permissions import may_read_confidential_answers


class LeadQualificationAnswer(OutlivesLinks, ChildRow):
	def __setup__(self):
		# Frappe sets the default currency in a new row, but most answers are not amounts
		self.dont_update_if_missing.append("currency")

	def is_shown_to(self, user: str) -> bool:
		is_confidential = self.confidential_value or self.confidential_note
		return not is_confidential or may_read_confidential_answers(user)
