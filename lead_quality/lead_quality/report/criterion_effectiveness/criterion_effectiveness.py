"""Which criteria of a checklist tell good leads from bad ones: what sales declined where each was met, and was not."""

from collections import Counter
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.report import (
	DECIDED,
	DECLINED,
	Report,
	bars,
	checklist_in_words,
	column,
	count_column,
	no_checklist,
	percent,
	percent_column,
	pick_checklist,
)


class CriterionEffectiveness(Report):
	"""One row per criterion of a checklist.

	:param filters: `checklist`, `from_date`, `to_date` (of the qualification), `company`, `segment`.
	"""

	name = "Criterion Effectiveness"
	months = 12

	def set_filters(self):
		self.checklist = pick_checklist(self.filters, self.user)

	def columns(self) -> list[dict]:
		return [
			column("question", _("Question"), width=230),
			column("topic", _("Topic"), width=110),
			count_column("answered", _("Answered"), 100),
			count_column("met", _("Met"), 80),
			count_column("not_met", _("Not Met"), 90),
			count_column("open", _("Open"), 80),
			percent_column("met_percent", _("Met %"), 160),
			count_column("handed_met", _("Handed Over With It"), 160),
			count_column("declined_met", _("Declined With It"), 140),
			percent_column("declined_met_percent", _("Declined With It %"), 150),
			count_column("handed_missing", _("Handed Over Without It"), 180),
			count_column("declined_missing", _("Declined Without It"), 150),
			percent_column("declined_missing_percent", _("Declined Without It %"), 170),
			column("difference", _("Difference (Points)"), "Float", 150, precision=1),
		]

	def rows(self) -> list[dict]:
		"""One row per criterion of the checklist, in its order.

		- answered: qualifications with an answer; met: those of them where any contact's answer meets the criterion;
		  open: those without an answer.
		- handed over with it, and without it: handovers that sales has accepted, rejected or returned, by whether the
		  criterion was met when the lead was sent. Declined are the rejected and the returned ones, in percent of these.
		- difference: declined in percent without it, minus declined in percent with it, in percentage points. About 0:
		  the criterion tells sales nothing. None if one of the two has no case.
		"""
		if not self.checklist:
			return []
		total, answered, met = self.count_answers()
		decided = self.count_handovers()
		rows = []
		for criterion in frappe.get_cached_doc("Qualification Checklist", self.checklist).criteria:
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
					"difference": None if with_it is None or without_it is None else without_it - with_it,
				}
			)
		return rows

	def count_answers(self) -> tuple[int, Counter, Counter]:
		"""How many qualifications there are, and by criterion how many have it answered, and met.

		A criterion may be answered once for each contact. An answer that has expired counts as open, as it does for the
		verdict.
		"""
		where = self.where(created=False)
		where.equal("q.checklist", self.checklist)
		where.within("q.creation", self.filters.from_date, self.filters.to_date)
		total = where.select(
			"""
			select count(*) as total
			from `tabLead Qualification` q join `tabLead` on `tabLead`.name = q.lead
			where {where}
			"""
		)[0].total
		criteria = frappe.get_cached_doc("Qualification Checklist", self.checklist).criteria
		if not criteria:
			return total, Counter(), Counter()
		places = range(len(criteria))
		# one row a qualification, in the order in which they are stored: what counts each of them once sorts nothing
		facts = ", ".join(
			f"max({_is_answered(place)}) as answered_{place}, max({_is_answered(place)} and a.met = 1) as met_{place}"
			for place in places
		)
		sums = ", ".join(
			f"sum(q.answered_{place}) as answered_{place}, sum(q.met_{place}) as met_{place}"
			for place in places
		)
		(row,) = where.select(
			f"""
			select {sums}
			from (
				select straight_join {facts}
				from `tabLead Qualification` q
				join `tabLead` on `tabLead`.name = q.lead
				join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
				where {{where}} and (ifnull(a.value, '') != '' or ifnull(a.confidential_value, '') != '')
				group by q.name
			) q
			""",
			**{f"criterion_{place}": criterion.criterion for place, criterion in enumerate(criteria)},
			**{f"since_{place}": self.oldest(criterion) for place, criterion in enumerate(criteria)},
		)
		answered, met = (
			Counter({criteria[place].criterion: cint(row[f"{what}_{place}"]) for place in places})
			for what in ("answered", "met")
		)
		return total, answered, met

	def oldest(self, criterion) -> datetime:
		"""When an answer has to be given, at the earliest, to count today."""
		days = cint(criterion.expires_after_days)
		return self.now - timedelta(days=days) if days else datetime(1000, 1, 1)

	def count_handovers(self) -> Counter:
		"""Decided handovers, by the keys of the criteria that were met when sent, and by whether sales declined.

		They are of the period of their qualification; without one, of their own.
		"""
		where = self.where(created=False)
		where.equal("h.checklist", self.checklist)
		where.among("h.status", DECIDED)
		where.within(
			"coalesce(q.creation, h.sent_at, h.creation)", self.filters.from_date, self.filters.to_date
		)
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

	def message(self, rows: list[dict]) -> str:
		if not self.checklist:
			return no_checklist()
		return _(
			"Checklist: {0}. A difference of about 0 means that sales declines leads that meet the criterion as often as leads that do not: the criterion tells nothing."
		).format(checklist_in_words(self.checklist))

	def chart(self, rows: list[dict]) -> dict | None:
		"""Declined in percent, with and without each criterion that has cases of both."""
		rows = [row for row in rows if row["difference"] is not None]
		if not rows:
			return None
		return bars(
			[row["topic"] or row["question"] for row in rows],
			{
				_("Declined With It %"): [round(row["declined_met_percent"], 1) for row in rows],
				_("Declined Without It %"): [round(row["declined_missing_percent"], 1) for row in rows],
			},
			["#1f6feb", "#d1242f"],
		)


def _is_answered(place: int) -> str:
	return f"a.criterion = %(criterion_{place})s and ifnull(a.answered_on >= %(since_{place})s, 1)"


execute = CriterionEffectiveness.execute
