"""What a priority learned from past leads would have done, beside other orders: `python benchmarks/priority.py [FILE.csv]`.

Companies are made up, each of a kind of its own, with a seed; a sale depends on some of their fields, and chance decides
the rest. The older 70 % of the leads are learned from, the newer 30 % judge it. Printed are, for each order, the AUC
and the share of all sales in the first fifth, over five seeds, and for the first the Brier score. "Best" knows the true
odds; nothing can do better. Where scikit-learn is installed, its logistic regression is judged too, on the same ranges
of numbers.

A CSV file of leads is judged in the same way, in the order of its column `Lead Number`, with `Converted` as the
outcome; options leave out columns that were filled in later: `--without "Tags,Last Activity"`.

At the end, the time and the memory that learning from 100,000 leads takes, and how many leads are scored a second.
"""

import argparse
import csv
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from math import exp, log
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lead_quality.engine import learning
from lead_quality.engine.learning import Case, Example
from lead_quality.engine.priority import is_number, key_of, priority, score

SOURCES = {
	"Website": 0.3,
	"Referral": 1.2,
	"Fair": 0.1,
	"Cold": -1.2,
	"Advert": -0.2,
	"Partner": 0.9,
	"Mail": -0.3,
}
TERRITORIES = (0, 0.4, -0.3, 0.1, 0, 0, -0.6, 0.3, 0, 0, 0.2, -0.2)
# leads, share that buys, whether there are more than two fields, how alike some fields are, fields that say nothing
COMPANIES = {
	"two fields, rare sales": (4_000, 0.02, False, 0.0, 0),
	"fields that say the same": (6_000, 0.05, True, 0.9, 0),
	"rare sales, much noise": (5_000, 0.02, True, 0.8, 8),
	"many sales": (8_000, 0.2, True, 0.5, 3),
	"a small company": (600, 0.12, True, 0.8, 3),
}
SEEDS = range(5)
LEADS = 100_000


def main():
	parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
	parser.add_argument("file", nargs="?", type=Path)
	parser.add_argument("--without", default="", help="columns of the file that are not used")
	arguments = parser.parse_args()
	if arguments.file:
		made = list(read(arguments.file, {name.strip() for name in arguments.without.split(",")}))
		show(f"{arguments.file.name}, {len(made):,} leads", [(made, None)])
		return
	for name, shape in COMPANIES.items():
		show(f"{name}, {shape[0]:,} leads, {shape[1]:.0%} buy", [company(seed, *shape) for seed in SEEDS])
	measure_speed()


def company(
	seed: int, leads: int, share: float, is_rich: bool, alike: float, noise: int
) -> tuple[list[Example], list[float]]:
	"""Leads, and the true log odds of each but for a constant."""
	chance = random.Random(seed)
	names = list(SOURCES)
	facts, odds = [], []
	for _lead in range(leads):
		source = names[min(len(names) - 1, int(chance.expovariate(0.5)))]
		territory = chance.randrange(len(TERRITORIES))
		lead: dict = {"source": source, "territory": f"T{territory}"}
		logit = SOURCES[source] + TERRITORIES[territory]
		if is_rich:
			for field in ("segment", "channel"):
				lead[field] = source if chance.random() < alike else chance.choice(names)
			size = int(exp(chance.gauss(3, 1.5)))
			lead["size"] = size if chance.random() < 0.5 else None
			lead["has_phone"] = "Yes" if chance.random() < 0.7 else None
			lead["touches"] = chance.randrange(5)
			lead["industry"] = f"I{chance.randrange(30)}"
			logit += 0.25 * (log(size + 1) - 3) + (0.3 if lead["has_phone"] else -0.5) + 0.3 * lead["touches"]
		lead.update({f"noise{place}": f"v{chance.randrange(20)}" for place in range(noise)})
		facts.append(lead)
		odds.append(logit)
	low, high = -15.0, 5.0
	for _halving in range(40):
		middle = (low + high) / 2
		if mean(1 / (1 + exp(-logit - middle)) for logit in odds) < share:
			low = middle
		else:
			high = middle
	won = [chance.random() < 1 / (1 + exp(-logit - low)) for logit in odds]
	return [Example(float(at), lead, won[at]) for at, lead in enumerate(facts)], odds


def read(path: Path, without: set[str]) -> Iterator[Example]:
	"""The leads of a file in their order. "Select" is what a form shows where nothing was chosen."""
	with path.open(newline="", encoding="utf-8") as file:
		rows = sorted(csv.DictReader(file), key=lambda row: int(row["Lead Number"]))
	left_out = {"", "Prospect ID", "Lead Number", "Converted", *without}
	for row in rows:
		facts = {name: value_of(text) for name, text in row.items() if name and name not in left_out}
		yield Example(float(row["Lead Number"]), facts, row["Converted"] == "1")


def value_of(text: str | None) -> str | float | None:
	text = (text or "").strip()
	if text in {"", "Select"}:
		return None
	try:
		return float(text)
	except ValueError:
		return text


def show(title: str, made: list[tuple[list[Example], list[float] | None]]):
	found: dict[str, list[learning.Order]] = {}
	brier = []
	for examples, odds in made:
		older = int(len(examples) * learning.OLDER)
		before, after = examples[:older], examples[older:]
		won = [example.won for example in after]
		backtest = learning.judge(before, after)
		brier.append(backtest.brier)
		orders = dict(backtest.orders)
		if any("criteria_met" in example.facts for example in after):
			orders["criteria"] = backtest.orders["criteria"]
		else:
			orders.pop("criteria")
		if library := by_library():
			orders["scikit-learn"] = learning.order(library(before, after), won)
		if odds:
			orders["best"] = learning.order(odds[older:], won)
		for name, order in orders.items():
			found.setdefault(name, []).append(order)
	print(f"\n{title}")
	for name, several in found.items():
		more = f"  Brier {mean(brier):.4f}" if name == "model" else ""
		auc, fifth = mean(order.auc for order in several), mean(order.first_fifth for order in several)
		print(f"  {name:<14} AUC {auc:.3f}  first fifth {fifth:5.1%}{more}")


def by_library() -> Callable[[list[Example], list[Example]], list[float]] | None:
	try:
		from sklearn.linear_model import LogisticRegression
		from sklearn.preprocessing import OneHotEncoder
	except ImportError:
		return None

	def scores(before: list[Example], after: list[Example]) -> list[float]:
		names = sorted({name for example in before for name in example.facts})
		cuts = {}
		for name in names:
			filled = [value for example in before if (value := example.facts.get(name)) not in (None, "")]
			if filled and all(is_number(value) for value in filled):
				cuts[name] = learning.cut([float(value) for value in filled])

		def rows(examples):
			return [
				[key_of(example.facts.get(name), cuts.get(name)) for name in names] for example in examples
			]

		encoder = OneHotEncoder(handle_unknown="ignore", min_frequency=learning.RAREST)
		model = LogisticRegression(C=1 / learning.STRENGTH, max_iter=500)
		model.fit(encoder.fit_transform(rows(before)), [example.won for example in before])
		return list(model.predict_proba(encoder.transform(rows(after)))[:, 1])

	return scores


def measure_speed():
	examples, _odds = company(1, LEADS, 0.05, True, 0.8, 6)
	start = datetime(2020, 1, 1)
	cases = [
		Case(
			start + timedelta(minutes=20 * at),
			"",
			((0, example.facts), ((7, 30)[at % 2], example.facts)),
			40 if example.won else None,
		)
		for at, example in enumerate(examples)
	]
	began, used = time.perf_counter(), time.process_time()
	learned = learning.learn(cases, start + timedelta(days=2_000))
	took, used = time.perf_counter() - began, time.process_time() - used
	megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
	print(
		f"\nlearning from {LEADS:,} leads, each at two moments, and judging that: {took:.1f} s ({used:.1f} s of a "
		f"processor), {megabytes:,.0f} MB at most, the leads included"
	)
	assert learned.model
	began = time.perf_counter()
	for example in examples[:20_000]:
		priority(learned.model, score(learned.model, example.facts))
	print(f"scoring: {20_000 / (time.perf_counter() - began):,.0f} leads a second")


if __name__ == "__main__":
	main()
