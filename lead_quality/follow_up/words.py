"""Alerts as sentences, in the present language."""

from frappe import _
from frappe.utils import get_fullname

from lead_quality.base.notices import plain
from lead_quality.base.site_time import format_for_user


def counts_in_words(alerts: list) -> str:
	"""How many alerts there are of each kind."""
	words = []
	for kind, text in (
		("Missed", _("{0} overdue")),
		("Warning", _("{0} due soon")),
		("Escalation", _("{0} escalated to you")),
		("Unattended", _("{0} unattended")),
	):
		count = sum(alert.kind == kind for alert in alerts)
		if count:
			words.append(text.format(count))
	return ", ".join(words) + "."


def in_words(alert, user: str) -> str:
	"""An alert as one sentence, in the present language; the time in the zone of the user who reads it."""
	what, due = _(alert.clock), alert.due_at and format_for_user(alert.due_at, user)
	if alert.kind == "Unattended":
		return unattended_in_words(alert)
	if alert.kind == "Warning":
		return _("{0} of {1} is due {2}").format(what, plain(alert.lead_name), due)
	words = [_("{0} of {1} was due {2}").format(what, plain(alert.lead_name), due)]
	if alert.kind == "Escalation":
		words.append(_who_has_not_acted(alert.about_user))
	if deed := _deed_in_words(alert):
		words.append(deed)
	elif alert.by_system and alert.kind != "Escalation":
		words.append(_("The system was late and notified nobody: this does not count against you."))
	return ". ".join(part.removesuffix(".") for part in words) + ("." if len(words) > 1 else "")


def _who_has_not_acted(user: str | None) -> str:
	return _("{0} has not acted.").format(plain(get_fullname(user))) if user else _("Nobody owns the lead.")


def _deed_in_words(alert) -> str | None:
	"""What a step of the ladder has done about the lead, or why it could not be done; None where it only tells."""
	action = alert.action or ""
	if action.endswith(" Failed"):
		return _("The next escalation step, {0}, could not be carried out: {1}").format(
			_(action.removesuffix(" Failed")), plain(alert.note)
		)
	receiver = plain(get_fullname(alert.note)) if alert.note else None
	if action == "Reassign" and receiver:
		return _("The lead has been given to somebody else: {0}.").format(receiver)
	if action == "Pull Back":
		if receiver:
			return _("The lead has gone back to {0}.").format(receiver)
		return _("The lead no longer has an owner.")
	if action == "Recycle":
		return _("The lead has been returned to nurturing.")
	return None


def unattended_in_words(alert) -> str:
	words = {
		"No Owner": _("{0} has no owner."),
		"No Next Step": _("{0} has no dated next step."),
		"Stale": _("{0} has had no human contact for a long time."),
		"Shelf Life": _("The shelf life of {0} has ended."),
	}
	return words[alert.clock].format(plain(alert.lead_name))
