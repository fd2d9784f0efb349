"""Number cards with filters that Frappe's own cards cannot express: the figure, and the list that a click opens."""

import frappe
from frappe.desk.doctype.number_card.number_card import get_result
from frappe.utils import now_datetime

from lead_quality.base.queries import leads_where
from lead_quality.base.versions import several_conditions
from lead_quality.follow_up import risks

RISKS_REPORT = "Leads at Risk"


@frappe.whitelist()
def leads_overdue(filters: str | list | None = None) -> dict:
	"""Number card: enabled leads with a deadline that has passed.

	:param filters: what Frappe sends; this card has none.
	"""
	# the list knows no seconds
	now = now_datetime().replace(second=0, microsecond=0)
	conditions = [["is", "set"], ["<", str(now)]]
	return _list_card(
		[["Lead", "disabled", "=", 0], *(["Lead", "lq_due_at", *condition] for condition in conditions)],
		{"disabled": 0, "lq_due_at": several_conditions(conditions)},
	)


@frappe.whitelist()
def leads_without_owner(filters: str | list | None = None) -> dict:
	"""Number card: leads in work that nobody who is there owns. See `leads_overdue`."""
	return _risk_card(risks.NO_OWNER)


@frappe.whitelist()
def leads_without_next_step(filters: str | list | None = None) -> dict:
	"""Number card: leads in work without a dated next step. See `leads_overdue`."""
	return _risk_card(risks.NO_NEXT_STEP)


@frappe.whitelist()
def stale_leads(filters: str | list | None = None) -> dict:
	"""Number card: leads in work that no person has touched for too long. See `leads_overdue`."""
	return _risk_card(risks.STALE)


def _list_card(filters: list, route_options: dict) -> dict:
	"""A figure that a list of leads shows; `route_options` are the same filters as the desk takes them."""
	count = get_result(frappe._dict(document_type="Lead", function="Count"), filters)
	return {
		"value": count,
		"fieldtype": "Int",
		"route": ["List", "Lead", "List"],
		"route_options": route_options,
	}


def _risk_card(fault: str) -> dict:
	"""A figure that the report Leads at Risk shows, or, to those who may run no report, a list of leads."""
	frappe.has_permission("Lead", "read", throw=True)
	if may_run(RISKS_REPORT):
		return {
			"value": _leads_at_risk(fault, "count(*) as leads")[0].leads,
			"fieldtype": "Int",
			"route": ["query-report", RISKS_REPORT],
			"route_options": {"show": "Leads", "fault": fault},
		}
	names = [row.name for row in _leads_at_risk(fault, "`tabLead`.name")]
	return {
		"value": len(names),
		"fieldtype": "Int",
		"route": ["List", "Lead", "List"],
		# without any name the list would leave the filter out
		"route_options": {"name": ["in", ",".join(names) or "-"]},
	}


def _leads_at_risk(fault: str, columns: str) -> list:
	"""Leads that the user may see, as the report lists them."""
	where = leads_where(frappe._dict(), created=False)
	where.add("`tabLead`.disabled = 0")
	where.add(risks.IS[fault])
	query = f"select {columns} from {risks.LEADS} where {{where}}"
	return where.select(query, **risks.values_at(now_datetime()))


def may_run(report: str) -> bool:
	doc = frappe.get_cached_doc("Report", report)
	return doc.is_permitted() and bool(frappe.has_permission(doc.ref_doctype, "report"))
