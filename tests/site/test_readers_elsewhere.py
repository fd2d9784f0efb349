"""Who reads a funnel report in another time zone and another language reads the same figures under translated words, of the
days of the site's time zone."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import frappe
import pytest
from frappe.translate import clear_cache

import lead_quality
from lead_quality.base.report import report_class
from lead_quality.lead_quality.report.journeys import COHORTS, FACETS, STEPS
from tests.site import random_journeys as random_leads
from tests.site.random_journeys import MANAGER, NOW

# each with what it is grouped by, and the name of its list
REPORTS = (
	("Stage Conversion", {}, "Leads"),
	("Stage Conversion", {"group_by": "Week"}, "Leads"),
	("Stage Velocity", {"group_by": "Month"}, "Leads"),
	("Leaks", {}, "Leads"),
	("Lead to Proposal", {"group_by": "Month"}, "Leads"),
	("Wasted Leads", {"group_by": "Month"}, "Leads"),
	("Qualified Leads", {"group_by": "Month"}, "Leads"),
	("Source Effectiveness", {"group_by": "Month"}, "Leads"),
	("Goals", {}, "Customers"),
	("Funnel Targets", {"as_of": "2021-06-30"}, "Leads"),
)
DAY = datetime(2021, 3, 9)
ONE_DAY = {"from_date": "2021-03-09", "to_date": "2021-03-09", "include_non_buyers": 1}
# a day begins there when another one is half over here, whatever zone the site is in
ZONES = ("Pacific/Auckland", "Pacific/Honolulu")
MARK = "¤"  # begins each translated text


@pytest.fixture
def leads(freeze) -> Iterator[list]:
	random_leads.make_readers()
	leads = random_leads.write(150, 77)
	# at the edges of a day: the last instant of the one before, its first and last, and the first of the next one
	edges = (timedelta(microseconds=-1), timedelta(0), timedelta(days=1, microseconds=-1), timedelta(days=1))
	for lead, after in zip(leads, edges, strict=False):
		lead.entered_at = DAY + after
		frappe.db.set_value("Lead Journey", lead.name, "entered_at", lead.entered_at, update_modified=False)
	for step in ("Prospect", "Quoted", "Sale"):
		target = {"step": step, "rate": 95, "from_date": "2021-01-01", "to_date": "2021-12-31"}
		frappe.get_doc({"doctype": "Funnel Target", "minimum_leads": 1, **target}).insert()
	goal = {"user": MANAGER, "from_date": "2021-01-01", "to_date": "2021-12-31", "new_customers": 4}
	frappe.get_doc({"doctype": "New Customer Goal", **goal}).insert()
	with freeze(str(NOW)):
		yield leads


@pytest.fixture
def german() -> Iterator[None]:
	"""Every text that the reports translate has a translation."""
	texts = sorted(texts_of_reports())
	rows = [(f"marked-{nth}", "de", text, MARK + text) for nth, text in enumerate(texts)]
	frappe.db.delete("Translation", {"language": "de"})
	frappe.db.bulk_insert("Translation", ["name", "language", "source_text", "translated_text"], rows)
	clear_cache()
	yield
	clear_cache()


def texts_of_reports() -> set[str]:
	"""What is given to `_()` in the reports and in what they use."""
	root = Path(lead_quality.__file__).parent
	files = [*root.glob("lead_quality/report/**/*.py"), root / "base/report.py", root / "funnel/targets.py"]
	# what is named by a value: steps, and what is grouped by
	found = {*STEPS, *COHORTS, *FACETS}
	for file in files:
		for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
			if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "_":
				found |= {one.value for one in node.args if isinstance(one, ast.Constant)}
	return found


@contextmanager
def reading(language: str, zone: str | None):
	frappe.db.set_value("User", MANAGER, {"language": language, "time_zone": zone})
	frappe.clear_document_cache("User", MANAGER)
	before = frappe.local.lang
	frappe.set_user(MANAGER)
	frappe.local.lang = language
	try:
		yield
	finally:
		frappe.local.lang = before
		frappe.set_user("Administrator")


def asked(report: str, filters: dict) -> tuple:
	return report_class(report).execute({"from_date": "2021-01-01", "to_date": "2021-12-31", **filters})


def figures(shown: tuple) -> list[dict]:
	"""What is no text, in each row, in their order."""
	fields = [
		column["fieldname"]
		for column in shown[0]
		if column["fieldtype"] not in ("Data", "Link", "Small Text")
	]
	return [{name: row.get(name) for name in fields} for row in shown[1]]


@pytest.mark.parametrize(("report", "filters", "list_name"), REPORTS, ids=lambda value: str(value)[:40])
def test_the_figures_are_those_of_the_site_s_days_and_the_words_the_reader_s(
	leads, german, report, filters, list_name
):
	of_list = {**filters, "show": list_name}
	if report == "Funnel Targets":
		of_list["target"] = frappe.db.get_value("Funnel Target", {"step": "Sale", "from_date": "2021-01-01"})
	with reading("en", None):
		here, listed = asked(report, filters), asked(report, of_list)
	assert here[1]
	for zone in ZONES:
		with reading("de", zone):
			there, listed_there = asked(report, filters), asked(report, of_list)
		assert figures(there) == figures(here), zone
		assert figures(listed_there) == figures(listed), zone
		for shown in (there, listed_there):
			for column in shown[0]:
				assert MARK in column["label"], column
		for said in (there[2], *(one["label"] for one in there[4] or [])):
			assert not said or MARK in said, said
		for names in [one["name"] for one in (there[3] or {"data": {"datasets": []}})["data"]["datasets"]]:
			assert MARK in names, names
	for shown in (here, listed):
		assert not any(MARK in column["label"] for column in shown[0])


@pytest.mark.parametrize(
	"report", ["Stage Conversion", "Lead to Proposal", "Wasted Leads", "Source Effectiveness", "Leaks"]
)
def test_a_day_of_the_period_is_one_of_the_site_s_zone_for_every_reader(leads, german, report):
	truth = {lead.name for lead in leads if lead.entered_at.date() == DAY.date()}
	assert {leads[1].name, leads[2].name} <= truth
	assert not truth & {leads[0].name, leads[3].name}
	for language, zone in (("en", None), *(("de", zone) for zone in ZONES)):
		with reading(language, zone):
			rows = report_class(report)({**ONE_DAY, "show": "Leads"}).page()[0]
		assert {row["lead"] for row in rows} == truth, zone
