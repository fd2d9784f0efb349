"""Reports as of a past day say what they said on that day, whatever was entered late, corrected, cancelled, merged or
deleted since; and how much that was.

A random history is lived through with real documents. At the end of each day the reports are kept, and asked again at the
end of all.
"""

import random
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
)
from lead_quality.funnel.jobs import reconcile_stages
from lead_quality.lead_quality.report.stage_conversion.stage_conversion import StageConversion
from lead_quality.lead_quality.report.stage_velocity.stage_velocity import StageVelocity

BEGIN = datetime(2019, 3, 4)
PERIOD = {"from_date": "2019-03-04", "to_date": "2019-03-31", "include_non_buyers": 1}
ASKED = (
	(StageConversion, {}),
	(StageConversion, {"within_days": 2}),
	(StageConversion, {"group_by": "Source"}),
	(StageVelocity, {"group_by": "Source"}),
)
# what is not known as of a past day, and what the links say
UNKNOWN = ("lost", "open", "expected", "links", "note", "is_leak")


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
			self.merge, self.delete, self.come_in_past_every_hook, self.rename,
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
	return [{name: value for name, value in row.items() if name not in UNKNOWN} for row in rows]


def test_as_of_a_day_a_report_says_what_it_said_on_that_day(freeze):
	kept, history, changed = {}, History(11), 0
	with freeze(BEGIN) as clock:
		for day in history.live(clock, days=7, a_day=5):
			for nth, (report, filters) in enumerate(ASKED):
				kept[day.date(), nth] = said(report, filters)
			# on the day itself, which is not over yet, it is as without
			assert kept[day.date(), 0] == said(StageConversion, {}, as_of=str(day.date()))
		clock.move_to(BEGIN + timedelta(days=40))
		assert history.happened == history.names
		for (day, nth), rows in kept.items():
			report, filters = ASKED[nth]
			known = between_stages(rows)
			assert between_stages(said(report, filters, as_of=str(day))) == known, (day, nth)
			changed += between_stages(said(report, filters)) != known
			if report is StageConversion:
				check_corrections({**PERIOD, **filters, "as_of": str(day)}, rows)
	assert changed > len(kept) / 2


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
