import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.periods import check_order, refuse_overlap
from lead_quality.funnel import origins


class MarketingSpend(OwnDocument):
	def validate(self):
		self.check_source_or_campaign()
		self.check_amount()
		check_order(self)
		refuse_overlap(self, ("source", "campaign", "company"))

	def check_source_or_campaign(self):
		origins.check(self, "source", "campaign")
		if not self.source and not self.campaign:
			frappe.throw(
				_("Choose the source or the campaign that the money was spent on."), frappe.MandatoryError
			)

	def check_amount(self):
		if not self.amount or self.amount <= 0:
			frappe.throw(_("Enter what was spent: an amount above 0."))

	def before_validate(self):
		super().before_validate()
		if not self.currency and self.company:
			self.currency = frappe.get_cached_value("Company", self.company, "default_currency")


def on_doctype_update():
	frappe.db.add_index("Marketing Spend", ["company", "from_date"])
