"""The channels on which a person may be contacted, and why the others are closed."""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import formatdate

from lead_quality.base import query
from lead_quality.base.texts import link_to
from lead_quality.funnel.person import Person, person_of
from lead_quality.funnel.service import ORPHANED

CHANNELS = (
	"Email",
	"Phone",
	"Voicemail",
	"LinkedIn",
	"Social",
	"SMS",
	"WhatsApp",
	"Letter",
	"Direct Mail",
	"Visit",
	"Meeting",
)
# what reaches a person by the same number as a call: the settings say whether it is the same wish
BY_NUMBER = ("Voicemail", "SMS", "WhatsApp")

# of a lead, what `closed_channels` reads
FIELDS = (
	"name",
	"status",
	"unsubscribed",
	"email_id",
	"phone",
	"mobile_no",
	"whatsapp_no",
	"country",
	"company",
)


def closed_channels(lead, opt_outs: list | None = None) -> dict[str, str]:
	"""Channel to why a lead's person is not contacted on it, in words; a channel that is open is left out.

	:param lead: a name, a Lead document, or a row with `FIELDS`.
	:param opt_outs: as `opt_outs_of` gives them, where they are at hand.
	"""
	lead = frappe.db.get_value("Lead", lead, FIELDS, as_dict=True) if isinstance(lead, str) else lead
	if not lead:
		return {}
	if lead.status == "Do Not Contact":
		return dict.fromkeys(CHANNELS, _("The lead does not want to be contacted."))
	closed: dict[str, str] = {}
	for row in opt_outs_of(person_of(lead)) if opt_outs is None else opt_outs:
		for channel in covered_by(row.channel):
			closed.setdefault(channel, in_words(row))
	if lead.unsubscribed:
		closed.setdefault("Email", _("The lead has unsubscribed from e-mail."))
	return closed


def closed_to_plan(lead, opt_outs: list | None = None) -> dict[str, str]:
	"""As `closed_channels`, and e-mail where nobody at the lead has an address: a step for it could not be made.

	A call is planned without a number, too: finding it out is part of the call.
	"""
	closed = closed_channels(lead, opt_outs)
	if "Email" not in closed and not _has_address(lead):
		closed["Email"] = _("The lead has no e-mail address.")
	return closed


def _has_address(lead) -> bool:
	name = lead if isinstance(lead, str) else lead.name
	address = frappe.db.get_value("Lead", lead, "email_id") if isinstance(lead, str) else lead.email_id
	return bool(address or contact_with_address(name))


def contact_with_address(lead: str) -> str | None:
	"""A Contact of a lead who has an e-mail address, the primary one first."""
	rows = query.run(
		"""
		select c.name from `tabDynamic Link` link join `tabContact` c on c.name = link.parent
		where
			link.parenttype = 'Contact' and link.link_doctype = 'Lead' and link.link_name = %s
			and ifnull(c.email_id, '') != '' and c.unsubscribed = 0
		order by c.is_primary_contact desc, c.creation limit 1
		""",
		(lead,),
	)
	return rows[0][0] if rows else None


def covered_by(channel: str) -> tuple[str, ...]:
	"""The channels that an opt-out of a channel closes."""
	if channel == "All":
		return CHANNELS
	if channel == "Phone" and frappe.get_cached_doc("Lead Quality Settings").phone_opt_out_closes_messages:
		return (channel, *BY_NUMBER)
	return (channel,)


def wants_nothing(closed: dict[str, str]) -> bool:
	"""Whether no channel is left of what `closed_channels` says."""
	return len(closed) == len(CHANNELS)


def no_channel_in_words(lead, closed: dict[str, str]) -> str:
	"""That a lead `wants_nothing`, why, and what could be done."""
	return _(
		"{0} can be contacted on no channel. {1} If that has changed, delete its Contact Opt Outs first."
	).format(link_to("Lead", lead.name, lead.title), " ".join(dict.fromkeys(closed.values())))


def is_opted_out(lead, channel: str) -> bool:
	"""Whether a lead's person wants no contact on a channel (All: none at all); see `closed_channels`."""
	closed = closed_channels(lead)
	return wants_nothing(closed) if channel == "All" else channel in closed


def opt_outs_of(person: Person) -> list[frappe._dict]:
	"""The Contact Opt Outs of a person, the oldest first: `name`, `channel`, `reason`, `since`."""
	parts, values = _opt_outs_query(person)
	return query.run(f"{parts} order by since, name", values, as_dict=True) if parts else []


def known_of_new(lead) -> tuple[list[frappe._dict], bool]:
	"""What the database knows already of a new Lead document: the opt-outs of its person, see `opt_outs_of`, and whether
	rows still name a lead of its name that is gone. Every new lead asks for both, so that it is one query."""
	parts, values = _opt_outs_query(person_of(lead))
	rows = query.run(
		f"""
		select null as name, null as channel, null as reason, null as since from dual where {ORPHANED}
		{"union" if parts else ""} {parts} order by since, name
		""",
		{"lead": lead.name, **values},
		as_dict=True,
	)
	return [row for row in rows if row.name], any(not row.name for row in rows)


def _opt_outs_query(person: Person) -> tuple[str, dict]:
	"""A query, and its values; the empty text of a person without address and number."""
	columns = {"email_id": sorted(person.addresses), "phone_key": sorted(person.numbers)}
	parts = [
		f"""select name, channel, reason, coalesce(opted_out_at, creation) as since
		from `tabContact Opt Out` where {column} in %({column})s"""
		for column, wanted in columns.items()
		if wanted
	]
	return " union ".join(parts), {column: wanted for column, wanted in columns.items() if wanted}


def in_words(opt_out) -> str:
	"""Since when and why a channel is closed."""
	day = formatdate(opt_out.since) if isinstance(opt_out.since, datetime) else opt_out.since
	if opt_out.reason == "Bounced":
		return _("E-mail to the lead has bounced since {0}.").format(day)
	if opt_out.channel == "All":
		return _("The lead has not wanted contact since {0}.").format(day)
	return _("The lead has not wanted contact by {0} since {1}.").format(_(opt_out.channel), day)


def wishes_of(lead) -> list[dict]:
	"""What a lead document's person does not want, each once: `channel`, `reason`, `since`."""
	wishes: dict[tuple[str, str], dict] = {}
	for row in opt_outs_of(person_of(lead)):
		wish = {"channel": row.channel, "reason": row.reason, "since": row.since}
		wishes.setdefault((row.channel, row.reason), wish)
	if lead.status == "Do Not Contact" and not any(wish["channel"] == "All" for wish in wishes.values()):
		wishes["All", "Manual"] = {"channel": "All", "reason": "Manual", "since": None}
	if lead.unsubscribed and not any(wish["channel"] in {"All", "Email"} for wish in wishes.values()):
		wishes["Email", "Unsubscribed"] = {"channel": "Email", "reason": "Unsubscribed", "since": None}
	return list(wishes.values())
