import frappe
from frappe import _
from frappe.model.document import Document

from lead_quality.follow_up.replan import replan_later
from lead_quality.records import refuse_deletion_in_use
from lead_quality.site_time import build_calendar

USES = (
	("Follow Up Policy", "working_calendar"),
	("Nurture Cadence", "working_calendar"),
	("Sales Ready Agreement", "working_calendar"),
	("Follow Up Clock", "working_calendar"),
)


class WorkingCalendar(Document):
	def validate(self):
		self.check_hours()

	def on_update(self):
		if self.get_doc_before_save():
			replan_later(self.name)

	def check_hours(self):
		try:
			build_calendar(self)
		except (ValueError, KeyError) as error:
			frappe.throw(_("These opening hours cannot be used: {0}").format(error))

	def on_trash(self):
		refuse_deletion_in_use(self, USES, _("Choose another calendar there first."))
