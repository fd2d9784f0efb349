import frappe
from frappe import _

from lead_quality.base.links import OutlivesLinks
from lead_quality.base.protected import restore_protected_fields
from lead_quality.follow_up import reactions
from lead_quality.funnel import journey, summary
from lead_quality.funnel.lead_lock import LeadFirst
from lead_quality.handover import deciders, service
from lead_quality.people.absence import away_in_words

# each status to the statuses that may follow it
MOVES = {
	"Sent": {"Accepted", "Rejected", "Pulled Back"},
	"Accepted": {"Returned", "Pulled Back"},
}


class LeadHandover(OutlivesLinks, LeadFirst):
	def onload(self):
		self.set_onload("may_decide", deciders.may_decide(self, frappe.session.user))
		self.set_onload("away", away_in_words(self.to_user))

	def validate(self):
		self.refuse_manual_status_change()

	def after_insert(self):
		journey.mark(self.lead)
		reactions.handover_sent(self)

	def on_update(self):
		if self.has_value_changed("status"):
			journey.mark(self.lead)
			reactions.handover_decided(self)

	def on_trash(self):
		self.take_turn_to_delete()

	@summary.gathers
	def after_delete(self):
		"""Nobody waits for its answer any more. With its lead, all goes."""
		if frappe.db.exists("Lead", self.lead):
			journey.mark(self.lead)
			service.publish(self.lead)
			reactions.handover_deleted(self)

	def refuse_manual_status_change(self):
		"""Refuse changes of the status by form or API: only the service changes it."""
		before = self.get_doc_before_save()
		if not before:
			if not self.flags.ignore_permissions:
				frappe.throw(
					_("To hand a lead over, open the lead and click Hand Over."), frappe.PermissionError
				)
			return
		if before.status != self.status and self.status not in MOVES.get(before.status, set()):
			frappe.throw(_("A handover cannot go from {0} to {1}.").format(_(before.status), _(self.status)))
		if not self.flags.ignore_permissions and before.status != self.status:
			frappe.throw(_("Use the buttons Accept, Reject or Return."), frappe.PermissionError)
		restore_protected_fields(self, *(field.fieldname for field in self.meta.fields))


def on_doctype_update():
	frappe.db.add_index("Lead Handover", ["status", "pull_back_at"])
