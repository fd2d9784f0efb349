"""Says what of Frappe's and ERPNext's own tests passes on a site without the app only.

	python compare.py modules VERSION SIDE [subset]   prints the modules to run: modules.csv lists them
	python compare.py doubtful RUN                    prints those in which something did not pass with the app
	python compare.py judge VERSION RUN…              compares, and says what came

A RUN is a folder with what run.py wrote: warn.json and enforce.json, the modules' results with the app and its gates
set so, and without.json, those of the doubtful modules without the app. A test counts as broken if in every run it
passes without the app and does not pass with it. With Enforce, the tests that expected.csv names may break, as the gate
is for that; and each of them must. Exit status 1 says that something else broke, that a listener of ours failed,
that a row of expected.csv is out of date, or that nothing of a module passed on either side.
"""

import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PASSED, SKIPPED = "passed", "skipped"
SIDES = ("warn", "enforce")

Outcomes = dict[str, str]  # by test


@dataclass
class Verdict:
	"""What one side of a version has shown, test by test."""

	broken: dict[str, str] = field(default_factory=dict)  # test → what it said with the app
	expected: list[str] = field(default_factory=list)  # broken, as expected.csv says
	out_of_date: list[str] = field(default_factory=list)  # rows of expected.csv whose test ran and passed
	flaky: list[str] = field(default_factory=list)  # broken in one run and not in another
	failing_in_both: list[str] = field(default_factory=list)
	passed: int = 0

	@property
	def is_good(self) -> bool:
		return not self.broken and not self.out_of_date


def judge(runs: list[tuple[Outcomes, Outcomes]], expected: Iterable[str] = ()) -> Verdict:
	"""Each run is what came without the app, and with it. A test that did not run has not passed."""
	verdict = Verdict()
	expected = set(expected)
	broken_in = [breaking(*run) for run in runs]
	ran = {test for _without, with_app in runs for test in with_app}
	broken = set.intersection(*broken_in) if broken_in else set()
	verdict.expected = sorted(broken & expected)
	verdict.out_of_date = sorted((expected & ran) - set.union(set(), *broken_in))
	verdict.flaky = sorted(set.union(set(), *broken_in) - broken)
	without, with_app = runs[-1]
	# what broke a class or a module as a whole stands under a name of its own, in the outcomes with the app
	reasons = {test: outcome for test, outcome in with_app.items() if outcome not in {PASSED, SKIPPED}}
	verdict.broken = {test: _reason(test, reasons) for test in sorted(broken - expected)}
	verdict.failing_in_both = sorted(
		test for test in reasons if without.get(test, PASSED) not in {PASSED, SKIPPED}
	)
	verdict.passed = sum(outcome == PASSED for outcome in runs[0][1].values())
	return verdict


def breaking(without: Outcomes, with_app: Outcomes) -> set[str]:
	"""The tests that pass without the app and not with it; and the listeners of ours that failed."""
	tests = {test for test, outcome in without.items() if outcome == PASSED and with_app.get(test) != PASSED}
	return tests | {name for name in with_app if name.startswith("listener ")}


def _reason(test: str, reasons: Outcomes) -> str:
	"""What the test said with the app; else, what kept its class or module from running."""
	class_name = test.rpartition(".")[0]
	for name, reason in reasons.items():
		if name == test or f"({class_name})" in name or test.startswith(f"{name}."):
			return reason
	return "It was not run, or skipped."


def expected_on(version: str, side: str) -> set[str]:
	with (HERE / "expected.csv").open() as file:
		return {
			row["test"]
			for row in csv.DictReader(file)
			if row["gates"] == side and row["versions"] in {"", version}
		}


def modules(version: str, side: str, subset: bool = False) -> list[str]:
	"""The test modules that run on that side of that version; Frappe's know no gate, and need not run twice."""
	with (HERE / "modules.csv").open() as file:
		return [
			row["module"]
			for row in csv.DictReader(file)
			if row["versions"] in {"", version}
			and (row["subset"] in {"yes", version} or not subset)
			and (side != "enforce" or row["module"].startswith("erpnext."))
		]


def doubtful(run: Path) -> list[str]:
	"""The modules that have to run without the app, too, before anything can be said of them."""
	found = []
	for side in SIDES:
		for module, outcomes in _load(run, side).items():
			if module not in found and set(outcomes.values()) != {PASSED}:
				found.append(module)
	return found


def compared(run: Path, side: str) -> tuple[Outcomes, Outcomes]:
	"""What came without the app and with it, of the modules that ran with it; of what passed with it, no more is known."""
	with_app, without = _load(run, side), _load(run, "without")
	return (
		{test: outcome for module in with_app for test, outcome in without.get(module, {}).items()},
		{test: outcome for outcomes in with_app.values() for test, outcome in outcomes.items()},
	)


def not_run(runs: Iterable[Path], side: str) -> list[str]:
	"""The modules of which no test has passed in any run, on neither side: what has kept them from running, such as what
	an earlier module left behind, hides whatever the app breaks in them."""
	passed: dict[str, bool] = {}
	for run in runs:
		without = _load(run, "without")
		for module, outcomes in _load(run, side).items():
			all_outcomes = {*outcomes.values(), *without.get(module, {}).values()}
			passed[module] = passed.get(module, False) or PASSED in all_outcomes
	return [module for module, has_passed in passed.items() if not has_passed]


def _load(run: Path, side: str) -> dict[str, Outcomes]:
	path = run / f"{side}.json"
	return json.loads(path.read_text()) if path.exists() else {}


def judge_runs(version: str, *runs: str) -> bool:
	good = True
	for side in SIDES:
		verdict = judge([compared(Path(run), side) for run in runs], expected_on(version, side))
		good = good and verdict.is_good
		tell(f"v{version}, gates set to {side.title()}", verdict)
		for module in not_run([Path(run) for run in runs], side):
			print(f"  NOT RUN, neither without the app: {module}")
			good = False
	return good


def main(command: str, *args: str) -> int:
	if command == "judge":
		return 0 if judge_runs(*args) else 1
	if command == "doubtful":
		print(*doubtful(Path(args[0])))
	else:
		print(*modules(args[0], args[1], subset=bool(args[2:])))
	return 0


def tell(title: str, verdict: Verdict):
	print(
		f"{title}: {verdict.passed} tests of Frappe and ERPNext pass, {len(verdict.broken)} pass without the app only"
	)
	for test, reason in verdict.broken.items():
		print(f"  BROKEN {test}", *("    " + line for line in reason.strip().splitlines()[-25:]), sep="\n")
	for test in verdict.out_of_date:
		print(f"  PASSES, although expected.csv says that the gate refuses it: {test}")
	for words, tests in (
		("refused, as docs/compatibility.md says", verdict.expected),
		("flaky: broke once, passed when it was run again", verdict.flaky),
		("fails without the app, too", verdict.failing_in_both),
	):
		for test in tests:
			print(f"  {words}: {test}")


if __name__ == "__main__":
	sys.exit(main(*sys.argv[1:]))
