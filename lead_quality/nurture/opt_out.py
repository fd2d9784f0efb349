"""Opt-outs: recorded here or in Frappe, known in both, and applied at once to all leads of the person."""

from collections.abc import Iterable
from itertools import zip_longest

import frappe
from frappe import _
from frappe.utils import get_fullname

from lead_quality.base import query
from lead_quality.base.notices import is_reachable, plain, tell, words_for
from lead_quality.base.phone import country_of, number_key
from lead_quality.funnel import lead_lock, summary
from lead_quality.funnel.person import (
	NUMBER_KEYS,
	Person,
	address_key,
	leads_of,
	leads_of_addresses,
	whole_person_of,
)
from lead_quality.nurture import planning, service
from lead_quality.nurture.channels import (
	CHANNELS,
	closed_channels,
	covered_by,
	opt_outs_of,
	wants_nothing,
)
from lead_quality.permissions import is_manager, name_for


def opt_out(lead: str, channel: str = "All", reason: str = "Manual"):
	"""Record that a lead's person wants no contact on a channel, or none at all, and act on it at once.

	Kept by e-mail address and phone number, all of them, so that it holds for other leads of the same person and after
	the lead is gone. What is recorded already is not recorded again.

	:returns: the Contact Opt Out, the first one if the person has several addresses or numbers.
	"""
	lead_lock.lock(lead)
	doc = frappe.get_doc("Lead", lead)
	person = whole_person_of(doc)
	numbers = {key: key for key in person.numbers}
	# as people have written it
	numbers.update({doc.get(key): doc.get(name) for name, key in NUMBER_KEYS.items() if doc.get(key)})
	own_number = doc.mobile_no or doc.phone or doc.whatsapp_no
	phones = sorted(numbers.values(), key=lambda number: (number != own_number, number))
	emails = sorted(person.addresses, key=lambda address: (address != address_key(doc.email_id), address))
	if reason == "Bounced":
		# not the person's wish: the one address or number is of no use
		emails, phones = (emails[:1], []) if channel == "Email" else ([], phones[:1])
	rows = list(zip_longest(emails, phones)) or [(None, None)]
	records = [_record(lead, channel, reason, email, phone) for email, phone in rows]
	return records[0]


def _record(lead: str | None, channel: str, reason: str, email: str | None, phone: str | None):
	values = {"channel": channel, "reason": reason, "email_id": email, "phone": phone}
	known = frappe.db.get_value(
		"Contact Opt Out", {key: value or ["is", "not set"] for key, value in values.items()}
	)
	if known:
		return frappe.get_doc("Contact Opt Out", known)
	return frappe.get_doc({"doctype": "Contact Opt Out", "lead": lead, **values}).insert(
		ignore_permissions=True
	)


def close_address(written: str | None, reason: str = "Unsubscribed"):
	"""Record that no mail is to go to an address, if it is a lead's."""
	address = address_key(written)
	if not address or any("Email" in covered_by(row.channel) for row in opt_outs_of(Person({address}))):
		return
	leads = leads_of_addresses([address])
	if leads:
		_record(leads[0], "Email", reason, address, None)


# the document


def check(doc):
	"""A Contact Opt Out is about to be saved: it names somebody, whom its writer may speak for.

	:raises frappe.ValidationError: saying what is missing.
	:raises frappe.PermissionError: if it is not of the writer's lead.
	"""
	if not (doc.email_id or doc.phone):
		frappe.throw(
			_(
				"Enter the e-mail address or phone number that must not be used. For a lead that has neither, set the status to Do Not Contact."
			)
		)
	doc.email_id = (doc.email_id or "").strip() or None
	lead = frappe.get_doc("Lead", doc.lead) if doc.lead and frappe.db.exists("Lead", doc.lead) else None
	doc.phone_key = number_key(doc.phone, country_of(lead or frappe._dict()))
	if doc.is_new() and not doc.flags.ignore_permissions and not is_manager():
		_check_own(doc, lead)


def _check_own(doc, lead):
	if not lead:
		frappe.throw(
			_("Choose the lead: you can only opt out people of your own leads."), frappe.PermissionError
		)
	frappe.has_permission("Lead", "write", doc=lead, throw=True)
	person = whole_person_of(lead)
	is_other = doc.email_id and address_key(doc.email_id) not in person.addresses
	if is_other or (doc.phone_key and doc.phone_key not in person.numbers):
		frappe.throw(
			_("{0} is not an e-mail address or phone number of {1}.").format(
				frappe.bold(plain(doc.email_id if is_other else doc.phone)), plain(lead.title)
			),
			frappe.PermissionError,
		)


def person_in(doc) -> Person:
	"""The person that a Contact Opt Out speaks of."""
	address = address_key(doc.email_id)
	return Person({address} if address else set(), {doc.phone_key} if doc.phone_key else set())


def leads_of_opt_out(doc) -> list[str]:
	"""The leads that a Contact Opt Out speaks of: those with its e-mail address or its phone number."""
	return leads_of(person_in(doc))


def act_on(doc):
	"""Leave the person of a new Contact Opt Out alone, on all leads that are this person; say so to Frappe, and to the
	owners of the person's other leads."""
	leads = leads_of_opt_out(doc)
	is_wish = doc.reason != "Bounced"
	for lead in leads:
		if is_wish and "Email" in covered_by(doc.channel):
			summary.write(lead, unsubscribed=1)
		respect_opt_outs(lead, is_final=doc.channel == "All")
	address = address_key(doc.email_id)
	if is_wish and address and "Email" in covered_by(doc.channel):
		tell_frappe(address)
	_tell_owners(doc, leads)


def respect_opt_outs(lead: str, is_final: bool = False):
	"""A lead's person wants no contact, or none on some channels: its cadence ends, or goes on by those that are open.

	:param is_final: no contact at all.
	"""
	is_behind = lead_lock.is_behind(lead)
	enrollment = service.open_enrollment(lead, lock=is_behind)
	if not enrollment:
		return
	if is_final:
		service.stop(enrollment, _("The lead does not want to be contacted."))
		return
	touch = planning.planned_touch(enrollment.name, lock=is_behind)
	closed = closed_channels(lead) if touch else {}
	if wants_nothing(closed):
		service.stop(enrollment, _("The lead does not want to be contacted."))
		return
	if touch and touch.channel in closed:
		touch.status, touch.status_reason = "Skipped", closed[touch.channel]
		touch.save(ignore_permissions=True)


def _tell_owners(doc, leads: list[str]):
	"""Whoever owns another lead of the person hears of it, as their cadences and clocks may have ended."""
	owners = frappe.get_all(
		"Lead",
		{"name": query.among([lead for lead in leads if lead != doc.lead])},
		["name", "lead_owner"],
		order_by="name asc",
	)
	for row in owners:
		if row.lead_owner in {None, "", frappe.session.user} or not is_reachable(row.lead_owner):
			continue
		with words_for(row.lead_owner):
			by = get_fullname(frappe.session.user)
			title = plain(name_for(row.lead_owner, row.name))
			if doc.channel == "All":
				words = _("{0} no longer wants to be contacted, as recorded by {1}.").format(title, by)
			else:
				words = _("{0} no longer wants to be contacted by {1}, as recorded by {2}.").format(
					title, _(doc.channel), by
				)
			tell(row.lead_owner, words, "Lead", row.name, kind="Unattended")


# Frappe's own: Email Unsubscribe, Contact, Email Group Member


def tell_frappe(address: str):
	"""Frappe and ERPNext send nothing to this address any more: no newsletter, no campaign.

	Nothing at all, by a global Email Unsubscribe, unless it is the address of a user, or of a contact of anything else
	than a lead: then invoices and the like still go there.
	"""
	frappe.db.set_value(
		"Email Group Member", {"email": address, "unsubscribed": 0}, "unsubscribed", 1, update_modified=False
	)
	contacts = frappe.get_all(
		"Contact Email", {"email_id": address, "parenttype": "Contact"}, pluck="parent", order_by="name asc"
	)
	if contacts:
		frappe.db.set_value(
			"Contact",
			{"name": query.among(contacts), "unsubscribed": 0},
			"unsubscribed",
			1,
			update_modified=False,
		)
	needs_other_mail = frappe.db.exists("User", {"email": address}) or (
		contacts
		and frappe.db.exists(
			"Dynamic Link",
			{
				"parenttype": "Contact",
				"parent": query.among(contacts),
				"link_doctype": ["not in", ["Lead", "Prospect", "Opportunity"]],
			},
		)
	)
	if not needs_other_mail and not frappe.db.exists(
		"Email Unsubscribe", {"email": address, "global_unsubscribe": 1}
	):
		frappe.get_doc({"doctype": "Email Unsubscribe", "email": address, "global_unsubscribe": 1}).insert(
			ignore_permissions=True
		)


def hear_unsubscribe(unsubscribe):
	"""An Email Unsubscribe: of all mail, it is the person's; of one lead, it is that lead's alone."""
	if unsubscribe.global_unsubscribe:
		close_address(unsubscribe.email)
	elif unsubscribe.reference_doctype == "Lead":
		unsubscribe_lead(unsubscribe.reference_name)


def unsubscribe_lead(lead: str):
	"""No mail goes to this lead any more, whatever holds for other leads of the person."""
	if frappe.db.get_value("Lead", lead, "unsubscribed", for_update=True) == 0:
		summary.write(lead, unsubscribed=1)
	respect_opt_outs(lead)


def hear_addresses(addresses: Iterable[str]):
	"""A Contact or a member of an Email Group has unsubscribed."""
	for address in addresses:
		close_address(address)


UNHEARD = """
	select distinct l.email_id from `tabLead` l join (
		select email from `tabEmail Unsubscribe` where global_unsubscribe = 1
		union
		select email from `tabEmail Group Member` where unsubscribed = 1
		union
		select mail.email_id from `tabContact Email` mail join `tabContact` c on c.name = mail.parent
		where c.unsubscribed = 1 and mail.parenttype = 'Contact'
	) heard on heard.email = l.email_id
	where not exists (
		select 1 from `tabContact Opt Out` o where o.email_id = l.email_id and o.channel in ('All', 'Email')
	)
	order by l.email_id
	limit %s
"""


def unheard(limit: int) -> list[str]:
	"""Addresses of leads that Frappe was told of without document events, and this app was not."""
	return query.run(UNHEARD, (limit,), pluck=True)


def still_planned(limit: int) -> list[str]:
	"""Leads that wait for a touch on a channel that their person has closed, without document events or as a number has
	been compared with others only later."""
	covered = " or ".join(
		f"o.channel = '{channel}' and t.channel in ({', '.join(repr(one) for one in covered_by(channel))})"
		for channel in CHANNELS
	)
	same = (
		"o.email_id = l.email_id",
		"o.phone_key = l.lq_phone_key",
		"o.phone_key = l.lq_mobile_key",
		"o.phone_key = l.lq_whatsapp_key",
	)
	parts = [
		f"""
		select l.name from `tabContact Opt Out` o join `tabLead` l on {condition}
		join `tabLead Touch` t on t.lead = l.name and t.status = 'Planned'
		where {condition.split(" = ")[0]} != '' and (o.channel = 'All' or {covered})
		"""
		for condition in same
	]
	return query.run(" union ".join(parts) + " limit %s", (limit,), pluck=True)


def unheard_leads(limit: int) -> list[str]:
	"""Leads that are unsubscribed by themselves and still wait for a mail to go out, or were told to Frappe only."""
	return query.run(
		"""
		select u.reference_name from `tabEmail Unsubscribe` u join `tabLead` l on l.name = u.reference_name
		where u.reference_doctype = 'Lead' and ifnull(u.global_unsubscribe, 0) = 0 and l.unsubscribed = 0
		union
		select l.name from `tabLead Touch` t join `tabLead` l on l.name = t.lead
		where t.status = 'Planned' and t.channel = 'Email' and l.unsubscribed = 1
		limit %s
		""",
		(limit,),
		pluck=True,
	)
