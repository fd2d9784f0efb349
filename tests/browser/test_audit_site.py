"""The audit reads a site over its REST API: real HTTP, real tokens."""

import frappe
import pytest
import requests
from frappe.utils.password import set_encrypted_password

from lead_quality.audit import readers, site
from lead_quality.audit.columns import FIELDS
from lead_quality.audit.store import Journey, Store
from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import (
	make_lead,
	make_opportunity,
	make_quotation,
	make_sales_order,
	make_sales_ready,
	make_source,
	make_user,
)

READER, SELLER = "audrey.audit@example.com", "sid.audit@example.com"
BUYER, LIMITED = "bea.audit@example.com", "lim.audit@example.com"


@pytest.fixture
def company(database, client_of):
	"""Leads with what may have happened to them, and the client of a user who may read all of it."""
	for user, roles in (
		# Holiday Lists are read by HR only
		(READER, ["System Manager", "Sales Manager", "Sales User", "HR Manager"]),
		(SELLER, ["Sales User"]),
		(BUYER, ["Purchase User"]),
		(LIMITED, ["System Manager", "Sales Manager", "Sales User", "HR Manager"]),
	):
		if not frappe.db.exists("User", user):
			make_user(user, *roles)
	names = []
	for number in range(5):
		lead = make_lead(
			company_name=f"Rest Audit {number} «ü»",
			**{lead_field("source"): make_source("Audit by REST")},
			lead_owner=SELLER,
		)
		names.append(lead.name)
		if number >= 1:
			mail(lead.name, "Sent", SELLER, lead.email_id or "a@rest.example", "2024-03-04 09:00:00")
		if number >= 2:
			mail(lead.name, "Received", "a@rest.example", SELLER, "2024-03-05 09:00:00")
		if number >= 3:
			make_sales_ready(lead.name)
			quotation = make_quotation(make_opportunity(lead.name).name)
			if number == 4:
				make_sales_order(quotation.name)
	client = client_of(READER)
	database.commit()
	return names, client


def mail(lead: str, direction: str, sender: str, recipient: str, at: str):
	frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": direction,
			"sender": sender,
			"recipients": recipient,
			"subject": "Our offer",
			"content": "not to be read",
			"communication_date": at,
			"reference_doctype": "Lead",
			"reference_name": lead,
		}
	).insert(ignore_permissions=True)


def key_of(client) -> str:
	return client.headers["Authorization"].removeprefix("token ")


def journeys(tables, leads) -> dict[str, Journey]:
	with Store() as store:
		for table in tables:
			store.load(table)
			assert table.problem_count == 0, table.problems[0]
		return {one.lead: one for one in store.journeys() if one.lead in leads}


def export(client, kind: str, folder):
	"""A file as the Report view's own export writes it, over HTTP."""
	fields = [field for field in FIELDS[kind] if frappe.get_meta(kind).has_field(field)]
	fields += ["name", "creation", "modified", "owner"]
	answer = requests.post(
		f"{client.url}/api/method/frappe.desk.reportview.export_query",
		headers=client.headers,
		data={
			"doctype": kind,
			"title": kind,
			"file_format_type": "CSV",
			"fields": frappe.as_json([f"`tab{kind}`.`{field}`" for field in dict.fromkeys(fields)]),
			"order_by": f"`tab{kind}`.`name`",
			"view": "Report",
		},
		timeout=60,
	)
	assert answer.ok, answer.text
	path = folder / f"{kind}.csv"
	path.write_bytes(answer.content)
	return path


def test_an_audit_over_rest_says_of_each_lead_what_the_sites_exports_say(company, monkeypatch, tmp_path):
	leads, client = company
	monkeypatch.setattr(site, "ROWS_A_PAGE", 3)

	fetched = site.fetch(site.Client(client.url, key_of(client), rate=1_000), tmp_path / "site")

	kinds = ("Lead", "Opportunity", "Quotation", "Customer", "Communication")
	exported = [readers.open_table(export(client, kind, tmp_path)) for kind in kinds]
	assert fetched.lacking == []
	assert {"Company", "Holiday"} <= {table.kind for table in fetched.tables()}
	over_rest = journeys(fetched.tables(), leads)
	of_files = journeys(exported, leads)
	assert set(over_rest) == set(leads)
	for lead in leads:
		for column in (
			"entered_at",
			"title",
			"email",
			"source",
			"owner",
			"first_touch_at",
			"touches",
			"tries",
		):
			assert getattr(over_rest[lead], column) == getattr(of_files[lead], column), (lead, column)
		assert over_rest[lead].conversation_at == of_files[lead].conversation_at
		assert over_rest[lead].opportunity_at == of_files[lead].opportunity_at
		assert over_rest[lead].quoted_at == of_files[lead].quoted_at
	assert [over_rest[lead].touches for lead in leads] == [0, 1, 1, 1, 1]
	assert [bool(over_rest[lead].sale_at) for lead in leads] == [False, False, False, False, True]
	assert "not to be read" not in "".join(path.read_text() for path in (tmp_path / "site").iterdir())


def test_what_a_key_may_not_read_is_said_and_the_rest_counts(company, client_of, database, tmp_path):
	leads, _client = company
	client = client_of(SELLER)
	database.commit()

	fetched = site.fetch(site.Client(client.url, key_of(client), rate=1_000), tmp_path / "site")

	assert set(journeys(fetched.tables(), leads)) == set(leads)
	assert (
		"Call Log: the user of the key may not read it. Give a role of that user the right to read Call Log."
		in fetched.lacking
	)
	assert [sentence for sentence in fetched.lacking if "may not read it" not in sentence] == [site.OWN_MAIL]


def test_a_key_that_may_not_read_leads_is_told_which_right_it_lacks(company, client_of, database, tmp_path):
	client = client_of(BUYER)
	database.commit()

	with pytest.raises(readers.CannotRead, match="Give a role of that user the right to read Lead"):
		site.fetch(site.Client(client.url, key_of(client), rate=1_000), tmp_path / "site")


def test_leads_that_user_permissions_hide_are_not_counted_and_that_is_said(
	company, client_of, database, tmp_path
):
	leads, _client = company
	rule = {"doctype": "User Permission", "user": LIMITED, "allow": "Lead", "for_value": leads[0]}
	if not frappe.db.exists("User Permission", {"user": LIMITED}):
		frappe.get_doc(rule).insert(ignore_permissions=True)
	else:
		frappe.db.set_value("User Permission", {"user": LIMITED}, "for_value", leads[0])
	client = client_of(LIMITED)
	database.commit()

	fetched = site.fetch(site.Client(client.url, key_of(client), rate=1_000), tmp_path / "site")

	assert set(journeys(fetched.tables(), leads)) == {leads[0]}
	assert fetched.limited_by == ["Lead"]
	[told] = fetched.lacking
	assert "only what this user may see was counted" in told


def test_a_secret_that_is_replaced_meanwhile_ends_it_and_a_new_one_goes_on(company, monkeypatch, tmp_path):
	leads, client = company
	monkeypatch.setattr(site, "ROWS_A_PAGE", 3)
	key = key_of(client).split(":")[0]
	counted: list[int] = []

	def replace(secret: str):
		set_encrypted_password("User", READER, secret, "api_secret")
		frappe.db.commit()

	def read(kind: str, rows: int):
		counted.append(rows)
		if (kind, rows) == ("Lead", 3):
			replace("another-one")

	with pytest.raises(readers.CannotRead, match=r"does not take the key.* It goes on where it was"):
		site.fetch(site.Client(client.url, key_of(client), rate=1_000), tmp_path / "site", read)
	fetched = site.fetch(site.Client(client.url, f"{key}:another-one", rate=1_000), tmp_path / "site", read)

	assert counted[:2] == [3, 6]
	assert fetched.lacking == []
	assert set(journeys(fetched.tables(), leads)) == set(leads)


def test_a_wrong_key_is_called_so(base_url, tmp_path):
	with pytest.raises(readers.CannotRead, match="does not take the key"):
		site.fetch(site.Client(base_url, "no:key"), tmp_path / "site")
