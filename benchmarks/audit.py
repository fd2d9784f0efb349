"""How long an audit takes: 100,000 leads, or so many as are asked for, with what belongs to them, from CSV files and from a
backup; or only from a backup that has so many mails beside.

	python benchmarks/audit.py [LEADS [MAILS]]      in an environment with the extra `audit`; ./dev bench runs it, too
"""

import csv
import gzip
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).parents[1]))

from lead_quality.audit import audit, output, readers, sample

PRESENT = datetime(2026, 7, 1)
# what a Communication has beside the columns of the sample; most of them are empty
BESIDE = ("content", *(f"unread_{number}" for number in range(30)))
TEXT = (
	r"<div class=\"ql-editor\"><p>Dear Ms Keller,</p><p>as we said: 3 pieces (see the list), at 14\'000 each, on <b>our</b> page."
	r"</p><p>Kind regards<br>Tom Sutter</p></div>\n"
) * 4


def main(leads: int, mails: int):
	with tempfile.TemporaryDirectory() as folder:
		paths = sample.write(Path(folder), leads)
		if mails:
			backup = as_backup(paths, Path(folder) / "x.sql.gz", mails)
			measure(f"with {mails:,} mails beside, from a backup", [backup], Path(folder))
			return
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
	of_others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
	print(
		f"{what}: {rows:,} rows in {passed:.1f} s ({worked:.1f} s of processor, and {of_others:.1f} s of other processes), "
		f"{memory:,} MB at most"
	)


def as_backup(paths: list[Path], backup: Path, mails: int = 0) -> Path:
	with gzip.open(backup, "wt", compresslevel=1) as file:
		for path in paths:
			table = readers.open_table(path)
			beside = BESIDE if table.kind == "Communication" else ()
			names = (*(column.field for column in table.columns), *beside)
			fields = "".join(f"  `{name}` varchar(140),\n" for name in names)
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
					file.write((",\n" if number else "") + f"({','.join([*cells, *['NULL'] * len(beside)])})")
			file.write(";\n")
			if table.kind == "Communication" and mails:
				write_mails(file, names, ids(paths[0]), mails)
	return backup


def ids(leads: Path) -> list[str]:
	with leads.open(newline="") as file:
		return [row["ID"] for row in csv.DictReader(file)]


def write_mails(file: TextIO, fields: Sequence[str], leads: list[str], mails: int):
	"""Mails to and from leads, as many of each lead."""
	for number in range(mails):
		at = f"2025-{number % 12 + 1:02}-{number % 28 + 1:02} {8 + number % 9:02}:{number % 60:02}:11.123456"
		place = number % len(leads)
		people = ["tom@works.example", f"lead.{place}@buyers.example"]
		sender, recipients = people if number % 2 else people[::-1]
		known = {
			"name": f"mail-{number}",
			"creation": at,
			"communication_date": at,
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Sent" if number % 2 else "Received",
			"sender": sender,
			"recipients": recipients,
			"subject": f"Your question of {number}",
			"content": TEXT,
			"reference_doctype": "Lead",
			"reference_name": leads[place],
			"owner": "tom@works.example",
		}
		values = ",".join(f"'{known[field]}'" if field in known else "NULL" for field in fields)
		begin = "INSERT INTO `tabCommunication` VALUES\n" if number % 1_000 == 0 else ""
		end = ";\n" if number % 1_000 == 999 or number == mails - 1 else ",\n"
		file.write(f"{begin}({values}){end}")


if __name__ == "__main__":
	main(*([int(number) for number in sys.argv[1:]] + [100_000, 0][len(sys.argv) - 1 :]))
