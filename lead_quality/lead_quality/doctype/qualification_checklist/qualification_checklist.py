import re

import frappe
from frappe import _

from lead_quality.engine.qualification import COMPARISONS, parse
from lead_quality.qualification.agreement import renew
from lead_quality.qualification.service import clear_caches
from lead_quality.versioned import VersionedDocument
from lead_quality.versions import lead_field

# answer types that not every field of the Lead can give
FITTING_TYPES = {
	"Number": {"Int", "Float", "Currency", "Percent"},
	"Date": {"Date", "Datetime"},
	"Check": {"Check"},
}


class QualificationChecklist(VersionedDocument):
	used_in = ("Lead Qualification", "checklist")
	segment_field = "checklist"

	def validate(self):
		self.refuse_change_in_use("pass_rule", "at_least", "pass_score", "criteria")
		self.check_keys()
		for row in self.criteria:
			self.check_pass_value(row)
			self.check_lead_field(row)
		self.check_reachable()

	def on_update(self):
		superseded = self.supersede_older()
		clear_caches()
		for older in superseded:
			renew(older, self.name)

	def check_keys(self):
		seen = set()
		for row in self.criteria:
			row.criterion = re.sub(r"\W+", "_", (row.criterion or "").strip().lower()).strip("_")
			if not row.criterion:
				frappe.throw(_("Row {0}: give the criterion a key, such as budget.").format(row.idx))
			if row.criterion in seen:
				frappe.throw(_("Row {0}: the key {1} is used twice.").format(row.idx, row.criterion))
			seen.add(row.criterion)

	def check_pass_value(self, row):
		if not row.pass_operator:
			return
		value = (row.pass_value or "").strip()
		is_today = row.answer_type == "Date" and value.lower() in {"", "today"}
		if row.pass_operator in COMPARISONS and not is_today and parse(row.answer_type, value) is None:
			frappe.throw(
				_("Row {0}: {1} is not a {2} that an answer can be compared with.").format(
					row.idx, frappe.bold(value or "''"), _(row.answer_type)
				)
			)
		if row.answer_type == "Select" and row.pass_operator in {"=", "in"}:
			choices = {choice.strip().casefold() for choice in (row.options or "").splitlines()}
			wanted = [v.strip() for v in value.split(",")] if row.pass_operator == "in" else [value]
			unknown = [v for v in wanted if v.casefold() not in choices]
			if unknown:
				frappe.throw(
					_("Row {0}: {1} is not among the options.").format(
						row.idx, frappe.bold(", ".join(unknown))
					)
				)

	def check_lead_field(self, row):
		if not row.lead_field:
			return
		field = frappe.get_meta("Lead").get_field(lead_field(row.lead_field) or "")
		if not field:
			frappe.throw(_("Row {0}: Lead has no field {1}.").format(row.idx, frappe.bold(row.lead_field)))
		fitting = FITTING_TYPES.get(row.answer_type)
		if fitting and field.fieldtype not in fitting:
			frappe.throw(
				_("Row {0}: the Lead field {1} does not hold a {2}.").format(
					row.idx, frappe.bold(row.lead_field), _(row.answer_type)
				)
			)

	def check_reachable(self):
		if self.pass_rule == "At Least" and not 1 <= (self.at_least or 0) <= len(self.criteria):
			frappe.throw(
				_("At Least must lie between 1 and {0}, the number of criteria.").format(len(self.criteria))
			)
		# rounded as the judging rule does: 0.1 + 0.7 is not quite 0.8
		best = round(sum(row.weight or 0 for row in self.criteria), 9)
		if self.pass_rule == "Score" and not 0 < (self.pass_score or 0) <= best:
			frappe.throw(
				_("Pass Score must lie above 0 and at most at {0}, the sum of the weights.").format(best)
			)
