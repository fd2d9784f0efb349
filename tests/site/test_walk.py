"""One lead walks the whole way: entry, touch, qualification, handover, opportunity, quotation, order."""

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import make_opportunity
from erpnext.crm.doctype.opportunity.opportunity import make_quotation
from erpnext.selling.doctype.quotation.quotation import make_sales_order
from frappe.utils import get_datetime

from lead_quality import api
from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import make_item
from lead_quality.follow_up.jobs import sweep_clocks
from lead_quality.lead_quality.report.stage_conversion import stage_conversion
from lead_quality.qualification.gate import NotSalesReadyError

MONDAY = "2026-03-02 10:00:00"


@pytest.fixture
def people(make_user):
	return {
		"marketing": make_user("marketing@walk.example", "Lead Qualifier", "Sales User"),
		"sales": make_user("sales@walk.example", "Sales User"),
		"manager": make_user("manager@walk.example", "Sales Manager", "Sales User"),
	}


def test_a_lead_goes_from_entry_to_the_customers_order(people, as_user, freeze):
	item = make_item()
	with freeze(MONDAY) as clock:
		with as_user(people["marketing"]):
			lead = frappe.get_doc(
				{
					"doctype": "Lead",
					"first_name": "Clara",
					"company_name": "Hafen Pumpen",
					"email_id": "clara.walk@hafen.example",
					lead_field("source"): "Campaign",
				}
			).insert()
			assert (lead.lq_stage, lead.lq_segment, lead.lq_verdict) == ("target", "Inbound", "Open")
			assert clocks_of(lead) == {
				# a day of eight hours, two hours, and one working day after the first touch is due
				"Triage": ("Running", "2026-03-03 10:00:00"),
				"First Response": ("Running", "2026-03-02 12:00:00"),
				"Next Touch": ("Running", "2026-03-03 10:30:00"),
			}

			clock.move_to("2026-03-02 10:40:00")
			api.log_touch(lead.name, "Phone", "Connected", note="Pumps fail twice a month")
			assert stages_of(lead) == [("target", MONDAY), ("prospect", "2026-03-02 10:40:00")]
			assert clocks_of(lead)["First Response"][0] == "Met"

			with pytest.raises(NotSalesReadyError, match="Budget"):
				make_opportunity(lead.name).insert()

			judged = api.qualify(
				lead.name,
				[
					{"criterion": "budget", "value": "25000"},
					{"criterion": "authority", "value": "Decision Maker"},
					{"criterion": "need", "value": "Pumps fail twice a month"},
				],
				horizon="Near Term",
			)
			assert (judged.verdict, judged.reason) == (
				"Open",
				"3 of 4 met. Missing: Timescale (not asked yet).",
			)
			with pytest.raises(NotSalesReadyError, match="Timescale"):
				api.send_handover(lead.name, people["sales"])
			judged = api.qualify(lead.name, [{"criterion": "timescale", "value": "2026-06-30"}])
			assert judged.verdict == "Sales Ready"
			handover = api.send_handover(
				lead.name, people["sales"], note="Expects your call", expected_value=25000
			)
			assert str(handover.accept_by) == "2026-03-03 10:40:00"

		with as_user(people["sales"]):
			assert told(people["sales"], handover)
			clock.move_to("2026-03-02 15:00:00")
			handover = api.accept_handover(handover.name)
			assert handover.status == "Accepted"
			clock.move_to("2026-03-02 15:30:00")
			opportunity = make_opportunity(lead.name)
			opportunity.append("items", {"item_code": item, "qty": 1, "rate": 25000})
			opportunity.insert()
			assert opportunity.lq_verdict == "Sales Ready"

		clock.move_to("2026-03-04 09:00:00")
		quotation = make_quotation(opportunity.name)
		submit(quotation.insert())
		clock.move_to("2026-03-10 11:00:00")
		order = make_sales_order(quotation.name)
		order.delivery_date = "2026-03-31"
		submit(order.insert())

		assert stages_of(lead) == [
			("target", MONDAY),
			("prospect", "2026-03-02 10:40:00"),
			("opportunity", "2026-03-02 15:30:00"),
			("sale", "2026-03-10 11:00:00"),
		]
		lead.reload()
		assert lead.lq_stage == "sale"
		assert lead.lead_owner == people["sales"]
		assert (lead.qualification_status, lead.qualified_by) == ("Qualified", people["marketing"])

		with as_user(people["manager"]):
			frappe.db.commit()  # a report is asked for by a request of its own
			rows = stage_conversion.execute({"from_date": "2026-03-02", "to_date": "2026-03-02"})[1]
			assert [row["reached"] for row in rows] == [1, 1, 1, 1]

		# the seller made the opportunity and logged no touch: the last clock was missed, and is over with the lead
		assert clocks_of(lead)["First Touch After Acceptance"][0] == "Missed"
		clock.move_to("2026-03-11 09:00:00")
		assert sweep_clocks()["done"] == 0


def submit(doc):
	# at a frozen full second Frappe takes its own time stamp for another one, unless it is read again
	doc.reload()
	doc.submit()


def clocks_of(lead) -> dict:
	return {
		row.clock: (row.status, str(row.due_at))
		for row in frappe.get_all("Follow Up Clock", {"lead": lead.name}, ["clock", "status", "due_at"])
	}


def stages_of(lead) -> list:
	return [
		(row.stage, str(get_datetime(row.entered_at)))
		for row in frappe.get_all(
			"Lead Stage Log",
			{"lead": lead.name},
			["stage", "entered_at"],
			order_by="entered_at asc, creation asc",
		)
	]


def told(user: str, doc) -> int:
	return frappe.db.count(
		"Notification Log", {"for_user": user, "document_type": doc.doctype, "document_name": doc.name}
	)
