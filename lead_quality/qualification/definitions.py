"""What all processes share of the definitions that leads are held against: segments, checklists, agreements."""

import frappe

CACHE = "lead_quality_definitions"

# field, operator and value of a segment's rule
Rule = tuple[str, str, str]


def in_force() -> dict:
	"""The definitions that hold now, kept as one value in Redis: every save of a Lead asks for them.

	:returns: `segments`, the names of the enabled ones in their order, with their rules; `sources`, the fields and
	    facts that criteria of checklists in force name as `lead_field`; `agreements`, the names of the Active ones by
	    company and segment; and a `token`, another one each time that any of these has changed.
	"""
	return frappe.cache.get_value(CACHE, _load)


def clear_caches():
	"""Forget the definitions, and once more at the end of the transaction: until then others read what was, and this
	one what may never be."""

	def clear():
		frappe.cache.delete_value(CACHE)

	clear()
	frappe.db.after_commit.add(clear)
	frappe.db.after_rollback.add(clear)


def _load() -> dict:
	return {
		"segments": _segments(),
		"sources": _sources(),
		"agreements": _agreements(),
		"token": frappe.generate_hash(),
	}


def _segments() -> list[tuple[str, list[Rule]]]:
	names = frappe.get_all(
		"Lead Segment", {"enabled": 1}, pluck="name", order_by="priority asc, creation asc, name asc"
	)
	rules: dict[str, list[Rule]] = {name: [] for name in names}
	for row in frappe.get_all(
		"Lead Segment Rule",
		{"parent": ["in", names]},
		["parent", "field", "operator", "value"],
		order_by="idx asc",
	):
		rules[row.parent].append((row.field, row.operator, row.value or ""))
	return list(rules.items())


def _sources() -> frozenset[str]:
	return frozenset(
		frappe.db.sql_list(
			"""
			select distinct c.lead_field from `tabQualification Criterion` c
			join `tabQualification Checklist` l on l.name = c.parent
			where l.status != 'Draft' and ifnull(c.lead_field, '') != ''
			"""
		)
	)


def _agreements() -> dict[tuple[str | None, str | None], str]:
	rows = frappe.get_all(
		"Sales Ready Agreement", {"status": "Active"}, ["name", "company", "segment"], order_by="creation asc"
	)
	return {(row.company or None, row.segment or None): row.name for row in rows}
