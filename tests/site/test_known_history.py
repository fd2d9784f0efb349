"""Reports count a site of known history to the unit: what each of them says is counted again here, lead by lead, of the
objects that the history was written from. So it is after random corrections."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import frappe
import pytest
from frappe.utils import get_datetime

from benchmarks.history import Lead, Site
from lead_quality.base.report import nearest_rank, report_class
from lead_quality.base.site_time import aware, get_calendar, seconds_between
from lead_quality.engine.waste import LeadFacts, latest_start, wasted_since
from lead_quality.follow_up import risks

NOW = get_datetime("2025-06-18 11:00:00")
DAYS = 200
PERIOD = {"from_date": "2024-10-01", "to_date": "2025-06-18"}
COMPANY = "History Ltd"
LEADS, CORRECTIONS = 120, 30
BUCKETS = {"5m": 300, "1h": 3_600, "4h": 4 * 3_600, "24h": 24 * 3_600, "72h": 72 * 3_600, "later": 10**12}


class Known:
	"""The site and the truth about its leads."""

	def __init__(self, seed: int):
		self.site = Site(LEADS, seed, DAYS, NOW, reps=6, company=COMPANY)
		self.leads = {lead.number: lead for lead in self.site.leads()}
		self.site.fill(self.leads.values(), commit=False)

	def correct(self, draw: random.Random):
		for version in range(1, CORRECTIONS + 1):
			number = draw.randint(1, LEADS)
			self.leads[number] = self.site.correct(self.leads[number], version)

	def __iter__(self):
		return iter(self.leads.values())

	@property
	def buyers(self) -> list[Lead]:
		return [lead for lead in self if not lead.disabled and not lead.non_buyer]

	def calendar(self, lead: Lead):
		return get_calendar(self.site.calendar) if lead.segment else None


@pytest.fixture(params=[1, 2])
def known(request, freeze):
	with freeze(NOW):
		frappe.db.delete("Follow Up Run")
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


def check_waste(known: Known):
	days = frappe.get_cached_doc("Lead Quality Settings").wasted_after_days or 5
	counts: dict = defaultdict(Counter)
	for lead in known:
		accepted = [
			handover.decided_at for handover in lead.handovers if handover.status in ("Accepted", "Returned")
		]
		touches = lead.human_touches
		facts = LeadFacts(
			entered_at=lead.entered_at,
			accepted_at=min(accepted, default=None),
			last_touch_at=touches[-1] if touches else None,
			next_step_at=lead.next_step_at,
			is_pursued="opportunity" in lead.stages,
		)
		start = latest_start(aware(NOW), days, known.calendar(lead)).replace(tzinfo=None)
		counts[lead.source].update({"leads": 1, "wasted": bool(wasted_since(facts, start, NOW))})
	found = figures(
		shown("Wasted Leads", group_by="Source"),
		lambda row: None if row["group"] == "No Source" else row["group"],
		("leads", "wasted"),
	)
	assert found == plain(counts)


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
)
