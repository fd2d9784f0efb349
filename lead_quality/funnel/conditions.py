"""Conditions on leads and touches as SQL, each written once, for forms, lists, reports and jobs alike.

Those on a lead are parts of queries that name `tabLead` without an alias.
"""

from collections.abc import Sequence

from lead_quality.base.persons import ENABLED_PERSONS, NO_PERSONS
from lead_quality.engine.clock import TALKS, UNREACHED
from lead_quality.engine.conversion import TWO_WAY
from lead_quality.people.responsible import assignee_sql, responsible_now_sql

# ERPNext's statuses of a lead that a document proves, and the rows that do
STATUS_PROVED_BY = {
	"Opportunity": """`tabOpportunity` proof
		where proof.party_name = `tabLead`.name and proof.opportunity_from = 'Lead' and proof.status != 'Lost'""",
	"Quotation": """`tabQuotation` proof
		where proof.party_name = `tabLead`.name and proof.quotation_to = 'Lead' and proof.docstatus = 1
			and proof.status != 'Lost'""",
	"Lost Quotation": """`tabQuotation` proof
		where proof.party_name = `tabLead`.name and proof.quotation_to = 'Lead' and proof.docstatus = 1
			and proof.status = 'Lost'""",
	"Converted": "`tabCustomer` proof where proof.lead_name = `tabLead`.name",
}
_CLAIMS = " or ".join(
	f"(`tabLead`.status = '{status}' and (select 1 from {proof} limit 1) is null)"
	for status, proof in STATUS_PROVED_BY.items()
)
# a status that somebody has typed, and that no document proves
IS_CLAIMED = f"({_CLAIMS})"
IS_QUOTED = f"""(
	`tabLead`.status = 'Quotation' and (select 1 from {STATUS_PROVED_BY["Quotation"]} limit 1) is not null
)"""


# the fields of a lead with its numbers as they are compared
NUMBER_KEYS = ("lq_phone_key", "lq_mobile_key", "lq_whatsapp_key")

# a row of the stage log that nothing has corrected; the query names it `log`
STANDS = "not exists (select 1 from `tabLead Stage Log` correction where correction.corrects = log.name)"


# What was done with it before the app came is known (see `nurture.history`). Until then it is in no list of faults and
# in no job, and nobody is told of it.
HISTORY_READ = "(`tabLead`.lq_history_unread = 0)"


def _opted_out(column: str, lead_columns: Sequence[str]) -> str:
	wants_nothing = f"""(
		select o.{column} from `tabContact Opt Out` o where o.channel = 'All' and ifnull(o.{column}, '') != ''
	)"""
	return " or ".join(f"ifnull(`tabLead`.{name}, '') in {wants_nothing}" for name in lead_columns)


WANTS_NO_CONTACT = f"""(
	`tabLead`.status = 'Do Not Contact'
	or {_opted_out("email_id", ["email_id"])} or {_opted_out("phone_key", NUMBER_KEYS)}
)"""

# Sales or marketing is to work on it: a target or a prospect (as which one counts that no job has seen yet) that is a
# possible buyer, is not over (see `endings`), wants to be contacted, and for which no quotation is out. A status that
# somebody has typed does not take it out of work.
STAGES_IN_WORK = ("target", "prospect")
IN_WORK = f"""(
	`tabLead`.disabled = 0
	and ifnull(`tabLead`.lq_stage, '') in {("", *STAGES_IN_WORK)}
	and ifnull(`tabLead`.lq_verdict, '') != 'Disqualified'
	and ifnull(`tabLead`.lq_non_buyer, 0) = 0
	and `tabLead`.lq_over is null
	and `tabLead`.status not in ('Converted', 'Lost Quotation', 'Do Not Contact')
	and not {IS_QUOTED}
	and not ({_opted_out("email_id", ["email_id"])} or {_opted_out("phone_key", NUMBER_KEYS)})
)"""


def cannot_be_reached(lead: str = "`tabLead`") -> str:
	"""A lead, which the query names `lead`, has neither a number nor an address, or mail to it has bounced."""
	return f"""(
		concat(ifnull({lead}.phone, ''), ifnull({lead}.mobile_no, ''), ifnull({lead}.email_id, '')) = ''
		or {lead}.name in (
			select o.lead from `tabContact Opt Out` o where o.reason = 'Bounced' and o.lead is not null
		)
		or ifnull({lead}.email_id, '') in (
			select o.email_id from `tabContact Opt Out` o where o.reason = 'Bounced' and ifnull(o.email_id, '') != ''
		)
	)"""


# It cannot be worked with: nobody can be reached, or a touch has found its data wrong.
BAD_DATA = f"""(
	{cannot_be_reached()}
	or `tabLead`.name in (select t.lead from `tabLead Touch` t where t.outcome in ('Bounced', 'Wrong Data'))
)"""

RESPONSIBLE = responsible_now_sql("`tabLead`.name", "%(now)s", "`tabLead`.lead_owner")


def has_owner(persons: str = ENABLED_PERSONS) -> str:
	"""Somebody who is there is responsible for a lead: as `people.responsible` has it. Whom a lead is assigned to is only
	looked up where no person owns it. The query binds `now`.

	:param persons: SQL, what follows `in`: the users who are there.
	"""
	return f"""(
		ifnull(`tabLead`.lead_owner, '') in {persons}
		or (
			ifnull(`tabLead`.lead_owner, '') in {NO_PERSONS}
			and ifnull({assignee_sql("`tabLead`.name", "%(now)s")}, '') in {persons}
		)
	)"""


HAS_OWNER = has_owner()


# it goes on, or waits to go on
OPEN_ENROLLMENTS = ("Active", "Snoozed")


def open_enrollment(enrollment: str = "e") -> str:
	"""Whether a Nurture Enrollment, which the query names `enrollment`, is one of `OPEN_ENROLLMENTS`."""
	return f"{enrollment}.status in ('Active', 'Snoozed')"


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
