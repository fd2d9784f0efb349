"""What people answer to a lead's criteria."""

from datetime import date

import frappe
from frappe import _

from lead_quality.base.texts import as_html, bold
from lead_quality.qualification.answers import as_text, key_of, value_of
from lead_quality.qualification.checklists import get_checklist
from lead_quality.qualification.service import get_qualification


def answer(
	lead: str,
	answers: list[dict],
	horizon: str | None = None,
	decision: str | None = None,
	outcome_reason: str | None = None,
	nurture_until: date | str | None = None,
):
	"""Record answers to a lead's criteria and judge it again. Answers are merged by criterion and contact.

	An answer that somebody else has given since the user last looked is replaced, but not in silence.

	:param answers: rows of `criterion` and `value`, and if known `contact`, `currency`, `evidence_grade`,
	    `note`, `reference_doctype`, `reference_name`, and `seen`: the `answered_on` of the answer that the user
	    saw, empty if there was none.
	:returns: the saved Lead Qualification.
	:raises frappe.ValidationError: for a criterion that the checklist does not have.
	"""
	if not all(isinstance(given, dict) for given in answers):
		frappe.throw(_("Send answers as a list of rows with criterion and value."))
	doc = get_qualification(lead, lock=True)
	criteria = get_checklist(doc.checklist).rows
	# answers to what its checklist asks no more are not sent by anybody, and go
	doc.set("answers", [row for row in doc.answers if row.criterion in criteria])
	doc.flags.answered = set()
	replaced = [words for given in answers if (words := _take_answer(doc, criteria, given))]
	if horizon:
		doc.horizon = horizon
	if decision is not None:
		doc.decision = decision
		doc.outcome_reason = outcome_reason if decision else None
		doc.nurture_until = nurture_until if decision else None
	doc.save()
	for words in replaced:
		frappe.msgprint(words, title=_("Answered Meanwhile"), indicator="orange")
	return doc


def _take_answer(doc, criteria: dict, given: dict) -> str | None:
	"""Put one answer into a qualification. Returns what it has replaced unseen, in words."""
	criterion = criteria.get(given.get("criterion"))
	if not criterion:
		frappe.throw(
			_("{0} has no criterion {1}. It has: {2}.").format(
				doc.checklist, bold(given.get("criterion")), ", ".join(criteria)
			)
		)
	contact = (criterion.per_contact and given.get("contact")) or None
	key = (criterion.criterion, contact)
	rows = {key_of(row): row for row in doc.answers}
	row = rows.get(key) or doc.append("answers", {"criterion": criterion.criterion, "contact": contact})
	present, words = value_of(row), None
	if "value" in given:
		value = as_text(given["value"]) or ""
		is_unseen = "seen" in given and str(given["seen"] or "") != str(row.answered_on or "")
		if is_unseen and present and present != value:
			words = _("{0} answered {1} with {2} in the meantime. Your answer has replaced it.").format(
				as_html(frappe.utils.get_fullname(row.answered_by))
				if row.answered_by
				else _("The lead's own data"),
				bold(_(row.label)),
				bold(_("a confidential answer") if criterion.confidential else present),
			)
		row.value = value
		row.confidential_value = None
		doc.flags.answered.add(key)
		if row.reference_doctype == "Lead":
			# a person says it now
			row.reference_doctype = row.reference_name = None
	for fieldname in ("currency", "evidence_grade", "note", "reference_doctype", "reference_name"):
		if fieldname in given:
			row.set(fieldname, given[fieldname])
	if criterion.confidential and "note" in given:
		row.confidential_note = None
	return words
