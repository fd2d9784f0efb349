"""Numbers, dates and checks arrive as text: from the desk, which sends an untouched default as it is written in the
DocType; from REST clients; and from files."""

import frappe
import pytest
from frappe.client import insert
from frappe.desk.form.save import savedocs

from lead_quality.demo.factories import make_lead, make_sales_ready, make_source

TYPED = {"Int", "Float", "Currency", "Percent", "Check", "Date", "Datetime", "Time", "Duration", "Rating"}


@pytest.fixture
def records(make_user):
	"""What the documents below link to."""
	seller = make_user("sela@text.example", "Sales User")
	other = make_user("otto@text.example", "Sales Manager")
	lead = make_lead(lead_owner=other)
	make_sales_ready(lead.name)
	return frappe._dict(
		lead=lead.name,
		seller=seller,
		other=other,
		calendar=frappe.get_all("Working Calendar", pluck="name", order_by="name asc")[0],
		checklist="BANT v1",
		disqualify=frappe.db.get_value("Lead Outcome Reason", {"applies_to": "Disqualify"}),
	)


def made_by_hand(records) -> dict[str, dict]:
	"""DocType to what somebody fills in, without what has a default."""
	return {
		"Contact Opt Out": {"email_id": "no@text.example"},
		"Follow Up Absence": {
			"user": records.seller,
			"substitute": records.other,
			"from_date": "2031-01-01",
			"to_date": "2031-01-02",
		},
		"Follow Up Policy": {
			"title": "Text",
			"working_calendar": records.calendar,
			"targets": [{"clock": "Triage", "within": "4"}],
			"escalations": [{"after": "1.5"}],
			"escalate_to": records.other,
		},
		"Lead Outcome Reason": {"reason": "Text", "applies_to": "Disqualify"},
		"Lead Qualification": {"lead": make_lead().name},
		"Lead Segment": {
			"title": "Text",
			"shelf_life_days": "30",
			"rules": [{"field": "annual_revenue", "operator": ">", "value": "5"}],
		},
		"Lead Touch": {"lead": records.lead, "outcome": "Connected", "done_at": "2020-01-01 10:00:00"},
		"Lead Transfer": {"from_user": records.other, "give_to": "User", "to_user": records.seller},
		"Nurture Cadence": {
			"title": "Text",
			"working_calendar": records.calendar,
			"steps": [
				{"step": "Call"},
				{"step": "Mail", "channel": "Email", "delay": "3", "repeat_every": "2"},
			],
		},
		"Nurture Enrollment": {"lead": unplanned_lead(), "cadence": active("Nurture Cadence")},
		"Qualification Checklist": {
			"title": "Text",
			"pass_rule": "Score",
			"pass_score": "1",
			"at_least": "0",
			"criteria": [
				{"criterion": "need", "label": "Need", "answer_type": "Number", "expires_after_days": "9"},
			],
			"rules": [
				{
					"criterion": "need",
					"operator": ">",
					"value": "7",
					"verdict": "Disqualified",
					"outcome_reason": records.disqualify,
				}
			],
		},
		"Sales Ready Agreement": {
			"checklist": records.checklist,
			"working_calendar": records.calendar,
			"accept_within": "4",
			"first_touch_within": "8.5",
			"pull_back_after": "16",
		},
		"Funnel Target": {"step": "Sale", "rate": "12.5", "within_days": "90", "from_date": "2031-01-01"},
		"Marketing Spend": {
			"source": make_source("Exhibition"),
			"company": frappe.defaults.get_global_default("company"),
			"from_date": "2031-01-01",
			"to_date": "2031-01-31",
			"amount": "900.5",
		},
		"New Customer Goal": {
			"user": records.seller,
			"new_customers": "5",
			"from_date": "2031-01-01",
			"to_date": "2031-01-31",
		},
		"Working Calendar": {
			"title": "Text",
			"time_zone": "Europe/Berlin",
			"hours": [
				{"weekday": "Monday"},
				{"weekday": "Tuesday", "opens": "8:30:00", "closes": "17:00:00"},
			],
		},
	}


MADE_BY_HAND = (
	"Contact Opt Out",
	"Follow Up Absence",
	"Follow Up Policy",
	"Funnel Target",
	"Lead Outcome Reason",
	"Lead Qualification",
	"Lead Segment",
	"Lead Touch",
	"Lead Transfer",
	"Marketing Spend",
	"New Customer Goal",
	"Nurture Cadence",
	"Nurture Enrollment",
	"Qualification Checklist",
	"Sales Ready Agreement",
	"Working Calendar",
)
# nobody enters them: they write themselves
LOGS = (
	"Follow Up Absence Log",
	"Follow Up Alert",
	"Follow Up Clock",
	"Follow Up Run",
	"Gate Override",
	"Handover Remnant",
	"Lead Backlog",
	"Lead Handover",
	"Lead Holding",
	"Lead Journey",
	"Lead Priority Model",
	"Lead Remnant",
	"Lead Stage Log",
	"Past Lead Journey",
)


def unplanned_lead() -> str:
	"""The name of a lead that is on no cadence."""
	lead = make_lead().name
	enrollment = frappe.db.get_value("Nurture Enrollment", {"lead": lead})
	if enrollment:
		frappe.db.set_value("Nurture Enrollment", enrollment, "status", "Stopped")
	return lead


def active(doctype: str) -> str:
	return frappe.get_all(doctype, {"status": "Active"}, pluck="name", order_by="name asc")[0]


def as_the_desk_sends(doctype: str, values: dict) -> dict:
	"""A new document with its defaults as text, and all else that is typed as text too."""
	sent = {
		field.fieldname: field.default
		for field in frappe.get_meta(doctype).fields
		if field.default and field.default not in {"__user", "Today", "Now"}
	}
	name = f"new-{frappe.scrub(doctype)}-1"
	sent |= {"doctype": doctype, "name": name, "__islocal": "1", "docstatus": "0", **values}
	for field in frappe.get_meta(doctype).get_table_fields():
		sent[field.fieldname] = [
			{**as_the_desk_sends(field.options, row), "idx": str(number)}
			for number, row in enumerate(values.get(field.fieldname) or [], 1)
		]
	return sent


def as_text(doc) -> dict:
	"""A stored document as a form would send it back, with every typed value as text."""
	sent = {"doctype": doc.doctype}
	for field in (
		"name",
		"modified",
		"creation",
		"owner",
		"idx",
		"docstatus",
		"parent",
		"parenttype",
		"parentfield",
	):
		if doc.get(field) is not None:
			sent[field] = str(doc.get(field))
	for field in doc.meta.fields:
		value = doc.get(field.fieldname)
		if field.fieldtype == "Table":
			sent[field.fieldname] = [as_text(row) for row in value]
		elif field.fieldtype in TYPED:
			sent[field.fieldname] = "" if value is None else str(value)
		elif value is not None:
			sent[field.fieldname] = value
	return sent


def save(values: dict):
	savedocs(frappe.as_json(values), "Save")
	return frappe.get_doc(frappe.response.docs[-1].doctype, frappe.response.docs[-1].name)


@pytest.fixture(autouse=True)
def response():
	frappe.local.response = frappe._dict(docs=[])
	yield
	frappe.local.response = frappe._dict(docs=[])


def test_every_doctype_is_looked_at():
	found = frappe.get_all("DocType", {"module": "Lead Quality", "istable": 0}, pluck="name")
	assert set(found) == {*MADE_BY_HAND, *LOGS, "Lead Quality Settings"}


@pytest.mark.parametrize("doctype", MADE_BY_HAND)
def test_a_new_document_is_saved_with_its_defaults_untouched(records, doctype):
	doc = save(as_the_desk_sends(doctype, made_by_hand(records)[doctype]))
	assert frappe.db.exists(doctype, doc.name)


@pytest.mark.parametrize("doctype", [*MADE_BY_HAND, "Lead Quality Settings"])
def test_a_document_is_saved_again_and_again_with_every_value_as_text(records, doctype):
	if doctype == "Lead Quality Settings":
		frappe.get_doc(doctype).save()
		doc = frappe.get_doc(doctype)
	else:
		doc = save(as_the_desk_sends(doctype, made_by_hand(records)[doctype]))
	again = save(as_text(doc))
	for field in doc.meta.fields:
		if field.fieldtype in TYPED:
			assert again.get(field.fieldname) == doc.get(field.fieldname), field.fieldname


def table_fields(doctype: str):
	return [(doctype, None)] + [
		(field.options, field.fieldname) for field in frappe.get_meta(doctype).get_table_fields()
	]


@pytest.mark.parametrize("garbage", ["zzz", "31.12.2026", "1e400", "-"])
@pytest.mark.parametrize("doctype", MADE_BY_HAND)
def test_what_is_no_number_and_no_date_is_answered_with_a_sentence(records, doctype, garbage):
	"""Or is taken as Frappe takes it. It is never an error of the program."""
	for place, table in table_fields(doctype):
		for field in frappe.get_meta(place).fields:
			if field.fieldtype not in TYPED:
				continue
			values = made_by_hand(records)[doctype]
			if table and not values.get(table):
				continue
			target = values[table][0] if table else values
			target[field.fieldname] = garbage
			frappe.db.savepoint("untried")
			try:
				insert({"doctype": doctype, **values})
			except (frappe.ValidationError, frappe.PermissionError) as error:
				assert str(error), field.fieldname
			frappe.db.rollback(save_point="untried")


@pytest.mark.parametrize("doctype", LOGS)
def test_what_writes_itself_is_refused_with_a_sentence(records, doctype, make_user, as_user):
	values = {"doctype": doctype, "lead": records.lead, "job": "none", "to_user": records.seller}
	for field in frappe.get_meta(doctype).fields:
		if field.fieldtype in TYPED:
			values[field.fieldname] = "1"
	with as_user(make_user("mara@text.example", "Lead Quality Manager")):
		with pytest.raises((frappe.ValidationError, frappe.PermissionError)):
			save(values)
