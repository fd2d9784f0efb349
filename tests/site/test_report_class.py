"""What all reports have in common: the first rows of a list, the file of all, mail in somebody's name, no markup."""

import csv
import io
import re
import zipfile

import frappe
import pytest
from frappe.desk import query_report
from frappe.utils import add_months, getdate, nowdate

from lead_quality import api
from lead_quality.base import report as base
from lead_quality.base.report import export_all_rows, report_class
from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import (
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_ready,
	make_source,
)
from lead_quality.funnel import journey
from lead_quality.overrides.auto_email_report import validate as on_validate
from lead_quality.patches.keep_readers_of_mailed_reports import execute as patch_readers

DAY = "2025-02-03"
PERIOD = {"from_date": DAY, "to_date": DAY}
REPORTS = (
	"Attributes Held",
	"Criterion Effectiveness",
	"Definition Use",
	"Follow-up Compliance",
	"Funnel Targets",
	"Gate Overrides",
	"Goals",
	"Handover Quality",
	"Lead to Proposal",
	"Source Effectiveness",
	"Leads at Risk",
	"Leaks",
	"Qualified Leads",
	"Speed to Lead",
	"Stage Conversion",
	"Stage Velocity",
	"Wasted Leads",
)
WITH_LIST = {name: report_class(name).list_name for name in REPORTS if report_class(name).list_name}
# nobody in the crowd has bought, or has had the days of a target: see test_goals and test_funnel_targets
CROWDED = [name for name in WITH_LIST if name not in {"Goals", "Funnel Targets"}]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def one_day(freeze):
	with freeze(f"{DAY} 09:00:00") as time:
		yield time


@pytest.fixture
def sales(make_user):
	return make_user("sales@class.example", "Sales User")


@pytest.fixture
def manager(make_user):
	return make_user("manager@class.example", "Sales Manager")


@pytest.fixture
def north(make_user):
	"""Sees the leads of one territory only."""
	for name in ("North", "South"):
		if not frappe.db.exists("Territory", name):
			frappe.get_doc({"doctype": "Territory", "territory_name": name}).insert()
	reader = make_user("north@class.example", "Sales Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Territory", "for_value": "North"}
	).insert()
	return reader


@pytest.fixture
def crowd(north, sales, one_day):
	"""Five leads, two of them in the North: handed over, refused, let past the gate; each with a missed clock."""
	leads = [
		make_lead(lead_owner=sales, source="Fair", territory="North" if number < 2 else "South")
		for number in range(5)
	]
	for lead in leads:
		make_sales_ready(lead.name)
		api.override_gate(lead.name, "Override: Strategic account")
		api.send_handover(lead.name, sales).db_set("status", "Rejected")
	frappe.get_doc({"doctype": "Funnel Target", "step": "Sale", "rate": 10, "within_days": 30}).insert()
	one_day.move_to(f"{DAY} 16:00:00")
	frappe.db.commit()
	return leads


def run(report: str, **filters) -> dict:
	return query_report.run(report, filters={**PERIOD, **filters})


def dict_rows(result: dict) -> list[dict]:
	return [row for row in result["result"] if isinstance(row, dict)]


def test_these_are_all_reports():
	ours = frappe.get_all("Report", {"module": "Lead Quality", "is_standard": "Yes"}, pluck="name")
	assert sorted(ours) == sorted(REPORTS)
	for name in REPORTS:
		assert report_class(name).name == name


# the list


@pytest.mark.parametrize("report", CROWDED)
def test_a_list_shows_the_first_rows_and_says_how_many_there_are(report, crowd, monkeypatch):
	everything = dict_rows(run(report, show=WITH_LIST[report]))
	assert len(everything) >= len(crowd)
	assert "rows are shown" not in (run(report, show=WITH_LIST[report])["message"] or "")
	monkeypatch.setattr(base, "MOST_ROWS", 2)
	result = run(report, show=WITH_LIST[report])
	assert dict_rows(result) == everything[:2]
	assert f"first <strong>2</strong> of <strong>{len(everything)}</strong> rows" in result["message"]


QUERIED = [
	name for name in [*CROWDED, "Funnel Targets"] if report_class(name).all_listed is base.Report.all_listed
]


@pytest.mark.parametrize("report", QUERIED)
def test_no_two_rows_of_a_list_have_the_same_place(report, crowd):
	"""Otherwise the database may order them otherwise on the next page, or at the next call."""
	for step in ("Prospect", "Sales Ready", "Quoted"):
		frappe.get_doc({"doctype": "Funnel Target", "step": step, "rate": 10, "within_days": 30}).insert()
	judged = {"as_of": str(add_months(getdate(DAY), 2))} if report == "Funnel Targets" else {}
	shown = report_class(report)({**PERIOD, **judged, "show": WITH_LIST[report]})
	listing = shown.listing()
	order = re.split(r",(?![^(]*\))", listing.query.rpartition("order by")[2])
	keys = [key.split()[0].rpartition(".")[2].strip("`") for key in order]
	rows = listing.rows()
	assert len(rows) >= len(crowd)
	shown_keys = [key for key in keys if key in rows[0]]
	places = [tuple(row[key] for key in shown_keys) for row in rows]
	assert len(set(places)) == len(places), shown_keys


def test_figures_above_a_list_count_all_of_its_rows(crowd, monkeypatch):
	figures = run("Leads at Risk")["report_summary"]
	assert len(crowd) in [item["value"] for item in figures]
	monkeypatch.setattr(base, "MOST_ROWS", 2)
	assert run("Leads at Risk")["report_summary"] == figures


@pytest.mark.parametrize("report", ["Follow-up Compliance", "Leads at Risk", "Handover Quality"])
def test_a_list_reads_no_more_from_the_database_than_it_shows(report, crowd, monkeypatch, count_queries):
	monkeypatch.setattr(base, "MOST_ROWS", 2)
	with count_queries() as queries:
		run(report, show=WITH_LIST[report])
	assert any("limit 3 offset 0" in query for query in queries)


@pytest.mark.parametrize("report", CROWDED)
def test_all_rows_of_a_list_go_to_a_file_of_which_the_user_is_told(
	report, crowd, manager, as_user, monkeypatch
):
	monkeypatch.setattr(base, "MOST_ROWS", 2)
	monkeypatch.setattr(base, "ROWS_AT_ONCE", 3)
	filters = {**PERIOD, "show": WITH_LIST[report]}
	shown = report_class(report)(filters)
	with as_user(manager):
		export_all_rows(report, filters)
		frappe.db.commit()
	file = frappe.get_last_doc("File", {"owner": manager})
	assert file.is_private
	told = frappe.get_last_doc("Notification Log", {"for_user": manager})
	assert told.link == file.file_url
	header, *rows = unpacked(file)
	assert header == [column["label"] for column in shown.list_columns()]
	assert len(rows) == sum(len(page) for page in shown.all_pages()) >= len(crowd)


def test_the_groups_of_a_report_can_be_exported_too(crowd, manager, as_user):
	with as_user(manager):
		export_all_rows("Source Effectiveness", PERIOD)
		frappe.db.commit()
	header, row = unpacked(frappe.get_last_doc("File", {"owner": manager}))
	assert dict(zip(header, row, strict=True))["Leads"] == "5"


def unpacked(file) -> list[list[str]]:
	with zipfile.ZipFile(io.BytesIO(file.get_content())) as archive:
		(name,) = archive.namelist()
		return [*csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig")))]


def test_the_file_follows_the_permissions_of_who_asked_for_it(crowd, north, as_user):
	with as_user(north):
		export_all_rows("Source Effectiveness", {**PERIOD, "show": "Leads"})
		frappe.db.commit()
	_header, *rows = unpacked(frappe.get_last_doc("File", {"owner": north}))
	assert sorted(row[0] for row in rows) == sorted(lead.name for lead in crowd[:2])


def test_a_text_that_a_spreadsheet_would_compute_is_a_text(crowd, manager, as_user):
	crowd[0].db_set("title", "=1+1")
	with as_user(manager):
		export_all_rows("Source Effectiveness", {**PERIOD, "show": "Leads"})
		frappe.db.commit()
	_header, *rows = unpacked(frappe.get_last_doc("File", {"owner": manager}))
	assert "'=1+1" in {row[1] for row in rows}


def test_who_may_not_run_a_report_gets_no_file_of_it(sales, as_user):
	with as_user(sales), pytest.raises(frappe.PermissionError):
		export_all_rows("Speed to Lead", PERIOD)


def test_a_report_of_another_app_is_not_exported_here(manager, as_user):
	with pytest.raises(frappe.ValidationError, match="not a report of Lead Quality"):
		export_all_rows("Lead Details", {})


def test_who_may_not_export_leads_gets_no_file_of_them(crowd, manager, as_user):
	for doctype in ("DocPerm", "Custom DocPerm"):
		frappe.db.set_value(doctype, {"parent": "Lead"}, "export", 0)
	frappe.clear_cache(doctype="Lead")
	with as_user(manager), pytest.raises(frappe.PermissionError):
		export_all_rows("Source Effectiveness", PERIOD)


def test_frappes_own_export_refuses_a_part_of_the_rows(crowd, monkeypatch):
	monkeypatch.setattr(base, "MOST_ROWS", 2)
	monkeypatch.setitem(frappe.form_dict, "cmd", "frappe.desk.query_report.export_query")
	with pytest.raises(frappe.ValidationError, match="Export All Rows"):
		run("Handover Quality", show="Handovers")


# mail, and other runs without a form


@pytest.mark.parametrize("report", REPORTS)
def test_without_filters_a_report_counts_what_its_form_shows_first(report):
	script = query_report.get_script(report)["script"]
	periods = re.findall(r"(?:\.\.\.period\(.*, |\bmonths: )(\d+)", script)
	months = int(periods[0]) if periods else 0
	assert report_class(report).months == months
	filters = report_class(report)().filters
	if months:
		assert filters.from_date == str(add_months(getdate(nowdate()), -months))
		assert filters.to_date == nowdate()


@pytest.mark.parametrize("report", REPORTS)
def test_what_stands_above_a_report_is_read_at_a_glance(report, crowd):
	message = frappe.utils.strip_html(run(report)["message"] or "")
	assert len(message) <= 350, message


def mail(report: str, user: str, file_format: str = "HTML", **filters) -> str | bytes:
	"""What Frappe mails of the report, as its scheduler does."""
	doc = frappe.get_doc(
		{
			"doctype": "Auto Email Report",
			"report": report,
			"report_type": "Script Report",
			"user": user,
			"email_to": "boss@class.example",
			"format": file_format,
			"frequency": "Daily",
			"filters": frappe.as_json({**PERIOD, **filters}),
		}
	).insert()
	frappe.set_user("Administrator")
	return frappe.get_doc("Auto Email Report", doc.name).get_report_content()


@pytest.mark.parametrize("report", [name for name in REPORTS if name != "Goals"])
def test_a_report_is_mailed_in_every_format(report, crowd, manager):
	for file_format in ("HTML", "CSV", "XLSX"):
		assert mail(report, manager, file_format)
		if report in CROWDED:
			assert mail(report, manager, file_format, show=WITH_LIST[report])


@pytest.mark.parametrize(
	"report", ["Source Effectiveness", "Definition Use", "Speed to Lead", "Stage Conversion"]
)
def test_a_mailed_report_follows_the_permissions_of_the_user_that_it_names(report, crowd, north):
	content = mail(report, north, show=WITH_LIST[report])
	assert [lead.name in content for lead in crowd] == [True, True, False, False, False]


def test_a_report_that_was_mailed_before_the_update_follows_them_too(crowd, north):
	doc = frappe.get_doc(
		{
			"doctype": "Auto Email Report",
			"report": "Source Effectiveness",
			"report_type": "Script Report",
			"user": north,
			"email_to": "boss@class.example",
			"format": "HTML",
			"frequency": "Daily",
			"filters": frappe.as_json(PERIOD),
		}
	).insert()
	doc.db_set("filters", frappe.as_json({**PERIOD, "show": "Leads"}))
	patch_readers()
	patch_readers()
	content = frappe.get_doc("Auto Email Report", doc.name).get_report_content()
	assert [lead.name in content for lead in crowd] == [True, True, False, False, False]


def test_a_report_is_not_mailed_in_the_name_of_who_may_not_run_it(crowd, sales):
	with pytest.raises(frappe.PermissionError):
		mail("Speed to Lead", sales)


def test_nobody_reads_in_the_name_of_another(crowd, north, manager, as_user):
	with as_user(north):
		rows = dict_rows(run("Source Effectiveness", show="Leads", reader=manager))
	assert sorted(row["lead"] for row in rows) == sorted(lead.name for lead in crowd[:2])


def test_the_filter_of_a_mailed_report_shows_what_the_mail_shows_to_whoever_may_set_it_up(
	crowd, north, manager, as_user
):
	frappe.get_doc("User", north).add_roles("Report Manager", "Lead Quality Manager")
	with as_user(north):
		rows = dict_rows(run("Source Effectiveness", show="Leads", reader=manager))
		mailed = mail("Source Effectiveness", manager, show="Leads")
	assert len(rows) == len(crowd)
	assert all(lead.name in mailed for lead in crowd)


def test_a_mailed_report_of_another_app_is_left_alone():
	doc = frappe._dict(doctype="Auto Email Report", report="ToDo", user="Administrator", filters="{}")
	on_validate(doc)
	assert doc.filters == "{}"


# what is shown is no markup


@pytest.fixture
def hostile(crowd):
	"""Texts that came into the tables past Frappe, which would have cleaned them."""
	source = f"`{lead_field('source')}`"
	frappe.db.sql(
		f"update `tabLead` set title = %(x)s, lead_name = %(x)s, company_name = %(x)s, {source} = %(x)s, company = %(x)s",
		{"x": HOSTILE},
	)
	frappe.db.sql(
		"update `tabLead Journey` set source = %(x)s, campaign = %(x)s, company = %(x)s, exit_reason = %(x)s",
		{"x": HOSTILE},
	)
	frappe.db.sql("update `tabLead Handover` set lead_name = %(x)s, checklist = 'BANT v1'", {"x": HOSTILE})
	frappe.db.sql("update `tabQualification Criterion` set label = %(x)s, topic = %(x)s", {"x": HOSTILE})
	frappe.db.sql("update `tabUser` set full_name = %(x)s where name like '%%class.example'", {"x": HOSTILE})
	frappe.clear_cache()
	return crowd


@pytest.mark.parametrize("report", REPORTS)
def test_no_text_of_a_report_is_read_as_markup(report, hostile):
	for group_by in (None, *report_class(report).groups):
		for show in (None, WITH_LIST.get(report), "Summary"):
			result = run(report, show=show, group_by=group_by)
			assert "<img" not in frappe.as_json(
				[result[part] for part in ("columns", "result", "message", "chart", "report_summary")]
			)


def test_a_mailed_report_holds_no_markup_of_a_lead(hostile, manager):
	assert "<img" not in mail("Source Effectiveness", manager, show="Leads")


def test_a_name_that_frappe_has_cleaned_is_escaped_once(crowd):
	crowd[0].db_set("title", "D'Arcy &amp; Söhne")
	titles = {row["title"] for row in dict_rows(run("Source Effectiveness", show="Leads"))}
	assert "D'Arcy &amp; Söhne" in titles


# sources


@pytest.fixture
def spelt():
	"""Leads whose source was written past the ORM, in several ways; two without one; one whose source is Unknown."""
	make_source("Google")
	field = lead_field("source")
	for source in ("Google", "google", "GOOGLE", None, "", "Unknown", "unknown"):
		lead = make_lead(source=None)
		frappe.db.set_value("Lead", lead.name, field, source, update_modified=False)
		frappe.db.set_value("Lead Stage Log", {"lead": lead.name}, "source", source, update_modified=False)
	journey.rebuild()


def counted_by_source(report: str) -> dict[str, int]:
	rows = dict_rows(run(report, group_by="Source"))
	if report == "Speed to Lead":
		return {row["label"]: row["leads"] for row in rows if row["indent"] == 0}
	return {row["source"]: row["leads"] for row in rows}


@pytest.mark.parametrize("report", ["Source Effectiveness", "Speed to Lead"])
def test_a_source_is_one_whatever_its_case_and_none_is_not_unknown(report, spelt):
	assert counted_by_source(report) == {"Google": 3, "No Source": 2, "Unknown": 2}


@pytest.mark.parametrize("report", [name for name in REPORTS if "Source" in report_class(name).groups])
def test_in_every_report_a_source_has_one_row(report, spelt, sales):
	for lead in frappe.get_all("Lead", pluck="name", order_by="creation asc"):
		make_sales_ready(lead)
		api.send_handover(lead, sales)
	journey.rebuild()
	labels = {"Google", "No Source", "Unknown"}
	called = ("group_name", "source", "label", "group")
	shown = [
		next(str(row[name]) for name in called if row.get(name))
		for row in dict_rows(run(report, group_by="Source", show="Summary"))
		if not row.get("indent")
	]
	assert sorted(shown) == sorted(labels)


@pytest.mark.parametrize("report", ["Source Effectiveness", "Speed to Lead", "Stage Conversion"])
def test_a_source_and_no_source_can_be_chosen(report, spelt):
	def leads(**filters) -> int:
		return len(dict_rows(run(report, show="Leads", **filters)))

	assert [leads(source=source) for source in ("Google", "google", "unknown")] == [3, 3, 2]
	assert leads(without_source=1) == 2
	# the filter is one of its own, or of those that the reports on journeys share
	assert re.search("without_source|journey_filters", query_report.get_script(report)["script"])


def test_handovers_of_one_source_are_one_row_whatever_its_case(sales):
	for source in ("Google", "google"):
		lead = make_lead(source=None)
		make_sales_ready(lead.name)
		frappe.db.set_value("Lead", lead.name, lead_field("source"), source, update_modified=False)
		api.send_handover(lead.name, sales)
	(row,) = dict_rows(run("Handover Quality", group_by="Source"))
	assert row["handed_over"] == 2


# what is kept from a reader


# those that count raw leads, too, and that a sales user, from whom leads are hidden, may run
OF_ALL_LEADS = [
	name
	for name in REPORTS
	if report_class(name).held_back is not base.Report.held_back and name != "Source Effectiveness"
]


@pytest.mark.parametrize("report", OF_ALL_LEADS)
@pytest.mark.parametrize("show", ["list", "groups"])
def test_a_reader_is_told_how_many_leads_the_settings_keep_from_him(report, show, sales, manager, as_user):
	make_lead(lead_owner=sales)
	for _number in range(3):
		lead = make_lead(lead_owner=manager)
		frappe.db.set_value("Lead", lead.name, "lead_owner", None)
		frappe.db.set_value("Lead", lead.name, "owner", "Administrator")
	filters = {"show": WITH_LIST[report] if show == "list" else "Summary"}

	def told() -> str:
		return run(report, **filters)["message"] or ""

	with as_user(sales):
		assert "not shown to you" not in told()
	frappe.get_doc("Lead Quality Settings").update({"hide_unqualified_leads": 1}).save()
	with as_user(sales):
		assert "<strong>3</strong> leads that are not sales ready yet are not shown to you" in told()
	with as_user(manager):
		assert "not shown to you" not in told()


# Stage Conversion


def made_of_customer() -> str:
	customer = frappe.get_doc(
		{"doctype": "Customer", "customer_name": "Known for long", "customer_type": "Company"}
	).insert()
	company = frappe.get_all("Company", pluck="name", order_by="name asc", limit=1)[0]
	return (
		frappe.get_doc(
			{
				"doctype": "Opportunity",
				"opportunity_from": "Customer",
				"party_name": customer.name,
				"company": company,
			}
		)
		.insert()
		.name
	)


def test_opportunities_that_no_lead_stands_behind_are_a_row_of_their_own(manager, as_user):
	lead = make_lead()
	make_sales_ready(lead.name)
	make_opportunity(lead.name)
	frappe.db.commit()  # a report is asked for by a request of its own
	before = [row["reached"] for row in dict_rows(run("Stage Conversion"))]
	opportunity = made_of_customer()
	with as_user(manager):
		result = run("Stage Conversion")
		*stages, last = dict_rows(result)
		listed = frappe.get_list(
			"Opportunity",
			filters={"lq_lead": ["is", "not set"], "opportunity_from": ["!=", "Lead"]},
			pluck="name",
		)
	assert [row["reached"] for row in stages] == before
	assert (last["stage"], last["reached"], last["from_first"]) == ("No Lead", 1, None)
	assert listed == [opportunity]
	assert "lq_lead=%5B%22is%22%2C%20%22not%20set%22%5D" in last["links"]["reached"]
	assert "No Lead counts" in result["message"]
	assert len(result["chart"]["data"]["labels"]) == 4
	# what narrows leads leaves them out
	assert len(dict_rows(run("Stage Conversion", source="Fair"))) == 4


def test_a_quotation_on_an_opportunity_that_is_credited_to_a_lead_is_the_leads(one_day):
	lead = make_lead()
	make_sales_ready(lead.name)
	opportunity = make_opportunity(lead.name)
	one_day.move_to(f"{DAY} 10:00:00.500000")
	make_quotation(opportunity.name)
	# as it is where the opportunity was made of the lead's Prospect
	frappe.db.set_value(
		"Opportunity",
		opportunity.name,
		{"opportunity_from": "Prospect", "party_name": "Somebody", "lq_lead": lead.name},
	)
	frappe.db.set_value("Quotation", {"opportunity": opportunity.name}, "quotation_to", "Prospect")
	frappe.db.commit()  # a report is asked for by a request of its own
	figures = {item["label"]: item["value"] for item in run("Stage Conversion")["report_summary"]}
	assert figures["Opportunities with a Quotation"] == "100 %"


# Follow-up Compliance


def test_two_reps_of_one_name_have_a_bar_each(make_user, one_day):
	for number in range(2):
		rep = make_user(f"twin{number}@class.example", "Sales User", first_name="Kim", last_name="Lee")
		make_lead(lead_owner=rep)
	one_day.move_to(f"{DAY} 16:00:00")
	labels = run("Follow-up Compliance", clock="First Response")["chart"]["data"]["labels"]
	assert labels == ["Kim Lee", "Kim Lee"]


def test_an_empty_message_of_before_is_no_box_on_the_report(clean_messages):
	frappe.local.message_log.extend([{"message": "", "title": "Message"}, {"message": "Kept"}])
	report_class("Goals").execute({})
	assert [message["message"] for message in frappe.local.message_log] == ["Kept"]


@pytest.fixture
def clean_messages():
	frappe.clear_messages()
	yield
	frappe.clear_messages()
