"""What each source of leads brings: buyers or not, data that can be worked with, leads that sales takes."""

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.reporting import (
	DECIDED,
	DECLINED,
	column,
	count_column,
	days_filter,
	lead_and_title,
	leads_where,
	list_route,
	percent,
	percent_column,
	report_route,
)
from lead_quality.base.versions import lead_field

# Each count: which leads it counts, as a condition on the rows of `FACTS`. Who does not buy can be told apart only by
# asking, and is no lead that could have been qualified: from Buyers on, the counts leave them out.
COUNTS = {
	"leads": "1 = 1",
	"not_buyers": "fact.non_buyer = 1",
	"bad_data": "fact.bad_data = 1",
	"buyers": "fact.non_buyer = 0",
	"qualified": "fact.non_buyer = 0 and (fact.verdict = 'Sales Ready' or fact.handed_over = 1)",
	"handed_over": "fact.non_buyer = 0 and fact.handed_over = 1",
	"accepted": "fact.non_buyer = 0 and fact.decision = 'Accepted'",
	"declined": "fact.non_buyer = 0 and fact.decision in %(declined)s",
}

# One row per lead. `decision` is the newest answer of sales to one of its handovers.
FACTS = """
	select
		`tabLead`.name as lead,
		`tabLead`.title,
		nullif(`tabLead`.{source}, '') as source,
		`tabLead`.lq_non_buyer as non_buyer,
		ifnull(`tabLead`.lq_verdict, '') as verdict,
		ifnull(decided.status, '') as decision,
		case when `tabLead`.name in (
			select h.lead from `tabLead Handover` h where h.status != 'Draft'
		) then 1 else 0 end as handed_over,
		case when
			concat(
				ifnull(`tabLead`.phone, ''), ifnull(`tabLead`.mobile_no, ''), ifnull(`tabLead`.email_id, '')
			) = ''
			or `tabLead`.name in (
				select t.lead from `tabLead Touch` t where t.outcome in ('Bounced', 'Wrong Data')
			)
			or `tabLead`.name in (
				select o.lead from `tabContact Opt Out` o where o.reason = 'Bounced' and o.lead is not null
			)
			or ifnull(`tabLead`.email_id, '') in (
				select o.email_id from `tabContact Opt Out` o
				where o.reason = 'Bounced' and ifnull(o.email_id, '') != ''
			)
		then 1 else 0 end as bad_data
	from `tabLead`
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


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	if filters.show == "Leads":
		return lead_columns(), get_leads(filters)
	rows = get_rows(filters)
	return get_columns(), rows, None, chart(rows)


def get_columns() -> list[dict]:
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


def get_rows(filters) -> list[dict]:
	"""One row per source, that of most leads first; leads without a source have a row of their own.

	- not buyers, bad data: in percent of the leads. Data is bad if there is neither a number nor an address, if a
	  touch found it wrong, or if mail to it has bounced.
	- qualified: buyers that are sales ready now or were handed over, in percent of the buyers.
	- accepted, declined: buyers by the newest answer of sales to their handovers; accepted in percent of both.

	A share is None where there is nothing to take it of. `links` maps each count to the leads that it counts.
	"""
	sums = ", ".join(
		f"sum(case when {condition} then 1 else 0 end) as {name}" for name, condition in COUNTS.items()
	)
	rows = []
	for row in _facts_where(filters).select(
		f"""
		select fact.source, {sums}
		from ({_facts()}) fact
		group by fact.source
		order by leads desc, fact.source
		""",
		declined=DECLINED,
		decided=DECIDED,
	):
		counts = {name: int(row[name]) for name in COUNTS}
		rows.append(
			{
				"source": row.source or _("Unknown"),
				**counts,
				"not_buyers_percent": percent(counts["not_buyers"], counts["leads"]),
				"bad_data_percent": percent(counts["bad_data"], counts["leads"]),
				"qualified_percent": percent(counts["qualified"], counts["buyers"]),
				"acceptance_percent": percent(counts["accepted"], counts["accepted"] + counts["declined"]),
				"links": _links(row.source, filters),
			}
		)
	return rows


def get_leads(filters) -> list:
	"""The leads behind a count of the report: `filters.count` is its fieldname; without one, all leads."""
	return _facts_where(filters).select(
		f"""
		select fact.* from ({_facts()}) fact
		where {COUNTS.get(filters.count, COUNTS["leads"])}
		order by fact.lead
		""",
		declined=DECLINED,
		decided=DECIDED,
	)


def lead_columns() -> list[dict]:
	return [
		*lead_and_title(),
		column("source", _("Source"), width=170),
		column("non_buyer", _("Not a Buyer"), "Check", 110),
		column("bad_data", _("Bad Data"), "Check", 100),
		column("verdict", _("Verdict"), width=120),
		column("handed_over", _("Handed Over"), "Check", 120),
		column("decision", _("Answer of Sales"), width=140),
	]


def chart(rows: list[dict]) -> dict | None:
	"""Of the ten sources with most leads."""
	if not rows:
		return None
	rows = rows[:10]
	return {
		"data": {
			"labels": [row["source"] for row in rows],
			"datasets": [
				{"name": label, "values": [round(row[fieldname] or 0, 1) for row in rows]}
				for label, fieldname in (
					(_("Not Buyers %"), "not_buyers_percent"),
					(_("Bad Data %"), "bad_data_percent"),
					(_("Qualified, of Buyers"), "qualified_percent"),
				)
			],
		},
		"type": "bar",
		"colors": ["#8c959f", "#d1242f", "#1a7f37"],
	}


def _facts() -> str:
	return FACTS.replace("{source}", lead_field("source"))


def _facts_where(filters):
	source = f"`tabLead`.{lead_field('source')}"
	where = leads_where(filters)
	where.add("`tabLead`.disabled = 0")
	where.equal(source, filters.source)
	if cint(filters.without_source):
		where.add(f"ifnull({source}, '') = ''")
	return where


def _links(source: str | None, filters) -> dict[str, str]:
	"""The list of leads where its filters can say what is counted; else this report's own list of leads."""
	same = {"company": filters.company, "segment": filters.segment}
	own = {
		**same,
		"from_date": filters.from_date,
		"to_date": filters.to_date,
		"show": "Leads",
		"source": source,
		"without_source": int(not source),
	}
	links = {name: report_route("Lead Source Quality", **own, count=name) for name in COUNTS}
	in_list = {
		"company": filters.company,
		"lq_segment": filters.segment,
		"creation": days_filter(filters.from_date, filters.to_date),
		"disabled": 0,
		lead_field("source"): source or ["is", "not set"],
	}
	links["leads"] = list_route("Lead", **in_list)
	links["not_buyers"] = list_route("Lead", **in_list, lq_non_buyer=1)
	links["buyers"] = list_route("Lead", **in_list, lq_non_buyer=0)
	return links
