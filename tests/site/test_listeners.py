"""Documents of a site that have nothing to do with a lead are saved as without the app, whatever goes wrong in it."""

from email.message import EmailMessage
from email.utils import format_datetime

import frappe
import pytest
from erpnext.crm.doctype.lead.lead import Lead
from frappe.email.receive import InboundMail
from frappe.utils import add_days, add_to_date, now_datetime, today

from lead_quality import hooks
from lead_quality.base import listeners
from lead_quality.base.versions import lead_field
from lead_quality.demo.factories import make_employee, make_item, make_lead, make_source
from lead_quality.qualification.gate import NotSalesReadyError
from tests.site.helpers import company

FAILED = ("like", "Lead Quality: % failed on %")


def make_customer(name: str = "Bakery Without a Lead"):
	return frappe.get_doc({"doctype": "Customer", "customer_name": name, "customer_type": "Company"}).insert()


def communication(**values):
	return frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Received",
			"sender": "supplier@invoices.example",
			"recipients": "office@company.example",
			"subject": "Invoice 4711",
			"content": "Please find it attached.",
			**values,
		}
	).insert()


def sold(doctype: str, **values):
	item = make_item("Bread")
	rows = [{"item_code": item, "qty": 1, "rate": 10, "delivery_date": add_days(today(), 7)}]
	return frappe.get_doc(
		{"doctype": doctype, "company": company(), "transaction_date": today(), "items": rows, **values}
	).insert()


def make_event(category: str = "Meeting", status: str = "Completed"):
	return frappe.get_doc(
		{
			"doctype": "Event",
			"subject": "Works council",
			"event_category": category,
			"status": status,
			"starts_on": add_to_date(now_datetime(), hours=-2),
			"ends_on": add_to_date(now_datetime(), hours=-1),
		}
	).insert()


def make_holiday_list():
	return frappe.get_doc(
		{
			"doctype": "Holiday List",
			"holiday_list_name": "Of nobody",
			"from_date": "2026-01-01",
			"to_date": "2026-12-31",
			"holidays": [{"holiday_date": "2026-05-01", "description": "May Day"}],
		}
	).insert()


def make_call_log():
	return frappe.get_doc(
		{
			"doctype": "Call Log",
			"id": frappe.generate_hash(),
			"from": "+49301111111",
			"to": "+49302222222",
			"type": "Incoming",
			"status": "Completed",
			"start_time": now_datetime(),
		}
	).insert()


def make_user_without_leads():
	return frappe.get_doc(
		{
			"doctype": "User",
			"email": "cook@canteen.example",
			"first_name": "Cook",
			"send_welcome_email": 0,
			"roles": [{"role": "Employee"}],
		}
	).insert()


def opportunity_of_customer():
	return frappe.get_doc(
		{
			"doctype": "Opportunity",
			"opportunity_from": "Customer",
			"party_name": make_customer().name,
			"company": company(),
		}
	).insert()


def rename_company():
	other = frappe.get_doc(
		{"doctype": "Company", "company_name": "Side Business", "abbr": "SB", "default_currency": "EUR"}
	)
	other.flags.ignore_chart_of_accounts = True
	other.flags.ignore_mandatory = True
	other.insert()
	frappe.rename_doc("Company", other.name, "Side Business Ltd")
	return frappe.get_doc("Company", "Side Business Ltd")


def make_member():
	group = frappe.get_doc({"doctype": "Email Group", "title": "Bakers"}).insert()
	return frappe.get_doc(
		{
			"doctype": "Email Group Member",
			"email_group": group.name,
			"email": "supplier@invoices.example",
			"unsubscribed": 1,
		}
	).insert()


def submitted_order():
	order = sold("Sales Order", customer=make_customer().name, delivery_date=add_days(today(), 7))
	order.submit()
	order.cancel()
	return order


def make_mailed_report():
	return frappe.get_doc(
		{
			"doctype": "Auto Email Report",
			"report": "ToDo",
			"report_type": "Report Builder",
			"user": "Administrator",
			"email_to": "office@company.example",
			"format": "HTML",
			"frequency": "Daily",
		}
	).insert()


# each makes a document of a DocType that we hear of, which has nothing to do with a lead, and changes it once more
UNRELATED = {
	"Communication: a supplier's mail": lambda: communication(),
	"Communication: a mail that we sent": lambda: communication(
		sent_or_received="Sent", sender="office@company.example", recipients="supplier@invoices.example"
	),
	"Communication: a mail on a customer": lambda: communication(
		reference_doctype="Customer", reference_name=make_customer().name
	),
	"Communication: a chat": lambda: communication(communication_medium="Chat"),
	"Communication: an SMS": lambda: communication(communication_medium="SMS", sent_or_received="Sent"),
	"Communication: a call": lambda: communication(communication_medium="Phone"),
	"Communication: a notification": lambda: communication(communication_type="Automated Message"),
	"Call Log": make_call_log,
	"Event: a meeting": lambda: make_event(),
	"Event: without a status": lambda: make_event("Other", "Open"),
	"Auto Email Report": make_mailed_report,
	"User": make_user_without_leads,
	"Employee": lambda: frappe.get_doc("Employee", make_employee(make_user_without_leads().name)),
	"Company": rename_company,
	"Holiday List": make_holiday_list,
	"Customer": make_customer,
	"Opportunity": opportunity_of_customer,
	"Quotation": lambda: sold("Quotation", quotation_to="Customer", party_name=make_customer().name),
	"Sales Order": submitted_order,
	"Transaction Deletion Record": lambda: frappe.get_doc(
		{"doctype": "Transaction Deletion Record", "company": company()}
	).insert(),
	"Lead": lambda: make_lead(),
	"Email Unsubscribe": lambda: frappe.get_doc(
		{"doctype": "Email Unsubscribe", "email": "supplier@invoices.example", "global_unsubscribe": 1}
	).insert(),
	"Contact": lambda: frappe.get_doc(
		{"doctype": "Contact", "first_name": "Supplier", "unsubscribed": 1}
	).insert(),
	"Email Group Member": make_member,
}


def test_every_foreign_doctype_that_we_hear_of_is_among_these():
	foreign = {
		doctype
		for doctype in hooks.doc_events
		if frappe.db.get_value("DocType", doctype, "module") != "Lead Quality"
	}

	assert foreign == {kind.split(":")[0] for kind in UNRELATED}


def failures() -> list[str]:
	return frappe.get_all("Error Log", {"method": FAILED}, pluck="error")


@pytest.mark.parametrize("kind", UNRELATED)
def test_a_document_that_has_nothing_to_do_with_a_lead_is_saved(kind):
	doc = UNRELATED[kind]()
	if doc.docstatus == 0:
		doc.reload().save()

	assert frappe.db.exists(doc.doctype, doc.name)
	assert failures() == []


@pytest.mark.allow_listener_errors
@pytest.mark.parametrize("kind", UNRELATED)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_whatever_goes_wrong_in_a_listener_somebody_elses_document_is_saved(kind, moment, monkeypatch):
	call, savepoint = listeners._call, frappe.db.savepoint
	has_savepoint: list[str] = []
	monkeypatch.setattr(frappe.db, "savepoint", lambda name: has_savepoint.append(name) or savepoint(name))

	def fail(listen, *args, **kwargs):
		writes = bool(has_savepoint)
		has_savepoint.clear()
		if moment == "after":
			call(listen, *args, **kwargs)
		if moment == "after" and writes:
			frappe.db.sql("insert into `tabToDo` (name, description) values (uuid(), 'of the test')")
		frappe.throw("of the test")

	monkeypatch.setattr(listeners, "_call", fail)
	doc = UNRELATED[kind]()
	doc.reload()
	if doc.docstatus == 0:
		doc.save()

	assert frappe.db.exists(doc.doctype, doc.name)
	assert not frappe.db.exists("ToDo", {"description": "of the test"}), "what it had done is not undone"
	assert not [message for message in frappe.local.message_log if "of the test" in str(message)]


@pytest.mark.allow_listener_errors
@pytest.mark.parametrize("kind", UNRELATED)
def test_somebody_elses_document_is_renamed_and_deleted_whatever_goes_wrong_in_a_listener(kind, monkeypatch):
	doc = UNRELATED[kind]()
	monkeypatch.setattr(listeners, "_call", lambda *args, **kwargs: frappe.throw("of the test"))
	name = doc.name
	if doc.meta.allow_rename and doc.docstatus == 0:
		other = f"other-{frappe.generate_hash(length=8)}"
		name = frappe.rename_doc(
			doc.doctype, name, f"{other}@canteen.example" if kind == "User" else other, force=True
		)
		assert frappe.db.exists(doc.doctype, name)
	frappe.delete_doc(doc.doctype, name, force=True)

	assert not frappe.db.exists(doc.doctype, name)
	assert not [message for message in frappe.local.message_log if "of the test" in str(message)]


@pytest.mark.parametrize(
	"what", ["inserted", "saved", "moved to another segment", "hidden", "saved as it comes in"]
)
def test_a_listener_to_a_lead_that_sets_no_savepoint_writes_nothing(what, monkeypatch):
	lead = None if what in {"inserted", "saved as it comes in"} else make_lead(source="Campaign")
	call, savepoint, sql = listeners._call, frappe.db.savepoint, frappe.db.sql
	guarded, heard, written = [], [], []

	def guard(name):
		guarded.append(name)
		return savepoint(name)

	def listen_in(listen, *args, **kwargs):
		heard.append((listen.__name__, bool(guarded)))
		call(listen, *args, **kwargs)
		guarded.clear()
		heard.append(("", True))

	def look(statement, *args, **kwargs):
		text = " ".join(str(statement).split())
		if (
			heard
			and not heard[-1][1]
			and not guarded
			and not text.lower().startswith(("select", "savepoint"))
		):
			written.append((heard[-1][0], text))
		return sql(statement, *args, **kwargs)

	monkeypatch.setattr(frappe.db, "savepoint", guard)
	monkeypatch.setattr(listeners, "_call", listen_in)
	monkeypatch.setattr(frappe.db, "sql", look)
	if what == "saved as it comes in":
		monkeypatch.setattr(Lead, "after_insert", lambda self: self.save())
	if not lead:
		make_lead(source="Campaign")
	else:
		lead.update(
			{
				"moved to another segment": {lead_field("source"): make_source("Exhibition")},
				"hidden": {"disabled": 1, "lq_hidden_reason": "Asked for twice"},
			}.get(what, {"job_title": "Buyer"})
		)
		lead.save()

	assert written == []
	assert ("validate", False) in heard or what == "saved as it comes in"
	if what in {"moved to another segment", "hidden"}:
		assert frappe.db.exists("Comment", {"reference_name": lead.name, "comment_type": "Info"})


@pytest.mark.allow_listener_errors
def test_an_error_names_the_document_and_the_function(monkeypatch):
	monkeypatch.setattr(listeners, "_call", lambda *args, **kwargs: 1 / 0)
	doc = communication()

	log = frappe.get_last_doc("Error Log", {"method": FAILED, "reference_name": doc.name})

	assert log.reference_doctype == "Communication"
	assert doc.name in log.method
	assert "ZeroDivisionError" in log.error


@pytest.mark.allow_listener_errors
def test_a_listener_that_cannot_tell_whether_it_is_concerned_fails_no_document():
	def listen(doc, method=None):
		raise AssertionError("it is not asked")

	doc = communication()
	listeners.listener(listen, concerns=lambda doc: 1 / 0)(doc)

	assert frappe.db.exists("Error Log", {"method": FAILED, "reference_name": doc.name})


@pytest.mark.parametrize("error", [frappe.QueryDeadlockError, frappe.QueryTimeoutError])
def test_a_deadlock_still_rises_as_nothing_is_left_of_the_transaction(error, monkeypatch):
	def broken_off(*args, **kwargs):
		raise error

	monkeypatch.setattr(listeners, "_call", broken_off)

	with pytest.raises(error):
		communication()


def test_what_the_gate_refuses_on_purpose_is_refused():
	frappe.db.set_single_value("Lead Quality Settings", "opportunity_gate", "Enforce")
	frappe.clear_document_cache("Lead Quality Settings", "Lead Quality Settings")
	lead = make_lead()

	with pytest.raises(NotSalesReadyError):
		frappe.get_doc(
			{
				"doctype": "Opportunity",
				"opportunity_from": "Lead",
				"party_name": lead.name,
				"company": company(),
			}
		).insert()


def test_every_function_that_hears_of_a_document_of_another_app_is_a_listener():
	for doctype, events in hooks.doc_events.items():
		if frappe.db.get_value("DocType", doctype, "module") == "Lead Quality":
			continue
		for paths in events.values():
			for path in [paths] if isinstance(paths, str) else paths:
				function = frappe.get_attr(path)
				assert getattr(function, "__wrapped__", None), f"{doctype}: {path} is no listener"


def raw_mail(**headers) -> bytes:
	message = EmailMessage()
	message["From"] = headers.pop("sender", "Supplier <supplier@invoices.example>")
	message["To"] = "office@company.example"
	message["Subject"] = "Invoice 4711"
	message["Date"] = format_datetime(now_datetime().astimezone())
	message["Message-ID"] = f"<{frappe.generate_hash()}@invoices.example>"
	for name, value in headers.items():
		message[name.replace("_", "-")] = value
	message.set_content("Please find it attached.")
	return message.as_bytes()


def email_account(**values):
	return frappe.get_doc(
		{
			"doctype": "Email Account",
			"email_account_name": "Office",
			"email_id": "office@company.example",
			"login_id_is_different": 0,
			"enable_incoming": 0,
			**values,
		}
	).insert(ignore_permissions=True)


def test_a_suppliers_mail_that_comes_in_is_stored():
	stored = InboundMail(raw_mail(), email_account(), 1, 0).process()

	assert frappe.db.get_value("Communication", stored.name, "subject") == "Invoice 4711"


def test_a_mail_to_an_account_that_makes_issues_makes_one():
	stored = InboundMail(raw_mail(), email_account(append_to="Issue"), 1, 0).process()

	assert stored.reference_doctype == "Issue"
	assert frappe.db.get_value("Issue", stored.reference_name, "subject") == "Invoice 4711"
