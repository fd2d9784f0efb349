"""Reading mail: which lead it belongs to, whether a person wrote it, whether it answers us."""

from email.utils import parseaddr

import frappe

# senders that are machines, and how automatic answers begin
MACHINE_SENDERS = ("mailer-daemon", "postmaster", "no-reply", "noreply", "do-not-reply")
# what ERPNext sends to many by itself
MASS_MAIL = {"Email Campaign", "Newsletter"}
AUTOMATIC_SUBJECTS = (
	"auto:",
	"automatic reply",
	"automatische antwort",
	"out of office",
	"abwesenheit",
	"undelivered",
	"undeliverable",
	"delivery status notification",
	"mail delivery failed",
	"returned mail",
)


def leads_of(communication) -> list[str]:
	"""The leads that a Communication belongs to, by its reference or its timeline links."""
	links = {(communication.reference_doctype, communication.reference_name)} | {
		(row.link_doctype, row.link_name) for row in communication.timeline_links
	}
	leads = {name for doctype, name in links if doctype == "Lead" and name}
	return sorted(lead for lead in leads if frappe.db.exists("Lead", lead))


def written_by_person(communication) -> bool:
	"""Whether an outgoing mail was written by a user at the desk, and not sent by a job or to a colleague."""
	if communication.reference_doctype in MASS_MAIL or frappe.session.user == "Guest":
		return False
	recipients = [
		parseaddr(address)[1].lower()
		for address in (communication.recipients or "").split(",")
		if address.strip()
	]
	return any(not is_colleague(address) for address in recipients)


def reads_as_reply(communication, lead: str) -> bool:
	"""Whether an incoming mail answers us: somebody had written or called before, and no machine and no colleague
	sent it."""
	sender = parseaddr(communication.sender or "")[1].lower()
	subject = (communication.subject or "").strip().lower()
	if sender.split("@")[0].startswith(MACHINE_SENDERS) or subject.startswith(AUTOMATIC_SUBJECTS):
		return False
	if is_colleague(sender):
		return False
	return bool(frappe.db.exists("Lead Touch", {"lead": lead, "direction": "Outbound", "status": "Done"}))


def is_colleague(address: str) -> bool:
	return bool(frappe.db.exists("User", {"email": address, "user_type": "System User"}))
