import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import refuse_deletion_in_use
from lead_quality.base.notices import is_reachable
from lead_quality.base.site_time import can_count
from lead_quality.qualification.definitions import clear_caches

# clocks that an agreement can start without a target in the policy
AGREED_CLOCKS = ("Handover Acceptance", "First Touch After Acceptance")

# the field that a step of the ladder needs, by its action
NEEDS = {"Notify Role": "role", "Reassign": "assignment_rule", "Recycle": "outcome_reason"}


class FollowUpPolicy(OwnDocument):
	def onload(self):
		if self.escalate_to:
			name = frappe.utils.get_fullname(self.escalate_to)
			self.set_onload("last_resort", {"user": self.escalate_to, "full_name": name})

	def validate(self):
		self.check_targets()
		self.clear_unused_fields()
		self.check_ladder()
		self.check_last_resort()

	def on_update(self):
		clear_caches()

	def after_rename(self, old, new, merge=False):
		clear_caches()

	def check_targets(self):
		seen = set()
		for row in self.targets:
			if row.clock in seen:
				frappe.throw(
					_("Row {0}: the deadline {1} is listed twice.").format(row.idx, frappe.bold(_(row.clock)))
				)
			if not row.within or row.within <= 0:
				frappe.throw(_("Row {0}: enter a time limit above 0.").format(row.idx))
			if not self.can_count(row.within, row.unit):
				frappe.throw(
					_("Row {0}: this is more than ten years, or the calendar {1} is never open.").format(
						row.idx, frappe.bold(self.working_calendar)
					)
				)
			if not 1 <= (row.warn_at_percent or 0) <= 100:
				frappe.throw(
					_(
						"Row {0}: warn at 1 to 100 percent of the time. At 100 nobody is warned before the deadline."
					).format(row.idx)
				)
			seen.add(row.clock)

	def can_count(self, span: float, unit: str) -> bool:
		"""Whether a deadline can be calculated: otherwise clocks could not start, and no lead could be saved."""
		if not frappe.db.exists("Working Calendar", self.working_calendar or ""):
			return True  # Frappe reports the missing value next
		return can_count(span, unit, self.working_calendar)

	def clear_unused_fields(self):
		"""Clear values of other actions, because the form no longer shows them."""
		for step in self.escalations:
			for action, fieldname in NEEDS.items():
				if step.action != action:
					step.set(fieldname, None)

	def check_ladder(self):
		for position, step in enumerate(self.escalations):
			if (step.after or 0) < 0:
				frappe.throw(
					_("Escalations, row {0}: enter a time of 0 or more after the deadline.").format(step.idx)
				)
			if not self.can_count(step.after or 0, step.unit):
				frappe.throw(
					_(
						"Escalations, row {0}: this is more than ten years, or the calendar {1} is never open."
					).format(step.idx, frappe.bold(self.working_calendar))
				)
			self.check_required_field(step)
			self.check_clock(step)
			for other in self.escalations[:position]:
				if _is_same(step, other):
					frappe.throw(
						_("Escalations, row {0}: row {1} does the same at the same time.").format(
							step.idx, other.idx
						)
					)

	def check_required_field(self, step):
		fieldname = NEEDS.get(step.action)
		if not fieldname:
			return
		if not step.get(fieldname):
			label = step.meta.get_label(fieldname)
			frappe.throw(
				_("Escalations, row {0}: {1} needs a value in {2}.").format(
					step.idx, _(step.action), frappe.bold(_(label))
				),
				frappe.MandatoryError,
			)
		if step.action == "Reassign":
			document_type = frappe.db.get_value("Assignment Rule", step.assignment_rule, "document_type")
			if document_type != "Lead":
				frappe.throw(
					_("Escalations, row {0}: the Assignment Rule {1} is not for leads.").format(
						step.idx, frappe.bold(step.assignment_rule)
					)
				)
		if step.action == "Recycle" and not frappe.db.exists(
			"Lead Outcome Reason",
			{"name": step.outcome_reason, "applies_to": "Disqualify", "proposes_nurture": 1, "enabled": 1},
		):
			frappe.throw(
				_(
					"Escalations, row {0}: choose an enabled reason to disqualify that proposes nurturing."
				).format(step.idx)
			)

	def check_clock(self, step):
		"""Refuse a step for a clock that never runs."""
		if not step.clock or any(row.clock == step.clock for row in self.targets):
			return
		if step.clock not in AGREED_CLOCKS:
			frappe.throw(
				_(
					"Escalations, row {0}: the policy sets no deadline {1}. Add it to the targets, or choose another."
				).format(step.idx, frappe.bold(_(step.clock)))
			)
		frappe.msgprint(
			_("Escalations, row {0}: the deadline {1} runs only if a Sales Ready Agreement sets it.").format(
				step.idx, frappe.bold(_(step.clock))
			),
			indicator="orange",
			alert=True,
		)

	def check_last_resort(self):
		if not self.escalations:
			return
		if not self.escalate_to:
			frappe.throw(
				_("Choose a Last Resort: the user who is notified when there is no manager."),
				frappe.MandatoryError,
			)
		if not is_reachable(self.escalate_to):
			frappe.throw(
				_(
					"The Last Resort {0} cannot receive alerts. Choose an enabled user who is a person."
				).format(frappe.bold(self.escalate_to))
			)

	def on_trash(self):
		refuse_deletion_in_use(
			self,
			(
				("Lead Segment", "follow_up_policy"),
				("Lead Segment Policy", "follow_up_policy"),
				("Follow Up Clock", "policy"),
			),
			_("Choose another policy on the segments that use it: new leads then follow that one."),
		)
		clear_caches()


def _is_same(step, other) -> bool:
	"""Whether two steps do the same at the same time for some clock: a step without a clock applies to all."""
	fields = ("after", "unit", "action", *NEEDS.values())
	return (not step.clock or not other.clock or step.clock == other.clock) and all(
		(step.get(field) or None) == (other.get(field) or None) for field in fields
	)
