"""`lead-quality audit`, from the words that it is given to its exit status; and the company that it makes up."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lead_quality
from lead_quality.audit import audit, sample
from lead_quality.audit.cli import main
from tests.unit.audit_files import PRESENT, figure, run, section, write
from tests.unit.test_audit_figures import lead

ROOT = Path(lead_quality.__file__).parent.parent
MODULES = sorted(f"lead_quality.audit.{path.stem}" for path in (ROOT / "lead_quality" / "audit").glob("*.py"))
WITHOUT = """
import importlib, sys
for name in sys.argv[1].split(","):
	sys.modules[name] = None  # an import of it raises ImportError
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> list[Path]:
	return sample.write(tmp_path_factory.mktemp("sample"), leads=1_500)


def test_the_audit_is_imported_where_there_is_no_frappe():
	program = WITHOUT + "for module in sys.argv[2:]: importlib.import_module(module)"

	subprocess.run([sys.executable, "-c", program, "frappe,erpnext", *MODULES], check=True, cwd=ROOT)


@pytest.mark.parametrize("library", ["duckdb", "rich"])
def test_without_its_libraries_the_command_says_what_to_install(library, tmp_path):
	program = WITHOUT + "from lead_quality.audit.cli import main; sys.exit(main(['audit', '--sample']))"

	done = subprocess.run(
		[sys.executable, "-c", program, library],
		cwd=tmp_path,
		env={**os.environ, "PYTHONPATH": str(ROOT)},
		capture_output=True,
		text=True,
	)

	assert done.returncode == 2
	assert "pip install 'lead_quality[audit]'" in done.stderr


# the sample


def test_the_same_seed_makes_the_same_files_and_another_one_others(small, tmp_path):
	for name, seed in (("again", sample.SEED), ("other", 1)):
		(tmp_path / name).mkdir()
		sample.write(tmp_path / name, leads=1_500, seed=seed)

	for path in small:
		assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
	assert small[0].read_bytes() != (tmp_path / "other" / "Lead.csv").read_bytes()


def test_the_sample_is_read_whole_and_has_something_of_everything(small):
	done = run(small)

	assert [table.problem_count for table in done.tables] == [0] * 6
	assert [table.not_used for table in done.tables] == [["Sr"]] * 6
	assert figure(done, "leads") == 1_500
	for one in done.report.figures:
		assert one.value, one.key
	for one in done.report.sections:
		assert len(one.rows) > 1 or one.key == "ranking", (
			one.key
		)  # so few leads have too few sales to learn from
	assert all(row["leads"] for row in section(done, "gaps"))
	assert done.report.as_of <= f"{sample.NOW}"


def test_the_sample_tells_the_same_story_on_every_machine(small):
	done = run(small)

	assert [row["reached"] for row in section(done, "funnel")] == GOLDEN_FUNNEL
	assert round(float(str(figure(done, "wasted_rate"))), 4) == GOLDEN_WASTED


GOLDEN_FUNNEL = [1_500, 435, 122, 44]
GOLDEN_WASTED = 0.4321


# the command


def test_files_become_a_page_and_a_summary(small, tmp_path, capsys):
	assert main(["audit", *map(str, small), "--out", str(tmp_path / "out"), "--company", "Example Ltd"]) == 0

	told = capsys.readouterr().out
	assert "Wasted leads" in told
	assert str(tmp_path / "out" / "audit.html") in told.replace("\n", "")
	assert "Lead audit: Example Ltd" in (tmp_path / "out" / "audit.html").read_text()


def test_json_is_all_that_is_printed_and_nothing_is_written(small, tmp_path, monkeypatch, capsys):
	monkeypatch.chdir(tmp_path)

	assert main(["audit", *map(str, small), "--json"]) == 0

	report = json.loads(capsys.readouterr().out)
	assert {one["key"] for one in report["figures"]} >= {"leads", "wasted_rate", "wasted_worth"}
	assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
	("words", "said"),
	[
		([], "name the files, or say --site or --sample"),
		(["--sample", "x.csv"], "name the files, or say --site or --sample"),
		(["--sample", "--site", "erp.example.com"], "name the files, or say --site or --sample"),
		(["--site", "http://erp.example.com", "--key-file", "Lead.csv"], "does not hold a key"),
		(["nowhere.csv"], "there is no such file"),
		(["Leed=nowhere.csv"], "is no kind of file"),
		(["Lead.csv", "--map", "source"], "is not like Lead.source"),
		(["Lead.csv", "--zone", "Mars/Base"], "there is no time zone"),
		(["Lead.csv", "--hours", "always"], "is not like"),
		(["Lead.csv", "--hours", "Mon-Fri 17:00-09:00"], "closes before it opens"),
		(["Lead.csv", "--hours", "Mon 09:00-12:00,11:00-17:00"], "must not overlap"),
		(["Lead.csv", "--policy-hours", "-1"], "cannot be less"),
		(["Lead.csv", "--policy-hours", "nan"], "'nan' is no number"),
		(["Lead.csv", "--wasted-after", "1.5"], "'1.5' is no whole number"),
		(["--site", "https://erp.example.com", "--rate", "0"], "cannot be less"),
		(["--sample", "--rate", "2"], "are for --site"),
		(["--sample", "--key-file", "missing"], "are for --site"),
		(["Lead.csv", "--dates", "xyz"], "invalid choice"),
		(["."], "is a folder"),
		(["Lead.csv", "--as-of", "2026-13-01"], "'2026-13-01' is not a date that is in the calendar"),
		(["Lead.csv", "--map", "Lead.status.Won=Sold"], "'Sold' is no status of ERPNext's"),
		(["Lead.csv", "--as-of", "soon"], "'soon' is not a date, such as"),
	],
)
def test_what_cannot_be_done_is_said_in_a_sentence(words, said, tmp_path, monkeypatch, capsys):
	monkeypatch.chdir(tmp_path)
	write(tmp_path, lead=[lead()])[0].rename(tmp_path / "Lead.csv")

	assert main(["audit", *words]) == 2

	error = capsys.readouterr().err
	assert said in error
	assert error.strip().count("\n") == 0
	assert "Traceback" not in error


def test_a_company_without_leads_is_told_so(tmp_path, capsys):
	paths = write(tmp_path, opportunity=[{"name": "O1", "creation": PRESENT, "party_name": "L1"}])

	assert main(["audit", str(paths[0])]) == 2
	assert "No file of leads" in capsys.readouterr().err


def test_a_file_of_which_no_line_can_be_read_is_told_with_the_first_reason(tmp_path, capsys):
	paths = write(tmp_path, lead=[lead(creation="03/04/2026"), lead(creation="05/06/2026")])

	assert main(["audit", str(paths[0])]) == 2
	assert "--dates dmy" in capsys.readouterr().err
	assert main(["audit", str(paths[0]), "--dates", "dmy", "--json"]) == 0


def test_kind_and_columns_of_another_crm_are_said_by_the_user(tmp_path, capsys):
	path = tmp_path / "contacts.csv"
	path.write_text("Key,Entered,Campaign\n1,2026-01-05 09:00,Fair\n2,2026-01-06 09:00,Fair\n")

	words = [
		f"Lead={path}",
		"--map",
		"Lead.name=Key",
		"--map",
		"Lead.creation=Entered",
		"--map",
		"Lead.source=Campaign",
	]
	assert main(["audit", *words, "--json"]) == 0

	report = json.loads(capsys.readouterr().out)
	by = {column["field"]: column["by"] for column in report["files"][0]["columns"]}
	assert by == {"name": "--map", "creation": "--map", "source": "--map"}


@pytest.mark.parametrize(
	("words", "hours"),
	[
		("Mon-Fri 09:00-17:00", 40),
		("Mon-Thu 08:00-12:00,13:00-17:00; Fri 08:00-14:00", 38),
		("Sun-Thu 09:00-17:00", 40),
		("Sat 00:00-24:00", 24),
	],
)
def test_working_hours_are_said_in_words(words, hours):
	calendar = audit.calendar_of(words, "UTC")
	monday = PRESENT.replace(year=2026, month=6, day=1, tzinfo=calendar.zone)

	assert calendar.elapsed(monday, monday.replace(day=8)) == hours * 3600


@pytest.mark.parametrize(
	("said", "as_of"),
	[
		("2026-03-31", "2026-03-31 23:59"),  # a day is over at its end
		("2026-03-31 12:30", "2026-03-31 12:30"),
		("2026-03-31T12:30:00", "2026-03-31 12:30"),
	],
)
def test_the_day_of_the_audit_is_said_as_a_day_or_an_instant(said, as_of, small, capsys):
	assert main(["audit", *map(str, small), "--as-of", said, "--json"]) == 0

	assert json.loads(capsys.readouterr().out)["as_of"] == as_of


def test_what_a_status_means_is_said_whatever_letters_it_has(tmp_path, capsys):
	paths = write(tmp_path, lead=[lead(f"L{n}", status="Closed. = Won") for n in range(3)])

	assert main(["audit", str(paths[0]), "--map", "Lead.status.Closed. = Won=converted", "--json"]) == 0

	sold = next(one for one in json.loads(capsys.readouterr().out)["figures"] if one["key"] == "sold")
	assert sold["value"] == 1
