"""A large table of a backup is read in parts, by as many processes as there are processors."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

from lead_quality.audit.readers import Part, Table

FIRST_ALONE = 8  # parts that are read without other processes: a small backup starts none
MOST_PROCESSES = 4  # the one that unpacks the backup cannot feed more

Write = Callable[[Table], Iterator[str]]
"""Reads all rows of a table, and gives them as text, some at a time; must be a function of a module."""


class Readers:
	"""The processes that read parts; started when they are needed, and ended by `close`."""

	def __init__(self) -> None:
		self._processes: ProcessPoolExecutor | None = None

	def close(self):
		if self._processes:
			self._processes.shutdown(cancel_futures=True)

	def read(self, table: Table, write: Write) -> Iterator[str]:
		"""What `write` makes of the parts of a table, in their order. The table counts what each had."""
		if table.parts is None or table.read_part is None:
			yield from write(table)
			return
		for part in islice(table.parts, FIRST_ALONE):
			yield _take(table, _read(table.without_rows(), part, write))
		count = min(os.cpu_count() or 1, MOST_PROCESSES)
		waiting: deque[Future] = deque()
		for part in table.parts:
			if self._processes is None:
				# started afresh, not forked: the database has threads of its own
				self._processes = ProcessPoolExecutor(count, get_context("spawn"))
			waiting.append(self._processes.submit(_read, table.without_rows(), part, write))
			if len(waiting) > 2 * count:  # parts in memory
				yield _take(table, waiting.popleft().result())
		while waiting:
			yield _take(table, waiting.popleft().result())


def _read(table: Table, part: Part, write: Write) -> tuple[str, Table]:
	"""Read a part: what it is written as, and what was counted."""
	if table.read_part:
		table.source = table.read_part(part)
	return "".join(write(table)), table.without_source()


def _take(table: Table, read: tuple[str, Table]) -> str:
	text, counted = read
	table.add_counts(counted)
	return text
