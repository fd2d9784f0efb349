"""What processes share of the definitions in Redis is what was committed last, whoever asks and whenever."""

import frappe
import pytest

from lead_quality.qualification import definitions
from lead_quality.qualification.definitions import CACHE, GENERATION, LIFETIME, in_force

SEGMENT = "At Once Definitions"


@pytest.fixture(autouse=True)
def no_segment_left(elsewhere):
	yield
	frappe.db.rollback()
	elsewhere(lambda: frappe.delete_doc("Lead Segment", SEGMENT, ignore_missing=True, force=True))


def make_segment():
	frappe.get_doc(
		{"doctype": "Lead Segment", "title": SEGMENT, "priority": 990, "enabled": 1, "checklist": "BANT v1"}
	).insert(ignore_permissions=True)


def names() -> list[str]:
	return [name for name, _rules in in_force()["segments"]]


def new_request():
	"""What this process remembers of Redis is gone; its transaction goes on."""
	frappe.local.cache.clear()


def test_who_has_read_before_a_change_gives_nobody_what_was(elsewhere):
	frappe.db.sql("select name from `tabLead Segment`")
	elsewhere(make_segment)
	for key in (CACHE, GENERATION):
		frappe.cache.delete_value(key)
	new_request()
	assert SEGMENT not in names()  # its own transaction knows it as it was
	assert SEGMENT in elsewhere(names)
	frappe.db.rollback()
	new_request()
	assert SEGMENT in names()


def test_who_writes_late_what_was_right_when_it_was_read_gives_it_to_nobody(elsewhere, monkeypatch):
	frappe.db.rollback()
	for key in (CACHE, GENERATION):
		frappe.cache.delete_value(key)
	new_request()
	is_latest = definitions._is_latest

	def then_somebody_changes_them(generation):
		answer = is_latest(generation)
		frappe.db.sql("select 1 from `tabLead Segment`")
		monkeypatch.setattr(definitions, "_is_latest", is_latest)
		# the lock that was asked for ends with the transaction
		frappe.db.rollback()
		elsewhere(make_segment)
		return answer

	monkeypatch.setattr(definitions, "_is_latest", then_somebody_changes_them)
	assert SEGMENT not in names()
	assert SEGMENT in elsewhere(names)
	new_request()
	assert SEGMENT in names()


def test_what_is_not_committed_is_seen_by_who_has_changed_it_and_by_nobody_else(elsewhere):
	elsewhere(names)
	make_segment()
	assert SEGMENT in names()
	assert SEGMENT not in elsewhere(names)
	new_request()
	assert SEGMENT in names()
	frappe.db.rollback()
	assert SEGMENT not in names()


def test_what_redis_holds_expires(elsewhere):
	elsewhere(names)
	for key in (CACHE, GENERATION):
		assert 0 < frappe.cache.ttl(frappe.cache.make_key(key)) <= LIFETIME


# a document that each new lead asks for, a field of it, and two values
DOCUMENTS = {
	"Lead Segment": ({"title": SEGMENT, "priority": 990, "enabled": 0}, "priority", 991),
	"Follow Up Policy": (
		{
			"title": SEGMENT,
			"working_calendar": "Office Hours",
			"targets": [{"clock": "Triage", "within": 4, "unit": "Hours"}],
		},
		"escalate_to",
		"Administrator",
	),
	"Nurture Cadence": (
		{
			"title": SEGMENT,
			"working_calendar": "Office Hours",
			"steps": [{"step": "Call", "anchor": "Enrollment", "delay_unit": "Days", "channel": "Phone"}],
		},
		"min_touches",
		3,
	),
}


@pytest.fixture(params=DOCUMENTS)
def kept(request, elsewhere):
	"""Of a stored document: DocType, name, and what changes it, each time to the value that follows."""
	doctype = request.param
	values, field, changed = DOCUMENTS[doctype]
	name = elsewhere(lambda: frappe.get_doc({"doctype": doctype, **values}).insert().name)
	frappe.db.rollback()

	def change():
		frappe.get_doc(doctype, name).update({field: changed}).save()

	yield lambda: definitions.document(doctype, name).get(field) == changed, change
	frappe.db.rollback()
	elsewhere(lambda: frappe.delete_doc(doctype, name, force=True))


def test_a_document_that_somebody_has_changed_is_read_anew_by_every_process(kept, elsewhere):
	is_changed, change = kept
	assert not is_changed() and not elsewhere(is_changed)
	frappe.db.rollback()
	elsewhere(change)
	assert elsewhere(is_changed)
	frappe.db.rollback()
	new_request()
	assert is_changed()


def test_a_change_of_a_document_that_is_not_committed_is_read_by_who_has_made_it_and_by_nobody_else(
	kept, elsewhere
):
	is_changed, change = kept
	change()
	assert is_changed() and not elsewhere(is_changed)
	frappe.db.rollback()
	new_request()
	assert not is_changed()


def test_who_has_begun_before_a_document_was_changed_gives_nobody_what_it_was(kept, elsewhere):
	is_changed, change = kept
	frappe.db.sql("select name from `tabLead Segment`")
	elsewhere(change)
	new_request()
	assert not is_changed()  # its own transaction knows it as it was
	assert elsewhere(is_changed)
	frappe.db.rollback()
	new_request()
	assert is_changed()
