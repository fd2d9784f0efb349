"""Judgements as the database has them: read and written in bulk, bypassing Frappe's documents, which cost more than the
judging."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from operator import attrgetter, itemgetter

import frappe

from lead_quality.base import query
from lead_quality.base.rows import insert_rows, update_rows
from lead_quality.funnel import journey
from lead_quality.qualification.answers import ANSWER, key_of
from lead_quality.qualification.judgement import DECISION, IDENTITY, JUDGED, Judgement

# whose a stored one is; where there are several of a lead, the last in this order counts
KEY = ("lead", "creation", "name")
INSTANTS = ("decided_on", "sales_ready_on", "valid_until", "answered_on")


def load(leads: Collection[str], lock: bool = True) -> list[Judgement]:
	"""The judgements of some leads, in one query, locked if they are to be written.

	Their values come as JSON: a driver in pure Python takes longer to read forty columns than the database to find
	them.
	"""
	held, given = (*KEY, "horizon", *DECISION, *JUDGED), ("name", *ANSWER)
	rows = query.run(
		f"""
		select json_array({", ".join(f"q.`{field}`" for field in held)}),
			json_array({", ".join(f"a.`{field}`" for field in given)})
		from `tabLead Qualification` q
		left join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
		where q.lead in %s {"for update" if lock else ""}
		""",
		(leads,),
	)
	answers: dict[str, list] = {}
	for judged, answer in rows:
		answers.setdefault(judged, []).append(_as_row(given, answer))
	# sorted here: the database would make a table on disk for it
	docs = sorted(
		(Judgement(_as_row(held, judged), answers=rows) for judged, rows in answers.items()),
		key=itemgetter(*KEY),
	)
	for doc in docs:
		doc.answers = sorted((row for row in doc.answers if row.name), key=attrgetter("idx"))
		known = {row.name: frappe._dict(row) for row in doc.answers}
		doc.before = frappe._dict(doc, rows=known, answers={key_of(row): row for row in known.values()})
	# a merge may have left a second one for a moment
	return list({doc.lead: doc for doc in docs}.values())


def _as_row(fields: tuple[str, ...], values: str) -> frappe._dict:
	row = frappe._dict(zip(fields, json.loads(values), strict=True))
	for field in INSTANTS:
		if row.get(field):
			row[field] = datetime.fromisoformat(row[field])
	return row


def write(judgements: Sequence[Judgement], now: datetime):
	"""Write new and changed judgements and their answers, each kind in one statement, bypassing their hooks.

	:param judgements: those that are in the database are locked, as `load` does it.
	:param now: naive instant in the site's zone, kept as modified.
	"""
	journey.mark(*(doc.lead for doc in judgements))
	new, known = [doc for doc in judgements if not doc.name], [doc for doc in judgements if doc.name]
	rows = [(doc, row) for doc in known for row in doc.answers]
	changed = [
		(row, doc.before.rows[row.name])
		for doc, row in rows
		if row.name and _is_changed(row, doc.before.rows)
	]
	update_rows("Lead Qualification", _changes([(doc, doc.before) for doc in known], JUDGED), now)
	update_rows("Lead Qualification Answer", _changes(changed, ANSWER), now)
	made = insert_rows("Lead Qualification", [_pick(doc, (*IDENTITY, *JUDGED)) for doc in new], now)
	for doc, row in zip(new, made, strict=True):
		doc.name = row.name
	parent = {"parenttype": "Lead Qualification", "parentfield": "answers"}
	insert_rows(
		"Lead Qualification Answer",
		[
			{"parent": doc.name, **parent, **_pick(row, ANSWER)}
			for doc in judgements
			for row in doc.answers
			if not row.name
		],
		now,
	)
	kept = {row.name for _doc, row in rows}
	gone = [old.name for doc in known for old in doc.before.rows.values() if old.name not in kept]
	if gone:
		frappe.db.delete("Lead Qualification Answer", {"name": query.among(gone)})


def _changes(pairs: list[tuple], fields: tuple[str, ...]) -> list[dict]:
	"""What to write of rows, each paired with what is stored of it: the columns in which one of them has changed."""
	columns = [field for field in fields if any(_differs(row, old, field) for row, old in pairs)]
	return [_pick(row, ("name", *columns)) for row, _old in pairs]


def _differs(row, old, field: str) -> bool:
	return (row[field] or None) != (old[field] or None)


def is_changed(doc: Judgement) -> bool:
	"""Whether judging has changed anything of a judgement that was loaded."""
	return (
		any(_differs(doc, doc.before, field) for field in JUDGED)
		or len(doc.answers) != len(doc.before.rows)
		or any(not row.name or _is_changed(row, doc.before.rows) for row in doc.answers)
	)


def _pick(row, fields: tuple[str, ...]) -> dict:
	return {field: row.get(field) for field in fields}


def _is_changed(row, stored: dict) -> bool:
	old = stored[row.name]
	return row != old and any(_differs(row, old, field) for field in ANSWER)
