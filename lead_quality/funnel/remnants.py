"""What is left of a deleted lead, so that past months keep their totals: no name, no address, and not even its number,
which Frappe gives to the next lead when the last one is deleted.

Its Lead Remnant keeps, under a name that stands for the lead from then on, what reports count leads by. Its rows in the
stage log and its closed clocks stay under that name.
"""

import frappe

from lead_quality.base.versions import lead_field
from lead_quality.funnel.conditions import BAD_DATA
from lead_quality.funnel.service import DELETED

# the columns of a Lead that a Lead Remnant has under the same names
COLUMNS = ("creation", "company", "lq_segment", "lead_owner", "disabled", "lq_verdict", "lq_non_buyer")
# what is known of handovers and touches, which go with the lead
FACTS = ("bad_data", "handed_over", "decision")


def keep(lead: str) -> str:
	"""Keep what is to be left of a lead that is about to be deleted. Returns the name that stands for it.

	A lead that has become one with another is not deleted, though Frappe deletes its document: it has no log any more.
	"""
	remnant = f"{DELETED}{frappe.generate_hash(length=12)}"
	if not frappe.db.exists("Lead Stage Log", {"lead": lead}):
		return remnant
	columns = ", ".join(f"`{column}`" for column in COLUMNS)
	frappe.db.sql(
		f"""
		insert into `tabLead Remnant` (name, owner, modified, modified_by, source, {", ".join(FACTS)}, {columns})
		select %(remnant)s, 'Administrator', now(6), %(user)s, `tabLead`.`{lead_field("source")}`,
			{BAD_DATA},
			exists (select 1 from `tabLead Handover` h where h.lead = `tabLead`.name and h.status != 'Draft'),
			(
				select h.status from `tabLead Handover` h
				where h.lead = `tabLead`.name and h.status in ('Accepted', 'Rejected', 'Returned')
				order by h.decided_at desc, h.creation desc, h.name desc limit 1
			),
			{", ".join(f"`tabLead`.`{column}`" for column in COLUMNS)}
		from `tabLead` where `tabLead`.name = %(lead)s
		""",
		{"remnant": remnant, "lead": lead, "user": frappe.session.user},
	)
	return remnant


def as_leads() -> str:
	"""The remnants as a table that a query may read in the place of `tabLead`, by columns of the same names."""
	columns = ", ".join(f"r.`{column}`" for column in (*COLUMNS, *FACTS))
	return f"""(
		select r.name, null as title, r.source as `{lead_field("source")}`, null as lq_handover_status, {columns}
		from `tabLead Remnant` r
	)"""
