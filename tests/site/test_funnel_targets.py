"""A step that falls under its target is told to its owner once, until it has recovered; each figure of the report Funnel
Targets equals the leads behind it."""

from datetime import date, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import frappe
import pytest
from frappe.desk import query_report
from frappe.utils import get_datetime

from lead_quality.base import report as base
from lead_quality.base.rows import insert_rows
from lead_quality.demo.factories import make_source
from lead_quality.engine.targets import cohort
from lead_quality.funnel import targets
from lead_quality.funnel.jobs import check_targets
from lead_quality.lead_quality.report.funnel_targets.funnel_targets import FunnelTargets
from lead_quality.lead_quality.report.leaks.leaks import Leaks
from tests.site.helpers import messages_to

NOW = "2026-06-15 03:00:00"
TODAY = date(2026, 6, 15)
OWNER = "owner@targets.example"


@pytest.fixture
def owner(make_user):
	make_source("Website")
	make_source("Fair")
	return make_user(OWNER, "Sales Manager")


def company() -> str:
	return frappe.defaults.get_global_default("company")


def make_target(**values):
	return frappe.get_doc(
		{
			"doctype": "Funnel Target",
			"step": "Opportunity",
			"rate": 50,
			"within_days": 30,
			"minimum_leads": 4,
			"owner_user": OWNER,
			**values,
		}
	).insert()


def make_journeys(number: int, reached: int = 0, day: date | None = None, **values) -> list[str]:
	"""Leads that came in on a day, by default the last that counts; the first of them became opportunities in time."""
	entered = get_datetime(str(day or cohort(TODAY, 30)[1])) + timedelta(hours=12)
	names = []
	for place in range(number):
		name = f"TGT-{frappe.generate_hash(length=8)}"
		frappe.db.sql(
			"insert into `tabLead` (name, title, lead_owner) values (%s, %s, %s)", (name, name, OWNER)
		)
		row = {
			"name": name,
			"lead": name,
			"stage": "target",
			"entered_at": entered,
			"opportunity_at": entered + timedelta(days=29) if place < reached else None,
			"source": "Website",
			"company": company(),
			**values,
		}
		columns = ", ".join(f"`{column}`" for column in row)
		frappe.db.sql(
			f"insert into `tabLead Journey` ({columns}) values ({', '.join(['%s'] * len(row))})",
			[*row.values()],
		)
		names.append(name)
	return names


def reach(*leads: str):
	for lead in leads:
		entered = frappe.db.get_value("Lead Journey", lead, "entered_at")
		frappe.db.set_value("Lead Journey", lead, "opportunity_at", entered + timedelta(days=1))


def check(freeze, at: str = NOW) -> dict:
	with freeze(at):
		counts = check_targets()
	assert not counts["failed"], frappe.get_last_doc("Follow Up Run").errors
	return counts


def test_a_target_names_its_company_only_where_there_is_another_one(owner):
	target = make_target(source="Website")
	frappe.db.delete("Company", {"name": ["!=", company()]})
	assert targets.step_in_words(target) == "Opportunity (Website)"
	insert_rows("Company", [{"company_name": "Another"}], get_datetime(NOW))
	assert targets.step_in_words(target) == f"Opportunity (Website, {company()})"


def test_the_owner_is_told_once_until_the_step_has_recovered(owner, freeze):
	target = make_target()
	leads = make_journeys(4, reached=1)
	assert check(freeze)["done"] == 1
	(words,) = messages_to(owner)
	assert "Opportunity" in words
	assert "is below its target: 1 of 4 leads reached it in 30 days (25" in words
	assert check(freeze)["done"] == 0  # run twice
	assert check(freeze, "2026-06-16 03:00:00")["done"] == 0  # and every day
	reach(leads[2], leads[3])
	check(freeze, "2026-06-17 03:00:00")
	target.reload()
	assert not target.below_since
	frappe.db.set_value("Lead Journey", {"name": ["in", leads]}, "opportunity_at", None)
	assert check(freeze, "2026-06-18 03:00:00")["done"] == 1
	assert len(messages_to(owner)) == 2


def test_the_notice_leads_to_the_leads_that_did_not_reach_the_step(owner, freeze, as_user):
	make_target()
	leads = make_journeys(5, reached=2)
	check(freeze)
	link = frappe.get_last_doc("Notification Log", {"for_user": owner}).link
	filters = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
	# the same rows whenever it is opened
	with freeze("2026-08-01 10:00:00"), as_user(owner):
		shown = query_report.run("Funnel Targets", filters=filters)["result"]
	assert {row["lead"] for row in shown} == set(leads[2:])


def test_too_few_leads_tell_nothing_and_take_back_nothing(owner, freeze):
	target = make_target(minimum_leads=5)
	leads = make_journeys(4)
	assert check(freeze)["done"] == 0
	make_journeys(1)
	assert check(freeze)["done"] == 1
	frappe.db.set_value("Lead Journey", leads[0], "is_non_buyer", 1)
	assert check(freeze)["done"] == 0
	target.reload()
	assert target.below_since


def test_a_step_that_is_reached_exactly_as_asked_is_not_below(owner, freeze):
	make_target()
	make_journeys(4, reached=2)
	assert check(freeze)["done"] == 0


def test_who_comes_too_late_has_not_reached_it_and_who_is_too_young_has_no_say(owner, freeze):
	make_target()
	make_journeys(4, reached=2)
	for lead in make_journeys(1):
		entered = frappe.db.get_value("Lead Journey", lead, "entered_at")
		frappe.db.set_value("Lead Journey", lead, "opportunity_at", entered + timedelta(days=30, seconds=1))
	first, last = cohort(TODAY, 30)
	make_journeys(9, day=last + timedelta(days=1))
	make_journeys(9, day=first - timedelta(days=1))
	assert check(freeze)["done"] == 1
	assert "2 of 5 leads" in messages_to(owner)[0]


def test_a_target_without_days_is_judged_by_leads_that_are_ninety_days_old(owner, freeze):
	target = make_target(within_days=0)
	make_journeys(4, reached=1, day=cohort(TODAY, 90)[1])
	make_journeys(9, day=cohort(TODAY, 90)[1] + timedelta(days=1))
	assert targets.count(target, TODAY, owner) == (4, 1)


def test_who_is_further_has_reached_the_stages_before(owner):
	target = make_target(step="Prospect")
	make_journeys(4, reached=3)
	assert targets.count(target, TODAY, owner) == (4, 3)
	ready = make_target(step="Sales Ready")
	assert targets.count(ready, TODAY, owner) == (4, 0)


def test_a_source_with_a_target_of_its_own_is_counted_by_that_one(owner):
	every, fair = make_target(), make_target(source="Fair", rate=10)
	make_journeys(3, reached=1)
	make_journeys(5, reached=2, source="Fair")
	make_journeys(1, source=None)
	assert targets.count(every, TODAY, owner) == (4, 1)
	assert targets.count(fair, TODAY, owner) == (5, 2)


def test_a_lead_counts_for_the_narrowest_target_of_its_step_as_in_leaks(owner):
	day = cohort(TODAY, 30)[1]
	segment = frappe.get_all("Lead Segment", pluck="name", order_by="name asc", limit=1)[0]
	of = [
		make_target(),
		make_target(segment=segment),
		make_target(source="Fair"),
		make_target(source="Fair", segment=segment, to_date=str(day - timedelta(days=1))),
		make_target(step="Prospect", source="Fair", segment=segment),
	]
	make_journeys(2, reached=1, source=None)
	make_journeys(3, reached=1, segment=segment)
	make_journeys(4, reached=2, source="Fair", segment=segment)
	make_journeys(5, reached=3, source="Fair", segment=segment, day=day - timedelta(days=1))
	counted = [targets.count(target, TODAY, owner) for target in of]
	assert counted == [(2, 1), (3, 1), (4, 2), (5, 3), (9, 5)]
	period = {"from_date": str(day - timedelta(days=1)), "to_date": str(day)}
	report = Leaks(period, now=get_datetime(NOW))
	rows = {
		dict(parse_qsl(urlsplit(row["links"]["leads"]).query)).get("target"): row for row in report.rows()
	}
	assert [(rows[target.name]["leads"], rows[target.name]["reached"]) for target in of] == counted


def test_a_target_counts_the_leads_of_its_days(owner):
	last = cohort(TODAY, 30)[1]
	target = make_target(from_date=str(last))
	make_journeys(2, reached=1)
	make_journeys(3, day=last - timedelta(days=1))
	assert targets.count(target, TODAY, owner) == (2, 1)


# who is told


def test_nobody_is_told_of_leads_that_he_may_not_see(owner, freeze, make_user):
	seen = make_journeys(3)
	make_journeys(4)
	for lead in seen:
		frappe.get_doc(
			{"doctype": "User Permission", "user": owner, "allow": "Lead", "for_value": lead}
		).insert()
	target = make_target()
	assert check(freeze)["done"] == 0
	target.minimum_leads = 3
	target.save()
	assert check(freeze)["done"] == 1
	assert "0 of 3 leads" in messages_to(owner)[0]


@pytest.mark.parametrize("roles", [["Stock User"], ["Lead Qualifier"]])
def test_who_may_read_no_targets_or_no_leads_is_told_nothing(roles, owner, freeze, make_user):
	other = make_user("other@targets.example", *roles)
	target = make_target(owner_user=other)
	make_journeys(4)
	assert check(freeze)["done"] == 0
	assert messages_to(other) == []
	assert not frappe.db.get_value("Funnel Target", target.name, "below_since")


def test_a_disabled_owner_is_told_nothing_and_the_next_owner_is(owner, freeze, make_user):
	target = make_target()
	make_journeys(4)
	frappe.db.set_value("User", owner, "enabled", 0)
	assert check(freeze)["done"] == 0
	target.owner_user = make_user("next@targets.example", "Sales Manager")
	target.save()
	assert check(freeze)["done"] == 1
	assert messages_to(owner) == []


def test_a_target_without_an_owner_is_told_to_nobody(owner, freeze):
	make_target(owner_user=None)
	make_journeys(4)
	assert check(freeze)["found"] == 0


def test_a_target_that_was_changed_is_told_anew(owner, freeze):
	target = make_target()
	make_journeys(4)
	check(freeze)
	target.reload()
	target.rate = 40
	target.save()
	assert check(freeze)["done"] == 1


def test_nobody_says_by_hand_that_it_was_told(owner, as_user):
	with as_user(owner):
		target = make_target(below_since=NOW)
		assert not target.below_since
		target.below_since = NOW
		target.save()
	assert not frappe.db.get_value("Funnel Target", target.name, "below_since")


def test_a_target_that_fails_stops_no_other(owner, freeze):
	broken, _fine = make_target(), make_target(step="Sale")
	make_journeys(4)
	frappe.db.set_value("Funnel Target", broken.name, "step", "Nowhere")
	with freeze(NOW):
		counts = check_targets()
	assert (counts["done"], counts["failed"]) == (1, 1)


# the report


def test_each_figure_of_the_report_equals_the_leads_behind_it(owner, freeze, as_user):
	make_target()
	make_target(source="Fair", step="Sales Ready")
	make_journeys(5, reached=2)
	make_journeys(3, source="Fair", ready_at=get_datetime(str(cohort(TODAY, 30)[1])))
	with freeze(NOW), as_user(owner):
		rows = query_report.run("Funnel Targets", filters={})["result"]
		assert [(row["leads"], row["reached"], row["state"]) for row in rows] == [
			(3, 3, "Too few leads"),
			(8, 2, "Below"),
		]
		for row in rows:
			for name, link in row["links"].items():
				filters = {key: values[0] for key, values in parse_qs(urlsplit(link).query).items()}
				behind = query_report.run("Funnel Targets", filters=filters)["result"]
				assert len(behind) == row[name], (row["label"], name)


def test_the_list_shows_the_first_rows_and_exports_all(owner, freeze, monkeypatch):
	make_target()
	leads = make_journeys(5, reached=2)
	monkeypatch.setattr(base, "MOST_ROWS", 2)
	with freeze(NOW):
		result = query_report.run("Funnel Targets", filters={"show": "Leads"})
		pages = [*FunnelTargets({"show": "Leads"}).all_pages()]
	assert len(result["result"]) == 2
	assert "of <strong>5</strong> rows" in result["message"]
	assert {row["lead"] for page in pages for row in page} == set(leads)


def test_many_targets_are_asked_for_in_as_many_queries_as_few(owner, freeze, count_queries):
	def queries() -> list[int]:
		counts = []
		for report, show in ((FunnelTargets, "Summary"), (FunnelTargets, "Leads"), (Leaks, "Summary")):
			with count_queries() as asked:
				report({"show": show}).shown()
			counts.append(asked.count)
		return counts

	segment = frappe.get_all("Lead Segment", pluck="name", order_by="name asc", limit=1)[0]
	steps = "Prospect", "Opportunity"
	with freeze(NOW):
		make_journeys(5, reached=2)
		for step in steps:
			make_target(step=step, company=company())
		queries()  # what is read once
		few = queries()
		for step in steps:
			for scope in ({"segment": segment}, {"source": "Fair"}, {"source": "Fair", "segment": segment}):
				make_target(step=step, company=company(), **scope)
		assert queries() == few
