"""Who held something, and for how long: a span of time split by the intervals in which somebody did."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

# Counts whole seconds between two instants, the earlier one first. Of adjoining spans the counts must add up.
Measure = Callable[[datetime, datetime], int]


class Holding(NamedTuple):
	"""From `start` on, and before `end` (both aware), `holder` held it."""

	start: datetime
	end: datetime
	holder: str


class Piece(NamedTuple):
	"""A part of a span; a `holder` of None is nobody."""

	start: datetime
	end: datetime
	holder: str | None


def split(start: datetime, end: datetime, holdings: Iterable[Holding]) -> list[Piece]:
	"""The span from `start` until before `end` (both aware), split by who held it.

	The pieces adjoin, in the order of time, none is empty, and neighbours differ in their holder. Nobody holds what no
	holding covers. Where several do, it is the one that ends first; of several such, the first of `holdings`.

	:returns: no piece at all for a span that ends at its start, or before it.
	"""
	holdings = list(holdings)
	inside = {mark for holding in holdings for mark in holding[:2] if start < mark < end}
	pieces: list[Piece] = []
	for begin, finish in pairwise(sorted({start, end, *inside}) if start < end else ()):
		there = [holding for holding in holdings if holding.start <= begin < holding.end]
		holder = min(there, key=lambda holding: holding.end).holder if there else None
		if pieces and pieces[-1].holder == holder:
			begin = pieces.pop().start
		pieces.append(Piece(begin, finish, holder))
	return pieces


def time_held(
	start: datetime, end: datetime, holdings: Iterable[Holding], spent: Measure
) -> dict[str | None, int]:
	"""Seconds of a span by holder, None being nobody; see `split`. They add up to `spent(start, end)`.

	:param spent: by what measure time counts, such as a calendar's working time.
	"""
	seconds: dict[str | None, int] = {}
	for piece in split(start, end, holdings):
		seconds[piece.holder] = seconds.get(piece.holder, 0) + spent(piece.start, piece.end)
	return seconds


def shares(
	start: datetime, end: datetime, holdings: Iterable[Holding], spent: Measure
) -> dict[str | None, float]:
	"""Each holder's share of a span's time, above 0, None being nobody; see `time_held`. They add up to 1.

	Of a span without any time, such as a night between working days, all falls to who held it last. A span that ends
	at its start, or before it, has no shares.
	"""
	seconds = time_held(start, end, holdings, spent)
	total = sum(seconds.values())
	if total:
		return {holder: part / total for holder, part in seconds.items() if part}
	return {piece.holder: 1.0 for piece in split(start, end, holdings)[-1:]}
