"""However a lead comes in, it gets its segment, its stage, its clocks and its cadence."""

import json

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import Lead

from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import make_lead, make_source
from tests.site.helpers import lead_by_mail


def by_desk() -> str:
	from frappe.desk.form.save import savedocs

	doc = {
		"doctype": "Lead",
		"name": "new-lead-1",
		"__islocal": 1,
		"first_name": "Desk",
		"status": "Lead",
		lead_field("source"): "Campaign",
	}
	savedocs(json.dumps(doc), "Save")
	return frappe.db.get_value("Lead", {"first_name": "Desk"})


def by_api() -> str:
	from frappe.client import insert

	return insert({"doctype": "Lead", "first_name": "Api", lead_field("source"): "Campaign"}).name


def by_import() -> str:
	from frappe.core.doctype.data_import.importer import Importer

	field = lead_field("source")
	label = frappe.get_meta("Lead").get_field(field).label
	file = frappe.get_doc(
		{"doctype": "File", "file_name": "leads.csv", "content": f"First Name,{label}\nImported,Campaign\n"}
	).insert()
	data_import = frappe.get_doc(
		{
			"doctype": "Data Import",
			"reference_doctype": "Lead",
			"import_type": "Insert New Records",
			"import_file": file.file_url,
		}
	).insert()
	Importer("Lead", data_import=data_import).import_data()
	return frappe.db.get_value("Lead", {"first_name": "Imported"})


def by_web_form() -> str:
	from frappe.website.doctype.web_form.web_form import accept

	field = lead_field("source")
	frappe.get_doc(
		{
			"doctype": "Web Form",
			"title": "Contact us now",
			"doc_type": "Lead",
			"published": 1,
			"anonymous": 1,
			"web_form_fields": [
				{"fieldname": "first_name", "fieldtype": "Data", "label": "Name"},
				{"fieldname": field, "fieldtype": "Data", "label": "Source"},
			],
		}
	).insert()
	frappe.set_user("Guest")
	name = accept(
		"contact-us-now", json.dumps({"doctype": "Lead", "first_name": "Web", field: "Campaign"})
	).name
	frappe.set_user("Administrator")
	return name


@pytest.mark.parametrize("starts_in_triage", [0, 1])
def test_an_imported_lead_starts_no_clock_or_only_triage_as_the_settings_say(starts_in_triage):
	frappe.get_doc("Lead Quality Settings").update(
		{"imported_leads_start_in_triage": starts_in_triage}
	).save()
	make_source("Campaign")
	assert whereabouts(by_import()) == {
		"segment": "Inbound",
		"stages": ["target"],
		"clocks": ["Triage"] * starts_in_triage,
		"touches": ["First call"],
	}


@pytest.mark.parametrize("enter", [by_desk, by_api, by_web_form])
def test_a_new_lead_is_sorted_logged_timed_and_planned(enter):
	make_source("Campaign")
	name = enter()
	assert whereabouts(name) == {
		"segment": "Inbound",
		"stages": ["target"],
		"clocks": ["First Response", "Next Touch", "Triage"],
		"touches": ["First call"],
	}


def test_a_lead_that_comes_in_by_mail_is_sorted_logged_timed_and_planned():
	name = lead_by_mail()
	assert whereabouts(name) == {
		"segment": "Other Leads",
		"stages": ["target"],
		"clocks": ["First Response", "Next Touch", "Triage"],
		"touches": ["First call"],
	}


def test_a_first_mail_from_a_lead_is_not_yet_a_conversation():
	name = lead_by_mail()
	assert frappe.db.get_value("Lead", name, "lq_stage") == "target"
	assert (
		frappe.db.get_value("Follow Up Clock", {"lead": name, "clock": "First Response"}, "status")
		== "Running"
	)


def test_a_lead_without_source_falls_to_the_segment_without_rules():
	assert make_lead(source=None).lq_segment == "Other Leads"


def test_deadlines_of_a_lead_that_comes_in_on_saturday_are_on_monday(freeze):
	with freeze("2026-02-28 15:00:00"):
		lead = make_lead()
	due = frappe.db.get_value("Follow Up Clock", {"lead": lead.name, "clock": "First Response"}, "due_at")
	assert str(due) == "2026-03-02 11:00:00"
	assert str(lead.lq_next_touch_at) == "2026-03-02 09:00:00"
	assert str(lead.lq_due_at) == "2026-03-02 11:00:00"


def test_a_lead_is_not_enrolled_where_the_settings_say_so():
	frappe.db.set_single_value("Lead Quality Settings", "enroll_new_leads", 0)
	frappe.clear_document_cache("Lead Quality Settings", "Lead Quality Settings")
	lead = make_lead()
	assert not frappe.db.exists("Nurture Enrollment", {"lead": lead.name})
	assert lead.lq_next_touch_at is None


def test_a_site_without_any_segment_takes_leads_all_the_same():
	frappe.db.set_value("Lead Segment", {"enabled": 1}, "enabled", 0)
	frappe.get_doc("Lead Segment", "Inbound").save()
	lead = make_lead()
	assert (lead.lq_stage, lead.lq_segment, lead.lq_due_at) == ("target", None, None)


@pytest.mark.parametrize("fieldname", ["source", "utm_source"])
def test_a_rule_on_the_source_holds_whichever_name_the_field_has_on_this_version(fieldname):
	segment = frappe.get_doc(
		{
			"doctype": "Lead Segment",
			"title": "Fairs",
			"priority": 1,
			"rules": [{"field": fieldname, "operator": "=", "value": "Fair of Trade"}],
		}
	).insert()
	assert make_lead(source="Fair of Trade").lq_segment == segment.name
	assert make_lead(source="Campaign").lq_segment == "Inbound"


def test_a_change_of_source_moves_the_lead_and_is_told_on_its_timeline():
	lead = make_lead(source="Campaign")
	lead.set(lead_field("source"), make_source("Exhibition"))
	lead.save()
	assert frappe.db.get_value("Lead", lead.name, "lq_segment") == "Events"
	comment = frappe.db.get_value("Comment", {"reference_name": lead.name, "comment_type": "Info"}, "content")
	assert "Inbound" in comment
	assert "Events" in comment


def test_a_forged_summary_is_not_kept():
	lead = make_lead(lq_stage="sale", lq_verdict="Sales Ready")
	assert (lead.lq_stage, lead.lq_verdict) == ("target", "Open")
	lead.lq_stage, lead.lq_verdict = "sale", "Sales Ready"
	lead.save()
	assert frappe.db.get_value("Lead", lead.name, ["lq_stage", "lq_verdict"]) == ("target", "Open")


def test_a_form_that_was_opened_before_does_not_undo_the_summary():
	lead = make_lead()
	opened = frappe.get_doc("Lead", lead.name)
	from lead_quality import api

	api.log_touch(lead.name, "Phone", "Connected")
	opened.city = "Hamburg"
	opened.save()
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "prospect"


def test_the_app_stays_within_its_budget_of_queries(count_queries, monkeypatch):
	make_lead()
	savepoints: list[str] = []
	savepoint = frappe.db.savepoint
	monkeypatch.setattr(frappe.db, "savepoint", lambda name: savepoints.append(name) or savepoint(name))
	with count_queries() as queries:
		lead = make_lead()
	assert (len(ours(queries)) <= 6, len(savepoints) <= 1) == (True, True), (queries, savepoints)
	lead.reload()
	savepoints.clear()
	with count_queries() as queries:
		lead.save()
	assert (len(ours(queries)) <= 1, savepoints == []) == (True, True), (queries, savepoints)


def ours(queries) -> list[str]:
	tables = (
		"Stage Log",
		"Lead Journey",
		"Opt Out",
		"Follow Up",
		"Nurture",
		"Lead Touch",
		"Lead Segment",
		"Lead Qualif",
		"lq_",
		"Working Cal",
	)
	# a plain save writes every column of the lead, the summary among them: that one statement is ERPNext's
	return [
		query
		for query in queries
		if any(table in query for table in tables)
		and not query.startswith(("INSERT INTO `tabLead`", "UPDATE `tabLead`\n"))
	]


def whereabouts(lead: str) -> dict:
	return {
		"segment": frappe.db.get_value("Lead", lead, "lq_segment"),
		"stages": frappe.get_all("Lead Stage Log", {"lead": lead}, pluck="stage"),
		"clocks": sorted(
			frappe.get_all("Follow Up Clock", {"lead": lead, "status": "Running"}, pluck="clock")
		),
		"touches": frappe.get_all("Lead Touch", {"lead": lead, "status": "Planned"}, pluck="step"),
	}


def what_comes_with(lead) -> tuple:
	"""Rows of its stage log, its cadence and its clocks, and what the lead shows of the latter."""
	counts = [
		frappe.db.count(doctype, {"lead": lead.name})
		for doctype in ("Lead Stage Log", "Nurture Enrollment", "Lead Touch", "Follow Up Clock")
	]
	return *counts, *frappe.db.get_value("Lead", lead.name, ["lq_stage", "lq_next_touch_at", "lq_due_at"])


def test_a_lead_that_another_app_saves_again_as_it_comes_in_gets_what_every_lead_gets(monkeypatch, freeze):
	with freeze("2026-03-02 10:00:00.123456"):
		expected = what_comes_with(make_lead())
		monkeypatch.setattr(Lead, "after_insert", lambda self: self.save())
		assert what_comes_with(make_lead()) == expected


def test_a_lead_that_could_not_be_inserted_at_first_gets_once_what_every_lead_gets(freeze):
	with freeze("2026-03-02 10:00:00.123456"):
		other = make_lead()
		lead = frappe.copy_doc(other)
		lead.update({"status": "Nonsense", "email_id": "another.anna@lead.example"})
		with pytest.raises(frappe.ValidationError):
			lead.insert()
		lead.status = "Lead"
		assert what_comes_with(lead.insert()) == what_comes_with(other)


def test_a_lead_that_is_inserted_without_validation_is_logged_as_a_target_once():
	lead = frappe.get_doc(
		{
			"doctype": "Lead",
			"first_name": "Unchecked",
			"company_name": "Hafen",
			"status": "Lead",
			"lq_segment": "Inbound",
		}
	)
	lead.flags.ignore_validate = True
	lead.insert()
	stages, enrollments, touches, clocks, *_shown = what_comes_with(lead)
	assert (stages, enrollments, touches, clocks > 0) == (1, 1, 1, True)


def test_a_lead_whose_date_is_the_end_of_time_comes_in(freeze):
	cadence = {
		"doctype": "Nurture Cadence",
		"title": "By the Day",
		"status": "Active",
		"working_calendar": "Office Hours",
		"steps": [{"step": "A", "channel": "Phone", "anchor": "Date Field", "date_field": "qualified_on"}],
	}
	segment = frappe.get_doc("Lead Segment", "Inbound")
	segment.update({"cadence": frappe.get_doc(cadence).insert().name}).save()
	assert make_lead(qualified_on="9999-12-31").name
	frappe.db.delete("Error Log", {"method": ["like", "No touch can be planned%"]})
