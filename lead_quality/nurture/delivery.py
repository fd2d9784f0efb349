"""Undelivered mail: its touch did not reach anybody, and nobody writes to a dead address again."""

import re
from datetime import datetime

import frappe

from lead_quality.base import query
from lead_quality.engine.contact import NOT_DELIVERED
from lead_quality.funnel.person import address_key
from lead_quality.nurture.mail import addresses_in
from lead_quality.nurture.opt_out import close_address

# how a mail server says for good that it does not know an address (RFC 5321, 3463)
UNKNOWN_ADDRESS = re.compile(r"(?:\b5\.1\.\d\b|\((?:550|551|553)\b|\b(?:550|551|553)[ -])")


def follow_delivery(communication):
	"""What became of a mail that a user has sent: its touches say so, and what came from them follows."""
	status = communication.delivery_status
	if communication.sent_or_received == "Received" or communication.communication_medium != "Email":
		return
	if status in NOT_DELIVERED:
		failed = communication.flags.lead_quality_failed or set()
		_mark_bounced(communication, failed)
		if is_for_good(communication):
			for address in failed or addresses_in(communication.recipients):
				close_address(address, "Bounced")
	elif status == "Sent":
		_mark_arrived(communication)


def _mark_bounced(communication, failed: set[str]):
	recipients = set(addresses_in(communication.recipients))
	for touch in _touches_of(communication):
		lead_address = address_key(frappe.db.get_value("Lead", touch.lead, "email_id"))
		# one of several recipients may not have been reached, who is not the lead
		is_meant = not failed or lead_address in failed or recipients <= failed
		if is_meant and touch.outcome != "Bounced":
			touch.outcome = "Bounced"
			touch.save(ignore_permissions=True)


def _mark_arrived(communication):
	"""Sent again, by an administrator, with more success."""
	for touch in _touches_of(communication):
		if touch.outcome == "Bounced":
			touch.outcome = None
			touch.save(ignore_permissions=True)


def _touches_of(communication) -> list:
	names = frappe.get_all(
		"Lead Touch",
		{"communication": communication.name, "status": "Done", "direction": "Outbound"},
		pluck="name",
		order_by="creation asc",
	)
	return [frappe.get_doc("Lead Touch", name) for name in names]


def is_for_good(communication) -> bool:
	"""Whether trying again is of no use: the mail came back, or the server that took it did not know the address."""
	if communication.delivery_status in {"Bounced", "Rejected"}:
		return True
	errors = frappe.get_all(
		"Email Queue",
		{"communication": communication.name, "status": "Error"},
		pluck="error",
		order_by="creation desc",
	)
	return any(UNKNOWN_ADDRESS.search(error or "") for error in errors)


def undelivered(since: datetime, limit: int) -> list[str]:
	"""Communications that were not delivered and whose touches, made since an instant (the site's zone), say nothing of
	it."""
	return query.run(
		"""
		select distinct c.name from `tabLead Touch` t join `tabCommunication` c on c.name = t.communication
		where t.status = 'Done' and t.direction = 'Outbound' and t.channel = 'Email' and t.done_at >= %(since)s
			and ifnull(t.outcome, '') != 'Bounced' and c.delivery_status in %(not_delivered)s
		limit %(limit)s
		""",
		{"since": since, "not_delivered": sorted(NOT_DELIVERED), "limit": limit},
		pluck=True,
	)
