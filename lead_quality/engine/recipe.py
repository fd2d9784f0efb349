"""Settings that an audit proposes, as a file that the app takes in: what may stand in it, and what of it is right.

Data with these keys: `format`, `version`, `of` (whose audit), `as_of`, and `records`, each with its DocType, its title, the
values of the fields that are named here, and `why` it is proposed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FORMAT = "lead_quality.recipe"
VERSION = 1
MOST_RECORDS = 200
LONGEST_TEXT = 500
LONGEST_NAME = 140
CALENDAR, POLICY, SEGMENT = "Working Calendar", "Follow Up Policy", "Lead Segment"
REASON = "Lead Outcome Reason"

# DocType to its fields; those of a table to the fields of its rows. In the order in which they are made
FIELDS: Mapping[str, Mapping[str, Sequence[str]]] = {
	CALENDAR: {"time_zone": (), "hours": ("weekday", "opens", "closes")},
	POLICY: {"working_calendar": (), "targets": ("clock", "within", "unit")},
	REASON: {"applies_to": ()},
	SEGMENT: {"follow_up_policy": (), "rules": ("field", "operator", "value")},
}

Value = str | int | float


class UnknownFormat(ValueError):
	"""It is no recipe, or one of a version that is not known here, which is what `str` of it gives."""


class Broken(ValueError):
	"""It is a recipe, but not all that stands in it is right: `str` of it says where."""


@dataclass(frozen=True)
class Record:
	"""One document that is proposed."""

	doctype: str
	title: str
	values: Mapping[str, Value | Sequence[Mapping[str, Value]]]
	why: str = ""

	@property
	def name(self) -> str:
		"""What the document is called: a reason by what it is for, too."""
		return f"{self.values.get('applies_to')}: {self.title}" if self.doctype == REASON else self.title

	def as_data(self) -> dict[str, object]:
		return {"doctype": self.doctype, "title": self.title, "values": self.values, "why": self.why}


def written(records: Sequence[Record], of: str, as_of: str) -> str:
	"""A recipe as a text, to be kept in a file."""
	data = {
		"format": FORMAT,
		"version": VERSION,
		"of": of,
		"as_of": as_of,
		"records": [record.as_data() for record in records],
	}
	return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def read(text: str) -> list[Record]:
	"""The documents that a recipe proposes, those first that others name.

	:raises UnknownFormat: see there.
	:raises Broken: see there.
	"""
	try:
		data = json.loads(text)
	except (ValueError, TypeError, RecursionError):
		raise UnknownFormat("") from None
	if not isinstance(data, dict) or data.get("format") != FORMAT:
		raise UnknownFormat("")
	if data.get("version") != VERSION or isinstance(data["version"], bool):
		raise UnknownFormat(str(data.get("version"))[:20])
	records = data.get("records")
	if not isinstance(records, list) or len(records) > MOST_RECORDS:
		raise Broken("records")
	found = [_record(one, f"records[{number}]") for number, one in enumerate(records)]
	order = list(FIELDS)
	return sorted(found, key=lambda record: order.index(record.doctype))


def _record(data: object, place: str) -> Record:
	if not isinstance(data, dict) or data.get("doctype") not in FIELDS:
		raise Broken(f"{place}.doctype")
	title, values = data.get("title"), data.get("values")
	if not isinstance(title, str) or not title.strip() or len(title) > LONGEST_NAME:
		raise Broken(f"{place}.title")
	if not isinstance(values, dict):
		raise Broken(f"{place}.values")
	fields = FIELDS[data["doctype"]]
	kept: dict[str, Value | Sequence[Mapping[str, Value]]] = {}
	for name, value in values.items():
		where = f"{place}.values.{name}"
		if name not in fields:
			raise Broken(where)
		kept[name] = _rows(value, fields[name], where) if fields[name] else _value(value, where)
	record = Record(data["doctype"], title.strip(), kept, str(data.get("why") or "")[:LONGEST_TEXT])
	if len(record.name) > LONGEST_NAME:
		raise Broken(f"{place}.title")
	return record


def _rows(data: object, fields: Sequence[str], place: str) -> list[dict[str, Value]]:
	if not isinstance(data, list) or len(data) > MOST_RECORDS:
		raise Broken(place)
	rows = []
	for number, row in enumerate(data):
		where = f"{place}[{number}]"
		if not isinstance(row, dict) or not set(row) <= set(fields):
			raise Broken(where)
		rows.append({name: _value(value, f"{where}.{name}") for name, value in row.items()})
	return rows


def _value(data: object, place: str) -> Value:
	if isinstance(data, bool) or not isinstance(data, str | int | float) or len(str(data)) > LONGEST_TEXT:
		raise Broken(place)
	return data
