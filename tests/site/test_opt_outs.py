"""Who wants no contact is left alone, however it was said, and on all leads of the person."""

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime

from lead_quality import api
from lead_quality.base.phone import number_key
from lead_quality.demo.factories import make_lead
from lead_quality.funnel import person
from lead_quality.funnel.person import KEYS, NUMBER_KEYS
from lead_quality.nurture.channels import CHANNELS, closed_channels, is_opted_out
from lead_quality.patches import compare_numbers
from tests.site.helpers import repair

MONDAY = "2026-03-02 10:00:00"
BRITISH = "+441611234567"


@pytest.fixture
def lead(freeze):
	with freeze(MONDAY):
		return make_lead()


@pytest.fixture
def doubles():
	"""Leads may have the same address."""
	frappe.db.set_single_value("CRM Settings", "allow_lead_duplication_based_on_emails", 1)


def planned(lead) -> tuple | None:
	return frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Planned"}, ["step", "channel"])


def skipped(lead) -> list[tuple]:
	return frappe.get_all(
		"Lead Touch",
		{"lead": lead.name, "status": "Skipped"},
		["step", "channel", "status_reason"],
		order_by="creation asc, due_at asc",
		as_list=True,
	)


def enrollment(lead):
	return frappe.db.get_value(
		"Nurture Enrollment",
		{"lead": lead.name},
		["status", "stop_reason", "next_due_at"],
		order_by="creation desc",
		as_dict=True,
	)


def make_cadence(*channels: str, **values):
	"""An active cadence, a step a working day after the one before."""
	return frappe.get_doc(
		{
			"doctype": "Nurture Cadence",
			"title": frappe.generate_hash(length=8),
			"status": "Active",
			"min_touches": 0,
			"min_contacts": 0,
			"working_calendar": frappe.get_all("Working Calendar", pluck="name", order_by="name asc")[0],
			"steps": [
				{
					"step": f"{number}. {channel}",
					"channel": channel,
					"anchor": "Previous Touch" if number > 1 else "Enrollment",
					"delay": 1,
					"delay_unit": "Working Days",
					**(values if number == len(channels) else {}),
				}
				for number, channel in enumerate(channels, 1)
			],
		}
	).insert()


def start_on(lead, *channels: str, **values):
	"""The lead leaves its cadence for a new one."""
	frappe.db.set_value("Nurture Enrollment", {"lead": lead.name}, "status", "Stopped")
	frappe.db.set_value("Lead Touch", {"lead": lead.name, "status": "Planned"}, "status", "Cancelled")
	return api.enroll(lead.name, make_cadence(*channels, **values).name)


# channels that are closed


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_step_on_a_closed_channel_is_skipped_with_the_reason_and_the_next_open_one_is_planned(
	lead, channel
):
	other = "Letter" if channel != "Letter" else "Visit"
	start_on(lead, other, channel, channel, other)
	api.opt_out(lead.name, channel)
	api.log_touch(lead.name, other, "Left Message")
	assert planned(lead)[0] == f"4. {other}"
	assert [step for step, *_ in skipped(lead)] == [f"2. {channel}", f"3. {channel}"]
	assert all(frappe._(channel) in reason for *_, reason in skipped(lead))
	due = frappe.db.get_value(
		"Follow Up Clock", {"lead": lead.name, "clock": "Next Touch", "status": "Running"}, "started_at"
	)
	assert due == enrollment(lead).next_due_at


def test_skipped_steps_do_not_make_the_plan_faster(lead, freeze):
	with freeze("2026-03-02 11:00:00"):
		start_on(lead, "Phone", "Email", "Email", "Phone")
		api.opt_out(lead.name, "Email")
		api.log_touch(lead.name, "Phone", "No Answer")
	assert str(enrollment(lead).next_due_at) == "2026-03-05 11:00:00"


def test_a_new_enrollment_begins_with_the_first_open_step(lead):
	api.opt_out(lead.name, "Email")
	start_on(lead, "Email", "Phone")
	assert planned(lead) == ("2. Phone", "Phone")
	assert [step for step, *_ in skipped(lead)] == ["1. Email"]


def test_a_new_lead_begins_with_the_first_open_step(lead, doubles):
	api.opt_out(lead.name, "Phone")
	again = make_lead(email_id=lead.email_id)
	assert planned(again) == ("Introduction by e-mail", "Email")
	assert [step for step, *_ in skipped(again)] == ["First call"]


def test_a_plan_with_no_open_channel_left_ends_and_says_so(lead):
	start_on(lead, "Phone", "Email", "Email")
	api.opt_out(lead.name, "Email")
	api.log_touch(lead.name, "Phone", "No Answer")
	assert (enrollment(lead).status, planned(lead)) == ("Stopped", None)
	assert "does not want to be contacted" in enrollment(lead).stop_reason
	assert frappe.db.get_value("Lead", lead.name, "lq_next_touch_at") is None


def test_a_step_that_repeats_on_a_closed_channel_ends_the_plan(lead):
	start_on(lead, "Email", repeat_every=1)
	api.opt_out(lead.name, "Email")
	assert (enrollment(lead).status, planned(lead)) == ("Stopped", None)


def test_a_cadence_that_cannot_be_walked_is_refused_with_the_reason(lead):
	api.opt_out(lead.name, "Email")
	with pytest.raises(frappe.ValidationError, match="channels that are closed"):
		start_on(lead, "Email")


def test_an_opt_out_of_calls_closes_messages_where_the_settings_say_so(lead):
	api.opt_out(lead.name, "Phone")
	assert set(closed_channels(lead)) == {"Phone", "Voicemail", "SMS", "WhatsApp"}
	frappe.db.set_single_value("Lead Quality Settings", "phone_opt_out_closes_messages", 0)
	frappe.clear_document_cache("Lead Quality Settings", "Lead Quality Settings")
	assert set(closed_channels(lead)) == {"Phone"}


@pytest.mark.parametrize("channel", ["All", *CHANNELS])
def test_one_channel_is_not_another(lead, channel):
	api.opt_out(lead.name, channel)
	assert is_opted_out(lead, "All") == (channel == "All")
	assert is_opted_out(lead, "Letter") == (channel in {"All", "Letter"})


# Frappe's own unsubscribe


def unsubscribe(address: str, **values):
	return frappe.get_doc({"doctype": "Email Unsubscribe", "email": address, **values}).insert()


def contact_of(lead):
	name = frappe.db.get_value("Dynamic Link", {"link_name": lead.name, "parenttype": "Contact"}, "parent")
	return frappe.get_doc("Contact", name)


def unsubscribe_contact(lead):
	contact = contact_of(lead)
	contact.unsubscribed = 1
	contact.save()


def unsubscribe_member(lead):
	group = frappe.get_doc({"doctype": "Email Group", "title": frappe.generate_hash(length=8)}).insert()
	member = frappe.get_doc(
		{"doctype": "Email Group Member", "email_group": group.name, "email": lead.email_id}
	).insert()
	member.unsubscribed = 1
	member.save()


@pytest.mark.parametrize(
	"say",
	[
		lambda lead: unsubscribe(lead.email_id, global_unsubscribe=1),
		lambda lead: unsubscribe(lead.email_id.upper(), global_unsubscribe=1),
		unsubscribe_contact,
		unsubscribe_member,
	],
	ids=["all mail", "in capitals", "contact", "email group"],
)
def test_who_unsubscribes_in_frappe_gets_no_planned_mail_on_any_lead(lead, doubles, say):
	double = make_lead(email_id=lead.email_id)
	for one in (lead, double):
		start_on(one, "Email", "Phone")
	say(lead)
	for one in (lead, double):
		assert planned(one) == ("2. Phone", "Phone")
		assert frappe.db.get_value("Lead", one.name, "unsubscribed") == 1
	assert frappe.db.count("Contact Opt Out", {"email_id": lead.email_id}) == 1


def test_who_leaves_one_conversation_gets_no_mail_on_that_lead_alone(lead, doubles):
	double = make_lead(email_id=lead.email_id)
	for one in (lead, double):
		start_on(one, "Email", "Phone")
	unsubscribe(lead.email_id, reference_doctype="Lead", reference_name=lead.name)
	assert planned(lead) == ("2. Phone", "Phone")
	assert planned(double) == ("1. Email", "Email")
	assert not frappe.db.exists("Contact Opt Out", {"email_id": lead.email_id})


def test_the_box_on_the_lead_itself_holds_for_that_lead(lead):
	start_on(lead, "Email", "Phone")
	lead.reload()
	lead.unsubscribed = 1
	lead.save()
	assert planned(lead) == ("2. Phone", "Phone")


def test_unsubscribing_twice_and_in_two_places_is_one_wish(lead):
	unsubscribe_contact(lead)
	unsubscribe_member(lead)
	api.opt_out(lead.name, "Email", "Unsubscribed")
	api.opt_out(lead.name, "Email", "Unsubscribed")
	assert frappe.db.count("Contact Opt Out", {"email_id": lead.email_id}) <= 2
	assert len(api.get_panel(lead.name)["opt_outs"]) == 1


@pytest.mark.parametrize("channel", ["Email", "All"])
def test_frappe_hears_of_a_wish_that_was_recorded_here(lead, channel):
	group = frappe.get_doc({"doctype": "Email Group", "title": frappe.generate_hash(length=8)}).insert()
	member = {"doctype": "Email Group Member", "email_group": group.name, "email": lead.email_id}
	member = frappe.get_doc(member).insert()
	api.opt_out(lead.name, channel)
	assert frappe.db.get_value("Email Group Member", member.name, "unsubscribed") == 1
	assert frappe.db.get_value("Contact", contact_of(lead).name, "unsubscribed") == 1
	assert frappe.db.exists("Email Unsubscribe", {"email": lead.email_id, "global_unsubscribe": 1})


def test_a_customer_who_wants_no_advertising_still_gets_invoices(lead):
	contact = contact_of(lead)
	contact.append(
		"links", {"link_doctype": "Company", "link_name": frappe.get_all("Company", pluck="name")[0]}
	)
	contact.save()
	api.opt_out(lead.name, "Email")
	assert not frappe.db.exists("Email Unsubscribe", {"email": lead.email_id})
	assert frappe.db.get_value("Contact", contact.name, "unsubscribed") == 1


def test_a_mail_that_came_back_is_nobodys_wish(lead):
	api.opt_out(lead.name, "Email", "Bounced")
	assert frappe.db.get_value("Lead", lead.name, "unsubscribed") == 0
	assert not frappe.db.exists("Email Unsubscribe", {"email": lead.email_id})
	assert is_opted_out(frappe.get_doc("Lead", lead.name), "Email")


# the same person


@pytest.mark.parametrize(
	("number", "country"),
	[
		("+44 (0)161 123 4567", None),
		("+441611234567", None),
		("44 0161 1234567", None),
		("0161 1234567", "United Kingdom"),
		("0161-123.45.67", "United Kingdom"),
		("0044 161 1234567", "United Kingdom"),
	],
)
def test_a_number_is_the_same_however_it_is_written(number, country):
	assert number_key(number, country) == BRITISH


@pytest.mark.parametrize(
	("number", "key"), [(None, None), ("", None), ("  ", None), ("ask Anna", None), ("12", "=12")]
)
def test_what_is_no_number_is_compared_by_its_digits(number, key):
	assert number_key(number, "United Kingdom") == key


@pytest.mark.parametrize("field", ["phone", "mobile_no", "whatsapp_no"])
@pytest.mark.parametrize("number", ["+441611234567", "44 0161 1234567", "0161 1234567"])
def test_an_opt_out_by_number_holds_for_all_leads_with_the_number(number, field):
	lead = make_lead(country="United Kingdom", **{field: number})
	other = make_lead(country="United Kingdom", phone="0161 7654321")
	frappe.get_doc({"doctype": "Contact Opt Out", "phone": "+44 (0)161 123 4567"}).insert()
	assert enrollment(lead).status == "Stopped"
	assert enrollment(other).status == "Active"


@pytest.mark.parametrize("number", ["+441611234567", "44 0161 1234567", "0161 1234567"])
def test_a_number_without_a_country_is_of_the_country_of_the_leads_company(number):
	company = frappe.db.get_value("Lead", make_lead().name, "company")
	frappe.db.set_value("Company", company, "country", "United Kingdom")
	frappe.clear_document_cache("Company", company)
	lead = make_lead(company=company, mobile_no="0161-123.45.67")
	lead.reload().country = None  # Frappe has filled in the site's
	lead.save()
	other = make_lead(country="Germany", company=company, mobile_no="0161 1234567")
	frappe.get_doc({"doctype": "Contact Opt Out", "phone": number, "lead": lead.name}).insert()
	assert is_opted_out(frappe.get_doc("Lead", lead.name), "All")
	assert not is_opted_out(frappe.get_doc("Lead", other.name), "All")


def test_an_opt_out_holds_for_all_numbers_of_the_person(lead):
	anna = make_lead(country="United Kingdom", mobile_no="07700 900123", phone="0161 1234567")
	office = make_lead(country="United Kingdom", phone="+44 161 123 4567")
	mobile = make_lead(country="United Kingdom", whatsapp_no="+44 7700 900123")
	api.opt_out(anna.name)
	for one in (anna, office, mobile):
		assert is_opted_out(frappe.get_doc("Lead", one.name), "All")
	assert enrollment(lead).status == "Active"


def test_an_opt_out_holds_for_a_lead_that_gets_the_number_later():
	lead = make_lead(country="United Kingdom", phone="0161 7654321")
	frappe.get_doc({"doctype": "Contact Opt Out", "phone": BRITISH}).insert()
	lead.reload()
	lead.phone = "0161 1234567"
	lead.save()
	assert is_opted_out(lead, "All")


@pytest.mark.parametrize("change", [str.upper, lambda address: f" {address} "])
def test_case_and_blanks_make_no_other_person(lead, change):
	frappe.get_doc({"doctype": "Contact Opt Out", "email_id": change(lead.email_id)}).insert()
	assert enrollment(lead).status == "Stopped"


def test_an_added_tag_is_another_address_and_a_likely_duplicate():
	anna = make_lead(email_id="anna.k@tags.example")
	tagged = make_lead(email_id="Anna.K+news@tags.example")
	api.opt_out(tagged.name)
	assert not is_opted_out(anna, "All")
	assert [row.name for row in api.get_panel(anna.name)["likely_duplicates"]] == [tagged.name]
	assert [row.name for row in api.get_panel(tagged.name)["likely_duplicates"]] == [anna.name]


def test_likely_duplicates_are_named_to_who_may_see_them(make_user, as_user):
	qualifier = make_user("agency@tags.example", "Lead Qualifier")
	anna = make_lead(email_id="anna.k@tags.example", lead_owner=qualifier)
	make_lead(email_id="anna.k+news@tags.example")
	with as_user(qualifier):
		assert api.get_panel(anna.name)["likely_duplicates"] == []


def test_keys_are_nobodys_to_write(lead):
	lead.reload()
	lead.update({"phone": "+44 161 1234567", "lq_phone_key": "+1", "lq_mailbox": "x@y.z"})
	lead.save()
	stored = frappe.db.get_value("Lead", lead.name, KEYS, as_dict=True)
	assert (stored.lq_phone_key, stored.lq_mailbox) == (BRITISH, lead.email_id)


def test_a_number_that_a_contact_gives_its_lead_is_found_and_its_opt_out_respected():
	lead = make_lead(country="United Kingdom", mobile_no="07700 900123")
	other = make_lead(country="United Kingdom", phone="0161 1234567")
	api.opt_out(other.name)
	contact = frappe.get_doc("Contact", {"email_id": lead.email_id})

	contact.phone_nos = []
	contact.append("phone_nos", {"phone": "0161 1234567", "is_primary_phone": 1, "is_primary_mobile_no": 1})
	contact.save()

	stored = frappe.db.get_value("Lead", lead.name, [*NUMBER_KEYS, *KEYS], as_dict=True)
	assert {stored[number] for number in ("phone", "mobile_no")} == {"0161 1234567"}
	assert (stored.lq_phone_key, stored.lq_mobile_key) == (BRITISH, BRITISH)
	assert enrollment(lead).status == "Stopped"


def test_a_number_written_past_all_events_is_found_within_the_hour():
	lead = make_lead(country="United Kingdom", phone="07700 900123")
	other = make_lead(country="United Kingdom", phone="0161 1234567")
	api.opt_out(other.name)
	frappe.db.set_value("Lead", lead.name, "phone", "+44 161 1234567")
	assert enrollment(lead).status == "Active"

	repair()

	assert frappe.db.get_value("Lead", lead.name, "lq_phone_key") == BRITISH
	assert enrollment(lead).status == "Stopped"
	assert repair()["done"] == 0


def test_a_number_that_is_copied_to_another_field_makes_nobody_another_person(count_queries):
	"""ERPNext copies the number of a new lead to its Contact, and from there to the lead's other field."""
	lead = frappe.get_doc("Lead", make_lead(country="United Kingdom", mobile_no="07700 900123").name)
	for value in (None, "07700 900123"):
		lead.phone = value
		with count_queries() as queries:
			lead.save()
		assert not [query for query in queries if "Nurture Enrollment" in query]
	assert lead.lq_phone_key == lead.lq_mobile_key == "+447700900123"


# what came past every event, and what is older than the numbers' keys


@pytest.mark.parametrize("number", ["0161 1234567", "+44 (0)161 123 4567"])
def test_after_the_upgrade_an_old_opt_out_holds_for_every_way_to_write_the_number(number):
	lead = make_lead(country="United Kingdom", phone="44 0161 1234567")
	opted_out = make_lead(country="United Kingdom", phone=number, mobile_no="07700 900123")
	mobile = make_lead(country="United Kingdom", mobile_no="+44 7700 900123")
	for name in KEYS:
		frappe.db.sql(f"update `tabLead` set {name} = null")
	old = frappe.get_doc(
		{
			"doctype": "Contact Opt Out",
			"channel": "All",
			"reason": "Manual",
			"phone": number,
			"lead": opted_out.name,
		}
	)
	old.set_new_name()
	old.db_insert()
	compare_numbers.execute()
	assert frappe.db.get_value("Contact Opt Out", old.name, "phone_key") == BRITISH
	for one in (lead, opted_out, mobile):
		assert is_opted_out(frappe.get_doc("Lead", one.name), "All")
	rows = frappe.db.count("Contact Opt Out")
	compare_numbers.execute()
	assert frappe.db.count("Contact Opt Out") == rows
	repair()
	assert enrollment(lead).status == enrollment(mobile).status == "Stopped"
	assert repair()["done"] == 0


@pytest.fixture
def written_past_every_event(elsewhere):
	"""A lead whose number was changed so, and which the job has found."""
	lead = elsewhere(lambda: make_lead(country="United Kingdom", phone="0161 7654321").name)
	elsewhere(lambda: frappe.db.set_value("Lead", lead, "phone", "0161 1111111"))
	frappe.db.rollback()
	assert lead in person.with_stale_keys(add_to_date(None, hours=-1))
	yield lead
	frappe.db.rollback()
	elsewhere(lambda: frappe.delete_doc("Lead", lead, ignore_missing=True, force=True))


def test_the_job_that_corrects_numbers_takes_back_nothing_that_was_saved_meanwhile(
	written_past_every_event, elsewhere
):
	lead = written_past_every_event

	def save():
		doc = frappe.get_doc("Lead", lead)
		doc.phone = "0161 1234567"
		doc.save()

	elsewhere(save)
	person.correct_keys([lead])
	frappe.db.commit()
	assert frappe.db.get_value("Lead", lead, "lq_phone_key") == BRITISH


def test_the_job_that_corrects_numbers_brings_no_lead_back_that_was_deleted_meanwhile(
	written_past_every_event, elsewhere
):
	lead = written_past_every_event
	elsewhere(lambda: frappe.delete_doc("Lead", lead))
	assert person.correct_keys([lead]) == 0
	frappe.db.commit()
	assert not frappe.db.exists("Lead", lead)


def test_what_frappe_was_told_past_every_event_is_heard_within_the_hour(lead):
	start_on(lead, "Email", "Phone")
	unsubscribed = frappe.get_doc(
		{"doctype": "Email Unsubscribe", "email": lead.email_id, "global_unsubscribe": 1}
	)
	unsubscribed.set_new_name()
	unsubscribed.db_insert()
	assert planned(lead) == ("1. Email", "Email")
	repair()
	assert planned(lead) == ("2. Phone", "Phone")
	assert repair()["done"] == 0


def test_a_box_that_was_ticked_past_every_event_is_seen_within_the_hour(lead):
	start_on(lead, "Email", "Phone")
	frappe.db.set_value("Lead", lead.name, "unsubscribed", 1)
	repair()
	assert planned(lead) == ("2. Phone", "Phone")
	assert repair()["done"] == 0


# who may say so


@pytest.fixture
def qualifier(make_user):
	return make_user("agency@optouts.example", "Lead Qualifier")


def refuse(**values):
	return frappe.get_doc({"doctype": "Contact Opt Out", **values}).insert()


def test_a_qualifier_opts_out_the_person_of_an_own_lead(qualifier, as_user):
	lead = make_lead(lead_owner=qualifier)
	with as_user(qualifier):
		refuse(lead=lead.name, email_id=lead.email_id)
	assert enrollment(lead).status == "Stopped"


def test_a_qualifier_speaks_for_nobody_elses_people(lead, qualifier, as_user):
	own = make_lead(lead_owner=qualifier)
	with as_user(qualifier):
		for values in (
			{"email_id": lead.email_id},
			{"email_id": lead.email_id, "lead": lead.name},
			{"email_id": lead.email_id, "lead": own.name},
			{"phone": BRITISH, "lead": own.name},
			{"email_id": own.email_id, "phone": BRITISH, "lead": own.name},
		):
			with pytest.raises(frappe.PermissionError):
				refuse(**values)
	assert enrollment(lead).status == "Active"


def test_owners_of_the_persons_other_leads_hear_of_it(make_user, doubles, as_user, qualifier):
	rep = make_user("rep@optouts.example", "Sales User")
	own = make_lead(lead_owner=qualifier)
	other = make_lead(lead_owner=rep, email_id=own.email_id)
	with as_user(qualifier):
		api.opt_out(own.name)
	told = frappe.get_all("Notification Log", {"for_user": rep, "document_name": other.name}, pluck="subject")
	assert len(told) == 1 and "no longer wants to be contacted" in told[0]
	assert enrollment(other).status == "Stopped"


# the panel


def test_the_panel_says_what_the_person_does_not_want_since_when_and_why(lead, freeze):
	with freeze("2026-03-03 12:00:00"):
		api.opt_out(lead.name, "Phone", "Complaint")
	(wish,) = api.get_panel(lead.name)["opt_outs"]
	assert (wish["channel"], wish["reason"], str(wish["since"])) == (
		"Phone",
		"Complaint",
		"2026-03-03 12:00:00",
	)
	assert add_to_date(wish["since"], days=1) < now_datetime()
