"""What ERPNext tells the qualification room."""

import frappe
from frappe import _
from frappe.utils import get_link_to_form

from lead_quality.qualification import service


def lead_validate(doc, method=None):
	"""A new lead gets its segment; an old one, when a field that a rule asks for has changed."""
	if doc.is_new():
		doc.lq_segment = service.pick_segment(doc)
		doc.lq_verdict = "Open"
		return
	if not doc.lq_segment:
		# from before the install, or from before there was a segment for it
		doc.lq_segment = service.pick_segment(doc)
		doc.lq_verdict = doc.lq_verdict or "Open"
		return
	fields = {rule.field for segment in service.get_segments() for rule in segment.rules}
	if any(doc.has_value_changed(fieldname) for fieldname in fields):
		segment = service.pick_segment(doc)
		if segment != doc.lq_segment:
			doc.add_comment(
				"Info",
				_("moved from segment {0} to {1}").format(
					doc.lq_segment or _("none"),
					get_link_to_form("Lead Segment", segment) if segment else _("none"),
				),
			)
			doc.lq_segment = segment


def lead_on_update(doc, method=None):
	if doc.flags.in_insert or not doc.get_doc_before_save():
		return
	if any(doc.has_value_changed(fieldname) for fieldname in service.answering_fields()):
		service.judge_again(doc.name)


def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)


def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


def opportunity_before_insert(doc, method=None):
	service.gate_opportunity(doc)


def opportunity_on_update(doc, method=None):
	"""Leave that was given for one Opportunity is used up by it."""
	if doc.flags.gate_override:
		frappe.db.set_value(
			"Gate Override",
			doc.flags.gate_override,
			{"reference_doctype": doc.doctype, "reference_name": doc.name},
		)
		doc.flags.gate_override = None


def opportunity_validate(doc, method=None):
	"""The gate holds as well for an Opportunity that is given to another party; its mark is nobody's to write."""
	if doc.is_new():
		return
	if doc.has_value_changed("opportunity_from") or doc.has_value_changed("party_name"):
		service.gate_opportunity(doc)
	else:
		before = doc.get_doc_before_save()
		doc.lq_verdict, doc.lq_segment = before.lq_verdict, before.lq_segment


def company_after_rename(doc, method=None, old=None, new=None, merge=False):
	"""The agreements are remembered by company."""
	service.clear_caches()
