"""Marketing hands a sales-ready lead to a sales user, who accepts, rejects or returns it in time."""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import format_datetime, get_link_to_form, now_datetime

from lead_quality.base import query
from lead_quality.base.currency import company_currency
from lead_quality.base.notices import is_reachable, plain, tell, words_for
from lead_quality.base.site_time import aware, format_for_user, get_calendar, naive
from lead_quality.base.texts import as_html, bold
from lead_quality.engine.clock import due_at
from lead_quality.funnel import endings, lead_lock, summary
from lead_quality.funnel.ownership import give_lead
from lead_quality.handover.deciders import check_decider, may_stand_in, stands_on_both_sides
from lead_quality.handover.dossier import make_dossier
from lead_quality.nurture.channels import closed_channels, no_channel_in_words, wants_nothing
from lead_quality.people.absence import away_in_words, substitute_of
from lead_quality.permissions import SELLERS, name_for
from lead_quality.qualification.agreement import Span, agreement_of, role_of, span_of
from lead_quality.qualification.gate import NotSalesReadyError, not_ready_in_words
from lead_quality.qualification.judgement import Judgement
from lead_quality.qualification.reasons import is_reason_for
from lead_quality.qualification.segments import policy_of
from lead_quality.qualification.service import judge_now

REASONS_FOR = {"Rejected": "Reject", "Returned": "Return"}

# clock to the field of the agreement that says how long it runs
AGREED_CLOCKS = {
	"Handover Acceptance": "accept_within",
	"First Touch After Acceptance": "first_touch_within",
}


def send(
	lead: str,
	to_user: str,
	note: str | None = None,
	expected_value: float | None = None,
	currency: str | None = None,
	now: datetime | None = None,
):
	"""Hand a sales-ready lead to a sales user, with its history, and tell the user at once.

	:param expected_value: in `currency`, by default the company's.
	:param now: naive instant in the site's zone.
	:returns: the Lead Handover, sent.
	:raises NotSalesReadyError: with the missing criteria named.
	"""
	now = now or now_datetime()
	lead_lock.take_turn(lead)
	doc = frappe.get_doc("Lead", lead)
	judged = check_can_send(doc, to_user)
	agreement = agreement_of(lead)
	handover = frappe.get_doc(
		{
			"doctype": "Lead Handover",
			"lead": lead,
			"from_user": frappe.session.user,
			"to_user": to_user,
			"qualification": judged.name,
			"agreement": agreement,
			"status": "Sent",
			"sent_at": now,
			"pull_back_at": end_of_span(doc, span_of(agreement, "pull_back_after"), now),
			"note": note,
			"expected_value": expected_value,
			"currency": currency or company_currency(doc.company),
			"dossier": make_dossier(doc),
			**snapshot_of(judged),
		}
	).insert(ignore_permissions=True)
	publish(lead)
	_tell_receivers(handover)
	return handover


def _tell_receivers(handover):
	"""Tell the receiver of a handover, and who stands in for them today, that it waits for an answer."""
	receiver, substitute = handover.to_user, substitute_of(handover.to_user)
	users = [receiver, substitute] if substitute and may_stand_in(handover, substitute) else [receiver]
	for user in users:
		lead = plain(name_for(user, handover.lead))
		with words_for(user):
			sender = frappe.utils.get_fullname(frappe.session.user)
			until = format_for_user(handover.accept_by, user) if handover.accept_by else _("today")
			if user == receiver:
				words = _("{0} handed the lead {1} over to you. Accept or reject it by {2}.").format(
					sender, lead, until
				)
			else:
				words = _(
					"{0} handed the lead {1} over to {2}, whom you are covering for. Accept or reject it by {3}."
				).format(sender, lead, frappe.utils.get_fullname(receiver), until)
			tell(user, words, "Lead Handover", handover.name)
	away = away_in_words(receiver)
	if away:
		frappe.msgprint(as_html(away), title=_("Away"), indicator="orange")


def check_can_send(lead, to_user: str) -> Judgement:
	"""Refuse a handover that the receiver could not or should not work on.

	:returns: the lead's judgement at this moment.
	:raises NotSalesReadyError: if the lead does not meet its definition.
	:raises frappe.ValidationError: for any other reason, saying what to do.
	"""
	endings.refuse_if_final(lead.name)
	judged = judge_now(lead.name)
	if not judged or judged.verdict != "Sales Ready":
		frappe.throw(not_ready_in_words(lead.name, judged), NotSalesReadyError, title=_("Not Sales Ready"))
	closed = closed_channels(lead)
	if wants_nothing(closed):
		frappe.throw(no_channel_in_words(lead, closed))
	if not frappe.db.get_value("User", to_user, "enabled"):
		frappe.throw(_("{0} is not an enabled user.").format(bold(to_user)))
	check_receiver(to_user)
	if not frappe.has_permission("Lead", "write", doc=lead, user=to_user):
		frappe.throw(
			_(
				"{0} may not work on this lead: give the user the role Sales User, or choose another user."
			).format(bold(to_user))
		)
	if (
		frappe.get_cached_doc("Lead Quality Settings").separate_qualifier_and_receiver
		and to_user == judged.decided_by
	):
		frappe.throw(_("{0} qualified this lead and may not receive it as well.").format(bold(to_user)))
	pending = frappe.db.get_value("Lead Handover", {"lead": lead.name, "status": "Sent"})
	if pending:
		frappe.throw(
			_("{0} is already waiting for an answer.").format(get_link_to_form("Lead Handover", pending))
		)
	return judged


def check_receiver(to_user: str):
	"""Refuse to hand a lead to oneself, or to who does not sell: these are two sides.

	:raises frappe.ValidationError: saying what to do.
	"""
	if to_user == frappe.session.user and not stands_on_both_sides(to_user):
		frappe.throw(
			_(
				"You cannot hand a lead to yourself: choose a sales user. If one person does marketing and sales here, ask a System Manager to tick One person may stand on both sides in Lead Quality Settings."
			)
		)
	roles = seller_roles()
	if not roles & set(frappe.get_roles(to_user)):
		frappe.throw(
			_("{0} has no sales role: give the user one of the roles {1}, or choose another user.").format(
				bold(to_user), ", ".join(_(role) for role in sorted(roles))
			)
		)


def seller_roles() -> set[str]:
	"""The roles of those who can take a lead over."""
	return {*SELLERS, role_of("Sales")}


def snapshot_of(judged) -> dict:
	"""What a handover keeps of the judgement that it was sent with.

	:param judged: the lead's judgement at that moment.
	"""
	met = {row.criterion for row in judged.answers if row.met}
	criteria = frappe.get_cached_doc("Qualification Checklist", judged.checklist).criteria
	return {
		"checklist": judged.checklist,
		"met_count": judged.met_count,
		"criteria_count": judged.criteria_count,
		"met_criteria": ",".join(row.criterion for row in criteria if row.criterion in met),
	}


def end_of_span(lead, span: Span | None, begins: datetime) -> datetime | None:
	"""When an agreed span is over that begins at `begins` (both naive, the site's zone); None without span or calendar,
	or where the calendar is never open.

	:param lead: a Lead document, whose follow-up policy names the calendar where the agreement names none.
	"""
	if not span:
		return None
	policy = policy_of(lead)
	calendar = span.calendar or (policy and policy.working_calendar)
	if not calendar:
		return None
	try:
		return naive(due_at(aware(begins), span.within, span.unit, get_calendar(calendar)))
	except (OverflowError, ValueError) as error:
		frappe.log_error(
			_("No deadline can be calculated with the calendar {0}").format(calendar), str(error)
		)
		return None


def agreed_clocks(handover) -> dict[str, Span | None]:
	"""Clock to what the agreement that a handover was sent under says of it."""
	return {clock: span_of(handover.agreement, field) for clock, field in AGREED_CLOCKS.items()}


def accept(name: str, now: datetime | None = None):
	"""Take a lead over: it belongs to the receiver from now on, and the clock for the first touch starts.

	:param now: naive instant in the site's zone.
	"""
	now = now or now_datetime()
	handover = _decide(name, "Accepted", now)
	lead = frappe.get_doc("Lead", handover.lead)
	if lead.lead_owner != handover.to_user:
		give_lead(lead, handover.to_user)
	_tell_sender(handover)
	return handover


def decline(name: str, status: str, reason: str, feedback: str | None = None, now: datetime | None = None):
	"""Reject a handover, or return a lead accepted before, with a reason that both sides agreed on.

	:param status: Rejected or Returned.
	:param reason: a Lead Outcome Reason that applies to it.
	:param now: naive instant in the site's zone.
	:raises frappe.ValidationError: if the reason is missing or is not one for this.
	"""
	lead = frappe.db.get_value("Lead Handover", name, "lead")
	if not is_reason_for(reason, REASONS_FOR[status], lead):
		frappe.throw(
			_("Choose one of the reasons that marketing and sales agreed on."), frappe.MandatoryError
		)
	now = now or now_datetime()
	handover = _decide(name, status, now, reason=reason, feedback=feedback)
	give_back(handover)
	_tell_sender(handover)
	return handover


def give_back(handover):
	"""The lead belongs to the sender again, unless somebody else has taken it meanwhile."""
	lead = frappe.get_doc("Lead", handover.lead)
	if lead.lead_owner == handover.to_user and handover.from_user != handover.to_user:
		give_lead(lead, handover.from_user)


def end_for_lead(lead: str, now: datetime) -> bool:
	"""Nobody waits for an answer any more, as the lead is over: its handover is taken back, and nobody is told.

	The lead is locked, and stays with its owner.

	:param now: naive instant in the site's zone.
	:returns: whether there was one.
	"""
	names = frappe.get_all(
		"Lead Handover", {"lead": lead, "status": "Sent"}, pluck="name", order_by="sent_at asc"
	)
	for name in names:
		handover = frappe.get_doc("Lead Handover", name, for_update=True)
		handover.update({"decided_at": now, "pulled_back_at": now, "status": "Pulled Back"})
		handover.save(ignore_permissions=True)
		summary.write(lead, lq_handover_status="Pulled Back")
	return bool(names)


def _decide(name: str, status: str, now: datetime, **values):
	"""Move a handover on. Locked: of two users who decide at once, the second is told who was first."""
	lock_lead(name)
	handover = frappe.get_doc("Lead Handover", name, for_update=True)
	check_decider(handover)
	wanted = "Accepted" if status == "Returned" else "Sent"
	if handover.status != wanted:
		frappe.throw(
			_("This handover was already decided: {0}, {1}.").format(
				_(handover.status), format_datetime(handover.decided_at or handover.modified)
			)
		)
	user = frappe.session.user
	handover.update({"status": status, "decided_at": now, "decided_by": user, **values})
	if status == "Accepted":
		handover.accepted_at = now
	if user == handover.from_user and user != "Administrator":
		handover.is_one_person = 1
	handover.save(ignore_permissions=True)
	publish(handover.lead)
	return handover


def publish(lead: str):
	"""Show on a lead the handover that waits for an answer, else what has become of the newest."""
	status = query.run(
		f"select status from `tabLead Handover` where lead = %s {summary.HANDOVER_SHOWN}", (lead,)
	)
	summary.write(lead, lq_handover_status=status[0][0] if status else None)


def lock_lead(name: str):
	"""The lead of a handover is locked before the handover is."""
	lead_lock.take_turn(frappe.db.get_value("Lead Handover", name, "lead"))


def _tell_sender(handover):
	"""Tell who has sent a handover what has become of it."""
	if handover.from_user == frappe.session.user or not is_reachable(handover.from_user):
		return
	lead = plain(name_for(handover.from_user, handover.lead))
	with words_for(handover.from_user):
		words = {
			"Accepted": _("{0} has accepted the lead {1}."),
			"Rejected": _("{0} has rejected the lead {1}."),
			"Returned": _("{0} has returned the lead {1}."),
		}[handover.status]
		tell(
			handover.from_user,
			words.format(frappe.utils.get_fullname(frappe.session.user), lead),
			"Lead Handover",
			handover.name,
		)


def merge_into(lead: str):
	"""Two leads have become one: it waits for one answer, to the handover that was sent first."""
	names = frappe.get_all(
		"Lead Handover", {"lead": lead, "status": "Sent"}, pluck="name", order_by="sent_at asc"
	)
	for name in names[1:]:
		handover = frappe.get_doc("Lead Handover", name)
		handover.update({"status": "Pulled Back", "decided_at": now_datetime()})
		handover.save(ignore_permissions=True)
	publish(lead)


def forget_lead(lead: str):
	"""Delete the handovers of a deleted lead, their dossiers with them."""
	for name in frappe.get_all("Lead Handover", {"lead": lead}, pluck="name", order_by="name asc"):
		frappe.delete_doc("Lead Handover", name, ignore_permissions=True, force=True)
