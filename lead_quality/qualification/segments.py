"""Segments: which one a lead belongs to by the rules, and what it sets."""

import frappe
from frappe import _
from frappe.utils import get_link_to_form

from lead_quality.base import query
from lead_quality.base.versions import lead_field
from lead_quality.engine import qualification as engine
from lead_quality.funnel.conditions import HISTORY_READ
from lead_quality.funnel.lead_save import LeadSave
from lead_quality.people.visitors import is_visitor
from lead_quality.qualification.definitions import Rule, document, in_force


def pick_segment(lead, segments: list[engine.Segment] | None = None) -> str | None:
	"""The segment of a lead document, by the first enabled segment whose rules all hold.

	:param segments: as `get_segments` gives them, where they are at hand.
	"""
	segments = get_segments() if segments is None else segments
	values = {rule.field: lead.get(rule.field) for segment in segments for rule in segment.rules}
	return engine.pick_segment(segments, values, is_from_visitor(lead, segments))


def is_from_visitor(lead, segments: list[engine.Segment]) -> bool:
	"""Whether a visitor has said what a lead (document or row) says, as far as a rule of these segments asks."""
	return any(rule.not_from_visitors for segment in segments for rule in segment.rules) and is_visitor(
		lead.owner
	)


def get_segments() -> list[engine.Segment]:
	"""The enabled segments in their order, with field names as this site's Lead has them.

	A segment with a rule on a field that no longer exists takes no lead until the rule is mended.
	"""
	return as_segments(in_force()["segments"])


def as_segments(rules: list[tuple[str, list[Rule]]]) -> list[engine.Segment]:
	"""The engine's segments; one with a rule on a field that this site's Lead does not have is left out."""
	return [as_segment(name, rows) for name, rows in rules if all(lead_field(row[0]) for row in rows)]


def as_segment(name: str, rules: list[Rule]) -> engine.Segment:
	"""The engine's segment of rules whose fields this site's Lead has."""
	return engine.Segment(
		name, tuple(engine.Rule(str(lead_field(rule[0])), rule[1], rule[2], *rule[3:]) for rule in rules)
	)


def fields_of_rules(segments: list[engine.Segment]) -> list[str]:
	"""The fields of the Lead that these segments ask for."""
	return sorted({rule.field for segment in segments for rule in segment.rules})


def plan_of(segment: str | None, what: str) -> str | None:
	"""What a segment says of `checklist`, `cadence` or `follow_up_policy`."""
	if not segment:
		return None
	try:
		return document("Lead Segment", segment).get(what)
	except frappe.DoesNotExistError:
		frappe.clear_last_message()
		return None


def policy_of(lead):
	"""The Follow Up Policy document of a lead document's segment, of its company first, or None."""
	if not lead.get("lq_segment"):
		return None
	segment = document("Lead Segment", lead.lq_segment)
	own = (row.follow_up_policy for row in segment.company_policies if row.company == lead.get("company"))
	name = next(own, segment.follow_up_policy)
	return document("Follow Up Policy", name) if name else None


def segment_of(lead: str) -> str | None:
	"""The lead's segment; of a lead that was never sorted, the one it belongs to now."""
	return scope_of(lead)[1]


def scope_of(lead: str) -> tuple[str | None, str | None]:
	"""The company and the segment of a lead, which its checklist and its agreement depend on; see `segment_of`."""
	company, segment = frappe.db.get_value("Lead", lead, ["company", "lq_segment"]) or (None, None)
	return company, segment or pick_segment(frappe.get_doc("Lead", lead))


def unsorted_leads(limit: int) -> list[str]:
	"""Names of the leads that came in without document events, such as those from before the install."""
	return query.run(
		f"select name from `tabLead` where ifnull(lq_verdict, '') = '' and {HISTORY_READ} order by creation limit %s",
		(limit,),
		pluck=True,
	)


def sort_lead(save: LeadSave):
	"""Give a Lead document that is being saved its segment: a new one; an old one, when a field that a rule asks for
	has changed."""
	lead, segments = save.lead, get_segments()
	if lead.is_new() or not lead.lq_segment:
		# an old one: from before the install, or from before there was a segment for it
		lead.lq_segment = pick_segment(lead, segments)
		lead.lq_verdict = lead.lq_verdict or "Open"
	elif any(lead.has_value_changed(field) for field in fields_of_rules(segments)):
		segment = pick_segment(lead, segments)
		if segment != lead.lq_segment:
			save.remark(segment_change_in_words(lead.lq_segment, segment))
			lead.lq_segment = segment


def segment_change_in_words(old: str | None, new: str | None) -> str:
	"""For the timeline of a lead that has changed segment."""
	return _("moved from segment {0} to {1}").format(
		old or _("none"), get_link_to_form("Lead Segment", new) if new else _("none")
	)
