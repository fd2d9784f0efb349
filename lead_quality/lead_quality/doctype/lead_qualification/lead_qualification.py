import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now_datetime

from lead_quality.engine.qualification import parse
from lead_quality.qualification import service
from lead_quality.versions import lead_field


class LeadQualification(Document):
	def validate(self):
		self.refuse_second()
		self.check_access_to_lead()
		self.fill_rows()
		self.answer_from_lead()
		self.check_answers()
		self.stamp_answers()
		self.check_decision()
		service.judge(self)
		self.stamp_verdict()

	def on_update(self):
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

	def fill_rows(self):
		"""One row for every criterion of the checklist, in its order; rows of other keys are dropped."""
		if not self.checklist:
			self.checklist = service.checklist_for(self.lead)
		rows = {row.criterion: row for row in self.answers}
		self.answers = []
		for criterion in frappe.get_cached_doc("Qualification Checklist", self.checklist).criteria:
			row = rows.get(criterion.criterion) or frappe._dict(criterion=criterion.criterion)
			self.append("answers", row)
			self.answers[-1].label = criterion.label

	def check_answers(self):
		"""An answer that cannot be read is refused, not judged: "50,000" is no number to a program."""
		criteria = frappe.get_cached_doc("Qualification Checklist", self.checklist).criteria
		for row, criterion in zip(self.answers, criteria, strict=True):
			value = (row.value or "").strip()
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

	def answer_from_lead(self):
		"""A mapped Lead field answers its criterion for as long as no person has; the answer refers to the lead."""
		criteria = frappe.get_cached_doc("Qualification Checklist", self.checklist).criteria
		mapped = {row.criterion: lead_field(row.lead_field) for row in criteria if row.lead_field}
		if not mapped:
			return
		lead = frappe.db.get_value("Lead", self.lead, list(set(mapped.values())), as_dict=True)
		before = self.answers_before()
		for row in self.answers:
			if row.criterion not in mapped:
				continue
			old = before.get(row.criterion)
			is_typed = row.value and not (old and old.value == row.value and old.reference_doctype == "Lead")
			value = None if is_typed else lead.get(mapped[row.criterion])
			if value:
				row.update({"value": str(value), "evidence_grade": "Observed"})
				row.update({"reference_doctype": "Lead", "reference_name": self.lead})
			elif row.reference_doctype == "Lead":
				row.reference_doctype = row.reference_name = None
				if not is_typed:
					row.value = row.evidence_grade = None

	def stamp_answers(self):
		"""Who said what and when; only an answer that was changed gets a new stamp."""
		before = self.answers_before()
		for row in self.answers:
			old = before.get(row.criterion)
			if not row.value:
				row.answered_by = row.answered_on = None
			elif not old or (old.value or "") != row.value:
				row.answered_by = None if row.reference_doctype == "Lead" else frappe.session.user
				row.answered_on = now_datetime()
				row.evidence_grade = row.evidence_grade or "Stated"
			else:
				row.answered_by, row.answered_on = old.answered_by, old.answered_on

	def answers_before(self) -> dict:
		before = self.get_doc_before_save()
		return {row.criterion: row for row in before.answers} if before else {}

	def check_decision(self):
		if self.decision != "Disqualified":
			return
		if not service.is_reason_for(self.outcome_reason, "Disqualify", self.lead):
			frappe.throw(
				_("Say why the lead is disqualified: choose an outcome reason."), frappe.MandatoryError
			)

	def stamp_verdict(self):
		before = self.get_doc_before_save()
		if not before or before.verdict != self.verdict:
			self.decided_by = frappe.session.user
			self.decided_on = now_datetime()
		else:
			self.decided_by, self.decided_on = before.decided_by, before.decided_on
