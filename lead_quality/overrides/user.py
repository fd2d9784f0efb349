"""Document events of User and Employee: people who leave."""

import frappe

from lead_quality.base.listeners import listener
from lead_quality.handover import transfer


@listener
def on_update(user, method=None):
	"""A user who was disabled works on no leads any more."""
	before = user.get_doc_before_save()
	if before and before.enabled and not user.enabled:
		transfer.hand_back(user.name)


@listener
def employee_on_update(employee, method=None):
	"""Who leaves the company is disabled by ERPNext, on v15 without the events of User."""
	before = employee.get_doc_before_save()
	if not (employee.user_id and before and before.status == "Active" and employee.status != "Active"):
		return
	if not frappe.db.get_value("User", employee.user_id, "enabled"):
		transfer.hand_back(employee.user_id)
