"""Every role × every whitelisted function, DocType, field level, report, card, chart and page: docs/rights.md.

The table is made by asking: real HTTP, real tokens, both versions of Frappe's REST API. What is asked about is found in
the package and in the database; who adds a function with a parameter that is not known here is told so. The rules at the
end hold whatever the kept table says.

`LEAD_QUALITY_RIGHTS=/path/to/rights.md` writes the table there instead of comparing it with docs/rights.md. Run so on
both versions of Frappe, with the same file: where they differ, a cell says so.
"""

import inspect
import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import frappe
import pytest
from frappe.desk.doctype.tag.tag import DocTags
from frappe.utils.global_search import sync_global_search

import lead_quality
from lead_quality import api
from lead_quality.base.report import report_class
from lead_quality.demo.factories import make_agreement, make_checklist, make_lead, make_user
from tests.modules import import_all

VISITOR, PORTAL, BARE, OTHERS = "Visitor", "Portal user", "Desk user", "Other desk user"
OUTSIDERS = (VISITOR, PORTAL, BARE, OTHERS)
QUALIFIER, ADMIN = "Lead Qualifier", "System Manager"
# the columns of the table, to the roles that a user of each has; any number of them give no more than each for itself
ROLES: dict[str, tuple[str, ...]] = {
	VISITOR: (),
	PORTAL: (),
	BARE: ("Employee", "Translator"),
	OTHERS: ("Accounts User", "Purchase User"),
	QUALIFIER: (QUALIFIER,),
	"Sales User": ("Sales User",),
	"Sales Manager": ("Sales Manager",),
	"Lead Quality Manager": ("Lead Quality Manager",),
	ADMIN: (ADMIN,),
}
YES, OWN, NO = "yes", "own", "–"
REFUSED = {401, 403}
VERSION = int(frappe.__version__.split(".")[0])
DOC = Path(__file__).parents[2] / "docs" / "rights.md"
# nobody but who has permission level 1 on Lead Qualification may ever be sent this
SECRET = "73415926"
STALE = "2001-01-01 00:00:00"


def user_of(role: str) -> str | None:
	return None if role == VISITOR else f"table-{role.lower().replace(' ', '-')}@example.com"


def of_module(doctype: str, **filters) -> list[str]:
	return frappe.get_all(doctype, {"module": "Lead Quality", **filters}, pluck="name", order_by="name asc")


# the world


class World:
	"""For each role a client, a lead of its own, and one document of each kind for that; and the same of nobody."""

	def __init__(self, client_of):
		self.key = frappe.generate_hash(length=6)
		self.hidden = f"Hidden {self.key}"
		self.stranger = f"stranger-{self.key}@example.com"
		self.turns = itertools.count()
		for role in ROLES:
			user = user_of(role)
			if user and not frappe.db.exists("User", user):
				make_user(user, *ROLES[role], **({"user_type": "Website User"} if role == PORTAL else {}))
		self.clients = {role: client_of(user_of(role)) for role in ROLES}
		self.checklist = make_checklist(
			f"Rights {self.key}",
			[
				{"criterion": "need", "answer_type": "Text"},
				{"criterion": "margin", "answer_type": "Number", "confidential": 1},
			],
		).name
		self.segment = frappe.get_doc(
			{
				"doctype": "Lead Segment",
				"title": f"Rights {self.key}",
				"priority": 1,
				"checklist": self.checklist,
				"cadence": frappe.get_all("Nurture Cadence", {"status": "Active"}, pluck="name")[0],
				"follow_up_policy": frappe.get_all("Follow Up Policy", pluck="name")[0],
				"rules": [{"field": "city", "operator": "=", "value": self.key}],
			}
		).insert()
		agreement = make_agreement(checklist=self.checklist, segment=self.segment.name)
		agreement.ask_for_signatures()
		unsigned = make_agreement(checklist=self.checklist)
		cadence = frappe.copy_doc(frappe.get_doc("Nurture Cadence", self.segment.cadence))
		cadence.update({"title": f"Rights {self.key}", "status": "Draft"}).insert()
		draft = make_checklist(
			f"Draft {self.key}", [{"criterion": "need", "answer_type": "Text"}], status="Draft"
		)
		# whose methods are called
		self.called = {doc.doctype: doc.name for doc in (self.segment, agreement, cadence, draft)}
		self.called["Sales Ready Agreement", "sign"] = unsigned.name
		self.others = self.make_lead("Administrator")
		self.own = {role: self.make_lead(user_of(role)) for role in ROLES if role not in OUTSIDERS}
		self.documents = {self.others: self.make_documents(self.others)}
		for lead in self.own.values():
			self.documents[lead] = self.make_documents(lead)
		self.prospect = raw("Prospect", self.others, "Administrator")
		self.reports = {doctype: make_report(doctype, self.key) for doctype in doctypes()}
		sync_global_search()
		frappe.db.commit()

	def make_lead(self, owner: str) -> str:
		"""A lead that is found by the world's key: in its city and its name, and as its tag."""
		company = self.hidden if owner == "Administrator" else f"Rights {self.key}"
		lead = make_lead(company_name=company, last_name=self.key, city=self.key, lead_owner=owner)
		DocTags("Lead").add(lead.name, self.key)
		return lead.name

	def make_documents(self, lead: str) -> dict[str, str]:
		"""A document of every kind for a lead: a judgement with a confidential answer, a touch that the owner has made, a
		handover that is over, a mail, and what else there is."""
		owner = owner_of(lead)
		told = self.hidden if lead == self.others else "Heat"
		api.qualify(lead, [{"criterion": "need", "value": told}, {"criterion": "margin", "value": SECRET}])
		touch = api.log_touch(lead, "Phone", outcome="No Answer", note=told).name
		frappe.db.set_value("Lead Touch", touch, {"done_by": owner, "owner": owner})
		mail = frappe.get_doc(
			{
				"doctype": "Communication",
				"communication_type": "Communication",
				"communication_medium": "Email",
				"sent_or_received": "Received",
				"sender": "somebody@lead.example",
				"subject": told,
				"content": told,
				"reference_doctype": "Lead",
				"reference_name": lead,
			}
		).insert(ignore_permissions=True)
		# not before it is saved: an answer of the lead itself would stop its cadence
		mail.db_set("sender", frappe.db.get_value("Lead", lead, "email_id"), update_modified=False)
		made = {"Lead Touch": touch, "Communication": mail.name}
		for doctype in doctypes():
			if doctype in made or is_single(doctype):
				continue
			there = frappe.get_meta(doctype).has_field("lead") and frappe.db.get_value(
				doctype, {"lead": lead}
			)
			made[doctype] = there or raw(doctype, lead, owner)
		return made

	def ways_for(self, role: str, ways: list | tuple) -> list:
		"""All ways to ask, for who works with leads. Outsiders are refused by one rule everywhere, before any of the app:
		they ask in one way after the other."""
		return [self.next_of(ways)] if role in OUTSIDERS else list(ways)

	def next_of(self, ways: list | tuple):
		return ways[next(self.turns) % len(ways)]

	def leads_of(self, role: str) -> list[str]:
		"""Somebody else's lead, and that of the role, if it may have one."""
		return [self.others, *([self.own[role]] if role in self.own else [])]

	def ask(self, role: str, verb: str, path: str, **body):
		"""What a role is answered. Nobody ever hears what he may not know, whatever was asked."""
		client = self.clients[role]
		answer = client.get(path, **body) if verb == "GET" else client.call(verb, path, **body)
		assert answer.status_code < 500, (role, verb, path, body, answer.text)
		if role in (*OUTSIDERS, QUALIFIER):
			assert SECRET not in answer.text, (role, verb, path, body, answer.text)
			assert self.hidden not in answer.text, (role, verb, path, body, answer.text)
		return answer

	def may(self, role: str, verb: str, path: str, **body) -> bool:
		answer = self.ask(role, verb, path, **body)
		assert answer.status_code != 404, (role, verb, path, body, answer.text)
		return answer.status_code not in REFUSED


def doctypes() -> list[str]:
	return of_module("DocType", istable=0)


def is_single(doctype: str) -> bool:
	return bool(frappe.get_meta(doctype).issingle)


# nothing comes of a row that was made past all rules
OVER = {
	"Follow Up Clock": {"status": "Cancelled", "due_at": STALE, "stopped_at": STALE},
	"Follow Up Run": {"status": "Completed", "started_at": STALE, "finished_at": STALE},
	"Lead Handover": {"status": "Rejected", "from_user": "Administrator"},
	"Lead Outcome Reason": {"enabled": 0},
	"Lead Segment": {"enabled": 0},
	"Lead Touch": {"status": "Cancelled"},
	"Lead Transfer": {"status": "Completed"},
	"Nurture Enrollment": {"status": "Stopped"},
}


def raw(doctype: str, lead: str, owner: str) -> str:
	"""The name of a row that was made past all rules, to be asked for, refused or removed."""
	doc = frappe.new_doc(doctype)
	if doc.meta.has_field("lead"):
		doc.lead = lead
	if doc.meta.has_field("started_by"):
		doc.started_by = owner
	doc.update(OVER.get(doctype, {}))
	for field in ("to_user", "user"):
		if doc.meta.has_field(field):
			doc.set(field, owner)
	doc.name = f"rights-{frappe.generate_hash(length=10)}"
	doc.owner = owner
	doc.db_insert()
	if doc.owner != owner:
		doc.db_set("owner", owner, update_modified=False)
	return doc.name


def make_report(doctype: str, key: str) -> str:
	"""The name of a report on a DocType that is no part of the app, and that every role may run."""
	report = frappe.new_doc("Report")
	report.update({"ref_doctype": doctype, "report_type": "Query Report", "query": "select 1 as one"})
	report.name = report.report_name = f"rights-{key} {doctype}"
	report.db_insert()
	return report.name


@pytest.fixture(scope="module")
def world(site, client_of):
	frappe.db.rollback()
	frappe.set_user("Administrator")
	world = World(client_of)
	yield world
	frappe.db.rollback()
	for doctype in of_module("DocType", issingle=0):
		frappe.db.delete(doctype, {"name": ["like", "rights-%"]})
	frappe.db.delete("Prospect", {"name": world.prospect})
	frappe.db.delete("Report", {"name": ["in", list(world.reports.values())]})
	world.segment.db_set("enabled", 0)
	frappe.clear_cache()
	frappe.db.commit()


# functions


def whitelisted() -> dict[str, tuple]:
	"""Every function of the package that a request may call: how the table names it, to the function, and the DocType
	whose method it is."""
	import_all()
	found = {}
	for function in frappe.whitelisted:
		if function.__module__.startswith("lead_quality.") and "." not in function.__qualname__:
			found[f"{function.__module__.removeprefix('lead_quality.')}.{function.__name__}"] = function, None
	for doctype in of_module("DocType"):
		for name, function in inspect.getmembers(
			frappe.get_doc({"doctype": doctype}).__class__, inspect.isfunction
		):
			if function in frappe.whitelisted and function.__module__.startswith("lead_quality."):
				found[f"{doctype}: {name}"] = function, doctype
	return dict(sorted(found.items()))


def in_source() -> int:
	"""How many functions of the package are whitelisted, by its text."""
	package = Path(lead_quality.__file__).parent
	return sum(
		len(re.findall(r"^\s*@frappe\.whitelist\(", path.read_text(), re.M)) for path in package.rglob("*.py")
	)


def reason_for(applies_to: str) -> str:
	return frappe.get_all("Lead Outcome Reason", {"applies_to": applies_to, "enabled": 1}, pluck="name")[0]


def arguments(world: World, function, lead: str) -> dict:
	"""What a function is called with, by the names of its parameters: so that it says no more than that it was allowed,
	and changes nothing."""
	documents = world.documents[lead]
	name = function.__name__
	known = {
		"answers": '[{"criterion": "none"}]',
		"applies_to": "Disqualify",
		"cadence": "none",
		"channel": "none",
		"communication": documents["Communication"],
		"company": "none",
		"criteria": ["none"],
		"decision": "none",
		"dn": lead,
		"doc_name": lead,
		"docs": [lead],
		"doctype": "Opportunity",
		"dt": "Lead",
		"field": "city",
		"filters": "none",
		"following": 0,
		"from_user": user_of("Sales User"),
		"handover": documents["Lead Handover"],
		"lead": lead,
		"move_to": "none",
		"name": documents["Communication"],
		"page_len": 5,
		"prospect": world.prospect,
		"reason": "none",
		"recipe": '{"format": "lead_quality.recipe", "version": 1, "records": []}',
		"ref_docname": lead,
		"ref_doctype": "Lead",
		"reference_doctype": "Lead",
		"reference_name": lead,
		"report": "Leads at Risk",
		"searchfield": "name",
		"segment": world.segment.name,
		"side": "Marketing",
		"start": 0,
		"tag": world.key,
		"tags": json.dumps([world.key]),
		"text": world.key,
		"title": "",
		"to_user": "none",
		"touch": documents["Lead Touch"],
		"txt": "",
		"until": STALE,
		"user": user_of("Sales User"),
	}
	known |= {
		"comment_on_page": {"comment": " ", "comment_email": "a@b.example", "comment_by": "A"},
		"download_template": {
			"doctype": "Lead",
			"export_fields": json.dumps({"Lead": ["name"]}),
			"export_records": "by_filter",
			"export_filters": json.dumps({"name": lead}),
		},
		"export_data": {
			"doctype": "Lead",
			"parent_doctype": "Event",
			"filters": json.dumps({"name": lead}),
		},
		"follow_document": {"doctype": "Lead"},
		"get_link_title": {
			"doctype": "Lead Qualification",
			"docname": documents["Lead Qualification"],
		},
		"get_tagged_docs": {"doctype": "Lead"},
		"search": {"doctype": ""},
		"toggle_like": {"doctype": "Lead", "name": lead},
		"update_follow": {"doctype": "Lead"},
		"get_lead_details": {"doctype": "Quotation"},
		"leads_overdue": {"filters": "[]"},
		"search_link": {"doctype": "Lead", "filters": "{}"},
		"search_widget": {"doctype": "Lead", "filters": "{}"},
		"reject_handover": {"reason": reason_for("Reject")},
		"return_handover": {"reason": reason_for("Return")},
		"preview_transfer": {"to_user": user_of("Sales User")},
		"reasons": {
			"doctype": "Lead Outcome Reason",
			"filters": {"lead": lead, "applies_to": "Disqualify"},
		},
		**{
			search: {"doctype": doctype, "filters": {}}
			for search, doctype in (
				("receivers", "User"),
				("givers", "User"),
				("lead_workers", "User"),
				("lead_rules", "Assignment Rule"),
			)
		},
	}.get(name, {})
	asked = {
		parameter.name: parameter
		for parameter in inspect.signature(function).parameters.values()
		if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
		and parameter.name != "self"
	}
	missing = {parameter.name for parameter in asked.values() if parameter.default is parameter.empty} - set(
		known
	)
	assert not missing, f"say in `arguments` what {name} is called with: {missing}"
	return {parameter: known[parameter] for parameter in asked if parameter in known}


def ways_to_call(world: World, function, doctype: str | None, lead: str) -> list[tuple[str, dict]]:
	"""The ways to call a function by either version of the API. A document's method is called by its name as stored, as a
	form has it, and by its address; the last two ask for the right to write it as well."""
	sent = arguments(world, function, lead)
	method = function.__name__
	if not doctype:
		return [(f"{place}/{function.__module__}.{method}", sent) for place in PLACES_OF_METHODS]
	name = world.called.get((doctype, method)) or world.called[doctype]
	called = {"method": method, "args": json.dumps(sent)}
	return [
		("method/run_doc_method", {"dt": doctype, "dn": name, **called}),
		("method/run_doc_method", {"docs": frappe.get_doc(doctype, name).as_json(), **called}),
		(f"resource/{doctype}/{name}", {"run_method": method, **sent}),
		(f"v2/document/{doctype}/{name}/method/{method}", sent),
	]


def leads_asked_about(world: World, role: str, function) -> list[str]:
	leads = world.leads_of(role)
	if arguments(world, function, leads[0]) == arguments(world, function, leads[-1]):
		return leads[:1]
	return leads


def may_call(world: World, role: str, function, doctype: str | None, lead: str) -> bool:
	"""Whether a role may call a function for a lead: alike by both versions of the API."""
	ways = world.ways_for(role, ways_to_call(world, function, doctype, lead))
	told = [world.may(role, "POST", path, **sent) for path, sent in ways]
	assert max(told) == told[0], (role, function, told)
	assert doctype or min(told) == told[0], (role, function, told)
	return told[0]


@pytest.fixture(scope="module")
def functions(world) -> dict:
	"""Function to role to whether it may call it: for every lead, for its own, or not."""
	found = {}
	for name, (function, doctype) in whitelisted().items():
		found[name] = {}
		for role in ROLES:
			leads = leads_asked_about(world, role, function)
			# who may call it for leads of others may so for his own
			told = next((lead for lead in leads if may_call(world, role, function, doctype, lead)), None)
			found[name][role] = {world.others: YES, None: NO}.get(told, OWN)
			frappe.db.rollback()
	return found


# DocTypes

READ, WRITE, CREATE, DELETE = "read", "write", "create", "delete"
PRINT, EXPORT = "print", "export"
MORE = (PRINT, "email", "report", EXPORT, "import", "share")
RIGHTS = (READ, WRITE, CREATE, DELETE, *MORE)
# what is asked about all documents of a DocType, not about one
OF_DOCTYPES = (CREATE, "report", EXPORT, "import")
PLACES = ("resource", "v2/document")
PLACES_OF_METHODS = ("method", "v2/method")
METHODS_BESIDE = dict(zip(PLACES, PLACES_OF_METHODS, strict=True))


def rights_on(world: World, role: str, doctype: str, lead: str) -> list[str]:
	"""What a role may do with a document that belongs to a lead, as both versions of the API answer."""
	said = as_frappe_says(world, role, doctype, lead)
	found = []
	for right, ask in ASKS.items():
		# the methods of both versions are the same: they are asked in turn
		places = [world.next_of(PLACES)] if right in MORE else world.ways_for(role, PLACES)
		told = [ask(world, role, doctype, lead, place, right in said) for place in places]
		assert len(set(told)) == 1, (role, doctype, right, told)
		assert told[0] <= (right in said or is_more(role, right, found)), (role, doctype, right)
		found += [right] if told[0] else []
	assert READ in found or not set(found) - set(OF_DOCTYPES), (role, doctype, found)
	if not is_single(doctype):
		name = world.documents[lead][doctype]
		assert listed(world, role, doctype, name) == (READ in found), (role, doctype, "list")
	return sorted(found, key=RIGHTS.index)


def as_frappe_says(world: World, role: str, doctype: str, lead: str) -> list[str]:
	"""What a role may do with a document that belongs to a lead, by Frappe's own check."""
	user = user_of(role) or "Guest"
	doc = frappe.get_doc(doctype, doctype if is_single(doctype) else world.documents[lead][doctype])
	return [
		right
		for right in RIGHTS
		if frappe.has_permission(doctype, right, doc=None if right in OF_DOCTYPES else doc, user=user)
	]


def address(world: World, doctype: str, lead: str, place: str) -> str:
	return f"{place}/{doctype}/{doctype if is_single(doctype) else world.documents[lead][doctype]}"


def reads(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	return world.may(role, "GET", address(world, doctype, lead, place))


def writes(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	return world.may(role, "PUT", address(world, doctype, lead, place), modified=STALE)


def creates(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	meta = frappe.get_meta(doctype)
	if meta.issingle:
		return False
	values = {"lead": lead, "user": owner_of(lead)}
	body = {field: value for field, value in values.items() if meta.has_field(field)}
	answer = world.ask(role, "POST", f"{place}/{doctype}", idx=1, **body)
	if answer.status_code == 200:
		frappe.db.rollback()
		frappe.db.delete(doctype, {"name": answer.json()["data"]["name"]})
		frappe.db.commit()
	return answer.status_code not in REFUSED


def deletes(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	if is_single(doctype):
		return False
	if not may:
		return world.may(role, "DELETE", address(world, doctype, lead, place))
	gone = raw(doctype, lead, owner_of(lead))
	frappe.db.commit()
	may = world.may(role, "DELETE", f"{place}/{doctype}/{gone}")
	frappe.db.rollback()
	assert may or frappe.db.exists(doctype, gone)
	frappe.db.delete(doctype, {"name": gone})
	frappe.db.commit()
	return may


def owner_of(lead: str) -> str:
	return frappe.db.get_value("Lead", lead, "lead_owner")


def is_more(role: str, right: str, found: list[str]) -> bool:
	"""Whether Frappe answers more than the permissions say: who reads may print, and System Managers export what they
	read."""
	return READ in found and (right == PRINT or (right == EXPORT and role == ADMIN))


def name_of(world: World, doctype: str, lead: str) -> str:
	return doctype if is_single(doctype) else world.documents[lead][doctype]


def prints_it(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	"""By the function that the desk's print view calls, or by the page that it opens. A PDF takes more than the machine
	may have, so it is asked for where it is refused."""
	name = name_of(world, doctype, lead)
	method = METHODS_BESIDE[place]
	# a row that was made past all rules may lack what its print format shows
	function = f"{method}/frappe.www.printview.get_html_and_style"
	told = world.ask(role, "POST", function, doc=doctype, name=name).status_code not in REFUSED
	if told or world.next_of((True, False)):
		page = world.clients[role].page("printview", doctype=doctype, name=name)
		assert role not in (*OUTSIDERS, QUALIFIER) or SECRET not in page.text, (role, doctype)
		assert (page.status_code not in REFUSED) == told, (role, doctype, page.status_code)
	else:
		pdf = f"{method}/frappe.utils.print_format.download_pdf"
		assert not world.may(role, "GET", pdf, doctype=doctype, name=name)
	return told


def mails(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	"""A mail about a document, which is kept and not sent."""
	path = f"{METHODS_BESIDE[place]}/frappe.core.doctype.communication.email.make"
	sent = {
		"doctype": doctype,
		"name": name_of(world, doctype, lead),
		"subject": world.key,
		"content": world.key,
	}
	told = world.may(role, "POST", path, **sent)
	frappe.db.rollback()
	made = frappe.get_all("Communication", {"reference_doctype": doctype, "subject": world.key}, pluck="name")
	assert bool(made) == told, (role, doctype)
	for name in made:
		frappe.delete_doc("Communication", name, force=True)
	frappe.db.commit()
	return told


def reports_on(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	"""A report that somebody has made of a DocType: its script, or its rows."""
	function = world.next_of(("run", "get_script", "get_script"))
	path = f"{METHODS_BESIDE[place]}/frappe.desk.query_report.{function}"
	return world.may(role, "POST", path, report_name=world.reports[doctype])


def exports(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	"""By a list's menu, by Data Export, or by the template of a Data Import. The parent that Data Export is told of is one
	that everybody may export."""
	if is_single(doctype):
		return False
	filters = json.dumps({"name": name_of(world, doctype, lead)})
	function, sent = world.next_of(
		(
			(
				"desk.reportview.export_query",
				{
					"fields": json.dumps([f"`tab{doctype}`.`name`"]),
					"filters": filters,
					"file_format_type": "CSV",
					"view": "Report",
				},
			),
			(
				"core.doctype.data_export.exporter.export_data",
				{"parent_doctype": "Event", "filters": filters},
			),
			(
				"core.doctype.data_import.data_import.download_template",
				{
					"export_fields": json.dumps({doctype: ["name"]}),
					"export_records": "by_filter",
					"export_filters": filters,
				},
			),
		)
	)
	return world.may(role, "POST", f"{METHODS_BESIDE[place]}/frappe.{function}", doctype=doctype, **sent)


def imports(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	"""A Data Import: its document must be made, and that takes a right of its own."""
	answer = world.ask(
		role,
		"POST",
		f"{place}/Data Import",
		reference_doctype=doctype,
		import_type="Insert New Records",
	)
	if answer.status_code == 200:
		frappe.db.rollback()
		frappe.db.delete("Data Import", {"name": answer.json()["data"]["name"]})
		frappe.db.commit()
	return answer.status_code == 200


def shares(world: World, role: str, doctype: str, lead: str, place: str, may: bool) -> bool:
	"""With somebody who has no role of the app."""
	name = name_of(world, doctype, lead)
	sent = {"doctype": doctype, "name": name, "user": user_of(BARE)}
	told = world.may(role, "POST", f"{METHODS_BESIDE[place]}/frappe.share.add", **sent)
	frappe.db.rollback()
	share = {"share_doctype": doctype, "share_name": name}
	assert bool(frappe.db.exists("DocShare", share)) == told, (role, doctype)
	frappe.db.delete("DocShare", share)
	frappe.db.delete(
		"Comment", {"comment_type": "Shared", "reference_doctype": doctype, "reference_name": name}
	)
	frappe.db.commit()
	return told


ASKS = {
	READ: reads,
	WRITE: writes,
	CREATE: creates,
	DELETE: deletes,
	PRINT: prints_it,
	"email": mails,
	"report": reports_on,
	EXPORT: exports,
	"import": imports,
	"share": shares,
}


def listed(world: World, role: str, doctype: str, name: str) -> bool:
	"""Whether lists and counts know a document, all alike."""
	filters = json.dumps({"name": name})
	told = []
	ways = (f"resource/{doctype}", f"v2/document/{doctype}", f"v2/doctype/{doctype}/count")
	for path in world.ways_for(role, ways):
		answer = world.ask(role, "GET", path, filters=filters)
		known = answer.json().get("data") or answer.json().get("message")
		told.append(answer.status_code == 200 and bool(known))
	assert len(set(told)) == 1, (role, doctype, told)
	return told[0]


@pytest.fixture(scope="module")
def documents(world) -> dict:
	"""DocType to role to the rights on documents of others, and on its own."""
	found = {}
	for doctype in doctypes():
		found[doctype] = {}
		for role in ROLES:
			rights = rights_on(world, role, doctype, world.others)
			found[doctype][role] = [rights]
			if role in world.own and differs_on_own(world, role, doctype, rights):
				found[doctype][role].append(rights_on(world, role, doctype, world.own[role]))
	return found


def differs_on_own(world: World, role: str, doctype: str, rights: list[str]) -> bool:
	"""Whether a role may have other rights on its own documents than those that it has on those of others."""
	own = as_frappe_says(world, role, doctype, world.own[role])
	return own != as_frappe_says(world, role, doctype, world.others) or set(own) - set(MORE) != set(
		rights
	) - set(MORE)


def in_words(rights: list[list[str]], among: tuple[str, ...]) -> str:
	others, own = ([right for right in told if right in among] for told in (rights[0], rights[-1]))
	words = ", ".join(others) or NO
	return (
		words if others == own else f"own: {', '.join(own)}" + ("" if words == NO else f"; others: {words}")
	)


# rows of tables


@pytest.fixture(scope="module")
def rows(world, documents) -> dict:
	"""Table (child DocType) to its parents, and to role to what it may do with a row: read it, or nothing."""
	found = {}
	for child in of_module("DocType", istable=1):
		fields = frappe.get_all(
			"DocField",
			{"options": child, "fieldtype": "Table"},
			["parent", "fieldname"],
			order_by="parent asc",
		)
		table = fields[0]
		cells = {}
		for role in ROLES:
			told = []
			for lead in world.leads_of(role)[: len(documents[table.parent][role])]:
				parent = world.documents[lead][table.parent]
				row = frappe.new_doc(child)
				row.update({"parent": parent, "parenttype": table.parent, "parentfield": table.fieldname})
				row.name = f"rights-{frappe.generate_hash(length=10)}"
				row.db_insert()
				frappe.db.commit()
				of_parent = READ in documents[table.parent][role][len(told)]
				places = world.ways_for(role, PLACES)
				read = {world.may(role, "GET", f"{place}/{child}/{row.name}") for place in places}
				assert read == {of_parent}, (role, child, read)
				# the other ways: test_child_rows.py
				verb, place = world.next_of((("PUT", "v2/document"), ("DELETE", "resource")))
				assert not world.may(role, verb, f"{place}/{child}/{row.name}", idx=7)
				frappe.db.rollback()
				assert frappe.db.get_value(child, row.name, "idx") == row.idx, (role, child)
				frappe.db.delete(child, {"name": row.name})
				frappe.db.commit()
				told.append([READ] if of_parent else [])
			cells[role] = told
		found[child] = [field.parent for field in fields], cells
	return found


# fields with a level of their own


def levelled() -> list[tuple[str, str | None, object]]:
	"""The fields of the app's DocTypes above level 0: DocType, table field of a row's parent, field."""
	found = []
	for doctype in doctypes():
		meta = frappe.get_meta(doctype)
		found += [(doctype, None, field) for field in meta.fields if field.permlevel]
		for table in meta.get_table_fields():
			fields = frappe.get_meta(table.options).fields
			found += [(doctype, table.fieldname, field) for field in fields if field.permlevel]
	return found


def other_value(field, present):
	if field.fieldtype == "Check":
		return 1 - int(present or 0)
	if field.fieldtype == "Select":
		return next(option for option in field.options.split("\n") if option and option != present)
	if field.fieldtype == "Link":
		return "Sales User" if present != "Sales User" else "Accounts User"
	return "8"


def on_level(world: World, role: str, doctype: str, table: str | None, field, name: str) -> list[str]:
	"""Whether a role is told a field's value, and whether the value that it sends is kept."""

	def holder():
		doc = frappe.get_doc(doctype, name)
		return next(row for row in doc.get(table) if row.criterion == "margin") if table else doc

	before = holder().get(field.fieldname)
	found, value = [], other_value(field, before)
	told, kept = [], []
	for place in PLACES:
		answer = world.ask(role, "GET", f"{place}/{doctype}/{name}")
		if answer.status_code in REFUSED:
			return []
		seen = answer.json()["data"]
		if table:
			seen = next(row for row in seen[table] if row["criterion"] == "margin")
		told.append(before is None or seen.get(field.fieldname) is not None)
		body = {field.fieldname: value}
		if table:
			stored = frappe.get_doc(doctype, name).get(table)
			sent = [json.loads(row.as_json()) for row in stored]
			body = {table: [{**row, **(body if row["criterion"] == "margin" else {})} for row in sent]}
		world.ask(role, "PUT", f"{place}/{doctype}/{name}", **body)
		frappe.db.rollback()
		kept.append(str(holder().get(field.fieldname)) == str(value))
		if kept[-1]:
			doc = frappe.get_doc(doctype, name)
			row = next(row for row in doc.get(table) if row.criterion == "margin") if table else doc
			row.db_set(field.fieldname, before, update_modified=False)
			frappe.db.commit()
			frappe.clear_document_cache(doctype, name)
	assert len(set(told)) == len(set(kept)) == 1, (role, doctype, field.fieldname, told, kept)
	found += [READ] if told[0] else []
	found += [WRITE] if kept[0] else []
	return found


@pytest.fixture(scope="module")
def levels(world) -> dict:
	"""Field above level 0 to role to what it may do with it, on a document that it may change else."""
	frappe.get_doc("Lead Quality Settings").save()
	for documents in world.documents.values():
		frappe.db.set_value(
			"Lead Qualification Answer",
			{"parent": documents["Lead Qualification"], "criterion": "margin"},
			"confidential_note",
			SECRET,
		)
	frappe.db.commit()
	found = {}
	for doctype, table, field in levelled():
		what = f"{doctype}: {field.label} (`{field.fieldname}`)"
		found[what] = {}
		for role in ROLES:
			lead = world.leads_of(role)[-1]
			name = doctype if is_single(doctype) else world.documents[lead][doctype]
			found[what][role] = on_level(world, role, doctype, table, field, name)
	return found


# reports, cards, charts and pages


def ways() -> dict[str, tuple[str, dict]]:
	"""What the desk shows, to how it is asked for."""
	found = {}
	for name in of_module("Report"):
		sent = {"report_name": name, "filters": "{}"}
		found[f"Report {name}"] = "frappe.desk.query_report.run", sent
		export = {**sent, "file_format_type": "CSV", "visible_idx": "[]"}
		found[f"Report {name}, export"] = "frappe.desk.query_report.export_query", export
	for name in of_module("Number Card"):
		card = frappe.get_doc("Number Card", name)
		if card.type == "Custom":
			found[f"Number card {name}"] = card.method, {}
		else:
			found[f"Number card {name}"] = (
				"frappe.desk.doctype.number_card.number_card.get_result",
				{"doc": card.as_json(), "filters": card.filters_json},
			)
	for name in of_module("Dashboard Chart"):
		chart = frappe.get_doc("Dashboard Chart", name)
		source = frappe.scrub(chart.source or "")
		method = (
			f"lead_quality.lead_quality.dashboard_chart_source.{source}.{source}.get"
			if chart.chart_type == "Custom"
			else "frappe.desk.doctype.dashboard_chart.dashboard_chart.get"
		)
		found[f"Chart {name}"] = method, {"chart_name": name}
	for name in of_module("Page"):
		found[f"Page {frappe.db.get_value('Page', name, 'title')}"] = (
			"frappe.desk.desk_page.getpage",
			{"name": name},
		)
	return found


def prints(world: World) -> dict[str, tuple[str, dict]]:
	"""The print formats, to how one asks for a document in them."""
	found = {}
	for name in of_module("Print Format"):
		doctype = frappe.db.get_value("Print Format", name, "doc_type")
		sent = {"doc": doctype, "name": world.called[doctype], "print_format": name}
		found[f"Print format {name}"] = "frappe.www.printview.get_html_and_style", sent
	return found


@pytest.fixture(scope="module")
def views(world) -> dict:
	"""Report, card, chart, page, print format or workspace to role to whether it is shown."""
	found = {}
	for name in of_module("Workspace"):
		found[f"Workspace {name}"] = {role: YES if name in workspaces(world, role) else NO for role in ROLES}
	for what, (method, sent) in {**ways(), **prints(world)}.items():
		found[what] = {}
		for role in ROLES:
			place = world.next_of(PLACES_OF_METHODS)
			found[what][role] = YES if world.may(role, "POST", f"{place}/{method}", **sent) else NO
	return found


def workspaces(world: World, role: str) -> set[str]:
	"""The workspaces that the desk offers to a role."""
	answer = world.ask(
		role, "POST", f"{world.next_of(PLACES_OF_METHODS)}/frappe.desk.desktop.get_workspace_sidebar_items"
	)
	if answer.status_code != 200:
		return set()
	told = answer.json()
	return {page["name"] for page in (told.get("message") or told["data"])["pages"]}


# the page


def table(first: str, found: dict[str, dict[str, str]]) -> list[str]:
	head = f"| {first} | {' | '.join(ROLES)} |"
	lines = [f"| {what} | {' | '.join(cells[role] for role in ROLES)} |" for what, cells in found.items()]
	return [head, "|---" * (len(ROLES) + 1) + "|", *lines]


def test_the_table_is_that_of_docs_rights_md(functions, documents, rows, levels, views):
	def words(found: dict, among: tuple[str, ...] = RIGHTS) -> dict:
		return {
			what: {role: in_words(told, among) for role, told in cells.items()}
			for what, cells in found.items()
		}

	made = {
		"Documents": table("Document", words(documents, RIGHTS[:4])),
		"Print, mail, export, share": table("Document", words(documents, MORE)),
		"Rows of tables": table(
			"Row",
			words({f"{child}, of {' and '.join(of)}": cells for child, (of, cells) in rows.items()}),
		),
		"Protected fields": table(
			"Field",
			words({what: {role: [told] for role, told in cells.items()} for what, cells in levels.items()}),
		),
		"Functions": table("Function", {f"`{name}`": cells for name, cells in functions.items()}),
		"Reports, cards, charts, pages, prints, workspaces": table("What", views),
	}
	kept = DOC.read_text()
	target = os.environ.get("LEAD_QUALITY_RIGHTS")
	if target and Path(target).exists():
		kept = Path(target).read_text()
	page = filled(kept, made)
	if target:
		Path(target).write_text(page)
		return
	assert page == kept, "docs/rights.md says something else: see the docstring of this file"


def filled(page: str, made: dict[str, list[str]]) -> str:
	"""The page with the tables that were made, each in place of the one under its heading. A cell that the other version
	of Frappe fills otherwise keeps what it says of that."""
	for heading, lines in made.items():
		before, found, after = page.partition(f"\n## {heading}\n")
		assert found, f"docs/rights.md has no heading {heading}"
		section, border, rest = after.partition("\n## ")
		kept = [line for line in section.split("\n") if line.startswith("|")]
		words = [line for line in section.split("\n") if not line.startswith("|")]
		merged = [merge(kept_line(kept, line) or line, line) for line in lines]
		while words and not words[-1]:
			words.pop()
		section = "\n".join([*words, "", *merged, ""])
		page = before + found + section + border + rest
	return page


def kept_line(kept: list[str], made: str) -> str | None:
	"""The line about the same thing: its first cell may say more of that after a colon, which stays."""
	first = made.split(" | ")[0]
	return next((line for line in kept if (line.split(" | ")[0] + ": ").startswith(first + ": ")), None)


def merge(kept: str, made: str) -> str:
	"""A line of the table that holds for both versions of Frappe: as kept for the other one, as made for this one."""
	other = 31 - VERSION
	cells = []
	if "---" in made:
		return made
	kept_cells, made_cells = kept.strip("| ").split(" | "), made.strip("| ").split(" | ")
	made_cells[0] = kept_cells[0]
	if len(kept_cells) != len(made_cells):
		return f"| {' | '.join(made_cells)} |"
	for old, new in zip(kept_cells, made_cells, strict=True):
		said = re.fullmatch(r"v15: (.*); v16: (.*)", old)
		of_other = said[1 if other == 15 else 2] if said else old
		by_version = {VERSION: new, other: of_other}
		cells.append(new if new == of_other else f"v15: {by_version[15]}; v16: {by_version[16]}")
	return f"| {' | '.join(cells)} |"


# what holds, whatever the table says


def test_every_whitelisted_function_is_found():
	names = {function for function, _doctype in whitelisted().values()}
	assert len(names) == in_source()


def test_what_changes_something_answers_to_no_get(world, database):
	"""Whatever way it is called; and what answers to GET leaves every table as it was."""
	tables = [
		f"`tab{doctype}`"
		for doctype in [
			*of_module("DocType", issingle=0),
			"Lead",
			"Communication",
			"Comment",
			"File",
			"Version",
		]
	]

	def state():
		database.rollback()
		return database.sql(f"checksum table {', '.join(tables)}, `tabSingles`")

	before = state()
	for name, (function, doctype) in whitelisted().items():
		for path, sent in ways_to_call(world, function, doctype, world.others):
			query = {
				key: value if isinstance(value, str | int) else json.dumps(value)
				for key, value in sent.items()
			}
			is_open = world.may(ADMIN, "GET", path, **query)
			assert is_open <= ("GET" in frappe.allowed_http_methods_for_whitelisted_func[function]), (
				name,
				path,
			)
	assert state() == before


def test_a_visitor_may_nothing(functions, documents, rows, levels, views):
	# Frappe's own form for comments on pages is for everybody
	for_visitors = {name for name, (f, _doctype) in whitelisted().items() if f in frappe.guest_methods}
	assert for_visitors == {"overrides.whitelisted.comment_on_page"}
	assert {cells[VISITOR] for cells in (*functions.values(), *views.values())} == {NO}
	assert not any(any(cells[VISITOR]) for cells in documents.values())
	assert not any(any(cells[VISITOR]) for _parents, cells in rows.values())
	assert not any(cells[VISITOR] for cells in levels.values())


# what everybody is answered who has logged in, with nothing in it
ANSWERED_TO_ALL = {
	"desk.health.get_alarm",
	"overrides.whitelisted.get_documents_for_tag",
	"overrides.whitelisted.get_link_title",
	"overrides.whitelisted.search",
}


@pytest.mark.parametrize("role", [PORTAL, BARE, OTHERS])
def test_who_has_no_role_for_leads_is_told_nothing(world, functions, documents, rows, levels, views, role):
	assert {name for name, cells in functions.items() if cells[role] != NO} == ANSWERED_TO_ALL
	for name in ANSWERED_TO_ALL:
		path, sent = ways_to_call(world, *whitelisted()[name], world.others)[0]
		assert world.ask(role, "POST", path, **sent).json()["message"] in ([], sent.get("docname")), name
	assert {cells[role] for cells in views.values()} == {NO}
	assert not any(any(cells[role]) for cells in documents.values())
	assert not any(any(cells[role]) for _parents, cells in rows.values())
	assert not any(cells[role] for cells in levels.values())


def test_a_lead_qualifier_gets_nothing_of_the_leads_of_others(world, functions, documents):
	for doctype, cells in documents.items():
		if frappe.get_meta(doctype).has_field("lead"):
			assert not set(cells[QUALIFIER][0]) & {READ, WRITE, DELETE}, doctype
	for name, (function, doctype) in whitelisted().items():
		answered = name in ANSWERED_TO_ALL
		if not doctype and not answered and len(leads_asked_about(world, QUALIFIER, function)) > 1:
			assert functions[name][QUALIFIER] in (OWN, NO), name


GATES = {"opportunity_gate", "quotation_gate", "customer_gate", "hiding_gate"}
ONE_PERSON = {"marketing_role", "sales_role", "one_person_mode", "separate_qualifier_and_receiver"}


def test_system_managers_alone_change_gates_and_roles(levels):
	changed = {
		field: {role for role, told in cells.items() if WRITE in told}
		for field, cells in levels.items()
		if field.startswith("Lead Quality Settings: ")
	}
	assert {re.search(r"`(.*)`", field)[1] for field in changed} >= GATES | ONE_PERSON
	assert all(roles == {ADMIN} for roles in changed.values()), changed


def test_confidential_answers_are_read_and_written_with_their_level_only(levels):
	rules = frappe.get_meta("Lead Qualification").permissions
	for field, cells in levels.items():
		if field.startswith("Lead Qualification: "):
			allowed = {rule.role for rule in rules if rule.permlevel == 1 and rule.read}
			assert {role for role, told in cells.items() if READ in told} == allowed
			assert {role for role, told in cells.items() if WRITE in told} <= allowed


def test_who_may_not_write_a_document_may_not_delete_it(documents):
	for doctype, cells in documents.items():
		for role, told in cells.items():
			assert {DELETE} & set(told[0]) <= {DELETE} & set(told[-1]), (doctype, role)
			for rights in told:
				assert DELETE not in rights or WRITE in rights or role == ADMIN, (doctype, role)


# a lead that one may not see: everything is answered as if it were not there

NARROW = {
	"narrow-agency@example.com": (QUALIFIER,),
	"narrow-seller@example.com": ("Sales User",),
	"narrow-manager@example.com": ("Sales User", "Sales Manager", "Lead Quality Manager"),
	"narrow-admin@example.com": (ADMIN,),
}


@pytest.fixture
def narrowed(world, client_of, database):
	"""Clients of users who do not see all leads, each by another rule: a qualifier; a seller where the settings keep raw
	leads from him; and managers with a User Permission on a Territory."""
	for user, roles in {**NARROW, world.stranger: ("Sales User",)}.items():
		if not frappe.db.exists("User", user):
			make_user(user, *roles)
	root = frappe.db.get_value("Territory", {"is_group": 1, "parent_territory": ("is", "not set")})
	for territory in ("Rights North", "Rights South"):
		if not frappe.db.exists("Territory", territory):
			frappe.get_doc(
				{"doctype": "Territory", "territory_name": territory, "parent_territory": root}
			).insert()
	for user in ("narrow-manager@example.com", "narrow-admin@example.com"):
		rule = {"doctype": "User Permission", "user": user, "allow": "Territory", "for_value": "Rights North"}
		if not frappe.db.exists(rule):
			frappe.get_doc(rule).insert()
	clients = {user: client_of(user) for user in NARROW}
	for doctype, in_use in (
		("Qualification Checklist", world.checklist),
		("Nurture Cadence", world.segment.cadence),
	):
		draft = frappe.get_doc(doctype, in_use).make_new_version()
		world.called[doctype, "preview_activation"] = draft.name
	settings = frappe.get_doc("Lead Quality Settings")
	kept = settings.hide_unqualified_leads
	settings.db_set("hide_unqualified_leads", 1)
	frappe.clear_document_cache(settings.doctype, settings.name)
	sync_global_search()
	database.commit()
	yield clients
	settings.db_set("hide_unqualified_leads", kept)
	frappe.clear_document_cache(settings.doctype, settings.name)
	database.commit()


def questions(world: World) -> list[tuple[str, dict]]:
	"""All that is answered and is not about one lead: path and query."""
	return [
		*calls(world),
		*((f"method/{path}", sent) for path, sent in ways().values() if not path.endswith("export_query")),
		*reports_in_all_forms(),
		*(question for doctype in ("Lead", *leads_followers()) for question in lists_of(doctype)),
	]


def calls(world: World) -> Iterator[tuple[str, dict]]:
	"""The functions that answer without changing anything."""
	for function, doctype in whitelisted().values():
		parameters = set(inspect.signature(function).parameters)
		is_reading = (
			function.__name__ in READING_METHODS
			if doctype
			else "GET" in frappe.allowed_http_methods_for_whitelisted_func[function]
		)
		if is_reading and not parameters & ABOUT_ONE and function.__name__ not in NOT_ASKED_TWICE:
			path, sent = ways_to_call(world, function, doctype, world.others)[0]
			other = {"from_user": world.stranger, "page_len": 5000, "decision": None}
			yield path, {**sent, **{key: value for key, value in other.items() if key in sent}}


def reports_in_all_forms() -> Iterator[tuple[str, dict]]:
	"""Every report by each of its groups, and its list."""
	for name in of_module("Report"):
		report = report_class(name)
		forms = [{"group_by": group} for group in report.groups]
		forms += [{"show": report.list_name}] if report.list_name else []
		for form in forms:
			filters = json.dumps({**report.defaults(), **form})
			yield "method/frappe.desk.query_report.run", {"report_name": name, "filters": filters}


def lists_of(doctype: str) -> list[tuple[str, dict]]:
	return [
		(f"resource/{doctype}", {"limit_page_length": 0}),
		("method/frappe.client.get_count", {"doctype": doctype}),
		("method/frappe.desk.reportview.get_count", {"doctype": doctype}),
		("method/frappe.desk.search.search_link", {"doctype": doctype, "txt": "", "page_length": 5000}),
		(
			"method/frappe.desk.listview.get_group_by_count",
			{"doctype": doctype, "field": "owner", "current_filters": "[]"},
		),
	]


# what is about a lead by its filters, and what Frappe answers only so many times an hour
NOT_ASKED_TWICE = {"reasons", "comment_on_page"}
# the parameters of a function that is about one document
ABOUT_ONE = {"lead", "name", "communication", "prospect", "ref_docname", "doc_name", "dn", "docs"}
# methods of documents that change nothing
READING_METHODS = {"preview_activation", "try_out"}


def leads_followers() -> list[str]:
	"""The DocTypes whose documents belong to a lead."""
	return [doctype for doctype in doctypes() if frappe.get_meta(doctype).has_field("lead")] + [
		"Lead Transfer"
	]


# what an answer says of its own making; and how many leads the settings keep from a seller, who is to know that
NO_MATTER = re.compile(
	r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?|\"execution_time\":[\d.e-]+"
	r"|<strong>\d+</strong> leads that are not sales ready yet are not shown to you"
)


def answers_to(client, asked: list[tuple[str, dict]]) -> list[list[str]]:
	"""The status and all that each answer says, in an order of its own: equal counts come in any."""
	told = []
	for path, sent in asked:
		answer = client.call("POST", path, **sent) if path.startswith("method") else client.get(path, **sent)
		assert answer.status_code < 500, (path, sent, answer.text)
		said = NO_MATTER.sub("", answer.text) if answer.status_code == 200 else ""
		told.append([str(answer.status_code), *sorted(re.split(r"[{}\[\],]+", said))])
	return told


def test_a_lead_that_one_may_not_see_changes_no_answer(world, narrowed, database):
	asked = questions(world)
	before = {user: answers_to(client, asked) for user, client in narrowed.items()}
	lead = make_lead(
		company_name=world.hidden,
		last_name=world.key,
		city=world.key,
		lead_owner=world.stranger,
		territory="Rights South",
	).name
	DocTags("Lead").add(lead, world.key)
	sync_global_search()
	api.qualify(lead, [{"criterion": "need", "value": world.hidden}])
	api.log_touch(lead, "Phone", outcome="Connected")
	for doctype in leads_followers():
		name = raw(doctype, lead, "Administrator")
		if doctype == "Follow Up Alert":
			frappe.db.set_value(doctype, name, "status", "Untold")
	database.commit()
	told = [
		(user, question, set(old) ^ set(new))
		for user, client in narrowed.items()
		for question, old, new in zip(asked, before[user], answers_to(client, asked), strict=True)
		if old != new
	]
	assert not told, "\n\n".join(map(str, told))
