"""Document events of Quotation, Customer and Sales Order."""

from frappe.utils import now_datetime

from lead_quality.base.listeners import listener
from lead_quality.follow_up import endings
from lead_quality.funnel import corrections, credit, deriving, journey
from lead_quality.funnel import service as funnel
from lead_quality.qualification import gate

# the fields of a Customer that say what it was made from
CUSTOMERS_ORIGIN = ("lead_name", "opportunity_name", "prospect_name")


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
	if quotation.docstatus:
		journey.mark(*credit.leads_of_quotation(quotation))


@listener
def quotation_on_cancel(quotation, method=None):
	journey.mark(*credit.leads_of_quotation(quotation))


@listener
def customer_on_update(customer, method=None):
	"""ERPNext converts the lead bypassing its hooks when a Customer names it; its orders count from then on."""
	gate.use_override(customer)
	if any(customer.has_value_changed(field) for field in CUSTOMERS_ORIGIN):
		before = customer.get_doc_before_save()
		given_away = credit.leads_of_customer(before) if before else []
		for lead in sorted({*given_away, *credit.leads_of_customer(customer)}):
			deriving.derive_stages(lead)
			corrections.review_documents(lead)
			endings.end_if_over([lead])


@listener
def customer_after_delete(customer, method=None):
	gate.forget_document(customer.doctype, customer.name)
	endings.end_if_over(credit.leads_of_customer(customer))


@listener
def quotation_after_delete(quotation, method=None):
	gate.forget_document(quotation.doctype, quotation.name)
	journey.mark(*credit.leads_of_quotation(quotation))


@listener
def sales_order_on_submit(order, method=None):
	for lead in funnel.leads_of_order(order):
		funnel.enter_stage(lead, "sale", now_datetime(), order)
		endings.end_if_over([lead])


@listener
def sales_order_on_cancel(order, method=None):
	for lead in funnel.leads_of_order(order):
		corrections.review_documents(lead)
		endings.end_if_over([lead])
