import frappe
from frappe import _
from frappe.utils import now_datetime

from lead_quality.base.links import OutlivesLinks
from lead_quality.funnel.lead_lock import LeadFirst
from lead_quality.qualification import gate, service
from lead_quality.qualification.reasons import is_reason_for


class GateOverride(OutlivesLinks, LeadFirst):
	"""Allows one document from a lead that is not sales ready: which one, who allowed it, why, and what was missing."""

	def before_insert(self):
		self.for_doctype = self.for_doctype or "Opportunity"
		if self.for_doctype not in gate.GATED:
			frappe.throw(
				_("There is no gate for {0}. The gate can be overridden for: {1}.").format(
					frappe.bold(_(self.for_doctype)), ", ".join(_(doctype) for doctype in gate.GATED)
				)
			)
		if not is_reason_for(self.reason, "Override", self.lead):
			frappe.throw(
				_("Choose one of the reasons that marketing and sales agreed on."), frappe.MandatoryError
			)
		judged, now = service.judge_now(self.lead), now_datetime()
		self.update(
			{
				"lead_name": frappe.db.get_value("Lead", self.lead, "title"),
				"overridden_by": frappe.session.user,
				"overridden_at": now,
				"expires_at": gate.expiry(now),
				"missing": judged.reason if judged else None,
				"reference_doctype": None,
				"reference_name": None,
				"used_at": None,
			}
		)
