"""Wrong touches: taken back, corrected, moved to another lead, or logged from something that did not happen.

Whatever came from a touch is undone by name: its stage (`funnel.corrections`), its step of the cadence (here), and, by
the room to the right, its clocks.
"""

import frappe
from frappe import _
from frappe.utils import get_datetime, get_fullname

from lead_quality.base import query
from lead_quality.base.notices import plain
from lead_quality.funnel import corrections as funnel
from lead_quality.nurture import ledger, planning, service
from lead_quality.nurture.channels import closed_channels, wants_nothing
from lead_quality.nurture.mail import leads_of
from lead_quality.permissions import is_manager

# what a touch proves hangs on these
PROOF = ("status", "outcome", "done_at", "is_automatic", "direction", "channel")


def take_back(touch, reason: str | None = None):
	"""Take a touch back that was done: it stays as cancelled, with the reason, and nothing that came from it stands.

	:param touch: a Lead Touch document.
	:param reason: in words; by default, who has taken it back.
	:raises frappe.ValidationError: if it was not done.
	"""
	frappe.db.get_value("Lead", touch.lead, "name", for_update=True)
	touch.reload()
	if touch.status != "Done":
		frappe.throw(
			_("Only a touch that is done can be taken back; this one is {0}.").format(_(touch.status))
		)
	touch.status = "Cancelled"
	touch.status_reason = reason or taken_back_by(frappe.session.user)
	touch.flags.ignore_links = True  # what it names may be gone
	return touch.save(ignore_permissions=True)


def check_may_take_back(touch):
	"""A touch is about to be cancelled that was done: by who has made or logged it, or by a manager.

	:raises frappe.PermissionError: for others.
	"""
	if not touch.flags.ignore_permissions:
		check_may_undo(touch.get_doc_before_save())
		touch.status_reason = None
	touch.status_reason = touch.status_reason or taken_back_by(frappe.session.user)


def check_may_undo(touch):
	"""As `check_may_take_back`, of the touch as it is stored."""
	if frappe.session.user in {touch.done_by, touch.owner} or is_manager():
		return
	frappe.throw(
		_("{0} has logged this touch. Ask {0} or a manager to take it back.").format(
			plain(get_fullname(touch.done_by or touch.owner))
		),
		frappe.PermissionError,
	)


def taken_back_by(user: str) -> str:
	return _("Taken back by {0}.").format(get_fullname(user))


def is_corrected(touch) -> bool:
	"""Whether the present save of a Lead Touch changes what it has proved before."""
	before = touch.get_doc_before_save()
	return bool(before and before.status == "Done") and any(touch.has_value_changed(name) for name in PROOF)


def follow(touch):
	"""A touch that was done is corrected, taken back or deleted: the stage follows, and its step waits again.

	:returns: the enrollment document whose step waits again, or None.
	"""
	ledger.record_conversation(touch)
	funnel.review_conversation(touch.lead)
	if touch.status == "Cancelled" or not frappe.db.exists("Lead Touch", touch.name):
		enrollment = _reopen(touch)
		if enrollment:
			planning.plan_again(enrollment, touch)
		return enrollment
	if touch.has_value_changed("outcome") and ledger.leads_elsewhere(touch):
		enrollment = _reopen(touch)
		if enrollment:
			ledger.go_on(enrollment, touch)
		return enrollment
	return None


def _reopen(touch):
	"""The enrollment of a touch, as it was before the touch was done; None if the cadence has gone on since by what
	people did, or has ended for another reason."""
	if not touch.enrollment or not frappe.db.exists("Nurture Enrollment", touch.enrollment):
		return None
	enrollment = frappe.get_doc("Nurture Enrollment", touch.enrollment, for_update=True)
	later = planning.touches_after(enrollment, touch)
	by_plan = [
		row for row in later if row.status == "Planned" or (row.status == "Skipped" and row.status_reason)
	]
	ended_by_it = enrollment.status in {"Finished", "Stopped"} and get_datetime(
		enrollment.finished_at
	) == get_datetime(touch.done_at)
	if len(by_plan) != len(later) or not (enrollment.status == "Active" or ended_by_it):
		return None
	if service.was_accepted_since(touch.lead, get_datetime(touch.done_at)):
		return None
	if ended_by_it and (service.open_enrollment(touch.lead) or wants_nothing(closed_channels(touch.lead))):
		return None
	for row in by_plan:
		values = {"status": "Cancelled", "plan_key": None, "status_reason": touch.status_reason}
		frappe.db.set_value("Lead Touch", row.name, values)
	enrollment.update({"status": "Active", "stop_reason": None, "finished_at": None})
	return enrollment


# what a document has proved


def settle(doctype: str, name: str, leads: list[str], reason: str | None = None) -> list[str]:
	"""Take back the touches that a Communication, Call Log or Event has proved of leads that it does not name any more.

	:param leads: those that it names now; none, if it is gone.
	:param reason: in words; by default, to which lead it belongs now.
	:returns: the leads that have lost one.
	"""
	lost = []
	for row in touches_of(doctype, name):
		if row.lead not in leads and row.status == "Done":
			take_back(frappe.get_doc("Lead Touch", row.name), reason or _moved(doctype, leads))
			lost.append(row.lead)
	return lost


def give_away(communication, before):
	"""A Communication that referred to one document refers to another now: its touch moves with it, and so does its
	place in the timeline.

	:param before: `reference_doctype` and `reference_name` that it had.
	"""
	if before.reference_doctype == "Lead":
		_leave_timeline(communication, before.reference_name)
	leads = leads_of(communication)
	settle("Communication", communication.name, leads)
	ledger.log_evidence(communication, leads)


def follow_reference(communication):
	"""As `give_away`, of one that was given away without document events: it is of the lead that it refers to, and of
	none that had a touch by it before."""
	for row in touches_of("Communication", communication.name):
		if row.lead != communication.reference_name:
			_leave_timeline(communication, row.lead)
	leads = leads_of(communication)
	settle("Communication", communication.name, leads)
	ledger.log_evidence(communication, leads)


def _leave_timeline(communication, lead: str):
	link = {"link_doctype": "Lead", "link_name": lead}
	frappe.db.delete("Communication Link", {"parent": communication.name, **link})
	rows = [
		row for row in communication.timeline_links if (row.link_doctype, row.link_name) != ("Lead", lead)
	]
	communication.set("timeline_links", rows)


def forget_document(doctype: str, name: str):
	"""A Communication, Call Log or Event is deleted: what it has proved is proved no more, and no touch names it."""
	touches = touches_of(doctype, name)
	gone = {"communication": None, "reference_doctype": None, "reference_name": None}
	for row in touches:
		frappe.db.set_value("Lead Touch", row.name, gone, update_modified=False)
		if row.status == "Done":
			reason = _("The {0} that it was logged from was deleted.").format(_(doctype))
			take_back(frappe.get_doc("Lead Touch", row.name), reason)


def misplaced(since, limit: int) -> list[tuple[str, str]]:
	"""Communications, Call Logs and Events that are gone, or that do not name the lead any more whose touch, made since
	an instant (the site's zone), tells of them: DocType and name."""
	return list(
		query.run(
			"""
			select distinct 'Communication', t.communication from `tabLead Touch` t
			left join `tabCommunication` c on c.name = t.communication
			where t.status = 'Done' and t.done_at >= %(since)s and t.communication is not null and (
				c.name is null
				or c.reference_doctype = 'Lead' and c.reference_name != t.lead and not exists (
					select 1 from `tabLead Touch` own where own.communication = c.name and own.lead = c.reference_name
				)
				or (c.reference_doctype, c.reference_name) != ('Lead', t.lead)
				and not exists (
					select 1 from `tabCommunication Link` link
					where link.parent = c.name and link.link_doctype = 'Lead' and link.link_name = t.lead
				)
				and not exists (
					select 1 from `tabOpportunity` o where o.lq_lead = t.lead and (
						c.reference_doctype = 'Opportunity' and c.reference_name = o.name
						or exists (
							select 1 from `tabCommunication Link` link
							where link.parent = c.name and link.link_doctype = 'Opportunity' and link.link_name = o.name
						)
					)
				)
			)
			union
			select distinct 'Call Log', t.reference_name from `tabLead Touch` t
			left join `tabCall Log` c on c.name = t.reference_name
			where t.status = 'Done' and t.done_at >= %(since)s and t.reference_doctype = 'Call Log' and c.name is null
			union
			select distinct 'Event', t.reference_name from `tabLead Touch` t
			left join `tabEvent` e on e.name = t.reference_name
			where t.status = 'Done' and t.done_at >= %(since)s and t.reference_doctype = 'Event' and e.name is null
			limit %(limit)s
			""",
			{"since": since, "limit": limit},
		)
	)


def mark(communication, read_as: str):
	"""An incoming mail was taken for what it is not: its touches follow.

	:param read_as: Person or Automatic.
	:returns: the Communication.
	"""
	communication.db_set("lq_read_as", read_as, notify=True)
	touches = touches_of("Communication", communication.name)
	if read_as == "Person":
		for row in touches:
			if row.status == "Cancelled":
				# the mail may have a touch again
				frappe.db.set_value(
					"Lead Touch",
					row.name,
					{"evidence_key": None, "communication": None},
					update_modified=False,
				)
		ledger.log_evidence(communication, leads_of(communication))
		return communication
	for row in touches:
		if row.status == "Done":
			take_back(frappe.get_doc("Lead Touch", row.name), _("A machine has answered."))
	return communication


def touches_of(doctype: str, name: str) -> list[frappe._dict]:
	"""The touches that a document has proved: `name`, `lead`, `status`."""
	named = (
		{"communication": name}
		if doctype == "Communication"
		else {"reference_doctype": doctype, "reference_name": name}
	)
	return frappe.get_all("Lead Touch", named, ["name", "lead", "status"], order_by="creation asc")


def _moved(doctype: str, leads: list[str]) -> str:
	"""Why a touch is taken back. The other lead is named by its number: who reads this may not see that lead."""
	if leads:
		return _("The {0} belongs to {1}.").format(_(doctype), leads[0])
	return _("The {0} does not belong to this lead.").format(_(doctype))
