"""Stage Velocity and Lead to Proposal: every figure is that of a count by hand, and equals the leads behind it."""

from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import (
	make_item,
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_order,
	make_sales_ready,
)
from lead_quality.lead_quality.report.lead_to_proposal.lead_to_proposal import LeadToProposal
from lead_quality.lead_quality.report.source_effectiveness.source_effectiveness import SourceEffectiveness
from lead_quality.lead_quality.report.stage_conversion.stage_conversion import StageConversion
from lead_quality.lead_quality.report.stage_velocity.stage_velocity import (
	ALL,
	WAYS,
	StageVelocity,
	way_in_short,
)
from tests.site import random_journeys as random_leads
from tests.site.helpers import company
from tests.site.random_journeys import MANAGER, NORTH, NOW, PERIOD, REP, SEES, nearest_rank, same

REPORTS = (StageVelocity, LeadToProposal)
GROUP_OF = {
	ALL: lambda lead: ALL.lower(),
	"Source": lambda lead: same(lead.source) or "no source",
	"Segment": lambda lead: same(lead.segment) or "no segment",
	"Campaign": lambda lead: same(lead.campaign) or "no campaign",
	"Owner": lambda lead: {REP: "rep", MANAGER: "manager"}.get(lead.owner_at_entry, "no owner"),
	"Month": lambda lead: f"{lead.entered_at:%Y-%m}",
}


@pytest.fixture
def world():
	random_leads.make_readers()
	leads = random_leads.write(250, 7)
	calls = random_leads.write_calls(leads, 8)
	for lead in leads:
		lead.called_at = min(
			(
				touch.done_at
				for touch in calls[lead.name]
				if (touch.channel, touch.direction, touch.status) == ("Phone", "Outbound", "Done")
				and not touch.is_automatic
				and lead.quoted_at
				and touch.done_at >= lead.quoted_at
			),
			default=None,
		)
	return leads


def seen_by(leads: list, reader: str) -> dict[str, list]:
	seen = [lead for lead in leads if SEES[reader](lead) and not lead.is_non_buyer]
	assert seen
	return seen


def grouped(leads: list, group_by: str) -> dict[str, list]:
	groups = defaultdict(list)
	for lead in leads:
		groups[GROUP_OF[group_by](lead)].append(lead)
	return groups


def days_between(begins, ends) -> float:
	return max((ends - begins).total_seconds(), 0) / 86_400


def about(value):
	return None if value is None else pytest.approx(value, abs=1 / 86_400)


@pytest.mark.parametrize("reader", SEES)
def test_velocity_is_that_of_a_count_by_hand_for_every_reader(world, reader, as_user):
	for group_by in StageVelocity.groups:
		with as_user(reader):
			rows = StageVelocity({**PERIOD, "group_by": group_by}, now=NOW).rows()
		expected = {}
		for group, leads in grouped(seen_by(world, reader), group_by).items():
			for way, (begins, ends) in WAYS.items():
				begins, ends = begins.removeprefix("j."), ends.removeprefix("j.")
				times = [
					days_between(lead[begins], lead[ends]) for lead in leads if lead[begins] and lead[ends]
				]
				if times:
					expected[group, way] = (
						len(times),
						about(nearest_rank(times, 50)),
						about(nearest_rank(times, 90)),
						about(max(times)),
					)
		found = {
			(row["group"].lower(), row["way"]): (
				row["leads"],
				row["median_days"],
				row["p90_days"],
				row["slowest_days"],
			)
			for row in rows
		}
		assert found == expected
		assert len(rows) == len(found)


@pytest.mark.parametrize("reader", SEES)
def test_proposals_are_those_of_a_count_by_hand_for_every_reader(world, reader, as_user):
	for group_by in LeadToProposal.groups:
		with as_user(reader):
			rows = LeadToProposal({**PERIOD, "group_by": group_by}, now=NOW).rows()
		expected = {}
		for group, leads in grouped(seen_by(world, reader), group_by).items():
			offered = [lead for lead in leads if lead.opportunity_at]
			quoted = [lead for lead in leads if lead.quoted_at]
			called = [lead for lead in quoted if lead.called_at]
			times = [days_between(lead.entered_at, lead.quoted_at) for lead in quoted]
			of_offered = [lead for lead in offered if lead.quoted_at]
			expected[group] = {
				"leads": len(leads),
				"opportunities": len(offered),
				"quoted_opportunities": len(of_offered),
				"without": len(offered) - len(of_offered),
				"quoted": len(quoted),
				"called": len(called),
				"not_called": len(quoted) - len(called),
				"quoted_percent": share(quoted, leads),
				"opportunities_percent": share(of_offered, offered),
				"called_percent": share(called, quoted),
				"median_days": about(nearest_rank(times, 50)),
				"p90_days": about(nearest_rank(times, 90)),
			}
		found = {row["group"].lower(): row for row in rows}
		assert {
			group: {name: found[group][name] for name in row} for group, row in expected.items()
		} == expected
		assert len(rows) == len(expected)


def share(part: list, whole: list):
	return pytest.approx(len(part) / len(whole) * 100) if whole else None


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("reader", [MANAGER, NORTH, REP])
def test_every_count_equals_the_leads_behind_it_for_every_reader(world, report, reader, as_user):
	with as_user(reader):
		for row in report({**PERIOD, "group_by": "Source"}, now=NOW).rows():
			for count, link in row["links"].items():
				query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
				listed, total = report(query, now=NOW).page()
				assert total == len(listed) == row[count], (row["group"], count)
				if report is StageVelocity:
					assert max(lead["days"] for lead in listed) == about(row["slowest_days"])
					assert {lead["step"] for lead in listed} == {row["step"]}


@pytest.mark.parametrize("report", REPORTS)
def test_more_leads_cost_no_more_queries(world, report, count_queries):
	def queries() -> int:
		with count_queries() as counted:
			report(dict(PERIOD), now=NOW).shown()
		return counted.count

	queries()
	before = queries()
	frappe.db.sql("delete from `tabLead Journey` where name like 'RANDOM-02%%'")
	assert queries() == before


@pytest.mark.parametrize("report", REPORTS)
def test_a_period_without_leads_is_no_error(report):
	columns, rows, _message, chart, _summary = report(
		{"from_date": "1999-01-01", "to_date": "1999-01-31"}
	).shown()
	assert columns and rows == [] and chart is None


def test_the_figures_on_top_are_those_of_all_leads(world):
	leads = seen_by(world, "Administrator")
	quoted = [lead for lead in leads if lead.quoted_at]
	called = [lead for lead in quoted if lead.called_at]
	found = LeadToProposal(dict(PERIOD), now=NOW)
	on_top = {figure["label"]: figure["value"] for figure in found.summary(found.rows())}
	assert on_top["With a Quotation, of Leads"].startswith(f"{len(quoted) / len(leads) * 100:.1f}"[:2])
	assert on_top["Called, of Quoted"].startswith(f"{len(called) / len(quoted) * 100:.1f}"[:2])
	assert on_top["Median Days Until It"] != "–"


def test_a_lead_is_timed_from_its_entry_to_its_quotation_and_its_call(freeze):
	with freeze("2021-05-03 09:00") as clock:
		lead = make_lead()
		make_sales_ready(lead.name)
		clock.move_to("2021-05-05 09:00:00.000001")  # ERPNext compares instants as text
		make_quotation(opportunity=make_opportunity(lead.name).name)
		clock.move_to("2021-05-06 09:00")
		api.log_touch(lead.name, "Phone", "No Answer")
		frappe.db.commit()
	(row,) = LeadToProposal(dict(PERIOD)).rows()
	assert (row["group"], row["quoted"], row["called"], row["median_days"]) == ("2021-05", 1, 1, about(2))
	ways = {row["way"]: row["median_days"] for row in StageVelocity(dict(PERIOD)).rows()}
	assert ways["Opportunity to Quoted"] == about(0)
	assert ways["Came In to Sales Ready"] == about(0)
	assert "Quoted to Sale" not in ways


def test_a_lead_that_was_deleted_stays_in_the_totals_and_in_no_list_of_work(freeze):
	# a contact that other documents name cannot be deleted, nor its lead
	frappe.db.set_single_value("CRM Settings", "auto_creation_of_contact", 0)
	with freeze("2021-05-03 09:00") as clock:
		leads = [make_lead(last_name=f"Deleted {nth}") for nth in range(3)]
		for lead in leads:
			make_sales_ready(lead.name)
		clock.move_to("2021-05-05 09:00:00.000001")  # ERPNext compares instants as text
		for lead in leads:
			make_quotation(opportunity=make_opportunity(lead.name).name)
		clock.move_to("2021-05-06 09:00")
		for lead in leads[:2]:
			api.log_touch(lead.name, "Phone", "No Answer")
		frappe.db.commit()
		before = LeadToProposal(dict(PERIOD)).rows()[0]
		for lead in leads[1:]:
			frappe.delete_doc("Lead", lead.name, force=True)
		frappe.db.commit()
	row = LeadToProposal(dict(PERIOD)).rows()[0]
	kept = ("leads", "opportunities", "quoted", "quoted_opportunities", "quoted_percent", "median_days")
	assert [row[name] for name in kept] == [before[name] for name in kept]
	assert (before["called"], before["not_called"]) == (2, 1)
	# whether somebody has called the deleted ones is not known any more
	assert (row["called"], row["not_called"], row["called_percent"]) == (1, 0, 100)
	listed = LeadToProposal({**PERIOD, "show": "Leads", "count": "quoted"}).page()[0]
	assert sorted(lead["title"] == "Deleted Lead" for lead in listed) == [False, True, True]


def test_opportunities_of_no_lead_have_a_row_of_their_own_and_are_in_no_total(freeze):
	with freeze("2021-05-03 09:00:00.000001"):
		customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Came by Itself"}).insert().name
		of_customer = {"opportunity_from": "Customer", "party_name": customer, "company": company()}
		offered, _other = (
			frappe.get_doc({"doctype": "Opportunity", **of_customer}).insert() for _nth in range(2)
		)
		items = [{"item_code": make_item(), "qty": 1, "rate": 100}]
		to_customer = {"quotation_to": "Customer", "party_name": customer, "company": company()}
		frappe.get_doc(
			{"doctype": "Quotation", **to_customer, "opportunity": offered.name, "items": items}
		).insert().submit()
		make_lead()
		frappe.db.commit()
	period = {"from_date": "2021-05-03", "to_date": "2021-05-03"}
	report = LeadToProposal(period)
	leads, alone = report.rows()
	assert (leads["leads"], leads["opportunities"]) == (1, 0)
	told = ("group", "leads", "opportunities", "quoted_opportunities", "without", "opportunities_percent")
	assert [alone[name] for name in told] == ["No Lead", None, 2, 1, 1, 50]
	assert "/opportunity?" in alone["links"]["opportunities"]
	assert report.chart(report.rows())["data"]["labels"] == ["2021-05"]
	assert report.summary(report.rows())
	assert [row["group"] for row in LeadToProposal({**period, "source": "Website"}).rows()] == ["2021-05"]


def test_the_ways_that_opportunities_of_no_lead_go_are_rows_of_their_own(freeze):
	with freeze("2021-05-10 09:00:00.000001") as clock:
		customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Comes by Itself"}).insert().name
		of_customer = {"opportunity_from": "Customer", "party_name": customer, "company": company()}
		offered, _other = (
			frappe.get_doc({"doctype": "Opportunity", **of_customer}).insert() for _nth in range(2)
		)
		clock.move_to("2021-05-12 09:00:00.000001")
		items = [{"item_code": make_item(), "qty": 1, "rate": 100}]
		to_customer = {"quotation_to": "Customer", "party_name": customer, "company": company()}
		quotation = frappe.get_doc(
			{"doctype": "Quotation", **to_customer, "opportunity": offered.name, "items": items}
		).insert()
		quotation.submit()
		clock.move_to("2021-05-13 09:00:00.000001")
		make_sales_order(quotation.name)
		frappe.db.commit()
	period = {"from_date": "2021-05-10", "to_date": "2021-05-10"}
	for group_by in (ALL, "Source"):
		report = StageVelocity({**period, "group_by": group_by})
		rows = [row for row in report.rows() if row["group"] == "No Lead"]
		assert [(row["way"], row["leads"], row["median_days"]) for row in rows] == [
			("Opportunity to Quoted", 1, 2),
			("Quoted to Sale", 1, 1),
		]
		for row in rows:
			filters = {
				name: values[0] for name, values in parse_qs(urlsplit(row["links"]["leads"]).query).items()
			}
			(listed,) = StageVelocity(filters).page()[0]
			assert (listed["opportunity"], listed["days"]) == (offered.name, row["median_days"])
		assert "No Lead" not in str(report.chart(report.rows()))
	for narrowed in ({"source": "Website"}, {"as_of": "2021-05-20"}):
		rows = StageVelocity({**period, **narrowed}).rows()
		assert "No Lead" not in {row["group"] for row in rows}


@pytest.mark.parametrize("report", [StageVelocity, LeadToProposal, SourceEffectiveness, StageConversion])
def test_a_source_that_is_called_no_lead_stays_in_chart_and_sums(report, freeze):
	"""The row of what has no lead is another one, and in neither."""
	with freeze("2021-05-17 09:00:00.000001"):
		customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Came without a Lead"}).insert()
		opportunity = frappe.get_doc(
			{
				"doctype": "Opportunity",
				"opportunity_from": "Customer",
				"party_name": customer.name,
				"company": company(),
			}
		).insert()
		items = [{"item_code": make_item(), "qty": 1, "rate": 100}]
		frappe.get_doc(
			{
				"doctype": "Quotation",
				"quotation_to": "Customer",
				"party_name": customer.name,
				"company": company(),
				"opportunity": opportunity.name,
				"items": items,
			}
		).insert().submit()
		lead = make_lead(source="No Lead").name
		make_sales_ready(lead)
		make_sales_order(make_quotation(opportunity=make_opportunity(lead).name).name)
		frappe.db.commit()
	shown = report({"from_date": "2021-05-17", "to_date": "2021-05-17", "group_by": "Source"})
	rows = shown.rows()
	groups = [
		row["group"] for row in rows if row.get("way", "Opportunity to Quoted") == "Opportunity to Quoted"
	]
	assert groups == ["No Lead", "No Lead"]
	chart = shown.chart(rows)["data"]
	assert chart["labels"] == ["No Lead"]
	assert all(len(dataset["values"]) == 1 for dataset in chart["datasets"])
	on_top = {figure["label"]: figure["value"] for figure in shown.summary(rows) or []}
	counted = {
		StageVelocity: {},
		LeadToProposal: {"With a Quotation, of Opportunities": "100"},
		SourceEffectiveness: {"Leads": "1", "Won, of Buyers": "100"},
		StageConversion: {"Target to Sale": "100"},
	}[report]
	assert {label: str(on_top[label])[: len(value)] for label, value in counted.items()} == counted


def test_a_label_of_the_chart_has_room_below_its_bar(world):
	# seven bars on a screen of a laptop leave room for thirteen letters
	report = StageVelocity(dict(PERIOD), now=NOW)
	labels = report.chart(report.rows())["data"]["labels"]
	assert labels == ["Prospect", "Sales Ready", "Accepted", "Opportunity", "Quoted", "Sale", "In All"]
	assert [way_in_short(way) for way in WAYS] == labels
