"""What is kept of a deleted lead, so that past months keep their totals: no name, no address, and not even its number,
which Frappe gives to the next lead when the last one is deleted.

Its Lead Remnant keeps, under a name that stands for the lead from then on, what reports count leads by. Its rows in the
stage log, its closed clocks and who held it when stay under that name.

A remnant counts for whoever would see the lead by what is kept of it; see `count_for`.
"""

import frappe

from lead_quality.base import query
from lead_quality.base.links import DELETED
from lead_quality.base.queries import Where
from lead_quality.base.versions import lead_field
from lead_quality.funnel.conditions import BAD_DATA, human_touch
from lead_quality.permissions import bindable, lead_condition, list_condition

# the columns of a Lead that a Lead Remnant has under the same names
COLUMNS = (
	"creation",
	"owner",
	"company",
	"territory",
	"lq_segment",
	"lead_owner",
	"disabled",
	"lq_stage",
	"lq_verdict",
	"lq_non_buyer",
)
# what is known of handovers, touches and answers, which go with the lead
FACTS = ("bad_data", "handed_over", "decision", "touched_at", "asked_at")


# of a Lead Handover, besides its lead and status
HANDOVER_COLUMNS = (
	"from_user",
	"to_user",
	"sent_at",
	"decided_at",
	"reason",
	"expected_value",
	"currency",
	"checklist",
	"met_criteria",
)


def keep(lead: str) -> str:
	"""Keep what is to be left of a lead that is about to be deleted. Returns the name that stands for it.

	A lead that has become one with another is not deleted, though Frappe deletes its document: it has no log any more.
	"""
	remnant = f"{DELETED}{frappe.generate_hash(length=12)}"
	if not frappe.db.exists("Lead Stage Log", {"lead": lead}):
		return remnant
	columns = ", ".join(f"`{column}`" for column in COLUMNS)
	query.run(
		f"""
		insert into `tabLead Remnant` (name, modified, modified_by, source, {", ".join(FACTS)}, {columns})
		select %(remnant)s, now(6), %(user)s, `tabLead`.`{lead_field("source")}`,
			{BAD_DATA},
			exists (select 1 from `tabLead Handover` h where h.lead = `tabLead`.name and h.status != 'Draft'),
			(
				select h.status from `tabLead Handover` h
				where h.lead = `tabLead`.name and h.status in ('Accepted', 'Rejected', 'Returned')
				order by h.decided_at desc, h.creation desc, h.name desc limit 1
			),
			(
				select min(t.done_at) from `tabLead Touch` t
				where t.lead = `tabLead`.name and {human_touch("t")}
			),
			(
				select max(a.answered_on)
				from `tabLead Qualification` q
				join `tabLead Qualification Answer` a on a.parent = q.name and a.parenttype = 'Lead Qualification'
				where q.lead = `tabLead`.name and ifnull(a.answered_by, '') != ''
			),
			{", ".join(f"`tabLead`.`{column}`" for column in COLUMNS)}
		from `tabLead` where `tabLead`.name = %(lead)s
		""",
		{"remnant": remnant, "lead": lead, "user": frappe.session.user},
	)
	return remnant


def keep_handovers(lead: str, remnant: str):
	"""Keep what is to be left of the handovers of a lead that is about to be deleted. One that still waits for an answer
	is taken back."""
	columns = ", ".join(f"h.`{column}`" for column in HANDOVER_COLUMNS)
	query.run(
		f"""
		insert into `tabHandover Remnant`
			(name, creation, owner, modified, modified_by, `lead`, status, {columns.replace("h.", "")})
		select concat(%(remnant)s, '-', row_number() over (order by h.sent_at, h.name)), h.creation, h.owner, now(6),
			%(user)s, %(remnant)s,
			if(h.status = 'Sent', 'Pulled Back', h.status), {columns}
		from `tabLead Handover` h where h.lead = %(lead)s and h.status != 'Draft'
		""",
		{"remnant": remnant, "lead": lead, "user": frappe.session.user},
	)


def as_leads() -> str:
	"""The remnants as a table that a query may read in the place of `tabLead`, by columns of the same names."""
	columns = ", ".join(f"r.`{column}`" for column in (*COLUMNS, *FACTS))
	return f"""(
		select r.name, null as title, r.source as `{lead_field("source")}`, null as lq_handover_status, {columns}
		from `tabLead Remnant` r
	)"""


def lead_tables(user: str) -> tuple[str, ...]:
	"""What a query that counts leads reads as `tabLead`, one after the other: the leads, and what is left of deleted ones
	where that counts for its reader."""
	return ("`tabLead`", f"{as_leads()} `tabLead`") if count_for(user) else ("`tabLead`",)


def see(where: Where):
	"""Only the leads that the reader may see, and what is left of those that he might have seen. The query names their
	journeys `j`."""
	seen = [
		f"j.name in (select `tabLead`.name from {table} where {{0}})" for table in lead_tables(where.user)
	]
	where.visible("Lead", " or ".join(seen))


def count_for(user: str) -> bool:
	"""Whether there are remnants that count for a reader: those that the condition on his list of leads lets through, if
	what it asks for is kept of a lead. Where it asks for more, nobody can tell whether he saw the lead, and none does."""
	if not query.run("select 1 from `tabLead Remnant` limit 1"):
		return False
	return _can_be_asked(f"{as_leads()} `tabLead`", lead_condition(user))


def handovers_count_for(user: str) -> bool:
	"""As `count_for`, of the handovers of deleted leads."""
	return count_for(user) and _can_be_asked(
		"`tabHandover Remnant` `tabLead Handover`", list_condition("Lead Handover", user)
	)


def _can_be_asked(table: str, condition: str) -> bool:
	"""Whether a table has all columns that the condition on a reader's list names."""
	if not condition:
		return True
	try:
		query.run(f"select 1 from {table} where {bindable(condition)} limit %(none)s", {"none": 0})
	except Exception as error:
		if frappe.db.is_missing_column(error):
			return False
		raise
	return True
