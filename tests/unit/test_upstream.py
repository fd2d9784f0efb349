"""How the peers' own tests are compared: what counts as broken by the app."""

import csv
import importlib.util
import json
import sys
from pathlib import Path

import pytest

UPSTREAM = Path(__file__).parents[1] / "upstream"


@pytest.fixture
def compare(monkeypatch):
	spec = importlib.util.spec_from_file_location("upstream_compare", UPSTREAM / "compare.py")
	module = importlib.util.module_from_spec(spec)
	monkeypatch.setitem(sys.modules, "upstream_compare", module)  # its dataclass asks for its module
	spec.loader.exec_module(module)
	return module


def rows(name: str) -> list[dict[str, str]]:
	with (UPSTREAM / name).open() as file:
		return list(csv.DictReader(file))


@pytest.mark.parametrize(
	("with_app", "is_broken"),
	[
		({"a": "passed"}, False),
		({"a": "Traceback"}, True),
		({"a": "skipped"}, True),
		({}, True),  # its class or module did not run
	],
)
def test_a_test_that_does_not_pass_with_the_app_is_broken(compare, with_app, is_broken):
	verdict = compare.judge([({"a": "passed"}, with_app)])

	assert (list(verdict.broken) == ["a"]) is is_broken
	assert verdict.is_good is not is_broken


def test_a_test_that_fails_without_the_app_too_is_named_and_not_charged(compare):
	verdict = compare.judge([({"a": "Traceback"}, {"a": "Traceback"})])

	assert verdict.is_good
	assert verdict.failing_in_both == ["a"]


def test_a_test_that_breaks_once_and_passes_when_run_again_is_flaky(compare):
	first = ({"a": "passed", "b": "passed"}, {"a": "Traceback", "b": "Traceback"})
	second = ({"a": "passed", "b": "passed"}, {"a": "passed", "b": "Traceback"})

	verdict = compare.judge([first, second])

	assert list(verdict.broken) == ["b"]
	assert verdict.flaky == ["a"]


def test_what_the_gate_is_for_may_break_and_must(compare):
	passes, breaks = ({"a": "passed"}, {"a": "passed"}), ({"a": "passed"}, {"a": "Traceback"})

	assert compare.judge([breaks], ["a"]).is_good
	assert compare.judge([passes], ["a"]).out_of_date == ["a"]
	assert compare.judge([passes], ["of a module that did not run"]).is_good


def test_a_listener_of_ours_that_failed_counts_although_the_test_passes(compare):
	outcomes = {"a": "passed", "listener after_insert failed on Communication": "Traceback"}

	assert list(compare.judge([({"a": "passed"}, outcomes)]).broken) == [
		"listener after_insert failed on Communication"
	]


def test_a_class_that_did_not_run_says_why(compare):
	outcomes = {"setUpClass (m.TestA)": "Traceback: no company"}

	assert compare.judge([({"m.TestA.test_one": "passed"}, outcomes)]).broken == {
		"m.TestA.test_one": "Traceback: no company"
	}


def test_docs_name_every_test_that_the_gate_refuses():
	text = (UPSTREAM.parents[1] / "docs" / "compatibility.md").read_text()

	for row in rows("expected.csv"):
		assert row["test"].rpartition(".")[2] in text
		assert row["reason"]


def test_each_module_is_listed_once():
	modules = [row["module"] for row in rows("modules.csv")]

	assert len(set(modules)) == len(modules)


def test_a_module_of_which_nothing_passes_on_either_side_hides_what_is_broken(compare, tmp_path):
	def write(run: str, side: str, **outcomes: str):
		(tmp_path / run).mkdir(exist_ok=True)
		modules = {module: {f"{module}.test": outcome} for module, outcome in outcomes.items()}
		(tmp_path / run / f"{side}.json").write_text(json.dumps(modules))

	write("1", "warn", dead="Traceback", broken="Traceback", fine="passed", flaky="Traceback")
	write("1", "without", dead="Traceback", broken="passed", flaky="Traceback")
	write("2", "warn", dead="Traceback", flaky="passed")

	assert compare.not_run([tmp_path / "1", tmp_path / "2"], "warn") == ["dead"]
	assert not compare.judge_runs("16", str(tmp_path / "1"), str(tmp_path / "2"))
