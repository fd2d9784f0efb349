"""The Sales Ready Agreement: which one is in force for a lead, what it sets, and who signs it."""

from dataclasses import dataclass

import frappe
from frappe import _
from frappe.utils import format_date, get_fullname, get_link_to_form
from frappe.utils.user import get_users_with_role

from lead_quality.base import query
from lead_quality.base.notices import is_reachable, tell
from lead_quality.base.texts import bold
from lead_quality.qualification.definitions import in_force
from lead_quality.qualification.segments import scope_of

DOCTYPE = "Sales Ready Agreement"
# side to the setting that names its role, the role that signs where the setting is empty, and its two fields
SIDES = {
	"Marketing": ("marketing_role", "Lead Quality Manager", "marketing_signed_by", "marketing_signed_on"),
	"Sales": ("sales_role", "Sales Manager", "sales_signed_by", "sales_signed_on"),
}


@dataclass(frozen=True)
class Span:
	"""How long something may take: so many of a unit. `calendar` of None: that of the lead's follow-up policy."""

	within: float
	unit: str
	calendar: str | None


# which one is in force, and what it sets


def agreement_for(company: str | None, segment: str | None) -> str | None:
	"""The name of the Active agreement for leads of a company and a segment, or None. The most specific one wins."""
	active = in_force()["agreements"]
	for scope in ((company, segment), (company, None), (None, segment), (None, None)):
		name = active.get((scope[0] or None, scope[1] or None))
		if name:
			return name
	return None


def agreement_of(lead: str) -> str | None:
	"""The name of the Sales Ready Agreement that is in force for a lead, or None."""
	return agreement_for(*scope_of(lead))


def checklist_of(agreement: str | None) -> str | None:
	"""The checklist that both sides have agreed on. It may be superseded: it holds until they sign anew."""
	return frappe.get_cached_value(DOCTYPE, agreement, "checklist") if agreement else None


def agreed_reasons(agreement: str | None, purpose: str) -> list[str]:
	"""The enabled reasons that an agreement lists for a purpose, such as Reject. None listed: empty, all count."""
	rows = frappe.get_cached_doc(DOCTYPE, agreement).reasons if agreement else []
	if not rows:
		return []
	return frappe.get_all(
		"Lead Outcome Reason",
		{"name": query.among([row.reason for row in rows]), "applies_to": purpose, "enabled": 1},
		pluck="name",
		order_by="name asc",
	)


def span_of(agreement: str | None, fieldname: str) -> Span | None:
	"""What an agreement says of `accept_within`, `first_touch_within` or `pull_back_after`; None if nothing."""
	doc = frappe.get_cached_doc(DOCTYPE, agreement) if agreement else None
	if not doc or not doc.get(fieldname):
		return None
	return Span(doc.get(fieldname), doc.deadline_unit, doc.working_calendar or None)


# who signs


def role_of(side: str) -> str:
	"""The role of those who may sign for a side, Marketing or Sales."""
	setting, default, *_fields = SIDES[side]
	return frappe.get_cached_doc("Lead Quality Settings").get(setting) or default


def refusal(doc, side: str, user: str) -> tuple[str, type[Exception]] | None:
	"""Why a user may not sign an agreement for a side now, and the exception to raise; None if the user may."""
	role, signed_by = role_of(side), doc.get(SIDES[side][2])
	if role not in frappe.get_roles(user):
		return _("Only a user with the role {0} can sign for {1}.").format(
			frappe.bold(_(role)), _(side)
		), frappe.PermissionError
	if doc.status == "Draft":
		return _("This is a draft. Send it for signature first."), frappe.ValidationError
	if signed_by:
		return _("{0} has signed for {1} already.").format(
			bold(get_fullname(signed_by)), _(side)
		), frappe.ValidationError
	if doc.status != "Awaiting Signature":
		return _("This agreement is {0}. Choose New Version to agree on another one.").format(
			_(doc.status)
		), frappe.ValidationError
	one_person = frappe.get_cached_doc("Lead Quality Settings").one_person_mode
	if not one_person and user in signers(doc):
		return _(
			"You have signed for the other side. Ask a second person, or tick One person may stand on both sides in Lead Quality Settings."
		), frappe.ValidationError
	return None


def signers(doc) -> list[str]:
	"""The users who have signed an agreement."""
	return [doc.get(fields[2]) for fields in SIDES.values() if doc.get(fields[2])]


def people(side: str) -> list[str]:
	"""The enabled users who have the role of a side."""
	return sorted(user for user in get_users_with_role(role_of(side)) if is_reachable(user))


def tell_both_sides(doc, subject: str):
	"""Tell the users of both roles, each once; who does it knows."""
	users = {user for side in SIDES for user in people(side)} - {frappe.session.user}
	for user in sorted(users):
		tell(user, subject, DOCTYPE, doc.name)


def signing_state(doc, user: str) -> dict:
	"""What the form shows: `intro`, the sides that the user may sign for, and who of both roles has read it."""
	read = {row.user: row.read_on for row in doc.readers}
	signed = signers(doc)
	return {
		"intro": state_in_words(doc),
		"may_sign": [side for side in SIDES if not refusal(doc, side, user)],
		"may_read": doc.status in {"Awaiting Signature", "Active"} and user not in read,
		"people": [
			{
				"side": side,
				"user": person,
				"full_name": get_fullname(person),
				"read_on": read.get(person),
				# nobody signs what he has not read
				"has_read": person in read or person in signed,
			}
			for side in SIDES
			for person in people(side)
		],
	}


def state_in_words(doc) -> str:
	"""One sentence on where an agreement stands, and what is to be done."""
	if doc.status == "Draft":
		return _("A draft: send it for signature when it is complete.")
	if doc.status == "Superseded":
		return _("A later version is in force. This one is kept as a record of what both sides signed.")
	if doc.status == "Active":
		return _(
			"In force since {0}. To change it, choose New Version: this one stays in force until both sides have signed."
		).format(format_date(max(doc.marketing_signed_on, doc.sales_signed_on)))
	marketing, sales = (_(role_of(side)) for side in SIDES)
	if doc.marketing_signed_by:
		return _("Waiting for the signature of sales: {0}").format(sales)
	if doc.sales_signed_by:
		return _("Waiting for the signature of marketing: {0}").format(marketing)
	return _("Waiting for the signatures of marketing: {0}, and of sales: {1}").format(marketing, sales)


# a new definition asks both sides again


def renew(older: str, newer: str):
	"""A new version of a checklist is active: agreements on the older one are to be signed on the newer one.

	Those in force get a new version and stay in force until both sides have signed it. Those that nobody has put
	in force yet move on to the newer checklist, which clears their signatures.
	"""
	under_way, asked = set(), []
	for name in frappe.get_all(
		DOCTYPE,
		{"checklist": older, "status": ["in", ["Draft", "Awaiting Signature"]]},
		pluck="name",
		order_by="creation asc",
	):
		doc = frappe.get_doc(DOCTYPE, name)
		doc.checklist = newer
		doc.flags.is_renewed = True
		doc.save(ignore_permissions=True)
		if doc.status == "Awaiting Signature":
			under_way.add((doc.company, doc.segment))
			asked.append(doc)
	for name in frappe.get_all(
		DOCTYPE, {"checklist": older, "status": "Active"}, pluck="name", order_by="creation asc"
	):
		doc = frappe.get_doc(DOCTYPE, name)
		if (doc.company, doc.segment) not in under_way:
			asked.append(doc.copy_as_draft(checklist=newer))
			asked[-1].ask_for_signatures()
	if asked:
		frappe.msgprint(
			_(
				"Both sides have to sign for the new checklist: {0}. The present agreements stay in force until they have."
			).format(", ".join(get_link_to_form(DOCTYPE, doc.name, doc.title) for doc in asked)),
			title=_("Signatures Needed"),
			indicator="orange",
		)
