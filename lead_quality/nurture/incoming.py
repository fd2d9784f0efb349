"""Incoming mail, read as it arrives: who wrote it, which leads it belongs to, and what it says of absences and of failed
delivery."""

from datetime import date, datetime
from email.message import Message
from functools import lru_cache

import frappe
from babel import Locale, UnknownLocaleError
from frappe import _
from frappe.utils import add_days, formatdate, getdate, now_datetime, strip_html

from lead_quality.base import query
from lead_quality.base.arriving import arriving_message
from lead_quality.engine import mail as engine  # nosemgrep (a variable has the name of the module)
from lead_quality.engine.out_of_office import back_on, has_left
from lead_quality.funnel.person import address_key, leads_of_addresses
from lead_quality.nurture import service
from lead_quality.nurture.mail import addresses_in
from lead_quality.nurture.opt_out import close_address

READ = ("lq_read_as", "lq_back_on", "lq_has_left")
# a mail to more than so many is no word to one of them
MOST_ADDRESSES = 20
# a report without the number of the mail that came back is about one that was sent so many days before
SENT_WITHIN = 10
# how long the panel shows that somebody has left
SHOWN_FOR = 180


# before it is stored


def is_incoming_mail(communication) -> bool:
	return (
		communication.communication_type == "Communication"
		and communication.communication_medium == "Email"
		and communication.sent_or_received == "Received"
	)


def read_arrival(communication):
	"""Note on a new Communication what kind of mail it is; on a stored one, nobody writes that but the app."""
	before = communication.get_doc_before_save()
	if before:
		communication.update({name: before.get(name) for name in READ})
		return
	communication.update(dict.fromkeys(READ))
	if not is_incoming_mail(communication):
		return
	message = arriving_message() or Message()
	sender = (addresses_in(communication.sender) or [""])[0]
	communication.lq_read_as = engine.read_as(message, sender, communication.subject or "")
	if communication.lq_read_as == engine.AUTOMATIC:
		text = f"{communication.subject or ''}\n{text_of(communication)}"
		sent = getdate(communication.communication_date or now_datetime())
		communication.lq_back_on = back_on(text, sent, month_names(), month_first=is_month_first())
		communication.lq_has_left = int(has_left(text))


def text_of(communication) -> str:
	if communication.get("text_content"):
		return communication.text_content
	html = communication.content or ""
	for tag in ("<br", "</p", "</div", "</li", "</td"):
		html = html.replace(tag, f"\n{tag}")
	return strip_html(html)


def is_month_first() -> bool:
	"""Whether 9/8 is the eighth of September here."""
	return (frappe.db.get_default("date_format") or "").startswith("mm")


@lru_cache(maxsize=1)
def month_names() -> dict[str, int]:
	"""The names of the months, as they stand in dates, in all languages that Frappe has; a name that is another month
	in another language is left out."""
	names: dict[str, int] = {}
	twofold: set[str] = set()
	for language in engine.AUTOMATIC_SUBJECTS:
		try:
			locale = Locale.parse(language)
		except (UnknownLocaleError, ValueError):
			continue
		for context in ("format", "stand-alone"):
			for width in ("wide", "abbreviated"):
				for number, name in locale.months[context][width].items():
					name = name.casefold().rstrip(".")
					if len(name) < 3 or (not name.isalpha() and not name.replace(" ", "").isalpha()):
						continue
					if names.setdefault(name, number) != number:
						twofold.add(name)
	return {name: number for name, number in names.items() if name not in twofold}


def link_leads(communication):
	"""A mail from or to a lead's address belongs to the lead, also where no Contact says so: it gets a link in its
	timeline, as Frappe adds one for each Contact."""
	if communication.communication_medium != "Email" or not communication.is_new():
		return
	if communication.communication_type != "Communication":
		return
	is_received = communication.sent_or_received == "Received"
	addresses = addresses_in(communication.sender if is_received else communication.recipients)
	if not addresses or len(addresses) > MOST_ADDRESSES:
		return
	named = {row.link_name for row in communication.timeline_links if row.link_doctype == "Lead"}
	if communication.reference_doctype == "Lead":
		named.add(communication.reference_name)
	if named:
		return
	for lead in open_leads_of(addresses):
		communication.append("timeline_links", {"link_doctype": "Lead", "link_name": lead})


def nameless(since: datetime, limit: int) -> list[str]:
	"""Mails stored since an instant (the site's zone) that are from a lead's address, and name no lead."""
	return query.run(
		"""
		select c.name from `tabCommunication` c join `tabLead` l on l.email_id = c.sender and l.status != 'Converted'
		where c.creation >= %s and c.communication_type = 'Communication' and c.communication_medium = 'Email'
			and c.sent_or_received = 'Received' and ifnull(c.reference_doctype, '') != 'Lead'
			and not exists (
				select 1 from `tabCommunication Link` link where link.parent = c.name and link.link_doctype = 'Lead'
			)
		limit %s
		""",
		(since, limit),
		pluck=True,
	)


def link_stored(name: str) -> int:
	"""As `link_leads`, of a mail that is stored already. Returns how many leads it has been given."""
	communication = frappe.get_doc("Communication", name)
	leads = open_leads_of(addresses_in(communication.sender))
	for lead in leads:
		communication.add_link("Lead", lead)
	communication.save(ignore_permissions=True)
	return len(leads)


def open_leads_of(addresses: list[str]) -> list[str]:
	"""The leads with one of these addresses that are not customers yet."""
	leads = leads_of_addresses(addresses)
	if not leads:
		return []
	return frappe.get_all(
		"Lead", {"name": query.among(leads), "status": ["!=", "Converted"]}, pluck="name", order_by="name asc"
	)


# people who are away


def wait_for_return(communication):
	"""Snooze the plans of all leads of a person who is away, until the day of return."""
	if not communication.lq_back_on or getdate(communication.lq_back_on) <= getdate(now_datetime()):
		return
	for lead in open_leads_of(addresses_in(communication.sender)):
		service.wait_for(lead, getdate(communication.lq_back_on))


def hints_for(lead, today: date) -> list[dict]:
	"""What automatic answers to a lead document, or to another lead of the same person, say that still counts: `text`,
	`since`, `communication`."""
	address = address_key(lead.email_id)
	others = [name for name in leads_of_addresses([address] if address else []) if name != lead.name]
	rows = query.run(
		"""
		select c.name, c.sender_full_name, c.sender, c.communication_date, c.lq_back_on, c.lq_has_left
		from `tabCommunication` c
		join (
			select name, reference_name as lead from `tabCommunication`
			where reference_doctype = 'Lead' and reference_name in %(leads)s
			union
			select parent, link_name from `tabCommunication Link`
			where link_doctype = 'Lead' and link_name in %(leads)s
		) found on found.name = c.name
		where (found.lead = %(lead)s or c.sender = %(address)s)
			and c.lq_read_as = 'Automatic'
			and (c.lq_back_on > %(today)s or c.lq_has_left = 1 and c.communication_date > %(long_ago)s)
		order by c.communication_date desc
		limit 3
		""",
		{
			"lead": lead.name,
			"leads": [lead.name, *others],
			"address": address,
			"today": today,
			"long_ago": add_days(today, -SHOWN_FOR),
		},
		as_dict=True,
	)
	hints: dict[str, dict] = {}
	for row in rows:
		who = row.sender_full_name or row.sender
		if row.lq_has_left:
			text = _("{0} no longer works there. Find another contact at the company.").format(who)
		else:
			text = _("{0} is away until {1}.").format(who, formatdate(row.lq_back_on))
		hints.setdefault(text, {"text": text, "since": row.communication_date, "communication": row.name})
	return list(hints.values())


# mail that came back


def report_failures(communication):
	"""A mail server says that it could not deliver: the mail that it speaks of has not reached that address."""
	message = arriving_message()
	for failure in engine.failures(message) if message else []:
		mail = mail_that_failed(failure)
		if mail:
			mail.flags.lead_quality_failed = {failure.address}
			mail.db_set("delivery_status", "Bounced" if failure.is_permanent else "Soft-Bounced")
		elif failure.is_permanent:
			close_address(failure.address, "Bounced")


def mail_that_failed(failure: engine.Failure):
	"""The Communication that a delivery report speaks of: by its number, else the last one to that address."""
	name = failure.message_id and (
		frappe.db.get_value(
			"Communication", {"message_id": failure.message_id, "sent_or_received": "Sent"}, "name"
		)
		or frappe.db.get_value("Email Queue", {"message_id": failure.message_id}, "communication")
	)
	if not name:
		leads = leads_of_addresses([failure.address])
		since = add_days(now_datetime(), -SENT_WITHIN)
		rows = query.run(
			"""
			select c.name, c.recipients from `tabLead Touch` t join `tabCommunication` c on c.name = t.communication
			where t.lead in %s and t.direction = 'Outbound' and t.status = 'Done' and t.done_at >= %s
				and c.communication_medium = 'Email'
			order by t.done_at desc
			""",
			(leads, since),
			as_dict=True,
		)
		name = next((row.name for row in rows if failure.address in addresses_in(row.recipients)), None)
	return frappe.get_doc("Communication", name) if name and frappe.db.exists("Communication", name) else None
