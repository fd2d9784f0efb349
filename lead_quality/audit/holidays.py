"""Public holidays of a file: a calendar (ICS), or a table with a column of dates, such as an export of a Holiday List."""

import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from pathlib import Path

from lead_quality.audit import readers, values
from lead_quality.audit.readers import CannotRead

LONGEST = 366  # days of one entry of a calendar
_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T\d{6}Z?)?")
# the span of an exported Holiday List, which stands beside its days
_OF_LIST = frozenset(
	("from date", "to date", "from_date", "to_date", "creation", "modified", "created on", "last updated on")
)


def of_file(path: Path, order: str = "") -> frozenset[date]:
	"""The days that a file names.

	:param order: the order of dates (YMD, DMY, MDY), where the file cannot tell.
	:raises CannotRead: it names none, or says what is not understood.
	"""
	if not path.is_file():
		raise CannotRead(f"--holidays: {path}: there is no such file.")
	days = frozenset(_of_calendar(path) if path.suffix.lower() == ".ics" else _of_table(path, order))
	if not days:
		raise CannotRead(
			f"--holidays: {path.name} names no day. It is a calendar (.ics), or a CSV or XLSX with a column of dates."
		)
	return days


def _of_table(path: Path, order: str) -> Iterator[date]:
	lines = readers.rows_of(path)
	columns: dict[int, list[tuple[int, str]]] = {}
	span: set[int] = set()
	for line, cells in lines:
		for place, cell in enumerate(cells):
			if cell.strip().lower().split(" (")[0] in _OF_LIST:
				span.add(place)
			if values.is_date(cell):
				columns.setdefault(place, []).append((line, cell.strip()))
	found = [
		(len({cell for _line, cell in cells}), -place)
		for place, cells in columns.items()
		if place not in span
	]
	if not found:
		return
	_days, place = max(found)
	dates = columns[-place]
	order = order or values.order_of_dates(text for _line, text in dates) or ""
	for line, text in dates:
		try:
			yield values.moment(text, order or None).date()
		except values.Unreadable as expected:
			raise CannotRead(
				f"--holidays: {path.name}, line {line}: expected {expected}; found {text!r}. Say the order with --dates."
			) from None


def _of_calendar(path: Path) -> Iterator[date]:
	"""The days of the entries of a calendar (RFC 5545). Feasts that come back every year are not computed: a calendar of
	holidays names each."""
	try:
		text = path.read_text(encoding="utf-8-sig")
	except UnicodeDecodeError:
		raise CannotRead(f"--holidays: {path.name} is no text in UTF-8.") from None
	entry: dict[str, str] = {}
	for number, line in enumerate(re.sub(r"\r?\n[ \t]", "", text).splitlines(), start=1):
		name, _colon, value = line.partition(":")
		name = name.split(";")[0].upper()
		if (name, value.strip().upper()) == ("BEGIN", "VEVENT"):
			entry = {}
		elif (name, value.strip().upper()) == ("END", "VEVENT"):
			yield from _of_entry(path, number, entry)
		else:
			entry.setdefault(name, value.strip())


def _of_entry(path: Path, number: int, entry: dict[str, str]) -> Iterator[date]:
	if "RRULE" in entry:
		raise CannotRead(
			f"--holidays: {path.name}, line {number}: {entry.get('SUMMARY', 'an entry')!r} is repeated by a rule, which is not "
			"understood. Export the calendar with each day by itself, or name the days in a CSV."
		)
	begin = _day(path, number, entry.get("DTSTART", ""))
	end = _day(path, number, entry["DTEND"]) if "DTEND" in entry else begin + timedelta(days=1)
	for at in range(max(min((end - begin).days, LONGEST), 1)):
		yield begin + timedelta(days=at)


def _day(path: Path, number: int, text: str) -> date:
	found = _DAY.fullmatch(text)
	try:
		if found:
			return date(int(found[1]), int(found[2]), int(found[3]))
	except ValueError:
		pass
	raise CannotRead(
		f"--holidays: {path.name}, line {number}: expected a day such as 20261225; found {text!r}."
	)


def in_words(days: Collection[date], of: str, since: date, until: date) -> str:
	"""Which holidays are no working days, of the time that the audit looks at."""
	within = sum(since <= day <= until for day in days)
	return f"without the {within:,} days of {of}" if within else "public holidays not known"


def lacking(days: Collection[date], of: str, since: date, until: date) -> list[str]:
	"""What is not known of the holidays of that time."""
	if not any(since <= day <= until for day in days):
		return [
			"Public holidays: they count as working days, so that leads that came in before one look slower answered. Name them "
			"with --holidays FILE."
		]
	years = {day.year for day in days}
	unknown = [year for year in range(since.year, until.year + 1) if year not in years]
	if not unknown:
		return []
	return [
		f"Public holidays of {', '.join(str(year) for year in unknown)}: {of} has none, so they count as working days."
	]
