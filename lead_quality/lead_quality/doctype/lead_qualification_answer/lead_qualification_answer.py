from frappe.model.document import Document

from lead_quality.base.links import OutlivesLinks


class LeadQualificationAnswer(OutlivesLinks, Document):
	def __setup__(self):
		# Frappe gives a new row the site's default currency, though most answers are no amounts of money
		self.dont_update_if_missing.append("currency")
