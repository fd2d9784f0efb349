"""Alerts that are kept to be told: each level of a clock, and each thing wrong with a lead, once."""

from datetime import datetime

import frappe

from lead_quality.base.rows import insert_rows


def raise_alerts(rows: list[dict], now: datetime):
	"""Keep alerts to be told, each by its unique `alert_key`: what was raised before is passed by.

	:param rows: values of Follow Up Alert, all with the same fields: `lead`, `lead_name`, `kind`, `clock`,
	    `for_user` (None: there is nobody who can be told, and it is not looked for again), `alert_key` and others.
	:param now: naive instant in the site's zone.
	"""
	keys = [row["alert_key"] for row in rows]
	known = set(
		frappe.db.sql_list("select alert_key from `tabFollow Up Alert` where alert_key in %s", (keys,))
		if keys
		else ()
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
