"""What the audit writes shows data as text, runs nothing, and names nobody who is not to be named."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_quality.audit import lists, output
from lead_quality.audit.page import page
from lead_quality.audit.report import BARS, TEXT, Column, Figure, Report, Section
from tests.unit.audit_files import run, section, write
from tests.unit.test_audit_figures import DAY, lead, mail

EVIL = [
	"<script>alert(1)</script>",
	'"><img src=x onerror=alert(1)>',
	"=cmd|' /C calc'!A0",
	"&lt;b&gt;",
	"</style><b>",
]
TAGS = set(
	"html head meta title style body main header h1 h2 p div span b section figure i svg rect line text polyline "
	"circle table thead tbody tr th td details summary ul li footer".split()
)


class Tags(HTMLParser):
	"""The tags of a page, its attributes, and its text."""

	def __init__(self, html: str) -> None:
		super().__init__()
		self.tags: list[str] = []
		self.attributes: dict[str, set[str]] = {}
		self.text = ""
		self.feed(html)

	def handle_starttag(self, tag, attrs):
		self.tags.append(tag)
		for name, value in attrs:
			self.attributes.setdefault(name, set()).add(value)

	def handle_data(self, data):
		self.text += data


def evil_company(folder: Path) -> list[Path]:
	leads = [
		lead(f"L{n}", lead_name=evil, source=evil, lead_owner=evil, email_id=evil, phone=evil, status=evil)
		for n, evil in enumerate(EVIL)
	]
	late = lead("late", creation=DAY.replace(month=6))
	return write(folder, lead=[*leads, {**late, "name": "<b>late</b>"}], communication=[mail("L0", 1)])


def test_a_lead_called_script_is_shown_and_runs_nothing(tmp_path):
	paths = evil_company(tmp_path)
	paths[0].rename(tmp_path / "<i>Lead.csv")

	html = page(run([tmp_path / "<i>Lead.csv", paths[1]], company="<script>").report)

	found = Tags(html)
	assert set(found.tags) <= TAGS
	assert found.tags.count("style") == 1
	assert not [name for name in found.attributes if name.startswith("on") or name in {"href", "src"}]
	for evil in EVIL:
		assert evil in found.text


@given(st.text(max_size=30))
def test_whatever_a_text_is_it_is_text_on_the_page(text):
	sample = Section(
		"k", text, text, [Column("a", text, TEXT), Column("b", text)], [[text, 3]], text, text, BARS, ["b"]
	)
	report = Report(
		text,
		"2026",
		text,
		{"working_hours": text, "holidays": "", "zone": text, "wasted_after_working_days": 5},
		[Figure("k", text, text, TEXT, 1, text, text)],
		[sample],
		[],
		[text],
	)

	assert set(Tags(page(report)).tags) <= TAGS


def test_the_page_needs_nothing_beside_it(tmp_path):
	html = page(run(evil_company(tmp_path)).report)

	assert not re.search(
		r"https?:|//[a-z]|@import|url\(", re.sub(r"<text.*?</text>|<td.*?</td>|<li.*?</li>", "", html)
	)
	assert "default-src 'none'" in html


def test_every_section_says_how_it_was_counted_and_has_a_table_behind_its_chart(tmp_path):
	done = run(evil_company(tmp_path))

	for one in done.report.sections:
		assert one.how
		assert not one.chart or one.columns
	assert page(done.report).count("How it was counted") == len(done.report.sections)
	for one in done.report.figures:
		assert one.how
		assert one.value is not None or one.cannot or "Not said" in one.how


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "  =1", "\u00a0=1", "＝1", "\r=1"])
def test_a_spreadsheet_takes_no_text_for_a_formula(text):
	assert str(lists.defused(text)).startswith("'")


@pytest.mark.parametrize("cell", ["Anna", "a=b", "", 5, -5, 1.5, None])
def test_what_is_no_formula_stays_as_it_is(cell):
	assert lists.defused(cell) == cell


def test_lists_are_written_beside_the_page(tmp_path):
	done = run(evil_company(tmp_path))

	paths = output.write(done, tmp_path / "new" / "out")

	assert {path.name for path in paths} == {
		"audit.html",
		"audit.json",
		"wasted.csv",
		"duplicates.csv",
		"problems.csv",
		"recipe.json",
	}
	with (tmp_path / "new/out/wasted.csv").open(encoding="utf-8-sig", newline="") as file:
		rows = list(csv.DictReader(file))
	assert len(rows) == sum(one.is_wasted for one in done.facts) == 4
	assert "'" + EVIL[2] in {row["Name"] for row in rows}
	assert json.loads((tmp_path / "new/out/audit.json").read_text())["sections"]


def test_an_anonymous_audit_names_no_lead_owner_or_address(tmp_path):
	leads = [
		lead(
			f"SECRET-{n}",
			lead_name="Ada Secret",
			email_id="ada@secret.example",
			phone="+49 30 777888",
			lead_owner="o@secret.example",
			source=source,
		)
		for n, source in enumerate(["Web", "ada@secret.example", "called from 030 777888-1"])
	]
	broken = {**lead("SECRET-X", lead_name="Secret"), "creation": "secret day"}
	paths = write(tmp_path / "Secret", lead=[*leads, broken], communication=[mail("SECRET-0", 1)])

	done = run(paths, is_anonymous=True, company="Secret Ltd")
	written = output.write(done, tmp_path / "out")

	for path in written:
		assert "secret" not in path.read_text().lower(), path.name
		assert "777888" not in path.read_text()
	assert [row["owner"] for row in section(done, "leak_by_owner")] == ["Owner 1"]
	assert {row["source"] for row in section(done, "leak_by_source")} == {"Web", "not shown"}
	named = run(paths)
	assert [figure.value for figure in done.report.figures] == [
		figure.value for figure in named.report.figures
	]


def test_an_anonymous_audit_shows_no_text_in_which_a_name_of_the_files_stands(tmp_path):
	sources = ["Quaxcorp1 GmbH", "Referred by Zebulon Quax", "Trade Fair", "from petra muster, by phone"]
	leads = [
		lead(f"L{n}", lead_name="Zebulon Quax", company_name="Quaxcorp1 GmbH", source=source, status=status)
		for n, (source, status) in enumerate(
			zip(sources * 10, ["Open", "Wants call from Olga Sokolova", "Junk"] * 14, strict=False)
		)
	]
	leads[0]["lead_owner"], leads[1]["lead_owner"] = "Petra Muster", "olga.sokolova@us.example"
	lost = [
		{"name": f"O{n}", "creation": DAY, "party_name": f"L{n}", "status": "Lost", "lost_reason": reason}
		for n, reason in enumerate(["Zebulon Quax was angry", "Too expensive"] * 6)
	]

	done = run(write(tmp_path, lead=leads, opportunity=lost), is_anonymous=True)
	written = output.write(done, tmp_path / "out")

	for path in written:
		for name in ("quax", "muster", "sokolova"):
			assert name not in path.read_text().lower(), path.name
	text = written[0].read_text()
	assert "Trade Fair" in text and "Too expensive" in text and "Junk" in text
	assert "Look through them before sharing" in text
