"""Search functions for the link fields of our forms."""

import frappe
from frappe import _

from lead_quality.base import query
from lead_quality.base.persons import ENABLED_PERSONS, NO_PERSONS
from lead_quality.base.queries import Where
from lead_quality.handover.service import seller_roles
from lead_quality.people.absence import Absences, today
from lead_quality.permissions import bindable, check_lead, list_condition
from lead_quality.qualification.agreement import agreed_reasons, agreement_of
from lead_quality.qualification.rule_values import known_values


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
		.where(user.name.notin(NO_PERSONS))
		.where(role.role.isin(sorted(seller_roles())))
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
def givers(doctype: str, txt: str, searchfield: str, start: int, page_len: int, filters: dict | None = None):
	"""Search for a link field: users who own leads or have handovers to answer that one may see, enabled or not."""
	frappe.has_permission("Lead Transfer", "create", throw=True)
	where = Where()
	where.add("(u.name like %(txt)s or u.full_name like %(txt)s)", txt=f"%{txt}%")
	leads, handovers = (shown(doctype) for doctype in ("Lead", "Lead Handover"))
	where.add(
		f"""(
			u.name in (select lead_owner from `tabLead` where {leads})
			or u.name in (select to_user from `tabLead Handover` where status = 'Sent' and {handovers})
		)"""
	)
	rows = where.select(
		"""
		select u.name, u.full_name, if(u.enabled = 1, '', %(disabled)s) as state
		from `tabUser` u
		where {where}
		order by u.enabled, u.full_name
		limit %(page_len)s offset %(start)s
		""",
		disabled=_("Disabled"),
		page_len=page_len,
		start=start,
	)
	return tuple((row.name, row.full_name, row.state) for row in rows)


def shown(doctype: str) -> str:
	"""The condition on rows of a DocType that the user may see them, in SQL with bound values."""
	condition = list_condition(doctype, frappe.session.user)
	return f"({bindable(condition)})" if condition else "1 = 1"


@frappe.whitelist()
@frappe.validate_and_sanitize_search_inputs
def lead_workers(
	doctype: str, txt: str, searchfield: str, start: int, page_len: int, filters: dict | None = None
):
	"""Search for a link field: enabled users with a role that works on leads."""
	frappe.has_permission("Lead Transfer", "create", throw=True)
	rules = frappe.get_meta("Lead").permissions
	return query.run(
		f"""
		select u.name, u.full_name
		from `tabUser` u
		where
			u.name in {ENABLED_PERSONS}
			and (u.name like %(txt)s or u.full_name like %(txt)s)
			and exists (
				select 1 from `tabHas Role` r
				where r.parent = u.name and r.parenttype = 'User' and r.role in %(roles)s
			)
		order by u.full_name
		limit %(page_len)s offset %(start)s
		""",
		{
			"txt": f"%{txt}%",
			"roles": [rule.role for rule in rules if rule.write and not rule.permlevel],
			"page_len": page_len,
			"start": start,
		},
	)


@frappe.whitelist()
@frappe.validate_and_sanitize_search_inputs
def lead_rules(
	doctype: str, txt: str, searchfield: str, start: int, page_len: int, filters: dict | None = None
):
	"""Search for a link field: the Assignment Rules on Lead that are enabled. Frappe shows them to System Managers
	only, but others may use them to give leads away."""
	frappe.has_permission("Lead Transfer", "create", throw=True)
	return frappe.get_all(
		"Assignment Rule",
		{"document_type": "Lead", "disabled": 0, "name": ["like", f"%{txt}%"]},
		["name", "description"],
		order_by="name asc",
		limit_start=start,
		limit_page_length=page_len,
		as_list=True,
	)


@frappe.whitelist()
@frappe.validate_and_sanitize_search_inputs
def reasons(doctype: str, txt: str, searchfield: str, start: int, page_len: int, filters: dict | None = None):
	"""Search for a link field: the reasons that count for a `lead` and a purpose, `applies_to`."""
	filters = filters or {}
	return frappe.get_list(
		"Lead Outcome Reason",
		_reasons_that_count(filters.get("lead", ""), filters.get("applies_to", "")),
		["name", "reason"],
		# v16 asks for the name once more, to validate what was chosen
		or_filters={"reason": ["like", f"%{txt}%"], "name": txt},
		order_by="reason asc",
		limit_start=start,
		limit_page_length=page_len,
		as_list=True,
	)


@frappe.whitelist()
def get_reasons(lead: str, applies_to: str) -> list[dict]:
	"""The reasons that count for a lead and a purpose, all of them: there are few, and a dialog shows them at once."""
	return frappe.get_list(
		"Lead Outcome Reason",
		_reasons_that_count(lead, applies_to),
		["name", "reason", "proposes_nurture"],
		order_by="reason asc",
		limit_page_length=0,
	)


def _reasons_that_count(lead: str, applies_to: str) -> dict:
	check_lead(lead)
	if not applies_to or not isinstance(applies_to, str):
		frappe.throw(_("Choose what the reason is for, such as Disqualify."))
	conditions = {"applies_to": applies_to, "enabled": 1}
	agreed = agreed_reasons(agreement_of(lead), applies_to)
	if agreed:
		conditions["name"] = query.among(agreed)
	return conditions


@frappe.whitelist()
def rule_values(txt: str = "", field: str = "") -> list[str]:
	"""What a segment's rule may compare a field of Lead with: the records of a link, the options of a choice. Empty for
	other fields, whose values are typed."""
	frappe.has_permission("Lead Segment", "write", throw=True)
	return known_values(field, txt)
