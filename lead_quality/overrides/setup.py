"""Document events of Company and Holiday List."""

import frappe
from frappe.utils import now_datetime

from lead_quality.base.calendar_states import keep_history
from lead_quality.base.listeners import listener
from lead_quality.base.site_time import aware
from lead_quality.follow_up.replan import replan_later
from lead_quality.qualification.definitions import clear_caches


@listener
def company_after_rename(company, method=None, old=None, new=None, merge=False):
	"""The agreements are remembered by company."""
	clear_caches()


@listener
def holiday_list_on_update(holiday_list, method=None):
	for calendar in frappe.get_all(
		"Working Calendar", {"holiday_list": holiday_list.name}, pluck="name", order_by="name asc"
	):
		keep_history(calendar, aware(now_datetime()), holiday_list)
		replan_later(calendar)
