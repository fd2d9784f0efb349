"""Pulling handovers back: those not answered in time, and those of a user who has left."""

from datetime import datetime

import frappe
from frappe import _

from lead_quality.base import query
from lead_quality.base.notices import is_reachable, plain, tell, words_for
from lead_quality.funnel import endings
from lead_quality.handover.service import end_of_span, give_back, lock_lead, publish
from lead_quality.permissions import name_for
from lead_quality.qualification.agreement import span_of


def unanswered(now: datetime) -> list[str]:
	"""Names of the handovers that nobody has answered by the agreed time, `now` being naive, in the site's zone."""
	return query.run(
		"""
		select name from `tabLead Handover` handover
		where status = 'Sent' and pull_back_at < %s and exists (select 1 from `tabLead` where name = handover.lead)
		order by pull_back_at
		""",
		(now,),
		pluck=True,
	)


def pull_back(name: str, now: datetime) -> bool:
	"""Give a lead back to marketing that sales has not answered by the agreed time, and tell both users.

	The row is locked while it is judged: of two runs at the same time, one pulls back and the other passes it by. If
	opening hours or holidays have changed since it was sent, and the time is not over by them, it is left until then.

	:param now: naive instant in the site's zone.
	:returns: whether it was still to be done.
	"""
	lock_lead(name)
	row = frappe.db.get_value(
		"Lead Handover",
		{"name": name, "status": "Sent", "pull_back_at": ["<", now]},
		for_update=True,
		skip_locked=True,
	)
	if not row:
		return False
	handover = frappe.get_doc("Lead Handover", name, for_update=True)
	if endings.endings_of([handover.lead]):
		return False  # what the lead's end does ends this too
	span = span_of(handover.agreement, "pull_back_after")
	ends = end_of_span(frappe.get_doc("Lead", handover.lead), span, handover.sent_at)
	if ends and ends >= now:
		handover.db_set("pull_back_at", ends, update_modified=False)
		return False
	_pull_back(handover, now)
	return True


def take_from_leaver(name: str, now: datetime) -> bool:
	"""Give a handover back whose receiver's leads are given away, and tell the sender.

	:param now: naive instant in the site's zone.
	:returns: whether it still waited for an answer.
	"""
	lock_lead(name)
	handover = frappe.get_doc("Lead Handover", name, for_update=True)
	if handover.status != "Sent":
		return False
	_pull_back(handover, now, is_given_away=True)
	return True


def _pull_back(handover, now: datetime, is_given_away: bool = False):
	# an acceptance stays on record as it was
	handover.update(
		{"decided_at": handover.decided_at or now, "pulled_back_at": now, "status": "Pulled Back"}
	)
	handover.save(ignore_permissions=True)
	publish(handover.lead)
	give_back(handover)
	_tell_of_pull_back(handover, is_given_away)


def take_back(name: str, now: datetime) -> bool:
	"""Give a handover back to its sender, as its receiver has not acted on it.

	:param now: naive instant in the site's zone.
	:returns: whether there was still something to give back.
	"""
	lock_lead(name)
	handover = frappe.get_doc("Lead Handover", name, for_update=True)
	if handover.status not in {"Sent", "Accepted"}:
		return False
	_pull_back(handover, now)
	return True


def _tell_of_pull_back(handover, is_given_away: bool):
	receiver = frappe.utils.get_fullname(handover.to_user)
	# who has sent it to himself is told to go on with it
	for user in dict.fromkeys((handover.to_user, handover.from_user)):
		if not is_reachable(user) or (is_given_away and user == handover.to_user):
			continue
		lead = plain(name_for(user, handover.lead))
		with words_for(user):
			if is_given_away:
				words = _(
					"The lead {0} has been returned to you: {1} will not answer the handover. Hand it over to somebody else, or nurture it."
				).format(lead, receiver)
			elif user == handover.from_user:
				words = _(
					"The lead {0} has been returned to you: {1} did not act on it in time. Hand it over to somebody else, or nurture it."
				).format(lead, receiver)
			else:
				words = _("The lead {0} has been returned to marketing: nobody acted on it in time.").format(
					lead
				)
			tell(user, words, "Lead Handover", handover.name)
