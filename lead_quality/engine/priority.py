"""Which lead first: how likely a sale is, by a table of weights that was learned from the company's own sales.

A model is a table: field, value (or range of numbers), weight. To score a lead, to say why and to read the table takes
nothing but this module; `learning.py` makes the table.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

# what a lead says in a field: a text, a number, or nothing
Value = str | float | None
Facts = Mapping[str, Value]

# nothing was entered: a value like any other
MISSING = ""

# Who somebody is decides nothing: no model learns from these, nor from what tells of them.
NEVER = frozenset(
	"""name lead_name first_name middle_name last_name salutation gender date_of_birth birth_date age
	nationality language marital_status religion image email_id phone mobile_no whatsapp_no""".split()
)
# where anybody gets an address for nothing
FREE_HOSTS = frozenset(
	"""aol.com gmail.com gmx.com gmx.de gmx.net googlemail.com hotmail.com hotmail.co.uk hotmail.fr icloud.com
	libero.it live.com mail.com mail.ru me.com msn.com naver.com outlook.com orange.fr proton.me protonmail.com qq.com
	rediffmail.com t-online.de wanadoo.fr web.de yahoo.co.in yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru
	ymail.com 126.com 163.com""".split()
)
# what a lead says of its company: fields that are told as they are, those of which it counts how many are filled in, and
# where a number may stand
SAID = ("industry", "market_segment", "request_type", "type", "no_of_employees")
FILLED = (
	"company_name",
	"email_id",
	"phone",
	"mobile_no",
	"whatsapp_no",
	"website",
	"job_title",
	"city",
	"country",
	*SAID,
)
NUMBERS = frozenset(("filled", "criteria_met", "days_known"))  # of which the lines of a table are ranges
PHONES = ("phone", "mobile_no", "whatsapp_no")
# what makes a sale less than a twentieth likelier or less likely is worth nobody's effort, and says nothing
WORTH_SAYING = 1.05
# the most that the weights of one lead may come to, so that no exponent overflows
FURTHEST = 30.0


@dataclass(frozen=True)
class Weight:
	"""A line of the table. `weight` is added to the log odds of a sale; the average lead has 0 of every field.

	`leads` of the past had this value, and `won` of them bought in time.
	"""

	field: str
	value: str
	weight: float
	leads: int
	won: int


@dataclass(frozen=True)
class Model:
	"""What was learned. `cuts` are the lower ends of the ranges of each field of numbers, but for the first.

	`ranks` are the probabilities below which 1 %, 2 %, … 99 % of the past leads lay. `horizons` are the days within
	which a sale counts, by segment; the empty name is that of all others.
	"""

	intercept: float
	lines: tuple[Weight, ...]
	cuts: Mapping[str, tuple[float, ...]]
	ranks: tuple[float, ...]
	leads: int
	won: int
	horizons: Mapping[str, int]
	table: Mapping[str, Mapping[str, Weight]] = field(init=False, repr=False, compare=False)

	def __post_init__(self) -> None:
		table: dict[str, dict[str, Weight]] = {}
		for line in self.lines:
			table.setdefault(line.field, {})[line.value] = line
		object.__setattr__(self, "table", table)

	@property
	def prior(self) -> float:
		"""The share of the past leads that bought in time."""
		return self.won / self.leads

	def as_dict(self) -> dict[str, Any]:
		"""For JSON."""
		return {
			"intercept": self.intercept,
			"lines": [list(asdict(line).values()) for line in self.lines],
			"cuts": {name: list(cuts) for name, cuts in self.cuts.items()},
			"ranks": list(self.ranks),
			"leads": self.leads,
			"won": self.won,
			"horizons": dict(self.horizons),
		}

	@classmethod
	def from_dict(cls, stored: Mapping[str, Any]) -> "Model":
		return cls(
			stored["intercept"],
			tuple(Weight(*line) for line in stored["lines"]),
			{name: tuple(cuts) for name, cuts in stored["cuts"].items()},
			tuple(stored["ranks"]),
			stored["leads"],
			stored["won"],
			stored["horizons"],
		)


@dataclass(frozen=True)
class Reason:
	"""One field's part in a score. `factor`: an average lead with this value buys so many times as often as an average
	lead. `line` is the line of the table that says so."""

	field: str
	value: str
	factor: float
	line: Weight

	@property
	def raises(self) -> bool:
		return self.factor > 1


def key_of(value: Value, cuts: Sequence[float] | None = None) -> str:
	"""Under which value of the table a lead's value stands.

	:param cuts: of a field of numbers; a text there is as if nothing were entered.
	"""
	if cuts is None:
		if isinstance(value, float) and value.is_integer():
			return str(int(value))
		return MISSING if value is None else str(value).strip()
	if not is_number(value):
		return MISSING
	place = bisect_right(cuts, float(value or 0))
	low = f"{cuts[place - 1]:.12g}" if place else ""
	high = f"{cuts[place]:.12g}" if place < len(cuts) else ""
	return f"{low}..{high}"


def is_number(value: object) -> bool:
	"""Whether this is a number that can be put in order."""
	return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def score(model: Model, facts: Facts) -> float:
	"""How likely it is that a lead buys within the horizon of its segment, between 0 and 1.

	What the table has no line for weighs nothing.
	"""
	total = model.intercept
	for name, lines in model.table.items():
		line = lines.get(key_of(facts.get(name), model.cuts.get(name)))
		if line:
			total += line.weight
	return probability(total)


def probability(log_odds: float) -> float:
	return 1 / (1 + math.exp(-max(-FURTHEST, min(FURTHEST, log_odds))))


def priority(model: Model, likelihood: float) -> int:
	"""A lead's place among those of the past, 0 to 100: so many percent of them were less likely to buy.

	Of those that were as likely, half count.
	"""
	below, upto = bisect_left(model.ranks, likelihood), bisect_right(model.ranks, likelihood)
	return 100 if 0 < len(model.ranks) == below else (below + upto + 1) // 2


def priority_by_rules(met: int, criteria: int) -> int:
	"""Where nothing could be learned, leads go by how much of their checklist they meet, 0 to 100."""
	return round(100 * max(0, min(met, criteria)) / criteria) if criteria > 0 else 0


def reasons(model: Model, facts: Facts, count: int = 3) -> list[Reason]:
	"""What moves a lead's score most, either way, the strongest first; what moves it by less than a twentieth is none."""
	found = []
	for name, lines in model.table.items():
		line = lines.get(key_of(facts.get(name), model.cuts.get(name)))
		if line and line.weight:
			found.append(_reason(model, line))
	found = [reason for reason in found if not 2 - WORTH_SAYING <= reason.factor < WORTH_SAYING]
	return sorted(found, key=lambda reason: (-abs(reason.line.weight), reason.field))[:count]


def lines_of(model: Model) -> list[Reason]:
	"""The whole table, field by field, those that tell leads apart most first; in each, what raises a score most first."""
	apart = {
		name: max(line.weight for line in lines.values()) - min(line.weight for line in lines.values())
		for name, lines in model.table.items()
	}
	found = [_reason(model, line) for line in model.lines]
	return sorted(
		found,
		key=lambda reason: (-apart[reason.field], reason.field, -reason.line.weight, reason.value),
	)


def would_raise(model: Model, facts: Facts, changeable: Collection[str], count: int = 3) -> list[Reason]:
	"""What would raise a lead's score most, of what people can still find out or do, the strongest first.

	Numbers only grow: nobody unasks a question or empties a field for a better place.

	:param changeable: the fields of which that can be said.
	:returns: the best other value of each; `factor` is how many times as likely the lead itself would buy.
	"""
	now = score(model, facts)
	found = []
	for name in changeable:
		cuts = model.cuts.get(name)
		lines = [
			line for line in model.table.get(name, {}).values() if _is_ahead(line, facts.get(name), cuts)
		]
		if not lines:
			continue
		best = max(lines, key=lambda line: (line.weight, line.value))
		then = score(model, {**facts, name: _example(best, cuts)})
		if best.weight > 0 and best.value != MISSING and then >= now * WORTH_SAYING:
			found.append(Reason(name, best.value, then / now, best))
	return sorted(found, key=lambda reason: (-reason.factor, reason.field))[:count]


def _reason(model: Model, line: Weight) -> Reason:
	average = math.log(model.prior / (1 - model.prior)) if 0 < model.prior < 1 else model.intercept
	return Reason(line.field, line.value, probability(average + line.weight) / probability(average), line)


def _is_ahead(line: Weight, value: Value, cuts: Sequence[float] | None) -> bool:
	"""Whether a lead that says this may come to say that line: of numbers, a higher one."""
	if cuts is None or not is_number(value):
		return True
	low = line.value.partition("..")[0]
	return bool(low) and float(low) > float(value or 0)


def _example(line: Weight, cuts: Sequence[float] | None) -> Value:
	"""A value that stands under this line."""
	if cuts is None or line.value == MISSING:
		return line.value
	low, _dots, _high = line.value.partition("..")
	return float(low) if low else cuts[0] - 1


class Lead(Protocol):
	"""What the fields of a lead are asked for: a document, a row, or a mapping."""

	def get(self, field: str, /) -> Any: ...


def said_by(lead: Lead) -> dict[str, Any]:
	"""What a lead with the fields `FILLED` says of its company: never who somebody is, nor an address. A number that ERPNext
	copies from one field to another is said once."""
	numbers = {lead.get(field) for field in PHONES if lead.get(field)}
	return {
		**{field: lead.get(field) or MISSING for field in SAID},
		"mail": kind_of_mail(lead.get("email_id")),
		"has_phone": "Yes" if numbers else MISSING,
		"has_website": "Yes" if lead.get("website") else MISSING,
		"filled": len(numbers) + completeness(lead.get(field) for field in FILLED if field not in PHONES),
	}


def facts_at(
	lead: Lead,
	source: str | None,
	campaign: str | None,
	said: Facts,
	stage: str,
	touched: bool,
	met: int,
	days: int,
) -> dict[str, Any]:
	"""The facts of a lead at a moment: the one list of them, for learning and for scoring.

	:param lead: with its `territory` and its segment, `lq_segment`.
	:param said: see `said_by`.
	:param met: how many criteria are met.
	:param days: since its entry.
	"""
	return {
		"source": source or MISSING,
		"campaign": campaign or MISSING,
		"territory": lead.get("territory") or MISSING,
		"segment": lead.get("lq_segment") or MISSING,
		**said,
		"stage": stage,
		"touched": "Yes" if touched else MISSING,
		"criteria_met": met,
		"days_known": max(days, 0),
	}


def kind_of_mail(address: str | None) -> str:
	"""What sort of address a lead gave: none, of a free mail host, or of a domain of its own."""
	host = (address or "").strip().lower().rpartition("@")[2]
	if not host or "@" not in (address or ""):
		return MISSING
	return "Free Mail" if host in FREE_HOSTS else "Own Domain"


def completeness(values: Iterable[Value]) -> int:
	"""How many of these are filled in."""
	return sum(value not in (None, "", 0) for value in values)
