"""Charts as inline SVG, coloured by the page's style sheet, so that they follow its light and dark and are printed."""

from collections.abc import Sequence
from html import escape

from lead_quality.audit.report import BARS, LINES, STEPS, TEXT, Cell, Section, shown

WIDTH = 720
LABEL = 185  # of bars
ROW, BAR = 28, 18
LABEL_LENGTH = 22
MANY = 16  # rows, from which on they stand closer
PLOT = (52, 14, 650, 210)  # of lines: left, top, width, height


def chart(section: Section, currency: str) -> str:
	"""The chart of a section, or nothing if it has none to show."""
	if not section.chart or not section.rows:
		return ""
	if section.chart == LINES:
		return _lines(section)
	return _bars(section, currency) if section.chart in (BARS, STEPS) else ""


def _bars(section: Section, currency: str) -> str:
	places = [_place(section, key) for key in section.charted]
	top = max((_number(row[place]) for row in section.rows for place in places), default=0) or 1
	height_of_row = BAR * len(places) + (4 if len(section.rows) > MANY else ROW - BAR)
	room = WIDTH - LABEL - 120
	parts = []
	for number, row in enumerate(section.rows):
		y = number * height_of_row
		parts.append(_text(LABEL - 10, y + BAR * len(places) / 2 + 5, _short(str(row[0])), "label", "end"))
		for series, place in enumerate(places):
			column, bar_y = section.columns[place], y + 2 + series * BAR
			width = room * _number(row[place]) / top
			parts.append(
				f'<rect class="s{series + 1}" x="{LABEL}" y="{bar_y:.1f}" width="{max(width, 1):.1f}" height="{BAR - 2}" rx="2">'
				f"<title>{escape(f'{row[0]}: {shown(row[place], column.kind, currency)}')}</title></rect>"
			)
			parts.append(
				_text(LABEL + width + 7, bar_y + 12.5, shown(row[place], column.kind, currency), "value")
			)
	names = [section.columns[place].label for place in places]
	return _svg(section, parts, len(section.rows) * height_of_row + 4, names)


def _lines(section: Section) -> str:
	left, top, width, height = PLOT
	places = [_place(section, key) for key in section.charted]
	highest = max((_number(row[place]) for row in section.rows for place in places), default=0) or 1
	limit = next(step for step in (0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if step >= min(highest, 1))
	gap = width / max(len(section.rows) - 1, 1)
	parts = []
	for number in range(5):
		y, share = top + height * number / 4, limit * (4 - number) / 4
		parts.append(f'<line class="grid" x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}"/>')
		parts.append(_text(left - 8, y + 4, f"{share * 100:g} %", "value", "end"))
	every = -(-len(section.rows) // 8)
	for number, row in enumerate(section.rows):
		if number % every == 0:
			parts.append(_text(left + number * gap, top + height + 20, str(row[0]), "value", "middle"))
	for series, place in enumerate(places):
		points = [
			(left + number * gap, top + height * (1 - _number(row[place]) / limit))
			for number, row in enumerate(section.rows)
			if row[place] is not None
		]
		drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
		parts.append(f'<polyline class="l{series + 1}" points="{drawn}"/>')
		if points:
			x, y = points[-1]
			parts.append(f'<circle class="s{series + 1}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
	return _svg(section, parts, top + height + 28, [section.columns[place].label for place in places])


def _svg(section: Section, parts: Sequence[str], height: float, names: Sequence[str]) -> str:
	legend = "".join(
		f'<span><i class="k{number}"></i>{escape(name)}</span>' for number, name in enumerate(names, start=1)
	)
	title = escape(f"{section.title}: {', '.join(names)}")
	return (
		f'<figure><div class="legend">{legend}</div><svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
		f'aria-label="{title}">{"".join(parts)}</svg></figure>'
	)


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
	return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(label: str) -> str:
	return label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…"


def _place(section: Section, key: str) -> int:
	return next(
		place for place, column in enumerate(section.columns) if column.key == key and column.kind != TEXT
	)


def _number(cell: Cell) -> float:
	return float(cell) if isinstance(cell, int | float) else 0.0
