"""Document events of Communication, Call Log and Event."""

import frappe
from frappe.email import relink as frappe_relink
from frappe.utils import now_datetime

from lead_quality.base.listeners import listener
from lead_quality.nurture import corrections, delivery, evidence, incoming, ledger
from lead_quality.nurture.mail import leads_naming, leads_of
from lead_quality.overrides.whitelisted import check


@listener
def validate(communication, method=None):
	"""Frappe keeps no headers, so what they say of an incoming mail is noted before it is stored."""
	incoming.read_arrival(communication)
	incoming.link_leads(communication)


@listener(concerns=evidence.may_count)
def after_insert(communication, method=None):
	"""A mail or a call that a person logged is a touch, and so is what the lead writes: nobody has to log it again."""
	ledger.log_evidence(communication, leads_of(communication))
	if communication.get("lq_read_as") == "Automatic":
		incoming.wait_for_return(communication)
	elif communication.get("lq_read_as") == "Bounce":
		incoming.report_failures(communication)


@listener(
	concerns=lambda communication: not communication.flags.in_insert and evidence.may_count(communication)
)
def on_change(communication, method=None):
	"""A mail that was to be sent later has been sent; one that was sent has come back; one belongs to another lead."""
	before = communication.get_doc_before_save()
	is_given_away = before and (before.reference_doctype, before.reference_name) != (
		communication.reference_doctype,
		communication.reference_name,
	)
	if is_given_away:
		corrections.give_away(communication, before)
	elif communication.send_after and communication.delivery_status == "Sent":
		ledger.log_evidence(communication, leads_of(communication))
	delivery.follow_delivery(communication)


@listener
def on_trash(document, method=None):
	"""A Communication, Call Log or Event is deleted, and with it what it has proved."""
	corrections.forget_document(document.doctype, document.name)


@frappe.whitelist(methods=["POST"])
def relink_by_hand(name: str, reference_doctype: str | None = None, reference_name: str | None = None):
	"""`frappe.email.relink`, which writes without document events and asks for no right: what came from the mail moves with it,
	for who may see the lead that it is taken from and the one that it is given to."""
	before = frappe.db.get_value("Communication", name, ["reference_doctype", "reference_name"], as_dict=True)
	if before:
		check(before.reference_doctype, before.reference_name)
	check(reference_doctype, reference_name)
	frappe_relink(name, reference_doctype, reference_name)
	if before:
		after_relink(frappe.get_doc("Communication", name), before)


@listener
def after_relink(communication, before):
	if (before.reference_doctype, before.reference_name) != (
		communication.reference_doctype,
		communication.reference_name,
	):
		corrections.give_away(communication, before)


@listener
def call_log_on_update(call, method=None):
	"""A call that the telephone system has logged is a touch once it is over."""
	_keep_in_step(call, leads_naming(call))


@listener
def event_on_update(event, method=None):
	"""A meeting or a call in the calendar is a touch once somebody has marked it as held."""
	_keep_in_step(event, leads_naming(event))


def _keep_in_step(document, leads: list[str]):
	"""Its touches are of the leads that it names, as long as it was held at all."""
	if document.get_doc_before_save():
		held = evidence.read(document, "", evidence.NOTHING, now_datetime())
		corrections.settle(document.doctype, document.name, leads if held else [])
	ledger.log_evidence(document, leads)
