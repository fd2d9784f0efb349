"""Files of a company for the audit's tests, as exports whose headers are fieldnames."""

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from lead_quality.audit import audit, figures, readers
from lead_quality.audit.columns import FIELDS
from lead_quality.audit.store import Journey, Store

PRESENT = datetime(2026, 7, 1)
KINDS = {kind.lower().replace(" ", "_"): kind for kind in FIELDS}


def write(folder: Path, **kinds: Sequence[Mapping[str, object]]) -> list[Path]:
	"""A CSV for each DocType (in lower case, with `_`) that is named, even without rows if there are none."""
	folder.mkdir(exist_ok=True, parents=True)
	paths = []
	for kind, rows in kinds.items():
		path = folder / f"{kind}.csv"
		paths.append(path)
		fields = list(dict.fromkeys(field for row in rows for field in row)) or list(FIELDS[KINDS[kind]])
		with path.open("w", newline="", encoding="utf-8") as file:
			writer = csv.DictWriter(file, fields)
			writer.writeheader()
			writer.writerows(rows)
	return paths


def journeys(folder: Path, **kinds: Sequence[Mapping[str, object]]) -> dict[str, Journey]:
	"""What the database makes of a company's leads."""
	with Store() as store:
		for path in write(folder, **kinds):
			store.load(readers.open_table(path))
		return {journey.lead: journey for journey in store.journeys()}


def run(paths: Sequence[Path], **wish: object) -> audit.Audit:
	return audit.run(audit.Wish([(None, path) for path in paths], **wish), PRESENT)  # type: ignore[arg-type]


def section(done: audit.Audit, key: str) -> list[dict[str, object]]:
	return next(list(one.records()) for one in done.report.sections if one.key == key)


def figure(done: audit.Audit, key: str) -> object:
	return next(one.value for one in done.report.figures if one.key == key)


def options(now: datetime = PRESENT, **more: object) -> figures.Options:
	calendar = audit.calendar_of(audit.HOURS, "UTC")
	return figures.Options(now, calendar, **more)  # type: ignore[arg-type]
