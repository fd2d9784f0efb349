import frappe
from frappe import _
from frappe.model.document import Document

from lead_quality.base.links import refuse_deletion_in_use
from lead_quality.base.site_time import build_calendar, clock_time
from lead_quality.follow_up.replan import replan_later

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
		if any(
			row.get(field) in (None, "") for row in self.hours for field in ("weekday", "opens", "closes")
		):
			return  # Frappe says next which row lacks what
		self.check_rows()
		try:
			build_calendar(self)
		except (ValueError, KeyError) as error:
			frappe.throw(_("These opening hours cannot be used: {0}").format(error))

	def check_rows(self):
		"""What the engine refuses as well, but it does not know the rows."""
		seen = []
		for row in self.hours:
			opens, closes = clock_time(row.opens), clock_time(row.closes, is_end=True)
			if opens >= closes:
				frappe.throw(
					_("Row {0}: on {1} it opens at or after its closing time.").format(
						row.idx, frappe.bold(_(row.weekday))
					)
				)
			for other, other_opens, other_closes in seen:
				if other.weekday == row.weekday and opens < other_closes and other_opens < closes:
					frappe.throw(
						_("Row {0}: the hours of {1} overlap those of row {2}.").format(
							row.idx, frappe.bold(_(row.weekday)), other.idx
						)
					)
			seen.append((row, opens, closes))

	def on_trash(self):
		refuse_deletion_in_use(self, USES, _("Choose another calendar there first."))
