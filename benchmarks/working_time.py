"""Speed of working-time arithmetic beside a plain walk minute by minute: `python benchmarks/working_time.py`.

Times in microseconds of wall-clock time per call, on this machine, in this one run; nothing is enforced. The
calendar is Monday to Friday, 9 to 17 in Europe/Berlin, less ten holidays a year. `cold` calls a new calendar,
which has nothing cached yet (making the calendar is not timed).
"""

import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from datetime import time as clock
from functools import partial
from operator import methodcaller
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lead_quality.engine.working_time import WorkingCalendar

Question = Callable[[WorkingCalendar], object]

ZONE = ZoneInfo("Europe/Berlin")
OPENS, CLOSES = clock(9), clock(17)
HOURS = {weekday: [(OPENS, CLOSES)] for weekday in range(5)}
HOLIDAYS = {date(year, month, 1) for year in range(2024, 2030) for month in range(1, 11)}
START = datetime(2025, 1, 15, 10, 30, tzinfo=ZONE)
SPANS = {"a day": 1, "a month": 30, "two years": 730}
MINUTE = timedelta(minutes=1)


def make() -> WorkingCalendar:
	return WorkingCalendar(HOURS, HOLIDAYS, ZONE)


def is_open(at: datetime) -> bool:
	wall = at.astimezone(ZONE)
	return wall.weekday() < 5 and OPENS <= wall.time() < CLOSES and wall.date() not in HOLIDAYS


def walk_deadline(start: datetime, working_seconds: int) -> datetime:
	at = start.astimezone(timezone.utc)
	while working_seconds > 0:
		if is_open(at):
			working_seconds -= 60
		at += MINUTE
	return at.astimezone(ZONE)


def walk_elapsed(start: datetime, end: datetime) -> int:
	at, end = start.astimezone(timezone.utc), end.astimezone(timezone.utc)
	seconds = 0
	while at < end:
		seconds += 60 * is_open(at)
		at += MINUTE
	return seconds


def timed(ask: Question, make_calendar: Callable[[], WorkingCalendar], runs: int) -> list[float]:
	"""Microseconds of each call, ascending; making the calendar is not timed."""
	taken = []
	for _ in range(runs):
		calendar = make_calendar()
		begin = time.perf_counter_ns()
		ask(calendar)
		taken.append((time.perf_counter_ns() - begin) / 1000)
	return sorted(taken)


def row(question: str, span: str, way: str, taken: list[float], reference: float) -> str:
	median, high = statistics.median(taken), taken[int(len(taken) * 0.95)]
	ratio = reference / median
	return f"{question:9} {span:10} {way:5} {len(taken):6} {median:14,.1f} {high:14,.1f} {ratio:12,.1f}"


def compare(question: str, span: str, ask: Question, walk: Callable[[], object]) -> None:
	warm = make()
	if ask(warm) != walk():
		raise SystemExit(f"{question} over {span}: the walk comes to another answer")
	walked = timed(lambda _: walk(), lambda: warm, 3 if span == "two years" else 20)
	reference = statistics.median(walked)
	print(row(question, span, "warm", timed(ask, lambda: warm, 20_000), reference))
	print(row(question, span, "cold", timed(ask, make, 200), reference))
	print(row(question, span, "walk", walked, reference))


def main() -> None:
	print(f"Python {platform.python_version()}, {platform.machine()}")
	header = f"{'question':9} {'span':10} {'way':5} {'calls':>6} {'median us':>14} {'95 % us':>14}"
	print(f"{header} {'walk / this':>12}")
	for span, days in SPANS.items():
		end = START + timedelta(days=days)
		seconds = make().elapsed(START, end)
		compare(
			"deadline", span, methodcaller("deadline", START, seconds), partial(walk_deadline, START, seconds)
		)
		compare("elapsed", span, methodcaller("elapsed", START, end), partial(walk_elapsed, START, end))


if __name__ == "__main__":
	main()
