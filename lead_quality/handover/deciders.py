"""Who may answer a handover."""

import frappe
from frappe import _

from lead_quality.base.texts import bold
from lead_quality.people.absence import substitute_of
from lead_quality.permissions import is_manager
from lead_quality.qualification.service import judge_now


def stands_on_both_sides(user: str) -> bool:
	"""Whether a user may answer a handover that he has sent: nobody, but in one-person mode. Administrator is no
	person, and may do everything."""
	return user == "Administrator" or bool(frappe.get_cached_doc("Lead Quality Settings").one_person_mode)


def is_receiver(handover, user: str) -> bool:
	"""Whether a user is the receiver of a handover, or stands in today for the one who is and has not sent it."""
	return user == handover.to_user or (
		user == substitute_of(handover.to_user) and may_stand_in(handover, user)
	)


def may_stand_in(handover, user: str) -> bool:
	"""Whether a substitute may answer a handover: not one of their own, nor of a lead that they may not work on; and
	where the settings keep the two apart, not of one that they have qualified."""
	if user == handover.from_user or not frappe.has_permission("Lead", "write", doc=handover.lead, user=user):
		return False
	if not frappe.get_cached_doc("Lead Quality Settings").separate_qualifier_and_receiver:
		return True
	judged = judge_now(handover.lead)
	return not judged or user != judged.decided_by


def may_decide(handover, user: str) -> bool:
	"""Whether a user may answer a handover: its receiver, or a manager, but not who has sent it; see `is_receiver`."""
	if user == handover.from_user and not stands_on_both_sides(user):
		return False
	return user == "Administrator" or is_receiver(handover, user) or is_manager(user)


def check_decider(handover):
	user = frappe.session.user
	if may_decide(handover, user):
		return
	if user == handover.from_user:
		frappe.throw(
			_("You sent this handover, so you cannot answer it: {0} or another manager can.").format(
				bold(frappe.utils.get_fullname(handover.to_user))
			),
			frappe.PermissionError,
		)
	frappe.throw(
		_("Only {0} or a manager can answer this handover.").format(
			bold(frappe.utils.get_fullname(handover.to_user))
		),
		frappe.PermissionError,
	)
