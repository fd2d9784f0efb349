"""For sites whose stage log has stages that lie before the lead's entry: they were entered with it."""

from lead_quality.base import query


def execute():
	query.run(
		"""
		update `tabLead Stage Log` log
		join `tabLead Stage Log` target on target.lead = log.lead and target.stage = 'target'
		set log.entered_at = target.entered_at
		where log.stage != 'target' and log.entered_at < target.entered_at
		"""
	)
