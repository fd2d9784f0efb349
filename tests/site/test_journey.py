"""The Lead Journey says what the truth says, whatever way something came into it."""

from collections.abc import Callable

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import make_customer
from frappe.utils import add_days, add_to_date, get_datetime, now_datetime, today

from lead_quality import api
from lead_quality.base.rows import update_rows
from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import (
	make_item,
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_order,
	make_sales_ready,
	make_source,
)
from lead_quality.funnel import journey
from lead_quality.funnel.jobs import reconcile_all_stages, reconcile_stages
from lead_quality.overrides.deletion import forget_missing_leads
from lead_quality.patches import fill_journeys
from tests.site import oracle


@pytest.fixture
def lead():
	lead = make_lead()
	make_sales_ready(lead.name)
	return lead


def of(lead) -> frappe._dict:
	"""The journey of a lead, as it is once what has happened is committed."""
	frappe.db.commit()
	return frappe.get_doc("Lead Journey", lead if isinstance(lead, str) else lead.name)


def order_for(customer: str):
	values = {"customer": customer, "delivery_date": add_days(today(), 10)}
	items = [{"item_code": make_item(), "qty": 1, "rate": 100}]
	return frappe.get_doc({"doctype": "Sales Order", **values, "items": items}).insert().submit()


def made(doctype: str, **values):
	company = frappe.defaults.get_global_default("company")
	return frappe.get_doc({"doctype": doctype, "company": company, **values}).insert()


# The ways


def by_form(lead):
	doc = frappe.get_doc("Lead", lead.name)
	doc.set(lead_field("source"), make_source("Exhibition"))
	doc.save()


def by_api(lead):
	api.log_touch(lead.name, "Phone", "Connected")


def by_handover(lead):
	seller = frappe.get_doc({"doctype": "User", "email": "seller@journey.example", "first_name": "Seller"})
	seller.flags.no_welcome_mail = True
	seller.append_roles("Sales User")
	seller.insert()
	return api.send_handover(lead.name, seller.name)


def by_acceptance(lead):
	api.accept_handover(by_handover(lead).name)


def by_return(lead):
	handover = by_handover(lead)
	api.accept_handover(handover.name)
	reason = frappe.db.get_value("Lead Outcome Reason", {"applies_to": ["like", "%Return%"]})
	api.return_handover(handover.name, reason, "Too early.")


def by_disqualification(lead):
	api.qualify(lead.name, decision="Disqualified", outcome_reason="Disqualify: Too small for us")


def by_import(lead):
	frappe.flags.in_import = True
	try:
		make_lead(first_name="Filed")
	finally:
		frappe.flags.in_import = False


def by_mail(lead):
	values = {"sent_or_received": "Received", "sender": lead.email_id, "communication_medium": "Email"}
	reference = {"reference_doctype": "Lead", "reference_name": lead.name}
	frappe.get_doc(
		{"doctype": "Communication", "subject": "Yes", "content": "Call me.", **values, **reference}
	).insert()


def by_undo(lead):
	api.undo_touch(api.log_touch(lead.name, "Phone", "Connected").name)


def by_db_set(lead):
	frappe.get_doc("Lead", lead.name).db_set("status", "Do Not Contact")


def by_rename(lead):
	frappe.rename_doc("Lead", lead.name, "LEAD-NAMED-ANEW")


def by_merge(lead):
	other = make_lead(first_name="Twice")
	api.log_touch(other.name, "Phone", "Connected")
	frappe.db.commit()
	frappe.rename_doc("Lead", other.name, lead.name, merge=True)


def by_deletion(lead):
	api.log_touch(lead.name, "Phone", "Connected")
	frappe.delete_doc("Lead", lead.name)


def by_quotation(lead):
	make_quotation(lead=lead.name)


def by_cancelled_quotation(lead):
	make_quotation(opportunity=make_opportunity(lead.name).name).cancel()


def by_order(lead):
	return make_sales_order(make_quotation(opportunity=make_opportunity(lead.name).name).name)


def by_cancelled_order(lead):
	by_order(lead).reload().cancel()


def by_amended_order(lead):
	order = by_order(lead)
	order.reload().cancel()
	amended = frappe.copy_doc(order)
	amended.amended_from, amended.docstatus, amended.status = order.name, 0, "Draft"
	amended.insert().submit()


def by_order_without_quotation(lead):
	order_for(make_customer(lead.name).insert().name)


def by_opportunity_of_a_prospect(lead):
	prospect = made("Prospect", company_name="Journey Works", leads=[{"lead": lead.name}])
	made("Opportunity", opportunity_from="Prospect", party_name=prospect.name)


def by_opportunity_without_a_lead(lead):
	customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Came by Itself"}).insert()
	made("Opportunity", opportunity_from="Customer", party_name=customer.name)


def by_deleted_opportunity(lead):
	frappe.delete_doc("Opportunity", make_opportunity(lead.name).name)


def by_moved_opportunity(lead):
	"""Both leads have another one, so that neither enters or leaves a stage, and its quotation is the other's now."""
	other = make_lead(first_name="Other", last_name="Works")
	make_sales_ready(other.name)
	moved = make_opportunity(lead.name)
	for one in (lead, other):
		make_opportunity(one.name)
	make_quotation(opportunity=moved.name)
	frappe.db.commit()
	moved.reload()
	moved.party_name = other.name
	moved.save()


def by_amount(lead):
	opportunity = make_opportunity(lead.name)
	frappe.db.commit()
	opportunity.reload()
	opportunity.items[0].rate = 7_000
	opportunity.opportunity_amount = 7_000
	opportunity.save()


def by_reopening(lead):
	doc = frappe.get_doc("Lead", lead.name)
	doc.status = "Do Not Contact"
	doc.save()
	frappe.db.commit()
	doc.reload()
	doc.status = "Open"
	doc.save()


HEARD_OF = [
	by_form,
	by_api,
	by_handover,
	by_acceptance,
	by_return,
	by_disqualification,
	by_import,
	by_mail,
	by_undo,
	by_db_set,
	by_rename,
	by_merge,
	by_deletion,
	by_quotation,
	by_cancelled_quotation,
	by_order,
	by_cancelled_order,
	by_amended_order,
	by_order_without_quotation,
	by_opportunity_of_a_prospect,
	by_opportunity_without_a_lead,
	by_deleted_opportunity,
	by_moved_opportunity,
	by_amount,
	by_reopening,
]


@pytest.mark.parametrize("way", HEARD_OF, ids=lambda way: way.__name__)
def test_a_journey_is_right_as_soon_as_something_has_happened_and_a_rebuild_changes_nothing(lead, way):
	frappe.db.commit()
	way(lead)
	frappe.db.commit()
	assert oracle.wrong_journeys() == []
	assert journey.rebuild() == 0


# Past every hook


def by_set_value(lead):
	frappe.db.set_value("Lead", lead.name, lead_field("source"), make_source("Exhibition"))


def by_touch_written_past_its_document(lead):
	touch = api.log_touch(lead.name, "Phone", "Connected")
	frappe.db.commit()
	frappe.db.set_value("Lead Touch", touch.name, "outcome", "No Answer")


def by_bulk_insert(lead):
	doc = frappe.get_doc({"doctype": "Lead", "lead_name": "In Bulk", "title": "In Bulk", "status": "Lead"})
	doc.name, doc.creation, doc.modified = "LEAD-BULK", now_datetime(), now_datetime()
	doc.db_insert()


def by_bulk_delete(lead):
	frappe.db.delete("Lead", {"name": lead.name})


def by_lost_row(lead):
	frappe.db.delete("Lead Journey", {"name": lead.name})
	frappe.db.set_value("Lead", lead.name, "city", "Bern")


@pytest.mark.parametrize(
	"way",
	[by_set_value, by_touch_written_past_its_document, by_bulk_insert, by_bulk_delete, by_lost_row],
	ids=lambda way: way.__name__,
)
def test_what_came_past_every_hook_is_put_right_within_the_hour(lead, way: Callable):
	reconcile_stages()
	way(lead)
	if way is not by_bulk_delete:
		assert oracle.wrong_journeys()
	reconcile_stages()
	forget_missing_leads()
	assert oracle.wrong_journeys() == []
	assert reconcile_stages()["done"] == 0


def test_what_does_not_say_when_it_was_changed_is_put_right_within_the_day(lead):
	api.log_touch(lead.name, "Phone", "Connected")
	reconcile_stages()
	update_rows("Lead Journey", [{"name": lead.name, "prospect_at": None, "touches": 9}])
	reconcile_all_stages()
	assert oracle.wrong_journeys() == []


# What it says


def test_a_journey_tells_the_whole_way_of_a_lead(freeze):
	with freeze("2025-03-03 09:00") as clock:
		lead = make_lead(first_name="Whole")
		clock.move_to("2025-03-03 10:00")
		api.log_touch(lead.name, "Phone", "No Answer")
		clock.move_to("2025-03-04 09:00")
		api.log_touch(lead.name, "Phone", "Connected")
		clock.move_to("2025-03-05 09:00")
		make_sales_ready(lead.name)
		clock.move_to("2025-03-06 09:00")
		by_acceptance(lead)
		clock.move_to("2025-03-07 09:00")
		opportunity = make_opportunity(lead.name)
		clock.move_to("2025-03-10 09:00:00.000001")  # ERPNext compares instants as text
		quotation = make_quotation(opportunity=opportunity.name)
		clock.move_to("2025-03-12 09:00:00.000001")
		order = make_sales_order(quotation.name)
		row = of(lead)
	instants = {
		"entered_at": "2025-03-03 09:00:00",
		"first_touch_at": "2025-03-03 10:00:00",
		"prospect_at": "2025-03-04 09:00:00",
		"conversation_at": "2025-03-04 09:00:00",
		"ready_at": "2025-03-05 09:00:00",
		"handed_over_at": "2025-03-06 09:00:00",
		"accepted_at": "2025-03-06 09:00:00",
		"opportunity_at": "2025-03-07 09:00:00",
		"quoted_at": "2025-03-10 09:00:00",
		"sale_at": "2025-03-12 09:00:00",
	}
	assert {column: str(row.get(column))[:19] for column in instants} == instants
	assert (row.stage, row.touches_before_conversation, row.touches) == ("sale", 1, 2)
	assert row.first_touch_raw_seconds == 3600
	assert row.company_value == order.base_grand_total > 0
	assert (row.exited_at, row.is_derived, row.is_non_buyer) == (None, 0, 0)


def test_how_a_lead_came_in_stays_beside_how_it_is_now(lead):
	doc = frappe.get_doc("Lead", lead.name)
	doc.set(lead_field("source"), make_source("Exhibition"))
	doc.save()
	row = of(lead)
	assert (row.source, row.present_source) == ("Website", "Exhibition")
	assert row.segment and row.present_segment == frappe.db.get_value("Lead", lead.name, "lq_segment")


def test_a_cancelled_order_is_no_sale_any_more_and_the_next_one_is(lead):
	customer = make_customer(lead.name).insert().name
	order = order_for(customer)
	assert of(lead).sale_at
	order.reload().cancel()
	assert (of(lead).sale_at, of(lead).stage) == (None, "target")
	again = order_for(customer)
	assert of(lead).sale_at > get_datetime(order.creation)
	assert of(lead).company_value == again.base_grand_total


def test_a_lead_that_was_disqualified_has_left_with_its_stage_and_reason(lead):
	by_disqualification(lead)
	row = of(lead)
	reason = frappe.db.get_value("Lead Qualification", {"lead": lead.name}, "verdict_reason")
	assert (row.exit_stage, row.exit_reason) == ("target", reason)
	assert row.exited_at and row.decided_at


def test_a_lead_that_is_taken_up_again_has_not_left(lead):
	by_reopening(lead)
	assert of(lead).exited_at is None


def test_a_returned_handover_was_accepted_once(freeze):
	with freeze("2025-03-03 09:00") as clock:
		lead = make_lead()
		make_sales_ready(lead.name)
		handover = by_handover(lead)
		api.accept_handover(handover.name)
		clock.move_to("2025-03-05 09:00")
		reason = frappe.db.get_value("Lead Outcome Reason", {"applies_to": ["like", "%Return%"]})
		api.return_handover(handover.name, reason, "Too early.")
		row = of(lead)
	assert str(row.accepted_at) == "2025-03-03 09:00:00"
	assert str(row.declined_at) == "2025-03-05 09:00:00"


def test_a_lead_that_was_sales_ready_once_stays_counted_when_it_is_not_any_more(lead):
	before = of(lead).ready_at
	by_disqualification(lead)
	assert frappe.db.get_value("Lead", lead.name, "lq_verdict") != "Sales Ready"
	assert of(lead).ready_at == before


# Who goes


def test_a_deleted_lead_keeps_its_journey_without_its_name_or_a_person(lead):
	before = of(lead)
	frappe.delete_doc("Lead", lead.name)
	frappe.db.commit()
	assert not frappe.db.exists("Lead Journey", lead.name)
	row = frappe.get_last_doc("Lead Journey", {"entered_at": before.entered_at, "exit_reason": "Deleted"})
	assert row.name == row.lead and row.name.startswith("deleted-")
	assert (row.source, row.ready_at, row.exit_stage) == (before.source, before.ready_at, "target")
	assert (row.owner_at_entry, row.present_owner) == (None, None)


def test_deleted_leads_from_before_the_journey_get_one(lead):
	api.log_touch(lead.name, "Phone", "Connected")
	frappe.delete_doc("Lead", lead.name)
	frappe.db.commit()
	kept = frappe.get_last_doc("Lead Journey", {"exit_reason": "Deleted"})
	frappe.db.delete("Lead Journey")
	fill_journeys.execute()
	frappe.db.commit()
	row = frappe.get_doc("Lead Journey", kept.name)
	same = (
		"name",
		"lead",
		"stage",
		"entered_at",
		"prospect_at",
		"source",
		"segment",
		"exit_stage",
		"company",
	)
	assert {column: row.get(column) for column in same} == {column: kept.get(column) for column in same}
	assert oracle.wrong_journeys() == []


def test_two_leads_that_have_become_one_have_one_journey(lead):
	other = make_lead(first_name="Twice")
	frappe.db.commit()
	frappe.rename_doc("Lead", other.name, lead.name, merge=True)
	frappe.db.commit()
	assert frappe.get_all("Lead Journey", {"lead": ["in", [lead.name, other.name]]}, pluck="name") == [
		lead.name
	]


def test_nothing_is_written_of_a_lead_that_was_not_saved_in_the_end():
	frappe.db.commit()
	frappe.db.savepoint("in_the_end")
	lead = make_lead(first_name="Unsaved")
	frappe.db.rollback(save_point="in_the_end")
	frappe.db.commit()
	assert not frappe.db.exists("Lead Journey", lead.name)
	lead = make_lead(first_name="Undone")
	frappe.db.rollback()
	frappe.db.commit()
	assert not frappe.db.exists("Lead Journey", lead.name)
	# and what comes after is written all the same
	assert of(make_lead(first_name="Saved")).stage == "target"


def test_a_journey_that_cannot_be_written_fails_nobody_and_is_made_within_the_hour(monkeypatch):
	reconcile_stages()
	touched = make_lead(first_name="Touched")
	frappe.db.commit()
	with monkeypatch.context() as broken:
		for write in ("_store", "_insert"):
			broken.setattr(journey, write, lambda rows: frappe.db.sql("select nothing from nowhere"))
		lead = make_lead()
		api.log_touch(touched.name, "Phone", "Connected")
		frappe.db.commit()
	assert not frappe.db.exists("Lead Journey", lead.name)
	assert not frappe.db.get_value("Lead Journey", touched.name, "touches")
	assert frappe.db.get_value("Lead", lead.name, "lq_stage") == "target"
	assert frappe.db.get_value("Lead", touched.name, "lq_stage") == "prospect"
	failed = frappe.get_all(
		"Error Log", {"method": ["like", "Lead Quality: the journey failed%"]}, pluck="name"
	)
	frappe.db.delete("Error Log", {"name": ["in", failed]})  # the table knows no rollback
	assert len(failed) == 2
	reconcile_stages()
	assert oracle.wrong_journeys() == []


def test_a_journey_that_somebody_else_has_written_meanwhile_is_made_again(lead, monkeypatch):
	frappe.db.commit()
	real = journey._store
	stale = []

	def store(rows):
		if not stale:  # as if this transaction had begun before the row was written last
			stale.extend(rows)
			rows = [frappe._dict(row, seen=add_to_date(row.seen, days=-1), touches=99) for row in rows]
			assert not real(rows)
			return False
		return real(rows)

	monkeypatch.setattr(journey, "_store", store)
	api.log_touch(lead.name, "Phone", "Connected")
	frappe.db.commit()
	assert stale and oracle.wrong_journeys() == []
	assert frappe.db.get_value("Lead Journey", lead.name, "touches") == 1


# Who reads it, and what it costs


def test_nobody_writes_or_deletes_a_journey_by_hand(lead):
	row = of(lead)
	with pytest.raises(frappe.PermissionError):
		row.save()
	with pytest.raises(frappe.PermissionError):
		row.delete()


def test_who_may_not_see_a_lead_does_not_see_its_journey(lead, make_user, as_user):
	mine = make_lead(first_name="Mine", lead_owner=make_user("outside@journey.example", "Lead Qualifier"))
	frappe.db.commit()
	with as_user("outside@journey.example"):
		assert frappe.get_list("Lead Journey", pluck="name") == [mine.name]
		assert frappe.has_permission("Lead Journey", doc=mine.name)
		assert not frappe.has_permission("Lead Journey", doc=lead.name)


def test_a_commit_reads_and_writes_journeys_once_however_much_has_happened(lead, count_queries):
	frappe.db.commit()
	others = [make_lead(first_name=f"Other{number}") for number in range(5)]
	api.log_touch(lead.name, "Phone", "Connected")
	api.log_touch(lead.name, "Phone", "Positive")
	with count_queries() as queries:
		frappe.db.commit()
	of_journeys = [query for query in queries if "tabLead Journey" in query]
	assert len(of_journeys) == 2
	assert len([query for query in queries.writing() if "tabLead Journey" in query]) == 1
	assert frappe.db.count("Lead Journey", {"name": ["in", [other.name for other in others]]}) == 5


def test_a_save_that_changes_what_the_journey_shows_of_the_lead_writes_it_in_one_statement(
	lead, make_user, count_queries
):
	api.log_touch(lead.name, "Phone", "Connected")
	frappe.db.commit()
	doc = frappe.get_doc("Lead", lead.name)
	doc.lead_owner = make_user("other@journey.example", "Sales User")
	doc.save()
	with count_queries() as queries:
		frappe.db.commit()
	after = of(lead)
	assert len([query for query in queries if "tabLead Journey" in query]) == 1
	assert (after.present_owner, after.touches) == ("other@journey.example", 1)
	assert oracle.wrong_journeys() == []


@pytest.mark.parametrize("what", ["it has no row", "something happens to it, too"])
def test_a_journey_of_which_more_is_wrong_than_what_it_shows_of_the_lead_is_made_as_a_whole(
	lead, make_user, what
):
	frappe.db.commit()
	if what == "it has no row":
		frappe.db.delete("Lead Journey", {"name": lead.name})
	doc = frappe.get_doc("Lead", lead.name)
	doc.lead_owner = make_user("other@journey.example", "Sales User")
	doc.save()
	if what != "it has no row":
		api.log_touch(lead.name, "Phone", "Connected")
	frappe.db.commit()
	assert of(lead).present_owner == "other@journey.example"
	assert oracle.wrong_journeys() == []


def test_a_new_lead_under_the_name_of_one_whose_journey_is_left_gets_its_own(lead):
	frappe.db.commit()
	frappe.db.delete("Lead", {"name": lead.name})
	frappe.db.delete("Lead Stage Log", {"lead": lead.name})
	frappe.db.set_value("Lead Journey", lead.name, "prospect_at", now_datetime())
	following = frappe.get_doc({"doctype": "Lead", "first_name": "Next", "company": lead.company})
	following.insert(set_name=lead.name)
	frappe.db.commit()
	assert of(following).prospect_at is None
	assert oracle.wrong_journeys() == []


def test_a_save_that_changes_nothing_that_is_counted_writes_no_journey(lead, count_queries):
	frappe.db.commit()
	doc = frappe.get_doc("Lead", lead.name)
	doc.city = "Bern"
	doc.save()
	with count_queries() as queries:
		frappe.db.commit()
	assert not [query for query in queries if "tabLead Journey" in query]
