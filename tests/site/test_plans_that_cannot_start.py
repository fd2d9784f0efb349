"""A decision about a lead is kept also where no cadence can be started by it: what cannot be planned stops nobody."""

import frappe
import pytest
from frappe.utils import add_days, today

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready

LATER = "Disqualify: Not this year"
NO_NEED = "Disqualify: No need for what we sell"


def make_cadence(title: str, channel: str, status: str = "Active") -> str:
	return (
		frappe.get_doc(
			{
				"doctype": "Nurture Cadence",
				"title": title,
				"status": status,
				"working_calendar": "Office Hours",
				"steps": [{"step": "Only one", "channel": channel, "delay": 1, "delay_unit": "Days"}],
			}
		)
		.insert()
		.name
	)


def use_in_segment(fieldname: str, cadence: str):
	segment = frappe.get_doc("Lead Segment", "Inbound")
	segment.set(fieldname, cadence)
	segment.save()


def rest(lead: str):
	return api.qualify(lead, decision="Nurture", outcome_reason=LATER, nurture_until=add_days(today(), 90))


def lead_without_mail():
	lead = make_lead()
	api.opt_out(lead.name, "Email")
	return lead


def test_a_lead_that_was_disqualified_can_be_put_to_rest_instead():
	lead = make_lead()
	api.qualify(lead.name, decision="Disqualified", outcome_reason=NO_NEED)

	judged = rest(lead.name)

	assert judged.verdict == "Nurture"
	assert not frappe.db.get_value("Lead", lead.name, "lq_over")
	plan = frappe.db.get_value(
		"Nurture Enrollment", {"lead": lead.name, "status": "Snoozed"}, "snoozed_until"
	)
	assert str(plan)[:10] >= add_days(today(), 90)


@pytest.mark.parametrize("status", ["Active", "Superseded"])
def test_a_lead_without_a_channel_for_its_cadence_can_be_put_to_rest(status):
	use_in_segment("cadence", make_cadence("By mail only", "Email"))
	lead = lead_without_mail()
	frappe.db.set_value("Nurture Cadence", "By mail only v1", "status", status)

	judged = rest(lead.name)

	assert judged.verdict == "Nurture"
	assert not frappe.db.exists(
		"Nurture Enrollment", {"lead": lead.name, "status": ["in", ["Active", "Snoozed"]]}
	)


def test_a_lead_that_is_a_customer_can_be_put_to_rest():
	lead = make_lead()
	frappe.get_doc({"doctype": "Customer", "customer_name": "Won", "lead_name": lead.name}).insert()
	assert frappe.db.get_value("Lead", lead.name, "lq_over") == "Converted"

	assert rest(lead.name).verdict == "Nurture"


def test_sales_can_accept_a_lead_whose_next_cadence_has_no_channel(make_user, as_user):
	use_in_segment("cadence_after_handover", make_cadence("Mails of sales", "Email"))
	lead = lead_without_mail()
	make_sales_ready(lead.name)
	seller = make_user("seller@start.example", "Sales User")
	handover = api.send_handover(lead.name, seller)

	with as_user(seller):
		assert api.accept_handover(handover.name).status == "Accepted"
