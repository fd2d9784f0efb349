"""Reports count a site of known history to the unit: what each of them says is counted again here, lead by lead, of the
objects that the history was written from. So it is after 1,000 random corrections.

LEAD_QUALITY_CORRECTIONS in the environment says how many corrections, where somebody has the time.
"""

import os
import random
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

import frappe
import pytest
from frappe.utils import get_datetime

from benchmarks.history import Lead, Site
from lead_quality.base.report import nearest_rank, report_class
from lead_quality.base.site_time import aware, get_calendar, seconds_between
from lead_quality.engine.conversion import EXITED, OPEN, REACHED, Spell, incidence, rate_within
from lead_quality.engine.targets import cohort
from lead_quality.engine.waste import LeadFacts, latest_start, wasted_since
from lead_quality.follow_up import risks

NOW = get_datetime("2025-06-18 11:00:00")
DAYS = 200
PERIOD = {"from_date": "2024-10-01", "to_date": "2025-06-18"}
COMPANY = "History Ltd"
LEADS = 120
# of half of the leads at a time
CORRECTIONS, AT_ONCE = int(os.environ.get("LEAD_QUALITY_CORRECTIONS", 1_000)), LEADS // 2
BUCKETS = {"5m": 300, "1h": 3_600, "4h": 4 * 3_600, "24h": 24 * 3_600, "72h": 72 * 3_600, "later": 10**12}


class Known:
	"""The site and the truth about its leads."""

	def __init__(self, seed: int):
		self.site = Site(LEADS, seed, DAYS, NOW, reps=6, company=COMPANY)
		self.leads = {lead.number: lead for lead in self.site.leads()}
		self.site.fill(self.leads.values(), commit=False)

	def correct(self, draw: random.Random):
		for version, start in enumerate(range(0, CORRECTIONS, AT_ONCE), 1):
			some = draw.sample([*self], min(AT_ONCE, CORRECTIONS - start))
			for lead in self.site.correct(some, version):
				self.leads[lead.number] = lead

	def __iter__(self):
		return iter(self.leads.values())

	@property
	def buyers(self) -> list[Lead]:
		return [lead for lead in self if not lead.disabled and not lead.non_buyer]

	@property
	def cohort(self) -> list[Lead]:
		"""Whom the reports on journeys count."""
		return [lead for lead in self if not lead.non_buyer]

	def calendar(self, lead: Lead):
		return get_calendar(self.site.calendar) if lead.segment else None


@pytest.fixture(params=[1, 2])
def known(request, freeze):
	with freeze(NOW):
		frappe.db.delete("Follow Up Run")
		make_surroundings()
		known = Known(request.param)
		check_all(known)
		known.correct(random.Random(request.param))
		yield known


def test_every_report_counts_a_known_history_to_the_unit_also_after_corrections(known):
	check_all(known)


def check_all(known: Known):
	for check in CHECKS:
		check(known)


def shown(report: str, **filters) -> list[dict]:
	return report_class(report).execute({**PERIOD, "company": COMPANY, **filters})[1]


def listed(report: str, **filters) -> list[dict]:
	return report_class(report)({**PERIOD, "company": COMPANY, **filters}).page()[0]


def figures(rows: list[dict], by, names) -> dict:
	"""Of each row the figures that are not 0."""
	found = {by(row): {name: row[name] for name in names if row[name]} for row in rows}
	return {key: counts for key, counts in found.items() if counts}


def plain(counters: dict) -> dict:
	return {key: {name: n for name, n in counts.items() if n} for key, counts in counters.items() if counts}


# Follow-up Compliance


def state(clock) -> str:
	if clock.status == "Missed":
		return "missed_by_system" if clock.by_system else "missed"
	if clock.status == "Met":
		return "entered_late" if clock.entered_late else "met"
	if clock.status == "Cancelled":
		return "cancelled"
	if clock.status == "Paused" and clock.paused_until > NOW:
		return "paused"
	return "open" if clock.due_at >= NOW else "missed"


def rep(lead: Lead, clock) -> str | None:
	if clock.status == "Missed":
		return clock.owner_at_breach
	if clock.handover:
		return next(handover.to_user for handover in lead.handovers if handover.name == clock.handover)
	return lead.responsible_at(clock.acted_at or clock.stopped_at or clock.due_at)


def charged(lead: Lead, clock, calendar) -> dict:
	"""Who held the lead how long of a missed clock's time, as shares of it."""
	if clock.clock == "Handover Acceptance" or not any(
		until > clock.started_at for until, _user in lead.holdings
	):
		return {rep(lead, clock): 1}
	measure = calendar if clock.is_working else None
	marks = [clock.started_at, *(until for until, _user in lead.holdings), clock.due_at]
	marks = sorted({mark for mark in marks if clock.started_at <= mark <= clock.due_at})
	parts: Counter = Counter()
	last = None
	for begin, end in pairwise(marks):
		last = lead.owner_at(begin)
		parts[last] += seconds_between(begin, end, measure)
	total = sum(parts.values())
	return {user: part / total for user, part in parts.items()} if total else {last: 1}


@dataclass
class Clocks:
	"""What is counted of the clocks of each group and kind; `listed` of all."""

	counts: dict = field(default_factory=lambda: defaultdict(Counter))
	times: dict = field(default_factory=lambda: defaultdict(list))
	charged: dict = field(default_factory=lambda: defaultdict(float))
	listed: Counter = field(default_factory=Counter)


def count_clocks(known: Known, group_by: str) -> Clocks:
	found = Clocks()
	for lead in known:
		for clock in lead.clocks:
			count_clock(found, known, lead, clock, group_by)
	return found


def count_clock(found: Clocks, known: Known, lead: Lead, clock, group_by: str):
	group = {"Rep": rep(lead, clock), "Segment": lead.segment, "Clock": clock.clock}[group_by]
	what, key = state(clock), (group, clock.clock)
	found.counts[key][what] += 1
	found.listed[what] += 1
	if what in ("met", "missed"):
		found.counts[key]["clocks"] += 1
		if clock.acted_at:
			found.times[key].append(clock.seconds)
	if what != "missed":
		return
	found.counts[key]["touched_late" if clock.acted_at else "never_touched"] += 1
	for user, share in charged(lead, clock, get_calendar(known.site.calendar)).items():
		if group_by == "Rep" or user:
			found.charged[user if group_by == "Rep" else group, clock.clock] += share


def check_compliance(known: Known):
	names = (
		"clocks", "met", "missed", "never_touched", "touched_late", "entered_late", "missed_by_system", "open",
		"paused", "cancelled",
	)  # fmt: skip
	for group_by in ("Rep", "Segment", "Clock"):
		truth = count_clocks(known, group_by)
		rows = shown("Follow-up Compliance", group_by=group_by)
		assert figures(rows, lambda row: (row["group_name"], row["clock"]), names) == plain(truth.counts)
		for row in rows:
			key = row["group_name"], row["clock"]
			assert row["charged"] == pytest.approx(truth.charged[key], abs=1e-5), (group_by, key)
			for column, percentile in (("median_hours", 50), ("percentile_hours", 90)):
				seconds = nearest_rank(truth.times[key], percentile)
				assert row[column] == (None if seconds is None else seconds / 3600), (group_by, key)
		for count in ("met", "missed", "entered_late", "open", "cancelled"):
			found = listed("Follow-up Compliance", show="Clocks", count=count, group_by=group_by)
			assert len(found) == truth.listed[count]


def check_charged_clocks(known: Known):
	for row in shown("Follow-up Compliance", group_by="Rep")[:12]:
		own = {"show": "Clocks", "clock": row["clock"], "group": row["group_name"], "group_by": "Rep"}
		own["without_group"] = int(not row["group_name"])
		assert len(listed("Follow-up Compliance", **own, count="missed")) == row["missed"]
		share = sum(line["charged"] for line in listed("Follow-up Compliance", **own, count="charged"))
		assert share == pytest.approx(row["charged"], abs=1e-5)


# Speed to Lead


def is_ready(lead: Lead) -> bool:
	return lead.verdict == "Sales Ready" or bool(lead.handovers)


def waited(lead: Lead, calendar) -> tuple[int, int] | None:
	"""Seconds until the first touch, and how many of them nobody held the lead; None without a touch."""
	touches = lead.human_touches
	if not touches:
		return None
	marks = sorted({lead.entered_at, touches[0], *(until for until, _user in lead.holdings)})
	marks = [mark for mark in marks if lead.entered_at <= mark <= touches[0]]
	parts: Counter = Counter()
	for begin, end in pairwise(marks):
		parts[lead.owner_at(begin)] += seconds_between(begin, end, calendar)
	return sum(parts.values()), parts[None]


def check_speed(known: Known):
	for time in ("Working", "Raw"):
		for group_by in ("", "Source", "Segment"):
			groups: dict = defaultdict(list)
			for lead in known.buyers:
				group = {"": None, "Source": lead.source, "Segment": lead.segment}[group_by]
				wait = waited(lead, known.calendar(lead) if time == "Working" else None)
				groups[group].append((wait, is_ready(lead)))
			rows = shown("Speed to Lead", time=time, group_by=group_by)
			heads = {row["group"]: row for row in rows if not row["bucket"]}
			assert {group: (row["leads"], row["sales_ready"]) for group, row in heads.items()} == {
				group: (len(members), sum(ready for _wait, ready in members))
				for group, members in groups.items()
			}
			for group, members in groups.items():
				waits = [wait for wait, _ready in members if wait]
				parts = {
					"median_hours": ([total for total, _routing in waits], 50),
					"percentile_hours": ([total for total, _routing in waits], 90),
					"routing_hours": ([routing for _total, routing in waits], 50),
					"rep_hours": ([total - routing for total, routing in waits], 50),
				}
				for column, (seconds, percentile) in parts.items():
					value = nearest_rank(seconds, percentile)
					assert heads[group][column] == (None if value is None else value / 3600), (
						time,
						group,
						column,
					)
				buckets = Counter(bucket(wait) for wait, _ready in members)
				ready = Counter(bucket(wait) for wait, is_ready in members if is_ready)
				assert {
					row["bucket"]: (row["leads"], row["sales_ready"])
					for row in rows
					if row["bucket"] and row["group"] == group
				} == {name: (buckets[name], ready[name]) for name in (*BUCKETS, "never")}
	by_bucket = Counter(bucket(waited(lead, known.calendar(lead))) for lead in known.buyers)
	for name in (*BUCKETS, "never"):
		assert len(listed("Speed to Lead", show="Leads", bucket=name)) == by_bucket[name]


def bucket(wait: tuple[int, int] | None) -> str:
	if wait is None:
		return "never"
	return next(name for name, longest in BUCKETS.items() if wait[0] <= longest)


# Leads at Risk


def faults(lead: Lead, stale_after: int) -> set[str]:
	found = set()
	in_work = (
		not lead.disabled
		and lead.stage in ("target", "prospect")
		and lead.verdict != "Disqualified"
		and not lead.non_buyer
	)
	open_clocks = [
		clock
		for clock in lead.clocks
		if not clock.stopped_at and clock.status in ("Running", "Paused", "Missed")
	]
	if in_work and not lead.waits:
		has_step = (
			lead.next_step_at
			or any(handover.status == "Sent" for handover in lead.handovers)
			or (lead.assigned and lead.assigned[1].date() >= NOW.date())
		)
		if not lead.responsible_at(NOW):
			found.add(risks.NO_OWNER)
		if not has_step:
			found.add(risks.NO_NEXT_STEP)
		since = (lead.human_touches or [lead.entered_at])[-1]
		if stale_after and since.date() + timedelta(days=stale_after) <= NOW.date():
			found.add(risks.STALE)
	if any(clock.due_at < NOW and clock.status != "Paused" for clock in open_clocks):
		found.add(risks.OVERDUE)
	if lead.disabled and (open_clocks or lead.next_step_at):
		found.add(risks.HIDDEN)
	return found if not lead.disabled or risks.HIDDEN in found else set()


def check_risks(known: Known):
	stale_after = frappe.get_cached_doc("Lead Quality Settings").stale_after_days or 0
	expected = {lead.name: faults(lead, stale_after) for lead in known}
	counts = Counter(fault for some in expected.values() for fault in some)
	rows = {row["fault"]: row["leads"] for row in shown("Leads at Risk", show="Summary", group_by="Fault")}
	at_risk = {name for name, some in expected.items() if some}
	assert rows == {**{risk: counts[risk] for risk in risks.RISKS}, "": len(at_risk)}
	assert {row["lead"]: set(row["risks"]) for row in listed("Leads at Risk")} == {
		name: expected[name] for name in at_risk
	}
	for fault in risks.RISKS:
		assert {row["lead"] for row in listed("Leads at Risk", fault=fault)} == {
			name for name, some in expected.items() if fault in some
		}
	by_owner: dict = defaultdict(Counter)
	for lead in known:
		by_owner[lead.owner].update(frappe.scrub(fault) for fault in expected[lead.name])
		by_owner[lead.owner]["at_risk"] += bool(expected[lead.name])
	rows = shown("Leads at Risk", show="Summary", group_by="Owner")
	names = ("at_risk", *map(frappe.scrub, risks.RISKS))
	assert figures(rows, lambda row: row["group"], names) == plain(by_owner)


# qualification


def check_definition_use(known: Known):
	counts: dict = defaultdict(Counter)
	for lead in known.buyers:
		asked = any(answer.by for answer in lead.answers or ())
		counts[lead.owner].update({
			"leads": 1, "asked": asked, "not_asked": not asked, "sales_ready": lead.verdict == "Sales Ready",
		})  # fmt: skip
	names = ("leads", "asked", "not_asked", "sales_ready")
	assert figures(shown("Definition Use"), lambda row: row["user"], names) == plain(counts)
	for name in names:
		found = listed("Definition Use", show="Leads", count=name)
		assert len(found) == sum(counter[name] for counter in counts.values())


def check_criteria(known: Known):
	counts: dict = {criterion: Counter() for criterion in known.site.criteria}
	for lead in known:
		for criterion, counter in counts.items():
			answers = [
				answer for answer in lead.answers or () if answer.criterion == criterion and answer.value
			]
			if lead.answers is not None:
				counter["answered" if answers else "open"] += 1
				counter["met"] += any(answer.met for answer in answers)
			for handover in lead.handovers:
				if handover.status in ("Accepted", "Rejected", "Returned"):
					which = "met" if criterion in handover.met else "missing"
					counter[f"handed_{which}"] += 1
					counter[f"declined_{which}"] += handover.status != "Accepted"
	names = ("answered", "met", "open", "handed_met", "declined_met", "handed_missing", "declined_missing")
	rows = shown("Criterion Effectiveness", checklist=known.site.checklist)
	assert figures(rows, lambda row: row["criterion"], names) == plain(counts)


def check_attributes(known: Known):
	raw, handed = Counter(), Counter()
	for lead in known:
		if lead.handovers:
			handed[len(lead.handovers[0].met)] += 1
		else:
			raw[sum(answer.met for answer in lead.answers or ())] += 1
	rows = shown("Attributes Held", checklist=known.site.checklist)
	assert {row["criteria_met"]: (row["raw"], row["handed_over"]) for row in rows} == {
		row["criteria_met"]: (raw[row["criteria_met"]], handed[row["criteria_met"]]) for row in rows
	}
	assert (sum(row["raw"] for row in rows), sum(row["handed_over"] for row in rows)) == (
		raw.total(),
		handed.total(),
	)


# handovers


def check_handovers(known: Known):
	names = (
		"handed_over", "accepted", "rejected", "returned", "pulled_back", "waiting", "decided", "without",
		"became_opportunity", "became_sale",
	)  # fmt: skip
	status = {"Sent": "waiting", "Pulled Back": "pulled_back"}
	criterion = known.site.criteria[0]
	groups = {
		"Marketer": lambda lead, handover: handover.from_user,
		"Source": lambda lead, handover: lead.source,
		"Month": lambda lead, handover: handover.sent_at.strftime("%Y-%m"),
	}
	for group_by, group_of in groups.items():
		counts: dict = defaultdict(Counter)
		for lead in known:
			for nth, handover in enumerate(lead.handovers):
				until = [
					later.sent_at for later in lead.handovers[nth + 1 :] if later.sent_at > handover.sent_at
				]
				entered = {
					stage
					for stage, at in lead.stages.items()
					if at >= handover.sent_at and not any(later <= at for later in until)
				}
				counts[group_of(lead, handover)].update({
					"handed_over": 1,
					status.get(handover.status, handover.status.lower()): 1,
					"decided": handover.status in ("Accepted", "Rejected", "Returned"),
					"without": criterion not in handover.met,
					"became_opportunity": "opportunity" in entered,
					"became_sale": "sale" in entered,
				})  # fmt: skip
		rows = report_class("Handover Quality").execute(
			{**PERIOD, "group_by": group_by, "criterion": criterion}
		)[1]
		assert figures(rows, lambda row: row["group_name"], names) == plain(counts)
	for name in names:
		found = report_class("Handover Quality")(
			{**PERIOD, "show": "Handovers", "count": name, "criterion": criterion}
		)
		assert len(found.page()[0]) == sum(counter[name] for counter in counts.values())


def is_wasted(known: Known, lead: Lead, days: int) -> bool:
	touches = lead.human_touches
	facts = LeadFacts(
		entered_at=lead.entered_at,
		accepted_at=lead.accepted_at,
		last_touch_at=touches[-1] if touches else None,
		decided_at=max((at for at in (lead.declined_at, lead.exited_at) if at), default=None),
		next_step_at=lead.next_step_at,
		is_pursued="opportunity" in lead.stages,
	)
	start = latest_start(aware(NOW), days, known.calendar(lead)).replace(tzinfo=None)
	return bool(wasted_since(facts, start, NOW))


def check_waste(known: Known):
	days = frappe.get_cached_doc("Lead Quality Settings").wasted_after_days or 5
	counts: dict = defaultdict(Counter)
	for lead in known:
		counts[lead.source].update({"leads": 1, "wasted": is_wasted(known, lead, days)})
	found = figures(
		shown("Wasted Leads", group_by="Source"),
		lambda row: None if row["group"] == "No Source" else row["group"],
		("leads", "wasted"),
	)
	assert found == plain(counts)


# the reports on journeys


TARGETS = {
	"every": {"step": "Prospect", "rate": 50},
	"soon": {"step": "Prospect", "rate": 30, "within_days": 30, "source": "Campaign"},
	"offer": {"step": "Opportunity", "rate": 25, "within_days": 90},
	"from fairs": {"step": "Opportunity", "rate": 60, "source": "Exhibition", "from_date": "2025-02-01"},
	"ready": {"step": "Sales Ready", "rate": 70, "company": COMPANY},
	"bought": {"step": "Sale", "rate": 10},
}
SPENDS = (
	("Campaign", 9_000, "2025-01-01", "2025-03-31"),
	("Exhibition", 4_000, "2025-05-20", "2025-07-08"),
	("Reference", 100, "2020-01-01", "2020-01-31"),
	("Not a Source of These", 500, "2025-04-01", "2025-04-01"),
)
GOALS = (
	("rep1@history.example", 2, "2025-01-01", "2025-03-31"),
	("rep1@history.example", 2, "2025-04-01", "2025-06-30"),
	("rep2@history.example", 1, "2025-02-01", "2025-06-30"),
	("rep3@history.example", 9, "2020-01-01", "2020-12-31"),
)


def make_surroundings():
	"""The company, what was spent and agreed on, and what no lead stands behind. Others' targets and goals are no part."""
	insert("Company", COMPANY, company_name=COMPANY, abbr="HSTL", default_currency="EUR", lft=0, rgt=0)
	for doctype in ("Funnel Target", "New Customer Goal", "Marketing Spend"):
		frappe.db.delete(doctype)
	for name, target in TARGETS.items():
		insert("Funnel Target", name, **target)
	for nth, (source, amount, first, last) in enumerate(SPENDS):
		values = {"source": source, "amount": amount, "from_date": first, "to_date": last}
		insert("Marketing Spend", f"SPEND-{nth}", currency="EUR", company=COMPANY, **values)
	for nth, (user, wanted, first, last) in enumerate(GOALS):
		insert(
			"New Customer Goal", f"GOAL-{nth}", user=user, new_customers=wanted, from_date=first, to_date=last
		)
	for nth, status in enumerate(("Open", "Converted", "Lost")):
		values = {"opportunity_from": "Customer", "party_name": "By Itself", "status": status}
		insert("Opportunity", f"ALONE-{nth}", company=COMPANY, **values)
	insert("Customer", "By Itself", customer_name="By Itself")
	for nth in range(2):
		insert("Sales Order", f"ALONE-{nth}", customer="By Itself", docstatus=1, company=COMPANY)


def insert(doctype: str, name: str, **values):
	values = {"name": name, "creation": NOW - timedelta(days=20), "modified": NOW, **values}
	frappe.db.bulk_insert(doctype, [*values], [[*values.values()]])


def instants(lead: Lead) -> dict[str, datetime | None]:
	return {
		"target": lead.entered_at,
		"prospect": lead.stages.get("prospect"),
		"sales ready": lead.ready_at,
		"accepted": lead.accepted_at,
		"opportunity": lead.stages.get("opportunity"),
		"quoted": lead.quoted_at,
		"sale": lead.stages.get("sale"),
	}


def first_of(*found: datetime | None) -> datetime | None:
	return min((at for at in found if at), default=None)


STEPS = ("target", "prospect", "sales ready", "accepted", "opportunity", "quoted", "sale")
GROUPS = {
	"Source": lambda lead: lead.source,
	"Segment": lambda lead: lead.segment,
	"Owner": lambda lead: lead.owner,
	"Month": lambda lead: lead.entered_at.strftime("%Y-%m"),
}
NOTHING = {"Source": "No Source", "Segment": "No Segment", "Owner": "No Owner"}


def grouped(leads: list[Lead], group_by: str) -> dict:
	"""What a report calls a group, as the generator names its users, to the leads in it."""
	found = defaultdict(list)
	for lead in leads:
		group = GROUPS[group_by](lead)
		if group and group_by == "Owner":
			group = group.split("@")[0].title()
		found[group or NOTHING.get(group_by)].append(lead)
	return found


def in_days(start: datetime, end: datetime | None) -> float | None:
	return None if end is None else max((end - start).total_seconds(), 0) / 86_400


# Stage Conversion


def is_in_time(lead: Lead, at: datetime | None, within: int) -> bool:
	return bool(at and at <= NOW and (not within or at <= lead.entered_at + timedelta(days=within)))


def furthest(lead: Lead, within: int) -> int:
	return max(place for place, step in enumerate(STEPS) if is_in_time(lead, instants(lead)[step], within))


def is_stopped(lead: Lead, within: int) -> bool:
	return bool(lead.exited_at) or bool(within and lead.entered_at + timedelta(days=within) < NOW)


def check_stage_conversion(known: Known):
	for within in (0, 30):
		filters = {"all_steps": 1, "within_days": within}
		leads = [(lead, furthest(lead, within), is_stopped(lead, within)) for lead in known.cohort]
		rows = shown("Stage Conversion", **filters)
		for place, (step, row) in enumerate(zip(STEPS, rows[: len(STEPS)], strict=True)):
			entered = [
				in_days(lead.entered_at, instants(lead)[step])
				for lead, *_rest in leads
				if is_in_time(lead, instants(lead)[step], within)
			]
			reached = sum(far >= place for _lead, far, _stopped in leads)
			here = [stopped for _lead, far, stopped in leads if far == place]
			truth = {"reached": reached, "lost": sum(here), "open": len(here) - sum(here)}
			truth["skipped"] = reached - len(entered)
			truth["in_period"] = sum(bool(instants(lead)[step]) for lead in known.cohort)
			if step == STEPS[-1]:
				truth.update({"lost": None, "open": None})
			assert {name: row[name] for name in truth} == truth, (step, within)
			median = statistics.median(entered) if entered else None
			assert row["median_days"] == (None if median is None else pytest.approx(median)), (step, within)
			if place:
				assert row["expected"] == expected(known, place, within), (step, within)
			for count in ("reached", "lost", "open", "skipped", "in_period"):
				if truth[count] is not None:
					found = listed("Stage Conversion", **filters, show="Leads", count=count, step=step)
					assert len(found) == truth[count], (step, within, count)
		assert [(row["stage"], row["reached"]) for row in rows[len(STEPS) :]] == [
			("No Lead", 3),
			("No Lead, Sales", 2),
		]
		for group_by in GROUPS:
			check_conversion_of_groups(known, group_by, within)


def check_conversion_of_groups(known: Known, group_by: str, within: int):
	truth = {}
	for group, leads in grouped(known.cohort, group_by).items():
		far = [(furthest(lead, within), is_stopped(lead, within)) for lead in leads]
		truth[group] = {
			"leads": len(leads),
			**{frappe.scrub(step): sum(place >= nth for place, _stopped in far) for nth, step in enumerate(STEPS) if nth},
			"lost": sum(stopped for place, stopped in far if place < len(STEPS) - 1),
			"open": sum(not stopped for place, stopped in far if place < len(STEPS) - 1),
		}  # fmt: skip
	rows = shown("Stage Conversion", all_steps=1, within_days=within, group_by=group_by)
	found = {
		row["group"]: {name: row[name] for name in next(iter(truth.values()))}
		for row in rows
		if row["group"] != "No Lead"
	}
	assert found == truth, (group_by, within)


def expected(known: Known, place: int, within: int):
	"""The share that gets to a step if those still open go on like the others, in percent."""
	spells = []
	for lead in known.cohort:
		age = (NOW - lead.entered_at).days
		reached, exited = (
			None if at is None else -(-max(at - lead.entered_at, timedelta()) // timedelta(days=1))
			for at in (first_of(*[instants(lead)[step] for step in STEPS[place:]]), lead.exited_at)
		)
		if reached is not None and reached <= age:
			spells.append(Spell(reached, REACHED))
		elif exited is not None and exited <= age:
			spells.append(Spell(exited, EXITED))
		else:
			spells.append(Spell(age, OPEN))
	share = rate_within(incidence(spells), within or None, 10).share
	return None if share is None else pytest.approx(share * 100)


# Funnel Targets, Leaks

SCOPES = {
	"source": lambda lead: lead.source,
	"segment": lambda lead: lead.segment,
	"company": lambda _: COMPANY,
}


def target_of(lead: Lead, step: str, dated: bool = True) -> str | None:
	"""The narrowest target of a step that a lead is of."""

	def is_of(target: dict) -> bool:
		scope = all(SCOPES[field](lead) == target[field] for field in SCOPES if field in target)
		since = get_datetime(target.get("from_date", "1900-01-01"))
		return scope and (not dated or lead.entered_at >= since)

	found = [name for name, target in TARGETS.items() if target["step"] == step and is_of(target)]
	return max(found, key=lambda name: sum(field in TARGETS[name] for field in SCOPES), default=None)


def came_to(lead: Lead, step: str) -> datetime | None:
	at = instants(lead)
	return {
		"Prospect": first_of(at["prospect"], at["opportunity"], at["sale"]),
		"Sales Ready": at["sales ready"],
		"Accepted": at["accepted"],
		"Opportunity": first_of(at["opportunity"], at["sale"]),
		"Quoted": at["quoted"],
		"Sale": at["sale"],
	}[step]


def check_targets(known: Known):
	rows = {row["target"]: row for row in shown("Funnel Targets")}
	assert set(rows) == set(TARGETS)
	for name, target in TARGETS.items():
		within = target.get("within_days", 0)
		first, last = cohort(NOW.date(), within)
		leads = [
			lead
			for lead in known.cohort
			if first <= lead.entered_at.date() <= last and target_of(lead, target["step"]) == name
		]
		reached = sum(is_in_time(lead, came_to(lead, target["step"]), within) for lead in leads)
		row = rows[name]
		assert (row["leads"], row["reached"], row["missed"]) == (len(leads), reached, len(leads) - reached), (
			name
		)
		for count in ("leads", "reached", "missed"):
			assert len(listed("Funnel Targets", show="Leads", target=name, count=count)) == row[count]


def check_leaks(known: Known):
	truth: dict = defaultdict(Counter)
	lost: dict = defaultdict(Counter)
	sold: Counter = Counter()
	steps = ("Prospect", "Sales Ready", "Accepted", "Opportunity", "Quoted", "Sale")
	for lead in known.cohort:
		for step in steps:
			name = target_of(lead, step)
			within = TARGETS[name].get("within_days", 0) if name else 0
			at = came_to(lead, step)
			if within and lead.entered_at + timedelta(days=within) > NOW:
				truth[step, name]["young"] += 1
				continue
			state = (
				"reached" if is_in_time(lead, at, within) else "lost" if within or lead.exited_at else "open"
			)
			truth[step, name].update({"leads": 1, state: 1})
			sold[step, name] += state == "reached" and "sale" in lead.stages
			if state == "lost" and lead.exited_at:
				lost[step, name][lead.stage] += 1
	# a step with targets shows no row of what none of them is of
	truth = {key: counts for key, counts in truth.items() if key[1] or not any(one["step"] == key[0] for one in TARGETS.values())}  # fmt: skip
	rows = {}
	for row in shown("Leaks"):
		target = frappe.utils.cstr(row["links"]["leads"])
		name = next((name for name in TARGETS if f"target={frappe.utils.quoted(name)}" in target), None)
		rows[row["step"].title(), name] = row
	names = ("leads", "reached", "lost", "open", "young")
	assert figures_of(rows, names) == plain(truth)
	for (step, name), row in rows.items():
		check_leak(known, step, name, row, truth[step, name], sold[step, name])
		if lost[step, name]:
			assert row["reason"].startswith("Disqualified")
		for count in names:
			found = listed("Leaks", show="Leads", count=count, step=step.lower(), target=name)
			assert len(found) == row[count], (step, name, count)


def figures_of(rows: dict, names) -> dict:
	found = {key: {name: row[name] for name in names if row[name]} for key, row in rows.items()}
	return {key: counts for key, counts in found.items() if counts}


def check_leak(known: Known, step: str, name: str | None, row: dict, counts: Counter, sold: int):
	values = [
		lead.ordered for lead in known.cohort if lead.ordered and target_of(lead, step, dated=False) == name
	]
	assert (row["won"], row["median_value"]) == (len(values), nearest_rank(values, 50)), (step, name)
	assert len(listed("Leaks", show="Leads", count="won", step=step.lower(), target=name)) == len(values)
	if not name:
		assert (row["missing"], row["missing_value"]) == (None, None)
		return
	missing = max(counts["leads"] * TARGETS[name]["rate"] / 100 - counts["reached"], 0)
	assert row["missing"] == pytest.approx(missing)
	if not values or not counts["reached"]:
		assert row["missing_value"] is None
		return
	assert row["missing_value"] == pytest.approx(
		missing * sold / counts["reached"] * nearest_rank(values, 50)
	)


# Source Effectiveness


def check_sources(known: Known):
	days = frappe.get_cached_doc("Lead Quality Settings").wasted_after_days or 5
	for group_by in ("Source", "Segment", "Month"):
		truth, value, times = {}, {}, {}
		for group, leads in grouped([*known], group_by).items():
			buyers = [lead for lead in leads if not lead.non_buyer]
			truth[group] = Counter({
				"leads": len(leads),
				"not_buyers": len(leads) - len(buyers),
				"bad_data": sum(any(touch.outcome == "Wrong Data" for touch in lead.touches) for lead in leads),
				"wasted": sum(is_wasted(known, lead, days) for lead in leads),
				"buyers": len(buyers),
				"qualified": sum(bool(lead.ready_at) for lead in buyers),
				"handed_over": sum(bool(lead.handovers) for lead in buyers),
				"declined": sum(bool(lead.declined_at) for lead in buyers),
				"accepted": sum(bool(lead.accepted_at) for lead in buyers),
				"opportunities": sum("opportunity" in lead.stages for lead in buyers),
				"won": sum("sale" in lead.stages for lead in buyers),
			})  # fmt: skip
			value[group] = sum(lead.ordered for lead in buyers)
			sales = [in_days(lead.entered_at, lead.stages.get("sale")) for lead in buyers]
			times[group] = nearest_rank([days for days in sales if days is not None], 50)
		rows = {row["group"]: row for row in shown("Source Effectiveness", group_by=group_by)}
		alone = rows.pop("No Lead")
		assert (alone["opportunities"], alone["won"]) == (3, 1)
		names = next(iter(truth.values()))
		assert figures_of(rows, names) == plain(truth)
		for group in truth:
			assert rows[group]["value"] == value[group]
			assert rows[group]["median_days"] == (
				None if times[group] is None else pytest.approx(times[group], abs=1e-4)
			)
		if group_by == "Segment":
			continue
		spent = spent_by(group_by)
		assert {group: row["spend"] for group, row in rows.items() if row["spend"]} == pytest.approx(spent)
		for group, amount in spent.items():
			counts = truth.get(group, Counter())
			for cost, of in (
				("lead", "leads"),
				("qualified", "qualified"),
				("accepted", "accepted"),
				("won", "won"),
			):
				assert rows[group][f"cost_per_{cost}"] == (
					pytest.approx(amount / counts[of]) if counts[of] else None
				)
	for count, number in sum_of(truth).items():
		found = listed("Source Effectiveness", show="Leads", count=count, group_by="Source")
		assert len(found) == number, count


def sum_of(counters: dict) -> Counter:
	total: Counter = Counter()
	for counter in counters.values():
		total.update(counter)
	return total


def spent_by(group_by: str) -> dict:
	"""Group to what was spent on the days of the period, as much on each."""
	first, last = date(2024, 10, 1), NOW.date()
	found: dict = defaultdict(float)
	for source, amount, begin, end in SPENDS:
		begin, end = date.fromisoformat(begin), date.fromisoformat(end)
		days = [begin + timedelta(days=nth) for nth in range((end - begin).days + 1)]
		for day in days:
			if first <= day <= last:
				found[source if group_by == "Source" else f"{day:%Y-%m}"] += amount / len(days)
	return dict(found)


# Stage Velocity, Lead to Proposal


def check_velocity(known: Known):
	for group_by in ("All Leads", *GROUPS):
		groups = {"All Leads": known.cohort} if group_by == "All Leads" else grouped(known.cohort, group_by)
		truth = {}
		for group, leads in groups.items():
			for way, (begin, end) in WAYS.items():
				times = [
					round(in_days(start, stop) * 86_400)
					for lead in leads
					for start, stop in [(way_of(lead)[begin], way_of(lead)[end])]
					if start and stop
				]
				if times:
					truth[group, way] = (len(times), *(nearest_rank(times, rank) for rank in (50, 90, 100)))
		rows = shown("Stage Velocity", group_by=group_by)
		assert {
			(row["group"], row["way"]): (
				row["leads"],
				*(round(row[name] * 86_400) for name in ("median_days", "p90_days", "slowest_days")),
			)
			for row in rows
			if row["group"] != "No Lead"
		} == truth
	for (_group, way), (cases, *_times) in truth.items():
		own = sum(number for (_group, other), (number, *_rest) in truth.items() if other == way)
		assert cases <= own == len(listed("Stage Velocity", show="Leads", way=way))


WAYS = {
	"Came In to Prospect": ("target", "prospect"),
	"Came In to Sales Ready": ("target", "sales ready"),
	"Handed Over to Accepted": ("handed over", "accepted"),
	"Prospect to Opportunity": ("prospect", "opportunity"),
	"Opportunity to Quoted": ("opportunity", "quoted"),
	"Quoted to Sale": ("quoted", "sale"),
	"Came In to Sale": ("target", "sale"),
}


def way_of(lead: Lead) -> dict[str, datetime | None]:
	return {**instants(lead), "handed over": first_of(*[one.sent_at for one in lead.handovers])}


def called_at(lead: Lead) -> datetime | None:
	if not lead.quoted_at:
		return None
	calls = [touch for touch in lead.touches if (touch.channel, touch.direction) == ("Phone", "Outbound")]
	return first_of(*[touch.at for touch in calls if not touch.is_automatic and touch.at >= lead.quoted_at])


def check_proposals(known: Known):
	for group_by in GROUPS:
		truth, times = {}, {}
		for group, leads in grouped(known.cohort, group_by).items():
			offered = [lead for lead in leads if "opportunity" in lead.stages]
			quoted = [lead for lead in leads if lead.quoted_at]
			truth[group] = Counter({
				"leads": len(leads),
				"opportunities": len(offered),
				"quoted": len(quoted),
				"quoted_opportunities": sum(bool(lead.quoted_at) for lead in offered),
				"without": sum(not lead.quoted_at for lead in offered),
				"called": sum(bool(called_at(lead)) for lead in quoted),
				"not_called": sum(not called_at(lead) for lead in quoted),
			})  # fmt: skip
			waits = [in_days(lead.entered_at, lead.quoted_at) for lead in quoted]
			times[group] = nearest_rank(waits, 50), nearest_rank(waits, 90)
		rows = {row["group"]: row for row in shown("Lead to Proposal", group_by=group_by)}
		alone = rows.pop("No Lead")
		assert (alone["opportunities"], alone["quoted_opportunities"], alone["without"]) == (3, 0, 3)
		assert figures_of(rows, next(iter(truth.values()))) == plain(truth)
		for group, row in rows.items():
			assert (row["median_days"], row["p90_days"]) == tuple(
				None if days is None else pytest.approx(days, abs=1e-4) for days in times[group]
			)
	for count, number in sum_of(truth).items():
		assert len(listed("Lead to Proposal", show="Leads", count=count)) == number, count


# Goals


def check_goals(known: Known):
	goals: Counter = Counter()
	alone: Counter = Counter()
	value: Counter = Counter()
	for lead in known:
		at = lead.stages.get("sale")
		if not at or lead.has_ordered_before:
			continue
		rep = lead.owner_at(at)
		own = [
			nth
			for nth, (user, _wanted, first, last) in enumerate(GOALS)
			if user == rep and first <= str(at.date()) <= last and last >= PERIOD["from_date"]
		]
		key = own[0] if own else rep
		(goals if own else alone)[key] += 1
		value[key] += lead.ordered
	rows = shown("Goals")
	assert (rows[-1]["rep"], rows[-1]["won"]) == ("No Lead", 2)
	rows = rows[:-1]
	with_goal = {(row["user"], str(row["from_date"])): row for row in rows if row["from_date"]}
	assert {key: row["won"] for key, row in with_goal.items()} == {
		(user, first): goals[nth] for nth, (user, _wanted, first, _last) in enumerate(GOALS[:3])
	}
	for nth, (user, wanted, first, _last) in enumerate(GOALS[:3]):
		row = with_goal[user, first]
		assert (row["goal"], row["missing"], row["value"]) == (
			wanted,
			max(wanted - goals[nth], 0),
			value[nth],
		)
	assert {row["user"]: (row["won"], row["value"]) for row in rows if not row["from_date"]} == {
		rep: (number, value[rep]) for rep, number in alone.items()
	}
	assert len(listed("Goals", show="Customers")) == goals.total() + alone.total()


# Qualified Leads


def check_qualified(known: Known):
	for group_by in GROUPS:
		truth, worth = {}, {}
		for group, leads in grouped(known.cohort, group_by).items():
			qualified = [lead for lead in leads if lead.ready_at]
			pursued = [lead for lead in qualified if pursued_at(lead)]
			in_time = [lead for lead in pursued if pursued_at(lead) <= (pursue_by(lead) or NOW)]
			left = [lead for lead in qualified if not pursued_at(lead)]
			is_open = [lead for lead in left if not lead.exited_at and (pursue_by(lead) or NOW) > NOW]
			unpursued = [lead for lead in left if not lead.exited_at and lead not in is_open]
			truth[group] = Counter({
				"leads": len(leads),
				"qualified": len(qualified),
				"pursued": len(in_time),
				"late": len(pursued) - len(in_time),
				"open": len(is_open),
				"judged": len(qualified) - len(is_open),
				"not_pursued": len(unpursued),
				"closed": len(left) - len(unpursued) - len(is_open),
			})  # fmt: skip
			estimates = [median_won(known, lead) for lead in unpursued if not lead.handovers]
			worth[group] = (
				sum(lead.handovers[-1].value for lead in unpursued if lead.handovers),
				sum(value for value in estimates if value),
				sum(bool(value) for value in estimates),
			)
		rows = {row["group_name"]: row for row in shown("Qualified Leads", group_by=group_by)}
		assert figures_of(rows, next(iter(truth.values()))) == plain(truth)
		assert {
			group: (row["value"], row["estimate"] or 0, row["estimated"]) for group, row in rows.items()
		} == worth
	for count, number in sum_of(truth).items():
		assert len(listed("Qualified Leads", show="Leads", count=count)) == number, count


def pursued_at(lead: Lead) -> datetime | None:
	touches = [at for at in lead.human_touches if at >= lead.ready_at]
	return first_of(*touches, lead.stages.get("opportunity"))


def pursue_by(lead: Lead) -> datetime | None:
	for kind in ("First Touch After Acceptance", "Handover Acceptance"):
		due = [clock.due_at for clock in lead.clocks if clock.clock == kind and clock.status != "Cancelled"]
		if due:
			return min(due)
	if lead.handovers:
		return None
	contacts = [
		clock.due_at
		for clock in lead.clocks
		if clock.clock in ("First Response", "Next Touch")
		and clock.status != "Cancelled"
		and (not clock.stopped_at or clock.stopped_at >= lead.ready_at)
	]
	return min(contacts, default=None)


def median_won(known: Known, lead: Lead) -> float | None:
	"""Of what was won of the same source, else of the same segment."""
	for of in (lambda one: one.source, lambda one: one.segment):
		won = [one.ordered for one in known.cohort if one.ordered and of(one) and of(one) == of(lead)]
		if won:
			return nearest_rank(won, 50)
	return None


CHECKS = (
	check_compliance,
	check_charged_clocks,
	check_speed,
	check_risks,
	check_definition_use,
	check_criteria,
	check_attributes,
	check_handovers,
	check_waste,
	check_stage_conversion,
	check_targets,
	check_leaks,
	check_sources,
	check_velocity,
	check_proposals,
	check_goals,
	check_qualified,
)
