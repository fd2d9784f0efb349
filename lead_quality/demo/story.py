"""Six months of a company's leads, played in chronological order by the people who work with them.

Every action runs as its user, through `lead_quality.api` and ERPNext's own mappers, with the clock frozen at the time of
the action. Actions after the present are not played, so the story ends in the middle of everybody's work.
"""

import heapq
import itertools
import random
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from unittest.mock import patch

import frappe
from frappe.utils import get_datetime, now_datetime

from lead_quality import api, seed
from lead_quality.base.site_time import aware, get_calendar, naive
from lead_quality.demo import aims
from lead_quality.demo.factories import (
	answers,
	make_agreement,
	make_item,
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_order,
	make_source,
	make_user,
)

SEED = 2016
WEEKS = 26
PASSWORD = "blue-lantern"
# the default value that marks a story played to its end
DONE = "lead_quality_demo"


# people


@dataclass(frozen=True)
class Person:
	"""A user. `pace` is how many working hours after the due time a touch is made: least, usual, most.

	`sorts` is the share of new leads whose horizon the user sets at the first touch.
	"""

	email: str
	first_name: str
	last_name: str
	roles: tuple[str, ...]
	pace: tuple[float, float, float]
	sorts: float
	job: str


HANNA = "hanna.lindqvist@example.com"
INES = "ines.carvalho@example.com"
CLARA = "clara.moreau@example.com"
VIKTOR = "viktor.holm@example.com"
SVEN = "sven.albrecht@example.com"
ELENA = "elena.rossi@example.com"

CAST = (
	Person(
		HANNA,
		"Hanna",
		"Lindqvist",
		("Lead Quality Manager",),
		(0.1, 0.5, 4),
		0.5,
		"marketing manager: owns the definition and the cadences, sees every lead and every leak",
	),
	Person(
		INES,
		"Ines",
		"Carvalho",
		("Lead Qualifier",),
		(0.05, 0.2, 1.6),
		0.85,
		"outside qualifier: calls and qualifies, sees no leads but her own",
	),
	Person(
		CLARA,
		"Clara",
		"Moreau",
		("Sales User",),
		(0.05, 0.3, 2),
		0.7,
		"sales: answers handovers within hours, and calls",
	),
	Person(
		VIKTOR,
		"Viktor",
		"Holm",
		("Sales User",),
		(0.1, 0.8, 7),
		0.5,
		"sales: answers in time, mostly, and asks a lot of a lead",
	),
	Person(
		SVEN,
		"Sven",
		"Albrecht",
		("Sales User",),
		(6, 20, 70),
		0.1,
		"sales: the sleeper, who accepts leads and lets them lie",
	),
	Person(
		ELENA,
		"Elena",
		"Rossi",
		("Sales User", "Sales Manager"),
		(0.5, 2, 8),
		0,
		"sales manager: steps in where handovers stay without an answer",
	),
)
PLAYERS = {person.email: person for person in CAST}
REPS = (CLARA, VIKTOR, SVEN)
# rep: how many new customers a quarter
GOALS = {CLARA: 9, VIKTOR: 7, SVEN: 6}
NOBODY = ""


# leads


@dataclass(frozen=True)
class Source:
	"""A source of leads. `fates` are the weights of their outcomes, in the order of FATES."""

	share: int
	owners: tuple[str, ...]
	fates: tuple[int, ...]
	made_by: str = "Guest"


FATES = ("ready", "disqualified", "nurture", "silent", "opted_out", "untouched")
SOURCES = {
	"Website": Source(26, (INES, HANNA, INES, NOBODY), (48, 10, 12, 12, 4, 14)),
	"Advertisement": Source(17, (INES, HANNA), (62, 10, 5, 10, 5, 8)),
	"Exhibition": Source(16, (HANNA, INES, SVEN, NOBODY), (32, 10, 18, 10, 3, 27), HANNA),
	"Reference": Source(13, (HANNA, INES, CLARA, VIKTOR), (66, 6, 10, 8, 0, 10), HANNA),
	"Cold Calling": Source(12, (CLARA, VIKTOR, SVEN), (28, 26, 14, 18, 6, 8), ELENA),
	"Campaign": Source(8, (INES, HANNA), (40, 15, 18, 13, 4, 10), HANNA),
	"Mass Mailing": Source(5, (HANNA, INES), (14, 18, 12, 18, 30, 8), HANNA),
	"Existing Customer": Source(3, (CLARA, VIKTOR), (80, 0, 10, 5, 0, 5), ELENA),
}
WOLF = "Advertisement"

# outcomes of calls that reach the person, by fate
SAID = {
	"ready": ("Connected", "Positive", "Meeting Booked"),
	"nurture": ("Connected",),
	"disqualified": ("Negative",),
	"opted_out": ("Negative",),
}
WRONG_DATA = "Disqualify: Wrong contact data"
DISQUALIFY = (
	"Disqualify: No need for what we sell",
	"Disqualify: Too small for us",
	"Disqualify: Too small for us",
	"Disqualify: Not a buyer (student, competitor, consultant)",
	WRONG_DATA,
)
POSTPONE = "Disqualify: Not this year"
NOT_MET = "Reject: Does not meet the definition"
AGREED = """<p>Marketing hands over no lead without budget, authority, need and timescale, each from somebody who
was asked. Sales calls every lead it has accepted, and says why when it gives one back.</p>"""
REJECT = (
	NOT_MET,
	"Reject: Not a decision maker",
	"Reject: No budget yet",
	"Reject: Duplicate of a lead in work",
)
RETURN = ("Return: Cannot be reached", "Return: Decision postponed", "Return: Bought elsewhere")
FEEDBACK = {
	NOT_MET: (
		"No budget, and nobody there knew of a project.",
		"Two people in a workshop. They wanted a brochure.",
		"The date is a wish. There is no project behind it.",
	),
	"Reject: Not a decision maker": ("The works director decides; our contact is an intern.",),
	"Reject: No budget yet": ("The budget round is in spring. Worth a call then.",),
	"Reject: Duplicate of a lead in work": ("I am talking with their site manager already.",),
	"Return: Cannot be reached": ("Three calls, two mails, no answer.",),
	"Return: Decision postponed": ("The new hall comes a year later.",),
	"Return: Bought elsewhere": ("They signed with their installer last week.",),
}
LOST = ("Price", "Chose a competitor", "Project stopped")
# in the order of the trades in COUNTRIES
INDUSTRIES = (
	"Manufacturing",
	"Apparel & Accessories",
	"Food, Beverage & Tobacco",
	"Consumer Products",
	"Manufacturing",
)
MASTERS = {"Opportunity Lost Reason": LOST, "Quotation Lost Reason": LOST, "Industry Type": INDUSTRIES}

NEEDS = (
	"Heating bill has doubled since the hall was extended.",
	"Welding fumes: the inspector wants a new extraction by summer.",
	"Paint shop has to be warm enough at night for the water-based lacquer.",
	"Draught at the loading gates, people are ill in winter.",
	"Wants to use the waste heat of the compressors.",
	"Old fans are too loud for the neighbours.",
	"New hall, planning permission is there, ventilation is not planned yet.",
	"Head office wants ten per cent less energy on every site.",
)
NOTES = {
	"No Answer": ("", "", "Rang out.", "Line was busy."),
	"Left Message": ("", "Left name and number.", "With the front desk."),
	"Connected": ("Friendly, little time. Call again.", "Knows us from a colleague.", "Asked for figures."),
	"Replied": ("Thanks for the invitation.",),
	"Positive": ("Wants to see a reference site.", "Asked what it costs."),
	"Meeting Booked": ("Visit to the hall arranged.",),
	"Negative": ("Not interested.", "Asked not to be called about this."),
	"Wrong Data": ("Number belongs to somebody else.",),
	"Bounced": ("Mail came back.",),
}
MAILS = (
	("Less heat through the roof", "One page on how a hall like yours saved a third, and one question."),
	("What a hall of your size saves", "The figures of a neighbour in your trade. Worth twenty minutes?"),
	("Your question on ventilation", "Here is what you asked for. When does it have to work?"),
)
REPLIES = (
	"Thank you, that is of interest. Please call me.",
	"Could you send a price range? Then I can talk to our director.",
	"Good timing. We are looking at this now.",
)

ITEMS = (
	("Heat Recovery Unit HR-200", 18_400),
	("Hall Fan HF-90", 6_200),
	("Control Cabinet", 4_750),
	("Ventilation Audit", 2_900),
	("Service Contract, One Year", 3_600),
)
JOB_TITLES = (
	"Plant Manager",
	"Managing Director",
	"Head of Facilities",
	"Energy Manager",
	"Purchasing Manager",
	"Maintenance Engineer",
	"Works Director",
	"Safety Officer",
)
STAFF = ("11-50", "51-200", "51-200", "201-500", "501-1000")

# phone prefix · towns · first names · family names · invented company names · trades · legal form
COUNTRIES = {
	"Germany": (
		"+49 30 23125",
		"Kassel Zwickau Bremen",
		"Anke Jörg Katrin Matthias Silke Thorsten Ulrike Henning",
		"Brandt Ehlers Köhler Petersen Reimann Sommer Vogt Wiese",
		"Falkenried Weidental Osterhagen Lindenau Grauwasser Tannhof Birkwerder Quellhorst Steinlohe",
		"Druckguss Textil Backwaren Möbel Verpackung",
		"GmbH",
	),
	"France": (
		"+33 1 99 00",
		"Lille Nantes Dijon",
		"Camille Étienne Margaux Julien Sylvie Bastien Odile Rémi",
		"Aubert Besson Chauvin Delmas Fabre Giraud Lacombe Perrot",
		"Valombre Rocheclaire Montbrun Fontaigue Bellepierre Aubanne Corvelle Sauterive Marnaud",
		"Fonderie Tissages Biscuits Menuiserie Emballages",
		"SARL",
	),
	"Italy": (
		"+39 02 5550",
		"Brescia Parma Udine",
		"Giulia Marco Chiara Davide Paola Stefano Silvia Luca",
		"Bellini Conti Ferrara Gallo Marchetti Orlandi Ricci Valenti",
		"Montelago Valdorsa Pietrachiara Fontalba Rivadoro Castelbruno Sorgevento Acquarossa Boscovero",
		"Fonderie Tessuti Dolciaria Arredi Imballaggi",
		"Srl",
	),
	"Netherlands": (
		"+31 20 5550",
		"Zwolle Breda Deventer",
		"Femke Joris Marieke Pieter Sanne Wouter Lotte Bram",
		"Bakker Dekker Hoekstra Kuipers Postma Veenstra Visser Wolters",
		"Veldkroon Noordhage Waterlinde Oostmolen Duinrode Kraaienberg Zilverbeek Lageweide Hazeldonk",
		"Gieterij Weverij Bakkerij Meubel Verpakking",
		"BV",
	),
	"Sweden": (
		"+46 8 46500",
		"Borås Örebro Gävle",
		"Astrid Björn Ebba Gustav Karin Nils Saga Oskar",
		"Ahlgren Bergman Dahl Ekström Forsberg Hedlund Nyström Sandell",
		"Norrvik Älvmark Stenbacka Granudden Silverholm Lövkulla Björkfors Tallhamra Havsmyra",
		"Gjuteri Textil Bageri Snickeri Kartong",
		"AB",
	),
	"Poland": (
		"+48 22 5550",
		"Gliwice Toruń Kielce",
		"Agnieszka Bartosz Dorota Grzegorz Joanna Łukasz Monika Paweł",
		"Adamski Dudek Jankowski Kaczmarek Lis Michalak Pawlak Zając",
		"Zielonka Borowiec Kamienny Wilczyn Srebrna Jeziornik Dębowiec Skalny Wrzosowa",
		"Odlewnia Tkaniny Piekarnia Meble Opakowania",
		"Sp. z o.o.",
	),
	"United Kingdom": (
		"+44 20 7946",
		"Rotherham Stockport Dundee",
		"Alice Callum Fiona Gareth Imogen Keith Nadia Rhys",
		"Ashworth Barlow Craig Denholm Fairley Hargreaves Oakes Pritchard",
		"Thornmere Harrowgill Eastcombe Millbarrow Ravensholt Greyfold Ashlock Westermoor Coldbrook",
		"Castings Textiles Bakeries Joinery Packaging",
		"Ltd",
	),
	"Spain": (
		"+34 91 5550",
		"Burgos Vigo Alcoy",
		"Carmen Diego Elena Íñigo Lucía Pablo Rocío Sergio",
		"Aguado Bravo Campos Herrero Llorente Nieto Quintana Soria",
		"Valdeluz Montearroyo Peñaclara Riofrío Campoverde Altamira Fuentealba Robledal Solana",
		"Fundiciones Tejidos Galletas Carpintería Envases",
		"SL",
	),
}


@dataclass
class Plan:
	"""The planned outcome of one lead, and its progress."""

	source: str
	owner: str
	fate: str
	person: dict
	reached_at: int
	worth: int
	reason: str
	lead: str = ""
	worker: str = ""
	touches: int = 0
	talks: int = 0
	handover: str = ""


@dataclass(order=True)
class Event:
	at: datetime
	number: int
	do: Callable = field(compare=False)
	args: tuple = field(compare=False)


class Story:
	"""Plays the demo on the current site. Instants are naive, in the site's zone."""

	def __init__(self, leads: int):
		self.leads = leads
		self.random = random.Random(SEED)
		self.end = now_datetime().replace(microsecond=0)
		self.now = self.end - timedelta(weeks=WEEKS)
		self.calendar = get_calendar(seed.CALENDAR)
		self.events: list[Event] = []
		self.numbers = itertools.count()
		self.people = self._people()
		self.customers: list[str] = []

	def play(self):
		"""Run the story and commit it.

		:raises frappe.ValidationError: if freezegun is not installed.
		"""
		try:
			from freezegun import freeze_time
		except ImportError:
			frappe.throw(
				frappe._("The demo needs freezegun. Install it with: bench setup requirements --dev")
			)
		user, muted = frappe.session.user, frappe.flags.mute_emails
		frappe.flags.mute_emails = True
		try:
			with ExitStack() as stack:
				# ERPNext requests a picture from gravatar.com at every save of a lead without one
				stack.enter_context(patch("erpnext.crm.doctype.lead.lead.has_gravatar", return_value=""))
				stack.enter_context(
					patch("frappe.contacts.doctype.contact.contact.has_gravatar", return_value="")
				)
				# only once: with ERPNext loaded, each start takes seconds, because it scans every module
				# v16's in-memory cache would expire at every step of the clock
				self.clock = stack.enter_context(
					freeze_time(_utc(self.now), ignore=["frappe.utils.redis_wrapper"])
				)
				self.set_up()
				self.write_script()
				while self.events:
					event = heapq.heappop(self.events)
					self.move_to(max(event.at, self.now + timedelta(seconds=1)))
					event.do(*event.args)
				self.move_to(self.end)
				self.finish()
		finally:
			frappe.set_user(user)
			frappe.flags.mute_emails = muted

	# time

	def at(self, when: datetime, do: Callable, *args):
		"""Schedule an action at an instant, unless it is after the end of the story."""
		if when <= self.end:
			heapq.heappush(self.events, Event(when, next(self.numbers), do, args))

	def after(self, least: float, most: float, do: Callable, *args):
		"""Schedule an action some working hours from now."""
		self.at(self.later(self.now, self.random.uniform(least, most)), do, *args)

	def later(self, start: datetime, hours: float) -> datetime:
		return naive(self.calendar.deadline(aware(start), max(int(hours * 3600), 60)))

	def before_end(self, hours: float) -> datetime:
		"""The instant that is this number of working hours before the end."""
		early = self.end - timedelta(days=7 + hours / 2)
		spare = self.calendar.elapsed(aware(early), aware(self.end)) - int(hours * 3600)
		return naive(self.calendar.deadline(aware(early), spare))

	def pass_time(self, minutes: int):
		self.move_to(self.now + timedelta(minutes=minutes))

	def move_to(self, when: datetime):
		self.now = min(when, self.end)
		self.clock.move_to(_utc(self.now))

	def act_as(self, user: str):
		if user != frappe.session.user:
			# set_user drops the process cache, but keys of user-specific entries contain the user
			cache = frappe.local.cache
			frappe.set_user(user)
			frappe.local.cache = cache

	# script

	def set_up(self):
		for person in CAST:
			make_user(
				person.email,
				*person.roles,
				first_name=person.first_name,
				last_name=person.last_name,
				password=PASSWORD,
			)
		for item_code, rate in ITEMS:
			make_item(item_code, rate)
		for doctype, names in MASTERS.items():
			fieldname = frappe.get_meta(doctype).autoname.removeprefix("field:")
			for name in names:
				if not frappe.db.exists(doctype, name):
					frappe.get_doc({"doctype": doctype, fieldname: name}).insert()
		agreement = make_agreement(HANNA, ELENA, accept_within=8, first_touch_within=8, notes=AGREED)
		for reader in (INES, CLARA, VIKTOR):  # Sven has not found the time
			self.act_as(reader)
			agreement.confirm_read()
		self.act_as("Administrator")
		self.make_team()
		for source in SOURCES:
			make_source(source)
		self.act_as(HANNA)
		aims.set_targets(marketing=HANNA, sales=ELENA)
		self.act_as("Administrator")
		# the story's scheduler runs once a day, which must not count as an outage
		frappe.db.set_single_value("Lead Quality Settings", "outage_after_minutes", 0)

	def make_team(self):
		"""The reps report to the sales manager, who is notified of deadlines that are overdue by a working day."""
		company = frappe.defaults.get_global_default("company")
		chief = None
		for user in (ELENA, *REPS):
			employee = frappe.get_doc(
				{
					"doctype": "Employee",
					"first_name": PLAYERS[user].first_name,
					"last_name": PLAYERS[user].last_name,
					"user_id": user,
					"company": company,
					"gender": frappe.get_all("Gender", pluck="name", order_by="name asc", limit=1)[0],
					"date_of_birth": "1990-01-01",
					"date_of_joining": "2020-01-01",
					"reports_to": chief,
				}
			).insert()
			chief = chief or employee.name
		policy = frappe.get_doc("Follow Up Policy", seed.POLICY)
		policy.append("escalations", {"after": 1, "unit": "Working Days", "action": "Notify Manager"})
		policy.escalate_to = ELENA
		policy.save()

	def finish(self):
		"""Users have read what is two days old, and the scheduler is expected every five minutes from now on."""
		self.act_as("Administrator")
		frappe.db.set_single_value("Lead Quality Settings", "outage_after_minutes", 30)
		old = {"creation": ["<", self.end - timedelta(days=2)], "for_user": ["in", list(PLAYERS)]}
		frappe.db.set_value("Notification Log", old, "read", 1, update_modified=False)
		frappe.db.set_default(DONE, str(self.end))
		frappe.db.commit()

	def write_script(self):
		"""Schedule the entry of each lead, and the runs of the scheduler."""
		present = list(self.present())
		days = [self.now.date() + timedelta(days=n) for n in range(1, WEEKS * 7 - 1)]
		# the business grows, and rests at the weekend
		weights = [(1 + n / len(days)) * (1 if day.weekday() < 5 else 0.2) for n, day in enumerate(days)]
		for day in self.random.choices(days, weights, k=max(self.leads - len(present), 0)):
			plan, when = self.draw(), self.some_time(day)
			if SOURCES[plan.source].made_by in PLAYERS:
				when = self.later(when, self.random.uniform(0, 4))
			self.at(when, self.enter, plan)
		for when, do, args in present[: self.leads]:
			self.at(when, do, *args)
		# the last working day is left to the site's scheduler
		last = self.before_end(8).date()
		for day in days:
			if day < last and day.weekday() < 5:
				self.at(datetime.combine(day, time(9, 5)), self.run_jobs)
		self.write_plans(self.now.date())

	def write_plans(self, first: date):
		"""Schedule what is planned on the day before a month, a quarter or a fair begins."""
		for begins, ends in aims.months(first, self.end.date()):
			self.at(self.day_before(begins), self.plan_spend, begins, ends)
		for begins, ends in aims.quarters(first, self.end.date()):
			self.at(self.day_before(begins), self.plan_goals, begins, ends)
		for day, amount in aims.FAIRS:
			begins = first + timedelta(days=day)
			ends = begins + timedelta(days=aims.FAIR_DAYS - 1)
			self.at(self.day_before(begins), self.plan_fair, begins, ends, amount)

	def day_before(self, day: date) -> datetime:
		"""Eight o'clock on the day before, or at once if that is past."""
		return max(datetime.combine(day - timedelta(days=1), time(8)), self.now)

	def plan_spend(self, begins: date, ends: date):
		self.act_as(HANNA)
		aims.spend_in_month(begins, ends)

	def plan_fair(self, begins: date, ends: date, amount: int):
		self.act_as(HANNA)
		aims.spend("Exhibition", begins, ends, amount)

	def plan_goals(self, begins: date, ends: date):
		self.act_as(ELENA)
		for rep, new_customers in GOALS.items():
			aims.set_goal(rep, begins, ends, new_customers)

	def present(self) -> Iterator[tuple]:
		"""Leads in every short-lived state, so that the site has them whenever it is created."""
		for minutes, owner in ((10, CLARA), (45, INES), (100, VIKTOR), (170, HANNA), (280, NOBODY)):
			plan = self.draw("Website", owner, "untouched")
			yield self.end - timedelta(minutes=minutes), self.enter, (plan,)
		for hours, owner in (
			(0.8, VIKTOR),
			(1.7, CLARA),
			(1.8, INES),
			(3.5, CLARA),
			(6.6, HANNA),
			(11, SVEN),
		):
			yield self.before_end(hours), self.enter, (self.draw("Reference", owner, "untouched"),)
		for sent, rep in ((1.5, CLARA), (6.7, VIKTOR), (7.2, SVEN), (2.5, VIKTOR), (13, SVEN), (21, SVEN)):
			plan = self.draw("Website", INES, "ready")
			yield self.before_end(sent + 3), self.enter_ready, (plan, sent, rep, None)
		for accepted, rep in ((2, CLARA), (7, VIKTOR), (10.5, SVEN), (19, SVEN), (26, SVEN)):
			plan = self.draw("Campaign", HANNA, "ready")
			yield self.before_end(accepted + 8), self.enter_ready, (plan, accepted + 4, rep, accepted)

	def some_time(self, day: date) -> datetime:
		hour = self.random.uniform(8, 18) if self.random.random() < 0.85 else self.random.uniform(0, 24)
		return datetime.combine(day, time()) + timedelta(seconds=int(hour * 3600))

	def draw(self, source: str = "", owner: str | None = None, fate: str = "") -> Plan:
		source = source or self.random.choices(list(SOURCES), [row.share for row in SOURCES.values()])[0]
		return Plan(
			source=source,
			owner=self.random.choice(SOURCES[source].owners) if owner is None else owner,
			fate=fate or self.random.choices(FATES, SOURCES[source].fates)[0],
			person=next(self.people),
			reached_at=self.random.choices((1, 2, 3, 4, 5, 6), (28, 20, 17, 10, 17, 8))[0],
			worth=self.random.choice((6, 9, 12, 15, 18, 24, 30, 45, 60)) * 1000,
			reason=self.random.choice(DISQUALIFY),
		)

	def _people(self) -> Iterator[dict]:
		"""An endless sequence of persons, each with a unique e-mail address and phone number."""
		companies = [
			(country, name, trade)
			for country, row in COUNTRIES.items()
			for name, trade in itertools.product(row[4].split(), row[5].split())
		]
		self.random.shuffle(companies)
		for number, (country, name, trade) in enumerate(itertools.cycle(companies)):
			prefix, towns, first_names, last_names, _names, trades, form = COUNTRIES[country]
			first_name = self.random.choice(first_names.split())
			last_name = self.random.choice(last_names.split())
			again = number // len(companies) or ""
			domain = f"{_ascii(name)}-{_ascii(trade)}.example"
			yield {
				"first_name": first_name,
				"last_name": last_name,
				"email_id": f"{_ascii(first_name)}.{_ascii(last_name)}{again}@{domain}",
				"phone": f"{prefix} {number:04}",
				"company_name": f"{name} {trade} {form}",
				"website": f"https://{domain}",
				"job_title": self.random.choice(JOB_TITLES),
				"no_of_employees": self.random.choice(STAFF),
				"industry": INDUSTRIES[trades.split().index(trade)],
				"city": self.random.choice(towns.split()),
				"country": country,
			}

	def run_jobs(self):
		"""Run the app's scheduled jobs once a day, and commit."""
		self.act_as("Administrator")
		jobs = frappe.get_hooks("scheduler_events", app_name="lead_quality")
		methods = itertools.chain(
			*jobs["cron"].values(), *(names for frequency, names in jobs.items() if frequency != "cron")
		)
		for method in methods:
			frappe.get_attr(method)()
		frappe.db.commit()
		if self.now.isocalendar().week % 4 == 0 and self.now.weekday() == 0:
			print(f"{self.now:%d %B %Y}: {frappe.db.count('Lead')} leads so far")

	# acts before the handover

	def enter(self, plan: Plan):
		"""The lead comes in. Leads that stay untouched get no work."""
		self.act_as(SOURCES[plan.source].made_by)
		values = dict(plan.person)
		if plan.source == "Existing Customer":
			if not self.customers:
				plan.source = "Reference"
			else:
				customer = self.random.choice(self.customers)
				values.update({"customer": customer, "company_name": customer})
		plan.lead = make_lead(source=plan.source, lead_owner=plan.owner, **values).name
		plan.worker = plan.owner or HANNA
		if plan.fate != "untouched":
			self.work_on(plan)

	def work_on(self, plan: Plan):
		"""Make the planned touch at the pace of its user.

		After the cadence, only good leads that have answered are called again.
		"""
		due = frappe.db.get_value("Lead Touch", {"lead": plan.lead, "status": "Planned"}, "due_at")
		least, usual, most = PLAYERS[plan.worker].pace
		delay = self.random.triangular(least, most, usual)
		if due:
			self.at(self.later(max(get_datetime(due), self.now), delay), self.touch, plan)
		elif plan.fate == "ready" and plan.talks:
			self.at(self.later(self.now, 6 + delay), self.touch, plan)

	def touch(self, plan: Plan):
		channel = frappe.db.get_value("Lead Touch", {"lead": plan.lead, "status": "Planned"}, "channel")
		if not channel and plan.fate != "ready":
			return
		plan.touches += 1
		if plan.touches == 1 and self.random.random() < PLAYERS[plan.worker].sorts:
			self.act_as(plan.worker)
			api.qualify(plan.lead, horizon="Near Term")
			self.pass_time(2)
		is_reached = plan.touches >= plan.reached_at and plan.fate in SAID
		if plan.fate == "disqualified" and plan.reason == WRONG_DATA and channel in {"Phone", "Email"}:
			self.log(plan, channel, "Wrong Data" if channel == "Phone" else "Bounced")
			self.talk(plan)
		elif channel == "Email":
			self.write_mail(plan)
			if is_reached:
				self.after(0.5, 6, self.get_mail, plan)
			else:
				self.work_on(plan)
		elif is_reached:
			is_call = channel != "LinkedIn"
			self.log(
				plan, "Phone" if is_call else channel, self.one_of(SAID[plan.fate]) if is_call else "Replied"
			)
			self.talk(plan)
		else:
			unheard = {"Phone": self.one_of(("No Answer", "Left Message")), "Voicemail": "Left Message"}
			self.log(plan, channel or "Phone", unheard.get(channel or "Phone"))
			self.work_on(plan)

	def log(self, plan: Plan, channel: str, outcome: str | None):
		self.act_as(plan.worker)
		api.log_touch(plan.lead, channel, outcome, note=self.one_of(NOTES.get(outcome or "", ("",))) or None)
		self.pass_time(self.random.randint(2, 12))

	def write_mail(self, plan: Plan):
		"""Write a mail from the desk, which is logged as a touch."""
		self.act_as(plan.worker)
		subject, content = self.one_of(MAILS)
		self.mail(plan, "Sent", subject, content, plan.worker, plan.person["email_id"])

	def get_mail(self, plan: Plan):
		"""The lead answers a mail, and somebody reads it."""
		self.act_as("Administrator")
		self.mail(
			plan,
			"Received",
			f"Re: {self.one_of(MAILS)[0]}",
			self.one_of(REPLIES),
			plan.person["email_id"],
			plan.worker,
		)
		self.after(0.2, 2, self.talk, plan)

	def mail(self, plan: Plan, direction: str, subject: str, content: str, sender: str, recipients: str):
		frappe.get_doc(
			{
				"doctype": "Communication",
				"communication_type": "Communication",
				"communication_medium": "Email",
				"communication_date": self.now,
				"sent_or_received": direction,
				"subject": subject,
				"content": content,
				"sender": sender,
				"recipients": recipients,
				"reference_doctype": "Lead",
				"reference_name": plan.lead,
			}
		).insert(ignore_permissions=True)
		self.pass_time(3)

	def talk(self, plan: Plan):
		"""A conversation shows the quality of the lead."""
		plan.talks += 1
		self.act_as(plan.worker)
		getattr(self, f"find_{plan.fate}")(plan)

	def find_ready(self, plan: Plan):
		given = answers(
			budget=plan.worth,
			authority=self.one_of(("Decision Maker", "Decision Maker", "Influencer")),
			need=self.one_of(NEEDS),
			timescale_in=self.random.randint(25, 150),
			evidence_grade=self.one_of(
				("Inferred", "Assumed") if plan.source == WOLF else ("Stated", "Observed")
			),
		)
		if plan.talks == 1 and self.random.random() < 0.45:
			api.qualify(plan.lead, given[1:3])
			self.work_on(plan)
			return
		api.qualify(plan.lead, given, horizon="Near Term", decision="")
		if plan.worker in REPS:
			self.after(3, 30, self.open_opportunity, plan)
		else:
			self.after(0.3, 7, self.hand_over, plan, self.random.choices(REPS, (36, 34, 30))[0])

	def find_disqualified(self, plan: Plan):
		api.qualify(plan.lead, decision="Disqualified", outcome_reason=plan.reason)

	def find_nurture(self, plan: Plan):
		"""Nurture the lead; most of the time the next call goes better."""
		given = answers(need=self.one_of(NEEDS), budget=None, timescale_in=None)
		api.qualify(
			plan.lead,
			given,
			horizon="Long Term",
			decision="Nurture",
			outcome_reason=POSTPONE,
			nurture_until=self.now.date() + timedelta(weeks=self.random.randint(4, 20)),
		)
		plan.fate = self.one_of(("ready", "ready", "silent"))
		plan.reached_at = plan.touches + 1
		self.work_on(plan)

	def find_opted_out(self, plan: Plan):
		channel, reason = self.one_of((("All", "Manual"), ("All", "Complaint"), ("Email", "Unsubscribed")))
		api.opt_out(plan.lead, channel, reason)

	# acts of the handover and after

	def enter_ready(self, plan: Plan, sent: float, rep: str, accepted: float | None):
		"""A lead with its handover, and maybe its acceptance, a number of working hours before the end."""
		fate, plan.fate = plan.fate, "untouched"
		self.enter(plan)
		plan.fate = fate
		self.at(self.before_end(sent + 0.7), self.log, plan, "Phone", "Meeting Booked")
		self.at(self.before_end(sent + 0.5), self.make_ready, plan)
		self.at(self.before_end(sent), self.send, plan, rep)
		if accepted is not None:
			self.at(self.before_end(accepted), self.accept, plan, rep)

	def make_ready(self, plan: Plan):
		self.act_as(plan.worker)
		api.qualify(plan.lead, answers(budget=plan.worth, need=self.one_of(NEEDS)), horizon="Near Term")

	def hand_over(self, plan: Plan, rep: str):
		self.send(plan, rep)
		if rep != SVEN:
			self.after(0.3, 4 if rep == CLARA else 8.5, self.decide, plan, rep)
		elif self.random.random() < 0.7:
			self.after(4, 16, self.decide, plan, rep)
		else:
			self.after(24, 70, self.step_in, plan, rep)

	def send(self, plan: Plan, rep: str):
		self.act_as(plan.worker)
		note = self.one_of(
			("Expects your call this week.", "Knows the price range.", "Please bring a reference.")
		)
		plan.handover = api.send_handover(plan.lead, rep, note, expected_value=plan.worth).name

	def decide(self, plan: Plan, rep: str):
		refuses = 0.78 if plan.source == WOLF else 0.15 if rep == VIKTOR else 0.06
		if self.random.random() >= refuses:
			self.accept(plan, rep)
			self.begin(plan, rep)
			return
		self.act_as(rep)
		is_wolf = plan.source == WOLF and self.random.random() < 0.85
		reason = NOT_MET if is_wolf else self.one_of(REJECT)
		api.reject_handover(plan.handover, reason, self.one_of(FEEDBACK[reason]))
		self.after(2, 20, self.learn, plan)

	def step_in(self, plan: Plan, rep: str):
		"""The manager answers instead of a rep who does not."""
		self.accept(plan, ELENA)
		self.after(20, 60, self.call, plan, rep)

	def accept(self, plan: Plan, user: str):
		self.act_as(user)
		api.accept_handover(plan.handover)

	def begin(self, plan: Plan, rep: str):
		"""The first call after acceptance: soon, late, or never."""
		if rep != SVEN:
			self.after(0.4, 5 if rep == CLARA else 9, self.call, plan, rep)
		elif self.random.random() < 0.45:
			self.after(12, 60, self.call, plan, rep)

	def learn(self, plan: Plan):
		"""Marketing nurtures a rejected lead again, disqualifies it, or leaves it untouched."""
		self.act_as(plan.worker)
		chance = self.random.random()
		if chance < 0.4:
			self.find_nurture(plan)
		elif chance < 0.75:
			plan.reason = "Disqualify: Too small for us"
			self.find_disqualified(plan)
		else:
			api.qualify(plan.lead, [{"criterion": "budget", "value": "0", "evidence_grade": "Stated"}])

	def call(self, plan: Plan, rep: str):
		plan.worker = rep
		is_reached = self.random.random() < 0.75
		self.log(plan, "Phone", self.one_of(SAID["ready"]) if is_reached else "No Answer")
		chance = self.random.random()
		if not is_reached and chance < 0.85:
			self.after(4, 14, self.call, plan, rep)
		elif not is_reached or chance < 0.08:
			self.after(6, 24, self.give_back, plan)
		elif chance < 0.85:
			self.after(4, 36, self.open_opportunity, plan)
		else:
			plan.fate = "silent"
			self.work_on(plan)

	def give_back(self, plan: Plan):
		self.act_as(plan.worker)
		reason = self.one_of(RETURN)
		api.return_handover(plan.handover, reason, self.one_of(FEEDBACK[reason]))
		plan.worker = plan.owner or HANNA
		self.after(2, 20, self.learn, plan)

	def open_opportunity(self, plan: Plan):
		self.act_as(plan.worker)
		item_code, rate = self.one_of(ITEMS)
		opportunity = make_opportunity(
			plan.lead,
			item_code,
			qty=max(plan.worth // rate, 1),
			rate=rate,
			opportunity_owner=plan.worker,
			expected_closing=self.now.date() + timedelta(days=self.random.randint(20, 60)),
		)
		if self.random.random() < 0.6:
			self.after(3, 20, self.log, plan, self.one_of(("Meeting", "Visit")), "Positive")
		chance = self.random.random()
		if chance < 0.72:
			self.after(8, 50, self.quote, plan, opportunity.name)
		elif chance < 0.85:
			self.after(30, 100, self.lose, plan, "Opportunity", opportunity.name)

	def quote(self, plan: Plan, opportunity: str):
		self.act_as(plan.worker)
		quotation = make_quotation(opportunity=opportunity)
		chance = self.random.random()
		if chance < 0.62 and plan.source != "Existing Customer":
			self.after(16, 110, self.order, plan, quotation.name)
		elif chance < 0.85:
			self.after(40, 130, self.lose, plan, "Quotation", quotation.name)

	def order(self, plan: Plan, quotation: str):
		self.act_as(plan.worker)
		order = make_sales_order(quotation, delivery_in=self.random.randint(20, 70))
		self.customers.append(order.customer)

	def lose(self, plan: Plan, doctype: str, name: str):
		self.act_as(plan.worker)
		frappe.get_doc(doctype, name).declare_enquiry_lost([{"lost_reason": self.one_of(LOST)}], [])

	def one_of(self, choices):
		return self.random.choice(choices)


def _utc(site_instant: datetime) -> datetime:
	"""A naive instant of the site's zone in the form that freezegun needs.

	Never a whole second: Frappe compares `modified` as text, which would then lack the fraction on one side.
	"""
	return aware(site_instant).astimezone(timezone.utc).replace(tzinfo=None, microsecond=1)


def _ascii(word: str) -> str:
	plain = unicodedata.normalize("NFKD", word.replace("ł", "l").replace("Ł", "L"))
	return "".join(letter for letter in plain if letter.isascii() and letter.isalnum()).lower()
