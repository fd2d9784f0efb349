"""What ERPNext's records of contacts say: by which channel, whether anybody was reached, whether a mail was a person's."""

from collections.abc import Collection, Iterable

# the channel of a touch by the medium of a Communication; what else was logged counts for nothing. A chat is words
# that are sent back and forth, as by SMS.
CHANNELS = {
	"Email": "Email",
	"Phone": "Phone",
	"Meeting": "Meeting",
	"Visit": "Visit",
	"SMS": "SMS",
	"Chat": "SMS",
}

# what ERPNext sends to many by itself
MASS_MAIL = {"Email Campaign", "Newsletter"}
# delivery statuses of a mail that has not reached anybody
NOT_DELIVERED = {"Bounced", "Rejected", "Error", "Expired"}

# How people write down that a call, visit or meeting came to nothing.
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
# They say so at once: further down, the words are part of what was talked about.
WORDS_WITHIN = 140


def said_outcome(text: str, further: Iterable[tuple[str, str]] = ()) -> str:
	"""What came of a call, visit or meeting by the first words (no markup) that were written down about it.

	:param further: outcomes and what else says them, such as their names in the user's language.
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
	"""Whether an outgoing mail was written by a user, and not sent to many by ERPNext, to colleagues only, or to an
	address that does not take it.

	:param recipients: bare addresses in lower case, as are those of `colleagues`.
	"""
	if reference_doctype in MASS_MAIL or delivery_status in NOT_DELIVERED:
		return False
	return any(address not in colleagues for address in recipients)
