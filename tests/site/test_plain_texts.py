"""What people have typed stays text wherever HTML is read: in messages, notices, mails and dossiers."""

import html
import re

import frappe
import pytest

from lead_quality import api
from lead_quality.base.texts import as_html, bold, link_to
from lead_quality.demo.factories import make_lead, make_sales_ready
from lead_quality.follow_up.jobs import deliver_alerts, sweep_clocks

LINK = '<a href="https://evil.example">Win a prize</a>'


@pytest.fixture
def sales(make_user):
	return make_user("sam@plain.example", "Sales User")


@pytest.fixture
def lead(make_user):
	owner = make_user("olga@plain.example", "Sales User", "Sales Manager")
	return make_lead("Eve", company_name=LINK, lead_owner=owner)


def texts_for_people() -> list[str]:
	"""Every message, notice and mail of this test."""
	found = [str(message.get("message")) for message in frappe.get_message_log()]
	for row in frappe.get_all("Notification Log", fields=["subject", "email_content"]):
		found += [row.subject or "", row.email_content or ""]
	return found


def refused(action) -> str:
	with pytest.raises(frappe.ValidationError):
		action()
	return str(frappe.get_message_log()[-1].get("message"))


def test_the_sheet_and_the_panel_give_back_what_was_typed(lead):
	typed = "Max Muster <max@example.com> & Söhne decide, below <50k"
	api.qualify(lead.name, [{"criterion": "need", "value": typed, "note": typed}])
	(answer,) = next(
		row["answers"] for row in api.get_checklist(lead.name)["criteria"] if row["criterion"] == "need"
	)
	assert (answer["value"], answer["note"]) == (typed, typed)
	# given back as it was read, it stays the same
	api.qualify(lead.name, [{"criterion": "need", "value": answer["value"] + "!"}])
	asked = {row["criterion"]: row["answers"] for row in api.get_checklist(lead.name)["criteria"]}
	assert asked["need"][0]["value"] == typed + "!"
	api.log_touch(lead.name, "Phone", "Connected", note=typed)
	assert api.get_panel(lead.name)["touches"][0]["note"] == typed


def test_what_is_typed_between_angle_brackets_is_kept_and_never_runs(lead, sales):
	for typed in (
		"Max Muster <max@example.com> & Söhne",
		"<img src=x onerror=alert(1)>",
		"a <b>bold</b> move",
	):
		touch = api.log_touch(lead.name, "Phone", "Connected", note=typed)
		stored = frappe.db.get_value("Lead Touch", touch.name, "note")
		assert "<" not in stored
		assert html.unescape(stored) == typed
		touch.reload()
		touch.save()
		assert frappe.db.get_value("Lead Touch", touch.name, "note") == stored
	make_sales_ready(lead.name)
	sent = api.send_handover(lead.name, sales, note="From Max <max@example.com>")
	assert (
		html.unescape(frappe.db.get_value("Lead Handover", sent.name, "note")) == "From Max <max@example.com>"
	)


@pytest.mark.parametrize(
	"stored, read",
	[
		("D'Arcy & Söhne", "D'Arcy & Söhne"),
		# as Frappe stores what looks like HTML
		("D'Arcy &amp; Söhne &lt;GmbH&gt;", "D'Arcy & Söhne <GmbH>"),
		("<b>x</b>", "<b>x</b>"),
		('"', '"'),
		(None, ""),
		(0, "0"),
	],
)
def test_a_text_is_escaped_once(stored, read):
	assert html.unescape(as_html(stored)) == read
	assert as_html(as_html(stored)) == as_html(stored)
	assert not set(as_html(stored)) & set("<>\"'")
	assert bold(stored) == f"<strong>{as_html(stored)}</strong>"


def test_a_link_says_the_title_and_is_no_other_link():
	assert link_to("Lead", "L-1", LINK).count("<a ") == 1


def test_a_dossier_shows_a_company_as_it_was_typed(sales):
	lead = make_lead("Jean", company_name='D\'Arcy & "Söhne" <GmbH>')
	make_sales_ready(lead.name)
	dossier = api.send_handover(lead.name, sales).dossier
	assert "&amp;amp;" not in dossier and "&amp;lt;" not in dossier
	stored = frappe.db.get_value("Lead", lead.name, "company_name")
	assert html.unescape(stored) in html.unescape(dossier)


def test_a_title_with_a_link_is_no_link_in_messages_notices_and_dossiers(lead, sales):
	title = frappe.db.get_value("Lead", lead.name, "title")
	assert "<a href" in title, "Frappe keeps such a link, or the test shows nothing"
	frappe.set_user(lead.lead_owner)
	assert "evil" in refused(lambda: api.send_handover(lead.name, sales))
	refused(lambda: api.enroll(lead.name))
	make_sales_ready(lead.name)
	handover = api.send_handover(lead.name, sales, note=LINK)
	frappe.db.set_value(
		"Follow Up Clock", {"lead": lead.name}, {"due_at": "2020-01-01", "next_alert_at": "2020-01-01"}
	)
	sweep_clocks()
	deliver_alerts()
	frappe.set_user(sales)
	api.accept_handover(handover.name)
	frappe.set_user(lead.lead_owner)
	api.opt_out(lead.name)
	assert "evil" in refused(lambda: api.enroll(lead.name))
	shown = [*texts_for_people(), api.check_gate(lead.name)["message"] or "", handover.dossier]
	assert any("evil.example" in text for text in shown)
	assert not [text for text in shown if re.search("<a[^>]*evil", text)]


def test_an_answer_with_a_tag_is_shown_as_it_was_typed(lead):
	frappe.set_user(lead.lead_owner)
	message = refused(lambda: api.qualify(lead.name, [{"criterion": "budget", "value": LINK}]))
	assert "&lt;a" in message and "<a " not in message
