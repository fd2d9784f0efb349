import frappe
from frappe import _

from lead_quality.base.texts import as_html, bold
from lead_quality.base.versioned import VersionedDocument, content_of
from lead_quality.base.versions import lead_field
from lead_quality.funnel.conditions import OPEN_ENROLLMENTS
from lead_quality.nurture.words import plan_in_words, warnings_in_words
from lead_quality.qualification.definitions import clear_caches

DATE_TYPES = {"Date", "Datetime"}


class NurtureCadence(VersionedDocument):
	used_in = ("Nurture Enrollment", "cadence")
	segment_field = "cadence"
	under_way = ("status", OPEN_ENROLLMENTS)

	def onload(self):
		self.set_onload("plan", list(self.content_in_words().values()))
		self.set_onload("warnings", self.warnings_in_words())

	def validate(self):
		self.refuse_change_in_use("steps", "working_calendar")
		self.check_names()
		self.check_repeats()
		self.check_date_fields()
		self.warn_of_few_touches()
		self.warn_of_odd_steps()

	def on_update(self):
		clear_caches()
		self.supersede_older()

	def on_trash(self):
		self.refuse_deletion(("Lead Segment", "cadence"), self.used_in)
		clear_caches()

	def check_names(self):
		seen = set()
		for row in self.steps:
			row.step = (row.step or "").strip()
			if row.step in seen:
				frappe.throw(_("Row {0}: the step {1} is listed twice.").format(row.idx, bold(row.step)))
			seen.add(row.step)

	def check_repeats(self):
		for row in self.steps[:-1]:
			if row.repeat_every:
				frappe.throw(_("Row {0}: only the last step can repeat.").format(row.idx))

	def check_date_fields(self):
		for row in self.steps:
			if row.anchor != "Date Field":
				continue
			fieldname = lead_field(row.date_field or "")
			field = fieldname and frappe.get_meta("Lead").get_field(fieldname)
			if not field or field.fieldtype not in DATE_TYPES:
				frappe.throw(
					_("Row {0}: {1} is not a date field of the Lead.").format(
						row.idx, bold(row.date_field or "''")
					)
				)

	def warn_of_few_touches(self):
		repeats = any(row.repeat_every for row in self.steps)
		if self.status == "Active" and not repeats and len(self.steps) < (self.min_touches or 0):
			frappe.msgprint(
				_("{0}: steps planned: {1}, the minimum is {2}.").format(
					bold(self.title), len(self.steps), self.min_touches
				),
				indicator="orange",
				alert=True,
			)

	def warn_of_odd_steps(self):
		before = self.get_doc_before_save()
		if before and content_of(self, "steps") == content_of(before, "steps"):
			return
		for warning in self.warnings_in_words():
			frappe.msgprint(as_html(warning), indicator="orange", alert=True)

	def content_in_words(self) -> dict[str, str]:
		return plan_in_words(self)

	def warnings_in_words(self) -> list[str]:
		return warnings_in_words(self)
