import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.notices import is_reachable
from lead_quality.base.periods import check_order, refuse_overlap
from lead_quality.base.texts import bold
from lead_quality.funnel import origins


class FunnelTarget(OwnDocument):
	def validate(self):
		self.check_rate()
		self.check_owner()
		origins.check(self, "source")
		check_order(self)
		refuse_overlap(self, ("step", "source", "segment", "company"))

	def check_rate(self):
		if not 0 < (self.rate or 0) <= 100:
			frappe.throw(_("Enter a rate above 0 and up to 100 percent."))

	def check_owner(self):
		if self.owner_user and self.has_value_changed("owner_user") and not is_reachable(self.owner_user):
			frappe.throw(
				_("{0} cannot own a step: the user is disabled, or is not a person.").format(
					bold(self.owner_user)
				)
			)
