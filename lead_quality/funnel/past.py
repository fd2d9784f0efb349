"""What was known of leads at an instant: the stage log by what had been written into it by then.

The log is only ever added to, so that figures as of then can be counted at any time later. What was entered late, corrected
or taken back since is in rows that were written since, and leaves them as they were. Two leads that have become one since
are still two as of then: each row says of each merge after it whose it was before (`keep_apart`). A deleted lead stays,
under the name of its Lead Remnant and without an owner.

All instants are naive, in the site's zone.
"""

from datetime import date, datetime, time

import frappe
from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.funnel.journey import OF_LOG, stages_said

# the columns of a Lead Journey that the log knows as of any instant, under its own name for the owner
KNOWN = ("stage", "entered_at", *OF_LOG)
# those of which only the present value is kept
OF_TODAY = (
	"present_source",
	"present_campaign",
	"present_segment",
	"present_territory",
	"present_owner",
	"company",
	"checklist",
	"is_non_buyer",
)
# those of which nobody knows what they were then
UNKNOWN = ("ready_at", "handed_over_at", "accepted_at", "quoted_at", "exited_at", "exit_reason")

# of what `keep_apart` writes of a merge: its instant, and what stands for the lead before it
_INSTANT, _NAME = 26, 12

# a row that nothing had corrected by then
_STOOD = """not exists (
	select 1 from `tabLead Stage Log` correction
	where correction.corrects = log.name and correction.creation <= %(as_of)s
)"""


def end_of(day: date) -> datetime:
	"""The last instant of a day."""
	return datetime.combine(day, time.max)


def journeys(first: date | None = None, after: date | None = None) -> str:
	"""SQL: a table like Lead Journey, as of `%(as_of)s`. `name` and `lead` are those by which the lead is known today.

	:param first: only leads of which a row is of this day or later; a hint, by which fewer rows are read.
	:param after: and before this day.
	"""
	which = "log.creation <= %(as_of)s"
	near = [
		f"near.entered_at {sign} '{day}'" for sign, day in ((">=", first), ("<", after)) if day is not None
	]
	if near:
		which += (
			f" and log.lead in (select near.lead from `tabLead Stage Log` near where {' and '.join(near)})"
		)
	columns = [
		*(f"said.{column}" for column in KNOWN),
		"said.owner_user as owner_at_entry",
		*(f"present.{column}" for column in OF_TODAY if column != "is_non_buyer"),
		"ifnull(present.is_non_buyer, 0) as is_non_buyer",
		*(f"cast(null as datetime(6)) as {column}" for column in UNKNOWN),
	]
	return f"""(
		select said.lead as name, said.lead as `lead`, {", ".join(columns)}
		from ({stages_said(which, _entry(), _STOOD)}) said
		left join `tabLead Journey` present on present.name = said.lead
	)"""


def _entry() -> str:
	"""SQL: of which lead a row was then."""
	width = _INSTANT + _NAME
	(longest,) = query.run("select max(length(merges)) from `tabLead Stage Log`", pluck=True)
	merges = range((longest or 0) // width)
	if not merges:
		return "log.lead"
	# a row says of its merges in their order: the first one after that instant tells
	cases = " ".join(
		f"when substr(log.merges, {width * nth + 1}, {_INSTANT}) > %(as_of)s "
		f"then substr(log.merges, {width * nth + _INSTANT + 1}, {_NAME})"
		for nth in merges
	)
	return f"(case when log.merges is null then log.lead {cases} else log.lead end)"


def keep_apart(lead: str):
	"""A lead is about to become one with another: its rows in the log remember until when they were those of one lead."""
	query.run(
		"""
		update `tabLead Stage Log` set merges = concat(ifnull(merges, ''), %(now)s, %(was)s) where `lead` = %(lead)s
		""",
		{
			"lead": lead,
			"now": now_datetime().isoformat(" ", "microseconds"),
			"was": frappe.generate_hash(length=_NAME),
		},
	)
