"""What ERPNext tells the qualification room."""

from frappe import _
from frappe.utils import get_link_to_form

from lead_quality.qualification import service


def lead_validate(doc, method=None):
	"""A new lead gets its segment; an old one, when a field that a rule asks for has changed."""
	if doc.is_new():
		doc.lq_segment = service.pick_segment(doc)
		doc.lq_verdict = "Open"
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


def opportunity_before_insert(doc, method=None):
	service.gate_opportunity(doc)
