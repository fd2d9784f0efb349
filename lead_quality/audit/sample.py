"""A company that never was: two years of its leads, as files like those that ERPNext's Report view exports.

The same seed makes the same files, whatever the machine and the day.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from pathlib import Path

from lead_quality.engine.working_time import WorkingCalendar

SEED = 2016
LEADS = 20_000
NOW = datetime(2026, 6, 30, 18)
DAYS = 730
HOURS = "Mon-Fri 08:30-17:30"  # the same, in words
CALENDAR = WorkingCalendar({day: [(time(8, 30), time(17, 30))] for day in range(5)}, (), "UTC")


@dataclass(frozen=True)
class Source:
	"""`weight` of all leads; the shares that agree to talk at a try, that then become an opportunity, and of these an order;
	the median order; how much of its leads is worked at all, as a factor."""

	name: str
	weight: float
	talks: float
	wants: float
	buys: float
	order: float
	care: float


@dataclass(frozen=True)
class Rep:
	"""`share` of the leads; how many of them are worked; the working hours to the first touch (median); the tries before
	giving up."""

	name: str
	share: float
	works: float
	hours: float
	tries: int


SOURCES = (
	Source("Website", 0.25, 0.30, 0.34, 0.34, 5_200, 1.05),
	Source("Google Ads", 0.22, 0.20, 0.24, 0.27, 3_900, 0.95),
	Source("Trade Fair", 0.14, 0.26, 0.30, 0.33, 9_800, 0.55),
	Source("Cold List", 0.13, 0.09, 0.13, 0.18, 3_100, 0.80),
	Source("Newsletter", 0.10, 0.17, 0.20, 0.25, 2_700, 0.75),
	Source("Referral", 0.07, 0.46, 0.52, 0.48, 11_500, 1.15),
	Source("Partner", 0.05, 0.33, 0.40, 0.40, 14_000, 0.90),
	Source("", 0.04, 0.18, 0.22, 0.25, 3_600, 0.60),
)
REPS = (
	Rep("amelie.brandt@nordlicht.example", 0.19, 0.92, 1.1, 5),
	Rep("ben.okafor@nordlicht.example", 0.17, 0.84, 2.5, 3),
	Rep("carla.rossi@nordlicht.example", 0.16, 0.79, 5.0, 3),
	Rep("dmitri.petrov@nordlicht.example", 0.15, 0.66, 13.0, 2),
	Rep("elif.kaya@nordlicht.example", 0.13, 0.73, 7.0, 2),
	Rep("frank.meyer@nordlicht.example", 0.12, 0.47, 26.0, 1),
	Rep("", 0.08, 0.10, 40.0, 1),
)
FIRST = "Ada Bilal Chen Dora Emil Fatou Greta Hugo Ines Jonas Katya Luis Mira Nils Olga Paul Quinn Rosa Sami Tess Umar Vera Wim Yara Zeno".split()
LAST = "Abel Bauer Costa Dahl Evans Fischer Garcia Huber Ivanov Jansen Kim Lang Moreau Novak Olsen Petit Rossi Sato Tanaka Urban Vogel Weber Yilmaz".split()
TRADE = "Bau Electro Food Garden Hydro Line Metal Paper Plast Print Solar Steel Tech Textile Tool Trans Wood".split()
KIND = "GmbH Ltd AG BV SARL Srl & Co Partners Group Works".split()

LOST = ("Too expensive", "Bought elsewhere", "No budget this year", "Project is cancelled")

HEADERS = {
	"Lead": (
		"ID",
		"Created On",
		"Last Updated On",
		"Created By",
		"Status",
		"Full Name",
		"Organization Name",
		"Email",
		"Phone",
		"Mobile No",
		"Source",
		"Lead Owner",
		"Next Contact Date",
	),
	"Opportunity": (
		"ID",
		"Created On",
		"Status",
		"Opportunity From",
		"Party",
		"Opportunity Owner",
		"Opportunity Lost Reason (Opportunity Lost Reason Detail)",
	),
	"Quotation": ("ID", "Created On", "Status", "Quotation To", "Party", "Opportunity"),
	"Sales Order": (
		"ID",
		"Created On",
		"Status",
		"Customer",
		"Currency",
		"Grand Total (Company Currency)",
		"Quotation",
	),
	"Customer": ("ID", "Created On", "From Lead"),
	"Communication": (
		"ID",
		"Created On",
		"Communication Type",
		"Type",
		"Sent or Received",
		"From",
		"To",
		"Subject",
		"Reference Document Type",
		"Reference Name",
		"Delivery Status",
	),
}


def write(folder: Path, leads: int = LEADS, seed: int = SEED) -> list[Path]:
	"""Write the company's files into a folder, and say which they are."""
	company = _Company(random.Random(seed))
	paths = []
	with ExitStack() as files:
		writers = {}
		for kind, headers in HEADERS.items():
			path = folder / f"{kind}.csv"
			paths.append(path)
			writers[kind] = csv.writer(files.enter_context(path.open("w", encoding="utf-8", newline="")))
			writers[kind].writerow(("Sr", *headers))
		for number, entered_at in enumerate(_entries(company.dice, leads), start=1):
			for kind, row in company.lead(number, entered_at):
				company.numbers[kind] = company.numbers.get(kind, 0) + 1
				writers[kind].writerow((company.numbers[kind], *row))
	return paths


def _entries(dice: random.Random, leads: int) -> list[datetime]:
	"""When leads come in: on working days and in the daytime most of all."""
	begin = datetime.combine((NOW - timedelta(days=DAYS)).date(), time())
	entries: list[datetime] = []
	while len(entries) < leads:
		day = begin + timedelta(days=int(dice.random() * DAYS))
		if day.weekday() >= 5 and dice.random() < 0.65:
			continue
		hour = 13.5 + dice.gauss(0, 3.6) if dice.random() < 0.85 else dice.random() * 24
		at = day + timedelta(seconds=int(max(0, min(hour, 23.99)) * 3600))
		if at < NOW:
			entries.append(at)
	return sorted(entries)


@dataclass
class _Story:
	"""What has become of a lead so far."""

	lead: str
	email: str
	rep: Rep
	source: Source
	at: datetime
	status: str = "Lead"
	rows: list[tuple[str, Sequence[object]]] = field(default_factory=list)

	def add(self, kind: str, *row: object):
		if self.at <= NOW:
			self.rows.append((kind, row))


class _Company:
	def __init__(self, dice: random.Random) -> None:
		self.dice = dice
		self.numbers: dict[str, int] = {}
		self.known: list[tuple[str, str, str, str]] = []
		self.made = dict.fromkeys(HEADERS, 0)
		self.reasons = random.Random(SEED)  # of their own: all else is as it was before there were any

	def lead(self, number: int, entered_at: datetime) -> Iterator[tuple[str, Sequence[object]]]:
		"""All rows of one lead, by DocType."""
		dice = self.dice
		source = self._pick(SOURCES, [source.weight for source in SOURCES])
		if source.name != "Trade Fair" and entered_at.month in (3, 9) and dice.random() < 0.25:
			source = SOURCES[2]  # the fairs
		rep = self._pick(REPS, [rep.share for rep in REPS])
		person, company, email, phone = self._person(number)
		story = _Story(f"CRM-LEAD-{entered_at.year}-{number:05}", email, rep, source, entered_at)
		if dice.random() < rep.works * source.care and (email or phone):
			self._work(story)
		elif dice.random() < 0.03:
			story.status = "Do Not Contact"
		planned = entered_at + timedelta(days=int(dice.random() * 90)) if dice.random() < 0.12 else None
		last = min(max(story.at, entered_at), NOW)
		yield (
			"Lead",
			(
				*(story.lead, _text(entered_at), _text(last), rep.name or "Administrator", story.status),
				*(person, company, email, phone if dice.random() < 0.5 else "", phone),
				*(source.name, rep.name, planned.date().isoformat() if planned else ""),
			),
		)
		yield from story.rows

	def _pick(self, choices: Sequence, weights: Sequence[float]):
		return self.dice.choices(choices, weights)[0]

	def _person(self, number: int) -> tuple[str, str, str, str]:
		"""Name, company, e-mail address and number; now and then of somebody who came in before."""
		dice = self.dice
		if self.known and dice.random() < 0.045:
			return self.known[int(dice.random() * len(self.known))]
		first, last = dice.choice(FIRST), dice.choice(LAST)
		firm = f"{dice.choice(TRADE)}{dice.choice(LAST).lower()}"
		email = f"{first}.{last}.{number}@{firm}.example".lower()
		phone = f"+49 {dice.randrange(30, 990)} {dice.randrange(100_000, 9_999_999)}"
		luck = dice.random()
		if luck < 0.07:
			email = "" if luck < 0.05 else f"{first}.{last}.{firm}"
		if dice.random() < 0.35 or luck < 0.03:
			phone = ""
		person = (f"{first} {last}", f"{firm} {dice.choice(KIND)}", email, phone)
		self.known.append(person)
		return person

	def _work(self, story: _Story):
		"""The tries to talk to a lead, and what comes of them."""
		dice, rep = self.dice, story.rep
		hours = rep.hours * 2.718281828 ** dice.gauss(0, 1.1)
		pace = 1.25 if hours <= 2 else 1.0 if hours <= 9 else 0.6
		tries = max(1, round(dice.gauss(rep.tries, 1)))
		for number in range(tries):
			self._forward(story, hours if number == 0 else 9 * (2 + 6 * dice.random()))
			if story.at > NOW:
				return
			story.status = "Replied" if story.status == "Lead" else story.status
			is_reached = dice.random() < story.source.talks * pace
			self._touch(story, is_reached, is_mail=dice.random() < 0.62)
			if is_reached:
				self._sell(story)
				return

	def _forward(self, story: _Story, hours: float):
		start = story.at.replace(tzinfo=timezone.utc)
		story.at = CALENDAR.deadline(start, max(int(hours * 3600), 60)).replace(tzinfo=None)

	def _touch(self, story: _Story, is_reached: bool, is_mail: bool):
		if not is_mail or not story.email:
			said = (
				"Talked about what they need"
				if is_reached
				else self.dice.choice(("No answer", "Left a message"))
			)
			self._said(story, "Phone", "Sent", said)
			return
		self._said(story, "Email", "Sent", "Your request")
		if is_reached:
			self._forward(story, 1 + 12 * self.dice.random())
			self._said(story, "Email", "Received", "Re: Your request")
		elif self.dice.random() < 0.06:
			self._said(story, "Email", "Received", "Automatic reply: Your request")

	def _said(self, story: _Story, medium: str, direction: str, subject: str):
		rep = story.rep.name or REPS[0].name
		sender, recipient = (rep, story.email) if direction == "Sent" else (story.email, rep)
		is_bounced = medium == "Email" and direction == "Sent" and self.dice.random() < 0.012
		story.add(
			"Communication",
			*(
				self._name("Communication", "COMM"),
				_text(story.at),
				"Communication",
				medium,
				direction,
				sender,
			),
			*(recipient, subject, "Lead", story.lead, "Bounced" if is_bounced else "Sent"),
		)

	def _sell(self, story: _Story):
		dice, source = self.dice, story.source
		if dice.random() >= source.wants:
			return
		self._forward(story, 9 * (1 + 12 * dice.random()))
		if story.at > NOW:
			return
		opened_at, opportunity = story.at, self._name("Opportunity", "CRM-OPP")
		stage, quoted_at, quotation = "Opportunity", None, ""
		if dice.random() < 0.84:
			self._forward(story, 9 * (1 + 8 * dice.random()))
			if story.at <= NOW:
				stage, quoted_at, quotation = "Quotation", story.at, self._name("Quotation", "SAL-QTN")
		if quoted_at:
			self._forward(story, 9 * (2 + 25 * dice.random()))
			if story.at <= NOW:
				stage = "Converted" if dice.random() < source.buys / 0.84 else "Lost"
		status = {"Lost": "Lost Quotation"}.get(stage, stage)
		story.status = status
		end = story.at
		story.at = opened_at
		reason = self.reasons.choices(LOST, (4, 3, 2, 1))[0] if stage == "Lost" else ""
		story.add(
			"Opportunity", opportunity, _text(opened_at), stage, "Lead", story.lead, story.rep.name, reason
		)
		if quoted_at:
			story.at = quoted_at
			outcome = {"Converted": "Ordered", "Lost": "Lost"}.get(stage, "Open")
			story.add("Quotation", quotation, _text(quoted_at), outcome, "Lead", story.lead, opportunity)
		story.at = end
		if stage == "Converted":
			customer = f"Customer of {story.lead}"
			value = source.order * 2.718281828 ** dice.gauss(0, 0.7)
			order = self._name("Sales Order", "SAL-ORD")
			story.add("Customer", customer, _text(end), story.lead)
			story.add(
				"Sales Order", order, _text(end), "Completed", customer, "EUR", f"{value:.2f}", quotation
			)

	def _name(self, kind: str, prefix: str) -> str:
		self.made[kind] += 1
		return f"{prefix}-{self.made[kind]:06}"


def _text(at: datetime) -> str:
	return at.isoformat(" ", "seconds")
