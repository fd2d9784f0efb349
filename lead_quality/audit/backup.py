"""The tables that an audit needs, out of a `bench backup` of a database (`.sql.gz` or `.sql`), as it streams by: nothing
else of it is kept, and it is never in memory whole."""

import gzip
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lead_quality.audit.columns import BY_NAME, FIELDS, Recognised, missing
from lead_quality.audit.readers import BROKEN, CannotRead, Part, Row, Table
from lead_quality.engine.clock import TALKS

SUFFIXES = (".sql.gz", ".sql")
PART = 2_000_000  # bytes that are read at once
BUFFER = 2**20  # bytes
ENCODING = "utf-8"
_TABLES = {f"tab{kind}": kind for kind in FIELDS}
# what tells which bytes of a backup matter: only rows of the tables that are needed are ever made text
_CREATE = re.compile(rb"CREATE TABLE (?:IF NOT EXISTS )?`([^`]+)`")
_COLUMN = re.compile(rb"\s+`([^`]+)` ")
_INSERT = re.compile(rb"INSERT (?:IGNORE )?INTO `([^`]+)`\s*(\([^)]*\))?\s*VALUES\s*")
_STRING = r"'[^'\\]*(?:\\.[^'\\]*)*'"
_ROW = re.compile(rf"\(([^'()]*(?:{_STRING}[^'()]*)*)\)\s*[,;]?\s*", re.DOTALL)
_VALUE = re.compile(rf"\s*(?:_binary )?({_STRING}|[^,']+)\s*(?:,|$)", re.DOTALL)
_PLAIN_VALUE = rf"(?:NULL|{_STRING}|[^,'()]+)"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "0": "", "Z": "", "b": ""}
_USUAL = [(f"\\{letter}", _MEANT.get(letter, letter)) for letter in "n'\"rt0Z"]


def is_backup(path: Path) -> bool:
	return path.name.lower().endswith(SUFFIXES)


def tables(path: Path) -> Iterator[Table]:
	"""The tables of a backup that an audit needs, in the order in which they stand in it; each has to be read to its end
	before the next is asked for. `line` of its rows is the line of the backup.

	:raises CannotRead: it is no backup that can be read, or ends before its end.
	"""
	if not path.is_file():
		raise CannotRead(f"{path}: there is no such file.")
	lines = _Lines(path)
	columns: dict[str, list[str]] = {}
	found, last, filled = False, "", set()
	for _number, line in lines:
		created = _CREATE.match(line)
		if created:
			last = _text(created[1])
			columns[last] = _columns(lines)
			found = True
		elif line.startswith(b"INSERT ") and (insert := _INSERT.match(line)) and _text(insert[1]) in _TABLES:
			last = name = _text(insert[1])
			filled.add(name)
			table = _table(path, name, columns.get(name, []), lines, (_number, line))
			yield table
			for _row in table.source:  # the next table begins where this one ends
				pass
	if not found:
		raise CannotRead(
			f"{path.name}: there is no table in it. It takes the database of a bench backup, as *-database.sql.gz, not encrypted."
		)
	if lines.has_begin and not lines.has_end:
		raise CannotRead(
			f"{path.name} has no end mark: the backup broke off, in or after the table {last}. Make it again."
		)
	yield from _empty_tables(path, {name: columns[name] for name in columns if name not in filled})


def _empty_tables(path: Path, columns: Mapping[str, Sequence[str]]) -> Iterator[Table]:
	"""Tables that are there, and have no rows: that there is nothing is known then."""
	for name in [name for name in columns if name in _TABLES]:
		kind = _TABLES[name]
		wanted = [field for field in FIELDS[kind] if field in columns[name]]
		found = [Recognised(field, place, field, BY_NAME) for place, field in enumerate(wanted)]
		if not missing(kind, found):
			notes = [f"the table {name} of a backup"]
			yield Table(kind, path.name, found, [], notes, iter(()), "YMD", ".", len(found))


class _Lines:
	"""The lines of a backup with their numbers, of which the last may be given back."""

	def __init__(self, path: Path) -> None:
		self._path = path
		self._lines = self._read()
		self._back: list[tuple[int, bytes]] = []
		self.has_begin = self.has_end = (
			False  # as far as it was read: what mariadb-dump writes first and last
		)

	def __iter__(self) -> Iterator[tuple[int, bytes]]:
		while self._back:
			yield self._back.pop()
		for line in self._lines:
			yield line
			while self._back:
				yield self._back.pop()

	def give_back(self, line: tuple[int, bytes]):
		self._back.append(line)

	def _read(self) -> Iterator[tuple[int, bytes]]:
		opened = gzip.open if self._path.suffix == ".gz" else open
		try:
			with io.BufferedReader(opened(self._path, "rb"), BUFFER) as file:
				for number, line in enumerate(file, start=1):
					if line.startswith(b"-- "):
						self.has_begin |= line.startswith((b"-- MariaDB dump", b"-- MySQL dump"))
						self.has_end |= line.startswith(b"-- Dump completed")
					yield number, line
		except (EOFError, OSError) as error:
			raise CannotRead(
				f"{self._path.name} cannot be read: {error}. It takes the database of a bench backup, as *-database.sql.gz, "
				"whole and not encrypted."
			) from None


def _columns(lines: _Lines) -> list[str]:
	names = []
	for number, line in lines:
		column = _COLUMN.match(line)
		if column:
			names.append(_text(column[1]))
		elif line.startswith((b")", b"INSERT ")):
			if line.startswith(b"INSERT "):
				lines.give_back((number, line))
			break
	return names


def _table(path: Path, name: str, columns: Sequence[str], lines: _Lines, begin: tuple[int, bytes]) -> Table:
	kind = _TABLES[name]
	insert = _INSERT.match(begin[1])
	if insert and insert[2]:
		columns = re.findall(r"`([^`]+)`", _text(insert[2]))
	places = {column: place for place, column in enumerate(columns)}
	wanted = [field for field in FIELDS[kind] if field in places]
	found = [
		Recognised(field, number, columns[places[field]], BY_NAME) for number, field in enumerate(wanted)
	]
	lacking = missing(kind, found)
	if lacking:
		raise CannotRead(f"{path.name}: the table {name} has no column {' and none '.join(lacking)}.")
	keep = tuple(places[field] for field in wanted)
	lines.give_back(begin)
	late = None
	if kind == "Communication" and {"content", "communication_medium"} <= set(wanted):
		late = (wanted.index("content"), wanted.index("communication_medium"), frozenset(TALKS))
	read, parts = ReadsRows(name, len(columns), keep, late), _parts(name, lines)
	rows = (row for part in parts for row in read(part))
	notes = [f"the table {name} of a backup"]
	return Table(kind, path.name, found, [], notes, rows, "YMD", ".", len(found), parts=parts, read_part=read)


def _parts(name: str, lines: _Lines) -> Iterator[Part]:
	"""The lines that hold the rows of all the INSERTs into a table, without what begins a statement; what stands between them
	is left empty, so that lines keep their numbers."""
	in_statement = False
	part: list[bytes] = []
	first = size = 0
	for number, line in lines:
		if not in_statement:
			insert = _INSERT.match(line) if line.startswith(b"INSERT ") else None
			if insert is None or _text(insert[1]) != name:
				if insert is not None or line.startswith(b"CREATE TABLE "):
					lines.give_back((number, line))
					break
				line = b"\n"
			else:
				in_statement, line = True, line[insert.end() :] or b"\n"
		if line.endswith((b";\n", b";\r\n", b";")):
			in_statement = False
		if not part:
			first = number
		part.append(line)
		size += len(line)
		if size > PART:
			yield first, b"".join(part)
			part, size = [], 0
	if part:
		yield first, b"".join(part)


@dataclass(frozen=True)
class ReadsRows:
	"""Reads the rows of a table that has `width` columns, the values of some places of each.

	`late`: the text at that place among those kept is read only where the one at the second place is one of these words. The
	text of a mail is most of a backup, and says nothing that counts.
	"""

	name: str
	width: int
	keep: tuple[int, ...]
	late: tuple[int, int, frozenset[str]] | None = None

	def __call__(self, part: Part) -> Iterator[Row]:
		usual = _usual_row(self.width, frozenset(self.keep))
		in_row = sorted(self.keep)
		order = [in_row.index(place) + 1 for place in self.keep]
		late, only_where, words = self.late or (-1, -1, frozenset())
		quoted = {f"'{word}'" for word in words}
		first, text = part
		for number, line in enumerate(_text(text).split("\n"), start=first):
			begin = 0
			while begin < len(line):
				if row := usual.match(line, begin):
					values = [row[order[0]]] if len(order) == 1 else list(row.group(*order))
					if late >= 0 and values[only_where] not in quoted:
						values[late] = "NULL"
					yield number, ["" if value == "NULL" else _plain(value) for value in values]
				elif row := _ROW.match(line, begin):
					yield number, self._unusual(row[1])
				else:
					break
				begin = row.end()
			if begin < len(line) and (rest := line[begin:].strip()):
				yield number, [f"{BROKEN}a row of {self.name}", rest[:60]]

	def _unusual(self, row: str) -> list[str]:
		values = _VALUE.findall(row)
		if len(values) != self.width:
			return [f"{BROKEN}{self.width} values", f"{len(values)} values"]
		return [_plain(values[place]) for place in self.keep]


@lru_cache(maxsize=32)
def _usual_row(width: int, keep: frozenset[int]) -> re.Pattern[str]:
	"""A row as dumps write nearly all, with a group for each place to keep: a third of the time of value by value."""
	values = (f"({_PLAIN_VALUE})" if place in keep else _PLAIN_VALUE for place in range(width))
	return re.compile(rf"\({','.join(values)}\)\s*[,;]?\s*", re.DOTALL)


def _text(written: bytes) -> str:
	return written.decode(ENCODING, "replace")


def _plain(value: str) -> str:
	"""What a value in a dump stands for, as a text."""
	if value[0] == "'":
		return _unescaped(value[1:-1]) if "\\" in value else value[1:-1]
	if value == "NULL":
		return ""
	value = value.strip()
	return "" if value.upper() == "NULL" else value


def _unescaped(text: str) -> str:
	if "\\\\" not in text:  # each backslash begins an escape then: faster by far, and a mail has hundreds
		plain = text
		for written, meant in _USUAL:
			plain = plain.replace(written, meant)
		if "\\" not in plain:
			return plain
	return _ESCAPED.sub(_meant, text)


def _meant(escaped: re.Match[str]) -> str:
	return _MEANT.get(escaped[1], escaped[1])
