"""Which lead first: how well the company's own past sales would have put its newer leads in order, by the app's own model
(`engine.learning`)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from lead_quality.audit import figures
from lead_quality.audit.figures import Facts, Known, Options
from lead_quality.audit.report import BARS, COUNT, NUMBER, SHARE, TEXT, Cell, Column, Section, shown
from lead_quality.engine import learning
from lead_quality.engine.conversion import STAGES
from lead_quality.engine.learning import BY_CHANCE, LEAST_WON, TOO_FEW, TOO_SHORT, Backtest, Case, Learned
from lead_quality.engine.priority import NUMBERS, Model, Weight, facts_at, lines_of, said_by

MOST_LEADS = 20_000  # that a model learns from and is judged by; of more, every so many
LINES_SHOWN = 12
LEAST_WEIGHT = 0.005  # of a line that says something
_FIELDS = {
	"source": "Source",
	"campaign": "Campaign",
	"territory": "Territory",
	"industry": "Industry",
	"market_segment": "Market segment",
	"request_type": "Request type",
	"type": "Lead type",
	"no_of_employees": "Employees",
	"mail": "E-mail address",
	"has_phone": "Phone",
	"has_website": "Website",
	"filled": "Fields filled in",
	"stage": "Stage",
	"touched": "Contacted",
	"days_known": "Days since it came in",
}
_WHY = {
	TOO_FEW: "There are {won:,} sales of leads with a known outcome, and it takes {least}: nothing is learned of fewer.",
	TOO_SHORT: "The sales lie too close together to learn from the older and be judged by the newer ones.",
	BY_CHANCE: "What could be learned puts leads in no better order than chance does: go by rules instead.",
}


def sampled(facts: Sequence[Facts]) -> Sequence[Facts]:
	"""The leads that are learned from."""
	return facts[:: -(-len(facts) // MOST_LEADS) or 1]


def learned(
	facts: Sequence[Facts], said: Mapping[str, Mapping[str, Any]], known: Known, options: Options
) -> Learned | None:
	"""What the company's leads teach; None, if their sales are not known with their dates.

	:param said: what each lead says of itself, see `Store.said`.
	"""
	return learning.learn(list(cases(facts, said)), options.now) if known.orders else None


def cases(facts: Sequence[Facts], said: Mapping[str, Mapping[str, Any]]) -> Iterator[Case]:
	"""Leads as they came in, and as they were some days later: by what had happened to them by then. Who somebody is and what
	came later says nothing here; what a lead says of itself is what it says today, as an export has no other."""
	for place, one in enumerate(facts):
		journey = one.journey
		row = said.get(journey.lead, {})
		source = None if figures.has_unknown_source(journey) else journey.source.strip()
		entered = (journey.entered_at, journey.conversation_at, journey.opportunity_at)

		def known_at(
			at: datetime,
			days: int,
			one: Facts = one,
			row: Any = row,
			source: Any = source,
			entered: Any = entered,
		) -> dict[str, Any]:
			first = one.journey.first_touch_at
			touched = first is not None and first <= at
			stage = learning.stage_at(at, STAGES[:3], entered)
			return facts_at(row, source, row.get("campaign"), said_by(row), stage, touched, 0, days)

		sold = one.entered.get("sale")
		yield Case(
			journey.entered_at,
			"",
			learning.moments_of(journey.entered_at, place, known_at),
			(sold - journey.entered_at).total_seconds() / figures.DAY if sold else None,
		)


def order(found: Learned | None, leads: int = 0) -> Section:
	"""
	:param leads: how many there are.
	"""
	"""What would have come of calling those first that past sales point to."""
	rows: list[list[Cell]] = []
	backtest = found.backtest if found else None
	if backtest:
		for key, label in (
			("model", "By past sales"),
			("naive", "By each field alone"),
			("newest", "The newest first"),
		):
			got = backtest.orders[key]
			rows.append([label, got.first_tenth, got.first_fifth, got.auc])
		rows.append(["In any order", 0.1, 0.2, 0.5])
	return Section(
		"ranking",
		"Which lead first",
		_finding(found, backtest),
		[
			Column("order", "Called in this order", TEXT),
			Column("first_tenth", "Sales in the first tenth", SHARE),
			Column("first_fifth", "Sales in the first fifth", SHARE),
			Column("auc", "AUC", SHARE),
		],
		rows,
		_how(found, backtest, leads),
		"What a lead says of itself (its source, industry, numbers, how much is filled in) is taken as it stands today: what was "
		"filled in later was not known when it came in, and may make this look better than it would have been. The app writes it "
		"down at the entry. Whom people chose to work is part of who bought."
		if found
		else "No Sales Orders with their Quotations or Customers: when leads were sold is not known.",
		BARS,
		("first_fifth",),
	)


def _finding(found: Learned | None, backtest: Backtest | None) -> str:
	if found is None:
		return "Nobody can tell without Sales Orders."
	if found.why:
		return _WHY[found.why].format(won=found.won, least=LEAST_WON)
	assert backtest
	share = shown(backtest.orders["model"].first_fifth, SHARE)
	newest = shown(backtest.orders["newest"].first_fifth, SHARE)
	return (
		f"Calling that fifth first which past sales point to would have reached {share} of the sales, the newest fifth "
		f"{newest}; n = {backtest.won:,} sales of {backtest.leads:,} leads."
		+ (
			f" Each field by itself would have done no worse ({shown(backtest.orders['naive'].first_fifth, SHARE)})."
			if backtest.orders["naive"].first_fifth >= backtest.orders["model"].first_fifth
			else ""
		)
	)


def _how(found: Learned | None, backtest: Backtest | None, leads: int) -> str:
	said = (
		"The app's own model, forward in time: learned from the older seven tenths of the leads, as they came in and as they were "
		"some days later, judged by the newer ones as they came in; by source, campaign, territory, industry, size, kind of request, "
		"kind of e-mail address, phone, website, how much is filled in, and by touches and answers up to that moment, as far as the "
		"files have them; never by who somebody is, or by what happened later. A sale counts within the time in which nine of ten come."
	)
	if backtest and found and found.model:
		said += (
			f" Learned from {backtest.learned_from:,} cases, of which {backtest.learned_won:,} were sold within "
			f"{found.model.horizons.get('', 0)} days: a lead is one case as it came in, and another some days later if it was still to be "
			"won, so that there are more cases than leads, and a sale may stand in two. By each field alone: without weighing them "
			"together, each field's own share of sales multiplied with those of the others (naive Bayes). AUC: the chance that a lead that bought stands before one that did not."
		)
	taken = -(-leads // MOST_LEADS)
	return said + (f" One of {taken} leads was taken." if taken > 1 else "")


def weights(model: Model) -> Section:
	"""What raises and what lowers the chance of a sale, the strongest first."""
	telling = [reason for reason in lines_of(model) if abs(reason.line.weight) >= LEAST_WEIGHT]
	strongest = sorted(telling, key=lambda reason: -abs(reason.line.weight))[:LINES_SHOWN]
	rows: list[list[Cell]] = [
		[
			_FIELDS.get(reason.field, reason.field),
			_in_words(reason.line),
			reason.line.leads,
			reason.line.won,
			reason.line.won / reason.line.leads if reason.line.leads else None,
			reason.factor,
		]
		for reason in strongest
	]
	return Section(
		"ranking_weights",
		"What the sales have in common",
		f"In {model.leads:,} cases with a known outcome {shown(model.prior, SHARE)} bought in time: a lead is up to two cases.",
		[
			Column("field", "Field", TEXT),
			Column("value", "Value", TEXT),
			Column("leads", "Cases", COUNT),
			Column("won", "Sold in time", COUNT),
			Column("share", "Share", SHARE),
			Column("factor", "Times the average", NUMBER),
		],
		rows,
		"The values that weigh most in the model, either way. Each lead is a case as it came in, and once more as it was a week or a "
		"month later, if it was still to be won. Times the average: how often those who say so buy, of those who are average in all "
		"else; that is not the share beside it by the average, where one field goes with another. The app shows the whole table, and three reasons on each lead.",
	)


def _in_words(line: Weight) -> str:
	"""What a lead says, of which this line is: a range of whole numbers has the lower end of the next one as its end."""
	if line.field == "touched":
		return line.value or "No"
	if line.field not in NUMBERS or ".." not in line.value:
		return line.value.capitalize() if line.field == "stage" else line.value or "not given"
	low, _dots, high = line.value.partition("..")
	if not high:
		return f"{low} or more" if low else "any"
	top = f"{float(high) - 1:g}"
	if top == (low or "0"):
		return top
	return f"{low} to {top}" if low else f"up to {top}"
