"""What ERPNext tells of a Quotation, a Customer and a Sales Order."""

from frappe.utils import now_datetime

from lead_quality.base.listeners import listener
from lead_quality.funnel import service as funnel
from lead_quality.qualification import gate


@listener
def before_insert(doc, method=None):
	"""Of a Quotation or a Customer."""
	gate.enforce(doc)


@listener
def validate(doc, method=None):
	"""Of a Quotation or a Customer."""
	gate.enforce_again(doc)


@listener
def quotation_on_update(quotation, method=None):
	gate.use_override(quotation)


@listener
def customer_on_update(customer, method=None):
	"""ERPNext converts the lead past its hooks when a Customer names it; its orders count from then on."""
	gate.use_override(customer)
	if customer.lead_name and customer.has_value_changed("lead_name"):
		funnel.derive_stages(customer.lead_name)


@listener
def sales_order_on_submit(order, method=None):
	for lead in funnel.leads_of_order(order):
		funnel.enter_stage(lead, "sale", now_datetime(), order)


@listener
def sales_order_on_cancel(order, method=None):
	for lead in funnel.leads_of_order(order):
		funnel.review_stage(lead)
