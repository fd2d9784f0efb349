"""How many criteria raw leads meet, compared with leads that were handed over."""

from collections import Counter
from functools import cached_property

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.report import (
	Report,
	bars,
	checklist_in_words,
	column,
	count_column,
	figure,
	no_checklist,
	on_top,
	percent,
	percent_column,
	pick_checklist,
)


class AttributesHeld(Report):
	"""One row per number of criteria met, for leads that came in within the period.

	:param filters: `checklist`, `from_date`, `to_date`, `company`, `segment`, `include_unasked` (set, unless it is 0).
	"""

	name = "Attributes Held"
	months = 12

	def set_filters(self):
		self.checklist = pick_checklist(self.filters, self.user)
		self.include_unasked = cint(self.filters.get("include_unasked", 1))

	def columns(self) -> list[dict]:
		return [
			column("criteria_met", _("Criteria Met"), "Int"),
			count_column("raw", _("Raw Leads"), 120),
			percent_column("raw_percent", _("% of Raw Leads")),
			count_column("handed_over", _("Handed Over"), 120),
			percent_column("handed_over_percent", _("% of Handed Over"), 150),
		]

	def rows(self) -> list[dict]:
		"""One row per number of criteria met, from 0 to the number of criteria of the checklist.

		The shares are of all raw leads, and of all leads handed over.
		"""
		if not self.checklist:
			return []
		criteria = len(frappe.get_cached_doc("Qualification Checklist", self.checklist).criteria)
		# the checklist may have lost a criterion since; these leads are still counted
		most = max([criteria, *self.raw, *self.handed_over])
		return [
			{
				"criteria_met": met,
				"raw": self.raw[met],
				"raw_percent": percent(self.raw[met], self.raw.total()),
				"handed_over": self.handed_over[met],
				"handed_over_percent": percent(self.handed_over[met], self.handed_over.total()),
			}
			for met in range(most + 1)
		]

	@cached_property
	def raw(self) -> Counter:
		"""Leads that were never handed over, by the number of criteria that they meet.

		Leads with this checklist; with the filter `include_unasked` also leads that nobody has asked yet, which meet 0. A
		lead has at most one qualification.
		"""
		where = self.where()
		judged = "q.checklist = %(checklist)s"
		where.add(f"{judged} or q.name is null" if self.include_unasked else judged)
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
				checklist=self.checklist,
			)
		)

	@cached_property
	def handed_over(self) -> Counter:
		"""Leads by the number of criteria that they met when first handed over with this checklist."""
		return _by_met(
			self.where().select(
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
				checklist=self.checklist,
			)
		)

	def message(self, rows: list[dict]) -> str:
		if not self.checklist:
			return no_checklist()
		return _(
			"Checklist: {0}. Leads handed over count with what was known when they were first sent."
		).format(checklist_in_words(self.checklist))

	def chart(self, rows: list[dict]) -> dict | None:
		if not rows:
			return None
		return bars(
			[str(row["criteria_met"]) for row in rows],
			{
				_("% of Raw Leads"): [round(row["raw_percent"] or 0, 1) for row in rows],
				_("% of Handed Over"): [round(row["handed_over_percent"] or 0, 1) for row in rows],
			},
			["#8c959f", "#1f6feb"],
		)

	def summary(self, rows: list[dict]) -> list[dict] | None:
		if not rows:
			return None
		return [
			on_top(_("Met on Average: Raw Leads"), _average(self.raw), "Grey"),
			on_top(_("Met on Average: Handed Over"), _average(self.handed_over), "Blue"),
		]


def _by_met(rows) -> Counter:
	return Counter({row.met: row.leads for row in rows})


def _average(counts: Counter) -> str:
	"""Criteria met per lead; a dash if there is no lead."""
	leads = counts.total()
	return figure(sum(number * count for number, count in counts.items()) / leads if leads else None, 1)


execute = AttributesHeld.execute
