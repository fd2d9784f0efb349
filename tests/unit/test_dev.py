"""The developer's command reads what it is told as it says that it does."""

import subprocess
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
