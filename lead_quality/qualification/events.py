"""What ERPNext tells the qualification room."""

import frappe
from frappe.utils import now_datetime

from lead_quality.base.listeners import listener
from lead_quality.qualification import gate, requalify, service
from lead_quality.qualification.definitions import clear_caches


@listener
def lead_validate(doc, method=None):
	"""A new lead gets its segment; an old one, when a field that a rule asks for has changed.

	A field that answers a criterion judges the lead.
	"""
	segments = service.get_segments()
	if doc.is_new() or not doc.lq_segment:
		# an old one: from before the install, or from before there was a segment for it
		doc.lq_segment = service.pick_segment(doc)
		doc.lq_verdict = doc.lq_verdict or "Open"
	elif any(doc.has_value_changed(field) for field in service.fields_of_rules(segments)):
		segment = service.pick_segment(doc)
		if segment != doc.lq_segment:
			doc.add_comment("Info", service.segment_change_in_words(doc.lq_segment, segment))
			doc.lq_segment = segment
	fields = service.answering_fields()
	if any((doc.get(field) if doc.is_new() else doc.has_value_changed(field)) for field in fields):
		service.judge_lead(doc)


@listener
def lead_on_update(doc, method=None):
	"""What `lead_validate` has judged is written with the lead."""
	judged = doc.flags.pop("judged", None)
	if judged:
		judged.lead = doc.name
		service.keep_judgement(judged, bool(doc.flags.in_insert))


@listener
def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)
	gate.forget_lead(doc.name)


@listener
def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


@listener
def gated_before_insert(doc, method=None):
	gate.hold(doc)


@listener
def gated_validate(doc, method=None):
	gate.hold_again(doc)


@listener
def gated_on_update(doc, method=None):
	gate.use_override(doc)


@listener
def opportunity_validate(doc, method=None):
	"""What the gate has marked an Opportunity with is nobody's to write."""
	before = doc.get_doc_before_save()
	if before and not any(doc.has_value_changed(field) for field in gate.GATED["Opportunity"][1]):
		doc.lq_verdict, doc.lq_segment = before.lq_verdict, before.lq_segment


@listener
def company_after_rename(doc, method=None, old=None, new=None, merge=False):
	"""The agreements are remembered by company."""
	clear_caches()


def opt_out_after_insert(doc, method=None):
	"""An address from which mail comes back no longer makes a lead reachable."""
	if doc.reason == "Bounced" and doc.email_id and "reachable" in service.answering_sources():
		leads = frappe.get_all("Lead", {"email_id": doc.email_id}, pluck="name", order_by="name asc")
		if leads:
			requalify.judge_chunk(leads, now_datetime())
