"""What ERPNext tells the nurture room."""

from frappe import _
from frappe.utils import get_datetime, getdate, now_datetime

from lead_quality.nurture import service
from lead_quality.nurture.mail import leads_of, reads_as_reply, written_by_person


def lead_after_insert(doc, method=None):
	service.enroll_new_lead(doc)


def lead_on_change(doc, method=None):
	if doc.status == "Do Not Contact" and doc.has_value_changed("status") and not doc.flags.in_insert:
		service.stop_for_lead(doc.name, _("The lead wants no contact."))


def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)


def lead_after_rename(doc, method=None, old=None, new=None, merge=False):
	if merge:
		service.merge_into(new)


def qualification_on_update(doc, method=None):
	if doc.verdict == "Disqualified":
		service.stop_for_lead(doc.lead, _("The lead is disqualified."))
	elif doc.verdict == "Nurture" and doc.nurture_until and doc.has_value_changed("nurture_until"):
		service.rest_until(doc.lead, getdate(doc.nurture_until))


def opportunity_after_insert(doc, method=None):
	if doc.lq_lead:
		service.stop_for_lead(doc.lq_lead, _("An opportunity was made."))


def communication_after_insert(doc, method=None):
	"""A mail that a person sent is a touch, and so is the lead's reply: nobody has to log either."""
	if doc.communication_medium != "Email" or doc.communication_type != "Communication":
		return
	for lead in leads_of(doc):
		# a mail server's clock may be ahead of ours
		when = min(get_datetime(doc.communication_date or doc.creation), now_datetime())
		if doc.sent_or_received == "Sent" and written_by_person(doc):
			service.log_touch(lead, "Email", done_at=when, communication=doc.name)
		elif doc.sent_or_received == "Received" and reads_as_reply(doc, lead):
			service.log_touch(
				lead, "Email", outcome="Replied", direction="Inbound", done_at=when, communication=doc.name
			)
