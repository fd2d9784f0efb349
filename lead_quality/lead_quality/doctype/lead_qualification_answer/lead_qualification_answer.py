from frappe.model.document import Document


class LeadQualificationAnswer(Document):
	def __setup__(self):
		# Frappe gives a row without currency the site's default one at every save; that would be another answer
		self.dont_update_if_missing.append("currency")
