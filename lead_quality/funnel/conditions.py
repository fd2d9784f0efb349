"""Conditions on leads and touches as SQL, each written once, for forms, lists, reports and jobs alike.

Those on a lead are parts of queries that name `tabLead` without an alias.
"""

from collections.abc import Sequence

from lead_quality.base.persons import ENABLED_PERSONS
from lead_quality.engine.clock import TALKS, UNREACHED
from lead_quality.engine.conversion import TWO_WAY
from lead_quality.people.responsible import responsible_now_sql

# the statuses in which somebody else looks after the lead, or nobody is to
OVER = ("Opportunity", "Quotation", "Lost Quotation", "Converted", "Do Not Contact")


# the fields of a lead with its numbers as they are compared
NUMBER_KEYS = ("lq_phone_key", "lq_mobile_key", "lq_whatsapp_key")

# a row of the stage log that nothing has corrected; the query names it `log`
STANDS = "not exists (select 1 from `tabLead Stage Log` correction where correction.corrects = log.name)"


def _opted_out(column: str, lead_columns: Sequence[str]) -> str:
	wants_nothing = f"""(
		select o.{column} from `tabContact Opt Out` o where o.channel = 'All' and ifnull(o.{column}, '') != ''
	)"""
	return " or ".join(f"ifnull(`tabLead`.{name}, '') in {wants_nothing}" for name in lead_columns)


# Sales or marketing is to work on it: a target or a prospect (as which one counts that no job has seen yet) that is a
# possible buyer and wants to be contacted.
IN_WORK = f"""(
	`tabLead`.disabled = 0
	and ifnull(`tabLead`.lq_stage, '') in ('', 'target', 'prospect')
	and ifnull(`tabLead`.lq_verdict, '') != 'Disqualified'
	and ifnull(`tabLead`.lq_non_buyer, 0) = 0
	and `tabLead`.status not in ({", ".join(f"'{status}'" for status in OVER)})
	and not ({_opted_out("email_id", ["email_id"])} or {_opted_out("phone_key", NUMBER_KEYS)})
)"""

# Somebody who is there is responsible for it. The query binds `now`.
RESPONSIBLE = responsible_now_sql("`tabLead`.name", "%(now)s", "`tabLead`.lead_owner")
HAS_OWNER = f"(ifnull({RESPONSIBLE}, '') in {ENABLED_PERSONS})"


def open_clock(clock: str = "c") -> str:
	"""Whether a Follow Up Clock, which the query names `clock`, still waits for somebody to act."""
	return f"({clock}.stopped_at is null and {clock}.status in ('Running', 'Paused', 'Missed'))"


def human_touch(touch: str) -> str:
	"""`engine.clock.is_human_touch` as a condition on rows of Lead Touch, which the query names `touch`."""
	unreached, talks, two_way = (
		", ".join(f"'{value}'" for value in values) for values in (UNREACHED, TALKS, TWO_WAY)
	)
	return f"""(
		{touch}.status = 'Done'
		and {touch}.is_automatic = 0
		and ifnull({touch}.outcome, '') not in ({unreached})
		and (
			{touch}.direction = 'Outbound'
			or ({touch}.channel in ({talks}) and {touch}.outcome in ({two_way}))
		)
	)"""
