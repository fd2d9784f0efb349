"""What the app adds to a site, beside its own DocTypes. `uninstall.py` takes away exactly this."""

import frappe
from frappe import _
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields
from frappe.custom.doctype.property_setter.property_setter import make_property_setter
from frappe.permissions import add_permission, update_permission_property

from lead_quality import seed
from lead_quality.base import query
from lead_quality.base.versions import carry_over_renamed_fields, lead_field, mark_as_carried_over
from lead_quality.custom_fields import (
	ASKED_FOR_CHANGES,
	CUSTOM_FIELDS,
	INDEX_OF_CHANGES,
	INDEXES,
	SITES_OWN,
)
from lead_quality.nurture import history

# what the app's roles may do with leads, and nothing else
LEAD_RIGHTS = {
	"Lead Quality Manager": ("read", "write", "create", "export", "report", "email", "print", "share"),
	"Lead Qualifier": ("read", "write", "create", "email", "print"),
}
# fields of a lead that the app's roles choose from
CHOSEN_FROM = ("source", "territory", "industry", "market_segment")


def before_install():
	"""
	:raises frappe.IncompatibleApp: on a database that the app's queries are not written for.
	"""
	if frappe.db.db_type != "mariadb":
		raise frappe.IncompatibleApp(
			_("Lead Quality runs on MariaDB only, and this site's database is {0}.").format(frappe.db.db_type)
		)


def after_install():
	make_custom_fields()
	add_indexes()
	grant_permissions()
	seed.make()
	history.forget()
	if lead_field("source") == "utm_source":
		mark_as_carried_over()


def after_migrate():
	make_custom_fields()
	add_indexes()
	grant_choices(carry_over_renamed_fields())


def after_setup_wizard(args: dict | None = None):  # nosemgrep (Frappe calls the hook by this name)
	"""Installed before ERPNext was set up: what was seeded takes the zone and the currency that the wizard has set."""
	seed.set_time_zone()
	seed.set_currency()


def make_custom_fields():
	"""Make the fields that are missing. Of the others, what an administrator may have said of them stays."""
	there = {
		(field.dt, field.fieldname)
		for field in frappe.get_all("Custom Field", {"dt": ["in", list(CUSTOM_FIELDS)]}, ["dt", "fieldname"])
	}
	wanted = {
		doctype: [
			{key: value for key, value in field.items() if key not in SITES_OWN}
			if (doctype, field["fieldname"]) in there
			else field
			for field in fields
		]
		for doctype, fields in CUSTOM_FIELDS.items()
	}
	create_custom_fields(wanted, ignore_validate=True)


def add_indexes():
	"""Index the columns that ERPNext looks up at every save of a lead, and those that tell what has changed, unless they
	are indexed already.

	A Property Setter, as `bench add-database-index` makes it, keeps a migrate from dropping the index again.
	"""
	for doctype, column in INDEXES:
		field = frappe.get_meta(doctype).get_field(column)
		if not field or field.search_index:  # not every v15 has the column
			continue
		setter = make_property_setter(doctype, column, "search_index", "1", "Check")
		setter.db_set("module", "Lead Quality")
		frappe.clear_cache(doctype=doctype)
		frappe.db.add_index(doctype, [column])
	for doctype in ASKED_FOR_CHANGES:
		if not _is_indexed(doctype, "modified"):
			frappe.db.add_index(doctype, ["modified"], INDEX_OF_CHANGES)


def _is_indexed(doctype: str, column: str) -> bool:
	return bool(
		query.run(
			f"show index from `tab{doctype}` where column_name = %s and seq_in_index = 1",
			(column,),
		)
	)


def grant_permissions():
	"""The app's roles work on leads, and choose from what their fields link to."""
	for role, rights in LEAD_RIGHTS.items():
		_grant("Lead", role, rights)
	grant_choices(chosen_from())


def grant_choices(doctypes: list[str]):
	"""The app's roles may choose from these DocTypes; what an admin has said of a role there stays."""
	for doctype in doctypes:
		if _everybody_may_select(doctype):
			continue
		for role in LEAD_RIGHTS:
			if not frappe.db.exists("Custom DocPerm", {"parent": doctype, "role": role}):
				_grant(doctype, role, ("select",))


def chosen_from() -> list[str]:
	"""The DocTypes that `CHOSEN_FROM` links to on this version."""
	meta = frappe.get_meta("Lead")
	return [meta.get_field(lead_field(fieldname)).options for fieldname in CHOSEN_FROM]


def _everybody_may_select(doctype: str) -> bool:
	return any(
		rule.role in {"All", "Desk User"} and (rule.read or rule.select)
		for rule in frappe.get_meta(doctype).permissions
	)


def _grant(doctype: str, role: str, rights: tuple[str, ...]):
	add_permission(doctype, role, 0)
	# every right is said, as Frappe's defaults for a new rule grant reading and export
	for right in frappe.permissions.rights:
		if frappe.get_meta("Custom DocPerm").has_field(right):
			update_permission_property(doctype, role, 0, right, int(right in rights), validate=False)
	frappe.clear_cache(doctype=doctype)
