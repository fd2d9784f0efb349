"""Users from outside, whose statements about themselves nobody has checked."""

import frappe


def is_visitor(user: str | None) -> bool:
	"""Whether a user is Guest, as in a web form without login, or a user of the portal."""
	return bool(user) and frappe.db.get_value("User", user, "user_type", cache=True) == "Website User"
