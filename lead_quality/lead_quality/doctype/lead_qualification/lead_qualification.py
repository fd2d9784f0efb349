import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_datetime, getdate, now_datetime

from lead_quality.engine.qualification import parse
from lead_quality.qualification import facts, service


class LeadQualification(Document):
	"""The one running judgement of a lead. Its answers are rows by criterion, and by contact where each is asked."""

	def validate(self):
		self.refuse_second()
		self.check_access_to_lead()
		self.fill_rows()
		self.place_confidential()
		self.answer_from_lead()
		self.check_answers()
		self.stamp_answers()
		self.check_decision()
		service.judge(self, self.flags.now)
		self.stamp_verdict()

	def judge_from_lead(self, lead, checklist: str | None = None):
		"""What `validate` does when nobody has answered anything, but fields of the lead have changed.

		:param lead: document or row with the fields that answer criteria.
		:param checklist: what the lead is held against from now on, by default as before.
		"""
		self.flags.stored = self.snapshot()
		self.checklist = checklist or self.checklist
		self.fill_rows()
		self.answer_from_lead(lead)
		self.stamp_answers()
		service.judge(self)
		self.stamp_verdict()

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

	@property
	def criteria(self) -> dict:
		"""The rows of the checklist by their keys, in its order."""
		checklist = frappe.get_cached_doc("Qualification Checklist", self.checklist)
		return {row.criterion: row for row in checklist.criteria}

	def fill_rows(self):
		"""At least one row for every criterion of the checklist, in its order; rows of other keys are dropped.

		An answer that is stored and not mentioned stays: whoever sends only some answers takes none away.
		"""
		if not self.checklist:
			self.checklist = service.checklist_for(self.lead)
		stored = self.stored().answers
		given = {key_of(row): row for row in self.answers}
		self.answers = []
		for criterion in self.criteria.values():
			keys = [(criterion.criterion, None)]
			if criterion.per_contact:
				keys = [key for key in {**stored, **given} if key[0] == criterion.criterion]
			rows = [given.get(key) or stored.get(key) for key in keys]
			rows = [row for row in rows if row and (value_of(row) or not criterion.per_contact)]
			for row in rows or [{"criterion": criterion.criterion}]:
				self.append("answers", row).update({"label": criterion.label, "idx": len(self.answers)})

	def stored(self) -> frappe._dict:
		"""What the database has of it: what judging changes, and its `answers` by `key_of`."""
		if self.flags.stored:
			return self.flags.stored
		before = self.get_doc_before_save()
		return before.snapshot() if before else frappe._dict(answers={})

	def snapshot(self) -> frappe._dict:
		return frappe._dict(
			{field: self.get(field) for field in service.JUDGED},
			answers={
				key_of(row): frappe._dict({field: row.get(field) for field in row.meta.get_valid_columns()})
				for row in self.answers
			},
		)

	def place_confidential(self):
		"""A confidential answer is kept where only permission level 1 reads and writes it.

		:raises frappe.PermissionError: if the user may not write it.
		"""
		criteria = self.criteria
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

	def check_answers(self):
		"""An answer that cannot be read is refused, not judged: "50,000" is no number to a program."""
		criteria = self.criteria
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

	def answer_from_lead(self, lead=None):
		"""A mapped Lead field answers its criterion for as long as no person has; the answer refers to the lead.

		:param lead: document or row with these fields, if at hand.
		"""
		criteria = self.criteria
		mapped = {key: row.lead_field for key, row in criteria.items() if row.lead_field}
		if not mapped:
			return
		if lead is None:
			fields = {field for source in mapped.values() for field in facts.fields_of(source)}
			lead = frappe.db.get_value("Lead", self.lead, [*sorted(fields), "company"], as_dict=True)
		stored = self.stored().answers
		for row in self.answers:
			if row.criterion not in mapped or row.contact:
				continue
			criterion, old = criteria[row.criterion], stored.get(key_of(row))
			is_typed = value_of(row) and not (
				old and value_of(old) == value_of(row) and old.reference_doctype == "Lead"
			)
			value = None if is_typed else facts.value_of(mapped[row.criterion], lead)
			if value:
				set_value(row, criterion, value)
				row.update({"reference_doctype": "Lead", "reference_name": self.lead})
				row.evidence_grade = "Observed"
				if criterion.currency:
					row.currency = service.company_currency(lead.get("company")) or criterion.currency
			elif row.reference_doctype == "Lead":
				row.reference_doctype = row.reference_name = None
				if not is_typed:
					row.value = row.confidential_value = row.evidence_grade = None

	def stamp_answers(self):
		"""Who said what and when; only an answer that was given anew gets a new stamp."""
		stored = self.stored().answers
		answered = self.flags.answered or set()
		criteria = self.criteria
		for row in self.answers:
			criterion, old = criteria[row.criterion], stored.get(key_of(row))
			if not value_of(row):
				row.answered_by = row.answered_on = row.currency = None
				row.exchange_rate = 0
				continue
			if criterion.currency:
				row.currency = row.currency or criterion.currency
			changed = not old or (value_of(old), old.currency or None) != (
				value_of(row),
				row.currency or None,
			)
			if changed or key_of(row) in answered:
				row.answered_by = None if row.reference_doctype == "Lead" else frappe.session.user
				row.answered_on = now_datetime()
				row.evidence_grade = row.evidence_grade or "Stated"
			else:
				row.answered_by, row.answered_on = old.answered_by, old.answered_on
			row.exchange_rate = row.exchange_rate or 0
			if criterion.currency:
				known = old.exchange_rate if old and not changed else 0
				# asked once and kept, so that the same answers give the same verdict every time
				row.exchange_rate = known or service.exchange_rate(
					row.currency, criterion.currency, getdate(row.answered_on)
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

	def stamp_verdict(self):
		"""A verdict is that of the person who decided, or who gave the latest answer; a rule has none."""
		stored = self.stored()
		if stored.verdict == self.verdict and stored.decided_on:
			self.decided_by, self.decided_on = stored.decided_by, stored.decided_on
			return
		stamps = [(get_datetime(row.answered_on), row.answered_by) for row in self.answers if row.answered_by]
		self.decided_by = max(stamps)[1] if stamps else None
		if self.verdict == self.decision:
			self.decided_by = frappe.session.user
		self.decided_on = now_datetime()


def key_of(row) -> tuple[str, str | None]:
	"""What tells an answer from the others: its criterion, and its contact where each is asked."""
	return row.criterion, row.contact or None


def value_of(row) -> str:
	"""The answer of a row, wherever it is kept."""
	return row.value or row.confidential_value or ""


def set_value(row, criterion, value: str | None):
	"""Write the answer of a row where it belongs."""
	row.set("confidential_value" if criterion.confidential else "value", value)
