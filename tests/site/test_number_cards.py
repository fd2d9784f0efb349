"""The figure on each number card is the number of rows that a click on it shows, to every role; the chart and the
shortcuts of the workspace count what they say."""

import json
import re

import frappe
import pytest
from frappe.desk import query_report
from frappe.desk.doctype.dashboard_chart_source.dashboard_chart_source import get_config
from frappe.desk.doctype.number_card.number_card import get_result
from frappe.utils import flt, nowdate

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready
from lead_quality.funnel.conditions import IN_WORK

CARDS = [
	"Handovers Waiting",
	"Leads Overdue",
	"Leads Without Next Step",
	"Leads Without Owner",
	"Ready to Hand Over",
	"Stale Leads",
	"Touches Due by Tonight",
]
ROLES = ["Sales User", "Lead Qualifier", "Sales Manager", "Lead Quality Manager", "System Manager"]

# what the cards' dynamic filters compute in the browser
# what the desk computes, for a reader whose day is that of the site
SCRIPTS = {
	"frappe.datetime.convert_to_system_tz(frappe.datetime.get_today() + ' 23:59:59')": lambda: (
		f"{nowdate()} 23:59:59"
	)
}


@pytest.fixture
def reader(make_user):
	"""`reader("Sales User")`: a user with that role."""
	return lambda role: make_user(f"{frappe.scrub(role)}@cards.example", role)


@pytest.fixture
def crowd(freeze, make_user):
	"""Leads of every kind, a few of them the reader's."""

	def make(reader: str):
		receiver = make_user("receiver@cards.example", "Sales User")
		with freeze("2026-01-05 10:00:00"):
			for number in range(6):
				owner = (reader, receiver, None)[number % 3]
				lead = make_lead(lead_owner=owner or receiver, company_name=f"Crowd, {number}")
				if not owner:
					# one of them was entered by the reader
					creator = reader if number < 3 else "Administrator"
					frappe.db.set_value("Lead", lead.name, {"lead_owner": None, "owner": creator})
				if number > 2:
					api.stop(lead.name, "Stop Early: Asked us to stop")
		with freeze("2026-04-06 10:00:00"):
			for number, owner in enumerate((reader, receiver, reader, receiver)):
				lead = make_lead(lead_owner=owner)
				make_sales_ready(lead.name)
				if number > 1:
					api.send_handover(lead.name, receiver)
		make_lead(lead_owner=reader, disabled=1)

	return make


def card_of(name: str):
	return frappe.get_doc("Number Card", name)


def filters_of(card) -> list:
	"""The card's filters as the browser sends them."""
	dynamic = [[*rest, SCRIPTS[script]()] for *rest, script in json.loads(card.dynamic_filters_json or "[]")]
	return json.loads(card.filters_json) + dynamic


def figure(card) -> float:
	if card.type == "Custom":
		return flt(frappe.call(card.method, filters="[]")["value"])
	return get_result(card.as_dict(), filters_of(card))


def rows_behind(card) -> int:
	"""How many rows a click on the card shows."""
	if card.type == "Custom":
		opened = frappe.call(card.method, filters="[]")
		if opened["route"][0] == "query-report":
			return len(query_report.run(opened["route"][1], filters=opened["route_options"])["result"])
		doctype, filters = opened["route"][1], list(as_list_filters(opened["route_options"]))
	else:
		# of several filters of one field, v15 opens its list with the last only
		doctype, filters = card.document_type, list({row[1]: row for row in filters_of(card)}.values())
	return len(frappe.get_list(doctype, filters=filters, pluck="name", limit_page_length=0))


def as_list_filters(route_options: dict):
	"""Route options as the list view of either version reads them."""
	for field, value in route_options.items():
		if not isinstance(value, list):
			yield [field, "=", value]
		elif isinstance(value[0], str) and not value[0].startswith("["):
			yield [field, *value]
		else:
			for condition in value:
				yield [field, *(json.loads(condition) if isinstance(condition, str) else condition)]


def test_the_workspace_shows_these_cards():
	shown = frappe.get_doc("Workspace", "Lead Quality").number_cards
	assert sorted(row.number_card_name for row in shown) == CARDS
	on_dashboard = [row.card for row in frappe.get_doc("Dashboard", "Lead Quality").cards]
	ours = frappe.get_all("Number Card", {"module": "Lead Quality"}, pluck="name", order_by="name asc")
	assert ours == sorted([*CARDS, *on_dashboard])


def test_every_role_that_reads_leads_is_tried_on_them():
	readers = {row.role for row in frappe.get_meta("Lead").permissions if row.read and not row.permlevel}
	assert readers <= set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_the_figure_is_the_number_of_rows_behind_it(role, reader, crowd, freeze, as_user):
	user = reader(role)
	crowd(user)
	with freeze("2026-04-10 10:30:00"), as_user(user):
		for card in map(card_of, CARDS):
			assert figure(card) == rows_behind(card) > 0, card.name


def test_what_is_kept_from_sales_users_is_in_no_figure(reader, crowd, freeze, as_user):
	user = reader("Sales User")
	crowd(user)
	with freeze("2026-04-10 10:30:00"), as_user(user):
		before = [figure(card_of(name)) for name in CARDS]
	frappe.get_doc("Lead Quality Settings").update({"hide_unqualified_leads": 1}).save()
	with freeze("2026-04-10 10:30:00"), as_user(user):
		after = [figure(card_of(name)) for name in CARDS]
		assert after == [rows_behind(card_of(name)) for name in CARDS]
	assert sum(after) < sum(before)


def test_an_outside_qualifier_counts_own_leads_only(reader, crowd, freeze, as_user):
	agency, manager = reader("Lead Qualifier"), reader("Sales Manager")
	crowd(agency)
	figures = {}
	for user in (agency, manager):
		with freeze("2026-04-10 10:30:00"), as_user(user):
			figures[user] = [figure(card_of(name)) for name in CARDS]
	assert all(own < every for own, every in zip(figures[agency], figures[manager], strict=True))


def test_a_disabled_lead_is_overdue_on_no_card(freeze):
	with freeze("2026-01-05 10:00:00"):
		lead = make_lead()
	with freeze("2026-04-10 10:30:00"):
		before = figure(card_of("Leads Overdue"))
		frappe.db.set_value("Lead", lead.name, "disabled", 1)
		assert figure(card_of("Leads Overdue")) == before - 1


def test_a_card_without_leads_opens_no_other_leads(reader, as_user):
	make_lead()
	with as_user(reader("Lead Qualifier")):
		for name in CARDS:
			assert figure(card_of(name)) == rows_behind(card_of(name)) == 0


def test_who_reads_no_leads_gets_no_figure(make_user, as_user):
	with as_user(make_user("stock@cards.example", "Stock User")):
		for name in ("Leads Overdue", "Stale Leads"):
			with pytest.raises(frappe.PermissionError):
				figure(card_of(name))


# the chart


def chart_of_stages() -> dict[str, int]:
	source = frappe.get_doc("Dashboard Chart", "Leads by Stage")
	assert source.chart_type == "Custom"
	config = get_config(source.source)
	method = re.search(r'method: "([^"]+)"', config)[1]
	data = frappe.call(method, chart_name=source.name, filters="[]", no_cache=1)
	return dict(zip(data["labels"], data["datasets"][0]["values"], strict=True))


def test_the_chart_of_stages_has_them_in_their_order_whatever_their_size(reader, as_user):
	for stage in ("target", "target", "prospect", "prospect", "prospect", "sale", None):
		lead = make_lead()
		frappe.db.set_value("Lead", lead.name, "lq_stage", stage)
	with as_user(reader("Sales Manager")):
		chart = chart_of_stages()
	assert [*chart] == ["Target", "Prospect", "Opportunity", "Sale"]
	assert sum(chart.values()) == frappe.db.count("Lead")
	assert chart["Prospect"] == frappe.db.count("Lead", {"lq_stage": "prospect"})


def test_the_chart_counts_for_each_reader_what_he_may_see(reader, as_user):
	agency, manager = reader("Lead Qualifier"), reader("Sales Manager")
	make_lead()
	make_lead(lead_owner=agency)
	with as_user(manager):
		every = chart_of_stages()
	with as_user(agency):
		assert chart_of_stages() == {**dict.fromkeys(every, 0), "Target": 1}
	with as_user(manager):
		assert chart_of_stages() == every


# the shortcut


def test_my_leads_are_those_in_work(reader, as_user):
	user = reader("Sales User")
	in_work, *others = [make_lead(lead_owner=user) for _number in range(6)]
	make_lead()
	gone = (
		{"lq_verdict": "Disqualified"},
		{"lq_non_buyer": 1},
		{"disabled": 1},
		{"status": "Converted"},
		{"lq_stage": "sale"},
	)
	for lead, values in zip(others, gone, strict=True):
		frappe.db.set_value("Lead", lead.name, values)
	shortcuts = frappe.get_doc("Workspace", "Lead Quality").shortcuts
	script = next(row.stats_filter for row in shortcuts if row.label == "My Leads")
	filters = json.loads(script.replace("frappe.session.user", json.dumps(user)))
	with as_user(user):
		assert frappe.get_list("Lead", filters=filters, pluck="name") == [in_work.name]
	where = f"`tabLead`.lead_owner = %s and {IN_WORK}"
	assert frappe.db.sql_list(f"select name from `tabLead` where {where}", (user,)) == [in_work.name]
