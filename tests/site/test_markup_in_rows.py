"""What the app writes in bulk is cleaned as Frappe cleans what it saves. Frappe's own cleaning is the oracle."""

from datetime import datetime

import frappe
import pytest

from lead_quality.base.rows import insert_rows, update_rows
from lead_quality.demo.factories import make_checklist, make_lead, use_checklist
from lead_quality.patches import clean_markup

TEXT = {
	"Data",
	"Small Text",
	"Text",
	"Long Text",
	"Text Editor",
	"HTML Editor",
	"Code",
	"Autocomplete",
	"Select",
}
SCRIPTS = ("<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "<svg onload=alert(3)></svg>")
PAYLOADS = (
	*SCRIPTS,
	"a < b > c & d",
	"Müller & <b>Söhne</b>",
	'<a href="javascript:alert(4)">x</a>',
	"<!-- markdown --> plain",
	"no markup & no tags",
)
CALL = datetime(2026, 3, 2, 10, 0)


def doctypes() -> list[str]:
	return [row.name for row in frappe.get_all("DocType", {"module": "Lead Quality", "issingle": 0})]


DOCTYPES = (
	"Agreement Reader",
	"Agreement Reason",
	"Contact Opt Out",
	"Follow Up Absence",
	"Follow Up Absence Log",
	"Follow Up Alert",
	"Follow Up Clock",
	"Follow Up Escalation",
	"Follow Up Policy",
	"Follow Up Run",
	"Follow Up Target",
	"Funnel Target",
	"Gate Override",
	"Handover Remnant",
	"Lead Backlog",
	"Lead Handover",
	"Lead Holding",
	"Lead Journey",
	"Lead Outcome Reason",
	"Lead Priority Model",
	"Lead Qualification",
	"Lead Qualification Answer",
	"Lead Remnant",
	"Lead Segment",
	"Lead Segment Policy",
	"Lead Segment Rule",
	"Lead Stage Log",
	"Lead Touch",
	"Lead Transfer",
	"Lead Transfer Receiver",
	"Marketing Spend",
	"New Customer Goal",
	"Nurture Cadence",
	"Nurture Enrollment",
	"Nurture Step",
	"Past Lead Journey",
	"Qualification Checklist",
	"Qualification Criterion",
	"Qualification Rule",
	"Sales Ready Agreement",
	"Working Calendar",
	"Working Calendar Date",
	"Working Calendar Hours",
)


def text_fields(doctype: str) -> list[str]:
	meta = frappe.get_meta(doctype)
	columns = meta.get_valid_columns()
	return [
		field.fieldname
		for field in meta.fields
		if field.fieldtype in TEXT and field.fieldname in columns and not field.unique
	]


def as_frappe_cleans(doctype: str, values: dict) -> dict:
	doc = frappe.get_doc({"doctype": doctype, **values})
	doc._sanitize_content()
	return {field: doc.get(field) for field in values}


def stored(doctype: str, name: str, fields) -> dict:
	return frappe.db.get_value(doctype, name, list(fields), as_dict=True)


def test_every_doctype_is_looked_at():
	assert set(doctypes()) == set(DOCTYPES)


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_rows_written_in_bulk_are_cleaned_as_frappe_cleans_them(doctype):
	fields = text_fields(doctype)
	for payload in PAYLOADS if fields else ():
		check_cleaned(doctype, fields, payload)


def check_cleaned(doctype: str, fields: list[str], payload: str):
	values = dict.fromkeys(fields, payload)
	expected = as_frappe_cleans(doctype, values)
	one, two = insert_rows(doctype, [dict(values), dict.fromkeys(fields)], CALL)
	assert stored(doctype, one.name, fields) == expected
	update_rows(doctype, [{"name": two.name, **values}])
	assert stored(doctype, two.name, fields) == expected
	update_rows(doctype, [{"name": name, **values} for name in (one.name, two.name)])
	assert stored(doctype, one.name, fields) == stored(doctype, two.name, fields) == expected
	# what is clean stays as it is
	update_rows(doctype, [{"name": one.name, **expected}])
	assert stored(doctype, one.name, fields) == expected


def markup_anywhere() -> list[tuple[str, str, str]]:
	"""Every value of a table of the app in which a script would run."""
	found = []
	for doctype in DOCTYPES:
		for field in text_fields(doctype):
			for value in frappe.db.sql_list(
				f"select `{field}` from `tab{doctype}` where `{field}` like '%%<%%'"
			):
				if any(word in value for word in ("onerror", "onload", "<script", "javascript:")):
					found.append((doctype, field, value))
	return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_a_visitor_types_runs_nowhere(as_user, script):
	use_checklist(
		make_checklist("Visitors", [{"criterion": "place", "answer_type": "Text", "lead_field": "city"}])
	)
	with as_user("Guest"):
		lead = make_lead(company_name=f"Works {script}", city=f"Ulm {script}")
	assert frappe.db.get_value("Lead Qualification", {"lead": lead.name})
	# and again, as the answer and the lead are compared
	again = frappe.get_doc("Lead", lead.name)
	again.city = f"Bonn {script}"
	again.save(ignore_permissions=True)
	assert markup_anywhere() == []


def test_what_is_stored_with_markup_is_cleaned_once(as_user):
	lead = make_lead()
	touch = frappe.get_doc(
		{"doctype": "Lead Touch", "lead": lead.name, "channel": "Email", "note": "fine"}
	).insert()
	clean, modified = frappe.db.get_value("Lead Touch", touch.name, ["lead_name", "modified"])
	frappe.db.sql(
		"update `tabLead Touch` set note = %s, lead_name = %s where name = %s",
		("<img src=x onerror=alert(1)> called & left word", f"{clean} <script>x</script>", touch.name),
	)
	frappe.db.sql("update `tabLead Stage Log` set source = %s where lead = %s", (SCRIPTS[0], lead.name))
	assert len(markup_anywhere()) == 3
	clean_markup.execute()
	assert markup_anywhere() == []
	after = frappe.db.get_value("Lead Touch", touch.name, ["note", "modified"])
	assert "called &amp; left word" in after[0]
	assert after[1] == modified
	before = frappe.db.sql("select * from `tabLead Touch` order by name")
	clean_markup.execute()
	assert frappe.db.sql("select * from `tabLead Touch` order by name") == before
