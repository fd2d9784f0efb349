"""The gate: which documents may be made from a lead that is not sales ready, and the overrides for single ones."""

from datetime import datetime

import frappe
from frappe import _
from frappe.permissions import get_doctype_roles
from frappe.utils import add_days, cint, comma_and, comma_or, get_fullname, now_datetime

from lead_quality.base import query
from lead_quality.base.listeners import Refusal
from lead_quality.base.notices import is_reachable
from lead_quality.base.texts import as_html, bold, link_to
from lead_quality.qualification.checklists import expected_checklist
from lead_quality.qualification.segments import scope_of, segment_of
from lead_quality.qualification.service import judge_now, judged_now

# what is held at the gate, by which setting, and which of its fields name the lead
GATED = {
	"Opportunity": ("opportunity_gate", ("opportunity_from", "party_name")),
	"Quotation": ("quotation_gate", ("quotation_to", "party_name", "opportunity")),
	"Customer": ("customer_gate", ("lead_name", "opportunity_name", "prospect_name")),
}


# a DocType and a name
Party = tuple[str | None, str | None]
NOBODY: Party = (None, None)


class NotSalesReadyError(Refusal):
	"""A document was refused because its lead does not meet the agreed definition."""


def enforce(doc):
	"""Refuse, or let pass with a warning, a document whose lead is not sales ready, as the settings say.

	:param doc: a document of one of the DocTypes of `GATED`.
	:raises NotSalesReadyError: with the missing criteria named, if the gate is on Enforce.
	"""
	if doc.doctype == "Opportunity":
		# only the gate marks: whatever was sent along would open it for what follows
		doc.lq_verdict = doc.lq_segment = None
	mode = mode_of(doc.doctype)
	if mode == "Off" and doc.doctype != "Opportunity":
		return
	party = party_behind(doc)
	leads = leads_of_party(*party)
	if not leads:
		return
	usable = usable_leads(party, leads)
	lead, judged = best_of(usable) if usable else (leads[0], None)
	is_ready = bool(judged and judged.verdict == "Sales Ready")
	leave = None
	if mode == "Enforce" and not is_ready:
		leave = open_override(usable, doc.doctype)
		lead = leave.lead if leave else lead
	if doc.doctype == "Opportunity":
		_mark(doc, lead, judged, usable)
	if mode == "Off" or is_ready or leave:
		doc.flags.gate_override = leave and leave.name
		return
	message = not_ready_in_words(lead, judged) if usable else _no_own_lead_in_words(party)
	if mode == "Enforce":
		frappe.throw(f"{message}<br>{way_out_in_words(lead)}", NotSalesReadyError, title=_("Not Sales Ready"))
	frappe.msgprint(message, title=_("Not Sales Ready"), indicator="orange")


def _mark(opportunity, lead: str, judged, usable: list[str]):
	"""Keep on an Opportunity by which lead it has come to the gate, and what was found there."""
	opportunity.lq_verdict = judged.verdict if judged else "Open"
	opportunity.lq_segment = segment_of(lead)
	if opportunity.opportunity_from == "Prospect" and usable:
		opportunity.lq_lead = lead


def usable_leads(party: Party, leads: list[str]) -> list[str]:
	"""Of the leads behind a party those by which the user may pass: of a prospect's, only those that the user may work
	on."""
	if party[0] == "Lead":
		return leads
	return [lead for lead in leads if frappe.has_permission("Lead", "write", doc=lead)]


def _no_own_lead_in_words(party: Party) -> str:
	return _("You may not work on any lead of the prospect {0}, and the document needs one of them.").format(
		frappe.bold(party[1])
	)


def enforce_again(doc):
	"""The gate holds as well for a document that is given to another party."""
	if not doc.is_new() and any(doc.has_value_changed(field) for field in GATED[doc.doctype][1]):
		enforce(doc)


def restore_mark(opportunity):
	"""What the gate has marked an Opportunity with is nobody's to write."""
	before = opportunity.get_doc_before_save()
	if before and not any(opportunity.has_value_changed(field) for field in GATED["Opportunity"][1]):
		opportunity.lq_verdict, opportunity.lq_segment = before.lq_verdict, before.lq_segment


def use_override(doc):
	"""Leave that was given for one document is used up by it."""
	if doc.flags.gate_override:
		frappe.db.set_value(
			"Gate Override",
			doc.flags.gate_override,
			{"reference_doctype": doc.doctype, "reference_name": doc.name, "used_at": now_datetime()},
		)
		doc.flags.gate_override = None


def forget_document(doctype: str, name: str):
	"""The leave that a deleted document has used up stays, as it is counted per user, but goes with it: the number may
	come again."""
	frappe.db.set_value(
		"Gate Override",
		{"reference_doctype": doctype, "reference_name": name},
		"reference_name",
		f"deleted-{frappe.generate_hash(length=12)}",
		update_modified=False,
	)


def mode_of(doctype: str) -> str:
	"""Enforce, Warn or Off."""
	return frappe.get_cached_doc("Lead Quality Settings").get(GATED[doctype][0]) or "Off"


def best_of(leads: list[str]) -> tuple:
	"""Of some leads the first that is sales ready at this moment, else the first; with its judgement or None."""
	judged = judged_now(leads)
	candidates = [(lead, judged.get(lead)) for lead in leads]
	ready = (pair for pair in candidates if pair[1] and pair[1].verdict == "Sales Ready")
	return next(ready, candidates[0])


def party_behind(doc) -> Party:
	"""The party whose leads a document is made from: its own, or that of its Opportunity.

	Nobody if it comes from a Customer, or from something of the same party that has passed the gate itself.
	"""
	return {"Opportunity": _behind_opportunity, "Quotation": _behind_quotation, "Customer": _behind_customer}[
		doc.doctype
	](doc)


def _behind_opportunity(opportunity) -> Party:
	""":param opportunity: a document, or a row with its party."""
	return (opportunity.opportunity_from, opportunity.party_name)


def _behind_quotation(quotation) -> Party:
	party = (quotation.quotation_to, quotation.party_name)
	original = quotation.get("amended_from") and frappe.db.get_value(
		"Quotation", quotation.amended_from, ["quotation_to", "party_name", "docstatus"], as_dict=True
	)
	if original and original.docstatus == 2 and (original.quotation_to, original.party_name) == party:
		return NOBODY  # the one that it takes the place of was submitted, and so had passed
	opportunity = party_of_opportunity(quotation.opportunity)
	# a Customer may have been made from the Opportunity's lead since
	if opportunity and (
		quotation.quotation_to == "Customer"
		or (opportunity.opportunity_from, opportunity.party_name) == party
	):
		return NOBODY if has_passed(quotation.opportunity) else _behind_opportunity(opportunity)
	# an Opportunity of somebody else says nothing about this party
	return party


def _behind_customer(customer) -> Party:
	opportunity = party_of_opportunity(customer.opportunity_name)
	own = [("Lead", customer.lead_name), ("Prospect", customer.prospect_name)]
	own = [party for party in own if party[1]]
	# an Opportunity of somebody else says nothing about this lead or prospect
	if opportunity and all(belongs_to(opportunity, *party) for party in own):
		if has_passed(customer.opportunity_name):
			return NOBODY
		own = own or [(opportunity.opportunity_from, opportunity.party_name)]
	# An order made from a Quotation of a lead makes ERPNext insert the Customer in silence. To refuse that would stop
	# a sale whose offer is out already: what is sold is held at the Quotation, or not at all.
	if not own or has_submitted_quotation(*own[0]):
		return NOBODY
	return own[0]


def party_of_opportunity(opportunity: str | None):
	"""The `opportunity_from`, `party_name` and `lq_lead` of an Opportunity, or None if there is none."""
	fields = ["opportunity_from", "party_name", "lq_lead"]
	return opportunity and frappe.db.get_value("Opportunity", opportunity, fields, as_dict=True)


def belongs_to(opportunity, kind: str, name: str) -> bool:
	"""Whether an Opportunity (a row of `party_of_opportunity`) is that of a lead or a prospect."""
	if (opportunity.opportunity_from, opportunity.party_name) == (kind, name):
		return True
	if kind == "Lead":
		return opportunity.lq_lead == name
	return opportunity.opportunity_from == "Lead" and opportunity.party_name in leads_of_prospect(name)


def has_submitted_quotation(kind: str, name: str) -> bool:
	return bool(frappe.db.exists("Quotation", {"quotation_to": kind, "party_name": name, "docstatus": 1}))


def leads_of_party(kind: str | None, name: str | None) -> list[str]:
	"""The leads behind a party: none of a Customer, and none where there is no party yet."""
	if not name or kind not in {"Lead", "Prospect"}:
		return []
	return [name] if kind == "Lead" else leads_of_prospect(name)


def leads_of_prospect(prospect: str) -> list[str]:
	return frappe.get_all("Prospect Lead", {"parent": prospect}, pluck="lead", order_by="idx asc")


def has_passed(opportunity: str) -> bool:
	"""Whether an Opportunity was made from a sales-ready lead, or with leave: for its lead, and used by itself and not
	by one that had its number before."""
	return bool(
		query.run(
			"""
			select 1 from `tabOpportunity` o where o.name = %s and (
				o.lq_verdict = 'Sales Ready'
				or exists (
					select 1 from `tabGate Override` leave_
					where leave_.reference_doctype = 'Opportunity' and leave_.reference_name = o.name
						and leave_.lead = o.lq_lead and leave_.used_at >= o.creation
				)
			)
			""",
			(opportunity,),
		)
	)


def check(lead: str, doctype: str) -> dict:
	"""Whether the gate would let a document be made from a lead now, with its words if not. Asks, and does nothing."""
	mode, judged = mode_of(doctype), judge_now(lead)
	is_ready = bool(judged and judged.verdict == "Sales Ready")
	passes = mode != "Enforce" or is_ready or bool(open_override([lead], doctype, lock=False))
	message = None if passes else f"{not_ready_in_words(lead, judged)}<br>{way_out_in_words(lead)}"
	return {"passes": passes, "message": message}


def override(lead: str, reason: str, note: str | None = None, doctype: str = "Opportunity"):
	"""Give leave for one document from a lead that is not sales ready. It is kept, and counted per user.

	:param reason: a Lead Outcome Reason for overrides.
	:param doctype: what may be made, one of `GATED`.
	:returns: the Gate Override.
	:raises frappe.PermissionError: if the user may not create a Gate Override.
	"""
	leave = {"lead": lead, "reason": reason, "note": note, "for_doctype": doctype}
	return frappe.get_doc({"doctype": "Gate Override", **leave}).insert()


def open_override(leads: list[str], doctype: str, lock: bool = True):
	"""The oldest leave for a document of this kind from one of these leads that no document has used and that has not
	expired: `name` and `lead`, by default locked for its use. None if there is none."""
	rows = query.run(
		f"""
		select name, `lead` from `tabGate Override`
		where `lead` in %(leads)s and for_doctype = %(doctype)s and ifnull(reference_name, '') = ''
			and ifnull(expires_at, %(now)s) >= %(now)s
		order by creation limit 1 {"for update" if lock else ""}
		""",
		{"leads": leads, "doctype": doctype, "now": now_datetime()},
		as_dict=True,
	)
	return rows[0] if rows else None


def expiry(now: datetime) -> datetime | None:
	"""Until when leave that is given now can be used (naive, the site's zone); None for ever, as the settings may
	say."""
	days = cint(frappe.get_cached_doc("Lead Quality Settings").override_valid_days)
	return add_days(now, days) if days else None


def not_ready_in_words(lead: str, judged) -> str:
	"""That a lead is not sales ready, and what it misses. Who may not read the lead is told only its number.

	:param judged: its judgement at this moment, or None.
	"""
	if not frappe.has_permission("Lead", "read", doc=lead):
		return _("{0} is not sales ready.").format(frappe.bold(lead))
	if judged:
		why = as_html(judged.reason)
	else:
		checklist = expected_checklist(*scope_of(lead))
		criteria = frappe.get_cached_doc("Qualification Checklist", checklist).criteria if checklist else []
		why = (
			_("{0}: not asked yet.").format(
				as_html(comma_and([_(row.topic or row.label) for row in criteria], add_quotes=False))
			)
			if criteria
			else _("It has no checklist yet.")
		)
	return _("{0} is not sales ready. {1}").format(
		link_to("Lead", lead, frappe.db.get_value("Lead", lead, "title")), why
	)


def way_out_in_words(lead: str) -> str:
	"""Who can fill in what is missing, and who can override."""
	roles = [_(role) for role in get_doctype_roles("Gate Override", "create") if role != "System Manager"]
	who = comma_or(roles, add_quotes=False)
	if not frappe.has_permission("Lead", "read", doc=lead):
		return _("Ask a {0}: you do not have access to this lead.").format(who)
	owner = frappe.db.get_value("Lead", lead, "lead_owner")
	answer = (
		_("Open the lead and choose Qualify to answer what is missing, or ask its owner {0}.").format(
			bold(get_fullname(owner))
		)
		if owner and is_reachable(owner) and owner != frappe.session.user
		else _("Open the lead and choose Qualify to answer what is missing.")
	)
	return f"{answer} {_('A {0} can override.').format(who)}"


def forget_lead(lead: str, remnant: str):
	"""The leave that was given for a deleted lead stays, as it is counted per user, but no name and no free text.

	Not even the lead's number, which Frappe gives to the next lead when the last one is deleted.

	:param remnant: what stands for the lead from now on.
	"""
	frappe.db.set_value(
		"Gate Override",
		{"lead": lead},
		{
			"lead": remnant,
			"lead_name": None,
			"note": None,
			"missing": None,
		},
		update_modified=False,
	)
