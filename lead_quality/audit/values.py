"""What stands in a cell of an export, read as an instant, an amount, or addresses. What cannot be read says so."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from email.utils import getaddresses
from functools import lru_cache
from zoneinfo import ZoneInfo

YEAR_FIRST, DAY_FIRST, MONTH_FIRST = "YMD", "DMY", "MDY"

_DATE = re.compile(
	r"(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?"
	r"(?:\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
)
_BARE = re.compile(r"[\w.+-]+@[\w.-]+")
_ISO = re.compile(
	r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8]) (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
)
_AMOUNT = re.compile(r"-?\d[\d.,' \u00a0\u202f]*")


class Unreadable(ValueError):
	"""What stands there is not what the field holds; says what was expected."""


def order_of_dates(values: Iterable[str]) -> str | None:
	"""In which order a column's dates are written; None if it cannot be told by them, as in 03/04/2026."""
	order = None
	for value in values:
		found = _DATE.fullmatch(value.strip())
		if not found:
			continue
		if len(found[1]) == 4:
			order = order or YEAR_FIRST
		elif "." in value.split(" ")[0] or int(found[1]) > 12:
			return DAY_FIRST
		elif int(found[2]) > 12:
			return MONTH_FIRST
	return order


def is_date(value: str) -> bool:
	"""Whether a cell holds a date, in whatever order."""
	return bool(_DATE.fullmatch(value.strip()))


@lru_cache(maxsize=64)  # a record names one instant more than once
def moment(value: str, order: str | None, zone: str = "UTC") -> datetime:
	"""The instant (naive, in whole seconds) that a cell names: as written, or, where it is written with its offset from UTC, in
	this zone.

	:raises Unreadable: it names none, or day and month cannot be told apart.
	"""
	if _ISO.fullmatch(value):  # as ERPNext writes nearly all
		return datetime.fromisoformat(value[:19])
	found = _DATE.fullmatch(value.strip())
	if not found:
		raise Unreadable("a date, such as 2026-03-31 14:05:00")
	parts = [int(found[number]) for number in (1, 2, 3)]
	if len(found[1]) == 4:
		year, month, day = parts
	elif order == DAY_FIRST:
		day, month, year = parts
	elif order == MONTH_FIRST:
		month, day, year = parts
	else:
		raise Unreadable("a date of which day and month can be told apart: say --dates dmy or --dates mdy")
	hour, minute, second = (int(found[number] or 0) for number in (4, 5, 6))
	if found[7]:
		hour = hour % 12 + (12 if found[7].lower() == "pm" else 0)
	try:
		at = datetime(year + 2000 if year < 100 else year, month, day, hour, minute, second)
	except ValueError:
		raise Unreadable("a date that is in the calendar") from None
	if not 1990 <= at.year <= 2100:
		raise Unreadable("a date between 1990 and 2100")
	return at if found[8] is None else _in_zone(at, found[8], zone)


def has_offset(value: str) -> bool:
	"""Whether a cell names an instant with its offset from UTC."""
	found = _DATE.fullmatch(value.strip())
	return found is not None and found[8] is not None


def _in_zone(at: datetime, offset: str, zone: str) -> datetime:
	ahead = timedelta(0)
	if offset[0] in "+-":
		digits = offset[1:].replace(":", "").ljust(4, "0")
		ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if offset[0] == "-" else 1)
	return (at - ahead).replace(tzinfo=timezone.utc).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def decimal_mark(values: Iterable[str]) -> str | None:
	"""Whether a column's amounts have a point or a comma before the decimals; None if it cannot be told, or differs."""
	found = {mark for value in values if (mark := _own_mark(value))}
	return found.pop() if len(found) == 1 else None


def _own_mark(value: str) -> str | None:
	"""What stands before the decimals of an amount, as far as it tells by itself."""
	marks = re.findall(r"[.,]", value)
	if marks and (len(set(marks)) == 2 or (len(marks) == 1 and not re.search(r"[.,]\d{3}\D*$", value))):
		return marks[-1]
	if len(marks) > 1:
		return "," if marks[0] == "." else "."
	return None


def amount(value: str, mark: str | None) -> float:
	"""The number that a cell holds, whatever its currency.

	:param mark: what stands before the decimals where the amount does not tell itself, see `decimal_mark`.
	:raises Unreadable: it holds none, or 1.234 may be either.
	"""
	found = _AMOUNT.search(value)
	if not found or re.search(r"\d", value[found.end() :]):
		raise Unreadable("an amount, such as 1234.50")
	text = re.sub(r"[' \u00a0\u202f]", "", found[0])
	mark = _own_mark(text) or mark
	if mark is None and re.search(r"[.,]", text):
		raise Unreadable("an amount of which the decimals can be told: 1.234 may be either")
	if mark == ",":
		text = text.replace(".", "").replace(",", ".")
	elif mark == ".":
		text = text.replace(",", "")
	is_negative = value.strip().startswith("(") and value.strip().endswith(")")  # as accountants write
	try:
		return -float(text) if is_negative else float(text)
	except ValueError:
		raise Unreadable("an amount, such as 1234.50") from None


def addresses(value: str) -> list[str]:
	"""The bare addresses, in lower case, that stand in a cell."""
	if _BARE.fullmatch(value):
		return [value.lower()]
	found = (address.strip().lower() for _name, address in getaddresses([value.replace(";", ",")]))
	return [address for address in found if "@" in address]


SHORTEST = 6  # digits of a telephone number
PREFIX = 3  # digits at most that stand before a number where it is written longer: of a country, or to leave a network


def digits_key(number: str) -> str:
	"""What two spellings of one telephone number have in common, and some others: its last seven digits. Empty, if it is none:
	shorter than six digits, or one digit over and over."""
	digits = re.sub(r"\D", "", number)
	return digits[-7:] if len(digits) >= SHORTEST and len(set(digits)) > 1 else ""


def is_same_number(one: str, other: str) -> bool:
	"""Whether two telephone numbers are one. Two that name their countries (`+49`, `0049`) have all digits alike. Otherwise one may
	be written without the country, and with a zero before its area: `030 1234567` is `+49 30 1234567`."""
	(is_full, digits), (is_other_full, others) = _number(one), _number(other)
	if digits == others:
		return True
	shorter, longer = sorted((digits, others), key=len)
	if (is_full and is_other_full) or len(shorter) <= SHORTEST:
		return False
	return longer.endswith(shorter) and len(longer) - len(shorter) <= PREFIX


def _number(written: str) -> tuple[bool, str]:
	"""Whether a number names its country, and its digits from there, or from the area, on."""
	text = written.strip().replace("(0)", "")
	digits = re.sub(r"\D", "", text)
	is_full = text.startswith("+") or digits.startswith("00")
	return is_full, digits.lstrip("0")
