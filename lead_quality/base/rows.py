"""Bulk writes: many rows in one statement, with text sanitized as by Frappe's save."""

from datetime import datetime

import frappe
from bs4 import BeautifulSoup
from frappe.model.naming import make_autoname
from frappe.utils.html_utils import sanitize_html

# field types that may contain markup; names of records cannot
MARKUP_FIELDS = frozenset(
	{
		"Autocomplete",
		"Data",
		"Small Text",
		"Text",
		"Long Text",
		"Text Editor",
		"HTML Editor",
		"Markdown Editor",
		"Code",
		"JSON",
		"Select",
	}
)
# field types in which Frappe keeps markup unchanged
KEPT_AS_IS = frozenset({"Attach", "Attach Image", "Barcode", "Code"})


def insert_rows(doctype: str, rows: list[dict], at: datetime) -> list:
	"""Insert rows of a hash-named DocType in one statement. No hooks run and nothing is validated.

	All rows have the same columns; missing columns get their default.

	:param at: naive instant in the site's zone, stored as creation.
	:returns: the rows with their names, in the same order.
	"""
	made = make_rows(doctype, rows, at)
	insert_made(doctype, made)
	return made


def make_rows(doctype: str, rows: list[dict], at: datetime) -> list:
	"""Rows with their names, prepared for `insert_made`."""
	user = frappe.session.user
	standard = {"owner": user, "modified_by": user, "creation": at, "modified": at}
	return [frappe._dict(row, name=_new_name(doctype), **standard) for row in rows]


def insert_made(doctype: str, made: list):
	"""Insert the rows from `make_rows`; does nothing without rows."""
	if made:
		_insert(doctype, [clean_row(doctype, row) for row in made])


def insert_copies(doctype: str, rows: list[dict], at: datetime):
	"""As `insert_rows`, of what other tables hold, as it stands there, so that both compare as equal. Needs rows."""
	_insert(doctype, make_rows(doctype, rows, at))


def _insert(doctype: str, made: list):
	columns = ", ".join(f"`{column}`" for column in made[0])
	frappe.db.sql(  # nosemgrep
		f"insert into `tab{doctype}` ({columns}) values {', '.join(['%s'] * len(made))}",
		[tuple(as_sql(value) for value in row.values()) for row in made],
	)


def _new_name(doctype: str) -> str:
	# longer than Frappe's own names, because there is no retry here: ten characters would collide among millions
	return make_autoname("hash", doctype) + frappe.generate_hash(length=6)


def update_rows(doctype: str, rows: list[dict], at: datetime | None = None):
	"""Update rows in one statement by their `name`. No hooks run and nothing is validated.

	All rows have the same columns. The caller must lock them, because a deleted row would be inserted again.

	:param at: naive instant in the site's zone, stored as modified; without it, open forms do not become stale.
	"""
	if not rows:
		return
	stamp = {"modified": at, "modified_by": frappe.session.user} if at else {}
	rows = [{**clean_row(doctype, row), **stamp} for row in rows]
	if len(rows) == 1:
		name, values = rows[0].pop("name"), rows[0]
		updates = ", ".join(f"`{column}` = %s" for column in values)
		frappe.db.sql(  # nosemgrep
			f"update `tab{doctype}` set {updates} where name = %s",
			[*(as_sql(value) for value in values.values()), name],
		)
		return
	columns = ", ".join(f"`{column}`" for column in rows[0])
	row_of_marks = f"({', '.join(['%s'] * len(rows[0]))})"
	updates = ", ".join(f"`{column}` = values(`{column}`)" for column in rows[0] if column != "name")
	frappe.db.sql(  # nosemgrep
		f"insert into `tab{doctype}` ({columns}) values {', '.join([row_of_marks] * len(rows))} "
		f"on duplicate key update {updates}",
		[as_sql(value) for row in rows for value in row.values()],
	)


def clean_row(doctype: str, row: dict) -> dict:
	"""A sanitized row of a DocType's table, as Frappe would save it."""
	if not any(isinstance(value, str) and ("<" in value or ">" in value) for value in row.values()):
		return row
	meta = frappe.get_meta(doctype)
	return {
		fieldname: clean_text(value, meta.get_field(fieldname)) if isinstance(value, str) else value
		for fieldname, value in row.items()
	}


def clean_text(value: str, field=None) -> str:
	"""A text as Frappe would save it in a field of a DocType, or in a column of Frappe's own."""
	if "<" not in value and ">" not in value:
		return value
	if "<!-- markdown -->" in value and not BeautifulSoup(value, "html.parser").find():
		return value
	if field and (
		field.get("ignore_xss_filter")
		or field.fieldtype in KEPT_AS_IS
		or (field.fieldtype in {"Data", "Small Text", "Text"} and field.options == "Email")
	):
		return value
	return sanitize_html(value, linkify=bool(field) and field.fieldtype == "Text Editor")


def as_sql(value):
	"""A value in the form that both Frappe versions can bind."""
	# the database drivers of the two versions treat datetimes differently
	return str(value) if isinstance(value, datetime) else value
