"""What sales ready means is agreed: both sides sign it, and what they signed holds for their leads."""

import frappe
import pytest
from frappe.permissions import add_user_permission
from frappe.utils import fmt_money, get_datetime, now_datetime

from lead_quality import api
from lead_quality.demo.factories import make_agreement, make_checklist, make_lead, make_sales_ready
from lead_quality.desk import search
from lead_quality.follow_up.jobs import sweep_clocks
from lead_quality.handover import jobs
from lead_quality.qualification import agreement as agreements
from lead_quality.qualification.checklists import checklist_for
from lead_quality.qualification.definitions import clear_caches
from lead_quality.qualification.reasons import is_reason_for

DOCTYPE = "Sales Ready Agreement"
MONDAY = "2026-03-02 10:00:00"
BOTH = ("marketing_signed_by", "sales_signed_by")


@pytest.fixture
def marketing(make_user):
	return make_user("marketing@agree.example", "Lead Quality Manager", "Sales User")


@pytest.fixture
def manager(make_user):
	return make_user("mara@agree.example", "Sales Manager", "Sales User", last_name="Manager")


@pytest.fixture
def sales(make_user):
	return make_user("sales@agree.example", "Sales User")


@pytest.fixture
def make(marketing, manager):
	"""`make(company=…, accept_within=…)` returns an agreement that both sides have signed."""
	return lambda **values: make_agreement(marketing, manager, **values)


@pytest.fixture
def waiting(marketing, manager):
	"""An agreement that waits for both signatures."""
	agreement = make_agreement()
	agreement.ask_for_signatures()
	return agreement


def stored(agreement):
	return frappe.get_doc(DOCTYPE, agreement.name)


def status(agreement) -> str:
	return frappe.db.get_value(DOCTYPE, agreement.name, "status")


def told(user: str, doctype: str = DOCTYPE) -> list[str]:
	return frappe.get_all(
		"Notification Log",
		{"for_user": user, "document_type": doctype},
		pluck="subject",
		order_by="creation asc",
	)


def set_settings(**values):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.update(values)
	settings.save()


def ready_lead(owner: str, **values):
	lead = make_lead(lead_owner=owner, **values)
	make_sales_ready(lead.name)
	return lead


def new_checklist_version(name: str = "BANT v1") -> str:
	copy = frappe.get_doc("Qualification Checklist", name).make_new_version()
	copy.criteria[0].label = "What may it cost?"
	copy.status = "Active"
	return copy.save().name


def test_a_fresh_site_has_no_agreement(site):
	assert not frappe.db.count(DOCTYPE)


# signing


def test_an_agreement_is_in_force_once_two_users_have_signed_it(waiting, marketing, manager, as_user):
	with as_user(marketing):
		stored(waiting).sign("Marketing")
	assert status(waiting) == "Awaiting Signature"
	assert agreements.agreement_for(None, None) is None
	with as_user(manager):
		stored(waiting).sign("Sales")
	signed = stored(waiting)
	assert (signed.status, signed.marketing_signed_by, signed.sales_signed_by) == (
		"Active",
		marketing,
		manager,
	)
	assert signed.marketing_signed_on and signed.sales_signed_on
	assert agreements.agreement_for(None, None) == waiting.name


def test_sales_can_sign_before_marketing(waiting, marketing, manager, as_user):
	for user, side in ((manager, "Sales"), (marketing, "Marketing")):
		with as_user(user):
			stored(waiting).sign(side)
	assert status(waiting) == "Active"


def test_who_has_signed_first_is_told_that_it_is_in_force(make, marketing):
	make()
	assert "it is in force" in told(marketing)[-1]


def test_a_draft_cannot_be_signed(marketing, as_user):
	agreement = make_agreement()
	with as_user(marketing), pytest.raises(frappe.ValidationError, match="Send it for signature first"):
		agreement.sign("Marketing")


def test_a_side_signs_once(waiting, make_user, marketing, as_user):
	with as_user(marketing):
		stored(waiting).sign("Marketing")
	with as_user(make_user("second@agree.example", "Lead Quality Manager")):
		with pytest.raises(frappe.ValidationError, match="has signed for Marketing already"):
			stored(waiting).sign("Marketing")


def test_there_are_two_sides_only(waiting):
	with pytest.raises(frappe.ValidationError, match="Marketing, Sales"):
		waiting.sign("Finance")


@pytest.mark.parametrize("side", ["Marketing", "Sales"])
def test_signing_needs_the_role_of_the_side(waiting, sales, as_user, side):
	with as_user(sales), pytest.raises(frappe.PermissionError, match="Only a user with the role"):
		stored(waiting).sign(side)


def test_the_settings_name_the_role_that_signs(waiting, sales, marketing, manager, as_user):
	set_settings(sales_role="Sales User", marketing_role=None)
	with as_user(sales):
		stored(waiting).sign("Sales")
	with as_user(marketing):
		stored(waiting).sign("Marketing")
	assert status(waiting) == "Active"


def test_one_person_cannot_sign_for_both_sides(waiting, make_user, as_user):
	with as_user(make_user("boss@agree.example", "Lead Quality Manager", "Sales Manager")):
		stored(waiting).sign("Marketing")
		with pytest.raises(frappe.ValidationError, match="Ask a second person"):
			stored(waiting).sign("Sales")
	assert status(waiting) == "Awaiting Signature"


def test_in_one_person_mode_one_person_signs_for_both_sides(waiting, make_user, as_user):
	set_settings(one_person_mode=1)
	boss = make_user("boss@agree.example", "Lead Quality Manager", "Sales Manager")
	with as_user(boss):
		stored(waiting).sign("Marketing")
		stored(waiting).sign("Sales")
	assert [stored(waiting).get(field) for field in BOTH] == [boss, boss]
	assert status(waiting) == "Active"


def test_who_may_not_read_it_cannot_sign_it(waiting, make_user, as_user):
	frappe.get_doc({"doctype": "Role", "role_name": "Elsewhere"}).insert()
	set_settings(sales_role="Elsewhere")
	with as_user(make_user("clerk@agree.example", "Elsewhere")), pytest.raises(frappe.PermissionError):
		waiting.sign("Sales")


def test_what_has_changed_since_it_was_read_cannot_be_signed(waiting, manager, as_user):
	as_read = stored(waiting)
	changed = stored(waiting)
	changed.accept_within = 1
	changed.save()
	with as_user(manager), pytest.raises(frappe.TimestampMismatchError):
		as_read.sign("Sales")
	assert not stored(waiting).sales_signed_by


def test_signing_takes_nothing_over_from_the_signers_form(waiting, manager, as_user):
	form = stored(waiting)
	form.update({"accept_within": 99, "marketing_signed_by": manager})
	with as_user(manager):
		form.sign("Sales")
	assert stored(waiting).accept_within == 0
	assert not stored(waiting).marketing_signed_by


def test_both_roles_are_told_of_a_draft_that_is_sent_for_signature_each_user_once(
	marketing, manager, make_user
):
	both = make_user("boss@agree.example", "Lead Quality Manager", "Sales Manager")
	agreement = make_agreement()
	agreement.send_for_signature()
	assert agreement.status == "Awaiting Signature"
	assert [len(told(user)) for user in (marketing, manager, both)] == [1, 1, 1]
	with pytest.raises(frappe.ValidationError, match="already"):
		agreement.send_for_signature()


def test_who_may_not_write_it_cannot_send_it_for_signature(manager, as_user):
	agreement = make_agreement()
	with as_user(manager), pytest.raises(frappe.PermissionError):
		agreement.send_for_signature()


# what only signing sets


def test_a_new_agreement_is_an_unsigned_draft_whatever_was_sent(marketing, manager, as_user):
	with as_user(marketing):
		agreement = frappe.get_doc(
			{
				"doctype": DOCTYPE,
				"checklist": "BANT v1",
				"status": "Active",
				"version": 7,
				"supersedes": None,
				"marketing_signed_by": marketing,
				"marketing_signed_on": MONDAY,
				"sales_signed_by": manager,
				"sales_signed_on": MONDAY,
				"readers": [{"user": manager, "read_on": MONDAY}],
			}
		).insert()
	agreement = stored(agreement)
	assert (agreement.status, agreement.version, agreement.readers) == ("Draft", 1, [])
	assert not any(agreement.get(field) for field in BOTH)


def test_status_signatures_and_readers_cannot_be_written(waiting, marketing, manager, as_user):
	with as_user(manager):
		stored(waiting).confirm_read()
	with as_user(marketing):
		doc = stored(waiting)
		doc.update(
			{
				"status": "Active",
				"version": 9,
				"marketing_signed_by": marketing,
				"marketing_signed_on": MONDAY,
				"sales_signed_by": manager,
				"sales_signed_on": MONDAY,
				"readers": [{"user": marketing, "read_on": MONDAY}],
			}
		)
		doc.save()
	doc = stored(waiting)
	assert (doc.status, doc.version) == ("Awaiting Signature", 1)
	assert not any(doc.get(field) for field in BOTH)
	assert [row.user for row in doc.readers] == [manager]


# changing


@pytest.mark.parametrize(
	"change",
	[
		{"accept_within": 4},
		{"notes": "<p>Call first.</p>"},
		{"segment": "Inbound"},
		{"deadline_unit": "Hours"},
		{"working_calendar": "Office Hours"},
		{"reasons": [{"reason": "Reject: No budget yet"}]},
	],
	ids=lambda change: next(iter(change)),
)
def test_a_change_of_what_was_signed_clears_both_signatures_and_the_readers(make, sales, as_user, change):
	agreement = make()
	with as_user(sales):
		stored(agreement).confirm_read()
	doc = stored(agreement)
	doc.update(change)
	doc.save()
	doc = stored(agreement)
	assert (doc.status, doc.readers) == ("Awaiting Signature", [])
	assert not any(
		doc.get(field) for field in agreements.SIDES["Marketing"][2:] + agreements.SIDES["Sales"][2:]
	)
	assert agreements.agreement_for(None, "Inbound") is None
	assert "choose New Version" in str(frappe.message_log)


def test_both_roles_hear_that_they_have_to_sign_again(make, marketing, manager):
	doc = stored(make())
	doc.accept_within = 4
	doc.save()
	for user in (marketing, manager):
		assert "waits for your signature again" in told(user)[-1]


def test_saving_without_a_change_leaves_it_in_force(make):
	agreement = make(
		accept_within=4, notes="<p>Call first.</p>", reasons=[{"reason": "Reject: No budget yet"}]
	)
	doc = frappe.get_doc({**stored(agreement).as_dict(), "accept_within": "4.0"})
	doc.save()
	assert status(agreement) == "Active"


def test_a_superseded_agreement_cannot_be_changed(make):
	old, _new = make(), make()
	doc = stored(old)
	assert doc.status == "Superseded"
	doc.accept_within = 4
	with pytest.raises(frappe.ValidationError, match="cannot be changed"):
		doc.save()


def test_what_was_signed_is_not_deleted_and_a_draft_is(make):
	with pytest.raises(frappe.ValidationError, match="is kept as the record"):
		frappe.delete_doc(DOCTYPE, make().name)
	frappe.delete_doc(DOCTYPE, make_agreement().name)


def test_a_checklist_that_is_not_active_cannot_be_agreed_on():
	draft = frappe.get_doc("Qualification Checklist", "BANT v1").make_new_version()
	with pytest.raises(frappe.ValidationError, match="Activate it first"):
		make_agreement(checklist=draft.name)


def test_a_reason_is_listed_once():
	with pytest.raises(frappe.ValidationError, match="listed twice"):
		make_agreement(reasons=[{"reason": "Reject: No budget yet"}] * 2)


def test_deadlines_need_a_calendar_from_somewhere():
	frappe.db.set_value("Lead Segment", "Events", "follow_up_policy", None)
	clear_caches()
	with pytest.raises(frappe.ValidationError, match="Choose a working calendar"):
		make_agreement(segment="Events", accept_within=4)
	make_agreement(segment="Events", accept_within=4, working_calendar="Office Hours")
	make_agreement(segment="Inbound", accept_within=4)


# versions


def test_a_new_version_leaves_the_old_one_in_force_until_it_is_signed(make, marketing, manager, as_user):
	old = make(accept_within=8)
	with as_user(marketing):
		new = stored(old).make_new_version()
		new.accept_within = 4
		new.save()
		new.send_for_signature()
		new.sign("Marketing")
	assert (new.version, new.supersedes, new.accept_within) == (2, old.name, 4)
	assert agreements.agreement_for(None, None) == old.name
	with as_user(manager):
		stored(new).sign("Sales")
	assert agreements.agreement_for(None, None) == new.name
	assert status(old) == "Superseded"


def test_only_the_agreement_for_the_very_same_leads_is_superseded(make):
	everywhere, inbound = make(), make(segment="Inbound")
	assert (status(everywhere), status(inbound)) == ("Active", "Active")
	make(segment="Inbound")
	assert (status(everywhere), status(inbound)) == ("Active", "Superseded")


def test_a_new_version_of_the_checklist_asks_both_sides_again_and_the_old_agreement_holds(
	make, marketing, manager, as_user
):
	old = make(segment="Inbound", accept_within=4)
	newer = new_checklist_version()
	new = frappe.get_doc(DOCTYPE, {"supersedes": old.name})
	assert (new.status, new.checklist, new.version, new.accept_within) == (
		"Awaiting Signature",
		newer,
		2,
		4,
	)
	assert agreements.agreement_for(None, "Inbound") == old.name
	lead = make_lead()
	assert checklist_for(lead.name) == "BANT v1"
	for user in (marketing, manager):
		assert "waits for the signatures" in told(user)[-1]
	for user, side in ((marketing, "Marketing"), (manager, "Sales")):
		with as_user(user):
			stored(new).sign(side)
	assert status(old) == "Superseded"
	assert checklist_for(lead.name) == newer


def test_an_agreement_that_waits_for_signatures_moves_on_to_the_new_checklist(
	make, waiting, marketing, as_user
):
	with as_user(marketing):
		stored(waiting).sign("Marketing")
	newer = new_checklist_version()
	doc = stored(waiting)
	assert (doc.checklist, doc.status, doc.marketing_signed_by) == (newer, "Awaiting Signature", None)
	assert frappe.db.count(DOCTYPE) == 1


def test_an_agreement_for_all_companies_stays_so_in_its_next_version(make):
	old = make()
	assert not stored(stored(old).make_new_version()).company


def test_a_new_version_takes_the_checklist_that_is_active_now(make):
	old = make()
	newer = new_checklist_version()
	assert stored(old).make_new_version().checklist == newer


def test_the_title_names_company_segment_and_version(make):
	assert make_agreement().title == "All companies · all segments v1"
	company = frappe.defaults.get_global_default("company")
	assert make_agreement(company=company, segment="Inbound").title == f"{company} · Inbound v1"


# which one holds


def test_the_most_specific_agreement_wins(make):
	company = frappe.defaults.get_global_default("company")
	everywhere = make()
	inbound = make(segment="Inbound")
	of_company = make(company=company)
	both = make(company=company, segment="Inbound")
	for scope, agreement in {
		(company, "Inbound"): both,
		(company, "Events"): of_company,
		("Other", "Inbound"): inbound,
		(None, "Inbound"): inbound,
		("Other", "Events"): everywhere,
		(None, None): everywhere,
	}.items():
		assert agreements.agreement_for(*scope) == agreement.name


def test_asking_for_the_agreement_costs_no_query(make, count_queries):
	agreement = make()
	agreements.agreement_for(None, "Inbound")
	with count_queries() as queries:
		assert agreements.agreement_for(None, "Inbound") == agreement.name
	assert queries.count == 0


def test_a_renamed_segment_keeps_its_agreement(make):
	agreement = make(segment="Inbound")
	agreements.agreement_for(None, "Inbound")
	frappe.rename_doc("Lead Segment", "Inbound", "Incoming")
	assert agreements.agreement_for(None, "Incoming") == agreement.name
	assert agreements.agreement_for(None, "Inbound") is None


def test_a_renamed_company_keeps_its_agreement(make):
	company = frappe.defaults.get_global_default("company")
	agreement = make(company=company)
	agreements.agreement_for(company, None)
	frappe.db.set_value(DOCTYPE, agreement.name, "company", "Renamed")
	frappe.get_doc("Company", company).run_method("after_rename", company, "Renamed", False)
	assert agreements.agreement_for("Renamed", None) == agreement.name


def test_a_lead_is_judged_by_the_checklist_of_its_agreement(make):
	checklist = frappe.copy_doc(frappe.get_doc("Qualification Checklist", "BANT v1"))
	checklist.update({"title": "Signed", "status": "Active"})
	checklist.insert()
	lead = make_lead()
	assert checklist_for(lead.name) == "BANT v1"
	make(checklist=checklist.name, segment="Inbound")
	assert checklist_for(lead.name) == "Signed v1"


# reasons


def test_where_the_agreement_lists_reasons_only_those_count(make, marketing, manager, sales, as_user):
	make(reasons=[{"reason": "Reject: No budget yet"}])
	lead = ready_lead(marketing)
	with as_user(marketing):
		handover = api.send_handover(lead.name, sales)
	with as_user(sales):
		with pytest.raises(frappe.MandatoryError):
			api.reject_handover(handover.name, "Reject: Not a decision maker")
		api.reject_handover(handover.name, "Reject: No budget yet")
	assert is_reason_for("Disqualify: Too small for us", "Disqualify", lead.name)
	assert is_reason_for("Reject: Not a decision maker", "Reject")


def test_a_disabled_reason_does_not_count_though_it_was_agreed_on(make, marketing):
	make(reasons=[{"reason": "Reject: No budget yet"}, {"reason": "Reject: Not a decision maker"}])
	lead = make_lead()
	frappe.db.set_value("Lead Outcome Reason", "Reject: No budget yet", "enabled", 0)
	assert not is_reason_for("Reject: No budget yet", "Reject", lead.name)
	assert is_reason_for("Reject: Not a decision maker", "Reject", lead.name)


def test_only_the_agreed_reasons_are_offered(make, sales, as_user):
	make(reasons=[{"reason": "Reject: No budget yet"}])
	lead = make_lead()

	def offered(purpose: str, text: str = "") -> list[str]:
		filters = {"lead": lead.name, "applies_to": purpose}
		rows = search.reasons("Lead Outcome Reason", text, "name", 0, 20, filters)
		return [row[0] for row in rows]

	with as_user(sales):
		assert offered("Reject") == ["Reject: No budget yet"]
		assert offered("Return", "reach") == ["Return: Cannot be reached"]
		# v16 asks for the name of what was chosen, and clears the field if it is not found
		assert offered("Return", "Return: Cannot be reached") == ["Return: Cannot be reached"]


# handovers


def test_a_handover_keeps_what_it_was_sent_under(make, marketing, sales, as_user):
	agreement = make()
	lead = ready_lead(marketing)
	with as_user(marketing):
		handover = api.send_handover(lead.name, sales)
	assert (handover.agreement, handover.checklist) == (agreement.name, "BANT v1")
	assert (handover.met_count, handover.criteria_count) == (4, 4)
	assert handover.met_criteria == "budget,authority,need,timescale"


def test_the_agreed_deadlines_go_before_the_policys(make, marketing, sales, as_user, freeze):
	make(accept_within=2, first_touch_within=1, segment="Inbound")
	lead = ready_lead(marketing)
	with freeze(MONDAY) as time:
		with as_user(marketing):
			handover = api.send_handover(lead.name, sales)
		assert str(handover.accept_by) == "2026-03-02 12:00:00"
		time.move_to("2026-03-02 11:00:00")
		with as_user(sales):
			api.accept_handover(handover.name)
	due = frappe.db.get_value(
		"Follow Up Clock", {"lead": lead.name, "clock": "First Touch After Acceptance"}, "due_at"
	)
	assert str(due) == "2026-03-02 12:00:00"


def test_a_deadline_of_zero_leaves_it_to_the_policy(make, marketing, sales, as_user, freeze):
	make(accept_within=0)
	lead = ready_lead(marketing)
	with freeze(MONDAY), as_user(marketing):
		handover = api.send_handover(lead.name, sales)
	assert str(handover.accept_by) == "2026-03-03 10:00:00"
	assert handover.pull_back_at is None


def test_the_agreed_clocks_run_without_a_target_of_the_policy_or_a_policy(
	make, marketing, sales, as_user, freeze
):
	make(accept_within=3, deadline_unit="Hours", working_calendar="Office Hours")
	frappe.db.set_value("Lead Segment", "Inbound", "follow_up_policy", None)
	clear_caches()
	lead = ready_lead(marketing)
	with freeze(MONDAY), as_user(marketing):
		handover = api.send_handover(lead.name, sales)
	assert str(handover.accept_by) == "2026-03-02 13:00:00"


# pulled back


@pytest.fixture
def overdue(make, marketing, sales, as_user, freeze):
	"""A handover of Monday 10:00, to be accepted within 4 working hours and pulled back after 8."""
	make(accept_within=4, pull_back_after=8)
	lead = ready_lead(marketing)
	with freeze(MONDAY), as_user(marketing):
		handover = api.send_handover(lead.name, sales)
	assert str(handover.pull_back_at) == "2026-03-03 10:00:00"
	return handover


def acceptance(handover):
	return frappe.db.get_value(
		"Follow Up Clock",
		{"lead": handover.lead, "clock": "Handover Acceptance"},
		["status", "owner_at_breach"],
	)


def test_a_lead_that_nobody_accepts_in_time_goes_back_to_marketing(overdue, marketing, sales):
	frappe.db.set_value("Lead", overdue.lead, "lead_owner", sales)
	assert jobs.pull_back(now=get_datetime("2026-03-03 09:59:59"))["done"] == 0
	assert jobs.pull_back(now=get_datetime("2026-03-03 10:05:00"))["done"] == 1
	handover = frappe.get_doc("Lead Handover", overdue.name)
	assert (handover.status, str(handover.decided_at)) == ("Pulled Back", "2026-03-03 10:05:00")
	lead = frappe.db.get_value("Lead", overdue.lead, ["lq_handover_status", "lead_owner"])
	assert lead == ("Pulled Back", marketing)
	assert "returned to you" in told(marketing, "Lead Handover")[-1]
	assert "returned to marketing" in told(sales, "Lead Handover")[-1]


def test_a_receiver_who_has_lost_sight_of_a_lead_reads_its_number_when_it_is_pulled_back(
	overdue, marketing, sales
):
	far = frappe.get_doc(
		{"doctype": "Territory", "territory_name": "Far Off", "parent_territory": "All Territories"}
	).insert()
	title = frappe.db.get_value("Lead", overdue.lead, "title")
	frappe.db.set_value("Lead", overdue.lead, "territory", "Rest Of The World")
	add_user_permission("Territory", far.name, sales)
	assert jobs.pull_back(now=get_datetime("2026-03-03 10:05:00"))["done"] == 1
	assert not frappe.has_permission("Lead", "read", doc=overdue.lead, user=sales)
	words = next(words for words in told(sales, "Lead Handover") if "returned to marketing" in words)
	assert overdue.lead in words
	assert title not in words
	assert any(title in words for words in told(marketing, "Lead Handover"))


def test_a_holiday_that_came_up_meanwhile_gives_the_receiver_a_day_more(overdue):
	days_off = frappe.get_doc(
		{
			"doctype": "Holiday List",
			"holiday_list_name": "Company Outing",
			"from_date": "2026-01-01",
			"to_date": "2026-12-31",
			"holidays": [{"holiday_date": "2026-03-03", "description": "Outing"}],
		}
	).insert()
	frappe.get_doc("Working Calendar", "Office Hours").update({"holiday_list": days_off.name}).save()
	assert jobs.pull_back(now=get_datetime("2026-03-03 10:05:00"))["done"] == 0
	pulled = frappe.db.get_value("Lead Handover", overdue.name, ["status", "pull_back_at"])
	assert (pulled[0], str(pulled[1])) == ("Sent", "2026-03-04 10:00:00")
	assert jobs.pull_back(now=get_datetime("2026-03-04 10:05:00"))["done"] == 1


@pytest.mark.parametrize("field", ["accept_within", "first_touch_within", "pull_back_after"])
@pytest.mark.parametrize("calendar", ["Office Hours", None])
def test_a_deadline_of_more_than_ten_years_is_refused(make, field, calendar):
	with pytest.raises(frappe.ValidationError, match="more than ten years"):
		make(**{field: 99_999_999}, working_calendar=calendar)


def test_pulling_back_twice_or_late_changes_nothing_more(overdue, marketing):
	late = get_datetime("2026-04-20 08:00:00")
	assert jobs.pull_back(now=late) == {"found": 1, "done": 1, "failed": 0}
	before = frappe.get_doc("Lead Handover", overdue.name).as_dict()
	assert jobs.pull_back(now=late) == {"found": 0, "done": 0, "failed": 0}
	assert frappe.get_doc("Lead Handover", overdue.name).as_dict() == before
	assert len(told(marketing, "Lead Handover")) == 1


@pytest.mark.parametrize("declared", [True, False])
def test_the_receivers_miss_stays_a_miss_declared_or_not(overdue, sales, declared):
	late = get_datetime("2026-03-04 08:00:00")
	if declared:
		sweep_clocks(now=late)
	jobs.pull_back(now=late)
	assert acceptance(overdue) == ("Missed", sales)
	sweep_clocks(now=late)
	assert acceptance(overdue) == ("Missed", sales)


def test_pulled_back_before_its_deadline_the_receiver_has_missed_nothing(
	make, marketing, sales, as_user, freeze
):
	make(accept_within=16, pull_back_after=4)
	lead = ready_lead(marketing)
	with freeze(MONDAY), as_user(marketing):
		handover = api.send_handover(lead.name, sales)
	jobs.pull_back(now=get_datetime("2026-03-02 15:00:00"))
	assert acceptance(handover) == ("Cancelled", None)


def test_a_handover_that_was_answered_is_not_pulled_back(overdue, sales, as_user):
	with as_user(sales):
		api.accept_handover(overdue.name)
	assert jobs.pull_back(now=get_datetime("2026-04-20 08:00:00"))["found"] == 0
	assert frappe.db.get_value("Lead Handover", overdue.name, "status") == "Accepted"


def test_a_pulled_back_lead_can_be_handed_to_somebody_else(overdue, marketing, make_user, as_user):
	jobs.pull_back(now=get_datetime("2026-04-20 08:00:00"))
	other = make_user("other@agree.example", "Sales User")
	with as_user(marketing):
		assert api.send_handover(overdue.lead, other).status == "Sent"


# reading


def test_who_confirms_has_read_it_once(make, sales, as_user):
	agreement = make()
	modified = stored(agreement).modified
	with as_user(sales):
		doc = stored(agreement)
		doc.confirm_read()
		doc.confirm_read()
	after = stored(agreement)
	assert [row.user for row in after.readers] == [sales]
	assert after.readers[0].read_on
	assert after.modified == modified


def test_a_draft_has_nothing_to_confirm(sales, as_user):
	with as_user(sales), pytest.raises(frappe.ValidationError, match="nothing to confirm"):
		make_agreement().confirm_read()


def test_the_form_says_what_is_missing_and_who_has_read_it(waiting, marketing, manager, sales, as_user):
	def state(user: str) -> dict:
		return agreements.signing_state(stored(waiting), user)

	assert state(marketing)["may_sign"] == ["Marketing"]
	assert state(manager)["may_sign"] == ["Sales"]
	assert state(sales)["may_sign"] == []
	assert "marketing: Lead Quality Manager, and of sales: Sales Manager" in state(sales)["intro"]
	with as_user(marketing):
		stored(waiting).sign("Marketing")
	assert state(sales)["intro"] == "Waiting for the signature of sales: Sales Manager"
	assert state(marketing)["may_sign"] == []
	assert {row["user"]: row["has_read"] for row in state(sales)["people"]} == {
		marketing: True,
		manager: False,
	}
	with as_user(manager):
		stored(waiting).confirm_read()
	assert all(row["has_read"] for row in state(sales)["people"])
	assert (state(sales)["may_read"], state(manager)["may_read"]) == (True, False)


def test_the_form_gets_it_all(waiting):
	waiting.run_method("onload")
	assert waiting.get_onload("signing")["may_sign"] == ["Marketing", "Sales"]


# print


@pytest.fixture
def checklist():
	doc = frappe.get_doc(
		{
			"doctype": "Qualification Checklist",
			"title": "Every Kind",
			"status": "Active",
			"pass_rule": "Score",
			"pass_score": 2.5,
			"criteria": [
				{
					"criterion": "budget",
					"label": "What is the budget & from when?",
					"topic": "Budget",
					"answer_type": "Number",
					"pass_operator": ">=",
					"pass_value": "10000",
					"amount_currency": "EUR",
					"weight": 2,
					"mandatory": 1,
				},
				{
					"criterion": "role",
					"label": "Who decides?",
					"answer_type": "Select",
					"options": "Boss\nStudent",
					"pass_operator": "in",
					"pass_value": "Boss",
					"weight": 0.5,
					"knock_out": 1,
				},
				{
					"criterion": "when",
					"label": "When?",
					"answer_type": "Date",
					"pass_operator": ">=",
					"weight": 1,
					"expires_after_days": 90,
				},
			],
			"rules": [
				{
					"criterion": "role",
					"operator": "=",
					"value": "Student",
					"verdict": "Disqualified",
					"outcome_reason": "Disqualify: Too small for us",
				}
			],
		}
	)
	return doc.insert().name


def test_the_print_says_it_all_in_plain_words(make, checklist):
	agreement = make(
		checklist=checklist,
		segment="Inbound",
		accept_within=4,
		pull_back_after=16,
		reasons=[{"reason": "Reject: No budget yet"}, {"reason": "Return: Cannot be reached"}],
		notes="<p>Call <b>first</b>.</p>",
	)
	html = frappe.get_print(DOCTYPE, agreement.name)
	for words in (
		"All companies · Inbound v1",
		"add up to 2.5",
		"Mandatory criteria must be met in any case.",
		"What is the budget &amp; from when?",
		f"at least {fmt_money(10_000, currency='EUR')}",
		"one of Boss",
		"today or later",
		"knock-out",
		"weight 0.5",
		"90 days",
		"If the answer is Student: Disqualified (Too small for us).",
		"within 4 working hours after the handover",
		"16 working hours after the handover goes back to marketing",
		"No budget yet",
		"Cannot be reached",
		"Call <b>first</b>.",
		"Mara Manager",
		str(now_datetime().year),
	):
		assert words in html, words
	assert "Name, date, signature" not in html


def test_the_print_of_an_unsigned_agreement_has_lines_to_sign_on(waiting):
	html = frappe.get_print(DOCTYPE, waiting.name)
	assert html.count("Name, date, signature") == 2
	assert "all of these 4 criteria" in html
	assert "Every enabled reason counts." in html


def test_the_print_format_is_the_default(site):
	assert frappe.get_meta(DOCTYPE).default_print_format == DOCTYPE


# its checklist


@pytest.mark.parametrize("state", ["Awaiting Signature", "Active"])
def test_the_checklist_of_an_agreement_is_neither_changed_nor_made_a_draft_nor_deleted(
	state, marketing, manager
):
	checklist = make_checklist("Agreed", [{"criterion": "a"}])
	agreement = make_agreement(marketing, manager if state == "Active" else None, checklist=checklist.name)
	assert status(agreement) == state
	for change in ({"pass_rule": "At Least", "at_least": 1}, {"status": "Draft"}):
		checklist.reload()
		checklist.update(change)
		with pytest.raises(frappe.ValidationError, match="New Version"):
			checklist.save()
	with pytest.raises(frappe.LinkExistsError, match=r"Sales Ready Agreement.*New Version"):
		frappe.delete_doc(checklist.doctype, checklist.name)


def test_the_checklist_of_a_draft_agreement_can_still_be_changed():
	checklist = make_checklist("Agreed", [{"criterion": "a"}])
	make_agreement(checklist=checklist.name)
	checklist.update({"pass_rule": "At Least", "at_least": 1})
	checklist.save()
	assert frappe.db.get_value(checklist.doctype, checklist.name, "at_least") == 1


def test_who_signs_sees_what_is_new_in_it(make):
	signed = make(accept_within=4)
	draft = frappe.get_doc(DOCTYPE, signed.make_new_version().name)
	draft.accept_within = 2
	draft.save()
	draft.run_method("onload")
	changes = draft.get("__onload").signing["changes"]
	assert len(changes) == 1
	assert "within 2 working hours" in changes[0] and "within 4 working hours" in changes[0]
	signed.run_method("onload")
	assert signed.get("__onload").signing["changes"] == []
