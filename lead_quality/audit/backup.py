"""The tables that an audit needs, out of a `bench backup` of a database (`.sql.gz` or `.sql`), as it streams by: nothing
else of it is kept, and it is never in memory whole."""

import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lead_quality.audit.columns import BY_NAME, FIELDS, Recognised, missing
from lead_quality.audit.readers import BROKEN, CannotRead, Row, Table

SUFFIXES = (".sql.gz", ".sql")
_TABLES = {f"tab{kind}": kind for kind in FIELDS}
_CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?`([^`]+)`")
_COLUMN = re.compile(r"\s+`([^`]+)` ")
_INSERT = re.compile(r"INSERT (?:IGNORE )?INTO `([^`]+)`\s*(\([^)]*\))?\s*VALUES\s*")
_STRING = r"'[^'\\]*(?:\\.[^'\\]*)*'"
_ROW = re.compile(rf"\(([^'()]*(?:{_STRING}[^'()]*)*)\)\s*[,;]?\s*", re.DOTALL)
_VALUE = re.compile(rf"\s*(?:_binary )?({_STRING}|[^,']+)\s*(?:,|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "0": "", "Z": "", "b": ""}


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
	found = False
	for _number, line in lines:
		created = _CREATE.match(line)
		if created:
			columns[created[1]] = _columns(lines)
			found = True
		elif line.startswith("INSERT ") and (insert := _INSERT.match(line)) and insert[1] in _TABLES:
			table = _table(path, insert[1], columns.get(insert[1], []), lines, (_number, line))
			yield table
			for _row in table.source:  # the next table begins where this one ends
				pass
	if not found:
		raise CannotRead(
			f"{path.name}: there is no table in it. It takes the database of a bench backup, as *-database.sql.gz, not encrypted."
		)


class _Lines:
	"""The lines of a backup with their numbers, of which the last may be given back."""

	def __init__(self, path: Path) -> None:
		self._path = path
		self._lines = self._read()
		self._back: list[tuple[int, str]] = []

	def __iter__(self) -> "_Lines":
		return self

	def __next__(self) -> tuple[int, str]:
		return self._back.pop() if self._back else next(self._lines)

	def give_back(self, line: tuple[int, str]):
		self._back.append(line)

	def _read(self) -> Iterator[tuple[int, str]]:
		opened = gzip.open if self._path.suffix == ".gz" else open
		try:
			with opened(self._path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
				yield from enumerate(file, start=1)
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
			names.append(column[1])
		elif line.startswith(")") or line.startswith("INSERT "):
			if line.startswith("INSERT "):
				lines.give_back((number, line))
			break
	return names


def _table(path: Path, name: str, columns: Sequence[str], lines: _Lines, begin: tuple[int, str]) -> Table:
	kind = _TABLES[name]
	insert = _INSERT.match(begin[1])
	if insert and insert[2]:
		columns = re.findall(r"`([^`]+)`", insert[2])
	places = {column: place for place, column in enumerate(columns)}
	wanted = [field for field in FIELDS[kind] if field in places]
	found = [
		Recognised(field, number, columns[places[field]], BY_NAME) for number, field in enumerate(wanted)
	]
	lacking = missing(kind, found)
	if lacking:
		raise CannotRead(f"{path.name}: the table {name} has no column {' and none '.join(lacking)}.")
	keep = [places[field] for field in wanted]
	lines.give_back(begin)
	rows = _rows(name, len(columns), keep, lines)
	return Table(kind, path.name, found, [], [f"the table {name} of a backup"], rows, "YMD", ".", len(found))


def _rows(name: str, width: int, keep: Sequence[int], lines: _Lines) -> Iterator[Row]:
	"""The rows of all the INSERTs into a table, the wanted values of each."""
	in_statement = False
	for number, line in lines:
		begin = 0
		if not in_statement:
			insert = _INSERT.match(line) if line.startswith("INSERT ") else None
			if insert is None or insert[1] != name:
				if insert is not None or line.startswith("CREATE TABLE "):
					lines.give_back((number, line))
					return
				continue
			in_statement, begin = True, insert.end()
		while begin < len(line) and (row := _ROW.match(line, begin)):
			begin = row.end()
			values = _VALUE.findall(row[1])
			if len(values) == width:
				yield number, [_plain(values[place]) for place in keep]
			else:
				yield number, [f"{BROKEN}{width} values", f"{len(values)} values"]
		rest = line[begin:].strip()
		if rest:
			yield number, [f"{BROKEN}a row of {name}", rest[:60]]
		if line.rstrip().endswith(";"):
			in_statement = False


def _plain(value: str) -> str:
	"""What a value in a dump stands for, as a text."""
	if value.startswith("'"):
		text = value[1:-1]
		return _ESCAPED.sub(_meant, text) if "\\" in text else text
	return "" if value.strip().upper() == "NULL" else value.strip()


def _meant(escaped: re.Match[str]) -> str:
	return _MEANT.get(escaped[1], escaped[1])
