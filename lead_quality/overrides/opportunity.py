"""Document events of Opportunity."""

from frappe import _
from frappe.utils import get_datetime

from lead_quality.base.listeners import listener
from lead_quality.follow_up import endings
from lead_quality.funnel import corrections, journey, opportunities
from lead_quality.funnel import service as funnel
from lead_quality.nurture import service as nurture
from lead_quality.qualification import gate


@listener
def before_insert(opportunity, method=None):
	opportunity.lq_lead = opportunities.credited_lead(opportunity)
	gate.enforce(opportunity)


@listener
def validate(opportunity, method=None):
	if not opportunity.is_new():
		opportunities.keep_credit(opportunity)
		gate.restore_mark(opportunity)
		gate.enforce_again(opportunity)


@listener
def after_insert(opportunity, method=None):
	if opportunity.lq_lead:
		funnel.enter_stage(
			opportunity.lq_lead, "opportunity", get_datetime(opportunity.creation), opportunity
		)
		nurture.stop_for_lead(opportunity.lq_lead, _("An opportunity was made."))
		endings.end_if_over([opportunity.lq_lead])


@listener
def on_update(opportunity, method=None):
	before = opportunity.get_doc_before_save()
	if before and before.lq_lead != opportunity.lq_lead:
		opportunities.move_opportunity(opportunity, before)
		if opportunity.lq_lead:
			nurture.stop_for_lead(opportunity.lq_lead, _("An opportunity was made."))
		endings.end_if_over([lead for lead in (before.lq_lead, opportunity.lq_lead) if lead])
	if opportunity.lq_lead and opportunity.has_value_changed("base_opportunity_amount"):
		journey.mark(opportunity.lq_lead)
	gate.use_override(opportunity)


@listener
def on_change(opportunity, method=None):
	"""ERPNext loses an Opportunity without `on_update` when its quotation is lost."""
	flags = opportunity.flags
	if not opportunity.lq_lead or flags.in_insert or flags.in_delete:
		return
	if opportunity.has_value_changed("status"):
		endings.end_if_over([opportunity.lq_lead], lost_anew=opportunity.status == "Lost")


@listener
def after_delete(opportunity, method=None):
	gate.forget_document(opportunity.doctype, opportunity.name)
	if opportunity.lq_lead:
		journey.mark(opportunity.lq_lead)
		corrections.review_documents(opportunity.lq_lead)
		endings.end_if_over([opportunity.lq_lead])
