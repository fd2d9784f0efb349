"""Two leads become one: what becomes of their two judgements."""

import frappe
from frappe.model.rename_doc import rename_doc
from frappe.utils import now_datetime

from lead_quality.base.rows import insert_rows
from lead_quality.qualification.answers import ANSWER, key_of, value_of
from lead_quality.qualification.checklists import get_checklist, is_readable
from lead_quality.qualification.judgement import DECISION


def merge_into(lead: str):
	"""Two leads have become one: the judgement that was worked on last stays, and takes over what only the other
	knows."""
	names = frappe.get_all("Lead Qualification", {"lead": lead}, pluck="name", order_by="modified desc")
	for name in names[1:]:
		take_over(names[0], name)
		# merged, so that handovers that name it name the one that stays
		rename_doc("Lead Qualification", name, names[0], merge=True, force=True, ignore_permissions=True)
	if names:
		doc = frappe.get_doc("Lead Qualification", names[0])
		doc.flags.ignore_links = True
		doc.save(ignore_permissions=True)


def take_over(kept: str, other: str):
	"""Give a Lead Qualification the answers of another one that are newer or that it lacks, and the decision if it
	has none. Nothing is judged."""
	into, source = frappe.get_doc("Lead Qualification", kept), frappe.get_doc("Lead Qualification", other)
	criteria, rows = get_checklist(into.checklist).rows, {key_of(row): row for row in into.answers}
	for row in source.answers:
		criterion, present = criteria.get(row.criterion), rows.get(key_of(row))
		if not value_of(row) or not criterion or not is_readable(value_of(row), criterion):
			continue
		if present and value_of(present) and str(present.answered_on) >= str(row.answered_on):
			continue
		values = {field: row.get(field) for field in ANSWER if field != "idx"}
		if present:
			frappe.db.set_value("Lead Qualification Answer", present.name, values)
		else:
			parent = {"parent": kept, "parenttype": "Lead Qualification", "parentfield": "answers"}
			insert_rows("Lead Qualification Answer", [{**parent, **values}], now_datetime())
	ready = sorted(at for at in (into.sales_ready_on, source.sales_ready_on) if at)
	if ready:
		frappe.db.set_value("Lead Qualification", kept, "sales_ready_on", ready[0])
	if source.decision and not into.decision:
		frappe.db.set_value("Lead Qualification", kept, {field: source.get(field) for field in DECISION})
