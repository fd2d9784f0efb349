"""Wasted Leads: the rule in SQL is the rule of the engine, and each figure equals the leads behind it."""

import random
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import frappe
import pytest
from frappe.utils import get_datetime

from lead_quality import api
from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.demo.factories import make_lead, make_opportunity, make_sales_ready
from lead_quality.engine.waste import ACCEPTANCE, ENTRY, LeadFacts, latest_start, wasted_since
from lead_quality.funnel import journey, waste
from lead_quality.lead_quality.report.wasted_leads.wasted_leads import WastedLeads

ENTERED, LATER = "2025-03-03 10:00", "2025-03-24 10:00"
PERIOD = {"from_date": "2025-03-01", "to_date": "2025-03-31"}
BY_ITSELF = {"lq_next_touch_at": None}


@pytest.fixture
def on_their_own():
	"""Leads are on no cadence, so that nothing lies before them."""
	frappe.db.set_single_value("Lead Quality Settings", "enroll_new_leads", 0)
	frappe.clear_document_cache("Lead Quality Settings", "Lead Quality Settings")


def shown(**filters) -> dict:
	frappe.db.commit()
	return {row["group"]: row for row in WastedLeads({**PERIOD, **filters}).rows()}


def listed(**filters) -> list:
	frappe.db.commit()
	return WastedLeads({**PERIOD, "show": "Leads", **filters}).page()[0]


def test_who_nobody_cared_for_is_wasted_and_the_list_says_why(freeze, on_their_own):
	with freeze(ENTERED):
		lead, touched = make_lead(first_name="Waits"), make_lead(first_name="Touched")
	with freeze(LATER):
		api.log_touch(touched.name, "Phone", "No Answer")
		row = shown()["2025-03"]
		assert (row["leads"], row["wasted"], row["wasted_percent"], row["since_entry"]) == (2, 1, 50, 1)
		(found,) = listed(count="wasted")
	assert (found["lead"], found["why"]) == (lead.name, "Nothing was done in 21 days since it came in")


def test_a_lead_with_a_step_before_it_a_decision_or_an_opportunity_is_not_wasted(freeze, on_their_own):
	with freeze(ENTERED):
		planned, decided, pursued = (make_lead(first_name=name) for name in ("Planned", "Decided", "Pursued"))
		make_sales_ready(pursued.name)
	with freeze(LATER):
		api.enroll(planned.name)
		frappe.db.set_value("Lead", planned.name, "lq_next_touch_at", "2025-03-25 10:00")
		api.qualify(decided.name, decision="Disqualified", outcome_reason="Disqualify: Too small for us")
		make_opportunity(pursued.name)
		row = shown()["2025-03"]
	assert (row["leads"], row["wasted"]) == (3, 0)


def test_a_lead_that_sales_accepted_and_left_is_wasted_since_then(freeze, on_their_own, make_user):
	with freeze(ENTERED):
		lead = make_lead(lead_owner="Administrator")
		api.log_touch(lead.name, "Phone", "Connected")
		make_sales_ready(lead.name)
		handover = api.send_handover(lead.name, make_user("seller@waste.example", "Sales User"))
		api.accept_handover(handover.name)
	frappe.db.set_value("Lead Touch", {"lead": lead.name}, "done_at", "2025-03-03 09:00")
	with freeze(LATER):
		journey.rebuild([lead.name])
		frappe.db.set_value("Lead", lead.name, BY_ITSELF)
		row = shown()["2025-03"]
		assert (row["wasted"], row["since_entry"], row["since_acceptance"]) == (1, 0, 1)
		assert "since sales accepted it" in listed(count="since_acceptance")[0]["why"]


def test_a_lead_is_not_wasted_before_its_working_days_have_passed(freeze, on_their_own):
	with freeze(ENTERED):  # a Monday
		make_lead()
	with freeze("2025-03-10 09:00"):  # the fifth working day has not come to its hour
		row = shown()["2025-03"]
		assert (row["wasted"], row["young"]) == (0, 1)
	with freeze("2025-03-10 17:30"):
		row = shown()["2025-03"]
		assert (row["wasted"], row["young"]) == (1, 0)


@pytest.mark.parametrize("group_by", WastedLeads.groups)
def test_every_figure_equals_the_leads_behind_it(freeze, on_their_own, group_by):
	with freeze(ENTERED):
		for number in range(4):
			make_lead(source=(None, "Website")[number % 2], lead_owner=(None, "Administrator")[number // 2])
	with freeze(LATER):
		for row in shown(group_by=group_by).values():
			for count in WastedLeads.counts:
				filters = {"group_by": group_by, "count": count}
				query = parse_qs(urlsplit(row["links"][count]).query)
				group = query.get("group", [None])[0]
				behind = listed(**filters, group=group, without_group=int(query["without_group"][0]))
				assert len(behind) == row[count], (row["group"], count)


def test_who_may_not_see_a_lead_does_not_count_it(freeze, on_their_own, make_user, as_user):
	rep = make_user("rep@waste.example", "Sales User")
	with freeze(ENTERED):
		mine, _other = make_lead(), make_lead()
	frappe.get_doc(
		{"doctype": "User Permission", "user": rep, "allow": "Lead", "for_value": mine.name}
	).insert()
	with freeze(LATER), as_user(rep):
		assert shown()["2025-03"]["wasted"] == 1
		assert [row["lead"] for row in listed()] == [mine.name]


def test_the_rule_in_sql_is_the_rule_of_the_engine(freeze):
	"""Of leads with whatever instants, most of them at borders."""
	now = get_datetime("2025-06-16 12:00:00")
	segment = frappe.db.get_value(
		"Lead Segment", {"follow_up_policy": ["is", "set"]}, ["name", "follow_up_policy"]
	)
	calendar = get_calendar(frappe.db.get_value("Follow Up Policy", segment[1], "working_calendar"))
	chance = random.Random(12)
	latest = {
		name: naive(latest_start(aware(now), 5, one)) for name, one in ((segment[0], calendar), (None, None))
	}
	instants = [None, None, *latest.values(), *(at + timedelta(seconds=1) for at in latest.values())]
	instants += [now, now + timedelta(seconds=1), now - timedelta(days=40), now - timedelta(days=3)]
	expected, rows = {}, []
	for number in range(300):
		name = f"TWIN-{number}"
		facts = LeadFacts(
			entered_at=chance.choice(instants[2:]),
			accepted_at=chance.choice(instants),
			last_touch_at=chance.choice([None, *instants]),
			decided_at=chance.choice([None, *instants]),
			next_step_at=chance.choice([None, *instants]),
			is_pursued=chance.random() < 0.1,
		)
		of = chance.choice(list(latest))
		expected[name] = wasted_since(facts, latest[of], now)
		rows.append((name, name, facts, of))
	for name, lead, facts, of in rows:
		frappe.db.sql(
			"insert into `tabLead` (name, lq_next_touch_at) values (%s, %s)", (name, facts.next_step_at)
		)
		frappe.db.sql(
			"""
			insert into `tabLead Journey` (
				name, `lead`, entered_at, accepted_at, last_touch_at, decided_at, opportunity_at, present_segment
			) values (%s, %s, %s, %s, %s, %s, %s, %s)
			""",
			(name, lead, facts.entered_at, facts.accepted_at, facts.last_touch_at, facts.decided_at, now if facts.is_pursued else None, of),
		)  # fmt: skip
	starts, values = waste.latest_starts(now)
	found = frappe.db.sql(
		f"""
		select j.name, {waste.WASTED_SINCE} from `tabLead Journey` j join `tabLead` l on l.name = j.name
		{starts} where j.name like 'TWIN-%%'
		""",
		values,
	)
	assert dict(found) == expected
	assert {ENTRY, ACCEPTANCE, None} == set(expected.values())
