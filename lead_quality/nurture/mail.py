"""Reading mail: which lead it belongs to, whether a person wrote it, whether it answers us."""

from email.message import Message
from email.utils import parseaddr
from functools import lru_cache

import frappe
from frappe.utils import split_emails

from lead_quality.base import query
from lead_quality.engine.contact import is_personal_mail
from lead_quality.engine.mail import PERSON, read_as


def leads_of(communication) -> list[str]:
	"""The leads that a Communication belongs to, by its reference or its timeline links; see `leads_among`."""
	links = [(communication.reference_doctype, communication.reference_name)]
	links += [(row.link_doctype, row.link_name) for row in communication.timeline_links]
	return leads_among(links)


def leads_naming(document) -> list[str]:
	"""The leads that a Communication, Call Log or Event document belongs to now."""
	if document.doctype == "Communication":
		return leads_of(document)
	if document.doctype == "Call Log":
		return leads_among([(row.link_doctype, row.link_name) for row in document.links])
	links = [(row.reference_doctype, row.reference_docname) for row in document.event_participants]
	links.append((document.get("reference_doctype"), document.get("reference_docname")))  # not in every v15
	return leads_among(links)


def leads_among(links: list[tuple[str | None, str | None]]) -> list[str]:
	"""The leads that are named by links of (DocType, name), each once and in order: as Lead, or as the one that an
	Opportunity is credited to."""
	leads = {name for doctype, name in links if doctype == "Lead" and name}
	opportunities = sorted({name for doctype, name in links if doctype == "Opportunity" and name})
	if opportunities:
		credited = {"name": query.among(opportunities), "lq_lead": ["is", "set"]}
		leads.update(frappe.get_all("Opportunity", credited, pluck="lq_lead", order_by="name asc"))
	return sorted(lead for lead in leads if frappe.db.exists("Lead", lead))


def addresses_in(*fields: str | None) -> list[str]:
	"""The bare addresses, in lower case, that stand in fields such as `"Keller, Anna" <anna@lead.example>, …`."""
	return [address for field in fields if field for address in _addresses(field)]


@lru_cache(maxsize=10_000)  # of many mails that are read in, most are between the same few
def _addresses(field: str) -> tuple[str, ...]:
	addresses = (parseaddr(part)[1].lower() for part in split_emails(field))
	return tuple(address for address in addresses if "@" in address)


def written_by_person(communication, colleagues: dict[str, str]) -> bool:
	"""Whether an outgoing mail (document or row) was written by a user at the desk, and not sent by a job, to
	colleagues only, or to an address that does not take it.

	:param colleagues: System Users by their address in lower case.
	"""
	return is_personal_mail(
		communication.reference_doctype,
		communication.delivery_status,
		addresses_in(communication.recipients),
		colleagues,
	)


def written_by_lead(communication, colleagues: dict[str, str]) -> bool:
	"""Whether an incoming message (document or row) is a person's, and not a machine's, a colleague's or an
	advertiser's.

	:param colleagues: System Users by their address in lower case.
	"""
	sender = (addresses_in(communication.sender) or [""])[0]
	if sender in colleagues or communication.email_status == "Spam":
		return False
	# what came past the events has nobody read with its headers
	read = communication.get("lq_read_as") or read_as(Message(), sender, communication.subject or "")
	return read == PERSON
