import frappe
from frappe import _
from frappe.utils import now_datetime

from lead_quality.base.links import OutlivesLinks
from lead_quality.funnel.lead_lock import LeadFirst
from lead_quality.qualification import service


class GateOverride(OutlivesLinks, LeadFirst):
	"""Leave for one Opportunity from a lead that is not sales ready: who gave it, why, and what was missing."""

	def before_insert(self):
		if not service.is_reason_for(self.reason, "Override", self.lead):
			frappe.throw(_("Choose one of the reasons that were agreed on for this."), frappe.MandatoryError)
		judged = service.judge_now(self.lead)
		self.update(
			{
				"lead_name": frappe.db.get_value("Lead", self.lead, "title"),
				"overridden_by": frappe.session.user,
				"overridden_at": now_datetime(),
				"missing": judged.reason if judged else None,
				"reference_doctype": None,
				"reference_name": None,
			}
		)
