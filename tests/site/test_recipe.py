"""The settings that an audit proposes, taken in on a site."""

import frappe
import pytest
from frappe.utils import now_datetime

from lead_quality.demo.factories import make_user
from lead_quality.desk.recipe import look_at, take_in
from lead_quality.engine.recipe import CALENDAR, POLICY, REASON, SEGMENT, Record, written
from lead_quality.qualification.reasons import is_reason_for
from tests.site.test_audit import back_up
from tests.site.test_history import at, old_document, old_lead, rep  # noqa: F401 (fixtures)

pytest.importorskip("duckdb", reason="the bench's development dependencies bring it")

from lead_quality.audit import audit

RECORDS = [
	Record(
		CALENDAR,
		"Recipe Hours",
		{
			"time_zone": "Europe/Berlin",
			"hours": [{"weekday": "Monday", "opens": "08:00:00", "closes": "17:00:00"}],
		},
	),
	Record(
		POLICY,
		"Recipe Policy",
		{
			"working_calendar": "Recipe Hours",
			"targets": [{"clock": "First Response", "within": 2.0, "unit": "Working Hours"}],
		},
		"It would have called out 7.",
	),
	Record(REASON, "Lost to the recipe", {"applies_to": "Disqualify"}, "6 leads were lost for it."),
	Record(
		SEGMENT,
		"Recipe Fair",
		{
			"follow_up_policy": "Recipe Policy",
			"rules": [{"field": "source", "operator": "=", "value": "Fair"}],
		},
	),
]
RECIPE = written(RECORDS, "Lead audit", "2026-06-30")


def there() -> dict[str, int]:
	return {doctype: frappe.db.count(doctype) for doctype in (CALENDAR, POLICY, REASON, SEGMENT)}


def test_a_look_at_a_recipe_makes_nothing():
	before = there()

	rows = look_at(RECIPE)

	assert [(row["doctype"], row["title"], row["is_new"]) for row in rows] == [
		(record.doctype, record.title, True) for record in RECORDS
	]
	assert rows[1]["why"] == "It would have called out 7."
	assert there() == before


def test_what_is_new_of_a_recipe_is_made_once():
	before = there()

	assert [row["is_new"] for row in take_in(RECIPE)] == [True] * 4
	assert [row["is_new"] for row in take_in(RECIPE)] == [False] * 4

	assert there() == {doctype: count + 1 for doctype, count in before.items()}
	assert frappe.get_doc(CALENDAR, "Recipe Hours").hours[0].weekday == "Monday"
	assert frappe.get_doc(POLICY, "Recipe Policy").working_calendar == "Recipe Hours"


def test_a_reason_of_a_recipe_can_be_chosen_at_once_to_disqualify_a_lead():
	rows = take_in(RECIPE)

	[name] = [row["name"] for row in rows if row["doctype"] == REASON]
	assert is_reason_for(name, "Disqualify")


def test_what_an_audit_makes_of_a_sites_backup_can_be_taken_in(tmp_path, old_lead):  # noqa: F811
	for number in range(6):
		lead = old_lead(f"RECIPE-{number}")
		old_document(
			"Opportunity",
			f"OPP-RECIPE-{number}",
			at(3),
			opportunity_from="Lead",
			party_name=lead,
			status="Lost",
			lost_reasons=[{"lost_reason": "Recipe rival"}],
		)

	done = audit.run(audit.Wish([(None, back_up(tmp_path))]), now_datetime())
	take_in(written(done.proposed, "Lead audit", "2026-06-30"))

	assert is_reason_for("Disqualify: Recipe rival", "Disqualify")


def test_what_is_there_already_stays_as_it_is():
	frappe.get_doc(
		{
			"doctype": CALENDAR,
			"title": "Recipe Hours",
			"time_zone": "Asia/Tokyo",
			"hours": [{"weekday": "Friday", "opens": "10:00:00", "closes": "11:00:00"}],
		}
	).insert()

	take_in(RECIPE)

	kept = frappe.get_doc(CALENDAR, "Recipe Hours")
	assert (kept.time_zone, len(kept.hours), kept.hours[0].weekday) == ("Asia/Tokyo", 1, "Friday")


def test_a_new_segment_takes_no_lead_before_it_is_switched_on():
	take_in(RECIPE)

	segment = frappe.get_doc(
		SEGMENT, frappe.get_all(SEGMENT, {"follow_up_policy": "Recipe Policy"}, pluck="name")[0]
	)
	assert segment.enabled == 0
	assert [(row.field, row.operator, row.value) for row in segment.rules] == [("source", "=", "Fair")]


@pytest.mark.parametrize(
	"text", ["", "{}", RECIPE.replace('"version": 1', '"version": 2'), RECIPE.replace(POLICY, "User")]
)
def test_what_is_no_recipe_of_this_version_is_refused_in_a_sentence(text):
	before = there()

	for function in (look_at, take_in):
		with pytest.raises(frappe.ValidationError, match="recipe"):
			function(text)

	assert there() == before


@pytest.mark.parametrize("role", ["Sales Manager", "Sales User", "Lead Qualifier"])
def test_a_recipe_is_for_those_who_may_change_the_settings(role):
	user = make_user("rita.recipe@example.com", role)
	frappe.set_user(user.name)

	for function in (look_at, take_in):
		with pytest.raises(frappe.PermissionError):
			function(RECIPE)


def test_a_lead_quality_manager_may_take_in_a_recipe():
	user = make_user("rita.recipe@example.com", "Lead Quality Manager")
	frappe.set_user(user.name)

	assert all(row["is_new"] for row in take_in(RECIPE))
