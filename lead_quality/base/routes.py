"""Addresses of the desk: lists, forms and reports with their filters."""

import json
from urllib.parse import quote, urlencode

from frappe.utils import add_days, getdate


def list_route(doctype: str, **filters) -> str:
	"""The address of a list with filters: a value, or an operator and a value. Empty filters are left out."""
	return _route(doctype.lower().replace(" ", "-"), filters)


def form_route(doctype: str, name: str | None = None) -> str:
	"""The address of a form. Single DocTypes have no name."""
	path = doctype.lower().replace(" ", "-")
	return _route(f"{path}/{quote(name, safe='')}" if name else path, {})


def report_route(report: str, **filters) -> str:
	"""The address of a report with its filters. Empty filters are left out."""
	return _route(f"query-report/{quote(report)}", filters)


def days_filter(from_date=None, to_date=None) -> list | None:
	"""A list's filter for an instant between two days, both included; None if both are empty."""
	first, last = (day and str(getdate(day)) for day in (from_date, to_date))
	if first and last:
		return ["between", [first, last]]
	if first:
		return [">=", first]
	return ["<", str(add_days(getdate(last), 1))] if last else None


def _route(path: str, filters: dict) -> str:
	query = {
		key: json.dumps(value) if isinstance(value, list) else str(value)
		for key, value in filters.items()
		if value is not None and value != ""
	}
	return f"/app/{path}?{urlencode(query, quote_via=quote)}" if query else f"/app/{path}"
