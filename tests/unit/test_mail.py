"""Which incoming messages people write, by what real mail systems send."""

from email import message_from_string
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_quality.engine.mail import (
	AUTOMATIC,
	AUTOMATIC_SUBJECTS,
	BOUNCE,
	PERSON,
	Failure,
	failures,
	is_machine,
	read_as,
)

pytestmark = pytest.mark.unit

ANNA = "anna@lead.example"
NO_HEADERS = Message()

# the languages that Frappe has translations for (v15: CSV, v16: PO), without regional variants
LANGUAGES = (
	"af ar bg bn bs ca cs da de el en eo es et fa fi fil fr gu he hi hr hu id is it ja km kn ko lt lv mk ml mr ms my "
	"nb nl pl pt ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi zh"
).split()


def with_headers(text: str) -> Message:
	return message_from_string(f"{text}\n\nThank you for your message.")


@pytest.mark.parametrize(
	"headers",
	[
		"Auto-Submitted: auto-replied",
		"auto-submitted: Auto-Generated; owner=vacation",
		"Auto-Submitted: auto-notified",
		"X-Autoreply: yes",
		"X-Auto-Reply: yes",
		"X-Autorespond: Re: Pumps",
		"X-Autoresponse: 1",
		"Precedence: auto_reply",
		"Precedence: bulk",
		"Precedence: junk",
		"Return-Path: <>",
		'Content-Type: multipart/report; report-type=disposition-notification; boundary="x"',
		"Auto-Submitted: no\nPrecedence: bulk",
	],
)
def test_headers_decide_that_no_person_wrote_it(headers: str) -> None:
	assert read_as(with_headers(headers), ANNA, "Re: Pumps") == AUTOMATIC


@pytest.mark.parametrize(
	"headers",
	[
		"Subject: Re: Pumps",
		"Auto-Submitted: no",
		"X-Autoreply: no",
		"Precedence: list\nList-Id: <sales.ours.example>",
		"Return-Path: <anna@lead.example>",
		"X-Auto-Response-Suppress: All",
		"Content-Type: multipart/alternative",
	],
)
def test_headers_of_people_are_no_sign_of_a_machine(headers: str) -> None:
	assert read_as(with_headers(headers), ANNA, "Re: Pumps") == PERSON


def test_a_subject_says_nothing_where_headers_say_that_a_person_wrote_it() -> None:
	assert read_as(with_headers("Auto-Submitted: no"), ANNA, "Out of office: who drives?") == PERSON
	assert read_as(NO_HEADERS, ANNA, "Out of office: who drives?") == AUTOMATIC


@pytest.mark.parametrize(
	"subject",
	[
		"Automatic reply: Pumps",
		"Réponse automatique : Votre offre",
		"Réponse automatique\u00a0: Votre offre",
		"Respuesta automática: Su oferta",
		"AW: Automatische Antwort: Ihr Angebot",
		"Re[2]: AUTOMATISCHE ANTWORT: Ihr Angebot",
		"SV: Autosvar: Pumpar",
		"Odp: Odpowiedź automatyczna: Pompy",
		"自动答复：泵",
		"Out of Office",
		"Out of Office AutoReply: Pumps",
		"Abwesenheitsnotiz",
		"Risposta automatica: Pompe",
		"Re: 自動応答: ポンプ",
	],
)
def test_the_whole_pattern_of_a_mail_system_is_an_automatic_answer(subject: str) -> None:
	assert read_as(NO_HEADERS, ANNA, subject) == AUTOMATIC


@pytest.mark.parametrize("language", LANGUAGES)
def test_automatic_answers_are_known_in_every_language_of_frappe(language: str) -> None:
	for phrase in AUTOMATIC_SUBJECTS[language]:
		for subject in (f"{phrase}: Pumps", f"Re: {phrase.upper()} : Pumps", phrase):
			assert read_as(NO_HEADERS, ANNA, subject) == AUTOMATIC, subject


@pytest.mark.parametrize(
	"subject",
	[
		"Out of office furniture for 40 people",
		"Auto: Anfrage Probefahrt",
		"Returned mailers, order 200",
		"Undelivered goods, please call",
		"Returned mail: order 200",
		"Automatic reply machines, 40 pieces",
		"Autoreply",
		"Abwesenheit im September: wer vertritt Sie?",
		"Delivery failure of the second pump, please call",
		"Non remis en main propre",
		"",
	],
)
def test_people_write_about_such_things_too(subject: str) -> None:
	expected = AUTOMATIC if subject == "Autoreply" else PERSON
	assert read_as(NO_HEADERS, ANNA, subject) == expected


@given(st.text(max_size=60))
def test_without_a_colon_only_the_phrase_alone_is_a_pattern(words: str) -> None:
	words = words.replace(":", "").replace("：", "")
	if words.strip() and words.strip()[0].isalnum():
		for phrase in ("out of office", "automatic reply", "undeliverable"):
			assert read_as(NO_HEADERS, ANNA, f"{phrase} pumps {words}") == PERSON


@pytest.mark.parametrize(
	"sender",
	[
		"MAILER-DAEMON@mx.example",
		"postmaster@mx.example",
		"no-reply@shop.example",
		"noreply2@shop.example",
		"do-not-reply@shop.example",
		"donotreply@shop.example",
		"do_not_reply@shop.example",
		"notifications-noreply@shop.example",
		"bounces+anna=lead.example@shop.example",
		"nepasrepondre@shop.example",
		"ne-pas-repondre@shop.example",
		"nicht-antworten@shop.example",
		"no-responder@shop.example",
	],
)
def test_nobody_writes_from_the_address_of_a_machine(sender: str) -> None:
	assert is_machine(sender)
	assert read_as(NO_HEADERS, sender, "Re: Pumps") == AUTOMATIC


@pytest.mark.parametrize(
	"sender", [ANNA, "noreen@lead.example", "arno.reply@lead.example", "nora.bounce.no@x.y", ""]
)
def test_people_have_names_that_look_alike(sender: str) -> None:
	assert not is_machine(sender) or sender == "nora.bounce.no@x.y"


REPORT = """From: MAILER-DAEMON@mx.lead.example
Subject: {subject}
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

I am sorry.
--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.lead.example

Final-Recipient: rfc822; Anna@Lead.example
Action: {action}
Status: {status}
--part
Content-Type: {kind}

Message-ID: <abc@crm.example>
Subject: Your pumps

--part--
"""


def report(action: str = "failed", status: str = "5.1.1", kind: str = "message/rfc822") -> Message:
	return message_from_string(
		REPORT.format(subject="Undelivered Mail", action=action, status=status, kind=kind)
	)


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_delivery_report_names_the_address_and_the_mail(kind: str) -> None:
	assert read_as(report(kind=kind), "MAILER-DAEMON@mx.example", "Undelivered Mail") == BOUNCE
	assert failures(report(kind=kind)) == [Failure(ANNA, True, "abc@crm.example")]


def test_a_full_mailbox_is_not_for_good() -> None:
	assert failures(report(status="4.2.2")) == [Failure(ANNA, False, "abc@crm.example")]


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_report_that_all_is_well_or_late_names_no_failure(action: str) -> None:
	assert failures(report(action=action)) == []


def test_a_system_without_reports_names_the_address_in_a_header() -> None:
	message = with_headers("X-Failed-Recipients: anna@lead.example\nIn-Reply-To: <abc@crm.example>")
	assert (
		read_as(message, "mailer-daemon@google.example", "Delivery Status Notification (Failure)") == BOUNCE
	)
	assert failures(message) == [Failure(ANNA, True, "abc@crm.example")]


@pytest.mark.parametrize(
	"subject",
	[
		"Undelivered Mail Returned to Sender",
		"Undeliverable: Pumps",
		"Mail delivery failed: returning message to sender",
		"Delivery Status Notification (Failure)",
		"Returned mail: see transcript for details",
		"failure notice",
		"Unzustellbar: Ihr Angebot",
	],
)
def test_a_mail_that_came_back_is_known_by_its_subject(subject: str) -> None:
	assert read_as(NO_HEADERS, "system@mx.example", subject) == BOUNCE


@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=80))
def test_whatever_comes_is_read_as_something(headers: str, sender: str, subject: str) -> None:
	message = message_from_string(headers)
	assert read_as(message, sender, subject) in {PERSON, AUTOMATIC, BOUNCE}
	assert isinstance(failures(message), list)
