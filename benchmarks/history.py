"""A site of known history: leads, and all that reports count of them, drawn from a seed.

`Site` draws the same leads from the same seed, keeps them as plain objects that know the truth, and writes their rows
past every hook, some thousands at a time. The benchmarks time reports on it; a test counts the objects itself, and
compares.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import frappe

from lead_quality.base.versions import lead_field
from lead_quality.funnel import journey

MARK = "HISTORY-"
AT_ONCE = 2_000
SOURCES = ("Advertisement", "Campaign", "Cold Calling", "Exhibition", "Reference", None)
TABLES = (
	"Lead Stage Log",
	"Lead Touch",
	"Lead Holding",
	"Follow Up Clock",
	"Nurture Enrollment",
	"Lead Qualification Answer",
	"Lead Qualification",
	"Lead Handover",
	"ToDo",
	"Opportunity",
	"Quotation",
	"Sales Order",
	"Customer",
	"Lead",
	"Lead Journey",
)
CLOCKS = ("Triage", "First Response", "Next Touch", "Next Touch")
HANDOVER_CLOCKS = ("Handover Acceptance", "First Touch After Acceptance")
OUTCOMES = ("No Answer", "Left Message", "Connected", "Positive", "Wrong Data", None)


@dataclass
class Touch:
	at: datetime
	channel: str
	direction: str
	outcome: str | None
	is_automatic: bool


@dataclass
class Clock:
	clock: str
	started_at: datetime
	due_at: datetime
	status: str
	acted_at: datetime | None = None
	stopped_at: datetime | None = None
	seconds: int | None = None
	by_system: bool = False
	entered_late: bool = False
	owner_at_breach: str | None = None
	paused_until: datetime | None = None
	is_working: bool = True
	handover: str | None = None


@dataclass
class Answer:
	criterion: str
	value: str | None
	met: bool
	by: str | None
	at: datetime


@dataclass
class Handover:
	name: str
	from_user: str
	to_user: str
	status: str
	sent_at: datetime
	decided_at: datetime | None
	value: int
	met: tuple[str, ...]


@dataclass
class Lead:
	"""What has happened to one lead; instants are naive, in the site's zone."""

	number: int
	entered_at: datetime
	source: str | None
	segment: str | None
	owner: str | None
	disabled: bool
	non_buyer: bool
	waits: bool
	verdict: str = "Open"
	next_step_at: datetime | None = None
	# stage to when it was entered
	stages: dict[str, datetime] = field(default_factory=dict)
	# until when who held it, the first first; who holds it since is `owner`
	holdings: list[tuple[datetime, str | None]] = field(default_factory=list)
	touches: list[Touch] = field(default_factory=list)
	clocks: list[Clock] = field(default_factory=list)
	answers: list[Answer] | None = None
	handovers: list[Handover] = field(default_factory=list)
	# to whom it was assigned, when, and whether that still stands
	assigned: tuple[str, datetime, bool] | None = None
	# when its answers met the definition first, and when it was disqualified
	met_at: datetime | None = None
	exited_at: datetime | None = None
	quoted_at: datetime | None = None
	offered: int = 0
	ordered: int = 0
	has_ordered_before: bool = False
	# rows of the stage log that are wrong, as this is another history of a lead that has one already
	corrects: list[str] = field(default_factory=list)
	version: int = 0

	@property
	def name(self) -> str:
		return f"{MARK}{self.number:07d}"

	@property
	def stage(self) -> str:
		return [*self.stages][-1]

	def owner_at(self, instant: datetime) -> str | None:
		return next((user for until, user in self.holdings if until > instant), self.owner)

	def responsible_at(self, instant: datetime) -> str | None:
		"""Its owner, else to whom it was assigned."""
		owner = self.owner_at(instant)
		if owner or not self.assigned:
			return owner
		user, since, _stands = self.assigned
		return user if since <= instant else None

	@property
	def ready_at(self) -> datetime | None:
		given = [handover.sent_at for handover in self.handovers]
		return min([*given, *([self.met_at] if self.met_at else [])], default=None)

	@property
	def accepted_at(self) -> datetime | None:
		accepted = [
			one.decided_at
			for one in self.handovers
			if one.decided_at and one.status in ("Accepted", "Returned")
		]
		return min(accepted, default=None)

	@property
	def declined_at(self) -> datetime | None:
		declined = [
			one.decided_at
			for one in self.handovers
			if one.decided_at and one.status in ("Rejected", "Returned")
		]
		return max(declined, default=None)

	@property
	def log(self) -> list[tuple[str, str, datetime, str | None]]:
		"""Name, stage and instant of the rows of the stage log, in the order in which they are written, and which row each
		corrects. A row is never taken away: one that was wrong in whole says where the lead is."""
		entries = [*self.stages.items()]
		last = self.stage, max(self.stages.values())
		entries += [last] * (len(self.corrects) - len(entries))
		wrong = [*self.corrects, *([None] * (len(entries) - len(self.corrects)))]
		return [
			(f"{self.name}-{self.version}-{nth}", stage, at, corrected)
			for nth, ((stage, at), corrected) in enumerate(zip(entries, wrong, strict=True))
		]

	@property
	def human_touches(self) -> list[datetime]:
		return sorted(
			touch.at
			for touch in self.touches
			if not touch.is_automatic
			and touch.outcome != "Wrong Data"
			and (touch.direction == "Outbound" or touch.outcome in ("Connected", "Positive"))
		)


class Site:
	"""`count` leads that have come in within `days` before `now`, drawn from `seed`."""

	def __init__(
		self,
		count: int,
		seed: int = 1,
		days: int = 730,
		now: datetime | None = None,
		reps: int = 50,
		company: str | None = None,
	):
		self.count, self.seed, self.days = count, seed, days
		self.now = (now or datetime.now()).replace(microsecond=0)
		self.reps = [f"rep{number}@history.example" for number in range(1, reps + 1)]
		self.marketers = [f"marketer{number}@history.example" for number in range(1, 6)]
		self.company = company or frappe.db.get_value("Company", {}, order_by="name")
		self.segments = [*frappe.get_all("Lead Segment", pluck="name", order_by="name"), None]
		self.checklist = frappe.db.get_value("Qualification Checklist", {"status": "Active"}, order_by="name")
		self.criteria = frappe.get_all(
			"Qualification Criterion",
			{"parent": self.checklist, "parenttype": "Qualification Checklist"},
			pluck="criterion",
			order_by="idx",
		)
		self.policy = frappe.db.get_value("Follow Up Policy", {}, order_by="name")
		self.calendar = frappe.db.get_value("Follow Up Policy", self.policy, "working_calendar")
		self.cadence = frappe.db.get_value("Nurture Cadence", {}, order_by="name")

	# drawing

	def leads(self) -> Iterator[Lead]:
		for number in range(1, self.count + 1):
			yield self.lead(number)

	def lead(self, number: int, version: int = 0) -> Lead:
		"""The lead of a number; another `version` is what it is corrected to."""
		draw = random.Random(self.seed * 1_000_003 + number * 31 + version)
		# the older ones first, none in the last hours
		age = (self.count - number + 1) / self.count * self.days * 86_400
		entered = self.now - timedelta(seconds=int(age) + 7_200)
		lead = Lead(
			number,
			entered,
			draw.choice(SOURCES),
			draw.choice(self.segments),
			draw.choice(self.reps) if draw.random() < 0.9 else None,
			draw.random() < 0.03,
			draw.random() < 0.04,
			draw.random() < 0.03,
			version=version,
		)
		self._draw_stages(lead, draw)
		self._draw_owners(lead, draw)
		self._draw_touches(lead, draw)
		self._draw_judgement(lead, draw)
		self._draw_handovers(lead, draw)
		self._draw_clocks(lead, draw)
		if lead.stage in ("target", "prospect") and draw.random() < 0.4:
			lead.next_step_at = self.now + timedelta(hours=draw.randint(-72, 240))
		self._draw_ends(lead, draw)
		return lead

	def _later(self, start: datetime, draw: random.Random, hours: float) -> datetime:
		"""Some time after an instant, on average so many hours, and before now."""
		return min(start + timedelta(seconds=1 + int(draw.expovariate(1 / (hours * 3600)))), self.now)

	def _draw_stages(self, lead: Lead, draw: random.Random):
		lead.stages["target"] = at = lead.entered_at
		for stage, chance, hours in (("prospect", 0.4, 100), ("opportunity", 0.35, 400), ("sale", 0.3, 900)):
			at = self._later(at, draw, hours)
			if draw.random() > chance or at >= self.now:
				return
			lead.stages[stage] = at

	def _draw_owners(self, lead: Lead, draw: random.Random):
		at = lead.entered_at
		while draw.random() < 0.25:
			at = self._later(at, draw, 60)
			if at >= self.now:
				break
			lead.holdings.append((at, draw.choice(self.reps) if draw.random() < 0.8 else None))
		if draw.random() < 0.1:
			since = self._later(lead.entered_at, draw, 10)
			lead.assigned = draw.choice(self.reps), since, True

	def _draw_touches(self, lead: Lead, draw: random.Random):
		at = lead.entered_at
		for _nth in range(draw.choice((0, 1, 2, 3, 4, 5))):
			at = self._later(at, draw, 40)
			if at >= self.now:
				return
			lead.touches.append(
				Touch(
					at,
					draw.choice(("Phone", "Email")) if draw.random() < 0.2 else "Phone",
					"Inbound" if draw.random() < 0.1 else "Outbound",
					draw.choice(OUTCOMES),
					draw.random() < 0.15,
				)
			)
		for touch in lead.touches:
			# only a talk that the lead began can be an answer
			if touch.direction == "Inbound":
				touch.channel = "Phone"

	def _draw_judgement(self, lead: Lead, draw: random.Random):
		if draw.random() < 0.4:
			return
		lead.answers = []
		for criterion in self.criteria:
			chance = draw.random()
			if chance < 0.6:
				by = draw.choice(self.reps) if draw.random() < 0.8 else None
				at = self._later(lead.entered_at, draw, 80)
				lead.answers.append(Answer(criterion, "1", chance < 0.35, by, at))
			elif chance < 0.65:
				lead.answers.append(Answer(criterion, None, False, None, lead.entered_at))
		met = sum(answer.met for answer in lead.answers)
		lead.verdict = "Sales Ready" if met >= 3 else draw.choice(("Open", "Open", "Nurture", "Disqualified"))

	def _draw_handovers(self, lead: Lead, draw: random.Random):
		at = lead.entered_at
		for nth in range(2):
			if draw.random() > 0.2:
				return
			at = self._later(at, draw, 150)
			if at >= self.now:
				return
			status = draw.choice(
				("Sent", "Accepted", "Accepted", "Accepted", "Rejected", "Returned", "Pulled Back")
			)
			decided = None if status == "Sent" else self._later(at, draw, 20)
			met = tuple(criterion for criterion in self.criteria if draw.random() < 0.7)
			name = f"{lead.name}-{nth}"
			lead.handovers.append(
				Handover(
					name, draw.choice(self.marketers), draw.choice(self.reps), status, at, decided,
					draw.randint(1, 90) * 100, met,
				)
			)  # fmt: skip

	def _draw_clocks(self, lead: Lead, draw: random.Random):
		kinds: list[tuple[str, Handover | None, datetime]] = [
			(clock, None, lead.entered_at) for clock in CLOCKS
		]
		kinds += [
			(clock, handover, handover.sent_at) for handover in lead.handovers for clock in HANDOVER_CLOCKS
		]
		for kind, handover, started in kinds:
			if kind == "Next Touch":
				started = self._later(started, draw, 50)
			due = started + timedelta(hours=draw.randint(2, 60))
			clock = Clock(kind, started, due, "Running", is_working=draw.random() < 0.9)
			if kind == "Handover Acceptance" and handover:
				clock.handover = handover.name
			self._draw_end(lead, clock, draw)
			lead.clocks.append(clock)

	def _draw_end(self, lead: Lead, clock: Clock, draw: random.Random):
		ended = draw.random()
		if ended < 0.06:
			clock.status, clock.stopped_at = "Cancelled", self._later(clock.started_at, draw, 5)
		elif ended < 0.6:
			span = (min(clock.due_at, self.now) - clock.started_at).total_seconds()
			clock.acted_at = clock.stopped_at = clock.started_at + timedelta(
				seconds=int(span * draw.random())
			)
			clock.status, clock.seconds = "Met", draw.randint(0, 200_000)
			clock.entered_late = draw.random() < 0.05
		elif clock.due_at < self.now:
			if draw.random() < 0.1:
				return  # no job has seen it yet
			clock.status, clock.by_system = "Missed", draw.random() < 0.1
			clock.owner_at_breach = lead.responsible_at(clock.due_at)
			if draw.random() < 0.5:
				clock.acted_at = clock.stopped_at = self._later(clock.due_at, draw, 30)
				clock.seconds = draw.randint(10_000, 900_000)
		elif ended < 0.7:
			clock.status, clock.paused_until = "Paused", self.now + timedelta(days=3)

	def _draw_ends(self, lead: Lead, draw: random.Random):
		if lead.verdict == "Sales Ready":
			lead.met_at = self._later(lead.entered_at, draw, 120)
		if lead.verdict == "Disqualified" and lead.stage in ("target", "prospect"):
			lead.exited_at = self._later(lead.stages[lead.stage], draw, 200)
		if "opportunity" in lead.stages:
			lead.offered = draw.choice((0, 0, 700, 1_900, 4_000))
			if draw.random() < 0.6:
				lead.quoted_at = self._later(lead.stages["opportunity"], draw, 90)
		if "sale" in lead.stages:
			lead.ordered = draw.randint(3, 60) * 100
			lead.has_ordered_before = draw.random() < 0.25

	# writing

	def fill(self, leads: Iterable[Lead] | None = None, commit: bool = True):
		"""Write the rows of all leads, or of some."""
		self.fill_users()
		some: list[Lead] = []
		for lead in self.leads() if leads is None else leads:
			some.append(lead)
			if len(some) == AT_ONCE:
				self._write(some, commit)
				some = []
		self._write(some, commit)

	def fill_users(self):
		_insert(
			"User",
			("name", "email", "first_name", "full_name", "enabled", "user_type"),
			[
				(user, user, user, user.split("@")[0].title(), 1, "System User")
				for user in (*self.reps, *self.marketers)
			],
			"insert ignore",
		)

	def _write(self, leads: list[Lead], commit: bool):
		rows: dict[str, list[tuple]] = {doctype: [] for doctype in TABLES}
		for lead in leads:
			self._rows_of(lead, rows)
		for doctype, columns in self._columns().items():
			_insert(doctype, columns, rows[doctype])
		journey.write([lead.name for lead in leads])
		if commit:
			frappe.db.commit()

	@staticmethod
	def _columns() -> dict[str, tuple[str, ...]]:
		return {
			"Lead": (
				*"name creation modified lead_name title company_name status company lead_owner lq_segment lq_stage".split(),
				*"lq_verdict lq_met_count lq_criteria_count lq_next_touch_at lq_last_touch_at disabled".split(),
				*"lq_non_buyer lq_waits lq_history_unread lq_over lq_over_at email_id".split(),
				cast(str, lead_field("source")),
			),
			"Lead Stage Log": tuple(
				"name creation modified lead stage left_stage entered_at source segment owner_user corrects reference_doctype"
				" reference_name".split()
			),
			"Lead Touch": tuple(
				"name creation modified lead channel direction status outcome done_at is_automatic due_at enrollment".split()
			),
			"Lead Holding": ("name", "creation", "modified", "lead", "user", "held_from", "held_until"),
			"Follow Up Clock": tuple(
				"name creation modified lead clock policy working_calendar unit started_at due_at status acted_at stopped_at"
				" elapsed_seconds missed_by_system entered_late owner_at_breach paused_until reference_doctype reference_name".split()
			),
			"Nurture Enrollment": ("name", "creation", "modified", "lead", "cadence", "status", "next_due_at"),
			"Lead Qualification": tuple(
				"name creation modified lead checklist verdict met_count sales_ready_on".split()
			),
			"Lead Qualification Answer": tuple(
				"name creation modified parent parenttype parentfield criterion value met answered_by answered_on".split()
			),
			"Lead Handover": tuple(
				"name creation modified lead lead_name from_user to_user status sent_at decided_at accepted_at checklist"
				" met_count met_criteria expected_value currency qualification reason".split()
			),
			"ToDo": ("name", "creation", "modified", "reference_type", "reference_name", "allocated_to", "status", "date"),
			"Opportunity": tuple(
				"name creation modified opportunity_from party_name lq_lead status base_opportunity_amount company".split()
			),
			"Quotation": tuple("name creation modified quotation_to party_name docstatus company".split()),
			"Sales Order": tuple(
				"name creation modified customer transaction_date docstatus base_grand_total grand_total company".split()
			),
			"Customer": ("name", "creation", "modified", "customer_name", "lead_name"),
		}  # fmt: skip

	def _rows_of(self, lead: Lead, rows: dict[str, list[tuple]]):
		self._rows_of_person(lead, rows)
		self._rows_of_work(lead, rows)
		self._rows_of_sales(lead, rows)

	def _rows_of_person(self, lead: Lead, rows: dict[str, list[tuple]]):
		name, at = lead.name, lead.entered_at
		touched = lead.human_touches
		met = sum(answer.met for answer in lead.answers or ())
		rows["Lead"].append((
			name, at, at, f"Anna {lead.number}", f"Works {lead.number}", f"Works {lead.number}",
			{"opportunity": "Opportunity", "sale": "Converted"}.get(lead.stage, "Lead"), self.company, lead.owner,
			lead.segment, lead.stage, lead.verdict, met, len(self.criteria), lead.next_step_at,
			touched[-1] if touched else None, lead.disabled, lead.non_buyer, lead.waits, 0,
			"Disqualified" if lead.exited_at else None, lead.exited_at, f"anna.{lead.number}@history.example", lead.source,
		))  # fmt: skip
		proofs = {"opportunity": ("Opportunity", f"{name}-o"), "sale": ("Sales Order", f"{name}-s")}
		left = None
		for nth, (row, stage, entered, corrects) in enumerate(lead.log):
			# what corrects was written now, one after the other
			written = (
				self.now + timedelta(seconds=lead.version, microseconds=nth) if lead.version else entered
			)
			rows["Lead Stage Log"].append((
				row, written, written, name, stage, left, entered, lead.source, lead.segment, lead.owner, corrects,
				*proofs.get(stage, (None, None)),
			))  # fmt: skip
			left = stage
		for nth, touch in enumerate(lead.touches):
			rows["Lead Touch"].append((
				f"{name}-{nth}", touch.at, touch.at, name, touch.channel, touch.direction, "Done", touch.outcome, touch.at,
				touch.is_automatic, None, None,
			))  # fmt: skip
		since = at
		for nth, (until, user) in enumerate(lead.holdings):
			rows["Lead Holding"].append((f"{name}-{nth}", until, until, name, user, since, until))
			since = until

	def _rows_of_work(self, lead: Lead, rows: dict[str, list[tuple]]):
		name, at = lead.name, lead.entered_at
		for nth, clock in enumerate(lead.clocks):
			rows["Follow Up Clock"].append((
				f"{name}-{nth}", clock.started_at, clock.started_at, name, clock.clock, self.policy, self.calendar,
				"Working Hours" if clock.is_working else "Hours", clock.started_at, clock.due_at, clock.status,
				clock.acted_at, clock.stopped_at, clock.seconds or 0, clock.by_system, clock.entered_late,
				clock.owner_at_breach, clock.paused_until, "Lead Handover" if clock.handover else None, clock.handover,
			))  # fmt: skip
		if lead.next_step_at:
			due = lead.next_step_at
			rows["Nurture Enrollment"].append((f"{name}-0", at, at, name, self.cadence, "Active", due))
			rows["Lead Touch"].append(
				(
					f"{name}-next",
					at,
					at,
					name,
					"Phone",
					"Outbound",
					"Planned",
					None,
					None,
					0,
					due,
					f"{name}-0",
				)
			)
		if lead.assigned:
			user, since, stands = lead.assigned
			rows["ToDo"].append(
				(f"{name}-0", since, since, "Lead", name, user, "Open" if stands else "Closed", since.date())
			)

	def _rows_of_sales(self, lead: Lead, rows: dict[str, list[tuple]]):
		name, at = lead.name, lead.entered_at
		met = sum(answer.met for answer in lead.answers or ())
		if lead.answers is not None:
			rows["Lead Qualification"].append(
				(f"{name}-q", at, at, name, self.checklist, lead.verdict, met, lead.met_at)
			)
			for nth, answer in enumerate(lead.answers):
				rows["Lead Qualification Answer"].append((
					f"{name}-{nth}", at, at, f"{name}-q", "Lead Qualification", "answers", answer.criterion, answer.value,
					answer.met, answer.by, answer.at if answer.by else None,
				))  # fmt: skip
		for handover in lead.handovers:
			accepted = handover.decided_at if handover.status in ("Accepted", "Returned") else None
			rows["Lead Handover"].append((
				handover.name, handover.sent_at, handover.sent_at, name, f"Works {lead.number}", handover.from_user,
				handover.to_user, handover.status, handover.sent_at, handover.decided_at, accepted, self.checklist,
				len(handover.met), ", ".join(handover.met), handover.value, "EUR",
				f"{name}-q" if lead.answers is not None else None,
				"Too early" if handover.status in ("Rejected", "Returned") else None,
			))  # fmt: skip
		if "opportunity" in lead.stages:
			made = lead.stages["opportunity"]
			rows["Opportunity"].append(
				(f"{name}-o", made, made, "Lead", name, name, "Open", lead.offered, self.company)
			)
		if lead.quoted_at:
			at = lead.quoted_at
			rows["Quotation"].append((f"{name}-u", at, at, "Lead", name, 1, self.company))
		if "sale" in lead.stages:
			made = lead.stages["sale"]
			rows["Customer"].append((f"{name}-c", made, made, f"Works {lead.number}", name))
			orders = [("s", made)]
			if lead.has_ordered_before:
				orders.append(("b", lead.entered_at - timedelta(days=30)))
			for mark, at in orders:
				rows["Sales Order"].append((
					f"{name}-{mark}", at, at, f"{name}-c", at.date(), 1, lead.ordered, lead.ordered, self.company,
				))  # fmt: skip

	def correct(self, leads: list[Lead], version: int) -> list[Lead]:
		"""Put the rows of another history in the place of that of each lead. What the stage log has said stays in it, and
		is corrected by further rows."""
		forget([lead.name for lead in leads], [doctype for doctype in TABLES if doctype != "Lead Stage Log"])
		corrected = []
		for lead in leads:
			other = self.lead(lead.number, version)
			other.corrects = [row for row, *_entry in lead.log]
			corrected.append(other)
		self.fill(corrected, commit=False)
		return corrected

	def clear(self):
		"""Take all away again."""
		for doctype in (*TABLES, "User"):
			condition = "name like '%%@history.example'" if doctype == "User" else f"name like '{MARK}%%'"
			while _delete(doctype, condition):
				frappe.db.commit()


def forget(leads: list[str], tables: Iterable[str] = TABLES):
	"""Take the rows of some leads away."""
	names = ", ".join(f"'{lead}'" for lead in leads)
	of_them = f"name like '{MARK}%%' and left(name, {len(leads[0])}) in ({names})"
	for doctype in tables:
		while _delete(doctype, of_them) == 50_000:
			pass


def _delete(doctype: str, condition: str) -> int:
	frappe.db.sql(f"delete from `tab{doctype}` where {condition} limit 50000")
	return frappe.db._cursor.rowcount


def _insert(doctype: str, columns: tuple[str, ...], rows: list[tuple], how: str = "insert"):
	"""Rows of values that need no escaping."""
	names = ", ".join(f"`{column}`" for column in columns)
	for start in range(0, len(rows), AT_ONCE):
		values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows[start : start + AT_ONCE])
		frappe.db.sql(f"{how} into `tab{doctype}` ({names}) values {values}")


def _literal(value) -> str:
	if value is None:
		return "null"
	return str(int(value)) if isinstance(value, int) else f"'{value}'"
