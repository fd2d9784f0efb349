from frappe.model.document import Document


class QualificationCriterion(Document):
	def __setup__(self):
		# Frappe gives a new row the site's default currency, which would make an amount of money of every number
		self.dont_update_if_missing.append("currency")
