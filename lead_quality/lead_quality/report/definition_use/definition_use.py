"""Who works by the agreed definition: the share of each rep's leads of which anybody has asked what it asks for."""

from collections import Counter

import frappe
from frappe import _
from frappe.utils import cint

from lead_quality.base.reporting import (
	column,
	count_column,
	full_names,
	lead_and_title,
	leads_where,
	percent,
	percent_column,
	report_route,
	user_column,
)

REPORT = "Definition Use"

# count to the leads that it counts, as a condition on the rows of LEADS
COUNTS = {
	"leads": "1 = 1",
	"asked": "found.asked_at is not null",
	"not_asked": "found.asked_at is null",
	"sales_ready": "found.verdict = 'Sales Ready'",
}

# An answer counts that a person has given: the lead's own data say nothing of whether anybody asks.
LEADS = """
	select
		`tabLead`.name as lead,
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


def execute(filters: dict | None = None):
	filters = frappe._dict(filters or {})
	if filters.show == "Leads":
		return lead_columns(), get_leads(filters)
	rows = get_rows(filters)
	return get_columns(), rows, message(rows), chart(rows)


def _where(filters):
	"""The visible leads of the period of their creation that somebody could be asked about: neither disabled nor no
	buyers."""
	where = leads_where(filters)
	where.add("`tabLead`.disabled = 0 and `tabLead`.lq_non_buyer = 0")
	return where


def get_columns() -> list[dict]:
	return [
		column("rep", _("Rep"), width=200),
		count_column("leads", _("Leads"), 100),
		count_column("asked", _("Asked"), 100),
		percent_column("asked_percent", _("Asked %"), 110),
		count_column("not_asked", _("Not Asked"), 110),
		count_column("sales_ready", _("Sales Ready"), 120),
		percent_column("sales_ready_percent", _("Sales Ready, of Asked"), 180),
		user_column("user", _("User")),
	]


def get_rows(filters) -> list[dict]:
	"""One row per owner of leads, who has most first.

	Asked are the leads of which a person has answered at least one criterion; sales ready those that are so now.
	`links` maps each count to the leads that it counts.

	:param filters: `from_date`, `to_date` (of the lead's creation), `company`, `segment`.
	"""
	sums = ", ".join(f"sum({condition}) as {name}" for name, condition in COUNTS.items())
	found = _where(filters).select(
		f"""
		select found.user, sum(found.verdict = 'Sales Ready' and found.asked_at is not null) as ready_asked, {sums}
		from ({LEADS}) found group by found.user
		"""
	)
	names = full_names(row.user for row in found)
	rows = []
	for row in found:
		counts = Counter({name: int(row[name]) for name in COUNTS})
		rows.append(
			{
				"rep": names.get(row.user, row.user) if row.user else _("Nobody"),
				"user": row.user,
				**counts,
				"asked_percent": percent(counts["asked"], counts["leads"]),
				"sales_ready_percent": percent(int(row.ready_asked), counts["asked"]),
				"links": _links(row.user, filters),
			}
		)
	return sorted(rows, key=lambda row: (-row["leads"], row["user"] or ""))


def _links(user: str | None, filters) -> dict[str, str]:
	own = {key: filters[key] for key in ("from_date", "to_date", "company", "segment") if filters.get(key)}
	own.update({"show": "Leads", "user": user, "without_user": int(not user)})
	return {name: report_route(REPORT, **own, count=name) for name in COUNTS}


def message(rows: list[dict]) -> str:
	if not rows:
		return _("No lead came in within this period.")
	return _("A lead counts as asked once a person has answered at least one criterion of its checklist.")


def chart(rows: list[dict]) -> dict | None:
	"""Leads asked and not asked, by rep."""
	if not rows:
		return None
	return {
		"data": {
			"labels": [row["rep"] for row in rows],
			"datasets": [
				{"name": _("Asked"), "values": [row["asked"] for row in rows]},
				{"name": _("Not Asked"), "values": [row["not_asked"] for row in rows]},
			],
		},
		"type": "bar",
		"barOptions": {"stacked": 1},
		"colors": ["#1a7f37", "#d1242f"],
	}


# the leads behind a count


def lead_columns() -> list[dict]:
	return [
		*lead_and_title(),
		user_column("user", _("Owner")),
		column("segment", _("Segment"), "Link", 150, options="Lead Segment"),
		column("verdict", _("Verdict"), width=120),
		column("asked_at", _("Last Answer On"), "Datetime", 165),
		column("creation", _("Came In At"), "Datetime", 165),
	]


def get_leads(filters) -> list[dict]:
	"""The leads behind a count, or all, the newest first.

	:param filters: those of `get_rows`; `count`, the fieldname of a count; `user`, whose leads, or `without_user`.
	"""
	where = _where(filters)
	if cint(filters.without_user):
		where.add("ifnull(`tabLead`.lead_owner, '') = ''")
	where.equal("`tabLead`.lead_owner", filters.user)
	counted = COUNTS.get(filters.count, COUNTS["leads"])
	return where.select(
		f"select found.* from ({LEADS}) found where {counted} order by found.creation desc, found.lead desc"
	)
