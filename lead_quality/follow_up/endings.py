"""What happens when a lead is closed: its cadence, clocks, handover and alerts end. `funnel.endings` decides when.

Each room ends what is its own: the cadence with its planned touch, the handover that waits for an answer, the clocks,
and what waits to be told.
"""

from collections.abc import Collection
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.base.runs import JobRun
from lead_quality.follow_up import service as follow_up
from lead_quality.funnel import endings, summary
from lead_quality.funnel.timeline import log_on_lead
from lead_quality.handover import service as handover
from lead_quality.nurture import service as nurture

MOST_LEADS = 20_000


def end_if_over(leads: Collection[str], now: datetime | None = None, lost_anew: bool = False) -> list[str]:
	"""End cadence, clocks, handover and alerts of those leads that are over, and mark them; unmark those that no longer are.

	What is decided is read after the leads are locked.

	:param now: naive instant in the site's zone.
	:param lost_anew: a document of theirs has just been lost: also a lead that was taken up again after an earlier loss
	    is over.
	:returns: the leads for which there was anything to do.
	"""
	now = now or now_datetime()
	marked = dict(
		query.run(
			"select name, lq_over from `tabLead` where name in %(leads)s order by name for update",
			{"leads": leads},
		)
	)
	over = endings.endings_of(marked)
	return [lead for lead, before in marked.items() if _settle(lead, before, over.get(lead), now, lost_anew)]


def _settle(lead: str, before: str | None, ending: str | None, now: datetime, lost_anew: bool) -> bool:
	is_new = (before or None) != ending
	if is_new:
		summary.write(lead, lq_over=ending, lq_over_at=ending and now)
	if not ending or not (is_new or lost_anew or ending in endings.FINAL):
		return is_new
	has_ended = _end(lead, ending, now)
	if has_ended:
		log_on_lead(lead, in_words(ending))
	return is_new or has_ended


def _end(lead: str, ending: str, now: datetime) -> bool:
	"""End cadence, clocks, handover and alerts of a lead. Returns whether there were any."""
	ended = [
		nurture.stop_for_lead(lead, in_words(ending)),
		handover.end_for_lead(lead, now),
		follow_up.cancel(lead, now=now),
		_withdraw_alerts(lead),
	]
	return any(ended)


def end_leads_of_clocks(clocks: Collection[str], now: datetime):
	"""End the clocks whose lead is over, before they are reported.

	:param now: naive instant in the site's zone.
	"""
	leads = query.run(
		"select distinct `lead` from `tabFollow Up Clock` where name in %(clocks)s",
		{"clocks": clocks},
		pluck=True,
	)
	_end_those_over(leads, now)


def end_closed_leads_of_alerts(user: str, now: datetime):
	"""Withdraw the alerts of leads that are over, before a user is notified.

	:param now: naive instant in the site's zone.
	"""
	leads = query.run(
		"select distinct `lead` from `tabFollow Up Alert` where for_user = %s and status = 'Pending'",
		(user,),
		pluck=True,
	)
	_end_those_over(leads, now)


def _end_those_over(leads: Collection[str], now: datetime):
	over = endings.endings_of(leads)
	if over:
		end_if_over(sorted(over), now)


def end_unmarked(run: JobRun) -> JobRun:
	"""End what goes on at the leads that are over without being marked so, as part of a job's run."""
	return run.each(endings.unmarked(MOST_LEADS), lambda lead, now: bool(end_if_over([lead], now)))


def _withdraw_alerts(lead: str) -> bool:
	names = frappe.get_all(
		"Follow Up Alert", {"lead": lead, "status": "Pending"}, pluck="name", order_by="name asc"
	)
	for name in names:
		frappe.db.set_value("Follow Up Alert", name, "status", "Withdrawn", update_modified=False)
	return bool(names)


def in_words(ending: str) -> str:
	"""Why a lead is over, as its cadence and its timeline say it."""
	return {
		endings.CONVERTED: _("The lead was converted to a customer."),
		endings.LOST: _("The lead was lost."),
		endings.DISQUALIFIED: _("The lead is disqualified."),
		endings.NO_CONTACT: _("The lead does not want to be contacted."),
	}[ending]
