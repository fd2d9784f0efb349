"""Handover Quality: the cry-wolf index, what was handed over without need, what became of it, and what it is worth."""

from urllib.parse import parse_qs, unquote, urlsplit

import frappe
import pytest
from erpnext.setup.utils import get_exchange_rate
from frappe.desk import query_report
from frappe.utils import fmt_money, getdate

from lead_quality import api
from lead_quality.base.currency import rates_into
from lead_quality.base.report import figure
from lead_quality.base.rows import insert_rows
from lead_quality.demo.factories import make_lead, make_sales_ready
from lead_quality.funnel import journey
from lead_quality.lead_quality.report.handover_quality import handover_quality

REPORT = "Handover Quality"
DAY = "2025-02-03"
PERIOD = {"from_date": DAY, "to_date": DAY}
CHECKLIST = "BANT v1"
ALL_MET = "budget,authority,need,timescale"
GROUP_BYS = ["Marketer", "Rep", "Source", "Segment", "Checklist", "Month"]
STATUSES = ("Accepted", "Rejected", "Returned", "Pulled Back", "Sent")


@pytest.fixture(autouse=True)
def time(freeze):
	# browser tests leave handovers behind
	frappe.db.delete("Lead Handover")
	with freeze(f"{DAY} 10:00:00") as clock:
		yield clock


@pytest.fixture
def mia(make_user):
	return make_user("mia@marketing.example", "Lead Quality Manager", last_name="Market")


@pytest.fixture
def rep(make_user):
	return make_user("rep@sales.example", "Sales User", last_name="One")


@pytest.fixture
def other_rep(make_user):
	return make_user("other@sales.example", "Sales User", last_name="Two")


@pytest.fixture
def manager(make_user):
	return make_user("manager@sales.example", "Sales Manager")


@pytest.fixture
def qualifier(make_user):
	return make_user("agency@outside.example", "Lead Qualifier")


def hand_over(to_user: str, status: str = "Sent", lead=None, met: str = ALL_MET, of_lead=None, **values):
	"""A handover that sales has answered so, of a lead of its own unless one is given; `values` are the handover's."""
	lead = lead or make_lead(**(of_lead or {}))
	if lead.get("lq_verdict") != "Sales Ready":
		make_sales_ready(lead.name)
	handover = api.send_handover(lead.name, to_user)
	handover.db_set({"status": status, "met_criteria": met, **values})
	return handover


def enter(lead: str, stage: str, at: str, left_stage: str = "prospect"):
	insert_rows(
		"Lead Stage Log",
		[{"lead": lead, "stage": stage, "left_stage": left_stage, "entered_at": at}],
		at,
	)
	journey.write([lead])


def add_rate(day: str, rate: float, from_currency: str = "CHF", to_currency: str | None = None):
	frappe.get_doc(
		{
			"doctype": "Currency Exchange",
			"date": day,
			"from_currency": from_currency,
			"to_currency": to_currency or currency(),
			"exchange_rate": rate,
			"for_selling": 1,
			"for_buying": 1,
		}
	).insert()


def currency() -> str:
	return frappe.get_cached_value(
		"Company", frappe.defaults.get_global_default("company"), "default_currency"
	)


def run(**filters) -> dict:
	"""The report as the desk runs it."""
	result = query_report.run(REPORT, filters={**PERIOD, **filters})
	for row in result["result"]:
		assert {column["fieldname"] for column in result["columns"]} <= {*row}
	return result


def by_group(**filters) -> dict[str, dict]:
	return {row["group_name"]: row for row in run(**filters)["result"]}


def only(**filters) -> dict:
	(row,) = run(**filters)["result"]
	return row


def follow(link: str) -> list[str]:
	"""The handovers that a link shows."""
	parts = urlsplit(link)
	filters = {key: value[0] for key, value in parse_qs(parts.query).items()}
	assert unquote(parts.path).endswith(REPORT)
	return [row["handover"] for row in query_report.run(REPORT, filters=filters)["result"]]


# the cry-wolf index


def test_a_marketer_cries_wolf_with_what_sales_rejects_or_returns(mia, rep, as_user):
	with as_user(mia):
		for status in STATUSES:
			hand_over(rep, status)
	hand_over(rep, "Accepted")
	rows = by_group()
	assert {*rows} == {mia, "Administrator"}
	row = rows[mia]
	assert [
		row[name]
		for name in ("handed_over", "accepted", "rejected", "returned", "pulled_back", "waiting", "decided")
	] == [5, 1, 1, 1, 1, 1, 3]
	# what waits or was pulled back is handed over, but is no cry of wolf and no decision
	assert row["cry_wolf_percent"] == 40
	assert row["acceptance_percent"] == pytest.approx(100 / 3)
	assert (row["group"], row["user"]) == ("Mia Market", mia)
	assert rows["Administrator"]["cry_wolf_percent"] == 0


def test_the_index_is_shown_for_each_rep_source_and_segment(rep, other_rep):
	hand_over(rep, "Rejected", of_lead={"source": "Fair"})
	hand_over(rep, "Accepted", of_lead={"source": "Website"})
	hand_over(other_rep, "Returned", of_lead={"source": None})

	def told(group_by: str) -> dict:
		return {
			row["group"]: (row["handed_over"], row["cry_wolf_percent"])
			for row in run(group_by=group_by)["result"]
		}

	assert told("Rep") == {"Rep One": (2, 50), "Other Two": (1, 100)}
	assert told("Source") == {"Fair": (1, 100), "Website": (1, 0), "No Source": (1, 100)}
	assert sum(count for count, _share in told("Segment").values()) == 3


def test_the_trend_shows_the_index_and_the_handovers_of_each_month_even_of_one_without_any(rep, time):
	hand_over(rep, "Rejected")
	hand_over(rep, "Accepted")
	time.move_to("2025-04-07 10:00:00")
	hand_over(rep, "Accepted")
	result = run(to_date="2025-04-30")
	assert result["chart"]["data"] == {
		"labels": ["Feb 2025 (2)", "Mar 2025 (0)", "Apr 2025 (1)"],
		"datasets": [{"name": "Cry Wolf %", "values": [50, 0, 0]}],
	}
	months = run(group_by="Month", to_date="2025-04-30")["result"]
	assert [(row["group"], row["cry_wolf_percent"]) for row in months] == [("Feb 2025", 50), ("Apr 2025", 0)]


def test_the_trend_goes_on_over_the_turn_of_the_year(rep, time):
	time.move_to("2024-12-30 10:00:00")
	hand_over(rep)
	time.move_to("2025-01-06 10:00:00")
	hand_over(rep)
	labels = run(from_date="2024-12-01")["chart"]["data"]["labels"]
	assert labels == ["Dec 2024 (1)", "Jan 2025 (1)"]


def test_a_definition_is_compared_before_and_after_in_the_order_of_its_versions(rep):
	checklist = frappe.get_doc("Qualification Checklist", CHECKLIST)
	names = [CHECKLIST]
	for version in (2, 10):
		newer = frappe.copy_doc(checklist)
		newer.update({"title": checklist.title, "version": version, "status": "Draft"})
		names.append(newer.insert().name)
	for name, status in zip(reversed(names), ("Accepted", "Rejected", "Returned"), strict=True):
		hand_over(rep, status, checklist=name)
	frappe.db.set_value("Lead Handover", hand_over(rep, "Accepted").name, "checklist", None)
	result = run(group_by="Checklist")
	assert [row["group_name"] for row in result["result"]] == [*names, None]
	assert [row["cry_wolf_percent"] for row in result["result"]] == [100, 100, 0, 0]
	assert result["chart"]["data"]["labels"] == [*(f"{name} (1)" for name in names), "No Checklist (1)"]
	assert result["chart"]["data"]["datasets"][0]["values"] == [100, 100, 0, 0]


def test_a_handover_returned_after_it_was_accepted_counts_as_returned(rep, as_user):
	lead = make_lead()
	make_sales_ready(lead.name)
	handover = api.send_handover(lead.name, rep)
	reason = frappe.db.get_value("Lead Outcome Reason", {"applies_to": "Return"})
	with as_user(rep):
		api.accept_handover(handover.name)
		assert only_counts(rep) == (1, 1, 0)
		api.return_handover(handover.name, reason)
	assert only_counts(rep) == (1, 0, 1)


def only_counts(rep: str) -> tuple:
	filters = frappe._dict(PERIOD, group_by="Rep")
	(row,) = handover_quality.execute(filters)[1]
	return row["handed_over"], row["accepted"], row["returned"]


def test_a_lead_handed_over_twice_counts_twice(rep, time):
	lead = make_lead()
	hand_over(rep, "Rejected", lead)
	time.move_to(f"{DAY} 12:00:00")
	hand_over(rep, "Accepted", lead)
	row = only()
	assert (row["handed_over"], row["accepted"], row["rejected"], row["cry_wolf_percent"]) == (2, 1, 1, 50)


def test_a_draft_was_not_handed_over(rep):
	hand_over(rep, "Draft")
	assert run()["result"] == []


# handed over without need


def test_what_is_handed_over_without_need_is_counted_unless_something_else_is_chosen(rep):
	hand_over(rep, "Accepted")
	hand_over(rep, "Accepted", met="budget, need")
	hand_over(rep, "Rejected", met="budget,authority")
	hand_over(rep, "Rejected", met="needless")
	row = only()
	assert (row["without"], row["without_percent"]) == (2, 50)
	columns = {column["fieldname"]: column["label"] for column in run()["columns"]}
	assert (columns["without"], columns["without_percent"]) == ("Without Need", "Without Need %")
	assert only(criterion="authority")["without"] == 2
	assert "Without Authority" in {column["label"] for column in run(criterion="authority")["columns"]}


def test_where_need_is_mandatory_nothing_is_handed_over_without_it(rep):
	frappe.db.set_value("Qualification Criterion", {"parent": CHECKLIST, "criterion": "need"}, "mandatory", 1)
	lead = make_lead()
	make_sales_ready(lead.name)
	api.send_handover(lead.name, rep)
	assert (only()["without"], only()["without_percent"]) == (0, 0)


def test_a_checklist_that_does_not_ask_for_the_criterion_does_not_count(rep):
	other = frappe.copy_doc(frappe.get_doc("Qualification Checklist", CHECKLIST))
	other.update({"title": "Short", "status": "Active"})
	other.criteria = [row for row in other.criteria if row.criterion == "budget"]
	other.insert()
	hand_over(rep, "Accepted", checklist=other.name, met="budget")
	assert "without" not in {column["fieldname"] for column in run()["columns"]}
	hand_over(rep, "Accepted", met="budget")
	rows = by_group(group_by="Checklist")
	assert (rows[other.name]["without"], rows[other.name]["without_percent"]) == (None, None)
	assert (rows[CHECKLIST]["without"], rows[CHECKLIST]["without_percent"]) == (1, 100)
	assert (only()["without"], only()["asked"], only()["without_percent"]) == (1, 1, 100)


def test_the_criteria_to_choose_from_are_those_of_checklists_that_leads_were_handed_over_with(
	rep, make_user, as_user
):
	assert handover_quality.get_criteria() == []
	hand_over(rep)
	assert [row["value"] for row in handover_quality.get_criteria()] == ALL_MET.split(",")
	with as_user(make_user("stock@elsewhere.example", "Stock User")), pytest.raises(frappe.PermissionError):
		handover_quality.get_criteria()


def test_a_criterion_that_no_checklist_knows_is_missed_by_nobody_and_brings_no_markup(rep):
	hand_over(rep, met="budget")
	result = run(criterion="<b>x</b>")
	assert (result["result"][0]["without"], result["result"][0]["without_percent"]) == (None, None)
	assert "<b>x" not in frappe.as_json([result["columns"], result["message"]])


def test_handovers_of_a_deleted_checklist_are_counted_by_its_name_and_ask_for_nothing(rep):
	hand_over(rep, "Rejected", checklist="Gone v1", met="budget")
	hand_over(rep, "Accepted")
	row = by_group(group_by="Checklist")["Gone v1"]
	assert (row["handed_over"], row["cry_wolf_percent"], row["without"]) == (1, 100, None)
	assert [row["group"] for row in run(group_by="Checklist")["result"]] == [CHECKLIST, "Gone v1"]
	assert len(follow(row["links"]["rejected"])) == 1


# what became of it


def test_what_became_an_opportunity_or_a_sale_after_it_was_handed_over_is_counted(rep):
	before, opened, sold, straight = (hand_over(rep, "Accepted") for _number in range(4))
	enter(before.lead, "opportunity", f"{DAY} 09:59:59")
	enter(opened.lead, "opportunity", f"{DAY} 10:00:00")
	enter(sold.lead, "opportunity", "2025-03-03 10:00:00")
	enter(sold.lead, "sale", "2025-04-03 10:00:00", "opportunity")
	enter(straight.lead, "sale", "2025-04-03 10:00:00")
	row = only()
	assert (row["became_opportunity"], row["became_sale"]) == (3, 2)
	assert set(follow(row["links"]["became_sale"])) == {sold.name, straight.name}


def test_a_step_back_is_no_new_opportunity(rep, time):
	lead = make_lead()
	enter(lead.name, "opportunity", f"{DAY} 10:30:00")
	enter(lead.name, "sale", f"{DAY} 11:00:00", "opportunity")
	time.move_to(f"{DAY} 12:00:00")
	hand_over(rep, "Accepted", lead)
	enter(lead.name, "opportunity", "2025-03-02 10:00:00", "sale")
	row = only()
	assert (row["became_opportunity"], row["became_sale"]) == (0, 0)


def test_what_was_taken_back_is_no_merit(rep):
	"""An order was cancelled, and the log says so in a row; an opportunity was none, and a row corrects the one that said so."""
	cancelled, corrected = (hand_over(rep, "Accepted").lead for _number in range(2))
	enter(cancelled, "opportunity", "2025-03-02 10:00:00")
	enter(cancelled, "sale", "2025-03-03 10:00:00", "opportunity")
	enter(cancelled, "opportunity", "2025-03-04 10:00:00", "sale")
	enter(corrected, "opportunity", "2025-03-02 10:00:00")
	wrong = frappe.db.get_value("Lead Stage Log", {"lead": corrected, "stage": "opportunity"})
	row = {"lead": corrected, "stage": "prospect", "left_stage": "opportunity", "corrects": wrong}
	insert_rows("Lead Stage Log", [{**row, "entered_at": "2025-03-05 10:00:00"}], "2025-03-05 10:00:00")
	journey.write([corrected])
	row = only()
	assert (row["became_opportunity"], row["became_sale"]) == (1, 0)


def test_a_sale_is_the_merit_of_the_latest_handover_before_it(rep, other_rep, time):
	lead = make_lead()
	hand_over(rep, "Rejected", lead)
	time.move_to(f"{DAY} 12:00:00")
	hand_over(other_rep, "Accepted", lead)
	enter(lead.name, "sale", "2025-03-03 10:00:00")
	rows = by_group(group_by="Rep")
	assert (rows[rep]["became_sale"], rows[other_rep]["became_sale"]) == (0, 1)


# value


def test_the_accepted_value_is_the_sum_of_accepted_ones_only(rep):
	hand_over(rep, "Accepted", expected_value=1000)
	hand_over(rep, "Accepted", expected_value=500)
	hand_over(rep, "Returned", expected_value=70_000)
	hand_over(rep, "Sent", expected_value=9_000)
	row = only()
	assert (row["accepted_value"], row["currency"]) == (1500, currency())
	assert "Currency Exchange" not in run()["message"]


def test_amounts_are_converted_by_the_rate_of_the_day_they_were_sent(rep, time):
	add_rate("2025-02-01", 2)
	add_rate("2025-02-04", 3)
	hand_over(rep, "Accepted", expected_value=100, currency="CHF")
	time.move_to("2025-02-05 10:00:00")
	hand_over(rep, "Accepted", expected_value=100, currency="CHF")
	hand_over(rep, "Accepted", expected_value=10)
	assert only(to_date="2025-02-05")["accepted_value"] == 200 + 300 + 10


def test_an_amount_without_a_rate_is_left_out_and_said_so(rep):
	add_rate("2025-02-04", 3)
	hand_over(rep, "Accepted", expected_value=100, currency="CHF")
	hand_over(rep, "Rejected", expected_value=100, currency="SEK")
	result = run()
	assert result["result"][0]["accepted_value"] is None
	assert result["report_summary"][3]["value"] == "–"
	assert "excludes <strong>1</strong> handovers" in result["message"]
	assert "CHF" in result["message"]
	assert "SEK" not in result["message"]
	hand_over(rep, "Accepted", expected_value=50)
	result = run()
	assert result["result"][0]["accepted_value"] == 50
	assert "excludes" in result["message"]


def test_a_handover_of_no_value_needs_no_rate(rep):
	hand_over(rep, "Accepted", expected_value=0, currency="CHF")
	assert only()["accepted_value"] == 0
	assert "excludes" not in run()["message"]


def test_a_rate_is_the_one_that_erpnext_picks(rep):
	add_rate("2025-01-20", 2)
	add_rate("2025-02-01", 3)
	frappe.db.set_single_value("Currency Exchange Settings", "disabled", 1)
	frappe.clear_document_cache("Currency Exchange Settings")
	for allow_stale in (1, 0):
		frappe.db.set_single_value("Accounts Settings", {"allow_stale": allow_stale, "stale_days": 5})
		frappe.clear_document_cache("Accounts Settings")
		rate = rates_into(currency())
		for day in ("2025-01-19", "2025-01-20", "2025-01-24", "2025-01-25", "2025-02-01", "2025-02-28"):
			assert (rate("CHF", getdate(day)) or 0) == get_exchange_rate("CHF", currency(), day), day


def test_the_value_is_in_the_currency_of_the_company_that_is_chosen(rep):
	frappe.get_doc(
		{
			"doctype": "Company",
			"company_name": "Swiss Ltd",
			"abbr": "SW",
			"default_currency": "CHF",
			"country": "Switzerland",
		}
	).db_insert()
	handover = hand_over(rep, "Accepted", expected_value=100, currency="CHF")
	frappe.db.set_value("Lead", handover.lead, "company", "Swiss Ltd")
	hand_over(rep, "Accepted", expected_value=100)
	row = only(company="Swiss Ltd")
	assert (row["handed_over"], row["accepted_value"], row["currency"]) == (1, 100, "CHF")


# what the manager reads


def test_the_figures_on_top_sum_up_all_groups(rep, other_rep):
	hand_over(rep, "Accepted", expected_value=1000)
	hand_over(other_rep, "Rejected")
	hand_over(other_rep)
	values = [item["value"] for item in run()["report_summary"]]
	assert values == ["3", f"{figure(100 / 3, 1)} %", f"{figure(50, 1)} %", fmt_money(1000, 0, currency())]


def test_each_share_comes_with_the_number_of_cases_by_which_small_samples_are_marked(rep):
	hand_over(rep, "Accepted")
	script = query_report.get_script(REPORT)["script"]
	row = only()
	for share, base in (
		("cry_wolf_percent", "handed_over"),
		("acceptance_percent", "decided"),
		("without_percent", "asked"),
	):
		assert f'{share}: ["{base}"]' in script
		assert row[base] == 1
	assert "minimum()," in script


@pytest.mark.parametrize("group_by", GROUP_BYS)
def test_a_period_without_handovers_says_so(group_by):
	result = run(group_by=group_by)
	assert (result["result"], result["chart"]) == ([], None)
	assert "Nothing was handed over" in result["message"]
	assert [item["value"] for item in result["report_summary"]][:3] == ["0", "–", "–"]


def test_a_report_runs_without_any_filter(rep):
	hand_over(rep)
	assert query_report.run(REPORT)["result"]


def test_the_period_is_that_of_the_sending_both_days_included(rep, time):
	for instant in (
		"2025-02-02 23:59:59",
		"2025-02-03 00:00:00",
		"2025-02-04 23:59:59",
		"2025-02-05 00:00:00",
	):
		time.move_to(instant)
		hand_over(rep)
	assert only(to_date="2025-02-04")["handed_over"] == 2


@pytest.mark.parametrize("group_by", GROUP_BYS)
def test_each_count_opens_exactly_its_handovers(group_by, mia, rep, other_rep, as_user, time):
	with as_user(mia):
		for status in STATUSES:
			hand_over(rep, status, of_lead={"source": "Fair & Co"}, met="budget")
	time.move_to(f"{DAY} 12:00:00")
	first = hand_over(other_rep, "Accepted", of_lead={"source": None})
	second = hand_over(other_rep, "Rejected", of_lead={"source": "50% Off"}, checklist=None)
	frappe.db.set_value("Lead", first.lead, "lq_segment", None)
	enter(first.lead, "sale", "2025-03-03 10:00:00")
	enter(second.lead, "opportunity", "2025-03-03 10:00:00")
	rows = run(group_by=group_by)["result"]
	assert sum(row["handed_over"] for row in rows) == 7
	for row in rows:
		for count, link in row["links"].items():
			assert len(follow(link)) == (row[count] or 0), (row["group"], count)


def test_the_rows_say_of_each_handover_what_is_counted(rep):
	handover = hand_over(rep, "Accepted", met="budget", expected_value=20, currency="CHF")
	enter(handover.lead, "opportunity", "2025-03-03 10:00:00")
	(row,) = run(show="Handovers")["result"]
	assert (row["handover"], row["lead"], row["title"]) == (handover.name, handover.lead, handover.lead_name)
	assert (row["status_label"], row["is_without"]) == ("Accepted", "Yes")
	assert (row["became_opportunity"], row["became_sale"]) == (1, 0)
	assert (row["expected_value"], row["currency"]) == (20, "CHF")


@pytest.mark.parametrize("group_by", GROUP_BYS)
def test_more_handovers_cost_no_more_queries(group_by, rep, count_queries):
	add_rate("2025-02-01", 2)

	def queries() -> int:
		with count_queries() as counted:
			run(group_by=group_by)
		return counted.count

	hand_over(rep, "Accepted", expected_value=10, currency="CHF")
	run(group_by=group_by)
	once = queries()
	for status in STATUSES:
		hand_over(rep, status, expected_value=10, currency="CHF")
	assert queries() == once


# who sees what


def test_who_may_see_leads_of_one_company_only_counts_only_these(rep, mia, make_user, as_user):
	company = frappe.defaults.get_global_default("company")
	reader = make_user("reader@sales.example", "Sales Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Company", "for_value": company}
	).insert()
	with as_user(mia):
		mine = hand_over(rep, "Rejected")
		other = hand_over(rep, "Rejected")
	frappe.db.set_value("Lead", other.lead, "company", "Another Ltd")
	assert only()["handed_over"] == 2
	with as_user(reader):
		row = only()
		assert row["handed_over"] == 1
		assert follow(row["links"]["rejected"]) == [mine.name]
		listed = frappe.get_list("Lead Handover", pluck="name")
		assert listed == [mine.name]


def test_an_outside_qualifier_who_is_given_the_report_counts_own_leads_and_what_they_sent(
	rep, qualifier, as_user
):
	own = hand_over(rep, "Rejected", of_lead={"lead_owner": qualifier})
	hand_over(rep, "Accepted")
	sent = hand_over(rep, "Returned", from_user=qualifier)
	with as_user(qualifier):
		filters = {**PERIOD, "show": "Handovers"}
		seen = {row["handover"] for row in handover_quality.execute(filters)[1]}
		assert seen == {own.name, sent.name} == set(frappe.get_list("Lead Handover", pluck="name"))
		rows = handover_quality.execute(PERIOD)[1]
		assert sum(row["handed_over"] for row in rows) == 2
		assert sum(row["accepted"] for row in rows) == 0


@pytest.mark.parametrize("role", ["Sales User", "Lead Qualifier"])
def test_who_has_no_leading_role_does_not_run_the_report(role, make_user, as_user):
	with as_user(make_user("someone@sales.example", role)), pytest.raises(frappe.PermissionError):
		query_report.run(REPORT)


@pytest.mark.parametrize("role", ["Lead Quality Manager", "Sales Manager", "System Manager"])
def test_who_manages_runs_the_report(role, make_user, as_user):
	with as_user(make_user("leading@sales.example", role)):
		assert query_report.run(REPORT, filters=PERIOD)["columns"]


def test_handovers_of_a_deleted_lead_are_counted_without_a_name(rep):
	hand_over(rep, "Accepted")
	gone = hand_over(rep, "Rejected")
	frappe.delete_doc("Lead", gone.lead)
	result = run()
	assert (result["result"][0]["handed_over"], result["result"][0]["rejected"]) == (2, 1)
	assert gone.lead not in str(result) and gone.name not in str(run(show="Handovers"))


def test_both_menus_lead_to_the_report():
	workspace = frappe.get_doc("Workspace", "Lead Quality")
	links = [link for link in workspace.links if link.link_to == REPORT]
	assert [(link.link_type, link.is_query_report) for link in links] == [("Report", 1)]
	card = next(link for link in workspace.links if link.label == "Reports")
	after = workspace.links[card.idx : card.idx + card.link_count]
	assert all(link.type == "Link" for link in after)
	assert REPORT in {link.link_to for link in after}
