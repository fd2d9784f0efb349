"""Runs test modules of Frappe and ERPNext on a site, with Frappe's own runner, and writes what came of each test.

	python run.py SITE RESULTS.json MODULE…   in a bench's `sites` folder, with its Python

Each module runs in a process of its own, so that one that breaks off harms no other. RESULTS.json then holds
`{module: {test: "passed" | "skipped" | traceback}}`; what broke a whole module or class is kept under its name, and an
error that a listener of ours kept from the test stands under "listener …". Files that the tests leave among the apps' own
(fixtures, DocTypes) are removed, as the next migrate of any site of the bench would read them.
"""

import io
import json
import os
import sys
import tempfile
import time
import traceback
import unittest
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree, which

PASSED, SKIPPED = "passed", "skipped"
TIMEOUT = 1800  # seconds for one module: on a busy machine ERPNext makes companies for a quarter of an hour


def run(site: str, modules: list[str], results: Path):
	"""Writes the outcomes of every module's tests, by module and test; after each, so that nothing is lost of a run that
	is broken off."""
	outcomes: dict[str, dict[str, str]] = {}
	before = _files_of_the_peers()
	for module in modules:
		outcomes[module] = _in_a_process(site, module)
		_remove(_files_of_the_peers() - before)
		results.write_text(json.dumps(outcomes, indent=1))


def _files_of_the_peers() -> set[Path]:
	"""What Frappe and ERPNext consist of; not what Python and `bench build` make of it."""
	files = set()
	for app in ("frappe", "erpnext"):
		for folder, folders, names in os.walk(Path("..", "apps", app, app)):
			folders[:] = [name for name in folders if name not in {"__pycache__", "node_modules", "dist"}]
			files.update(Path(folder, name) for name in names)
	return files


def _remove(files: set[Path]):
	"""The files, and the folders that are empty then but for compiled Python."""
	for file in files:
		file.unlink(missing_ok=True)
	for folder in {file.parent for file in files}:
		rmtree(folder / "__pycache__", ignore_errors=True)
		if folder.is_dir() and not any(folder.iterdir()):
			folder.rmdir()


def prepare(site: str):
	"""Keep what the tests would fetch from the internet otherwise: exchange rates."""
	import frappe

	frappe.init(site)
	frappe.connect()
	for currency in ("INR", "EUR"):
		frappe.get_doc(
			{
				"doctype": "Currency Exchange",
				"date": frappe.utils.today(),
				"from_currency": "USD",
				"to_currency": currency,
				"exchange_rate": 60,
				"for_buying": 1,
				"for_selling": 1,
			}
		).insert(ignore_if_duplicate=True)
	frappe.db.commit()
	frappe.destroy()


def _in_a_process(site: str, module: str) -> dict[str, str]:
	"""The process is forked from this one: importing Frappe and ERPNext takes longer than many a module."""
	with tempfile.TemporaryDirectory() as folder:
		results, log = Path(folder, "results.json"), Path(folder, "log")
		started = time.monotonic()
		pid = os.fork()
		if not pid:
			os._exit(_child(site, module, results, log))
		_wait(pid)
		seconds = time.monotonic() - started
		outcomes: dict[str, str] = json.loads(results.read_text()) if results.exists() else {}
		if not any(outcome == PASSED for outcome in outcomes.values()):
			outcomes[module] = log.read_text(errors="replace")[-4000:] or "no test ran"
		passed = sum(outcome == PASSED for outcome in outcomes.values())
		print(f"{site} {module}: {passed} of {len(outcomes)} passed in {seconds:.0f} s", flush=True)
		return outcomes


def _wait(pid: int):
	"""Until the process has ended; one that hangs is ended."""
	end = time.monotonic() + TIMEOUT
	while not os.waitpid(pid, os.WNOHANG)[0]:
		if time.monotonic() > end:
			os.kill(pid, 9)
		time.sleep(0.05)


def _child(site: str, module: str, results: Path, log: Path) -> int:
	with log.open("w") as file:
		os.dup2(file.fileno(), 1)
		os.dup2(file.fileno(), 2)
	outcomes: dict[str, str] = {}
	listen(outcomes)
	try:
		run_module(site, module, outcomes)
	except BaseException:  # its runner leaves by SystemExit
		traceback.print_exc()
	results.write_text(json.dumps(outcomes))
	sys.stdout.flush()
	return 0


def listen(outcomes: dict[str, str]):
	"""From now on, every test result of this process is written into `outcomes`.

	Frappe's runners differ, and v16's has no use for its --junit-xml-output; what both report to is unittest's own.
	"""
	result = unittest.TestResult

	def add_to(method: str, outcome):
		report = getattr(result, method)

		def reporting(self, test, *args):
			if outcomes.get(test.id()) in {None, PASSED}:
				outcomes[test.id()] = outcome(*args)
			return report(self, test, *args)

		setattr(result, method, reporting)

	add_to("addSuccess", lambda: PASSED)
	add_to("addExpectedFailure", lambda error: PASSED)
	add_to("addSkip", lambda reason: SKIPPED)
	add_to("addUnexpectedSuccess", lambda: "unexpected success")
	for method in ("addError", "addFailure"):
		add_to(method, lambda error: "".join(traceback.format_exception(*error))[-4000:])
	report_part = result.addSubTest

	def report_subtest(self, test, subtest, error):
		if error:
			outcomes[test.id()] = "".join(traceback.format_exception(*error))[-4000:]
		return report_part(self, test, subtest, error)

	result.addSubTest = report_subtest


def hear_our_listeners(outcomes: dict[str, str]):
	"""An error of ours that was logged, so that it fails no document of another app, is an outcome all the same."""
	import frappe

	from lead_quality.base import listeners

	log_failure = listeners.log_failure

	def reporting(listen, doc, error: str):
		outcomes[f"listener {listen.__name__} failed on {doc.doctype}"] = error[-4000:]
		return log_failure(listen, doc, error)

	if "lead_quality" in frappe.get_installed_apps():
		listeners.log_failure = reporting


def let_test_records_pass():
	"""Test records are made past the gates: what is tried is what a test does, not what it finds."""
	from lead_quality.qualification import gate

	if find_spec("frappe.testing"):  # v16
		from frappe.tests.utils import generators as maker

		name = "_try_create"
	else:
		from frappe import test_runner as maker

		name = "make_test_objects"
	suite, set_up = (
		unittest.TestSuite,
		"_handleClassSetUp",
	)  # some of ERPNext's classes make theirs themselves
	mode_of = gate.mode_of

	def past_the_gates(make):
		def make_past_the_gates(*args, **kwargs):
			gate.mode_of = lambda doctype: "Off"
			try:
				return make(*args, **kwargs)
			finally:
				gate.mode_of = mode_of

		return make_past_the_gates

	setattr(maker, name, past_the_gates(getattr(maker, name)))
	setattr(suite, set_up, past_the_gates(getattr(suite, set_up)))


def print_without_wkhtmltopdf():
	"""Where that program is missing, what is printed is an empty page: v16's workflows print all that moves in them."""
	import pdfkit
	from pypdf import PdfWriter

	if which("wkhtmltopdf"):
		return
	page = io.BytesIO()
	writer = PdfWriter()
	writer.add_blank_page(width=595, height=842)
	writer.write(page)
	pdfkit.from_string = lambda *args, **kwargs: page.getvalue()


def run_module(site: str, module: str, outcomes: dict[str, str]):
	import frappe

	if find_spec("frappe.testing"):  # v16
		from frappe.commands.testing import main
	else:
		from frappe.test_runner import main

	frappe.init(site)
	frappe.connect()
	hear_our_listeners(outcomes)
	let_test_records_pass()
	print_without_wkhtmltopdf()
	doctype = doctype_of(module)
	if doctype and not find_spec("frappe.testing"):
		main(site, doctype=doctype)  # v15 makes a DocType's test records only if told the DocType
	else:
		main(site, module=module)


def doctype_of(module: str) -> str | None:
	"""The DocType that the module tests, if there is one."""
	import frappe

	path = Path(frappe.get_pymodule_path(module.rpartition(".")[0]))
	definition = path / f"{path.name}.json"
	if path.parent.name == "doctype" and module.endswith(f".{path.name}.test_{path.name}"):
		return json.loads(definition.read_text())["name"]
	return None


def main(site: str, results: str, *modules: str):
	import erpnext  # noqa: F401  for the processes to be forked
	import frappe.commands.utils  # noqa: F401

	pid = os.fork()  # in a process of its own, as the modules
	if not pid:
		prepare(site)
		os._exit(0)
	os.waitpid(pid, 0)
	run(site, list(modules), Path(results))


if __name__ == "__main__":
	main(*sys.argv[1:])
