import frappe
from frappe import _
from frappe.utils import add_to_date, get_datetime, getdate, now_datetime

from lead_quality.base.links import OutlivesLinks
from lead_quality.base.protected import restore_protected_fields
from lead_quality.follow_up import reactions
from lead_quality.funnel import journey, summary
from lead_quality.funnel.lead_lock import LeadFirst
from lead_quality.nurture import corrections, ledger
from lead_quality.permissions import is_manager

# how many days a planned touch can be postponed without a snooze
LONGEST_DELAY = 31


class LeadTouch(OutlivesLinks, LeadFirst):
	def validate(self):
		self.restore_plan()
		self.refuse_change_when_closed()
		self.refuse_change_of_plan()
		self.set_time_when_done()
		self.due_on = getdate(self.due_at) if self.due_at else None
		self.check_outcome()
		self.give_up_place_when_cancelled()

	@summary.gathers
	def on_update(self):
		if self.status == "Done" or self.has_value_changed("status"):
			journey.mark(self.lead)
		if corrections.is_corrected(self):
			enrollment = corrections.follow(self)
			reactions.touch_corrected(self, self.get_doc_before_save(), enrollment)
			return
		if self.has_value_changed("outcome"):
			ledger.record_conversation(self)
		if self.has_value_changed("status") and self.status in {"Done", "Skipped", "Missed"}:
			ledger.advance(self)
		if self.status == "Planned" and self.enrollment and self.has_value_changed("due_at"):
			ledger.follow_touch(self)
		reactions.touch_changed(self)

	@summary.gathers
	def after_delete(self):
		if self.status == "Done":
			journey.mark(self.lead)
			reactions.touch_corrected(self, self, corrections.follow(self))

	def restore_plan(self):
		restore_protected_fields(
			self, "enrollment", "step", "occurrence", "addressee", "plan_key", "is_automatic"
		)
		restore_protected_fields(self, "communication", "reference_doctype", "reference_name", "evidence_key")
		restore_protected_fields(self, "status_reason")
		before = self.get_doc_before_save()
		if before and before.status == "Done":
			restore_protected_fields(self, "done_by", "channel", "direction")

	def refuse_change_when_closed(self):
		before = self.get_doc_before_save()
		if not before or before.status in {"Planned", self.status}:
			return
		if before.status == "Done" and self.status == "Cancelled":
			corrections.check_may_take_back(self)
			return
		frappe.throw(
			_("This touch is {0} already. Log another one instead of changing it.").format(_(before.status))
		)

	def refuse_change_of_plan(self):
		"""A lead on a cadence always has a planned touch, so it cannot be cancelled or postponed for long in the touch
		itself. The app's own saves are not affected."""
		before = self.get_doc_before_save()
		if self.flags.ignore_permissions or not before or before.status != "Planned" or not self.enrollment:
			return
		if self.status == "Cancelled":
			frappe.throw(
				_(
					"{0} is on a cadence that waits for this touch. Skip it, or choose Stop the cadence."
				).format(self.lead_name or self.lead)
			)
		latest = add_to_date(now_datetime(), days=LONGEST_DELAY)
		if self.status == "Planned" and (not self.due_at or get_datetime(self.due_at) > latest):
			frappe.throw(
				_(
					"A planned touch can be put off by {0} days at most. Snooze the lead, with a reason."
				).format(LONGEST_DELAY)
			)

	def on_trash(self):
		self.take_turn_to_delete()
		if self.status == "Planned" and self.enrollment and ledger.is_waited_for(self):
			frappe.throw(
				_(
					"{0} is on a cadence that waits for this touch. Skip it, or choose Stop the cadence."
				).format(self.lead_name or self.lead)
			)

	def set_time_when_done(self):
		if self.status == "Done":
			self.done_at = get_datetime(self.done_at or now_datetime())
			if self.done_at > add_to_date(now_datetime(), minutes=5):
				frappe.throw(_("This touch lies in the future: choose a time that has passed."))
			self.set_author_and_entry_time()

	def set_author_and_entry_time(self):
		"""Only managers can log touches of others. The time of entry is stored beside the time of the touch."""
		before = self.get_doc_before_save()
		is_new = not before or before.status != "Done"
		if is_new and not self.flags.ignore_permissions and not is_manager():
			self.done_by = None
		self.done_by = self.done_by or frappe.session.user
		is_as_entered = not is_new and get_datetime(before.done_at) == self.done_at
		self.logged_at = before.logged_at if is_as_entered else now_datetime()

	def give_up_place_when_cancelled(self):
		"""Its step may be planned once more: after an undo, or by the acceptance of sales."""
		if self.status == "Cancelled":
			self.plan_key = None

	def check_outcome(self):
		if self.status != "Done":
			self.outcome = None
		elif self.channel == "Phone" and not self.outcome:
			frappe.throw(_("Choose the outcome of the call."), frappe.MandatoryError)


def on_doctype_update():
	frappe.db.add_index("Lead Touch", ["lead", "status"])
	# with the lead, so that which leads have a next step is read from the index alone
	frappe.db.add_index("Lead Touch", ["status", "due_at", "lead"])
