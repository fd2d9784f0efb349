"""Follow-up Compliance and Speed to Lead: exact figures over a weekend, in working and in real time."""

import itertools
from calendar import day_name
from urllib.parse import parse_qs, unquote, urlsplit

import frappe
import pytest
from frappe.desk import query_report
from frappe.utils import add_to_date, get_datetime

from lead_quality import api
from lead_quality.base.report import figure, nearest_rank, report_class
from lead_quality.base.rows import insert_rows
from lead_quality.base.site_time import get_calendar, seconds_between
from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import make_agreement, make_lead, make_sales_ready
from lead_quality.engine.clock import is_human_touch
from lead_quality.follow_up.jobs import sweep_clocks
from lead_quality.funnel.conditions import human_touch
from lead_quality.lead_quality.report.follow_up_compliance import follow_up_compliance

# the seeded calendar is open from Monday to Friday, 9:00 to 17:00; a first response is due in two working hours
FRIDAY = "2025-02-07 16:30:00"
MONDAY = "2025-02-10 12:00:00"
PERIOD = {"from_date": "2025-02-07", "to_date": "2025-02-10"}
COMPLIANCE, SPEED = REPORTS = ["Follow-up Compliance", "Speed to Lead"]
COUNTS = ("clocks", "met", "missed", "never_touched", "touched_late", "open", "cancelled")


@pytest.fixture(autouse=True)
def time(freeze):
	with freeze(FRIDAY) as clock:
		yield clock


@pytest.fixture
def anna(make_user):
	return make_user("anna@speed.example", "Sales User", last_name="Rep")


@pytest.fixture
def ben(make_user):
	return make_user("ben@speed.example", "Sales User", last_name="Rep")


@pytest.fixture
def manager(make_user):
	return make_user("manager@speed.example", "Sales Manager")


@pytest.fixture
def weekend(time, anna, ben):
	"""Four leads of Anna's from Friday 16:30, due on Monday at 10:30, and two of Ben's; it is Monday noon."""
	early, late, too_late, never = leads = [make_lead(lead_owner=anna) for _number in range(4)]
	gone = make_lead(lead_owner=ben, source="Campaign")
	time.move_to("2025-02-07 16:45:00")
	call(early)
	api.opt_out(gone.name, "All")
	time.move_to("2025-02-10 10:00:00")
	call(late)
	time.move_to("2025-02-10 11:45:00")
	new = make_lead(lead_owner=ben, source="Campaign")
	time.move_to(MONDAY)
	call(too_late)
	return frappe._dict(
		early=early, late=late, too_late=too_late, never=never, gone=gone, new=new, of_anna=leads
	)


def call(lead, outcome: str = "No Answer", **values):
	return api.log_touch(lead.name, "Phone", outcome, **values)


def run(report: str, **filters) -> dict:
	"""The report as the desk runs it."""
	result = query_report.run(report, filters={**PERIOD, **filters})
	for row in result["result"]:
		assert {column["fieldname"] for column in result["columns"]} <= {*row}
	return result


def rows(report: str, **filters) -> list[dict]:
	return run(report, **filters)["result"]


def responses(**filters) -> dict:
	"""The rows of the clock First Response by group."""
	return {row["group_name"]: row for row in rows(COMPLIANCE, clock="First Response", **filters)}


def counts(row: dict) -> tuple:
	return tuple(row[name] for name in COUNTS)


def follow(link: str) -> list[str]:
	"""The leads that a link to a report shows."""
	parts = urlsplit(link)
	filters = {key: value[0] for key, value in parse_qs(parts.query).items()}
	report = unquote(parts.path).rsplit("/", 1)[1]
	return sorted(row["lead"] for row in query_report.run(report, filters=filters)["result"])


def names(*leads) -> list[str]:
	return sorted(lead.name for lead in leads)


# Follow-up Compliance


def test_clocks_are_met_missed_open_or_cancelled(weekend, anna, ben):
	figures = responses()
	assert {rep: counts(row) for rep, row in figures.items()} == {
		anna: (4, 2, 2, 1, 1, 0, 0),
		ben: (0, 0, 0, 0, 0, 1, 1),
	}
	assert (figures[anna]["met_percent"], figures[ben]["met_percent"]) == (50, None)
	assert (figures[anna]["group"], figures[anna]["user"]) == ("Anna Rep", anna)


def test_the_time_taken_is_working_time_of_the_clocks_in_which_somebody_acted(weekend, anna, ben):
	# 15 minutes on Friday; half an hour on Friday and one hour, or three, on Monday
	row = responses()[anna]
	assert (row["median_hours"], row["percentile_hours"], row["measure"]) == (1.5, 3.5, "Working Time")
	row = responses()[ben]
	assert (row["median_hours"], row["percentile_hours"], row["measure"]) == (None, None, None)


def test_the_time_of_a_span_in_real_hours_is_real_time(anna, time):
	policy = frappe.get_doc("Follow Up Policy", "Standard Follow Up")
	next(row for row in policy.targets if row.clock == "First Response").unit = "Hours"
	policy.save()
	time.move_to("2025-02-07 16:00:00")
	lead = make_lead(lead_owner=anna)
	time.move_to("2025-02-10 10:00:00")
	api.log_touch(lead.name, "Phone", "No Answer")
	row = responses()[anna]
	assert (row["median_hours"], row["measure"]) == (66, "Real Time")


def test_what_the_system_missed_counts_against_nobody(weekend, anna):
	before = responses()[anna]
	frappe.db.set_value(
		"Follow Up Clock",
		{"lead": weekend.never.name, "clock": "First Response"},
		{"status": "Missed", "missed_by_system": 1, "owner_at_breach": anna},
	)
	after = responses()[anna]
	assert (after["missed"], after["missed_by_system"]) == (before["missed"] - 1, 1)
	assert after["charged"] == before["charged"] - 1


def test_a_miss_is_charged_by_the_time_that_each_held_the_lead(anna, ben, time):
	time.move_to("2025-02-10 10:00:00")
	lead = make_lead(lead_owner=anna)
	time.move_to("2025-02-10 11:30:00")
	lead.reload().update({"lead_owner": ben}).save()
	time.move_to("2025-02-10 12:01:00")
	figures = responses()
	assert (figures[anna]["charged"], figures[ben]["charged"]) == (0.75, 0.25)
	assert (figures[ben]["missed"], figures[anna]["missed"]) == (1, 0)


def test_the_time_in_which_nobody_held_a_lead_is_the_systems_share(anna, time):
	time.move_to("2025-02-10 10:00:00")
	lead = make_lead()
	frappe.db.set_value("Lead", lead.name, "lead_owner", None)
	time.move_to("2025-02-10 11:30:00")
	lead.reload().update({"lead_owner": anna}).save()
	time.move_to("2025-02-10 12:01:00")
	figures = responses()
	assert (figures[anna]["charged"], figures[anna]["system_percent"]) == (0.25, 75)
	assert figures[None]["charged"] == 0.75


def test_a_miss_counts_before_any_job_has_run_and_the_same_after_it(weekend, anna):
	before = responses()[anna]
	assert frappe.db.get_value("Follow Up Clock", {"lead": weekend.never.name}, "status") == "Running"
	sweep_clocks()
	assert responses()[anna] == before


def test_a_clock_is_missed_only_once_its_deadline_has_passed(weekend, anna, time):
	time.move_to("2025-02-10 10:30:00")
	assert responses()[anna]["open"] == 1
	time.move_to("2025-02-10 10:30:01")
	assert (responses()[anna]["open"], responses()[anna]["never_touched"]) == (0, 1)


def test_a_miss_stays_with_who_was_responsible_and_what_is_open_goes_with_the_lead(weekend, anna, ben):
	sweep_clocks()
	for lead in weekend.of_anna:
		lead.db_set("lead_owner", ben)
	figures = responses()
	assert counts(figures[anna]) == (2, 0, 2, 1, 1, 0, 0)
	assert counts(figures[ben]) == (2, 2, 0, 0, 0, 1, 1)
	weekend.new.db_set("lead_owner", None)
	assert counts(responses()[None]) == (0, 0, 0, 0, 0, 1, 0)
	assert responses()[None]["group"] == "Waiting for Routing"


def test_a_miss_that_only_an_opt_out_ended_was_never_touched(weekend, anna):
	sweep_clocks()
	api.opt_out(weekend.never.name, "All")
	assert counts(responses()[anna]) == (4, 2, 2, 1, 1, 0, 0)
	assert responses()[anna]["percentile_hours"] == 3.5


def test_a_miss_touched_at_a_fraction_of_a_second_was_touched_late(weekend, anna, time):
	time.move_to("2025-02-10 13:00:00.123456")
	call(weekend.never)
	assert counts(responses()[anna]) == (4, 2, 2, 0, 2, 0, 0)


def test_a_touch_made_before_the_lead_was_entered_took_no_time(anna, time):
	call(make_lead(lead_owner=anna), done_at="2025-02-07 16:00:00")
	assert responses()[anna]["median_hours"] == 0


def hand_over(receiver: str):
	lead = make_lead()
	make_sales_ready(lead.name)
	return api.send_handover(lead.name, receiver)


def test_a_handover_is_its_receivers_and_is_answered_late_or_never(anna, ben, time):
	in_time, late, pulled_back, waiting = (hand_over(user) for user in (anna, anna, anna, ben))
	time.move_to("2025-02-10 09:30:00")
	api.accept_handover(in_time.name)
	time.move_to("2025-02-10 17:00:00")
	reason = frappe.db.get_value("Lead Outcome Reason", {"applies_to": "Reject"}, order_by="name")
	api.reject_handover(late.name, reason)
	pulled_back.db_set({"status": "Pulled Back", "decided_at": "2025-02-10 17:00:00"})
	frappe.db.set_value(
		"Follow Up Clock",
		{"reference_name": pulled_back.name},
		{"status": "Missed", "stopped_at": "2025-02-10 17:00:00", "owner_at_breach": anna},
	)
	figures = {row["user"]: row for row in rows(COMPLIANCE, clock="Handover Acceptance")}
	assert counts(figures[anna]) == (3, 1, 2, 1, 1, 0, 0)
	assert (figures[anna]["median_hours"], figures[anna]["percentile_hours"]) == (1, 8.5)
	# due on Monday at 16:30
	assert counts(figures[ben]) == (1, 0, 1, 1, 0, 0, 0)
	assert follow(figures[ben]["links"]["missed"]) == [waiting.lead]


def test_the_agreements_unit_goes_before_the_policys(anna, time, make_user):
	# Frappe takes a document for changed by others if it was saved at a whole second
	time.move_to("2025-02-07 16:30:00.5")
	make_agreement(
		make_user("marketing@speed.example", "Lead Quality Manager"),
		make_user("sales@speed.example", "Sales Manager"),
		accept_within=72,
		deadline_unit="Hours",
	)
	time.move_to(FRIDAY)
	handover = hand_over(anna)
	assert handover.agreement
	time.move_to("2025-02-10 09:30:00")
	api.accept_handover(handover.name)
	(row,) = rows(COMPLIANCE, clock="Handover Acceptance")
	assert (row["median_hours"], row["measure"]) == (65, "Real Time")


def test_a_triage_and_a_planned_touch_that_came_late_were_not_missed_by_silence(anna, time):
	lead = make_lead(lead_owner=anna)
	time.move_to("2025-02-20 12:00:00")
	figures = {row["clock"]: row for row in rows(COMPLIANCE)}
	assert {clock: counts(row)[3:5] for clock, row in figures.items()} == {
		"Triage": (1, 0),
		"First Response": (1, 0),
		"Next Touch": (1, 0),
	}
	make_sales_ready(lead.name)
	planned = frappe.get_doc("Lead Touch", {"lead": lead.name, "status": "Planned"})
	api.log_touch(lead.name, planned.channel, "No Answer")
	figures = {row["clock"]: row for row in rows(COMPLIANCE)}
	assert {counts(row)[3:5] for row in figures.values()} == {(0, 1)}


def make_sales_person(name: str, parent: str, user: str | None = None, **values):
	employee = None
	if user:
		employee = (
			frappe.get_doc(
				{
					"doctype": "Employee",
					"first_name": name,
					"gender": frappe.db.get_value("Gender", {}, order_by="name"),
					"date_of_birth": "1990-01-01",
					"date_of_joining": "2020-01-01",
					"company": frappe.db.get_value("Company", {}, order_by="name"),
					"user_id": user,
					"create_user_permission": 0,
				}
			)
			.insert()
			.name
		)
	frappe.get_doc(
		{
			"doctype": "Sales Person",
			"sales_person_name": name,
			"parent_sales_person": parent,
			"is_group": int(not user),
			"employee": employee,
			**values,
		}
	).insert()


def test_reps_are_counted_with_their_team(weekend, anna):
	root = frappe.db.get_value("Sales Person", {"parent_sales_person": ("is", "not set")}, order_by="lft")
	make_sales_person("North Team", root)
	make_sales_person("Anna Rep", "North Team", anna)
	figures = responses(group_by="Team")
	assert {team: counts(row) for team, row in figures.items()} == {
		"North Team": (4, 2, 2, 1, 1, 0, 0),
		None: (0, 0, 0, 0, 0, 1, 1),
	}
	assert figures[None]["group"] == "No Team"
	assert follow(figures["North Team"]["links"]["clocks"]) == names(*weekend.of_anna)
	assert follow(figures[None]["links"]["open"]) == names(weekend.new)


def test_clocks_can_be_grouped_by_segment_and_by_clock(weekend):
	weekend.never.db_set("lq_segment", None)
	weekend.early.db_set("lq_segment", "Referrals")
	figures = responses(group_by="Segment")
	assert {segment: counts(row)[:2] for segment, row in figures.items()} == {
		"Inbound": (2, 1),
		"Referrals": (1, 1),
		None: (1, 0),
	}
	assert figures[None]["group"] == "No Segment"
	by_clock = rows(COMPLIANCE, group_by="Clock")
	assert [row["clock_label"] for row in by_clock] == ["Triage", "First Response", "Next Touch"]
	assert counts(by_clock[1]) == (4, 2, 2, 1, 1, 1, 1)
	assert (
		run(COMPLIANCE, group_by="Clock")["chart"]["data"]["labels"][0] != "Triage" or by_clock[0]["clocks"]
	)


def test_reps_and_segments_are_told_apart_whatever_their_short_numbers_and_without_their_records(
	weekend, anna, monkeypatch
):
	def shown() -> list:
		return [
			[{**row, "group": None} for row in rows(COMPLIANCE, group_by=group_by)]
			for group_by in ("Rep", "Segment")
		]

	before = shown()
	assert {row["group_name"] for row in before[0]} >= {anna, "ben@speed.example"}
	with monkeypatch.context() as patch:
		patch.setattr(
			follow_up_compliance,
			"short_number_of",
			lambda text: f"if({text} is null, null, length({text}) > 0)",
		)
		assert shown() == before
	frappe.db.delete("User", anna)
	assert shown() == before


def test_each_count_leads_to_just_these_clocks(weekend, anna, ben, as_user, manager):
	with as_user(manager):
		figures = responses()
		for rep, expected in (
			(
				anna,
				{
					"clocks": weekend.of_anna,
					"met": [weekend.early, weekend.late],
					"missed": [weekend.too_late, weekend.never],
					"never_touched": [weekend.never],
					"touched_late": [weekend.too_late],
				},
			),
			(ben, {"open": [weekend.new], "cancelled": [weekend.gone]}),
		):
			for name in COUNTS:
				assert follow(figures[rep]["links"][name]) == names(*expected.get(name, []))


def test_the_list_of_clocks_says_what_happened_to_each(weekend, anna):
	listed = {row["lead"]: row for row in rows(COMPLIANCE, show="Clocks", clock="First Response")}
	assert {lead: (row["state_label"], row["cause"], row["hours"]) for lead, row in listed.items()} == {
		weekend.early.name: ("Met", None, 0.25),
		weekend.late.name: ("Met", None, 1.5),
		weekend.too_late.name: ("Missed", "Touched Late", 3.5),
		weekend.never.name: ("Missed", "Never Touched", None),
		weekend.new.name: ("Open", None, None),
		weekend.gone.name: ("Cancelled", None, None),
	}
	assert listed[weekend.late.name]["acted_at"] == get_datetime("2025-02-10 10:00:00")


def test_clocks_can_be_narrowed_to_a_rep_a_period_a_company_and_a_segment(weekend, anna, ben):
	assert [*responses(user=ben)] == [ben]
	assert counts(responses(from_date="2025-02-10")[ben])[5:] == (1, 0)
	assert [*responses(to_date="2025-02-07")] == [anna, ben]
	assert responses(segment="Referrals") == {}
	assert responses(company="Another Ltd") == {}


def test_the_chart_shows_met_and_missed_clocks_of_each_rep(weekend):
	chart = run(COMPLIANCE, clock="First Response")["chart"]["data"]
	assert chart["labels"] == ["Anna Rep"]
	assert [dataset["values"] for dataset in chart["datasets"]] == [[2], [2], [0]]


# Speed to Lead


def buckets(**filters) -> dict[str, int]:
	return {row["bucket"]: row["leads"] for row in rows(SPEED, **filters) if row["bucket"]}


def test_leads_are_counted_by_the_real_time_to_their_first_touch(time):
	day = 24 * 60
	leads = [make_lead() for _number in range(9)]
	time.move_to(add_to_date(FRIDAY, days=4))
	for lead, wait in zip(leads, (5, 5 + 1 / 60, 60, 240, day, 3 * day, 3 * day + 1, 0), strict=False):
		call(lead, done_at=add_to_date(FRIDAY, seconds=round(wait * 60)))
	result = run(SPEED, time="Raw")
	assert [row["leads"] for row in result["result"]] == [9, 2, 2, 1, 1, 1, 1, 1]
	assert result["result"][0]["label"] == "All Leads"
	shares = [row["cumulative_share"] for row in result["result"]]
	assert shares == pytest.approx([100, *(100 * reached / 9 for reached in (2, 4, 5, 6, 7, 8, 9))])
	assert [row["share"] for row in result["result"][1:3]] == pytest.approx([200 / 9, 200 / 9])
	# eight have been touched: the fourth is the median, the eighth the 90th percentile
	assert (result["result"][0]["median_hours"], result["result"][0]["percentile_hours"]) == (
		1,
		pytest.approx(72 + 1 / 60),
	)
	assert [item["value"] for item in result["report_summary"]] == [figure(1, 2), figure(72.02, 2), "11 %"]
	assert result["chart"]["data"]["datasets"][0]["values"] == [2, 2, 1, 1, 1, 1, 1]


def test_working_time_leaves_the_weekend_out(weekend):
	expected = {"5m": 0, "1h": 1, "4h": 2, "24h": 0, "72h": 0, "later": 0, "never": 3}
	assert buckets() == buckets(time="Working") == expected
	assert buckets(time="Raw") == {"5m": 0, "1h": 1, "4h": 0, "24h": 0, "72h": 2, "later": 0, "never": 3}
	head = rows(SPEED)[0]
	assert (head["median_hours"], head["percentile_hours"]) == (1.5, 3.5)
	head = rows(SPEED, time="Raw")[0]
	assert (head["median_hours"], head["percentile_hours"]) == (65.5, 67.5)


def test_a_lead_without_a_calendar_is_counted_in_real_time_and_the_report_says_so(weekend):
	assert "real time" not in run(SPEED)["message"]
	weekend.late.db_set("lq_segment", None)
	result = run(SPEED)
	assert buckets() == {"5m": 0, "1h": 1, "4h": 1, "24h": 0, "72h": 1, "later": 0, "never": 3}
	assert "For 1 of the touched leads real time is shown" in result["message"]
	(row,) = [row for row in rows(SPEED, show="Leads") if row["lead"] == weekend.late.name]
	assert row["working_seconds_hours"] is None
	assert row["raw_seconds_hours"] == row["hours"]


def test_working_time_goes_by_the_policy_that_a_company_has_of_its_own(weekend):
	"""Open round the clock, and at weekends."""
	calendar = frappe.get_doc(
		{
			"doctype": "Working Calendar",
			"title": "Day and Night",
			"time_zone": "Europe/Berlin",
			"hours": [
				{"weekday": weekday, "opens": "00:00:00", "closes": "23:59:59"} for weekday in day_name
			],
		}
	).insert()
	policy = frappe.copy_doc(frappe.get_doc("Follow Up Policy", "Standard Follow Up"))
	policy.update({"title": "Day and Night", "working_calendar": calendar.name}).insert()
	segment = frappe.get_doc("Lead Segment", weekend.late.lq_segment)
	segment.append("company_policies", {"company": weekend.late.company, "follow_up_policy": policy.name})
	segment.save()
	(row,) = [row for row in rows(SPEED, show="Leads") if row["lead"] == weekend.late.name]
	assert row["is_working"]
	assert row["hours"] == row["working_seconds_hours"] == row["raw_seconds_hours"]


def test_only_a_person_makes_a_first_touch(time):
	mailed, bounced, wrote, called_us, called = [make_lead() for _number in range(5)]
	time.move_to("2025-02-07 16:32:00")
	touch = api.log_touch(mailed.name, "Email")
	frappe.db.set_value("Lead Touch", touch.name, "is_automatic", 1)
	api.log_touch(bounced.name, "Email", "Bounced")
	api.log_touch(wrote.name, "Email", "Replied", direction="Inbound")
	api.log_touch(called_us.name, "Phone", "Connected", direction="Inbound")
	call(called)
	assert follow(rows(SPEED)[1]["links"]["leads"]) == names(called_us, called)
	assert buckets()["never"] == 3


def test_a_long_period_finds_the_same_first_touches_as_a_short_one(weekend):
	call(weekend.early)

	def found(**filters) -> dict:
		report = report_class(SPEED)({**PERIOD, "show": "Leads", **filters})
		own = names(*weekend.of_anna, weekend.new)
		return {
			row.lead: (row.touched_at, report.bucket(row)) for row in report.all_listed() if row.lead in own
		}

	assert sorted(bucket for _at, bucket in found().values()) == ["1h", "4h", "4h", "never", "never"]
	assert found(from_date="2024-02-07") == found()


def test_the_sql_for_a_persons_touch_is_the_engines_rule():
	meta = frappe.get_meta("Lead Touch")
	fields = ("status", "is_automatic", "direction", "channel", "outcome")
	choices = [
		[0, 1]
		if field == "is_automatic"
		else [value or None for value in meta.get_options(field).split("\n")]
		for field in fields
	]
	lead = make_lead()
	frappe.db.delete("Lead Touch", {"lead": lead.name})
	cases = [dict(zip(fields, case, strict=True)) for case in itertools.product(*choices)]
	made = insert_rows(
		"Lead Touch", [{"lead": lead.name, **case} for case in cases], get_datetime("2025-02-07 16:30:00")
	)
	found = set(
		frappe.db.sql_list(f"select t.name from `tabLead Touch` t where {human_touch('t')} order by t.name")
	)
	assert found & {row.name for row in made} == {
		row.name for row in made if is_human_touch(*(row[field] for field in fields))
	}


def test_the_share_that_became_sales_ready_is_shown_by_bucket(weekend, anna):
	make_sales_ready(weekend.late.name)
	make_sales_ready(weekend.never.name)
	api.send_handover(weekend.never.name, anna)
	weekend.never.db_set("lq_verdict", "Open")
	figures = {row["bucket"]: row for row in rows(SPEED)}
	assert {bucket: (row["sales_ready"], row["sales_ready_percent"]) for bucket, row in figures.items()} == {
		None: (2, pytest.approx(200 / 6)),
		"5m": (0, None),
		"1h": (0, 0),
		"4h": (1, 50),
		"24h": (0, None),
		"72h": (0, None),
		"later": (0, None),
		"never": (1, pytest.approx(100 / 3)),
	}
	assert follow(figures["4h"]["links"]["sales_ready"]) == names(weekend.late)
	assert follow(figures[None]["links"]["sales_ready"]) == names(weekend.late, weekend.never)


def test_leads_that_are_disabled_or_no_buyers_are_left_out(weekend):
	weekend.early.db_set("disabled", 1)
	weekend.late.db_set("lq_non_buyer", 1)
	assert rows(SPEED)[0]["leads"] == 4
	assert follow(rows(SPEED)[0]["links"]["leads"]) == names(
		weekend.too_late, weekend.never, weekend.gone, weekend.new
	)


@pytest.mark.parametrize("group_by", ["Source", "Segment"])
def test_leads_can_be_grouped(weekend, group_by):
	field = lead_field("source") if group_by == "Source" else "lq_segment"
	for lead in weekend.of_anna:
		lead.db_set(field, None)
	for lead in (weekend.new, weekend.gone):
		lead.db_set(field, "Referrals")
	result = rows(SPEED, group_by=group_by)
	assert [row["label"] for row in result if row["indent"] == 0] == [f"No {group_by}", "Referrals"]
	assert [row["leads"] for row in result if row["indent"] == 0] == [4, 2]
	assert [row["group"] for row in result if row["bucket"] == "never"] == [None, "Referrals"]
	by_key = {(row["group"], row["bucket"]): row for row in result}
	assert (
		by_key[None, "never"]["cumulative_share"] == by_key["Referrals", "never"]["cumulative_share"] == 100
	)
	assert follow(by_key[None, "never"]["links"]["leads"]) == names(weekend.never)
	assert follow(by_key["Referrals", "never"]["links"]["leads"]) == names(weekend.new, weekend.gone)
	assert follow(by_key["Referrals", None]["links"]["leads"]) == names(weekend.new, weekend.gone)


@pytest.mark.parametrize("measure", ["Working", "Raw"])
def test_each_count_of_a_bucket_leads_to_just_these_leads(weekend, as_user, manager, measure):
	with as_user(manager):
		for row in rows(SPEED, time=measure):
			assert len(follow(row["links"]["leads"])) == row["leads"]


def test_the_first_touch_counts_and_not_the_next(weekend, time):
	time.move_to("2025-02-14 12:00:00")
	call(weekend.early)
	assert buckets()["1h"] == 1


# both


def test_a_percentile_by_nearest_rank_is_one_of_the_values():
	assert [nearest_rank(range(1, 11), percentile) for percentile in (0, 50, 90, 91, 100)] == [
		1,
		5,
		9,
		10,
		10,
	]
	assert (nearest_rank([], 50), nearest_rank([7], 90), nearest_rank([3, 1, 2], 50)) == (None, 7, 2)


def test_time_between_two_instants_is_working_or_real_and_never_negative():
	calendar = get_calendar("Office Hours")
	assert seconds_between(FRIDAY, MONDAY, calendar) == 3.5 * 3600
	assert seconds_between(FRIDAY, MONDAY) == 67.5 * 3600
	assert seconds_between(MONDAY, FRIDAY) == seconds_between(MONDAY, FRIDAY, calendar) == 0
	# summer time begins in the night to the 30th
	assert seconds_between("2025-03-29 12:00:00", "2025-03-30 12:00:00") == 23 * 3600


@pytest.mark.parametrize("report", REPORTS)
def test_a_period_without_leads_is_no_error(report):
	result = run(report, from_date="1999-01-01", to_date="1999-01-31")
	assert (result["result"], result["chart"]) == ([], None)
	assert result["columns"]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_runs_without_any_filter(report, weekend):
	assert query_report.run(report)["result"]


def test_each_reader_counts_only_leads_that_they_may_see(weekend, anna, ben, manager, as_user):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.hide_unqualified_leads = 1
	settings.save()
	with as_user(manager):
		assert [*responses()] == [anna, ben]
		assert rows(SPEED)[0]["leads"] == 6
	with as_user(ben):
		assert [*responses()] == [ben]
		assert len(rows(COMPLIANCE, show="Clocks", clock="First Response")) == 2
		assert [*responses(user=anna)] == []
	reader = "referrals@speed.example"
	frappe.get_doc({"doctype": "User", "email": reader, "first_name": "R", "send_welcome_email": 0}).insert()
	frappe.get_doc("User", reader).add_roles("Sales Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Lead Segment", "for_value": "Referrals"}
	).insert()
	weekend.late.db_set("lq_segment", "Referrals")
	with as_user(reader):
		assert counts(responses()[anna])[:2] == (1, 1)
		assert rows(SPEED)[0]["leads"] == 1


@pytest.mark.parametrize("role", ["Lead Quality Manager", "Sales Manager", "System Manager"])
@pytest.mark.parametrize("report", REPORTS)
def test_who_manages_runs_these_reports(report, role, make_user, as_user):
	with as_user(make_user("leading@speed.example", role)):
		assert query_report.run(report, filters=PERIOD)["columns"]


def test_a_sales_user_runs_compliance_only(anna, as_user):
	with as_user(anna):
		assert query_report.run(COMPLIANCE, filters=PERIOD)["columns"]
		with pytest.raises(frappe.PermissionError):
			query_report.run(SPEED, filters=PERIOD)


@pytest.mark.parametrize("report", REPORTS)
def test_an_outside_qualifier_runs_neither(report, make_user, as_user):
	with as_user(make_user("agency@speed.example", "Lead Qualifier")), pytest.raises(frappe.PermissionError):
		query_report.run(report, filters=PERIOD)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("show", [None, "Clocks", "Leads"])
def test_more_leads_cost_no_more_queries(report, show, weekend, anna, count_queries):
	def queries() -> int:
		with count_queries() as counted:
			run(report, show=show)
		return counted.count

	run(report, show=show)
	once = queries()
	for _number in range(3):
		call(make_lead(lead_owner=anna))
	assert queries() == once


def test_a_figure_of_the_summary_has_no_more_digits_than_its_column():
	assert figure(1.459, 2).replace(",", ".") == "1.46"
	assert figure(4.0, 1) == "4"
	assert figure(None, 2) == "–"


def test_a_lead_waits_for_routing_and_then_for_its_rep(anna, time):
	time.move_to("2025-02-07 16:00:00")
	lead = make_lead()
	frappe.db.set_value("Lead", lead.name, "lead_owner", None)
	time.move_to("2025-02-10 10:00:00")
	lead.reload().update({"lead_owner": anna}).save()
	time.move_to("2025-02-10 11:30:00")
	api.log_touch(lead.name, "Phone", "No Answer")
	(row,) = [row for row in rows(SPEED, show="Leads") if row["lead"] == lead.name]
	assert [row[f"working_{part}_hours"] for part in ("routing", "rep", "seconds")] == [2, 1.5, 3.5]
	assert [row[f"raw_{part}_hours"] for part in ("routing", "rep", "seconds")] == [66, 1.5, 67.5]
