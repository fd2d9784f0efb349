"""What the app adds to ERPNext's own screens."""

import frappe
from frappe import _

from lead_quality.absence import Absences, today
from lead_quality.qualification.agreement import agreed_reasons
from lead_quality.qualification.service import agreement_of


def lead_dashboard(data: dict) -> dict:
	"""The Connections of a Lead, with the app's documents."""
	data["transactions"].append(
		{
			"label": _("Lead Quality"),
			"items": [
				"Lead Touch",
				"Lead Qualification",
				"Nurture Enrollment",
				"Lead Handover",
				"Follow Up Clock",
			],
		}
	)
	return data


@frappe.whitelist()
@frappe.validate_and_sanitize_search_inputs
def receivers(
	doctype: str, txt: str, searchfield: str, start: int, page_len: int, filters: dict | None = None
):
	"""Search for a link field: enabled users with a sales role, who can take a lead over, and who of them is away."""
	frappe.has_permission("Lead Handover", "create", throw=True)
	user, role = frappe.qb.DocType("User"), frappe.qb.DocType("Has Role")
	found = (
		frappe.qb.from_(user)
		.join(role)
		.on((role.parent == user.name) & (role.parenttype == "User"))
		.select(user.name, user.full_name)
		.distinct()
		.where(user.enabled == 1)
		.where(role.role.isin(["Sales User", "Sales Manager"]))
		.where(user.name.notin(["Administrator", "Guest"]))
		.where(user.name.like(f"%{txt}%") | user.full_name.like(f"%{txt}%"))
		.orderby(user.full_name)
		.limit(page_len)
		.offset(start)
		.run()
	)
	day = today()
	absences = Absences(day)
	return [(name, full_name, absences.in_words(name, day) or "") for name, full_name in found]


@frappe.whitelist()
@frappe.validate_and_sanitize_search_inputs
def reasons(doctype: str, txt: str, searchfield: str, start: int, page_len: int, filters: dict):
	"""Search for a link field: the reasons that count for a `lead` and a purpose, `applies_to`."""
	frappe.has_permission("Lead", "read", doc=filters["lead"], throw=True)
	conditions = {"applies_to": filters["applies_to"], "enabled": 1}
	agreed = agreed_reasons(agreement_of(filters["lead"]), filters["applies_to"])
	if agreed:
		conditions["name"] = ["in", agreed]
	return frappe.get_list(
		"Lead Outcome Reason",
		conditions,
		["name", "reason"],
		# v16 asks for the name once more, to validate what was chosen
		or_filters={"reason": ["like", f"%{txt}%"], "name": txt},
		order_by="reason asc",
		limit_start=start,
		limit_page_length=page_len,
		as_list=True,
	)
