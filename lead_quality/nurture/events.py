"""What ERPNext tells the nurture room."""

from frappe import _
from frappe.utils import getdate, now_datetime

from lead_quality.base.listeners import listener
from lead_quality.nurture import evidence, service
from lead_quality.nurture.mail import leads_among, leads_of
from lead_quality.records import enters


@listener
def lead_enters(doc, method=None):
	if enters(doc, method):
		service.enroll_new_lead(doc)


@listener
def lead_on_change(doc, method=None):
	if doc.status == "Do Not Contact" and doc.has_value_changed("status") and not doc.flags.in_insert:
		service.stop_for_lead(doc.name, _("The lead wants no contact."))


@listener
def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)


@listener
def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


def qualification_on_update(doc, method=None):
	if doc.verdict == "Disqualified":
		service.stop_for_lead(doc.lead, _("The lead is disqualified."))
	elif doc.verdict == "Nurture" and doc.nurture_until and doc.has_value_changed("nurture_until"):
		service.rest_until(doc.lead, getdate(doc.nurture_until))


@listener
def opportunity_after_insert(doc, method=None):
	if doc.lq_lead:
		service.stop_for_lead(doc.lq_lead, _("An opportunity was made."))


@listener
def communication_after_insert(doc, method=None):
	"""A mail or a call that a person logged is a touch, and so is the lead's reply: nobody has to log it again."""
	if evidence.may_count(doc):
		_log(doc, leads_of(doc), (doc,))


@listener
def communication_on_change(doc, method=None):
	"""A mail that was to be sent later has been sent."""
	if doc.send_after and doc.delivery_status == "Sent":
		communication_after_insert(doc)


@listener
def call_log_on_update(doc, method=None):
	"""A call that the telephone system has logged is a touch once it is over."""
	_log(doc, leads_among([(row.link_doctype, row.link_name) for row in doc.links]))


@listener
def event_on_update(doc, method=None):
	"""A meeting or a call in the calendar is a touch once somebody has marked it as held."""
	links = [(row.reference_doctype, row.reference_docname) for row in doc.event_participants]
	links.append((doc.get("reference_doctype"), doc.get("reference_docname")))  # not in every v15
	_log(doc, leads_among(links))


def _log(doc, leads: list[str], communications: tuple = ()):
	if not leads:
		return  # most of a site's mail, calls and events
	known = evidence.what_is_known(communications, leads)
	for lead in leads:
		touch = evidence.read(doc, lead, known, now_datetime())
		if touch:
			service.log_once(touch)
