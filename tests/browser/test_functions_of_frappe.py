"""Every function of Frappe and ERPNext that a request may call about a document: it tells nothing of what hangs on a lead
that the user may not see, tells no confidential answer, and changes nothing. Real HTTP, both versions of the API in turn.

Who asks is an outside qualifier, who reads the DocTypes but not these documents, and a user of the website. A function is
called with every argument that it could take; what it makes of them is its own affair, as long as it keeps quiet.
"""

import ast
import itertools
import json
from pathlib import Path

import erpnext
import frappe
import pytest

from lead_quality import api
from lead_quality.demo.factories import make_checklist, make_lead, make_user

QUALIFIER, PORTAL = "quentin.functions@example.com", "paula.functions@example.com"
SECRET = "83415926"
# parameters by which a function is about a document
ABOUT = {
	"args",
	"doc",
	"docs",
	"doctype",
	"doctype_name",
	"doc_type",
	"document_type",
	"dt",
	"lead",
	"party",
	"party_type",
	"ref_doctype",
	"reference_doctype",
	"source_doctype",
	"source_name",
	"target_doctype",
}
# these read what the request says without having parameters for it
WITHOUT_PARAMETERS = {
	"frappe.desk.form.utils.remove_attach",
	"frappe.desk.reportview.delete_items",
	"frappe.desk.reportview.export_query",
	"frappe.desk.reportview.get",
	"frappe.desk.reportview.get_count",
	"frappe.desk.reportview.get_list",
	"frappe.desk.treeview.add_node",
}
# a job does what this is asked for, with the rights of who asked
IN_BACKGROUND = {"frappe.utils.print_format.download_multi_pdf_async"}
# the parts of ERPNext that know leads
OF_ERPNEXT = ("accounts/party.py", "controllers", "crm", "selling", "utilities", "www")
# what may be added to a document, to the field that names it
HANGING = {
	"Comment": "reference_name",
	"Communication": "reference_name",
	"DocShare": "share_name",
	"Document Follow": "ref_docname",
	"File": "attached_to_name",
	"Lead Qualification Answer": "parent",
	"Nurture Enrollment": "lead",
	"Tag Link": "document_name",
	"ToDo": "reference_name",
}


def functions(package, parts: tuple[str, ...] = ("",)) -> list[str]:
	"""The functions of a package that a request may call about a document, by its text: none needs to be imported."""
	root = Path(package.__file__).parent
	found = []
	for path in sorted(root.rglob("*.py")):
		place = path.relative_to(root)
		if not str(place).startswith(parts) or place.name.startswith("test_") or "patches" in place.parts:
			continue
		text = path.read_text()
		if "whitelist" not in text:
			continue
		module = ".".join((root.name, *place.with_suffix("").parts)).removesuffix(".__init__")
		for node in ast.parse(text).body:
			if isinstance(node, ast.FunctionDef) and any(
				"whitelist" in ast.unparse(decorator) for decorator in node.decorator_list
			):
				name = f"{module}.{node.name}"
				parameters = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
				if parameters & ABOUT or name in WITHOUT_PARAMETERS:
					found.append(name)
	return sorted(set(found) - IN_BACKGROUND)


@pytest.fixture(scope="module")
def world(site, client_of):
	"""Documents of a lead that neither user may see, each with a mark in all its texts; and the qualifier's own judgement,
	with an answer that is not for him."""
	frappe.db.rollback()
	frappe.set_user("Administrator")
	for user, roles, values in (
		(QUALIFIER, ("Lead Qualifier",), {}),
		(PORTAL, (), {"user_type": "Website User"}),
	):
		if not frappe.db.exists("User", user):
			make_user(user, *roles, **values)
	mark = f"Hidden{frappe.generate_hash(length=8)}"
	checklist = make_checklist(
		mark, [{"criterion": "margin", "answer_type": "Number", "confidential": 1}]
	).name
	hidden = make_lead(company_name=mark, lead_owner="Administrator").name
	own = make_lead(company_name="Own", lead_owner=QUALIFIER).name
	api.log_touch(hidden, "Phone", outcome="No Answer", note=mark)
	documents = {
		"Lead": hidden,
		"Lead Touch": frappe.db.get_value("Lead Touch", {"lead": hidden, "note": mark}),
	}
	for doctype in ("Lead Qualification", "Lead Handover", "Follow Up Alert"):
		documents[doctype] = marked(doctype, hidden, mark)
	doc = frappe.get_doc("Lead Qualification", marked("Lead Qualification", own, "Own"))
	doc.db_set({"checklist": checklist, "owner": QUALIFIER})
	doc.append(
		"answers", {"criterion": "margin", "confidential_value": SECRET, "parent": doc.name}
	).db_insert()
	clients = {user: client_of(user) for user in (QUALIFIER, PORTAL)}
	frappe.db.commit()
	yield frappe._dict(mark=mark, documents=documents, own=doc.name, clients=clients)
	frappe.db.rollback()
	for doctype in ("Lead Qualification", "Lead Handover", "Follow Up Alert"):
		frappe.db.delete(doctype, {"name": ["like", "functions-%"]})
	frappe.db.commit()


def marked(doctype: str, lead: str, mark: str) -> str:
	"""A row that was made past all rules, with a mark in every text."""
	doc = frappe.new_doc(doctype)
	doc.lead, doc.name = lead, f"functions-{frappe.generate_hash(length=8)}"
	for field in doc.meta.fields:
		if field.fieldtype in ("Small Text", "Text", "Long Text") or field.fieldname == "lead_name":
			doc.set(field.fieldname, mark)
	if doctype == "Lead Handover":
		doc.update({"status": "Rejected", "from_user": "Administrator"})
	if doctype == "Follow Up Alert":
		doc.update({"status": "Untold", "alert_key": doc.name})
	doc.db_insert()
	return doc.name


def everything(doctype: str, name: str) -> dict:
	"""Arguments for any function, so that it is about one document."""
	one = json.dumps([name])
	doc = {"doctype": doctype, "name": name, "docname": name, "assign_to": '["Administrator"]'}
	of_doctypes = ABOUT - {"args", "doc", "docs", "lead", "party", "source_name"}
	of_names = (
		"dn",
		"docname",
		"doc_name",
		"document",
		"document_name",
		"label",
		"lead",
		"name",
		"old_name",
		"party",
	)
	of_names += ("ref_docname", "ref_name", "reference_docname", "reference_name", "source_name", "value")
	return {
		**dict.fromkeys(of_doctypes, doctype),
		**dict.fromkeys(of_names, name),
		**dict.fromkeys(("docnames", "items", "names", "selected_items", "source_names"), one),
		"parent_doctype": "Event",  # which everybody may export
		"parent": doctype,
		"doc": json.dumps(doc),
		"docs": json.dumps([doc]),
		"filters": json.dumps({"name": name}),
		"export_filters": json.dumps({"name": name}),
		"export_fields": json.dumps({doctype: ["name", "lead_name"], "answers": ["confidential_value"]}),
		"export_records": "all",
		"fields": json.dumps(["*"]),
		"fieldname": "lead_name",
		"field": "lead_name",
		"field_map": json.dumps({"start": "creation", "end": "modified", "id": "name", "title": "name"}),
		"stats": json.dumps(["owner"]),
		"with_data": 1,
		"ignore_permissions": 1,
		"ignore_user_permissions": 1,
		"assign_to": json.dumps(["Administrator"]),
		"user": "Administrator",
		"permission_to": "read",
		"txt": "",
		"text": "Hidden",
		"searchfield": "name",
		"start": 0,
		"page_len": 20,
		"page_length": 20,
		"limit": 20,
		"content": "x",
		"subject": "x",
		"comment": "Comment",
		"comment_by": "x",
		"comment_email": "x@example.com",
		"reply": "x",
		"tag": "x",
		"tags": json.dumps(["x"]),
		"action": "Save",
		"title": "x",
		"new_name": "x",
		"filename": "x.txt",
		"filedata": "eA==",
		"file_format_type": "CSV",
		"view": "Report",
		"current_filters": "[]",
	}


def state(world) -> dict[str, tuple]:
	"""What is stored of the documents that are hidden, and what hangs on them: nothing else, as others are at work."""
	frappe.db.rollback()
	names = list(world.documents.values())
	rows = {
		doctype: frappe.db.sql(f"select * from `tab{doctype}` where name = %s", name)
		for doctype, name in world.documents.items()
	}
	for doctype, field in HANGING.items():
		rows[doctype] = frappe.db.sql(f"select name from `tab{doctype}` where `{field}` in %s", [names])
	return rows


WAYS = list(itertools.product(("method", "v2/method"), (True, False)))


def said(world, ways, name: str, user: str, doctype: str, document: str) -> str:
	"""What a function answers: by one version of the API, and with what it could take as a whole or one by one."""
	place, as_a_whole = next(ways)
	arguments = everything(doctype, document)
	if as_a_whole:
		arguments |= {"args": json.dumps({"doctype": doctype, "name": document})}
	return world.clients[user].call("POST", f"{place}/{name}", **arguments).text


def test_no_function_tells_or_changes_what_hangs_on_a_lead_that_one_may_not_see(world):
	ways, kinds = itertools.cycle(WAYS), itertools.cycle(world.documents)
	told = []
	for name in (*functions(frappe), *functions(erpnext, OF_ERPNEXT)):
		before = state(world)
		asked = [(QUALIFIER, "Lead")]
		if name.startswith("frappe."):
			asked += [(QUALIFIER, "Lead Qualification"), (QUALIFIER, next(kinds)), (PORTAL, next(kinds))]
		for user, doctype in asked:
			if world.mark in said(world, ways, name, user, doctype, world.documents[doctype]):
				told.append((name, user, doctype))
		told += [(name, doctype) for doctype, rows in state(world).items() if rows != before[doctype]]
	assert not told


def test_no_function_tells_confidential_answers_of_a_judgement_that_one_may_read(world):
	ways = itertools.cycle(WAYS)
	told = [
		name
		for name in functions(frappe)
		if SECRET in said(world, ways, name, QUALIFIER, "Lead Qualification", world.own)
	]
	assert not told


def test_enough_functions_are_found():
	found = {*functions(frappe), *functions(erpnext, OF_ERPNEXT)}
	assert len(found) > 150
	assert {
		"frappe.client.get",
		"frappe.desk.search.get_link_title",
		"erpnext.controllers.queries.lead_query",
	} <= found
