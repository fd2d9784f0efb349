"""Cohort conversion of leads: of those that came in within a period, how many reached each stage, and how fast."""

from functools import cached_property
from itertools import pairwise

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.queries import Select, Where
from lead_quality.base.report import (
	SMALL_SAMPLE,
	Report,
	bars,
	column,
	count_column,
	lead_and_title,
	on_top,
	percent,
	percent_column,
)
from lead_quality.base.routes import days_filter, list_route
from lead_quality.engine.conversion import STAGES, cohort_steps
from lead_quality.funnel.conditions import STANDS
from lead_quality.funnel.remnants import lead_tables

# filters that say something of the lead: what has no lead is not in what they narrow
OF_LEADS = ("source", "without_source", "segment", "owner")


class StageConversion(Report):
	"""One row per stage of the leads that came in within the period, as far as the reader may see them.

	:param filters: `from_date`, `to_date` (of the lead's entry), `source` or `without_source`, `segment`, `owner` (all
	    as they were when it came in), `include_non_buyers`, `show`.
	"""

	name = "Stage Conversion"
	months = 6
	list_name = "Leads"

	def entries(self) -> Where:
		"""The entries of the leads that count. Who was found not to be a buyer is left out, unless asked for."""
		where = Where(self.user)
		where.add("entry.stage = 'target'")
		where.within("entry.entered_at", self.filters.from_date, self.filters.to_date)
		where.equal("entry.source", self.filters.source)
		where.equal("entry.segment", self.filters.segment)
		where.equal("entry.owner_user", self.filters.owner)
		if cint(self.filters.without_source):
			where.blank("entry.source")
		if not cint(self.filters.include_non_buyers):
			for table in ("Lead", "Lead Remnant"):
				where.add(
					f"not exists (select 1 from `tab{table}` other where other.name = entry.lead and other.lq_non_buyer = 1)"
				)
		return where

	def where(self, created: bool = True) -> Where:
		where = self.entries()
		seen = [
			f"entry.lead in (select `tabLead`.name from {leads} where {{0}})"
			for leads in lead_tables(self.user)
		]
		where.visible("Lead", " or ".join(seen))
		return where

	def held_back(self) -> Select:
		query = """
			select distinct entry.lead from `tabLead Stage Log` entry join `tabLead` on `tabLead`.name = entry.lead
			where {where}
		"""
		return Select(query, self.entries())

	@cached_property
	def steps(self) -> list:
		"""The engine's steps, of the first time that each lead entered each stage."""
		log = self.where().select(
			f"""
			select log.lead, log.stage, min(log.entered_at) as entered_at
			from `tabLead Stage Log` log
			where log.lead in (select entry.lead from `tabLead Stage Log` entry where {{where}}) and {STANDS}
			group by log.lead, log.stage
			"""
		)
		return cohort_steps((row.lead, row.stage, row.entered_at) for row in log)

	@cached_property
	def leak(self) -> str | None:
		"""The stage that the smallest share of the stage before gets to, if the sample is worth a judgement."""
		judged = [
			(step.from_previous, step.stage)
			for before, step in pairwise(self.steps)
			if step.from_previous is not None and before.reached >= SMALL_SAMPLE
		]
		return min(judged)[1] if judged else None

	def columns(self) -> list[dict]:
		return [
			column("stage", _("Stage"), width=140),
			count_column("reached", _("Leads Reached"), width=130),
			percent_column("from_previous", _("Of Stage Before"), width=140),
			percent_column("from_first", _("Of All Leads")),
			count_column("lost", _("Lost Here")),
			count_column("skipped", _("Skipped")),
			column("median_days", _("Median Days Since Entry"), "Float", 210, precision=1),
		]

	def rows(self) -> list[dict]:
		"""One row per stage; below them the opportunities of the period that no lead stands behind, if there are
		any."""
		rows = []
		for step, following in zip(self.steps, [*self.steps[1:], None], strict=True):
			rows.append(
				{
					"stage": _(step.stage).capitalize(),
					"reached": step.reached,
					"from_previous": _percent(step.from_previous),
					"from_first": _percent(step.from_first),
					"lost": step.reached - following.reached if following else None,
					"skipped": step.skipped,
					"median_days": step.median_days,
					"is_leak": step.stage == self.leak,
				}
			)
		return rows + self.without_lead()

	def without_lead(self) -> list[dict]:
		"""The row of the opportunities that came of no lead: made of a Customer or a Prospect, and credited to none.

		They are of the period in which they were made. Filters that narrow the leads leave them out.
		"""
		if any(self.filters.get(name) for name in OF_LEADS):
			return []
		where = Where(self.user)
		where.visible("Opportunity")
		where.blank("`tabOpportunity`.lq_lead")
		where.add("`tabOpportunity`.opportunity_from != 'Lead'")
		where.within("`tabOpportunity`.creation", self.filters.from_date, self.filters.to_date)
		number = Select("select `tabOpportunity`.name from `tabOpportunity` where {where}", where).count()
		if not number:
			return []
		link = list_route(
			"Opportunity",
			lq_lead=["is", "not set"],
			opportunity_from=["!=", "Lead"],
			creation=days_filter(self.filters.from_date, self.filters.to_date),
		)
		nothing = dict.fromkeys(("from_previous", "from_first", "lost", "skipped", "median_days"))
		label = _("No Lead")
		return [{"stage": label, "reached": number, **nothing, "is_leak": False, "links": {"reached": link}}]

	def message(self, rows: list[dict]) -> str:
		words = [self._cohort_in_words()]
		if len(rows) > len(self.steps):
			words.append(
				_(
					"No Lead counts the opportunities of this period that did not come from a lead: they are not part of any share."
				)
			)
		return " ".join(words)

	def _cohort_in_words(self) -> str:
		if not self.steps[0].reached:
			return _("No lead came in within this period.")
		words = _(
			"Each row counts the leads of this period that ever reached the stage or a later one, whenever that was."
		)
		if not self.leak:
			return words
		leak = _("The biggest leak is on the way to {0}.").format(frappe.bold(_(self.leak).capitalize()))
		return f"{words} {leak}"

	def chart(self, rows: list[dict]) -> dict:
		return bars(
			[_(step.stage).capitalize() for step in self.steps],
			{_("Leads"): [step.reached for step in self.steps]},
			["#1f6feb"],
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		steps = self.steps
		if not steps[0].reached:
			return []
		first_to_last = _way(steps[0], steps[-1], steps[-1].from_first, "Grey")
		ways = [
			_way(before, step, step.from_previous, "Red" if step.stage == self.leak else "Blue")
			for before, step in pairwise(steps)
		]
		counts = self.follow_through()
		quoted = percent(counts["quoted"], counts["opportunities"])
		called = percent(counts["called"], counts["quoted"])
		return [
			*ways,
			first_to_last,
			on_top(_("Opportunities with a Quotation"), _whole(quoted), "Grey"),
			on_top(_("Quotations Followed by a Call"), _whole(called), "Grey"),
		]

	def follow_through(self) -> dict[str, int]:
		"""What became of the opportunities of these leads, one a lead: `opportunities`; `quoted`, those with a
		submitted Quotation, to the lead or of an Opportunity that is the lead's or credited to it; `called`, those of
		these whose lead a person has called after the first Quotation was made."""
		rows = self.where().select(
			f"""
			select
				count(*) as opportunities,
				sum(quoted.at is not null) as quoted,
				sum(exists(
					select 1 from `tabLead Touch` touch
					where
						touch.lead = reached.lead and touch.channel = 'Phone' and touch.direction = 'Outbound'
						and touch.status = 'Done' and touch.is_automatic = 0 and touch.done_at >= quoted.at
				)) as called
			from (
				select distinct log.lead from `tabLead Stage Log` log
				where
					log.stage = 'opportunity' and {STANDS}
					and log.lead in (select entry.lead from `tabLead Stage Log` entry where {{where}})
			) reached
			left join (
				select made.lead, min(made.at) as at
				from (
					select q.party_name as `lead`, q.creation as at from `tabQuotation` q
					where q.docstatus = 1 and q.quotation_to = 'Lead'
					union all
					select coalesce(nullif(o.lq_lead, ''), if(o.opportunity_from = 'Lead', o.party_name, null)), q.creation
					from `tabQuotation` q join `tabOpportunity` o on o.name = q.opportunity
					where q.docstatus = 1
				) made
				group by made.lead
			) quoted on quoted.lead = reached.lead
			"""
		)
		return {name: int(count or 0) for name, count in rows[0].items()}

	# the leads

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			*(column(stage, _(stage).capitalize(), "Datetime", 165) for stage in STAGES),
		]

	def listing(self) -> Select:
		"""Each lead with the first time that it entered each stage, the newest first."""
		stages = ", ".join(
			f"min(case when log.stage = '{stage}' then log.entered_at end) as `{stage}`" for stage in STAGES
		)
		return Select(
			f"""
			select log.`lead`, max(l.title) as title, {stages}
			from `tabLead Stage Log` log left join `tabLead` l on l.name = log.lead
			where log.lead in (select entry.lead from `tabLead Stage Log` entry where {{where}}) and {STANDS}
			group by log.`lead`
			order by `target` desc, log.`lead` desc
			""",
			self.where(),
		)


def _percent(share: float | None) -> float | None:
	return None if share is None else share * 100


def _whole(value: float | None) -> str:
	return "–" if value is None else f"{value:.0f} %"


def _way(before, step, share: float | None, indicator: str) -> dict:
	label = _("{0} to {1}").format(_(before.stage).capitalize(), _(step.stage).capitalize())
	return on_top(label, _whole(_percent(share)), indicator)


execute = StageConversion.execute
