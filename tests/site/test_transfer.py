"""Somebody leaves: the leads go to others, all of them, and nobody is told once for each."""

import frappe
import pytest
from frappe.desk.form import assign_to
from frappe.utils import get_fullname, now_datetime

from lead_quality import api
from lead_quality.demo.factories import make_employee, make_lead, make_sales_ready
from lead_quality.desk import search
from lead_quality.follow_up.risks import NO_OWNER, countdown
from lead_quality.handover import jobs, transfer
from lead_quality.patches import hand_back_leads
from tests.site.helpers import settings

WHY = "Sam & Ann have left"


@pytest.fixture
def sam(make_user):
	return make_user("sam@transfer.example", "Sales User", last_name="Sales")


@pytest.fixture
def bea(make_user):
	return make_user("bea@transfer.example", "Sales User")


@pytest.fixture
def chief(make_user):
	return make_user("chief@transfer.example", "Sales Manager")


@pytest.fixture
def olga(make_user):
	"""The owner of the segment of leads that come in by the website."""
	user = make_user("olga@transfer.example", "Sales User")
	frappe.get_doc("Lead Segment", "Inbound").update({"segment_owner": user}).save()
	return user


@pytest.fixture
def give(chief, sam, as_user):
	"""Starts a Lead Transfer of the leads of Sam as the chief, has its job done, and returns it."""

	def start(user: str = chief, **values):
		with as_user(user):
			doc = frappe.get_doc(new(sam, **values)).insert()
		frappe.db.commit()
		return doc.reload()

	return start


def new(from_user: str, **values) -> dict:
	return {"doctype": "Lead Transfer", "from_user": from_user, "give_to": "User", "note": WHY, **values}


def made() -> list[str]:
	return frappe.get_all(
		"Lead Transfer", {"from_user": ["like", "%@transfer.example"]}, pluck="name", order_by="name"
	)


def make_leads(number: int, owner: str, **values) -> list[str]:
	return [make_lead(first_name=f"Anna{i}", lead_owner=owner, **values).name for i in range(number)]


def owner(lead: str) -> str | None:
	return frappe.db.get_value("Lead", lead, "lead_owner")


def owners(leads: list[str]) -> set:
	return set(frappe.get_all("Lead", {"name": ["in", leads]}, pluck="lead_owner", order_by="name"))


def told(user: str, **filters) -> list:
	return frappe.get_all(
		"Notification Log", {"for_user": user, **filters}, ["subject", "link"], order_by="creation"
	)


def timeline(lead: str) -> list[str]:
	return frappe.get_all(
		"Comment",
		{"reference_doctype": "Lead", "reference_name": lead, "comment_type": "Info"},
		pluck="content",
		order_by="creation",
	)


def todos(lead: str, **filters) -> list[str | None]:
	return frappe.get_all(
		"ToDo",
		{"reference_type": "Lead", "reference_name": lead, "status": "Open", **filters},
		pluck="allocated_to",
		order_by="creation",
	)


def disable(user: str):
	doc = frappe.get_doc("User", user)
	doc.enabled = 0
	doc.save(ignore_permissions=True)
	frappe.db.commit()


def hand_over(lead: str, to_user: str):
	make_sales_ready(lead)
	return api.send_handover(lead, to_user)


def make_rule(*users: str, **values) -> str:
	return (
		frappe.get_doc(
			{
				"doctype": "Assignment Rule",
				"name": "Sales Team",
				"document_type": "Lead",
				"description": "Call {{ title }}",
				"assign_condition": "False",
				"rule": "Round Robin",
				"users": [{"user": user} for user in users],
				"assignment_days": [{"day": day} for day in ("Monday", "Tuesday")],
				**values,
			}
		)
		.insert()
		.name
	)


# what is moved


def test_more_leads_than_are_read_at_once_move_with_one_notice(give, sam, bea, chief, monkeypatch):
	monkeypatch.setattr(transfer, "CHUNK", 10)  # two chunks, and a part of one
	leads = make_leads(25, sam)
	doc = give(to_user=bea)
	assert (doc.status, doc.found, doc.moved, doc.failed) == ("Completed", 25, 25, 0)
	assert owners(leads) == {bea}
	[notice] = told(bea)
	assert notice.subject == "You now own 25 leads of Sam Sales. Sam & Ann have left"
	assert notice.link.endswith("?lead_owner=bea%40transfer.example")
	assert [(row.user, row.leads) for row in doc.receivers] == [(bea, 25)]
	assert not told(sam)


def test_the_timeline_says_who_gave_the_lead_to_whom_and_why(give, sam, bea, chief):
	[lead] = make_leads(1, sam)
	give(to_user=bea)
	assert (
		timeline(lead)[-1]
		== f"changed the owner from Sam Sales to {get_fullname(bea)}: Sam &amp; Ann have left"
	)
	assert (
		frappe.get_all("Comment", {"reference_name": lead}, pluck="owner", order_by="creation")[-1] == chief
	)
	assert told(bea)[0].subject.startswith("You now own a lead of Sam Sales.")


def test_who_held_the_lead_is_kept(give, sam, bea):
	[lead] = make_leads(1, sam)
	doc = give(to_user=bea)
	held = frappe.get_all("Lead Holding", {"transfer": doc.name}, ["lead", "user"], order_by="name")
	assert held == [{"lead": lead, "user": sam}]


def test_open_assignments_go_along_without_a_notice_for_each(give, sam, bea, chief):
	lead, other = make_leads(2, sam)
	for name in (lead, other):
		assign_to.add({"assign_to": [sam], "doctype": "Lead", "name": name, "description": "Call"})
	assign_to.add({"assign_to": [chief], "doctype": "Lead", "name": lead})
	assign_to.close_all_assignments("Lead", other)
	frappe.db.delete("Notification Log")
	give(to_user=bea)
	assert sorted(todos(lead)) == [bea, chief]
	assert bea not in todos(other)
	assert bea in frappe.parse_json(frappe.db.get_value("Lead", lead, "_assign"))
	assert len(told(bea)) == 1


def test_a_lead_that_nobody_works_on_any_more_stays(give, sam, bea):
	working, lost, disabled = make_leads(3, sam)
	frappe.db.set_value("Lead", lost, "status", "Do Not Contact")
	frappe.db.set_value("Lead", disabled, "disabled", 1)
	assert give(to_user=bea).moved == 1
	assert [owner(lead) for lead in (working, lost, disabled)] == [bea, sam, sam]


def test_a_handover_goes_back_to_its_sender_who_is_told_why(give, sam, bea, chief, as_user):
	lead = make_lead(lead_owner=bea)
	with as_user(bea):
		handover = hand_over(lead.name, sam)
	frappe.db.delete("Notification Log")
	doc = give(to_user=chief)
	assert (doc.handovers, doc.found, doc.moved) == (1, 0, 0)
	assert frappe.db.get_value("Lead Handover", handover.name, "status") == "Pulled Back"
	assert owner(lead.name) == bea
	[notice] = told(bea)
	assert "Sam Sales will not answer the handover" in notice.subject
	assert not told(sam)


def test_a_lead_does_not_go_back_to_a_sender_who_has_left_too(give, sam, bea, make_user, as_user):
	gone = make_user("gone@transfer.example", "Sales User")
	lead = make_lead(lead_owner=gone)
	with as_user(gone):
		handover = hand_over(lead.name, sam)
	frappe.db.set_value("Lead", lead.name, "lead_owner", sam)
	frappe.db.set_value("User", gone, "enabled", 0)
	doc = give(to_user=bea)
	assert (doc.handovers, doc.moved) == (1, 1)
	assert frappe.db.get_value("Lead Handover", handover.name, "status") == "Pulled Back"
	assert owner(lead.name) == bea


# who gets them


def test_leads_go_to_the_owners_of_their_segments_else_to_the_last_resort_else_to_nobody(
	give, sam, olga, make_user
):
	[mine] = make_leads(1, sam)
	assert give(give_to="Segment Owner", to_user=olga).to_user is None
	assert owner(mine) == olga

	fallback = make_user("fallback@transfer.example", "Sales User")
	settings(fallback_user=fallback)
	frappe.db.set_value("User", olga, "enabled", 0)
	[second] = make_leads(1, sam)
	give(give_to="Segment Owner")
	assert owner(second) == fallback

	settings(fallback_user=None)
	[third] = make_leads(1, sam)
	assign_to.add({"assign_to": [sam], "doctype": "Lead", "name": third, "description": "Call"})
	doc = give(give_to="Segment Owner")
	assert not owner(third)
	assert [(row.user, row.leads) for row in doc.receivers] == [(None, 1)]
	assert countdown(third)["faults"] == [NO_OWNER]
	assert todos(third) == [None]
	assert "the lead now has no owner" in timeline(third)[-1]


def test_a_segment_owner_who_may_not_write_the_lead_is_passed_by(give, sam, olga):
	frappe.get_doc(
		{"doctype": "User Permission", "user": olga, "allow": "Lead", "for_value": make_lead().name}
	).insert()
	[lead] = make_leads(1, sam)
	give(give_to="Segment Owner")
	assert not owner(lead)


def test_an_outside_qualifier_can_get_leads_that_were_not_theirs(give, sam, make_user):
	agency = make_user("agency@transfer.example", "Lead Qualifier")
	[lead] = make_leads(1, sam)
	assert give(to_user=agency).status == "Completed"
	assert owner(lead) == agency


@pytest.mark.parametrize("rule", ["Round Robin", "Load Balancing"])
def test_an_assignment_rule_shares_the_leads_out(give, sam, bea, olga, rule):
	leads = make_leads(4, sam)
	assign_to.add({"assign_to": [sam], "doctype": "Lead", "name": leads[0], "description": "Call"})
	frappe.db.delete("Notification Log")
	doc = give(give_to="Assignment Rule", assignment_rule=make_rule(sam, bea, olga, rule=rule))
	assert sorted((row.user, row.leads) for row in doc.receivers) == [(bea, 2), (olga, 2)]
	assert [todos(lead) for lead in leads] == [[owner(lead)] for lead in leads]
	assert len(told(bea)) == len(told(olga)) == 1


# what goes wrong


def test_one_bad_lead_does_not_stop_the_rest(give, sam, bea):
	leads = make_leads(3, sam)
	frappe.db.set_value("Lead", leads[1], "email_id", bea)  # ERPNext refuses that an owner is the lead
	doc = give(to_user=bea)
	assert (doc.status, doc.found, doc.moved, doc.failed) == ("Failed", 3, 2, 1)
	assert [owner(lead) for lead in leads] == [bea, sam, bea]
	assert leads[1] in doc.errors
	assert "Lead Owner cannot be same" in doc.errors
	assert not timeline(leads[1]) or "changed the owner" not in timeline(leads[1])[-1]


def test_a_lead_that_its_receiver_may_not_write_stays(give, sam, bea):
	allowed, other = make_leads(2, sam)
	frappe.get_doc(
		{"doctype": "User Permission", "user": bea, "allow": "Lead", "for_value": allowed}
	).insert()
	doc = give(to_user=bea)
	assert (doc.status, doc.moved, doc.failed) == ("Failed", 1, 1)
	assert [owner(allowed), owner(other)] == [bea, sam]
	assert doc.errors.startswith(other)
	assert doc.errors.endswith(f": {bea} may not work on this lead.")
	assert told(bea)[0].subject.startswith("You now own a lead of Sam Sales")


def test_who_has_given_all_leads_away_can_be_deleted(give, sam, bea):
	make_leads(1, sam)
	give(to_user=bea)
	frappe.delete_doc("User", sam)
	assert not frappe.db.exists("User", sam)


def test_it_may_run_twice(give, sam, bea):
	make_leads(2, sam)
	doc = give(to_user=bea)
	transfer.run(doc.name)
	doc.db_set("status", "Running")
	transfer.run(doc.name)
	doc.reload()
	assert (doc.status, doc.found, doc.moved) == ("Completed", 2, 2)
	assert len(told(bea)) == 1


def test_a_transfer_whose_worker_was_killed_goes_on(give, sam, bea, chief, as_user, monkeypatch):
	leads = make_leads(3, sam)
	monkeypatch.setattr(transfer, "CHUNK", 2)
	told_progress = transfer.tell_progress

	def die(name):
		raise KeyboardInterrupt

	monkeypatch.setattr(transfer, "tell_progress", die)
	with pytest.raises(KeyboardInterrupt):
		give(to_user=bea)
	assert frappe.session.user == "Administrator"
	monkeypatch.setattr(transfer, "tell_progress", told_progress)
	name = frappe.get_all("Lead Transfer", {"from_user": sam}, pluck="name", order_by="name")[0]
	assert frappe.db.get_value("Lead Transfer", name, ["status", "moved"]) == ("Running", 2)

	assert jobs.resume_transfers() == {"found": 1, "done": 1, "failed": 0}
	doc = frappe.get_doc("Lead Transfer", name)
	assert (doc.status, doc.found, doc.moved) == ("Completed", 3, 3)
	assert owners(leads) == {bea}
	assert told(bea)[0].subject.startswith("You now own 3 leads")
	assert jobs.resume_transfers() == {"found": 0, "done": 0, "failed": 0}


# a user is disabled


def test_the_leads_of_a_user_who_is_disabled_go_back_by_themselves(sam, olga, chief, bea, as_user):
	employee = make_employee(sam, reports_to=make_employee(chief))
	frappe.db.set_value("Employee", employee, "status", "Left")
	leads = make_leads(3, sam)
	lead = make_lead(lead_owner=bea)
	with as_user(bea):
		hand_over(lead.name, sam)
	frappe.db.delete("Notification Log")
	disable(sam)
	[doc] = frappe.get_all("Lead Transfer", {"from_user": sam}, ["*"], order_by="name")
	assert (doc.give_to, doc.is_automatic, doc.status) == ("Segment Owner", 1, "Completed")
	assert (doc.moved, doc.handovers) == (3, 1)
	assert owners(leads) == {olga}
	assert told(olga)[0].subject == "You now own 3 leads of Sam Sales. The user was disabled."
	[notice] = told(chief)
	assert notice.subject.startswith("Sam Sales was disabled.")
	assert "owners of their segments: 3." in notice.subject


def test_the_leads_of_an_employee_who_leaves_go_back_once(sam, olga, as_user):
	employee = frappe.get_doc("Employee", make_employee(sam))
	leads = make_leads(2, sam)
	employee.update({"status": "Left", "relieving_date": frappe.utils.today()})
	employee.flags.ignore_mandatory = True
	employee.save(ignore_permissions=True)
	frappe.db.commit()
	assert frappe.db.get_value("User", sam, "enabled") == 0
	assert owners(leads) == {olga}
	assert len(made()) == 1


def test_nobody_is_told_of_a_user_who_is_back_before_anything_was_done(sam, chief, olga, monkeypatch):
	make_employee(sam, reports_to=make_employee(chief))
	leads = make_leads(2, sam)
	monkeypatch.setattr(transfer, "enqueue", lambda name: None)
	disable(sam)
	frappe.db.set_value("User", sam, "enabled", 1)
	transfer.run(made()[0])
	assert owners(leads) == {sam}
	assert not told(chief)


def test_a_lead_that_the_database_breaks_off_is_tried_again(sam, bea, monkeypatch):
	leads, tried = make_leads(2, sam), []
	choose_receiver = transfer._receiver

	def in_the_way(doc, lead):
		tried.append(lead.name)
		if len(tried) == 1:
			raise frappe.QueryDeadlockError
		return choose_receiver(doc, lead)

	monkeypatch.setattr(transfer, "_receiver", in_the_way)
	doc = frappe.get_doc(new(sam, to_user=bea)).insert()
	frappe.db.commit()
	doc.reload()
	assert (doc.status, doc.moved, doc.failed) == ("Completed", 2, 0)
	assert owners(leads) == {bea}
	assert len(tried) == 3


def test_who_sees_only_some_leads_sees_only_own_transfers(sam, bea, make_user, as_user):
	make_leads(1, sam)
	frappe.get_doc(new(sam, to_user=bea)).insert()
	frappe.db.commit()
	elsewhere = make_user("elsewhere@transfer.example", "Sales Manager")
	with as_user(elsewhere):
		assert frappe.get_list("Lead Transfer", pluck="name") == made()
	other = frappe.get_doc({"doctype": "Territory", "territory_name": "Elsewhere"}).insert().name
	frappe.get_doc(
		{"doctype": "User Permission", "user": elsewhere, "allow": "Territory", "for_value": other}
	).insert()
	with as_user(elsewhere):
		assert frappe.get_list("Lead Transfer", pluck="name") == []
		assert not frappe.get_doc("Lead Transfer", made()[0]).has_permission("read")


def test_without_a_manager_the_last_resort_hears_that_leads_went_back(sam, make_user):
	fallback = make_user("fallback@transfer.example", "Lead Qualifier")
	settings(fallback_user=fallback)
	make_leads(2, sam)
	disable(sam)
	assert [notice.subject.split(".")[0] for notice in told(fallback)] == [
		"You now own 2 leads of Sam Sales",
		"Sam Sales was disabled",
	]
	assert "/lead" in told(fallback)[1].link  # the transfer itself is not for this user's eyes


def test_nothing_is_made_for_a_user_without_leads_nor_if_the_settings_say_no(sam, bea):
	disable(bea)
	settings(hand_back_leads=0)
	[lead] = make_leads(1, sam)
	disable(sam)
	assert not made()
	assert owner(lead) == sam


def test_another_save_of_a_user_costs_nothing(sam, count_queries):
	make_leads(1, sam)
	doc = frappe.get_doc("User", sam)
	doc.first_name = "Samuel"
	with count_queries() as queries:
		doc.save()
	assert not [query for query in queries if "tabLead`" in query or "Lead Transfer" in query]


def test_a_user_who_is_back_before_the_worker_came_keeps_the_leads(sam, olga):
	[lead] = make_leads(1, sam)
	doc = frappe.get_doc("User", sam)
	doc.enabled = 0
	doc.save()
	frappe.db.set_value("User", sam, "enabled", 1)
	frappe.db.commit()
	assert frappe.db.get_value("Lead Transfer", {"from_user": sam}, "status") == "Completed"
	assert owner(lead) == sam


def test_a_fault_does_not_keep_the_user_enabled(sam):
	make_leads(1, sam)
	frappe.get_doc(
		{
			"doctype": "Property Setter",
			"doctype_or_field": "DocField",
			"doc_type": "Lead Transfer",
			"field_name": "assignment_rule",
			"property": "reqd",
			"property_type": "Check",
			"value": "1",
		}
	).insert()
	frappe.clear_cache(doctype="Lead Transfer")
	disable(sam)
	assert not frappe.db.get_value("User", sam, "enabled")
	assert not made()
	assert frappe.db.exists("Error Log", {"method": ["like", "%sam@transfer.example%"]})


def test_an_older_site_hands_back_too():
	frappe.db.delete("Singles", {"doctype": "Lead Quality Settings"})
	hand_back_leads.execute()
	assert not frappe.db.get_singles_dict("Lead Quality Settings")
	frappe.db.set_single_value("Lead Quality Settings", "stale_after_days", 30)
	hand_back_leads.execute()
	assert frappe.db.get_single_value("Lead Quality Settings", "hand_back_leads") == 1
	frappe.db.set_single_value("Lead Quality Settings", "hand_back_leads", 0)
	hand_back_leads.execute()
	assert frappe.db.get_single_value("Lead Quality Settings", "hand_back_leads") == 0


# who may, and what is refused


@pytest.mark.parametrize("role", ["Sales User", "Lead Qualifier"])
def test_who_sells_or_qualifies_neither_makes_nor_reads_transfers(make_user, give, sam, bea, as_user, role):
	make_leads(1, sam)
	done = give(to_user=bea)
	make_leads(1, sam)
	with as_user(make_user("rep@transfer.example", role)):
		with pytest.raises(frappe.PermissionError):
			frappe.get_doc(new(sam, to_user=bea)).insert()
		with pytest.raises(frappe.PermissionError):
			frappe.get_list("Lead Transfer")
		assert not frappe.has_permission("Lead Transfer", "read", doc=done.name)
		for function in (
			lambda: api.preview_transfer(sam),
			lambda: search.givers("User", "", "name", 0, 10),
			lambda: search.lead_workers("User", "", "name", 0, 10),
			lambda: search.lead_rules("Assignment Rule", "", "name", 0, 10),
		):
			with pytest.raises(frappe.PermissionError):
				function()


@pytest.mark.parametrize("role", ["Lead Quality Manager", "Sales Manager", "System Manager"])
def test_managers_may(make_user, give, sam, bea, as_user, role):
	make_leads(1, sam)
	user = make_user("manager@transfer.example", role, "Sales User")
	with as_user(user):
		assert api.preview_transfer(sam, bea) == {
			"leads": 1,
			"handovers": 0,
			"giver": "Sam Sales",
			"receiver": get_fullname(bea),
		}
		assert frappe.has_permission("Lead Transfer", "create")
		assert not frappe.has_permission("Lead Transfer", "delete")
	assert give(user, to_user=bea).moved == 1


def test_the_starter_moves_only_leads_that_the_starter_may_write(give, sam, bea, chief, as_user):
	mine, theirs = make_leads(2, sam)
	handed = make_lead(lead_owner=bea)
	with as_user(bea):
		handover = hand_over(handed.name, sam)
	frappe.get_doc({"doctype": "User Permission", "user": chief, "allow": "Lead", "for_value": mine}).insert()
	with as_user(chief):
		assert api.preview_transfer(sam)["leads"] == 1
	doc = give(to_user=bea)
	assert (doc.status, doc.found, doc.moved, doc.handovers) == ("Completed", 1, 1, 0)
	assert [owner(mine), owner(theirs)] == [bea, sam]
	assert frappe.db.get_value("Lead Handover", handover.name, "status") == "Sent"


def test_who_disables_a_user_need_not_see_all_leads_for_them_to_go_back(sam, olga, make_user, as_user):
	admin = make_user("admin@transfer.example", "System Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": admin, "allow": "Lead", "for_value": make_lead().name}
	).insert()
	[lead] = make_leads(1, sam)
	with as_user(admin):
		disable(sam)
	assert owner(lead) == olga


@pytest.mark.parametrize(
	("values", "words"),
	[
		({"give_to": None}, "Give To|give_to"),
		({"to_user": None}, "To</strong> is empty|<b>To</b> is empty"),
		({"give_to": "Assignment Rule"}, "Assignment Rule"),
		({"to_user": "sam@transfer.example"}, "already owns these leads"),
		({"to_user": "gone@transfer.example"}, "is disabled"),
		({"to_user": "Administrator"}, "not a person"),
		({"to_user": "clerk@transfer.example"}, "may not work on leads"),
		({"give_to": "Assignment Rule", "assignment_rule": "Sales Team"}, "is disabled"),
		({"from_user": "bea@transfer.example", "to_user": "chief@transfer.example"}, "no lead in work"),
		({"from_user": None, "to_user": "bea@transfer.example"}, "From|from_user"),
	],
)
def test_a_choice_that_leads_nowhere_is_refused(sam, bea, chief, make_user, as_user, values, words):
	make_leads(1, sam)
	make_user("gone@transfer.example", "Sales User", enabled=0)
	make_user("clerk@transfer.example", "Accounts User")
	make_rule(bea, disabled=1)
	with as_user(chief), pytest.raises(frappe.ValidationError, match=words):
		frappe.get_doc({**new(sam, to_user=None), **values}).insert()
	assert not made()


def test_nobody_writes_what_the_app_sets(sam, bea, chief, as_user):
	make_leads(1, sam)
	with as_user(chief):
		doc = frappe.get_doc(
			new(
				sam,
				to_user=bea,
				status="Completed",
				is_automatic=1,
				started_by="Administrator",
				moved=7,
				started_at=now_datetime(),
				receivers=[{"user": bea, "leads": 7}],
			)
		).insert()
	doc.reload()
	assert (doc.status, doc.is_automatic, doc.started_by, doc.moved) == ("Queued", 0, chief, 0)
	assert not doc.started_at
	assert not doc.receivers


def test_what_was_started_is_not_changed(give, sam, bea, chief, as_user):
	make_leads(1, sam)
	doc = give(to_user=bea)
	with as_user(chief):
		for fieldname, value in (("to_user", chief), ("from_user", bea), ("note", "Another reason")):
			with pytest.raises(frappe.CannotChangeConstantError):
				doc.reload().set(fieldname, value)
				doc.save()
		doc.reload().update({"status": "Queued", "moved": 100, "started_by": bea, "receivers": []})
		doc.save()
	doc.reload()
	assert (doc.status, doc.moved, doc.started_by, len(doc.receivers)) == ("Completed", 1, chief, 1)


# what can be chosen


def test_who_has_left_can_be_chosen_and_is_marked(sam, bea, chief, as_user):
	make_leads(1, sam)
	frappe.db.set_value("User", sam, "enabled", 0)
	with as_user(chief):
		assert search.givers("User", "sam@tr", "name", 0, 10) == ((sam, "Sam Sales", "Disabled"),)
		assert not search.givers("User", "bea@tr", "name", 0, 10)
		assert not search.lead_workers("User", "sam@tr", "name", 0, 10)
		assert [row[0] for row in search.lead_workers("User", "bea@tr", "name", 0, 10)] == [bea]


def test_a_sales_manager_can_choose_a_rule_that_frappe_does_not_show(bea, chief, as_user):
	name = make_rule(bea)
	with as_user(chief):
		assert [row[0] for row in search.lead_rules("Assignment Rule", "Team", "name", 0, 10)] == [name]
		assert not frappe.has_permission("Assignment Rule", "read")


def test_the_menu_has_transfers_on_both_versions():
	assert "Lead Transfer" in [row.link_to for row in frappe.get_doc("Workspace", "Lead Quality").links]
	if frappe.db.exists("DocType", "Workspace Sidebar"):
		items = frappe.get_doc("Workspace Sidebar", "Lead Quality").items
		assert "Lead Transfer" in [row.link_to for row in items]
