"""What was written without Frappe's cleaning, such as a visitor's company name in the summary of a touch, is
cleaned."""

import frappe

from lead_quality.base import query
from lead_quality.base.rows import MARKUP_FIELDS, clean_row


def execute():
	for doctype in frappe.get_all("DocType", {"module": "Lead Quality", "issingle": 0}, pluck="name"):
		columns = frappe.db.get_table_columns(doctype)
		fields = [
			field.fieldname
			for field in frappe.get_meta(doctype).fields
			if field.fieldtype in MARKUP_FIELDS and field.fieldname in columns
		]
		if fields:
			clean(doctype, fields)


def clean(doctype: str, fields: list[str]):
	named = ", ".join(f"`{field}`" for field in fields)
	marked = " or ".join(f"`{field}` like '%%<%%' or `{field}` like '%%>%%'" for field in fields)
	rows = query.run(f"select name, {named} from `tab{doctype}` where {marked}", as_dict=True)
	for row in rows:
		cleaned = clean_row(doctype, row)
		changed = {field: cleaned[field] for field in fields if cleaned[field] != row[field]}
		if changed:
			updates = ", ".join(f"`{field}` = %s" for field in changed)
			query.run(f"update `tab{doctype}` set {updates} where name = %s", [*changed.values(), row.name])
