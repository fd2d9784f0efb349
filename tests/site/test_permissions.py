"""Permissions follow the lead."""

import frappe
import pytest
from frappe.client import get_list
from frappe.permissions import add_permission, update_permission_property

from lead_quality import api
from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import make_lead, make_sales_ready
from lead_quality.qualification import segment_trial

FOLLOWERS = [
	"Lead Qualification",
	"Nurture Enrollment",
	"Lead Touch",
	"Lead Handover",
	"Follow Up Clock",
	"Lead Stage Log",
]


@pytest.fixture
def agency(make_user):
	return make_user("agency@outside.example", "Lead Qualifier")


@pytest.fixture
def touch_reader(make_user):
	"""A user whose role reads and writes touches and has no right on leads."""
	frappe.get_doc({"doctype": "Role", "role_name": "Touch Reader", "desk_access": 1}).insert()
	add_permission("Lead Touch", "Touch Reader", 0)
	update_permission_property("Lead Touch", "Touch Reader", 0, "write", 1, validate=False)
	yield make_user("shown@inside.example", "Touch Reader")
	frappe.db.rollback()
	frappe.clear_cache(doctype="Lead Touch")


@pytest.fixture
def sales(make_user):
	return make_user("sales@inside.example", "Sales User")


def worked_on(sales: str, **values):
	"""A lead with a document of every kind that follows it."""
	lead = make_lead(**values)
	api.log_touch(lead.name, "Phone", "Connected")
	make_sales_ready(lead.name)
	api.send_handover(lead.name, sales)
	return lead


def test_an_outside_qualifier_sees_only_own_leads(agency, as_user):
	mine, _theirs = make_lead(lead_owner=agency), make_lead()
	with as_user(agency):
		assert frappe.get_list("Lead", pluck="name") == [mine.name]
		assert frappe.has_permission("Lead", "write", doc=mine.name)


def test_an_outside_qualifier_cannot_open_another_lead(agency, as_user):
	theirs = make_lead()
	with as_user(agency):
		assert not frappe.has_permission("Lead", "read", doc=theirs.name)
		with pytest.raises(frappe.PermissionError):
			api.get_panel(theirs.name)
		with pytest.raises(frappe.PermissionError):
			api.log_touch(theirs.name, "Phone", "Connected")


def test_an_outside_qualifier_sees_leads_that_they_entered_themselves(agency, as_user):
	with as_user(agency):
		lead = make_lead()
		assert frappe.get_list("Lead", pluck="name") == [lead.name]


def test_who_sent_a_handover_sees_what_became_of_it(agency, sales, as_user):
	lead = make_lead(lead_owner=agency)
	with as_user(agency):
		make_sales_ready(lead.name)
		handover = api.send_handover(lead.name, sales)
	with as_user(sales):
		api.accept_handover(handover.name)
	with as_user(agency):
		assert frappe.get_list("Lead Handover", pluck="name") == [handover.name]
		assert frappe.get_doc("Lead Handover", handover.name).has_permission("read")
		assert not frappe.get_doc("Lead Handover", handover.name).has_permission("write")
		assert not frappe.has_permission("Lead", "read", doc=lead.name)


@pytest.mark.parametrize("fieldname", ["source", "territory", "industry", "market_segment"])
def test_an_outside_qualifier_chooses_from_what_a_lead_links_to(agency, as_user, fieldname):
	doctype = frappe.get_meta("Lead").get_field(lead_field(fieldname)).options
	with as_user(agency):
		assert frappe.has_permission(doctype, "select") or frappe.has_permission(doctype, "read")
		assert not frappe.has_permission(doctype, "write")


@pytest.mark.parametrize("doctype", ["Lead", *FOLLOWERS])
def test_an_outside_qualifier_exports_nothing_and_deletes_nothing(agency, as_user, doctype):
	with as_user(agency):
		assert not frappe.has_permission(doctype, "export")
		assert not frappe.has_permission(doctype, "delete")


@pytest.mark.parametrize("doctype", FOLLOWERS)
def test_who_may_not_see_a_lead_sees_none_of_its_documents(agency, sales, as_user, doctype):
	mine, theirs = worked_on(sales, lead_owner=agency), worked_on(sales)
	hidden = frappe.get_all(doctype, {"lead": theirs.name}, pluck="name")
	assert hidden
	with as_user(agency):
		assert set(frappe.get_list(doctype, pluck="lead")) == {mine.name}
		for name in hidden:
			assert not frappe.has_permission(doctype, "read", doc=name)


@pytest.mark.parametrize("doctype", FOLLOWERS)
def test_a_user_permission_on_leads_narrows_their_documents_too(sales, make_user, as_user, doctype):
	reader = make_user("narrow@inside.example", "Sales User")
	mine, theirs = worked_on(sales), worked_on(sales)
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Lead", "for_value": mine.name}
	).insert()
	with as_user(reader):
		assert set(frappe.get_list(doctype, pluck="lead")) == {mine.name}
		name = frappe.db.get_value(doctype, {"lead": theirs.name})
		assert not frappe.has_permission(doctype, "read", doc=name)


@pytest.mark.parametrize("doctype", FOLLOWERS)
def test_a_territory_restriction_narrows_the_documents_of_leads(sales, make_user, as_user, doctype):
	reader = make_user("north@inside.example", "Sales User")
	root = frappe.db.get_value("Territory", {"is_group": 1, "parent_territory": ("is", "not set")})
	for territory in ("North", "South"):
		frappe.get_doc(
			{"doctype": "Territory", "territory_name": territory, "parent_territory": root}
		).insert()
	mine, theirs = worked_on(sales, territory="North"), worked_on(sales, territory="South")
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Territory", "for_value": "North"}
	).insert()
	with as_user(reader):
		seen = set(frappe.get_list(doctype, pluck="lead"))
		assert mine.name in seen
		assert theirs.name not in seen
		assert not frappe.has_permission(
			doctype, "read", doc=frappe.db.get_value(doctype, {"lead": theirs.name})
		)


def test_answers_are_listed_with_the_leads_that_one_sees(agency, sales, as_user):
	mine, theirs = worked_on(sales, lead_owner=agency), worked_on(sales)

	def listed() -> set:
		rows = get_list(
			"Lead Qualification Answer",
			fields=["*"],
			parent="Lead Qualification",
			limit_page_length=1000,
		)
		return {row.parent for row in rows}

	judged = {
		lead: frappe.db.get_value("Lead Qualification", {"lead": lead}) for lead in (mine.name, theirs.name)
	}
	with as_user(agency):
		assert listed() == {judged[mine.name]}
	with as_user(sales):
		assert listed() >= set(judged.values())
	frappe.share.add("Lead Qualification", judged[theirs.name], agency)
	with as_user(agency):
		# the versions differ in what of it a list shows
		assert listed() == set(frappe.get_list("Lead Qualification", pluck="name"))


def test_a_permission_with_a_percent_sign_in_its_name_narrows_and_is_no_error(sales, make_user, as_user):
	frappe.get_doc({"doctype": "Lead Segment", "title": "50% Off", "enabled": 0}).insert()
	reader = make_user("half@inside.example", "Lead Quality Manager")
	mine, theirs = worked_on(sales), worked_on(sales)
	for lead, segment in ((mine, "50% Off"), (theirs, "Inbound")):
		frappe.db.set_value("Lead", lead.name, "lq_segment", segment)
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Lead Segment", "for_value": "50% Off"}
	).insert()
	touches = [
		frappe.db.get_value("Lead Touch", {"lead": lead.name, "status": "Done"}) for lead in (mine, theirs)
	]
	with as_user(reader):
		assert [frappe.has_permission("Lead Touch", "read", doc=name) for name in touches] == [True, False]
		assert set(frappe.get_list("Lead Touch", pluck="lead")) == {mine.name}
		seen = {row.name for row in segment_trial.visible_leads(["name"])}
		assert seen & {mine.name, theirs.name} == {mine.name}


def test_nobody_steers_anothers_lead_by_naming_its_enrollment(agency, as_user):
	mine, theirs = make_lead(lead_owner=agency), make_lead()
	enrollment = frappe.db.get_value("Nurture Enrollment", {"lead": theirs.name})
	with as_user(agency):
		frappe.get_doc(
			{
				"doctype": "Lead Touch",
				"lead": mine.name,
				"enrollment": enrollment,
				"step": "First call",
				"channel": "Phone",
				"outcome": "Negative",
			}
		).insert()
	assert frappe.db.get_value("Nurture Enrollment", enrollment, "status") == "Active"


@pytest.mark.parametrize(
	("doctype", "values"),
	[
		("Nurture Enrollment", {"status": "Finished", "next_due_at": "2040-01-01"}),
		("Lead Touch", {"done_by": "Guest", "is_automatic": 1, "channel": "Email", "status_reason": "Late"}),
	],
)
def test_what_only_the_app_writes_stays_as_it_is(sales, as_user, doctype, values):
	lead = worked_on(sales)
	name = frappe.db.get_value(doctype, {"lead": lead.name, "status": ["in", ["Done", "Active"]]})
	before = frappe.db.get_value(doctype, name, list(values))
	with as_user(sales):
		frappe.get_doc(doctype, name).update(values).save()
	assert frappe.db.get_value(doctype, name, list(values)) == before


def test_being_shown_one_lead_shows_no_document_of_another(sales, touch_reader, as_user):
	reader = touch_reader
	mine, theirs = worked_on(sales), worked_on(sales)
	with as_user(reader):
		assert frappe.get_list("Lead Touch", pluck="lead") == []
	frappe.share.add("Lead", mine.name, reader)
	with as_user(reader):
		assert set(frappe.get_list("Lead Touch", pluck="lead")) == {mine.name}
		name = frappe.db.get_value("Lead Touch", {"lead": theirs.name})
		assert not frappe.has_permission("Lead Touch", "read", doc=name)
		name = frappe.db.get_value("Lead Touch", {"lead": mine.name})
		assert not frappe.has_permission("Lead Touch", "write", doc=name)


def test_opt_outs_are_listed_with_the_leads_that_one_sees(sales, make_user, as_user):
	reader = make_user("narrow@inside.example", "Sales User")
	mine, theirs = make_lead(), make_lead()
	for lead in (mine, theirs):
		api.opt_out(lead.name)
	frappe.get_doc(
		{"doctype": "User Permission", "user": reader, "allow": "Lead", "for_value": mine.name}
	).insert()
	with as_user(reader):
		assert frappe.get_list("Contact Opt Out", pluck="lead") == [mine.name]


def test_a_portal_user_is_not_told_who_sells(make_user, as_user):
	from lead_quality.desk.search import receivers

	with (
		as_user(make_user("portal@outside.example", user_type="Website User")),
		pytest.raises(frappe.PermissionError),
	):
		receivers("User", "", "name", 0, 20)


def test_a_user_without_a_sales_role_calls_nothing(make_user, as_user, sales):
	clerk = make_user("clerk@inside.example", "Accounts User")
	lead = make_lead()
	with as_user(clerk):
		for call in (
			lambda: api.enroll(lead.name),
			lambda: api.snooze(lead.name, "2030-01-01"),
			lambda: api.stop(lead.name, "Stop Early: Company closed"),
			lambda: api.log_touch(lead.name, "Phone", "Connected"),
			lambda: api.qualify(lead.name),
			lambda: api.send_handover(lead.name, sales),
			lambda: api.opt_out(lead.name),
			lambda: api.get_panel(lead.name),
			lambda: api.get_checklist(lead.name),
		):
			with pytest.raises(frappe.PermissionError):
				call()


@pytest.mark.parametrize(
	"function",
	[
		"enroll",
		"snooze",
		"stop",
		"log_touch",
		"qualify",
		"send_handover",
		"accept_handover",
		"reject_handover",
		"return_handover",
		"opt_out",
		"override_gate",
	],
)
def test_what_changes_something_answers_to_post_only(function):
	method = getattr(api, function)
	assert frappe.allowed_http_methods_for_whitelisted_func[method] == ["POST"]


@pytest.mark.parametrize(
	"doctype", ["Lead Segment", "Qualification Checklist", "Nurture Cadence", "Follow Up Policy"]
)
def test_sales_users_read_the_set_up_and_do_not_change_it(sales, as_user, doctype):
	with as_user(sales):
		assert frappe.has_permission(doctype, "read")
		assert not frappe.has_permission(doctype, "write")


def test_a_lead_quality_manager_sets_everything_up(make_user, as_user):
	with as_user(make_user("lqm@inside.example", "Lead Quality Manager")):
		for doctype in ("Lead Segment", "Qualification Checklist", "Lead Quality Settings"):
			assert frappe.has_permission(doctype, "write")


def test_the_standard_permissions_on_leads_are_kept(sales, make_user, as_user):
	with as_user(sales):
		assert frappe.has_permission("Lead", "write")
		assert not frappe.has_permission("Lead", "delete")
	with as_user(make_user("boss@inside.example", "Sales Manager")):
		assert frappe.has_permission("Lead", "delete")
		assert frappe.has_permission("Lead", "export")
