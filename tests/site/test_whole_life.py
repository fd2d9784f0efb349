"""The whole life of some leads, as a machine that does to them whatever can be done, in any order (hypothesis).

A step is a request that was done, and committed: one that is refused is counted apart, and so is one that only reads.
A run begins with a walk by every route (`WALK`), and goes on with lives at random until it has done enough steps. After
each step, what `oracle` says of every site has to hold; whatever is refused has to be refused in a sentence.

A run prints its seed, and with `-s` how often each kind of step was done and refused. Longer, or another one:

    LEAD_QUALITY_LIFE_STEPS=5000 LEAD_QUALITY_LIFE_SEED=42 ./dev test site tests/site/test_whole_life.py

LEAD_QUALITY_LIFE_TABLE=1 prints the table also without `-s`, LEAD_QUALITY_LIFE_REFUSALS=1 in what words things were
refused; LEAD_QUALITY_LIFE_SHRINK=1 looks for the shortest life that shows what was found.
"""

import email
import email.policy
import inspect
import json
import os
import re
import sys
from collections import Counter
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import make_customer as map_customer_of_lead
from erpnext.crm.doctype.opportunity.opportunity import make_customer as map_customer_of_opportunity
from erpnext.crm.doctype.prospect.prospect import make_opportunity as map_opportunity_of_prospect
from frappe.client import insert as insert_by_api
from frappe.core.doctype.communication.email import make as send_mail
from frappe.core.doctype.data_import.importer import Importer
from frappe.desk.form.save import savedocs
from frappe.email import relink
from frappe.email.receive import InboundMail
from frappe.utils import add_days, now_datetime, today
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from lead_quality import api
from lead_quality.base.versions import lead_field
from lead_quality.demo import factories
from tests.site import oracle
from tests.site.conftest import METADATA
from tests.site.helpers import company
from tests.site.test_number_cards import CARDS, card_of, figure, rows_behind

STEPS = int(os.environ.get("LEAD_QUALITY_LIFE_STEPS") or 500)
# a run that stops a change should find the same again: others on demand
SEED = int(os.environ.get("LEAD_QUALITY_LIFE_SEED") or 2026)
LIVES_AT_ONCE, ATTEMPTS_A_LIFE = 8, 150
MOST_LEADS = 5
# in steps: how often what is dear to ask is asked; each time a life ends, all of it is
SUMMARY_EVERY, CARDS_EVERY = 5, 25
# in steps: how long what was written past every event may wait for the jobs
BEHIND_FOR = 4

# with microseconds, as every other instant: ERPNext compares `modified` as text
MONDAY = datetime(2026, 3, 2, 9, 0, 0, 1)
MANAGER, AGENCY, REP, FAR_REP, HEAD = USERS = [
	"manager@life.example",
	"agency@life.example",
	"rep@life.example",
	"far@life.example",
	"head@life.example",
]
ROLES = {
	MANAGER: ("Lead Quality Manager",),
	AGENCY: ("Lead Qualifier",),
	REP: ("Sales User",),
	FAR_REP: ("Sales User",),
	HEAD: ("Sales Manager", "Sales User", "Sales Master Manager"),
}
NEAR, FAR = "Life Near", "Life Far"
OLD_CUSTOMER = "Life Old Customer"
INBOX, ANSWERS = "Life Inbox", "Life Answers"  # Email Accounts: one makes leads of what arrives
SOURCES = ("Website", "Exhibition", "Cold Calling", None)
CHANNELS = ("Email", "Phone", "Voicemail", "LinkedIn", "SMS", "Visit", "Meeting")
OUTCOMES = (
	"No Answer",
	"Left Message",
	"Connected",
	"Replied",
	"Positive",
	"Negative",
	"Meeting Booked",
	"Bounced",
	"Wrong Data",
)
STATUSES = ("Lead", "Open", "Replied", "Interested", "Do Not Contact", "Lost Quotation")

# What is known to be wrong, by the words of the oracle, and what it is. Each run prints which of it was met; whoever
# mends one takes it out.
WAITING: dict[str, str] = {}

# an error of these kinds is no sentence that says what to do
UNCLEAR = (
	frappe.TimestampMismatchError,
	frappe.QueryDeadlockError,
	frappe.QueryTimeoutError,
	frappe.DuplicateEntryError,
	frappe.UniqueValidationError,
)

which = st.integers(0, 30)
# those who may do most come more often
user = st.sampled_from([*USERS, MANAGER, MANAGER, HEAD])


class WholeLife(RuleBasedStateMachine):
	"""Some leads of a handful of persons, on a site with five users. A step is a request: committed if it is done,
	rolled back if it is refused."""

	clock = None  # the site's time, standing still between steps
	smtp = None  # what takes the mails that leave
	enough = STEPS
	is_walk = False
	steps: Counter = Counter()
	refused: Counter = Counter()
	checks: Counter = Counter()
	refusals: Counter = Counter()
	waiting: Counter = Counter()

	def __init__(self):
		super().__init__()
		self.leads_made = 0
		self.most_leads = MOST_LEADS
		# steps since something was written past the hooks, which the next run of the jobs repairs; 0 if nothing was
		self.behind = 0
		self.steps_done = 0
		frappe.db.sql("savepoint whole_life")
		frappe.db.commit()
		self.clock.move_to(MONDAY)
		self.told = {
			name
			for doctype in ("Notification Log", "Email Queue")
			for name in frappe.get_all(doctype, pluck="name")
		}
		self.errors = set(frappe.get_all("Error Log", pluck="name"))

	def teardown(self):
		try:
			# not where something was found already
			if sys.exc_info()[0] is None and self.steps_done:
				self.ends_well()
		finally:
			frappe.set_user("Administrator")
			frappe.db.rollback()
			frappe.db.sql("rollback to savepoint whole_life")
			frappe.db.commit()
			forget_caches()

	# how a step is done

	def do(self, name: str, who: str, what, is_past_the_hooks: bool = False, is_reading: bool = False):
		"""One request of a user, some minutes after the one before. Returns what came of it, or None."""
		if self.steps.total() >= self.enough:
			return None
		if self.behind > BEHIND_FOR:
			self.jobs_run()
		self.clock.tick(timedelta(minutes=3))
		frappe.set_user(who)
		if hasattr(frappe.local, "request_cache"):  # v15 makes it at its first use
			frappe.local.request_cache.clear()
		try:
			result = what()
			frappe.db.commit()
			if not is_reading:
				self.counts(name)
				self.behind += bool(self.behind or is_past_the_hooks)
		except (frappe.ValidationError, frappe.PermissionError, frappe.DoesNotExistError) as error:
			# Frappe's own PermissionError has no words
			if isinstance(error, UNCLEAR) or not (
				str(error).strip() or isinstance(error, frappe.PermissionError)
			):
				raise
			frappe.set_user("Administrator")
			frappe.db.rollback()
			self.refused[name] += 1
			why = frappe.utils.strip_html(str(error))[:100] or type(error).__name__
			if not self.is_walk:
				note(f"# refused: {why}")
			self.refusals[f"{name}: {why}"] += 1
			result = None
		finally:
			frappe.set_user("Administrator")
			frappe.clear_messages()
		self.check()
		return result

	def counts(self, name: str):
		self.steps[name] += 1
		self.steps_done += 1

	def lead(self, which: int) -> str | None:
		return pick("Lead", which)

	# what has to hold

	def check(self):
		"""What has to hold after each step."""
		self.nobody_was_told_of_what_he_may_not_see()
		self.no_error_was_logged()
		if self.behind:
			return
		self.hold("books", oracle.wrong_books())
		if self.steps_done % SUMMARY_EVERY == 0:
			self.hold("summary", oracle.wrong_summaries())
		if self.steps_done % CARDS_EVERY == 0:
			self.cards_count_their_lists(USERS[self.steps_done // CARDS_EVERY % len(USERS)])

	def hold(self, kind: str, wrongs: list[str]):
		self.checks[kind] += 1
		unknown = [wrong for wrong in wrongs if not self.is_known(wrong)]
		assert not unknown, "\n".join(unknown)

	def is_known(self, wrong: str) -> bool:
		why = next((why for pattern, why in WAITING.items() if re.search(pattern, wrong)), None)
		if why:
			self.waiting[why] += 1
		return bool(why)

	def cards_count_their_lists(self, who: str):
		"""The counts of every card equal their lists, whoever looks."""
		frappe.set_user(who)
		try:
			for name in CARDS:
				shown, listed = figure(card_of(name)), rows_behind(card_of(name))
				assert shown == listed, f"{name} shows {who} {shown}, and its list {listed}"
		finally:
			frappe.set_user("Administrator")
		self.checks["cards"] += 1

	def nobody_was_told_of_what_he_may_not_see(self):
		"""Neither by a link nor in words, in the desk or by mail."""
		for row in frappe.get_all(
			"Notification Log",
			{"name": ["not in", self.told or [""]]},
			["name", "for_user", "document_type", "document_name", "subject", "email_content"],
			order_by="creation asc",
		):
			if row.document_type in WATCHED and frappe.db.exists(row.document_type, row.document_name):
				may_see = frappe.has_permission(
					row.document_type, "read", doc=row.document_name, user=row.for_user
				)
				assert may_see, f"{row.for_user} was told of {row.document_name}: {row.subject}"
			self.is_told(row.name, row.for_user, f"{row.subject} {row.email_content or ''}")
		for name, recipient, message in frappe.db.sql(
			"""
			select q.name, r.recipient, q.message from `tabEmail Queue` q
			join `tabEmail Queue Recipient` r on r.parent = q.name
			where r.recipient in %s and q.name not in %s
			""",
			(USERS, [*self.told, ""]),
		):
			self.is_told(name, recipient, text_of(message))

	def is_told(self, message: str, who: str, words: str):
		self.told.add(message)
		self.checks["messages"] += 1
		named: dict[str, list[str]] = {}  # who came in by mail may have the title of another
		for lead in frappe.get_all("Lead", fields=["title", "name"]):
			if re.search(rf"\b{re.escape(lead.title)}\b", words):
				named.setdefault(lead.title, []).append(lead.name)
		for title, leads in named.items():
			may_see = any(frappe.has_permission("Lead", "read", doc=lead, user=who) for lead in leads)
			assert may_see, f"{who} was told of {title}: {words}"

	def no_error_was_logged(self):
		names = frappe.get_all("Error Log", {"name": ["not in", self.errors or [""]]}, pluck="name")
		assert not names, frappe.db.get_value("Error Log", names[0], "error")

	def ends_well(self):
		"""All that has to hold, each time a life ends."""
		self.jobs_run()
		self.hold("books", oracle.wrong_books())
		self.hold("summary", oracle.wrong_summaries())
		for who in USERS:
			self.cards_count_their_lists(who)
		self.checks["lives"] += 1

	def jobs_run(self, are_twice: bool = False):
		for job in jobs():
			counts = frappe.call(job) or {}
			assert not counts.get("failed"), f"{job}: {counts} {last_run_errors()}"
			if are_twice:
				before = fingerprint()
				frappe.call(job)
				after = fingerprint()
				changed = [name for name in before if before[name] != after[name]]
				assert not changed, f"a second run of {job} has changed {changed}"
		self.behind = 0
		self.nobody_was_told_of_what_he_may_not_see()
		self.no_error_was_logged()

	# the site

	@initialize(
		gate=st.sampled_from(["Enforce", "Warn", "Off"]),
		hide=st.booleans(),
		separate=st.booleans(),
		has_agreement=st.booleans(),
	)
	def a_site(self, gate, hide, separate, has_agreement):
		settings = frappe.get_doc("Lead Quality Settings")
		settings.update(
			{
				"opportunity_gate": gate,
				"quotation_gate": gate if gate != "Enforce" else "Warn",
				"hide_unqualified_leads": hide,
				"separate_qualifier_and_receiver": separate,
			}
		)
		settings.save()
		if has_agreement:
			factories.make_agreement(MANAGER, HEAD, accept_within=8, first_touch_within=8, pull_back_after=16)
		frappe.db.commit()
		for number in range(2):
			self.enters(number, "Website", (REP, AGENCY)[number], False)

	# leads come in

	@rule(
		person=st.integers(0, 3),
		source=st.sampled_from(SOURCES),
		owner=st.sampled_from([*USERS, None]),
		far=st.booleans(),
	)
	def enters(self, person, source, owner, far):
		"""As other software makes it."""
		if self.has_room():
			values = self._values(person, source, owner, far)
			self.do("enter", "Administrator", lambda: factories.make_lead(**{**values, "source": source}))

	@rule(
		person=st.integers(0, 3),
		who=user,
		source=st.sampled_from(SOURCES),
		way=st.sampled_from(["form", "API"]),
	)
	def is_entered_by_a_user(self, person, who, source, way):
		if self.has_room():
			values = {
				"doctype": "Lead",
				"status": "Lead",
				**self._values(person, source, who, False),
			}
			if way == "API":
				self.do("enter by API", who, lambda: insert_by_api(values))
			else:
				new = {**values, "name": "new-lead-1", "__islocal": 1}
				self.do("enter by form", who, lambda: savedocs(json.dumps(new), "Save"))

	@rule(person=st.integers(0, 3))
	def is_imported(self, person):
		if self.has_room():
			values = self._values(person, None, None, False)
			meta = frappe.get_meta("Lead")
			fields = ("first_name", "company_name", "email_id", "mobile_no", "territory")
			lines = (
				",".join(meta.get_label(field) for field in fields),
				",".join(values[field] for field in fields),
			)
			self.do("enter by import", "Administrator", lambda: import_leads("\n".join(lines)))

	@rule(person=st.integers(0, 3))
	def writes_for_the_first_time(self, person):
		"""A mail to an account that makes leads."""
		if self.has_room():
			self.leads_made += 1
			subject = f"Life {self.leads_made}"

			def arrive():
				stored = receive(INBOX, person, subject)
				assert stored.reference_doctype == "Lead", stored.reference_doctype

			self.do("enter by e-mail", "Administrator", arrive)

	@rule(person=st.integers(0, 3))
	def comes_in_past_the_hooks(self, person):
		"""As a bulk insert does it."""
		if not self.has_room():
			return
		self.leads_made += 1
		name = f"LIFE-BULK-{self.leads_made}"
		values = (
			name,
			f"Bulk {self.leads_made}",
			f"person{person}@life.example",
			"Lead",
			NEAR,
			now_datetime(),
		)
		columns = ["name", "title", "email_id", "status", "territory", "creation"]
		self.do(
			"enter past the hooks",
			"Administrator",
			lambda: frappe.db.bulk_insert("Lead", columns, [values]),
			is_past_the_hooks=True,
		)

	def has_room(self) -> bool:
		return frappe.db.count("Lead") < self.most_leads

	def _values(self, person, source, owner, far) -> dict:
		self.leads_made += 1
		return {
			"first_name": f"Anna {self.leads_made}",
			"company_name": f"Life {self.leads_made}",
			"email_id": f"person{person}@life.example",
			"mobile_no": f"+4144555010{person}",
			lead_field("source"): source and factories.make_source(source),
			"lead_owner": owner,
			"territory": FAR if far else NEAR,
		}

	# people work

	@rule(
		which=which,
		who=user,
		channel=st.sampled_from(CHANNELS),
		outcome=st.sampled_from(OUTCOMES),
		inbound=st.booleans(),
		hours_ago=st.sampled_from([0, 0, 0, 5, 50]),
	)
	def logs_a_touch(self, which, who, channel, outcome, inbound, hours_ago):
		lead = self.lead(which)
		if lead:
			self.do(
				"log",
				who,
				lambda: api.log_touch(
					lead,
					channel,
					outcome,
					"Inbound" if inbound else "Outbound",
					done_at=now_datetime() - timedelta(hours=hours_ago),
				),
			)

	@rule(
		which=which,
		who=user,
		status=st.sampled_from(["Done", "Skipped", "Missed", "Cancelled"]),
		outcome=st.sampled_from(OUTCOMES),
	)
	def closes_the_planned_touch(self, which, who, status, outcome):
		"""As the form of a touch does it."""
		name = pick("Lead Touch", which, {"status": "Planned"})
		if name:

			def save():
				touch = frappe.get_doc("Lead Touch", name)
				touch.update({"status": status, "outcome": outcome})
				touch.save()

			self.do("close touch", who, save)

	@rule(which=which, who=user, days=st.integers(-3, 20))
	def puts_the_planned_touch_off(self, which, who, days):
		name = pick("Lead Touch", which, {"status": "Planned"})
		if name:

			def save():
				touch = frappe.get_doc("Lead Touch", name)
				touch.due_at = now_datetime() + timedelta(days=days)
				touch.save()

			self.do("put off", who, save)

	@rule(which=which, who=user)
	def corrects_a_touch(self, which, who):
		name = pick("Lead Touch", which, {"status": "Done"})
		if name:

			def save():
				touch = frappe.get_doc("Lead Touch", name)
				touch.outcome = "No Answer"
				touch.save()

			self.do("correct touch", who, save)

	@rule(which=which, who=user)
	def deletes_a_touch(self, which, who):
		name = pick("Lead Touch", which)
		if name:
			self.do("delete touch", who, lambda: frappe.delete_doc("Lead Touch", name))

	@rule(which=which, who=user)
	def is_enrolled(self, which, who):
		lead = self.lead(which)
		if lead:
			self.do("enroll", who, lambda: api.enroll(lead))

	@rule(which=which, who=user, days=st.integers(1, 30), with_reason=st.booleans())
	def is_snoozed(self, which, who, days, with_reason):
		lead = self.lead(which)
		if lead:
			reason = reason_for("Snooze") if with_reason else None
			until = now_datetime() + timedelta(days=days)
			self.do("snooze", who, lambda: api.snooze(lead, until, reason))

	@rule(which=which, who=user)
	def is_stopped(self, which, who):
		lead = self.lead(which)
		if lead:
			self.do("stop", who, lambda: api.stop(lead, reason_for("Stop Early")))

	@rule(
		which=which,
		who=user,
		channel=st.sampled_from(["All", "Email", "Phone"]),
		reason=st.sampled_from(["Manual", "Bounced", "Complaint", "Unsubscribed"]),
	)
	def wants_no_contact(self, which, who, channel, reason):
		lead = self.lead(which)
		if lead:
			self.do("opt out", who, lambda: api.opt_out(lead, channel, reason))

	@rule(person=st.integers(0, 3))
	def unsubscribes_by_the_link_in_a_mail(self, person):
		address = f"person{person}@life.example"
		if not frappe.db.exists("Email Unsubscribe", {"email": address}):
			self.do(
				"unsubscribe",
				"Guest",
				lambda: frappe.get_doc(
					{"doctype": "Email Unsubscribe", "email": address, "global_unsubscribe": 1}
				).insert(ignore_permissions=True),
			)

	@rule(which=which)
	def withdraws_the_opt_out(self, which):
		name = pick("Contact Opt Out", which)
		if name:
			self.do("delete opt out", "Administrator", lambda: frappe.delete_doc("Contact Opt Out", name))

	@rule(
		which=which, who=user, criteria=st.sets(st.sampled_from(["budget", "authority", "need", "timescale"]))
	)
	def is_asked(self, which, who, criteria):
		lead = self.lead(which)
		if lead:
			rows = [row for row in factories.answers() if row["criterion"] in criteria]
			self.do("answer", who, lambda: api.qualify(lead, rows))

	@rule(which=which, who=user)
	def is_made_sales_ready(self, which, who):
		lead = self.lead(which)
		if lead:
			self.do("make sales ready", who, lambda: factories.make_sales_ready(lead))

	@rule(
		which=which,
		who=user,
		horizon=st.sampled_from([None, "Unknown", "Long Term", "Near Term"]),
		decision=st.sampled_from(["Nurture", "Disqualified", ""]),
		days=st.integers(1, 40),
	)
	def is_judged(self, which, who, horizon, decision, days):
		lead = self.lead(which)
		if lead:
			reason = reason_for("Disqualify") if decision else None
			until = add_days(today(), days) if decision == "Nurture" and days % 2 else None
			self.do("decide", who, lambda: api.qualify(lead, None, horizon, decision, reason, until))

	@rule(which=which, who=user, to=user)
	def is_handed_over(self, which, who, to):
		lead = self.lead(which)
		if lead:
			self.do("hand over", who, lambda: api.send_handover(lead, to))

	@rule(which=which, who=user, answer=st.sampled_from(["accept", "reject", "return"]))
	def is_answered(self, which, who, answer):
		status = "Accepted" if answer == "return" else "Sent"
		name = pick("Lead Handover", which, {"status": status})
		if name:
			answers = {
				"accept": lambda: api.accept_handover(name),
				"reject": lambda: api.reject_handover(name, reason_for("Reject")),
				"return": lambda: api.return_handover(name, reason_for("Return")),
			}
			self.do(f"{answer} handover", who, answers[answer])

	@rule(which=which, who=user)
	def is_let_through(self, which, who):
		lead = self.lead(which)
		if lead:
			self.do("override gate", who, lambda: api.override_gate(lead, reason_for("Override")))

	# mail, calls, calendar

	@rule(which=which, received=st.booleans(), medium=st.sampled_from(["Email", "Phone", "SMS"]))
	def a_message(self, which, received, medium):
		lead = self.lead(which)
		if lead:
			address = frappe.db.get_value("Lead", lead, "email_id")
			self.do(
				f"{medium} {'in' if received else 'out'}",
				"Administrator" if received else REP,
				lambda: frappe.get_doc(
					{
						"doctype": "Communication",
						"communication_medium": medium,
						"sent_or_received": "Received" if received else "Sent",
						"subject": "Pumps",
						"content": "We want twelve pumps.",
						"communication_date": now_datetime(),
						"reference_doctype": "Lead",
						"reference_name": lead,
						"sender": address if received else REP,
						"recipients": None if received else address,
					}
				).insert(ignore_permissions=True),
			)

	@rule(
		person=st.integers(0, 3),
		kind=st.sampled_from(["answers", "is away", "has left", "bounces"]),
		days=st.integers(1, 20),
	)
	def a_mail_arrives(self, person, kind, days):
		"""At an account that makes no leads: the app itself looks whose it is."""
		subject, text, headers = "Re: Pumps", "Yes, please.", {}
		if kind == "is away":
			back_on = add_days(today(), days)
			subject, text = "Out of office", f"I am out of the office until {back_on}."
			headers = {"Auto_Submitted": "auto-replied"}
		elif kind == "has left":
			subject, text = "Automatic reply", "I no longer work for this company."
			headers = {"Auto_Submitted": "auto-replied"}
		elif kind == "bounces":
			subject, text = "Undeliverable: Pumps", "550 5.1.1 no such mailbox"
			headers = {
				"Auto_Submitted": "auto-replied",
				"X_Failed_Recipients": f"person{person}@life.example",
			}
		self.do(
			f"mail in: {kind}", "Administrator", lambda: receive(ANSWERS, person, subject, text, **headers)
		)

	@rule(which=which, who=st.sampled_from([MANAGER, REP, HEAD]), is_late=st.booleans())
	def a_mail_is_sent(self, which, who, is_late):
		"""By the dialog of the form, at once or at a time to come."""
		lead = self.lead(which)
		if lead:
			self.do(
				"mail out",
				who,
				lambda: send_mail(
					doctype="Lead",
					name=lead,
					content="Here is our offer.",
					subject="Pumps",
					recipients=frappe.db.get_value("Lead", lead, "email_id"),
					send_email=1,
					send_after=now_datetime() + timedelta(hours=4) if is_late else None,
				),
			)

	@rule()
	def the_queue_of_mails_is_sent(self):
		if self.smtp and frappe.db.exists("Email Queue", {"status": "Not Sent"}):
			self.do("mail leaves", "Administrator", self.smtp.flush)

	@rule(which=which, to=which)
	def a_message_is_linked_to_another_lead(self, which, to):
		name, lead = pick("Communication", which, {"reference_doctype": "Lead"}), self.lead(to)
		if name and lead:
			self.do("relink", "Administrator", lambda: relink(name, "Lead", lead), is_past_the_hooks=True)

	@rule(which=which)
	def a_message_is_deleted(self, which):
		name = pick("Communication", which, {"reference_doctype": "Lead"})
		if name:
			self.do("delete message", "Administrator", lambda: frappe.delete_doc("Communication", name))

	@rule(which=which, held=st.booleans())
	def an_event(self, which, held):
		lead = self.lead(which)
		if lead:
			self.do(
				"event",
				REP,
				lambda: frappe.get_doc(
					{
						"doctype": "Event",
						"subject": "Visit",
						"event_category": "Meeting",
						"event_type": "Public",
						"starts_on": now_datetime() + timedelta(hours=-2 if held else 20),
						"status": "Completed" if held else "Open",
						"event_participants": [{"reference_doctype": "Lead", "reference_docname": lead}],
					}
				).insert(ignore_permissions=True),
			)

	# the sale

	@rule(which=which, who=st.sampled_from([REP, FAR_REP, HEAD]))
	def an_opportunity_is_made(self, which, who):
		lead = self.lead(which)
		if lead:
			self.do("opportunity from lead", who, lambda: factories.make_opportunity(lead))

	@rule(which=which)
	def a_prospect_is_made(self, which):
		lead = self.lead(which)
		if lead and not frappe.db.exists("Prospect Lead", {"lead": lead}):
			self.leads_made += 1
			name = f"Prospect {self.leads_made}"  # that of a lead which is gone may still be there
			self.do(
				"prospect",
				HEAD,
				lambda: frappe.get_doc(
					{
						"doctype": "Prospect",
						"company_name": name,
						"company": company(),
						"leads": [{"lead": lead}],
					}
				).insert(),
			)

	@rule(which=which)
	def an_opportunity_of_a_prospect_is_made(self, which):
		prospect = pick("Prospect", which)
		if prospect:

			def insert():
				opportunity = map_opportunity_of_prospect(prospect)
				opportunity.append("items", {"item_code": factories.make_item(), "qty": 1, "rate": 1_000})
				opportunity.opportunity_amount = 1_000
				opportunity.insert()

			self.do("opportunity from prospect", HEAD, insert)

	@rule(which=which, of_opportunity=st.booleans())
	def a_customer_is_made(self, which, of_opportunity):
		name = (
			pick("Opportunity", which, {"opportunity_from": "Lead"}) if of_opportunity else self.lead(which)
		)
		if name:
			make = map_customer_of_opportunity if of_opportunity else map_customer_of_lead

			def insert():
				customer = make(name)
				customer.update({"customer_group": any_of("Customer Group"), "territory": NEAR})
				customer.insert()

			self.do(f"customer by button of {'opportunity' if of_opportunity else 'lead'}", HEAD, insert)

	@rule(which=which)
	def a_customer_is_entered(self, which):
		"""Typed into the form, or sent by other software, with the lead it comes from."""
		lead = self.lead(which)
		if lead:
			self.do(
				"customer by plain insert",
				HEAD,
				lambda: frappe.get_doc(
					{
						"doctype": "Customer",
						"customer_name": f"Customer of {lead}",
						"customer_type": "Company",
						"customer_group": any_of("Customer Group"),
						"territory": NEAR,
						"lead_name": lead,
					}
				).insert(),
			)

	@rule(which=which, of_opportunity=st.booleans())
	def a_quotation_is_made(self, which, of_opportunity):
		name = pick("Opportunity", which) if of_opportunity else self.lead(which)
		if name:
			values = {"opportunity": name} if of_opportunity else {"lead": name}
			self.do(
				f"quotation {'with' if of_opportunity else 'without'} opportunity",
				HEAD,
				lambda: factories.make_quotation(**values),
			)

	@rule(which=which)
	def a_quotation_to_a_prospect_is_made(self, which):
		prospect = pick("Prospect", which)
		if prospect:
			self.do(
				"quotation to prospect",
				HEAD,
				lambda: make_quotation_to("Prospect", prospect),
			)

	@rule(which=which)
	def an_order_is_made(self, which):
		name = pick("Quotation", which, {"docstatus": 1})
		if name:
			self.do("order with quotation", HEAD, lambda: factories.make_sales_order(name))

	@rule(which=which)
	def an_order_of_a_customer_is_made(self, which):
		customer = pick("Customer", which, {"name": ["!=", OLD_CUSTOMER]})
		if customer:
			self.do("order without quotation", HEAD, lambda: make_order(customer))

	@rule(with_quotation=st.booleans())
	def an_old_customer_orders(self, with_quotation):
		"""Who was a customer before, and came from no lead: no lead has to do with that."""
		stages = frappe.get_all("Lead", fields=["name", "lq_stage"], order_by="name asc", as_list=True)

		def order():
			if not with_quotation:
				return make_order(OLD_CUSTOMER)
			return factories.make_sales_order(make_quotation_to("Customer", OLD_CUSTOMER).name)

		self.do("order of existing customer", HEAD, order)
		assert stages == frappe.get_all(
			"Lead", fields=["name", "lq_stage"], order_by="name asc", as_list=True
		)

	@rule(which=which, route=st.integers(0, 5), as_far_as=st.integers(1, 4))
	def goes_a_way_to_the_sale(self, which, route, as_far_as):
		"""One after the other; with chance alone, few leads would come as far as that."""
		lead = self.lead(which)
		if not lead:
			return
		to_quotation = (lambda: self.a_quotation_is_made(0, True), lambda: self.an_order_is_made(0))
		ways = (
			(lambda: self.an_opportunity_is_made(which, REP), *to_quotation),
			(
				lambda: self.a_prospect_is_made(which),
				lambda: self.an_opportunity_of_a_prospect_is_made(0),
				*to_quotation,
			),
			(lambda: self.a_quotation_is_made(which, False), lambda: self.an_order_is_made(0)),
			(
				lambda: self.a_customer_is_made(which, False),
				lambda: self.an_order_of_a_customer_is_made(0),
			),
			(lambda: self.a_customer_is_entered(which), lambda: self.an_order_of_a_customer_is_made(0)),
			(
				lambda: self.a_prospect_is_made(which),
				lambda: self.a_quotation_to_a_prospect_is_made(0),
				lambda: self.an_order_is_made(0),
			),
		)
		for step in ways[route][:as_far_as]:
			step()

	@rule(
		which=which,
		who=st.sampled_from([MANAGER, AGENCY]),
		to=st.sampled_from([REP, FAR_REP, HEAD]),
		answer=st.sampled_from(["accept", "reject", "return", ""]),
	)
	def is_passed_on(self, which, who, to, answer):
		"""Made ready, handed over, and answered."""
		self.is_made_sales_ready(which, who)
		self.is_handed_over(which, who, to)
		for one in {"return": ("accept", "return"), "": ()}.get(answer, (answer,)):
			self.is_answered(0, to, one)

	@rule(which=which, doctype=st.sampled_from(["Opportunity", "Quotation"]))
	def is_lost(self, which, doctype):
		name = pick(doctype, which, {"docstatus": 1} if doctype == "Quotation" else {"status": "Open"})
		if name:
			self.do(
				f"lose {doctype}",
				HEAD,
				lambda: frappe.get_doc(doctype, name).declare_enquiry_lost([{"lost_reason": "Life"}], []),
			)

	@rule(which=which, doctype=st.sampled_from(["Quotation", "Sales Order"]), is_amended=st.booleans())
	def is_cancelled(self, which, doctype, is_amended):
		name = pick(doctype, which, {"docstatus": 1})
		if name:
			self.do(f"cancel {doctype}", HEAD, lambda: frappe.get_doc(doctype, name).cancel())
			if is_amended and frappe.db.get_value(doctype, name, "docstatus") == 2:

				def amend():
					amended = frappe.copy_doc(frappe.get_doc(doctype, name))
					amended.update({"amended_from": name, "docstatus": 0})
					amended.insert()
					amended.submit()

				self.do(f"amend {doctype}", HEAD, amend)

	@rule(
		which=which,
		doctype=st.sampled_from(["Opportunity", "Quotation", "Sales Order", "Customer", "Prospect"]),
	)
	def a_document_is_deleted(self, which, doctype):
		name = pick(doctype, which, {"name": ["!=", OLD_CUSTOMER]})
		if name:
			self.do(f"delete {doctype}", "Administrator", lambda: frappe.delete_doc(doctype, name))

	@rule(which=which, to=which)
	def an_opportunity_is_given_to_another_lead(self, which, to):
		name, lead = pick("Opportunity", which), self.lead(to)
		if name and lead:

			def save():
				opportunity = frappe.get_doc("Opportunity", name)
				opportunity.update({"opportunity_from": "Lead", "party_name": lead})
				opportunity.save()

			self.do("move opportunity", HEAD, save)

	# the lead itself

	@rule(which=which)
	def is_renamed(self, which):
		lead = self.lead(which)
		if lead:
			self.leads_made += 1
			new = f"LIFE-RENAMED-{self.leads_made}"
			self.do("rename", "Administrator", lambda: frappe.rename_doc("Lead", lead, new, force=True))

	@rule(which=which, into=which)
	def becomes_one_with_another(self, which, into):
		lead, other = self.lead(which), self.lead(into)
		if lead and lead != other:
			self.do(
				"merge",
				"Administrator",
				lambda: frappe.rename_doc("Lead", lead, other, merge=True, force=True),
			)

	@rule(which=which)
	def is_deleted(self, which):
		lead = self.lead(which)
		if lead:
			self.do("delete", "Administrator", lambda: frappe.delete_doc("Lead", lead))

	@rule(which=which, who=st.sampled_from([MANAGER, REP, HEAD]), status=st.sampled_from(STATUSES))
	def has_its_status_set_by_hand(self, which, who, status):
		self._save_lead("set status", which, who, {"status": status})

	@rule(which=which, owner=st.sampled_from([*USERS, None]))
	def gets_another_owner(self, which, owner):
		self._save_lead("set owner", which, MANAGER, {"lead_owner": owner})

	@rule(which=which, source=st.sampled_from(SOURCES))
	def gets_another_source(self, which, source):
		values = {factories.lead_field("source"): source and factories.make_source(source)}
		self._save_lead("set source", which, MANAGER, values)

	@rule(which=which, person=st.integers(0, 3))
	def turns_out_to_be_somebody_else(self, which, person):
		values = {"email_id": f"person{person}@life.example", "mobile_no": f"+4144555010{person}"}
		self._save_lead("change person", which, MANAGER, values)

	@rule(which=which, disabled=st.booleans())
	def is_disabled(self, which, disabled):
		self._save_lead("disable" if disabled else "enable", which, MANAGER, {"disabled": int(disabled)})

	def _save_lead(self, name, which, who, values):
		lead = self.lead(which)
		if lead:

			def save():
				doc = frappe.get_doc("Lead", lead)
				doc.update(values)
				doc.save()

			self.do(name, who, save)

	@rule(who=st.sampled_from([REP, FAR_REP, AGENCY]))
	def a_user_leaves_or_comes_back(self, who):
		def save():
			doc = frappe.get_doc("User", who)
			doc.enabled = 1 - doc.enabled
			doc.save(ignore_permissions=True)

		self.do("user leaves or comes back", "Administrator", save)

	# time

	@rule(hours=st.integers(1, 40))
	def time_passes(self, hours):
		self.clock.tick(timedelta(hours=hours))

	# hypothesis begins with a life of nothing but the rule with the fewest arguments: that is not this dear one
	@rule(days=st.integers(0, 12), minutes=st.integers(1, 59))
	def a_day_passes_and_the_jobs_run_twice(self, days, minutes):
		if self.steps.total() < self.enough:
			self.clock.tick(timedelta(days=days, minutes=minutes))
			self.jobs_run(are_twice=True)
			self.counts("day passes, jobs run twice")
			self.check()

	@rule(days=st.integers(0, 3))
	def erpnext_runs_its_daily_jobs(self, days):
		"""They open leads again and close opportunities, past the hooks."""
		self.clock.tick(timedelta(days=days))
		self.do("jobs of ERPNext", "Administrator", run_jobs_of_erpnext, is_past_the_hooks=True)


WATCHED = ("Lead", "Lead Handover", "Lead Touch", "Follow Up Clock", "Follow Up Alert", "Lead Qualification")


def pick(doctype: str, which: int, filters: dict | None = None) -> str | None:
	"""One of the documents that there are, the newest first."""
	names = frappe.get_all(doctype, filters, pluck="name", order_by="creation desc, name asc", limit=31)
	return names[which % len(names)] if names else None


def any_of(doctype: str) -> str:
	return frappe.get_all(doctype, {"is_group": 0}, pluck="name", order_by="lft asc", limit=1)[0]


def make_order(customer: str):
	"""A Sales Order without a quotation, submitted."""
	row = {
		"item_code": factories.make_item(),
		"qty": 1,
		"rate": 100,
		"delivery_date": add_days(today(), 10),
	}
	order = frappe.get_doc(
		{
			"doctype": "Sales Order",
			"customer": customer,
			"company": company(),
			"delivery_date": row["delivery_date"],
			"items": [row],
		}
	)
	return order.insert().submit()


def make_quotation_to(doctype: str, party: str):
	"""A Quotation to somebody who is no lead, submitted."""
	quotation = frappe.get_doc(
		{
			"doctype": "Quotation",
			"quotation_to": doctype,
			"party_name": party,
			"company": company(),
			"items": [{"item_code": factories.make_item(), "qty": 1, "rate": 100}],
		}
	)
	return quotation.insert().submit()


def import_leads(csv: str):
	"""As Data Import does it with a file of somebody's.

	:raises frappe.ValidationError: with what Data Import says, if it has refused a row.
	"""
	file = frappe.get_doc({"doctype": "File", "file_name": "life.csv", "content": csv}).insert()
	data_import = frappe.get_doc(
		{
			"doctype": "Data Import",
			"reference_doctype": "Lead",
			"import_type": "Insert New Records",
			"import_file": file.file_url,
		}
	).insert()
	# the log of a run that was rolled back stays, and would count for this one, of the same name as of the same moment
	frappe.db.delete("Data Import Log", {"data_import": data_import.name})
	before = frappe.db.count("Lead")
	Importer("Lead", data_import=data_import).import_data()
	failed = frappe.get_all(
		"Data Import Log", {"data_import": data_import.name, "success": 0}, ["messages", "exception"]
	)
	if failed:
		frappe.throw(str(failed))
	assert frappe.db.count("Lead") == before + 1


def receive(account: str, person: int, subject: str, text: str = "We want twelve pumps.", **headers):
	"""A mail of a person arrives at an account. Returns the Communication."""
	message = EmailMessage()
	message["From"] = f"Anna Keller <person{person}@life.example>"
	message["To"] = frappe.db.get_value("Email Account", account, "email_id")
	message["Subject"] = subject
	message["Date"] = format_datetime(now_datetime().astimezone())
	message["Message-ID"] = f"<{frappe.generate_hash()}@mx.life.example>"
	for name, value in headers.items():
		message[name.replace("_", "-")] = value
	message.set_content(text)
	return InboundMail(message.as_bytes(), frappe.get_doc("Email Account", account), 1, 0).process()


def text_of(mail: str) -> str:
	"""What a mail in the queue says, its subject included."""
	message = email.message_from_string(mail, policy=email.policy.default)
	parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
	return " ".join([str(message["Subject"]), *parts])


def reason_for(purpose: str) -> str:
	return frappe.get_all(
		"Lead Outcome Reason",
		{"applies_to": purpose, "enabled": 1},
		pluck="name",
		order_by="name asc",
		limit=1,
	)[0]


def jobs() -> list[str]:
	"""All that the scheduler runs for the app, in the order of hooks.py."""
	events = frappe.get_hooks("scheduler_events", app_name="lead_quality")
	found: list[str] = []
	for value in events.values():
		for methods in value.values() if isinstance(value, dict) else [value]:
			found += methods
	return list(dict.fromkeys(found))


def run_jobs_of_erpnext():
	from erpnext.crm.doctype.opportunity.opportunity import auto_close_opportunity
	from erpnext.crm.utils import open_leads_opportunities_based_on_todays_event
	from erpnext.selling.doctype.quotation.quotation import set_expired_status

	open_leads_opportunities_based_on_todays_event()
	auto_close_opportunity()
	set_expired_status()


def last_run_errors() -> str:
	rows = frappe.get_all(
		"Follow Up Run", {"failed": [">", 0]}, pluck="errors", order_by="creation desc", limit=1
	)
	return rows[0] if rows else ""


def fingerprint() -> dict:
	"""What the app knows and has told, but for its own log of runs."""
	own = frappe.get_all(
		"DocType", {"module": "Lead Quality", "issingle": 0}, pluck="name", order_by="name asc"
	)
	tables = sorted({*own, "Lead", "Notification Log", "ToDo", "Comment"} - {"Follow Up Run"})
	names = ", ".join(f"`tab{doctype}`" for doctype in tables)
	return dict(frappe.db.sql(f"checksum table {names}"))


def forget_caches():
	"""What Redis and this process have kept of a life that has not been. Metadata, which no step changes, is dear to
	build again, and stays."""
	client_cache = getattr(frappe, "client_cache", None)  # v16 only
	for key in frappe.cache.get_keys(""):
		if not METADATA.search(key):
			frappe.cache.delete_value(key, make_keys=False)
			if client_cache:
				client_cache.cache.pop(key, None)
	frappe.local.cache = {}
	if hasattr(frappe.local, "request_cache"):
		frappe.local.request_cache.clear()


@pytest.fixture
def stage(make_user, freeze, smtp, monkeypatch):
	"""The users, and what selling needs."""
	clear_cache = frappe.clear_cache

	def clear(*args, **kwargs):
		# a rename clears all
		return clear_cache(*args, **kwargs) if args or kwargs else forget_caches()

	monkeypatch.setattr(frappe, "clear_cache", clear)
	with freeze(MONDAY) as clock:
		for name in USERS:
			make_user(name, *ROLES[name])
		root = frappe.get_all("Territory", {"is_group": 1}, pluck="name", order_by="lft asc", limit=1)[0]
		for name in (NEAR, FAR):
			frappe.get_doc(
				{"doctype": "Territory", "territory_name": name, "parent_territory": root}
			).insert()
		frappe.get_doc(
			{"doctype": "User Permission", "user": FAR_REP, "allow": "Territory", "for_value": FAR}
		).insert()
		for doctype in ("Opportunity Lost Reason", "Quotation Lost Reason"):
			field = "lost_reason" if doctype.startswith("Opp") else "order_lost_reason"
			frappe.get_doc({"doctype": doctype, field: "Life"}).insert()
		frappe.db.set_single_value("CRM Settings", "allow_lead_duplication_based_on_emails", 1)
		for source in filter(None, SOURCES):
			factories.make_source(source)
		factories.make_item()
		frappe.get_doc(
			{
				"doctype": "Customer",
				"customer_name": OLD_CUSTOMER,
				"customer_group": any_of("Customer Group"),
				"territory": NEAR,
			}
		).insert()
		for account, address, makes in (
			(INBOX, "hello@life.example", "Lead"),
			(ANSWERS, "us@life.example", None),
		):
			frappe.get_doc(
				{
					"doctype": "Email Account",
					"email_account_name": account,
					"email_id": address,
					"append_to": makes,
					"enable_incoming": 0,
				}
			).insert()
		frappe.db.commit()
		yield clock


# The walk: what each run does at least once, whatever its seed. A rule of the machine, and what it is called with, where
# `which` 0 is the newest document. What is done with "a lead" goes on with the one that came in last.
WALK: tuple[tuple[str, dict], ...] = (
	# comes in by every door, works, and is answered
	("enters", {"person": 0, "source": "Website", "owner": REP, "far": False}),
	("is_entered_by_a_user", {"person": 1, "who": REP, "source": "Exhibition", "way": "form"}),
	("is_entered_by_a_user", {"person": 1, "who": MANAGER, "source": None, "way": "API"}),
	("is_imported", {"person": 2}),
	("writes_for_the_first_time", {"person": 2}),
	("comes_in_past_the_hooks", {"person": 3}),
	("a_day_passes_and_the_jobs_run_twice", {"days": 1, "minutes": 5}),
	# is worked on
	("enters", {"person": 0, "source": "Website", "owner": REP, "far": False}),
	(
		"logs_a_touch",
		{"who": REP, "channel": "SMS", "outcome": "No Answer", "inbound": False, "hours_ago": 0},
	),
	("corrects_a_touch", {"who": REP}),
	("deletes_a_touch", {"who": "Administrator"}),
	("puts_the_planned_touch_off", {"who": REP, "days": 2}),
	("closes_the_planned_touch", {"who": REP, "status": "Done", "outcome": "Connected"}),
	("is_snoozed", {"who": REP, "days": 5, "with_reason": True}),
	("is_stopped", {"who": REP}),
	("is_enrolled", {"who": REP}),
	("a_message", {"received": False, "medium": "Phone"}),
	("a_message", {"received": False, "medium": "SMS"}),
	("a_message", {"received": True, "medium": "Email"}),
	("a_mail_is_sent", {"who": REP, "is_late": False}),
	("the_queue_of_mails_is_sent", {}),
	("a_mail_arrives", {"person": 0, "kind": "answers", "days": 1}),
	("a_mail_arrives", {"person": 0, "kind": "is away", "days": 6}),
	("a_mail_arrives", {"person": 0, "kind": "has left", "days": 1}),
	("a_mail_arrives", {"person": 0, "kind": "bounces", "days": 1}),
	("a_message_is_linked_to_another_lead", {"to": 1}),
	("a_message_is_deleted", {}),
	("an_event", {"held": True}),
	("a_day_passes_and_the_jobs_run_twice", {"days": 1, "minutes": 5}),
	# is judged, handed over, and answered in every way
	("enters", {"person": 1, "source": "Website", "owner": MANAGER, "far": False}),
	("is_asked", {"who": MANAGER, "criteria": {"budget", "need"}}),
	("is_judged", {"who": MANAGER, "horizon": "Near Term", "decision": "", "days": 1}),
	("is_passed_on", {"who": MANAGER, "to": REP, "answer": "reject"}),
	("is_passed_on", {"who": MANAGER, "to": REP, "answer": "return"}),
	("is_passed_on", {"who": MANAGER, "to": REP, "answer": "accept"}),
	("is_judged", {"who": MANAGER, "horizon": "Long Term", "decision": "Nurture", "days": 15}),
	("is_judged", {"who": MANAGER, "horizon": None, "decision": "Disqualified", "days": 1}),
	# wants no contact, and takes it back
	("enters", {"person": 3, "source": "Cold Calling", "owner": REP, "far": False}),
	("unsubscribes_by_the_link_in_a_mail", {"person": 3}),
	("wants_no_contact", {"who": REP, "channel": "All", "reason": "Manual"}),
	("withdraws_the_opt_out", {}),
	# becomes a sale by every route
	("enters", {"person": 0, "source": "Website", "owner": REP, "far": False}),
	("is_let_through", {"who": HEAD}),
	("goes_a_way_to_the_sale", {"route": 0, "as_far_as": 4}),
	("is_cancelled", {"doctype": "Sales Order", "is_amended": True}),
	("is_cancelled", {"doctype": "Sales Order", "is_amended": False}),
	("a_document_is_deleted", {"doctype": "Sales Order"}),
	("is_cancelled", {"doctype": "Quotation", "is_amended": True}),
	("is_lost", {"doctype": "Quotation"}),
	("enters", {"person": 1, "source": "Website", "owner": REP, "far": False}),
	("goes_a_way_to_the_sale", {"route": 1, "as_far_as": 4}),
	("enters", {"person": 2, "source": "Website", "owner": REP, "far": False}),
	("goes_a_way_to_the_sale", {"route": 2, "as_far_as": 4}),
	("enters", {"person": 3, "source": "Website", "owner": REP, "far": False}),
	("goes_a_way_to_the_sale", {"route": 3, "as_far_as": 4}),
	("enters", {"person": 0, "source": "Website", "owner": REP, "far": True}),
	("goes_a_way_to_the_sale", {"route": 4, "as_far_as": 4}),
	("enters", {"person": 1, "source": "Website", "owner": REP, "far": False}),
	("goes_a_way_to_the_sale", {"route": 5, "as_far_as": 4}),
	("an_old_customer_orders", {"with_quotation": False}),
	("an_old_customer_orders", {"with_quotation": True}),
	("enters", {"person": 2, "source": "Website", "owner": REP, "far": False}),
	("an_opportunity_is_made", {"who": REP}),
	("is_lost", {"doctype": "Opportunity"}),
	("enters", {"person": 2, "source": "Website", "owner": REP, "far": False}),
	("an_opportunity_is_made", {"who": REP}),
	("a_customer_is_made", {"of_opportunity": True}),
	("a_document_is_deleted", {"doctype": "Customer"}),
	("erpnext_runs_its_daily_jobs", {"days": 1}),
	("a_day_passes_and_the_jobs_run_twice", {"days": 1, "minutes": 5}),
	# is another one, or gone
	("enters", {"person": 2, "source": "Website", "owner": REP, "far": False}),
	("an_opportunity_is_given_to_another_lead", {"to": 0}),
	("has_its_status_set_by_hand", {"who": REP, "status": "Interested"}),
	("gets_another_owner", {"owner": HEAD}),
	("gets_another_source", {"source": "Exhibition"}),
	("turns_out_to_be_somebody_else", {"person": 3}),
	("is_renamed", {}),
	("becomes_one_with_another", {"into": 1}),
	("enters", {"person": 2, "source": "Website", "owner": REP, "far": False}),
	("is_stopped", {"who": REP}),
	("is_judged", {"who": MANAGER, "horizon": None, "decision": "Disqualified", "days": 1}),
	("is_disabled", {"disabled": True}),
	("is_disabled", {"disabled": False}),
	("is_deleted", {}),
	("a_user_leaves_or_comes_back", {"who": REP}),
	("a_day_passes_and_the_jobs_run_twice", {"days": 1, "minutes": 5}),
)

# kinds of step that each run has to have done
ROUTES = (
	"enter", "enter by form", "enter by API", "enter by import", "enter by e-mail", "enter past the hooks",
	"log", "close touch", "put off", "correct touch", "delete touch", "enroll", "snooze", "stop",
	"opt out", "unsubscribe", "delete opt out", "answer", "make sales ready", "decide",
	"hand over", "accept handover", "reject handover", "return handover", "override gate",
	"Email in", "Phone out", "SMS out", "mail out", "mail leaves", "mail in: answers", "mail in: is away",
	"mail in: has left", "mail in: bounces", "relink", "delete message", "event",
	"opportunity from lead", "prospect", "opportunity from prospect", "quotation with opportunity",
	"quotation without opportunity", "quotation to prospect", "customer by button of lead",
	"customer by button of opportunity", "customer by plain insert", "order with quotation",
	"order without quotation", "order of existing customer",
	"lose Opportunity", "lose Quotation", "cancel Quotation", "cancel Sales Order", "amend Quotation",
	"amend Sales Order", "delete Sales Order", "delete Customer", "move opportunity",
	"set status", "set owner", "set source", "change person", "rename", "merge", "disable", "enable", "delete",
	"user leaves or comes back", "day passes, jobs run twice", "jobs of ERPNext",
)  # fmt: skip


def walk(life: WholeLife):
	"""Take some leads along every route, by rules of the machine."""
	life.is_walk, life.enough, life.most_leads = True, sys.maxsize, len(WALK)
	try:
		life.a_site(gate="Warn", hide=False, separate=False, has_agreement=True)
		for name, values in WALK:
			act = getattr(life, name)
			parameters = inspect.signature(act).parameters
			act(**({"which": 0} if "which" in parameters else {}), **values)
	finally:
		life.teardown()


def table(machine: type[WholeLife]) -> str:
	"""How often each kind of step was done and refused, and what was asked of the books."""
	kinds = sorted({*machine.steps, *machine.refused}, key=str.lower)
	lines = [f"{'step':36} {'done':>6} {'refused':>8}"]
	lines += [f"{kind:36} {machine.steps[kind]:6} {machine.refused[kind]:8}" for kind in kinds]
	lines += [f"{'all':36} {machine.steps.total():6} {machine.refused.total():8}"]
	lines += [
		f"asked: {dict(machine.checks)}",
		f"known, and not mended yet: {dict(machine.waiting) or 'none met'}",
	]
	if os.environ.get("LEAD_QUALITY_LIFE_REFUSALS"):
		lines += [f"{times:4} {why}" for why, times in sorted(machine.refusals.items())]
	return "\n".join(lines)


def test_whatever_happens_to_leads_the_books_stay_right(stage, smtp, capsys):
	with capsys.disabled():
		print(f"\nwhole life: LEAD_QUALITY_LIFE_SEED={SEED} LEAD_QUALITY_LIFE_STEPS={STEPS}")
	counters = ("steps", "refused", "checks", "refusals", "waiting")
	machine = type(
		"Life", (WholeLife,), {"clock": stage, "smtp": smtp, **{name: Counter() for name in counters}}
	)
	try:
		walk(machine())
		turn = 0
		while machine.steps.total() < STEPS:
			run_lives(machine, SEED * 1000 + turn)
			turn += 1
	finally:
		if os.environ.get("LEAD_QUALITY_LIFE_TABLE"):
			with capsys.disabled():
				print(table(machine))
		else:
			print(table(machine))
	assert machine.checks["lives"]
	assert not sorted({*ROUTES} - {*machine.steps}), "was never done"


def run_lives(machine, number: int):
	"""Some lives at random, by a seed."""
	phases = [Phase.generate]
	if os.environ.get("LEAD_QUALITY_LIFE_SHRINK"):
		phases.append(Phase.shrink)
	run_state_machine_as_test(
		seed(number)(type("Life", (machine,), {})),
		settings=settings(
			max_examples=LIVES_AT_ONCE,
			stateful_step_count=ATTEMPTS_A_LIFE,
			deadline=None,
			database=None,
			print_blob=False,
			report_multiple_bugs=False,
			phases=phases,
			suppress_health_check=list(HealthCheck),
		),
	)
