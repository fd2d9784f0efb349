"""Judgements of leads: load, judge, save."""

from collections.abc import Collection, Mapping
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_datetime, getdate, now_datetime

from lead_quality.base import query
from lead_quality.base.notices import is_reachable, plain, tell, words_for
from lead_quality.funnel import summary
from lead_quality.funnel.lead_save import LeadSave
from lead_quality.permissions import name_for
from lead_quality.qualification import facts, stored
from lead_quality.qualification.agreement import agreement_for
from lead_quality.qualification.checklists import checklist_for, expected_checklist, get_checklist
from lead_quality.qualification.judgement import Judgement, judge, verdict_values
from lead_quality.qualification.rates import Rates

# as people and other rooms see it


def qualification_of(lead: str, lock: bool = False) -> str | None:
	"""The name of the lead's newest Lead Qualification, or None.

	:param lock: the lead is locked, and so is what is found, as others have committed it meanwhile. A lead that
	    shows no criteria has none: looking for it with a lock would keep others from making theirs.
	"""
	if lock and not frappe.db.get_value("Lead", lead, "lq_criteria_count", for_update=True):
		return None
	return frappe.db.get_value(
		"Lead Qualification", {"lead": lead}, order_by="creation desc", for_update=lock
	)


def get_qualification(lead: str, lock: bool = False):
	"""The lead's qualification; a new, unsaved one with the checklist of its segment if there is none yet.

	:param lock: as for `qualification_of`.
	:raises frappe.ValidationError: if the segment has no checklist.
	"""
	name = qualification_of(lead, lock)
	if name:
		return frappe.get_doc("Lead Qualification", name, for_update=lock)
	doc = frappe.new_doc("Lead Qualification")
	doc.lead = lead
	doc.checklist = checklist_for(lead)
	return doc


def judge_now(lead: str, now: datetime | None = None) -> Judgement | None:
	"""The lead's judgement as it stands at this moment, or None: an answer may have expired since it was saved.

	:param now: naive instant in the site's zone.
	"""
	return judged_now([lead], now).get(lead)


def judged_now(leads: Collection[str], now: datetime | None = None) -> dict[str, Judgement]:
	"""The judgements of some leads as they stand at this moment, by lead; see `judge_now`."""
	found = {judged.lead: judged for judged in stored.load(leads, lock=False)}
	for judged in found.values():
		judged.decide(get_checklist(judged.checklist), now or now_datetime())
	return found


def publish(doc):
	"""Carry the verdict of a saved Lead Qualification to its lead, ERPNext's own three fields included."""
	summary.write(doc.lead, **verdict_values(doc))


def publish_unjudged(lead: str):
	"""Show on a lead that nobody has answered for it, or no longer."""
	summary.write(
		lead,
		lq_verdict="Open",
		lq_met_count=0,
		lq_criteria_count=0,
		lq_non_buyer=0,
		qualification_status=None,
		qualified_by=None,
		qualified_on=None,
	)


# at a save of the lead


def judge_lead(lead) -> Judgement | None:
	"""Judge a Lead document that is being saved, if one of its fields answers a criterion anew.

	:returns: the judgement, for `keep_judgement`. A lead that nobody has answered for has one once a field of it answers
	    something.
	"""
	fields = facts.answering_fields()
	if not any((lead.get(field) if lead.is_new() else lead.has_value_changed(field)) for field in fields):
		return None
	before = lead.get_doc_before_save()
	# a lead that shows no criteria has no judgement: looking for it with a lock would stop others
	known = stored.load([lead.name]) if before and before.lq_criteria_count else []
	doc = known[0] if known else new_judgement(lead)
	if not doc or not (doc.name or says_something(doc.checklist, lead)):
		return None
	judge([doc], now_datetime(), {lead.name: lead})
	if not doc.name and not any(row.answered_on for row in doc.answers):
		return None
	lead.update(verdict_values(doc))
	return doc


def says_something(checklist: str, lead) -> bool:
	"""Whether a field of a lead (document or row) answers a criterion of a checklist. A fact always has an answer."""
	sources = get_checklist(checklist).mapped.values()
	return any(source in facts.FACTS or facts.value_of(source, lead) for source in sources)


def new_judgement(lead) -> Judgement | None:
	"""A judgement of a lead (document or row) that nobody has answered for, or None where there is no checklist."""
	checklist = expected_checklist(lead.get("company"), lead.get("lq_segment"))
	if not checklist:
		return None
	return Judgement(
		lead=lead.name,
		lead_name=lead.get("title") or lead.get("lead_name"),
		agreement=agreement_for(lead.get("company"), lead.get("lq_segment")),
		checklist=checklist,
		horizon="Unknown",
		answers=[],
	)


def keep_judgement(save: LeadSave, is_new_lead: bool):
	"""Write what `judge_lead` has judged in a save, bypassing Frappe's documents: two statements, if one answer
	changed.

	If the verdict has changed, the other rooms are told; of a new lead's, they ask by themselves.
	"""
	doc, save.judged = save.judged, None
	if not doc:
		return
	doc.lead = save.lead.name
	before = doc.before.verdict if doc.before else "Open"
	stored.write([doc], doc.judged_at)
	if before != doc.verdict and not is_new_lead:
		tell_verdict(doc.name)


def tell_verdict(name: str):
	"""Tell the rooms to the right, which `hooks.py` names, of a verdict that was written bypassing Frappe's
	documents."""
	qualification = frappe.get_doc("Lead Qualification", name)
	for path in frappe.get_hooks("lead_verdict_changed"):
		frappe.get_attr(path)(qualification, is_decision_new=True)


# what time changes


def expired(now: datetime, limit: int) -> list[str]:
	"""Names of the Lead Qualifications that time may have changed by `now` (naive, the site's zone)."""
	return query.run(
		"""
		select q.name from `tabLead Qualification` q join `tabLead` l on l.name = q.lead
		where q.valid_until < %(now)s
		union
		select q.name from `tabLead Qualification` q join `tabLead` l on l.name = q.lead
		where q.decision = 'Nurture' and q.nurture_until <= %(today)s
		limit %(limit)s
		""",
		{"now": now, "today": now.date(), "limit": limit},
		pluck=True,
	)


def judgements_of(leads: Collection[str]) -> list[str]:
	"""Names of the Lead Qualifications of some leads."""
	return frappe.get_all(
		"Lead Qualification", {"lead": query.among(leads)}, pluck="name", order_by="name asc"
	)


def judge_again(name: str, now: datetime, rates: Mapping | None = None) -> bool:
	"""Save a Lead Qualification again, and with it the verdict that it has by now. Returns whether it has changed.

	:param now: naive instant in the site's zone.
	:param rates: exchange rates that were missing, as `rates.fetch` returns them.
	"""
	# the lead first, as everywhere else
	frappe.db.get_value(
		"Lead", frappe.db.get_value("Lead Qualification", name, "lead"), "name", for_update=True
	)
	doc = frappe.get_doc("Lead Qualification", name, for_update=True)
	is_back = doc.decision == "Nurture" and doc.nurture_until and getdate(doc.nurture_until) <= now.date()
	if not is_back and not rates and (not doc.valid_until or get_datetime(doc.valid_until) >= now):
		return False
	before = doc.verdict
	doc.flags.now, doc.flags.rates = now, Rates(rates or {})
	# a contact or a mail that an answer names may be gone
	doc.flags.ignore_links = True
	doc.save(ignore_permissions=True)
	if is_back:
		_tell_owner_that_it_is_back(doc)
	return bool(is_back or doc.verdict != before)


def _tell_owner_that_it_is_back(doc):
	owner = frappe.db.get_value("Lead", doc.lead, "lead_owner")
	if owner and is_reachable(owner):
		lead = plain(name_for(owner, doc.lead))
		with words_for(owner):
			words = _("{0} was on hold until today. Follow up now.").format(lead)
			tell(owner, words, "Lead", doc.lead, kind="Unattended")


# leads that are deleted or merged


def forget_lead(lead: str):
	"""Delete the judgement of a deleted lead."""
	for name in frappe.get_all("Lead Qualification", {"lead": lead}, pluck="name", order_by="name asc"):
		frappe.delete_doc("Lead Qualification", name, ignore_permissions=True, force=True)
