"""Lines on the timelines of leads."""

from datetime import datetime

import frappe

from lead_quality.base.rows import insert_rows


def log_on_lead(lead: str, text: str):
	"""Add a line to a lead's timeline, which an open form shows at once."""
	frappe.get_doc(
		{
			"doctype": "Comment",
			"comment_type": "Info",
			"reference_doctype": "Lead",
			"reference_name": lead,
			"content": text,
		}
	).insert(ignore_permissions=True)


def log_in_bulk(lines: list[tuple[str, str]], now: datetime):
	"""Add lines to the timelines of leads, in one statement.

	:param lines: leads and texts.
	:param now: naive instant in the site's zone.
	"""
	insert_rows(
		"Comment",
		[
			{
				"comment_type": "Info",
				"reference_doctype": "Lead",
				"reference_name": lead,
				"content": text,
				"comment_by": frappe.session.user,
				"comment_email": frappe.session.user,
			}
			for lead, text in lines
		],
		now,
	)
