"""The person behind a lead: the e-mail addresses and telephone numbers by which other leads are known to be the same.

Two addresses are the same if only case and blanks differ. Whether anna+news@… reads what is sent to anna@… only her
provider knows: such addresses are two, and a lead with the other one is a likely duplicate. Numbers are the same in
their international form.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import frappe

from lead_quality.base import query
from lead_quality.base.phone import country_of, number_key
from lead_quality.base.rows import update_rows

# the lead's fields with a number, to its fields with that number as it is compared
NUMBER_KEYS = {"phone": "lq_phone_key", "mobile_no": "lq_mobile_key", "whatsapp_no": "lq_whatsapp_key"}
KEYS = (*NUMBER_KEYS.values(), "lq_mailbox")
# all that `keys_of` and `_stale_keys` look at
READ = ", ".join(["name", "country", "company", "email_id", *NUMBER_KEYS, *KEYS])


@dataclass
class Person:
	"""Addresses in lower case, and numbers as `base.phone.number_key` writes them."""

	addresses: set[str] = field(default_factory=set)
	numbers: set[str] = field(default_factory=set)

	def __bool__(self) -> bool:
		return bool(self.addresses or self.numbers)


def keys_of(lead) -> dict[str, str | None]:
	"""The values of a lead's key fields (document or row)."""
	country = country_of(lead) if any(lead.get(name) for name in NUMBER_KEYS) else None
	keys = {key: number_key(lead.get(name), country) for name, key in NUMBER_KEYS.items()}
	return {**keys, "lq_mailbox": mailbox(lead.get("email_id"))}


def keep_keys(lead):
	"""Lead `validate`: keep the keys of its present numbers and address, by which it is found."""
	lead.update({**keys_of(lead), **(_keys_of_contact(lead) if lead.is_new() else {})})


def _keys_of_contact(lead) -> dict[str, str | None]:
	"""The keys of the number that a new Lead document is about to get: where its Contact has one only, ERPNext writes that
	into both of the lead's fields, right after the insert."""
	numbers = [row.phone for row in contact.phone_nos] if (contact := lead.get("contact_doc")) else []
	if len(numbers) != 1:
		return {}
	key = number_key(numbers[0], country_of(lead))
	return {NUMBER_KEYS["phone"]: key, NUMBER_KEYS["mobile_no"]: key}


def is_changed(lead) -> bool:
	"""Whether `follow_change` has anything to do."""
	if not any(lead.has_value_changed(name) for name in ("email_id", *NUMBER_KEYS, *NUMBER_KEYS.values())):
		return False
	return bool(_stale_keys(lead)) or _is_another_person(lead)


def follow_change(lead) -> bool:
	"""Lead `on_change`: keep the keys of numbers that were written without `validate`, as a Contact's are.

	:returns: whether the change made another person of the lead. A number that is copied to another of its fields does not.
	"""
	if not is_changed(lead):
		return False
	if stale := _stale_keys(lead):
		frappe.db.set_value("Lead", lead.name, stale, update_modified=False)
		lead.update(stale)
	return _is_another_person(lead)


def _is_another_person(lead) -> bool:
	before = lead.get_doc_before_save()
	return not before or _identity(before) != _identity(lead)


def _identity(lead) -> Person:
	"""The person that the address and the stored keys of a lead (document or row) name."""
	addresses = {address for address in [address_key(lead.get("email_id"))] if address}
	return Person(addresses, {lead.get(key) for key in NUMBER_KEYS.values() if lead.get(key)})


def _stale_keys(lead) -> dict[str, str]:
	"""The keys of a lead (document or row) that are not those of its numbers and address, with what they must be; the empty
	text where there is none."""
	keys = keys_of(lead)
	return {key: value or "" for key, value in keys.items() if (lead.get(key) or "") != (value or "")}


def without_keys(limit: int) -> list[str]:
	"""Leads that were written without document events, such as those from before the keys existed, and have none."""
	missing = " or ".join(
		[
			f"(ifnull({column}, '') != '' and {key} is null)"
			for column, key in (*NUMBER_KEYS.items(), ("email_id", "lq_mailbox"))
		]
	)
	return query.run(f"select name from `tabLead` where {missing} limit %s", (limit,), pluck=True)


def with_stale_keys(since: datetime) -> list[str]:
	"""Leads whose numbers or address were written without document events, so that their keys are those of others.

	:param since: leads modified from then on (naive, the site's zone); an older one was corrected when it was new.
	"""
	rows = query.run(f"select {READ} from `tabLead` where modified >= %s", (since,), as_dict=True)
	return [row.name for row in rows if _stale_keys(row)]


def correct_keys(leads: list[str]) -> int:
	"""Write the keys of these leads by the numbers and addresses that they have now. They stay locked until the transaction
	ends. What cannot be a key is kept as the empty text, so that it is not looked at again.

	:returns: how many there are: a lead that is gone is passed by.
	"""
	rows = query.run(
		f"select {READ} from `tabLead` where name in %s order by name for update", (leads,), as_dict=True
	)
	update_rows(
		"Lead",
		[{"name": row.name, **{key: value or "" for key, value in keys_of(row).items()}} for row in rows],
	)
	return len(rows)


def address_key(address: str | None) -> str | None:
	"""An address as it is compared."""
	return (address or "").strip().lower() or None


def mailbox(address: str | None) -> str | None:
	"""An address without what its owner may have added: anna@… of Anna+news@…"""
	name, at, domain = (address_key(address) or "").partition("@")
	return f"{name.split('+')[0] or name}@{domain}" if at else None


def person_of(lead) -> Person:
	"""The person that a lead (document or row) itself names."""
	return _identity({"email_id": lead.get("email_id"), **keys_of(lead)})


def whole_person_of(lead) -> Person:
	"""As `person_of`, with the addresses and numbers of the Contact of that address, if the lead has one."""
	person = person_of(lead)
	if not person.addresses:
		return person
	contacts = query.run(
		"""
		select link.parent from `tabDynamic Link` link
		join `tabContact Email` mail on mail.parent = link.parent and mail.email_id in %(addresses)s
		where link.link_doctype = 'Lead' and link.link_name = %(lead)s and link.parenttype = 'Contact'
		""",
		{"lead": lead.name, "addresses": sorted(person.addresses)},
		pluck=True,
	)
	if contacts:
		of_contacts = {"parent": query.among(contacts), "parenttype": "Contact"}
		addresses = frappe.get_all("Contact Email", of_contacts, pluck="email_id", order_by="idx asc")
		numbers = frappe.get_all("Contact Phone", of_contacts, pluck="phone", order_by="idx asc")
		country = country_of(lead)
		person.addresses |= {key for address in addresses if (key := address_key(address))}
		person.numbers |= {key for number in numbers if (key := number_key(number, country))}
	return person


def leads_of(person: Person) -> list[str]:
	"""The leads that are this person."""
	columns = {"email_id": person.addresses, **dict.fromkeys(NUMBER_KEYS.values(), person.numbers)}
	parts = [
		f"select name from `tabLead` where `{column}` in %({column})s"
		for column, wanted in columns.items()
		if wanted
	]
	if not parts:
		return []
	values = {column: sorted(wanted) for column, wanted in columns.items() if wanted}
	return sorted(set(query.run(" union ".join(parts), values, pluck=True)))


def leads_of_addresses(addresses: Iterable[str]) -> list[str]:
	"""The leads that have one of these e-mail addresses."""
	return leads_of(Person(addresses={key for address in addresses if (key := address_key(address))}))


def likely_duplicates(lead) -> list[frappe._dict]:
	"""Other leads, as far as the user may see them, whose address is the same but for what its owner has added to it:
	`name`, `title`, `email_id`."""
	if not lead.get("email_id"):
		return []
	rows = frappe.get_list(
		"Lead",
		{"lq_mailbox": mailbox(lead.email_id), "name": ["!=", lead.name]},
		["name", "title", "email_id"],
		order_by="creation asc",
		limit=20,
	)
	return [row for row in rows if address_key(row.email_id) != address_key(lead.email_id)]
