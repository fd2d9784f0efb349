import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.notices import is_reachable
from lead_quality.base.periods import check_order, refuse_overlap
from lead_quality.base.protected import restore_protected_fields
from lead_quality.base.texts import bold
from lead_quality.funnel import origins

# what a target says: once that has changed, whoever owns the step is told anew
SAYS = (
	"step",
	"rate",
	"within_days",
	"minimum_leads",
	"source",
	"segment",
	"company",
	"from_date",
	"to_date",
	"owner_user",
)


class FunnelTarget(OwnDocument):
	"""What share of the leads is to reach a step of the funnel; see `funnel.targets`."""

	def validate(self):
		restore_protected_fields(self, "below_since")
		self.check_rate()
		self.check_owner()
		origins.check(self, "source")
		check_order(self)
		refuse_overlap(self, ("step", "source", "segment", "company"))
		if any(self.has_value_changed(field) for field in SAYS):
			self.below_since = None

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
