"""Outcome reasons: which of them count for a purpose, such as Disqualify."""

import frappe

from lead_quality.qualification.agreement import agreed_reasons, agreement_of


def is_reason_for(reason: str | None, purpose: str, lead: str | None = None) -> bool:
	"""Whether a Lead Outcome Reason is enabled and meant for this purpose, such as Disqualify.

	:param lead: where the agreement in force for it lists reasons for the purpose, only those count.
	"""
	agreed = agreed_reasons(agreement_of(lead), purpose) if lead and reason else []
	if agreed:
		return reason in agreed
	return bool(
		reason
		and frappe.db.exists("Lead Outcome Reason", {"name": reason, "applies_to": purpose, "enabled": 1})
	)
