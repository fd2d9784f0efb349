"""Records with a period, of which at most one may be valid on a day."""

import frappe
from frappe import _
from frappe.utils import format_date, getdate

from lead_quality.base import query
from lead_quality.base.texts import link_to


def check_order(doc):
	"""Refuse a period that ends before it begins."""
	if doc.from_date and doc.to_date and getdate(doc.to_date) < getdate(doc.from_date):
		frappe.throw(_("The last day, {0}, is before the first day, {1}.").format(*_days(doc)))


def refuse_overlap(doc, same: tuple[str, ...]):
	"""Refuse a document whose period (both days included) overlaps that of another document with the same values in some
	fields. An empty date means an open end. Locks the rows found, so that the second of two concurrent saves sees the
	first.

	:raises frappe.DuplicateEntryError: naming the other document.
	"""
	values = {f"same_{field}": doc.get(field) or "" for field in same}
	alike = " and ".join(f"ifnull(`{field}`, '') = %(same_{field})s" for field in same)
	found = query.run(
		f"""
		select name, from_date, to_date from `tab{doc.doctype}`
		where {alike} and name != %(name)s
			and ifnull(from_date, '1000-01-01') <= %(to_date)s and ifnull(to_date, '9999-12-31') >= %(from_date)s
		order by from_date, name limit 1 for update
		""",
		{
			**values,
			"name": doc.name or "",
			"from_date": str(doc.from_date or "1000-01-01"),
			"to_date": str(doc.to_date or "9999-12-31"),
		},
		as_dict=True,
	)
	if found:
		frappe.throw(
			_(
				"{0} already covers some of these days, from {1} to {2}. Change it, or choose other days."
			).format(link_to(doc.doctype, found[0].name), *_days(found[0])),
			frappe.DuplicateEntryError,
			title=_("Overlapping Periods"),
		)


def _days(row) -> tuple[str, str]:
	return (
		format_date(row.from_date) if row.from_date else _("the beginning"),
		format_date(row.to_date) if row.to_date else _("further notice"),
	)
