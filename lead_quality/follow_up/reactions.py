"""How a lead's clocks react to touches, enrollments, verdicts and handovers. Controllers call these functions."""

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality.engine.clock import PAUSED_BY_SNOOZE, is_human_touch
from lead_quality.follow_up import backlog, clocks, endings, last_touch, pauses, service
from lead_quality.handover.service import AGREED_CLOCKS, agreed_clocks
from lead_quality.nurture import service as nurture
from lead_quality.nurture.channels import is_opted_out
from lead_quality.nurture.opt_out import leads_of_opt_out


def touch_changed(touch):
	"""A Lead Touch was saved: a human touch stops clocks, and the next planned touch gets its own clock."""
	if not touch.has_value_changed("status"):
		if touch.status == "Planned" and touch.has_value_changed("due_at"):
			service.restart_next_touch(touch.lead, get_datetime(touch.due_at))
		return
	if touch.status == "Done" and not touch.is_automatic:
		backlog.take_up(touch.lead)
	at = get_datetime(touch.done_at or now_datetime())
	if _is_human(touch):
		service.stop(touch.lead, "human touch", at, _entered_at(touch))
		last_touch.keep_last_touch(touch.lead, at)
	elif touch.status == "Done" and touch.direction == "Inbound" and not touch.is_automatic:
		service.start_first_response(touch.lead, at)
	if not touch.enrollment or touch.status == "Planned":
		return
	if touch.status == "Done":
		service.stop(touch.lead, "planned touch", at, _entered_at(touch))
	else:
		service.cancel(touch.lead, ("Next Touch",))
	if touch.status != "Cancelled":
		service.start_next_touch(touch.enrollment, at)


def touch_corrected(touch, before, enrollment):
	"""A Lead Touch that was done was corrected, taken back or deleted: the clocks that it had stopped run on from their
	own start, or were stopped by another touch.

	:param before: the touch as it was.
	:param enrollment: the Nurture Enrollment whose step waits again by it, or None.
	"""
	at = get_datetime(before.done_at)
	if enrollment:
		service.cancel(touch.lead, ("Next Touch",))
	stands = touch.status == "Done" and frappe.db.exists("Lead Touch", touch.name)
	service.review(touch.lead, at, with_next_touch=bool(enrollment) and not stands)
	if stands and _is_human(touch):
		service.stop(touch.lead, "human touch", get_datetime(touch.done_at), _entered_at(touch))
	if enrollment and not clocks.has_open(touch.lead, "Next Touch"):
		service.start_next_touch(enrollment.name, now_datetime())
	last_touch.refresh_last_touch(touch.lead)


def _entered_at(touch):
	"""When a touch was entered by hand; None for what a mail, a call or an event proves."""
	is_proven = touch.communication or touch.reference_name
	return None if is_proven or not touch.logged_at else get_datetime(touch.logged_at)


def _is_human(touch) -> bool:
	return is_human_touch(
		touch.status, bool(touch.is_automatic), touch.direction, touch.channel, touch.outcome
	)


def enrollment_started(enrollment):
	"""A Nurture Enrollment was made: the clock of its first touch starts."""
	if not backlog.take_up(enrollment.lead):
		service.start_next_touch(enrollment.name, now_datetime())


def enrollment_changed(enrollment):
	"""A snooze with a reason that both sides permit pauses clocks; whatever ends it lets them run again."""
	before = enrollment.get_doc_before_save()
	if enrollment.status == "Snoozed" and enrollment.snooze_reason:
		if enrollment.has_value_changed("snoozed_until") or enrollment.has_value_changed("snooze_reason"):
			pauses.pause(
				enrollment.lead,
				get_datetime(enrollment.snoozed_until),
				enrollment.snooze_reason,
				now_datetime(),
			)
	elif before and before.status == "Snoozed" and before.snooze_reason:
		pauses.resume(enrollment.lead, now_datetime())


def verdict_changed(qualification, is_decision_new: bool):
	"""A lead was judged, by a person or by its own data.

	A verdict or a horizon is the triage decision: the lead has potential now, later, or none.

	:param is_decision_new: whether a person's decision, with its date, has not been acted on yet.
	"""
	if is_decision_new and qualification.decision:
		backlog.take_up(qualification.lead)
	was_over = frappe.db.get_value("Lead", qualification.lead, "lq_over") == "Disqualified"
	if was_over:
		# first, as nothing is planned for a lead that is over
		endings.end_if_over([qualification.lead])
	nurture.act_on_verdict(qualification, is_decision_new)
	if qualification.verdict != "Open" or qualification.horizon != "Unknown":
		service.stop(qualification.lead, "triage decision", now_datetime())
	if qualification.verdict == "Disqualified" and not was_over:
		endings.end_if_over([qualification.lead])
	elif qualification.decision == "Nurture" and is_decision_new:
		# decided with a reason: nobody waits for a word to the lead any more
		service.cancel(qualification.lead, PAUSED_BY_SNOOZE)


def contact_refused(opt_out):
	"""A person has opted out: the clocks of their leads end."""
	if opt_out.channel == "All":
		endings.end_if_over(leads_of_opt_out(opt_out))


def contact_allowed(opt_out):
	"""A Contact Opt Out was deleted: its leads may be worked on again, unless they are over for another reason."""
	if opt_out.channel == "All":
		endings.end_if_over(leads_of_opt_out(opt_out))


def handover_sent(handover):
	"""A Lead Handover was sent: its receiver has until `accept_by` to answer."""
	backlog.take_up(handover.lead)
	at = get_datetime(handover.sent_at)
	lead = frappe.get_doc("Lead", handover.lead)
	started = service.start(lead, {"Handover Acceptance": at}, at, handover, agreed_clocks(handover))
	if started:
		handover.db_set("accept_by", started[0].due_at, update_modified=False)


def handover_decided(handover):
	"""A Lead Handover was answered, or taken back: nobody waits for the answer any more; who has accepted is to be in
	touch with the lead."""
	if handover.status == "Pulled Back":
		at = get_datetime(handover.pulled_back_at or handover.decided_at)
		service.cancel(handover.lead, tuple(AGREED_CLOCKS), at, reference=handover.name)
		return
	at = get_datetime(handover.decided_at)
	if handover.status == "Returned":
		service.cancel(handover.lead, ("First Touch After Acceptance",), at)
		return
	service.stop(handover.lead, "handover decision", at)
	if handover.status == "Accepted":
		lead = frappe.get_doc("Lead", handover.lead)
		if is_opted_out(lead, "All"):
			return
		# the plan that was snoozed ends now, what the lead has asked for stands
		snooze = pauses.snooze_of(lead.name)
		enrollment = nurture.move_to_sales(lead, at)
		if enrollment:
			service.start_next_touch(enrollment.name, at)
		service.start(lead, {"First Touch After Acceptance": at}, at, handover, agreed_clocks(handover))
		pauses.pause_by(lead.name, snooze, at)


def handover_deleted(handover):
	"""A Lead Handover was deleted: its clocks have nobody to wait for."""
	service.cancel(handover.lead, tuple(AGREED_CLOCKS), reference=handover.name)
