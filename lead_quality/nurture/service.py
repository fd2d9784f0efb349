"""Enrollments and touches: who is to be contacted next, when, and what came of it."""

from datetime import date, datetime, time

import frappe
from frappe import _
from frappe.utils import get_datetime, get_link_to_form, getdate, now_datetime
from pypika.terms import Criterion

from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.base.versions import lead_field
from lead_quality.engine import cadence as engine
from lead_quality.engine.conversion import is_two_way
from lead_quality.funnel import service as funnel
from lead_quality.funnel import summary
from lead_quality.funnel.lead_save import AT_ONCE, LeadSave, LeadWriter
from lead_quality.nurture import evidence
from lead_quality.qualification.service import plan_of

EMAIL_CHANNELS = {"Email"}
OPEN_STATUSES = ("Active", "Snoozed")
SAVEPOINT = "lead_quality_touch"
AWAKE = {"snoozed_until": None, "snoozed_at": None, "snooze_reason": None}


# enrollment


def enroll_new_lead(save: LeadSave):
	"""Put a new lead on the cadence of its segment, if it has one and the settings say so."""
	lead = save.lead
	cadence = plan_of(lead.lq_segment, "cadence")
	if not cadence or not frappe.get_cached_doc("Lead Quality Settings").enroll_new_leads:
		return
	at = get_datetime(lead.creation)
	try:
		start = plan_start(lead, cadence, at)
	except (OverflowError, ValueError) as error:
		# no lead stays out for that
		frappe.log_error(_("No touch can be planned by the cadence {0}").format(cadence), str(error))
		return
	enrollment = save.insert_rows(
		"Nurture Enrollment", [{"lead": lead.name, "cadence": cadence, **start}], at
	)[0]
	plan_first_touch(enrollment, lead, save)


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
	lead = frappe.get_doc("Lead", enrollment.lead, for_update=True)
	running = open_enrollment(lead.name)
	if running:
		frappe.throw(
			_("{0} is on the cadence {1} already. Stop that first.").format(
				lead.title, get_link_to_form("Nurture Enrollment", running.name, running.cadence)
			)
		)
	if is_opted_out(lead, "All"):
		frappe.throw(_("{0} has asked not to be contacted.").format(lead.title))
	enrollment.cadence = enrollment.cadence or plan_of(lead.lq_segment, "cadence")
	if not enrollment.cadence:
		frappe.throw(_("Choose a cadence: the lead's segment has none."))
	if frappe.db.get_value("Nurture Cadence", enrollment.cadence, "status") != "Active":
		frappe.throw(_("{0} is not active. Activate it first.").format(frappe.bold(enrollment.cadence)))
	enrollment.update({"stop_reason": None, "finished_at": None, **AWAKE})
	enrollment.update(plan_start(lead, enrollment.cadence, now_datetime()))


def plan_start(lead, cadence: str, at: datetime) -> dict:
	"""The values of an enrollment that starts at `at` (naive, the site's zone)."""
	plan = frappe.get_cached_doc("Nurture Cadence", cadence)
	anchors = {"Enrollment": at, "Lead Created": lead.creation}
	if plan.steps[0].anchor == "Date Field":
		# a new lead is not in the database yet
		anchors["Date Field"] = lead.get(lead_field(plan.steps[0].date_field))
	return {
		"lead_name": lead.title,
		"status": "Active",
		"enrolled_at": at,
		"current_step": plan.steps[0].step,
		"next_due_at": _due_at(plan, 0, lead.name, anchors, at),
	}


def plan_first_touch(enrollment, lead=None, writer: LeadWriter = AT_ONCE):
	"""Plan the first touch of an enrollment that has just been made.

	:param lead: the Lead document, where it is at hand.
	"""
	step = frappe.get_cached_doc("Nurture Cadence", enrollment.cadence).steps[0]
	_plan_touch(enrollment, step, 1, enrollment.next_due_at, enrollment.enrolled_at, writer)
	writer.summarise(lead or enrollment.lead, lq_next_touch_at=enrollment.next_due_at)


def open_enrollment(lead: str):
	"""The lead's enrollment that is Active or Snoozed, or None."""
	name = frappe.db.get_value("Nurture Enrollment", {"lead": lead, "status": ["in", OPEN_STATUSES]})
	return frappe.get_doc("Nurture Enrollment", name) if name else None


def snooze(enrollment, until: datetime, reason: str | None = None, now: datetime | None = None):
	"""Let an enrollment rest: its next touch is due at `until`, when it wakes by itself.

	:param until: naive instant in the site's zone, as is `now`.
	:param reason: a Lead Outcome Reason that permits it, for which the lead's clocks pause; without one they run on.
	:raises frappe.ValidationError: if `until` is not in the future, or the enrollment is over.
	"""
	now = now or now_datetime()
	if enrollment.status not in OPEN_STATUSES:
		frappe.throw(_("This enrollment is over: enroll the lead again."))
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
	doc = frappe.get_doc("Lead", lead)
	if not open_enrollment(lead):
		cadence = plan_of(doc.lq_segment, "cadence")
		if not cadence or is_opted_out(doc, "All"):
			return
		enroll(lead, cadence)
	enrollment = open_enrollment(lead)
	calendar = get_calendar(
		frappe.get_cached_value("Nurture Cadence", enrollment.cadence, "working_calendar")
	)
	begins = aware(datetime.combine(day, time.min))
	snooze(enrollment, naive(begins if calendar.is_open(begins) else calendar.next_opening(begins)))


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


def stop_for_lead(lead: str, reason: str):
	"""End the lead's enrollment, if it has one."""
	enrollment = open_enrollment(lead)
	if enrollment:
		stop(enrollment, reason)


# touches


def planned_touch(enrollment: str):
	"""The touch that an enrollment waits for, or None."""
	name = frappe.db.get_value("Lead Touch", {"enrollment": enrollment, "status": "Planned"})
	return frappe.get_doc("Lead Touch", name) if name else None


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
	done_at = get_datetime(done_at or now_datetime())
	source = reference or (communication and ("Communication", communication))
	enrollment = open_enrollment(lead) if direction == "Outbound" else None
	touch = planned_touch(enrollment.name) if enrollment else None
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
	return touch.save(ignore_permissions=True)


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
	if touch.status == "Done" and is_two_way(touch.outcome):
		funnel.enter_stage(touch.lead, "prospect", get_datetime(touch.done_at), touch)


def advance(touch):
	"""A touch has been done, skipped or missed: its cadence goes on to the next step, or ends."""
	if touch.enrollment:
		enrollment = frappe.get_doc("Nurture Enrollment", touch.enrollment, for_update=True)
		if enrollment.lead == touch.lead and enrollment.status in OPEN_STATUSES:
			_advance(enrollment, touch)


def _advance(enrollment, touch):
	plan = frappe.get_cached_doc("Nurture Cadence", enrollment.cadence)
	index = next((i for i, row in enumerate(plan.steps) if row.step == touch.step), len(plan.steps) - 1)
	move = engine.next_move(get_steps(plan), index, touch.outcome)
	at = get_datetime(touch.done_at or now_datetime())
	if move.index is None:
		reason = _("The lead said no.") if move.kind == "Stop" else _("All steps done.")
		if move.kind == "Finish" and touch.outcome in engine.POSITIVE:
			reason = _("The lead said yes.")
		stop(enrollment, reason, "Stopped" if move.kind == "Stop" else "Finished", at)
		return
	due = _due_at(
		plan,
		move.index,
		enrollment.lead,
		anchors_of(enrollment, at),
		max(at, now_datetime()),  # a touch that is logged late leaves no touch behind that is late already
		repeated=move.kind == "Repeat",
	)
	step = plan.steps[move.index]
	_plan_touch(enrollment, step, (touch.occurrence or 1) + 1 if move.kind == "Repeat" else 1, due, at)
	enrollment.update({"current_step": step.step, "next_due_at": due, "status": "Active", **AWAKE})
	enrollment.save(ignore_permissions=True)
	summary.write(enrollment.lead, lq_next_touch_at=due)


def _plan_touch(enrollment, step, occurrence: int, due: datetime, at: datetime, writer: LeadWriter = AT_ONCE):
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
				"direction": "Outbound",
				"status": "Planned",
				"due_at": due,
				# unique: two workers cannot plan the same occurrence of a step twice
				"plan_key": f"{enrollment.name}:{step.step}:{occurrence}",
			}
		],
		at,
	)


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


def _due_at(plan, index: int, lead: str, anchors: dict, at: datetime, repeated: bool = False) -> datetime:
	row = plan.steps[index]
	if row.anchor == "Date Field" and "Date Field" not in anchors:
		anchors["Date Field"] = frappe.db.get_value("Lead", lead, lead_field(row.date_field))
	return naive(
		engine.due_at(
			get_steps(plan)[index],
			{anchor: aware(instant) for anchor, instant in anchors.items() if instant},
			get_calendar(plan.working_calendar),
			not_before=aware(at),
			repeated=repeated,
		)
	)


# opting out


def opt_out(lead: str, channel: str = "All", reason: str = "Manual"):
	"""Record that a lead's person wants no contact on a channel, or none at all, and act on it at once.

	Kept by e-mail address and phone number, so that it holds for other leads of the same person and after
	the lead is gone.

	:returns: the Contact Opt Out.
	"""
	doc = frappe.get_doc("Lead", lead)
	return frappe.get_doc(
		{
			"doctype": "Contact Opt Out",
			"channel": channel,
			"reason": reason,
			"lead": lead,
			"email_id": doc.email_id,
			"phone": doc.mobile_no or doc.phone,
		}
	).insert(ignore_permissions=True)


def act_on_opt_out(opt_out):
	"""Leave the person of a new Contact Opt Out alone, on all leads that are this person."""
	for lead in leads_of_opt_out(opt_out):
		if opt_out.channel in EMAIL_CHANNELS | {"All"}:
			summary.write(lead, unsubscribed=1)
		enrollment = open_enrollment(lead)
		if enrollment and opt_out.channel == "All":
			stop(enrollment, _("The lead wants no contact."))
		elif enrollment:
			touch = planned_touch(enrollment.name)
			if touch and touch.channel == opt_out.channel:
				touch.status = "Skipped"
				touch.save(ignore_permissions=True)


def leads_of_opt_out(opt_out) -> list[str]:
	"""The leads that a Contact Opt Out speaks of: those with its e-mail address or its phone number."""
	table = frappe.qb.DocType("Lead")
	same_person = [table.email_id == opt_out.email_id] if opt_out.email_id else []
	if opt_out.phone:
		same_person += [table.mobile_no == opt_out.phone, table.phone == opt_out.phone]
	query = frappe.qb.from_(table).select(table.name).where(Criterion.any(same_person)).orderby(table.name)
	return [row[0] for row in query.run()]


def is_opted_out(lead, channel: str) -> bool:
	"""Whether a lead document's person wants no contact on a channel (All: none at all)."""
	if lead.status == "Do Not Contact" or (channel in EMAIL_CHANNELS and lead.unsubscribed):
		return True
	person = {"email_id": lead.email_id, "phone": lead.mobile_no or lead.phone}
	asked = [f"{field} = %({field})s" for field, value in person.items() if value]
	if not asked:
		return False
	return bool(
		frappe.db.sql(
			f"""
			select name from `tabContact Opt Out`
			where channel in ('All', %(channel)s) and ({" or ".join(asked)}) limit 1
			""",
			{**person, "channel": channel},
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
