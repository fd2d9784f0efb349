"""Goals: each new customer is counted once, for who won it, and the list names it with its order, date and value."""

import io
import random
import zipfile
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import make_customer
from frappe.utils import getdate

from lead_quality.base.report import export_all_rows
from lead_quality.demo.factories import make_item, make_lead
from lead_quality.lead_quality.report.goals.goals import Goals
from tests.site import random_journeys as random_leads
from tests.site.helpers import company
from tests.site.random_journeys import MANAGER, NORTH, NOW, REP, SEES

PERIOD = {"from_date": "2021-04-01", "to_date": "2021-06-30"}


@pytest.fixture
def world():
	"""Random sales of leads, of customers old and new, with the orders and rows of the log that stand behind them."""
	random_leads.make_readers()
	leads = random_leads.write(200, 21)
	chance = random.Random(22)
	orders, log = [], []
	for lead in leads:
		lead.order = None
		if not lead.sale_at:
			continue
		lead.customer = f"Customer {chance.randrange(60)} of Goals"
		lead.order = frappe._dict(
			name=f"ORDER-{lead.name}",
			lead=lead,
			customer=lead.customer,
			customer_name=lead.customer,
			company=lead.company,
			docstatus=chance.choice((1, 1, 1, 2)),
			transaction_date=lead.sale_at.date() - timedelta(days=chance.choice((0, 0, 3))),
			base_grand_total=lead.company_value,
			creation=lead.sale_at,
			modified=lead.sale_at,
		)
		orders.append(lead.order)
		log.append(
			frappe._dict(
				name=f"LOG-{lead.name}",
				lead=lead.name,
				stage="sale",
				entered_at=lead.sale_at,
				reference_doctype="Sales Order",
				reference_name=lead.order.name,
				creation=lead.sale_at,
				modified=lead.sale_at,
			)
		)
	# of customers who had ordered without a lead
	for number in range(0, 60, 9):
		name = f"Customer {number} of Goals"
		at = datetime(2020, 1, 1)
		orders.append(
			frappe._dict(
				name=f"OLD-{number}", lead=None, customer=name, customer_name=name, company=company(), docstatus=1,
				transaction_date=at.date(), base_grand_total=5, creation=at, modified=at,
			)
		)  # fmt: skip
	random_leads._insert("Sales Order", orders, ("customer", "customer_name", "company", "docstatus", "transaction_date", "base_grand_total", "creation", "modified"))  # fmt: skip
	# each was made from a lead, so that no order is of no lead
	customers = [
		frappe._dict(name=f"Customer {number} of Goals", lead_name="Some Lead") for number in range(60)
	]
	random_leads._insert("Customer", customers, ("lead_name",))
	random_leads._insert("Lead Stage Log", log, ("lead", "stage", "entered_at", "reference_doctype", "reference_name", "creation", "modified"))  # fmt: skip
	# some leads had another owner when they bought
	holdings = []
	for lead in leads:
		lead.rep = lead.present_owner
		if lead.sale_at and chance.random() < 0.3:
			lead.rep = chance.choice((REP, MANAGER, None))
			until = lead.sale_at + timedelta(days=1)
			holdings.append(
				frappe._dict(name=f"HELD-{lead.name}", lead=lead.name, user=lead.rep, held_until=until)
			)
	random_leads._insert("Lead Holding", holdings, ("lead", "user", "held_until"))
	return frappe._dict(leads=leads, orders=orders)


def goal(user: str, from_date: str, to_date: str, new_customers: int = 4):
	values = {"user": user, "from_date": from_date, "to_date": to_date, "new_customers": new_customers}
	return frappe.get_doc({"doctype": "New Customer Goal", **values}).insert()


def new_customers(world, reader: str) -> list:
	"""The leads whose order stands and is the first of its customer, which the reader sees."""
	first = {}
	for order in sorted(world.orders, key=lambda order: (order.transaction_date, order.creation)):
		if order.docstatus == 1:  # what was cancelled is no order
			first.setdefault(order.customer, order)
	return [
		lead
		for lead in world.leads
		if lead.order and first.get(lead.customer) is lead.order and SEES[reader](lead)
	]


def within(lead, first: str, last: str) -> bool:
	return getdate(first) <= lead.sale_at.date() <= getdate(last)


@pytest.mark.parametrize("reader", ["Administrator", MANAGER, NORTH, REP])
def test_goals_are_counted_as_by_hand_for_every_reader_and_equal_their_lists(world, reader, as_user):
	goals = [
		goal(REP, "2021-03-01", "2021-04-30"),
		goal(REP, "2021-05-01", "2021-05-31", 1),
		goal(MANAGER, "2021-06-30", "2021-09-30", 2),
	]
	goal(REP, "2021-07-01", "2021-07-31")  # begins after the period
	with as_user(reader):
		report = Goals(dict(PERIOD), now=NOW)
		rows = report.rows()
		found = {(row["user"], row["from_date"]): row for row in rows}
		customers = new_customers(world, reader)
		shown = goals if reader != REP else goals[:2]
		expected = {
			(one.user, getdate(one.from_date)): [
				lead
				for lead in customers
				if lead.rep == one.user and within(lead, one.from_date, one.to_date)
			]
			for one in shown
		}
		for lead in customers:
			if not within(lead, **{"first": PERIOD["from_date"], "last": PERIOD["to_date"]}):
				continue
			if reader == REP and lead.rep != REP:
				continue
			covered = any(lead.rep == one.user and within(lead, one.from_date, one.to_date) for one in shown)
			if not covered:
				expected.setdefault((lead.rep, None), []).append(lead)
		assert {key: row["won"] for key, row in found.items()} == {
			key: len(leads) for key, leads in expected.items()
		}
		assert len(rows) == len(found)
		for key, row in found.items():
			query = {
				name: values[0] for name, values in parse_qs(urlsplit(row["links"]["won"]).query).items()
			}
			listed, total = Goals(query, now=NOW).page()
			assert total == len(listed)
			assert {lead["lead"] for lead in listed} == {lead.name for lead in expected[key]}
			assert sum(lead["value"] for lead in listed) == pytest.approx(row["value"])
	assert any(row["won"] for row in rows)


def test_the_list_names_customer_lead_order_date_and_value(world, as_user):
	with as_user(MANAGER):
		listed = Goals({**PERIOD, "show": "Customers"}, now=NOW).page()[0]
	by_lead = {lead.name: lead for lead in world.leads}
	assert listed
	for row in listed:
		lead = by_lead[row["lead"]]
		assert (row["customer"], row["sales_order"], row["ordered_on"], row["sale_at"], row["value"], row["rep"]) == (
			lead.customer, lead.order.name, lead.order.transaction_date, lead.sale_at, lead.company_value, lead.rep,
		)  # fmt: skip


def test_the_list_is_exported_and_mailed_for_who_pays_by_it(world, as_user):
	filters = {**PERIOD, "show": "Customers"}
	names = {row["sales_order"] for row in Goals(dict(filters), now=NOW).page()[0]}
	with as_user(MANAGER):
		export_all_rows("Goals", filters)
		frappe.db.commit()
	file = frappe.get_last_doc("File", {"owner": MANAGER})
	with zipfile.ZipFile(io.BytesIO(file.get_content())) as archive:
		content = archive.read(archive.namelist()[0]).decode("utf-8-sig")
	assert names and all(name in content for name in names)
	mail = frappe.get_doc(
		{
			"doctype": "Auto Email Report",
			"report": "Goals",
			"report_type": "Script Report",
			"user": MANAGER,
			"email_to": "pay@goals.example",
			"format": "CSV",
			"frequency": "Monthly",
			"filters": frappe.as_json(filters),
		}
	).insert()
	assert all(name in str(mail.get_report_content()) for name in names)


def test_a_goal_says_how_much_is_left_of_it_and_of_its_time(world):
	won = goal(REP, "2021-04-01", "2021-06-30", 100)
	(row,) = [row for row in Goals(dict(PERIOD), now=datetime(2021, 4, 10, 12)).rows() if row["goal"]]
	assert row["missing"] == 100 - row["won"] and row["reached_percent"] == pytest.approx(row["won"])
	assert row["gone_percent"] == pytest.approx(10 / 91 * 100)
	(row,) = [row for row in Goals(dict(PERIOD), now=datetime(2021, 3, 10)).rows() if row["goal"]]
	assert row["gone_percent"] == 0
	assert won.name in row["links"]["won"]


def test_more_leads_cost_no_more_queries(world, count_queries):
	def queries() -> int:
		with count_queries() as counted:
			Goals(dict(PERIOD), now=NOW).rows()
		return counted.count

	queries()
	before = queries()
	frappe.db.sql("delete from `tabLead Journey` where name like 'RANDOM-00%%'")
	assert queries() == before


def test_a_lead_that_orders_for_the_first_time_is_a_new_customer_and_the_next_order_is_none(freeze):
	with freeze("2021-05-03 10:00:00.000001") as clock:  # ERPNext compares instants as text
		random_leads.make_readers()
		goal(REP, "2021-05-01", "2021-05-31", 1)
		lead = make_lead(lead_owner=REP)
		customer = make_customer(lead.name).insert().name
		first = order(customer)
		clock.move_to("2021-05-04 10:00:00.000001")
		order(customer)
		frappe.db.commit()
		(row,) = Goals({"from_date": "2021-05-01", "to_date": "2021-05-31"}).rows()
		(listed,) = Goals({"from_date": "2021-05-01", "to_date": "2021-05-31", "show": "Customers"}).page()[0]
	assert (row["user"], row["won"], row["reached_percent"], row["missing"]) == (REP, 1, 100, 0)
	assert (listed["sales_order"], listed["customer"]) == (first.name, customer)


def order(customer: str):
	items = [{"item_code": make_item(), "qty": 1, "rate": 100}]
	values = {"customer": customer, "delivery_date": date(2021, 6, 1), "company": company()}
	return frappe.get_doc({"doctype": "Sales Order", **values, "items": items}).insert().submit()


def test_a_customer_whose_lead_was_deleted_stays_won_by_who_owned_it(freeze):
	# a contact that other documents name cannot be deleted, nor its lead
	frappe.db.set_single_value("CRM Settings", "auto_creation_of_contact", 0)
	with freeze("2021-05-03 10:00:00.000001"):  # ERPNext compares instants as text
		random_leads.make_readers()
		goal(REP, "2021-05-01", "2021-05-31", 1)
		lead = make_lead(lead_owner=REP)
		customer = make_customer(lead.name).insert().name
		first = order(customer)
		frappe.db.commit()
		frappe.delete_doc("Lead", lead.name, force=True)
		frappe.db.commit()
		(row,) = Goals({"from_date": "2021-05-01", "to_date": "2021-05-31"}).rows()
		(listed,) = Goals({"from_date": "2021-05-01", "to_date": "2021-05-31", "show": "Customers"}).page()[0]
	assert (row["user"], row["won"], row["reached_percent"], row["missing"]) == (REP, 1, 100, 0)
	assert (listed["title"], listed["sales_order"], listed["rep"]) == ("Deleted Lead", first.name, REP)


def test_a_new_customer_of_no_lead_is_a_row_of_its_own_and_in_no_goal(freeze, as_user):
	with freeze("2021-05-17 10:00:00.000001") as clock:  # ERPNext compares instants as text
		random_leads.make_readers()
		goal(REP, "2021-05-17", "2021-05-31", 1)
		order(make_customer(make_lead(lead_owner=REP).name).insert().name)
		alone = frappe.get_doc({"doctype": "Customer", "customer_name": "Came by Itself"}).insert().name
		first = order(alone)
		clock.move_to("2021-05-18 10:00:00.000001")
		order(alone)  # not new any more
		frappe.db.commit()
		period = {"from_date": "2021-05-17", "to_date": "2021-05-18"}
		report = Goals(period)
		of_lead, of_none = report.rows()
		with as_user(REP):
			assert [row["rep"] for row in Goals(period).rows()] == [of_lead["rep"]]
	assert (of_lead["won"], of_lead["missing"]) == (1, 0)
	assert [of_none[name] for name in ("rep", "won", "goal", "value")] == ["No Lead", 1, None, None]
	assert report.summary(report.rows())[0]["value"] == 1
	frappe.db.set_default("company", None)  # a site need not have one, and has no currency of its own then
	unset = Goals(period)
	assert unset.summary(unset.rows())[0]["value"] == 1
	filters = {name: values[0] for name, values in parse_qs(urlsplit(of_none["links"]["won"]).query).items()}
	(listed,) = Goals(filters).page()[0]
	assert (listed["sales_order"], listed["customer"]) == (first.name, alone)
	assert first.name not in str(Goals({**period, "show": "Customers"}).page()[0])
