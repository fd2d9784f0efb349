"""What is spent on sources and campaigns, what a step is to reach, and what a rep is to win."""

import frappe
import pytest
from frappe.core.doctype.data_import.importer import Importer

from lead_quality.base.versions import campaign_doctype
from lead_quality.demo.factories import make_source, make_user
from lead_quality.funnel import origins


@pytest.fixture(autouse=True)
def house():
	make_source("Exhibition")
	make_source("Website")
	for user, role in (("rep@goals.example", "Sales User"), ("boss@goals.example", "Sales Manager")):
		make_user(user, role)


def company() -> str:
	return frappe.defaults.get_global_default("company")


def spend(**values):
	year = {"from_date": "2026-01-01", "to_date": "2026-03-31"}
	return frappe.get_doc(
		{
			"doctype": "Marketing Spend",
			"source": "Exhibition",
			"company": company(),
			"amount": 900,
			**year,
			**values,
		}
	)


def target(**values):
	return frappe.get_doc({"doctype": "Funnel Target", "step": "Prospect", "rate": 40, **values})


def goal(**values):
	quarter = {"from_date": "2026-01-01", "to_date": "2026-03-31"}
	return frappe.get_doc(
		{"doctype": "New Customer Goal", "user": "rep@goals.example", "new_customers": 5, **quarter, **values}
	)


MAKERS = {"Marketing Spend": spend, "Funnel Target": target, "New Customer Goal": goal}


# periods


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(
	("from_date", "to_date"),
	[("2026-03-31", "2026-04-30"), ("2025-12-01", "2026-01-01"), ("2026-02-01", "2026-02-02"), ("2025-01-01", "2027-01-01")],
)  # fmt: skip
def test_two_of_a_kind_never_cover_the_same_day_and_the_other_one_is_named(make, from_date, to_date):
	first = make(from_date="2026-01-01", to_date="2026-03-31").insert()
	with pytest.raises(frappe.DuplicateEntryError, match=first.name):
		make(from_date=from_date, to_date=to_date).insert()
	assert make(from_date="2026-04-01", to_date="2026-04-30").insert().name
	first.save()  # it does not overlap itself


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_period_does_not_end_before_it_begins(make):
	with pytest.raises(frappe.ValidationError, match="before the first day"):
		make(from_date="2026-02-02", to_date="2026-02-01").insert()


def test_a_target_without_days_holds_for_ever():
	first = target().insert()
	with pytest.raises(frappe.DuplicateEntryError, match=first.name):
		target(from_date="2031-01-01", to_date="2031-01-31").insert()
	first.to_date = "2030-12-31"
	first.save()
	assert target(from_date="2031-01-01").insert().name


@pytest.mark.parametrize(
	("make", "other"),
	[(spend, {"source": "Website"}), (target, {"step": "Sale"}), (target, {"source": "Website"}), (goal, {"user": "boss@goals.example"})],
)  # fmt: skip
def test_what_is_of_something_else_may_cover_the_same_days(make, other):
	make().insert()
	assert make(**other).insert().name


# what they say


def test_spend_is_in_the_currency_of_its_company_unless_it_says_another():
	assert spend().insert().currency == frappe.get_cached_value("Company", company(), "default_currency")
	assert spend(source="Website", currency="EUR").insert().currency == "EUR"


@pytest.mark.parametrize("make", [spend, target])
def test_a_source_that_there_is_not_is_refused_and_one_is_spelt_as_its_record_is(make):
	with pytest.raises(frappe.LinkValidationError, match="Billboard"):
		make(source="Billboard").insert()
	assert make(source="exhibition").insert().source == "Exhibition"


def test_spend_is_on_a_source_or_on_a_campaign():
	with pytest.raises(frappe.MandatoryError, match="source or the campaign"):
		spend(source=None).insert()
	name = "Spring"
	values = {"campaign_name": name, "title": name, "__newname": name, "name": name}
	campaign = frappe.get_doc({"doctype": campaign_doctype(), **values}).insert()
	assert spend(source=None, campaign=campaign.name).insert().campaign == campaign.name
	with pytest.raises(frappe.LinkValidationError):
		spend(source=None, campaign="Autumn").insert()


@pytest.mark.parametrize("amount", [0, -5])
def test_spend_is_more_than_nothing(amount):
	with pytest.raises(frappe.ValidationError):
		spend(amount=amount).insert()


@pytest.mark.parametrize("rate", [0, -1, 100.5])
def test_a_rate_is_above_zero_and_not_above_all(rate):
	with pytest.raises(frappe.ValidationError):
		target(rate=rate).insert()


def test_a_goal_is_of_a_person_and_of_at_least_one_customer():
	with pytest.raises(frappe.ValidationError, match="1 or more"):
		goal(new_customers=0).insert()
	with pytest.raises(frappe.ValidationError, match="not a person"):
		goal(user="Guest").insert()
	with pytest.raises(frappe.ValidationError, match="not a person"):
		target(owner_user="Guest").insert()


def test_a_goal_outlives_its_user_being_disabled():
	doc = goal().insert()
	frappe.db.set_value("User", doc.user, "enabled", 0)
	doc.reload()
	doc.new_customers = 6
	assert doc.save().new_customers == 6


# the form, the file


def test_the_form_offers_the_sources_that_contain_what_is_typed(as_user):
	assert "Exhibition" in origins.get_sources("xhib")
	assert origins.get_sources("%xhib") == []
	with as_user("Guest"), pytest.raises(frappe.PermissionError):
		origins.get_sources("x")


def test_spend_is_imported_and_a_row_that_overlaps_is_refused_alone():
	first = spend().insert()
	import_file(
		"Source,Company,From,Until,Amount,Currency\n"
		f"Website,{company()},2026-01-01,2026-01-31,1200,EUR\n"
		f"Exhibition,{company()},2026-03-01,2026-03-31,300,EUR\n"
	)
	assert frappe.db.get_value("Marketing Spend", {"source": "Website"}, ["amount", "currency"]) == (
		1200,
		"EUR",
	)
	assert frappe.get_all("Marketing Spend", {"source": "Exhibition"}, pluck="name") == [first.name]


def import_file(content: str):
	file = frappe.get_doc(
		{"doctype": "File", "file_name": "spend.csv", "is_private": 1, "content": content}
	).insert()
	doc = frappe.new_doc("Data Import", reference_doctype="Marketing Spend", import_type="Insert New Records")
	doc.import_file = file.file_url
	doc.insert()
	Importer("Marketing Spend", data_import=doc).import_data()


# who


@pytest.mark.parametrize(
	("doctype", "writers", "readers"),
	[
		("Marketing Spend", {"Lead Quality Manager"}, {"Sales Manager"}),
		("Funnel Target", {"Lead Quality Manager", "Sales Manager"}, {"Sales User"}),
		("New Customer Goal", {"Sales Manager"}, {"Lead Quality Manager", "Sales User"}),
	],
)
def test_those_write_whose_matter_it_is_and_others_read(doctype, writers, readers, as_user):
	name = MAKERS[doctype]().insert().name
	for role in (*writers, *readers, "Lead Qualifier"):
		user = f"{role.lower().replace(' ', '.')}@who.example"
		make_user(user, role)
		if doctype == "New Customer Goal" and role == "Sales User":
			user = "rep@goals.example"
		with as_user(user):
			assert frappe.has_permission(doctype, "read", doc=name) == (role != "Lead Qualifier"), role
			assert frappe.has_permission(doctype, "write", doc=name) == (role in writers), role


def test_a_rep_sees_no_goal_but_the_own_one(as_user):
	own, other = goal().insert(), goal(user="boss@goals.example").insert()
	with as_user("rep@goals.example"):
		assert frappe.get_list("New Customer Goal", pluck="name") == [own.name]
		assert not frappe.has_permission("New Customer Goal", doc=other.name)
	with as_user("boss@goals.example"):
		assert len(frappe.get_list("New Customer Goal")) == 2
