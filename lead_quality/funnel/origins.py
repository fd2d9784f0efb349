"""Where leads come from, as spend and targets name it: sources and campaigns, whose DocTypes differ by version."""

import frappe
from frappe import _

from lead_quality.base.texts import bold
from lead_quality.base.versions import campaign_doctype, source_doctype

MOST_CHOICES = 50


def check(doc, *fields: str):
	"""A document names only sources and campaigns that there are, spelt as their own records are."""
	for field in fields:
		if not doc.get(field):
			doc.set(field, None)
			continue
		name = frappe.db.get_value(_doctypes()[field], {"name": doc.get(field).strip()}, "name")
		if not name:
			frappe.throw(
				_("There is no {0} {1}. Choose one of the list, or make it first.").format(
					_(_doctypes()[field]), bold(doc.get(field))
				),
				frappe.LinkValidationError,
			)
		doc.set(field, name)


def _doctypes() -> dict[str, str]:
	return {"source": source_doctype(), "campaign": campaign_doctype()}


@frappe.whitelist()
def get_sources(txt: str = "") -> list[str]:
	"""The sources that contain a text, for who may read leads."""
	return _choices("source", txt)


@frappe.whitelist()
def get_campaigns(txt: str = "") -> list[str]:
	"""The campaigns that contain a text, for who may read leads."""
	return _choices("campaign", txt)


def _choices(field: str, txt: str) -> list[str]:
	frappe.has_permission("Lead", "read", throw=True)
	doctype = _doctypes()[field]
	escaped = str(txt).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
	return frappe.get_all(
		doctype, {"name": ["like", f"%{escaped}%"]}, pluck="name", order_by="name asc", limit=MOST_CHOICES
	)
