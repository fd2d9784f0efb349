"""Settings of the app that fit a company, by what its data show: when its people work, which sources its leads come by, and
a deadline that would have called out those that nobody answered."""

from collections import Counter
from collections.abc import Iterable, Sequence

from lead_quality.audit import figures
from lead_quality.audit.figures import Facts, Known, Options
from lead_quality.audit.report import SHARE, TEXT, Column, Section, shown
from lead_quality.audit.store import Busy
from lead_quality.engine.recipe import CALENDAR, POLICY, SEGMENT, Record

FILE = "recipe.json"
FEWEST_LEADS = 30  # that make a source a segment
MOST_SEGMENTS = 12
CALENDAR_TITLE = "Hours Found by the Audit"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def proposals(
	facts: Sequence[Facts], known: Known, options: Options, busy: Sequence[Busy], zone: str
) -> list[Record]:
	"""What the data speak for, each with why; nothing where they are too few to say.

	:param busy: when people write, call and visit, by weekday; empty, if that cannot be said.
	:param zone: of the site, or UTC where nobody has said it: then the app takes its own.
	"""
	records = []
	if busy:
		records.append(_calendar(busy, zone))
	if known.contacts:
		records.append(_policy(facts, options, CALENDAR_TITLE if busy else ""))
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
		f"When nine of ten mails, calls and visits by people are made, by weekday; n = {contacts:,}. Holidays are not known: "
		"choose a Holiday List.",
	)


def _closing(hour: int) -> str:
	return "23:59:59" if hour >= 24 else f"{hour:02}:00:00"


def _policy(facts: Sequence[Facts], options: Options, calendar: str) -> Record:
	due, never = figures.due(facts, options)
	hours = f"{options.policy_hours:g}"
	return Record(
		POLICY,
		f"First Response in {hours} Working Hours",
		{
			**({"working_calendar": calendar} if calendar else {}),
			"targets": [{"clock": "First Response", "within": options.policy_hours, "unit": "Working Hours"}],
		},
		f"It would have called out {due:,} of {len(facts):,} leads, {never:,} of which nobody has touched to this day.",
	)


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
	old = [one for one in leads if not one.is_young]
	return shown(sum(one.is_wasted for one in old) / len(old) if old else None, SHARE)


def _sold(leads: Sequence[Facts]) -> str:
	return shown(sum(one.is_sold for one in leads) / len(leads), SHARE)


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
		f"leads on, {MOST_SEGMENTS} at most.",
		"Which reasons leads are disqualified for: ERPNext keeps none with a lead.",
	)  # fmt: skip


def in_words(record: Record) -> str:
	"""What a record sets, for people."""
	rows = next((value for value in record.values.values() if isinstance(value, list)), [])
	if record.doctype == CALENDAR:
		return "; ".join(f"{row['weekday'][:3]} {row['opens'][:5]}-{row['closes'][:5]}" for row in rows)
	if record.doctype == POLICY:
		return "; ".join(f"{row['clock']} within {row['within']:g} {row['unit'].lower()}" for row in rows)
	return "; ".join(f"{row['field']} {row['operator']} {row['value']}" for row in rows)
