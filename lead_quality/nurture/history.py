"""What people had done with leads before the app heard of it: read in once, before anybody is told anything of them.

`lq_history_unread` of a lead says that this is still to be done. It is set for the leads that are there when the app is
installed, and until it is taken away nothing of the app looks for faults of the lead, moves its stage by a job, or tells
anybody of it: see `funnel.conditions.HISTORY_READ`. Who runs it, in parts on the background workers, is
`follow_up.first_look`.

Leads that nothing of the app works on yet are read many at a time, past every hook: their mails, calls and meetings
become touches, and their stages are logged in the order of what happened, all marked as derived. The other leads have
clocks and cadences to be stopped by what is found; for them it is as if each document had just been heard of.
"""

from collections.abc import Collection
from datetime import datetime

from lead_quality.base import query
from lead_quality.base.rows import insert_rows
from lead_quality.funnel import deriving, endings
from lead_quality.funnel.conditions import human_touch
from lead_quality.nurture import evidence
from lead_quality.nurture.ledger import catch_up

ROWS_AT_ONCE = 2_000
BEFORE_ALL = datetime(1900, 1, 1)

# what shows that somebody works on a lead with the app, or that the app has heard of it
_IN_WORK = """
	select `lead` from `tabNurture Enrollment` where `lead` in %(leads)s
	union
	select `lead` from `tabFollow Up Clock` where `lead` in %(leads)s
	union
	select `lead` from `tabLead Stage Log` where `lead` in %(leads)s and is_derived = 0
	union
	select `lead` from `tabLead Touch` where `lead` in %(leads)s and is_derived = 0
	union
	select `lead` from `tabLead Handover` where `lead` in %(leads)s
	union
	select `lead` from `tabLead Qualification` where `lead` in %(leads)s and ifnull(decision, '') != ''
"""


def is_read() -> bool:
	"""Whether the history of every lead has been read in."""
	return not query.run("select 1 from `tabLead` where lq_history_unread = 1 limit 1")


def forget():
	"""The history of all leads that are there is to be read, which changes nothing that is known."""
	query.run("update `tabLead` set lq_history_unread = 1 where lq_history_unread = 0")


def leads_in_work(leads: Collection[str]) -> set[str]:
	"""Of some leads those that something of the app works on, or that it has heard of."""
	return set(query.run(_IN_WORK, {"leads": leads}, pluck=True))


def read_leads_in_work(leads: list[str], now: datetime) -> int:
	"""As if each document that no touch names had just been heard of. Returns how many leads have a new touch."""
	return len(catch_up(leads, BEFORE_ALL, now))


def read_old_leads(rows: list, now: datetime) -> list[dict]:
	"""Make touches of what people had done with leads, and log their stages by it.

	:param rows: the leads, as `funnel.deriving.lock` has read them.
	:param now: naive instant in the site's zone.
	:returns: of each lead, what its summary is to show: the caller's to write.
	"""
	leads = [row.name for row in rows]
	touches = _insert_touches({row.name: row.title for row in rows}, now)
	deriving.log_proved(rows, now, is_derived=1, again=touches > 0)
	touched = _last_touches(leads)
	over = endings.endings_of(leads, {row.name: row.stage for row in rows})
	return [_summary_of(row, touched.get(row.name), over.get(row.name), now) for row in rows]


def _summary_of(row, touched_at: datetime | None, ending: str | None, now: datetime) -> dict:
	times = [at for at in (row.lq_last_touch_at, touched_at) if at]
	return {
		"name": row.name,
		"lq_stage": row.stage,
		"lq_last_touch_at": max(times, default=None),
		"lq_over": ending,
		"lq_over_at": (row.lq_over_at if row.lq_over == ending else now) if ending else None,
	}


def _insert_touches(titles: dict[str, str], now: datetime) -> int:
	leads = list(titles)
	communications = evidence.communications_without_touch(leads, BEFORE_ALL)
	calls = evidence.calls_without_touch(leads, BEFORE_ALL)
	events = evidence.events_without_touch(leads, BEFORE_ALL, now)
	known = evidence.what_is_known(communications, [row.lead for row in communications])
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


def _last_touches(leads: list[str]) -> dict[str, datetime]:
	return dict(
		query.run(
			f"""
			select t.lead, max(t.done_at) from `tabLead Touch` t
			where t.lead in %(leads)s and {human_touch("t")} group by t.lead
			""",
			{"leads": leads},
		)
	)
