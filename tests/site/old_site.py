"""A site's past from before the install: leads of every kind, past every hook, and what is true of each of them.

A seed makes the same past each time. What a lead is said to have reached is counted here while it is made, by the words of
`docs`, and by no code of the app.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import frappe

from lead_quality.demo.factories import make_item

STAGES = ("target", "prospect", "opportunity", "sale")
OUTLOOK_AWAY = "Automatic reply: Our offer"


@dataclass
class OldLead:
	"""`reached` is stage to instant, of what happened to the lead; `is_over` whether nobody is to work on it any more."""

	name: str
	created: datetime
	reached: dict[str, datetime] = field(default_factory=dict)
	is_over: bool = False
	is_quoted: bool = False

	@property
	def stage(self) -> str:
		return max(self.reached, key=STAGES.index)

	@property
	def log(self) -> dict[str, datetime]:
		"""The stages that it entered: one that it was past when it was proved is entered no more."""
		entered: dict[str, datetime] = {}
		for stage, at in sorted(self.reached.items(), key=lambda item: (item[1], STAGES.index(item[0]))):
			if all(STAGES.index(stage) > STAGES.index(before) for before in entered):
				entered[stage] = at
		return entered

	@property
	def waits(self) -> bool:
		return self.stage in ("target", "prospect") and not self.is_over and not self.is_quoted


class OldSite:
	"""So many old leads, made up to the day before `now`."""

	def __init__(self, seed: int, leads: int, now: datetime, owners: list[str]):
		self.random = random.Random(seed)
		self.now, self.owners = now, owners
		self.rows: dict[str, list[dict]] = {}
		self.leads: list[OldLead] = []
		self.company = frappe.db.get_value("Company", {})
		item = make_item()
		self.item = {"item_code": item, "item_name": item, "qty": 1}
		pasts: list[Callable] = [
			getattr(self, name) for name in sorted(dir(self)) if name.startswith("past_")
		]
		for number in range(leads):
			lead = self._add_lead(number)
			# each kind of past is there, however few leads are made
			past = pasts[number] if number < len(pasts) else self.random.choice(pasts)
			past(lead, lead.created)
		for doctype, rows in self.rows.items():
			_insert(doctype, rows)

	# pasts

	def past_of_silence(self, lead: OldLead, at: datetime):
		pass

	def past_of_letters(self, lead: OldLead, at: datetime):
		for days in range(self.random.randrange(1, 4)):
			self._mail(lead, at + timedelta(days=days), sent=True)

	def past_of_an_answer(self, lead: OldLead, at: datetime, link: bool = False):
		self._mail(lead, at + timedelta(hours=3), sent=True, link=link)
		self._mail(lead, at + timedelta(days=1), sent=False, link=link)
		lead.reached["prospect"] = at + timedelta(days=1)

	def past_of_an_answer_by_link(self, lead: OldLead, at: datetime):
		self.past_of_an_answer(lead, at, link=True)

	def past_of_a_letter_to_us(self, lead: OldLead, at: datetime):
		self._mail(lead, at + timedelta(days=1), sent=False)  # nobody had written: that is no conversation

	def past_of_a_machine(self, lead: OldLead, at: datetime):
		self._mail(lead, at + timedelta(days=1), sent=True)
		self._mail(lead, at + timedelta(days=1, minutes=1), sent=False, subject=OUTLOOK_AWAY)

	def past_of_a_call(self, lead: OldLead, at: datetime):
		self._mail(
			lead, at + timedelta(days=2), sent=True, communication_medium="Phone", content="Wants a visit"
		)
		lead.reached["prospect"] = at + timedelta(days=2)

	def past_of_no_answer(self, lead: OldLead, at: datetime):
		self._mail(lead, at + timedelta(days=2), sent=True, communication_medium="Phone", content="No answer")

	def past_of_an_opportunity(self, lead: OldLead, at: datetime, **values):
		if self.random.random() < 0.5:
			self.past_of_an_answer(lead, at)
		return self._opportunity(lead, at + timedelta(days=10), **values)

	def past_of_a_loss(self, lead: OldLead, at: datetime):
		self.past_of_an_opportunity(lead, at, status="Lost")
		lead.is_over = True

	def past_of_a_prospect(self, lead: OldLead, at: datetime):
		prospect = self._add("Prospect", at, company_name=f"Prospect of {lead.name}")
		self._add(
			"Prospect Lead", at, parent=prospect, parenttype="Prospect", parentfield="leads", lead=lead.name
		)
		self._opportunity(lead, at + timedelta(days=8), opportunity_from="Prospect", party_name=prospect)

	def past_of_a_customer(self, lead: OldLead, at: datetime):
		self.past_of_an_opportunity(lead, at, status="Converted")
		customer = self._customer(at + timedelta(days=19), lead_name=lead.name)
		self._order(lead, at + timedelta(days=20), customer)

	def past_of_a_quotation_and_an_order(self, lead: OldLead, at: datetime):
		quotation = self._add(
			"Quotation",
			at + timedelta(days=5),
			quotation_to="Lead",
			party_name=lead.name,
			docstatus=1,
			status="Ordered",
		)
		self._order(lead, at + timedelta(days=6), self._customer(at), quotation)

	def past_of_a_cancelled_order(self, lead: OldLead, at: datetime):
		customer = self._customer(at + timedelta(days=19), lead_name=lead.name)
		self._order(lead, at + timedelta(days=20), customer, docstatus=2)
		lead.is_over = True  # a customer was made from it

	def past_of_a_quotation(self, lead: OldLead, at: datetime):
		self._add("Quotation", at, quotation_to="Lead", party_name=lead.name, docstatus=1, status="Open")
		self._row_of(lead)["status"] = "Quotation"
		lead.is_quoted = True

	def past_of_a_wish(self, lead: OldLead, at: datetime):
		self._row_of(lead)["status"] = "Do Not Contact"
		lead.is_over = True

	def past_of_hiding(self, lead: OldLead, at: datetime):
		self._row_of(lead)["disabled"] = 1
		lead.is_over = True

	# documents

	def _add_lead(self, number: int) -> OldLead:
		created = self.now - timedelta(
			days=self.random.randrange(40, 700), minutes=self.random.randrange(600)
		)
		lead = OldLead(f"OLD-{number:05}", created.replace(microsecond=0))
		lead.reached["target"] = lead.created
		self.leads.append(lead)
		self._add(
			"Lead",
			lead.created,
			name=lead.name,
			lead_name=f"Olga {number}",
			title=f"Old Works {number}",
			status="Lead",
			company=self.company,
			email_id=f"olga.{number}@old.example",
			lead_owner=self.random.choice([None, *self.owners]),
		)
		return lead

	def _row_of(self, lead: OldLead) -> dict:
		return next(row for row in self.rows["Lead"] if row["name"] == lead.name)

	def _mail(self, lead: OldLead, at: datetime, sent: bool, link: bool = False, **values):
		address, rep = self._row_of(lead)["email_id"], self.owners[0]
		name = self._add(
			"Communication",
			at,
			**{
				"communication_type": "Communication",
				"communication_medium": "Email",
				"sent_or_received": "Sent" if sent else "Received",
				"sender": rep if sent else address,
				"recipients": address if sent else rep,
				"subject": "Our offer" if sent else "Re: Our offer",
				"content": "Text",
				"communication_date": at,
				"owner": rep if sent else "Administrator",
				"reference_doctype": None if link else "Lead",
				"reference_name": None if link else lead.name,
				**values,
			},
		)
		if link:
			row = {"parent": name, "parenttype": "Communication", "parentfield": "timeline_links"}
			self._add("Communication Link", at, **row, link_doctype="Lead", link_name=lead.name)

	def _opportunity(self, lead: OldLead, at: datetime, **values) -> str:
		lead.reached["opportunity"] = at
		values = {"opportunity_from": "Lead", "party_name": lead.name, "status": "Open", **values}
		return self._add(
			"Opportunity", at, company=self.company, currency="EUR", opportunity_amount=100, **values
		)

	def _customer(self, at: datetime, **values) -> str:
		return self._add("Customer", at, customer_name="Old Works", **values)

	def _order(
		self, lead: OldLead, at: datetime, customer: str, quotation: str | None = None, docstatus: int = 1
	):
		values = {"customer": customer, "docstatus": docstatus, "company": self.company, "currency": "EUR"}
		order = self._add("Sales Order", at, **values, grand_total=200)
		row = {"parent": order, "parenttype": "Sales Order", "parentfield": "items", "docstatus": docstatus}
		self._add("Sales Order Item", at, **row, **self.item, prevdoc_docname=quotation)
		if docstatus == 1:
			lead.reached["sale"] = at
			lead.is_over = True

	def _add(self, doctype: str, at: datetime, **values) -> str:
		rows = self.rows.setdefault(doctype, [])
		name = f"OLD-{frappe.scrub(doctype)}-{len(rows):05}"
		rows.append(
			{
				"name": name,
				"creation": at,
				"modified": at,
				"owner": "Administrator",
				"modified_by": "Administrator",
				**values,
			}
		)
		return rows[-1]["name"]


def _insert(doctype: str, rows: list[dict]):
	fields = sorted({fieldname for row in rows for fieldname in row})
	columns = ", ".join(f"`{fieldname}`" for fieldname in fields)
	marks = f"({', '.join(['%s'] * len(fields))})"
	meta = frappe.get_meta(doctype)
	defaults = {"disabled": 0, "docstatus": 0}

	def value(row: dict, fieldname: str):
		found = row.get(fieldname, defaults.get(fieldname))
		return str(found) if isinstance(found, datetime) else found

	assert all(meta.has_field(name) or name in frappe.db.get_table_columns(doctype) for name in fields)
	for start in range(0, len(rows), 200):
		chunk = rows[start : start + 200]
		frappe.db.sql(
			f"insert into `tab{doctype}` ({columns}) values {', '.join([marks] * len(chunk))}",
			[value(row, fieldname) for row in chunk for fieldname in fields],
		)
