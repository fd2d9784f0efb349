"""Functions of Frappe and ERPNext that a request may call and that ask nobody for his rights on a lead.

Each is asked for by its old name and keeps its arguments (`override_whitelisted_methods` in hooks.py). What it tells or
changes of a document that the user may not see is refused, or left out of a list; all else is the original's. Guarded are
leads, opportunities, prospects, and the app's own documents. docs/compatibility.md lists the functions.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import wraps

import frappe
from erpnext.crm import utils as crm
from erpnext.crm.doctype import utils as interactions
from erpnext.crm.doctype.lead import lead as erpnext_lead
from erpnext.crm.doctype.opportunity import opportunity as erpnext_opportunity
from erpnext.crm.doctype.prospect import prospect as erpnext_prospect
from frappe import _
from frappe.desk import like
from frappe.desk import search as search_of_frappe
from frappe.desk.doctype.tag import tag as tags_of_frappe
from frappe.desk.form import document_follow
from frappe.templates.includes.comments import comments
from frappe.utils import global_search

from lead_quality.base.query import among
from lead_quality.permissions import Sight, check_lead

FOREIGN = ("Lead", "Opportunity", "Prospect")
MODULE = "Lead Quality"


def is_guarded(doctype: str | None) -> bool:
	"""Whether the documents of a DocType are a lead, belong to one, or are the app's own."""
	if not doctype or doctype in FOREIGN:
		return bool(doctype)
	return frappe.db.get_value("DocType", doctype, "module", cache=True) == MODULE


def check(doctype: str | None, name: str | None, ptype: str = "read"):
	"""Refuse what the user may not do with a document, if its DocType is guarded.

	:raises frappe.PermissionError: alike for a lead that the user may not see and for one that is not there.
	"""
	if doctype == "Lead":
		check_lead(name, ptype)
	elif is_guarded(doctype):
		frappe.has_permission(doctype, ptype, doc=name, throw=True)


def is_unsaved(doctype: str, name: str) -> bool:
	"""Whether it is the desk's own name for a document that has not been saved yet."""
	return str(name).startswith("new-") and doctype in FOREIGN and not frappe.db.exists(doctype, name)


def seen(rows: list, doctype: str, name: str) -> list:
	"""The rows of a list without those that name a guarded document which the user may not see.

	:param doctype: the key of a row's DocType; `name` that of its name.
	"""
	names: dict[str, set[str]] = defaultdict(set)
	for row in rows:
		names[row[doctype]].add(row[name])
	visible = {kind: visible_names(kind, found) for kind, found in names.items() if is_guarded(kind)}
	return [row for row in rows if row[doctype] not in visible or row[name] in visible[row[doctype]]]


def may_read(doctype: str, name: str) -> bool:
	"""Whether the user may read a document, without a message of Frappe's if he may not."""
	return bool(
		frappe.has_permission(doctype)
		and frappe.db.exists(doctype, name)
		and frappe.has_permission(doctype, doc=name)
	)


def visible_names(doctype: str, names: Iterable[str]) -> set[str]:
	"""Which of some documents the user may read."""
	if not frappe.has_permission(doctype):
		return set()
	return set(frappe.get_list(doctype, {"name": among(names)}, pluck="name", limit_page_length=0))


def check_mail(communication: str):
	"""Refuse to work with a mail that the user may not read, or from which a lead is known that he may not see."""
	mail = frappe.get_doc("Communication", communication)
	mail.check_permission("read")
	check(mail.reference_doctype, mail.reference_name)
	known = mail.sender and frappe.db.get_value("Lead", {"email_id": mail.sender})
	known = known or (mail.phone_no and frappe.db.get_value("Lead", {"mobile_no": mail.phone_no}))
	if known and not frappe.has_permission("Lead", "read", doc=known):
		frappe.throw(
			_("There is a lead with this address already, which you may not see. Ask who looks after leads."),
			frappe.PermissionError,
		)


# ERPNext


@frappe.whitelist()
def get_open_activities(ref_doctype: str, ref_docname: str):
	"""Tasks and events of any document. ERPNext's forms ask for those of a new document, too, which has none yet."""
	if not is_unsaved(ref_doctype, ref_docname):
		check(ref_doctype, ref_docname)
	return crm.get_open_activities(ref_doctype, ref_docname)


@frappe.whitelist()
def get_last_interaction(contact: str | None = None, lead: str | None = None):
	"""The last mail of a contact or a lead."""
	if lead:
		check_lead(lead)
	if contact:
		frappe.has_permission("Contact", "read", doc=contact, throw=True)
	found = interactions.get_last_interaction(contact, lead)
	mail = found and found.get("last_communication")
	if mail and not lead:
		about = frappe.db.get_value("Communication", mail["name"], ["reference_doctype", "reference_name"])
		if about[0] == "Lead" and not Sight([about[1]]).of(frappe.session.user, about[1]):
			found["last_communication"] = None
	return found


@frappe.whitelist()
def make_lead_from_communication(communication: str, ignore_communication_links: bool = False):
	"""Links a mail to the lead that has its address."""
	check_mail(communication)
	return erpnext_lead.make_lead_from_communication(communication, ignore_communication_links)


@frappe.whitelist()
def make_opportunity_from_communication(
	communication: str, company: str, ignore_communication_links: bool = False
):
	check_mail(communication)
	return erpnext_opportunity.make_opportunity_from_communication(
		communication, company, ignore_communication_links
	)


@frappe.whitelist()
def add_lead_to_prospect(lead: str, prospect: str):
	"""Copies comments, mails and events of a lead to a prospect, past all permissions."""
	check_lead(lead)
	check("Prospect", prospect, "write")
	return erpnext_lead.add_lead_to_prospect(lead, prospect)


@frappe.whitelist()
def get_opportunities(prospect: str):
	check("Prospect", prospect)
	return erpnext_prospect.get_opportunities(prospect)


# Frappe


@frappe.whitelist()
def search(text: str, start: int = 0, limit: int = 20, doctype: str = ""):
	"""The search of the desk's bar, which looks into all documents of a DocType that the user may read any of."""
	return seen(global_search.search(text, start, limit, doctype), "doctype", "name")


@frappe.whitelist()
def get_documents_for_tag(tag: str):
	return seen(tags_of_frappe.get_documents_for_tag(tag), "doctype", "name")


@frappe.whitelist()
def get_tagged_docs(doctype: str, tag: str):
	rows = tags_of_frappe.get_tagged_docs(doctype, tag)
	if not is_guarded(doctype):
		return rows
	visible = visible_names(doctype, (name for (name,) in rows))
	return [(name,) for (name,) in rows if name in visible]


@frappe.whitelist()
def follow_document(doctype: str, doc_name: str, user: str):
	"""Mails to a user what is changed in a document."""
	check(doctype, doc_name)
	return document_follow.follow_document(doctype, doc_name, user)


@frappe.whitelist()
def update_follow(doctype: str, doc_name: str, following: bool):
	check(doctype, doc_name)
	return document_follow.update_follow(doctype, doc_name, following)


@frappe.whitelist()
def toggle_like(doctype: str, name: str, add: bool | str = False):
	check(doctype, name)
	return like.toggle_like(doctype, name, add)


@frappe.whitelist()
def add_tag(tag: str, dt: str, dn: str, color: str | None = None):
	check(dt, dn)
	return tags_of_frappe.add_tag(tag, dt, dn, color)


@frappe.whitelist()
def add_tags(tags: str | list, dt: str, docs: str | list, color: str | None = None):
	for name in frappe.parse_json(docs):
		check(dt, name)
	return tags_of_frappe.add_tags(frappe.as_json(frappe.parse_json(tags)), dt, docs, color)


@frappe.whitelist()
def remove_tag(tag: str, dt: str, dn: str):
	check(dt, dn)
	return tags_of_frappe.remove_tag(tag, dt, dn)


@frappe.whitelist()
def get_link_title(doctype: str, docname: str):
	"""What a Link field shows in place of a name: of a document that the user may not read, the name."""
	if is_guarded(doctype) and not may_read(doctype, docname):
		return docname
	return search_of_frappe.get_link_title(doctype, docname)


@frappe.whitelist(allow_guest=True)
def comment_on_page(
	comment: str,
	comment_email: str,
	comment_by: str,
	reference_doctype: str,
	reference_name: str,
	route: str | None = None,
):
	"""A comment on a page of the website, which Frappe adds to any document that the request names."""
	check(reference_doctype, reference_name)
	return comments.add_comment(comment, comment_email, comment_by, reference_doctype, reference_name, route)


def within_sight(asked: dict) -> dict:
	"""A search without what v15 takes for leave to find any document at all."""
	return {**asked, "ignore_user_permissions": False} if is_guarded(asked.get("doctype")) else asked


# their arguments are those of Frappe's own, which differ between the versions
@frappe.whitelist()
@wraps(search_of_frappe.search_link, assigned=())
def search_link(**asked):
	return search_of_frappe.search_link(**within_sight(asked))


@frappe.whitelist()
@wraps(search_of_frappe.search_widget, assigned=())
def search_widget(**asked):
	return search_of_frappe.search_widget(**within_sight(asked))
