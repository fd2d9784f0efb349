"""One company, as ERPNext v14, v15 and v16 call its columns: in exports by their labels, in a backup by their fieldnames."""

import csv
from pathlib import Path

import pytest

from lead_quality.audit import sample
from lead_quality.engine.recipe import REASON
from tests.unit.audit_files import run
from tests.unit.test_audit_backup import dump, written

# as Frappe calls the column of a document's table
LOST_REASON = "Opportunity Lost Reason (Opportunity Lost Reason Detail)"
# of the sample's columns: the label and the fieldname that a version has for it, where they are not those of v15
LABELS = {
	14: {"Lead": {}, "Sales Order": {"Grand Total (Company Currency)": "Grand Total"}},
	15: {},
	16: {
		"Sales Order": {"Grand Total (Company Currency)": "Grand Total"},
		"Customer": {"From Lead": "Lead"},
	},
}
FIELDNAMES = {
	"Lead": "name creation modified owner status lead_name company_name email_id phone mobile_no source lead_owner",
	"Opportunity": "name creation status opportunity_from party_name opportunity_owner",
	"Quotation": "name creation status quotation_to party_name opportunity",
	"Sales Order": "name creation status customer currency base_grand_total",
	"Customer": "name creation lead_name",
	"Communication": "name creation communication_type communication_medium sent_or_received sender recipients subject"
	" reference_doctype reference_name delivery_status",
}
# what stands beside these in a table of leads; the last three only on sites that were once of v13
BESIDE = {
	14: "naming_series salutation first_name middle_name last_name job_title gender customer type request_type website whatsapp_no"
	" phone_ext no_of_employees annual_revenue industry market_segment territory fax city state country qualification_status"
	" qualified_by qualified_on campaign_name company language image title disabled unsubscribed blog_subscriber"
	" contact_by contact_date ends_on",
	15: "naming_series first_name no_of_employees qualification_status campaign_name company",
	16: "naming_series first_name no_of_employees qualification_status utm_campaign utm_medium utm_content company",
}
LABELS_BESIDE_V14 = (
	"Series",
	"Salutation",
	"First Name",
	"Last Name",
	"Job Title",
	"Gender",
	"From Customer",
	"Lead Type",
	"Request Type",
	"Website",
	"WhatsApp",
	"Phone Ext.",
	"No of Employees",
	"Annual Revenue",
	"Industry",
	"Market Segment",
	"Territory",
	"Fax",
	"City",
	"State",
	"Country",
	"Qualification Status",
	"Qualified By",
	"Qualified on",
	"Campaign Name",
	"Company",
	"Print Language",
	"Title",
	"Disabled",
	"Unsubscribed",
	"Blog Subscriber",
	"Next Contact By",
	"Next Contact Date",
)
NOT_IN_ALL = ("Sr", "Next Contact Date")  # v14 and later have no next contact of their own


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> dict[str, list[dict[str, str]]]:
	"""Rows of each DocType, by the labels of v15."""
	found = {}
	for path in sample.write(tmp_path_factory.mktemp("sample"), leads=500):
		with path.open(newline="", encoding="utf-8") as file:
			rows = [
				{label: cell for label, cell in row.items() if label not in NOT_IN_ALL}
				for row in csv.DictReader(file)
			]
		found[path.stem] = rows
	return found


def exports(company: dict[str, list[dict[str, str]]], folder: Path, version: int) -> list[Path]:
	paths = []
	for kind, rows in company.items():
		names = LABELS[version].get(kind, {})
		beside = LABELS_BESIDE_V14 if (kind, version) == ("Lead", 14) else ()
		path = folder / f"export-{len(paths)}.csv"
		with path.open("w", newline="", encoding="utf-8") as file:
			writer = csv.writer(file)
			writer.writerow([*beside, *(names.get(label, label) for label in rows[0])])
			writer.writerows([*("" for _label in beside), *row.values()] for row in rows)
		paths.append(path)
	return paths


def backup(company: dict[str, list[dict[str, str]]], folder: Path, version: int) -> list[Path]:
	text = ""
	for kind, rows in company.items():
		fields = FIELDNAMES[kind].split()
		if kind == "Lead" and version == 16:
			fields[fields.index("source")] = "utm_source"
		beside = BESIDE[version].split() if kind == "Lead" else []
		cells = [
			[
				*(
					cell or None
					for label, cell in row.items()
					if (kind, label) not in (("Sales Order", "Quotation"), ("Opportunity", LOST_REASON))
				),
				*(None for _field in beside),
			]
			for row in rows
		]
		text += dump(f"tab{kind}", [*fields, *beside], cells, is_new=version > 14)
	items = [[f"item-{row['ID']}", row["ID"], row["Quotation"] or None] for row in company["Sales Order"]]
	text += dump("tabSales Order Item", ["name", "parent", "prevdoc_docname"], items)
	reasons = [
		[f"reason-{row['ID']}", row["ID"], row[LOST_REASON]]
		for row in company["Opportunity"]
		if row[LOST_REASON]
	]
	text += dump("tabOpportunity Lost Reason Detail", ["name", "parent", "lost_reason"], reasons)
	return [written(folder / "site-database.sql.gz", text)]


@pytest.mark.parametrize("made", [exports, backup])
def test_a_company_has_the_same_figures_whichever_version_it_is_on(company, tmp_path, made):
	audits = {}
	for version in (14, 15, 16):
		folder = tmp_path / str(version)
		folder.mkdir()
		audits[version] = run(made(company, folder, version), hours=sample.HOURS)

	assert all(table.problem_count == 0 for done in audits.values() for table in done.tables)
	assert len(audits[15].facts) == 500 and sum(one.is_sold for one in audits[15].facts) > 10
	for version in (14, 16):
		assert [one.journey for one in audits[version].facts] == [one.journey for one in audits[15].facts]
		assert audits[version].report.figures == audits[15].report.figures
		assert audits[version].proposed == audits[15].proposed
	assert any(record.doctype == REASON for record in audits[15].proposed)


def test_a_next_contact_counts_on_a_site_that_has_kept_it_from_before_v14(company, tmp_path):
	lead = company["Lead"][:1]
	ahead = {"Next Contact By": "rep@us.example", "Next Contact Date": "2030-01-01 09:00:00"}

	found = [
		run(exports({"Lead": [{**row, **more} for row in lead]}, tmp_path, 15))
		.facts[0]
		.journey.next_contact_at
		for more in ({}, ahead)
	]

	assert [at and at.year for at in found] == [None, 2030]
