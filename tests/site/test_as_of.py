"""Reports as of a past day say what they said on that day, whatever was entered late, corrected, cancelled, merged or
deleted since; and how much that was.

A random history is lived through with real documents. At the end of each day the reports are kept, and asked again at the
end of all.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import frappe
import pytest
from frappe.utils import get_datetime, now_datetime

from lead_quality import api
from lead_quality.demo.factories import (
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_order,
	make_sales_ready,
	make_user,
)
from lead_quality.funnel import kept as kept_journeys
from lead_quality.funnel.jobs import keep_journeys, reconcile_stages
from lead_quality.lead_quality.report.lead_to_proposal.lead_to_proposal import LeadToProposal
from lead_quality.lead_quality.report.leaks.leaks import Leaks
from lead_quality.lead_quality.report.qualified_leads.qualified_leads import QualifiedLeads
from lead_quality.lead_quality.report.source_effectiveness.source_effectiveness import SourceEffectiveness
from lead_quality.lead_quality.report.stage_conversion.stage_conversion import StageConversion
from lead_quality.lead_quality.report.stage_velocity.stage_velocity import StageVelocity
from lead_quality.lead_quality.report.wasted_leads.wasted_leads import WastedLeads

BEGIN = datetime(2019, 3, 4)
SELLER = "seller@as-of.example"
PERIOD = {"from_date": "2019-03-04", "to_date": "2019-03-31", "include_non_buyers": 1}
ASKED = (
	(StageConversion, {}),
	(StageConversion, {"within_days": 2}),
	(StageConversion, {"group_by": "Source"}),
	(StageVelocity, {"group_by": "Source"}),
	(Leaks, {}),
	(Leaks, {"source": "Website", "as_at": "Today"}),
	(LeadToProposal, {}),
	(LeadToProposal, {"group_by": "Segment", "as_at": "Today"}),
	(WastedLeads, {"group_by": "Source"}),
	(WastedLeads, {"group_by": "Age"}),
	(QualifiedLeads, {"group_by": "Source"}),
	(SourceEffectiveness, {}),
	(SourceEffectiveness, {"group_by": "Month"}),
)
# those that tell by kept journeys what they said, and not by the stage log
BY_KEPT = (Leaks, LeadToProposal, WastedLeads, QualifiedLeads, SourceEffectiveness)
# what is not known as of a past day, and what the links say
UNKNOWN = ("lost", "open", "expected", "links", "note", "is_leak")
UNKNOWN_OF = {report: ("links",) for report in BY_KEPT}


@pytest.fixture(autouse=True)
def no_day_is_kept():
	"""As on a site that has just got the app; what other tests have left is not looked at each night."""
	frappe.db.delete("Past Lead Journey")
	frappe.db.delete("Lead Journey", {"entered_at": [">", "2019-04-30"]})
	forget_days()
	yield
	forget_days()  # what is cached of it, too


def forget_days():
	for key in (kept_journeys.SINCE, kept_journeys.LAST):
		frappe.db.set_global(key, "")


def keep_day(clock, day: datetime):
	"""The midnight after a day passes, and the job runs."""
	clock.move_to(day + timedelta(days=1, minutes=3))
	assert keep_journeys()["failed"] == 0
	frappe.db.commit()


class History:
	"""Leads to which something happens, by chance."""

	def __init__(self, seed: int):
		self.chance = random.Random(seed)
		self.leads: list[str] = []
		# to them, as ERPNext refuses quotations to a lead that was merged with another one's contact
		self.can_be_sold_to: list[str] = []
		self.happened: set[str] = set()
		self.ways: list[Callable] = [
			self.come_in, self.come_in, self.come_in, self.talk, self.talk, self.make_opportunity, self.order,
			self.talk_was_long_ago, self.cancel, self.take_back, self.correct, self.delete_opportunity, self.merge,
			self.merge, self.delete, self.come_in_past_every_hook, self.rename, self.hand_over, self.accept,
			self.decline, self.disqualify, self.quote, self.cancel_quotation, self.give_away,
			self.enroll, self.enroll,
		]  # fmt: skip

	@property
	def names(self) -> set[str]:
		return {way.__name__ for way in self.ways}

	def one_of(self, doctype: str, filters: dict) -> str | None:
		found = frappe.get_all(doctype, filters, pluck="name", order_by="creation asc, name asc")
		return self.chance.choice(found) if found else None

	def lead(self) -> str:
		return self.chance.choice(self.leads)

	def come_in(self):
		number = len(self.leads)
		lead = make_lead(
			company_name=f"Works {number}", source=self.chance.choice(("Website", "Exhibition", None))
		)
		make_sales_ready(lead.name)
		# no cadence is walked here
		frappe.db.delete("Nurture Enrollment", {"lead": lead.name})
		frappe.db.delete("Lead Touch", {"lead": lead.name})
		self.leads.append(lead.name)
		self.can_be_sold_to.append(lead.name)

	def come_in_past_every_hook(self):
		lead = frappe.get_doc({"doctype": "Lead", "lead_name": "Late", "title": "Late", "status": "Lead"})
		lead.name = f"LATE-{frappe.generate_hash(length=8)}"
		lead.creation = now_datetime() - timedelta(days=self.chance.choice((0, 1, 2)))
		lead.modified = lead.creation
		lead.db_insert()

	def talk(self) -> str:
		return api.log_touch(self.lead(), "Phone", "Connected").name

	def talk_was_long_ago(self):
		api.log_touch(self.lead(), "Phone", "Connected", done_at=now_datetime() - timedelta(days=2))

	def make_opportunity(self) -> str:
		return make_opportunity(self.lead()).name

	def opportunity(self) -> str:
		open_ones = {"lq_lead": ["in", self.leads], "status": "Open"}
		return self.one_of("Opportunity", open_ones) or self.make_opportunity()

	def order(self) -> str:
		if not self.can_be_sold_to:
			self.come_in()
		lead = self.can_be_sold_to.pop(0)
		return make_sales_order(make_quotation(opportunity=make_opportunity(lead).name).name).name

	def cancel(self):
		of_these = {"docstatus": 1, "creation": ["<", BEGIN + timedelta(30)]}
		frappe.get_doc("Sales Order", self.one_of("Sales Order", of_these) or self.order()).cancel()

	def touch(self) -> str:
		talks = {"lead": ["in", self.leads], "status": "Done", "outcome": "Connected"}
		return self.one_of("Lead Touch", talks) or self.talk()

	def take_back(self):
		api.undo_touch(self.touch())

	def correct(self):
		doc = frappe.get_doc("Lead Touch", self.touch())
		doc.done_at = get_datetime(doc.done_at) - timedelta(hours=self.chance.choice((1, 30)))
		doc.save()

	def delete_opportunity(self):
		frappe.delete_doc("Opportunity", self.opportunity(), force=True)

	def merge(self):
		old, new = self.chance.sample(self.leads, 2)
		frappe.rename_doc("Lead", old, new, merge=True, show_alert=False)
		self.leads.remove(old)
		self.can_be_sold_to = [lead for lead in self.can_be_sold_to if lead not in (old, new)]

	def rename(self):
		old = self.lead()
		new = f"NEW-{frappe.generate_hash(length=8)}"
		frappe.rename_doc("Lead", old, new, show_alert=False)
		self.leads[self.leads.index(old)] = new
		self.can_be_sold_to = [new if lead == old else lead for lead in self.can_be_sold_to]

	def delete(self):
		alone = [lead for lead in self.leads if not frappe.db.exists("Opportunity", {"lq_lead": lead})]
		if not alone:
			self.come_in()
			alone = self.leads[-1:]
		frappe.delete_doc("Lead", alone[0], force=True)
		self.leads.remove(alone[0])
		self.can_be_sold_to = [lead for lead in self.can_be_sold_to if lead != alone[0]]

	def alone(self) -> str:
		"""A lead of which nothing was sold, that is still worked on."""
		free = {"name": ["in", self.can_be_sold_to], "lq_verdict": ["!=", "Disqualified"]}
		for name in frappe.get_all("Lead", free, pluck="name", order_by="creation desc, name asc"):
			if not any(
				frappe.db.exists(doctype, of)
				for doctype, of in (("Opportunity", {"lq_lead": name}), ("Lead Handover", {"lead": name}))
			):
				return name
		self.come_in()
		return self.leads[-1]

	def hand_over(self) -> str:
		return api.send_handover(self.alone(), SELLER, expected_value=500).name

	def handover(self) -> str:
		return (
			self.one_of("Lead Handover", {"lead": ["in", self.leads], "status": "Sent"}) or self.hand_over()
		)

	def accept(self):
		api.accept_handover(self.handover())

	def decline(self):
		reason = self.one_of("Lead Outcome Reason", {"applies_to": "Reject"})
		api.reject_handover(self.handover(), reason)

	def disqualify(self):
		api.qualify(self.alone(), decision="Disqualified", outcome_reason="Disqualify: Too small for us")

	def quote(self) -> str:
		return make_quotation(opportunity=make_opportunity(self.alone()).name).name

	def cancel_quotation(self):
		of_these = {"docstatus": 1, "status": "Open", "creation": ["<", BEGIN + timedelta(30)]}
		frappe.get_doc("Quotation", self.one_of("Quotation", of_these) or self.quote()).cancel()

	def give_away(self):
		lead = frappe.get_doc("Lead", self.alone())
		lead.lead_owner = SELLER
		lead.save()

	def enroll(self):
		lead = self.alone()
		if not frappe.db.exists("Nurture Enrollment", {"lead": lead}):
			api.enroll(lead)

	def live(self, clock, days: int, a_day: int):
		"""So many days. Yields the last instant of each one."""
		first = [self.come_in] * 5
		once = [*self.ways]
		self.chance.shuffle(once)
		for day in range(days):
			for nth in range(a_day):
				clock.move_to(
					BEGIN
					+ timedelta(
						days=day, hours=9, minutes=nth * 30, seconds=self.chance.randrange(60), microseconds=7
					)
				)
				way = first.pop() if first else once.pop() if once else self.chance.choice(self.ways)
				if len(self.leads) < 4:
					self.come_in()
				way()
				self.happened.add(way.__name__)
				frappe.db.commit()
			if self.chance.random() < 0.5:
				reconcile_stages()
				frappe.db.commit()
			clock.move_to(BEGIN + timedelta(days=day, hours=23, minutes=59, seconds=59, microseconds=9))
			yield BEGIN + timedelta(days=day)


def said(report, filters: dict, **more) -> list[dict]:
	rows = report({**PERIOD, **filters, **more}).rows()
	unknown = UNKNOWN_OF.get(report, UNKNOWN)
	return [{name: value for name, value in row.items() if name not in unknown} for row in rows]


def test_as_of_a_day_a_report_says_what_it_said_on_that_day(freeze):
	kept, history, changed = {}, History(11), Counter()
	make_user(SELLER, "Sales User")
	frappe.get_doc(
		{
			"doctype": "Funnel Target",
			"step": "Opportunity",
			"rate": 90,
			"from_date": "2019-03-01",
			"to_date": "2019-03-31",
		}
	).insert()
	frappe.db.commit()
	with freeze(BEGIN) as clock:
		for day in history.live(clock, days=7, a_day=5):
			for nth, (report, filters) in enumerate(ASKED):
				kept[day.date(), nth] = said(report, filters)
			# on the day itself, which is not over yet, it is as without
			assert kept[day.date(), 0] == said(StageConversion, {}, as_of=str(day.date()))
			keep_day(clock, day)
		clock.move_to(BEGIN + timedelta(days=40))
		assert history.happened == history.names
		for (day, nth), rows in kept.items():
			report, filters = ASKED[nth]
			known = between_stages(rows)
			assert between_stages(said(report, filters, as_of=str(day))) == known, (day, nth)
			changed[report] += between_stages(said(report, filters)) != known
			if report is StageConversion:
				check_corrections({**PERIOD, **filters, "as_of": str(day)}, rows)
			if report in BY_KEPT:
				check_corrections_of(report, {**PERIOD, **filters, "as_of": str(day)})
				check_lists(report, {**PERIOD, **filters, "as_of": str(day)})
	assert sum(changed.values()) > len(kept) / 2
	assert {report for report, times in changed.items() if times} == {report for report, _filters in ASKED}


def check_corrections_of(report, filters: dict):
	"""How many corrections there were since is how many rows stand behind it, and each says what has changed."""
	number = report(filters).corrected.count()
	listed = report({**filters, "show": report.list_name, "count": "corrected"}).page()[0]
	assert len(listed) == number
	assert all(row["was"] != row["is"] for row in listed)


def check_lists(report, filters: dict):
	"""A count of then opens as many leads as it says."""
	for row in report(filters).rows():
		for name, link in row["links"].items():
			if isinstance(row.get(name), int) and name in report.counts:
				listed = report(dict(parse_qsl(urlsplit(link).query))).page()[0]
				assert len(listed) == row[name], (report.name, name, row)


def between_stages(rows: list[dict]) -> list[dict]:
	"""Of Stage Velocity, what the log alone tells."""
	ways = ("Came In to Prospect", "Prospect to Opportunity", "Came In to Sale")
	return [row for row in rows if row.get("way") in (None, *ways)]


def check_corrections(filters: dict, rows: list[dict]):
	"""How many corrections there were since is how many rows stand behind it; and without any, nothing was counted
	otherwise by what is known now."""
	report = StageConversion(filters)
	number = report.corrected.count()
	message = report.message(report.rows())
	assert ("No corrections since" in message) == (not number)
	listed = StageConversion({**filters, "show": "Leads", "count": "corrected"}).page()[0]
	assert len(listed) == number
	assert all(row["was"] != row["is"] or row["then"] != row["known"] for row in listed)


PERIOD_OF_ONE = {"from_date": "2019-03-04", "to_date": "2019-03-04"}


def reached(**filters) -> list[int]:
	frappe.db.commit()  # a report is asked for by a request of its own
	return [row["reached"] for row in StageConversion({**PERIOD_OF_ONE, **filters}).rows()]


def corrections(as_of: str) -> list[dict]:
	return StageConversion({**PERIOD_OF_ONE, "as_of": as_of, "show": "Leads", "count": "corrected"}).page()[0]


@pytest.fixture
def sold(freeze):
	"""A lead of 4 March that ordered on 5 March, and the clock on 6 March."""
	with freeze("2019-03-04 10:00:00.000001") as clock:
		lead = make_lead()
		make_sales_ready(lead.name)
		clock.move_to("2019-03-05 10:00:00.000001")
		opportunity = make_opportunity(lead.name)
		order = make_sales_order(make_quotation(opportunity=opportunity.name).name)
		clock.move_to("2019-03-06 10:00:00.000001")
		yield frappe._dict(lead=lead.name, order=order.name)


def test_a_cancelled_order_stays_in_reports_as_of_before_and_is_no_sale_as_of_today(sold):
	frappe.get_doc("Sales Order", sold.order).cancel()
	assert reached() == reached(as_of="2019-03-06") == [1, 1, 1, 0]
	assert reached(as_of="2019-03-05") == [1, 1, 1, 1]
	assert reached(as_of="2019-03-04") == [1, 0, 0, 0]
	assert reached(as_of="2019-03-03") == [0, 0, 0, 0]
	(row,) = corrections("2019-03-05")
	assert (row["lead"], row["was"], row["is"]) == (sold.lead, "Sale", "Opportunity")
	assert not corrections("2019-03-04")


def test_a_count_of_then_opens_its_leads_as_of_then(sold):
	frappe.get_doc("Sales Order", sold.order).cancel()
	row = StageConversion({**PERIOD_OF_ONE, "as_of": "2019-03-05"}).rows()[-1]
	filters = dict(parse_qsl(urlsplit(row["links"]["reached"]).query))
	assert [found["lead"] for found in StageConversion(filters).page()[0]] == [sold.lead]
	del filters["as_of"]
	assert StageConversion(filters).page()[0] == []


def test_what_was_entered_late_is_a_correction(sold):
	other = make_lead()
	frappe.db.commit()
	late = frappe.get_doc({"doctype": "Lead", "lead_name": "Late", "title": "Late", "status": "Lead"})
	late.name = "LATE-ONE"
	late.creation = late.modified = get_datetime("2019-03-04 12:00:00")
	late.db_insert()
	reconcile_stages()
	assert reached() == [2, 1, 1, 1]
	assert reached(as_of="2019-03-05") == [1, 1, 1, 1]
	(row,) = corrections("2019-03-05")
	assert (row["lead"], row["was"], row["is"]) == ("LATE-ONE", None, "Target")
	assert other.name not in str(row)


def test_a_deleted_lead_stays_in_reports_as_of_then_without_its_name(sold):
	lead = make_lead()
	frappe.db.set_value("Lead Stage Log", {"lead": lead.name}, "creation", "2019-03-04 11:00:00")
	frappe.db.set_value("Lead Stage Log", {"lead": lead.name}, "entered_at", "2019-03-04 11:00:00")
	frappe.db.commit()
	before = reached(as_of="2019-03-05")
	frappe.delete_doc("Lead", lead.name)
	assert reached(as_of="2019-03-05") == before == [2, 1, 1, 1]
	rows = StageConversion({**PERIOD_OF_ONE, "as_of": "2019-03-05", "show": "Leads"}).page()[0]
	assert sorted(str(row["lead"]) for row in rows) == sorted(["None", sold.lead])
	rows = StageConversion({**PERIOD_OF_ONE, "as_of": "2019-03-05", "group_by": "Owner"}).rows()
	assert sum(row["leads"] for row in rows) == 2


def test_two_leads_that_have_become_one_are_two_as_of_before_and_whoever_reads_it_is_told(sold):
	lead = make_lead()
	frappe.db.set_value("Lead Stage Log", {"lead": lead.name}, "creation", "2019-03-04 11:00:00")
	frappe.db.set_value("Lead Stage Log", {"lead": lead.name}, "entered_at", "2019-03-04 11:00:00")
	frappe.rename_doc("Lead", lead.name, sold.lead, merge=True, show_alert=False)
	assert reached() == [1, 1, 1, 1]
	assert reached(as_of="2019-03-05") == [2, 1, 1, 1]
	assert [row["lead"] for row in corrections("2019-03-05")] == [sold.lead]
	words = StageConversion({**PERIOD_OF_ONE, "as_of": "2019-03-05"}).message([])
	assert "As of the end of" in words and "corrections since" in words


def test_a_day_that_is_not_kept_is_refused_with_a_sentence_that_says_which_ones_are(sold, freeze):
	def refusals(day: str) -> set[str]:
		return {refusal(report, day).replace(report.name, "It") for report in BY_KEPT}

	def refusal(report, day: str) -> str:
		with pytest.raises(frappe.ValidationError) as refused:
			report({**PERIOD_OF_ONE, "as_of": day})
		return frappe.utils.strip_html(str(refused.value))

	assert refusals("2019-03-05") == {
		"What It says at the end of a day is kept in the night after it, and has not been kept yet. Leave As Of empty until tomorrow."
	}
	with freeze("2019-03-06 00:03:00"):
		keep_journeys()
	with freeze("2019-03-07 10:00:00"):
		for report in BY_KEPT:
			report({**PERIOD_OF_ONE, "as_of": "2019-03-05"}).rows()
		first, second, third = (frappe.utils.format_date(f"2019-03-0{day}") for day in (5, 6, 7))
		assert refusals("2019-03-04") == {
			f"What It said is kept since {first}. Choose that day or a later one as As Of."
		}
		assert refusals("2019-03-06") == {
			f"What It said on {second} has not been kept yet: that happens in the night after it. "
			f"Choose {first} or an earlier day as As Of, or leave it empty."
		}
		assert refusals("2019-03-07") == {
			f"{third} is not over yet. Leave As Of empty: It then says what is known now."
		}
	# the stage log goes back further
	assert reached(as_of="2019-03-04") == [1, 0, 0, 0]


def test_whoever_reads_a_report_as_of_a_day_is_told_which_leads_are_known_otherwise_now(sold, freeze):
	asked = {**PERIOD_OF_ONE, "as_of": "2019-03-06"}
	with freeze("2019-03-07 00:03:00"):
		keep_journeys()
		frappe.db.commit()
		for report in BY_KEPT:
			assert "No corrections since" in report(asked).shown()[2]
		frappe.get_doc("Sales Order", sold.order).cancel()
		frappe.db.commit()
	with freeze("2019-03-08 10:00:00"):
		for report in BY_KEPT:
			words = report(asked).shown()[2]
			assert ">1</a> corrections since" in words
			link = words.split('href="')[1].split('"')[0].replace("&amp;", "&")
			columns, (row,), *_rest = report(dict(parse_qsl(urlsplit(link).query))).shown()
			assert row["lead"] == sold.lead
			assert "Sale" in row["was"].split(", ") and "Sale" not in row["is"].split(", ")
			assert {"was", "is"} <= {column["fieldname"] for column in columns}
