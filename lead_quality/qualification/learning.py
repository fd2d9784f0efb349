"""Learning from a company's past leads which of them buy: each as it was at its entry, and as it was some days later.

What was known at a moment is what was written down by then: source, campaign, segment and territory in the stage log at the
entry, and what the lead said of its company; stages, touches and answers by their instants. The Lead itself is not read, as
nobody knows since when it says what it says.
"""

import json
from collections.abc import Iterator
from datetime import datetime

import frappe
from frappe import _

from lead_quality.base import query
from lead_quality.base.notices import is_reachable, plain, tell, words_for
from lead_quality.base.rows import insert_rows
from lead_quality.engine.conversion import STAGES
from lead_quality.engine.learning import Backtest, Case, Learned, has_dropped, learn, moments_of, stage_at
from lead_quality.engine.priority import facts_at, said_by
from lead_quality.funnel import known
from lead_quality.people.recipients import People
from lead_quality.qualification import definitions
from lead_quality.qualification.priority import UNKNOWN

DOCTYPE = "Lead Priority Model"
MOST_LEADS = 100_000  # of a company, the newest
KEPT = 90  # models of a company
# what one record of what was learned says, and the next may say anew
SAYS = ("why", "leads", "won", "model", "backtest")
ALL_UNKNOWN = {name: UNKNOWN for name in said_by({})}


def companies() -> list[str]:
	"""The companies that have leads; the empty name is that of leads without one."""
	return query.run("select distinct ifnull(company, '') from `tabLead Journey` order by 1", pluck=True)


def learn_company(company: str, now: datetime) -> bool:
	"""Learn from the leads of a company, and keep what was learned as its model.

	:param now: naive instant in the site's zone.
	:returns: whether there is a model to go by.
	"""
	learned = learn(list(cases(company, now)), now)
	before = frappe.get_all(
		DOCTYPE,
		# a clock that was set back leaves models of a later instant, which are not before this one
		{"company": company or ["is", "not set"], "learned_at": ["<=", now]},
		["name", "status", "first_fifth", "learned_at", "dropped_since", *SAYS],
		order_by="learned_at desc, creation desc",
	)
	_keep(company, learned, before, now)
	definitions.clear_caches()
	return bool(learned.model)


def cases(company: str, now: datetime) -> Iterator[Case]:
	"""The leads of a company as they were, the newest 100,000 that came in by an instant (naive, the site's zone)."""
	rows = query.run(
		"""
		select j.name, j.entered_at, j.source, j.campaign, j.segment as lq_segment, j.territory, j.prospect_at,
			j.opportunity_at, j.sale_at, j.exited_at, j.first_touch_at
		from `tabLead Journey` j
		where ifnull(j.company, '') = %(company)s and j.entered_at <= %(now)s
		order by j.entered_at desc, j.name limit %(most)s
		""",
		{"company": company, "now": now, "most": MOST_LEADS},
		as_dict=True,
	)
	for start in range(0, len(rows), 5_000):
		some = rows[start : start + 5_000]
		names = [row.name for row in some]
		said = _said_at_entry(names)
		met = _answers_met(names, now)
		for place, row in enumerate(some):
			yield _case(row, said.get(row.name), met.get(row.name, []), place)


def _said_at_entry(leads: list[str]) -> dict:
	rows = query.run(
		"select `lead`, facts from `tabLead Stage Log` where `lead` in %(leads)s and facts is not null",
		{"leads": leads},
	)
	return {lead: known.from_json(facts) for lead, facts in rows}


def _answers_met(leads: list[str], now: datetime) -> dict[str, list[datetime]]:
	"""When the criteria were answered that are met."""
	met: dict[str, list[datetime]] = {}
	for lead, answered_on in query.run(
		"""
		select q.lead, a.answered_on from `tabLead Qualification` q
		join `tabLead Qualification Answer` a on a.parent = q.name
		where q.lead in %(leads)s and a.met = 1 and a.answered_on <= %(now)s
		""",
		{"leads": leads, "now": now},
	):
		met.setdefault(lead, []).append(answered_on)
	return met


def _case(row, said, met: list[datetime], place: int) -> Case:
	def days_after(instant: datetime | None) -> float | None:
		return None if instant is None else (instant - row.entered_at).total_seconds() / 86_400

	facts = {**dict.fromkeys(ALL_UNKNOWN, ""), **said} if said is not None else ALL_UNKNOWN

	def known_at(at: datetime, days: int) -> dict:
		return facts_at(
			row,
			row.source,
			row.campaign,
			facts,
			stage_at(at, STAGES[:3], (row.entered_at, row.prospect_at, row.opportunity_at)),
			bool(row.first_touch_at and row.first_touch_at <= at),
			sum(answered_on <= at for answered_on in met),
			days,
		)

	return Case(
		row.entered_at,
		row.lq_segment or "",
		moments_of(row.entered_at, place, known_at),
		days_after(row.sale_at),
		days_after(row.exited_at),
	)


# keeping


def _keep(company: str, learned: Learned, before: list, now: datetime):
	backtest, model = learned.backtest, learned.model
	past = [row.first_fifth / 100 for row in before if row.status != "Not Used"]
	dropped = bool(model and backtest and has_dropped(backtest, past[::-1]))
	was_dropped = bool(before and before[0].dropped_since)
	row = {
		"company": company or None,
		"status": "In Use" if model else "Not Used",
		"why": learned.why,
		"learned_at": now,
		"dropped_since": (before[0].dropped_since if was_dropped else now) if dropped else None,
		"leads": learned.leads,
		"won": learned.won,
		"horizon": model.horizons[""] if model else 0,
		"model": json.dumps(model.as_dict()) if model else None,
		"backtest": json.dumps(backtest.as_dict()) if backtest else None,
		**_figures(backtest),
	}
	is_same_day = before and before[0].learned_at.date() == now.date()
	if is_same_day and all((before[0][field] or None) == (row[field] or None) for field in SAYS):
		return  # a second run of the same night has nothing new to say
	query.run(
		f"update `tab{DOCTYPE}` set status = 'Superseded' where ifnull(company, '') = %(company)s and status = 'In Use'",
		{"company": company},
	)
	(kept,) = insert_rows(DOCTYPE, [row], now)
	if old := [row.name for row in before[KEPT:]]:
		frappe.db.delete(DOCTYPE, {"name": query.among(old)})
	if dropped and not was_dropped and backtest:
		_tell(kept.name, company, backtest, past, now)


def _figures(backtest: Backtest | None) -> dict:
	if not backtest:
		return dict.fromkeys(
			"judged_leads judged_won auc first_tenth first_fifth brier chance newest_fifth criteria_fifth naive_fifth".split(),
			0,
		)
	order = backtest.orders["model"]
	return {
		"judged_leads": backtest.leads,
		"judged_won": backtest.won,
		"auc": order.auc,
		"first_tenth": 100 * order.first_tenth,
		"first_fifth": 100 * order.first_fifth,
		"brier": backtest.brier,
		"chance": backtest.chance,
		**{
			f"{name}_fifth": 100 * backtest.orders[name].first_fifth
			for name in ("newest", "criteria", "naive")
		},
	}


def _tell(name: str, company: str, backtest: Backtest, past: list[float], now: datetime):
	"""Tell those who manage the work on leads, once, that the order has become worse."""
	for user in People([], now.date()).with_role("Lead Quality Manager"):
		if not (is_reachable(user) and frappe.has_permission(DOCTYPE, "read", user=user)):
			continue
		with words_for(user):
			words = _(
				"The priority of leads has become worse ({0}): the first fifth holds {1} % of the sales, it was {2} %."
			).format(
				plain(company or _("no company")),
				round(100 * backtest.orders["model"].first_fifth),
				round(100 * sum(past[:5]) / len(past[:5])),
			)
			tell(user, words, DOCTYPE, name, kind="Unattended")
