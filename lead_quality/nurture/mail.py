"""Reading mail: which lead it belongs to, whether a person wrote it, whether it answers us."""

from datetime import datetime
from email.utils import parseaddr

import frappe
from frappe.utils import split_emails

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
# delivery statuses of a mail that has not reached anybody
NOT_DELIVERED = {"Bounced", "Rejected", "Error", "Expired"}


def leads_of(communication) -> list[str]:
	"""The leads that a Communication belongs to, by its reference or its timeline links; see `leads_among`."""
	links = [(communication.reference_doctype, communication.reference_name)]
	links += [(row.link_doctype, row.link_name) for row in communication.timeline_links]
	return leads_among(links)


def leads_among(links: list[tuple[str | None, str | None]]) -> list[str]:
	"""The leads that are named by links of (DocType, name), each once and in order: as Lead, or as the one that an
	Opportunity is credited to."""
	leads = {name for doctype, name in links if doctype == "Lead" and name}
	opportunities = sorted({name for doctype, name in links if doctype == "Opportunity" and name})
	if opportunities:
		credited = {"name": ["in", opportunities], "lq_lead": ["is", "set"]}
		leads.update(frappe.get_all("Opportunity", credited, pluck="lq_lead", order_by="name asc"))
	return sorted(lead for lead in leads if frappe.db.exists("Lead", lead))


def addresses_in(*fields: str | None) -> list[str]:
	"""The bare addresses, in lower case, that stand in fields such as `"Keller, Anna" <anna@lead.example>, …`."""
	addresses = [parseaddr(part)[1].lower() for field in fields for part in split_emails(field or "")]
	return [address for address in addresses if "@" in address]


def written_by_person(communication, colleagues: dict[str, str]) -> bool:
	"""Whether an outgoing mail (document or row) was written by a user at the desk, and not sent by a job, to
	colleagues only, or to an address that does not take it.

	:param colleagues: System Users by their address in lower case.
	"""
	if communication.reference_doctype in MASS_MAIL or communication.delivery_status in NOT_DELIVERED:
		return False
	return any(address not in colleagues for address in addresses_in(communication.recipients))


def reads_as_reply(
	communication, colleagues: dict[str, str], first_word: datetime | None, at: datetime
) -> bool:
	"""Whether an incoming message (document or row) answers us: somebody had written or called before, and no machine
	and no colleague sent it.

	:param colleagues: System Users by their address in lower case.
	:param first_word: when the lead was first written to or called; naive, the site's zone.
	:param at: when the message was sent; naive, the site's zone.
	"""
	sender = (addresses_in(communication.sender) or [""])[0]
	subject = (communication.subject or "").strip().lower()
	if sender.split("@")[0].startswith(MACHINE_SENDERS) or subject.startswith(AUTOMATIC_SUBJECTS):
		return False
	if sender in colleagues or communication.email_status == "Spam":
		return False
	return first_word is not None and first_word <= at
