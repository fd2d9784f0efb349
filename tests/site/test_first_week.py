"""The app comes to a site with years of leads: what they reached is found, to the unit, and nobody is flooded."""

from collections import Counter
from datetime import datetime, timedelta

import frappe
import pytest
from frappe.utils import get_datetime

from lead_quality import api, hooks
from lead_quality.base.rows import insert_rows
from lead_quality.custom_fields import LEAD_SUMMARY
from lead_quality.demo.factories import make_lead
from lead_quality.follow_up import backlog, first_look
from lead_quality.follow_up.alerts import raise_alerts
from lead_quality.follow_up.jobs import read_history
from lead_quality.funnel import journey
from lead_quality.nurture import evidence, history
from tests.site.old_site import OldSite

INSTALLED = get_datetime("2026-03-02 08:00:00")  # a Monday
LEADS = 150
READING = "lead_quality.follow_up.jobs.read_history"


def jobs(*frequencies: str) -> list[str]:
	events = hooks.scheduler_events
	paths = [path for paths in events["cron"].values() for path in paths] if "cron" in frequencies else []
	return paths + [path for frequency in frequencies if frequency != "cron" for path in events[frequency]]


ALL_JOBS = jobs("daily_long", "hourly_long", "hourly", "cron")


def run(path: str, now: datetime):
	counts = frappe.get_attr(path)(now=now)
	frappe.db.commit()
	assert not counts.get("failed"), (path, counts)


@pytest.fixture
def rep(make_user):
	return make_user("rep@old.example", "Sales User")


@pytest.fixture
def manager(make_user):
	return make_user("manager@old.example", "Lead Quality Manager")


@pytest.fixture
def old_site(rep, manager, freeze):
	"""A site as the install leaves it: its leads are there, and nobody has read what was done with them."""
	with freeze(INSTALLED):
		for doctype in (
			"Lead",
			"Follow Up Clock",
			"Follow Up Alert",
			"Follow Up Run",
			"Notification Log",
			"Lead Backlog",
		):
			frappe.db.delete(doctype)
		site = OldSite(seed=7, leads=LEADS, now=INSTALLED, owners=[rep])
		history.forget()
		frappe.db.set_global(backlog.TOLD_ON, "")
		frappe.db.commit()
		yield site


def told() -> Counter:
	"""How many messages each user got, by its sentence without the numbers."""
	rows = frappe.get_all("Notification Log", ["for_user", "subject"])
	return Counter((row.for_user, "".join(c for c in row.subject if not c.isdigit())) for row in rows)


def kept() -> dict:
	"""All that the app says of leads, without when it was written."""
	state = {
		doctype: sorted(map(tuple, frappe.get_all(doctype, fields=fields, as_list=True)), key=str)
		for doctype, fields in {
			"Lead": ["name", *LEAD_SUMMARY],
			"Lead Stage Log": ["lead", "stage", "left_stage", "entered_at", "is_derived", "reference_name"],
			"Lead Touch": ["lead", "channel", "direction", "outcome", "done_at", "communication"],
			"Lead Backlog": ["lead", "came_by", "taken_up_at"],
			"Follow Up Alert": ["lead", "kind", "clock", "level", "for_user", "status"],
			"Follow Up Clock": ["lead", "clock", "status", "due_at", "alert_level"],
			"Notification Log": ["for_user", "subject"],
		}.items()
	}
	return state


def stages() -> dict[str, dict[str, datetime]]:
	found: dict[str, dict[str, datetime]] = {}
	for row in frappe.get_all("Lead Stage Log", {"lead": ["like", "OLD-%"]}, ["lead", "stage", "entered_at"]):
		assert row.stage not in found.setdefault(row.lead, {}), row
		found[row.lead][row.stage] = row.entered_at
	return found


def shown(fieldname: str) -> dict:
	return dict(frappe.get_all("Lead", {"name": ["like", "OLD-%"]}, ["name", fieldname], as_list=True))


def test_the_first_week_finds_every_stage_tells_one_line_and_changes_nothing_when_run_again(
	old_site, rep, manager, freeze
):
	beyond = {lead.name for lead in old_site.leads if not lead.waits}
	new = make_lead(first_name="New", lead_owner=rep).name
	with freeze(INSTALLED) as clock:
		for day in range(7):
			for hour, paths in (
				# what tells comes first: no order of the jobs may matter
				(0, jobs("daily_long")),
				(1, jobs("cron")),
				(2, jobs("hourly_long", "hourly")),
				(9, jobs("cron")),
			):
				now = INSTALLED + timedelta(days=day, hours=hour)
				clock.move_to(now)
				for path in paths:
					run(path, now)
					assert not beyond & {lead for lead, waits in shown("lq_waits").items() if waits}, path
		week_after = now
		assert stages() == {lead.name: lead.log for lead in old_site.leads}
		assert shown("lq_stage") == {lead.name: lead.stage for lead in old_site.leads}
		assert journey.wrong_of([lead.name for lead in old_site.leads]) == []
		assert {lead: bool(waits) for lead, waits in shown("lq_waits").items()} == {
			lead.name: lead.waits for lead in old_site.leads
		}
		# of old leads one line a week, to whom it may decide; who works is told of what he works on
		messages = told()
		line = "".join(c for c in backlog.in_words(2) if not c.isdigit())
		assert messages.pop((manager, line)) == 1
		assert {user for user, _subject in messages} == {rep}
		assert sum(messages.values()) <= 7
		assert set(frappe.get_all("Follow Up Alert", pluck="lead")) == {new}

		before = kept()
		for path in [*ALL_JOBS, *reversed(ALL_JOBS)]:
			run(path, week_after)
		assert kept() == before


def test_a_scheduler_that_was_off_for_the_week_ends_at_the_same(old_site, manager, freeze):
	late = INSTALLED + timedelta(days=7)
	with freeze(late):
		for path in [*ALL_JOBS, *ALL_JOBS]:
			run(path, late)
		assert stages() == {lead.name: lead.log for lead in old_site.leads}
		assert {user for user, _subject in told()} == {manager}
		assert sum(told().values()) == 1


# nobody is told of a lead, and nothing acts upon it, before its history was read


@pytest.fixture
def pressed(rep, freeze):
	"""An unread lead of which everything there is could be told: it has no owner's word, a clock that is long overdue,
	an alert that waits, a mail of today, an opportunity, and a status that ends it."""
	with freeze(INSTALLED):
		site = OldSite(seed=1, leads=40, now=INSTALLED, owners=[rep])
		history.forget()
		lead = site.leads[0].name
		overdue = INSTALLED - timedelta(days=3)
		clock = {"lead": lead, "clock": "First Response", "status": "Running", "within": 1, "unit": "Hours"}
		clock |= {"started_at": overdue, "due_at": overdue, "next_alert_at": overdue}
		insert_rows("Follow Up Clock", [clock], INSTALLED)
		alert = {"lead": lead, "kind": "Missed", "clock": "Triage", "for_user": rep, "alert_key": "pressed"}
		raise_alerts([alert], overdue)
		frappe.db.set_value("Communication", {"reference_name": ["like", "OLD-%"]}, "creation", INSTALLED)
		frappe.db.commit()
		yield lead


def of_unread() -> tuple:
	leads = {"lead": ["like", "OLD-%"]}
	return (
		frappe.get_all("Lead", {"name": ["like", "OLD-%"]}, ["name", "modified", *LEAD_SUMMARY]),
		frappe.get_all("Follow Up Alert", leads, ["name", "status"]),
		frappe.get_all("Follow Up Clock", leads, ["name", "status", "alert_level"]),
		frappe.get_all("Lead Stage Log", leads, ["name"]),
		frappe.get_all("Lead Touch", leads, ["name"]),
		frappe.get_all("Lead Backlog", leads, ["name"]),
	)


# they make nothing known of a lead: how its number is looked for, and what a mail was read as
HARMLESS = ("lq_phone_key", "lq_mobile_key", "lq_whatsapp_key", "lq_mailbox")


@pytest.mark.parametrize("path", [path for path in ALL_JOBS if path != READING])
def test_no_job_tells_of_a_lead_or_acts_upon_it_before_its_history_was_read(
	path, pressed, rep, manager, freeze
):
	def state() -> tuple:
		leads, *rest = of_unread()
		return [{key: value for key, value in row.items() if key not in HARMLESS} for row in leads], *rest

	with freeze(INSTALLED):
		before, messages = state(), told()
		run(path, INSTALLED)
		assert state() == before
		assert told() == messages


def test_what_waited_for_the_reading_is_told_after_it(pressed, rep, freeze):
	with freeze(INSTALLED + timedelta(hours=2)):
		read_history()
		frappe.db.commit()
		for path in jobs("cron"):
			run(path, INSTALLED + timedelta(hours=2))
		assert {user for user, _subject in told()} >= {rep}


def test_a_lead_that_cannot_be_read_stops_no_other_and_is_tried_again_an_hour_later(
	old_site, monkeypatch, freeze
):
	broken = next(lead for lead in old_site.leads if "prospect" in lead.reached)
	read = evidence.read

	def fails(document, lead, known, now):
		if lead == broken.name:
			raise ValueError("a document that nobody can read")
		return read(document, lead, known, now)

	with freeze(INSTALLED) as clock:
		monkeypatch.setattr(evidence, "read", fails)
		read_history()
		unread = frappe.get_all("Lead", {"lq_history_unread": 1}, pluck="name")
		assert unread == [broken.name]
		last = {"job": "read_history", "part_of": ["is", "not set"]}
		assert frappe.db.get_value("Follow Up Run", last, ["status", "failed"]) == ("Failed", 1)
		monkeypatch.setattr(evidence, "read", read)
		assert read_history()["found"] == 0
		clock.move_to(INSTALLED + timedelta(minutes=61))
		assert read_history()["found"] == 1
		assert history.is_read()
		assert stages() == {lead.name: lead.log for lead in old_site.leads}


def test_a_reading_that_was_killed_goes_on_where_it_was(old_site, monkeypatch):
	monkeypatch.setattr(first_look, "PART", 40)
	monkeypatch.setattr(first_look, "CHUNK", 15)
	read, done = first_look.read, []

	def dies(leads, now):
		if len(done) == 2:
			raise SystemExit  # as a worker that is stopped
		done.append(leads)
		return read(leads, now)

	monkeypatch.setattr(first_look, "read", dies)
	with pytest.raises(SystemExit):
		read_history()
	frappe.db.rollback()
	frappe.db.after_commit.reset()
	assert frappe.db.count("Lead", {"lq_history_unread": 0}) == 30
	assert first_look.how_far()["total"] == LEADS
	monkeypatch.setattr(first_look, "read", read)
	read_history()
	assert history.is_read()
	assert first_look.how_far() is None
	assert stages() == {lead.name: lead.log for lead in old_site.leads}


def test_what_happens_to_an_unread_lead_meanwhile_is_in_its_log_with_what_was_before(old_site):
	silent = next(lead for lead in old_site.leads if lead.reached.keys() == {"target"} and not lead.is_over)
	api.log_touch(silent.name, "Phone", "Connected")
	assert stages()[silent.name].keys() == {"target", "prospect"}
	read_history()
	assert stages()[silent.name].keys() == {"target", "prospect"}
	assert not shown("lq_waits")[silent.name]  # somebody works on it
