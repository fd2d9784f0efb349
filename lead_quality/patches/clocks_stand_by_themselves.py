"""For sites whose clocks were started before each kept its own span, alerts and times: what the policy says today."""

from lead_quality import install
from lead_quality.base import query
from lead_quality.base.rows import update_rows
from lead_quality.follow_up.clocks import CLOCK_FIELDS, time_spent
from lead_quality.funnel import summary

CHUNK = 2_000


def execute():
	query.run(
		"""
		update `tabFollow Up Clock` c
		join `tabFollow Up Policy` p on p.name = c.policy
		join `tabFollow Up Target` t on t.parent = p.name and t.clock = c.clock
		set c.within = t.within, c.unit = t.unit, c.warn_at_percent = t.warn_at_percent,
			c.working_calendar = p.working_calendar
		where c.unit is null
		"""
	)
	# an agreed span went before the policy's
	for clock, span in (
		("Handover Acceptance", "accept_within"),
		("First Touch After Acceptance", "first_touch_within"),
	):
		query.run(
			f"""
			update `tabFollow Up Clock` c
			join `tabLead Handover` h on h.name = c.reference_name
			join `tabSales Ready Agreement` a on a.name = h.agreement and a.{span} > 0
			left join `tabFollow Up Policy` p on p.name = c.policy
			set c.within = a.{span}, c.unit = a.deadline_unit,
				c.working_calendar = coalesce(nullif(a.working_calendar, ''), p.working_calendar)
			where c.clock = %s
			""",
			(clock,),
		)
	# what nobody can tell any more runs in real time, as long as it was to run
	query.run(
		"""
		update `tabFollow Up Clock`
		set unit = 'Hours', within = timestampdiff(second, started_at, due_at) / 3600, working_calendar = (
			select name from `tabWorking Calendar` order by creation limit 1
		)
		where unit is null or working_calendar is null
		"""
	)
	# who has been told of a miss is not told again
	query.run(
		"""
		update `tabFollow Up Clock` c
		set alert_level = if(status = 'Missed', 2, 0),
			next_alert_at = if(status = 'Running', least(due_at, ifnull(warn_at, due_at)), null),
			acted_at = case
				when status = 'Met' then stopped_at
				when status = 'Missed' and (
					exists (select 1 from `tabLead Touch` t where t.lead = c.lead and t.done_at = c.stopped_at)
					or exists (
						select 1 from `tabLead Handover` h
						where h.name = c.reference_name and h.decided_at = c.stopped_at and h.status != 'Pulled Back'
					)
					or (c.clock = 'Triage' and exists (
						select 1 from `tabLead Qualification` q
						where q.lead = c.lead and (q.verdict in ('Sales Ready', 'Nurture') or q.horizon != 'Unknown')
					))
				) then stopped_at
			end
		where next_alert_at is null and alert_level = 0 and acted_at is null
		"""
	)
	fill_elapsed_seconds()
	# a field of the summary is new, and Frappe makes Custom Fields only after the patches
	install.make_custom_fields()
	summary.rebuild()


def fill_elapsed_seconds():
	last = ""
	while clocks := query.run(
		f"""
		select {", ".join(CLOCK_FIELDS)}, acted_at from `tabFollow Up Clock`
		where name > %s and acted_at is not null order by name limit {CHUNK}
		""",
		(last,),
		as_dict=True,
	):
		update_rows(
			"Follow Up Clock",
			[
				{"name": clock.name, "elapsed_seconds": time_spent(clock, clock.started_at, clock.acted_at)}
				for clock in clocks
			],
		)
		last = clocks[-1].name
