"""Reads ERPNext's records of contacts: the channel, whether anybody was reached, whether a person wrote a mail."""

from collections.abc import Collection, Iterable

# the medium of a Communication to the channel of a touch; other media do not count. A chat counts like SMS, as
# messages that are sent back and forth.
CHANNELS = {
	"Email": "Email",
	"Phone": "Phone",
	"Meeting": "Meeting",
	"Visit": "Visit",
	"SMS": "SMS",
	"Chat": "SMS",
}

# outcome of a finished call by the Call Log's status; a call that failed or is still going on reached nobody
CALL_OUTCOMES = {"Completed": "Connected", "No Answer": "No Answer", "Busy": "No Answer"}

EVENT_CHANNELS = {"Meeting": "Meeting", "Call": "Phone"}
HELD = ("Completed", "Closed")

# DocTypes from which ERPNext sends bulk mail
MASS_MAIL = {"Email Campaign", "Newsletter"}
# delivery statuses of mail that was not delivered
NOT_DELIVERED = {"Bounced", "Rejected", "Error", "Expired"}

# How users note that a call, visit or meeting reached nobody.
WORDS = {
	"Wrong Data": ("wrong number", "number not in service"),
	"Left Message": ("left message", "left a message", "voicemail", "voice mail", "answering machine"),
	"No Answer": (
		"no answer",
		"not answer",
		"n't answer",
		"nobody answered",
		"not reach",
		"n't reach",
		"no show",
	),
}
# Only at the beginning of a note: further down, the words belong to the conversation.
WORDS_WITHIN = 140


def said_outcome(text: str, further: Iterable[tuple[str, str]] = ()) -> str:
	"""The outcome of a call, visit or meeting by the first words (no markup) of its note.

	:param further: outcomes with other words for them, such as their names in the user's language.
	"""
	start = text.strip()[:WORDS_WITHIN].lower().replace("’", "'")
	also = list(further)
	for outcome, phrases in WORDS.items():
		own = [phrase.lower() for name, phrase in also if name == outcome]
		if any(phrase in start for phrase in (*phrases, outcome.lower(), *own)):
			return outcome
	return "Connected"


def is_personal_mail(
	reference_doctype: str | None,
	delivery_status: str | None,
	recipients: Iterable[str],
	colleagues: Collection[str],
) -> bool:
	"""Whether an outgoing mail was written by a user, and is not bulk mail, mail to colleagues only, or undelivered.

	:param recipients: bare addresses in lower case, like `colleagues`.
	"""
	if reference_doctype in MASS_MAIL or delivery_status in NOT_DELIVERED:
		return False
	return any(address not in colleagues for address in recipients)
