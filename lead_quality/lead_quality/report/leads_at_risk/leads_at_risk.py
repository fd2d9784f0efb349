"""Leads that nobody attends to: without owner or next step, untouched for too long, or with a clock that has run out."""

from datetime import date, datetime

import frappe
from frappe import _
from frappe.utils import cint, now_datetime

from lead_quality.base.reporting import (
	Where,
	column,
	count_column,
	lead_and_title,
	leads_where,
	percent,
	percent_column,
	report_route,
	user_column,
)
from lead_quality.follow_up import attention
from lead_quality.follow_up.attention import ALL, ALL_FACTS, IS, IS_FOUND, LEADS, RISKS, STEPS

REPORT = "Leads at Risk"

GROUPS = {"Owner": "lead_owner", "Segment": "lq_segment"}

ANY = " or ".join(IS_FOUND.values())


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	now = now_datetime()
	if filters.show != "Summary":
		rows = get_rows(filters, now)
		return get_columns(), rows, message(filters, rows), None, summary(filters, rows)
	if filters.group_by in GROUPS:
		return group_columns(filters), group_rows(filters, now), None
	rows = fault_rows(filters, now)
	return fault_columns(), rows, None, chart(rows)


def where_of(filters) -> Where:
	"""The visible leads of the filters `company`, `segment` or `without_segment`, `lead_owner` or `without_owner`."""
	where = leads_where(filters, created=False)
	where.add("`tabLead`.disabled = 0")
	where.equal("`tabLead`.lead_owner", filters.lead_owner)
	for check, fieldname in (("without_owner", "lead_owner"), ("without_segment", "lq_segment")):
		if cint(filters.get(check)):
			where.add(f"ifnull(`tabLead`.{fieldname}, '') = ''")
	return where


# the leads


def get_columns() -> list[dict]:
	return [
		*lead_and_title(),
		column("faults", _("At Risk By"), width=230),
		user_column("lead_owner", _("Owner")),
		count_column("days_untouched", _("Days Untouched"), 140),
		count_column("stale_in", _("Stale in Days"), 115),
		count_column("shelf_life_in", _("Shelf Life in Days"), 140),
		column("next_step", _("Next Step"), width=110),
		column("next_step_at", _("Next Step At"), "Datetime", 150),
		column("last_touch_at", _("Last Touch"), "Datetime", 150),
		column("segment", _("Segment"), "Link", 130, options="Lead Segment"),
		# no link: v15 refuses a report to who may not read what a column links to
		column("company", _("Company"), width=150),
	]


def get_rows(filters, now: datetime) -> list[dict]:
	"""The leads with the fault of the filters, or with any, that nobody has touched for longest first.

	- faults: see `follow_up.attention`; they are those of this moment, whether or not a job has run.
	- days untouched: since the last touch by a person, else since the lead came in.
	- stale in, shelf life ends in: days from today on; 0 and less once it is so. A lead that rests until a day counts
	  from that day on at the earliest. None where there is no limit, and of leads that are no longer in work.
	- next step: the earliest that has a date, also one that has passed.

	:param filters: `fault` (one of `attention.RISKS`), and those of `where_of`.
	:param now: naive instant in the site's zone.
	"""
	where = where_of(filters)
	if filters.fault in RISKS:
		where.add(IS[filters.fault])
	leads = where.select(
		f"""
		select
			found.*,
			{", ".join(f"{condition} as `{risk}`" for risk, condition in IS_FOUND.items())},
			{", ".join(f"{attention.next_step_at(kind)} as `{kind} At`" for kind in STEPS)}
		from (
			select
				`tabLead`.name as `lead`,
				`tabLead`.title,
				nullif(`tabLead`.lead_owner, '') as lead_owner,
				nullif(`tabLead`.lq_segment, '') as segment,
				nullif(`tabLead`.company, '') as company,
				`tabLead`.lq_last_touch_at as last_touch_at,
				{attention.UNTOUCHED_SINCE} as untouched_since,
				{ALL_FACTS}
			from {LEADS}
			where {{where}}
			{ALL}
		) found
		where {ANY}
		order by found.untouched_since, found.`lead`
		""",
		**attention.values_at(now),
	)
	labels = {risk: _(risk) for risk in RISKS}
	for lead in leads:
		lead.risks = [risk for risk in RISKS if lead.pop(risk)]
		lead.faults = ", ".join(labels[risk] for risk in lead.risks)
		lead.days_untouched = (now.date() - lead.untouched_since.date()).days
		lead.stale_in = _days_until(lead.stale_on, lead, now)
		lead.shelf_life_in = _days_until(lead.shelf_life_ends_on, lead, now)
		steps = {kind: lead.pop(f"{kind} At") for kind in STEPS}
		kind = min(filter(steps.get, steps), key=steps.get, default=None)
		lead.next_step = kind and _(kind)
		lead.next_step_at = kind and steps[kind]
	return leads


def _days_until(day: date | None, lead, now: datetime) -> int | None:
	return (day - now.date()).days if day and lead.in_work else None


def message(filters, rows: list) -> str | None:
	if rows:
		return None
	if filters.fault in RISKS:
		return _("No lead that you may see is at risk by this: {0}.").format(_(filters.fault))
	return _("Every lead that you may see is attended to.")


def summary(filters, rows: list) -> list[dict]:
	"""How many of the leads have each fault; a lead may have several."""
	if not rows or filters.fault in RISKS:
		return []
	counts = {risk: sum(risk in row.risks for row in rows) for risk in RISKS}
	return [
		{"label": _(risk), "value": count, "datatype": "Int", "indicator": "Red" if count else "Green"}
		for risk, count in counts.items()
	]


# counts


def _counts(filters, now: datetime, group: str = "null") -> list:
	"""Leads in work, leads at risk, and leads by each fault, of every group (a column of the lead)."""
	sums = ", ".join(f"sum({condition}) as `{risk}`" for risk, condition in IS_FOUND.items())
	return where_of(filters).select(
		f"""
		select found.grouped, sum(found.in_work) as in_work, sum({ANY}) as at_risk, {sums}
		from (select {group} as grouped, {ALL_FACTS} from {LEADS} where {{where}} {ALL}) found
		group by found.grouped
		order by at_risk desc, found.grouped
		""",
		**attention.values_at(now),
	)


def fault_columns() -> list[dict]:
	return [
		column("label", _("At Risk By"), width=240),
		count_column("leads", _("Leads")),
		percent_column("share", _("Of Leads in Work"), 160),
	]


def fault_rows(filters, now: datetime) -> list[dict]:
	"""How many leads have each fault, and how many have any; in percent of the leads in work.

	A clock may also run out on a lead that is no longer in work (an opportunity): of these there is no share. `links`
	leads to the leads of each count.
	"""
	counts = next(iter(_counts(filters, now)), frappe._dict())
	own = {key: filters[key] for key in ("company", "segment", "lead_owner") if filters.get(key)}
	rows = [
		{
			"fault": fault,
			"label": label,
			"leads": cint(counts.get(fault or "at_risk")),
			"share": percent(cint(counts.get(fault)), cint(counts.in_work))
			if fault in attention.FAULTS
			else None,
			"links": {"leads": report_route(REPORT, show="Leads", fault=fault, **own)},
		}
		for fault, label in [*((risk, _(risk)) for risk in RISKS), ("", _("Any of These"))]
	]
	return rows if counts.in_work or counts.at_risk else []


def chart(rows: list[dict]) -> dict | None:
	bars = [row for row in rows if row["fault"]]
	if not any(row["leads"] for row in bars):
		return None
	return {
		"data": {
			"labels": [row["label"] for row in bars],
			"datasets": [{"name": _("Leads"), "values": [row["leads"] for row in bars]}],
		},
		"type": "bar",
		"colors": ["#d1242f"],
	}


def group_columns(filters) -> list[dict]:
	label = _(filters.group_by)
	options = {"Owner": "User", "Segment": "Lead Segment"}[filters.group_by]
	return [
		column("group", label, "Link", 220, options=options),
		count_column("in_work", _("Leads in Work"), 120),
		count_column("at_risk", _("At Risk"), 100),
		*(count_column(frappe.scrub(risk), _(risk), 130) for risk in RISKS),
	]


def group_rows(filters, now: datetime) -> list[dict]:
	"""The same counts by owner or segment, whoever has most leads at risk first; each leads to its leads."""
	field = GROUPS[filters.group_by]
	filter_name, without = {
		"Owner": ("lead_owner", "without_owner"),
		"Segment": ("segment", "without_segment"),
	}[filters.group_by]
	rows = []
	for counts in _counts(filters, now, f"nullif(`tabLead`.{field}, '')"):
		own = {key: filters[key] for key in ("company", "segment", "lead_owner") if filters.get(key)}
		own.update({filter_name: counts.grouped} if counts.grouped else {without: 1})
		rows.append(
			{
				"group": counts.grouped,
				"in_work": cint(counts.in_work),
				"at_risk": cint(counts.at_risk),
				**{frappe.scrub(risk): cint(counts[risk]) for risk in RISKS},
				"links": {
					"at_risk": report_route(REPORT, show="Leads", **own),
					**{
						frappe.scrub(risk): report_route(REPORT, show="Leads", fault=risk, **own)
						for risk in RISKS
					},
				},
			}
		)
	return rows
