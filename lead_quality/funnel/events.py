"""What ERPNext tells the stage log."""

from frappe.utils import get_datetime, now_datetime

from lead_quality.base.listeners import listener
from lead_quality.funnel import service
from lead_quality.records import enters


@listener
def lead_enters(doc, method=None):
	if enters(doc, method):
		service.enter_target(doc)


@listener
def lead_on_change(doc, method=None):
	"""ERPNext moves a lead's status without `on_update` when a selling document is made from it."""
	if doc.has_value_changed("status") and not doc.flags.in_insert:
		service.derive_stages(doc.name)


@listener
def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


@listener
def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)


@listener
def opportunity_before_insert(doc, method=None):
	doc.lq_lead = service.credited_lead(doc)


@listener
def opportunity_validate(doc, method=None):
	if not doc.is_new():
		moved = doc.has_value_changed("opportunity_from") or doc.has_value_changed("party_name")
		doc.lq_lead = service.credited_lead(doc) if moved else doc.get_doc_before_save().lq_lead


@listener
def opportunity_after_insert(doc, method=None):
	if doc.lq_lead:
		service.enter_stage(doc.lq_lead, "opportunity", get_datetime(doc.creation), doc)


@listener
def opportunity_on_update(doc, method=None):
	before = doc.get_doc_before_save()
	if before and before.lq_lead != doc.lq_lead:
		service.move_opportunity(doc, before)


@listener
def opportunity_after_delete(doc, method=None):
	if doc.lq_lead:
		service.review_stage(doc.lq_lead)


@listener
def sales_order_on_submit(doc, method=None):
	for lead in service.leads_of_order(doc):
		service.enter_stage(lead, "sale", now_datetime(), doc)


@listener
def sales_order_on_cancel(doc, method=None):
	for lead in service.leads_of_order(doc):
		service.review_stage(lead)


@listener
def customer_on_update(doc, method=None):
	"""ERPNext converts the lead past its hooks when a Customer names it; its orders count from then on."""
	if doc.lead_name and doc.has_value_changed("lead_name"):
		service.derive_stages(doc.lead_name)
