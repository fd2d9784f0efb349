"""Answers that nobody has to ask for: fields of the Lead that answer the criteria of a checklist, for
imports and web forms to fill in, and the Web Form itself.

Once such a field has a value, the lead is judged by it like by any other field that answers a criterion.
"""

import frappe
from frappe import _

from lead_quality.base import query
from lead_quality.base.currency import company_currency
from lead_quality.base.texts import bold
from lead_quality.base.versions import lead_field
from lead_quality.custom_fields import CUSTOM_FIELDS

PREFIX = "lqa_"
SECTION = "lqa_section"
MAX_FIELDNAME = 60
MAX_LABEL = 140

FIELD_TYPES = {
	# a box that is not ticked would say neither no nor that nobody has answered
	"Check": "Select",
	"Select": "Select",
	"Number": "Float",
	"Date": "Date",
	"Text": "Small Text",
}
# who the visitor is, and whether the web form insists on it
VISITOR = (
	("first_name", True),
	("last_name", False),
	("company_name", False),
	("email_id", True),
	("mobile_no", False),
)
# Not Link: a public form would show every visitor the whole list that the field links to.
ASKED_OF_VISITORS = frozenset(
	{"Check", "Currency", "Data", "Date", "Datetime", "Float", "Int", "Phone", "Select", "Small Text", "Text"}
)


# fields


def make_fields(checklist, keys: list[str]) -> list[str]:
	"""Give criteria of a draft Qualification Checklist fields of the Lead that answer them, and save it.

	A field of the same name and type that is there already, such as that of another checklist, is used again. The
	choices of fields made before are brought up to date.

	:param keys: criteria to make fields for; one that has a field already keeps it.
	:returns: the names of the fields that the criteria have got.
	:raises frappe.ValidationError: if the checklist is no draft, or has no such criterion.
	"""
	if checklist.status != "Draft":
		frappe.throw(
			_("{0} is {1}. Choose New Version and make the fields for the draft.").format(
				frappe.bold(checklist.name), _(checklist.status)
			)
		)
	rows = {row.criterion: row for row in checklist.criteria}
	unknown = [key for key in keys if key not in rows]
	if unknown:
		frappe.throw(
			_("{0} has no criterion {1}. It has: {2}.").format(
				checklist.name, bold(", ".join(unknown)), ", ".join(rows)
			)
		)
	wanted = [rows[key] for key in keys if not rows[key].lead_field]
	taken = {row.lead_field for row in checklist.criteria}
	new = []
	for row in wanted:
		row.lead_field, is_new = find_name(row, taken)
		taken.add(row.lead_field)
		if is_new:
			new.append(row)
	insert_fields(new)
	for row in checklist.criteria:
		add_choices(row)
	frappe.clear_cache(doctype="Lead")
	checklist.save()
	return [row.lead_field for row in wanted]


def find_name(row, taken: set[str]) -> tuple[str, bool]:
	"""The name of the field for a criterion (its row of the checklist), and whether it is still to be made.

	:param taken: names that other criteria of the checklist use.
	"""
	number = 0
	while True:
		number += 1
		suffix = f"_{number}" if number > 1 else ""
		fieldname = f"{PREFIX}{row.criterion}"[: MAX_FIELDNAME - len(suffix)] + suffix
		if fieldname in taken:
			continue
		present = frappe.db.get_value("Custom Field", {"dt": "Lead", "fieldname": fieldname}, "fieldtype")
		if not present or present == field_type(row):
			return fieldname, not present


def field_type(row) -> str:
	"""The type of the field that answers a criterion (its row of the checklist)."""
	return "Currency" if row.answer_type == "Number" and row.amount_currency else FIELD_TYPES[row.answer_type]


def insert_fields(rows: list):
	"""Make the fields of criteria (rows of a checklist, `lead_field` set) in one change of the table.

	:raises Exception: if the table does not take them, such as when a row of it would get too long; then none is made.
	"""
	if not rows:
		return
	after = last_field()
	fields = []
	if not frappe.db.exists("Custom Field", {"dt": "Lead", "fieldname": SECTION}):
		fields.append(
			{
				"fieldname": SECTION,
				"label": _("Qualification Answers"),
				"fieldtype": "Section Break",
				"collapsible": 1,
			}
		)
	fields += [
		{
			"fieldname": row.lead_field,
			"label": question(row),
			"fieldtype": field_type(row),
			"options": "\n".join(["", *choices(row)]) if field_type(row) == "Select" else None,
		}
		for row in rows
	]
	made, in_create = [], frappe.flags.in_create_custom_fields
	# the table is changed once, below, and not at every field
	frappe.flags.in_create_custom_fields = True
	try:
		for field in fields:
			doc = frappe.get_doc(
				{
					"doctype": "Custom Field",
					"dt": "Lead",
					"module": "Lead Quality",
					"insert_after": after,
					"translatable": 0,
					**field,
				}
			)
			doc.flags.ignore_validate = True
			# who defines when a lead is sales ready needs no right to add other fields to the site's forms: what
			# is made here follows from the definition alone
			made.append(doc.insert(ignore_permissions=True).name)
			after = field["fieldname"]
	finally:
		frappe.flags.in_create_custom_fields = in_create
	frappe.clear_cache(doctype="Lead")
	try:
		frappe.db.updatedb("Lead")
	except Exception:
		# changing a table commits first: without its column, a field would break every lead
		frappe.db.delete("Custom Field", {"name": query.among(made)})
		frappe.db.commit()
		frappe.clear_cache(doctype="Lead")
		raise


def last_field() -> str:
	"""The Lead field that a new one comes after: the last one made here, or the last of the app's own section."""
	mine = [
		df.fieldname
		for df in frappe.get_meta("Lead", cached=False).fields
		if df.fieldname.startswith(PREFIX) and df.get("is_custom_field")
	]
	return mine[-1] if mine else CUSTOM_FIELDS["Lead"][-1]["fieldname"]


def add_choices(row):
	"""Offer the choices of a criterion (its row of the checklist) in the field that was made for it.

	Choices of other checklists, and those that leads have chosen before, stay.
	"""
	if not (row.lead_field or "").startswith(PREFIX) or field_type(row) != "Select":
		return
	name, options = frappe.db.get_value(
		"Custom Field", {"dt": "Lead", "fieldname": row.lead_field}, ["name", "options"]
	) or (None, None)
	present = (options or "").split("\n")
	missing = [choice for choice in choices(row) if choice not in present]
	if name and missing:
		frappe.db.set_value("Custom Field", name, "options", "\n".join([*present, *missing]))


def choices(row) -> list[str]:
	"""What can be chosen as the answer to a criterion (its row of the checklist)."""
	if row.answer_type == "Check":
		return ["Yes", "No"]
	return [choice.strip() for choice in (row.options or "").splitlines() if choice.strip()]


def question(row) -> str:
	"""How a criterion (its row of the checklist) is asked where nobody can explain it."""
	words = " ".join((row.guidance_web_form or "").split())
	return words if 0 < len(words) <= MAX_LABEL else row.label


# web form


def make_web_form(checklist, title: str, source: str | None = None) -> dict:
	"""Make an unpublished Web Form that asks visitors who they are and what the Lead fields of a checklist answer.

	:param source: the lead source of those who fill it in, by which a Lead Segment can take them.
	:returns: its `name`, and the labels of the criteria that are `left_out` because a visitor cannot answer them.
	:raises frappe.ValidationError: if there is nothing to ask, or a Web Form of this title.
	"""
	web_form = frappe.new_doc("Web Form")
	web_form.title = (title or "").strip()
	if not web_form.title:
		frappe.throw(_("Give the web form a title."), frappe.MandatoryError)
	web_form.name = web_form.scrubbed_title()
	if frappe.db.exists("Web Form", web_form.name):
		frappe.throw(
			_("There is a web form {0} already. Choose another title.").format(bold(web_form.title)),
			frappe.DuplicateEntryError,
		)
	meta = frappe.get_meta("Lead")
	rows = {
		fieldname: {**_as_row(meta.get_field(fieldname)), "reqd": int(is_needed)}
		for fieldname, is_needed in VISITOR
	}
	left_out = []
	for row in checklist.criteria:
		fieldname = row.lead_field and lead_field(row.lead_field)
		df = fieldname and meta.get_field(fieldname)
		if fieldname and df and df.fieldtype in ASKED_OF_VISITORS:
			rows[fieldname] = {**rows.get(fieldname, {}), **_as_row(df, row)}
		else:
			left_out.append(row.label)
	if len(left_out) == len(checklist.criteria):
		frappe.throw(
			_(
				"No criterion of {0} has a Lead field that a visitor could fill in. Choose New Version, then Fields for Web Form and Import."
			).format(frappe.bold(checklist.name))
		)
	if source:
		# as Data, since a Link would show every visitor the list of sources
		asker = {"fieldname": lead_field("source"), "fieldtype": "Data", "label": _("Source")}
		rows[asker["fieldname"]] = {**asker, "hidden": 1, "default": source}
	web_form.update(
		{
			"doc_type": "Lead",
			"route": web_form.name,
			"published": 0,
			"login_required": 0,
			"button_label": _("Send"),
			"success_title": _("Thank You"),
			"success_message": _("We will get back to you."),
			"web_form_fields": list(rows.values()),
		}
	)
	# it shows nothing to anybody until somebody who may write Web Forms publishes it
	web_form.insert(ignore_permissions=True)
	return {"name": web_form.name, "left_out": left_out}


def _as_row(df, criterion=None) -> dict:
	"""The row of a Web Form for a Lead field, asked as its criterion (row of the checklist) says."""
	row = {"fieldname": df.fieldname, "fieldtype": df.fieldtype, "label": df.label, "options": df.options}
	if criterion:
		row["label"] = question(criterion)
		if df.fieldname.startswith(PREFIX) and df.fieldtype == "Select":
			# the field may offer the choices of another checklist as well
			row["options"] = "\n".join(["", *choices(criterion)])
	if df.fieldtype == "Currency":
		row["description"] = _("An amount in {0}.").format(company_currency(None))
	return row


# leaving


def answer_fields() -> list[str]:
	"""The names of the Lead fields that were made here, with their section."""
	made = frappe.get_all(
		"Custom Field",
		{"dt": "Lead", "module": "Lead Quality"},
		pluck="fieldname",
		order_by="idx asc, name asc",
	)
	return [fieldname for fieldname in made if fieldname.startswith(PREFIX)]


def remove_questions(fieldnames: list[str]):
	"""Take fields out of the Web Forms on Lead that ask for them: these belong to the site and stay."""
	forms = frappe.get_all("Web Form", {"doc_type": "Lead"}, pluck="name", order_by="name asc")
	frappe.db.delete("Web Form Field", {"parent": query.among(forms), "fieldname": query.among(fieldnames)})
