"""Classifies an incoming message: written by a person, an automatic reply, or a bounce.

Headers decide first. The subject counts only if they say nothing, and only if it matches the full pattern of a mail
system: people also write about "out of office furniture".
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from email.utils import parseaddr

PERSON, AUTOMATIC, BOUNCE = "Person", "Automatic", "Bounce"

# Headers of automatic replies only, unless their value is one of NO.
AUTOMATIC_HEADERS = ("Auto-Submitted", "X-Autoreply", "X-Auto-Reply", "X-Autorespond", "X-Autoresponse")
NO = {"no", "false", "0", ""}
# A mailing list (Precedence: list) forwards mail from people.
AUTOMATIC_PRECEDENCE = {"auto_reply", "auto-reply", "autoreply", "bulk", "junk"}

MACHINES = (
	r"mailer[-_.]?daemon",
	r"mail[-_.]?delivery[-_.]?(?:sub)?system",
	r"postmaster",
	r"bounces?",
	r"auto[-_.]?(?:reply|responder)",
	r"(?:do[-_.]?not|dont|no)[-_.]?reply",
	r"nicht[-_.]?antworten",
	r"keine[-_.]?antwort",
	r"ne[-_.]?pas[-_.]?repondre",
	r"no[-_.]?respond(?:er|a)",
	r"non[-_.]?rispondere",
	r"n[aã]o[-_.]?respond(?:a|er)",
	r"niet[-_.]?(?:beantwoorden|antwoorden)",
)
# the whole mailbox name, or a part of it between separators: notifications-noreply@, noreply2@, bounces+anna=lead.example@
MACHINE_MAILBOX = re.compile(rf"(?:^|[-_.+])(?:{'|'.join(MACHINES)})(?:[^a-z]|$)")

# Beginnings of subjects of automatic replies in each language, followed by a colon or nothing.
AUTOMATIC_SUBJECTS: dict[str, tuple[str, ...]] = {
	"af": ("outomatiese antwoord",),
	"ar": ("رد تلقائي", "الرد التلقائي", "خارج المكتب"),
	"bg": ("автоматичен отговор", "извън офиса"),
	"bn": ("স্বয়ংক্রিয় উত্তর",),
	"bs": ("automatski odgovor", "automatsko odgovaranje"),
	"ca": ("resposta automàtica", "fora de l'oficina"),
	"cs": ("automatická odpověď", "mimo kancelář"),
	"da": ("automatisk svar", "autosvar", "ikke til stede"),
	"de": (
		"automatische antwort",
		"automatische rückantwort",
		"abwesenheitsnotiz",
		"abwesenheitsnachricht",
		"abwesenheitsmeldung",
		"abwesenheitsbenachrichtigung",
		"automatische abwesenheitsnotiz",
		"abwesend",
	),
	"el": ("αυτόματη απάντηση", "εκτός γραφείου"),
	"en": (
		"automatic reply",
		"automatic response",
		"auto-reply",
		"auto reply",
		"autoreply",
		"auto response",
		"auto-response",
		"out of office",
		"out of the office",
		"out-of-office",
		"out of office autoreply",
		"out of office reply",
		"vacation reply",
	),
	"eo": ("aŭtomata respondo",),
	"es": ("respuesta automática", "fuera de la oficina", "fuera de oficina"),
	"et": ("automaatvastus", "automaatne vastus"),
	"fa": ("پاسخ خودکار", "خارج از دفتر"),
	"fi": ("automaattinen vastaus", "poissa toimistosta", "poissaoloilmoitus"),
	"fil": ("awtomatikong tugon",),
	"fr": (
		"réponse automatique",
		"absence du bureau",
		"absent du bureau",
		"absente du bureau",
		"message d'absence",
	),
	"gu": ("સ્વચાલિત જવાબ",),
	"he": ("תשובה אוטומטית", "מענה אוטומטי", "מחוץ למשרד"),
	"hi": ("स्वचालित उत्तर", "स्वतः उत्तर"),
	"hr": ("automatski odgovor", "izvan ureda"),
	"hu": ("automatikus válasz", "házon kívül"),
	"id": ("balasan otomatis", "jawaban otomatis"),
	"is": ("sjálfvirkt svar",),
	"it": ("risposta automatica", "fuori sede", "fuori ufficio"),
	"ja": ("自動応答", "自動返信", "不在通知"),
	"km": ("ឆ្លើយតបស្វ័យប្រវត្តិ",),
	"kn": ("ಸ್ವಯಂಚಾಲಿತ ಪ್ರತ್ಯುತ್ತರ",),
	"ko": ("자동 회신", "자동 응답", "부재중"),
	"lt": ("automatinis atsakymas",),
	"lv": ("automātiskā atbilde", "automātiska atbilde"),
	"mk": ("автоматски одговор",),
	"ml": ("യാന്ത്രിക മറുപടി",),
	"mr": ("स्वयंचलित उत्तर",),
	"ms": ("balasan automatik",),
	"my": ("အလိုအလျောက် ပြန်စာ", "အလိုအလျောက်စာပြန်ခြင်း"),
	"nb": ("automatisk svar", "autosvar", "fraværsmelding"),
	"nl": (
		"automatisch antwoord",
		"automatische beantwoording",
		"afwezigheidsbericht",
		"niet aanwezig",
		"afwezig",
	),
	"pl": ("odpowiedź automatyczna", "automatyczna odpowiedź", "poza biurem", "nieobecność"),
	"pt": ("resposta automática", "fora do escritório", "ausência temporária"),
	"ro": ("răspuns automat", "în afara biroului"),
	"ru": ("автоматический ответ", "автоответ", "вне офиса"),
	"si": ("ස්වයංක්‍රීය පිළිතුර",),
	"sk": ("automatická odpoveď", "mimo kancelárie"),
	"sl": ("samodejni odgovor", "avtomatski odgovor"),
	"sq": ("përgjigje automatike",),
	"sr": ("аутоматски одговор", "automatski odgovor"),
	"sv": ("autosvar", "automatiskt svar", "frånvaro", "frånvaromeddelande"),
	"sw": ("jibu la kiotomatiki",),
	"ta": ("தானியங்கி பதில்",),
	"te": ("స్వయంచాలక ప్రత్యుత్తరం",),
	"th": ("ตอบกลับอัตโนมัติ", "การตอบกลับอัตโนมัติ"),
	"tr": ("otomatik yanıt", "otomatik cevap", "ofis dışında"),
	"uk": ("автоматична відповідь", "не в офісі"),
	"ur": ("خودکار جواب",),
	"uz": ("avtomatik javob",),
	"vi": ("trả lời tự động", "thư trả lời tự động"),
	"zh": ("自动答复", "自动回复", "自動回覆", "自動答覆", "不在办公室"),
}

# Beginnings of subjects of bounces, followed by a colon or nothing.
BOUNCE_SUBJECTS = (
	"undeliverable",
	"undeliverable mail",
	"undelivered mail returned to sender",
	"mail delivery failed",
	"mail delivery failure",
	"mail delivery system",
	"message delivery failure",
	"delivery failure",
	"delivery has failed",
	"delivery notification",
	"failure notice",
	"non-delivery report",
	"non delivery notification",
	"mail system error - returned mail",
	"returned mail: see transcript for details",
	"returned mail: user unknown",
	"returned mail: host unknown",
	"delivery status notification",
	"delivery status notification (failure)",
	"delivery status notification (delay)",
	"delivery status notification (success)",
	"unzustellbar",
	"nicht zustellbar",
	"non remis",
	"non distribuable",
	"échec de la remise",
	"no se puede entregar",
	"no entregado",
	"non recapitabile",
	"onbestelbaar",
	"não entregue",
	"não é possível entregar",
	"kan inte levereras",
	"olevererat",
	"kan ikke leveres",
	"niedostarczone",
	"недоставлено",
	"nedoručitelné",
	"ei voi toimittaa",
	"teslim edilemedi",
	"配信不能",
	"无法送达",
)

# prefixes of subjects in several languages, such as re, aw, sv, also with a number
MARKS = re.compile(
	r"^(?:\s*(?:re|aw|sv|antw?|odp|res|rif|vs|ynt|fwd?|wg|tr|i|rv|enc|doorst|回复|答复|回覆|転送|답장|απ|hal|bls)"
	r"(?:\[\d+\]|\(\d+\))?\s*:)*\s*"
)


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
	longest_first = sorted({_plain(phrase) for phrase in phrases}, key=len, reverse=True)
	return re.compile(rf"(?:{'|'.join(re.escape(word) for word in longest_first)})\s*(?::|$)")


def _plain(text: str) -> str:
	"""Lower case, with ASCII colons and spaces instead of those of other scripts."""
	text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("\u200d", "")
	text = text.replace("ı", "i").replace("i\u0307", "i")  # Turkish capital letters
	return " ".join(text.split())


AUTOMATIC_SUBJECT = _pattern(phrase for phrases in AUTOMATIC_SUBJECTS.values() for phrase in phrases)
BOUNCE_SUBJECT = _pattern(BOUNCE_SUBJECTS)


def read_as(message: Message, sender: str, subject: str) -> str:
	"""The kind of a message: PERSON, AUTOMATIC or BOUNCE.

	:param message: the message with its headers; an empty one if they are not available.
	:param sender: the bare address of the sender.
	"""
	if _reports(message, "delivery-status") or message.get("X-Failed-Recipients"):
		return BOUNCE
	said = _headers_say(message)
	if said is None:
		return read_without_headers(sender, subject)
	if said or is_machine(sender):
		return BOUNCE if BOUNCE_SUBJECT.match(_subject(subject)) else AUTOMATIC
	return PERSON


def read_without_headers(sender: str, subject: str) -> str:
	"""As `read_as`, of a message whose headers say nothing, or are not there."""
	said = _subject(subject)
	if BOUNCE_SUBJECT.match(said):
		return BOUNCE
	return AUTOMATIC if is_machine(sender) or AUTOMATIC_SUBJECT.match(said) else PERSON


def is_machine(sender: str) -> bool:
	"""Whether this is the address of a machine, such as noreply@."""
	return bool(MACHINE_MAILBOX.search(sender.lower().split("@")[0]))


def _subject(subject: str) -> str:
	return MARKS.sub("", _plain(subject), count=1)


def _headers_say(message: Message) -> bool | None:
	"""Whether the headers say that no person wrote it; None if they say nothing."""
	said = None
	for name in AUTOMATIC_HEADERS:
		value = message.get(name)
		if value is not None:
			word = str(value).split(";")[0].strip().lower()
			if word not in NO:
				return True
			if name == "Auto-Submitted" and word == "no":
				said = False
	if str(message.get("Precedence") or "").strip().lower() in AUTOMATIC_PRECEDENCE:
		return True
	if str(message.get("Return-Path") or "").strip() == "<>" or _reports(message, "disposition-notification"):
		return True
	return said


def _reports(message: Message, kind: str) -> bool:
	return (
		message.get_content_type() == "multipart/report"
		and str(message.get_param("report-type") or "").lower() == kind
	)


# bounces


@dataclass(frozen=True)
class Failure:
	"""An address that a mail did not reach.

	`is_permanent`: a retry is useless (status 5.…). `message_id`: of the bounced mail, without brackets, or empty.
	"""

	address: str
	is_permanent: bool
	message_id: str = ""


def failures(message: Message) -> list[Failure]:
	"""The failed addresses of a delivery report: by RFC 3464, or else from `X-Failed-Recipients`."""
	message_id = _returned_id(message)
	found: dict[str, Failure] = {}
	for block in _delivery_status(message):
		action = str(block.get("Action") or "").strip().lower()
		named = block.get("Original-Recipient") or block.get("Final-Recipient")
		if action != "failed" or not named:
			continue
		address = _address(str(named).split(";", 1)[-1])
		permanent = str(block.get("Status") or "5").strip().startswith("5")
		if address:
			found[address] = Failure(address, permanent, message_id)
	if not found:
		for part in str(message.get("X-Failed-Recipients") or "").split(","):
			if address := _address(part):
				found[address] = Failure(address, True, message_id)
	return list(found.values())


def _delivery_status(message: Message) -> list[Message]:
	blocks: list[Message] = []
	for part in message.walk():
		if part.get_content_type() == "message/delivery-status":
			payload = part.get_payload()
			blocks += (
				[block for block in payload if isinstance(block, Message)]
				if isinstance(payload, list)
				else []
			)
	return blocks


def _returned_id(message: Message) -> str:
	"""The Message-ID of the bounced mail, which is attached in full or with its headers only."""
	for part in message.walk():
		kind = part.get_content_type()
		if kind == "text/rfc822-headers":
			found = re.search(
				r"^message-id:\s*<([^>]+)>", str(part.get_payload()), re.IGNORECASE | re.MULTILINE
			)
			if found:
				return found.group(1)
		elif kind == "message/rfc822":
			payload = part.get_payload()
			inner = payload[0] if isinstance(payload, list) and payload else None
			if isinstance(inner, Message) and inner.get("Message-ID"):
				return str(inner["Message-ID"]).strip().strip("<>")
	return str(message.get("In-Reply-To") or "").strip().strip("<>")


def _address(text: str) -> str:
	address = parseaddr(text.strip())[1].lower()
	return address if "@" in address else ""
