"""The base class of the app's DocTypes."""

import math
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import frappe
from bs4 import BeautifulSoup
from dateutil.parser import isoparse
from frappe import _
from frappe.handler import is_valid_http_method
from frappe.model import default_fields
from frappe.model.document import Document
from frappe.utils import cint, get_system_timezone
from frappe.utils.data import sbool

WHOLE = frozenset({"Int", "Check"})
NUMBERS = frozenset({"Int", "Check", "Float", "Currency", "Percent", "Duration", "Rating"})
TYPED = NUMBERS | {"Date", "Datetime", "Time"}
# limits of the database columns
LARGEST = {"Int": 2**31 - 1, "Check": 1}
LARGEST_DECIMAL = 10**12 - 1
TEXTS = frozenset({"Small Text", "Text"})
# fields that are set by a button and not edited in a form
TOLD = {("Lead Handover", "note"), ("Lead Handover", "feedback"), ("Lead Touch", "status_reason")}
# fields that are compared literally
COMPARED = {("Lead Segment Rule", "value"), ("Qualification Criterion", "options")}

TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?")


class OwnDocument(Document):
	"""A document of the app.

	Values are converted to the type of their field before `validate`, because the desk, REST clients and files send
	numbers, dates and checks as text. A request cannot replace attributes or methods of the controller, although Frappe
	sets whatever names a request contains.
	"""

	def update(self, d):
		names = _class_names(type(self))
		if not names.isdisjoint(d):
			d = {key: value for key, value in d.items() if key not in names or self.meta.has_field(key)}
		return super().update(d)

	def set(self, key, value, as_value=False):
		if key not in _class_names(type(self)) or self.meta.has_field(key):
			super().set(key, value, as_value)

	def is_whitelisted(self, method_name: str):
		"""As Frappe's, and also checks the HTTP verb, which two of Frappe's ways to call a document's method do not: a link
		on a page must not be able to change something by GET.

		:raises frappe.PermissionError: if a request may not call the method, or not with its verb.
		"""
		super().is_whitelisted(method_name)
		method = getattr(self, method_name)
		is_valid_http_method(getattr(method, "__func__", method))

	def as_dict(self, *args, **kwargs) -> dict:
		"""As Frappe's, but the response to a request omits fields above the user's permission levels. Frappe does so when it
		reads a document, but returns saved documents in full."""
		told = super().as_dict(*args, **kwargs)
		if getattr(frappe.local, "request", None):
			for fieldname in self.withheld_fields():
				told.pop(fieldname, None)
		return told

	def withheld_fields(self) -> list[str]:
		"""The fields above the permission levels of the session's user. None for a document that is being deleted: it is
		stored in full, so that it can be restored."""
		levelled = self.meta.get_high_permlevel_fields()
		is_deleted = (self.get("parent_doc") or self).flags.in_delete
		if not levelled or is_deleted or frappe.session.user == "Administrator":
			return []
		levels = self.meta.get_permlevel_access("read", self.get("parenttype"), user=frappe.session.user)
		return [field.fieldname for field in levelled if field.permlevel not in levels]

	def before_validate(self):
		for part in (self, *self.get_all_children()):
			read_values(part)
			keep_texts(part)


_names: dict[type, frozenset[str]] = {}


def _class_names(controller: type) -> frozenset[str]:
	"""The names of all attributes of a controller class, its own and Frappe's, except columns."""
	if controller not in _names:
		_names[controller] = frozenset(dir(controller)) - set(default_fields)
	return _names[controller]


def read_values(doc):
	"""Convert the text values of a document or row to the types of their fields.

	:raises frappe.ValidationError: naming the field whose value cannot be read.
	"""
	for field in doc.meta.fields:
		value = doc.get(field.fieldname)
		if field.fieldtype in TYPED and isinstance(value, str):
			doc.set(field.fieldname, read_value(value, field.fieldtype, _place(doc, field)))


def keep_texts(doc):
	"""Keep typed text that looks like a tag, such as the address in `Max <max@example.com>`: v16 drops what is not HTML,
	v15 stores entities, and so does this function. `as_typed` restores the text."""
	for field in doc.meta.fields:
		place = (doc.doctype, field.fieldname)
		is_typed = field.fieldtype in TEXTS and not field.read_only and place not in COMPARED
		text = doc.get(field.fieldname)
		if (is_typed or place in TOLD) and isinstance(text, str) and "<" in text and is_html(text):
			doc.set(field.fieldname, text.replace("<", "&lt;").replace(">", "&gt;"))


def is_html(text: str) -> bool:
	"""Whether Frappe treats a text as HTML and sanitizes it."""
	return bool(BeautifulSoup(text, "html.parser").find())


def _place(doc, field) -> str:
	label = _(field.label or field.fieldname)
	return _("Row {0}, {1}").format(doc.idx, label) if doc.get("parentfield") else label


def read_value(text: str, fieldtype: str, place: str):
	"""The value of a text for a field type. Dates are ISO 8601; an instant with an offset is converted to the site's
	zone.

	:param place: names the field for the user.
	:returns: None for an empty text.
	:raises frappe.ValidationError: if the text is not a valid value.
	"""
	text = text.strip()
	if not text:
		return None
	try:
		if fieldtype in NUMBERS:
			return _number(text, fieldtype)
		return {"Date": _date, "Datetime": _instant, "Time": _time}[fieldtype](text)
	except (ValueError, OverflowError):
		frappe.throw(
			_("{0}: {1} cannot be read. Write it like {2}.").format(
				place, frappe.bold(frappe.utils.escape_html(text)), _example(fieldtype)
			)
		)


def _example(fieldtype: str) -> str:
	return {"Date": "2026-12-31", "Datetime": "2026-12-31 14:30:00", "Time": "14:30:00"}.get(
		fieldtype, "1234"
	)


def _number(text: str, fieldtype: str) -> int | float:
	if fieldtype == "Check" and isinstance(sbool(text), bool):
		return cint(sbool(text))
	number = float(text.replace(",", ""))
	if not math.isfinite(number) or abs(number) > LARGEST.get(fieldtype, LARGEST_DECIMAL):
		raise ValueError(text)
	return int(number) if fieldtype in WHOLE else number


def _date(text: str) -> date:
	return _instant(text).date()


def _instant(text: str) -> datetime:
	# forms send a space where ISO 8601 has a T
	instant = isoparse(re.sub(r"^(\S+) (\S+)$", r"\1T\2", text))
	if instant.tzinfo:
		instant = instant.astimezone(ZoneInfo(get_system_timezone())).replace(tzinfo=None)
	return instant


def _time(text: str) -> timedelta:
	found = TIME_OF_DAY.fullmatch(text)
	if not found:
		raise ValueError(text)
	hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
	value = timedelta(
		hours=hours, minutes=minutes, seconds=seconds, microseconds=int((found[4] or "0").ljust(6, "0"))
	)
	if minutes > 59 or seconds > 59 or value > timedelta(days=1):
		raise ValueError(text)
	return value
