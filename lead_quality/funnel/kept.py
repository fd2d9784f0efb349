"""Lead Journeys as they were known at the end of past days, so that a report says of a day what it said then.

Nothing is kept while users work. Shortly after each day a job compares every journey, and what else reports read of its
lead, with the newest Past Lead Journey of it, and keeps those that differ. A version holds from the day `kept_from` on,
and until before `kept_until`. A day is known once the job has come to its end; where it was missed, the days between are
as the next run finds them.

Merged leads stay two versions as of the days before, both under the name of the lead that is left. A deleted lead keeps
its versions, under the name of its Lead Remnant and without a person.

Instants are naive, in the site's zone.
"""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

import frappe
from frappe.utils import getdate, now_datetime

from lead_quality.base import query
from lead_quality.base.rows import insert_copies
from lead_quality.funnel import lead_lock, pursuit
from lead_quality.funnel.conditions import cannot_be_reached
from lead_quality.funnel.journey import LEADS_AT_ONCE

DOCTYPE = "Past Lead Journey"
# the first day, and the last one, whose end is known
SINCE, LAST = "lead_quality_journeys_kept_since", "lead_quality_journeys_kept_last"
# of a version that is the newest one
FOREVER = date(9999, 12, 31)

# what reports read of a Lead Journey
_COPIED = (
	"lead",
	"stage",
	"entered_at",
	"prospect_at",
	"opportunity_at",
	"sale_at",
	"ready_at",
	"handed_over_at",
	"accepted_at",
	"declined_at",
	"quoted_at",
	"first_touch_at",
	"last_touch_at",
	"first_touch_working_seconds",
	"decided_at",
	"exited_at",
	"exit_stage",
	"exit_reason",
	"source",
	"campaign",
	"segment",
	"territory",
	"owner_at_entry",
	"present_source",
	"present_campaign",
	"present_segment",
	"present_territory",
	"present_owner",
	"company",
	"checklist",
	"company_value",
	"is_non_buyer",
)
# and what they look up beside it
_LOOKED_UP = {
	"next_touch_at": "l.lq_next_touch_at",
	"pursued_at": f"if(j.ready_at is null, null, {pursuit.PURSUED_AT})",
	"pursue_by": f"if(j.ready_at is null, null, {pursuit.PURSUE_BY})",
	"called_at": f"if(j.quoted_at is null, null, {pursuit.CALLED_AT})",
	"is_bad_data": f"if(l.name is null, coalesce(r.bad_data, j.is_bad_data), j.is_bad_data or {cannot_be_reached('l')})",
	"is_deleted": "l.name is null",
	"expected_value": "ifnull(expected.expected_value, 0)",
	"expected_currency": "expected.currency",
	"expected_on": "expected.sent_at",
}
COLUMNS = (*_COPIED, *_LOOKED_UP)

_KNOWN = f"""
	select {", ".join(f"j.`{column}`" for column in _COPIED)},
		{", ".join(f"{value} as `{column}`" for column, value in _LOOKED_UP.items())}
	from `tabLead Journey` j
	left join `tabLead` l on l.name = j.name
	left join `tabLead Remnant` r on r.name = j.name
	left join (
		select h.lead, h.expected_value, h.currency, h.sent_at,
			row_number() over (partition by h.lead order by h.sent_at desc, h.creation desc, h.name desc) as from_last
		from `tabLead Handover` h where h.lead in %(leads)s and h.expected_value != 0 and h.status != 'Draft'
	) expected on expected.lead = j.name and expected.from_last = 1
	where j.name in %(leads)s
"""
_DIFFERS = " or ".join(f"not (known.`{column}` <=> newest.`{column}`)" for column in COLUMNS)
_CHANGED = f"""
	from ({_KNOWN}) known
	left join `tabPast Lead Journey` newest on newest.lead = known.lead and newest.kept_until = %(forever)s
	where newest.name is null or {_DIFFERS} order by known.lead
"""


# which days are known


def first_day() -> date | None:
	"""The first day whose end is known; None before there is one."""
	return _day(SINCE)


def last_day() -> date | None:
	"""The last day whose end is known; None before there is one."""
	return _day(LAST)


def _day(key: str) -> date | None:
	day = frappe.db.get_global(key)
	return getdate(day) if day else None


def is_known(day: date) -> bool:
	last = last_day()
	return bool(last and day <= last)


def next_day(day: date) -> date:
	"""From which day on a version holds that is made when `day` is kept."""
	last = last_day()
	return last + timedelta(days=1) if last else day


def end(day: date):
	"""All that is known at the end of a day is kept."""
	_close_missing(next_day(day))
	if not first_day():
		frappe.db.set_global(SINCE, str(day))
	frappe.db.set_global(LAST, str(day))


# what a run does


def chunks() -> Iterator[list[str]]:
	"""All journeys, by name, as many at a time as are compared at once."""
	last = ""
	while some := query.run(
		"select name from `tabLead Journey` where name > %s order by name limit %s",
		(last, LEADS_AT_ONCE),
		pluck=True,
	):
		yield some
		last = some[-1]


def changed(leads: Collection[str]) -> list[str]:
	"""Of some leads, those that are known otherwise now than by their newest version, or that have none."""
	values = {"leads": leads, "forever": FOREVER}
	return query.run(f"select known.lead {_CHANGED}", values, pluck=True)


def keep(leads: Collection[str], kept_from: date) -> int:
	"""Make new versions of those leads that are known otherwise now. Returns of how many.

	They are locked first, so that none is renamed, merged or deleted meanwhile: the transaction begins here.
	"""
	lead_lock.lock(*leads)
	values = {"leads": leads, "forever": FOREVER}
	rows = query.run(f"select known.* {_CHANGED}", values, as_dict=True)
	if rows:
		_close([row.lead for row in rows], kept_from)
		versions = [{**row, "kept_from": kept_from, "kept_until": FOREVER} for row in rows]
		insert_copies(DOCTYPE, versions, now_datetime())
	return len(rows)


def _close(leads: Collection[str], until: date):
	"""The newest versions of some leads hold until before a day. What no day is left of goes: a run that did not come
	to its end has made it."""
	values = {"leads": leads, "until": until, "forever": FOREVER}
	query.run(
		"""
		update `tabPast Lead Journey` set kept_until = %(until)s
		where `lead` in %(leads)s and kept_until = %(forever)s
		""",
		values,
	)
	query.run(
		"delete from `tabPast Lead Journey` where `lead` in %(leads)s and kept_from >= kept_until", values
	)


def _close_missing(until: date):
	"""What has no journey any more is known no longer."""
	missing = query.run(
		"""
		select newest.`lead` from `tabPast Lead Journey` newest
		left join `tabLead Journey` j on j.name = newest.`lead`
		where newest.kept_until = %s and j.name is null
		""",
		(FOREVER,),
		pluck=True,
	)
	_close(missing, until)


# leads that go


def keep_apart(old: str, new: str):
	"""A lead is about to become one with another: its versions hold until then, and open the lead that is left."""
	last = last_day()
	query.run(
		"""
		update `tabPast Lead Journey`
		set kept_until = if(
			kept_until = %(forever)s, greatest(%(known_until)s, kept_from + interval 1 day), kept_until
		), `lead` = %(new)s
		where `lead` = %(old)s
		""",
		{
			"old": old,
			"new": new,
			"forever": FOREVER,
			"known_until": last + timedelta(days=1) if last else date.min,
		},
	)


def forget_lead(lead: str, remnant: str):
	"""A deleted lead keeps its versions, but no name and no person.

	:param remnant: what stands for the lead from now on.
	"""
	query.run(
		"""
		update `tabPast Lead Journey` set `lead` = %(remnant)s, owner_at_entry = null, present_owner = null,
			owner = 'Administrator', modified_by = 'Administrator'
		where `lead` = %(lead)s
		""",
		{"lead": lead, "remnant": remnant},
	)


# what a report reads


def journeys() -> str:
	"""SQL: a table like Lead Journey, as it was known at the end of the day of `%(as_of)s`, with what is kept beside it.
	`name` and `lead` are those by which the lead is known today. The database looks into it like into a table."""
	return f"""(
		select past.`lead` as name, {", ".join(f"past.`{column}`" for column in COLUMNS)}
		from `tabPast Lead Journey` past
		where past.kept_from <= %(as_of)s and past.kept_until > %(as_of)s and past.entered_at <= %(as_of)s
	)"""
