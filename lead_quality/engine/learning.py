"""How the table of `priority.py` is learned from past leads, and how well it would have done.

A regularised logistic regression over the values of each field, numbers in ranges: as every field's values exclude one
another, all weights of a field have an exact step of their own (Newton's), and the fields take turns until nothing
moves. It needs no library. See docs/priority.md for what it was compared with.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lead_quality.engine.priority import MISSING, NEVER, Facts, Model, Weight, is_number, key_of, probability
from lead_quality.engine.priority import score as score_of

# of fewer sales nothing is learned
LEAST_WON = 50
# of which so many must be among the leads that a model learns from, and among those it is judged by
LEAST_WON_BEFORE, LEAST_WON_AFTER = 20, 10
# a model is used only if mere chance would fill its first fifth so well in fewer than one of a hundred backtests
CHANCE = 0.01
# the first so many of all leads, by date, are learned from in a backtest, the others judge it
OLDER = 0.7
RANGES = 16  # of a field of numbers
RAREST = 8  # leads that a value needs for a line of its own
STRENGTH = 16.0  # of the pull to 0: as if so much information said that a value makes no difference
TURNS, STILL = 30, 0.02  # the most turns, and the greatest step that counts as none
LARGEST_STEP = 1.0
# days within which a sale counts: nine of ten sales of a segment came sooner
SHORTEST, LONGEST, WON_WITHIN, LEAST_OF_SEGMENT = 14, 365, 0.9, 20

# the second moment of a lead, in days after its entry: every other lead has the one or the other
LATER = (7, 30)
# what a save writes of a lead itself bears an instant after that of its entry
AT_ENTRY = timedelta(minutes=1)

# why there is no model
TOO_FEW, TOO_SHORT, BY_CHANCE = "Too Few Sales", "Too Short a Past", "No Better Than Chance"

Scorer = Callable[[Sequence["Example"]], list[float]]


@dataclass(frozen=True)
class Example:
	"""A past lead as it was at a moment, and whether it bought within the horizon after that."""

	at: datetime | float
	facts: Facts
	won: bool


@dataclass(frozen=True)
class Case:
	"""A past lead. `moments` are days after its entry, with what was known of it then: the first is its entry.

	`sold_after` and `over_after` are days after its entry, None if it has not bought or is not over.
	"""

	entered_at: datetime
	segment: str
	moments: tuple[tuple[float, Facts], ...]
	sold_after: float | None = None
	over_after: float | None = None


@dataclass(frozen=True)
class Order:
	"""How well an order of leads put those first that bought: the chance that one that bought stands before one that did
	not (`auc`), and the shares of all sales that lay in the first tenth and fifth."""

	auc: float
	first_tenth: float
	first_fifth: float


@dataclass(frozen=True)
class Decile:
	"""A tenth of the judged leads by their score: what was expected, and what came."""

	leads: int
	expected: float
	won: int


@dataclass(frozen=True)
class Backtest:
	"""What a model that had learned from the older leads would have done for the newer ones.

	`chance` is how often leads in any order would have had so many sales in their first fifth. `orders`: "model", and
	what it is compared with, "newest" first, "criteria" met, "naive" Bayes by field.
	"""

	learned_from: int
	learned_won: int
	leads: int
	won: int
	orders: Mapping[str, Order]
	deciles: tuple[Decile, ...]
	brier: float
	chance: float

	def as_dict(self) -> dict[str, Any]:
		"""For JSON."""
		return asdict(self)


@dataclass(frozen=True)
class Learned:
	"""`model` is None if leads should not be put in order by what could be learned, and `why` says why."""

	model: Model | None
	backtest: Backtest | None
	leads: int
	won: int
	why: str = ""


# from leads to a model


def learn(cases: Sequence[Case], now: datetime) -> Learned:
	"""Learn from a company's leads, judge what was learned by its newer leads, and say whether it may be used.

	:param now: of the zone of the leads; leads whose horizon has not passed by then have no outcome yet.
	"""
	days = horizons(cases)
	moments = [moment for case in cases for moment in examples_of(case, days)]
	known = [(example, settled) for example, settled, _first in moments if settled <= now]
	entries = [(example, settled) for example, settled, first in moments if first and settled <= now]
	won = sum(example.won for example, _settled in entries)
	if won < LEAST_WON:
		return Learned(None, None, len(entries), won, TOO_FEW)
	cut = sorted(example.at for example, _settled in entries)[int(len(entries) * OLDER)]
	# what was not settled when the first of the newer leads came in was not known then
	before = [example for example, settled in known if settled <= cut]  # type: ignore[operator]
	after = [example for example, _settled in entries if example.at >= cut]  # type: ignore[operator]
	if (
		sum(example.won for example in before) < LEAST_WON_BEFORE
		or sum(example.won for example in after) < LEAST_WON_AFTER
	):
		return Learned(None, None, len(entries), won, TOO_SHORT)
	backtest = judge(before, after)
	if backtest.chance >= CHANCE:
		return Learned(None, backtest, len(entries), won, BY_CHANCE)
	return Learned(train([example for example, _settled in known], days), backtest, len(entries), won)


def moments_of(
	entered_at: datetime, place: int, facts_at: Callable[[datetime, int], Facts]
) -> tuple[tuple[float, Facts], ...]:
	"""The moments of a case.

	:param place: of the lead among all: by it the second moment is chosen.
	:param facts_at: what was known of it at an instant, so many days after its entry.
	"""
	return tuple(
		(float(days), facts_at(entered_at + timedelta(days=days) + AT_ENTRY, days))
		for days in (0, LATER[place % 2])
	)


def stage_at(at: datetime, stages: Sequence[str], entered: Sequence[datetime | None]) -> str:
	"""The last of these stages that a lead had entered by an instant, the first if it had entered none."""
	reached = [stage for stage, instant in zip(stages, entered, strict=True) if instant and instant <= at]
	return reached[-1] if reached else stages[0]


def horizons(cases: Iterable[Case]) -> dict[str, int]:
	"""Within how many days a sale counts, by segment; the empty name is that of segments with too few sales."""
	lasted: dict[str, list[float]] = {"": []}
	for case in cases:
		if case.sold_after is not None:
			lasted.setdefault(case.segment, []).append(case.sold_after)
			if case.segment:
				lasted[""].append(case.sold_after)
	return {
		segment: _horizon(sorted(days))
		for segment, days in lasted.items()
		if not segment or len(days) >= LEAST_OF_SEGMENT
	}


def _horizon(days: list[float]) -> int:
	if not days:
		return LONGEST
	return max(SHORTEST, min(LONGEST, math.ceil(days[math.ceil(len(days) * WON_WITHIN) - 1])))


def examples_of(case: Case, days: Mapping[str, int]) -> list[tuple[Example, datetime, bool]]:
	"""A lead at each moment at which it was still to be won, when its outcome was settled, and whether it is the entry.

	A sale on the instant of its entry counts: a lead is often entered with its order.
	"""
	horizon = days.get(case.segment, days[""])
	found = []
	for place, (after, facts) in enumerate(case.moments):
		ended = min(math.inf if end is None else max(end, 0) for end in (case.sold_after, case.over_after))
		if place and ended <= after:
			continue
		at = case.entered_at + timedelta(days=after)
		won = case.sold_after is not None and case.sold_after - after <= horizon
		found.append((Example(at, facts, won), at + timedelta(days=horizon), not place))
	return found


def train(examples: Sequence[Example], days: Mapping[str, int] | None = None) -> Model:
	"""The table that explains these leads best, pulled towards making no difference.

	:raises ValueError: if a fact is one that nothing may be learned from.
	"""
	coded = _Coded(examples)
	return coded.model(*_fit(coded), days)


def train_naive(examples: Sequence[Example]) -> Model:
	"""Each field by itself, as Odoo describes its predictive lead scoring: how often a value is found with leads that were
	won, and how often with those that were lost, and the fields multiplied. What is missing weighs nothing."""
	coded = _Coded(examples)
	weights = []
	lost = coded.leads - coded.won
	for at, values in enumerate(coded.values):
		counts, wins = coded.counts(at)
		weights.append(
			[
				0.0
				if value in (MISSING, None)
				else math.log((won + 0.1) / (coded.won + 0.1)) - math.log((n - won + 0.1) / (lost + 0.1))
				for value, n, won in zip(values, counts, wins, strict=True)
			]
		)
	return coded.model(weights, _log_odds(coded.won, coded.leads), None, is_centred=False)


class _Coded:
	"""Leads as rows of small numbers, each row once, with how often it came and how often it was won."""

	def __init__(self, examples: Sequence[Example]):
		self.fields = sorted({name for example in examples for name in example.facts})
		if refused := NEVER.intersection(self.fields):
			raise ValueError(f"Nothing is learned from {', '.join(sorted(refused))}")
		self.leads = len(examples)
		self.won = sum(example.won for example in examples)
		self.cuts: dict[str, tuple[float, ...]] = {}
		self.values: list[list[str | None]] = []  # of each field; None stands for those too rare for a line
		columns = [
			self._code(name, [example.facts.get(name) for example in examples]) for name in self.fields
		]
		rows: dict[tuple[int, ...], list[int]] = {}
		keys = zip(*columns, strict=True) if columns else [()] * len(examples)
		for key, example in zip(keys, examples, strict=True):
			row = rows.setdefault(key, [0, 0])
			row[0] += 1
			row[1] += example.won
		self.columns = [list(column) for column in zip(*rows, strict=True)]
		self.n = [row[0] for row in rows.values()]
		self.wins = [row[1] for row in rows.values()]

	def _code(self, name: str, column: list[Any]) -> list[int]:
		filled = [value for value in column if value not in (None, MISSING)]
		cuts = None
		if filled and all(is_number(value) for value in filled):
			cuts = self.cuts[name] = cut(filled)
		seen: dict[Any, str] = {}
		keys = []
		for value in column:
			key = seen.get(value)
			if key is None:
				key = seen[value] = key_of(value, cuts)
			keys.append(key)
		counts = Counter(keys)
		values = sorted(key for key, n in counts.items() if n >= RAREST)
		codes = {value: place for place, value in enumerate(values)}
		rest = len(values)
		self.values.append([*values, None])
		return [codes.get(key, rest) for key in keys]

	def counts(self, at: int) -> tuple[list[int], list[int]]:
		"""How many leads have each value of a field, and how many of them were won."""
		counts, wins = [0] * len(self.values[at]), [0] * len(self.values[at])
		for code, n, won in zip(self.columns[at] if self.columns else [], self.n, self.wins, strict=True):
			counts[code] += n
			wins[code] += won
		return counts, wins

	def model(
		self,
		weights: list[list[float]],
		intercept: float,
		days: Mapping[str, int] | None,
		is_centred: bool = True,
	) -> Model:
		"""The table, each field's weights moved so that they tell of the average lead: see `_centre`."""
		lines = []
		for at, name in enumerate(self.fields):
			counts, wins = self.counts(at)
			pairs = list(zip(weights[at], counts, strict=True))
			mean = _centre(pairs, _log_odds(self.won, self.leads)) if is_centred else 0.0
			intercept += mean
			for value, (weight, n), won in zip(self.values[at], pairs, wins, strict=True):
				if value is not None and len(self.values[at]) > 2:
					lines.append(Weight(name, value, round(weight - mean, 4), n, won))
				elif value is not None:
					intercept += weight - mean  # all leads say the same: it tells none from another
		model = Model(
			round(intercept, 4), tuple(lines), self.cuts, (), self.leads, self.won, days or {"": LONGEST}
		)
		return replace(model, ranks=self._ranks(model))

	def _ranks(self, model: Model) -> tuple[float, ...]:
		"""The probabilities below which 1 % to 99 % of the leads lie."""
		weights = [
			[_weight(model, name, value) for value in values]
			for name, values in zip(self.fields, self.values, strict=True)
		]
		totals = [model.intercept] * len(self.n)
		for column, of_value in zip(self.columns, weights, strict=True):
			totals = [total + of_value[code] for total, code in zip(totals, column, strict=True)]
		ranked = sorted(zip(totals, self.n, strict=True))
		ranks: list[float] = []
		seen = 0
		for total, n in ranked:
			seen += n
			while len(ranks) < 99 and seen * 100 > (len(ranks) + 1) * self.leads:
				ranks.append(probability(total))
		return tuple(ranks)


def _centre(pairs: list[tuple[float, int]], average: float) -> float:
	"""What is to be taken off the weights of a field so that leads that are average otherwise buy as often, taken together,
	as the average.

	:param pairs: the weight and the number of leads of each value.
	:param average: log odds.
	"""
	leads = sum(n for _weight, n in pairs)
	if not leads:
		return 0.0
	low, high = min(weight for weight, _n in pairs), max(weight for weight, _n in pairs)
	wanted = probability(average)
	for _halving in range(40):
		middle = (low + high) / 2
		if sum(n * probability(average + weight - middle) for weight, n in pairs) / leads > wanted:
			low = middle
		else:
			high = middle
	return (low + high) / 2


def _weight(model: Model, name: str, value: str | None) -> float:
	line = None if value is None else model.table.get(name, {}).get(value)
	return line.weight if line else 0.0


def cut(numbers: Collection[float], ranges: int = RANGES) -> tuple[float, ...]:
	"""Where the ranges of a field of numbers begin, but for the first: each holds about as many leads, and a number that
	fills a range has it to itself."""
	counts = sorted(Counter(float(number) for number in numbers).items())
	size = len(numbers) / ranges
	cuts, held = [], 0
	for place, (number, n) in enumerate(counts):
		if place and held and (held >= size or n >= size):
			cuts.append(number)
			held = 0
		held += n
	return tuple(cuts)


def _fit(coded: _Coded, strength: float = STRENGTH) -> tuple[list[list[float]], float]:
	"""Weights of every value of every field, and the intercept.

	Each turn takes the curve as it is at its start; the fields then take their steps one after the other.
	"""
	n, wins = coded.n, coded.wins
	intercept = _log_odds(coded.won, coded.leads)
	total = [intercept] * len(n)
	weights = [[0.0] * len(values) for values in coded.values]
	holders = [
		_holders(column, len(values)) for column, values in zip(coded.columns, coded.values, strict=True)
	]
	for _turn in range(TURNS):
		likely = [probability(logit) for logit in total]
		short = [won - leads * p for p, leads, won in zip(likely, n, wins, strict=True)]
		bend = [leads * p * (1 - p) for p, leads in zip(likely, n, strict=True)]
		step = _bounded(sum(short) / (sum(bend) + 1e-9))
		intercept += step
		total = [logit + step for logit in total]
		short = [lacking - step * curve for lacking, curve in zip(short, bend, strict=True)]
		moved = abs(step)
		for weight, rows_of_value in zip(weights, holders, strict=True):
			for code, rows in enumerate(rows_of_value):
				up = sum([short[row] for row in rows]) - strength * weight[code]
				step = _bounded(up / (sum([bend[row] for row in rows]) + strength))
				if abs(step) < STILL / 4:
					continue
				moved = max(moved, abs(step))
				weight[code] += step
				for row in rows:
					short[row] -= step * bend[row]
					total[row] += step
		if moved < STILL:
			break
	return weights, intercept


def _holders(column: list[int], values: int) -> list[list[int]]:
	"""The rows that have each value."""
	rows: list[list[int]] = [[] for _value in range(values)]
	for row, code in enumerate(column):
		rows[code].append(row)
	return rows


def _bounded(step: float) -> float:
	return max(-LARGEST_STEP, min(LARGEST_STEP, step))


def _log_odds(won: int, leads: int) -> float:
	return math.log((won + 0.5) / (leads - won + 0.5))


# how well it does


def judge(before: Sequence[Example], after: Sequence[Example]) -> Backtest:
	"""Learn from the older leads, and put the newer ones in order, by that and as one would without it."""
	model, naive = train(before), train_naive(before)
	won = [example.won for example in after]
	scores = [score_of(model, example.facts) for example in after]
	orders = {
		"model": order(scores, won),
		"newest": order([_number(example.at) for example in after], won),
		"criteria": order([float(example.facts.get("criteria_met") or 0) for example in after], won),
		"naive": order([score_of(naive, example.facts) for example in after], won),
	}
	fifth = len(after) // 5
	return Backtest(
		len(before),
		sum(example.won for example in before),
		len(after),
		sum(won),
		orders,
		deciles(scores, won),
		sum((score - is_won) ** 2 for score, is_won in zip(scores, won, strict=True)) / len(after),
		chance_of(math.floor(share_of_sales(scores, won, fifth) * sum(won)), fifth, sum(won), len(after)),
	)


def _number(at: datetime | float) -> float:
	return (at - datetime(2000, 1, 1, tzinfo=at.tzinfo)).total_seconds() if isinstance(at, datetime) else at


def order(scores: Sequence[float], won: Sequence[bool]) -> Order:
	"""How well these scores put those first that were won; leads of one score stand there in any order."""
	return Order(
		auc(scores, won),
		share_of_sales(scores, won, len(won) // 10),
		share_of_sales(scores, won, len(won) // 5),
	)


def auc(scores: Sequence[float], won: Sequence[bool]) -> float:
	"""The chance that one that was won has a higher score than one that was not; half, if they have the same. A half, if
	there is no such pair."""
	behind, lost_before = 0.0, 0
	for _score, n, wins in _levels(scores, won):
		lost = n - wins
		behind += wins * (lost_before + lost / 2)
		lost_before += lost
	pairs = sum(won) * lost_before
	return behind / pairs if pairs else 0.5


def share_of_sales(scores: Sequence[float], won: Sequence[bool], first: int) -> float:
	"""The share of all that were won that is expected among the first so many by score."""
	left, found = float(first), 0.0
	for _score, n, wins in reversed(_levels(scores, won)):
		taken = min(left, n)
		found += wins * taken / n
		left -= taken
	total = sum(won)
	return found / total if total else 0.0


def _levels(scores: Sequence[float], won: Sequence[bool]) -> list[tuple[float, int, int]]:
	"""Each score once, the lowest first, with how many leads have it, and how many of those were won."""
	levels: dict[float, list[int]] = {}
	for score, is_won in zip(scores, won, strict=True):
		level = levels.setdefault(score, [0, 0])
		level[0] += 1
		level[1] += is_won
	return [(score, n, wins) for score, (n, wins) in sorted(levels.items())]


def deciles(scores: Sequence[float], won: Sequence[bool]) -> tuple[Decile, ...]:
	"""Tenths of the leads by score, the highest first."""
	ranked = sorted(zip(scores, won, strict=True), key=lambda pair: -pair[0])
	tenths = []
	for place in range(10):
		part = ranked[len(ranked) * place // 10 : len(ranked) * (place + 1) // 10]
		if part:
			tenths.append(
				Decile(len(part), sum(score for score, _won in part) / len(part), sum(w for _s, w in part))
			)
	return tuple(tenths)


def chance_of(found: int, drawn: int, won: int, leads: int) -> float:
	"""How likely it is that at least so many of those that were won are among so many drawn blindly (hypergeometric)."""
	most = min(drawn, won)
	whole = _log_choose(leads, drawn)
	return min(
		1.0,
		sum(
			math.exp(_log_choose(won, k) + _log_choose(leads - won, drawn - k) - whole)
			for k in range(max(found, drawn - (leads - won), 0), most + 1)
		),
	)


def _log_choose(n: int, k: int) -> float:
	return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def has_dropped(now: Backtest, before: Sequence[float]) -> bool:
	"""Whether a model's first fifth holds fewer of the sales than those before it did, by more than chance explains: two
	standard deviations of a share of so many sales.

	:param before: the shares of the models before, the latest five count.
	"""
	if not before:
		return False
	latest = before[-5:]
	usual = sum(latest) / len(latest)
	return now.orders["model"].first_fifth < usual - 2 * math.sqrt(usual * (1 - usual) / max(now.won, 1))
