"""Contacts from before the installation: imported once a site, before anybody is alerted.

Leads that nothing of the app works on yet are read many at a time, without document events: their mails, calls and meetings
become touches, and their stages are logged in the order of what happened, all marked as derived. The other leads have
clocks and cadences to be stopped by what is found; for them it is as if each document had just been heard of.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

import frappe

from lead_quality.base import query
from lead_quality.base.rows import insert_rows
from lead_quality.funnel import deriving, endings, opportunities
from lead_quality.funnel.conditions import human_touch
from lead_quality.nurture import evidence
from lead_quality.nurture.ledger import catch_up

READ = "lead_quality_history_read"

LEADS_AT_ONCE = 5_000
LEADS_IN_WORK_AT_ONCE = 500
ROWS_AT_ONCE = 2_000
BEFORE_ALL = datetime(1900, 1, 1)

_IN_WORK = """(
	exists (select 1 from `tabNurture Enrollment` e where e.lead = l.name)
	or exists (select 1 from `tabFollow Up Clock` c where c.lead = l.name)
	or exists (select 1 from `tabLead Stage Log` log where log.lead = l.name and log.is_derived = 0)
)"""


def is_read() -> bool:
	"""Whether the site's history has been read in to its end."""
	return bool(frappe.db.get_global(READ))


def mark_as_read(now: datetime):
	frappe.db.set_global(READ, str(now))


def forget():
	"""Have the next run read everything again, which changes nothing that is known."""
	frappe.db.set_global(READ, "")


def mark_if_empty(now: datetime):
	"""On a site without leads there is nothing to read in."""
	if not frappe.db.sql("select 1 from `tabLead` limit 1"):
		mark_as_read(now)


Read = Callable[[list[str], datetime], int]


def parts() -> Iterator[tuple[list[str], Read]]:
	"""All leads, some at a time, and what reads them in; whoever takes the next part has done the one before."""
	opportunities.credit_opportunities()
	for condition, at_once, read in (
		(f"not {_IN_WORK}", LEADS_AT_ONCE, read_old_leads),
		(_IN_WORK, LEADS_IN_WORK_AT_ONCE, read_leads_in_work),
	):
		last = ""
		while leads := frappe.db.sql_list(
			f"select l.name from `tabLead` l where l.name > %s and {condition} order by l.name limit {at_once}",
			(last,),
		):
			yield leads, read
			last = leads[-1]


def read_leads_in_work(leads: list[str], now: datetime) -> int:
	"""As if each document that no touch names had just been heard of. Returns how many leads have a new touch."""
	return len(catch_up(leads, BEFORE_ALL, now))


def read_old_leads(leads: list[str], now: datetime) -> int:
	"""Make touches of what people had done with these leads, and log their stages by it.

	:param now: naive instant in the site's zone.
	:returns: how many rows were made.
	"""
	made = _insert_touches(leads, now)
	made += deriving.derive(leads, now, is_derived=1, again=made > 0)
	_show_last_touches(leads)
	endings.mark(leads, now)
	return made


def _insert_touches(leads: list[str], now: datetime) -> int:
	communications = evidence.communications_without_touch(leads, BEFORE_ALL)
	calls = evidence.calls_without_touch(leads, BEFORE_ALL)
	events = evidence.events_without_touch(leads, BEFORE_ALL, now)
	known = evidence.what_is_known(communications, [row.lead for row in communications])
	titles = dict(query.run("select name, title from `tabLead` where name in %(leads)s", {"leads": leads}))
	rows = []
	# in the order in which they were held, as one may answer the other
	for document in sorted([*communications, *calls, *events], key=evidence.held_at):
		touch = evidence.read(document, document.lead, known, now)
		if touch:
			known.note(touch)
			rows.append(_as_row(touch, titles))
	for start in range(0, len(rows), ROWS_AT_ONCE):
		insert_rows("Lead Touch", rows[start : start + ROWS_AT_ONCE], now)
	return len(rows)


def _as_row(touch: dict, titles: dict[str, str]) -> dict:
	"""The columns of the Lead Touch that keywords of `log_touch` would make."""
	doctype, name = touch.get("reference") or (None, None)
	source = (doctype, name) if doctype else ("Communication", touch["communication"])
	return {
		"lead": touch["lead"],
		"lead_name": titles.get(touch["lead"]),
		"channel": touch["channel"],
		"direction": touch["direction"],
		"status": "Done",
		"outcome": touch.get("outcome"),
		"done_at": touch["done_at"],
		"done_by": touch.get("done_by"),
		"communication": touch.get("communication"),
		"reference_doctype": doctype,
		"reference_name": name,
		"evidence_key": ":".join((*source, touch["lead"])),
		"is_derived": 1,
	}


def _show_last_touches(leads: list[str]):
	query.run(
		f"""
		update `tabLead` l join (
			select t.lead, max(t.done_at) as done_at from `tabLead Touch` t
			where t.lead in %(leads)s and {human_touch("t")} group by t.lead
		) last on last.lead = l.name
		set l.lq_last_touch_at = last.done_at
		where ifnull(l.lq_last_touch_at, '1000-01-01') < last.done_at
		""",
		{"leads": leads},
	)
