"""Cohort conversion of leads: of those that came in within a period, how many reached each stage, and how fast."""

from itertools import pairwise

import frappe
from frappe import _

from lead_quality.base.reporting import (
	SMALL_SAMPLE,
	Where,
	column,
	count_column,
	lead_and_title,
	percent_column,
)
from lead_quality.engine.conversion import STAGES, cohort_steps, first_entries
from lead_quality.funnel.conditions import STANDS


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	log = stage_log(filters)
	if filters.show == "Leads":
		return lead_columns(), lead_rows(log)
	steps = cohort_steps([(row.lead, row.stage, row.entered_at) for row in log])
	figures = summary(steps)
	if figures:
		figures += quotation_summary(follow_through(filters))
	return step_columns(), step_rows(steps), message(steps), chart(steps), figures


def entries_where(filters) -> Where:
	"""The entries of every visible lead that came in between two dates (both included, the site's zone).

	Who was found not to be a buyer is left out, unless the filter `include_non_buyers` is set.
	"""
	where = Where()
	where.add("entry.stage = 'target'")
	where.within("entry.entered_at", filters.from_date, filters.to_date)
	where.equal("entry.source", filters.source)
	where.equal("entry.segment", filters.segment)
	where.equal("entry.owner_user", filters.owner)
	where.visible("Lead", "entry.lead in (select `tabLead`.name from `tabLead` where {})")
	if not filters.include_non_buyers:
		# the log may name a lead that is gone, which is not known to be no buyer
		where.add(
			"not exists (select 1 from `tabLead` other where other.name = entry.lead and other.lq_non_buyer = 1)"
		)
	return where


def stage_log(filters) -> list:
	"""The log rows of the leads that `entries_where` finds."""
	return entries_where(filters).select(
		f"""
		select log.lead, log.stage, log.entered_at, l.title
		from `tabLead Stage Log` log left join `tabLead` l on l.name = log.lead
		where log.lead in (select entry.lead from `tabLead Stage Log` entry where {{where}}) and {STANDS}
		order by log.entered_at, log.creation
		"""
	)


def follow_through(filters) -> dict[str, int]:
	"""What became of the opportunities of these leads, one a lead: `opportunities`; `quoted`, those with a submitted
	Quotation, to the lead or of an Opportunity of the lead; `called`, those of these whose lead a person has called after
	the first Quotation was made.
	"""
	rows = entries_where(filters).select(
		"""
		select
			count(*) as opportunities,
			sum(quoted.at is not null) as quoted,
			sum(exists(
				select 1 from `tabLead Touch` touch
				where
					touch.lead = log.lead and touch.channel = 'Phone' and touch.direction = 'Outbound'
					and touch.status = 'Done' and touch.is_automatic = 0 and touch.done_at >= quoted.at
			)) as called
		from (
			select distinct l.lead from `tabLead Stage Log` l
			where
				l.stage = 'opportunity'
				and l.lead in (select entry.lead from `tabLead Stage Log` entry where {where})
		) log
		left join (
			select made.lead, min(made.at) as at
			from (
				select q.party_name as lead, q.creation as at from `tabQuotation` q
				where q.docstatus = 1 and q.quotation_to = 'Lead'
				union all
				select o.party_name, q.creation from `tabQuotation` q join `tabOpportunity` o on o.name = q.opportunity
				where q.docstatus = 1 and o.opportunity_from = 'Lead'
			) made
			group by made.lead
		) quoted on quoted.lead = log.lead
		"""
	)
	return {name: int(count or 0) for name, count in rows[0].items()}


def quotation_summary(counts: dict[str, int]) -> list[dict]:
	"""Shares of opportunities with a quotation, and of those with a call after it, as figures above the report."""
	shares = (
		(_("Opportunities with a Quotation"), counts["quoted"], counts["opportunities"]),
		(_("Quotations Followed by a Call"), counts["called"], counts["quoted"]),
	)
	return [
		{
			"label": label,
			"value": "–" if not whole else f"{100 * part / whole:.0f} %",
			"datatype": "Data",
			"indicator": "Grey",
		}
		for label, part, whole in shares
	]


def step_columns() -> list[dict]:
	return [
		column("stage", _("Stage"), width=140),
		count_column("reached", _("Leads Reached"), width=130),
		percent_column("from_previous", _("Of Stage Before"), width=140),
		percent_column("from_first", _("Of All Leads")),
		count_column("lost", _("Lost Here")),
		count_column("skipped", _("Went Past")),
		column("median_days", _("Median Days Since Entry"), "Float", 210, precision=1),
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
		*lead_and_title(),
		*(column(stage, _(stage).capitalize(), "Datetime", 165) for stage in STAGES),
	]


def lead_rows(log) -> list[dict]:
	entries = first_entries((row.lead, row.stage, row.entered_at) for row in log)
	titles = {row.lead: row.title for row in log}
	rows = [{"lead": lead, "title": titles.get(lead), **stages} for lead, stages in entries.items()]
	return sorted(rows, key=lambda row: str(row.get("target")), reverse=True)


def _percent(share: float | None) -> float | None:
	return None if share is None else share * 100
