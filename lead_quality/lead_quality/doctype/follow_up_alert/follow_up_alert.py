import frappe
from frappe.utils import add_days, now_datetime

from lead_quality.base import query
from lead_quality.base.documents import OwnDocument
from lead_quality.base.links import OutlivesLinks
from lead_quality.funnel.conditions import IN_WORK


class FollowUpAlert(OutlivesLinks, OwnDocument):
	"""One level of one clock, or one fault of a lead, raised for a user or carried out as an action."""

	@staticmethod
	def clear_old_logs(days=180):
		"""Called by Log Settings. For leads in work, the latest alert of each fault and level stays: it shows that the
		fault, which may last for years, was already reported."""
		query.run(
			f"""
			delete from `tabFollow Up Alert`
			where creation < %(until)s and (
				kind != 'Unattended'
				or lead not in (select `tabLead`.name from `tabLead` where {IN_WORK})
				or exists (
					select 1 from (select lead, clock, level, creation from `tabFollow Up Alert`) later
					where
						later.lead = `tabFollow Up Alert`.lead and later.clock = `tabFollow Up Alert`.clock
						and later.level = `tabFollow Up Alert`.level and later.creation > `tabFollow Up Alert`.creation
				)
			)
			""",
			{"until": add_days(now_datetime(), -days)},
		)


def on_doctype_update():
	frappe.db.add_index("Follow Up Alert", ["status", "for_user"])
