"""When a person was last in touch with a lead."""

from datetime import datetime

import frappe

from lead_quality.base import query
from lead_quality.funnel import summary
from lead_quality.funnel.conditions import human_touch


def human_touches(lead: str) -> list[tuple[datetime, datetime | None]]:
	"""When persons were in touch with a lead, and when that was entered by hand; the first touch first."""
	return list(
		query.run(
			f"""
			select t.done_at, if(ifnull(t.communication, '') = '' and ifnull(t.reference_name, '') = '', t.logged_at, null)
			from `tabLead Touch` t where t.lead = %s and {human_touch("t")} order by t.done_at
			""",
			(lead,),
		)
	)


def keep_last_touch(lead: str, at: datetime):
	"""Show on a lead when a person was last in touch; `at` is naive, in the site's zone."""
	last = frappe.db.get_value("Lead", lead, "lq_last_touch_at")
	if not last or at > last:
		summary.write(lead, lq_last_touch_at=at)


def refresh_last_touch(lead: str):
	"""Show on a lead when a person was last in touch, of the touches that stand."""
	last = query.run(
		f"select max(t.done_at) from `tabLead Touch` t where t.lead = %s and {human_touch('t')}", (lead,)
	)[0][0]
	if frappe.db.get_value("Lead", lead, "lq_last_touch_at") != last:
		summary.write(lead, lq_last_touch_at=last)
