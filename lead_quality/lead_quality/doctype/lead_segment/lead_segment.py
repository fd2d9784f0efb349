import frappe
from frappe import _

from lead_quality.base import query
from lead_quality.base.documents import OwnDocument
from lead_quality.base.texts import as_html, bold
from lead_quality.base.versioned import check_active, content_of
from lead_quality.base.versions import lead_field
from lead_quality.qualification import segment_trial
from lead_quality.qualification.definitions import clear_caches
from lead_quality.qualification.rule_values import odd_values


class LeadSegment(OwnDocument):
	def onload(self):
		self.set_onload("broken_rules", broken_rules([self.name]))
		self.set_onload("odd_values", odd_values(self.rules))

	def validate(self):
		self.check_rules()
		self.check_plans()
		self.check_company_policies()
		self.check_expiry()

	def on_update(self):
		self.warn_of_odd_values()
		clear_caches()

	def after_rename(self, old, new, merge=False):
		clear_caches()

	def on_trash(self):
		clear_caches()

	@frappe.whitelist()
	def try_out(self) -> dict:
		"""What this segment, saved or not, would do to existing leads.

		:returns: see `qualification.segment_trial.try_out`.
		"""
		frappe.has_permission("Lead Segment", "write", throw=True)
		self.check_rules()
		return segment_trial.try_out(self)

	def check_rules(self):
		for row in self.rules:
			if not lead_field(row.field):
				frappe.throw(_("Row {0}: Lead has no field {1}.").format(row.idx, bold(row.field)))
			if row.operator not in OPERATORS:
				frappe.throw(_("Row {0}: there is no operator {1}.").format(row.idx, bold(row.operator)))
			if row.operator not in {"is set", "is not set", "=", "!="} and not (row.value or "").strip():
				frappe.throw(_("Row {0}: {1} needs a value.").format(row.idx, bold(row.operator)))

	def warn_of_odd_values(self):
		before = self.get_doc_before_save()
		if before and content_of(self, "rules") == content_of(before, "rules"):
			return
		for warning in odd_values(self.rules):
			frappe.msgprint(as_html(warning), indicator="orange", alert=True)

	def check_plans(self):
		for fieldname in ("checklist", "cadence"):
			check_active(self, fieldname)

	def check_company_policies(self):
		seen = set()
		for row in self.company_policies:
			if row.company in seen:
				frappe.throw(
					_("Row {0}: {1} has a policy already. A company follows one policy.").format(
						row.idx, frappe.bold(row.company)
					)
				)
			seen.add(row.company)

	def check_expiry(self):
		"""An automatic decision needs a reason that users could choose for the same decision."""
		if not self.shelf_life_days or self.on_expiry not in REASONS_ON_EXPIRY:
			self.expiry_reason = None
			return
		if not self.expiry_reason:
			frappe.throw(
				_("Choose a reason for closing leads when their shelf life ends."), frappe.MandatoryError
			)
		# a reason that was disabled since does not block other changes
		if any(
			self.has_value_changed(field) for field in ("expiry_reason", "on_expiry")
		) and not frappe.db.exists(
			"Lead Outcome Reason", {"name": self.expiry_reason, **REASONS_ON_EXPIRY[self.on_expiry]}
		):
			frappe.throw(
				_("{0} is not a reason to disqualify. Choose another.").format(
					frappe.bold(self.expiry_reason)
				)
				if self.on_expiry == "Disqualify"
				else _("{0} does not mean 'later'. Choose a reason that proposes nurturing.").format(
					frappe.bold(self.expiry_reason)
				)
			)


def broken_rules(segments: list[str] | None = None) -> list:
	"""Stored rules, by default of all segments, with a field that Lead no longer has: `parent` (the segment), `idx`,
	`field`. Until they are corrected, their segment takes no leads."""
	rules = frappe.get_all(
		"Lead Segment Rule",
		{"parent": query.among(segments)} if segments else {},
		["parent", "idx", "field"],
		order_by="parent asc, idx asc",
	)
	return [rule for rule in rules if not lead_field(rule.field)]


@frappe.whitelist()
def get_broken_segments() -> list[str]:
	"""The segments that take no leads because one of their rules uses a field that Lead no longer has."""
	frappe.has_permission("Lead Segment", "read", throw=True)
	return list(dict.fromkeys(rule.parent for rule in broken_rules()))


# action at the end of the shelf life to what its reason must be
REASONS_ON_EXPIRY = {
	"Disqualify": {"applies_to": "Disqualify", "enabled": 1},
	"Nurture": {"applies_to": "Disqualify", "enabled": 1, "proposes_nurture": 1},
}

OPERATORS = {"=", "!=", "in", "not in", "like", "not like", ">", ">=", "<", "<=", "is set", "is not set"}
