"""What Frappe and ERPNext tell of contacts with people: a Communication, a Call Log, an Event."""

from frappe.utils import now_datetime

from lead_quality.base.listeners import listener
from lead_quality.nurture import evidence
from lead_quality.nurture import service as nurture
from lead_quality.nurture.mail import leads_among, leads_of


@listener
def after_insert(communication, method=None):
	"""A mail or a call that a person logged is a touch, and so is the lead's reply: nobody has to log it again."""
	if evidence.may_count(communication):
		_log(communication, leads_of(communication), (communication,))


@listener
def on_change(communication, method=None):
	"""A mail that was to be sent later has been sent."""
	is_sent_now = communication.send_after and communication.delivery_status == "Sent"
	if is_sent_now and evidence.may_count(communication):
		_log(communication, leads_of(communication), (communication,))


@listener
def call_log_on_update(call, method=None):
	"""A call that the telephone system has logged is a touch once it is over."""
	_log(call, leads_among([(row.link_doctype, row.link_name) for row in call.links]))


@listener
def event_on_update(event, method=None):
	"""A meeting or a call in the calendar is a touch once somebody has marked it as held."""
	links = [(row.reference_doctype, row.reference_docname) for row in event.event_participants]
	links.append((event.get("reference_doctype"), event.get("reference_docname")))  # not in every v15
	_log(event, leads_among(links))


def _log(document, leads: list[str], communications: tuple = ()):
	if not leads:
		return  # most of a site's mail, calls and events
	known = evidence.what_is_known(communications, leads)
	for lead in leads:
		touch = evidence.read(document, lead, known, now_datetime())
		if touch:
			nurture.log_once(touch)
