"""Versions of checklists and cadences: what comes of putting one in force is told before, and can be taken back."""

import frappe
import pytest

from lead_quality.base.versioned import changes_in_words
from lead_quality.demo.factories import make_checklist, make_lead

NEED = {"criterion": "need", "label": "What do they need?", "topic": "Need", "answer_type": "Text"}
BUDGET = {"criterion": "budget", "label": "Which budget?", "topic": "Budget", "answer_type": "Number"}
SIZE = {"criterion": "size", "label": "How many?", "topic": "Size", "answer_type": "Number"}
CALL = {"step": "Call", "channel": "Phone", "anchor": "Enrollment"}
MAIL = {"step": "Mail", "channel": "Email", "delay": 2, "delay_unit": "Working Days"}


@pytest.fixture
def checklist():
	return make_checklist("Versions", [NEED, BUDGET])


@pytest.fixture
def segment(checklist):
	return make_segment(checklist=checklist.name)


@pytest.fixture
def draft(checklist, segment):
	"""The next version, which asks another question."""
	copy = checklist.make_new_version()
	copy.criteria = [row for row in copy.criteria if row.criterion != "budget"]
	copy.criteria[0].mandatory = 1
	copy.append("criteria", SIZE)
	return copy.save()


def make_segment(**values):
	title = f"Segment {frappe.generate_hash(length=6)}"
	doc = {"doctype": "Lead Segment", "title": title, "priority": 1, "enabled": 1, **values}
	return frappe.get_doc(doc).insert()


def make_cadence(*steps, **values):
	title = f"Cadence {frappe.generate_hash(length=6)}"
	doc = {"doctype": "Nurture Cadence", "title": title, "status": "Active", "min_touches": 1, "steps": steps}
	return frappe.get_doc({**doc, "working_calendar": "Office Hours", **values}).insert()


def messages() -> list[str]:
	return [str(message.get("message")) for message in frappe.get_message_log()]


def test_activating_tells_first_what_it_replaces_who_uses_it_and_what_changes(checklist, segment, draft):
	effect = draft.preview_activation()
	assert (effect["replaces"], effect["segments"]) == (checklist.name, [segment.name])
	assert effect["changes"] == [
		"New: Size: a number above 0",
		"Removed: Budget: a number above 0",
	]
	assert frappe.db.get_value(checklist.doctype, draft.name, "status") == "Draft"


def test_activating_tells_how_many_leads_stay_on_the_version_before(checklist, segment, draft):
	make_lead("Anna", "Versioned")
	make_lead("Otto", "Versioned")
	found = frappe.get_all("Lead Qualification", {"checklist": checklist.name}, pluck="name")
	assert len(found) == draft.preview_activation()["leads"]


def test_the_version_before_can_be_put_in_force_again(checklist, segment, draft):
	draft.activate()
	assert frappe.db.get_value("Lead Segment", segment.name, "checklist") == draft.name
	before = frappe.get_doc(checklist.doctype, checklist.name)
	assert before.status == "Superseded"
	assert before.preview_activation()["replaces"] == draft.name
	before.activate()
	assert frappe.db.get_value(checklist.doctype, checklist.name, "status") == "Active"
	assert frappe.db.get_value(checklist.doctype, draft.name, "status") == "Superseded"
	assert frappe.db.get_value("Lead Segment", segment.name, "checklist") == checklist.name


def test_who_may_not_write_a_definition_does_not_activate_it(draft, make_user):
	frappe.set_user(make_user("reader@versions.example", "Sales User"))
	for method in (draft.preview_activation, draft.activate):
		with pytest.raises(frappe.PermissionError):
			method()


def test_a_first_version_says_all_that_it_holds():
	cadence = make_cadence(CALL, MAIL, status="Draft")
	effect = cadence.preview_activation()
	assert (effect["replaces"], effect["segments"], effect["leads"]) == (None, [], 0)
	assert effect["changes"] == [
		"Call: Phone, at enrollment",
		"Mail: Email, 2 working days after the step before",
	]


@pytest.mark.parametrize(
	"before, after, expected",
	[
		({}, {"a": "A"}, ["A"]),
		({"a": "A"}, {"a": "A"}, []),
		({"a": "A"}, {"a": "B"}, ["Changed: B (before: A)"]),
		({"a": "A", "b": "B"}, {"c": "C", "a": "A"}, ["New: C", "Removed: B"]),
		({"a": "A", "b": "B"}, {"b": "B", "a": "A"}, ["The order has changed."]),
	],
)
def test_changes_are_told_one_by_one(before, after, expected):
	assert changes_in_words(before, after) == expected


# what looks like a mistake


def test_a_step_without_delay_is_warned_of_when_it_is_saved_and_when_it_is_activated():
	frappe.clear_messages()
	cadence = make_cadence(CALL, {"step": "Mail & post", "channel": "Email"}, status="Draft")
	warning = "Step 2, Mail & post, has no delay: it is due as soon as step 1, Call, is done."
	assert frappe.utils.escape_html(warning) in messages()
	assert cadence.preview_activation()["warnings"] == [warning]
	frappe.clear_messages()
	cadence.description = "Another"
	cadence.save()
	assert not messages()


def test_the_plans_that_are_shipped_have_nothing_odd():
	for name in frappe.get_all("Nurture Cadence", {"status": "Active"}, pluck="name"):
		assert frappe.get_doc("Nurture Cadence", name).warnings_in_words() == []


def test_a_rule_that_no_lead_can_meet_is_warned_of_with_what_may_be_meant():
	frappe.clear_messages()
	segment = make_segment(
		rules=[
			{"field": "source", "operator": "in", "value": "Exhibiton, Campaign"},
			{"field": "status", "operator": "=", "value": "Leadd"},
			{"field": "city", "operator": "=", "value": "Atlantis"},
			{"field": "source", "operator": "like", "value": "%Exhib%"},
		]
	)
	warnings = messages()
	assert len(warnings) == 2
	assert "there is no Source Exhibiton" in warnings[0] and "Did you mean Exhibition?" in warnings[0]
	assert "Rule 2: there is no Status Leadd" in warnings[1] and "Did you mean Lead?" in warnings[1]
	segment.run_method("onload")
	assert len(segment.get("__onload").odd_values) == 2


def test_values_of_a_rule_are_picked_from_what_its_field_may_hold(make_user):
	from lead_quality.desk.search import rule_values

	assert "Exhibition" in rule_values("exhib", "source")
	assert "Lead" in rule_values("", "status")
	assert rule_values("", "city") == rule_values("", "no_such_field") == []
	frappe.set_user(make_user("values@versions.example", "Sales User"))
	with pytest.raises(frappe.PermissionError):
		rule_values("", "source")
