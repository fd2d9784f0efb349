"""The settings that an audit proposes: what it makes of a company's data, and what may stand in such a file."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_quality.audit import output, recipe
from lead_quality.engine.recipe import (
	CALENDAR,
	POLICY,
	REASON,
	SEGMENT,
	Broken,
	Record,
	UnknownFormat,
	read,
	written,
)
from tests.unit.audit_files import PRESENT, run, write
from tests.unit.test_audit_figures import lead


@pytest.fixture(scope="module")
def company(tmp_path_factory):
	"""80 leads of three sources; people write on Tuesdays from 7 to 12 and on Thursdays from 13 to 18."""
	leads, mails = [], []
	for number in range(80):
		source = "Fair" if number < 40 else "fair" if number < 45 else "Web" if number < 78 else "unknown"
		name, day = f"L-{number}", PRESENT - timedelta(days=90 + number)
		leads.append(lead(name, creation=str(day), source=source, lead_owner="rep@us.example"))
	for number in range(240):
		tuesday = PRESENT.replace(day=2, month=6)
		at = (
			tuesday.replace(hour=7 + number % 5)
			if number % 2
			else tuesday.replace(day=4, hour=13 + number // 2 % 5)
		)
		mails.append(
			{
				"creation": str(at),
				"reference_doctype": "Lead",
				"reference_name": f"L-{number % 20}",
				"communication_medium": "Email",
				"sent_or_received": "Sent",
				"sender": "rep@us.example",
				"recipients": "buyer@them.example",
			}
		)
	return run(write(tmp_path_factory.mktemp("company"), lead=leads, communication=mails))


def proposed(done, doctype: str) -> list[Record]:
	return [record for record in done.proposed if record.doctype == doctype]


def test_hours_are_those_of_each_weekday_on_which_people_work(company):
	[calendar] = proposed(company, CALENDAR)

	assert calendar.values["hours"] == [
		{"weekday": "Tuesday", "opens": "07:00:00", "closes": "12:00:00"},
		{"weekday": "Thursday", "opens": "13:00:00", "closes": "18:00:00"},
	]
	assert "time_zone" not in calendar.values  # nobody has said it


def test_sources_with_leads_enough_are_segments_whatever_case_they_are_in(company):
	segments = proposed(company, SEGMENT)

	assert [(one.title, one.values["rules"]) for one in segments] == [
		("Fair", [{"field": "source", "operator": "=", "value": "Fair"}]),
		("Web", [{"field": "source", "operator": "=", "value": "Web"}]),
	]
	assert "45 leads" in segments[0].why


def test_the_policy_says_what_it_would_have_caught_as_the_page_does(company):
	[policy] = proposed(company, POLICY)

	[finding] = [section.finding for section in company.report.sections if section.key == "policy"]
	due = finding.split(" ")[0]
	assert policy.values["targets"] == [{"clock": "First Response", "within": 2.0, "unit": "Working Hours"}]
	assert policy.values["working_calendar"] == recipe.CALENDAR_TITLE
	assert f"called out {due} of 80 leads" in policy.why


def test_what_leads_were_lost_for_is_a_reason_to_disqualify(tmp_path):
	leads = [lead(f"L-{number}", status="Junk" if number < 6 else "Open") for number in range(30)]
	lost = {"creation": PRESENT, "opportunity_from": "Lead", "status": "Lost"}
	opportunities = [
		{"name": f"O-{number}", "party_name": f"L-{number}", "lost_reason": reason, **lost}
		for number, reason in enumerate(["Too expensive"] * 4 + ["too expensive"] * 3 + ["Seldom"] * 4)
	]
	# its second reason stands in a line of its own, as Frappe writes the rows of a table
	opportunities += [{"name": "", "lost_reason": "<b>Competitor</b> was faster"}]
	quotations = [
		{"name": f"Q-{number}", "creation": PRESENT, "quotation_to": "Lead", "party_name": f"L-{number}"}
		| {"lost_reason": "<b>Competitor</b> was faster"}
		for number in range(20, 25)
	]

	done = run(write(tmp_path, lead=leads, opportunity=opportunities, quotation=quotations))

	assert [(one.name, one.why) for one in proposed(done, REASON)] == [
		("Disqualify: Too expensive", "Opportunities or quotations of 7 leads were lost for it."),
		(
			"Disqualify: bCompetitor/b was faster",
			"Opportunities or quotations of 6 leads were lost for it.",
		),
		("Disqualify: Junk", "6 leads have it as their status, and were not sold."),
	]


def test_a_reason_that_may_tell_who_somebody_is_stays_away_from_an_anonymous_audit(tmp_path):
	leads = [lead(f"L-{number}") for number in range(6)]
	opportunities = [
		{
			"name": f"O-{number}",
			"creation": PRESENT,
			"party_name": f"L-{number}",
			"lost_reason": "ask ann@x.example",
		}
		for number in range(6)
	]
	paths = write(tmp_path, lead=leads, opportunity=opportunities)

	assert len(proposed(run(paths), REASON)) == 1
	assert proposed(run(paths, is_anonymous=True), REASON) == []


def test_nothing_is_proposed_of_what_the_data_do_not_tell(tmp_path):
	done = run(write(tmp_path, lead=[lead(f"L-{number}", source="") for number in range(50)]))

	assert done.proposed == []
	assert done.report.sections[-1].finding == "The data are too few to propose settings."


def test_the_file_is_written_beside_the_page_and_reads_back_as_it_was(company, tmp_path):
	output.write(company, tmp_path)

	records = read((tmp_path / recipe.FILE).read_text())
	assert records == company.proposed


def text_of(**changed: object) -> str:
	data = json.loads(written([Record(SEGMENT, "Fair", {"rules": []})], "", ""))
	return json.dumps({**data, **changed})


@pytest.mark.parametrize(
	("text", "version"),
	[
		("", ""),
		("[]", ""),
		("{", ""),
		("{}", ""),
		(text_of(format="else"), ""),
		(text_of(version=2), "2"),
		(text_of(version=True), "True"),
		(text_of(version=None), "None"),
		("[" * 100_000, ""),
	],
)
def test_what_is_no_recipe_or_one_of_another_version_is_refused(text, version):
	with pytest.raises(UnknownFormat) as refused:
		read(text)
	assert str(refused.value) == version


@pytest.mark.parametrize(
	("record", "place"),
	[
		({"doctype": "User", "title": "x", "values": {}}, "doctype"),
		({"doctype": SEGMENT, "title": " ", "values": {}}, "title"),
		({"doctype": SEGMENT, "title": "x" * 141, "values": {}}, "title"),
		({"doctype": REASON, "title": "x" * 135, "values": {"applies_to": "Disqualify"}}, "title"),
		({"doctype": SEGMENT, "title": "x", "values": []}, "values"),
		(
			{"doctype": SEGMENT, "title": "x", "values": {"segment_owner": "a@b.example"}},
			"values.segment_owner",
		),
		({"doctype": SEGMENT, "title": "x", "values": {"rules": "all"}}, "values.rules"),
		({"doctype": SEGMENT, "title": "x", "values": {"rules": [{"name": "x"}]}}, "values.rules[0]"),
		({"doctype": SEGMENT, "title": "x", "values": {"rules": [{"value": []}]}}, "values.rules[0].value"),
		({"doctype": POLICY, "title": "x", "values": {"working_calendar": {}}}, "values.working_calendar"),
	],
)
def test_what_an_audit_would_not_write_is_refused_with_its_place(record, place):
	with pytest.raises(Broken) as refused:
		read(text_of(records=[record]))
	assert str(refused.value) == f"records[0].{place}"


def test_what_others_name_comes_first():
	records = [Record(SEGMENT, "s", {}), Record(POLICY, "p", {}), Record(CALENDAR, "c", {})]

	assert [record.title for record in read(written(records, "", ""))] == ["c", "p", "s"]


JSON = st.recursive(
	st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
	lambda some: (
		st.lists(some, max_size=3)
		| st.dictionaries(st.sampled_from(["rules", "hours", "title"]), some, max_size=3)
	),
	max_leaves=8,
)


@given(
	st.lists(
		st.fixed_dictionaries(
			{}, optional={"doctype": st.sampled_from([SEGMENT, CALENDAR]), "title": JSON, "values": JSON}
		)
		| JSON
	)
)
def test_whatever_stands_in_it_a_recipe_is_read_or_refused(records):
	try:
		read(text_of(records=records))
	except Broken:
		pass
