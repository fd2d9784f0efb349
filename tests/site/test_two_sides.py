"""Marketing and sales are two sides: who sends does not decide, who receives sells, and nobody removes the traces."""

import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready


@pytest.fixture
def marketer(make_user):
	return make_user("mara@sides.example", "Lead Quality Manager")


@pytest.fixture
def agency(make_user):
	return make_user("quinn@sides.example", "Lead Qualifier")


@pytest.fixture
def seller(make_user):
	return make_user("sela@sides.example", "Sales User")


def ready_lead(**values):
	lead = make_lead(**values)
	make_sales_ready(lead.name)
	return lead


def one_person_mode(value: int):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.one_person_mode = value
	settings.save()


# who answers a handover


@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_who_has_sent_a_handover_does_not_answer_it(marketer, seller, as_user, answer):
	lead = ready_lead()
	with as_user(marketer):
		sent = api.send_handover(lead.name, seller)
		with pytest.raises(frappe.PermissionError, match="sent this handover"):
			if answer == "accept":
				api.accept_handover(sent.name)
			else:
				api.reject_handover(sent.name, "Reject: No budget yet")
	assert frappe.db.get_value("Lead Handover", sent.name, "status") == "Sent"


def test_who_has_sent_a_handover_does_not_return_it_for_the_receiver(marketer, seller, as_user):
	lead = ready_lead()
	with as_user(marketer):
		sent = api.send_handover(lead.name, seller)
	with as_user(seller):
		api.accept_handover(sent.name)
	with as_user(marketer), pytest.raises(frappe.PermissionError):
		api.return_handover(sent.name, "Return: Cannot be reached")


@pytest.mark.parametrize("role", ["Lead Quality Manager", "Lead Qualifier", "Sales User", "Sales Manager"])
def test_nobody_hands_a_lead_to_himself(make_user, as_user, role):
	user = make_user("selma@sides.example", role)
	lead = ready_lead(lead_owner=user)
	with as_user(user), pytest.raises(frappe.ValidationError, match=r"yourself|sells"):
		api.send_handover(lead.name, user)


@pytest.mark.parametrize("role", ["Lead Quality Manager", "Lead Qualifier", "Accounts User"])
def test_the_receiver_of_a_handover_sells(make_user, as_user, marketer, role):
	receiver = make_user("rita@sides.example", role)
	lead = ready_lead(lead_owner=receiver)
	with as_user(marketer), pytest.raises(frappe.ValidationError, match="sales role"):
		api.send_handover(lead.name, receiver)


def test_the_role_that_signs_for_sales_receives_too(make_user, as_user, marketer):
	frappe.get_doc({"doctype": "Role", "role_name": "Field Force", "desk_access": 1}).insert()
	settings = frappe.get_doc("Lead Quality Settings")
	settings.sales_role = "Field Force"
	settings.save()
	# the lead is his to work on by another role
	receiver = make_user("fred@sides.example", "Field Force", "Lead Qualifier")
	lead = ready_lead(lead_owner=receiver)
	with as_user(marketer):
		assert api.send_handover(lead.name, receiver).status == "Sent"


def test_who_has_decided_is_kept(marketer, seller, make_user, as_user):
	lead = ready_lead()
	with as_user(marketer):
		sent = api.send_handover(lead.name, seller)
	chief = make_user("chris@sides.example", "Sales Manager")
	with as_user(chief):
		assert api.accept_handover(sent.name).decided_by == chief
	with as_user(seller):
		assert api.return_handover(sent.name, "Return: Cannot be reached").decided_by == seller
	assert not frappe.db.get_value("Lead Handover", sent.name, "is_one_person")


def test_in_one_person_mode_one_does_it_all_and_it_is_marked(make_user, as_user):
	one_person_mode(1)
	user = make_user("solo@sides.example", "Sales User")
	lead = ready_lead(lead_owner=user)
	with as_user(user):
		sent = api.send_handover(lead.name, user)
		accepted = api.accept_handover(sent.name)
	assert (accepted.status, accepted.decided_by, accepted.is_one_person) == ("Accepted", user, 1)


def test_the_form_offers_no_answer_to_who_has_sent_it(marketer, seller, as_user):
	lead = ready_lead()
	with as_user(marketer):
		sent = frappe.get_doc("Lead Handover", api.send_handover(lead.name, seller).name)
		sent.run_method("onload")
		assert not sent.get_onload("may_decide")
	with as_user(seller):
		sent.run_method("onload")
		assert sent.get_onload("may_decide")


# settings and traces


GUARDED = {
	"opportunity_gate": "Off",
	"quotation_gate": "Enforce",
	"customer_gate": "Enforce",
	"marketing_role": "Sales User",
	"sales_role": "Sales User",
	"one_person_mode": 1,
	"separate_qualifier_and_receiver": 1,
}


@pytest.mark.parametrize("field", GUARDED)
def test_gates_roles_and_one_person_mode_are_the_system_managers(marketer, make_user, as_user, field):
	before = frappe.db.get_single_value("Lead Quality Settings", field)
	with as_user(marketer):
		settings = frappe.get_doc("Lead Quality Settings")
		settings.set(field, GUARDED[field])
		settings.stale_after_days = 77
		settings.save()
	assert frappe.db.get_single_value("Lead Quality Settings", field) == before
	assert frappe.db.get_single_value("Lead Quality Settings", "stale_after_days") == 77
	with as_user(make_user("sys@sides.example", "System Manager")):
		settings = frappe.get_doc("Lead Quality Settings")
		settings.set(field, GUARDED[field])
		settings.save()
	assert frappe.db.get_single_value("Lead Quality Settings", field) == GUARDED[field]


def test_a_change_of_the_settings_leaves_a_version(make_user, as_user):
	with as_user(make_user("sys@sides.example", "System Manager")):
		settings = frappe.get_doc("Lead Quality Settings")
		settings.one_person_mode = 1
		settings.save(ignore_version=False)
	versions = frappe.get_all("Version", {"ref_doctype": "Lead Quality Settings"}, ["owner", "data"])
	assert [version.owner for version in versions] == ["sys@sides.example"]
	assert "one_person_mode" in versions[0].data


def test_a_manager_deletes_no_traces(marketer, seller, as_user):
	lead = ready_lead()
	touch = api.log_touch(lead.name, "Phone", "Connected")
	sent = api.send_handover(lead.name, seller)
	with as_user(seller):
		api.reject_handover(sent.name, "Reject: No budget yet")
	opt_out = api.opt_out(lead.name)
	with as_user(marketer):
		for doc in (sent, touch, opt_out):
			assert not frappe.has_permission(doc.doctype, "delete", doc=doc.name)
			with pytest.raises(frappe.PermissionError):
				frappe.delete_doc(doc.doctype, doc.name)


# who still reads a lead that was handed over


@pytest.mark.parametrize("status", ["Sent", "Accepted", "Rejected", "Returned", "Pulled Back"])
def test_a_receiver_reads_a_raw_lead_only_while_it_is_handed_to_him(seller, as_user, status):
	settings = frappe.get_doc("Lead Quality Settings")
	settings.hide_unqualified_leads = 1
	settings.save()
	lead = ready_lead()
	sent = api.send_handover(lead.name, seller)
	# the lead is no longer ready, so that only the handover shows it
	frappe.db.set_value("Lead", lead.name, "lq_verdict", "Open")
	frappe.db.set_value("Lead Handover", sent.name, "status", status)
	may_read = status in {"Sent", "Accepted"}
	with as_user(seller):
		assert frappe.has_permission("Lead", "read", doc=lead.name) is may_read
		assert (lead.name in frappe.get_list("Lead", pluck="name")) is may_read
		assert frappe.has_permission("Lead Handover", "read", doc=sent.name) is may_read


@pytest.mark.parametrize("doctype", ["Lead", "Lead Transfer"])
def test_a_request_that_calls_a_foreign_document_new_is_still_refused(agency, make_user, as_user, doctype):
	"""`__islocal` comes from the request: it would make a copy that belongs to who asks."""
	foreign = make_lead()
	user = agency
	if doctype == "Lead Transfer":
		user = make_user("narrow@sides.example", "Sales Manager")
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Lead", "for_value": make_lead().name}
		).insert()
		foreign = frappe.new_doc("Lead Transfer", from_user=user, give_to="User", started_by="Administrator")
		foreign.set_new_name()
		foreign.db_insert()
	with as_user(user):
		doc = frappe.get_doc(doctype, foreign.name)
		doc.update({"__islocal": 1, "lead_owner": user, "started_by": user})
		assert not doc.has_permission("create")
		with pytest.raises(frappe.PermissionError):
			doc.save()


# functions of ERPNext, and hints


def test_what_erpnext_tells_of_a_lead_is_told_to_who_may_read_it(agency, as_user):
	from frappe import override_whitelisted_method

	own, foreign = make_lead(lead_owner=agency), make_lead()
	name = "erpnext.crm.doctype.lead.lead.get_lead_details"
	details = frappe.get_attr(override_whitelisted_method(name))
	with as_user(agency):
		assert details(lead=own.name)["customer_name"]
		for lead in (foreign.name, "CRM-LEAD-NONE"):
			with pytest.raises(frappe.PermissionError):
				details(lead=lead)


@pytest.mark.parametrize("doctype", ["User", "Competitor", "Supplier"])
def test_a_hint_is_given_to_who_may_read_the_record_that_it_names(agency, make_user, as_user, doctype):
	name = "Nordlicht Vents"
	if doctype == "User":
		name = make_user("colleague@sides.example", "Sales User")
	elif doctype == "Competitor":
		frappe.get_doc({"doctype": "Competitor", "competitor_name": name}).insert()
	else:
		group = frappe.get_all("Supplier Group", {"is_group": 0}, pluck="name", limit=1)[0]
		frappe.get_doc({"doctype": "Supplier", "supplier_name": name, "supplier_group": group}).insert()
		present = frappe.db.get_value("Supplier", {"supplier_name": name})
		if present != name:
			frappe.rename_doc("Supplier", present, name)
	lead = make_lead(
		lead_owner=agency, email_id=name if doctype == "User" else None, company_name="Nordlicht Vents"
	)
	assert name in api.get_panel(lead.name)["hint"]
	with as_user(agency):
		assert not frappe.has_permission(doctype, "read", doc=name)
		assert api.get_panel(lead.name)["hint"] is None


# what visitors say of themselves


@pytest.fixture
def visitor_lead(as_user):
	def enter(**values):
		with as_user("Guest"):
			return make_lead(**values)

	return enter


def test_what_a_visitor_has_filled_in_is_stated_not_observed(visitor_lead):
	from lead_quality.demo.factories import make_checklist, use_checklist

	use_checklist(
		make_checklist("Visitors", [{"criterion": "place", "answer_type": "Text", "lead_field": "city"}])
	)
	told, seen = visitor_lead(city="Hamburg"), make_lead(city="Hamburg")
	grades = [
		frappe.db.get_value(
			"Lead Qualification Answer",
			{"parent": frappe.db.get_value("Lead Qualification", {"lead": lead.name}), "criterion": "place"},
			"evidence_grade",
		)
		for lead in (told, seen)
	]
	assert grades == ["Stated", "Observed"]


def test_a_segment_rule_may_leave_out_what_a_visitor_says(visitor_lead):
	for title, priority, skips in (("Trusted Fair", 1, 1), ("Said Fair", 2, 0)):
		frappe.get_doc(
			{
				"doctype": "Lead Segment",
				"title": title,
				"priority": priority,
				"rules": [{"field": "city", "operator": "=", "value": "Hanau", "not_from_visitors": skips}],
			}
		).insert()
	assert make_lead(city="Hanau").lq_segment == "Trusted Fair"
	assert visitor_lead(city="Hanau").lq_segment == "Said Fair"
