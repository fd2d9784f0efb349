"""Enrollments: a lead starts a cadence, is snoozed, wakes up, and stops."""

from datetime import date, datetime, time, timedelta

import frappe
from frappe import _
from frappe.utils import add_months, get_datetime, get_link_to_form, getdate, now_datetime

from lead_quality.base import query
from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.base.texts import bold
from lead_quality.engine import cadence as engine
from lead_quality.engine.working_time import NoWorkingTime
from lead_quality.funnel import endings, lead_lock, summary
from lead_quality.funnel.conditions import OPEN_ENROLLMENTS
from lead_quality.funnel.lead_save import LeadSave
from lead_quality.nurture.channels import closed_to_plan, no_channel_in_words, wants_nothing
from lead_quality.nurture.planning import (
	AWAKE,
	anchors_of,
	first_stop,
	keep_skipped,
	next_stop,
	plan_first_touch,
	plan_start,
	plan_touch,
	planned_touch,
)
from lead_quality.qualification.segments import plan_of, policy_of

# how long a lead rests that is not for now, unless another day is chosen
MONTHS_TO_REST = 3
# a lead that is snoozed is in no list of what needs attention: for longer than this, somebody has to say why
LONGEST_REST_WITHOUT_REASON = timedelta(weeks=6)

# enrollment


def enroll_new_lead(save: LeadSave, closed: dict[str, str]):
	"""Put a new lead on the cadence of its segment, if it has one and the settings say so.

	:param closed: as `channels.closed_channels` says of it. Where no step is left, the enrollment says so.
	"""
	lead = save.lead
	cadence = plan_of(lead.lq_segment, "cadence")
	if not cadence or not frappe.get_cached_doc("Lead Quality Settings").enroll_new_leads:
		return
	at = get_datetime(lead.creation)
	try:
		first = first_stop(lead, cadence, at, closed)
	except (OverflowError, ValueError) as error:
		# no lead stays out for that
		frappe.log_error(_("No touch can be planned with the cadence {0}").format(cadence), str(error))
		return
	start = plan_start(lead, cadence, at, closed, first)
	enrollment = save.insert_rows(
		"Nurture Enrollment", [{"lead": lead.name, "cadence": cadence, **start}], at
	)[0]
	plan_first_touch(enrollment, closed, lead, save, first)


def enroll(lead: str, cadence: str | None = None):
	"""Put a lead on a cadence, by default that of its segment, and plan its first touch.

	:returns: the Nurture Enrollment.
	:raises frappe.ValidationError: if the lead is on a cadence already, may not be contacted, or there is no
	    active cadence.
	"""
	doc = frappe.get_doc({"doctype": "Nurture Enrollment", "lead": lead, "cadence": cadence})
	return doc.insert(ignore_permissions=True)


def check_can_enroll(enrollment):
	"""Choose the segment's cadence where none is named, and refuse what cannot be walked.

	:raises frappe.ValidationError: saying what stands in the way.
	"""
	if not enrollment.lead:
		frappe.throw(_("Choose the lead to enroll."), frappe.MandatoryError)
	lead_lock.take_turn(enrollment.lead)
	if not frappe.db.exists("Lead", enrollment.lead):
		frappe.throw(
			_("There is no lead {0}. If it was merged with another one, enroll that.").format(
				bold(enrollment.lead)
			),
			frappe.DoesNotExistError,
		)
	lead = frappe.get_doc("Lead", enrollment.lead)
	endings.refuse_if_final(lead.name)
	running = open_enrollment(lead.name)
	if running:
		frappe.throw(
			_("{0} is already enrolled in the cadence {1}. Stop that enrollment first.").format(
				bold(lead.title), get_link_to_form("Nurture Enrollment", running.name, running.cadence)
			)
		)
	closed = closed_to_plan(lead)
	if wants_nothing(closed):
		frappe.throw(no_channel_in_words(lead, closed))
	enrollment.cadence = enrollment.cadence or plan_of(lead.lq_segment, "cadence")
	if not enrollment.cadence:
		frappe.throw(_("Choose a cadence: the lead's segment has none."))
	if frappe.db.get_value("Nurture Cadence", enrollment.cadence, "status") != "Active":
		frappe.throw(_("{0} is not active. Activate it first.").format(frappe.bold(enrollment.cadence)))
	enrollment.update({"stop_reason": None, "finished_at": None, **AWAKE})
	enrollment.update(plan_start(lead, enrollment.cadence, now_datetime(), closed))
	if enrollment.status == "Stopped":
		frappe.throw(
			_("{0} cannot be used: all its steps are on channels that are closed. {1}").format(
				enrollment.cadence, " ".join(dict.fromkeys(closed.values()))
			)
		)


def can_walk(lead, cadence: str | None) -> bool:
	"""Whether `enroll` would take a Lead document that is on no cadence: for who has decided something else, which stands
	also where no plan comes of it."""
	if not cadence or frappe.db.get_value("Nurture Cadence", cadence, "status") != "Active":
		return False
	closed = closed_to_plan(lead)
	if wants_nothing(closed) or endings.endings_of([lead.name]).get(lead.name) in endings.FINAL:
		return False
	return plan_start(lead, cadence, now_datetime(), closed)["status"] == "Active"


def open_enrollment(lead: str, lock: bool = False):
	"""The lead's enrollment that is Active or Snoozed, or None.

	:param lock: the lead is locked, and so is what is found, as others have committed it meanwhile.
	"""
	name = frappe.db.get_value(
		"Nurture Enrollment", {"lead": lead, "status": ["in", OPEN_ENROLLMENTS]}, for_update=lock
	)
	return frappe.get_doc("Nurture Enrollment", name, for_update=lock) if name else None


def snooze(enrollment, until: datetime, reason: str | None = None, now: datetime | None = None):
	"""Let an enrollment rest: its next touch is due at `until`, when it wakes by itself.

	:param until: naive instant in the site's zone, as is `now`.
	:param reason: a Lead Outcome Reason that permits it, for which the lead's clocks pause; without one they run on.
	:raises frappe.ValidationError: if `until` is not in the future, or the enrollment is over.
	"""
	lead_lock.lock(enrollment.lead)
	now = now or now_datetime()
	if enrollment.status not in OPEN_ENROLLMENTS:
		frappe.throw(_("This enrollment has ended: enroll the lead again."))
	if until <= now:
		frappe.throw(_("Choose a time in the future."))
	touch = planned_touch(enrollment.name)
	if touch:
		touch.due_at = until
		touch.save(ignore_permissions=True)
	enrollment.update(
		{
			"status": "Snoozed",
			"snoozed_until": until,
			"snoozed_at": now,
			"snooze_reason": reason,
			"next_due_at": until,
		}
	)
	enrollment.save(ignore_permissions=True)
	summary.write(enrollment.lead, lq_next_touch_at=until)
	return enrollment


def check_rest(until: datetime, reason: str | None):
	"""A person is about to let a lead rest until an instant (naive, the site's zone), by a snooze or a decision.

	:raises frappe.MandatoryError: for a long time without a reason.
	"""
	if not reason and until > now_datetime() + LONGEST_REST_WITHOUT_REASON:
		frappe.throw(
			_("Choose a reason, too: without one, a lead can rest for {0} weeks at most.").format(
				LONGEST_REST_WITHOUT_REASON.days // 7
			),
			frappe.MandatoryError,
		)


def snooze_until(lead: str, day: date):
	"""Let a lead's cadence rest until its calendar opens on a day or after it. A lead on none is put on its
	segment's, if that has one that can be walked: the day itself stands without.

	For no reason that would pause clocks: whoever decides so with an agreed reason ends them, and where a rule alone
	has decided it, whoever has asked us something is still owed an answer.
	"""
	is_behind = lead_lock.is_behind(lead)
	doc = frappe.get_doc("Lead", lead)
	if not open_enrollment(lead, lock=is_behind):
		cadence = plan_of(doc.lq_segment, "cadence")
		if not can_walk(doc, cadence):
			return
		enroll(lead, cadence)
	enrollment = open_enrollment(lead, lock=is_behind)
	snooze(enrollment, _opening_on(enrollment.cadence, day))


def wait_for(lead: str, day: date):
	"""A lead's person is away until a day: the cadence rests until then, if it would go on before.

	For no reason that would pause clocks: whoever has asked us something is still owed an answer.
	"""
	enrollment = open_enrollment(lead, lock=lead_lock.is_behind(lead))
	if not enrollment or not enrollment.next_due_at:
		return
	begins = _opening_on(enrollment.cadence, day)
	if get_datetime(enrollment.next_due_at) < begins and begins > now_datetime():
		snooze(enrollment, begins, enrollment.snooze_reason)


def day_to_rest_until(lead, today: date) -> date:
	"""The day that is proposed to a lead of which nothing is to be expected now: three months on, or the next on which
	the calendar opens that its cadence, else its policy goes by. The day itself, if there is none.

	:param lead: a Lead document.
	"""
	day = getdate(add_months(today, MONTHS_TO_REST))
	enrollment = open_enrollment(lead.name)
	cadence = enrollment.cadence if enrollment else plan_of(lead.lq_segment, "cadence")
	policy = None if cadence else policy_of(lead)
	calendar = (
		frappe.get_cached_value("Nurture Cadence", cadence, "working_calendar")
		if cadence
		else policy and policy.working_calendar
	)
	try:
		return _opens_on(calendar, day).date() if calendar else day
	except NoWorkingTime:
		return day  # whoever decides shall not be kept from it by hours that never begin


def closed_days(cadence: str, after: date, days: int) -> list[date]:
	"""Of the days after a day, those on which the calendar of a cadence does not open."""
	following = [after + timedelta(days=count) for count in range(1, days + 1)]
	return [day for day in following if _opening_on(cadence, day).date() != day]


def _opening_on(cadence: str, day: date) -> datetime:
	"""When the calendar of a cadence opens on a day or after it; naive, in the site's zone."""
	return _opens_on(frappe.get_cached_value("Nurture Cadence", cadence, "working_calendar"), day)


def _opens_on(name: str, day: date) -> datetime:
	calendar = get_calendar(name)
	begins = aware(datetime.combine(day, time.min))
	return naive(begins if calendar.is_open(begins) else calendar.next_opening(begins))


def act_on_verdict(qualification, is_decision_new: bool):
	"""What a Lead Qualification's verdict means for the lead's cadence.

	:param is_decision_new: whether the day until which it is to rest has not been acted on yet.
	"""
	if qualification.verdict == "Disqualified":
		stop_for_lead(qualification.lead, _("The lead is disqualified."))
	elif qualification.verdict == "Nurture" and qualification.nurture_until and is_decision_new:
		snooze_until(qualification.lead, getdate(qualification.nurture_until))


def wake(name: str, now: datetime) -> bool:
	"""Make a snoozed enrollment active again once its time has come. Returns whether it did."""
	lead_lock.lock(frappe.db.get_value("Nurture Enrollment", name, "lead"))
	enrollment = frappe.get_doc("Nurture Enrollment", name, for_update=True)
	if enrollment.status != "Snoozed" or get_datetime(enrollment.snoozed_until) > now:
		return False
	enrollment.update({"status": "Active", **AWAKE})
	enrollment.save(ignore_permissions=True)
	return True


def snoozed_until(now: datetime) -> list[str]:
	"""Names of the snoozed enrollments that are to wake by `now` (naive, the site's zone)."""
	return query.run(
		"""
		select name from `tabNurture Enrollment` enrollment
		where status = 'Snoozed' and snoozed_until <= %s and exists (select 1 from `tabLead` where name = enrollment.lead)
		order by snoozed_until
		""",
		(now,),
		pluck=True,
	)


def stop(enrollment, reason: str, status: str = "Stopped", now: datetime | None = None):
	"""End an enrollment and cancel its planned touch.

	:param reason: in words; kept as the stop reason.
	:param status: Stopped, or Finished when the cadence came to its end.
	:param now: naive instant in the site's zone.
	"""
	if enrollment.status not in OPEN_ENROLLMENTS:
		return enrollment
	touch = planned_touch(enrollment.name)
	if touch:
		touch.status = "Cancelled"
		touch.save(ignore_permissions=True)
	enrollment.update(
		{
			"status": status,
			"stop_reason": reason,
			"next_due_at": None,
			"finished_at": now or now_datetime(),
			**AWAKE,
		}
	)
	enrollment.save(ignore_permissions=True)
	summary.write(enrollment.lead, lq_next_touch_at=None)
	return enrollment


def move_to_sales(lead, at: datetime):
	"""Sales has accepted a lead document: its nurturing cadence ends.

	The segment's Cadence After Handover replaces it. If there is none, the cadence continues with its steps counted from
	Handover Accepted, if it has any.

	:param at: naive instant of the acceptance, in the site's zone.
	:returns: the Nurture Enrollment that continues, or None.
	"""
	after = plan_of(lead.lq_segment, "cadence_after_handover")
	enrollment = open_enrollment(lead.name)
	if enrollment and not after and _go_to_sales_steps(enrollment, at):
		return enrollment
	if enrollment:
		stop(enrollment, _("Sales has accepted the lead."), "Finished", at)
	if can_walk(lead, after):
		enroll(lead.name, after)
	return None


def was_accepted_since(lead: str, at: datetime) -> bool:
	"""Whether sales has accepted a lead after an instant (naive, the site's zone), so that it walks steps of sales."""
	accepted = {"lead": lead, "status": "Accepted", "decided_at": [">", at]}
	return bool(frappe.db.exists("Lead Handover", accepted))


def _go_to_sales_steps(enrollment, at: datetime) -> bool:
	plan = frappe.get_cached_doc("Nurture Cadence", enrollment.cadence)
	steps = [row.step for row in plan.steps]
	current = steps.index(enrollment.current_step) if enrollment.current_step in steps else 0
	index = next(
		(i for i, row in enumerate(plan.steps) if i >= current and row.anchor == "Handover Accepted"), None
	)
	if index is None:
		return False
	touch = planned_touch(enrollment.name)
	if touch:
		touch.status, touch.status_reason = "Cancelled", _("Sales has accepted the lead.")
		touch.save(ignore_permissions=True)
	closed = closed_to_plan(enrollment.lead)
	move, due, skipped = next_stop(
		plan, enrollment.lead, engine.Move("Step", index), anchors_of(enrollment, at), at, closed
	)
	keep_skipped(enrollment, skipped, closed, at)
	if move.index is None or not due:
		return False
	plan_touch(enrollment, plan.steps[move.index], 1, due, at)
	enrollment.update({"current_step": steps[move.index], "next_due_at": due, "status": "Active", **AWAKE})
	enrollment.save(ignore_permissions=True)
	summary.write(enrollment.lead, lq_next_touch_at=due)
	return True


def stop_for_lead(lead: str, reason: str) -> bool:
	"""End the lead's enrollment, if it has one. Returns whether it had."""
	enrollment = open_enrollment(lead, lock=lead_lock.is_behind(lead))
	if enrollment:
		stop(enrollment, reason)
	return bool(enrollment)


# leads that are deleted or merged


def forget_lead(lead: str):
	"""Delete the touches and enrollments of a deleted lead."""
	for doctype in ("Lead Touch", "Nurture Enrollment"):
		frappe.db.delete(doctype, {"lead": lead})


def merge_into(lead: str):
	"""Two leads have become one: only its first open enrollment goes on."""
	names = frappe.get_all(
		"Nurture Enrollment",
		{"lead": lead, "status": ["in", OPEN_ENROLLMENTS]},
		pluck="name",
		order_by="enrolled_at asc",
	)
	for name in names[1:]:
		stop(frappe.get_doc("Nurture Enrollment", name), _("Merged with another lead."))
	if names:
		summary.write(
			lead, lq_next_touch_at=frappe.db.get_value("Nurture Enrollment", names[0], "next_due_at")
		)
