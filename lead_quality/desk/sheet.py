"""The qualification sheet: a lead's criteria, what is known and from whom, and what is still missing."""

import frappe
from frappe import _
from frappe.utils import get_fullname, get_link_to_form, now_datetime

from lead_quality.base.texts import as_typed
from lead_quality.base.versions import lead_field
from lead_quality.engine import qualification as engine
from lead_quality.qualification import service, words
from lead_quality.qualification.answers import as_answer
from lead_quality.qualification.checklists import as_criterion, get_checklist
from lead_quality.qualification.judgement import of_document

GUIDANCE = ("guidance", "guidance_phone", "guidance_web_form", "guidance_chat", "guidance_trade_show")
ASKED = (
	"criterion",
	"label",
	"topic",
	"answer_type",
	"options",
	"mandatory",
	"knock_out",
	"per_contact",
	"confidential",
)
KNOWN = (
	"contact",
	"currency",
	"evidence_grade",
	"note",
	"reference_doctype",
	"reference_name",
	"answered_by",
	"answered_on",
)
# what tells of what kind a company is
PROFILE = (
	"company_name",
	"industry",
	"market_segment",
	"no_of_employees",
	"annual_revenue",
	"website",
	"territory",
	"country",
	"city",
)
MOST_SOURCES = 20


def get_sheet(lead: str) -> dict:
	"""The sheet of a lead, judged at this moment. Instants are naive, in the site's zone.

	:raises frappe.ValidationError: if there is no checklist for it.
	"""
	now = now_datetime()
	doc = service.get_qualification(lead)
	checklist = get_checklist(doc.checklist)
	rows, held = checklist.rows, of_document(doc)
	held.fill_rows(checklist)
	judged = held.decide(checklist, now)
	may_read_confidential = 1 in doc.get_permlevel_access("read")
	contacts = contacts_of(lead)
	names = {contact.name: contact.full_name for contact in contacts}
	criteria = []
	for row in rows.values():
		hidden = row.confidential and not may_read_confidential
		state = judged.states[row.criterion]
		answers = [answer for answer in held.answers if answer.criterion == row.criterion]
		criteria.append(
			{
				**{field: row.get(field) for field in ASKED},
				"currency": row.amount_currency,
				"guidance": {field: as_typed(row.get(field)) for field in GUIDANCE if row.get(field)},
				"needs": words.needs_in_words(row),
				"state": state,
				"state_in_words": words.state_in_words(row, state),
				"hidden": bool(hidden),
				"answers": [_answer(answer, row, names, now, hidden) for answer in answers],
			}
		)
	return {
		"name": checklist.doc.name,
		"title": checklist.doc.title,
		"definition": words.definition_in_words(checklist.doc),
		"qualification": doc.name,
		**{
			field: held.get(field)
			for field in ("verdict", "reason", "horizon", "met_count", "criteria_count")
		},
		**{field: doc.get(field) for field in ("decision", "outcome_reason", "nurture_until")},
		"criteria": criteria,
		"contacts": contacts,
		"sources": sources_of(lead),
	}


def _answer(row, criterion, names: dict, now, hidden: bool) -> dict:
	answer = as_answer(row, criterion)
	return {
		**{field: row.get(field) for field in KNOWN},
		"value": "" if hidden else as_typed(answer.value),
		"note": None if hidden else as_typed(row.note or row.confidential_note) or None,
		"contact_name": names.get(row.contact) or row.contact,
		"answered_name": get_fullname(row.answered_by) if row.answered_by else None,
		"state": engine.answer_state(as_criterion(criterion), answer, now),
	}


def contacts_of(lead: str) -> list:
	"""The contacts that are linked to a lead, the first made first: `name`, `full_name`, `designation`."""
	link, contact = frappe.qb.DocType("Dynamic Link"), frappe.qb.DocType("Contact")
	return (
		frappe.qb.from_(link)
		.join(contact)
		.on(contact.name == link.parent)
		.select(contact.name, contact.full_name, contact.designation)
		.where((link.parenttype == "Contact") & (link.link_doctype == "Lead") & (link.link_name == lead))
		.orderby(contact.creation)
		.run(as_dict=True)
	)


def sources_of(lead: str) -> list[dict]:
	"""What an answer may have come from: the lead's latest mails and logged touches, the newest first."""
	mails = frappe.get_all(
		"Communication",
		{"reference_doctype": "Lead", "reference_name": lead, "communication_type": "Communication"},
		["name", "subject", "communication_medium", "sent_or_received", "communication_date"],
		order_by="communication_date desc",
		limit=MOST_SOURCES,
	)
	touches = frappe.get_all(
		"Lead Touch",
		{"lead": lead, "status": "Done"},
		["name", "channel", "outcome", "done_at"],
		order_by="done_at desc",
		limit=MOST_SOURCES,
	)
	found = [
		{
			"doctype": "Communication",
			"name": mail.name,
			"at": mail.communication_date,
			"title": _joined(_(mail.communication_medium), mail.subject),
		}
		for mail in mails
	] + [
		{
			"doctype": "Lead Touch",
			"name": touch.name,
			"at": touch.done_at,
			"title": _joined(_(touch.channel), touch.outcome and _(touch.outcome)),
		}
		for touch in touches
	]
	return sorted(found, key=lambda source: str(source["at"]), reverse=True)[:MOST_SOURCES]


def _joined(*parts: str | None) -> str:
	return " · ".join(part for part in parts if part)


def company_profile(lead) -> dict:
	"""How much is known of the lead's company: `filled`, `total`, and the labels of what is `missing`."""
	meta = frappe.get_meta("Lead")
	fields = [field for name in PROFILE if (field := lead_field(name))]
	missing = [_(meta.get_label(field)) for field in fields if not lead.get(field)]
	return {"filled": len(fields) - len(missing), "total": len(fields), "missing": missing}


def _may_read(doctype: str, name: str) -> bool:
	"""Whether the user may read a record. Frappe says aloud what it refuses, and nobody has asked for the record."""
	said = len(frappe.local.message_log)
	may_read = bool(frappe.has_permission(doctype, "read", doc=name))
	del frappe.local.message_log[said:]
	return may_read


def non_buyer_hint(lead) -> str | None:
	"""Why a lead may be no buyer, where the site's own records say so: a colleague, a supplier, a competitor. Told to
	who may read the record that says it."""
	if lead.lq_non_buyer or lead.lq_verdict == "Disqualified":
		return None
	colleague = lead.email_id and frappe.db.get_value(
		"User", {"email": lead.email_id, "enabled": 1, "user_type": "System User"}
	)
	if colleague and _may_read("User", colleague):
		return _("{0} is the address of a user of this site.").format(lead.email_id)
	for doctype in ("Competitor", "Supplier"):
		found = lead.company_name and frappe.db.exists(doctype, lead.company_name)
		if found and _may_read(doctype, found):
			words = {"Competitor": _("{0} is a competitor."), "Supplier": _("{0} is a supplier of ours.")}
			return words[doctype].format(get_link_to_form(doctype, lead.company_name))
	return None
