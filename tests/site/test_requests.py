"""Whatever a request sends: no rule is switched off by it, and what cannot be meant is answered with a sentence."""

import importlib
import inspect
import pkgutil

import frappe
import pytest
from frappe.model import default_fields

from lead_quality import api
from lead_quality.demo.factories import make_lead, make_sales_ready
from tests.modules import import_all

import_all()

DOCTYPES = pytest.mark.parametrize(
	"doctype",
	sorted(
		name.replace("_", " ").title()
		for _finder, name, is_package in pkgutil.iter_modules(
			importlib.import_module("lead_quality.lead_quality.doctype").__path__
		)
		if is_package
	),
)


@DOCTYPES
def test_no_request_replaces_what_a_class_says(doctype):
	"""A controller's attributes and methods, Frappe's own included."""
	controller = frappe.get_doc({"doctype": doctype}).__class__
	names = [name for name in dir(controller) if name not in default_fields]
	for how in ("made", "updated", "set"):
		sent = dict.fromkeys(names, "sent")
		doc = frappe.get_doc({"doctype": doctype, **(sent if how == "made" else {})})
		if how == "updated":
			doc.update(sent)
		elif how == "set":
			for name in names:
				doc.set(name, "sent")
		assert "sent" not in [doc.__dict__.get(name) for name in names]


@DOCTYPES
def test_no_field_has_the_name_of_something_of_its_class(doctype):
	controller = frappe.get_doc({"doctype": doctype}).__class__
	fields = {field.fieldname for field in frappe.get_meta(doctype).fields}
	assert not fields & set(dir(controller))


def test_answers_that_are_not_sent_stay_whatever_else_is_sent(make_user, as_user):
	user = make_user("sela@requests.example", "Sales User")
	lead = make_lead(lead_owner=user)
	judged = make_sales_ready(lead.name)
	sent = {"answers": [], "may_be_partial": 0, "asks_again": 0, "flags": {"ignore_permissions": 1}}
	with as_user(user):
		doc = frappe.get_doc("Lead Qualification", judged.name)
		doc.update(sent)
		doc.save()
	assert {
		row.criterion for row in frappe.get_doc("Lead Qualification", judged.name).answers if row.value
	} == {
		"budget",
		"authority",
		"need",
		"timescale",
	}


def test_a_definition_in_use_stays_whatever_else_is_sent(make_user, as_user):
	make_sales_ready(make_lead().name)
	with as_user(make_user("mara@requests.example", "Lead Quality Manager")):
		doc = frappe.get_doc("Qualification Checklist", "BANT v1")
		doc.update({"used_in": ["ToDo", "name"], "is_used": 0, "pass_rule": "At Least", "at_least": 1})
		with pytest.raises(frappe.ValidationError, match="in use"):
			doc.save()


JUNK = ("zzz", "", None, 0, -1, [], {}, ["zzz"], "<b>", "1e400", "2026-99-99", "x" * 9000, '{"a": ')


STAND_INS = {"lead_quality.overrides.whitelisted", "lead_quality.overrides.exports"}


def functions() -> dict:
	"""Ours. Functions that stand in for Frappe's and ERPNext's own answer as these do."""
	return {
		f"{function.__module__}.{function.__name__}": function
		for function in frappe.whitelisted
		if function.__module__.startswith("lead_quality.")
		and function.__module__ not in STAND_INS
		and "." not in function.__qualname__
	}


@pytest.mark.parametrize("name", sorted(functions()))
def test_a_function_answers_junk_with_a_sentence(name):
	function = functions()[name]
	lead = make_lead()
	make_sales_ready(lead.name)
	parameters = inspect.signature(function).parameters
	known = {
		"lead": lead.name,
		"channel": "Phone",
		"outcome": "Connected",
		"until": "2099-01-01",
		"reason": "Reject: No budget yet",
		"to_user": "Administrator",
		"handover": "none",
		"txt": "",
		"doctype": "User",
		"searchfield": "name",
		"start": 0,
		"page_len": 5,
		"filters": {"lead": lead.name, "applies_to": "Disqualify"},
		"from_user": "Administrator",
		"report": "Leads at Risk",
	}
	needed = {
		name: known.get(name, "none")
		for name, parameter in parameters.items()
		if parameter.default is parameter.empty or name in known
	}
	# the places on a page of a link search are the desk's own, and no function of Frappe's looks at them either
	for argument in set(parameters) - {"start", "page_len"}:
		for junk in JUNK:
			sent = {**needed, argument: junk}
			frappe.db.savepoint("junk")
			try:
				frappe.call(function, **sent)
			except (frappe.ValidationError, frappe.PermissionError) as error:
				assert str(error) or frappe.local.message_log or frappe.flags.error_message
			except TypeError as error:
				# Frappe's own check of types, which answers 417
				assert getattr(error, "http_status_code", 0) == 417, (argument, junk)
			frappe.db.rollback(save_point="junk")
			frappe.clear_messages()


def test_a_lead_that_is_not_there_and_one_that_is_not_shown_are_answered_alike(make_user, as_user):
	foreign = make_lead()
	told = []
	with as_user(make_user("quinn@requests.example", "Lead Qualifier")):
		for function in (
			api.get_panel,
			api.check_gate,
			api.get_checklist,
			api.enroll,
			api.qualify,
			api.opt_out,
		):
			for lead in (foreign.name, "CRM-LEAD-0000-00000"):
				with pytest.raises(frappe.PermissionError) as refused:
					function(lead)
				told.append((type(refused.value), str(refused.value).replace(lead, "LEAD")))
	assert len(set(told)) == 1
