"""The audit as one HTML page that needs nothing beside it: no script, no network. All text is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from lead_quality.audit.charts import chart
from lead_quality.audit.report import TEXT, Figure, Report, Section, shown

PROBLEMS_SHOWN = 20
_LOSSES = {"wasted_rate", "wasted_worth"}
_CLOSED = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
	"""The whole page."""
	style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
	settings = report.settings
	about = (
		f"As of {report.as_of}. Working hours {settings['working_hours']} ({settings['zone']}), {settings['holidays']}. "
		f"Wasted after {settings['wasted_after_working_days']} working days. {report.limits}"
	)
	body: list[str] = [
		f"<header><h1>{escape(report.title)}</h1><p>{escape(about.strip())}</p></header>",
		f'<div class="figures">{"".join(_figure(figure, report.currency) for figure in report.figures)}</div>',
		*(_section(section, report.currency) for section in report.sections),
		_data(report),
		"<footer>Made by lead_quality on the machine of who ran it; nothing was sent anywhere. Counted by the rules of the app "
		"itself: stage, touch, wasted lead and working time mean here what they mean there.</footer>",
	]
	return (
		'<!doctype html><html lang="en"><head><meta charset="utf-8">'
		f'<meta http-equiv="Content-Security-Policy" content="{_CLOSED}">'
		'<meta name="viewport" content="width=device-width, initial-scale=1">'
		f"<title>{escape(report.title)}</title><style>{style}</style></head><body><main>{''.join(body)}</main></body></html>\n"
	)


def _figure(figure: Figure, currency: str) -> str:
	style = "figure loss" if figure.key in _LOSSES and figure.value else "figure"
	cannot = f"<p>Cannot tell: {escape(figure.cannot)}</p>" if figure.cannot else ""
	return (
		f'<div class="{style}"><span class="label">{escape(figure.label)}</span>'
		f"<b>{escape(shown(figure.value, figure.kind, currency))}</b>"
		f'<span class="n">n = {figure.n:,}</span><p>{escape(figure.how)}</p>{cannot}</div>'
	)


def _section(section: Section, currency: str) -> str:
	cannot = (
		f'<p class="cannot">What the data could not tell: {escape(section.cannot)}</p>'
		if section.cannot
		else ""
	)
	return (
		f'<section id="{escape(section.key)}"><h2>{escape(section.title)}</h2>'
		f'<p class="finding">{escape(section.finding)}</p>{chart(section, currency)}{_table(section, currency)}'
		f'<p class="how">How it was counted: {escape(section.how)}</p>{cannot}</section>'
	)


def _table(section: Section, currency: str) -> str:
	if not section.rows:
		return ""
	styles = [' class="text"' if column.kind == TEXT else "" for column in section.columns]
	head = "".join(
		f"<th{style}>{escape(column.label)}</th>"
		for style, column in zip(styles, section.columns, strict=True)
	)
	rows = "".join(
		"<tr>"
		+ "".join(
			f"<td{style}>{escape(shown(cell, column.kind, currency))}</td>"
			for style, column, cell in zip(styles, section.columns, row, strict=True)
		)
		+ "</tr>"
		for row in section.rows
	)
	return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _data(report: Report) -> str:
	files = "".join(_file(file) for file in report.files)
	return (
		'<section id="data"><h2>The data</h2><p class="finding">What was read, and what it could not tell.</p>'
		f"{_list(report.cannot)}{files}</section>"
	)


def _file(file: Mapping[str, Any]) -> str:
	columns = "; ".join(
		f"{column['header']} → {column['field']} ({column['by']})" for column in file["columns"]
	)
	said = [f"Recognised: {columns}."]
	if file["not_used"]:
		said.append(f"Not used: {', '.join(file['not_used'])}.")
	said += [f"{note.capitalize()}." for note in file["notes"]]
	problems = [_problem(problem) for problem in file["problems"][:PROBLEMS_SHOWN]]
	if file["problem_count"] > len(problems):
		problems.append(f"and {file['problem_count'] - len(problems):,} more, in problems.csv.")
	state = f"{file['counted']:,} of {file['lines']:,} lines counted"
	if file["problem_count"]:
		state += f", {file['problem_count']:,} problems"
	title = escape(f"{file['file']}, read as {file['kind']}: {state}.")
	return (
		f"<p><b>{title}</b></p><details open><summary>Columns and problems</summary>"
		f'<p class="how">{escape(" ".join(said))}</p>{_list(problems)}</details>'
	)


def _problem(problem: Mapping[str, Any]) -> str:
	place = f"Line {problem['line']:,}" + (f", {problem['column']}" if problem["column"] else "")
	found = f"; found {problem['found']}" if problem["found"] else ""
	what = "The cell counts" if problem["column"] else "What is missing counts"
	lost = "The line does not count." if problem["is_row_lost"] else f"{what} as empty."
	return f"{place}: expected {problem['expected']}{found}. {lost}"


def _list(lines: Sequence[str]) -> str:
	return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
