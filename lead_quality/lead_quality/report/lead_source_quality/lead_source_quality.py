"""What each source of leads brings: buyers or not, data that can be worked with, leads that sales takes."""

from functools import cached_property

from frappe import _

from lead_quality.base.queries import Select, Where, sources
from lead_quality.base.report import (
	DECIDED,
	DECLINED,
	Report,
	bars,
	column,
	count_column,
	lead_and_title,
	no_source,
	percent,
	percent_column,
)
from lead_quality.base.routes import days_filter, list_route
from lead_quality.base.versions import lead_field
from lead_quality.funnel.conditions import BAD_DATA
from lead_quality.funnel.remnants import lead_tables

# One row per lead. `decision` is the newest answer of sales to one of its handovers.
FACTS = """
	select
		`tabLead`.name as `lead`,
		`tabLead`.title,
		source_of.spelling as source,
		`tabLead`.lq_non_buyer as non_buyer,
		ifnull(`tabLead`.lq_verdict, '') as verdict,
		ifnull(decided.status, '') as decision,
		case when `tabLead`.name in (
			select h.lead from `tabLead Handover` h where h.status != 'Draft'
		) then 1 else 0 end as handed_over,
		{bad_data} as bad_data
	from `tabLead`
	{sources}
	left join (
		select
			h.lead,
			h.status,
			row_number() over (
				partition by h.lead order by h.decided_at desc, h.creation desc, h.name desc
			) as nth
		from `tabLead Handover` h
		where h.status in %(decided)s
	) decided on decided.lead = `tabLead`.name and decided.nth = 1
	where {where}
"""

# the same of what is left of deleted leads
FACTS_OF_DELETED = """
	select
		`tabLead`.name,
		null,
		source_of.spelling,
		`tabLead`.lq_non_buyer,
		ifnull(`tabLead`.lq_verdict, ''),
		ifnull(`tabLead`.decision, ''),
		`tabLead`.handed_over,
		`tabLead`.bad_data
	from {remnants}
	{sources}
	where {where}
"""


class LeadSourceQuality(Report):
	"""One row per source of the leads that came in within the period, disabled ones left out.

	:param filters: `from_date`, `to_date`, `company`, `segment`, `source` or `without_source`; `show`, and of the list
	    `count`, the fieldname of a count.
	"""

	name = "Lead Source Quality"
	months = 12
	list_name = "Leads"
	# Conditions on the rows of FACTS. Who does not buy can be told apart only by asking, and is no lead that could have
	# been qualified: from Buyers on, the counts leave them out.
	counts = {
		"leads": "1 = 1",
		"not_buyers": "fact.non_buyer = 1",
		"bad_data": "fact.bad_data = 1",
		"buyers": "fact.non_buyer = 0",
		"qualified": "fact.non_buyer = 0 and (fact.verdict = 'Sales Ready' or fact.handed_over = 1)",
		"handed_over": "fact.non_buyer = 0 and fact.handed_over = 1",
		"accepted": "fact.non_buyer = 0 and fact.decision = 'Accepted'",
		"declined": "fact.non_buyer = 0 and fact.decision in %(declined)s",
	}
	values = {"declined": DECLINED, "decided": DECIDED}

	def where(self, created: bool = True) -> Where:
		where = super().where(created)
		where.add("`tabLead`.disabled = 0")
		self.of_source(where)
		return where

	@cached_property
	def lead_tables(self) -> tuple[str, ...]:
		return lead_tables(self.user)

	def facts(self) -> str:
		parts = [FACTS] + [FACTS_OF_DELETED.replace("{remnants}", table) for table in self.lead_tables[1:]]
		query = " union all ".join(parts).replace("{bad_data}", BAD_DATA)
		return query.replace("{sources}", sources(of_deleted=len(parts) > 1))

	def columns(self) -> list[dict]:
		return [
			column("source", _("Source"), width=170),
			count_column("leads", _("Leads"), 90),
			count_column("not_buyers", _("Not Buyers")),
			percent_column("not_buyers_percent", _("Not Buyers %"), 120),
			count_column("bad_data", _("Bad Data"), 100),
			percent_column("bad_data_percent", _("Bad Data %"), 110),
			count_column("buyers", _("Buyers"), 90),
			count_column("qualified", _("Qualified"), 100),
			percent_column("qualified_percent", _("Qualified, of Buyers"), 160),
			count_column("handed_over", _("Handed Over"), 120),
			count_column("accepted", _("Accepted"), 100),
			count_column("declined", _("Declined"), 100),
			percent_column("acceptance_percent", _("Accepted, of Decided"), 170),
		]

	def rows(self) -> list[dict]:
		"""One row per source, that of most leads first; leads without a source have a row of their own.

		- not buyers, bad data: in percent of the leads. Data is bad if there is neither a number nor an address, if a
		  touch found it wrong, or if mail to it has bounced.
		- qualified: buyers that are sales ready now or were handed over, in percent of the buyers.
		- accepted, declined: buyers by the newest answer of sales to their handovers; accepted in percent of both.

		A share is None where there is nothing to take it of. `links` maps each count to the leads that it counts.
		"""
		rows = []
		for row in self.where().select(
			f"""
			select fact.source, {self.count_columns()}
			from ({self.facts()}) fact
			group by fact.source
			order by leads desc, fact.source
			""",
			**self.values,
		):
			counts = {name: int(row[name]) for name in self.counts}
			rows.append(
				{
					"source": row.source or no_source(),
					**counts,
					"not_buyers_percent": percent(counts["not_buyers"], counts["leads"]),
					"bad_data_percent": percent(counts["bad_data"], counts["leads"]),
					"qualified_percent": percent(counts["qualified"], counts["buyers"]),
					"acceptance_percent": percent(
						counts["accepted"], counts["accepted"] + counts["declined"]
					),
					"links": self.links_of(row.source),
				}
			)
		return rows

	def links_of(self, source: str | None) -> dict[str, str]:
		"""The list of leads where its filters can say what is counted; else this report's own list of leads."""
		links = self.links(source=source, without_source=int(not source))
		if len(self.lead_tables) > 1:  # the list of leads has no deleted ones
			return links
		in_list: dict[str, object] = {
			"company": self.filters.company,
			"lq_segment": self.filters.segment,
			"creation": days_filter(self.filters.from_date, self.filters.to_date),
			"disabled": 0,
			str(lead_field("source")): source or ["is", "not set"],
		}
		links["leads"] = list_route("Lead", **in_list)
		links["not_buyers"] = list_route("Lead", **in_list, lq_non_buyer=1)
		links["buyers"] = list_route("Lead", **in_list, lq_non_buyer=0)
		return links

	def chart(self, rows: list[dict]) -> dict | None:
		"""Of the ten sources with most leads."""
		if not rows:
			return None
		rows = rows[:10]
		return bars(
			[row["source"] for row in rows],
			{
				label: [round(row[fieldname] or 0, 1) for row in rows]
				for label, fieldname in (
					(_("Not Buyers %"), "not_buyers_percent"),
					(_("Bad Data %"), "bad_data_percent"),
					(_("Qualified, of Buyers"), "qualified_percent"),
				)
			},
			["#8c959f", "#d1242f", "#1a7f37"],
		)

	# the leads behind a count

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			column("source", _("Source"), width=170),
			column("non_buyer", _("Not a Buyer"), "Check", 110),
			column("bad_data", _("Bad Data"), "Check", 100),
			column("verdict", _("Verdict"), width=120),
			column("handed_over", _("Handed Over"), "Check", 120),
			column("decision", _("Answer of Sales"), width=140),
		]

	def listing(self) -> Select:
		return Select(
			f"select fact.* from ({self.facts()}) fact where {self.counted()} order by fact.`lead`",
			self.where(),
			self.values,
		)


execute = LeadSourceQuality.execute
