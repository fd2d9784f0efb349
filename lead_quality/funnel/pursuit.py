"""When somebody pursues a lead, and until when that is agreed, as SQL on rows of Lead Journey, which a query names `j`."""

from lead_quality.funnel.conditions import human_touch

_NEVER = "cast('9999-12-31' as datetime(6))"
# When a person was in touch with a qualified lead first since it was, or it became an opportunity, which somebody pursues.
# Of a deleted lead the touches are gone; what its journey says counts for it.
PURSUED_AT = f"""nullif(least(
	ifnull(
		coalesce(
			(
				select min(t.done_at) from `tabLead Touch` t
				where t.lead = j.name and t.done_at >= j.ready_at and {human_touch("t")}
			),
			if(j.last_touch_at >= j.ready_at, greatest(j.first_touch_at, j.ready_at), null)
		),
		{_NEVER}
	),
	ifnull(j.opportunity_at, {_NEVER}),
	ifnull(j.sale_at, {_NEVER})
), {_NEVER})"""


def _first_deadline(of: str) -> str:
	"""SQL: the first deadline of those clocks of a lead."""
	return f"""(
		select min(c.due_at) from `tabFollow Up Clock` c
		where c.lead = j.name and c.status != 'Cancelled' and {of}
	)"""


# a contact that was asked for when the lead was qualified, or since
_NEXT_CONTACT = """c.clock in ('First Response', 'Next Touch')
	and (c.stopped_at is null or c.stopped_at >= j.ready_at)"""


# Until when it is agreed to: of a lead that was handed over, to the first touch after sales has accepted it, and as long as
# it has not, to an answer; of another one, to the next contact that was asked for when it was qualified, or since. None of a
# lead whose segment has no policy, or one that asks for neither.
PURSUE_BY = f"""coalesce(
	{_first_deadline("c.clock = 'First Touch After Acceptance'")},
	{_first_deadline("c.clock = 'Handover Acceptance'")},
	if(j.handed_over_at is null, {_first_deadline(_NEXT_CONTACT)}, null)
)"""

# When a person first called a lead after its first quotation was made. A call is a call, whoever answered it.
CALLED_AT = """(
	select min(t.done_at) from `tabLead Touch` t
	where t.lead = j.name and t.channel = 'Phone' and t.direction = 'Outbound' and t.status = 'Done'
		and t.is_automatic = 0 and t.done_at >= j.quoted_at
)"""
