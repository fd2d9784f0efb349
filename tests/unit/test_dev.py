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
		"dev: There is no bench here, and none can be made: https://github.com/frappe cannot be reached\n"
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


# a machine on which each step of making a bench works until one does not; nothing of the real one is touched
MAKES_BENCH = """
source ./dev >/dev/null
find_benches() { :; }
can_reach_frappe() { :; }
has_packages() { [ "$FAILS" != apt ]; }
is_root() { [ "$FAILS" = apt ]; }
as_root() { "$@"; }
bench_user() { id -un; }
home_of() { echo "$HOME"; }
cmd_audit() { echo "the audit with $*"; }
start_services() { die "MariaDB does not start"; }
cmd_demo
"""
# stands for every tool: fails where the test wants it, makes what the next step looks for
TOOL = """#!/bin/bash
tool=$(basename "$0")
case "$tool $*" in
*$FAILING*) echo "no network" >&2; exit 1 ;;
"python3 -m venv "*) mkdir -p "$3/bin" && ln -sf "$0" "$3/bin/pip" && ln -sf "$0" "$3/bin/bench" ;;
"bench init "*) mkdir -p "${!#}/sites" "${!#}/apps/frappe/frappe" &&
	echo '__version__ = "16.0.0"' >"${!#}/apps/frappe/frappe/__init__.py" ;;
esac
"""
STEPS = {
	"apt": ("apt-get update", "(apt)"),
	"node": ("n[op]*", "Node 24 or newer"),
	"bench": ("pip install frappe-bench", "(bench-cli)"),
	"python": ("uv python install", "Frappe v16 needs Python 3.14"),
	"frappe": ("bench init", "(bench-init)"),
	"erpnext": ("bench get-app", "(bench-get-app)"),
	"database": ("no tool", "MariaDB does not start"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_demo_ends_with_the_audit_whatever_step_of_making_a_bench_fails(step, tmp_path):
	failing, why = STEPS[step]
	tools, home = tmp_path / "tools", tmp_path / "home"
	tools.mkdir()
	home.mkdir()
	for tool in ("apt-get", "npm", "node", "python3", "uv"):
		(tools / tool).write_text(TOOL)
		(tools / tool).chmod(0o755)
	if step != "python":
		(tools / "python3.14").symlink_to("/bin/true")

	done = subprocess.run(
		["bash", "-c", MAKES_BENCH, "dev"],
		cwd=ROOT,
		env={
			"PATH": f"{tools}:/usr/bin:/bin",
			"HOME": str(home),
			"FAILS": step,
			"FAILING": failing,
		},
		capture_output=True,
		text=True,
	)

	assert done.returncode == 0, done.stdout + done.stderr
	[reason] = [line for line in done.stdout.splitlines() if line.startswith("dev: There is no bench here")]
	assert why in reason
	assert f"the audit with --sample --out {home}/.cache/lead_quality/audit" in done.stdout
	assert "no network" not in done.stdout + done.stderr


def test_a_demo_in_a_bench_that_is_there_ends_with_an_error_if_a_step_does(tmp_path):
	command = """
		source ./dev >/dev/null
		find_benches() { echo "$HOME"; }
		demo_in() { die "MariaDB does not start"; }
		cmd_demo
	"""
	done = subprocess.run(
		["bash", "-c", command, "dev"],
		cwd=ROOT,
		env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
		capture_output=True,
		text=True,
	)

	assert (done.returncode, done.stderr) == (1, "dev: MariaDB does not start\n")


def test_an_environment_is_made_where_venv_lacks_pip_and_pypi_is_out_of_reach_says_so(tmp_path):
	(tmp_path / "python3").write_text(
		f'#!/bin/sh\ncase "$*" in "-m venv /"*) exit 1 ;; esac\nexec {sys.executable} "$@"\n'
	)
	(tmp_path / "python3").chmod(0o755)
	done = subprocess.run(
		["bash", "-c", "source ./dev >/dev/null; python_with audit 'The audit'", "dev"],
		cwd=ROOT,
		env={
			"PATH": f"{tmp_path}:{os.environ['PATH']}",
			"HOME": str(tmp_path),
			"PIP_INDEX_URL": "http://127.0.0.1:9/simple",
		},
		capture_output=True,
		text=True,
	)

	assert done.returncode == 1
	assert "dev: Python's venv is missing" in done.stderr
