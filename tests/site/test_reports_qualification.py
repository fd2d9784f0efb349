"""The reports on criteria, attributes, overrides and sources count what the reader may see, and nothing twice."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import frappe
import pytest
from frappe.desk import query_report
from frappe.utils import now_datetime

from lead_quality import api
from lead_quality.base.report import figure, percent
from lead_quality.base.routes import days_filter, list_route
from lead_quality.demo.factories import (
	answers,
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_ready,
)
from lead_quality.funnel import journey
from lead_quality.lead_quality.report.stage_conversion import stage_conversion

DAY = "2025-02-03"
# Frappe compares instants as texts, which a whole second does not survive
HOUR = timedelta(hours=1, microseconds=1)
PERIOD = {"from_date": DAY, "to_date": DAY}
CHECKLIST = "BANT v1"
REPORTS = [
	"Definition Use",
	"Criterion Effectiveness",
	"Attributes Held",
	"Gate Overrides",
	"Source Effectiveness",
]


@pytest.fixture
def sales(make_user):
	return make_user("sales@reports.example", "Sales User")


@pytest.fixture
def manager(make_user):
	return make_user("manager@reports.example", "Sales Manager")


@pytest.fixture(autouse=True)
def one_day(freeze):
	with freeze(f"{DAY} 10:00:00") as time:
		yield time


@pytest.fixture
def north(make_user):
	"""A manager who may see the leads of the territory North only."""
	root = frappe.db.get_value("Territory", {"is_group": 1, "parent_territory": ("is", "not set")})
	for territory in ("North", "South"):
		frappe.get_doc(
			{"doctype": "Territory", "territory_name": territory, "parent_territory": root}
		).insert()
	reader = make_user("north@reports.example", "Sales Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Territory", "for_value": "North"}
	).insert()
	return reader


def run(report: str, **filters) -> dict:
	"""The report as the desk runs it, without the total row, which is a list."""
	result = query_report.run(report, filters={**PERIOD, **filters})
	result["rows"] = [row for row in result["result"] if isinstance(row, dict)]
	for row in result["rows"]:
		assert {column["fieldname"] for column in result["columns"]} <= {*row}
	return result


def rows(report: str, **filters) -> list[dict]:
	return run(report, **filters)["rows"]


def by_key(report: str, **filters) -> dict[str, dict]:
	return {row["criterion"]: row for row in rows(report, **filters)}


def sources(**filters) -> list[dict]:
	"""The rows of Source Effectiveness, also of what came past the hooks that its leads' journeys hear of."""
	journey.rebuild()
	return rows("Source Effectiveness", **filters)


def source_row(source: str, **filters) -> dict:
	return next(row for row in sources(**filters) if row["source"] == source)


def histogram(**filters) -> list[tuple]:
	return [(row["raw"], row["handed_over"]) for row in rows("Attributes Held", **filters)]


def hand_over(sales: str, status: str, met: str = "budget,authority,need,timescale", **values):
	"""A lead that was handed over with these criteria met, and what sales answered."""
	lead = make_lead(**values)
	make_sales_ready(lead.name)
	snapshot(api.send_handover(lead.name, sales), status, met)
	return lead


def snapshot(handover, status: str, met: str = "budget,authority,need,timescale", **values):
	keys = [key for key in met.split(",") if key]
	answer = {"Accepted": {"accepted_at": now_datetime()}, "Sent": {}}
	declined = {"decided_at": now_datetime(), "reason": "Return: Too early"}
	handover.db_set(
		{
			"status": status,
			**answer.get(status, declined),
			"checklist": CHECKLIST,
			"met_criteria": met,
			"met_count": len(keys),
			"criteria_count": 4,
			**values,
		}
	)
	return handover


def override(lead, reason: str = "Override: Strategic account"):
	return api.override_gate(lead.name, reason)


def follow(link: str) -> list[str]:
	"""The names that a link to a list shows, or the leads that one to a report does."""
	parts = urlsplit(link)
	values = {key: value[0] for key, value in parse_qs(parts.query).items()}
	_app, where, *rest = unquote(parts.path).strip("/").split("/")
	if where == "query-report":
		return [row["lead"] for row in query_report.run(rest[0], filters=values)["result"]]
	filters = {key: json.loads(value) if value.startswith("[") else value for key, value in values.items()}
	return frappe.get_list(where.replace("-", " ").title(), filters, pluck="name", order_by="name asc")


# Criterion Effectiveness


def test_a_criterion_is_counted_as_met_not_met_or_open():
	for given in (
		answers(),
		answers(authority="Gatekeeper"),
		answers(authority="User", budget=None),
		answers(authority=None, budget=None),
	):
		api.qualify(make_lead().name, given)
	figures = by_key("Criterion Effectiveness", checklist=CHECKLIST)
	counts = {
		key: tuple(row[name] for name in ("answered", "met", "not_met", "open"))
		for key, row in figures.items()
	}
	assert counts == {
		"budget": (2, 2, 0, 2),
		"authority": (3, 1, 2, 1),
		"need": (4, 4, 0, 0),
		"timescale": (4, 4, 0, 0),
	}
	assert figures["authority"]["met_percent"] == pytest.approx(100 / 3)
	assert (figures["authority"]["question"], figures["authority"]["topic"]) == ("Who decides?", "Authority")


def test_a_criterion_answered_by_several_contacts_is_met_once():
	name = api.qualify(make_lead().name, answers(authority="Gatekeeper")).name
	doc = frappe.get_doc("Lead Qualification", name)
	for number, met in enumerate((1, 1, 0)):
		row = frappe.new_doc("Lead Qualification Answer", parent_doc=doc, parentfield="answers")
		row.update({"criterion": "authority", "value": "Influencer", "met": met, "idx": 10 + number})
		row.db_insert()
	authority = by_key("Criterion Effectiveness", checklist=CHECKLIST)["authority"]
	assert (authority["answered"], authority["met"]) == (1, 1)


def test_a_confidential_answer_is_an_answer():
	name = api.qualify(make_lead().name, answers(budget=None)).name
	frappe.db.set_value(
		"Lead Qualification Answer",
		{"parent": name, "criterion": "budget"},
		{"confidential_value": "25000", "met": 1},
	)
	budget = by_key("Criterion Effectiveness", checklist=CHECKLIST)["budget"]
	assert (budget["answered"], budget["met"]) == (1, 1)


def test_an_answer_that_has_expired_counts_as_open(one_day):
	frappe.db.set_value(
		"Qualification Criterion", {"parent": CHECKLIST, "criterion": "need"}, "expires_after_days", 30
	)
	api.qualify(make_lead().name, answers())
	one_day.move_to("2025-03-05 10:00:00")
	assert by_key("Criterion Effectiveness", checklist=CHECKLIST)["need"]["answered"] == 1
	one_day.move_to("2025-03-05 10:00:01")
	need = by_key("Criterion Effectiveness", checklist=CHECKLIST)["need"]
	assert (need["answered"], need["open"]) == (0, 1)


def test_a_criterion_is_held_against_what_sales_declined(sales):
	for status, met in (
		("Accepted", "budget, authority, need"),
		("Accepted", "budget,authority,need"),
		("Rejected", "budget,need"),
		("Returned", "budget,need"),
		("Accepted", "budget,authority"),
		("Rejected", "authority"),
	):
		hand_over(sales, status, met)
	figures = by_key("Criterion Effectiveness", checklist=CHECKLIST)
	authority = figures["authority"]
	assert (authority["handed_met"], authority["declined_met"]) == (4, 1)
	assert (authority["handed_missing"], authority["declined_missing"]) == (2, 2)
	assert (authority["declined_met_percent"], authority["declined_missing_percent"]) == (25, 100)
	assert authority["difference"] == 75
	assert figures["need"]["difference"] == 0


def test_a_criterion_that_every_handover_met_has_no_difference(sales):
	hand_over(sales, "Rejected")
	budget = by_key("Criterion Effectiveness", checklist=CHECKLIST)["budget"]
	assert (budget["handed_missing"], budget["declined_missing_percent"], budget["difference"]) == (
		0,
		None,
		None,
	)
	assert run("Criterion Effectiveness", checklist=CHECKLIST)["chart"] is None


@pytest.mark.parametrize("status", ["Sent", "Pulled Back"])
def test_a_handover_that_sales_has_not_answered_is_in_no_rate(sales, status):
	hand_over(sales, status)
	assert by_key("Criterion Effectiveness", checklist=CHECKLIST)["budget"]["handed_met"] == 0


def test_a_handover_counts_in_the_period_of_its_qualification(sales, one_day):
	lead = make_lead()
	make_sales_ready(lead.name)
	one_day.move_to("2025-04-01 10:00:00")
	snapshot(api.send_handover(lead.name, sales), "Accepted")
	assert by_key("Criterion Effectiveness", checklist=CHECKLIST)["need"]["handed_met"] == 1
	april = {"from_date": "2025-04-01", "to_date": "2025-04-30"}
	assert by_key("Criterion Effectiveness", checklist=CHECKLIST, **april)["need"]["handed_met"] == 0


def test_the_checklist_that_judges_most_leads_is_shown_first():
	other = frappe.copy_doc(frappe.get_doc("Qualification Checklist", CHECKLIST))
	other.update({"title": "Other", "status": "Active", "criteria": other.criteria[:1]})
	other.insert()
	for _number in range(2):
		make_sales_ready(make_lead().name)
	assert len(rows("Criterion Effectiveness")) == 4
	assert len(rows("Criterion Effectiveness", checklist=other.name)) == 1
	assert histogram(checklist=other.name) == [(0, 0), (0, 0)]


# Attributes Held


def test_raw_leads_are_held_against_leads_handed_over(sales):
	make_lead()
	api.qualify(make_lead().name, answers(authority=None, budget=None, timescale_in=None))
	make_sales_ready(make_lead().name)
	hand_over(sales, "Sent")
	hand_over(sales, "Rejected", "budget,need,authority")
	result = run("Attributes Held", checklist=CHECKLIST)
	assert [(row["raw"], row["handed_over"]) for row in result["rows"]] == [
		(1, 0),
		(1, 0),
		(0, 0),
		(0, 1),
		(1, 1),
	]
	assert [row["criteria_met"] for row in result["rows"]] == [0, 1, 2, 3, 4]
	assert result["rows"][4]["raw_percent"] == pytest.approx(100 / 3)
	assert result["rows"][4]["handed_over_percent"] == 50
	assert [item["value"] for item in result["report_summary"]] == [figure(1.7, 1), figure(3.5, 1)]


def test_leads_that_nobody_has_asked_can_be_left_out():
	make_lead()
	make_sales_ready(make_lead().name)
	assert histogram(checklist=CHECKLIST)[0] == (1, 0)
	assert histogram(checklist=CHECKLIST, include_unasked=0) == [(0, 0)] * 4 + [(1, 0)]


def test_a_lead_handed_over_twice_counts_once_with_what_was_known_first(sales, one_day):
	lead = hand_over(sales, "Rejected", "budget,need")
	one_day.move_to("2025-02-10 10:00:00")
	snapshot(api.send_handover(lead.name, sales), "Accepted")
	assert histogram(checklist=CHECKLIST) == [(0, 0), (0, 0), (0, 1), (0, 0), (0, 0)]


# Gate Overrides


def test_overrides_are_counted_per_user_and_reason(make_user, as_user, one_day):
	boss, chief = (make_user(f"{name}@reports.example", "Sales Manager") for name in ("boss", "chief"))
	leads = [make_lead() for _number in range(4)]
	with as_user(boss):
		given = [override(lead) for lead in leads[:2]]
		override(leads[2], "Override: Repeat customer")
	one_day.move_to(f"{DAY} 12:00:00")
	with as_user(chief):
		override(leads[3])
	given[0].db_set({"reference_doctype": "Opportunity", "reference_name": "OPP-1"})
	leads[0].db_set("lq_stage", "sale")
	leads[1].db_set("lq_verdict", "Disqualified")

	counted = ("user", "reason", "overrides", "used", "sales", "disqualified")
	assert [tuple(row[name] for name in counted) for row in rows("Gate Overrides")] == [
		(boss, "Override: Strategic account", 2, 1, 1, 1),
		(boss, "Override: Repeat customer", 1, 0, 0, 0),
		(chief, "Override: Strategic account", 1, 0, 0, 0),
	]
	assert str(rows("Gate Overrides")[2]["last_on"]) == f"{DAY} 12:00:00"
	assert [row["user"] for row in rows("Gate Overrides", user=chief)] == [chief]
	result = run("Gate Overrides")
	assert result["result"][-1][2:6] == [4, 1, 1, 1]
	assert result["chart"]["data"]["datasets"][0]["values"] == [3, 1]


def test_overrides_of_deleted_leads_are_counted_for_who_sees_all_leads(manager, north, as_user):
	kept, gone = make_lead(territory="North"), make_lead(territory="North")
	with as_user(manager):
		override(kept)
		override(gone)
	frappe.delete_doc("Lead", gone.name)
	for user, count in ((manager, 2), (north, 1)):
		with as_user(user):
			(row,) = rows("Gate Overrides")
			assert (row["overrides"], row["sales"], row["disqualified"]) == (count, 0, 0)
			assert len(follow(row["links"]["overrides"])) == count


def test_each_count_of_overrides_leads_to_just_these(manager, as_user):
	leads = [make_lead() for _number in range(3)]
	with as_user(manager):
		given = [override(lead) for lead in leads]
	given[0].db_set({"reference_doctype": "Opportunity", "reference_name": "OPP-1"})
	leads[1].db_set({"lq_stage": "sale", "lq_verdict": "Disqualified"})
	(row,) = rows("Gate Overrides")
	for count, names in (
		("overrides", [doc.name for doc in given]),
		("used", [given[0].name]),
		("sales", [given[1].name]),
		("disqualified", [given[1].name]),
	):
		assert sorted(follow(row["links"][count])) == sorted(names)


# Source Effectiveness: see also test_source_effectiveness


def test_a_source_is_judged_by_its_buyers_its_data_and_what_sales_takes(sales):
	make_lead(source="Fair")
	make_sales_ready(make_lead(source="Fair").name)
	make_lead(source="Fair").db_set("lq_non_buyer", 1)
	for status in ("Sent", "Accepted", "Rejected", "Returned"):
		hand_over(sales, status, source="Fair")
	row = source_row("Fair")
	assert (row["leads"], row["not_buyers"], row["buyers"], row["bad_data"]) == (7, 1, 6, 0)
	assert (row["qualified"], row["handed_over"], row["accepted"], row["declined"]) == (5, 4, 1, 2)
	assert row["not_buyers_percent"] == pytest.approx(100 / 7)
	assert row["qualified_percent"] == pytest.approx(500 / 6)
	assert row["acceptance_percent"] == pytest.approx(100 / 3)


def test_a_lead_that_was_declined_first_and_accepted_then_counts_as_both(sales):
	lead = hand_over(sales, "Rejected", source="Fair")
	snapshot(api.send_handover(lead.name, sales), "Accepted")
	row = source_row("Fair")
	assert (row["handed_over"], row["accepted"], row["declined"]) == (1, 1, 1)
	assert (row["declined_percent"], row["acceptance_percent"]) == (100, 100)


def test_who_is_no_buyer_is_not_counted_as_qualified_or_handed_over(sales):
	hand_over(sales, "Rejected", source="Fair").db_set("lq_non_buyer", 1)
	row = source_row("Fair")
	assert (row["not_buyers"], row["buyers"], row["qualified"], row["declined"]) == (1, 0, 0, 0)
	assert (row["not_buyers_percent"], row["qualified_percent"], row["acceptance_percent"]) == (
		100,
		None,
		None,
	)


def unreachable():
	make_lead(source="List").db_set("email_id", None)


def wrong_number():
	lead = make_lead(source="List", phone="1")
	api.log_touch(lead.name, "Phone", "Wrong Data")
	api.log_touch(lead.name, "Phone", "Wrong Data")


def bounced():
	api.opt_out(make_lead(source="List").name, "Email", "Bounced")


def bounced_before():
	frappe.get_doc(
		{
			"doctype": "Contact Opt Out",
			"channel": "Email",
			"reason": "Bounced",
			"email_id": "gone@lead.example",
		}
	).insert()
	make_lead(source="List", email_id="gone@lead.example")


@pytest.mark.parametrize("make_bad", [unreachable, wrong_number, bounced, bounced_before])
def test_a_lead_that_cannot_be_reached_is_bad_data(make_bad):
	make_bad()
	make_lead(source="List")
	api.opt_out(make_lead(source="List").name, "Email", "Unsubscribed")
	row = source_row("List")
	assert (row["leads"], row["bad_data"]) == (3, 1)
	assert row["bad_data_percent"] == pytest.approx(100 / 3)
	assert len(follow(row["links"]["bad_data"])) == 1


def test_leads_without_a_source_are_a_row_of_their_own():
	make_lead(source=None)
	make_lead(source=None).db_set("company", "Another Ltd")
	make_lead(source="Fair")
	row = source_row("No Source")
	assert row["leads"] == 2
	assert len(follow(row["links"]["leads"])) == len(follow(row["links"]["bad_data"])) + 2 == 2
	row = source_row("No Source", company="Another Ltd")
	assert row["leads"] == len(follow(row["links"]["leads"])) == 1


def test_a_lead_that_was_disabled_is_counted_all_the_same():
	make_lead(source="Fair").db_set("disabled", 1)
	assert source_row("Fair")["leads"] == 1


def test_sources_can_be_narrowed_to_a_segment_and_a_period(one_day):
	make_lead(source="Website")
	one_day.move_to("2025-02-04 00:00:00")
	make_lead(source="Website")
	assert source_row("Website")["leads"] == 1
	assert source_row("Website", to_date="2025-02-04")["leads"] == 2
	assert source_row("Website", segment="Inbound")["leads"] == 1
	assert sources(segment="Referrals") == []


def test_each_count_of_a_source_leads_to_just_these_leads(sales, manager, as_user):
	make_lead(source="Fair & Co")
	make_lead(source="Fair & Co").db_set("lq_non_buyer", 1)
	make_lead(source="Fair & Co").db_set("email_id", None)
	for status in ("Accepted", "Rejected"):
		hand_over(sales, status, source="Fair & Co")
	with as_user(manager):
		row = source_row("Fair & Co")
		counts = {name: len(follow(link)) for name, link in row["links"].items()}
	assert counts == {name: row[name] for name in row["links"]}
	assert counts["leads"] == 5


# all of them


@pytest.mark.parametrize("report", REPORTS)
def test_a_period_without_leads_is_no_error(report):
	result = run(report, from_date="1999-01-01", to_date="1999-01-31")
	for row in result["rows"]:
		assert not any(
			row[column["fieldname"]]
			for column in result["columns"]
			if column["fieldtype"] == "Percent" or column["fieldname"] in {"answered", "raw", "handed_over"}
		)
	assert result["columns"]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_runs_without_any_filter(report):
	make_sales_ready(make_lead().name)
	assert query_report.run(report)["columns"]


@pytest.mark.parametrize("report", ["Criterion Effectiveness", "Attributes Held"])
def test_a_site_without_a_checklist_is_told_what_to_do(report):
	frappe.db.set_value("Qualification Checklist", {"status": "Active"}, "status", "Superseded")
	result = run(report)
	assert result["rows"] == []
	assert "no active checklist" in result["message"]


def test_each_reader_counts_only_leads_that_they_may_see(sales, manager, north, as_user):
	for territory in ("North", "South"):
		make_sales_ready(make_lead(source="Fair", territory=territory).name)
		lead = hand_over(sales, "Rejected", source="Fair", territory=territory)
		override(lead)

	def counts() -> tuple:
		need = by_key("Criterion Effectiveness", checklist=CHECKLIST)["need"]
		return (
			(need["answered"], need["handed_met"]),
			histogram(checklist=CHECKLIST)[4],
			[row["overrides"] for row in rows("Gate Overrides")],
			(source_row("Fair")["leads"], source_row("Fair")["declined"]),
			len(sources(show="Leads")),
		)

	with as_user(manager):
		assert counts() == ((4, 2), (2, 2), [2], (4, 2), 4)
	with as_user(north):
		assert counts() == ((2, 1), (1, 1), [1], (2, 1), 2)
		assert len(follow(rows("Gate Overrides")[0]["links"]["overrides"])) == 1
		assert len(follow(source_row("Fair")["links"]["leads"])) == 2


def test_a_permission_with_a_percent_sign_in_its_name_is_no_error(make_user, as_user):
	frappe.get_doc(
		{"doctype": "Lead Segment", "title": "50% Off", "enabled": 0, "checklist": CHECKLIST}
	).insert()
	reader = make_user("half@reports.example", "Sales Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Lead Segment", "for_value": "50% Off"}
	).insert()
	mine, _other = make_lead(), make_lead()
	mine.db_set("lq_segment", "50% Off")
	make_sales_ready(mine.name)
	override(mine)
	with as_user(reader):
		assert len(sources(show="Leads")) == 1
		assert by_key("Criterion Effectiveness", checklist=CHECKLIST)["need"]["answered"] == 1
		assert len(rows("Gate Overrides")) == 1
		assert stage_conversion.execute(PERIOD)[1][0]["reached"] == 1


@pytest.mark.parametrize("report", REPORTS)
def test_who_has_no_leading_role_does_not_run_these_reports(report, sales, as_user):
	with as_user(sales), pytest.raises(frappe.PermissionError):
		query_report.run(report)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("role", ["Lead Quality Manager", "Sales Manager", "System Manager"])
def test_who_manages_runs_these_reports(report, role, make_user, as_user):
	with as_user(make_user("leading@reports.example", role)):
		assert query_report.run(report, filters=PERIOD)["columns"]


@pytest.mark.parametrize("report", REPORTS)
def test_more_leads_cost_no_more_queries(report, sales, count_queries):
	def work():
		override(hand_over(sales, "Accepted", source="Fair"))

	def queries() -> int:
		with count_queries() as counted:
			run(report)
		return counted.count

	work()
	run(report)
	once = queries()
	for _number in range(3):
		work()
	assert queries() == once


def test_a_share_of_nothing_is_not_zero():
	assert (percent(0, 4), percent(1, 4), percent(0, 0)) == (0, 25, None)


def test_a_link_leaves_out_what_was_not_asked_for():
	assert days_filter() is None
	assert days_filter(DAY) == [">=", DAY]
	assert days_filter(None, DAY) == ["<", "2025-02-04"]
	assert list_route("Lead", company=None, disabled=0) == "/app/lead?disabled=0"


# Stage Conversion


def test_stage_conversion_leaves_out_who_is_no_buyer_unless_asked():
	make_lead()
	make_lead().db_set("lq_non_buyer", 1)
	journey.rebuild()  # as a job does hourly
	assert rows("Stage Conversion")[0]["reached"] == 1
	assert rows("Stage Conversion", include_non_buyers=1)[0]["reached"] == 2


def test_stage_conversion_says_how_many_opportunities_were_quoted_and_called_after_it(one_day):
	_without, before, called = leads = [make_lead() for _number in range(3)]
	for lead in leads:
		make_sales_ready(lead.name)
	api.log_touch(before.name, "Phone", "Connected")
	one_day.tick(HOUR)
	_none, *opportunities = [make_opportunity(lead.name) for lead in leads]
	for opportunity in opportunities:
		make_quotation(opportunity.name)
	one_day.tick(HOUR)
	api.log_touch(called.name, "Phone", "No Answer")
	frappe.db.commit()  # a report is asked for by a request of its own
	figures = {figure["label"]: figure["value"] for figure in run("Stage Conversion")["report_summary"]}
	assert figures["Opportunities with a Quotation"] == "67 %"
	assert figures["Quotations Followed by a Call"] == "50 %"


def test_stage_conversion_without_opportunities_has_no_share_of_quotations():
	make_lead()
	figures = {figure["label"]: figure["value"] for figure in run("Stage Conversion")["report_summary"]}
	assert figures["Opportunities with a Quotation"] == figures["Quotations Followed by a Call"] == "–"


# Definition Use


def uses(user: str | None) -> dict:
	return next(row for row in rows("Definition Use") if row["user"] == user)


def test_the_share_of_a_reps_leads_that_anybody_has_asked_is_counted(sales, manager, as_user):
	ready, asked, own_data, buyer = (make_lead(lead_owner=sales) for _number in range(4))
	make_lead(lead_owner=manager)
	make_lead(lead_owner=sales).db_set("lq_non_buyer", 1)
	make_lead(lead_owner=sales).db_set("disabled", 1)
	make_sales_ready(ready.name)
	api.qualify(asked.name, [{"criterion": "budget", "value": "20000"}])
	# what the lead's own data answer, nobody has asked
	doc = api.qualify(own_data.name, [])
	frappe.db.set_value(
		"Lead Qualification Answer",
		{"parent": doc.name, "criterion": "need"},
		{"value": "Pumps", "answered_by": None},
	)
	row = uses(sales)
	assert (row["leads"], row["asked"], row["not_asked"], row["sales_ready"]) == (4, 2, 2, 1)
	assert (row["asked_percent"], row["sales_ready_percent"]) == (50, 50)
	assert uses(manager)["asked_percent"] == 0
	assert set(follow(row["links"]["asked"])) == {ready.name, asked.name}
	assert set(follow(row["links"]["not_asked"])) == {own_data.name, buyer.name}
	assert follow(row["links"]["sales_ready"]) == [ready.name]


def test_leads_without_owner_are_a_row_of_their_own():
	lead = make_lead()
	lead.db_set("lead_owner", None)
	row = uses(None)
	assert (row["rep"], row["leads"]) == ("Nobody", 1)
	assert follow(row["links"]["leads"]) == [lead.name]


def test_a_manager_counts_only_leads_of_the_own_territory(sales, north, as_user):
	for territory in ("North", "South"):
		make_lead(lead_owner=sales, territory=territory)
	with as_user(north):
		assert uses(sales)["leads"] == 1
