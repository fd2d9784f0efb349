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


def _narrower_than(target) -> list:
	"""The targets of the same step that a lead counts for rather than for this one, if it is of them."""
	targets = query.run(
		f"""
		select name, source, segment, company, from_date, to_date from `tabFunnel Target`
		where step = %(step)s order by {NARROWEST_FIRST}
		""",
		{"step": target.step},
		as_dict=True,
	)
	names = [one.name for one in targets]
	return targets[: names.index(target.name)] if target.name in names else []


def _count_elsewhere(where: Where, targets: list):
	"""Leave out the leads that are of one of some targets."""
	for nth, target in enumerate(targets):
		asked, values = ["1 = 1"], {}
		for field in (*SCOPE, "from_date", "to_date"):
			if not target[field]:
				continue
			key = f"narrower_{nth}_{field}"
			values[key] = target[field]
			asked.append(
				{
					"from_date": f"j.entered_at >= %({key})s",
					"to_date": f"j.entered_at < %({key})s + interval 1 day",
				}.get(field, f"j.{field} = %({key})s")
			)
		where.add(f"not ifnull({' and '.join(asked)}, 0)", **values)


def leads_of(target, day: date, user: str) -> Where:
	"""The leads by which a target is judged on a day, as far as a user may see them, non-buyers left out. The query names
	their journeys `j`.

	:param target: a Funnel Target, document or row.
	"""
	where = Where(user)
	first, last = engine.cohort(day, target.within_days or 0)
	where.within("j.entered_at", first, last)
	where.within("j.entered_at", target.from_date, target.to_date)
	where.add("j.is_non_buyer = 0")
	where.equal("j.segment", target.segment)
	where.equal("j.company", target.company)
	where.equal("j.source", target.source)
	_count_elsewhere(where, _narrower_than(target))
	see(where)
	return where


def has_reached(target) -> str:
	"""SQL: whether a lead has reached the step of a target in time."""
	at = REACHED_AT[target.step]
	within = int(target.within_days or 0)
	return f"ifnull({at} <= j.entered_at + interval {within} day, 0)" if within else f"{at} is not null"


def count(target, day: date, user: str) -> tuple[int, int]:
	"""How many leads a target is judged by on a day, and how many of them have reached its step in time."""
	(row,) = leads_of(target, day, user).select(
		f"""
		select count(*) as leads, ifnull(sum({has_reached(target)}), 0) as reached
		from `tabLead Journey` j where {{where}}
		"""
	)
	return row.leads, int(row.reached)


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


def step_in_words(target) -> str:
	"""What a target is of, such as "Opportunity (Website, Inbound)"."""
	of = scope_in_words(target)
	return f"{_(target.step)} ({of})" if of else _(target.step)


def scope_in_words(target) -> str:
	"""Such as "Website, Inbound"; the company only where the site has another one. Empty for all leads."""
	company = target.company if target.company and frappe.db.count("Company") > 1 else None
	return ", ".join(value for value in (target.source, target.segment, company) if value)
