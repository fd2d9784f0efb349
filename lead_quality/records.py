"""Rows that the app writes by itself, and fields that nobody else writes."""

from datetime import datetime

import frappe
from frappe.model.document import bulk_insert
from frappe.model.naming import make_autoname


def insert_rows(doctype: str, rows: list[dict], at: datetime) -> list:
	"""Insert rows of a hash-named DocType in one statement. No hook runs and nothing is validated.

	:param at: naive instant in the site's zone, kept as creation.
	:returns: the documents, in the order of `rows`.
	"""
	docs = [
		frappe.get_doc(
			{
				"doctype": doctype,
				"name": make_autoname("hash", doctype),
				"owner": frappe.session.user,
				"modified_by": frappe.session.user,
				"creation": at,
				"modified": at,
				"docstatus": 0,
				"idx": 0,
				**row,
			}
		)
		for row in rows
	]
	if docs:
		bulk_insert(doctype, docs)
	return docs


def keep(doc, *fieldnames: str):
	"""Put back what only the app sets, whatever a form or an API call sent: Frappe guards `read_only` in forms only.

	The app's own saves are made with `ignore_permissions` and pass.
	"""
	if doc.flags.ignore_permissions:
		return
	before = doc.get_doc_before_save()
	for fieldname in fieldnames:
		doc.set(fieldname, before.get(fieldname) if before else None)
