"""A number in a form is not taken for another: Frappe shows a Float with three decimals unless it says how many, and
8.000 hours are read as eight thousand."""

import json
from pathlib import Path

import lead_quality

DOCTYPES = sorted((Path(lead_quality.__file__).parent / "lead_quality" / "doctype").glob("*/*.json"))


def test_no_number_has_three_decimals_which_are_read_as_thousands():
	found = [
		(path.stem, field["fieldname"])
		for path in DOCTYPES
		for field in json.loads(path.read_text())["fields"]
		if field["fieldtype"] in {"Float", "Percent"} and field.get("precision") in {None, "", "3"}
	]

	assert not found
