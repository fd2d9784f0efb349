"""The ledger of touches: logged by people or from mails, calls and events, and the step that each leads to."""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_datetime, now_datetime

from lead_quality.engine import cadence as engine
from lead_quality.engine.conversion import is_two_way
from lead_quality.funnel import lead_lock, summary
from lead_quality.funnel import service as funnel
from lead_quality.funnel.conditions import OPEN_ENROLLMENTS
from lead_quality.nurture import evidence
from lead_quality.nurture.channels import closed_to_plan
from lead_quality.nurture.planning import (
	AWAKE,
	anchors_of,
	keep_skipped,
	move_after,
	next_stop,
	no_channel_left,
	plan_touch,
	planned_touch,
)
from lead_quality.nurture.service import open_enrollment, stop

# by which a lead may write without answering anything
WRITTEN = ("Email", "SMS")

SAVEPOINT = "lead_quality_touch"


def is_waited_for(touch) -> bool:
	"""Whether an open enrollment waits for a planned touch."""
	status = frappe.db.get_value("Nurture Enrollment", touch.enrollment, "status")
	return status in OPEN_ENROLLMENTS and bool(frappe.db.exists("Lead", touch.lead))


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
	"""A message to the lead was logged late: what the lead has written since counts as its answer."""
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

	A failure does not lose the document that was saved: the error is logged, and `catch_up` tries again.

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
	"""Log the lead as a prospect by a two-way contact, at the time it took place."""
	if touch.status == "Done" and is_two_way(touch.outcome) and not touch.is_automatic:
		funnel.enter_stage(touch.lead, "prospect", get_datetime(touch.done_at), touch)


def advance(touch):
	"""A touch has been done, skipped or missed: its cadence goes on to the next step, or ends."""
	if touch.enrollment:
		enrollment = frappe.get_doc("Nurture Enrollment", touch.enrollment, for_update=True)
		if enrollment.lead == touch.lead and enrollment.status in OPEN_ENROLLMENTS:
			go_on(enrollment, touch)


def leads_elsewhere(touch) -> bool:
	"""Whether the cadence goes on in another way after a touch now than after its outcome before the present save."""
	if not touch.enrollment:
		return False
	plan = frappe.get_cached_doc(
		"Nurture Cadence", frappe.db.get_value("Nurture Enrollment", touch.enrollment, "cadence")
	)
	before = touch.get_doc_before_save()
	return move_after(plan, touch.step, touch.outcome) != move_after(plan, touch.step, before.outcome)


def go_on(enrollment, touch):
	"""An open enrollment goes on to what follows a touch of it, or ends."""
	plan = frappe.get_cached_doc("Nurture Cadence", enrollment.cadence)
	move = move_after(plan, touch.step, touch.outcome)
	at = get_datetime(touch.done_at or now_datetime())
	if touch.status == "Skipped" and touch.due_at and touch.status_reason:
		at = max(at, get_datetime(touch.due_at))  # a closed channel makes the steps after it come no sooner
	closed = closed_to_plan(enrollment.lead) if move.index is not None else {}
	move, due, skipped = next_stop(
		plan,
		enrollment.lead,
		move,
		anchors_of(enrollment, at),
		max(at, now_datetime()),  # a touch that is logged late leaves no touch behind that is late already
		closed,
	)
	keep_skipped(enrollment, skipped, closed, now_datetime())
	if move.index is None or due is None:
		reasons = {"Stop": _("The lead said no."), "Closed": no_channel_left()}
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
