"""Communications read as contacts, by the rules that the app goes by (`engine.contact`, `engine.mail`)."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.message import Message
from typing import NamedTuple

from lead_quality.audit.readers import Value
from lead_quality.engine.clock import TALKS
from lead_quality.engine.contact import CHANNELS, MASS_MAIL, NOT_DELIVERED, said_outcome
from lead_quality.engine.mail import PERSON, read_as

RECEIVED = {
	"received",
	"empfangen",
	"erhalten",
	"reçu",
	"recibido",
	"recibida",
	"ricevuto",
	"ricevuta",
	"ontvangen",
	"recebido",
	"recebida",
}
_NO_HEADERS = Message()
_MARKUP = re.compile(r"<[^>]*>")


class Contact(NamedTuple):
	"""A Communication that may be a contact with a lead, as far as it tells by itself: whether it was between colleagues,
	and whether it answers us, is seen beside the others."""

	at: datetime
	channel: str
	is_sent: bool
	is_talk: bool
	outcome: str | None
	sender: str
	recipients: str | None
	reference_doctype: str | None
	reference_name: str


def read(row: Mapping[str, Value]) -> Contact | None:
	"""The contact that a Communication is; None if it is none. What the export does not say is not held against it."""

	def text(field: str) -> str:
		return str(row.get(field) or "")

	medium = text("communication_medium") or "Email"
	at = row.get("communication_date") or row.get("creation")
	if text("communication_type") not in ("", "Communication") or medium not in CHANNELS:
		return None
	if not isinstance(at, datetime) or not text("reference_name"):
		return None
	is_sent = text("sent_or_received").lower() not in RECEIVED
	is_talk = medium in TALKS
	if is_talk:
		if text("reference_doctype") == "Event":
			return None  # the calendar's own copy of an event, which may never be held
	elif not (_is_ours(row, medium) if is_sent else _is_theirs(row)):
		return None
	return Contact(
		at=at,
		channel=CHANNELS[medium],
		is_sent=is_sent,
		is_talk=is_talk,
		outcome=said_outcome(f"{text('subject')} {_MARKUP.sub(' ', text('content'))}") if is_talk else None,
		sender=text("sender"),
		recipients=(text("recipients") or "|") if "recipients" in row and medium == "Email" else None,
		reference_doctype=text("reference_doctype") or None,
		reference_name=text("reference_name"),
	)


def _is_ours(row: Mapping[str, Value], medium: str) -> bool:
	"""Whether a message that was sent was sent by a person, as far as it tells itself."""
	if row.get("owner") == "Guest":
		return False  # a website's own answer
	return medium != "Email" or not (
		row.get("reference_doctype") in MASS_MAIL or row.get("delivery_status") in NOT_DELIVERED
	)


def _is_theirs(row: Mapping[str, Value]) -> bool:
	"""Whether a message that came in is a person's."""
	if row.get("email_status") == "Spam":
		return False
	return read_as(_NO_HEADERS, str(row.get("sender") or ""), str(row.get("subject") or "")) == PERSON
