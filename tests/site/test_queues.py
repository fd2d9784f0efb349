"""The order in which people work: by what is due where a deadline rules, then the likeliest to buy, then by age."""

import frappe
import pytest
from frappe.desk.query_report import run
from frappe.desk.reportview import get as get_list_view
from frappe.utils import add_to_date, get_datetime, getdate, now_datetime

from lead_quality import api
from lead_quality.base import query
from lead_quality.demo.factories import make_lead, make_sales_ready, make_user
from lead_quality.follow_up.backlog import waiting_leads
from lead_quality.patches import place_in_queues
from lead_quality.qualification import jobs, priority
from lead_quality.qualification.priority import QUEUES


def waits_in(doctype: str, lead: str) -> list:
	return query.run(
		f"select q.name, q.lead_priority from `tab{doctype}` q where q.lead = %s and {QUEUES[doctype]}",
		(lead,),
		as_dict=True,
	)


def make_waiting(**values):
	"""A lead that waits in all queues: it is on a cadence, has clocks, and is handed over."""
	lead = make_lead(**values)
	make_sales_ready(lead.name)
	if not waits_in("Nurture Enrollment", lead.name):
		api.enroll(lead.name)
	rep = make_user("rita.queues@example.com", "Sales User", first_name="Rita").name
	api.send_handover(lead.name, rep)
	return frappe.get_doc("Lead", lead.name)


def set_priority(lead: str, value: int):
	"""What a save or a job has made of it, which no queue knows yet."""
	frappe.db.set_value("Lead", lead, "lq_priority", value, update_modified=False)


def listed(doctype: str, order_by: str, leads: list[str]) -> list[str]:
	"""The leads as the desk's list shows them."""
	frappe.local.form_dict = frappe._dict(
		doctype=doctype,
		fields=frappe.as_json(["lead"]),
		filters=frappe.as_json([[doctype, "lead", "in", leads]]),
		order_by=order_by,
		start=0,
		page_length=20,
	)
	return [row[0] for row in get_list_view()["values"]]


@pytest.mark.parametrize("doctype", QUEUES)
def test_what_waits_has_the_priority_of_its_lead_as_soon_as_it_is_there(doctype, monkeypatch):
	monkeypatch.setattr(priority, "priority_of", lambda lead, now: 64)
	lead = make_waiting()
	waiting = waits_in(doctype, lead.name)

	assert waiting
	assert {row.lead_priority for row in waiting} == {64}


@pytest.mark.parametrize("doctype", QUEUES)
def test_what_waits_follows_the_priority_of_its_lead_within_the_hour(doctype):
	lead, other = make_waiting(), make_waiting()
	jobs.refresh_priorities(now_datetime())
	# a save has changed it since, and wrote nothing into the queues
	value = 1 + priority.priority_of(lead, now_datetime())
	set_priority(lead.name, value)
	before = waits_in(doctype, other.name)

	assert lead.name in priority.leads_behind() and other.name not in priority.leads_behind()
	priority.place_some([lead.name], now_datetime())

	assert {row.lead_priority for row in waits_in(doctype, lead.name)} == {value}
	assert waits_in(doctype, other.name) == before
	assert lead.name not in priority.leads_behind()


def test_the_hourly_job_brings_the_queues_up_to_date():
	lead = make_waiting()
	for doctype in QUEUES:
		frappe.db.set_value(doctype, {"lead": lead.name}, "lead_priority", -7, update_modified=False)

	counts = jobs.refresh_priorities(now_datetime())

	assert not counts["failed"]
	stored = frappe.db.get_value("Lead", lead.name, "lq_priority")
	for doctype in QUEUES:
		assert {row.lead_priority for row in waits_in(doctype, lead.name)} == {stored}


def test_a_site_from_before_has_its_queues_in_order_after_the_update():
	lead = make_waiting()
	set_priority(lead.name, 33)
	frappe.db.set_value("Lead Touch", {"lead": lead.name}, "due_on", None, update_modified=False)

	for _again in range(2):
		place_in_queues.execute()

	for doctype in QUEUES:
		assert {row.lead_priority for row in waits_in(doctype, lead.name)} == {33}
	for touch in frappe.get_all("Lead Touch", {"lead": lead.name}, ["due_at", "due_on"], order_by="name asc"):
		assert touch.due_on == (touch.due_at and getdate(touch.due_at))


def test_nobody_sets_the_priority_or_the_day_of_a_touch():
	lead = make_waiting()
	touch = frappe.get_doc("Lead Touch", waits_in("Lead Touch", lead.name)[0].name)
	due = add_to_date(get_datetime(touch.due_at), days=1)
	touch.update({"lead_priority": 100, "due_on": "2001-01-01", "due_at": due})
	touch.save()
	touch.reload()

	assert touch.lead_priority == frappe.db.get_value("Lead", lead.name, "lq_priority")
	assert touch.due_on == getdate(due)


def test_touches_are_listed_by_the_day_then_the_likeliest_then_the_hour():
	"""As `forms/lead_touch.js` asks for it."""
	places = (("09:00", 0, 20), ("11:00", 0, 90), ("10:00", 0, 90), ("16:00", -1, 1), ("08:00", 1, 100))
	names = {}
	for number, (hour, days, value) in enumerate(places):
		lead = make_lead()
		due = add_to_date(f"2030-03-06 {hour}:00", days=days, as_datetime=True)
		touch = frappe.get_doc(
			{
				"doctype": "Lead Touch",
				"lead": lead.name,
				"channel": "Phone",
				"status": "Planned",
				"due_at": due,
			}
		).insert()
		touch.db_set("lead_priority", value)
		# one touch a lead: those that its cadence has planned are not of this list
		frappe.db.delete("Lead Touch", {"lead": lead.name, "name": ["!=", touch.name]})
		names[number] = lead.name
	order = "`tabLead Touch`.`due_on` asc, `tabLead Touch`.`lead_priority` desc, `tabLead Touch`.`due_at` asc"

	assert listed("Lead Touch", order, list(names.values())) == [names[at] for at in (3, 2, 1, 0, 4)]


def test_handovers_are_listed_by_deadline_then_worth_then_the_likeliest_then_age():
	"""As `forms/lead_handover.js` asks for it."""
	at = get_datetime("2030-03-06 10:00:00")
	places = ((2, 0, 10, 0), (2, 0, 90, 1), (2, 0, 90, 0), (2, 500, 1, 0), (1, 0, 0, 0))
	names = []
	for hours, worth, value, sent in places:
		lead = make_waiting()
		frappe.db.set_value(
			"Lead Handover",
			{"lead": lead.name},
			{
				"accept_by": add_to_date(at, hours=hours),
				"expected_value": worth,
				"lead_priority": value,
				"sent_at": add_to_date(at, days=-5, minutes=sent),
			},
		)
		names.append(lead.name)
	columns = (
		("accept_by", "asc"),
		("expected_value", "desc"),
		("lead_priority", "desc"),
		("sent_at", "asc"),
	)
	order = ", ".join(f"`tabLead Handover`.`{column}` {way}" for column, way in columns)

	assert listed("Lead Handover", order, names) == [names[at] for at in (4, 3, 2, 1, 0)]


def test_old_leads_are_taken_up_the_likeliest_first():
	leads = [make_lead().name for _number in range(3)]
	segment = frappe.db.get_value("Lead", leads[0], "lq_segment")
	for lead, value in zip(leads, (10, 80, 10), strict=True):
		frappe.db.set_value("Lead", lead, {"lq_waits": 1, "lq_priority": value}, update_modified=False)

	mine = [name for name in waiting_leads(segment) if name in leads]
	assert mine == [leads[1], leads[0], leads[2]]


def test_leads_at_risk_are_listed_with_an_overdue_clock_first_then_the_likeliest():
	leads = [make_lead().name for _number in range(3)]
	company = f"Queue Works {frappe.generate_hash(length=6)}"
	frappe.db.set_value(
		"Follow Up Clock", {"lead": ["in", leads]}, "due_at", "2100-01-01", update_modified=False
	)
	frappe.db.set_value("Follow Up Clock", {"lead": leads[2]}, "due_at", "2001-01-01", update_modified=False)
	for lead, value in zip(leads, (5, 70, 1), strict=True):
		# without an owner they are at risk anyway
		values = {"lq_priority": value, "lead_owner": "", "company": company}
		frappe.db.set_value("Lead", lead, values, update_modified=False)

	filters = {"show": "Leads", "company": company}
	rows = run("Leads at Risk", filters, ignore_prepared_report=True)["result"]
	mine = [(row["lead"], row["priority"]) for row in rows if isinstance(row, dict)]
	assert mine == [(leads[2], 1), (leads[1], 70), (leads[0], 5)]


def test_wasted_leads_are_listed_the_likeliest_first_then_the_oldest():
	leads = [make_lead().name for _number in range(3)]
	company = f"Queue Works {frappe.generate_hash(length=6)}"
	for place, (lead, value) in enumerate(zip(leads, (5, 70, 5), strict=True)):
		frappe.db.set_value("Lead", lead, {"lq_priority": value, "company": company}, update_modified=False)
		entered = {"company": company, "entered_at": f"2024-03-0{5 - place} 10:00:00"}
		frappe.db.set_value("Lead Journey", lead, entered, update_modified=False)

	filters = {"show": "Leads", "count": "leads", "company": company}
	filters |= {"from_date": "2024-03-01", "to_date": "2024-03-31"}
	rows = run("Wasted Leads", filters, ignore_prepared_report=True)["result"]
	mine = [(row["lead"], row["priority"]) for row in rows if isinstance(row, dict)]
	assert mine == [(leads[1], 70), (leads[2], 5), (leads[0], 5)]
