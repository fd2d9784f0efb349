"""What an audit leaves: the page, the lists, and a summary in the terminal."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from lead_quality.audit import lists
from lead_quality.audit.audit import Audit
from lead_quality.audit.page import page
from lead_quality.audit.recipe import FILE
from lead_quality.audit.report import TEXT, Section, shown
from lead_quality.engine.recipe import written

PAGE = "audit.html"
# the sections that the terminal shows, and their columns that go into its width
_LEAK = ("leads", "wasted", "wasted_rate", "sale_rate", "worth")
SHOWN: dict[str, tuple[str, ...]] = {
	"funnel": ("stage", "reached", "from_previous", "from_first", "worth"),
	"leak_by_source": ("source", *_LEAK),
	"leak_by_owner": ("owner", *_LEAK),
	"policy": ("group", "leads", "hours", "sold", "more"),
	"ranking": ("order", "first_tenth", "first_fifth"),
	"gaps": ("gap", "leads", "of", "share"),
}
ROWS_SHOWN = 8
PROBLEM_HEADERS = ("File", "Line", "Column", "Expected", "Found", "Counts")


@contextmanager
def progress() -> Iterator[Callable[[str, int], None]]:
	"""Show in the terminal what is read, while it is."""
	console = Console(stderr=True)
	with Progress(
		SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), console=console, transient=True
	) as bar:
		task = bar.add_task("reading", total=None)
		yield lambda file, rows: bar.update(task, description=f"reading {file}: {rows:,} rows")


def write(audit: Audit, folder: Path) -> list[Path]:
	"""Write the page and the lists into a folder, and say which files they are: the page first."""
	folder.mkdir(parents=True, exist_ok=True)
	paths = [
		folder / name for name in (PAGE, "wasted.csv", "duplicates.csv", "problems.csv", "audit.json", FILE)
	]
	paths[0].write_text(page(audit.report), encoding="utf-8")
	lists.write(paths[1], lists.WASTED_HEADERS, lists.wasted(audit.facts, audit.names))
	lists.write(paths[2], lists.DUPLICATE_HEADERS, lists.duplicates(audit.facts, audit.twins, audit.names))
	lists.write(paths[3], PROBLEM_HEADERS, _problems(audit))
	paths[4].write_text(
		json.dumps(audit.report.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
	)
	paths[5].write_text(written(audit.proposed, audit.report.title, audit.report.as_of), encoding="utf-8")
	return paths


def _problems(audit: Audit) -> Iterator[list[str | int]]:
	for file in audit.report.files:
		for problem in file["problems"]:
			counts = "nothing of the line" if problem["is_row_lost"] else "the line without it"
			yield [*(problem[key] for key in ("file", "line", "column", "expected", "found")), counts]


def show(audit: Audit, paths: Sequence[Path]):
	"""The summary in the terminal."""
	report, console = audit.report, Console()
	console.print()
	console.print(Text(report.title, "bold"), Text(f"as of {report.as_of}", "dim"))
	if report.limits:
		console.print(Text(report.limits, "yellow"), soft_wrap=True)
	figures = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
	for figure in report.figures:
		figures.add_row(
			Text(figure.label),
			Text(shown(figure.value, figure.kind, report.currency), "bold"),
			Text(f"n = {figure.n:,}", "dim"),
		)
	console.print(Panel(figures, expand=False))
	for section in report.sections:
		if section.key in SHOWN:
			console.print(_table(section, report.currency))
			console.print()
	_tell_of_files(audit, console)
	for path in paths:
		console.print(Text(f"  {path}"), soft_wrap=True)


def _table(section: Section, currency: str) -> Table:
	table = Table(title=Text(f"{section.title}. {section.finding}"), title_justify="left", title_style="bold")
	places = [place for place, column in enumerate(section.columns) if column.key in SHOWN[section.key]]
	for place in places:
		column = section.columns[place]
		table.add_column(Text(column.label), justify="left" if column.kind == TEXT else "right", min_width=6)
	for row in section.rows[:ROWS_SHOWN]:
		cells = [shown(row[place], section.columns[place].kind, currency) for place in places]
		table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells))
	return table


def _tell_of_files(audit: Audit, console: Console):
	for file in audit.report.files:
		counted = f"{file['counted']:,} of {file['lines']:,} lines"
		line = Text(f"{file['file']}: read as {file['kind']}, {counted} counted")
		if file["problem_count"]:
			line.append(f", {file['problem_count']:,} problems", "yellow")
		console.print(line, soft_wrap=True)
		for column in file["columns"]:
			if column["by"] in ("what stands in it", "--map"):
				said = f"    {column['header'] or 'a column without header'} is {column['field']}, by {column['by']}"
				console.print(Text(said), soft_wrap=True)
		for problem in file["problems"][:3]:
			where = f"    line {problem['line']}" + (f", {problem['column']}" if problem["column"] else "")
			console.print(
				Text(f"{where}: expected {problem['expected']}; found {problem['found']}"), soft_wrap=True
			)
	for sentence in audit.report.cannot:
		console.print(Text(f"Cannot tell: {sentence}", "dim"), soft_wrap=True)
	console.print()
