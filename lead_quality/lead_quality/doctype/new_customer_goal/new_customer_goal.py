import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.notices import is_reachable
from lead_quality.base.periods import check_order, refuse_overlap
from lead_quality.base.texts import bold


class NewCustomerGoal(OwnDocument):
	def validate(self):
		if (self.new_customers or 0) <= 0:
			frappe.throw(_("Enter the number of new customers: 1 or more."))
		if self.has_value_changed("user") and not is_reachable(self.user):
			frappe.throw(
				_("{0} cannot have a goal: the user is disabled, or is not a person.").format(bold(self.user))
			)
		check_order(self)
		refuse_overlap(self, ("user",))
