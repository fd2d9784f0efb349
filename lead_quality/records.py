"""Rows that the app writes by itself, fields that nobody else writes, and records that stay while they are used."""

from datetime import datetime

import frappe
from frappe import _
from frappe.model.naming import make_autoname

from lead_quality.base.listeners import listener


def insert_rows(doctype: str, rows: list[dict], at: datetime, lead=None) -> list[dict]:
	"""Insert rows of a hash-named DocType in one statement. No hook runs and nothing is validated.

	All rows name the same columns; a column that they do not name gets its default.

	:param at: naive instant in the site's zone, kept as creation.
	:param lead: the lead, document or row, where it is at hand: rows of a document that is about to be inserted wait
	    for it (`insert_waiting`).
	:returns: the rows with their names, in the same order.
	"""
	if not rows:
		return []
	user = frappe.session.user
	standard = {"owner": user, "modified_by": user, "creation": at, "modified": at}
	made = [frappe._dict(row, name=_new_name(doctype), **standard) for row in rows]
	flags = getattr(lead, "flags", None)
	if flags and flags.rows_wait is not None:
		flags.rows_wait.append((doctype, made))
	else:
		_insert(doctype, made)
	return made


@listener
def keep_waiting(doc, method=None):
	"""Lead `validate`: the rows of a new lead wait until it is inserted itself, which may still fail."""
	if doc.is_new():
		doc.flags.update({"rows_wait": [], "has_entered": True})
	else:
		# somebody's `after_insert` saves the lead again, before ours
		insert_waiting(doc)


def enters(doc, method: str) -> bool:
	"""Whether a lead comes in now, and its rooms are to make what belongs to it: before it is inserted; or after that, if
	it was saved without being validated, which leaves out `before_save` too."""
	return doc.is_new() if method == "before_save" else not doc.flags.has_entered


@listener
def insert_waiting(doc, method=None):
	"""Lead `after_insert`: its rows follow it."""
	waiting, doc.flags.rows_wait = doc.flags.rows_wait or [], None
	for doctype, made in waiting:
		for row in made:
			row["lead"] = doc.name  # by another name, if the first one was taken
		_insert(doctype, made)


def _insert(doctype: str, made: list[dict]):
	columns = ", ".join(f"`{column}`" for column in made[0])
	frappe.db.sql(
		f"insert into `tab{doctype}` ({columns}) values {', '.join(['%s'] * len(made))}",
		[tuple(map(_as_sql, row.values())) for row in made],
	)


def _new_name(doctype: str) -> str:
	# longer than Frappe's own, as nobody tries again here: ten characters meet a million others in time
	return make_autoname("hash", doctype) + frappe.generate_hash(length=6)


def update_rows(doctype: str, rows: list[dict], at: datetime | None = None):
	"""Update rows in one statement by their `name`. No hook runs and nothing is validated.

	All rows name the same columns, and are locked by the caller: of several, one that is gone would come back.

	:param at: naive instant in the site's zone, kept as modified; without it, nobody's open form is made stale.
	"""
	if not rows:
		return
	stamp = {"modified": at, "modified_by": frappe.session.user} if at else {}
	rows = [{**row, **stamp} for row in rows]
	if len(rows) == 1:
		name, values = rows[0].pop("name"), rows[0]
		updates = ", ".join(f"`{column}` = %s" for column in values)
		frappe.db.sql(
			f"update `tab{doctype}` set {updates} where name = %s", [*map(_as_sql, values.values()), name]
		)
		return
	columns = ", ".join(f"`{column}`" for column in rows[0])
	row_of_marks = f"({', '.join(['%s'] * len(rows[0]))})"
	updates = ", ".join(f"`{column}` = values(`{column}`)" for column in rows[0] if column != "name")
	frappe.db.sql(
		f"insert into `tab{doctype}` ({columns}) values {', '.join([row_of_marks] * len(rows))} "
		f"on duplicate key update {updates}",
		[_as_sql(value) for row in rows for value in row.values()],
	)


def _as_sql(value):
	# the two versions' drivers do not agree on what counts as a datetime
	return str(value) if isinstance(value, datetime) else value


def keep(doc, *fieldnames: str):
	"""Put back what only the app sets, whatever a form or an API call sent: Frappe guards `read_only` in forms only.

	The app's own saves are made with `ignore_permissions` and pass.
	"""
	if doc.flags.ignore_permissions:
		return
	before = doc.get_doc_before_save()
	for fieldname in fieldnames:
		doc.set(fieldname, before.get(fieldname) if before else None)


def refuse_deletion_in_use(doc, uses: tuple[tuple[str, str], ...], instead: str):
	"""Refuse to delete a document that others name.

	Frappe does so by itself only where the naming DocType is not among `ignore_links_on_delete`, as those are that go
	with their lead.

	:param uses: DocTypes and their fields that may name it.
	:param instead: a sentence that says what to do instead.
	:raises frappe.LinkExistsError: if one does.
	"""
	for doctype, fieldname in uses:
		row = frappe.get_meta(doctype).istable
		user = frappe.db.get_value(doctype, {fieldname: doc.name}, "parenttype" if row else "name")
		if user:
			frappe.throw(
				_("{0} is used by a {1}, so it stays. {2}").format(
					frappe.bold(doc.name), _(user if row else doctype), instead
				),
				frappe.LinkExistsError,
				title=_("In Use"),
			)
