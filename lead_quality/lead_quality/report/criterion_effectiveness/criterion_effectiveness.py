"""Which criteria of a checklist tell good leads from bad ones: what sales declined where each was met, and was not."""

from collections import Counter

import frappe
from frappe import _
from frappe.utils import now_datetime

from lead_quality.base.reporting import (
	DECIDED,
	DECLINED,
	column,
	count_column,
	leads_where,
	no_checklist,
	percent,
	percent_column,
	pick_checklist,
)


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	checklist = pick_checklist(filters)
	if not checklist:
		return get_columns(), [], no_checklist()
	rows = get_rows(checklist, filters)
	return get_columns(), rows, message(checklist), chart(rows)


def get_columns() -> list[dict]:
	return [
		column("question", _("Question"), width=230),
		column("topic", _("Topic"), width=110),
		count_column("answered", _("Answered"), 100),
		count_column("met", _("Met"), 80),
		count_column("not_met", _("Not Met"), 90),
		count_column("open", _("Open"), 80),
		percent_column("met_percent", _("Met, of Answered"), 160),
		count_column("handed_met", _("Handed Over With It"), 160),
		count_column("declined_met", _("Declined With It"), 140),
		percent_column("declined_met_percent", _("Declined With It %"), 150),
		count_column("handed_missing", _("Handed Over Without It"), 180),
		count_column("declined_missing", _("Declined Without It"), 150),
		percent_column("declined_missing_percent", _("Declined Without It %"), 170),
		column("difference", _("Difference (Points)"), "Float", 150, precision=1),
	]


def get_rows(checklist: str, filters) -> list[dict]:
	"""One row per criterion of the checklist, in its order.

	- answered: qualifications with an answer; met: those of them where any contact's answer meets the criterion;
	  open: those without an answer.
	- handed over with it, and without it: handovers that sales has accepted, rejected or returned, by whether the
	  criterion was met when the lead was sent. Declined are the rejected and the returned ones, in percent of these.
	- difference: declined in percent without it, minus declined in percent with it, in percentage points. About 0:
	  the criterion tells sales nothing. None if one of the two has no case.
	"""
	total, answered, met = count_answers(checklist, filters)
	decided = count_handovers(checklist, filters)
	rows = []
	for criterion in frappe.get_cached_doc("Qualification Checklist", checklist).criteria:
		key = criterion.criterion
		handed = {True: 0, False: 0}
		declined = {True: 0, False: 0}
		for (keys, is_declined), count in decided.items():
			handed[key in keys] += count
			declined[key in keys] += count * is_declined
		with_it = percent(declined[True], handed[True])
		without_it = percent(declined[False], handed[False])
		rows.append(
			{
				"criterion": key,
				"question": _(criterion.label),
				"topic": _(criterion.topic) if criterion.topic else None,
				"answered": answered[key],
				"met": met[key],
				"not_met": answered[key] - met[key],
				"open": total - answered[key],
				"met_percent": percent(met[key], answered[key]),
				"handed_met": handed[True],
				"declined_met": declined[True],
				"declined_met_percent": with_it,
				"handed_missing": handed[False],
				"declined_missing": declined[False],
				"declined_missing_percent": without_it,
				"difference": None if None in (with_it, without_it) else without_it - with_it,
			}
		)
	return rows


def count_answers(checklist: str, filters) -> tuple[int, Counter, Counter]:
	"""How many qualifications there are, and by criterion how many have it answered, and met.

	A criterion may be answered once for each contact. An answer that has expired counts as open, as it does for the
	verdict.
	"""
	where = leads_where(filters, created=False)
	where.equal("q.checklist", checklist)
	where.within("q.creation", filters.from_date, filters.to_date)
	total = where.select(
		"""
		select count(*) as total
		from `tabLead Qualification` q join `tabLead` on `tabLead`.name = q.lead
		where {where}
		"""
	)[0].total
	rows = where.select(
		"""
		select
			a.criterion,
			count(distinct q.name) as answered,
			count(distinct case when a.met = 1 then q.name end) as met
		from `tabLead Qualification` q
		join `tabLead` on `tabLead`.name = q.lead
		join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
		join `tabQualification Criterion` c on c.parent = q.checklist and c.criterion = a.criterion
		where
			{where}
			and (ifnull(a.value, '') != '' or ifnull(a.confidential_value, '') != '')
			and (
				ifnull(c.expires_after_days, 0) = 0
				or a.answered_on is null
				or a.answered_on >= %(now)s - interval c.expires_after_days day
			)
		group by a.criterion
		order by a.criterion
		""",
		now=now_datetime(),
	)
	return (
		total,
		Counter({row.criterion: row.answered for row in rows}),
		Counter({row.criterion: row.met for row in rows}),
	)


def count_handovers(checklist: str, filters) -> Counter:
	"""Decided handovers, by the keys of the criteria that were met when sent, and by whether sales declined.

	They are of the period of their qualification; without one, of their own.
	"""
	where = leads_where(filters, created=False)
	where.equal("h.checklist", checklist)
	where.add("h.status in %(decided)s", decided=DECIDED)
	where.within("coalesce(q.creation, h.sent_at, h.creation)", filters.from_date, filters.to_date)
	counts: Counter = Counter()
	for row in where.select(
		"""
		select h.met_criteria, h.status, count(*) as handovers
		from `tabLead Handover` h
		join `tabLead` on `tabLead`.name = h.lead
		left join `tabLead Qualification` q on q.name = h.qualification
		where {where}
		group by h.met_criteria, h.status
		order by h.status
		"""
	):
		keys = frozenset(key.strip() for key in (row.met_criteria or "").split(","))
		counts[keys, row.status in DECLINED] += row.handovers
	return counts


def message(checklist: str) -> str:
	return _(
		"Checklist: {0}. A difference of about 0 means that sales declines as many leads that meet the criterion as leads that do not: it tells nothing."
	).format(frappe.bold(frappe.utils.escape_html(checklist)))


def chart(rows: list[dict]) -> dict | None:
	"""Declined in percent, with and without each criterion that has cases of both."""
	rows = [row for row in rows if row["difference"] is not None]
	if not rows:
		return None
	return {
		"data": {
			"labels": [row["topic"] or row["question"] for row in rows],
			"datasets": [
				{
					"name": _("Declined With It %"),
					"values": [round(row["declined_met_percent"], 1) for row in rows],
				},
				{
					"name": _("Declined Without It %"),
					"values": [round(row["declined_missing_percent"], 1) for row in rows],
				},
			],
		},
		"type": "bar",
		"colors": ["#1f6feb", "#d1242f"],
	}
