"""Telling people: who can be told, and how."""

import frappe
from frappe.email.doctype.email_account.email_account import EmailAccount
from frappe.utils import cint


def is_reachable(user: str) -> bool:
	"""Whether a user can be told anything: enabled, and a person."""
	return user not in {"Guest", "Administrator"} and bool(frappe.db.get_value("User", user, "enabled"))


def notify(user: str, subject: str, doctype: str, name: str):
	"""Tell a user at once: in the desk's bell, and by mail unless the user has switched that off.

	For the user this is work, as an Assignment is. Frappe never mails an Alert, which suits a site that has no
	account to send mail from.
	"""
	is_muted = frappe.flags.mute_emails or cint(frappe.conf.get("mute_emails"))
	can_mail = not is_muted and EmailAccount.find_outgoing()
	frappe.get_doc(
		{
			"doctype": "Notification Log",
			"type": "Assignment" if can_mail else "Alert",
			"for_user": user,
			"from_user": frappe.session.user,
			"subject": subject,
			"document_type": doctype,
			"document_name": name,
			"email_content": subject,
		}
	).insert(ignore_permissions=True)
