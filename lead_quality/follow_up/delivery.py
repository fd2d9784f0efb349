"""Delivery of alerts: each user gets all pending alerts in one message."""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_url_to_form, get_url_to_list

from lead_quality.base import query
from lead_quality.base.notices import notify, plain, wishes_of, words_for
from lead_quality.base.rows import update_rows
from lead_quality.follow_up import endings
from lead_quality.follow_up.alert_hours import AlertHours
from lead_quality.follow_up.alerts import raise_alerts
from lead_quality.follow_up.words import counts_in_words, in_words
from lead_quality.funnel.conditions import HISTORY_READ
from lead_quality.people.recipients import People
from lead_quality.qualification.segments import policy_of

MOST_IN_ONE_STATEMENT = 1_000
# a message names so many leads; the rest is behind its link
MOST_IN_ONE_MESSAGE = 10


def users_to_tell(before: datetime | None = None) -> list[str]:
	"""The users for whom an alert is pending.

	:param before: only what was raised before this instant counts; naive, in the site's zone.
	"""
	return query.run(
		f"""
		select distinct for_user from `tabFollow Up Alert` alert
		where
			status = 'Pending'
			and (
				lead is null
				or exists (select 1 from `tabLead` where `tabLead`.name = alert.lead and {HISTORY_READ})
			)
			{"and raised_at < %(before)s" if before else ""}
		order by for_user
		""",
		{"before": before},
		pluck=True,
	)


def deliver(user: str, now: datetime) -> bool:
	"""Notify a user of all pending alerts in one message. Returns whether there were any.

	Who may not be told any more is not, and the last resort is told instead. Outside the hours of the settings nobody
	is told.

	:param now: naive instant in the site's zone.
	"""
	if AlertHours().opens_at(user, now) > now:
		return False  # told when the hours begin
	endings.end_closed_leads_of_alerts(user, now)
	alerts = _of_existing_leads(_lock_pending(user))
	if not alerts:
		return False
	wishes, digest = wishes_of(user), frappe.generate_hash(length=12)
	people = People((alert.lead for alert in alerts), now.date())
	states = {}
	for alert in alerts:
		if not people.can_be_told(user, alert.lead):
			states[alert.name] = "Withdrawn"
		else:
			states[alert.name] = "Muted" if wishes[alert.kind] == "Off" else "Sent"
	told = [alert for alert in alerts if states[alert.name] == "Sent"]
	if told:
		_notify_of(user, told, [alert for alert in told if wishes[alert.kind] != "Bell Only"], digest)
	_pass_on([alert for alert in alerts if states[alert.name] == "Withdrawn"], people, now)
	rows = [
		{"name": name, "status": status, "sent_at": now, "digest": digest} for name, status in states.items()
	]
	for start in range(0, len(rows), MOST_IN_ONE_STATEMENT):
		update_rows("Follow Up Alert", rows[start : start + MOST_IN_ONE_STATEMENT])
	return True


def _of_existing_leads(alerts: list) -> list:
	"""Alerts without those of leads that were deleted without document events, which `forget_missing_leads` deletes, and
	of those whose history is still to be read in, which stay pending."""
	leads = sorted({alert.lead for alert in alerts if alert.lead})
	there_are: set[str] = set()
	for start in range(0, len(leads), MOST_IN_ONE_STATEMENT):
		chunk = leads[start : start + MOST_IN_ONE_STATEMENT]
		there_are.update(
			frappe.get_all(
				"Lead", {"name": query.among(chunk), "lq_history_unread": 0}, pluck="name", order_by=None
			)
		)
	return [alert for alert in alerts if not alert.lead or alert.lead in there_are]


def _lock_pending(user: str) -> list:
	"""All that is pending for a user, locked; nothing while somebody else is at any of it, who tells it or whose
	sweep has it told: of two who share it, each would send a message."""
	# found by this index only: in a small table the database would read, and lock, everybody else's too
	try:
		return query.run(
			"""
			select name, lead, lead_name, kind, clock, due_at, by_system, action, note, for_user, follow_up_clock,
				level, alert_key, about_user
			from `tabFollow Up Alert` force index (status_for_user_index)
			where for_user = %s and status = 'Pending'
			order by due_at, lead
			for update nowait
			""",
			(user,),
			as_dict=True,
		)
	except frappe.QueryTimeoutError:
		return []


def _pass_on(alerts: list, people: People, now: datetime):
	"""Raise alerts for the last resort that their user may not be told of any more."""
	leads = {
		row.name: row
		for row in frappe.get_all(
			"Lead",
			{"name": query.among([alert.lead for alert in alerts])},
			["name", "lq_segment", "company"],
			order_by="name asc",
		)
	}
	passed = []
	for alert in alerts:
		lead = leads.get(alert.lead)
		if not lead:
			continue
		resorts = people.last_resorts(policy_of(lead), lead.lq_segment)
		kept = {key: value for key, value in alert.items() if key not in {"name", "alert_key"}}
		passed += [
			{**kept, "for_user": other, "alert_key": f"{alert.alert_key}>{other}"}
			for other in people.first_of(resorts, alert.lead)
		]
	raise_alerts(passed, now)


def _notify_of(user: str, alerts: list, mailed: list, digest: str):
	leads = {alert.lead for alert in alerts}
	with words_for(user):
		if len(alerts) == 1:
			doctype, name = _form_of(alerts[0])
			notify(user, in_words(alerts[0], user), doctype, name, is_mailed=bool(mailed))
			return
		counts = counts_in_words(alerts)
		if len(leads) == 1:
			subject = _("{0} waits for you: {1}").format(plain(alerts[0].lead_name), counts)
		else:
			subject = _("{0} leads are waiting for you: {1}").format(len(leads), counts)
		if any(alert.by_system for alert in alerts):
			subject += " " + _(
				"The system was late: what fell due in the meantime does not count against you."
			)
		link = f"{get_url_to_list('Follow Up Alert')}?digest={digest}" if len(leads) > 1 else None
		content = frappe.render_template(
			"lead_quality/templates/digest.html",
			{
				"alerts": [
					{**alert, "words": in_words(alert, user), "url": get_url_to_form(*_form_of(alert))}
					for alert in mailed[:MOST_IN_ONE_MESSAGE]
				],
				"more": max(len(mailed) - MOST_IN_ONE_MESSAGE, 0),
				"list_url": link,
				"settings_url": get_url_to_form("Notification Settings", user),
			},
		)
		notify(user, subject, "Lead", alerts[0].lead, content=content, link=link, is_mailed=bool(mailed))


def _form_of(alert) -> tuple[str, str]:
	"""DocType and name of the form in which something can be done about an alert."""
	if alert.clock == "Handover Acceptance":
		handover = frappe.db.get_value("Follow Up Clock", alert.follow_up_clock, "reference_name")
		if handover:
			return "Lead Handover", handover
	return "Lead", alert.lead
