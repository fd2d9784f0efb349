"""How many criteria raw leads meet, against the leads that were handed over: what qualification adds."""

from collections import Counter

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.reporting import (
	column,
	count_column,
	figure,
	leads_where,
	no_checklist,
	percent,
	percent_column,
	pick_checklist,
)


def execute(filters: dict | None = None):
	# a report that is run without filters counts as the form's defaults do
	filters = frappe._dict({"include_unasked": 1, **(filters or {})})
	checklist = pick_checklist(filters)
	if not checklist:
		return get_columns(), [], no_checklist()
	raw, handed_over = count_raw(checklist, filters), count_handed_over(checklist, filters)
	rows = get_rows(checklist, raw, handed_over)
	return get_columns(), rows, message(checklist), chart(rows), summary(raw, handed_over)


def get_columns() -> list[dict]:
	return [
		column("criteria_met", _("Criteria Met"), "Int"),
		count_column("raw", _("Raw Leads"), 120),
		percent_column("raw_percent", _("Of Raw Leads")),
		count_column("handed_over", _("Handed Over"), 120),
		percent_column("handed_over_percent", _("Of Handed Over"), 150),
	]


def get_rows(checklist: str, raw: Counter, handed_over: Counter) -> list[dict]:
	"""One row per number of criteria met, from 0 to the number of criteria of the checklist.

	The shares are of all raw leads, and of all leads handed over.
	"""
	criteria = len(frappe.get_cached_doc("Qualification Checklist", checklist).criteria)
	# a checklist in work may have lost a criterion since; no lead is left out for that
	most = max([criteria, *raw, *handed_over])
	return [
		{
			"criteria_met": met,
			"raw": raw[met],
			"raw_percent": percent(raw[met], raw.total()),
			"handed_over": handed_over[met],
			"handed_over_percent": percent(handed_over[met], handed_over.total()),
		}
		for met in range(most + 1)
	]


def count_raw(checklist: str, filters) -> Counter:
	"""Leads that were never handed over, by the number of criteria that they meet.

	They are judged by this checklist; or, with the filter `include_unasked`, nobody has asked them anything yet: they
	meet 0. A lead has one qualification at most.
	"""
	where = leads_where(filters)
	judged = "q.checklist = %(checklist)s"
	where.add(f"{judged} or q.name is null" if cint(filters.include_unasked) else judged)
	return _by_met(
		where.select(
			"""
			select ifnull(q.met_count, 0) as met, count(*) as leads
			from `tabLead`
			left join `tabLead Qualification` q on q.lead = `tabLead`.name
			where
				{where}
				and not exists (
					select 1 from `tabLead Handover` h where h.lead = `tabLead`.name and h.status != 'Draft'
				)
			group by ifnull(q.met_count, 0)
			order by met
			""",
			checklist=checklist,
		)
	)


def count_handed_over(checklist: str, filters) -> Counter:
	"""Leads by the number of criteria that they met when they were first handed over under this checklist."""
	return _by_met(
		leads_where(filters).select(
			"""
			select ifnull(handover.met_count, 0) as met, count(*) as leads
			from (
				select
					h.lead,
					h.met_count,
					row_number() over (partition by h.lead order by h.sent_at, h.creation, h.name) as nth
				from `tabLead Handover` h
				where h.checklist = %(checklist)s and h.status != 'Draft'
			) handover
			join `tabLead` on `tabLead`.name = handover.lead
			where {where} and handover.nth = 1
			group by ifnull(handover.met_count, 0)
			order by met
			""",
			checklist=checklist,
		)
	)


def _by_met(rows) -> Counter:
	return Counter({row.met: row.leads for row in rows})


def message(checklist: str) -> str:
	return _("Checklist: {0}. Leads handed over count with what was known when they were first sent.").format(
		frappe.bold(frappe.utils.escape_html(checklist))
	)


def chart(rows: list[dict]) -> dict:
	return {
		"data": {
			"labels": [str(row["criteria_met"]) for row in rows],
			"datasets": [
				{"name": _("Of Raw Leads"), "values": [round(row["raw_percent"] or 0, 1) for row in rows]},
				{
					"name": _("Of Handed Over"),
					"values": [round(row["handed_over_percent"] or 0, 1) for row in rows],
				},
			],
		},
		"type": "bar",
		"colors": ["#8c959f", "#1f6feb"],
	}


def summary(raw: Counter, handed_over: Counter) -> list[dict]:
	return [
		_average(_("Met on Average: Raw Leads"), raw, "Grey"),
		_average(_("Met on Average: Handed Over"), handed_over, "Blue"),
	]


def _average(label: str, counts: Counter, indicator: str) -> dict:
	"""Criteria met per lead; a dash if there is no lead."""
	leads = counts.total()
	met = sum(number * count for number, count in counts.items())
	return {
		"label": label,
		"value": figure(met / leads if leads else None, 1),
		"datatype": "Data",
		"indicator": indicator,
	}
