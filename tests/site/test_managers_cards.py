"""The manager's dashboard: each figure on a card equals the rows that a click on it opens, to every role, in the
company's currency; its charts count what the reports count."""

import re

import frappe
import pytest
from frappe.desk import query_report
from frappe.desk.doctype.dashboard.dashboard import get_permitted_cards, get_permitted_charts
from frappe.desk.doctype.dashboard_chart_source.dashboard_chart_source import get_config
from frappe.utils import add_to_date, now_datetime

from lead_quality import api
from lead_quality.base.currency import company_currency
from lead_quality.base.report import nearest_rank
from lead_quality.demo.factories import make_lead, make_opportunity, make_sales_ready, make_source
from lead_quality.desk import cards
from lead_quality.funnel import journey
from lead_quality.lead_quality.report.qualified_leads.qualified_leads import QualifiedLeads
from tests.site.helpers import company
from tests.site.test_number_cards import as_list_filters

CAME_IN, TODAY = "2026-02-02 10:00:00", "2026-04-10 10:30:00"
NAMES = [
	"Biggest leak",
	"First response, median",
	"Money that nobody pursues",
	"Money waiting in handover",
	"Qualified leads pursued, %",
	"Qualified leads, %",
	"Wasted leads, %",
]
SHARES = {
	"qualified_leads": ("qualified", "leads"),
	"qualified_leads_pursued": ("pursued", "judged"),
	"wasted_leads": ("wasted", "leads"),
}
ROLES = ["Sales User", "Lead Qualifier", "Sales Manager", "Lead Quality Manager", "System Manager"]
# of the company's other currency a rate is known; of the third none is
RATE, OTHER, UNKNOWN = 2.0, "CHF", "JPY"


def text(card: dict) -> str:
	"""What the desk shows: it takes the text out of the markup."""
	return re.fullmatch(r"<span>(.*)</span>", card["value"])[1]


def rows_behind(card: dict, **filters) -> list:
	"""What a click on a card opens, or would with another filter."""
	if card["route"][0] == "query-report":
		opened = query_report.run(card["route"][1], filters={**card["route_options"], **filters})
		return [row for row in opened["result"] if isinstance(row, dict)]
	return frappe.get_list(
		card["route"][1],
		filters=list(as_list_filters(card["route_options"])),
		fields=["name"],
		limit_page_length=0,
	)


@pytest.fixture
def seller(make_user):
	return make_user("seller@dashboard.example", "Sales User")


@pytest.fixture
def crowd(freeze, seller):
	"""`crowd(user)`: leads of every kind, every second one the user's: raw, qualified, handed over, pursued, closed."""

	def make(user: str):
		leads = []
		frappe.db.set_single_value("Lead Quality Settings", "enroll_new_leads", 0)
		frappe.clear_document_cache("Lead Quality Settings", "Lead Quality Settings")
		with freeze(CAME_IN):
			for number in range(14):
				leads.append(
					make_lead(lead_owner=(user, seller)[number % 2], last_name=f"Crowd {number}").name
				)
			for lead in leads[:10]:
				make_sales_ready(lead)
			none = make_lead(lead_owner=user, last_name="No Buyer").name
		with freeze("2026-02-03 10:00:00"):
			for lead, value, currency in zip(
				leads[:8],
				(1_000, 2_000, 400, 800, 0, 0, 70, 90),
				(None, None, OTHER, OTHER, None, None, UNKNOWN, UNKNOWN),
				strict=True,
			):
				api.send_handover(lead, seller, expected_value=value, currency=currency)
		# sales has agreed to answer within a working day
		with freeze("2026-02-03 16:00:00"):
			for lead in leads[4:6]:
				api.log_touch(lead, "Phone", "Connected")
			make_opportunity(leads[6])
			make_opportunity(leads[7])
			for lead in leads[8:10]:
				api.qualify(lead, decision="Disqualified", outcome_reason="Disqualify: Too small for us")
			for lead in leads[10:12]:
				api.log_touch(lead, "Phone", "No Answer")
		frappe.get_doc(
			{
				"doctype": "Currency Exchange",
				"date": "2026-01-20",
				"from_currency": OTHER,
				"to_currency": company_currency(None),
				"exchange_rate": RATE,
				"for_selling": 1,
				"for_buying": 1,
			}
		).insert()
		frappe.db.set_value("Lead", none, "lq_non_buyer", 1)
		journey.rebuild([none])
		return leads

	return make


def test_the_dashboard_shows_these_cards_to_who_reads_leads(make_user, as_user):
	with as_user(make_user("mona@dashboard.example", "Sales Manager")):
		shown = get_permitted_cards("Lead Quality")
		charts = get_permitted_charts("Lead Quality")
	assert sorted(row.card for row in shown) == NAMES
	assert len(charts) == 3


def test_the_workspace_leads_to_the_dashboard():
	links = [
		row.link_to
		for row in frappe.get_doc("Workspace", "Lead Quality").shortcuts
		if row.type == "Dashboard"
	]
	assert links == ["Lead Quality"]


@pytest.mark.parametrize("role", ROLES)
def test_each_figure_equals_the_rows_behind_it(role, crowd, freeze, make_user, as_user):
	user = make_user(f"{frappe.scrub(role)}@dashboard.example", role)
	crowd(user)
	with freeze(TODAY), as_user(user):
		for name, (part, whole) in SHARES.items():
			card = getattr(cards, name)()
			assert card["counted"] == len(rows_behind(card)) > 0, name
			assert card["figure"] == card["counted"] / card["of"] * 100
			if card["route"][0] == "query-report":
				assert card["route_options"]["count"] == part
				assert card["of"] == len(rows_behind(card, count=whole))
		waiting = cards.money_in_handover()
		handovers = [frappe.get_doc("Lead Handover", row.name) for row in rows_behind(waiting)]
		assert {row.status for row in handovers} == {"Sent"}
		rates = {company_currency(None): 1, OTHER: RATE, UNKNOWN: 0}
		assert waiting["figure"] == sum(row.expected_value * rates[row.currency] for row in handovers) > 0
		assert f"+ {sum(row.currency == UNKNOWN for row in handovers)} without a rate" in text(waiting)
		unpursued = cards.money_not_pursued()
		leads = {row.get("lead") or row.name for row in rows_behind(unpursued)}
		assert unpursued["figure"] == sum(
			row.expected_value * rates[row.currency] for row in handovers if row.lead in leads
		)
		first = cards.first_response()
		answered = {row.get("lead") or row.name for row in rows_behind(first)}
		seconds = frappe.get_all(
			"Lead Journey", {"name": ["in", list(answered)]}, pluck="first_touch_working_seconds"
		)
		assert first["figure"] == nearest_rank(seconds, 50) > 0


def test_the_figures_are_those_of_the_definitions(crowd, freeze, make_user, as_user):
	leads = crowd(make_user("mona@dashboard.example", "Sales Manager"))
	with freeze(TODAY), as_user("mona@dashboard.example"):
		figures = {name: getattr(cards, name)() for name in SHARES}
		# who is no buyer counts as wasted only
		assert [(card["counted"], card["of"]) for card in figures.values()] == [(10, 14), (4, 10), (7, 15)]
		assert text(figures["qualified_leads"]) == "71.4 % of 14"
		# who is closed is not pursued, but nobody is to care for him any more
		unpursued = {row["lead"] for row in rows_behind(cards.money_not_pursued())}
		assert unpursued == set(leads[:4])
		assert cards.money_not_pursued()["figure"] == 1_000 + 2_000 + (400 + 800) * RATE
		(row,) = QualifiedLeads().rows()
		assert (row["not_pursued"], row["closed"], row["value"]) == (4, 2, 5_400)


def test_who_is_in_touch_after_the_agreed_time_has_not_pursued_in_time(
	crowd, freeze, make_user, as_user, seller
):
	user = make_user("mona@dashboard.example", "Sales Manager")
	leads = crowd(user)
	with freeze("2026-02-03 10:30:00"):
		for lead in leads[:2]:
			api.accept_handover(frappe.db.get_value("Lead Handover", {"lead": lead}))
	(due,) = set(
		frappe.get_all(
			"Follow Up Clock",
			{"lead": ["in", leads[:2]], "clock": "First Touch After Acceptance"},
			pluck="due_at",
		)
	)
	# two have accepted, one in time; of two nobody has answered; two were disqualified without a handover
	for lead, at in (
		(leads[0], due),
		(leads[1], add_to_date(due, seconds=1)),
		(leads[2], "2026-02-20 10:00:00"),
	):
		with freeze(at):
			api.log_touch(lead, "Phone", "No Answer")
			frappe.db.commit()
	with freeze(TODAY), as_user(user):
		(row,) = QualifiedLeads().rows()
		assert [row[name] for name in ("qualified", "pursued", "late", "not_pursued", "closed")] == [
			10, 5, 2, 1, 2,
		]  # fmt: skip
		card = cards.qualified_leads_pursued()
		assert (card["counted"], card["of"]) == (5, 10)
		late = {row["lead"]: row["pursue_by"] for row in rows_behind(card, count="late")}
		assert set(late) == {leads[1], leads[2]}
		assert late[leads[1]] == due


OPEN_OR_NOT = ("qualified", "pursued", "late", "open", "not_pursued", "closed")


def test_a_qualified_lead_is_not_judged_before_its_agreed_time_is_over(freeze, make_user, as_user, seller):
	"""Without a handover the next contact is what is agreed; with one, the answer of sales, then its first touch."""
	user = make_user("mona@dashboard.example", "Sales Manager")
	frappe.db.set_single_value("Lead Quality Settings", "enroll_new_leads", 0)
	frappe.clear_document_cache("Lead Quality Settings", "Lead Quality Settings")
	source = make_source("Time Still Runs")
	with freeze("2027-02-02 10:00:00"):
		untouched, called, handed_over, no_agreement = (
			make_lead(source=source, last_name=f"Still {nth}").name for nth in range(4)
		)
		frappe.db.delete("Follow Up Clock", {"lead": no_agreement})
		for lead in (untouched, called, handed_over, no_agreement):
			make_sales_ready(lead)
		api.send_handover(handed_over, seller)
		frappe.db.commit()
	first = "First Response"
	due = frappe.db.get_value("Follow Up Clock", {"lead": untouched, "clock": first}, "due_at")
	answer_by = frappe.db.get_value(
		"Follow Up Clock", {"lead": handed_over, "clock": "Handover Acceptance"}, "due_at"
	)

	def shown(at) -> tuple:
		with freeze(at), as_user(user):
			report = QualifiedLeads({"from_date": "2027-02-02", "to_date": "2027-02-02", "source": source})
			(row,) = report.rows()
			for name in OPEN_OR_NOT:
				filters = {**report.filters, "show": "Leads", "count": name}
				assert len(QualifiedLeads(filters).page()[0]) == row[name], name
			return [row[name] for name in OPEN_OR_NOT], row["pursued_percent"], row["without_value"]

	# of the one without any clock nothing is agreed: nobody has been in touch with it
	assert shown("2027-02-02 10:00:01") == ([4, 0, 0, 3, 1, 0], 0, 1)
	with freeze(due):
		api.log_touch(called, "Phone", "No Answer")
		frappe.db.commit()
	assert shown(add_to_date(due, seconds=-1)) == ([4, 1, 0, 2, 1, 0], 50, 1)
	assert shown(due)[0] == [4, 1, 0, 1, 2, 0]
	assert answer_by > due
	assert shown(answer_by)[0] == [4, 1, 0, 0, 3, 0]
	with freeze(add_to_date(answer_by, days=9)):
		for lead in (untouched, handed_over, no_agreement):
			api.log_touch(lead, "Phone", "No Answer")
		frappe.db.commit()
	# where nothing is agreed, any time counts
	assert shown(add_to_date(answer_by, days=9, seconds=1)) == ([4, 2, 2, 0, 0, 0], 50, 0)


def test_a_lead_that_was_not_handed_over_is_worth_the_median_of_what_was_won_like_it(
	freeze, make_user, as_user
):
	user = make_user("mona@dashboard.example", "Sales Manager")
	frappe.db.set_single_value("Lead Quality Settings", "enroll_new_leads", 0)
	frappe.clear_document_cache("Lead Quality Settings", "Lead Quality Settings")
	alike, other = make_source("Like Won"), make_source("Never Won")
	with freeze("2027-02-02 10:00:00"):
		for value in (300, 500, 9_000):
			won = make_lead(source=alike)
			make_sales_ready(won.name)
			frappe.db.commit()
			values = {"stage": "sale", "sale_at": now_datetime(), "company_value": value}
			frappe.db.set_value("Lead Journey", won.name, {**values, "segment": "Won"})
		for source in (alike, alike, other):
			lead = make_lead(source=source)
			make_sales_ready(lead.name)
			frappe.db.commit()
			if source == other:
				frappe.db.set_value("Lead Journey", lead.name, "segment", None)
	with freeze("2027-04-10 10:30:00"), as_user(user):
		rows = {
			row["group"]: row
			for row in QualifiedLeads({**QualifiedLeads.defaults(), "group_by": "Source"}).rows()
		}
		told = ("not_pursued", "value", "estimate", "estimated", "won", "without_value")
		assert [rows[alike][name] for name in told] == [2, 0, 1_000, 2, 3, 0]
		# nothing was won like it: nothing is made up
		assert [rows[other][name] for name in told] == [1, 0, None, 0, 0, 1]
		card = cards.money_not_pursued()
		assert card["figure"] == 1_000
		assert text(card).endswith("1,000, 2 leads by the median of 3 won")


def test_the_biggest_leak_is_the_first_of_the_report_that_it_opens(freeze, make_user, as_user):
	manager = make_user("mona@dashboard.example", "Sales Manager")
	agency = make_user("agency@dashboard.example", "Lead Qualifier")
	frappe.db.delete("Funnel Target")
	with freeze("2027-02-02 10:00:00"):
		leads = [make_lead(lead_owner=agency, last_name=f"Leak {nth}").name for nth in range(4)]
		api.log_touch(leads[0], "Phone", "Connected")
		api.qualify(leads[1], decision="Disqualified", outcome_reason="Disqualify: Too small for us")
		frappe.db.commit()
	with freeze("2027-04-10 10:30:00"):
		with as_user(manager):
			assert (text(cards.biggest_leak()), cards.biggest_leak()["figure"]) == ("–", None)
		for step, rate in (("Prospect", 50), ("Sales Ready", 90)):
			frappe.get_doc(
				{"doctype": "Funnel Target", "step": step, "rate": rate, "minimum_leads": 1}
			).insert()
		with as_user(manager):
			card = cards.biggest_leak()
			assert card["figure"] == pytest.approx(3.6)
			assert text(card) == "Sales ready: 4 leads short"
			assert rows_behind(card)[0]["missing"] == card["figure"]
		with as_user(agency):
			card = cards.biggest_leak()
			assert (text(card), rows_behind(card)) == ("–", [])


def test_of_nothing_no_share_is_shown(make_user, as_user, freeze):
	with freeze("2027-04-10 10:30:00"), as_user(make_user("agency@dashboard.example", "Lead Qualifier")):
		for name in (*SHARES, "first_response"):
			card = getattr(cards, name)()
			assert (text(card), card["figure"], rows_behind(card)) == ("–", None, []), name


def test_of_few_leads_the_leads_are_shown_and_no_share(make_user, as_user, freeze):
	user = make_user("mona@dashboard.example", "Sales Manager")
	with freeze("2027-04-10 10:30:00"):
		lead = make_lead()
		make_lead(last_name="Other")
		make_sales_ready(lead.name)
		frappe.db.commit()
		with as_user(user):
			assert text(cards.qualified_leads()) == "1 of 2"


def test_what_the_settings_keep_from_a_sales_user_is_in_no_figure(crowd, freeze, make_user, as_user, seller):
	crowd(make_user("mona@dashboard.example", "Sales Manager"))
	frappe.get_doc("Lead Quality Settings").update({"hide_unqualified_leads": 1}).save()
	with freeze(TODAY), as_user(seller):
		card = cards.qualified_leads()
		assert card["of"] < 14
		assert card["counted"] == len(rows_behind(card))
		assert card["of"] == len(rows_behind(card, count="leads"))


def test_a_deleted_lead_counts_on_a_card_as_it_does_in_its_list(crowd, freeze, make_user, as_user):
	leads = crowd(make_user("mona@dashboard.example", "Sales Manager"))
	with freeze(TODAY):
		frappe.delete_doc("Lead", leads[4], force=True)
		frappe.db.commit()
		with as_user("mona@dashboard.example"):
			card = cards.qualified_leads_pursued()
			assert card["counted"] == len(rows_behind(card))
			assert cards.qualified_leads()["of"] == 14


def test_who_reads_no_leads_gets_no_figure(make_user, as_user):
	with as_user(make_user("stock@dashboard.example", "Stock User")):
		for name in (*SHARES, "first_response", "money_in_handover", "money_not_pursued", "biggest_leak"):
			with pytest.raises(frappe.PermissionError):
				getattr(cards, name)()


def test_a_figure_costs_as_many_queries_whatever_it_counts(freeze, crowd, make_user, as_user, count_queries):
	user = make_user("mona@dashboard.example", "Sales Manager")
	costs = []
	for _turn in range(2):
		with freeze(TODAY), as_user(user):
			cards.wasted_leads()  # what is cached is read
			with count_queries() as queries:
				for name in (*SHARES, "first_response", "money_in_handover", "money_not_pursued"):
					getattr(cards, name)()
		costs.append(queries.count)
		if len(costs) == 1:
			with freeze(CAME_IN):
				crowd(user)
	assert costs[1] <= costs[0] + 1  # the median of something is looked up


# the charts


def chart_of(name: str) -> dict:
	chart = frappe.get_doc("Dashboard Chart", name)
	method = re.search(r'method: "([^"]+)"', get_config(chart.source))[1]
	data = frappe.call(method, chart_name=chart.name, filters="[]", no_cache=1)
	return dict(zip(data["labels"], data["datasets"][0]["values"], strict=True))


def test_the_funnel_has_the_stages_in_their_order_and_counts_who_has_come_to_each(
	crowd, freeze, make_user, as_user
):
	user = make_user("mona@dashboard.example", "Sales Manager")
	crowd(user)
	with freeze(TODAY), as_user(user):
		assert chart_of("Funnel of the last three months") == {
			"Target": 14,
			"Prospect": 4,
			"Opportunity": 2,
			"Sale": 0,
		}


def test_the_trend_of_wasted_leads_is_that_of_the_report(crowd, freeze, make_user, as_user):
	user = make_user("agency@dashboard.example", "Lead Qualifier")
	crowd(user)
	with freeze(TODAY), as_user(user):
		chart = chart_of("Wasted leads by month, %")
		card = cards.wasted_leads()
	assert chart == {"2026-02": pytest.approx(card["figure"], abs=0.05)}


def test_a_lead_whose_company_has_another_currency_is_worth_what_its_handover_says(
	freeze, make_user, as_user, seller
):
	with freeze(CAME_IN):
		lead = make_lead(company=company()).name
		make_sales_ready(lead)
		api.send_handover(lead, seller, expected_value=500)
		frappe.db.commit()
		journey.rebuild([lead])
		with as_user(make_user("mona@dashboard.example", "Sales Manager")):
			# the time that sales has for its answer still runs
			assert cards.money_not_pursued()["figure"] == 0
	with freeze(TODAY), as_user("mona@dashboard.example"):
		assert cards.money_not_pursued()["figure"] == 500
