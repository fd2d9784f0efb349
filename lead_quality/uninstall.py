"""Takes away what `install.py` added and the installer does not know of. Frappe itself drops the DocTypes."""

import frappe
from frappe.permissions import reset_perms

from lead_quality.base import query
from lead_quality.base.versions import CARRIED_OVER
from lead_quality.custom_fields import ASKED_FOR_CHANGES, CUSTOM_FIELDS, INDEX_OF_CHANGES, INDEXES
from lead_quality.follow_up.backlog import TOLD_ON
from lead_quality.funnel import kept
from lead_quality.install import LEAD_RIGHTS, chosen_from
from lead_quality.patches.mark_unread_history import READ
from lead_quality.qualification import capture
from lead_quality.qualification.definitions import GENERATION

# where other DocTypes keep rows about the app's documents
TRACES = {
	"Version": "ref_doctype",
	"Comment": "reference_doctype",
	"Notification Log": "document_type",
	"DocShare": "share_doctype",
	"View Log": "reference_doctype",
	"Data Import": "reference_doctype",
}


def before_uninstall():
	remove_traces()
	remove_answer_fields()
	remove_custom_fields()
	remove_indexes()
	revoke_permissions()
	remove_jobs()


def after_uninstall():
	remove_desk_icons()
	remove_unused_roles()
	frappe.db.commit()  # nosemgrep (Frappe commits nothing after this hook)


def remove_traces():
	doctypes = frappe.get_all("DocType", {"module": "Lead Quality"}, pluck="name", order_by="name asc")
	for doctype, fieldname in TRACES.items():
		frappe.db.delete(doctype, {fieldname: query.among(doctypes)})
	frappe.db.delete(
		"DefaultValue",
		{
			"parent": "__global",
			"defkey": query.among([CARRIED_OVER, GENERATION, kept.LAST, kept.SINCE, READ, TOLD_ON]),
		},
	)


def remove_answer_fields():
	"""The Lead fields that a checklist was given for imports and web forms, and what asks for them."""
	names = capture.answer_fields()
	capture.remove_questions(names)
	drop_fields("Lead", names)


def remove_custom_fields():
	for doctype, fields in CUSTOM_FIELDS.items():
		drop_fields(doctype, [field["fieldname"] for field in fields])


def drop_fields(doctype: str, names: list[str]):
	"""Delete Custom Fields, and their columns too, which Frappe would leave behind."""
	frappe.db.delete("Custom Field", {"dt": doctype, "fieldname": query.among(names)})
	frappe.db.delete("Property Setter", {"doc_type": doctype, "field_name": query.among(names)})
	columns = set(names) & set(frappe.db.get_table_columns(doctype))
	if columns:
		drops = ", ".join(f"drop column `{column}`" for column in sorted(columns))
		frappe.db.sql_ddl(f"alter table `tab{doctype}` {drops}")  # nosemgrep
	frappe.clear_cache(doctype=doctype)


def remove_indexes():
	for doctype, column in INDEXES:
		setters = {
			"doc_type": doctype,
			"field_name": column,
			"property": "search_index",
			"module": "Lead Quality",
		}
		if frappe.db.exists("Property Setter", setters):
			frappe.db.delete("Property Setter", setters)
			drops = f"alter table `tab{doctype}` drop index if exists `{column}_index`"
			frappe.db.sql_ddl(drops)  # nosemgrep
			frappe.clear_cache(doctype=doctype)

	for doctype in ASKED_FOR_CHANGES:
		drops = f"alter table `tab{doctype}` drop index if exists `{INDEX_OF_CHANGES}`"
		frappe.db.sql_ddl(drops)  # nosemgrep


def revoke_permissions():
	"""The DocTypes go back to their standard permissions, unless somebody has customised them as well."""
	for doctype in ("Lead", *chosen_from()):
		frappe.db.delete("Custom DocPerm", {"parent": doctype, "role": ["in", list(LEAD_RIGHTS)]})
		if _rights_of(doctype, "Custom DocPerm") == _rights_of(doctype, "DocPerm"):
			reset_perms(doctype)


def _rights_of(doctype: str, rules: str) -> set[tuple]:
	fields = ["role", "permlevel", "if_owner", *frappe.permissions.rights]
	known = [field for field in fields if frappe.get_meta(rules).has_field(field)]
	return {
		tuple(row[field] or 0 for field in known)
		for row in frappe.get_all(rules, {"parent": doctype}, known, order_by="idx asc")
	}


def remove_jobs():
	frappe.db.delete("Scheduled Job Log", {"scheduled_job_type": query.among(_jobs())})
	frappe.db.delete("Scheduled Job Type", {"name": query.among(_jobs())})
	frappe.db.delete("Logs To Clear", {"ref_doctype": ["in", ["Follow Up Run", "Follow Up Alert"]]})


def _jobs() -> list[str]:
	return frappe.get_all(
		"Scheduled Job Type", {"method": ["like", "lead_quality.%"]}, pluck="name", order_by="name asc"
	)


def remove_desk_icons():
	for doctype in ("Desktop Icon", "Workspace Sidebar"):
		if frappe.db.exists("DocType", doctype) and frappe.get_meta(doctype).has_field("app"):
			for name in frappe.get_all(doctype, {"app": "lead_quality"}, pluck="name", order_by="name asc"):
				frappe.delete_doc(doctype, name, force=True, ignore_permissions=True)


def remove_unused_roles():
	for role in LEAD_RIGHTS:
		if frappe.db.exists("Role", role) and not frappe.db.exists(
			"Has Role", {"role": role, "parenttype": "User"}
		):
			frappe.delete_doc("Role", role, force=True, ignore_permissions=True)
