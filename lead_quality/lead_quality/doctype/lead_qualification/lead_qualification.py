import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import getdate, now_datetime

from lead_quality.engine.qualification import parse
from lead_quality.qualification import service
from lead_quality.qualification.judgement import JUDGED, AnswerSheet, judge, key_of, value_of
from lead_quality.records import keep


class LeadQualification(AnswerSheet, Document):
	"""The one running judgement of a lead. Its answers are rows by criterion, and by contact where each is asked."""

	def validate(self):
		self.refuse_second()
		self.check_access_to_lead()
		self.choose_definition()
		criteria = self.get_criteria()
		self.fill_rows(criteria)
		self.place_confidential(criteria)
		self.answer_from_lead(criteria)
		self.check_answers(criteria)
		self.stamp_answers(criteria)
		self.check_decision()
		judge(self, self.flags.now)
		self.stamp_verdict()

	def choose_definition(self):
		"""A lead is held against the definition that is in force for it, whatever a form or an API call sends."""
		if not self.is_new():
			keep(self, "agreement")
			return
		expected = service.checklist_for(self.lead)
		if self.checklist and self.checklist != expected:
			frappe.throw(
				_("This lead is held against {0}, not against {1}.").format(
					frappe.bold(expected), frappe.bold(self.checklist)
				)
			)
		self.checklist, self.agreement = expected, service.agreement_of(self.lead)

	def stored(self) -> frappe._dict:
		before = self.get_doc_before_save()
		return before.snapshot() if before else frappe._dict(answers={})

	def snapshot(self) -> frappe._dict:
		return frappe._dict(
			{field: self.get(field) for field in JUDGED},
			answers={
				key_of(row): frappe._dict({field: row.get(field) for field in row.meta.get_valid_columns()})
				for row in self.answers
			},
		)

	def answered_now(self) -> set:
		return self.flags.answered or set()

	def on_update(self):
		before = self.get_doc_before_save()
		if before and before.horizon != self.horizon:
			service.log_on_lead(
				self.lead, _("moved from horizon {0} to {1}").format(_(before.horizon), _(self.horizon))
			)
		service.publish(self)

	def refuse_second(self):
		other = self.is_new() and frappe.db.get_value("Lead Qualification", {"lead": self.lead})
		if other:
			frappe.throw(
				_("{0} judges this lead already: answer there.").format(
					frappe.utils.get_link_to_form("Lead Qualification", other)
				),
				frappe.DuplicateEntryError,
			)

	def check_access_to_lead(self):
		if not self.flags.ignore_permissions:
			frappe.has_permission("Lead", "read", doc=self.lead, throw=True)

	def place_confidential(self, criteria: dict):
		"""A confidential answer is kept where only permission level 1 reads and writes it.

		:raises frappe.PermissionError: if the user may not write it.
		"""
		for row in self.answers:
			if not criteria[row.criterion].confidential:
				row.value = row.value or row.confidential_value
				row.confidential_value = None
			elif row.value:
				if not self.may_write_confidential():
					frappe.throw(
						_("You may not answer {0}: the answer is confidential.").format(
							frappe.bold(_(row.label))
						),
						frappe.PermissionError,
					)
				row.confidential_value, row.value = row.value, None

	def may_write_confidential(self) -> bool:
		return self.flags.ignore_permissions or 1 in self.get_permlevel_access("write")

	def check_answers(self, criteria: dict):
		"""An answer that cannot be read is refused, not judged: "50,000" is no number to a program."""
		for row in self.answers:
			criterion = criteria[row.criterion]
			value = value_of(row).strip()
			choices = [choice.strip() for choice in (criterion.options or "").splitlines()]
			if row.reference_doctype == "Lead":
				continue  # nobody typed it
			if value and parse(criterion.answer_type, value) is None:
				frappe.throw(
					_("{0}: {1} is not a {2}. Write it like {3}.").format(
						_(row.label),
						frappe.bold(value),
						_(criterion.answer_type),
						"2026-12-31" if criterion.answer_type == "Date" else "50000",
					)
				)
			if value and criterion.answer_type == "Select" and value not in choices:
				frappe.throw(
					_("{0}: {1} is not among the choices {2}.").format(
						_(row.label), frappe.bold(value), ", ".join(choices)
					)
				)

	def check_decision(self):
		today = (self.flags.now or now_datetime()).date()
		before = self.get_doc_before_save()
		is_new_date = not before or str(before.nurture_until or "") != str(self.nurture_until or "")
		if self.decision != "Nurture":
			self.nurture_until = None
		elif self.nurture_until and getdate(self.nurture_until) <= today:
			if is_new_date:
				frappe.throw(_("Choose a day in the future to come back to the lead."))
			# the day has come: from now on the answers count again
			self.decision = self.outcome_reason = self.nurture_until = None
		if self.decision == "Disqualified" and not service.is_reason_for(
			self.outcome_reason, "Disqualify", self.lead
		):
			frappe.throw(
				_("Say why the lead is disqualified: choose an outcome reason."), frappe.MandatoryError
			)
