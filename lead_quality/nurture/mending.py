"""The invariant of an active enrollment: exactly one planned touch, due at its time; and of one that is over or gone: none.
The health page checks it, a job restores it.

The app keeps it so. What breaks it is a write without document events, or a touch that somebody has deleted in the database.
"""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import getdate

from lead_quality.base import query
from lead_quality.base.queries import ALL, number_of
from lead_quality.funnel import lead_lock, summary
from lead_quality.funnel.conditions import OPEN_ENROLLMENTS, open_enrollment
from lead_quality.nurture import planning, service

# of each enrollment: how many touches are planned, and when the first is due; by numbers, as these are found in a few tenths
# of the time that names take, and once for all
_BROKEN = f"""
	from (
		select e.name, e.lead from `tabNurture Enrollment` e
		left join (
			select {number_of("planned.enrollment")} as number, count(*) as planned, min(planned.due_at) as due_at
			from `tabLead Touch` planned
			where planned.status = 'Planned' and planned.enrollment is not null group by 1
		) t on t.number = {number_of("e.name")}
		where {open_enrollment("e")} and (ifnull(t.planned, 0) != 1 or not t.due_at <=> e.next_due_at)
		{ALL}
	) e
	straight_join `tabLead` l on l.name = e.lead
"""


def count_broken() -> int:
	"""How many enrollments do not wait for exactly one touch, at the time that they say."""
	return query.run(f"select count(*) {_BROKEN}")[0][0]


def broken(limit: int) -> list[str]:
	"""Their names."""
	return query.run(f"select e.name {_BROKEN} order by e.name limit %s", (limit,), pluck=True)


# touches that wait, and no enrollment for them: it is over, or was deleted
_STRAY = f"""
	from `tabLead Touch` t
	join `tabLead` l on l.name = t.lead
	left join `tabNurture Enrollment` e on e.name = t.enrollment and e.lead = t.lead and {open_enrollment("e")}
	where t.status = 'Planned' and t.enrollment is not null and e.name is null
"""


def count_stray() -> int:
	"""How many touches are planned for enrollments that are over or gone."""
	return query.run(f"select count(*) {_STRAY}")[0][0]


def stray(limit: int) -> list[str]:
	"""Their names."""
	return query.run(f"select t.name {_STRAY} order by t.name limit %s", (limit,), pluck=True)


def cancel_stray(name: str) -> tuple[str, str | None] | None:
	"""Cancel a touch that no enrollment waits for.

	:returns: its lead and the open enrollment of that, or None if there was nothing to put right.
	"""
	lead = frappe.db.get_value("Lead Touch", name, "lead")
	lead_lock.lock(lead)
	touch = frappe.get_doc("Lead Touch", name, for_update=True)
	enrollment = service.open_enrollment(lead, lock=True)
	if touch.status != "Planned" or (enrollment and enrollment.name == touch.enrollment):
		return None
	cancelled = {"status": "Cancelled", "plan_key": None}
	frappe.db.set_value("Lead Touch", name, cancelled, update_modified=False)
	summary.write(lead, lq_next_touch_at=enrollment.next_due_at if enrollment else None)
	return lead, enrollment.name if enrollment else None


def mend(name: str, now: datetime) -> bool:
	"""Let an enrollment wait again for the touch of its present step, at the time that it says.

	:param now: naive instant in the site's zone, for which the touch is planned where nobody knows the time any more.
	:returns: whether there was anything to put right.
	"""
	lead = frappe.db.get_value("Nurture Enrollment", name, "lead")
	if not frappe.db.get_value("Lead", lead, "name", for_update=True):
		return False
	enrollment = frappe.get_doc("Nurture Enrollment", name, for_update=True)
	if enrollment.status not in OPEN_ENROLLMENTS:
		return False
	plan = frappe.get_cached_doc("Nurture Cadence", enrollment.cadence)
	step = next((row for row in plan.steps if row.step == enrollment.current_step), None)
	if not step:
		service.stop(enrollment, _("The cadence no longer has the step {0}.").format(enrollment.current_step))
		return True
	due = enrollment.next_due_at or now
	kept = _keep_one(enrollment, step)
	if kept:
		planned = {"status": "Planned", "due_at": due, "due_on": getdate(due)}
		frappe.db.set_value("Lead Touch", kept, planned, update_modified=False)
	else:
		planning.plan_touch(enrollment, step, _occurrences(enrollment, step) + 1, due, now)
	frappe.db.set_value("Nurture Enrollment", name, "next_due_at", due, update_modified=False)
	summary.write(enrollment.lead, lq_next_touch_at=due)
	return True


def _keep_one(enrollment, step) -> str | None:
	"""The touch of the present step that is planned, or that was cancelled behind the enrollment's back, which shows by
	its place in the plan that it still holds; the other planned ones are cancelled. None if there is no such touch."""
	rows = query.run(
		"""
		select name, step, status from `tabLead Touch`
		where enrollment = %(enrollment)s
			and (status = 'Planned' or status = 'Cancelled' and plan_key is not null)
		order by status = 'Planned' desc, step = %(step)s desc, occurrence desc, creation
		for update
		""",
		{"enrollment": enrollment.name, "step": step.step},
		as_dict=True,
	)
	kept = next((row.name for row in rows if row.step == step.step), None)
	for row in rows:
		if row.status == "Planned" and row.name != kept:
			cancelled = {"status": "Cancelled", "plan_key": None}
			frappe.db.set_value("Lead Touch", row.name, cancelled, update_modified=False)
	return kept


def _occurrences(enrollment, step) -> int:
	"""How often this step has been planned so far."""
	rows = query.run(
		"select max(occurrence) from `tabLead Touch` where enrollment = %s and step = %s",
		(enrollment.name, step.step),
	)
	return rows[0][0] or 0
