from frappe.model.document import Document


class LeadQualificationAnswer(Document):
	def __setup__(self):
		# Frappe gives a new row the site's default currency, though most answers are no amounts of money
		self.dont_update_if_missing.append("currency")
