"""The audit counts what a slow and plain count over the same documents counts, by the app's own rules."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_quality.audit import evidence, figures, readers
from lead_quality.audit.readers import CannotRead
from lead_quality.audit.store import Journey, Store
from lead_quality.engine.clock import is_human_touch
from lead_quality.engine.conversion import is_two_way
from lead_quality.engine.waste import LeadFacts, latest_start, wasted_since
from tests.unit.audit_files import PRESENT, figure, journeys, options, run, section, write

DAY = datetime(2026, 3, 2, 9)  # a Monday
LEADS = ("L1", "L2", "L3")
REP, LEAD = "rep@us.example", "anna@lead.example"


def at(hours: float) -> datetime:
	return DAY + timedelta(hours=hours)


def mail(lead: str, hours: float, **more: object) -> dict[str, object]:
	is_sent = more.get("sent_or_received", "Sent") == "Sent"
	return {
		"name": f"C{hours}{lead}",
		"creation": at(hours),
		"communication_type": "Communication",
		"communication_medium": "Email",
		"sent_or_received": "Sent",
		"sender": REP if is_sent else LEAD,
		"recipients": LEAD if is_sent else REP,
		"subject": "Your request",
		"reference_doctype": "Lead",
		"reference_name": lead,
		"delivery_status": "",
		**more,
	}


def lead(name: str = "L1", **more: object) -> dict[str, object]:
	return {"name": name, "creation": DAY, "status": "Open", "lead_owner": REP, **more}


def journeys_of(folder: Path, day: datetime, kinds: dict) -> dict[str, Journey]:
	"""What the database makes of leads as of a day."""
	with Store() as store:
		for path in write(folder, **kinds):
			store.load(readers.open_table(path))
		return {journey.lead: journey for journey in store.journeys(day)}


def journey_of(folder: Path, *communications: dict[str, object], **kinds) -> Journey:
	kinds = {"lead": [lead()], **kinds}
	return journeys(folder, **kinds, communication=communications)["L1"]


# contacts


def test_a_mail_to_a_lead_is_a_touch_and_its_answer_a_conversation(tmp_path):
	journey = journey_of(tmp_path, mail("L1", 2), mail("L1", 5, sent_or_received="Received"))

	assert (journey.first_touch_at, journey.conversation_at) == (at(2), at(5))
	assert (journey.touches, journey.tries) == (1, 1)


@pytest.mark.parametrize(
	"no_touch",
	[
		{"delivery_status": "Bounced"},
		{"communication_type": "Automated Message"},
		{"communication_medium": "Other"},
		{"recipients": "boss@us.example, rep@us.example"},
		{"recipients": ""},
		{"owner": "Guest"},
		{"reference_doctype": "Newsletter", "reference_name": "L1"},
		{"reference_name": "L9"},
		{"sent_or_received": "Received", "sender": LEAD},
		{"communication_medium": "Phone", "subject": "Wrong number"},
	],
	ids=str,
)
def test_what_the_app_takes_for_no_touch_is_none_here(tmp_path, no_touch):
	boss = mail("L2", 1, sender="boss@us.example")

	journey = journey_of(tmp_path, boss, mail("L1", 2, **no_touch), lead=[lead(), lead("L2")])

	assert (journey.first_touch_at, journey.touches) == (None, 0)


@pytest.mark.parametrize(
	"no_answer",
	[
		{"subject": "Automatic reply: Your request"},
		{"sender": "mailer-daemon@lead.example"},
		{"sender": REP},
		{"email_status": "Spam"},
	],
	ids=str,
)
def test_a_machine_a_colleague_and_spam_answer_nothing(tmp_path, no_answer):
	received = mail("L1", 5, sent_or_received="Received", **no_answer)

	assert journey_of(tmp_path, mail("L1", 2), received).conversation_at is None


def test_who_writes_first_has_answered_nothing_yet(tmp_path):
	asks, answers = (mail("L1", hours, sent_or_received="Received") for hours in (1, 9))

	assert journey_of(tmp_path, asks, mail("L1", 4)).conversation_at is None
	assert journey_of(tmp_path / "2", asks, mail("L1", 4), answers).conversation_at == at(9)


def test_a_call_is_a_conversation_unless_its_first_words_say_that_nobody_answered(tmp_path):
	tried = mail("L1", 1, communication_medium="Phone", subject="No answer", recipients="")
	talked = mail("L1", 3, communication_medium="Phone", subject="They want an offer", recipients="")

	journey = journey_of(tmp_path, tried, talked)

	assert (journey.first_touch_at, journey.conversation_at, journey.tries) == (at(1), at(3), 1)


def test_a_contact_that_names_the_opportunity_is_with_its_lead(tmp_path):
	opportunity = {
		"name": "O1",
		"creation": at(1),
		"opportunity_from": "Lead",
		"party_name": "L1",
		"status": "Open",
	}
	sent = mail("O1", 3, reference_doctype="Opportunity")

	assert journey_of(tmp_path, sent, opportunity=[opportunity]).first_touch_at == at(3)


# sales


ORDER = {
	"name": "S1",
	"creation": at(50),
	"customer": "C1",
	"base_grand_total": 1000,
	"status": "To Deliver and Bill",
}


@pytest.mark.parametrize(
	"way",
	[
		{"customer": [{"name": "C1", "lead_name": "L1", "opportunity_name": ""}]},
		{"customer": [{"name": "C1", "lead_name": "", "opportunity_name": "O1"}]},
		{"quotation": [{"name": "Q1", "creation": at(20), "quotation_to": "Lead", "party_name": "L1", "opportunity": ""}]},
		{"quotation": [{"name": "Q1", "creation": at(20), "quotation_to": "Customer", "party_name": "C1", "opportunity": "O1"}]},
	],
)  # fmt: skip
def test_an_order_is_credited_by_its_quotation_or_its_customer(tmp_path, way):
	opportunity = {
		"name": "O1",
		"creation": at(1),
		"opportunity_from": "Lead",
		"party_name": "L1",
		"status": "Open",
	}
	order = {**ORDER, "prevdoc_docname": "Q1"}

	journey = journey_of(tmp_path, opportunity=[opportunity], sales_order=[order], **way)

	assert (journey.sale_at, journey.value, journey.over) == (at(50), 1000, "Converted")


@pytest.mark.parametrize("status", ["Draft", "Cancelled", "Entwurf"])
def test_a_draft_and_a_cancelled_order_are_no_sale(tmp_path, status):
	customer = [{"name": "C1", "lead_name": "L1"}]

	journey = journey_of(tmp_path, customer=customer, sales_order=[{**ORDER, "status": status}])

	assert journey.sale_at is None


def test_an_order_in_another_currency_is_a_sale_without_an_amount(tmp_path):
	customer = [{"name": "C1", "lead_name": "L1"}, {"name": "C2", "lead_name": "L2"}]
	base = {"creation": at(50), "status": "Completed", "grand_total": 500}
	orders = [
		{**base, "name": "S1", "customer": "C1", "currency": "USD"},
		*({**base, "name": f"S{n}", "customer": "C2", "currency": "EUR"} for n in (2, 3)),
	]

	found = journeys(tmp_path, lead=[lead(), lead("L2")], customer=customer, sales_order=orders)

	assert (found["L1"].sale_at, found["L1"].value) == (at(50), None)
	assert found["L2"].value == 500


def test_a_document_that_is_exported_in_several_lines_counts_once(tmp_path):
	quotation = {
		"name": "Q1",
		"creation": at(9),
		"quotation_to": "Lead",
		"party_name": "L1",
		"opportunity": "",
	}
	order = {**ORDER, "prevdoc_docname": ""}
	lines = [order, {**dict.fromkeys(order, ""), "prevdoc_docname": "Q1"}, {**order, "prevdoc_docname": "Q1"}]

	found = journeys(tmp_path, lead=[lead(), lead()], quotation=[quotation], sales_order=lines)

	assert len(found) == 1
	assert (found["L1"].sale_at, found["L1"].value) == (at(50), 1000)


# against a slow count

MEDIA = st.sampled_from(["Email", "Email", "Phone", "Meeting", "SMS", "Other"])
HOURS = st.integers(-5, 400)


@st.composite
def companies(draw) -> dict[str, list[dict[str, object]]]:
	leads = [
		lead(
			name,
			creation=at(draw(HOURS)),
			status=draw(st.sampled_from(["Lead", "Open", "Replied", "Do Not Contact"])),
		)
		for name in LEADS
	]
	opportunities = [
		{
			"name": f"O{n}",
			"creation": at(draw(HOURS)),
			"opportunity_from": draw(st.sampled_from(["Lead", "Lead", "Customer"])),
			"party_name": draw(st.sampled_from([*LEADS, "L9"])),
			"status": draw(st.sampled_from(["Open", "Lost"])),
		}
		for n in range(draw(st.integers(0, 3)))
	]
	communications = [
		mail(
			draw(st.sampled_from([*LEADS, "O0", "O1"])),
			draw(HOURS),
			name=f"C{n}",
			communication_medium=draw(MEDIA),
			reference_doctype=draw(st.sampled_from(["Lead", "Opportunity"])),
			sent_or_received=draw(st.sampled_from(["Sent", "Received"])),
			sender=draw(st.sampled_from([REP, LEAD, "noreply@x.example"])),
			recipients=draw(st.sampled_from([REP, LEAD, f"{REP}, {LEAD}", ""])),
			subject=draw(st.sampled_from(["Hello", "No answer", "Wrong number", "Automatic reply: x"])),
			delivery_status=draw(st.sampled_from(["", "Bounced"])),
		)
		for n in range(draw(st.integers(0, 8)))
	]
	orders = [
		{
			"name": f"S{n}",
			"creation": at(draw(HOURS)),
			"customer": draw(st.sampled_from(["C1", "C2"])),
			"base_grand_total": draw(st.integers(1, 9)),
			"status": draw(st.sampled_from(["Completed", "Draft"])),
		}
		for n in range(draw(st.integers(0, 3)))
	]
	customers = [{"name": "C1", "lead_name": "L1"}, {"name": "C2", "lead_name": "L9"}]
	return {
		"lead": leads,
		"opportunity": opportunities,
		"communication": communications,
		"sales_order": orders,
		"customer": customers,
	}


def slow_touches(name: str, company: dict) -> list[tuple]:
	"""The touches of a lead: instant, whether it was sent, outcome, whether it is a person's response; one by one."""
	own = {
		row["name"]
		for row in company["opportunity"]
		if row["opportunity_from"] == "Lead" and row["party_name"] == name
	}
	contacts = []
	for row in company["communication"]:
		is_here = (row["reference_doctype"], row["reference_name"]) == ("Lead", name) or (
			row["reference_doctype"] == "Opportunity" and row["reference_name"] in own
		)
		contact = evidence.read(row) if is_here else None
		if contact is not None:
			contacts.append((contact, row))
	sent = [evidence.read(row) for row in company["communication"]]
	colleagues = {REP} | {contact.sender for contact in sent if contact is not None and contact.is_sent}
	kept = []
	for contact, row in contacts:
		to = {part.strip() for part in str(row["recipients"]).split(",")} - {""}
		if contact.is_sent and row["communication_medium"] == "Email" and not to - colleagues:
			continue
		if not contact.is_sent and not contact.is_talk and contact.sender in colleagues:
			continue
		kept.append(contact)
	first = min((contact.at for contact in kept if contact.is_sent), default=None)
	touches = []
	for contact in kept:
		outcome = contact.outcome
		if not contact.is_talk and not contact.is_sent and first is not None and first <= contact.at:
			outcome = "Replied"
		direction = "Outbound" if contact.is_sent else "Inbound"
		is_human = is_human_touch("Done", False, direction, contact.channel, outcome)
		touches.append((contact.at, contact.is_sent, outcome, is_human))
	return touches


@settings(max_examples=60, deadline=None)
@given(companies())
def test_journeys_are_those_of_a_slow_count(company):
	with tempfile.TemporaryDirectory() as folder:
		found = journeys(Path(folder), **company)
	for row in company["lead"]:
		name, journey = str(row["name"]), found[str(row["name"])]
		touches = slow_touches(name, company)
		human = [touch for touch in touches if touch[3]]
		talked = min((touch[0] for touch in touches if is_two_way(touch[2])), default=None)
		opportunities = [
			one
			for one in company["opportunity"]
			if one["opportunity_from"] == "Lead" and one["party_name"] == name
		]
		orders = [
			one for one in company["sales_order"] if one["status"] == "Completed" and one["customer"] == "C1"
		]
		first_order = (
			min(orders, key=lambda one: (one["creation"], one["name"]), default=None)
			if name == "L1"
			else None
		)
		assert journey.first_touch_at == min((touch[0] for touch in human), default=None)
		assert journey.last_touch_at == max((touch[0] for touch in human), default=None)
		assert journey.touches == len(human)
		assert journey.tries == sum(touch[1] and (talked is None or touch[0] < talked) for touch in human)
		assert journey.conversation_at == talked
		assert journey.opportunity_at == min((one["creation"] for one in opportunities), default=None)
		assert journey.sale_at == (first_order and first_order["creation"])
		assert journey.value == (first_order and first_order["base_grand_total"])
		is_lost = bool(opportunities) and all(one["status"] == "Lost" for one in opportunities)
		expected = "Lost" if is_lost else ""
		expected = "No Contact" if row["status"] == "Do Not Contact" else expected
		assert journey.over == ("Converted" if name == "L1" else expected)


JOURNEYS = st.builds(
	Journey,
	lead=st.uuids().map(str),
	entered_at=st.datetimes(datetime(2026, 5, 1), datetime(2026, 6, 30)),
	status=st.sampled_from(["Open", "Replied", "Converted", "Opportunity"]),
	source=st.sampled_from(["", "Web", "Fair"]),
	owner=st.sampled_from(["", REP]),
	next_contact_at=st.none() | st.datetimes(datetime(2026, 6, 1), datetime(2026, 8, 1)),
	first_touch_at=st.none() | st.datetimes(datetime(2026, 5, 1), datetime(2026, 6, 30)),
	conversation_at=st.none() | st.datetimes(datetime(2026, 5, 1), datetime(2026, 6, 30)),
	opportunity_at=st.none() | st.datetimes(datetime(2026, 5, 1), datetime(2026, 8, 1)),
	sale_at=st.none() | st.datetimes(datetime(2026, 5, 1), datetime(2026, 8, 1)),
	over=st.sampled_from(["", "", "Lost"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(JOURNEYS, max_size=12))
def test_who_is_wasted_is_what_the_engine_says_and_each_figure_adds_up(some):
	asked = options()
	facts = figures.see(some, figures.Known(), asked)
	latest = latest_start(PRESENT.replace(tzinfo=asked.calendar.zone), 5, asked.calendar).replace(tzinfo=None)
	for one in facts:
		journey = one.journey
		told = LeadFacts(
			journey.entered_at,
			None,
			journey.first_touch_at,
			PRESENT if journey.over else None,
			journey.next_contact_at,
			any(day is not None and day <= PRESENT for day in (journey.opportunity_at, journey.sale_at)),
		)
		assert one.is_touched == (journey.first_touch_at is not None)
		if journey.last_touch_at or journey.first_touch_at is None:
			assert one.is_wasted == (wasted_since(told, latest, PRESENT) is not None)
	worths = figures.worths(facts, 0)
	wasted = sum(one.is_wasted for one in facts)
	for key, by in (
		("source", lambda one: one.source),
		("owner", lambda one: one.owner),
		("month", lambda one: one.month),
	):
		rows = figures.leak(facts, key, "", by, worths).records()
		assert sum(row["leads"] for row in rows) == len(facts)
		assert sum(row["wasted"] for row in rows) == wasted
	steps = figures.funnel(facts, figures.Known(), "EUR").records()
	reached = [row["reached"] for row in steps]
	assert reached == sorted(reached, reverse=True)
	assert sum(row["leads"] for row in figures.speed(facts, figures.Known(), 0).records()) == len(facts)


# figures


def company(folder: Path, **more) -> list[Path]:
	"""Forty leads of Web, worked at once and half of them sold for 100 each; ten of Fair that nobody has touched."""
	leads = [lead(f"W{n}", source="Web", email_id=f"w{n}@x.example") for n in range(40)]
	leads += [lead(f"F{n}", source="Fair", email_id="", phone="") for n in range(10)]
	communications = [mail(f"W{n}", 1) for n in range(40)]
	customers = [{"name": f"C{n}", "lead_name": f"W{n}"} for n in range(20)]
	orders = [
		{**ORDER, "name": f"S{n}", "customer": f"C{n}", "base_grand_total": 100, "currency": "EUR"}
		for n in range(20)
	]
	late = lead("Z", creation=at(1_000), source="Web")
	return write(
		folder,
		lead=[*leads, late],
		communication=communications,
		customer=customers,
		sales_order=orders,
		**more,
	)


def test_wasted_leads_are_counted_and_worth_what_worked_ones_came_to(tmp_path):
	done = run(company(tmp_path))

	assert figure(done, "leads") == 51
	assert figure(done, "wasted_rate") == 10 / 50  # the last one is too young
	assert figure(done, "wasted_worth") == 10 * (20 / 40) * 100
	assert figure(done, "first_touch_hours") == 1
	assert figure(done, "sold") == 20 / 51
	by_source = {row["source"]: row for row in section(done, "leak_by_source")}
	assert by_source["Fair"]["wasted"] == 10
	assert by_source["Fair"]["worth"] == 500
	assert by_source["Web"]["won_median"] == 100
	assert by_source["Fair"]["won_median"] is None


def test_the_step_rates_are_those_of_the_apps_cohorts(tmp_path):
	rows = section(run(company(tmp_path)), "funnel")

	assert [(row["stage"], row["reached"]) for row in rows] == [
		("Target", 51),
		("Prospect", 20),
		("Opportunity", 20),
		("Sale", 20),
	]
	assert rows[3]["worth"] == 100


def test_a_policy_calls_out_who_was_touched_too_late_or_never(tmp_path):
	done = run(company(tmp_path), policy_hours=0.5)
	touched, late, never = section(done, "policy")

	assert (touched["leads"], late["leads"]) == (0, 40)
	assert never["leads"] == 10
	assert late["hours"] == 1


def test_speed_counts_working_time_only(tmp_path):
	friday = datetime(2026, 3, 6, 16, 30)
	leads = [lead("L1", creation=friday)]
	sent = mail("L1", 0, creation=datetime(2026, 3, 9, 9, 30))

	done = run(write(tmp_path, lead=leads, communication=[sent]))

	assert figure(done, "first_touch_hours") == 1


def test_with_leads_alone_stages_are_read_from_their_status_and_the_rest_is_not_made_up(tmp_path):
	leads = [
		lead(f"L{n}", status=status)
		for n, status in enumerate(["Open", "Replied", "Opportunity", "Converted", "Do Not Contact"])
	]
	leads.append(lead("late", creation=at(2_000)))

	done = run(write(tmp_path, lead=leads))

	assert [row["reached"] for row in section(done, "funnel")] == [6, 3, 2, 1]
	assert [row["median_days"] for row in section(done, "funnel")] == [None] * 4
	assert figure(done, "wasted_rate") == 1 / 5
	assert figure(done, "first_touch_hours") is None
	assert figure(done, "touched_in_time") is None
	assert figure(done, "wasted_worth") is None
	assert section(done, "persistence") == []
	assert any("No Communications" in sentence for sentence in done.report.cannot)


def test_what_is_missing_is_counted_and_what_no_column_tells_is_not(tmp_path):
	leads = [
		lead("L1", email_id="a@x.example", phone="+49 30 1234567", source="Web"),
		lead("L2", email_id="A@X.example", phone="", source="unknown"),
		lead("L3", email_id="", phone="(030) 123-4567", source="Web", lead_owner=""),
		lead("L4", email_id="no address", phone="000000", source=""),
	]

	rows = {row["gap"]: row["leads"] for row in section(run(write(tmp_path, lead=leads)), "gaps")}

	assert rows == {
		"No owner": 1,
		"No next step": None,
		"No reachable address": 1,
		"Unknown source": 2,
		"Duplicates": 2,
	}


def test_touches_before_they_were_given_up(tmp_path):
	leads = [lead(f"L{n}") for n in range(3)] + [lead("late", creation=at(2_000))]
	sent = [mail("L0", 1), mail("L1", 1), mail("L1", 30), mail("L2", 1), mail("L2", 9)]
	answer = mail("L2", 20, sent_or_received="Received")

	rows = section(run(write(tmp_path, lead=leads, communication=[*sent, answer])), "persistence")

	assert [(row["given_up"], row["answered"]) for row in rows[:3]] == [(1, 0), (1, 1), (0, 0)]


def test_the_median_is_of_working_hours_of_touched_leads(tmp_path):
	leads = [lead(f"L{n}") for n in range(4)]
	sent = [mail("L0", 1), mail("L1", 3), mail("L2", 4)]

	assert figure(run(write(tmp_path, lead=leads, communication=sent)), "first_touch_hours") == median(
		[1, 3, 4]
	)


def test_leads_that_come_in_after_the_day_of_the_audit_do_not_count(tmp_path):
	paths = write(tmp_path, lead=[lead("L1"), lead("L2", creation=at(500))])

	assert figure(run(paths, as_of=at(100)), "leads") == 1


def test_working_hours_are_found_by_when_people_write_and_call(tmp_path):
	sent = [
		mail("L1", 24 * day + hour, name=f"C{day}{hour}")
		for day in range(28)
		for hour in range(8)
		if day % 7 < 5
	]
	sent += [
		mail("L1", 24 * 5 + 4, name="on a Saturday"),
		mail("L1", 11, name="late", sent_or_received="Received"),
	]

	done = run(write(tmp_path, lead=[lead()], communication=sent), hours="found")

	assert done.report.settings["working_hours"] == "; ".join(
		f"{day} 09:00-17:00" for day in ("Mon", "Tue", "Wed", "Thu", "Fri")
	)


def test_working_hours_are_not_found_by_too_few_contacts(tmp_path):
	with pytest.raises(ValueError, match="too few Communications"):
		run(write(tmp_path, lead=[lead()], communication=[mail("L1", 1)]), hours="found")


def test_what_happens_after_the_day_of_the_audit_does_not_count(tmp_path):
	paths = write(tmp_path, lead=[lead()], communication=[mail("L1", 300)])

	assert figure(run(paths, as_of=at(200)), "wasted_rate") == 1
	assert figure(run(paths, as_of=at(400)), "wasted_rate") == 0


def test_where_no_lead_is_old_enough_nothing_is_said_to_be_well(tmp_path):
	done = run(write(tmp_path, lead=[lead(f"L{number}", source="Web") for number in range(5)]))

	findings = {one.key: one.finding for one in done.report.sections}
	assert {findings["leak_by_source"], findings["leak_by_owner"], findings["leak_by_month"]} == {
		"No lead is old enough to be judged."
	}
	assert figure(done, "wasted_rate") is None


# a past day, and dates that lie ahead


def sentences(done) -> str:
	return " ".join([*done.report.cannot, *(one.cannot for one in done.report.figures)])


def some_leads(count: int = 60, **more) -> list[dict[str, object]]:
	return [
		lead(f"L{n}", creation=at(24 * (n % 20)), modified=at(24 * (n % 20)), **more) for n in range(count)
	]


AHEAD = {
	"lead": lead("L-999", creation=PRESENT + timedelta(days=330)),
	"lead changed": lead("L-999", modified=PRESENT + timedelta(days=330)),
	"opportunity": {"name": "O1", "creation": PRESENT + timedelta(days=330), "party_name": "L1"},
	"sales_order": {**ORDER, "creation": PRESENT + timedelta(days=330)},
	"communication": mail("L1", 24 * 365),
	"call_log": {"name": "T1", "status": "Completed", "start_time": PRESENT + timedelta(days=330)},
}


@pytest.mark.parametrize("of", AHEAD)
def test_a_date_that_lies_ahead_is_a_problem_and_never_moves_the_day_of_the_audit(of, tmp_path):
	kind = of.split(" ")[0]
	kinds: dict = {kind: [], "lead": some_leads()}
	day = run(write(tmp_path / "before", **kinds)).report
	kinds[kind] = [*kinds[kind], AHEAD[of]]

	done = run(write(tmp_path / "after", **kinds))

	assert done.report.as_of == day.as_of
	assert [one.value for one in done.report.figures[1:]] == [one.value for one in day.figures[1:]] or of == (
		"lead changed"  # which is a lead more
	)
	(problem, *_more) = [one for table in done.tables for one in table.problems]
	assert "that has passed" in problem.expected
	assert "2027" in problem.found
	assert problem.is_row_lost == (of == "lead")


def test_where_all_leads_lie_ahead_it_says_so_instead_of_counting_none(tmp_path):
	paths = write(tmp_path, lead=[lead(creation=PRESENT + timedelta(days=30))])

	with pytest.raises(CannotRead, match="that has passed"):
		run(paths)


@pytest.mark.parametrize(("zone", "is_counted"), [("UTC", True), ("Europe/Berlin", False)])
def test_without_a_zone_the_day_may_be_hours_ahead_and_says_so(zone, is_counted, tmp_path):
	soon = PRESENT + timedelta(hours=9)  # in Tokyo it has passed

	done = run(write(tmp_path, lead=[*some_leads(), lead("soon", creation=soon)]), zone=zone)

	assert (done.report.as_of == f"{soon:%Y-%m-%d %H:%M}") == is_counted
	assert ("ahead of this machine's clock" in sentences(done)) == is_counted


def test_a_planned_visit_and_a_next_contact_may_lie_ahead(tmp_path):
	ahead = PRESENT + timedelta(days=30)
	event = {"name": "E1", "event_category": "Meeting", "status": "Open", "starts_on": ahead}

	done = run(write(tmp_path, lead=some_leads(contact_date=ahead), event=[event]))

	assert not [problem for table in done.tables for problem in table.problems]
	assert figure(done, "wasted_rate") == 0


def test_of_a_past_day_it_says_what_statuses_of_today_may_have_decided(tmp_path):
	later, past = at(24 * 100), at(24 * 30)
	leads = [
		{**row, "modified": later, "status": "Converted" if n % 2 else "Do Not Contact"}
		for n, row in enumerate(some_leads())
	]
	paths = write(
		tmp_path, lead=[*leads, *({**row, "name": f"S{n}"} for n, row in enumerate(some_leads(20)))]
	)

	today, then = run(paths), run(paths, as_of=past)

	assert "after the day of the audit" not in sentences(today)
	assert f"to {later:%Y-%m-%d %H:%M}" in sentences(then)
	assert "60 of 80 leads were changed after the day of the audit" in sentences(then)
	assert "of these 60 count as not wasted and 30 as sold by their status alone" in sentences(then)
	told = {one.key: one.cannot for one in then.report.figures}
	assert "100.0 % would be wasted" in told["wasted_rate"]
	assert "30 of them were changed after the day of the audit" in told["sold"]


def test_a_past_day_without_a_column_of_changes_says_that_it_cannot_know_them(tmp_path):
	rows = [{key: value for key, value in row.items() if key != "modified"} for row in some_leads()]

	done = run(write(tmp_path, lead=rows), as_of=at(24 * 10))

	assert "without a column Last Updated On" in sentences(done)


@pytest.mark.parametrize("kind", ["sales_order", "customer", "opportunity"])
def test_a_document_that_was_made_after_the_day_decides_nothing_by_then(kind, tmp_path):
	made = {"creation": at(200)}
	kinds: dict = {
		"lead": [lead("L1"), lead("L2")],
		"opportunity": [],
		"customer": [{"name": "C1", "lead_name": "L1", "creation": at(1)}],
		"sales_order": [],
	}
	kinds[kind] = [
		{
			"sales_order": {**ORDER, "customer": "C1", **made},
			"customer": {"name": "C1", "lead_name": "L1", **made},
			"opportunity": {"name": "O1", "party_name": "L1", "status": "Lost", **made},
		}[kind]
	]
	if kind == "sales_order":
		kinds["customer"][0]["creation"] = at(199)
	elif kind == "opportunity":
		kinds["customer"] = []

	then, now = (journeys_of(tmp_path, day, kinds)["L1"] for day in (at(100), at(300)))

	assert (then.over, then.sale_at, then.opportunity_at, then.is_customer) == ("", None, None, False)
	assert now.over


def test_what_wasted_leads_are_counted_at_can_be_multiplied_out(tmp_path):
	paths = company(tmp_path)
	leads = [
		*(
			lead(f"W{n}", source="Web") for n in range(60)
		),  # as of `company`, and twenty that nobody has touched
		*(
			lead(f"C{n}", source="Cold") for n in range(35)
		),  # touched enough for a share, never sold: no median of its own
		*(lead(f"F{n}", source="Fair") for n in range(10)),
		lead("Z", creation=at(1_000), source="Web"),
	]
	touched = [mail(f"W{n}", 1) for n in range(40)] + [mail(f"C{n}", 1) for n in range(31)]
	write(tmp_path, lead=leads, communication=touched)

	done = run(paths)

	*rows, of_all = section(done, "worth_by_source")
	assert {row["source"]: row["of_all"] for row in rows} == {
		"Web": "",
		"Cold": "order",
		"Fair": "share and order",
	}
	assert {row["source"]: (row["touched"], row["orders"]) for row in rows} == {
		"Web": (40, 20),
		"Cold": (31, 20),
		"Fair": (71, 20),
	}
	leaks = {row["source"]: row for row in section(done, "leak_by_source")}
	for row in rows:
		product = row["touched_sold_rate"] * row["order_median"] * row["wasted"]
		assert product == pytest.approx(row["worth"])
		assert (row["wasted"], row["worth"]) == tuple(
			leaks[row["source"]][key] for key in ("wasted", "worth")
		)
	assert of_all["worth"] == pytest.approx(sum(row["worth"] for row in rows))
	assert of_all["worth"] == figure(done, "wasted_worth")


def test_nine_of_ten_sales_come_within_whole_days():
	sold = [
		figures.Facts(
			Journey(f"L{n}", DAY), 99, True, False, False, entered={"sale": DAY + timedelta(days=n, hours=1)}
		)
		for n in range(1, 11)
	]

	assert figures.days_to_sale(sold) == 10  # nine came in nine days and an hour
	assert figures.days_to_sale([]) == 0


# statuses of the company's own


OWN = ("Gewonnen", "Won", "Lost", "Junk", "Closed - Not Converted", "Working")


def own_statuses(own: tuple[str, ...], count: int = 10, **more) -> list[dict[str, object]]:
	rows = some_leads(count * len(own), **more)
	return [{**row, "status": own[n % len(own)]} for n, row in enumerate(rows)]


@pytest.mark.parametrize("statuses", [OWN, None], ids=["own", "no column"])
def test_where_nothing_is_known_of_leads_nothing_is_said_of_them(statuses, tmp_path):
	leads = own_statuses(statuses or ("",))
	if statuses is None:
		leads = [{key: value for key, value in row.items() if key in ("name", "creation")} for row in leads]

	done = run(write(tmp_path, lead=leads))

	assert (figure(done, "wasted_rate"), figure(done, "sold")) == (None, None)
	assert not any(one.is_wasted for one in done.facts)
	for key in ("leak_by_month", "cohorts"):
		for row in section(done, key):
			assert row["wasted_rate"] is None
			assert row.get("sale_rate") is None and row.get("sale") is None
	assert section(done, "funnel") == []
	for one in done.report.sections:
		assert "100.0 %" not in one.finding
		assert "Nothing is wasted" not in one.finding


def test_what_is_known_is_counted_of_those_of_whom_it_is_known(tmp_path):
	leads = [*own_statuses(OWN), *(lead(f"K{n}", status="Converted" if n < 5 else "Open") for n in range(20))]
	late = lead("late", creation=at(24 * 40), status="Open")

	done = run(write(tmp_path, lead=[*leads, late]))

	assert figure(done, "wasted_rate") == 15 / 20
	assert figure(done, "sold") == 5 / 21
	assert [row["reached"] for row in section(done, "funnel")] == [21, 5, 5, 5]
	read_as = {row["status"]: row["read_as"] for row in section(done, "statuses")}
	assert {read_as[status] for status in OWN} == {figures.UNREAD}
	assert figures.UNREAD not in (read_as["Open"], read_as["Converted"])
	assert "Gewonnen 10" in sentences(done)
	assert "Lead.status.Won=Converted" in sentences(done)


def test_with_communications_a_status_of_ones_own_decides_nothing_and_that_is_said(tmp_path):
	leads = [*own_statuses(OWN), lead("late", creation=at(24 * 40))]

	done = run(write(tmp_path, lead=leads, communication=[mail("late", 24 * 40)]))

	assert figure(done, "wasted_rate") == 1
	assert "60 of the wasted have a status of which it is not known what it says" in sentences(done)


def test_the_user_says_what_a_status_means(tmp_path):
	means = {"won": "Converted", "gewonnen": "Converted", "working": "Replied"} | dict.fromkeys(
		("lost", "junk", "closed - not converted"), "Do Not Contact"
	)
	leads = [*own_statuses(OWN), lead("late", creation=at(24 * 40))]

	done = run(write(tmp_path, lead=leads), statuses=means)

	assert figure(done, "sold") == 20 / 61
	assert figure(done, "wasted_rate") == 0
	assert "What these statuses say" not in sentences(done)


def test_a_status_in_another_language_is_known_as_erpnexts_own(tmp_path):
	done = run(write(tmp_path, lead=own_statuses(("Konvertiert", "Offen", "Ne pas contacter"))))

	assert {row["read_as"] for row in section(done, "statuses")}.isdisjoint({figures.UNREAD})
	assert figure(done, "sold") == 1 / 3


@pytest.mark.parametrize("key", ["source", "owner"])
def test_without_a_column_nothing_is_said_by_it(key, tmp_path):
	rows = [{name: row[name] for name in ("name", "creation", "status")} for row in some_leads()]

	done = run(write(tmp_path, lead=rows))

	assert section(done, f"leak_by_{key}") == []
	assert "There is no column" in next(
		one.finding for one in done.report.sections if one.key == f"leak_by_{key}"
	)


def test_every_wasted_rate_can_be_divided_out(tmp_path):
	done = run(company(tmp_path))

	for key in ("source", "owner", "month"):
		for row in section(done, f"leak_by_{key}"):
			assert row["wasted_rate"] == (row["wasted"] / row["judged"] if row["judged"] else None)


# next steps


@pytest.mark.parametrize(
	("status", "hours", "is_wasted"),
	[
		("Open", 24 * 90, False),
		("Open", 24 * 30, True),  # it is over, and nobody has said that it was held
		("Cancelled", 24 * 90, True),
		("Completed", 24 * 30, False),
	],
)
def test_a_planned_meeting_is_a_next_step_and_no_touch(status, hours, is_wasted, tmp_path):
	event = {
		"name": "E1",
		"event_category": "Call",
		"status": status,
		"starts_on": at(hours),
		"reference_doctype": "Lead",
		"reference_docname": "L1",
	}
	kinds: dict = {"lead": [lead("L1"), lead("L2", creation=at(24 * 60))], "event": [event]}

	done = run(write(tmp_path, **kinds))

	assert [one.is_wasted for one in done.facts] == [is_wasted, False]
	assert done.facts[0].is_touched == (status == "Completed")
	gap = next(row for row in section(done, "gaps") if row["gap"] == "No next step")
	assert gap["leads"] == (1 if status == "Open" and not is_wasted else 2)
	assert done.report.as_of == f"{at(24 * 60):%Y-%m-%d %H:%M}"  # a plan is nothing that has happened


# the policy that is proposed


@pytest.mark.parametrize("hours", ["Mon-Fri 09:00-17:00", "Mon-Sun 00:00-24:00"])
def test_the_policy_that_is_proposed_is_counted_by_the_calendar_that_is_proposed(hours, tmp_path):
	leads = [lead(f"L{n}", creation=at(24 * (n % 40) + n % 11)) for n in range(200)]
	sent = [mail(f"L{n}", 24 * (n % 40) + n % 11 + (n % 7) / 2) for n in range(150)]
	paths = write(tmp_path, lead=leads, communication=sent)

	proposed = next(one for one in run(paths, hours=hours).proposed if one.doctype == "Follow Up Policy")

	counted = next(one for one in run(paths, hours="found").report.sections if one.key == "policy")
	assert proposed.values["working_calendar"] in proposed.why
	assert f"called out {counted.finding.split(' ')[0]} of 200" in proposed.why


def test_a_lead_comes_after_the_first_with_its_address_or_number(tmp_path):
	said = [
		{"phone": "+49 848 1302527"},
		{"mobile_no": "+49 248 1302527"},  # whose last digits are those of the first
		{"phone": "0248 1302527", "email_id": "a@x.example"},
		{"email_id": "A@x.example", "phone": "0848 1302527"},
		{"email_id": "b@x.example"},
		{"phone": "111111111"},
		{"phone": "111111111"},  # no number
	]
	leads = [lead(f"L{n}", creation=at(n), **one) for n, one in enumerate(said)]

	done = run(
		write(
			tmp_path, lead=[{**dict.fromkeys(("phone", "mobile_no", "email_id"), ""), **one} for one in leads]
		)
	)

	assert done.twins == {"L2": "L1", "L3": "L1"}


def test_documents_that_belong_to_no_lead_of_the_files_are_told(tmp_path):
	paths = company(tmp_path / "whole")
	filtered = tmp_path / "filtered"
	orders = [{**ORDER, "name": f"S{n}", "customer": f"C{n}"} for n in range(20)]
	kinds: dict = {
		"lead": [lead(f"W{n}") for n in range(5)],
		"customer": [{"name": f"C{n}", "lead_name": f"W{n}"} for n in range(20)],
		"sales_order": orders,
		"opportunity": [{"name": f"O{n}", "creation": DAY, "party_name": f"W{n}"} for n in range(8)],
	}

	assert "belong to no lead" not in sentences(run(paths))
	said = sentences(run(write(filtered, **kinds)))
	assert "3 of 8 Opportunity, 15 of 20 Sales Order" in said
