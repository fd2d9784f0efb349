"""What an automatic reply says about a person: away until a day, or no longer working there."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

# How much of a reply is read, and how far in the future a return may lie.
READ_WITHIN = 3000
AWAY_AT_MOST = timedelta(days=200)

# Beginnings of words beside the day of return.
BACK = (
	"back|return|resum|again|wieder|zurück|zurueck|ab dem|ab |de retour|retour|revien|reprend|rentr|regres|vuelv|volver|"
	"vuelta|rientr|ritorn|tornerò|torno|volto|voltar|retorn|terug|weer|tilbage|tillbaka|tilbake|åter|igen|igjen|"
	"wrac|wróc|powr|od dnia|takaisin|palaa|вернусь|возвращ|вернет|поверн|zpět|vrát|späť|dönü|geri|visszat|revin|"
	"επιστρ|戻り|復帰|出社|返回|回来|回來|복귀|돌아"
)
# Words before the last day of an absence.
UNTIL = (
	"until|till|til|thru|through|up to|to|bis|bis zum|bis einschließlich|jusqu'au|jusqu'à|jusqu’au|au|hasta el|hasta|al|"
	"fino al|fino a|até|até ao|tot|tot en met|t/m|t.e.m.|til og med|till och med|til|till|do|do dnia|asti|до|по|"
	"μέχρι|έως|a|–|-|—|～|~|まで"
)

HAS_LEFT = (
	r"no longer (?:works?|working|with|employed|at|part of|an employee|available at this)",
	r"(?:has|have|'s) left (?:the|our) (?:company|organi[sz]ation|firm|business)",
	r"(?:has|have) left (?!for\b|on\b|early|the (?:office|building))[\w&.' -]{2,40}(?:\.|,|\n|$)",
	r"is not (?:working|employed) (?:here|with us) any ?more",
	r"nicht mehr (?:im|in unserem|in diesem|bei|für|in der) [\w&. -]{0,40}(?:unternehmen|firma|hause|tätig|beschäftigt|uns)",
	r"nicht mehr (?:bei|für) [\w&. -]{2,40}",
	r"(?:aus (?:dem|unserem) (?:unternehmen|hause?)|aus der firma) ausgeschieden",
	r"ne (?:travaille|fait) plus (?:partie|chez|pour|dans|au sein)",
	r"(?:a|ai) quitté (?:la société|l'entreprise|notre|l'organisation|mes fonctions|ses fonctions)",
	r"ya no (?:trabaj\w+|forma parte|labora)",
	r"non (?:lavor\w+|fa|è) più (?:per|in|con|parte|presso|qui|alle)",
	r"(?:já não|não) trabalh\w+ (?:mais|na|para|aqui)",
	r"(?:werkt?|is) niet (?:meer|langer) (?:bij|voor|hier|werkzaam)",
	r"niet (?:meer|langer) werkzaam",
	r"(?:arbetar|jobbar) inte längre",
	r"slutat (?:på|hos)",
	r"(?:arbejder|er) ikke længere (?:ansat|hos|i|for)",
	r"ikke længere ansat",
	r"(?:jobber|arbeider) ikke lenger",
	r"(?:już nie pracuj\w+|nie pracuj\w+ już)",
	r"ei (?:työskentele|ole) enää",
	r"больше не работа\w+",
	r"більше не працю\w+",
	r"již (?:u nás )?nepracuj\w+",
	r"artık .{0,40}çalışm\w+",
	r"már nem dolgoz\w+",
	r"nu mai lucr\w+",
	r"退職",
	r"已离职|已離職|不再.{0,10}任职",
	r"퇴사",
)
_HAS_LEFT = re.compile("|".join(HAS_LEFT))
_BACK = re.compile(rf"(?:^|[^\w])(?:{BACK})|戻り|復帰|出社|返回|回来|回來|복귀|돌아")
_UNTIL = re.compile(rf"(?:^|[\s\d.,(])(?:{UNTIL})\s*(?:the |den |dem |o |le |el |il )?$")
_ORDINAL = r"(?:st|nd|rd|th|er|º|ª|°|\.|-?го|-?е|:?e|:n)?"
_OF = r"(?:\s+(?:de|of|di|do|da|d'))?"


class _Day(NamedTuple):
	day: date
	begins: int
	ends: int


def has_left(text: str) -> bool:
	"""Whether an automatic reply says that the person no longer works there."""
	return bool(_HAS_LEFT.search(_plain(text)))


def back_on(text: str, written_on: date, months: Mapping[str, int], month_first: bool = False) -> date | None:
	"""The day of return in an automatic reply; None if it names no future day.

	:param written_on: the day on which it was sent; a date without a year is the one nearest to it.
	:param months: names and short names of the months in lower case, in all languages, to their number.
	:param month_first: whether 9/8 is in September, if both could be the month.
	"""
	text = _plain(text)
	ahead = [
		found
		for found in _days(text, written_on, months, month_first)
		if written_on < found.day <= written_on + AWAY_AT_MOST
	]
	returns = [found for found in ahead if _speaks_of_return(text, found)]
	if returns:
		return max(found.day for found in returns)
	if not ahead:
		return None
	last = max(ahead, key=lambda found: found.day)
	is_last_day_away = _UNTIL.search(text[max(last.begins - 24, 0) : last.begins])
	return last.day + timedelta(days=1) if is_last_day_away else last.day


def _speaks_of_return(text: str, found: _Day) -> bool:
	"""Whether a word of return is in the same sentence, shortly before the date or right after it."""
	before = re.split(r"[!?;\n]|\.\s+(?=\D)", text[max(found.begins - 40, 0) : found.begins])[-1]
	after = re.split(r"[.!?;,\n]|\b(?:and|und|et|y|e|en|och|og|i)\b", text[found.ends : found.ends + 30])[0]
	return bool(_BACK.search(before) or _BACK.search(after))


def _plain(text: str) -> str:
	text = unicodedata.normalize("NFKC", text[:READ_WITHIN]).casefold().replace("’", "'")
	return re.sub(r"[^\S\n]+", " ", text)


def _days(text: str, written_on: date, months: Mapping[str, int], month_first: bool) -> Iterator[_Day]:
	for match in re.finditer(r"(?<!\d)(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)", text):
		yield from _day(match, written_on, match[1], match[2], match[3])
	for match in re.finditer(r"(?<!\d)(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]", text):
		yield from _day(match, written_on, None, match[1], match[2])
	for match in re.finditer(
		r"(?<![\d./-])(\d{1,2})([./-])\s?(\d{1,2})(?:\2\s?(\d{4}|\d{2}))?(?![\d/-])", text
	):
		first, second = int(match[1]), int(match[3])
		if match[2] == "-" and not match[4]:
			continue  # from 8 to 9
		is_month_first = match[2] == "/" and ((month_first and first <= 12) or second > 12)
		month, day = (first, second) if is_month_first else (second, first)
		yield from _day(match, written_on, match[4], month, day)
	if not months:
		return
	names = "|".join(re.escape(month) for month in sorted(months, key=len, reverse=True))
	for match in re.finditer(
		rf"(?<!\d)(\d{{1,2}}){_ORDINAL}{_OF}\s*({names})(?!\w)\.?(?:{_OF},?\s*(\d{{4}})(?!\d))?", text
	):
		yield from _day(match, written_on, match[3], months[match[2]], match[1])
	for match in re.finditer(
		rf"(?<!\w)({names})\.?\s+(\d{{1,2}})(?!\d){_ORDINAL}(?:,?\s*(\d{{4}})(?!\d))?", text
	):
		yield from _day(match, written_on, match[3], months[match[1]], match[2])


def _day(
	match: re.Match[str], written_on: date, year: str | None, month: str | int, day: str | int
) -> Iterator[_Day]:
	full_year = (int(year) + (2000 if len(year) == 2 else 0)) if year else None
	years = [full_year] if full_year else [written_on.year - 1, written_on.year, written_on.year + 1]
	days = []
	for candidate in years:
		try:
			days.append(date(candidate, int(month), int(day)))
		except ValueError:
			continue
	if days:
		yield _Day(min(days, key=lambda one: abs(one - written_on)), match.start(), match.end())
