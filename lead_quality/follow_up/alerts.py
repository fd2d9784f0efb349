"""Alerts are stored before they are delivered: one for each level of a clock and for each fault of a lead."""

from datetime import datetime

from lead_quality.base import query
from lead_quality.base.rows import insert_rows


def raise_alerts(rows: list[dict], now: datetime):
	"""Store alerts, each by its unique `alert_key`: what was raised before is left out.

	:param rows: values of Follow Up Alert, all with the same fields: `lead`, `lead_name`, `kind`, `clock`,
	    `for_user` (None: there is nobody who can be told, and it is not looked for again), `alert_key` and others.
	:param now: naive instant in the site's zone.
	"""
	if not rows:
		return
	keys = [row["alert_key"] for row in rows]
	known = set(
		query.run("select alert_key from `tabFollow Up Alert` where alert_key in %s", (keys,), pluck=True)
	)
	fresh = {row["alert_key"]: row for row in rows if row["alert_key"] not in known}
	insert_rows(
		"Follow Up Alert",
		[
			{**row, "status": "Pending" if row["for_user"] else "Untold", "raised_at": now}
			for row in fresh.values()
		],
		now,
	)
