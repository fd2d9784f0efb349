"""Notifying users: who can be notified, of which kinds of notices, and how."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe.email.doctype.email_account.email_account import EmailAccount
from frappe.translate import get_user_lang, print_language
from frappe.utils import cint

from lead_quality.base.persons import person

# kind of notice to the field of the user's Notification Settings
WISHES = {
	"Warning": "lq_notify_warning",
	"Missed": "lq_notify_missed",
	"Escalation": "lq_notify_escalation",
	"Unattended": "lq_notify_unattended",
	"Handover": "lq_notify_handover",
}


def is_reachable(user: str) -> bool:
	"""Whether a user can be notified: enabled, and a person."""
	return bool(person(user) and frappe.db.get_value("User", user, "enabled"))


def wishes_of(user: str) -> dict[str, str]:
	"""The user's setting for each kind of notice: Bell and E-mail, Bell Only, or Off."""
	chosen = frappe.db.get_value("Notification Settings", user, list(WISHES.values()), as_dict=True) or {}
	return {kind: chosen.get(fieldname) or "Bell and E-mail" for kind, fieldname in WISHES.items()}


def tell(user: str, subject: str, doctype: str, name: str, kind: str = "Handover", link: str | None = None):
	"""Notify a user at once, by the user's setting for this kind of notice.

	:param kind: one of `WISHES`.
	:param link: what the notice opens, if not the form of the document.
	"""
	wish = wishes_of(user)[kind]
	if wish != "Off":
		notify(user, subject, doctype, name, link=link, is_mailed=wish != "Bell Only")


def notify(
	user: str,
	subject: str,
	doctype: str,
	name: str,
	content: str | None = None,
	link: str | None = None,
	is_mailed: bool = True,
):
	"""Put a notice under the user's bell, and mail it unless the user has switched that off in Frappe.

	It has the type Assignment, because it is work for the user. On a site without an outgoing account it has the type
	Alert, which Frappe never mails.

	:param content: HTML for the body of the mail.
	:param link: what the notice opens, if not the form of the document.
	"""
	is_muted = frappe.flags.mute_emails or cint(frappe.conf.get("mute_emails"))
	can_mail = is_mailed and not is_muted and EmailAccount.find_outgoing()
	frappe.get_doc(
		{
			"doctype": "Notification Log",
			"type": "Assignment" if can_mail else "Alert",
			"for_user": user,
			"from_user": frappe.session.user,
			"subject": subject,
			"document_type": doctype,
			"document_name": name,
			"email_content": content or subject,
			"link": link,
		}
	).insert(ignore_permissions=True)


def plain(text: str | None) -> str:
	"""A name or title for a notice, which is HTML: without anything that could be a tag."""
	return (text or "").replace("<", "‹").replace(">", "›")


@contextmanager
def words_for(user: str) -> Iterator[None]:
	"""Context in which texts are translated into the user's language."""
	with print_language(get_user_lang(user)):
		yield
