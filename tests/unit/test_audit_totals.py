"""Both totals of an order are called Grand Total in v16, that in the company's currency and that in the order's own."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_quality.audit import cli
from lead_quality.audit.columns import BY_LABEL, Recognised
from lead_quality.audit.totals import tell_apart
from tests.unit.audit_files import run, write

# currency, total in it, exchange rate to the company's euros
ORDERS = [
	("EUR", 1000.0, 1.0),
	("USD", 500.0, 0.92),
	("EUR", 250.5, 1.0),
	("JPY", 90_000.0, 0.0062),
	("USD", 80.0, 0.9),
]
WORTH = [1000.0, 460.0, 250.5, 558.0, 72.0]
LEADS = [
	{"name": f"L-{n}", "creation": "2026-01-05 09:00:00", "status": "Converted"}
	for n, _order in enumerate(ORDERS)
]
CUSTOMERS = [
	{"name": f"C-{n}", "creation": "2026-01-06 09:00:00", "lead_name": f"L-{n}"}
	for n, _order in enumerate(ORDERS)
]


def orders(
	folder: Path,
	headers: Sequence[str],
	is_base_first: bool,
	rows=ORDERS,
	rate: str = "",
	comma: bool = False,
) -> Path:
	"""An export of orders with two totals, under these headers, and with the exchange rate under `rate`."""

	def number(value: float) -> str:
		return f"{value:.4f}".replace(".", ",") if comma else f"{value:.4f}"

	folder.mkdir(exist_ok=True)
	path = folder / "Sales Order.csv"
	with path.open("w", newline="", encoding="utf-8") as file:
		writer = csv.writer(file, delimiter=";")
		writer.writerow(["ID", "Created On", "Customer", "Currency", *headers, *([rate] if rate else [])])
		for n, (currency, total, factor) in enumerate(rows):
			both = [total * factor, total] if is_base_first else [total, total * factor]
			cells = [f"SO-{n}", "2026-02-01 10:00:00", f"C-{n}", currency, *map(number, both)]
			writer.writerow([*cells, *([number(factor)] if rate else [])])
	return path


def amounts(done) -> list[float | None]:
	by_lead = {one.journey.lead: one.journey.value for one in done.facts}
	return [by_lead[lead["name"]] and round(by_lead[lead["name"]], 2) for lead in LEADS]


def files(folder: Path, of_orders: Path) -> list[Path]:
	return [*write(folder / "others", lead=LEADS, customer=CUSTOMERS), of_orders]


def doubts(done) -> list[str]:
	return [sentence for sentence in done.report.cannot if "columns of the orders are called" in sentence]


@pytest.mark.parametrize("is_base_first", [True, False])
@pytest.mark.parametrize(
	("label", "rate", "comma"),
	[
		("Grand Total", "Exchange Rate", False),
		("Gesamtbetrag", "Wechselkurs", True),
		("Grand Total", "Whatever it is called", False),
	],
)
def test_the_exchange_rate_tells_which_total_is_in_the_companys_currency(
	tmp_path, is_base_first, label, rate, comma
):
	path = orders(tmp_path, [label, label], is_base_first, rate=rate, comma=comma)

	done = run(files(tmp_path, path))

	assert amounts(done) == WORTH
	assert done.report.currency == "EUR"
	assert doubts(done) == []


def test_one_odd_order_of_many_does_not_hide_which_total_is_which():
	rows = [[str(100 + n), str((100 + n) * 2), "2"] for n in range(20)] + [["7", "500", "2"]]

	found, doubt = tell_apart(
		["Grand Total"] * 2 + ["Exchange Rate"], rows, [Recognised("grand_total", 0, "Grand Total", BY_LABEL)]
	)

	assert {column.field: column.place for column in found} == {"grand_total": 0, "base_grand_total": 1}
	assert doubt == ""


@pytest.mark.parametrize("is_base_first", [True, False])
def test_without_a_rate_orders_in_other_currencies_have_no_amount_and_it_is_said_how_to_have_it(
	tmp_path, is_base_first
):
	path = orders(tmp_path, ["Grand Total"] * 2, is_base_first, ORDERS[:4])  # most are in euros

	done = run(files(tmp_path, path))

	assert amounts(done) == [1000.0, None, 250.5, None, None]
	[told] = doubts(done)
	assert "in other currencies than EUR" in told and "--map SalesOrder.base_grand_total=" in told
	header = "Grand Total" if is_base_first else "Grand Total (2)"
	assert f'"{header}"' in told
	said = run(files(tmp_path, path), mapped={"Sales Order": {"base_grand_total": header}})
	assert amounts(said) == [*WORTH[:4], None]
	assert doubts(said) == []


@pytest.mark.parametrize("is_base_first", [True, False])
def test_where_most_orders_are_in_another_currency_no_total_is_guessed(tmp_path, is_base_first, capsys):
	rows = [("USD", 500.0, 0.92), ("USD", 80.0, 0.9), ("EUR", 100.0, 1.0), ("USD", 70.0, 0.9)]
	path = orders(tmp_path, ["Grand Total"] * 2, is_base_first, rows)
	paths = files(tmp_path, path)

	done = run(paths)

	assert amounts(done) == [None] * 5
	[told] = doubts(done)
	assert "none was taken" in told
	assert cli.main(["audit", *map(str, paths), "--out", str(tmp_path / "out")]) == 0
	assert told in capsys.readouterr().out
	assert "none was taken" in (tmp_path / "out" / "audit.html").read_text()


def test_totals_that_are_the_same_need_no_telling_apart(tmp_path):
	rows = [("EUR", 10.0 + n, 1.0) for n in range(5)]

	done = run(files(tmp_path, orders(tmp_path, ["Grand Total"] * 2, True, rows)))

	assert amounts(done) == [10.0, 11.0, 12.0, 13.0, 14.0]
	assert doubts(done) == []


def test_amounts_are_in_the_companys_currency_even_where_most_orders_are_in_another(tmp_path):
	rows = [("USD", 500.0, 0.92), ("USD", 80.0, 0.9), ("EUR", 100.0, 1.0)]
	path = orders(tmp_path, ["base_grand_total", "grand_total"], True, rows)

	done = run(files(tmp_path, path))

	assert amounts(done)[:3] == [460.0, 72.0, 100.0]
	assert done.report.currency == "EUR"


@given(
	st.lists(
		st.tuples(st.integers(100, 10**8), st.sampled_from([1.0, 0.92, 1.31, 0.0062, 83.4])),
		min_size=1,
		max_size=8,
	),
	st.booleans(),
	st.booleans(),
)
def test_a_total_is_taken_for_the_companys_only_if_it_is(totals, is_base_first, has_rate):
	"""Whatever the amounts: what is called the company's total is the order's total times the rate, in every order."""
	headers = ["Grand Total", "Grand Total", "Exchange Rate" if has_rate else "Total Quantity"]
	rows = []
	for cents, rate in totals:
		pair = [round(cents / 100 * rate, 2), cents / 100]
		both = pair if is_base_first else pair[::-1]
		rows.append([f"{both[0]:.2f}", f"{both[1]:.2f}", str(rate) if has_rate else "3"])

	found, doubt = tell_apart(headers, rows, [Recognised("grand_total", 0, "Grand Total", BY_LABEL)])

	taken = {column.field: column.place for column in found}
	if all(row[0] == row[1] for row in rows):
		assert taken == {"grand_total": 0} and doubt == ""
	elif has_rate:
		assert taken == {"base_grand_total": 1 - is_base_first, "grand_total": int(is_base_first)}
		assert doubt == ""
	else:
		assert taken == {} and "--map" in doubt
