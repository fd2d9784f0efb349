"""Factories of records for the demo and the site tests."""

import frappe
from erpnext.crm.doctype.lead.lead import make_opportunity as map_opportunity
from erpnext.crm.doctype.lead.lead import make_quotation as map_quotation_of_lead
from erpnext.crm.doctype.opportunity.opportunity import make_quotation as map_quotation_of_opportunity
from erpnext.selling.doctype.quotation.quotation import make_sales_order as map_sales_order
from frappe.utils import add_days, today

from lead_quality import api
from lead_quality.base.versions import lead_field, source_doctype


def make_user(
	email: str, *roles: str, first_name: str = "", last_name: str = "", password: str = "", **values
):
	"""A User with these roles and no others, who gets no mail. An existing user is given the roles."""
	user = frappe.get_doc("User", email) if frappe.db.exists("User", email) else frappe.new_doc("User")
	user.update(
		{
			"email": email,
			"first_name": first_name or email.split("@")[0].split(".")[0].title(),
			"last_name": last_name,
			"send_welcome_email": 0,
			"roles": [{"role": role} for role in roles],
			**values,
		}
	)
	if password:
		user.new_password = password
	user.flags.ignore_password_policy = True
	user.flags.no_welcome_mail = True
	user.save(ignore_permissions=True)
	# without an account for outgoing mail, each notification would leave an Error Log behind
	frappe.db.set_value("Notification Settings", email, "enable_email_notifications", 0)
	return user


def make_employee(user: str, reports_to: str | None = None) -> str:
	"""The name of a new Employee with a user, who reports to another Employee."""
	employee = frappe.get_doc(
		{
			"doctype": "Employee",
			# ERPNext gives the user the first name of the Employee
			"first_name": frappe.db.get_value("User", user, "first_name"),
			"user_id": user,
			"company": frappe.get_all("Company", pluck="name", order_by="name asc", limit=1)[0],
			"gender": frappe.get_all("Gender", pluck="name", order_by="name asc", limit=1)[0],
			"date_of_birth": "1990-01-01",
			"date_of_joining": "2020-01-01",
			"status": "Active",
			"reports_to": reports_to,
			"create_user_permission": 0,
		}
	)
	employee.flags.ignore_mandatory = True
	return employee.insert(ignore_permissions=True).name


def make_source(name: str) -> str:
	"""The name of a lead source, created if missing: Lead Source on v15, UTM Source on v16."""
	doctype = source_doctype()
	if not frappe.db.exists(doctype, name):
		frappe.get_doc({"doctype": doctype, "name": name, "source_name": name}).insert(
			ignore_permissions=True
		)
	return name


def make_lead(
	first_name: str = "Anna",
	last_name: str = "Keller",
	company_name: str | None = "Kellerbrunn Works",
	email_id: str | None = None,
	source: str | None = "Website",
	**values,
):
	"""A Lead, inserted without permission checks, as by a web form. Without `email_id` it gets a unique one."""
	lead = frappe.new_doc("Lead")
	source_field = str(lead_field("source"))  # exists on every version
	lead.update(
		{
			"first_name": first_name,
			"last_name": last_name,
			"company_name": company_name,
			"email_id": email_id or f"{first_name}.{frappe.generate_hash(length=8)}@lead.example".lower(),
			source_field: source and make_source(source),
			**values,
		}
	)
	return lead.insert(ignore_permissions=True)


def answers(
	budget: float | None = 25_000,
	authority: str | None = "Decision Maker",
	need: str | None = "Their heating bill has doubled.",
	timescale_in: int | None = 60,
	evidence_grade: str = "Stated",
) -> list[dict]:
	"""Answers that meet all criteria of the seeded checklist BANT; None omits one. `timescale_in` is in days."""
	values = {
		"budget": budget,
		"authority": authority,
		"need": need,
		"timescale": None if timescale_in is None else add_days(today(), timescale_in),
	}
	return [
		{"criterion": criterion, "value": str(value), "evidence_grade": evidence_grade}
		for criterion, value in values.items()
		if value is not None
	]


def make_sales_ready(lead: str):
	"""Answer all questions of the seeded checklist BANT. Returns the Lead Qualification."""
	return api.qualify(lead, answers())


def make_checklist(title: str, criteria: list[dict], status: str = "Active", **values):
	"""A Qualification Checklist; a criterion without a label is labelled by its key."""
	return frappe.get_doc(
		{
			"doctype": "Qualification Checklist",
			"title": title,
			"status": status,
			"criteria": [{"label": row["criterion"], **row} for row in criteria],
			**values,
		}
	).insert(ignore_permissions=True)


def use_checklist(checklist, segment: str = "Inbound"):
	"""Use this checklist for new leads of a segment."""
	doc = frappe.get_doc("Lead Segment", segment)
	doc.checklist = checklist.name
	doc.save(ignore_permissions=True)


def make_agreement(marketing: str | None = None, sales: str | None = None, **values):
	"""A Sales Ready Agreement on the seeded checklist BANT; active if both signing users are given."""
	agreement = frappe.get_doc(
		{
			"doctype": "Sales Ready Agreement",
			"checklist": "BANT v1",
			"deadline_unit": "Working Hours",
			**values,
		}
	).insert(ignore_permissions=True)
	if marketing or sales:
		agreement.ask_for_signatures()
	user = frappe.session.user
	try:
		for side, signer in (("Marketing", marketing), ("Sales", sales)):
			if signer:
				frappe.set_user(signer)
				agreement.sign(side)
	finally:
		frappe.set_user(user)
	return agreement


def make_item(item_code: str = "Ventilation Audit", rate: float = 1_000, **values) -> str:
	"""The code of a non-stock Item, created with its selling price if missing."""
	if not frappe.db.exists("Item", item_code):
		# names of groups are in the language of the site's setup
		groups = frappe.get_all("Item Group", {"is_group": 0}, pluck="name", order_by="lft asc", limit=1)
		frappe.get_doc(
			{
				"doctype": "Item",
				"item_code": item_code,
				"item_name": item_code,
				"item_group": groups[0],
				"stock_uom": frappe.db.get_single_value("Stock Settings", "stock_uom"),
				"is_stock_item": 0,
				"standard_rate": rate,
				**values,
			}
		).insert(ignore_permissions=True)
	return item_code


def make_opportunity(lead: str, item_code: str | None = None, qty: float = 1, rate: float = 1_000, **values):
	"""An Opportunity made from a lead as with the button Create, with one item."""
	opportunity = map_opportunity(lead)
	opportunity.append("items", {"item_code": item_code or make_item(), "qty": qty, "rate": rate})
	# the form calculates the amount; the server does not
	opportunity.update({"opportunity_amount": qty * rate, **values})
	return opportunity.insert()


def make_prospect(*leads: str, name: str = "Prospect Works"):
	"""A Prospect of the site's default company, with these leads."""
	return frappe.get_doc(
		{
			"doctype": "Prospect",
			"company_name": name,
			"company": frappe.defaults.get_global_default("company"),
			"leads": [{"lead": lead} for lead in leads],
		}
	).insert()


def make_quotation(
	opportunity: str | None = None,
	lead: str | None = None,
	item_code: str | None = None,
	qty: float = 1,
	rate: float = 1_000,
	submit: bool = True,
	**values,
):
	"""A Quotation made from an Opportunity with its items, or from a lead with one item."""
	if opportunity:
		quotation = map_quotation_of_opportunity(opportunity)
	else:
		quotation = map_quotation_of_lead(lead)
		quotation.append("items", {"item_code": item_code or make_item(), "qty": qty, "rate": rate})
	quotation.update(values)
	quotation.insert()
	return quotation.submit() if submit else quotation


def make_sales_order(quotation: str, delivery_in: int = 30, submit: bool = True, **values):
	"""A Sales Order made from a submitted Quotation, with delivery after a number of days."""
	order = map_sales_order(quotation)
	delivery_date = add_days(today(), delivery_in)
	order.update({"delivery_date": delivery_date, **values})
	for row in order.items:
		row.delivery_date = delivery_date
	order.insert()
	return order.submit() if submit else order
