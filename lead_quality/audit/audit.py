"""An audit from its files to its report."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from lead_quality.audit import backup, figures, holidays, lists, ranking, readers, recipe
from lead_quality.audit.figures import Facts, Known, Options
from lead_quality.audit.lists import Names
from lead_quality.audit.readers import CannotRead, NothingInIt, Table
from lead_quality.audit.report import TEXT, Column, Report, Section
from lead_quality.audit.site import Fetched
from lead_quality.audit.store import Store
from lead_quality.engine.recipe import Record
from lead_quality.engine.working_time import Interval, WorkingCalendar

LISTED = 20  # wasted leads on the page
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = "Mon-Fri 09:00-17:00"
FOUND = "found"
AHEAD = timedelta(hours=14)  # of UTC, as far as any zone is: data of a site whose zone nobody has said


@dataclass(frozen=True)
class Wish:
	"""What the user has asked for; `paths` are files, with their DocType where it was said; `site` is what was read of one;
	`statuses` are those of ERPNext that own ones (in lower case) mean."""

	paths: Sequence[tuple[str | None, Path]]
	mapped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
	statuses: Mapping[str, str] = field(default_factory=dict)
	dates: str = ""
	hours: str = HOURS
	holidays: Path | None = None
	zone: str = "UTC"
	wasted_after: int = 5
	policy_hours: float = 2.0
	as_of: datetime | None = None
	company: str = ""
	is_anonymous: bool = False
	site: Fetched | None = None


@dataclass
class Audit:
	report: Report
	facts: list[Facts]
	twins: Mapping[str, str]
	names: Names
	tables: list[Table]
	proposed: list[Record]


def run(
	wish: Wish, present: datetime, progress: Callable[[str, int], None] = lambda file, rows: None
) -> Audit:
	"""Read the files and count.

	:param present: naive, in the zone that was asked for; the data are looked at as of their latest instant that does not lie
	    ahead of it.
	:param progress: told which file is read, and how many rows there are.
	:raises CannotRead: a file is of no use, or no leads are among them.
	"""
	calendar_of(
		wish.hours if wish.hours != FOUND else HOURS, wish.zone
	)  # what is no calendar is refused at once
	given = (wish.holidays.name, holidays.of_file(wish.holidays, wish.dates)) if wish.holidays else None
	utmost = max(present + (AHEAD if wish.zone == "UTC" else timedelta(0)), wish.as_of or present)
	with Store() as store:
		tables: list[Table] = []
		empty: list[str] = []
		for table in _tables(wish, empty):
			tables.append(table)
			table.latest = utmost
			table.statuses = wish.statuses
			table.zone = wish.zone
			store.load(table, lambda rows, name=f"{table.kind} of {table.file}": progress(name, rows))  # type: ignore[misc]
		_refuse_useless(wish, tables, empty)
		latest = store.as_of(utmost)
		if latest is None:
			raise CannotRead("There are no leads in the files.")
		now = wish.as_of or latest
		hours = found_hours(store) if wish.hours == FOUND else wish.hours
		free = given or store.holidays()
		options = Options(now, calendar_of(hours, wish.zone, free[1]), wish.wasted_after, wish.policy_hours)
		known = known_of(store)
		currency, repeated, belonging = store.currency(), store.repeated(), store.belonging()
		journeys, lost = store.journeys(now), store.lost_reasons(now)
		personal = store.named(reason for reason, _leads in lost) if wish.is_anonymous else frozenset()
		if wish.is_anonymous:
			journeys = (lists.nameless(journey, personal) for journey in journeys)
			lost = [one for one in lost if not lists.is_personal(one[0], personal)]
		facts = figures.see(journeys, known, options)
		busy = store.busy_hours()
		sampled = ranking.sampled(facts)
		said = store.said([one.journey.lead for one in sampled])
	names = Names(facts, wish.is_anonymous)
	twins = figures.duplicates(facts)
	report = _report(replace(wish, hours=hours), facts, known, options, currency, twins, names)
	if wish.is_anonymous:
		said = {
			lead: {field: lists.impersonal(value, personal) for field, value in row.items()}
			for lead, row in said.items()
		}
	learned = ranking.learned(sampled, said, known, options)
	report.sections.append(ranking.order(learned, len(facts)))
	if learned and learned.model:
		report.sections.append(ranking.weights(learned.model))
	proposed = recipe.proposals(facts, known, options, recipe.Said(busy, wish.zone, lost))
	report.sections.append(recipe.section(proposed))
	report.files = [_file(table, wish.is_anonymous) for table in tables]
	report.cannot += [table.doubt for table in tables if table.doubt]
	report.cannot += figures.of_later(facts, known, options, latest)
	report.cannot += empty + _cannot_of_run(wish, now, present, repeated) + _strangers(belonging)
	looked_at = (min((one.journey.entered_at for one in facts), default=now).date(), now.date())
	report.settings["holidays"] = holidays.in_words(free[1], _of_list(free[0], wish), *looked_at)
	report.settings["limited_by"] = " and ".join(wish.site.limited_by) if wish.site else ""
	report.cannot += holidays.lacking(free[1], _of_list(free[0], wish), *looked_at)
	return Audit(report, facts, twins, names, tables, proposed)  # fmt: skip


def _of_list(name: str, wish: Wish) -> str:
	"""What the holidays are of, in words: the name of a Holiday List may say whose it is."""
	return "the Holiday List" if wish.is_anonymous or not name else name


def _tables(wish: Wish, empty: list[str]) -> Iterator[Table]:
	"""All tables, those of backups one after the other; what is of no use is refused before anything is read.

	:param empty: takes the sentences on files that are empty.
	"""
	backups = [path for _kind, path in wish.paths if backup.is_backup(path)]
	opened = []
	for kind, path in wish.paths:
		if not backup.is_backup(path):
			try:
				opened.append(readers.open_table(path, kind, wish.mapped, wish.dates))
			except NothingInIt as error:
				empty.append(str(error))
	yield from opened
	for path in backups:
		yield from backup.tables(path)
	if wish.site:
		yield from wish.site.tables()


def _refuse_useless(wish: Wish, tables: Sequence[Table], empty: Sequence[str]):
	"""
	:raises CannotRead: nothing of a kind could be read in a file, in none of its parts; or there are no leads.
	"""
	parts: dict[tuple[str, str], list[Table]] = {}
	for table in tables:
		parts.setdefault((table.file, table.kind), []).append(table)
	for some in parts.values():
		if any(table.lines for table in some) and not any(table.counted for table in some):
			raise CannotRead(_nothing_counted(some[0]))
	if all(table.kind != "Lead" for table in tables):
		backups = [path.name for _kind, path in wish.paths if backup.is_backup(path)]
		raise CannotRead(
			f"{backups[0]} has no table tabLead: is ERPNext on that site?"
			if backups
			else " ".join(empty)
			+ (" " if empty else "")
			+ "No file of leads is among them. An export of the list of Leads is what every figure is of."
		)


def _nothing_counted(table: Table) -> str:
	problem = table.problems[0] if table.problems else None
	why = (
		f" Line {problem.line}, {problem.column}: expected {problem.expected}; found {problem.found!r}."
		if problem
		else ""
	)
	return f"{table.file}: none of its {table.lines:,} lines could be read.{why}"  # fmt: skip


def known_of(store: Store) -> Known:
	"""What the files tell of."""
	return Known(
		contacts=any(store.has(kind) for kind in ("Communication", "Call Log", "Event")),
		calls=store.has("Call Log") or store.has("Event"),
		opportunities=store.has("Opportunity"),
		quotations=store.has("Quotation"),
		orders=store.has("Sales Order") and (store.has("Customer") or store.has("Quotation")),
		next_contact=store.has("Lead", "contact_date") or store.has("Event"),
		events=store.has("Event"),
		owners=store.has("Lead", "lead_owner"),
		sources=store.has("Lead", "source") or store.has("Lead", "utm_source"),
		statuses=store.has("Lead", "status"),
		addresses=any(store.has("Lead", name) for name in ("email_id", "phone", "mobile_no", "whatsapp_no")),
		changes=store.has("Lead", "modified"),
	)


def found_hours(store: Store) -> str:
	"""When people work, by when they write, call and visit, in the words of `calendar_of`.

	:raises CannotRead: there is too little of that to say.
	"""
	busy = store.busy_hours()
	if not busy:
		raise CannotRead(
			f"--hours found: there are too few Communications to say when people work. Say it: --hours {HOURS!r}."
		)
	return "; ".join(
		f"{WEEKDAYS[day.weekday].capitalize()} {day.opens:02}:00-{day.closes:02}:00" for day in busy
	)


def calendar_of(hours: str, zone: str, free: Collection[date] = ()) -> WorkingCalendar:
	"""The working calendar of words such as `Mon-Thu 08:00-12:00,13:00-17:00; Fri 08:00-14:00`.

	:param free: days on which nobody works.
	:raises ValueError: they are not such words; says what is wrong.
	"""
	week: dict[int, Sequence[Interval]] = {}
	for part in [part.strip() for part in hours.split(";") if part.strip()]:
		days, _blank, spans = part.partition(" ")
		first, _dash, last = days.lower().partition("-")
		try:
			begin, end = WEEKDAYS.index(first[:3]), WEEKDAYS.index((last or first)[:3])
			intervals = [_interval(span) for span in spans.split(",")]
		except ValueError:
			raise ValueError(f"--hours: {part!r} is not like {HOURS!r}.") from None
		if any(opens >= closes for opens, closes in intervals):
			raise ValueError(
				f"--hours: {part!r} closes before it opens. The end of a day is 24:00; hours through the night are two, of two days."
			)
		for day in range(begin, end + 1 if end >= begin else end + 8):
			week[day % 7] = intervals
	try:
		return WorkingCalendar(week, free, zone)
	except ValueError as error:
		raise ValueError(f"--hours: {hours!r}: {error}.") from None


def _interval(span: str) -> Interval:
	opens, _dash, closes = span.strip().partition("-")
	return time.fromisoformat(opens), time.max if closes == "24:00" else time.fromisoformat(closes)


def _report(
	wish: Wish,
	facts: list[Facts],
	known: Known,
	options: Options,
	currency: str,
	twins: Mapping[str, str],
	names: Names,
) -> Report:
	ripe = figures.days_to_sale(facts)
	worths = figures.worths(facts, ripe)
	report = Report(
		title=f"Lead audit: {wish.company}" if wish.company and not wish.is_anonymous else "Lead audit",
		as_of=f"{options.now:%Y-%m-%d %H:%M}",
		currency=currency,
		settings={
			"working_hours": wish.hours,
			"zone": wish.zone,
			"wasted_after_working_days": options.wasted_after,
			"policy_hours": options.policy_hours,
		},
	)
	no_owner = "" if known.owners else "There is no column of owners."
	no_source = "" if known.sources else "There is no column of sources."
	report.figures = figures.headlines(facts, known, options, currency, worths)
	report.sections = [
		figures.funnel(facts, known, currency),
		figures.leak(facts, "source", "Where it leaks: by source", lambda one: one.source, worths, no_source),
		figures.leak(facts, "owner", "Where it leaks: by owner", names.owner, worths, no_owner),
		figures.leak(facts, "month", "Where it leaks: by month of entry", lambda one: one.month, worths),
		figures.worth_by_source(facts, worths, known.sources),
		figures.cohorts(facts, ripe),
		figures.speed(facts, known, ripe),
		figures.policy(facts, known, options, currency, worths.general),
		figures.persistence(facts, known, options),
		figures.gaps(facts, known, options, twins),
		figures.statuses(facts, known),
		_newest_wasted(facts, names),
	]
	report.cannot = [*_cannot(known), *figures.unclear(facts, known)]
	return report


def _newest_wasted(facts: list[Facts], names: Names) -> Section:
	count = sum(one.is_wasted for one in facts)
	rows = list(islice(lists.wasted(facts, names), LISTED))
	columns = [
		Column(header.lower().replace(" ", "_").replace("-", ""), header, TEXT)
		for header in lists.WASTED_HEADERS
	]
	kept = [0, 1, 4, 5, 6, 7]
	return Section(
		"newest_wasted",
		"Whom to call first: the newest wasted leads",
		f"{count:,} leads are wasted today. The {len(rows)} that came in last:",
		[columns[place] for place in kept],
		[[row[place] for place in kept] for row in rows],
		"All of them stand in wasted.csv, which was written beside this page.",
	)  # fmt: skip


def _cannot(known: Known) -> list[str]:
	return [
		sentence
		for is_there, sentence in (
			(known.contacts, "No Communications: whether anybody was in touch is read from the lead's status, and no speed is known."),
			(known.opportunities, "No Opportunities: interest is read from the lead's status."),
			(known.orders, "No Sales Orders with their Quotations or Customers: sales are read from the lead's status, and nothing is known in money."),
			(known.statuses or not known.contacts, "No status of leads: who was disqualified, lost or wants no contact counts as wasted."),
			(known.statuses or known.contacts, "With neither Communications nor a status of leads, nothing tells who is wasted."),
			(known.calls, "No Call Log and no Event: calls and meetings count as far as they were logged as Communications."),
			(known.events, "No Event: a next step that stands in one (as it does since v14, where leads have no Next Contact Date) is not known."),
			(False, "Calls and meetings that nobody has logged, and those that were held while their Event is still open: it is no touch. Next steps that stand in a ToDo."),
			(False, "Why people did what they did: shares that differ are no proof of a cause."),
		)
		if not is_there
	]  # fmt: skip


def _cannot_of_run(wish: Wish, now: datetime, present: datetime, repeated: int) -> list[str]:
	"""What the reader has to know of how it was read."""
	said = []
	if wish.is_anonymous:
		said.append(
			"Which sources, statuses, reasons and the like name somebody by a first name or a nickname: those with an address, a number, or "
			"the whole name of a lead, an organization or an owner are not shown, all others are. Look through them before sharing."
		)
	if now > present:
		said.append(
			f"The day of the audit is ahead of this machine's clock, which says {present:%Y-%m-%d %H:%M} in {wish.zone}: say "
			"the zone of the site with --zone, or the day with --as-of."
		)
	if wish.site:
		said += wish.site.lacking
	if repeated:
		said.append(
			f"{repeated:,} lines repeat the ID of a lead and count once: a report with rows of a table has one each."
		)
	return said


def _strangers(belonging: Mapping[str, tuple[int, int]]) -> list[str]:
	"""What is of no lead of the files."""
	some = [
		f"{there - of_leads:,} of {there:,} {kind}"
		for kind, (there, of_leads) in belonging.items()
		if of_leads < there
	]
	if not some:
		return []
	return [
		f"Rows that belong to no lead of the files, and say nothing here: {', '.join(some)}. Are leads missing, as by a filter that was "
		"left on, or are these of customers that were never leads?"
	]


def _file(table: Table, is_anonymous: bool) -> dict[str, Any]:
	"""What was recognised of a file, and what could not be read."""
	return {
		"file": table.kind if is_anonymous else table.file,
		"kind": table.kind,
		"lines": table.lines,
		"counted": table.counted,
		"columns": [asdict(column) for column in table.columns],
		"not_used": list(table.not_used),
		"notes": list(table.notes),
		"problem_count": table.problem_count,
		"problems": [
			{**asdict(problem), **({"found": "", "file": table.kind} if is_anonymous else {})}
			for problem in table.problems
		],
	}
