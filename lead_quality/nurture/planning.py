"""The next touch of an enrollment: which step, which contact, when."""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_datetime, now_datetime

from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.base.versions import lead_field
from lead_quality.engine import cadence as engine
from lead_quality.funnel import summary
from lead_quality.funnel.lead_save import AT_ONCE, LeadWriter
from lead_quality.nurture.channels import contact_with_address
from lead_quality.qualification.definitions import document

# what an enrollment that does not rest says of a snooze
AWAKE = {"snoozed_until": None, "snoozed_at": None, "snooze_reason": None}


Stop = tuple[engine.Move, datetime | None, list[tuple]]  # as `next_stop` returns it


def first_stop(lead, cadence: str, at: datetime, closed: dict[str, str]) -> Stop:
	"""Where a cadence begins for a lead, as `next_stop` says it."""
	plan = document("Nurture Cadence", cadence)
	return next_stop(plan, lead, engine.Move("Step", 0), _anchors_at_start(lead, at), at, closed)


def plan_start(lead, cadence: str, at: datetime, closed: dict[str, str], first: Stop | None = None) -> dict:
	"""The values of an enrollment that starts at `at` (naive, the site's zone); it is Stopped where all steps are on
	closed channels.

	:param first: its `first_stop`, where it is at hand.
	"""
	plan = document("Nurture Cadence", cadence)
	move, due, _skipped = first or first_stop(lead, cadence, at, closed)
	values = {
		"lead_name": lead.title,
		"lead_priority": lead.lq_priority or 0,
		"enrolled_at": at,
		"next_due_at": due,
	}
	is_over = move.index is None
	return {
		**values,
		"status": "Stopped" if is_over else "Active",
		"stop_reason": no_channel_left() if is_over else None,
		"finished_at": at if is_over else None,
		"current_step": plan.steps[-1 if move.index is None else move.index].step,
	}


def plan_first_touch(
	enrollment, closed: dict[str, str], lead=None, writer: LeadWriter = AT_ONCE, first: Stop | None = None
):
	"""Plan the first touch of an enrollment that has just been made, and keep which steps are skipped before it.

	:param closed: as `channels.closed_channels` says of its lead.
	:param lead: the Lead document, where it is at hand.
	:param first: its `first_stop`, likewise.
	"""
	lead = lead or frappe.get_doc("Lead", enrollment.lead)
	at = get_datetime(enrollment.enrolled_at)
	plan = document("Nurture Cadence", enrollment.cadence)
	move, due, skipped = first or first_stop(lead, enrollment.cadence, at, closed)
	keep_skipped(enrollment, skipped, closed, at, writer)
	if move.index is not None and due:
		plan_touch(enrollment, plan.steps[move.index], 1, due, at, writer)
		writer.summarise(lead, lq_next_touch_at=due)


def _anchors_at_start(lead, at: datetime) -> dict:
	return {"Enrollment": at, "Lead Created": lead.creation}


def no_channel_left() -> str:
	return _(
		"The remaining steps use channels on which the lead does not want to be contacted, or cannot be reached."
	)


def planned_touch(enrollment: str, lock: bool = False):
	"""The touch that an enrollment waits for, or None. `lock` is as for `open_enrollment`."""
	name = frappe.db.get_value("Lead Touch", {"enrollment": enrollment, "status": "Planned"}, for_update=lock)
	return frappe.get_doc("Lead Touch", name, for_update=lock) if name else None


def touches_after(enrollment, touch) -> list[frappe._dict]:
	"""The touches of an enrollment that come after one of them by its plan, without those that were cancelled: `name`,
	`status`, `status_reason`.

	By their place in the plan, not by their creation: a touch that is planned by one that was logged late is older than
	that, and the steps that were passed over before a touch were written together with it.
	"""
	steps = [row.step for row in document("Nurture Cadence", enrollment.cadence).steps]

	def place(row) -> tuple[int, int]:
		return steps.index(row.step) if row.step in steps else len(steps), row.occurrence or 1

	rows = frappe.get_all(
		"Lead Touch",
		{"enrollment": enrollment.name, "name": ["!=", touch.name], "status": ["!=", "Cancelled"]},
		["name", "status", "status_reason", "step", "occurrence"],
		order_by="creation asc",
	)
	return [row for row in rows if place(row) > place(touch)]


def move_after(plan, step: str | None, outcome: str | None) -> engine.Move:
	index = next((i for i, row in enumerate(plan.steps) if row.step == step), len(plan.steps) - 1)
	return engine.next_move(get_steps(plan), index, outcome)


def next_stop(plan, lead, move: engine.Move, anchors: dict, at: datetime, closed: dict[str, str]) -> Stop:
	"""Where a move leads to on the channels that are open.

	A step that is passed over counts as made when it would have been due, so that the plan keeps its pace.

	:param at: naive instant in the site's zone, before which nothing is due.
	:returns: the move, when its touch is due (None where the plan ends), and (step, due) of those passed over.
	"""
	move, passed = engine.skip_closed(get_steps(plan), move, closed)
	skipped = []
	for index in passed:
		due = _due_at(plan, index, lead, dict(anchors), at)
		skipped.append((plan.steps[index], due))
		anchors = {**anchors, "Previous Touch": due}
	if move.index is None:
		return move, None, skipped
	return move, _due_at(plan, move.index, lead, dict(anchors), at, move.kind == "Repeat"), skipped


def keep_skipped(
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
				"lead_priority": enrollment.lead_priority or 0,
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
				"due_on": due.date(),
				# unique: two workers cannot plan the same occurrence of a step twice. A touch that is cancelled gives
				# it up, as its step may be planned once more
				"plan_key": f"{enrollment.name}:{step.step}:{occurrence}",
			}
		],
		at,
	)


def plan_again(enrollment, touch):
	"""The step that a touch had done waits to be done again, when it was due."""
	plan = document("Nurture Cadence", enrollment.cadence)
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
