import frappe
from frappe import _
from frappe.utils import get_datetime, getdate, now_datetime

from lead_quality.base.links import OutlivesLinks
from lead_quality.base.protected import restore_protected_fields
from lead_quality.base.texts import as_html, bold
from lead_quality.follow_up import reactions
from lead_quality.funnel import journey
from lead_quality.funnel.lead_lock import LeadFirst
from lead_quality.funnel.timeline import log_on_lead
from lead_quality.nurture.service import check_rest
from lead_quality.qualification import judgement, service
from lead_quality.qualification.agreement import agreement_of
from lead_quality.qualification.answers import ANSWER, as_text, key_of, value_of
from lead_quality.qualification.checklists import checklist_for, choices_of, get_checklist, is_readable
from lead_quality.qualification.reasons import is_reason_for


class LeadQualification(OutlivesLinks, LeadFirst):
	"""The current qualification of a lead. It has one answer per criterion, or per criterion and contact."""

	def validate(self):
		self.refuse_second_qualification()
		self.check_access_to_lead()
		self.set_definition()
		self.complete_rows()
		self.check_decision()
		self.judge()
		self.check_answers()

	def judge(self):
		judged = judgement.of_document(self, self.stored(), self.flags.answered or frozenset())
		judgement.judge([judged], self.flags.now or now_datetime(), rates=self.flags.rates)
		judged.put_into(self)

	def set_definition(self):
		"""Set the definition that is in force for the lead, whatever a form or an API call sends."""
		if not self.is_new():
			restore_protected_fields(self, "agreement")
			return
		expected = checklist_for(self.lead)
		if self.checklist and self.checklist != expected:
			frappe.throw(
				_("This lead is qualified against {0}, not against {1}.").format(
					frappe.bold(expected), frappe.bold(self.checklist)
				)
			)
		self.checklist, self.agreement = expected, agreement_of(self.lead)

	def stored(self) -> frappe._dict | None:
		"""The stored values, see `Judgement.before`."""
		before = self.get_doc_before_save()
		return before and frappe._dict(
			{field: before.get(field) for field in judgement.JUDGED},
			answers={
				key_of(row): frappe._dict({field: row.get(field) for field in row.meta.get_valid_columns()})
				for row in before.answers
			},
		)

	def stored_answers(self) -> dict:
		before = self.stored()
		return before.answers if before else {}

	def criteria(self) -> dict:
		"""The rows of the checklist by key, in order."""
		return get_checklist(self.checklist).rows

	def on_update(self):
		before = self.get_doc_before_save()
		if before and before.horizon != self.horizon:
			log_on_lead(
				self.lead, _("moved from horizon {0} to {1}").format(_(before.horizon), _(self.horizon))
			)
		service.publish(self)
		journey.mark(self.lead)
		reactions.verdict_changed(
			self,
			is_decision_new=self.has_value_changed("decision") or self.has_value_changed("nurture_until"),
		)

	def on_trash(self):
		service.publish_unjudged(self.lead)
		journey.mark(self.lead)

	def save_version(self):
		"""Hide confidential answers in the version, because everybody who may read the document may read its versions."""
		hidden = []
		for doc in (self, self.get_doc_before_save()):
			for row in doc.answers if doc else ():
				for field in ("confidential_value", "confidential_note"):
					hidden.append((row, field, row.get(field)))
					row.set(field, "…" if row.get(field) else None)
		try:
			super().save_version()
		finally:
			for row, field, value in hidden:
				row.set(field, value)

	def refuse_second_qualification(self):
		other = self.is_new() and service.qualification_of(self.lead, lock=True)
		if other:
			frappe.throw(
				_("{0} already qualifies this lead: answer there.").format(
					frappe.utils.get_link_to_form("Lead Qualification", other)
				),
				frappe.DuplicateEntryError,
			)

	def check_access_to_lead(self):
		if not self.flags.ignore_permissions:
			frappe.has_permission("Lead", "read", doc=self.lead, throw=True)

	def check_if_latest(self):
		# lock the lead first, as a save of the lead does; otherwise two saves could deadlock
		frappe.db.get_value("Lead", self.lead, "name", for_update=True)
		return super().check_if_latest()

	def complete_rows(self):
		"""Check the rows that a form or an API call has sent, and complete them with stored values.

		:raises frappe.PermissionError: for an answer to a confidential criterion that the user may not write.
		"""
		criteria, stored, seen = self.criteria(), self.stored_answers(), set()
		for row in self.answers:
			criterion = criteria.get(row.criterion)
			if not criterion:
				frappe.throw(
					_("Row {0}: {1} has no criterion {2}. It has: {3}.").format(
						row.idx, self.checklist, bold(row.criterion), ", ".join(criteria)
					)
				)
			if not criterion.per_contact:
				row.contact = None
			if key_of(row) in seen:
				frappe.throw(_("Row {0}: {1} is answered twice.").format(row.idx, bold(_(criterion.label))))
			seen.add(key_of(row))
			row.value = as_text(row.value)
			old = stored.get(key_of(row))
			if old and row.name != old.name:
				# a row without a name but with a criterion refers to the stored answer
				row.update({field: old.get(field) for field in ANSWER if row.get(field) is None})
				row.update({"name": old.name, "__islocal": None})
			if self.may_write_confidential():
				continue
			if old:
				row.update({field: old.get(field) for field in ("confidential_value", "confidential_note")})
			if criterion.confidential and (row.value or row.note):
				frappe.throw(
					_("You may not answer {0}: the answer is confidential.").format(bold(_(criterion.label))),
					frappe.PermissionError,
				)

	def may_write_confidential(self) -> bool:
		return self.flags.ignore_permissions or 1 in self.get_permlevel_access("write")

	def check_answers(self):
		"""Refuse answers that cannot be parsed, such as "50,000" for a number."""
		criteria = self.criteria()
		for row in self.answers:
			criterion, value = criteria[row.criterion], value_of(row).strip()
			if row.contact:
				self.check_contact(row)
			if not value or row.reference_doctype == "Lead" or is_readable(value, criterion):
				continue  # answers from the lead's own fields were not typed
			if criterion.answer_type == "Select":
				frappe.throw(
					_("{0}: {1} is not among the choices {2}.").format(
						as_html(_(row.label)), bold(value), as_html(", ".join(choices_of(criterion)))
					)
				)
			frappe.throw(
				_("{0}: {1} is not a {2}. Write it like {3}.").format(
					as_html(_(row.label)),
					bold(value),
					_(criterion.answer_type),
					"2026-12-31" if criterion.answer_type == "Date" else "50000",
				)
			)

	def check_contact(self, row):
		"""Only contacts of the lead can answer; stored answers stay if the contact's link was removed."""
		link = {
			"parenttype": "Contact",
			"parent": row.contact,
			"link_doctype": "Lead",
			"link_name": self.lead,
		}
		if key_of(row) not in self.stored_answers() and not frappe.db.exists("Dynamic Link", link):
			frappe.throw(
				_("{0} is not a contact of this lead. Add the lead to the contact's links first.").format(
					bold(row.contact)
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
				frappe.throw(_("Choose a future date to follow up on the lead."))
			# the decision has ended, so the answers count again
			self.decision = self.outcome_reason = self.nurture_until = None
		elif self.nurture_until and is_new_date:
			check_rest(get_datetime(self.nurture_until), self.outcome_reason)
		is_as_before = before and (before.decision, before.outcome_reason) == (
			self.decision,
			self.outcome_reason,
		)
		# a reason that was disabled since does not block other answers
		if (
			self.decision == "Disqualified"
			and not is_as_before
			and not is_reason_for(self.outcome_reason, "Disqualify", self.lead)
		):
			frappe.throw(_("Choose an outcome reason for disqualifying the lead."), frappe.MandatoryError)
