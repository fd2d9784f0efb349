"""How long an audit takes: 100,000 leads, or so many as are asked for, with what belongs to them, from CSV files and from a
backup.

	python benchmarks/audit.py [LEADS]      in an environment with the extra `audit`; ./dev bench runs it, too
"""

import csv
import gzip
import resource
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lead_quality.audit import audit, output, readers, sample

PRESENT = datetime(2026, 7, 1)


def main(leads: int):
	with tempfile.TemporaryDirectory() as folder:
		paths = sample.write(Path(folder), leads)
		measure("leads alone, from CSV", paths[:1], Path(folder))
		measure("with all that belongs to them, from CSV", paths, Path(folder))
		measure("the same from a backup", [as_backup(paths, Path(folder) / "x.sql.gz")], Path(folder))


def measure(what: str, paths: list[Path], folder: Path):
	began, worked = time.perf_counter(), time.process_time()
	done = audit.run(audit.Wish([(None, path) for path in paths]), PRESENT)
	output.write(done, folder / "out")
	passed, worked = time.perf_counter() - began, time.process_time() - worked
	rows = sum(table.counted for table in done.tables)
	memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
	print(f"{what}: {rows:,} rows in {passed:.1f} s ({worked:.1f} s of processor), {memory:,} MB at most")


def as_backup(paths: list[Path], backup: Path) -> Path:
	with gzip.open(backup, "wt", compresslevel=1) as file:
		for path in paths:
			table = readers.open_table(path)
			fields = "".join(f"  `{column.field}` varchar(140),\n" for column in table.columns)
			file.write(
				f"CREATE TABLE `tab{table.kind}` (\n{fields}) ENGINE=InnoDB;\nINSERT INTO `tab{table.kind}` VALUES\n"
			)
			with path.open(newline="") as rows:
				reader = csv.reader(rows)
				next(reader)
				for number, row in enumerate(reader):
					cells = (
						"NULL" if not row[column.place] else f"'{row[column.place]}'"
						for column in table.columns
					)
					file.write((",\n" if number else "") + f"({','.join(cells)})")
			file.write(";\n")
	return backup


if __name__ == "__main__":
	main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
