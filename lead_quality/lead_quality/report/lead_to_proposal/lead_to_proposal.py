"""How many leads get a quotation, how long they wait for it, and who of them is called after it."""

from functools import cached_property

from frappe import _
from frappe.utils import cint

from lead_quality.base.queries import Select
from lead_quality.base.report import (
	bars,
	column,
	count_column,
	figure,
	lead_and_title,
	on_top,
	percent,
	percent_column,
	share_in_words,
)
from lead_quality.funnel.pursuit import CALLED_AT
from lead_quality.lead_quality.report.journeys import JourneyReport, days, percentiles


class LeadToProposal(JourneyReport):
	"""One row per group of the leads that came in within the period.

	:param filters: those of a `JourneyReport`.
	"""

	name = "Lead to Proposal"
	can_look_back = True
	told_by = ("target", "opportunity", "quoted", "sale")
	groups = {name: name for name in ("Month", "Source", "Segment", "Campaign", "Owner")}
	# conditions on the rows of `facts`
	counts = {
		"leads": "1 = 1",
		"opportunities": "fact.opportunity_at is not null",
		"quoted_opportunities": "fact.opportunity_at is not null and fact.quoted_at is not null",
		"without": "fact.opportunity_at is not null and fact.quoted_at is null",
		"quoted": "fact.quoted_at is not null",
		"called": "fact.called_at is not null",
		# who has called a lead that was deleted since is not known
		"not_called": "fact.quoted_at is not null and fact.called_at is null and fact.is_there",
	}

	@cached_property
	def facts(self) -> str:
		"""One row a lead."""
		called_at, is_there = (
			("j.called_at", "not j.is_deleted") if self.as_of else (CALLED_AT, "l.name is not null")
		)
		return f"""
			select j.name as `lead`, l.title, {self.group_column} as grouped, j.source, j.segment, j.present_owner,
				j.entered_at, j.opportunity_at, j.quoted_at, j.sale_at,
				if(j.quoted_at is null, null, {called_at}) as called_at, {is_there} as is_there
			from {self.journeys()}
			left join `tabLead` l on l.name = j.name
			where {{where}}
		"""

	def timed(self, grouped: str) -> str:
		return f"""
			select {grouped} as grouped, greatest(timestampdiff(second, j.entered_at, j.quoted_at), 0) as seconds
			from {self.journeys()} where {{where}} and j.quoted_at is not null
		"""

	def columns(self) -> list[dict]:
		return [
			column("group", _(self.filters.group_by), width=190),
			count_column("leads", _("Leads"), 90),
			count_column("opportunities", _("Opportunities"), 125),
			count_column("quoted", _("With a Quotation"), 150),
			percent_column("quoted_percent", _("With a Quotation, of Leads"), 200),
			count_column("quoted_opportunities", _("Opportunities with a Quotation"), 225),
			percent_column("opportunities_percent", _("With a Quotation, of Opportunities"), 245),
			count_column("without", _("Opportunities Without"), 175),
			column("median_days", _("Median Days Until It"), "Float", 165, precision=1),
			column("p90_days", _("Nine of Ten Within (Days)"), "Float", 200, precision=1),
			count_column("called", _("Called After It"), 135),
			percent_column("called_percent", _("Called, of Quoted"), 155),
			count_column("not_called", _("Not Called"), 110),
		]

	@cached_property
	def found(self) -> list[dict]:
		return Select(
			f"""
			select groups.*, times.median, times.p90 from (
				select fact.grouped as of_group, convert(min(binary fact.grouped) using utf8mb4) as grouped,
					{self.count_columns()}
				from ({self.facts}) fact group by fact.grouped
			) groups
			left join ({percentiles(self.timed(str(self.group_column)), {"median": 50, "p90": 90})}) times
				on times.grouped <=> groups.of_group
			order by groups.grouped
			""",
			self.where(),
		).rows()

	def rows(self) -> list[dict]:
		"""One row per group.

		- quoted: with a submitted Quotation, to the lead or of an opportunity that is credited to it, whenever that was.
		- median, nine of ten: days from the entry until the first one; see `nearest_rank`.
		- called: by a person, on the phone, after it was made; in percent of those of which it is known.

		Below them, the opportunities of the period that came of no lead; see `opportunities_of_no_lead`.
		"""
		names = self.names_of(row["grouped"] for row in self.found)
		rows = []
		for row in self.found:
			counts = {name: cint(row[name]) for name in self.counts}
			rows.append(
				{
					"group": names[row["grouped"]],
					**counts,
					**_shares(counts),
					"median_days": days(row["median"]),
					"p90_days": days(row["p90"]),
					"links": self.group_links(row["grouped"], self.counts),
				}
			)
		return rows + self.without_lead()

	def without_lead(self) -> list[dict]:
		if self.is_narrowed or self.as_of:
			return []
		(found,) = self.opportunities_of_no_lead().select(
			"""
			select count(*) as opportunities, ifnull(sum(exists (
				select 1 from `tabQuotation` q where q.opportunity = `tabOpportunity`.name and q.docstatus = 1
			)), 0) as quoted
			from `tabOpportunity` where {where}
			"""
		)
		if not found.opportunities:
			return []
		opportunities, quoted = cint(found.opportunities), cint(found.quoted)
		nothing = dict.fromkeys(column["fieldname"] for column in self.columns())
		return [
			{
				**nothing,
				"group": _("No Lead"),
				"opportunities": opportunities,
				"quoted_opportunities": quoted,
				"without": opportunities - quoted,
				"opportunities_percent": percent(quoted, opportunities),
				"links": {"opportunities": self.list_of_no_lead()},
			}
		]

	def message(self, rows: list[dict]) -> str | None:
		return self.looks_back_in_words() or None

	def not_as_of_then(self) -> str:
		return _("What has no lead is not known as of then.")

	def chart(self, rows: list[dict]) -> dict | None:
		rows = _of_leads(rows)
		if not rows:
			return None
		rows = rows[-24:] if self.filters.group_by == "Month" else rows[:24]
		return bars(
			[row["group"] for row in rows],
			{
				label: [round(row[fieldname] or 0, 1) for row in rows]
				for label, fieldname in (
					(_("With a Quotation, of Leads"), "quoted_percent"),
					(_("Called, of Quoted"), "called_percent"),
				)
			},
			["#1f6feb", "#1a7f37"],
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		total = {name: sum(row[name] for row in _of_leads(rows)) for name in self.counts}
		shares = _shares(total)
		(times,) = Select(percentiles(self.timed("'all'"), {"median": 50}), self.where()).rows() or [{}]
		return [
			on_top(_("With a Quotation, of Leads"), share_in_words(shares["quoted_percent"]), "Blue"),
			on_top(
				_("With a Quotation, of Opportunities"),
				share_in_words(shares["opportunities_percent"]),
				"Blue",
			),
			on_top(_("Median Days Until It"), figure(days(times.get("median")), 1), "Grey"),
			on_top(_("Called, of Quoted"), share_in_words(shares["called_percent"]), "Green"),
		]

	# the leads

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			column("entered_at", _("Came In"), "Datetime", 165),
			column("opportunity_at", _("Opportunity"), "Datetime", 165),
			column("quoted_at", _("First Quotation"), "Datetime", 165),
			column("days", _("Days"), "Float", 90, precision=1),
			column("called_at", _("Called After It"), "Datetime", 165),
			column("sale_at", _("Sale"), "Datetime", 165),
			column("source", _("Source"), width=150),
			column("segment", _("Segment"), width=130),
			column("present_owner", _("Owner"), "Link", 220, options="User"),
		]

	def listing(self) -> Select:
		"""Those that have waited longest for a quotation, or since it was made, first."""
		return Select(
			f"""
			select fact.*, greatest(timestampdiff(second, fact.entered_at, fact.quoted_at), 0) as seconds
			from ({self.facts}) fact where {self.counted()}
			order by coalesce(fact.quoted_at, fact.opportunity_at, fact.entered_at), fact.`lead`
			""",
			self.where(),
		)

	def listed(self, found: list) -> list[dict]:
		return [{**row, "days": days(row["seconds"])} for row in found]


def _of_leads(rows: list[dict]) -> list[dict]:
	return [row for row in rows if row["leads"] is not None]


def _shares(counts: dict) -> dict[str, float | None]:
	return {
		"quoted_percent": percent(counts["quoted"], counts["leads"]),
		"opportunities_percent": percent(counts["quoted_opportunities"], counts["opportunities"]),
		"called_percent": percent(counts["called"], counts["called"] + counts["not_called"]),
	}


execute = LeadToProposal.execute
