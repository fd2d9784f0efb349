"""How long leads take from one step of the funnel to the next: the median, and what nine of ten do not exceed."""

from functools import cached_property

from frappe import _

from lead_quality.base.queries import Select
from lead_quality.base.report import bars, column, count_column, lead_and_title
from lead_quality.engine.conversion import STAGES
from lead_quality.lead_quality.report.journeys import STEPS, JourneyReport, days, percentiles

ALL = "All Leads"
# each way that is timed, to where it begins and ends
WAYS = {
	"Came In to Prospect": ("j.entered_at", "j.prospect_at"),
	"Came In to Sales Ready": ("j.entered_at", "j.ready_at"),
	"Handed Over to Accepted": ("j.handed_over_at", "j.accepted_at"),
	"Prospect to Opportunity": ("j.prospect_at", "j.opportunity_at"),
	"Opportunity to Quoted": ("j.opportunity_at", "j.quoted_at"),
	"Quoted to Sale": ("j.quoted_at", "j.sale_at"),
	"Came In to Sale": ("j.entered_at", "j.sale_at"),
}


# the count of what was timed of no lead
WITHOUT_LEAD = "without_lead"
# of each way that can be timed without a lead, when it begins and ends: the opportunity was made, its first quotation that was
# submitted, and the first submitted order by such a quotation
_QUOTED_AT = """(
	select min(q.creation) from `tabQuotation` q where q.opportunity = `tabOpportunity`.name and q.docstatus = 1
)"""
_ORDERED_AT = """(
	select min(so.creation) from `tabQuotation` q
	join `tabSales Order Item` item on item.prevdoc_docname = q.name and item.parenttype = 'Sales Order'
	join `tabSales Order` so on so.name = item.parent and so.docstatus = 1
	where q.opportunity = `tabOpportunity`.name and q.docstatus = 1
)"""
WAYS_WITHOUT_LEAD = {
	"Opportunity to Quoted": ("`tabOpportunity`.creation", _QUOTED_AT),
	"Quoted to Sale": (_QUOTED_AT, _ORDERED_AT),
}


def way_in_words(way: str) -> str:
	return {
		"Came In to Prospect": _("Came In to Prospect"),
		"Came In to Sales Ready": _("Came In to Sales Ready"),
		"Handed Over to Accepted": _("Handed Over to Accepted"),
		"Prospect to Opportunity": _("Prospect to Opportunity"),
		"Opportunity to Quoted": _("Opportunity to Quoted"),
		"Quoted to Sale": _("Quoted to Sale"),
		"Came In to Sale": _("Came In to Sale"),
	}[way]


def way_in_short(way: str) -> str:
	"""A label that has room below a bar: where the way ends."""
	return {
		"Came In to Prospect": _("Prospect"),
		"Came In to Sales Ready": _("Sales Ready"),
		"Handed Over to Accepted": _("Accepted"),
		"Prospect to Opportunity": _("Opportunity"),
		"Opportunity to Quoted": _("Quoted"),
		"Quoted to Sale": _("Sale"),
		"Came In to Sale": _("In All"),
	}[way]


class StageVelocity(JourneyReport):
	"""One row per way of the leads that came in within the period and have gone it; by group, if asked for.

	:param filters: those of a `JourneyReport`; `way`, one of `WAYS`, of the list.
	"""

	name = "Stage Velocity"
	groups = {ALL: "", "Source": "source", "Segment": "segment", "Owner": "owner", "Month": "month"}
	counts = {"leads": "1 = 1"}
	can_look_back = True
	by_log = True

	@property
	def ways(self) -> list[str]:
		"""Those that are timed; as of a past day, those between the four stages."""
		known = [STEPS[stage] for stage in STAGES]
		return [way for way, ends in WAYS.items() if not self.as_of or all(end in known for end in ends)]

	def timed(self, ways: list[str]) -> str:
		"""SQL: one row per way and lead. Where the second step came before the first, the lead took no time."""
		names = " union all ".join(f"select '{way}' as way" for way in ways)

		def instant(place: int) -> str:
			cases = " ".join(f"when '{way}' then {WAYS[way][place]}" for way in ways)
			return f"case ways.way {cases} end"

		return f"""
			select timed.*, greatest(timestampdiff(second, timed.began_at, timed.ended_at), 0) as seconds from (
				select ways.way, j.name as `lead`, {self.group_column or f"'{ALL}'"} as grouped,
					{instant(0)} as began_at, {instant(1)} as ended_at
				from {self.journeys()} join ({names}) ways
				where {{where}}
			) timed
			where timed.began_at is not null and timed.ended_at is not null
		"""

	# what has no lead

	def timed_without_lead(self) -> str:
		"""SQL: one row per way and opportunity of no lead; as `timed`."""
		parts = " union all ".join(
			f"""
			select '{way}' as way, `tabOpportunity`.name as opportunity, `tabOpportunity`.title, {begins} as began_at,
				{ends} as ended_at
			from `tabOpportunity` where {{where}}
			"""
			for way, (begins, ends) in WAYS_WITHOUT_LEAD.items()
		)
		return f"""
			select timed.*, greatest(timestampdiff(second, timed.began_at, timed.ended_at), 0) as seconds
			from ({parts}) timed where timed.began_at is not null and timed.ended_at is not null
		"""

	def without_lead(self) -> list[dict]:
		"""The rows of the opportunities of the period that came of no lead; see `opportunities_of_no_lead`."""
		if self.is_narrowed or self.as_of:
			return []
		found = Select(
			f"""
			select * from ({percentiles(self.timed_without_lead(), {"median": 50, "p90": 90, "slowest": 100}, ("way",))}) found
			order by found.way
			""",
			self.opportunities_of_no_lead(),
		).rows()
		return [
			{
				**self.row(
					row, _("No Lead"), {"leads": self.links([WITHOUT_LEAD], way=row["way"])[WITHOUT_LEAD]}
				),
				"is_without_lead": 1,
			}
			for row in found
		]

	def row(self, row: dict, group: str, links: dict[str, str]) -> dict:
		return {
			"group": group,
			"step": way_in_words(row["way"]),
			"way": row["way"],
			"leads": row["cases"],
			"median_days": days(row["median"]),
			"p90_days": days(row["p90"]),
			"slowest_days": days(row["slowest"]),
			"links": links,
		}

	def columns(self) -> list[dict]:
		return [
			column("group", _(self.filters.group_by), width=200),
			column("step", _("Step"), width=220),
			count_column("leads", _("Leads")),
			column("median_days", _("Median Days"), "Float", 130, precision=1),
			column("p90_days", _("Nine of Ten Within (Days)"), "Float", 200, precision=1),
			column("slowest_days", _("Slowest (Days)"), "Float", 140, precision=1),
		]

	@cached_property
	def found(self) -> list[dict]:
		ranked = percentiles(
			self.timed(self.ways), {"median": 50, "p90": 90, "slowest": 100}, ("grouped", "way")
		)
		# one spelling for all ways of a group, as other reports have it
		spelt, named = "found.grouped", ""
		if self.group_column:
			spelt, named = (
				"named.spelt",
				f"left join {self.numbered_groups} named on named.value = found.grouped",
			)
		return Select(
			f"""
			select found.*, {spelt} as spelt from ({ranked}) found {named}
			order by found.grouped, field(found.way, {", ".join(repr(way) for way in WAYS)})
			""",
			self.where(),
		).rows()

	def rows(self) -> list[dict]:
		"""One row per group and way: how many leads have gone it, in how many days half of them, nine of ten and all
		did. The percentiles are those of `nearest_rank`."""
		names = self.names_of({row["spelt"] for row in self.found})
		names[ALL] = _(ALL)
		rows = []
		for row in self.found:
			group = None if self.filters.group_by == ALL else row["spelt"]
			links = (
				self.links(way=row["way"])
				if self.filters.group_by == ALL
				else self.group_links(group, self.counts, way=row["way"])
			)
			rows.append(self.row(row, names[row["spelt"]], links))
		return rows + self.without_lead()

	def message(self, rows: list[dict]) -> str:
		words = _(
			"Only leads that have gone a step are timed: those that still wait may take longer. Look at periods that are "
			"old enough."
		)
		if not self.as_of:
			return words
		only = _("Only ways between the four stages are known as of then.")
		return f"{self.looks_back_in_words()} {only} {words}"

	def chart(self, rows: list[dict]) -> dict | None:
		rows = [row for row in rows if not row.get("is_without_lead")]
		if not rows:
			return None
		if self.filters.group_by == ALL:
			labels = [way_in_short(row["way"]) for row in rows]
		else:
			rows = [row for row in rows if row["way"] == "Came In to Sale"][-12:]
			labels = [row["group"] for row in rows]
		return bars(
			labels,
			{
				label: [round(row[fieldname], 1) for row in rows]
				for label, fieldname in (
					(_("Median Days"), "median_days"),
					(_("Nine of Ten"), "p90_days"),
				)
			},
			["#1f6feb", "#8c959f"],
		)

	# the leads

	@property
	def is_without_lead(self) -> bool:
		return self.filters.count == WITHOUT_LEAD and not self.as_of

	def list_columns(self) -> list[dict]:
		if self.is_without_lead:
			return [
				column("opportunity", _("Opportunity"), "Link", 200, options="Opportunity"),
				column("title", _("Title"), width=250),
				column("step", _("Step"), width=220),
				column("began_at", _("From"), "Datetime", 165),
				column("ended_at", _("Until"), "Datetime", 165),
				column("days", _("Days"), "Float", 100, precision=1),
			]
		return [
			*lead_and_title(),
			column("step", _("Step"), width=220),
			column("began_at", _("From"), "Datetime", 165),
			column("ended_at", _("Until"), "Datetime", 165),
			column("days", _("Days"), "Float", 100, precision=1),
			column("source", _("Source"), width=150),
			column("segment", _("Segment"), width=130),
			column("present_owner", _("Owner"), "Link", 220, options="User"),
		]

	def listing(self) -> Select:
		if self.is_without_lead:
			way = self.filters.way if self.filters.way in WAYS_WITHOUT_LEAD else None
			of_way = "timed.way = %(way)s" if way else "1 = 1"
			return Select(
				f"""
				select timed.* from ({self.timed_without_lead()}) timed where {of_way}
				order by timed.seconds desc, timed.opportunity, timed.way
				""",
				self.opportunities_of_no_lead(),
				{"way": way},
			)
		ways = [self.filters.way] if self.filters.way in self.ways else self.ways
		return Select(
			f"""
			select timed.*, l.title, own.source, own.segment, own.present_owner
			from ({self.timed(ways)}) timed
			join `tabLead Journey` own on own.name = timed.`lead`
			left join `tabLead` l on l.name = timed.`lead`
			order by timed.seconds desc, timed.`lead`, timed.way
			""",
			self.where(),
		)

	def listed(self, found: list) -> list[dict]:
		return [{**row, "step": way_in_words(row["way"]), "days": days(row["seconds"])} for row in found]


execute = StageVelocity.execute
