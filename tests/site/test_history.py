"""What happened before the app came is read in before anybody is told anything."""

import frappe
import pytest
from frappe.utils import add_to_date, get_datetime, now_datetime

from lead_quality.custom_fields import ASKED_FOR_CHANGES
from lead_quality.demo.factories import make_item, make_lead
from lead_quality.follow_up import first_look
from lead_quality.follow_up.attention import raise_unattended
from lead_quality.follow_up.jobs import read_history
from lead_quality.funnel import journey
from lead_quality.funnel.jobs import reconcile_all_stages, reconcile_stages
from lead_quality.install import add_indexes
from lead_quality.nurture import history

LONG_AGO = get_datetime("2024-03-04 09:00:00")


def at(days: int, hours: int = 0):
	return add_to_date(LONG_AGO, days=days, hours=hours)


def old_document(doctype: str, name: str, creation, **values):
	"""A document as it was before the app came: no event of ours has heard of it."""
	doc = frappe.get_doc({"doctype": doctype, **values})
	doc.name, doc.creation, doc.modified = name, creation, creation
	doc.owner = doc.modified_by = values.get("owner", "Administrator")
	doc.flags.name_set = True
	doc.db_insert()
	for row in doc.get_all_children():
		row.parent, row.creation = doc.name, creation
		row.db_insert()
	return doc


@pytest.fixture
def rep(make_user):
	return make_user("rep@history.example", "Sales User")


@pytest.fixture
def old_lead(rep):
	def make(name: str, **values):
		return old_document(
			"Lead",
			name,
			at(0),
			**{
				"lead_name": name,
				"title": name,
				"status": "Lead",
				"email_id": f"{name.lower()}@lead.example",
				"lead_owner": rep,
				"lq_history_unread": 1,
				**values,
			},
		).name

	return make


@pytest.fixture
def old_mail(rep):
	def make(lead: str, days: int, sent: bool, link: bool = False, **values):
		address = f"{lead.lower()}@lead.example"
		reference = {} if link else {"reference_doctype": "Lead", "reference_name": lead}
		links = [{"link_doctype": "Lead", "link_name": lead}] if link else []
		return old_document(
			"Communication",
			frappe.generate_hash(length=12),
			at(days),
			**{
				"communication_type": "Communication",
				"communication_medium": "Email",
				"sent_or_received": "Sent" if sent else "Received",
				"sender": rep if sent else address,
				"recipients": address if sent else rep,
				"subject": "Our offer" if sent else "Re: Our offer",
				"content": "Text",
				"communication_date": at(days),
				"owner": rep if sent else "Administrator",
				"timeline_links": links,
				**reference,
				**values,
			},
		)

	return make


def stages(lead: str) -> dict:
	rows = frappe.get_all(
		"Lead Stage Log",
		{"lead": lead},
		["stage", "entered_at", "is_derived"],
		order_by="entered_at, creation",
	)
	assert all(row.is_derived for row in rows)
	return {row.stage: row.entered_at for row in rows}


def test_mails_calls_and_meetings_of_old_leads_are_touches_and_make_prospects(old_lead, old_mail, rep):
	answered, linked, called, met, silent = map(old_lead, ("ANSWERED", "LINKED", "CALLED", "MET", "SILENT"))
	old_mail(answered, 1, sent=True)
	old_mail(answered, 3, sent=False)
	old_mail(linked, 2, sent=True, link=True)
	old_mail(linked, 5, sent=False, link=True)
	old_mail(silent, 2, sent=True)
	old_document(
		"Call Log",
		"CALL-OLD",
		at(4),
		id="CALL-OLD",
		status="Completed",
		type="Outgoing",
		start_time=at(4),
		end_time=at(4),
		employee_user_id=rep,
		links=[{"link_doctype": "Lead", "link_name": called}],
	)
	old_document(
		"Event",
		"EVENT-OLD",
		at(6),
		subject="Meeting",
		event_category="Meeting",
		status="Completed",
		starts_on=at(6),
		owner=rep,
		event_participants=[{"reference_doctype": "Lead", "reference_docname": met}],
	)
	assert read_history()["failed"] == 0
	assert stages(answered) == {"target": at(0), "prospect": at(3)}
	assert stages(linked) == {"target": at(0), "prospect": at(5)}
	assert stages(called) == {"target": at(0), "prospect": at(4)}
	assert stages(met) == {"target": at(0), "prospect": at(6)}
	assert stages(silent) == {"target": at(0)}
	touched = dict(
		frappe.get_all("Lead", {"name": ["in", [silent, called]]}, ["name", "lq_last_touch_at"], as_list=True)
	)
	assert touched == {silent: at(2), called: at(4)}
	touches = frappe.get_all(
		"Lead Touch",
		{"lead": answered},
		["direction", "outcome", "done_at", "done_by", "is_derived"],
		order_by="done_at",
	)
	assert [(t.direction, t.outcome, t.done_at, t.is_derived) for t in touches] == [
		("Outbound", None, at(1), 1),
		("Inbound", "Replied", at(3), 1),
	]
	assert touches[0].done_by == rep


def test_the_whole_way_of_an_old_lead_is_in_order(old_lead, old_mail):
	lead = old_lead("SOLD")
	old_mail(lead, 1, sent=True)
	old_mail(lead, 2, sent=False)
	old_document(
		"Opportunity",
		"OPP-HISTORY",
		at(10),
		opportunity_from="Lead",
		party_name=lead,
		status="Converted",
		opportunity_amount=500,
		currency="EUR",
	)
	old_document("Customer", "CUST-HISTORY", at(20), customer_name="Sold", lead_name=lead)
	old_document(
		"Sales Order",
		"ORDER-HISTORY",
		at(21),
		customer="CUST-HISTORY",
		docstatus=1,
		grand_total=400,
		currency="EUR",
		items=[{"item_code": make_item(), "qty": 1}],
	)
	read_history()
	assert stages(lead) == {"target": at(0), "prospect": at(2), "opportunity": at(10), "sale": at(21)}
	assert frappe.db.get_value("Opportunity", "OPP-HISTORY", "lq_lead") == lead
	assert frappe.db.get_value("Lead", lead, ["lq_stage", "lq_over"]) == ("sale", "Converted")
	sale = frappe.get_last_doc("Lead Stage Log", {"lead": lead, "stage": "sale"})
	assert (sale.value, sale.currency, sale.reference_name) == (400, "EUR", "ORDER-HISTORY")


def test_the_hourly_job_may_come_first_and_leaves_what_is_unread_to_the_reading(old_lead, old_mail):
	lead = old_lead("EARLY")
	old_mail(lead, 1, sent=True)
	old_mail(lead, 2, sent=False)
	old_document("Opportunity", "OPP-EARLY", at(10), opportunity_from="Lead", party_name=lead, status="Open")
	reconcile_stages()
	assert stages(lead) == {}
	read_history()
	assert stages(lead) == {"target": at(0), "prospect": at(2), "opportunity": at(10)}


def test_reading_twice_changes_nothing(old_lead, old_mail):
	lead = old_lead("TWICE")
	old_mail(lead, 1, sent=True)
	old_mail(lead, 2, sent=False)
	read_history()
	before = frappe.db.count("Lead Touch"), frappe.db.count("Lead Stage Log")
	assert read_history()["done"] == 0
	history.forget()
	read_history(add_to_date(now_datetime(), hours=2))
	assert (frappe.db.count("Lead Touch"), frappe.db.count("Lead Stage Log")) == before


def test_nobody_is_told_that_an_old_lead_was_never_touched_before_its_history_was_read(old_lead, old_mail):
	lead = old_lead("TOUCHED")
	yesterday = add_to_date(now_datetime(), days=-1)
	old_mail(lead, 1, sent=True, communication_date=yesterday)
	raise_unattended()
	assert not frappe.db.exists("Follow Up Alert", {"lead": lead})
	read_history()
	assert history.is_read()
	assert frappe.db.get_value("Lead", lead, "lq_last_touch_at")
	raise_unattended()
	assert not frappe.db.exists("Follow Up Alert", {"lead": lead, "kind": "Stale"})


def test_a_mail_to_a_lead_in_work_stops_its_clocks_as_if_it_had_been_heard(rep):
	lead = make_lead(lead_owner=rep)
	assert frappe.db.exists(
		"Follow Up Clock", {"lead": lead.name, "clock": "First Response", "status": "Running"}
	)
	old_document(
		"Communication",
		"missed-by-hooks",
		now_datetime(),
		communication_type="Communication",
		communication_medium="Email",
		sent_or_received="Sent",
		sender=rep,
		recipients=lead.email_id,
		subject="Hello",
		communication_date=now_datetime(),
		reference_doctype="Lead",
		reference_name=lead.name,
		owner=rep,
	)
	history.forget()
	read_history()
	assert not frappe.db.exists(
		"Follow Up Clock", {"lead": lead.name, "clock": "First Response", "status": "Running"}
	)


def test_all_leads_that_are_there_at_the_install_are_unread_and_new_ones_are_not(old_lead):
	old = old_lead("OLD")
	history.forget()  # as the install does
	assert not history.is_read()
	new = make_lead().name
	marks = dict(
		frappe.get_all("Lead", {"name": ["in", [old, new]]}, ["name", "lq_history_unread"], as_list=True)
	)
	assert marks == {old: 1, new: 0}
	read_history()
	assert history.is_read()


# what the hourly job costs


@pytest.mark.parametrize(
	("doctype", "column"),
	[
		("Quotation", "opportunity"),
		("Customer", "opportunity_name"),
		("Customer", "prospect_name"),
		("Quotation Item", "prevdoc_docname"),
	],
)
def test_what_a_leads_first_order_is_looked_up_by_is_indexed(doctype, column):
	assert is_indexed(doctype, column)


@pytest.mark.parametrize("doctype", ASKED_FOR_CHANGES)
def test_what_the_hourly_look_asks_for_changes_is_indexed_by_them_once(doctype):
	rows = frappe.db.sql(
		f"show index from `tab{doctype}` where column_name = 'modified' and seq_in_index = 1"
	)
	assert len(rows) == 1


def test_a_look_at_all_stages_with_nothing_to_do_changes_no_lead_and_no_row_of_the_log(
	old_lead, count_queries
):
	lead = old_lead("STANDS")
	old_document("Opportunity", "OPP-STANDS", at(10), opportunity_from="Lead", party_name=lead, status="Open")
	read_history()
	reconcile_all_stages()
	with count_queries() as queries:
		assert reconcile_all_stages()["done"] == 0
	# an update of an empty list would look through all rows, and lock them
	written = [query for query in queries.writing() if "`tabLead`" in query or "`tabLead Stage Log`" in query]
	assert written == []


def test_the_reading_locks_nothing_that_it_only_reads(answered, monkeypatch):
	def level() -> str:
		rows = frappe.db.sql("show session variables like 't%%_isolation'", {"bound": 1})
		return rows[0][1]

	outside, within, read = level(), [], first_look.read

	def looking(leads, now):
		within.append(level())
		return read(leads, now)

	monkeypatch.setattr(first_look, "read", looking)
	read_history()
	assert set(within) == {"READ-COMMITTED"}
	assert level() == outside == "REPEATABLE-READ"


def test_a_migrate_adds_the_indexes_that_are_missing():
	add_indexes()
	assert is_indexed("Quotation", "opportunity")


def is_indexed(doctype: str, column: str) -> bool:
	rows = frappe.db.sql(
		f"show index from `tab{doctype}` where column_name = %s and seq_in_index = 1", (column,)
	)
	return bool(rows)


def test_with_nothing_to_do_the_hourly_job_reads_no_table_of_leads_from_end_to_end(count_queries):
	reconcile_stages()
	with count_queries() as queries:
		assert reconcile_stages()["done"] == 0
	assert queries.count < 20


@pytest.fixture
def answered(old_lead, old_mail):
	"""An old lead that has answered, still unread."""
	lead = old_lead("ANSWERED")
	old_mail(lead, 1, sent=True)
	old_mail(lead, 2, sent=False)
	return lead


def test_what_was_read_is_not_looked_at_again_as_its_journey_was_written_with_it(answered):
	before = now_datetime()
	read_history()
	assert journey.wrong_of([answered]) == []
	assert answered not in journey.changed_leads(before)


def by_failure(lead, monkeypatch):
	with monkeypatch.context() as broken:
		broken.setattr(journey, "_changes", lambda: "nothing = 1")
		read_history()
	frappe.db.delete("Error Log", {"method": ["like", "Lead Quality: the journey failed%"]})


def by_lost_row(lead, monkeypatch):
	read_history()
	frappe.db.delete("Lead Journey", {"name": lead})


def by_change_past_the_document(lead, monkeypatch):
	read_history()
	touch = frappe.get_last_doc("Lead Touch", {"lead": lead, "direction": "Inbound"})
	frappe.db.set_value("Lead Touch", touch.name, "outcome", "No Answer")


@pytest.mark.parametrize(
	"way", [by_failure, by_lost_row, by_change_past_the_document], ids=lambda way: way.__name__
)
def test_a_journey_that_is_wrong_after_the_reading_is_put_right_within_the_hour(answered, way, monkeypatch):
	reconcile_stages()
	way(answered, monkeypatch)
	assert journey.wrong_of([answered]) == [answered]
	reconcile_stages()
	assert journey.wrong_of([answered]) == []
