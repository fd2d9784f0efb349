"""Exports of Frappe's that ask for too little: who may export nothing exports nothing, and no export tells a user what is
above his permission levels. As `overrides/whitelisted.py`, by Frappe's own names (`override_whitelisted_methods`)."""

import frappe
from frappe.core.doctype.data_export import exporter
from frappe.core.doctype.data_import import data_import
from frappe.permissions import can_export
from frappe.utils import cint

from lead_quality.overrides.whitelisted import is_guarded

Columns = dict[str, list[str]]


@frappe.whitelist()
def export_data(
	doctype: str | list | None = None,
	parent_doctype: str | None = None,
	all_doctypes: bool | str = True,
	with_data: bool | str = False,
	select_columns: dict | str | None = None,
	file_type: str = "CSV",
	template: bool | str = False,
	filters: dict | list | str | None = None,
	export_without_column_meta: bool | str = False,
):
	"""A Data Export. Frappe asks for the right to export what the request calls the parent, whatever is exported, and reads
	the rows of tables past all permission levels.

	:raises frappe.PermissionError: to who may not export the DocType.
	"""
	exported = doctype[0] if isinstance(doctype, list) else doctype
	is_template = template.lower() == "true" if isinstance(template, str) else bool(template)
	if exported and is_guarded(exported) and (cint(with_data) or not is_template):
		check_export(exported, parent_doctype)
		columns = readable_columns(exported, parent_doctype, frappe.parse_json(select_columns))
		select_columns = frappe.as_json(columns)  # as text it is written into the Access Log
	return exporter.export_data(
		doctype,
		parent_doctype,
		all_doctypes,
		with_data,
		select_columns,
		file_type,
		template,
		filters,
		export_without_column_meta,
	)


@frappe.whitelist()
def download_template(
	doctype: str,
	export_fields: dict | str | None = None,
	export_records: str | None = None,
	export_filters: dict | list | str | None = None,
	file_type: str = "CSV",
):
	"""A file for a Data Import, with documents or without. Frappe reads the rows of tables past all permission levels."""
	fields = frappe.parse_json(export_fields)
	if is_guarded(doctype) and isinstance(fields, dict):
		tables = {field.fieldname: field.options for field in frappe.get_meta(doctype).get_table_fields()}
		allowed = {doctype: readable(doctype)}
		allowed |= {fieldname: readable(table, doctype) for fieldname, table in tables.items()}
		fields = only_allowed(allowed, fields)
	return data_import.download_template(doctype, fields, export_records, export_filters, file_type)


def check_export(doctype: str, parent: str | None):
	"""Refuse an export to who may not export the DocType, or, if it is that of a table, its parent.

	:raises frappe.PermissionError: as Frappe does.
	"""
	is_table = frappe.get_meta(doctype).istable
	frappe.has_permission(doctype, parent_doctype=parent if is_table else None, throw=True)
	can_export(parent if is_table else doctype, raise_exception=True)


def readable_columns(doctype: str, parent: str | None, selected: Columns | None) -> Columns:
	"""What an export of a DocType and its tables may have as columns: of the selected ones, or of all."""
	meta = frappe.get_meta(doctype)
	allowed = {doctype: readable(doctype, parent if meta.istable else None)}
	allowed |= {field.options: readable(field.options, doctype) for field in meta.get_table_fields()}
	return only_allowed(allowed, selected or {table: list(fields) for table, fields in allowed.items()})


def readable(doctype: str, parent: str | None = None) -> set[str]:
	"""The columns of a DocType, or of the rows of a parent's table, that the user's permission levels let him read."""
	fields = frappe.get_meta(doctype).get_permitted_fieldnames(parenttype=parent, with_virtual_fields=False)
	return {"name", "owner", "creation", *fields}


def only_allowed(allowed: dict[str, set[str]], columns: Columns) -> Columns:
	"""The columns of each table that are allowed, in their order."""
	return {
		table: [field for field in fields if field in allowed.get(table, ())]
		for table, fields in columns.items()
	}
