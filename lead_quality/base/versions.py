"""The only file that knows where ERPNext v15 and v16 differ."""

import sys
from types import FrameType

import frappe
from frappe.model.db_query import DatabaseQuery

# v16 replaced the lead's `source` and `campaign_name` by UTM fields.
RENAMED_LEAD_FIELDS = {"source": "utm_source", "campaign_name": "utm_campaign"}
CARRIED_OVER = "lead_quality_carried_over_renamed_fields"
_OLD_NAMES = {new: old for old, new in RENAMED_LEAD_FIELDS.items()}


def lead_field(fieldname: str) -> str | None:
	"""The name of a Lead field on this site, given its v15 or its v16 name; None if there is none.

	Rules can therefore use either name, and survive the upgrade. Only fields with a column count: no tables, sections
	or virtual fields.
	"""
	meta = frappe.get_meta("Lead")
	columns = meta.get_valid_columns()
	for name in (fieldname, RENAMED_LEAD_FIELDS.get(fieldname) or _OLD_NAMES.get(fieldname)):
		field = meta.get_field(name) if name else None
		if name in columns and not (field and field.get("is_virtual")):
			return name
	return None


def carry_over_renamed_fields() -> list[str]:
	"""After the upgrade from v15, copy values to the Lead fields that v16 has renamed, once per site.

	ERPNext's own patches move the sources and campaigns to their new DocTypes, but leave the leads' new fields empty and
	the values in columns that are no longer shown (frappe/erpnext, pull request 55022). All leads would leave their
	segments, because most rules use the source.

	:returns: the DocTypes that the fields now link to, if values were copied.
	"""
	meta = frappe.get_meta("Lead")
	if not meta.has_field("utm_source") or frappe.db.get_global(CARRIED_OVER):
		return []
	links = []
	for old, new in RENAMED_LEAD_FIELDS.items():
		if not frappe.db.has_column("Lead", old):
			continue
		link = meta.get_field(new).options
		# a UTM Campaign is named after the title of the Campaign, whose name may differ
		value = "coalesce((select c.campaign_name from `tabCampaign` c where c.name = `tabLead`.campaign_name), campaign_name)"
		value = value if old == "campaign_name" else f"`{old}`"
		frappe.db.sql(  # nosemgrep
			f"""
			update `tabLead` set `{new}` = {value}
			where ifnull(`{new}`, '') = '' and {value} in (select name from `tab{link}`)
			"""
		)
		frappe.db.sql(  # nosemgrep
			"""
			update `tabWeb Form Field` field join `tabWeb Form` form on form.name = field.parent
			set field.fieldname = %s, field.options = if(field.fieldtype = 'Link', %s, field.options)
			where form.doc_type = 'Lead' and field.fieldname = %s
			""",
			(new, link, old),
		)
		links.append(link)
	mark_as_carried_over()
	return links


def mark_as_carried_over():
	"""Mark this site as carried over."""
	frappe.db.set_global(CARRIED_OVER, "1")


def lead_source(lead) -> str | None:
	"""The source of a lead (document or row): `source` on v15, `utm_source` on v16."""
	return lead.get(lead_field("source"))


def source_doctype() -> str:
	"""The DocType of lead sources: Lead Source on v15, UTM Source on v16."""
	return frappe.get_meta("Lead").get_field(lead_field("source")).options


def campaign_doctype() -> str:
	"""The DocType of campaigns of leads: Campaign on v15, UTM Campaign on v16."""
	return frappe.get_meta("Lead").get_field(lead_field("campaign_name")).options


def is_half_day(holiday) -> bool:
	"""Whether a Holiday row closes only half of the day; v15 has no half days."""
	return bool(holiday.get("is_half_day"))


def as_hook_condition(condition: str) -> str:
	"""An SQL condition for `permission_query_conditions`: v16 binds values in the resulting query, so that % must be
	written as %%; v15 does not. Frappe itself doubles it in some places and not in others."""
	condition = condition.replace("%%", "%")
	return condition.replace("%", "%%") if int(frappe.__version__.split(".")[0]) >= 16 else condition


def several_conditions(conditions: list[list]) -> list:
	"""Several conditions on one field for the `route_options` of a list: v15 needs each as JSON."""
	if int(frappe.__version__.split(".")[0]) >= 16:
		return conditions
	return [frappe.as_json(condition, indent=None) for condition in conditions]


def is_table_queried(doctype: str) -> bool:
	"""Whether the query for which Frappe asks a hook for a condition reads this DocType's table, including joins.

	Frappe passes the DocType of the list to the hook, but not the joined tables, so the query object is taken from the
	call stack: v15's DatabaseQuery, v16's Engine.
	"""
	table = f"tab{doctype}"
	frame: FrameType | None = sys._getframe(1)
	while frame:
		query = frame.f_locals.get("self")
		if isinstance(query, DatabaseQuery):
			return f"`{table}`" in query.tables
		if query and hasattr(query, "get_queried_tables"):
			return table in query.get_queried_tables()
		frame = frame.f_back
	return False
