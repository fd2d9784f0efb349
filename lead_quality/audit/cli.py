"""The command `lead-quality`."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import lead_quality
from lead_quality.audit.columns import KINDS

OUT = "lead-quality-audit"
NEEDS = "The audit needs more than is here ({0} is missing). Install it: pip install 'lead_quality[audit]', or run ./dev audit"
EXAMPLES = """
  lead-quality audit --sample                    a company that the command makes up: what an audit looks like
  lead-quality audit Lead.csv                    leads alone suffice
  lead-quality audit *.csv --out client          with Opportunity, Quotation, Sales Order, Customer, Communication
  lead-quality audit Lead=contacts.xlsx --map Lead.creation="Entered" --map Lead.source="Campaign"
"""


def main(arguments: Sequence[str] | None = None) -> int:
	"""Run the command; returns its exit status: 0, or 2 if it was asked for what it cannot do."""
	options = _parser().parse_args(arguments)
	try:
		return _audit(options)
	except ModuleNotFoundError as error:
		library = (error.name or "").split(".")[0]
		if library not in {"duckdb", "rich", "openpyxl"}:
			raise
		print(NEEDS.format(library), file=sys.stderr)
	except (ValueError, OSError) as error:
		print(f"lead-quality: {error}", file=sys.stderr)
	return 2


def _parser() -> argparse.ArgumentParser:
	parser = argparse.ArgumentParser("lead-quality", description="How well a company treats its leads.")
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
	audit.add_argument("--out", metavar="FOLDER", type=Path, help=f"where the page and the lists go ({OUT})")
	audit.add_argument(
		"--json", action="store_true", help="print all figures as JSON; no page, unless --out is given"
	)
	audit.add_argument(
		"--anonymise", action="store_true", help="numbers instead of the names of leads and owners"
	)
	audit.add_argument(
		"--map", action="append", default=[], metavar="KIND.FIELD=HEADER", help="say which column a field is"
	)
	audit.add_argument(
		"--dates", choices=["dmy", "mdy", "ymd"], default="", help="the order of dates, if files cannot tell"
	)
	audit.add_argument(
		"--hours",
		default="",
		help='when people work ("Mon-Fri 09:00-17:00"), or "found": by when they write and call',
	)
	audit.add_argument("--zone", default="UTC", help="the site's time zone, for summer time (UTC: none)")
	audit.add_argument(
		"--wasted-after",
		type=int,
		default=5,
		metavar="DAYS",
		help="working days after which a lead is wasted (5)",
	)
	audit.add_argument(
		"--policy-hours",
		type=float,
		default=2.0,
		metavar="HOURS",
		help="working hours of the policy that is tried (2)",
	)
	audit.add_argument(
		"--as-of",
		type=datetime.fromisoformat,
		metavar="DATE",
		help="the day of the audit (the latest in the files)",
	)
	audit.add_argument("--company", default="", help="whose leads they are, for the title")
	return parser  # fmt: skip


def _audit(options: argparse.Namespace) -> int:
	from lead_quality.audit import audit, output, sample

	if bool(options.files) == options.sample:
		raise ValueError("name the files, or say --sample. lead-quality audit --help has examples.")
	try:
		present = datetime.now(ZoneInfo(options.zone)).replace(tzinfo=None)
	except (ZoneInfoNotFoundError, ValueError):
		raise ValueError(
			f"--zone: there is no time zone {options.zone!r}; it is one such as Europe/Berlin."
		) from None
	if options.wasted_after < 0 or options.policy_hours < 0:
		raise ValueError("--wasted-after and --policy-hours cannot be less than nothing.")
	with ExitStack() as stack:
		paths = [_kind_and_path(name) for name in options.files]
		if options.sample:
			folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lead-quality-")))
			paths = [(None, path) for path in sample.write(folder)]
		wish = audit.Wish(
			paths=paths,
			mapped=_mapped(options.map),
			dates=options.dates.upper(),
			hours=options.hours or (sample.HOURS if options.sample else audit.HOURS),
			zone=options.zone,
			wasted_after=options.wasted_after,
			policy_hours=options.policy_hours,
			as_of=options.as_of,
			company=options.company or ("a company that never was" if options.sample else ""),
			is_anonymous=options.anonymise,
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
	return 0


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
		if not (equals and dot and header):
			raise ValueError(f'--map: {word!r} is not like Lead.source="Came From".')
		mapped.setdefault(_kind(kind), {})[fieldname.strip()] = header
	return mapped


if __name__ == "__main__":
	sys.exit(main())
