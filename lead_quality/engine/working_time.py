"""Working time: deadlines and elapsed time inside a calendar's opening hours.

All instants are timezone-aware datetimes; results are in the calendar's zone. Durations are whole seconds of real
time, not wall-clock time, also over a daylight-saving change. An instant is open if its wall-clock time is within
the day's hours. So hours in a missing hour are lost that day, hours in a doubled hour count twice, and a date that
the zone skipped is not a working day.

Compare and subtract results in UTC: between two datetimes of one zone Python uses wall-clock time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

Interval = tuple[time, time]

HORIZON = timedelta(days=3653)
"""Ten years: a search that meets no working time for longer than this gives up with NoWorkingTime."""

_SECOND = timedelta(seconds=1)
_DAY = 86_400
_BLOCK_DAYS = 365
_BLOCK = _BLOCK_DAYS * _DAY
_CACHED_BLOCKS = 64

# In the whole tz database, two changes of a zone's offset are at least a week less an hour apart (Brazil in
# October 2000), so checking every third day finds all of them.
_PROBE = 3 * _DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_EPOCH_WEEKDAY = _EPOCH.weekday()

# Some years at both ends of the datetime range are excluded, so that the blocks beside a requested block, and
# their local times, can always be built.
_EARLIEST = datetime(3, 1, 1, tzinfo=timezone.utc)
_LATEST = datetime(9997, 1, 1, tzinfo=timezone.utc)
_LAST_BLOCK = (_LATEST - _EPOCH) // _SECOND // _BLOCK + 1

_Seconds = tuple[int, int]


class Era(NamedTuple):
	"""A span of time from `start` until before `end` (both aware) with another calendar."""

	start: datetime
	end: datetime
	calendar: "WorkingCalendar"


class NoWorkingTime(ValueError):
	"""The calendar is closed all week, or for longer than HORIZON where working time is needed."""


class _Block(NamedTuple):
	"""Open intervals of 365 UTC days, ascending, as parallel tuples of Unix seconds.

	`before` holds the open seconds of the block ahead of each interval, `owners` its date in the calendar's
	zone, in days since 1970-01-01. `days` are the dates whose first open second lies in the block: no date
	is in two blocks.
	"""

	starts: tuple[int, ...]
	ends: tuple[int, ...]
	before: tuple[int, ...]
	owners: tuple[int, ...]
	days: tuple[int, ...]
	total: int

	def open_before(self, seconds: int) -> int:
		"""Open seconds from the start of the block to the given Unix second."""
		last = bisect_right(self.starts, seconds) - 1
		if last < 0:
			return 0
		return self.before[last] + min(seconds, self.ends[last]) - self.starts[last]


class WorkingCalendar:
	"""Opening hours of a week in one zone, less holidays, with special hours on single dates.

	Past time can be kept as it was counted: in an era, the calendar of that era applies.

	Immutable and safe to share between threads. Cached on the instance are the open intervals of 365-day
	blocks, each built when first needed (at most 64, tens of kilobytes each); after that a call costs one or two
	binary searches and a step per year spanned. Instants must lie in the years 3 to 9996.
	"""

	__slots__ = ("_blocks", "_dated", "_eras", "_weekly", "_zone")

	def __init__(
		self,
		hours: Mapping[int, Sequence[Interval]],
		holidays: Iterable[date],
		zone: str | ZoneInfo,
		special_hours: Mapping[date, Sequence[Interval]] | None = None,
		eras: Iterable[Era] = (),
	) -> None:
		"""Take hours per weekday (0 Monday to 6 Sunday) as (opens, closes), wall-clock times in `zone`.

		A missing weekday is closed. `closes` is the first instant that is not open; `time.max` means midnight
		at the end of the day.

		:param holidays: dates, in `zone`, on which the weekday's hours do not count.
		:param zone: IANA name, or a ZoneInfo.
		:param special_hours: a date's own hours, which override the weekday and a holiday; an empty list closes it.
		:param eras: spans with other calendars, which must not overlap; the eras of those calendars are
		    ignored.
		:raises ValueError: for a weekday outside 0 to 6; for an interval that is empty, turned around,
		    overlapping another of its day, not in whole seconds, or with a zone of its own; for an unknown
		    zone; for an era that is turned around or overlaps another, or has a naive instant.
		:raises NoWorkingTime: if no weekday has hours.
		"""
		if not all(weekday in range(7) for weekday in hours):
			raise ValueError("weekday must be 0 (Monday) to 6 (Sunday)")
		self._zone = zone if isinstance(zone, ZoneInfo) else _zone_named(zone)
		self._weekly = tuple(_in_seconds(hours.get(weekday, ())) for weekday in range(7))
		if not any(self._weekly):
			raise NoWorkingTime("the calendar has no working day: give at least one weekday opening hours")
		self._dated: dict[int, tuple[_Seconds, ...]] = {_day_number(holiday): () for holiday in holidays}
		for day, intervals in (special_hours or {}).items():
			self._dated[_day_number(day)] = _in_seconds(intervals)
		self._eras = _in_order(eras)
		self._blocks: dict[int, _Block] = {}

	@property
	def zone(self) -> ZoneInfo:
		"""The zone of the opening hours and of all results."""
		return self._zone

	def deadline(self, start: datetime, working_seconds: int) -> datetime:
		"""Return the earliest instant, not before `start`, by which `working_seconds` have elapsed.

		A deadline that exactly uses up a day is that day's closing time, not the next opening. For 0 seconds it is
		`start` itself, open or not.

		:param start: timezone-aware, in any zone; cut to the whole second.
		:returns: timezone-aware, in the calendar's zone.
		:raises ValueError: for a naive `start`, or seconds that are negative or not an int.
		:raises NoWorkingTime: if the calendar is closed for longer than HORIZON before the deadline, or the
		    deadline lies past the years that are counted.
		"""
		if not isinstance(working_seconds, int) or working_seconds < 0:
			raise ValueError("working_seconds must be a whole number of seconds, zero or more")
		seconds = _unix_seconds(start)
		if not working_seconds:
			return self._local(seconds)
		# A typing error must be refused without a walk through thousands of years.
		if seconds + working_seconds > _LAST_BLOCK * _BLOCK:
			raise _past_last_year()
		index = seconds // _BLOCK
		block = self._block(index)
		needed = block.open_before(seconds) + working_seconds
		reached = seconds
		while needed > block.total:
			needed -= block.total
			if block.ends:
				reached = max(reached, block.ends[-1])
			index += 1
			block = self._block(index)
			_check_horizon((block.starts[0] if block.starts else (index + 1) * _BLOCK) - reached)
		# The first interval in which the block's open seconds reach `needed`, be it only at its end.
		last = bisect_left(block.before, needed) - 1
		return self._local(block.starts[last] + needed - block.before[last])

	def elapsed(self, start: datetime, end: datetime) -> int:
		"""Return the working seconds from `start` to `end`, both timezone-aware in any zone.

		Both are first cut to the whole second, so that adjoining spans add up exactly.

		:raises ValueError: for a naive datetime, or if `end` lies before `start`, which the caller must handle
		    instead of counting it as no time.
		"""
		return self.elapsed_between(_unix_seconds(start), _unix_seconds(end))

	def elapsed_between(self, begin: int, finish: int) -> int:
		"""As `elapsed`, between two whole Unix seconds: for a caller who counts very many spans."""
		if finish < begin:
			raise ValueError("end lies before start")
		first, last = begin // _BLOCK, finish // _BLOCK
		between = sum(self._block(index).total for index in range(first, last))
		return between + self._block(last).open_before(finish) - self._block(first).open_before(begin)

	def add_working_days(self, start: datetime, days: int) -> datetime:
		"""Return the same wall-clock time `days` working days later, in the calendar's zone.

		A working day is a date with any open second. From a `start` that is not on one, counting begins at
		the opening of the following one. The result is moved to the first open instant of its day at or after
		that time, else to the day's closing time. A missing wall-clock time is read with the offset before
		the gap, a doubled one as its first occurrence. With 0 days the result is `next_opening(start)`.

		:param start: timezone-aware, in any zone; cut to the whole second and read in the calendar's zone.
		:returns: timezone-aware, in the calendar's zone.
		:raises ValueError: for a naive `start`, or days that are negative or not an int.
		:raises NoWorkingTime: if the calendar is closed for longer than HORIZON on the way, or the result
		    lies past the years that are counted.
		"""
		if not isinstance(days, int) or days < 0:
			raise ValueError("days must be a whole number, zero or more")
		if not days:
			return self.next_opening(start)
		local = self._local(_unix_seconds(start))
		day = self._working_day(_day_number(local), 0)
		if day != _day_number(local):
			local = self._local(self._open_on(day)[0][0])
		target = self._working_day(day, days)
		clock = local.time().replace(fold=0)
		wanted = _unix_seconds(datetime.combine(date.fromordinal(target + _EPOCH_ORDINAL), clock, self._zone))
		intervals = self._open_on(target)
		for opens, closes in intervals:
			if wanted < closes:
				return self._local(max(wanted, opens))
		return self._local(intervals[-1][1])

	def is_open(self, at: datetime) -> bool:
		"""Tell whether `at`, timezone-aware in any zone, is working time; a closing time is not.

		:raises ValueError: for a naive datetime.
		"""
		seconds = _unix_seconds(at)
		block = self._block(seconds // _BLOCK)
		last = bisect_right(block.starts, seconds) - 1
		return last >= 0 and seconds < block.ends[last]

	def next_opening(self, at: datetime) -> datetime:
		"""Return the first open instant at or after `at`, in the calendar's zone: `at` itself if open.

		:param at: timezone-aware, in any zone; cut to the whole second.
		:raises ValueError: for a naive datetime.
		:raises NoWorkingTime: if the calendar is closed for longer than HORIZON from `at` on.
		"""
		seconds = _unix_seconds(at)
		for index in range(seconds // _BLOCK, (seconds + HORIZON // _SECOND) // _BLOCK + 1):
			block = self._block(index)
			following = bisect_right(block.ends, seconds)
			if following < len(block.ends):
				opens = max(seconds, block.starts[following])
				_check_horizon(opens - seconds)
				return self._local(opens)
		raise _closed_too_long()

	def _local(self, seconds: int) -> datetime:
		return (_EPOCH + timedelta(seconds=seconds)).astimezone(self._zone)

	def _working_day(self, day: int, number: int) -> int:
		"""The working day `number` working days after the first one at or after `day` (days since 1970)."""
		if day + number > _LAST_BLOCK * _BLOCK_DAYS:
			raise _past_last_year()
		# The first open second of a day is never more than a day away from its midnight in UTC.
		index = (day - 1) // _BLOCK_DAYS
		reached = day
		while True:
			days = self._block(index).days
			_check_horizon(((days[0] if days else (index + 1) * _BLOCK_DAYS) - reached) * _DAY)
			number += bisect_left(days, day)
			if number < len(days):
				return days[number]
			number -= len(days)
			if days:
				reached = max(reached, days[-1])
			index += 1

	def _open_on(self, day: int) -> list[_Seconds]:
		"""Open intervals, in Unix seconds, of one local date (days since 1970)."""
		found: list[_Seconds] = []
		# No local date has an instant more than a day away from the same date in UTC.
		for index in range((day - 1) // _BLOCK_DAYS, (day + 1) // _BLOCK_DAYS + 1):
			block = self._block(index)
			first = bisect_left(block.starts, (day - 1) * _DAY)
			last = bisect_left(block.starts, (day + 2) * _DAY)
			found += [
				(block.starts[at], block.ends[at]) for at in range(first, last) if block.owners[at] == day
			]
		return found

	def _block(self, index: int) -> _Block:
		block = self._blocks.get(index)
		if block is None:
			block = self._build_block(index)
			# Threads may build a block twice or clear concurrently: that costs time but is never wrong.
			if len(self._blocks) >= _CACHED_BLOCKS:
				self._blocks.clear()
			self._blocks[index] = block
		return block

	def _build_block(self, index: int) -> _Block:
		if index > _LAST_BLOCK:
			raise _past_last_year()
		low = index * _BLOCK
		starts: list[int] = []
		ends: list[int] = []
		before: list[int] = []
		owners: list[int] = []
		days: list[int] = []
		total = 0
		latest = low // _DAY - _BLOCK_DAYS
		# Two days of lead-in show which day had already begun before the block.
		for day, opens, closes in self._counted_between(low - 2 * _DAY, low + _BLOCK):
			if day > latest:
				latest = day
				if opens >= low:
					days.append(day)
			if closes > low:
				starts.append(max(opens, low))
				ends.append(closes)
				before.append(total)
				owners.append(day)
				total += closes - starts[-1]
		return _Block(tuple(starts), tuple(ends), tuple(before), tuple(owners), tuple(days), total)

	def differs(self, other: "WorkingCalendar", start: datetime, end: datetime) -> bool:
		"""Tell whether another calendar is open at any other time between two instants, both timezone-aware.

		:raises ValueError: for a naive datetime.
		"""
		low, high = _unix_seconds(start), _unix_seconds(end)
		return _merged(self._counted_between(low, high)) != _merged(other._counted_between(low, high))

	def _counted_between(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
		"""Like `_open_between`, with the calendar of each era."""
		begin = low
		for start, end, calendar in self._eras:
			start, end = max(start, begin), min(end, high)
			if start < end:
				yield from self._open_between(begin, start)
				yield from calendar._open_between(start, end)
				begin = end
		yield from self._open_between(begin, high)

	def _open_between(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
		"""Local date (days since 1970), opening and closing (Unix seconds) of each interval, ascending."""
		dated, weekly = self._dated, self._weekly
		for begin, end, offset in self._offsets(low, high):
			for day in range((begin + offset) // _DAY, (end + offset - 1) // _DAY + 1):
				midnight = day * _DAY - offset
				for opens, closes in dated.get(day, weekly[(day + _EPOCH_WEEKDAY) % 7]):
					first, last = max(midnight + opens, begin), min(midnight + closes, end)
					if first < last:
						yield day, first, last

	def _offsets(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
		"""Begin, end (Unix seconds) and UTC offset (seconds) of each stretch without a change of offset."""
		begin = at = low
		offset = self._offset(low)
		while at < high:
			probe = min(at + _PROBE, high)
			if self._offset(probe) != offset:
				after = range(at + 1, probe)
				probe = at + 1 + bisect_left(after, True, key=lambda seconds: self._offset(seconds) != offset)
				yield begin, probe, offset
				begin, offset = probe, self._offset(probe)
			at = probe
		yield begin, high, offset

	def _offset(self, seconds: int) -> int:
		"""The zone's UTC offset, in seconds, at a Unix second."""
		return (self._local(seconds).replace(tzinfo=None) - _NAIVE_EPOCH) // _SECOND - seconds


def half_day(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
	"""Return the intervals, in wall-clock times, that hold the first half of a day's working seconds.

	An odd second falls into the second half. Meant for `special_hours`.

	:raises ValueError: for the intervals that WorkingCalendar refuses.
	"""
	day = _in_seconds(intervals)
	left = sum(closes - opens for opens, closes in day) // 2
	half: list[Interval] = []
	for opens, closes in day:
		taken = min(closes - opens, left)
		if taken:
			half.append((_wall_clock(opens), _wall_clock(opens + taken)))
			left -= taken
	return tuple(half)


def _zone_named(name: str) -> ZoneInfo:
	try:
		return ZoneInfo(name)
	except (KeyError, OSError, ValueError) as error:
		raise ValueError(f"unknown time zone: {name!r}") from error


def _in_seconds(intervals: Sequence[Interval]) -> tuple[_Seconds, ...]:
	"""Sorted intervals in seconds since midnight, adjacent ones merged."""
	merged: list[_Seconds] = []
	for opens, closes in sorted(
		(_since_midnight(opens), _since_midnight(closes)) for opens, closes in intervals
	):
		if opens >= closes:
			raise ValueError("hours must open before they close; the end of the day is time.max")
		if merged and opens < merged[-1][1]:
			raise ValueError("hours of a day must not overlap")
		adjacent = bool(merged) and opens == merged[-1][1]
		merged.append((merged.pop()[0] if adjacent else opens, closes))
	return tuple(merged)


def _in_order(eras: Iterable[Era]) -> tuple[tuple[int, int, WorkingCalendar], ...]:
	"""Eras in Unix seconds, in order."""
	ordered = sorted(
		((_unix_seconds(start), _unix_seconds(end), calendar) for start, end, calendar in eras),
		key=lambda era: era[:2],
	)
	latest = None
	for start, end, _calendar in ordered:
		if start >= end or (latest is not None and start < latest):
			raise ValueError("eras must begin before they end, and must not overlap")
		latest = end
	return tuple(ordered)


def _merged(intervals: Iterable[tuple[int, int, int]]) -> list[_Seconds]:
	"""Intervals without their dates, adjacent ones merged."""
	merged: list[_Seconds] = []
	for _day, opens, closes in intervals:
		merged.append((merged.pop()[0] if merged and merged[-1][1] == opens else opens, closes))
	return merged


def _since_midnight(clock: time) -> int:
	if clock == time.max:
		return _DAY
	if clock.microsecond or clock.tzinfo is not None:
		raise ValueError(f"hours must be whole seconds without a zone of their own: {clock}")
	return clock.hour * 3600 + clock.minute * 60 + clock.second


def _wall_clock(seconds: int) -> time:
	return (_NAIVE_EPOCH + timedelta(seconds=seconds)).time()


def _day_number(day: date) -> int:
	return day.toordinal() - _EPOCH_ORDINAL


def _unix_seconds(at: datetime) -> int:
	if at.utcoffset() is None:
		raise ValueError("datetime must be timezone-aware")
	if not _EARLIEST <= at < _LATEST:
		raise ValueError(f"datetime must lie in the years {_EARLIEST.year} to {_LATEST.year - 1}")
	return (at - _EPOCH) // _SECOND


def _check_horizon(closed_seconds: int) -> None:
	if closed_seconds > HORIZON // _SECOND:
		raise _closed_too_long()


def _closed_too_long() -> NoWorkingTime:
	return NoWorkingTime(f"the calendar is closed for more than {HORIZON.days} days on end")


def _past_last_year() -> NoWorkingTime:
	return NoWorkingTime(f"no working time is counted past the year {_LATEST.year - 1}")
