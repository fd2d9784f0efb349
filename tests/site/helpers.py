"""What several files of site tests ask or do."""

from email.message import EmailMessage

import frappe
from frappe.email.receive import InboundMail

from lead_quality.follow_up.jobs import sweep_clocks
from lead_quality.nurture.jobs import repair_contacts


def company() -> str:
	"""The first company of the site."""
	return frappe.get_all("Company", pluck="name", order_by="name asc", limit=1)[0]


def settings(**values):
	"""Change Lead Quality Settings."""
	frappe.get_doc("Lead Quality Settings").update(values).save()


def stage(lead) -> str:
	return frappe.db.get_value("Lead", lead.name, "lq_stage")


def messages_to(user: str) -> list[str]:
	"""The subjects of what a user was told, the first one first."""
	return frappe.get_all(
		"Notification Log", {"for_user": user}, pluck="subject", order_by="creation asc, name asc"
	)


def sweep_at(freeze, *times: str):
	for when in times:
		with freeze(when):
			sweep_clocks()


def repair() -> dict:
	"""Run the job that finds what document events have left undone; returns its counts."""
	counts = repair_contacts()
	assert not counts["failed"], frappe.get_last_doc("Follow Up Run").errors
	return counts


def lead_by_mail() -> str:
	"""The lead that Frappe makes of a stranger's mail to an account that appends to Lead."""
	account = frappe.get_doc(
		{
			"doctype": "Email Account",
			"email_account_name": "Sales Inbox",
			"email_id": "sales@inbox.example",
			"append_to": "Lead",
		}
	)
	account.name = "Sales Inbox"
	account.db_insert()
	mail = EmailMessage()
	mail["From"] = "Mona Mail <mona@sender.example>"
	mail["To"] = "sales@inbox.example"
	mail["Subject"] = "Do you have pumps?"
	mail["Message-ID"] = "<first@sender.example>"
	mail.set_content("We need twelve.")
	communication = InboundMail(mail.as_string(), account).process()
	assert communication.reference_doctype == "Lead"
	return communication.reference_name
