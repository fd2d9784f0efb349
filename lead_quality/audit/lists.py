"""Lists of leads as CSV files that a spreadsheet opens without running anything in them."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lead_quality.audit.figures import Facts
from lead_quality.audit.report import Cell
from lead_quality.audit.store import Journey

WASTED_HEADERS = ("Lead", "Name", "E-mail", "Phone", "Came In", "Source", "Owner", "Status", "Why")
DUPLICATE_HEADERS = ("Lead", "Came In", "Same As")
# what spreadsheets take for a formula, and the whole-width forms that some of them read alike
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
HIDDEN = "not shown"
LEAST_DIGITS = 7  # of a telephone number
_NOBODY = "nobody was in touch, nobody decided, no step lies ahead"


class Names:
	"""What leads and owners are called in what is written: as they are, or by numbers only."""

	def __init__(self, facts: Iterable[Facts], is_anonymous: bool) -> None:
		self.is_anonymous = is_anonymous
		self._leads: dict[str, str] = {}
		self._owners: dict[str, str] = {}
		if is_anonymous:
			for number, one in enumerate(facts, start=1):
				self._leads[one.journey.lead] = f"Lead {number}"
				if one.journey.owner and one.journey.owner not in self._owners:
					self._owners[one.journey.owner] = f"Owner {len(self._owners) + 1}"

	def lead(self, name: str) -> str:
		return self._leads[name] if self.is_anonymous else name

	def owner(self, one: Facts) -> str:
		return self._owners.get(one.owner, one.owner)

	def personal(self, text: str) -> str:
		"""What says who somebody is: nothing, where nobody is to be known."""
		return "" if self.is_anonymous else text


def nameless(journey: Journey, named: Collection[str] = ()) -> Journey:
	"""A lead without what its source and its status may tell of a person: see `is_personal`."""
	source, status = (impersonal(text, named) for text in (journey.source, journey.status))
	if (source, status) == (journey.source, journey.status):
		return journey
	return replace(journey, source=source, status=status)


def impersonal(value: Any, named: Collection[str] = ()) -> Any:
	"""A value, unless it is a text that may tell of a person."""
	return HIDDEN if isinstance(value, str) and is_personal(value, named) else value


def is_personal(text: str, named: Collection[str] = ()) -> bool:
	"""Whether a text has an e-mail address or a telephone number in it, or is one of those in which a name stands."""
	return text in named or "@" in text or sum(letter.isdigit() for letter in text) >= LEAST_DIGITS


def wasted(facts: Sequence[Facts], names: Names) -> Iterator[list[Cell]]:
	"""The wasted leads, the last to come in first: they may still be won."""
	for one in reversed(facts):
		if one.is_wasted:
			journey = one.journey
			yield [
				names.lead(journey.lead),
				names.personal(journey.title),
				names.personal(journey.email),
				names.personal(journey.phones.replace("|", ", ")),
				f"{journey.entered_at:%Y-%m-%d %H:%M}",
				journey.source,
				names.owner(one) if journey.owner else "",
				journey.status,
				_NOBODY,
			]


def duplicates(facts: Sequence[Facts], twins: Mapping[str, str], names: Names) -> Iterator[list[Cell]]:
	"""Each lead that came in after another one, with that one, by `figures.duplicates`."""
	for one in facts:
		if one.journey.lead in twins:
			yield [
				names.lead(one.journey.lead),
				f"{one.journey.entered_at:%Y-%m-%d %H:%M}",
				names.lead(twins[one.journey.lead]),
			]


def defused(cell: Cell) -> Cell:
	"""A cell that no spreadsheet takes for a formula: an apostrophe goes before what looks like one."""
	if isinstance(cell, str) and cell.lstrip(" \u00a0").startswith(_FORMULA):
		return "'" + cell
	return cell


def write(path: Path, headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
	"""Write a list, and say how many rows it has."""
	count = 0
	with path.open("w", encoding="utf-8-sig", newline="") as file:
		writer = csv.writer(file)
		writer.writerow(headers)
		for row in rows:
			writer.writerow([defused(cell) for cell in row])
			count += 1
	return count
