"""Who works by the agreed definition: the share of each rep's leads of which anybody has asked what it asks for."""

from functools import cached_property

from frappe import _
from frappe.utils import cint

from lead_quality.base.queries import Select, Where
from lead_quality.base.report import (
	Report,
	bars,
	column,
	count_column,
	full_names,
	lead_and_title,
	percent,
	percent_column,
	user_column,
)
from lead_quality.funnel.remnants import lead_tables

# An answer counts that a person has given: the lead's own data say nothing of whether anybody asks.
LEADS = """
	select
		`tabLead`.name as `lead`,
		`tabLead`.title,
		nullif(`tabLead`.lead_owner, '') as user,
		`tabLead`.lq_segment as segment,
		`tabLead`.lq_stage as stage,
		`tabLead`.lq_verdict as verdict,
		`tabLead`.creation,
		(
			select max(a.answered_on)
			from `tabLead Qualification` q
			join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
			where q.lead = `tabLead`.name and ifnull(a.answered_by, '') != ''
		) as asked_at
	from `tabLead`
	where {where}
"""

# The same to be counted, each lead with 1 or 0. A limit keeps MariaDB from looking the answers up again for each count.
FLAGS = """
	select nullif(`tabLead`.lead_owner, '') as user, `tabLead`.lq_verdict = 'Sales Ready' as is_ready, {is_asked} as is_asked
	from {leads}
	where {where}
	limit 18446744073709551615
"""
IS_ASKED = """(
	select 1
	from `tabLead Qualification` q
	join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
	where q.lead = `tabLead`.name and ifnull(a.answered_by, '') != '' and a.answered_on is not null
	limit 1
) is not null"""

# the same of what is left of deleted leads
LEADS_OF_DELETED = """
	select
		`tabLead`.name, null, nullif(`tabLead`.lead_owner, ''), `tabLead`.lq_segment, `tabLead`.lq_stage,
		`tabLead`.lq_verdict, `tabLead`.creation, `tabLead`.asked_at
	from {remnants}
	where {where}
"""


class DefinitionUse(Report):
	"""One row per owner of leads that somebody could be asked about: neither disabled nor no buyers.

	:param filters: `from_date`, `to_date` (of the lead's creation), `company`, `segment`; `show`, and of the list
	    `count`, the fieldname of a count, and `user`, whose leads, or `without_user`.
	"""

	name = "Definition Use"
	months = 3
	list_name = "Leads"
	# conditions on the rows of LEADS
	counts = {
		"leads": "1 = 1",
		"asked": "found.asked_at is not null",
		"not_asked": "found.asked_at is null",
		"sales_ready": "found.verdict = 'Sales Ready'",
	}

	def where(self, created: bool = True) -> Where:
		where = super().where(created)
		where.add("`tabLead`.disabled = 0 and `tabLead`.lq_non_buyer = 0")
		return where

	@cached_property
	def leads(self) -> str:
		deleted = [LEADS_OF_DELETED.replace("{remnants}", table) for table in lead_tables(self.user)[1:]]
		return " union all ".join([LEADS, *deleted])

	def columns(self) -> list[dict]:
		return [
			column("rep", _("Rep"), width=200),
			count_column("leads", _("Leads"), 100),
			count_column("asked", _("Asked"), 100),
			percent_column("asked_percent", _("Asked %"), 110),
			count_column("not_asked", _("Not Asked"), 110),
			count_column("sales_ready", _("Sales Ready"), 120),
			percent_column("sales_ready_percent", _("Sales Ready % of Asked"), 180),
			user_column("user", _("User")),
		]

	def rows(self) -> list[dict]:
		"""One row per owner of leads, who has most first.

		Asked are the leads of which a person has answered at least one criterion; sales ready those that are so now.
		`links` maps each count to the leads that it counts.
		"""
		tables = zip(lead_tables(self.user), (IS_ASKED, "`tabLead`.asked_at is not null"), strict=False)
		flags = " union all ".join(
			f"({FLAGS.replace('{leads}', table).replace('{is_asked}', is_asked)})"
			for table, is_asked in tables
		)
		found = self.where().select(
			f"""
			select
				found.user,
				count(*) as leads,
				sum(found.is_asked) as asked,
				ifnull(sum(found.is_ready), 0) as sales_ready,
				ifnull(sum(found.is_ready and found.is_asked), 0) as ready_asked
			from ({flags}) found group by found.user
			"""
		)
		names = full_names(row.user for row in found)
		rows = []
		for row in found:
			row.not_asked = row.leads - row.asked
			counts = {name: int(row[name]) for name in self.counts}
			rows.append(
				{
					"rep": names.get(row.user, row.user) if row.user else _("Nobody"),
					"user": row.user,
					**counts,
					"asked_percent": percent(counts["asked"], counts["leads"]),
					"sales_ready_percent": percent(int(row.ready_asked), counts["asked"]),
					"links": self.links(user=row.user, without_user=int(not row.user)),
				}
			)
		return sorted(rows, key=lambda row: (-row["leads"], row["user"] or ""))

	def message(self, rows: list[dict]) -> str:
		if not rows:
			return _("No lead came in within this period.")
		return _("A lead counts as asked once a person has answered at least one criterion of its checklist.")

	def chart(self, rows: list[dict]) -> dict | None:
		"""Leads asked and not asked, by rep."""
		if not rows:
			return None
		return bars(
			[row["rep"] for row in rows],
			{
				_("Asked"): [row["asked"] for row in rows],
				_("Not Asked"): [row["not_asked"] for row in rows],
			},
			["#1a7f37", "#d1242f"],
			barOptions={"stacked": 1},
		)

	# the leads behind a count

	def list_columns(self) -> list[dict]:
		return [
			*lead_and_title(),
			user_column("user", _("Owner")),
			column("segment", _("Segment"), "Link", 150, options="Lead Segment"),
			column("verdict", _("Verdict"), width=120),
			column("asked_at", _("Last Answer On"), "Datetime", 165),
			column("creation", _("Came In At"), "Datetime", 165),
		]

	def listing(self) -> Select:
		"""The leads behind a count, or all, the newest first."""
		where = self.where()
		where.equal("`tabLead`.lead_owner", self.filters.user)
		if cint(self.filters.without_user):
			where.blank("`tabLead`.lead_owner")
		return Select(
			f"""
			select found.* from ({self.leads}) found where {self.counted()}
			order by found.creation desc, found.`lead` desc
			""",
			where,
		)


execute = DefinitionUse.execute
