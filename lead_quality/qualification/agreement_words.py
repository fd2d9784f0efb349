"""What a Sales Ready Agreement says, in plain words: for its print."""

import frappe
from frappe import _
from frappe.utils import get_fullname

from lead_quality.base import query
from lead_quality.base.versioned import changes_in_words as differences
from lead_quality.qualification.agreement import SIDES
from lead_quality.qualification.words import compare_in_words, needs_in_words, number, pass_rule_in_words


def in_words(doc) -> dict:
	"""The parts of an agreement document as sentences, without HTML: nothing in them is escaped yet.

	:returns: `scope`, `definition`, `criteria` (`question`, `topic`, `needs`, `remarks`), `rules`, `deadlines`,
	    `reasons` (purpose and its reasons), and `signatures` (`side`, `name`, `on`).
	"""
	checklist = frappe.get_cached_doc("Qualification Checklist", doc.checklist)
	return {
		"scope": [
			(_("Company"), doc.company or _("All companies")),
			(_("Segment"), doc.segment or _("all segments")),
			(_("Version"), str(doc.version)),
			(_("Status"), _(doc.status)),
		],
		"checklist": checklist.name,
		"definition": pass_rule_in_words(checklist),
		"criteria": [
			{
				"question": _(row.label),
				"topic": _(row.topic) if row.topic else "",
				"needs": needs_in_words(row),
				"remarks": remarks_in_words(row, checklist.pass_rule),
			}
			for row in checklist.criteria
		],
		"rules": rules_in_words(checklist),
		"deadlines": deadlines_in_words(doc),
		"reasons": reasons_by_purpose(doc),
		"signatures": [
			{
				"side": _(side),
				"name": get_fullname(doc.get(signed_by)) if doc.get(signed_by) else "",
				"on": doc.get(signed_on),
			}
			for side, (_setting, _role, signed_by, signed_on) in SIDES.items()
		],
	}


def remarks_in_words(row, pass_rule: str) -> list[str]:
	"""What else holds for a criterion: mandatory, knock-out, weight, expiry, who is asked."""
	remarks = []
	if row.mandatory and pass_rule != "All":
		remarks.append(_("mandatory"))
	if row.knock_out:
		remarks.append(_("knock-out: any other answer disqualifies the lead"))
	if pass_rule == "Score":
		remarks.append(_("weight {0}").format(number(row.weight)))
	if row.expires_after_days:
		remarks.append(_("an answer is valid for {0} days").format(row.expires_after_days))
	if row.per_contact:
		remarks.append(_("asked of each contact; one answer that meets it is enough"))
	return remarks


def rules_in_words(checklist) -> list[str]:
	"""The verdicts that one answer gives, as sentences."""
	rows = {row.criterion: row for row in checklist.criteria}
	return [
		_("{0} If the answer is {1}: {2} ({3}).").format(
			_(rows[rule.criterion].label),
			compare_in_words(rows[rule.criterion], rule.operator, rule.value),
			_(rule.verdict),
			_(frappe.get_cached_value("Lead Outcome Reason", rule.outcome_reason, "reason")),
		)
		for rule in checklist.rules
		if rule.criterion in rows
	]


def deadlines_in_words(doc) -> list[str]:
	"""What an agreement document says of deadlines, as sentences."""

	units = {
		"Working Hours": _("{0} working hours"),
		"Hours": _("{0} hours"),
		"Working Days": _("{0} working days"),
		"Days": _("{0} days"),
	}

	def span(fieldname: str) -> str:
		return units[doc.deadline_unit].format(number(doc.get(fieldname)))

	sentences = [
		_("Sales accepts or rejects a lead within {0} after the handover.").format(span("accept_within"))
		if doc.accept_within
		else _("Sales accepts or rejects a lead within the time that the follow-up policy gives."),
		_("Sales makes the first touch within {0} after accepting it.").format(span("first_touch_within"))
		if doc.first_touch_within
		else _("Sales makes the first touch within the time that the follow-up policy gives."),
		_("A lead that sales has not answered {0} after the handover goes back to marketing.").format(
			span("pull_back_after")
		)
		if doc.pull_back_after
		else _("A lead that sales does not answer stays with sales until somebody does."),
	]
	if doc.working_calendar:
		sentences.append(_("Working time follows the calendar {0}.").format(doc.working_calendar))
	return sentences


def reasons_by_purpose(doc) -> list[tuple[str, list[str]]]:
	"""The agreed reasons, grouped by what they are for, in the order of the purposes."""
	rows = frappe.get_all(
		"Lead Outcome Reason",
		{"name": query.among(row.reason for row in doc.reasons)},
		["reason", "applies_to"],
		order_by="reason asc",
	)
	purposes = (frappe.get_meta("Lead Outcome Reason").get_field("applies_to").options or "").splitlines()
	groups = [
		(_(purpose), [_(row.reason) for row in rows if row.applies_to == purpose]) for purpose in purposes
	]
	return [(purpose, reasons) for purpose, reasons in groups if reasons]


def changes_in_words(doc) -> list[str]:
	"""How an agreement document differs from the one that it takes the place of, as sentences; none for a first one."""
	if not doc.supersedes or doc.status == "Superseded":
		return []
	before = frappe.get_doc(doc.doctype, doc.supersedes)
	return differences(_content(before), _content(doc))


def _content(doc) -> dict[str, str]:
	checklist = frappe.get_cached_doc("Qualification Checklist", doc.checklist)
	parts = {f"criteria {key}": words for key, words in checklist.content_in_words().items()}
	parts |= {f"deadline {place}": words for place, words in enumerate(deadlines_in_words(doc))}
	for purpose, reasons in reasons_by_purpose(doc):
		parts |= {f"reason {purpose} {reason}": f"{purpose}: {reason}" for reason in reasons}
	return parts
