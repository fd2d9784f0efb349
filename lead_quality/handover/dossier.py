"""The dossier: what sales reads about a lead that is handed over."""

import frappe
from frappe import _
from frappe.utils import fmt_money

from lead_quality.base.texts import as_html
from lead_quality.qualification.checklists import get_checklist
from lead_quality.qualification.service import qualification_of


def make_dossier(lead) -> str:
	"""What is known of a lead at this moment, as HTML: company, answers with their evidence, and all touches."""
	qualification = frappe.get_doc("Lead Qualification", qualification_of(lead.name))
	criteria = get_checklist(qualification.checklist).rows
	for row in qualification.answers:
		row.value = answer_in_words(row, criteria[row.criterion])
	touches = frappe.get_all(
		"Lead Touch",
		{"lead": lead.name, "status": "Done"},
		["done_at", "channel", "direction", "outcome", "note", "done_by"],
		order_by="done_at asc",
	)
	for touch in touches:
		touch.done_by = frappe.utils.get_fullname(touch.done_by) if touch.done_by else None
	return frappe.render_template(
		"lead_quality/templates/dossier.html",
		{"lead": lead, "qualification": qualification, "touches": touches, "text": as_html},
	)


def answer_in_words(row, criterion) -> str:
	"""An answer as a dossier shows it, which is read by whoever reads the handover."""
	if row.confidential_value:
		return _("confidential, see the qualification")
	if not row.value:
		return _("not asked yet")
	if criterion.answer_type == "Date":
		return frappe.format(row.value, "Date")
	if criterion.answer_type == "Number":
		return (
			fmt_money(row.value, currency=row.currency) if row.currency else frappe.format(row.value, "Float")
		)
	return row.value
