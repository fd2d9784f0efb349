"""Exports of ERPNext's Report view and Data Export, and plain tables, row by row: CSV and XLSX."""

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path

from lead_quality.audit import columns, totals, values
from lead_quality.audit.columns import (
	ADDRESS,
	ADDRESSES,
	DOCUMENTS,
	FIELDS,
	MOMENT,
	NUMBER,
	OF_ROWS,
	PAST,
	Recognised,
)

Row = tuple[int, list[str]]
"""A line's number in its file (from 1), and its cells."""
Part = tuple[int, bytes]
"""Lines that are not taken apart yet, and the number of the first."""
Value = str | float | datetime | None

HEADERS_WITHIN = 40  # lines
LOOKED_AT = 2_000  # rows, to tell how dates and amounts are written
PROBLEMS_KEPT = 1_000  # of a file
LINES_OF_A_RECORD = 5_000
BROKEN = "\0"  # of a record that is none; no line holds it
WORKBOOK = b"PK\x03\x04"
# by the first bytes of a file
NOT_READ = {
	b"\xd0\xcf\x11\xe0": "a workbook of an old Excel. Save it as XLSX or CSV.",
	b"\x1f\x8b": "packed. Unpack it; a backup of a database is called *.sql.gz.",
	b"%PDF": "a PDF. It takes CSV or XLSX.",
}
DELIMITERS = ",;\t|"
csv.field_size_limit(2**27)


class CannotRead(ValueError):
	"""A file is of no use; says which, why, and what to do."""


class NothingInIt(CannotRead):
	"""A file is empty."""


@dataclass(frozen=True)
class Problem:
	"""What could not be read: in which line, what was expected there and what was found. Whether the whole line does not
	count, or that cell only."""

	file: str
	line: int
	column: str
	expected: str
	found: str
	is_row_lost: bool


@dataclass
class Table:
	"""A file that was recognised. `rows` may be read once; `problems` and the counts are whole after that.

	`lines` are those with something in them, `counted` those that gave a row, `problem_count` counts what was not kept in
	`problems`, too. A table of a backup also comes in parts, from which `read_part` reads what `source` has: `source` and
	`parts` are read once together. After `latest` nothing can have been made or held; None where nobody knows what time it is. A line with fewer
	than `least` cells is broken. `doubt` is a sentence on columns that could not be told apart. Instants that are written with an offset are taken to `zone`. `statuses` are what the user has said that a lead's own ones mean, by their lower case.
	"""

	kind: str
	file: str
	columns: list[Recognised]
	not_used: list[str]
	notes: list[str]
	source: Iterator[Row]
	dates: str | None = None
	mark: str | None = None
	width: int = 0
	least: int = 0
	latest: datetime | None = None
	zone: str = "UTC"
	statuses: Mapping[str, str] = field(default_factory=dict)
	problems: list[Problem] = field(default_factory=list)
	problem_count: int = 0
	lines: int = 0
	counted: int = 0
	doubt: str = ""
	parts: Iterator[Part] | None = None
	read_part: Callable[[Part], Iterator[Row]] | None = None

	@property
	def fields(self) -> set[str]:
		return {column.field for column in self.columns}

	def rows(self) -> Iterator[dict[str, Value]]:
		"""What each line says, by field: an instant, a number, a text, or None."""
		plan = [(column.field, column.place, self._reader(column.field)) for column in self.columns]
		needed = "creation" if self.kind == "Lead" else ""
		for line, cells in self.source:
			if not any(cells):
				continue
			self.lines += 1
			if cells[0].startswith(BROKEN):
				self._note(Problem(self.file, line, "", cells[0][1:], cells[1][:60], True))
				continue
			if len(cells) > self.width and any(cells[self.width :]):
				found = f"{len(cells)} cells"
				self._note(Problem(self.file, line, "", f"{self.width} cells", found, True))
				continue
			row = self._read(line, cells, plan)
			is_lost = bool(needed) and row[needed] is None
			if len(cells) < self.least:
				self._note(
					Problem(self.file, line, "", f"{self.least} cells", f"{len(cells)} cells", is_lost)
				)
			elif is_lost:
				self._tell_of_loss(line, cells, needed)
			if is_lost:
				continue
			self.counted += 1
			yield row

	def without_rows(self) -> "Table":
		"""The same table before anything was read, with nothing to read: what another process can be told."""
		return replace(self.without_source(), problems=[], problem_count=0, lines=0, counted=0)

	def without_source(self) -> "Table":
		return replace(self, source=iter(()), parts=None)

	def add_counts(self, part: "Table"):
		"""Take over what reading a part of this table has counted."""
		self.lines += part.lines
		self.counted += part.counted
		self.problem_count += part.problem_count
		self.problems += part.problems[: PROBLEMS_KEPT - len(self.problems)]

	def _read(
		self, line: int, cells: list[str], plan: list[tuple[str, int, Callable[[str], Value]]]
	) -> dict[str, Value]:
		row: dict[str, Value] = {}
		width = len(cells)
		for field_name, place, reader in plan:
			text = cells[place] if place < width else ""
			if not text or not (text := text.strip()):
				row[field_name] = None
				continue
			try:
				row[field_name] = reader(text)
			except values.Unreadable as expected:
				row[field_name] = None
				header = next(column.header for column in self.columns if column.field == field_name)
				is_lost = (self.kind, field_name) == ("Lead", "creation")
				self._note(Problem(self.file, line, header, str(expected), text[:60], is_lost))
		return row

	def _tell_of_loss(self, line: int, cells: list[str], needed: str):
		"""Note that a line does not count, as it lacks what it needs; if it has it and it is unreadable, that was said."""
		column = next(column for column in self.columns if column.field == needed)
		if column.place >= len(cells) or not cells[column.place].strip():
			self._note(Problem(self.file, line, column.header, "the day the lead came in", "nothing", True))

	def _reader(self, field_name: str) -> Callable[[str], Value]:
		kind = FIELDS[self.kind][field_name][0]
		if kind == MOMENT:
			if field_name in PAST and self.latest is not None:
				return partial(_past, order=self.dates, zone=self.zone, latest=self.latest)
			return partial(values.moment, order=self.dates, zone=self.zone)
		if self.statuses and (self.kind, field_name) == ("Lead", "status"):
			return lambda text: self.statuses.get(text.lower(), _one_line(text))
		if kind == NUMBER:
			return lambda text: values.amount(text, self.mark)
		if kind == ADDRESS:
			return _address
		return _addresses if kind == ADDRESSES else _one_line

	def _note(self, problem: Problem):
		self.problem_count += 1
		if len(self.problems) < PROBLEMS_KEPT:
			self.problems.append(problem)


def _past(text: str, order: str | None, zone: str, latest: datetime) -> datetime:
	"""As `values.moment`, of what cannot lie ahead."""
	at = values.moment(text, order, zone)
	if at > latest:
		raise values.Unreadable(f"a date that has passed, up to {latest:%Y-%m-%d %H:%M}")
	return at


@lru_cache(maxsize=20_000)
def _address(text: str) -> str:
	found = values.addresses(text)
	return found[0] if found else text.lower()


@lru_cache(maxsize=20_000)
def _addresses(text: str) -> str:
	return "|".join(values.addresses(text))


def _one_line(text: str) -> str:
	if text.isprintable() and "  " not in text:  # no other blank than a space is printable
		return text
	return " ".join(text.split())


def rows_of(path: Path) -> Iterator[Row]:
	"""The lines of a CSV or XLSX, with their numbers."""
	return _xlsx(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _csv(path, [])


def open_table(
	path: Path,
	kind: str | None = None,
	mapped: Mapping[str, Mapping[str, str]] | None = None,
	dates: str = "",
) -> Table:
	"""Recognise a file.

	:param kind: its DocType; by its name and its columns, if none is given.
	:param mapped: DocType to field to the header that the user says it has.
	:param dates: the order of dates, where the file cannot tell.
	:raises CannotRead: it is no table, or lacks what every figure needs.
	"""
	notes: list[str] = []
	begun = _begin(path)
	is_workbook = begun.startswith(WORKBOOK)
	lines = _xlsx(path) if is_workbook else _csv(path, notes)
	begin = list(itertools.islice(lines, HEADERS_WITHIN))
	kind, index, headers = _headers(path, begin, kind, mapped or {})
	data = begin[index + 1 :]
	if begin[index][1] and begin[index][1][0].strip().endswith(
		":"
	):  # a Data Export: its first cells say what is in a row
		names = list(itertools.takewhile(lambda row: bool(row[1] and row[1][0].strip()), data))
		data = data[len(names) :]
		dates = dates or _order_said(names)
		headers = _of_parent(headers)
		notes.append("a Data Export")
	data += itertools.islice(lines, LOOKED_AT)
	table = _table(path, kind, headers, data, lines, notes, (mapped or {}).get(kind, {}), dates)
	if not is_workbook:  # which leaves empty cells at the end of a row out
		table.least = max((place for place, header in enumerate(headers, start=1) if header), default=0)
	return table


def _begin(path: Path) -> bytes:
	"""The first bytes of a file, which tell better than its name what it is.

	:raises CannotRead: it is none, or what cannot be read.
	"""
	if path.is_dir():
		raise CannotRead(f"{path} is a folder. Name the files in it, as in {path / '*.csv'}.")
	if not path.is_file():
		raise CannotRead(f"{path}: there is no such file.")
	with path.open("rb") as file:
		begun = file.read(8)
	if not begun:
		raise NothingInIt(
			f"{path.name} is empty, as no export is: nothing was read of it. Export it again, or leave it out."
		)
	for mark, what in NOT_READ.items():
		if begun.startswith(mark):
			raise CannotRead(f"{path.name} is {what}")
	return begun


def _table(
	path: Path,
	kind: str,
	headers: list[str],
	begin: list[Row],
	rest: Iterator[Row],
	notes: list[str],
	mapped: Mapping[str, str],
	dates: str,
) -> Table:
	try:
		found = columns.recognise(kind, headers, [cells for _line, cells in begin[:200]], mapped)
	except ValueError as error:
		raise CannotRead(f"{path.name}: {error}") from None
	doubt = ""
	if kind == "Sales Order":
		found, doubt = totals.tell_apart(headers, [cells for _line, cells in begin], found)
	lacking = columns.missing(kind, found)
	if lacking:
		there = ", ".join(repr(header) for header in headers if header)
		raise CannotRead(
			f"{path.name} was read as {kind}, but no column was recognised as {', nor one as '.join(lacking)}. "
			f'It has {there}. Say which it is: --map {kind.replace(" ", "")}.{lacking[0].split(" or ")[0]}="Its Header"'
		)
	places = {column.place for column in found}
	not_used = [header for place, header in enumerate(headers) if header and place not in places]
	table = Table(kind, path.name, found, not_used, notes, itertools.chain(begin, rest), width=len(headers))
	table.doubt = doubt
	table.dates = dates or values.order_of_dates(_cells(begin, found, kind, MOMENT))
	if any(values.has_offset(cell) for cell in _cells(begin, found, kind, MOMENT)):
		notes.append(
			"instants that are written with an offset from UTC are taken to the zone of the site (--zone)"
		)
	table.mark = values.decimal_mark(_cells(begin, found, kind, NUMBER))
	if not dates and table.dates in (values.DAY_FIRST, values.MONTH_FIRST):
		first = "day" if table.dates == values.DAY_FIRST else "month"
		notes.append(f"dates read with the {first} first")
	return table


def _cells(rows: Iterable[Row], found: Iterable[Recognised], kind: str, of_type: str) -> Iterator[str]:
	places = [column.place for column in found if FIELDS[kind][column.field][0] == of_type]
	return (cells[place] for _line, cells in rows for place in places if place < len(cells) and cells[place])


def _headers(
	path: Path, begin: list[Row], kind: str | None, mapped: Mapping[str, Mapping[str, str]]
) -> tuple[str, int, list[str]]:
	"""The DocType of a file, the place of its headers among its first lines, and the headers."""
	named = kind or _kind_named(path)
	best: tuple[int, int, str] | None = None
	for place, (_line, cells) in enumerate(begin):
		for one in [kind] if kind else FIELDS:
			own = {columns.plain(header) for header in mapped.get(one, {}).values()}
			score = columns.hits(one, cells) + sum(columns.plain(cell) in own for cell in cells)
			is_fieldnames = bool(cells) and cells[0].strip().endswith(":") and "name" in cells
			rank = 4 * score + 3 * (one == named) + 8 * is_fieldnames
			if score >= (1 if one == named else 2) and (best is None or rank > best[0]):
				best = (rank, place, one)
	if best is None:
		first = next((cells for _line, cells in begin if any(cells)), [])
		found = ", ".join(repr(cell) for cell in first[:12] if cell) or "nothing"
		if not "".join(first).isprintable():
			raise CannotRead(f"{path.name} is no text with headers, and no XLSX: it takes one of these.")
		raise CannotRead(
			f"{path.name}: no line of its first {HEADERS_WITHIN} has the headers of {' or '.join(DOCUMENTS)}. Its first line has "
			f'{found}. Say what it is and which column is which: Lead={path.name} --map Lead.creation="Its Header"'
		)
	_rank, place, one = best
	return one, place, [cell.strip() for cell in begin[place][1]]


def _kind_named(path: Path) -> str | None:
	letters = "".join(letter for letter in path.stem.lower() if letter.isalpha())
	for kind in (
		"Communication",
		"Sales Order Item",
		"Sales Order",
		"Quotation",
		"Opportunity",
		"Customer",
		"Lead",
	):
		if kind.replace(" ", "").lower()[:-1] in letters:
			return kind
	return None


def _order_said(names: Iterable[Row]) -> str:
	"""The order of dates that a Data Export says among what its columns hold, as `dd-mm-yyyy`; empty, if it does not."""
	for _line, cells in names:
		for cell in cells:
			parts = re.split("[-./]", cell.strip().lower())
			if sorted(parts) == ["dd", "mm", "yyyy"]:
				return "".join(part[0] for part in parts).upper()
	return ""


def _of_parent(headers: Sequence[str]) -> list[str]:
	"""Of a Data Export the columns of the document itself, which come first, and of its rows those that are asked for."""
	end = headers.index("~") if "~" in headers else len(headers)
	return [header if place < end or header in OF_ROWS else "" for place, header in enumerate(headers)]


def _xlsx(path: Path) -> Iterator[Row]:
	import openpyxl

	try:
		book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
		sheet = book.worksheets[0]
	except Exception as error:
		raise CannotRead(
			f"{path.name} cannot be read as XLSX: {error}. Save it as CSV and try again."
		) from None
	for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
		yield line, [_as_text(cell) for cell in cells]


def _as_text(cell: object) -> str:
	if cell is None:
		return ""
	if isinstance(cell, float) and cell.is_integer():
		return str(int(cell))
	return str(cell)


def _csv(path: Path, notes: list[str]) -> Iterator[Row]:
	encoding = _encoding(path)
	if encoding != "utf-8-sig":
		notes.append(f"read as {encoding}, as it is no UTF-8")
	with path.open(encoding=encoding, errors="replace", newline="") as file:
		begin = file.read(65_536)
		delimiter = _delimiter(begin)
		file.seek(0)
		yield from _records((line.replace("\0", "") for line in file), delimiter)


def _encoding(path: Path) -> str:
	with path.open("rb") as file:
		if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
			return "utf-16"
	try:
		with path.open(encoding="utf-8-sig") as file:
			while file.read(2**20):
				pass
	except UnicodeDecodeError:
		return "cp1252"
	return "utf-8-sig"


def _delimiter(text: str) -> str:
	"""What parts the cells of the first lines: what stands there most, as often in most of them."""
	lines = [line for line in text.splitlines()[:HEADERS_WITHIN] if line.strip()]
	if lines and lines[0].lower().startswith("sep=") and len(lines[0]) > 4:
		return lines[0][4]
	return max(DELIMITERS, key=lambda mark: sum(sorted(line.count(mark) for line in lines)[-5:]))


def _records(lines: Iterator[str], delimiter: str) -> Iterator[Row]:
	"""The records of a CSV. One that a stray quotation mark spoils is given as its first line with no cells read apart,
	and what follows is read on from the next line."""
	waiting: list[str] = []  # lines to be read again
	number = 0
	while True:
		taken: list[str] = []

		def feed(taken: list[str] = taken) -> Iterator[str]:
			while True:
				if waiting and len(taken) <= LINES_OF_A_RECORD:
					line = waiting.pop()
				elif len(taken) > LINES_OF_A_RECORD:
					return
				else:
					following = next(lines, None)
					if following is None:
						return
					line = following
				taken.append(line)
				yield line

		reader = csv.reader(feed(), delimiter=delimiter, strict=True)
		try:
			for cells in reader:
				yield number + 1, cells
				number += len(taken)
				taken.clear()
			return
		except csv.Error:
			waiting.extend(reversed(taken[1:]))
			yield number + 1, [f"{BROKEN}quotation marks in pairs, around whole cells", taken[0].strip()]
			number += 1
