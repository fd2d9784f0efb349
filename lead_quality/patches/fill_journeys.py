"""For sites from before the Lead Journey: what can still be known of when a lead was sales ready and accepted first, and
how it came in. The journeys themselves are filled in the background."""

from lead_quality.base import query
from lead_quality.base.versions import lead_field
from lead_quality.funnel import journey


def execute():
	query.run(
		"""
		update `tabLead Qualification` set sales_ready_on = decided_on
		where verdict = 'Sales Ready' and sales_ready_on is null
		"""
	)
	# the clock of a receiver who has accepted began when they did so; a return has another date since
	query.run(
		"""
		update `tabLead Handover` h left join (
			select c.reference_name, min(c.started_at) as started_at from `tabFollow Up Clock` c
			where c.clock = 'First Touch After Acceptance' and c.reference_doctype = 'Lead Handover'
			group by c.reference_name
		) begun on begun.reference_name = h.name
		set h.accepted_at = coalesce(begun.started_at, if(h.status in ('Accepted', 'Returned'), h.decided_at, null))
		where h.accepted_at is null and (h.status in ('Accepted', 'Returned') or begun.started_at is not null)
		"""
	)
	campaign = lead_field("campaign_name")
	query.run(
		f"""
		update `tabLead Stage Log` log join `tabLead` l on l.name = log.lead
		set log.campaign = nullif(l.`{campaign}`, ''), log.territory = nullif(l.territory, '')
		where log.campaign is null and log.territory is null
			and (ifnull(l.`{campaign}`, '') != '' or ifnull(l.territory, '') != '')
		"""
	)
	journey.enqueue_rebuild()
