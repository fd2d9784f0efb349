"""What is left of deleted leads: no report's totals of the past fall, for whoever saw the leads."""

import frappe
import pytest
from frappe.desk import query_report

from lead_quality import api
from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import make_lead, make_sales_ready, make_user
from lead_quality.follow_up.jobs import sweep_clocks
from lead_quality.funnel import journey, remnants

FRIDAY, MONDAY = "2025-02-07 16:30:00", "2025-02-10 12:00:00"
PERIOD = {"from_date": "2025-02-07", "to_date": "2025-02-10"}
ANNA, BEN = "anna@remnants.example", "ben@remnants.example"
ONLY_SOURCE = "Trade Fair 1999"

# each report with the ways to look at it, and which of its figures count the past
REPORTS = [
	*(
		("Follow-up Compliance", {"group_by": group}, clocks)
		for clocks in [
			(
				"clocks",
				"met",
				"missed",
				"charged",
				"never_touched",
				"touched_late",
				"entered_late",
				"missed_by_system",
				"median_hours",
			)
		]
		for group in ("Rep", "Team", "Segment", "Clock")
	),
	(
		"Source Effectiveness",
		{},
		(
			*(
				"leads",
				"not_buyers",
				"bad_data",
				"buyers",
				"qualified",
				"handed_over",
				"accepted",
				"declined",
			),
			*("opportunities", "won"),
		),
	),
	*(
		(
			"Speed to Lead",
			{"group_by": group, "time": time},
			("leads", "sales_ready", "median_hours", "routing_hours", "rep_hours"),
		)
		for group in ("", "Source", "Segment")
		for time in ("Working", "Raw")
	),
	*(
		(
			"Handover Quality",
			{"group_by": group},
			("handed_over", "accepted", "rejected", "pulled_back", "decided", "accepted_value", "without"),
		)
		for group in ("Marketer", "Rep", "Source", "Segment", "Checklist", "Month")
	),
	("Definition Use", {}, ("leads", "asked", "not_asked", "sales_ready")),
	("Stage Conversion", {}, ("reached", "skipped", "median_days", "in_period")),
	("Stage Conversion", {"include_non_buyers": 1}, ("reached", "skipped", "median_days", "in_period")),
	("Stage Conversion", {"group_by": "Source"}, ("leads", "prospect", "opportunity", "sale")),
	("Gate Overrides", {}, ("overrides", "sales", "disqualified")),
]
WITH_LISTS = {
	"Follow-up Compliance": ("Clocks", "clocks"),
	"Source Effectiveness": ("Leads", "leads"),
	"Handover Quality": ("Handovers", "handed_over"),
	"Speed to Lead": ("Leads", "leads"),
	"Definition Use": ("Leads", "leads"),
}


@pytest.fixture
def past(freeze):
	"""Leads of every fate, of a Friday and a Monday: met, missed, shared between two owners, no buyer, bad data, handed
	over and accepted, past the gate. Returns their names."""
	with freeze(FRIDAY) as clock:
		for user in (ANNA, BEN):
			make_user(user, "Sales User")
		first, shared, never, fake, handed = (
			make_lead(lead_owner=ANNA, first_name=name)
			for name in ("First", "Shared", "Never", "Fake", "Handed")
		)
		alone = make_lead(lead_owner=BEN, source=ONLY_SOURCE)
		clock.move_to("2025-02-07 16:45:00")
		api.log_touch(first.name, "Phone", "Connected")
		make_sales_ready(handed.name)
		handover = api.send_handover(handed.name, BEN, expected_value=5_000)
		api.override_gate(never.name, first_override_reason(), "Their word.")
		clock.move_to("2025-02-10 09:30:00")
		api.accept_handover(handover["name"] if isinstance(handover, dict) else handover.name)
		shared.reload().update({"lead_owner": BEN}).save()
		frappe.db.set_value("Lead", fake.name, "lq_non_buyer", 1)
		clock.move_to("2025-02-10 11:00:00")
		sweep_clocks()
		api.log_touch(shared.name, "Phone", "Wrong Data")
		clock.move_to(MONDAY)
		sweep_clocks()
		journey.rebuild()
		yield [lead.name for lead in (first, shared, never, fake, handed, alone)]


def first_override_reason() -> str:
	return frappe.get_all(
		"Lead Outcome Reason", {"applies_to": "Override"}, pluck="name", order_by="name asc"
	)[0]


def rows(report: str, **filters) -> list[dict]:
	result = query_report.run(report, filters={**PERIOD, **filters})["result"]
	return [row for row in result if isinstance(row, dict)]  # without Frappe's row of totals


def figures(report: str, filters: dict, counted: tuple[str, ...]) -> dict:
	"""The figures that count the past, by what names their row."""
	found = {}
	for row in rows(report, **filters):
		key = tuple(
			row.get(part) for part in ("group", "label", "clock", "source", "stage", "user", "reason")
		)
		values = tuple(round(row[name], 4) if row.get(name) else row.get(name) for name in counted)
		if any(values):
			found[key] = values
	return found


def all_figures(reports=REPORTS) -> dict:
	return {(report, str(filters)): figures(report, filters, counted) for report, filters, counted in reports}


def delete(leads: list[str]):
	for lead in leads:
		frappe.delete_doc("Lead", lead)


def test_no_total_of_the_past_changes_when_leads_are_deleted(past):
	before = all_figures()
	assert all(before.values())

	delete(past)

	assert all_figures() == before


def test_a_list_behind_a_count_has_a_row_without_a_name_for_each_deleted_lead(past):
	delete(past)
	for report, (show, count) in WITH_LISTS.items():
		grouped = rows(report)
		total = sum(row[count] for row in grouped if not row.get("indent"))
		result = rows(report, show=show, count=count)
		assert len(result) == total > 0, report
		assert {row["lead"] for row in result} == {None}, report
		assert {row["title"] for row in result} == {"Deleted Lead"}, report
	assert "deleted-" not in str(rows("Stage Conversion", show="Leads"))


def test_a_merged_lead_is_counted_once_with_what_both_were(past):
	first, _shared, never, *_others = past
	# a clock that one of them missed is met where somebody was in touch with the other in time
	clocks = figures("Follow-up Compliance", {"group_by": "Clock"}, ("clocks",))

	frappe.rename_doc("Lead", never, first, merge=True)

	assert figures("Follow-up Compliance", {"group_by": "Clock"}, ("clocks",)) == clocks
	reached = figures("Stage Conversion", {"include_non_buyers": 1}, ("reached",))
	assert max(reached.values()) == (len(past) - 1,)


# --- for whom they count -----------------------------------------------------------------------------------


SEEN_BY = {
	# a reader's roles, User Permissions, and whether the settings hide raw leads
	"of one company": (("Sales Manager",), {"Company": "own"}, False),
	"of another company": (("Sales Manager",), {"Company": "other"}, False),
	"of one territory": (("Sales Manager",), {"Territory": "own"}, False),
	"of sales, raw leads hidden": (("Sales User",), {}, True),
}


@pytest.mark.parametrize("reader", SEEN_BY)
def test_a_deleted_lead_counts_for_whoever_saw_it(past, reader, as_user):
	roles, permissions, is_hidden = SEEN_BY[reader]
	user = BEN if is_hidden else "reader@remnants.example"
	make_user(user, *roles)  # also one that there is
	frappe.db.set_single_value("Lead Quality Settings", "hide_unqualified_leads", int(is_hidden))
	values = frappe.db.get_value("Lead", past[0], ["company", "territory"], as_dict=True)
	if not values.territory:
		values.territory = frappe.get_all("Territory", {"is_group": 0}, pluck="name", order_by="name asc")[0]
		frappe.db.set_value("Lead", {"name": ["in", past]}, "territory", values.territory)
	for doctype, which in permissions.items():
		value = values[doctype.lower()] if which == "own" else other_company()
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": doctype, "for_value": value}
		).insert()
	reports = [row for row in REPORTS if row[0] != "Gate Overrides" and may_run(user, row[0])]
	with as_user(user):
		before = all_figures(reports)
		seen = len(frappe.get_list("Lead", {"name": ["in", past]}))

	delete(past)

	with as_user(user):
		assert all_figures(reports) == before
	if "other" in permissions.values():
		assert seen == 0 and not any(before.values())
	else:
		assert seen and any(before.values())


def test_who_may_not_see_what_is_left_of_a_lead_sees_nothing_of_its_handovers(past, as_user):
	territories = frappe.get_all("Territory", {"is_group": 0}, pluck="name", order_by="name asc", limit=2)
	frappe.db.set_value("Lead", {"name": ["in", past]}, "territory", territories[0])
	readers = {territory: f"reader{index}@remnants.example" for index, territory in enumerate(territories)}
	for territory, user in readers.items():
		make_user(user, "Lead Quality Manager")
		values = {"user": user, "allow": "Territory", "for_value": territory}
		frappe.get_doc({"doctype": "User Permission", **values}).insert()

	delete(past)

	left = set(frappe.get_all("Handover Remnant", pluck="name"))
	assert left
	for territory, user in readers.items():
		with as_user(user):
			listed = set(frappe.get_list("Handover Remnant", pluck="name"))
			shown = {name for name in left if frappe.has_permission("Handover Remnant", doc=name)}
		assert listed == shown == (left if territory == territories[0] else set())


def may_run(user: str, report: str) -> bool:
	roles = {row.role for row in frappe.get_cached_doc("Report", report).roles}
	return bool(roles & set(frappe.get_roles(user)))


def other_company() -> str:
	return (
		frappe.get_doc(
			{
				"doctype": "Company",
				"company_name": "Elsewhere Ltd",
				"abbr": "ELW",
				"default_currency": "EUR",
				"country": "Germany",
			}
		)
		.insert()
		.name
	)


def test_where_nobody_can_tell_whether_a_reader_saw_them_deleted_leads_count_for_nobody_and_break_nothing(
	past, as_user
):
	reader = make_user("reader@remnants.example", "Sales Manager").name
	gender = frappe.get_all("Gender", pluck="name", order_by="name asc")[0]
	frappe.db.set_value("Lead", {"name": ["in", past]}, "gender", gender)
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Gender", "for_value": gender}
	).insert()
	with as_user(reader):
		assert figures("Source Effectiveness", {}, ("leads",))
	delete(past)
	assert not remnants.count_for(reader)
	with as_user(reader):
		assert not figures("Source Effectiveness", {}, ("leads",))


def test_what_a_remnant_names_can_be_deleted_and_a_company_s_deletion_leaves_it(past):
	delete(past)
	doctypes = {"Lead Remnant", "Handover Remnant"}
	assert doctypes <= set(frappe.get_hooks("ignore_links_on_delete"))
	with_company = {name for name in doctypes if frappe.get_meta(name).has_field("company")}
	assert with_company <= set(frappe.get_hooks("company_data_to_be_ignored"))
	assert frappe.db.count("Handover Remnant") == 1
	with pytest.raises(frappe.PermissionError):
		frappe.delete_doc("Handover Remnant", frappe.get_last_doc("Handover Remnant").name)


def test_a_source_that_only_deleted_leads_had_keeps_its_name(past):
	delete(past)
	source = frappe.db.get_value("Lead Remnant", {"source": ONLY_SOURCE}, "source")
	assert source == ONLY_SOURCE and lead_field("source")
	assert ONLY_SOURCE in {row["source"] for row in rows("Source Effectiveness")}
