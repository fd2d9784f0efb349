"""What the rules of a segment may compare a field of Lead with."""

from difflib import get_close_matches

import frappe
from frappe import _

from lead_quality.base.versions import lead_field
from lead_quality.engine.qualification import split_list

MOST_OFFERED = 20
MOST_COMPARED = 5000


def known_values(field: str, txt: str = "") -> list[str]:
	"""The values with `txt` in them that a field of Lead may hold: the records of a link that the user may read, or the
	options of a choice. Empty for other fields."""
	df = field_of(field)
	if not df:
		return []
	if df.fieldtype == "Select":
		return [option for option in choices(df) if txt.lower() in option.lower()]
	if not any(frappe.has_permission(df.options, right) for right in ("select", "read")):
		return []
	return frappe.get_list(
		df.options, {"name": ["like", f"%{txt}%"]}, pluck="name", order_by="name asc", limit=MOST_OFFERED
	)


def odd_values(rules) -> list[str]:
	"""Sentences on rules (rows of a Lead Segment) that compare a link or a choice with what does not exist, so that no
	lead can have it."""
	found = []
	for rule in rules:
		df = field_of(rule.field) if rule.operator in {"=", "!=", "in", "not in"} else None
		if not df:
			continue
		values = split_list(rule.value or "") if rule.operator in {"in", "not in"} else [rule.value or ""]
		for value in values:
			if value and not is_known(df, value):
				found.append(in_words(rule.idx, df, value))
	return found


def field_of(field: str):
	"""The link or choice of Lead that a rule names, if it is one."""
	fieldname = lead_field(field or "")
	df = fieldname and frappe.get_meta("Lead").get_field(fieldname)
	return df if df and df.fieldtype in {"Link", "Select"} and df.options else None


def choices(df) -> list[str]:
	return [option for option in df.options.split("\n") if option]


def is_known(df, value: str) -> bool:
	if df.fieldtype == "Link":
		return bool(frappe.db.exists(df.options, value))
	return value.casefold() in {option.casefold() for option in choices(df)}


def in_words(row: int, df, value: str) -> str:
	"""That no lead can have a value, and which one may have been meant."""
	names = (
		choices(df)
		if df.fieldtype == "Select"
		else frappe.get_all(df.options, pluck="name", limit=MOST_COMPARED)
	)
	similar = get_close_matches(value, names, n=1)
	words = _("Rule {0}: there is no {1} {2}, so the rule matches no lead.").format(row, _(df.label), value)
	if similar:
		return f"{words} {_('Did you mean {0}?').format(similar[0])}"
	return f"{words} {_('Choose a value from the list.')}"
