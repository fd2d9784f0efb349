"""The command `lead-quality`."""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import lead_quality
from lead_quality.audit import values
from lead_quality.audit.columns import KINDS
from lead_quality.audit.labels import STATUSES

if TYPE_CHECKING:
	from lead_quality.audit.site import Fetched

OUT = "lead-quality-audit"
NEEDS = "The audit needs more than is here ({0} is missing). Install it: pip install 'lead_quality[audit]', or run ./dev audit"
EXAMPLES = """
  lead-quality audit --sample                    a company that the command makes up: what an audit looks like
  lead-quality audit Lead.csv                    leads alone suffice
  lead-quality audit *.csv --out client          with Opportunity, Quotation, Sales Order, Customer, Communication
  lead-quality audit --site https://erp.example.com --key-file key.txt
  lead-quality audit Lead=contacts.xlsx --map Lead.creation="Entered" --map Lead.source="Campaign"
"""


def main(arguments: Sequence[str] | None = None) -> int:
	"""Run the command; returns its exit status: 0, 2 if it was asked for what it cannot do, 130 if it was broken off."""
	try:
		return _audit(_parser().parse_args(arguments))
	except ModuleNotFoundError as error:
		library = (error.name or "").split(".")[0]
		if library not in {"duckdb", "rich", "openpyxl"}:
			raise
		print(NEEDS.format(library), file=sys.stderr)
	except KeyboardInterrupt:
		print(
			"lead-quality: broken off. What was read of a site is kept: the same command goes on with it.",
			file=sys.stderr,
		)
		return 130
	except (ValueError, OSError) as error:
		print(f"lead-quality: {error}", file=sys.stderr)
	return 2


class _Parser(argparse.ArgumentParser):
	"""Says in one sentence what is wrong, as everything else does."""

	def error(self, message: str) -> NoReturn:
		raise ValueError(f"{message}. lead-quality audit --help says what there is.")


def _number(least: float, is_whole: bool = False) -> Callable[[str], float]:
	"""Reads a number that is no less than this."""

	def read(text: str) -> float:
		try:
			value = int(text) if is_whole else float(text)
		except ValueError:
			value = math.nan
		if not math.isfinite(value):
			raise argparse.ArgumentTypeError(f"{text!r} is no {'whole ' if is_whole else ''}number")
		if value < least:
			raise argparse.ArgumentTypeError(f"{text} is too little: it cannot be less than {least:g}")
		return value

	return read


def _parser() -> argparse.ArgumentParser:
	parser = _Parser("lead-quality", description="How well a company treats its leads.")
	parser.add_argument("--version", action="version", version=f"lead-quality {lead_quality.__version__}")
	commands = parser.add_subparsers(dest="command", required=True)
	audit = commands.add_parser(
		"audit",
		help="look at a company's leads by what it exports from ERPNext",
		description="Looks at a company's leads by what it exports from ERPNext. Nothing leaves this machine.",
		epilog=f"examples:\n{EXAMPLES}",
		formatter_class=argparse.RawDescriptionHelpFormatter,
	)
	audit.add_argument(
		"files",
		nargs="*",
		metavar="FILE",
		help=f"CSV or XLSX, or KIND=FILE, where KIND is {', '.join(KINDS)}",
	)
	audit.add_argument(
		"--sample", action="store_true", help="20,000 leads of a company that never was, instead of files"
	)
	audit.add_argument(
		"--site", metavar="ADDRESS", default="", help="a site, read over its API, instead of files: read only"
	)
	audit.add_argument(
		"--key-file",
		metavar="FILE",
		type=Path,
		help="where API key and secret of a user of the site stand, as key:secret (or in the variable LEAD_QUALITY_KEY)",
	)
	audit.add_argument(
		"--rate",
		type=_number(0.01),
		metavar="N",
		help="requests a second that the site is asked at most (4)",
	)
	audit.add_argument("--out", metavar="FOLDER", type=Path, help=f"where the page and the lists go ({OUT})")
	audit.add_argument(
		"--json", action="store_true", help="print all figures as JSON; no page, unless --out is given"
	)
	audit.add_argument(
		"--anonymise",
		action="store_true",
		help="numbers instead of the names of leads and owners; sources, statuses and reasons stay, unless such a name, an address or a number stands in one",
	)
	audit.add_argument(
		"--map",
		action="append",
		default=[],
		metavar="KIND.FIELD=HEADER",
		help="say which column a field is, or what a status means: Lead.status.Won=Converted",
	)
	audit.add_argument(
		"--dates", choices=["dmy", "mdy", "ymd"], default="", help="the order of dates, if files cannot tell"
	)
	audit.add_argument(
		"--hours",
		default="",
		help='when people work ("Mon-Fri 09:00-17:00"), or "found": by when they write and call',
	)
	audit.add_argument(
		"--holidays",
		metavar="FILE",
		type=Path,
		help="days that are no working days: a calendar (.ics), or a CSV or XLSX with a column of dates (by themselves: a site's "
		"or a backup's Holiday List of the company)",
	)
	audit.add_argument("--zone", default="UTC", help="the site's time zone, for summer time (UTC: none)")
	audit.add_argument(
		"--wasted-after",
		type=_number(0, is_whole=True),
		default=5,
		metavar="DAYS",
		help="working days after which a lead is wasted (5)",
	)
	audit.add_argument(
		"--policy-hours",
		type=_number(0),
		default=2.0,
		metavar="HOURS",
		help="working hours of the policy that is tried (2)",
	)
	audit.add_argument(
		"--as-of",
		default="",
		metavar="DATE",
		help="the day of the audit, to its end, or an instant (the latest in the files)",
	)
	audit.add_argument("--company", default="", help="whose leads they are, for the title")
	return parser  # fmt: skip


def _audit(options: argparse.Namespace) -> int:
	from lead_quality.audit import audit, output, sample

	if [bool(options.files), options.sample, bool(options.site)].count(True) != 1:
		raise ValueError("name the files, or say --site or --sample. lead-quality audit --help has examples.")
	try:
		present = datetime.now(ZoneInfo(options.zone)).replace(tzinfo=None)
	except (ZoneInfoNotFoundError, ValueError):
		raise ValueError(
			f"--zone: there is no time zone {options.zone!r}; it is one such as Europe/Berlin."
		) from None
	if not options.site and (options.key_file or options.rate):
		raise ValueError("--key-file and --rate are for --site.")
	with ExitStack() as stack:
		paths = [_kind_and_path(name) for name in options.files]
		if options.sample:
			folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lead-quality-")))
			paths = [(None, path) for path in sample.write(folder)]
			present = max(present, sample.NOW)
		fetched = _fetched(options) if options.site else None
		wish = audit.Wish(
			paths=paths,
			mapped=_mapped(options.map),
			statuses=_statuses(options.map),
			dates=options.dates.upper(),
			hours=options.hours or (sample.HOURS if options.sample else audit.HOURS),
			holidays=options.holidays,
			zone=options.zone,
			wasted_after=options.wasted_after,
			policy_hours=options.policy_hours,
			as_of=_as_of(options.as_of, options.zone, present),
			company=options.company or ("a company that never was" if options.sample else ""),
			is_anonymous=options.anonymise,
			site=fetched,
		)
		if options.json:
			done = audit.run(wish, present)
		else:
			with output.progress() as progress:
				done = audit.run(wish, present, progress)
	if options.json:
		print(json.dumps(done.report.as_json(), indent=2, ensure_ascii=False))
	written = []
	if options.out or not options.json:
		written = output.write(done, options.out or Path(OUT))
	if not options.json:
		output.show(done, written)
	if fetched:
		fetched.forget()
	return 0


def _fetched(options: argparse.Namespace) -> "Fetched":
	"""What is read of a site, in a folder beside what is written; it goes when the audit stands."""
	from lead_quality.audit import output, site

	client = site.Client(options.site, site.key_of(options.key_file), options.rate or site.RATE, told=_tell)
	folder = (options.out or Path(OUT)) / "site"
	quiet: Callable[[str, int], None] = lambda _kind, _rows: None  # noqa: E731
	with nullcontext(quiet) if options.json else output.progress() as progress:
		return site.fetch(client, folder, progress, with_names=not options.anonymise)


def _tell(sentence: str):
	print(f"lead-quality: {sentence}", file=sys.stderr)


def _as_of(text: str, zone: str, present: datetime) -> datetime | None:
	"""The instant that a day or an instant names, naive, in that zone: of a day its end, of today the present."""
	if not text:
		return None
	try:
		at = values.moment(text, values.YEAR_FIRST)
	except values.Unreadable as expected:
		raise ValueError(f"--as-of: {text!r} is not {expected}.") from None
	if ":" in text:
		return at
	return (
		present.replace(microsecond=0)
		if at.date() == present.date()
		else at.replace(hour=23, minute=59, second=59)
	)


def _kind_and_path(name: str) -> tuple[str | None, Path]:
	kind, equals, path = name.partition("=")
	if equals and not Path(name).exists():
		return _kind(kind), Path(path)
	return None, Path(name)


def _kind(name: str) -> str:
	plain = name.replace(" ", "").replace("_", "").lower()
	for kind in KINDS:
		if kind.replace(" ", "").lower() == plain:
			return kind
	raise ValueError(f"{name!r} is no kind of file. There are {', '.join(KINDS)}.")


def _mapped(words: Sequence[str]) -> dict[str, dict[str, str]]:
	mapped: dict[str, dict[str, str]] = {}
	for word in words:
		field, equals, header = word.partition("=")
		kind, dot, fieldname = field.partition(".")
		if _is_status(field):
			continue
		if not (equals and dot and header):
			raise ValueError(f'--map: {word!r} is not like Lead.source="Came From".')
		mapped.setdefault(_kind(kind), {})[fieldname.strip()] = header
	return mapped


def _is_status(field: str) -> bool:
	return field.lower().startswith("lead.status.")


def _statuses(words: Sequence[str]) -> dict[str, str]:
	"""What the user says that statuses of leads mean, as `Lead.status.Won=Converted`."""
	means: dict[str, str] = {}
	for word in words:
		field, _equals, meant = word.rpartition("=")
		if _is_status(field):
			status = next((one for one in STATUSES if one.lower() == meant.strip().lower()), "")
			if not status:
				raise ValueError(
					f"--map: {meant!r} is no status of ERPNext's. There are {', '.join(STATUSES)}."
				)
			means[field.split(".", 2)[2].strip().lower()] = status
	return means


if __name__ == "__main__":
	sys.exit(main())
