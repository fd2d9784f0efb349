"""Leaks: what is short of each target, what it is worth, and the leads behind each count, held against a count by hand."""

import random
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import frappe
import pytest
from frappe.utils import get_datetime, getdate

from lead_quality.lead_quality.report.leaks.leaks import COUNTS, Leaks
from tests.site import random_journeys as random_leads
from tests.site.random_journeys import MANAGER, NORTH, NOW, PERIOD, SEES, same

STEPS = {
	"prospect": "prospect_at",
	"sales ready": "ready_at",
	"accepted": "accepted_at",
	"opportunity": "opportunity_at",
	"quoted": "quoted_at",
	"sale": "sale_at",
}
# what shows that a lead came to a step, besides the step itself
SHOWN_BY = {"prospect": ("prospect", "opportunity", "sale"), "opportunity": ("opportunity", "sale")}
TARGETS = (
	{"step": "Prospect", "rate": 60},
	{"step": "Prospect", "rate": 90, "source": "Exhibition", "within_days": 3},
	{"step": "Prospect", "rate": 95, "source": "Exhibition", "segment": "Inbound"},
	{"step": "Sale", "rate": 80, "segment": "Inbound", "to_date": "2021-06-30", "within_days": 20},
	{"step": "Sale", "rate": 70, "segment": "Inbound", "from_date": "2021-07-01", "within_days": 200},
	{"step": "Opportunity", "rate": 99, "from_date": "2030-01-01"},
)


@pytest.fixture
def leads() -> list:
	random_leads.make_readers()
	leads = random_leads.write(220, 31)
	chance = random.Random(32)
	for lead in leads:
		lead.exited_at = (
			lead.entered_at + timedelta(days=chance.choice((1, 40))) if chance.random() < 0.4 else None
		)
		if lead.exited_at:
			lead.exit_reason = chance.choice(("Lost", "Disqualified", "Disqualified"))
			left = {"exited_at": lead.exited_at, "exit_stage": "target", "exit_reason": lead.exit_reason}
			frappe.db.set_value("Lead Journey", lead.name, left, update_modified=False)
	return leads


@pytest.fixture
def targets(leads) -> list:
	return [frappe.get_doc({"doctype": "Funnel Target", **values}).insert() for values in TARGETS]


def target_of(lead, step: str, targets: list, dated: bool = True):
	"""The narrowest target of a step that is of this lead."""
	fitting = [
		target
		for target in targets
		if target.step.lower() == step
		and (not target.source or same(lead.source) == same(target.source))
		and (not target.segment or lead.segment == target.segment)
		and (not dated or not target.from_date or lead.entered_at >= get_datetime(target.from_date))
		and (not dated or not target.to_date or lead.entered_at.date() <= getdate(target.to_date))
		and (not target.from_date or getdate(target.from_date) < getdate("2022-01-01"))
	]
	return max(fitting, key=lambda target: bool(target.source) + bool(target.segment), default=None)


def by_hand(leads: list, step: str, target) -> dict[str, list]:
	within = timedelta(days=target.within_days or 0) if target else timedelta()
	counts = {name: [] for name in (*COUNTS, "sold")}
	for lead in leads:
		came = [lead[STEPS[name]] for name in SHOWN_BY.get(step, (step,))]
		at = min((instant for instant in came if instant and instant <= NOW), default=None)
		if within and lead.entered_at + within > NOW:
			counts["young"].append(lead)
			continue
		counts["leads"].append(lead)
		if at and (not within or at <= lead.entered_at + within):
			counts["reached"].append(lead)
			if lead.sale_at:
				counts["sold"].append(lead)
		elif within or lead.exited_at:
			counts["lost"].append(lead)
		else:
			counts["open"].append(lead)
	return counts


@pytest.mark.parametrize("reader", ["Administrator", MANAGER, NORTH])
def test_each_figure_is_that_of_a_count_by_hand_and_of_the_rows_behind_it(leads, targets, reader, as_user):
	with as_user(reader):
		rows = Leaks(dict(PERIOD), now=NOW).rows()
		seen = [lead for lead in leads if not lead.is_non_buyer and SEES[reader](lead)]
		found = {(filters_of(row)["step"], filters_of(row).get("target")): row for row in rows}
		assert len(found) == len(rows)
		expected = set()
		for step in STEPS:
			of_step = [target for target in targets if target.step.lower() == step]
			for target in of_step or [None]:
				own = [lead for lead in seen if target_of(lead, step, targets) is target]
				if not own or (target and step == "opportunity"):
					continue
				expected.add((step, target and target.name))
				check(found[step, target and target.name], own, seen, step, target, targets)
		if ("opportunity", None) in found:  # its target holds from 2030 on
			expected.add(("opportunity", None))
		assert set(found) == expected


def check(row: dict, own: list, seen: list, step: str, target, targets: list):
	counts = by_hand(own, step, target)
	where = (step, target and target.as_dict())
	for name in COUNTS:
		assert row[name] == len(counts[name]), (*where, name)
		assert listed(row, name) == sorted(lead.name for lead in counts[name]), (*where, name)
	values = [
		lead for lead in seen if lead.sale_at and lead.company_value and of_scope(lead, step, target, targets)
	]
	assert row["won"] == len(values), where
	assert listed(row, "won") == sorted(lead.name for lead in values), where
	median = random_leads.nearest_rank([lead.company_value for lead in values], 50)
	assert row["median_value"] == median, where
	reached, sold, of_all = (len(counts[name]) for name in ("reached", "sold", "leads"))
	missing = max(of_all * target.rate / 100 - reached, 0) if target else None
	assert row["missing"] == (None if missing is None else pytest.approx(missing)), where
	if median is None or not reached:
		assert row["missing_value"] is row["point_value"] is None, where
		return
	worth = median * sold / reached
	assert row["point_value"] == pytest.approx(of_all / 100 * worth), where
	assert row["missing_value"] == (None if missing is None else pytest.approx(missing * worth)), where


def of_scope(lead, step: str, target, targets: list) -> bool:
	"""Whether a lead would be of a target on whatever day."""
	fitting = target_of(lead, step, targets, dated=False)
	if not (fitting and target):
		return fitting is target
	return (fitting.source, fitting.segment) == (target.source, target.segment)


def filters_of(row: dict) -> dict:
	return dict(parse_qsl(urlsplit(row["links"]["leads"]).query))


def listed(row: dict, count: str) -> list[str]:
	filters = dict(parse_qsl(urlsplit(row["links"][count]).query))
	return sorted(found["lead"] for found in Leaks(filters, now=NOW).page()[0])


def test_the_dearest_leak_stands_first_and_says_what_most_leave_for(leads, targets):
	report = Leaks(dict(PERIOD), now=NOW)
	rows = report.rows()
	money = [row["missing_value"] or 0 for row in rows if row["missing"] is not None]
	assert money == sorted(money, reverse=True) and money[0] > 0
	assert any(row["reason"] == "Disqualified, as Target" for row in rows)
	assert report.summary(rows)[0]["value"].startswith(rows[0]["step"])
	assert report.chart(rows)["data"]["datasets"][0]["values"][0] == round(money[0], 2)


def test_where_nothing_was_won_no_value_is_made_up(leads, targets):
	frappe.db.sql("update `tabLead Journey` set company_value = 0")
	rows = Leaks(dict(PERIOD), now=NOW).rows()
	assert rows
	for row in rows:
		assert (row["median_value"], row["won"], row["missing_value"], row["point_value"]) == (
			None,
			0,
			None,
			None,
		)


def test_without_leads_or_targets_there_is_a_word_and_no_error(leads):
	report = Leaks({"from_date": "1999-01-01", "to_date": "1999-01-02"}, now=NOW)
	assert (report.rows(), report.chart([]), report.summary([])) == ([], None, [])
	assert "No lead came in" in report.message([])
	report = Leaks(dict(PERIOD), now=NOW)
	rows = report.rows()
	assert [row["target_percent"] for row in rows] == [None] * 6
	assert "no Funnel Target" in report.message(rows)
