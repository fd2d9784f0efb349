"""Transfers: all leads in work of one user are given to others, in the background.

A Lead Transfer says whose leads, to whom and why, and keeps what became of it. It may be done twice, or be taken up
again after its worker was killed: a lead that has moved is its giver's no more.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from urllib.parse import quote

import frappe
from frappe import _
from frappe.utils import cint, escape_html, get_fullname, get_url_to_list, now_datetime, strip_html
from redis.exceptions import RedisError

from lead_quality.base import query
from lead_quality.base.notices import is_reachable, plain, tell, words_for
from lead_quality.base.queries import Where
from lead_quality.base.rows import insert_rows
from lead_quality.base.runs import MAX_ERROR_LENGTH, JobRun, was_rolled_back
from lead_quality.funnel.conditions import IN_WORK
from lead_quality.funnel.ownership import give_lead
from lead_quality.funnel.timeline import log_on_lead
from lead_quality.handover import pulling_back
from lead_quality.people.absence import today
from lead_quality.people.assignment import choose
from lead_quality.people.managers import manager_of
from lead_quality.people.recipients import People
from lead_quality.permissions import may_be_given

DOCTYPE = "Lead Transfer"
JOB = "lead_transfer"
PROGRESS = "lead_quality_transfer"
OPEN = ("Queued", "Running")
CHUNK = 100
# an outside call for each lead's picture is ERPNext's; with thousands of leads it takes its time
LONGEST = 2 * 3600


# what there is to give


def count(user: str, as_seen: bool = True) -> dict[str, int]:
	"""How many `leads` in work a user owns, and how many `handovers` wait for the user's answer.

	:param as_seen: only those of leads that who asks may see.
	"""
	leads, handovers = _leads_where(user, as_seen), _handovers_where(user, as_seen)
	return {
		"leads": leads.select("select count(*) as number from `tabLead` where {where}")[0].number,
		"handovers": handovers.select(f"select count(*) as number from {HANDOVERS} where {{where}}")[
			0
		].number,
	}


HANDOVERS = "`tabLead Handover` h join `tabLead` on `tabLead`.name = h.lead"


def _leads_where(user: str, as_seen: bool) -> Where:
	where = Where()
	where.equal("`tabLead`.lead_owner", user)
	where.add(IN_WORK)
	if as_seen:
		where.visible("Lead")
	return where


def _handovers_where(user: str, as_seen: bool) -> Where:
	where = Where()
	where.equal("h.to_user", user)
	where.equal("h.status", "Sent")
	if as_seen:
		where.visible("Lead")
	return where


def _leads(doc, after: str) -> list[str]:
	where = _leads_where(doc.from_user, not doc.is_automatic)
	where.add("`tabLead`.name > %(after)s", after=after)
	rows = where.select(
		"select `tabLead`.name from `tabLead` where {where} order by `tabLead`.name limit %(most)s",
		most=CHUNK,
	)
	return [row.name for row in rows]


def _handovers(doc) -> list[str]:
	where = _handovers_where(doc.from_user, not doc.is_automatic)
	return [
		row.name
		for row in where.select(f"select h.name from {HANDOVERS} where {{where}} order by h.sent_at, h.name")
	]


# how it begins


def hand_back(user: str):
	"""A user was disabled: have the leads in work go to the owners of their segments, if the settings say so.

	Whatever goes wrong is in the Error Log: nobody stays enabled for it.
	"""
	under_way = {"from_user": user, "is_automatic": 1, "status": ["in", OPEN]}
	if frappe.db.exists(DOCTYPE, under_way) or not cint(
		frappe.get_cached_doc("Lead Quality Settings").hand_back_leads
	):
		return
	frappe.db.savepoint("lead_quality_hand_back")
	try:
		if any(count(user, as_seen=False).values()):
			frappe.get_doc(
				{
					"doctype": DOCTYPE,
					"from_user": user,
					"give_to": "Segment Owner",
					"note": _("The user was disabled."),
					"is_automatic": 1,
				}
			).insert(ignore_permissions=True)
	except Exception as error:
		if was_rolled_back(error):
			raise  # the user is not saved either
		frappe.db.rollback(save_point="lead_quality_hand_back")
		frappe.log_error(_("The leads of {0} could not be handed back").format(user))


def enqueue(name: str):
	"""Give a transfer to the workers once it is committed; one that waits or is being done is left alone.

	Where there is no Redis, `resume` finds it later.
	"""
	try:
		frappe.enqueue(
			f"{__name__}.run",
			queue="long",
			timeout=LONGEST,
			job_id=f"lead_quality_{JOB}:{name}",
			deduplicate=True,
			enqueue_after_commit=True,
			name=name,
		)
	except (RedisError, frappe.QueueOverloaded):
		frappe.log_error(_("The next scheduled run resumes {0}").format(name))


def resume(now: datetime | None = None) -> dict:
	"""Take up again the transfers that a killed worker or an emptied Redis has left undone.

	:param now: naive instant in the site's zone.
	:returns: counts found, done (with the workers again), failed.
	"""
	names = frappe.get_all(DOCTYPE, {"status": ["in", OPEN]}, pluck="name", order_by="creation asc")
	return JobRun("resume_transfers", now).each(names, _enqueue_again).finish()


def _enqueue_again(name: str, now: datetime) -> bool:
	enqueue(name)
	return True


# the job


def run(name: str):
	"""Do a Lead Transfer, lead by lead, as the user who has started it and with that user's permissions."""
	doc = frappe.get_doc(DOCTYPE, name)
	if doc.status not in OPEN:
		return
	user = frappe.session.user
	frappe.set_user(doc.started_by)
	try:
		_run(doc)
	finally:
		frappe.set_user(user)


def _run(doc):
	job, failed = JobRun(JOB), set()
	doc.db_set({"status": "Running", "started_at": doc.started_at or job.started_at}, update_modified=False)
	# a user who was disabled by mistake, and is back before the worker came, keeps all
	if not doc.is_automatic or not is_reachable(doc.from_user):
		job.each(_handovers(doc), partial(take_handover, doc))
		for chunk in _chunks(doc):
			# each committed by itself: ERPNext may ask for the lead's picture, over the network, while it is locked
			job.each(
				chunk,
				partial(give, doc),
				commit_every=1,
				on_failure=lambda lead, now: failed.add(lead),
				attempts=2,
			)
			tell_progress(doc.name)
	doc.reload()
	receivers = [row for row in doc.receivers if row.user and not row.told_at]
	job.each(receivers, partial(_tell_receiver, doc))
	doc.db_set(
		{
			"status": "Failed" if job.failed else "Completed",
			"finished_at": now_datetime(),
			"failed": len(failed),
			"errors": "\n".join(_in_short(error) for error in job.errors)[:MAX_ERROR_LENGTH],
		},
		update_modified=False,
	)
	job.each(_told_of_leaver(doc.from_user) if doc.is_automatic else [], partial(_tell_of_leaver, doc))
	job.finish()
	tell_progress(doc.name)


def _chunks(doc) -> Iterator[list[str]]:
	moved = frappe.db.get_value(DOCTYPE, doc.name, "moved")
	left = count(doc.from_user, as_seen=not doc.is_automatic)["leads"]
	doc.db_set("found", moved + left, update_modified=False)
	frappe.db.commit()  # nosemgrep (a job, done in parts)
	after = ""
	while names := _leads(doc, after):
		yield names
		after = names[-1]


def _in_short(error: str) -> str:
	"""Which lead, and what the error says; the Follow Up Run has the traceback."""
	lines = error.strip().splitlines()
	return f"{lines[0]}: {strip_html(lines[-1].split(': ', 1)[-1])}"


def give(doc, name: str, now: datetime) -> bool:
	"""Give one lead of a Lead Transfer away, with the assignments of its giver, and say so on its timeline.

	:returns: whether it was still to be done.
	:raises frappe.PermissionError: if the starter may not write the lead.
	:raises frappe.ValidationError: if the receiver may not work on it, or its Assignment Rule names nobody else.
	"""
	lead = frappe.get_doc("Lead", name, for_update=True)
	if lead.lead_owner != doc.from_user:
		return False
	if not doc.is_automatic:
		lead.check_permission("write")
	rule = doc.give_to == "Assignment Rule" and frappe.get_doc("Assignment Rule", doc.assignment_rule)
	receiver = choose(lead, rule) if rule else _receiver(doc, lead)
	# before the lead is saved: Frappe's rules assign one that nobody is assigned to
	_move_assignments(doc, lead, receiver, rule)
	lead.reload()  # with the assignments
	lead.flags.lead_transfer = doc.name  # kept with who has held the lead
	give_lead(lead, receiver)
	log_on_lead(lead.name, _in_words(doc, receiver))
	_count_move(doc.name, receiver, now)
	return True


def _receiver(doc, lead) -> str | None:
	if doc.give_to == "User":
		if not is_reachable(doc.to_user) or not may_be_given(lead, doc.to_user):
			frappe.throw(
				_("{0} may not work on this lead.").format(frappe.bold(doc.to_user)), frappe.PermissionError
			)
		return doc.to_user
	segment = lead.lq_segment
	users = (
		segment and frappe.get_cached_value("Lead Segment", segment, "segment_owner"),
		frappe.get_cached_doc("Lead Quality Settings").fallback_user,
	)
	for user in users:
		if user and user != doc.from_user and is_reachable(user) and may_be_given(lead, user):
			return user
	return None


def _move_assignments(doc, lead, receiver: str | None, rule):
	"""The giver's open ToDos on the lead are the receiver's; of a lead that nobody owns, nobody's.

	Not by Frappe's `assign_to`, which would tell the receiver of every lead.
	"""
	mine = {"reference_type": "Lead", "reference_name": lead.name, "status": "Open"}
	for name in frappe.get_all(
		"ToDo", {**mine, "allocated_to": doc.from_user}, pluck="name", order_by="creation asc"
	):
		todo = frappe.get_doc("ToDo", name)
		if receiver and frappe.db.exists("ToDo", {**mine, "allocated_to": receiver}):
			todo.status = "Cancelled"  # they have one already
		else:
			todo.allocated_to = receiver
		todo.save(ignore_permissions=True)
	if not rule:
		return
	# the rule goes by who was last, or by who has fewest ToDos
	rule.db_set("last_user", receiver)
	if not frappe.db.exists("ToDo", {**mine, "allocated_to": receiver}):
		frappe.get_doc(
			{
				"doctype": "ToDo",
				**mine,
				"allocated_to": receiver,
				"assigned_by": frappe.session.user,
				"assignment_rule": rule.name,
				"description": frappe.render_template(
					rule.description, {**lead.as_dict(), "lead_owner": receiver}
				),
				"date": lead.get(rule.due_date_based_on) if rule.due_date_based_on else None,
			}
		).insert(ignore_permissions=True)


def _in_words(doc, receiver: str | None) -> str:
	giver = escape_html(get_fullname(doc.from_user))
	if receiver:
		words = _("changed the owner from {0} to {1}").format(giver, escape_html(get_fullname(receiver)))
	else:
		words = _("removed {0} as owner; the lead now has no owner").format(giver)
	return f"{words}: {escape_html(doc.note)}" if doc.note else words


def _count_move(name: str, receiver: str | None, now: datetime):
	# counted with the lead, so that it is right also after the worker was killed
	query.run("update `tabLead Transfer` set moved = moved + 1 where name = %s", (name,))
	row = frappe.db.get_value(
		"Lead Transfer Receiver", {"parent": name, "user": receiver or ["is", "not set"]}
	)
	if row:
		query.run("update `tabLead Transfer Receiver` set leads = leads + 1 where name = %s", (row,))
		return
	insert_rows(
		"Lead Transfer Receiver",
		[
			{
				"parent": name,
				"parenttype": DOCTYPE,
				"parentfield": "receivers",
				"idx": frappe.db.count("Lead Transfer Receiver", {"parent": name}) + 1,
				"user": receiver,
				"leads": 1,
			}
		],
		now,
	)


def take_handover(doc, name: str, now: datetime) -> bool:
	"""Give a handover that waits for the giver's answer back to who sent it.

	:returns: whether it was still to be done.
	:raises frappe.PermissionError: if the starter may not write the lead.
	"""
	lead, sender = frappe.db.get_value("Lead Handover", name, ["lead", "from_user"])
	if not doc.is_automatic:
		frappe.get_doc("Lead", lead).check_permission("write")
	if not is_reachable(sender):
		give(doc, lead, now)  # it cannot go back to somebody who has left, too
	if not pulling_back.take_from_leaver(name, now):
		return False
	query.run("update `tabLead Transfer` set handovers = handovers + 1 where name = %s", (doc.name,))
	return True


# who is told


def tell_progress(name: str):
	"""Who has started a transfer sees how far it is, where its form is open."""
	fields = ["name", "status", "found", "moved", "failed", "handovers", "started_by"]
	progress = frappe.db.get_value(DOCTYPE, name, fields, as_dict=True)
	frappe.publish_realtime(PROGRESS, progress, user=progress.started_by)


def _tell_receiver(doc, row, now: datetime) -> bool:
	"""One notice for all leads, unless the receiver has started the transfer and sees what comes of it."""
	frappe.db.set_value("Lead Transfer Receiver", row.name, "told_at", now, update_modified=False)
	if row.user == doc.started_by or not is_reachable(row.user):
		return False
	with words_for(row.user):
		giver = plain(get_fullname(doc.from_user))
		if row.leads == 1:
			words = _("You now own a lead of {0}.").format(giver)
		else:
			words = _("You now own {0} leads of {1}.").format(row.leads, giver)
		why = _("The user was disabled.") if doc.is_automatic else plain(doc.note)
		link = f"{get_url_to_list('Lead')}?lead_owner={quote(row.user)}"
		tell(row.user, f"{words} {why}".strip(), DOCTYPE, doc.name, link=link)
	return True


def _told_of_leaver(user: str) -> list[str]:
	"""The manager of a user who was disabled, else the first of the last resorts that can be told; nobody if the user
	is back."""
	if is_reachable(user):
		return []
	groups = [[manager_of(user)], *People([], today()).last_resorts(None, None)]
	reachable = ([other for other in users if other and is_reachable(other)] for users in groups)
	return next((users for users in reachable if users), [])


def _tell_of_leaver(doc, user: str, now: datetime) -> bool:
	unowned = sum(row.leads for row in doc.receivers if not row.user)
	with words_for(user):
		words = [_("{0} was disabled.").format(plain(get_fullname(doc.from_user)))]
		words.append(
			_("Leads that went back to the owners of their segments: {0}.").format(doc.moved - unowned)
		)
		if unowned:
			words.append(_("Leads without an owner now: {0}.").format(unowned))
		if doc.failed:
			words.append(_("Leads that could not be moved: {0}.").format(doc.failed))
		if doc.handovers:
			words.append(_("Handovers that went back to their senders: {0}.").format(doc.handovers))
		may_read = frappe.has_permission(DOCTYPE, "read", user=user)
		link = None if may_read else get_url_to_list("Lead")
		tell(user, " ".join(words), DOCTYPE, doc.name, kind="Unattended", link=link)
	return True
