"""A query over lists of values: an empty list is the empty set."""

import frappe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.base import query

FRUIT = ("apple", "pear", "", None)
ROWS = " union all ".join(f"select {'null' if name is None else repr(name)} as name" for name in FRUIT)
LISTS = st.lists(st.sampled_from([*FRUIT[:3], "plum"]), max_size=3)


def expected(chosen: list[str], unwanted: list[str]) -> list[str | None]:
	"""What SQL says of nulls: they are neither in a list nor out of it, unless it is empty."""
	return sorted(
		name
		for name in FRUIT
		if name is not None and name in chosen and (not unwanted or name not in unwanted)
	)


@settings(max_examples=60, deadline=None)
@given(chosen=LISTS, unwanted=LISTS, kind=st.sampled_from([list, tuple, set]))
def test_a_list_is_a_set_also_where_it_is_empty(site, chosen, unwanted, kind):
	by_name = query.run(
		f"select name from ({ROWS}) fruit where name in %(chosen)s and name not in %(unwanted)s and name not like '%%zz'",
		{"chosen": kind(chosen), "unwanted": kind(unwanted)},
		pluck=True,
	)
	in_order = query.run(
		f"select name from ({ROWS}) fruit where 1 = %s and name in %s and name not in %s and name not like '%%zz'",
		(1, kind(chosen), kind(unwanted)),
		pluck=True,
	)
	assert sorted(by_name) == sorted(in_order) == expected(chosen, unwanted)


def test_of_no_names_no_document_is_found_not_even_one_that_names_nothing():
	frappe.db.set_value("User", "Guest", "time_zone", "")
	assert frappe.get_all("User", {"time_zone": query.among([])}, order_by="name asc") == []
	assert frappe.get_all("User", {"name": query.among(["Guest"])}, pluck="name", order_by="name asc") == [
		"Guest"
	]


@pytest.mark.parametrize("values", [{}, ()])
def test_a_query_without_values_is_read_as_it_stands(values):
	assert query.run("select 1", values) == ((1,),)
