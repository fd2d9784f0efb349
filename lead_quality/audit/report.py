"""What an audit says: figures and tables, each with how it was counted and what the data could not tell. The terminal, the
page and the JSON show the same."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

COUNT, SHARE, MONEY, HOURS, DAYS, NUMBER, TEXT = (
	"count",
	"share",
	"money",
	"hours",
	"days",
	"number",
	"text",
)
BARS, STEPS, LINES = "bars", "steps", "lines"
UNKNOWN = "–"

Cell = str | int | float | None


@dataclass(frozen=True)
class Figure:
	"""One figure; `value` is None where the data could not tell. `n` is of how many leads, orders …"""

	key: str
	label: str
	value: Cell
	kind: str
	n: int
	how: str
	cannot: str = ""


@dataclass(frozen=True)
class Column:
	key: str
	label: str
	kind: str = COUNT


@dataclass(frozen=True)
class Section:
	"""A table, the sentence that it comes to, and which of its columns a chart shows against the first one."""

	key: str
	title: str
	finding: str
	columns: Sequence[Column]
	rows: Sequence[Sequence[Cell]]
	how: str
	cannot: str = ""
	chart: str = ""
	charted: Sequence[str] = ()

	def records(self) -> list[dict[str, Cell]]:
		return [
			{column.key: cell for column, cell in zip(self.columns, row, strict=True)} for row in self.rows
		]


@dataclass
class Report:
	title: str
	as_of: str
	currency: str
	settings: dict[str, Cell]
	figures: list[Figure] = field(default_factory=list)
	sections: list[Section] = field(default_factory=list)
	files: list[dict[str, Any]] = field(default_factory=list)
	cannot: list[str] = field(default_factory=list)

	@property
	def limits(self) -> str:
		"""That a site hides documents from the user of the key, in words; else empty."""
		by = self.settings.get("limited_by")
		return (
			f"Only what the user of the key may see was counted: it has User Permissions on {by}."
			if by
			else ""
		)

	def as_json(self) -> dict[str, Any]:
		"""All of it, for programs: shares between 0 and 1, money in `currency`, hours and days as numbers."""
		return {
			"title": self.title,
			"as_of": self.as_of,
			"currency": self.currency,
			"settings": self.settings,
			"figures": [asdict(figure) for figure in self.figures],
			"sections": [
				{
					"key": section.key,
					"title": section.title,
					"finding": section.finding,
					"rows": section.records(),
					"how": section.how,
					"cannot": section.cannot,
				}
				for section in self.sections
			],
			"files": self.files,
			"cannot": self.cannot,
		}


def shown(value: Cell, kind: str, currency: str = "") -> str:
	"""A value as people read it; money with its currency."""
	if value is None:
		return UNKNOWN
	if isinstance(value, str):
		return value
	if kind == SHARE:
		return f"{value * 100:.1f} %"
	if kind == MONEY:
		return f"{value:,.0f} {currency}".strip()
	if kind == HOURS:
		return f"{value * 60:.0f} min" if value < 1 else f"{value:,.1f} h"
	if kind in (DAYS, NUMBER):
		return f"{value:,.1f}"
	return f"{value:,.0f}"
