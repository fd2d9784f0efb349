"""Phone numbers in one form for comparison."""

from functools import lru_cache

import frappe
import phonenumbers
from frappe.utils.caching import site_cache


def number_key(number: str | None, country: str | None = None) -> str | None:
	"""A number in international form (E.164) for comparison, such as +441611234567; None for an empty number.

	Text that is not a valid phone number keeps its digits, with a mark, so that equal texts still compare equal.

	:param country: the Country of numbers without a prefix; see `country_of`.
	"""
	number = (number or "").strip()
	return _number_key(number, region_of(country)) if number else None


@site_cache(ttl=600, maxsize=512)
def region_of(country: str | None) -> str | None:
	"""The code of a Country in capitals, such as GB."""
	code = country and frappe.get_cached_value("Country", country, "code")
	return code.upper() if code else None


def country_of(document) -> str | None:
	"""The Country of a document's or row's phone numbers without a prefix: its own, else its company's, else the
	site's."""
	if document.get("country"):
		return document.get("country")
	company = document.get("company")
	country = company and frappe.get_cached_value("Company", company, "country")
	return country or frappe.db.get_default("country")


@lru_cache(maxsize=4096)
def _number_key(number: str, region: str | None) -> str | None:
	written = _parse(number, region)
	if not (written and phonenumbers.is_valid_number(written)) and not number.startswith("+"):
		# people leave out the + before the country's code
		international = _parse(f"+{number.lstrip('0 ')}", None)
		if international and phonenumbers.is_valid_number(international):
			written = international
	if written and phonenumbers.is_possible_number(written):
		return phonenumbers.format_number(written, phonenumbers.PhoneNumberFormat.E164)
	digits = "".join(character for character in number if character.isdigit())
	return f"={digits}" if digits else None


def _parse(number: str, region: str | None):
	try:
		return phonenumbers.parse(number, region)
	except phonenumbers.NumberParseException:
		return None
