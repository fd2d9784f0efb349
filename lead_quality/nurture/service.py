"""Enrollments and touches: who is to be contacted next, when, and what came of it."""

from datetime import date, datetime, time

import frappe
from frappe import _
from frappe.utils import get_datetime, get_link_to_form, getdate, now_datetime

from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.base.texts import bold
from lead_quality.base.versions import lead_field
from lead_quality.engine import cadence as engine
from lead_quality.engine.conversion import is_two_way
from lead_quality.funnel import endings, lead_lock, summary
from lead_quality.funnel import service as funnel
from lead_quality.funnel.lead_save import AT_ONCE, LeadSave, LeadWriter
from lead_quality.nurture import evidence
from lead_quality.nurture.channels import (
	closed_channels,
	closed_to_plan,
	contact_with_address,
	no_channel_in_words,
	wants_nothing,
)
from lead_quality.qualification.service import plan_of

OPEN_STATUSES = ("Active", "Snoozed")
# by which a lead may write without answering anything
WRITTEN = ("Email", "SMS")
SAVEPOINT = "lead_quality_touch"
AWAKE = {"snoozed_until": None, "snoozed_at": None, "snooze_reason": None}


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
		start = plan_start(lead, cadence, at, closed)
	except (OverflowError, ValueError) as error:
		# no lead stays out for that
		frappe.log_error(_("No touch can be planned by the cadence {0}").format(cadence), str(error))
		return
	enrollment = save.insert_rows(
		"Nurture Enrollment", [{"lead": lead.name, "cadence": cadence, **start}], at
	)[0]
	plan_first_touch(enrollment, closed, lead, save)


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
		frappe.throw(_("Choose the lead that is to be enrolled."), frappe.MandatoryError)
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
			_("{0} cannot be walked: all its steps are on channels that are closed. {1}").format(
				enrollment.cadence, " ".join(dict.fromkeys(closed.values()))
			)
		)


def plan_start(lead, cadence: str, at: datetime, closed: dict[str, str]) -> dict:
	"""The values of an enrollment that starts at `at` (naive, the site's zone); it is Stopped where all steps are on
	closed channels."""
	plan = frappe.get_cached_doc("Nurture Cadence", cadence)
	move, due, _skipped = _next_stop(
		plan, lead, engine.Move("Step", 0), _anchors_at_start(lead, at), at, closed
	)
	values = {"lead_name": lead.title, "status": "Active", "enrolled_at": at, "next_due_at": due}
	is_over = move.index is None
	return {
		**values,
		"status": "Stopped" if is_over else "Active",
		"stop_reason": _no_channel_left() if is_over else None,
		"finished_at": at if is_over else None,
		"current_step": plan.steps[-1 if move.index is None else move.index].step,
	}


def plan_first_touch(enrollment, closed: dict[str, str], lead=None, writer: LeadWriter = AT_ONCE):
	"""Plan the first touch of an enrollment that has just been made, and keep which steps are skipped before it.

	:param closed: as `channels.closed_channels` says of its lead.
	:param lead: the Lead document, where it is at hand.
	"""
	lead = lead or frappe.get_doc("Lead", enrollment.lead)
	at = get_datetime(enrollment.enrolled_at)
	plan = frappe.get_cached_doc("Nurture Cadence", enrollment.cadence)
	move, due, skipped = _next_stop(
		plan, lead, engine.Move("Step", 0), _anchors_at_start(lead, at), at, closed
	)
	_keep_skipped(enrollment, skipped, closed, at, writer)
	if move.index is not None and due:
		plan_touch(enrollment, plan.steps[move.index], 1, due, at, writer)
		writer.summarise(lead, lq_next_touch_at=due)


def _anchors_at_start(lead, at: datetime) -> dict:
	return {"Enrollment": at, "Lead Created": lead.creation}


def _no_channel_left() -> str:
	return _(
		"The steps that were left are on channels on which the lead wants no contact, or cannot be reached."
	)


def open_enrollment(lead: str, lock: bool = False):
	"""The lead's enrollment that is Active or Snoozed, or None.

	:param lock: the lead is locked, and so is what is found, as others have committed it meanwhile.
	"""
	name = frappe.db.get_value(
		"Nurture Enrollment", {"lead": lead, "status": ["in", OPEN_STATUSES]}, for_update=lock
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
	if enrollment.status not in OPEN_STATUSES:
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


def rest_until(lead: str, day: date):
	"""Let a lead's cadence rest until its calendar opens on a day or after it. A lead on none is put on its
	segment's, if that has one and the lead may be contacted.

	For no reason that would pause clocks: whoever decides so with an agreed reason ends them, and where a rule alone
	has decided it, whoever has asked us something is still owed an answer.
	"""
	is_behind = lead_lock.is_behind(lead)
	doc = frappe.get_doc("Lead", lead)
	if not open_enrollment(lead, lock=is_behind):
		cadence = plan_of(doc.lq_segment, "cadence")
		if not cadence or wants_nothing(closed_channels(doc)):
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


def _opening_on(cadence: str, day: date) -> datetime:
	"""When the calendar of a cadence opens on a day or after it; naive, in the site's zone."""
	calendar = get_calendar(frappe.get_cached_value("Nurture Cadence", cadence, "working_calendar"))
	begins = aware(datetime.combine(day, time.min))
	return naive(begins if calendar.is_open(begins) else calendar.next_opening(begins))


def act_on_verdict(qualification, is_decision_new: bool):
	"""What a Lead Qualification's verdict means for the lead's cadence.

	:param is_decision_new: whether the day until which it is to rest has not been acted on yet.
	"""
	if qualification.verdict == "Disqualified":
		stop_for_lead(qualification.lead, _("The lead is disqualified."))
	elif qualification.verdict == "Nurture" and qualification.nurture_until and is_decision_new:
		rest_until(qualification.lead, getdate(qualification.nurture_until))


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
	return frappe.db.sql_list(
		"""
		select name from `tabNurture Enrollment` enrollment
		where status = 'Snoozed' and snoozed_until <= %s and exists (select 1 from `tabLead` where name = enrollment.lead)
		order by snoozed_until
		""",
		(now,),
	)


def stop(enrollment, reason: str, status: str = "Stopped", now: datetime | None = None):
	"""End an enrollment and cancel its planned touch.

	:param reason: in words; kept as the stop reason.
	:param status: Stopped, or Finished when the cadence came to its end.
	:param now: naive instant in the site's zone.
	"""
	if enrollment.status not in OPEN_STATUSES:
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
	"""Sales has accepted a lead document: the plan that was to make it ready ends.

	Its steps after Handover Accepted come next, where it has some. Else it ends, and the one that the segment has for
	after the handover starts.

	:param at: naive instant in the site's zone, of the acceptance.
	:returns: the Nurture Enrollment that goes on, or None.
	"""
	after = plan_of(lead.lq_segment, "cadence_after_handover")
	enrollment = open_enrollment(lead.name)
	if enrollment and not after and _go_to_sales_steps(enrollment, at):
		return enrollment
	if enrollment:
		stop(enrollment, _("Sales has accepted the lead."), "Finished", at)
	is_active = after and frappe.db.get_value("Nurture Cadence", after, "status") == "Active"
	if is_active and not wants_nothing(closed_channels(lead)):
		enroll(lead.name, after)
	return None


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
	if touch and touch.step == steps[index]:
		touch.plan_key = None  # it is planned again, from the acceptance
	if touch:
		touch.status, touch.status_reason = "Cancelled", _("Sales has accepted the lead.")
		touch.save(ignore_permissions=True)
	closed = closed_to_plan(enrollment.lead)
	move, due, skipped = _next_stop(
		plan, enrollment.lead, engine.Move("Step", index), anchors_of(enrollment, at), at, closed
	)
	_keep_skipped(enrollment, skipped, closed, at)
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


# touches


def planned_touch(enrollment: str, lock: bool = False):
	"""The touch that an enrollment waits for, or None. `lock` is as for `open_enrollment`."""
	name = frappe.db.get_value("Lead Touch", {"enrollment": enrollment, "status": "Planned"}, for_update=lock)
	return frappe.get_doc("Lead Touch", name, for_update=lock) if name else None


def is_waited_for(touch) -> bool:
	"""Whether an open enrollment waits for a planned touch."""
	status = frappe.db.get_value("Nurture Enrollment", touch.enrollment, "status")
	return status in OPEN_STATUSES and bool(frappe.db.exists("Lead", touch.lead))


def follow_touch(touch):
	"""A planned touch was put off: its enrollment and its lead wait until then."""
	frappe.db.set_value(
		"Nurture Enrollment", touch.enrollment, "next_due_at", touch.due_at, update_modified=False
	)
	summary.write(touch.lead, lq_next_touch_at=touch.due_at)


def log_touch(
	lead: str,
	channel: str,
	outcome: str | None = None,
	direction: str = "Outbound",
	note: str | None = None,
	done_at: datetime | None = None,
	communication: str | None = None,
	contact: str | None = None,
	done_by: str | None = None,
	reference: tuple[str, str] | None = None,
):
	"""Record a contact attempt. It completes the planned touch of the same channel; else it stands by itself.

	:param done_at: naive instant in the site's zone, by default now.
	:param reference: DocType and name of the Call Log or Event that it is made from.
	:returns: the Lead Touch.
	:raises frappe.UniqueValidationError: if the lead has a touch of this communication or reference.
	"""
	is_behind = lead_lock.is_behind(lead)
	done_at = get_datetime(done_at or now_datetime())
	source = reference or (communication and ("Communication", communication))
	enrollment = open_enrollment(lead, lock=is_behind) if direction == "Outbound" else None
	touch = planned_touch(enrollment.name, lock=is_behind) if enrollment else None
	if not touch or not completes(touch, enrollment, channel, done_at):
		touch = frappe.new_doc("Lead Touch")
		touch.lead = lead
	doctype, name = reference or (None, None)
	touch.update(
		{
			"channel": channel,
			"direction": direction,
			"status": "Done",
			"outcome": outcome,
			"note": note,
			"done_at": done_at,
			"done_by": done_by or frappe.session.user,
			"communication": communication,
			"reference_doctype": doctype,
			"reference_name": name,
			# unique: two workers cannot log the same call twice
			"evidence_key": ":".join((*source, lead)) if source else None,
			"contact": contact or touch.contact,
		}
	)
	touch.save(ignore_permissions=True)
	if direction == "Outbound":
		_take_as_answers(lead, done_at)
	return touch


def _take_as_answers(lead: str, said_at: datetime):
	"""A word to the lead comes to light late: what the lead has written since answers it."""
	names = frappe.get_all(
		"Lead Touch",
		{
			"lead": lead,
			"direction": "Inbound",
			"status": "Done",
			"is_automatic": 0,
			"channel": ["in", WRITTEN],
			"outcome": ["is", "not set"],
			"done_at": [">=", said_at],
		},
		pluck="name",
		order_by="done_at asc",
	)
	for name in names:
		touch = frappe.get_doc("Lead Touch", name)
		touch.outcome = "Replied"
		touch.save(ignore_permissions=True)


def completes(touch, enrollment, channel: str, done_at: datetime) -> bool:
	"""Whether what was done at `done_at` (naive, the site's zone) is what the enrollment waits for.

	A call that ends on voicemail is a call. What comes to light late does not count for a step that was planned after
	it, nor does it wake a lead that was put to rest after it.
	"""
	if touch.channel != channel and not {touch.channel, channel} <= {"Phone", "Voicemail"}:
		return False
	begun = get_datetime(enrollment.enrolled_at)
	waiting_since = max(get_datetime(touch.creation), get_datetime(enrollment.snoozed_at or begun))
	return waiting_since <= max(begun, done_at)


def log_once(touch: dict) -> bool:
	"""Log what a document proves, unless a touch of the lead names that document.

	Whoever saved the document does not lose it if this fails: the error is logged, and `catch_up` tries again.

	:param touch: keywords of `log_touch`, with a communication or a reference.
	:returns: whether the lead has a new touch, by this or by another worker at the same time.
	:raises frappe.QueryDeadlockError: nothing is left of the transaction then.
	"""
	if touch.get("communication"):
		names_it = {"communication": touch["communication"]}
	else:
		names_it = dict(zip(("reference_doctype", "reference_name"), touch["reference"], strict=True))
	if frappe.db.exists("Lead Touch", {"lead": touch["lead"], **names_it}):
		return False
	frappe.db.savepoint(SAVEPOINT)
	told = len(frappe.local.message_log)
	try:
		log_touch(**touch)
	except frappe.QueryDeadlockError:
		raise
	except Exception as error:
		frappe.db.rollback(save_point=SAVEPOINT)
		del frappe.local.message_log[told:]  # whoever saved the document can do nothing about it
		if isinstance(error, frappe.UniqueValidationError | frappe.TimestampMismatchError):
			return True  # another worker has just logged it, or done the planned touch that it would complete
		frappe.log_error(
			"A touch could not be logged", reference_doctype="Lead", reference_name=touch["lead"]
		)
		return False
	frappe.db.release_savepoint(SAVEPOINT)
	return True


def log_evidence(document, leads: list[str]):
	"""Log what a Communication, Call Log or Event document proves of leads that it names; see `log_once`."""
	if not leads:
		return  # most of a site's mail, calls and events
	known = evidence.what_is_known((document,) if document.doctype == "Communication" else (), leads)
	for lead in leads:
		touch = evidence.read(document, lead, known, now_datetime())
		if touch:
			log_once(touch)


def catch_up(leads: list[str], since: datetime, now: datetime) -> set[str]:
	"""Log what people have done with these leads and no touch tells yet: what came past the hooks or before them.

	Three queries, however many leads there are. Where messages are found that no touch names, because they were
	refused or are new, two more tell who wrote them and what they may answer.

	:param since: how far back to look; naive, in the site's zone, as is `now`.
	:returns: the leads that have a new touch by it.
	:raises frappe.QueryDeadlockError: nothing is left of the transaction then.
	"""
	if not leads:
		return set()
	communications = evidence.communications_without_touch(leads, since)
	calls = evidence.calls_without_touch(leads, since)
	events = evidence.events_without_touch(leads, since, now)
	known = evidence.what_is_known(communications, [row.lead for row in communications])
	logged = set()
	# in the order in which they were held, as one may answer the other
	for row in sorted([*communications, *calls, *events], key=evidence.held_at):
		touch = evidence.read(row, row.lead, known, now)
		if touch and log_once(touch):
			known.note(touch)
			logged.add(row.lead)
	return logged


def record_conversation(touch):
	"""A two-way contact makes the lead a prospect, at the time it was held."""
	if touch.status == "Done" and is_two_way(touch.outcome) and not touch.is_automatic:
		funnel.enter_stage(touch.lead, "prospect", get_datetime(touch.done_at), touch)


def advance(touch):
	"""A touch has been done, skipped or missed: its cadence goes on to the next step, or ends."""
	if touch.enrollment:
		enrollment = frappe.get_doc("Nurture Enrollment", touch.enrollment, for_update=True)
		if enrollment.lead == touch.lead and enrollment.status in OPEN_STATUSES:
			go_on(enrollment, touch)


def leads_elsewhere(touch) -> bool:
	"""Whether the cadence goes on in another way after a touch now than after its outcome before the present save."""
	if not touch.enrollment:
		return False
	plan = frappe.get_cached_doc(
		"Nurture Cadence", frappe.db.get_value("Nurture Enrollment", touch.enrollment, "cadence")
	)
	before = touch.get_doc_before_save()
	return _move_after(plan, touch.step, touch.outcome) != _move_after(plan, touch.step, before.outcome)


def _move_after(plan, step: str | None, outcome: str | None) -> engine.Move:
	index = next((i for i, row in enumerate(plan.steps) if row.step == step), len(plan.steps) - 1)
	return engine.next_move(get_steps(plan), index, outcome)


def go_on(enrollment, touch):
	"""An open enrollment goes on to what follows a touch of it, or ends."""
	plan = frappe.get_cached_doc("Nurture Cadence", enrollment.cadence)
	move = _move_after(plan, touch.step, touch.outcome)
	at = get_datetime(touch.done_at or now_datetime())
	if touch.status == "Skipped" and touch.due_at and touch.status_reason:
		at = max(at, get_datetime(touch.due_at))  # a closed channel makes the steps after it come no sooner
	closed = closed_to_plan(enrollment.lead) if move.index is not None else {}
	move, due, skipped = _next_stop(
		plan,
		enrollment.lead,
		move,
		anchors_of(enrollment, at),
		max(at, now_datetime()),  # a touch that is logged late leaves no touch behind that is late already
		closed,
	)
	_keep_skipped(enrollment, skipped, closed, now_datetime())
	if move.index is None or due is None:
		reasons = {"Stop": _("The lead said no."), "Closed": _no_channel_left()}
		reason = reasons.get(move.kind, _("All steps done."))
		if move.kind == "Finish" and touch.outcome in engine.POSITIVE:
			reason = _("The lead said yes.")
		stop(enrollment, reason, "Finished" if move.kind == "Finish" else "Stopped", at)
		return
	step = plan.steps[move.index]
	plan_touch(enrollment, step, (touch.occurrence or 1) + 1 if move.kind == "Repeat" else 1, due, at)
	enrollment.update({"current_step": step.step, "next_due_at": due, "status": "Active", **AWAKE})
	enrollment.save(ignore_permissions=True)
	summary.write(enrollment.lead, lq_next_touch_at=due)


def _next_stop(
	plan, lead, move: engine.Move, anchors: dict, at: datetime, closed: dict[str, str]
) -> tuple[engine.Move, datetime | None, list[tuple]]:
	"""Where a move leads to on the channels that are open.

	A step that is passed over counts as made when it would have been due, so that the plan keeps its pace.

	:param at: naive instant in the site's zone, before which nothing is due.
	:returns: the move, when its touch is due (None where the plan ends), and (step, due) of those passed over.
	"""
	move, passed = engine.pass_closed(get_steps(plan), move, closed)
	skipped = []
	for index in passed:
		due = _due_at(plan, index, lead, dict(anchors), at)
		skipped.append((plan.steps[index], due))
		anchors = {**anchors, "Previous Touch": due}
	if move.index is None:
		return move, None, skipped
	return move, _due_at(plan, move.index, lead, dict(anchors), at, move.kind == "Repeat"), skipped


def _keep_skipped(
	enrollment, skipped: list[tuple], closed: dict[str, str], at: datetime, writer: LeadWriter = AT_ONCE
):
	for step, due in skipped:
		plan_touch(enrollment, step, 1, due, at, writer, "Skipped", closed.get(step.channel))


def _proposed_contact(lead: str, channel: str) -> str | None:
	"""Whom to write to, where the lead itself has no address."""
	if channel != "Email" or frappe.db.get_value("Lead", lead, "email_id"):
		return None
	return contact_with_address(lead)


def plan_touch(
	enrollment,
	step,
	occurrence: int,
	due: datetime,
	at: datetime,
	writer: LeadWriter = AT_ONCE,
	status: str = "Planned",
	reason: str | None = None,
):
	writer.insert_rows(
		"Lead Touch",
		[
			{
				"lead": enrollment.lead,
				"lead_name": enrollment.lead_name,
				"enrollment": enrollment.name,
				"step": step.step,
				"occurrence": occurrence,
				"channel": step.channel,
				"addressee": step.addressee,
				"contact": _proposed_contact(enrollment.lead, step.channel),
				"direction": "Outbound",
				"status": status,
				"status_reason": reason,
				"due_at": due,
				# unique: two workers cannot plan the same occurrence of a step twice
				"plan_key": f"{enrollment.name}:{step.step}:{occurrence}",
			}
		],
		at,
	)


def plan_again(enrollment, touch):
	"""The step that a touch had done waits to be done again, when it was due."""
	plan = frappe.get_cached_doc("Nurture Cadence", enrollment.cadence)
	step = next((row for row in plan.steps if row.step == touch.step), None)
	if not step:
		return
	due = get_datetime(touch.due_at or touch.done_at)
	plan_touch(enrollment, step, touch.occurrence or 1, due, now_datetime())
	enrollment.update({"current_step": step.step, "next_due_at": due, "status": "Active", **AWAKE})
	enrollment.save(ignore_permissions=True)
	summary.write(enrollment.lead, lq_next_touch_at=due)


def get_steps(plan) -> list[engine.Step]:
	"""The engine's steps of a Nurture Cadence document."""
	return [
		engine.Step(
			step=row.step,
			channel=row.channel,
			anchor=row.anchor,
			delay=row.delay or 0,
			delay_unit=row.delay_unit,
			repeat_every=row.repeat_every or 0,
			on_positive=row.on_positive or "Continue",
			on_negative=row.on_negative or "Stop",
			date_field=row.date_field or "",
		)
		for row in plan.steps
	]


def anchors_of(enrollment, previous_touch: datetime | None = None) -> dict:
	"""The naive instants that steps are counted from: enrollment, creation, acceptance, previous touch."""
	return {
		"Enrollment": enrollment.enrolled_at,
		"Lead Created": frappe.db.get_value("Lead", enrollment.lead, "creation"),
		"Handover Accepted": frappe.db.get_value(
			"Lead Handover",
			{"lead": enrollment.lead, "status": "Accepted"},
			"decided_at",
			order_by="decided_at desc",
		),
		"Previous Touch": previous_touch,
	}


def _due_at(plan, index: int, lead, anchors: dict, at: datetime, repeated: bool = False) -> datetime:
	row = plan.steps[index]
	if row.anchor == "Date Field":
		fieldname = lead_field(row.date_field)
		# a new lead is not in the database yet
		is_name = isinstance(lead, str)
		anchors["Date Field"] = (
			frappe.db.get_value("Lead", lead, fieldname) if is_name else lead.get(fieldname)
		)
	return naive(
		engine.due_at(
			get_steps(plan)[index],
			{anchor: aware(instant) for anchor, instant in anchors.items() if instant},
			get_calendar(plan.working_calendar),
			not_before=aware(at),
			repeated=repeated,
		)
	)


# leads that go


def forget_lead(lead: str):
	"""Delete the touches and enrollments of a deleted lead."""
	for doctype in ("Lead Touch", "Nurture Enrollment"):
		frappe.db.delete(doctype, {"lead": lead})


def merge_into(lead: str):
	"""Two leads have become one: only its first open enrollment goes on."""
	names = frappe.get_all(
		"Nurture Enrollment",
		{"lead": lead, "status": ["in", OPEN_STATUSES]},
		pluck="name",
		order_by="enrolled_at asc",
	)
	for name in names[1:]:
		stop(frappe.get_doc("Nurture Enrollment", name), _("Merged with another lead."))
	if names:
		summary.write(
			lead, lq_next_touch_at=frappe.db.get_value("Nurture Enrollment", names[0], "next_due_at")
		)
