import re

import frappe
from frappe import _
from frappe.query_builder.functions import Count

from lead_quality.base.texts import bold
from lead_quality.base.versioned import VersionedDocument
from lead_quality.base.versions import source_doctype
from lead_quality.engine.qualification import COMPARISONS, Criterion, contradict, is_today, parse, split_list
from lead_quality.qualification import capture, facts
from lead_quality.qualification.agreement import renew
from lead_quality.qualification.checklists import as_criterion, choices_of
from lead_quality.qualification.definitions import clear_caches
from lead_quality.qualification.words import compare_in_words, definition_in_words, needs_in_words

# answer types that need certain field types of the Lead
FITTING_TYPES = {
	"Number": {"Int", "Float", "Currency", "Percent"},
	"Date": {"Date", "Datetime"},
	"Check": {"Check"},
}


class QualificationChecklist(VersionedDocument):
	used_in = ("Lead Qualification", "checklist")
	segment_field = "checklist"
	under_way = ("verdict", ("Open", "Nurture", "Sales Ready"))

	def onload(self):
		self.set_onload("definition", definition_in_words(self))
		self.set_onload("criteria", [criterion_in_words(row) for row in self.criteria])
		self.set_onload("rules", self.rules_in_words())
		if self.has_permission("write"):
			self.set_onload("older", self.older_in_use())
			self.set_onload("source_doctype", source_doctype())

	def validate(self):
		self.refuse_change_in_use("pass_rule", "at_least", "pass_score", "criteria", "rules")
		self.refuse_draft_in_use()
		self.check_keys()
		for row in self.criteria:
			if row.answer_type != "Number":
				row.amount_currency = None
			self.check_options(row)
			self.check_pass_value(row)
			self.check_lead_field(row)
			self.check_contacts(row)
		self.check_contradictions()
		self.check_rules()
		self.check_reachable()

	def on_update(self):
		superseded = self.supersede_older()
		clear_caches()
		for older in superseded:
			renew(older, self.name)

	def on_trash(self):
		self.refuse_deletion(
			("Lead Segment", "checklist"),
			("Sales Ready Agreement", "checklist"),
			self.used_in,
			("Lead Handover", "checklist"),
		)

	def is_used(self) -> bool:
		"""Whether leads use it, or an agreement that is out for signature or signed, because it is part of what is
		signed."""
		return super().is_used() or bool(
			frappe.db.exists("Sales Ready Agreement", {"checklist": self.name, "status": ["!=", "Draft"]})
		)

	def refuse_draft_in_use(self):
		"""A checklist in use cannot become a draft again, because a draft is not filled from fields and cannot be
		chosen."""
		before = self.get_doc_before_save()
		if not before or before.status == "Draft" or self.status != "Draft":
			return
		if self.is_used() or frappe.db.exists("Lead Segment", {"checklist": self.name}):
			frappe.throw(
				_(
					"{0} is in use and cannot become a draft again. Choose New Version, change the copy and activate it."
				).format(frappe.bold(self.name)),
				title=_("In Use"),
			)

	@frappe.whitelist(methods=["POST"])
	def make_fields(self, criteria: list) -> list[str]:
		"""Create Lead fields that answer criteria (given by key) of this draft, for web forms and imports.

		:returns: the names of the fields, see `qualification.capture.make_fields`.
		"""
		self.reload()
		self.check_permission("write")
		return capture.make_fields(self, criteria)

	@frappe.whitelist(methods=["POST"])
	def make_web_form(self, title: str, source: str | None = None) -> dict:
		"""Create an unpublished Web Form with the questions of this checklist.

		:param source: the source of leads from the form.
		:returns: its `name`, and the questions that are `left_out`, see `qualification.capture.make_web_form`.
		"""
		self.reload()
		self.check_permission("write")
		return capture.make_web_form(self, title, source)

	def content_in_words(self) -> dict[str, str]:
		return {
			"": definition_in_words(self),
			**{row.criterion: criterion_in_words(row) for row in self.criteria},
			**{f"rule: {words}": words for words in self.rules_in_words()},
		}

	def rules_in_words(self) -> list[str]:
		"""Its rules in words, such as "Disqualified when Authority is one of Student, Consultant"."""
		criteria = {row.criterion: row for row in self.criteria}
		words = {"Disqualified": _("Disqualified when {0}: {1}"), "Nurture": _("Nurture when {0}: {1}")}
		return [
			words[rule.verdict].format(
				name_of(criteria[rule.criterion]),
				compare_in_words(criteria[rule.criterion], rule.operator, rule.value),
			)
			for rule in self.rules
			if rule.criterion in criteria
		]

	def older_in_use(self) -> list[dict]:
		"""Older versions of an active checklist that leads still use: `name`, `leads`; newest first."""
		if self.status != "Active":
			return []
		table, used = frappe.qb.DocType("Qualification Checklist"), frappe.qb.DocType("Lead Qualification")
		leads = Count(used.name)
		return (
			frappe.qb.from_(table)
			.join(used)
			.on(used.checklist == table.name)
			.select(table.name, leads.as_("leads"))
			.where((table.title == self.title) & (table.version < self.version))
			.groupby(table.name, table.version)
			.orderby(table.version, order=frappe.qb.desc)
			.run(as_dict=True)
		)

	def check_keys(self):
		seen = set()
		for row in self.criteria:
			row.criterion = re.sub(r"\W+", "_", (row.criterion or "").strip().lower()).strip("_")
			if not row.criterion:
				frappe.throw(_("Row {0}: give the criterion a key, such as budget.").format(row.idx))
			if row.criterion in seen:
				frappe.throw(_("Row {0}: the key {1} is used twice.").format(row.idx, row.criterion))
			seen.add(row.criterion)

	def check_options(self, row):
		if row.answer_type == "Select" and not choices_of(row):
			frappe.throw(_("Row {0}: list the options, one per line.").format(row.idx))

	def check_pass_value(self, row):
		if row.pass_operator:
			check_value(row, row.pass_operator, row.pass_value, _("Row {0}").format(row.idx))

	def check_contradictions(self):
		"""Refuse required criteria on the same field that cannot both be met: no lead could become sales ready."""
		for row in self.criteria:
			if contradict([as_criterion(row)], choices_of(row)):
				frappe.throw(_("Row {0}: no answer can meet this criterion.").format(row.idx))
		needed = [
			row for row in self.criteria if row.lead_field and (self.pass_rule == "All" or row.mandatory)
		]
		for place, row in enumerate(needed):
			for other in needed[:place]:
				if (row.lead_field, row.answer_type) != (other.lead_field, other.answer_type):
					continue
				choices = [choice for choice in choices_of(row) if choice in choices_of(other)]
				if contradict([as_criterion(other), as_criterion(row)], choices):
					frappe.throw(
						_("Rows {0} and {1} contradict each other: no value of {2} meets both.").format(
							other.idx, row.idx, bold(row.lead_field)
						)
					)

	def check_contacts(self, row):
		if row.per_contact and row.knock_out:
			frappe.throw(
				_(
					"Row {0}: a criterion that is asked of each contact cannot be a knock-out, or the first gatekeeper would disqualify the lead."
				).format(row.idx)
			)

	def check_rules(self):
		criteria = {row.criterion: row for row in self.criteria}
		for rule in self.rules:
			where = _("Rule {0}").format(rule.idx)
			criterion = criteria.get((rule.criterion or "").strip().lower())
			if not criterion:
				frappe.throw(_("{0}: there is no criterion {1}.").format(where, bold(rule.criterion)))
			rule.criterion = criterion.criterion
			check_value(criterion, rule.operator, rule.value, where)
			purpose = frappe.get_cached_value("Lead Outcome Reason", rule.outcome_reason, "applies_to")
			if purpose != "Disqualify":
				frappe.throw(_("{0}: choose a reason to disqualify.").format(where))

	def check_lead_field(self, row):
		if not row.lead_field:
			return
		if facts.says_verdict(row.lead_field):
			frappe.throw(
				_(
					"Row {0}: the Lead field {1} follows the verdict, so it cannot answer a criterion. Choose another field."
				).format(row.idx, bold(row.lead_field))
			)
		fields = facts.fields_of(row.lead_field)
		# columns such as creation are not fields that users fill in
		df = fields and frappe.get_meta("Lead").get_field(fields[0])
		if not df:
			frappe.throw(_("Row {0}: Lead has no field {1}.").format(row.idx, bold(row.lead_field)))
		types = {"Check"} if row.lead_field in facts.FACTS or is_yes_or_no(df) else {df.fieldtype}
		fitting = FITTING_TYPES.get(row.answer_type)
		if fitting and not types & fitting:
			frappe.throw(
				_("Row {0}: the Lead field {1} does not hold a {2}.").format(
					row.idx, bold(row.lead_field), _(row.answer_type)
				)
			)

	def check_reachable(self):
		if self.pass_rule == "At Least" and not 1 <= (self.at_least or 0) <= len(self.criteria):
			frappe.throw(
				_("At Least must be between 1 and {0}, the number of criteria.").format(len(self.criteria))
			)
		# rounded as in the engine: 0.1 + 0.7 is not quite 0.8
		best = round(sum(row.weight or 0 for row in self.criteria), 9)
		if self.pass_rule == "Score" and not 0 < (self.pass_score or 0) <= best:
			frappe.throw(
				_("Pass Score must be above 0 and at most {0}, the sum of the weights.").format(best)
			)


def name_of(row) -> str:
	return _(row.topic or row.label)


def criterion_in_words(row) -> str:
	"""What a criterion needs, such as "Budget: at least 10,000 EUR"."""
	words = f"{name_of(row)}: {needs_in_words(row)}"
	return _("{0}, or else disqualified").format(words) if row.knock_out else words


def is_yes_or_no(df) -> bool:
	"""Whether a field has the options yes and no only, like a checkbox that can also be left unanswered."""
	return df.fieldtype == "Select" and set((df.options or "").split("\n")) - {""} == {"Yes", "No"}


def check_value(criterion, operator: str, value: str | None, where: str):
	"""Refuse a value that answers to the criterion cannot be compared with.

	:param where: names the row to the user.
	"""
	value = (value or "").strip()
	if operator in {"in", "not in"}:
		unreadable = [item for item in split_list(value) if parse(criterion.answer_type, item) is None]
		if unreadable or not split_list(value):
			frappe.throw(
				_("{0}: {1} is not a list of {2} separated by commas.").format(
					where, bold(value or "''"), _(criterion.answer_type)
				)
			)
	elif operator not in COMPARISONS:
		frappe.throw(_("{0}: there is no operator {1}.").format(where, bold(operator)))
	elif parse(criterion.answer_type, value) is None and not is_today(
		Criterion(criterion.criterion, criterion.answer_type, operator, value)
	):
		frappe.throw(
			_("{0}: {1} is not a {2} that an answer can be compared with.").format(
				where, bold(value or "''"), _(criterion.answer_type)
			)
		)
	if criterion.answer_type == "Select" and operator in {"=", "!=", "in", "not in"}:
		known = {choice.casefold() for choice in choices_of(criterion)}
		wanted = split_list(value) if operator in {"in", "not in"} else [value]
		unknown = [item for item in wanted if item.casefold() not in known]
		if unknown:
			frappe.throw(_("{0}: {1} is not among the options.").format(where, bold(", ".join(unknown))))
