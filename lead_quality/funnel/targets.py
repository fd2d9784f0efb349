"""Whether the steps of the funnel reach their targets, by the leads that their reader may see, and who is told if not."""

from datetime import date, datetime

import frappe
from frappe import _
from frappe.utils import get_url

from lead_quality.base import query
from lead_quality.base.notices import is_reachable, plain, tell, words_for
from lead_quality.base.queries import Where
from lead_quality.base.routes import report_route
from lead_quality.engine import targets as engine
from lead_quality.funnel.remnants import see

DOCTYPE = "Funnel Target"
REPORT = "Funnel Targets"

# When a lead came to a step, in a query that names its journey `j`. Who is further in the four stages has come to the
# stages before; what is agreed beside them (sales ready, accepted, quoted) is reached by itself only.
_NEVER = "cast('9999-12-31' as datetime(6))"


def _first(*columns: str) -> str:
	return f"nullif(least({', '.join(f'ifnull({column}, {_NEVER})' for column in columns)}), {_NEVER})"


REACHED_AT = {
	"Prospect": _first("j.prospect_at", "j.opportunity_at", "j.sale_at"),
	"Sales Ready": "j.ready_at",
	"Accepted": "j.accepted_at",
	"Opportunity": _first("j.opportunity_at", "j.sale_at"),
	"Quoted": "j.quoted_at",
	"Sale": "j.sale_at",
}

# what a target may be of
SCOPE = ("source", "segment", "company")
# Of several targets of a step, a lead counts for the first one that is of its source, segment, company and day of entry:
# for the narrowest.
NARROWEST_FIRST = f"""{" + ".join(f"(ifnull({field}, '') != '')" for field in SCOPE)} desc,
	ifnull(source, '') = '', ifnull(segment, '') = '', creation, name"""


def judged(targets: list, day: date, user: str) -> tuple[str, Where]:
	"""SQL with its conditions: one row for each lead by which a target is judged on a day, as far as a user may see it,
	non-buyers left out; with the `place` of the target among `targets`, when the lead came in and `reached_at` the step,
	and whether it did so `in_time`. One query, however many targets there are.

	:param targets: Funnel Targets, documents or rows.
	"""
	where = Where(user)
	where.add("j.is_non_buyer = 0")
	see(where)
	places = {target.name: place for place, target in enumerate(targets)}
	parts = []
	for step in dict.fromkeys(target.step for target in targets):
		own = [target for target in targets if target.step == step]
		cohorts = {target.name: engine.cohort(day, target.within_days or 0) for target in own}
		first, last = (
			min(first for first, _last in cohorts.values()),
			max(last for _first, last in cohorts.values()),
		)
		numbers, days = [], []
		for target in _of_step(step):
			place = places.get(target.name, _ELSEWHERE)
			asked = _asked(target, where)
			if place == _ELSEWHERE:
				numbers.append(f"when {asked} then {_ELSEWHERE}")
				continue
			# who is of the target counts for no other one, though it may be too young or too old for this day
			numbers.append(
				f"when {asked} then if({_within(cohorts[target.name], where)}, {place}, {_ELSEWHERE})"
			)
			days.append(f"when {place} then {int(target.within_days or 0)}")
		if not days:
			continue
		within = f"case timed.place {' '.join(days)} end"
		parts.append(f"""
			select timed.*,
				timed.reached_at is not null
					and ({within} = 0 or timed.reached_at <= timed.entered_at + interval {within} day) as in_time
			from (
				select case {" ".join(numbers)} else {_ELSEWHERE} end as place, j.name as `lead`, j.entered_at,
					{REACHED_AT[step]} as reached_at, j.source, j.present_owner, j.exit_reason
				from `tabLead Journey` j where {{where}} and {_within((first, last), where)}
			) timed
			where timed.place != {_ELSEWHERE}
		""")
	nothing = """
		select 0 as place, null as `lead`, null as entered_at, null as reached_at, null as source, null as present_owner,
			null as exit_reason, 0 as in_time from `tabLead Journey` where 1 = 0
	"""
	return " union all ".join(parts) or nothing, where


# the place of a target that is not asked for
_ELSEWHERE = -1


def _of_step(step: str) -> list:
	"""All targets of a step, whoever may see them, in the order in which a lead counts for them."""
	return query.run(
		f"""
		select name, within_days, source, segment, company, from_date, to_date from `tabFunnel Target`
		where step = %(step)s order by {NARROWEST_FIRST}
		""",
		{"step": step},
		as_dict=True,
	)


def _asked(target, where: Where) -> str:
	"""SQL: whether a lead is of a target. `where` binds the values."""
	asked = ["1 = 1"]
	for field in (*SCOPE, "from_date", "to_date"):
		if target[field]:
			key = _bind(where, target[field])
			asked.append(
				{
					"from_date": f"j.entered_at >= {key}",
					"to_date": f"j.entered_at < {key} + interval 1 day",
				}.get(field, f"j.{field} = {key}")
			)
	return " and ".join(asked)


def _within(period: tuple[date, date], where: Where) -> str:
	"""SQL: whether a lead came in between two days, both included."""
	first, last = (_bind(where, day) for day in period)
	return f"j.entered_at >= {first} and j.entered_at < {last} + interval 1 day"


def _bind(where: Where, value) -> str:
	key = f"target_{len(where.values)}"
	where.values[key] = value
	return f"%({key})s"


def counts(targets: list, day: date, user: str) -> list[tuple[int, int]]:
	"""How many leads each target is judged by on a day, and how many of them have reached its step in time."""
	text, where = judged(targets, day, user)
	rows = where.select(
		f"select found.place, count(*) as leads, sum(found.in_time) as reached from ({text}) found group by found.place"
	)
	found = {row.place: (row.leads, int(row.reached)) for row in rows}
	return [found.get(place, (0, 0)) for place in range(len(targets))]


def count(target, day: date, user: str) -> tuple[int, int]:
	"""As `counts`, of one target."""
	return counts([target], day, user)[0]


# telling


def owned() -> list[str]:
	"""The targets whose step has an owner."""
	return frappe.get_all(DOCTYPE, {"owner_user": ["is", "set"]}, pluck="name", order_by="name asc")


def check(name: str, now: datetime) -> bool:
	"""Tell the owner of a step, once, that it has fallen under its target, by the leads that the owner may see.

	:param now: naive instant in the site's zone; its day counts.
	:returns: whether somebody was told.
	"""
	target = frappe.db.get_value(DOCTYPE, name, "*", as_dict=True, for_update=True)
	if not target or not _may_be_told(target.owner_user):
		return False
	leads, reached = count(target, now.date(), target.owner_user)
	state = engine.judge(reached, leads, target.rate, target.minimum_leads)
	tells, stands = engine.is_to_be_told(state, bool(target.below_since))
	if stands != bool(target.below_since):
		frappe.db.set_value(DOCTYPE, name, "below_since", now if stands else None, update_modified=False)
	if tells:
		_tell(target, reached, leads, now)
	return tells


def _may_be_told(user: str | None) -> bool:
	return bool(
		user
		and is_reachable(user)
		and all(frappe.has_permission(doctype, "read", user=user) for doctype in (DOCTYPE, "Lead"))
	)


def _tell(target, reached: int, leads: int, now: datetime):
	link = report_route(REPORT, show="Leads", target=target.name, count="missed", as_of=str(now.date()))
	with words_for(target.owner_user):
		tell(
			target.owner_user,
			in_words(target, reached, leads),
			DOCTYPE,
			target.name,
			kind="Unattended",
			link=get_url(link),
		)


def in_words(target, reached: int, leads: int) -> str:
	"""That a step is below its target, as one sentence in the present language."""
	words = _("{0} is below its target: {1} of {2} leads reached it ({3} %), {4} % are to.")
	if target.within_days:
		words = _("{0} is below its target: {1} of {2} leads reached it in {5} days ({3} %), {4} % are to.")
	return words.format(
		plain(step_in_words(target)),
		reached,
		leads,
		frappe.format(100 * reached / leads, {"fieldtype": "Float", "precision": 1}),
		frappe.format(target.rate, {"fieldtype": "Float", "precision": 1}),
		target.within_days,
	)


def step_in_words(target, names_company: bool | None = None) -> str:
	"""What a target is of, such as "Opportunity (Website, Inbound)"; see `scope_in_words`."""
	of = scope_in_words(target, names_company)
	return f"{_(target.step)} ({of})" if of else _(target.step)


def has_companies() -> bool:
	"""Whether the site has more than one company, so that a target has to name its own."""
	return frappe.db.count("Company") > 1


def scope_in_words(target, names_company: bool | None = None) -> str:
	"""Such as "Website, Inbound"; the company only where the site has another one. Empty for all leads.

	:param names_company: what `has_companies` returned to who has many targets; by default it is asked.
	"""
	company = target.company
	if company and not (has_companies() if names_company is None else names_company):
		company = None
	return ", ".join(value for value in (target.source, target.segment, company) if value)
