"""What holds of a site whatever has happened to its leads: the oracle of the tests that let much happen.

Each question is asked of what is stored, in SQL of its own, so that it shares no mistake with the code it judges.
"""

from collections import Counter

import frappe

from lead_quality.custom_fields import LEAD_SUMMARY
from lead_quality.funnel import journey, summary
from lead_quality.funnel.service import DELETED

OPEN = "status in ('Running', 'Paused', 'Missed') and stopped_at is null"
# DocTypes with a `lead` that go with it; the others keep their rows without a name
GO_WITH_THE_LEAD = (
	"Lead Qualification",
	"Nurture Enrollment",
	"Lead Touch",
	"Lead Handover",
	"Follow Up Clock",
	"Follow Up Alert",
	"Lead Holding",
)
# of which rows stay for the totals, without a name
KEPT = ("Follow Up Clock", "Lead Holding")


def wrongs() -> list[str]:
	"""All that is wrong on the site, in words; empty if nothing is."""
	return [*wrong_summaries(), *wrong_books()]


def wrong_books() -> list[str]:
	"""All that is wrong but for the summary, which is dear to rebuild."""
	return [
		*wrong_enrollments(),
		*wrong_clocks(),
		*wrong_endings(),
		*wrong_handovers(),
		*wrong_stages(),
		*wrong_journeys(),
		*without_lead(),
	]


def wrong_summaries() -> list[str]:
	"""Rebuilding the summary changes nothing."""
	before = _summaries()
	frappe.db.savepoint("oracle")
	summary.rebuild()
	after = _summaries()
	frappe.db.rollback(save_point="oracle")
	return [
		f"{lead}: {field} is {row[field]}, and {after[lead][field]} when it is rebuilt"
		for lead, row in before.items()
		for field in row
		if (row[field] or None) != (after[lead][field] or None)
	]


def _summaries() -> dict:
	rows = frappe.db.sql(f"select name, {', '.join(LEAD_SUMMARY)} from `tabLead`", as_dict=True)
	return {row.pop("name"): row for row in rows}


def wrong_enrollments() -> list[str]:
	"""A lead is on one cadence at most. An open enrollment has exactly one planned touch, due when it says; one that is
	over has none."""
	wrong = [
		f"{lead} is on {count} cadences at once"
		for lead, count in frappe.db.sql(
			"""
			select lead, count(*) from `tabNurture Enrollment` where status in ('Active', 'Snoozed')
			group by lead having count(*) > 1
			"""
		)
	]
	for row in frappe.db.sql(
		"""
		select e.name, e.lead, e.status, e.next_due_at, count(t.name) as planned, min(t.due_at) as due_at,
			sum(t.lead != e.lead) as of_another
		from `tabNurture Enrollment` e
		left join `tabLead Touch` t on t.enrollment = e.name and t.status = 'Planned'
		group by e.name
		""",
		as_dict=True,
	):
		expected = 1 if row.status in ("Active", "Snoozed") else 0
		if row.planned != expected:
			wrong.append(
				f"{row.lead}: its {row.status} enrollment {row.name} has {row.planned} planned touches"
			)
		elif expected and row.due_at != row.next_due_at:
			wrong.append(f"{row.lead}: {row.name} says {row.next_due_at}, its planned touch {row.due_at}")
		if row.of_another:
			wrong.append(f"{row.lead}: {row.name} has a planned touch of another lead")
	wrong += [
		f"{lead}: it is on a cadence, or waits for an answer, and is over: {over}"
		for lead, over in frappe.db.sql(
			"""
			select l.name, l.lq_over from `tabLead` l
			where l.lq_over in ('Converted', 'Disqualified', 'No Contact') and (
				exists (
					select 1 from `tabNurture Enrollment` e where e.lead = l.name and e.status in ('Active', 'Snoozed')
				)
				or exists (select 1 from `tabLead Handover` h where h.lead = l.name and h.status = 'Sent')
			)
			"""
		)
	]
	return wrong


def wrong_clocks() -> list[str]:
	"""No clock is open on a lead that is converted, lost, disqualified or wants no contact, and one of a kind at most; nor
	the one for the next touch where none is planned, nor the one for an answer that is not waited for."""
	wrong = [
		f"{row.lead}: {row.clock} is open, and the lead is {why}"
		for why, condition in OVER.items()
		for row in frappe.db.sql(
			f"""
			select c.lead, c.clock from `tabFollow Up Clock` c join `tabLead` l on l.name = c.lead
			where c.{OPEN.replace("stopped_at", "c.stopped_at")} and ({condition})
			""",
			as_dict=True,
		)
	]
	wrong += [
		f"{lead}: {clock} is open {count} times"
		for lead, clock, count in frappe.db.sql(
			f"""
			select lead, clock, count(*) from `tabFollow Up Clock` where {OPEN}
			group by lead, clock having count(*) > 1
			"""
		)
	]
	wrong += [
		f"{lead}: Next Touch is open, and no touch is planned"
		for (lead,) in frappe.db.sql(
			f"""
			select c.lead from `tabFollow Up Clock` c
			where c.clock = 'Next Touch' and c.{OPEN.replace("stopped_at", "c.stopped_at")} and not exists (
				select 1 from `tabNurture Enrollment` e where e.lead = c.lead and e.status in ('Active', 'Snoozed')
			)
			"""
		)
	]
	wrong += [
		f"{lead}: Handover Acceptance is open, and no handover waits for an answer"
		for (lead,) in frappe.db.sql(
			f"""
			select c.lead from `tabFollow Up Clock` c
			where c.clock = 'Handover Acceptance' and c.{OPEN.replace("stopped_at", "c.stopped_at")} and not exists (
				select 1 from `tabLead Handover` h where h.lead = c.lead and h.status = 'Sent'
			)
			"""
		)
	]
	return wrong


# of the aliases l and c, its clock; addresses and numbers are compared as they are written
OVER = {
	"converted": "l.status = 'Converted'",
	# whoever is lost may be taken up again
	"lost": "(l.lq_over = 'Lost' or l.status = 'Lost Quotation') and c.creation < ifnull(l.lq_over_at, now())",
	"disqualified": "l.lq_verdict = 'Disqualified'",
	"not to be contacted": """
		l.status = 'Do Not Contact' or exists (
			select 1 from `tabContact Opt Out` o where o.channel = 'All' and (
				ifnull(o.email_id, '') != '' and o.email_id = l.email_id
				or ifnull(o.phone, '') != '' and o.phone in (l.mobile_no, l.phone)
			)
		)
	""",
}


def wrong_endings() -> list[str]:
	"""What a lead says of its end is so: a lead is over from the moment at which it is, and no longer."""
	return [
		f"{row.name} says that it is {row.lq_over}, and is {row.ending}"
		for row in frappe.db.sql(
			f"""
			select l.name, l.lq_over, case
				when l.status = 'Converted' or l.lq_stage = 'sale'
					or exists (select 1 from `tabCustomer` c where c.lead_name = l.name) then 'Converted'
				when {OVER["not to be contacted"]} then 'No Contact'
				when {OVER["disqualified"]} then 'Disqualified'
				when l.status = 'Lost Quotation' then 'Lost'
			end as ending
			from `tabLead` l
			""",
			as_dict=True,
		)
		# whether a customer was made of its opportunity, or all its opportunities are lost, is not asked here
		if (row.lq_over or None)
		not in ({row.ending, "Converted"} if row.ending else {None, "Converted", "Lost"})
	]


def wrong_handovers() -> list[str]:
	"""At most one handover of a lead waits for an answer."""
	return [
		f"{lead}: {count} handovers wait for an answer"
		for lead, count in frappe.db.sql(
			"""
			select lead, count(*) from `tabLead Handover` where status = 'Sent' group by lead having count(*) > 1
			"""
		)
	]


def wrong_stages() -> list[str]:
	"""Each lead is in the log, and each row of the log leaves the stage that the one before it has entered, but
	for one that stands in the place of another. The log of a lead that has taken in another is two, one among the other."""
	wrong, stage, entries = [], {}, Counter()
	for row in frappe.db.sql(
		"""
		select l.name as lead, log.stage, log.left_stage, log.corrects from `tabLead` l
		left join `tabLead Stage Log` log on log.lead = l.name
		order by l.name, log.creation, log.entered_at, field(log.stage, 'target', 'prospect', 'opportunity', 'sale')
		""",
		as_dict=True,
	):
		if not row.stage:
			wrong.append(f"{row.lead} is in no stage")
			continue
		entries[row.lead] += not row.left_stage
		if entries[row.lead] < 2 and not row.corrects and (row.left_stage or None) != stage.get(row.lead):
			wrong.append(f"{row.lead} leaves {row.left_stage}, and was in {stage.get(row.lead)}")
		stage[row.lead] = row.stage
	return wrong


def wrong_journeys() -> list[str]:
	"""Each lead has its journey, a rebuild of which changes nothing, and no journey is of a lead that is not known."""
	journey.write_marked()
	wrong = [
		f"{lead}: its journey is not as a rebuild makes it"
		for chunk in journey.chunks()
		for lead in journey.wrong_of(chunk)
	]
	known = "select name from `tabLead` union select lead from `tabLead Stage Log`"
	unknown = frappe.db.sql_list(
		f"select name from `tabLead Journey` where name not in ({known}) or name != `lead`"
	)
	return wrong + [f"{lead} has a journey, and is not known" for lead in unknown]


def without_lead() -> list[str]:
	"""What belongs to a lead is gone with it; what is kept for the totals of past months stands under the name of its
	remnant."""
	return [
		f"{doctype} {name} belongs to {lead}, which is not there"
		for doctype in GO_WITH_THE_LEAD
		for name, lead in frappe.db.sql(
			f"""
			select d.name, d.lead from `tab{doctype}` d left join `tabLead` l on l.name = d.lead
			where ifnull(d.lead, '') != '' and l.name is null
			"""
		)
		if not (doctype in KEPT and lead.startswith(DELETED) and frappe.db.exists("Lead Remnant", lead))
	]
