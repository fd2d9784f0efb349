"""Which of two columns of an order's total is in the company's currency, where both are called alike, as v16 calls them."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from lead_quality.audit import values
from lead_quality.audit.columns import BY_CONTENT, BY_LABEL, Recognised, is_called, plain

BASE, TOTAL = "base_grand_total", "grand_total"
_RATES = {
	"conversion_rate",
	"exchange rate",
	"wechselkurs",
	"taux de change",
	"tipo de cambio",
	"taxa de câmbio",
	"tasso di cambio",
	"wisselkoers",
}
ENOUGH = 3  # orders that a column explains, to be taken for their exchange rate whatever it is called
MOST = 0.9  # of the orders whose totals differ: some may have been corrected by hand
_ROUNDING = 0.001  # of an amount
SAY = (
	'say which is in the company\'s currency: --map SalesOrder.base_grand_total="{0}" if it is the first, "{0} (2)" if it is the '
	"second; or export Exchange Rate, too"
)


def tell_apart(
	headers: Sequence[str], rows: Sequence[Sequence[str]], found: list[Recognised]
) -> tuple[list[Recognised], str]:
	"""The columns of a table of orders, the totals corrected, and a sentence on what could not be told; empty, if all could."""
	by_field = {column.field: column for column in found}
	first = by_field.get(TOTAL)
	if not first or first.by != BY_LABEL or BASE in by_field:
		return found, ""
	places = [place for place, header in enumerate(headers) if is_called("Sales Order", TOTAL, header)]
	if len(places) < 2:
		return found, ""
	others = [column for column in found if column.field != TOTAL]
	currency = by_field["currency"].place if "currency" in by_field else None
	named = repr(headers[places[0]])
	if len(places) > 2:
		return (
			others,
			f"{len(places)} columns are called {named}: none was taken, and no order has an amount.",
		)
	pairs = _pairs(rows, places, currency)
	differ = [(one, other, row) for one, other, _currency, row in pairs if not _is_same(one, other)]
	if not differ:
		return found, ""
	of_base = _base_by_rate(headers, differ, places)
	if of_base is not None:
		of_total = places[1 - places.index(of_base)]
		columns = [
			*others,
			Recognised(BASE, of_base, headers[of_base], BY_CONTENT),
			Recognised(TOTAL, of_total, headers[of_total], BY_CONTENT),
		]
		return sorted(columns, key=lambda column: column.place), ""
	sentence = f"Two columns of the orders are called {named}, and their amounts differ"
	say = SAY.format(headers[places[0]])
	if currency is not None and (own := _company_currency(pairs)):
		return (
			found,
			f"{sentence} in other currencies than {own}: such orders have no amount. To have them, {say}.",
		)
	return others, f"{sentence}: none was taken, and no order has an amount. To have them, {say}."


_Pair = tuple[float, float, str, Sequence[str]]


def _pairs(rows: Sequence[Sequence[str]], places: Sequence[int], currency: int | None) -> list[_Pair]:
	"""Both totals of each order that has both, with its currency and its row."""
	mark = values.decimal_mark(row[place] for row in rows for place in places if place < len(row))
	pairs = []
	for row in rows:
		if max(*places, currency or 0) >= len(row):
			continue
		try:
			one, other = (values.amount(row[place], mark) for place in places)
		except values.Unreadable:
			continue
		if one and other:
			pairs.append((one, other, row[currency].strip() if currency is not None else "", row))
	return pairs


def _is_same(one: float, other: float) -> bool:
	return abs(one - other) <= max(0.011, _ROUNDING * abs(one) / 100)


def _base_by_rate(
	headers: Sequence[str], differ: Sequence[tuple[float, float, Sequence[str]]], places: Sequence[int]
) -> int | None:
	"""The place of the total that is the other one times a third column, which then is the exchange rate; None, if there is no
	such column, or it could be either."""
	found: set[int] = set()
	for place, header in enumerate(headers):
		if place in places or (plain(header) not in _RATES and len(differ) < ENOUGH):
			continue
		rates = _numbers(differ, place)
		if not rates:
			continue
		for base, is_first in ((places[0], True), (places[1], False)):
			fit = sum(
				_is_near(*((one, other * rate) if is_first else (other, one * rate)))
				for (one, other, _row), rate in zip(differ, rates, strict=True)
			)
			if fit >= MOST * len(differ):
				found.add(base)
	return found.pop() if len(found) == 1 else None


def _numbers(differ: Sequence[tuple[float, float, Sequence[str]]], place: int) -> list[float]:
	"""What stands in a column, if that is a number in each row."""
	cells = [row[place] if place < len(row) else "" for _one, _other, row in differ]
	mark = values.decimal_mark(cells)
	try:
		return [_rate(cell, mark) for cell in cells]
	except values.Unreadable:
		return []


def _rate(cell: str, mark: str | None) -> float:
	"""A rate has three decimals as often as not: 1.085 is no thousand, where nothing else in its column says so."""
	return values.amount(cell, mark or ("," if "," in cell else "."))


def _is_near(one: float, other: float) -> bool:
	return abs(one - other) <= max(0.02, _ROUNDING * abs(one))


def _company_currency(pairs: Sequence[_Pair]) -> str:
	"""The currency in which most orders are, if both totals are one in it; else empty."""
	same: defaultdict[str, bool] = defaultdict(lambda: True)
	for one, other, currency, _row in pairs:
		same[currency] &= _is_same(one, other)
	[(most, _count)] = Counter(currency for _one, _other, currency, _row in pairs).most_common(1)
	return most if same[most] else ""
