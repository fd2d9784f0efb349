"""No lead is locked while somebody else's server is waited for: exchange rates, pictures of senders.

Requests end at a substitute for the network. ERPNext leaves out the request for a picture in tests, so it is put back in.
"""

import re
from types import SimpleNamespace

import frappe
import pytest
import requests
from frappe.utils import get_gravatar_url, now_datetime

from lead_quality import api
from lead_quality.demo.factories import make_checklist, make_lead, make_sales_ready, use_checklist
from lead_quality.follow_up import escalation
from lead_quality.handover import pulling_back
from lead_quality.nurture.jobs import repair_contacts
from lead_quality.qualification import jobs, requalify

BUDGET = {
	"criterion": "budget",
	"answer_type": "Number",
	"pass_operator": ">=",
	"pass_value": "10000",
	"amount_currency": "EUR",
}
LOCKS_A_LEAD = re.compile(
	r"`?tabLead`?\b.*for update|^(insert into|update) `tabLead`", re.IGNORECASE | re.DOTALL
)


@pytest.fixture
def network(monkeypatch, count_queries):
	"""The requests that are made, each with the statements that have locked a lead since the last commit."""
	found = SimpleNamespace(requests=[], answer=None)
	commit = frappe.local.db.commit
	with count_queries() as queries:

		def send(self, request, **options):
			held = [text for text in queries[found.committed :] if LOCKS_A_LEAD.search(text)]
			found.requests.append((request.url, held))
			if found.answer is None:
				raise requests.ConnectionError(request.url)
			response = requests.Response()
			response.status_code, response._content = 200, found.answer
			return response

		def committed(**options):
			found.committed = len(queries)  # what runs after the commit holds nothing any more
			commit(**options)

		found.committed = 0
		monkeypatch.setattr(requests.Session, "send", send)
		monkeypatch.setattr(frappe.local.db, "commit", committed)
		for module in ("erpnext.crm.doctype.lead.lead", "frappe.contacts.doctype.contact.contact"):
			monkeypatch.setattr(f"{module}.has_gravatar", lambda email: picture_of(email))
		yield found


def picture_of(email: str) -> str:
	try:
		return requests.get(get_gravatar_url(email, "404"), timeout=5).url
	except requests.RequestException:
		return ""


@pytest.fixture
def in_euros():
	"""Leads are held against a budget in euros, and the site knows no rates."""
	frappe.db.delete("Currency Exchange")
	frappe.db.set_single_value("Currency Exchange Settings", "disabled", 0)
	frappe.clear_document_cache("Currency Exchange Settings")
	frappe.cache.delete_keys("currency_exchange_rate_")
	use_checklist(make_checklist(frappe.generate_hash(length=8), [BUDGET]))


def make_known(network, **values) -> str:
	"""A lead that is there already: ERPNext asks for its picture when it is inserted."""
	lead = make_lead(**values).name
	frappe.db.commit()
	network.requests.clear()
	return lead


def judgement_of(lead: str):
	return frappe.get_last_doc("Lead Qualification", {"lead": lead})


def in_dollars(value="11000") -> list[dict]:
	return [{"criterion": "budget", "value": value, "currency": "USD"}]


def save_the_document(lead: str):
	doc = judgement_of(lead)
	doc.answers[0].currency = "CHF"
	doc.save()


@pytest.mark.parametrize(
	"judge",
	[
		lambda lead: api.qualify(lead, in_dollars("12000")),
		save_the_document,
		lambda lead: requalify.judge_chunk([lead], now_datetime()),
	],
	ids=["answering", "saving the document", "judging all again"],
)
def test_judging_asks_no_server_for_exchange_rates(in_euros, network, judge):
	lead = make_known(network)
	api.qualify(lead, in_dollars())
	judge(lead)
	assert network.requests == []
	assert "no exchange rate to EUR" in judgement_of(lead).reason


def test_a_missing_rate_is_asked_for_after_the_commit_while_no_lead_is_locked(in_euros, network):
	lead = make_known(network)
	network.answer = b'{"rates": {"EUR": 0.95}, "result": 0.95}'
	api.qualify(lead, in_dollars())
	frappe.db.commit()
	((url, held),) = network.requests
	assert "USD" in url and not held
	judged = judgement_of(lead)
	assert (judged.verdict, judged.answers[0].exchange_rate) == ("Sales Ready", 0.95)
	assert frappe.db.get_value("Lead", lead, "lq_verdict") == "Sales Ready"
	frappe.db.commit()
	assert len(network.requests) == 1


def test_a_server_that_does_not_answer_is_asked_again_every_hour_of_a_day(in_euros, network, freeze):
	lead = make_known(network)
	with freeze("2026-03-02 10:00:00"):
		api.qualify(lead, in_dollars())
		frappe.db.commit()
		assert len(network.requests) == 1
		assert judgement_of(lead).verdict == "Open"
	with freeze("2026-03-02 10:30:00"):
		jobs.judge_expired()
		assert len(network.requests) == 1
	with freeze("2026-03-02 11:00:01"):
		jobs.judge_expired()
		assert len(network.requests) == 2
	network.answer = b'{"rates": {"EUR": 0.95}, "result": 0.95}'
	with freeze("2026-03-02 12:30:00"):
		assert jobs.judge_expired()["done"] == 1
	assert judgement_of(lead).verdict == "Sales Ready"
	assert not any(held for _url, held in network.requests)


def test_after_a_day_a_rate_is_taken_from_the_site_at_the_next_save_only(in_euros, network, freeze):
	lead = make_known(network)
	with freeze("2026-03-02 10:00:00"):
		api.qualify(lead, in_dollars())
		frappe.db.commit()
	with freeze("2026-03-03 10:30:00"):
		jobs.judge_expired()
		asked = len(network.requests)
	with freeze("2026-03-05 10:00:00"):
		assert jobs.judge_expired()["found"] == 0
		assert len(network.requests) == asked
		frappe.get_doc(
			{
				"doctype": "Currency Exchange",
				"date": "2026-03-01",
				"from_currency": "USD",
				"to_currency": "EUR",
				"exchange_rate": 0.95,
				"for_selling": 1,
			}
		).insert()
		judged = judgement_of(lead)
		judged.save()
	assert judged.verdict == "Sales Ready"


def test_a_site_that_does_not_use_the_server_never_asks_it(in_euros, network):
	frappe.db.set_single_value("Currency Exchange Settings", "disabled", 1)
	frappe.clear_document_cache("Currency Exchange Settings")
	lead = make_known(network)
	api.qualify(lead, in_dollars())
	frappe.db.commit()
	assert network.requests == []
	assert judgement_of(lead).valid_until is None


# --- pictures ----------------------------------------------------------------------------------------------

RULE = "Leads That Wait"


@pytest.fixture
def users(make_user):
	return {
		side: make_user(f"{side}@no-requests.example", "Sales User", "Sales Manager")
		for side in ("marketing", "sales")
	}


@pytest.fixture
def lead(users, network, as_user):
	lead = make_known(network, lead_owner=users["marketing"])
	with as_user(users["marketing"]):
		make_sales_ready(lead)
	frappe.db.commit()
	return lead


def send(lead: str, users: dict, as_user) -> str:
	with as_user(users["marketing"]):
		return api.send_handover(lead, users["sales"]).name


def accept(lead: str, users: dict, as_user) -> str:
	handover = send(lead, users, as_user)
	with as_user(users["sales"]):
		api.accept_handover(handover)
	return handover


def give_back(lead: str, users: dict, as_user):
	handover = accept(lead, users, as_user)
	with as_user(users["sales"]):
		api.return_handover(handover, "Return: Cannot be reached")


def take_back(lead: str, users: dict, as_user):
	pulling_back.take_back(accept(lead, users, as_user), now_datetime())


def pull_back(lead: str, users: dict, as_user):
	clock = frappe._dict(lead=lead, clock="Triage", reference_name=None)
	escalation.carry_out(frappe._dict(action="Pull Back"), clock, now_datetime())


def reassign(lead: str, users: dict, as_user):
	frappe.get_doc(
		{
			"doctype": "Assignment Rule",
			"name": RULE,
			"document_type": "Lead",
			"description": "Call",
			"rule": "Round Robin",
			"assign_condition": "False",
			"assignment_days": [{"day": day} for day in DAYS],
			"users": [{"user": users["sales"]}],
		}
	).insert()
	escalation.reassign(lead, RULE)


def transfer(lead: str, users: dict, as_user):
	frappe.get_doc(
		{
			"doctype": "Lead Transfer",
			"from_user": users["marketing"],
			"give_to": "User",
			"to_user": users["sales"],
			"note": "Has left",
		}
	).insert()
	frappe.db.commit()


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CHANGES = {
	accept: "sales",
	give_back: "marketing",
	take_back: "marketing",
	pull_back: None,
	reassign: "sales",
	transfer: "sales",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_lead_that_we_give_to_another_owner_waits_for_no_picture(change, lead, users, network, as_user):
	change(lead, users, as_user)
	stored = frappe.db.get_value("Lead", lead, ["lead_owner", "image"], as_dict=True)
	assert (stored.lead_owner or None, stored.image or None) == (users.get(CHANGES[change]), None)
	assert network.requests == []


def test_a_lead_with_a_picture_keeps_it_when_its_owner_changes(lead, users, as_user):
	frappe.db.set_value("Lead", lead, "image", "/files/anna.png")
	accept(lead, users, as_user)
	assert frappe.db.get_value("Lead", lead, "image") == "/files/anna.png"


def test_a_lead_that_is_refused_has_no_placeholder_for_a_picture(lead, users, as_user):
	"""ERPNext's own rules still hold for the new owner."""
	frappe.db.set_value("Lead", lead, "email_id", users["sales"])
	handover = send(lead, users, as_user)
	with as_user(users["sales"]), pytest.raises(frappe.ValidationError, match="Lead Owner"):
		api.accept_handover(handover)
	assert not frappe.db.get_value("Lead", lead, "image")


def test_mail_that_came_past_every_event_is_given_to_its_leads_while_none_is_locked(network):
	frappe.db.set_single_value("CRM Settings", "auto_creation_of_contact", 0)
	account = frappe.get_doc(
		{
			"doctype": "Email Account",
			"email_account_name": "No Requests",
			"email_id": "inbox@no-requests.example",
			"create_contact": 1,
		}
	).insert()
	for number in range(2):
		email = f"sender{number}@no-requests.example"
		make_known(network, first_name=f"Anna{number}", email_id=email)
		frappe.get_doc(
			{
				"doctype": "Communication",
				"name": frappe.generate_hash(),
				"communication_type": "Communication",
				"communication_medium": "Email",
				"sent_or_received": "Received",
				"status": "Open",
				"sender": email,
				"email_account": account.name,
				"subject": "A question",
				"content": "When can you come?",
				"communication_date": now_datetime(),
			}
		).db_insert()
	assert repair_contacts()["failed"] == 0
	assert [held for _url, held in network.requests] == [[], []]
