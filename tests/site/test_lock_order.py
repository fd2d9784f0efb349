"""First the lead, then what belongs to it: also in the jobs that take up many clocks at once."""

import frappe
import pytest
from frappe.utils import add_to_date, now_datetime

from lead_quality.demo.factories import make_lead
from lead_quality.follow_up import replan, sweep


@pytest.fixture
def leads():
	return sorted(make_lead(first_name=name).name for name in ("Anna", "Berta"))


def clocks_of(leads: list[str]) -> list[str]:
	return frappe.get_all("Follow Up Clock", {"lead": ["in", leads], "clock": "First Response"}, pluck="name")


def locks(queries) -> list[str]:
	"""What each statement locks that locks rows: lead or clock."""
	found = []
	for text in queries:
		if "for update" in text.lower():
			found += ["clock"] if "`tabFollow Up Clock`" in text else ["lead"] if "`tabLead`" in text else []
	return found


def test_opening_hours_that_change_move_clocks_under_the_locks_of_their_leads(leads, count_queries):
	names = clocks_of(leads)
	frappe.db.set_value(
		"Follow Up Clock", {"name": ["in", names]}, "due_at", add_to_date(now_datetime(), days=400)
	)

	with count_queries() as queries:
		assert replan.replan_clocks(names, now_datetime()) == 2

	assert locks(queries)[:2] == ["lead", "clock"]


def test_what_a_sweep_finds_is_logged_before_it_locks_the_clocks(leads, count_queries):
	now = add_to_date(now_datetime(), days=10)
	for lead in leads:
		# past every event, as by a bulk insert
		frappe.get_doc(
			{
				"doctype": "Communication",
				"name": frappe.generate_hash(),
				"communication_type": "Communication",
				"communication_medium": "Phone",
				"sent_or_received": "Sent",
				"reference_doctype": "Lead",
				"reference_name": lead,
				"communication_date": now_datetime(),
				"content": "Talked about pumps.",
			}
		).db_insert()

	with count_queries() as queries:
		sweep.Sweep().raise_many(clocks_of(leads), now)

	assert frappe.db.count("Lead Touch", {"lead": ["in", leads], "channel": "Phone", "status": "Done"}) == 2
	swept = next(index for index, text in enumerate(queries) if "skip locked" in text)
	assert "lead" in locks(queries[:swept]) and "lead" not in locks(queries[swept:])
