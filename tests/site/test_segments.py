"""Segments tried on the leads that there are, and all leads put into their segments and judged again."""

import frappe
import pytest

from lead_quality import api
from lead_quality.base.parts import open_parts
from lead_quality.demo.factories import make_checklist, make_lead, use_checklist
from lead_quality.lead_quality.doctype.lead_segment.lead_segment import get_broken_segments
from lead_quality.qualification import requalify
from lead_quality.qualification.definitions import clear_caches
from lead_quality.qualification.jobs import resume_requalification


@pytest.fixture
def small_parts(monkeypatch):
	monkeypatch.setattr(requalify, "PART", 3)
	monkeypatch.setattr(requalify, "CHUNK", 2)


def new_segment(value: str = "Hamburg", **values):
	segment = frappe.new_doc("Lead Segment")
	rule = {"field": "city", "operator": "=", "value": value}
	return segment.update({"title": "Port", "priority": 1, "rules": [rule], **values})


def segment_of(lead) -> str:
	return frappe.db.get_value("Lead", lead.name, "lq_segment")


def run_of(progress: dict):
	return frappe.get_doc("Follow Up Run", progress["run"])


def test_a_segment_is_tried_on_the_leads_that_there_are_before_it_is_switched_on():
	before = new_segment().try_out()
	moving = [make_lead(city="Hamburg"), make_lead(city="hamburg", source="Exhibition")]
	make_lead(city="Bremen")
	tried = new_segment().try_out()
	assert tried["leads"] == before["leads"] + 3
	assert (tried["match"], tried["change"]) == (before["match"] + 2, before["change"] + 2)
	assert {"from": "Inbound", "to": "Port", "leads": 1} in tried["moves"]
	assert {row["name"] for row in tried["examples"]} >= {lead.name for lead in moving}
	assert not frappe.db.exists("Lead Segment", "Port")
	assert segment_of(moving[0]) == "Inbound"


def test_a_segment_behind_another_takes_only_what_that_one_leaves():
	make_lead(city="Hamburg")
	tried = new_segment(priority=1000).try_out()
	assert (tried["match"] > 0, tried["take"], tried["change"]) == (True, 0, 0)


def test_a_segment_that_is_switched_off_is_tried_too():
	new_segment().insert()
	lead = make_lead(city="Hamburg")
	segment = frappe.get_doc("Lead Segment", "Port")
	segment.enabled = 0
	tried = segment.try_out()
	assert {"from": "Port", "to": "Inbound", "leads": 1} in tried["moves"]
	assert segment_of(lead) == "Port"


def test_who_may_not_change_segments_does_not_try_them_out(make_user, as_user):
	with as_user(make_user("seller@segments.example", "Sales User")), pytest.raises(frappe.PermissionError):
		new_segment().try_out()


def test_examples_are_leads_that_the_user_may_see(make_user, as_user):
	lead = make_lead(city="Hamburg", territory="All Territories")
	hidden = make_lead(city="Hamburg", territory="Rest Of The World")
	manager = make_user("lqm@segments.example", "Lead Quality Manager")
	frappe.get_doc(
		{
			"doctype": "User Permission",
			"user": manager,
			"allow": "Lead",
			"for_value": lead.name,
		}
	).insert()
	with as_user(manager):
		names = {row["name"] for row in new_segment().try_out()["examples"]}
	assert lead.name in names
	assert hidden.name not in names


def test_a_segment_whose_field_is_gone_takes_no_lead_and_stops_nobody():
	segment = new_segment().insert()
	frappe.db.set_value("Lead Segment Rule", {"parent": segment.name}, "field", "field_of_old")
	clear_caches()
	lead = make_lead(city="Hamburg")
	assert segment_of(lead) == "Inbound"
	segment.reload()
	with pytest.raises(frappe.ValidationError, match=r"Row 1.*field_of_old"):
		segment.save()


@pytest.mark.parametrize("fieldname", ["notes", "doctype", "lq_section"])
def test_a_segment_whose_rule_asks_for_no_column_takes_no_lead_and_stops_nobody(fieldname):
	segment = new_segment().insert()
	frappe.db.set_value("Lead Segment Rule", {"parent": segment.name}, "field", fieldname)
	clear_caches()
	lead = make_lead(city="Hamburg")
	assert segment_of(lead) == "Inbound"
	run = run_of(api.judge_all_again())
	frappe.db.commit()
	run.reload()
	assert (run.status, run.failed) == ("Completed", 0)
	assert segment_of(lead) == "Inbound"
	assert "Port" in get_broken_segments()


def test_all_leads_are_sorted_and_judged_again_and_the_change_is_on_their_timelines(small_parts):
	use_checklist(
		make_checklist("Town", [{"criterion": "city", "answer_type": "Text", "lead_field": "city"}])
	)
	leads = [make_lead(city="Hamburg") for _number in range(7)]
	stays = make_lead(city="Bremen")
	new_segment(checklist="BANT v1").insert()
	run = run_of(api.judge_all_again())
	frappe.db.commit()
	assert {segment_of(lead) for lead in leads} == {"Port"}
	assert segment_of(stays) == "Inbound"
	assert frappe.db.get_value("Lead Journey", leads[0].name, ["segment", "present_segment"]) == (
		"Inbound",
		"Port",
	)
	run.reload()
	assert (run.status, run.found, run.total) == ("Completed", run.total, frappe.db.count("Lead"))
	assert run.done == 7
	assert frappe.get_all(
		"Comment", {"reference_name": leads[0].name, "content": ["like", "%Port%"]}, limit=1
	)
	# leads under way stay on the checklist that they began with
	assert frappe.db.get_value("Lead Qualification", {"lead": leads[0].name}, "checklist") == "Town v1"


def test_judging_all_again_changes_nothing_the_second_time(small_parts):
	make_lead(city="Hamburg")
	new_segment().insert()
	for _round in range(2):
		run = run_of(api.judge_all_again())
		frappe.db.commit()
	run.reload()
	assert (run.status, run.done) == ("Completed", 0)


def test_leads_under_way_move_to_a_new_version_with_their_answers():
	first = make_checklist("Moving", [{"criterion": "need", "answer_type": "Text"}, {"criterion": "old"}])
	use_checklist(first)
	lead = make_lead()
	api.qualify(lead.name, [{"criterion": "need", "value": "Space"}, {"criterion": "old", "value": "yes"}])
	second = first.make_new_version()
	second.set(
		"criteria", [second.criteria[0], {"criterion": "size", "label": "Size", "answer_type": "Check"}]
	)
	second.status = "Active"
	second.save()
	api.judge_all_again(move_from=first.name, move_to=second.name)
	frappe.db.commit()
	judged = frappe.get_doc("Lead Qualification", {"lead": lead.name})
	assert (judged.checklist, judged.verdict, judged.met_count) == (second.name, "Open", 1)
	assert [(row.criterion, row.value) for row in judged.answers] == [("need", "Space"), ("size", None)]
	assert frappe.db.get_value("Lead", lead.name, ["lq_verdict", "qualification_status"]) == (
		"Open",
		"In Process",
	)


def test_a_run_that_was_interrupted_goes_on_where_it_was_left(small_parts):
	leads = [make_lead(city="Hamburg") for _number in range(7)]
	new_segment().insert()
	run = requalify.start()
	frappe.db.after_commit.reset()  # the workers never hear of it
	parts = open_parts(run)
	requalify.do_part(parts[0])
	frappe.db.set_value("Follow Up Run", parts[1], "status", "Running")  # its worker was killed
	assert frappe.db.get_value("Follow Up Run", run, "status") == "Running"
	assert resume_requalification()["found"] == len(parts) - 1
	assert frappe.db.get_value("Follow Up Run", run, "status") == "Completed"
	assert {segment_of(lead) for lead in leads} == {"Port"}
	assert resume_requalification()["found"] == 0


def test_a_second_run_waits_for_the_first():
	make_lead()
	requalify.start()
	frappe.db.after_commit.reset()
	with pytest.raises(frappe.ValidationError, match="already"):
		requalify.start()


def test_one_bad_lead_does_not_stop_the_rest(small_parts, monkeypatch):
	leads = [make_lead(city="Hamburg") for _number in range(5)]
	new_segment().insert()
	pick = requalify.engine.pick_segment

	def fails_for_one(segments, lead, from_visitor):
		if lead.name == leads[2].name:
			raise ValueError("broken lead")
		return pick(segments, lead, from_visitor)

	monkeypatch.setattr(requalify.engine, "pick_segment", fails_for_one)
	run = requalify.start()
	frappe.db.commit()
	assert [segment_of(lead) for lead in leads] == ["Port", "Port", "Inbound", "Port", "Port"]
	failed = frappe.get_all("Follow Up Run", {"part_of": run, "failed": 1}, pluck="errors", order_by="name")
	assert len(failed) == 1
	assert "broken lead" in failed[0]


def test_a_part_that_waits_too_long_for_a_lock_is_tried_again(small_parts, monkeypatch):
	leads = [make_lead(city="Hamburg") for _number in range(3)]
	new_segment().insert()
	pick, waits = requalify.engine.pick_segment, [frappe.QueryTimeoutError, frappe.QueryDeadlockError]

	def waits_at_first(*args):
		if waits:
			raise waits.pop()("Lock wait timeout exceeded")
		return pick(*args)

	monkeypatch.setattr(requalify.engine, "pick_segment", waits_at_first)
	run = requalify.start()
	frappe.db.commit()
	assert (waits, frappe.db.get_value("Follow Up Run", run, "failed")) == ([], 0)
	assert {segment_of(lead) for lead in leads} == {"Port"}


def test_who_has_started_a_run_sees_how_far_it_is_after_every_commit_and_at_its_end(small_parts, monkeypatch):
	for _number in range(4):
		make_lead()
	told = []

	def hear(event=None, message=None, **options):
		if event == requalify.PROGRESS:
			told.append((options["user"], message["done"], message["status"]))

	monkeypatch.setattr(frappe, "publish_realtime", hear)
	run = run_of(api.judge_all_again())
	frappe.db.commit()
	assert {user for user, _done, _status in told} == {run.owner}
	assert len(told) >= run.total / requalify.CHUNK
	dones = [done for _user, done, _status in told]
	assert dones == sorted(dones)
	assert [status for _user, _done, status in told] == ["Running"] * (len(told) - 1) + ["Completed"]
	assert dones[-1] == run.total


def test_who_may_not_change_definitions_does_not_judge_all_again(make_user, as_user):
	with as_user(make_user("seller@again.example", "Sales User")), pytest.raises(frappe.PermissionError):
		api.judge_all_again()


def test_the_progress_of_a_run_can_be_asked_for():
	assert api.get_progress() is None
	make_lead()
	requalify.start()
	frappe.db.after_commit.reset()
	progress = api.get_progress()
	assert (progress["status"], progress["done"]) == ("Running", 0)
	assert progress["total"] == frappe.db.count("Lead")


def test_leads_that_nobody_has_asked_are_judged_by_their_own_data_when_a_checklist_comes_into_force():
	lead, silent = make_lead(city="Hamburg"), make_lead(city=None)
	use_checklist(
		make_checklist("Town", [{"criterion": "city", "answer_type": "Text", "lead_field": "city"}])
	)
	api.judge_all_again()
	frappe.db.commit()
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") == "Sales Ready"
	assert frappe.db.count("Lead Qualification", {"lead": silent.name}) == 0


def test_what_a_new_version_has_no_place_for_is_on_the_timeline_and_disqualifies_nobody():
	size = {"criterion": "size", "answer_type": "Text"}
	secret = {"criterion": "secret", "answer_type": "Text"}
	first = make_checklist("Moving", [size, secret])
	use_checklist(first)
	lead = make_lead()
	api.qualify(
		lead.name, [{"criterion": "size", "value": "a lot"}, {"criterion": "secret", "value": "hush"}]
	)
	second = first.make_new_version()
	second.criteria[0].update({"answer_type": "Number", "knock_out": 1})
	second.criteria[1].confidential = 1
	second.status = "Active"
	second.save()
	api.judge_all_again(move_from=first.name, move_to=second.name)
	frappe.db.commit()
	judged = frappe.get_doc("Lead Qualification", {"lead": lead.name})
	assert judged.verdict == "Open"
	assert [(row.value, row.confidential_value) for row in judged.answers] == [(None, None), (None, "hush")]
	lines = frappe.get_all("Comment", {"reference_name": lead.name}, pluck="content", order_by="creation asc")
	assert any("a lot" in line for line in lines)
	api.qualify(lead.name, [{"criterion": "size", "value": "20"}])
