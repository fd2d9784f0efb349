"""Clocks whose time has come: each alert level is raised once, and each user hears of all of it in one message."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

import frappe
from frappe import _
from frappe.utils import get_fullname, get_url_to_form, get_url_to_list, strip_html

from lead_quality.base.notices import notify, plain, wishes_of, words_for
from lead_quality.base.rows import insert_rows, update_rows
from lead_quality.base.runs import was_rolled_back
from lead_quality.base.site_time import aware, get_calendar, naive, told_to
from lead_quality.engine import clock as engine
from lead_quality.follow_up import escalation
from lead_quality.follow_up.service import (
	CLOCK_FIELDS,
	SWEEP,
	is_outage,
	is_within,
	outages,
	resumed,
)
from lead_quality.nurture.service import catch_up
from lead_quality.people.recipients import People
from lead_quality.qualification.service import policy_of

# clocks that a contact with the lead stops: before one of them is called missed, the mail and the calls are looked at
STOPPED_BY_CONTACT = frozenset(engine.STOPPED_BY["human touch"] + engine.STOPPED_BY["planned touch"])

FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
MOST_IN_ONE_STATEMENT = 1_000
MOST_OF_AN_ERROR = 200
# a mail lists so many leads; the rest is behind its link
MOST_IN_ONE_MAIL = 50


# what is due


def due_clocks(now: datetime, limit: int) -> list[str]:
	"""Names of the clocks that have something to be told of at `now` (naive, the site's zone), the first due first."""
	return frappe.db.sql_list(
		"""
		select name from `tabFollow Up Clock` clock
		where next_alert_at < %s and exists (select 1 from `tabLead` where name = clock.lead)
		order by next_alert_at limit %s
		""",
		(now, limit),
	)


def still_due(names: list[str], now: datetime) -> list[str]:
	"""Of some clocks those that have still something to be told of at `now` (naive, the site's zone)."""
	if not names:
		return []
	return frappe.db.sql_list(
		"""
		select name from `tabFollow Up Clock`
		where name in %s and next_alert_at < %s order by next_alert_at
		""",
		(names, now),
	)


def outage_before(run: str, started_at: datetime) -> datetime | None:
	"""When a sweep had last been done before a Follow Up Run that comes late; None if that is in time.

	A run that was killed has done nothing that could be relied on.

	:param started_at: when the run started; naive, in the site's zone.
	"""
	last = frappe.db.sql(
		"""
		select max(started_at) from `tabFollow Up Run`
		where job = %s and status != 'Running' and started_at <= %s and name != %s
		""",
		(SWEEP, started_at, run),
	)[0][0]
	return last if is_outage(last, started_at) else None


# raising


@dataclass
class Turn:
	"""What is to be done about one clock now: the levels that are raised, and what the clock keeps."""

	clock: frappe._dict
	values: dict
	levels: list[tuple[int, object]] = field(default_factory=list)  # level and, from the ladder, its step

	@property
	def changes_lead(self) -> bool:
		return any(step and step.action in escalation.ACTIONS for _level, step in self.levels)


class Sweep:
	"""Raises what is due of some clocks at one moment.

	The clocks are locked while they are judged; of two sweeps at the same time, one raises and the other passes by.
	"""

	def raise_many(self, names: list[str], now: datetime) -> int:
		"""Raise what only tells somebody, for many clocks in a few statements; returns for how many.

		What changes a lead is left to `raise_one`.
		"""
		turns = [turn for turn in self._turns(names, now) if not turn.changes_lead]
		self._carry_out(turns, now)
		return len(turns)

	def raise_one(self, name: str, now: datetime) -> bool:
		"""Raise what is due of one clock. Returns whether there was anything left to do."""
		lead = frappe.db.get_value("Follow Up Clock", name, "lead")
		# first the lead, then its clocks: as whoever logs a touch locks them
		frappe.db.get_value("Lead", lead, "name", for_update=True)
		turns = self._turns([name], now)
		self._carry_out(turns, now)
		return bool(turns)

	def _turns(self, names: list[str], now: datetime) -> list[Turn]:
		clocks = _lock_due(names, now)
		waiting = [c for c in clocks if c.clock in STOPPED_BY_CONTACT and _is_to_be_missed(c, now)]
		if waiting and catch_up(
			sorted({clock.lead for clock in waiting}), min(clock.started_at for clock in waiting), now
		):
			clocks = _lock_due(names, now)
		self.leads = _Leads(clocks)
		first_day = min((clock.due_at.date() for clock in clocks), default=None)
		self.people = People(self.leads.names, now.date(), first_day)
		self.outages = outages()
		return [self._turn(clock, now) for clock in clocks]

	def _turn(self, clock, now: datetime) -> Turn:
		values = {
			"name": clock.name,
			"status": "Running",
			"paused_at": clock.paused_at,
			"paused_until": clock.paused_until,
			"pause_reason": clock.pause_reason,
			"paused_seconds": clock.paused_seconds,
			"owner_at_breach": clock.owner_at_breach,
			"missed_by_system": clock.missed_by_system,
			"ladder_from": clock.ladder_from,
			"alert_level": clock.alert_level,
			"next_alert_at": clock.due_at,
			"failures": 0,
		}
		turn = Turn(clock, values)
		if clock.status == "Paused":
			values.update({key: value for key, value in resumed(clock, now).items() if key in values})
		if values["alert_level"] < engine.WARNING:
			values["alert_level"] = engine.WARNING
			if now <= clock.due_at:
				turn.levels.append((engine.WARNING, None))
		if now > clock.due_at:
			values["status"] = "Missed"
			is_known = values["alert_level"] >= engine.MISSED or self._miss(turn, now)
			self._climb(turn, now, is_known)
		return turn

	def _miss(self, turn: Turn, now: datetime) -> bool:
		"""Declare a miss. Returns whether who is responsible could have known of it."""
		clock, values = turn.clock, turn.values
		by_system = is_within(self.outages, clock.due_at)
		values.update(
			{
				"alert_level": engine.MISSED,
				"owner_at_breach": self.people.answerable(
					self.leads.responsible(clock, clock.due_at),
					clock.due_at,
					lambda user: self._may_act(clock, user),
				),
				"missed_by_system": int(by_system),
				# the ladder is for those who were told and did nothing
				"ladder_from": now if by_system else clock.due_at,
			}
		)
		turn.levels.append((engine.MISSED, None))
		return not by_system

	def _climb(self, turn: Turn, now: datetime, is_known: bool):
		"""The steps of the ladder whose time has come, and when the next one's will.

		:param is_known: whether anybody had been told of the miss before: if not, no step is taken at once.
		"""
		clock, values = turn.clock, turn.values
		policy = self.leads.policy(clock)
		begins = aware(values["ladder_from"] or clock.due_at)
		steps = sorted(
			(
				(naive(_step_at(step, begins, clock, policy)), step)
				for step in escalation.steps_of(policy, clock.clock)
			),
			key=lambda step: step[0],
		)
		values["next_alert_at"] = None
		for at, step in steps[values["alert_level"] - engine.MISSED :]:
			if not is_known:
				at = max(at, now + FIRST_RETRY)
			if at > now:
				values["next_alert_at"] = at
				return
			values["alert_level"] += 1
			turn.levels.append((values["alert_level"], step))

	def _carry_out(self, turns: list[Turn], now: datetime):
		update_rows("Follow Up Clock", [turn.values for turn in turns])
		told = [(turn, level, step) for turn in turns for level, step in turn.levels]
		# what is done comes before what is said of it: it may end the clock, which takes back what waits to be said
		failed = [
			self._failure(*raised, error)
			for raised in told
			if raised[2] and raised[2].action in escalation.ACTIONS and (error := self._act(*raised, now))
		]
		said = [self._alerts(*raised) for raised in told]
		raise_alerts(list(chain(*said, *failed)), now)

	def _may_act(self, clock, substitute: str) -> bool:
		# nobody answers a handover of their own
		return substitute != self.leads.sender(clock) and self.people.can_be_told(substitute, clock.lead)

	def _acting(self, clock, user: str | None) -> str | None:
		"""Who is told in the place of who is responsible."""
		acting = self.people.there(user)
		return acting if acting == user or acting != self.leads.sender(clock) else self.people.manager(user)

	def _alerts(self, turn: Turn, level: int, step) -> list[dict]:
		"""The alerts of one level, one for each user who is told."""
		lead, user = turn.clock.lead, self.leads.responsible(turn.clock)
		acting = self._acting(turn.clock, user)
		policy, segment = self.leads.policy(turn.clock), self.leads.segment(turn.clock)
		if step and step.action not in escalation.ACTIONS:
			users = self.people.told_by(step, user, acting, lead, policy, segment)
		else:
			# who loses the lead is told too, and who is to look after it where nobody has it
			users = self.people.first_of([[acting], *self.people.last_resorts(policy, segment)], lead)
		kind = {engine.WARNING: "Warning", engine.MISSED: "Missed"}.get(level, "Escalation")
		return [
			self._alert(
				turn, level, step, told, "Missed" if kind == "Escalation" and told == acting else kind
			)
			for told in users
		]

	def _failure(self, turn: Turn, level: int, step, error: str) -> list[dict]:
		"""The alerts about a step of the ladder that could not be done: the last resort is to do something else."""
		policy, segment = self.leads.policy(turn.clock), self.leads.segment(turn.clock)
		users = self.people.first_of(self.people.last_resorts(policy, segment), turn.clock.lead)
		return [
			{
				**self._alert(turn, level, step, told, "Escalation"),
				"action": f"{step.action} Failed",
				"alert_key": f"{turn.clock.name}:{step.name}:failed:{told}",
				"note": error,
			}
			for told in users
		]

	def _alert(self, turn: Turn, level: int, step, user: str, kind: str) -> dict:
		clock = turn.clock
		return {
			"lead": clock.lead,
			"lead_name": clock.lead_name,
			"kind": kind,
			"clock": clock.clock,
			"due_at": clock.due_at,
			"by_system": turn.values["missed_by_system"],
			"for_user": user,
			"follow_up_clock": clock.name,
			"level": level,
			"action": step.action if step else None,
			# by the step, not by its place: a ladder may be changed while it is climbed
			"alert_key": f"{clock.name}:{step.name if step else level}:{user}",
			"note": None,
		}

	def _act(self, turn: Turn, level: int, step, now: datetime) -> str | None:
		"""Change the lead as a step of the ladder says.

		:returns: why that could not be done, or None.
		"""
		clock = turn.clock
		key = f"{clock.name}:{step.name}:{step.action}"
		if frappe.db.exists("Follow Up Alert", {"alert_key": key}):
			return None
		frappe.db.savepoint("lead_quality_step")
		try:
			if step.action == "Reassign":
				escalation.reassign(clock.lead, step.assignment_rule)
			elif step.action == "Recycle":
				escalation.recycle(clock.lead, step.outcome_reason, now)
			if step.action in {"Pull Back", "Recycle"}:
				escalation.take_back(clock, step.action, now)
			frappe.get_doc(
				{
					"doctype": "Follow Up Alert",
					"lead": clock.lead,
					"lead_name": clock.lead_name,
					"kind": "Escalation",
					"clock": clock.clock,
					"due_at": clock.due_at,
					"status": "Done",
					"raised_at": now,
					"follow_up_clock": clock.name,
					"level": level,
					"action": step.action,
					"outcome_reason": step.outcome_reason,
					"alert_key": key,
				}
			).insert(ignore_permissions=True)
		except Exception as error:
			if was_rolled_back(error):
				raise
			frappe.db.rollback(save_point="lead_quality_step")
			frappe.clear_last_message()
			return strip_html(str(error))[:MOST_OF_AN_ERROR] or type(error).__name__
		return None


def _step_at(step, begins: datetime, clock, policy) -> datetime:
	return engine.due_at(
		begins, step.after or 0, step.unit, get_calendar(clock.working_calendar or policy.working_calendar)
	)


def _is_to_be_missed(clock, now: datetime) -> bool:
	return now > clock.due_at and clock.alert_level < engine.MISSED


def _lock_due(names: list[str], now: datetime) -> list:
	if not names:
		return []
	# found by their names: by the other index, the clocks of everybody else's chunk would be locked too
	return frappe.db.sql(
		f"""
		select pause_reason, {", ".join(CLOCK_FIELDS)}
		from `tabFollow Up Clock` force index (primary)
		where name in %(names)s and next_alert_at < %(now)s
		order by next_alert_at
		for update skip locked
		""",
		{"names": names, "now": now},
		as_dict=True,
	)


class _Leads:
	"""What is known of the leads of some clocks, read once for all of them."""

	def __init__(self, clocks: list):
		self.names = sorted({clock.lead for clock in clocks})
		self._leads = {
			row.name: row
			for row in self._select(
				"select name, lead_owner, lq_segment, company from `tabLead` where name in %(names)s",
				self.names,
			)
		}
		self._handovers = {
			row.name: row
			for row in self._select(
				"select name, from_user, to_user from `tabLead Handover` where name in %(names)s",
				[c.reference_name for c in clocks if c.clock == "Handover Acceptance" and c.reference_name],
			)
		}
		self._held: dict[str, list] = {}
		for row in self._select(
			"select lead, user, held_until from `tabLead Holding` where lead in %(names)s order by held_until",
			self.names,
		):
			self._held.setdefault(row.lead, []).append(row)

	def _select(self, query: str, names: list[str]) -> list:
		return frappe.db.sql(query, {"names": names}, as_dict=True) if names else []

	def responsible(self, clock, at: datetime | None = None) -> str | None:
		"""Who is to act on a clock, or was at `at` (naive, the site's zone); see `service.responsible_at`."""
		if clock.clock == "Handover Acceptance" and clock.reference_name:
			handover = self._handovers.get(clock.reference_name)
			return handover and handover.to_user
		for row in self._held.get(clock.lead, []) if at else []:
			if row.held_until > at:
				return row.user
		lead = self._leads.get(clock.lead)
		return lead and lead.lead_owner

	def sender(self, clock) -> str | None:
		"""Who has sent the handover whose answer a clock waits for; None for every other clock."""
		handover = self._handovers.get(clock.reference_name)
		return handover and handover.from_user

	def segment(self, clock) -> str | None:
		lead = self._leads.get(clock.lead)
		return lead and lead.lq_segment

	def policy(self, clock):
		"""The policy that a clock was started by, else that of its lead, or None."""
		if clock.policy:
			return frappe.get_cached_doc("Follow Up Policy", clock.policy)
		return policy_of(self._leads.get(clock.lead) or {})


def raise_alerts(rows: list[dict], now: datetime):
	"""Keep alerts to be told, each by its unique `alert_key`: what was raised before is passed by.

	:param rows: values of Follow Up Alert, all with the same fields: `lead`, `lead_name`, `kind`, `clock`,
	    `for_user`, `alert_key` and others.
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
		"Follow Up Alert", [{**row, "status": "Pending", "raised_at": now} for row in fresh.values()], now
	)


def postpone(name: str, now: datetime):
	"""An alert could not be raised: its clock is tried again later and later, at least once a day.

	:param now: naive instant in the site's zone.
	"""
	failures = (frappe.db.get_value("Follow Up Clock", name, "failures") or 0) + 1
	again = now + min(FIRST_RETRY * 2 ** min(failures - 1, 9), LAST_RETRY)
	frappe.db.set_value(
		"Follow Up Clock", name, {"failures": failures, "next_alert_at": again}, update_modified=False
	)


# telling


def users_to_tell(before: datetime | None = None) -> list[str]:
	"""The users for whom an alert is pending.

	:param before: only what was raised before this instant counts; naive, in the site's zone.
	"""
	return frappe.db.sql_list(
		f"""
		select distinct for_user from `tabFollow Up Alert` alert
		where status = 'Pending' and exists (select 1 from `tabLead` where name = alert.lead) {"and raised_at < %(before)s" if before else ""} order by for_user
		""",
		{"before": before},
	)


def deliver(user: str, now: datetime) -> bool:
	"""Tell a user of everything that is pending, in one message. Returns whether there was anything.

	Who may not be told any more is not, and the last resort is told instead.

	:param now: naive instant in the site's zone.
	"""
	alerts = _of_leads_that_there_are(_lock_pending(user))
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


def _lock_pending(user: str) -> list:
	"""All that is pending for a user, locked; nothing while somebody else is at any of it, who tells it or whose
	sweep has it told: of two who share it, each would send a message."""
	# found by this index only: in a small table the database would read, and lock, everybody else's too
	try:
		return frappe.db.sql(
			"""
			select name, lead, lead_name, kind, clock, due_at, by_system, action, note, for_user, follow_up_clock,
				level, alert_key
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


def _of_leads_that_there_are(alerts: list) -> list:
	"""Without those of leads that were deleted past every event: `forget_missing_leads` takes them away."""
	leads = sorted({alert.lead for alert in alerts})
	there_are: set[str] = set()
	for start in range(0, len(leads), MOST_IN_ONE_STATEMENT):
		chunk = leads[start : start + MOST_IN_ONE_STATEMENT]
		there_are.update(frappe.get_all("Lead", {"name": ["in", chunk]}, pluck="name", order_by=None))
	return [alert for alert in alerts if alert.lead in there_are]


def _pass_on(alerts: list, people: People, now: datetime):
	"""Raise alerts for the last resort that their user may not be told of any more."""
	leads = {
		row.name: row
		for row in frappe.get_all(
			"Lead",
			{"name": ["in", [alert.lead for alert in alerts]]},
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
		counts = _counts_in_words(alerts)
		if len(leads) == 1:
			subject = _("{0} waits for you: {1}").format(plain(alerts[0].lead_name), counts)
		else:
			subject = _("{0} leads wait for you: {1}").format(len(leads), counts)
		if any(alert.by_system for alert in alerts):
			subject += " " + _("The system was late: what fell due meanwhile does not count against you.")
		content = frappe.render_template(
			"lead_quality/templates/digest.html",
			{
				"alerts": [
					{**alert, "words": in_words(alert, user), "url": get_url_to_form(*_form_of(alert))}
					for alert in mailed[:MOST_IN_ONE_MAIL]
				],
				"more": max(len(mailed) - MOST_IN_ONE_MAIL, 0),
				"settings_url": get_url_to_form("Notification Settings", user),
			},
		)
		link = f"{get_url_to_list('Follow Up Alert')}?digest={digest}" if len(leads) > 1 else None
		notify(user, subject, "Lead", alerts[0].lead, content=content, link=link, is_mailed=bool(mailed))


def _form_of(alert) -> tuple[str, str]:
	"""DocType and name of the form in which something can be done about an alert."""
	if alert.clock == "Handover Acceptance":
		handover = frappe.db.get_value("Follow Up Clock", alert.follow_up_clock, "reference_name")
		if handover:
			return "Lead Handover", handover
	return "Lead", alert.lead


def _counts_in_words(alerts: list) -> str:
	words = []
	for kind, text in (
		("Missed", _("{0} overdue")),
		("Warning", _("{0} due soon")),
		("Escalation", _("{0} escalated to you")),
		("Unattended", _("{0} unattended")),
	):
		count = sum(alert.kind == kind for alert in alerts)
		if count:
			words.append(text.format(count))
	return ", ".join(words) + "."


def in_words(alert, user: str) -> str:
	"""An alert as one sentence, in the present language; the time in the zone of the user who reads it."""
	what, due = _(alert.clock), alert.due_at and told_to(alert.due_at, user)
	if alert.kind == "Unattended":
		return unattended_in_words(alert)
	if alert.kind == "Warning":
		return _("{0} of {1} is due {2}").format(what, plain(alert.lead_name), due)
	words = _("{0} of {1} was due {2}").format(what, plain(alert.lead_name), due)
	if alert.note:
		step = _(alert.action.removesuffix(" Failed"))
		return f"{words}. " + _("The next step of the ladder, {0}, could not be done: {1}").format(
			step, plain(alert.note)
		)
	if alert.kind == "Escalation":
		owner = frappe.db.get_value("Lead", alert.lead, "lead_owner")
		held = _("{0} has not acted.").format(get_fullname(owner)) if owner else _("Nobody owns the lead.")
		return f"{words}. {held}"
	if alert.action == "Pull Back":
		return f"{words}. " + _("The lead has been taken back to the pool.")
	if alert.action == "Reassign":
		return f"{words}. " + _("The lead has been given to somebody else.")
	if alert.action == "Recycle":
		return f"{words}. " + _("The lead has gone back to nurturing.")
	if alert.by_system:
		return f"{words}. " + _("The system was late and had told nobody: it does not count against you.")
	return words


def unattended_in_words(alert) -> str:
	words = {
		"No Owner": _("{0} has no owner."),
		"No Next Step": _("{0} has no next step with a date."),
		"Stale": _("{0} has not been touched by a person for a long time."),
		"Shelf Life": _("The shelf life of {0} is over."),
	}
	return words[alert.clock].format(plain(alert.lead_name))
