"""A dry run of a segment's rules on the existing leads, before the segment is enabled."""

from collections import Counter

import frappe
from frappe.utils import cint

from lead_quality.base import query
from lead_quality.engine import qualification as engine
from lead_quality.people.visitors import is_visitor
from lead_quality.permissions import bindable, lead_condition
from lead_quality.qualification import segments
from lead_quality.qualification.definitions import Rule, in_force

MOST_SHOWN = 20
CHUNK = 10_000


def try_out(segment) -> dict:
	"""What a Lead Segment document, saved or not, would do to the existing leads that the user may see.

	:returns: `leads` in all, how many its rules alone `match`, how many it would `take` in its place among the
	    enabled segments, how many `change` segment, `moves` (from, to, leads), and some of the leads that change
	    (name, title, from, to).
	"""
	# a new one will be named by its title
	name = (segment.title if segment.is_new() else segment.name) or ""
	present, tried = segments.get_segments(), in_place(segment, name)
	own = segments.as_segment(name, rules_of(segment))
	fields = segments.fields_of_rules([*present, *tried, own])
	counts: Counter = Counter()
	moves: Counter = Counter()
	changed: list = []
	for lead in visible_leads(["name", "title", "owner", "lq_segment", *fields]):
		counts["leads"] += 1
		from_visitor = is_visitor(lead.owner)
		counts["match"] += engine.pick_segment([own], lead, from_visitor) is not None
		after = engine.pick_segment(tried, lead, from_visitor)
		counts["take"] += after == own.name
		if after != lead.lq_segment:
			moves[lead.lq_segment, after] += 1
			if len(changed) < MOST_SHOWN:
				changed.append({"name": lead.name, "title": lead.title, "from": lead.lq_segment, "to": after})
	return {
		"leads": counts["leads"],
		"match": counts["match"],
		"take": counts["take"],
		"change": sum(moves.values()),
		"moves": [{"from": a, "to": b, "leads": count} for (a, b), count in moves.most_common()],
		"examples": changed,
	}


def in_place(segment, name: str) -> list[engine.Segment]:
	"""The enabled segments in their order, with one document in place of what is stored under its name."""
	rows = frappe.get_all(
		"Lead Segment",
		{"enabled": 1, "name": ["!=", name]},
		["name", "priority", "creation"],
		order_by="priority asc, creation asc, name asc",
	)
	rules = dict(in_force()["segments"])
	placed = [((row.priority, str(row.creation), row.name), row.name, rules[row.name]) for row in rows]
	if segment.enabled:
		at = (segment.priority or 0, str(segment.creation or "9999"), name)
		placed.append((at, name, rules_of(segment)))
	return segments.as_segments(
		[(name, rows) for _at, name, rows in sorted(placed, key=lambda item: item[0])]
	)


def rules_of(segment) -> list[Rule]:
	return [
		(row.field, row.operator, row.value or "", bool(cint(row.not_from_visitors))) for row in segment.rules
	]


def visible_leads(fields: list[str]):
	"""Every lead that the user may see, in the order of names, without holding all of them in memory."""
	condition, last = bindable(lead_condition()) or "1 = 1", ""
	columns = ", ".join(f"`tabLead`.`{field}`" for field in dict.fromkeys(fields))
	while True:
		rows = query.run(
			f"select {columns} from `tabLead` where `tabLead`.name > %s and ({condition}) order by `tabLead`.name limit {CHUNK}",
			(last,),
			as_dict=True,
		)
		yield from rows
		if len(rows) < CHUNK:
			return
		last = rows[-1].name
