"""Checks of the set-up: what is missing, and what would improve it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import add_days, format_date
from frappe.utils.user import get_users_with_role

from lead_quality.base import query
from lead_quality.base.notices import is_reachable
from lead_quality.base.persons import NO_PERSONS
from lead_quality.base.queries import Where
from lead_quality.base.routes import report_route
from lead_quality.desk.findings import BLUE, ORANGE, RED, about, counted, finding, named
from lead_quality.follow_up import backlog, risks
from lead_quality.lead_quality.doctype.lead_segment.lead_segment import REASONS_ON_EXPIRY, broken_rules
from lead_quality.people.managers import manager_of
from lead_quality.permissions import WORKING_ROLES

SETTINGS = "Lead Quality Settings"

HOLIDAYS_END_WITHIN = 30
# so many owners of leads, those with most of them, are asked for their managers
MOST_OWNERS = 100


def user_findings() -> Iterator[dict]:
	settings = frappe.get_cached_doc(SETTINGS)
	if not _anybody("Lead Quality Manager"):
		yield finding(
			ORANGE,
			_("No user has the role Lead Quality Manager"),
			_("Alerts that have no other recipient go to this role. Assign it to a user."),
			"User",
		)
	people = {user for role in WORKING_ROLES for user in get_users_with_role(role) if is_reachable(user)}
	if len(people) < 2 and not settings.one_person_mode:
		yield finding(
			BLUE,
			_("There is no second user"),
			_(
				"A handover needs a second user to hand over to. If you do marketing and sales yourself, tick 'One person may stand on both sides'."
			),
			SETTINGS,
		)
	if not settings.fallback_user:
		yield finding(
			BLUE,
			_("No user receives alerts for leads without an owner"),
			_(
				"Their alerts go to the owner of the segment, else to every Lead Quality Manager. One name is better than many."
			),
			SETTINGS,
		)
	for user, doctype, name in _last_resorts(settings):
		if not is_reachable(user):
			yield finding(
				ORANGE,
				_("{0} is the last-resort recipient but cannot receive alerts").format(user),
				_("The user is disabled, or is not a person. Name another in {0}.").format(
					name or _(doctype)
				),
				doctype,
				name,
			)


def _last_resorts(settings) -> Iterator[tuple[str, str, str | None]]:
	"""Each user who is told when nobody else is there, and the document that says so."""
	if settings.fallback_user:
		yield settings.fallback_user, SETTINGS, None
	for doctype, fieldname in (("Lead Segment", "segment_owner"), ("Follow Up Policy", "escalate_to")):
		for row in frappe.get_all(
			doctype, {fieldname: ["is", "set"]}, ["name", fieldname], order_by="name asc"
		):
			yield row[fieldname], doctype, row.name


def segment_findings() -> Iterator[dict]:
	broken = list(dict.fromkeys(rule.parent for rule in broken_rules()))
	yield from about(
		RED,
		_("Segments take no leads"),
		broken,
		_("{0}: a rule uses a field that Lead no longer has."),
		"Lead Segment",
	)
	segments = frappe.get_all(
		"Lead Segment",
		{"enabled": 1},
		["name", "checklist", "cadence", "follow_up_policy", "on_expiry", "expiry_reason", "shelf_life_days"],
		order_by="priority asc, name asc",
	)
	if not segments:
		yield finding(
			ORANGE,
			_("There is no segment"),
			_(
				"A lead without a segment has no checklist, no cadence and no deadlines. Create one without rules: it takes every lead."
			),
			"Lead Segment",
		)
	for fieldname, severity, title, words in (
		("follow_up_policy", ORANGE, _("Segments without policy"), _("Their leads have no deadlines.")),
		(
			"checklist",
			ORANGE,
			_("Segments without a checklist"),
			_("Their leads are not checked against any definition."),
		),
		("cadence", BLUE, _("Segments without cadence"), _("No touch is planned for their leads.")),
	):
		without = [segment.name for segment in segments if not segment[fieldname]]
		if without:
			empty: dict[str, Any] = {"enabled": 1, fieldname: ["is", "not set"]}
			yield finding(severity, title, f"{named(without)}. {words}", "Lead Segment", **empty)
	for segment in segments:
		wanted = REASONS_ON_EXPIRY.get(segment.on_expiry) if segment.shelf_life_days else None
		if wanted and not frappe.db.exists("Lead Outcome Reason", {"name": segment.expiry_reason, **wanted}):
			yield finding(
				ORANGE,
				_("The shelf life of {0} uses a reason that is no longer valid").format(segment.name),
				_(
					"Expired leads cannot be closed automatically; their owners are notified instead. Choose another reason."
				),
				"Lead Segment",
				segment.name,
			)


def calendar_findings(now: datetime) -> Iterator[dict]:
	calendars = query.run(
		"""
		select c.name, c.holiday_list, h.to_date
		from `tabWorking Calendar` c
		left join `tabHoliday List` h on h.name = c.holiday_list
		where
			c.name in (select working_calendar from `tabFollow Up Policy`)
			or c.name in (select working_calendar from `tabNurture Cadence` where status = 'Active')
			or c.name in (select working_calendar from `tabSales Ready Agreement` where status = 'Active')
		order by c.name
		""",
		as_dict=True,
	)
	yield from about(
		BLUE,
		_("Calendars without a Holiday List"),
		[row.name for row in calendars if not row.holiday_list],
		_("{0}: deadlines count public holidays as working days."),
		"Working Calendar",
	)
	soon = add_days(now.date(), HOLIDAYS_END_WITHIN)
	for row in calendars:
		if row.to_date and row.to_date <= soon:
			yield finding(
				ORANGE if row.to_date < now.date() else BLUE,
				_("The holidays of {0} end on {1}").format(row.name, format_date(row.to_date)),
				_("After that day every holiday counts as a working day. Assign next year's Holiday List."),
				"Working Calendar",
				row.name,
			)


def escalation_findings() -> Iterator[dict]:
	steps = query.run(
		"""
		select p.name as policy, e.action, e.role, e.assignment_rule, e.outcome_reason, p.escalate_to
		from `tabFollow Up Escalation` e
		join `tabFollow Up Policy` p on p.name = e.parent and e.parenttype = 'Follow Up Policy'
		order by p.name, e.idx
		""",
		as_dict=True,
	)
	for step in steps:
		words = _broken_step(step)
		if words:
			yield finding(
				ORANGE,
				_("An escalation step cannot be carried out"),
				f"{step.policy}: {words}",
				"Follow Up Policy",
				step.policy,
			)
	endless = sorted({step.policy for step in steps if not step.escalate_to})
	if not frappe.get_cached_doc(SETTINGS).fallback_user:
		yield from about(
			BLUE,
			_("Escalations have no last-resort recipient"),
			endless,
			_("{0}: choose a Last Resort for cases where there is no manager."),
			"Follow Up Policy",
		)


def _broken_step(step) -> str | None:
	"""Why a step of a ladder cannot be done, in words."""
	if step.action == "Notify Role" and not _anybody(step.role):
		return _("nobody has the role {0}.").format(step.role)
	if step.action == "Reassign" and not _rule_works(step.assignment_rule):
		return _("the Assignment Rule {0} is disabled, or has no enabled user.").format(step.assignment_rule)
	if step.action == "Recycle" and not frappe.db.get_value(
		"Lead Outcome Reason", step.outcome_reason, "enabled"
	):
		return _("{0} is no longer a valid reason.").format(step.outcome_reason)
	return None


def _anybody(role: str) -> bool:
	return any(is_reachable(user) for user in get_users_with_role(role))


def _rule_works(name: str | None) -> bool:
	if not name or not frappe.db.exists("Assignment Rule", {"name": name, "disabled": 0}):
		return False
	rule = frappe.get_cached_doc("Assignment Rule", name)
	return rule.rule == "Based on Field" or any(is_reachable(row.user) for row in rule.users)


def backlog_findings() -> Iterator[dict]:
	yield from counted(
		BLUE,
		_("Old leads waiting for a decision: {0}"),
		backlog.count_for(frappe.session.user),
		_(
			"Nobody is alerted about them one by one. Take them up by segment, on the form of each Lead Segment."
		),
		"Lead",
		lq_waits=1,
	)
	untold = Where()
	untold.visible("Follow Up Alert")
	untold.add("`tabFollow Up Alert`.status = 'Untold'")
	yield from counted(
		ORANGE,
		_("Alerts without a recipient: {0}"),
		untold.count("Follow Up Alert"),
		_("Choose a user for leads without an owner, or assign the role Lead Quality Manager to a user."),
		"Follow Up Alert",
		status="Untold",
	)


def owner_findings(now: datetime) -> Iterator[dict]:
	where = Where()
	where.add(risks.IS_OF_MANY[risks.NO_OWNER])
	count = where.select(
		f"select count(*) as leads from {risks.MANY_LEADS_BY[risks.NO_OWNER]} where {{where}}",
		**risks.values_of_many(now),
	)[0].leads
	if count:
		yield {
			**finding(
				ORANGE,
				_("Leads without owner: {0}").format(count),
				_("They have no owner, or their owner is disabled. Assign them to somebody."),
			),
			"link": {
				"label": _("Leads at Risk"),
				"route": report_route("Leads at Risk", show="Leads", fault=risks.NO_OWNER),
			},
		}
	where = Where()
	where.visible("Lead")
	where.add("`tabLead`.disabled = 0 and `tabLead`.lead_owner = owned.lead_owner")
	# an index counts the leads of each; whether any of them is enabled takes a look at one
	rows = where.select(
		f"""
		select owned.lead_owner from (
			select one.lead_owner, count(*) as leads from `tabLead` one group by one.lead_owner
		) owned
		where ifnull(owned.lead_owner, '') not in %(nobody)s
			and (select 1 from `tabLead` where {{where}} limit 1) is not null
		order by owned.leads desc, owned.lead_owner limit {MOST_OWNERS}
		""",
		nobody=NO_PERSONS,
	)
	owners = [row.lead_owner for row in rows]
	alone = [user for user in owners if is_reachable(user) and not manager_of(user)]
	yield from counted(
		BLUE,
		_("Lead owners without a manager: {0}"),
		len(alone),
		_(
			"{0}. Their escalations go to the last-resort recipient. Set Reports To on their Employee record, or place them in the Sales Person tree."
		).format(named(alone)),
		"Employee",
	)
