"""Settings that an audit proposes (`engine.recipe`), looked at and taken in from the form of Lead Quality Settings. What is
there already stays as it is; new segments are switched off, so that no lead moves before somebody wants it."""

import frappe
from frappe import _

from lead_quality.base.texts import bold
from lead_quality.engine import recipe as recipes
from lead_quality.engine.recipe import CALENDAR, POLICY, REASON, SEGMENT, Broken, Record, UnknownFormat

PRIORITY = 5  # before the segments that come with the app, whose sources they take


@frappe.whitelist(methods=["POST"])
def look_at(recipe: str) -> list[dict]:
	"""What a recipe would make.

	:param recipe: the text of the file.
	:returns: rows of `doctype`, `title`, `name` (what it is called, once it is there), `why`, and `is_new`.
	"""
	_check_rights()
	return _rows(_read(recipe))


@frappe.whitelist(methods=["POST"])
def take_in(recipe: str) -> list[dict]:
	"""Make what of a recipe is not there yet; all of it, or nothing if something of it is wrong.

	:returns: as `look_at`: what was new is made now.
	"""
	_check_rights()
	records = _read(recipe)
	rows = _rows(records)
	for record, row in zip(records, rows, strict=True):
		if row["is_new"]:
			_make(record)
	return rows


def _check_rights():
	frappe.has_permission("Lead Quality Settings", "write", throw=True)
	for doctype in recipes.FIELDS:
		frappe.has_permission(doctype, "create", throw=True)


def _read(recipe: str) -> list[Record]:
	try:
		return recipes.read(recipe)
	except UnknownFormat as error:
		if str(error):
			frappe.throw(
				_(
					"This recipe has the format version {0}. This site takes version {1}: update the app, or the audit."
				).format(bold(str(error)), recipes.VERSION)
			)
		frappe.throw(_("This is no recipe. Choose the file recipe.json that the audit has written."))
	except Broken as error:
		frappe.throw(
			_(
				"This recipe is not as the audit writes it, at {0}. Run the audit again, and choose its file."
			).format(bold(str(error)))
		)


def _rows(records: list[Record]) -> list[dict]:
	return [
		{
			"doctype": record.doctype,
			"title": record.title,
			"name": record.name,
			"why": record.why,
			"is_new": not frappe.db.exists(record.doctype, record.name),
		}
		for record in records
	]


def _make(record: Record):
	values = dict(record.values)
	if record.doctype == CALENDAR:
		values["time_zone"] = values.get("time_zone") or frappe.utils.get_system_timezone()
	if record.doctype == POLICY:
		values["working_calendar"] = values.get("working_calendar") or _any(CALENDAR) or ""
	if record.doctype == SEGMENT:
		values = {**_as_all_others(), **values, "enabled": 0, "priority": PRIORITY}
	called = "reason" if record.doctype == REASON else "title"
	frappe.get_doc({"doctype": record.doctype, called: record.title, **values}).insert()


def _any(doctype: str) -> str | None:
	names = frappe.get_all(doctype, pluck="name", order_by="creation asc", limit=1)
	return names[0] if names else None


def _as_all_others() -> dict:
	"""Checklist and cadence of the segment that takes what no other takes, as far as they may be chosen today."""
	rows = frappe.get_all(
		SEGMENT, {"enabled": 1}, ["checklist", "cadence"], order_by="priority desc, creation desc", limit=1
	)
	chosen = {}
	for field, doctype in (("checklist", "Qualification Checklist"), ("cadence", "Nurture Cadence")):
		name = rows[0][field] if rows else None
		if name and frappe.db.get_value(doctype, name, "status") == "Active":
			chosen[field] = name
	return chosen
