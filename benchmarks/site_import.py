"""What the app costs an import of leads by Frappe's Data Import, on a site with 100,000 leads.

`./dev bench` runs it, and does nothing with it before the app is installed. To run it again, in the bench's folder
`sites`:

    LEAD_QUALITY_SITE=lead-quality-bench.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_import.py

Files of 250 leads each are imported as Frappe's background job does it, alternately with the app's document events
and without, first with *imported leads start in triage* off, then on. Shown is the median of a lead's time in a file,
and the median of the differences within each pair of files, so that what else the machine does cancels out. The app's
fields and indexes are there in both.

An argument says how many leads are imported with the events and as many without, 2,000 if there is none. What is
imported stays.
Left out is `has_gravatar`, see site_lead_save.py.
"""

import csv
import io
import statistics
import sys
import time

import frappe
from frappe.core.doctype.data_import.data_import import start_import
from on_site import (
	APP,
	REPS,
	app_is_installed,
	ask_no_gravatar,
	describe,
	fill,
	request,
	switch_off,
	values_of_new_lead,
)

FILE = 250
PAIRS = int(sys.argv[1] if len(sys.argv) > 1 else 2000) // FILE
STORM = ("Notification Log", "Email Queue", "Follow Up Alert")
MADE = ("Lead", "Follow Up Clock", "Nurture Enrollment", "Lead Touch", "Lead Stage Log")
SETTING = "imported_leads_start_in_triage"


def make_import(number: int) -> str:
	"""A Data Import of leads that are owned by the reps in turn. Returns its name."""
	rows = [
		{**values_of_new_lead(), "lead_owner": f"rep{row % REPS + 1}@bench.example"} for row in range(FILE)
	]
	text = io.StringIO()
	writer = csv.DictWriter(text, rows[0])
	writer.writeheader()
	writer.writerows(rows)
	file = frappe.get_doc(
		doctype="File",
		file_name=f"leads-{number}-{frappe.generate_hash()}.csv",
		content=text.getvalue(),
		is_private=1,
	).insert()
	return (
		frappe.get_doc(
			doctype="Data Import",
			reference_doctype="Lead",
			import_type="Insert New Records",
			import_file=file.file_url,
			mute_emails=0,
		)
		.insert()
		.name
	)


def import_file(number: int, off: tuple[str, ...]) -> float:
	"""Milliseconds a lead."""
	with request():
		name = make_import(number)
		frappe.db.commit()
	with request():
		switch_off(*off)
		begin = time.perf_counter()
		start_import(name)
		seconds = time.perf_counter() - begin
		frappe.db.commit()
		assert frappe.db.get_value("Data Import", name, "status") == "Success"
	return seconds / FILE * 1000


def counts() -> dict[str, int]:
	with request():
		return {doctype: frappe.db.count(doctype) for doctype in (*STORM, *MADE)}


def compare() -> tuple[list[float], list[float]]:
	"""Times with the app's events and without, of pairs of files; the first pair only warms up."""
	with_app, without = [], []
	for number in range(PAIRS + 1):
		pair = {
			which: import_file(number, () if which else (APP,)) for which in (number % 2, (number + 1) % 2)
		}
		if number:
			with_app.append(pair[1])
			without.append(pair[0])
	return with_app, without


def measure(is_in_triage: int) -> None:
	with request():
		frappe.db.set_single_value("Lead Quality Settings", SETTING, is_in_triage)
		frappe.db.commit()
		frappe.clear_cache()
	before = counts()
	with_app, without = compare()
	made = {doctype: count - before[doctype] for doctype, count in counts().items()}
	assert not any(made[doctype] for doctype in STORM), made
	more = statistics.median(ours - theirs for ours, theirs in zip(with_app, without, strict=True))
	base = statistics.median(without)
	print(
		f"{SETTING} {is_in_triage}: {PAIRS * FILE:,} leads each way:  with {statistics.median(with_app):5.1f} ms a lead"
		f"  without {base:5.1f} ms  difference in pairs {more:5.2f} ms = {more / base:4.0%}\n"
		f"  made: {', '.join(f'{count:,} {doctype}' for doctype, count in made.items())}"
	)


def main() -> None:
	ask_no_gravatar()
	with request():
		if not app_is_installed():
			return
		fill()
		print(describe("Lead"))
	for is_in_triage in (0, 1):
		measure(is_in_triage)
	with request():
		frappe.db.set_single_value("Lead Quality Settings", SETTING, 0)
		frappe.db.commit()
	print()


if __name__ == "__main__":
	main()
