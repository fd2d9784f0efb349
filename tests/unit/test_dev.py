"""The developer's command reads what it is told as it says that it does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = """
source ./dev >/dev/null
read_test_args "$@"
echo $SUITES
echo "$REQUIRE_BENCH$SCREENSHOTS"
printf "%s\\n" "${PYTEST_ARGS[@]}"
"""
ALL = ["unit", "site", "browser"]
SUITES = [*ALL, "upstream"]


def read(*arguments: str) -> tuple[list[str], str, list[str]]:
	"""The suites, the flags and pytest's arguments."""
	command = ["bash", "-c", READ, "dev", *arguments]
	lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
	return lines[0].split(), lines[1], [line for line in lines[2:] if line]


@pytest.mark.parametrize("word", SUITES)
@pytest.mark.parametrize("option", ["-k", "-m", "--deselect"])
def test_the_value_of_an_option_is_no_suite(word, option):
	assert read("unit", option, word) == (["unit"], "", [option, word])
	assert read(option, word) == (ALL, "", [option, word])


def test_suites_are_named_first_and_a_path_names_its_own():
	assert read() == (SUITES, "", [])
	assert read("site", "browser", "-x") == (["site", "browser"], "", ["-x"])
	path = "tests/site/test_gate.py"
	assert read("-k", "site", path) == (["site"], "", ["-k", "site", path])
	assert read("-x", "unit", path) == (["site"], "", ["-x", "unit", path])


def test_flags_of_the_command_stand_anywhere():
	assert read("--screenshots", "browser", "-k", "upstream") == (["browser"], "1", ["-k", "upstream"])
	assert read("unit", "-k", "site", "--require-bench") == (["unit"], "1", ["-k", "site"])


# a machine that has no bench, and cannot make one
NO_BENCH = """
source ./dev >/dev/null
find_benches() { :; }
can_reach_frappe() { return 1; }
python_with() { echo "$PYTHON"; }
cmd_demo "$@"
"""


def test_a_demo_where_no_bench_can_be_made_is_the_audit_of_the_sample(tmp_path):
	done = subprocess.run(
		["bash", "-c", NO_BENCH, "dev", "--frappe", "15"],
		cwd=ROOT,
		env={**os.environ, "PYTHON": sys.executable, "XDG_CACHE_HOME": str(tmp_path)},
		capture_output=True,
		text=True,
	)

	assert done.returncode == 0, done.stderr
	assert done.stdout.startswith(
		"dev: There is no bench here, and none can be made, as https://github.com/frappe cannot"
	)
	assert "Wasted leads" in done.stdout
	assert (tmp_path / "lead_quality" / "audit" / "audit.html").exists()


def test_a_demo_ends_with_an_error_if_its_audit_does(tmp_path):
	done = subprocess.run(
		["bash", "-c", NO_BENCH, "dev"],
		cwd=ROOT,
		env={**os.environ, "PYTHON": "false", "XDG_CACHE_HOME": str(tmp_path)},
		capture_output=True,
	)

	assert done.returncode != 0
