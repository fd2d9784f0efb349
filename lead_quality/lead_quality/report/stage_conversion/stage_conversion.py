"""Cohort conversion of leads: of those that came in within a period, how many reached each stage, and how fast."""

from itertools import pairwise

import frappe
from frappe import _
from frappe.utils import add_days, getdate

from lead_quality.engine.conversion import STAGES, cohort_steps, first_entries
from lead_quality.permissions import lead_condition

# below this a share says little; shown, but marked
SMALL_SAMPLE = 10


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	log = stage_log(filters)
	if filters.show == "Leads":
		return lead_columns(), lead_rows(log)
	steps = cohort_steps([(row.lead, row.stage, row.entered_at) for row in log])
	return step_columns(), step_rows(steps), message(steps), chart(steps), summary(steps)


def stage_log(filters) -> list:
	"""The log rows of every visible lead that came in between two dates (both included, the site's zone)."""
	conditions = ["entry.stage = 'target'"]
	values = {}
	if filters.from_date:
		conditions.append("entry.entered_at >= %(from_date)s")
		values["from_date"] = getdate(filters.from_date)
	if filters.to_date:
		conditions.append("entry.entered_at < %(day_after)s")
		values["day_after"] = add_days(getdate(filters.to_date), 1)
	for fieldname, column in (("source", "source"), ("segment", "segment"), ("owner", "owner_user")):
		if filters.get(fieldname):
			conditions.append(f"entry.{column} = %({fieldname})s")
			values[fieldname] = filters.get(fieldname)
	visible = lead_condition()
	if visible:
		conditions.append(f"entry.lead in (select `tabLead`.name from `tabLead` where {visible})")
	return frappe.db.sql(
		f"""
		select log.lead, log.stage, log.entered_at, l.title
		from `tabLead Stage Log` log left join `tabLead` l on l.name = log.lead
		where log.lead in (
			select entry.lead from `tabLead Stage Log` entry where {" and ".join(conditions)}
		)
		order by log.entered_at, log.creation
		""",
		values,
		as_dict=True,
	)


def step_columns() -> list[dict]:
	return [
		{"fieldname": "stage", "label": _("Stage"), "fieldtype": "Data", "width": 140},
		{"fieldname": "reached", "label": _("Leads Reached"), "fieldtype": "Int", "width": 130},
		{
			"fieldname": "from_previous",
			"label": _("Of Stage Before"),
			"fieldtype": "Percent",
			"precision": 1,
			"width": 140,
		},
		{
			"fieldname": "from_first",
			"label": _("Of All Leads"),
			"fieldtype": "Percent",
			"precision": 1,
			"width": 130,
		},
		{"fieldname": "lost", "label": _("Lost Here"), "fieldtype": "Int", "width": 110},
		{"fieldname": "skipped", "label": _("Went Past"), "fieldtype": "Int", "width": 110},
		{
			"fieldname": "median_days",
			"label": _("Median Days Since Entry"),
			"fieldtype": "Float",
			"precision": 1,
			"width": 180,
		},
	]


def step_rows(steps) -> list[dict]:
	leak = biggest_leak(steps)
	rows = []
	for step, following in zip(steps, [*steps[1:], None], strict=True):
		rows.append(
			{
				"stage": _(step.stage).capitalize(),
				"reached": step.reached,
				"from_previous": _percent(step.from_previous),
				"from_first": _percent(step.from_first),
				"lost": step.reached - following.reached if following else None,
				"skipped": step.skipped,
				"median_days": step.median_days,
				"is_leak": step.stage == leak,
			}
		)
	return rows


def biggest_leak(steps) -> str | None:
	"""The stage that the smallest share of the stage before gets to, if the sample is worth a judgement."""
	judged = [
		(step.from_previous, step.stage)
		for before, step in pairwise(steps)
		if step.from_previous is not None and before.reached >= SMALL_SAMPLE
	]
	return min(judged)[1] if judged else None


def message(steps) -> str:
	leak = biggest_leak(steps)
	if not steps[0].reached:
		return _("No lead came in within this period.")
	words = [
		_(
			"Each row counts the leads of this period that ever reached the stage or a later one, whenever that was."
		)
	]
	if leak:
		words.append(_("The biggest leak is on the way to {0}.").format(frappe.bold(_(leak).capitalize())))
	return " ".join(words)


def chart(steps) -> dict:
	return {
		"data": {
			"labels": [_(step.stage).capitalize() for step in steps],
			"datasets": [{"name": _("Leads"), "values": [step.reached for step in steps]}],
		},
		"type": "bar",
		"colors": ["#1f6feb"],
	}


def summary(steps) -> list[dict]:
	if not steps[0].reached:
		return []
	leak = biggest_leak(steps)
	return [
		{
			"label": _("{0} to {1}").format(_(before.stage).capitalize(), _(step.stage).capitalize()),
			"value": "–" if step.from_previous is None else f"{_percent(step.from_previous):.0f} %",
			"datatype": "Data",
			"indicator": "Red" if step.stage == leak else "Blue",
		}
		for before, step in pairwise(steps)
	] + [
		{
			"label": _("{0} to {1}").format(_(steps[0].stage).capitalize(), _(steps[-1].stage).capitalize()),
			"value": f"{_percent(steps[-1].from_first):.0f} %",
			"datatype": "Data",
			"indicator": "Grey",
		}
	]


def lead_columns() -> list[dict]:
	return [
		{"fieldname": "lead", "label": _("Lead"), "fieldtype": "Link", "options": "Lead", "width": 170},
		{"fieldname": "title", "label": _("Title"), "fieldtype": "Data", "width": 200},
		*(
			{"fieldname": stage, "label": _(stage).capitalize(), "fieldtype": "Datetime", "width": 165}
			for stage in STAGES
		),
	]


def lead_rows(log) -> list[dict]:
	entries = first_entries((row.lead, row.stage, row.entered_at) for row in log)
	titles = {row.lead: row.title for row in log}
	rows = [{"lead": lead, "title": titles.get(lead), **stages} for lead, stages in entries.items()]
	return sorted(rows, key=lambda row: str(row.get("target")), reverse=True)


def _percent(share: float | None) -> float | None:
	return None if share is None else share * 100
