"""Communications read as contacts, by the rules that the app goes by (`engine.contact`, `engine.mail`)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from lead_quality.audit.labels import words
from lead_quality.audit.readers import Value
from lead_quality.engine.clock import TALKS
from lead_quality.engine.contact import (
	CALL_OUTCOMES,
	CHANNELS,
	EVENT_CHANNELS,
	HELD,
	MASS_MAIL,
	NOT_DELIVERED,
	said_outcome,
)
from lead_quality.engine.mail import PERSON, read_without_headers

RECEIVED = set(words("received"))
STILL_OPEN = set(words("open"))
PLANNED = "Planned"
_IS_CONTACT = (None, "", "Communication")
_MARKUP = re.compile(r"<[^>]*>")


class Contact(NamedTuple):
	"""A Communication, Call Log or Event that may be a contact with a lead, as far as it tells by itself: whether it was
	between colleagues, and whether it answers us, is seen beside the others. Which leads it is with is told by its reference
	or by rows of its tables."""

	doctype: str
	name: str
	at: datetime
	channel: str
	is_sent: bool
	is_talk: bool
	outcome: str | None
	sender: str
	recipients: str | None
	reference_doctype: str | None
	reference_name: str | None


def read(row: Mapping[str, Value]) -> Contact | None:
	"""The contact that a Communication is; None if it is none. What the export does not say is not held against it."""

	said: Mapping[str, Any] = row  # all of these but the instants are texts
	get = said.get
	medium = get("communication_medium") or "Email"
	at = get("communication_date") or get("creation")
	if get("communication_type") not in _IS_CONTACT or medium not in CHANNELS:
		return None
	if not isinstance(at, datetime):
		return None
	is_sent = (get("sent_or_received") or "").lower() not in RECEIVED
	is_talk, outcome = medium in TALKS, None
	if is_talk:
		if get("reference_doctype") == "Event":
			return None  # the calendar's own copy of an event, which may never be held
		outcome = said_outcome(f"{get('subject') or ''} {_MARKUP.sub(' ', get('content') or '')}")
	elif not (_is_ours(row, medium) if is_sent else _is_theirs(row)):
		return None
	recipients = (get("recipients") or "|") if medium == "Email" and "recipients" in row else None
	return Contact(
		"Communication",
		get("name") or "",
		at,
		CHANNELS[medium],
		is_sent,
		is_talk,
		outcome,
		get("sender") or "",
		recipients,
		get("reference_doctype"),
		get("reference_name"),
	)


def read_call(row: Mapping[str, Value]) -> Contact | None:
	"""As `read`, of a Call Log."""
	at = row.get("start_time") or row.get("end_time") or row.get("creation")
	outcome = CALL_OUTCOMES.get(str(row.get("status") or ""))
	if outcome is None or not isinstance(at, datetime):
		return None
	is_sent = str(row.get("type") or "") != "Incoming"
	return _talk("Call Log", row, at, "Phone", is_sent, outcome, ("link_doctype", "link_name"))


def read_event(row: Mapping[str, Value]) -> Contact | None:
	"""As `read`, of an Event; one that is still open is a plan (its outcome is `PLANNED`), and no contact. What nobody called off by its end, a nightly job of Frappe's closes in the Administrator's name:
	that says nothing about whether anybody came."""
	channel, status = EVENT_CHANNELS.get(str(row.get("event_category") or "")), row.get("status")
	at = row.get("starts_on")
	if channel is not None and isinstance(at, datetime) and str(status or "").lower() in STILL_OPEN:
		return _talk("Event", row, at, channel, False, PLANNED, ("reference_doctype", "reference_docname"))
	if channel is None or status not in HELD or not isinstance(at, datetime):
		return None
	if status == "Closed" and row.get("modified_by") == "Administrator":
		return None
	return _talk("Event", row, at, channel, True, "Connected", ("reference_doctype", "reference_docname"))


def _talk(
	doctype: str,
	row: Mapping[str, Value],
	at: datetime,
	channel: str,
	is_sent: bool,
	outcome: str,
	reference: tuple[str, str],
) -> Contact:
	of, name = (str(row.get(field) or "") or None for field in reference)
	return Contact(
		doctype, str(row.get("name") or ""), at, channel, is_sent, True, outcome, "", None, of, name
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
	return read_without_headers(str(row.get("sender") or ""), str(row.get("subject") or "")) == PERSON
