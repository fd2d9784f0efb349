"""Source Effectiveness: every figure is that of a count by hand, equals the leads behind it, and costs are never
invented."""

from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

import frappe
import pytest
from frappe.desk import query_report

from lead_quality.base.site_time import aware, naive
from lead_quality.demo.factories import make_lead, make_source, make_user
from lead_quality.engine.waste import LeadFacts, latest_start, wasted_since
from lead_quality.funnel import journey
from lead_quality.lead_quality.report.source_effectiveness.source_effectiveness import SourceEffectiveness
from lead_quality.patches.rename_lead_source_quality import NEW, OLD
from lead_quality.patches.rename_lead_source_quality import execute as rename_report
from tests.site import random_journeys as random_leads
from tests.site.helpers import company
from tests.site.random_journeys import ABROAD, MANAGER, NORTH, NOW, PERIOD, REP, SEES, same

COUNTS = {
	"leads": lambda lead: True,
	"not_buyers": lambda lead: lead.is_non_buyer,
	"bad_data": lambda lead: lead.is_bad_data or not (lead.email_id or lead.phone),
	"wasted": lambda lead: lead.is_wasted,
	"buyers": lambda lead: not lead.is_non_buyer,
	"qualified": lambda lead: not lead.is_non_buyer and lead.ready_at,
	"handed_over": lambda lead: not lead.is_non_buyer and lead.handed_over_at,
	"declined": lambda lead: not lead.is_non_buyer and lead.declined_at,
	"accepted": lambda lead: not lead.is_non_buyer and lead.accepted_at,
	"opportunities": lambda lead: not lead.is_non_buyer and (lead.opportunity_at or lead.sale_at),
	"won": lambda lead: not lead.is_non_buyer and lead.sale_at,
}
GROUP_OF = {
	"Source": lambda lead: same(lead.source),
	"Campaign": lambda lead: same(lead.campaign),
	"Segment": lambda lead: same(lead.segment),
	"Month": lambda lead: f"{lead.entered_at:%Y-%m}",
}
NONE = {"Source": "no source", "Campaign": "no campaign", "Segment": "no segment"}


@pytest.fixture
def world():
	"""Random leads of two companies in two currencies, and who reads of them."""
	random_leads.make_readers()
	currency, rate_on = random_leads.make_rates()
	leads = random_leads.write(300, 12, (company(), ABROAD))
	start = naive(latest_start(aware(NOW), 5, None))
	for lead in leads:
		lead.is_wasted = wasted_since(
			LeadFacts(
				entered_at=lead.entered_at,
				accepted_at=lead.accepted_at,
				last_touch_at=lead.last_touch_at,
				decided_at=lead.decided_at,
				next_step_at=lead.lq_next_touch_at,
				is_pursued=bool(lead.opportunity_at or lead.sale_at),
			),
			start,
			NOW,
		)
		rate = rate_on(lead.sale_at) if lead.company == ABROAD else 1
		lead.value = 0 if not lead.company_value else rate and lead.company_value * rate
	return frappe._dict(leads=leads, currency=currency, rate_on=rate_on)


def report(**filters) -> SourceEffectiveness:
	return SourceEffectiveness({**PERIOD, **filters}, now=NOW)


def shown(**filters) -> dict[str, dict]:
	found = report(**filters)
	return {row["group"].lower(): row for row in found.rows()}


def by_hand(leads: list, group_by: str) -> dict[str, dict]:
	groups = defaultdict(list)
	for lead in leads:
		groups[GROUP_OF[group_by](lead) or NONE[group_by]].append(lead)
	expected = {}
	for group, members in groups.items():
		row = {name: sum(1 for lead in members if counts(lead)) for name, counts in COUNTS.items()}
		won = [lead for lead in members if COUNTS["won"](lead)]
		values = [lead.value for lead in won]
		seconds = sorted(int((lead.sale_at - lead.entered_at).total_seconds()) for lead in won)
		answered = sum(
			1 for lead in members if not lead.is_non_buyer and (lead.accepted_at or lead.declined_at)
		)
		row["value"] = None if None in values else pytest.approx(sum(values))
		row["median_days"] = pytest.approx(seconds[(len(seconds) + 1) // 2 - 1] / 86_400) if seconds else None
		row["qualified_percent"] = share(row["qualified"], row["buyers"])
		row["declined_percent"] = share(row["declined"], row["handed_over"])
		row["acceptance_percent"] = share(row["accepted"], answered)
		row["won_percent"] = share(row["won"], row["buyers"])
		row["wasted_percent"] = share(row["wasted"], row["leads"])
		expected[group] = row
	return expected


def share(part: int, whole: int):
	return pytest.approx(part / whole * 100) if whole else None


@pytest.mark.parametrize("reader", SEES)
def test_every_figure_is_that_of_a_count_by_hand_for_every_reader(world, reader, as_user):
	leads = [lead for lead in world.leads if SEES[reader](lead)]
	assert leads and (reader in ("Administrator", MANAGER) or len(leads) < len(world.leads))
	for group_by in GROUP_OF:
		with as_user(reader):
			found = shown(group_by=group_by)
		expected = by_hand(leads, group_by)
		assert {
			group: {name: found[group][name] for name in row} for group, row in expected.items()
		} == expected
		assert {group for group, row in found.items() if row["leads"]} == set(expected)


@pytest.mark.parametrize("reader", [MANAGER, NORTH, REP])
def test_every_count_equals_the_leads_behind_it_for_every_reader(world, reader, as_user):
	with as_user(reader):
		for row in shown().values():
			for count in SourceEffectiveness.counts:
				query = {
					name: values[0] for name, values in parse_qs(urlsplit(row["links"][count]).query).items()
				}
				listed, total = SourceEffectiveness(query, now=NOW).page()
				assert total == len(listed) == row[count], (row["group"], count)
				if count == "won" and row["value"] is not None:
					assert sum(lead["value"] for lead in listed) == pytest.approx(row["value"])


def test_a_lead_with_the_spelling_of_a_record_belongs_to_it_and_others_have_one_spelling(world):
	names = {row["group"] for row in report().rows()}
	assert names == {"No Source", "Exhibition", "Website", "Never Recorded"}


def test_more_leads_cost_no_more_queries(world, count_queries):
	def queries() -> int:
		with count_queries() as counted:
			report().rows()
		return counted.count

	queries()
	before = queries()
	frappe.db.sql("delete from `tabLead Journey` where name like 'RANDOM-02%%'")
	assert queries() == before


# spend


def spend(**values):
	return frappe.get_doc(
		{
			"doctype": "Marketing Spend",
			"source": "Exhibition",
			"company": company(),
			"amount": 3_650,
			"from_date": "2021-01-01",
			"to_date": "2021-12-31",
			**values,
		}
	).insert()


def test_a_cost_per_lead_stands_beside_those_per_qualified_accepted_and_won(world):
	spend()
	row = shown()["exhibition"]
	assert row["spend"] == pytest.approx(3_650)
	for cost, of in (("lead", "leads"), ("qualified", "qualified"), ("accepted", "accepted"), ("won", "won")):
		assert row[f"cost_per_{cost}"] == pytest.approx(3_650 / row[of])
	names = [column["fieldname"] for column in report().columns()]
	place = names.index("cost_per_lead")
	assert names[place : place + 4] == [
		"cost_per_lead",
		"cost_per_qualified",
		"cost_per_accepted",
		"cost_per_won",
	]
	labels = [figure["label"] for figure in report().summary([])]
	assert labels[-4:] == ["Cost per Lead", "Cost per Qualified", "Cost per Accepted", "Cost per Won"]


def test_spend_is_split_by_days_and_months(world):
	spend()
	assert shown(from_date="2021-02-01", to_date="2021-02-10")["exhibition"]["spend"] == pytest.approx(100)
	months = shown(group_by="Month")
	assert months["2021-01"]["spend"] == pytest.approx(310)
	assert months["2021-02"]["spend"] == pytest.approx(280)
	assert list(months) == sorted(months)


def test_spend_in_another_currency_has_the_rate_of_each_day(world):
	spend(currency=world.currency, from_date="2021-07-31", to_date="2021-08-01", amount=100)
	row = shown(company=company())["exhibition"]
	assert row["spend"] == pytest.approx(50 * 2 + 50 * 4)
	assert row["roi"] == pytest.approx((row["value"] - 300) / 300 * 100)


def test_spend_without_a_rate_is_missing_and_is_not_nothing(world):
	spend(currency=world.currency, from_date="2021-03-09", to_date="2021-03-10", amount=100)
	spend(source="Website")
	rows = shown(company=company())
	found = rows["exhibition"]
	assert (found["spend"], found["cost_per_lead"], found["cost_per_won"], found["roi"]) == (None,) * 4
	assert found["leads"] and rows["website"]["spend"] == pytest.approx(3_650)
	message = report(company=company()).shown()[2]
	assert "Spend is missing" in message and world.currency in message
	assert report(company=company()).summary([])[-1]["value"] == "–"


def test_leads_on_which_nothing_was_spent_have_no_cost_and_spend_without_leads_is_a_row(world):
	make_source("Billboard")
	spend(source="Billboard")
	rows = shown()
	assert (rows["website"]["spend"], rows["website"]["cost_per_lead"]) == (None, None)
	found = rows["billboard"]
	assert (found["leads"], found["spend"], found["cost_per_lead"], found["roi"]) == (0, 3_650, None, -100)


def test_what_a_campaign_cost_is_not_put_on_leads_without_a_source(world):
	frappe.get_doc(
		{
			"doctype": "Marketing Spend",
			"name": "of-spring",
			"campaign": "Spring",
			"company": company(),
			"amount": 50,
			"currency": frappe.get_cached_value("Company", company(), "default_currency"),
			"from_date": "2021-05-01",
			"to_date": "2021-05-02",
		}
	).db_insert()
	rows = shown()
	assert rows["no source"]["spend"] is None
	assert rows["campaigns without source"]["spend"] == pytest.approx(50)
	assert shown(group_by="Campaign")["spring"]["spend"] == pytest.approx(50)


def test_spend_leads_to_its_records(world):
	doc, _other = spend(), spend(source="Website")
	link = shown()["exhibition"]["links"]["spend"]
	filters = {
		name: frappe.parse_json(values[0]) if values[0].startswith("[") else values[0]
		for name, values in parse_qs(urlsplit(link).query).items()
	}
	assert frappe.get_list("Marketing Spend", filters, pluck="name") == [doc.name]


@pytest.mark.parametrize(
	("filters", "reader", "words"),
	[
		({"group_by": "Segment"}, MANAGER, "spent on a segment is not known"),
		({"segment": "Inbound"}, MANAGER, "no costs are shown"),
		({}, NORTH, "some of the leads that the money was spent on"),
	],
)
def test_spend_on_more_leads_than_are_counted_is_not_held_against_them(
	world, filters, reader, words, as_user
):
	spend()
	with as_user(reader):
		found = report(**filters).shown()
	assert words in found[2]
	assert {row["spend"] for row in found[1]} == {None}


def test_who_is_kept_to_a_company_sees_its_costs(world, as_user):
	frappe.db.delete("User Permission", {"user": NORTH})
	frappe.get_doc(
		{"doctype": "User Permission", "user": NORTH, "allow": "Company", "for_value": company()}
	).insert()
	spend()
	spend(company=ABROAD, amount=1_000)
	with as_user(NORTH):
		row = shown()["exhibition"]
	assert row["spend"] == pytest.approx(3_650)
	own = [lead for lead in world.leads if lead.company == company()]
	assert row["leads"] == by_hand(own, "Source")["exhibition"]["leads"]


def test_a_value_without_a_rate_is_missing_and_the_report_says_so(world):
	missing = [lead for lead in world.leads if COUNTS["won"](lead) and lead.value is None]
	groups = {same(lead.source) or "no source" for lead in missing}
	assert missing and {group for group, row in shown().items() if row["value"] is None} == groups
	assert f"is so for {len(missing)} orders" in report().shown()[2]


# marks


def test_a_source_that_cries_wolf_is_marked_and_few_leads_are_too(world):
	rows = shown(cries_wolf_from=40, minimum=20)
	for row in rows.values():
		is_wolf = row["handed_over"] >= 20 and row["declined_percent"] >= 40
		assert row["cries_wolf"] == int(is_wolf)
	assert any(row["cries_wolf"] for row in rows.values())
	assert not any(row["cries_wolf"] for row in shown(cries_wolf_from=100).values())
	assert {row["mark"] for row in shown(minimum=1_000).values()} == {"Few leads"}


# no lead


def test_opportunities_that_no_lead_stands_behind_are_a_row_and_lead_to_their_list(world, as_user):
	customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Known for Long"}).insert()
	for number, status in enumerate(("Open", "Converted")):
		frappe.get_doc(
			{
				"doctype": "Opportunity",
				"name": f"OPP-NO-LEAD-{number}",
				"opportunity_from": "Customer",
				"party_name": customer.name,
				"status": status,
				"company": company(),
				"creation": "2021-06-01 10:00:00",
				"modified": "2021-06-01 10:00:00",
			}
		).db_insert()
	frappe.db.sql(
		"update `tabOpportunity` set creation = '2021-06-01 10:00:00' where name like 'OPP-NO-LEAD%%'"
	)
	with as_user(MANAGER):
		row = shown()["no lead"]
	assert (row["opportunities"], row["won"], row["leads"], row["spend"]) == (2, 1, None, None)
	assert "status=Converted" in row["links"]["won"]
	assert "no lead" not in shown(source="Website")


# the report that it was


def test_what_led_to_lead_source_quality_leads_to_source_effectiveness(world):
	user = make_user("mailed@journeys.example", "Sales Manager").name
	new = frappe.get_doc("Report", NEW)
	old = frappe.copy_doc(new)
	old.update({"name": OLD, "report_name": OLD})
	old.db_insert()
	mail = frappe.get_doc(
		{
			"doctype": "Auto Email Report",
			"report": NEW,
			"report_type": "Script Report",
			"user": user,
			"email_to": "boss@class.example",
			"format": "HTML",
			"frequency": "Daily",
			"filters": frappe.as_json({"source": "Website", "show": "Leads", "count": "declined"}),
		}
	).insert()
	mail.db_set("report", OLD)
	custom = frappe.get_doc(
		{
			"doctype": "Report",
			"report_name": "Our Sources",
			"ref_doctype": "Lead",
			"report_type": "Custom Report",
			"is_standard": "No",
			"reference_report": OLD,
			"json": "{}",
		}
	).insert()
	workspace = frappe.get_doc(
		{
			"doctype": "Workspace",
			"label": "Ours",
			"title": "Ours",
			"public": 1,
			"content": "[]",
			"type": "Workspace",
		}
	)
	workspace.append("shortcuts", {"type": "Report", "link_to": NEW, "label": "Sources"})
	workspace.insert()
	frappe.db.set_value("Workspace Shortcut", {"parent": workspace.name}, "link_to", OLD)

	frappe.flags.in_patch = True  # as where patches run: else no standard report may go
	rename_report()
	rename_report()

	assert not frappe.db.exists("Report", OLD)
	assert frappe.db.get_value("Workspace Shortcut", {"parent": workspace.name}, "link_to") == NEW
	assert frappe.db.get_value("Report", custom.name, "reference_report") == NEW
	mail.reload()
	assert mail.report == NEW
	assert frappe.get_doc("Auto Email Report", mail.name).get_report_content() is not None


def test_a_lead_counts_as_soon_as_it_is_saved(freeze):
	with freeze("2021-05-05 10:00"):
		lead = make_lead(source="Website")
		frappe.db.commit()
		assert journey.rebuild([lead.name]) == 0
		(row,) = query_report.run(NEW, filters=PERIOD)["result"][:1]
	assert (row["source"], row["leads"]) == ("Website", 1)
