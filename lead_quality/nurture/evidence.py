"""ERPNext's own records of contacts, read as touches: communications, calls, calendar events.

What documents tell at once (`overrides.communication`) and what is looked for later (`nurture.ledger.catch_up`) is judged by
the same functions; each takes a document or a row. Every instant is naive, in the site's zone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.utils import get_datetime, strip_html

from lead_quality.base import query
from lead_quality.base.persons import person
from lead_quality.engine import contact
from lead_quality.engine.clock import TALKS
from lead_quality.engine.contact import CALL_OUTCOMES, CHANNELS, EVENT_CHANNELS, HELD
from lead_quality.funnel.conditions import HISTORY_READ
from lead_quality.nurture.mail import addresses_in, written_by_lead, written_by_person

# a form dates what is logged by the clock of the user's computer
CLOCKS_DIFFER_BY = timedelta(minutes=5)


@dataclass
class Known:
	"""What a mail alone does not tell.

	`colleagues` are the System Users by address (lower case); `first_word` is when each lead was first written to,
	called or visited.
	"""

	colleagues: dict[str, str]
	first_word: dict[str, datetime]

	def note(self, touch: dict):
		"""A touch was logged: what comes after it may be an answer to it."""
		lead, at = touch["lead"], touch["done_at"]
		if touch["direction"] == "Outbound":
			self.first_word[lead] = min(at, self.first_word.get(lead, at))


# enough to read what is no mail
NOTHING = Known({}, {})


# reading


def read(document, lead: str, known: Known, now: datetime) -> dict | None:
	"""The touch that a Communication, Call Log or Event with a lead is, as keywords of `log_touch`; None if it is none,
	or not yet."""
	if document.doctype == "Communication":
		return read_communication(document, lead, known, now) if may_count(document) else None
	return (
		read_call(document, lead, now) if document.doctype == "Call Log" else read_event(document, lead, now)
	)


def may_count(communication) -> bool:
	"""Whether a Communication is of a kind that a touch is made of."""
	return (
		communication.communication_type == "Communication" and communication.communication_medium in CHANNELS
	)


def read_communication(communication, lead: str, known: Known, now: datetime) -> dict | None:
	"""As `read`, of a Communication that `may_count`."""
	medium, is_sent = communication.communication_medium, communication.sent_or_received != "Received"
	at = held_at(communication)
	# what arrived by mail was sent, whatever the sender's clock says
	if at > now + CLOCKS_DIFFER_BY and (medium != "Email" or communication.send_after):
		return None
	at = min(at, now)
	if medium in TALKS:
		if communication.reference_doctype == "Event":
			return None  # the calendar's own copy of an event, which may never be held
		outcome = said_outcome(communication)
	elif is_sent:
		outcome = None
		if communication.owner == "Guest":
			return None  # a website's own answer
		if medium == "Email" and not written_by_person(communication, known.colleagues):
			return None
	else:
		if not written_by_lead(communication, known.colleagues):
			return None
		first_word = known.first_word.get(lead)
		# who writes to us first has answered nothing, and waits for an answer
		outcome = "Replied" if first_word and first_word <= at else None
	sender = addresses_in(communication.sender)
	return {
		"lead": lead,
		"channel": CHANNELS[medium],
		"direction": "Outbound" if is_sent else "Inbound",
		"outcome": outcome,
		"done_at": at,
		"done_by": (is_sent and sender and known.colleagues.get(sender[0])) or communication.owner,
		"communication": communication.name,
	}


def read_call(call, lead: str, now: datetime) -> dict | None:
	"""As `read`, of a Call Log."""
	if call.status not in CALL_OUTCOMES:
		return None
	return {
		"lead": lead,
		"channel": "Phone",
		"direction": "Inbound" if call.type == "Incoming" else "Outbound",
		"outcome": CALL_OUTCOMES[call.status],
		"done_at": min(held_at(call), now),
		"done_by": call.employee_user_id or call.owner,
		"reference": ("Call Log", call.name),
	}


def read_event(event, lead: str, now: datetime) -> dict | None:
	"""As `read`, of an Event."""
	at = held_at(event)
	if event.event_category not in EVENT_CHANNELS or event.status not in HELD or at > now:
		return None
	# web forms and appointments make events in nobody's name: then whoever closed it was there
	return {
		"lead": lead,
		"channel": EVENT_CHANNELS[event.event_category],
		"direction": "Outbound",
		"outcome": "Connected",
		"done_at": at,
		"done_by": person(event.owner) or event.modified_by,
		"reference": ("Event", event.name),
	}


def held_at(document) -> datetime:
	"""When a Communication, Call Log or Event (document or row) was held, or begins."""
	if document.get("send_after"):
		return get_datetime(document.send_after)
	for fieldname in ("communication_date", "start_time", "end_time", "starts_on"):
		if document.get(fieldname):
			return get_datetime(document.get(fieldname))
	return get_datetime(document.creation)


def said_outcome(communication) -> str:
	"""What came of a call, visit or meeting by the first words that were written down about it. An outcome's own name, in
	the user's language, is understood too."""
	text = f"{communication.subject or ''} {strip_html(communication.content or '')}"
	return contact.said_outcome(text, [(outcome, _(outcome)) for outcome in contact.WORDS])


def what_is_known(communications: Sequence, leads: Iterable[str]) -> Known:
	"""What is needed to judge Communications with these leads: two queries at most, and none where no message or no
	lead is among them."""
	addresses = {
		address
		for row in communications
		if row.communication_medium == "Email"
		for address in addresses_in(row.sender, row.recipients)
	}
	users = (
		frappe.get_all(
			"User",
			{"email": query.among(sorted(addresses)), "user_type": "System User"},
			["email", "name"],
			order_by="name asc",
		)
		if addresses
		else []
	)
	is_answer_possible = any(
		row.sent_or_received == "Received" and row.communication_medium not in TALKS for row in communications
	)
	return Known(
		colleagues={row.email.lower(): row.name for row in users},
		first_word=_first_words(sorted(set(leads))) if is_answer_possible else {},
	)


def _first_words(leads: list[str]) -> dict[str, datetime]:
	if not leads:
		return {}
	return dict(
		query.run(
			"""
			select lead, min(done_at) from `tabLead Touch`
			where lead in %s and direction = 'Outbound' and status = 'Done' group by lead
			""",
			(leads,),
		)
	)


# looking for what no touch names: by the leads, and by the Opportunities that are credited to them


def communications_without_touch(leads: list[str], since: datetime) -> list:
	"""Communications with these leads, by reference or timeline link, dated since an instant, that no touch names.

	One row for each of its leads, in `lead`.
	"""
	return query.run(
		"""
		select 'Communication' as doctype, found.lead, c.name, c.owner, c.creation, c.communication_type, c.communication_medium,
			c.sent_or_received, c.communication_date, c.send_after, c.reference_doctype, c.sender, c.recipients,
			c.subject, c.delivery_status, c.email_status, c.lq_read_as,
			if(c.communication_medium in %(talks)s, left(c.content, 1000), null) as content
		from (
			select name as communication, reference_name as lead from `tabCommunication`
			where reference_doctype = 'Lead' and reference_name in %(leads)s
			union
			select parent, link_name from `tabCommunication Link`
			where link_doctype = 'Lead' and link_name in %(leads)s
			union
			select own.name, o.lq_lead from `tabOpportunity` o straight_join `tabCommunication` own
				on own.reference_doctype = 'Opportunity' and own.reference_name = o.name
			where o.lq_lead in %(leads)s
			union
			select link.parent, o.lq_lead from `tabOpportunity` o straight_join `tabCommunication Link` link
				on link.link_doctype = 'Opportunity' and link.link_name = o.name
			where o.lq_lead in %(leads)s
		) found
		join `tabCommunication` c on c.name = found.communication
		left join `tabLead Touch` t on t.communication = c.name and t.lead = found.lead
		where t.name is null and c.communication_type = 'Communication' and c.communication_medium in %(media)s
			and coalesce(c.send_after, c.communication_date, c.creation) >= %(since)s
		""",
		{"leads": leads, "since": since, "talks": TALKS, "media": tuple(CHANNELS)},
		as_dict=True,
	)


def untold(since: datetime, limit: int) -> list[str]:
	"""Leads that a Communication stored since an instant (the site's zone) names, and no touch tells of it."""
	return query.run(
		f"""
		select distinct found.lead from (
			select name as communication, reference_name as lead from `tabCommunication`
			where creation >= %(since)s and reference_doctype = 'Lead'
			union
			select parent, link_name from `tabCommunication Link`
			where creation >= %(since)s and link_doctype = 'Lead'
		) found
		join `tabCommunication` c on c.name = found.communication
		join `tabLead` on `tabLead`.name = found.lead
		left join `tabLead Touch` t on t.communication = c.name and t.lead = found.lead
		where t.name is null and c.communication_type = 'Communication' and c.communication_medium in %(media)s
			and {HISTORY_READ}
		limit %(limit)s
		""",
		{"since": since, "media": tuple(CHANNELS), "limit": limit},
		pluck=True,
	)


def calls_without_touch(leads: list[str], since: datetime) -> list:
	"""Call Logs of these leads that ended since an instant and that no touch names; each one's lead in `lead`."""
	return query.run(
		"""
		select 'Call Log' as doctype, found.lead, c.name, c.owner, c.creation, c.status, c.type, c.start_time, c.end_time,
			c.employee_user_id
		from (
			select parent as call_log, link_name as lead from `tabDynamic Link`
			where link_doctype = 'Lead' and link_name in %(leads)s and parenttype = 'Call Log'
			union
			select link.parent, o.lq_lead from `tabOpportunity` o straight_join `tabDynamic Link` link
				on link.link_doctype = 'Opportunity' and link.link_name = o.name and link.parenttype = 'Call Log'
			where o.lq_lead in %(leads)s
		) found
		join `tabCall Log` c on c.name = found.call_log
		left join `tabLead Touch` t
			on t.reference_doctype = 'Call Log' and t.reference_name = c.name and t.lead = found.lead
		where t.name is null and c.status in %(over)s
			and coalesce(c.end_time, c.start_time, c.creation) >= %(since)s
		""",
		{"leads": leads, "since": since, "over": tuple(CALL_OUTCOMES)},
		as_dict=True,
	)


def events_without_touch(leads: list[str], since: datetime, now: datetime) -> list:
	"""Meetings and calls in the calendar with these leads that were held since an instant and that no touch names.

	Each one's lead is in `lead`. What was not called off by its end, a nightly job of Frappe's closes in the
	Administrator's name: that says nothing about whether anybody came.
	"""
	by_reference = (
		"""
			union
			select name, reference_docname from `tabEvent`
			where reference_doctype = 'Lead' and reference_docname in %(leads)s
			union
			select own.name, o.lq_lead from `tabOpportunity` o straight_join `tabEvent` own
				on own.reference_doctype = 'Opportunity' and own.reference_docname = o.name
			where o.lq_lead in %(leads)s
		"""
		if frappe.db.has_column("Event", "reference_docname")  # not in every v15
		else ""
	)
	return query.run(
		f"""
		select 'Event' as doctype, found.lead, e.name, e.owner, e.modified_by, e.creation, e.event_category, e.status, e.starts_on
		from (
			select parent as event, reference_docname as lead from `tabEvent Participants`
			where reference_doctype = 'Lead' and reference_docname in %(leads)s and parenttype = 'Event'
			union
			select row.parent, o.lq_lead from `tabOpportunity` o straight_join `tabEvent Participants` row
				on row.reference_doctype = 'Opportunity' and row.reference_docname = o.name and row.parenttype = 'Event'
			where o.lq_lead in %(leads)s
			{by_reference}
		) found
		join `tabEvent` e on e.name = found.event
		left join `tabLead Touch` t
			on t.reference_doctype = 'Event' and t.reference_name = e.name and t.lead = found.lead
		where t.name is null and e.event_category in %(categories)s and e.starts_on between %(since)s and %(now)s
			and (e.status = 'Completed' or (e.status = 'Closed' and e.modified_by != 'Administrator'))
		""",
		{"leads": leads, "since": since, "now": now, "categories": tuple(EVENT_CHANNELS)},
		as_dict=True,
	)
