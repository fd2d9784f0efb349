"""Who held a lead for how long: splits a span of time by its holders."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

# Counts whole seconds between two instants, the earlier one first. Counts of adjoining spans must add up.
Measure = Callable[[datetime, datetime], int]


class Holding(NamedTuple):
	"""`holder` held the lead from `start` until before `end` (both aware)."""

	start: datetime
	end: datetime
	holder: str


class Piece(NamedTuple):
	"""A part of a span. The `holder` None means nobody."""

	start: datetime
	end: datetime
	holder: str | None


def split(start: datetime, end: datetime, holdings: Iterable[Holding]) -> list[Piece]:
	"""The span from `start` until before `end` (both aware), split by holder.

	The pieces adjoin in order of time, none is empty, and neighbours have different holders. Time without a holding has
	the holder None. If holdings overlap, the one that ends first counts; of several such, the first in `holdings`.

	:returns: an empty list for a span that ends at its start or before it.
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
	"""Seconds of a span by holder (None: nobody); see `split`. They add up to `spent(start, end)`.

	:param spent: how time is counted, such as a calendar's working time.
	"""
	seconds: dict[str | None, int] = {}
	for piece in split(start, end, holdings):
		seconds[piece.holder] = seconds.get(piece.holder, 0) + spent(piece.start, piece.end)
	return seconds


def shares(
	start: datetime, end: datetime, holdings: Iterable[Holding], spent: Measure
) -> dict[str | None, float]:
	"""Each holder's share of a span's time (None: nobody), above 0; see `time_held`. They add up to 1.

	A span without any counted time, such as a night between working days, falls to the last holder. A span that ends at
	its start or before it has no shares.
	"""
	seconds = time_held(start, end, holdings, spent)
	total = sum(seconds.values())
	if total:
		return {holder: part / total for holder, part in seconds.items() if part}
	return {piece.holder: 1.0 for piece in split(start, end, holdings)[-1:]}
