"""The figures of an audit, of one row a lead. What a stage, a touch, a wasted lead and working time are is the app's own
rules (`engine`); here they are counted."""

import gc
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from sys import intern

from lead_quality.audit import store
from lead_quality.audit.columns import IS_ADDRESS, LEAD_STATUSES
from lead_quality.audit.labels import STATUSES, words
from lead_quality.audit.report import (
	BARS,
	COUNT,
	DAYS,
	HOURS,
	LINES,
	MONEY,
	SHARE,
	STEPS,
	TEXT,
	Cell,
	Column,
	Figure,
	Section,
	shown,
)
from lead_quality.audit.store import Journey
from lead_quality.audit.values import digits_key, is_same_number
from lead_quality.engine.conversion import STAGES, cohort_steps, new_entries
from lead_quality.engine.waste import LeadFacts, latest_start, wasted_since
from lead_quality.engine.working_time import WorkingCalendar

WORTH_TITLE = "What a wasted lead is counted at"
MINIMUM = 30  # leads that it takes to judge by a share
FEWEST_ORDERS = 10  # to go by a median of one's own
GIVEN_UP_AFTER = 30  # days without a touch
COHORTS_SHOWN = 24
GROUPS_SHOWN = 15
STATUSES_SHOWN = 30
NO_SOURCE, NO_OWNER = "(no source)", "(no owner)"
UNKNOWN_SOURCES = {
	"",
	"unknown",
	"unbekannt",
	"other",
	"others",
	"sonstige",
	"none",
	"n/a",
	"na",
	"-",
	"?",
	"inconnu",
}
DAY = 86_400
_RANKS = {stage: rank for rank, stage in enumerate(STAGES)}


@dataclass(frozen=True)
class Known:
	"""Which data there are, beside the leads themselves."""

	contacts: bool = True
	calls: bool = True
	opportunities: bool = True
	quotations: bool = True
	orders: bool = True
	next_contact: bool = True
	owners: bool = True
	sources: bool = True
	statuses: bool = True
	addresses: bool = True
	events: bool = True
	changes: bool = True  # when leads were last changed


@dataclass(frozen=True)
class Options:
	"""What the figures are held against. `now` is naive, as are all instants of the data: the site's time, of which the
	calendar's zone is taken to be."""

	now: datetime
	calendar: WorkingCalendar
	wasted_after: int = 5
	policy_hours: float = 2.0


@dataclass(slots=True)
class Facts:
	"""One lead as it is counted; `hours` of working time to the first touch. `is_undated` if a stage is known by status only.

	`is_judged`: it is old enough to be wasted, and something tells whether it is. `is_clear`: something tells which stages it has
	reached: documents, or a status that is one of ERPNext's. `is_of_later`: it was changed after the day of the audit, so that its status may be of after that, too; `is_spared`: but for
	that status it would be wasted.
	"""

	journey: Journey
	age: float
	is_touched: bool
	is_wasted: bool
	is_young: bool
	hours: float | None = None
	entered: dict[str, datetime] = field(default_factory=dict)
	is_undated: bool = False
	is_judged: bool = True
	is_clear: bool = True
	is_of_later: bool = False
	is_spared: bool = False
	rank: int = field(init=False)
	is_sold: bool = field(init=False)
	month: str = field(init=False)

	def __post_init__(self) -> None:  # once, as every section asks for these of every lead
		self.rank = max([_RANKS[stage] for stage in self.entered], default=0)
		self.is_sold = "sale" in self.entered
		entry = self.journey.entered_at
		self.month = intern(f"{entry.year:04}-{entry.month:02}")

	@property
	def source(self) -> str:
		return self.journey.source or NO_SOURCE

	@property
	def owner(self) -> str:
		return self.journey.owner or NO_OWNER


def see(journeys: Iterable[Journey], known: Known, options: Options) -> list[Facts]:
	"""The facts of each lead that had come in by `now`."""
	zone = options.calendar.zone
	latest = latest_start(options.now.replace(tzinfo=zone), options.wasted_after, options.calendar)
	naive_latest = latest.replace(tzinfo=None)
	was_collecting = gc.isenabled()
	gc.disable()  # of millions of objects that all stay, looking for cycles would be a tenth of the work
	try:
		return [
			_facts(journey, known, options, naive_latest)
			for journey in journeys
			if journey.entered_at <= options.now
		]
	finally:
		if was_collecting:
			gc.enable()


def _facts(journey: Journey, known: Known, options: Options, latest: datetime) -> Facts:
	entry, status = journey.entered_at, journey.status.lower()
	proofs = {"target": entry}
	by_status = _proved_by_status(status)
	for stage, at, is_known in (
		("prospect", journey.conversation_at, known.contacts),
		("opportunity", journey.opportunity_at, known.opportunities),
		("sale", journey.sale_at, known.orders),
	):
		if at is not None and at <= options.now:
			proofs[stage] = at
		elif not is_known and stage in by_status:
			proofs[stage] = max(entry, min(journey.modified_at or entry, options.now))
	is_undated = any(proofs.get(stage) and not getattr(journey, at) for stage, at in _INSTANTS.items())
	first = journey.first_touch_at if known.contacts else None
	is_touched = first is not None or (not known.contacts and bool(by_status))

	def is_wasted(is_touched: bool, is_over: bool, is_pursued: bool) -> bool:
		told = LeadFacts(
			entered_at=entry,
			last_touch_at=journey.last_touch_at or (entry if is_touched else None),
			decided_at=entry if is_over else None,
			next_step_at=journey.next_contact_at,
			is_pursued=is_pursued,
		)
		return wasted_since(told, latest, options.now) is not None

	is_status_clear = status in LEAD_STATUSES
	is_judged = entry <= latest and (known.contacts or is_status_clear)
	wasted = is_judged and is_wasted(
		is_touched, bool(journey.over), "opportunity" in proofs or "sale" in proofs
	)
	is_of_later = journey.modified_at is not None and journey.modified_at > options.now
	is_dated = any(at is not None and at <= options.now for at in (journey.opportunity_at, journey.sale_at))
	return Facts(
		journey=journey,
		age=(options.now - entry).total_seconds() / DAY,
		is_touched=is_touched,
		is_wasted=wasted,
		is_young=entry > latest,
		hours=_working_hours(entry, first, options.calendar) if first else None,
		entered={stage: at for stage, _left, at in new_entries(None, proofs, entry)},
		is_undated=is_undated,
		is_judged=is_judged,
		is_clear=is_status_clear or (known.contacts and known.opportunities and known.orders),
		is_of_later=is_of_later,
		is_spared=is_judged
		and is_of_later
		and not wasted
		and is_wasted(first is not None, journey.is_customer, is_dated),
	)


_INSTANTS = {"prospect": "conversation_at", "opportunity": "opportunity_at", "sale": "sale_at"}


def _proved_by_status(status: str) -> tuple[str, ...]:
	"""The stages that ERPNext's status of a lead says by itself, for want of the documents."""
	if status in store.CONVERTED:
		return ("prospect", "opportunity", "sale")
	if status in (*store.OPPORTUNITY_STATUS, *store.QUOTATION_STATUS, *store.LOST):
		return ("prospect", "opportunity")
	return ("prospect",) if status in store.REPLIED else ()


def _working_hours(start: datetime, end: datetime, calendar: WorkingCalendar) -> float:
	zone = calendar.zone
	return calendar.elapsed(start.replace(tzinfo=zone), max(start, end).replace(tzinfo=zone)) / 3600


def of_later(facts: Sequence[Facts], known: Known, options: Options, latest: datetime) -> list[str]:
	"""What of a past day cannot be told by data that reach beyond it, to `latest`."""
	if latest <= options.now:
		return []
	changed, decided = sum(one.is_of_later for one in facts), sum(one.is_spared for one in facts)
	sold = sum(one.is_sold and one.is_of_later and one.journey.sale_at is None for one in facts)
	said = (
		f"The data reach beyond the day of the audit, to {latest:%Y-%m-%d %H:%M}: a lead's status, owner and next contact, and which "
		"documents stand, are as of then. "
	)
	if not known.changes:
		return [said + "Which leads were changed in between is not known without a column Last Updated On."]
	said += f"{changed:,} of {len(facts):,} leads were changed after the day of the audit"
	by_status = [f"{decided:,} count as not wasted"] * bool(decided) + [f"{sold:,} as sold"] * bool(sold)
	return [said + (f"; of these {' and '.join(by_status)} by their status alone." if by_status else ".")]


# worth


@dataclass(frozen=True)
class Worth:
	"""What one lead that is worked comes to: the share of them that is sold, times the median order. None where too few were
	sold to say. `ripe` is how many days old a lead has to be, to be judged. Which of both is that of all sources, is said."""

	each: float | None
	rate: float | None
	leads: int
	median: float | None
	orders: int
	ripe: float
	is_rate_general: bool = False
	is_median_general: bool = False


def worth(facts: Collection[Facts], ripe: float, general: "Worth | None" = None) -> Worth:
	"""Of the leads that were touched and are old enough; of a group with too few of them, what it is in general."""
	worked = [one for one in facts if one.is_touched and one.age >= ripe]
	amounts = [one.journey.value for one in facts if one.is_sold and one.journey.value is not None]
	rate = sum(one.is_sold for one in worked) / len(worked) if len(worked) >= MINIMUM else None
	middle = median(amounts) if len(amounts) >= FEWEST_ORDERS else None
	leads, orders = len(worked), len(amounts)
	is_rate_general = general is not None and rate is None
	is_median_general = general is not None and middle is None
	if general is not None and is_rate_general:
		rate, leads = general.rate, general.leads
	if general is not None and is_median_general:
		middle, orders = general.median, general.orders
	each = rate * middle if rate is not None and middle is not None else None
	return Worth(each, rate, leads, middle, orders, ripe, is_rate_general, is_median_general)


@dataclass(frozen=True)
class Worths:
	"""What a worked lead comes to: in general, and of each source that has enough of them."""

	general: Worth
	sources: Mapping[str, Worth]

	def of_wasted(self, facts: Iterable[Facts]) -> float | None:
		"""What the wasted among some leads would have come to, each at what its source comes to; None if nobody knows."""
		if self.general.each is None:
			return None
		return sum(self.sources[one.source].each or 0.0 for one in facts if one.is_wasted)


def worths(facts: Sequence[Facts], ripe: float) -> Worths:
	general = worth(facts, ripe)
	groups = _grouped(facts, lambda one: one.source)
	return Worths(general, {source: worth(some, ripe, general) for source, some in groups.items()})


def days_to_sale(facts: Iterable[Facts], share: float = 0.9) -> float:
	"""Within how many whole days so large a share of the sales came, as `engine.learning` counts them; 0 without any dated one."""
	days = sorted(
		(one.entered["sale"] - one.journey.entered_at).total_seconds() / DAY
		for one in facts
		if one.is_sold and not one.is_undated
	)
	return float(math.ceil(max(days[math.ceil(share * len(days)) - 1], 0))) if days else 0.0


# sections


def headlines(
	facts: Sequence[Facts], known: Known, options: Options, currency: str, worths: Worths
) -> list[Figure]:
	"""The figures that the page begins with."""
	old = [one for one in facts if one.is_judged]
	wasted = sum(one.is_wasted for one in old)
	touched = [one for one in facts if one.hours is not None]
	in_time = sum(one.hours <= options.policy_hours for one in touched if one.hours is not None)
	clear = [one for one in facts if one.is_clear]
	sold = sum(one.is_sold for one in clear)
	general, lost = worths.general, worths.of_wasted(facts)
	no_contacts = "" if known.contacts else "No Communications were given."
	return [
		Figure("leads", "Leads", len(facts), COUNT, len(facts), "All leads that had come in by the day of the audit."),
		Figure(
			"wasted_rate",
			"Wasted leads",
			_share(wasted, len(old)),
			SHARE,
			len(old),
			f"{wasted:,} of {len(old):,} leads that are {options.wasted_after} working days old or older: nobody was in touch "
			"with them, nobody has decided about them, no step lies before them, no opportunity or order stands.",
			_sentences(
				"" if known.contacts else "Without Communications, whether anybody was in touch is known by the lead's status only.",
				_by_own_status(facts, known),
				_by_later_status(sum(one.is_spared for one in old), wasted, len(old)),
			),
		),
		Figure(
			"wasted_worth",
			"What they would have come to",
			lost,
			MONEY,
			general.orders,
			_how_worth(general, currency),
			"Whether wasted leads would have sold like those that were worked: people tend to work the better ones.",
		),
		Figure(
			"first_touch_hours",
			"Speed to lead, median",
			median(hours) if (hours := [one.hours for one in touched if one.hours is not None]) else None,
			HOURS,
			len(touched),
			"Working time from a lead's entry to the first touch by a person, of the leads that were touched.",
			no_contacts,
		),
		Figure(
			"touched_in_time",
			f"Touched within {options.policy_hours:g} working hours",
			_share(in_time, len(facts)) if known.contacts else None,
			SHARE,
			len(facts),
			f"{in_time:,} of all leads.",
			no_contacts,
		),
		Figure("sold", "Sold", _share(sold, len(clear)), SHARE, len(clear), f"{sold:,} leads with a submitted order.",
			_sentences(
				"" if len(clear) == len(facts) else f"{len(facts) - len(clear):,} leads have no status that is one of ERPNext's, and are left out.",
				"" if known.orders else "Without Sales Orders, a lead counts as sold if its status says Converted.",
				_sold_by_later_status(sum(one.is_sold and one.is_of_later for one in facts) if not known.orders else 0),
			)),
	]  # fmt: skip


def _sentences(*some: str) -> str:
	return " ".join(one for one in some if one)


def _by_later_status(spared: int, wasted: int, old: int) -> str:
	if not spared:
		return ""
	return (
		f"{spared:,} count as not wasted by a status that may be of after the day of the audit, as they were changed since: had "
		f"none had it by then, {shown(_share(wasted + spared, old), SHARE)} would be wasted."
	)


def _sold_by_later_status(sold: int) -> str:
	return (
		f"{sold:,} of them were changed after the day of the audit, and may have been sold after it."
		if sold
		else ""
	)


def _how_worth(general: Worth, currency: str) -> str:
	if general.each is None:
		return (
			f"Not said: it takes {MINIMUM} leads that were touched and {FEWEST_ORDERS} orders with an amount."
		)
	return (
		"Each wasted lead at what a touched one of its source has come to: the share that was sold × the median order. Of all "
		f"sources together that is {shown(general.rate, SHARE)} (of {general.leads:,} touched leads that are {general.ripe:.0f} days "
		f"old or older, within which nine of ten sales came) × {shown(general.median, MONEY, currency)} (of {general.orders:,} orders)."
	)


def funnel(facts: Sequence[Facts], known: Known, currency: str) -> Section:
	"""How many got to each stage, by the app's own `cohort_steps`, and what one more lead there is worth."""
	left_out = sum(not one.is_clear for one in facts)
	facts = [one for one in facts if one.is_clear]
	log = [(one.journey.lead, stage, at) for one in facts for stage, at in one.entered.items()]
	steps = cohort_steps(log)
	sold = [one.journey.value for one in facts if one.is_sold and one.journey.value is not None]
	middle = median(sold) if len(sold) >= FEWEST_ORDERS else None
	is_dated = known.contacts and known.opportunities and known.orders
	rows: list[list[Cell]] = []
	for number, step in enumerate(steps):
		following = steps[number + 1] if number + 1 < len(steps) else None
		left = step.reached - following.reached if following else None
		to_sale = _share(steps[-1].reached, step.reached)
		rows.append(
			[
				step.stage.capitalize(),
				step.reached,
				step.from_previous,
				step.from_first,
				step.median_days if is_dated else None,
				left,
				to_sale * middle if to_sale is not None and middle is not None else None,
			]
		)
	shares = [(step.from_previous, step.stage) for step in steps[1:] if step.from_previous is not None]
	narrow = min(shares, default=None)
	return Section(
		"funnel",
		"The funnel",
		f"The narrowest step is the one to {narrow[1]}: {shown(narrow[0], SHARE)} get there."
		if narrow
		else "Nothing tells which stages the leads have reached.",
		[
			Column("stage", "Stage", TEXT),
			Column("reached", "Reached"),
			Column("from_previous", "Of the stage before", SHARE),
			Column("from_first", "Of all", SHARE),
			Column("median_days", "Days from entry, median", DAYS),
			Column("not_further", "Not further (yet)"),
			Column("worth", "A lead here is worth", MONEY),
		],
		rows if facts else [],
		"Target: the lead is known. Prospect: it has answered. Opportunity: there is one. Sale: a submitted order. Who went past "
		"a stage has reached it. A lead at a stage is worth the share of those there that were sold, times the median of "
		f"{len(sold):,} orders.",
		_sentences(
			_cannot_stages(known),
			f"{left_out:,} leads have no status that is one of ERPNext's, and are left out."
			if left_out
			else "",
		),
		STEPS,
		("reached",),
	)


def _cannot_stages(known: Known) -> str:
	lacking = [
		name
		for name, is_there in (
			("Communications", known.contacts),
			("Opportunities", known.opportunities),
			("Sales Orders", known.orders),
		)
		if not is_there
	]
	if not lacking:
		return "Exports: what a lead comes to by way of a Prospect only, and mails that are linked to it by its timeline only. A backup has these."
	return f"Without {' and '.join(lacking)}, what they prove is read from the lead's status, which has no date of its own."


def cohorts(facts: Sequence[Facts], ripe: float) -> Section:
	"""Conversion by the month in which leads came in."""
	groups = _grouped(facts, lambda one: one.month)
	months = sorted(groups)[-COHORTS_SHOWN:]
	rows: list[list[Cell]] = []
	for month in months:
		some = groups[month]
		is_ripe = min(one.age for one in some) >= ripe
		clear = [one for one in some if one.is_clear]
		shares = [_share(sum(one.rank >= place for one in clear), len(clear)) for place in (1, 2, 3)]
		wasted = _share(sum(one.is_wasted for one in some), sum(one.is_judged for one in some))
		rows.append([month, len(some), wasted, *shares, "yes" if is_ripe else "no"])
	young = sum(row[-1] == "no" for row in rows)
	return Section(
		"cohorts",
		"By month of entry",
		f"{len(rows)} months; the last {young} are too young to judge by their sales."
		if young
		else f"{len(rows)} months.",
		[
			Column("month", "Came in", TEXT),
			Column("leads", "Leads"),
			Column("wasted_rate", "Wasted", SHARE),
			Column("prospect", "Prospect", SHARE),
			Column("opportunity", "Opportunity", SHARE),
			Column("sale", "Sale", SHARE),
			Column("is_ripe", "Old enough", TEXT),
		],
		rows,
		f"Each month's leads, followed until the day of the audit. Old enough: all are {ripe:.0f} days old, within which nine of "
		f"ten sales came. The last {COHORTS_SHOWN} months are shown.",
		chart=LINES,
		charted=("wasted_rate", "prospect", "opportunity", "sale"),
	)


def leak(
	facts: Sequence[Facts],
	key: str,
	title: str,
	by: Callable[[Facts], str],
	worths: Worths,
	missing: str = "",
) -> Section:
	"""Where the wasted leads are, and what they would have come to: at the rates of their sources, so that an owner who sells
	well does not look worse for it."""
	rows: list[list[Cell]] = []
	groups = {} if missing else _grouped(facts, by)
	for name in sorted(groups):
		some = groups[name]
		amounts = [one.journey.value for one in some if one.is_sold and one.journey.value is not None]
		old, clear = sum(one.is_judged for one in some), [one for one in some if one.is_clear]
		wasted = sum(one.is_wasted for one in some)
		rows.append(
			[
				name,
				len(some),
				wasted,
				old,
				_share(wasted, old),
				_share(sum(one.rank >= 1 for one in clear), len(clear)),
				_share(sum(one.is_sold for one in clear), len(clear)),
				median(amounts) if len(amounts) >= FEWEST_ORDERS else None,
				len(amounts),
				worths.of_wasted(some),
			]
		)
	is_by_time = key == "month"
	rows.sort(key=lambda row: str(row[0]) if is_by_time else "")
	if not is_by_time:
		rows.sort(key=lambda row: (-float(row[-1] or 0), -float(row[2] or 0)))
	hidden = len(rows) - (COHORTS_SHOWN if is_by_time else GROUPS_SHOWN)
	shown_rows = rows[-COHORTS_SHOWN:] if is_by_time else rows[:GROUPS_SHOWN]
	return Section(
		f"leak_by_{key}",
		title,
		missing or _worst(rows, facts),
		[
			Column(key, key.capitalize(), TEXT),
			Column("leads", "Leads"),
			Column("wasted", "Wasted"),
			Column("judged", "Old enough"),
			Column("wasted_rate", "Wasted rate", SHARE),
			Column("prospect_rate", "Answered", SHARE),
			Column("sale_rate", "Sold", SHARE),
			Column("won_median", "Median order", MONEY),
			Column("orders", "n orders"),
			Column("worth", "Wasted, in money", MONEY),
		],
		shown_rows,
		"Wasted rate: Wasted of those Old enough to be, of which something tells whether they are. Sold and Median order: of all leads of the row. In money: each wasted lead at what a "
		f"touched lead of its source comes to, see “{WORTH_TITLE}”."
		+ (f" Not shown: {hidden} more." if hidden > 0 else ""),
		missing,
		BARS,
		("worth",) if any(row[-1] for row in shown_rows) else ("wasted",),
	)  # fmt: skip


def _worst(rows: Sequence[Sequence[Cell]], facts: Iterable[Facts]) -> str:
	worst = max(rows, key=lambda row: (float(row[-1] or 0), float(row[2] or 0)), default=None)
	if worst and worst[2]:
		return f"Most is lost at {worst[0]}: {worst[2]:,} wasted of {worst[1]:,} leads."
	return (
		"Nothing is wasted."
		if any(one.is_judged for one in facts)
		else "No lead is old enough to be judged."
		if all(one.is_young for one in facts)
		else "Nothing tells which leads are wasted."
	)


def worth_by_source(facts: Sequence[Facts], worths: Worths, is_known: bool = True) -> Section:
	"""At what the wasted leads of each source are counted, with all that it is made of."""
	rows: list[list[Cell]] = []
	groups = _grouped(facts, lambda one: one.source)
	for name, some in groups.items() if is_known else ():
		lost = worths.of_wasted(some)
		rows.append([name, *_counted_at(worths.sources[name]), sum(one.is_wasted for one in some), lost])
	rows.sort(key=lambda row: (-float(row[-1] or 0), -float(row[-2] or 0), str(row[0])))
	hidden = len(rows) - GROUPS_SHOWN
	of_all = [
		"All sources",
		*_counted_at(worths.general),
		sum(one.is_wasted for one in facts),
		worths.of_wasted(facts),
	]
	borrowed = sum(bool(row[6]) for row in rows)
	return Section(
		"worth_by_source",
		WORTH_TITLE,
		f"{borrowed:,} of {len(rows):,} sources have too few touched leads or orders, and take what holds for all."
		if worths.general.each is not None
		else f"Nothing: it takes {MINIMUM} touched leads and {FEWEST_ORDERS} orders with an amount.",
		[
			Column("source", "Source", TEXT),
			Column("touched_sold_rate", "Sold, of touched", SHARE),
			Column("touched", "n touched"),
			Column("order_median", "Median order", MONEY),
			Column("orders", "n orders"),
			Column("each", "A lead comes to", MONEY),
			Column("of_all", "Taken from all sources", TEXT),
			Column("wasted", "Wasted"),
			Column("worth", "Wasted, in money", MONEY),
		],
		[*rows[:GROUPS_SHOWN], of_all],
		f"Sold, of touched × Median order = A lead comes to; × Wasted = in money. Touched: leads that a person was in touch with and "
		f"that are {worths.general.ripe:.0f} days old or older, within which nine of ten sales came. A source with under {MINIMUM} of "
		f"them takes the share of all sources, one with under {FEWEST_ORDERS} orders their median; n is then of all sources. All "
		"sources: each wasted lead at its own source, so that in money this row is the sum of the others, and no product."
		+ (f" Not shown: {hidden} more." if hidden > 0 else ""),
		"Whether wasted leads would have sold like those that were worked: people tend to work the better ones.",
	)  # fmt: skip


def _counted_at(one: Worth) -> list[Cell]:
	taken = ["share"] * one.is_rate_general + ["order"] * one.is_median_general
	return [one.rate, one.leads, one.median, one.orders, one.each, " and ".join(taken)]


SPEEDS = (
	("within 15 min", 0.25),
	("15 min to 1 h", 1),
	("1 h to 2 h", 2),
	("2 h to 8 h", 8),
	("8 h to 24 h", 24),
	("later", None),
)


def speed(facts: Sequence[Facts], known: Known, ripe: float) -> Section:
	"""How long leads waited for the first touch, and what became of them."""
	names = [name for name, _hours in SPEEDS] + ["never"]
	groups: dict[str, list[Facts]] = {name: [] for name in names}
	for one in facts if known.contacts else ():
		groups[_speed(one.hours)].append(one)
	rows: list[list[Cell]] = []
	for name in names if known.contacts else ():
		some = groups[name]
		old = [one for one in some if one.age >= ripe]
		rows.append(
			[
				name,
				len(some),
				_share(len(some), len(facts)),
				_share(sum(one.rank >= 1 for one in some), len(some)),
				_share(sum(one.is_sold for one in old), len(old)),
				len(old),
			]
		)
	never = len(groups["never"])
	return Section(
		"speed",
		"Speed to lead",
		f"{shown(_share(never, len(facts)), SHARE)} of the leads were never touched by a person."
		if known.contacts
		else "Nobody can tell without Communications.",
		[
			Column("first_touch", "First touch, in working time", TEXT),
			Column("leads", "Leads"),
			Column("share", "Of all", SHARE),
			Column("answered", "Answered", SHARE),
			Column("sold", "Sold", SHARE),
			Column("n_sold", "n of Sold"),
		],
		rows,
		"Working time from entry to the first touch by a person: a mail, call, visit or message to the lead, or a talk that it "
		"began. Automatic mail, mere incoming mail, bounces and wrong numbers are none. Sold: of those "
		f"{ripe:.0f} days old or older.",
		"Whether speed is the cause: who answers at once may also pick the better leads. Calls that nobody logged."
		if known.contacts
		else "No Communications were given.",
		BARS,
		("leads",),
	)


def _speed(hours: float | None) -> str:
	if hours is None:
		return "never"
	return next(name for name, limit in SPEEDS if limit is None or hours <= limit)


def persistence(facts: Sequence[Facts], known: Known, options: Options) -> Section:
	"""After how many tries leads were given up, and at which try the others answered."""
	given_up, answered = [0] * 7, [0] * 7
	for one in facts if known.contacts else ():
		tries, rank = min(one.journey.tries, 6), one.rank
		if rank >= 1:
			if "prospect" in one.entered and tries:
				answered[tries] += 1
		elif one.is_touched and (one.journey.over or _is_left(one, options.now)):
			given_up[tries] += 1
	all_up, all_answered = sum(given_up), sum(answered)
	rows: list[list[Cell]] = [
		[
			"6 or more" if tries == 6 else str(tries),
			given_up[tries],
			_share(given_up[tries], all_up),
			answered[tries],
			_share(sum(answered[tries:]), all_answered),
		]
		for tries in range(1, 7)
	]
	early = _share(sum(given_up[1:3]), all_up)
	late = _share(sum(answered[3:]), all_answered)
	return Section(
		"persistence",
		"Touches before they were given up",
		f"{shown(early, SHARE)} of the leads that were given up had one or two tries; {shown(late, SHARE)} of all answers came "
		"at the third try or later."
		if known.contacts
		else "Nobody can tell without Communications.",
		[
			Column("tries", "Tries", TEXT),
			Column("given_up", "Given up after"),
			Column("share", "Of those given up", SHARE),
			Column("answered", "Answered after"),
			Column("answered_or_later", "Answers at this try or later", SHARE),
		],
		rows if known.contacts else [],
		f"Tries: touches by a person to the lead before it answered. Given up: touched, no answer, no opportunity, and over or "
		f"without a touch for {GIVEN_UP_AFTER} days. {all_up:,} were given up, {all_answered:,} answered after a try.",
		"Calls that nobody logged."
		if known.contacts
		else "No Communications were given.",
		BARS,
		("given_up", "answered"),
	)  # fmt: skip


def _is_left(one: Facts, now: datetime) -> bool:
	last = one.journey.last_touch_at
	return last is not None and (now - last).total_seconds() > GIVEN_UP_AFTER * DAY


def gaps(facts: Sequence[Facts], known: Known, options: Options, twins: Mapping[str, str]) -> Section:
	"""What is missing in the data of the leads themselves.

	:param twins: what `duplicates` finds among them.
	"""
	open_ones = [one for one in facts if not one.journey.over and not one.is_sold]
	rows: list[list[Cell]] = []
	for name, is_known, some, among in (
		("No owner", known.owners, [one for one in open_ones if not one.journey.owner], open_ones),
		(
			"No next step",
			known.next_contact,
			[one for one in open_ones if _has_no_step(one, options.now)],
			open_ones,
		),
		(
			"No reachable address",
			known.addresses,
			[one for one in facts if not is_reachable(one.journey)],
			facts,
		),
		("Unknown source", known.sources, [one for one in facts if has_unknown_source(one.journey)], facts),
		("Duplicates", known.addresses, [one for one in facts if one.journey.lead in twins], facts),
	):
		rows.append(
			[
				name,
				len(some) if is_known else None,
				len(among),
				_share(len(some), len(among)) if is_known else None,
			]
		)
	unknown = [str(row[0]) for row in rows if row[1] is None]
	return Section(
		"gaps",
		"What is missing",
		", ".join(f"{row[0].lower()} {row[1]:,}" for row in rows if isinstance(row[0], str) and row[1] is not None).capitalize() + "."
		if len(unknown) < len(rows)
		else "Nobody can tell: there is no column of any of these.",
		[Column("gap", "Gap", TEXT), Column("leads", "Leads"), Column("of", "Of"), Column("share", "Share", SHARE)],
		rows,
		"Owner and next step: of leads that are not over (converted, lost, no contact). A next step is a date of the next contact "
		"or an open Event that lies ahead, or an opportunity. Reachable: a well-formed e-mail address, or a number of six digits or more. "
		"Duplicates: leads that came in after another one with the same e-mail address or number; each later one counts. Numbers with "
		"their country have all digits alike; of others one may lack the country, up to three digits.",
		f"{', '.join(unknown)}: there is no such column in the data." if unknown else "Whether an address is read by anybody.",
		BARS if len(unknown) < len(rows) else "",
		("leads",),
	)  # fmt: skip


NO_STATUS = "(no status)"
READ_AS = {
	"Lead": "not over",
	"Open": "not over",
	"Replied": "not over; it has answered, if there are no Communications",
	"Interested": "not over; it has answered, if there are no Communications",
	"Opportunity": "not over; at opportunity, if there are no Opportunities",
	"Quotation": "not over; at opportunity, if there are no Opportunities",
	"Lost Quotation": "lost",
	"Converted": "converted; sold, if there are no Sales Orders",
	"Do Not Contact": "wants no contact",
}
_MEANS = {word: status for status in STATUSES for word in words(status.lower())}
UNREAD = "nothing that is known"
HOW_TO_SAY = "Say what it means: --map Lead.status.Won=Converted"


def statuses(facts: Sequence[Facts], known: Known) -> Section:
	"""What each status was read as."""
	groups = _grouped(facts, lambda one: one.journey.status or NO_STATUS) if known.statuses else {}
	rows: list[list[Cell]] = []
	for status, some in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
		meant = READ_AS.get(_MEANS.get(status.lower(), ""), UNREAD)
		rows.append([status, len(some), sum(one.is_wasted for one in some), meant])
	strange = sum(len(some) for status, some in groups.items() if status.lower() not in LEAD_STATUSES)
	hidden = len(rows) - STATUSES_SHOWN
	finding = (
		f"{strange:,} of {len(facts):,} leads have a status of which it is not known what it says."
		if strange
		else "All statuses are ERPNext's own."
	)
	return Section(
		"statuses",
		"What statuses were read as",
		finding if known.statuses else "There is no column of statuses.",
		[
			Column("status", "Status", TEXT),
			Column("leads", "Leads"),
			Column("wasted", "Wasted"),
			Column("read_as", "Read as", TEXT),
		],
		rows[:STATUSES_SHOWN],
		"ERPNext's statuses, in the languages of which the words are known. Documents go before a status. A lead with another status is "
		f"not over by it; without Communications it is not judged. {HOW_TO_SAY}, or another of {', '.join(STATUSES)}."
		+ (f" Not shown: {hidden} more." if hidden > 0 else ""),
	)  # fmt: skip


def unclear(facts: Sequence[Facts], known: Known) -> list[str]:
	"""What cannot be told as statuses are the company's own."""
	own = Counter(one.journey.status for one in facts if one.journey.status.lower() not in LEAD_STATUSES)
	if not own or not known.statuses:
		return []
	some = ", ".join(f"{status or NO_STATUS} {count:,}" for status, count in own.most_common(8))
	more = f" and {len(own) - 8:,} more" if len(own) > 8 else ""
	came = "count as undecided" if known.contacts else "are not judged"
	return [f"What these statuses say, so that their leads {came}: {some}{more}. {HOW_TO_SAY}."]


def _by_own_status(facts: Iterable[Facts], known: Known) -> str:
	"""What the wasted rate does not know by the statuses."""
	own = [one for one in facts if one.journey.status.lower() not in LEAD_STATUSES]
	if not known.contacts:
		return (
			f"{len(own):,} leads have no status that is one of ERPNext's, and are not judged." if own else ""
		)
	wasted = sum(one.is_wasted for one in own if one.journey.status)
	return f"{wasted:,} of the wasted have a status of which it is not known what it says." if wasted else ""


def _has_no_step(one: Facts, now: datetime) -> bool:
	ahead = one.journey.next_contact_at
	return "opportunity" not in one.entered and (ahead is None or ahead <= now)


def is_reachable(journey: Journey) -> bool:
	"""Whether a lead has a well-formed address or number."""
	if IS_ADDRESS.fullmatch(journey.email):
		return True
	return any(digits_key(number) for number in journey.phones.split("|"))


def has_unknown_source(journey: Journey) -> bool:
	return journey.source.strip().lower() in UNKNOWN_SOURCES


def duplicates(facts: Iterable[Facts]) -> dict[str, str]:
	"""Each lead that came in after another one with the same address or number, and the first of these."""
	addresses: dict[str, str] = {}
	numbers: dict[str, list[Journey]] = {}  # those whose last digits are alike
	twins: dict[str, str] = {}
	for one in facts:
		journey = one.journey
		known = addresses.get(journey.email) if IS_ADDRESS.fullmatch(journey.email) else None
		own = [number for number in journey.phones.split("|") if digits_key(number)] if journey.phones else []
		for number in own:
			alike = numbers.setdefault(digits_key(number), [])
			if known is None:
				known = next((there.lead for there in alike if _has_number(there, number)), None)
		if known is not None:
			known = twins.get(known, known)
			twins[journey.lead] = known
		if IS_ADDRESS.fullmatch(journey.email):
			addresses.setdefault(journey.email, known or journey.lead)
		for number in own:
			alike = numbers[digits_key(number)]
			if not any(_has_number(there, number) for there in alike):
				alike.append(journey)
	return twins


def _has_number(journey: Journey, number: str) -> bool:
	return any(is_same_number(number, own) for own in journey.phones.split("|"))


def policy(facts: Sequence[Facts], known: Known, options: Options, currency: str, general: Worth) -> Section:
	"""Which leads a clock of so many working hours would have called out, and what the difference may be worth."""
	hours = options.policy_hours
	due = [one for one in facts if known.contacts and _was_due(one, options)]
	in_time = [one for one in facts if one.hours is not None and one.hours <= hours]
	late = [one for one in due if one.hours is not None]
	never = [one for one in due if one.hours is None]
	rates = [_sold_rate(some, general.ripe) for some in (in_time, late, never)]
	best = rates[0][0]
	rows: list[list[Cell]] = []
	for name, some, (rate, n) in zip(
		(f"Touched within {hours:g} h", "Touched later", "Never touched"),
		(in_time, late, never),
		rates,
		strict=True,
	):
		more = None
		if best is not None and rate is not None and general.median is not None and some is not in_time:
			more = max(best - rate, 0) * len(some) * general.median
		waited = [one.hours for one in some if one.hours is not None]
		rows.append([name, len(some), median(waited) if waited else None, rate, n, more])
	total = sum(float(row[-1]) for row in rows if row[-1] is not None)
	return Section(
		"policy",
		f"What a policy of {hours:g} working hours would have caught",
		(
			f"{len(due):,} leads would have been called out, {len(never):,} of which nobody has touched to this day. "
			+ (f"Had all sold like those touched in time: up to {shown(total, MONEY, currency)} more." if total else "")
		).strip()
		if known.contacts
		else "Nobody can tell without Communications.",
		[
			Column("group", "Which", TEXT),
			Column("leads", "Leads"),
			Column("hours", "Waited, median", HOURS),
			Column("sold", "Sold", SHARE),
			Column("n_sold", "n of Sold"),
			Column("more", "More, at most", MONEY),
		],
		rows if known.contacts else [],
		f"A clock that starts with a lead's entry and is missed after {hours:g} working hours without a touch by a person. Sold: of "
		f"those {general.ripe:.0f} days old or older. At most: the difference to those touched in time × leads × median of "
		f"{general.orders:,} orders.",
		"How much of the difference is due to the speed: it is the most that it could be, no forecast.",
		BARS,
		("leads",),
	)  # fmt: skip


def due(facts: Iterable[Facts], options: Options) -> tuple[int, int]:
	"""How many leads a clock of the policy's hours would have called out by a calendar, which need not be the one by which the
	facts were seen; and how many of these nobody has touched yet."""
	seconds, calendar = options.policy_hours * 3600, options.calendar
	monday = datetime(2024, 1, 1, tzinfo=calendar.zone)
	week = calendar.elapsed(monday, monday + timedelta(days=7))
	some = []
	for one in facts:
		first = one.journey.first_touch_at if one.hours is not None else None
		waited = ((first or options.now) - one.journey.entered_at).total_seconds()
		if waited <= seconds:
			continue
		# most have waited for weeks: of those nothing needs to be counted
		if week and waited > (seconds / week + 2) * 7 * DAY:
			some.append(one)
		elif _working_hours(one.journey.entered_at, first or options.now, calendar) > options.policy_hours:
			some.append(one)
	return len(some), sum(one.hours is None for one in some)


def _was_due(one: Facts, options: Options) -> bool:
	if one.hours is not None:
		return one.hours > options.policy_hours
	return _working_hours(one.journey.entered_at, options.now, options.calendar) > options.policy_hours


def _sold_rate(some: Iterable[Facts], ripe: float) -> tuple[float | None, int]:
	old = [one for one in some if one.age >= ripe]
	return (sum(one.is_sold for one in old) / len(old) if len(old) >= MINIMUM else None), len(old)


def _grouped(facts: Iterable[Facts], by: Callable[[Facts], str]) -> dict[str, list[Facts]]:
	groups: dict[str, list[Facts]] = {}
	for one in facts:
		groups.setdefault(by(one), []).append(one)
	return groups


def _share(part: int, whole: int) -> float | None:
	return part / whole if whole else None
