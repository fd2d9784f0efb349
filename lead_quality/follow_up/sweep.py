"""The sweep: finds due clocks, raises each alert level once, and carries out the steps of the ladder."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import frappe
from frappe.utils import strip_html

from lead_quality.base import query
from lead_quality.base.rows import update_rows
from lead_quality.base.runs import was_rolled_back
from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.engine import clock as engine
from lead_quality.follow_up import endings, escalation
from lead_quality.follow_up.alert_hours import AlertHours
from lead_quality.follow_up.alerts import raise_alerts
from lead_quality.follow_up.clocks import CLOCK_FIELDS
from lead_quality.follow_up.outages import SWEEP, is_outage, is_within, outages
from lead_quality.follow_up.pauses import resumed
from lead_quality.follow_up.responsible import Responsible
from lead_quality.funnel.conditions import HISTORY_READ
from lead_quality.nurture.ledger import catch_up
from lead_quality.people.recipients import People

# clocks that a contact with the lead stops: before one of them is called missed, the mail and the calls are looked at
STOPPED_BY_CONTACT = frozenset(engine.STOPPED_BY["human touch"] + engine.STOPPED_BY["planned touch"])

FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
MOST_OF_AN_ERROR = 200


def due_clocks(now: datetime, limit: int) -> list[str]:
	"""Names of the clocks that have something to be told of at `now` (naive, the site's zone), the first due first: of
	leads that there are, and whose history is read in."""
	return query.run(
		f"""
		select name from `tabFollow Up Clock` clock
		where next_alert_at < %s
			and exists (select 1 from `tabLead` where `tabLead`.name = clock.lead and {HISTORY_READ})
		order by next_alert_at limit %s
		""",
		(now, limit),
		pluck=True,
	)


def still_due(names: list[str], now: datetime) -> list[str]:
	"""Of some clocks those that have still something to be told of at `now` (naive, the site's zone)."""
	if not names:
		return []
	return query.run(
		"""
		select name from `tabFollow Up Clock`
		where name in %s and next_alert_at < %s order by next_alert_at
		""",
		(names, now),
		pluck=True,
	)


def outage_before(run: str, started_at: datetime) -> datetime | None:
	"""When a sweep had last been done before a Follow Up Run that comes late; None if that is in time.

	A run that was killed has done nothing that could be relied on.

	:param started_at: when the run started; naive, in the site's zone.
	"""
	last = query.run(
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
	levels: list[tuple[int, Any]] = field(default_factory=list)  # level and, from the ladder, its step

	@property
	def changes_lead(self) -> bool:
		return any(step and step.action in escalation.ACTIONS for _level, step in self.levels)


@dataclass(frozen=True)
class Deed:
	"""What has become of a step of the ladder that changes the lead: who has the lead by it, or why it could not be
	done."""

	action: str
	receiver: str | None = None
	error: str | None = None

	@property
	def in_words(self) -> str:
		"""As the alert keeps it."""
		return f"{self.action} Failed" if self.error else self.action


class Sweep:
	"""Raises what is due of some clocks at one moment.

	The clocks are locked while they are judged; of two sweeps at the same time, one raises and the other passes by.
	"""

	def raise_many(self, names: list[str], now: datetime) -> int:
		"""Raise what only tells somebody, for many clocks in a few statements; returns for how many.

		What changes a lead is left to `raise_one`.
		"""
		endings.end_leads_of_clocks(names, now)
		turns = [turn for turn in self._turns(names, now) if not turn.changes_lead]
		self._carry_out(turns, now)
		return len(turns)

	def raise_one(self, name: str, now: datetime) -> bool:
		"""Raise what is due of one clock. Returns whether there was anything left to do."""
		lead = frappe.db.get_value("Follow Up Clock", name, "lead")
		# first the lead, then its clocks: as whoever logs a touch locks them
		frappe.db.get_value("Lead", lead, "name", for_update=True)
		endings.end_leads_of_clocks([name], now)
		turns = self._turns([name], now)
		self._carry_out(turns, now)
		return bool(turns)

	def _turns(self, names: list[str], now: datetime) -> list[Turn]:
		_catch_up(names, now)
		clocks = _lock_due(names, now)
		self.responsible = Responsible(clocks, now)
		first_day = min((clock.due_at.date() for clock in clocks), default=None)
		self.people = People(self.responsible.leads, now.date(), first_day)
		self.outages = outages()
		self.hours = AlertHours()
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
					self.responsible.at_deadline(clock),
					clock.due_at,
					lambda user: self._may_act(clock, user),
				),
				"missed_by_system": int(by_system),
				# the ladder is for those who were told and did nothing
				"ladder_from": self._told_at(clock, now if by_system else clock.due_at),
			}
		)
		turn.levels.append((engine.MISSED, None))
		return not by_system

	def _climb(self, turn: Turn, now: datetime, is_known: bool):
		"""The steps of the ladder whose time has come, and when the next one's will.

		:param is_known: whether anybody had been told of the miss before: if not, no step is taken at once.
		"""
		clock, values = turn.clock, turn.values
		policy = self.responsible.policy(clock)
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
			at = self._told_at(clock, at)
			if at > now:
				values["next_alert_at"] = at
				return
			values["alert_level"] += 1
			turn.levels.append((values["alert_level"], step))

	def _carry_out(self, turns: list[Turn], now: datetime):
		update_rows("Follow Up Clock", [turn.values for turn in turns])
		# what is done comes before what is said of it: it may end the clock, which takes back what waits to be said
		raised = [
			(turn, level, step, self._act(turn, level, step, now))
			for turn in turns
			for level, step in turn.levels
		]
		raise_alerts(list(chain.from_iterable(self._alerts(*level) for level in raised)), now)

	def _told_at(self, clock, at: datetime) -> datetime:
		"""When who is responsible may first be told of what is raised at `at` (naive, the site's zone)."""
		return self.hours.opens_at(self.people.there(self.responsible.now(clock)), at)

	def _may_act(self, clock, substitute: str) -> bool:
		# nobody answers a handover of their own
		return substitute != self.responsible.sender(clock) and self.people.can_be_told(
			substitute, clock.lead
		)

	def _acting(self, clock, user: str | None) -> str | None:
		"""Who is told in the place of who is responsible."""
		acting = self.people.there(user)
		return (
			acting
			if acting == user or acting != self.responsible.sender(clock)
			else self.people.manager(user)
		)

	def _alerts(self, turn: Turn, level: int, step, deed: Deed | None) -> list[dict]:
		"""The alerts of one level, one for each user who is told.

		:param deed: what has become of a step that changes the lead.
		"""
		clock, lead, user = turn.clock, turn.clock.lead, self.responsible.now(turn.clock)
		acting = self._acting(clock, user)
		policy, segment = self.responsible.policy(clock), self.responsible.segment(clock)
		if step and not deed:
			users = self.people.told_by(step, user, acting, lead, policy, segment)
		else:
			# who loses the lead is told too, and who is to look after it where nobody has it
			resorts = list(self.people.last_resorts(policy, segment))
			users = self.people.first_of([[acting], *resorts], lead)
			if deed and deed.error:
				# the last resort is to do something else
				users = list(dict.fromkeys([*users, *self.people.first_of(resorts, lead)]))
		kind = {engine.WARNING: "Warning", engine.MISSED: "Missed"}.get(level, "Escalation")
		return [
			{
				"lead": lead,
				"lead_name": clock.lead_name,
				"kind": "Missed" if kind == "Escalation" and told == acting else kind,
				"clock": clock.clock,
				"due_at": clock.due_at,
				"by_system": turn.values["missed_by_system"],
				"for_user": told,
				"about_user": user,
				"follow_up_clock": clock.name,
				"level": level,
				"action": deed.in_words if deed else step.action if step else None,
				# by the step, not by its place: a ladder may be changed while it is climbed
				"alert_key": f"{clock.name}:{step.name if step else level}:{told}",
				"note": deed and (deed.error or deed.receiver),
			}
			for told in users
		]

	def _act(self, turn: Turn, level: int, step, now: datetime) -> Deed | None:
		"""Change the lead as a step of the ladder says; what has become of it. None for a level that only tells
		somebody."""
		if not step or step.action not in escalation.ACTIONS:
			return None
		clock = turn.clock
		key = f"{clock.name}:{step.name}:{step.action}"
		if frappe.db.exists("Follow Up Alert", {"alert_key": key}):
			return Deed(step.action)
		frappe.db.savepoint("lead_quality_step")
		try:
			receiver = escalation.carry_out(step, clock, now)
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
					"about_user": self.responsible.now(clock),
					"follow_up_clock": clock.name,
					"level": level,
					"action": step.action,
					"outcome_reason": step.outcome_reason,
					"note": receiver,
					"alert_key": key,
				}
			).insert(ignore_permissions=True)
		except Exception as error:
			if was_rolled_back(error):
				raise
			frappe.db.rollback(save_point="lead_quality_step")
			frappe.clear_last_message()
			return Deed(step.action, error=strip_html(str(error))[:MOST_OF_AN_ERROR] or type(error).__name__)
		return Deed(step.action, receiver)


def _step_at(step, begins: datetime, clock, policy) -> datetime:
	return engine.due_at(
		begins, step.after or 0, step.unit, get_calendar(clock.working_calendar or policy.working_calendar)
	)


def _catch_up(names: list[str], now: datetime):
	"""Look at the mail and the calls before a clock that they stop is called missed; and before the clocks are locked: what
	is found is logged under the lock of its lead, which comes first."""
	waiting = query.run(
		"""
		select `lead`, started_at from `tabFollow Up Clock`
		where name in %(names)s and clock in %(clocks)s and due_at < %(now)s and next_alert_at < %(now)s
			and alert_level < %(missed)s
		""",
		{"names": names, "clocks": sorted(STOPPED_BY_CONTACT), "now": now, "missed": engine.MISSED},
		as_dict=True,
	)
	if waiting:
		catch_up(sorted({clock.lead for clock in waiting}), min(clock.started_at for clock in waiting), now)


def _lock_due(names: list[str], now: datetime) -> list:
	if not names:
		return []
	# found by their names: by the other index, the clocks of everybody else's chunk would be locked too
	return query.run(
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


def postpone(name: str, now: datetime):
	"""An alert could not be raised: its clock is tried again later and later, at least once a day.

	:param now: naive instant in the site's zone.
	"""
	failures = (frappe.db.get_value("Follow Up Clock", name, "failures") or 0) + 1
	again = now + min(FIRST_RETRY * 2 ** min(failures - 1, 9), LAST_RETRY)
	frappe.db.set_value(
		"Follow Up Clock", name, {"failures": failures, "next_alert_at": again}, update_modified=False
	)
