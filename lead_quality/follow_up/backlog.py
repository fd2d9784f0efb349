"""Leads that wait for a decision: those from before the install, and imported ones that nobody works yet.

They are counted in one line and shown in one list. Nobody is alerted about them one by one until somebody takes them up,
by segment or by working on one of them. Each has a Lead Backlog; `lq_waits` of the lead is its summary.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from urllib.parse import quote

import frappe
from frappe import _
from frappe.utils import add_days, cint, get_datetime, get_url_to_list, getdate, now_datetime

from lead_quality.base import query
from lead_quality.base.notices import is_reachable, tell, words_for
from lead_quality.base.runs import JobRun
from lead_quality.follow_up import clocks, service
from lead_quality.funnel import summary
from lead_quality.funnel.conditions import IN_WORK
from lead_quality.funnel.lead_save import LeadSave
from lead_quality.nurture import service as nurture
from lead_quality.people.recipients import People
from lead_quality.permissions import LAST_RESORTS, bindable, lead_condition
from lead_quality.qualification.answering import answer

DOCTYPE = "Lead Backlog"
BEFORE_INSTALL, IMPORT = "Before Install", "Import"
WATCH, ENROLL, DISQUALIFY = DECISIONS = ("Watch", "Enroll", "Disqualify")

TOLD_ON = "lead_quality_backlog_told_on"
DAYS_BETWEEN = 7
LONGEST = 2 * 3600

WAITING = "select b.lead from `tabLead Backlog` b where b.taken_up_at is null"


# leads that come in


def keep_old_leads(now: datetime, condition: str = "1 = 1"):
	"""Put the leads that are in work already into the backlog: two statements, however many they are.

	:param now: naive instant in the site's zone.
	:param condition: SQL on `tabLead`: only those.
	"""
	_keep(now, condition)
	query.run(f"update `tabLead` set lq_waits = 1 where name in ({WAITING})")


def keep(leads: Collection[str], now: datetime) -> set[str]:
	"""Of some leads, those in work wait for a decision; their summary is the caller's to write.

	:param now: naive instant in the site's zone.
	:returns: which they are, with those that have waited before.
	"""
	_keep(now, "`tabLead`.name in %(leads)s", leads=leads)
	return set(query.run(f"{WAITING} and b.lead in %(leads)s", {"leads": leads}, pluck=True))


def _keep(now: datetime, condition: str, **values):
	query.run(
		f"""
		insert into `tabLead Backlog`
			(name, owner, modified_by, creation, modified, lead, lead_name, came_by, waits_since)
		select
			left(sha1(concat(`tabLead`.name, %(now)s)), 16), 'Administrator', 'Administrator', %(now)s, %(now)s,
			`tabLead`.name, `tabLead`.title, '{BEFORE_INSTALL}', %(now)s
		from `tabLead`
		where {IN_WORK} and {condition}
			and not exists (select 1 from `tabLead Backlog` b where b.lead = `tabLead`.name)
		""",
		{"now": now, **values},
	)


def receive_import(save: LeadSave):
	"""An imported lead waits for a decision, unless the settings say that such leads are told like any other, or
	have them triaged one by one."""
	settings = frappe.get_cached_doc("Lead Quality Settings")
	if not cint(settings.imported_leads_wait) or cint(settings.imported_leads_start_in_triage):
		return
	at = get_datetime(save.lead.creation)
	row = {"lead": save.lead.name, "lead_name": save.lead.title, "came_by": IMPORT, "waits_since": at}
	save.insert_rows(DOCTYPE, [row], at)
	save.summarise(save.lead, lq_waits=1)


# taking them up


def take_up(lead: str, now: datetime | None = None) -> bool:
	"""Take a lead out of the backlog, as somebody works on it. Returns whether it was in it.

	:param now: naive instant in the site's zone.
	"""
	if not frappe.db.get_value("Lead", lead, "lq_waits"):
		return False
	_take_up(lead, now or now_datetime())
	return True


def merge_into(lead: str):
	"""Two leads have become one: somebody works on it, whichever of them had waited."""
	if frappe.db.exists(DOCTYPE, {"lead": lead, "taken_up_at": ["is", "not set"]}):
		_take_up(lead, now_datetime())


def _take_up(lead: str, now: datetime):
	# "is not set" of Frappe compares an instant with '' too, which a strict database refuses in an update
	query.run(
		"""
		update `tabLead Backlog` set taken_up_at = %(now)s, taken_up_by = %(user)s, modified = %(now)s, modified_by = %(user)s
		where lead = %(lead)s and taken_up_at is null
		""",
		{"lead": lead, "now": now, "user": frappe.session.user},
	)
	summary.write(lead, lq_waits=0)
	enrollment = nurture.open_enrollment(lead)
	if enrollment and not clocks.has_open(lead, "Next Touch"):
		# nobody has watched its plan until now
		service.start_next_touch(enrollment.name, now)


def take_up_segment(segment: str | None, decision: str, reason: str | None, user: str) -> dict:
	"""Decide about all leads of a segment that wait; the job of `desk.backlog.take_up`.

	:param decision: Watch, Enroll (in the segment's cadence), or Disqualify.
	:param reason: the Lead Outcome Reason to disqualify for.
	:returns: counts found, done, failed.
	"""
	before = frappe.session.user
	frappe.set_user(user)
	try:
		run = JobRun("take_up_leads")
		return run.each(waiting_leads(segment), partial(decide, decision, reason)).finish()
	finally:
		frappe.set_user(before)


def waiting_leads(segment: str | None) -> list[str]:
	"""The leads of a segment (None: of no segment) that wait for a decision and that the user may see, the likeliest to
	buy first."""
	filters = {"lq_waits": 1, "lq_segment": segment or ["is", "not set"]}
	return frappe.get_list(
		"Lead", filters, pluck="name", order_by="lq_priority desc, creation asc", limit_page_length=0
	)


def decide(decision: str, reason: str | None, lead: str, now: datetime) -> bool:
	frappe.db.get_value("Lead", lead, "name", for_update=True)
	if not take_up(lead, now):
		return False
	if decision == ENROLL and not nurture.open_enrollment(lead):
		nurture.enroll(lead)
	elif decision == DISQUALIFY:
		answer(lead, [], decision="Disqualified", outcome_reason=reason)
	return True


# the one line


def close_what_is_over(now: datetime):
	"""Take those leads out of the backlog that have become an opportunity, or no buyer, in the meantime.

	:param now: naive instant in the site's zone.
	"""
	over = f"select `tabLead`.name from `tabLead` where `tabLead`.lq_waits = 1 and not {IN_WORK}"
	names = query.run(over, pluck=True)
	for start in range(0, len(names), 1000):
		chunk = names[start : start + 1000]
		query.run(
			"update `tabLead Backlog` set taken_up_at = %s where lead in %s and taken_up_at is null",
			(now, chunk),
		)
		query.run("update `tabLead` set lq_waits = 0 where name in %s", (chunk,))


def count_for(user: str) -> int:
	"""How many leads wait for a decision that a user may see."""
	condition = lead_condition(user)
	visible = f"and ({bindable(condition)})" if condition else ""
	return query.run(
		f"select count(*) from `tabLead` where `tabLead`.lq_waits = %(waits)s {visible}", {"waits": 1}
	)[0][0]


def tell_of_waiting(now: datetime) -> int:
	"""Once a week, tell the Lead Quality Managers, else the System Managers, in one line how many leads wait.

	:param now: naive instant in the site's zone.
	:returns: how many users were told.
	"""
	if not query.run("select 1 from `tabLead` where lq_waits = 1 limit 1"):
		return 0
	close_what_is_over(now)
	told_on = frappe.db.get_global(TOLD_ON)
	if told_on and getdate(told_on) > getdate(add_days(now.date(), -DAYS_BETWEEN)):
		return 0
	counts = {user: count_for(user) for user in _deciders(now)}
	told = [user for user, count in counts.items() if count]
	for user in told:
		with words_for(user):
			tell(
				user,
				in_words(counts[user]),
				"Lead Quality Settings",
				"Lead Quality Settings",
				kind="Unattended",
				link=f"{get_url_to_list('Lead')}?lq_waits={quote('1')}",
			)
	if told:
		frappe.db.set_global(TOLD_ON, str(now.date()))
	return len(told)


def in_words(count: int) -> str:
	if count == 1:
		return _("1 old lead is waiting for a decision. Take it up on the form of its segment.")
	return _(
		"{0} old leads are waiting for a decision. Take them up by segment, on the form of each."
	).format(frappe.format(count, "Int"))


def _deciders(now: datetime) -> list[str]:
	people = People([], now.date())
	for role in LAST_RESORTS:
		users = [user for user in people.with_role(role) if is_reachable(user)]
		if users:
			return users
	return []


def forget_lead(lead: str):
	"""A lead was deleted: nobody is to decide about it."""
	frappe.db.delete(DOCTYPE, {"lead": lead})
