"""Records of which at most one holds on a day: two of one kind never overlap."""

import frappe
from frappe import _
from frappe.utils import format_date, getdate

from lead_quality.base import query
from lead_quality.base.texts import link_to


def check_order(doc):
	"""Refuse a period that ends before it begins."""
	if doc.from_date and doc.to_date and getdate(doc.to_date) < getdate(doc.from_date):
		frappe.throw(_("The last day, {0}, is before the first one, {1}.").format(*_days(doc)))


def refuse_overlap(doc, same: tuple[str, ...]):
	"""Refuse a document whose days, both included, overlap those of another one that has the same values in some fields.
	An end that is not set is open. Locks what it finds, so that of two at once the second sees the first.

	:raises frappe.DuplicateEntryError: naming the other one.
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
				"{0} covers some of these days already, from {1} to {2}. Change that one, or choose other days."
			).format(link_to(doc.doctype, found[0].name), *_days(found[0])),
			frappe.DuplicateEntryError,
			title=_("Overlapping Periods"),
		)


def _days(row) -> tuple[str, str]:
	return (
		format_date(row.from_date) if row.from_date else _("the beginning"),
		format_date(row.to_date) if row.to_date else _("further notice"),
	)
