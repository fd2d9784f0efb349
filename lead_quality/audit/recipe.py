"""Settings of the app that fit a company, by what its data show: when its people work, which sources its leads come by, a
deadline that would have called out those that nobody answered, and the reasons that leads were lost for."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import time

from lead_quality.audit import figures
from lead_quality.audit.columns import LEAD_STATUSES
from lead_quality.audit.figures import Facts, Known, Options
from lead_quality.audit.report import SHARE, TEXT, Column, Section, shown
from lead_quality.audit.store import Busy
from lead_quality.engine.recipe import CALENDAR, POLICY, REASON, SEGMENT, Record
from lead_quality.engine.working_time import WorkingCalendar

FILE = "recipe.json"
FEWEST_LEADS = 30  # that make a source a segment
MOST_SEGMENTS = 12
FEWEST_LOST = 5  # leads that make what they were lost for a reason
MOST_REASONS = 12
LONGEST_REASON = 100  # letters
CALENDAR_TITLE = "Hours Found by the Audit"
# words of a status, which a company has made itself, that say why a lead is none
_IS_REASON = re.compile(
	r"disqualif|unqualif|not qualif|junk|spam|fake|bogus|duplicate|invalid|wrong|bad data|not interested|no interest|no budget"
	r"|no need|no fit|not a fit|unreachable|no show|competitor|student|too small|too expensive|out of (?:area|scope)"
	r"|unqualifiziert|dublette|doppelt|falsch|ungültig|kein interesse|kein budget|kein bedarf|nicht erreich|mitbewerber|zu klein",
	re.IGNORECASE,
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Said:
	"""What the data say beside the leads.

	`busy`: when people write, call and visit, by weekday; empty, if that cannot be said. `zone`: of the site, or UTC where
	nobody has said it: then the app takes its own. `reasons`: that opportunities and quotations were lost for, with how many
	leads they are of, the commonest first.
	"""

	busy: Sequence[Busy]
	zone: str
	reasons: Sequence[tuple[str, int]] = ()


def proposals(facts: Sequence[Facts], known: Known, options: Options, said: Said) -> list[Record]:
	"""What the data speak for, each with why; nothing where they are too few to say."""
	records = []
	if said.busy:
		records.append(_calendar(said.busy, said.zone))
	if known.contacts:
		records.append(_policy(facts, options, said.busy))
	records += _reasons(facts, said.reasons)
	if known.sources:
		policy = next((record.title for record in records if record.doctype == POLICY), "")
		records += _segments(facts, policy)
	return records


def _calendar(busy: Sequence[Busy], zone: str) -> Record:
	contacts = sum(day.contacts for day in busy)
	hours: list[dict[str, str | int | float]] = [
		{"weekday": DAYS[day.weekday], "opens": f"{day.opens:02}:00:00", "closes": _closing(day.closes)}
		for day in busy
	]
	return Record(
		CALENDAR,
		CALENDAR_TITLE,
		{**({"time_zone": zone} if zone != "UTC" else {}), "hours": hours},
		f"When nine of ten mails, calls and visits by people are made, by weekday; n = {contacts:,}. Choose a Holiday "
		"List for it.",
	)


def _closing(hour: int) -> str:
	return "23:59:59" if hour >= 24 else f"{hour:02}:00:00"


def calendar_of(busy: Sequence[Busy], zone: str) -> WorkingCalendar:
	"""The calendar that is proposed."""
	hours = {
		day.weekday: [(time(day.opens), time(day.closes) if day.closes < 24 else time.max)] for day in busy
	}
	return WorkingCalendar(hours, (), zone)


def _policy(facts: Sequence[Facts], options: Options, busy: Sequence[Busy]) -> Record:
	if busy:
		options = replace(options, calendar=calendar_of(busy, options.calendar.zone.key))
	due, never = figures.due(facts, options)
	by = f"By {CALENDAR_TITLE}" if busy else "By the working hours of the audit"
	calendar = CALENDAR_TITLE if busy else ""
	hours = f"{options.policy_hours:g}"
	return Record(
		POLICY,
		f"First Response in {hours} Working Hours",
		{
			**({"working_calendar": calendar} if calendar else {}),
			"targets": [{"clock": "First Response", "within": options.policy_hours, "unit": "Working Hours"}],
		},
		f"{by} it would have called out {due:,} of {len(facts):,} leads, {never:,} of which nobody has touched to this day.",
	)


def _reasons(facts: Iterable[Facts], lost: Iterable[tuple[str, int]]) -> list[Record]:
	"""A reason to disqualify for each that ERPNext's documents were lost for, and each status of the company's own that says
	one, with leads enough; one that is both is taken from the documents."""
	statuses = Counter(one.journey.status.strip() for one in facts if not one.is_sold)
	own = [
		(status, count)
		for status, count in statuses.most_common()
		if status.lower() not in LEAD_STATUSES and _IS_REASON.search(status)
	]
	found: dict[str, Record] = {}
	for some, why in (
		(lost, "Opportunities or quotations of {count:,} leads were lost for it."),
		(own, "{count:,} leads have it as their status, and were not sold."),
	):
		for reason, count in some:
			title = " ".join(reason.replace("<", "").replace(">", "").split())[:LONGEST_REASON].strip()
			if title and count >= FEWEST_LOST:
				record = Record(REASON, title, {"applies_to": "Disqualify"}, why.format(count=count))
				found.setdefault(title.casefold(), record)
	return list(found.values())[:MOST_REASONS]


def _segments(facts: Sequence[Facts], policy: str) -> list[Record]:
	"""A segment for each source with leads enough, those with most of them first; spellings that differ in case only are
	one."""
	groups: dict[str, list[Facts]] = {}
	for one in facts:
		if not figures.has_unknown_source(one.journey):
			groups.setdefault(one.journey.source.strip().casefold(), []).append(one)
	some = sorted((len(leads), source) for source, leads in groups.items() if len(leads) >= FEWEST_LEADS)
	records = []
	for _count, source in reversed(some[-MOST_SEGMENTS:]):
		leads = groups[source]
		spelling = Counter(one.journey.source.strip() for one in leads).most_common(1)[0][0]
		records.append(
			Record(
				SEGMENT,
				spelling.replace("<", "").replace(">", "").strip()[:140] or "Source",
				{
					**({"follow_up_policy": policy} if policy else {}),
					"rules": [{"field": "source", "operator": "=", "value": spelling}],
				},
				f"{len(leads):,} leads, {_wasted(leads)} of them wasted, {_sold(leads)} sold.",
			)
		)
	return records


def _wasted(leads: Iterable[Facts]) -> str:
	old = [one for one in leads if one.is_judged]
	return shown(sum(one.is_wasted for one in old) / len(old) if old else None, SHARE)


def _sold(leads: Sequence[Facts]) -> str:
	clear = [one for one in leads if one.is_clear]
	return shown(sum(one.is_sold for one in clear) / len(clear) if clear else None, SHARE)


def section(records: Sequence[Record]) -> Section:
	"""The proposals as a section of the page."""
	return Section(
		"recipe",
		"Settings that fit",
		f"{len(records)} settings for the app are proposed in {FILE}, which was written beside this page."
		if records
		else "The data are too few to propose settings.",
		[Column("what", "What", TEXT), Column("title", "Called", TEXT), Column("setting", "Setting", TEXT), Column("why", "Why", TEXT)],
		[[record.doctype, record.title, in_words(record), record.why] for record in records],
		"After the app is installed: Lead Quality Settings, Import Recipe. It shows what it would make, makes what is not there yet, "
		f"and changes nothing else; new segments are switched off until you want them. A source is a segment from {FEWEST_LEADS} "
		f"leads on, {MOST_SEGMENTS} at most; what {FEWEST_LOST} leads or more were lost for is a reason to disqualify, {MOST_REASONS} "
		"at most: those of Opportunities and Quotations, and statuses of your own that say one, as far as they are English or German.",
		"Why other leads were given up: ERPNext keeps no reason with a lead.",
	)  # fmt: skip


def in_words(record: Record) -> str:
	"""What a record sets, for people."""
	rows = next((value for value in record.values.values() if isinstance(value, list)), [])
	if record.doctype == CALENDAR:
		return "; ".join(f"{row['weekday'][:3]} {row['opens'][:5]}-{row['closes'][:5]}" for row in rows)
	if record.doctype == POLICY:
		return "; ".join(f"{row['clock']} within {row['within']:g} {row['unit'].lower()}" for row in rows)
	if record.doctype == REASON:
		return f"a reason to {record.values['applies_to']}"
	return "; ".join(f"{row['field']} {row['operator']} {row['value']}" for row in rows)
